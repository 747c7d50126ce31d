def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


assert list(range(3)) == [0, 1, 2] and list(range(1, 7, 2)) == [1, 3, 5] and list(range(3, 0, -1)) == [3, 2, 1]
assert list(range(0)) == [] and list(range(5, 2)) == []
r = range(10, 20, 3)
assert len(r) == 4 and r[0] == 10 and r[-1] == 19 and r[1:3] == range(13, 19, 3) and r[::-1] == range(19, 7, -3)
raises(IndexError, lambda: r[4], text="range object index out of range")
raises(TypeError, lambda: r["a"], text="range indices must be integers or slices, not str")
raises(ValueError, lambda: range(1, 2, 0), text="range() arg 3 must not be zero")
raises(TypeError, lambda: range(1.5), text="'float' object cannot be interpreted as an integer")
raises(TypeError, lambda: range(), text="range expected at least 1 argument, got 0")
assert 13 in r and 14 not in r and 13.0 in r and "a" not in r and 10**30 not in r
assert r.index(16) == 2 and r.count(16) == 1 and r.count(0) == 0
raises(ValueError, r.index, 3, text="3 is not in range")
assert range(0, 3, 2) == range(0, 4, 2) and range(0) == range(5, 1) and range(3) != range(4)
assert hash(range(0, 3, 2)) == hash(range(0, 4, 2)) and hash(range(0)) == hash(range(5, 1))
assert repr(range(3)) == "range(0, 3)" and repr(range(1, 5, 2)) == "range(1, 5, 2)"
assert r.start == 10 and r.stop == 20 and r.step == 3 and bool(r) and not range(0)
assert list(reversed(range(4))) == [3, 2, 1, 0] and list(reversed(range(1, 8, 3))) == [7, 4, 1]
big = range(10**30, 10**30 + 5, 2)
assert list(big) == [10**30, 10**30 + 2, 10**30 + 4] and big[-1] == 10**30 + 4 and len(big) == 3
assert 10**30 + 2 in big and 10**30 + 1 not in big and list(reversed(big))[0] == 10**30 + 4
assert big[1:] == range(10**30 + 2, 10**30 + 6, 2)
raises(OverflowError, lambda: len(range(10**30)), text="Python int too large to convert to C ssize_t")
assert range(10**30)[10**29] == 10**29
edge = range(2**61 - 3, 2**61 + 2)
assert list(edge) == [2**61 - 3, 2**61 - 2, 2**61 - 1, 2**61, 2**61 + 1]
it = iter(range(5))
next(it)
assert it.__length_hint__() == 4
total = 0
for i in range(1000):
    total += i
assert total == 499500


class I:
    def __index__(self):
        return 3


assert list(range(I())) == [0, 1, 2] and range(10)[I()] == 3
assert list(range(True)) == [0]
print("ok")
