//! Random codes for the tests: well formed as far as the forms care, senseless as programs.
#![allow(dead_code, reason = "each test binary uses its part")]

use skein_bytecode::{Code, Const, Extra, Handler, Local, LocalKind, Op, Position, Positions, Role, pack};

/// xorshift64*: enough for tests, and a failing case is named by its seed.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n.max(1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Runs a test on many seeds, and names the one that fails.
pub fn with_seeds(count: u64, test: impl Fn(&mut Rng)) {
    let only = std::env::var("SKEIN_SEED").ok().and_then(|s| s.parse().ok());
    for seed in only.map_or(0..count, |s: u64| s..s + 1) {
        let run = std::panic::AssertUnwindSafe(|| test(&mut Rng::new(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("failed with SKEIN_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

const WORDS: &[&str] = &[
    "x",
    "self",
    ".0",
    "<module>",
    "a b",
    "größe",
    "",
    "#1",
    "'q'",
    "b",
    "@3",
    "L1:",
    "tab\t",
    "\u{10400}",
    "-",
];

fn word(rng: &mut Rng) -> Box<str> {
    match rng.below(3) {
        0 => rng.pick(WORDS).into(),
        _ => format!("name{}", rng.below(50)).into(),
    }
}

fn constant(rng: &mut Rng, depth: usize) -> Const {
    let bytes = |rng: &mut Rng| (0..rng.below(12)).map(|_| rng.next() as u8).collect::<Box<[u8]>>();
    match rng.below(if depth == 0 { 16 } else { 20 }) {
        0 => Const::None,
        1 => Const::True,
        2 => Const::False,
        3 => Const::Ellipsis,
        4 => Const::Int(rng.next() as i64),
        5..8 => Const::Int(rng.below(300) as i64 - 20),
        8 => Const::BigInt((0..rng.below(5)).map(|_| rng.next() as u32 >> rng.pick(&[0, 16, 31])).collect()),
        9 => Const::Float(rng.next()),
        10 => Const::Float(rng.pick(&[0.0, -0.0, 1.5, f64::INFINITY, f64::NAN, 1e16, 5e-324]).to_bits()),
        11 => Const::Complex(rng.next(), 2.0f64.to_bits()),
        12 => Const::Str(bytes(rng)),
        13 => Const::Str(b"lone \xed\xa0\x80 \xed\xbf\xbf".as_slice().into()),
        14 => Const::Bytes(bytes(rng)),
        15 => Const::Str(word(rng).as_bytes().into()),
        16 => Const::FrozenSet((0..rng.below(4)).map(|_| constant(rng, depth - 1)).collect()),
        17 => Const::Code(skein_bytecode::CodeRef::new(code(rng, depth - 1))),
        _ => Const::Tuple((0..rng.below(4)).map(|_| constant(rng, depth - 1)).collect()),
    }
}

/// A random code, with nested ones up to `depth`.
pub fn code(rng: &mut Rng, depth: usize) -> Code {
    let consts: Vec<Const> = (0..rng.below(10)).map(|_| constant(rng, depth)).collect();
    let names: Vec<Box<str>> = (0..rng.below(10)).map(|_| word(rng)).collect();
    let mut units = Vec::new();
    let mut starts = Vec::new();
    let mut positions = Vec::new();
    let mut position = Position::NONE;
    for _ in 0..rng.below(60) {
        starts.push(units.len() as i64);
        if rng.one_in(20) {
            units.push(rng.next() as u32 | 0xff);
            starts.pop();
            positions.resize(units.len(), position);
            continue;
        }
        let op = rng.pick(Op::ALL);
        let info = op.info();
        let byte = |rng: &mut Rng, i: usize| match info.operands[i] {
            Role::No => 0,
            _ => rng.next() as u8 >> rng.pick(&[0, 4, 6]),
        };
        let (a, b, c) = (byte(rng, 0), byte(rng, 1), byte(rng, 2));
        units.push(pack(op, a, b, c));
        let small = rng.below(11) as u32;
        match info.extra {
            Extra::No => {}
            Extra::Jump => {
                let to = if rng.one_in(5) { rng.below(80) as i64 } else { rng.pick(&starts) };
                let from = units.len() as i64 - 1;
                units.push((to - from) as u32);
            }
            Extra::Const | Extra::Name | Extra::Attr | Extra::Method | Extra::Global => units.push(small),
            Extra::Far | Extra::Raw => units.push(rng.next() as u32),
        }
        if rng.one_in(3) {
            let line = rng.below(100) as u32;
            let col = rng.pick(&[0, 7, u32::MAX]);
            position =
                Position { line, end_line: line + rng.below(3) as u32, col, end_col: rng.below(90) as u32 };
        }
        positions.resize(units.len(), position);
    }
    let unit = |rng: &mut Rng| rng.below(units.len() + 2) as u32;
    let handlers = (0..rng.below(4))
        .map(|_| Handler { start: unit(rng), end: unit(rng), target: unit(rng), reg: rng.next() as u16 })
        .collect();
    let kinds = [LocalKind::Plain, LocalKind::Cell, LocalKind::Free, LocalKind::Hidden];
    Code {
        name: word(rng),
        qualname: word(rng),
        filename: word(rng),
        first_line: rng.next() as u32 >> 20,
        flags: rng.next() as u32 >> rng.pick(&[0, 20, 31]),
        arg_count: rng.next() as u16 >> 8,
        posonly_count: rng.next() as u16 >> 12,
        kwonly_count: rng.next() as u16 >> 12,
        nregs: rng.next() as u16 >> 6,
        locals: (0..rng.below(6)).map(|_| Local { name: word(rng), kind: rng.pick(&kinds) }).collect(),
        positions: Positions::encode(&positions),
        units,
        consts,
        names,
        handlers,
    }
}
