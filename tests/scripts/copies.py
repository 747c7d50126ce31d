"""Iterators, files in memory and small callables are copied and pickled, from where they are."""
import collections
import copy
import functools
import io
import operator
import pickle


def copies(v, first=0):
    yield copy.deepcopy(v)
    for protocol in range(first, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(v, protocol))
    # It may share an iterator with the original.
    yield copy.copy(v)


class Sequence:
    def __init__(self, n=4):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError
        return i * 10


def iterators():
    big = 10**30
    made = [
        (lambda: iter([1, 2, 3]), [1, 2, 3]),
        (lambda: iter((1, 2, 3)), [1, 2, 3]),
        (lambda: iter("aéc"), ["a", "é", "c"]),
        (lambda: iter(b"abc"), [97, 98, 99]),
        (lambda: iter(bytearray(b"abc")), [97, 98, 99]),
        (lambda: iter(range(3)), [0, 1, 2]),
        (lambda: iter(range(big, big + 3)), [big, big + 1, big + 2]),
        (lambda: iter(Sequence()), [0, 10, 20, 30]),
        (lambda: reversed([1, 2, 3]), [3, 2, 1]),
        (lambda: reversed(Sequence()), [30, 20, 10, 0]),
        (lambda: iter({1: 2, 3: 4}), [1, 3]),
        (lambda: iter({1: 2, 3: 4}.values()), [2, 4]),
        (lambda: iter({1: 2, 3: 4}.items()), [(1, 2), (3, 4)]),
        (lambda: reversed({1: 2, 3: 4}), [3, 1]),
        (lambda: iter({7}), [7]),
        (lambda: enumerate("abc", 5), [(5, "a"), (6, "b"), (7, "c")]),
        (lambda: enumerate("ab", big), [(big, "a"), (big + 1, "b")]),
        (lambda: zip("abc", [1, 2]), [("a", 1), ("b", 2)]),
        (lambda: map(operator.add, [1, 2], (3, 4)), [4, 6]),
        (lambda: filter(None, [1, 0, 2]), [1, 2]),
        (lambda: iter(collections.deque([1, 2, 3])), [1, 2, 3]),
    ]
    for make, items in made:
        for n in range(len(items) + 1):
            for again in range(2):
                it = make()
                for _ in range(n):
                    next(it)
                if again:
                    # One that has ended stays so.
                    list(it)
                for c in copies(it):
                    assert list(c) == ([] if again else items[n:]), (it, n)
    it = reversed(collections.deque([1, 2, 3]))
    next(it)
    assert list(copy.copy(it)) == [2, 1]


def strict():
    for make in (lambda: zip("ab", [1], strict=True), lambda: map(max, "ab", [1], strict=True)):
        for c in copies(make()):
            try:
                list(c)
            except (ValueError, TypeError) as e:
                assert "is shorter than" in str(e) or "not supported" in str(e)
            else:
                raise AssertionError
    z = zip([1])
    z.__setstate__(True)
    assert z.__reduce__()[2] is True
    it = iter(range(10**20, 10**20 + 5))
    it.__setstate__(3)
    assert list(it) == [10**20 + 3, 10**20 + 4]


class File(io.BytesIO):
    pass


class Text(io.StringIO):
    pass


def files():
    for kind, data, rest in ((io.BytesIO, b"abc\n", b"c\n"), (io.StringIO, "abc\n", "c\n")):
        f = kind(data)
        f.read(2)
        for c in copies(f, 2):
            assert type(c) is kind and c.tell() == 2 and c.read() == rest and c.getvalue() == data
            c.write(data)
        assert f.tell() == 2 and f.getvalue() == data
    for f in (File(b"xyz"), Text("xyz")):
        f.attr = [1]
        f.read(1)
        for c in copies(f, 2):
            assert type(c) is type(f) and c.attr == [1] and c.read() == f.getvalue()[1:]


def callables():
    for f, arg, result in (
        (operator.methodcaller("upper"), "a", "A"),
        (operator.methodcaller("split", ",", maxsplit=1), "a,b,c", ["a", "b,c"]),
        (operator.itemgetter(1), "abc", "b"),
        (operator.itemgetter(1, 2), "abc", ("b", "c")),
        (operator.attrgetter("real"), 3, 3),
        (operator.attrgetter("real", "imag.real"), 3, (3, 0)),
        (functools.partial(int, base=2), "101", 5),
    ):
        for c in copies(f):
            assert c(arg) == result and repr(c) == repr(f)


iterators()
strict()
files()
callables()
print("ok")
