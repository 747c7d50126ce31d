# Layers of files over each other, native and written in Python; text's places; what closing and ends do.
import codecs
import gc
import gzip
import io
import os
import pickle
import tempfile
import warnings
import zipfile


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


class Raw(io.RawIOBase):
    """Gives pieces, takes pieces; None stands for what would block."""

    def __init__(self, pieces=(), most=None):
        self.pieces, self.taken, self.most, self.flushes = list(pieces), [], most, 0

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, b):
        piece = self.pieces.pop(0) if self.pieces else b""
        if piece is None:
            return None
        if len(piece) > len(b):
            self.pieces.insert(0, piece[len(b) :])
            piece = piece[: len(b)]
        b[: len(piece)] = piece
        return len(piece)

    def write(self, b):
        b = bytes(b)
        if self.most is not None:
            if not self.most:
                return None
            n = min(len(b), self.most.pop(0))
            b = b[:n]
        self.taken.append(b)
        return len(b)

    def flush(self):
        self.flushes += 1


# What the base classes make of readinto.
assert Raw([b"abc"]).read() == b"abc" and Raw([b"a\nb"]).readline() == b"a\n" and Raw([b"abc"]).read(2) == b"ab"
assert Raw([None]).read(3) is None and Raw([b"x", b"y"]).readall() == b"xy"
assert list(Raw([b"1\n2", b"\n3"])) == [b"1\n", b"2\n", b"3"]
raises(io.UnsupportedOperation, "seek", Raw().tell)
raises(io.UnsupportedOperation, "fileno", Raw().fileno)
raises(io.UnsupportedOperation, "File or stream is not seekable.", Raw()._checkSeekable)
raises(io.UnsupportedOperation, "not readable", io.TextIOWrapper(io.BufferedWriter(Raw())).read)

# Readers.
r = io.BufferedReader(Raw([b"abc", b"d\nef", b"", b"never"]), 4)
assert r.peek() == b"abc" and r.read1(2) == b"ab" and r.readline() == b"cd\n" and r.read() == b"ef"
assert io.BufferedReader(Raw([b"ab", None])).read(5) == b"ab" and io.BufferedReader(Raw([None])).read(5) is None
into = bytearray(6)
r = io.BufferedReader(Raw([b"abc", b"def"]), 3)
assert r.peek() == b"abc" and r.readinto1(into) == 3 and r.readinto1(memoryview(into)[3:]) == 3 and into == b"abcdef"
into = bytearray(7)
r = io.BufferedReader(Raw([b"abc", b"def"]), 3)
assert r.peek() == b"abc" and r.readinto1(into) == 6 and into == b"abcdef\0"
raises(ValueError, "read length must be non-negative or -1", io.BufferedReader(Raw()).read, -7)
raises(io.UnsupportedOperation, "File or stream is not seekable.", io.BufferedReader(Raw([b"a"])).seek, 0)
raises(ValueError, "buffer size must be strictly positive", io.BufferedReader, Raw(), 0)


class Lies(Raw):
    def readinto(self, b):
        return len(b) + 1


raises(OSError, "raw readinto() returned invalid length 9 (should have been between 0 and 8)", io.BufferedReader(Lies(), 8).read, 1)

# Writers: what fits waits, what does not goes out, what would block is told.
raw = Raw()
w = io.BufferedWriter(raw, 4)
assert w.write(b"ab") == 2 and raw.taken == [] and w.write(b"cdef") == 4
w.flush()
assert b"".join(raw.taken) == b"abcdef"
raw = Raw(most=[5])
w = io.BufferedWriter(raw, 4)
e = raises(BlockingIOError, None, w.write, b"0123456789abcdef")
assert e.characters_written == 9 and raw.taken == [b"01234"]
raw.most = None
w.close()
assert raw.taken == [b"01234", b"5678"] and raw.closed and w.closed
raises(ValueError, "write to closed file", w.write, b"")
raises(ValueError, "flush of closed file", w.flush)


class Again(Raw):
    def write(self, b):
        return self.buffer.write(b"x")


