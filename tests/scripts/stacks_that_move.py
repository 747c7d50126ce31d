"""Microthreads whose stacks cross the end of their memory again and again: their frames are moved, and everything still finds them."""
import gc
import sys
import traceback

import greenlet
import stackless


def deep(n, f):
    a, b, c, d = n, n + 1, n + 2, n + 3
    r = deep(n - 1, f) if n else f()
    assert (a, b, c, d) == (n, n + 1, n + 2, n + 3)
    return r


main = greenlet.getcurrent()


def back():
    return main.switch(sys._getframe())


def body(depth, rounds):
    kept = []
    for i in range(rounds):
        here = sys._getframe()
        kept.append(here)
        got = deep(depth, back)
        assert got == i, (got, i)
        assert kept[0] is here and here.f_locals["i"] == i and here.f_code is body.__code__
        del kept[1:]
    return "done"


for depth in (0, 1, 2, 3, 5, 8, 13, 40):
    g = greenlet.greenlet(body)
    frame = g.switch(depth, 60)
    for i in range(60):
        # The frames of one that waits, by objects that were made before and behind moves.
        names = []
        f = frame
        while f is not None:
            names.append(f.f_code.co_name)
            f = f.f_back
        assert names[0] == "back" and names[1:depth + 2] == ["deep"] * (depth + 1), names
        assert names[depth + 2] == "body", names
        assert g.gr_frame is frame
        frame = g.switch(i)
    assert frame == "done" and g.dead


# A frame that is left behind keeps its variables.
def leaf(x):
    return sys._getframe(), main.switch(x)


def leaves(n):
    frames = []
    for i in range(n):
        frame, got = deep(3, lambda: leaf(i))
        frames.append(frame)
    return frames


g = greenlet.greenlet(leaves)
g.switch(50)
for i in range(49):
    assert g.switch("x") == i + 1
frames = g.switch("x")
assert [f.f_locals["x"] for f in frames] == list(range(50)) and frames[0].f_code is leaf.__code__


# Generators, exceptions and their tracebacks.
def numbers(n):
    for i in range(n):
        yield deep(2, lambda: main.switch(i))


def failing(i):
    main.switch("before")
    raise ValueError(i)


def walk(n):
    seen = []
    for i, v in enumerate(numbers(n)):
        assert v == i
        try:
            deep(4, lambda: failing(i))
        except ValueError as e:
            names = [f.name for f in traceback.extract_tb(e.__traceback__)]
            assert names == ["walk"] + ["deep"] * 5 + ["<lambda>", "failing"], names
            seen.append(e.args[0])
    return seen


g = greenlet.greenlet(walk)
assert g.switch(40) == 0
for i in range(40):
    assert g.switch(i) == "before"
    r = g.switch(None)
    assert r == (i + 1 if i < 39 else list(range(40))), r

# An exception thrown into one.
g = greenlet.greenlet(body)
g.switch(6, 1000)
for i in range(40):
    g.switch(i)
try:
    g.throw(KeyError, "thrown")
except KeyError as e:
    assert [f.name for f in traceback.extract_tb(e.__traceback__)][-2:] == ["deep", "back"]
assert g.dead

# Tasklets and channels, with a collection at any time; a limit of recursion holds as before.
channel = stackless.channel()


def consumer(n):
    total = 0
    for i in range(n):
        total += deep(i % 7, channel.receive)
        if i % 16 == 0:
            gc.collect()
    totals.append(total)


def producer(n):
    for i in range(n):
        deep(i % 5, lambda: channel.send(i))


totals = []
for _ in range(3):
    stackless.tasklet(consumer)(100)
    stackless.tasklet(producer)(100)
stackless.run()
assert sum(totals) == 3 * sum(range(100)), totals


def endless():
    return endless() + 1


def overflow():
    for i in range(30):
        deep(5, lambda: main.switch(i))
    try:
        endless()
    except RecursionError:
        return "limited"


g = greenlet.greenlet(overflow)
r = g.switch()
while r != "limited":
    r = g.switch()

# Very many: the memory of each stays small.
many = [greenlet.greenlet(lambda: [deep(2, lambda: main.switch(1)) for _ in range(20)]) for _ in range(2000)]
for _ in range(20):
    assert all(g.switch() == 1 for g in many)
assert all(g.switch() == [()] * 20 for g in many)
