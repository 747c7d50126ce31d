"""Generators and coroutines that delegate to each other: who resumes the first goes on in the last one at once."""
import gc
import inspect
import sys
import traceback


def leaf(n):
    for i in range(n):
        x = yield i
        if x is not None:
            yield ("got", x)
    return "end"


def chain(n, depth):
    r = yield from (chain(n, depth - 1) if depth else leaf(n))
    return r + str(depth)


def wrap(g):
    return (yield from g)


def results_and_values():
    assert list(chain(3, 5)) == [0, 1, 2]
    g = chain(5, 4)
    assert next(g) == 0 and next(g) == 1
    assert g.send("a") == ("got", "a")
    assert next(g) == 2
    assert inspect.getgeneratorstate(g) == inspect.GEN_SUSPENDED
    got = []

    def drive():
        got.append((yield from chain(3, 6)))

    for _ in drive():
        pass
    assert got == ["end0123456"], got


class Tree:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def tree(lo, hi):
    if lo == hi:
        return None
    i = (lo + hi) // 2
    return Tree(tree(lo, i), i, tree(i + 1, hi))


def trees():
    t = tree(0, 300)
    for _ in range(5):
        assert list(t) == list(range(300))
    a, b = iter(t), iter(t)
    assert [x for pair in zip(a, b) for x in pair] == [x // 2 for x in range(600)]


def walked_frames():
    """Those that only wait are seen in the stack."""
    seen = []

    def names():
        f, out = sys._getframe(1), []
        while f and f.f_code is not walked_frames.__code__:
            out.append((f.f_code.co_name, f.f_locals.get("d")))
            f = f.f_back
        return out

    def inner():
        yield 1
        seen.append(names())
        yield 2
        seen.append([s.name for s in traceback.extract_stack()][-6:])
        seen.append([sys._getframe(i).f_code.co_name for i in range(6)])
        yield 3

    def outer(d):
        if d:
            yield from outer(d - 1)
        else:
            yield from inner()

    for _ in outer(3):
        pass
    assert seen[0] == [("inner", None), ("outer", 0), ("outer", 1), ("outer", 2), ("outer", 3)], seen[0]
    assert seen[1] == ["walked_frames", "outer", "outer", "outer", "outer", "inner"], seen[1]
    assert seen[2] == ["inner", "outer", "outer", "outer", "outer", "walked_frames"], seen[2]


def running():
    """All of a chain run while one does."""
    log = []

    def run():
        yield 0
        log.append([g.gi_running for g in all_of_it])
        log.append([g.gi_suspended for g in all_of_it])
        log.append([g.gi_frame.f_back.f_code.co_name for g in all_of_it])
        for g in all_of_it:
            for f in (lambda: next(g), lambda: g.throw(KeyError), g.close):
                try:
                    f()
                except ValueError as e:
                    log.append(str(e))
        yield 1

    a = run()
    b = wrap(a)
    c = wrap(b)
    d = wrap(c)
    all_of_it = [a, b, c, d]
    assert list(d) == [0, 1]
    assert log[0] == [True] * 4, log[0]
    assert log[1] == [False] * 4
    assert log[2] == ["wrap", "wrap", "wrap", "running"], log[2]
    assert log[3:] == ["generator already executing"] * 12, log[3:]


def exceptions():
    def bad():
        yield 1
        raise KeyError("x")

    def catch(g):
        try:
            yield from g
        except KeyError as e:
            yield ("caught", [f.name for f in traceback.extract_tb(e.__traceback__)])
        yield "after"

    got = list(wrap(catch(wrap(wrap(bad())))))
    assert got == [1, ("caught", ["catch", "wrap", "wrap", "bad"]), "after"], got
    g = wrap(wrap(wrap(bad())))
    assert next(g) == 1
    try:
        next(g)
        assert False
    except KeyError as e:
        names = [f.name for f in traceback.extract_tb(e.__traceback__)]
        assert names == ["exceptions", "wrap", "wrap", "wrap", "bad"], names
    assert g.gi_frame is None and next(g, "over") == "over"


def handled():
    """What is handled while somebody waits is seen as such further in."""
    def inner():
        for _ in range(3):
            yield repr(sys.exception())
            try:
                raise ValueError("own")
            except ValueError:
                yield repr(sys.exception())

    def outer():
        try:
            raise KeyError("outer")
        except KeyError:
            yield from wrap(inner())
        yield repr(sys.exception())

    want = ["KeyError('outer')", "ValueError('own')"] * 3 + ["None"]
    assert list(wrap(wrap(outer()))) == want
    try:
        raise IndexError("consumer")
    except IndexError:
        got = list(wrap(outer()))
        assert got == want[:-1] + ["IndexError('consumer')"], got
        assert repr(sys.exception()) == "IndexError('consumer')"


def throw_and_close():
    log = []

    def inner(name):
        while True:
            try:
                yield name
            except KeyError as e:
                log.append(e.args)
            except GeneratorExit:
                log.append("closed " + name)
                raise

    g = wrap(wrap(inner("a")))
    assert next(g) == "a" and next(g) == "a"
    assert g.throw(KeyError(1)) == "a" and next(g) == "a"
    g.close()
    assert log == [(1,), "closed a"], log

    def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2
        yield 3

    s = stubborn()

    def middle():
        try:
            yield from wrap(s)
        except RuntimeError:
            yield "ignored"
        yield "behind"

    g = wrap(wrap(middle()))
    assert next(g) == 1
    try:
        g.throw(GeneratorExit)
        assert False
    except RuntimeError as e:
        assert "ignored GeneratorExit" in str(e), e
    except GeneratorExit:
        assert False
    # What has left the chain is no part of it.
    assert next(s, None) == 3 and next(g, "over") == "over"


def shared():
    """Two chains come together, and others resume what is in the middle."""
    def numbers():
        for i in range(8):
            yield i

    s = numbers()
    x, y = wrap(wrap(s)), wrap(wrap(wrap(s)))
    assert [next(x), next(y), next(x), next(y), next(s), next(x)] == [0, 1, 2, 3, 4, 5]
    assert list(y) == [6, 7] and list(x) == [] and list(s) == []

    s = numbers()
    m = wrap(s)
    g = wrap(wrap(m))
    assert [next(g), next(m), next(g), next(s), next(g)] == [0, 1, 2, 3, 4]
    assert list(m) == [5, 6, 7] and list(g) == []

    def grows():
        yield 0
        yield from wrap(numbers())
        yield "last"

    m = grows()
    g, h = wrap(wrap(m)), wrap(m)
    assert [next(g), next(h), next(g), next(h), next(m), next(g)] == [0, 0, 1, 2, 3, 4]
    assert list(h) == [5, 6, 7, "last"] and list(g) == []


def reentrant():
    """A chain that is resumed from within by way of another one."""
    log = []

    def inner():
        yield 1
        try:
            log.append(next(other))
        except ValueError as e:
            log.append(str(e))
        yield 2

    i = inner()
    m = wrap(i)
    g = wrap(m)

    def catches(x):
        try:
            yield from x
        except ValueError as e:
            log.append("in other: " + str(e))
            yield "gone on"

    other = catches(m)
    assert next(g) == 1 and list(g) == [2]
    assert log == ["in other: generator already executing", "gone on"], log
    log.clear()
    i = inner()
    m = wrap(i)
    g, other = wrap(m), catches(m)
    assert [next(other), next(g), list(g)] == [1, 2, []]
    assert log == ["in other: generator already executing", "gone on"], log


def coroutines():
    class Ask:
        def __await__(self):
            return (yield self)

    async def bottom(n):
        total = 0
        for _ in range(n):
            total += await Ask()
        return total

    async def middle(n, depth):
        return await (middle(n, depth - 1) if depth else bottom(n))

    c = middle(4, 30)
    c.send(None)
    for i in range(3):
        c.send(i)
    assert c.cr_await is not None and not c.cr_running
    try:
        c.send(10)
        assert False
    except StopIteration as e:
        assert e.value == 13

    async def numbers():
        for i in range(3):
            yield await middle(1, 2) + i

    async def consume():
        return [x async for x in numbers()]

    c = consume()
    c.send(None)
    got = None
    while got is None:
        try:
            c.send(5)
        except StopIteration as e:
            got = e.value
    assert got == [5, 6, 7], got


def garbage():
    """Who holds the innermost does not hold those that waited for it."""
    import weakref

    i = leaf(5)

    def outer(g):
        return (yield from g)

    g = outer(wrap(i))
    next(g), next(g)
    dead = weakref.ref(g)
    del g
    gc.collect()
    gc.collect()
    # Dropping it has closed what it waited for.
    assert dead() is None
    assert list(i) == []


def deep():
    g = leaf(4)
    for _ in range(5000):
        g = wrap(g)
    assert next(g) == 0
    assert [next(g) for _ in range(3)] == [1, 2, 3]
    assert list(g) == []


def endless():
    def f():
        yield from f()

    try:
        next(f())
        assert False
    except RecursionError:
        pass


if __name__ == "__main__":
    limit = sys.getrecursionlimit()
    for test in (results_and_values, trees, walked_frames, running, exceptions, handled, throw_and_close, shared,
                 reentrant, coroutines, garbage, endless):
        test()
    sys.setrecursionlimit(100_000)
    deep()
    sys.setrecursionlimit(limit)
    print("ok")


# A generator that delegates to itself again and again is a recursion without end, though little of it is on the stack.
def endless(n):
    yield n
    yield from endless(n + 1)


def endless_without_yields(n):
    yield from endless_without_yields(n + 1)


async def endless_awaits(n):
    await endless_awaits(n + 1)


for start in (lambda: list(endless(0)), lambda: list(endless_without_yields(0)), lambda: endless_awaits(0).send(None)):
    try:
        start()
    except RecursionError as e:
        assert str(e) == "maximum recursion depth exceeded", e
    else:
        assert False


# One that is deep, and ends.
def deep(n):
    yield n
    if n:
        yield from deep(n - 1)


assert list(deep(400)) == list(range(400, -1, -1))
