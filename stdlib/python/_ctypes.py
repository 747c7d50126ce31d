"""Data and functions of C, for the module ctypes. What touches memory and calls functions is in _foreign."""

import struct as _struct
import weakref as _weakref

import _foreign
from _foreign import RTLD_GLOBAL, RTLD_LOCAL, dlclose, dlsym, get_errno, set_errno

__version__ = "1.1.0"
SIZEOF_TIME_T = 8
CTYPES_MAX_ARGCOUNT = 1024
FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO, FUNCFLAG_USE_LASTERROR = 1, 4, 8, 16

_read, _write, _read_bytes, _write_bytes = _foreign.read, _foreign.write, _foreign.read_bytes, _foreign.write_bytes


class ArgumentError(Exception):
    __module__ = "ctypes"


def dlopen(name, flag=RTLD_LOCAL, /):
    """dlopen(name, flag={RTLD_GLOBAL|RTLD_LOCAL}) open a shared library"""
    import sys
    sys.audit("ctypes.dlopen", name)
    return _foreign.dlopen(name, flag)


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
    if "_abstract_" in cls.__dict__:
        raise TypeError("abstract class")
    info = cls.__dict__.get("_info_")
    if info is None:
        for base in cls.__mro__[1:]:
            info = base.__dict__.get("_info_")
            if info is not None:
                return info
    if info is None:
        raise TypeError("abstract class")
    return info


class _CArg:
    """An argument that is no ctypes instance: how it is passed, its value, and what it keeps."""

    __slots__ = ("code", "value", "_obj")

    def __init__(self, code, value, obj=None):
        self.code, self.value, self._obj = code, value, obj

    def __repr__(self):
        return f"<cparam '{self.code}' ({self.value!r})>"


class _CDataType(type):
    """What all types of ctypes have."""

    def __init__(cls, name, bases, namespace, **kwargs):
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
            raise AttributeError(f"type {cls.__name__} has no attribute '__pointer_type__'") from None

    @__pointer_type__.setter
    def __pointer_type__(cls, value):
        type.__setattr__(cls, "_pointer_type_", value)

    def from_address(cls, address, /):
        """C data at an address."""
        if not isinstance(address, int):
            raise TypeError("integer expected")
        return cls._at(address, None)

    def from_buffer(cls, obj, offset=0, /):
        """C data that shares a writable buffer."""
        address, length, view = _foreign.address_of(obj)
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
            return cls._at(dlsym(dll._handle, name), None)
        except AttributeError as e:
            raise ValueError(str(e)) from None

    def from_param(cls, value, /):
        """What is passed to a function for a Python object."""
        if isinstance(value, cls):
            return value
        parameter = getattr(value, "_as_parameter_", None)
        if parameter is not None:
            return cls.from_param(parameter)
        raise TypeError(f"expected {cls.__name__} instance instead of {type(value).__name__}")

    def _new(cls):
        """An instance with memory of its own, not initialized."""
        info = _info(cls)
        info.final = True
        made = cls.__new__(cls)
        return made

    def _at(cls, address, base):
        """An instance at an address, which it does not own."""
        _info(cls).final = True
        made = object.__new__(cls)
        made._address, made._keep, made._b_base_, made._objects, made._size = address, base, base, None, None
        return made


class _CData(metaclass=_CDataType):
    _b_needsfree_ = 0
    # Of which object it is a part, and what it keeps alive; each instance has its own.
    _b_base_ = None
    _objects = None

    def __new__(cls, *args, **kwargs):
        info = _info(cls)
        info.final = True
        made = object.__new__(cls)
        made._keep = memory = _foreign.Memory(info.size)
        made._address, made._b_base_, made._objects, made._size = memory.address, None, None, None
        made._b_needsfree_ = 1
        return made

    def _hold(self, key, obj):
        """Keeps what the memory points to, as long as the whole of which this is a part."""
        root = self
        while root._b_base_ is not None:
            key = f"{key}:{root._address:x}"
            root = root._b_base_
        if root._objects is None:
            root._objects = {}
        root._objects[key] = obj

    def __buffer__(self, flags):
        info = _info(type(self))
        view = _foreign.view(self._address, sizeof(self), self)
        code = info.format.lstrip("<")
        if len(code) == 1 and code in "bBhHiIlLqQfd?c" and len(info.shape) <= 1 and self._size is None:
            view = view.cast(code)
        return view

    def __ctypes_from_outparam__(self):
        return self

    def __delattr__(self, name):
        if name in _FIXED and hasattr(type(self), name):
            raise TypeError("cannot delete attribute")
        object.__delattr__(self, name)

    def __reduce__(self):
        if _has_pointers(type(self)):
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        state = {k: v for k, v in self.__dict__.items() if k not in _OWN}
        return _unpickle, (type(self), (state, _read_bytes(self._address, sizeof(self))))

    def __setstate__(self, state):
        attributes, data = state
        _write_bytes(self._address, data)
        self.__dict__.update(attributes)

    __hash__ = object.__hash__


