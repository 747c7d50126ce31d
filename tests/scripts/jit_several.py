# Loops over enumerate and zip, and tuples that are taken apart at once.


def numbers(row, start=0):
    total = 0
    for i, x in enumerate(row, start):
        total += i * x
    return total


for n in (0, 1, 2, 50, 500):
    row = list(range(n))
    assert numbers(row) == sum(i * i for i in range(n))
    assert numbers(tuple(row), 3) == sum((i + 3) * i for i in range(n))
    assert numbers(range(n), -5) == sum((i - 5) * i for i in range(n))
# Counts that do not stay small.
for start in (2**60 - 3, 2**61 - 3, 2**62 - 3, 2**63 - 3, 2**70, -(2**70)):
    assert numbers([1] * 40, start) == sum(range(start, start + 40)), start


def dot(a, b):
    total = 0
    for x, y in zip(a, b):
        total += x * y
    return total


for n in (0, 1, 7, 300):
    a, b = list(range(n)), [i * 0.5 for i in range(n)]
    want = sum(i * 0.5 * i for i in range(n))
    assert dot(a, b) == want and dot(tuple(a), b) == want and dot(range(n), tuple(b)) == want
    assert dot(a, b + [9] * 20) == want and dot(a + [9] * 20, b) == want
    it = iter(a + [7, 8, 9])
    assert dot(it, b) == want
    # What the first gave while the second had ended is lost.
    assert list(it) == [8, 9]
    it = iter(b + [7, 8, 9])
    assert dot(a, it) == want and list(it) == [7, 8, 9]


def pairs(it):
    out = []
    for a, b in zip(it, it):
        out.append((a, b))
    return out


for n in (0, 1, 9, 100):
    want = [(i, i + 1) for i in range(0, n - 1, 2)]
    assert pairs(iter(list(range(n)))) == want and pairs(iter(range(n))) == want
    assert pairs(enumerate("x" * n)) == [((i, "x"), (i + 1, "x")) for i in range(0, n - 1, 2)]


def loop(make):
    out = []
    for v in make():
        out.append(v)
    return out


def shared(n):
    rows = list(range(n))

    def make():
        it = iter(rows)
        return zip(enumerate(it), it)

    return loop(make)


