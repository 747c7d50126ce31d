"""Editing text in a window, with the keys of Emacs."""

import curses
import curses.ascii


def rectangle(win, uly, ulx, lry, lrx):
    """Draws a rectangle between two corners."""
    win.vline(uly + 1, ulx, curses.ACS_VLINE, lry - uly - 1)
    win.hline(uly, ulx + 1, curses.ACS_HLINE, lrx - ulx - 1)
    win.hline(lry, ulx + 1, curses.ACS_HLINE, lrx - ulx - 1)
    win.vline(uly + 1, lrx, curses.ACS_VLINE, lry - uly - 1)
    for y, x, corner in (
        (uly, ulx, curses.ACS_ULCORNER),
        (uly, lrx, curses.ACS_URCORNER),
        (lry, lrx, curses.ACS_LRCORNER),
        (lry, ulx, curses.ACS_LLCORNER),
    ):
        win.addch(y, x, corner)


class Textbox:
    """A window whose text can be edited until Ctrl-G."""

    def __init__(self, win, insert_mode=False):
        self.win, self.insert_mode = win, insert_mode
        self.stripspaces, self.lastcmd = 1, None
        self._measure()
        win.keypad(1)

    def _measure(self):
        height, width = self.win.getmaxyx()
        self.maxy, self.maxx = height - 1, width - 1

    def _end_of_line(self, y):
        """Behind the last character of a line that is no space."""
        self._measure()
        for x in range(self.maxx, -1, -1):
            if curses.ascii.ascii(self.win.inch(y, x)) != curses.ascii.SP:
                return min(self.maxx, x + 1)
        return 0

    def _put(self, ch):
        """Without the insertion mode: the character and the cursor's step, also in the last cell, where there is none."""
        y, x = self.win.getyx()
        if y < self.maxy or x < self.maxx:
            self.win.addch(ch)
        else:
            try:
                self.win.addch(ch)
            except curses.error:
                pass

    def _insert_printable_char(self, ch):
        self._measure()
        y, x = self.win.getyx()
        place = None
        while y < self.maxy or x < self.maxx:
            old = self.win.inch() if self.insert_mode else None
            self._put(ch)
            if old is None or not curses.ascii.isprint(old & 0xFF):
                break
            # What was there moves on to the next cell.
            ch = old
            y, x = self.win.getyx()
            place = place or (y, x)
        if place is not None:
            self.win.move(*place)

    def do_command(self, ch):
        """Does what a key says. 0: the editing ends."""
        self._measure()
        y, x = self.win.getyx()
        self.lastcmd = ch
        a = curses.ascii
        if a.isprint(ch):
            if y < self.maxy or x < self.maxx:
                self._insert_printable_char(ch)
        elif ch == a.SOH:
            self.win.move(y, 0)
        elif ch in (a.STX, curses.KEY_LEFT, a.BS, curses.KEY_BACKSPACE, a.DEL):
            if x > 0:
                self.win.move(y, x - 1)
            elif y > 0:
                self.win.move(y - 1, self._end_of_line(y - 1) if self.stripspaces else self.maxx)
            if ch in (a.BS, curses.KEY_BACKSPACE, a.DEL):
                self.win.delch()
        elif ch == a.EOT:
            self.win.delch()
        elif ch == a.ENQ:
            self.win.move(y, self._end_of_line(y) if self.stripspaces else self.maxx)
        elif ch in (a.ACK, curses.KEY_RIGHT):
            if x < self.maxx:
                self.win.move(y, x + 1)
            elif y < self.maxy:
                self.win.move(y + 1, 0)
        elif ch == a.BEL:
            return 0
        elif ch == a.NL:
            if self.maxy == 0:
                return 0
            if y < self.maxy:
                self.win.move(y + 1, 0)
        elif ch == a.VT:
            if x == 0 and self._end_of_line(y) == 0:
                self.win.deleteln()
            else:
                self.win.move(y, x)
                self.win.clrtoeol()
        elif ch == a.FF:
            self.win.refresh()
        elif ch in (a.SO, curses.KEY_DOWN):
            if y < self.maxy:
                self.win.move(y + 1, min(x, self._end_of_line(y + 1)))
        elif ch == a.SI:
            self.win.insertln()
        elif ch in (a.DLE, curses.KEY_UP):
            if y > 0:
                self.win.move(y - 1, min(x, self._end_of_line(y - 1)))
        return 1

    def gather(self):
        """The text of the window."""
        self._measure()
        lines = []
        for y in range(self.maxy + 1):
            self.win.move(y, 0)
            end = self._end_of_line(y)
            if end == 0 and self.stripspaces:
                lines.append("")
                continue
            kept = end if self.stripspaces else self.maxx + 1
            lines.append("".join(chr(curses.ascii.ascii(self.win.inch(y, x))) for x in range(min(kept + 1, self.maxx + 1))))
        return "".join(line + "\n" for line in lines) if self.maxy > 0 else "".join(lines)

    def edit(self, validate=None):
        """Edits until a command ends it, and returns the text."""
        while True:
            ch = self.win.getch()
            if validate:
                ch = validate(ch)
            if not ch:
                continue
            if not self.do_command(ch):
                break
            self.win.refresh()
        return self.gather()
