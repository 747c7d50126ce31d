import contextvars
import gc
from contextvars import Context, ContextVar, Token, copy_context


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert type(e) is kind, type(e)
        assert text is None or text == str(e), str(e)
        return e
    raise AssertionError(f"{kind.__name__} expected")


# Variables.
plain = ContextVar("plain")
with_default = ContextVar("with_default", default=[1])
assert plain.name == "plain" and with_default.get() == [1]
assert plain.get(5) == 5 and with_default.get(5) == 5
assert raises(LookupError, None, plain.get).args == (plain,)
assert repr(plain) == f"<ContextVar name='plain' at {id(plain):#x}>"
assert repr(with_default) == f"<ContextVar name='with_default' default=[1] at {id(with_default):#x}>"
assert str(ContextVar[int]) == "_contextvars.ContextVar[int]"
assert str(Token[int]) == "_contextvars.Token[int]"
raises(TypeError, "context variable name must be a str", ContextVar, 1)
raises(TypeError, "ContextVar() takes exactly 1 positional argument (0 given)", ContextVar)
raises(TypeError, "ContextVar() takes at most 1 positional argument (2 given)", ContextVar, "a", "b")
raises(TypeError, "ContextVar() got an unexpected keyword argument 'x'", ContextVar, "a", x=1)
raises(TypeError, "ContextVar() takes at most 2 arguments (3 given)", ContextVar, "a", default=1, x=2)
raises(TypeError, None, plain.set)
raises(TypeError, "get expected at most 1 argument, got 2", plain.get, 1, 2)
raises(AttributeError, None, setattr, plain, "name", "x")
raises(AttributeError, None, setattr, plain, "other", "x")
for kind in ContextVar, Token, Context:
    raises(TypeError, None, type, "Sub", (kind,), {})
assert hash(plain) == hash(plain) and plain != with_default

# Tokens.
first = plain.set(1)
assert first.var is plain and first.old_value is Token.MISSING and repr(Token.MISSING) == "<Token.MISSING>"
second = plain.set(2)
assert second.old_value == 1 and plain.get() == 2
assert repr(second) == f"<Token var={plain!r} at {id(second):#x}>"
plain.reset(second)
assert plain.get() == 1
assert repr(second) == f"<Token used var={plain!r} at {id(second):#x}>"
raises(RuntimeError, f"{second!r} has already been used once", plain.reset, second)
raises(ValueError, f"{first!r} was created by a different ContextVar", with_default.reset, first)
raises(ValueError, f"{first!r} was created in a different Context", copy_context().run, plain.reset, first)
raises(TypeError, "expected an instance of Token, got 1", plain.reset, 1)
plain.reset(first)
raises(LookupError, None, plain.get)
raises(RuntimeError, "Tokens can only be created by ContextVars", Token)
raises(TypeError, None, hash, first)

if hasattr(Token, "__enter__"):  # 3.14
    with plain.set("inside") as token:
        assert plain.get() == "inside" and token.var is plain
    assert plain.get("none") == "none"

    def reset_too_early():
        with plain.set(1) as token:
            plain.reset(token)

    raises(RuntimeError, None, reset_too_early)

# Contexts.
empty = Context()
assert len(empty) == 0 and list(empty) == [] and plain not in empty
assert empty == Context() and empty != 1 and not empty == 1
assert repr(empty) == f"<_contextvars.Context object at {id(empty):#x}>"
raises(TypeError, "Context() does not accept any arguments", Context, 1)
raises(TypeError, "Context() does not accept any arguments", Context, a=1)
raises(TypeError, None, hash, empty)
raises(TypeError, "a ContextVar key was expected, got 1", empty.get, 1)
raises(TypeError, "a ContextVar key was expected, got 'x'", empty.__contains__, "x")
assert raises(KeyError, None, empty.__getitem__, plain).args == (plain,)
assert empty.get(plain) is None and empty.get(plain, 4) == 4


def body(*args, **kwargs):
    assert copy_context() == Context() or plain.get() is not None
    plain.set(("body", args, kwargs))
    return plain.get()


