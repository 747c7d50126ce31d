# asyncio's futures and tasks.
import asyncio
import contextvars
import gc
import inspect
import sys


def raises(kind, f, *args, text=None, **kw):
    try:
        f(*args, **kw)
    except kind as e:
        assert text is None or str(e) == text, (str(e), text)
        return e
    raise AssertionError(f"{kind.__name__} expected")


assert asyncio.Future.__module__ == "_asyncio" and issubclass(asyncio.Task, asyncio.Future)
assert raises(RuntimeError, asyncio.get_running_loop, text="no running event loop")
var = contextvars.ContextVar("var", default=0)


async def leaf(n):
    var.set(n)
    await asyncio.sleep(0)
    assert var.get() == n
    return n


async def futures():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    assert not f.done() and f._state == "PENDING" and f.get_loop() is loop and f._callbacks is None
    raises(asyncio.InvalidStateError, f.result, text="Result is not set.")
    raises(asyncio.InvalidStateError, f.exception, text="Exception is not set.")
    calls = []
    f.add_done_callback(calls.append)
    f.add_done_callback(lambda g: calls.append("second"))
    f.add_done_callback(print)
    assert len(f._callbacks) == 3 and f.remove_done_callback(print) == 1 and f.remove_done_callback(print) == 0
    f.set_result(5)
    assert calls == [] and f.result() == 5 and f.exception() is None
    await asyncio.sleep(0)
    assert calls == [f, "second"]
    raises(asyncio.InvalidStateError, f.set_result, 1, text="invalid state")
    assert await f == 5 and repr(f) == "<Future finished result=5>"
    f.add_done_callback(calls.append)
    await asyncio.sleep(0)
    assert calls[2:] == [f]

    f = loop.create_future()
    assert f.cancel("why") and f.cancelled() and f.done() and not f.cancel()
    raises(asyncio.CancelledError, f.result, text="why")
    f = loop.create_future()
    f.set_exception(ValueError)
    raises(ValueError, f.result)
    f = loop.create_future()
    raises(TypeError, f.set_exception, 5, text="invalid exception object")
    f.set_exception(StopIteration())
    e = raises(RuntimeError, f.result)
    assert isinstance(e.__cause__, StopIteration)
    f = asyncio.Future()
    f.set_result(None)
    it = iter(f)
    assert raises(StopIteration, next, it).value is None
    f = loop.create_future()
    it = f.__await__()
    assert next(it) is f and f._asyncio_future_blocking is True
    raises(RuntimeError, next, it, text="await wasn't used with future")
    raises(ZeroDivisionError, it.throw, ZeroDivisionError)
    raises(ValueError, setattr, f, "_log_traceback", True, text="_log_traceback can only be set to False")

    class Own(asyncio.Future):
        def __init__(self):
            super().__init__(loop=loop)
            self.extra = 1

    own = Own()
    loop.call_soon(own.set_result, "own")
    assert await own == "own" and own.extra == 1
    raises(RuntimeError, asyncio.Future.__new__(asyncio.Future).get_loop, text="Future object is not initialized.")


async def tasks():
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()
    assert me in asyncio.all_tasks() and me.get_name().startswith("Task-")
    got = await asyncio.gather(*[leaf(i) for i in range(1, 6)])
    assert got == [1, 2, 3, 4, 5] and var.get() == 0
    t = loop.create_task(leaf(1), name="named")
    assert t.get_name() == "named" and t in asyncio.all_tasks() and inspect.iscoroutine(t.get_coro())
    assert t.get_stack()[0].f_code is leaf.__code__
    raises(RuntimeError, t.set_result, 1, text="Task does not support set_result operation")
    assert await t == 1 and t.done() and t not in asyncio.all_tasks()
    assert asyncio.current_task() is me

    # Cancelling.
    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as e:
            assert e.args == ("msg",)
            asyncio.current_task().uncancel()
            return "caught"

    t = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    assert t._fut_waiter is not None
    assert t.cancel("msg") and t.cancelling() == 1
    assert await t == "caught" and t.cancelling() == 0 and not t.cancelled()
    t = asyncio.create_task(leaf(1))
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        assert t.cancelled()
    else:
        raise AssertionError

    # Exceptions show the program's frames only.
    async def bad():
        1 / 0

    t = asyncio.create_task(bad())
    await asyncio.wait([t])
    e = t.exception()
    assert e.__traceback__.tb_frame.f_code is bad.__code__ and e.__traceback__.tb_next is None

    # What cannot be awaited.
    class Yields:
        def __init__(self, v):
            self.v = v

        def __await__(self):
            yield self.v

    async def wait_for(v):
        await Yields(v)

    for v, text in ((5, "Task got bad yield: 5"), (loop.create_future(), "yield was used instead of yield from")):
        try:
            await asyncio.create_task(wait_for(v))
        except RuntimeError as e:
            assert str(e).startswith(text), e
        else:
            raise AssertionError

    async def itself():
        await asyncio.current_task()

    try:
        await asyncio.create_task(itself())
    except RuntimeError as e:
        assert str(e).startswith("Task cannot await on itself: <Task pending"), e
    raises(TypeError, asyncio.Task, 5, text="a coroutine was expected, got 5")

    # Eager tasks run at once.
    ran = []

    async def eager(wait):
        ran.append(asyncio.current_task().get_name())
        if wait:
            await asyncio.sleep(0)
        return wait

    t = asyncio.Task(eager(False), loop=loop, name="e1", eager_start=True)
    assert ran == ["e1"] and t.done() and t.result() is False and asyncio.current_task() is me
    t = asyncio.Task(eager(True), loop=loop, name="e2", eager_start=True)
    assert ran == ["e1", "e2"] and not t.done() and t in asyncio.all_tasks()
    assert await t is True

    # A group, a time limit, a shield.
    async with asyncio.TaskGroup() as group:
        a, b = group.create_task(leaf(1)), group.create_task(leaf(2))
    assert a.result() + b.result() == 3
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)
    except TimeoutError:
        pass
    else:
        raise AssertionError
    assert await asyncio.wait_for(asyncio.shield(leaf(4)), 60) == 4


async def told():
    """Exceptions that nobody asks for are told of."""
    loop = asyncio.get_running_loop()
    contexts = []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))

    def lose():
        f = loop.create_future()
        f.set_exception(ValueError("lost"))

    lose()
    for _ in range(20):
        gc.collect()
        [lambda: None for _ in range(100)]
        if contexts:
            break
        await asyncio.sleep(0)
    assert contexts[0]["message"] == "Future exception was never retrieved", contexts
    assert isinstance(contexts[0]["exception"], ValueError)


asyncio.run(futures())
asyncio.run(tasks())
asyncio.run(told())


async def exits():
    raise SystemExit(3)


raises(SystemExit, asyncio.run, exits())

# Many tasks, and what they keep while they wait.
async def many():
    async def one(n):
        data = [n] * 3
        for _ in range(3):
            await asyncio.sleep(0)
        return sum(data)

    assert sum(await asyncio.gather(*[one(n) for n in range(300)])) == sum(range(300)) * 3


asyncio.run(many())
