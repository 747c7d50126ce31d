"""Terminals by cells, for the module curses: no C library is bound, the escape sequences are terminfo's."""

import os as _os
import time as _time

from . import _names
from ._screen import error, screen as _screen, unctrl as _unctrl
from ._terminfo import BOOLEANS as _BOOLEANS, NUMBERS as _NUMBERS, expand as _expand
from ._window import character as _character, read as _read, standard as _standard, window

_names.public(globals())

version = b"2.2"
__version__ = b"2.2"


def _make_version():
    from collections import namedtuple

    kind = namedtuple("ncurses_version", "major minor patch", module="curses")
    return kind(6, 4, 0)


# What of ncurses's interface there is.
ncurses_version = _make_version()

_stdscr = None


def _initialized():
    if not _screen.started:
        raise error("must call initscr() first")


def _with_color():
    _initialized()
    if not _screen.has_color:
        raise error("must call start_color() first")


def _set_up():
    if _screen.terminal is None:
        raise error("must call (at least) setupterm() first")


def setupterm(term=None, fd=-1):
    if fd == -1:
        import sys

        if sys.stdout is None:
            raise error("lost sys.stdout")
        fd = sys.stdout.fileno()
    if term is not None and not isinstance(term, str):
        raise TypeError(f"setupterm() argument 1 must be str or None, not {type(term).__name__}")
    name = term or _os.environ.get("TERM", "unknown")
    from _pyrepl.terminfo import _read_terminfo_file, _TERM_ALIASES, _TERMINAL_CAPABILITIES

    try:
        _read_terminfo_file(name)
    except (OSError, ValueError):
        if name not in _TERMINAL_CAPABILITIES and name not in _TERM_ALIASES:
            raise error("setupterm: could not find terminal") from None
    if _screen.terminal is None:
        _screen.setup(name, fd)


def initscr():
    global _stdscr
    if _stdscr is not None:
        _stdscr.refresh()
        return _stdscr
    if _screen.terminal is None:
        _screen.setup(None, 1)
    _screen.start()
    _screen.on_resize = resizeterm
    for name, (letter, shown, plain) in _names.ACS.items():
        globals()["ACS_" + name] = A_ALTCHARSET | ord(letter)  # noqa: F821
    globals().update(LINES=_screen.rows, COLS=_screen.columns)
    _stdscr = _standard()
    return _stdscr


def endwin():
    _initialized()
    _screen.end()


def isendwin():
    _initialized()
    return _screen.ended


def doupdate():
    _initialized()
    _screen.update()


def newwin(*args):
    """newwin(nlines, ncols, [begin_y=0, begin_x=0])"""
    if len(args) not in (2, 4):
        raise TypeError("_curses.newwin requires 2 or 4 arguments")
    _initialized()
    rows, columns, y, x = args if len(args) == 4 else (*args, 0, 0)
    rows, columns = rows or _screen.rows - y, columns or _screen.columns - x
    if min(rows, columns) <= 0 or min(y, x) < 0:
        raise error("curses function returned NULL")
    return window._make(rows, columns, y, x)


def newpad(nlines, ncols, /):
    _initialized()
    if nlines <= 0 or ncols <= 0:
        raise error("curses function returned NULL")
    return window._make(nlines, ncols, 0, 0, pad=True)


def getwin(file, /):
    _initialized()
    return _read(file)


# The terminal's modes.


def cbreak(flag=True, /):
    _initialized()
    _screen.set_cbreak(bool(flag))


def nocbreak():
    cbreak(False)


def raw(flag=True, /):
    _initialized()
    _screen.set_raw(bool(flag))


def noraw():
    raw(False)


def echo(flag=True, /):
    _initialized()
    _screen.echoes = bool(flag)


def noecho():
    echo(False)


def nl(flag=True, /):
    _initialized()
    _screen.set_newlines(bool(flag))


def nonl():
    nl(False)


def qiflush(flag=True, /):
    _initialized()
    _screen.set_flush(bool(flag))


def noqiflush():
    qiflush(False)


def halfdelay(tenths, /):
    _initialized()
    if not 1 <= tenths <= 255:
        raise error("halfdelay() returned ERR")
    _screen.set_cbreak(True)
    _screen.half_delay = tenths * 100


def intrflush(flag, /):
    _initialized()


def meta(yes, /):
    _initialized()


def typeahead(fd, /):
    _initialized()


def filter():
    """Nothing is drawn outside of windows in any case."""


def use_env(flag, /):
    _screen.uses_environment = bool(flag)


