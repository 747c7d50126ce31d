"""greenlet: what is refused and in which words, unusual parents, frames, contexts, what each greenlet has of its own."""
import contextvars
import copy
import gc
import sys

import greenlet as module
from greenlet import GreenletExit, getcurrent, greenlet

main = getcurrent()


def raises(kind, text, f, *args, **kw):
    try:
        f(*args, **kw)
    except BaseException as e:
        assert type(e) is kind, (kind, e)
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError("%s was not raised" % kind.__name__)


# The module.
import greenlet._greenlet as inner

assert module._greenlet is inner and inner.greenlet is greenlet and inner.__name__ == "greenlet._greenlet"
assert module.__version__.startswith("3.") and module.__package__ == "greenlet"
assert module.__all__ == [
    "__version__", "_C_API", "GreenletExit", "error", "getcurrent", "greenlet", "gettrace", "settrace"
]
for name in "GC", "TRACING", "CONTEXT_VARS", "STANDARD_THREADING":
    assert getattr(inner, "GREENLET_USE_" + name) == 1
assert module.CLOCKS_PER_SEC == 1_000_000
assert repr(module._C_API).startswith('<capsule object "greenlet._C_API" at 0x')
assert module.enable_optional_cleanup(True) is None and module.get_clocks_used_doing_optional_cleanup() == 0
assert module.enable_optional_cleanup(False) is None and module.get_clocks_used_doing_optional_cleanup() is None
module.enable_optional_cleanup(True)
assert inner.get_pending_cleanup_count() == 0 and inner.get_total_main_greenlets() == 1
assert issubclass(inner.UnswitchableGreenlet, greenlet) and inner.UnswitchableGreenlet(lambda: 3).switch() == 3
assert module.getcurrent.__module__ == "greenlet._greenlet"
assert GreenletExit.__bases__ == (BaseException,) and module.error.__bases__ == (Exception,)
assert GreenletExit.__module__ == module.error.__module__ == greenlet.__module__ == "greenlet"
for name in "error", "GreenletExit", "getcurrent", "settrace", "gettrace":
    assert getattr(greenlet, name) is getattr(module, name)
raises(TypeError, "function takes exactly 1 argument (0 given)", module.settrace)
raises(TypeError, "function takes exactly 1 argument (2 given)", module.settrace, 1, 2)

# Making one.
raises(TypeError, "green() takes at most 2 arguments (3 given)", greenlet, 1, main, 3)
raises(TypeError, "green() got an unexpected keyword argument 'foo'", greenlet, foo=1)
raises(TypeError, "GreenletChecker: Expected any type of greenlet, not int", greenlet, 1, 2)
assert greenlet(None, None).run is None and greenlet(parent=main, run=len).run is len
raises(AttributeError, "run", lambda: greenlet().run)
raises(TypeError, "greenlet.greenlet.__new__(): not enough arguments", greenlet.__new__)
raises(TypeError, "greenlet.greenlet.__new__(X): X is not a type object (int)", greenlet.__new__, 1)
raises(TypeError, "greenlet.greenlet.__new__(int): int is not a subtype of greenlet.greenlet", greenlet.__new__, int)
raises(TypeError, "cannot serialize 'greenlet.greenlet' object", copy.copy, greenlet())
raises(TypeError, "cannot serialize 'greenlet.greenlet' object", copy.deepcopy, greenlet())

# Attributes.
g = greenlet()
for name in "dead", "gr_frame", "_stack_saved":
    text = "attribute '%s' of 'greenlet.greenlet' objects is not writable" % name
    raises(AttributeError, text, setattr, g, name, 1)
    raises(AttributeError, text, delattr, g, name)
raises(AttributeError, "can't delete attribute", delattr, g, "parent")
raises(AttributeError, "can't delete context attribute", delattr, g, "gr_context")
assert g._stack_saved == 0 and g.gr_frame is None and g.__dict__ == {}
g.note = 1
assert g.__dict__ == {"note": 1}
g.__dict__ = g.__dict__
raises(TypeError, None, setattr, g, "__dict__", 42)

