# Allocations by their places.
import tracemalloc

tracemalloc.start(3)
assert tracemalloc.is_tracing() and tracemalloc.get_traceback_limit() == 3


def make():
    return [bytearray(1000) for _ in range(100)]


kept = make()
before = tracemalloc.take_snapshot()
top = before.statistics("lineno")[0]
assert top.traceback[0].lineno == 9 and 100_000 < top.size < 150_000, (top, top.size)
trace = tracemalloc.get_object_traceback(kept)
assert trace is None or [frame.lineno for frame in trace][-1] == 9
now, peak = tracemalloc.get_traced_memory()
assert 100_000 < now <= peak
kept = None
after = tracemalloc.take_snapshot()
line = next(d for d in after.compare_to(before, "lineno") if d.traceback[0].lineno == 9)
assert line.size_diff < -90_000, line
tracemalloc.reset_peak()
tracemalloc.stop()
assert not tracemalloc.is_tracing() and tracemalloc.get_traced_memory() == (0, 0)
for n in (0, 70_000):
    try:
        tracemalloc.start(n)
    except ValueError as error:
        assert str(error) == "the number of frames must be in range [1; 65535]"
    else:
        raise AssertionError