def def_prog_mode():
    _initialized()
    _screen.program_mode = _screen._mode()


def def_shell_mode():
    _initialized()
    _screen.shell_mode = _screen._mode()


def reset_prog_mode():
    _initialized()
    _screen._restore(_screen.program_mode)


def reset_shell_mode():
    _initialized()
    _screen._restore(_screen.shell_mode)


def savetty():
    _initialized()
    _screen.saved_mode = _screen._mode()


def resetty():
    _initialized()
    _screen._restore(_screen.saved_mode)


# What the terminal is and does.


def _put(name):
    _initialized()
    _screen.put(name)
    _screen.flush()


def beep():
    _put("bel")


def flash():
    _initialized()
    _put("flash" if _screen.terminal.get("flash") else "bel")


def curs_set(visibility, /):
    _initialized()
    names = ("civis", "cnorm", "cvvis")
    if visibility not in (0, 1, 2) or not _screen.terminal.get(names[visibility]):
        raise error("curs_set() returned ERR")
    old, _screen.visibility = _screen.visibility, visibility
    _put(names[visibility])
    return old


def baudrate():
    _initialized()
    import termios

    mode = _screen._mode()
    speeds = {getattr(termios, n): int(n[1:]) for n in dir(termios) if n[0] == "B" and n[1:].isdigit()}
    return speeds.get(mode[5], 38400) if mode else 38400


def erasechar():
    return _control("VERASE")


def killchar():
    return _control("VKILL")


def _control(name):
    _initialized()
    import termios

    mode = _screen._mode()
    return mode[6][getattr(termios, name)] if mode else b"\xff"


def termname():
    _initialized()
    return _screen.terminal.name.encode()


def longname():
    _initialized()
    return _screen.terminal.longname


def termattrs():
    _initialized()
    from ._screen import _ATTRIBUTES

    found = 0
    for bit, name in _ATTRIBUTES:
        if _screen.terminal.get(name):
            found |= bit
    return found


def has_ic():
    _initialized()
    return bool(_screen.terminal.get("ich1") or _screen.terminal.get("ich") or _screen.terminal.get("smir"))


def has_il():
    _initialized()
    return bool(_screen.terminal.get("il1") or _screen.terminal.get("csr"))


def has_key(key, /):
    _initialized()
    return key in _screen.keys.values()


def tigetflag(capname, /):
    _set_up()
    if capname not in _BOOLEANS:
        return -1
    return int(capname in _screen.terminal.booleans)


def tigetnum(capname, /):
    _set_up()
    return _screen.terminal.numbers.get(capname, -1) if capname in _NUMBERS else -2


def tigetstr(capname, /):
    _set_up()
    found = _screen.terminal.get(capname)
    return None if found is None else bytes(found)


def tparm(str, i1=0, i2=0, i3=0, i4=0, i5=0, i6=0, i7=0, i8=0, i9=0, /):
    _set_up()
    return _expand(bytes(str), i1, i2, i3, i4, i5, i6, i7, i8, i9)


def putp(string, /):
    from ._terminfo import without_padding

    _screen.out += without_padding(bytes(string))
    _screen.flush()


def delay_output(ms, /):
    _initialized()
    _time.sleep(ms / 1000)


def napms(ms, /):
    _initialized()
    _time.sleep(max(ms, 0) / 1000)
    return OK  # noqa: F821


# The screen's size.


def is_term_resized(nlines, ncols, /):
    _initialized()
    return (nlines, ncols) != (_screen.rows, _screen.columns)


def resize_term(nlines, ncols, /):
    _initialized()
    if nlines <= 0 or ncols <= 0:
        raise error("resize_term() returned ERR")
    _screen.resize(nlines, ncols)
    _stdscr.resize(nlines, ncols)
    _stdscr.touchwin()
    update_lines_cols()


def resizeterm(nlines, ncols, /):
    resize_term(nlines, ncols)


def update_lines_cols():
    _initialized()
    import sys

    for module in (sys.modules.get("curses"), sys.modules[__name__]):
        if module is not None:
            module.LINES, module.COLS = _screen.rows, _screen.columns


def getsyx():
    _initialized()
    return _screen.cursor


def setsyx(y, x, /):
    _initialized()
    _screen.cursor = (y, x)


def get_escdelay():
    return _screen.escape_delay


def set_escdelay(ms, /):
    if ms <= 0:
        raise ValueError("ms must be > 0")
    _screen.escape_delay = ms


def get_tabsize():
    return _screen.tab_size