# run: there until the start.
g.run = len
del g.run
raises(AttributeError, "run", lambda: g.run)
del g.run
raises(AttributeError, "run", g.switch)
raises(AttributeError, "run", g.throw, ValueError)
assert not g.dead
g = greenlet(len)
assert g.switch("abc") == 3
raises(AttributeError, "run", lambda: g.run)
raises(AttributeError, "run cannot be set after the start of the greenlet", setattr, g, "run", 1)
raises(AttributeError, "run cannot be set after the start of the greenlet", delattr, g, "run")
assert not greenlet(lambda: hasattr(getcurrent(), "run")).switch()
for f in (lambda: main.run), (lambda: setattr(main, "run", 1)), (lambda: delattr(main, "run")):
    raises(AttributeError, "Main greenlets do not have a run attribute.", f)
raises(AttributeError, "cannot set the parent of a main greenlet", setattr, main, "parent", g)
assert main.gr_frame is None and main.parent is None and not main.dead

# Switching to oneself, to dead ones, to what is none.
assert main.switch(1) == 1 and main.switch(1, 2) == (1, 2) and main.switch() == () and main.switch(x=1) == {"x": 1}
raises(ValueError, "own", main.throw, ValueError("own"))
raises(GreenletExit, "", main.throw)
assert g.dead and g.switch() == () and g.switch(1, a=1) == ((1,), {"a": 1})
assert isinstance(g.throw(), GreenletExit)
raises(ValueError, "x", g.throw, ValueError, "x")
raises(TypeError, "unbound method greenlet.switch() needs an argument", greenlet.switch)
raises(TypeError, "descriptor 'throw' for 'greenlet.greenlet' objects doesn't apply to a 'int' object", greenlet.throw, 1)


# throw's forms.
def tell():
    try:
        main.switch("ready")
    except BaseException as e:
        told = type(e), e.args, e.__traceback__ is not None
    return told


def thrown(*args, **kw):
    g = greenlet(tell)
    g.switch()
    return g.throw(*args, **kw)


class Bad(Exception):
    def __init__(self):
        raise KeyError("in init")


assert thrown() == (GreenletExit, (), True)
assert thrown(ValueError) == (ValueError, (), True)
assert thrown(ValueError, "x") == (ValueError, ("x",), True)
assert thrown(ValueError, ("x", "y")) == (ValueError, ("x", "y"), True)
assert thrown(ValueError, ValueError("z")) == (ValueError, ("z",), True)
assert thrown(ValueError("q")) == thrown(ValueError("q"), None) == (ValueError, ("q",), True)
assert thrown(StopIteration, 3) == (StopIteration, (3,), True)
assert thrown(Bad) == (KeyError, ("in init",), True)
raises(TypeError, "instance exception may not have a separate value", thrown, ValueError("q"), 1)
for what, name in (1, "int"), (int, "type"), ("abc", "str"), (None, "NoneType"):
    raises(TypeError, "exceptions must be classes, or instances, not " + name, thrown, what)
raises(TypeError, "throw() third argument must be a traceback object", thrown, ValueError, None, 1)
raises(TypeError, "throw() takes at most 3 arguments (4 given)", thrown, ValueError, None, None, None)
raises(TypeError, "throw() takes no keyword arguments", thrown, typ=ValueError)
try:
    1 / 0
except ZeroDivisionError as e:
    tb = e.__traceback__
e = raises(OSError, None, greenlet(len).throw, OSError, None, tb)
while e.__traceback__.tb_next:
    e.__traceback__ = e.__traceback__.tb_next
assert e.__traceback__.tb_lineno == tb.tb_lineno

# Thrown into one that never ran: it has ended. GreenletExit is a result.
class Exit(GreenletExit):
    pass


g = greenlet(len)
raises(ValueError, "never ran", g.throw, ValueError("never ran"))
assert g.dead
assert repr(greenlet(len).throw(GreenletExit, "a")) == "GreenletExit('a')"
assert repr(greenlet(len).throw(Exit("b"))) == "Exit('b')"


def fail(e):
    raise e


assert repr(greenlet(fail).switch(Exit("c"))) == "Exit('c')"
raises(SystemExit, "3", greenlet(fail).switch, SystemExit(3))
raises(KeyboardInterrupt, "k", greenlet(fail).switch, KeyboardInterrupt("k"))

# repr.
def ends(g, text):
    r = repr(g)
    assert r.startswith("<%s object at %#x (otid=0x" % (type(g).__name__.replace("greenlet", "greenlet.greenlet"), id(g)))
    assert r.endswith(") " + text + ">"), r
    return True


