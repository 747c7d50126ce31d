# Python 3.14
# Type parameters, type aliases and the types behind them (PEP 695, 696, 649).

import copy
import types
from typing import (
    Annotated,
    Generic,
    NoDefault,
    ParamSpec,
    ParamSpecArgs,
    TypeAliasType,
    TypeVar,
    TypeVarTuple,
    Union,
    Unpack,
)


def error(kind, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        return str(e)
    raise AssertionError("no error")


# ---- functions


def first[T](xs: list[T]) -> T:
    return xs[0]


(T,) = first.__type_params__
assert type(T) is TypeVar and T.__name__ == "T" and repr(T) == "T" and T.__infer_variance__
assert first.__annotations__ == {"xs": list[T], "return": T}
assert first([3]) == 3 and first.__name__ == first.__qualname__ == "first"
assert (lambda: 0).__code__ and not error.__type_params__

seen = []


def log(x):
    seen.append(x)
    return x


@log
def f[T, *Ts, **P](a=log(1), *, b=log(2)) -> tuple[T, *Ts]:
    return a, b


assert seen == [1, 2, f] and f() == (1, 2) and f(5, b=6) == (5, 6)
T, Ts, P = f.__type_params__
assert (type(Ts), type(P)) == (TypeVarTuple, ParamSpec) and [repr(p) for p in (T, Ts, P)] == ["T", "Ts", "P"]
assert P.args == P.args != P.kwargs and P.args.__origin__ is P and repr(P.kwargs) == "P.kwargs"
assert list(Ts) == [Unpack[Ts]]


# Bounds, constraints and defaults are evaluated when they are asked for, once.
def bounded[B: log("bound"), C: (log("c"), int), D = log("default")](): ...


B, C, D = bounded.__type_params__
assert seen[3:] == []
assert B.__bound__ == "bound" and B.__bound__ == "bound" and seen[3:] == ["bound"]
assert B.__constraints__ == () and C.__bound__ is None and C.__constraints__ == ("c", int)
assert D.__default__ == "default" and D.has_default() and not B.has_default() and B.__default__ is NoDefault
assert B.evaluate_bound(1) == "bound" and B.evaluate_default is None and C.evaluate_constraints(1) == ("c", int)
error(NotImplementedError, B.evaluate_bound, 3)


def later[T: Later](): ...


assert error(NameError, lambda: later.__type_params__[0].__bound__) == "name 'Later' is not defined"
Later = int
assert later.__type_params__[0].__bound__ is int


async def coroutine[T](x: T) -> T:
    return x


def generator[T](x: T):
    yield T
    yield x


assert list(generator(1)) == [generator.__type_params__[0], 1]
try:
    coroutine(7).send(None)
except StopIteration as e:
    assert e.value == 7


def closure[T]():
    def inner[U: T]():
        return T, U

    return inner


inner = closure()
assert inner()[0] is closure.__type_params__[0] and inner()[1].__bound__ is inner()[0]
assert inner.__qualname__ == "closure.<locals>.inner"


# ---- classes


class Box[T]:
    kind: type[T]

    def __init__(self, item: T):
        self.item = item

    def map[U](self, f: types.FunctionType[T, U]) -> "Box[U]":
        return Box(f(self.item))


(T,) = Box.__type_params__
assert Box.__bases__ == (Generic,) and Box.__parameters__ == (T,) and Box.__orig_bases__ == (Generic[T],)
assert Box(1).map(str).item == "1" and Box.map.__qualname__ == "Box.map"
assert Box[int].__origin__ is Box and Box[int].__args__ == (int,) and Box[int](3).item == 3
assert repr(Box[int]) == f"{__name__}.Box[int]" and Box.__annotations__ == {"kind": type[T]}
assert error(TypeError, lambda: Box[int, str]).startswith("Too many arguments for")


class Named(Box[str]):
    pass


assert Named.__mro__ == (Named, Box, Generic, object) and Named.__parameters__ == ()


class Pair[A, B = int](Box[A], dict, metaclass=type):
    pass


assert Pair.__bases__ == (Box, dict, Generic) and Pair[str, int].__args__ == (str, int)
assert Pair(5).item == 5


class Many[T, *Ts]: ...


assert Many[int, str, bytes].__args__ == (int, str, bytes) and Many[int].__args__ == (int,)


class Call[**P, R]: ...


assert Call[[int, str], bool].__args__ == ((int, str), bool)

# Names of the class are seen from the scopes of its generics; those that are assigned later, too.
x = "global"


def outer():
    x = "outer"

    class C:
        x = "class"

        def method[T: x](self, a: x): ...

        type Alias = x
        nested = [T for T in (1,)]

        class Inner[U: x]: ...

    return C


C = outer()
assert C.method.__type_params__[0].__bound__ == "class" and C.Alias.__value__ == "class"
assert C.method.__annotations__ == {"a": "class"} and C.Inner.__type_params__[0].__bound__ == "class"
C.x = "changed"
assert outer().Alias.__value__ == "class" and "__classdictcell__" not in C.__dict__


class Late[T: __hidden]:
    __hidden = 3


assert error(NameError, lambda: Late.__type_params__[0].__bound__) == "name '__hidden' is not defined"


class __Base:
    def __init_subclass__(cls, **kwargs):
        cls.kwargs = kwargs


class Derived[T](__Base, __keyword=1):
    pass


assert Derived.__bases__ == (__Base, Generic) and Derived.kwargs == {"__keyword": 1}


# Private names of type parameters belong to the class.
class Private[__T]:
    def get[__U](self):
        return __T, __U


assert [p.__name__ for p in Private().get()] == ["__T", "__U"]

# ---- aliases

type Simple = int
type Recursive = list[Recursive] | None
type Generic1[T] = list[T]
type Variadic[*Ts] = tuple[*Ts]

assert type(Simple) is TypeAliasType and repr(Simple) == Simple.__name__ == "Simple"
assert Simple.__value__ is int and Simple.__type_params__ == () == Simple.__parameters__
assert Simple.__module__ == __name__ and TypeAliasType.__module__ == "typing"
assert Recursive.__value__ == list[Recursive] | None
assert Generic1[int].__origin__ is Generic1 and Generic1[int].__args__ == (int,) and repr(Generic1[int]) == "Generic1[int]"
assert Generic1.__value__.__args__ == Generic1.__type_params__ and Variadic.__parameters__ == (*Variadic.__type_params__[0],)
assert error(TypeError, lambda: Simple[int]) == "Only generic type aliases are subscriptable"
assert Simple | str == Union[Simple, str] and repr(None | Simple) == "None | Simple"
assert list(Simple) == [Unpack[Simple]]
assert Simple.evaluate_value(1) is int
error(AttributeError, setattr, Simple, "__value__", str)
error(TypeError, type, "Sub", (TypeAliasType,), {})

type = type  # `type` is a keyword only where an alias begins.
assert type(1) is int

made = TypeAliasType("made", list[T], type_params=(T,))
assert made.__value__ == list[T] and made.__type_params__ == (T,) and made.__module__ == __name__
assert made.evaluate_value(1) == list[T] and made.evaluate_value(4) == "list[T]"
assert error(TypeError, TypeAliasType, "X", 1, type_params=[T]) == "type_params must be a tuple"
assert error(TypeError, TypeAliasType, "X", 1, type_params=(1,)) == "Expected a type param, got 1"
assert error(TypeError, TypeAliasType, "X") == "typealias() missing required argument 'value' (pos 2)"

# ---- calls

V = TypeVar("V", bound=None, covariant=True)
assert repr(V) == "+V" and V.__covariant__ and V.__module__ == __name__ and V.__bound__ is None
assert repr(TypeVar("V", contravariant=True)) == "-V" and repr(TypeVar("V")) == "~V"
assert repr(ParamSpec("Q")) == "~Q" and repr(TypeVarTuple("Us")) == "Us"
W = TypeVar("W", int, str, default=int)
assert W.__constraints__ == (int, str) and W.__default__ is int and W.has_default()
assert W.evaluate_default(1) is int and W.evaluate_default(4) == "int" and W.evaluate_constraints(4) == "(int, str)"
assert error(TypeError, TypeVar, "T", int) == "A single constraint is not allowed"
assert error(TypeError, TypeVar, "T", int, str, bound=int) == "Constraints cannot be combined with bound=..."
assert error(ValueError, TypeVar, "T", covariant=True, contravariant=True) == "Bivariant types are not supported."
assert error(TypeError, TypeVar, 1) == "typevar() argument 'name' must be str, not int"
assert error(TypeError, TypeVarTuple, "T", 1) == "typevartuple() takes exactly 1 positional argument (2 given)"
assert error(TypeError, ParamSpec, "P", x=1) == "paramspec() got an unexpected keyword argument 'x'"
assert error(TypeError, lambda: types.new_class("S", (V,))) == "Cannot subclass an instance of TypeVar"
assert "not an acceptable base type" in error(TypeError, type, "S", (TypeVar,), {})
V.note = 1
assert V.note == 1
error(AttributeError, setattr, V, "__name__", "x")

assert V | int == Union[V, int] and int | V == Union[int, V] and (V | V) is V
assert list[V][int] == list[int] and dict[str, V][int] == dict[str, int] and (V | None)[int] == int | None
assert error(TypeError, lambda: list[V][int, str]).startswith("Too many arguments for list[+V]")
assert list[W][()] == list[int] and error(TypeError, lambda: list[V][()]) == "Too few arguments for list[+V]; actual 0, expected at least 1"
assert tuple[*Ts][int, str] == tuple[int, str] and tuple[int, *Ts][()] == tuple[int]

for p in (V, W, ParamSpec("Q"), TypeVarTuple("Us"), Simple):
    assert p.__reduce__() == p.__name__ and copy.copy(p) is p and copy.deepcopy(p) is p
assert repr(NoDefault) == "typing.NoDefault" and type(NoDefault)() is NoDefault and copy.copy(NoDefault) is NoDefault
error(TypeError, hash, ParamSpecArgs(P))

# ---- what is no program

for text, message in {
    "def f[T, T](): ...": "duplicate type parameter 'T'",
    "class A[T, *T]: ...": "duplicate type parameter 'T'",
    "def f[T = int, U](): ...": "non-default type parameter 'U' follows default type parameter",
    "def f[](): ...": "Type parameter list cannot be empty",
    "def f[T: (yield)](): ...": "yield expression cannot be used within a TypeVar bound",
    "def f[T: (int, (yield))](): ...": "yield expression cannot be used within a TypeVar constraint",
    "def f[T: (x := 1)](): ...": "named expression cannot be used within a TypeVar bound",
    "def f[T = (x := 1)](): ...": "named expression cannot be used within a TypeVar default",
    "def f[*T = (yield)](): ...": "yield expression cannot be used within a TypeVarTuple default",
    "def f[**T = (yield)](): ...": "yield expression cannot be used within a ParamSpec default",
    "async def g():\n def f[T: (await 1)](): ...": "await expression cannot be used within a TypeVar bound",
    "class A[T]((x := 1)): ...": "named expression cannot be used within the definition of a generic",
    "class A[T]((yield)): ...": "yield expression cannot be used within the definition of a generic",
    "type X = (yield)": "yield expression cannot be used within a type alias",
    "type X = (a := 1)": "named expression cannot be used within a type alias",
    "def f[T]():\n nonlocal T": "nonlocal binding not allowed for type parameter 'T'",
    "def f[*T: int](): ...": "cannot use bound with TypeVarTuple",
    "def f[**T: (int, str)](): ...": "cannot use constraints with ParamSpec",
    "def f[T](x: (yield)): ...": "yield expression cannot be used within an annotation",
}.items():
    assert error(SyntaxError, compile, text, "?", "exec").startswith(message), text

# ---- code that several dictionaries of globals share


def use():
    return value


value = 1
assert use() == 1
other = types.FunctionType(use.__code__, {"value": 2})
assert (use(), other(), use(), other()) == (1, 2, 1, 2)


class Missing(dict):
    def __missing__(self, key):
        return key


assert types.FunctionType(use.__code__, Missing())() == "value" and use() == 1
code = compile("type Alias = unknown", "?", "exec")
for namespace in (Missing(), Missing()):
    exec(code, namespace)
    assert namespace["Alias"].__value__ == "unknown"

# ---- unions and aliases with odd members

assert int | str == str | int != int | bytes and hash(int | str) == hash(str | int)
for value in (int | str, int | V):
    assert error(TypeError, iter, value).endswith("object is not iterable")
unhashable = Annotated[str, {}] | int
assert unhashable == int | Annotated[str, {}] != int | Annotated[str, 1]
assert error(TypeError, hash, unhashable) == "unhashable type: 'dict'"
assert "issubclass() arg 1 must be a class" in error(TypeError, issubclass, list[int], object)
assert error(AttributeError, lambda: list[int].__bases__) and list[int].__name__ == "list"
assert repr(V | "name") == "+V | ForwardRef('name')"
assert repr(Many[int, *tuple[str, ...]]) == f"{__name__}.Many[int, *tuple[str, ...]]"
