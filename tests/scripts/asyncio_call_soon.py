"""`call_soon` of event loops: what is done natively is not told from what the library does, whoever changes it."""
import asyncio
import sys
from asyncio import base_events, events

log = []


async def leaf(k):
    await asyncio.sleep(0)
    return k


async def main():
    r = await asyncio.gather(*[leaf(i) for i in range(50)])
    assert r == list(range(50))


asyncio.run(main())

# A loop whose call_soon is overridden by the class, the instance, the base class
class Loop(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        log.append("class")
        return super().call_soon(callback, *args, context=context)


with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(main())
assert len(log) > 100, len(log)
log.clear()


async def with_instance():
    await main()
    loop = asyncio.get_running_loop()
    plain = loop.call_soon
    def soon(callback, *args, context=None):
        log.append("instance")
        return plain(callback, *args, context=context)
    loop.call_soon = soon
    await main()
    n = len(log)
    del loop.call_soon
    await main()
    assert len(log) <= n + 2, (n, len(log))
    return n


assert asyncio.run(with_instance()) > 100
log.clear()
old = base_events.BaseEventLoop._call_soon


async def with_base():
    await main()
    def _call_soon(self, callback, args, context):
        log.append("base")
        return old(self, callback, args, context)
    base_events.BaseEventLoop._call_soon = _call_soon
    await main()
    n = len(log)
    base_events.BaseEventLoop._call_soon = old
    await main()
    assert len(log) <= n + 2
    return n


assert asyncio.run(with_base()) > 100
log.clear()


class Handle(events.Handle):
    __slots__ = ()
    def _run(self):
        log.append("handle")
        return super()._run()


async def with_handle():
    await main()
    old, events.Handle = events.Handle, Handle
    try:
        await main()
    finally:
        events.Handle = old
    n = len(log)
    await main()
    assert len(log) <= n + 2
    return n


assert asyncio.run(with_handle()) > 50, len(log)

# one that is debugged keeps where its handles were made


async def debugged():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    await main()
    loop.set_debug(False)
    await main()
asyncio.run(debugged())

# closed meanwhile
loop = asyncio.new_event_loop()
fut = loop.create_future()
fut.add_done_callback(print)
loop.close()
try:
    fut.set_result(1)
except RuntimeError as e:
    assert str(e) == "Event loop is closed", e
else:
    assert False

# who traces sees the calls
seen = set()


async def traced():
    await main()
    sys.setprofile(lambda f, e, a: seen.add(f.f_code.co_name) if e == "call" else None)
    await main()
    sys.setprofile(None)
asyncio.run(traced())
assert {"call_soon", "_call_soon"} <= seen, seen

# who asks whether a loop is debugged is told by the method that there is now
asked = []
old_debug = base_events.BaseEventLoop.get_debug


async def asks():
    loop = asyncio.get_running_loop()
    await main()
    base_events.BaseEventLoop.get_debug = lambda self: asked.append(self) or True
    try:
        f = loop.create_future()
        t = loop.create_task(leaf(1))
    finally:
        base_events.BaseEventLoop.get_debug = old_debug
    assert f._source_traceback and t._source_traceback and asked, (f, t, asked)
    await t
    plain = loop.create_future()
    assert plain._source_traceback is None, plain._source_traceback
    code = old_debug.__code__
    old_debug.__code__ = (lambda self: True).__code__
    try:
        f = loop.create_future()
    finally:
        old_debug.__code__ = code
    assert f._source_traceback
    assert loop.create_future()._source_traceback is None
asyncio.run(asks())
