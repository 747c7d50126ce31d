# Skein alone
"""Tasklets, channels, generators and what they reach in pickles: continued here and in another process; pickles that
anyone may have written never crash."""
import asyncio
import copy
import os
import pickle
import random
import subprocess
import sys

import stackless

CHILD = sys.argv[1:2] == ["--continue"]


def again(x, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(x, protocol))


def suspended(f, *args):
    t = stackless.tasklet(f)(*args)
    t.run()
    assert t.alive
    return t


results = []


def report(x):
    results.append(x)


def nested(n, trail):
    trail.append(n)
    if n:
        nested(n - 1, trail)
    else:
        stackless.schedule_remove()
    return trail


def deep(n):
    report(nested(n, []))


def items(n):
    try:
        for i in range(n):
            if i == 2:
                stackless.schedule_remove()
            yield i
    finally:
        report("over")


def delegating(n):
    got = yield from items(n)
    return got


def chain(n):
    yield (yield from delegating(n))


def over_chain(n):
    report(list_of(chain(n)))


async def awaited(n):
    stackless.schedule_remove()
    if n:
        return n + await awaited(n - 1)
    return 0


def over_awaits(n):
    try:
        awaited(n).send(None)
    except StopIteration as e:
        report(e.value)


def over_items(n):
    report(list_of(items(n)))


def list_of(it):
    out = []
    for x in it:
        out.append(x)
    return out


class Held:
    def __init__(self, name):
        self.name = name
        stackless.schedule_remove()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        stackless.schedule_remove()
        return kind is KeyError

    @property
    def slow(self):
        stackless.schedule_remove()
        return self.name

    def __add__(self, other):
        stackless.schedule_remove()
        return self.name + other

    def __lt__(self, other):
        stackless.schedule_remove()
        return True

    def __bool__(self):
        stackless.schedule_remove()
        return True

    def __getattr__(self, name):
        stackless.schedule_remove()
        if name.startswith("__"):
            raise AttributeError(name)
        return name

    def __format__(self, spec):
        stackless.schedule_remove()
        return "formatted"


def machine_calls():
    # Each of these calls is made by the machine, and each is in the middle of something.
    h = Held("h")
    with h as same:
        report((same.slow, h + "x", h < 3, 1 if h else 2, h.missing, f"{h}"))
        raise KeyError
    try:
        1 // 0
    except ZeroDivisionError as e:
        stackless.schedule_remove()
        report((type(e).__name__, sys.exc_info()[1] is e))
    counter = 0

    def inner(step):
        nonlocal counter
        counter += step
        stackless.schedule_remove()
        return counter

    report([inner(2), inner(3), counter])


def finish(t):
    while t.alive:
        t.run()


def continued(f, *args):
    """At each place where it stops, a copy is made that goes on and ends; what the copies report is the same."""
    results.clear()
    t = stackless.tasklet(f)(*args)
    finish(t)
    expected = list(results)
    t = stackless.tasklet(f)(*args)
    results.clear()
    steps = 0
    while t.alive:
        t.run()
        if not t.alive:
            break
        steps += 1
        before = list(results)
        for protocol in (2, pickle.HIGHEST_PROTOCOL):
            finish(again(t, protocol))
            assert results == expected, (f, steps, results, expected)
            results[:] = before
    assert results == expected
    return steps


def main():
    assert continued(deep, 5) == 1
    assert continued(over_items, 4) == 1
    assert continued(machine_calls) == 11
    assert continued(over_chain, 4) == 1
    assert continued(over_awaits, 4) == 5

    # One that has not begun, and one that has ended.
    results.clear()
    again(stackless.tasklet(report)(3)).run()
    assert results == [3]
    t = stackless.tasklet(report)(4)
    t.run()
    assert not again(t).alive
    for t in stackless.current, stackless.main:
        try:
            pickle.dumps(t)
        except RuntimeError:
            pass
        else:
            raise AssertionError("the running tasklet was pickled")

    # Under native code there is no way to take the frames off.
    t = suspended(lambda: sorted([2, 1], key=lambda x: stackless.schedule_remove() and x))
    lost = again(t)
    assert not lost.alive
    try:
        lost.run()
    except RuntimeError:
        pass
    t.kill()

    # Channels, with those that wait in order, and a tasklet that has the channel among its variables.
    c = stackless.channel()
    c.preference = 1

    def sender(n):
        c.send(n)

    waiting = [suspended(sender, i) for i in range(3)]
    c2, second = pickle.loads(pickle.dumps((c, waiting[1])))
    assert c2.balance == 3 and c2.preference == 1 and second.blocked and second._channel is c2
    assert [c2.receive() for _ in range(3)] == [0, 1, 2]
    third = again(waiting[2])
    assert third._channel.balance == 3
    assert [third._channel.receive() for _ in range(3)] == [0, 1, 2]
    for t in waiting:
        t.kill()

    # Functions without a name that leads to them, closures that lead back, codes, modules, views.
    def fact(n):
        return n * fact(n - 1) if n else 1

    f = again(fact)
    assert f(5) == 120 and f.__closure__[0].cell_contents is f and f.__globals__ is globals()
    g = again(lambda x, /, y=2, *, z=3: (x, y, z))
    assert g(1) == (1, 2, 3) and g.__qualname__ == "main.<locals>.<lambda>"
    assert eval(again(compile("1 + 2", "<text>", "eval"))) == 3
    assert again(os.path) is os.path and again(deep) is deep
    assert list(again({1: 2}.items())) == [(1, 2)]
    cell = again((lambda: fact).__closure__[0])
    assert cell.cell_contents(4) == 24

    # Generators: fresh, suspended, delegating, ended; with what is handled.
    def gen(n):
        try:
            got = yield 1
            yield got
            yield from range(n)
        except ValueError as e:
            yield str(e)

    it = again(gen(2))
    assert list(it) == [1, None, 0, 1]
    it = gen(2)
    next(it)
    copies = [again(it) for _ in range(3)]
    assert copies[0].send(5) == 5 and copies[1].throw(ValueError("x")) == "x"
    assert next(copies[2]) is None and next(copies[2]) == 0
    assert list(again(copies[2])) == [1]
    assert list(copies[2]) == [1] and list(again(copies[2])) == []
    assert next(copy.copy(it)) is None

    async def coro():
        return await asyncio.sleep(0, 7)

    c = coro()
    assert asyncio.run(again(c)) == 7
    c.close()

    # In another process.
    results.clear()
    t = suspended(machine_calls)
    data = pickle.dumps([t, suspended(over_items, 4)])
    out = subprocess.run([sys.executable, __file__, "--continue"], input=data, capture_output=True)
    assert out.returncode == 0, out.stderr.decode()
    results.clear()
    finish(t)
    finish(suspended(over_items, 4))
    assert eval(out.stdout) == results, (out.stdout, results)

    forged()


