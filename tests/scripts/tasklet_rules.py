"""stackless: binding, attributes, throwing, what is refused and in which words; channels' corners; contexts."""
import contextvars
import gc

import stackless
from stackless import TaskletExit, channel, schedule, schedule_remove, tasklet

main = stackless.main


def raises(kind, text, f, *args, **kw):
    try:
        f(*args, **kw)
    except BaseException as e:
        assert type(e) is kind, (kind, type(e), e)
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError("%s was not raised" % kind.__name__)


# The module.
assert stackless.current is stackless.getcurrent() is stackless.getmain() is main
assert stackless.runcount == stackless.getruncount() == 1
assert stackless.debug is False and stackless.uncollectables == [] and stackless.pickle_with_tracing_state is False
assert stackless.threads == stackless.getthreads() == [main.thread_id]
assert stackless.getcurrentid() == id(main)
assert stackless.get_thread_info() == stackless.get_thread_info(-1) == (main, main, 1)
raises(RuntimeError, "Thread id not found", stackless.get_thread_info, 1)
raises(AttributeError, "module 'stackless' has no attribute 'nothing'", lambda: stackless.nothing)
assert {"current", "runcount", "tasklet", "run"} <= set(dir(stackless))
assert TaskletExit is stackless.TaskletExit and TaskletExit.__bases__ == (SystemExit,)
flags = ["PRESERVE_TRACING_STATE", "PRESERVE_AG_FINALIZER", "RESET_AG_FINALIZER", "PICKLE_CONTEXT"]
assert [getattr(stackless, "PICKLEFLAGS_" + n) for n in flags] == [1, 2, 4, 8]
assert stackless.pickle_flags() == 0 and stackless.pickle_flags_default(-1, -1) == 0
assert stackless.pickle_flags(1, 1) == 0 and stackless.pickle_with_tracing_state and stackless.pickle_flags(0) == 1
raises(ValueError, None, stackless.pickle_flags, -2)
raises(ValueError, None, stackless.pickle_flags, 16)
for t in tasklet(), channel():
    assert t.__reduce__()[:2] == (type(t), ()) == t.__reduce_ex__(2)[:2]
    raises(ValueError, None, t.__setstate__, ())
raises(RuntimeError, "You cannot __reduce__ the tasklet which is current.", main.__reduce__)
raises(RuntimeError, "tasklet is not alive", setattr, tasklet(), "trace_function", print)
assert main.trace_function is None and main.profile_function is None
raises(TypeError, None, stackless.cframe)
raises(TypeError, None, stackless.cstack)

# Unbound, bound, set up, running, paused, blocked, dead.
def state(t):
    return t.alive, t.scheduled, t.paused, t.blocked, t.is_current


t = tasklet()
assert state(t) == (False, False, False, False, False)
assert t.frame is None and t.nesting_level == 0 and t.recursion_depth == 0 and t.restorable
raises(RuntimeError, "the tasklet was not bound to a function", t.setup)
raises(RuntimeError, "the tasklet was not bound to a function", t.bind, None, ())
raises(RuntimeError, "You cannot run an unbound(dead) tasklet", t.insert)
raises(RuntimeError, "You cannot run an unbound(dead) tasklet", t.run)
raises(RuntimeError, "You cannot run an unbound(dead) tasklet", t.switch)
raises(RuntimeError, "You cannot throw to a dead tasklet", t.throw, ValueError)
assert t.kill() is None and t.remove() is t and t.bind(None) is t
raises(TypeError, "tasklet function must be a callable or None", t.bind, 3)
raises(TypeError, "tasklet args must be a tuple or None", t.bind, print, [1])
raises(TypeError, "tasklet kwargs must be a dictionary or None", t.bind, print, (), 1)
raises(RuntimeError, "can't (re)bind the current tasklet", main.bind, print)
seen = []


def note(*args, **kw):
    seen.append((args, kw, state(stackless.current)))
    schedule_remove()
    seen.append("more")


t.bind(note)
assert t.tempval is note and state(t) == (False, False, False, False, False)
assert t(1, k=2) is t and state(t) == (True, True, False, False, False)
assert t.tempval is None
raises(RuntimeError, "tasklet is alive", t.setup)
raises(RuntimeError, "tasklet is scheduled", t.bind, print)
stackless.run()
assert seen == [((1,), {"k": 2}, (True, True, False, False, True))]
assert state(t) == (True, False, True, False, False) and t.recursion_depth == 1
assert t.frame.f_code is note.__code__ and t.frame.f_back is None
t.insert()
stackless.run()
assert seen[1:] == ["more"] and state(t) == (False, False, False, False, False) and t.frame is None
t.bind(note, (5,))
assert state(t) == (True, False, True, False, False)
t.bind(note, None, {"z": 1}).insert()
stackless.run()
assert seen[2][:2] == ((), {"z": 1})
finals = []


