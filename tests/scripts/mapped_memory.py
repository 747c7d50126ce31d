# mmap: mappings of files and of memory, as sequences, files and buffers.
import gc
import mmap
import os
import tempfile

with tempfile.TemporaryFile() as f:
    f.write(b"hello\nworld\n" + bytes(100))
    f.flush()
    m = mmap.mmap(f.fileno(), 0)
    assert len(m) == 112 and m.size() == 112 and m[:5] == b"hello" and m[0] == ord("h") and m[-1] == 0
    assert m[0:11:2] == b"hlowrd"
    assert m.readline() == b"hello\n" and m.tell() == 6 and m.read(5) == b"world" and m.read_byte() == 10
    assert m.find(b"o", 0) == 4 and m.rfind(b"o", 0) == 7 and m.find(b"xyz") == -1 and m.find(b"hello") == -1
    m.seek(0)
    assert m.write(b"HELLO") == 5
    m[6:11] = b"WORLD"
    m[11] = ord("!")
    m.move(20, 0, 5)
    m.flush()
    assert os.pread(f.fileno(), 25, 0) == b"HELLO\nWORLD!" + bytes(8) + b"HELLO"
    for wrong, error in (
        (lambda: m[200], IndexError),
        (lambda: m.__setitem__(slice(0, 2), b"x"), IndexError),
        (lambda: m.__setitem__(0, 300), ValueError),
        (lambda: m.seek(-1), ValueError),
        (lambda: m["a"], TypeError),
        (lambda: m.move(100, 0, 50), ValueError),
        (lambda: mmap.mmap(f.fileno(), 1000), ValueError),
        (lambda: mmap.mmap(-1, 0), OSError),
        (lambda: mmap.mmap(f.fileno(), 10, access=99), ValueError),
    ):
        try:
            wrong()
        except error:
            pass
        else:
            assert False, wrong
    # A view keeps it open.
    view = memoryview(m)
    assert view[:5] == b"HELLO"
    view[0] = ord("J")
    assert m[:5] == b"JELLO"
    try:
        m.close()
    except BufferError as e:
        assert str(e) == "cannot close exported pointers exist"
    else:
        assert False
    view.release()
    m.resize(4096 * 3)
    assert len(m) == 4096 * 3 and os.fstat(f.fileno()).st_size == 4096 * 3 and m[:5] == b"JELLO"
    assert repr(m).startswith("<mmap.mmap closed=False, access=ACCESS_DEFAULT, length=12288, pos=5, offset=0>")
    m.close()
    assert m.closed and repr(m) == "<mmap.mmap closed=True>"
    try:
        m[0]
    except ValueError as e:
        assert str(e) == "mmap closed or invalid"
    else:
        assert False

    with mmap.mmap(f.fileno(), 8, access=mmap.ACCESS_READ) as m:
        try:
            m[0] = 1
        except TypeError as e:
            assert str(e) == "mmap can't modify a readonly memory map."
        else:
            assert False
        assert memoryview(m).readonly
    with mmap.mmap(f.fileno(), 8, access=mmap.ACCESS_COPY) as m:
        m[:2] = b"zz"
        assert os.pread(f.fileno(), 2, 0) == b"JE"

# What nobody has any more is given back.
for _ in range(50):
    m = mmap.mmap(-1, 1 << 16)
    m[5:8] = b"abc"
    view = memoryview(m)[5:8]
    assert bytes(view) == b"abc"
del m, view
gc.collect()
m = mmap.mmap(-1, 100)
bytearray(m).extend(b"x")
assert m.madvise(mmap.MADV_WILLNEED) is None and len(m) == 100