_FIXED = frozenset(("value", "raw", "contents"))
_OWN = frozenset(("_address", "_keep", "_b_base_", "_objects", "_size", "_b_needsfree_", "_index"))


def _unpickle(cls, state):
    made = cls.__new__(cls)
    made.__setstate__(state)
    return made


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
          "d": 8, "g": 16, "P": 8, "z": 8, "Z": 8, "O": 8}
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
    data = value.encode("utf-32-le") + bytes(4) if isinstance(value, str) else value + b"\0"
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
                            f"not a {type(value).__name__} object of length {len(value)}")
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
    elif code == "z" and isinstance(value, bytes) or code == "Z" and isinstance(value, str):
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
                                 "containing one of 'cbBhHiIlLdfuzZqQPXOv?g'.")
        size = _SIZES[code]
        passed = (16, 16, ((0, "l"), (8, "l"))) if code == "g" else code
        cls._swapped = getattr(cls, "_swapped", False)
        mark = ">" if cls._swapped else "<"
        cls._info_ = _Info(size, size, passed, _FORMATS.get(code, mark + code))
        if _SimpleCData in cls.__bases__ and code in "hHiIlLqQfd" and not cls._swapped:
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
        parameter = getattr(value, "_as_parameter_", None)
        if parameter is not None:
            return cls.from_param(parameter)
        if code in "zZ":
            what = "bytes" if code == "z" else "string"
            raise TypeError(f"{what} or integer address expected instead of {type(value).__name__} instance")
        raise TypeError("wrong type")

    def _pointer_param(cls, code, value):
        if value is None:
            return _CArg("P", 0)
        if code == "P" and isinstance(value, int):
            return _CArg("P", value)
        if isinstance(value, bytes) and code != "Z" or isinstance(value, str) and code != "z":
            memory = _text_memory(value)
            return _CArg("P", memory.address, (memory, value))
        if isinstance(value, _CArg):
            if value.code == "P" and (code == "P" or isinstance(value._obj, (_SimpleCData, Array))):
                return value
            return None
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
    def __init__(self, value=None, /):
        if value is not None or self._type_ == "O":
            self.value = value

    def __new__(cls, *args, **kwargs):
        if cls is _SimpleCData:
            raise TypeError("abstract class")
        return super().__new__(cls)

    @property
    def value(self):
        """current value"""
        return _get_simple(self._type_, self._address, self._swapped)

    @value.setter
    def value(self, value):
        kept = _set_simple(self._type_, self._address, value, self._swapped)
        if kept is not None:
            self._hold("value", kept)

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

def _get(cls, address, base):
    if _SimpleCData in cls.__bases__:
        return _get_simple(cls._type_, address, cls._swapped)
    return cls._at(address, base)


