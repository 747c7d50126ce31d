"""Corners of builtin types and of modules in Rust: what changes under way, what is no instance of what it should be."""
import codecs
import collections
import contextvars
import copy
import heapq
import io
import itertools
import json
import math
import os
import random
import re
import select
import sys
import types
import unicodedata
import weakref
import zlib


def raised(kind, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        return str(e)
    raise AssertionError(f"{kind} not raised by {f}")


# An entry that is deleted and put back during an iteration is a further one.
for view in (lambda d: d, dict.values, dict.items):
    d = {0: 0}

    def change():
        for _ in view(d):
            del d[0]
            d[0] = 0

    assert raised(RuntimeError, change) == "dictionary keys changed during iteration"
d = {i: i for i in range(30)}
for i in range(25):
    del d[29 - i]
assert d.popitem() == (4, 4) and list(d) == [0, 1, 2, 3]
d["a"] = 1
assert list(d) == [0, 1, 2, 3, "a"] and d.popitem() == ("a", 1)
d.clear()
for i in range(1000):
    d[i] = i
    del d[i]
    assert not d and list(d) == []
d[1] = 2
assert d == {1: 2} and list(reversed(d)) == [1]
order = collections.OrderedDict.fromkeys("abc")
order.move_to_end("a")
del order["a"]
order["a"] = 1
assert list(order) == ["b", "c", "a"]


class Counting:
    compared = 0

    def __hash__(self):
        return 42

    def __eq__(self, other):
        Counting.compared += 1
        return self is other


d = {Counting(): 5}
d.setdefault(Counting(), [])
assert Counting.compared == 1, Counting.compared
calls = 0


def factory():
    global calls
    calls += 1
    mine = calls
    if mine == 1:
        nested["key"]
    return mine


nested = collections.defaultdict(factory)
assert nested["key"] == 2 and calls == 2

# bytearray: an empty value deletes an extended slice; what `__buffer__` does to the array.
b = bytearray(range(10))
b[1:-1:2] = b""
assert b == bytes([0, 2, 4, 6, 8, 9]), b
with memoryview(b):
    raised(BufferError, b.__setitem__, slice(1, -1, 2), b"")


class Changing:
    def __init__(self, change):
        self.change = change

    def __buffer__(self, flags):
        self.change()
        return memoryview(b"ABC")


b = bytearray(b"x" * 10)
b.extend(Changing(b.clear))
assert b == b"ABC"
b = bytearray(b"x" * 4)
b.extend(Changing(lambda: b.extend(b"yy")))
assert b == b"xxxxABCyy", b

# Exception groups show what they were made of.
excs = [ValueError(1), TypeError(2)]
group = ExceptionGroup("test", excs)
excs.clear()
assert repr(group) == "ExceptionGroup('test', [ValueError(1), TypeError(2)])" and group.args == ("test", [])
excs = collections.deque([ValueError(1)])
group = ExceptionGroup("test", excs)
excs.clear()
assert repr(group) == "ExceptionGroup('test', deque([ValueError(1)]))"
group = ExceptionGroup("msg", [ValueError()])
group.args = ()
assert repr(group) == "ExceptionGroup('msg', (ValueError(),))"

# Unions compare what has a hash with what has one.
class Meta(type):
    hashable = False

    def __hash__(self):
        if not Meta.hashable:
            raise TypeError("not hashable")
        return 1


class A(metaclass=Meta):
    pass


class B(metaclass=Meta):
    pass


union = A | B
assert raised(TypeError, hash, union) == "not hashable"
Meta.hashable = True
assert raised(TypeError, hash, union) == "union contains 2 unhashable elements"


class BadType(type):
    def __eq__(self, other):
        return 1 / 0


bad, bad2 = BadType("bad", (), {}), BadType("bad2", (), {})
one, two = int | bad, int | bad2
raised(ZeroDivisionError, lambda: one == two)
raised(ZeroDivisionError, lambda: bad | bad2)
assert int | str == str | int and hash(int | str) == hash(str | int) and (int | str) != (int | bytes)
assert (int | str | int).__args__ == (int, str)

# UnicodeErrors: positions as they were set, and an object that goes away under way.
u = UnicodeEncodeError("baz", "xxxxx", 1, 5, "foo")
u.start, u.encoding = 1000, 4000
assert str(u) == "'4000' codec can't encode characters in position 1000-4: foo"
u.start, u.end = 1, 2
assert str(u) == "'4000' codec can't encode character '\\x78' in position 1: foo"


class Evil(str):
    def __str__(self):
        del u.object
        return self


u = UnicodeDecodeError("utf-8", b"x", 0, 1, Evil("reason"))
raised(TypeError, str, u)

# What goes wrong while an exception is made is thrown.
class NoException(Exception):
    def __new__(cls, *args):
        return cls


def generator():
    yield


g = generator()
next(g)
assert "should have returned an instance of BaseException" in raised(TypeError, g.throw, NoException)
assert next(g, "ended") == "ended"


def waits():
    seen.append(outer.gi_yieldfrom)
    yield


def delegates():
    yield from waits()


seen = []
outer = delegates()
next(outer)
assert seen == [None] and outer.gi_yieldfrom.gi_code.co_name == "waits"

# Sums of products: floats with ints and bools, then others.
assert math.sumprod([0.1] * 20, [True, False] * 10) == 1.0
assert math.sumprod([-5, -5, 10], [1.5, 4611686018427387904, 2305843009213693952]) == 0.0
assert math.sumprod([1, 2], [3, 4]) == 11 and type(math.sumprod([1, 2], [3, 4])) is int
assert math.sumprod([1.0, 10e100, 1.0, -10e100], [1.0] * 4) == 2.0
assert math.isnan(math.sumprod([math.inf, -math.inf], [1.0, 1.0]))
assert math.sumprod([1e308, 1e308], [10.0, -10.0]) != 0

# Heaps that comparisons change.
class Clearing(int):
    def __lt__(self, other):
        heap.clear()
        return NotImplemented


heap = []
heapq.heappush(heap, Clearing(0))
raised(RuntimeError, heapq.heappush, heap, Clearing(1))

# Things by name, number and index.
fields = collections.namedtuple("Point", "x y")
assert re.fullmatch(r"_tuplegetter\(0, 'Alias for field number 0'\)", repr(fields.x)), repr(fields.x)


class Named:
    __name__ = "name"


class Config(dict):
    def __getattr__(self, name):
        return self[name]


config = Config(a=1)
assert repr(weakref.ref(config)).split("to ")[1].startswith("'Config' at")
named = Named()
assert repr(weakref.ref(named)).endswith(" (name)>")
raised(TypeError, codecs.escape_encode, bytearray(b"x"))
assert codecs.lookup("UTF---8").name == "utf-8" and codecs.lookup("utf\xe9-8").name == "utf-8"
raised(TypeError, int.__new__, bool, 0)


class Unhashable(str):
    __hash__ = None


raised(TypeError, contextvars.ContextVar, Unhashable("x"))


class Deque(collections.deque):
    pass


d = Deque()
Deque.__new__ = lambda cls, *args: [42]
assert raised(TypeError, lambda: d * 42) == "Deque() must return a deque, not list"


class Chain(itertools.chain):
    pass


raised(TypeError, Chain, [1], newarg=3)


class Endless:
    def __getitem__(self, i):
        return i


it = iter(Endless())
it.__setstate__(sys.maxsize - 1)
assert next(it) == sys.maxsize - 1
raised(OverflowError, next, it)
raised(OverflowError, next, it)


class Space(types.SimpleNamespace):
    def __new__(cls, *args, **kwargs):
        return 12345 if made else super().__new__(cls)


made = False
space = Space()
made = True
assert raised(TypeError, copy.replace, space).endswith("Space() returned 'int' object")
assert raised(json.JSONDecodeError, json.loads, r'"\u0041').startswith("Unterminated string")
raised(ValueError, random.getrandbits, -1 << 1000)
raised(OverflowError, random.getrandbits, 1 << 1000)
assert os.makedev(os.major(259), os.minor(259)) == 259
assert os.major(-1) == os.minor(-1) == os.makedev(-1, -1) == -1
raised((ValueError, OverflowError), os.makedev, 2**32, 0)
raised(TypeError, re.compile(".").sub, b"b", "c")
raised(TypeError, re.compile(b".").sub, "b", b"c")
assert re.sub("b", "x", "abc") == "axc" and re.sub(b"b", b"x", b"abc") == b"axc"
assert unicodedata.lookup("tangut ideograph-18d08") == "\U00018d08"
raised(KeyError, unicodedata.lookup, "TANGUT IDEOGRAPH-18D09")
raised(KeyError, unicodedata.lookup, "TANGUT IDEOGRAPH-017000")
r, w = os.pipe()


class Shrinking:
    def fileno(self):
        del many[-1]
        return w


many = [Shrinking() for _ in range(10)]
assert len(select.select([], many, [])[1]) == 5
os.close(r)
os.close(w)
for wrong in (lambda: select.epoll(0), lambda: select.epoll(-2), lambda: select.epoll(sizehint=-2)):
    raised(ValueError, wrong)
for wrong in (lambda: select.epoll(1, 2, 3), lambda: select.epoll("x"), lambda: select.epoll(nothing=1)):
    raised(TypeError, wrong)
raised(OSError, lambda: select.epoll(flags=12356))
select.epoll(5, flags=select.EPOLL_CLOEXEC).close()
poll = select.poll()
raised(ValueError, poll.register, 0, -1)
raised(OverflowError, poll.register, 0, 1 << 64)
raised(OverflowError, poll.register, 0, 1 << 16)

# What pickling asks of a type is not asked of `__getattr__`.
class Picky:
    def __getattr__(self, name):
        assert name not in ("__getnewargs__", "__getnewargs_ex__"), name
        raise AttributeError(name)


assert Picky().__reduce_ex__(2)[1] == (Picky,)
raised(AttributeError, setattr, Picky.__dict__.get("x", property()), "fget", 42)
whole = zlib.decompressobj()
whole.decompress(zlib.compress(b"x" * 100))
whole.flush()
raised(ValueError, whole.copy)
raised(TypeError, io.StringIO().__setstate__, (1, "", 0, {}))

# Who is told that a code begins can ask for its first line.
told = []


def begins(code, offset):
    if code.co_filename == "<first line>":
        sys.monitoring.set_local_events(3, code, sys.monitoring.events.LINE)


sys.monitoring.use_tool_id(3, "lines")
sys.monitoring.register_callback(3, sys.monitoring.events.PY_START, begins)
sys.monitoring.register_callback(3, sys.monitoring.events.LINE, lambda code, line: told.append((code.co_name, line)))
sys.monitoring.set_events(3, sys.monitoring.events.PY_START)
exec(compile("x = 1\ndef f():\n    y = 2\n    return y\nf()\ndef g():\n    yield 1\nlist(g())\n", "<first line>", "exec"), {})
sys.monitoring.set_events(3, 0)
sys.monitoring.free_tool_id(3)
name = "<module>"
assert told == [(name, 1), (name, 2), (name, 5), ("f", 3), ("f", 4), (name, 6), (name, 8), ("g", 7)], told
