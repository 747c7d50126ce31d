//! Liveness: which registers matter at an instruction.
//!
//! A backward dataflow over the instructions of a verified code. A register is *live* before an instruction if some
//! path from there reads it before it is written; a path into a handler counts from every instruction that may
//! raise. A local variable also matters while it is bound, though nothing in the code reads it any more: `locals()`,
//! frame objects and weak references see it. So a register is *held* if it is live, or is a local that some path has
//! written. Variables of comprehensions are hidden locals: they end where the comprehension is left, so that no handler
//! finds them written.
//!
//! The answers are upper bounds: a register that is not held has a word that nobody will look at.

use crate::Intrinsic;
use crate::code::{Code, LocalKind};
use crate::inst::{Inst, Row, instructions};
use crate::ops::{Op, UNBOUND};

/// Sets of registers, one for each instruction, in one row of words.
struct Sets {
    /// Of one set.
    words: usize,
    bits: Vec<u64>,
}

impl Sets {
    fn new(count: usize, registers: usize) -> Sets {
        let words = registers.div_ceil(64);
        Sets { words, bits: vec![0; words * count] }
    }

    fn len(&self) -> usize {
        self.bits.len().checked_div(self.words).unwrap_or_default()
    }

    fn has(&self, set: usize, i: usize) -> bool {
        i / 64 < self.words && self.bits[set * self.words + i / 64] >> (i % 64) & 1 != 0
    }

    fn put(&mut self, set: usize, row: Row) {
        for i in (row.first as usize..row.end() as usize).take_while(|i| i / 64 < self.words) {
            self.bits[set * self.words + i / 64] |= 1 << (i % 64);
        }
    }

    fn word(&self, set: usize, n: usize) -> u64 {
        self.bits[set * self.words + n]
    }

    /// Adds registers to word `n` of a set; did that add any?
    fn join(&mut self, set: usize, n: usize, bits: u64) -> bool {
        let word = &mut self.bits[set * self.words + n];
        let grew = bits & !*word != 0;
        *word |= bits;
        grew
    }
}

/// Word `n` of the set of one register.
fn one(register: u32, n: usize) -> u64 {
    if register as usize / 64 == n { 1 << (register % 64) } else { 0 }
}

/// What is known of a code's registers at each instruction.
pub struct Liveness {
    /// First units of the instructions, in order.
    starts: Vec<u32>,
    /// Live before each instruction.
    live: Sets,
    /// Written on some path that leads to it.
    written: Sets,
    /// Of the locals: which ones count while they are bound. The variables of inlined comprehensions do not, since nobody sees
    /// them once the comprehension is done.
    shown: Vec<bool>,
    registers: usize,
    suspended: usize,
    handles: bool,
    delegates: bool,
}

/// What is known of registers at one instruction.
#[derive(Clone, Copy)]
pub struct LivePoint<'a> {
    of: &'a Liveness,
    /// None: before the first one, where any may matter.
    index: Option<usize>,
}

impl LivePoint<'_> {
    /// Is the register held while the instruction is executed, or a call that it made? Its operands are.
    pub fn held(&self, register: usize) -> bool {
        let Some(i) = self.index else { return true };
        let around = |sets: &Sets| sets.has(i, register) || i + 1 < sets.len() && sets.has(i + 1, register);
        around(&self.of.live) || self.of.is_shown(register) && around(&self.of.written)
    }

    /// Is the register held before the instruction is executed?
    pub fn held_before(&self, register: usize) -> bool {
        let Some(i) = self.index else { return true };
        self.of.live.has(i, register) || self.of.is_shown(register) && self.of.written.has(i, register)
    }
}

/// Where control goes from each instruction.
struct Flow {
    insts: Vec<Inst>,
    /// Index of the instruction that a jump goes to.
    target: Vec<Option<u32>>,
    /// Index of the handler's first instruction, and its register, where the instruction may raise into one.
    handler: Vec<Option<(u32, u32)>>,
}

/// Has the code handlers of its own?
fn handles(code: &Code) -> bool {
    // The handler around the whole body only converts StopIteration.
    let converts = |target: u32| {
        let first = code.units.get(target as usize);
        first.is_some_and(|u| {
            *u as u8 == Op::Intrinsic as u8 && (u >> 24) as u8 == Intrinsic::StopIterationError as u8
        })
    };
    !code.handlers.iter().all(|h| converts(h.target))
}

fn delegates(code: &Code) -> bool {
    instructions(&code.units).any(|i| matches!(i.op, Op::YieldFrom | Op::Send))
}