def protected():
    try:
        schedule_remove()
    finally:
        finals.append("finally")


# bind drops the frames of a paused tasklet; nothing of it runs.
g = (x for x in [protected])
t.bind(protected, ()).run()
t.bind(None)
assert not t.alive and finals == []
gc.collect()
t.bind(lambda: sorted([1], key=lambda _: schedule_remove()), ()).run()
raises(RuntimeError, "tasklet has C state on its stack", t.bind, None)
assert t.nesting_level == 1 and not t.restorable
t.run()
assert not t.alive
# tempval of one that is not alive is what it is bound to.
t.tempval = seen.append
t.setup("by tempval")
stackless.run()
assert seen[-1] == "by tempval"


class Own(tasklet):
    def __new__(cls, name, *args):
        return tasklet.__new__(cls)

    def __init__(self, name, *args):
        self.name = name
        tasklet.__init__(self, *args)


t = Own("n", seen.append)
assert t("sub") is t and t.name == "n" and repr(t).startswith("<Own object at 0x")
stackless.run()
assert seen[-1] == "sub"

# The ring.
a, b, c = (tasklet(lambda: None)() for _ in range(3))
assert [main.next, a.next, b.next, c.next] == [a, b, c, main]
assert [main.prev, a.prev, b.prev, c.prev] == [c, main, a, b]
assert b.remove() is b and b.next is None is b.prev and a.next is c and stackless.runcount == 3
raises(RuntimeError, "The current tasklet cannot be removed.", main.remove)
stackless.run()
b.run()
assert main.next is main.prev is main

# throw and its like.
def catches():
    try:
        schedule_remove()
    except BaseException as e:
        seen.append(e)


def thrown(*args, **kw):
    t = tasklet(catches)()
    stackless.run()
    t.throw(*args, **kw)
    if kw.get("pending"):
        assert t.scheduled
        stackless.run()
    assert not t.alive
    return repr(seen.pop())


class Bad(Exception):
    def __init__(self):
        raise KeyError("in init")


for kw in {}, {"pending": True}:
    assert thrown(ValueError, **kw) == "ValueError()"
    assert thrown(ValueError, 1, **kw) == "ValueError(1)"
    assert thrown(ValueError, (1, 2), **kw) == "ValueError(1, 2)"
    assert thrown(ValueError, ValueError(3), **kw) == "ValueError(3)"
    assert thrown(ValueError(4), **kw) == "ValueError(4)"
    assert thrown(exc=ValueError, val=5, **kw) == "ValueError(5)"
    assert thrown(Bad, **kw) == "KeyError('in init')"
raises(TypeError, "instance exception may not have a separate value", tasklet().throw, ValueError(1), 2)
raises(TypeError, "exceptions must be classes, or instances, not int", tasklet().throw, 1)
raises(TypeError, "third argument must be a traceback object", tasklet().throw, ValueError, None, 1)
raises(TypeError, "throw() missing required argument 'exc' (pos 1)", tasklet().throw)
raises(ValueError, "mine", main.throw, ValueError("mine"))
raises(TaskletExit, "", main.kill)
raises(TypeError, "raise_exception() takes at least 1 argument", tasklet().raise_exception)
text = "tasklet.raise_exception needs Exception or string subclass as first parameter"
raises(TypeError, text, tasklet().raise_exception, int)
t = tasklet(catches)()
stackless.run()
t.raise_exception(ValueError, 1, 2)
assert repr(seen.pop()) == "ValueError(1, 2)"
t = tasklet(catches)()
raises(ZeroDivisionError, "never ran", t.throw, ZeroDivisionError("never ran"))
assert not t.alive and seen[-1] == "sub"
t = tasklet(catches)()
t.kill(pending=True)
assert t.scheduled
stackless.run()
assert not t.alive

# bomb.
b = stackless.bomb(ValueError, 1)
assert (b.type, b.value, b.traceback) == (ValueError, 1, None)
assert stackless.bomb((KeyError, 2, None)).value == 2 and stackless.bomb().type is None
t = tasklet(catches)()
stackless.run()
t.tempval = b
assert t.tempval.type is ValueError and repr(t.tempval.value) == "ValueError(1)"
t.insert()
stackless.run()
assert repr(seen.pop()) == "ValueError(1)"
t = tasklet(lambda: seen.append(schedule_remove("given")))()
stackless.run()
assert t.tempval == "given"
t.tempval = "changed"
t.run()
assert seen.pop() == "changed"

