"""What `skein.inspect` asks of the program that it looks into. It runs in a thread of that program, on modules of its own, so that
it works whatever the program has patched.

A question is a line of JSON, and so is the answer. The thread ends when the one who asks has gone.
"""

import _imp
import json
import os
import sys
import weakref
from importlib.machinery import BuiltinImporter

import _skein_microthreads as native

INTERVAL = 0.01  # seconds between two samples
NODES = 2000  # microthreads whose wait graph is looked at
FRAMES = 200  # that are shown of a stack


def fresh(name):
    """A builtin module as it was before the program changed anything in it."""
    return _imp.create_builtin(BuiltinImporter.find_spec(name))


def library_prefixes():
    """The beginnings of the files whose frames only say how a microthread waits."""
    found = set()
    for name in ("gevent", "eventlet", "greenlet", "stackless", "asyncio", "threading", "queue", "selectors", "socket", "ssl",
                 "select", "concurrent", "_weakrefset"):
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            found.add(os.path.dirname(file) + os.sep if hasattr(module, "__path__") else file)
    found.add(os.path.dirname(__file__) + os.sep)
    return tuple(sorted(found))


def type_name(thing):
    cls = type(thing)
    return cls.__qualname__ if cls.__module__ in ("builtins", "stackless", "greenlet") else f"{cls.__module__}.{cls.__qualname__}"


def id_of(thing):
    return None if thing is None else f"{id(thing):#x}"


def frame_of(which):
    """The innermost frame of a microthread that is suspended."""
    return getattr(which, "gr_frame", None) or getattr(which, "frame", None)


# Things that only another microthread ends the waiting for, by the modules that they are from.
INTERNAL = ("gevent.event", "gevent.lock", "gevent._semaphore", "gevent.queue", "gevent.pool", "gevent.greenlet", "gevent._gevent_",
            "eventlet.event", "eventlet.semaphore", "eventlet.queue", "eventlet.greenthread", "eventlet.coros", "threading", "queue",
            "stackless", "greenlet")


def waited_for(which, channel, prefixes):
    """What a microthread waits for, and whether only another microthread can end that."""
    if channel is not None:
        return channel, True
    thing, timed, f = None, False, frame_of(which)
    while f is not None and f.f_code.co_filename.startswith(prefixes):
        names = f.f_locals
        found = names.get("self")
        if found is not None and type(found).__name__ != "Hub" and not type(found).__name__.endswith("Waiter"):
            thing = found
        timed = timed or names.get("timeout") is not None or names.get("seconds") is not None
        f = f.f_back
    if thing is None:
        return None, False
    return thing, not timed and type(thing).__module__.startswith(INTERNAL)


