"""Data and functions of C, for the module ctypes. What touches memory and calls functions is in _foreign."""

import struct as _struct
import sys
import weakref as _weakref

import _foreign
from _foreign import RTLD_GLOBAL, RTLD_LOCAL, dlclose, get_errno, set_errno

__version__ = "1.1.0"
SIZEOF_TIME_T = 8
CTYPES_MAX_ARGCOUNT = 1024
FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO, FUNCFLAG_USE_LASTERROR = 1, 4, 8, 16

_read, _write, _read_bytes, _write_bytes = _foreign.read, _foreign.write, _foreign.read_bytes, _foreign.write_bytes


class ArgumentError(Exception):
    __module__ = "ctypes"


def dlopen(name, flag=RTLD_LOCAL, /):
    """dlopen(name, flag={RTLD_GLOBAL|RTLD_LOCAL}) open a shared library"""
    sys.audit("ctypes.dlopen", name)
    return _foreign.dlopen(name, flag)


def _symbol(handle, name, what):
    try:
        return _foreign.dlsym(handle, name)
    except AttributeError as e:
        # A symbol may be there and be null, of which the loader says nothing.
        raise AttributeError(str(e) or f"{what} '{name}' not found") from None


def dlsym(handle, name, /):
    """find symbol in shared library"""
    sys.audit("ctypes.dlsym/handle", handle, name)
    try:
        return _symbol(handle, name, "symbol")
    except AttributeError as e:
        raise OSError(str(e)) from None


class _Info:
    """What is known of a type: its size, alignment, how it is passed, and its format."""

    __slots__ = ("size", "align", "passed", "format", "shape", "final")

    def __init__(self, size, align, passed, format, shape=()):
        self.size, self.align, self.passed, self.format, self.shape = size, align, passed, format, shape
        self.final = False

    def parts(self, at):
        """Its numbers with their offsets, as they are in an aggregate at a place."""
        if isinstance(self.passed, str):
            yield at, self.passed
        else:
            for offset, code in self.passed[2]:
                yield at + offset, code


def _info(cls):
    info = cls.__dict__.get("_info_")
    if info is None:
        # Also of a class that its metaclass has made and not initialized.
        raise TypeError("abstract class")
    return info


class _CArg:
    """An argument that is no ctypes instance: how it is passed, its value, and what it keeps."""

    __slots__ = ("code", "value", "_obj")

    def __init__(self, code, value, obj=None):
        self.code, self.value, self._obj = code, value, obj

    def __repr__(self):
        code, value = self.code, self.value
        if isinstance(value, _SimpleCData):
            value = value.value
        if code == "c":
            return f"<cparam 'c' ({ascii(value.decode('latin-1'))})>"
        if code in "zZP":
            return f"<cparam '{code}' ({value:#x})>"
        if code in "fd" or code in _INTS:
            return f"<cparam '{code}' ({value!r})>"
        return f"<cparam '{code}' at {id(self):#x}>"


class _CDataType(type):
    """What all types of ctypes have."""

    def __init__(cls, name, bases, namespace, **kwargs):
        if "_info_" in cls.__dict__:
            raise SystemError(f"class '{cls.__name__}' already initialized")
        super().__init__(name, bases, namespace, **kwargs)
        for base in bases:
            info = base.__dict__.get("_info_")
            if info is not None:
                info.final = True
        cls._made()

    def _made(cls):
        pass

    def __mul__(cls, length):
        return _array_type(cls, length)

    __rmul__ = __mul__

    @property
    def __pointer_type__(cls):
        try:
            return cls.__dict__["_pointer_type_"]
        except KeyError:
            raise AttributeError(f"type {cls!r} has no attribute '__pointer_type__'") from None

    @__pointer_type__.setter
    def __pointer_type__(cls, value):
        type.__setattr__(cls, "_pointer_type_", value)

    @__pointer_type__.deleter
    def __pointer_type__(cls):
        type.__delattr__(cls, "_pointer_type_")

    def from_address(cls, address, /):
        """C data at an address."""
        if not isinstance(address, int):
            raise TypeError("integer expected")
        return cls._at(address, None)

    def from_buffer(cls, obj, offset=0, /):
        """C data that shares a writable buffer."""
        shown = memoryview(obj)
        if shown.readonly:
            raise TypeError("underlying buffer is not writable")
        if not shown.c_contiguous:
            raise TypeError("underlying buffer is not C contiguous")
        address, length, view = _foreign.address_of(shown)
        cls._check_buffer(length, offset)
        made = cls._at(address + offset, None)
        made._keep = view
        made._objects = {"ffffffff": view}
        return made

    def from_buffer_copy(cls, buffer, offset=0, /):
        """C data that is a copy of a buffer."""
        data = memoryview(buffer).cast("B")
        cls._check_buffer(len(data), offset)
        made = cls._new()
        _write_bytes(made._address, data[offset:offset + _info(cls).size])
        return made

    def _check_buffer(cls, length, offset):
        size = _info(cls).size
        if offset < 0:
            raise ValueError("offset cannot be negative")
        if size > length - offset:
            raise ValueError(f"Buffer size too small ({length} instead of at least {size + offset} bytes)")

    def in_dll(cls, dll, name, /):
        """C data that a library exports."""
        try:
            return cls._at(_symbol(dll._handle, name, "symbol"), None)
        except AttributeError as e:
            raise ValueError(str(e)) from None

    def from_param(cls, value, /):
        """What is passed to a function for a Python object."""
        if isinstance(value, cls):
            return value
        parameter = getattr(value, "_as_parameter_", _missing)
        if parameter is not _missing:
            return cls.from_param(parameter)
        raise TypeError(f"expected {cls.__name__} instance instead of {type(value).__name__}")

    def _new(cls):
        """An instance with memory of its own, not initialized."""
        info = _info(cls)
        info.final = True
        made = cls.__new__(cls)
        return made

    def _at(cls, address, base, index=0):
        """An instance at an address, which it does not own: a part of its base, the one with an index."""
        _info(cls).final = True
        made = object.__new__(cls)
        made._address, made._keep, made._b_base_, made._index = address, base, base, index
        made._objects = made._size = None
        made._b_needsfree_ = 0
        return made


class _CData(metaclass=_CDataType):
    # Where the data are, what keeps them there, of which object it is a part and the how manieth, what it keeps alive, and its
    # size if that is not its type's.
    __slots__ = ("_address", "_keep", "_b_base_", "_index", "_objects", "_size", "_b_needsfree_", "__weakref__")

    def __new__(cls, *args, **kwargs):
        info = _info(cls)
        info.final = True
        made = object.__new__(cls)
        made._keep = memory = _foreign.Memory(info.size)
        made._address, made._index, made._b_needsfree_ = memory.address, 0, 1
        made._b_base_ = made._objects = made._size = None
        return made

    def _root(self):
        while self._b_base_ is not None:
            self = self._b_base_
        return self

    def _kept(self):
        """What the whole keeps, of which this is a part. Simple data keep one object at most, and others have a dictionary."""
        root = self._root()
        if root._objects is None and not isinstance(root, _SimpleCData):
            root._objects = {}
        return root._objects

    def _hold(self, index, obj):
        """Keeps what the memory points to, as long as the whole is there."""
        if obj is None:
            return
        kept = self._kept()
        if not isinstance(kept, dict):
            self._root()._objects = obj
            return
        key, part = format(index & 0xffffffff, "x"), self
        while part._b_base_ is not None:
            key = f"{key}:{part._index:x}"
            part = part._b_base_
        kept[key] = obj

    def __buffer__(self, flags):
        info = _info(type(self))
        view = _foreign.view(self._address, sizeof(self), self)
        code = info.format.lstrip("<")
        if len(code) == 1 and code in "bBhHiIlLqQfd?c" and len(info.shape) <= 1 and self._size is None:
            view = view.cast(code)
        return view

    def __ctypes_from_outparam__(self):
        return self

    def __reduce__(self):
        if _has_pointers(type(self)):
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        return _unpickle, (type(self), (getattr(self, "__dict__", {}), _read_bytes(self._address, sizeof(self))))

    def __setstate__(self, attributes, data, /):
        if not isinstance(attributes, dict):
            raise TypeError(f"__setstate__() argument 1 must be dict, not {type(attributes).__name__}")
        own = getattr(self, "__dict__", None if attributes else {})
        if not isinstance(own, dict):
            raise TypeError(f"{type(self).__name__}.__dict__ must be a dictionary, not {type(own).__name__}")
        _write_bytes(self._address, data[:sizeof(self)])
        own.update(attributes)

    __hash__ = object.__hash__


