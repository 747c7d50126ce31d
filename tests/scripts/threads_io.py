# Blocking calls let other threads run; objects are shared by threads; signals are the main thread's.
import _queue
import asyncio
import io
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed


def raises(kind, f, *args, text=None, **kw):
    try:
        f(*args, **kw)
    except kind as e:
        assert text is None or str(e) == text, (str(e), text)
        return e
    raise AssertionError(f"{kind.__name__} expected")


def together(*functions):
    """Runs them at the same time, each in a thread: their results."""
    with ThreadPoolExecutor(len(functions)) as pool:
        return [f.result() for f in [pool.submit(f) for f in functions]]


# Each of these waits for what the other thread does.
r, w = os.pipe()
assert together(lambda: os.read(r, 10), lambda: (time.sleep(0.001), os.write(w, b"pipe")))[0] == b"pipe"
assert together(lambda: select.select([r], [], [], 60)[0], lambda: os.write(w, b"x"))[0] == [r]
os.read(r, 1)
with open(r, "rb", buffering=0) as f:
    assert together(lambda: f.read(3), lambda: os.write(w, b"raw"))[0] == b"raw"
os.close(w)
a, b = socket.socketpair()
assert together(lambda: a.recv(10), lambda: b.sendall(b"hello"))[0] == b"hello"
server = socket.create_server(("127.0.0.1", 0))
(connection, _), client = together(server.accept, lambda: socket.create_connection(server.getsockname()))
with connection, client:
    client.sendall(b"tcp")
    assert connection.recv(10) == b"tcp"
for s in (a, b, server):
    s.close()
assert together(lambda: subprocess.run(["true"]).returncode, lambda: subprocess.run(["false"]).returncode) == [0, 1]

# Sleeping threads sleep at the same time.
start = time.monotonic()
together(*[lambda: time.sleep(0.25)] * 8)
assert time.monotonic() - start < 1.8

# A buffered file is used by one thread at a time.
r, w = os.pipe()
with open(w, "wb") as out:

    def write(byte):
        for _ in range(200):
            out.write(byte * 100)
            out.flush()

    def read():
        with open(r, "rb") as f:
            return f.read()

    def close():
        together(*[lambda byte=bytes([c]): write(byte) for c in b"abcd"])
        out.close()

    data = together(read, close)[0]
assert len(data) == 4 * 200 * 100
assert all(data[i:i + 100] == data[i:i + 1] * 100 for i in range(0, len(data), 100))
text = io.StringIO()
together(*[lambda: [print("line", file=text) for _ in range(100)]] * 4)
assert text.getvalue().count("line") == 400

# Queues.
q = queue.SimpleQueue()
assert isinstance(q, _queue.SimpleQueue) and q.empty() and q.qsize() == 0
raises(queue.Empty, q.get_nowait)
raises(queue.Empty, q.get, timeout=0.001)
raises(ValueError, q.get, timeout=-1, text="'timeout' must be a non-negative number")
raises(queue.Empty, q.get, block=False, timeout=-1)
for i in range(100):
    q.put(i)
assert q.qsize() == 100 and [q.get() for _ in range(90)] == list(range(90)) and q.qsize() == 10
q.put("last", block=False, timeout=1)
assert [q.get(timeout=1) for _ in range(11)] == [*range(90, 100), "last"] and q.empty()
assert together(q.get, lambda: q.put("x"))[0] == "x"
bounded = queue.Queue(2)


def fill():
    for i in range(20):
        bounded.put(i)


assert together(lambda: [bounded.get() for _ in range(20)], fill)[0] == list(range(20))

# A pool of threads.
with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    futures = {pool.submit(divmod, n, 3): n for n in range(10)}
    assert all(f.result() == divmod(futures[f], 3) for f in as_completed(futures))
    assert isinstance(pool.submit(divmod, 1, 0).exception(), ZeroDivisionError)


# Signals interrupt what the main thread waits for; threads do not take them.
class Alarm(Exception):
    pass


def handler(number, frame):
    assert threading.current_thread() is threading.main_thread()
    raise Alarm


signal.signal(signal.SIGALRM, handler)
lock = threading.Lock()
lock.acquire()
signal.setitimer(signal.ITIMER_REAL, 0.01)
raises(Alarm, lock.acquire, timeout=60)
signal.setitimer(signal.ITIMER_REAL, 0.01)
raises(Alarm, queue.SimpleQueue().get)
stop = threading.Event()
t = threading.Thread(target=lambda: (time.sleep(0.05), signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM), stop.wait()))
t.start()
raises(Alarm, t.join)
stop.set()
t.join()
seen = []
t = threading.Thread(target=lambda: seen.append(
    raises(ValueError, signal.signal, signal.SIGALRM, handler,
           text="signal only works in main thread of the main interpreter")))
t.start()
t.join()
assert seen
signal.signal(signal.SIGALRM, signal.SIG_DFL)

# Frames of all threads.
ready, go = threading.Event(), threading.Event()


def wait_here():
    ready.set()
    go.wait()


t = threading.Thread(target=wait_here)
t.start()
ready.wait()
while True:
    frame, names = sys._current_frames()[t.ident], []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    if "wait" in names:
        break
assert "wait_here" in names and names[-1] == "_bootstrap", names
assert sys._current_frames()[threading.get_ident()] is sys._getframe()
assert set(sys._current_exceptions()) == {t.ident, threading.get_ident()}
go.set()
t.join()

# A child has the forking thread only.
lock = threading.Lock()
go = threading.Event()
t = threading.Thread(target=go.wait, daemon=True)
t.start()


def forked():
    pid = os.fork()
    if pid == 0:
        try:
            assert threading.active_count() == 1 and threading.current_thread() is threading.main_thread()
            assert not t.is_alive()
            t2 = threading.Thread(target=lock.acquire)
            t2.start()
            t2.join()
            assert lock.locked()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    assert forked() == 0
    assert together(forked) == [0]
go.set()
t.join()


# asyncio with threads.
async def main():
    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(threading.current_thread) is not threading.main_thread()
    start = time.monotonic()
    await asyncio.gather(*[loop.run_in_executor(None, time.sleep, 0.25) for _ in range(4)])
    assert time.monotonic() - start < 0.9
    future = loop.create_future()
    threading.Thread(target=loop.call_soon_threadsafe, args=(future.set_result, 7)).start()
    return await future


assert asyncio.run(main()) == 7
results = together(*[lambda: asyncio.run(main())] * 3)
assert results == [7] * 3

# Threads that are not daemons are waited for at the end; daemons are not.
code = """
import threading, time
threading.Thread(target=lambda: (time.sleep(0.05), print("waited for"))).start()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
print("end")
"""
done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
assert done.returncode == 0 and done.stdout == b"end\nwaited for\n", done
