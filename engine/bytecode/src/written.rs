//! Definite writes: the last of the verifier's invariants.
//!
//! A forward dataflow over basic blocks. A state is a set of registers that are written on all paths so
//! far; where paths meet, the sets are intersected. Sets only shrink, and blocks are visited in code order
//! until none changes, which takes two or three rounds as loops nest. A register read in a state that
//! lacks it stays wrong however the state shrinks, so it is reported at once.
//!
//! An exception leaves an instruction with what was written before it, less what a call clobbers. That
//! state meets the others at the handler, with the handler's register added.

use crate::code::Code;
use crate::inst::{Inst, Row};
use crate::ops::Op;
use crate::verify::{Breach, has_namespace};

/// A set of registers.
#[derive(Clone, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Set {
    fn empty(registers: usize) -> Set {
        Set(vec![0; registers.div_ceil(64)])
    }

    fn add(&mut self, row: Row) {
        (row.first..row.end()).for_each(|r| self.0[r as usize / 64] |= 1 << (r % 64));
    }

    fn missing(&self, row: Row) -> Option<u32> {
        (row.first..row.end()).find(|&r| self.0[r as usize / 64] & 1 << (r % 64) == 0)
    }

    fn remove_from(&mut self, first: u32) {
        let word = first as usize / 64;
        if word < self.0.len() {
            self.0[word] &= (1 << (first % 64)) - 1;
            self.0[word + 1..].fill(0);
        }
    }
}

/// A run of instructions that is entered at its first only.
struct Block {
    /// Instructions `first..end`.
    first: usize,
    end: usize,
    /// What is written at entry; `None` as long as no path has come here.
    entry: Option<Set>,
    dirty: bool,
}

struct Flow<'a> {
    code: &'a Code,
    insts: &'a [Inst],
    blocks: Vec<Block>,
    /// Block of the instruction that starts at a unit, if it is its block's first.
    block_at: Vec<u32>,
    /// Index of the handler that covers an instruction, or `u32::MAX`.
    handler: Vec<u32>,
}

/// Checks a code whose other invariants hold. `starts` maps units to instructions.
///
/// # Errors
/// The instruction that reads a register which is not written on every path.
pub(crate) fn check(code: &Code, insts: &[Inst], starts: &[u32]) -> Result<(), Breach> {
    let mut flow = Flow::new(code, insts, starts);
    let mut entry = Set::empty(code.nregs.into());
    let params = code.param_count().max(has_namespace(code).into());
    entry.add(Row { first: 0, len: params as u32 });
    flow.meet(0, &entry);
    loop {
        let mut changed = false;
        for i in 0..flow.blocks.len() {
            if std::mem::take(&mut flow.blocks[i].dirty) {
                changed = true;
                flow.block(i)?;
            }
        }
        if !changed {
            return Ok(());
        }
    }
}

impl<'a> Flow<'a> {
    fn new(code: &'a Code, insts: &'a [Inst], starts: &[u32]) -> Flow<'a> {
        let mut leads = vec![false; insts.len() + 1];
        leads[0] = true;
        for (i, inst) in insts.iter().enumerate() {
            if let Some(target) = inst.target() {
                leads[starts[target as usize] as usize] = true;
                leads[i + 1] = true;
            }
            if inst.op.is_terminator() {
                leads[i + 1] = true;
            }
        }
        let mut handler = vec![u32::MAX; insts.len()];
        // The first entry that covers an instruction wins, so later ones are painted over.
        for (n, h) in code.handlers.iter().enumerate().rev() {
            leads[starts[h.target as usize] as usize] = true;
            let first = starts[h.start as usize] as usize;
            let covered = insts[first..].iter().take_while(|inst| inst.at < h.end).count();
            handler[first..first + covered].fill(n as u32);
        }
        let mut blocks: Vec<Block> = Vec::new();
        let mut block_at = vec![u32::MAX; starts.len()];
        for i in 0..insts.len() {
            if leads[i] {
                block_at[insts[i].at as usize] = blocks.len() as u32;
                blocks.push(Block { first: i, end: i, entry: None, dirty: false });
            }
            if let Some(block) = blocks.last_mut() {
                block.end = i + 1;
            }
        }
        Flow { code, insts, blocks, block_at, handler }
    }

    /// A path with this state comes to the block that starts at `unit`.
    fn meet(&mut self, unit: u32, state: &Set) {
        let block = &mut self.blocks[self.block_at[unit as usize] as usize];
        match &mut block.entry {
            None => {
                block.entry = Some(state.clone());
                block.dirty = true;
            }
            Some(entry) => {
                for (mine, theirs) in entry.0.iter_mut().zip(&state.0) {
                    block.dirty |= *mine & !theirs != 0;
                    *mine &= theirs;
                }
            }
        }
    }

    /// Follows a block from its entry to all places that it goes to.
    fn block(&mut self, i: usize) -> Result<(), Breach> {
        let Block { first, end, ref entry, .. } = self.blocks[i];
        let Some(mut state) = entry.clone() else { return Ok(()) };
        // Between calls the state only grows, which means nothing new to a handler that has met it.
        let mut told = u32::MAX;
        for i in first..end {
            let inst = self.insts[i];
            let mut missing = None;
            inst.reads(|row| missing = missing.or(state.missing(row)));
            if let Some(r) = missing {
                let name =
                    self.code.locals.get(r as usize).map_or(String::new(), |l| format!(" ({})", l.name));
                return Err((inst.at, format!("reads r{r}{name}, which is not written on every path")));
            }
            if let Some(clobbered) = inst.clobbers_from() {
                state.remove_from(clobbered);
                told = u32::MAX;
            }
            if inst.op.may_raise()
                && self.handler[i] != told
                && let Some(h) = self.code.handlers.get(self.handler[i] as usize).copied()
            {
                told = self.handler[i];
                let mut raised = state.clone();
                raised.add(Row { first: h.reg.into(), len: 1 });
                self.meet(h.target, &raised);
            }
            let target = inst.target().map(|t| t as u32);
            if let (Op::ForIter, Some(target)) = (inst.op, target) {
                self.meet(target, &state);
            }
            inst.writes(|row| state.add(row));
            if let (true, Some(target)) = (inst.op != Op::ForIter, target) {
                self.meet(target, &state);
            }
        }
        let last = self.insts[end - 1];
        if !last.op.is_terminator() {
            self.meet(last.next(), &state);
        }
        Ok(())
    }
}
