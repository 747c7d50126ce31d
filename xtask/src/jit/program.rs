//! One random program: classes, functions and loops that make what the compiler of loops takes for granted untrue now
//! and then, and in the middle of a loop.

use std::fmt::{self, Write};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }
}

/// What all programs have.
const HEAD: &str = r#"
import gc, sys, math
try:
    import greenlet
except ImportError:
    greenlet = None
LINES = []
def out(*args):
    if len(LINES) < 1500:
        LINES.append(' '.join(a if type(a) is str else text(a) for a in args))
def text(v, deep=2):
    if isinstance(v, (list, tuple)) and deep:
        return type(v).__name__ + '(' + ', '.join(text(x, deep - 1) for x in v[:6]) + ')'
    if isinstance(v, (int, float, str, type(None))):
        return repr(v)[:60]
    return type(v).__name__
FUEL = [12000]
def C(v):
    FUEL[0] -= 1
    if FUEL[0] < 0: raise SystemExit(3)
    if type(v) is int and not -(1 << 70) < v < 1 << 70:
        return v % 1000003 - 500000
    return v
def fail(e):
    lines = []
    tb = e.__traceback__
    while tb is not None:
        lines.append((tb.tb_frame.f_code.co_name, tb.tb_lineno))
        tb = tb.tb_next
    out('E', type(e).__name__, str(e), *[n + ':' + str(l) for n, l in lines])
def look(depth=1):
    f = sys._getframe(depth)
    seen = []
    while f is not None and len(seen) < 12:
        names = sorted(f.f_locals) if f.f_code.co_name != '<module>' else []
        seen.append(f.f_code.co_name + ':' + str(f.f_lineno))
        seen += [n + '=' + text(f.f_locals[n]) for n in names]
        f = f.f_back
    out('L', ' '.join(seen)[:400])
def poke(name, v):
    sys._getframe(1).f_locals[name] = v
class Gone:
    count = 0
    def __init__(self, v): self.v = v
    def __del__(self): Gone.count += 1
class A:
    k = 3
    def __init__(self, x, y=1):
        self.x = x
        self.y = y
        self.z = 8
    def m(self, n): return self.x + n
    def bump(self, n=1):
        self.x = C(self.x + n)
        return self.x
    @property
    def p(self): return self.y + 1
class B(A):
    k = 4.5
    def m(self, n): return self.y - n
    def q(self, *args, **kw): return len(args) + len(kw)
class S:
    __slots__ = ('x', 'y', 'z')
    k = 1 << 61
    def __init__(self, x, y=2):
        self.x = self.z = x
        self.y = y
    def m(self, n): return self.x * 2 if n else self.y
    def bump(self, n=1):
        self.x = C(self.x - n)
        return self.x
    @property
    def p(self): return self.k
class D(A):
    def __init__(self, x, y=3):
        super().__init__(y, x)
        self.z = x
    def __getattr__(self, name): return len(name)
    def __add__(self, o): return self.x
    def __radd__(self, o): return o
    def __lt__(self, o): return bool(self.z)
    def __bool__(self): return self.x != 0
    def __len__(self): return 2
    def __getitem__(self, i): return self.y
class Twos(list):
    def __getitem__(self, i): return 2
CLASSES = [A, B, S, D]
def alt_m(self, n): return n * 2
def alt_bump(self, n=1): return self.y
def plain(a, b=2, *rest, c=3): return a - b + c + len(rest)
def recur(n, a=0):
    if n <= 0: return a
    return recur(n - 1, a + n) + (n & 1)
def ups(n, v):
    while n > 0:
        got = yield v
        v = C(v + (got if got is not None else n))
        n -= 1
def twice(n, v):
    yield from ups(n, v)
    try:
        yield from both(n % 3, v)
    except ValueError:
        yield v
def both(n, v):
    if n > 0: yield from both(n - 1, v)
    yield thrower(v, n)
def closes(n, v):
    try:
        yield v
        yield from ups(n, v)
    finally: Gone.count += 1
