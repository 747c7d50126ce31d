#!/usr/bin/env python3
"""Installs packages with pip into fresh virtual environments and runs a short program of each, on Skein and on CPython.

    python3 benches/packages.py [--only REGEX] [--jobs 2] [--folder DIR] [--json FILE]

The programs are `packages/use_NAME.py`; the first line of each says what pip installs. A package is *alike* if both
interpreters print the same and end with the same code. Skein is $SKEIN, or target/release/skein; the reference is
$SKEIN_REFERENCE, or python3.14 on PATH, and where there is none Skein's results alone are shown. pip finds its index
in its own settings. Environments in --folder are used again; without it they are fresh each time.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "packages")
# How the packages that have parts in C are told to do without.
PURE = {
    "AIOHTTP_NO_EXTENSIONS": "1",
    "DISABLE_SQLALCHEMY_CEXT": "1",
    "FROZENLIST_NO_EXTENSIONS": "1",
    "MULTIDICT_NO_EXTENSIONS": "1",
    "PROPCACHE_NO_EXTENSIONS": "1",
    "PURE_PYTHON": "1",
    "TORNADO_EXTENSION": "0",
    "WRAPT_DISABLE_EXTENSIONS": "1",
    "YARL_NO_EXTENSIONS": "1",
}
# Those of the programs themselves: what they print is to be the same each time.
STEADY = {"PYTHONHASHSEED": "0", "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}


def run(command, timeout, **settings):
    """Output, error output and code of a command that is ended with all its children; the code is None after that."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        start_new_session=True, **settings
    )
    try:
        out, err = process.communicate(timeout=timeout)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = None
    return out, err, code


class Interpreter:
    """One that packages are installed for, with the folder of its environments."""

    def __init__(self, name, path, folder):
        self.name, self.path = name, path
        self.folder = os.path.join(folder, name)
        self.pip = None

    def python(self, package):
        return os.path.join(self.folder, package, "bin", "python")

    def prepare(self, pip=None):
        """Makes the environment whose pip installs all packages, unless one is given: pip's folder."""
        os.makedirs(self.folder, exist_ok=True)
        if pip is None:
            tools = os.path.join(self.folder, "tools")
            if not os.path.exists(os.path.join(tools, "bin", "pip")):
                out, err, code = run([self.path, "-m", "venv", "--clear", tools], 600)
                if code != 0:
                    raise SystemExit("no environment with pip from %s:\n%s%s" % (self.path, out, err))
            found = run([os.path.join(tools, "bin", "python"), "-c", "import pip; print(pip.__path__[0])"], 60)
            pip = found[0].strip()
        self.pip = pip

    def install(self, package, requirements, timeout):
        """Installs into a fresh environment; what went wrong, or None."""
        environment = os.path.join(self.folder, package)
        done = os.path.join(environment, "installed")
        if os.path.exists(done):
            with open(done) as f:
                if f.read() == requirements:
                    return None
        out, err, code = run([self.path, "-m", "venv", "--clear", "--without-pip", environment], timeout)
        if code == 0:
            command = [self.path, self.pip, "--python", self.python(package), "install", "--no-input", "-q"]
            settings = dict(os.environ, **PURE, PIP_DISABLE_PIP_VERSION_CHECK="1")
            out, err, code = run(command + requirements.split(), timeout, env=settings)
        if code != 0:
            return "over %d s" % timeout if code is None else last_line(err) or last_line(out) or "exit %s" % code
        with open(done, "w") as f:
            f.write(requirements)
        return None

    def execute(self, package, program, timeout):
        with tempfile.TemporaryDirectory() as folder:
            settings = dict(os.environ, **PURE, **STEADY)
            return run([self.python(package), "-P", program], timeout, cwd=folder, env=settings)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if re.match(r"(?i)(\w+\.)*\w*error\b", line)]
    return (wrong or lines or [""])[-1]


