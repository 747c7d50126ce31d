//! Passes over a unit's instruction list: unreachable code, jump threading, definite assignment.

use crate::unit::{Insn, Label, NOWHERE, TEMP, Unit, special};
use skein_bytecode::{Extra, LocalKind, Op, Role};

/// Whether control never goes on behind it.
pub fn is_terminator(op: Op) -> bool {
    matches!(
        op,
        Op::Jump
            | Op::JumpBack
            | Op::Return
            | Op::ReturnGen
            | Op::Raise
            | Op::RaiseFrom
            | Op::RaiseHandled
            | Op::Reraise
    )
}

pub fn run(unit: &mut Unit) {
    thread_jumps(unit);
    copy_exits(unit);
    drop_unreachable(unit);
    bind(unit);
    drop_empty_jumps(unit);
}

fn target(unit: &Unit, insn: &Insn) -> Option<usize> {
    (insn.op.info().extra == Extra::Jump).then(|| unit.labels[insn.x as usize] as usize)
}

/// Jumps to jumps go to the end of the chain.
fn thread_jumps(unit: &mut Unit) {
    for i in 0..unit.insns.len() {
        let insn = unit.insns[i];
        if insn.op.info().extra != Extra::Jump {
            continue;
        }
        let mut label = insn.x;
        for _ in 0..8 {
            let at = unit.labels[label as usize] as usize;
            match unit.insns.get(at) {
                Some(t) if t.op == Op::Jump && at != i => label = t.x,
                _ => break,
            }
        }
        // Only an unconditional jump may go backwards, since that is where safepoints are.
        if insn.op == Op::Jump || unit.labels[label as usize] as usize > i {
            unit.insns[i].x = label;
        }
    }
}

/// How many instructions the end of a function or class at this place has, all of which belong to no line; 0: something
/// else is there.
fn exit_len(unit: &Unit, at: usize) -> usize {
    /// A class binds two names of its own at its end.
    const MOST: usize = 6;
    let rest = unit.insns.get(at..).unwrap_or_default();
    for (n, insn) in rest.iter().take(MOST).enumerate() {
        match insn.op {
            _ if insn.range != NOWHERE => return 0,
            Op::Return | Op::ReturnGen => return n + 1,
            Op::LoadSpecial | Op::LoadConst | Op::StoreName => {}
            _ => return 0,
        }
    }
    0
}

/// A return that belongs to no line, at the end of a function, is of the line that it is come to from: each jump to it
/// gets one of its own.
fn copy_exits(unit: &mut Unit) {
    let mut last = NOWHERE;
    for i in 0..unit.insns.len() {
        let insn = unit.insns[i];
        if insn.range != NOWHERE {
            last = insn.range;
        }
        let Some(to) = target(unit, &insn).filter(|&to| to > i) else { continue };
        let len = exit_len(unit, to);
        if len == 0 {
            continue;
        }
        let label = unit.new_label();
        unit.place(label);
        for at in to..to + len {
            let copy = Insn { range: last, ..unit.insns[at] };
            unit.insns.push(copy);
        }
        unit.insns[i].x = label.0;
    }
    // What is left is come to from before it.
    let mut last = NOWHERE;
    for i in 0..unit.insns.len() {
        if i > 0 && !is_terminator(unit.insns[i - 1].op) {
            for at in i..i + exit_len(unit, i) {
                unit.insns[at].range = last;
            }
        }
        if unit.insns[i].range != NOWHERE {
            last = unit.insns[i].range;
        }
    }
}

/// Removes the instructions for which `keep` is false; labels move along.
fn compact(unit: &mut Unit, keep: &[bool]) {
    let mut new_index = Vec::with_capacity(keep.len() + 1);
    let mut n = 0u32;
    for &k in keep {
        new_index.push(n);
        n += u32::from(k);
    }
    new_index.push(n);
    for l in &mut unit.labels {
        if let Some(&i) = new_index.get(*l as usize) {
            *l = i;
        }
    }
    let mut i = 0;
    unit.insns.retain(|_| {
        i += 1;
        keep[i - 1]
    });
}

