# pip install gunicorn
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
import socket

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
with tempfile.TemporaryDirectory() as folder:
    with open(folder + "/app.py", "w") as f:
        f.write(textwrap.dedent("""
            def app(environ, start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"hi " + environ["PATH_INFO"].encode()]
        """))
    server = subprocess.Popen([sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "app:app"], cwd=folder, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            print(urllib.request.urlopen(f"http://127.0.0.1:{port}/x").read())
            break
        except OSError:
            time.sleep(0.05)
    server.terminate()
    print(server.wait(10))
