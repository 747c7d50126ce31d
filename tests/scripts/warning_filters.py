# _warnings: who decides about warnings, and where they are said to come from.
import sys
import warnings
import _warnings

assert warnings.warn is _warnings.warn and warnings.filters is _warnings.filters
assert warnings.onceregistry is _warnings._onceregistry and warnings.defaultaction == "default"
assert not hasattr(_warnings.warn, "__code__")


def caught(action, times=2, **keywords):
    with warnings.catch_warnings(record=True) as log:
        warnings.resetwarnings()
        warnings.simplefilter(action)
        for _ in range(times):
            warnings.warn("w", **keywords)
    return log


assert [str(w.message) for w in caught("always")] == ["w", "w"]
assert len(caught("default")) == 1 and len(caught("module")) == 1 and caught("ignore") == []
(w,) = caught("once")
assert w.category is UserWarning and w.filename == __file__ and w.lineno == 16
(w,) = caught("default", stacklevel=2)
assert w.lineno == 24
(w,) = caught("default", times=1, stacklevel=99)
assert (w.filename, w.lineno) == ("<sys>", 0)
(w,) = caught("default", category=ImportWarning, source=w, times=1)
assert w.category is ImportWarning and w.source is not None

with warnings.catch_warnings():
    warnings.simplefilter("error")
    try:
        warnings.warn(DeprecationWarning("gone"))
    except DeprecationWarning as e:
        assert e.args == ("gone",)
    else:
        raise AssertionError

with warnings.catch_warnings(record=True) as log:
    warnings.resetwarnings()
    warnings.filterwarnings("ignore", message="not th", module="here")
    warnings.warn_explicit("not this", UserWarning, "f.py", 3, module="here")
    warnings.warn_explicit("not this", UserWarning, "there.py", 4)
    warnings.warn_explicit("but this", UserWarning, "f.py", 5, module="here", registry={})
assert [(str(w.message), w.filename, w.lineno) for w in log] == [("not this", "there.py", 4), ("but this", "f.py", 5)]


def raises(text, kind, f, *args, **keywords):
    try:
        f(*args, **keywords)
    except kind as e:
        assert text in str(e), e
    else:
        raise AssertionError(text)


raises("category must be a Warning subclass, not ", TypeError, warnings.warn, "w", int)
raises("must be tuple, not list", TypeError, warnings.warn, "w", skip_file_prefixes=[])
raises("Found non-str 'int' in skip_file_prefixes.", TypeError, warnings.warn, "w", skip_file_prefixes=(1,))
raises("'registry' must be a dict or None", TypeError, warnings.warn_explicit, "w", UserWarning, "f", 1, registry=1)
raises("module_globals must be a dict", TypeError, warnings.warn_explicit, "w", UserWarning, "f", 1, module_globals=1)
with warnings.catch_warnings():
    warnings.filters[:] = [("strange", None, Warning, None, 0)]
    with warnings._lock:
        warnings._filters_mutated_lock_held()
    raises("Unrecognized action ('strange') in warnings.filters", RuntimeError, warnings.warn, "w")
    warnings.filters[:] = ["no filter"]
    with warnings._lock:
        warnings._filters_mutated_lock_held()
    raises("item 0 isn't a 5-tuple", ValueError, warnings.warn, "w")
raises("warnings lock is not held", RuntimeError, warnings._filters_mutated_lock_held)


# Numbers that special methods give as instances of subclasses.
class Int(int):
    pass


class Float(float):
    pass


class Number:
    def __index__(self):
        return Int(3)

    def __float__(self):
        return Float(2)


for f, result, text in [
    (lambda: int(Number()), 3, "__index__ returned non-int (type Int)."),
    (lambda: float(Number()), 2.0, "Number.__float__ returned non-float (type Float)."),
    (lambda: [1, 2, 3, 4][Number()], 4, "__index__ returned non-int (type Int)."),
    (lambda: complex(1j, 1), 2j, "complex() argument 'real' must be a real number, not complex"),
]:
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        got = f()
        assert got == result and type(got) is type(result)
    assert [w.category for w in log] == [DeprecationWarning] and str(log[0].message).startswith(text), log[0]

yes = True
with warnings.catch_warnings(record=True) as log:
    warnings.simplefilter("always")
    assert ~yes == -2
assert str(log[0].message).startswith("Bitwise inversion '~' on bool is deprecated")
assert float(memoryview(b" 1.5")) == 1.5 and int(memoryview(b"12")) == 12
