# OrderedDict: views, iterators, and what happens when the order changes meanwhile.
from collections import OrderedDict
import pickle
import sys

od = OrderedDict.fromkeys("abc", 1)
assert repr(od.keys()) == "odict_keys(['a', 'b', 'c'])" and repr(od.items()) == "odict_items([('a', 1), ('b', 1), ('c', 1)])"
assert type(od.keys()).__mro__[1] is type({}.keys()) and type(iter(od)).__name__ == "odict_iterator"
assert list(reversed(od)) == list(reversed(od.keys())) == ["c", "b", "a"] and list(od.values()) == [1, 1, 1]
assert od.keys() & {"a"} == {"a"} and od.keys() == {"a", "b", "c"}
it = iter(od.items())
next(it)
assert list(pickle.loads(pickle.dumps(it))) == [("b", 1), ("c", 1)] == list(it)
assert sys.getsizeof(od) > sys.getsizeof(dict(od))


def changed(change):
    d = OrderedDict.fromkeys("abcde")
    try:
        for k in d:
            change(d, k)
    except RuntimeError as e:
        assert str(e) == "OrderedDict mutated during iteration", e
    else:
        raise AssertionError


changed(lambda d, k: d.move_to_end(k))
changed(lambda d, k: d.move_to_end("e", last=False))
changed(lambda d, k: d.setdefault("f"))
changed(lambda d, k: d.pop("c"))


class Key:
    act = None

    def __hash__(self):
        return 1

    def __eq__(self, other):
        if Key.act:
            Key.act.pop()()
        return type(other) is Key


for effect in [lambda: one.clear(), lambda: one.move_to_end(0), lambda: (one.clear(), one.update(a=1, b=2))]:
    one, other = OrderedDict.fromkeys([0, Key(), 4.2]), OrderedDict.fromkeys([0, Key(), 4.2])
    # The second comparison is that of the order.
    Key.act = [effect, lambda: None]
    try:
        one == other
    except RuntimeError as e:
        assert str(e) == "OrderedDict mutated during iteration"
    else:
        raise AssertionError
    Key.act = None


class Clearing(OrderedDict):
    def __getitem__(self, key):
        self.clear()


try:
    Clearing(a=1, b=2).copy()
except RuntimeError as e:
    assert str(e) == "OrderedDict mutated during iteration"
else:
    raise AssertionError
copy = OrderedDict(a=1)
copy.x = 5
assert copy.copy() == copy and not hasattr(copy.copy(), "x")
