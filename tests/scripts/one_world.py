# Skein alone
"""asyncio's tasks, greenlets and tasklets in one program: each waits for each of the others; what fails, and what is
cancelled."""
import asyncio

import greenlet
import stackless
from stackless import aio


async def task(n):
    """Ends in a later round than it begins."""
    await asyncio.sleep(0)
    if n < 0:
        raise ValueError(n)
    return n


def in_greenlet(n):
    """Is left and gone on with before it ends."""
    g = greenlet.getcurrent()
    paused.append(g)
    g.parent.switch("paused")
    if n < 0:
        raise ValueError(n)
    return n


def in_tasklet(n):
    stackless.schedule()
    if n < 0:
        raise ValueError(n)
    return n


paused = []


def greenlet_for(n):
    g = greenlet.greenlet(in_greenlet)
    assert g.switch(n) == "paused"
    return g.switch()


def tasklet_for(n):
    c = stackless.channel()

    def call():
        try:
            result = in_tasklet(n)
        except ValueError as e:
            c.send_exception(ValueError, *e.args)
        else:
            c.send(result)

    stackless.tasklet(call)()
    return c.receive()


def bridged(n):
    """A greenlet that a coroutine waits for, and that waits for a task."""
    return aio.wait(task(n))


# The row waits for the column.
async def task_task(n):
    return await task(n)


async def task_greenlet(n):
    return await aio.in_greenlet(bridged, n)


async def task_tasklet(n):
    return await aio.in_tasklet(in_tasklet, n)


async def greenlet_task(n):
    return await aio.in_greenlet(lambda: aio.wait(task(n)))


async def greenlet_greenlet(n):
    return await aio.in_greenlet(greenlet_for, n)


async def greenlet_tasklet(n):
    return await aio.in_greenlet(tasklet_for, n)


async def tasklet_task(n):
    return await aio.in_tasklet(lambda: aio.wait(task(n)))


async def tasklet_greenlet(n):
    return await aio.in_tasklet(greenlet_for, n)


async def tasklet_tasklet(n):
    return await aio.in_tasklet(tasklet_for, n)


PAIRS = [
    task_task, task_greenlet, task_tasklet,
    greenlet_task, greenlet_greenlet, greenlet_tasklet,
    tasklet_task, tasklet_greenlet, tasklet_tasklet,
]


async def pairs():
    for f in PAIRS:
        assert await f(5) == 5, f
        try:
            await f(-5)
        except ValueError as e:
            assert e.args in ((-5,), ("-5",)), (f, e.args)
        else:
            raise AssertionError(f)
    # All at once, many times.
    rows = await asyncio.gather(*(f(i) for i in range(5) for f in PAIRS))
    assert rows == [i for i in range(5) for _ in PAIRS]


aio.run(pairs())


# A channel as an async iterator, and both directions while other tasks run.
async def channels():
    c = stackless.channel()

    def send():
        for i in range(5):
            c.send(i)
            aio.wait(asyncio.sleep(0))
        c.send_exception(StopAsyncIteration)

    stackless.tasklet(send)()
    ticks = []

    async def tick():
        while len(ticks) < 3:
            ticks.append(1)
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    assert [x async for x in c] == [0, 1, 2, 3, 4]
    await ticking
    for i in range(3):
        stackless.tasklet(c.send)(i)
    await asyncio.sleep(0)
    c.close()
    assert [x async for x in c] == [0, 1, 2]
    c.open()
    got = []
    stackless.tasklet(lambda: got.append(c.receive()))()
    await aio.send(c, "x")
    receiving = asyncio.create_task(aio.receive(c))
    await asyncio.sleep(0)
    c.send("y")
    assert await receiving == "y" and got == ["x"], got
    # What is cancelled leaves no tasklet behind.
    receiving = asyncio.create_task(aio.receive(c))
    while c.balance == 0:
        await asyncio.sleep(0)
    receiving.cancel()
    try:
        await receiving
    except asyncio.CancelledError:
        pass
    assert c.balance == 0


aio.run(channels())


# Who waits where that would stop the loop is told.
async def wrong():
    try:
        aio.wait(asyncio.sleep(0))
    except RuntimeError as e:
        assert str(e) == "wait() would block the loop: await it there"
    else:
        raise AssertionError


aio.run(wrong())


async def plain():
    def f():
        try:
            aio.wait(asyncio.sleep(0))
        except RuntimeError as e:
            said.append(str(e))

    stackless.tasklet(f).setup().run()


said = []
asyncio.run(plain())
assert said == ["the loop that runs is no stackless.aio.EventLoop"], said

# A loop in a tasklet, driven by the scheduler with the others.
order = []


def loop_in_tasklet():
    order.append(aio.run(asyncio.sleep(0.01, "loop")))


def other():
    for i in range(3):
        order.append(i)
        stackless.schedule()


stackless.tasklet(loop_in_tasklet)()
stackless.tasklet(other)()
stackless.run()
assert order == [0, 1, 2, "loop"], order

# A sender in another thread wakes the loop, which has nothing else to do.
import threading
import time


async def from_outside():
    c = stackless.channel()
    thread = threading.Thread(target=lambda: (time.sleep(0.05), c.send("outside")))
    thread.start()
    began = time.monotonic()
    assert await asyncio.wait_for(aio.receive(c), 20) == "outside"
    assert time.monotonic() - began < 10
    thread.join()


aio.run(from_outside())

# A deadlock says who waits on whom.
c = stackless.channel()
waiting = stackless.tasklet(lambda: c.send(1))()
d = stackless.channel()
stackless.run()
try:
    d.receive()
except RuntimeError as e:
    (note,) = e.__notes__
    assert str(e).startswith("Deadlock") and "sends on stackless.channel" in note and "one_world.py" in note, note
else:
    raise AssertionError
waiting.kill()
