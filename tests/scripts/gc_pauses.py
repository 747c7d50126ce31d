"""Major collections in slices: what is live stays, what is dead goes, finalizers and weak references keep their order."""
import gc
import sys
import weakref


class Node:
    __slots__ = ("value", "next", "__weakref__")

    def __init__(self, value, next):
        self.value, self.next = value, next


class Told:
    count = 0

    def __init__(self, held):
        self.held = held

    def __del__(self):
        # What it leads to is intact.
        assert self.held.value == "held", self.held
        Told.count += 1


def chain(length):
    first = None
    for i in range(length):
        first = Node(i, first)
    return first


# Old structures are rewired all the time, while objects come and go: each step takes some of one chain
# and puts it into another.
table = [chain(20) for _ in range(200)]
refs = {}
for turn in range(6000):
    at = turn * 7919 % len(table)
    other = turn * 104729 % len(table)
    a, b = table[at], table[other]
    if at != other and a is not None and a.next is not None:
        table[at] = a.next
        a.next = b
        table[other] = a
    if turn % 3 == 0:
        table[turn % len(table)] = chain(turn % 37)
    if turn % 50 == 0:
        refs[turn] = weakref.ref(table[other]) if table[other] is not None else None
total = 0
for node in table:
    while node is not None:
        assert type(node.value) is int and 0 <= node.value < 37
        total += 1
        node = node.next
assert total > 1000
alive = set()
for node in table:
    while node is not None:
        alive.add(id(node))
        node = node.next
for r in refs.values():
    target = r and r()
    if target is not None:
        assert type(target) is Node

# Objects with finalizers die in old structures.
made = 0
holder = [None] * 50
for turn in range(3000):
    holder[turn % 50] = Told(Node("held", None))
    made += 1
    [Node(turn, None) for _ in range(20)]
holder = None
gc.collect()
gc.collect()
assert Told.count == made, (Told.count, made)

# A weak reference to what lives on is never cleared; one to what is dead is after gc.collect().
kept = [Node(i, None) for i in range(500)]
weak = [weakref.ref(n) for n in kept]
for turn in range(2000):
    kept[turn % 500] = kept[(turn * 31) % 500]
    [Node(turn, None) for _ in range(10)]
ids = {id(n) for n in kept}
for r in weak:
    if r() is not None:
        ids.discard(id(r()))
assert not ids
del r
kept = None
gc.collect()
# A stale word of the native stack may keep one or another.
assert len([r for r in weak if r() is not None]) <= 2

# Callbacks.
seen = []
gc.callbacks.append(lambda phase, info: seen.append((phase, info)))
gc.collect()
gc.collect(0)
asked = [(p, i["generation"]) for p, i in seen if p in ("start", "stop")]
for wanted in (("start", 2), ("stop", 2), ("start", 0), ("stop", 0)):
    assert wanted in asked, asked
assert asked.index(("start", 2)) < asked.index(("stop", 2))
for phase, info in seen:
    assert {"generation", "collected", "uncollectable"} <= set(info), info
    assert all(type(info[k]) is int for k in ("generation", "collected", "uncollectable"))


def removes_itself(phase, info):
    gc.callbacks.remove(removes_itself)


gc.callbacks[:] = [removes_itself]
gc.collect()
assert gc.callbacks == []


def fails(phase, info):
    raise ValueError(phase)


errors = []
hook = sys.unraisablehook
sys.unraisablehook = lambda u: errors.append((u.exc_type, str(u.exc_value), u.err_msg[:45]))
gc.callbacks.append(fails)
gc.collect()
gc.callbacks.clear()
sys.unraisablehook = hook
what = "Exception ignored while calling GC callback <"
assert errors[-2:] == [(ValueError, "start", what), (ValueError, "stop", what)], errors

stats = gc.get_stats()
assert len(stats) == 3
for row in stats:
    assert {"collections", "collected", "uncollectable"} <= set(row)
before = stats[2]["collections"]
gc.collect()
assert gc.get_stats()[2]["collections"] == before + 1
