"""Types of C: `CType`, how each is made, and where the fields of structs are."""

import operator
import weakref

_PTRDIFF_MAX = (1 << 63) - 1


class CType:
    """A type of C. Pointers, arrays, functions and primitive types are there once each."""

    __slots__ = ("_kind", "_front", "_back", "_size", "_align", "_code", "_class", "_item", "_pointer", "_length",
                 "_fields", "_by_name", "_open", "_bits", "_args", "_result", "_ellipsis", "_abi", "_names", "_values",
                 "_passed", "_made", "_placed", "_known", "_finish", "__weakref__")

    def __new__(cls, *args, **kwargs):
        raise TypeError(f"cannot create '{cls.__module__}.{cls.__name__}' instances")

    def __init_subclass__(cls, **kwargs):
        raise TypeError("type '_cffi_backend.CType' is not an acceptable base type")

    def __repr__(self):
        return f"<ctype '{self._front}{self._back}'>"

    def __dir__(self):
        return sorted(("cname", "kind", *_ATTRIBUTES.get(self._kind, ())))

    def __getattr__(self, name):
        # What the kinds have; slots that a type has not filled are none of its attributes.
        if name in _ATTRIBUTES.get(_kind(self), ()):
            return _READERS[name](self)
        raise AttributeError(name)

    cname = property(lambda self: self._front + self._back)
    kind = property(lambda self: self._kind)


CType.__module__ = "_cffi_backend"
_kind = CType._kind.__get__

_ATTRIBUTES = {
    "pointer": ("item",),
    "array": ("item", "length"),
    "struct": ("fields",),
    "union": ("fields",),
    "function": ("abi", "args", "ellipsis", "result"),
    "enum": ("elements", "relements"),
}
_READERS = {
    "item": lambda t: t._item,
    "length": lambda t: None if t._length < 0 else t._length,
    "fields": lambda t: None if completed(t)._fields is None else list(t._fields),
    "abi": lambda t: t._abi,
    "args": lambda t: t._args,
    "ellipsis": lambda t: t._ellipsis,
    "result": lambda t: t._result,
    "elements": lambda t: dict(t._values),
    "relements": lambda t: dict(t._names),
}

# What a number is: its class decides about conversions.
SIGNED, UNSIGNED, BOOL, CHAR, WIDE, FLOAT, LONG_DOUBLE, COMPLEX = range(8)


def _new_type(kind, front, back, size, align=None):
    made = object.__new__(CType)
    made._kind, made._front, made._back, made._size, made._align = kind, front, back, size, align
    made._code = made._class = made._pointer = made._passed = made._made = None
    made._item = made._fields = made._known = made._finish = None
    made._length = -1
    return made


def name_of(ctype):
    return ctype._front + ctype._back


class CField:
    """A field of a struct or union."""

    __slots__ = ("type", "offset", "bitshift", "bitsize", "flags")

    def __new__(cls, *args, **kwargs):
        raise TypeError(f"cannot create '{cls.__module__}.{cls.__name__}' instances")


CField.__module__ = "_cffi_backend"
# Values of `bitshift` where there are no bits.
REGULAR, EMPTY_ARRAY = -1, -2
# A flag of one that no row of initializers has an item for: another one of its union does.
IGNORED_BY_ROWS = 1


def _new_field(type, offset, bitshift, bitsize, flags):
    made = object.__new__(CField)
    made.type, made.offset, made.bitshift, made.bitsize, made.flags = type, offset, bitshift, bitsize, flags
    return made


# Primitive types: size, class, and the code by which memory is read.

_PRIMITIVES = {}


def _declare(kind, size, code, *names):
    for name in names:
        _PRIMITIVES[name] = (size, kind, code)


_declare(CHAR, 1, "B", "char")
_declare(SIGNED, 1, "b", "signed char", "int8_t", "int_least8_t", "int_fast8_t")
_declare(SIGNED, 2, "h", "short", "int16_t", "int_least16_t")
_declare(SIGNED, 4, "i", "int", "int32_t", "int_least32_t")
_declare(SIGNED, 8, "q", "long", "long long", "int64_t", "int_least64_t", "int_fast16_t", "int_fast32_t", "int_fast64_t",
         "intptr_t", "ptrdiff_t", "ssize_t", "intmax_t")
