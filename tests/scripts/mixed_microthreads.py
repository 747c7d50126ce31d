"""Greenlets and tasklets in one program: what goes on where, then random mixtures of all that can be done with them."""
import contextvars
import gc
import io
import sys

import greenlet
import stackless

main = greenlet.getcurrent()
got = []

# A greenlet's main greenlet is the tasklet that it runs in.
def in_tasklet(name):
    g = greenlet.greenlet(lambda: main.switch(name) or name + " again")
    got.append(g.switch())
    stackless.schedule()
    got.append(g.switch())
    got.append(greenlet.greenlet(lambda: stackless.current.is_main).switch())


for name in "ab":
    stackless.tasklet(in_tasklet)(name)
stackless.run()
assert got == ["a", "b", "a again", False, "b again", False], got


# A tasklet that waits in a greenlet goes on there, and nobody else can.
def waits(c):
    inner.append(greenlet.getcurrent())
    got.append(c.receive())
    return "received"


inner, got = [], []
c = stackless.channel()
t = stackless.tasklet(lambda: got.append(greenlet.greenlet(waits).switch(c)))()
stackless.run()
for f in inner[0].switch, inner[0].throw:
    try:
        f()
    except greenlet.error as e:
        assert str(e) == "cannot switch to a greenlet in which another tasklet waits"
    else:
        raise AssertionError("no error")
assert t.frame.f_code is waits.__code__ and inner[0].gr_frame is t.frame
c.send("v")
stackless.run()
assert got == ["v", "received"] and inner[0].dead and not t.alive
t = stackless.tasklet(lambda: got.append(greenlet.greenlet(waits).switch(c)))()
stackless.run()
t.kill()
assert inner[1].dead and not t.alive and c.balance == 0

# Random mixtures: errors are of the kinds that belong there, and nothing else happens.
var = contextvars.ContextVar("var", default=0)


class Thrown(Exception):
    pass


FINE = (
    Thrown, greenlet.error, RuntimeError, ValueError, TypeError, AttributeError,
    greenlet.GreenletExit, stackless.TaskletExit,
)


class Mixture:
    def __init__(self, seed):
        self.seed = seed
        self.gs, self.ts = [], []
        self.chans = [stackless.channel() for _ in range(4)]

    def pick(self, n):
        self.seed = (self.seed * 1103515245 + 12345) % 2**31
        return (self.seed >> 8) % n

    def one(self, row):
        return row[self.pick(len(row))]

    def do(self, what, level):
        gs, ts, deeper = self.gs, self.ts, level < 4
        if what == 0 and len(gs) < 60:
            gs.append(greenlet.greenlet(self.body, self.one(gs) if gs and self.pick(2) else None))
        elif what == 1 and gs:
            self.one(gs).switch(level)
        elif what == 2 and gs:
            self.one(gs).throw(Thrown)
        elif what == 3 and gs:
            self.one(gs).throw()
        elif what == 4:
            main.switch(level)
        elif what == 5 and len(ts) < 60:
            ts.append(stackless.tasklet(self.body)(level))
        elif what == 6:
            stackless.schedule()
        elif what == 7 and ts:
            self.one(ts).run()
        elif what == 8 and ts:
            self.one(ts).kill(pending=bool(self.pick(2)))
        elif what == 9:
            self.one(self.chans).send(level)
        elif what == 10:
            self.one(self.chans).receive()
        elif what == 11 and deeper:
            sorted([3, 1, 2], key=lambda v: (self.act(level + 1), v)[1])
        elif what == 12 and deeper:
            contextvars.copy_context().run(self.act, level + 1)
        elif what == 13:
            var.set(level)
        elif what == 14:
            gc.collect()
        elif what == 15:
            timeout = 500 * self.pick(2)
            stackless.run(timeout, soft=bool(self.pick(2)), ignore_nesting=bool(self.pick(2)))
        elif what == 16:
            greenlet.settrace((lambda event, args: None) if self.pick(2) else None)
        elif what == 17 and gs:
            del gs[self.pick(len(gs))]
        elif what == 18 and ts:
            del ts[self.pick(len(ts))]
        elif what == 19 and ts:
            self.one(ts).switch()
        elif what == 20 and ts:
            t = self.one(ts)
            t.frame, t.next, t.recursion_depth, t.insert()
        elif what == 21 and gs:
            g = self.one(gs)
            f = g.gr_frame
            repr(g), f and f.f_back and f.f_back.f_lineno
        elif what == 22:
            stackless.enable_softswitch(bool(self.pick(3)))

    def act(self, level):
        for _ in range(1 + self.pick(4)):
            try:
                self.do(self.pick(23), level)
                [None for i in range(self.pick(300))]
            except FINE:
                if self.pick(6) == 0:
                    raise

    def body(self, *args):
        try:
            self.act(1)
        finally:
            self.pick(3)


stackless.set_error_handler(lambda *args: None)
err, sys.stderr = sys.stderr, io.StringIO()
for seed in range(30):
    mixture = Mixture(seed)
    for _ in range(120):
        try:
            mixture.act(0)
        except FINE:
            pass
sys.stderr = err
greenlet.settrace(None)
