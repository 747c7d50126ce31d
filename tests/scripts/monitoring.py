# sys.monitoring (PEP 669).
import sys

M = sys.monitoring
E = M.events
TOOL, OTHER = 2, 3
ALL = [n for n in dir(E) if n.isupper() and n not in ("NO_EVENTS", "BRANCH")]


def fails(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "nothing was raised"


# Tools and sets of events.
assert M.get_tool(TOOL) is None
assert fails(ValueError, M.set_events, TOOL, E.LINE) == "tool 2 is not in use"
M.use_tool_id(TOOL, "test")
assert M.get_tool(TOOL) == "test"
assert fails(ValueError, M.use_tool_id, TOOL, "again") == "tool 2 is already in use"
assert "invalid tool 6" in fails(ValueError, M.use_tool_id, 6, "test")
M.set_events(TOOL, E.LINE | E.RAISE)
assert M.get_events(TOOL) == E.LINE | E.RAISE and M._all_events() == {"LINE": 4, "RAISE": 4}
M.set_events(TOOL, 0)
assert fails(ValueError, M.set_events, TOOL, E.C_RETURN) == "cannot set C_RETURN or C_RAISE events independently"
assert "invalid event set" in fails(ValueError, M.set_events, TOOL, 1 << 30)
assert "invalid local event set" in fails(ValueError, M.set_local_events, TOOL, fails.__code__, E.RAISE)
assert M.register_callback(TOOL, E.LINE, len) is None and M.register_callback(TOOL, E.LINE, None) is len


def told(f, *names, tool=TOOL, local=False):
    out = []

    def teller(name):
        def callback(code, *args):
            if code.co_filename == __file__ and code is not told.__code__:
                shown = [type(a).__name__ if isinstance(a, BaseException) else a for a in args]
                if name == "LINE":
                    shown[0] -= f.__code__.co_firstlineno
                out.append((name, code.co_name, *shown))
        return callback

    events = 0
    for n in names:
        events |= getattr(E, n)
        M.register_callback(tool, getattr(E, n), teller(n))
    if local:
        M.set_local_events(tool, f.__code__, events)
    else:
        M.set_events(tool, events)
    try:
        f()
    finally:
        if local:
            M.set_local_events(tool, f.__code__, 0)
        else:
            M.set_events(tool, 0)
        for n in names:
            M.register_callback(tool, getattr(E, n), None)
    return out


def callee(x):
    return x + 1


def simple():
    y = callee(1)
    return len([y])


assert [e[:2] for e in told(simple, "PY_START", "PY_RETURN")] == [
    ("PY_START", "simple"), ("PY_START", "callee"), ("PY_RETURN", "callee"), ("PY_RETURN", "simple")
]
calls = told(simple, "CALL", "C_RETURN", "C_RAISE")
assert [e[0] for e in calls] == ["CALL", "CALL", "C_RETURN"]
assert calls[0][3:] == (callee, 1) and calls[1][3:] == (len, [2]) == calls[2][3:]
assert told(simple, "LINE", local=True) == [("LINE", "simple", 1), ("LINE", "simple", 2)]
assert told(simple, "PY_START", local=True) == [("PY_START", "simple", 0)]


class Class:
    def method(self):
        return super().__repr__()


def methods():
    Class().method()
    [].append(3)
    callee(*[1])
    dict(a=1)


calls = [e[3:] for e in told(methods, "CALL") if e[1] == "methods"]
assert calls[0] == (Class, M.MISSING) and calls[1][0] is Class.method and type(calls[1][1]) is Class
assert calls[2][1] == [3] and calls[3] == (callee, 1) and calls[4] == (dict, 1), calls


def gen():
    yield 1
    yield 2


def iterates():
    for x in gen():
        pass


names = [e[0] for e in told(iterates, "PY_START", "PY_RESUME", "PY_YIELD", "PY_RETURN", "STOP_ITERATION")]
assert names == [
    "PY_START", "PY_START", "PY_YIELD", "PY_RESUME", "PY_YIELD", "PY_RESUME", "PY_RETURN", "STOP_ITERATION", "PY_RETURN"
], names


def raises():
    raise ValueError


def catches():
    try:
        raises()
    except KeyError:
        pass
    except ValueError:
        pass


def reraises():
    try:
        try:
            raises()
        finally:
            x = 1
    except ValueError:
        pass


EXC = ("RAISE", "EXCEPTION_HANDLED", "PY_UNWIND", "RERAISE")
assert [e[:2] for e in told(catches, *EXC)] == [
    ("RAISE", "raises"), ("PY_UNWIND", "raises"), ("RAISE", "catches"), ("EXCEPTION_HANDLED", "catches")
]
events = [e[:2] for e in told(reraises, *EXC)]
assert events[:5] == [
    ("RAISE", "raises"), ("PY_UNWIND", "raises"), ("RAISE", "reraises"), ("EXCEPTION_HANDLED", "reraises"),
    ("RERAISE", "reraises"),
] and events[-1] == ("EXCEPTION_HANDLED", "reraises"), events


def throws():
    g = gen()
    next(g)
    try:
        g.throw(KeyError)
    except KeyError:
        pass


assert [e[0] for e in told(throws, "PY_THROW", "PY_UNWIND", "C_RAISE", "C_RETURN", "CALL") if e[0] != "C_RETURN"] == [
    "CALL", "CALL", "CALL", "PY_THROW", "PY_UNWIND", "C_RAISE"
]


class Truth:
    def __init__(self, t):
        self.t = t

    def __bool__(self):
        return self.t

    def __lt__(self, other):
        return self.t


def branches():
    for i in (1, 2):
        if Truth(i == 1):
            x = 1
        y = 2
    if Truth(False) < 1:
        z = 3


names = [e[0] for e in told(branches, "BRANCH_LEFT", "BRANCH_RIGHT") if e[1] == "branches"]
assert names == [
    "BRANCH_LEFT", "BRANCH_LEFT", "BRANCH_LEFT", "BRANCH_RIGHT", "BRANCH_RIGHT", "BRANCH_RIGHT"
], names
jumps = told(branches, "JUMP")
assert jumps and all(e[3] != e[2] for e in jumps)
offsets = [e[2] for e in told(simple, "INSTRUCTION", local=True)]
assert offsets == sorted(set(offsets)) and len(offsets) > 4

# DISABLE, and that it is undone.
lines = []


def once(code, line):
    lines.append(line)
    return M.DISABLE


M.register_callback(TOOL, E.LINE, once)
M.set_local_events(TOOL, iterates.__code__, E.LINE)
for i in range(3):
    iterates()
places = len(lines)
assert set(lines) == {iterates.__code__.co_firstlineno + 1, iterates.__code__.co_firstlineno + 2} and places < 4, lines
M.restart_events()
iterates()
assert len(lines) == 2 * places
M.set_local_events(TOOL, iterates.__code__, 0)
iterates()
assert len(lines) == 2 * places


def not_disabled(code, offset, e):
    return M.DISABLE


M.register_callback(TOOL, E.RAISE, not_disabled)
M.set_events(TOOL, E.RAISE)
try:
    raises()
except ValueError as e:
    assert str(e) == "Cannot disable RAISE events. Callback removed.", e
M.set_events(TOOL, 0)

# Two tools; errors of callbacks.
M.use_tool_id(OTHER, "other")
counts = {TOOL: 0, OTHER: 0}


def counter(tool):
    def count(*args):
        counts[tool] += 1
        if tool == OTHER:
            return M.DISABLE
    return count


for tool in counts:
    M.register_callback(tool, E.PY_START, counter(tool))
    M.set_local_events(tool, callee.__code__, E.PY_START)
for i in range(5):
    callee(i)
assert counts == {TOOL: 5, OTHER: 1}
for tool in counts:
    M.set_local_events(tool, callee.__code__, 0)
M.free_tool_id(OTHER)
assert M.get_tool(OTHER) is None


def bad(*args):
    raise RuntimeError("from a callback")


M.register_callback(TOOL, E.PY_START, bad)
M.set_local_events(TOOL, callee.__code__, E.PY_START)
assert fails(RuntimeError, callee, 1) == "from a callback"
M.set_local_events(TOOL, callee.__code__, 0)
assert callee(1) == 2


# A loop that is compiled is no hiding place.
def busy(n, when):
    total = 0
    for i in range(n):
        if i == when:
            M.set_local_events(TOOL, busy.__code__, E.LINE)
        total += i
    return total


def count_line(code, line):
    global count
    count += 1


count = 0
M.register_callback(TOOL, E.LINE, count_line)
assert busy(40000, 30000) == sum(range(40000))
M.set_local_events(TOOL, busy.__code__, 0)
assert count == 1 + (40000 - 30000 - 1) * 3 + 2, count
count = 0
assert busy(40000, -1) == sum(range(40000)) and count == 0

M.free_tool_id(TOOL)
assert M._all_events() == {}
