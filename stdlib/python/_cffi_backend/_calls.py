"""Functions: calls of C, callbacks, and libraries."""

import _foreign
from _foreign import RTLD_GLOBAL, RTLD_LOCAL

from . import _cdata, _types, _values
from ._types import (CHAR, COMPLEX, FLOAT, LONG_DOUBLE, SIGNED, UNSIGNED, WIDE, CType, completed, is_integer,
                     is_voidchar_pointer, name_of)

# Of `_foreign.call`: the program's copy of errno is the thread's during the call.
_USE_ERRNO = 8


def passed_as(ctype, place="argument"):
    """What `_foreign` calls a type: a code, or size, alignment and numbers of an aggregate."""
    kind = ctype._kind
    if kind == "void":
        return ""
    if kind in ("struct", "union"):
        made = ctype._passed
        if made is None:
            if why := _not_passed(ctype):
                raise NotImplementedError(
                    f"ctype '{name_of(ctype)}' not supported as {place}.  It is {why}.  Such structs are only supported as "
                    f"{place} if the function is 'API mode' and non-variadic (i.e. declared inside ffibuilder.cdef()"
                    "+ffibuilder.set_source() and not taking a final '...' argument)")
            made = ctype._passed = ctype._size, ctype._align, tuple(_parts(ctype, 0))
        return made
    if ctype._class == LONG_DOUBLE:
        return 16, 16, ((0, "g"),)
    if ctype._class == COMPLEX:
        half = ctype._size // 2
        return ctype._size, half, ((0, ctype._code), (half, ctype._code))
    return ctype._code


def _not_passed(ctype):
    """Why a struct's bytes do not say how it is passed."""
    if ctype._kind == "union":
        return "a union"
    if ctype._bits:
        return "a struct with bit fields"
    if ctype._placed:
        return ('a struct declared with "...;", but the C calling convention may depend on the missing fields; or, it '
                "contains anonymous struct/unions")
    for _, field in ctype._fields:
        inner = field.type
        while inner._kind == "array":
            if inner._length <= 0:
                return "a struct with a zero-length array"
            inner = inner._item
        if inner._kind in ("struct", "union") and (why := _not_passed(completed(inner))):
            return why
    return None if ctype._size else "empty"


def _parts(ctype, at):
    """The numbers of an aggregate with their places."""
    kind = ctype._kind
    if kind == "array":
        for i in range(max(ctype._length, 0)):
            yield from _parts(ctype._item, at + i * ctype._item._size)
    elif kind in ("struct", "union"):
        for _, field in completed(ctype)._fields:
            yield from _parts(field.type, at + field.offset)
    elif ctype._class == LONG_DOUBLE:
        yield at, "g"
    elif ctype._class == COMPLEX:
        yield at, ctype._code
        yield at + ctype._size // 2, ctype._code
    else:
        yield at, ctype._code


# Of `_foreign.Function`: arguments are converted as here.
_STRICT = 1 << 16
_call_known = _foreign.call_known


def _learn(ctype):
    """What `_foreign` has to know for calls of a type's functions, if it can convert their arguments and results: most can."""
    ctype._known = False
    codes, classes = "", []
    for arg in ctype._args:
        code = _known_code(arg)
        if code is None:
            return
        codes += code
        classes += (arg, arg._kind == "pointer" and is_voidchar_pointer(arg))
    result = ctype._result
    code = "v" if result._kind == "void" else _known_code(result)
    if code is None or ctype._ellipsis:
        return
    if code == "&":
        code, ctype._finish = "X", lambda at: _cdata.pointer(result, at)
    ctype._known = _foreign.Function(code, codes, _USE_ERRNO | _STRICT, _cdata.CData, ("_cd_at", "_cd_type", "_cd_type"), tuple(classes))


def _known_code(ctype):
    kind = ctype._class
    if kind in (SIGNED, UNSIGNED, FLOAT):
        # An enum's values are numbers as well.
        return ctype._code
    if kind == CHAR:
        return "c"
    if kind == _types.BOOL:
        return "?"
    if kind is None and ctype._kind == "pointer":
        return "&"
    return None


