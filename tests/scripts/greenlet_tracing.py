"""greenlet.settrace: events, where they are called, errors in the callback."""
import sys

import greenlet as module
from greenlet import GreenletExit, getcurrent, greenlet, gettrace, settrace

main = getcurrent()
names = {main: "main"}
events = []


def note(event, switched):
    origin, target = switched
    assert getcurrent() is target
    events.append((event, names[origin], names[target]))


def named(name, f, *parent):
    g = greenlet(f, *parent)
    names[g] = name
    return g


def taken():
    got = events[:]
    events.clear()
    return got


def raises(kind, f, *args):
    try:
        f(*args)
    except BaseException as e:
        assert type(e) is kind, e
        return e
    raise AssertionError("%s was not raised" % kind.__name__)


there = [("switch", "main", "a"), ("switch", "a", "main")]
assert gettrace() is None and settrace(note) is None and gettrace() is note
assert settrace(note) is note

# Begun and ended, switched, thrown, dead, itself.
assert named("a", lambda: 1).switch() == 1 and taken() == there
raises(ZeroDivisionError, named("a", lambda: 1 / 0).switch)
assert taken() == [("switch", "main", "a"), ("throw", "a", "main")]
a = named("a", lambda: 1)
assert isinstance(a.throw(), GreenletExit) and taken() == [("throw", "main", "a"), ("switch", "a", "main")]
a = named("a", lambda: 1)
raises(ValueError, a.throw, ValueError)
assert taken() == [("throw", "main", "a"), ("throw", "a", "main")]
raises(KeyError, a.throw, KeyError)
assert taken() == [("throw", "main", "main")]
assert a.switch() == () and taken() == [("switch", "main", "main")]
assert isinstance(a.throw(), GreenletExit) and taken() == [("switch", "main", "main")]
assert main.switch(3) == 3 and taken() == [("switch", "main", "main")]
raises(ValueError, main.throw, ValueError)
assert taken() == [("throw", "main", "main")]
a = named("a", lambda: main.switch(1))
assert a.switch() == 1 and a.switch(2) == 2 and taken() == there * 2
a = named("a", lambda: main.switch(1))
a.switch()
raises(ValueError, a.throw, ValueError)
assert taken() == there + [("throw", "main", "a"), ("throw", "a", "main")]


def inner():
    getcurrent().switch("self")
    named("b", lambda: main.switch("from b")).switch()
    return "end"


a = named("a", inner)
assert a.switch() == "from b" and a.switch() == "end"
assert taken() == [
    ("switch", "main", "a"),
    ("switch", "a", "a"),
    ("switch", "a", "b"),
    ("switch", "b", "main"),
] + there

# A parent that never ran; native frames in the way.
child = named("child", lambda: "c", named("p", lambda x: ("p", x)))
assert child.switch() == ("p", "c")
assert taken() == [("switch", "main", "child"), ("switch", "child", "p"), ("switch", "p", "main")]
a = named("a", lambda: sorted([3, 1, 2], key=main.switch))
assert a.switch() == 3 and a.switch(1) == 1 and a.switch(3) == 2 and a.switch(2) == [3, 2, 1]
assert taken() == there * 4
assert sorted([3, 1, 2], key=lambda v: named("a", lambda: v).switch()) == [1, 2, 3]
assert taken() == there * 3

# Many, so that they are parked in all ways.
many = [named("a", lambda: main.switch(1)) for _ in range(200)]
for g in many:
    g.switch()
for g in reversed(many):
    g.switch()
assert taken() == there * 400

# Off: nothing more. On within a greenlet.
assert settrace(None) is note and gettrace() is None
a = named("a", lambda: 1)
assert a.switch() == 1 and taken() == []


def sets():
    settrace(note)
    main.switch(1)
    return 2


a = named("a", sets)
assert a.switch() == 1 and a.switch() == 2
assert taken() == [("switch", "a", "main")] + there
settrace(None)

# An error in the callback removes it and is raised in the target.
def bad(event, switched):
    events.append(event)
    raise KeyError("callback")


a = named("a", lambda: 1)
settrace(bad)
raises(KeyError, a.switch)
assert gettrace() is None and a.dead and taken() == ["switch"]


def catches():
    try:
        main.switch(1)
    except BaseException as e:
        return e


for how in "switch", "throw":
    a = named("a", catches)
    a.switch()
    settrace(bad)
    e = a.switch() if how == "switch" else a.throw(ValueError("thrown"))
    assert type(e) is KeyError and e.__context__ is None and gettrace() is None and taken() == [how]


def bad_in_main(event, switched):
    if switched[1] is main:
        raise IndexError


for f in (lambda: 1), (lambda: 1 / 0):
    a = named("a", f)
    settrace(bad_in_main)
    raises(IndexError, a.switch)
    assert gettrace() is None and a.dead
assert settrace(5) is None
raises(TypeError, named("a", lambda: 1).switch)
assert gettrace() is None

# A callback that switches.
def switches(event, switched):
    events.append((event, names[switched[0]], names[switched[1]]))
    if switched[1] is a and len(events) == 1:
        events.append(named("b", lambda: 5).switch())


a = named("a", lambda: 1)
settrace(switches)
assert a.switch() == 1
settrace(None)
assert taken() == [("switch", "main", "a"), ("switch", "a", "b"), ("switch", "b", "a"), 5, ("switch", "a", "main")]

# It sees what the target handles.
def handled(event, switched):
    events.append(sys.exc_info()[0])


def handles():
    try:
        1 / 0
    except ZeroDivisionError:
        main.switch()
        return sys.exc_info()[0]


a = named("a", handles)
a.switch()
settrace(handled)
assert a.switch() is ZeroDivisionError
settrace(None)
assert taken() == [ZeroDivisionError, None]
assert module.gettrace() is None
