# pip install requests
import http.server
import json
import threading

import requests


class Echo(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        out = json.dumps({"path": self.path, "method": self.command, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.send_header("Set-Cookie", "seen=1")
        self.end_headers()
        self.wfile.write(out)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d" % server.server_port
with requests.Session() as session:
    answer = session.get(url + "/find", params={"q": "skein é", "n": 3})
    print(answer.status_code, answer.headers["content-type"], answer.json())
    print(session.cookies.get_dict())
    print(session.post(url + "/form", data={"a": "1", "b": ["2", "3"]}).json())
    print(session.post(url + "/json", json={"x": [1, None, True]}).json())
try:
    requests.get("http://127.0.0.1:1/", timeout=2)
except requests.ConnectionError as e:
    print(type(e).__name__)
server.shutdown()
