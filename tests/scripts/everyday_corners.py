"""Corners of the language and the library: texts of wrong calls, trees that are optimized, who names an attribute."""

import ast
import asyncio
import binascii
import gc
import itertools
import math
import os
import signal
import struct
import subprocess
import sys
import tokenize
import types
import unittest
import warnings
import weakref
from io import StringIO


def told(f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


# Wrong calls of natives.
assert told({}.__contains__) == "TypeError: dict.__contains__() takes exactly one argument (0 given)"
assert told({}.__delattr__) == "TypeError: expected 1 argument, got 0"
assert told(struct.pack, x=2) == "TypeError: _struct.pack() takes no keyword arguments"
assert told(math.sqrt) == "TypeError: math.sqrt() takes exactly one argument (0 given)"
assert told(staticmethod, func=id) == "TypeError: staticmethod() takes no keyword arguments"
assert told(next, x=2) == "TypeError: next() takes no keyword arguments"
assert told(min, 0, default=1, key=2, foo=3) == "TypeError: min() takes at most 2 keyword arguments (3 given)"
assert told(itertools.product, 0, repeat=1, foo=2) == "TypeError: product() takes at most 1 keyword argument (2 given)"
assert told("a".split, maxsplt=1).endswith("'maxsplt'. Did you mean 'maxsplit'?")
assert told(ImportError, namez=1).endswith("Did you mean 'name'?")
module = types.ModuleType("mod")
assert told(module) == "TypeError: 'module' object is not callable"
module.mod = print
assert told(module) == "TypeError: 'module' object is not callable. Did you mean: 'mod.mod(...)'?"


# Keywords that no constructor of a subclass takes.
for base in (tuple, list, float, set, frozenset, zip, map):
    sub = type("Sub", (base,), {})
    assert told(sub, nonsense=1).startswith("TypeError"), base
assert told(bool.__new__, str, 0) == "TypeError: bool.__new__(str): str is not a subtype of bool"


class Tagged(list):
    def __new__(cls, items, tag=None):
        self = super().__new__(cls, items)
        self.tag = tag
        return self


assert Tagged([1], tag=2) == [1] and Tagged([1], tag=2).tag == 2


# Whoever asked for an attribute is named, though the program's own hook does not.
class Hook:
    def __getattr__(self, name):
        raise AttributeError


for ask in (lambda o: o.gone, lambda o: o.gone(), lambda o: getattr(o, "gone")):
    hook = Hook()
    try:
        ask(hook)
    except AttributeError as error:
        assert error.name == "gone" and error.obj is hook


# Trees.
def dump(source, optimize):
    return ast.dump(ast.parse(source, optimize=optimize).body[0])


assert dump("__debug__", 0) == "Expr(value=Name(id='__debug__', ctx=Load()))"
assert dump("__debug__", 1) == "Expr(value=Constant(value=False))"
folded = "match a:\n case -1+2j: pass"
assert "MatchValue(value=Constant(value=(-1+2j)))" in dump(folded, 1)
assert "BinOp" in dump(folded, 0)
assert dump("def f():\n '''text'''", 2) == "FunctionDef(name='f', args=arguments(), body=[Pass()])"
assert dump("def f():\n '''text'''\n x", 2).endswith("body=[Expr(value=Name(id='x', ctx=Load()))])")
assert dump("'a%-5s%%%r' % (b, c)", 1).count("FormattedValue") == 2
assert dump("'%d' % (b,)", 1).count("FormattedValue") == 0
again = ast.parse(ast.parse(folded), optimize=1)
assert "Constant(value=(-1+2j))" in ast.dump(again)
assert told(ast.parse, ast.Constant(42)).startswith("TypeError: expected Module node, got Constant")
assert told(ast.parse, ast.Constant(42), optimize=2).startswith("TypeError")
tree = ast.parse("import x")
tree.body[0].names[0].name = "True"
assert told(compile, tree, "f", "exec") == "ValueError: identifier field can't represent 'True' constant"
tree = ast.parse("x")
tree.body[0].lineno = -5
assert told(compile, tree, "f", "exec").startswith("ValueError: AST node")
node = ast.parse("x").body[0].value
del node.id
assert told(node.__replace__) == "TypeError: Name.__replace__ missing 1 keyword argument: 'id'."
assert told(compile, "a" + "()" * 500_000, "f", "exec").startswith("RecursionError")

# An old joke.
flufl = "from __future__ import barry_as_FLUFL\n"
exec(flufl + "assert 1 <> 2 and '<>' == '<' + '>'")
assert "use '<>' instead of '!='" in told(compile, flufl + "1 != 2", "f", "exec")
assert "Maybe you meant '!=' instead of '<>'?" in told(compile, "1 <> 2", "f", "exec")
compile("from .__future__ import barry_as_FLUFL\n1 != 2", "f", "exec")
try:
    compile("from __future__ import nested_scopes, braces", "f", "exec")
except SyntaxError as error:
    assert (error.msg, error.offset) == ("not a chance", 39)

limit = sys.get_int_max_str_digits()
sys.set_int_max_str_digits(4000)
assert told(ast.literal_eval, "3" * 4001).startswith("SyntaxError: Exceeds the limit (4000")
sys.set_int_max_str_digits(limit)

with warnings.catch_warnings():
    warnings.simplefilter("error")
    assert '"\\z" is an invalid escape sequence. Did you mean' in told(compile, "'\\z'", "f", "exec")

# Without extra tokens, those of the parser.
tokens = list(tokenize._generate_tokens_from_c_tokenizer(StringIO("if x:\n  y\n").readline))
assert [(t.string, t.start, t.end) for t in tokens[3:5]] == [("", (1, 5), (1, 5)), ("", (2, -1), (2, -1))]
assert (tokens[-1].start, tokens[-2].start) == ((2, -1), (2, -1))

# Positions of stores and deletions of attributes on several lines.
code = compile("(\n a\n  .\n   b\n) = 1", "f", "exec")
assert (4, 4, 3, 4) in code.co_positions()


# Properties.
class Documented(property):
    """Of the class."""


def getter(self):
    """Of the getter."""


assert Documented(None, None, None, "given").__doc__ == "given"
assert Documented(getter).__doc__ == "Of the getter."
assert Documented(lambda self: 1).__doc__ is None
Slotted = type("Slotted", (property,), {"__slots__": ()})
assert Slotted(doc="lost").__doc__ is None
assert told(Slotted, getter).startswith("AttributeError")
assert told(property().__set_name__, 1) == "TypeError: __set_name__() takes 2 positional arguments but 1 were given"


# Containers that know the hashes of what they are made from.
class Counted(int):
    asked = 0

    def __hash__(self):
        Counted.asked += 1
        return int(self)


keys = dict.fromkeys(map(Counted, range(10)))
made = set(keys)
made.difference(keys)
dict.fromkeys(made)
dict.fromkeys(frozenset(keys), 1)
assert Counted.asked == 10

try:
    {}.update([1])
except TypeError as error:
    assert error.__notes__ == ["Cannot convert dictionary update sequence element #0 to a sequence"]

# Numbers.
assert math.copysign(1, math.nextafter(5e-324, -0.0)) == 1
assert math.copysign(1, math.nextafter(-5e-324, 0.0)) == -1
assert math.copysign(1, math.nextafter(-5e-324, 0.0, steps=2)) == 1


class Text(str):
    def __float__(self):
        return 9.0


assert float(Text("8")) == 9.0
assert told(binascii.a2b_uu, b"!!!!") == "Error: Trailing garbage"
assert binascii.a2b_uu(b"!>   \n") == b"x"

# Files and signals.
reader, writer = os.pipe()
assert told(signal.set_wakeup_fd, writer) == f"ValueError: the fd {writer} must be in non-blocking mode"
os.close(reader)
os.close(writer)
assert told(signal.set_wakeup_fd, writer).startswith("OSError")


class NoPath:
    __fspath__ = None


assert told(open, NoPath()) == "TypeError: expected str, bytes or os.PathLike object, not NoPath"
run = [sys.executable, "-X", "warn_default_encoding", "-c", f"open({os.devnull!r}).close()"]
assert b"EncodingWarning: 'encoding' argument not specified" in subprocess.run(run, capture_output=True).stderr


class Referenced:
    pass


referenced = Referenced()
assert "to 'Referenced' at" in repr(weakref.ref(referenced))
assert "to 'Referenced' at" in repr(weakref.proxy(referenced))

# What is dropped is finalized once gc.collect() has been called; what leads to others comes before them.
ended = []


class Nested:
    def __init__(self, inner, number):
        self.inner, self.number = inner, number

    def __del__(self):
        ended.append(self.number)


def nest():
    outer = None
    for number in range(20):
        outer = Nested(outer, number)


nest()
gc.collect()
assert sorted(ended) == list(range(20))
# Finalizers may be run within others where a collection comes between.
in_order = "skein-gc-stress" not in sys._xoptions
assert not in_order or ended == list(reversed(range(20))), ended


def delegating(depth):
    try:
        if depth:
            yield from delegating(depth - 1)
        else:
            yield
    finally:
        ended.append(depth)


def suspend():
    next(delegating(20))


ended.clear()
suspend()
gc.collect()
assert sorted(ended) == list(range(21)), ended


# asyncio: a subclass's own add_done_callback is called, tasks forget who waited for them in vain.
class Counting(asyncio.Future):
    added = 0

    def add_done_callback(self, *args, **kwargs):
        Counting.added += 1
        super().add_done_callback(*args, **kwargs)


async def waits():
    future = Counting()
    asyncio.get_running_loop().call_soon(future.set_result, 5)
    assert await future == 5
    sleeping = asyncio.ensure_future(asyncio.sleep(10))
    done, pending = await asyncio.wait([sleeping], timeout=0)
    assert pending == {sleeping} and not sleeping._asyncio_awaited_by
    sleeping.cancel()


asyncio.run(waits())
assert Counting.added


class Abstract(unittest.TestCase):
    __abstractmethods__ = frozenset({"test"})


assert unittest.defaultTestLoader.loadTestsFromTestCase(Abstract).countTestCases() == 0
