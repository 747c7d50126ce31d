# pip install httpx
import asyncio

import httpx


def app(request):
    if request.url.path == "/missing":
        return httpx.Response(404, text="no")
    return httpx.Response(200, json={"method": request.method, "q": dict(request.url.params)})


with httpx.Client(transport=httpx.MockTransport(app), base_url="http://x.test") as client:
    answer = client.get("/items", params={"a": 1})
    print(answer.status_code, answer.json(), answer.headers["content-type"])
    try:
        client.get("/missing").raise_for_status()
    except httpx.HTTPStatusError as e:
        print(e)


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 201, "headers": [[b"x-a", b"1"]]})
    await send({"type": "http.response.body", "body": b"from asgi"})


async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=asgi), base_url="http://t") as client:
        answers = await asyncio.gather(*(client.get("/%d" % i) for i in range(3)))
        print([(a.status_code, a.text, a.headers["x-a"]) for a in answers])


asyncio.run(main())
print(httpx.URL("https://example.org/päth?x=1").raw_path)
