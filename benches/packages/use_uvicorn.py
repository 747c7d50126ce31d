# pip install uvicorn
import threading
import urllib.request

import uvicorn


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
server = uvicorn.Server(config)
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    pass
port = server.servers[0].sockets[0].getsockname()[1]
for path in ("/a", "/b"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        print(answer.status, answer.read(), answer.headers["server"])
server.should_exit = True
thread.join()
