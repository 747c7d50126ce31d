def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


assert list() == []
assert list("abc") == ["a", "b", "c"]
assert list((1, 2)) == [1, 2]
assert list(range(3)) == [0, 1, 2]
raises(TypeError, lambda: list(5), text="'int' object is not iterable")
raises(TypeError, lambda: list(1, 2), text="list expected at most 1 argument, got 2")

l = [1, 2, 3]
l.append(4)
l.extend((5, 6))
l.extend(l)
assert l == [1, 2, 3, 4, 5, 6] * 2
l.insert(0, 0)
l.insert(-100, -1)
l.insert(100, 9)
assert l[0] == -1 and l[1] == 0 and l[-1] == 9
assert l.pop() == 9
assert l.pop(0) == -1
assert l.count(3) == 2
assert l.index(3) == 3
assert l.index(3, 4) == 9
raises(ValueError, l.index, 77)
l.remove(3)
assert l.count(3) == 1
raises(ValueError, l.remove, 77, text="list.remove(x): x not in list")
raises(IndexError, [].pop, text="pop from empty list")
raises(IndexError, [1].pop, 5, text="pop index out of range")
c = l.copy()
assert c == l and c is not l
l.clear()
assert l == [] and len(c) > 0
c.reverse()
assert c[0] == 6

l = list(range(10))
assert l[2:5] == [2, 3, 4]
assert l[::-1] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
assert l[-3:] == [7, 8, 9]
assert l[8:2:-2] == [8, 6, 4]
assert l[100:] == [] and l[5:2] == []
l[2:4] = "xyz"
assert l == [0, 1, "x", "y", "z", 4, 5, 6, 7, 8, 9]
l[2:5] = []
assert l == [0, 1, 4, 5, 6, 7, 8, 9]
l[::2] = "abcd"
assert l == ["a", 1, "b", 5, "c", 7, "d", 9]
def bad():
    l[::2] = "ab"
raises(ValueError, bad, text="attempt to assign sequence of size 2 to extended slice of size 4")
del l[::2]
assert l == [1, 5, 7, 9]
del l[::-2]
assert l == [1, 7]
del l[0]
assert l == [7]
l[5:3] = [1, 2]
assert l == [7, 1, 2]
l[1:1] = l
assert l == [7, 7, 1, 2, 1, 2]
def bad():
    l[10] = 1
raises(IndexError, bad, text="list assignment index out of range")
raises(IndexError, lambda: l[10], text="list index out of range")
raises(TypeError, lambda: l["a"], text="list indices must be integers or slices, not str")
def bad():
    l[0:1] = 5
raises(TypeError, bad)

assert [1] + [2] == [1, 2]
assert [1, 2] * 2 == [1, 2, 1, 2] == 2 * [1, 2]
assert [1] * -1 == []
raises(TypeError, lambda: [1] + (2,), text='can only concatenate list (not "tuple") to list')
raises(TypeError, lambda: [1] * 1.5, text="can't multiply sequence by non-int of type 'float'")
l = [1]
m = l
l += (2, 3)
assert m == [1, 2, 3] and m is l
l *= 2
assert m == [1, 2, 3, 1, 2, 3]

assert [1, 2] < [1, 3] and [1] < [1, 0] and not [2] < [1, 5]
assert [1, 2] <= [1, 2] and [3] > [2, 9] and [3] >= [3]
assert [1, 2] != [1, 3] and not [1] == (1,)
nan = float("nan") if False else 1e400 - 1e400
assert [nan] == [nan]
raises(TypeError, lambda: [1] < ["a"], text="'<' not supported between instances of 'int' and 'str'")

assert repr([1, "a", [2.5]]) == "[1, 'a', [2.5]]"
l = [1]
l.append(l)
assert repr(l) == "[1, [...]]"
assert 3 in [1, 2, 3] and 4 not in [1, 2, 3]
raises(TypeError, hash, [], text="unhashable type: 'list'")
assert list(reversed([1, 2, 3])) == [3, 2, 1]


class L(list):
    pass


s = L([1, 2])
s.x = 5
assert s == [1, 2] and s.x == 5 and type(s) is L
assert type(s + [1]) is list and type(s[:]) is list
s.append(3)
assert len(s) == 3 and repr(s) == "[1, 2, 3]"


class M(list):
    def __init__(self, n):
        super().__init__(range(n))

    def __getitem__(self, i):
        return super().__getitem__(i) * 10


assert M(3) == [0, 1, 2] and M(3)[2] == 20

l = [1, 2, 3]
out = []
for x in l:
    out.append(x)
    if x < 3:
        l.append(x + 10)
assert out == [1, 2, 3, 11, 12]
print("ok")

# Large lists that are old refer to young objects after changes of many items at once.
import gc

big = [None] * 20000
gc.collect()
for change in (
    lambda: big.__setitem__(slice(0, 20000), [[i] for i in range(20000)]),
    lambda: (big.sort(key=lambda x: -x[0]), big.reverse()),
    lambda: (big.__delitem__(slice(10000, 20000)), big.extend([[i] for i in range(10000, 20000)])),
    lambda: big.insert(0, big.pop(0)),
):
    change()
    for _ in range(3):
        gc.collect(0)
        junk = [[i] for i in range(20000)]
    assert [x[0] for x in big] == list(range(20000))
