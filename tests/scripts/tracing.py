# sys.settrace and sys.setprofile: which events, in which order, with which lines.
import gc
import sys
import threading
import warnings


def traced(f, *args, opcodes=False):
    events = []
    first = f.__code__.co_firstlineno

    def trace(frame, event, arg):
        if opcodes:
            frame.f_trace_opcodes = True
        if event == "exception":
            arg = arg[0].__name__
        if frame.f_code.co_filename == __file__:
            assert frame.f_lineno in lines_at(frame), (event, frame.f_lineno, frame.f_lasti)
            events.append((frame.f_lineno - first, event) + (() if arg is None else (arg,)))
        return trace

    sys.settrace(trace)
    try:
        f(*args)
    finally:
        sys.settrace(None)
    return events


def lines_at(frame):
    return [line for start, end, line in frame.f_code.co_lines() if start <= frame.f_lasti < end]


def lines(f, *args):
    return [e[0] for e in traced(f, *args) if e[1] == "line"]


def simple(n):
    x = 0
    for i in range(n):
        if i == 1:
            continue
        x += i
    return x


assert traced(simple, 3) == [
    (0, "call"),
    (1, "line"),
    (2, "line"), (3, "line"), (5, "line"),
    (2, "line"), (3, "line"), (4, "line"),
    (2, "line"), (3, "line"), (5, "line"),
    (2, "line"), (6, "line"), (6, "return", 2),
]


def nothing_done():
    pass
    "a constant"
    if True:
        pass
    else:
        unreachable
    while True:
        break
    try:
        pass
    except ValueError:
        pass
    else:
        pass
    finally:
        pass


assert lines(nothing_done) == [1, 2, 3, 4, 7, 8, 9, 10, 14, 16], lines(nothing_done)


def branches(x):
    if x:
        a = 1
    else:
        b = 2


assert traced(branches, 1) == [(0, "call"), (1, "line"), (2, "line"), (2, "return")]
assert traced(branches, 0) == [(0, "call"), (1, "line"), (4, "line"), (4, "return")]


def no_else(x):
    if x:
        a = 1


assert traced(no_else, 0) == [(0, "call"), (1, "line"), (1, "return")]
assert traced(no_else, 1) == [(0, "call"), (1, "line"), (2, "line"), (2, "return")]


def one_line(n):
    while n: n -= 1


assert lines(one_line, 3) == [1, 1, 1, 1]


def several_lines(x):
    y = (x
         if x
         else 0)
    return y


assert lines(several_lines, 1)[-1] == 4


def raising():
    try:
        1 / 0
    except ZeroDivisionError:
        return 5


assert traced(raising) == [
    (0, "call"), (1, "line"), (2, "line"), (2, "exception", "ZeroDivisionError"), (3, "line"), (4, "line"),
    (4, "return", 5),
]


def inner():
    raise ValueError


def outer():
    try:
        inner()
    finally:
        x = 1


def catches():
    try:
        outer()
    except ValueError:
        pass


events = traced(catches)
assert [e[1] for e in events] == [
    "call", "line", "line",
    "call", "line", "line",
    "call", "line", "exception", "return",
    "exception", "line", "return",
    "exception", "line", "line", "return",
], events


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        return True


def managed():
    with Manager():
        raise KeyError
    return 1


kinds = [e[:2] for e in traced(managed) if 0 <= e[0] < 5]
assert kinds == [(0, "call"), (1, "line"), (2, "line"), (2, "exception"), (1, "line"), (3, "line"), (3, "return")], kinds


def numbers():
    x = yield 1
    yield 2


def consumes():
    for n in numbers():
        pass


start = numbers.__code__.co_firstlineno - consumes.__code__.co_firstlineno
assert traced(consumes) == [
    (0, "call"), (1, "line"),
    (start, "call"), (start + 1, "line"), (start + 1, "return", 1), (2, "line"), (1, "line"),
    (start + 1, "call"), (start + 2, "line"), (start + 2, "return", 2), (2, "line"), (1, "line"),
    (start + 2, "call"), (start + 2, "return"),
    (1, "return"),
], traced(consumes)


