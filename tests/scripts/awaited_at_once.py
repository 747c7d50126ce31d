# Coroutines that are awaited where they are called: what they do is seen as if each were an object from its beginning.
import gc
import pickle
import sys
import types
import warnings
import weakref

import greenlet
import stackless

warnings.simplefilter("error")


@types.coroutine
def pause(v):
    return (yield v)


def run(c, *sent):
    """What the coroutine yields for what is sent, and what it returns."""
    seen = []
    try:
        seen.append(c.send(None))
        for v in sent:
            seen.append(c.send(v))
    except StopIteration as e:
        return seen, e.value
    return seen, "suspended"


# Results, by each form of a call.
async def add(a, b=10, *rest, c=100, **more):
    return a + b + c + sum(rest) + sum(more.values())


class Adds:
    def __init__(self, n):
        self.n = n

    async def add(self, a):
        return self.n + a

    async def __call__(self, a):
        return self.n * a

    @classmethod
    async def of(cls, n):
        return await cls(n).add(1)

    @staticmethod
    async def nothing():
        pass

    async def __aenter__(self):
        return self.n

    async def __aexit__(self, *about):
        return about[0] is KeyError

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        return self.n


async def calls():
    args, names = (1, 2, 3), {"c": 4, "d": 5}
    found = [
        await add(1),
        await add(1, 2),
        await add(1, 2, 3),
        await add(1, c=0),
        await add(*args),
        await add(*args, **names),
        await Adds(5).add(1),
        await Adds(5)(3),
        await Adds.of(7),
        await Adds.nothing(),
        await (await add_later())(1),
        [await Adds(i).add(i) for i in range(3)],
        await add(await add(1), await add(2)),
    ]
    async with Adds(3) as n:
        found.append(n)
    async with Adds(3) as n:
        raise KeyError
    async for n in Adds(3):
        found.append(n)
    return found


async def add_later():
    return add


expected = [111, 103, 106, 11, 106, 15, 6, 15, 8, None, 111, [0, 2, 4], 323, 3, 2, 1, 0]
for _ in range(300):
    seen, result = run(calls())
    assert seen == [] and result == expected, result


# Suspended at any depth, and resumed.
async def deep(n, log):
    log.append(n)
    if n == 0:
        got = await pause("bottom")
    else:
        got = await deep(n - 1, log)
    again = await pause(n)
    return got + again


for depth in (0, 1, 2, 30):
    for _ in range(3):
        log = []
        seen, result = run(deep(depth, log), *range(depth + 2))
        assert seen == ["bottom", *range(depth + 1)], seen
        assert result == sum(range(depth + 2)) and log == list(range(depth, -1, -1)), result


# What has been suspended is there as an object.
async def inner():
    await pause("in")


async def outer():
    await inner()


c = outer()
assert c.cr_await is None
c.send(None)
i = c.cr_await
assert type(i) is types.CoroutineType and i.__name__ == "inner" and i.cr_code is inner.__code__
assert i.cr_await.__name__ == "pause" and i.cr_frame.f_locals == {} and i.cr_suspended and not i.cr_running
c.close()
assert i.cr_frame is None


# Exceptions: where they pass, what they are raised in, and what is handled.
async def raises(e):
    raise e


async def passes(e):
    try:
        return await raises(e)
    except KeyError as k:
        assert sys.exception() is k
        return await handled(k), sys.exception() is k
    finally:
        await add(1)


async def handled(k):
    assert sys.exception() is k
    try:
        raise ValueError
    except ValueError as v:
        assert v.__context__ is k
        await pause("handling")
        assert sys.exception() is v
    assert sys.exception() is k
    return "handled"


assert run(passes(KeyError()), None) == (["handling"], ("handled", True))
assert sys.exception() is None
try:
    run(passes(OSError("x")))
except OSError as e:
    names = []
    tb = e.__traceback__
    while tb:
        names.append(tb.tb_frame.f_code.co_name)
        tb = tb.tb_next
    assert names == ["<module>", "run", "passes", "raises"], names
else:
    raise AssertionError


# Thrown in and closed while the inner ones wait.
async def catches(log):
    try:
        await inner()
    except ValueError:
        log.append("caught")
        return await add(0)
    finally:
        log.append("end")


async def around(log):
    return await catches(log)


log = []
c = around(log)
c.send(None)
try:
    c.throw(ValueError)
except StopIteration as e:
    assert e.value == 110
