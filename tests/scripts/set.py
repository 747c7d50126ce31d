def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


assert set() == frozenset() and set([1, 2, 2]) == {1, 2} and len({1, 2, 2}) == 2
s = {1, 2}
s.add(3)
s.add(3)
assert s == {1, 2, 3} and 3 in s and 4 not in s
s.remove(3)
raises(KeyError, s.remove, 3, text="3")
s.discard(3)
s.discard(2)
assert s == {1}
assert s.pop() == 1
raises(KeyError, s.pop, text="'pop from an empty set'")
s.update([1, 2], (3,), "a")
assert s == {1, 2, 3, "a"}
c = s.copy()
s.clear()
assert not s and c == {1, 2, 3, "a"}
a, b = {1, 2, 3}, {3, 4}
assert a & b == {3} and a | b == {1, 2, 3, 4} and a - b == {1, 2} and a ^ b == {1, 2, 4}
assert a.union([9]) == {1, 2, 3, 9} and a.intersection([1, 9], [1]) == {1} and a.difference([1], [2]) == {3}
assert a.symmetric_difference([3, 4, 4]) == {1, 2, 4}
assert a.isdisjoint([7]) and not a.isdisjoint([1]) and {1}.issubset([1, 2]) and {1, 2}.issuperset([1])
big = set(range(1000))
assert {-1}.isdisjoint(big) and big.isdisjoint({-1}) and not {5}.isdisjoint(big) and not frozenset(big).isdisjoint(frozenset([5]))


class Hidden(set):
    def __iter__(self):
        return iter([-1])


assert not {-1}.isdisjoint(Hidden(range(10))) and {5}.isdisjoint(Hidden(range(10)))
assert {1} < {1, 2} and {1} <= {1} and not {1} < {1} and {1, 2} > {1} and {1} != {2}
raises(TypeError, lambda: {1} | [2], text="unsupported operand type(s) for |: 'set' and 'list'")
x = {1, 2, 3}
y = x
x &= {1, 2}
x |= {7}
x -= {1}
x ^= {2, 8}
assert x == {7, 8} and x is y
x.intersection_update([7])
x.difference_update([7], [8])
assert x == set()
x.symmetric_difference_update([1, 2])
assert x == {1, 2}
f = frozenset([1, 2])
assert hash(f) == hash(frozenset([2, 1])) and f in {f} and {1, 2} in {f}
assert hash(frozenset()) == 133146708735736 and hash(frozenset([1, 2, 3])) == -272375401224217160
assert frozenset(f) is f and f.copy() is f and type(f | {3}) is frozenset and type({3} | f) is set
assert repr(set()) == "set()" and repr({1}) == "{1}" and repr(frozenset([1])) == "frozenset({1})"
assert repr(frozenset()) == "frozenset()"
raises(TypeError, hash, set(), text="unhashable type: 'set'")


class S(set):
    pass


s = S([1])
s.x = 1
assert s == {1} and repr(s) == "S({1})" and type(s | {2}) is set and type(s.copy()) is set


def grow():
    s = {1}
    for v in s:
        s.add(v + 1)


raises(RuntimeError, grow, text="Set changed size during iteration")
big = set(range(1000))
for i in range(0, 1000, 2):
    big.discard(i)
assert len(big) == 500 and sorted(big)[:3] == [1, 3, 5]
assert {1, 2}.__or__([1]) is NotImplemented
print("ok")


def numbers_in_a_row_and_others_that_begin_where_these_are():
    s = set(range(5000))
    for i in range(1 << 40, (1 << 40) + 5000, 7):
        assert i not in s
        s.add(i)
        assert i in s
    for i in range(0, 5000, 3):
        s.remove(i)
    assert all((i in s) == (i % 3 != 0) for i in range(5000))
    assert len([i for i in s if i >= 1 << 40]) == 715 and -1 not in s and 5000 not in s


numbers_in_a_row_and_others_that_begin_where_these_are()