def set_tabsize(size, /):
    if size <= 0:
        raise ValueError("size must be > 0")
    _screen.tab_size = size


# Colors.


def start_color():
    _initialized()
    numbers = _screen.terminal.numbers
    if not _screen.terminal.get("setaf"):
        raise error("start_color() returned ERR")
    _screen.has_color = True
    globals().update(COLORS=numbers.get("colors", 8), COLOR_PAIRS=min(numbers.get("pairs", 64), 256))


def has_colors():
    _initialized()
    return bool(_screen.terminal.get("setaf"))


def can_change_color():
    _initialized()
    return "ccc" in _screen.terminal.booleans


def has_extended_color_support():
    return False


def use_default_colors():
    assume_default_colors(-1, -1)


def assume_default_colors(fg, bg, /):
    _with_color()
    _screen.default_colors = True
    _screen.pairs[0] = (fg, bg)


def _check_color(color):
    least = -1 if _screen.default_colors else 0
    if not least <= color < COLORS:  # noqa: F821
        raise ValueError(f"Color number is outside of [{least}..{COLORS - 1}]")  # noqa: F821


def _check_pair(pair, least=0):
    if not least <= pair < COLOR_PAIRS:  # noqa: F821
        raise ValueError(f"Color pair is outside of [{least}..{COLOR_PAIRS - 1}]")  # noqa: F821


def init_pair(pair_number, fg, bg, /):
    _with_color()
    _check_pair(pair_number, 1)
    _check_color(fg)
    _check_color(bg)
    if _screen.pairs.get(pair_number) not in (None, (fg, bg)):
        # What is shown in the old colors is drawn anew.
        for y in range(_screen.rows):
            _screen.forget_line(y)
    _screen.pairs[pair_number] = (fg, bg)


def pair_content(pair_number, /):
    _with_color()
    _check_pair(pair_number)
    return _screen.pairs.get(pair_number, (0, 0))


def color_pair(pair_number, /):
    _with_color()
    return (pair_number & 0xFF) << 8


def pair_number(attr, /):
    _with_color()
    return (attr & A_COLOR) >> 8  # noqa: F821


def init_color(color_number, r, g, b, /):
    _with_color()
    _check_color(color_number)
    for part in (r, g, b):
        if not 0 <= part <= 1000:
            raise ValueError("Argument value outside of [0..1000]")
    if not _screen.terminal.get("initc"):
        raise error("init_color() returned ERR")
    _screen.colors[color_number] = (r, g, b)
    _screen.put("initc", color_number, r, g, b)
    _screen.flush()


def color_content(color_number, /):
    _with_color()
    _check_color(color_number)
    if color_number in _screen.colors:
        return _screen.colors[color_number]
    part = 1000 if color_number & 8 else 680
    return tuple(part if color_number & bit else 0 for bit in (1, 2, 4))


# Keys and the mouse.


def flushinp():
    _initialized()
    import termios

    _screen.pending.clear()
    if _screen._mode() is not None:
        termios.tcflush(0, termios.TCIFLUSH)


def ungetch(ch, /):
    _initialized()
    text, attributes = _character(ch, "latin-1") if not isinstance(ch, int) else (None, 0)
    _screen.events.append(ch if text is None else ord(text))


def unget_wch(ch, /):
    _initialized()
    if isinstance(ch, str):
        if len(ch) != 1:
            raise TypeError(f"unget_wch() argument must be a character or int, not a str of length {len(ch)}")
        _screen.pending[:0] = ch.encode(_screen.encoding)
    else:
        _screen.pending[:0] = chr(ch).encode(_screen.encoding)


def keyname(key, /):
    _initialized()
    if key < 0:
        raise ValueError("invalid key number")
    return _screen.key_name(key)


def unctrl(ch, /):
    _initialized()
    text, attributes = _character(ch, "latin-1")
    return _unctrl(ord(text))


def mousemask(newmask, /):
    _initialized()
    old = _screen.set_mouse(newmask)
    return _screen.mouse_mask, old


def mouseinterval(interval, /):
    _initialized()
    old = _screen.mouse_interval
    if interval >= 0:
        _screen.mouse_interval = interval
    return old


def getmouse():
    _initialized()
    if not _screen.mouse_events:
        raise error("getmouse() returned ERR")
    return _screen.mouse_events.pop(0)


def ungetmouse(id, x, y, z, bstate, /):
    _initialized()
    _screen.mouse_events.append((id, x, y, z, bstate))
    _screen.events.append(KEY_MOUSE)  # noqa: F821
