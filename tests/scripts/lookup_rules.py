# Python 3.14
"""Rules of attribute and special method lookup that are easily forgotten."""

import types
import warnings
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


# A descriptor with only __set__ does not say what is read.
class OnlySet:
    def __set__(self, obj, value):
        obj.__dict__["x"] = value


class A:
    x = OnlySet()


a = A()
for _ in range(3):
    assert isinstance(a.x, OnlySet)
a.x = 5
for _ in range(3):
    assert a.x == 5


# __getattr__ is asked where a slot is empty or a getter raises AttributeError.
class Hook:
    __slots__ = ("r",)

    def __getattr__(self, name):
        return name


class Getter:
    @property
    def r(self):
        raise AttributeError("x")

    def __getattr__(self, name):
        return name


h = Hook()
for _ in range(3):
    assert (h.r, getattr(h, "r"), Getter().r, getattr(Getter(), "r")) == ("r",) * 4
h.r = 1
assert h.r == 1
del h.r
assert h.r == "r"


# What has a receiver already takes no other one as a special method.
class Bound:
    __len__ = [1, 2].__len__
    __next__ = iter([7]).__next__
    __contains__ = {3}.__contains__

    def __iter__(self):
        return self


assert len(Bound()) == 2 and 3 in Bound() and next(Bound()) == 7 and list(Bound()) == []


# isinstance() asks for __class__ where an object says it itself.
class Claims:
    def __getattribute__(self, name):
        return int if name == "__class__" else object.__getattribute__(self, name)


assert isinstance(Claims(), int) and isinstance(Claims(), Claims) and not isinstance(Claims(), str)


@runtime_checkable
class HasX(Protocol):
    @property
    def x(self): ...


class WithX:
    def __init__(self):
        self.x = 2


assert isinstance(a, HasX) and isinstance(WithX(), HasX) and not isinstance(3, HasX)


# Docstrings of classes that compute those of their instances.
class Doc:
    @property
    def __doc__(self):
        return "computed"


assert isinstance(Doc.__doc__, property) and Doc().__doc__ == "computed"
assert property.__doc__ is None or isinstance(property.__doc__, str)
assert isinstance(Hook.r, types.MemberDescriptorType) and not isinstance(Hook.r, types.GetSetDescriptorType)


@dataclass(slots=True)
class Slotted:
    x: int
    y: int = 3


assert repr(Slotted(1)) == "Slotted(x=1, y=3)"


# What is thrown in is not chained to what the caller handles.
def generator():
    try:
        yield
    except KeyError:
        yield 1


def thrown():
    it = generator()
    next(it)
    try:
        raise ValueError("a")
    except ValueError:
        b = KeyError("b")
        it.throw(b)
        return b.__context__


assert thrown() is None
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    it = generator()
    next(it)
    assert it.throw(KeyError, KeyError("x")) == 1
assert [str(w.message) for w in caught] == [
    "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead."
]


def code():
    x = len([])
    return x.real


assert code.__code__.co_names == ("len", "real")
