"""This module provides primitive operations to manage Python interpreters.
The 'interpreters' module provides a more convenient interface."""

import builtins
import types
import _isolates
from skein import crossing
from skein.crossing import NotShareableError

WHENCE_UNKNOWN, WHENCE_RUNTIME, WHENCE_LEGACY_CAPI, WHENCE_CAPI, WHENCE_XI, WHENCE_STDLIB = range(6)


class InterpreterError(Exception):
    """A cross-interpreter operation failed"""

    __module__ = "concurrent.interpreters"


class InterpreterNotFoundError(InterpreterError):
    """An interpreter was not found"""

    __module__ = "concurrent.interpreters"


CrossInterpreterBufferView = _isolates.CrossInterpreterBufferView

# ---- how an interpreter is made

_ISOLATED = {
    "use_main_obmalloc": False,
    "allow_fork": False,
    "allow_exec": False,
    "allow_threads": True,
    "allow_daemon_threads": False,
    "check_multi_interp_extensions": True,
    "gil": "own",
}
_LEGACY = {
    "use_main_obmalloc": True,
    "allow_fork": True,
    "allow_exec": True,
    "allow_threads": True,
    "allow_daemon_threads": True,
    "check_multi_interp_extensions": False,
    "gil": "shared",
}
_EMPTY = dict.fromkeys(_ISOLATED, False) | {"gil": "default"}
_NAMED = {"": _ISOLATED, "default": _ISOLATED, "isolated": _ISOLATED, "legacy": _LEGACY, "empty": _EMPTY}


def _named_config(name):
    # What is no text raises here.
    name.encode()
    if name not in _NAMED:
        raise ValueError(f"unsupported config name '{name}'")
    return dict(_NAMED[name])


def _checked_config(config):
    for name, value in config.items():
        if name not in _ISOLATED:
            raise ValueError(f"unexpected extra config field '{name}'")
        if name == "gil":
            if type(value) is not str:
                raise TypeError("'gil' config value must be a string")
            if value not in ("default", "shared", "own"):
                raise ValueError(f"unsupported interpreter config .gil value '{value}'")
        elif type(value) is not bool:
            raise TypeError(f"'{name}' config value must be a bool")
    return config


def new_config(name="isolated", /, **overrides):
    """new_config(name='isolated', /, **overrides) -> type.SimpleNamespace

Return a representation of a new PyInterpreterConfig.

The name determines the initial values of the config.  Supported named
configs are: default, isolated, legacy, and empty.

Any keyword arguments are set on the corresponding config fields,
overriding the initial values."""
    if not isinstance(name, str):
        raise TypeError(f"new_config() argument 1 must be str, not {type(name).__name__}")
    return types.SimpleNamespace(**_named_config(name) | _checked_config(overrides))


def _config_of(config):
    if config is None:
        return _named_config("")
    if isinstance(config, str):
        return _named_config(config)
    try:
        given = dict(vars(config))
    except TypeError:
        raise TypeError(f"bad config {config!r}") from None
    for name in _ISOLATED:
        if name not in given:
            raise ValueError(f"missing config field '{name}'")
    return _checked_config(given)


def _why_not(config):
    """Why there is no such interpreter, if there is none."""
    if not config["use_main_obmalloc"]:
        if not config["check_multi_interp_extensions"]:
            return "per-interpreter obmalloc does not support single-phase init extension modules"
        if config["gil"] != "own":
            return "per-interpreter obmalloc requires per-interpreter GIL"
    if config["allow_daemon_threads"] and not config["allow_threads"]:
        return "daemon threads need threads"
    return None


def create(config=None, *, reqrefs=False):
    """create([config], *, reqrefs=False) -> ID

Create a new interpreter and return a unique generated ID.

The caller is responsible for destroying the interpreter before exiting,
typically by using _interpreters.destroy().  This can be managed
automatically by passing "reqrefs=True" and then using _incref() and
_decref() appropriately.

"config" must be a valid interpreter config or the name of a
predefined config ("isolated" or "legacy").  The default
is "isolated"."""
    config = _config_of(config)
    made = _why_not(config)
    if made is None:
        allowed = ("allow_fork", "allow_exec", "allow_threads", "allow_daemon_threads")
        bits = sum(config[name] << i for i, name in enumerate(allowed))
        made = _isolates.create(crossing.dump(config), bits, bool(reqrefs))
    if isinstance(made, str):
        raise InterpreterError("interpreter creation failed") from RuntimeError(made)
    return made


