# Endless recursion is a RecursionError in every form, and leaves all as it was.

import functools
import itertools


def refused(f, *args):
    try:
        f(*args)
    except RecursionError as e:
        assert str(e).startswith("maximum recursion depth exceeded"), e
    else:
        assert False, f


def plain():
    plain()


def sort_key(x):
    return sorted([x], key=sort_key)


def generator():
    yield from generator()


def looping():
    for x in looping():
        yield x


def mapped(x):
    return list(map(mapped, [x]))


def reduced(x, y):
    return functools.reduce(reduced, [x, y])


@functools.lru_cache
def cached(x):
    return cached(x + 1)


def executed():
    exec("executed()")


TEXT = "eval(TEXT)"


class A:
    def __getattr__(self, name):
        return self.other

    def __repr__(self):
        return repr(self)

    def __str__(self):
        return f"{self!s}"

    def __format__(self, spec):
        return format(self, spec)

    def __hash__(self):
        return hash((self,))

    def __eq__(self, other):
        return [self] == [other]

    def __lt__(self, other):
        return (self,) < (other,)

    def __add__(self, other):
        return self + other

    def __radd__(self, other):
        return other + self

    def __call__(self):
        return self()

    def __iter__(self):
        return iter(self)

    def __len__(self):
        return len(self)

    def __contains__(self, x):
        return x in self

    def __getitem__(self, i):
        return self[i]

    @property
    def own(self):
        return self.own

    def __setattr__(self, name, value):
        self.x = value


class Made:
    def __init__(self):
        Made()


class Meta(type):
    def __instancecheck__(cls, x):
        return isinstance(x, cls)


class Checked(metaclass=Meta):
    pass


class Calls:
    pass


Calls.__call__ = Calls()

a = A()
for f, *args in [
    (plain,),
    (sort_key, 1),
    (lambda: next(generator()),),
    (lambda: next(looping()),),
    (mapped, 1),
    (reduced, 1, 2),
    (cached, 1),
    (executed,),
    (eval, TEXT),
    (getattr, a, "x"),
    (repr, a),
    (str, a),
    (format, a),
    (hash, a),
    (lambda: a == A(),),
    (lambda: {a: 1},),
    (lambda: a < A(),),
    (lambda: a + 1,),
    (lambda: 1 + a,),
    (a,),
    (iter, a),
    (len, a),
    (lambda: 1 in a,),
    (lambda: a[0],),
    (lambda: a.own,),
    (setattr, a, "y", 1),
    (Made,),
    (isinstance, 1, Checked),
    (Calls(),),
]:
    refused(f, *args)
    refused(f, *args)

# Nesting of values.
DEPTH = 100_000


def nested(wrap, inner):
    for _ in range(DEPTH):
        inner = wrap(inner)
    return inner


def in_list(x):
    return [x]


def in_tuple(x):
    return (x,)


def in_dict(x):
    return {1: x}


for wrap in [in_list, in_tuple, in_dict]:
    one, two = nested(wrap, 0), nested(wrap, 0)
    refused(repr, one)
    refused(lambda: one == two)
    del one, two
refused(lambda: nested(in_tuple, 0) < nested(in_tuple, 0))
refused(isinstance, "", nested(in_tuple, int))
refused(issubclass, str, nested(in_tuple, int))
refused(repr, nested(lambda t: list[t], int))

# Iterators upon iterators.
it = iter([1])
for _ in range(1000):
    it = map(int, itertools.chain(it))
assert list(it) == [1]

# A long chain of objects dies, whatever it is made of.
nested(in_list, None)
chain = None
for _ in range(DEPTH):
    link = A.__new__(A)
    object.__setattr__(link, "next", chain)
    chain = link
del chain, link


import sys

# Near the limit frames are counted exactly, also where an exception has left deeper ones: this is 2 ** frames calls.
def in_body_and_handler():
    global calls
    calls += 1
    try:
        in_body_and_handler()
    except RecursionError:
        in_body_and_handler()


calls = 0
depth = 1
while True:
    try:
        sys.setrecursionlimit(depth)
        break
    except RecursionError:
        depth += 1
sys.setrecursionlimit(depth + 10)
try:
    in_body_and_handler()
except RecursionError:
    pass
finally:
    sys.setrecursionlimit(1000)
assert calls < 1 << 12, calls
