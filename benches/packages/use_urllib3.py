# pip install urllib3
import http.server
import threading

import urllib3
from urllib3.util import Retry, parse_url


class Handler(http.server.BaseHTTPRequestHandler):
    tries = 0

    def do_GET(self):
        Handler.tries += 1
        code = 503 if self.path == "/retry" and Handler.tries < 3 else 200
        self.send_response(code)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
http = urllib3.PoolManager(retries=Retry(5, status_forcelist=[503], backoff_factor=0))
answer = http.request("GET", "http://127.0.0.1:%d/retry" % server.server_port)
print(answer.status, answer.data, Handler.tries, answer.retries.history[0].status)
print(parse_url("https://user@example.org:8080/a/b?q=1#f"))
print(urllib3.make_headers(basic_auth="me:secret", keep_alive=True))
try:
    http.request("GET", "http://127.0.0.1:1/", retries=False, timeout=1)
except urllib3.exceptions.NewConnectionError as e:
    print(type(e).__name__)
server.shutdown()
