"""Loops over `map` of Python functions, iterators in Python, and cached functions: in the loop, and in traces."""

import functools
import itertools


def squares(n):
    return [x for x in map(lambda v: v * v, range(n))]


assert squares(500) == [i * i for i in range(500)]


# Several iterators, the shortest ends it.
def sums(n):
    out = []
    for s in map(lambda a, b, c: a + b + c, range(n), [10] * (n - 3), itertools.count()):
        out.append(s)
    return out


for n in (3, 4, 50, 400):
    assert sums(n) == [2 * i + 10 for i in range(n - 3)], n


def pairs(n):
    total = 0
    for i, (a, b) in enumerate(map(lambda a, b: (a, b), range(n), range(n, 0, -1))):
        total += i * a - b
    return total


assert pairs(300) == sum(i * i - (300 - i) for i in range(300))


# One iterator twice.
def doubled(n):
    it = iter(range(n))
    return [x for x in map(lambda a, b: a - b, it, it)]


assert doubled(400) == [-1] * 200


# An exception leaves the iterator as it is; StopIteration ends the loop.
class Odd(Exception):
    pass


def picky(v):
    if v % 7 == 3:
        raise Odd(v)
    return v


def passed(n):
    it, seen, missed = map(picky, range(n)), [], []
    while True:
        try:
            for v in it:
                seen.append(v)
            return seen, missed
        except Odd as e:
            missed.append(e.args[0])


seen, missed = passed(300)
assert missed == [i for i in range(300) if i % 7 == 3]
assert seen == [i for i in range(300) if i % 7 != 3]


def ending(v):
    if v == 90:
        raise StopIteration
    return v


for _ in range(5):
    assert [v for v in map(ending, range(1000))] == list(range(90))
    assert list(map(ending, range(1000))) == list(range(90))

it = map(ending, [90, 91])
try:
    next(it)
except StopIteration:
    pass
else:
    raise AssertionError("it does not end")
assert next(it) == 91
try:
    it.__next__()
except StopIteration as e:
    assert e.value is None
else:
    raise AssertionError("it has another item")
assert next(it, "none") == "none"
try:
    map.__next__()
except TypeError:
    pass
else:
    raise AssertionError("without an iterator")
try:
    map.__next__(7)
except TypeError:
    pass
else:
    raise AssertionError("of an int")


def strict(n, m):
    return [v for v in map(lambda a, b: a, range(n), range(m), strict=True)]


assert len(strict(200, 200)) == 200
for n, m in ((200, 201), (201, 200)):
    try:
        strict(n, m)
    except ValueError as e:
        assert str(e).startswith("map() argument 2 is %s than argument 1" % ("longer" if m > n else "shorter")), e
    else:
        raise AssertionError((n, m))


# Other functions and other iterators come by at the same place.
def mixed(rounds):
    functions = [lambda v: v + 1, str, lambda v: [v], abs, functools.partial(max, 3)]
    sources = [range(9), [1, 2, 3], (4, 5), {6: 7}, iter("89"), map(int, "12")]
    out = []
    for i in range(rounds):
        f, source = functions[i % 5], sources[i % 4]
        for v in map(f, source):
            out.append(v)
    return out


assert mixed(100) == sum(([[v + 1 for v in s], [str(v) for v in s], [[v] for v in s], [abs(v) for v in s],
                           [max(3, v) for v in s]][i % 5] for i in range(100)
                          for s in [[list(range(9)), [1, 2, 3], [4, 5], [6]][i % 4]]), [])


class Doubling(map):
    def __next__(self):
        return 2 * super().__next__()


assert [v for v in Doubling(lambda v: v + 1, range(200))] == [2 * i + 2 for i in range(200)]


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


def walked(n):
    total = 0
    for v in Countdown(n):
        total = 3 * total + v & 0xFFFF
    return total


def reference(n):
    total = 0
    for v in range(n - 1, -1, -1):
        total = 3 * total + v & 0xFFFF
    return total


for n in (0, 1, 100, 1000):
    assert walked(n) == reference(n), n
Countdown.__next__ = lambda self: next(iter(()))
assert walked(100) == 0


# Builtins that go over a map of a Python function.
def consumed(n):
    f = lambda v: v ^ 5
    kinds = (list, tuple, set, sum, max, min, sorted, any, all)
    return [kind(map(f, range(1, n))) for kind in kinds]


for _ in range(20):
    got = consumed(100)
    row = [v ^ 5 for v in range(1, 100)]
    assert got == [row, tuple(row), set(row), sum(row), max(row), min(row), sorted(row), any(row), all(row)]
    assert "".join(map(lambda v: chr(97 + v % 3), range(30))) == "abc" * 10
# And those that go over a filter.
def kept(n):
    f = lambda v: v % 3
    return list(filter(f, range(n))), sum(filter(f, range(n))), max(filter(f, range(n)))


for _ in range(20):
    row = [v for v in range(100) if v % 3]
    assert kept(100) == (row, sum(row), max(row))
    assert list(filter(ending, range(1, 1000))) == list(range(1, 90))
    some = filter(lambda v: v & 1, range(9))
    assert next(some) == 1 and list(some) == [3, 5, 7] and list(some) == []
for _ in range(20):
    some = filter(picky, range(1, 9))
    try:
        list(some)
    except Odd:
        assert list(some) == [4, 5, 6, 7, 8]
    else:
        raise AssertionError("nothing was raised")
for _ in range(20):
    try:
        list(map(lambda v: v.nothing, range(3)))
    except AttributeError as e:
        assert str(e) == "'int' object has no attribute 'nothing'"
    else:
        raise AssertionError("an attribute of nothing")


# Cached functions.
@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


assert fib(120) == 5358359254990966640871840
assert fib.cache_info()[:2] == (118, 121), fib.cache_info()


@functools.lru_cache(maxsize=3)
def few(a, *, b=0):
    return [a, b]


def turns(n):
    kept = [few(i % 4) for i in range(n)]
    return [few(1, b=i % 2) for i in range(n)] + kept


turns(100)
assert few.cache_info() == (98, 102, 3, 3), few.cache_info()
assert few(1, b=1) is few(1, b=1)


@functools.lru_cache
def failing(v):
    raise Odd(v)


for i in range(3):
    try:
        failing(1)
    except Odd as e:
        assert e.args == (1,)
assert failing.cache_info()[:2] == (0, 3)


@functools.lru_cache(maxsize=0)
def uncached(v):
    return [v]


assert uncached(1) is not uncached(1) and uncached.cache_info()[:2] == (0, 2)
