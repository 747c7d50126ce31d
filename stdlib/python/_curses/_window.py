"""Windows: rows of cells, a cursor, and what is drawn into them."""

import unicodedata

from . import _names as n
from ._screen import error, screen

_TEXT = n.A_CHARTEXT


def width(char):
    """Cells of a character: 0 for what is combined with the one before."""
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def character(ch, encoding):
    """The character and attributes of what programs give for a character."""
    if isinstance(ch, int):
        if ch < 0:
            raise OverflowError("character doesn't fit")
        code = ch & _TEXT
        text = chr(code) if code < 0x80 or ch & n.A_ALTCHARSET else bytes([code]).decode(encoding, "replace")
        return text, ch & n.A_ATTRIBUTES
    if isinstance(ch, (bytes, bytearray)):
        if len(ch) != 1:
            raise TypeError(f"expect int or bytes or str of length 1, got a bytes of length {len(ch)}")
        return bytes(ch).decode(encoding, "replace"), 0
    if isinstance(ch, str):
        if len(ch) != 1:
            raise TypeError(f"expect int or bytes or str of length 1, got a str of length {len(ch)}")
        return ch, 0
    raise TypeError(f"expect int or bytes or str of length 1, got {type(ch).__name__}")


def _place(args, least, most, what):
    """Splits off the place that may come before the other arguments."""
    if not least <= len(args) <= most + 2:
        raise TypeError(f"{what} requires {least} to {most + 2} arguments")
    with_place = len(args) > most or len(args) > least and len(args) - 2 >= least and isinstance(args[1], int)
    with_place = with_place and isinstance(args[0], int)
    return (args[:2], args[2:]) if with_place else (None, args)


