"""Modules that cffi has generated as C and a compiler has compiled (API mode).

Such a module has one function, `_cffi_pypyinit_NAME`, that gives the address of a table of all that is in it:

    types | globals | fields | structs and unions | enums | names of types | how many of each | names of included modules

The rows name functions that read constants and call what was declared; nothing of the interpreter's is called but one function, by
which C calls what `ffi.def_extern()` has been given.
"""

import importlib
import sys
import types

import _foreign

from . import _calls, _cdata, _ffi, _types, _values
from ._ffi import FFI, Lib, error
from ._types import name_of

_CALL_VARARGS, _CALL_NONE, _CALL_ONE, _CONSTANT = 23, 25, 27, 29
_GLOBAL_VAR_F, _EXTERN_PYTHON = 39, 41
_FUNCTIONS = (_CALL_VARARGS, _CALL_NONE, _CALL_ONE)
# Of a struct: its fields must be where its declaration says.
_CHECKED = 2
# The version of a table that was filled in, and what a module asks the interpreter's for.
_OFFERED = 0x0A03

_WORD = 8


def _pointer(at):
    return _foreign.read("P", at)


def _size(at):
    """A size_t; -1 stands for none."""
    return _foreign.read("q", at)


def _text(at):
    return _foreign.read_bytes(at, _foreign.length(at, 1)).decode()


def _row(table, number, words):
    return _pointer(table) + number * words * _WORD


class CompiledFFI(FFI):
    """`FFI` of a compiled module."""

    __module__, __qualname__ = "_cffi_backend", "FFI"
    __slots__ = ("_context",)

    @classmethod
    def _of(cls, context, includes):
        made = cls()
        made._context = context
        counts = [_foreign.read("i", context + 6 * _WORD + 4 * i) for i in range(4)]
        count = _foreign.read("i", context + 9 * _WORD)
        made._codes = [_foreign.read("q", _pointer(context) + i * _WORD) for i in range(count)]
        made._includes = includes
        for i in range(counts[0]):
            at = _row(context + _WORD, i, 4)
            made._globals[_text(_pointer(at))] = _foreign.read("q", at + 2 * _WORD), _pointer(at + _WORD), _pointer(at + 3 * _WORD)
        for i in range(counts[1]):
            at = _row(context + 3 * _WORD, i, 5)
            index, flags = (_foreign.read("i", at + _WORD + 4 * k) for k in (0, 1))
            align, first, number = (_foreign.read("i", at + 3 * _WORD + 4 * k) for k in range(3))
            made._structs.append((_text(_pointer(at)), index, flags, (_size(at + 2 * _WORD), align, first, number)))
        for i in range(counts[2]):
            at = _row(context + 4 * _WORD, i, 3)
            names = [name for name in _text(_pointer(at + 2 * _WORD)).split(",") if name]
            made._enums.append((_text(_pointer(at)), *(_foreign.read("i", at + _WORD + 4 * k) for k in (0, 1)), names))
        for i in range(counts[3]):
            at = _row(context + 5 * _WORD, i, 2)
            made._names[_text(_pointer(at))] = _foreign.read("i", at + _WORD)
        return made

    def _make(self, index):
        code = self._codes[index]
        if code & 0xFF == _ffi._PRIMITIVE and code >> 8 < 0:
            kind = "integer" if code >> 8 == -1 else "float"
            raise error(f"primitive {kind} type with an unexpected size (or not an {kind} type at all)")
        return FFI._make(self, index)

    def _complete(self, ctype, flags, place):
        size, align, first, number = place
        rows = []
        for i in range(first, first + number):
            at = _row(self._context + 2 * _WORD, i, 4)
            name, offset, length = _text(_pointer(at)), _size(at + _WORD), _size(at + 2 * _WORD)
            code = _foreign.read("q", at + 3 * _WORD)
            ftype = self._type(code >> 8)
            if code & 0xFF == _ffi._BITFIELD:
                rows.append((name, ftype, length, -1))
                continue
            expected = _types.completed(ftype)._size
            if length >= 0 and expected >= 0 and length != expected:
                raise error(f"{name_of(ctype)}: wrong size for field '{name}' (cdef says {expected}, but C compiler says {length}). "
                            f'fix it or use "...;" as the last field in the cdef for {name_of(ctype)} to make it flexible')
            rows.append((name, ftype, -1, offset))
        _types.complete_struct_or_union(ctype, rows, None, size, align, 8 if flags & _ffi._IS_PACKED else 0)
        if flags & _CHECKED and ctype._placed and not ctype._bits:
            ctype._fields, ctype._size = None, -1
            raise error(f"{name_of(ctype)}: the C compiler says that its fields are elsewhere than the cdef says. "
                        f'fix it or use "...;" as the last field in the cdef for {name_of(ctype)} to make it flexible')

    def _constant(self, name):
        _, function, _ = self._globals[name]
        memory = _values.allocate(_WORD)
        state = _foreign.call(function, "i", ("P",), [memory.address], 0)
        value = _foreign.read("q" if state & 1 else "Q", memory.address)
        if state & 2:
            raise error(f"the C compiler says '{name}' is equal to {value} ({value:#x}), but the cdef disagrees")
        return value

    def def_extern(self, name=None, error=None, onerror=None):
        """A decorator for what C calls under a name that was declared as extern "Python"."""
        if name is not None and not isinstance(name, str):
            raise TypeError(f"def_extern() argument 'name' must be str, not {type(name).__name__}")

        def attach(function):
            wanted = name or function.__name__
            found = self._globals.get(wanted)
            if found is None or found[0] & 0xFF != _EXTERN_PYTHON:
                raise FFI.error(f"ffi.def_extern('{wanted}'): no 'extern \"Python\"' function with this name")
            ctype = self._type(found[0] >> 8)
            run = _calls.runner(ctype, function, error, onerror)
            _externs[found[1]] = ctype._result, ctype._args, run
            return function

        return attach