assert log == ["caught", "end"]
log = []
c = around(log)
c.send(None)
c.close()
assert log == ["end"]
log = []
c = around(log)
c.send(None)
del c
gc.collect()
assert log == ["end"], log


# Frames that are looked at while none has been suspended.
async def looks(depth):
    frame = sys._getframe()
    g = frame.f_generator
    assert type(g) is types.CoroutineType and g.__name__ == "looks" and g.cr_frame is frame and g.cr_running
    try:
        g.send(None)
    except ValueError as e:
        assert str(e) == "coroutine already executing"
    else:
        raise AssertionError
    back = frame.f_back
    if depth:
        assert back.f_code is looks_below.__code__ and back.f_generator is not g, back
    await pause(g)
    assert sys._getframe() is frame and frame.f_generator is g and frame.f_locals["depth"] == depth
    return g


async def looks_below(depth):
    kept = [depth]
    g = await looks(depth)
    assert kept == [depth]
    return g


for depth in (0, 1):
    c = looks_below(depth) if depth else looks(depth)
    g = c.send(None)
    assert c.cr_await is g if depth else c is g
    try:
        c.send(None)
    except StopIteration as e:
        assert e.value is g and g.cr_frame is None
    else:
        raise AssertionError


# One that traces from the middle on, and one whose origin is wanted.
async def traced(log):
    def trace(frame, event, arg):
        log.append((frame.f_code.co_name, event))
        return trace

    sys.settrace(trace)
    await add(1)
    await inner()
    sys.settrace(None)


log = []
c = traced(log)
c.send(None)
sys.settrace(None)
assert ("add", "call") in log and ("add", "return") in log and ("inner", "call") in log, log
c.close()


async def origins():
    sys.set_coroutine_origin_tracking_depth(1)
    await inner()
    sys.set_coroutine_origin_tracking_depth(0)


c = origins()
c.send(None)
assert c.cr_origin is None and c.cr_await.cr_origin[0][2] == "origins"
c.close()
sys.set_coroutine_origin_tracking_depth(0)


# Without end: RecursionError, and all goes on.
async def endless(n):
    return await endless(n + 1)


try:
    run(endless(0))
except RecursionError:
    pass
else:
    raise AssertionError


async def endless_then_waits(n):
    try:
        return await endless_then_waits(n + 1)
    except RecursionError:
        return await pause(n)


seen, _ = run(endless_then_waits(0))
assert seen[0] > 100

# Collected meanwhile: what the frames hold lives, and what they have let go of does not.


class Thing:
    pass


async def holds(thing):
    r = weakref.ref(thing)
    gc.collect()
    assert r() is not None
    await forgets(r)
    return r() is thing


async def forgets(r):
    thing = Thing()
    own = weakref.ref(thing)
    thing = None
    gc.collect()
    assert own() is None and r() is not None
    await pause(1)
    gc.collect()
    assert r() is not None


assert run(holds(Thing()), None) == ([1], True)

# In greenlets and tasklets that switch, and in pickles of those.
main = greenlet.getcurrent()


async def switches(n):
    return n + main.switch(n)


async def through(n):
    return await switches(n) + await switches(n + 1)


g = greenlet.greenlet(lambda: run(through(1)))
assert g.switch() == 1 and g.switch(10) == 2 and g.switch(20) == ([], 33)

channel = stackless.channel()


async def receives(n):
    return n + channel.receive()


async def receives_through(n):
    return await receives(n) * 2


def in_tasklet(done):
    c = receives_through(5)
    try:
        c.send(None)
    except StopIteration as e:
        done.append(e.value)


done = []
t = stackless.tasklet(in_tasklet)(done)
stackless.run()
channel.send(1)
stackless.run()
assert done == [12], done


async def waits_in_schedule(n):
    stackless.schedule_remove()
    return n + 1


async def waits_through(n):
    return await waits_in_schedule(n) * 2


def parks(done):
    try:
        waits_through(3).send(None)
    except StopIteration as e:
        done.append(e.value)


done = []
t = stackless.tasklet(parks)(done)
stackless.run()
text = pickle.dumps((t, done))
copied, copied_done = pickle.loads(text)
copied.insert()
stackless.run()
assert copied_done == [8] and done == []
t.insert()
stackless.run()
assert done == [8]


# Asynchronous generators await likewise.
async def rows():
    for i in range(3):
        yield await add(i, 0, c=0)
        await inner()


async def sums():
    return sum([row async for row in rows()])


assert run(sums(), None, None, None) == (["in"] * 3, 3)
print("ok")
