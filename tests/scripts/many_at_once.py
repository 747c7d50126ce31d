"""Very many microthreads that end or begin one right after the other: no native stack is used up by it."""
import greenlet
import stackless
from greenlet import getcurrent

MANY = 5000
main = getcurrent()

# Native functions, which end without ever reaching the interpreter's loop.
for _ in range(MANY):
    stackless.tasklet(int)()
stackless.run()
assert stackless.runcount == 1
gs = [greenlet.greenlet(int)]
for _ in range(MANY):
    gs.append(greenlet.greenlet(int, gs[-1]))
assert gs[-1].switch() == 0 and all(g.dead for g in gs)

# The same from under a native frame.
got = []


def spawn():
    for i in range(MANY):
        greenlet.greenlet(got.append).switch(i)
    return 0


assert min(spawn() for _ in range(2)) == 0 and got == list(range(MANY)) * 2

# Killed, all of them runnable at the same time.
ended = []


def waits(n):
    try:
        stackless.schedule_remove()
    finally:
        ended.append(n)


ts = [stackless.tasklet(waits)(n) for n in range(MANY)]
stackless.run()
for t in ts:
    t.kill(pending=True)
stackless.run()
assert ended == list(range(MANY))

# An error that goes through all parents, begun or not.
def fails(*args):
    raise KeyError("deep")


def suspended():
    main.switch()


for run in fails, suspended:
    g, gs = main, []
    for _ in range(MANY):
        g = greenlet.greenlet(run, g)
        gs.append(g)
        if run is suspended:
            g.switch()
    try:
        g.throw(KeyError("deep")) if run is suspended else g.switch()
    except KeyError as e:
        assert e.args == ("deep",)
    else:
        raise AssertionError("no error")
    assert all(g.dead for g in gs)


# __call__ that is an object with a __call__, without end.
class Caller:
    pass


Caller.__call__ = Caller()
try:
    Caller()()
except RecursionError as e:
    pass
else:
    raise AssertionError("no RecursionError")
