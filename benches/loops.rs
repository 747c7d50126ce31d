//! Simple loops as the tracing compiler makes them, beside the same loops in Rust with checked arithmetic.

use criterion::{Criterion, Throughput};
use skein::Interpreter;
use std::hint::black_box;
use std::time::Duration;

/// Rounds of a loop that are timed as one.
const ROUNDS: u64 = 1_000_000;

const PROGRAM: &str = "
def ints(n):
    i = s = 0
    while i < n:
        s += i & 7
        i += 1
    return s

def floats(n):
    x, i = 0.5, 0
    while i < n:
        x = x * 0.999 + 1.25 / (x + 2.0)
        i += 1
    return x

class Point:
    def __init__(self):
        self.a = 0

def attributes(n):
    p = Point()
    for i in range(n):
        p.a = p.a + 1
    return p.a

def count(n):
    i = 0
    while i < n:
        yield i
        i += 1

def generator(n):
    s = 0
    for i in count(n):
        s += i
    return s
";

fn ints(n: i64) -> i64 {
    let (mut i, mut s) = (0_i64, 0_i64);
    while i < black_box(n) {
        s = s.checked_add(i & 7).expect("it fits");
        i = i.checked_add(1).expect("it fits");
    }
    s
}

fn floats(n: i64) -> f64 {
    let (mut x, mut i) = (0.5, 0_i64);
    while i < black_box(n) {
        assert!(x + 2.0 != 0.0);
        x = x * 0.999 + 1.25 / (x + 2.0);
        i = i.checked_add(1).expect("it fits");
    }
    x
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let interpreter = Interpreter::new().expect("an isolate");
    interpreter.exec(PROGRAM, "loops").expect("the program");
    let mut group = criterion.benchmark_group("loops");
    group.throughput(Throughput::Elements(ROUNDS));
    group.bench_function("ints/rust", |b| b.iter(|| ints(black_box(ROUNDS as i64))));
    group.bench_function("floats/rust", |b| b.iter(|| floats(black_box(ROUNDS as i64))));
    for name in ["ints", "floats", "attributes", "generator"] {
        group.bench_function(format!("{name}/skein"), |b| {
            b.iter(|| interpreter.exec(&format!("{name}({ROUNDS})"), "loops").expect("a round"));
        });
    }
    group.finish();
}
