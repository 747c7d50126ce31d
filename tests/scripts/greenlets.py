"""greenlet: switching, results, parents, throwing, dying, attributes."""
import gc
import greenlet as module
from greenlet import greenlet, getcurrent, GreenletExit


def raises(exc, f, *args, **kw):
    try:
        f(*args, **kw)
    except exc as e:
        return e
    raise AssertionError("%s was not raised" % exc.__name__)


main = getcurrent()
assert main.parent is None and not main.dead and main

# What switch passes.
def echo(*args, **kw):
    while True:
        args, kw = (args, kw), None
        got = main.switch(args)
        args, kw = got, {}


g = greenlet(echo)
assert not g and not g.dead
assert g.switch(1, 2, k=3) == ((1, 2), {"k": 3})
assert g and g.gr_frame is not None
assert g.switch(7)[0] == 7
assert g.switch()[0] == ()
assert g.switch(1, 2)[0] == (1, 2)
assert g.switch(a=1)[0] == {"a": 1}
assert g.switch(1, a=2)[0] == ((1,), {"a": 2})

# The result of run, and of a switch to a dead one.
g = greenlet(lambda x: x + 1)
assert g.switch(41) == 42 and g.dead and not g
assert g.switch(5) == 5
assert g.switch(5, 6) == (5, 6)

# Exceptions go to the parent.
def fail():
    raise ValueError("deep")


assert str(raises(ValueError, greenlet(fail).switch)) == "deep"


def middle():
    try:
        greenlet(fail, getcurrent()).switch()
    except ValueError as e:
        return "caught " + str(e)


assert greenlet(middle).switch() == "caught deep"

# throw.
seen = []


def guarded():
    try:
        main.switch("waiting")
    except KeyError as e:
        seen.append(e)
        main.switch("caught")
    finally:
        seen.append("finally")


g = greenlet(guarded)
assert g.switch() == "waiting"
assert g.throw(KeyError, "k") == "caught"
result = g.throw()
assert isinstance(result, GreenletExit) and g.dead
assert repr(seen[0]) == "KeyError('k')" and seen[1] == "finally"
assert isinstance(greenlet(fail).throw(), GreenletExit)
g = greenlet(fail)
raises(IndexError, g.throw, IndexError("never ran"))
assert g.dead

# Parents.
g = greenlet(lambda: None)
assert g.parent is main
h = greenlet(lambda: None, g)
assert h.parent is g
assert str(raises(ValueError, setattr, g, "parent", h)) == "cyclic parent chain"
raises(TypeError, setattr, g, "parent", 3)
raises(AttributeError, delattr, g, "parent")
assert g.parent is main

# run.
class Own(greenlet):
    def run(self, n):
        return n * 2


assert Own().switch(21) == 42
g = greenlet()
g.run = lambda: "set later"
assert g.switch() == "set later"
raises(AttributeError, greenlet().switch)
raises(TypeError, g.__getstate__)

# A greenlet is suspended at any depth, in loops, in generators' callers, in handlers.
def deep(n):
    if n:
        return deep(n - 1) + 1
    return main.switch("deep")


g = greenlet(deep)
assert g.switch(500) == "deep"
assert g.switch(7) == 507


def in_handler():
    try:
        raise KeyError("mine")
    except KeyError as e:
        main.switch("handling")
        assert str(e) == "'mine'"
        try:
            raise
        except KeyError:
            return "still mine"


g = greenlet(in_handler)
assert g.switch() == "handling"
try:
    raise OSError("others")
except OSError:
    assert g.switch() == "still mine"

# Many, resumed out of order.
def counter(n):
    total = 0
    while n is not None:
        total += n
        n = main.switch(total)
    return total


many = [greenlet(counter) for _ in range(1000)]
for i, g in enumerate(many):
    assert g.switch(i) == i
for i, g in reversed(list(enumerate(many))):
    assert g.switch(1) == i + 1
for i, g in enumerate(many):
    assert g.switch(None) == i + 1

# An unreachable suspended greenlet is ended: its finally blocks run.
ended = []


def abandoned(n):
    try:
        main.switch()
    finally:
        ended.append(n)


def abandon():
    for i in range(10):
        greenlet(abandoned).switch(i)


abandon()
for _ in range(3):
    gc.collect()
    deep(3) if False else [None for _ in range(10)]
# The last one may still be seen in a stale register.
assert len(ended) >= 9, ended

assert module.__version__.startswith("3.")
assert isinstance(module.error, type) and greenlet.error is module.error
print("ok")
