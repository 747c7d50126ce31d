"""Busy loops whose frames are looked at, left by exceptions, or taken from under them."""
import sys
import traceback


def inner(n, k):
    if n == k:
        raise ValueError(n)
    return n + 1


def middle(n, k):
    m = n * 2
    return inner(n, k) + m


def lines_of(e):
    base = {f.__code__.co_name: f.__code__.co_firstlineno for f in (inner, middle, tracebacks)}
    return [(f.name, f.lineno - base[f.name]) for f in traceback.extract_tb(e.__traceback__)]


def tracebacks(n, k):
    total = 0
    try:
        for i in range(n):
            total += middle(i, k)
    except ValueError as e:
        return i, total, lines_of(e)
    return i, total, None


for at in (3, 50, 777, 4000):
    want = sum(3 * i + 1 for i in range(at))
    assert tracebacks(5000, at) == (at, want, [("tracebacks", 4), ("middle", 2), ("inner", 2)]), at
assert tracebacks(3000, -1) == (2999, sum(3 * i + 1 for i in range(3000)), None)


# ---- exceptions that are caught inside

def caught(n):
    seen = []
    for i in range(n):
        try:
            middle(i % 100, 99)
        except ValueError as e:
            seen.append((i, lines_of2(e)))
        finally:
            last = i
    return seen, last


def lines_of2(e):
    return [f.name for f in traceback.extract_tb(e.__traceback__)]


seen, last = caught(1000)
assert seen == [(i, ["caught", "middle", "inner"]) for i in range(99, 1000, 100)] and last == 999


# ---- locals() and frames

def look(depth):
    f = sys._getframe(depth)
    return f.f_code.co_name, dict(f.f_locals)


def callee(a):
    b = a * 2
    c = look(2) if a % 97 == 96 else None
    d = locals() if a % 101 == 100 else None
    return b, c, d


def looked_at(n):
    kept = []
    x = 0.5
    for i in range(n):
        x += 1.0
        b, c, d = callee(i)
        if c is not None:
            name, names = c
            assert name == "looked_at" and names["i"] == i and names["x"] == x, names
            kept.append(i)
        if d is not None:
            assert d == {"a": i, "b": 2 * i, "c": c}, d
    return kept


assert looked_at(2000) == list(range(96, 2000, 97))


def lines_inside(n):
    first = sys._getframe().f_lineno
    for i in range(n):
        here = where()
        assert here == (first + 2, "lines_inside"), here
    return i


def where():
    f = sys._getframe(1)
    return f.f_lineno, f.f_code.co_name


assert lines_inside(1500) == 1499


def back_chain(n):
    for i in range(n):
        names = chain_1(i)
        assert names is None or names[:3] == ["chain_2", "chain_1", "back_chain"], names


def chain_1(i):
    return chain_2(i)


def chain_2(i):
    if i % 64 != 63:
        return None
    f, names = sys._getframe(), []
    while f is not None:
        names.append(f.f_code.co_name)
        f = f.f_back
    return names


back_chain(1000)


# ---- an exception behind a loop sees what the loop left

def left_behind(n):
    last = f = None
    try:
        i = 0
        while True:
            f = i * 0.5
            last = (i, f)
            i += 1
            1 // (n - i)
    except ZeroDivisionError:
        return i, f, last


assert left_behind(1234) == (1234, 1233 * 0.5, (1233, 1233 * 0.5))


# ---- generators that are left

def numbers(n, log):
    try:
        for i in range(n):
            yield i
    finally:
        log.append(i)


def generators(n):
    log, total = [], 0
    for k in range(n):
        g = numbers(50, log)
        for v in g:
            total += v
            if v == k % 40:
                break
        g.close()
    return total, log


total, log = generators(200)
assert len(log) == 200 and sorted(set(log)) == list(range(40)), log[:5]
assert total == sum(sum(range(k % 40 + 1)) for k in range(200))
