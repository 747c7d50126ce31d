"""Panels: windows in a pile, of which those on top cover the others."""

import _curses

version = "2.1"
__version__ = "2.1"


class error(Exception):
    pass


# From the bottom to the top.
_pile = []


class panel:
    """A window's place in the pile."""

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_curses_panel.panel' instances")

    def _found(self, what):
        if self not in _pile:
            raise error(f"{what}() returned ERR")
        return _pile.index(self)

    def bottom(self, /):
        self._found("bottom_panel")
        _pile.remove(self)
        _pile.insert(0, self)

    def top(self, /):
        self._found("top_panel")
        _pile.remove(self)
        _pile.append(self)

    def hide(self, /):
        if self in _pile:
            _pile.remove(self)

    def show(self, /):
        self.hide()
        _pile.append(self)

    def hidden(self, /):
        return self not in _pile

    def above(self, /):
        at = self._found("panel_above")
        return _pile[at + 1] if at + 1 < len(_pile) else None

    def below(self, /):
        at = self._found("panel_below")
        return _pile[at - 1] if at else None

    def move(self, y, x, /):
        self._window.mvwin(y, x)

    def replace(self, win, /):
        if not isinstance(win, _curses.window):
            raise TypeError(f"replace() argument must be _curses.window, not {type(win).__name__}")
        self._window = win

    def window(self, /):
        return self._window

    def set_userptr(self, obj, /):
        self._user = obj

    def userptr(self, /):
        try:
            return self._user
        except AttributeError:
            raise error("no userptr set") from None


def new_panel(win, /):
    if not isinstance(win, _curses.window):
        raise TypeError(f"new_panel() argument must be _curses.window, not {type(win).__name__}")
    new = object.__new__(panel)
    new._window = win
    _pile.append(new)
    return new


def bottom_panel():
    return _pile[0] if _pile else None


def top_panel():
    return _pile[-1] if _pile else None


def update_panels():
    """What is below is put onto the screen first, so that what is above covers it."""
    if _curses._stdscr is not None:
        _curses._stdscr.touchwin()
        _curses._stdscr.noutrefresh()
    for item in _pile:
        item._window.touchwin()
        item._window.noutrefresh()
