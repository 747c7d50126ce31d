"""`FFI` of modules that cffi has generated as Python (out of line, ABI mode), and their libraries, `Lib`."""

import threading

from . import _buffers, _calls, _cdata, _functions, _types
from ._cdata import CData
from ._declarations import Parser
from ._types import CType, completed, name_of

(_PRIMITIVE, _POINTER, _ARRAY, _OPEN_ARRAY, _STRUCT_UNION, _ENUM, _FUNCTION, _FUNCTION_END, _NOOP, _BITFIELD,
 _TYPENAME) = range(1, 22, 2)
_CONSTANT_INT, _GLOBAL_VAR, _DLOPEN_FUNC, _DLOPEN_CONST = 31, 33, 35, 37
# Flags of a struct.
_IS_UNION, _IS_PACKED, _IS_EXTERNAL, _IS_OPAQUE = 1, 4, 8, 16

_NUMBERED = (
    None, "_Bool", "char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int", "long",
    "unsigned long", "long long", "unsigned long long", "float", "double", "long double", "wchar_t", "int8_t", "uint8_t",
    "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t", "intptr_t", "uintptr_t", "ptrdiff_t", "size_t",
    "ssize_t", "int_least8_t", "uint_least8_t", "int_least16_t", "uint_least16_t", "int_least32_t", "uint_least32_t",
    "int_least64_t", "uint_least64_t", "int_fast8_t", "uint_fast8_t", "int_fast16_t", "uint_fast16_t", "int_fast32_t",
    "uint_fast32_t", "int_fast64_t", "uint_fast64_t", "intmax_t", "uintmax_t", "_cffi_float_complex_t",
    "_cffi_double_complex_t", "char16_t", "char32_t",
)
_VERSIONS = range(0x2601, 0x2701)


def _primitive(number):
    if number == 0:
        return _types.new_void_type()
    return _types.new_primitive_type(_NUMBERED[number])


def _word(data, at=0):
    return int.from_bytes(data[at:at + 4], "big", signed=True)


class error(Exception):
    __module__, __qualname__ = "ffi", "error"


