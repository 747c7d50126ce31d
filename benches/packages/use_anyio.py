# pip install anyio
import anyio


async def child(results, n):
    await anyio.sleep(0.01 * n)
    results.append(n)


async def main():
    results = []
    async with anyio.create_task_group() as group:
        for n in (3, 1, 2):
            group.start_soon(child, results, n)
    print(results)
    with anyio.move_on_after(0.02) as scope:
        await anyio.sleep(5)
    print(scope.cancelled_caught)
    print(await anyio.to_thread.run_sync(max, 3, 7))
    process = await anyio.run_process(["echo", "hi"])
    print(process.returncode, process.stdout)
    lock, event = anyio.Lock(), anyio.Event()
    async with lock:
        event.set()
    await event.wait()


anyio.run(main)
