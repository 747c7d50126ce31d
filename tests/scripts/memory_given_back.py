"""What nothing leads to is gone after a collection: objects, their classes, the classes' methods."""
import gc
import weakref


class Thing:
    pass


def locals_and_temporaries():
    thing = Thing()
    seen = weakref.ref(thing)
    gc.collect()
    # Nothing reads it any more, but it is a local variable.
    assert seen() is not None and "thing" in locals()
    del thing
    gc.collect()
    assert seen() is None

    seen = weakref.ref(Thing.__new__(Thing))
    gc.collect()
    assert seen() is None

    thing = Thing()
    thing.me = thing
    seen = weakref.ref(thing)
    thing = None
    gc.collect()
    assert seen() is None


def arguments(thing, *more):
    seen = weakref.ref(thing)
    del thing
    gc.collect()
    return seen


def what_callers_hold():
    thing = Thing()
    seen = arguments(thing, thing)
    assert seen() is thing
    # The caller's own reference is the last: the row of arguments is none.
    del thing
    gc.collect()
    assert seen() is None


def exceptions():
    try:
        raise ValueError
    except ValueError as e:
        e.thing = Thing()
        seen = weakref.ref(e.thing)
    gc.collect()
    assert seen() is None


def generators():
    def numbers(thing):
        seen = weakref.ref(thing)
        yield seen
        del thing
        gc.collect()
        yield seen() is None
        for i in range(3):
            other = Thing()
            yield i
        yield weakref.ref(other)

    g = numbers(Thing())
    assert next(g)() is not None
    assert next(g) is True
    assert [next(g) for _ in range(3)] == [0, 1, 2]
    last = next(g)
    gc.collect()
    assert last() is not None
    g.close()
    del g
    gc.collect()
    assert last() is None


def make_class():
    class Made:
        constant = 1

        def method(self):
            return " a ".strip() + str(self.constant)

    class Derived(Made):
        __slots__ = ("slot",)

    Made().method(), Derived().method()
    return [weakref.ref(x) for x in (Made, Derived, Made.method)]


def classes():
    made = [make_class() for _ in range(20)]
    before = len(object.__subclasses__())
    for _ in range(3):
        gc.collect()
    # A word on the native stack may still look like a reference to the last ones.
    assert sum(r() is not None for row in made for r in row) <= 3
    assert len(object.__subclasses__()) <= before
    # Instances keep theirs.
    thing = type("Kept", (), {"f": lambda self: 5})()
    gc.collect()
    assert thing.f() == 5 and type(thing).__name__ == "Kept"
    thing.__class__ = type("Other", (), {"f": lambda self: 6})
    gc.collect()
    assert thing.f() == 6


def interned_names():
    from sys import intern

    for i in range(2000):
        thing = Thing()
        setattr(thing, "name%d" % i, i)
        assert getattr(thing, intern("name%d" % i)) == i
    gc.collect()
    thing = Thing()
    for i in range(100):
        setattr(thing, "other%d" % i, i)
    gc.collect()
    assert [getattr(thing, "other%d" % i) for i in range(100)] == list(range(100))
    assert list(vars(thing)) == ["other%d" % i for i in range(100)]


locals_and_temporaries()
what_callers_hold()
exceptions()
generators()
classes()
interned_names()
print("ok")


# A code that a program keeps does not keep the namespaces that it was executed in, and runs in others after them.
class Kept:
    pass


code = compile("def f(): return kept\nkept.n += len([kept]); g = f()", "kept.py", "exec")
refs = []
for n in range(5):
    space = {"kept": Kept()}
    space["kept"].n = n
    for _ in range(3):
        exec(code, space)
    assert space["g"] is space["kept"] and space["kept"].n == n + 3
    refs.append(weakref.ref(space["kept"]))
    del space
    gc.collect()
gc.collect()
assert [r() for r in refs] == [None] * 5, refs

# A global that is deleted goes too, though code has found it before.
gone = Kept()
gone_ref = weakref.ref(gone)
source = compile("gone\ngone", "gone.py", "exec")
exec(source)
del gone
gc.collect()
assert gone_ref() is None
try:
    exec(source)
except NameError as e:
    assert str(e) == "name 'gone' is not defined"
else:
    assert False
gone = 5
exec(source)
