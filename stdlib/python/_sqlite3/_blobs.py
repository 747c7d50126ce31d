"""Blobs that are open."""

from ._errors import ProgrammingError


def _bytes_of(data):
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return view.cast("B")


class Blob:
    __module__ = "sqlite3"

    def __contains__(self, item):
        raise TypeError("argument of type 'sqlite3.Blob' is not a container or iterable")

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create 'sqlite3.Blob' instances")

    def _check(self):
        self._connection._check()
        if not self._raw.is_open:
            raise ProgrammingError("Cannot operate on a closed blob.")

    def close(self):
        """Close the blob."""
        self._connection._check()
        self._raw.close()

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, type, val, tb, /):
        self._check()
        self._raw.close()
        return False

    def __len__(self):
        self._check()
        return len(self._raw)

    def read(self, length=-1, /):
        """Read data at the current offset position."""
        self._check()
        left = len(self._raw) - self._offset
        length = left if length < 0 or length > left else length
        content = self._raw.read(self._offset, length) if length else b""
        self._offset += length
        return content

    def write(self, data, /):
        """Write data at the current offset."""
        self._check()
        data = _bytes_of(data)
        if len(data) > len(self._raw) - self._offset:
            raise ValueError("data longer than blob length")
        self._raw.write(self._offset, data)
        self._offset += len(data)

    def seek(self, offset, origin=0, /):
        """Set the current access position to offset."""
        self._check()
        if origin not in (0, 1, 2):
            raise ValueError("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")
        base = (0, self._offset, len(self._raw))[origin]
        if base + offset > 2**31 - 1:
            raise OverflowError("seek offset results in offset overflow")
        if not 0 <= base + offset <= len(self._raw):
            raise ValueError("offset out of blob range")
        self._offset = base + offset

    def tell(self):
        """Return the current access position for the blob."""
        self._check()
        return self._offset

    def _index(self, key):
        try:
            i = key.__index__()
        except AttributeError:
            raise TypeError("Blob indices must be integers") from None
        if not -2**63 <= i < 2**63:
            raise IndexError("cannot fit 'int' into an index-sized integer")
        i += len(self._raw) if i < 0 else 0
        if not 0 <= i < len(self._raw):
            raise IndexError("Blob index out of range")
        return i

    def __getitem__(self, key):
        self._check()
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self._raw))
            span = range(start, stop, step)
            if not span:
                return b""
            low, high = min(span[0], span[-1]), max(span[0], span[-1]) + 1
            part = self._raw.read(low, high - low)
            return part[start - low::step] if step > 0 else part[::step]
        return self._raw.read(self._index(key), 1)[0]

    def __setitem__(self, key, value):
        self._check()
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self._raw))
            span = range(start, stop, step)
            value = _bytes_of(value)
            if len(value) != len(span):
                raise IndexError("Blob slice assignment is wrong size")
            if step == 1:
                if span:
                    self._raw.write(start, value)
                return
            for i, byte in zip(span, value):
                self._raw.write(i, bytes((byte,)))
            return
        i = self._index(key)
        if not isinstance(value, int):
            raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
        if not 0 <= value <= 255:
            raise ValueError("byte must be in range(0, 256)")
        self._raw.write(i, bytes((value,)))

    def __delitem__(self, key):
        self._check()
        if isinstance(key, slice):
            raise TypeError("Blob doesn't support slice deletion")
        raise TypeError("Blob doesn't support item deletion")