g = greenlet(lambda: main.switch(ends(getcurrent(), "current active started"), ends(main, "suspended active started main")))
assert ends(g, "pending") and "(nil)" in repr(g)
g.switch()
assert ends(g, "suspended active started")
g.switch()
assert ends(g, "dead") and ends(main, "current active started main")


# Subclasses.
class Sub(greenlet):
    def run(self, *args, **kw):
        return args, kw, self.parent is main


assert Sub().switch(1, b=2) == ((1,), {"b": 2}, True)
assert Sub(len).switch("abc") == (("abc",), {}, True)  # the class's run goes before
s = Sub()
ends(s, "pending")
s.run = lambda: "own"
assert s.switch() == "own"
raises(TypeError, "'int' object is not callable", type("Five", (greenlet,), {"run": 5})().switch)


class NoInit(greenlet):
    def __init__(self):
        pass

    def run(self):
        return 7


assert NoInit().switch() == 7 and NoInit().parent is main


class Perverse(greenlet):
    def __getattribute__(self, name):
        if name == "run":
            raise KeyError("perverse")
        return greenlet.__getattribute__(self, name)


p = Perverse()
raises(KeyError, "'perverse'", p.switch)
raises(KeyError, "'perverse'", p.throw, ValueError)
assert not p and not p.dead
child = greenlet(lambda: 1, p)
raises(KeyError, "'perverse'", child.switch)
assert child.dead
raises(KeyError, "'perverse'", child.switch)


class Convoluted(greenlet):
    """Starts itself while it is looked at."""

    count = 0

    def __getattribute__(self, name):
        if name == "run" and not self.count:
            self.count = 1
            self.switch(43)
        return greenlet.__getattribute__(self, name)

    def run(self, value):
        while True:
            self.parent.switch(value)


c = Convoluted()
assert c.switch(42) == 43
c.throw()

import abc

Abstract = abc.ABCMeta("Abstract", (greenlet,), {"run": abc.abstractmethod(lambda self: None)})
raises(TypeError, None, type("Concrete", (Abstract,), {}))
type("Concrete", (Abstract,), {"run": lambda self: None})()

# Parents that never ran begin with the child's result, or end with its error.
a = greenlet(lambda x: ("a", x))
b = greenlet(lambda: 2, a)
assert b.switch() == ("a", 2) and a.dead and b.dead
a = greenlet(lambda: 1)
b = greenlet(lambda: 2, a)
raises(TypeError, None, b.switch)
assert a.dead and b.dead
a = greenlet(lambda: 1)
b = greenlet(lambda: 1 / 0, a)
raises(ZeroDivisionError, None, b.switch)
assert a.dead and b.dead
raises(AttributeError, "run", greenlet(lambda: None, greenlet()).switch)
seen = []
child = greenlet(lambda: seen.append(42))
child.switch()
child.parent = greenlet(lambda: seen.append(24))
assert child.switch() is None and seen == [42, 24]
a = greenlet(lambda: 1)
b = greenlet(lambda: 2, a)
raises(ValueError, "cyclic parent chain", setattr, a, "parent", b)
raises(ValueError, "cyclic parent chain", setattr, a, "parent", a)
for what, name in (None, "NoneType"), (1, "int"), ("42", "str"):
    raises(TypeError, "GreenletChecker: Expected any type of greenlet, not " + name, setattr, a, "parent", what)
hub = greenlet(lambda: main.switch("hub waits"))
hub.switch()
a = greenlet(lambda: 1 / 0)
a.parent = hub
raises(ZeroDivisionError, None, a.switch)
assert a.dead and hub.dead


# Frames of suspended greenlets, complete and only while suspended.
def outer():
    here = 1
    inner_function()
    return here


def inner_function():
    local = "seen"
    main.switch(sys._getframe())
    return local


g = greenlet(outer)
frame = g.switch()
assert g.gr_frame is frame and frame.f_code is inner_function.__code__
assert frame.f_lineno == inner_function.__code__.co_firstlineno + 2
assert frame.f_locals["local"] == "seen"
assert frame.f_back.f_code is outer.__code__ and frame.f_back.f_locals["here"] == 1
assert frame.f_back.f_lineno == outer.__code__.co_firstlineno + 2
assert frame.f_back.f_back is None
g.switch()
assert g.gr_frame is None
assert greenlet(lambda: getcurrent().gr_frame).switch() is None


def caller():
    return greenlet(lambda: (main.gr_frame.f_code, main.gr_frame.f_back.f_back is None)).switch()


assert caller() == (caller.__code__, True)