async def co(n, v):
    if n > 3: raise ValueError(n)
    return v if n <= 0 else await co(n - 1, thrower(v, n))
async def several(row, v):
    for n in row: v = C(v + await co(n, v))
    return v
def run(c):
    try: c.send(None)
    except StopIteration as e: return e.value
def finds(row, n):
    for i, v in enumerate(row):
        if v == n: return i
    else:
        return inner_loop(n)
def walks(n, a):
    for i in range(n):
        a = walks(i - 1, a) + 1 if i & 1 else a
        if a == 40: return 0
    return a
def thrower(v, n):
    if n == v: raise ValueError(n)
    return v
def inner_loop(n):
    t = 0
    for i in range(n % 7 if type(n) is int else 3): t += i
    return t
def closed(v):
    total = v
    def add(n):
        nonlocal total
        total = C(total + n)
        return total
    return add
def spread(*args, **kw): return plain(*args[:3], **kw)
def named(a, /, b=2, *, c, d=1):
    if c == 13: return a
    return b - c + d
def kept(a, *rest, k=4, **kw):
    kw['k'] = k
    for name, v in kw.items():
        if name != 'z': rest += v,
    return rest[-1] if a else len(kw)
G0 = 5
G1 = 1 << 60
G2 = 0.5
fn = plain
"#;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "13",
    "-100",
    "2**60",
    "(2**61 - 1)",
    "(-2**61)",
    "(2**61 - 3)",
    "2**62",
    "(2**63 - 1)",
    "2**64",
    "True",
    "False",
    "0.5",
    "-0.0",
    "1e300",
    "1e-310",
    "1e200",
    "2.5e-200",
    "INF",
    "NAN",
    "3.75",
    "9007199254740993",
];
const INTS: &[&str] =
    &["0", "1", "2", "3", "7", "-5", "63", "2**60", "(2**61 - 1)", "(-2**61)", "(2**61 - 9)", "255"];
const FLOATS: &[&str] =
    &["0.0", "-0.0", "1.5", "0.1", "1e300", "1e-308", "3e-320", "INF", "NAN", "1e160", "-2.25"];
const INT_NAMES: &[&str] = &["i0", "i1", "i2", "j", "G0", "G1"];
const FLOAT_NAMES: &[&str] = &["f0", "f1", "G2"];
const OBJECTS: &[&str] = &["o0", "o1", "os[j % 4]", "os[i2 % 4 if type(i2) is int else 1]"];

pub struct Program(String);

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Program {
    pub fn new(seed: u64) -> Program {
        let mut w = Writer {
            random: Random(seed),
            text: HEAD.to_owned(),
            depth: 0,
            loops: 0,
            tries: 0,
            names: 0,
            breaks: 0,
            calls: 0,
            left: 0,
            finals: 0,
        };
        w.line("INF = float('inf'); NAN = INF - INF");
        let functions = 1 + w.random.below(3);
        for number in 0..functions {
            w.calls = number;
            w.function(&format!("f_{number}"));
        }
        w.line("try:");
        for number in (0..functions).rev() {
            let (a, b, rounds) = (w.random.pick(INTS), w.random.pick(NUMBERS), 1 + w.random.below(3));
            let _ = write!(
                w.text,
                "    for _ in range({rounds}):\n        try: out('R', f_{number}({a}, {b}))\n        except Exception as e: fail(e)\n",
            );
        }
        w.text.push_str("except SystemExit as e: fail(e)\nfor l in LINES: print(l)\nprint(G0, G1, G2, text(A.k), text(B.k))\n");
        Program(w.text)
    }
}

/// Loops inside of each other.
const MAX_LOOPS: usize = 3;

