"""As idioms.py, of what builtin types and the library do: idioms_of_builtins.py ROW [N]."""

import bisect
import copy
import functools
import heapq
import itertools
import json
import math
import operator
import random
import re
import time

from idioms import Base, D, adder, main

ROWS = {}
row = adder(ROWS)


@row
def dict_setdefault(n):
    d = {}
    for i in range(n):
        d.setdefault(i & 15, []).append(i)


@row
def dict_get_str(n):
    d = {"a": 1, "b": 2}
    s = 0
    for i in range(n):
        s += d.get("a", 0) + d.get("z", 0)


@row
def dict_in_str(n):
    d = {"a": 1, "b": 2}
    s = 0
    for i in range(n):
        if "b" in d:
            s += d["b"]


@row
def dict_del(n):
    d = {}
    for i in range(n):
        d[i] = 1
        del d[i]


@row
def dict_merge(n):
    a = {"a": 1}
    b = {"b": 2}
    for i in range(n):
        {**a, **b}


@row
def dict_literal(n):
    for i in range(n):
        {"a": i, "b": 2}


@row
def list_literal_unpack(n):
    a = [1, 2]
    for i in range(n):
        [*a, i]


@row
def tuple_unpack(n):
    t = (1, 2, 3)
    s = 0
    for i in range(n):
        a, b, c = t
        s += a + b + c


@row
def star_unpack(n):
    t = (1, 2, 3)
    s = 0
    for i in range(n):
        a, *b = t
        s += a


@row
def list_pop_append(n):
    l = [1, 2, 3]
    for i in range(n):
        l.append(i)
        l.pop()


@row
def list_insert_pop0(n):
    l = [1, 2, 3]
    for i in range(n):
        l.insert(0, i)
        l.pop(0)


@row
def list_slice(n):
    l = list(range(10))
    for i in range(n):
        l[2:5]


@row
def list_concat(n):
    l = [1, 2]
    for i in range(n):
        l + [i]


@row
def list_mul(n):
    for i in range(n):
        [0] * 8


@row
def list_index(n):
    l = list(range(10))
    s = 0
    for i in range(n):
        s += l.index(5)


@row
def in_list(n):
    l = list(range(10))
    s = 0
    for i in range(n):
        if 5 in l:
            s += 1


@row
def in_tuple_const(n):
    s = 0
    for i in range(n):
        if i in (1, 2, 3):
            s += 1


@row
def in_str(n):
    s = 0
    t = "hello world"
    for i in range(n):
        if "wor" in t:
            s += 1


@row
def nested_list(n):
    g = [[0] * 10 for _ in range(10)]
    for i in range(n):
        g[i % 10][3] += 1


@row
def tuple_key_dict(n):
    d = {(1, 2): 3, (0, 2): 4}
    s = 0
    for i in range(n):
        s += d[(i & 1, 2)]


@row
def str_split(n):
    for i in range(n):
        "a b c".split()


@row
def str_startswith(n):
    t = "hello world"
    s = 0
    for i in range(n):
        if t.startswith("hello"):
            s += 1


@row
def str_strip_lower(n):
    for i in range(n):
        "  Hello ".strip().lower()


@row
def str_slice(n):
    t = "hello world"
    for i in range(n):
        t[2:7]


@row
def str_eq(n):
    a = "hello"
    b = "".join(["hel", "lo"])
    s = 0
    for i in range(n):
        if a == b:
            s += 1


@row
def ord_chr(n):
    s = 0
    for i in range(n):
        s += ord(chr(i & 127))


@row
def int_str(n):
    s = 0
    for i in range(n):
        s += int(str(i))


@row
def bytes_index(n):
    b = b"hello world"
    s = 0
    for i in range(n):
        s += b[i % 11]


@row
def bytearray_set(n):
    b = bytearray(16)
    for i in range(n):
        b[i & 15] = i & 255


@row
def bytearray_append(n):
    b = bytearray()
    for i in range(n):
        b.append(i & 255)


