"""Memory of C as buffers of Python, and buffers as memory of C."""

import warnings

import _foreign

from . import _cdata, _types
from ._cdata import CData
from ._types import check_ctype, completed, name_of


class buffer:
    """ffi.buffer(cdata[, byte_size]): memory of C that is read and written as bytes."""

    __slots__ = ("_view", "_keep", "__weakref__")
    __module__ = "_cffi_backend"

    def __new__(cls, cdata, size=-1):
        if not isinstance(cdata, CData):
            raise TypeError(f"buffer() argument 1 must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
        ctype = cdata._cd_type
        if ctype._kind not in ("pointer", "array"):
            raise TypeError(f"expected a pointer or array cdata, got '{name_of(ctype)}'")
        if ctype._kind == "array":
            there = cdata._cd_size()
        elif isinstance(cdata, _cdata.Owned):
            there = cdata._cd_bytes
        else:
            there = completed(ctype._item)._size
        if size < 0:
            if there < 0:
                raise TypeError(f"don't know the size pointed to by '{name_of(ctype)}'")
            size = there
        elif isinstance(cdata, _cdata.Owned) and size > there:
            warnings.warn(f"ffi.buffer(cdata, bytes): creating a buffer of {size} bytes over a cdata that owns only "
                          f"{there} bytes.  This will crash if you access the extra memory", stacklevel=2)
        made = object.__new__(cls)
        made._view, made._keep = _foreign.view(cdata._cd_at, size, cdata), cdata
        return made

    def __init_subclass__(cls, **kwargs):
        raise TypeError("type '_cffi_backend.buffer' is not an acceptable base type")

    def __len__(self):
        return len(self._view)

    def _index(self, key):
        index = key.__index__()
        if index < 0:
            index += len(self._view)
        if not 0 <= index < len(self._view):
            raise IndexError("buffer index out of range")
        return index

    def __getitem__(self, key):
        if isinstance(key, slice):
            return bytes(self._view[key])
        index = self._index(key)
        return bytes(self._view[index:index + 1])

    def __setitem__(self, key, value):
        if isinstance(key, slice):
            if key.step not in (None, 1):
                raise ValueError("buffer doesn't support slicing with step != 1")
            start, stop, _ = key.indices(len(self._view))
            data = memoryview(value).cast("B")
            if len(data) != max(stop - start, 0):
                raise ValueError("right operand length must match slice length")
            self._view[start:stop] = data
            return
        index = self._index(key)
        if not isinstance(value, bytes) or len(value) != 1:
            raise TypeError(f"initializer for ctype 'char' must be a bytes of length 1, not {type(value).__name__}")
        self._view[index] = value[0]

    def __delitem__(self, key):
        raise TypeError("'buffer' object doesn't support item deletion")

    def __buffer__(self, flags):
        return self._view

    def _compared(self, other):
        try:
            return bytes(memoryview(other).cast("B"))
        except TypeError:
            return None

    def __eq__(self, other):
        theirs = self._compared(other)
        return NotImplemented if theirs is None else bytes(self._view) == theirs

    def __lt__(self, other):
        theirs = self._compared(other)
        return NotImplemented if theirs is None else bytes(self._view) < theirs

    def __le__(self, other):
        theirs = self._compared(other)
        return NotImplemented if theirs is None else bytes(self._view) <= theirs

    def __gt__(self, other):
        theirs = self._compared(other)
        return NotImplemented if theirs is None else bytes(self._view) > theirs

    def __ge__(self, other):
        theirs = self._compared(other)
        return NotImplemented if theirs is None else bytes(self._view) >= theirs

    __hash__ = None


def _span(value, writable):
    """Address and length of a buffer's bytes, and the view that keeps them there."""
    if isinstance(value, str):
        raise TypeError("from_buffer() cannot return the address of a unicode object")
    at, length, view = _foreign.span_of(value)
    if writable and view.readonly:
        raise BufferError("Object is not writable.")
    return at, length, view


def from_buffer(ctype, value, require_writable=False, /):
    """The bytes of a buffer as a cdata."""
    check_ctype(ctype)
    if ctype._kind not in ("pointer", "array"):
        raise TypeError(f"expected a pointer or array ctype, got '{name_of(ctype)}'")
    at, length, view = _span(value, require_writable)
    count = -1
    if ctype._kind == "array" and ctype._length < 0:
        size = ctype._item._size
        if size == 0:
            raise ZeroDivisionError(f"from_buffer('{name_of(ctype)}', ..): the actual length of the array cannot be "
                                    "computed")
        count = length // size
    elif ctype._kind == "array" and length < ctype._size:
        raise ValueError(f"buffer is too small ({length} bytes) for '{name_of(ctype)}' ({ctype._size} bytes)")
    return _cdata.buffered(ctype, at, count, view, value)


def _raw(value, writable):
    """Address, length and keeper of what memmove works on; no length is known of a pointer."""
    if isinstance(value, CData):
        if value._cd_type._kind not in ("pointer", "array"):
            raise TypeError(f"expected a pointer or array ctype, got '{name_of(value._cd_type)}'")
        return value._cd_at, None, value
    return _span(value, writable)


def memmove(dest, src, n):
    if n < 0:
        raise ValueError("negative size")
    source, source_length, kept = _raw(src, False)
    target, target_length, kept_too = _raw(dest, True)
    if target_length is not None and n > target_length:
        raise ValueError(f"the destination has only {target_length} of {n} bytes")
    if source_length is None or n <= source_length:
        _foreign.write_bytes(target, _foreign.read_bytes(source, n))
    elif isinstance(src, bytes) and n == source_length + 1:
        # CPython's have a zero behind them.
        _foreign.write_bytes(target, src + b"\0")
    else:
        raise ValueError(f"the source has only {source_length} of {n} bytes")