struct Writer {
    random: Random,
    text: String,
    depth: usize,
    loops: usize,
    tries: usize,
    names: usize,
    /// Loops that a `break` would end here.
    breaks: usize,
    /// Functions of this program that may be called.
    calls: usize,
    /// Statements that the function may still have, without which it might never end.
    left: usize,
    /// `finally` clauses that it is in.
    finals: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn function(&mut self, name: &str) {
        self.line(&format!("def {name}(i0, i1):"));
        self.depth += 1;
        self.line("global G0, G1, G2, fn");
        self.line("i2 = j = 0; f0 = 1.5; f1 = 0.25; b0 = False; s0 = ''; n0 = None");
        self.line("l0 = [1, 2, 3, 4]; l1 = [0.5, 2, True]; t0 = (1, 2.5, 3); d0 = {0: 1, 1: 2, 'a': 3}");
        let (a, b) = (self.class(), self.class());
        self.line(&format!("o0 = {a}(1); o1 = {b}(2, 0.5); os = [A(1), B(2), S(3), D(4)]"));
        self.line("c0 = 0; add = closed(3); it = iter(range(40)); g = ups(300, 1); next(g)");
        if self.random.chance(40) {
            self.line("def cell(n):");
            self.line("    nonlocal c0");
            self.line("    c0 = C(c0 + n)");
            self.line("    return c0 + len(l0)");
        } else {
            self.line("def cell(n): return n");
        }
        self.left = 40;
        for _ in 0..1 + self.random.below(2) {
            self.a_loop();
        }
        self.line("out('l', l0[-4:], l1[-4:], len(d0), c0)");
        self.line("return i0, i1, i2, f0, f1, b0, s0[-9:], o0.x, o1.x");
        self.depth -= 1;
    }

