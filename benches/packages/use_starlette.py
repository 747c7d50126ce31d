# pip install starlette httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient


async def item(request):
    return JSONResponse({"id": request.path_params["id"], "q": request.query_params.get("q")})


def plain(request):
    return PlainTextResponse("in a thread")


async def socket(ws):
    await ws.accept()
    await ws.send_text((await ws.receive_text())[::-1])
    await ws.close()


app = Starlette(routes=[Route("/items/{id:int}", item), Route("/plain", plain), WebSocketRoute("/ws", socket)])
client = TestClient(app)
print(client.get("/items/7?q=x").json(), client.get("/plain").text, client.get("/no").status_code)
with client.websocket_connect("/ws") as ws:
    ws.send_text("abc")
    print(ws.receive_text())
