def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


assert dict() == {} and dict(a=1) == {"a": 1} and dict({"a": 1}, b=2) == {"a": 1, "b": 2}
assert dict([("a", 1), ["b", 2]]) == {"a": 1, "b": 2}
raises(ValueError, lambda: dict([(1, 2, 3)]), text="dictionary update sequence element #0 has length 3; 2 is required")
raises(TypeError, lambda: dict(5))
d = {"a": 1, "b": 2}
assert d["a"] == 1 and d.get("z") is None and d.get("z", 5) == 5
raises(KeyError, lambda: d["z"], text="'z'")
d["c"] = 3
assert list(d) == ["a", "b", "c"] and list(d.keys()) == ["a", "b", "c"]
assert list(d.values()) == [1, 2, 3] and list(d.items()) == [("a", 1), ("b", 2), ("c", 3)]
assert list(reversed(d)) == ["c", "b", "a"] and list(reversed(d.values())) == [3, 2, 1]
assert list(reversed(d.items()))[0] == ("c", 3)
del d["a"]
assert "a" not in d and len(d) == 2
assert d.pop("b") == 2 and d.pop("b", 7) == 7
raises(KeyError, d.pop, "b", text="'b'")
assert d.setdefault("x", 9) == 9 and d.setdefault("x", 10) == 9 and d.setdefault("n") is None
assert d.popitem() == ("n", None)
raises(KeyError, {}.popitem, text="'popitem(): dictionary is empty'")
d.update({"q": 1}, r=2)
d.update([("s", 3)])
assert d == {"c": 3, "x": 9, "q": 1, "r": 2, "s": 3}
c = d.copy()
d.clear()
assert d == {} and len(c) == 5
assert {"a": 1} | {"b": 2} == {"a": 1, "b": 2}
d = {"a": 1}
d |= [("b", 2)]
assert d == {"a": 1, "b": 2}
raises(TypeError, lambda: {} | [], text="unsupported operand type(s) for |: 'dict' and 'list'")
assert {1: 2, 3: 4} == {3: 4, 1: 2} and {1: 2} != {1: 3} and {1: 2} != {2: 2}
raises(TypeError, lambda: {} < {}, text="'<' not supported between instances of 'dict' and 'dict'")
assert repr({}) == "{}" and repr({"a": 1, 2: "b"}) == "{'a': 1, 2: 'b'}"
d = {}
d["d"] = d
assert repr(d) == "{'d': {...}}"
assert dict.fromkeys("ab") == {"a": None, "b": None} and dict.fromkeys([1], 2) == {1: 2}
raises(TypeError, lambda: {[]: 1}, text="unhashable type: 'list'" if False else None)
assert repr({1: 2}.keys()) == "dict_keys([1])" and repr({1: 2}.items()) == "dict_items([(1, 2)])"
assert repr({1: 2}.values()) == "dict_values([2])"
a, b = {1: 0, 2: 0}.keys(), {2: 0, 3: 0}.keys()
assert a & b == {2} and a | b == {1, 2, 3} and a - b == {1} and a ^ b == {1, 3}
assert a == {1, 2} and a > {1} and a <= {1, 2, 5} and not a.isdisjoint(b) and a & [1] == {1}
assert (1, 0) in {1: 0}.items() and (1, 1) not in {1: 0}.items()
assert len(a) == 2 and 1 in a and {1: 0}.items() == {(1, 0)}
assert {1: 2}.keys().mapping[1] == 2


def grow():
    d = {1: 1}
    for k in d:
        d[k + 1] = 1


raises(RuntimeError, grow, text="dictionary changed size during iteration")


class D(dict):
    def __missing__(self, key):
        return key * 2


d = D(a=1)
assert d["a"] == 1 and d["zz"] == "zzzz" and "zz" not in d and type(d) is D
d.attr = 1
assert d.attr == 1 and type(d.copy()) is dict and type(D.fromkeys("a")) is D
assert d.get("zz") is None


class K:
    def __init__(self, v):
        self.v = v

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return isinstance(other, K) and self.v == other.v


d = {K(i): i for i in range(50)}
assert len(d) == 50 and d[K(33)] == 33
for i in range(0, 50, 2):
    del d[K(i)]
assert len(d) == 25 and d[K(33)] == 33 and K(2) not in d
big = {i: i * i for i in range(10000)}
assert sum(big.values()) == sum(i * i for i in range(10000))
for i in range(0, 10000, 3):
    del big[i]
assert len(big) == 6666 and big[1] == 1 and 3 not in big
assert {1: "a", 1.0: "b", True: "c"} == {1: "c"}


class Mapping:
    def keys(self):
        return ["x", "y"]

    def __getitem__(self, k):
        return k + k


assert dict(Mapping()) == {"x": "xx", "y": "yy"}
assert {**Mapping(), "z": 1} == {"x": "xx", "y": "yy", "z": 1}
it = iter({1: 2, 3: 4})
assert it.__length_hint__() == 2 and next(it) == 1 and it.__length_hint__() == 1
globals()["made_by_globals"] = 5
assert made_by_globals == 5
print("ok")


# Displays in loops: keys that are there already, of other types, that run code, and of no hash.
class Name(str):
    def __eq__(self, other):
        compared.append(str(other))
        return str(self) == str(other)

    __hash__ = str.__hash__


def displays(n, name, other):
    out = []
    for i in range(n):
        d = {"a": i, "b": 2, "a": 3}
        d2 = {1: i, True: "t", 1.0: "f", "x": None}
        d3 = {name: i, "b": i + 1}
        d4 = {**d, "c": i, **d3, **other}
        d5 = {"k0": 0, "k1": 1, "k2": 2, "k3": 3, "k4": 4, "k5": 5, "k6": 6, "k7": 7, "k8": 8, "k9": 9, "k0": i}
        out.append((d, d2, d3, d4, d5))
    return out


for name in "c", "b", Name("b"), 7, None, (1, 2):
    compared = []
    for other in {}, {"a": 0}, {1: 1, "z": 2}, {Name("c"): 5}:
        for i, (d, d2, d3, d4, d5) in enumerate(displays(40, name, other)):
            assert d == {"a": 3, "b": 2} and list(d) == ["a", "b"]
            assert d2 == {1: "f", "x": None} and list(map(type, d2)) == [int, str]
            want = dict([(name, i)])
            want["b"] = i + 1
            assert d3 == want and list(d3) == list(want)
            merged = dict(d)
            merged["c"] = i
            for source in d3, other:
                for k in source:
                    merged[k] = source[k]
            assert d4 == merged and list(map(str, d4)) == list(map(str, merged)), (d4, merged)
            assert d5["k0"] == i and len(d5) == 10 and list(d5)[0] == "k0"

for wrong in [], {}, set():
    for _ in range(3):
        try:
            displays(30, wrong, {})
        except TypeError as error:
            # (unhashable type, whatever else is said)
            assert "unhashable type" in str(error), error
        else:
            assert False