class window:
    """A window of a screen, or a pad."""

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_curses.window' instances")

    @classmethod
    def _make(cls, rows, columns, y, x, parent=None, pad=False):
        self = object.__new__(cls)
        self._height, self._width, self._y, self._x = rows, columns, y, x
        self._parent, self._is_pad = parent, pad
        self._own_y = self._own_x = 0
        self._background = (" ", 0)
        if parent is None:
            self._cells = [[self._background] * columns for _ in range(rows)]
            self._top = self._left = 0
        self._touched = [True] * rows
        self._cy = self._cx = 0
        self._attributes = 0
        self._scrolls = self._clears = self._keypad = self._leaves = self._immediate = self._syncs = False
        self._delay = -1
        self._region = (0, rows - 1)
        self.encoding = screen.encoding
        return self

    def __init_subclass__(cls):
        raise TypeError("type '_curses.window' is not an acceptable base type")

    # Cells. A derived window has those of its parent from `_top`, `_left` on.

    def _row(self, y):
        return self._cells[self._top + y]

    def _get(self, y, x):
        return self._cells[self._top + y][self._left + x]

    def _set(self, y, x, cell):
        self._cells[self._top + y][self._left + x] = cell
        self._touched[y] = True

    def _changed(self):
        if self._syncs:
            self.syncup()
        if self._immediate:
            self.refresh()

    def _merged(self, text, attributes):
        """A cell over the background: a blank is the background's character, and its attributes come along."""
        back, back_attributes = self._background
        attributes |= self._attributes
        if not attributes & n.A_COLOR:
            attributes |= back_attributes & n.A_COLOR
        attributes |= back_attributes & ~n.A_COLOR
        return (back if text == " " and not attributes & n.A_ALTCHARSET else text), attributes

    # The cursor.

    def move(self, new_y, new_x, /):
        if not (0 <= new_y < self._height and 0 <= new_x < self._width):
            raise error("wmove() returned ERR")
        self._cy, self._cx = new_y, new_x

    def _go(self, place):
        if place is not None:
            self.move(*place)

    def getyx(self, /):
        return self._cy, self._cx

    def getbegyx(self, /):
        return self._y, self._x

    def getmaxyx(self, /):
        return self._height, self._width

    def getparyx(self, /):
        return (self._own_y, self._own_x) if self._parent is not None else (-1, -1)

    def enclose(self, y, x, /):
        return self._y <= y < self._y + self._height and self._x <= x < self._x + self._width

    # Adding text.

    def _newline(self):
        """The cursor goes to the next line. False: there is none."""
        top, bottom = self._region
        if self._cy == bottom:
            if not self._scrolls:
                return False
            self._scroll(1)
        elif self._cy + 1 < self._height:
            self._cy += 1
        else:
            return False
        return True

    def _add(self, text, attributes):
        """False: there was no room behind it."""
        if text == "\n":
            self._erase(self._cy, self._cx, self._width)
            self._cx = 0
            return self._newline()
        if text == "\r":
            self._cx = 0
            return True
        if text == "\b":
            self._cx = max(self._cx - 1, 0)
            return True
        if text == "\t":
            size = screen.tab_size
            for _ in range(size - self._cx % size):
                if not self._add(" ", attributes):
                    return False
            return True
        if ord(text) < 0x20 or text == "\x7f":
            return self._add("^", attributes) and self._add(chr(ord(text) ^ 0x40), attributes)
        cells = 1 if attributes & n.A_ALTCHARSET else width(text)
        if cells == 0:
            at = max(self._cx - 1, 0)
            before, old = self._get(self._cy, at)
            self._set(self._cy, at, (before + text, old))
            return True
        if self._cx + cells > self._width:
            self._erase(self._cy, self._cx, self._width)
            self._cx = 0
            if not self._newline():
                return False
        self._set(self._cy, self._cx, self._merged(text, attributes))
        if cells == 2:
            self._set(self._cy, self._cx + 1, ("", self._get(self._cy, self._cx)[1]))
        self._cx += cells
        if self._cx >= self._width:
            top, bottom = self._region
            if self._cy == self._height - 1 or self._cy == bottom:
                if not self._scrolls:
                    # The cursor stays on the last cell, and the caller is told.
                    self._cx = self._width - 1
                    return False
                self._scroll(1)
            else:
                self._cy += 1
            self._cx = 0
        return True

    def addch(self, *args):
        """addch([y, x,] ch, [attr=_curses.A_NORMAL])"""
        place, rest = _place(args, 1, 2, "addch")
        text, attributes = character(rest[0], self.encoding)
        self._go(place)
        if not self._add(text, attributes | (rest[1] if len(rest) > 1 else 0)):
            raise error("add_wch() returned ERR")
        self._changed()

    def echochar(self, ch, attr=0, /):
        text, attributes = character(ch, self.encoding)
        self._add(text, attributes | attr)
        self.refresh()

    def _text(self, value):
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).decode(self.encoding, "replace")
        if isinstance(value, str):
            if "\0" in value:
                raise ValueError("embedded null character")
            return value
        raise TypeError(f"expect bytes or str, got {type(value).__name__}")

    def _add_text(self, place, text, attr, what):
        text = self._text(text)
        self._go(place)
        before = self._attributes
        if attr is not None:
            self._attributes = attr
        try:
            for c in text:
                if not self._add(c, 0):
                    raise error(f"{what}() returned ERR")
        finally:
            self._attributes = before
        self._changed()

    def addstr(self, *args):
        """addstr([y, x,] str, [attr])"""
        place, rest = _place(args, 1, 2, "addstr")
        self._add_text(place, rest[0], rest[1] if len(rest) > 1 else None, "addwstr")

    def addnstr(self, *args):
        """addnstr([y, x,] str, n, [attr])"""
        place, rest = _place(args, 2, 3, "addnstr")
        text = self._text(rest[0])
        text = text if rest[1] < 0 else text[: rest[1]]
        self._add_text(place, text, rest[2] if len(rest) > 2 else None, "addnwstr")

    # Inserting and deleting.

    def _insert(self, text, attributes):
        row, left = self._row(self._cy), self._left
        at, end = left + self._cx, left + self._width
        row[at:end] = [self._merged(text, attributes), *row[at : end - 1]]
        self._touched[self._cy] = True

    def insch(self, *args):
        """insch([y, x,] ch, [attr=_curses.A_NORMAL])"""
        place, rest = _place(args, 1, 2, "insch")
        text, attributes = character(rest[0], self.encoding)
        self._go(place)
        self._insert(text, attributes | (rest[1] if len(rest) > 1 else 0))
        self._changed()

    def _insert_text(self, place, text, attr):
        self._go(place)
        before = self._attributes
        if attr is not None:
            self._attributes = attr
        for c in reversed(text[: self._width - self._cx]):
            self._insert(c, 0)
        self._attributes = before
        self._changed()

    def insstr(self, *args):
        """insstr([y, x,] str, [attr])"""
        place, rest = _place(args, 1, 2, "insstr")
        self._insert_text(place, self._text(rest[0]), rest[1] if len(rest) > 1 else None)

    def insnstr(self, *args):
        """insnstr([y, x,] str, n, [attr])"""
        place, rest = _place(args, 2, 3, "insnstr")
        text = self._text(rest[0])
        self._insert_text(place, text if rest[1] < 0 else text[: rest[1]], rest[2] if len(rest) > 2 else None)

    def delch(self, *args):
        """delch([y, x])"""
        self._go(_place(args, 0, 0, "delch")[0])
        row, left = self._row(self._cy), self._left
        at, end = left + self._cx, left + self._width
        row[at:end] = [*row[at + 1 : end], self._blank()]
        self._touched[self._cy] = True
        self._changed()

    def insdelln(self, nlines, /):
        self._scroll(-nlines, self._cy, self._height - 1)
        self._cx = 0
        self._changed()

    def insertln(self, /):
        self.insdelln(1)

    def deleteln(self, /):
        self.insdelln(-1)

    # Scrolling and erasing.

    def _blank(self):
        return self._background

    def _scroll(self, lines, top=None, bottom=None):
        if top is None:
            top, bottom = self._region
        left, right = self._left, self._left + self._width
        rows = [self._row(y)[left:right] for y in range(top, bottom + 1)]
        blank = [self._blank()] * self._width
        for y in range(top, bottom + 1):
            source = y + lines - top
            self._row(y)[left:right] = rows[source] if 0 <= source < len(rows) else blank
            self._touched[y] = True

    def scroll(self, lines=1, /):
        if not self._scrolls:
            raise error("scroll() returned ERR")
        self._scroll(lines)
        self._changed()

    def setscrreg(self, top, bottom, /):
        if not 0 <= top < bottom < self._height:
            raise error("wsetscrreg() returned ERR")
        self._region = (top, bottom)

    def _erase(self, y, start, end):
        row, left = self._row(y), self._left
        row[left + start : left + end] = [self._blank()] * (end - start)
        self._touched[y] = True

    def erase(self, /):
        for y in range(self._height):
            self._erase(y, 0, self._width)
        self._cy = self._cx = 0
        self._changed()

    def clear(self, /):
        self.erase()
        self._clears = True

    def clrtoeol(self, /):
        self._erase(self._cy, self._cx, self._width)
        self._changed()

    def clrtobot(self, /):
        self._erase(self._cy, self._cx, self._width)
        for y in range(self._cy + 1, self._height):
            self._erase(y, 0, self._width)
        self._changed()

    # Attributes and background.

    def attron(self, attr, /):
        self._attributes |= attr
        if attr & n.A_COLOR:
            self._attributes = self._attributes & ~n.A_COLOR | attr & n.A_COLOR

    def attroff(self, attr, /):
        self._attributes &= ~attr

    def attrset(self, attr, /):
        self._attributes = attr & n.A_ATTRIBUTES

    def standout(self, /):
        self.attron(n.A_STANDOUT)

    def standend(self, /):
        self._attributes = 0

    def bkgdset(self, ch, attr=0, /):
        text, attributes = character(ch, self.encoding)
        self._background = ("\0" < text and text or " ", attributes | attr)

    def bkgd(self, ch, attr=0, /):
        old = self._background
        self.bkgdset(ch, attr)
        text, attributes = self._background
        for y in range(self._height):
            for x in range(self._width):
                had, had_attributes = self._get(y, x)
                kept = had_attributes & ~old[1]
                if not kept & n.A_COLOR:
                    kept |= attributes & n.A_COLOR
                self._set(y, x, (text if had == old[0] else had, kept | attributes & ~n.A_COLOR))
        self._changed()

    def getbkgd(self, /):
        return _number(*self._background)

    def chgat(self, *args):
        """chgat([y, x,] [n=-1,] attr)"""
        if not 1 <= len(args) <= 4:
            raise TypeError("_curses.window.chgat requires 1 to 4 arguments")
        place, rest = (args[:2], args[2:]) if len(args) > 2 else (None, args)
        count, attr = rest if len(rest) == 2 else (-1, rest[0])
        self._go(place)
        end = self._width if count < 0 else min(self._cx + count, self._width)
        for x in range(self._cx, end):
            self._set(self._cy, x, (self._get(self._cy, x)[0], attr & n.A_ATTRIBUTES))
        self._changed()

    # Lines and borders.

    def _drawn(self, ch, attr=0):
        text, attributes = character(ch, self.encoding)
        return self._merged(text, attributes | attr)

    def _line(self, args, what, dy, dx):
        place, rest = _place(args, 2, 3, what)
        cell = self._drawn(rest[0], rest[2] if len(rest) > 2 else 0)
        self._go(place)
        y, x = self._cy, self._cx
        for _ in range(rest[1]):
            if y >= self._height or x >= self._width:
                break
            self._set(y, x, cell)
            y, x = y + dy, x + dx
        self._changed()

    def hline(self, *args):
        """hline([y, x,] ch, n, [attr=_curses.A_NORMAL])"""
        self._line(args, "hline", 0, 1)

    def vline(self, *args):
        """vline([y, x,] ch, n, [attr=_curses.A_NORMAL])"""
        self._line(args, "vline", 1, 0)

    def border(self, *sides):
        if len(sides) > 8:
            raise TypeError(f"border() takes at most 8 arguments ({len(sides)} given)")
        usual = [n.ACS[name][0] for name in "VLINE VLINE HLINE HLINE ULCORNER URCORNER LLCORNER LRCORNER".split()]
        given = [*sides, *[0] * (8 - len(sides))]
        cells = [
            self._drawn(ch) if ch else self._merged(letter, n.A_ALTCHARSET) for ch, letter in zip(given, usual)
        ]
        left, right, top, bottom, top_left, top_right, bottom_left, bottom_right = cells
        last_y, last_x = self._height - 1, self._width - 1
        for y in range(1, last_y):
            self._set(y, 0, left)
            self._set(y, last_x, right)
        for x in range(1, last_x):
            self._set(0, x, top)
            self._set(last_y, x, bottom)
        self._set(0, 0, top_left)
        self._set(0, last_x, top_right)
        self._set(last_y, 0, bottom_left)
        self._set(last_y, last_x, bottom_right)
        self._changed()

    def box(self, *args):
        """box([verch=0, horch=0])"""
        if len(args) not in (0, 2):
            raise TypeError("verch,horch required")
        vertical, horizontal = args or (0, 0)
        self.border(vertical, vertical, horizontal, horizontal)

    # Reading what is there.

    def inch(self, *args):
        """inch([y, x])"""
        self._go(_place(args, 0, 0, "inch")[0])
        return _number(*self._get(self._cy, self._cx))

    def instr(self, *args):
        """instr([y, x,] n=2047)"""
        if len(args) > 3:
            raise TypeError("instr requires 0 to 3 arguments")
        place, rest = (args[:2], args[2:]) if len(args) >= 2 else (None, args)
        count = rest[0] if rest else 2047
        if count < 0:
            raise ValueError("'n' must be nonnegative")
        self._go(place)
        cells = self._row(self._cy)[self._left + self._cx : self._left + self._width]
        return "".join(text for text, _ in cells).encode(self.encoding, "replace")[:count]

    # What has changed.

    def touchwin(self, /):
        self._touched = [True] * self._height

    def untouchwin(self, /):
        self._touched = [False] * self._height

    def touchline(self, start, count, changed=True, /):
        if start < 0 or start >= self._height or count < 0:
            raise error("touchline() returned ERR")
        for y in range(start, min(start + count, self._height)):
            self._touched[y] = bool(changed)

    def is_linetouched(self, line, /):
        if not 0 <= line < self._height:
            raise TypeError("is_linetouched: line number outside of boundaries")
        return self._touched[line]

    def is_wintouched(self, /):
        return any(self._touched)

    def redrawwin(self, /):
        self.redrawln(0, self._height)

    def redrawln(self, beg, num, /):
        for y in range(beg, min(beg + num, self._height)):
            self._touched[y] = True
            screen.forget_line(self._y + y)

    def syncup(self, /):
        child, parent = self, self._parent
        while parent is not None:
            for y, touched in enumerate(child._touched):
                if touched and 0 <= child._own_y + y < parent._height:
                    parent._touched[child._own_y + y] = True
            child, parent = parent, parent._parent

    def syncdown(self, /):
        parent = self._parent
        if parent is not None:
            parent.syncdown()
            for y in range(self._height):
                self._touched[y] |= parent._touched[self._own_y + y]

    def cursyncup(self, /):
        child, parent = self, self._parent
        while parent is not None:
            parent._cy, parent._cx = child._cy + child._own_y, child._cx + child._own_x
            child, parent = parent, parent._parent

    def syncok(self, flag, /):
        self._syncs = bool(flag)

    def immedok(self, flag, /):
        self._immediate = bool(flag)

    # Onto the screen.

    def noutrefresh(self, *args):
        """noutrefresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])"""
        screen.show(self, self._part(args, "noutrefresh"))

    def refresh(self, *args):
        """refresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])"""
        screen.show(self, self._part(args, "refresh"))
        screen.update()

    def _part(self, args, what):
        """The part of a pad that is shown: its place there, and on the screen."""
        if self._is_pad:
            if len(args) != 6:
                raise error(f"{what}() for a pad requires 6 arguments")
            y, x, top, left, bottom, right = args
            y, x, top, left = max(y, 0), max(x, 0), max(top, 0), max(left, 0)
            bottom, right = min(bottom, screen.rows - 1), min(right, screen.columns - 1)
            return y, x, top, left, min(bottom - top + 1, self._height - y), min(right - left + 1, self._width - x)
        if args:
            raise TypeError(f"{what}() takes no arguments ({len(args)} given)")
        return 0, 0, self._y, self._x, self._height, self._width

    def clearok(self, flag, /):
        self._clears = bool(flag)

    def leaveok(self, flag, /):
        self._leaves = bool(flag)

    def scrollok(self, flag, /):
        self._scrolls = bool(flag)

    def idlok(self, flag, /):
        """Lines are drawn anew in any case."""

    def idcok(self, flag, /):
        """Characters are drawn anew in any case."""

    # Windows of windows.

    def _derive(self, args, absolute, pad):
        if len(args) not in (2, 4):
            raise TypeError(f"{'subwin' if absolute else 'derwin'} requires 2 or 4 arguments")
        rows, columns, y, x = args if len(args) == 4 else (0, 0, *args)
        if absolute and not self._is_pad:
            y, x = y - self._y, x - self._x
        rows, columns = rows or self._height - y, columns or self._width - x
        if y < 0 or x < 0 or rows <= 0 or columns <= 0 or y + rows > self._height or x + columns > self._width:
            raise error("curses function returned NULL")
        child = window._make(rows, columns, self._y + y, self._x + x, self, pad)
        child._place_within(y, x)
        child._background, child._attributes, child.encoding = self._background, self._attributes, self.encoding
        return child

    def _place_within(self, y, x):
        parent = self._parent
        self._cells, self._own_y, self._own_x = parent._cells, y, x
        self._top, self._left = parent._top + y, parent._left + x

    def subwin(self, *args):
        """subwin([nlines=0, ncols=0,] begin_y, begin_x)"""
        return self._derive(args, True, self._is_pad)

    def derwin(self, *args):
        """derwin([nlines=0, ncols=0,] begin_y, begin_x)"""
        return self._derive(args, False, self._is_pad)

    def subpad(self, *args):
        """subpad([nlines=0, ncols=0,] begin_y, begin_x)"""
        if not self._is_pad:
            raise error("curses function returned NULL")
        return self._derive(args, True, True)

    def mvwin(self, new_y, new_x, /):
        fits = new_y + self._height <= screen.rows and new_x + self._width <= screen.columns
        if self._is_pad or new_y < 0 or new_x < 0 or not fits:
            raise error("mvwin() returned ERR")
        self._y, self._x = new_y, new_x
        self.touchwin()

    def mvderwin(self, y, x, /):
        parent = self._parent
        if parent is None or y < 0 or x < 0 or y + self._height > parent._height or x + self._width > parent._width:
            raise error("mvderwin() returned ERR")
        self._place_within(y, x)
        self.touchwin()

    def resize(self, nlines, ncols, /):
        if nlines <= 0 or ncols <= 0:
            raise error("wresize() returned ERR")
        if self._parent is None:
            rows = [row[:ncols] + [self._blank()] * (ncols - len(row)) for row in self._cells[:nlines]]
            rows += [[self._blank()] * ncols for _ in range(nlines - len(rows))]
            self._cells = rows
        elif self._own_y + nlines > self._parent._height or self._own_x + ncols > self._parent._width:
            raise error("wresize() returned ERR")
        whole = self._region == (0, self._height - 1)
        self._height, self._width = nlines, ncols
        self._touched = [True] * nlines
        self._cy, self._cx = min(self._cy, nlines - 1), min(self._cx, ncols - 1)
        top, bottom = self._region
        self._region = (0, nlines - 1) if whole or bottom >= nlines else self._region

    def _copy(self, other, args, what, keeps_blanks):
        if len(args) == 0:
            top, left = max(self._y, other._y), max(self._x, other._x)
            bottom = min(self._y + self._height, other._y + other._height)
            right = min(self._x + self._width, other._x + other._width)
            from_y, from_x, to_y, to_x = top - self._y, left - self._x, top - other._y, left - other._x
            rows, columns = bottom - top, right - left
        elif len(args) == 6:
            from_y, from_x, to_y, to_x, last_y, last_x = args
            rows, columns = last_y - to_y + 1, last_x - to_x + 1
            fits = 0 <= to_y and 0 <= to_x and last_y < other._height and last_x < other._width
            if not fits or from_y + rows > self._height or from_x + columns > self._width:
                raise error(f"{what}() returned ERR")
        else:
            raise TypeError(f"{what} requires one or seven arguments")
        if rows <= 0 or columns <= 0:
            raise error(f"{what}() returned ERR")
        for y in range(rows):
            for x in range(columns):
                cell = self._get(from_y + y, from_x + x)
                if not keeps_blanks or cell[0] != " ":
                    other._set(to_y + y, to_x + x, cell)
        other._changed()

    def overlay(self, destwin, *args):
        """overlay(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])"""
        self._copy(destwin, args, "overlay", True)

    def overwrite(self, destwin, *args):
        """overwrite(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])"""
        self._copy(destwin, args, "overwrite", False)

    def putwin(self, file, /):
        """Written as text of Python's: `getwin` reads it."""
        head = (self._height, self._width, self._y, self._x, self._cy, self._cx, self._background)
        file.write(repr((head, [row[self._left : self._left + self._width] for row in self._cells])).encode())

    # Input.

    def keypad(self, flag, /):
        self._keypad = bool(flag)
        screen.set_keypad(self._keypad)

    def nodelay(self, flag, /):
        self._delay = 0 if flag else -1

    def notimeout(self, flag, /):
        self._waits_long = bool(flag)

    def timeout(self, delay, /):
        self._delay = delay if delay > 0 else 0 if delay == 0 else -1

    def _key(self, args, what, wide):
        self._go(_place(args, 0, 0, what)[0])
        if not self._is_pad and (self.is_wintouched() or screen.is_behind()):
            self.refresh()
        key = screen.key(self._keypad, self._delay, wide)
        if key is not None and screen.echoes and (isinstance(key, str) or 0x20 <= key < 0x100):
            self._add(key if isinstance(key, str) else bytes([key]).decode(self.encoding, "replace"), 0)
            self.refresh()
        return key

    def getch(self, *args):
        """getch([y, x])"""
        key = self._key(args, "getch", False)
        return -1 if key is None else key

    def getkey(self, *args):
        """getkey([y, x])"""
        key = self._key(args, "getkey", False)
        if key is None:
            raise error("no input")
        return chr(key) if key < 0x100 else screen.key_name(key).decode()

    def get_wch(self, *args):
        """get_wch([y, x])"""
        key = self._key(args, "get_wch", True)
        if key is None:
            raise error("no input")
        return key

    def getstr(self, *args):
        """getstr([[y, x,] n=2047])"""
        if len(args) > 3:
            raise TypeError("getstr requires 0 to 3 arguments")
        place, rest = (args[:2], args[2:]) if len(args) >= 2 else (None, args)
        most = min(rest[0] if rest else 2047, 2047)
        if most < 0:
            raise ValueError("'n' must be nonnegative")
        self._go(place)
        echoes, screen.echoes = screen.echoes, False
        line = bytearray()
        try:
            while (key := self.getch()) not in (10, 13, n.ERR, n.KEY_ENTER):
                if key in (8, 127, n.KEY_BACKSPACE, n.KEY_LEFT):
                    if line:
                        line.pop()
                        if echoes:
                            self._cx = max(self._cx - 1, 0)
                            self.delch()
                            self.refresh()
                elif key < 0x100 and len(line) < most:
                    line.append(key)
                    if echoes:
                        self._add(bytes([key]).decode(self.encoding, "replace"), 0)
                        self.refresh()
        finally:
            screen.echoes = echoes
        return bytes(line)


def _number(text, attributes):
    """A cell as programs see it."""
    code = ord(text[0]) if text else 0
    if code > 0x7F:
        row = text[0].encode(screen.encoding, "replace")
        code = row[0] if len(row) == 1 else code & _TEXT
    return code | attributes


def read(file):
    """`getwin`."""
    import ast

    try:
        (rows, columns, y, x, cy, cx, background), cells = ast.literal_eval(file.read().decode())
    except (ValueError, SyntaxError) as e:
        raise error("getwin() returned NULL") from e
    found = window._make(rows, columns, y, x)
    found._cells = [list(map(tuple, row)) for row in cells]
    found._background, found._cy, found._cx = tuple(background), cy, cx
    return found


def standard():
    """The window that is the screen."""
    return window._make(screen.rows, screen.columns, 0, 0)


window.__module__ = "_curses"
window.__qualname__ = "window"
