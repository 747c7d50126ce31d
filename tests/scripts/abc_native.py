# Abstract base classes: registration, caches that are void after it, hooks, and what is left of classes that died.
import abc
import gc
from collections.abc import Mapping, Sequence, Sized


class Base(abc.ABC):
    @abc.abstractmethod
    def f(self): ...

    @classmethod
    def __subclasshook__(cls, other):
        return True if "quacks" in other.__dict__ else NotImplemented


class Plain: ...


class Quack:
    quacks = 1


assert Base.__abstractmethods__ == {"f"}
assert not issubclass(Plain, Base) and not isinstance(Plain(), Base)
assert issubclass(Quack, Base)
token = abc.get_cache_token()
assert Base.register(Plain) is Plain and abc.get_cache_token() != token
assert issubclass(Plain, Base) and isinstance(Plain(), Base)


class Sub(Base):
    f = None


assert isinstance(Sub(), Base) and not Sub.__abstractmethods__
try:
    Base()
except TypeError as error:
    assert "abstract" in str(error)
else:
    raise AssertionError
for bad, message in ((1, "Can only register classes"),):
    try:
        Base.register(bad)
    except TypeError as error:
        assert str(error) == message
try:
    Plain2 = type("Plain2", (Base,), {})
    Plain2.register(Base)
except RuntimeError as error:
    assert str(error) == "Refusing to create an inheritance cycle"
else:
    raise AssertionError
try:
    issubclass(1, Base)
except TypeError as error:
    assert str(error) == "issubclass() arg 1 must be a class"


class Liar:
    @property
    def __class__(self):
        return Plain


assert isinstance(Liar(), Base)


# A registered class matches patterns as what it was registered with does.
@Sequence.register
class Row:
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return [3, 4][i]


match Row():
    case [x, y]:
        assert (x, y) == (3, 4)
    case _:
        raise AssertionError

for i in range(300):
    other = type(f"Other{i}", (), {})
    assert not isinstance(other(), Mapping) and not issubclass(other, Base)
    Base.register(other)
    assert issubclass(other, Base)
del other
gc.collect()
assert issubclass(dict, Sized) and isinstance({}, Mapping) and not isinstance([], Mapping)
