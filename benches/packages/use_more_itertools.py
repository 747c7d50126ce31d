# pip install more-itertools
import more_itertools as mi

print(list(mi.chunked(range(7), 3)), list(mi.windowed([1, 2, 3, 4], 2)), mi.first([], "none"))
print(list(mi.collapse([1, [2, [3]]])), list(mi.split_at("abcdc", lambda c: c == "c")))
p = mi.peekable(range(3))
print(p.peek(), list(p), bool(p), mi.ilen(range(5)), list(mi.distinct_permutations([1, 0, 1])))
print(mi.bucket(["a1", "b1", "a2"], key=lambda s: s[0])["a"].__next__(), list(mi.set_partitions([1, 2, 3], 2)))
s = mi.seekable(iter("abc"))
print(list(s), s.seek(0), list(s), mi.nth_or_last([1, 2], 9), list(mi.interleave_longest([1, 2], [3])))
