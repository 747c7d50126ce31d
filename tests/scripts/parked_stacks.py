"""Greenlets parked under native code, each with a native stack, resumed in random order."""
import sys
import time
from greenlet import greenlet, getcurrent

count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() & 0xffffffff
main = getcurrent()


def body(n):
    def key(x):
        if x == 2:
            got = main.switch(n)
            assert got == ("for", n), (got, n)
        return (x * 7 + n) % 5

    return n, sorted(range(5), key=key)


parked = [greenlet(body) for _ in range(count)]
for i, g in enumerate(parked):
    assert g.switch(i) == i


def shuffled(n, state):
    row = list(range(n))
    for i in range(n - 1, 0, -1):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        j = (state >> 33) % (i + 1)
        row[i], row[j] = row[j], row[i]
    return row


order = shuffled(count, seed)
for i in order:
    n, row = parked[i].switch(("for", i))
    assert n == i and row == sorted(range(5), key=lambda x: (x * 7 + i) % 5), (seed, i, row)
assert all(g.dead for g in parked)
print("ok")
