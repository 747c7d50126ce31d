"""The compiler of busy loops: what it has made of a program, and what it gave up.

    import skein.jit
    for trace in skein.jit.traces():
        print(trace)            # work.py:12 in step: 57 instructions, 0 bridges, 632 bytes, entered 1 time
        for exit in trace.worst_exits():
            print("   ", exit)
"""

import _skein_jit
import sys
from dataclasses import dataclass, field

__all__ = ["Exit", "Trace", "aborts", "counters", "is_enabled", "traces"]


def is_enabled():
    """Are loops compiled? As sys._jit.is_enabled()."""
    return sys._jit.is_enabled()


def counters():
    """A dict: loops `recorded`, recordings `aborted`, trees `compiled`, `bridges`, traces `invalidated`, `bytes` of machine
    code that there are, and `microseconds` that compiling has taken."""
    return _skein_jit.counters()


def aborts():
    """How many recordings and bridges were given up, by reason, the most frequent first."""
    return dict(sorted(_skein_jit.given_up().items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class Exit:
    """A place where a trace was left for the interpreter."""

    file: str
    function: str
    line: int
    op: str
    kind: str  # "guard", "raise", "elsewhere" or "return"
    taken: int
    aborts: int
    bridge: bool

    def __str__(self):
        given_up = f", {self.aborts} bridges given up" if self.aborts else ""
        return f"line {self.line} in {self.function}, {self.op} ({self.kind}): {self.taken} times{given_up}"


@dataclass(frozen=True)
class Trace:
    """One loop, or one function as a whole, with its bridges."""

    number: int
    file: str
    function: str
    line: int
    op: str
    is_function: bool
    valid: bool
    recorded: int  # instructions, with bridges
    bridges: int
    bytes: int  # of machine code; 0 before it is compiled
    entered: int  # times that the interpreter went into it
    exits: list = field(repr=False)
    ir: list = field(repr=False)  # (text, file, line) of each line; line 0: of none in particular
    code: str | None = field(repr=False)  # with -X jit=view

    def __str__(self):
        whole = " as a whole" if self.is_function else ""
        void = "" if self.valid else ", void"
        times = "time" if self.entered == 1 else "times"
        return (
            f"{self.file}:{self.line} in {self.function}{whole}: {self.recorded} instructions, {self.bridges} bridges, "
            f"{self.bytes} bytes, entered {self.entered} {times}{void}"
        )

    def worst_exits(self, most=5):
        """The exits that were taken most often."""
        return sorted(self.exits, key=lambda exit: -exit.taken)[:most]


def traces():
    """The traces that there are now, in the order in which they were made."""
    out = []
    for row in _skein_jit.traces():
        row["exits"] = [Exit(**exit) for exit in row["exits"]]
        row["ir"] = [tuple(line) for line in row["ir"]]
        out.append(Trace(**row))
    return out
