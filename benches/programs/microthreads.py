"""Microthread benchmarks, one row a run: microthreads.py ROW [N]. Prints `RESULT row value unit`.

Runs on anything that has the module a row needs: greenlet, stackless, or neither. Times are processor time of the best of
three runs.
"""
import gc
import os
import sys
import time

clock = time.process_time


def best(run, n):
    run(max(n // 10, 1))
    times = []
    for _ in range(3):
        start = clock()
        run(n)
        times.append(clock() - start)
    return min(times) / n * 1e9


def greenlet_switch(n):
    import greenlet
    main = greenlet.getcurrent()

    def other():
        back = main.switch
        while True:
            back()

    def run(n):
        g = greenlet.greenlet(other)
        g.switch()
        there = g.switch
        for _ in range(n // 2):
            there()

    return best(run, n), "ns/switch"


def greenlet_deep(n, depth=100):
    import greenlet
    main = greenlet.getcurrent()

    def other(d):
        if d:
            return other(d - 1)
        back = main.switch
        while True:
            back()

    def run(n):
        g = greenlet.greenlet(other)
        g.switch(depth)
        there = g.switch
        for _ in range(n // 2):
            there()

    return best(run, n), "ns/switch"


def greenlet_spawn(n):
    import greenlet

    def body(i):
        return i

    def run(n):
        make = greenlet.greenlet
        for i in range(n):
            make(body).switch(i)

    return best(run, n), "ns/greenlet"


def schedule(n, tasklets=2):
    import stackless

    def body(turns):
        schedule = stackless.schedule
        for _ in range(turns):
            schedule()

    def run(n):
        for _ in range(tasklets):
            stackless.tasklet(body)(n // tasklets)
        stackless.run()

    return best(run, n), "ns/switch"


def schedule_many(n):
    return schedule(n, 10000)


def schedule_hard(n):
    import stackless

    def body(turns):
        schedule = stackless.schedule
        for _ in range(turns):
            schedule()
        return 0

    def outer(turns):
        max([turns], key=body)

    def run(n):
        stackless.tasklet(outer)(n // 2)
        stackless.tasklet(outer)(n // 2)
        stackless.run()

    return best(run, n), "ns/switch"


def channel(n):
    import stackless

    def ping(n, a, b):
        for i in range(n):
            a.send(i)
            b.receive()

    def pong(n, a, b):
        for _ in range(n):
            b.send(a.receive())

    def run(n):
        a, b = stackless.channel(), stackless.channel()
        stackless.tasklet(ping)(n // 2, a, b)
        stackless.tasklet(pong)(n // 2, a, b)
        stackless.run()

    return best(run, n), "ns/message"


def tasklet_spawn(n):
    import stackless

    def body(i):
        return i

    def run(n):
        make = stackless.tasklet
        for _ in range(max(n // 1000, 1)):
            for i in range(1000):
                make(body)(i)
            stackless.run()

    return best(run, n), "ns/tasklet"


def skynet(n):
    import stackless

    def node(parent, number, size):
        if size == 1:
            parent.send(number)
            return
        mine = stackless.channel()
        size //= 10
        for i in range(10):
            stackless.tasklet(node)(mine, number + i * size, size)
        parent.send(sum([mine.receive() for _ in range(10)]))

    def run(n):
        root = stackless.channel()
        stackless.tasklet(node)(root, 0, n)
        return root.receive()

    run(1000)
    start = clock()
    total = run(n)
    elapsed = clock() - start
    assert total == n * (n - 1) // 2, total
    return elapsed * 1e3, "ms"


def generator(n):
    def gen():
        while True:
            yield None

    def run(n):
        for i, _ in zip(range(n // 2), gen()):
            pass

    return best(run, n), "ns/switch"


def recursion(n):
    sys.setrecursionlimit(n + 10000)

    def f(n):
        if n == 0:
            return 0
        return f(n - 1) + 1

    start = clock()
    assert f(n) == n
    return (clock() - start) / n * 1e9, "ns/call"


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def tasklet_memory(n, depth=2):
    import stackless
    ch = stackless.channel()

    def body(d):
        if d > 1:
            return body(d - 1) + 1
        ch.receive()
        return 0

    keep = [None] * n
    gc.collect()
    before = resident()
    for i in range(n):
        keep[i] = stackless.tasklet(body)(depth)
        if i % 1000 == 999:
            stackless.run()
    stackless.run()
    gc.collect()
    return (resident() - before) / n, "bytes"


def preempt(n, tasklets=1000, slice=1000):
    import stackless
    done = []

    def body(m):
        x = 0
        for i in range(m):
            x += i & 3
        done.append(1)

    def plain():
        for _ in range(tasklets):
            body(n // tasklets)

    def sliced():
        for _ in range(tasklets):
            stackless.tasklet(body)(n // tasklets)
        while stackless.getruncount() > 1:
            t = stackless.run(slice)
            if t is not None:
                t.insert()

    plain()
    ratios = []
    for _ in range(3):
        t0 = clock()
        plain()
        t1 = clock()
        del done[:]
        sliced()
        t2 = clock()
        assert len(done) == tasklets, len(done)
        ratios.append((t2 - t1) / (t1 - t0))
    return sorted(ratios)[1], "x"


ROWS = {
    "greenlet_switch": (greenlet_switch, 2000000),
    "greenlet_deep": (greenlet_deep, 1000000),
    "greenlet_spawn": (greenlet_spawn, 500000),
    "schedule": (schedule, 4000000),
    "schedule_many": (schedule_many, 2000000),
    "schedule_hard": (schedule_hard, 1000000),
    "channel": (channel, 2000000),
    "tasklet_spawn": (tasklet_spawn, 1000000),
    "skynet": (skynet, 100000),
    "generator": (generator, 4000000),
    "recursion": (recursion, 100000),
    "tasklet_memory": (tasklet_memory, 100000),
    "preempt": (preempt, 20000000),
}

if __name__ == "__main__":
    row = sys.argv[1]
    f, n = ROWS[row]
    value, unit = f(int(sys.argv[2]) if len(sys.argv) > 2 else n)
    print("RESULT %s %.1f %s" % (row, value, unit))
    sys.stdout.flush()
    os._exit(0)