for n in (5, 80):
    assert shared(n) == [((i, 2 * i), 2 * i + 1) for i in range(n // 2)]
for n in (5, 80):
    rows = [str(i) for i in range(n)]
    assert loop(lambda: enumerate(zip(rows, rows[1:], range(n)))) == [
        (i, (rows[i], rows[i + 1], i)) for i in range(n - 1)]
    assert loop(lambda: zip(enumerate(rows), enumerate(rows, 1))) == [
        ((i, rows[i]), (i + 1, rows[i])) for i in range(n)]
    assert loop(lambda: zip()) == [] and loop(lambda: zip(rows)) == [(x,) for x in rows]
    assert loop(lambda: enumerate(enumerate(enumerate(enumerate(rows))))) == [
        (i, (i, (i, (i, x)))) for i, x in enumerate(rows)]


def strict(a, b):
    total = 0
    try:
        for x, y in zip(a, b, strict=True):
            total += x * y
    except ValueError as e:
        return total, str(e)
    return total


for n in (3, 90):
    assert strict(range(n), range(n)) == sum(i * i for i in range(n))
    assert strict(range(n), range(n + 1))[1] == "zip() argument 2 is longer than argument 1"
    assert strict(range(n + 1), range(n))[1] == "zip() argument 2 is shorter than argument 1"
    # The same loop, with both kinds.
    for s in (False, True, False):
        z, got = zip([1] * n, [2] * (n + 1), strict=s), 0
        try:
            for x, y in z:
                got += x + y
            assert not s
        except ValueError:
            assert s
        assert got == 3 * n


# Rows that change under the loop.
def grows(row, other):
    seen = []
    for i, (x, y) in enumerate(zip(row, other)):
        if x == 3 and len(row) < 60:
            row.append(len(row))
        if i == 30:
            other.clear()
        seen.append((i, x, y))
    return seen




for _ in range(3):
    row = [3] * 20
    seen = grows(row, list(range(100)))
    assert len(seen) == 31 and row == [3] * 20 + list(range(20, 40)), (len(seen), len(row))


def grows2():
    row, seen = [0], 0
    for i, x in enumerate(row):
        seen += x
        if i < 200:
            row.append(i)
    return seen, i


assert grows2() == (sum(range(200)), 200)


class Counted(enumerate):
    def __next__(self):
        i, x = super().__next__()
        return i * 10, x


class Plain(enumerate):
    pass


for n in (4, 60):
    assert loop(lambda: Counted("ab" * n)) == [(i * 10, "ab"[i % 2]) for i in range(2 * n)]
    assert loop(lambda: Plain("ab" * n)) == [(i, "ab"[i % 2]) for i in range(2 * n)]
    assert loop(lambda: enumerate(x for x in range(n))) == [(i, i) for i in range(n)]


# What becomes of an iterator that is looked at in between.
def peeks(n):
    it, out = enumerate(list(range(n)), 100), []
    for i, x in it:
        out.append((i, x))
        if x % 7 == 6:
            out.append(next(it, None))
        if x % 11 == 10:
            out.append(it.__reduce__()[1][1])
    return out


def peeks_slowly(n):
    it, out = iter([(i + 100, i) for i in range(n)]), []
    at = 0
    for i, x in it:
        out.append((i, x))
        at = i + 1
        if x % 7 == 6:
            v = next(it, None)
            out.append(v)
            at = v[0] + 1 if v else at
        if x % 11 == 10:
            out.append(at)
    return out


for n in (10, 200):
    assert peeks(n) == peeks_slowly(n)


# Tuples that are built and taken apart, and some that stay.
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


assert [fibonacci(n) for n in (1, 10, 90, 100, 300)][1:4] == [55, 2880067194370816120, 354224848179261915075]


def swaps(n):
    a, b, c, kept = 1, 2.5, "x", []
    for i in range(n):
        a, b, c = b, c, a
        t = (i, a, b, (c, i))
        if i % 50 == 49:
            kept.append(t)
    return kept


assert swaps(150) == [(49, "x", 1, (2.5, 49)), (99, 2.5, "x", (1, 99)), (149, 1, 2.5, ("x", 149))] or swaps(150) == [
    (i, *((1, 2.5, "x") * 2)[(i + 1) % 3:(i + 1) % 3 + 2], (((1, 2.5, "x") * 2)[(i + 1) % 3 + 2], i)) for i in (49, 99, 149)]


def by_key(n):
    table = {}
    for i in range(n):
        table[i % 5, i % 3] = table.get((i % 5, i % 3), 0) + 1
    return table


assert by_key(300) == {(i % 5, i % 3): 20 for i in range(15)}


def raises(n):
    try:
        for i, (a, b) in enumerate([(1, 2)] * n + [(1, 2, 3)]):
            pass
    except ValueError as e:
        return i, str(e)


assert raises(100) == (100, "too many values to unpack (expected 2, got 3)")


def comprehension(n):
    return [(i, x * y) for i, (x, y) in enumerate(zip(range(n), range(1, n + 1)))]


for n in (3, 100):
    assert comprehension(n) == [(i, i * (i + 1)) for i in range(n)]
    assert [x for row in [list(range(n))] * 30 for x in row] == list(range(n)) * 30


# A loop's trace becomes void while the one of an outer loop goes on, which has called it: another one of that number may
# not be taken for it.
def first(n):
    t = 0
    for i in range(n):
        t += i
    return t


class Part:
    k = 1


def outer(n):
    part, t = Part(), 0
    for i in range(n):
        for j in range(20):
            t += 1
            if j >= 10:
                t += part.k
        if i == n - 500:
            Part.k = 2
    return t


first(100_000)
assert outer(6000) == 30 * 5501 + 40 * 499
