#!/usr/bin/env python3
"""Runs the benchmark programs on Skein and on every peer found, in turn, and prints a table.

    python3 benches/peers.py [--rounds 3] [--only REGEX] [--html FILE]

A peer is a command in an environment variable (SKEIN, CPYTHON, PYPY, STACKLESS) or else found on PATH; Skein's default is
target/release/skein. A row that a peer cannot run (no such module) is left out and named at the end.
"""
import argparse
import html
import math
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "programs"))
PROGRAMS = {"microthreads": "ROWS", "language": "ROWS", "idioms": "ROWS", "idioms_of_builtins": "ROWS", "threads": "ROWS"}
PEERS = (
    ("skein", "SKEIN", [os.path.join(HERE, "..", "target", "release", "skein"), "skein"]),
    ("cpython", "CPYTHON", ["python3.14", "python3.13", "python3"]),
    ("pypy", "PYPY", ["pypy3"]),
    ("stackless", "STACKLESS", ["stackless"]),
)


def find_peers():
    found = {}
    for name, variable, commands in PEERS:
        given = os.environ.get(variable)
        if given:
            found[name] = shlex.split(given)
            continue
        for command in commands:
            path = shutil.which(command)
            if path:
                found[name] = [path]
                break
    return found


def rows():
    for program, table in PROGRAMS.items():
        for row in getattr(__import__(program), table):
            yield program, row


def run(command, program, row, timeout):
    path = os.path.join(HERE, "programs", program + ".py")
    try:
        done = subprocess.run(command + [path, row], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, "over %d s" % timeout
    hit = re.search(r"^RESULT \S+ (\S+) (\S+)$", done.stdout, re.M)
    if hit:
        return (float(hit.group(1)), hit.group(2)), None
    return None, (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]


def write_html(path, names, table):
    with open(path, "w") as f:
        f.write("<!doctype html><meta charset=utf-8><title>Benchmarks</title><style>body{font:14px sans-serif}"
                "td,th{padding:2px 10px;text-align:right}div{background:#48a;height:10px}</style><table>")
        f.write("<tr><th>row<th>unit" + "".join("<th>%s<th>" % html.escape(n) for n in names))
        for (row, unit), values in table.items():
            top = max(values.values())
            f.write("<tr><td>%s<td>%s" % (html.escape(row), html.escape(unit)))
            for n in names:
                if n in values:
                    width = 150 * values[n] / top if top else 0
                    f.write("<td>%.1f<td><div style='width:%dpx'></div>" % (values[n], width))
                else:
                    f.write("<td>-<td>")
        f.write("</table>")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=".")
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--html", metavar="FILE", help="also write the table with bars as a page")
    options = parser.parse_args()
    peers = find_peers()
    print("peers: " + ", ".join("%s (%s)" % (n, " ".join(c)) for n, c in peers.items()), flush=True)
    table, failures = {}, []
    for program, row in rows():
        if not re.search(options.only, row):
            continue
        dead = set()
        for _ in range(options.rounds):
            for name, command in peers.items():
                if name in dead:
                    continue
                result, error = run(command, program, row, options.timeout)
                if error:
                    dead.add(name)
                    failures.append((row, name, error))
                else:
                    table.setdefault((row, result[1]), {}).setdefault(name, []).append(result[0])
        print("done " + row, file=sys.stderr, flush=True)
    medians = {key: {n: statistics.median(v) for n, v in values.items()} for key, values in table.items()}
    print("%-18s %-10s" % ("row", "unit") + "".join("%14s" % n for n in peers))
    for (row, unit), values in medians.items():
        cells = ("%14.1f" % values[n] if n in values else "%14s" % "-" for n in peers)
        print("%-18s %-10s" % (row, unit) + "".join(cells))
    for name in list(peers)[1:]:
        both = [v for v in medians.values() if v.get("skein") and v.get(name)]
        if both and "skein" in peers:
            mean = math.exp(sum(math.log(v[name] / v["skein"]) for v in both) / len(both))
            slower = [row for (row, _), v in medians.items() if v in both and v["skein"] > v[name]]
            print("skein against %s: %.2f times its speed in the geometric mean of %d rows" % (name, mean, len(both))
                  + ("; slower in " + ", ".join(slower) if slower else ""))
    for failure in failures:
        print("not run: %s on %s: %s" % failure)
    if options.html:
        write_html(options.html, list(peers), medians)


main()
