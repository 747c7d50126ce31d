"""`__del__` of classes over builtin types runs, and once."""
import gc
import io
import itertools
import weakref
from array import array
from collections import OrderedDict, deque

BASES = [object, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, Exception, deque, OrderedDict,
         io.BytesIO, io.StringIO]
seen = []


def drop(base, args=()):
    class Ends(base):
        def __del__(self):
            seen.append(base)

    Ends(*args)


for base in BASES:
    drop(base)
drop(array, ("b",))
drop(type("Slotted", (list,), {"__slots__": ()}))
for _ in range(4):
    gc.collect()
counts = {base: seen.count(base) for base in BASES}
assert set(counts.values()) == {1}, counts
assert array in seen and len(seen) == len(BASES) + 2


def after_iterating(make):
    """An iterator at its end lets go of what it went over."""
    done = []

    class Ends(make):
        def __del__(self):
            done.append(next(it, None))

    it = iter(Ends())
    assert next(it, None) is None
    for _ in range(3):
        gc.collect()
    return done


for base in (str, bytes, bytearray, list, tuple, dict, set):
    assert after_iterating(base) == [None], base


# A tee that is asked while it asks.
class Again:
    def __iter__(self):
        return self

    def __next__(self):
        return next(second)


first, second = itertools.tee(Again())
try:
    next(first)
except RuntimeError as e:
    assert "tee" in str(e)
else:
    raise AssertionError("no error")
assert weakref.ref(first)() is first