def call(function, args):
    ctype = function._cd_type
    known = ctype._known
    if known is None:
        _learn(ctype)
        known = ctype._known
    if known and function._cd_at:
        result = _call_known(known, function._cd_at, args)
        if result is not NotImplemented:
            finish = ctype._finish
            return result if finish is None else finish(result)
    wanted, given = ctype._args, len(args)
    if given != len(wanted) and not (ctype._ellipsis and given > len(wanted)):
        least = "at least " if ctype._ellipsis else ""
        raise TypeError(f"'{name_of(ctype)}' expects {least}{len(wanted)} arguments, got {given}")
    result = ctype._result
    if not function._cd_at:
        raise RuntimeError(f"cannot call null pointer pointer from cdata '{name_of(ctype)}'")
    if ctype._ellipsis:
        wanted += tuple(_variadic(i, arg) for i, arg in enumerate(args[len(wanted):], len(wanted) + 1))
        how = passed_as(result), tuple(map(passed_as, wanted))
    else:
        how = ctype._passed
        if how is None:
            how = ctype._passed = passed_as(result, "return value"), tuple(map(passed_as, wanted))
    # What is made for the time of the call.
    kept = []
    values = [_argument(one, value, kept) for one, value in zip(wanted, args)]
    return from_call(result, _foreign.call(function._cd_at, how[0], how[1], values, _USE_ERRNO))


def _variadic(number, value):
    """The type by which an argument is passed that the function's type does not name."""
    if not isinstance(value, _cdata.CData):
        raise TypeError(f"argument {number} passed in the variadic part needs to be a cdata object "
                        f"(got {type(value).__name__})")
    ctype = value._cd_type
    if ctype._kind == "array":
        return ctype._made
    if ctype._class in (SIGNED, UNSIGNED, CHAR, WIDE, _types.BOOL) and ctype._size < 4:
        return _types.new_primitive_type("int")
    if ctype._class == FLOAT and ctype._size == 4:
        return _types.new_primitive_type("double")
    return ctype


def _argument(ctype, value, kept):
    kind = ctype._class
    if kind is None:
        if ctype._kind == "pointer":
            return _pointer_argument(ctype, value, kept)
        if ctype._kind == "function":
            return _values.address_for(ctype, value)
        memory = _values.allocate(ctype._size)
        _values.store(ctype, memory.address, value)
        return _foreign.read_bytes(memory.address, ctype._size)
    if kind in (SIGNED, UNSIGNED, _types.BOOL):
        value = _values.to_int(value)
        _types.check_range(ctype, value)
        return value
    if kind == FLOAT:
        return _values.to_float(value)
    if kind in (CHAR, WIDE):
        return _values.char_of(ctype, value)
    return _number_bytes(ctype, value)


def _number_bytes(ctype, value):
    if ctype._class == LONG_DOUBLE:
        return _values.to_long_double(value)
    memory = _values.allocate(ctype._size)
    _values.store(ctype, memory.address, value)
    return _foreign.read_bytes(memory.address, ctype._size)


def _pointer_argument(ctype, value, kept):
    """The address of an argument; rows and bytes are put into memory that is there during the call."""
    if isinstance(value, _cdata.CData):
        return _values.address_for(ctype, value)
    item = ctype._item
    if isinstance(value, bytes) and is_voidchar_pointer(ctype):
        memory = _values.allocate(len(value) + 1)
        kept.append(memory)
        _foreign.write_bytes(memory.address, value)
        return memory.address
    if is_voidchar_pointer(ctype) and item._kind == "primitive" and not isinstance(value, (list, tuple)):
        if isinstance(value, str):
            _values.cannot_convert(ctype, "bytes or list or tuple", value)
    elif item._class == WIDE and isinstance(value, str) or (
            isinstance(value, (list, tuple)) and item._kind != "void" and completed(item)._size >= 0):
        array = _types.new_array_type(ctype, None)
        length, value = _values.array_length(array, value)
        memory = _values.allocate(length * item._size)
        kept.append(memory)
        _values.store(array, memory.address, value)
        return memory.address
    elif _is_file(item):
        kept.append(stream := _file_of(value))
        return stream
    return _values.address_for(ctype, value)