def _set(cls, address, value, owner, key):
    """Stores a value of a type; the owner keeps what it points to."""
    if isinstance(value, cls):
        _write_bytes(address, _read_bytes(value._address, _info(cls).size))
        if value._objects or not isinstance(value, _SimpleCData):
            owner._hold(key, value)
        return
    if issubclass(cls, _SimpleCData):
        kept = _set_simple(cls._type_, address, value, cls._swapped)
        if kept is not None:
            owner._hold(key, kept)
    elif issubclass(cls, Array):
        inner = cls._type_
        code = inner._type_ if issubclass(inner, _SimpleCData) else ""
        if code == "c" and isinstance(value, bytes) or code == "u" and isinstance(value, str):
            cls._at(address, owner).value = value
        elif isinstance(value, tuple):
            made = cls(*value)
            _write_bytes(address, _read_bytes(made._address, _info(cls).size))
            owner._hold(key, made)
        else:
            raise TypeError(f"incompatible types, {type(value).__name__} instance instead of {cls.__name__} instance")
    elif issubclass(cls, _Pointer):
        if value is None:
            _write("P", address, 0)
        elif isinstance(value, Array) and issubclass(type(value)._type_, cls._type_):
            _write("P", address, value._address)
            owner._hold(key, value)
        else:
            raise TypeError(f"incompatible types, {type(value).__name__} instance instead of {cls.__name__} instance")
    elif issubclass(cls, (Structure, Union)) and isinstance(value, tuple):
        made = cls(*value)
        _write_bytes(address, _read_bytes(made._address, _info(cls).size))
        owner._hold(key, made)
    elif issubclass(cls, CFuncPtr) and value is None:
        _write("P", address, 0)
    else:
        raise TypeError(f"incompatible types, {type(value).__name__} instance instead of {cls.__name__} instance")


# Structures and unions.

class CField:
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
        self.bit_size, self.bit_offset = (8 * byte_size, 0) if bit_size is None else (bit_size, bit_offset)
        self.is_anonymous = False
        if self.is_bitfield and not (issubclass(type, _SimpleCData) and type._type_ in "bBhHiIlLqQ?"):
            raise TypeError(f"bit fields not allowed for type {type.__name__}")

    offset = property(lambda self: self.byte_offset)

    @property
    def size(self):
        return self.bit_size << 16 | self.bit_offset if self.is_bitfield else self.byte_size

    def _moved(self, offset):
        """The same as a field of what it is in anonymously."""
        made = object.__new__(CField)
        for name in CField.__slots__:
            setattr(made, name, getattr(self, name))
        made.byte_offset += offset
        return made

    def __get__(self, obj, cls=None):
        if obj is None:
            return self
        if not isinstance(obj, _CData):
            raise TypeError("not a ctype instance")
        address = obj._address + self.byte_offset
        if not self.is_bitfield:
            made = _get(self.type, address, obj)
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

    def __set__(self, obj, value):
        if not isinstance(obj, _CData):
            raise TypeError("not a ctype instance")
        address = obj._address + self.byte_offset
        if not self.is_bitfield:
            return _set(self.type, address, value, obj, format(self.index, "x"))
        _set_simple(self.type._type_, _scratch.address, value)
        word = int.from_bytes(_read_bytes(_scratch.address, self.byte_size), "little")
        mask = (1 << self.bit_size) - 1 << self.bit_offset
        word = self._word(address) & ~mask | word << self.bit_offset & mask
        order = "big" if self.type._swapped else "little"
        _write_bytes(address, word.to_bytes(self.byte_size, order))

    def __delete__(self, obj):
        raise TypeError("can't delete attribute")

    def __repr__(self):
        if self.is_bitfield:
            where = f"ofs={self.byte_offset}, bit_size={self.bit_size}, bit_offset={self.bit_offset}"
        else:
            where = f"ofs={self.byte_offset}, size={self.byte_size}"
        return f"<ctypes.CField '{self.name}' type={self.type.__name__}, {where}>"


class _AggregateType(_CDataType):
    def _made(cls):
        fields = cls.__dict__.get("_fields_")
        if fields is not None:
            # Metaclasses see it.
            cls._fields_ = fields
        elif cls.__dict__.get("_info_") is None and cls.__name__ not in ("Structure", "Union"):
            # Its base's fields, until it gets its own.
            base = cls._base()
            if base is not None:
                info = _info(base)
                type.__setattr__(cls, "_info_", _Info(info.size, info.align, info.passed, info.format))
            else:
                type.__setattr__(cls, "_info_", _Info(0, 1, (0, 1, ()), "B"))

    def __setattr__(cls, name, value):
        if name == "_fields_":
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
            for inner in field.type._all_fields_:
                for inner_name in [inner.name, *getattr(field.type, "_promoted_", ())]:
                    promoted = field.type.__dict__.get(inner_name, inner)
                    if isinstance(promoted, CField):
                        type.__setattr__(cls, inner_name, promoted._moved(field.byte_offset))
            promoted = [inner.name for inner in field.type._all_fields_]
            type.__setattr__(cls, "_promoted_", [*getattr(cls, "_promoted_", ()), *promoted])
        passed = (layout.size, layout.align, tuple(parts))
        type.__setattr__(cls, "_info_", _Info(layout.size, layout.align, passed, layout.format_spec))


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

    def __init__(self, *args, **kwargs):
        _initialize(self, args, kwargs)


