//! Liveness: which registers matter at an instruction.
//!
//! A backward dataflow over the instructions of a verified code. A register is *live* before an instruction if some
//! path from there reads it before it is written; a path into a handler counts from every instruction that may
//! raise. A local variable also matters while it is bound, though nothing in the code reads it any more: `locals()`,
//! frame objects and weak references see it. So a register is *held* if it is live, or is a local that some path has
//! written.
//!
//! The answers are upper bounds: a register that is not held has a word that nobody will look at.

use crate::code::Code;
use crate::inst::{Inst, Row, instructions};
use crate::ops::Op;

/// A set of registers.
#[derive(Clone, PartialEq, Eq)]
struct Set(Box<[u64]>);

impl Set {
    fn new(registers: usize) -> Set {
        Set(vec![0; registers.div_ceil(64)].into_boxed_slice())
    }

    fn has(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 != 0)
    }

    fn put(&mut self, row: Row, on: bool) {
        for i in row.first as usize..row.end() as usize {
            if let Some(w) = self.0.get_mut(i / 64) {
                if on {
                    *w |= 1 << (i % 64);
                } else {
                    *w &= !(1 << (i % 64));
                }
            }
        }
    }

    /// Adds all of another; did that add any?
    fn join(&mut self, other: &Set) -> bool {
        let mut grew = false;
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            grew |= b & !*a != 0;
            *a |= b;
        }
        grew
    }
}

/// What is known of a code's registers at each instruction.
pub struct Liveness {
    /// First units of the instructions, in order.
    starts: Vec<u32>,
    /// Live before each instruction.
    live: Vec<Set>,
    /// Written on some path that leads to it.
    written: Vec<Set>,
    locals: usize,
    registers: usize,
    suspended: usize,
}

/// Where control goes from each instruction.
struct Flow {
    insts: Vec<Inst>,
    /// Index of the instruction that a jump goes to.
    target: Vec<Option<u32>>,
    /// Index of the handler's first instruction, and its register, where the instruction may raise into one.
    handler: Vec<Option<(u32, u32)>>,
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
            locals: code.locals.len(),
            registers,
            suspended: code.param_count(),
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
        self.live[i].has(register) || self.written[i].has(register)
    }

    /// Is the register read before it is written, on some way from before the instruction of this unit?
    pub fn is_read(&self, unit: u32, register: usize) -> bool {
        self.index(unit).is_none_or(|i| self.live[i].has(register))
    }

    /// Number of the registers up to the last that is held at any place where a generator's frame is suspended.
    pub fn suspended(&self) -> usize {
        self.suspended
    }

    /// The instruction that a unit is of.
    fn index(&self, unit: u32) -> Option<usize> {
        self.starts.partition_point(|&s| s <= unit).checked_sub(1)
    }

    /// Is the register held while the instruction of this unit is executed, or a call that it made? Its operands
    /// are.
    pub fn held(&self, unit: u32, register: usize) -> bool {
        let Some(i) = self.index(unit) else { return true };
        let after = |sets: &[Set]| sets.get(i + 1).is_some_and(|s| s.has(register));
        self.live[i].has(register)
            || after(&self.live)
            || register < self.locals && (self.written[i].has(register) || after(&self.written))
    }

    /// Is the register held before the instruction of this unit is executed?
    pub fn held_before(&self, unit: u32, register: usize) -> bool {
        let Some(i) = self.index(unit) else { return true };
        self.live[i].has(register) || register < self.locals && self.written[i].has(register)
    }

    /// Number of the registers up to the last that is held before an instruction.
    fn held_at(&self, i: usize) -> usize {
        if i >= self.starts.len() {
            return 0;
        }
        let is_held = |r: &usize| self.live[i].has(*r) || *r < self.locals && self.written[i].has(*r);
        (0..self.registers).rev().find(is_held).map_or(0, |r| r + 1)
    }
}

fn live(flow: &Flow, registers: usize) -> Vec<Set> {
    let mut live = vec![Set::new(registers); flow.insts.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for i in (0..flow.insts.len()).rev() {
            let inst = &flow.insts[i];
            let mut set = Set::new(registers);
            if flow.falls_through(i) {
                set.join(&live[i + 1]);
                inst.writes(|row| set.put(row, false));
            }
            // What a jump writes it writes before it goes, except for loops that end; none is left out here.
            if let Some(t) = flow.target[i] {
                set.join(&live[t as usize]);
            }
            if let Some((t, reg)) = flow.handler[i] {
                let mut at_handler = live[t as usize].clone();
                at_handler.put(Row::new(reg, 1), false);
                set.join(&at_handler);
            }
            inst.reads(|row| set.put(row, true));
            changed |= live[i].join(&set);
        }
    }
    live
}

fn written(flow: &Flow, registers: usize, code: &Code) -> Vec<Set> {
    let mut written = vec![Set::new(registers); flow.insts.len()];
    if let Some(entry) = written.first_mut() {
        // The namespace of module and class code is the first local.
        entry.put(Row::new(0, (code.param_count() as u32).max(1)), true);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for i in 0..flow.insts.len() {
            let inst = &flow.insts[i];
            let before = written[i].clone();
            let mut set = before.clone();
            inst.writes(|row| set.put(row, true));
            if flow.falls_through(i) {
                changed |= written[i + 1].join(&set);
            }
            if let Some(t) = flow.target[i] {
                let out = if inst.op == Op::ForIter { &before } else { &set };
                changed |= written[t as usize].join(out);
            }
            if let Some((t, reg)) = flow.handler[i] {
                let mut out = before;
                out.put(Row::new(reg, 1), true);
                changed |= written[t as usize].join(&out);
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
