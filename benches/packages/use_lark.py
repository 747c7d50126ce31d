# pip install lark
from lark import Lark, Transformer, UnexpectedCharacters, v_args

GRAMMAR = """
?start: sum
?sum: product | sum "+" product -> add | sum "-" product -> sub
?product: atom | product "*" atom -> mul
?atom: NUMBER -> number | "-" atom -> neg | "(" sum ")"
%import common.NUMBER
%import common.WS_INLINE
%ignore WS_INLINE
"""


@v_args(inline=True)
class Calc(Transformer):
    from operator import add, mul, neg, sub

    number = float


for parser in ("lalr", "earley"):
    tree = Lark(GRAMMAR, parser=parser).parse("1 + 2 * -(3 - 4)")
    print(Calc().transform(tree))
print(tree.pretty())
try:
    Lark(GRAMMAR, parser="lalr").parse("1 + ?")
except UnexpectedCharacters as e:
    print(e.line, e.column, sorted(e.allowed))