class Union(_CData, metaclass=UnionType):
    """Union base class"""

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
        if issubclass(inner, _SimpleCData) and inner._type_ in "cu":
            text = _CharArray if inner._type_ == "c" else _WideArray
            for name in ("value", "raw"):
                if name in text:
                    setattr(cls, name, text[name])

    def from_param(cls, value, /):
        if isinstance(value, cls):
            return value
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


_CharArray = {"value": property(_get_char_value, _set_char_value), "raw": property(_get_raw, _set_raw)}
_WideArray = {"value": property(_get_wide_value, _set_wide_value)}


class Array(_CData, metaclass=PyCArrayType):
    """Abstract base class for arrays."""

    __module__ = "_ctypes"

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
        inner = self._type_
        if isinstance(key, slice):
            return _items(self, inner, self._address, range(*key.indices(self._length_)))
        if not hasattr(key, "__index__"):
            raise TypeError("indices must be integers")
        i = self._place(key.__index__())
        return _get(inner, self._address + i * _info(inner).size, self)

    def __setitem__(self, key, value):
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
        _set(self._type_, self._address + i * _info(self._type_).size, value, self, format(i, "x"))

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
    return [_get(inner, address + i * size, base) for i in places]


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
        cls._type_ = inner
        cls._point_to(inner)

    def from_param(cls, value, /):
        if value is None:
            return _CArg("P", 0)
        inner = getattr(cls, "_type_", None)
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

    def __new__(cls, *args):
        if getattr(cls, "_type_", None) is None:
            raise TypeError("Cannot create instance: has no _type_")
        return super().__new__(cls)

    def __init__(self, value=None, /):
        if value is not None:
            self.contents = value

    @property
    def contents(self):
        """the object this pointer points to (read-write)"""
        at = _read("P", self._address)
        if not at:
            raise ValueError("NULL pointer access")
        made = self._type_._at(at, None)
        made._keep = self
        return made

    @contents.setter
    def contents(self, value):
        if not isinstance(value, self._type_):
            raise TypeError(f"expected {self._type_.__name__} instead of {type(value).__name__}")
        _write("P", self._address, value._address)
        self._hold("1", value)

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
        made = _get(inner, self._start() + key.__index__() * _info(inner).size, None)
        if isinstance(made, _CData):
            made._keep = self
        return made

    def __setitem__(self, key, value):
        if not hasattr(key, "__index__"):
            raise TypeError("Pointer indices must be integer")
        _set(self._type_, self._start() + key.__index__() * _info(self._type_).size, value, self, f"item {key}")

    def __delitem__(self, key):
        raise TypeError("Pointer does not support item deletion")

    def __bool__(self):
        return _read("P", self._address) != 0


# Functions.

class _Builtin(int):
    """What stands for the address of a function that is written here."""


class PyCFuncPtrType(_CDataType):
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
    for i, argtype in enumerate(argtypes, 1):
        if not hasattr(argtype, "from_param"):
            raise TypeError(f"item {i} in _argtypes_ has no from_param method")


def _as_argument(value, i):
    """An argument as it is passed: how, the number or bytes, and what is to be kept."""
    if isinstance(value, _CArg):
        if isinstance(value.value, _CData):
            return _as_argument(value.value, i)
        return value.code, value.value, value._obj
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
    if isinstance(value, (bytes, str)):
        memory = _text_memory(value)
        return "P", memory.address, memory
    parameter = getattr(value, "_as_parameter_", None)
    if parameter is not None:
        return _as_argument(parameter, i)
    raise TypeError(f"Don't know how to convert parameter {i}")


