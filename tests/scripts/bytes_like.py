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


# What takes bytes as they lie takes none that do not lie in a row.
def not_in_a_row():
    import binascii
    import marshal
    import re
    import struct
    import zlib

    scattered = memoryview(b"abcd")[::2]
    for f in (binascii.hexlify, binascii.b2a_base64, zlib.crc32, io.BytesIO().write, array.array("b").frombytes,
              lambda v: struct.unpack("cc", v)):
        try:
            f(scattered)
        except BufferError as e:
            assert str(e) == "memoryview: underlying buffer is not C-contiguous", e
        else:
            raise AssertionError(f)
    for f, kind in ((marshal.dumps, ValueError), (lambda v: re.match(b"a", v), TypeError)):
        try:
            f(scattered)
        except kind:
            pass
        else:
            raise AssertionError(f)
    assert bytes(scattered) == b"ac" and int.from_bytes(scattered, "big") == 0x6163


def base64_padding():
    from binascii import Error, a2b_base64, a2b_uu, crc_hqx

    for data, text, loose in [
        (b"ab===", "Excess padding not allowed", b"i"),
        (b"abcd=", "Excess padding not allowed", b"i\xb7\x1d"),
        (b"ab==c=", "Excess data after padding", b"i\xb7"),
        (b"ab==cd", "Excess data after padding", b"i\xb7\x1d"),
        (b"abc=d", "Excess data after padding", b"i\xb7\x1d"),
        (b"ab=c=", "Discontinuous padding not allowed", b"i\xb7"),
        (b"ab==:", "Only base64 data is allowed", b"i"),
        (b"==", "Leading padding not allowed", b""),
    ]:
        assert a2b_base64(data) == loose, data
        try:
            a2b_base64(data, strict_mode=True)
        except Error as e:
            assert str(e) == text, (data, e)
        else:
            raise AssertionError(data)
    for f, data, text in ((a2b_base64, b"ab==c", "Incorrect padding"), (a2b_uu, b"", "Missing length byte")):
        try:
            f(data)
        except Error as e:
            assert str(e) == text, e
        else:
            raise AssertionError(data)
    assert crc_hqx(b"", -1) == 0xffff and crc_hqx(b"", 2**80 + 5) == 5


not_in_a_row()
base64_padding()