def _is_file(item):
    return name_of(item) in ("struct _IO_FILE", "FILE")


def _file_of(value):
    """A stream of C for a file of Python's. It is opened once for each, and stays open."""
    import os

    try:
        descriptor = value.fileno()
    except AttributeError:
        raise TypeError(f"initializer for ctype 'FILE *' must be a file, not {type(value).__name__}") from None
    value.flush()
    opened = _files.get(value)
    if opened is None:
        fdopen = _foreign.dlsym(_foreign.dlopen(None, 0), "fdopen")
        mode = value.mode if "b" in value.mode else value.mode + "b"
        memory = _values.allocate(len(mode) + 1)
        _foreign.write_bytes(memory.address, mode.encode())
        opened = _foreign.call(fdopen, "P", ["i", "P"], [os.dup(descriptor), memory.address], _USE_ERRNO)
        if not opened:
            raise OSError(_foreign.get_errno(), os.strerror(_foreign.get_errno()))
        setbuf = _foreign.dlsym(_foreign.dlopen(None, 0), "setbuf")
        _foreign.call(setbuf, "", ["P", "P"], [opened, 0], 0)
        _files[value] = opened
    return opened


def _weak_files():
    import weakref

    return weakref.WeakKeyDictionary()


_files = _weak_files()


def from_call(ctype, made):
    """What a function has returned, or an argument of a callback."""
    kind = ctype._class
    if kind in (SIGNED, UNSIGNED, FLOAT):
        return made
    if kind == CHAR:
        return bytes((made,))
    if kind == WIDE:
        return _values._wide_char(made)
    if kind == _types.BOOL:
        return made != 0
    if kind == LONG_DOUBLE:
        return _cdata.number(ctype, bytes(made))
    if kind == COMPLEX:
        memory = _values.allocate(ctype._size)
        _foreign.write_bytes(memory.address, made)
        return _values.load(ctype, memory.address)
    if ctype._kind == "void":
        return None
    if ctype._code is not None:
        return _cdata.pointer(ctype, made)
    memory = _values.allocate(ctype._size)
    _foreign.write_bytes(memory.address, made)
    return _cdata.owned(ctype, memory, memory.address, ctype._size)


# Callbacks.

def _to_return(ctype, value):
    """An object as the result that a callback gives to C."""
    if ctype._kind == "void":
        return None
    if ctype._class in (None, LONG_DOUBLE, COMPLEX) and ctype._code in (None, "g", "f", "d"):
        memory = _values.allocate(ctype._size)
        _values.store(ctype, memory.address, value)
        return _foreign.read_bytes(memory.address, ctype._size)
    if ctype._kind in ("pointer", "function"):
        return _values.address_for(ctype, value)
    return _argument(ctype, value, [])


def runner(ctype, target, error, onerror):
    """What calls `target` with arguments as they come from C, and gives what goes back; with `error`, or what `onerror` says, for
    exceptions."""
    if not callable(target):
        raise TypeError(f"expected a callable object, not {type(target).__name__}")
    if onerror is not None and not callable(onerror):
        raise TypeError("expected a callable object for 'onerror', not " + type(onerror).__name__)
    result, wanted = ctype._result, ctype._args
    if error is not None:
        if result._kind == "void":
            _values.cannot_convert(result, "None", error)
        error = _to_return(result, error)
    elif result._kind != "void":
        by_bytes = result._code is None or result._class in (LONG_DOUBLE, COMPLEX)
        error = bytes(completed(result)._size) if by_bytes else 0

    def run(*values):
        # None of a function without a result, whatever the callable returns.
        returned = False
        try:
            value = target(*map(from_call, wanted, values))
            returned = True
            if result._kind == "void" and value is not None:
                raise TypeError("callback with the return type 'void' must return None")
            return _to_return(result, value)
        except BaseException as raised:
            return report(raised, returned)

    def report(raised, returned):
        # Without this function, which is none of the program's.
        raised.__traceback__ = raised.__traceback__.tb_next or raised.__traceback__
        message = f"Exception ignored from cffi callback {target!r}"
        if returned:
            message += ", trying to convert the result back to C"
        if onerror is None:
            _foreign.unraisable(raised, message)
            return error
        try:
            value = onerror(type(raised), raised, raised.__traceback__)
            return error if value is None else _to_return(result, value)
        except BaseException as second:
            _foreign.unraisable(raised, message)
            _foreign.unraisable(second, "Exception ignored during handling of the above exception by 'onerror'")
            return error

    return run