# Flags.
assert main.set_atomic(True) is False and main.atomic and main.set_atomic(0) is True
assert main.set_ignore_nesting(1) is False and main.ignore_nesting and main.set_ignore_nesting(0) is True
raises(TypeError, "set_atomic needs exactly one bool or integer", main.set_atomic, "x")
with stackless.atomic() as nothing:
    assert main.atomic and nothing is None
    with stackless.atomic():
        pass
    assert main.atomic
assert not main.atomic
c = channel()
main.block_trap = True
raises(RuntimeError, "this tasklet does not like to be blocked.", c.receive)
main.block_trap = False
raises(TypeError, None, setattr, main, "block_trap", "x")
assert stackless.switch_trap(1) == 0
t = tasklet(lambda: None)()
for f in schedule, t.run, t.switch, stackless.run, c.receive, t.kill:
    raises(RuntimeError, "switch_trap", f)
assert schedule_remove is stackless.schedule_remove and stackless.runcount == 2
assert stackless.switch_trap(-1) == 1 and stackless.switch_trap() == 0
stackless.run()
assert stackless.enable_softswitch(None) is True and stackless.enable_softswitch(False) is True
hard = []
for _ in range(3):
    tasklet(lambda: (schedule(), hard.append(stackless.enable_softswitch(None))))()
stackless.run()
assert hard == [False] * 3 and stackless.enable_softswitch(True) is False

# Channels.
c = channel()
assert (c.balance, c.queue, c.preference, c.schedule_all, c.closing, c.closed) == (0, None, -1, 0, False, False)
raises(TypeError, "preference must be set to an integer", setattr, c, "preference", "x")
raises(TypeError, "preference must be set to a bool or integer", setattr, c, "schedule_all", None)
for given, kept in (5, 1), (-7, -1), (0, 0), (True, 1), (10**30, 1):
    c.preference = given
    assert c.preference == kept
raises(TypeError, "unbound method channel.send() needs an argument", channel.send)
raises(TypeError, "channel.send() takes exactly one argument (0 given)", c.send)
raises(TypeError, "channel.receive() takes no arguments (1 given)", c.receive, 1)
raises(TypeError, "channel.send_exception needs Exception or string subclass as first parameter", c.send_exception, int)
raises(TypeError, "exceptions must be classes, or instances, not int", c.send_throw, 1)
raises(AttributeError, None, setattr, c, "balance", 1)


def talk(preference, schedule_all, receiver_first):
    """The order in which things go on."""
    c, log = channel(), []
    c.preference, c.schedule_all = preference, schedule_all

    def receive():
        log.append(("got", c.receive()))

    def send():
        c.send("v")
        log.append("sent")

    def other():
        log.append("other")

    for f in (receive, send, other) if receiver_first else (send, receive, other):
        tasklet(f)()
    stackless.run()
    return log


got = ("got", "v")
assert talk(-1, 0, True) == [got, "other", "sent"] and talk(-1, 0, False) == [got, "other", "sent"]
assert talk(1, 0, True) == ["sent", "other", got] and talk(1, 0, False) == ["sent", "other", got]
assert talk(0, 0, True) == ["sent", "other", got] and talk(0, 0, False) == [got, "other", "sent"]
assert talk(0, 1, True) == ["other", got, "sent"] and talk(-1, 1, False) == ["other", "sent", got]

# Waiters in order; what they wait for; taking them off.
c = channel()
ts = [tasklet(lambda i: seen.append((i, c.receive())))(i) for i in range(3)]
stackless.run()
assert c.balance == -3 and c.queue is ts[0] and ts[0]._channel is c and ts[0].prev is None
assert [ts[0].next, ts[1].next, ts[2].next] == [ts[1], ts[2], None]
raises(RuntimeError, "You cannot run a blocked tasklet", ts[0].insert)
raises(RuntimeError, "You cannot run a blocked tasklet", ts[0].run)
raises(RuntimeError, "You cannot remove a blocked tasklet.", ts[0].remove)
raises(RuntimeError, "tasklet is scheduled", ts[0].bind, None)
ts[1].kill()
assert c.balance == -2 and ts[0].next is ts[2]
c.send("x")
c.send("y")
assert seen[-2:] == [(0, "x"), (2, "y")] and c.balance == 0 and c.queue is None
stackless.run()

