# Skein alone
# Curses in a terminal of its own: what is drawn, what keys become, and that the terminal is left as it was.
import os
import pty
import select
import struct
import sys
import fcntl
import termios
import time

PROGRAM = r"""
import curses, curses.panel, curses.textpad, sys
def main(screen):
    assert curses.LINES == 24 and curses.COLS == 80
    assert screen.getmaxyx() == (24, 80)
    curses.init_pair(1, curses.COLOR_RED, curses.COLOR_BLACK)
    assert curses.pair_number(curses.color_pair(1)) == 1 and curses.pair_content(1) == (1, 0)
    screen.addstr(1, 2, "plain")
    screen.addstr(2, 2, "red", curses.color_pair(1) | curses.A_BOLD)
    screen.addstr(3, 2, "wide 漢字 é")
    assert screen.instr(1, 2, 5) == b"plain"
    assert screen.inch(2, 2) & curses.A_CHARTEXT == ord("r")
    assert screen.inch(2, 2) & curses.A_BOLD
    try:
        screen.addstr(30, 0, "x")
    except curses.error:
        pass
    else:
        raise AssertionError("no error outside of the window")
    window = curses.newwin(4, 12, 5, 5)
    window.box()
    inner = window.derwin(2, 10, 1, 1)
    inner.addstr(0, 0, "inside")
    assert window.instr(1, 1, 6) == b"inside" and inner.getparyx() == (1, 1)
    pad = curses.newpad(50, 50)
    pad.addstr(10, 10, "on the pad")
    screen.noutrefresh()
    window.noutrefresh()
    pad.noutrefresh(10, 10, 12, 3, 12, 20)
    curses.doupdate()
    panels = [curses.panel.new_panel(curses.newwin(2, 5, 15, x)) for x in (0, 2)]
    assert curses.panel.top_panel() is panels[1]
    panels[1].hide()
    assert curses.panel.top_panel() is panels[0]
    keys = [screen.getch() for _ in range(4)]
    assert keys == [curses.KEY_UP, curses.KEY_F1, ord("a"), 27], keys
    assert screen.get_wch() == "é"
    screen.nodelay(True)
    assert screen.getch() == -1
    curses.ungetch(curses.KEY_HOME)
    assert screen.getkey() == "KEY_HOME"
    screen.move(20, 0)
    screen.clrtoeol()
    screen.insstr(20, 0, "abc")
    screen.delch(20, 0)
    assert screen.instr(20, 0, 3) == b"bc "
    window.scrollok(True)
    window.erase()
    for i in range(6):
        window.addstr(f"{i}\n")
    assert window.instr(0, 0, 1) == b"3" and window.instr(2, 0, 1) == b"5"
    box = curses.textpad.Textbox(curses.newwin(1, 10, 22, 0))
    for c in b"hey":
        box.do_command(c)
    assert box.gather().strip() == "hey"
    return "result"
assert curses.wrapper(main) == "result"
try:
    curses.wrapper(lambda screen: 1 / 0)
except ZeroDivisionError:
    print("DONE")
"""

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", ESCDELAY="25")
    os.environ.pop("LINES", None), os.environ.pop("COLUMNS", None)
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    os.execv(sys.executable, [sys.executable, "-X", "utf8", "-c", PROGRAM])

out = b""


def read_until(what):
    global out
    end = time.monotonic() + 120
    while what not in out:
        assert time.monotonic() < end, out
        if select.select([fd], [], [], 1)[0]:
            try:
                more = os.read(fd, 65536)
            except OSError:
                more = b""
            assert more, out
            out += more


mode = termios.tcgetattr(fd)
# Blanks are not drawn where there are blanks.
read_until(b"pad\x1b")
os.write(fd, b"\x1bOA\x1bOPa\x1b")
time.sleep(0.1)
os.write(fd, "é".encode())
read_until(b"DONE")
assert os.waitpid(pid, 0)[1] == 0, out
for drawn in ("plain", "wide", "漢字", "inside", "┌──────────┐"):
    assert drawn.encode() in out, (drawn, out)
# Into the other screen and back, twice.
assert out.count(b"\x1b[?1049h") == out.count(b"\x1b[?1049l") == 2, out
assert b"\x1b[31m" in out
