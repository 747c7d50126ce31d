"""gc.get_referrers and get_referents; builtin modules that are imported again."""
import gc
import sys


class C:
    pass


class S:
    __slots__ = ("a",)


# Who refers to an object: containers, instances with slots, closures, bound methods.
x = C()
assert any(r is globals() for r in gc.get_referrers(x))
assert any(r is x for r in gc.get_referents(globals()))
row, d, t = [x], {"x": x}, (x, 1)
i, s = C(), S()
i.attribute = s.a = x


def closure():
    y = x

    def f():
        return y

    return f


f = closure()
m = C.__repr__.__get__(x)
got = gc.get_referrers(x)
for holder in (row, d, t, i, s, m, f.__closure__[0]):
    assert any(r is holder for r in got), holder
assert not any(r is gc for r in got)
key = C()
keyed, members = {key: 1}, {key}
got = gc.get_referrers(key)
assert any(r is keyed for r in got) and any(r is members for r in got)
other = C()
assert {id(r) for r in (row, keyed)} <= {id(r) for r in gc.get_referrers(x, key)}
assert not any(r is row for r in gc.get_referrers(other))
assert gc.get_referrers() == []

# What an object refers to.
assert gc.get_referents(row) == [x] and gc.get_referents() == [] and gc.get_referents(1, 2.5) == []
assert any(r is x for r in gc.get_referents(i)) and any(r is C for r in gc.get_referents(i))
assert any(r is x for r in gc.get_referents(s))
assert any(r is row for r in gc.get_referents({1: row}))
assert gc.get_referents([x, x]) == [x, x]
many = [C() for _ in range(20_000)]
assert len(gc.get_referents(many)) == 20_000
assert any(r is many for r in gc.get_referrers(many[-1]))


# What was found lives on.
def found():
    inner = C()
    outer = [[inner]]
    return gc.get_referrers(inner), outer


got, outer = found()
gc.collect()
assert any(r is outer[0] for r in got)

# A builtin module that has been taken out of sys.modules is made anew.
import builtins

for name, module in (("builtins", builtins), ("sys", sys), ("gc", gc)):
    modules = sys.modules
    own = modules.pop(name)
    try:
        again = __import__(name)
        assert again is modules[name] is not own and again.__name__ == name
        assert name != "builtins" or again.len is own.len
    finally:
        modules[name] = own
assert len([1]) == 1 and __import__("sys") is sys
