#!/usr/bin/env python3
"""Measures how the cost of each operation of the builtin types grows with the size of what it works on.

    skein benches/growth.py [--only REGEX] [--all]

Each row says which order is allowed: "1" costs the same at any size, "n" so much for each item. Sizes are four and sixteen times
the first one; a row fails if its cost grows by more than half as much again as the size does where it must not grow. Times are CPU
times, the least of several rounds, so that only a wrong order fails. `--all` shows the rows that pass, too.
"""
import argparse
import re
import sys
import time

clock = time.process_time
FIRST = 4096
STEPS = (1, 4, 16)
# A cost that should stay may grow so much over all sizes: caches, memory, the collector.
SLACK = 6.0

# order, name, what makes `x` (and more) of `n`, and the statement that is timed.
ROWS = """
1 list append | x = list(range(n)) | x.append(i); x.pop()
1 list index | x = list(range(n)); j = n // 2 | x[j]
1 list store | x = list(range(n)); j = n // 2 | x[j] = i
1 list short slice | x = list(range(n)); j = n // 2 | x[j:j + 4]
1 list pop last | x = list(range(n)) | x.append(x.pop())
1 list end slice store | x = list(range(n)) | x[-2:] = (1, 2)
1 list len | x = list(range(n)) | len(x)
1 list iterator | x = list(range(n)) | next(iter(x))
1 list reversed | x = list(range(n)) | next(reversed(x))
1 list bool | x = list(range(n)) | not x
1 tuple index | x = tuple(range(n)); j = n // 2 | x[j]
1 tuple short slice | x = tuple(range(n)); j = n // 2 | x[j:j + 4]
1 range index | x = range(n); j = n // 2 | x[j]
1 range in | x = range(0, n, 3); j = n // 2 | j in x
1 range slice | x = range(n); j = n // 2 | x[j:]
1 range len | x = range(n) | len(x)
1 dict get | x = dict.fromkeys(range(n)); j = n // 2 | x.get(j)
1 dict store | x = dict.fromkeys(range(n)); j = n // 2 | x[j] = i
1 dict add and delete | x = dict.fromkeys(range(n)) | x[-1] = i; del x[-1]
1 dict in | x = dict.fromkeys(range(n)) | -1 in x
1 dict popitem | x = dict.fromkeys(range(n)) | x[-1] = i; x.popitem()
1 dict first key | x = dict.fromkeys(range(n)) | next(iter(x))
1 dict last key | x = dict.fromkeys(range(n)) | next(reversed(x))
1 dict keys in | x = dict.fromkeys(range(n)).keys() | 5 in x
1 dict items in | x = dict.fromkeys(range(n)).items() | (5, None) in x
1 dict small update | x = dict.fromkeys(range(n)); y = {1: 2} | x.update(y)
1 dict setdefault | x = dict.fromkeys(range(n)) | x.setdefault(5)
1 set in | x = set(range(n)) | -1 in x
1 set add and remove | x = set(range(n)) | x.add(-1); x.remove(-1)
1 set pop | x = set(range(n)) | x.add(x.pop())
1 set isdisjoint small | x = set(range(n)); y = {-1} | y.isdisjoint(x)
1 set small and | x = set(range(n)); y = {1} | y & x
1 set small update | x = set(range(n)); y = {1} | x |= y
1 str index | x = "a" * n; j = n // 2 | x[j]
1 str index wide | x = "ä€" * n; j = n | x[j]
1 str short slice wide | x = "ä€" * n; j = n | x[j:j + 4]
1 str startswith | x = "a" * n; y = "aab" | x.startswith(y)
1 str startswith at wide | x = "ä€" * n; j = n; y = "xy" | x.startswith(y, j)
1 str find short range wide | x = "ä€" * n; j = n; y = "xy" | x.find(y, j, j + 10)
1 str endswith | x = "a" * n; y = "baa" | x.endswith(y)
1 str len wide | x = "ä€" * n | len(x)
1 str hash | x = "a" * n; hash(x) | hash(x)
1 str unequal lengths | x = "a" * n; y = "a" * (n + 1) | x == y
1 str append | x = "a" * n | x += "b"
1 str isascii | x = "a" * n | x.isascii()
1 str strip | x = "a" * n | x.strip()
1 str iterator wide | x = "ä€" * n | next(iter(x))
1 bytes index | x = b"a" * n; j = n // 2 | x[j]
1 bytes short slice | x = b"a" * n; j = n // 2 | x[j:j + 4]
1 bytes startswith | x = b"a" * n | x.startswith(b"ab")
1 bytes hash | x = b"a" * n; hash(x) | hash(x)
1 bytearray append | x = bytearray(n) | x.append(1); x.pop()
1 bytearray store | x = bytearray(n); j = n // 2 | x[j] = 7
1 bytearray short slice store | x = bytearray(n); j = n // 2 | x[j:j + 2] = b"ab"
1 bytearray extend | x = bytearray(n) | x += b"ab"; del x[-2:]
1 bytearray delete front | x = bytearray(n) | del x[:1]; x.append(1)
1 memoryview slice | x = memoryview(bytearray(n)); j = n // 2 | x[j:]
1 memoryview store | x = memoryview(bytearray(n)); j = n // 2 | x[j] = 7
1 memoryview cast | x = memoryview(bytearray(n * 8)) | x.cast("Q")
1 array index | import array; x = array.array("d", bytes(8 * n)); j = n // 2 | x[j]
1 array store | import array; x = array.array("d", bytes(8 * n)); j = n // 2 | x[j] = 1.0
1 array append | import array; x = array.array("d", bytes(8 * n)) | x.append(1.0); x.pop()
1 deque ends | import collections; x = collections.deque(range(n)) | x.append(x.popleft())
1 deque rotate | import collections; x = collections.deque(range(n)) | x.rotate(1)
1 deque bounded | import collections; x = collections.deque(range(n), n) | x.append(i)
1 OrderedDict move | import collections; x = collections.OrderedDict.fromkeys(range(n)) | x.move_to_end(i % n)
1 OrderedDict popitem | import collections; x = collections.OrderedDict.fromkeys(range(n)) | x[-1] = 1; x.popitem()
1 OrderedDict queue | import collections; x = collections.OrderedDict.fromkeys(range(n)) | k, v = x.popitem(False); x[k + n] = v
1 heapq | import heapq; x = list(range(n)) | heapq.heappush(x, i); heapq.heappop(x)
1 bisect | import bisect; x = list(range(n)); j = n // 2 | bisect.bisect(x, j)
1 re match at | import re; x = "a" * n; y = re.compile("ab"); j = n // 2 | y.match(x, j)
1 re match at wide | import re; x = "ä€" * n; y = re.compile("ab"); j = n | y.match(x, j)
1 StringIO write | import io; x = io.StringIO(); x.write("a" * n) | x.write("b")
1 BytesIO write | import io; x = io.BytesIO(); x.write(b"a" * n) | x.write(b"b")
1 BytesIO read | import io; x = io.BytesIO(bytes(n)) | x.read(2); x.seek(5)
1 StringIO read | import io; x = io.StringIO("ä" * n) | x.read(2); x.seek(5)
1 int bit_length | x = 1 << 8 * n | x.bit_length()
1 int compare lengths | x = 1 << 8 * n; y = 5 | x < y
1 int negative | x = 1 << 8 * n | x > 0
1 islice | import itertools; x = list(range(n)) | next(itertools.islice(x, 2, None))
1 chain | import itertools; x = list(range(n)) | next(itertools.chain(x, x))
1 call with a long default | x = tuple(range(n)); y = lambda a=x: a | y()
1 object attribute | x = type("C", (), {})(); x.__dict__.update(("a%d" % k, k) for k in range(n)) | x.a5
1 global | globals().update(("g%d" % k, k) for k in range(n)); x = 1 | g5
1 instances alive | x = [type("C", (), {})() for k in range(n // 64)] | len(x)
n list copy | x = list(range(n)) | x[:]
n list sum | x = list(range(n)) | sum(x)
n list insert front | x = list(range(n)) | x.insert(0, 1); del x[0]
n list reverse | x = list(range(n)) | x.reverse()
n list sort sorted | x = list(range(n)) | x.sort()
n list equality | x = list(range(n)); y = list(range(n)) | x == y
n list extend | x = list(range(n)) | y = []; y.extend(x)
n list extended slice | x = list(range(n)) | x[::2]
n list extended delete | x = list(range(n)) | y = x[:]; del y[::2]
n list remove many | x = list(range(n)) | y = [k for k in x if k & 1]
n list from iterator | x = range(n) | list(iter(x))
n list unpacking | x = list(range(n)) | [*x, *x]
n tuple hash | x = tuple(range(n)) | hash(x)
n tuple add | x = tuple(range(n)) | x + x
n dict copy | x = dict.fromkeys(range(n)) | x.copy()
n dict build | x = range(n) | {k: k for k in x}
n dict update | x = dict.fromkeys(range(n)) | y = {}; y.update(x)
n dict drain | x = range(n) | y = dict.fromkeys(x); [y.popitem() for _ in x]
n dict drain in order | x = range(n) | y = dict.fromkeys(x); [y.pop(k) for k in x]
n dict equality | x = dict.fromkeys(range(n)); y = x.copy() | x == y
n dict keys and | x = dict.fromkeys(range(n)) | x.keys() & x.keys()
n set build | x = range(n) | set(x)
n set or | x = set(range(n)) | x | x
n set drain | x = range(n) | y = set(x); [y.pop() for _ in x]
n set difference | x = set(range(n)); y = set(range(0, n, 2)) | x - y
n frozenset hash | x = range(n) | hash(frozenset(x))
n str join | x = ["ab"] * n | "".join(x)
n str split | x = "a " * n | x.split()
n str split wide | x = "ä€ " * n | x.split(" ")
n str replace | x = "ab" * n | x.replace("a", "xyz")
n str find none | x = "a" * n | x.find("b")
n str find repeated | x = "a" * n; y = "a" * 50 + "b" | x.find(y)
n str count | x = "ab" * n | x.count("ab")
n str translate | x = "ab" * n | x.translate({97: "x"})
n str iterate wide | x = "ä€" * n | [c for c in x]
n str indexes wide | x = "ä€" * n | [x[k] for k in range(n)]
n str builds by += | x = range(n) | y = ""; y = [y := y + "ab" for _ in x][-1]
n str encode | x = "ä€" * n | x.encode()
n str upper wide | x = "ä€" * n | x.upper()
n str reversed wide | x = "ä€" * n | x[::-1]
n str splitlines | x = "ab\\n" * n | x.splitlines()
n str equality | x = "ä€" * n; y = x[:-1] + "x" | x == y
n str in | x = "ab" * n; y = "ba" * 20 + "x" | y in x
n str format | x = "{} " * n; y = (1,) * n | x.format(*y)
n bytes hex | x = bytes(n) | x.hex()
n bytes join | x = [b"ab"] * n | b"".join(x)
n bytes split | x = b"a " * n | x.split()
n bytes find repeated | x = b"a" * n; y = b"a" * 50 + b"b" | x.find(y)
n bytearray build | x = range(n) | y = bytearray(); [y.append(1) for _ in x]
n bytearray queue | x = range(n) | y = bytearray(n); [y.pop(0) for _ in x]
n array build | import array; x = range(n) | y = array.array("l"); [y.append(1) for _ in x]
n array store all | import array; x = range(n); y = array.array("l", x) | [y.__setitem__(k, 1) for k in x]
n deque fill | import collections; x = range(n) | y = collections.deque(x); [y.popleft() for _ in x]
n re findall | import re; x = "ab " * n; y = re.compile("[a-z]+") | y.findall(x)
n re sub wide | import re; x = "ä€ " * n; y = re.compile("€") | y.sub("x", x)
n re finditer wide | import re; x = "ä€ " * n; y = re.compile("€") | [m.start() for m in y.finditer(x)]
n re split | import re; x = "a,b " * n; y = re.compile("[, ]") | y.split(x)
n re lazy | import re; x = "a" * n + "b"; y = re.compile("a*?b") | y.match(x)
n json | import json; x = list(range(n)) | json.loads(json.dumps(x))
n StringIO lines | import io; x = "ä€\\n" * n | [k for k in io.StringIO(x)]
n BytesIO lines | import io; x = b"ab\\n" * n | [k for k in io.BytesIO(x)]
n int and | x = (1 << 8 * n) - 1; y = x - 5 | x & y
n int add | x = (1 << 8 * n) - 1; y = x - 5 | x + y
n int times word | x = (1 << 8 * n) - 1 | x * 12345
n int shift | x = (1 << 8 * n) - 1 | x >> 5
n int hex | x = (1 << 8 * n) - 1 | hex(x)
n int from hex | x = "f" * n | int(x, 16)
n int to_bytes | x = (1 << 8 * n) - 1 | x.to_bytes(n, "little")
n int bit_count | x = (1 << 8 * n) - 1 | x.bit_count()
n int hash | x = (1 << 8 * n) - 1 | hash(x)
n zip | x = list(range(n)) | list(zip(x, x))
n map | x = list(range(n)) | list(map(abs, x))
n generator | x = range(n) | sum(k for k in x)
n max by key | x = list(range(n)) | max(x, key=abs)
n accumulate | import itertools; x = range(n) | list(itertools.accumulate(x))
n groupby | import itertools; x = range(n) | [k for k, g in itertools.groupby(x)]
n Counter | import collections; x = "abcd" * n | collections.Counter(x)
n deep list drop | x = n | y = []; [y := [y] for _ in range(x)]; y = None
n linked objects drop | x = n | y = None; [y := (y, k) for k in range(x)]; y = None
n weak references | import weakref; x = [set() for _ in range(n)] | [weakref.ref(k) for k in x]
n exceptions chained | x = range(n // 16) | [Exception(k) for k in x]
"""


