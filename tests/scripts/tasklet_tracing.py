# Skein alone
"""Trace and profile functions belong to the tasklet that sets them, and go with it."""
import gc
import sys
import threading

import greenlet
import stackless


def raises(kind, f, *args):
    try:
        f(*args)
    except kind as e:
        return str(e)
    raise AssertionError(f"{kind.__name__} was not raised")


def called():
    pass


def tracer_of(rows):
    def trace(frame, event, arg):
        rows.append((stackless.current, event, frame.f_code.co_name))

    return trace


def functions():
    t = stackless.current
    assert t.trace_function is sys.gettrace() and t.profile_function is sys.getprofile()
    return sys.gettrace(), sys.getprofile()


# Each has its own; a new one has none.
rows_a, rows_b, seen = [], [], []


def worker(name, rows, rounds):
    assert functions() == (None, None)
    f = tracer_of(rows)
    sys.settrace(f)
    for _ in range(rounds):
        called()
        stackless.schedule()
        assert functions() == (f, None)
    seen.append(name)


a = stackless.tasklet(worker)("a", rows_a, 3)
b = stackless.tasklet(worker)("b", rows_b, 5)
plain = stackless.tasklet(lambda: [seen.append(functions()), stackless.schedule(), seen.append(functions())])()
stackless.run()
assert functions() == (None, None)
assert {r[0] for r in rows_a} == {a} and {r[0] for r in rows_b} == {b}
assert [r[2] for r in rows_a].count("called") == 3 and [r[2] for r in rows_b].count("called") == 5
assert seen == [(None, None), (None, None), "a", "b"], seen
assert a.trace_function is None and not a.alive

# The caller's stays with the caller.
rows = []
sys.settrace(main_function := tracer_of(rows))
stackless.tasklet(lambda: [called(), seen.append(functions())])()
stackless.run()
called()
sys.settrace(None)
assert seen[-1] == (None, None) and [r[2] for r in rows].count("called") == 1

# From outside: before it begins, while it waits, and taken away again.
t = stackless.tasklet(called)
assert raises(RuntimeError, setattr, t, "trace_function", print) == "tasklet is not alive"
assert raises(RuntimeError, setattr, t, "profile_function", print) == "tasklet is not alive"
rows, c = [], stackless.channel()


def waits():
    seen.append(functions())
    c.receive()
    seen.append(functions())
    called()
    c.receive()
    seen.append(functions())
    called()


t = stackless.tasklet(waits)()
f, p = tracer_of(rows), tracer_of([])
t.trace_function = f
assert t.trace_function is f and t.profile_function is None and functions() == (None, None)
t.run()
assert seen[-1] == (f, None)
t.profile_function = p
c.send(None)
assert seen[-1] == (f, p) and (t.trace_function, t.profile_function) == (f, p)
t.trace_function = t.profile_function = None
before = len(rows)
c.send(None)
assert seen[-1] == (None, None) and len(rows) == before and functions() == (None, None)

# The current one's, by the attribute.
stackless.current.trace_function = f
assert sys.gettrace() is f
del stackless.current.trace_function
assert functions() == (None, None)

# A tracer that switches: nothing is told of it while it is away, and others are told of as ever.
order = []


def switching(frame, event, arg):
    order.append((stackless.current, "in"))
    stackless.schedule()
    called()
    order.append((stackless.current, "out"))


def traced_work():
    called()


t1, t2 = stackless.tasklet(traced_work)(), stackless.tasklet(traced_work)()
t1.trace_function = t2.trace_function = switching
stackless.run()
assert order[:4] == [(t1, "in"), (t2, "in"), (t1, "out"), (t1, "in")], order[:4]
assert len(order) == 8 and functions() == (None, None)

# Greenlets of a tasklet share its functions.
def with_greenlet():
    rows = []
    f = tracer_of(rows)
    sys.settrace(f)
    g = greenlet.greenlet(lambda: (called(), greenlet.getcurrent().parent.switch(sys.gettrace()), called()))
    assert g.switch() is f
    stackless.schedule()
    g.switch()
    assert [r[2] for r in rows].count("called") == 2
    seen.append("greenlet")


stackless.tasklet(with_greenlet)()
stackless.tasklet(lambda: seen.append(functions()))()
stackless.run()
assert seen[-2:] == [(None, None), "greenlet"] and functions() == (None, None)

# One that is dropped, killed, bound anew, or ends with an error leaves nothing behind.
for end in ("drop", "kill", "error", "bind"):
    def ends():
        (sys.settrace if end == "bind" else sys.setprofile)(lambda *_: None)
        stackless.schedule_remove()
        if end == "error":
            raise ValueError(end)

    t = stackless.tasklet(ends)()
    t.run()
    assert (t.profile_function or t.trace_function) is not None and functions() == (None, None)
    if end == "drop":
        del t
        gc.collect()
    elif end == "kill":
        t.kill()
    elif end == "bind":
        t.bind(called)
        assert t.trace_function is None
    else:
        assert raises(ValueError, t.run) == "error"
    stackless.run()
    assert functions() == (None, None)

# Another thread's tasklet.
def other_thread():
    stackless.tasklet(worker)("thread", rows, 2)
    stackless.run()
    assert functions() == (None, None)


rows = []
thread = threading.Thread(target=other_thread)
thread.start()
thread.join()
assert [r[2] for r in rows].count("called") == 2 and seen[-1] == "thread"

# Many of them, in a time slice each.
total = []


def loops(n):
    counted = []
    sys.settrace(lambda frame, event, arg: counted.append(event))
    for _ in range(20):
        called()
    sys.settrace(None)
    total.append(counted.count("call"))


for n in range(10):
    stackless.tasklet(loops)(n)
while (t := stackless.run(50)) is not None:
    t.insert()
assert total == [20] * 10, total
print("ok")
