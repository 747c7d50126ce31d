"""Values of C: `_CDataBase` and the classes of those that own something.

`_at` is the address of what a cdata shows, and what a pointer points to; of a number it is the value itself (an int, a
float, a complex number, the bytes of a long double). `_keep` is what the memory would go without.
"""

import operator

import _foreign

from . import _types
from ._types import BOOL, CHAR, COMPLEX, EMPTY_ARRAY, FLOAT, LONG_DOUBLE, WIDE, completed, name_of

_NOT_OWNED = ("only 'cdata' object from ffi.new(), ffi.gc(), ffi.from_buffer() or ffi.new_allocator()() can be used with "
              "the 'with' keyword or ffi.release()")


class CData:
    __slots__ = ("_cd_type", "_cd_at", "_cd_count", "_cd_keep", "__weakref__")
    __name__ = "<cdata>"

    def __new__(cls, *args, **kwargs):
        raise TypeError(f"cannot create '{cls.__module__}.{cls.__name__}' instances")

    def __init_subclass__(cls, **kwargs):
        if cls.__module__ != __name__:
            raise TypeError("type '_cffi_backend._CDataBase' is not an acceptable base type")

    def __repr__(self):
        return f"<cdata '{name_of(self._cd_type)}{self._cd_mark()}' {self._cd_shown()}>"

    def _cd_mark(self):
        return " &" if self._cd_type._kind in ("struct", "union") else ""

    def _cd_shown(self):
        ctype = self._cd_type
        kind = ctype._class
        if ctype._kind == "enum":
            name = ctype._values.get(self._cd_at)
            return f"{self._cd_at}" if name is None else f"{self._cd_at}: {name}"
        if kind is not None:
            if kind == LONG_DOUBLE:
                return f"{float(self):E}"
            return repr(self._cd_object())
        if ctype._kind == "array" and ctype._length < 0 and self._cd_count >= 0:
            return f"sliced length {self._cd_count}"
        return f"0x{self._cd_at:x}" if self._cd_at else "NULL"

    def _cd_object(self):
        """The object that a number is."""
        kind = self._cd_type._class
        if kind == CHAR:
            return bytes((self._cd_at,))
        if kind == WIDE:
            return _values._wide_char(self._cd_at)
        if kind == BOOL:
            return self._cd_at != 0
        if kind == LONG_DOUBLE:
            return self
        return self._cd_at

    # Numbers.

    def __bool__(self):
        kind = self._cd_type._class
        if kind == LONG_DOUBLE:
            return float(self) != 0.0
        return bool(self._cd_at)

    def __int__(self):
        kind = self._cd_type._class
        if kind in (None, COMPLEX):
            raise TypeError(f"int() not supported on cdata '{name_of(self._cd_type)}'")
        if kind in (FLOAT, LONG_DOUBLE):
            return int(float(self))
        # Of the characters only wchar_t is signed.
        signed = kind == WIDE and self._cd_at >> 31 and name_of(self._cd_type) == "wchar_t"
        return self._cd_at - (1 << 32) if signed else self._cd_at

    def __float__(self):
        kind = self._cd_type._class
        if kind == FLOAT:
            return self._cd_at
        if kind == LONG_DOUBLE:
            return _values.from_long_double(self._cd_at)
        raise TypeError(f"float() not supported on cdata '{name_of(self._cd_type)}'")

    def __complex__(self):
        if self._cd_type._class == COMPLEX:
            return self._cd_at
        raise TypeError(f"complex() not supported on cdata '{name_of(self._cd_type)}'")

    # Comparisons: numbers by value, all else by address.

    def _cd_compare(self, other, op):
        mine = self._cd_object() if self._cd_type._class is not None else self
        if isinstance(other, CData):
            theirs = other._cd_object() if other._cd_type._class is not None else other
        else:
            theirs = other
        if mine is self and theirs is other and isinstance(other, CData) and (
                self._cd_type._class is None and other._cd_type._class is None):
            return op(self._cd_at, other._cd_at)
        if mine is self and isinstance(theirs, CData) or mine is self and theirs is other:
            return NotImplemented
        if mine is self or theirs is self:
            return NotImplemented
        return op(mine, theirs)

    def __eq__(self, other):
        return self._cd_compare(other, operator.eq)

    def __ne__(self, other):
        return self._cd_compare(other, operator.ne)

    def __lt__(self, other):
        return self._cd_compare(other, operator.lt)

    def __le__(self, other):
        return self._cd_compare(other, operator.le)

    def __gt__(self, other):
        return self._cd_compare(other, operator.gt)

    def __ge__(self, other):
        return self._cd_compare(other, operator.ge)

    def __hash__(self):
        if self._cd_type._class is not None and self._cd_type._class != LONG_DOUBLE:
            return hash(self._cd_object())
        return hash(self._cd_at)

    # Arrays and pointers.

    def __len__(self):
        ctype = self._cd_type
        if ctype._kind == "array":
            return self._cd_count if ctype._length < 0 else ctype._length
        raise TypeError(f"cdata of type '{name_of(ctype)}' has no len()")

    def __iter__(self):
        if self._cd_type._kind != "array":
            raise TypeError(f"cdata '{name_of(self._cd_type)}' does not support iteration")
        return _Iterator(self)

    def _cd_place(self, key):
        """The type and address of an item."""
        ctype = self._cd_type
        kind = ctype._kind
        index = key.__index__() if not isinstance(key, CData) else _values.to_int(key)
        if kind == "array":
            if index < 0:
                raise IndexError("negative index")
            count = len(self)
            if index >= count >= 0:
                raise IndexError(f"index too large for cdata '{name_of(ctype)}' (expected {index} < {count})")
        elif kind == "pointer":
            self._cd_check_index(index)
        else:
            raise TypeError(f"cdata of type '{name_of(ctype)}' cannot be indexed")
        item = ctype._item
        size = completed(item)._size
        if size < 0:
            if index or item._kind not in ("struct", "union"):
                raise TypeError(f"cdata '{name_of(item)}' is opaque")
            size = 0
        return item, self._cd_at + index * size

    def _cd_check_index(self, index):
        if not self._cd_at:
            raise RuntimeError(f"cannot dereference null pointer from cdata '{name_of(self._cd_type)}'")

    def _cd_slice(self, key):
        ctype = self._cd_type
        if ctype._kind not in ("array", "pointer"):
            raise TypeError(f"cdata of type '{name_of(ctype)}' cannot be indexed")
        start, stop, step = key.start, key.stop, key.step
        if start is None:
            raise IndexError("slice start must be specified")
        if stop is None:
            raise IndexError("slice stop must be specified")
        if step is not None:
            raise IndexError("slice with step not supported")
        start, stop = start.__index__(), stop.__index__()
        if start > stop:
            raise IndexError("slice start > stop")
        if ctype._kind == "array":
            if start < 0:
                raise IndexError("negative index")
            if stop > len(self):
                raise IndexError(f"index too large (expected {stop} <= {len(self)})")
            pointer_type = ctype._made
        else:
            pointer_type = ctype
        array = _types.new_array_type(pointer_type, None)
        made = at_address(array, self._cd_at + start * ctype._item._size)
        made._cd_count, made._cd_keep = stop - start, self._cd_kept_by_slices()
        return made

    def _cd_kept_by_slices(self):
        return None

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self._cd_slice(key)
        item, at = self._cd_place(key)
        return _values.load(item, at)

    def __setitem__(self, key, value):
        if isinstance(key, slice):
            return self._cd_slice(key)._cd_fill(value)
        item, at = self._cd_place(key)
        _values.store(item, at, value)

    def __delitem__(self, key):
        raise TypeError("'del x[n]' not supported for cdata objects")

    def _cd_fill(self, value):
        """Assigns to all items of a slice."""
        item, count = self._cd_type._item, self._cd_count
        if isinstance(value, CData) and value._cd_type._kind == "array" and value._cd_type._item is item:
            if len(value) == count:
                _foreign.write_bytes(self._cd_at, _foreign.read_bytes(value._cd_at, count * item._size))
                return
        if item._class in (CHAR, WIDE) or item._size == 1 and item._class is not None:
            if isinstance(value, (bytes, bytearray)) and item._size == 1:
                if len(value) != count:
                    raise ValueError(f"need a string of length {count}, got {len(value)}")
                _foreign.write_bytes(self._cd_at, value)
                return
            if isinstance(value, str) and item._class == WIDE:
                data = _values.wide_units(item, value)
                if len(data) != count * item._size:
                    raise ValueError(f"need a string of length {count}, got {len(data) // item._size}")
                _foreign.write_bytes(self._cd_at, data)
                return
        size, done = item._size, 0
        for one in value:
            if done == count:
                raise ValueError(f"got more than {count} values to unpack")
            _values.store(item, self._cd_at + done * size, one)
            done += 1
        if done < count:
            raise ValueError(f"need {count} values to unpack, got {done}")

    # Arithmetic of pointers.

    def _cd_moved(self, other, sign):
        ctype = self._cd_type
        if ctype._kind == "array":
            pointer_type, item = ctype._made, ctype._item
        elif ctype._kind == "pointer":
            pointer_type, item = ctype, ctype._item
        else:
            raise TypeError(f"cannot add a cdata '{name_of(ctype)}' and a number")
        size = completed(item)._size
        if size < 0:
            if item._kind != "void":
                raise TypeError(f"ctype '{name_of(pointer_type)}' points to items of unknown size")
            size = 1
        return pointer(pointer_type, self._cd_at + sign * other * size & 0xFFFF_FFFF_FFFF_FFFF)

    def __add__(self, other):
        try:
            step = operator.index(other)
        except TypeError:
            return NotImplemented
        return self._cd_moved(step, 1)

    __radd__ = __add__

    def __sub__(self, other):
        if isinstance(other, CData):
            mine, theirs = (t._made if t._kind == "array" else t for t in (self._cd_type, other._cd_type))
            if mine is not theirs or mine._kind != "pointer" or (
                    completed(mine._item)._size <= 0 and mine._item._kind != "void"):
                raise TypeError(f"cannot subtract cdata '{name_of(self._cd_type)}' and cdata '{name_of(theirs)}'")
            distance, size = self._cd_at - other._cd_at, max(mine._item._size, 1)
            if distance % size:
                raise ValueError("pointer subtraction: the distance between the two pointers is not a multiple of the "
                                 "item size")
            return distance // size
        try:
            step = operator.index(other)
        except TypeError:
            return NotImplemented
        return self._cd_moved(step, -1)

    # Fields.

    def _cd_fielded(self):
        """The struct of which this has the fields, and whether it is this or what this points to."""
        ctype = self._cd_type
        if ctype._kind == "pointer":
            ctype = ctype._item
        if ctype._kind not in ("struct", "union"):
            return None
        completed(ctype)
        return ctype

    def _cd_field(self, name, what="read"):
        ctype = self._cd_fielded()
        if ctype is None:
            raise AttributeError(f"cdata '{name_of(self._cd_type)}' has no attribute '{name}'")
        if ctype._fields is None:
            raise AttributeError(f"cdata '{name_of(self._cd_type)}' points to an opaque type: cannot {what} fields"
                                 if self._cd_type is not ctype else
                                 f"cdata '{name_of(self._cd_type)}' is opaque: cannot {what} fields")
        field = ctype._by_name.get(name)
        if field is None:
            raise AttributeError(f"cdata '{name_of(self._cd_type)}' has no field '{name}'")
        if not self._cd_at:
            raise RuntimeError(f"cannot dereference null pointer from cdata '{name_of(self._cd_type)}'")
        return field

    def __getattr__(self, name):
        return self._cd_load_field(self._cd_field(name))

    def _cd_load_field(self, field):
        return _values.load_field(field, self._cd_at)

    def __setattr__(self, name, value):
        if name in _OWN:
            _set(self, name, value)
        else:
            _values.store_field(self._cd_field(name, "write"), self._cd_at, value)

    def __delattr__(self, name):
        self._cd_field(name)
        raise AttributeError(f"cannot delete field '{name}'")

    def __dir__(self):
        ctype = self._cd_fielded()
        return [] if ctype is None or ctype._fields is None else sorted(ctype._by_name)

    def __call__(self, *args):
        if self._cd_type._kind != "function":
            raise TypeError(f"cdata '{name_of(self._cd_type)}' is not callable")
        return _calls.call(self, args)

    # Owned ones say otherwise.

    def __enter__(self):
        raise ValueError(_NOT_OWNED)

    def __exit__(self, *error):
        raise ValueError(_NOT_OWNED)

    def _cd_release(self):
        raise ValueError(_NOT_OWNED)

    def _cd_size(self):
        """The size of what it shows."""
        ctype = self._cd_type
        if ctype._kind == "array" and ctype._length < 0:
            return len(self) * ctype._item._size
        return completed(ctype)._size


