"""Whatever an instruction calls for its own purpose runs on a heap frame: a switch in it is a soft
one, wherever it is. On an implementation without `stackless.switch_counts` only the results count."""
from greenlet import greenlet, getcurrent

try:
    from stackless import switch_counts
except ImportError:

    def switch_counts():
        return 0, 0


main = getcurrent()
hard_places = []


def pause(value=None):
    """Leaves for the main greenlet, which comes back with the same value."""
    return main.switch(value)


def check(name, body, expected, soft=True):
    """Runs `body` in a greenlet, resuming it at every pause; its result must be `expected`."""
    g = greenlet(body)
    before = switch_counts()[1]
    sent, pauses = g.switch(), 0
    while not g.dead:
        pauses += 1
        sent = g.switch(sent)
    assert sent == expected, (name, sent)
    assert pauses > 0, name
    hard = switch_counts()[1] - before
    if soft and hard:
        hard_places.append((name, hard))


class Operators:
    def __init__(self, n=1):
        self.n = pause(n)

    def __bool__(self):
        return pause(self.n > 0)

    def __eq__(self, other):
        return pause(self.n == other.n)

    def __lt__(self, other):
        return pause(self.n < other.n)

    def __add__(self, other):
        return pause(self.n + other)

    def __radd__(self, other):
        return pause(self.n + other + 100)

    def __iadd__(self, other):
        self.n += pause(other)
        return self

    def __mul__(self, other):
        pause()
        return NotImplemented

    def __neg__(self):
        return pause(-self.n)

    def __invert__(self):
        return pause(~self.n)

    def __getitem__(self, key):
        return pause((self.n, key))

    def __setitem__(self, key, value):
        self.n = pause((key, value))

    def __delitem__(self, key):
        self.n = pause(key)

    def __contains__(self, key):
        return pause(key == self.n)

    def __call__(self, *args):
        return pause((self.n, args))

    def __enter__(self):
        return pause("entered")

    def __exit__(self, *exc):
        return pause(True)

    def __iter__(self):
        pause()
        return Countdown(self.n)

    def __format__(self, spec):
        return pause(f"<{spec}>")

    def __str__(self):
        return pause("text")

    def __repr__(self):
        return pause("form")

    def __hash__(self):
        return 1


class Right:
    def __rmul__(self, other):
        return pause("right")


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        pause()
        self.n -= 1
        if self.n < 0:
            raise StopIteration
        return self.n


class Lengthy:
    def __len__(self):
        return pause(3)


check("init", lambda: Operators(5).n, 5)
check("bool", lambda: "yes" if Operators() else "no", "yes")
check("not", lambda: not Operators(), False)
check("and", lambda: (Operators() and 7), 7)
check("len as truth", lambda: "long" if Lengthy() else "empty", "long")
check("eq", lambda: Operators(3) == Operators(3), True)
check("ne", lambda: Operators(3) != Operators(3), False)
check("lt", lambda: Operators(3) < Operators(4), True)
check("gt reflected", lambda: Operators(3) > Operators(4), False)
check("chain", lambda: Operators(3) < Operators(4) < Operators(5), True)
check("add", lambda: Operators(3) + 4, 7)
check("radd", lambda: 4 + Operators(3), 107)
check("reflected after NotImplemented", lambda: Operators(1) * Right(), "right")
check("neg", lambda: -Operators(3), -3)
check("invert", lambda: ~Operators(3), -4)
check("getitem", lambda: Operators(3)["k"], (3, "k"))
check("slice", lambda: Operators(3)[1:2], (3, slice(1, 2)))
check("contains", lambda: 3 in Operators(3), True)
check("not in", lambda: 3 not in Operators(3), False)
check("call", lambda: Operators(3)(1, 2), (3, (1, 2)))
check("call with keywords unpacked", lambda: Operators(3)(*(1, 2)), (3, (1, 2)))
check("format", lambda: f"{Operators(3):x}", "<x>")
check("str in f-string", lambda: f"{Operators(3)!s}", "text")
check("repr in f-string", lambda: f"{Operators(3)!r}", "form")
check("for", lambda: [x for x in Operators(3)], [2, 1, 0])
check("star in list", lambda: [*Operators(3)], [2, 1, 0], soft=False)
check("star in call", lambda: max(*Operators(3)), 2, soft=False)


def statements():
    o = Operators(3)
    o += 4
    o["a"] = "b"
    first = o.n
    del o["z"]
    a, b, c = Countdown(3)
    a2, *rest = Countdown(3)
    with o as entered:
        raise ValueError
    return first, o.n, a, b, c, a2, rest, entered


check("statements", statements, (("a", "b"), "z", 2, 1, 0, 2, [1, 0], "entered"), soft=False)


def with_statement():
    with Operators(3) as entered:
        raise ValueError
    return entered


check("with", with_statement, "entered")


def subscripts():
    o = Operators(3)
    o["a"] = "b"
    first = o.n
    del o["z"]
    o.n = 1
    o += 4
    return first, o.n


check("setitem, delitem, inplace", subscripts, (("a", "b"), 5))


class Descriptor:
    def __get__(self, obj, owner=None):
        return pause("got")

    def __set__(self, obj, value):
        obj.__dict__["kept"] = pause(value)

    def __delete__(self, obj):
        obj.__dict__["kept"] = pause("deleted")


