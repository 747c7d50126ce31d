# pip install trio
import trio


async def worker(channel, n):
    async with channel:
        for i in range(n):
            await channel.send((n, i))


async def main():
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        async with send:
            for n in (1, 2, 3):
                nursery.start_soon(worker, send.clone(), n)
        print(sorted([item async for item in receive]))
    with trio.move_on_after(0.05) as scope:
        await trio.sleep(10)
    print("cancelled", scope.cancelled_caught)
    print(await trio.to_thread.run_sync(sum, range(10)))
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 5)
            raise KeyError("x")
    except* KeyError as group:
        print(group.exceptions)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

    async def echo(stream):
        async with stream:
            await stream.send_all((await stream.receive_some(100))[::-1])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, echo, listeners)
        stream = await trio.open_tcp_stream("127.0.0.1", listeners[0].socket.getsockname()[1])
        await stream.send_all(b"abc")
        print(await stream.receive_some(100))
        nursery.cancel_scope.cancel()


trio.run(main)
