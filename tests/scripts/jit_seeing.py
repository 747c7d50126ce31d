"""sys._jit and skein.jit tell what is compiled."""
import sys
import time

import skein.jit
from skein import jitview


def busy(n):
    total = 0
    for i in range(n):
        total += i & 7
        if total < 0:
            total = "never"
    return total


# Compiling has a share of the time, of which importing may have taken its part.
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    assert busy(50000) == 175000
    if not sys._jit.is_enabled() or any(t.function == "busy" and t.bytes for t in skein.jit.traces()):
        break
assert sys._jit.is_available() in (True, False)
assert skein.jit.is_enabled() == sys._jit.is_enabled()
assert not sys._jit.is_enabled() or sys._jit.is_available()

counters = skein.jit.counters()
assert set(counters) >= {"recorded", "aborted", "compiled", "bridges", "invalidated", "bytes", "microseconds"}
assert all(type(n) is int and n >= 0 for n in counters.values())
assert all(type(reason) is str and n > 0 for reason, n in skein.jit.aborts().items())

mine = [t for t in skein.jit.traces() if t.function == "busy"]
if sys._jit.is_enabled():
    assert mine and counters["compiled"] > 0
    trace = mine[0]
    first = busy.__code__.co_firstlineno
    assert first < trace.line <= first + 6 and trace.file == __file__ and trace.recorded > 5
    assert {line for text, file, line in trace.ir if file == __file__} & {first + 2, first + 3}
    assert any("int.add" in text for text, _, _ in trace.ir) or not trace.valid
    assert all(exit.taken > 0 and exit.function for exit in trace.exits)
    assert str(trace).startswith(f"{__file__}:{trace.line} in busy: {trace.recorded} instructions")
else:
    assert not mine and counters["compiled"] == 0

page = jitview.page("a <b> program", skein.jit.traces(), counters, skein.jit.aborts())
assert page.startswith("<!doctype html>") and "a &lt;b&gt; program" in page and page.count("<details") == page.count("</details>")
assert not mine or f'id="t{mine[0].number}"' in page and "total += i &amp; 7" in page
