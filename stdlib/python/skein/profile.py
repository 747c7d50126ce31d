"""A sampling profiler that knows microthreads.

usage: python -m skein.profile [-o FILE] [--interval SECONDS] [--idle] [--each] [-m MODULE | PROGRAM] [ARG...]
       python -m skein.profile [-o FILE] [--interval SECONDS] [--idle] [--each] --seconds SECONDS PID

Looks at the stacks of all threads again and again and writes where the time went: as a page with a flame graph if FILE ends in .html,
else as JSON for https://www.speedscope.app. A stack begins with its thread and the microthread that runs in it: those with the
same first function together, or with --each one by one. Threads that wait are left out unless --idle is given.
"""

import argparse
import html
import json
import os
import runpy
import sys
import tempfile
import time

import _skein_microthreads as native

from . import attach
from .agent import fresh, type_name


class Sampler:
    """Takes samples in a thread of its own between `start` and `stop`."""

    def __init__(self, interval=0.005, idle=False, each=False):
        self.interval, self.idle, self.each = interval, idle, each
        self.codes, self.numbers = [], {}  # code objects, and their places by id
        self.stacks = {}  # (thread, microthread's name, frames as numbers and lines): seconds
        self.samples = 0
        self.running = False

    def start(self):
        _thread, self.time = fresh("_thread"), fresh("time")
        self.done = _thread.allocate_lock()
        self.done.acquire()
        self.switch_interval = sys.getswitchinterval()
        # A thread that computes lets the sampler look after so long.
        sys.setswitchinterval(min(self.switch_interval, self.interval / 4))
        self.running = True
        _thread.start_new_thread(self.run, ())

    def stop(self):
        if self.running:
            self.running = False
            self.done.acquire()
            sys.setswitchinterval(self.switch_interval)

    def run(self):
        clock, sleep = self.time.perf_counter, self.time.sleep
        last = clock()
        try:
            while self.running:
                sleep(self.interval)
                found = native.sample(self.idle)
                now = clock()
                passed, last = now - last, now
                self.samples += 1
                for thread, which, frames in found:
                    self.count(thread, which, frames, passed)
        finally:
            self.done.release()

    def count(self, thread, which, frames, seconds):
        stack = []
        for code in frames[::2]:
            n = self.numbers.get(id(code))
            if n is None:
                n = self.numbers[id(code)] = len(self.codes)
                self.codes.append(code)
            stack.append(n)
        if which is None:
            name = ""
        elif self.each:
            name = f"{type_name(which)} at {id(which):#x}"
        else:
            name = type_name(which)
        key = thread, name, tuple(stack), frames[1::2]
        self.stacks[key] = self.stacks.get(key, 0.0) + seconds

    # ---- what was found

    def collected(self):
        """Rows of (thread, [(name, file, line), ...] from the outermost to the innermost, seconds)."""
        for (thread, name, stack, lines), seconds in self.stacks.items():
            frames = [(name, "", 0)] if name else []
            for n, line in zip(reversed(stack), reversed(lines)):
                code = self.codes[n]
                frames.append((code.co_qualname, code.co_filename, line))
            yield thread, frames, seconds

    def speedscope(self, title):
        frames, numbers, profiles = [], {}, {}

        def number(frame):
            n = numbers.get(frame)
            if n is None:
                n = numbers[frame] = len(frames)
                name, file, line = frame
                frames.append({"name": name, "file": file, "line": line} if file else {"name": name})
            return n

        for thread, stack, seconds in self.collected():
            p = profiles.setdefault(thread, {
                "type": "sampled", "name": f"thread {thread}", "unit": "seconds", "startValue": 0, "endValue": 0.0,
                "samples": [], "weights": [],
            })
            p["samples"].append([number(f) for f in stack])
            p["weights"].append(round(seconds, 6))
            p["endValue"] += seconds
        return {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": "skein.profile",
            "name": title,
            "activeProfileIndex": 0,
            "shared": {"frames": frames},
            "profiles": list(profiles.values()),
        }

    def tree(self):
        """Nested [name, place, seconds, children], for the page."""
        root = ["all", "", 0.0, {}]
        for thread, stack, seconds in self.collected():
            root[2] += seconds
            node = root
            for name, file, line in [(f"thread {thread}", "", 0), *stack]:
                node = node[3].setdefault((name, file), [name, file, 0.0, {}])
                node[2] += seconds

        def plain(node):
            below = sorted(node[3].values(), key=lambda n: -n[2])
            return [node[0], node[1], round(node[2], 4), [plain(n) for n in below]]

        limit = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(limit + 10_000)
            return plain(root)
        finally:
            sys.setrecursionlimit(limit)

    def write(self, path, title):
        if path.endswith(".html"):
            text = PAGE.replace("TITLE", html.escape(title)).replace("TREE", json.dumps(self.tree()).replace("<", "\\u003c"))
        else:
            text = json.dumps(self.speedscope(title))
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>TITLE</title>
<style>
body { font: 13px system-ui, sans-serif; margin: 1em; color: #222; background: #fff } #graph { position: relative }
#graph div { position: absolute; height: 17px; overflow: hidden; white-space: nowrap; font: 11px/17px ui-monospace, monospace;
  border-radius: 2px; padding: 0 3px; box-sizing: border-box; cursor: pointer; color: #000 }
#graph div.found { outline: 2px solid #06c }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } }
</style>
<h3>TITLE</h3><p><input id="find" placeholder="find a function"> <span id="what"></span></p><div id="graph"></div>
<script>
"use strict";
const tree = TREE, graph = document.getElementById("graph"), what = document.getElementById("what");
let root = tree, text = "";
const hue = s => { let h = 0; for (const c of s) h = (h * 31 + c.charCodeAt(0)) | 0; return 10 + Math.abs(h) % 45; };
function show() {
  const W = graph.clientWidth || 1000, out = [];
  let deepest = 0;
  const todo = [[root, 0, W, 0]];
  while (todo.length) {
    const [n, x, w, depth] = todo.pop();
    if (w < 1) continue;
    deepest = Math.max(deepest, depth);
    out.push([n, x, w, depth]);
    let at = x;
    for (const c of n[3]) { const cw = w * c[2] / n[2]; todo.push([c, at, cw, depth + 1]); at += cw; }
  }
  graph.textContent = "";
  graph.style.height = (deepest + 1) * 18 + "px";
  for (const [n, x, w, depth] of out) {
    const d = document.createElement("div");
    d.style.cssText = `left:${x}px;width:${Math.max(w - 1, 1)}px;top:${depth * 18}px;background:hsl(${hue(n[1] + n[0])} 85% 65%)`;
    d.textContent = w > 25 ? n[0] : "";
    if (text && n[0].toLowerCase().includes(text)) d.className = "found";
    d.title = `${n[0]} ${n[1]}\\n${n[2].toFixed(3)} s, ${(100 * n[2] / tree[2]).toFixed(1)} %`;
    d.onclick = () => { root = root === n ? tree : n; show(); };
    d.onmouseenter = () => { what.textContent = d.title.replace("\\n", ": "); };
    graph.append(d);
  }
}
document.getElementById("find").addEventListener("input", e => { text = e.target.value.toLowerCase(); show(); });
addEventListener("resize", show);
show();
</script></html>
"""


def profile_process(args):
    """Of a process that runs already: it takes the samples itself, and writes the file."""
    with tempfile.TemporaryDirectory(prefix="skein-profile-") as folder:
        script, done = os.path.join(folder, "script.py"), os.path.join(folder, "done")
        output = os.path.abspath(args.output)
        with open(script, "w") as f:
            f.write(
                "import skein.profile\n"
                f"skein.profile.run_for({args.seconds!r}, {output!r}, {done!r}, {args.interval!r}, {args.idle!r}, {args.each!r})\n")
        attach.send(int(args.program), script)
        until = time.monotonic() + args.seconds + 30
        while not os.path.exists(done):
            if time.monotonic() > until:
                print("skein.profile: the program does not answer", file=sys.stderr)
                return 1
            time.sleep(0.05)
        with open(done) as f:
            print(f.read(), file=sys.stderr)
    return 0


def run_for(seconds, output, done, interval, idle, each):
    """Called in a process that is profiled from outside."""

    def finish():
        sampler.time.sleep(seconds)
        sampler.stop()
        try:
            sampler.write(output, " ".join(sys.orig_argv))
            text = f"{sampler.samples} samples, {output}"
        except Exception as e:
            text = f"{type(e).__name__}: {e}"
        with open(done + ".new", "w") as f:
            f.write(text)
        os.replace(done + ".new", done)

    sampler = Sampler(interval, idle, each)
    sampler.start()
    fresh("_thread").start_new_thread(finish, ())


def profile_program(args):
    sampler = Sampler(args.interval, args.idle, args.each)
    if args.module:
        sys.argv = args.module
        sys.path[0] = os.getcwd()
        run = lambda: runpy.run_module(args.module[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [args.program, *args.arguments]
        sys.path[0] = os.path.dirname(os.path.abspath(args.program))
        run = lambda: runpy.run_path(args.program, run_name="__main__")
    sampler.start()
    try:
        run()
    finally:
        sampler.stop()
        sampler.write(args.output, " ".join(sys.argv))
        print(f"{sampler.samples} samples, {args.output}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(prog="python -m skein.profile", description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", default="profile.speedscope.json", metavar="FILE", help="a page if it ends in .html")
    parser.add_argument("--interval", type=float, default=0.005, metavar="SECONDS", help="between two samples")
    parser.add_argument("--idle", action="store_true", help="threads that wait too")
    parser.add_argument("--each", action="store_true", help="microthreads one by one")
    parser.add_argument("--seconds", type=float, default=10, help="how long to look at a process that runs already")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="a module to run")
    parser.add_argument("program", nargs="?", metavar="PID | PROGRAM")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG")
    args = parser.parse_args()
    if not args.module and args.program is None:
        parser.error("a process or a program is wanted")
    if args.module or not args.program.isdecimal():
        return profile_program(args)
    try:
        return profile_process(args)
    except (OSError, RuntimeError) as e:
        print(f"skein.profile: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