    fn class(&mut self) -> &'static str {
        self.random.pick(&["A", "B", "S", "D", "A"])
    }

    fn body(&mut self, least: usize, more: usize) {
        self.depth += 1;
        for _ in 0..least + self.random.below(more) {
            self.statement();
        }
        self.depth -= 1;
    }

    fn a_loop(&mut self) {
        let rounds = match self.loops {
            0 => 40 + self.random.below(60),
            1 => 3 + self.random.below(16),
            _ => 2 + self.random.below(6),
        };
        self.loops += 1;
        self.names += 1;
        let name = format!("v{}", self.names);
        let opened = self.random.chance(30);
        if opened {
            self.line("try:");
            self.depth += 1;
        }
        let outer_breaks = std::mem::replace(&mut self.breaks, 1);
        let head = match self.random.below(15) {
            0..=3 => format!("for {name} in range({rounds}):"),
            4 => format!("for {name} in range({rounds} * 3, 0, -3):"),
            5 => format!("for {name} in range(2**61 - 20, 2**61 - 20 + {rounds}):"),
            6 => {
                self.line(&format!("{name} = 0"));
                format!("while {name} < {rounds}:")
            }
            7 => format!("for {name} in l0 * {}:", rounds / 4 + 1),
            8 => format!("for {name} in l0:"),
            9 => format!("for {name}, i2 in enumerate(l1 * {}):", rounds / 4 + 1),
            10 => format!("for {name}, f0 in zip(range({rounds}), l1 * {rounds}):"),
            11 => format!("for {name} in ups({rounds}, 1):"),
            12 => format!("for {name} in it:"),
            13 => format!("for {name} in twice({rounds} // 2, 1):"),
            _ => format!("for {name} in [i for i in range({rounds}) if i % 3]:"),
        };
        let counts = head.starts_with("while");
        // A list may grow while it is gone over, but not for ever.
        let ends = head.contains(" l0:") || head.contains(" it:");
        self.line(&head);
        self.depth += 1;
        if counts {
            self.line(&format!("{name} += 1"));
        }
        if ends {
            self.line("if len(l0) > 60: break");
        }
        self.line(&format!("j = {name} if type({name}) is int else 1"));
        self.depth -= 1;
        // What is raised ends the round, or the loop.
        if self.random.chance(60) {
            self.depth += 1;
            self.line("try:");
            self.body(2, 5);
            self.line("except Exception as e: fail(e)");
            self.depth -= 1;
        } else {
            self.body(2, 5);
        }
        if self.random.chance(15) {
            self.line("else:");
            self.body(1, 1);
        }
        self.breaks = outer_breaks;
        if opened {
            self.depth -= 1;
            self.line("except Exception as e: fail(e)");
        }
        self.loops -= 1;
    }

    // ---- expressions

    fn int(&mut self, deep: usize) -> String {
        let n = if deep == 0 { 2 } else { 12 };
        match self.random.below(n) {
            0 => self.random.pick(INTS).to_owned(),
            1 | 2 => self.random.pick(INT_NAMES).to_owned(),
            3..=5 => {
                let op = self.random.pick(&["+", "-", "*", "&", "|", "^", "+", "-"]);
                format!("({} {op} {})", self.int(deep - 1), self.int(deep - 1))
            }
            6 => {
                let op = self.random.pick(&["//", "%"]);
                let d = self.random.pick(&["3", "7", "-5", "16", "-1", "(j + 1)", "(j - 9)"]);
                format!("({} {op} {d})", self.int(deep - 1))
            }
            7 => {
                let by = self.random.pick(&["1", "3", "60", "(j & 7)", "62"]);
                let op = self.random.pick(&["<<", ">>", ">>"]);
                format!("({} {op} {by})", self.int(deep - 1))
            }
            8 => format!("(-{})", self.int(deep - 1)),
            9 => format!("(~{})", self.int(deep - 1)),
            10 => self
                .random
                .pick(&[
                    "len(l0)",
                    "len(s0)",
                    "len(d0)",
                    "inner_loop(j)",
                    "recur(j % 9)",
                    "finds(l0, j)",
                    "walks(j % 6, c0)",
                ])
                .to_owned(),
            _ => format!("({} if {} else {})", self.int(deep - 1), self.truth(deep - 1), self.int(deep - 1)),
        }
    }

    fn float(&mut self, deep: usize) -> String {
        let n = if deep == 0 { 2 } else { 9 };
        match self.random.below(n) {
            0 => self.random.pick(FLOATS).to_owned(),
            1 | 2 => self.random.pick(FLOAT_NAMES).to_owned(),
            3..=5 => {
                let op = self.random.pick(&["+", "-", "*", "/", "*"]);
                format!("({} {op} {})", self.float(deep - 1), self.number(deep - 1))
            }
            6 => format!("(-{})", self.float(deep - 1)),
            7 => format!("abs({})", self.float(deep - 1)),
            _ => format!("float({} % 1000)", self.int(deep - 1)),
        }
    }

    fn number(&mut self, deep: usize) -> String {
        let n = if deep == 0 { 3 } else { 16 };
        match self.random.below(n) {
            0 => self.random.pick(NUMBERS).to_owned(),
            1 | 4 | 5 => self.int(deep),
            2 | 6 => self.float(deep),
            3 => {
                let op = self.random.pick(&["+", "-", "*"]);
                format!("({} {op} {})", self.number(deep - 1), self.number(deep - 1))
            }
            7 => {
                let l = self.random.pick(&["l0", "l1", "t0"]);
                let i = self.random.pick(&["0", "1", "2", "-1", "j % 3", "j % 3", "-2", "-3", "j % 4"]);
                format!("{l}[{i}]")
            }
            8 => {
                let (o, a) =
                    (self.random.pick(OBJECTS), self.random.pick(&["x", "y", "k", "p", "x", "y", "z", "x"]));
                format!("{o}.{a}")
            }
            9 => {
                let o = self.random.pick(OBJECTS);
                let m = self.random.pick(&["m", "bump", "bump", "m"]);
                format!("{o}.{m}({})", self.number(deep - 1))
            }
            10 => {
                let f = self.random.pick(&["fn", "plain", "add", "cell", "C", "plain", "spread"]);
                match self.random.below(if matches!(f, "fn" | "plain" | "spread") { 4 } else { 1 }) {
                    0 => format!("{f}({})", self.number(deep - 1)),
                    1 => format!("{f}({}, {})", self.number(deep - 1), self.number(deep - 1)),
                    2 => format!("{f}({}, c={})", self.int(deep - 1), self.number(deep - 1)),
                    _ => format!("{f}(*t0, {})", self.number(deep - 1)),
                }
            }
            11 if self.random.chance(60) => {
                let (a, b) = (self.number(deep - 1), self.int(0));
                match self.random.below(6) {
                    0 => format!("named({a}, c={b})"),
                    1 => format!("named({a}, d={b}, c=3)"),
                    2 => format!("named({a}, {b}, c=j, d=f0)"),
                    3 => format!("kept({a}, z={b}, y=i1)"),
                    4 => format!("kept({a}, 1, {b}, k=j)"),
                    _ => format!("kept(*t0[:2], x={b}, y={a})"),
                }
            }
            11 => format!("thrower({}, {})", self.int(0), self.random.pick(&["j", "77", "13"])),
            12 => {
                let f = self.random.pick(&["min", "max"]);
                format!("{f}({}, {})", self.number(deep - 1), self.number(deep - 1))
            }
            13 => format!("d0.get({}, 5)", self.int(0)),
            14 if self.calls > 0 && self.loops < 2 => {
                let f = self.random.below(self.calls);
                format!("(f_{f}({}, j)[0] if j == 3 else 0)", self.int(0))
            }
            _ => self
                .random
                .pick(&["next(it, 0)", "next(g, 1)", "sum(l1)", "math.floor(f1)", "f1.__abs__()", "c0"])
                .to_owned(),
        }
    }

    fn truth(&mut self, deep: usize) -> String {
        match self.random.below(if deep == 0 { 3 } else { 10 }) {
            0 => self
                .random
                .pick(&["b0", "j % 2", "j % 5 == 2", "j > 12", "i0", "f0", "s0", "n0 is None"])
                .to_owned(),
            1 | 4 => {
                let op = self.random.pick(&["<", "<=", "==", "!=", ">", ">="]);
                format!("{} {op} {}", self.int(0), self.int(0))
            }
            2 | 5 => {
                let op = self.random.pick(&["<", "<=", "==", "!=", ">", ">="]);
                format!("{} {op} {}", self.number(deep.min(1)), self.number(0))
            }
            6 => format!("not {}", self.truth(deep - 1)),
            7 => format!("({} and {})", self.truth(deep - 1), self.truth(deep - 1)),
            8 => format!("({} or {})", self.truth(deep - 1), self.truth(deep - 1)),
            _ => {
                let (o, c) = (self.random.pick(OBJECTS), self.class());
                format!("isinstance({o}, {c})")
            }
        }
    }

    // ---- statements

    fn statement(&mut self) {
        self.left = self.left.saturating_sub(1);
        // Those that have statements of their own come to an end.
        let (kind, full) = (self.random.below(42), self.left == 0);
        match if full && (14..=23).contains(&kind) { kind - 10 } else { kind } {
            0..=5 => {
                let (to, e) = (self.random.pick(&["i0", "i1", "i2"]), self.int(3));
                self.line(&format!("{to} = C({e})"));
            }
            6..=9 => {
                let (to, e) = (self.random.pick(&["f0", "f1"]), self.float(3));
                self.line(&format!("{to} = {e}"));
            }
            10 | 11 => {
                let (to, e) = (self.random.pick(&["f0", "f1", "G2", "f0", "i1"]), self.number(3));
                self.line(&format!("{to} = C({e})"));
            }
            12 => {
                let op = self.random.pick(&["+", "-", "*", "|", "&"]);
                let e = self.int(1);
                self.line(&format!("i1 {op}= {e}; i1 = C(i1)"));
            }
            13 => {
                let e = self.truth(2);
                self.line(&format!("b0 = {e}"));
            }
            14..=17 => {
                let e = self.truth(2);
                self.line(&format!("if {e}:"));
                self.body(1, 2);
                if self.random.chance(50) {
                    self.line("else:");
                    self.body(1, 2);
                }
            }
            18..=20 if self.loops < MAX_LOOPS => self.a_loop(),
            21 if self.breaks > 0 => {
                let (e, what) = (self.truth(1), self.random.pick(&["break", "continue", "continue"]));
                let what = if self.finals > 0 { "i2 = 3" } else { what };
                self.line(&format!("if {e}: {what}"));
            }
            22 | 23 => self.a_try(),
            24 | 25 => {
                let (o, a, e) =
                    (self.random.pick(OBJECTS), self.random.pick(&["x", "y", "x", "z"]), self.number(2));
                self.line(&format!("{o}.{a} = C({e})"));
            }
            26 => {
                let (to, c, e) = (self.random.pick(&["o0", "o1"]), self.class(), self.number(1));
                self.line(&format!("{to} = {c}({e})"));
            }
            27 | 28 => {
                let e = self.number(1);
                match self.random.below(10) {
                    6 => self.line(&format!("d0 = {{'a': {e}, j % 5: i0, 1: f0, 2: j}}")),
                    7 => self.line(&format!("d0.update({{k: C(k + {e}) for k in range(3)}})")),
                    8 => self.line(&format!("i2 = len({{x for x in [j, i0, {e}]}})")),
                    9 => self.line(&format!("n0 = [j, *l1]; n0.extend([{e}, s0]); l0 = l0[-4:]")),
                    0 => self.line(&format!("l0.append({e})")),
                    1 => self.line(&format!("l1[j % len(l1)] = {e}")),
                    2 => self.line(&format!("d0[j % 5] = {e}")),
                    3 => self.line(&format!("t0 = ({e}, i0, f0)")),
                    4 => self.line(&format!("i2, f1 = {e}, f0")),
                    _ => self.line("if len(l0) > 6: l0.pop()"),
                }
            }
            29 => {
                let e = self.number(1);
                self.line(&format!("c0 = C({e})"));
            }
            30 => self.line("s0 = s0[-5:] + str(j)"),
            31 | 32 => {
                let e = self.number(2);
                self.line(&format!("if j % 4 == 1: out('x', {e}, i0, f0)"));
            }
            33 => {
                let what = self.random.pick(&[
                    "look()",
                    "look(0)",
                    "out('n', sorted(locals()))",
                    "poke('i0', j)",
                    "poke('f0', j)",
                    "poke('b0', None)",
                    "gc.collect()",
                    "n0 = Gone(j)",
                    "del n0; n0 = None",
                    "out('f', sys._getframe().f_lineno)",
                ]);
                let when = self.random.pick(&["j % 7 == 3", "j == 9", "j > 15", "j % 2"]);
                self.line(&format!("if {when}: {what}"));
            }
            34 | 35 => self.change(),
            36 => self.greenlet(),
            37 => {
                let e = self.number(1);
                self.line(&format!("i2 = g.send({e}) if j % 3 == 1 and j < 25 else 0"));
            }
            38 | 39 => {
                let e = self.number(1);
                match self.random.below(6) {
                    0 => self.line(&format!("i2 = run(several([j % 4, 1, 0], {e}))")),
                    1 => self.line(&format!("i2 = run(several(range(j % 6), {e}))")),
                    2 => {
                        self.line(&format!("for f1 in closes(j % 3, {e}):"));
                        self.depth += 1;
                        self.line("if j % 5 == 2: break");
                        self.depth -= 1;
                    }
                    3 => self
                        .line(&format!("l0 = sorted(l0[-5:], key=lambda v: C(v + {e}), reverse=j % 3 == 1)")),
                    4 => self.line(&format!("i2 = max(l1, key=lambda v: C(v - {e}))")),
                    _ => self.line(&format!("o0.v = {e}; o0.u = j; del o0.v; i2 = o0.u")),
                }
            }
            40 => {
                let (a, b) = (
                    self.random.pick(&["o0", "l0", "it", "t0"]),
                    self.random.pick(&["o0", "o1", "l1", "it", "t0"]),
                );
                self.line(&format!("n0 = {a} if j & 1 else {b}"));
            }
            _ => {
                let e = self.number(1);
                self.line(&format!("n0 = [{e}, i0]; i2 = n0[j & 1]; n0 = (f0, n0)"));
            }
        }
    }

    fn a_try(&mut self) {
        if self.tries >= 3 {
            return self.line("pass");
        }
        self.tries += 1;
        self.line("try:");
        self.body(1, 2);
        if self.random.chance(30) {
            self.depth += 1;
            let error =
                self.random.pick(&["ValueError(j)", "KeyError('k')", "ZeroDivisionError", "TypeError('t')"]);
            self.line(&format!("if j % 12 == 4: raise {error}"));
            self.depth -= 1;
        }
        let mut has_except = false;
        if self.random.chance(80) {
            has_except = true;
            let class =
                self.random.pick(&["Exception", "(ValueError, TypeError)", "ArithmeticError", "Exception"]);
            self.line(&format!("except {class} as e:"));
            self.depth += 1;
            self.line("fail(e)");
            self.depth -= 1;
            self.body(0, 2);
        }
        if !has_except || self.random.chance(30) {
            self.line("finally:");
            self.finals += 1;
            self.body(1, 1);
            self.finals -= 1;
        }
        self.tries -= 1;
    }

    /// Something that the compiler took for granted is so no more.
    fn change(&mut self) {
        let what = self.random.pick(&[
            "A.k = j",
            "B.k = 0.5 * j",
            "A.m = alt_m",
            "A.bump = alt_bump",
            "S.m = alt_m",
            "del B.m",
            "B.m = lambda self, n: n",
            "fn = plain if fn is not plain else spread",
            "fn = closed(j)",
            "plain.__defaults__ = (j,)",
            "named.__kwdefaults__['d'] = j",
            "named.__kwdefaults__ = {'d': 0.5}",
            "plain.__code__ = spread.__code__ if j == 77 else plain.__code__",
            "A.p = property(lambda self: j)",
            "A.p = 7",
            "D.__getattr__ = lambda self, n: 9",
            "o0.m = lambda n: 4",
            "o0.__class__ = B",
            "o0 = D(j)",
            "l0 = Twos(l0)",
            "l1 = [1, 2]",
            "t0 = (1, 2)",
            "A.__init__ = lambda self, x, y=5: setattr(self, 'x', 3) or setattr(self, 'y', y)",
            "A.__len__ = lambda self: 3",
            "G1 = 0.5",
            "globals()['len'] = max if j == 99 else len",
            "setattr(o0, 'w' + str(j % 4), 1)",
            "it = iter(l0)",
            "it = iter([1, 2, 3])",
            "A.k = property(lambda self: 11)",
            "S.bump = A.bump",
            "A.z = 12",
        ]);
        let when = self.random.pick(&["j == 6", "j == 11", "j == 15", "j % 9 == 8", "j == 20"]);
        self.line(&format!("if {when}: {what}"));
    }

    fn greenlet(&mut self) {
        self.names += 1;
        let name = format!("w{}", self.names);
        self.line("if greenlet is not None:");
        self.depth += 1;
        self.line(&format!("def {name}(v):"));
        self.line("    here = greenlet.getcurrent().parent");
        self.line("    for k in range(12): v = C(here.switch(v + k) + k)");
        self.line("    return v");
        self.line(&format!("{name} = greenlet.greenlet({name})"));
        let rounds = 3 + self.random.below(14);
        self.line(&format!("for _k in range({rounds}):"));
        self.depth += 1;
        self.line(&format!("i2 = {name}.switch(j + _k)"));
        if self.random.chance(50) {
            self.line("if not isinstance(i2, int): break");
        }
        self.depth -= 2;
    }
}
