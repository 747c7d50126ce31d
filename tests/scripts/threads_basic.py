# Threads: starting, joining, locks, thread-local data, exceptions.
import _thread
import gc
import sys
import threading
import time
import weakref


def raises(kind, f, *args, text=None, **kw):
    try:
        f(*args, **kw)
    except kind as e:
        assert text is None or str(e) == text, (str(e), text)
        return e
    raise AssertionError(f"{kind.__name__} expected")


# Threads run, and are joined.
out = []
threads = [threading.Thread(target=out.append, args=(i,)) for i in range(20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
    assert not t.is_alive()
assert sorted(out) == list(range(20))
assert threading.active_count() == 1 and threading.main_thread() is threading.current_thread()


# Each has an id of its own.
def who():
    ids.append((threading.get_ident(), threading.get_native_id(), threading.current_thread().name))
    barrier.wait()


ids = []
barrier = threading.Barrier(4)
threads = [threading.Thread(target=who, name=f"t{i}") for i in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert len({i for i, _, _ in ids}) == 4 and len({n for _, n, _ in ids}) == 4
assert {n for _, _, n in ids} == {"t0", "t1", "t2", "t3"}
assert threading.get_ident() not in {i for i, _, _ in ids}
assert _thread._get_main_thread_ident() == threading.get_ident()

# A lock keeps threads from each other.
lock = threading.Lock()
assert type(lock) is _thread.lock and repr(lock).startswith("<unlocked _thread.lock object at 0x")
counter = 0


def count(n):
    global counter
    for _ in range(n):
        with lock:
            seen = counter
            if n % 7 == 0:
                time.sleep(0)
            counter = seen + 1


threads = [threading.Thread(target=count, args=(200,)) for _ in range(5)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert counter == 1000

assert lock.acquire() and lock.locked()
assert repr(lock).startswith("<locked _thread.lock")
assert not lock.acquire(False)
assert not lock.acquire(timeout=0.01)
assert not lock.acquire(True, 0)
raises(ValueError, lock.acquire, False, 1, text="can't specify a timeout for a non-blocking call")
raises(ValueError, lock.acquire, True, -2, text="timeout value must be a non-negative number")
raises(OverflowError, lock.acquire, True, 1e20, text="timestamp out of range for C PyTime_t")
raises(ValueError, lock.acquire, True, float("nan"), text="Invalid value NaN (not a number)")
raises(TypeError, lock.acquire, True, "x",
       text="'str' object cannot be interpreted as an integer or float")
lock.release()
raises(RuntimeError, lock.release, text="release unlocked lock")
raises(TypeError, _thread.lock, 1, text="lock expected 0 arguments, got 1")

# A thread that waits for a lock goes on when another releases it.
lock.acquire()
t = threading.Thread(target=lambda: (lock.acquire(), out.append("got it")))
t.start()
time.sleep(0.01)
lock.release()
t.join()
assert out[-1] == "got it" and lock.locked()
lock.release()

# Reentrant locks belong to a thread.
r = threading.RLock()
assert repr(r).startswith("<unlocked _thread.RLock object owner=0 count=0 at 0x")
raises(RuntimeError, r.release, text="cannot release un-acquired lock")
with r, r:
    assert r._is_owned() and r._recursion_count() == 2 and r.locked()
    seen = []
    t = threading.Thread(target=lambda: seen.append((r.acquire(False), r._is_owned(), r._recursion_count())))
    t.start()
    t.join()
    assert seen == [(False, False, 0)], seen
assert not r._is_owned() and not r.locked()

# Conditions, events, semaphores.
cond = threading.Condition()
items = []


def consume():
    with cond:
        while not items:
            cond.wait()
        out.append(items.pop())


t = threading.Thread(target=consume)
t.start()
with cond:
    items.append("item")
    cond.notify()
t.join()
assert out[-1] == "item"
with cond:
    assert not cond.wait(0.01)
event = threading.Event()
t = threading.Thread(target=lambda: out.append(event.wait(10)))
t.start()
event.set()
t.join()
assert out[-1] is True
sem = threading.BoundedSemaphore(2)
assert sem.acquire() and sem.acquire() and not sem.acquire(blocking=False)
sem.release(2)
raises(ValueError, sem.release)

# Handles.
h = _thread._ThreadHandle()
assert repr(h) == "<_thread._ThreadHandle object: ident=0>" and h.ident == 0
raises(RuntimeError, h.join, text="thread not started")
gate = _thread.allocate_lock()
gate.acquire()
h = _thread.start_joinable_thread(gate.acquire, handle=h)
assert not h.is_done() and h.ident != 0
h.join(0.01)
assert not h.is_done()
gate.release()
h.join()
assert h.is_done()
raises(RuntimeError, _thread.start_joinable_thread, print, handle=h, text="thread already started")
raises(TypeError, _thread.start_joinable_thread, 1, text="thread function must be callable")
raises(TypeError, _thread.start_joinable_thread, print, handle=1, text="'handle' must be a _ThreadHandle")
raises(TypeError, _thread.start_new_thread, print, 1, text="2nd arg must be a tuple")
raises(TypeError, _thread.start_new_thread, print, (), 1, text="optional 3rd arg must be a dictionary")
raises(RuntimeError, threading.current_thread()._os_thread_handle.join, text="Cannot join current thread")
done = _thread.allocate_lock()
done.acquire()
ident = _thread.start_new_thread(lambda a, *, b: (out.append((a, b)), done.release()), (1,), {"b": 2})
assert isinstance(ident, int) and done.acquire(timeout=10)
assert out[-1] == (1, 2)

# Data of each thread.
local = threading.local()
local.x = "main"


class Own(threading.local):
    made = []
    kind = "own"

    def __init__(self, n):
        self.n = n
        self.made.append(n)

    def twice(self):
        return self.n * 2


own = Own(3)
assert own.made == [3] and own.n == 3


def use():
    assert not hasattr(local, "x")
    local.x = threading.current_thread().name
    assert own.n == 3 and own.twice() == 6 and own.kind == "own"
    own.n = local.x
    del local.x
    assert local.__dict__ == {} and own.__dict__ == {"n": threading.current_thread().name}


threads = [threading.Thread(target=use) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert local.x == "main" and own.n == 3 and own.made == [3] * 4
raises(AttributeError, lambda: local.nothing, text="'_thread._local' object has no attribute 'nothing'")
raises(TypeError, threading.local, 1, text="Initialization arguments are not supported")


class Thing:
    pass


# What a thread kept in it goes with the thread.
def keep():
    local.thing = Thing()
    gone.append(weakref.ref(local.thing))


gone = []
t = threading.Thread(target=keep)
t.start()
t.join()
del t
for _ in range(3):
    gc.collect()
assert gone[0]() is None

# Exceptions of a thread.
caught = []
threading.excepthook = lambda args: caught.append((args.exc_type, str(args.exc_value), args.thread.name))
t = threading.Thread(target=lambda: 1 / 0, name="bad")
t.start()
t.join()
assert caught == [(ZeroDivisionError, "division by zero", "bad")], caught
t = threading.Thread(target=sys.exit)
t.start()
t.join()
assert len(caught) == 2 and caught[1][0] is SystemExit
threading.excepthook = threading.__excepthook__
unraisable = []
sys.unraisablehook = lambda u: (unraisable.append((u.exc_type, u.err_msg)), done.release())


def broken():
    raise KeyError("x")


_thread.start_new_thread(broken, ())
assert done.acquire(timeout=10)
assert unraisable[0][0] is KeyError, unraisable
assert unraisable[0][1].startswith("Exception ignored in thread started by <function broken at 0x")
sys.unraisablehook = sys.__unraisablehook__

# A timer, and the switch interval.
fired = threading.Event()
timer = threading.Timer(0.001, fired.set)
timer.start()
assert fired.wait(10)
timer.join()
before = sys.getswitchinterval()
sys.setswitchinterval(0.001)
assert sys.getswitchinterval() == 0.001
sys.setswitchinterval(before)
raises(ValueError, sys.setswitchinterval, 0, text="switch interval must be strictly positive")

# Nobody starves: a thread that waits gets its turn while others compute.
stop = False


def compute():
    n = 0
    while not stop:
        n += 1


def recurse(n):
    return n if n < 2 else recurse(n - 1) + recurse(n - 2)


threads = [threading.Thread(target=compute) for _ in range(3)]
for t in threads:
    t.start()
assert recurse(12) == 144
for _ in range(3):
    time.sleep(0.001)
stop = True
for t in threads:
    t.join()
assert threading.active_count() == 1

# However short the interval is, who comes back from a blocking call gets its turn among those that compute.
ended = False


def compute():
    while not ended:
        len("abc")


interval = sys.getswitchinterval()
sys.setswitchinterval(1e-9)
try:
    computing = [threading.Thread(target=compute) for _ in range(4)]
    for t in computing:
        t.start()
    for _ in range(5):
        time.sleep(0.01)
    ended = True
    for t in computing:
        t.join()
finally:
    sys.setswitchinterval(interval)
