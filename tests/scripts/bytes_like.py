# Every method that takes bytes takes all that has a buffer.
import array
import binascii
import hashlib
import io
import zlib


class Own:
    def __init__(self, data):
        self.data = data

    def __buffer__(self, flags):
        return memoryview(self.data)


for make in (bytes, bytearray, memoryview, lambda b: array.array("b", b), Own):
    x = make(b"ab")
    assert b"a" + x == b"aab" and bytearray(b"a") + x == b"aab"
    assert b"-".join([x, b"c", x]) == b"ab-c-ab" and b"xabx".find(x) == 1 and b"abab".replace(x, x) == b"abab"
    assert b"ab".startswith(x) and b"cabd".split(x) == [b"c", b"d"] and x is not None and b"abc".removeprefix(x) == b"c"
    assert str(x, "ascii") == "ab" and bytes(x) == b"ab" and bytearray(x) == b"ab"
    assert int.from_bytes(x, "big") == 0x6162 and zlib.crc32(x) == zlib.crc32(b"ab") and binascii.hexlify(x) == b"6162"
    assert hashlib.md5(x).digest() == hashlib.md5(b"ab").digest()
    out = io.BytesIO()
    assert out.write(x) == 2 and out.getvalue() == b"ab" and io.BytesIO(x).read() == b"ab"
    grown = bytearray(b"_")
    grown.extend(x)
    grown += x
    grown[0:1] = x
    assert grown == b"ababab"
for wrong in (1, "ab", [97], None):
    for f in (lambda: b"a" + wrong, lambda: b"".join([wrong]), lambda: b"ab".find(wrong) if wrong != 1 else b"" + wrong):
        try:
            f()
        except TypeError:
            pass
        else:
            raise AssertionError(wrong)
print("ok")