def tries(f, *args):
    try:
        return f(*args)
    except Exception:
        return None


def forged():
    """States and bytes that nothing has written."""
    rnd = random.Random(7)
    t = suspended(machine_calls)
    make, args, state = t.__reduce__()
    frame = type(state[3][0])
    strange = [None, -1, 0, 1, 5, 2**40, -(2**63), "x", (), [], {}, {0: 1}, {99: 1}, b"", ValueError(), report, t, 1.5]

    def change(parts):
        parts = list(parts)
        for _ in range(rnd.randrange(1, 3)):
            parts[rnd.randrange(len(parts))] = rnd.choice(strange)
        return tuple(parts)

    def made(frames):
        out = []
        for f in frames:
            new = frame()
            own = f.__reduce__()[2]
            if rnd.random() < 0.4:
                own = list(own)
                which = rnd.randrange(7)
                if which == 0:
                    own[2] = rnd.randrange(80)
                elif which == 1:
                    own[5] = own[5] ^ (1 << rnd.randrange(60))
                elif which == 2:
                    registers = dict(own[4])
                    registers[rnd.randrange(12)] = rnd.choice(strange)
                    own[4] = registers
                elif which == 3:
                    own[3] = not own[3]
                elif which == 4:
                    own[0], own[1] = deep, deep.__code__
                elif which == 5:
                    own[8] = (own[6],) * rnd.randrange(3) + ((items(3), items(3)) if rnd.random() < 0.5 else ())
                else:
                    own = change(own)
            new.__setstate__(tuple(own))
            out.append(new)
        if rnd.random() < 0.2:
            out.reverse()
        if rnd.random() < 0.2 and out:
            out.append(out[0])
        return out

    for f, *args in (machine_calls,), (over_items, 4), (deep, 3), (over_chain, 4):
        t = suspended(f, *args)
        for i in range(50):
            state = list(t.__reduce__()[2])
            state[3] = tries(made, state[3])
            if rnd.random() < 0.3:
                state[2] = rnd.randrange(20)
            if rnd.random() < 0.3:
                state = change(state)
            u = stackless.tasklet()
            if tries(u.__setstate__, tuple(state)) is not None:
                for _ in range(20):
                    if u.alive and not u.blocked:
                        tries(u.run)
                if u.alive:
                    tries(u.kill)
        finish(t)

    data = pickle.dumps([suspended(over_items, 4), suspended(deep, 2), items(3)])
    for i in range(80):
        bad = bytearray(data)
        for _ in range(rnd.randrange(1, 4)):
            bad[rnd.randrange(len(bad))] = rnd.randrange(256)
        loaded = tries(pickle.loads, bytes(bad))
        for x in loaded if type(loaded) is list else ():
            if isinstance(x, stackless.tasklet):
                for _ in range(5):
                    tries(x.run)
                tries(x.kill)
            else:
                tries(next, x)
    wrap = stackless._wrap
    code = (lambda: None).__code__
    for name in dir(wrap):
        for _ in range(10):
            args = [rnd.choice(strange + [code, cell_of(3), items(2)]) for _ in range(rnd.randrange(3))]
            tries(getattr(wrap, name), *args)


def cell_of(x):
    return (lambda: x).__closure__[0]


if CHILD:
    for t in pickle.loads(sys.stdin.buffer.read()):
        finish(t)
    print(repr(results))
else:
    main()
