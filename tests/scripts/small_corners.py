# Python 3.14
"""Corners of texts and attributes that programs compared with CPython have shown."""

import _thread
import codecs
import collections
import copy
import functools
import inspect
import signal
import struct


def raises(exception, text, f, *args):
    try:
        f(*args)
    except exception as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"no {exception.__name__}")


class Own:
    __slots__ = ()

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


class Slotted:
    __slots__ = ()


def test_texts():
    raises(TypeError, "must be str, not NoneType", "a".partition, None)
    raises(TypeError, "find() argument 1 must be str, not None", "a".find, None)
    raises(TypeError, "must be a string or a number, not collections.deque", complex, collections.deque())
    raises(AttributeError, "'Slotted' object has no attribute 'x' and no __dict__", setattr, Slotted(), "x", 1)
    try:
        Own().x = 1
    except AttributeError as e:
        assert str(e) == "'Own' object has no attribute 'x'"

    class Bad:
        def __repr__(self):
            return 3

    raises(TypeError, "__str__ returned non-string (type int)", str, Bad())
    raises(TypeError, "__repr__ returned non-string (type int)", repr, Bad())


def test_sets():
    # The other set gives the items, unless it is the larger one.
    assert repr({True} & {1}) == "{1}" and repr({1, 2} & {True}) == "{True}" and repr({True} & {1, 2}) == "{True}"


def test_wrappers():
    class A:
        @classmethod
        def f(cls, x: int) -> str: ...

        @staticmethod
        def g(y: int): ...

    f = A.__dict__["f"]
    assert f.__annotations__ == {"x": int, "return": str} and A.__dict__["g"].__annotations__ == {"y": int}
    f.__annotations__ = {}
    assert f.__annotations__ == {} and A.f.__annotations__ == {"x": int, "return": str}
    p = functools.partial(print, 1, sep="")
    p.kept = []
    q = copy.copy(p)
    assert q.args is p.args and q.kept is p.kept
    q.__setstate__((len, (), None, None))
    assert q([1]) == 1 and q.__dict__ == {}
    raises(TypeError, "invalid partial state", q.__setstate__, (len, (), {}, ()))
    assert str(inspect.signature(functools.partial)) == "(func, /, *args, **keywords)"


def test_codecs_tell():
    def fail(*args):
        raise RuntimeError("no")

    codecs.register(lambda name: codecs.CodecInfo(fail, fail, name=name) if name == "failing" else None)
    for operation, f in (("encoding", "x".encode), ("decoding", b"x".decode)):
        try:
            f("failing")
        except RuntimeError as e:
            assert e.__notes__ == [f"{operation} with 'failing' codec failed"]


def test_packing():
    raises(OverflowError, "float too large to pack with f format", struct.pack, "f", 3.5e38)
    assert struct.pack("300p", b"x" * 299)[0] == 255 and struct.pack("300p", b"x" * 299)[299] == ord("x")
    assert repr(struct.Struct("<i")) == "Struct('<i')"


def test_ordered():
    od = collections.OrderedDict.fromkeys(iterable="ab", value=1)
    assert od.pop(key="a") == 1 and od.setdefault(key="c", default=2) == 2 and list(od) == ["b", "c"]


def test_interrupt():
    # The main thread takes its own signal within the call. Who is started in the background ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _thread.interrupt_main()
        raise AssertionError("gone on")
    except KeyboardInterrupt:
        pass


for test in (test_texts, test_sets, test_wrappers, test_codecs_tell, test_packing, test_ordered, test_interrupt):
    test()
