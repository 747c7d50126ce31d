# pip install eventlet
import eventlet
from eventlet import wsgi
from eventlet.green.urllib import request

pool = eventlet.GreenPool(10)
print(list(pool.imap(lambda n: (eventlet.sleep(0.01), n * n)[1], range(5))))
queue = eventlet.Queue()
eventlet.spawn(lambda: [queue.put(i) for i in range(3)])
print([queue.get() for _ in range(3)])


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


sock = eventlet.listen(("127.0.0.1", 0))
server = eventlet.spawn(wsgi.server, sock, app, log_output=False)
url = "http://127.0.0.1:%d/" % sock.getsockname()[1]
print(sorted(pool.imap(lambda n: request.urlopen(url + str(n)).read(), range(3))))
server.kill()
try:
    with eventlet.Timeout(0.05):
        eventlet.sleep(5)
except eventlet.Timeout as e:
    print(type(e).__name__)
