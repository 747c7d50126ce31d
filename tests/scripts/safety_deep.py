"""Things nested in each other thousands deep: a result or RecursionError, never the end of the process."""
import functools
import gc
import itertools
import sys
import types
import typing

# Collecting at each allocation makes so many objects slow.
N = 2000 if "skein-gc-stress" in getattr(sys, "_xoptions", {}) else 20_000


def nest(make, x, n=N):
    for _ in range(n):
        x = make(x)
    return x


def function(*args, **keywords):
    return len(args)


def delegate(x):
    yield from x


async def wait(x):
    return await x


class Waits:
    def __await__(self):
        yield 1


class HasBases:
    def __init__(self, *bases):
        self.__bases__ = bases


def calls():
    c = function
    for _ in range(N // 10):
        c = type("C", (), {"__call__": c})()
    return c


def descriptors():
    c = function
    for _ in range(N // 10):
        c = type("C", (), {"__get__": c})()
    names = {name: c for name in ("a", "__len__", "__iter__", "__repr__", "__eq__", "__add__", "__bool__", "__hash__", "__index__", "__format__")}
    return type("D", (), names)()


nested = {
    "methods": lambda: nest(lambda m: types.MethodType(m, 1), function),
    "classmethods": lambda: nest(classmethod, function),
    "staticmethods": lambda: nest(staticmethod, function),
    "properties": lambda: nest(property, function),
    "aliases": lambda: nest(lambda x: list[x], int),
    "alias origins": lambda: nest(lambda x: types.GenericAlias(x, int), list),
    "alias parameters": lambda: nest(lambda x: list[x], typing.TypeVar("T")),
    "unions": lambda: nest(lambda x: list[x] | None, int),
    "partials": lambda: nest(functools.partial, function),
    "caches": lambda: nest(functools.lru_cache, function, 1000),
    "lists": lambda: nest(lambda x: [x], 1),
    "tuples": lambda: nest(lambda x: (x,), 1),
    "dicts": lambda: nest(lambda x: {1: x}, 1),
    "frozensets": lambda: nest(lambda x: frozenset([x]), 1),
    "namespaces": lambda: nest(lambda x: types.SimpleNamespace(a=x), 1),
    "exceptions": lambda: nest(ValueError, 1),
    "groups": lambda: nest(lambda x: ExceptionGroup("a", [x]), ValueError()),
    "maps": lambda: nest(lambda x: map(abs, x), [1, 2], N // 10),
    "chains": lambda: nest(lambda x: itertools.chain(x, [1]), [1, 2], N // 10),
    "generators": lambda: nest(delegate, iter([1, 2])),
    "coroutines": lambda: nest(wait, Waits()),
    "callables": calls,
    "descriptors": descriptors,
    "bases": lambda: nest(HasBases, HasBases()),
    "codes": lambda: compile("lambda: " * 1500 + "1", "f", "eval"),
}
operations = [
    lambda o: o(1), repr, str, hash, lambda o: o == o, lambda o: o.__doc__, lambda o: o.__name__,
    lambda o: o.__isabstractmethod__, lambda o: o.__wrapped__, lambda o: o.a, lambda o: setattr(o, "a", 1),
    lambda o: o.__parameters__, lambda o: o[int], lambda o: o | int, lambda o: isinstance(1, o),
    lambda o: issubclass(int, o), lambda o: issubclass(o, HasBases()), lambda o: isinstance(o, HasBases()),
    lambda o: type("K", (o,), {}), lambda o: o < o, lambda o: o in [o], bool, len, lambda o: f"{o}", lambda o: o + o,
    lambda o: o.send(None), lambda o: o.throw(ValueError), lambda o: o.close(), lambda o: next(o),
    lambda o: type("Q", (), {"a": o})().a, lambda o: setattr(type("Q", (), {"a": o})(), "a", 1), lambda o: o.__reduce__(),
    lambda o: o.split(KeyError), lambda o: o.__name__, lambda o: o.__annotations__, lambda o: [*o], lambda o: exec(o),
]
for name, make in nested.items():
    made = make()
    for operation in operations:
        try:
            operation(made)
        except RecursionError:
            pass
        except Exception:
            pass
    for action in (lambda o: (next(o), o.throw(ValueError)), lambda o: (next(o), o.close()), lambda o: (o.send(None), o.throw(KeyError)), lambda o: (o.send(None), o.close())):
        made = make()
        sys.setrecursionlimit(10**6)
        try:
            action(made)
        except Exception:
            pass
        sys.setrecursionlimit(1000)
    del made
    gc.collect()


# What comes out of chains is right.
def count(n, log):
    try:
        if n:
            return (yield from count(n - 1, log))
        yield 1
    except KeyError as e:
        log.append(n)
        raise
    finally:
        log.append(-n)


sys.setrecursionlimit(10**6)
log = []
g = count(1000, log)
assert next(g) == 1
try:
    g.throw(KeyError("k"))
except KeyError as e:
    assert e.args == ("k",)
assert log == [x for n in range(1001) for x in (n, -n)]
log.clear()
g = count(1000, log)
next(g)
g.close()
assert log == [-n for n in range(1001)]
log.clear()


def drop():
    next(count(1000, log))


drop()
gc.collect()
# The collector takes what looks like a reference for one, so that the chain may live on; if not, it is closed.
assert log in ([], [-n for n in range(1001)])



class Bad:
    @property
    def __bases__(self):
        return (self, self)


sys.setrecursionlimit(1000)
for check in (lambda: issubclass(Bad(), int), lambda: issubclass(Bad(), HasBases())):
    try:
        check()
    except RecursionError:
        pass
    else:
        raise AssertionError("no RecursionError")
