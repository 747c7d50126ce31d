"""Hooks of sys."""
import sys
import io

for name in ("displayhook", "excepthook", "unraisablehook", "breakpointhook"):
    assert getattr(sys, name) is getattr(sys, "__%s__" % name), name


def shown(f, *args):
    old, sys.stderr = sys.stderr, io.StringIO()
    try:
        f(*args)
        return sys.stderr.getvalue()
    finally:
        sys.stderr = old


try:
    1 / 0
except ZeroDivisionError as e:
    error = e
text = shown(sys.excepthook, type(error), error, error.__traceback__)
assert text.startswith("Traceback (most recent call last):\n"), text
assert text.endswith("ZeroDivisionError: division by zero\n"), text
assert "Exception expected for value, int found" in shown(sys.excepthook, int, 3, None)


# Unraisable exceptions go through the hook.
class Broken:
    def __del__(self):
        raise ValueError("in __del__")


import gc

seen = []
sys.unraisablehook = seen.append
Broken()
gc.collect()
sys.unraisablehook = sys.__unraisablehook__
assert len(seen) == 1 and type(seen[0].exc_value) is ValueError, seen
text = shown(sys.unraisablehook, seen[0])
assert "Exception ignored" in text and "ValueError: in __del__" in text, text
del seen[:]

# Hooks of async generators.
before = sys.get_asyncgen_hooks()
assert before == (None, None) and before.firstiter is None
firsts, lasts = [], []
sys.set_asyncgen_hooks(firstiter=firsts.append, finalizer=lambda g: lasts.append(g.__name__))
assert sys.get_asyncgen_hooks().firstiter == firsts.append


async def agen():
    try:
        yield 1
    finally:
        pass


async def use():
    async for x in agen():
        break


try:
    use().send(None)
except StopIteration:
    pass
assert len(firsts) == 1 and firsts[0].__name__ == "agen"
del firsts[:]
sys.set_asyncgen_hooks(*before)
assert sys.get_asyncgen_hooks() == (None, None)
try:
    sys.set_asyncgen_hooks(firstiter=1)
except TypeError as e:
    assert "firstiter" in str(e)
else:
    raise AssertionError("hooks must be callable")

# breakpoint()
calls = []
sys.breakpointhook = lambda *args, **kw: calls.append((args, kw)) or 5
assert breakpoint(1, a=2) == 5 and calls == [((1,), {"a": 2})]
sys.breakpointhook = sys.__breakpointhook__

# What site adds.
assert "exit" in repr(exit) and callable(quit)
try:
    raise SystemExit(3)
except SystemExit as e:
    assert e.code == 3
