# Skein alone
# The modules `scheduler` and `_scheduler`: carbon-scheduler's interface over tasklets.
import gc
import os
import sys
import tempfile
import threading

import scheduler
import _scheduler

assert scheduler is _scheduler
assert scheduler.getcurrent() is scheduler.getmain() and scheduler.getruncount() == 1

# How often and when.
seen = []


def counted(c):
    me = scheduler.getcurrent()
    seen.append(me.times_switched_to)
    c.receive()
    seen.append(me.times_switched_to)
    scheduler.schedule()
    seen.append(me.times_switched_to)


c = scheduler.channel()
t = scheduler.tasklet(counted)(c)
assert t.startTime == t.endTime == 0 and t.method_name == "counted" and t.times_switched_to == 0
assert t.line_number == counted.__code__.co_firstlineno and t.file_name == counted.__code__.co_filename
scheduler.run()
c.send(None)
scheduler.run()
assert seen == [1, 2, 3] and 0 < t.startTime < t.endTime and t.runTime > 0
t.bind(lambda: seen.append(t.times_switched_to))
t.setup()
scheduler.run()
assert seen == [1, 2, 3, 1]

# Errors that are kept.
said = []


def fails():
    raise ValueError("x")


t = scheduler.tasklet()
t.dont_raise = True
t.exception_handler = lambda text: said.append((sys.exc_info()[0], "ValueError: x" in text))
t.bind(fails)
t.setup()
scheduler.run()
assert said == [(ValueError, True)]
try:
    t.dont_raise = False
except RuntimeError as e:
    assert "after the Tasklet has been bound" in str(e)
else:
    raise AssertionError
t = scheduler.tasklet(fails)()
try:
    scheduler.run()
except ValueError:
    pass
else:
    raise AssertionError

# A schedule in steps, and runs that are nested or not.
order = []


def work(name):
    order.append(name)
    scheduler.schedule()
    order.append(name.upper())


for name in "abc":
    scheduler.tasklet(work)(name)
scheduler.run_n_tasklets(2)
assert order == ["a", "b"] and scheduler.getruncount() == scheduler.calculateruncount() == 4
scheduler.run_n_tasklets(100)
assert order == ["a", "b", "c", "A", "B", "C"] and scheduler.getruncount() == 1


def ordered(nested):
    order.clear()
    scheduler.set_use_nested_tasklets(nested)

    def inner():
        first = scheduler.tasklet(order.append)("dog")
        scheduler.tasklet(order.append)("cat")
        first.run()
        order.append("end")

    scheduler.tasklet(order.append)("rabbit")
    scheduler.tasklet(inner)()
    scheduler.tasklet(order.append)("donkey")
    scheduler.run()
    scheduler.set_use_nested_tasklets(True)
    return order


assert ordered(False) == ["rabbit", "dog", "end", "donkey", "cat"], order

# Other threads may not touch one.
t = scheduler.tasklet(order.append)("own")
refused = []


def other():
    for name in "run", "switch", "kill", "bind", "setup":
        try:
            getattr(t, name)()
        except RuntimeError as e:
            refused.append(name)


thread = threading.Thread(target=other)
thread.start()
thread.join()
assert refused == ["run", "switch", "kill", "bind", "setup"], refused
scheduler.run()

# Queues never block who sends.
q = scheduler.QueueChannel()
q.send(1)
q.send_exception(KeyError, "k")
assert len(q) == q.balance == 2 and q.receive() == 1
try:
    q.receive()
except KeyError as e:
    assert e.args == ("k",)
else:
    raise AssertionError

# What waits can be ended.
waiting = scheduler.tasklet(scheduler.channel().receive)()
scheduler.run()
assert scheduler.get_number_of_active_channels() == 1
scheduler.unblock_all_channels()
assert scheduler.get_number_of_active_channels() == 0 and not waiting.alive

# A program's own module of that name comes first.
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "scheduler.py"), "w") as file:
        file.write("own = True\n")
    kept = {name: sys.modules.pop(name) for name in ("scheduler", "_scheduler")}
    sys.path.insert(0, folder)
    import scheduler as own
    assert own.own
    sys.path.remove(folder)
    sys.modules.update(kept)
