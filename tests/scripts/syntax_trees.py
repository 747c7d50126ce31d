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
