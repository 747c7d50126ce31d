"""bytes and bytearray."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


for T in (bytes, bytearray):
    s = T(b"Hello World")
    assert len(s) == 11 and s[0] == 72 and s[-1] == 100 and s[1:3] == b"el" and s[::-1] == b"dlroW olleH" and type(s[:2]) is T
    assert s + b"!" == b"Hello World!" and type(s + b"!") is T and s * 2 == b"Hello WorldHello World" and 72 in s and b"ell" in s
    assert s.find(b"o") == 4 and s.rfind(b"o") == 7 and s.find(111, 5) == 7 and s.count(b"l") == 3 and s.index(b"W") == 6
    assert s.split() == [b"Hello", b"World"] and s.split(b"o") == [b"Hell", b" W", b"rld"] and s.rsplit(b"o", 1) == [b"Hello W", b"rld"]
    assert s.partition(b" ") == (b"Hello", b" ", b"World") and s.replace(b"l", b"L", 2) == b"HeLLo World"
    assert s.upper() == b"HELLO WORLD" and s.swapcase() == b"hELLO wORLD" and s.title() == b"Hello World" and s.istitle()
    assert s.startswith((b"x", b"He")) and s.endswith(b"d") and s.center(15, b"*") == b"**Hello World**" and T(b"-5").zfill(4) == b"-005"
    assert s.strip(b"Hd") == b"ello Worl" and T(b" a ").strip() == b"a" and T(b"a\nb\r\n").splitlines() == [b"a", b"b"]
    assert s.decode() == "Hello World" and s.hex() == "48656c6c6f20576f726c64" and T(b"\x01\x02\x03").hex(":", 2) == "01:0203"
    assert T.fromhex("01 aF") == b"\x01\xaf" and T(b"-").join([b"a", bytearray(b"b")]) == b"a-b" and T(b"abc").translate(None, b"b") == b"ac"
    assert T(b"%d %s %r %x %b %c %5.1f") % (1, b"a", "é", 255, b"q", 65, 2.5) == b"1 a '\\xe9' ff q A   2.5"
    assert list(T(b"ab")) == [97, 98] and T([1, 2]) == b"\x01\x02" and T(3) == b"\0\0\0" and T("é", "utf8") == b"\xc3\xa9" and T() == b""
    assert s == b"Hello World" and s != "Hello World" and s < b"I" and T(b"abc").removeprefix(b"a") == b"bc"
    raises(ValueError, T, [256])
    raises(TypeError, T, "a")
    raises(ValueError, T, -1)
    raises(IndexError, lambda: s[99])
    raises(TypeError, lambda: s + "a")
assert repr(b"a'\"\n\xff") == "b'a\\'\"\\n\\xff'" and repr(b"'") == 'b"\'"' and repr(bytearray(b"x")) == "bytearray(b'x')"
assert hash(b"abc") == hash(bytes([97, 98, 99])) and {b"a": 1}[b"a"] == 1
assert bytes.maketrans(b"a", b"b")[97] == 98 and b"abc".translate(bytes.maketrans(b"ab", b"xy")) == b"xyc"

a = bytearray(b"hello")
a[0] = 72
a[1:3] = b"EEE"
assert a == b"HEEElo"
del a[0]
del a[::2]
assert a == b"El"
a.append(65)
a.extend([66, 67])
a += b"z"
a.insert(0, 48)
assert a == b"0ElABCz" and a.pop() == 122 and a.pop(0) == 48
a.remove(66)
a.reverse()
assert a == b"CAlE"
a *= 2
a[::2] = b"1111"
assert a == b"1A1E1A1E" and a.copy() == a and a.copy() is not a
a.clear()
assert a == b"" and raises(IndexError, a.pop) == "pop from empty bytearray"
raises(TypeError, hash, a)
raises(ValueError, a.append, 256)


class B(bytes):
    pass


b = B(b"abc")
b.x = 1
assert b.x == 1 and type(b[1:]) is bytes and b + b"d" == b"abcd" and {b"abc": 1}[b] == 1


def copies_and_pickles():
    import copy
    import pickle

    x = bytearray(b"a\xff")
    assert copy.copy(x) == x and copy.deepcopy(x) == x and copy.copy(x) is not x
    assert x.__reduce__() == x.__reduce_ex__(2) == (bytearray, ("a\xff", "latin-1"), None)
    assert x.__reduce_ex__(3) == (bytearray, (b"a\xff",), None)

    class Sub(bytearray):
        pass

    sub = Sub(b"q")
    sub.note = 1
    assert sub.__reduce_ex__(4) == (Sub, (b"q",), {"note": 1})
    twin = copy.copy(sub)
    assert type(twin) is Sub and twin == b"q" and twin.note == 1
    for protocol in range(5):
        assert pickle._loads(pickle._dumps(x, protocol)) == x


copies_and_pickles()
print("ok")