class FFI:
    __module__ = "_cffi_backend"
    __slots__ = ("_lock", "_codes", "_made", "_parsed", "_once", "_includes", "_globals", "_structs", "_enums", "_names",
                 "_by_tag", "__weakref__")

    error = error
    CData, CType, buffer = CData, CType, _buffers.buffer
    RTLD_GLOBAL, RTLD_LOCAL, RTLD_LAZY, RTLD_NOW = _calls.RTLD_GLOBAL, _calls.RTLD_LOCAL, 1, 2
    NULL = _cdata.pointer(_types.new_pointer_type(_types.new_void_type()), 0)

    def __new__(cls, *args, **kwargs):
        # Subclasses need not call this class's own __init__.
        made = object.__new__(cls)
        FFI.__init__(made)
        return made

    def __init__(self, module_name="", _version=-1, _types=b"", _globals=(), _struct_unions=(), _enums=(), _typenames=(),
                 _includes=()):
        if not isinstance(module_name, str):
            raise TypeError(f"FFI() argument 1 must be str, not {type(module_name).__name__}")
        if _version != -1 and _version not in _VERSIONS:
            raise ImportError(f"cffi out-of-line Python module '{module_name}' has unknown version {_version:#x}")
        self._lock = threading.RLock()
        self._codes = [_word(_types, i) for i in range(0, len(_types), 4)]
        self._made, self._parsed, self._once = {}, {}, {}
        self._includes = _includes
        self._globals = {}
        for text, value in zip(_globals[::2], _globals[1::2]):
            self._globals[text[4:].decode()] = _word(text), value
        self._structs = [(row[0][8:].decode(), _word(row[0]), _word(row[0], 4), row[1:]) for row in _struct_unions]
        self._enums = []
        for text in _enums:
            name, _, names = text[8:].partition(b"\0")
            self._enums.append((name.decode(), _word(text), _word(text, 4), [n for n in names.decode().split(",") if n]))
        self._names = {text[4:].decode(): _word(text) for text in _typenames}
        self._by_tag = {}

    # Types by their numbers.

    def _type(self, index):
        made = self._made.get(index)
        if made is None:
            with self._lock:
                made = self._made.get(index)
                if made is None:
                    made = self._make(index)
                    self._made[index] = made
        return made

    def _make(self, index):
        op, arg = self._codes[index] & 0xFF, self._codes[index] >> 8
        if op == _PRIMITIVE:
            return _primitive(arg)
        if op == _POINTER:
            item = self._type(arg)
            # Functions are there as pointers only.
            return item if self._is_function(arg) else _types.new_pointer_type(item)
        if op == _ARRAY:
            return _types.new_array_type(_types.new_pointer_type(self._type(arg)), self._codes[index + 1])
        if op == _OPEN_ARRAY:
            return _types.new_array_type(_types.new_pointer_type(self._type(arg)), None)
        if op == _STRUCT_UNION:
            return self._struct(arg)
        if op == _ENUM:
            return self._enum(arg)
        if op == _FUNCTION:
            args, at = [], index + 1
            while self._codes[at] & 0xFF != _FUNCTION_END:
                args.append(self._type(at))
                at += 1
            return _types.new_function_type(tuple(args), self._type(arg), bool(self._codes[at] >> 8 & 1))
        if op in (_NOOP, _TYPENAME):
            return self._type(arg if op == _NOOP else list(self._names.values())[arg])
        raise NotImplementedError(f"a type of a generated module has the unknown code {op}")

    def _is_function(self, index):
        op, arg = self._codes[index] & 0xFF, self._codes[index] >> 8
        return op == _FUNCTION or op == _NOOP and self._is_function(arg)

    def _struct(self, number):
        name, index, flags, fields = self._structs[number]
        kind = "union" if flags & _IS_UNION else "struct"
        made = self._by_tag.get((kind, name))
        if made is not None:
            return made
        if flags & _IS_EXTERNAL:
            made = self._included(kind, name)
            if made is None:
                raise error(f"'{kind} {name}' should come from ffi.include() but was not found")
        else:
            text = name[1:] if name.startswith("$") and not name[1:].isdigit() and name[1:2] != "$" else f"{kind} {name}"
            made = (_types.new_union_type if flags & _IS_UNION else _types.new_struct_type)(text)
            if not flags & _IS_OPAQUE:
                made._made = lambda: self._complete(made, flags, fields)
        self._by_tag[kind, name] = made
        return made

    def _complete(self, ctype, flags, fields):
        rows = []
        for text in fields:
            code = _word(text)
            op, arg = code & 0xFF, code >> 8
            if op == _BITFIELD:
                rows.append((text[8:].decode(), self._type(arg), _word(text, 4)))
            else:
                rows.append((text[4:].decode(), self._type(arg), -1))
        _types.complete_struct_or_union(ctype, rows, None, -1, -1, 8 if flags & _IS_PACKED else 0)

    def _enum(self, number):
        name, index, primitive, names = self._enums[number]
        made = self._by_tag.get(("enum", name))
        if made is None:
            text = name[1:] if name.startswith("$") and not name[1:].isdigit() and name[1:2] != "$" else f"enum {name}"
            values = tuple(map(self._constant, names))
            made = self._by_tag["enum", name] = _types.new_enum_type(text, tuple(names), values, _primitive(primitive))
        return made

    # Names, for the parser of declarations.

    def _tagged(self, kind, name):
        if kind == "enum":
            found = next((i for i, row in enumerate(self._enums) if row[0] == name), None)
            return self._enum(found) if found is not None else self._included(kind, name)
        for i, (tag, _, flags, _) in enumerate(self._structs):
            if tag == name:
                if (kind == "union") != bool(flags & _IS_UNION):
                    return None
                return self._struct(i)
        found = self._included(kind, name)
        if found is None and kind == "struct" and name == "_IO_FILE":
            found = self._by_tag[kind, name] = _IO_FILE
        return found

    def _included(self, kind, name):
        for ffi in self._includes:
            found = ffi._tagged(kind, name)
            if found is not None:
                return found
        return self._by_tag.get((kind, name))

    def _typename(self, name):
        index = self._names.get(name)
        if index is not None:
            return self._type(index)
        for ffi in self._includes:
            found = ffi._typename(name)
            if found is not None:
                return found
        return _FILE if name == "FILE" else None

    def _integer(self, name):
        found = self._globals.get(name)
        if found is not None and found[0] & 0xFF in (_ENUM, _CONSTANT_INT):
            return self._constant(name)
        for ffi in self._includes:
            value = ffi._integer(name)
            if value is not None:
                return value
        return None

    def _constant(self, name):
        return self._globals[name][1]

    def _ctype(self, value, functions=False):
        """The type that is meant; one of a function stands for its pointer only where it says so."""
        if isinstance(value, str):
            known = self._parsed.get(value)
            if known is None:
                parser = Parser(self, value)
                known = self._parsed[value] = parser.whole(), parser.bare
            if known[1] and not functions:
                raise error(f"the type '{value}' is a function type, not a pointer-to-function type")
            return known[0]
        if isinstance(value, CType):
            return value
        if isinstance(value, CData):
            return value._cd_type
        raise TypeError(f"expected a string or ctype or cdata object, got '{type(value).__name__}'")

    # What programs call.

    def typeof(self, cdecl):
        """The type of a declaration or of a cdata."""
        return self._ctype(cdecl)

    def sizeof(self, cdecl):
        """The size of a type or of a cdata."""
        try:
            return _functions.sizeof(cdecl if isinstance(cdecl, CData) else self._ctype(cdecl))
        except ValueError as e:
            raise error(str(e)) from None

    def alignof(self, cdecl):
        """The alignment of a type."""
        return _functions.alignof(self._ctype(cdecl))

    def offsetof(self, cdecl, *fields_or_indexes):
        """Where a field or item is."""
        if not fields_or_indexes:
            raise TypeError("offsetof() needs a field name or an index")
        return self._offset(self._ctype(cdecl), fields_or_indexes)[1]

    @staticmethod
    def _offset(ctype, path):
        total = 0
        for following, one in enumerate(path):
            ctype, offset = _functions.typeoffsetof(ctype, one, following)
            total += offset
        return ctype, total

    def new(self, cdecl, init=None):
        """New memory, zeroed and initialized."""
        return _functions.newp(self._ctype(cdecl), init)

    def new_allocator(self, alloc=None, free=None, should_clear_after_alloc=True):
        """A function like new() whose memory is what another one gives."""
        if alloc is None and free is not None:
            raise TypeError("cannot pass 'free' without 'alloc'")

        def allocate(cdecl, init=None):
            return _functions.newp(self._ctype(cdecl), init, (alloc, free, should_clear_after_alloc))

        return allocate

    def cast(self, cdecl, source):
        """A value or pointer of a type, as C casts it."""
        return _functions.cast(self._ctype(cdecl), source)

    def string(self, cdata, maxlen=-1):
        """The string that a cdata is or points to."""
        return _functions.string(cdata, maxlen)

    def unpack(self, cdata, length):
        """So many items, as bytes, str or list."""
        return _functions.unpack(cdata, length)

    def from_buffer(self, cdecl, python_buffer=None, require_writable=False):
        """A cdata that shows the bytes of a buffer."""
        if python_buffer is None:
            cdecl, python_buffer = "char[]", cdecl
        return _buffers.from_buffer(self._ctype(cdecl), python_buffer, require_writable)

    def memmove(self, dest, src, n):
        """Copies bytes."""
        _buffers.memmove(dest, src, n)

    def callback(self, cdecl, python_callable=None, error=None, onerror=None):
        """A function of C that calls one of Python, or a decorator that makes one."""
        ctype = self._ctype(cdecl, functions=True)
        if python_callable is None:
            return lambda f: _calls.callback(ctype, f, error, onerror)
        return _calls.callback(ctype, python_callable, error, onerror)

    def getctype(self, cdecl, replace_with=""):
        """The type as C writes it, with a name in it."""
        ctype = self._ctype(cdecl)
        replace_with = replace_with.strip()
        if replace_with.startswith("*") and "&[" in _functions.getcname(ctype, "&"):
            replace_with = f"({replace_with})"
        elif replace_with and replace_with[0] not in "[(":
            replace_with = " " + replace_with
        return _functions.getcname(ctype, replace_with)

    def addressof(self, cdata, *fields_or_indexes):
        """A pointer to a struct, to a field or item of it, or to what a library has under a name."""
        if isinstance(cdata, Lib):
            return cdata._address(*fields_or_indexes)
        if not isinstance(cdata, CData):
            raise TypeError(f"expected a cdata struct/union/array/pointer object, got '{type(cdata).__name__}'")
        ctype = cdata._cd_type
        if not fields_or_indexes:
            if ctype._kind not in ("struct", "union", "array"):
                raise TypeError("expected a cdata struct/union/array object")
            offset = 0
        else:
            if ctype._kind not in ("struct", "union", "array", "pointer"):
                raise TypeError("expected a cdata struct/union/array/pointer object")
            ctype, offset = self._offset(ctype, fields_or_indexes)
        return _functions.rawaddressof(_types.new_pointer_type(ctype), cdata, offset)

    def gc(self, cdata, destructor, size=0):
        """The cdata again, with a function that is called when it is dropped."""
        return _functions.gcp(cdata, destructor, size)

    def release(self, cdata):
        """Gives back what the cdata owns."""
        _functions.release(cdata)

    def new_handle(self, x):
        """A `void *` that stands for an object."""
        return _functions.newp_handle(_types.new_pointer_type(_types.new_void_type()), x)

    def from_handle(self, x):
        """The object of a handle."""
        return _functions.from_handle(x)

    def dlopen(self, name=None, flags=0):
        """A library."""
        return Lib(self, _calls.load_library(name, flags))

    def dlclose(self, lib):
        """Closes a library."""
        if not isinstance(lib, Lib):
            raise TypeError(f"dlclose() needs a library, not '{type(lib).__name__}'")
        lib._close()

    @property
    def errno(self):
        return _calls._foreign.get_errno()

    @errno.setter
    def errno(self, value):
        _calls._foreign.set_errno(value)

    def integer_const(self, name):
        """The value of a constant."""
        value = self._integer(name)
        if value is None:
            raise AttributeError(f"module has no integer constant '{name}'")
        return value

    def list_types(self):
        """Names of types, structs and unions."""
        tags = [(name, flags & _IS_UNION) for name, _, flags, _ in self._structs if not name.startswith("$")]
        return (sorted(self._names), sorted(n for n, union in tags if not union), sorted(n for n, union in tags if union))

    def init_once(self, func, tag):
        """Calls a function, once for each tag."""
        with self._lock:
            if tag not in self._once:
                self._once[tag] = func()
            return self._once[tag]


