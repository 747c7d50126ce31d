"""Editing of lines that `input()` asks for, with a history and completion: the interactive prompt's own editor under the
names of GNU readline. Where there is no terminal, the history is kept all the same."""

import os as _os
import sys as _sys

backend = "pyrepl"
_READLINE_VERSION = _READLINE_RUNTIME_VERSION = 0x0802
_READLINE_LIBRARY_VERSION = "8.2"

_state = {
    "length": -1,
    "automatic": True,
    "display": None,
    "before": None,
    "type": 0,
}
# Of where there is no editor.
_own_history = []



def _wrapper():
    """The editor; None while its module, which asks for this one, is being imported."""
    module = _sys.modules.get("_pyrepl.readline")
    if module is None:
        from _pyrepl import readline as module
    return getattr(module, "_wrapper", None)


def _reader():
    """The editor's state, if it is in use."""
    module = _sys.modules.get("_pyrepl.readline")
    wrapper = getattr(module, "_wrapper", None)
    return None if wrapper is None else wrapper.reader


def _history():
    reader = _reader()
    return _own_history if reader is None else reader.history


def get_completer():
    """Return the completer function."""
    wrapper = _wrapper()
    return None if wrapper is None else wrapper.get_completer()


def get_completer_delims():
    """Return the characters that end a word for completion."""
    return _wrapper().get_completer_delims()


def set_completer_delims(string, /):
    """Set the characters that end a word for completion."""
    _wrapper().set_completer_delims(_line(string))


def _hook(function, what):
    if function is not None and not callable(function):
        raise TypeError(f"{what}(func): argument not callable")
    return function


def set_completer(function=None, /):
    """Set or remove the completer function."""
    wrapper, function = _wrapper(), _hook(function, "set_completer")
    if wrapper is not None:
        wrapper.set_completer(function)


def set_startup_hook(function=None, /):
    """Set or remove the function that is called before a line is asked for."""
    _wrapper().set_startup_hook(_hook(function, "set_startup_hook"))


def set_pre_input_hook(function=None, /):
    """Set or remove the function that is called when the prompt is there."""
    _state["before"] = _hook(function, "set_pre_input_hook")


def set_completion_display_matches_hook(function=None, /):
    """Set or remove the function that shows completions. The editor shows them in a menu of its own."""
    _state["display"] = _hook(function, "set_completion_display_matches_hook")


def parse_and_bind(string, /):
    """Execute a line of an init file. The editor's keys are not to be changed; what asks for completion is there anyway."""
    if not isinstance(string, str):
        raise TypeError(f"parse_and_bind() argument must be str, not {type(string).__name__}")


def read_init_file(filename=None, /):
    """Execute an init file."""
    _sys.audit("open", "<readline_init_file>" if filename is None else filename, "r", 0)
    with open(_os.path.expanduser(filename or _os.environ.get("INPUTRC", "~/.inputrc")), encoding="utf-8") as file:
        for line in file:
            parse_and_bind(line)


def _history_file(filename):
    return _os.path.expanduser("~/.history" if filename is None else _os.fspath(filename))


def _tell(filename, mode):
    """Audit hooks hear of the file under the name that it was given."""
    _sys.audit("open", "~/.history" if filename is None else filename, mode, 0)


def read_history_file(filename=None, /):
    """Load a history file."""
    _tell(filename, "r")
    with open(_history_file(filename), encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().splitlines()
    if lines[:1] == ["_HiStOrY_V2_"]:
        lines = [line.encode("latin-1", "backslashreplace").decode("unicode_escape") for line in lines[1:]]
    _history().extend(lines)


def write_history_file(filename=None, /):
    """Save a history file."""
    _tell(filename, "w")
    _write(_history_file(filename), "w", _history())


def append_history_file(nelements, filename=None, /):
    """Append the last lines of the history to a file."""
    if nelements < 0:
        raise ValueError("nelements must be positive")
    _tell(filename, "a")
    name = _history_file(filename)
    if not _os.path.exists(name):
        raise FileNotFoundError(2, _os.strerror(2), name)
    lines = _history()
    _write(name, "a", lines[max(len(lines) - nelements, 0) :])


def _write(name, mode, lines):
    with open(name, mode, encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(line + "\n" for line in lines)
    most = _state["length"]
    if most >= 0:
        with open(name, encoding="utf-8", errors="surrogateescape") as file:
            kept = file.readlines()
        if len(kept) > most:
            with open(name, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(kept[len(kept) - most :])


def get_history_length():
    """Return the maximum number of lines that are written to a file."""
    return _state["length"]


def set_history_length(length, /):
    """Set the maximum number of lines that are written to a file; all of them if negative."""
    _state["length"] = length.__index__()


def get_current_history_length():
    """Return the current (not the maximum) length of the history."""
    return len(_history())


def get_history_item(index, /):
    """Return a line of the history; the first one has the index 1."""
    lines = _history()
    return lines[index - 1] if 1 <= index <= len(lines) else None


def _checked(pos):
    if pos < 0:
        raise ValueError("History index cannot be negative")
    if pos >= len(_history()):
        raise ValueError(f"No history item at position {pos}")
    return pos


def remove_history_item(pos, /):
    """Remove a line of the history; the first one has the position 0."""
    del _history()[_checked(pos)]


def replace_history_item(pos, line, /):
    """Replace a line of the history; the first one has the position 0."""
    _history()[_checked(pos)] = _line(line)


def _line(line):
    if not isinstance(line, str):
        raise TypeError(f"argument must be str, not {type(line).__name__}")
    return line


def add_history(line, /):
    """Add a line to the history."""
    _history().append(_line(line))


def clear_history():
    """Forget the history."""
    _history().clear()


def set_auto_history(enabled, /):
    """Whether lines that are read come into the history."""
    _state["automatic"] = bool(enabled)


def get_line_buffer():
    """Return the line as it is now."""
    return "" if _reader() is None else _wrapper().get_line_buffer()


def get_begidx():
    """Return where what is to be completed begins."""
    return 0 if _reader() is None else _wrapper().get_begidx()


def get_endidx():
    """Return where what is to be completed ends."""
    return 0 if _reader() is None else _wrapper().get_endidx()


def get_completion_type():
    """Return the kind of completion that is asked for."""
    return _state["type"]


def insert_text(string, /):
    """Insert text at the cursor."""
    if _reader() is not None:
        _wrapper().insert_text(string)


def redisplay():
    """Have the line shown anew."""
    reader = _reader()
    if reader is not None:
        reader.dirty = True


def _is_terminal():
    try:
        return _os.isatty(_sys.stdin.fileno()) and _os.isatty(_sys.stdout.fileno())
    except (AttributeError, ValueError, OSError):
        return False


def _begin():
    """`input()` is edited from now on, if it is at a terminal. The prompt sees to that by itself."""
    if "_pyrepl.readline" in _sys.modules or not _is_terminal():
        return
    from _pyrepl import readline as editor

    editor._setup(vars(_sys.modules["__main__"]))
    if editor.raw_input is None:
        return
    wrapper = editor._wrapper
    # Nobody has asked for it.
    wrapper.set_completer(None)
    edited = wrapper.input

    def input(prompt="", /):
        lines = len(_history())
        before, old = _state["before"], wrapper.startup_hook
        if before is not None:
            wrapper.startup_hook = lambda: (old and old(), before())
        try:
            return edited(prompt)
        finally:
            wrapper.startup_hook = old
            if not _state["automatic"]:
                del _history()[lines:]

    import builtins

    builtins.input = input
    # The editor's history, which has what was added before.
    _own_history[:], wrapper.get_reader().history = [], [*_own_history]


_begin()
