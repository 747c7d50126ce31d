# pip install toolz
from toolz import accumulate, compose, curry, groupby, merge_with, partition_all, pipe, sliding_window, valmap
from toolz.curried import filter, map

print(groupby(len, ["a", "bb", "cc"]), pipe(range(6), filter(lambda x: x % 2), map(lambda x: x**2), list))
print(merge_with(sum, {"a": 1}, {"a": 2, "b": 3}), valmap(str, {1: 2}), list(sliding_window(2, "abc")))


@curry
def add(x, y, z=0):
    return x + y + z


print(add(1)(2), add(y=5)(1), compose(str, abs)(-3), list(accumulate(add, [1, 2, 3])), list(partition_all(2, "abc")))