def _unpickle(cls, state):
    made = cls.__new__(cls)
    made.__setstate__(*state)
    return made


def _fixed(getter, setter, error=TypeError):
    """A property that cannot be deleted."""
    def deleter(self):
        raise error("cannot delete attribute" if error is AttributeError else "can't delete attribute")
    return property(getter, setter, deleter, getter.__doc__)


def _has_pointers(cls):
    if issubclass(cls, _SimpleCData):
        return cls._type_ in "PzZO"
    if issubclass(cls, Array):
        return _has_pointers(cls._type_)
    if issubclass(cls, (Structure, Union)):
        return any(_has_pointers(field.type) for field in cls._all_fields_)
    return True


# Simple types.

_SIZES = {"c": 1, "b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "u": 4, "l": 8, "L": 8, "q": 8, "Q": 8,
          "d": 8, "g": 16, "F": 8, "D": 16, "G": 32, "P": 8, "z": 8, "Z": 8, "O": 8, "v": 2}
# How those are passed that are no words: size, alignment, numbers.
_PASSED = {"g": (16, 16, ((0, "g"),)), "F": (8, 4, ((0, "f"), (4, "f"))), "D": (16, 8, ((0, "d"), (8, "d"))),
           "G": (32, 16, ((0, "G"),)), "v": "h"}
_FORMATS = {"P": "P", "z": "z", "Z": "Z", "O": "O", "u": "<w"}
_INTS = frozenset("bBhHiIlLqQ")
# Codes of struct whose standard size is not the native one, and those that have it.
_STANDARD = {"l": "q", "L": "Q"}


class _Holder:
    __slots__ = ("obj", "__weakref__")

    def __init__(self, obj):
        self.obj = obj


# Objects whose addresses are in memory, as long as a ctypes instance keeps their holder.
_holders = _weakref.WeakValueDictionary()


def _text_memory(value):
    data = value.encode("utf-32-le", "surrogatepass") + bytes(4)
    memory = _foreign.Memory(len(data))
    _write_bytes(memory.address, data)
    return memory


def _get_simple(code, address, swapped=False):
    if swapped:
        return _struct.unpack(">" + _STANDARD.get(code, code), _read_bytes(address, _SIZES[code]))[0]
    if code in _INTS or code in "fd":
        return _read(code, address)
    if code == "?":
        return _read("B", address) != 0
    if code == "v":
        return _read("h", address) != 0
    if code in "FD":
        part, size = ("f", 4) if code == "F" else ("d", 8)
        return complex(_read(part, address), _read(part, address + size))
    if code == "G":
        return complex(_long_double(_read_bytes(address, 10)), _long_double(_read_bytes(address + 16, 10)))
    if code == "c":
        return _read_bytes(address, 1)
    if code == "u":
        return chr(_read("I", address))
    if code == "P":
        return _read("P", address) or None
    if code == "z":
        at = _read("P", address)
        return _read_bytes(at, _foreign.length(at, 1)) if at else None
    if code == "Z":
        at = _read("P", address)
        return _wide_text(at, _foreign.length(at, 4)) if at else None
    if code == "g":
        return _long_double(_read_bytes(address, 10))
    holder = _holders.get(_read("P", address))
    if holder is None:
        raise ValueError("PyObject is NULL")
    return holder.obj


def _wide_text(address, count):
    return _read_bytes(address, 4 * count).decode("utf-32-le", "surrogatepass")


def _long_double(data):
    mantissa, top = _struct.unpack("<QH", data)
    sign, exponent = -1.0 if top & 0x8000 else 1.0, top & 0x7FFF
    if exponent == 0x7FFF:
        return sign * float("inf") if not mantissa << 1 & (1 << 64) - 1 else float("nan")
    import math
    return sign * math.ldexp(mantissa, exponent - 16383 - 63)


def _long_double_bytes(value):
    import math
    sign = 0x8000 if math.copysign(1.0, value) < 0 else 0
    if value != value or value in (float("inf"), float("-inf")):
        return _struct.pack("<QH", 1 << 63 | (1 << 62 if value != value else 0), sign | 0x7FFF)
    fraction, exponent = math.frexp(abs(value))
    return _struct.pack("<QH", int(fraction * 2.0**64), sign | (exponent + 16382 if fraction else 0))


def _set_simple(code, address, value, swapped=False):
    """Stores a value; what has to be kept for it."""
    if code in _INTS:
        if not isinstance(value, int):
            if isinstance(value, float) or not hasattr(value, "__index__"):
                raise TypeError(f"an integer is required (got type {type(value).__name__})"
                                if isinstance(value, float) else
                                f"'{type(value).__name__}' object cannot be interpreted as an integer")
            value = value.__index__()
        if swapped:
            size = _SIZES[code]
            _write_bytes(address, (value & (1 << 8 * size) - 1).to_bytes(size, "big"))
        else:
            _write(code, address, value)
    elif code in "fd":
        if not isinstance(value, (float, int)) and not hasattr(value, "__float__") and not hasattr(value, "__index__"):
            raise TypeError(f"must be real number, not {type(value).__name__}")
        if swapped:
            _write_bytes(address, _struct.pack(">" + code, value))
        else:
            _write(code, address, value)
    elif code == "?":
        _write("B", address, 1 if value else 0)
    elif code == "v":
        _write("h", address, -1 if value else 0)
    elif code in "FDG":
        value = complex(value)
        if swapped:
            _write_bytes(address, _struct.pack(">" + code, value))
        elif code == "G":
            _write_bytes(address, _long_double_bytes(value.real))
            _write_bytes(address + 16, _long_double_bytes(value.imag))
        else:
            part, size = ("f", 4) if code == "F" else ("d", 8)
            _write(part, address, value.real)
            _write(part, address + size, value.imag)
    elif code == "c":
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value <= 255:
                raise TypeError("integer not in range(256)")
            value = bytes((value,))
        if not isinstance(value, (bytes, bytearray)):
            raise TypeError("one character bytes, bytearray, or an integer in range(256) expected, "
                            f"not {type(value).__name__}")
        if len(value) != 1:
            raise TypeError("one character bytes, bytearray, or an integer in range(256) expected, "
                            f"not {type(value).__name__} of length {len(value)}")
        _write_bytes(address, value)
    elif code == "u":
        if not isinstance(value, str):
            raise TypeError(f"a unicode character expected, not instance of {type(value).__name__}")
        if len(value) != 1:
            raise TypeError(f"a unicode character expected, not a string of length {len(value)}")
        _write("I", address, ord(value))
    elif code == "g":
        _write_bytes(address, _long_double_bytes(float(value)))
    elif code == "O":
        holder = _Holder(value)
        _holders[id(value)] = holder
        _write("P", address, id(value))
        return holder
    elif value is None:
        _write("P", address, 0)
    elif isinstance(value, int):
        _write("P", address, value)
    elif code == "z" and isinstance(value, bytes):
        _write("P", address, _foreign.text_at(value))
        return value
    elif code == "Z" and isinstance(value, str):
        memory = _text_memory(value)
        _write("P", address, memory.address)
        return memory
    elif code == "P":
        raise TypeError("cannot be converted to pointer")
    else:
        what = "bytes" if code == "z" else "unicode string"
        raise TypeError(f"{what} or integer address expected instead of {type(value).__name__} instance")
    return None


