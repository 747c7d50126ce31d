"""Benchmarks of single operations of the language, one row a run: language.py ROW [N]. Prints `RESULT row value unit`:
the best of five rounds in CPU time, per operation."""
import array
import random
import struct
import sys
import time

clock = time.process_time
ROWS = {}


def row(n, unit="ns/turn"):
    """A function of a number of turns that is timed."""

    def add(run):
        ROWS[run.__name__] = (run, n, unit)
        return run

    return add


@row(300000, "ns/call")
def call(n):
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    # fib(24) makes 150,049 calls.
    for _ in range(max(n // 150049, 1)):
        fib(24)


@row(1000000)
def int_loop(n):
    total = 0
    for i in range(n):
        total += i % 7


@row(1000000)
def while_loop(n):
    i = total = 0
    while i < n:
        total += i & 7
        i += 1


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def move(self, d):
        self.x += d
        return self


@row(1000000, "ns/call")
def method(n):
    p = Point(1, 2)
    for i in range(n):
        p.move(1)


@row(1000000)
def attribute(n):
    p = Point(1, 2)
    for i in range(n):
        p.x = p.y


@row(500000, "ns/object")
def alloc(n):
    for i in range(n):
        Point(i, i)


@row(500000)
def floats(n):
    x = y = 0.5
    for _ in range(n):
        x, y = x * x - y * y + 0.3, 2.0 * x * y + 0.1
        if x > 2.0:
            x = y = 0.5


@row(500000)
def sieve(n):
    flags = [True] * n
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            for j in range(i * i, n, i):
                flags[j] = False


@row(500000)
def dict_items(n):
    d = {}
    for i in range(n):
        d[i & 1023] = d.get(i & 511, 0) + 1


@row(500000)
def list_items(n):
    items = []
    for i in range(n):
        items.append(i)
    for i in range(n):
        items[i] = items[i] + 1


@row(300000)
def fstring(n):
    for i in range(n):
        f"{i}:{n}"


@row(300000)
def percent(n):
    for i in range(n):
        "%d:%s" % (i, "x")


@row(500000, "ns/item")
def comprehension(n):
    [x * 2 for x in range(n)]


@row(500000, "ns/item")
def generator(n):
    def items():
        for i in range(n):
            yield i

    for _ in items():
        pass


@row(300000)
def exception(n):
    for i in range(n):
        try:
            raise ValueError(i)
        except ValueError:
            pass


@row(500000, "ns/call")
def keyword_call(n):
    def f(a, b=2, *, c=3):
        return a

    for i in range(n):
        f(i, c=4)


@row(500000, "ns/call")
def star_call(n):
    def f(*args, **kwargs):
        return args

    for i in range(n):
        f(i, 2, c=4)


@row(500000, "ns/call")
def closure(n):
    k = 3

    def f(x):
        return x + k

    for i in range(n):
        f(i)


@row(200000, "ns/item")
def sort(n):
    r = random.Random(1)
    items = [r.random() for _ in range(n)]
    items.sort()


@row(200000, "ns/item")
def sort_key(n):
    r = random.Random(1)
    items = [r.random() for _ in range(n)]
    items.sort(key=lambda x: -x)


@row(300000)
def slices(n):
    items = list(range(10))
    for i in range(n):
        items[:5] = items[4::-1]


@row(500000)
def in_set(n):
    s = set(range(100))
    for i in range(n):
        i in s


@row(500000, "ns/call")
def native_call(n):
    for i in range(n):
        len("abc")


@row(500000, "ns/call")
def is_instance(n):
    for i in range(n):
        isinstance(i, int)


@row(3000)
def big_int(n):
    x = 1
    for i in range(1, n):
        x *= i


@row(20)
def big_int_text(n):
    x = 7**4000
    for _ in range(n):
        assert int(str(x)) == x


@row(200000)
def str_methods(n):
    for i in range(n):
        " a,b ".strip().split(",")
        "key=value".partition("=")
        "abc".upper().startswith("A")
        "x".join(["a", "b", "c"])
        "hello".replace("l", "L")


@row(300000)
def bytes_methods(n):
    b = b"GET /index HTTP/1.1\r\n"
    for i in range(n):
        b.find(b"HTTP")
        b[4:10] + b"x"
        b.split(b" ")


@row(300000)
def structs(n):
    s = struct.Struct("<IHd")
    for i in range(n):
        s.unpack(s.pack(i, 2, 0.5))


@row(500000)
def arrays(n):
    a = array.array("d", [0.0]) * 64
    for i in range(n):
        a[i & 63] = a[(i + 1) & 63] + 1.0


def main():
    name = sys.argv[1]
    run, n, unit = ROWS[name]
    if len(sys.argv) > 2:
        n = int(sys.argv[2])
    run(max(n // 10, 1))
    times = []
    for _ in range(5):
        start = clock()
        run(n)
        times.append(clock() - start)
    print("RESULT %s %.1f %s" % (name, min(times) / n * 1e9, unit))


if __name__ == "__main__":
    main()