raw = Again()
raw.buffer = io.BufferedWriter(raw, 2)
assert "reentrant call inside" in str(raises(RuntimeError, None, raw.buffer.write, b"abcdef"))

# Both directions.
with tempfile.TemporaryFile() as f:
    assert isinstance(f, io.BufferedRandom)
    f.write(b"0123456789")
    f.seek(2)
    assert f.read(3) == b"234" and f.write(b"xy") == 2 and f.tell() == 7 and f.read() == b"789"
    f.seek(-3, os.SEEK_END)
    f.truncate()
    f.seek(0)
    assert f.read() == b"01234xy"
pair = io.BufferedRWPair(Raw([b"in"]), out := Raw())
assert pair.read(5) == b"in" and pair.write(b"out") == 3 and pair.readable() and pair.writable() and not pair.isatty()
pair.close()
assert out.taken == [b"out"] and pair.closed

# Text: modes of line ends and errors, places, what decoders hold.
for newline, lines in [
    (None, ["a\n", "b\n", "c\n", "d"]),
    ("", ["a\n", "b\r", "c\r\n", "d"]),
    ("\n", ["a\n", "b\rc\r\n", "d"]),
    ("\r", ["a\nb\r", "c\r", "\nd"]),
    ("\r\n", ["a\nb\rc\r\n", "d"]),
]:
    for size in (1, 2, 3, 100):
        t = io.TextIOWrapper(Raw([b"a\nb\rc\r\nd"[i : i + size] for i in range(0, 9, size)]), "ascii", newline=newline)
        assert list(t) == lines, (newline, size)
    out = io.BytesIO()
    t = io.TextIOWrapper(out, "ascii", newline=newline)
    t.write("x\ny\r")
    t.flush()
    assert out.getvalue() == b"x%sy\r" % (newline or "\n").encode()
t = io.TextIOWrapper(io.BytesIO(b"a\r\nb\rc\n"), newline=None)
assert t.read() == "a\nb\nc\n" and t.newlines == ("\r", "\n", "\r\n")
assert io.TextIOWrapper(io.BytesIO(b"a\xffb"), "utf-8", "replace").read() == "a\ufffdb"
assert io.TextIOWrapper(io.BytesIO(b"a\xffb"), "utf-8", "surrogateescape").read() == "a\udcffb"
raises(UnicodeDecodeError, None, io.TextIOWrapper(io.BytesIO(b"a\xff"), "utf-8").read)
raises(LookupError, "unknown encoding: nothing", io.TextIOWrapper, io.BytesIO(), "nothing")
text = "".join(chr(0x41 + i % 26) * (i % 3) + "é中\U0001f600"[i % 3] + ("\n" if i % 5 == 0 else "") for i in range(300))
for encoding in ("utf-8", "utf-16", "utf-16-le", "latin-1", "utf-8-sig"):
    whole = text.replace("中", "x").replace("\U0001f600", "y") if encoding == "latin-1" else text
    t = io.TextIOWrapper(io.BytesIO(whole.encode(encoding)), encoding)
    t._CHUNK_SIZE = 7
    places = []
    while True:
        places.append((t.tell(), rest := None))
        if not t.read(3):
            break
    for i, (place, _) in enumerate(places):
        t.seek(place)
        assert t.read() == whole[3 * i :], (encoding, i)
    t.seek(0)
    t.readline()
    next(t)
    raises(OSError, "telling position disabled by next() call", t.tell)
    raises(io.UnsupportedOperation, "can't do nonzero cur-relative seeks", t.seek, 1, 1)
