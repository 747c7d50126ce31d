# Python 3.14
"""Weak proxies, namespaces, anext() with a default, origins of coroutines: what stands for something else."""

import asyncio
import gc
import pickle
import sys
import types
import weakref


def raises(error, text, f, *args):
    try:
        f(*args)
    except error as e:
        assert str(e) == text, e
    else:
        raise AssertionError(text)


# ---- proxies


class C:
    def __init__(self):
        self.x = [1]

    def __add__(self, other):
        return "add", other

    def __radd__(self, other):
        return "radd", other

    def __iadd__(self, other):
        self.x.append(other)
        return self

    def __len__(self):
        return 3

    def __getitem__(self, key):
        return key

    def __iter__(self):
        return iter([1, 2])

    def __call__(self, *args, **kwargs):
        return args, kwargs

    def __eq__(self, other):
        return isinstance(other, C)

    def __bool__(self):
        return False

    def __str__(self):
        return "text"


c = C()
p = weakref.proxy(c)
assert type(p) is weakref.CallableProxyType and p.__class__ is C and isinstance(p, C)
assert (p.x, p + 1, 2 + p, len(p), p[4], list(p), p(1, a=2)) == ([1], ("add", 1), ("radd", 2), 3, 4, [1, 2], ((1,), {"a": 2}))
assert p == c and not p and str(p) == "text" and repr(p).startswith("<weakproxy at 0x")
p.y = 5
assert c.y == 5
del p.y
assert not hasattr(c, "y")
p += 7
assert p is c and c.x == [1, 7]


class D:
    pass


d = D()
q = weakref.proxy(d)
assert type(q) is weakref.ProxyType
raises(TypeError, "unhashable type: 'weakref.ProxyType'", hash, q)
raises(TypeError, "'weakref.ProxyType' object is not callable", lambda: q())
raises(TypeError, "cannot create weak reference to 'int' object", weakref.proxy, 3)
gone = []
called = weakref.proxy(d, gone.append)
del d
gc.collect()
raises(ReferenceError, "weakly-referenced object no longer exists", lambda: q.x)
assert len(gone) == 1 and gone[0] is called


# ---- namespaces

n = types.SimpleNamespace({"a": 1}, b=2)
assert repr(n) == "namespace(a=1, b=2)" and vars(n) == {"a": 1, "b": 2}
assert n == types.SimpleNamespace(a=1, b=2) != types.SimpleNamespace(a=1)
assert repr(types.SimpleNamespace([("k", "v")], k=3)) == "namespace(k=3)"
assert pickle.loads(pickle.dumps(n)) == n
assert sys.version_info < (3, 13) or n.__replace__(b=3) == types.SimpleNamespace(a=1, b=3)
n.self = n
assert repr(n) == "namespace(a=1, b=2, self=namespace(...))"


class Sub(types.SimpleNamespace):
    pass


assert repr(Sub(x=1)) == "Sub(x=1)" and Sub(x=1) == types.SimpleNamespace(x=1)
raises(TypeError, "keywords must be strings", types.SimpleNamespace, {1: 2})


# ---- anext with a default, and where coroutines were made


async def numbers():
    yield 1


async def nothing():
    pass


async def main():
    it = numbers()
    assert [await anext(it, "none") for _ in range(3)] == [1, "none", "none"]
    sys.set_coroutine_origin_tracking_depth(2)
    try:
        made = nothing()
    finally:
        sys.set_coroutine_origin_tracking_depth(0)
    (name, line, function), second = made.cr_origin
    assert (name, function) == (__file__, "main") and line == main.__code__.co_firstlineno + 5
    made.close()
    plain = nothing()
    assert plain.cr_origin is None
    plain.close()


asyncio.run(main())
assert {"sys", "os", "asyncio", "_weakref"} <= sys.stdlib_module_names
