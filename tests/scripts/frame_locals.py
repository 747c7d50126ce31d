"""`f_locals` of a function's frame writes through, wherever the frame is."""
import sys
from collections.abc import Mapping


def raises(kind, text, f):
    try:
        f()
    except kind as e:
        assert str(e) == text, e
    else:
        raise AssertionError(f"no {kind.__name__}")


def mapping(a, b=2, *args, **kw):
    c = 3
    p = sys._getframe().f_locals
    assert type(p).__name__ == "FrameLocalsProxy" and isinstance(p, Mapping)
    assert list(p) == p.keys() == ["a", "b", "args", "kw", "c", "p"] and len(p) == 6
    assert p.values()[:3] == [1, 2, ()] and p.items()[0] == ("a", 1)
    raises(KeyError, "\"local variable ''zz'' is not defined\"", lambda: p["zz"])
    raises(TypeError, "unhashable type: 'list'", lambda: [] in p)
    p["a"] = 10
    p["new"] = 5
    p[3] = 4
    assert a == 10 and p["new"] == 5 and p[3] == 4 and "new" in p and 3 in p
    assert locals()["new"] == 5
    fixed = "cannot remove local variables from FrameLocalsProxy"
    raises(ValueError, fixed, lambda: p.__delitem__("a"))
    raises(ValueError, fixed, lambda: p.pop("a"))
    raises(KeyError, "'nope'", lambda: p.pop("nope"))
    assert p.pop(3) == 4 and p.pop("nope", 7) == 7
    del p["new"]
    assert p.setdefault("a", 1) == 10 and p.setdefault("q", 2) == 2 and p.get("r") is None
    p.update({"b": 22, "u": 1})
    p |= {"c": 33}
    assert b == 22 and c == 33 and p["u"] == 1
    raises(TypeError, "update() argument must be dict or another FrameLocalsProxy", lambda: p.update([("a", 1)]))
    assert type(p.copy()) is type(p | {}) is type({} | p) is dict
    assert p == sys._getframe().f_locals and p is not sys._getframe().f_locals and p == dict(p) and p != 5
    raises(TypeError, "unhashable type: 'FrameLocalsProxy'", lambda: hash(p))
    assert list(reversed(p))[:2] == ["u", "q"]
    assert repr(p).startswith("{'a': 10, 'b': 22, 'args': (),") and "'p': {...}" in repr(p)
    assert type(p)(sys._getframe()) == p
    match p:
        case {"a": z}:
            assert z == 10
        case _:
            raise AssertionError


def cells():
    x = 1

    def inner():
        return x

    def write():
        x
        sys._getframe().f_locals["x"] = 3

    sys._getframe().f_locals["x"] = 2
    assert x == inner() == 2
    write()
    assert x == inner() == 3


def bound_by_it():
    if 0:
        y = 1
    sys._getframe().f_locals["y"] = 5
    return y


def generator():
    x = [1]
    yield
    yield x


def callers():
    v = 1

    def change():
        sys._getframe(1).f_locals["v"] = "changed"

    change()
    return v


def stale(n):
    a, b, c = [n], {n}, (n,)
    return a, b, c


def see_caller():
    return dict(sys._getframe(1).f_locals)


def only_bound(q):
    d = see_caller()
    x = 1
    y = 2
    return d, x, y


def left():
    v = [1]
    w = 2
    return sys._getframe()


def evaluated():
    a = 1
    exec("a = 2; b = 3", globals(), sys._getframe().f_locals)
    assert a == 2 and locals() == {"a": 2, "b": 3}
    assert eval("a + b", {}, sys._getframe().f_locals) == 5


mapping(1)
cells()
assert bound_by_it() == 5
g = generator()
next(g)
g.gi_frame.f_locals["x"] = [9]
assert next(g) == [9] and g.gi_frame.f_locals == {"x": [9]}
assert callers() == "changed"
stale(1)
assert only_bound(3)[0] == {"q": 3}
frame = left()
assert frame.f_locals == {"v": [1], "w": 2}
frame.f_locals["v"] = 5
frame.f_locals["more"] = 1
assert frame.f_locals == {"v": 5, "w": 2, "more": 1}
frame.clear()
assert frame.f_locals == {}
evaluated()


class Body:
    sys._getframe().f_locals["z"] = 3


assert Body.z == 3 and sys._getframe().f_locals is globals()
try:
    1 / 0
except ZeroDivisionError as e:
    assert e.__traceback__.tb_frame.f_locals is globals()
print("ok")


# A variable that is bound on some ways only is not bound on the others, whatever its place had before.
def fills():
    a = 1; b = 2; c = 3; d = 4; e = 5; f = 6; g = 7; h = 8
    return a + b + c + d + e + f + g + h


def on_some_ways(rows, way):
    for row in rows:
        for item in row:
            seen = item
    if way:
        early = 1
    try:
        if way:
            late = 2
        1 / 0
    except ZeroDivisionError as e:
        inside = dict(sys._getframe().f_locals)
        traced = dict(e.__traceback__.tb_frame.f_locals)
    return inside, traced


for _ in range(50):
    fills()
    inside, traced = on_some_ways([], False)
    assert sorted(inside) == ["e", "rows", "way"], inside
    assert sorted(traced) == ["e", "inside", "rows", "way"], traced
    inside, traced = on_some_ways([[5]], True)
    assert sorted(inside) == ["e", "early", "item", "late", "row", "rows", "seen", "way"], inside
