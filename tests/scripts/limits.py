# Sizes that nobody has: an error of the right kind, at once.

import collections
import math
import sys


def raises(kind, text, f):
    try:
        f()
    except kind as e:
        assert text is None or str(e) == text, (text, str(e))
    else:
        assert False, (kind, text)


HUGE = 10**15
for f in [
    lambda: bytes(HUGE),
    lambda: bytearray(HUGE),
    lambda: [0] * HUGE,
    lambda: (0,) * HUGE,
    lambda: "x" * HUGE,
    lambda: b"x" * HUGE,
    lambda: list(range(HUGE)),
    lambda: tuple(range(HUGE)),
    lambda: sorted(range(HUGE)),
    lambda: [1] * sys.maxsize,
    lambda: "%1000000000000000d" % 1,
    lambda: format(1, "1000000000000000"),
    lambda: f"{'a':1000000000000000}",
    lambda: "{0:{1}}".format(1, HUGE),
    lambda: "x".ljust(HUGE),
    lambda: "x".rjust(HUGE),
    lambda: "x".center(HUGE),
    lambda: "x".zfill(HUGE),
    lambda: b"x".ljust(HUGE),
    lambda: b"x".zfill(HUGE),
    lambda: (1).to_bytes(HUGE, "big"),
]:
    raises(MemoryError, None, f)

raises(OverflowError, "repeated string is too long", lambda: "xy" * sys.maxsize)
raises(OverflowError, "repeated bytes are too long", lambda: b"xy" * sys.maxsize)
raises(OverflowError, "Python int too large to convert to C int", lambda: "\t".expandtabs(HUGE))
raises(OverflowError, "Python int too large to convert to C int", lambda: sys.setrecursionlimit(10**30))
raises(OverflowError, "Python int too large to convert to C ssize_t", lambda: list(range(10**30)))
raises(OverflowError, None, lambda: [0] * 10**30)
raises(OverflowError, None, lambda: 1 << 10**30)
raises(OverflowError, None, lambda: math.factorial(10**30))
raises(OverflowError, None, lambda: len(range(10**30)))
raises(OverflowError, None, lambda: collections.deque(maxlen=10**30))
raises(OverflowError, None, lambda: 2.0**10000)
raises(OverflowError, None, lambda: float(10**400))
raises(OverflowError, None, lambda: int(float("inf")))
raises(IndexError, None, lambda: [1][10**30])
assert [1, 2][: 10**30] == [1, 2]
raises(ValueError, "width too big", lambda: "%99999999999999999999d" % 1)
raises(ValueError, "precision too big", lambda: "%.99999999999f" % 1.5)
raises(ValueError, "Too many decimal digits in format string", lambda: format(1, "99999999999999999999"))
raises(ValueError, "negative shift count", lambda: 1 << -1)
raises(ValueError, None, lambda: int("9" * 4301))
raises(ValueError, None, lambda: str(10**5000))
raises(ValueError, "maxdigits must be 0 or larger than 640", lambda: sys.set_int_max_str_digits(100))
assert len(f"{10**4299}") == 4300

# More digits than a float has.
assert f"{0.1:.70000f}" == f"{0.1:.1000f}" + "0" * 69000

# What says how long it is, is asked before it is gone through.
class Sized:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter([1, 2])

    def __len__(self):
        if self.n is None:
            raise KeyError
        return self.n


assert list(Sized(10)) == [1, 2]
raises(ValueError, "__len__() should return >= 0", lambda: list(Sized(-1)))
raises(KeyError, None, lambda: list(Sized(None)))

# Nesting of source text.
def refused(source, mode="eval"):
    try:
        compile(source, "<nested>", mode)
    except (SyntaxError, MemoryError, RecursionError):
        pass


for one, inner, end in [("(", "1", ")"), ("[", "", "]"), ("{", "", "}"), ("-", "1", ""), ("not ", "1", ""), ("~", "1", "")]:
    refused(one * 100_000 + inner + end * 100_000)
for source in ["lambda: " * 100_000 + "1", "x" + ".a" * 100_000, "x" + "()" * 100_000, "x" + "[0]" * 100_000]:
    refused(source)
for joint in ["+", "**", " and ", "<", " if x else "]:
    refused(joint.join(["x"] * 100_000))
refused("f'{" * 1000 + "1" + "}'" * 1000)
refused("if x: pass\n" + "elif x: pass\n" * 100_000, "exec")
refused("".join(" " * i + "if x:\n" for i in range(200)) + " " * 200 + "pass", "exec")
refused("x=" * 100_000 + "1", "exec")
