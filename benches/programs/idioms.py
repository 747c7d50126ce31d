"""Benchmarks of what programs do in their loops, one row a run: idioms.py ROW [N]. Prints `RESULT row value unit`: the best
of three rounds in CPU time, per turn or item. They are so many and so small that a row tells of one thing only."""

import collections
import contextlib
import dataclasses
import enum
import sys
import time

clock = time.process_time
ROWS = {}
N = 200_000


def adder(rows):
    """The decorator of a program's rows."""

    def row(run):
        rows[run.__name__] = run
        return run

    return row


row = adder(ROWS)


class Empty:
    pass


class CM:
    def __enter__(self):
        return self

    def __exit__(self, *a):
        return None


@row
def with_stmt(n):
    c = CM()
    for i in range(n):
        with c:
            pass


@row
def new_empty(n):
    for i in range(n):
        Empty()


@contextlib.contextmanager
def cmgr():
    yield 1


@row
def with_contextmanager(n):
    for i in range(n):
        with cmgr():
            pass


@row
def gen_made(n):
    def g():
        yield 1
        yield 2

    s = 0
    for i in range(n):
        for x in g():
            s += x


@row
def genexpr_sum(n):
    r = range(5)
    s = 0
    for i in range(n):
        s += sum(x for x in r)


@row
def any_genexpr(n):
    r = [1, 2, 3, 4, 5]
    s = 0
    for i in range(n):
        if any(x == 3 for x in r):
            s += 1


@row
def listcomp_small(n):
    r = [1, 2, 3, 4, 5]
    for i in range(n):
        [x + 1 for x in r]


@row
def dictcomp_small(n):
    r = [1, 2, 3, 4, 5]
    for i in range(n):
        {x: x for x in r}


