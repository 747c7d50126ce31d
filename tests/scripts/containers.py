from collections import Counter, OrderedDict, defaultdict, namedtuple

def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"



d = defaultdict(list)
d["a"].append(1)
d["a"].append(2)
assert d == {"a": [1, 2]} and "b" not in d and d.get("b") is None and d["b"] == [] and "b" in d
assert d.default_factory is list
assert repr(defaultdict(int, a=1)) == "defaultdict(<class 'int'>, {'a': 1})"
raises(KeyError, lambda: defaultdict()["x"], text="'x'")
raises(TypeError, defaultdict, 5, text="first argument must be callable or None")
c = d.copy()
assert type(c) is defaultdict and c == d and c.default_factory is list
d = defaultdict(int, {"x": 1}, y=2)
d["x"] += 5
d["z"] += 1
assert d == {"x": 6, "y": 2, "z": 1}
d.default_factory = None
raises(KeyError, lambda: d["nope"])
assert type(d | {"q": 1}) is defaultdict and (d | {"q": 1})["q"] == 1
nested = defaultdict(lambda: defaultdict(int))
nested["a"]["b"] += 1
assert nested["a"]["b"] == 1

c = Counter("abracadabra")
assert c["a"] == 5 and c["zz"] == 0 and c.most_common(1) == [("a", 5)]
c.update("aaa")
assert c["a"] == 8
c.subtract("a")
assert c["a"] == 7 and sum(c.values()) == 13
assert Counter(a=1) + Counter(a=2, b=1) == Counter(a=3, b=1)

P = namedtuple("P", "x y")
p = P(1, y=2)
assert p.x == 1 and p.y == 2 and p == (1, 2) and repr(p) == "P(x=1, y=2)" and p._replace(x=5) == (5, 2)
assert p._asdict() == {"x": 1, "y": 2} and P._fields == ("x", "y") and P._make([3, 4]).y == 4
raises(TypeError, P, 1)
def bad():
    p.x = 3
raises(AttributeError, bad)

o = OrderedDict([("a", 1), ("b", 2), ("c", 3)])
o.move_to_end("a")
assert list(o) == ["b", "c", "a"]
o.move_to_end("a", last=False)
assert list(o) == ["a", "b", "c"] and list(reversed(o)) == ["c", "b", "a"]
raises(KeyError, o.move_to_end, "zz")
assert o.popitem(last=False) == ("a", 1) and o.popitem() == ("c", 3)
raises(KeyError, OrderedDict().popitem, text="'dictionary is empty'")
assert repr(OrderedDict(a=1)) == "OrderedDict({'a': 1})" and repr(OrderedDict()) == "OrderedDict()"
assert OrderedDict(a=1, b=2) != OrderedDict(b=2, a=1) and OrderedDict(a=1, b=2) == {"b": 2, "a": 1}
o.attr = 1
assert o.attr == 1 and type(o.copy()) is OrderedDict
for i in range(1000):
    o[i] = i
    o.move_to_end("b")
while len(o) > 1:
    o.popitem(last=False)
assert o == {"b": 2}
print("ok")
