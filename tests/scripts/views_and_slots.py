# Python 3.14
"""Memoryviews of several dimensions, slots of subclasses of builtin types, weak references as attributes, and natives
of multiprocessing and locale."""

import array
import copy
import pickle
import time
import weakref


def raises(exception, text, f, *args):
    try:
        f(*args)
    except exception as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"no {exception.__name__}")


def test_views():
    b = bytearray(range(24))
    v = memoryview(b).cast("B", (2, 3, 4))
    assert (v.ndim, v.shape, v.strides, v.nbytes, len(v)) == (3, (2, 3, 4), (12, 4, 1), 24, 2)
    assert v[1, 2, 3] == 23 and v[-1, 0, 0] == 12 and v.tolist()[1][0] == [12, 13, 14, 15]
    v[0, 0, 1] = 99
    assert b[1] == 99 and v.tobytes() == bytes(b) and v.contiguous and not v.f_contiguous
    assert memoryview(bytes(range(6))).cast("B", [2, 3]).tobytes("F") == bytes([0, 3, 1, 4, 2, 5])
    assert v == memoryview(bytes(b)).cast("B", [2, 3, 4]) != memoryview(bytes(b))
    assert v.cast("B").shape == (24,)
    raises(NotImplementedError, "sub-views are not implemented", lambda: v[0])
    assert v[::-1].tolist() == v.tolist()[::-1] and v[1:].strides == (12, 4, 1) and not v[::-1].contiguous
    raises(IndexError, "index out of bounds on dimension 2", lambda: v[0, 3, 0])
    raises(TypeError, "cannot index 3-dimension view with 4-element tuple", lambda: v[0, 0, 0, 0])
    raises(TypeError, "product(shape) * itemsize != buffer size", memoryview(b).cast, "B", [5])
    none = memoryview(b"\x01\x02").cast("H", ())
    assert none[()] == none.tolist() == 513 and none.shape == ()
    raises(TypeError, "0-dim memory has no length", len, none)
    assert memoryview(array.array("i", [1, 2])) == array.array("i", [1, 2]) == array.array("d", [1, 2])


def test_views_are_held():
    class Sly(array.array):
        def __hash__(self):
            view.release()
            return 1

    view = memoryview(Sly("B", b"abc")).toreadonly()
    raises(BufferError, "memoryview has 1 exported buffer", hash, view)
    kept = memoryview(b"abc")
    h = hash(kept)
    kept.release()
    assert hash(kept) == h == hash(b"abc")


class Row(list):
    __slots__ = ("name", "__weakref__")


class Named(set):
    __slots__ = ("name",)


class Open(Row):
    pass


def test_slots():
    r = Row([1, 2])
    r.name = "r"
    raises(AttributeError, "'Row' object has no attribute 'other'", setattr, r, "other", 1)
    raises(AttributeError, "'Row' object has no attribute '__dict__'", lambda: r.__dict__)
    assert weakref.ref(r)() is r and Row.name.__get__(r) == "r"
    for x in (pickle.loads(pickle.dumps(r)), copy.copy(r), copy.deepcopy(r)):
        assert x == r and x.name == "r"
    n = Named("ab")
    n.name = 3
    assert n.name == 3 and not hasattr(n, "__dict__")
    del n.name
    raises(AttributeError, "name", lambda: n.name)
    o = Open()
    o.name, o.more = 1, 2
    assert o.more == 2 and o.name == 1


class Plain:
    pass


def test_weak_references():
    p = Plain()
    assert p.__weakref__ is None
    r = weakref.ref(p)
    assert r is weakref.ref(p) and p.__weakref__ is r and weakref.getweakrefcount(p) == 1
    assert weakref.ref(p, print) is not r and weakref.proxy(p) is weakref.proxy(p)
    assert "__weakref__" in Plain.__dict__ and r == weakref.ref(p) and not r != weakref.ref(p)
    raises(TypeError, "takes no keyword arguments", lambda: weakref.ref(p, callback=print))


def test_repetition():
    for x in ([1], (1,), "a", b"a", bytearray(b"a"), array.array("b", b"a")):
        raises(TypeError, "", x.__mul__, "b")

    class Times:
        def __rmul__(self, other):
            return other, "times"

    assert [1] * Times() == ([1], "times") and (1,) * Times() == ((1,), "times")
    nan = array.array("d", [float("nan")])
    assert nan != array.array("d", nan) and not nan < nan


def test_struct_sequences():
    t = time.struct_time(range(11))
    assert (t.tm_zone, t.tm_gmtoff, len(t)) == (9, 10, 9)
    assert time.struct_time(range(9)).tm_zone is None
    raises(TypeError, "duplicate or unexpected field name", time.struct_time, range(9), {"x": 1})


def test_system():
    import _locale
    import _multiprocessing
    import statistics

    assert _locale.localeconv()["decimal_point"] == "." and isinstance(_locale.setlocale(_locale.LC_ALL), str)
    raises(_locale.Error, "unsupported locale setting", _locale.setlocale, _locale.LC_ALL, "nowhere")
    name = f"/views-{time.monotonic_ns()}"
    lock = _multiprocessing.SemLock(0, 1, 1, name, True)
    assert lock.acquire() and lock.acquire() and lock._count() == 2 and lock._is_mine()
    lock.release(), lock.release()
    raises(AssertionError, "attempt to release recursive lock not owned by thread", lock.release)
    few = _multiprocessing.SemLock(1, 1, 1, name, True)
    assert few.acquire() and not few.acquire(False) and not few.acquire(True, 0.001) and few._is_zero()
    few.release()
    raises(ValueError, "semaphore or lock released too many times", few.release)
    assert abs(statistics.NormalDist(10, 2).inv_cdf(0.975) - 13.919927969080115) < 1e-12


for test in (test_views, test_views_are_held, test_slots, test_weak_references, test_repetition, test_struct_sequences, test_system):
    test()

# The dictionary of a builtin class's instance stays; that of a Python class's instance begins anew.
import functools

for x in (functools.partial(print), Exception(), raises):
    x.mark = 1
    raises(TypeError, "cannot delete __dict__", delattr, x, "__dict__")
    assert x.mark == 1



class Plain:
    pass


x = Plain()
x.mark = 1
del x.__dict__
assert not hasattr(x, "mark")
