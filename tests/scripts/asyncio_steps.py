"""Steps of tasks: the plain ones, which run no Python code but the task's, and all others, in one busy loop."""
import asyncio
import contextvars
import gc

var = contextvars.ContextVar("var", default=0)


async def turns(n):
    for i in range(n):
        var.set(i)
        await asyncio.sleep(0)
        assert var.get() == i
    return n


async def ring(n, k):
    async def node(inp, out, done):
        while True:
            v = await inp.get()
            if v == 0:
                done.set_result("done")
                return
            await out.put(v - 1)

    queues = [asyncio.Queue(1) for _ in range(k)]
    done = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(node(queues[i], queues[(i + 1) % k], done)) for i in range(k)]
    await asyncio.sleep(0)
    await queues[0].put(n)
    assert await done == "done"
    for t in tasks:
        t.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(o, asyncio.CancelledError) for o in outcomes) == k - 1


async def spawned(n):
    async def body(i):
        if i % 7 == 3:
            raise ValueError(i)
        if i % 5 == 4:
            await asyncio.sleep(0)
        return i

    outcomes = await asyncio.gather(*[asyncio.create_task(body(i)) for i in range(n)], return_exceptions=True)
    for i, o in enumerate(outcomes):
        if i % 7 == 3:
            assert type(o) is ValueError and o.args == (i,)
        else:
            assert o == i


async def shared(n):
    """Several tasks that wait for one future, and one that waits for what is done."""
    loop = asyncio.get_running_loop()
    for i in range(n):
        future = loop.create_future()

        async def waits():
            return await future

        tasks = [asyncio.create_task(waits()) for _ in range(3)]
        await asyncio.sleep(0)
        awaited = {t for t in future._asyncio_awaited_by}
        assert awaited == set(tasks)
        if i % 2:
            future.set_result(i)
            assert await asyncio.gather(*tasks) == [i] * 3
        else:
            future.set_exception(KeyError(i))
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(o) for o in outcomes] == [KeyError] * 3
        assert not future._asyncio_awaited_by
        try:
            assert await future == i
        except KeyError:
            assert i % 2 == 0


class OwnFuture(asyncio.Future):
    pass


class OwnTask(asyncio.Task):
    steps = 0

    def cancel(self, msg=None):
        OwnTask.steps += 1
        return super().cancel(msg=msg)


async def of_own_classes(n):
    loop = asyncio.get_running_loop()
    for i in range(n):
        future = OwnFuture()

        async def waits():
            return await future

        task = OwnTask(waits(), loop=loop)
        await asyncio.sleep(0)
        assert task._fut_waiter is future
        if i % 2:
            future.set_result(i)
            assert await task == i
        else:
            task.cancel("enough")
            try:
                await task
            except asyncio.CancelledError as e:
                assert e.args == ("enough",)
            else:
                raise AssertionError("not cancelled")
            assert future.cancelled()
    assert OwnTask.steps == (n + 1) // 2


async def cancelled(n):
    """A task that is cancelled before it begins, while it waits, and in its turn."""
    async def forever(seen):
        try:
            while True:
                seen.append(1)
                await asyncio.sleep(0)
        finally:
            seen.append("end")

    for i in range(n):
        seen = []
        task = asyncio.create_task(forever(seen))
        for _ in range(i % 4):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        assert task.cancelled()
        assert seen == ([] if i % 4 == 0 else [1] * (i % 4) + ["end"]), (i, seen)


async def wrong(n):
    """What a task may not wait for."""
    other = asyncio.new_event_loop()

    class Bad:
        def __await__(self):
            yield 7

    class Unmarked:
        def __await__(self):
            yield loop_future

    async def own():
        await tasks[0]

    for _ in range(n):
        foreign, loop_future = other.create_future(), asyncio.get_running_loop().create_future()
        for what, text in ((foreign, "attached to a different loop"), (Bad(), "Task got bad yield: 7"),
                           (Unmarked(), "yield was used instead of yield from in task")):
            async def waits():
                await what

            try:
                await asyncio.create_task(waits())
            except RuntimeError as e:
                assert text in str(e), e
            else:
                raise AssertionError(text)
        tasks = []
        tasks.append(asyncio.create_task(own()))
        try:
            await tasks[0]
        except RuntimeError as e:
            assert "Task cannot await on itself" in str(e), e
        else:
            raise AssertionError("awaited itself")
    other.close()


async def looked_at(n):
    """Attributes of tasks and futures, read where many of both are."""
    async def waits(future):
        return await future

    for i in range(n):
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(waits(future))
        row = [future, task, future]
        for one in row:
            assert one._state == "PENDING" and not one.done() and one._exception is None
            assert one._loop is asyncio.get_running_loop() and one.get_loop() is one._loop
        await asyncio.sleep(0)
        assert task._coro.cr_await is not None and task.get_coro() is task._coro
        assert task in future._asyncio_awaited_by and len(future._callbacks) == 1
        task.tag = i
        assert task.tag == i
        future.set_result(i)
        assert await task == i and task._state == "FINISHED" and task._result == i


async def main():
    assert await asyncio.gather(turns(600), turns(600)) == [600, 600]
    assert var.get() == 0
    await ring(1500, 30)
    await spawned(400)
    await shared(40)
    await of_own_classes(40)
    await cancelled(80)
    await wrong(15)
    await looked_at(60)


asyncio.run(main())
asyncio.run(main() if OwnTask.__dict__.get("steps") == 0 else turns(3))

# Debugging, and loops with queues of their own.
asyncio.run(turns(50), debug=True)


class Row(list):
    def popleft(self):
        return self.pop(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
        self._ready = Row()


with asyncio.Runner(loop_factory=Loop) as runner:
    assert runner.run(turns(200)) == 200

# What is forgotten in the middle of its turn is told of.
told = []


async def forgets():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.append(context["message"]))

    async def waits():
        await loop.create_future()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    del task
    gc.collect()
    await asyncio.sleep(0)


asyncio.run(forgets())
assert told == ["Task was destroyed but it is pending!"], told
