"""Busy loops that switch to other microthreads, threads that run the same loop, and loops that are interrupted."""
import _thread
import signal
import threading
import greenlet
import stackless


# ---- greenlets

def doubler(parent, v):
    while v is not None:
        v = parent.switch(v * 2)
    return "end"


def ping(n):
    g = greenlet.greenlet(doubler)
    total = g.switch(greenlet.getcurrent(), 0)
    for i in range(1, n):
        total += g.switch(i)
    return total, g.switch(None), g.dead


assert ping(2000) == (2 * sum(range(2000)), "end", True)


def helper_switches(g, i):
    """The switch is in a call of the loop."""
    x = i + 1
    if i % 7 == 3:
        got = g.switch(x)
        return got + x
    return x


def deep(n):
    g = greenlet.greenlet(doubler)
    total = g.switch(greenlet.getcurrent(), 0)
    for i in range(n):
        total += helper_switches(g, i)
    g.switch(None)
    return total


assert deep(1500) == sum(i + 1 + (2 * (i + 1) if i % 7 == 3 else 0) for i in range(1500))


def same_loop(n, others):
    """Many microthreads are in the same loop, each at its own place."""
    total = 0
    for i in range(n):
        total += i
        if i % 5 == 4 and others is not None:
            others.switch()
    return total


def round_of(n, count):
    results = []
    here = greenlet.getcurrent()
    all_of_them = [greenlet.greenlet(lambda k=k: results.append(same_loop(n + k, here))) for k in range(count)]
    while any(not g.dead for g in all_of_them):
        for g in all_of_them:
            if not g.dead:
                g.switch()
    return sorted(results)


assert round_of(300, 12) == sorted(sum(range(300 + k)) for k in range(12))


def thrown_into(n):
    """An exception comes out of the switch."""
    here = greenlet.getcurrent()
    seen = []

    def body():
        for i in range(n):
            try:
                here.switch(i)
            except ValueError as e:
                seen.append((i, e.args[0]))

    g = greenlet.greenlet(body)
    g.switch()
    for k in range(n - 1):
        if k % 10 == 9:
            g.throw(ValueError(k))
        else:
            g.switch()
    g.switch()
    return seen, g.dead


seen, dead = thrown_into(500)
assert seen == [(k, k) for k in range(9, 499, 10)] and dead, seen[:3]


def killed():
    done = []

    def body(here):
        try:
            for i in range(10**9):
                if i % 100 == 99:
                    here.switch(i)
        finally:
            done.append(i)
    g = greenlet.greenlet(body)
    g.switch(greenlet.getcurrent())
    for _ in range(9):
        g.switch()
    g.throw()
    return done, g.dead


assert killed() == ([999], True)


# ---- tasklets

def worker(results, n):
    total = 0
    for i in range(n):
        total += i
        if i % 3 == 2:
            stackless.schedule()
    results.append(total)


results = []
for k in range(10):
    stackless.tasklet(worker)(results, 400 + k)
stackless.run()
assert sorted(results) == [sum(range(400 + k)) for k in range(10)]


def channels(n):
    a, b, got = stackless.channel(), stackless.channel(), []

    def source():
        for i in range(n):
            a.send(i)
        a.send(None)

    def filter_():
        while True:
            v = a.receive()
            b.send(v if v is None else v * v)
            if v is None:
                return

    def sink():
        total = 0
        while (v := b.receive()) is not None:
            total += v
        got.append(total)

    for t in (sink, filter_, source):
        stackless.tasklet(t)()
    stackless.run()
    return got


assert channels(1000) == [sum(i * i for i in range(1000))]


# ---- time slices

def spins(results, name, n):
    total = 0
    for i in range(n):
        total += i & 3
    results.append((name, total))


results, slices = [], 0
for name in range(4):
    stackless.tasklet(spins)(results, name, 20_000)
while stackless.runcount > 1:
    stopped = stackless.run(700)
    slices += 1
    if stopped is not None:
        stopped.insert()
assert sorted(results) == [(name, 30_000) for name in range(4)], results
assert slices > 40, slices


# ---- an interrupt in a busy loop

# Also where the tests run in the background, which ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted():
    i = 0
    timer = threading.Timer(0.1, lambda: _thread.interrupt_main())
    timer.start()
    try:
        while True:
            i += 1
    except KeyboardInterrupt:
        return i > 0
    finally:
        timer.join()


assert interrupted()


def handled():
    """A handler that raises; the loop's variables are what they were."""
    def handler(*args):
        raise TimeoutError(len(args))
    old = signal.signal(signal.SIGALRM, handler)
    i = j = 0
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        while True:
            i += 1
            j = i * 2
            j += 0
    except TimeoutError as e:
        return e.args, j in (2 * i, 2 * i - 2)
    finally:
        signal.signal(signal.SIGALRM, old)


assert handled() == ((2,), True), handled()


# ---- threads in the same loop

class Box:
    def __init__(self):
        self.n = 0


def in_thread(box, n, out):
    total = 0.0
    for i in range(n):
        box.n += 1
        total += i * 0.5
    out.append(total)


boxes, out = [Box() for _ in range(4)], []
threads = [threading.Thread(target=in_thread, args=(b, 5000 + k, out)) for k, b in enumerate(boxes)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert [b.n for b in boxes] == [5000 + k for k in range(4)]
assert sorted(out) == [sum(range(5000 + k)) * 0.5 for k in range(4)]
