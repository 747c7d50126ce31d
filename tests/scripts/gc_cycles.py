# Python 3.14
# What gc.collect() counts, saves, finalizes, freezes and tells of.
import gc
import subprocess
import sys
import weakref


class Node:
    pass


class Loop:
    def __init__(self):
        self.me = self


def found_after(make):
    gc.collect()
    make()
    return gc.collect()


def a_list():
    row = []
    row.append(row)


def a_dict():
    d = {}
    d[1] = d


def a_pair():
    row = []
    row.append((row,))


def two_nodes():
    a, b = Node(), Node()
    a.other, b.other = b, a


def no_cycle():
    a = Node()
    a.items = [[1], (2, [3])]


def a_class():
    class Local:
        pass

    Local.me = Local


# Objects of cycles count, and what they lead to; what reference counts would have freed does not.
assert found_after(a_list) == 1
assert found_after(a_dict) == 1
assert found_after(a_pair) == 2
assert found_after(two_nodes) == 2
assert found_after(no_cycle) == 0
assert found_after(a_class) > 0
for _ in range(3):
    gc.collect()
assert gc.collect() == 0

before = gc.get_stats()[2]["collected"]
assert found_after(a_list) == 1
assert gc.get_stats()[2]["collected"] == before + 1

# What is resurrected was not collected, and does not keep the rest.
kept = []


class Lazarus(Loop):
    def __del__(self):
        kept.append(self)


def both():
    Loop()
    Lazarus()


assert not gc.is_finalized(kept) and not gc.is_finalized(3)
assert found_after(both) == 1
assert len(kept) == 1 and gc.is_finalized(kept[0])
kept.clear()
assert gc.collect() == 1, "it is finalized only once"
assert kept == []

# What a finalizer lets go is gone when collect() returns.
target = weakref.ref(found := Node())


class Holder:
    def __init__(self, value):
        self.value = value

    def __del__(self):
        pass


holder = Holder(found)
del found, holder
gc.collect()
assert target() is None

# DEBUG_SAVEALL: cycles live on in gc.garbage.
gc.collect()
assert gc.garbage == []
gc.set_debug(gc.DEBUG_SAVEALL)
a_list()
gc.collect()
gc.set_debug(0)
(saved,) = gc.garbage
assert saved[0] is saved
gc.garbage.clear()
del saved
assert gc.collect() == 1

# Frozen objects stay, and are not shown.
marker = Loop()
watched = weakref.ref(marker)
gc.freeze()
assert gc.get_freeze_count() > 100
assert not any(o is marker for o in gc.get_objects())
del marker
gc.collect()
assert watched() is not None
gc.unfreeze()
assert gc.get_freeze_count() == 0
gc.collect()
assert watched() is None

# Counts.
gc.collect()
gc.disable()
first = gc.get_count()
rows = [[] for _ in range(100)]
second = gc.get_count()
# Unless it is collected all the time.
if "skein-gc-stress" not in sys._xoptions:
    assert first[1:] == second[1:] == (0, 0) and second[0] > first[0]
    gc.collect(0)
    assert gc.get_count()[1] == 1
    gc.collect(1)
    assert gc.get_count()[1:] == (0, 1)
gc.enable()

# A low threshold asks for collections.
happened = []
gc.set_threshold(100, 0, 0)


def watch():
    return weakref.ref(Loop(), lambda _: happened.append(1))


# A stale word may keep one of them.
probes = [watch() for _ in range(10)]
junk = []
for _ in range(20000):
    junk.append([])
    if happened:
        break
gc.set_threshold(2000, 10, 0)
assert happened

# The variable of a comprehension does not keep its last value.
def comprehension():
    nodes = [Node() for _ in range(3)]
    refs = [weakref.ref(node) for node in nodes]
    del nodes
    gc.collect()
    return [ref() for ref in refs]


assert comprehension() == [None] * 3

told = []
gc.callbacks.append(lambda phase, info: told.append((phase, info["collected"])))
a_pair()
gc.collect()
gc.callbacks.clear()
assert told[-2:] == [("start", 0), ("stop", 2)], told

out = subprocess.run(
    [sys.executable, "-c", "import gc; gc.set_debug(gc.DEBUG_STATS); gc.collect(); gc.set_debug(0)"],
    capture_output=True,
    text=True,
)
assert "gc: collecting generation 2..." in out.stderr, out.stderr
assert "unreachable, 0 uncollectable" in out.stderr, out.stderr
