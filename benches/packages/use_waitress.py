# pip install waitress
import threading
import urllib.request

from waitress.server import create_server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


server = create_server(app, host="127.0.0.1", port=0)
threading.Thread(target=server.run, daemon=True).start()
with urllib.request.urlopen(f"http://127.0.0.1:{server.effective_port}/") as answer:
    print(answer.status, answer.read(), answer.headers["server"])
