def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


l = [3, 1, 2]
assert l.sort() is None and l == [1, 2, 3]
l.sort(reverse=True)
assert l == [3, 2, 1]
assert sorted("hello") == ["e", "h", "l", "l", "o"]
assert sorted([2.5, -1.0, 1.5]) == [-1.0, 1.5, 2.5]
assert sorted([1, 0.5, True, 10**30, -(10**30)]) == [-(10**30), 0.5, 1, True, 10**30]
assert sorted(["b", "é", "a"]) == ["a", "b", "é"]
seed = 12345


def rnd():
    global seed
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed


class C:
    count = 0

    def __init__(self, k, n):
        self.k = k
        self.n = n

    def __lt__(self, other):
        C.count += 1
        return self.k < other.k


for size in (0, 1, 2, 3, 10, 63, 64, 65, 100, 500, 2000):
    items = [C(rnd() % 50, i) for i in range(size)]
    for reverse in (False, True):
        out = sorted(items, reverse=reverse)
        for x, y in zip(out, out[1:]):
            if reverse:
                assert x.k > y.k or (x.k == y.k and x.n < y.n)
            else:
                assert x.k < y.k or (x.k == y.k and x.n < y.n)
        assert len(out) == size and len(set(x.n for x in out)) == size
    out = sorted(items, key=lambda c: (c.k, -c.n))
    assert [(c.k, -c.n) for c in out] == sorted((c.k, -c.n) for c in items)
C.count = 0
sorted([C(i, i) for i in range(1000)])
assert C.count == 999
C.count = 0
sorted([C(-i, i) for i in range(1000)])
assert C.count == 999
pairs = [("b", 2), ("a", 2), ("c", 1)]
assert sorted(pairs, key=lambda p: p[1]) == [("c", 1), ("b", 2), ("a", 2)]
assert sorted(pairs, key=lambda p: p[1], reverse=True) == [("b", 2), ("a", 2), ("c", 1)]
assert sorted([3, 1], key=None) == [1, 3]
raises(TypeError, sorted, [1, "a"], text="'<' not supported between instances of 'str' and 'int'")
raises(TypeError, lambda: [1].sort(5))
l = [3, 2, 1]
raises(ZeroDivisionError, lambda: l.sort(key=lambda x: 1 // (x - 1)))
assert sorted(l) == [1, 2, 3]


def mutate():
    l = [3, 2, 1]

    def key(x):
        l.append(x)
        return x

    l.sort(key=key)


raises(ValueError, mutate, text="list modified during sort")
assert sorted([[2], [1, 5], [1]]) == [[1], [1, 5], [2]]
nums = [rnd() for _ in range(5000)]
a = sorted(nums)
assert all(x <= y for x, y in zip(a, a[1:])) and sorted(nums, reverse=True) == a[::-1]
print("ok")