@row
def divmod_round_abs(n):
    s = 0
    for i in range(n):
        q, r = divmod(i, 7)
        s += abs(q - r)


@row
def float_math(n):
    s = 0.0
    for i in range(n):
        s += math.sin(i) * math.floor(2.5)


@row
def round_float(n):
    s = 0
    for i in range(n):
        s += round(i * 0.5, 1)


@row
def random_random(n):
    r = random.random
    s = 0
    for i in range(n):
        s += r()


@row
def random_randint(n):
    r = random.Random(1)
    for i in range(n):
        r.randint(1, 10)


@row
def try_except_else(n):
    s = 0
    for i in range(n):
        try:
            s += 1
        except ValueError:
            pass
        else:
            s += 1
        finally:
            s += 1


@row
def raise_own(n):
    class X(Exception):
        pass

    for i in range(n):
        try:
            raise X("a")
        except X as e:
            pass


@row
def key_error(n):
    d = {}
    s = 0
    for i in range(n):
        try:
            d[i]
        except KeyError:
            s += 1


@row
def closure_nonlocal(n):
    c = 0

    def inc():
        nonlocal c
        c += 1

    for i in range(n):
        inc()


@row
def lambda_made(n):
    s = 0
    for i in range(n):
        s += (lambda x: x + i)(1)


@row
def partial_call(n):
    f = functools.partial(lambda a, b: a + b, 1)
    s = 0
    for i in range(n):
        s += f(i)


@row
def lru_cache_hit(n):
    @functools.lru_cache(None)
    def f(x):
        return x

    for i in range(n):
        f(1)


def deco(f):
    @functools.wraps(f)
    def w(*args, **kw):
        return f(*args, **kw)

    return w


@deco
def decorated(a, b=2):
    return a


@row
def decorated_call(n):
    for i in range(n):
        decorated(i, b=3)


@row
def star_args_call(n):
    def f(a, b):
        return a

    t = (1, 2)
    for i in range(n):
        f(*t)


@row
def kwargs_call(n):
    def f(a, b):
        return a

    d = {"a": 1, "b": 2}
    for i in range(n):
        f(**d)


@row
def match_stmt(n):
    s = 0
    for i in range(n):
        match i & 3:
            case 0:
                s += 1
            case 1:
                s += 2
            case _:
                s += 3


@row
def match_class(n):
    s = 0
    d = D(1)
    for i in range(n):
        match d:
            case D(a=1, b=x):
                s += x
            case _:
                s += 3


@row
def match_seq(n):
    s = 0
    d = [1, 2]
    for i in range(n):
        match d:
            case [a, b]:
                s += b
            case _:
                s += 3