_OWN = frozenset(("_cd_type", "_cd_at", "_cd_count", "_cd_keep", "_cd_bytes", "_cd_destructor", "_cd_of"))
_set = object.__setattr__


class _Iterator:
    __slots__ = ("array", "next")

    def __init__(self, array):
        self.array, self.next = array, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.next >= len(self.array):
            raise StopIteration
        self.next += 1
        return self.array[self.next - 1]


class Owned(CData):
    """Memory that `newp` has made, or a pointer to it. `_bytes` is its size."""

    __slots__ = ("_cd_bytes",)

    def _cd_mark(self):
        return ""

    def _cd_shown(self):
        return f"owning {self._cd_bytes} bytes"

    def _cd_check_index(self, index):
        if index:
            raise IndexError(f"cdata '{name_of(self._cd_type)}' can only be indexed by 0")
        super()._cd_check_index(index)

    def _cd_kept_by_slices(self):
        return self if self._cd_type._kind == "array" else None

    def __getitem__(self, key):
        ctype = self._cd_type
        if ctype._kind == "pointer" and ctype._item._kind in ("struct", "union") and not isinstance(key, slice):
            self._cd_place(key)
            # It owns the same memory.
            made = _make(Owned, ctype._item, self._cd_at, self._cd_keep)
            made._cd_bytes = self._cd_bytes
            return made
        return super().__getitem__(key)

    def _cd_load_field(self, field):
        if field.bitshift == EMPTY_ARRAY and self._cd_fielded()._open:
            # As many items as there is room for.
            made = at_address(field.type, self._cd_at + field.offset)
            made._cd_count = (self._cd_bytes - field.offset) // field.type._item._size
            return made
        return super()._cd_load_field(field)

    def _cd_size(self):
        if self._cd_type._kind == "pointer":
            return 8
        return self._cd_bytes

    def __enter__(self):
        self._cd_release()
        return self

    def __exit__(self, *error):
        self._cd_release()

    def _cd_release(self):
        # The memory itself goes when nobody knows it any more.
        if self._cd_type._kind in ("struct", "union"):
            raise ValueError(_NOT_OWNED)


