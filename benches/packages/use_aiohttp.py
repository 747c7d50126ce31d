# pip install aiohttp
import asyncio

from aiohttp import ClientSession, WSMsgType, web


async def hello(request):
    return web.json_response({"name": request.match_info["name"], "q": request.query.get("q")})


async def socket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data.upper())
    return ws


async def main():
    app = web.Application()
    app.add_routes([web.get("/hello/{name}", hello), web.get("/ws", socket)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession() as session:
        for name in ("ann", "bob"):
            async with session.get(f"http://127.0.0.1:{port}/hello/{name}?q=1") as answer:
                print(answer.status, await answer.json())
        async with session.ws_connect(f"http://127.0.0.1:{port}/ws") as ws:
            await ws.send_str("shout")
            print((await ws.receive()).data)
    await runner.cleanup()


asyncio.run(main())
