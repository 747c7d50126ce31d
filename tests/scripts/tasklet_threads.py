"""stackless and OS threads: tasklets of other threads, moving them, what becomes of them when their thread ends; cstate."""
import _teststackless
import gc
import threading
import time

import stackless
from stackless import channel, tasklet

main = stackless.main
here = stackless.current.thread_id
log = []


def raises(kind, text, f, *args, **kw):
    try:
        f(*args, **kw)
    except kind as e:
        assert text in str(e), str(e)
        return
    raise AssertionError(f"{kind.__name__} was not raised")


def start(f):
    t = threading.Thread(target=f)
    t.start()
    return t


def other_with(make):
    """What a thread has made, which then waits until it is told to run its tasklets, and the function for that."""
    made, end, ready = [], threading.Event(), threading.Event()

    def run():
        made.append(make())
        ready.set()
        end.wait(20)
        stackless.run()

    t = start(run)
    ready.wait()

    def finish():
        end.set()
        t.join()

    return made[0], finish


def removed(f):
    t = tasklet(f)()
    t.remove()
    return t


# Each thread has a main tasklet of its own.
mains = []
start(lambda: mains.append((stackless.getmain(), stackless.main, stackless.current))).join()
assert mains[0][0] is mains[0][1] is mains[0][2] and mains[0][0] is not main
assert mains[0][0].thread_id == -1 and not mains[0][0].alive

# Made runnable from here, they run there; in the order that was asked for.
def note(name):
    return lambda: log.append((name, stackless.current.thread_id))


(a, b, c), finish = other_with(lambda: [removed(note(n)) for n in "abc"])
there = a.thread_id
assert there != here and a.paused and a.alive and not a.scheduled and a.next is None
b.insert()
assert b.scheduled and not b.paused
b.remove()
assert b.paused
raises(RuntimeError, "can't switch to a different thread.", a.switch)
with stackless.atomic():
    a.run()
    b.insert()
    c.insert()
finish()
assert log == [("a", there), ("b", there), ("c", there)], log
assert not a.alive and a.thread_id == -1
log.clear()


# An exception from here is raised there.
def resting():
    try:
        stackless.schedule_remove()
    except BaseException as e:
        log.append((type(e), stackless.current.thread_id))


def begun(f):
    t = tasklet(f)()
    t.run()
    return t


(a, b, c), finish = other_with(lambda: [begun(resting) for _ in range(3)])
there = a.thread_id
a.kill()
b.raise_exception(ValueError, 1)
c.throw(KeyError, pending=True)
finish()
assert log == [(k, there) for k in (TaskletExit, ValueError, KeyError)], log
log.clear()


# Set up and bound from here.
def unbound():
    return tasklet(note("d"))


d, finish = other_with(unbound)
there = d.thread_id
d.setup()
raises(RuntimeError, "tasklet is scheduled", d.bind, print)
finish()
assert log == [("d", there)]
log.clear()

# Moved to this thread: one that has not begun, one that is suspended, one that waits on a channel.
ch = channel()


def suspended():
    log.append(stackless.current.thread_id)
    stackless.schedule_remove()
    log.append(stackless.current.thread_id)


def receiving():
    log.append((ch.receive(), stackless.current.thread_id))


(a, b, c, d), finish = other_with(lambda: [removed(note("a")), begun(suspended), begun(receiving), tasklet(len)("x")])
there = a.thread_id
raises(RuntimeError, "can't (re)bind a runnable tasklet", d.bind_thread)
raises(OverflowError, "", a.bind_thread, -2)
raises(ValueError, "bad thread", a.bind_thread, 1)
raises(TypeError, "must be int, not str", a.bind_thread, "x")
a.bind_thread()
b.bind_thread(here)
c.bind_thread(here)
assert {t.thread_id for t in (a, b, c)} == {here} and a.paused and b.paused and c.blocked
a.run()
b.run()
ch.send(5)
stackless.run()
assert log == [there, ("a", here), here, (5, here)], log
finish()
log.clear()


# One that is under native calls cannot be moved, and is killed when its thread ends; the thread's main tasklet has
# ended by then. Others just stop.
def nested():
    try:
        _teststackless.test_cstate(stackless.schedule_remove)
    except TaskletExit:
        log.append((stackless.current.thread_id == stackless.main.thread_id, stackless.main.alive))
        log.append(stackless.main)
        raise


def plain():
    try:
        stackless.schedule_remove()
    finally:
        log.append("not reached")


def leave():
    log.append(stackless.main)
    return begun(nested), begun(plain), removed(plain), begun(plain)


