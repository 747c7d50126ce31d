"""Objects of Python as values of C in memory, and back."""

import math
import struct

import _foreign
from _foreign import read, read_bytes, write, write_bytes

from . import _types
from ._types import (BOOL, CHAR, COMPLEX, EMPTY_ARRAY, FLOAT, IGNORED_BY_ROWS, LONG_DOUBLE, SIGNED, UNSIGNED, WIDE,
                     completed, is_integer, is_voidchar_pointer, name_of)


def load(ctype, at):
    """What is at an address, as an object. Structs and arrays are shown, not copied."""
    kind = ctype._class
    if kind is None:
        return _load_other(ctype, at)
    if kind in (SIGNED, UNSIGNED, FLOAT):
        return read(ctype._code, at)
    return load_number(ctype, at)


def load_number(ctype, at):
    kind = ctype._class
    if kind == CHAR:
        return read_bytes(at, 1)
    if kind == WIDE:
        return _wide_char(read(ctype._code, at))
    if kind == BOOL:
        value = read("B", at)
        if value > 1:
            raise ValueError(f"got a _Bool of value {value}, expected 0 or 1")
        return value == 1
    if kind == COMPLEX:
        half = ctype._size // 2
        return complex(read(ctype._code, at), read(ctype._code, at + half))
    if kind == LONG_DOUBLE:
        return _cdata.number(ctype, read_bytes(at, 16))
    return read(ctype._code, at)


def _wide_char(code):
    if code > 0x10FFFF:
        raise ValueError(f"char32_t out of range for conversion to unicode: {code:#x}")
    return chr(code)


def _load_other(ctype, at):
    kind = ctype._kind
    if kind in ("pointer", "function"):
        return _cdata.pointer(ctype, read("P", at))
    if kind == "array" and ctype._length < 0:
        # Without a length it is not known what belongs to it.
        return _cdata.pointer(ctype._made, at)
    if kind == "void":
        raise TypeError("cannot return a cdata 'void'")
    return _cdata.at_address(ctype, at)


# Storing.

def cannot_convert(ctype, expected, value):
    if isinstance(value, _cdata.CData):
        name, given = name_of(ctype), name_of(value._cd_type)
        if name == given:
            raise TypeError(f"initializer for ctype '{name}' appears indeed to be '{given}', but the types are different "
                            "(check that you are not e.g. mixing up different ffi instances)")
        raise TypeError(f"initializer for ctype '{name}' must be a {expected}, not cdata '{given}'")
    raise TypeError(f"initializer for ctype '{name_of(ctype)}' must be a {expected}, not {type(value).__name__}")


def to_int(value):
    """An int, where an integer type is to be filled. TypeError for what was no integer."""
    if isinstance(value, int):
        return value
    if isinstance(value, _cdata.CData):
        kind = value._cd_type._class
        if kind in (FLOAT, LONG_DOUBLE, COMPLEX):
            raise TypeError("an integer is required")
        return int(value)
    if not isinstance(value, float) and hasattr(type(value), "__index__"):
        return value.__index__()
    if not isinstance(value, float) and hasattr(type(value), "__int__") and not isinstance(value, str):
        made = value.__int__()
        if isinstance(made, int):
            return made
    raise TypeError("an integer is required")


def to_float(value):
    if isinstance(value, (str, bytes)):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    if isinstance(value, (float, int)) or isinstance(value, _cdata.CData):
        return float(value)
    if hasattr(type(value), "__float__") or hasattr(type(value), "__index__"):
        return float(value)
    raise TypeError(f"must be real number, not {type(value).__name__}")


def char_of(ctype, value):
    """The number of a character: a byte, or the code of one of a wide type."""
    if ctype._class == CHAR:
        if isinstance(value, bytes) and len(value) == 1:
            return value[0]
        if isinstance(value, _cdata.CData) and value._cd_type._class == CHAR and value._cd_type is ctype:
            return value._cd_at
        cannot_convert(ctype, "bytes of length 1", value)
    if isinstance(value, str):
        if len(value) == 1 and (ctype._size == 4 or ord(value) < 0x10000):
            return ord(value)
        if len(value) != 1:
            raise TypeError(f"initializer for ctype '{_wide_name(ctype)}' must be a unicode string of length 1, "
                            f"not unicode string of length {len(value)}")
        raise TypeError("initializer for ctype 'char16_t' must be a unicode string of length 1 that fits 16 bits")
    if isinstance(value, _cdata.CData) and value._cd_type._class == WIDE and value._cd_type._size == ctype._size:
        return value._cd_at
    if isinstance(value, _cdata.CData):
        raise TypeError(f"initializer for ctype '{_wide_name(ctype)}' must be a unicode string of length 1, "
                        f"not cdata '{name_of(value._cd_type)}'")
    raise TypeError(f"initializer for ctype '{_wide_name(ctype)}' must be a unicode string of length 1, "
                    f"not {type(value).__name__}")


def _wide_name(ctype):
    return "char16_t" if ctype._size == 2 else "char32_t"