def throws():
    g = numbers()
    next(g)
    try:
        g.throw(ValueError)
    except ValueError:
        pass


kinds = [e[1] for e in traced(throws)]
assert kinds == [
    "call", "line", "line", "call", "line", "return", "line", "line",
    "call", "exception", "return", "exception", "line", "line", "return",
], kinds


async def waits():
    return 1


async def awaits():
    return await waits()


def drives():
    try:
        awaits().send(None)
    except StopIteration as e:
        return e.value


assert [e[1] for e in traced(drives)].count("call") == 3


# A trace function that returns None is told of nothing more in that frame; f_trace is kept per frame.
told = []


def only_calls(frame, event, arg):
    told.append((event, frame.f_code.co_name))


sys.settrace(only_calls)
simple(2)
sys.settrace(None)
assert told == [("call", "simple")], told

# f_trace_lines and f_trace_opcodes.
told = []


def without_lines(frame, event, arg):
    frame.f_trace_lines = False
    told.append(event)
    return without_lines


sys.settrace(without_lines)
simple(3)
sys.settrace(None)
assert told == ["call", "return"], told
assert "opcode" in [e[1] for e in traced(simple, 1, opcodes=True)]
assert "opcode" not in [e[1] for e in traced(simple, 1)]

# An exception in the trace function ends tracing, and is raised where it was.


def fails(frame, event, arg):
    if event == "line":
        raise RuntimeError("told")
    return fails


sys.settrace(fails)
try:
    simple(1)
except RuntimeError as e:
    assert str(e) == "told"
else:
    assert False
assert sys.gettrace() is None

# Nothing is told of what a trace function does, but by way of sys.call_tracing.
told = []


def calls(frame, event, arg):
    if event == "call":
        told.append(frame.f_code.co_name)
        if frame.f_code.co_name == "branches":
            simple(1)
            sys.call_tracing(no_else, (1,))


sys.settrace(calls)
branches(1)
sys.settrace(None)
assert told == ["branches", "no_else"], told


# A frame that runs already is traced when its f_trace is set.
def later():
    def trace(frame, event, arg):
        told.append((event, frame.f_lineno))
        return trace

    sys.settrace(lambda *args: None)
    sys._getframe().f_trace = trace
    x = 1
    sys.settrace(None)
    return x


told = []
later()
line = later.__code__.co_firstlineno
assert told == [("line", line + 7), ("line", line + 8)], told


# setprofile
def profiled(f, *args):
    events = []

    def profile(frame, event, arg):
        if event.startswith("c_"):
            arg = arg.__name__
        events.append((event, frame.f_code.co_name) + (() if arg is None else (arg,)))

    sys.setprofile(profile)
    f(*args)
    sys.setprofile(None)
    return events[:-1]


def calls_natives():
    len([])
    [].append(1)
    try:
        int("x")
        [][1]
        {}.popitem()
    except (ValueError, KeyError):
        pass
    return sorted([2, 1], key=lambda x: x)


assert profiled(calls_natives) == [
    ("call", "calls_natives"),
    ("c_call", "calls_natives", "len"), ("c_return", "calls_natives", "len"),
    ("c_call", "calls_natives", "append"), ("c_return", "calls_natives", "append"),
    ("c_call", "calls_natives", "sorted"),
    ("call", "<lambda>"), ("return", "<lambda>", 2), ("call", "<lambda>"), ("return", "<lambda>", 1),
    ("c_return", "calls_natives", "sorted"),
    ("return", "calls_natives", [1, 2]),
], profiled(calls_natives)


def native_raises():
    try:
        {}.popitem()
    except KeyError:
        pass


assert [e[0] for e in profiled(native_raises)] == ["call", "c_call", "c_exception", "return"]