def callback(ctype, target, error=None, onerror=None, /):
    _types.check_ctype(ctype)
    if ctype._kind != "function":
        raise TypeError(f"expected a function ctype, got '{name_of(ctype)}'")
    result, wanted = ctype._result, ctype._args
    try:
        how = passed_as(result), tuple(map(passed_as, wanted))
    except NotImplementedError:
        how = None
    if callable(target) and (how is None or ctype._ellipsis or result._class == LONG_DOUBLE):
        raise NotImplementedError(f"{name_of(ctype)}: callback with unsupported argument or return type or with '...'")
    run = runner(ctype, target, error, onerror)
    made = _foreign.Callback(run, target, *how, _USE_ERRNO)
    return _cdata.closure(ctype, made.address, (made, run), target)


# Libraries.

class CLibrary:
    """A library that has been loaded."""

    __slots__ = ("_handle", "_name", "_opened")

    def __new__(cls, *args, **kwargs):
        raise TypeError(f"cannot create '{cls.__module__}.{cls.__name__}' instances")

    def __repr__(self):
        return f"<clibrary '{self._name}'>"

    def _symbol(self, name, error, what):
        if not isinstance(name, str):
            raise TypeError(f"argument 2 must be str, not {type(name).__name__}")
        if not self._handle:
            raise ValueError(f"library '{self._name}' has already been closed")
        try:
            return _foreign.dlsym(self._handle, name)
        except AttributeError as e:
            raise error(f"{what} '{name}' not found in library '{self._name}': {e}") from None

    def load_function(self, ctype, name, /):
        """The function, or what a pointer or array type names."""
        _types.check_ctype(ctype)
        if ctype._kind not in ("function", "pointer", "array"):
            raise TypeError(f"function or pointer or array cdata expected, got '{name_of(ctype)}'")
        at = self._symbol(name, AttributeError, "function/symbol")
        if ctype._kind == "array" and ctype._length < 0:
            ctype = ctype._made
        return _cdata.pointer(ctype, at)

    def read_variable(self, ctype, name, /):
        """The value of a variable."""
        _types.check_ctype(ctype)
        return _values.load(ctype, self._symbol(name, KeyError, "variable"))

    def write_variable(self, ctype, name, value, /):
        """Change a variable."""
        _types.check_ctype(ctype)
        _values.store(ctype, self._symbol(name, KeyError, "variable"), value)

    def close_lib(self):
        """Close the library: what it has given cannot be used any more."""
        handle, self._handle = self._handle, 0
        if handle and self._opened:
            _foreign.dlclose(handle)


CLibrary.__module__ = "_cffi_backend"


def load_library(name=None, flags=2, /):
    made = object.__new__(CLibrary)
    if isinstance(name, _cdata.CData):
        if name._cd_type._kind != "pointer" or name._cd_type._item is not _types.new_void_type():
            raise TypeError(f"dlopen() takes a file name or 'void *' handle, not '{name_of(name._cd_type)}'")
        if not name._cd_at:
            raise RuntimeError("cannot call dlopen(NULL)")
        made._name, made._handle, made._opened = repr(name), name._cd_at, False
        return made
    try:
        made._handle = _foreign.dlopen(name, flags or 2)
    except OSError as e:
        raise OSError(f"cannot load library '{'<None>' if name is None else name}': {e}") from None
    made._name, made._opened = "<None>" if name is None else name, True
    return made
