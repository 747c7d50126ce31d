# pip install gevent
import os

os.environ.setdefault("PURE_PYTHON", "1")
import gevent
from gevent import monkey, pool, queue

monkey.patch_all()
import socket
import threading

jobs = [gevent.spawn(lambda n=n: (gevent.sleep(0.01), n * n)[1]) for n in range(4)]
gevent.joinall(jobs)
print([j.value for j in jobs])
q = queue.Queue()
gevent.spawn(lambda: [q.put(i) for i in range(3)])
print([q.get() for _ in range(3)], pool.Pool(2).map(str, range(3)))
server = gevent.server.StreamServer(("127.0.0.1", 0), lambda s, a: s.sendall(s.recv(10).upper())) if hasattr(gevent, "server") else None
thread = threading.Thread(target=lambda: print("in a greenlet thread"))
thread.start()
thread.join()
try:
    with gevent.Timeout(0.02):
        gevent.sleep(5)
except gevent.Timeout:
    print("timeout")