impl Flow {
    fn new(code: &Code) -> Flow {
        let insts: Vec<Inst> = instructions(&code.units).collect();
        let index = |unit: u32| insts.partition_point(|i| i.at < unit) as u32;
        let target =
            insts.iter().map(|i| i.target().and_then(|t| u32::try_from(t).ok()).map(index)).collect();
        let handler = insts
            .iter()
            .map(|i| {
                let found = code.handlers.iter().find(|h| h.start <= i.at && i.at < h.end)?;
                i.op.may_raise().then(|| (index(found.target), u32::from(found.reg)))
            })
            .collect();
        Flow { insts, target, handler }
    }

    fn falls_through(&self, i: usize) -> bool {
        !self.insts[i].op.is_terminator() && i + 1 < self.insts.len()
    }
}

impl Liveness {
    /// Analyses a code that the verifier accepts.
    pub fn of(code: &Code) -> Liveness {
        let flow = Flow::new(code);
        let registers = usize::from(code.nregs);
        let mut this = Liveness {
            starts: flow.insts.iter().map(|i| i.at).collect(),
            live: live(&flow, registers),
            written: written(&flow, registers, code),
            shown: code
                .locals
                .iter()
                .map(|l| l.kind != LocalKind::Hidden || l.name.starts_with('.'))
                .collect(),
            registers,
            suspended: code.param_count(),
            handles: handles(code),
            delegates: delegates(code),
        };
        for (i, inst) in flow.insts.iter().enumerate() {
            if matches!(inst.op, Op::MakeGenerator | Op::Yield | Op::YieldFrom) {
                // An exception may be thrown in: then what the handler reads counts.
                let needed = this.held_at(i).max(this.held_at(i + 1));
                this.suspended = this.suspended.max(needed);
            }
        }
        this
    }

    /// May the register of a local variable have its value before the instruction of this unit is executed, or while a call
    /// that it made is under way? If not, it may have any word.
    pub fn bound(&self, unit: u32, register: usize) -> bool {
        let Some(i) = self.index(unit) else { return true };
        self.live.has(i, register) || self.written.has(i, register)
    }

    /// Is the register read before it is written, on some way from before the instruction of this unit?
    pub fn is_read(&self, unit: u32, register: usize) -> bool {
        self.index(unit).is_none_or(|i| self.live.has(i, register))
    }

    /// May a generator's frame be suspended while it delegates?
    pub fn delegates(&self) -> bool {
        self.delegates
    }

    /// May a generator's frame be suspended in a `try` or `with`?
    pub fn handles(&self) -> bool {
        self.handles
    }

    /// Number of the registers up to the last that is held at any place where a generator's frame is suspended.
    pub fn suspended(&self) -> usize {
        self.suspended
    }

    fn is_shown(&self, register: usize) -> bool {
        self.shown.get(register).is_some_and(|shown| *shown)
    }

    /// The instruction that a unit is of.
    fn index(&self, unit: u32) -> Option<usize> {
        self.starts.partition_point(|&s| s <= unit).checked_sub(1)
    }

    /// The first unit of the instruction that a unit is of.
    pub fn start_of(&self, unit: u32) -> Option<u32> {
        self.index(unit).map(|i| self.starts[i])
    }

    /// The instruction of a unit, to ask about several registers there.
    pub fn at(&self, unit: u32) -> LivePoint<'_> {
        LivePoint { of: self, index: self.index(unit) }
    }

    /// See [`LivePoint::held`].
    pub fn held(&self, unit: u32, register: usize) -> bool {
        self.at(unit).held(register)
    }

    /// See [`LivePoint::held_before`].
    pub fn held_before(&self, unit: u32, register: usize) -> bool {
        self.at(unit).held_before(register)
    }

    /// Number of the registers up to the last that is held before an instruction.
    fn held_at(&self, i: usize) -> usize {
        if i >= self.starts.len() {
            return 0;
        }
        let is_held = |r: &usize| self.live.has(i, *r) || self.is_shown(*r) && self.written.has(i, *r);
        (0..self.registers).rev().find(is_held).map_or(0, |r| r + 1)
    }
}