fn drop_unreachable(unit: &mut Unit) {
    let mut seen = vec![false; unit.insns.len()];
    let mut handler_seen = vec![false; unit.handlers.len() + 1];
    let mut work = vec![0usize];
    while let Some(mut i) = work.pop() {
        while i < seen.len() && !seen[i] {
            seen[i] = true;
            let insn = unit.insns[i];
            if insn.handler != 0 && !std::mem::replace(&mut handler_seen[insn.handler as usize], true) {
                let Label(l) = unit.handlers[insn.handler as usize - 1].label;
                work.push(unit.labels[l as usize] as usize);
            }
            if let Some(t) = target(unit, &insn) {
                work.push(t);
            }
            if is_terminator(insn.op) {
                break;
            }
            i += 1;
        }
    }
    if seen.contains(&false) {
        compact(unit, &seen);
    }
}

fn drop_empty_jumps(unit: &mut Unit) {
    let keep: Vec<bool> = (0..unit.insns.len())
        .map(|i| unit.insns[i].op != Op::Jump || target(unit, &unit.insns[i]) != Some(i + 1))
        .collect();
    if keep.contains(&false) {
        compact(unit, &keep);
    }
}

/// A set of locals.
#[derive(Clone, PartialEq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(n: usize, full: bool) -> Bits {
        Bits(vec![if full { u64::MAX } else { 0 }; n.div_ceil(64)])
    }
    fn get(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 != 0
    }
    fn set(&mut self, i: usize, on: bool) {
        if on {
            self.0[i / 64] |= 1 << (i % 64);
        } else {
            self.0[i / 64] &= !(1 << (i % 64));
        }
    }
    /// Intersects; says whether that changed anything.
    fn meet(&mut self, other: &Bits) -> bool {
        let mut changed = false;
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            changed |= *a & !*b != 0;
            *a &= b;
        }
        changed
    }
}

/// Registers that an instruction's row operand `Outs` covers.
pub fn outs_len(insn: &Insn) -> u32 {
    match insn.op {
        Op::Unpack => u32::from(insn.c),
        Op::UnpackEx => (insn.x & 0xffff) + 1 + (insn.x >> 16),
        _ => 2,
    }
}

/// What is known of the locals in a set of them, on all ways that lead to a place.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Bound,
    Unbound,
}

/// Applies the instruction to the set of locals that are known to be bound, or not; true if it takes one out of it.
fn step(insn: &Insn, set: &mut Bits, known: Known, locals: usize) -> bool {
    let unbinds = insn.op == Op::DeleteLocal
        || insn.op == Op::LookupMapping
        || insn.op == Op::LoadSpecial && insn.b == special::UNBOUND;
    let on = unbinds == (known == Known::Unbound);
    let mut killed = false;
    for (role, r) in insn.op.info().operands.into_iter().zip([insn.a, insn.b, insn.c]) {
        let n = match role {
            Role::Dst | Role::Upd => 1,
            Role::Outs => outs_len(insn),
            _ => continue,
        };
        if r >= TEMP {
            continue;
        }
        for i in r as usize..(r as usize + n as usize).min(locals) {
            set.set(i, on);
            killed |= !on;
        }
    }
    killed
}

fn is_initialisation(insn: &Insn) -> bool {
    insn.op == Op::LoadSpecial && insn.x == 1 && insn.a < TEMP
}