class PyCSimpleType(_CDataType):
    def _made(cls):
        if cls.__dict__.get("_info_") is not None or cls.__module__ == "_ctypes" and cls.__name__ == "_SimpleCData":
            return
        code = getattr(cls, "_type_", None)
        if code is None:
            raise AttributeError("class must define a '_type_' attribute")
        if not isinstance(code, str):
            raise TypeError("class must define a '_type_' string attribute")
        if len(code) != 1:
            raise ValueError("class must define a '_type_' attribute which must be a string of length 1")
        if code not in _SIZES:
            raise AttributeError("class must define a '_type_' attribute which must be\na single character string "
                                 "containing one of 'cbBhHiIlLdDFGfuzZqQPOv?g'.")
        size, passed = _SIZES[code], _PASSED.get(code, code)
        cls._swapped = getattr(cls, "_swapped", False)
        mark = ">" if cls._swapped else "<"
        align = size if isinstance(passed, str) else passed[1]
        cls._info_ = _Info(size, align, passed, _FORMATS.get(code, mark + code))
        if code in "hHiIlLqQfdFD" and not cls._swapped and (_SimpleCData in cls.__bases__ or not issubclass(cls, _SimpleCData)):
            swapped = PyCSimpleType(cls.__name__, cls.__bases__, {"_type_": code, "_swapped": True, "__module__": cls.__module__})
            cls.__ctype_le__ = swapped.__ctype_le__ = cls
            cls.__ctype_be__ = swapped.__ctype_be__ = swapped
        if _SimpleCData in cls.__bases__ and code == "?":
            cls.__ctype_le__ = cls.__ctype_be__ = cls
        if _SimpleCData in cls.__bases__ and code in "zZP":
            # These can be called of instances too.
            cls.from_param = classmethod(PyCSimpleType.from_param)

    def from_param(cls, value, /):
        if isinstance(value, cls):
            return value
        _info(cls)
        code = cls._type_
        if code in "zZP":
            made = cls._pointer_param(code, value)
            if made is not None:
                return made
        elif code == "O":
            return _CArg("O", id(value), _set_simple("O", _scratch.address, value))
        else:
            try:
                made = cls(value)
            except (TypeError, ValueError):
                if not hasattr(value, "_as_parameter_"):
                    raise
            else:
                return _CArg(code, made, made)
        parameter = getattr(value, "_as_parameter_", _missing)
        if parameter is not _missing:
            return cls.from_param(parameter)
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as {cls.__module__}.{cls.__qualname__}")

    def _pointer_param(cls, code, value):
        if value is None:
            return _CArg("P", 0)
        if code == "P" and isinstance(value, int):
            return _CArg("P", value)
        if isinstance(value, bytes) and code != "Z":
            return _CArg("z", _foreign.text_at(value), value)
        if isinstance(value, str) and code != "z":
            memory = _text_memory(value)
            return _CArg("Z", memory.address, memory)
        if isinstance(value, _CArg):
            fits = code == "P" or isinstance(value._obj, _SimpleCData) and value._obj._type_ == {"z": "c", "Z": "u"}[code]
            return value if value.code == "P" and fits or value.code == code else None
        element = {"z": "c", "Z": "u"}.get(code)
        if isinstance(value, (Array, _Pointer)):
            inner = type(value)._type_
            if code == "P" or issubclass(inner, _SimpleCData) and inner._type_ == element:
                return _CArg("P", value._address if isinstance(value, Array) else _read("P", value._address), value)
            return None
        if code == "P":
            if isinstance(value, CFuncPtr):
                return _CArg("P", _read("P", value._address), value)
            if isinstance(value, _SimpleCData) and value._type_ in "zZP":
                return _CArg("P", _read("P", value._address), value)
        return None


class _SimpleCData(_CData, metaclass=PyCSimpleType):
    __slots__ = ()

    def __init__(self, *args):
        if args:
            if len(args) > 1:
                raise TypeError(f"__init__ expected at most 1 argument, got {len(args)}")
            self.value = args[0]

    def __new__(cls, *args, **kwargs):
        if cls is _SimpleCData:
            raise TypeError("abstract class")
        return super().__new__(cls)

    def _value(self):
        """current value"""
        return _get_simple(self._type_, self._address, self._swapped)

    def _set_value(self, value):
        self._hold(0, _set_simple(self._type_, self._address, value, self._swapped))

    value = _fixed(_value, _set_value)

    def __bool__(self):
        return any(_read_bytes(self._address, _info(type(self)).size))

    def __repr__(self):
        if _SimpleCData not in type(self).__bases__:
            return f"<{type(self).__name__} object at {id(self):#x}>"
        return f"{type(self).__name__}({self.value!r})"

    def __ctypes_from_outparam__(self):
        return self.value if _is_plain(type(self)) else self


_scratch = _foreign.Memory(16)


def _is_plain(cls):
    """Whether values of the type are Python's own: it is one of ctypes' simple types, and no subclass of one."""
    return _SimpleCData in cls.__bases__


# Reading and writing what a type has at an address.

def _quick_code(cls):
    """The code of a type whose values are numbers of Python's, in the machine's order; None of others."""
    if issubclass(cls, _SimpleCData) and _is_plain(cls) and not cls._swapped and (cls._type_ in _INTS or cls._type_ in "fd"):
        return cls._type_
    return None


def _is_quick(code, value):
    """Can the value be stored by a quick code as it is?"""
    return type(value) is int if code in _INTS else type(value) is float


def _get(cls, address, base, index=0):
    if _SimpleCData in cls.__bases__:
        return _get_simple(cls._type_, address, cls._swapped)
    return cls._at(address, base, index)


def _set(cls, address, value, owner, index):
    """Stores a value of a type; the owner keeps what it points to."""
    owner._hold(index, _store(cls, address, value))


def _store(cls, address, value):
    """Stores a value of a type; what is to be kept for it."""
    if isinstance(value, cls):
        _write_bytes(address, _read_bytes(value._address, _info(cls).size))
        return value._kept()
    if issubclass(cls, _SimpleCData):
        return _set_simple(cls._type_, address, value, cls._swapped)
    if issubclass(cls, Array):
        inner = cls._type_
        code = inner._type_ if issubclass(inner, _SimpleCData) else ""
        if code in ("c", "u"):
            _store_text(cls, address, value)
            return None
    if issubclass(cls, (Structure, Union, Array)) and isinstance(value, tuple):
        try:
            made = cls(*value)
        except Exception as e:
            raise RuntimeError(f"({cls.__name__}) {type(e).__name__}: {e}") from None
        return _store(cls, address, made)
    if issubclass(cls, (_Pointer, CFuncPtr)) and value is None:
        _write("P", address, 0)
        return None
    if issubclass(cls, _Pointer) and isinstance(value, Array) and issubclass(type(value)._type_, cls._type_):
        _write("P", address, value._address)
        return value._kept(), value
    raise TypeError(f"incompatible types, {type(value).__name__} instance instead of {cls.__name__} instance")


