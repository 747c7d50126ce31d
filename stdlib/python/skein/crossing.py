"""What goes from one interpreter to another: values as plain data, and back.

A message is a tuple of bytes, which `marshal` makes of a tree, and of memoryviews. In a tree numbers, text and bytes stand for themselves; all else
is a tuple that begins with what it is.
"""

import marshal
import sys
import _isolates

NONE, ROW, VIEW, OBJECT, FUNCTION, PICKLE = range(6)

#: The ints that are shareable: those of a C long.
LEAST, MOST = -1 << 63, (1 << 63) - 1

#: Types of other modules: how an object becomes a row of plain data; and by their names, how it is made of that again.
_senders = {}
_makers = {}


class NotShareableError(TypeError):
    __module__ = "concurrent.interpreters"


def register(cls, kind, send, make):
    """Makes a class shareable. `kind` is a module that registers it when it is imported."""
    _senders[cls] = kind, send
    _makers[kind] = make


def is_shareable(obj):
    return type(obj) in _PLAIN or type(obj) in (tuple, memoryview) or type(obj) in _senders


_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def dump(op, *trees):
    """The bytes of a message."""
    return marshal.dumps((op, *trees))


def load(data):
    return marshal.loads(data)


def tree_of(obj, views, fallback=True):
    """The object as plain data; `views` takes memoryviews. NotShareableError, OverflowError."""
    cls = type(obj)
    if cls is int:
        if LEAST <= obj <= MOST:
            return obj
        if not fallback:
            raise OverflowError("Python int too large to convert to C long")
        return PICKLE, _pickled(obj), None
    if cls in _PLAIN:
        return obj
    if cls is tuple:
        return ROW, *[tree_of(item, views, fallback) for item in obj]
    if cls is memoryview:
        return _tree_of_view(obj, views)
    if cls in _senders:
        kind, send = _senders[cls]
        return OBJECT, kind, send(obj)
    if not fallback:
        raise not_shareable(obj)
    return _tree_of_other(obj)


def not_shareable(obj):
    try:
        text = str(obj)
    except Exception:
        text = f"{type(obj).__name__} object"
    return NotShareableError(f"{text} does not support cross-interpreter data")


def _tree_of_view(view, views):
    place = len(views)
    views.append(view)
    return VIEW, place, view.format, view.shape


def _tree_of_other(obj):
    """Of what is no shareable object: a function by its code if that needs nothing else, all else pickled."""
    is_function = type(obj).__name__ == "function"
    if is_function and obj.__module__ == "__main__" and is_stateless(obj):
        return FUNCTION, obj.__code__
    try:
        return PICKLE, _pickled(obj), _main_file()
    except Exception as e:
        if is_function and is_stateless(obj):
            return FUNCTION, obj.__code__
        raise not_shareable(obj) from e


def _pickled(obj):
    import pickle

    return pickle.dumps(obj)


def _main_file():
    """The file of `__main__`, of which names in pickles may be."""
    main = sys.modules.get("__main__")
    return getattr(main, "__file__", None)


def is_stateless(function):
    """Does the function use nothing but its arguments and builtins?"""
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return False
    return not _uses_globals(function.__code__)


def _uses_globals(code):
    import builtins
    import dis

    for instruction in dis.get_instructions(code):
        name = str(instruction.argval)
        # Modules have names like `__name__` of their own.
        if "GLOBAL" in instruction.opname and (name.startswith("__") or not hasattr(builtins, name)):
            return True
    return any(_uses_globals(c) for c in code.co_consts if type(c) is type(code))


def returns_value(code):
    """Does the code surely return something else than None?"""
    import dis

    returned, nones = set(), set()
    for instruction in dis.get_instructions(code):
        register = instruction.argrepr.partition(",")[0]
        if instruction.opname == "RETURN":
            returned.add(register)
        elif instruction.opname == "LOAD_SPECIAL" and instruction.argrepr.endswith("(None)"):
            nones.add(register)
    return not returned <= nones


def value_of(tree, views):
    """The object that such data stand for. What unpickling raises."""
    if type(tree) is not tuple:
        return tree
    what, *rest = tree
    if what == ROW:
        return tuple([value_of(item, views) for item in rest])
    if what == VIEW:
        return _view_of(*rest, views)
    if what == OBJECT:
        kind, data = rest
        if kind not in _makers:
            __import__(kind)
        return _makers[kind](data)
    if what == FUNCTION:
        import __main__

        return type(value_of)(rest[0], __main__.__dict__)
    return _unpickled(*rest)


def _view_of(place, format, shape, views):
    view = views[place]
    if format == "B" and len(shape) == 1:
        return view
    # Views of more dimensions are made from bytes.
    if len(shape) == 1:
        return view.cast(format)
    return view.cast("B").cast(format, shape)


def _unpickled(data, main_file):
    import io
    import pickle

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if module != "__main__":
                return super().find_class(module, name)
            import __main__

            if hasattr(__main__, name.partition(".")[0]) or main_file is None:
                return super().find_class(module, name)
            return _in_other_main(main_file, name)

    return Unpickler(io.BytesIO(data)).load()


#: Programs of other interpreters that were run here, so that what is in them can be found.
_mains = {}


def _in_other_main(file, name):
    """Something of the main program of the interpreter that sent it, which is run here under another name."""
    import io
    import types

    if file not in _mains:
        main = types.ModuleType("<fake __main__>")
        main.__file__ = file
        with io.open_code(file) as source:
            code = compile(source.read(), file, "exec")
        exec(code, main.__dict__)
        _mains[file] = main
    found = _mains[file]
    for part in name.split("."):
        found = getattr(found, part)
    return found


def ask(isolate, data, views):
    """The answer of an interpreter: trees and memoryviews; None where there is no such interpreter, and False where it is running."""
    answer = _isolates.ask(isolate, data, views)
    if type(answer) is tuple:
        data, views = answer
        return load(data), views
    return answer
