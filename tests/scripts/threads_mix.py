# Threads, greenlets, tasklets and collections together: each thread has microthreads of its own.
#
# Random but repeatable: the seed is printed when something fails. THREADS_MIX_SEED and THREADS_MIX_ROUNDS
# choose other runs.
import gc
import os
import queue
import random
import threading
import time

import greenlet
import stackless

SEED = int(os.environ.get("THREADS_MIX_SEED", "20"))
ROUNDS = int(os.environ.get("THREADS_MIX_ROUNDS", "2"))
THREADS = 4

# A greenlet belongs to its thread.
foreign = greenlet.greenlet(lambda: None)
started = greenlet.greenlet(lambda: main.switch("up"))
main = greenlet.getcurrent()
assert started.switch() == "up"
problems = []


def try_switch():
    for g in (foreign, started, main):
        for action in (g.switch, g.throw):
            try:
                action()
            except greenlet.error as e:
                assert str(e).startswith("Cannot switch to a different thread"), e
            else:
                problems.append(g)
    assert greenlet.getcurrent() is not main and greenlet.getcurrent().parent is None
    assert stackless.getcurrent() is not tasklet and stackless.getmain() is stackless.getcurrent()
    try:
        waiting.switch()
    except RuntimeError as e:
        assert "different thread" in str(e), e
    else:
        problems.append(waiting)
    mine.append(greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch(1)))
    assert mine[0].switch() == 1


tasklet = stackless.getcurrent()
waiting = stackless.tasklet(lambda: None)()
waiting.remove()
mine = []
t = threading.Thread(target=try_switch)
t.start()
t.join()
assert not problems, problems
try:
    mine[0].switch()
except greenlet.error as e:
    assert str(e) == "cannot switch to a different thread (which happens to have exited)", e
else:
    raise AssertionError("switched to a greenlet of another thread")
started.switch()
waiting.run()
del mine, started, foreign, waiting
gc.collect()

# Channels between threads.
channel = stackless.channel()


def produce():
    for i in range(50):
        channel.send(i)


t = threading.Thread(target=produce)
t.start()
assert [channel.receive() for _ in range(50)] == list(range(50))
t.join()
t = threading.Thread(target=lambda: got.append([channel.receive() for _ in range(50)]))
got = []
t.start()
for i in range(50):
    channel.send(i)
t.join()
assert got == [list(range(50))]


class Node:
    def __init__(self, value, link):
        self.value, self.link = value, link

    def __lt__(self, other):
        return self.value < other.value


def chain(rng, n):
    node, total = None, 0
    for _ in range(n):
        value = rng.randrange(1000)
        total += value
        node = Node(value, node)
    return node, total


def check(node, total):
    while node is not None:
        total -= node.value
        node = node.link
    assert total == 0, total


def greenlets(rng):
    """Greenlets that hold data while others run, also under native code."""
    parent = greenlet.getcurrent()

    def body(n):
        node, total = chain(rng, n)
        got = parent.switch(total)
        if got % 2:
            keys = sorted([Node(3, None), Node(1, None)], key=lambda k: (parent.switch(k.value), k.value)[1])
            assert [k.value for k in keys] == [1, 3]
        check(node, total)
        return n

    made = [greenlet.greenlet(body) for _ in range(4)]
    for g in made:
        g.switch(rng.randrange(1, 40))
    time.sleep(0)
    odd = rng.randrange(2)
    for g in made:
        g.switch(odd)
    while any(not g.dead for g in made):
        for g in made:
            if not g.dead:
                g.switch()


def tasklets(rng):
    """Tasklets that talk by channels."""
    channel, done = stackless.channel(), []

    def send(n):
        node, total = chain(rng, n)
        for i in range(n):
            channel.send(i)
        check(node, total)

    def receive(n):
        done.append(sum(channel.receive() for _ in range(n)))

    n = rng.randrange(1, 20)
    for _ in range(3):
        stackless.tasklet(send)(n)
        stackless.tasklet(receive)(n)
    stackless.run()
    assert sum(done) == 3 * n * (n - 1) // 2, done


def coroutines(rng):
    async def leaf(n):
        node, total = chain(rng, n)
        await Pause()
        check(node, total)
        return n

    async def root():
        return sum([await leaf(i) for i in range(5)])

    class Pause:
        def __await__(self):
            yield

    c = root()
    try:
        while True:
            c.send(None)
            if rng.random() < 0.3:
                time.sleep(0)
    except StopIteration as e:
        assert e.value == 10


def locks(rng):
    global shared
    for _ in range(10):
        with lock:
            seen = shared
            if rng.random() < 0.1:
                time.sleep(0)
            shared = seen + 1


def queues(rng):
    n = rng.randrange(1, 10)
    for i in range(n):
        work.put((chain(rng, 5), reply := queue.SimpleQueue()))
        assert reply.get(timeout=60) == "checked"


def collect(rng):
    gc.collect(rng.choice((0, 2)))


def serve():
    while (item := work.get()) is not None:
        (node, total), reply = item
        check(node, total)
        reply.put("checked")


def run(seed):
    rng = random.Random(seed)
    try:
        for _ in range(8):
            rng.choice((greenlets, tasklets, coroutines, locks, queues, collect))(rng)
            local.count = getattr(local, "count", 0) + 1
        assert local.count == 8
    except BaseException as e:
        failures.append((seed, e))
        raise


lock, shared, work, failures, local = threading.Lock(), 0, queue.Queue(), [], threading.local()
for r in range(ROUNDS):
    server = threading.Thread(target=serve)
    server.start()
    threads = [threading.Thread(target=run, args=(SEED * 1000003 + r * 101 + i,)) for i in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    work.put(None)
    server.join()
    assert not failures, f"seed {SEED}, round {r}: {failures}"
assert threading.active_count() == 1