_FILE, _IO_FILE = _types.new_struct_type("FILE"), _types.new_struct_type("struct _IO_FILE")


class Lib:
    """A library whose functions, variables and constants are its attributes."""

    __module__ = "_cffi_backend"
    __slots__ = ("_ffi", "_library", "_found")

    def __init__(self, ffi, library):
        set = object.__setattr__
        set(self, "_ffi", ffi)
        set(self, "_library", library)
        set(self, "_found", {})

    def __repr__(self):
        return f"<Lib object for '{self._library._name}'>"

    def _declared(self, name):
        found = self._ffi._globals.get(name)
        if found is None:
            for ffi in self._ffi._includes:
                if name in ffi._globals:
                    return ffi, *ffi._globals[name]
            raise AttributeError(f"cffi library '{self._library._name}' has no function, constant or global variable named "
                                 f"'{name}'")
        return self._ffi, *found

    def __getattr__(self, name):
        known = self._found.get(name)
        if known is not None:
            return known
        ffi, code, value = self._declared(name)
        op, arg = code & 0xFF, code >> 8
        if op in (_ENUM, _CONSTANT_INT):
            return value
        ctype = ffi._type(arg)
        if op in (_GLOBAL_VAR, _DLOPEN_CONST):
            return self._of_library(self._library.read_variable, ctype, name)
        self._found[name] = made = self._of_library(self._library.load_function, ctype, name)
        return made

    def _of_library(self, get, ctype, name, *value):
        """What the library has under a name, or `ffi.error`."""
        if not self._library._handle:
            raise error(f"library '{self._library._name}' has been closed")
        try:
            return get(ctype, name, *value)
        except (AttributeError, KeyError) as e:
            what = str(e.args[0]).removeprefix("function/").removeprefix("variable")
            raise error(what if what.startswith("symbol") else "symbol" + what) from None

    def __setattr__(self, name, value):
        ffi, code, _ = self._declared(name)
        if code & 0xFF != _GLOBAL_VAR:
            raise AttributeError(f"cannot write to function or constant '{name}'")
        self._of_library(self._library.write_variable, ffi._type(code >> 8), name, value)

    def __dir__(self):
        return sorted(self._ffi._globals)

    def _address(self, name):
        ffi, code, _ = self._declared(name)
        op = code & 0xFF
        if op == _GLOBAL_VAR:
            pointer = _types.new_pointer_type(ffi._type(code >> 8))
            return self._of_library(self._library.load_function, pointer, name)
        if op == _DLOPEN_FUNC:
            return getattr(self, name)
        raise AttributeError(f"cannot take the address of the constant '{name}'")

    def _close(self):
        self._library.close_lib()
        self._found.clear()
