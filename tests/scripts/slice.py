def raises(exc, f, *args, text=None):
    try:
        f(*args)
    except exc as e:
        if text is not None:
            assert str(e) == text, (str(e), text)
        return
    assert False, "no exception"


s = slice(1, 10, 2)
assert (s.start, s.stop, s.step) == (1, 10, 2) and slice(5) == slice(None, 5, None)
assert repr(s) == "slice(1, 10, 2)" and repr(slice(None)) == "slice(None, None, None)"
assert s == slice(1, 10, 2) != slice(1, 10, 3) and slice(1, 2) < slice(1, 3)
assert hash(s) == hash(slice(1, 10, 2))
assert s.indices(5) == (1, 5, 2) and slice(None, None, -1).indices(5) == (4, -1, -1)
assert slice(-3, None).indices(10) == (7, 10, 1) and slice(10**30).indices(3) == (0, 3, 1)
raises(ValueError, slice(1).indices, -1, text="length should not be negative")
raises(ValueError, lambda: [1][::0], text="slice step cannot be zero")
raises(TypeError, lambda: [1]["a":], text="slice indices must be integers or None or have an __index__ method")
raises(TypeError, slice, text="slice expected at least 1 argument, got 0")


class G:
    def __getitem__(self, k):
        return k


g = G()
assert g[1:2] == slice(1, 2, None) and g[::3] == slice(None, None, 3) and g[1:2, 3] == (slice(1, 2, None), 3)
l = list(range(10))
for a in (None, -12, -5, 0, 3, 12):
    for b in (None, -12, -5, 0, 3, 12):
        for c in (None, -3, -1, 1, 2, 10**30, -10**30):
            i, j, k = slice(a, b, c).indices(10)
            assert l[a:b:c] == [l[n] for n in range(i, j, k)], (a, b, c)
            m = l[:]
            del m[a:b:c]
            gone = [l[n] for n in range(i, j, k)]
            assert m == [x for x in l if x not in gone], (a, b, c)
print("ok")
