# Skein alone
"""What is shown of microthreads: states, places, who waits for whom; scripts run in another process; the dump on a signal; the
profiler."""
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import greenlet
import stackless

import _skein_microthreads as native
from skein import agent as agents
from skein import inspect, profile


def raises(kind, f, *args):
    try:
        f(*args)
    except kind as e:
        return str(e)
    raise AssertionError(f"{kind.__name__} was not raised")


def nested(n, f):
    return f() if n == 0 else nested(n - 1, f)


# Tasklets and greenlets in each state.
c, unused = stackless.channel(), stackless.channel()


def receives():
    nested(5, c.receive)


def sends():
    unused.send(1)


def pauses():
    stackless.schedule_remove()


def switches():
    greenlet.getcurrent().parent.switch()


receivers = [stackless.tasklet(receives)() for _ in range(20)]
sender = stackless.tasklet(sends)()
paused = stackless.tasklet(pauses)()
stackless.run()
runnable = stackless.tasklet(pauses)()
g = greenlet.greenlet(switches)
g.switch()
new = greenlet.greenlet(switches)

agent = agents.Agent(0)
answer = agent.rows(count=100)
states = answer["states"]
assert states["receiving"] == 20 and states["sending"] == states["paused"] == states["runnable"] == 1, states
assert states["suspended"] == states["new"] == states["running"] == 1, states
assert answer["total"] == answer["matching"] == 26 == len(answer["rows"]), answer["total"]
by_id = {r["id"]: r for r in answer["rows"]}
row = by_id[f"{id(receivers[3]):#x}"]
assert row["state"] == "receiving" and row["depth"] == 7 and row["function"] == "nested" and row["line"] == nested.__code__.co_firstlineno + 1
assert row["file"] == __file__ and row["waits"] == f"channel at {id(c):#x}" and row["kind"] == "tasklet" and row["memory"] > 300
assert by_id[f"{id(g):#x}"]["parent"] == f"{id(greenlet.getcurrent()):#x}"
assert by_id[f"{id(new):#x}"]["function"] == "switches" and by_id[f"{id(new):#x}"]["depth"] == 0
main = by_id[f"thread {threading.get_ident()}"]
assert main["state"] == "running" and main["kind"] == "thread"

# Asked for by state and text, sorted, in pages.
assert agent.rows(state="receiving", count=5)["matching"] == 20
assert len(agent.rows(state="receiving", count=5)["rows"]) == 5
assert [r["id"] for r in agent.rows(text="sends")["rows"]] == [f"{id(sender):#x}"]
assert [r["id"] for r in agent.rows(text=f"{id(sender):#X}")["rows"]] == [f"{id(sender):#x}"]
assert agent.rows(text="no such thing")["matching"] == 0
for column in inspect.COLUMNS:
    forth, back = agent.rows(sort=column)["rows"], agent.rows(sort="-" + column)["rows"]
    assert [r["id"] for r in forth] == [r["id"] for r in back][::-1], column
ids = [r["id"] for offset in (0, 10, 20, 30) for r in agent.rows(sort="id", offset=offset, count=10)["rows"]]
assert len(ids) == len(set(ids)) == 26
assert agent.rows(sort="depth")["rows"][-1]["depth"] >= agent.rows(sort="depth")["rows"][0]["depth"]
group = agent.rows(count=0)["groups"][0]
assert group["count"] == 20 and group["state"] == "receiving" and group["function"] == "nested"

frames = agent.stack(f"{id(receivers[0]):#x}")["frames"]
assert [f[2] for f in frames] == ["nested"] * 6 + ["receives"] and frames[-1][0] == __file__
assert agent.stack("0x10")["frames"] is None
assert agent.stack(f"thread {threading.get_ident()}")["frames"][-1][2] == "<module>"
assert raises(TypeError, native.stack, "x") and raises(ValueError, native.stack, 12)
assert raises(ValueError, agent.answer, {"what": "__init__"})
for t in receivers:
    c.send(None)
unused.receive()
paused.run()
stackless.run()

# Who waits for whom: a circle of three, one that waits for it, one that nobody can wake, and one that the main program may wake.
class Node:
    def __init__(self):
        self.inbox = stackless.channel()
        self.next = None

    def work(self):
        self.inbox.receive()
        self.next.inbox.send(None)


def begin_circle():
    nodes = [Node() for _ in range(3)]
    for a, b in zip(nodes, nodes[1:] + nodes[:1]):
        a.next = b
    return [stackless.tasklet(n.work)() for n in nodes]


circle = begin_circle()
lonely = stackless.tasklet(lambda: stackless.channel().receive())()


def awaited():
    reachable.receive()


reachable = stackless.channel()
waits = stackless.tasklet(awaited)()
stackless.run()


def look():
    kept = reachable
    graph = agent.graph()
    assert kept is not None
    return graph