# Closing.
c = channel()
t = tasklet(c.send)(1)
stackless.run()
c.close()
assert c.closing and not c.closed
raises(ValueError, "Send/receive operation on a closed channel", c.send, 2)
assert list(c) == [1] and c.closed
raises(ValueError, "Send/receive operation on a closed channel", c.receive)
raises(StopIteration, None, next, c)
c.open()
assert not c.closing
stackless.run()

# send_sequence, StopIteration over the channel.
c, out = channel(), []


def consume():
    for v in c:
        out.append(v)
    out.append("end")


t = tasklet(consume)()
stackless.run()
assert c.send_sequence(x * x for x in range(4)) == 4
c.send_exception(StopIteration)
stackless.run()
assert out == [0, 1, 4, 9, "end"] and not t.alive
# A loop over a channel parks softly, whoever waits for whom; exceptions come out of its line.
for parties in (consume, lambda: c.send_sequence([1, 2])), (lambda: [c.send(1), c.send(2)], consume):
    out.clear()
    before = stackless.switch_counts()[1]
    ts = [tasklet(f)() for f in parties]
    stackless.run()
    assert out == [1, 2] and c.balance == -1
    assert stackless.switch_counts()[1] - before <= 2  # send_sequence is native
    c.send_exception(StopIteration, "value")
    stackless.run()
    assert out == [1, 2, "end"] and c.balance == 0


def fails_in_loop():
    try:
        for v in c:
            while True:
                pass
    except KeyError as e:
        out.append(e.__traceback__.tb_lineno - fails_in_loop.__code__.co_firstlineno)


t = tasklet(fails_in_loop)()
stackless.run()
c.send_exception(KeyError)
stackless.run()
assert out.pop() == 2
# Interrupted where a loop over a channel begins its body: StopIteration is an exception there.
t = tasklet(lambda: raises(StopIteration, "here", fails_in_loop))()
stackless.run()
c.preference = 1
c.send(1)
assert stackless.run(1000) is t
c.preference = -1
t.throw(StopIteration("here"))
stackless.run()
assert not t.alive
# One that waits with a value to raise.
t = tasklet(lambda: c.send_exception(StopIteration))()
stackless.run()
assert [v for v in c] == []
c.close()
assert [v for v in c] == []
c.open()
t = tasklet(lambda: raises(KeyError, "'over'", c.receive))()
stackless.run()
c.send_throw(KeyError, "over")
stackless.run()
t = tasklet(lambda: c.send_exception(KeyError, "first"))()
stackless.run()
raises(KeyError, "'first'", c.receive)
stackless.run()

# Contexts are shared by who binds, unless set.
var = contextvars.ContextVar("var", default="none")
var.set("main")
t = tasklet(lambda: seen.append((var.get(), var.set("t"))))()
assert t.context_id == main.context_id
stackless.run()
assert seen.pop()[0] == "main" and var.get() == "t"
other = contextvars.copy_context()
t = tasklet(lambda: (var.set("other"), schedule_remove(), seen.append(var.get())))
assert t.set_context(other) is t and t.context_id == id(other)
t()
stackless.run()
assert var.get() == "t" and other[var] == "other"
assert t.context_run(var.get) == "other" and t.context_run(lambda *a, **k: (a, k), 1, x=2) == ((1,), {"x": 2})
raises(ZeroDivisionError, None, t.context_run, lambda: 1 / 0)
raises(TypeError, None, t.context_run, 1)
assert var.get() == "t" and t.context_run(contextvars.copy_context)[var] == "other"
t.context_run(var.set, "changed")
t.run()
assert seen.pop() == "changed" and var.get() == "t"
raises(TypeError, None, t.set_context, 1)
text = "the current context of the tasklet has been entered."
contextvars.Context().run(raises, RuntimeError, text, main.set_context, contextvars.Context())


def switches():
    def inside():
        var.set("inside")
        schedule()
        return var.get()

    seen.append(contextvars.copy_context().run(inside))


for _ in range(3):
    tasklet(switches)()
stackless.run()
assert seen[-3:] == ["inside"] * 3 and var.get() == "t"
before = stackless.switch_counts()[1]
for _ in range(100):
    tasklet(switches)()
    t = tasklet(lambda: t.context_run(lambda: (schedule(), None)[1]))()
stackless.run()
assert stackless.switch_counts()[1] == before  # soft within Context.run and context_run

# Left paused and unreachable: killed.
ended = []


def waits(n):
    try:
        schedule_remove()
    finally:
        ended.append(n)


for n in range(30):
    tasklet(waits)(n)
stackless.run()
gc.collect()
gc.collect()
assert len(ended) >= 25, len(ended)
assert stackless.runcount == 1
