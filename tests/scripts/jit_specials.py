"""Special methods of Python classes, calls of instances and with unpacked arguments, attributes by hooks, in traces; and
what becomes of the traces when the classes change."""


class Vector:
    def __init__(self, *items, scale=1):
        self.items = [x * scale for x in items]

    def __getitem__(self, i):
        return self.items[i]

    def __setitem__(self, i, v):
        self.items[i] = v

    def __len__(self):
        return len(self.items)

    def __contains__(self, x):
        return x in self.items

    def __iter__(self):
        for x in self.items:
            yield x

    def __eq__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return self.items == other.items

    def __lt__(self, other):
        return len(self) < len(other)

    def __bool__(self):
        return bool(self.items)

    def __call__(self, a, b=2, *rest, **named):
        return a + b + len(rest) + len(named) + len(self)

    def __getattr__(self, name):
        if name.startswith("no"):
            raise AttributeError(name)
        return name

    @property
    def first(self):
        return self.items[0]

    @first.setter
    def first(self, v):
        self.items[0] = v


def run(v, w, n):
    total = 0
    for i in range(n):
        v[1] = i
        total += v[1] + v[0]
        if v == w:
            total += 1
        if v != w:
            total += 2
        if v < w:
            total += 4
        if 3 in v:
            total += 8
        if i not in w:
            total += 16
        if v:
            total += 32
        if not w:
            total += 64
        total += v(i) + v(i, 3, 4, x=5) + v(*(1, 2)) + v(**{"a": 1, "b": 5})
        v.first = v.first + 1
        total += len(v.some) + sum(v) % 7
        for x in w:
            total += x
    return total


def model(items, others, n):
    items = list(items)
    total = 0
    for i in range(n):
        items[1] = i
        total += items[1] + items[0]
        total += 1 if items == others else 2
        if len(items) < len(others):
            total += 4
        if 3 in items:
            total += 8
        if i not in others:
            total += 16
        total += 32
        size = len(items)
        total += (i + 2 + size) + (i + 3 + 1 + 1 + size) + (3 + size) + (6 + size)
        items[0] += 1
        total += 4 + sum(items) % 7 + sum(others)
    return total


for n in (10, 300):
    assert run(Vector(1, 2, 3), Vector(1, 2, 3, 4), n) == model([1, 2, 3], [1, 2, 3, 4], n)
assert Vector(1, 2, scale=3).items == [3, 6]


def equal(a, b, n):
    return sum([a == b for _ in range(n)])


class Plain:
    pass


a, b = Vector(1), Vector(1)
assert equal(a, b, 200) == 200 and equal(a, 5, 200) == 0 and equal(5, a, 200) == 0
assert equal(Plain(), Plain(), 200) == 0
Vector.__eq__ = lambda self, other: False
assert equal(a, b, 200) == 0
Vector.__eq__ = lambda self, other: self is other
assert equal(a, b, 200) == 0 and equal(a, a, 200) == 200


def hooks(o, n):
    found = missed = 0
    for i in range(n):
        try:
            found += len(o.abc) + len(o.nothing)
        except AttributeError:
            missed += 1
    return found, missed


assert hooks(a, 100) == (0, 100)
a.nothing = "xy"
assert hooks(a, 100) == (500, 0)
Vector.abc = "x"
assert hooks(a, 100) == (300, 0)
del Vector.abc, a.nothing
assert hooks(a, 100) == (0, 100)


def wraps(f):
    def wrapped(*args, **named):
        return f(*args, **named)

    return wrapped


@wraps
def add(a, b=10, *, c=100):
    return a + b + c


def decorated(n):
    return [sum(add(i) for i in range(n)), sum([add(i, 1) for i in range(n)]), sum([add(i, c=1) for i in range(n)]),
            sum([add(b=2, a=i) for i in range(n)])]


n = 200
s = sum(range(n))
assert decorated(n) == [s + 110 * n, s + 101 * n, s + 11 * n, s + 102 * n]


def unpacked(rows, n):
    total = 0
    for i in range(n):
        row = rows[i % len(rows)]
        try:
            total += add(*row)
        except TypeError as e:
            total += len(str(e)) > 10
    return total


assert unpacked([(1,), (1, 2), [3, 4], (1, 2, 3, 4), ()], 500) == 100 * (111 + 103 + 107 + 1 + 1)


class Base:
    def __new__(cls, *args):
        self = object.__new__(cls)
        self.made = len(args)
        return self


class Made(Base):
    def __init__(self, a=1, *rest, k=2):
        self.sum = a + k + len(rest)


class Empty:
    pass


class Defaults:
    def __init__(self, a, b=2, *, c=3):
        self.sum = a + b + c


def instances(n):
    total = 0
    for i in range(n):
        total += Made().sum + Made(2, 3).made + Defaults(i).sum + Defaults(i, c=1).sum + Defaults(*(1, 2)).sum
        total += isinstance(Empty(), Empty)
        if i == n // 2:
            Empty.__init__ = lambda self: None
            Defaults.__init__.__defaults__ = (20,)
    return total


expected = 0
for i in range(300):
    b = 2 if i <= 150 else 20
    expected += 3 + 2 + (i + b + 3) + (i + b + 1) + 6 + 1
assert instances(300) == expected
try:
    for i in range(100):
        Empty(*([1] if i == 90 else []))
except TypeError as e:
    assert i == 90 and "positional argument" in str(e), e
else:
    assert False


def kinds(values, n):
    ints = texts = 0
    for i in range(n):
        v = values[i % len(values)]
        if type(v) is int:
            ints += v
        elif type(v) is str:
            texts += int(v) + len(str(v)) + len(str(i))
    return ints, texts


count = sum(len(str(i)) for i in range(1, 600, 3))
assert kinds([1, "22", None], 600) == (200, 200 * 24 + count)
for i in range(100):
    try:
        int("12" if i < 90 else "1_2x")
    except ValueError as e:
        assert i >= 90 and str(e) == "invalid literal for int() with base 10: '1_2x'"
assert [int(s) for s in ["-5", "+5", " 7 ", "1_0", "٣"] * 30][:5] == [-5, 5, 7, 10, 3]
print("ok")
