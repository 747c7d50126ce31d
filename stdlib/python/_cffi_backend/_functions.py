"""What `ffi` can do: making values, looking at types, and strings."""

import weakref

import _foreign

from . import _calls, _cdata, _types, _values
from ._cdata import CData
from ._types import (BOOL, CHAR, COMPLEX, EMPTY_ARRAY, FLOAT, LONG_DOUBLE, SIGNED, UNSIGNED, WIDE, CType, check_ctype,
                     completed, is_integer, name_of)


def newp(ctype, init=None, allocator=None, /):
    """A pointer to new memory, or a new array."""
    check_ctype(ctype)
    size, init, count = _room(ctype, init)
    if allocator is None:
        memory = _values.allocate(size)
        at = memory.address
        made = _cdata.owned(ctype, memory, at, _shown_size(ctype, size))
    else:
        made = _allocated(ctype, size, *allocator)
        at = made._cd_at
    made._cd_count = count
    if init is not None:
        _fill(ctype, at, init)
    return made


def _room(ctype, init):
    """How many bytes, what they are initialized by, and the length of an open array."""
    if ctype._kind == "pointer":
        item = completed(ctype._item)
        size = item._size
        if size < 0:
            raise TypeError(f"cannot instantiate ctype '{name_of(item)}' of unknown size")
        if item._kind in ("struct", "union") and item._open and init is not None:
            size = _values.struct_size(item, init)
        if item._class in (CHAR, WIDE):
            # Room for a zero, so that it is a string.
            size *= 2
        return size, init, -1
    if ctype._kind == "array":
        if ctype._length >= 0:
            return ctype._size, init, -1
        count, init = _values.array_length(ctype, init)
        size = count * ctype._item._size
        if size > (1 << 63) - 1:
            raise OverflowError("array size would overflow a Py_ssize_t")
        return size, init, count
    raise TypeError(f"expected a pointer or array ctype, got '{name_of(ctype)}'")


def _shown_size(ctype, size):
    if ctype._kind == "pointer" and ctype._item._class in (CHAR, WIDE):
        return ctype._item._size
    return size


def _fill(ctype, at, init):
    item = ctype._item
    if ctype._kind == "array":
        _values.store(ctype, at, init)
    elif item._kind in ("struct", "union") and item._open:
        _values.store_open(item, at, init)
    else:
        _values.store(item, at, init)


def _allocated(ctype, size, alloc, free, clear):
    """Memory of a function of the program's."""
    if alloc is None:
        memory = _values.allocate(size)
        return _cdata.owned(ctype, memory, memory.address, size)
    found = alloc(size)
    if not isinstance(found, CData):
        raise TypeError(f"alloc() must return a cdata object (got {type(found).__name__})")
    if found._cd_type._kind not in ("pointer", "array"):
        raise TypeError(f"alloc() must return a cdata pointer, not '{name_of(found._cd_type)}'")
    if not found._cd_at:
        raise MemoryError("alloc() returned NULL")
    if clear:
        _foreign.write_bytes(found._cd_at, bytes(size))
    made = _cdata.guarded(_cdata.pointer(ctype, found._cd_at), None)
    made._cd_of, made._cd_destructor = found, free
    return made


def cast(ctype, value, /):
    check_ctype(ctype)
    kind = ctype._class
    if kind in (SIGNED, UNSIGNED, CHAR, WIDE, BOOL):
        return _cdata.number(ctype, _cast_int(ctype, value))
    if kind == FLOAT:
        number = _cast_float(ctype, value)
        if ctype._size == 4:
            memory = _values.allocate(4)
            _foreign.write("f", memory.address, number)
            number = _foreign.read("f", memory.address)
        return _cdata.number(ctype, number)
    if kind == LONG_DOUBLE:
        if isinstance(value, CData) and value._cd_type._class == LONG_DOUBLE:
            return _cdata.number(ctype, value._cd_at)
        return _cdata.number(ctype, _values.to_long_double(_cast_float(ctype, value)))
    if kind == COMPLEX:
        if isinstance(value, CData) and value._cd_type._class == COMPLEX:
            value = value._cd_at
        elif not isinstance(value, complex):
            value = complex(_cast_float(ctype, value)) if not hasattr(type(value), "__complex__") or isinstance(
                value, CData) else complex(value)
        memory = _values.allocate(ctype._size)
        _values.store(ctype, memory.address, value)
        return _cdata.number(ctype, _values.load(ctype, memory.address))
    if ctype._kind in ("pointer", "function", "array") and (ctype._kind != "array" or ctype._length >= 0):
        return _cast_pointer(ctype, value)
    raise TypeError(f"cannot cast to ctype '{name_of(ctype)}'")


