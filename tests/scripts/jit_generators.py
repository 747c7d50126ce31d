# Loops over generators, whose bodies are followed.
import gc
import sys


def count(n, step=1):
    i = 0
    while i < n:
        yield i
        i += step


def total(it):
    t = 0
    for x in it:
        t += x
    return t


for n in (0, 1, 2, 50, 400):
    assert total(count(n)) == sum(range(n))
    assert total(x * x for x in range(n)) == sum([x * x for x in range(n)])
    assert total(x for x in count(n) if x % 3) == sum([x for x in range(n) if x % 3])


def floats(n):
    x = 0.5
    while n:
        got = yield x
        assert got is None
        x = x * 1.0625
        n -= 1


def floats_slowly(n):
    x, t = 0.5, 0
    for _ in range(n):
        t += x
        x = x * 1.0625
    return t


assert total(floats(200)) == floats_slowly(200)


def pairs(n):
    a, b = 0, 1
    for i in range(n):
        yield i, (a, b)
        a, b = b, (a + b) % 1000003


def use_pairs(n):
    t, kept = 0, []
    for i, (a, b) in pairs(n):
        t += i + a * b
        if i % 50 == 7:
            kept.append((a, b))
    return t, kept


def use_pairs_slowly(n):
    t, kept, a, b = 0, [], 0, 1
    for i in range(n):
        t += i + a * b
        if i % 50 == 7:
            kept.append((a, b))
        a, b = b, (a + b) % 1000003
    return t, kept


assert use_pairs(300) == use_pairs_slowly(300)


# Several yields, in turn and by what is sent.
def several(n):
    for i in range(n):
        yield "a", i
        if i % 2:
            yield "b", i
        x = yield "c", i
        if x:
            yield "sent", x


def seen(n):
    out = {}
    g = several(n)
    for k, i in g:
        out[k] = out.get(k, 0) + i
        if i % 40 == 39 and k == "c":
            assert g.send(1000 + i) == ("sent", 1000 + i)
    return out


assert seen(200) == {"a": 19900, "b": 10000, "c": 19900}


# Within one another, and side by side.
def outer(n):
    for x in count(n):
        for y in count(3):
            yield x * y


assert total(outer(200)) == sum(3 * x for x in range(200))


def together(n):
    t, a = 0, count(n)
    for x in count(n):
        for y in a:
            t += x - y
            break
    return t, next(a, "end")


assert together(150) == (0, "end") and together(150) == (0, "end")


def same(n):
    t, g = [], count(n)
    for x in g:
        for y in g:
            t.append(x - y)
            break
    return t


assert same(201) == [-1] * 100


# A generator that is looked at, closed or thrown into while a loop goes over it.
def looked_at(n):
    g, out = count(n), []
    for x in g:
        if x % 20 == 19:
            f = g.gi_frame
            out.append((g.gi_running, g.gi_suspended, f.f_locals["i"], f.f_lineno - count.__code__.co_firstlineno))
            assert next(g, -1) in (x + 1, -1)
    return out


assert looked_at(100) == [(False, True, x, 3) for x in (19, 39, 59, 79, 99)]


def from_within(n):
    def body():
        for i in range(n):
            if i % 25 == 24:
                try:
                    next(g)
                except ValueError as e:
                    log.append(str(e))
                log.append((g.gi_running, sys._getframe(1).f_code.co_name, sys._getframe().f_locals["i"]))
            yield i

    log, g, t = [], body(), 0
    for x in g:
        t += x
    return t, log


want = []
for i in (24, 49, 74, 99):
    want += ["generator already executing", (True, "from_within", i)]
assert from_within(100) == (4950, want)


def closes(n):
    def body():
        try:
            for i in range(10 ** 9):
                yield i
        finally:
            log.append(i)

    log, g = [], body()
    for x in g:
        if x == n:
            g.close()
    return log


assert closes(100) == [100] and closes(3) == [3]


def raises(n):
    def body():
        for i in range(n + 1):
            yield n // (n - i)

    t = 0
    try:
        for x in body():
            t += x
    except ZeroDivisionError as e:
        tb, names = e.__traceback__, []
        while tb:
            names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno))
            tb = tb.tb_next
        return t, names
    return None


assert raises(90) == (sum(90 // (90 - i) for i in range(90)), [("raises", 7), ("body", 2)])


def handles(n):
    def body():
        for i in range(n):
            try:
                if i % 3 == 2:
                    raise KeyError(i)
                yield i
            except KeyError as e:
                yield -e.args[0]
                assert sys.exception() is e
            assert sys.exception() is None

    t = 0
    for x in body():
        t += x
        assert sys.exception() is None
    try:
        raise OSError
    except OSError:
        for x in body():
            t += x
            assert type(sys.exception()) is OSError
    return t


def handles_slowly(n):
    return 2 * sum(-i if i % 3 == 2 else i for i in range(n))


def handles_within(n):
    def body():
        for i in range(n):
            yield i

    t = 0
    try:
        raise OSError
    except OSError as e:
        for x in body():
            t += x
            assert sys.exception() is e
    return t


assert handles_within(100) == 4950


def breaks(n):
    left = []
    for i in range(n):
        g = count(10)
        for x in g:
            if x == i % 10:
                break
        left.append(next(g, None))
    return left


assert breaks(60) == [i % 10 + 1 if i % 10 < 9 else None for i in range(60)]


# What a suspended generator holds is alive, and nothing else is.
class Node:
    alive = 0

    def __init__(self, n):
        self.n = n
        Node.alive += 1

    def __del__(self):
        Node.alive -= 1


def nodes(n):
    last = None
    for i in range(n):
        node = Node(i)
        yield node.n
        last = node
    yield last.n


def use_nodes(n):
    t = 0
    for x in nodes(n):
        t += x
        if x % 30 == 29:
            gc.collect()
    return t


assert use_nodes(120) == sum(range(120)) + 119
gc.collect()
gc.collect()


# Methods, closures and classes in the bodies.
class Walker:
    def __init__(self, rows):
        self.rows = rows
        self.steps = 0

    def __iter__(self):
        for row in self.rows:
            self.steps += 1
            yield from row

    def scaled(self, by):
        for i, x in enumerate(self.flat()):
            yield self.scale(x, by) + i

    def flat(self):
        for row in self.rows:
            for x in row:
                yield x

    @staticmethod
    def scale(x, by):
        return x * by


w = Walker([[1, 2, 3], (4, 5), range(6, 9)] * 30)
assert total(w) == 36 * 30 and w.steps == 90
assert total(w.scaled(2)) == 36 * 60 + sum(range(240)) and total(w.flat()) == 36 * 30


def squares(n):
    add, out = 10, []

    def body():
        nonlocal add
        for i in range(n):
            add += 1
            yield i * i + add

    for x in body():
        out.append(x)
    return out, add


assert squares(80) == ([i * i + 11 + i for i in range(80)], 90)


def infinite():
    n = 0
    while True:
        yield n
        n += 1


def first(limit):
    t = 0
    for x in infinite():
        if x >= limit:
            return t
        t += x


assert first(3) == 3 and first(500) == sum(range(500)) and first(500) == sum(range(500))
big = 2 ** 61 - 40


def large(n):
    x = big
    for _ in range(n):
        yield x
        x += 1


assert total(large(100)) == sum(range(big, big + 100))
