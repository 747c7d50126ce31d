# Builtins that go over generators say the same to who wants to hear of lines and frames, however often they are called; and
# what a callback calls is told of only when others call it.
import sys

mon = sys.monitoring
E = mon.events


def items(n):
    for i in range(n):
        yield i


def work(n):
    return sum(items(n)), list(items(n)), any(x > n for x in items(n)), sorted(items(3), key=lambda x: -x)


def told(events, n):
    """What is told of one turn of `work`."""
    seen = []
    mon.use_tool_id(3, "test")
    try:
        for number in range(19):
            event = 1 << number
            if events & event:
                mon.register_callback(3, event, lambda code, *rest, e=event: seen.append((e, code.co_name, rest[:1])))
        mon.set_events(3, events)
        work(n)
        mon.set_events(3, 0)
    finally:
        mon.free_tool_id(3)
    return seen


frames = E.PY_START | E.PY_RESUME | E.PY_YIELD | E.PY_RETURN
for events in (E.LINE, frames, E.LINE | frames, E.CALL | E.LINE, E.STOP_ITERATION | E.LINE):
    first = told(events, 4)
    for i in range(40):
        work(50)
    again = told(events, 4)
    assert first == again, (events, first, again)
    assert first, events

# Lines that are not wanted any more cost nothing, and are told of again after a restart.
lines = []


def line(code, number):
    lines.append((code.co_name, number))
    return mon.DISABLE


mon.use_tool_id(3, "test")
mon.register_callback(3, E.LINE, line)
mon.set_events(3, E.LINE)
own = lambda: [l for l in lines if l[0] in ("work", "items")]
counts = []
for i in range(4):
    work(10)
    counts.append(len(own()))
assert counts[-1] == counts[-2], counts
mon.restart_events()
del lines[:]
work(10)
assert ("items", items.__code__.co_firstlineno + 1) in lines
mon.set_events(3, 0)
mon.free_tool_id(3)

# Code that first runs within a callback is told of when the program calls it.
calls = []


def helper(event):
    x = event
    return x


def tracer(frame, event, arg):
    if frame.f_code is not tracer.__code__:
        calls.append((frame.f_code.co_name, helper(event)))
    return tracer


def traced():
    y = helper("mine")
    return y


for i in range(3):
    del calls[:]
    sys.settrace(tracer)
    traced()
    sys.settrace(None)
    expected = [("traced", "call"), ("traced", "line"), ("helper", "call"), ("helper", "line"), ("helper", "line"),
                ("helper", "return"), ("traced", "line"), ("traced", "return")]
    assert calls == expected, calls


# A generator that a callback makes and the program goes on with.
made = []


def numbers():
    yield 1
    yield 2


def making(frame, event, arg):
    if not made:
        made.append(numbers())
        next(made[0])
    if frame.f_code.co_name == "numbers":
        made.append(event)
    return making


def goes_on():
    return next(made[0])


sys.settrace(making)
assert goes_on() == 2
sys.settrace(None)
assert made[1:] == ["call", "line", "return"], made

# A callback that fails while the code that it calls runs for the first time.
def bad(frame, event, arg):
    return fails()


def fails():
    raise ValueError("from a callback")


try:
    sys.settrace(bad)
    traced()
except ValueError as e:
    assert str(e) == "from a callback" and sys.gettrace() is None
else:
    raise AssertionError("nothing was raised")
del calls[:]
sys.settrace(tracer)
try:
    fails()
except ValueError:
    pass
sys.settrace(None)
assert [c for c in calls if c[0] == "fails"] == [("fails", "call"), ("fails", "line"), ("fails", "exception"),
                                                 ("fails", "return")], calls