def rows():
    for line in ROWS.strip().splitlines():
        head, setup, statement = (part.strip() for part in line.split(" | ", 2))
        order, name = head.split(" ", 1)
        yield order, name, setup, statement


def build(setup, statement, names):
    """A function of n that gives a function of a number of turns."""
    body = "\n".join("        " + part.strip() for part in statement.split("; "))
    used = [k for k in names if re.search(r"\b%s\b" % k, setup)]
    kept = "    nonlocal %s\n" % ", ".join(used) if used else ""
    text = "def make(n):\n  %s\n  def run(turns):\n%s      for i in range(turns):\n%s\n  return run\n" % (
        setup.replace("; ", "\n  "),
        kept.replace("    ", "      "),
        body,
    )
    space = globals()
    exec(compile(text, "<growth>", "exec"), space)
    return space["make"]


def cost(run, order, budget):
    """CPU time of a turn, the least of some rounds."""
    turns = 1
    while True:
        start = clock()
        run(turns)
        spent = clock() - start
        if spent > budget / 10 or turns > 1 << 22:
            break
        turns *= 4
    least = spent / turns
    for _ in range(4):
        start = clock()
        run(turns)
        least = min(least, (clock() - start) / turns)
    return least


def measure(order, setup, statement):
    make = build(setup, statement, ("x", "y"))
    costs = []
    for step in STEPS:
        run = make(FIRST * step)
        costs.append(cost(run, order, 0.02))
        del run
        # Where the order is wrong by far, the largest size takes too long.
        if len(costs) > 1 and costs[-1] > 5.0:
            break
    grown = costs[-1] / costs[0]
    allowed = SLACK if order == "1" else SLACK * STEPS[len(costs) - 1]
    return costs, grown, allowed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    failed = 0
    for order, name, setup, statement in rows():
        if not re.search(args.only, name):
            continue
        try:
            costs, grown, allowed = measure(order, setup, statement)
        except Exception as e:
            failed += 1
            print("%-32s %s: %s" % (name, type(e).__name__, e), flush=True)
            continue
        bad = grown > allowed
        failed += bad
        if bad or args.all:
            shown = " ".join("%11.1f" % (c * 1e9) for c in costs)
            print("%-32s order %s %s ns, times %.1f%s" % (name, order, shown, grown, "  FAILED" if bad else ""), flush=True)
    print("%d failed" % failed)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