def _store_text(cls, address, value):
    """Stores text in an array of characters: what comes before the first zero, if it is bytes."""
    most = cls._length_
    if cls._type_._type_ == "u":
        if not isinstance(value, str):
            raise TypeError(f"unicode string expected instead of {type(value).__name__} instance")
        if len(value) > most:
            raise ValueError(f"string too long ({len(value)}, maximum length {most})")
        value = (value if len(value) == most else value + "\0").encode("utf-32-le", "surrogatepass")
    else:
        if not isinstance(value, bytes):
            raise TypeError(f"expected bytes, {type(value).__name__} found")
        value = value.partition(b"\0")[0]
        if len(value) > most:
            raise ValueError(f"bytes too long ({len(value)}, maximum length {most})")
        if len(value) < most:
            value += b"\0"
    _write_bytes(address, value)


# Structures and unions.

class CField(_foreign.Field):
    """Structure/Union member"""

    __module__ = "_ctypes"
    __slots__ = (
        "name", "type", "byte_size", "byte_offset", "index", "bit_size", "bit_offset", "is_bitfield", "is_anonymous",
    )

    def __init__(self, *, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None):
        if not isinstance(name, str):
            raise TypeError(f"field name must be a string, not {name!r}")
        self.name, self.type, self.byte_size, self.byte_offset = name, type, byte_size, byte_offset
        self.index, self.is_bitfield = index, bit_size is not None
        if not isinstance(type, _CDataType):
            raise TypeError(f"type of field {name!r} must be a C type")
        if byte_size != _info(type).size:
            raise ValueError(f"byte size of field {name!r} ({byte_size}) does not match type size ({_info(type).size})")
        if self.is_bitfield and not 0 <= bit_offset <= 8 * byte_size - bit_size:
            raise ValueError(f"bit field {name!r} overflows its type ({bit_offset} + {bit_size} > {8 * byte_size})")
        self.bit_size, self.bit_offset = (8 * byte_size, 0) if bit_size is None else (bit_size, bit_offset)
        self.is_anonymous = False
        if self.is_bitfield and not (issubclass(type, _SimpleCData) and type._type_ in "bBhHiIlLqQ?"):
            raise TypeError(f"bit fields not allowed for type {type.__name__}")
        self._aim()

    def _aim(self):
        code = None if self.is_bitfield else _quick_code(self.type)
        self._place(_CData, "_address", self.byte_offset, code or "")

    offset = property(lambda self: self.byte_offset)

    @property
    def size(self):
        return self.bit_size << 16 | self.bit_offset if self.is_bitfield else self.byte_size

    def _moved(self, offset):
        """The same as a field of what it is in anonymously."""
        made = CField.__new__(CField)
        for name in CField.__slots__:
            setattr(made, name, getattr(self, name))
        made.byte_offset += offset
        made._aim()
        return made

    def _get(self, obj):
        if not isinstance(obj, _CData):
            raise TypeError("not a ctype instance")
        address = obj._address + self.byte_offset
        if not self.is_bitfield:
            made = _get(self.type, address, obj, self.index)
            # Of characters their text.
            return made.value if isinstance(made, Array) and hasattr(type(made), "value") else made
        word = self._word(address) >> self.bit_offset & (1 << self.bit_size) - 1
        code = self.type._type_
        if code == "?":
            return word != 0
        if code.islower() and word >> self.bit_size - 1:
            word -= 1 << self.bit_size
        return word

    def _word(self, address):
        order = "big" if self.type._swapped else "little"
        return int.from_bytes(_read_bytes(address, self.byte_size), order)

    def _set(self, obj, value):
        if not isinstance(obj, _CData):
            raise TypeError("not a ctype instance")
        address = obj._address + self.byte_offset
        if not self.is_bitfield:
            return _set(self.type, address, value, obj, self.index)
        _set_simple(self.type._type_, _scratch.address, value)
        word = int.from_bytes(_read_bytes(_scratch.address, self.byte_size), "little")
        mask = (1 << self.bit_size) - 1 << self.bit_offset
        word = self._word(address) & ~mask | word << self.bit_offset & mask
        order = "big" if self.type._swapped else "little"
        _write_bytes(address, word.to_bytes(self.byte_size, order))

    def __repr__(self):
        if self.is_bitfield:
            where = f"ofs={self.byte_offset}, bit_size={self.bit_size}, bit_offset={self.bit_offset}"
        else:
            where = f"ofs={self.byte_offset}, size={self.byte_size}"
        return f"<ctypes.CField '{self.name}' type={self.type.__name__}, {where}>"


class _AggregateType(_CDataType):
    def _made(cls):
        if "_abstract_" in cls.__dict__:
            return
        fields = cls.__dict__.get("_fields_")
        if fields is not None:
            # Metaclasses see it.
            cls._fields_ = fields
        elif not (cls.__module__ == "_ctypes" and cls.__name__ in ("Structure", "Union")):
            # Its base's fields, until it gets its own.
            base = cls._base()
            if base is not None:
                info = _info(base)
                type.__setattr__(cls, "_info_", _Info(info.size, info.align, info.passed, info.format))
                type.__setattr__(cls, "_all_fields_", list(base._all_fields_))
            else:
                type.__setattr__(cls, "_info_", _Info(0, 1, (0, 1, ()), "B"))

    def __init__(cls, name, bases, namespace, **kwargs):
        type.__setattr__(cls, "_ready_", True)
        super().__init__(name, bases, namespace, **kwargs)

    def __setattr__(cls, name, value):
        if name == "_fields_":
            if "_ready_" not in cls.__dict__:
                raise TypeError("ctypes state is not initialized")
            cls._lay_out(value)
        type.__setattr__(cls, name, value)

    def _base(cls):
        base = cls.__base__
        if isinstance(base, _AggregateType) and base not in (Structure, Union) and base.__dict__.get("_all_fields_"):
            return base
        return None

    def _lay_out(cls, fields):
        info = cls.__dict__.get("_info_")
        if info is not None and info.final:
            raise AttributeError("_fields_ is final")
        if any(len(field) > 1 and field[1] is cls for field in fields):
            raise AttributeError("Structure or union cannot contain itself")
        if not isinstance(fields, (list, tuple)):
            raise TypeError("_fields_ must be a sequence of pairs")
        from ctypes._layout import get_layout
        base, is_struct = cls._base(), issubclass(cls, Structure)
        pack = getattr(cls, "_pack_", 0)
        if not isinstance(pack, int):
            raise ValueError("_pack_ must be an integer")
        if not 0 <= pack < 2**31:
            raise ValueError("_pack_ must be a non-negative integer" if pack < 0 else "_pack_ too big")
        for field in fields:
            if len(field) > 1 and not isinstance(field[1], _CDataType):
                raise TypeError(f"second item in _fields_ tuple must be a C type, not {field[1]!r}")
        layout = get_layout(cls, fields, is_struct, base)
        parts = list(_info(base).parts(0)) if base is not None else []
        for field in layout.fields:
            type.__setattr__(cls, field.name, field)
            field_info = _info(field.type)
            field_info.final = True
            parts.extend(field_info.parts(field.byte_offset))
        own = list(layout.fields)
        type.__setattr__(cls, "_all_fields_", (list(base._all_fields_) if base is not None else []) + own)
        for name in cls.__dict__.get("_anonymous_", ()):
            field = cls.__dict__.get(name)
            if not isinstance(field, CField):
                raise AttributeError(name)
            field.is_anonymous = True
            # Of those that are anonymous themselves, what they have.
            names = [inner.name for inner in field.type._all_fields_ if not inner.is_anonymous]
            names += getattr(field.type, "_promoted_", ())
            for inner_name in names:
                promoted = getattr(field.type, inner_name, None)
                if isinstance(promoted, CField):
                    type.__setattr__(cls, inner_name, promoted._moved(field.byte_offset))
            type.__setattr__(cls, "_promoted_", [*getattr(cls, "_promoted_", ()), *names])
        passed = (layout.size, layout.align, tuple(parts))
        type.__setattr__(cls, "_info_", _Info(layout.size, layout.align, passed, layout.format_spec))
        # Fields that there are cannot be laid out another time.
        cls._info_.final = True


