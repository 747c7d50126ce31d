# bz2 and lzma: whole texts, streams in pieces, files over files.
import bz2
import io
import lzma
import tarfile


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


data = b"".join(b"line %d of the text\n" % (i * 7919 % 1000) for i in range(5000))

for pack in (bz2, lzma):
    small = pack.compress(data)
    assert len(small) < len(data) // 2 and pack.decompress(small) == data
    assert pack.decompress(small + pack.compress(b"more")) == data + b"more"
    make = bz2.BZ2Decompressor if pack is bz2 else lzma.LZMADecompressor
    d = make()
    out = b""
    for i in range(0, len(small), 100):
        out += d.decompress(small[i : i + 100])
    assert out == data and d.eof and d.unused_data == b"" and not d.needs_input
    ended = "End of stream already reached" if pack is bz2 else "Already at end of stream"
    raises(EOFError, ended, d.decompress, b"")
    d = make()
    out = d.decompress(small + b"rest", max_length=10)
    assert out == data[:10] and not d.needs_input
    while not d.eof:
        piece = d.decompress(b"", max_length=1000)
        assert len(piece) <= 1000
        out += piece
    assert out == data and d.unused_data == b"rest"
    f = io.BytesIO()
    with pack.open(f, "wb") as z:
        z.write(data)
    f.seek(0)
    with pack.open(f, "rt", encoding="ascii") as z:
        lines = z.readlines()
    assert "".join(lines).encode() == data
    f.seek(0)
    with pack.open(f) as z:
        assert z.seek(1000) == 1000 and z.read(10) == data[1000:1010] and z.peek(1)
    t = io.BytesIO()
    with tarfile.open(fileobj=t, mode="w:bz2" if pack is bz2 else "w:xz") as tar:
        info = tarfile.TarInfo("a")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    t.seek(0)
    with tarfile.open(fileobj=t) as tar:
        assert tar.extractfile("a").read() == data

raises(OSError, "Invalid data stream", bz2.decompress, b"not packed at all")
raises(ValueError, "compresslevel must be between 1 and 9", bz2.BZ2Compressor, 10)
raises(lzma.LZMAError, "Input format not supported by decoder", lzma.decompress, b"not packed at all, not a bit")
raises(ValueError, "Cannot specify both preset and filter chain", lzma.compress, b"", preset=1, filters=[])
d = bz2.BZ2Decompressor()
broken = bytearray(bz2.compress(b"x" * 100000))
broken[20:30] = bytes(10)
raises(OSError, "Invalid data stream", d.decompress, broken)
for _ in range(2):
    raises(ValueError, "Decompressor is unusable after a previous error", d.decompress, broken)
assert not d.needs_input
c = bz2.BZ2Compressor()
c.flush()
raises(ValueError, "Repeated call to flush()", c.flush)
raises(ValueError, "Compressor has been flushed", c.compress, b"")

filters = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 7 | lzma.PRESET_EXTREME}]
raw = lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
assert lzma.decompress(raw, format=lzma.FORMAT_RAW, filters=filters) == data
alone = lzma.compress(data, format=lzma.FORMAT_ALONE)
assert lzma.decompress(alone) == data and alone[:1] == b"]"
checked = lzma.compress(data, check=lzma.CHECK_SHA256)
d = lzma.LZMADecompressor()
d.decompress(checked)
assert d.check == lzma.CHECK_SHA256
assert lzma._encode_filter_properties({"id": lzma.FILTER_LZMA1, "preset": 6}) == b"]\0\0\x80\0"
assert lzma._decode_filter_properties(lzma.FILTER_LZMA1, b"]\0\0\x80\0") == {
    "id": lzma.FILTER_LZMA1, "dict_size": 1 << 23, "lc": 3, "lp": 0, "pb": 2,
}
raises(ValueError, "Invalid filter ID: 99", lzma.compress, b"", filters=[{"id": 99}])
print("ok")
