import gc
import sys
import time

assert sys.version_info[0] == 3 and "\n" not in sys.version
assert sys.modules["sys"] is sys
assert sys.maxsize == 2**63 - 1
limit = sys.getrecursionlimit()
sys.setrecursionlimit(limit + 100)
assert sys.getrecursionlimit() == limit + 100
try:
    sys.exit(3)
except SystemExit as e:
    assert e.code == 3
try:
    raise ValueError("x")
except ValueError as e:
    assert sys.exc_info()[1] is e and sys.exception() is e
assert sys.exc_info() == (None, None, None)
assert time.monotonic() <= time.perf_counter() + 1
assert time.time() > 1e9
assert time.gmtime(0)[:6] == (1970, 1, 1, 0, 0, 0)
assert time.gmtime(0).tm_year == 1970
assert time.strftime("%Y-%m-%d", time.gmtime(86400)) == "1970-01-02"
assert time.mktime(time.localtime(1000)) == 1000.0
start = time.monotonic()
time.sleep(0.01)
assert time.monotonic() - start >= 0.01
assert isinstance(gc.collect(), int)
gc.disable()
assert not gc.isenabled()
gc.enable()
assert gc.isenabled()