def sorting():
    def key(n):
        main.switch(n)
        return n

    return sorted([2, 1], key=key)


g = greenlet(sorting)  # with a native frame between
g.switch()
frame = g.gr_frame
assert frame.f_code.co_name == "key" and frame.f_back.f_code is sorting.__code__ and frame.f_back.f_back is None
assert frame.f_lineno == sorting.__code__.co_firstlineno + 2
assert frame.f_back.f_lineno == sorting.__code__.co_firstlineno + 5
g.switch()
assert g.switch() == [1, 2]


def generating():
    def steps():
        yield 1
        main.switch(sys._getframe())
        yield 2

    return list(steps())


g = greenlet(generating)
frame = g.switch()
assert g.gr_frame is frame and frame.f_back.f_code is generating.__code__
assert g.switch() == [1, 2]


# The handled exception is the greenlet's own.
def handles():
    got = [sys.exc_info()[0]]
    try:
        raise ValueError
    except ValueError:
        got.append(sys.exc_info()[0])
        main.switch()
        got.append(sys.exc_info()[0])
    return got


def around():
    try:
        raise KeyError
    except KeyError:
        g = greenlet(handles)
        g.switch()
        assert sys.exc_info()[0] is KeyError
        got = g.switch()
        assert sys.exc_info()[0] is KeyError
        try:
            greenlet(fail).switch(OSError())
        except OSError as e:
            got.append(e.__context__)
    return got


assert around() == [None, ValueError, ValueError, None] and sys.exc_info() == (None, None, None)


# So is the depth of recursion.
def depth():
    n = 0

    def down():
        nonlocal n
        n += 1
        down()

    raises(RecursionError, None, down)
    return n


here = depth()
for _ in range(3):
    there = greenlet(depth).switch()
    assert abs(here - there) < 20, (here, there)

# The context.
var = contextvars.ContextVar("var", default=None)
var.set("main")
g = greenlet(lambda: (var.get(), var.set("own"), main.switch(), var.get())[3])
assert g.gr_context is None
g.switch()
assert var.get() == "main" and g.gr_context[var] == "own"
other = contextvars.Context()
other.run(var.set, "other")
kept = g.gr_context
g.gr_context = other
assert g.switch() == "other" and g.dead and g.gr_context is other and kept[var] == "own"
g.gr_context = None
assert g.gr_context is None
g = greenlet(var.get)
g.gr_context = other
assert g.switch() == "other" and g.gr_context is other
raises(TypeError, "greenlet context must be a contextvars.Context or None", setattr, g, "gr_context", 1)
raises(TypeError, "greenlet context must be a contextvars.Context or None", setattr, g, "gr_context", var)


def replaces():
    me = getcurrent()
    assert me.gr_context is None
    var.set(1)
    first = me.gr_context
    assert first[var] == 1
    me.gr_context = None
    assert var.get() is None and me.gr_context is None
    var.set(2)
    assert me.gr_context is not first
    me.gr_context = first
    return var.get()


assert greenlet(replaces).switch() == 1 and var.get() == "main"
many = []
for n in range(20):
    g = greenlet(lambda n: (main.switch(), var.get() == n)[1])
    g.gr_context = contextvars.Context()
    g.gr_context.run(var.set, n)
    g.switch(n)
    many.append(g)
gc.collect()
assert all(g.switch() for g in reversed(many))
first, second = greenlet(contextvars.copy_context().run), greenlet(contextvars.copy_context().run)
first.switch(main.switch)
second.switch(main.switch)
first.switch()
second.switch()
assert first.dead and second.dead and first.gr_context is None

# A native function as run, that raises where there is no frame.
g = greenlet(main.switch)
g.switch()
raises(KeyError, "'into'", g.throw, KeyError("into"))
g = greenlet(contextvars.Context().run)
g.switch(main.switch)
assert isinstance(g.throw(), GreenletExit)

# Left suspended and unreachable: ended by GreenletExit, as a child of who notices.
log = []


def waits(n):
    try:
        main.switch()
    except GreenletExit:
        log.append((n, getcurrent().parent is hub))
        raise
    finally:
        log.append(n)


hub = greenlet(lambda: None)
for n in range(50):
    greenlet(waits, hub).switch(n)
for _ in range(3):
    gc.collect()
assert len(log) >= 90, len(log)
assert not any(x[1] for x in log if type(x) is tuple) and not hub.dead
