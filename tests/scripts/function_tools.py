import functools
from functools import cached_property, cmp_to_key, lru_cache, partial, reduce, total_ordering, wraps

def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"



assert reduce(lambda a, b: a + b, [1, 2, 3]) == 6 and reduce(lambda a, b: a + b, [], 5) == 5
raises(TypeError, reduce, lambda a, b: a, [], text="reduce() of empty iterable with no initial value")


def f(*args, **kw):
    """Doc of f."""
    return args, kw


p = partial(f, 1, x=2)
assert p(3, y=4) == ((1, 3), {"x": 2, "y": 4}) and p(x=9) == ((1,), {"x": 9})
assert p.func is f and p.args == (1,) and p.keywords == {"x": 2}
q = partial(p, 5)
assert q.func is f and q.args == (1, 5) and q() == ((1, 5), {"x": 2})
p.attr = 1
assert p.attr == 1
raises(TypeError, partial, 5, text="the first argument must be callable")
assert repr(partial(int, "1", base=2)) == "functools.partial(<class 'int'>, '1', base=2)"
assert partial(int, base=2)("101") == 5
words = sorted([3, 1, 2], key=cmp_to_key(lambda a, b: b - a))
assert words == [3, 2, 1]
calls = []


@lru_cache(maxsize=2)
def g(x, y=0):
    calls.append((x, y))
    return x + y


assert g(1) == 1 and g(1) == 1 and g(2) == 2 and g(1) == 1 and g(3) == 3
assert calls == [(1, 0), (2, 0), (3, 0)]
assert g(1) == 1 and g(2) == 2 and calls[3:] == [(2, 0)]
assert g(1, y=5) == 6 and g.__name__ == "g" and g.__wrapped__(1) == 1
info = g.cache_info()
assert info.hits == 3 and info.misses == 5 and info.maxsize == 2 and info.currsize == 2, info
g.cache_clear()
assert g.cache_info() == (0, 0, 2, 0)
raises(TypeError, g, [])


@lru_cache(None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


assert fib(80) == 23416728348467685


@lru_cache(typed=True)
def t(x):
    return type(x)


assert t(1) is int and t(1.0) is float


class C:
    def __init__(self, v):
        self.v = v

    @lru_cache
    def m(self, n):
        return self.v + n

    @cached_property
    def cp(self):
        calls.append("cp")
        return self.v * 2


c = C(5)
assert c.m(1) == 6 and c.m(1) == 6 and C.m.cache_info().hits == 1
assert c.cp == 10 and c.cp == 10 and calls.count("cp") == 1


@wraps(f)
def w():
    pass


assert w.__name__ == "f" and w.__doc__ == "Doc of f." and w.__wrapped__ is f


@total_ordering
class T:
    def __init__(self, v):
        self.v = v

    def __eq__(self, other):
        return self.v == other.v

    def __lt__(self, other):
        return self.v < other.v


assert T(1) <= T(1) and T(2) > T(1) and T(2) >= T(1)


@functools.singledispatch
def sd(x):
    return "object"


@sd.register(int)
def _(x):
    return "int"


assert sd("a") == "object" and sd(1) == "int" and sd(True) == "int"
print("ok")
