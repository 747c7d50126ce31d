"""What terminfo's compiled files say of a terminal, and the little language of their strings."""

import os
import struct

from _pyrepl.terminfo import _STRING_NAMES, TermInfo, _read_terminfo_file

BOOLEANS = (
    "bw am xsb xhp xenl eo gn hc km hs in da db mir msgr os eslok xt hz ul xon nxon mc5i chts nrrmc npc ndscr ccc bce hls "
    "xhpa crxm daisy xvpa sam cpix lpix OTbs OTns OTnc OTMT OTNL OTpt OTxr"
).split()
NUMBERS = (
    "cols it lines lm xmc pb vt wsl nlab lh lw ma wnum colors pairs ncv bufsz spinv spinh maddr mjump mcs mls npins orc "
    "orl orhi orvi cps widcs btns bitwin bitype OTug OTdC OTdN OTdB OTdT OTkn"
).split()

_MAGIC_WIDE = 0o1036


class Terminal:
    """A terminal's description."""

    def __init__(self, name):
        self.name = name
        self.longname = name.encode()
        self.booleans, self.numbers, self.strings = set(), {}, {}
        try:
            self._parse(_read_terminfo_file(name))
        except (OSError, ValueError, struct.error):
            # Where no files are, the library knows the strings of some common terminals.
            self.strings = dict(TermInfo(name, fallback=False)._capabilities)
            self.booleans = {"am", "xenl", "msgr"}
            self.numbers = {"colors": 256 if "256" in name else 8, "pairs": 64, "it": 8, "cols": 80, "lines": 24}

    def _parse(self, data):
        magic, names, flags, numbers, strings, table = struct.unpack_from("<6h", data)
        if magic not in (0o432, _MAGIC_WIDE):
            raise ValueError("not a compiled description of a terminal")
        kind = "i" if magic == _MAGIC_WIDE else "h"
        at = 12
        self.longname = data[at : at + names].rstrip(b"\0").split(b"|")[-1]
        at += names
        self.booleans = {n for n, set_ in zip(BOOLEANS, data[at : at + flags]) if set_ == 1}
        at += flags
        at += at % 2
        for name, n in zip(NUMBERS, struct.unpack_from(f"<{numbers}{kind}", data, at)):
            if n >= 0:
                self.numbers[name] = n
        at += numbers * struct.calcsize(kind)
        offsets = struct.unpack_from(f"<{strings}h", data, at)
        at += strings * 2
        text = data[at : at + table]
        for name, offset in zip(_STRING_NAMES, offsets):
            if offset >= 0:
                self.strings[name] = text[offset : text.index(0, offset)]

    def get(self, name):
        return self.strings.get(name)

    def put(self, name, *parameters):
        """The string with its parameters, without its padding; empty where the terminal lacks it."""
        found = self.strings.get(name)
        return without_padding(expand(found, *parameters)) if found else b""


def terminal_name():
    return os.environ.get("TERM", "unknown")


def without_padding(text):
    """The delays that only terminals at the end of a line of wire need are left out: `$<5*/>`."""
    while (start := text.find(b"$<")) >= 0 and (end := text.find(b">", start)) >= 0:
        text = text[:start] + text[end + 1 :]
    return text


class _Machine:
    """The state of an expansion: a stack, and variables."""

    static = {}

    def __init__(self, parameters):
        self.parameters = list(parameters) + [0] * (9 - len(parameters))
        self.stack, self.dynamic = [], {}

    def pop(self):
        return self.stack.pop() if self.stack else 0


_BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b if b else 0,
    "m": lambda a, b: a % b if b else 0,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "=": lambda a, b: int(a == b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "A": lambda a, b: int(bool(a) and bool(b)),
    "O": lambda a, b: int(bool(a) or bool(b)),
}


def expand(text, *parameters):
    """A string with its parameters in place: `tparm`."""
    machine, out, at, end = _Machine(parameters), bytearray(), 0, len(text)
    while at < end:
        c = chr(text[at])
        at += 1
        if c != "%":
            out += c.encode("latin-1")
            continue
        if at >= end:
            break
        c = chr(text[at])
        at += 1
        if c == "%":
            out += b"%"
        elif c == "i":
            machine.parameters[0] += 1
            machine.parameters[1] += 1
        elif c == "p":
            machine.stack.append(machine.parameters[int(chr(text[at])) - 1])
            at += 1
        elif c in "Pg":
            name = chr(text[at])
            at += 1
            variables = machine.static if name.isupper() else machine.dynamic
            if c == "P":
                variables[name] = machine.pop()
            else:
                machine.stack.append(variables.get(name, 0))
        elif c == "'":
            machine.stack.append(text[at])
            at += 2
        elif c == "{":
            close = text.index(b"}", at)
            machine.stack.append(int(text[at:close]))
            at = close + 1
        elif c == "l":
            machine.stack.append(len(machine.pop()))
        elif c in "!~":
            n = machine.pop()
            machine.stack.append(int(not n) if c == "!" else ~n)
        elif c == "c":
            out.append(machine.pop() & 0xFF)
        elif c in ("?", ";"):
            pass
        elif c == "t":
            if not machine.pop():
                at = _skip(text, at, "e;")
        elif c == "e":
            at = _skip(text, at, ";")
        elif c in _BINARY and not (c in "+-" and at < end and chr(text[at]).isdigit()):
            b, a = machine.pop(), machine.pop()
            machine.stack.append(_BINARY[c](a, b))
        else:
            at = _format(text, at - 1, machine, out)
    return bytes(out)


def _format(text, at, machine, out):
    """`%[[:]flags][width[.precision]][doxXs]`."""
    start = at
    if text[at : at + 1] == b":":
        start = at = at + 1
    while at < len(text) and chr(text[at]) in "-+# .0123456789":
        at += 1
    if at >= len(text):
        return at
    form, kind = text[start:at].decode("latin-1"), chr(text[at])
    value = machine.pop()
    if kind in "doxX":
        out += ("%" + form + kind).__mod__(value).encode()
    elif kind == "s":
        out += ("%" + form + "s").__mod__(value.decode("latin-1") if isinstance(value, bytes) else value).encode("latin-1")
    return at + 1


def _skip(text, at, until):
    """Behind the end of the branch that is not taken."""
    depth = 0
    while at < len(text) - 1:
        if text[at : at + 1] != b"%":
            at += 1
            continue
        c = chr(text[at + 1])
        at += 2
        if c == "?":
            depth += 1
        elif c == ";":
            if depth == 0:
                return at
            depth -= 1
        elif c in until and depth == 0:
            return at
    return len(text)