# What C may call, by the address of its row in the module.
_externs = {}


def _raw(ctype, at):
    """An argument as a callback would get it."""
    if ctype._kind in ("struct", "union") or ctype._class == _types.LONG_DOUBLE:
        return _foreign.read_bytes(_pointer(at), _types.completed(ctype)._size)
    if ctype._class == _types.COMPLEX:
        return _foreign.read_bytes(at, ctype._size)
    return _foreign.read(_calls.passed_as(ctype), at)


def _call_python(row, at):
    """C calls something of Python's: its arguments lie in words, and there its result goes."""
    known = _externs.get(row)
    if known is None:
        name, size = _text(_pointer(row)), _size(row + _WORD)
        print(f'extern "Python": function {name}() called, but no code was attached to it yet with @ffi.def_extern().  Returning 0.',
              file=sys.stderr)
        _foreign.write_bytes(at, bytes(size))
        return
    result, wanted, run = known
    value = run(*[_raw(ctype, at + i * _WORD) for i, ctype in enumerate(wanted)])
    if result._kind == "void":
        return
    if isinstance(value, bytes):
        _foreign.write_bytes(at, value)
    else:
        _foreign.write(_calls.passed_as(result), at, value)


_entry = None


def _begin(begin, entry):
    """Version and table of a module, which is told where C calls what is attached."""
    memory = _values.allocate(2 * _WORD)
    _foreign.write("P", memory.address, _OFFERED if entry else 0)
    _foreign.write("P", memory.address + _WORD, entry)
    _foreign.call(begin, "P", ("P",), [memory.address], 0)
    return _pointer(memory.address), _pointer(memory.address + _WORD)


class _ByAddress:
    """A function that takes or gives structs: the module has one that takes their addresses, wherever a compiler passes them."""

    __slots__ = ("__name__", "_inner", "_wanted", "_result")

    def __init__(self, name, ctype, at):
        self.__name__, self._wanted, self._result = name, ctype._args, ctype._result
        passed = [self._passed(one) for one in self._wanted]
        result = self._result
        if self._is_aggregate(result):
            passed.insert(0, _types.new_pointer_type(result))
            result = _types.new_void_type()
        self._inner = _cdata.pointer(_types.new_function_type(tuple(passed), result), at)

    @staticmethod
    def _is_aggregate(ctype):
        return ctype._kind in ("struct", "union")

    def _passed(self, ctype):
        return _types.new_pointer_type(ctype) if self._is_aggregate(ctype) else ctype

    def __repr__(self):
        return f"<built-in method {self.__name__} of _cffi_backend.Lib object>"

    def __call__(self, *args):
        if len(args) != len(self._wanted):
            raise TypeError(f"{self.__name__}() takes exactly {len(self._wanted)} arguments ({len(args)} given)")
        # What is made for the time of the call.
        kept, values = [], []
        for ctype, value in zip(self._wanted, args):
            if self._is_aggregate(ctype):
                memory = _values.allocate(_types.completed(ctype)._size)
                kept.append(memory)
                _values.store(ctype, memory.address, value)
                value = _cdata.pointer(_types.new_pointer_type(ctype), memory.address)
            values.append(value)
        if not self._is_aggregate(self._result):
            return self._inner(*values)
        size = _types.completed(self._result)._size
        memory = _values.allocate(size)
        self._inner(_cdata.pointer(_types.new_pointer_type(self._result), memory.address), *values)
        return _cdata.owned(self._result, memory, memory.address, size)