class Agent:
    def __init__(self, me):
        self.me = me
        self.cpu = {}  # by id: [weak reference or None, seconds]
        self.stacks = {}  # samples: (thread, microthread's id) and its frames -> seconds
        self.time = fresh("time")
        self.thread = fresh("_thread")
        self.sampling = False

    # ---- sampling

    def start_sampling(self):
        if not self.sampling:
            self.sampling = True
            self.thread.start_new_thread(self.sample_on, ())

    def sample_on(self):
        me = self.thread.get_ident()
        last = self.time.perf_counter()
        while self.sampling:
            self.time.sleep(INTERVAL)
            now = self.time.perf_counter()
            passed, last = now - last, now
            for thread, which, _ in native.sample(False):
                if thread not in (self.me, me):
                    self.count(thread if which is None else which, passed)

    def count(self, which, seconds):
        key = which if isinstance(which, int) else id(which)
        entry = self.cpu.get(key)
        if entry is None or entry[0] is not None and entry[0]() is not which:
            self.cpu[key] = entry = [None if isinstance(which, int) else weakref.ref(which), 0.0]
        entry[1] += seconds
        if len(self.cpu) > 100_000:
            self.cpu = {k: e for k, e in self.cpu.items() if e[0] is None or e[0]() is not None}

    def seconds(self, which, thread):
        entry = self.cpu.get(thread if which is None else id(which))
        if entry is None or entry[0] is not None and entry[0]() is not which:
            return 0.0
        return entry[1]

    # ---- answers

    def hello(self):
        return {"pid": os.getpid(), "argv": sys.orig_argv, "version": sys.version}

    def rows(self, state=None, text="", sort="id", offset=0, count=100):
        total, states, matching, rows, groups = native.survey(
            self.me, library_prefixes(), state or None, text, sort, offset, count)
        prefixes = library_prefixes()
        return {
            "total": total,
            "states": states,
            "matching": matching,
            "rows": [self.row(r, prefixes) for r in rows],
            "groups": [dict(zip(("count", "state", "file", "line", "function", "via"), g)) for g in groups],
        }

    def row(self, row, prefixes):
        which, thread, kind, state, depth, size, file, line, function, via, channel, parent = row
        waits, thing = None, None
        if channel is not None or via is not None and which is not None:
            thing, _ = waited_for(which, channel, prefixes)
        if thing is not None:
            waits = f"{type_name(thing)} at {id(thing):#x}"
        return {
            "id": id_of(which) or f"thread {thread}",
            "kind": kind if which is None else type_name(which),
            "state": state,
            "thread": thread,
            "depth": depth,
            "memory": size,
            "cpu": round(self.seconds(which, thread), 3),
            "file": file,
            "line": line,
            "function": function,
            "via": via,
            "waits": waits,
            "parent": id_of(parent),
        }

    def find(self, name):
        """A microthread by what `rows` calls it."""
        if name.startswith("thread "):
            return int(name.split()[1])
        total, _, _, rows, _ = native.survey(self.me, (), None, name, "id", 0, 1)
        return rows[0][0] if rows else None

    def stack(self, id):
        which = self.find(id)
        if which is None:
            return {"frames": None}
        frames = native.stack(which)
        return {"frames": frames[:FRAMES], "left_out": max(len(frames) - FRAMES, 0)}

    def graph(self):
        """Who waits for what, who could end that, and what will never end."""
        prefixes = library_prefixes()
        _, _, _, rows, _ = native.survey(self.me, prefixes, None, "", "state", 0, 10_000)
        nodes, things, internal = [], [], []
        for row in rows:
            which, channel = row[0], row[10]
            if row[3] in ("new", "runnable", "running", "in a call", "paused") and channel is None:
                thing, inside = None, False
            else:
                thing, inside = waited_for(which, channel, prefixes)
            nodes.append(row)
            things.append(thing)
            internal.append(inside)
            if len(nodes) == NODES:
                break
        wanted = {id(t): t for t in things if t is not None}
        among = [row[1] if row[0] is None else row[0] for row in nodes]
        at = {id(which): i for i, which in enumerate(among)}
        known = {}
        order = list(wanted)
        for i, j, steps in native.reached([wanted[k] for k in order], among):
            known.setdefault(order[j], []).append((steps, i))
        able, edges = [], []  # who could wake it, and those of them that are nearest to what it waits for
        for i, thing in enumerate(things):
            if id(thing) in at:
                found = [(0, at[id(thing)])]
            else:
                found = [(steps, n) for steps, n in known.get(id(thing), ()) if n != i]
            nearest = min(found, default=(0, 0))[0]
            able.append([n for _, n in found])
            edges.append([n for steps, n in found if steps == nearest])
        waiting = [t is not None and inside for t, inside in zip(things, internal)]
        stuck = find_stuck(able, waiting)
        cycles = find_cycles(edges, {i for i, w in enumerate(waiting) if w})
        shown = [i for i, t in enumerate(things) if t is not None]
        back = {n for i in shown for n in edges[i]}
        return {
            "nodes": {i: self.row(nodes[i], prefixes) for i in sorted({*shown, *back})},
            "edges": {i: edges[i] for i in shown},
            "stuck": sorted(stuck),
            "cycles": cycles,  # those in `stuck` are deadlocks; another microthread could break the others
            "left_out": max(len(rows) - len(nodes), 0),
        }

    def answer(self, question):
        what = question.pop("what")
        if what not in ("hello", "rows", "stack", "graph", "start_sampling"):
            raise ValueError(f"{what} is no question")
        return getattr(self, what)(**question)


def find_stuck(edges, waits):
    """Those that wait for microthreads only, all of which wait so: no step of the program will ever wake them. Where nobody is known
    who could, there may still be somebody, by a global variable."""
    stuck = {i for i, w in enumerate(waits) if w and edges[i]}
    while True:
        freed = {i for i in stuck if any(n not in stuck for n in edges[i])}
        if not freed:
            return stuck
        stuck -= freed


def find_cycles(edges, among, most=50):
    """Circles in which each waits for the next, one for each set of those that reach each other."""
    cycles, seen = [], set()
    for start in sorted(among):
        if start in seen:
            continue
        path, at = [], {}
        node = start
        while node is not None and node not in seen and node not in at:
            at[node] = len(path)
            path.append(node)
            node = next((n for n in edges[node] if n in among), None)
        seen.update(path)
        if node in at:
            cycles.append(path[at[node]:])
            if len(cycles) == most:
                break
    return cycles


def serve(address, ready=None):
    _socket = fresh("_socket")
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    agent = None
    try:
        sock.connect(address)
        agent = Agent(fresh("_thread").get_ident())
        if ready is not None:
            ready.release()
        buffer = bytearray()
        while data := sock.recv(65536):
            buffer += data
            while (end := buffer.find(b"\n")) >= 0:
                line = bytes(buffer[:end])
                del buffer[:end + 1]
                try:
                    answer = {"answer": agent.answer(json.loads(line))}
                except Exception as e:
                    answer = {"error": f"{type(e).__name__}: {e}"}
                sock.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:
        pass  # Whoever asked has gone.
    finally:
        if agent is not None:
            agent.sampling = False
        sock.close()


def start(address, wait=False):
    """Begins to answer the one who listens at the address."""
    _thread = fresh("_thread")
    ready = None
    if wait:
        ready = _thread.allocate_lock()
        ready.acquire()
    _thread.start_new_thread(serve, (address, ready))
    if wait:
        ready.acquire(True, 5)
