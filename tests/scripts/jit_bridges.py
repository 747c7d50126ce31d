"""What rare branches of hot loops change is right afterwards, whichever way the loop goes on."""


def rare_branches(n):
    best, count, seen, out = -1, 0, {}, []
    for i in range(n):
        if i % 7 == 0:
            best = i
        elif i % 11 == 3:
            count = count + best
            out.append((i, best))
        if i % 97 == 0:
            seen[str(i)] = best
        last = best if i & 1 else count
    return best, count, len(out), sorted(seen.items())[:3], last


def loops_in_loops(rows):
    total = 0.0
    for row in rows:
        for v in row[1:]:
            if v > 2:
                total += v
            else:
                total -= 0.5
        for q in range(len(row)):
            total += row[q] * 0.25
    return total


def pairs(d):
    return {s: b for b, row in d.items() for s in row}


class Point:
    def __init__(self, a):
        self.a = a

    @property
    def twice(self):
        return self.a * 2

    def __add__(self, other):
        return Point(self.a + (other.a if isinstance(other, Point) else other))

    def __len__(self):
        return self.a


def methods(n):
    p, s = Point(0), 0
    for i in range(n):
        p = p + Point(i % 3)
        p = p + 1
        s += p.twice
        if p and i % 5:
            s -= 1
        if i == n - 3:
            try:
                s += p.nope
            except AttributeError:
                s += 1000
    return p.a, s


def types_change(n):
    x, log = 0, []
    for i in range(n):
        x = x + 1 if i < n // 2 else x + 0.5
        if i == n - 2:
            x = 1 << 61
            log.append(type(x + x).__name__)
    return x, log


for k in range(5):
    assert rare_branches(5000)[:3] == (4998, 975065, 390), rare_branches(5000)
for k in range(50):
    assert loops_in_loops([(1, 2, 3), (4, 5), (), (6,)] * 30) == 382.5
rows = {"a": ("x", "y"), "b": ("z", "w", "q"), "c": ("1", "2"), "d": ("3",)}
for k in range(60):
    assert pairs(rows) == {"x": "a", "y": "a", "z": "b", "w": "b", "q": "b", "1": "c", "2": "c", "3": "d"}
for k in range(6):
    assert methods(500) == (999, 500932), methods(500)
for k in range(6):
    assert types_change(400) == (2.305843009213694e+18, ['int'])


def beyond_immediate_ints(a, b):
    """Items that a native iterator gave are not lost when they are no ints of the trace's kind."""
    i = j = 0
    for v in range(a, b):
        j = v if type(v) is int else 1
        i = j
    return i, j, v


for n in range(30):
    last = 2**61 + 59 + n
    assert beyond_immediate_ints(2**61 - 20, last + 1) == (last, last, last), n
