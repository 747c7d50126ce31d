"""stackless: tasklets, the scheduler, channels."""
import stackless
from stackless import tasklet, channel, schedule, run


def raises(exc, f, *args, **kw):
    try:
        f(*args, **kw)
    except exc as e:
        return e
    raise AssertionError("%s was not raised" % exc.__name__)


order = []


def worker(name, turns):
    for i in range(turns):
        order.append((name, i))
        schedule()


tasklet(worker)("a", 2)
tasklet(worker)("b", 3)
assert stackless.getruncount() == 3
run()
assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("b", 2)], order
assert stackless.getruncount() == 1
assert schedule(5) == 5 and stackless.getcurrent().is_main

# A sender runs its receiver at once: the receiver is preferred.
ch = channel()
got = []


def receiver():
    while True:
        got.append(ch.receive())


t = tasklet(receiver)()
run()
assert ch.balance == -1 and t.blocked and ch.queue is t
for i in range(3):
    ch.send(i)
    assert got[-1] == i
t.kill()
assert ch.balance == 0 and not t.alive

# A sender is preferred.
ch = channel()
ch.preference = 1
log = []


def receive_two():
    for _ in range(2):
        log.append(ch.receive())


tasklet(receive_two)()
run()
ch.send("x")
assert log == []
run()
assert log == ["x"]
ch.send("y")
run()
assert log == ["x", "y"]

# Exceptions over a channel.
ch = channel()
caught = []


def catcher():
    try:
        ch.receive()
    except ValueError as e:
        caught.append(e.args)


tasklet(catcher)()
run()
ch.send_exception(ValueError, 1, 2)
assert caught == [(1, 2)]

# Iteration and closing.
ch = channel()
items = []


def consume():
    for v in ch:
        items.append(v)
    items.append("end")


tasklet(consume)()
run()
for i in range(3):
    ch.send(i)
ch.close()
assert ch.closing and not ch.closed
c = [t for t in [ch.queue] if t is not None][0]
c.raise_exception(StopIteration)
raises(ValueError, ch.send, 1)

# Deadlock.
assert "Deadlock" in str(raises(RuntimeError, channel().receive))
raises(RuntimeError, channel().send, 1)


def block_for_ever():
    channel().receive()


tasklet(block_for_ever)()
run()

# An error that nobody catches comes out in the main tasklet.
def fail():
    raise KeyError("lost")


tasklet(fail)()
assert str(raises(KeyError, run)) == "'lost'"

# kill, remove, insert, throw.
state = []


def lives():
    try:
        while True:
            state.append("turn")
            schedule()
    finally:
        state.append("done")


t = tasklet(lives)()
run_once = schedule
run_once()
assert state == ["turn"] and t.alive and t.scheduled
t.remove()
assert t.paused
run()
assert state == ["turn"]
t.insert()
schedule()
assert state == ["turn", "turn"]
t.kill()
assert state[-1] == "done" and not t.alive
raises(RuntimeError, t.run)

# Time slices.
spun = []


def spin(n):
    x = 0
    for i in range(n):
        x += i & 3
    spun.append(x)


for _ in range(5):
    tasklet(spin)(20000)
slices = 0
while stackless.getruncount() > 1:
    t = run(1000)
    slices += 1
    if t is not None:
        assert t.alive and not t.scheduled
        t.insert()
assert len(spun) == 5 and len(set(spun)) == 1 and slices > 10, (len(spun), slices)

# An atomic tasklet is not interrupted.
done = []


def atomic():
    stackless.getcurrent().set_atomic(True)
    spin(20000)
    done.append(1)


tasklet(atomic)()
assert run(100) is None and done == [1]

# Hard switches: the tasklet is parked under native code.
def outer(n):
    items = list(range(5))
    items.sort(key=lambda x: (schedule(), -x)[1])
    return items


results = []
for i in range(20):
    tasklet(lambda: results.append(outer(5)))()
run()
assert results == [[4, 3, 2, 1, 0]] * 20
soft, hard = stackless.switch_counts()
assert hard > 50 and soft > 50

# Skynet.
def node(parent, number, size):
    if size == 1:
        parent.send(number)
        return
    mine = channel()
    size //= 10
    for i in range(10):
        tasklet(node)(mine, number + i * size, size)
    parent.send(sum([mine.receive() for _ in range(10)]))


root = channel()
tasklet(node)(root, 0, 1000)
assert root.receive() == 499500
print("ok")