/// Definite assignment: drops the checks of locals that are always bound there, and the initialisation of locals that
/// no check is left for, unless someone who looks at the frame could not tell whether they are bound.
fn bind(unit: &mut Unit) {
    let locals = unit.locals.len();
    let mut keep = vec![true; unit.insns.len()];
    let mut needed = Bits::new(locals, false);
    if unit.insns.iter().any(|i| i.op == Op::CheckBound || i.op == Op::DeleteLocal || is_initialisation(i)) {
        let [bound_states, unbound_states] = [Known::Bound, Known::Unbound].map(|k| block_states(unit, k));
        let mut bound = Bits::new(locals, false);
        let mut unbound = Bits::new(locals, false);
        for i in 0..unit.insns.len() {
            if let Some(s) = &bound_states[i] {
                bound = s.clone();
            }
            if let Some(s) = &unbound_states[i] {
                unbound = s.clone();
            }
            let insn = unit.insns[i];
            if insn.op.may_raise() {
                for ((n, b), u) in needed.0.iter_mut().zip(&bound.0).zip(&unbound.0) {
                    *n |= !(b | u);
                }
            }
            match insn.op {
                Op::CheckBound if bound.get(insn.a as usize) => keep[i] = false,
                Op::CheckBound => {
                    needed.set(insn.a as usize, true);
                    // Behind a check that went well the local is bound.
                    bound.set(insn.a as usize, true);
                    unbound.set(insn.a as usize, false);
                }
                Op::DeleteLocal if bound.get(insn.a as usize) => {
                    let load = Insn { op: Op::LoadSpecial, b: special::UNBOUND, x: 0, ..insn };
                    unit.insns[i] = load;
                }
                Op::DeleteLocal => needed.set(insn.a as usize, true),
                _ => {}
            }
            step(&insn, &mut bound, Known::Bound, locals);
            step(&insn, &mut unbound, Known::Unbound, locals);
        }
    }
    let introspects = unit.introspects;
    for (i, insn) in unit.insns.iter().enumerate() {
        if is_initialisation(insn) {
            let plain = unit.locals[insn.a as usize].kind == LocalKind::Plain;
            keep[i] = needed.get(insn.a as usize) || introspects && plain;
        }
    }
    compact(unit, &keep);
}

/// The set of locals of which that is known at the head of each block.
fn block_states(unit: &Unit, known: Known) -> Vec<Option<Bits>> {
    let n = unit.insns.len();
    let locals = unit.locals.len();
    let mut leader = vec![false; n + 1];
    leader[0] = true;
    for (i, insn) in unit.insns.iter().enumerate() {
        if let Some(t) = target(unit, insn) {
            leader[t] = true;
            leader[i + 1] = true;
        } else if is_terminator(insn.op) {
            leader[i + 1] = true;
        }
        if insn.handler != 0 {
            let Label(l) = unit.handlers[insn.handler as usize - 1].label;
            leader[unit.labels[l as usize] as usize] = true;
        }
    }
    let mut states: Vec<Option<Bits>> = vec![None; n];
    let mut entry = Bits::new(locals, known == Known::Unbound);
    for p in 0..unit.params as usize {
        entry.set(p, known == Known::Bound);
    }
    states[0] = Some(entry);
    let mut work = vec![0usize];
    while let Some(start) = work.pop() {
        let Some(mut bound) = states[start].clone() else { continue };
        let mut flow = |at: usize, bound: &Bits| match &mut states[at] {
            Some(s) => {
                if s.meet(bound) {
                    work.push(at);
                }
            }
            none => {
                *none = Some(bound.clone());
                work.push(at);
            }
        };
        let mut i = start;
        let mut told = 0;
        loop {
            let insn = &unit.insns[i];
            // An exception leaves with the state before its instruction. Within a block that state only grows, until an
            // instruction takes a local out of it, so that its smallest forms are enough.
            if insn.handler != 0 && insn.handler != told {
                let Label(l) = unit.handlers[insn.handler as usize - 1].label;
                flow(unit.labels[l as usize] as usize, &bound);
            }
            told = insn.handler;
            if insn.op == Op::CheckBound {
                bound.set(insn.a as usize, known == Known::Bound);
            }
            // An iterator that ends writes nothing.
            if insn.op == Op::ForIter {
                flow(unit.labels[insn.x as usize] as usize, &bound);
            }
            if step(insn, &mut bound, known, locals) {
                told = 0;
            }
            if let Some(t) = target(unit, insn).filter(|_| insn.op != Op::ForIter) {
                flow(t, &bound);
            }
            if is_terminator(insn.op) {
                break;
            }
            i += 1;
            if i >= n {
                break;
            }
            if leader[i] {
                flow(i, &bound);
                break;
            }
        }
    }
    states
}
