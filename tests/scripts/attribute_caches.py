"""Whatever changes on a class is seen at places that have looked the attribute up many times before,
with objects of one class or of many."""


def make(n):
    """n classes with a common base, so that a place sees n shapes."""

    class Base:
        shared = "base"

        def method(self):
            return "base"

        def other(self):
            return "other"

    def init(self, x):
        self.x = x

    classes = []
    for i in range(n):
        classes.append(type("C%d" % i, (Base,), {"__init__": init, "pad%d" % i: i}))
    return Base, classes


def load(o):
    return o.x


def store(o, v):
    o.x = v


def call(o):
    return o.method()


def class_attribute(o):
    return o.shared


def warm(objects):
    for _ in range(20):
        for o in objects:
            load(o)
            store(o, o.x)
            call(o)
            class_attribute(o)


for n in (1, 3, 12):
    Base, classes = make(n)
    objects = [c(i) for i, c in enumerate(classes)]
    warm(objects)
    assert [load(o) for o in objects] == list(range(n))

    # A method of the base is replaced, overridden below, deleted there again.
    Base.method = lambda self: "new"
    assert [call(o) for o in objects] == ["new"] * n
    warm(objects)
    classes[0].method = lambda self: "own"
    assert [call(o) for o in objects] == ["own"] + ["new"] * (n - 1)
    warm(objects)
    del classes[0].method
    assert [call(o) for o in objects] == ["new"] * n
    warm(objects)

    # Class attributes, as counters.
    for i in range(100):
        Base.shared = i
        assert [class_attribute(o) for o in objects] == [i] * n
    warm(objects)

    # An attribute of the object hides the method.
    objects[-1].method = lambda: "mine"
    assert call(objects[-1]) == "mine"
    assert [call(o) for o in objects[:-1]] == ["new"] * (n - 1)
    del objects[-1].method
    assert call(objects[-1]) == "new"
    warm(objects)

    # A data descriptor wins over the object's attribute, as soon as it is there.
    Base.x = property(lambda self: "property", lambda self, v: seen.append(v))
    seen = []
    assert [load(o) for o in objects] == ["property"] * n
    for o in objects:
        store(o, 5)
    assert seen == [5] * n
    del Base.x
    assert [load(o) for o in objects] == list(range(n))
    warm(objects)

    # One that does not set does not.
    class Plain:
        def __get__(self, obj, owner=None):
            return "plain"

    Base.x = Plain()
    assert [load(o) for o in objects] == list(range(n))
    del Base.x
    warm(objects)

    # __getattribute__, __setattr__ and __getattr__ that come later.
    Base.__getattribute__ = lambda self, name: "any " + name
    assert [load(o) for o in objects] == ["any x"] * n
    del Base.__getattribute__
    assert [load(o) for o in objects] == list(range(n))
    warm(objects)
    Base.__setattr__ = lambda self, name, v: object.__setattr__(self, name, v + 1)
    for o in objects:
        store(o, 10)
    assert [load(o) for o in objects] == [11] * n
    del Base.__setattr__
    for i, o in enumerate(objects):
        store(o, i)
    warm(objects)

    # Deleted attributes are gone, and found by __getattr__ if there is one.
    del objects[0].x
    try:
        load(objects[0])
    except AttributeError:
        pass
    else:
        raise AssertionError("the attribute was deleted")
    Base.__getattr__ = lambda self, name: "missing " + name
    assert load(objects[0]) == "missing x"
    del Base.__getattr__
    store(objects[0], 0)
    warm(objects)

    # Other bases, another class.
    class Elsewhere:
        shared = "elsewhere"

        def method(self):
            return "elsewhere"

    classes[-1].__bases__ = (Elsewhere,)
    assert call(objects[-1]) == "elsewhere" and class_attribute(objects[-1]) == "elsewhere"
    assert load(objects[-1]) == n - 1
    warm(objects)

    class Twin:
        def method(self):
            return "twin"

        shared = "twin"

    objects[0].__class__ = Twin
    assert call(objects[0]) == "twin" and load(objects[0]) == 0
    assert class_attribute(objects[0]) == "twin"


# Slots.
class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


class Slotted2(Slotted):
    __slots__ = ("y",)


several = [Slotted(1), Slotted2(2), type("S3", (Slotted,), {})(3), type("S4", (Slotted2,), {})(4)]
several += [type("S%d" % i, (Slotted,), {})(i) for i in range(5, 12)]
for _ in range(20):
    assert [load(o) for o in several] == [1, 2, 3, 4] + list(range(5, 12))
    for o in several:
        store(o, o.x)
del several[0].x
try:
    load(several[0])
except AttributeError:
    pass
else:
    raise AssertionError("the slot is empty")


# Subclasses of builtin types, which come to have a dictionary.
class L(list):
    def size(self):
        return len(self)


def size(o):
    return o.size()


lists = [L("ab") for _ in range(3)]
for _ in range(20):
    assert [size(o) for o in lists] == [2, 2, 2]
lists[1].size = lambda: "mine"
assert [size(o) for o in lists] == [2, "mine", 2]
lists[2].__dict__["size"] = lambda: "dict"
assert [size(o) for o in lists] == [2, "mine", "dict"]
del lists[1].size
assert [size(o) for o in lists] == [2, 2, "dict"]


# ---- attributes that are deleted


class Loses:
    pass


def loses(n):
    out = []
    for i in range(n):
        o = Loses()
        o.a, o.b, o.c, o.d = i, i + 1, i + 2, i + 3
        del o.b
        o.e = o.a + o.d
        del o.d, o.a
        o.b = -i
        out.append((list(o.__dict__.items()) if i % 50 == 0 else None, o.c, o.e, o.b, hasattr(o, "a")))
    return out


for i, (items, c, e, b, a) in enumerate(loses(400)):
    assert (c, e, b, a) == (i + 2, 2 * i + 3, -i, False)
    assert items is None or items == [("c", i + 2), ("e", 2 * i + 3), ("b", -i)], items


# In any order, more than there may be shapes of.
import itertools

for order in itertools.permutations("abcde"):
    o = Loses()
    for name in "abcde":
        setattr(o, name, name)
    for n, name in enumerate(order):
        delattr(o, name)
        rest = [x for x in "abcde" if x not in order[: n + 1]]
        assert [x for x in "abcdef" if hasattr(o, x)] == rest
        assert all(getattr(o, x) == x for x in rest)
    try:
        del o.a
    except AttributeError as error:
        assert str(error) == "'Loses' object has no attribute 'a'", error
    else:
        assert False
    assert o.__dict__ == {}


class Many:
    """More attributes than stand in the instance itself."""


o = Many()
for i in range(40):
    setattr(o, f"x{i}", i)
for i in range(0, 40, 3):
    delattr(o, f"x{i}")
assert {k: v for k, v in vars(o).items()} == {f"x{i}": i for i in range(40) if i % 3}


class Slotted:
    __slots__ = ("s", "t", "__dict__")


o = Slotted()
o.s, o.t, o.u, o.v = 1, 2, 3, 4
del o.s, o.u
assert (o.t, o.v, hasattr(o, "s"), o.__dict__) == (2, 4, False, {"v": 4})
