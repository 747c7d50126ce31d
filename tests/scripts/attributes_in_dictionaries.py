"""Attributes of objects that keep them in a dictionary, and what their classes have behind it, while both change."""
import sys
import types


class Row(list):
    kind = "row"

    def total(self):
        return sum(self)

    @staticmethod
    def still():
        return "still"

    @classmethod
    def made(cls):
        return cls.__name__


def use(o):
    return o.kind, o.total(), o.still(), o.made(), o.total


def store(o, v):
    o.own = v
    return o.own


row = Row([1, 2, 3])
for i in range(20):
    assert store(row, i) == i
    kind, total, still, made, bound = use(row)
    assert (kind, total, still, made, bound()) == ("row", 6, "still", "Row", 6)
assert row.__dict__ == {"own": 19}

# What the object has itself wins over the class, and no longer when it is gone.
row.total = lambda: "mine"
row.kind = "own"
assert use(row)[:2] == ("own", "mine")
del row.total, row.kind
assert use(row)[:2] == ("row", 6)
row.__dict__["total"] = lambda: "written"
assert use(row)[1] == "written"
row.__dict__ = {"kind": "replaced"}
assert use(row)[:2] == ("replaced", 6)
row.__dict__.clear()

# The class changes, and its base.
Row.total = lambda self: -1
assert use(row)[1] == -1
Row.kind = property(lambda self: "computed")
row.__dict__["kind"] = "hidden"
assert use(row)[0] == "computed"
try:
    row.kind = 1
except AttributeError:
    pass
else:
    raise AssertionError("a property without a setter was set")
Row.kind = "row"
assert use(row)[0] == "hidden"


class Base(dict):
    pass


class Sub(Base):
    pass


def late(o):
    try:
        return o.late
    except AttributeError:
        return None


sub = Sub()
sub.x = 1
for _ in range(8):
    assert late(sub) is None
Base.late = 7
assert late(sub) == 7
Sub.late = 8
assert late(sub) == 8
del Sub.late, Base.late
assert late(sub) is None
Base.__getattr__ = lambda self, name: "any " + name
assert late(sub) == "any late"
Base.__getattribute__ = lambda self, name: "always"
assert late(sub) == "always"
del Base.__getattribute__, Base.__getattr__
assert late(sub) is None and sub.x == 1


# A descriptor becomes one that sets.
class Descriptor:
    def __get__(self, obj, cls):
        return "got"


class Holder(str):
    d = Descriptor()


def d_of(o):
    return o.d


def set_d(o, v):
    o.d = v


h = Holder("h")
h.other = 1
for _ in range(8):
    assert d_of(h) == "got"
for _ in range(8):
    set_d(h, "own")
assert d_of(h) == "own"
taken = []
Descriptor.__set__ = lambda self, obj, v: taken.append(v)
assert d_of(h) == "got"
set_d(h, 5)
assert taken == [5] and h.__dict__["d"] == "own"
del Descriptor.__set__
assert d_of(h) == "own"

# Ways of its own to set.
seen = []


class Watched(Exception):
    def __setattr__(self, name, value):
        seen.append(name)
        super().__setattr__(name, value)


def mark(e, v):
    e.mark = v


for cls in (Exception, Watched, Exception, Watched):
    e = cls("x")
    e.first = 1
    for i in range(6):
        mark(e, i)
    assert e.mark == 5
assert seen.count("mark") == 12
plain = type("Plain", (Exception,), {})
p = plain()
p.first = 1
for i in range(6):
    mark(p, i)
plain.__setattr__ = lambda self, name, value: seen.append((name, value))
mark(p, 99)
assert p.mark == 5 and seen[-1] == ("mark", 99)


# Slots beside a dictionary, of a builtin layout; modules; classes of a metaclass.
class Slotted(dict):
    __slots__ = ("slot", "__dict__")


def fill(o, v):
    o.slot = v
    o.free = v
    return o.slot, o.free


for i in range(8):
    s = Slotted()
    assert fill(s, i) == (i, i) and fill(s, i + 1) == (i + 1, i + 1)


class Module(types.ModuleType):
    __slots__ = ("slot",)
    shared = "shared"


m = Module("m")


def fill_module(o, v):
    o.slot = v
    o.free = v
    return o.slot, o.free, o.shared


for i in range(8):
    assert fill_module(m, i) == (i, i, "shared")
assert vars(m)["free"] == 7 and "slot" not in vars(m)


class Meta(type):
    common = "meta"


class Made(metaclass=Meta):
    pass


def common(c):
    c.count = getattr(c, "count", 0) + 1
    return c.common


for i in range(8):
    assert common(Made) == "meta"
Made.common = "own"
assert common(Made) == "own" and Made.count == 9


# Another class for the same object.
class A(list):
    def who(self):
        return "A"


class B(list):
    def who(self):
        return "B"


def who(o):
    return o.who(), o.who


o = A()
o.x = 1
for _ in range(8):
    assert who(o)[0] == "A" and who(o)[1]() == "A"
o.__class__ = B
assert who(o)[0] == "B" and who(o)[1]() == "B" and o.x == 1


# What objects without a dictionary have from their classes, bound or not.
class Point:
    __slots__ = ("x",)
    origin = (0, 0)

    def norm(self):
        return abs(self.x)


def parts(p):
    return p.origin, p.norm, [].append, "a".upper


for i in range(8):
    p = Point()
    p.x = -i
    origin, norm, append, upper = parts(p)
    assert origin == (0, 0) and norm() == i and norm.__self__ is p and upper() == "A"
Point.origin = 5
Point.norm = 6
assert parts(p)[:2] == (5, 6)
Point.norm = property(lambda self: self.x)
assert parts(p)[1] == -7
del Point.norm
try:
    parts(p)
except AttributeError:
    pass
else:
    raise AssertionError("there is no such attribute")

# Natives that are descriptors.
class Computed:
    x = types.MethodType
    length = staticmethod(len)


assert Computed.length([1]) == 1


class Bound:
    call = type.__dict__["__dict__"].__get__


assert isinstance(Bound().call(Point), types.MappingProxyType)


# Attributes that builtin types compute win over what is in a dictionary, also when the class has another of the name later.
class Named(Exception):
    pass


def cause(e):
    return e.__traceback__, e.args


e = Named(1)
e.x = 1
for _ in range(8):
    assert cause(e) == (None, (1,))
e.__dict__["args"] = "hidden"
assert cause(e) == (None, (1,))
Named.args = "class"
assert cause(e)[1] == "hidden"
del e.__dict__["args"]
assert cause(e)[1] == "class"
del Named.args
assert cause(e)[1] == (1,)
for o in (e, Named(2), ValueError(3), KeyError(4)):
    assert cause(o)[1] == (getattr(o, "args")[0],)
