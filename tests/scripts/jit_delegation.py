"""Delegations in loops that become machine code: `yield from` and `await` of what the trace goes into."""

import gc
import sys
import warnings
import weakref

ROUNDS = 400


# ---- iterators of builtin types


def over_range(n):
    yield from range(n)


def over_list(items):
    got = yield from items
    assert got is None
    yield "end"


def total():
    s = 0
    for i in range(ROUNDS):
        for x in over_range(3):
            s += x
        for x in over_list([1, 2]):
            s += 1 if x == "end" else x
    return s


assert total() == ROUNDS * (3 + 4), total()


def pairs(a, b):
    yield from zip(a, b)
    yield from enumerate(a)


found = []
for i in range(ROUNDS):
    found = [p for p in pairs([i, 2], (3, 4))]
assert found == [(ROUNDS - 1, 3), (2, 4), (0, ROUNDS - 1), (1, 2)], found


# An iterator of another type later, and a generator: what was recorded is no longer so.
def by(make):
    s = 0
    for i in range(ROUNDS):
        for x in delegate(make(i)):
            s += x
    return s


def delegate(it):
    yield from it


def gen(n):
    for i in range(n):
        yield i


assert by(lambda i: [1, 2, 3]) == 6 * ROUNDS
assert by(lambda i: (1, 2, 3)) == 6 * ROUNDS
assert by(lambda i: gen(4)) == 6 * ROUNDS
assert by(lambda i: {1: 0, 2: 0, 3: 0}) == 6 * ROUNDS
assert by(lambda i: iter([1, 2, 3] if i % 2 else (5, 1))) == 6 * ROUNDS


# One iterator over which several delegations go.
def shared(n):
    it = iter(range(n))
    first = delegate(it)
    second = delegate(it)
    out = []
    for x in first:
        out.append(x)
        if x % 5 == 4:
            for y in second:
                out.append(-y)
                if y % 3 == 0:
                    break
    return out


def shared_plainly(n):
    out, at = [], 0
    while at < n:
        x = at
        at += 1
        out.append(x)
        if x % 5 == 4:
            while at < n:
                y = at
                at += 1
                out.append(-y)
                if y % 3 == 0:
                    break
    return out


assert shared(2000) == shared_plainly(2000)


# ---- generators below generators


class Node:
    def __init__(self, left, right, value):
        self.left, self.right, self.value = left, right, value

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def tree(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Node(tree(low, middle), tree(middle + 1, high), middle)


t = tree(0, 300)
for i in range(8):
    assert [x for x in t] == list(range(300))


def results(n):
    got = []
    for i in range(n):
        got.append((yield from inner(i)))
    return got


def inner(i):
    x = yield i
    y = yield x
    return (x, y, i)


def drive(n):
    g = results(n)
    asked = next(g)
    steps = 0
    try:
        while True:
            steps += 1
            asked = g.send(steps)
    except StopIteration as stop:
        return stop.value


got = drive(ROUNDS)
assert got == [(2 * i + 1, 2 * i + 2, i) for i in range(ROUNDS)], got[:3]


# ---- coroutines


async def plain(x):
    return x + 1


async def deep(n):
    return n if n == 0 else 1 + await deep(n - 1)


async def caught(x):
    try:
        if x % 7 == 0:
            raise ValueError(x)
        return await plain(x)
    except ValueError as e:
        return -e.args[0]
    finally:
        done.append(x)


class Suspends:
    def __await__(self):
        got = yield "wait"
        return got


async def waits(x):
    return x + await Suspends() if x % 10 == 0 else x


async def all_of(n):
    s = 0
    for i in range(n):
        s += await plain(i)
        s += await deep(3)
        s += await caught(i)
        s += await waits(i)
    return s


def run(coroutine, answer):
    asked = 0
    try:
        got = coroutine.send(None)
        while True:
            assert got == "wait", got
            asked += 1
            got = coroutine.send(answer)
    except StopIteration as stop:
        return stop.value, asked


done = []
want = sum((i + 1) + 3 + (-i if i % 7 == 0 else i + 1) + (i + (5 if i % 10 == 0 else 0)) for i in range(ROUNDS))
assert run(all_of(ROUNDS), 5) == (want, ROUNDS // 10)
assert done == list(range(ROUNDS))


async def fails(n):
    count = 0
    for i in range(n):
        try:
            await raises(i)
        except KeyError as e:
            count += e.args[0]
    return count


async def raises(i):
    if i % 3 == 0:
        raise KeyError(i)


assert run(fails(ROUNDS), None) == (sum(range(0, ROUNDS, 3)), 0)


# One that is awaited twice.
async def twice(n):
    errors = 0
    for i in range(n):
        c = plain(i)
        await c
        try:
            await c
        except RuntimeError as e:
            assert str(e) == "cannot reuse already awaited coroutine", e
            errors += 1
    return errors


assert run(twice(ROUNDS), None) == (ROUNDS, 0)


# One that escapes while it runs, and one that is never awaited.
seen = []


async def escapes(i):
    seen.append(sys._getframe().f_code.co_name)
    return i


async def keeps(n):
    s = 0
    for i in range(n):
        s += await escapes(i)
    return s


assert run(keeps(ROUNDS), None)[0] == sum(range(ROUNDS))
assert seen == ["escapes"] * ROUNDS


def forgets(n):
    for i in range(n):
        plain(i)


with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    forgets(50)
    gc.collect()
assert told and "was never awaited" in str(told[0].message), told


# ---- what is dropped in a `try` or `with` is closed


closed = []


def closing(i):
    try:
        yield i
        yield i + 1
    finally:
        closed.append(i)


def drops(n):
    s = 0
    for i in range(n):
        for x in closing(i):
            s += x
            if i % 2:
                break
    return s


drops(ROUNDS)
gc.collect()
assert sorted(closed) == list(range(ROUNDS)), len(closed)


def delegates_to_closing(i):
    yield from closing(i)


def drops_both(n):
    for i in range(n):
        for x in delegates_to_closing(i):
            break


closed.clear()
drops_both(ROUNDS)
gc.collect()
assert sorted(closed) == list(range(ROUNDS)), len(closed)


class Held:
    pass


def holds(h):
    yield from [h]
    yield 2


def let_go(n):
    for i in range(n):
        h = Held()
        for x in holds(h):
            break
    return weakref.ref(h)


ref = let_go(ROUNDS)
gc.collect()
assert ref() is None


# ---- throw and close into delegations of traced loops


def thrower(n):
    out = []
    for i in range(n):
        g = delegate(closing(i))
        next(g)
        if i % 4 == 0:
            try:
                g.throw(LookupError(i))
            except LookupError as e:
                out.append(e.args[0])
        elif i % 4 == 1:
            g.close()
        else:
            next(g)
            assert next(g, "over") == "over"
    return out


closed.clear()
assert thrower(ROUNDS) == list(range(0, ROUNDS, 4))
assert closed == list(range(ROUNDS)), closed[:10]
