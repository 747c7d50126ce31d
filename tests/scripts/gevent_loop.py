# Skein alone
"""gevent's event loop: watchers of all kinds, priorities, errors, forks, threads; with stand-ins for gevent itself."""
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import types


def module(name, **names):
    m = types.ModuleType(name)
    m.__dict__.update(names)
    m.__path__ = []
    sys.modules[name] = m
    return m


class HubDestroyed(Exception):
    pass


said = []
gevent = module("gevent")
gevent.libev = module("gevent.libev")
module("gevent._interfaces", ILoop="ILoop", ICallback="ICallback")
module("gevent.exceptions", HubDestroyed=HubDestroyed)
module("zope").interface = module("zope.interface", classImplements=lambda cls, what: said.append((cls.__name__, what)))

import gevent.libev.corecext as core
from gevent.libev.corecext import loop as Loop

assert said == [("loop", "ILoop"), ("callback", "ICallback")] and core.__name__ == "gevent.libev.corecext"

# gevent is told that it is pure Python when it asks for a compiled module, which is the asking one itself.
compat = module("gevent._compat", PURE_PYTHON=False, GLOBAL_PURE_PYTHON=False)
asking = module("gevent._hub_local", x=1)
accelerated = __import__("importlib").import_module("gevent._gevent_c_hub_local")
assert compat.PURE_PYTHON is True and compat.GLOBAL_PURE_PYTHON is False
assert accelerated.x == 1 and accelerated.__name__ == "gevent._hub_local" and accelerated is not asking

# What that has in Rust is where it stood in Python, and shows the same.
greenlet_module = module("gevent.greenlet", _extract_stack=lambda limit: ("python", limit), sys_getframe=sys._getframe)
extract_stack = __import__("importlib").import_module("gevent._gevent_cgreenlet")._extract_stack


def spawn():
    return extract_stack(2), extract_stack(1), extract_stack(0)


stack, one, none = spawn(); line = sys._getframe().f_lineno
assert stack.f_code is spawn.__code__ and stack.f_lineno == spawn.__code__.co_firstlineno + 1
assert stack.f_back.f_code.co_name == "<module>" and stack.f_back.f_lineno == line and stack.f_back.f_back is None
assert one.f_back is None and none is None and one.f_globals is None
greenlet_module.sys_getframe = None
assert extract_stack(3) == ("python", 3)


def raises(kind, f, *args, **kw):
    try:
        f(*args, **kw)
    except kind as e:
        return str(e)
    raise AssertionError(f"{kind.__name__} was not raised")


seen = []
note = seen.append


def run(l, **kw):
    seen.clear()
    l.run(**kw)
    return list(seen)


l = Loop(default=True)
assert l.default and l.ptr and l.activecnt == 0 and l.pendingcnt == 0 and l.depth == 0
assert run(l) == []
assert l.backend == "epoll" and Loop("select", default=False).backend == "select"
assert Loop("select", default=False).fileno() is None and Loop("poll", default=False).fileno() is None
assert Loop(default=False).fileno() >= 0
assert "Unsupported" in raises(ValueError, Loop, "kqueue") and raises(ValueError, Loop, "x")

# Functions are called once, in order, in the round before the loop waits.
c = l.run_callback(note, 1)
assert c and c.pending and c.callback is note and c.args == (1,)
stopped = l.run_callback(note, 2)
stopped.stop()
l.run_callback(lambda: l.run_callback(note, 4))
l.run_callback_threadsafe(note, 3)
assert not stopped and "stopped" in repr(stopped)
assert run(l) == [1, 3, 4] and not c and not c.pending and l.activecnt == 0

# Timers, in the order of their times; one that is stopped, one that repeats, one that does not keep the loop.
t1, t2, t3 = l.timer(0.02), l.timer(0.01), l.timer(0.015)
start = time.monotonic()
l.update_now()
t1.start(note, "t1"), t2.start(note, "t2"), t3.start(note, "t3")
t3.stop()
assert t1.active and not t3.active and l.activecnt == 2
assert run(l) == ["t2", "t1"] and 0.02 <= time.monotonic() - start < 20
assert not t1.active and t1.callback is None and t1.args is None
tick = l.timer(0.001, 0.001)
far = l.timer(1000, ref=False)
far.start(note, "far")
tick.start(lambda: (note("tick"), len(seen) == 3 and tick.stop()))
assert run(l) == ["tick"] * 3
far.stop()
again = l.timer(1000, 0.001)
again.again(lambda: (note("again"), again.stop()))
assert run(l) == ["again"]
many = [l.timer(1000) for _ in range(300)]
for t in many:
    t.start(note)
for t in many:
    t.close()
assert l.activecnt == 0 and run(l) == []
assert "repeat" in raises(ValueError, l.timer, 1, -1)
assert "callable" in raises(TypeError, l.timer(1).start, None)

# Descriptors.
a, b = socket.socketpair()
a.setblocking(False), b.setblocking(False)
r = l.io(a.fileno(), core.READ)
w = l.io(a.fileno(), core.WRITE, priority=2)
assert r.events_str == "READ|_IOFDSET" and w.priority == 2 and r.fd == a.fileno()
r.start(lambda what: (note((what, a.recv(9))), r.stop()), core.GEVENT_CORE_EVENTS)
w.start(lambda: (note("w"), w.stop(), b.send(b"x")))
assert run(l) == ["w", (1, b"x")] and r.events == 1
for i in range(5):
    # It stays registered, and is asked for again.
    r.start(lambda: (note(a.recv(9)), r.stop()))
    t = l.timer(0.001)
    t.start(b.send, b"%d" % i)
    assert run(l) == [b"%d" % i]
