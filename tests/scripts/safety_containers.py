# Skein alone
"""Callbacks that change the container under work: what they leave is what the operation goes on with."""
import array
import bisect
import collections
import heapq
import io
import itertools
import struct
import sys

N = 100


class Index:
    """An index that changes something when it is asked for."""

    def __init__(self, change, i=1):
        self.change, self.i = change, i

    def __index__(self):
        self.change()
        return self.i

    __int__ = __index__


class Equal:
    """Equal to nothing, or to all, and it changes something when it is asked."""

    def __init__(self, change, result=False):
        self.change, self.result = change, result

    def __eq__(self, other):
        self.change()
        return self.result

    def __lt__(self, other):
        self.change()
        return self.result

    __le__ = __gt__ = __ge__ = __lt__

    def __hash__(self):
        return 1


def outcome(f):
    try:
        return f()
    except (IndexError, ValueError, RuntimeError, BufferError, TypeError, KeyError, OverflowError, struct.error) as e:
        return type(e)


l = [1, 2, 3]
assert outcome(lambda: l[Index(l.clear)]) is IndexError
l = [1, 2, 3]
assert outcome(lambda: l[Index(l.clear) :]) == []
l = [1, 2, 3]
assert outcome(lambda: l[Index(l.clear) :: 2]) == []
l = [1, 2, 3]
assert outcome(lambda: l.pop(Index(l.clear))) is IndexError
l = [1, 2, 3]
assert outcome(lambda: l.insert(Index(l.clear), 5)) is None and l == [5]
l = [1, 2, 3]
del l[Index(l.clear) :]
assert l == []
l = [1, 2, 3]
assert outcome(lambda: l.__delitem__(Index(l.clear))) is IndexError
l = [1, 2, 3]
assert outcome(lambda: l.__setitem__(Index(l.clear), 5)) is IndexError
l = [1, 2, 3]
l[Index(l.clear) :] = [7, 8]
assert l == [7, 8]
l = [1, 2, 3]
assert outcome(lambda: l * Index(l.clear, 2)) in ([], [1, 2, 3, 1, 2, 3])
l = [Equal(lambda: l.clear()) for _ in range(N)]
for f in (lambda: 5 in l, lambda: l.index(5), lambda: l.count(5), lambda: l.remove(5), lambda: l == l[:], lambda: l < l[:], lambda: sorted(l), lambda: l.sort(), lambda: max(l), lambda: min(l)):
    l[:] = [Equal(lambda: l.clear()) for _ in range(N)]
    outcome(f)

b = bytearray(b"abcdef")
assert outcome(lambda: b[Index(b.clear) :]) == bytearray(b"")
b = bytearray(b"abcdef")
assert outcome(lambda: b[Index(b.clear)]) is IndexError
for f in (lambda: b.__setitem__(0, Index(b.clear)), lambda: b.__setitem__(Index(b.clear), 1), lambda: b.pop(Index(b.clear)), lambda: b.__delitem__(Index(b.clear))):
    b = bytearray(b"abcdef")
    assert outcome(f) is IndexError, b
for f in (lambda: b.find(b"f", Index(b.clear)), lambda: b.rfind(b"f", 0, Index(b.clear)), lambda: b.count(b"f", Index(b.clear)), lambda: b.startswith(b"b", Index(b.clear)), lambda: b.center(Index(b.clear, 50)), lambda: b.ljust(Index(b.clear, 50)), lambda: b.zfill(Index(b.clear, 50)), lambda: b.split(b"c", Index(b.clear)), lambda: b.replace(b"a", b"b", Index(b.clear)), lambda: b.expandtabs(Index(b.clear)), lambda: b.hex(":", Index(b.clear)), lambda: b * Index(b.clear, 3), lambda: Index(b.clear, 97) in b, lambda: b.append(Index(b.clear)), lambda: b.insert(Index(b.clear), 1), lambda: b.insert(1, Index(b.clear)), lambda: b.remove(Index(b.clear, 99)), lambda: b.extend(Index(b.clear) for _ in range(3)), lambda: b.resize(Index(b.clear, 3)), lambda: b.__delitem__(slice(Index(b.clear), None, 2)), lambda: b.__setitem__(slice(Index(b.clear), None), b"xyz"), lambda: b"%d" % Index(b.clear), lambda: b % Index(b.clear)):
    b = bytearray(b"abcdef" * 1000)
    outcome(f)
    b += b"still good"
    assert b.endswith(b"still good")