_declare(UNSIGNED, 1, "B", "unsigned char", "uint8_t", "uint_least8_t", "uint_fast8_t")
_declare(UNSIGNED, 2, "H", "unsigned short", "uint16_t", "uint_least16_t")
_declare(UNSIGNED, 4, "I", "unsigned int", "uint32_t", "uint_least32_t")
_declare(UNSIGNED, 8, "Q", "unsigned long", "unsigned long long", "uint64_t", "uint_least64_t", "uint_fast16_t",
         "uint_fast32_t", "uint_fast64_t", "uintptr_t", "size_t", "uintmax_t")
_declare(BOOL, 1, "B", "_Bool")
_declare(WIDE, 2, "H", "char16_t")
_declare(WIDE, 4, "I", "char32_t", "wchar_t")
_declare(FLOAT, 4, "f", "float")
_declare(FLOAT, 8, "d", "double")
_declare(LONG_DOUBLE, 16, "g", "long double")
_declare(COMPLEX, 8, "f", "_cffi_float_complex_t")
_declare(COMPLEX, 16, "d", "_cffi_double_complex_t")

_primitives = {}


def new_primitive_type(name, /):
    if not isinstance(name, str):
        raise TypeError(f"new_primitive_type() argument 1 must be str, not {type(name).__name__}")
    made = _primitives.get(name)
    if made is None:
        size, kind, code = _PRIMITIVES[name]
        made = _new_type("primitive", name, "", size, 8 if kind == COMPLEX and size == 16 else
                         4 if kind == COMPLEX else size)
        made._class, made._code = kind, code
        _primitives[name] = made
    return made


_void = _new_type("void", "void", "", -1)


def new_void_type():
    return _void


def is_integer(ctype):
    return ctype._class in (SIGNED, UNSIGNED, BOOL)


def _is_byte(ctype):
    """Of which strings of bytes are made."""
    return ctype._size == 1 and ctype._class in (CHAR, SIGNED, UNSIGNED)


def is_voidchar_pointer(ctype):
    return ctype._kind == "pointer" and (ctype._item is _void or _is_byte(ctype._item))


# Types that are made of others.

def new_pointer_type(ctype, /):
    check_ctype(ctype)
    made = ctype._pointer
    if made is None:
        star = "(*)" if ctype._kind == "array" else " *"
        made = _new_type("pointer", ctype._front + star[:2], star[2:] + ctype._back, 8, 8)
        made._item, made._code = ctype, "P"
        ctype._pointer = made
    return made


_arrays = weakref.WeakValueDictionary()


def new_array_type(pointer, length, /):
    check_ctype(pointer)
    if pointer._kind != "pointer":
        raise TypeError("first arg must be a pointer ctype")
    item = completed(pointer._item)
    if item._size < 0:
        raise ValueError(f"array item of unknown size: '{name_of(item)}'")
    if length is None:
        length = size = -1
    else:
        length = operator.index(length)
        if length < 0:
            raise ValueError("negative array length")
        size = length * item._size
        if length > _PTRDIFF_MAX or size > _PTRDIFF_MAX:
            raise OverflowError("array size would overflow a Py_ssize_t")
    made = _arrays.get((id(item), length))
    if made is None:
        made = _new_type("array", item._front, f"[{'' if length < 0 else length}]" + item._back, size, item._align)
        made._item, made._length, made._made = item, length, pointer
        _arrays[id(item), length] = made
    return made


def new_struct_type(name, /):
    return _new_type("struct", name, "", -1)


def new_union_type(name, /):
    return _new_type("union", name, "", -1)


def new_enum_type(name, enumerators, enumvalues, basetype, /):
    if not isinstance(enumerators, tuple) or not isinstance(enumvalues, tuple):
        raise TypeError("new_enum_type() arguments 2 and 3 must be tuples")
    if len(enumerators) != len(enumvalues):
        raise ValueError("tuple args must have the same size")
    check_ctype(basetype)
    if basetype._class not in (SIGNED, UNSIGNED):
        raise TypeError("expected a primitive signed or unsigned base type")
    made = _new_type("enum", name, "", basetype._size, basetype._align)
    made._class, made._code = basetype._class, basetype._code
    made._names, made._values = {}, {}
    # Of several names of a value the first is shown.
    for text, value in zip(reversed(enumerators), reversed(enumvalues)):
        if not isinstance(text, str):
            raise TypeError(f"expected str as enumerator, not {type(text).__name__}")
        check_range(basetype, value)
        made._names[text] = value
        made._values[value] = text
    return made