# ---- looking one up


def _resolve(id, restrict, what):
    """The number of an interpreter, and where it comes from."""
    if not hasattr(type(id), "__index__"):
        raise TypeError(f"interpreter ID must be an int, got {type(id).__name__}")
    number = type(id).__index__(id)
    if number < 0:
        raise ValueError(f"interpreter ID must be a non-negative int, got {id!r}")
    if number > crossing.MOST:
        raise OverflowError("Python int too large to convert to C long long")
    whence = _isolates.whence(number)
    if whence is None:
        raise InterpreterNotFoundError(f"unrecognized interpreter ID {number}")
    if restrict and whence != WHENCE_STDLIB:
        raise InterpreterError(f"cannot {what} unrecognized interpreter {id!r}")
    return number


def list_all(*, require_ready=False):
    """list_all() -> [(ID, whence)]

Return a list containing the ID of every existing interpreter."""
    return _isolates.members()


def get_current():
    """get_current() -> (ID, whence)

Return the ID of current interpreter."""
    id = _isolates.current()
    return id, _isolates.whence(id)


def get_main():
    """get_main() -> (ID, whence)

Return the ID of main interpreter."""
    return _isolates.members()[0]


def whence(id):
    """whence(id) -> int

Return an identifier for where the interpreter was created."""
    return _isolates.whence(_resolve(id, False, ""))


def get_config(id, *, restrict=False):
    """get_config(id, *, restrict=False) -> types.SimpleNamespace

Return a representation of the config used to initialize the interpreter."""
    id = _isolates.current() if id is None else _resolve(id, restrict, "get the config of")
    data = _isolates.config(id)
    if not data:
        return types.SimpleNamespace(**_LEGACY | {"gil": "own"})
    return types.SimpleNamespace(**crossing.load(data)[0])


def is_running(id, *, restrict=False):
    """is_running(id, *, restrict=False) -> bool

Return whether or not the identified interpreter is running."""
    return bool(_isolates.is_running(_resolve(id, restrict, "check if running for")))


# ---- how long there is one


def incref(id, *, implieslink=False, restrict=False):
    _isolates.retain(_resolve(id, restrict, "incref"), bool(implieslink))


def decref(id, *, restrict=False):
    id = _resolve(id, restrict, "decref")
    if _isolates.release(id):
        _isolates.end(id)


def destroy(id, *, restrict=False):
    """destroy(id, *, restrict=False)

Destroy the identified interpreter.

Attempting to destroy the current interpreter raises InterpreterError.
So does an unrecognized ID."""
    id = _resolve(id, restrict, "destroy")
    if id == _isolates.current():
        raise InterpreterError("cannot destroy the current interpreter")
    ended = _isolates.end(id)
    if ended is None:
        raise InterpreterNotFoundError(f"unrecognized interpreter ID {id}")
    if not ended:
        raise InterpreterError("interpreter running")


# ---- having it do something


def _asked(id, data, views):
    answer = crossing.ask(id, data, views)
    if answer is None:
        raise InterpreterNotFoundError(f"unrecognized interpreter ID {id}")
    if answer is False:
        raise InterpreterError("interpreter already running")
    if isinstance(answer, str):
        raise InterpreterError(answer)
    (how, *rest), views = answer
    if how == "failed":
        return None, _excinfo(rest[0])
    if how == "not shareable":
        text, cause = rest
        raise NotShareableError(text) from Exception(cause)
    return crossing.value_of(rest[0], views), None


_MISSING = object()


def _pairs(updates, function, place, views):
    """Names with what they are to be bound to, as plain data."""
    if updates is _MISSING:
        return []
    if not isinstance(updates, dict):
        got = "None" if updates is None else type(updates).__name__
        raise TypeError(f"_interpreters.{function}() argument {place} must be dict, not {got}")
    pairs = []
    for name, value in updates.items():
        if not isinstance(name, str):
            raise TypeError(f"expected str for name, got {name!r}")
        # What is no text raises here.
        name.encode()
        pairs.append((str(name), crossing.tree_of(value, views, fallback=False)))
    return pairs


