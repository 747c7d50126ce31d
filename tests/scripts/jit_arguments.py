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


# A conversion of what is simple at first and is not later; names of keywords that are others later.
class Text(str):
    pass


class Number(int):
    def __str__(self):
        return "number"


def converts(items, to):
    out = []
    for x in items:
        out.append(to(x))
    return out


for to, early, late, expected in (
    (str, ["a", 5], ["a", Text("b"), 7, Number(3), 1.5, None], ["a", "b", "7", "number", "1.5", "None"]),
    (int, ["5", 5], ["5", Text("6"), 7, Number(3), 1.5, True, "1_0"], [5, 6, 7, 3, 1, True, 10]),
):
    for _ in range(200):
        converts(early * 10, to)
    for _ in range(50):
        got = converts(late, to)
        assert got == expected and type(got[1]) is to, got
    try:
        converts(["5", "x", object()], int)
    except (ValueError, TypeError) as e:
        assert type(e) is ValueError
    else:
        raise AssertionError


def takes(a=0, b=0, **rest):
    return a, b, rest


def passes(dicts):
    out = []
    for d in dicts:
        out.append(takes(**d))
    return out


for _ in range(200):
    passes([{"a": 1, "b": 2}] * 10)
for _ in range(50):
    dicts = [{"a": 1, "b": 2}, {"b": 3, "a": 4}, {"b": 5, "c": 6}, {"a": NotImplemented, "b": NotImplemented}]
    assert passes(dicts) == [(1, 2, {}), (4, 3, {}), (0, 5, {"c": 6}), (NotImplemented, NotImplemented, {})]