def check_range(ctype, value):
    """OverflowError for an int that an integer type does not hold."""
    bits = 8 * ctype._size
    if ctype._class == SIGNED:
        low, high = -1 << bits - 1, (1 << bits - 1) - 1
    elif value < 0:
        raise OverflowError("can't convert negative number to unsigned")
    else:
        low, high = 0, 1 if ctype._class == BOOL else (1 << bits) - 1
    if not low <= value <= high:
        raise OverflowError(f"integer {value} does not fit '{name_of(ctype)}'")


_functions = {}


def new_function_type(fargs, fresult, ellipsis=0, abi=2, /):
    if not isinstance(fargs, tuple):
        raise TypeError(f"new_function_type() argument 1 must be tuple, not {type(fargs).__name__}")
    check_ctype(fresult)
    for arg in fargs:
        if not isinstance(arg, CType):
            raise TypeError("expected a tuple of ctypes")
    key = (*map(id, fargs), id(fresult), bool(ellipsis), abi)
    made = _functions.get(key)
    if made is not None:
        return made
    if fresult is not _void and (completed(fresult)._size < 0 or fresult._kind == "array"):
        if fresult._kind in ("struct", "union") and fresult._fields is None:
            raise TypeError(f"result type '{name_of(fresult)}' is not yet initialized")
        raise TypeError(f"invalid result type: '{name_of(fresult)}'")
    for arg in fargs:
        if completed(arg)._size < 0 and arg._kind != "array":
            raise TypeError(f"ctype '{name_of(arg)}' has incomplete type")
    names = [name_of(arg) for arg in fargs]
    if ellipsis:
        names.append("...")
    made = _new_type("function", fresult._front + "(*", f")({', '.join(names)})" + fresult._back, 8, 8)
    made._code = "P"
    # Arrays are passed as pointers.
    made._args = tuple(arg._made if arg._kind == "array" else arg for arg in fargs)
    made._result, made._ellipsis, made._abi = fresult, bool(ellipsis), abi
    _functions[key] = made
    return made


def check_ctype(value):
    if not isinstance(value, CType):
        raise TypeError(f"must be a ctype object, not {type(value).__name__}")


def completed(ctype):
    """The type with its fields, where they are made when they are first asked for."""
    if ctype._kind in ("struct", "union") and ctype._fields is None and ctype._made is not None:
        complete, ctype._made = ctype._made, None
        try:
            complete()
        except BaseException:
            # Who asks again is told again.
            ctype._made = complete
            raise
    return ctype


# Layout of structs.

_MSVC_BITFIELDS, _GCC_ARM_BITFIELDS, _GCC_X86_BITFIELDS, _GCC_BIG_ENDIAN = 0x01, 0x02, 0x10, 0x04
_PACKED, _STD_FIELD_POS, _CHECKED = 0x08, 0x80, 0x40


def complete_struct_or_union(ctype, fields, ignored=None, totalsize=-1, totalalignment=-1, sflags=0, pack=0, /):
    check_ctype(ctype)
    if ctype._kind not in ("struct", "union") or ctype._fields is not None:
        raise TypeError("first arg must be a non-initialized struct or union ctype")
    if sflags & _PACKED and not pack:
        pack = 1
    if not isinstance(fields, list):
        raise TypeError(f"complete_struct_or_union() argument 2 must be list, not {type(fields).__name__}")
    layout = _Layout(ctype, pack or 1 << 30, sflags, totalsize >= 0 or totalalignment >= 0)
    last = len(fields) - 1
    for i, field in enumerate(fields):
        name, ftype, *rest = field
        bits = rest[0] if rest else -1
        offset = rest[1] if len(rest) > 1 else -1
        layout.add(name, ftype, bits, offset, i == last)
    layout.finish(totalsize, totalalignment)


