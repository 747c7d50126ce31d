"""Iterators over generators, for which generators stand in loops that are gone round often: what they give, raise and show
is what the iterators themselves do, and a switch in the generator is a soft one."""
import gc
import sys
import traceback
from itertools import chain, count, islice

import greenlet

try:
    from stackless import switch_counts
except ImportError:

    def switch_counts():
        return 0, 0


def numbers(n, log=None):
    for i in range(n):
        yield i
    if log is not None:
        log.append("end")


def all_of(iterator):
    found = []
    for x in iterator:
        found.append(x)
    return found


class Countdown:
    """An iterator in Python."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        return self.n


def every_way(make, expected):
    for _ in range(12):
        assert all_of(make()) == expected, (expected, all_of(make()))
        assert [x for x in make()] == expected
        assert list(make()) == expected and tuple(make()) == tuple(expected)
        it = make()
        assert iter(it) is it and it.__iter__() is it
        if expected:
            # A loop that is left, and `next()`, in any order.
            assert next(it) == expected[0]
            left = []
            for x in it:
                left.append(x)
                break
            for x in it:
                left.append(x)
                if len(left) == 3:
                    break
            assert left == expected[1:4], (left, expected)
            assert list(it) == expected[4:]
        for x in it:
            raise AssertionError


every_way(lambda: enumerate(numbers(6)), list(enumerate(range(6))))
every_way(lambda: enumerate(numbers(6), 10), list(enumerate(range(6), 10)))
every_way(lambda: enumerate(numbers(3), 2**61 - 2), [(2**61 - 2 + i, i) for i in range(3)])
every_way(lambda: enumerate(numbers(3), 2**70), [(2**70 + i, i) for i in range(3)])
every_way(lambda: enumerate(numbers(0)), [])
every_way(lambda: zip(numbers(5), numbers(7)), [(i, i) for i in range(5)])
every_way(lambda: zip(*[numbers(10)] * 2), [(i, i + 1) for i in range(0, 10, 2)])
every_way(lambda: zip(*[numbers(12)] * 3), [(i, i + 1, i + 2) for i in range(0, 12, 3)])
every_way(lambda: zip("abcdef", numbers(5)), list(zip("abcdef", range(5))))
every_way(lambda: zip(numbers(5), [1, 2, 3]), [(0, 1), (1, 2), (2, 3)])
every_way(lambda: zip(range(5), count(), numbers(5)), [(i, i, i) for i in range(5)])
every_way(lambda: zip(numbers(5), numbers(4), numbers(6), numbers(6)), [(i, i, i, i) for i in range(4)])
every_way(lambda: zip(numbers(4), Countdown(4)), [(0, 3), (1, 2), (2, 1), (3, 0)])
every_way(lambda: map(str, numbers(5)), list("01234"))
every_way(lambda: map(lambda x: x * 2, numbers(5)), [0, 2, 4, 6, 8])
every_way(lambda: map(lambda x, y: x + y, numbers(5), numbers(5)), [0, 2, 4, 6, 8])
every_way(lambda: filter(None, numbers(6)), [1, 2, 3, 4, 5])
every_way(lambda: filter(bool, numbers(6)), [1, 2, 3, 4, 5])
every_way(lambda: filter(lambda x: x % 2, numbers(6)), [1, 3, 5])
every_way(lambda: islice(numbers(9), 5), [0, 1, 2, 3, 4])
every_way(lambda: islice(numbers(9), 2, 8, 2), [2, 4, 6])
every_way(lambda: islice(numbers(9), 3, None), [3, 4, 5, 6, 7, 8])
every_way(lambda: islice(numbers(2), 5, 9), [])
every_way(lambda: chain(numbers(2), [5], numbers(3)), [0, 1, 5, 0, 1, 2])
every_way(lambda: chain.from_iterable(numbers(i) for i in range(4)), [0, 0, 1, 0, 1, 2])
every_way(lambda: enumerate(zip(numbers(3), map(str, numbers(3)))), [(0, (0, "0")), (1, (1, "1")), (2, (2, "2"))])
every_way(lambda: enumerate(enumerate(filter(None, islice(numbers(9), 5)))), [(i, (i, i + 1)) for i in range(4)])
for _ in range(10):
    assert dict(zip(numbers(3), map(str, numbers(3)))) == {0: "0", 1: "1", 2: "2"}
    assert sum(map(abs, numbers(4))) == 6 and max(i for _, i in enumerate(numbers(4))) == 3
    assert "".join(map(str, numbers(4))) == "0123" and sorted(zip(numbers(2), "ab"), reverse=True) == [(1, "b"), (0, "a")]

# How far the items are taken that are not given.
for _ in range(10):
    g, h = numbers(3), numbers(9)
    assert all_of(zip(h, g)) == [(0, 0), (1, 1), (2, 2)] and next(h) == 4
    g = numbers(9)
    assert all_of(islice(g, 0, 5, 3)) == [0, 3] and next(g) == 5
    log = []
    assert all_of(islice(numbers(3, log), 3)) == [0, 1, 2] and log == []
    g = numbers(4)
    e = enumerate(g)
    assert next(g) == 0
    for x in e:
        assert x == (0, 1)
        break
    assert next(g) == 2 and next(e) == (1, 3)

# Zips that are strict.
for _ in range(10):
    for rows, text in (
        ((numbers(2), numbers(3)), "zip() argument 2 is longer than argument 1"),
        ((numbers(3), numbers(2)), "zip() argument 2 is shorter than argument 1"),
        ((numbers(3), [1, 2, 3], numbers(2)), "zip() argument 3 is shorter than arguments 1-2"),
        (([1], numbers(1), [1, 2]), "zip() argument 3 is longer than arguments 1-2"),
    ):
        given = []
        try:
            for x in zip(*rows, strict=True):
                given.append(x)
        except ValueError as e:
            assert str(e) == text, e
        else:
            raise AssertionError
    assert all_of(zip(numbers(2), numbers(2), strict=True)) == [(0, 0), (1, 1)]


# What is raised, where that is seen to come from, and what is left.
def failing(n):
    for i in range(n):
        yield i
    raise KeyError(n)


def stops(x):
    if x == 2:
        raise StopIteration
    return x


for _ in range(10):
    for make in (
        lambda: enumerate(failing(2)),
        lambda: zip(failing(2), numbers(5)),
        lambda: zip(numbers(5), failing(2)),
        lambda: map(str, failing(2)),
        lambda: filter(str, failing(2)),
        lambda: islice(failing(2), 9),
        lambda: chain(failing(2), numbers(5)),
    ):
        it = make()
        given = 0
        try:
            for x in it:
                given += 1
        except KeyError as e:
            assert [f.name for f in traceback.extract_tb(e.__traceback__)] == ["<module>", "failing"]
            assert e.__context__ is None
        else:
            raise AssertionError
        assert given == 2
    it = map(int, iter(x for x in ["1", "x", "3"]))
    given = []
    try:
        for x in it:
            given.append(x)
    except ValueError as e:
        assert [f.name for f in traceback.extract_tb(e.__traceback__)] == ["<module>"]
    assert given == [1] and list(it) == [3]
    assert all_of(map(stops, numbers(5))) == [0, 1] and all_of(filter(lambda x: stops(x) or True, numbers(5))) == [0, 1]


# Nobody sees their frames, and a generator that asks for itself is told so.
def looks():
    yield sys._getframe(1).f_code.co_name
    yield [f.name for f in traceback.extract_stack()][-2:]


def looked():
    for i, x in enumerate(looks()):
        yield x


for _ in range(10):
    assert list(looked()) == ["looked", ["looked", "looks"]]


def asks():
    yield 1
    yield next(own)


for _ in range(10):
    own = enumerate(asks())
    try:
        for x in own:
            pass
    except ValueError as e:
        assert str(e) == "generator already executing"
    else:
        raise AssertionError


# What is left in the middle is closed when it goes.
def closes(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


for _ in range(10):
    log = []
    for x in map(str, closes(log)):
        break
    for x in zip(closes(log), range(5)):
        break
    x = None
    gc.collect()
    assert log == ["closed", "closed"], log


# Traced from the middle on.
def traced(log):
    for i, x in enumerate(numbers(4)):
        if i == 1:
            sys.settrace(lambda frame, event, arg: log.append(frame.f_code.co_name))
        if i == 3:
            sys.settrace(None)


for _ in range(10):
    log = []
    traced(log)
    assert set(log) <= {"numbers"}, log

# Switches in them are soft.
main = greenlet.getcurrent()


def switching(n):
    for i in range(n):
        yield main.switch(i)


def body(make):
    return lambda: all_of(make(switching(4)))


for make in (
    enumerate,
    lambda g: zip(g, numbers(9)),
    lambda g: zip("abcd", g),
    lambda g: map(lambda x: x, g),
    lambda g: map(str, g),
    lambda g: filter(None, g),
    lambda g: islice(g, 3),
    lambda g: chain(numbers(1), g),
):
    for k in range(8):
        before = switch_counts()[1]
        g = greenlet.greenlet(body(make))
        v = g.switch()
        while not g.dead:
            v = g.switch(v)
        hard = switch_counts()[1] - before
    assert hard == 0, (make, hard)


# A long loop that is the first one over its generator: it changes under way.
def other_numbers(n):
    for i in range(n):
        yield i


def long_loop(n):
    total = 0
    for i, (a, b) in enumerate(zip(other_numbers(n), map(abs, other_numbers(n)))):
        total += i + a + b
    return total


def long_slice(n):
    total = 0
    for x in islice(other_numbers(n), 0, n, 2):
        total += x
    return total


assert long_loop(4000) == 3 * sum(range(4000))
assert long_slice(8000) == sum(range(0, 8000, 2))
print("ok")
