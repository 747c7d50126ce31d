# zlib: streams with dictionaries, in pieces, copied, flushed, with limits.
import copy
import zlib


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


data = b"".join(b"line %d of it\n" % (i * 7919 % 1000) for i in range(3000))
for wbits in (-15, 15, 31, -9, 9):
    small = zlib.compress(data, 6, wbits)
    assert zlib.decompress(small, wbits) == data
    d = zlib.decompressobj(wbits)
    out = b""
    for i in range(0, len(small), 10):
        out += d.decompress(small[i : i + 10])
    assert out + d.flush() == data and d.eof and d.unused_data == b""
assert zlib.decompress(zlib.compress(data, wbits=31), 47) == data == zlib.decompress(zlib.compress(data), 47)

d = zlib.decompressobj()
small = zlib.compress(b"x" * 1000)
out = d.decompress(small, 10)
assert len(out) == 10 and d.unconsumed_tail and len(d.decompress(d.unconsumed_tail, 5)) == 5
assert d.flush(1) == b"x" * 985
d = zlib.decompressobj()
assert d.decompress(small + b"rest") == b"x" * 1000 and d.unused_data == b"rest" and d.eof
d.decompress(b"more")
assert d.unused_data == b"restmore" and d.flush() == b""

words = b"hello world, this is a dictionary"
for wbits in (15, -15):
    c = zlib.compressobj(wbits=wbits, zdict=words)
    small = c.compress(words * 2) + c.flush()
    assert len(small) < len(words)
    d = zlib.decompressobj(wbits, zdict=words)
    assert d.decompress(small) + d.flush() == words * 2
c = zlib.compressobj(zdict=words)
small = c.compress(words) + c.flush()
raises(zlib.error, "Error 2 while decompressing data", zlib.decompress, small)
raises(zlib.error, "Error -3 while setting zdict: invalid input data", zlib.decompressobj(zdict=b"other").decompress, small)
raises(TypeError, "zdict argument must support the buffer protocol", zlib.decompressobj, zdict=3)

c = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY, memLevel=9)
first = c.compress(data[:1000]) + c.flush(zlib.Z_SYNC_FLUSH)
twin, third = c.copy(), copy.deepcopy(c)
ends = [x.compress(data[1000:]) + x.flush() for x in (c, twin, third)]
assert ends[0] == ends[1] == ends[2] and zlib.decompress(first + ends[0]) == data
d = zlib.decompressobj()
part = d.decompress(first)
other = copy.copy(d)
assert part + d.decompress(ends[0]) == data == part + other.decompress(ends[1])
raises(zlib.error, "Error -2 while flushing: inconsistent stream state", c.flush)
raises(ValueError, "Inconsistent stream state", c.copy)
raises(zlib.error, "Bad compression level", zlib.compress, b"", 99)
raises(ValueError, "Invalid initialization option", zlib.compressobj, wbits=99)
raises(zlib.error, "Error -3 while decompressing data: incorrect header check", zlib.decompress, b"abc")
raises(zlib.error, "Error -5 while decompressing data: incomplete or truncated stream", zlib.decompress, b"")
raises(zlib.error, "Error -5 while decompressing data: incomplete or truncated stream", zlib.decompress, zlib.compress(data)[:-2])
raises(ValueError, "max_length must be non-negative", zlib.decompressobj().decompress, b"", -1)
raises(ValueError, "length must be greater than zero", zlib.decompressobj().flush, 0)
assert zlib.adler32(data) == zlib.adler32(data[10:], zlib.adler32(data[:10])) and zlib.adler32(b"") == 1
print("ok")
