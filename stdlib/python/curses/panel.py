"""Windows in a pile."""

from _curses_panel import *  # noqa: F403
