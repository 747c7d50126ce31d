"""Looks into a running program: its microthreads, what they wait for, and where they stand.

usage: python -m skein.inspect [--text] [--port PORT] [--every SECONDS] PID
       python -m skein.inspect [--text] [--port PORT] [--every SECONDS] [-m MODULE | PROGRAM] [ARG...]

Serves a page on this machine, or prints text: of a process that runs already, once; of a program that is started here, again and
again while it runs. Programs that nobody looks into do nothing for it.

`skein.inspect.register(signum)` makes a program print all of its microthreads when that signal comes in.
"""

import argparse
import http.server
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from . import attach

COLUMNS = ("id", "kind", "state", "place", "waits", "depth", "memory", "thread")


class Ended(Exception):
    """The program that is looked into has ended."""


class Program:
    """The program that is looked into: questions and answers."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="skein-inspect-")
        self.address = os.path.join(self.folder.name, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.address)
        self.listener.listen(1)
        self.lock = threading.Lock()
        self.file = None

    def attach(self, pid):
        script = os.path.join(self.folder.name, "script.py")
        with open(script, "w") as f:
            f.write(f"import skein.agent\nskein.agent.start({self.address!r})\n")
        uid = os.stat(f"/proc/{pid}").st_uid
        if uid != os.geteuid():
            for path in (self.folder.name, script, self.address):
                os.chown(path, uid, -1)
        attach.send(pid, script)

    def accept(self, timeout, ended=lambda: False):
        self.listener.settimeout(0.1)
        until = time.monotonic() + timeout
        while True:
            try:
                connection, _ = self.listener.accept()
                break
            except TimeoutError:
                if ended():
                    raise Ended from None
                if time.monotonic() > until:
                    raise TimeoutError("the program does not answer: it is in a long call") from None
        connection.settimeout(None)
        self.file = connection.makefile("rwb")

    def ask(self, what, **arguments):
        with self.lock:
            try:
                self.file.write(json.dumps({"what": what, **arguments}).encode() + b"\n")
                self.file.flush()
                line = self.file.readline()
            except (OSError, ValueError):
                line = b""
        if not line:
            raise Ended
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]

    def close(self):
        self.listener.close()
        if self.file is not None:
            self.file.close()
        self.folder.cleanup()


# ---- as text

def size(n):
    for unit in ("B", "kB", "MB"):
        if n < 10_000:
            return f"{n:.0f} {unit}"
        n /= 1024
    return f"{n:.0f} GB"


def place(row):
    return f"{row['file']}:{row['line']} {row['function']}" if row["file"] else "not begun"


def text_report(ask, most=50):
    """All of it as lines of text."""
    all = ask("rows", sort="state", count=most)
    states = ", ".join(f"{n} {state}" for state, n in sorted(all["states"].items()))
    out = [f"{all['total']} microthreads: {states}", "", "where they are:"]
    for g in all["groups"][:most]:
        via = f", in {g['via']}" if g["via"] else ""
        out.append(f"{g['count']:>9} {g['state']:9} {place(g)}{via}")
    out += ["", "microthreads:"]
    for row in all["rows"]:
        waits = f" waits for {row['waits']}" if row["waits"] else ""
        parent = f", parent {row['parent']}" if row["parent"] else ""
        out.append(
            f"  {row['id']} {row['kind']} {row['state']}{waits} ({row['cpu']:.2f} s, {size(row['memory'])}, thread "
            f"{row['thread']}{parent})")
        frames = ask("stack", id=row["id"])["frames"] or ()
        out += [f"      {file}:{line} {function}" for file, line, function in frames[:12]]
        if len(frames) > 12:
            out.append(f"      and {len(frames) - 12} more frames")
    if all["matching"] > most:
        out.append(f"  and {all['matching'] - most} more")
    graph = ask("graph")
    out += ["", "who waits for whom:"]
    out += graph_lines(graph, most)
    return "\n".join(out) + "\n"


def graph_lines(graph, most):
    nodes, edges = graph["nodes"], {int(k): v for k, v in graph["edges"].items()}
    name = lambda i: nodes[str(i)]["id"] if str(i) in nodes else "?"
    out = []
    for i in list(edges)[:most]:
        by = ", ".join(name(n) for n in edges[i][:4])
        more = f" and {len(edges[i]) - 4} more" if len(edges[i]) > 4 else ""
        mark = "  (deadlock)" if i in graph["stuck"] else ""
        known = f"which is known to {by}{more}" if by else "which no stack leads to"
        out.append(f"  {name(i)} waits for {nodes[str(i)]['waits']}, {known}{mark}")
    if len(edges) > most:
        out.append(f"  and {len(edges) - most} more")
    for cycle in graph["cycles"]:
        what = "deadlock" if set(cycle) <= set(graph["stuck"]) else "circle"
        out.append(f"  {what}: " + " -> ".join(name(n) for n in [*cycle, cycle[0]]))
    return out or ["  nobody"]


def dump(file=None):
    """Prints the microthreads of this program."""
    from .agent import Agent

    agent = Agent(0)

    def ask(what, **arguments):
        return json.loads(json.dumps(agent.answer({"what": what, **arguments})))

    (file or sys.stderr).write(text_report(ask))


def register(signum, file=None):
    """Has all microthreads printed when the signal comes in: the handler that was there before."""
    return signal.signal(signum, lambda *_: dump(file))


# ---- as a page

def make_handler(program, token, page):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            parts = url.path.strip("/").split("/")
            if not secrets.compare_digest(parts[0].encode(), token.encode()):
                return self.send_error(404)
            what = parts[1] if len(parts) > 1 else ""
            if what == "":
                return self.reply(page.encode(), "text/html; charset=utf-8")
            if what not in ("hello", "rows", "stack", "graph"):
                return self.send_error(404)
            query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
            for name in ("offset", "count"):
                if name in query:
                    query[name] = int(query[name])
            try:
                answer = program.ask(what, **query)
            except Ended:
                answer = {"ended": True}
            except RuntimeError as e:
                answer = {"error": str(e)}
            self.reply(json.dumps(answer).encode(), "application/json")

        def reply(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def serve(program, port):
    from .inspect_page import PAGE

    token = secrets.token_urlsafe(12)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), make_handler(program, token, PAGE))
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/{token}/", flush=True)
    return server


def look_once(program, args):
    """Into a process that runs already."""
    program.accept(args.patience)
    program.ask("start_sampling")
    if args.text:
        time.sleep(min(args.every, 0.5))
        print(text_report(program.ask), end="")
        return 0
    try:
        serve(program, args.port).serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


def look_while_it_runs(program, args):
    """Into a program that is started here."""
    what = ["-m", args.module] if args.module else [args.program]
    command = [sys.executable, "-m", "skein.inside", program.address, *what, *args.arguments]
    child = subprocess.Popen(command)
    try:
        program.accept(args.patience, ended=lambda: child.poll() is not None)
        program.ask("start_sampling")
        if not args.text:
            threading.Thread(target=serve(program, args.port).serve_forever, daemon=True).start()
        while True:
            try:
                return child.wait(args.every)
            except subprocess.TimeoutExpired:
                if args.text:
                    print(text_report(program.ask), flush=True)
    except Ended:
        return child.wait()
    except KeyboardInterrupt:
        # The program got it too.
        return child.wait()
    finally:
        if child.poll() is None:
            child.terminate()


def main():
    parser = argparse.ArgumentParser(prog="python -m skein.inspect", description=__doc__.split("\n")[0])
    parser.add_argument("--text", action="store_true", help="print text instead of serving a page")
    parser.add_argument("--port", type=int, default=0, help="where to serve the page; any free one by default")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="how often text is printed")
    parser.add_argument("--patience", type=float, default=30, metavar="SECONDS", help="how long to wait for a program in a long call")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="a module to run")
    parser.add_argument("program", nargs="?", metavar="PID | PROGRAM")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
    args = parser.parse_args()
    if args.module:
        args.module, args.arguments = args.module[0], args.module[1:]
    elif args.program is None:
        parser.error("a process or a program is wanted")
    program = Program()
    try:
        if args.program is not None and args.program.isdecimal():
            program.attach(int(args.program))
            return look_once(program, args)
        return look_while_it_runs(program, args)
    except (Ended, BrokenPipeError):
        return 1
    except (OSError, RuntimeError) as e:
        print(f"skein.inspect: {e}", file=sys.stderr)
        return 1
    finally:
        program.close()


if __name__ == "__main__":
    sys.exit(main())