def set___main___attrs(id, updates, *, restrict=False):
    """set___main___attrs(id, ns, *, restrict=False)

Bind the given attributes in the interpreter's __main__ module."""
    id = _resolve(id, restrict, "update __main__ for")
    views = []
    pairs = _pairs(updates, "set___main___attrs", 2, views)
    if not pairs:
        raise ValueError("arg 2 must be a non-empty dict")
    _asked(id, crossing.dump("update", pairs), views)


def _script(code):
    """The code of a script, which is text, a function without arguments, or a code object."""
    if isinstance(code, str):
        return compile(code, "<script>", "exec")
    if isinstance(code, types.FunctionType):
        if code.__closure__:
            raise ValueError("closures not supported")
        code = code.__code__
    elif not isinstance(code, types.CodeType):
        raise TypeError(f"unsupported script {code!r}")
    if code.co_freevars:
        raise ValueError("closures not supported")
    if code.co_argcount or code.co_posonlyargcount or code.co_kwonlyargcount or code.co_flags & 0xC:
        raise ValueError("code with args not supported")
    if crossing.returns_value(code):
        raise ValueError("code that returns a value is not a script")
    return code


def _execute(id, code, shared, function):
    views = []
    code = _script(code)
    pairs = _pairs(shared, function, 3, views)
    _, failed = _asked(id, crossing.dump("exec", code, pairs), views)
    return failed


def exec(id, code, shared=_MISSING, *, restrict=False):
    """exec(id, code, shared=None, *, restrict=False)

Execute the provided code in the identified interpreter.
This is equivalent to running the builtin exec() under the target
interpreter, using the __dict__ of its __main__ module as both
globals and locals.

"code" may be a string containing the text of a Python script.

Functions (and code objects) are also supported, with some restrictions.
The code/function must not take any arguments or be a closure
(i.e. have cell vars).  Methods and other callables are not supported.

If a function is provided, its code object is used and all its state
is ignored, including its __globals__ dict."""
    id = _resolve(id, restrict, "exec code for")
    return _execute(id, code, shared, "exec")


def run_string(id, script, shared=_MISSING, *, restrict=False):
    """run_string(id, script, shared=None, *, restrict=False)

Execute the provided string in the identified interpreter.

(See _interpreters.exec()."""
    id = _resolve(id, restrict, "run a string in")
    if not isinstance(script, str):
        raise TypeError(f"_interpreters.run_string() argument 2 must be str, not {type(script).__name__}")
    return _execute(id, script, shared, "run_string")


def run_func(id, func, shared=_MISSING, *, restrict=False):
    """run_func(id, func, shared=None, *, restrict=False)

Execute the body of the provided function in the identified interpreter.
Code objects are also supported.  In both cases, closures and args
are not supported.  Methods and other callables are not supported either.

(See _interpreters.exec()."""
    id = _resolve(id, restrict, "run a function in")
    if isinstance(func, str):
        raise TypeError(f"unsupported script {func!r}")
    return _execute(id, func, shared, "run_func")


def call(id, callable, args=None, kwargs=None, *, preserve_exc=False, restrict=False):
    """call(id, callable, args=None, kwargs=None, *, restrict=False)

Call the provided object in the identified interpreter.
Pass the given args and kwargs, if possible."""
    id = _resolve(id, restrict, "make a call in")
    if not builtins.callable(callable):
        raise TypeError(f"expected a callable, got {callable!r}")
    views = []
    function = crossing.tree_of(callable, views)
    args = [crossing.tree_of(arg, views) for arg in args or ()]
    kwargs = [(name, crossing.tree_of(arg, views)) for name, arg in (kwargs or {}).items()]
    return _asked(id, crossing.dump("call", function, args, kwargs), views)


def is_shareable(obj):
    """is_shareable(obj) -> bool

Return True if the object's data may be shared between interpreters and
False otherwise."""
    return crossing.is_shareable(obj)


# ---- exceptions as plain data


