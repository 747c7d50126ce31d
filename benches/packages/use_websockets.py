# pip install websockets
import asyncio

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve


async def echo(ws):
    async for message in ws:
        await ws.send(message[::-1] if isinstance(message, str) else len(message).to_bytes(4, "big"))


async def main():
    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as ws:
            await ws.send("hello é")
            print(await ws.recv())
            await ws.send(b"x" * 70000)
            print(await ws.recv())
            pong = await ws.ping()
            await pong
        print(ws.close_code)
    try:
        await connect(f"ws://127.0.0.1:{port}")
    except OSError as e:
        print("refused")


asyncio.run(main())
