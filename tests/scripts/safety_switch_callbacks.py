"""What schedule, channel and trace callbacks do to those that are about to run."""
import io
import sys

import stackless
from greenlet import getcurrent, gettrace, greenlet, settrace

errors = sys.stderr


def ran(callback, *names):
    """The tasklets that run under a schedule callback, and what it complained of."""
    done = []
    sys.stderr = io.StringIO()
    stackless.set_schedule_callback(callback)
    try:
        for name in names:
            stackless.tasklet(done.append)(name)
        stackless.run()
        return done, sys.stderr.getvalue()
    finally:
        stackless.set_schedule_callback(None)
        sys.stderr = errors


def each(method, *args):
    def callback(before, after):
        for t in (before, after):
            if t is not None and not t.is_main:
                getattr(t, method)(*args)

    return callback


# The one that comes is scheduled already; it cannot be taken away, bound again, or run twice.
assert ran(each("insert"), 1, 2, 3)[0] == [1, 2, 3]
assert stackless.getruncount() == 1
for method, args in (("remove", ()), ("bind", (None,)), ("setup", ()), ("run", ()), ("switch", ()), ("kill", ())):
    done, text = ran(each(method, *args), 1, 2, 3)
    assert done == [1, 2, 3], (method, done)
    assert "RuntimeError" in text, (method, text)
    assert stackless.getruncount() == 1


# A switch in a callback stays an error, whatever it does to the trap.
def untrapped(before, after):
    for change in (-1, -5, 7, -(2**62)):
        stackless.switch_trap(change)
    stackless.schedule()


trap = stackless.switch_trap(0)
done, text = ran(untrapped, 1, 2)
stackless.switch_trap(trap - stackless.switch_trap(0))
assert done == [1, 2] and "switch_trap" in text
assert stackless.switch_trap(0) == trap

# What it leaves to be raised in the one that comes is raised there.
caught = []


def sees():
    try:
        stackless.schedule()
    except ValueError:
        caught.append(True)


def throws(before, after):
    if after is seeing:
        stackless.set_schedule_callback(None)
        after.throw(ValueError, pending=True)


seeing = stackless.tasklet(sees)()
stackless.schedule()
stackless.set_schedule_callback(throws)
stackless.run()
assert caught == [True] and not seeing.alive

# A channel's callback takes the partner away.
channel = stackless.channel()
channel.preference = 0
got = []
receiver = stackless.tasklet(lambda: got.append(channel.receive()))()
stackless.run()
assert channel.balance == -1


def takes_away(chan, task, sending, willblock):
    stackless.set_channel_callback(None)
    chan.send("first")


stackless.set_channel_callback(takes_away)
try:
    channel.send("second")
except RuntimeError as e:
    assert str(e) == "the main tasklet is sending without a receiver available.", e
else:
    raise AssertionError("nobody was there to receive")
assert channel.balance == 0 and channel.queue is None
stackless.run()
assert got == ["first"]


# Trace functions that switch, also when they have removed themselves.
helper = greenlet(lambda x: x + 1)
results = []


def removes_itself(event, route):
    settrace(None)
    results.append(helper.switch(7))


def runs():
    settrace(removes_itself)
    getcurrent().parent.switch("r")


# Kept, so that its end by a collection is no event for the functions below.
parked = greenlet(runs)
assert parked.switch() == "r" and results == [8] and gettrace() is None

events = []


def switches(event, route):
    events.append(event)
    if len(events) in (2, 3, 4):
        results.append(greenlet(lambda: len(events)).switch())


settrace(switches)
one = greenlet(lambda: "one")
assert one.switch() == "one"
settrace(None)
assert one.dead and len(events) > 4


def raises(event, route):
    events.append(event)
    if len(events) == 1:
        greenlet(lambda: None).switch()
    raise KeyError(event)


events.clear()
settrace(raises)
try:
    greenlet(lambda: "never").switch()
except KeyError as e:
    assert e.args == ("switch",) and len(events) == 2
else:
    raise AssertionError("the trace function's error was lost")
assert gettrace() is None
