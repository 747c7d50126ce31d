from itertools import (
    accumulate, batched, chain, combinations, combinations_with_replacement, compress, count, cycle, dropwhile,
    filterfalse, groupby, islice, pairwise, permutations, product, repeat, starmap, takewhile, tee, zip_longest,
)

def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"



assert list(islice(count(3), 3)) == [3, 4, 5] and list(islice(count(1, 2), 3)) == [1, 3, 5]
assert list(islice(count(0.5, 0.5), 3)) == [0.5, 1.0, 1.5] and repr(count(3)) == "count(3)" and repr(count(1, 2)) == "count(1, 2)"
c = count(2**61 - 2)
assert [next(c), next(c), next(c), next(c)] == [2**61 - 2, 2**61 - 1, 2**61, 2**61 + 1]
raises(TypeError, count, "a", text="a number is required")
assert list(islice(cycle("ab"), 5)) == list("ababa") and list(cycle("")) == []
assert list(repeat(1, 3)) == [1, 1, 1] and repr(repeat(1, 3)) == "repeat(1, 3)" and list(repeat(1, -1)) == []
assert repeat(1, 3).__length_hint__() == 3 and repr(repeat(1)) == "repeat(1)"
assert list(accumulate([1, 2, 3])) == [1, 3, 6] and list(accumulate([1, 2, 3], lambda a, b: a * b, initial=10)) == [10, 10, 20, 60]
assert list(accumulate([])) == []
assert list(batched("abcde", 2)) == [("a", "b"), ("c", "d"), ("e",)]
raises(ValueError, lambda: list(batched("abc", 2, strict=True)), text="batched(): incomplete batch")
raises(ValueError, batched, "a", 0, text="n must be at least one")
assert list(chain("ab", [1], ())) == ["a", "b", 1] and list(chain.from_iterable(["ab", "c"])) == ["a", "b", "c"] and list(chain()) == []
assert list(combinations("abc", 2)) == [("a", "b"), ("a", "c"), ("b", "c")] and list(combinations("a", 2)) == [] and list(combinations("ab", 0)) == [()]
assert list(combinations_with_replacement("ab", 2)) == [("a", "a"), ("a", "b"), ("b", "b")] and list(combinations_with_replacement("", 1)) == []
assert list(permutations("abc", 2)) == [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")]
assert len(list(permutations(range(5)))) == 120 and list(permutations("ab", 3)) == [] and list(permutations([])) == [()]
assert len(set(permutations(range(6)))) == 720 and list(permutations(range(3)))[-1] == (2, 1, 0)
raises(ValueError, combinations, "ab", -1, text="r must be non-negative")
assert list(product("ab", [1, 2])) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)] and list(product()) == [()]
assert len(list(product(range(3), repeat=3))) == 27 and list(product("ab", "")) == [] and list(product("ab", repeat=0)) == [()]
assert list(compress("abcd", [1, 0, 1])) == ["a", "c"]
assert list(dropwhile(lambda x: x < 3, [1, 3, 1])) == [3, 1] and list(takewhile(lambda x: x < 3, [1, 3, 1])) == [1]
assert list(filterfalse(lambda x: x % 2, range(5))) == [0, 2, 4] and list(filterfalse(None, [0, 1])) == [0]
assert list(islice("abcdef", 2)) == ["a", "b"] and list(islice("abcdef", 2, None)) == list("cdef") and list(islice("abcdef", 1, 6, 2)) == ["b", "d", "f"]
raises(ValueError, islice, "a", -1, text="Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
raises(ValueError, islice, "a", 0, 1, 0, text="Step for islice() must be a positive integer or None.")
it = iter(range(10))
assert list(islice(it, 3)) == [0, 1, 2] and next(it) == 3 and list(islice(it, 2, 4)) == [6, 7] and next(it) == 8
assert list(pairwise("abc")) == [("a", "b"), ("b", "c")] and list(pairwise("a")) == []
assert list(starmap(pow, [(2, 3), (3, 2)])) == [8, 9] and list(starmap(lambda *a: a, [[1], "ab"])) == [(1,), ("a", "b")]
assert list(zip_longest("ab", "c", fillvalue="-")) == [("a", "c"), ("b", "-")] and list(zip_longest()) == [] and list(zip_longest([], [1])) == [(None, 1)]
assert [(k, list(g)) for k, g in groupby("aabbba")] == [("a", ["a", "a"]), ("b", ["b", "b", "b"]), ("a", ["a"])]
assert [k for k, g in groupby([1, 3, 2, 4, 5], key=lambda x: x % 2)] == [1, 0, 1]
groups = [(k, g) for k, g in groupby("aab")]
assert list(groups[0][1]) == []
a, b = tee(range(3))
assert next(a) == 0 and list(b) == [0, 1, 2] and list(a) == [1, 2]
a, b, c = tee(iter("xy"), 3)
assert list(c) == list(a) == ["x", "y"] and next(b) == "x" and tee([], 0) == ()
d = b.__copy__()
assert next(d) == "y" and next(b) == "y"
x, y = tee(d)
assert list(x) == [] and list(y) == []


class C(chain):
    pass


assert list(C([1], [2])) == [1, 2]
print("ok")
