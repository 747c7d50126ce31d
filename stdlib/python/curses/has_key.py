"""Does the terminal have a key?"""

import _curses


def has_key(ch):
    return _curses.has_key(ord(ch) if isinstance(ch, str) else ch)