def store(ctype, at, value):
    """Puts an object to an address, as a value of the type."""
    kind = ctype._class
    if kind is None:
        _store_other(ctype, at, value)
    elif kind in (SIGNED, UNSIGNED, BOOL):
        value = to_int(value)
        _types.check_range(ctype, value)
        write(ctype._code, at, value)
    elif kind == FLOAT:
        write(ctype._code, at, to_float(value))
    elif kind in (CHAR, WIDE):
        write(ctype._code, at, char_of(ctype, value))
    elif kind == LONG_DOUBLE:
        write_bytes(at, to_long_double(value))
    else:
        value = to_complex(value)
        write(ctype._code, at, value.real)
        write(ctype._code, at + ctype._size // 2, value.imag)


def to_complex(value):
    if isinstance(value, (str, bytes)):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    if isinstance(value, _cdata.CData):
        return value.__complex__()
    return complex(value)


def _store_other(ctype, at, value):
    kind = ctype._kind
    if kind in ("pointer", "function"):
        write("P", at, address_for(ctype, value))
    elif kind == "array":
        _store_array(ctype, at, value)
    elif kind in ("struct", "union"):
        _store_struct(ctype, at, value)
    else:
        raise TypeError(f"'{name_of(ctype)}' cannot be stored to")


def address_for(ctype, value):
    """The address that a cdata is as a value of a pointer type."""
    if not isinstance(value, _cdata.CData):
        cannot_convert(ctype, "cdata pointer", value)
    given = value._cd_type
    if given is not ctype:
        if given._kind == "array":
            given = given._made
        elif given._kind not in ("pointer", "function"):
            cannot_convert(ctype, "pointer or array", value)
        if given is not ctype:
            _check_cast(ctype, given, value)
    return value._cd_at


def _check_cast(ctype, given, value):
    void = _types.new_void_type()
    if ctype._item is void or given._item is void:
        return
    advice = "(check that the types are as you expect; use an explicit ffi.cast() if they are correct)"
    if is_voidchar_pointer(ctype):
        if is_voidchar_pointer(given):
            return
        raise TypeError(f"implicit cast to '{name_of(ctype)}' from a different pointer type.{advice}")
    if is_voidchar_pointer(given):
        raise TypeError(f"implicit cast from '{name_of(given)}' to a different pointer type: {advice}")
    cannot_convert(ctype, "pointer to same type", value)


def _is_bytes_item(item):
    return item._size == 1 and item._class in (CHAR, SIGNED, UNSIGNED, BOOL)


def wide_units(item, text):
    """Text as the code units of a wide type's array."""
    if item._size == 4:
        return text.encode("utf-32-le", "surrogatepass")
    return text.encode("utf-16-le", "surrogatepass")


def _store_array(ctype, at, value):
    item, length = ctype._item, ctype._length
    if isinstance(value, (list, tuple)):
        if 0 <= length < len(value):
            raise IndexError(f"too many initializers for '{name_of(ctype)}' (got {len(value)})")
        size = item._size
        for i, one in enumerate(value):
            store(item, at + i * size, one)
    elif _is_bytes_item(item):
        if not isinstance(value, bytes):
            cannot_convert(ctype, "bytes or list or tuple", value)
        if 0 <= length < len(value):
            raise IndexError(f"initializer bytes is too long for '{name_of(ctype)}' (got {len(value)} characters)")
        if item._class == BOOL and value.translate(None, b"\0\1"):
            raise ValueError("an array of _Bool can only contain \\x00 or \\x01")
        write_bytes(at, value if len(value) == length else value + b"\0")
    elif item._class == WIDE:
        if not isinstance(value, str):
            cannot_convert(ctype, "unicode or list or tuple", value)
        data = wide_units(item, value)
        count = len(data) // item._size
        if 0 <= length < count:
            raise IndexError(f"initializer unicode is too long for '{name_of(ctype)}' (got {count} characters)")
        write_bytes(at, data if count == length else data + bytes(item._size))
    elif isinstance(value, _cdata.CData) and value._cd_type is ctype:
        write_bytes(at, read_bytes(value._cd_at, len(value) * item._size))
    else:
        cannot_convert(ctype, "list or tuple", value)


def _store_struct(ctype, at, value):
    if isinstance(value, _cdata.CData) and value._cd_type is ctype and ctype._size >= 0:
        write_bytes(at, read_bytes(value._cd_at, ctype._size))
        return
    completed(ctype)
    if ctype._fields is None:
        raise TypeError(f"'{name_of(ctype)}' is opaque")
    for field, one in initializers(ctype, value):
        store_field(field, at, one)


def initializers(ctype, value):
    """Pairs of fields and what they are to be, of a row or a dict."""
    if isinstance(value, (list, tuple)):
        fields = [f for _, f in ctype._fields if not f.flags & IGNORED_BY_ROWS]
        if len(value) > len(fields):
            raise ValueError(f"too many initializers for '{name_of(ctype)}' (got {len(value)})")
        return list(zip(fields, value))
    if isinstance(value, dict):
        return [(ctype._by_name[name], one) for name, one in value.items()]
    cannot_convert(ctype, "list or tuple or dict or struct-cdata", value)


def load_field(field, at):
    if field.bitshift < 0:
        if field.bitshift == EMPTY_ARRAY:
            return _cdata.pointer(field.type._made, at + field.offset)
        return load(field.type, at + field.offset)
    ctype = field.type
    bits = read(_UNSIGNED_CODES[ctype._size], at + field.offset) >> field.bitshift & (1 << field.bitsize) - 1
    if ctype._class == SIGNED and bits >> field.bitsize - 1:
        bits -= 1 << field.bitsize
    return bits == 1 if ctype._class == BOOL else bits


def store_field(field, at, value):
    ctype, width = field.type, field.bitsize
    if field.bitshift < 0:
        store(ctype, at + field.offset, value)
        return
    value = to_int(value)
    low, high = (-1 << width - 1, (1 << width - 1) - 1) if ctype._class == SIGNED else (0, (1 << width) - 1)
    if ctype._class == SIGNED and width == 1:
        # What is read as -1 may be written as 1.
        high = 1
    if not low <= value <= high:
        raise OverflowError(f"value {value} outside the range allowed by the bit field width: {low} <= x <= {high}")
    code, mask = _UNSIGNED_CODES[ctype._size], (1 << width) - 1 << field.bitshift
    there = read(code, at + field.offset)
    write(code, at + field.offset, there & ~mask | value << field.bitshift & mask)


_UNSIGNED_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


# Long doubles are the ten bytes of the x87.

def from_long_double(data):
    mantissa, top = struct.unpack("<QH", data[:10])
    sign, exponent = -1.0 if top & 0x8000 else 1.0, top & 0x7FFF
    if exponent == 0x7FFF:
        return math.nan if mantissa << 1 & (1 << 64) - 1 else sign * math.inf
    if exponent >= 16383 + 1025:
        return sign * math.inf
    return sign * math.ldexp(mantissa, exponent - 16383 - 63)


def to_long_double(value):
    if isinstance(value, _cdata.CData) and value._cd_type._class == LONG_DOUBLE:
        return value._cd_at
    value = to_float(value)
    sign = 0x8000 if math.copysign(1.0, value) < 0 else 0
    if math.isnan(value) or math.isinf(value):
        data = struct.pack("<QH", 3 << 62 if math.isnan(value) else 1 << 63, sign | 0x7FFF)
    else:
        fraction, exponent = math.frexp(abs(value))
        data = struct.pack("<QH", int(fraction * 2.0**64), sign | (exponent + 16382 if fraction else 0))
    return data + bytes(6)


# How many items an initializer is for, and how many bytes.

def array_length(ctype, value):
    """The length of an open array that is made of an initializer, and that initializer, which is None if it was a length."""
    item = ctype._item
    if isinstance(value, (list, tuple)):
        return len(value), value
    if isinstance(value, bytes):
        return len(value) + 1, value
    if isinstance(value, str):
        return (len(wide_units(item, value)) // item._size if item._class == WIDE else len(value)) + 1, value
    if value is None or not hasattr(type(value), "__index__") and not (
            isinstance(value, _cdata.CData) and is_integer(value._cd_type)):
        shown = type(value)
        name = f"{shown.__module__}.{shown.__name__}" if isinstance(value, _cdata.CData) else shown.__name__
        raise TypeError(f"expected new array length or list/tuple/str, not {name}")
    length = to_int(value)
    if length < 0:
        raise ValueError("negative array length")
    return length, None


def struct_size(ctype, value):
    """The size of a struct that ends in an open array, as its initializer wants it."""
    size = ctype._size
    if isinstance(value, _cdata.CData) or value is None:
        return size
    for field, one in initializers(ctype, value):
        ftype = field.type
        if ftype._kind == "array" and ftype._length < 0:
            length, _ = array_length(ftype, one)
            size = max(size, field.offset + length * ftype._item._size)
        elif ftype._kind in ("struct", "union") and ftype._open:
            size = max(size, field.offset + struct_size(ftype, one))
    return size


def store_open(ctype, at, value):
    """As `store` for a struct that ends in an open array, which may be given by its length."""
    if isinstance(value, _cdata.CData):
        return store(ctype, at, value)
    for field, one in initializers(ctype, value):
        ftype = field.type
        if ftype._kind == "array" and ftype._length < 0:
            _, one = array_length(ftype, one)
            if one is not None:
                store(ftype, at + field.offset, one)
        elif ftype._kind in ("struct", "union") and ftype._open:
            store_open(ftype, at + field.offset, one)
        else:
            store_field(field, at, one)


def allocate(size):
    try:
        return _foreign.Memory(size)
    except OverflowError:
        raise MemoryError from None


from . import _cdata  # noqa: E402 - each of the two needs the other's functions when they are called
