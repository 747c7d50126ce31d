# What iterators of dicts give is counted: entries that have come in the place of others are noticed.
def raises(text, f, *args):
    try:
        f(*args)
    except RuntimeError as e:
        assert text in str(e), str(e)
    else:
        raise AssertionError("RuntimeError is not raised")


def views(d):
    return d, d.keys(), d.values(), d.items()


d = dict.fromkeys(range(10))
for i in range(7):
    del d[i]
backwards = [reversed(v) for v in views(d)]
for it in backwards:
    next(it)
d.clear()
d.update(dict.fromkeys(range(10)))
for i in range(3, 10):
    del d[i]
for it in backwards:
    raises("dictionary keys changed during iteration", list, it)
    assert list(it) == []

# As many entries, in a dict that is shorter now.
d = {f"k{i}": i for i in range(1000)}
for i in range(1, 1000):
    del d[f"k{i}"]
backwards = [reversed(v) for v in views(d)]
d.clear()
d["k0"] = 0
assert [list(it) for it in backwards] == [[]] * 4


def grow():
    d = {1: 1}
    for i in d:
        d[i + 1] = 1


raises("dictionary changed size during iteration", grow)
import copy
import pickle

for v in views({1: 2, 3: 4, 5: 6}):
    it = iter(v)
    next(it)
    rest = list(copy.copy(it))
    assert list(pickle.loads(pickle.dumps(it))) == rest == list(it) and len(rest) == 2
print("ok")
