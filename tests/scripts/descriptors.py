class P:
    def __init__(self): self._x = 1
    @property
    def x(self):
        "doc of x"
        return self._x
    @x.setter
    def x(self, v): self._x = v
    @x.deleter
    def x(self): del self._x
    @property
    def ro(self): return 1
p = P()
p.x = 5
assert p.x == 5 and P.x.__doc__ == 'doc of x' and P.x.__name__ == 'x' and P.x.fget(p) == 5
del p.x
assert not hasattr(p, '_x')
for op, text in [
    (lambda: setattr(p, 'ro', 1), "property 'ro' of 'P' object has no setter"),
    (lambda: delattr(p, 'ro'), "property 'ro' of 'P' object has no deleter"),
]:
    try:
        op()
    except AttributeError as e:
        assert str(e) == text, e
    else:
        assert False

class Sub(property):
    pass
class Q:
    @Sub
    def y(self): return 'y'
assert Q().y == 'y' and isinstance(Q.y, Sub)

class Desc:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, obj, ty): return self if obj is None else (self.name, obj.v)
    def __set__(self, obj, v): obj.v = v
class D:
    d = Desc()
x = D()
x.d = 4
assert x.d == ('d', 4) and D.d.name == 'd'

class S:
    __slots__ = ('a', 'b')
s = S()
s.a = 1
assert s.a == 1 and S.a.__name__ == 'a' and S.a.__get__(s) == 1
try:
    s.c = 1
except AttributeError:
    pass
else:
    assert False

class A:
    def f(self): return 'A'
    @classmethod
    def c(cls): return 'A' + cls.__name__
class B(A):
    def f(self): return 'B' + super().f()
    @classmethod
    def c(cls): return 'B' + super().c()
class C(B):
    def f(self):
        s = super
        return 'C' + s().f() if False else 'C' + super(C, self).f()
assert C().f() == 'CBA' and C.c() == 'BAC'
sup = super(B, B())
assert sup.__thisclass__ is B and sup.f() == 'A' and repr(sup) == "<super: <class 'B'>, <B object>>"

assert list[int].__origin__ is list and repr(dict[str, list[int]]) == 'dict[str, list[int]]'
assert list[int] == list[int] and list[int]() == []
u = int | str | None
assert isinstance(1, u) and isinstance(None, u) and not isinstance(1.5, u) and repr(int | str) == 'int | str'
assert (int | str) == (str | int) and u.__args__ == (int, str, type(None))
