"""Terminals by cells: windows, colors, keys and the mouse."""

import os as _os
import sys as _sys

import _curses
from _curses import *  # noqa: F403
from _curses import error, window  # noqa: F401


def _bring(*names):
    """What the start of the screen or of colors has set."""
    for name, value in list(vars(_curses).items()):
        if name.startswith(names):
            globals()[name] = value


def initscr():
    """Begin: the window that is the whole screen."""
    setupterm(term=_os.environ.get("TERM", "unknown"), fd=_sys.__stdout__.fileno())  # noqa: F405
    stdscr = _curses.initscr()
    _bring("ACS_", "LINES", "COLS")
    return stdscr


def start_color():
    _curses.start_color()
    _bring("COLORS", "COLOR_PAIRS")


def wrapper(func, /, *args, **kwds):
    """Call a function with the screen set up, and set the terminal back afterwards, also when it raises."""
    stdscr = None
    try:
        stdscr = initscr()
        noecho()  # noqa: F405
        cbreak()  # noqa: F405
        stdscr.keypad(True)
        try:
            start_color()
        except error:
            # A terminal without colors.
            pass
        return func(stdscr, *args, **kwds)
    finally:
        if stdscr is not None:
            stdscr.keypad(False)
            echo()  # noqa: F405
            nocbreak()  # noqa: F405
            endwin()  # noqa: F405
