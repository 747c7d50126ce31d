"""Calls whose arguments traces bind: keyword-only parameters, *args, **kwargs; dicts and sets that traces make."""


def bound(n):
    def named(a, /, b=2, *, c, d=4):
        return a, b, c, d

    def rest(a, *more, k=3, **others):
        return a, more, k, others

    out = []
    for i in range(n):
        out.append((named(i, c=1), named(i, 5, c=i, d=6), rest(i), rest(i, 1, i), rest(i, 1, z=i, k=i, y=2)))
    return out


for i, got in enumerate(bound(60)):
    assert got == (
        (i, 2, 1, 4), (i, 5, i, 6), (i, (), 3, {}), (i, (1, i), 3, {}), (i, (1,), i, {"z": i, "y": 2}),
    )
    assert list(got[4][3]) == ["z", "y"]


# Each call has its own dict, and may do with it what it likes.
def keep(**names):
    names["more"] = len(names)
    return names


dicts = [keep(a=i, b=2) for i in range(50)]
assert dicts == [{"a": i, "b": 2, "more": 2} for i in range(50)]
assert len({id(d) for d in dicts}) == 50


# Defaults of keyword-only parameters are looked up when the function is called.
def defaults(n):
    def f(a, *, k=1):
        return a + k

    total = 0
    for i in range(n):
        if i == 30:
            f.__kwdefaults__["k"] = 10
        if i == 40:
            f.__kwdefaults__ = {"k": 100}
        if i == 50:
            del f.__kwdefaults__["k"]
        try:
            total += f(0)
        except TypeError as e:
            assert str(e) == "defaults.<locals>.f() missing 1 required keyword-only argument: 'k'"
            total += 1000
    return total


for _ in range(3):
    assert defaults(52) == 30 + 10 * 10 + 10 * 100 + 2 * 1000


def wrong(n):
    def f(a, *, k):
        return a

    texts = set()
    for i in range(n):
        try:
            if i % 3 == 0:
                f(i, 2, k=1)
            elif i % 3 == 1:
                f(i, z=1, k=2)
            else:
                f(i, a=1, k=2)
        except TypeError as e:
            texts.add(str(e).partition("() ")[2])
    return texts


assert wrong(60) == {
    "takes 1 positional argument but 2 positional arguments (and 1 keyword-only argument) were given",
    "got an unexpected keyword argument 'z'",
    "got multiple values for argument 'a'",
}


def displays(n):
    out = []
    for i in range(n):
        d = {"a": i, i: 2, "b": {"c": i}}
        d[1.5] = None
        s = {i, 2, "x"}
        m = {k: k + i for k in range(3)}
        w = [*range(2), i, *d]
        out.append((d, s, m, w, {x & 1 for x in w[:3]}))
    return out


for i, (d, s, m, w, odd) in enumerate(displays(50)):
    assert d == {"a": i, i: 2, "b": {"c": i}, 1.5: None} and list(d) == list(dict.fromkeys(["a", i, "b", 1.5]))
    assert s == {i, 2, "x"} and m == {0: i, 1: 1 + i, 2: 2 + i} and w == [0, 1, i, *d] and odd == {0, 1}


class Key:
    """Its methods are Python's: a dict of such keys is not made by natives alone."""

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 3

    def __eq__(self, other):
        return self.n == other.n


def keys(n):
    total = 0
    for i in range(n):
        d = {Key(1): i, Key(4): 2, Key(1): i + 1}
        total += d[Key(1)] + len(d) + len({Key(i), Key(2)})
    return total


assert keys(50) == sum(i + 1 + 2 + (1 if i == 2 else 2) for i in range(50))

try:
    for i in range(50):
        {i: 1, [] if i == 40 else "x": 2}
except TypeError as e:
    assert str(e) in ("unhashable type: 'list'", "cannot use 'list' as a dict key (unhashable type: 'list')"), e
else:
    assert False
assert i == 40
