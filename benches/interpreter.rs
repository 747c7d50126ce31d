//! What the elements of a Python program cost, each in a loop of Python's inside of one isolate. The
//! loop's own cost is a benchmark too, to be subtracted.

use criterion::{Criterion, Throughput};
use skein::Interpreter;
use std::time::Duration;

/// Turns of a loop that are timed as one.
const TURNS: u64 = 100_000;

/// Name, definitions, and the statement of the loop's body.
const BODIES: &[(&str, &str, &str)] = &[
    ("loop", "", "pass"),
    ("call", "def f(a, b): return a", "f(i, i)"),
    ("call with keywords", "def f(a, b=1, *, c=2): return a", "f(i, c=3)"),
    ("method call", "class C:\n    def m(self, a): return a\no = C()", "o.m(i)"),
    ("attribute load", "class C: pass\no = C(); o.a = 1", "o.a"),
    ("attribute store", "class C: pass\no = C(); o.a = 1", "o.a = i"),
    ("instance with __init__", "class C:\n    def __init__(self, a): self.a = a", "C(i)"),
    ("instance without", "class C: pass", "C()"),
    ("tuple of two", "", "(i, i)"),
    ("list of two", "", "[i, i]"),
    ("dict get", "d = {n: n for n in range(1000)}", "d[7]"),
    ("dict get of a string", "d = {str(n): n for n in range(1000)}", "d['7']"),
    ("dict set", "d = {}", "d[i & 1023] = i"),
    ("list get", "l = list(range(1000))", "l[7]"),
    ("list set", "l = list(range(1000))", "l[7] = i"),
    ("list append", "l = []", "l.append(i)"),
    ("int add", "x = 1", "x + i"),
    ("float multiply", "x = 1.5", "x * 2.5"),
    ("str concatenation", "s = 'abc'", "s + 'def'"),
    ("try without exception", "", "try: pass\n        except ValueError: pass"),
    ("exception caught", "", "try: raise ValueError\n        except ValueError: pass"),
];

/// As `BODIES`, of which a turn is one step of something that runs beside the loop.
const SWITCHES: &[(&str, &str, &str)] = &[
    ("generator next", "def g():\n    while True: yield 1\nstep = g().__next__", "step()"),
    (
        "greenlet switch there and back",
        "import greenlet\ndef f():\n    up = greenlet.getcurrent().parent.switch\n    while True: up()\nstep = greenlet.greenlet(f).switch",
        "step()",
    ),
    (
        "schedule() to one other and back",
        "import stackless\ndef f():\n    while True: stackless.schedule()\nstackless.tasklet(f)()\nstep = stackless.schedule",
        "step()",
    ),
    (
        "channel message to another",
        "import stackless\nc = stackless.channel()\ndef f():\n    while True: c.receive()\nstackless.tasklet(f)()\nstackless.run()\nstep = c.send",
        "step(i)",
    ),
];

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .sample_size(10);
    for (group, benches) in [("operations", BODIES), ("switches", SWITCHES)] {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(TURNS));
        for (name, definitions, body) in benches {
            let python = Interpreter::new().expect("there is address space");
            let run = |source: &str| {
                if let Err(e) = python.exec(source, "bench.py") {
                    panic!("{name}:\n{e}");
                }
            };
            // The names are the function's own, as in most programs.
            let lines: String = definitions.lines().map(|line| format!("    {line}\n")).collect();
            run(&format!(
                "def make():\n{lines}    def turns(n):\n        for i in range(n):\n            {}\n    return turns\nturns = make()",
                body.replace('\n', "\n    ")
            ));
            group.bench_function(*name, |bencher| bencher.iter(|| run(&format!("turns({TURNS})"))));
        }
        group.finish();
    }
}
