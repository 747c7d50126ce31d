"""The terminal: what it shows and what it is to show, its modes, and its keys."""

import locale
import os
import select
import signal
import sys
import termios
import threading
import time

from . import _names as n
from ._terminfo import Terminal, terminal_name


class error(Exception):
    """Exception raised when a curses library function returns an error."""


error.__module__ = "_curses"

_ATTRIBUTES = (
    (n.A_STANDOUT, "smso"),
    (n.A_UNDERLINE, "smul"),
    (n.A_REVERSE, "rev"),
    (n.A_BLINK, "blink"),
    (n.A_DIM, "dim"),
    (n.A_BOLD, "bold"),
    (n.A_INVIS, "invis"),
    (n.A_PROTECT, "prot"),
    (n.A_ITALIC, "sitm"),
)
_BLANK = (" ", 0)


class Screen:
    """The one terminal."""

    def __init__(self):
        self.terminal = None
        self.fd = 1
        self.rows = self.columns = 0
        self.encoding = "utf-8"
        self.started = self.ended = False
        self.uses_environment = True
        self.tab_size, self.escape_delay, self.mouse_interval = 8, 1000, 166
        self.echoes, self.newlines, self.has_color, self.default_colors = True, True, False, False
        self.pairs, self.colors, self.pair_numbers = {0: (7, 0)}, {}, {}
        self.shell_mode = self.program_mode = self.saved_mode = None
        self.half_delay = None
        self.pending, self.events, self.mouse_events = bytearray(), [], []
        self.out = bytearray()
        self.now = None
        self.shown, self.wanted, self.dirty, self.clears = [], [], set(), False
        self.keys, self.mouse_mask = {}, 0
        self.cursor = (0, 0)
        self.resized = False
        self.visibility = 1

    # The terminal's description and modes.

    def setup(self, term, fd):
        self.terminal = Terminal(term or terminal_name())
        self.fd = fd
        for name, key in n.SENT.items():
            if sent := self.terminal.get(name):
                self.keys[bytes(sent)] = key
        self.measure()

    def measure(self):
        numbers = self.terminal.numbers
        rows, columns = numbers.get("lines", 24), numbers.get("cols", 80)
        if self.uses_environment:
            try:
                columns, rows = os.get_terminal_size(self.fd)
            except OSError:
                pass
            rows = _positive(os.environ.get("LINES")) or rows
            columns = _positive(os.environ.get("COLUMNS")) or columns
        self.rows, self.columns = rows or 24, columns or 80

    def start(self):
        self.encoding = locale.getencoding()
        self.shell_mode = self._mode()
        self.resize(self.rows, self.columns)
        self.started, self.ended = True, False
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGWINCH) is signal.SIG_DFL:
                signal.signal(signal.SIGWINCH, self._note_size)
        self._change(lambda mode: (self._set_flag(mode, 3, termios.ECHO | termios.ECHONL, False)))
        self.program_mode = self._mode()
        self.put("smcup")
        self.put("clear")
        self.flush()

    def _note_size(self, number, frame):
        self.resized = True

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.shown = [[None] * columns for _ in range(rows)]
        self.wanted = [[_BLANK] * columns for _ in range(rows)]
        self.dirty = set(range(rows))
        self.clears = True

    def end(self):
        self.move(self.rows - 1, 0)
        self.attributes(0)
        for name in ("oc", "op", "cnorm", "rmkx"):
            self.put(name)
        if self.mouse_mask:
            self._mouse(False)
        self.put("rmcup")
        self.flush()
        self.ended = True
        self._restore(self.shell_mode)

    def resume(self):
        """Goes on after `end`."""
        self.ended = False
        self._restore(self.program_mode)
        self.put("smcup")
        if self.mouse_mask:
            self._mouse(True)
        self.clears, self.dirty = True, set(range(self.rows))

    def _mode(self):
        try:
            return termios.tcgetattr(0)
        except termios.error:
            return None

    def _restore(self, mode):
        if mode is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, mode)

    def _change(self, change):
        mode = self._mode()
        if mode is not None:
            change(mode)
            termios.tcsetattr(0, termios.TCSADRAIN, mode)
            self.program_mode = mode

    @staticmethod
    def _set_flag(mode, index, bits, on):
        mode[index] = mode[index] | bits if on else mode[index] & ~bits

    def set_cbreak(self, on):
        def change(mode):
            self._set_flag(mode, 3, termios.ICANON, not on)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0

        self.half_delay = None
        self._change(change)

    def set_raw(self, on):
        def change(mode):
            self._set_flag(mode, 3, termios.ICANON | termios.ISIG | termios.IEXTEN, not on)
            self._set_flag(mode, 0, termios.IXON | termios.BRKINT | termios.PARMRK, not on)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0

        self._change(change)

    def set_newlines(self, on):
        def change(mode):
            self._set_flag(mode, 0, termios.ICRNL, on)
            self._set_flag(mode, 1, termios.ONLCR, on)

        self.newlines = on
        self._change(change)

    def set_flush(self, on):
        self._change(lambda mode: self._set_flag(mode, 3, termios.NOFLSH, not on))

    def set_keypad(self, on):
        self.put("smkx" if on else "rmkx")
        self.flush()

    # Output.

    def put(self, name, *parameters):
        if self.terminal is not None:
            self.out += self.terminal.put(name, *parameters)

    def flush(self):
        out, self.out = self.out, bytearray()
        try:
            sys.stdout.flush()
        except (AttributeError, ValueError):
            pass
        view = memoryview(out)
        while view:
            view = view[os.write(self.fd, view) :]

    def move(self, y, x):
        self.put("cup", y, x)

    def attributes(self, wanted):
        self.put("sgr0")
        self.now = wanted
        for bit, name in _ATTRIBUTES:
            if wanted & bit:
                self.put(name)
        pair = (wanted & n.A_COLOR) >> 8
        if pair and self.has_color:
            front, back = self.pairs.get(pair, (7, 0))
            if front < 0 or back < 0:
                self.put("op")
            if front >= 0:
                self.put("setaf", front)
            if back >= 0:
                self.put("setab", back)

    def forget_line(self, y):
        if 0 <= y < self.rows:
            self.shown[y] = [None] * self.columns
            self.dirty.add(y)

    def is_behind(self):
        return self.clears or bool(self.dirty)

    def show(self, window, part):
        """Puts a part of a window into what is wanted."""
        y, x, top, left, rows, columns = part
        if window._clears:
            window._clears = False
            if rows >= self.rows and columns >= self.columns:
                self.clears = True
                self.dirty = set(range(self.rows))
        for i in range(rows):
            line = top + i
            if not 0 <= line < self.rows or not (window._touched[y + i] or self.clears):
                continue
            window._touched[y + i] = False
            cells = window._row(y + i)[window._left + x : window._left + x + columns]
            cells = cells[: self.columns - left]
            row = self.wanted[line]
            if row[left : left + len(cells)] != cells:
                row[left : left + len(cells)] = cells
                self.dirty.add(line)
        if not window._leaves:
            cy, cx = top + window._cy - y, left + window._cx - x
            self.cursor = min(max(cy, 0), self.rows - 1), min(max(cx, 0), self.columns - 1)

    def update(self):
        if not self.started:
            raise error("must call initscr() first")
        if self.ended:
            self.resume()
        self.now = None
        if self.clears:
            self.attributes(0)
            self.put("clear")
            self.shown = [[_BLANK] * self.columns for _ in range(self.rows)]
            self.clears, self.dirty = False, set(range(self.rows))
        for y in sorted(self.dirty):
            self._update_line(y)
        self.dirty = set()
        if self.now != 0:
            self.attributes(0)
        self.move(*self.cursor)
        self.flush()

    def _update_line(self, y):
        shown, wanted = self.shown[y], self.wanted[y]
        at, x = None, 0
        while x < self.columns:
            cell = wanted[x]
            if cell == shown[x]:
                x += 1
                continue
            if cell[0] == "" and x > 0:
                # The right half of a character is drawn with its left half.
                shown[x] = cell
                x += 1
                continue
            if at != x:
                self.move(y, x)
            text, attributes = cell
            self._put_text(text or " ", attributes)
            shown[x] = cell
            at = x + 1
            if x + 1 < self.columns and wanted[x + 1][0] == "":
                shown[x + 1] = wanted[x + 1]
                at += 1
            x = at

    def _put_text(self, text, attributes):
        if self.now != attributes & ~n.A_ALTCHARSET:
            self.attributes(attributes & ~n.A_ALTCHARSET)
        if attributes & n.A_ALTCHARSET:
            shown, plain = n.DRAWN.get(text, (text, text))
            try:
                self.out += shown.encode(self.encoding)
            except UnicodeEncodeError:
                if smacs := self.terminal.put("smacs"):
                    self.out += smacs + text.encode("ascii", "replace") + self.terminal.put("rmacs")
                else:
                    self.out += plain.encode("ascii")
            return
        self.out += text.encode(self.encoding, "replace")

    # Keys.

    def _wait(self, seconds):
        """Is there input within so many seconds (None: however long it takes)?"""
        try:
            return bool(select.select([0], [], [], seconds)[0])
        except InterruptedError:
            return False

    def _more(self, seconds):
        """Reads more input. False: none came. A change of the terminal's size ends the wait."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            rest = None if end is None else max(end - time.monotonic(), 0)
            # The handler notes the signal, after which the wait goes on.
            if self._wait(min(rest, 0.1) if rest is not None else 0.1):
                data = os.read(0, 4096)
                self.pending += data
                return bool(data)
            if self.resized or end is not None and time.monotonic() >= end:
                return False

    def key(self, keypad, delay, wide):
        """The next key; None if there is none in time."""
        if self.events:
            return self.events.pop()
        if not self.pending:
            if self.half_delay is not None and delay < 0:
                delay = self.half_delay
            came = self._more(None if delay < 0 else delay / 1000)
            if self.resized:
                self.resized = False
                columns, rows = os.get_terminal_size(self.fd)
                self.on_resize(rows, columns)
                return n.KEY_RESIZE
            if not came:
                return None
        if keypad and (key := self._special()) is not None:
            return key
        first = self.pending[0]
        count = 1
        if wide and first >= 0xC0 and self.encoding.lower().replace("-", "") == "utf8":
            count = 2 + (first >= 0xE0) + (first >= 0xF0)
            while len(self.pending) < count and self._more(0.1):
                pass
        row = bytes(self.pending[:count])
        del self.pending[:count]
        return row.decode(self.encoding, "replace") if wide else row[0]

    def _special(self):
        """The key whose sequence the input begins with."""
        while True:
            data = bytes(self.pending)
            if self.mouse_mask and (key := self._mouse_event(data)) is not None:
                return key
            for sequence, key in self.keys.items():
                if data.startswith(sequence):
                    del self.pending[: len(sequence)]
                    return key
            begins = data[0] == 27 and any(s.startswith(data) for s in (*self.keys, b"\x1b[<"))
            if not begins or not self._more(self.escape_delay / 1000):
                return None

    def key_name(self, key):
        if key in n.NAMES:
            return n.NAMES[key].encode()
        return unctrl(key)

    def _mouse(self, on):
        self.out += b"\x1b[?1000h\x1b[?1006h" if on else b"\x1b[?1006l\x1b[?1000l"

    def set_mouse(self, mask):
        old, self.mouse_mask = self.mouse_mask, mask & (n.ALL_MOUSE_EVENTS | n.REPORT_MOUSE_POSITION)
        if bool(old) != bool(self.mouse_mask) and self.started:
            self._mouse(bool(self.mouse_mask))
            self.flush()
        return old

    def _mouse_event(self, data):
        """`CSI < button ; x ; y M`, or `m` when it is released."""
        if not data.startswith(b"\x1b[<"):
            return None
        for end, c in enumerate(data):
            if c in b"Mm":
                break
        else:
            return None
        try:
            code, x, y = map(int, data[3:end].split(b";"))
        except ValueError:
            return None
        del self.pending[: end + 1]
        button = (code & 3) + 1 if code < 64 else 4 + (code & 1)
        event = 1 << (button - 1) * 5 + (data[end : end + 1] == b"M")
        for bit, state in ((4, n.BUTTON_SHIFT), (8, n.BUTTON_ALT), (16, n.BUTTON_CTRL)):
            if code & bit:
                event |= state
        self.mouse_events.append((0, x - 1, y - 1, 0, event))
        return n.KEY_MOUSE

    def on_resize(self, rows, columns):
        """Set by the module, which has the window that is the screen."""


def unctrl(code):
    """A character as it can be shown."""
    code &= 0xFF
    meta = b"M-" if code > 0x7F else b""
    code &= 0x7F
    if code < 0x20 or code == 0x7F:
        return meta + b"^" + bytes([code ^ 0x40])
    return meta + bytes([code])


def _positive(text):
    try:
        return max(int(text or 0), 0)
    except ValueError:
        return 0


screen = Screen()
