#!/usr/bin/env python3
"""What it costs a program to be looked at: `sys.monitoring`'s LINE events, as a tool for coverage takes them, and `sys.settrace`.

  events.py [INTERPRETER…]     default: $SKEIN or target/release/skein, and $SKEIN_REFERENCE if it is set

Prints for each interpreter the processor time of a program alone, with LINE events of which each line is wanted once, and
under a trace function that follows each line of a smaller run, with the nanoseconds of an event.
"""
import os
import subprocess
import sys
import time


def loop(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
        else:
            total -= 1
        total ^= i
    return total


def helper(x):
    y = x + 1
    z = y * 2
    return z - x


def calls(n):
    total = 0
    for i in range(n):
        total += helper(i)
    return total


def run(n):
    begin = time.process_time()
    loop(n)
    calls(n // 3)
    return time.process_time() - begin


def best(n, times=7):
    return min(run(n) for _ in range(times))


def measure(n):
    monitoring, seen, events = sys.monitoring, set(), 0

    def line(code, number):
        seen.add((code, number))
        return monitoring.DISABLE

    def trace(frame, event, arg):
        nonlocal events
        events += 1
        return trace

    best(n // 4)
    plain = best(n)
    monitoring.use_tool_id(1, "lines")
    monitoring.register_callback(1, monitoring.events.LINE, line)
    monitoring.set_events(1, monitoring.events.LINE)
    run(n)
    watched = best(n)
    monitoring.set_events(1, 0)
    monitoring.free_tool_id(1)
    assert len(seen) >= 14, seen
    sys.settrace(trace)
    try:
        traced = run(n // 50)
    finally:
        sys.settrace(None)
    print(f"alone {plain * 1e3:7.2f} ms   LINE events {watched * 1e3:7.2f} ms, {watched / plain:4.2f} times   "
          f"settrace {traced / events * 1e9:5.0f} ns an event")


def main():
    if sys.argv[1:2] == ["--measure"]:
        return measure(int(sys.argv[2]))
    default = [os.environ.get("SKEIN", "target/release/skein"), os.environ.get("SKEIN_REFERENCE")]
    for command in sys.argv[1:] or [c for c in default if c]:
        print(f"{command}: ", end="", flush=True)
        subprocess.run([command, os.path.abspath(__file__), "--measure", "300000"], check=True)


main()
