# pip install chess
import chess
import chess.pgn
import io

board = chess.Board()
for move in ("e4", "e5", "Qh5", "Nc6", "Bc4", "Nf6", "Qxf7"):
    board.push_san(move)
print(board, board.is_checkmate(), board.fen(), board.outcome())
game = chess.pgn.read_game(io.StringIO('[Event "x"]\n\n1. e4 c5 2. Nf3 d6 (2... Nc6) 3. d4 *'))
print(game.headers["Event"], [m.uci() for m in game.mainline_moves()], game)


def perft(board, depth):
    if depth == 0:
        return 1
    total = 0
    for move in board.legal_moves:
        board.push(move)
        total += perft(board, depth - 1)
        board.pop()
    return total


print(perft(chess.Board(), 3))