def difference(ours, theirs):
    """The first line that differs."""
    ours, theirs = ours.splitlines(), theirs.splitlines()
    for a, b in zip(ours, theirs):
        if a != b:
            return "%.100r instead of %.100r" % (a, b)
    return "%d lines instead of %d" % (len(ours), len(theirs))


def judge(ours, theirs):
    """A word for how two results compare, and why; `theirs` may be None."""
    out, err, code = ours
    if code is None:
        return "hangs", last_line(err)
    if code < 0 and (theirs is None or theirs[2] != code):
        return "crashes", signal.Signals(-code).name
    if theirs is None:
        return ("runs", "") if code == 0 else ("fails", last_line(err))
    if theirs[2] != 0:
        return "reference fails", last_line(theirs[1])
    if code != theirs[2]:
        return "fails", last_line(err)
    return ("alike", "") if out == theirs[0] else ("differs", difference(out, theirs[0]))


def examine(package, requirements, skein, reference, options):
    program = os.path.join(PROGRAMS, "use_%s.py" % package)
    row = {"package": package, "requirements": requirements}
    results = {}
    for interpreter in filter(None, (skein, reference)):
        began = time.monotonic()
        problem = interpreter.install(package, requirements, options.install_timeout)
        row[interpreter.name + "_install_seconds"] = round(time.monotonic() - began, 1)
        if problem:
            who = "not installed" if interpreter is skein else "not installed for the reference"
            row.update(result=who, why=problem)
            return row
        began = time.monotonic()
        results[interpreter] = interpreter.execute(package, program, options.timeout)
        row[interpreter.name + "_seconds"] = round(time.monotonic() - began, 2)
    row["result"], row["why"] = judge(results[skein], results.get(reference))
    if options.verbose and row["result"] not in ("alike", "runs"):
        row["error_output"] = results[skein][1]
    return row


def packages(only):
    for file in sorted(os.listdir(PROGRAMS)):
        name = re.fullmatch(r"use_(\w+)\.py", file)
        if name and re.search(only, name.group(1)):
            with open(os.path.join(PROGRAMS, file)) as f:
                yield name.group(1), re.fullmatch(r"# pip install (.+)\n", f.readline()).group(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=".", metavar="REGEX", help="packages to try")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=120, help="seconds that a program may take")
    parser.add_argument("--install-timeout", type=int, default=600)
    parser.add_argument("--folder", help="where environments are, and stay")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="show the error output of what is not alike")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="packages")
    path = os.environ.get("SKEIN") or os.path.join(HERE, "..", "target", "release", "skein")
    skein = Interpreter("skein", os.path.abspath(path), os.path.abspath(folder))
    found = os.environ.get("SKEIN_REFERENCE") or shutil.which("python3.14")
    # Not by a link, beside which its library is not.
    reference = Interpreter("reference", os.path.realpath(found), os.path.abspath(folder)) if found else None
    print("skein: %s; reference: %s" % (skein.path, found or "none found, outputs are not compared"), flush=True)
    skein.prepare()
    if reference:
        reference.prepare(skein.pip)
    rows = []
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            wanted = [pool.submit(examine, *p, skein, reference, options) for p in packages(options.only)]
            for future in concurrent.futures.as_completed(wanted):
                row = future.result()
                rows.append(row)
                print("%(package)-22s %(result)-16s %(why)s" % row, flush=True)
                if row.get("error_output"):
                    print(row["error_output"], flush=True)
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    counts = collections.Counter(row["result"] for row in rows)
    print("%d packages: %s" % (len(rows), ", ".join("%d %s" % (n, word) for word, n in counts.most_common())))
    both = [row for row in rows if row["result"] == "alike"]
    if both:
        ours, theirs = (sum(row[k] for row in both) for k in ("skein_seconds", "reference_seconds"))
        print("those alike took %.1f s, the reference %.1f s" % (ours, theirs))
    if options.json:
        with open(options.json, "w") as f:
            json.dump(sorted(rows, key=lambda row: row["package"]), f, indent=1)
    return 0 if all(row["result"] in ("alike", "runs", "reference fails") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
