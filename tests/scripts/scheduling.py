"""stackless: the order in which tasklets run, run() and its time slices, errors, callbacks, deadlocks."""
import io
import sys

import stackless
from stackless import TaskletExit, channel, run, schedule, schedule_remove, tasklet

main = stackless.main
log = []


def taken():
    got = log[:]
    log.clear()
    return got


def raises(kind, text, f, *args, **kw):
    try:
        f(*args, **kw)
    except BaseException as e:
        assert type(e) is kind, (kind, type(e), e)
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError("%s was not raised" % kind.__name__)


def turns(name, n):
    for i in range(n):
        log.append(name)
        schedule()


# In the ring: a tasklet that is run out of its turn takes the mark there.
def ring():
    return [tasklet(turns)(name, 2) for name in "abc"]


ring()[0].run()
assert taken() == ["a", "b", "c"]
run()
assert taken() == ["a", "b", "c"]
ring()[1].run()
assert taken() == ["b", "c"]
run()
assert taken() == ["a", "b", "c", "a"]
t = ring()[2]
t.run()
assert taken() == ["c"]
t.remove()
t.run()
assert taken() == ["c"] and t.alive
run()
assert taken() == ["a", "b", "a", "b"]
t = tasklet(turns).bind(None, ("p", 1))
ring()
t.run()
assert taken() == ["p"]
run()
assert sorted(taken()) == sorted("aabbcc")
ts = ring()
ts[1].kill()
assert taken() == ["c"] and stackless.runcount == 3
run()
assert taken() == ["a", "c", "a"]

# schedule's and schedule_remove's results.
assert schedule(5) == 5 == schedule(retval=5) and schedule() is main and schedule_remove(6) == 6
got = []
t = tasklet(lambda: got.append((schedule(1), schedule())))()
run()
assert got == [(1, t)]
t = tasklet(lambda: got.append(schedule_remove()))()
run()
assert t.paused
t.insert()
run()
assert got[-1] is t
raises(TypeError, None, schedule, 1, 2)
raises(TypeError, None, run, 0, 0, 0, 0, 0, 0)
raises(TypeError, None, run, wrong=1)


# switch: without the queue.
def back_and_forth():
    for i in range(3):
        log.append(i)
        main.switch()


t = tasklet(back_and_forth).bind(None, ())
for _ in range(3):
    t.switch()
    log.append("main")
assert taken() == [0, "main", 1, "main", 2, "main"] and t.paused
t.kill()

# run() nests: the innermost goes on when nothing can run, and gets the errors.
def inner():
    log.append("inner")
    run()
    log.append("inner done")


tasklet(inner)()
tasklet(turns)("w", 2)
run()
assert taken() == ["inner", "w", "w", "inner done"]


def fails():
    raise KeyError("lost")


def catches():
    tasklet(fails)()
    e = raises(KeyError, "'lost'", run)
    log.append(e.__traceback__ is not None)


tasklet(catches)()
run()
assert taken() == [True]
tasklet(fails)()
tasklet(turns)("later", 1)
raises(KeyError, "'lost'", run)
assert stackless.runcount == 2
run()
assert taken() == ["later"]
# TaskletExit is no error.
def exits():
    raise TaskletExit("on purpose")


tasklet(exits)()
run()
# An error wakes a blocked main tasklet.
c = channel()
tasklet(fails)()
raises(KeyError, "'lost'", c.receive)
assert c.balance == 0

# The error handler.
def handler(kind, value, tb):
    log.append((kind, value.args, tb.tb_frame.f_code.co_name if tb else None))


assert stackless.set_error_handler(handler) is None
tasklet(fails)()
run()
assert taken() == [(KeyError, ("lost",), "fails")]


def bad_handler(kind, value, tb):
    raise OSError("handler")


assert stackless.set_error_handler(bad_handler) is handler
tasklet(fails)()
e = raises(OSError, "handler", run)
assert stackless.set_error_handler(None) is bad_handler and stackless.set_error_handler() is None

# Deadlocks.
text = "Deadlock: the last runnable tasklet cannot be blocked."
raises(RuntimeError, text, c.receive)
raises(RuntimeError, text, c.send, 1)
assert c.balance == 0 and main.alive and stackless.runcount == 1


def last():
    raises(RuntimeError, text, channel().receive)
    log.append("last")
    c.send("woken")


tasklet(last)()
assert c.receive() == "woken" and taken() == ["last"]
tasklet(lambda: None)()
raises(RuntimeError, "the main tasklet is receiving without a sender available.", c.receive)
tasklet(lambda: None)()
raises(RuntimeError, "the main tasklet is sending without a receiver available.", c.send, 1)
# While main is in run(), one that blocks wakes it.
t = tasklet(c.receive)()
run()
assert t.blocked
c.send(1)
assert not t.alive


# Time slices.
def spin(turns=None):
    while turns is None or turns:
        if turns:
            turns -= 1


