# Audit hooks: what they are told of, and that they refuse by an exception.
import sys

events = []
refused = None


def hook(event, args):
    events.append((event, args))
    if event == refused:
        raise PermissionError(event)


sys.addaudithook(hook)
sys.audit("mine", 1, "x")
assert events == [("mine", (1, "x"))], events
events.clear()
import colorsys

assert [(e, a[0]) for e, a in events if e == "import"] == [("import", "colorsys")], events
events.clear()
with open("/dev/null"):
    pass
exec("1")
compile("2", "<f>", "eval")
names = [event for event, _ in events]
assert "open" in names and "compile" in names, names
refused = "open"
try:
    open("/dev/null")
except PermissionError as e:
    assert str(e) == "open"
else:
    assert False
refused = None
for wrong in ((), (1,)):
    try:
        sys.audit(*wrong)
    except TypeError:
        pass
    else:
        assert False


# What the modules in Rust tell.
def told(f, *args, **names):
    """The events that a call makes."""
    events.clear()
    try:
        f(*args, **names)
    except (OSError, ValueError, RuntimeError):
        pass
    apart = ("import", "compile", "exec", "object.__getattr__")
    return [(event, args) for event, args in events if event not in apart]


import array
import gc
import marshal
import mmap
import os
import socket
import tempfile
import threading
import time

with tempfile.TemporaryDirectory() as folder:
    a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
    for f, args, expected in [
        (os.mkdir, (a,), ("os.mkdir", (a, 0o777, -1))),
        (os.chmod, (a, 0o700), ("os.chmod", (a, 0o700, -1))),
        (os.listdir, (a,), ("os.listdir", (a,))),
        (os.scandir, (a,), ("os.scandir", (a,))),
        (os.rename, (a, b), ("os.rename", (a, b, -1, -1))),
        (os.rmdir, (b,), ("os.rmdir", (b, -1))),
        (os.symlink, (a, b), ("os.symlink", (a, b, -1))),
        (os.link, (a, b), ("os.link", (a, b, -1, -1))),
        (os.remove, (b,), ("os.remove", (b, -1))),
        (os.truncate, (b, 3), ("os.truncate", (b, 3))),
        (os.utime, (b, (1, 2)), ("os.utime", (b, (1, 2), None, -1))),
        (os.chdir, (a,), ("os.chdir", (a,))),
    ]:
        assert expected in told(f, *args), (expected, events)

x = object()
for f, args, expected in [
    (os.putenv, ("A_NAME", "v"), ("os.putenv", (b"A_NAME", b"v"))),
    (os.unsetenv, ("A_NAME",), ("os.unsetenv", (b"A_NAME",))),
    (os.kill, (os.getpid(), 0), ("os.kill", (os.getpid(), 0))),
    (time.sleep, (0,), ("time.sleep", (0,))),
    (time.sleep, (-1,), ("time.sleep", (-1,))),
    (socket.gethostname, (), ("socket.gethostname", ())),
    (gc.get_objects, (1,), ("gc.get_objects", (1,))),
    (gc.get_referents, (x,), ("gc.get_referents", ((x,),))),
    (gc.get_referrers, (x,), ("gc.get_referrers", ((x,),))),
    (marshal.dumps, (7,), ("marshal.dumps", (7, marshal.version))),
    (marshal.loads, (marshal.dumps(7),), ("marshal.loads", (marshal.dumps(7),))),
    (mmap.mmap, (-1, 8), ("mmap.__new__", (-1, 8, 0, 0))),
    (array.array, ("b", b"12"), ("array.__new__", ("b", b"12"))),
    (sys._getframemodulename, (), ("sys._getframemodulename", (0,))),
    (sys.settrace, (None,), ("sys.settrace", ())),
    (sys.monitoring.register_callback, (1, 1, None), ("sys.monitoring.register_callback", (None,))),
]:
    assert expected in told(f, *args), (expected, events)

with socket.socket() as s:
    assert ("socket.bind", (s, ("127.0.0.1", 0))) in told(s.bind, ("127.0.0.1", 0)), events
assert [e for e, _ in told(socket.socket)] == ["socket.__new__"]
assert [e for e, _ in told(sys._getframe)] == ["sys._getframe"]
assert "_thread.start_joinable_thread" in [e for e, _ in told(threading.Thread(target=int).start)]


class A:
    pass


class B(A):
    pass


def f():
    pass


def changes():
    B.__name__ = "C"
    B.__bases__ = (A,)
    b = B()
    b.__class__ = A
    b.plain = 1
    f.__code__ = changes.__code__
    f.__defaults__ = (1,)
    del f.__defaults__


assert [(e, a[1]) for e, a in told(changes)] == [
    ("object.__setattr__", "__name__"), ("object.__setattr__", "__bases__"), ("object.__setattr__", "__class__"),
    ("object.__setattr__", "__code__"), ("object.__setattr__", "__defaults__"), ("object.__delattr__", "__defaults__"),
], events

# A hook may refuse each of them, before anything has happened.
refused = "time.sleep"
before = time.monotonic()
try:
    time.sleep(60)
except PermissionError as e:
    assert str(e) == "time.sleep" and time.monotonic() - before < 30
else:
    assert False

# Trace functions do not hear of what hooks do, unless these ask for it.
refused, calls = None, []


def trace(frame, event, arg):
    if frame.f_code is hook.__code__:
        calls.append(event)


sys.settrace(trace)
eval("1")
hook.__cantrace__ = True
eval("2")
hook.__cantrace__ = False
eval("3")
sys.settrace(None)
assert calls == ["call", "call"], calls
