# Skein alone
# Codes that programs put together, from the parts that codes show.
import types


def refused(error, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as e:
        return str(e)
    raise AssertionError(f"{error.__name__} was not raised")


def parts(co, **changes):
    names = (
        "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames filename name "
        "qualname firstlineno linetable exceptiontable freevars cellvars"
    ).split()
    return [changes.get(n, getattr(co, "co_" + n)) for n in names]


def plain(a, b=2, *, c=3):
    return a + b * c


made = types.CodeType(*parts(plain.__code__))
for name in dir(made):
    if name.startswith("co_") and name != "co_lnotab":
        shown = getattr(made, name)
        assert callable(shown) or shown == getattr(plain.__code__, name), name
f = types.FunctionType(made, globals(), "f", (2,), None, {"c": 3})
assert f(1) == 7

# The verifier has the last word.
refused(ValueError, types.CodeType, *parts(plain.__code__, nlocals=2))
refused(ValueError, types.CodeType, *parts(plain.__code__, code=b"\xff\xff\xff\xff"))
refused(ValueError, types.CodeType, *parts(plain.__code__, code=b"abc"))
refused(ValueError, types.CodeType, *parts(plain.__code__, code=b""))
refused(ValueError, types.CodeType, *parts(plain.__code__, stacksize=0))
refused(ValueError, types.CodeType, *parts(plain.__code__, argcount=-1))
refused(TypeError, types.CodeType)
refused(TypeError, types.CodeType, *parts(plain.__code__, names=(1,)))
refused(TypeError, types.CodeType, *parts(plain.__code__, name=1))

# Constants, names and code by replace().
def constant():
    return 41000


assert types.FunctionType(constant.__code__.replace(co_consts=tuple(
    42000 if c == 41000 else c for c in constant.__code__.co_consts
)), {})() == 42000
refused(ValueError, constant.__code__.replace, co_consts=())


def named():
    return first.second


new = {"first": "other", "second": "attr"}
renamed = named.__code__.replace(co_names=tuple(new[n] for n in named.__code__.co_names))
assert sorted(renamed.co_names) == ["attr", "other"]
assert types.FunctionType(renamed, {"other": types.SimpleNamespace(attr=5)})() == 5
refused(ValueError, named.__code__.replace, co_names=("one",))
refused(TypeError, named.__code__.replace, co_names=("one", 2))


def variables(x):
    y = x
    return locals()


changed = variables.__code__.replace(co_varnames=("p", "q"))
assert changed.co_varnames == ("p", "q")
assert types.FunctionType(changed, {})(1) == {"p": 1, "q": 1}
refused(ValueError, variables.__code__.replace, co_varnames=("p",))
refused(ValueError, variables.__code__.replace, co_nlocals=7)

plus, times = (lambda x, y: x + y).__code__, (lambda x, y: x * y).__code__
swapped = plus.replace(co_code=times.co_code)
assert swapped != plus and types.FunctionType(swapped, {})(3, 4) == 12

counted = (lambda x, y, *, z=1, w=1: 1).__code__.replace(co_posonlyargcount=2)
assert counted.co_posonlyargcount == 2
refused(ValueError, counted.replace, co_posonlyargcount=3)
refused(TypeError, counted.replace, nonsense=1)
refused(TypeError, counted.replace, 1)


def guarded():
    try:
        missing()
    except NameError:
        return "caught"


assert types.FunctionType(guarded.__code__, {})() == "caught"
bare = guarded.__code__.replace(co_exceptiontable=b"")
assert bare != guarded.__code__
refused(NameError, types.FunctionType(bare, {}))
refused(ValueError, guarded.__code__.replace, co_exceptiontable=b"abcd")


def closes(a):
    def inner():
        return a

    return inner


inner = next(c for c in closes.__code__.co_consts if isinstance(c, types.CodeType))
other = inner.replace(co_freevars=("b",))
assert other.co_freevars == ("b",)
assert closes.__code__.replace(co_consts=tuple(
    other if c is inner else c for c in closes.__code__.co_consts
)).co_consts.count(other) == 1