t = tasklet(spin)()
u = tasklet(turns)("u", 1)
assert run(10_000) is t and t.paused and t.frame.f_code is spin.__code__ and taken() == []
assert run(10_000) is None and taken() == ["u"]
t.insert()
assert run(10_000) is t
t.kill()
assert run(100) is None
assert run(-5) is None
# Each turn has a slice of its own, unless it is one for all.
a, b = (tasklet(lambda: [spin(3_000) or schedule() for _ in range(8)])() for _ in "ab")
assert run(100_000) is None and not a.alive and not b.alive
a, b = (tasklet(lambda: [spin(3_000) or schedule() for _ in range(8)])() for _ in "ab")
assert run(100_000, totaltimeout=True) in (a, b)
a.kill()
b.kill()


# Softly: at the next switch; the tasklet stays where it is.
def long_turns():
    for _ in range(5):
        spin(20_000)
        log.append("turn")
        schedule()


t = tasklet(long_turns)()
assert run(10_000, soft=True) is None and taken() == ["turn"] and t.scheduled
run()
assert taken() == ["turn"] * 4


# Not where the tasklet is atomic, or under native calls unless nesting is ignored.
def atomic():
    with stackless.atomic():
        spin(50_000)
        log.append("atomic done")
    spin()


t = tasklet(atomic)()
assert run(10_000) is t and taken() == ["atomic done"]
t.kill()


def nested():
    def key(n):
        spin(50_000)
        log.append("key done")
        return n

    sorted([1], key=key)
    spin()


t = tasklet(nested)()
assert run(10_000) is t and taken() == ["key done"]
t.kill()
t = tasklet(nested)()
assert run(10_000, ignore_nesting=True) is t and taken() == [] and t.nesting_level == 1
t.insert()
assert run(10_000_000) is t and taken() == ["key done"]
t.kill()
t = tasklet(nested)
t.set_ignore_nesting(1)
t()
assert run(10_000) is t and taken() == []
t.kill()

# Only the outermost slice counts.
def inner_slice():
    log.append(run(1_000))


t = tasklet(inner_slice)()
u = tasklet(spin)()
assert run(50_000) is u and taken() == []
u.kill()
run()
assert taken() == [None]
# A watcher that somebody wakes.
def wakes():
    main.insert()
    schedule()
    log.append("after main")


tasklet(wakes)()
run()
assert taken() == [] and stackless.runcount == 2
run()
assert taken() == ["after main"]

# A slice in a greenlet of a tasklet, and greenlets that end in tasklets.
from greenlet import getcurrent, greenlet


def with_greenlet():
    log.append(greenlet(lambda: schedule() and "from the greenlet").switch())
    g = greenlet(spin)
    g.switch()


t = tasklet(with_greenlet)()
u = tasklet(turns)("u", 1)
assert run(50_000) is t and sorted(map(str, taken())) == ["from the greenlet", "u"]
t.kill()
run()
assert getcurrent().parent is None and stackless.runcount == 1

# Callbacks.
names = {main: "main"}


def on_switch(prev, next):
    log.append((names.get(prev), names.get(next)))


assert stackless.set_schedule_callback(on_switch) is None and stackless.get_schedule_callback() is on_switch
a = tasklet(turns)("a", 1)
names[a] = "a"
run()
assert taken() == [("main", "a"), "a", ("a", "main")]
raises(TypeError, "schedule callback must be callable", stackless.set_schedule_callback, 1)
assert stackless.set_schedule_callback(None) is on_switch and stackless.get_schedule_callback() is None
log.clear()
c = channel()


def on_channel(channel, who, sending, will_block):
    assert channel is c
    log.append((names.get(who), sending, will_block, who.tempval))


a = tasklet(lambda: c.receive())()
names[a] = "a"
assert stackless.set_channel_callback(on_channel) is None and stackless.get_channel_callback() is on_channel
run()
c.send("v")
assert taken() == [("a", 0, 1, None), ("main", 1, 0, "v")]
raises(TypeError, "channel callback must be callable", stackless.set_channel_callback, 1)
assert stackless.set_channel_callback(None) is on_channel


# A callback's error has nowhere to go; it cannot switch.
def bad_callback(*args):
    c.receive()
    log.append("never")


old, sys.stderr = sys.stderr, io.StringIO()
stackless.set_schedule_callback(bad_callback)
tasklet(turns)("a", 1)
tasklet(turns)("b", 1)
run()
stackless.set_schedule_callback(None)
text, sys.stderr = sys.stderr.getvalue(), old
assert taken() == ["a", "b"] and "RuntimeError: switch_trap" in text and "Error in scheduling callback" in text

# Many, in all ways at once.
c = channel()
total = []


def worker(n):
    for i in range(5):
        if n % 3 == 0:
            c.send(n)
        elif n % 3 == 1:
            total.append(c.receive())
        else:
            schedule()


ts = [tasklet(worker)(n) for n in range(300)]
while run(500) is not None or stackless.runcount > 1:
    for t in ts:
        if t.paused:
            t.insert()
assert len(total) == 500 and sum(total) == sum(n * 5 for n in range(300) if n % 3 == 0)
assert stackless.runcount == 1 and stackless.get_thread_info(-1, 1 << 31)[3] == [None]