class Attributes:
    descriptor = Descriptor()

    @property
    def prop(self):
        return pause("prop")

    @prop.setter
    def prop(self, value):
        self.__dict__["set"] = pause(value)

    @prop.deleter
    def prop(self):
        self.__dict__["set"] = pause("gone")

    @classmethod
    def class_method(cls):
        return pause(cls.__name__)

    @staticmethod
    def static_method():
        return pause("static")

    def __getattr__(self, name):
        return pause("missing " + name)


class Getattribute:
    def __getattribute__(self, name):
        return pause("any " + name)


class GetattributeThenGetattr:
    def __getattribute__(self, name):
        pause()
        raise AttributeError(name)

    def __getattr__(self, name):
        return pause("then " + name)


class Setattr:
    def __setattr__(self, name, value):
        object.__setattr__(self, name, pause(value))

    def __delattr__(self, name):
        object.__setattr__(self, name, pause("deleted"))


def attribute_stores():
    a, s = Attributes(), Setattr()
    a.prop = 1
    one = a.__dict__["set"]
    del a.prop
    a.descriptor = 2
    two = a.__dict__["kept"]
    del a.descriptor
    s.x = 3
    three = s.x
    del s.x
    return one, a.__dict__["set"], two, a.__dict__["kept"], three, s.x


check("property", lambda: Attributes().prop, "prop")
check("descriptor", lambda: Attributes().descriptor, "got")
check("descriptor of class", lambda: Attributes.descriptor, "got")
check("getattr", lambda: Attributes().nothing, "missing nothing")
check("getattribute", lambda: Getattribute().thing, "any thing")
check("getattribute, then getattr", lambda: GetattributeThenGetattr().thing, "then thing")
check("class method", lambda: Attributes.class_method(), "Attributes")
check("static method", lambda: Attributes.static_method(), "static")
check("stores", attribute_stores, (1, "gone", 2, "deleted", 3, "deleted"))


class Meta(type):
    def __new__(mcs, name, bases, ns, **kw):
        pause()
        return super().__new__(mcs, name, bases, ns)

    def __init__(cls, name, bases, ns, **kw):
        cls.keyword = pause(kw.get("keyword"))

    def __call__(cls, *args):
        return pause((cls.__name__, args))

    @classmethod
    def __prepare__(mcs, name, bases, **kw):
        return {"prepared": pause(True)}


class WithNew:
    def __new__(cls, n):
        self = super().__new__(cls)
        self.n = pause(n)
        return self

    def __init__(self, n):
        self.m = pause(n + 1)


class Base:
    def __init_subclass__(cls, **kw):
        cls.made = pause(sorted(kw))


class Named:
    def __set_name__(self, owner, name):
        self.name = pause(name)


def make_class():
    class C(metaclass=Meta, keyword=4):
        inside = pause("body")

    return C.inside, C.prepared, C.keyword, C(1)


def make_subclass():
    class D(Base, a=1, b=2):
        x = Named()

    return D.made, D.x.name


def decorate():
    def decorator(f):
        return pause(f)

    @decorator
    @decorator
    def f(x=pause(3)):
        return x

    return f()


check("new and init", lambda: (lambda o: (o.n, o.m))(WithNew(1)), (1, 2))
check("class body and metaclass", make_class, ("body", True, 4, ("C", (1,))))
check("init_subclass and set_name", make_subclass, (["a", "b"], "x"))
check("decorators and defaults", decorate, 3)


def generator(n):
    for i in range(n):
        got = yield pause(i)
        if got:
            yield pause(got)


def delegating(n):
    result = yield from generator(n)
    return result


def generators():
    g = generator(3)
    first = next(g)
    sent = g.send("x")
    rest = [x for x in g]
    return first, sent, rest, [x for x in delegating(2)], [y for y in (pause(z) for z in range(2))]


check("generators", generators, (0, "x", [1, 2], [0, 1], [0, 1]))


class Awaitable:
    def __await__(self):
        pause()
        yield pause("step")
        return "awaited"


class Async:
    def __init__(self):
        self.n = 0

    async def __aenter__(self):
        return pause("aentered")

    async def __aexit__(self, *exc):
        return pause(True)

    def __aiter__(self):
        pause()
        return self

    async def __anext__(self):
        self.n += 1
        if pause(self.n) > 2:
            raise StopAsyncIteration
        return self.n


async def async_generator():
    yield pause(1)
    yield pause(2)


async def coroutine():
    async with Async() as entered:
        pass
    seen = [x async for x in Async()]
    more = [x async for x in async_generator()]
    return entered, seen, more, await Awaitable()


def drive():
    c = coroutine()
    try:
        while True:
            c.send(None)
    except StopIteration as e:
        return e.value


check("coroutines", drive, ("aentered", [1, 2], [1, 2], "awaited"))


class Checked(type):
    def __instancecheck__(cls, obj):
        return pause(obj == 7)


class Seven(metaclass=Checked):
    pass


def match():
    match 7:
        case Seven():
            return "seven"


class Raised(Exception):
    def __init__(self, n):
        super().__init__(n)
        self.n = pause(n)


def raising():
    try:
        raise Raised(3)
    except Raised as e:
        return e.n
    finally:
        pause()


check("class pattern", match, "seven", soft=False)
check("exceptions", raising, 3)
check("recursion", lambda: (lambda f: f(f, 50))(lambda f, n: pause(n) if n == 0 else f(f, n - 1)), 0)
assert not hard_places, hard_places
