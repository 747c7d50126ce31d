"""`marshal`: what is written is read back, in each version; broken data are an error."""
import array
import io
import marshal
import sys


def raised(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text in str(e), e
    else:
        raise AssertionError("no error")


VALUES = [
    None, True, False, ..., StopIteration, 0, 1, -1, 2**31, -(2**31), 2**62, -(10**40), 1.5, -0.0, float("inf"), 2j, "",
    "a", "ä" * 3, "\udc80", "x" * 300, b"", b"abc" * 200, (), (1,), tuple(range(300)), [], [1, [2, [3]]], {}, {1: "a", (2,): [3]},
    set(), {1, 2, "x"}, frozenset({1, (2, 3)}),
]
for version in range(marshal.version + 1):
    for value in VALUES:
        back = marshal.loads(marshal.dumps(value, version))
        assert back == value and type(back) is type(value), (version, value, back)
assert marshal.loads(marshal.dumps(slice(1, None, [2]))) == slice(1, None, [2])
raised(ValueError, "unmarshallable object", marshal.dumps, slice(1), 4)
raised(ValueError, "unmarshallable object", marshal.dumps, [print])
assert marshal.dumps(1.5, 1) == b"f\x031.5" and marshal.dumps((1.5,), 2) == b"(\1\0\0\0g\0\0\0\0\0\0\xf8?"
for like in (bytearray(b"abc"), memoryview(b"abc"), array.array("B", b"abc")):
    assert marshal.loads(marshal.dumps(like)) == b"abc"

# One object stays one.
text = "".join(["sha", "red"])
a, b, (c,) = marshal.loads(marshal.dumps([text, text, (text,)]))
assert a is b is c
a, b = marshal.loads(marshal.dumps([text, text], 2))
assert a == b
interned = sys.intern("interned text")
assert marshal.loads(marshal.dumps(interned)) is interned
loop = []
loop.append((loop,))
back = marshal.loads(marshal.dumps(loop))
assert back[0][0] is back
pair = ([],)
pair[0].append(pair)
back = marshal.loads(marshal.dumps(pair))
assert back[0][0] is back
raised(ValueError, "too deeply nested", marshal.dumps, loop, 2)
cut = slice([], None)
cut.start.append(cut)
raised(ValueError, "unmarshallable object", marshal.dumps, cut)
raised(ValueError, "invalid reference", marshal.loads, b"\xba[\1\0\0\0r\0\0\0\0NN")

# Sets do not depend on hashes.
assert marshal.dumps({"a", "b", "c", 1, 2.5}) == marshal.dumps({2.5, "c", 1, "b", "a"})

# Code.
source = "def f(n):\n    return sum(i * n for i in range(n))\nresult = f(4)\n"
code = compile(source, "<made>", "exec")
back = marshal.loads(marshal.dumps(code))
space = {}
exec(back, space)
assert space["result"] == 24 and back == code and back.co_filename == "<made>"
raised(ValueError, "marshalling code objects is disallowed", marshal.dumps, [code], allow_code=False)
raised(ValueError, "unmarshalling code objects is disallowed", marshal.loads, marshal.dumps(code), allow_code=False)

# Broken data.
data = marshal.dumps(("hello", [1.5, 2**70], {"k": b"v"}, {3}))
for n in range(len(data)):
    raised(EOFError, "", marshal.loads, data[:n])
raised(ValueError, "unnormalized long data", marshal.loads, b"l\2\0\0\0\0\0\0\0")
raised(ValueError, "size out of range", marshal.loads, b"(\xff\xff\xff\xff")
raised(EOFError, "", marshal.loads, b"(\xff\xff\xff\x7f")
raised(ValueError, "unknown type code", marshal.loads, b"?")

# A file is read as far as its value goes.
f = io.BytesIO()
for value in VALUES:
    marshal.dump(value, f)
    f.write(b"--")
f.seek(0)
for value in VALUES:
    assert marshal.load(f) == value and f.read(2) == b"--"
raised(EOFError, "EOF read where object expected", marshal.load, f)


class Lies(io.BytesIO):
    def readinto(self, room):
        n = super().readinto(room)
        return n + 10**6 if n > 4 else n


raised(ValueError, "read() returned too much data: 8 bytes requested, 1000008 returned", marshal.load, Lies(marshal.dumps(1.5)))
raised(AttributeError, "", marshal.load, 3)
