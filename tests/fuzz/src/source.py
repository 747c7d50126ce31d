# Run by the isolate and by the reference interpreter alike: does this source compile?

import warnings

warnings.simplefilter("ignore")


def compiles(source):
    try:
        compile(source, "input.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as e:
        return f"{type(e).__name__}: {e}"
    except (MemoryError, RecursionError, OverflowError):
        return ""  # How much is too much is each one's own affair.
    return "accepted"


def serve():
    """Answers sources on stdin, each with its length before it, by what `compiles` says of them."""
    import sys

    data, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := data.read(4):
        answer = compiles(data.read(int.from_bytes(head, "little"))).encode("utf-8", "replace")
        answers.write(len(answer).to_bytes(4, "little") + answer)
        answers.flush()