def _cast_int(ctype, value):
    if ctype._class == BOOL and (isinstance(value, float) or isinstance(value, CData) and value._cd_type._class == FLOAT):
        return 1 if float(value) else 0
    if isinstance(value, CData):
        given = value._cd_type
        if given._kind in ("pointer", "function", "array"):
            value = value._cd_at
        elif given._class in (FLOAT, LONG_DOUBLE):
            value = int(float(value))
        else:
            value = int(value)
    elif isinstance(value, (str, bytes)):
        value = _one_char(ctype, value)
    elif not isinstance(value, int):
        value = int(value) if isinstance(value, float) else _values.to_int(value)
    if ctype._class == BOOL:
        return 1 if value else 0
    bits = 8 * ctype._size
    value &= (1 << bits) - 1
    if ctype._class == SIGNED and value >> bits - 1:
        value -= 1 << bits
    return value


def _one_char(ctype, value):
    """The number of a string of one character."""
    kind = "char" if isinstance(value, bytes) else "char32_t"
    if len(value) != 1:
        what = "bytes of length 1, not bytes" if isinstance(value, bytes) else (
            f"unicode string of length 1, not unicode string of length {len(value)}")
        raise TypeError(f"initializer for ctype '{kind}' must be a {what}")
    return value[0] if isinstance(value, bytes) else ord(value)


def _cast_float(ctype, value):
    if isinstance(value, CData):
        if value._cd_type._class is None:
            raise TypeError(f"cannot cast cdata '{name_of(value._cd_type)}' to '{name_of(ctype)}'")
        if value._cd_type._class in (FLOAT, LONG_DOUBLE, COMPLEX):
            return float(value)
        return float(value._cd_at)
    if isinstance(value, (str, bytes)):
        return float(_one_char(ctype, value))
    return _values.to_float(value)


def _cast_pointer(ctype, value):
    if isinstance(value, CData):
        given = value._cd_type
        if given._kind in ("pointer", "function", "array"):
            return _cdata.pointer(ctype, value._cd_at)
        if given._class not in (SIGNED, UNSIGNED, CHAR, WIDE, BOOL):
            raise TypeError(f"cannot cast cdata '{name_of(given)}' to '{name_of(ctype)}'"
                            if given._class is None else "an integer is required")
        return _cdata.pointer(ctype, int(value) & 0xFFFF_FFFF_FFFF_FFFF)
    if ctype._kind == "pointer" and _calls._is_file(ctype._item) and hasattr(value, "fileno"):
        return _cdata.pointer(ctype, _calls._file_of(value))
    return _cdata.pointer(ctype, _values.to_int(value) & 0xFFFF_FFFF_FFFF_FFFF)


# Types and sizes.

def typeof(cdata, /):
    if not isinstance(cdata, CData):
        raise TypeError("expected a 'cdata' object")
    return cdata._cd_type


def sizeof(value, /):
    if isinstance(value, CData):
        size = value._cd_size()
        value = value._cd_type
    elif isinstance(value, CType):
        size = completed(value)._size
    else:
        raise TypeError("expected a 'cdata' or 'ctype' object")
    if size < 0:
        raise ValueError(f"ctype '{name_of(value)}' is of unknown size")
    return size


def alignof(ctype, /):
    check_ctype(ctype)
    return _types.align_of(ctype)


def getcname(ctype, replace, /):
    check_ctype(ctype)
    return ctype._front + replace + ctype._back


def typeoffsetof(ctype, field, following=0, /):
    """The type of a field or item, and where it is."""
    check_ctype(ctype)
    if isinstance(field, str):
        if ctype._kind == "pointer" and not following:
            ctype = ctype._item
        if completed(ctype)._kind not in ("struct", "union"):
            raise TypeError("with a field name argument, expected a struct or union ctype")
        if ctype._fields is None:
            raise TypeError("struct/union is opaque")
        found = ctype._by_name[field]
        if found.bitshift >= 0:
            raise TypeError("not supported for bitfields")
        return found.type, found.offset
    try:
        index = field.__index__()
    except AttributeError:
        raise TypeError("field name or array index expected") from None
    if ctype._kind not in ("array", "pointer"):
        raise TypeError("with an integer argument, expected an array ctype or a pointer to non-opaque")
    item = completed(ctype._item)
    if item._size < 0:
        raise TypeError("with an integer argument, expected an array ctype or a pointer to non-opaque")
    offset = index * item._size
    if not -1 << 63 <= offset < 1 << 63:
        raise OverflowError("array offset would overflow a Py_ssize_t")
    return item, offset


def rawaddressof(ctype, cdata, offset=0, /):
    check_ctype(ctype)
    if ctype._kind != "pointer":
        raise TypeError("expected a pointer ctype")
    if not isinstance(cdata, CData) or cdata._cd_type._kind not in ("struct", "union", "array", "pointer"):
        raise TypeError("expected a cdata struct/union/array/pointer object")
    return _cdata.pointer(ctype, cdata._cd_at + offset)