fn live(flow: &Flow, registers: usize) -> Sets {
    let count = flow.insts.len();
    let (mut live, mut reads, mut kept) =
        (Sets::new(count, registers), Sets::new(count, registers), Sets::new(count, registers));
    for (i, inst) in flow.insts.iter().enumerate() {
        inst.reads(|row| reads.put(i, row));
        inst.writes(|row| kept.put(i, row));
    }
    kept.bits.iter_mut().for_each(|word| *word = !*word);
    let mut changed = true;
    while changed {
        changed = false;
        for i in (0..count).rev() {
            for n in 0..live.words {
                let mut set = reads.word(i, n);
                if flow.falls_through(i) {
                    set |= live.word(i + 1, n) & kept.word(i, n);
                }
                // What a jump writes it writes before it goes, except for loops that end; none is left out here.
                if let Some(t) = flow.target[i] {
                    set |= live.word(t as usize, n);
                }
                if let Some((t, reg)) = flow.handler[i] {
                    set |= live.word(t as usize, n) & !one(reg, n);
                }
                changed |= live.join(i, n, set);
            }
        }
    }
    live
}

/// The register that an instruction leaves without a value.
fn unbinds(inst: &Inst) -> Option<u32> {
    (inst.op == Op::LoadSpecial && inst.b == UNBOUND).then_some(u32::from(inst.a))
}

fn written(flow: &Flow, registers: usize, code: &Code) -> Sets {
    let count = flow.insts.len();
    let (mut written, mut writes) = (Sets::new(count, registers), Sets::new(count, registers));
    for (i, inst) in flow.insts.iter().enumerate() {
        inst.writes(|row| writes.put(i, row));
    }
    if count > 0 {
        // The namespace of module and class code is the first local.
        written.put(0, Row::new(0, (code.param_count() as u32).max(1)));
    }
    let mut hidden = Sets::new(1, registers);
    for (r, _) in code.locals.iter().enumerate().filter(|(_, local)| local.kind == LocalKind::Hidden) {
        hidden.put(0, Row::new(r as u32, 1));
    }
    let mut changed = true;
    while changed {
        changed = false;
        for i in 0..count {
            for n in 0..written.words {
                let before = written.word(i, n);
                let behind = match unbinds(&flow.insts[i]) {
                    Some(register) => before & !one(register, n),
                    None => before | writes.word(i, n),
                };
                if flow.falls_through(i) {
                    changed |= written.join(i + 1, n, behind);
                }
                if let Some(t) = flow.target[i] {
                    let out = if flow.insts[i].op == Op::ForIter { before } else { behind };
                    changed |= written.join(t as usize, n, out);
                }
                if let Some((t, reg)) = flow.handler[i] {
                    changed |= written.join(t as usize, n, before & !hidden.word(0, n) | one(reg, n));
                }
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::pack;

    /// A code of three registers, of which the first is a parameter.
    fn code(units: Vec<u32>, locals: &[&str]) -> Code {
        let kind = crate::LocalKind::Plain;
        let locals = locals.iter().map(|&name| crate::Local { name: name.into(), kind }).collect();
        Code {
            name: "f".into(),
            qualname: "f".into(),
            filename: "f.py".into(),
            first_line: 1,
            flags: 0,
            arg_count: 1,
            posonly_count: 0,
            kwonly_count: 0,
            nregs: 3,
            locals,
            units,
            consts: Vec::new(),
            names: Vec::new(),
            handlers: Vec::new(),
            positions: crate::Positions::default(),
        }
    }

    #[test]
    fn temporaries_end_with_their_last_read_and_locals_do_not() {
        // r1 = r0 + r0; r2 = r1 + r0; return r2
        let units = vec![pack(Op::Add, 1, 0, 0), pack(Op::Add, 2, 1, 0), pack(Op::Return, 2, 0, 0)];
        let l = Liveness::of(&code(units.clone(), &["a"]));
        let held = |unit| (0..3).filter(|&r| l.held(unit, r)).collect::<Vec<_>>();
        assert_eq!((held(0), held(1), held(2)), (vec![0, 1], vec![0, 1, 2], vec![0, 2]));
        assert_eq!((l.held_at(0), l.held_at(1), l.held_at(2)), (1, 2, 3));
        // As a local, r1 is held once it is bound.
        let l = Liveness::of(&code(units, &["a", "b"]));
        assert!(l.held(2, 1) && l.held_at(0) == 1);
    }

    #[test]
    fn loops_keep_what_they_read_again() {
        // 0: for r1 in r0 (2 units, else 3); 2: jump.back 0; 4: return r0
        let units = vec![
            pack(Op::ForIter, 1, 2, 0),
            4,
            pack(Op::JumpBack, 0, 0, 0),
            (-2i32) as u32,
            pack(Op::Return, 0, 0, 0),
        ];
        let l = Liveness::of(&code(units, &["a"]));
        assert!(l.held(2, 2), "the iterator is needed at the back edge");
        assert!(!l.held(4, 2) && !l.held(4, 1));
    }
}