class PyCStructType(_AggregateType):
    pass


class UnionType(_AggregateType):
    pass


def _initialize(self, args, kwargs):
    fields = getattr(type(self), "_all_fields_", ())
    if len(args) > len(fields):
        raise TypeError("too many initializers")
    for field, value in zip(fields, args):
        if field.name in kwargs:
            raise TypeError(f"duplicate values for field {field.name!r}")
        setattr(self, field.name, value)
    for name, value in kwargs.items():
        setattr(self, name, value)


class Structure(_CData, metaclass=PyCStructType):
    """Structure base class"""

    __slots__ = ()

    def __init__(self, *args, **kwargs):
        _initialize(self, args, kwargs)


class Union(_CData, metaclass=UnionType):
    """Union base class"""

    __slots__ = ()

    def __init__(self, *args, **kwargs):
        _initialize(self, args, kwargs)


# Arrays.

class PyCArrayType(_CDataType):
    def _made(cls):
        if cls.__name__ == "Array" and cls.__module__ == "_ctypes":
            return
        length, inner = getattr(cls, "_length_", None), getattr(cls, "_type_", None)
        if length is None:
            raise AttributeError("class must define a '_length_' attribute")
        if not isinstance(length, int):
            raise TypeError("The '_length_' attribute must be an integer")
        if length < 0:
            raise ValueError("The '_length_' attribute must not be negative")
        if inner is None:
            raise AttributeError("class must define a '_type_' attribute")
        info = _info(inner)
        info.final = True
        if length * info.size >= 2**63:
            raise OverflowError("array too large")
        passed = (length * info.size, info.align, tuple(
            part for i in range(min(length, 17)) for part in info.parts(i * info.size)))
        cls._info_ = _Info(length * info.size, info.align, passed, info.format, (length, *info.shape))
        code = _quick_code(inner)
        cls._quick_ = None if code is None else (code, info.size, length)
        if issubclass(inner, _SimpleCData) and inner._type_ in "cu":
            text = _CharArray if inner._type_ == "c" else _WideArray
            for name in ("value", "raw"):
                if name in text:
                    setattr(cls, name, text[name])

    def from_param(cls, value, /):
        if isinstance(value, cls):
            return value
        _info(cls)
        if issubclass(cls._type_, _SimpleCData):
            code = cls._type_._type_
            if code == "c" and isinstance(value, bytes) or code == "u" and isinstance(value, str):
                if len(value) > cls._length_:
                    raise ValueError("Invalid length")
                return cls(*value) if code == "u" else cls(*(value[i:i + 1] for i in range(len(value))))
        if isinstance(value, tuple):
            return cls(*value)
        return super().from_param(value)


def _get_char_value(self):
    """string value"""
    data = _read_bytes(self._address, sizeof(self))
    end = data.find(b"\0")
    return data if end < 0 else data[:end]


def _set_char_value(self, value):
    if not isinstance(value, bytes):
        raise TypeError(f"bytes expected instead of {type(value).__name__} instance")
    size = sizeof(self)
    if len(value) > size:
        raise ValueError("byte string too long")
    _write_bytes(self._address, value if len(value) == size else value + b"\0")


def _get_raw(self):
    """value"""
    return _read_bytes(self._address, sizeof(self))


def _set_raw(self, value):
    data = memoryview(value).cast("B")
    if len(data) > sizeof(self):
        raise ValueError("byte string too long")
    _write_bytes(self._address, data)


