def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


it = iter([1, 2])
assert iter(it) is it and next(it) == 1 and it.__length_hint__() == 1 and next(it) == 2
raises(StopIteration, next, it)
assert next(it, "end") == "end"
raises(StopIteration, it.__next__)
raises(TypeError, next, 5, text="'int' object is not an iterator")
raises(TypeError, iter, 5, text="'int' object is not iterable")
assert list(iter("aé€😀b")) == ["a", "é", "€", "😀", "b"]
assert list(iter((1, 2))) == [1, 2]
assert list(b"ab") == [97, 98]


class Seq:
    def __getitem__(self, i):
        if i >= 3:
            raise IndexError
        return i * i

    def __len__(self):
        return 3


assert list(Seq()) == [0, 1, 4] and list(reversed(Seq())) == [4, 1, 0] and 4 in Seq() and 5 not in Seq()
raises(TypeError, reversed, {1}, text="'set' object is not reversible")


class R:
    def __reversed__(self):
        return iter("xyz")


assert list(reversed(R())) == ["x", "y", "z"]
n = 0


def step():
    global n
    n += 1
    return n


assert list(iter(step, 4)) == [1, 2, 3]
assert list(enumerate("ab")) == [(0, "a"), (1, "b")] and list(enumerate("ab", 5)) == [(5, "a"), (6, "b")]
assert list(enumerate("a", start=10**30)) == [(10**30, "a")]
assert list(zip([1, 2, 3], "ab")) == [(1, "a"), (2, "b")] and list(zip()) == []
raises(ValueError, lambda: list(zip([1], [], strict=True)), text="zip() argument 2 is shorter than argument 1")
raises(ValueError, lambda: list(zip([1], [1, 2], strict=True)), text="zip() argument 2 is longer than argument 1")
raises(ValueError, lambda: list(zip([1], [1], [], strict=True)), text="zip() argument 3 is shorter than arguments 1-2")
assert list(zip("abc", "def", strict=True))[2] == ("c", "f")
assert list(zip(*[range(3)] * 8))[1] == (1,) * 8
raises(TypeError, zip, 5, text="'int' object is not iterable")
assert list(map(lambda x: x + 1, [1, 2])) == [2, 3] and list(map(lambda a, b: a * b, [1, 2, 3], [4, 5])) == [4, 10]
raises(TypeError, map, len, text="map() must have at least two arguments.")
assert list(filter(None, [0, 1, "", "a"])) == [1, "a"] and list(filter(lambda x: x > 1, [1, 2, 3])) == [2, 3]
assert any([0, 1]) and not any([]) and all([]) and not all([1, 0])
assert sum([1, 2, 3]) == 6 and sum([1, 2], 10) == 13 and sum([0.1] * 10) == 1.0 and sum([]) == 0
assert sum([2**60, 2**60, 2**62, 2**62]) == 2**61 + 2**63
assert sum([1, 0.5, True]) == 2.5 and sum([[1], [2]], []) == [1, 2]
raises(TypeError, sum, ["a"], "", text="sum() can't sum strings [use ''.join(seq) instead]")
raises(TypeError, sum, ["a"], text="unsupported operand type(s) for +: 'int' and 'str'")
assert min(3, 1, 2) == 1 and max([1, 3, 2]) == 3 and max("abc", key=lambda c: -ord(c) if False else c) == "c"
assert min([], default=7) == 7 and max((1, "a"), (2, "b"))[1] == "b" and max([1, 1.0]) == 1
assert min("bbb", "a", key=len) == "a" and max([[1], [2]]) == [2]
raises(ValueError, max, [], text="max() iterable argument is empty")
raises(TypeError, max, text="max expected at least 1 argument, got 0")
raises(TypeError, lambda: max(1, 2, default=3), text="Cannot specify a default for max() with multiple positional arguments")
assert type(iter({})).__name__ == "dict_keyiterator" and type(iter([])).__name__ == "list_iterator"
assert repr(None) == "None" and repr(...) == "Ellipsis" and repr(NotImplemented) == "NotImplemented"
assert type(None)() is None and not None


def gen():
    yield 1
    yield 2


assert list(zip(gen(), gen())) == [(1, 1), (2, 2)] and sum(gen()) == 3 and max(gen()) == 2
assert tuple(x for x in gen()) == (1, 2) and dict(zip("ab", gen())) == {"a": 1, "b": 2}


class It:
    def __init__(self):
        self.n = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n > 3:
            raise StopIteration
        return self.n


assert list(It()) == [1, 2, 3] and [*It()] == [1, 2, 3] and sorted(It(), reverse=True) == [3, 2, 1]


class Bad:
    def __iter__(self):
        return 5


raises(TypeError, list, Bad(), text="iter() returned non-iterator of type 'int'")
print("ok")

# What `collections.abc` says about patterns is inherited from the first class that says anything.
import collections
import collections.abc


def kind(x):
    match x:
        case [*_]:
            return "sequence"
        case {}:
            return "mapping"


class Both(collections.UserDict, collections.abc.Sequence):
    pass


class Row(collections.abc.Sequence):
    def __getitem__(self, i):
        return i

    def __len__(self):
        return 42


match Row():
    case [x, *_, y]:
        assert (x, y) == (0, 41)
    case _:
        raise AssertionError
assert kind(Both()) == kind(collections.UserDict()) == "mapping" and kind(Row()) == "sequence"
assert "__abc_tpflags__" not in vars(collections.abc.Mapping)
assert kind(collections.defaultdict()) == kind(collections.OrderedDict()) == "mapping" and kind("ab") is None


# None in the place of an operator's method is called, and cannot be.
class NoAdd:
    __iadd__ = None

    def __add__(self, other):
        return self


x = NoAdd()
try:
    x += 1
except TypeError as e:
    assert str(e) == "'NoneType' object is not callable"
else:
    raise AssertionError
assert x + 1 is x

# A builtin that has its receiver already, as a special method, is not bound again.


class Borrowed:
    __next__ = iter([1, 2, 3]).__next__
    __len__ = [1, 2].__len__
    __contains__ = {7: 8}.__contains__

    def __iter__(self):
        return self


assert next(Borrowed()) == 1 and [x for x in Borrowed()] == [2, 3] and len(Borrowed()) == 2 and 7 in Borrowed()