assert empty.run(body, 1, x=2) == ("body", (1,), {"x": 2})
raises(LookupError, None, plain.get)
assert empty[plain] == ("body", (1,), {"x": 2}) and len(empty) == 1 and plain in empty
assert list(empty) == [plain] and list(empty.keys()) == [plain]
assert list(empty.values()) == [("body", (1,), {"x": 2})]
assert list(empty.items()) == [(plain, ("body", (1,), {"x": 2}))] and len(empty.items()) == 1
copied = empty.copy()
assert copied == empty and copied is not empty
assert copied.run(plain.set, 7).old_value == ("body", (1,), {"x": 2})
assert copied != empty and empty[plain] != 7
raises(TypeError, "run() missing 1 required positional argument", empty.run)

# Entered contexts.
raises(RuntimeError, f"cannot enter context: {empty!r} is already entered", empty.run, empty.run, len)


def again():
    raises(RuntimeError, f"cannot enter context: {empty!r} is already entered", empty.run, len, ())
    return plain.get()


assert empty.run(again) == ("body", (1,), {"x": 2})


def fails():
    plain.set("left by an exception")
    raise ZeroDivisionError("from inside")


raises(ZeroDivisionError, "from inside", empty.run, fails)
assert empty[plain] == "left by an exception"
raises(TypeError, "'int' object is not callable", empty.run, 1)
raises(TypeError, None, empty.run, fails, 1)
assert empty.run(len, "abc") == 3


def nested(depth):
    plain.set(depth)
    if depth:
        inner = copy_context().run(nested, depth - 1)
        assert plain.get() == depth
        return inner + 1
    return 0


assert Context().run(nested, 50) == 50
raises(LookupError, None, plain.get)


class Made:
    def __init__(self, n):
        self.n = n, plain.get()


def make():
    plain.set("made")
    return copy_context().run(Made, 3).n


assert Context().run(make) == (3, "made")


# A generator runs in the context of whoever resumes it.
def steps():
    while True:
        yield plain.get("nothing")


g = steps()
assert next(g) == "nothing"
other = Context()
other.run(plain.set, "other")
assert other.run(next, g) == "other" and other.run(g.send, None) == "other" and next(g) == "nothing"


class Sorted:
    def __init__(self, n):
        self.n = n

    def __lt__(self, o):
        return other.run(plain.get) == "other" and self.n < o.n


assert [s.n for s in sorted(map(Sorted, [3, 1, 2]))] == [1, 2, 3]

# Many variables: the map against a dict.
names = [ContextVar(f"v{i}") for i in range(300)]
seed = 12345


def pick(n):
    global seed
    seed = (seed * 1103515245 + 12345) % 2**31
    return (seed >> 8) % n


def exercise():
    model, tokens, kept = {}, [], []
    for step in range(4000):
        if tokens and pick(3) == 0:
            var, token, old = tokens.pop()
            var.reset(token)
            if old is Token.MISSING:
                del model[var]
            else:
                model[var] = old
        else:
            var = names[pick(len(names))]
            old = model.get(var, Token.MISSING)
            tokens.append((var, var.set(step), old))
            model[var] = step
        if step % 200 == 0:
            kept.append((copy_context(), dict(model)))
    for context, expected in kept:
        assert len(context) == len(expected)
        assert dict(context.items()) == expected
        assert all(context[v] == x for v, x in expected.items())
        assert all((v in context) == (v in expected) for v in names)
        assert context == context.copy()
    return copy_context() == copy_context()


assert Context().run(exercise)
gc.collect()

# Equality is of the values.
left, right = Context(), Context()
for context in left, right:
    context.run(plain.set, [1])
    context.run(with_default.set, 2)
assert left == right and not left != right
right.run(with_default.set, 3)
assert left != right

import collections.abc
import weakref

assert isinstance(left, collections.abc.Mapping) or not hasattr(Token, "__enter__")
assert weakref.ref(left)() is left

import decimal

with decimal.localcontext() as ctx:
    ctx.prec = 5
    assert str(decimal.Decimal(1) / 3) == "0.33333"
assert decimal.getcontext().prec == 28