graph = look()
name = lambda i: graph["nodes"][i]["id"]
stuck = {name(i) for i in graph["stuck"]}
assert {f"{id(t):#x}" for t in circle} == stuck, (graph, circle)
assert graph["edges"][next(i for i in graph["nodes"] if name(i) == f"{id(lonely):#x}")] == []
assert [len(cycle) for cycle in graph["cycles"]] == [3]
assert {name(i) for i in graph["cycles"][0]} == {f"{id(t):#x}" for t in circle}
text = inspect.text_report(lambda what, **kw: json.loads(json.dumps(agent.answer({"what": what, **kw}))))
assert "deadlock: 0x" in text and "which no stack leads to" in text and "5 receiving" in text, text
reachable.send(None)

# The error of a deadlock says it too.
t = None
try:
    stackless.channel().receive()
except RuntimeError as e:
    [note] = e.__notes__
    assert note.count("receives from stackless.channel at") == 4 and note.count("which is also known to stackless.tasklet at") == 3, note
for t in [*circle, lonely]:
    t.kill()

# Shown when a signal comes in.
out = io.StringIO()
before = inspect.register(signal.SIGUSR2, out)
os.kill(os.getpid(), signal.SIGUSR2)
for _ in range(100):
    if out.getvalue():
        break
    time.sleep(0.01)
signal.signal(signal.SIGUSR2, before)
assert "microthreads:" in out.getvalue() and "who waits for whom:" in out.getvalue()

# The signal of `sys.remote_exec` is not the program's business.
from skein.attach import SIGNAL
assert signal.getsignal(SIGNAL) == signal.SIG_DFL and signal.signal(SIGNAL, signal.SIG_DFL) == signal.SIG_DFL
os.kill(os.getpid(), SIGNAL)
time.sleep(0)
assert sys.is_remote_debug_enabled()

PROGRAM = """
import stackless, sys, time, threading
def worker(c):
    c.receive()
c = stackless.channel()
for _ in range(3):
    stackless.tasklet(worker)(c)
stackless.run()
def computes():
    while not stop:
        sum(range(1000))
stop = []
threading.Thread(target=computes).start()
print("ready", flush=True)
sys.stdin.readline()
stop.append(1)
print(globals().get("left_by_another"), flush=True)
"""

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "program.py")
    with open(path, "w") as f:
        f.write(PROGRAM)

    def start(*options):
        child = subprocess.Popen([sys.executable, *options, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        return child

    def end(child):
        out, _ = child.communicate("\n", timeout=60)
        assert child.returncode == 0
        return out

    def run(*args):
        done = subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    child = start()
    script = os.path.join(folder, "script.py")
    with open(script, "w") as f:
        f.write("import __main__\n__main__.left_by_another = 42\n")
    sys.remote_exec(child.pid, script)
    text = run("-m", "skein.inspect", "--text", str(child.pid))
    assert "3 receiving" in text and "worker" in text and "computes" in text, text
    saved = os.path.join(folder, "out.json")
    run("-m", "skein.profile", "--seconds", "0.5", "-o", saved, str(child.pid))
    with open(saved) as f:
        found = json.load(f)
    assert any(f["name"] == "computes" for f in found["shared"]["frames"]), found
    weights = [w for p in found["profiles"] for w in p["weights"]]
    assert sum(weights) > 0.05 and all(len(p["samples"]) == len(p["weights"]) for p in found["profiles"])
    assert end(child) == "42\n"

    child = start("-X", "disable-remote-debug")
    assert "Remote debugging is not enabled in the remote process" in raises(RuntimeError, sys.remote_exec, child.pid, script)
    assert end(child) == "None\n"
    raises(ProcessLookupError, sys.remote_exec, 2**22 + 1, script)
    raises(FileNotFoundError, sys.remote_exec, os.getpid(), path + "x")
    raises(TypeError, sys.remote_exec, "1", script)

    # The page.
    child = subprocess.Popen(
        [sys.executable, "-m", "skein.inspect", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = sorted([child.stdout.readline(), child.stdout.readline()])
    url = lines[0].strip()
    assert url.startswith("http://127.0.0.1:") and lines[1] == "ready\n", lines
    get = lambda what: urllib.request.urlopen(url + what, timeout=60).read()
    assert b"<html" in get("")
    assert json.loads(get("rows?state=receiving&count=2"))["matching"] == 3
    assert json.loads(get("hello"))["argv"]
    assert json.loads(get("graph"))["edges"]
    assert "404" in raises(OSError, urllib.request.urlopen, url.rsplit("/", 2)[0] + "/x/rows")
    out, _ = child.communicate("\n", timeout=60)
    assert out == "None\n" and child.returncode == 0

    # The profiler on a program of its own.
    work = os.path.join(folder, "work.py")
    with open(work, "w") as f:
        f.write("import stackless\n"
                "def busy():\n    t = 0\n    for i in range(400):\n        t += len(str([i] * 300))\n        stackless.schedule()\n"
                "for _ in range(3):\n    stackless.tasklet(busy)()\nstackless.run()\n")
    page = os.path.join(folder, "out.html")
    run("-m", "skein.profile", "--interval", "0.001", "-o", page, work)
    with open(page) as f:
        assert '"busy"' in (text := f.read()) and '"tasklet"' in text
print("ok")