@row
def re_match(n):
    r = re.compile(r"(\w+)=(\d+)")
    for i in range(n // 10):
        r.match("key=12").group(1)


@row
def heap_ops(n):
    h = [5, 3, 8, 1]
    heapq.heapify(h)
    for i in range(n):
        heapq.heappush(h, i & 7)
        heapq.heappop(h)


@row
def bisect_ops(n):
    l = list(range(100))
    for i in range(n):
        bisect.bisect_left(l, i % 100)


@row
def itertools_chain(n):
    s = 0
    for x in itertools.chain(range(n // 2), range(n // 2)):
        s += x


@row
def itertools_product(n):
    s = 0
    for a, b in itertools.product(range(n // 10), range(10)):
        s += a


@row
def enumerate_list(n):
    l = list(range(10))
    s = 0
    for i in range(n // 10):
        for j, x in enumerate(l):
            s += j * x


@row
def reversed_list(n):
    l = list(range(10))
    s = 0
    for i in range(n // 10):
        for x in reversed(l):
            s += x


@row
def range_step_neg(n):
    s = 0
    for x in range(n, 0, -1):
        s += x


@row
def while_true_break(n):
    i = 0
    while True:
        i += 1
        if i >= n:
            break


@row
def global_counter(n):
    global G
    G = 0
    for i in range(n):
        G += 1


@row
def bigint_small(n):
    x = 1 << 70
    for i in range(n):
        x + i


@row
def int_mod64(n):
    x = 12345
    for i in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF


@row
def int_bits(n):
    s = 0
    for i in range(n):
        s += i.bit_length() + (i >> 3 ^ i << 2)


@row
def complex_math(n):
    z = 0j
    for i in range(n):
        z = z * z + 0.1


@row
def fib_recursive(n):
    def fib(k):
        return k if k < 2 else fib(k - 1) + fib(k - 2)

    for i in range(n // 300):
        fib(9)


@row
def yield_from(n):
    def a():
        yield from range(3)

    s = 0
    for i in range(n // 3):
        for x in a():
            s += x


@row
def gen_send(n):
    def g():
        x = 0
        while 1:
            x = yield x

    c = g()
    next(c)
    for i in range(n):
        c.send(i)


@row
def gen_next(n):
    def g():
        i = 0
        while 1:
            yield i
            i += 1

    c = g()
    for i in range(n):
        next(c)


async def co():
    return 1


@row
def await_coro(n):
    async def m():
        for i in range(n):
            await co()

    c = m()
    try:
        c.send(None)
    except StopIteration:
        pass


@row
def tree_walk(n):
    class N:
        def __init__(s, l, r, v):
            s.l = l
            s.r = r
            s.v = v

        def __iter__(s):
            if s.l:
                yield from s.l
            yield s.v
            if s.r:
                yield from s.r

    def mk(a, b):
        if a >= b:
            return None
        m = (a + b) // 2
        return N(mk(a, m), mk(m + 1, b), m)

    t = mk(0, 1000)
    s = 0
    for i in range(max(1, n // 1000)):
        for x in t:
            s += x


@row
def json_small(n):
    for i in range(n // 10):
        json.dumps({"a": 1, "b": [1, 2, 3]})


@row
def deepcopy_small(n):
    x = {"a": [1, 2]}
    for i in range(n // 10):
        copy.deepcopy(x)


@row
def print_devnull(n):
    f = open("/dev/null", "w")
    for i in range(n):
        print(i, file=f)


@row
def set_ops(n):
    a = {1, 2, 3}
    b = {2, 3, 4}
    for i in range(n):
        a & b
        a | b


@row
def set_add(n):
    s = set()
    for i in range(n):
        s.add(i & 63)


@row
def walrus_loop(n):
    it = iter(range(n))
    s = 0
    while (x := next(it, None)) is not None:
        s += x


@row
def chained_compare(n):
    s = 0
    for i in range(n):
        if 0 <= i < 1000000:
            s += 1


@row
def ternary_and_or(n):
    s = 0
    for i in range(n):
        s += (i and 1) or (2 if i else 3)


@row
def str_methods_isdigit(n):
    s = 0
    for i in range(n):
        c = "a1b2"[i & 3]
        if c.isdigit() or c.isalpha():
            s += 1


@row
def list_sort_small(n):
    for i in range(n):
        l = [3, 1, 2]
        l.sort()


@row
def list_reverse_copy(n):
    l = [1, 2, 3]
    for i in range(n):
        l[::-1]
        l.copy()
        list(l)


@row
def id_hash(n):
    s = 0
    o = Base(1)
    for i in range(n):
        s += hash("abc") & 1
        hash(o)


@row
def class_attr_write(n):
    for i in range(n):
        Base.counter = i


@row
def assert_stmt(n):
    for i in range(n):
        assert i >= 0, "x"


@row
def del_local(n):
    for i in range(n):
        x = i
        del x


@row
def os_path_join(n):
    import os.path

    for i in range(n // 10):
        os.path.join("a", "b.txt")


@row
def time_call(n):
    t = time.perf_counter
    for i in range(n):
        t()


@row
def operator_itemgetter(n):
    g = operator.itemgetter(1)
    t = (1, 2)
    s = 0
    for i in range(n):
        s += g(t)


if __name__ == "__main__":
    main(ROWS)