@row
def dict_iter_items(n):
    d = {str(i): i for i in range(10)}
    s = 0
    for i in range(n // 10):
        for k, v in d.items():
            s += v


@row
def dict_iter_keys(n):
    d = {str(i): i for i in range(10)}
    s = 0
    for i in range(n // 10):
        for k in d:
            s += d[k]


@row
def set_iter(n):
    d = set(range(10))
    s = 0
    for i in range(n // 10):
        for k in d:
            s += k


@row
def str_iter(n):
    t = "abcdefghij"
    s = 0
    for i in range(n // 10):
        for c in t:
            if c == "e":
                s += 1


@row
def str_index(n):
    t = "abcdefghij"
    s = 0
    for i in range(n):
        if t[i % 10] == "e":
            s += 1


@row
def str_concat(n):
    s = ""
    for i in range(n):
        s += "x"


@row
def str_join(n):
    for i in range(n // 10):
        "".join([str(x) for x in range(10)])


@row
def str_format(n):
    for i in range(n):
        "{} {}".format(i, "a")


@row
def sorted_small(n):
    l = [3, 1, 2]
    for i in range(n):
        sorted(l)


@row
def sorted_key_lambda(n):
    l = [(1, "b"), (0, "a"), (2, "c")]
    for i in range(n):
        sorted(l, key=lambda t: t[0])


@row
def min_max(n):
    s = 0
    for i in range(n):
        s += min(i, 5) + max(i, 7)


@row
def min_list(n):
    l = [3, 1, 2, 5]
    s = 0
    for i in range(n):
        s += min(l)


@row
def sum_list(n):
    l = [3, 1, 2, 5]
    s = 0
    for i in range(n):
        s += sum(l)


@row
def map_lambda(n):
    l = [3, 1, 2, 5]
    for i in range(n):
        list(map(lambda x: x + 1, l))


@row
def filter_lambda(n):
    l = [3, 1, 2, 5]
    for i in range(n):
        list(filter(lambda x: x > 2, l))


@row
def zip_dict(n):
    a = ["a", "b", "c"]
    b = [1, 2, 3]
    for i in range(n):
        dict(zip(a, b))


@row
def deque_ops(n):
    d = collections.deque([1, 2, 3])
    for i in range(n):
        d.append(i)
        d.popleft()


@row
def defaultdict_count(n):
    d = collections.defaultdict(int)
    for i in range(n):
        d[i & 15] += 1


@row
def counter_update(n):
    c = collections.Counter()
    for i in range(n):
        c[i & 15] += 1


P = collections.namedtuple("P", "x y")


@row
def namedtuple_new(n):
    for i in range(n):
        P(i, 2)


@row
def namedtuple_attr(n):
    p = P(1, 2)
    s = 0
    for i in range(n):
        s += p.x + p.y


@dataclasses.dataclass
class D:
    a: int
    b: int = 2


@row
def dataclass_new(n):
    for i in range(n):
        D(i)


@row
def dataclass_eq(n):
    a = D(1)
    b = D(1)
    s = 0
    for i in range(n):
        if a == b:
            s += 1


@dataclasses.dataclass(frozen=True, slots=True)
class F:
    a: int
    b: int = 2


@row
def frozen_new(n):
    for i in range(n):
        F(i)


class S:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a = a
        self.b = b


@row
def slots_new_attr(n):
    s = 0
    for i in range(n):
        s += S(i, 2).b


class E(enum.Enum):
    A = 1
    B = 2


@row
def enum_attr(n):
    s = 0
    for i in range(n):
        if E.A is E.B:
            s += 1


@row
def enum_value(n):
    s = 0
    e = E.B
    for i in range(n):
        s += e.value


class Pr:
    def __init__(self):
        self._x = 1

    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, v):
        self._x = v

    @staticmethod
    def st(a):
        return a

    @classmethod
    def cl(cls, a):
        return a


@row
def property_get_set(n):
    p = Pr()
    for i in range(n):
        p.x = p.x + 1


@row
def static_class_method(n):
    p = Pr()
    s = 0
    for i in range(n):
        s += p.st(1) + Pr.cl(2) + Pr.st(1)


class Ga:
    def __getattr__(self, name):
        return 1


@row
def getattr_hook(n):
    g = Ga()
    s = 0
    for i in range(n):
        s += g.foo


class Gi:
    def __init__(self):
        self.l = [1, 2, 3, 4]

    def __getitem__(self, i):
        return self.l[i]

    def __len__(self):
        return 4

    def __contains__(self, x):
        return x in self.l

    def __call__(self, x):
        return x

    def __iter__(self):
        return iter(self.l)

    def __eq__(self, o):
        return self is o

    def __hash__(self):
        return 5

    def __bool__(self):
        return True

    def __lt__(self, o):
        return False


@row
def getitem_method(n):
    g = Gi()
    s = 0
    for i in range(n):
        s += g[i & 3]


@row
def len_method(n):
    g = Gi()
    s = 0
    for i in range(n):
        s += len(g)


@row
def contains_method(n):
    g = Gi()
    s = 0
    for i in range(n):
        if i in g:
            s += 1


@row
def call_method(n):
    g = Gi()
    s = 0
    for i in range(n):
        s += g(i)


@row
def iter_method(n):
    g = Gi()
    s = 0
    for i in range(n // 4):
        for x in g:
            s += x


@row
def bool_method(n):
    g = Gi()
    s = 0
    for i in range(n):
        if g:
            s += 1


@row
def eq_method(n):
    g = Gi()
    h = Gi()
    s = 0
    for i in range(n):
        if g == h:
            s += 1


@row
def lt_method(n):
    g = Gi()
    h = Gi()
    s = 0
    for i in range(n):
        if g < h:
            s += 1


@row
def dict_py_hash(n):
    d = {Gi(): 1}
    k = next(iter(d))
    s = 0
    for i in range(n):
        s += d[k]


class It:
    def __init__(self, n):
        self.i = 0
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        return self.i


@row
def iter_class(n):
    s = 0
    for x in It(n):
        s += x


class Base:
    def __init__(self, a):
        self.a = a

    def f(self, x):
        return x


class Derived(Base):
    def __init__(self, a):
        super().__init__(a)
        self.b = 2

    def f(self, x):
        return super().f(x) + 1


@row
def super_init(n):
    for i in range(n):
        Derived(i)


@row
def super_method(n):
    d = Derived(1)
    s = 0
    for i in range(n):
        s += d.f(i)


@row
def isinstance_tuple(n):
    s = 0
    for i in range(n):
        if isinstance(i, (str, int)):
            s += 1


@row
def type_is(n):
    s = 0
    for i in range(n):
        if type(i) is int:
            s += 1


@row
def hasattr_getattr(n):
    p = Base(1)
    s = 0
    for i in range(n):
        if hasattr(p, "a"):
            s += getattr(p, "a")


@row
def getattr_default(n):
    p = Base(1)
    s = 0
    for i in range(n):
        s += getattr(p, "zz", 3)


@row
def setattr_call(n):
    p = Base(1)
    for i in range(n):
        setattr(p, "a", i)


def main(rows):
    name = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else N
    run = rows[name]
    run(n // 5)
    times = []
    for _ in range(3):
        start = clock()
        run(n)
        times.append(clock() - start)
    print("RESULT %s %.1f ns/turn" % (name, min(times) / n * 1e9))


if __name__ == "__main__":
    main(ROWS)
