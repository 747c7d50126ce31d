def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


assert tuple() == ()
assert tuple([1, 2]) == (1, 2)
assert tuple("ab") == ("a", "b")
t = (1, 2, 3)
assert tuple(t) is t and t[:] is t
assert t[0] == 1 and t[-1] == 3 and t[1:] == (2, 3) and t[::-1] == (3, 2, 1) and t[::2] == (1, 3)
raises(IndexError, lambda: t[3], text="tuple index out of range")
raises(TypeError, lambda: t["a"], text="tuple indices must be integers or slices, not str")
assert t + (4,) == (1, 2, 3, 4) and t * 2 == (1, 2, 3, 1, 2, 3) and 0 * t == ()
raises(TypeError, lambda: t + [1], text='can only concatenate tuple (not "list") to tuple')
assert t.count(1) == 1 and t.index(2) == 1
raises(ValueError, t.index, 9, text="tuple.index(x): x not in tuple")
assert 2 in t and 9 not in t and len(t) == 3
assert (1, 2) < (1, 3) and (1,) < (1, 0) and (2,) > (1, 9) and (1, 2) == (1, 2) != (2, 1)
assert repr(()) == "()" and repr((1,)) == "(1,)" and repr((1, 2)) == "(1, 2)"
assert hash((1, 2)) == hash((1, 2))
assert hash(()) == 5740354900026072187
assert hash((1, 2, 3)) == 529344067295497451
assert {(1, 2): 3}[1, 2] == 3
raises(TypeError, hash, ([],), text="unhashable type: 'list'")
l = []
t = (l,)
l.append(t)
assert repr(t) == "([(...)],)"


class P(tuple):
    def __new__(cls, x, y):
        return super().__new__(cls, (x, y))

    @property
    def x(self):
        return self[0]


p = P(3, 4)
assert p == (3, 4) and p.x == 3 and type(p) is P and len(p) == 2
p.name = "n"
assert p.name == "n" and type(p[:]) is tuple
a, b = p
assert (a, b) == (3, 4)
d = (1, 2)
assert [x for x in d] == [1, 2]
print("ok")
