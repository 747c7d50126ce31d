# cProfile: counts, recursion, functions in Rust, callers; and that only one can be active.
import cProfile
import io
import pstats


def recursive(n):
    return len([1]) if n == 0 else recursive(n - 1)


profile = cProfile.Profile()
profile.enable()
try:
    cProfile.Profile().enable()
except ValueError as error:
    assert str(error) == "tool 2 is already in use"
else:
    raise AssertionError
recursive(3)
sorted([3, 1], key=lambda x: recursive(1))
profile.disable()
rows = {getattr(e.code, "co_name", e.code): e for e in profile.getstats()}
e = rows["recursive"]
assert (e.callcount, e.reccallcount) == (8, 5), e
assert e.totaltime >= e.inlinetime >= 0
assert rows["<built-in method builtins.len>"].callcount == 3
assert {getattr(c.code, "co_name", c.code): c.callcount for c in e.calls} == {
    "recursive": 5, "<built-in method builtins.len>": 3,
}
assert rows["<lambda>"].callcount == 2
out = io.StringIO()
pstats.Stats(profile, stream=out).sort_stats("cumulative").print_stats()
assert "(recursive)" in out.getvalue() and "8/3" in out.getvalue(), out.getvalue()
profile.clear()
assert profile.getstats() == []
assert cProfile.Profile().runcall(recursive, 2) == 1
ticks = iter(range(1000))
timed = cProfile.Profile(lambda: next(ticks), 1.0)
timed.runcall(recursive, 0)
assert sum(e.inlinetime for e in timed.getstats()) > 0
with cProfile.Profile() as other:
    recursive(0)
other.create_stats()
assert any(name == "recursive" for _, _, name in other.stats)
