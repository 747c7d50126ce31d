# pip install sortedcontainers
from sortedcontainers import SortedDict, SortedKeyList, SortedList, SortedSet

xs = SortedList("skein")
xs.update("abc")
print(xs, xs.bisect("i"), xs.count("e"), list(xs.irange("b", "k")))
d = SortedDict({"b": 2, "a": 1})
d["c"] = 3
print(d, d.peekitem(0), d.index("b"), list(d.irange("b")))
print(SortedSet([3, 1, 2]) | {5}, SortedKeyList([3, -1, 2], key=abs))
big = SortedList(range(5000, 0, -1))
print(len(big), big[2500], sum(big[::100]))