class CFuncPtr(_CData, metaclass=PyCFuncPtrType):
    """Function Pointer"""

    __module__ = "_ctypes"
    _builtin = None

    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls)
        made._errcheck, made._own_restype, made._own_argtypes, made._paramflags = None, _missing, _missing, None
        return made

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
            address = dlsym(library._handle, name if isinstance(name, str) else name.decode())
            _write("P", self._address, address)
            self._hold("0", library)
            self._set_flags(flags)
        elif isinstance(first, _Builtin):
            self._builtin = _builtins[first]
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
        argtypes = self.argtypes
        if argtypes is not None and len(flags) != len(argtypes):
            raise ValueError("paramflags must have the same length as argtypes")
        self._paramflags = [(flag[0] if flag[0] is not None else 1, *flag[1:]) for flag in flags]

    def _make_callback(self, function):
        argtypes, restype = getattr(type(self), "_argtypes_", None), getattr(type(self), "_restype_", None)
        if argtypes is None:
            raise TypeError("cannot construct instance of this class: no argtypes")
        if restype is not None and not (isinstance(restype, _CDataType) and isinstance(_info(restype).passed, str)):
            raise TypeError("invalid result type for callback function")

        def call(*values):
            row = []
            for argtype, value in zip(argtypes, values):
                row.append(_from_word(argtype, value))
            result = function(*row)
            if restype is None:
                return None
            made = restype._new()
            _set(restype, made._address, result, made, "result")
            return _read(_info(restype).passed, made._address)

        codes = [_info(argtype).passed for argtype in argtypes]
        result = "" if restype is None else _info(restype).passed
        thunk = _foreign.Callback(call, function, result, codes, type(self)._flags_ & FUNCFLAG_USE_ERRNO)
        _write("P", self._address, thunk.address)
        self._hold("0", thunk)

    @property
    def restype(self):
        """specify the result type"""
        own = self._own_restype
        return getattr(type(self), "_restype_", None) if own is _missing else own

    @restype.setter
    def restype(self, value):
        if value is not None and not isinstance(value, _CDataType) and not callable(value):
            raise TypeError("restype must be a type, a callable, or None")
        self._own_restype = value

    @restype.deleter
    def restype(self):
        self._own_restype = _missing

    @property
    def argtypes(self):
        """specify the argument types"""
        own = self._own_argtypes
        return getattr(type(self), "_argtypes_", None) if own is _missing else own

    @argtypes.setter
    def argtypes(self, value):
        if value is not None:
            _check_argtypes(value)
            value = tuple(value)
        self._own_argtypes = value

    @argtypes.deleter
    def argtypes(self):
        self._own_argtypes = _missing

    @property
    def errcheck(self):
        """a function to check for errors"""
        return self._errcheck

    @errcheck.setter
    def errcheck(self, value):
        if not callable(value):
            raise TypeError("the errcheck attribute must be callable")
        self._errcheck = value

    @errcheck.deleter
    def errcheck(self):
        self._errcheck = None

    def __bool__(self):
        return self._builtin is not None or _read("P", self._address) != 0

    def __call__(self, *args, **kwargs):
        if self._builtin is not None:
            return self._builtin(*args)
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


def _from_word(cls, word):
    """A value that came in a register or as bytes, as an object of a type."""
    info = _info(cls)
    if _SimpleCData in cls.__bases__:
        code = cls._type_
        if code in _INTS or code in "fd":
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
        made._hold("cast", (source, keep))
    _write("P", made._address, at)
    return made


def _address_of_argument(value):
    code, at, keep = _as_argument(value if not isinstance(value, int) else _CArg("P", value), 1)
    return at, keep


def _string_at(at, size=-1):
    at, keep = _address_of_argument(at)
    return _read_bytes(at, _foreign.length(at, 1) if size == -1 else size)


def _wstring_at(at, size=-1):
    at, keep = _address_of_argument(at)
    return _wide_text(at, _foreign.length(at, 4) if size == -1 else size)


def _memoryview_at(at, size, readonly):
    at, keep = _address_of_argument(at)
    if size < 0 or at + size >= 2**64:
        raise ValueError("memoryview_at: size is negative (or overflowed)")
    view = _foreign.view(at, size, keep)
    return view.toreadonly() if readonly else view


_builtins = {1: _cast, 2: _string_at, 3: _wstring_at, 4: _memoryview_at}
_cast_addr, _string_at_addr, _wstring_at_addr, _memoryview_at_addr = map(_Builtin, (1, 2, 3, 4))
_memmove_addr, _memset_addr = _foreign.memmove, _foreign.memset


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
