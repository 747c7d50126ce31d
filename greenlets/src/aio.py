"""asyncio's tasks, greenlets and tasklets in one program.

`run(main())`, as `asyncio.run`, gives tasklets their turns while the loop runs. Then a coroutine waits for a tasklet by
`await in_tasklet(f, ...)` and for a greenlet by `await in_greenlet(f, ...)`, and what runs there waits for anything that
can be awaited by `wait(awaitable)`. A coroutine goes over what is sent on a channel by `async for`.
"""

import asyncio

import greenlet
import stackless

__all__ = ["EventLoop", "in_greenlet", "in_tasklet", "receive", "run", "send", "wait"]


def _nothing():
    pass


class EventLoop(asyncio.SelectorEventLoop):
    """A loop in whose rounds each runnable tasklet of the thread has a turn."""

    _tasklet = None

    def run_forever(self):
        self._tasklet = stackless.current
        # By its own pipe, as `call_soon_threadsafe` wakes it.
        before = _wake_by(self._csock.fileno())
        try:
            super().run_forever()
        finally:
            self._tasklet = None
            _wake_by(before)

    def _run_once(self):
        for _ in range(stackless.runcount - 1):
            stackless.schedule()
        if stackless.runcount > 1:
            # There is more to run: the loop does not wait for events.
            self.call_soon(_nothing)
        super()._run_once()


def run(main, *, debug=None):
    """As `asyncio.run`, on an `EventLoop`."""
    return asyncio.run(main, debug=debug, loop_factory=EventLoop)


class _Greenlet(greenlet.greenlet):
    """One that a coroutine waits for: it switches to its parent with what is to be awaited."""


async def in_greenlet(f, *args, **kwargs):
    """Calls the function in a greenlet: its result."""
    g = _Greenlet(f)
    result = g.switch(*args, **kwargs)
    while not g.dead:
        try:
            value = await result
        except BaseException as e:
            result = g.throw(e)
        else:
            result = g.switch(value)
    return result


async def in_tasklet(f, *args, **kwargs):
    """Calls the function in a tasklet: its result. If the wait is cancelled, the tasklet is killed."""
    done = asyncio.get_running_loop().create_future()

    def call():
        try:
            result = f(*args, **kwargs)
        except BaseException as e:
            if isinstance(e, stackless.TaskletExit):
                done.cancel()
                raise
            if not done.done():
                done.set_exception(e)
        else:
            if not done.done():
                done.set_result(result)

    tasklet = stackless.tasklet(call)()
    try:
        return await done
    finally:
        if tasklet.alive and tasklet is not stackless.current:
            tasklet.kill()


def wait(awaitable):
    """In a tasklet, or in a greenlet that `in_greenlet` runs: waits for something that can be awaited; its result."""
    g = greenlet.getcurrent()
    if isinstance(g, _Greenlet):
        return g.parent.switch(awaitable)
    loop = asyncio.get_running_loop()
    runs_in = getattr(loop, "_tasklet", None)
    if runs_in is None or runs_in is stackless.current:
        if asyncio.iscoroutine(awaitable):
            awaitable.close()
        if runs_in is None:
            raise RuntimeError("the loop that runs is no stackless.aio.EventLoop")
        raise RuntimeError("wait() would block the loop: await it there")
    task = asyncio.ensure_future(awaitable, loop=loop)
    ended = stackless.channel()
    # The loop goes on, and this tasklet in its turn.
    ended.preference = 1
    task.add_done_callback(lambda _: ended.send(None) if ended.balance < 0 else None)
    if not task.done():
        try:
            ended.receive()
        except BaseException:
            task.cancel()
            raise
    return task.result()


async def receive(channel):
    """`channel.receive()`, while other tasks run."""
    if channel.balance > 0:
        return channel.receive()
    return await in_tasklet(channel.receive)


async def send(channel, value):
    """`channel.send(value)`, while other tasks run."""
    if channel.balance < 0:
        return channel.send(value)
    return await in_tasklet(channel.send, value)


class _Iterator:
    """What is sent on a channel, until it is closed."""

    def __init__(self, channel):
        self.channel = channel

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.channel.closing and self.channel.balance <= 0:
            raise StopAsyncIteration
        return await receive(self.channel)
