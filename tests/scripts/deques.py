from collections import deque
def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"



d = deque([1, 2, 3])
d.append(4)
d.appendleft(0)
assert list(d) == [0, 1, 2, 3, 4] and len(d) == 5 and d[0] == 0 and d[-1] == 4 and d[2] == 2
assert d.pop() == 4 and d.popleft() == 0
d.extend("ab")
d.extendleft("xy")
assert list(d) == ["y", "x", 1, 2, 3, "a", "b"]
for n in range(-10, 11):
    for size in (0, 1, 2, 5, 8):
        d = deque(range(size))
        d.rotate(n)
        l = list(range(size))
        k = n % size if size else 0
        assert list(d) == l[size - k:] + l[:size - k], (n, size, d)
d = deque(range(5))
d.rotate()
assert list(d) == [4, 0, 1, 2, 3]
d = deque(maxlen=3)
d.extend(range(5))
assert list(d) == [2, 3, 4] and d.maxlen == 3 and repr(d) == "deque([2, 3, 4], maxlen=3)"
d.appendleft(9)
assert list(d) == [9, 2, 3]
raises(IndexError, d.insert, 0, 1, text="deque already at its maximum size")
assert list(deque([1, 2], maxlen=0)) == [] and deque().maxlen is None
raises(ValueError, deque, [], -1, text="maxlen must be non-negative")
raises(IndexError, deque().pop, text="pop from an empty deque")
raises(IndexError, deque().popleft, text="pop from an empty deque")
d = deque("abcab")
assert d.count("a") == 2 and d.index("b") == 1 and d.index("b", 2) == 4
raises(ValueError, d.index, "z", text="'z' is not in deque")
d.remove("c")
assert "".join(d) == "abab"
raises(ValueError, d.remove, "z")
d.insert(1, "X")
d.insert(-1, "Y")
d.insert(100, "Z")
assert "".join(d) == "aXbaYbZ"
d.reverse()
assert "".join(d) == "ZbYabXa"
d[0] = "q"
del d[1]
del d[-1]
assert "".join(d) == "qYabX"
raises(IndexError, lambda: d[9], text="deque index out of range")
raises(TypeError, lambda: d["a"])
assert "q" in d and "z" not in d and "".join(reversed(d)) == "XbaYq"
c = d.copy()
assert c == d and c is not d and type(c) is deque
d.clear()
assert not d and len(c) == 5
assert deque([1, 2]) + deque([3]) == deque([1, 2, 3]) and deque([1]) * 3 == deque([1, 1, 1]) and 2 * deque([1]) == deque([1, 1])
assert deque([1, 2]) < deque([1, 3]) and deque([1]) != deque([2]) and deque([1, 2]) >= deque([1]) and deque() == deque()
assert deque([1]) != [1]
d = deque([1])
d += [2, 3]
d *= 2
assert d == deque([1, 2, 3, 1, 2, 3])
d = deque([1])
d.append(d)
assert repr(d) == "deque([1, [...]])"


def grow():
    d = deque([1, 2])
    for x in d:
        d.append(x)


raises(RuntimeError, grow, text="deque mutated during iteration")


class D(deque):
    pass


s = D([1, 2], 5)
s.x = 1
assert s.x == 1 and s == deque([1, 2]) and s.maxlen == 5 and type(s.copy()) is D and repr(s) == "D([1, 2], maxlen=5)"
q = deque()
total = 0
for i in range(20000):
    q.append(i)
    q.append(i)
    total += q.popleft()
while q:
    total += q.popleft()
assert total == 2 * sum(range(20000))
print("ok")
