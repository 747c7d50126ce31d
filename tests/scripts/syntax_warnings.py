# Python 3.14
# What compile() takes besides text: flags, cookies, and what it warns of.

import __future__
import sys


def error(kind, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        return e
    raise AssertionError("no error")


# ---- a string is text already: cookies and marks in it say nothing

assert eval("# coding: no such\n'\xe4'") == "\xe4"
assert eval(b"# coding: latin-1\n'\xe4'") == "\xe4"
assert eval(b"\xef\xbb\xbf'\xc3\xa4'") == "\xe4"
assert error(SyntaxError, eval, b"# coding: no-such\n1").msg == "unknown encoding: no-such"
assert error(SyntaxError, eval, "\ufeff1").msg == "invalid non-printable character U+FEFF"
assert error(SyntaxError, eval, "1\0").msg == "source code string cannot contain null bytes"
error(UnicodeEncodeError, eval, "'\ud800'")

# ---- flags

code = compile("def f(x: unknown): ...", "?", "exec", __future__.annotations.compiler_flag)
space = {}
exec(code, space)
assert space["f"].__annotations__ == {"x": "unknown"}
assert error(ValueError, compile, "1", "?", "exec", 1).args[0] == "compile(): unrecognised flags"
waits = compile("await x", "?", "eval", 0x2000)
assert waits.co_flags & 0x80
assert error(SyntaxError, compile, "await x", "?", "eval").msg == "'await' outside function"
IncompleteInputError = [c for c in SyntaxError.__subclasses__() if c.__name__ == "_IncompleteInputError"][0]
for text in ("if x:", "def f():\n", "(1,", "'''a", "x = [", "def f(): pass"):
    error(IncompleteInputError, compile, text, "?", "single", 0x4000)
for text in ("1 +* 2", "x = )", "f(1 2)", "'a"):
    assert type(error(SyntaxError, compile, text, "?", "single", 0x4000)) is SyntaxError, text
for text in ("x = 1", "if x: pass\n", "if x:\n  pass\n", "def f():\n  pass", ""):
    try:
        compile(text, "?", "single", 0x4000)
    except SyntaxError:
        assert text == ""

# ---- warnings


class Stream:
    """Stands for sys.stderr."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def warned(text):
    stream, before = Stream(), sys.stderr
    sys.stderr = stream
    try:
        compile(text, "<file>", "exec")
    finally:
        sys.stderr = before
    return stream.text


for text, message in {
    r"'\d'": '"\\d" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\\\d"? A raw string is also an option.',
    r"'\777'": '"\\777" is an invalid octal escape sequence.',
    "x is 1": '"is" with \'int\' literal. Did you mean "=="?',
    "x is not 'a'": '"is not" with \'str\' literal. Did you mean "!="?',
    "assert (x, 'y')": "assertion is always true, perhaps remove parentheses?",
    "1(2)": "'int' object is not callable; perhaps you missed a comma?",
    "[1](2)": "'list' object is not callable; perhaps you missed a comma?",
    "'a'[(1, 2)]": "str indices must be integers or slices, not tuple; perhaps you missed a comma?",
    "(1)[2]": "'int' object is not subscriptable; perhaps you missed a comma?",
    "def f():\n try: pass\n finally: return": "'return' in a 'finally' block",
    "while 1:\n try: pass\n finally: break": "'break' in a 'finally' block",
    "for x in y:\n try: pass\n finally: continue": "'continue' in a 'finally' block",
}.items():
    assert f": SyntaxWarning: {message}" in warned(text), (text, warned(text))

for text in (
    r"r'\d'", r"'\n\x41\101\N{BULLET}'", "x is None", "x is ...", "x is y", "assert x, y", "assert ()", "f(2)",
    "x[1, 2]", "'a'[1]", "def f():\n try: pass\n finally:\n  def g(): return 1", "[1][0]", "(1, 2)[0]",
    "while 1:\n try: pass\n finally:\n  while 1: break",
):
    assert warned(text) == "", (text, warned(text))
