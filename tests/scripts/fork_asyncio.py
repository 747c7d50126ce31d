# Python 3.14
# A forked child runs in no event loop and in no task of its parent's.
import asyncio
import os

loop, task = object(), object()
asyncio._set_running_loop(loop)
asyncio.tasks._enter_task(loop, task)
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    asyncio._set_running_loop(loop)
    os.write(write, repr(asyncio.current_task()).encode())
    asyncio._set_running_loop(None)
    os._exit(0)
assert os.read(read, 100) == b"None"
assert os.waitpid(pid, 0)[1] == 0
assert asyncio.current_task() is task
asyncio.tasks._leave_task(loop, task)
asyncio._set_running_loop(None)


async def forks():
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            os._exit(0)
        os._exit(1)
    return os.waitpid(pid, 0)[1]


assert asyncio.run(forks()) == 0