def _get_wide_value(self):
    """string value"""
    text = _wide_text(self._address, sizeof(self) // 4)
    end = text.find("\0")
    return text if end < 0 else text[:end]


def _set_wide_value(self, value):
    if not isinstance(value, str):
        raise TypeError(f"unicode string expected instead of {type(value).__name__} instance")
    size = sizeof(self) // 4
    if len(value) > size:
        raise ValueError("string too long")
    _write_bytes(self._address, (value if len(value) == size else value + "\0").encode("utf-32-le", "surrogatepass"))


_CharArray = {"value": _fixed(_get_char_value, _set_char_value), "raw": _fixed(_get_raw, _set_raw, AttributeError)}
_WideArray = {"value": _fixed(_get_wide_value, _set_wide_value)}


class Array(_CData, metaclass=PyCArrayType):
    """Abstract base class for arrays."""

    __module__ = "_ctypes"
    __slots__ = ()

    def __new__(cls, *args):
        if cls is Array:
            raise TypeError("abstract class")
        return super().__new__(cls)

    def __init__(self, *args):
        if len(args) > self._length_:
            raise IndexError("invalid index")
        for i, value in enumerate(args):
            self[i] = value

    def __len__(self):
        return self._length_

    def _place(self, i):
        if i < 0:
            i += self._length_
        if not 0 <= i < self._length_:
            raise IndexError("invalid index")
        return i

    def __getitem__(self, key):
        if type(key) is int and self._quick_ is not None:
            code, size, length = self._quick_
            if 0 <= key < length:
                return _read(code, self._address + key * size)
        inner = self._type_
        if isinstance(key, slice):
            return _items(self, inner, self._address, range(*key.indices(self._length_)))
        if not hasattr(key, "__index__"):
            raise TypeError("indices must be integers")
        i = self._place(key.__index__())
        return _get(inner, self._address + i * _info(inner).size, self, i)

    def __setitem__(self, key, value):
        if type(key) is int and self._quick_ is not None:
            code, size, length = self._quick_
            if 0 <= key < length and _is_quick(code, value):
                return _write(code, self._address + key * size, value)
        if isinstance(key, slice):
            places = range(*key.indices(self._length_))
            if len(places) != len(value):
                raise ValueError("Can only assign sequence of same size")
            for i, item in zip(places, value):
                self[i] = item
            return
        if not hasattr(key, "__index__"):
            raise TypeError("indices must be integer")
        i = self._place(key.__index__())
        _set(self._type_, self._address + i * _info(self._type_).size, value, self, i)

    def __delitem__(self, key):
        raise TypeError("Array does not support item deletion")

    def __class_getitem__(cls, item):
        import types
        return types.GenericAlias(cls, item)


def _items(base, inner, address, places):
    """Items at places behind an address: bytes, text or a list."""
    size = _info(inner).size
    if issubclass(inner, _SimpleCData) and inner._type_ == "c":
        return b"".join([_read_bytes(address + i, 1) for i in places])
    if issubclass(inner, _SimpleCData) and inner._type_ == "u":
        return "".join([chr(_read("I", address + 4 * i)) for i in places])
    return [_get(inner, address + i * size, base, i) for i in places]


_array_types = {}


def _array_type(cls, length):
    if not isinstance(length, int):
        raise TypeError(f"can't multiply sequence by non-int of type '{type(length).__name__}'")
    if length < 0:
        raise ValueError(f"Array length must be >= 0, not {length}")
    found = _array_types.get((cls, length))
    if found is None:
        _info(cls)
        found = PyCArrayType(f"{cls.__name__}_Array_{length}", (Array,), {"_length_": length, "_type_": cls, "__module__": cls.__module__})
        _array_types[cls, length] = found
    return found


# Pointers.

class PyCPointerType(_CDataType):
    def _made(cls):
        if cls.__name__ == "_Pointer" and cls.__module__ == "_ctypes":
            return
        cls._info_ = _Info(8, 8, "P", "&<?>")
        inner = cls.__dict__.get("_type_")
        if inner is not None:
            cls._point_to(inner)

    def _point_to(cls, inner):
        if not isinstance(inner, _CDataType):
            raise TypeError("_type_ must have storage info")
        if "_pointer_type_" not in inner.__dict__:
            inner.__pointer_type__ = cls

    def set_type(cls, inner, /):
        """The type of what it points to."""
        cls._point_to(inner)
        cls._type_ = inner

    def from_param(cls, value, /):
        if value is None:
            return None
        inner = getattr(cls, "_type_", None)
        if inner is None:
            raise TypeError("abstract class")
        if inner is not None:
            if isinstance(value, inner):
                return _CArg("P", value._address, value)
            if isinstance(value, (Array, _Pointer)) and not isinstance(value, cls):
                if issubclass(type(value)._type_, inner):
                    at = value._address if isinstance(value, Array) else _read("P", value._address)
                    return _CArg("P", at, value)
            if isinstance(value, _CArg) and value.code == "P" and isinstance(value._obj, inner):
                return value
        return super().from_param(value)


class _Pointer(_CData, metaclass=PyCPointerType):
    """The address of an object of C, with the type of what is there."""

    __module__ = "_ctypes"
    __slots__ = ()

    def __new__(cls, *args):
        _info(cls)
        # Those of its bases are not its own.
        if cls.__dict__.get("_type_") is None:
            raise TypeError("Cannot create instance: has no _type_")
        return super().__new__(cls)

    def __init__(self, value=None, /):
        if value is not None:
            self.contents = value

    def _contents(self):
        """the object this pointer points to (read-write)"""
        at = _read("P", self._address)
        if not at:
            raise ValueError("NULL pointer access")
        return self._type_._at(at, self)

    def _set_contents(self, value):
        if not isinstance(value, self._type_):
            raise TypeError(f"expected {self._type_.__name__} instead of {type(value).__name__}")
        _write("P", self._address, value._address)
        self._hold(1, value)
        self._hold(0, value._kept())

    contents = _fixed(_contents, _set_contents)

    def _start(self):
        at = _read("P", self._address)
        if not at:
            raise ValueError("NULL pointer access")
        return at

    def __getitem__(self, key):
        inner = self._type_
        if isinstance(key, slice):
            step = 1 if key.step is None else key.step
            if key.stop is None:
                raise ValueError("slice stop is required")
            if key.start is None and step < 0:
                raise ValueError("slice start is required for step < 0")
            start = 0 if key.start is None else key.start
            return _items(self, inner, self._start(), range(start, key.stop, step))
        if not hasattr(key, "__index__"):
            raise TypeError("Pointer indices must be integer")
        i = key.__index__()
        return _get(inner, self._start() + i * _info(inner).size, self, i)

    def __setitem__(self, key, value):
        if not hasattr(key, "__index__"):
            raise TypeError("Pointer indices must be integer")
        i = key.__index__()
        _set(self._type_, self._start() + i * _info(self._type_).size, value, self, i)

    def __delitem__(self, key):
        raise TypeError("Pointer does not support item deletion")

    def __bool__(self):
        return _read("P", self._address) != 0


# Functions.

class _Builtin(int):
    """What stands for the address of a function that is written here."""


class PyCFuncPtrType(_CDataType):
    def _at(cls, address, base, index=0):
        return super()._at(address, base, index)._plain()

    def _made(cls):
        if cls.__name__ == "CFuncPtr" and cls.__module__ == "_ctypes":
            return
        cls._info_ = _Info(8, 8, "P", "X{}")
        if not isinstance(getattr(cls, "_flags_", None), int):
            raise TypeError("class must define _flags_ which must be an integer")
        argtypes = getattr(cls, "_argtypes_", None)
        if argtypes is not None:
            _check_argtypes(argtypes)


def _check_argtypes(argtypes):
    if not isinstance(argtypes, (tuple, list)):
        raise TypeError("_argtypes_ must be a sequence of types")
    if len(argtypes) > CTYPES_MAX_ARGCOUNT:
        raise ArgumentError(f"_argtypes_ has too many arguments ({len(argtypes)}), maximum is {CTYPES_MAX_ARGCOUNT}")
    for i, argtype in enumerate(argtypes, 1):
        if not hasattr(argtype, "from_param"):
            raise TypeError(f"item {i} in _argtypes_ has no from_param method")


def _as_argument(value, i):
    """An argument as it is passed: how, the number or bytes, and what is to be kept."""
    if isinstance(value, _CArg):
        if isinstance(value.value, _CData):
            return _as_argument(value.value, i)
        return "P" if value.code in "zZ" else value.code, value.value, value._obj
    if isinstance(value, _CData):
        info = _info(type(value))
        if isinstance(value, Array):
            return "P", value._address, value
        if isinstance(info.passed, str):
            return info.passed, _read(info.passed, value._address), value
        return info.passed, _read_bytes(value._address, info.size), value
    if value is None:
        return "P", 0, None
    if isinstance(value, int):
        return "i", value, None
    if isinstance(value, bytes):
        return "P", _foreign.text_at(value), value
    if isinstance(value, str):
        memory = _text_memory(value)
        return "P", memory.address, memory
    parameter = getattr(value, "_as_parameter_", _missing)
    if parameter is not _missing:
        return _as_argument(parameter, i)
    raise TypeError(f"Don't know how to convert parameter {i}")


class CFuncPtr(_CData, metaclass=PyCFuncPtrType):
    """Function Pointer"""

    __module__ = "_ctypes"
    # The last two: its types as `_foreign` has them once they are known, if a call takes no more than those, and what makes the
    # result of what comes.
    __slots__ = ("_builtin", "_errcheck", "_own_restype", "_own_argtypes", "_paramflags", "_known", "_finish")

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)._plain()

    def _plain(self):
        self._builtin = self._errcheck = self._paramflags = self._finish = None
        self._own_restype = self._own_argtypes = self._known = _missing
        return self

    def __init__(self, *args):
        if not args:
            return
        first, flags = args[0], args[1] if len(args) > 1 else None
        if isinstance(first, tuple):
            name, library = first
            if not isinstance(library._handle, int):
                raise TypeError("the _handle attribute of the second argument must be an integer")
            if not isinstance(name, (str, bytes)):
                raise TypeError("function ordinals are not supported on this platform")
            address = _symbol(library._handle, name if isinstance(name, str) else name.decode(), "function")
            _write("P", self._address, address)
            self._hold(0, library)
            self._set_flags(flags)
        elif isinstance(first, _Builtin):
            self._builtin, self._known = first, None
        elif isinstance(first, int):
            _write("P", self._address, first)
            self._set_flags(flags)
        elif callable(first):
            self._make_callback(first)
        else:
            raise TypeError("argument must be callable or integer function address")

    def _set_flags(self, flags):
        if flags is None:
            return
        flags = [(flag[0] if flag[0] is not None else 1, *flag[1:]) for flag in flags]
        _check_paramflags(flags, self.argtypes)
        self._paramflags, self._known = flags, None

    def _make_callback(self, function):
        argtypes, restype = getattr(type(self), "_argtypes_", None), getattr(type(self), "_restype_", None)
        if argtypes is None:
            raise TypeError("cannot construct instance of this class: no argtypes")
        if restype is not None and not (isinstance(restype, _CDataType) and issubclass(restype, _SimpleCData)):
            raise TypeError("invalid result type for callback function")

        def call(*values):
            row = []
            for argtype, value in zip(argtypes, values):
                row.append(_from_word(argtype, value))
            result = function(*row)
            if restype is None:
                return None
            made = restype._new()
            passed = _info(restype).passed
            try:
                _set(restype, made._address, result, made, 0)
            except Exception as e:
                what = f"Exception ignored while converting result of ctypes callback function {function!r}"
                _foreign.unraisable(e, what)
            if isinstance(passed, str):
                return _read(passed, made._address)
            return _read_bytes(made._address, _info(restype).size)

        codes = [_info(argtype).passed for argtype in argtypes]
        result = "" if restype is None else _info(restype).passed
        thunk = _foreign.Callback(call, function, result, codes, type(self)._flags_ & FUNCFLAG_USE_ERRNO)
        _write("P", self._address, thunk.address)
        self._hold(0, thunk)

    @property
    def restype(self):
        """specify the result type"""
        own = self._own_restype
        return getattr(type(self), "_restype_", None) if own is _missing else own

    @restype.setter
    def restype(self, value):
        if value is not None and not isinstance(value, _CDataType) and not callable(value):
            raise TypeError("restype must be a type, a callable, or None")
        self._own_restype, self._known = value, _missing

    @restype.deleter
    def restype(self):
        self._own_restype = self._known = _missing

    @property
    def argtypes(self):
        """specify the argument types"""
        own = self._own_argtypes
        return getattr(type(self), "_argtypes_", None) if own is _missing else own

    @argtypes.setter
    def argtypes(self, value):
        if value is not None:
            _check_argtypes(value)
            if self._paramflags is not None:
                _check_paramflags(self._paramflags, value)
            value = tuple(value)
        self._own_argtypes, self._known = value, _missing

    @argtypes.deleter
    def argtypes(self):
        self._own_argtypes = self._known = _missing

    @property
    def errcheck(self):
        """a function to check for errors"""
        return self._errcheck

    @errcheck.setter
    def errcheck(self, value):
        if not callable(value):
            raise TypeError("the errcheck attribute must be callable")
        self._errcheck, self._known = value, None

    @errcheck.deleter
    def errcheck(self):
        self._errcheck, self._known = None, _missing

    def __bool__(self):
        return self._builtin is not None or _read("P", self._address) != 0

    def __call__(self, *args, **kwargs):
        known = self._known
        if known is _missing:
            known = self._learn()
        if known is not None and not kwargs:
            result = _call_known(known, self._address, args)
            if result is not NotImplemented:
                finish = self._finish
                return result if finish is None else finish(result)
        return self._call(args, kwargs)

    def _learn(self):
        """Finds out whether arguments and result are such that `_foreign` can convert them, as most are."""
        self._known = self._finish = None
        if self._builtin is not None or self._paramflags is not None or self._errcheck is not None:
            return None
        codes, classes = "", []
        for argtype in self.argtypes or ():
            if not isinstance(argtype, _CDataType) or getattr(argtype.from_param, "__func__", None) not in _OWN_CONVERSIONS:
                return None
            if issubclass(argtype, _SimpleCData) and argtype._type_ in "bBhHiIlLqQfd?czP" and not argtype._swapped:
                codes += argtype._type_
                classes += (argtype, None)
            elif issubclass(argtype, _Pointer) and argtype.__dict__.get("_type_") is not None:
                codes += "&"
                classes += (argtype, argtype._type_)
            else:
                return None
        restype = self.restype
        if restype is None:
            code = "v"
        elif not isinstance(restype, _CDataType):
            code, self._finish = "i", restype
        elif _is_plain(restype) and restype._type_ in "bBhHiIlLqQfd?czP" and not restype._swapped:
            code, self._finish = restype._type_, getattr(restype, "_check_retval_", None)
        elif isinstance(_info(restype).passed, str):
            code = {"P": "L", "z": "L", "c": "B", "?": "B"}.get(_info(restype).passed, _info(restype).passed)
            self._finish = _finisher(restype)
        else:
            return None
        flags = type(self)._flags_
        self._known = _foreign.Function(code, codes, flags, _CArg, ("_address", "value", "_obj"), tuple(classes))
        return self._known

    def _call(self, args, kwargs):
        if self._builtin is not None:
            sys.audit("ctypes.call_function", int(self._builtin), args)
            return _builtins[self._builtin](*args)
        argtypes, outs = self.argtypes, None
        if self._paramflags is not None:
            args, outs = self._fill(args, kwargs, argtypes)
        elif kwargs:
            raise TypeError(f"{type(self).__name__} takes no keyword arguments")
        if len(args) > CTYPES_MAX_ARGCOUNT:
            raise ArgumentError(f"too many arguments ({len(args)}), maximum is {CTYPES_MAX_ARGCOUNT}")
        codes, values, kept = [], [], []
        count = 0 if argtypes is None else len(argtypes)
        if len(args) < count:
            plural = "" if count == 1 else "s"
            raise TypeError(f"this function takes at least {count} argument{plural} ({len(args)} given)")
        for i, value in enumerate(args, 1):
            try:
                if i <= count:
                    value = argtypes[i - 1].from_param(value)
                code, word, keep = _as_argument(value, i)
            except ArgumentError:
                raise
            except Exception as e:
                raise ArgumentError(f"argument {i}: {type(e).__name__}: {e}") from None
            codes.append(code)
            values.append(word)
            kept.append((value, keep))
        restype = self.restype
        if restype is None:
            result_code = ""
        elif isinstance(restype, _CDataType):
            result_code = _info(restype).passed
        else:
            result_code = "i"
        address = _read("P", self._address)
        sys.audit("ctypes.call_function", address, args)
        result = _foreign.call(address, result_code, codes, values, type(self)._flags_)
        if restype is not None:
            if isinstance(restype, _CDataType):
                result = _from_word(restype, result)
                check = getattr(restype, "_check_retval_", None)
                if check is not None:
                    result = check(result)
            else:
                result = restype(result)
        if self._errcheck is not None:
            checked = self._errcheck(result, self, args)
            if outs is None or checked is not args:
                result = checked
            if outs is not None and checked is not args:
                return checked
        if outs is None:
            return result
        found = [out.__ctypes_from_outparam__() for out in outs]
        return found[0] if len(found) == 1 else tuple(found) if found else result

    def _fill(self, args, kwargs, argtypes):
        """Arguments by the flags of the parameters, and those of them that are results."""
        args, row, outs = list(args), [], []
        for flag, argtype in zip(self._paramflags, argtypes):
            kind, name = flag[0], flag[1] if len(flag) > 1 else None
            default = flag[2] if len(flag) > 2 else _missing
            if kind & 2 and not kind & 1:
                inner = argtype._type_
                made = inner() if not isinstance(argtype, PyCArrayType) else argtype()
                outs.append(made)
                row.append(byref(made) if not isinstance(argtype, PyCArrayType) else made)
                continue
            if args:
                value = args.pop(0)
            elif name is not None and name in kwargs:
                value = kwargs[name]
            elif default is not _missing:
                value = default
            elif kind & 4:
                value = 0
            elif name is not None:
                raise TypeError(f"required argument '{name}' missing")
            else:
                raise TypeError("not enough arguments")
            if kind & 2:
                inner = argtype._type_
                if not isinstance(value, inner):
                    value = inner(value)
                outs.append(value)
                value = byref(value)
            row.append(value)
        if args:
            raise TypeError(f"call takes exactly {len(row) - len(outs)} arguments ({len(args) + len(row)} given)")
        return tuple(row), outs

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"


