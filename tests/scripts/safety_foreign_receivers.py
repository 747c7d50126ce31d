# Python 3.14
"""Descriptors, constructors and method resolution orders that lead to objects of another layout: TypeErrors."""
import collections
import functools
import types


def f(x=1):
    return x


def gen():
    yield


class Slots:
    __slots__ = ("x", "y", "z")


class Plain:
    pass


class AList(list):
    pass


class ADict(dict):
    pass


class AnInt(int):
    pass


class AnError(Exception):
    pass


class Meta(type):
    pass


def raises(what, *args):
    try:
        what(*args)
    except (TypeError, AttributeError):
        return True
    return False


try:
    1 / 0
except ZeroDivisionError as e:
    traceback = e.__traceback__
cell = types.CellType(1)

# ---- attributes of one type, as attributes of another
sources = [type(f), type(gen()), type(f.__code__), BaseException, OSError, type, property, classmethod, staticmethod, super, slice, range, type(traceback), type(traceback.tb_frame), types.ModuleType, types.MethodType, types.BuiltinFunctionType, types.MethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, types.GenericAlias, types.UnionType, type(cell), memoryview, complex, functools.partial, collections.defaultdict, collections.deque]
for source in sources:
    for name, d in list(source.__dict__.items()):
        if type(d) not in (types.GetSetDescriptorType, types.MemberDescriptorType):
            continue
        for base in (Slots, Plain, AList, ADict, AnInt, AnError, Meta):
            if issubclass(base, source):
                continue
            names = {"c": d}
            if base is Slots:
                names["__slots__"] = ()
            a = Meta("M", (base,), names)("B", (), {}) if base is Meta else type("A", (base,), names)()
            if base is Slots:
                a.x = a.y = a.z = 5
            assert raises(lambda: a.c), (source, name, base)
            assert raises(setattr, a, "c", 7), (source, name, base)
            assert raises(setattr, a, "c", (7, 8)), (source, name, base)
            assert raises(delattr, a, "c"), (source, name, base)
            assert raises(lambda: d.__get__(a)), (source, name, base)
            assert raises(d.__set__, a, 7), (source, name, base)
            if base is Slots:
                assert (a.x, a.y, a.z) == (5, 5, 5), (source, name)
try:
    Slots.x.__get__(Plain())
except TypeError as e:
    assert str(e) == "descriptor 'x' for 'Slots' objects doesn't apply to a 'Plain' object"
try:
    type(f).__dict__["__code__"].__get__(5)
except TypeError as e:
    assert str(e) == "descriptor '__code__' for 'function' objects doesn't apply to a 'int' object", e

# ---- constructors that are given a class of another type
for t in (int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, type, BaseException, OSError, property, classmethod, staticmethod, super, types.ModuleType, collections.deque):
    for u in (int, str, list, dict, tuple, type, object, Plain, Slots, AList, ADict, AnInt, Meta, collections.deque):
        if not issubclass(u, t):
            assert raises(t.__new__, u), (t, u)


# ---- orders in which methods of a foreign layout come
def with_order(*order):
    class Ordered(type):
        def mro(cls):
            return [cls if c is None else c for c in order]

    return Ordered


for foreign in (int, list, dict, tuple, str, bytes, type, Exception, Slots, AList, collections.deque):
    for bases in ((), (Plain,)):
        assert raises(with_order(None, foreign, object), "C", bases, {}), foreign
assert raises(with_order(None, 5, object), "C", (), {})
assert raises(with_order(None, list, object), "C", (dict,), {})
assert not raises(with_order(None, dict, object), "C", (ADict,), {})
assert with_order(None, Plain, object)("C", (), {}).__mro__[1] is Plain
try:
    with_order(None, int, object)("C", (), {})
except TypeError as e:
    assert str(e) == "mro() returned base with unsuitable layout ('int')", e


# ---- bases
class A:
    pass


class B(A):
    pass


class C(B):
    def which(self):
        return "C"


for bases in ((A,), (B,), (C,), (B, C), (Plain, C)):
    assert raises(setattr, A, "__bases__", bases), bases
assert A.__bases__ == (object,) and C.__mro__ == (C, B, A, object)
for bases in ((), 5, (5,), (int,), (Slots,), (list,), (bool,), (AnInt, Plain)):
    assert raises(setattr, B, "__bases__", bases), bases


class Other:
    def which(self):
        return "Other"


class D(B):
    pass


B.__bases__ = (A, Other)
assert D.__mro__ == (D, B, A, Other, object) and D().which() == "Other" and C().which() == "C"
B.__bases__ = (A,)
assert D.__mro__ == (D, B, A, object) and not hasattr(D(), "which")


# An order that cannot be leaves all as it was.
class X(A, Other):
    pass


class Y(A):
    pass


class Z(Y, Other):
    pass


assert raises(setattr, Y, "__bases__", (Other, A, X))
assert Y.__bases__ == (A,) and Z.__mro__ == (Z, Y, A, Other, object)


# ---- classes made while their parts run Python code
seen = []


class Names:
    def __iter__(self):
        import gc

        seen.extend(o for o in gc.get_objects() if isinstance(o, type) and o.__mro__ is None)
        return iter(("a", "b"))


class Lazy:
    __slots__ = Names()


assert not seen and Lazy.__slots__ is not None and hasattr(Lazy, "a")