b.send(b"nobody waits")
assert run(l, nowait=True) == [] and run(l) == []
r.start(lambda: (note(a.recv(99)), r.stop()))
assert run(l) == [b"nobody waits"]
# Another file under the same number.
n = a.fileno()
a.close()
a2, b2 = socket.socketpair()
if a2.fileno() != n:
    os.dup2(a2.fileno(), n)
r2 = l.io(n, core.READ)
r2.start(lambda: (note(os.read(n, 9)), r2.stop()))
b2.send(b"new")
assert run(l) == [b"new"]
# A file that the system does not poll is always ready.
with tempfile.TemporaryFile() as f:
    i = l.io(f.fileno(), core.READ)
    i.start(lambda: (note("file"), i.stop()))
    assert run(l) == ["file"]
raises(ValueError, l.io, -1, 1)
raises(ValueError, l.io, 0, 1000)
raises(OSError, l.io, 9999, 1)
r2.start(note, "closing")
assert l.closing_fd(n) and not l.closing_fd(9999) and r2.pending
assert run(l, nowait=True) == ["closing"]
r2.stop()

# Prepare, check and idle watchers, and priorities.
order = [l.prepare(), l.check(), l.idle()]
for name, x in zip(("prepare", "check", "idle"), order):
    x.start(lambda name=name, x=x: (note(name), x.stop()))
l.run_callback(note, "function")
assert run(l) == ["prepare", "function", "check", "idle"]
low, high = l.timer(0, priority=-1), l.timer(0, priority=1)
low.start(note, "low"), high.start(note, "high")
assert run(l) == ["high", "low"]
raises(AttributeError, setattr, (low.start(note), low)[1], "priority", 1)
low.stop()
x = l.async_()
x.feed(0x80000, note, "fed")
assert x.pending is False and run(l, nowait=True) == ["fed"]

# What fails is told to the handler, and the loop goes on.
handled = []
l.error_handler = lambda context, kind, value, tb: handled.append((context, kind, str(value), tb is not None))
failing = l.timer(0)
failing.start(lambda: 1 // 0)
c = l.run_callback(int, "x")
l.run_callback(note, "still")
assert run(l) == ["still"]
assert [(h[1].__name__, h[3]) for h in handled] == [("ValueError", True), ("ZeroDivisionError", True)]
assert handled[0][0] is c and handled[1][0] is failing and not failing.active
r2.start(lambda: 1 // 0)
b2.send(b"x")
assert run(l) == [] and not r2.active, "a watcher that fails is stopped"


def destroyed():
    raise HubDestroyed


l.run_callback(destroyed)
l.run_callback(note, "never")
assert run(l) == [] and l.activecnt == 0
l.error_handler = None

# Signals, children, forks.
s = l.signal(signal.SIGUSR1)
s.start(lambda: (note("signal"), s.stop()))
l.run_callback(os.kill, os.getpid(), signal.SIGUSR1)
assert run(l) == ["signal"] and signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
# Programs that poll without letting the loop run ask whether it has something to tell.
s.start(lambda: (note("again"), s.stop()))
assert not l.sig_pending
os.kill(os.getpid(), signal.SIGUSR1)
assert l.sig_pending
assert run(l) == ["again"] and not l.sig_pending
raises(ValueError, l.signal, 1000)
pid = os.fork()
if not pid:
    time.sleep(0.01)
    os._exit(3)
child = l.child(pid)
child.start(lambda: (note((child.rpid == pid, child.rstatus >> 8)), child.stop()))
assert run(l) == [(True, 3)]
raises(TypeError, Loop(default=False).child, 1)
l.reset_sigchld()
forked = l.fork(ref=False)
forked.start(note, "forked")
r2.start(lambda: (note("ready"), r2.stop()))
pid = os.fork()
if not pid:
    os.write(b2.fileno(), b"y")
    os._exit(0 if run(l) == ["forked", "ready"] else 1)
assert os.waitpid(pid, 0)[1] == 0
r2.stop(), forked.stop()
l.reinit()

# From another thread.
x = l.async_()
x.start(lambda: (note("async"), x.stop()))
threading.Timer(0.01, x.send).start()
assert run(l) == ["async"]
keep = l.timer(5)
keep.start(note)
threading.Timer(0.01, lambda: l.run_callback_threadsafe(lambda: (note("called"), keep.stop()))).start()
assert run(l) == ["called"]

# Files whose state changes.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "f")
    st = l.stat(path)
    st.start(lambda: (note((st.prev is None, st.attr.st_size)), st.stop()))
    assert st.attr is None and st.path == path

    def write():
        with open(path, "w") as f:
            f.write("abc")

    l.timer(0.01).start(write)
    assert run(l) in ([(True, 0)], [(True, 3)])

# A run inside a run, and ways out.
l.run_callback(lambda: (l.run_callback(note, "inner"), l.run(), note("outer")))
assert run(l) == ["inner", "outer"]
forever = l.prepare()
forever.start(lambda: l.break_())
assert run(l) == []
forever.stop()
forever.start(lambda: (note("round"), len(seen) == 4 and forever.stop()))
keep.start(note)
assert run(l, nowait=True) == ["round"] and run(l, nowait=True) == ["round"]
forever.stop(), keep.stop()

# Switches in callbacks are soft.
import greenlet

hub = greenlet.greenlet(l.run)
main = greenlet.getcurrent()
import stackless

before = stackless.switch_counts()
l.run_callback(main.switch, 5)
assert hub.switch() == 5
l.run_callback(main.switch, 6)
assert hub.switch() == 6
assert stackless.switch_counts()[1] == before[1], "a hard switch"
hub.switch()

l.destroy()
assert not l.ptr and not l.default and "destroyed" in repr(l)
for f in (l.run, l.now, l.ref, lambda: l.run_callback(note)):
    assert raises(ValueError, f) == "operation on destroyed loop"
