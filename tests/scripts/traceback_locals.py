# Frames that an exception has left keep their variables; clearing them lets go.
import gc
import sys
import traceback
import weakref


class Thing:
    pass


def innermost(x, *rest, key=None):
    local = [x]
    deleted = 1
    del deleted
    raise ValueError(x)


def middle(n):
    cell = n * 2

    def use():
        return cell

    return innermost(use(), 1, key="k")


def outer():
    kept = "kept"
    try:
        middle(21)
    except ValueError as e:
        return e


e = outer()
tb = e.__traceback__
frames = []
while tb:
    frames.append(tb.tb_frame)
    tb = tb.tb_next
assert [f.f_code.co_name for f in frames] == ["outer", "middle", "innermost"]
assert dict(frames[2].f_locals) == {"x": 42, "rest": (1,), "key": "k", "local": [42]}, frames[2].f_locals
middle_locals = dict(frames[1].f_locals)
assert middle_locals["n"] == 21 and middle_locals["cell"] == 42 and middle_locals["use"]() == 42
assert e.__traceback__.tb_next.tb_frame is frames[1]
summary = traceback.StackSummary.extract(traceback.walk_tb(e.__traceback__), capture_locals=True)
assert summary[2].locals["local"] == "[42]"
frames[2].f_locals["x"] = 1
assert frames[2].f_locals["x"] == 1
frames[2].clear()
assert dict(frames[2].f_locals) == {}
traceback.clear_frames(e.__traceback__)
assert dict(frames[1].f_locals) == {}


# Of a recursion each frame has its own.
def down(n):
    if n == 0:
        raise KeyError
    down(n - 1)


try:
    down(3)
except KeyError as e:
    tb = e.__traceback__.tb_next
    ns = []
    while tb:
        ns.append(tb.tb_frame.f_locals["n"])
        tb = tb.tb_next
    assert ns == [3, 2, 1, 0], ns


# Class bodies and modules: the namespace itself.
try:
    class Body:
        attribute = 1
        raise KeyError
except KeyError as e:
    assert e.__traceback__.tb_next.tb_frame.f_locals["attribute"] == 1
try:
    exec("name = 5\n1/0", {})
except ZeroDivisionError as e:
    assert e.__traceback__.tb_next.tb_frame.f_locals["name"] == 5


# The exception of a handler, and the one that it handled.
def chained():
    first = 1
    try:
        innermost(1)
    except ValueError:
        second = 2
        raise KeyError


try:
    chained()
except KeyError as e:
    both = [x.__traceback__ for x in (e, e.__context__)]
    assert both[0].tb_next.tb_frame.f_locals == {"first": 1, "second": 2}
    assert both[1].tb_frame.f_locals["first"] == 1
    assert both[1].tb_next.tb_frame.f_locals["x"] == 1


def raised_again():
    a = 1
    try:
        innermost(2)
    except ValueError as e:
        b = 2
        raise e


try:
    raised_again()
except ValueError as e:
    tb = e.__traceback__.tb_next
    assert tb.tb_frame.f_locals["a"] == 1 and tb.tb_next.tb_frame.f_locals["a"] == 1


# Generators.
def generator():
    value = yield 1
    raise ValueError(value)


g = generator()
next(g)
try:
    g.send(7)
except ValueError as e:
    assert e.__traceback__.tb_next.tb_frame.f_locals == {"value": 7}

g = generator()
next(g)
try:
    g.throw(KeyError)
except KeyError as e:
    assert e.__traceback__.tb_next.tb_frame.f_code is generator.__code__


# Objects live as long as the exception, and no longer; cycles through a frame are found.
def holds():
    thing = Thing()
    refs.append(weakref.ref(thing))
    raise ValueError


def cycle():
    thing = Thing()
    refs.append(weakref.ref(thing))
    try:
        raise ValueError
    except ValueError as error:
        me = error
    raise me


def caught(f):
    try:
        f()
    except ValueError as e:
        return e


refs = []
e = caught(holds)
gc.collect()
assert refs[0]() is not None
e.__traceback__.tb_next.tb_frame.clear()


def settle():
    caught(lambda: None)
    gc.collect()


settle()
assert refs[0]() is None
e = None
refs.clear()
for i in range(20):
    caught(cycle)
settle()
gc.collect()
assert sum(r() is not None for r in refs) <= 1, refs

# The frames of a traceback name their callers, also when they have been left.
def raises_here():
    1 // 0


def calls(n):
    if n:
        return calls(n - 1)
    return raises_here()


def catches_and_returns():
    try:
        calls(2)
    except ZeroDivisionError as e:
        return e.__traceback__


def names_of(frame):
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


for from_inside in (True, False):
    tb = catches_and_returns()
    entries = [tb]
    while entries[-1].tb_next is not None:
        entries.append(entries[-1].tb_next)
    for entry in reversed(entries) if from_inside else entries:
        entry.tb_frame
    assert names_of(entries[-1].tb_frame)[:5] == ["raises_here", "calls", "calls", "calls", "catches_and_returns"]
    assert [e.tb_frame for e in entries[:0:-1]] == [
        entries[-1].tb_frame, entries[-1].tb_frame.f_back, entries[-1].tb_frame.f_back.f_back, entries[1].tb_frame]
    assert [e.tb_frame.f_locals.get("n") for e in entries] == [None, 2, 1, 0, None]


# An exception that is raised again passes the same frame twice.
def raises_again():
    try:
        raises_here()
    except ZeroDivisionError as e:
        raise e


def outer():
    raises_again()


try:
    outer()
except ZeroDivisionError as e:
    tb = e.__traceback__.tb_next.tb_next
assert tb.tb_frame is tb.tb_next.tb_frame and tb.tb_lineno != tb.tb_next.tb_lineno
assert names_of(tb.tb_next.tb_next.tb_frame) == ["raises_here", "raises_again", "outer", "<module>"]
