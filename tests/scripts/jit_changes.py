"""What the compiler of busy loops relies on changes while the loop runs."""
import gc


class A:
    k = 1

    def __init__(self, x):
        self.x = x

    def m(self):
        return self.x

    @property
    def p(self):
        return self.x + 1


class B(A):
    def m(self):
        return -self.x


def class_attribute(n, when):
    a, total = A(1), 0
    for i in range(n):
        if i == when:
            A.k = 10
        total += a.k
    A.k = 1
    return total


assert class_attribute(2000, 1500) == 1500 + 5000


def method_replaced(n, when):
    a, total, old = A(1), 0, A.m
    for i in range(n):
        if i == when:
            A.m = lambda self: 100
        total += a.m()
    A.m = old
    return total


assert method_replaced(2000, 1500) == 1500 + 50000


def replaced_inside(n):
    """By a call in the loop, not by the loop itself."""
    def change(i):
        if i == 1000:
            B.m = lambda self: 5
        return i
    b, total, old = B(1), 0, B.m
    for i in range(n):
        change(i)
        total += b.m()
    B.m = old
    return total


assert replaced_inside(2000) == -1000 + 5000


def descriptor_put_in(n):
    a, total = A(2), 0
    for i in range(n):
        if i == 1200:
            A.x = property(lambda self: 7)
        total += a.x
    del A.x
    return total


assert descriptor_put_in(2000) == 2400 + 800 * 7


def class_assigned(n):
    a, total = A(3), 0
    for i in range(n):
        if i == 1300:
            a.__class__ = B
        total += a.m()
    return total


assert class_assigned(2000) == 3 * 1300 - 3 * 700


def instance_shadows(n):
    a, total = A(3), 0
    for i in range(n):
        if i == 1300:
            a.m = lambda: 1
        total += a.m()
    return total


assert instance_shadows(2000) == 3 * 1300 + 700


G = 1


def f(n):
    return n + 1


def globals_change(n):
    global G, f
    old, total = f, 0
    for i in range(n):
        if i == 900:
            G = 0.5
        if i == 1100:
            f = lambda n: 0
        total += f(i) * G
    G, f = 1, old
    return total


assert globals_change(2000) == sum(range(1, 901)) + sum(range(901, 1101)) * 0.5


def code_assigned(n):
    def g(v):
        return v

    def h(v):
        return 2
    total = 0
    for i in range(n):
        if i == 1000:
            g.__code__ = h.__code__
        total += g(1)
    return total


assert code_assigned(2000) == 1000 + 2000


def builtin_shadowed(n):
    total = 0
    for i in range(n):
        if i == 1000:
            globals()["len"] = lambda v: 50
        total += len("ab")
    del globals()["len"]
    return total


assert builtin_shadowed(2000) == 2000 + 50000


def init_replaced(n):
    old, total = A.__init__, 0

    def init(self, x):
        self.x = 9
    for i in range(n):
        if i == 1000:
            A.__init__ = init
        total += A(1).x
    A.__init__ = old
    return total


assert init_replaced(2000) == 1000 + 9000


def deleted_global(n):
    global H
    H, total = 1, 0
    try:
        for i in range(n):
            if i == 1000:
                del H
            total += H
    except NameError as e:
        return total, str(e)


assert deleted_global(2000) == (1000, "name 'H' is not defined")


# ---- containers

def list_grows(n):
    l, seen = [0], 0
    for v in l:
        seen += 1
        if v < n:
            l.append(v + 1)
    return seen


assert list_grows(3000) == 3001


def list_shrinks(n):
    l, seen = list(range(n)), []
    for v in l:
        seen.append(v)
        if v > n // 2:
            del l[-10:]
    return len(seen)


want = len([*range(1001)]) + 91
assert abs(list_shrinks(2000) - want) <= 1, list_shrinks(2000)


def iterator_by_two_names(n):
    it = iter(range(n))
    pairs = []
    for a in it:
        pairs.append((a, next(it, None)))
    return pairs


assert iterator_by_two_names(2001) == [(i, i + 1 if i < 2000 else None) for i in range(0, 2001, 2)]


def dict_grows(n):
    d = {0: 0}
    try:
        for k in d:
            d[k + 1] = k
    except RuntimeError as e:
        return str(e)


assert dict_grows(5) == "dictionary changed size during iteration"


# ---- numbers

def edges(start, n, step):
    values = []
    v = start
    for i in range(n):
        v += step
        values.append(v)
    return values


for start in (2**61 - 500, 2**63 - 500, 2**60 - 500):
    assert edges(start, 1000, 1) == [start + i for i in range(1, 1001)]
    assert edges(-start, 1000, -1) == [-start - i for i in range(1, 1001)]


def mixed(n):
    v = 1
    for i in range(n):
        if i == 700:
            v = float(v)
        if i == 1400:
            v = True
        v = v + 1
    return v


assert mixed(2000) == 601


def exponents(n):
    small, large, nan = 1.0, 1.0, 0
    for i in range(n):
        small *= 0.5
        large *= 2.0
        if large != large or large - large != large - large:
            nan += 1
    return small, large, nan


assert exponents(1100) == (0.0, float("inf"), 1100 - 1023), exponents(1100)
zeros = [str(0.0 * s) for s in [1, -1] * 500]
assert zeros == ["0.0", "-0.0"] * 500


# ---- finalizers and collections

class Gone:
    count = 0

    def __del__(self):
        Gone.count += 1


def finalizers(n):
    for i in range(n):
        g = Gone()
        if i % 500 == 499:
            gc.collect()
    return i


assert finalizers(2000) == 1999
gc.collect()
assert 1900 <= Gone.count <= 2000, Gone.count
