import operator
from operator import attrgetter, itemgetter, methodcaller

def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"



assert operator.add(1, 2) == 3 and operator.sub(5, 3) == 2 and operator.mul(2, 3) == 6 and operator.truediv(1, 2) == 0.5
assert operator.floordiv(7, 2) == 3 and operator.mod(7, 2) == 1 and operator.pow(2, 5) == 32
assert operator.and_(6, 3) == 2 and operator.or_(6, 3) == 7 and operator.xor(6, 3) == 5 and operator.lshift(1, 3) == 8 and operator.rshift(8, 1) == 4
assert operator.neg(1) == -1 and operator.pos(1) == 1 and operator.invert(0) == -1 and operator.abs(-3) == 3
assert operator.lt(1, 2) and operator.le(1, 1) and operator.eq(1, 1) and operator.ne(1, 2) and operator.gt(2, 1) and operator.ge(1, 1)
assert operator.not_(0) and operator.truth([1]) and operator.is_(None, None) and operator.is_not(1, None)
l = [1, 2, 3, 2]
assert operator.contains(l, 2) and operator.countOf(l, 2) == 2 and operator.indexOf(l, 2) == 1 and operator.getitem(l, 0) == 1
operator.setitem(l, 0, 9)
operator.delitem(l, 1)
assert l == [9, 3, 2] and operator.concat([1], [2]) == [1, 2]
raises(ValueError, operator.indexOf, l, 77, text="sequence.index(x): x not in sequence")
raises(TypeError, operator.concat, 1, 2, text="'int' object can't be concatenated")
m = l
assert operator.iadd(m, [1]) is l and operator.iconcat(l, [5]) is l and l[-1] == 5
assert operator.length_hint([1, 2]) == 2 and operator.length_hint(iter([1])) == 1 and operator.length_hint(5, 7) == 7
assert operator.index(True) == 1 and operator.call(max, 1, 5) == 5
assert itemgetter(1)("abc") == "b" and itemgetter(0, 2)("abc") == ("a", "c") and itemgetter(slice(1))("abc") == "a"
assert repr(itemgetter(1, "a")) == "operator.itemgetter(1, 'a')"


class A:
    pass


a = A()
a.b = A()
a.b.c = 5
a.d = 6
assert attrgetter("d")(a) == 6 and attrgetter("b.c", "d")(a) == (5, 6) and repr(attrgetter("b.c")) == "operator.attrgetter('b.c')"
raises(TypeError, attrgetter, 5, text="attribute name must be a string")
raises(AttributeError, attrgetter("zz"), a)
assert methodcaller("upper")("ab") == "AB" and methodcaller("split", ",", maxsplit=1)("a,b,c") == ["a", "b,c"]
assert repr(methodcaller("f", 1, x=2)) == "operator.methodcaller('f', 1, x=2)"
assert sorted([{"k": 2}, {"k": 1}], key=itemgetter("k")) == [{"k": 1}, {"k": 2}]
print("ok")