t = io.TextIOWrapper(out := io.BytesIO(), "utf-16")
t.write("a")
t.seek(0, 2)
t.write("b")
t.flush()
assert out.getvalue().decode("utf-16") == "ab"
t.reconfigure(encoding="ascii", errors="replace", newline="\r\n", line_buffering=True)
assert (t.encoding, t.errors, t.line_buffering) == ("ascii", "replace", True)
t.write("é\n")
assert out.getvalue().endswith(b"?\r\n")
t = io.TextIOWrapper(io.BytesIO(b"abc"))
t.read(1)
raises(
    io.UnsupportedOperation,
    "It is not possible to set the encoding or newline of stream after the first read",
    t.reconfigure, encoding="ascii",
)
assert t.detach().read() == b""
raises(ValueError, "underlying buffer has been detached", t.read)
d = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), True)
assert d.decode(b"a\r") == "a" and d.getstate() == (b"", 1) and d.decode(b"\nb\xc3") == "\nb"
assert d.newlines == "\r\n" and d.decode(b"\xa9", True) == "é"

# Memory.
b = io.BytesIO(b"abc")
view = b.getbuffer()
view[0] = 65
view.release()
b.seek(5)
b.write(b"x")
assert b.getvalue() == b"Abc\0\0x"
s = io.StringIO("a\r\nb", newline=None)
assert s.read() == "a\nb" and s.newlines == "\r\n"
s = io.StringIO()
s.write("ab中")
s.seek(4)
s.write("x")
assert s.getvalue() == "ab中\0x" and s.tell() == 5
b.seek(2)
for f in (b, s):
    copy = pickle.loads(pickle.dumps(f))
    assert copy.getvalue() == f.getvalue() and copy.tell() == f.tell()
raises(TypeError, "cannot pickle 'BufferedReader' instances", pickle.dumps, io.BufferedReader(io.BytesIO()))


class Named(io.BytesIO):
    def __init__(self, *, copy_to):
        super().__init__()
        self.copy_to = copy_to

    def write(self, b):
        self.copy_to.append(bytes(b))
        return super().write(b)


seen = []
t = io.TextIOWrapper(Named(copy_to=seen), write_through=True)
t.write("x")
assert seen == [b"x"]

# Files of the system, and what is left open.
with tempfile.TemporaryDirectory() as room:
    name = os.path.join(room, "f")
    f = open(name, "x")
    f.write("text")
    assert repr(f) == f"<_io.TextIOWrapper name={name!r} mode='x' encoding='UTF-8'>"
    assert repr(f.buffer) == f"<_io.BufferedWriter name={name!r}>"
    assert repr(f.buffer.raw) == f"<_io.FileIO name={name!r} mode='xb' closefd=True>"
    f.close()
    f.close()
    raises(ValueError, "I/O operation on closed file.", f.write, "x")
    raises(FileExistsError, None, open, name, "x")
    raises(IsADirectoryError, None, open, room)
    raises(ValueError, "can't have unbuffered text I/O", open, name, buffering=0)
    raises(ValueError, "binary mode doesn't take an encoding argument", open, name, "rb", encoding="x")
    raises(ValueError, "must have exactly one of create/read/write/append mode", open, name, "rw")

    class Path:
        def __fspath__(self):
            return name

    assert open(Path(), opener=lambda path, flags: os.open(path, flags)).read() == "text"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def leave():
            f = open(name, "a")
            f.write(" more")

        leave()
        for _ in range(3):
            gc.collect()
        shown = [str(w.message) for w in caught if "mode='a'" in str(w.message)]
        assert not shown or shown == [f"unclosed file <_io.TextIOWrapper name={name!r} mode='a' encoding='UTF-8'>"], shown
    with zipfile.ZipFile(z := io.BytesIO(), "w") as zf:
        with zf.open("m", "w") as m, io.TextIOWrapper(m, "utf-8") as t:
            t.write("in a member\n")
    with zipfile.ZipFile(z) as zf, zf.open("m") as m:
        assert io.TextIOWrapper(m, "utf-8").readlines() == ["in a member\n"]
    with gzip.open(name, "wt") as g:
        g.write("one\ntwo\n")
    with gzip.open(name, "rt") as g:
        assert g.readline() == "one\n" and g.read() == "two\n"
    r, w = os.pipe()
    os.set_blocking(r, False)
    with open(r, "rb", buffering=0) as raw, open(w, "wb") as out:
        assert raw.read(1) is None and raw.readall() is None
        out.write(b"now")
        out.flush()
        assert raw.read(10) == b"now"
print("ok")
