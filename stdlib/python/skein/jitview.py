"""A page that shows what the compiler of busy loops makes of a program.

usage: python -m skein.jitview [-o FILE] [-m MODULE | PROGRAM] [ARG...]
Runs the program and writes one HTML page (default jitview.html): source lines with their heat, and for each trace its instructions
and machine code, linked with the lines; which exits were taken most, and what was given up.
"""

import argparse
import html
import linecache
import os
import runpy
import sys

from . import jit

STYLE = """
body { font: 14px system-ui, sans-serif; margin: 1.5em; color: #222; background: #fff }
pre, code, td.src { font: 12px ui-monospace, monospace; white-space: pre }
table { border-collapse: collapse } td, th { padding: 1px 8px; text-align: left; vertical-align: top }
td.n { color: #888; text-align: right } th { border-bottom: 1px solid #aaa }
.pair { display: flex; gap: 2em; flex-wrap: wrap } .pair > div { max-width: 48%; overflow-x: auto }
.line:target, .ir:target { outline: 2px solid #c60 } a { color: #06c; text-decoration: none }
summary { cursor: pointer; font-weight: 600; margin: .6em 0 } .void { color: #a00 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } a { color: #6af } }
"""


def escape(text):
    return html.escape(str(text), quote=True)


def heat_of(traces):
    """How much of the traces each line is: {file: {line: (weight, numbers of traces)}}. The weight of a line is the instructions
    that are its own, times how often the trace was gone through as far as is known."""
    heat = {}
    for trace in traces:
        rounds = trace.entered + sum(exit.taken for exit in trace.exits) + 1
        for _, file, line in trace.ir:
            if line:
                lines = heat.setdefault(file, {})
                weight, numbers = lines.get(line, (0, ()))
                if trace.number not in numbers:
                    numbers += (trace.number,)
                lines[line] = weight + rounds, numbers
    return heat


def color(weight, most):
    share = (weight / most) ** 0.5 if most else 0
    return f"background: rgba(230, 90, 0, {0.08 + 0.5 * share:.2f})"


def source_table(file, lines, ids):
    most = max(weight for weight, _ in lines.values())
    shown = sorted({n for line in lines for n in range(max(line - 3, 1), line + 4)})
    rows, last = [], 0
    for n in shown:
        text = linecache.getline(file, n)
        if not text:
            continue
        if n != last + 1 and last:
            rows.append('<tr><td class="n">⋮</td><td></td><td></td></tr>')
        last = n
        weight, numbers = lines.get(n, (0, ()))
        links = " ".join(f'<a href="#t{t}">{t}</a>' for t in numbers)
        style = f' style="{color(weight, most)}"' if weight else ""
        rows.append(
            f'<tr class="line" id="{ids[file]}l{n}"><td class="n">{n}</td>'
            f'<td class="src"{style}>{escape(text.rstrip())}</td><td>{links}</td></tr>'
        )
    return "<table><tr><th></th><th>source</th><th>traces</th></tr>" + "".join(rows) + "</table>"


def ir_text(trace, ids):
    out = []
    for i, (text, file, line) in enumerate(trace.ir):
        shown = f'<span class="ir" id="t{trace.number}i{i}">{escape(text)}</span>'
        if line and file in ids:
            shown += f'   <a href="#{ids[file]}l{line}">line {line}</a>'
        out.append(shown)
    return "<pre>" + "\n".join(out) + "</pre>"


def trace_section(trace, ids):
    exits = "".join(
        f"<tr><td class=n>{exit.taken}</td><td>{escape(exit.kind)}</td><td>{escape(exit.function)}:{exit.line}</td>"
        f"<td>{escape(exit.op)}</td><td class=n>{exit.aborts}</td><td>{'yes' if exit.bridge else ''}</td></tr>"
        for exit in trace.worst_exits(12)
    )
    void = "" if trace.valid else ' <span class="void">(void)</span>'
    code = f"<div><h4>machine code</h4><pre>{escape(trace.code)}</pre></div>" if trace.code else ""
    return (
        f'<details id="t{trace.number}" open><summary>{trace.number}: {escape(trace)}{void}</summary>'
        "<table><tr><th>left</th><th>by</th><th>at</th><th>instruction</th><th>given up</th><th>bridge</th></tr>"
        f"{exits}</table><div class=pair><div><h4>trace</h4>{ir_text(trace, ids)}</div>{code}</div></details>"
    )


def page(title, traces, counters, aborts):
    """The page as text."""
    heat = heat_of(traces)
    ids = {file: f"f{i}" for i, file in enumerate(heat)}
    sources = "".join(
        f"<details open><summary>{escape(file)}</summary>{source_table(file, lines, ids)}</details>"
        for file, lines in sorted(heat.items(), key=lambda item: -max(w for w, _ in item[1].values()))
    )
    worst = sorted(((exit.taken, trace, exit) for trace in traces for exit in trace.exits), key=lambda row: -row[0])
    worst = "".join(
        f'<tr><td class=n>{taken}</td><td><a href="#t{trace.number}">{trace.number}</a></td><td>{escape(exit)}</td></tr>'
        for taken, trace, exit in worst[:20]
    )
    given_up = "".join(f"<tr><td class=n>{n}</td><td>{escape(reason)}</td></tr>" for reason, n in aborts.items())
    counts = ", ".join(f"{n} {escape(name)}" for name, n in counters.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}: traces</title><style>{STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{counts}</p><h2>Source</h2>{sources or '<p>No loop was busy enough.</p>'}"
        f"<h2>Exits taken most</h2><table><tr><th>times</th><th>trace</th><th>at</th></tr>{worst}</table>"
        f"<h2>Given up</h2><table><tr><th>times</th><th>why</th></tr>{given_up}</table>"
        f"<h2>Traces</h2>{''.join(trace_section(trace, ids) for trace in traces)}</html>\n"
    )


def main(args=None):
    parser = argparse.ArgumentParser(prog="python -m skein.jitview", description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", default="jitview.html", help="the page (default: jitview.html)")
    parser.add_argument("-m", dest="module", action="store_true", help="PROGRAM is a module's name")
    parser.add_argument("program")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    options = parser.parse_args(args)
    if not jit.is_enabled():
        parser.error("loops are not compiled: is there -X jit=off?")
    if "view" not in str(sys._xoptions.get("jit", "")):
        # Machine code is kept as text only if that is asked for when the program starts.
        os.execv(sys.executable, [sys.executable, "-X", "jit=view", "-m", "skein.jitview", *(args or sys.argv[1:])])
    sys.argv = [options.program, *options.args]
    try:
        if options.module:
            runpy.run_module(options.program, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(options.program)))
            runpy.run_path(options.program, run_name="__main__")
    finally:
        text = page(options.program, jit.traces(), jit.counters(), jit.aborts())
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"{options.output}: {len(text)} characters", file=sys.stderr)


if __name__ == "__main__":
    main()
