"""greenlet and OS threads: to which thread a greenlet belongs, what others see of it, and what becomes of what a thread leaves."""
import contextvars
import gc
import subprocess
import sys
import threading

import greenlet as module
from greenlet import GreenletExit, getcurrent, greenlet

main = getcurrent()
EXITED = "cannot switch to a different thread (which happens to have exited)"


def in_thread(f):
    t = threading.Thread(target=f)
    t.start()
    t.join()


def raises(kind, text, f, *args):
    try:
        f(*args)
    except kind as e:
        assert str(e).startswith(text), str(e)
        return str(e)
    raise AssertionError(f"{kind.__name__} was not raised")


class Elsewhere:
    """A thread that does one thing after the other."""

    def __init__(self):
        self.todo, self.done, self.f = threading.Event(), threading.Event(), None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            self.todo.wait()
            self.todo.clear()
            f, self.f = self.f, None
            if f is None:
                return
            f()
            # What it has returned is to be dropped here.
            del f
            self.done.set()

    def do(self, f):
        self.f = f
        self.todo.set()
        self.done.wait()
        self.done.clear()

    def end(self):
        self.todo.set()
        self.thread.join()


# A suspended greenlet that only its thread could reach ends with it; one that others can reach stays as it is.
log, kept = [], []


def leave_some():
    def worker(name):
        try:
            getcurrent().parent.switch()
        finally:
            log.append((name, sys.exception().__class__, threading.get_ident()))

    a, b = greenlet(worker), greenlet(worker)
    a.switch("a")
    b.switch("b")
    kept.append(b)
    log.append(threading.get_ident())


in_thread(leave_some)
thread, *ended = log
assert ended == [("a", GreenletExit, thread)], log
(b,) = kept
assert not b.dead and b and repr(b).endswith(" (otid=0x(nil)) (thread exited) active started>"), repr(b)
assert b.gr_frame.f_code.co_name == "worker" and b.gr_frame.f_locals["name"] == "b" and b.gr_frame.f_back is None
raises(RuntimeError, "cannot clear", b.gr_frame.clear)
raises(module.error, EXITED, b.switch)
raises(module.error, EXITED, b.throw, ValueError)
raises(ValueError, "parent cannot be on a different thread", setattr, b, "parent", main)
assert b.gr_context is None

# The main greenlet of a thread that has ended.
mains = []
in_thread(lambda: mains.append(getcurrent()))
assert mains[0].dead and repr(mains[0]).endswith(" (thread exited) dead>") and not mains[0]
raises(module.error, EXITED, mains[0].switch)

# One that has not begun belongs to the thread of its parents.
other = Elsewhere()
made = []
other.do(lambda: made.append(greenlet(lambda *args: (args, threading.get_ident()))))
foreign = made.pop()
text = raises(module.error, "Cannot switch to a different thread\n\tCurrent:  <greenlet.greenlet", foreign.switch)
current, expected = text.splitlines()[1:]
assert current.endswith(" current active started main>"), current
assert expected.startswith("\tExpected: <") and expected.endswith(" suspended active started main>"), expected
foreign.parent = main
assert foreign.switch(1) == ((1,), threading.get_ident())
own = greenlet(lambda: None)
other.do(lambda: made.append(greenlet(lambda: 5)))
own.parent = made[0]
raises(module.error, "Cannot switch", own.switch)


class Turned(greenlet):
    """Gets a parent of another thread while it is about to begin."""

    def __getattribute__(self, name):
        if name == "run":
            self.parent = made[0]
        return super().__getattribute__(name)


raises(module.error, "Cannot switch", Turned(lambda: None).switch)
started = greenlet(lambda: main.switch())
started.switch()
raises(ValueError, "parent cannot be on a different thread", setattr, started, "parent", made[0])

# What other threads see: reprs, frames, contexts.
shown = []
other.do(lambda: shown.append(repr(main)))
other.do(lambda: shown.append(main.gr_frame))
assert shown[0].endswith(" suspended active started main>"), shown
runs, go_on = threading.Event(), threading.Event()
var = contextvars.ContextVar("var")
context = contextvars.Context()


def waiting():
    var.set(1)
    runs.set()
    go_on.wait()
    var.set(2)
    getcurrent().parent.switch()
    kept.append(var.get(None))


def begin():
    g = greenlet(waiting)
    g.gr_context = context
    kept[:] = [g]
    g.switch()


t = threading.Thread(target=other.do, args=(begin,))
t.start()
runs.wait()
g = kept[0]
assert repr(g).endswith(" suspended active started>") and g.gr_frame is None and not g.dead
raises(ValueError, "cannot get context of a greenlet that is running in a different thread", getattr, g, "gr_context")
raises(ValueError, "cannot set context of a greenlet that is running in a different thread", setattr, g, "gr_context", None)
go_on.set()
t.join()
assert g.gr_context is context and context[var] == 2 and g.gr_frame.f_code.co_name == "waiting"
g.gr_context = None
other.do(g.switch)
assert kept == [g, None] and g.dead and g.gr_context is None
g.gr_context = context
assert g.gr_context is context

# One that becomes unreachable elsewhere is ended by its own thread, when that next makes or asks for one.
log = []


def make_one():
    def worker():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            log.append(threading.get_ident())

    g = greenlet(worker)
    g.switch()
    kept[:] = [g]


def clean():
    # No stale word of this thread may keep it.
    return len([[] for _ in range(100)])


other.do(make_one)
other.do(clean)
g = None
kept.clear()
gc.collect()
assert log == []
other.do(lambda: getcurrent())
assert log in ([], [other.thread.ident])
other.do(lambda: greenlet())
other.end()
assert log == [other.thread.ident], log

# At the end of the program what nothing leads to is finalized; there is no current greenlet by then.
program = """
import gc, os, greenlet
gc.disable()
class Last:
    def __del__(self):
        try:
            greenlet.getcurrent()
        except RuntimeError as e:
            os.write(1, str(e).encode())
last = Last()
last.me = last
del last
"""
done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
assert done.stdout == "greenlet is being finalized" and done.stderr == "", done
