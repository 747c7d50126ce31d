"""Characters of ASCII: names of those that are not shown, and tests for characters and their numbers alike."""

controlnames = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US", "SP",
]  # fmt: skip
globals().update((name, number) for number, name in enumerate(controlnames))
TAB, NL, DEL = 0x09, 0x0A, 0x7F


def _number(c):
    return ord(c) if isinstance(c, str) else c


def _test(name, test, about):
    def tested(c):
        return test(_number(c))

    tested.__name__ = tested.__qualname__ = name
    tested.__doc__ = about
    globals()[name] = tested


def _between(*ranges):
    return lambda c: any(first <= c <= last for first, last in ranges)


_DIGITS, _UPPER, _LOWER = (48, 57), (65, 90), (97, 122)
_test("isalnum", _between(_DIGITS, _UPPER, _LOWER), "A letter or digit?")
_test("isalpha", _between(_UPPER, _LOWER), "A letter?")
_test("isascii", _between((0, 127)), "In ASCII at all?")
_test("isblank", lambda c: c in (9, 32), "A space or tab?")
_test("iscntrl", lambda c: 0 <= c <= 31 or c == 127, "Not shown, but does something?")
_test("isctrl", _between((0, 31)), "Below the space?")
_test("isdigit", _between(_DIGITS), "A digit?")
_test("isgraph", _between((33, 126)), "Shown, and no space?")
_test("islower", _between(_LOWER), "A small letter?")
_test("ismeta", lambda c: c > 127, "Beyond ASCII?")
_test("isprint", _between((32, 126)), "Shown?")
_test("ispunct", lambda c: 33 <= c <= 126 and not _between(_DIGITS, _UPPER, _LOWER)(c), "Shown, no letter or digit?")
_test("isspace", lambda c: c in (9, 10, 11, 12, 13, 32), "White space?")
_test("isupper", _between(_UPPER), "A capital letter?")
_test("isxdigit", _between(_DIGITS, (65, 70), (97, 102)), "A hexadecimal digit?")


def _like(c, number):
    return chr(number) if isinstance(c, str) else number


def ascii(c):
    return _like(c, _number(c) & 0x7F)


def ctrl(c):
    return _like(c, _number(c) & 0x1F)


def alt(c):
    return _like(c, _number(c) | 0x80)


def unctrl(c):
    number = _number(c)
    low = number & 0x7F
    text = "^?" if low == 0x7F else chr(low) if low >= 32 else "^" + chr(low | 0x40)
    return "!" + text if number & 0x80 else text
