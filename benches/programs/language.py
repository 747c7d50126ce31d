"""Benchmarks of the language itself, one row a run: language.py ROW [N]. Prints `RESULT row value unit`."""
import sys
import time

clock = time.process_time


def best(run, n):
    run(max(n // 10, 1))
    times = []
    for _ in range(3):
        start = clock()
        run(n)
        times.append(clock() - start)
    return min(times) / n * 1e9


def fib(n):
    def fib(n):
        if n < 2:
            return n
        return fib(n - 1) + fib(n - 2)

    start = clock()
    fib(n)
    calls = 1.0
    a, b = 1, 1
    for _ in range(n):
        a, b = b, a + b
    calls = 2 * a - 1
    return (clock() - start) / calls * 1e9, "ns/call"


def int_loop(n):
    def run(n):
        total = 0
        for i in range(n):
            total += i % 7
        return total

    return best(run, n), "ns/turn"


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def move(self, d):
        self.x += d
        self.y -= d


def method(n):
    def run(n):
        p = Point(1, 2)
        for i in range(n):
            p.move(1)

    return best(run, n), "ns/call"


def instance(n):
    def run(n):
        for i in range(n):
            Point(i, i)

    return best(run, n), "ns/object"


def floats(n):
    def run(n):
        x = y = 0.5
        for _ in range(n):
            x, y = x * x - y * y + 0.3, 2.0 * x * y + 0.1
            if x > 2.0:
                x = y = 0.5

    return best(run, n), "ns/turn"


def sieve(n):
    def run(n):
        flags = [True] * n
        for i in range(2, int(n ** 0.5) + 1):
            if flags[i]:
                for j in range(i * i, n, i):
                    flags[j] = False

    return best(run, n), "ns/number"


def generator(n):
    def gen(n):
        for i in range(n):
            yield i

    def run(n):
        for _ in gen(n):
            pass

    return best(run, n), "ns/item"


def dictionary(n):
    def run(n):
        d = {}
        for i in range(n):
            d[i & 1023] = d.get(i & 511, 0) + 1

    return best(run, n), "ns/turn"


def text(n):
    def run(n):
        parts = []
        for i in range(n):
            parts.append("item %d" % i)
        return len(",".join(parts))

    return best(run, n), "ns/turn"


ROWS = {
    "fib": (fib, 27),
    "int_loop": (int_loop, 2000000),
    "method": (method, 1000000),
    "instance": (instance, 1000000),
    "floats": (floats, 1000000),
    "sieve": (sieve, 1000000),
    "generator_item": (generator, 2000000),
    "dictionary": (dictionary, 1000000),
    "text": (text, 300000),
}

if __name__ == "__main__":
    row = sys.argv[1]
    f, n = ROWS[row]
    value, unit = f(int(sys.argv[2]) if len(sys.argv) > 2 else n)
    print("RESULT %s %.1f %s" % (row, value, unit))
