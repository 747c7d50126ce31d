# Calls in busy loops: defaults and keywords, bound and class methods, super(), natives of subclasses, conversions; and what
# becomes of them when a program changes what they rely on.
import sys
import types


def check(f):
    """What a loop gives when it is compiled, which is what it gives when it is new."""
    first = f(3)
    for n in (60, 60, 60, 3):
        got = f(n)
    assert got == first, (f.__name__, got, first)
    return f(60)


def defaults(n):
    def add(a, b=10, c=100):
        return a + b + c

    total = 0
    for i in range(n):
        total += add(i) + add(i, 1) + add(i, c=2) + add(a=i, c=1, b=2) + add(b=i, a=1)
    return total


def slowly(n):
    return sum(i + 110 + i + 101 + i + 12 + i + 3 + i + 101 for i in range(n))


assert check(defaults) == slowly(60)


def changed(n):
    def f(a, b=1):
        return a + b

    total = 0
    for i in range(n):
        if i == 40:
            f.__defaults__ = (1000,)
        if i == 50:
            f.__code__ = (lambda a, b: a - b).__code__
        total += f(i)
    return total


assert check(changed) == sum(i + 1 if i < 40 else i + 1000 if i < 50 else i - 1000 for i in range(60))


def wrong(n):
    def f(a, b, /, c=0):
        return a + b + c

    got = []
    for i in range(n):
        try:
            if i % 3 == 0:
                f(i, b=1)
            elif i % 3 == 1:
                f(i, 1, c=1, d=2)
            else:
                f(i)
        except TypeError as e:
            got.append(str(e).split("() ", 1)[1])
    return got[:3]


assert check(wrong) == ["got some positional-only arguments passed as keyword arguments: 'b'",
                        "got an unexpected keyword argument 'd'", "missing 1 required positional argument: 'b'"]


class Base:
    count = 0
    kind = "base"

    def __init__(self, x):
        self.x = x

    def value(self, more=0):
        return self.x + more

    @classmethod
    def make(cls, x):
        cls.count += 1
        return cls(x)

    @classmethod
    def which(cls):
        return cls.kind

    @staticmethod
    def twice(x):
        return x * 2


class Derived(Base):
    kind = "derived"

    def __init__(self, x, y=1):
        super().__init__(x)
        self.y = y

    def value(self, more=0):
        return super().value(more=more) + self.y

    @classmethod
    def which(cls):
        return super().which() + "!"


def objects(n):
    total = 0
    for i in range(n):
        a, b = Base(i), Derived(i, y=2)
        total += a.value() + b.value() + b.value(5) + Base.twice(i) + Derived.twice(i)
        total += Base.make(i).x + Derived.make(i).value()
        total += len(Base.which()) + len(Derived.which())
    return total


assert check(objects) == sum(i + i + 2 + i + 7 + 4 * i + i + i + 1 + 4 + 8 for i in range(60))


def bound(n):
    a, b = Base(1), Derived(2)
    methods, total = [a.value, b.value], 0
    f, append, out = b.value, [].append, []
    push = out.append
    for i in range(n):
        total += methods[i % 2](i) + f() + f(more=1)
        push(i)
        append(i)
    return total, len(out) - n


assert bound(60) == (sum((1 if i % 2 == 0 else 3) + i + 3 + 4 for i in range(60)), 0)


class Held:
    def __init__(self):
        self.f = lambda x: x + 1
        self.g = max

    def both(self, x):
        return self.f(x) + self.g(x, 3)


def held(n):
    h, total = Held(), 0
    for i in range(n):
        if i == 45:
            h.f = lambda x: x - 1
        total += h.both(i) + h.f(i)
    return total


assert held(60) == held(60) == sum(2 * (i + 1 if i < 45 else i - 1) + max(i, 3) for i in range(60))


def redefined(n):
    class A:
        def m(self):
            return 1

        @classmethod
        def c(cls):
            return 10

    class B(A):
        def m(self):
            return super().m() + 100

    b, total = B(), 0
    for i in range(n):
        if i == 20:
            A.m = lambda self: 2
        if i == 30:
            A.c = classmethod(lambda cls: 20)
        if i == 40:
            B.c = staticmethod(lambda: 30)
        if i == 50:
            del A.m
            A.m = lambda self: 3
        total += b.m() + B.c()
    return total


want = sum((1 if i < 20 else 2 if i < 50 else 3) + 100 + (10 if i < 30 else 20 if i < 40 else 30) for i in range(60))
assert redefined(60) == redefined(60) == want


class Row(list):
    pass


class Odd(list):
    def __iter__(self):
        return iter([len(self)])

    def append(self, x):
        super().append(x)
        super().append(x)


def rows(n):
    total = 0
    for i in range(n):
        r = Row()
        r.append(i)
        r.append(1)
        for x in r:
            total += x
        total += r.pop() + len(r)
        o = Odd()
        o.append(i)
        for x in o:
            total += x
    return total


