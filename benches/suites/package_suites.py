"""The suites of ten packages, by pytest: what passes on CPython is to pass on the interpreter that runs this.

    PACKAGE_SUITES=DIR SKEIN_REFERENCE=python3.14 skein benches/suites/package_suites.py [-v] [NAME ...]

DIR has the unpacked source distributions, and a folder `site` into which pytest, the packages and what their tests want are installed
(`pip install --target`); both interpreters import from there. The reference's results are kept in DIR, and made again when they are
not there. Without a reference only what passes here is counted. `-v` names the cases that pass there and not here.
"""

import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 3600  # seconds for a suite

# Name, the folder of its sources, and what pytest is given there.
SUITES = {
    "attrs": ("attrs-*", ["tests"]),
    "click": ("click-*", ["tests"]),
    "docutils": ("docutils-*", ["test"]),
    "jinja2": ("jinja2-*", ["tests"]),
    "more-itertools": ("more_itertools-*", ["tests"]),
    "networkx": ("networkx-*", ["networkx"]),
    "pyparsing": ("pyparsing-*", ["tests"]),
    "sortedcontainers": ("sortedcontainers-*", ["tests"]),
    "sympy": ("sympy-*", ["sympy/core"]),
    "werkzeug": ("werkzeug-*", ["tests"]),
}


def outcomes(python, top, name, result):
    """How each case of a suite ends, by its name; and the last line that pytest has said."""
    pattern, what = SUITES[name]
    found = sorted(glob.glob(os.path.join(top, pattern)))
    if not found:
        return None, f"there is no {pattern} in {top}"
    path = os.pathsep.join([os.path.join(top, "site"), HERE])
    settings = {
        **os.environ, "PYTHONPATH": path, "OUTCOMES": result, "PYTHONHASHSEED": "0", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-m", "pytest", "-q", "-p", "outcomes", "-p", "no:cacheprovider", "--no-header", "--tb=short", *what]
    if os.path.exists(result):
        os.unlink(result)
    try:
        done = subprocess.run(
            command, cwd=found[0], env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None, f"over {PATIENCE} s"
    with open(result + ".log", "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(done.stdout)
    last = (done.stdout.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return read(result), last


def read(result):
    if not os.path.exists(result):
        return None
    with open(result, encoding="utf-8", errors="surrogateescape") as f:
        return {name: word for word, name in (line.rstrip("\n").split(" ", 1) for line in f)}


def main():
    top = os.environ.get("PACKAGE_SUITES")
    if not top or not os.path.isdir(os.path.join(top, "site")):
        sys.exit("PACKAGE_SUITES is to name a folder with sources of packages and a folder `site`: see the beginning of this file")
    top = os.path.abspath(top)
    reference = os.environ.get("SKEIN_REFERENCE")
    names = [a for a in sys.argv[1:] if a != "-v"] or list(SUITES)
    if unknown := [name for name in names if name not in SUITES]:
        sys.exit(f"there is no {unknown[0]}; there are {', '.join(SUITES)}")
    bad = False
    for name in names:
        kept = os.path.join(top, f"{name}.reference")
        theirs = read(kept)
        if theirs is None and reference:
            theirs, said = outcomes(reference, top, name, kept)
            if theirs is None:
                print(f"{name:18} no results of the reference: {said}", flush=True)
        ours, said = outcomes(sys.executable, top, name, os.path.join(top, f"{name}.skein"))
        if ours is None:
            bad = True
            print(f"{name:18} LOST: {said}", flush=True)
            continue
        passed = sum(word == "passed" for word in ours.values())
        if theirs is None:
            print(f"{name:18} {passed} of {len(ours)} pass", flush=True)
            continue
        wanted = [case for case, word in theirs.items() if word == "passed"]
        missing = [case for case in wanted if ours.get(case) != "passed"]
        share = 100 * (1 - len(missing) / max(len(wanted), 1))
        bad |= share < 99
        print(f"{name:18} {len(wanted) - len(missing)} of the {len(wanted)} that pass on CPython: {share:.1f} %", flush=True)
        if "-v" in sys.argv:
            for case in missing:
                print(f"    {ours.get(case, 'not run'):8} {case}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
