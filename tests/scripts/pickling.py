"""`pickle` in Rust: each protocol, hooks, broken pickles, errors that say where they are."""
import _pickle
import collections
import copyreg
import io
import pickle
import sys
import time

assert pickle.Pickler is _pickle.Pickler and pickle.loads is _pickle.loads
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def raised(kind, text, f, *args, notes=None, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text in str(e), e
        if notes is not None:
            assert getattr(e, "__notes__", []) == notes, e.__notes__
        return e
    raise AssertionError("no error")


class Plain:
    def __init__(self, x=None):
        self.x = x

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    class Inner:
        pass

    def method(self):
        return self.x


class Slots:
    __slots__ = ("a", "b")


class WithNew:
    def __new__(cls, a, *, b):
        self = super().__new__(cls)
        self.ab = a, b
        return self

    def __getnewargs_ex__(self):
        return (self.ab[0],), {"b": self.ab[1]}


class Stateful:
    def __getstate__(self):
        return "state"

    def __setstate__(self, state):
        self.state = state


class MyList(list):
    pass


class MyDict(dict):
    pass


Point = collections.namedtuple("Point", "x y")

VALUES = [
    None, True, False, ..., NotImplemented, 0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**70, -(2**70), 10**700, 1.5,
    -0.0, 2j, "", "a", "\0\n\r\\\x1a é ሴ 𒍅", "x" * 300, "y" * 70000, b"", b"\xff\0", b"z" * 70000, bytearray(b"abc"),
    bytearray(), (), (1,), (1, 2), (1, 2, 3), tuple(range(5)), [], [1], list(range(2500)), {}, {1: 2},
    {i: str(i) for i in range(2500)}, set(), {1}, set(range(2500)), frozenset(), frozenset("ab"), range(3), slice(1, 2),
    Plain(3), Plain([Plain({})]), int, Plain, Plain.Inner, len, Point(1, 2), MyList([1, 2]), MyDict(a=1),
    collections.OrderedDict(b=1, a=2), collections.Counter("abca"), ValueError("text", 3), type(None), type(...),
]


def same(a, b):
    return a == b and type(a) is type(b)


def round_trips():
    for protocol in PROTOCOLS:
        for value in VALUES:
            data = pickle.dumps(value, protocol)
            back = pickle.loads(data)
            if isinstance(value, Exception):
                assert type(back) is type(value) and back.args == value.args
            else:
                assert same(back, value), (protocol, value, back)
            # The form is that of the library's own class, which has no other way to cut frames.
            f = io.BytesIO()
            pickle.dump(value, f, protocol)
            f.write(b"rest")
            f.seek(0)
            back = pickle.load(f)
            assert isinstance(value, Exception) or same(back, value)
            assert f.read() == b"rest"
            slow = io.BytesIO()
            pickle._Pickler(slow, protocol).dump(value)
            assert isinstance(value, Exception) or same(pickle.loads(slow.getvalue()), value)
            assert isinstance(value, Exception) or same(pickle._loads(data), value)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        s = Slots()
        s.a = 1
        back = pickle.loads(pickle.dumps(s, protocol))
        assert back.a == 1 and not hasattr(back, "b")
        assert pickle.loads(pickle.dumps(WithNew(1, b=2), protocol)).ab == (1, 2)
        assert pickle.loads(pickle.dumps(Stateful(), protocol)).state == "state"
    bound = pickle.loads(pickle.dumps(Plain(7).method))
    assert bound() == 7
    now = time.gmtime(0)
    back = pickle.loads(pickle.dumps(now))
    assert back == now and (back.tm_zone, back.tm_gmtoff) == (now.tm_zone, now.tm_gmtoff)


def sharing():
    for protocol in PROTOCOLS:
        a = []
        a.append(a)
        back = pickle.loads(pickle.dumps(a, protocol))
        assert back[0] is back
        t = ([],)
        t[0].append(t)
        back = pickle.loads(pickle.dumps(t, protocol))
        assert back[0][0] is back and type(back) is tuple
        d = {}
        d[1] = d
        back = pickle.loads(pickle.dumps(d, protocol))
        assert back[1] is back
        p = Plain()
        p.x = p
        back = pickle.loads(pickle.dumps(p, protocol))
        assert back.x is back
        s = "".join(["sha", "red"])
        x, y = pickle.loads(pickle.dumps([s, s], protocol))
        assert x is y
    many = [str(i) for i in range(300)]
    assert pickle.loads(pickle.dumps([many, many], 2))[1][299] == "299"


def hooks():
    class Own(pickle.Pickler):
        def persistent_id(self, v):
            return ("id", v.x) if isinstance(v, Plain) else super().persistent_id(v)

        def reducer_override(self, v):
            return (str, ("overridden",)) if v is Slots else NotImplemented

    class OwnUn(pickle.Unpickler):
        def persistent_load(self, pid):
            return pid[1]

        def find_class(self, module, name):
            seen.append((module, name))
            return super().find_class(module, name)

    seen = []
    f = io.BytesIO()
    Own(f).dump([Plain(1), Slots, int])
    assert OwnUn(io.BytesIO(f.getvalue())).load() == [1, "overridden", int]
    assert ("builtins", "int") in seen
    raised(pickle.UnpicklingError, "A load persistent id instruction was encountered", pickle.loads, f.getvalue())
    f = io.BytesIO()
    p = pickle.Pickler(f)
    p.persistent_id = lambda v: "p" if v == 5 else None
    p.dump([5, 6])
    u = pickle.Unpickler(io.BytesIO(f.getvalue()))
    u.persistent_load = lambda pid: pid * 2
    assert u.load() == ["pp", 6]
    f = io.BytesIO()
    p = pickle.Pickler(f)
    p.dispatch_table = {Plain: lambda v: (Plain, ("from table",))}
    p.dump(Plain(1))
    assert pickle.loads(f.getvalue()).x == "from table"
    # State by a function of its own.
    class Set:
        def __reduce__(self):
            return Plain, (), {"x": 9}, None, None, set_state

    assert pickle.loads(pickle.dumps(Set())).x == {"x": 9}
    copyreg.add_extension("__main__", "Plain", 0x1234)
    try:
        for protocol in PROTOCOLS:
            data = pickle.dumps(Plain, protocol)
            assert pickle.loads(data) is Plain and (protocol < 2 or b"\x83\x34\x12" in data)
    finally:
        copyreg.remove_extension("__main__", "Plain", 0x1234)
    raised(ValueError, "unregistered extension code 5", pickle.loads, b"\x82\x05.")


def set_state(v, state):
    v.x = state


def memos():
    f = io.BytesIO()
    p = pickle.Pickler(f)
    x = [1]
    p.dump(x)
    first = f.tell()
    p.dump(x)
    assert f.tell() - first < first
    assert p.memo.copy() == {id(x): (0, x)}
    p.clear_memo()
    assert p.memo.copy() == {}
    u = pickle.Unpickler(io.BytesIO(f.getvalue()))
    assert u.load() is u.load()
    assert u.memo.copy() == {0: [1]}
    u.memo = {0: "zero"}
    raised(TypeError, "memo key must be integers", setattr, u, "memo", {"a": 1})
    raised(ValueError, "memo key must be positive integers.", setattr, u, "memo", {-1: 1})
    raised(TypeError, "'memo' attribute must be a PicklerMemoProxy object or dict, not int", setattr, p, "memo", 3)
    for protocol in (0, 1, 2):
        data = b"(lp1000000000\ng1000000000\na0g1000000000\n."
        back = pickle.loads(data)
        assert back[0] is back


def buffers():
    b = bytearray(b"abc" * 10)
    kept = []
    data = pickle.dumps([pickle.PickleBuffer(b), b"x"], 5, buffer_callback=kept.append)
    assert len(kept) == 1 and bytes(kept[0].raw()) == bytes(b) and b"abc" not in data
    back = pickle.loads(data, buffers=[b])
    assert back[0] is b
    assert pickle.loads(pickle.dumps(pickle.PickleBuffer(b), 5)) == b
    assert pickle.loads(pickle.dumps(pickle.PickleBuffer(bytes(b)), 5)) == bytes(b)
    back = pickle.loads(b"\x97\x98.", buffers=[b])
    assert back.readonly and bytes(back) == bytes(b)
    raised(pickle.PicklingError, "PickleBuffer can only be pickled with protocol >= 5", pickle.dumps, pickle.PickleBuffer(b), 4)
    raised(pickle.UnpicklingError, "not enough out-of-band buffers", pickle.loads, data, buffers=[])
    raised(pickle.UnpicklingError, "no *buffers* argument was given", pickle.loads, b"\x97.", buffers=None)
    p = pickle.PickleBuffer(memoryview(b"abcdef")[::2])
    raised(BufferError, "cannot extract raw buffer from non-contiguous buffer", p.raw)
    raised(pickle.PicklingError, "non-contiguous", pickle.dumps, p, 5)
    p.release()
    raised(ValueError, "operation forbidden on released PickleBuffer object", p.raw)
    raised(TypeError, "a bytes-like object is required, not 'int'", pickle.PickleBuffer, 3)


class Reduces:
    def __init__(self, v):
        self.v = v

    def __reduce__(self):
        return self.v


def errors():
    for v, text in [
        (3, "__reduce__ must return a string or tuple, not int"),
        ((), "tuple returned by __reduce__ must contain 2 through 6 elements"),
        ((3, ()), "first item of the tuple returned by __reduce__ must be callable, not int"),
        ((print, 3), "second item of the tuple returned by __reduce__ must be a tuple, not int"),
        ((print, (), None, 3), "fourth item of the tuple returned by __reduce__ must be an iterator, not int"),
        ((print, (), None, None, 3), "fifth item of the tuple returned by __reduce__ must be an iterator, not int"),
        ((print, (), None, None, None, 3), "sixth item of the tuple returned by __reduce__ must be callable, not int"),
        ((copyreg.__newobj__, ()), "__newobj__ expected at least 1 argument, got 0"),
        ((copyreg.__newobj__, (3,)), "first argument to __newobj__() must be a class, not int"),
        ((copyreg.__newobj__, (int,)), "first argument to __newobj__() must be <class '__main__.Reduces'>, not <class 'int'>"),
        ((copyreg.__newobj_ex__, (1,)), "__newobj_ex__ expected 3 arguments, got 1"),
        ((copyreg.__newobj_ex__, (Reduces, 2, {})), "second argument to __newobj_ex__() must be a tuple, not int"),
        ((copyreg.__newobj_ex__, (Reduces, (), 3)), "third argument to __newobj_ex__() must be a dict, not int"),
    ]:
        raised(pickle.PicklingError, text, pickle.dumps, Reduces(v), 2, notes=["when serializing Reduces object"])
    lost = lambda: 1
    text = "it's not found as __main__.<lambda>" if lost.__qualname__ == "<lambda>" else "Can't pickle local object"
    raised(pickle.PicklingError, text, pickle.dumps, {1: [(lost,)]}, notes=[
        "when serializing tuple item 0", "when serializing list item 0", "when serializing dict item 1"])
    e = raised(pickle.PicklingError, "it's not found as __main__.nope", pickle.dumps, Reduces("nope"))
    assert type(e.__context__) is AttributeError
    raised(TypeError, "cannot pickle 'generator' object", pickle.dumps, (i for i in ()))
    raised(TypeError, "file must have a 'write' attribute", pickle.Pickler, 3)
    raised(TypeError, "file must have 'read' and 'readline' attributes", pickle.Unpickler, 3)
    raised(ValueError, "pickle protocol must be <= 5", pickle.dumps, 1, 6)
    raised(ValueError, "buffer_callback needs protocol >= 5", pickle.dumps, 1, 4, buffer_callback=print)
    for class_, name in ((pickle.Pickler, "dump"), (pickle.Unpickler, "load")):
        o = class_.__new__(class_)
        raised(pickle.PickleError, "__init__() was not called by", getattr(o, name), *([1] if name == "dump" else []))
    f = io.BytesIO()
    p = pickle.Pickler(f)

    class Again:
        def __reduce__(self):
            raised(RuntimeError, "Pickler object is already used", p.dump, 1)
            raised(RuntimeError, "Pickler object is already used", p.__init__, f)
            return list, ()

    p.dump(Again())
    assert pickle.loads(f.getvalue()) == []
    changing = {1: None, 2: None}

    class Changes:
        def __reduce__(self):
            changing[len(changing) + 1] = 1
            return list, ()

    changing[1] = Changes()
    raised(RuntimeError, "dictionary changed size during iteration", pickle.dumps, changing)
    deep = []
    for _ in range(200000):
        deep = [deep]
    raised(RecursionError, "", pickle.dumps, deep)


def broken():
    E = pickle.UnpicklingError
    for data, kind, text in [
        (b"", EOFError, "Ran out of input"),
        (b"\x80\x63.", ValueError, "unsupported pickle protocol: 99"),
        (b"I12", E, "pickle data was truncated"),
        (b".", E, "unpickling stack underflow"),
        (b"1.", E, "could not find MARK"),
        (b"(.", E, "unexpected MARK found"),
        (b"\0", E, "invalid load key, '\\x00'."),
        (b"?", E, "invalid load key, '?'."),
        (b"h\5.", E, "Memo value not found at index 5"),
        (b"Ix\n.", ValueError, "could not convert string to int"),
        (b"Fx\n.", ValueError, "could not convert string to float: 'x"),
        (b"Sabc\n.", E, "the STRING opcode argument must be quoted"),
        (b"S'\n.", E, "the STRING opcode argument must be quoted"),
        (b"T\xff\xff\xff\xffab.", E, "BINSTRING pickle has negative byte count"),
        (b"\x8b\xff\xff\xff\xff.", E, "LONG pickle has negative byte count"),
        (b"B\xff\xff\xff\xffa.", E, "pickle data was truncated"),
        (b"\x96\0\0\0\0\0\0\0\xffa.", OverflowError, "BYTEARRAY8 exceeds system's maximum size of"),
        (b"\x95\0\0\0\0\0\0\0\xf0N.", OverflowError, "FRAME length exceeds system's maximum of"),
        (b"\x95\5\0\0\0\0\0\0\0N.", E, "pickle data was truncated"),
        (b"\x80\x04\x95\3\0\0\0\0\0\0\0C\nhelloworld.", E, "pickle exhausted before end of frame"),
        (b"\x80\x04\x95\x0c\0\0\0\0\0\0\0N\x95\0\0\0\0\0\0\0\0NN.", E, "beginning of a new frame before end of current frame"),
        (b"}(NNNu.", E, "odd number of items for SETITEMS"),
        (b"(Nd.", E, "odd number of items for DICT"),
        (b"NNR.", TypeError, "argument list must be a tuple"),
        (b"N)\x81.", E, "NEWOBJ class argument must be a type, not NoneType"),
        (b"cbuiltins\nint\nN\x81.", E, "NEWOBJ args argument must be a tuple, not NoneType"),
        (b"cbuiltins\nint\n)N\x92.", E, "NEWOBJ_EX kwargs argument must be a dict, not NoneType"),
        (b"cbuiltins\nobject\n)\x81K\1b.", E, "state is not a dictionary"),
        (b"cbuiltins\nobject\n)\x81NK\1\x86b.", E, "slot state is not a dictionary"),
        (b"NN\x93.", E, "STACK_GLOBAL requires str"),
        (b"\x82\x00.", E, "EXT specifies code <= 0"),
        (b"cos\nno_such\n.", AttributeError, "no attribute 'no_such'"),
        (b"cno_such\nx\n.", ImportError, "No module named 'no_such'"),
        (b"P\xff\n.", E, "persistent IDs in protocol 0 must be ASCII strings"),
    ]:
        raised(kind, text, pickle.loads, data)
        raised(kind, text, pickle.load, io.BytesIO(data))
    whole = pickle.dumps([1, "text", {2: Plain(3)}, b"x" * 300, 2**80], 4)
    for n in range(len(whole)):
        raised((EOFError, E), "", pickle.loads, whole[:n])
    assert pickle.loads(b"U\1\xe9.", encoding="latin1") == "\xe9" and pickle.loads(b"U\1\xe9.", encoding="bytes") == b"\xe9"
    assert pickle.loads(b"cexceptions\nValueError\n.") is ValueError
    assert pickle.loads(b"c__builtin__\nxrange\nK\3\x85R.") == range(3)


def frames():
    class Writes:
        def __init__(self):
            self.rows = []

        def write(self, row):
            self.rows.append(bytes(row))

    w = Writes()
    pickle.Pickler(w, 4).dump([str(i) * 50 for i in range(5000)] + [b"L" * 100000])
    assert len(w.rows) > 5 and b"L" * 100000 in w.rows
    assert pickle.loads(b"".join(w.rows))[4999] == "4999" * 50


round_trips()
sharing()
hooks()
memos()
buffers()
errors()
broken()
frames()
