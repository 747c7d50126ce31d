# pip install tornado
import asyncio

from tornado import gen, template, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port


class Hello(web.RequestHandler):
    async def get(self, name):
        await gen.sleep(0.01)
        self.write({"hello": name, "arg": self.get_argument("a", "none")})


async def main():
    app = web.Application([(r"/hello/(\w+)", Hello)])
    sock, port = bind_unused_port()
    server = HTTPServer(app)
    server.add_sockets([sock])
    client = AsyncHTTPClient()
    answers = await asyncio.gather(
        *(client.fetch(f"http://127.0.0.1:{port}/hello/n{i}?a={i}") for i in range(3))
    )
    print([a.body for a in answers])
    server.stop()


asyncio.run(main())
print(template.Template("{% for x in xs %}<{{ x }}>{% end %}").generate(xs=[1, "<a>"]))