assert rows(60) == rows(60) == sum(i + 1 + 1 + 1 + 2 for i in range(60))


def numbers(n):
    total = 0
    for i in range(n):
        x = float(i) + 0.75
        total += int(x) + int(i) + float(x) + (i).bit_length() + x.is_integer()
        big = i + (1 << 62)
        big ^= 1 << 63
        total += (big & 7) + (big >> 62) + (big | 1) % 2
    return total


def numbers_slowly(n):
    return sum(i + i + i + 0.75 + i.bit_length() + (i & 7) + 3 + 1 for i in range(n))


assert numbers(60) == numbers(60) == numbers_slowly(60)
for bad in (float("inf"), float("nan")):

    def infinite(n):
        for i in range(n):
            x = bad if i == n - 1 else 1.5
            try:
                assert int(x) == 1
            except (OverflowError, ValueError) as e:
                return type(e).__name__, str(e)

    assert check(infinite) in [("OverflowError", "cannot convert float infinity to integer"),
                               ("ValueError", "cannot convert float NaN to integer")]


def containers(n):
    seen, table, word, hits = set(), {}, "skein", 0
    for i in range(n):
        key = i % 7
        hits += key in seen
        hits += key not in table
        hits += ("k" if i % 2 else "z") in word
        hits += i in (1, 2, 3)
        seen.add(key)
        table[key] = i
        hits += table.get(key, -1) == i
        hits += table.get(i + 100) is None
    return hits


assert containers(60) == containers(60) == 53 + 7 + 30 + 3 + 60 + 60

counter = 0


def counts(n):
    global counter
    for i in range(n):
        counter += 1
        if i == 30:
            globals().pop("counter")
            globals()["counter"] = 1000
    return counter


counter = 0
assert counts(20) == 20 and counts(60) == 1029
counter = 0
assert counts(60) == 1029 and counter == 1029


def unbound():
    global counter
    for i in range(60):
        counter = i
        if i == 50:
            del counter
            try:
                counter
            except NameError as e:
                return str(e)


assert unbound() == unbound() == "name 'counter' is not defined"


# A global that each round reads and writes.
total = 0
for number in range(1000):
    total += number
assert total == 499500


# The same code with other globals.
def in_globals(n):
    global place
    for i in range(n):
        place = place + step
    return place


place, step = 0, 1
assert in_globals(100) == 100 and in_globals(100) == 200
other = types.FunctionType(in_globals.__code__, {"place": 5, "step": 10})
assert other(100) == 1005 and in_globals(100) == 300 and other(1) == 1015 and place == 300
assert other.__globals__["place"] == 1015


def lists(n):
    total, kept = 0, []
    for i in range(n):
        row = [i, i + 1, i + 2]
        a, b, c = row
        total += a * b + c + len([]) + len(row)
        if i % 20 == 0:
            row.append([row[0]])
            kept.append(row)
    return total, kept


for _ in range(3):
    assert lists(60) == (sum(i * (i + 1) + i + 5 for i in range(60)), [[i, i + 1, i + 2, [i]] for i in (0, 20, 40)])


# Frames that are looked at from within.
def looks(n):
    def inner(a, b=2, *, c=3):
        f = sys._getframe()
        return f.f_code.co_name, f.f_back.f_code.co_name, f.f_back.f_locals["i"], sorted(f.f_locals.items())[:3]

    class A:
        def m(self, i):
            return inner(i)

    class B(A):
        def m(self, i):
            return super().m(i)

    b, out = B(), []
    for i in range(n):
        out.append(b.m(i)[:3])
        if i % 9 == 0:
            out.append(inner(i, b=7)[:3])
    return out


assert looks(40)[-3:] == [("inner", "m", 37), ("inner", "m", 38), ("inner", "m", 39)]
assert looks(40) == looks(40) and ("inner", "looks", 36) in looks(40)


# Conversions whose argument is of another type, or says nothing, once the loop is compiled.
def converted(kind, values):
    out = []
    for value in values:
        try:
            out.append(kind(value))
        except ValueError as error:
            out.append(str(error))
    return out


assert converted(int, ["1"] * 500) == [1] * 500
assert converted(int, [1.5] * 500 + [True, 2**70, "x"])[499:] == [1, 1, 2**70, "invalid literal for int() with base 10: 'x'"]
assert converted(int, ["7", 7] * 300)[-2:] == [7, 7]
assert converted(str, [1] * 500) == ["1"] * 500
assert converted(str, [1.5] * 500 + [True, None])[499:] == ["1.5", "True", "None"]
assert converted(float, [1] * 500) == [1.0] * 500
assert converted(float, [1.5] * 500 + ["2", True])[499:] == [1.5, 2.0, 1.0]


def by_name(a, b):
    return a, b


def named(rows):
    return [by_name(**row) for row in rows]


assert named([{"a": 1, "b": 2}] * 500) == [(1, 2)] * 500
assert named([{"b": 1, "a": 2}] * 500) == [(2, 1)] * 500
