# Python 3.14
"""ast.parse, tokenize and tracebacks: what looks at source text."""

import ast
import io
import sys
import tokenize
import traceback

# Trees have the places that CPython gives, in bytes of UTF-8.
tree = ast.parse("é = f(x, *y, k=1)[0] if not z else [a for b in c if d]\n")
assign = tree.body[0]
assert (assign.lineno, assign.col_offset, assign.end_lineno, assign.end_col_offset) == (1, 0, 1, 55)
assert ast.dump(assign.value.test) == "UnaryOp(op=Not(), operand=Name(id='z', ctx=Load()))"
assert ast.unparse(tree) == "é = f(x, *y, k=1)[0] if not z else [a for b in c if d]"
assert ast.parse("a").body[0].value.ctx is ast.parse("b").body[0].value.ctx
assert isinstance(ast.parse("1", mode="eval"), ast.Expression)
assert isinstance(compile("1", "<f>", "single", ast.PyCF_ONLY_AST), ast.Interactive)
assert ast.literal_eval("{'a': (1, -2.5, 3j), b'': [None, True, ...], 'c': {1}}") == {
    "a": (1, -2.5, 3j),
    b"": [None, True, ...],
    "c": {1},
}


def places(source):
    return [
        (type(n).__name__, n.lineno, n.col_offset, n.end_lineno, n.end_col_offset)
        for n in ast.walk(ast.parse(source))
        if hasattr(n, "lineno")
    ]


# A decorated function begins at its `def`, the arguments of a lone generator are the call's parentheses,
# and a compound statement ends with the semicolon of its last line.
assert places("@d\ndef f(**k): pass;")[0] == ("FunctionDef", 2, 0, 2, 17)
assert ("GeneratorExp", 1, 1, 1, 15) in places("f(a for a in b)")
assert ("arg", 1, 8, 1, 9) in places("def f(**k): pass")
assert [p for p in places("if a: b\nelif c: d\nelse: e") if p[0] == "If"] == [("If", 1, 0, 3, 7), ("If", 2, 0, 3, 7)]

# f-strings: text is joined, `=` is text too.
values = ast.parse("'a' f'b{x=!r:>{w}}c' 'd'").body[0].value.values
assert [ast.unparse(v) if isinstance(v, ast.Constant) else type(v).__name__ for v in values] == [
    "'abx='",
    "FormattedValue",
    "'cd'",
]
assert ast.parse("f'{x=}'").body[0].value.values[1].conversion == ord("r")
assert ast.parse("u'a' 'b'").body[0].value.kind == "u"

# Depth is an error, never a crash.
for source in ["(" * 300 + ")" * 300, "-" * 100000 + "1", "a" + ".b" * 100000]:
    try:
        ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError):
        pass
try:
    ast.parse("f(")
except SyntaxError as e:
    assert e.msg == "'(' was never closed" and e.lineno == 1, e
else:
    raise AssertionError


# ---- tokens


def tokens(text):
    return [(tokenize.tok_name[t.exact_type], t.string) for t in tokenize.generate_tokens(io.StringIO(text).readline)]


assert tokens("if a:\n  b = 0x1f # c\n") == [
    ("NAME", "if"),
    ("NAME", "a"),
    ("COLON", ":"),
    ("NEWLINE", "\n"),
    ("INDENT", "  "),
    ("NAME", "b"),
    ("EQUAL", "="),
    ("NUMBER", "0x1f"),
    ("COMMENT", "# c"),
    ("NEWLINE", "\n"),
    ("DEDENT", ""),
    ("ENDMARKER", ""),
]
assert tokens("f'a{{b{x!r:>{w}}}}'")[:6] == [
    ("FSTRING_START", "f'"),
    ("FSTRING_MIDDLE", "a{"),
    ("FSTRING_MIDDLE", "b"),
    ("LBRACE", "{"),
    ("NAME", "x"),
    ("EXCLAMATION", "!"),
]
assert [s for _, s in tokens("1if 2else 3.e4j")] == ["1", "if", "2", "else", "3.e4j", "", ""]
assert tokens("a $ b")[1] == ("OP", "$")
last = list(tokenize.generate_tokens(io.StringIO("é = '''x\ny''' # z").readline))[2]
assert (last.start, last.end, last.line) == ((1, 4), (2, 4), "é = '''x\ny''' # z")