_missing = object()
_call_known = _foreign.call_known


def _finisher(restype):
    """What makes the result of a word, for a type whose values are not Python's own."""
    check = getattr(restype, "_check_retval_", None)
    if check is None:
        return lambda word: _from_word(restype, word)
    return lambda word: check(_from_word(restype, word))


def _check_paramflags(flags, argtypes):
    if argtypes is None:
        return
    if len(flags) != len(argtypes):
        raise ValueError("paramflags must have the same length as argtypes")
    for i, (flag, argtype) in enumerate(zip(flags, argtypes), 1):
        if flag[0] & 2 and not (isinstance(argtype, _CDataType) and issubclass(argtype, (_Pointer, Array))
                                or getattr(argtype, "_type_", None) in ("P", "z", "Z")):
            raise TypeError(f"'out' parameter {i} must be a pointer type, not {argtype.__name__}")


def _from_word(cls, word):
    """A value that came in a register or as bytes, as an object of a type."""
    info = _info(cls)
    if _SimpleCData in cls.__bases__:
        code = cls._type_
        if code in _INTS or code in "fd" and not isinstance(word, bytes):
            return word
        if code == "?":
            return word != 0
    made = cls._new()
    if isinstance(info.passed, str):
        _write(info.passed, made._address, word)
    else:
        _write_bytes(made._address, word)
    return _get_simple(cls._type_, made._address) if _SimpleCData in cls.__bases__ else made