class CompiledLib(Lib):
    """`Lib` of a compiled module."""

    __module__, __qualname__ = "_cffi_backend", "Lib"
    __slots__ = ("_name", "_includes")

    def __init__(self, name, ffi, includes):
        Lib.__init__(self, ffi, None)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_includes", includes)

    def __repr__(self):
        return f"<Lib object for '{self._name}'>"

    def _missing(self, name):
        return AttributeError(f"cffi library '{self._name}' has no function, constant or global variable named '{name}'")

    def __getattr__(self, name):
        known = self._found.get(name)
        if known is not None:
            return known
        found = self._ffi._globals.get(name)
        if found is None:
            return self._of_includes(name)
        code, address, extra = found
        op = code & 0xFF
        if op in (_ffi._GLOBAL_VAR, _GLOBAL_VAR_F):
            return _values.load(*self._variable(code, address, extra))
        made = self._found[name] = self._made(name, op, code >> 8, address, extra)
        return made

    def _of_includes(self, name):
        for lib in self._includes:
            try:
                return getattr(lib, name)
            except AttributeError:
                pass
        if name == "__all__":
            return sorted(self._ffi._globals)
        if name == "__dict__":
            return {name: getattr(self, name) for name in self._ffi._globals}
        if name == "__class__":
            return types.ModuleType
        if name == "__name__":
            return f"{self._name}.lib"
        raise self._missing(name)

    def _made(self, name, op, index, address, extra):
        ffi = self._ffi
        if op in (_ffi._ENUM, _ffi._CONSTANT_INT):
            return ffi._constant(name)
        ctype = ffi._type(index)
        if op in _FUNCTIONS:
            if any(_ByAddress._is_aggregate(one) for one in (ctype._result, *ctype._args)):
                return _ByAddress(name, ctype, address)
            return _cdata.pointer(ctype, extra)
        if op == _EXTERN_PYTHON:
            return _cdata.pointer(ctype, extra)
        if op == _CONSTANT:
            size = _types.completed(ctype)._size
            memory = _values.allocate(size)
            _foreign.call(address, "", ("P",), [memory.address], 0)
            if ctype._kind in ("struct", "union"):
                return _cdata.owned(ctype, memory, memory.address, size)
            return _values.load(ctype, memory.address)
        raise NotImplementedError(f"'{name}' of a generated module has the unknown code {op}")

    def _variable(self, code, address, size):
        """Type and address of a variable."""
        ctype = self._ffi._type(code >> 8)
        if code & 0xFF == _GLOBAL_VAR_F:
            address = _foreign.call(address, "P", (), [], 0)
        if ctype._kind == "array" and ctype._length < 0 and size:
            ctype = _types.new_array_type(ctype._made, size // ctype._item._size)
        return ctype, address

    def __setattr__(self, name, value):
        found = self._ffi._globals.get(name)
        if found is None:
            for lib in self._includes:
                if name in dir(lib):
                    return setattr(lib, name, value)
            raise self._missing(name)
        code, address, extra = found
        if code & 0xFF not in (_ffi._GLOBAL_VAR, _GLOBAL_VAR_F):
            raise AttributeError(f"cannot write to function or constant '{name}'")
        _values.store(*self._variable(code, address, extra), value)

    def __dir__(self):
        return sorted({*self._ffi._globals, *(name for lib in self._includes for name in dir(lib))})

    def _address(self, name):
        found = self._ffi._globals.get(name)
        if found is None:
            for lib in self._includes:
                if name in dir(lib):
                    return lib._address(name)
            raise self._missing(name)
        code, address, extra = found
        op = code & 0xFF
        if op in (_ffi._GLOBAL_VAR, _GLOBAL_VAR_F):
            ctype, at = self._variable(code, address, extra)
            return _cdata.pointer(_types.new_pointer_type(ctype), at)
        if op in _FUNCTIONS or op == _EXTERN_PYTHON:
            return _cdata.pointer(self._ffi._type(code >> 8), extra)
        raise AttributeError(f"cannot take the address of the constant '{name}'")

    def _close(self):
        raise error("a compiled module is not closed")


# The libraries stay open: what is in them may be used as long as the process lives.
def load(spec):
    """The module of a shared library that cffi has generated. ImportError."""
    name, path = spec.name, spec.origin
    tail = name.rpartition(".")[2]
    try:
        # RTLD_NOW: what is missing is told here, and not when it is called.
        handle = _foreign.dlopen(path, 2)
    except OSError as e:
        raise ImportError(str(e), name=name, path=path) from None
    try:
        begin = _foreign.dlsym(handle, f"_cffi_pypyinit_{tail}")
    except AttributeError:
        raise ImportError(f"dynamic module does not define module export function (_cffi_pypyinit_{tail}); only modules that cffi "
                          "generates can be loaded", name=name, path=path) from None
    version, context = _begin(begin, 0)
    if version not in _ffi._VERSIONS:
        raise ImportError(f"cffi extension module '{name}' has unknown version {version:#x}", name=name, path=path)
    included, at = [], _pointer(context + 8 * _WORD)
    while at and _pointer(at):
        included.append(importlib.import_module(_text(_pointer(at))))
        at += _WORD
    ffi = CompiledFFI._of(context, tuple(m.ffi for m in included))
    if any(code & 0xFF == _EXTERN_PYTHON for code, _, _ in ffi._globals.values()):
        global _entry
        if _entry is None:
            # Only now: with any callback, C keeps the lock.
            _entry = _foreign.Callback(_call_python, _call_python, "", ("P", "P"), _calls._USE_ERRNO)
        _begin(begin, _entry.address)
    module = types.ModuleType(name)
    module.__file__ = path
    module.ffi = ffi
    module.lib = CompiledLib(name, ffi, tuple(m.lib for m in included))
    # For `from NAME.lib import ...`.
    sys.modules[f"{name}.lib"] = module.lib
    return module
