"""Programs that stand on gevent and eventlet, at work: Celery's workers with a real Redis, gunicorn's serving Flask.

    skein benches/servers.py [--tasks 1000] [--seconds 60] [celery-gevent celery-eventlet gunicorn-gevent gunicorn-eventlet]

Each pool of Celery's does so many tasks, of which each waits a moment; each worker of gunicorn's answers 32 clients for so many
seconds. Every result and every reply must be what it should be. What is not installed (celery, redis, gunicorn, flask, gevent,
eventlet, or `redis-server` itself) is told of as SKIPPED. The exit status is 1 when anything went wrong.
"""

import argparse
import http.client
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CELERY = """\
import time
from celery import Celery

app = Celery("work", broker="redis://127.0.0.1:{port}/0", backend="redis://127.0.0.1:{port}/1")
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)


@app.task
def square(n):
    time.sleep(0.01)
    return n * n
"""

FLASK = """\
import time
from flask import Flask

app = Flask(__name__)


@app.get("/square/<int:n>")
def square(n):
    time.sleep(0.001)
    return str(n * n)
"""

CLIENTS = 32
PATIENCE = 120  # seconds for all tasks


class Wrong(Exception):
    """What a program should have done and has not."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def missing(*modules):
    return [name for name in modules if importlib.util.find_spec(name) is None]


class Program:
    """A process in a folder, with what it has written; it is ended with all that it has started."""

    def __init__(self, folder, *command):
        self.log = os.path.join(folder, "log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def told(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def until_listening(self, port):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Wrong(f"the program has ended:\n{self.told()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise Wrong(f"nobody listens:\n{self.told()}")


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def celery(pool, options):
    absent = missing("celery", "redis", "packaging", pool)
    redis = shutil.which("redis-server")
    if not redis:
        absent.append("redis-server")
    if absent:
        return f"SKIPPED: there is no {', '.join(absent)}"
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        write(folder, "work.py", CELERY.format(port=port))
        with Program(folder, redis, "--port", str(port), "--save", "", "--bind", "127.0.0.1") as store:
            store.until_listening(port)
            worker = [sys.executable, "-m", "celery", "-A", "work", "worker", "-P", pool, "-c", "100", "-l", "WARNING"]
            with Program(folder, *worker) as at_work:
                sys.path.insert(0, folder)
                try:
                    sys.modules.pop("work", None)
                    import work
                finally:
                    sys.path.remove(folder)
                begun = time.monotonic()
                results = [work.square.delay(n) for n in range(options.tasks)]
                for n, result in enumerate(results):
                    while not result.ready():
                        if time.monotonic() - begun > PATIENCE or at_work.process.poll() is not None:
                            raise Wrong(f"task {n} is not done:\n{at_work.told()}")
                        time.sleep(0.1)
                    if (got := result.get()) != n * n:
                        raise Wrong(f"task {n} gave {got}")
                taken = time.monotonic() - begun
                work.app.close()
    return f"{options.tasks} tasks in {taken:.1f} s"


def gunicorn(kind, options):
    absent = missing("gunicorn", "flask", kind)
    # Later releases of gunicorn have no worker for eventlet.
    absent = absent or missing(f"gunicorn.workers.g{kind}")
    if absent:
        return f"SKIPPED: there is no {', '.join(absent)}"
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        write(folder, "site_.py", FLASK)
        server = [sys.executable, "-m", "gunicorn", "-k", kind, "-w", "1", "-b", f"127.0.0.1:{port}", "site_:app"]
        with Program(folder, *server) as serving:
            serving.until_listening(port)
            end = time.monotonic() + options.seconds
            counts, errors = [0] * CLIENTS, []

            def ask(client):
                try:
                    connection, n = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
                    while time.monotonic() < end and not errors:
                        connection.request("GET", f"/square/{n}")
                        reply = connection.getresponse()
                        text = reply.read()
                        if reply.status != 200 or int(text) != n * n:
                            raise Wrong(f"{reply.status} {text!r} for {n}")
                        n += 1
                        counts[client] = n
                    connection.close()
                except Exception as e:
                    errors.append(f"{type(e).__name__}: {e}")

            threads = [threading.Thread(target=ask, args=(i,)) for i in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                raise Wrong(f"{len(errors)} clients: {errors[0]}\n{serving.told()}")
            if not all(counts):
                raise Wrong(f"{counts.count(0)} clients had no reply")
            if "Traceback" in serving.told():
                raise Wrong(serving.told())
    return f"{sum(counts)} replies in {options.seconds} s, no error"


CASES = {
    "celery-gevent": lambda options: celery("gevent", options),
    "celery-eventlet": lambda options: celery("eventlet", options),
    "gunicorn-gevent": lambda options: gunicorn("gevent", options),
    "gunicorn-eventlet": lambda options: gunicorn("eventlet", options),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    options = parser.parse_args()
    if unknown := [name for name in options.cases if name not in CASES]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(CASES)}")
    wrong = False
    for name in options.cases or CASES:
        try:
            print(f"{name:18} {CASES[name](options)}", flush=True)
        except Wrong as e:
            wrong = True
            print(f"{name:18} WRONG: {e}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