# Functions of the module.

def sizeof(obj_or_type, /):
    """Return the size in bytes of a C instance."""
    if isinstance(obj_or_type, _CDataType):
        return _info(obj_or_type).size
    if isinstance(obj_or_type, _CData):
        return _info(type(obj_or_type)).size if obj_or_type._size is None else obj_or_type._size
    raise TypeError("this type has no size")


def alignment(obj_or_type, /):
    """Return the alignment requirements of a C instance."""
    if isinstance(obj_or_type, _CDataType):
        return _info(obj_or_type).align
    if isinstance(obj_or_type, _CData):
        return _info(type(obj_or_type)).align
    raise TypeError("no alignment info")


def addressof(obj, /):
    """Return the address of the C instance internal buffer"""
    if not isinstance(obj, _CData):
        raise TypeError("invalid type")
    sys.audit("ctypes.addressof", obj)
    return obj._address


def byref(obj, offset=0, /):
    """Return a pointer lookalike to a C instance, only usable as function argument."""
    if not isinstance(obj, _CData):
        raise TypeError(f"byref() argument must be a ctypes instance, not '{type(obj).__name__}'")
    return _CArg("P", obj._address + offset, obj)


def resize(obj, size, /):
    """Resize the memory buffer of a ctypes instance."""
    if not isinstance(obj, _CData):
        raise TypeError("excepted ctypes instance")
    least = _info(type(obj)).size
    if size < least:
        raise ValueError(f"minimum size is {least}")
    if not obj._b_needsfree_:
        raise ValueError("Memory cannot be resized because this object doesn't own it")
    if size > sizeof(obj):
        memory = _foreign.Memory(size)
        _write_bytes(memory.address, _read_bytes(obj._address, sizeof(obj)))
        obj._keep, obj._address = memory, memory.address
    obj._size = size


def buffer_info(obj_or_type, /):
    """Return buffer interface information"""
    info = _info(obj_or_type if isinstance(obj_or_type, type) else type(obj_or_type))
    return info.format, len(info.shape), info.shape


def _cast(source, _, cls):
    if not isinstance(cls, _CDataType) or not (
            issubclass(cls, (_Pointer, CFuncPtr)) or issubclass(cls, _SimpleCData) and cls._type_ in "sPzUZXO"):
        raise TypeError(f"cast() argument 2 must be a pointer, not {getattr(cls, '__name__', cls)}")
    made = cls._new() if not issubclass(cls, _SimpleCData) else cls()
    if isinstance(source, int):
        at = source
    elif source is None:
        at = 0
    else:
        try:
            _, at, keep = _as_argument(source if isinstance(source, _CData) else _void_p.from_param(source), 1)
        except TypeError:
            raise ArgumentError("argument 1: TypeError: wrong type") from None
        if isinstance(source, _CData):
            # Both show what either keeps, if the source is a whole.
            if source._objects is None and source._b_base_ is None:
                source._objects = {}
            made._objects = source._objects if isinstance(source._objects, dict) else {}
            made._objects[id(source)] = source
        elif keep is not None:
            made._hold(0, keep)
    _write("P", made._address, at)
    return made


def _address_of_argument(value):
    code, at, keep = _as_argument(value if not isinstance(value, int) else _CArg("P", value), 1)
    return at, keep


def _string_at(at, size=-1):
    sys.audit("ctypes.string_at", at, size)
    at, keep = _address_of_argument(at)
    return _read_bytes(at, _foreign.length(at, 1) if size == -1 else size)


def _wstring_at(at, size=-1):
    sys.audit("ctypes.wstring_at", at, size)
    at, keep = _address_of_argument(at)
    return _wide_text(at, _foreign.length(at, 4) if size == -1 else size)


def _memoryview_at(at, size, readonly):
    sys.audit("ctypes.memoryview_at", at, size, readonly)
    at, keep = _address_of_argument(at)
    if not 0 <= size < 2**63 or at + size >= 2**64:
        raise ValueError("memoryview_at: size is negative (or overflowed)")
    view = _foreign.view(at, size, keep)
    return view.toreadonly() if readonly else view


_builtins = {1: _cast, 2: _string_at, 3: _wstring_at, 4: _memoryview_at}
_cast_addr, _string_at_addr, _wstring_at_addr, _memoryview_at_addr = map(_Builtin, (1, 2, 3, 4))
_memmove_addr, _memset_addr = _foreign.memmove, _foreign.memset


_OWN_CONVERSIONS = frozenset(
    (_CDataType.from_param, PyCSimpleType.from_param, PyCPointerType.from_param, PyCArrayType.from_param))


class _void_p(_SimpleCData):
    _type_ = "P"


class _Int(_SimpleCData):
    _type_ = "i"


class _IntFunction(CFuncPtr):
    _flags_, _restype_ = FUNCFLAG_CDECL, _Int


def call_function(address, arguments, /):
    """Call the function at an address, which gives an int."""
    return _IntFunction(address)(*arguments)


call_cdeclfunction = call_function

for _class in (PyCSimpleType, PyCStructType, UnionType, PyCArrayType, PyCPointerType, PyCFuncPtrType, _SimpleCData, Structure,
               Union, Array, _Pointer, CFuncPtr, CField):
    _foreign.fix(_class)
del _class