class _Layout:
    """Places fields one after the other, by the rules of GCC for x86."""

    def __init__(self, ctype, pack, flags, forced):
        self.ctype, self.pack, self.flags, self.forced = ctype, pack, flags, forced
        self.is_union = ctype._kind == "union"
        # In bytes and bits behind them; the largest end is that of a union.
        self.at = self.bits = self.end = 0
        self.align = 1
        self.fields, self.by_name = [], {}
        self.has_bits = self.open = self.placed = False

    def add(self, name, ftype, bits, offset, is_last):
        if not isinstance(name, str):
            raise TypeError("fields are tuples (name, ctype, ...)")
        check_ctype(ftype)
        completed(ftype)
        if ftype._size < 0:
            if not (ftype._kind == "array" and bits < 0 and (is_last or offset >= 0)):
                raise TypeError(f"field '{name_of(self.ctype)}.{name}' has ctype '{name_of(ftype)}' of unknown size")
            self.open = True
        elif ftype._kind in ("struct", "union") and ftype._open:
            # One that ends in an open array makes this one such.
            self.open = True
        if self.is_union:
            self.at = self.bits = 0
        natural = align_of(ftype)
        align = min(natural, self.pack)
        if bits < 0:
            self._add_plain(name, ftype, align, offset)
        else:
            self._add_bits(name, ftype, align, bits)
        self.end = max(self.end, self.at + (self.bits > 0))

    def _add_plain(self, name, ftype, align, offset):
        self.align = max(self.align, align)
        if self.bits:
            self.at, self.bits = self.at + 1, 0
        self.at = -(-self.at // align) * align
        if offset >= 0:
            if self.at != offset and not self.forced and self.flags & _STD_FIELD_POS:
                raise TypeError(f"field '{name_of(self.ctype)}.{name}' is declared at another offset")
            self.placed |= self.at != offset
            self.at = offset
        shift = REGULAR
        if ftype._kind == "array" and ftype._length <= 0:
            shift = EMPTY_ARRAY
        if not name and ftype._kind in ("struct", "union"):
            self._add_nested(ftype)
        else:
            self._put(name, _new_field(ftype, self.at, shift, -1, self._passed_over()))
        if ftype._size > 0:
            self.at += ftype._size

    def _passed_over(self):
        """The flag of a field: a row of initializers is for the first one of a union."""
        return IGNORED_BY_ROWS if self.is_union and self.fields else 0

    def _add_nested(self, ftype):
        """An anonymous struct or union: its fields are fields of this one."""
        if ftype._fields is None:
            raise TypeError(f"'{name_of(ftype)}' has no fields yet")
        passed_over = self._passed_over()
        for name, field in ftype._fields:
            self._put(name, _new_field(field.type, self.at + field.offset, field.bitshift, field.bitsize,
                                       field.flags | passed_over))
        self.has_bits |= ftype._bits

    def _add_bits(self, name, ftype, align, bits):
        if not is_integer(ftype) and ftype._class != CHAR:
            raise TypeError(f"field '{name_of(self.ctype)}.{name}' declared as '{name_of(ftype)}' cannot be a bit field")
        width = 8 * ftype._size
        if bits > width:
            raise TypeError(f"bit field '{name_of(self.ctype)}.{name}' is declared '{name_of(ftype)}:{bits}', "
                            f"which exceeds the width of the type")
        self.has_bits = True
        at = 8 * self.at + self.bits
        if bits == 0:
            if name:
                raise TypeError(f"field '{name_of(self.ctype)}.{name}' is declared with :0")
            if self.pack > ftype._size:
                unit = 8 * ftype._size
            else:
                unit = 8 * self.pack
            at = -(-at // unit) * unit
            self.at, self.bits = divmod(at, 8)
            return
        if name:
            self.align = max(self.align, align)
        unit = 8 * align
        start = at // unit * unit
        if at + bits > start + width:
            if self.flags & _PACKED and at % 8:
                raise NotImplementedError(f"with 'packed', gcc would compile field '{name_of(self.ctype)}.{name}' to reuse "
                                          "some bits in the previous field")
            at = start = -(-at // unit) * unit
        if name:
            self._put(name, _new_field(ftype, start // 8, at - start, bits, self._passed_over()))
        self.at, self.bits = divmod(at + bits, 8)

    def _put(self, name, field):
        if name in self.by_name:
            raise KeyError(f"duplicate field name '{name}'")
        self.by_name[name] = field
        self.fields.append((name, field))

    def finish(self, size, align):
        ctype = self.ctype
        ends = self.end
        if align < 0:
            align = self.align
        whole = max(-(-ends // align) * align, 0)
        if size < 0:
            size = whole
        elif size < ends:
            raise TypeError(f"{name_of(ctype)} cannot be of size {size}: there are fields at least up to {ends}")
        ctype._size, ctype._align = size, align
        ctype._fields, ctype._by_name = self.fields, self.by_name
        ctype._open, ctype._bits, ctype._placed = self.open, self.has_bits, self.placed or size != whole


def align_of(ctype):
    align = completed(ctype)._align
    if align is None:
        raise ValueError(f"ctype '{name_of(ctype)}' is of unknown alignment")
    return align
