"""Greenlets parked under native code, each with a native stack, resumed in random order."""
import random
import sys
from greenlet import greenlet, getcurrent

count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
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
order = list(range(count))
random.Random(seed).shuffle(order)
for i in order:
    n, row = parked[i].switch(("for", i))
    assert n == i and row == sorted(range(5), key=lambda x: (x * 7 + i) % 5), (seed, i, row)
assert all(g.dead for g in parked)
print("ok")