# Strings and rows.

def string(cdata, maxlen=-1):
    if not isinstance(cdata, CData):
        raise TypeError(f"string() argument 1 must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
    ctype = cdata._cd_type
    if ctype._kind in ("pointer", "array"):
        return _string_at(cdata, ctype, maxlen)
    if ctype._kind == "enum":
        name = ctype._values.get(cdata._cd_at)
        return str(cdata._cd_at) if name is None else name
    if ctype._class in (CHAR, WIDE):
        return cdata._cd_object()
    if ctype._size == 1 and ctype._class in (SIGNED, UNSIGNED):
        return bytes((cdata._cd_at & 0xFF,))
    raise TypeError(f"string(): unexpected cdata '{name_of(ctype)}' argument")


def _string_at(cdata, ctype, maxlen):
    item = ctype._item
    if item._class != WIDE and not (item._size == 1 and item._class in (CHAR, SIGNED, UNSIGNED)):
        raise TypeError(f"string(): unexpected cdata '{name_of(ctype)}' argument")
    at = cdata._cd_at
    if not at:
        raise RuntimeError(f"cannot use string() on {cdata!r}")
    if maxlen < 0 and ctype._kind == "array":
        maxlen = len(cdata)
    size = item._size
    if maxlen < 0 and size != 2:
        return _text(item, _foreign.read_bytes(at, _foreign.length(at, size) * size))
    count = 0
    code = item._code
    # Nothing may be read behind the end, which need not have a zero.
    while (maxlen < 0 or count < maxlen) and _foreign.read(code, at + count * size):
        count += 1
    return _text(item, _foreign.read_bytes(at, count * size))


def _text(item, data):
    if item._class != WIDE:
        return data
    if item._size == 2:
        return data.decode("utf-16-le", "surrogatepass")
    return data.decode("utf-32-le", "surrogatepass")


def unpack(cdata, length):
    if not isinstance(cdata, CData):
        raise TypeError(f"unpack() argument 1 must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
    ctype = cdata._cd_type
    if ctype._kind not in ("pointer", "array"):
        raise TypeError(f"expected a pointer or array, got '{name_of(ctype)}'")
    if length < 0:
        raise ValueError("'length' cannot be negative")
    at, item = cdata._cd_at, completed(ctype._item)
    if not at:
        raise RuntimeError(f"cannot use unpack() on {cdata!r}")
    size = item._size
    if size < 0:
        raise ValueError(f"'{name_of(ctype)}' points to items of unknown size")
    if item._class in (CHAR, WIDE):
        return _text(item, _foreign.read_bytes(at, length * size))
    if item._class in (SIGNED, UNSIGNED, FLOAT):
        return memoryview(_foreign.read_bytes(at, length * size)).cast(item._code).tolist()
    return [_values.load(item, at + i * size) for i in range(length)]


# Handles and destructors.

# Objects by the addresses of their handles, as long as those are there.
_handles = weakref.WeakValueDictionary()


def newp_handle(ctype, value, /):
    check_ctype(ctype)
    if ctype._kind != "pointer" or ctype._item is not _types.new_void_type():
        raise TypeError(f"needs 'void *', got '{name_of(ctype)}'")
    memory = _values.allocate(16)
    made = _cdata.closure(ctype, memory.address, memory, value)
    _handles[memory.address] = made
    return made


def from_handle(cdata, /):
    if not isinstance(cdata, CData):
        raise TypeError(f"from_handle() argument 1 must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
    ctype = cdata._cd_type
    if ctype._kind not in ("pointer", "array") or not _types.is_voidchar_pointer(ctype):
        raise TypeError(f"expected a 'cdata' object with a 'void *' out of new_handle(), got '{name_of(ctype)}'")
    if not cdata._cd_at:
        raise RuntimeError("cannot use from_handle() on NULL pointer")
    found = _handles.get(cdata._cd_at)
    if found is None:
        raise SystemError("ffi.from_handle(): dead or bogus handle")
    return found._cd_of


def gcp(cdata, destructor, size=0):
    if not isinstance(cdata, CData):
        raise TypeError(f"gcp() argument 1 must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
    if destructor is None:
        if not isinstance(cdata, _cdata.Guarded):
            raise TypeError("Can remove destructor only on a object previously returned by ffi.gc()")
        cdata._cd_destructor = cdata._cd_of = None
        return None
    if cdata._cd_type._kind not in ("pointer", "array", "struct", "union", "function"):
        raise TypeError("gc() needs a cdata that is or contains a pointer")
    return _cdata.guarded(cdata, destructor)


def release(cdata, /):
    if not isinstance(cdata, CData):
        raise TypeError(f"release() argument must be _cffi_backend._CDataBase, not {type(cdata).__name__}")
    cdata._cd_release()