for text, error, message in [
    ("(", tokenize.TokenError, "unexpected EOF in multi-line statement"),
    ("'a", tokenize.TokenError, "unterminated string literal (detected at line 1)"),
    ("'''a\n", tokenize.TokenError, "EOF in multi-line string"),
    ("if a:\n   b\n  c\n", IndentationError, "unindent does not match any outer indentation level"),
    ("if a:\n\tb\n        c\n", TabError, "inconsistent use of tabs and spaces in indentation"),
    ("0b2", tokenize.TokenError, "invalid digit '2' in binary literal"),
]:
    try:
        tokens(text)
    except error as e:
        assert e.args[0] == message, e.args
    else:
        raise AssertionError(text)

with open(__file__, "rb") as f:
    assert tokenize.untokenize(tokenize.tokenize(f.readline)).decode() == open(__file__, encoding="utf-8").read()


# ---- positions agree


def broken():
    x = [1,
         {}["k"]]
    return x


try:
    broken()
except KeyError as e:
    text = traceback.format_exc()
    tb = e.__traceback__
    while tb:
        code = tb.tb_frame.f_code
        assert list(code.co_positions())[tb.tb_lasti // 2][0] == tb.tb_lineno
        lines = [line for start, end, line in code.co_lines() if start <= tb.tb_lasti < end]
        assert lines == [tb.tb_lineno], lines
        tb = tb.tb_next
assert text.splitlines()[-3:] == ['    {}["k"]]', "    ~~^^^^^", "KeyError: 'k'"], text

# Tools of sys.monitoring have names and callbacks.
sys.monitoring.use_tool_id(3, "test")
assert sys.monitoring.get_tool(3) == "test"
try:
    sys.monitoring.use_tool_id(3, "again")
except ValueError as e:
    assert str(e) == "tool 3 is already in use"
else:
    raise AssertionError
assert sys.monitoring.register_callback(3, sys.monitoring.events.LINE, print) is None
assert sys.monitoring.register_callback(3, sys.monitoring.events.LINE, None) is print
sys.monitoring.free_tool_id(3)
assert sys.monitoring.get_tool(3) is None

# ---- code of trees

PLACE = dict(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)


def run(source):
    """What a source prints and means, by way of a tree that went through objects."""
    space = {}
    exec(compile(ast.parse(source), "<tree>", "exec"), space)
    return space


space = run(
    '''
"""doc"""
import sys as system
from os.path import join, sep as separator
def deco(f): return f
@deco
def f(a, b=2, /, c: int = 3, *d, e, g=5, **h) -> str:
    "doc of f"
    return a, b, c, d, e, g, h
class C[T: int](dict, metaclass=type):
    x: int = 1
    def m(self): return __class__, [y for y in (1, 2) if (z := y)], z
async def co():
    async with a as b: pass
    async for i in j: await k
def g():
    try: yield 1
    except (KeyError, ValueError) as e: raise e from None
    else: yield from ()
    finally: pass
def m(v):
    match v:
        case {"k": [1, *rest], **more} if rest: return rest, more
        case C(x=3) | None: return "C"
        case -1 | 2.5 | "s" | b"b": return "literal"
        case (a, b) as both: return a, b, both
        case _: return "other"
def loops():
    out = []
    for i in range(3):
        if i == 0: continue
        elif i == 1: out.append("one")
        else: break
    else: out.append("no")
    while False: pass
    else: out.append("else")
    del i
    return out
type A[X] = list[X]
w = 10
text = f"{w!r:>{w}}|{w=}" f"{'x'}"
t = t"{w:>3} a"
v = w if not w == 3 < 4 else lambda: 1
big, neg, cx, sur = 2**80, -5, 1e3 + 2j, "\\ud800"
sl = [1, 2, 3, 4][1:3:1], {**{1: 2}, 3: 4}, {1, 2}, [*range(2)], (w, *[1])
'''
)
assert space["__doc__"] == "doc" and space["f"].__doc__ == "doc of f" and space["f"].__code__.co_firstlineno == 6
assert space["f"](1, e=4, z=6) == (1, 2, 3, (), 4, 5, {"z": 6})
assert space["f"].__annotations__ == {"c": int, "return": str}
assert space["C"]().m() == (space["C"], [1, 2], 2) and space["C"].__type_params__[0].__bound__ is int
assert list(space["g"]()) == [1]
m = space["m"]
assert [m({"k": [1, 2], "o": 3}), m(None), m(-1), m((1, 2)), m(4)] == [
    ([2], {"o": 3}),
    "C",
    "literal",
    (1, 2, (1, 2)),
    "other",
]
assert space["loops"]() == ["one", "else"]
assert space["text"] == "        10|w=10x"
assert (space["t"].strings, space["t"].interpolations[0].expression) == (("", " a"), "w")
assert (space["big"], space["neg"], space["cx"], space["sur"]) == (2**80, -5, 1e3 + 2j, "\ud800")
assert space["sl"] == ([2, 3], {1: 2, 3: 4}, {1, 2}, [0, 1], (10, 1))
assert space["A"].__value__ == list[space["A"].__type_params__[0]]

# The code of this very file is the same by way of a tree.
with open(__file__, encoding="utf-8") as f:
    source = f.read()


def codes(code):
    yield code.co_name, code.co_firstlineno, code.co_varnames, code.co_code
    for c in code.co_consts:
        if hasattr(c, "co_code"):
            yield from codes(c)


assert list(codes(compile(source, "f", "exec"))) == list(codes(compile(ast.parse(source), "f", "exec")))


# Made by hand, transformed, and unparsed.
class Doubler(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant(node.value * 2), node)


doubled = Doubler().visit(ast.parse("(1, 'a', [2.5])", mode="eval"))
assert eval(compile(ast.fix_missing_locations(doubled), "<t>", "eval")) == (2, "aa", [5.0])
constant = ast.Expression(ast.Constant((1, frozenset([2]), None, ..., b"b", 3j, "\ud800", 2**70), **PLACE))
assert eval(compile(constant, "<t>", "eval")) == (1, frozenset([2]), None, ..., b"b", 3j, "\ud800", 2**70)
assert eval(compile(ast.Expression(ast.Constant(-(2**70), **PLACE)), "<t>", "eval")) == -(2**70)
formatted = ast.Expression(ast.FormattedValue(ast.Constant(1.5, **PLACE), ord("r"), **PLACE))
assert eval(compile(formatted, "<t>", "eval")) == "1.5"


def refused(tree, error, text, mode="eval"):
    try:
        compile(tree, "<t>", mode)
    except error as e:
        assert str(e) == text, e
    else:
        raise AssertionError(text)


one = ast.Constant(1, **PLACE)
refused(ast.Module([], []), TypeError, "expected Expression node, got Module")
refused(ast.Expression(ast.Constant(1)), TypeError, 'required field "lineno" missing from expr')
refused(ast.Expression(ast.Constant([], **PLACE)), TypeError, "got an invalid type in Constant: list")
refused(ast.Expression(ast.Name("None", ast.Load(), **PLACE)), ValueError, "identifier field can't represent 'None' constant")
refused(
    ast.Expression(ast.Name("a", ast.Store(), **PLACE)),
    ValueError,
    "expression must have Load context but has Store instead",
)
refused(ast.Expression(ast.BoolOp(ast.And(), [one], **PLACE)), ValueError, "BoolOp with less than 2 values")
refused(ast.Expression(ast.UnaryOp(ast.Add(), one, **PLACE)), TypeError, "expected some sort of unaryop, but got Add()")
refused(ast.Module([ast.If(one, [], [], **PLACE)], []), ValueError, "empty body on If", "exec")
refused(ast.Module([None], []), ValueError, "None disallowed in statement list", "exec")
refused(ast.Module([ast.Return(**PLACE)], []), SyntaxError, "'return' outside function (<t>, line 1)", "exec")
endless = ast.UnaryOp(ast.Not(), one, **PLACE)
endless.operand = endless
try:
    compile(ast.Expression(endless), "<t>", "eval")
except RecursionError:
    pass
else:
    raise AssertionError
deep = one
for _ in range(100000):
    deep = ast.UnaryOp(ast.Not(), deep, **PLACE)
try:
    compile(ast.Expression(deep), "<t>", "eval")
except RecursionError:
    pass