class Guarded(CData):
    """What `gcp` has made: a destructor is called with another cdata when this is dropped."""

    __slots__ = ("_cd_of", "_cd_destructor")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._cd_release()

    def _cd_kept_by_slices(self):
        return self

    def _cd_release(self):
        destructor, self._cd_destructor = self._cd_destructor, None
        of, self._cd_of = self._cd_of, None
        if destructor is not None:
            destructor(of)

    def __del__(self):
        of = self._cd_of
        try:
            self._cd_release()
        except BaseException as error:
            _foreign.unraisable(error, f"Exception ignored from callback for ffi.gc {of!r}")

    def _cd_shown(self):
        if self._cd_type._kind == "array" and self._cd_type._length < 0:
            return f"sliced length {self._cd_count}"
        return super()._cd_shown()


class Buffered(CData):
    """What `from_buffer` has made; `_keep` is a view of the object."""

    __slots__ = ("_cd_of",)

    def _cd_mark(self):
        return ""

    def _cd_shown(self):
        if self._cd_of is None:
            return "buffer RELEASED"
        length = f" len {len(self)}" if self._cd_type._kind == "array" else ""
        return f"buffer{length} from '{type(self._cd_of).__name__}' object"

    def _cd_kept_by_slices(self):
        return self

    def _cd_size(self):
        if self._cd_type._kind == "array" and self._cd_type._length < 0:
            return self._cd_count * self._cd_type._item._size
        return super()._cd_size()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._cd_release()

    def _cd_release(self):
        if self._cd_of is not None:
            self._cd_of = None
            if isinstance(self._cd_keep, memoryview):
                self._cd_keep.release()