(a, b, c, d), finish = other_with(leave)
raises(RuntimeError, "tasklet has C state on its stack", a.bind_thread)
assert a.nesting_level == 1 and not a.restorable and b.restorable
# Its native stack is one of a ring, with the thread's own.
own = a.cstate
assert own.task is a and a.cstate is own and own.nesting_level == 1 and isinstance(own, stackless.cstack)
assert b.cstate.task is None and own.next is b.cstate and b.cstate.next is own and own.prev.next is own
assert b.cstate.serial == own.serial != main.cstate.serial
finish()
assert log[1] == (True, True) and log[0] is not log[2] and len(log) == 3, log
log.clear()
for t in a, b, c, d:
    assert not t.alive and not t.scheduled and t.thread_id == -1 and t.next is t.prev is None
    raises(RuntimeError, "tasklet has no thread", t.run)
    raises(RuntimeError, "Target thread isn't initialized", t.insert)
    raises(RuntimeError, "", t.throw, ValueError)
raises(RuntimeError, "tasklet has no thread", b.throw, TaskletExit)
assert b.remove() is b
c.kill()
b.kill()
assert b.frame is None and not b.alive
b.bind(note("b"))
raises(RuntimeError, "tasklet has no thread", b.setup)
b.bind_thread()
b.setup()
stackless.run()
assert log == [("b", here)], log
log.clear()

# One that was not killed can go on in another thread.
(a,), finish = other_with(lambda: [begun(suspended)])
finish()
assert not a.alive
a.bind_thread()
assert a.alive and a.paused
a.run()
assert log[1] == here and len(log) == 2 and not a.alive
log.clear()


# A thread that computes gets the exception when it next asks the scheduler.
class Stop(Exception):
    pass


def busy():
    me.append(stackless.current)
    ready.set()
    try:
        while True:
            stackless.current.run()
    except Stop:
        log.append("stopped")


me, ready = [], threading.Event()
t = start(busy)
ready.wait()
me[0].raise_exception(Stop)
t.join()
assert log == ["stopped"]

# One that waits for something to run is woken, also where a tasklet ends and nobody is left.
def waiting():
    kept.append(removed(note("e")))
    ready.set()
    ch.receive()


kept, ready = [], threading.Event()
t = start(waiting)
ready.wait()
time.sleep(0.01)
kept[0].insert()
while kept[0].alive:
    time.sleep(0.001)
ch.send(None)
t.join()
assert log[0] == "stopped" and log[1][0] == "e", log

# The rings of runnable tasklets are each thread's.
t1 = tasklet(print)()
(a, b), finish = other_with(lambda: [tasklet(len)("x"), tasklet(len)("x")])
assert a.next is b and b.prev is a and main.next is t1 and stackless.runcount == 2
a.remove()
b.remove()
t1.remove()
finish()

# Helpers of Stackless's tests.
_teststackless.test_cframe(3)
raises(ValueError, "words are limited", _teststackless.test_cframe, 1, -1)
assert stackless._test_nostacklesscall(lambda: stackless.current.nesting_level) == 1
assert stackless._test_nostacklesscall(None, 1, 2) == (1, 2)
done = []
tasklet(done.append)(1)
stackless.test_outside()
assert done == [1]
names = {}
exec("from stackless import *", names)
assert names["stackless"] is stackless and names["tasklet"] is tasklet and names["run"] is stackless.run


# Resuming a coroutine by its iterator costs no native stack.
async def level():
    return stackless.current.nesting_level


async def outer():
    return await level()


for resume in lambda i: i.__next__(), lambda i: i.send(None):
    try:
        resume(outer().__await__())
    except StopIteration as e:
        assert e.value == 0, e.value
coroutine = outer()
raises(TypeError, "", coroutine.__await__().send)
coroutine.close()


# The frame of a generator that has not begun can be cleared.
def gen(x):
    yield x


g = gen(1)
g.gi_frame.clear()
assert list(g) == []
g = gen(1)
next(g)
raises(RuntimeError, "cannot clear a suspended frame", g.gi_frame.clear)

# A thread whose tasklets all wait goes on when another thread has something for them, or has woken it.
c, got = stackless.channel(), []
stackless.tasklet(lambda: got.extend([c.receive(), c.receive()]))()


def sends():
    for i in range(2):
        time.sleep(0.01)
        c.send(i)


thread = threading.Thread(target=sends)
thread.start()
stackless.run(threadblock=True)
thread.join()
assert got == [0, 1] and stackless.run(threadblock=True) is None
me, ends = stackless.current, threading.Event()


def wakes():
    time.sleep(0.01)
    me.insert()
    ends.wait(10)


thread = threading.Thread(target=wakes)
thread.start()
stackless.run(threadblock=True)
assert thread.is_alive()
ends.set()
thread.join()