for code in "bqdw":
    for f in (lambda: a[Index(shrink)], lambda: a[Index(shrink) :], lambda: a.__setitem__(0, Index(shrink)), lambda: a.__setitem__(Index(shrink), a[0]), lambda: a.pop(Index(shrink)), lambda: a.insert(Index(shrink), Index(shrink)), lambda: a.append(Index(shrink)), lambda: a.extend(Index(shrink) for _ in range(3)), lambda: a * Index(shrink, 3), lambda: a.__imul__(Index(shrink, 3)), lambda: a.__delitem__(Index(shrink)), lambda: a.__delitem__(slice(Index(shrink), None, 2)), lambda: a.index(Equal(shrink)), lambda: a.count(Equal(shrink)), lambda: a.remove(Equal(shrink)), lambda: Equal(shrink) in a, lambda: a.index(a[0], Index(shrink))):
        a = array.array(code, ["a"] * N if code == "w" else [1] * N)

        def shrink():
            del a[:]

        outcome(f)
        assert len(a) <= 4 * N
a = array.array("i", range(10))
del a[1::3]
assert a.tolist() == [0, 2, 3, 5, 6, 8, 9]
a[1:3] = array.array("i", [7, 7, 7])
a.reverse()
assert a.tolist() == [9, 8, 6, 5, 7, 7, 7, 0]
a.byteswap()
a.byteswap()
a *= 2
assert a.tolist() == [9, 8, 6, 5, 7, 7, 7, 0] * 2 and (a * 0).tolist() == []

d = collections.deque()
for f in (lambda: 5 in d, lambda: d.index(5), lambda: d.count(5), lambda: d.remove(5), lambda: d == d.copy(), lambda: d < d.copy(), lambda: d[Index(d.clear)], lambda: d.rotate(Index(d.clear)), lambda: d.insert(Index(d.clear), 1), lambda: d.__delitem__(Index(d.clear)), lambda: d * Index(d.clear, 2), lambda: d.__imul__(Index(d.clear, 2)), lambda: d.extend(iter(lambda: d.clear(), 5)) if False else None):
    d.clear()
    d.extend(Equal(d.clear) for _ in range(N))
    outcome(f)

for kind in (dict, set):
    for f in (lambda: Equal(lambda: None) in m, lambda: add(Equal(lambda: None)), lambda: m == m.copy(), lambda: [add(Equal(m.clear)) for _ in range(N)], lambda: m | m, lambda: list(m), lambda: repr(m), lambda: m.pop(Equal(m.clear)), lambda: m.update(m.copy())):
        m = kind()

        def add(x):
            m[x] = 1 if kind is dict else m.add(x)

        if kind is set:
            add = m.add
        for _ in range(20):
            add(Equal(lambda: m.clear() if len(m) > 3 else None))
        outcome(f)

for f in (lambda: heapq.heapify(h), lambda: heapq.heappop(h), lambda: heapq.heappush(h, Equal(h.clear)), lambda: heapq.heapreplace(h, Equal(h.clear)), lambda: heapq.heappushpop(h, Equal(h.clear, True)), lambda: heapq.nsmallest(3, h), lambda: bisect.bisect(h, Equal(h.clear)), lambda: bisect.insort(h, Equal(h.clear)), lambda: bisect.bisect_left(h, Equal(h.clear, True), key=lambda x: x)):
    h = []
    h.extend(Equal(h.clear) for _ in range(N))
    outcome(f)

v = bytearray(range(100))
for f in (lambda: struct.pack_into("4B", v, 0, 1, 2, 3, Index(v.clear)), lambda: struct.unpack_from("4B", v, Index(v.clear)), lambda: memoryview(v)[Index(v.clear)], lambda: memoryview(v).__setitem__(0, Index(v.clear)), lambda: memoryview(v).__setitem__(Index(v.clear), 1), lambda: memoryview(v)[Index(v.clear) :].tobytes()):
    v[:] = bytearray(range(100))
    outcome(f)

f = io.BytesIO(b"abcdef" * 100)
for g in (lambda: f.read(Index(lambda: f.truncate(0), 50)), lambda: f.seek(Index(lambda: f.truncate(0), 50)), lambda: f.readline(Index(f.close)), lambda: f.truncate(Index(f.close))):
    f = io.BytesIO(b"abcdef" * 100)
    outcome(g)

# A search of what grows while it is searched ends.
grows = []


class Adds:
    def __eq__(self, other):
        if len(grows) < 1000:
            grows.append(Adds())
        return False


grows.append(Adds())
assert 5 not in grows and len(grows) == 1000 and grows.count(5) == 0
it = itertools.chain.from_iterable([[1], (x for x in [2, 3])])
assert list(it) == [1, 2, 3]
assert sys.getsizeof(grows) > 0
