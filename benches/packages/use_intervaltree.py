# pip install intervaltree
from intervaltree import Interval, IntervalTree

tree = IntervalTree(Interval(*i) for i in ((1, 5, "a"), (3, 8, "b"), (10, 12, "c")))
print(sorted(tree[4]), sorted(tree[3:11]), tree.overlaps(9), len(tree))
tree.chop(4, 6)
print(sorted(tree))
tree.merge_overlaps()
print(sorted(tree), tree.begin(), tree.end())
