"""Weak references: one plain one per object, `__weakref__`, which types have them; the collector's view of edges."""
import gc
import weakref


class A:
    pass


def raises(kind, text, f):
    try:
        f()
    except kind as e:
        assert str(e) == text, e
    else:
        raise AssertionError(f"no {kind.__name__}")


def one_for_each():
    a = A()
    assert a.__weakref__ is None and weakref.getweakrefcount(a) == 0
    r = weakref.ref(a)
    assert weakref.ref(a) is r and weakref.ref(a, None) is r and a.__weakref__ is r
    p = weakref.proxy(a)
    assert weakref.proxy(a) is p and weakref.proxy(a) is not r
    called = []
    first, second = weakref.ref(a, called.append), weakref.ref(a, called.append)
    assert first is not second and first is not r and first == second == r

    class Sub(weakref.ref):
        pass

    subs = Sub(a), Sub(a)
    assert subs[0] is not subs[1]
    assert [id(x) for x in weakref.getweakrefs(a)] == [id(x) for x in (r, p, subs[1], subs[0], second, first)]
    assert weakref.getweakrefcount(a) == 6
    raises(AttributeError, "attribute '__weakref__' of 'A' objects is not writable", lambda: setattr(a, "__weakref__", 1))
    del a
    gc.collect()
    assert r() is None and first() is None and called in ([first, second], [second, first])


def plain_after_others():
    a = A()
    other = weakref.ref(a, repr)
    p = weakref.proxy(a)
    r = weakref.ref(a)
    assert [id(x) for x in weakref.getweakrefs(a)] == [id(x) for x in (r, p, other)] and a.__weakref__ is r


def many():
    """Referents and references die in any order."""
    kept = [A() for _ in range(500)]
    refs = [weakref.ref(a, lambda r: None) for a in kept for _ in range(3)]
    del refs[::2]
    gc.collect()
    del kept[::2]
    gc.collect()
    for a in kept:
        assert weakref.getweakrefcount(a) <= 3
        for r in weakref.getweakrefs(a):
            assert r() is a
    live = [r for r in refs if r() is not None]
    assert len(live) < len(refs)
    one = A()
    row = [weakref.ref(one, repr) for _ in range(2000)]
    del row[::3]
    gc.collect()
    assert set(map(id, row)) <= set(map(id, weakref.getweakrefs(one)))


class Slot:
    __slots__ = ("__weakref__",)


class NoSlot:
    __slots__ = ()


class Under(NoSlot):
    pass


class Over(Slot):
    pass


def types():
    assert weakref.ref(Slot()) is not None and weakref.ref(Under()) is not None and weakref.ref(Over()) is not None
    assert "__weakref__" in Slot.__dict__ and "__weakref__" in Under.__dict__ and "__weakref__" not in Over.__dict__
    raises(TypeError, "cannot create weak reference to 'NoSlot' object", lambda: weakref.ref(NoSlot()))
    assert not hasattr(NoSlot(), "__weakref__")
    for name in ("__weakref__", "__dict__"):
        text = f"{name} slot disallowed: we already got one"
        raises(TypeError, text, lambda: type("D", (A,), {"__slots__": (name,)}))
        raises(TypeError, text, lambda: type("D", (), {"__slots__": (name, name)}))
    for base in (int, tuple, bytes):
        derived = type("D", (base,), {})
        raises(TypeError, "cannot create weak reference to 'D' object", lambda: weakref.ref(derived()))
        text = f"nonempty __slots__ not supported for subtype of '{base.__name__}'"
        raises(TypeError, text, lambda: type("D", (base,), {"__slots__": ("__weakref__",)}))
    for base in (list, str, dict, float, Exception):
        d = type("D", (base,), {})()
        assert weakref.ref(d)() is d
    for v in (1, "a", (), [], {}, b"", bytearray(), None, ValueError(), 1.5, range(3), slice(1), object()):
        raises(TypeError, f"cannot create weak reference to '{type(v).__name__}' object", lambda: weakref.ref(v))
    assert repr(weakref.ref[int]) == "weakref.ReferenceType[int]"
    raises(TypeError, "__new__ expected at most 2 arguments, got 3", lambda: weakref.ref(A, 1, 2))
    raises(TypeError, "ref() takes no keyword arguments", lambda: weakref.ref(A, callback=None))


class Holder:
    pass


module_list = []


def make_cell(y):
    def inner():
        return y

    return inner


def edges():
    x = module_list
    row, table, pair, holder, f = [x], {"k": x}, (x,), Holder(), make_cell(x)
    holder.x = x
    found = gc.get_referrers(x)
    for v in (row, table, pair, globals(), f.__closure__[0]):
        assert any(r is v for r in found), v
    assert not any(r is f for r in found)
    assert gc.get_referrers() == []
    assert gc.get_referents([1, 2], (3, 4)) == [2, 1, 4, 3]
    assert gc.get_referents(table) == [x] and gc.get_referents({1: 2}) == [2, 1]
    assert gc.get_referents() == gc.get_referents(1) == gc.get_referents("a") == []
    assert any(r is Holder for r in gc.get_referents(holder))
    assert any(r is x for r in gc.get_referents(f.__closure__[0]))
    assert any(r is f.__closure__ for r in gc.get_referents(f))


one_for_each()
plain_after_others()
many()
types()
for _ in range(2):
    edges()
print("ok")
