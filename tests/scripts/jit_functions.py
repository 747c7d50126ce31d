"""Functions that have traces of their own: with loops of few rounds, with many ways through, and recursive ones."""
import sys


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        total = 0
        for part in (other.x, other.y):
            total += part
        return Point(self.x + total, self.y)

    def __call__(self, n):
        for i in range(n):
            if i == self.x:
                return i
        return -1


def index(row, n):
    for i in range(len(row)):
        if row[i] > n:
            return i
    else:
        return -1


def first_rounds():
    row = [3, 9, 27, 81]
    counts = [0] * 5
    for n in range(20000):
        counts[index(row, n % 100)] += 1
    assert counts == [600, 1200, 3600, 10800, 3800], counts
    # Other types, another way out.
    assert index([1.5, 2.5], 2) == 1 and index("", 3) == -1
    try:
        for n in range(3000):
            index([1, 2, "x"], n % 3)
        assert False
    except TypeError as e:
        assert "'>' not supported" in str(e)


def callables():
    p = Point(3, 4)
    seen = 0
    for n in range(12000):
        seen += p(n % 7)
    assert seen == sum(3 if n % 7 > 3 else -1 for n in range(12000)), seen
    q = Point(1, 1)
    for n in range(6000):
        q = q + Point(n % 2, 1)
    assert (q.x, q.y) == (9001, 1), (q.x, q.y)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def recursive():
    assert [fib(n) for n in range(18)][-1] == 1597
    total = 0
    for _ in range(60):
        total += fib(12)
    assert total == 60 * 144
    for _ in range(3):
        assert ackermann(2, 6) == 15
    for n in range(300):
        assert depth(n % 90) == n % 90
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(30_000)
    try:
        assert depth(20_000) == 20_000
    finally:
        sys.setrecursionlimit(limit)
    try:
        depth(-1)
        assert False
    except RecursionError:
        pass


def picks(row, key):
    for k, v in row:
        if k == key:
            return v
    raise KeyError(key)


def raises():
    row = [(i, i * i) for i in range(5)]
    found = missing = 0
    for n in range(9000):
        try:
            found += picks(row, n % 6)
        except KeyError as e:
            assert e.args == (5,)
            tb = e.__traceback__.tb_next
            assert tb.tb_frame.f_code is picks.__code__ and tb.tb_next is None
            missing += 1
    assert (found, missing) == (1500 * 30, 1500), (found, missing)


def changes():
    """What a function's trace relies on changes while others call it."""
    global scale
    scale = 2

    def scaled(row):
        total = 0
        for x in row:
            total += x * scale
        return total

    got = []
    for n in range(4000):
        got.append(scaled((1, 2, 3)))
        if n == 3000:
            scale = 5
    assert got == [12] * 3001 + [30] * 999

    class Box:
        def items(self):
            return (1, 2)

    box = Box()

    def count():
        n = 0
        for _ in box.items():
            n += 1
        return n

    got = 0
    for n in range(4000):
        got += count()
        if n == 3500:
            Box.items = lambda self: (1, 2, 3)
    assert got == 3501 * 2 + 499 * 3, got
    # New code for the same function.
    def other(row):
        return len(row)

    for n in range(3000):
        assert scaled((1, 1)) == (10 if n < 2500 else 2)
        if n == 2499:
            scaled.__code__ = (lambda row: len(row)).__code__


def large_floats():
    """What a loop has in hand, and needs an object in memory, before a function's trace is called."""
    x, found = 1e300, 0
    row = [3, 9, 27, 81]
    for n in range(9000):
        x = x * 1.0001 if x < 1.5e300 else 1e300
        found += index(row, n % 100)
        found += fib(n % 5)
    y, expected = 1e300, 0
    for n in range(9000):
        y = y * 1.0001 if y < 1.5e300 else 1e300
        expected += next((i for i in range(4) if row[i] > n % 100), -1) + (0, 1, 1, 2, 3)[n % 5]
    assert (x, found) == (y, expected), (x, found, y, expected)


def looked_at(limit):
    depth = 0
    for i in range(limit):
        if i == 2:
            f = sys._getframe()
            assert f.f_locals["i"] == 2 and f.f_locals["limit"] == limit
            depth += f.f_back.f_code.co_name == "frames"
        depth += 0
    return depth


def frames():
    total = 0
    for n in range(4000):
        total += looked_at(1 + n % 5)
    assert total == 4000 // 5 * 3, total


def microthreads():
    import greenlet

    def part(n):
        for i in range(n):
            if i == 2:
                main.switch(i)
        return n

    def body():
        while True:
            for n in range(5):
                main.switch(("n", part(n)))

    main = greenlet.getcurrent()
    g = greenlet.greenlet(body)
    got = [g.switch() for _ in range(7000)]
    assert got[:7] == [("n", 0), ("n", 1), ("n", 2), 2, ("n", 3), 2, ("n", 4)], got[:7]
    assert got == got[:7] * 1000


for test in (first_rounds, callables, recursive, raises, changes, large_floats, frames, microthreads):
    test()
print("ok")