class Closure(CData):
    """A callback, or a handle: `_of` is the callable, or the object."""

    __slots__ = ("_cd_of",)

    def _cd_shown(self):
        what = "calling" if self._cd_type._kind == "function" else "handle to"
        return f"{what} {self._cd_of!r}"

    def _cd_release(self):
        raise ValueError(_NOT_OWNED)


for _class, _name in ((CData, "_CDataBase"), (Owned, "__CDataOwn"), (Guarded, "__CDataGCP"), (Buffered, "__CDataFromBuf"),
                      (Closure, "__CDataOwnGC"), (_Iterator, "__CData_iterator")):
    _class.__name__ = _class.__qualname__ = _name
    _class.__module__ = "_cffi_backend"


def _make(cls, ctype, at, keep=None):
    made = object.__new__(cls)
    _set(made, "_cd_type", ctype)
    _set(made, "_cd_at", at)
    _set(made, "_cd_count", -1)
    _set(made, "_cd_keep", keep)
    return made


def number(ctype, value):
    return _make(CData, ctype, value)


def pointer(ctype, at):
    return _make(CData, ctype, at)


at_address = pointer


def owned(ctype, memory, at, size):
    made = _make(Owned, ctype, at, memory)
    made._cd_bytes = size
    return made


def guarded(cdata, destructor):
    made = _make(Guarded, cdata._cd_type, cdata._cd_at, cdata)
    made._cd_count = cdata._cd_count
    made._cd_of, made._cd_destructor = cdata, destructor
    return made


def buffered(ctype, at, count, view, of):
    made = _make(Buffered, ctype, at, view)
    made._cd_count, made._cd_of = count, of
    return made


def closure(ctype, at, keep, of):
    made = _make(Closure, ctype, at, keep)
    made._cd_of = of
    return made


from . import _calls, _values  # noqa: E402 - they need the classes