def _captured(error, traceback):
    import traceback as tracebacks

    cls = type(error)
    name = {name: getattr(cls, name) for name in ("__name__", "__qualname__", "__module__")}
    try:
        text = str(error)
    except Exception:
        text = None
    full = cls.__qualname__
    if cls.__module__ not in ("builtins", "__main__"):
        full = f"{cls.__module__}.{full}"
    try:
        shown = tracebacks.TracebackException(cls, error, traceback)
        display = "".join(shown.format()).rstrip("\n")
    except Exception:
        display = None
    return {"type": name, "msg": text, "formatted": f"{full}: {text}" if text else full, "errdisplay": display}


def _excinfo(captured):
    return types.SimpleNamespace(**captured | {"type": types.SimpleNamespace(**captured["type"])})


def capture_exception(exc=None):
    """capture_exception(exc=None) -> types.SimpleNamespace

Return a snapshot of an exception.  If "exc" is None
then the current exception, if any, is used (but not cleared).

The returned snapshot is the same as what _interpreters.exec() returns."""
    import sys

    if exc is None:
        exc = sys.exception()
        if exc is None:
            return None
    elif not isinstance(exc, BaseException):
        raise TypeError(f"expected exception, got {exc!r}")
    return _excinfo(_captured(exc, exc.__traceback__))


# ---- what the interpreter does that is asked


def _serve(data, views):
    """Does what another interpreter asks for: the answer, as bytes and memoryviews."""
    operation, *rest = crossing.load(data)
    try:
        answer, views = _OPERATIONS[operation](views, *rest)
    except _NotTaken as e:
        answer, views = ("not shareable", str(e), _shown(e.__cause__)), ()
    return crossing.dump(*answer), views


class _NotTaken(Exception):
    """Something did not come over; its cause says why."""


def _shown(error):
    captured = _captured(error, error.__traceback__)
    return captured["errdisplay"] or captured["formatted"]


def _taken(what, make):
    """What unpacks something that was sent gives."""
    try:
        try:
            return make()
        except Exception as e:
            raise NotShareableError("object could not be unpickled") from e
    except NotShareableError as e:
        raise _NotTaken(f"{what} not shareable") from e


def _bind(pairs, views):
    import __main__

    values = _taken("namespace", lambda: [(name, crossing.value_of(tree, views)) for name, tree in pairs])
    __main__.__dict__.update(values)
    return __main__.__dict__


def _serve_update(views, pairs):
    _bind(pairs, views)
    return ("done", None), ()


def _serve_exec(views, script, pairs):
    namespace = _bind(pairs, views)
    try:
        builtins.exec(script, namespace)
    except BaseException as e:
        return ("failed", _captured(e, _part_below(e, 1))), ()
    return ("done", None), ()


def _part_below(error, frames):
    """The traceback without the frames that are ours."""
    traceback = error.__traceback__
    for _ in range(frames):
        traceback = traceback and traceback.tb_next
    return traceback


class _Call:
    """What is to be called next, for the expression below."""

    function = args = kwargs = None


#: A call from the frame of the main program: what looks at its caller's names finds those.
_CALL = compile(
    "{0}.function(*{0}.args, **{0}.kwargs)".format("__import__('_interpreters')._Call"), "<call>", "eval"
)


def _serve_call(views, function, args, kwargs):
    import __main__

    function = _taken("func", lambda: crossing.value_of(function, views))
    args = _taken("args", lambda: [crossing.value_of(arg, views) for arg in args])
    kwargs = _taken("kwargs", lambda: {name: crossing.value_of(arg, views) for name, arg in kwargs})
    _Call.function, _Call.args, _Call.kwargs = staticmethod(function), args, kwargs
    try:
        result = eval(_CALL, __main__.__dict__)
    except BaseException as e:
        return ("failed", _captured(e, _part_below(e, 2))), ()
    finally:
        _Call.function = _Call.args = _Call.kwargs = None
    views = []
    try:
        return ("done", crossing.tree_of(result, views)), views
    except NotShareableError as e:
        raise _NotTaken("object does not support cross-interpreter data") from e


_OPERATIONS = {"update": _serve_update, "exec": _serve_exec, "call": _serve_call}
