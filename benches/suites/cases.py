"""What the runners of upstream suites share: each module of tests runs in a process of its own,
with a time limit, and each case is reported by name.

    ok      NAME
    skipped NAME: why
    failed  NAME: the error's last line
    lost    NAME: the process crashed or hung
    other   NAME: why a case that fails is about something that Skein does not have

The exit status is 1 when anything failed or was lost. `-v` shows the whole traceback of failures.
"""

import fnmatch
import os
import signal
import subprocess
import sys
import threading
import unittest

KINDS = ("ok", "skipped", "failed", "lost", "other")


def folder(variable, what, expected):
    """The suite's folder, from the environment; it must have the file `expected` in it."""
    path = os.environ.get(variable)
    if not path:
        sys.exit(f"{variable} is not set: it names {what}")
    path = os.path.abspath(path)
    if not os.path.exists(os.path.join(path, expected)):
        sys.exit(f"{variable}={path}: there is no {expected} in it; it should be {what}")
    return path


class Report(unittest.TestResult):
    """Prints a line for each case as soon as it is known."""

    def __init__(self, verbose, inapplicable):
        super().__init__()
        self.verbose, self.inapplicable = verbose, inapplicable

    def startTest(self, test):
        super().startTest(test)
        self.bad = False
        print("begin", test.id(), flush=True)

    def say(self, kind, test, why=""):
        why = why.strip()
        line = f"{kind:7} {test.id()}"
        if why:
            line += ": " + why.splitlines()[-1][:200]
        print(line, flush=True)
        if self.verbose and kind == "failed":
            print(why, flush=True)

    def addSuccess(self, test):
        self.say("ok", test)

    def addSkip(self, test, reason):
        self.say("skipped", test, reason)

    def addExpectedFailure(self, test, err):
        self.say("ok", test)

    def addUnexpectedSuccess(self, test):
        self.fail(test, "an unexpected success")

    def addFailure(self, test, err):
        self.fail(test, self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fail(test, self._exc_info_to_string(err, test))

    def fail(self, test, why):
        # A case may fail in several places, and counts once.
        if not self.bad:
            reasons = (r for pattern, r in self.inapplicable.items() if fnmatch.fnmatchcase(test.id(), pattern))
            reason = next(reasons, None)
            self.say("other" if reason else "failed", test, reason or why)
        self.bad = True


def run_here(names, verbose, behind, inapplicable):
    """Runs tests by name in this process; those behind one of them only, if it is given."""
    try:
        tests = list(each(unittest.defaultTestLoader.loadTestsFromNames(names)))
    except BaseException as e:
        # What pytest.skip() raises for a whole module.
        if type(e).__name__ != "Skipped":
            raise
        return print(f"skipped {names[0]}: {e}", flush=True)
    ids = [t.id() for t in tests]
    if behind in ids:
        tests = tests[ids.index(behind) + 1:]
    unittest.TestSuite(tests).run(Report(verbose, inapplicable))
    sys.stdout.flush()


def each(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def run_module(script, module, select, verbose, silence, environment):
    """Runs a module in processes of its own; one that crashes, or says nothing for so many seconds, is followed by another
    for the cases that are left."""
    behind = ""
    while True:
        command = [sys.executable, script, "--only", module, behind, *select, *(["-v"] if verbose else [])]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )
        at, last, stopped = None, "", []

        def stop():
            stopped.append(True)
            # With what it has started.
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(silence, stop)
        timer.start()
        for line in child.stdout:
            line = line.rstrip("\n")
            timer.cancel()
            timer = threading.Timer(silence, stop)
            timer.start()
            kind, _, rest = line.partition(" ")
            if kind == "begin":
                at = rest
            elif kind in KINDS:
                at = None
                yield kind, line
            elif verbose:
                yield "", line
            last = line or last
        timer.cancel()
        status = child.wait()
        if status == 0:
            return
        ended = f"silent for {silence} s" if stopped else f"status {status}"
        yield "lost", f"lost    {at or module}: {ended}: {last}"
        if at is None:
            return
        behind = at


def main(script, modules, prepare, environment=None, silence=60, inapplicable={}):
    """The command line of a runner: [-v] [MODULE or NAME ...]. `inapplicable` has patterns of names, and the reasons why
    such cases may fail: those that pass all the same count as any do."""
    args = sys.argv[1:]
    verbose = "-v" in args
    args = [a for a in args if a != "-v"]
    if args[:1] == ["--only"]:
        prepare()
        _, module, behind, *select = args
        return run_here(select or [module], verbose, behind, inapplicable)
    chosen = modules
    if args:
        chosen = {}
        for name in args:
            # The longest module that the name begins with.
            fitting = [m for m in modules if name == m or name.startswith(m + ".")]
            if not fitting:
                sys.exit(f"{name}: the modules are {', '.join(modules)}")
            chosen.setdefault(max(fitting, key=len), []).append(name)
    counts = dict.fromkeys(KINDS, 0)
    for module in chosen:
        select = chosen[module] if isinstance(chosen, dict) else []
        for kind, line in run_module(script, module, select, verbose, silence, environment):
            if kind in counts:
                counts[kind] += 1
            print(line, flush=True)
    print(", ".join(f"{n} {kind}" for kind, n in counts.items()))
    sys.exit(bool(counts["failed"] or counts["lost"]))