# Each thread has its own; threading.settrace is for new ones, settrace_all_threads for those that run.
told = []
threading.settrace(lambda frame, event, arg: told.append(frame.f_code.co_name))
t = threading.Thread(target=simple, args=(1,))
t.start()
t.join()
threading.settrace(None)
assert "simple" in told and sys.gettrace() is None
told.clear()
simple(1)
assert told == []

ready, go = threading.Event(), threading.Event()


def waiting():
    ready.set()
    go.wait()
    simple(1)


t = threading.Thread(target=waiting)
t.start()
ready.wait()
threading.settrace_all_threads(lambda frame, event, arg: told.append(frame.f_code.co_name))
assert sys.gettrace() is not None
go.set()
t.join()
threading.settrace_all_threads(None)
assert "simple" in told and sys.gettrace() is None


# f_lineno: a trace function makes its frame go on elsewhere.
def jumping(f, at, to):
    first = f.__code__.co_firstlineno

    def trace(frame, event, arg):
        if frame.f_code is f.__code__ and event == "line" and frame.f_lineno == first + at:
            sys.settrace(None)
            frame.f_trace = None
            frame.f_lineno = first + to
            return None
        return trace

    out = []
    sys.settrace(trace)
    try:
        f(out)
    finally:
        sys.settrace(None)
    return out


def skips(out):
    out.append(1)
    out.append(2)
    out.append(3)


def tell_once(f, at, to):
    first = f.__code__.co_firstlineno
    done = []

    def trace(frame, event, arg):
        if frame.f_code is f.__code__ and event == "line" and frame.f_lineno == first + at and not done:
            done.append(1)
            frame.f_lineno = first + to
        return trace

    out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.settrace(trace)
        try:
            f(out)
        finally:
            sys.settrace(None)
    return out


assert tell_once(skips, 2, 3) == [1, 3]
assert tell_once(skips, 3, 1) == [1, 2, 1, 2, 3]


def has_blocks(out):
    out.append(1)
    for i in (1, 2):
        out.append(i + 2)
    try:
        out.append(5)
    except ValueError:
        out.append(7)
    with Manager():
        out.append(9)
    out.append(10)


assert tell_once(has_blocks, 3, 10) == [1, 10]
assert tell_once(has_blocks, 1, 5) == [5, 9, 10]
for at, to, text in [
    (1, 3, "can't jump into the body of a for loop"),
    (1, 7, "can't jump into an 'except' block as there's no exception"),
    (1, 9, "incompatible stacks"),
    (1, 100, "comes after the current code block"),
    (1, -3, "comes before the current code block"),
]:
    try:
        tell_once(has_blocks, at, to)
    except ValueError as e:
        assert text in str(e), (at, to, e)
    else:
        assert False, (at, to)
try:
    sys._getframe().f_lineno = 1
except ValueError as e:
    assert str(e) == "f_lineno can only be set in a trace function"
else:
    assert False


# Compiled loops tell of everything as well, from when it is wanted.
def busy(n, start_at):
    total = 0
    for i in range(n):
        if i == start_at:
            sys.settrace(counts)
            sys._getframe().f_trace = counts
        total += i
    sys.settrace(None)
    return total


def counts(frame, event, arg):
    global count
    if event == "line":
        count += 1
    return counts


count = 0
assert busy(40000, 30000) == sum(range(40000))
assert count == 1 + (40000 - 30000 - 1) * 3 + 2, count
count = 0
assert busy(40000, -1) == sum(range(40000)) and count == 0

# What is found of globals while somebody looks on, and is gone when he does no longer, is looked up again.
def looks_up():
    return later, len


def looked_at():
    global later
    for n in range(5):
        later = n
        assert looks_up() == (n, len) and looks_up() == (n, len)
        if n % 2:
            sys.setprofile(lambda *_: None)
            assert looks_up() == (n, len)
        del later
        gc.collect()
        later = -n
        sys.setprofile(None)
        assert looks_up() == (-n, len)


looked_at()
