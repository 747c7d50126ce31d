//! What is wanted at the instructions of one code: its table, and the patched instructions that lead to it.
//!
//! Where somebody wants to be told of something, the op in the code's block is [`Op::Event`]; the table has the op
//! that was there, and quickening goes on in the table. So code of which nothing is wanted runs as ever, and what a
//! tool has disabled costs nothing any more.

use super::sites::{LineStart, Sites, Start};
use super::{TOOLS, TRACE, event};
use crate::object::Ref;
use crate::types::code::CodeObject;
use crate::value::R;
use crate::vm::Vm;
use skein_bytecode::{Op, flags};

/// Bits of [`Site::flags`].
pub mod site {
    /// An instruction begins at the unit.
    pub const INSTRUCTION: u8 = 1;
    /// A frame begins here.
    pub const ENTRY: u8 = 2;
    /// A generator goes on here.
    pub const RESUME: u8 = 4;
    /// Lines begin here.
    pub const LINES: u8 = 8;
    /// A back edge within a line.
    pub const SHORT_LOOP: u8 = 16;
    /// Control comes from here to a line's beginning that is wanted, in the same line.
    pub const LEADS_ON: u8 = 32;
    /// A jump over a handler: only where the handler stands makes it one.
    pub const OVER_HANDLER: u8 = 64;
}

/// The tools that want to be told of the events at one unit, a bit each.
#[derive(Clone, Copy, Default)]
pub struct Site {
    /// The op that belongs there.
    pub op: u8,
    pub flags: u8,
    pub masks: Masks,
}

#[derive(Clone, Copy, Default)]
pub struct Masks {
    /// Of a frame's beginning or resumption.
    pub entry: u8,
    pub line: u8,
    pub instruction: u8,
    /// Of the event that the instruction is: a call, return, yield or jump, or a branch that goes on behind itself.
    pub own: u8,
    /// Of a branch that jumps.
    pub right: u8,
    /// Of an iteration that a generator ends. It is no reason to patch the instruction.
    pub stop: u8,
}

impl Site {
    fn is_watched(&self) -> bool {
        let m = &self.masks;
        let leads = self.flags & site::LEADS_ON != 0;
        leads || m.entry | m.line | m.instruction | m.own | m.right != 0
    }

    pub fn op(&self) -> Op {
        // SAFETY: the numbers come from ops.
        unsafe { std::mem::transmute::<u8, Op>(self.op) }
    }
}

/// The table of one code.
#[derive(Default)]
pub struct Table {
    sites: Vec<Site>,
    lines: Vec<LineStart>,
    /// For each unit at which lines begin, where the first stands among these.
    first_lines: Vec<u32>,
    /// For each unit: its line, 0 if it has none, and that of the last unit up to it which has one.
    places: Vec<(u32, u32)>,
    /// See [`Sites::leads_on`]: from where, and to where.
    leads_on: Vec<(u32, u32)>,
    /// The events of this code that tools want besides those of all code.
    pub local: [u32; TOOLS],
    /// The events that the masks are set for.
    applied: [u32; TOOLS],
}

/// The portable op that a quickened one stands for, as far as events go.
fn unquickened(op: Op) -> Op {
    match op {
        Op::ForRange | Op::ForList | Op::ForGenerator => Op::ForIter,
        Op::JumpBackTraced => Op::JumpBack,
        op => op,
    }
}

/// The event that an instruction is, and the one that it is if it jumps.
fn own_events(op: Op) -> (u32, u32) {
    match op {
        Op::Call | Op::CallMethod | Op::CallKw | Op::CallMethodKw | Op::CallEx => (event::CALL, 0),
        Op::Return | Op::ReturnGen => (event::PY_RETURN, 0),
        Op::Yield | Op::YieldFrom => (event::PY_YIELD, 0),
        Op::Jump | Op::JumpBack => (event::JUMP, 0),
        Op::JumpTrue
        | Op::JumpFalse
        | Op::JumpNone
        | Op::JumpNotNone
        | Op::JumpLt
        | Op::JumpLe
        | Op::JumpEq
        | Op::JumpNe
        | Op::JumpGt
        | Op::JumpGe
        | Op::JumpLtInt
        | Op::JumpLeInt
        | Op::JumpEqInt
        | Op::JumpNeInt
        | Op::JumpGtInt
        | Op::JumpGeInt
        | Op::ForIter => (event::BRANCH_LEFT, event::BRANCH_RIGHT),
        _ => (0, 0),
    }
}

/// Does the instruction either jump or go on behind itself?
pub fn is_branch(op: Op) -> bool {
    own_events(op).1 != 0
}

impl Table {
    /// The table of a code of which nothing is wanted yet. MemoryError.
    fn new(vm: &Vm, code: Ref<CodeObject>) -> R<Table> {
        code.make_block(vm)?;
        let found = Sites::of(code.portable());
        let mut sites = vm.filled(Site::default(), code.portable().units.len())?;
        for inst in &found.insts {
            let s = &mut sites[inst.at as usize];
            s.op = code.op_at(inst.at) as u8;
            s.flags = site::INSTRUCTION;
        }
        sites[found.entry as usize].flags |= site::ENTRY;
        for &u in &found.resumes {
            sites[u as usize].flags |= site::RESUME;
        }
        for &u in &found.short_loops {
            sites[u as usize].flags |= site::SHORT_LOOP;
        }
        let mut first_lines = vm.filled(0u32, code.portable().units.len())?;
        for (i, l) in found.lines.iter().enumerate().rev() {
            sites[l.unit as usize].flags |= site::LINES;
            first_lines[l.unit as usize] = i as u32;
        }
        for &u in &found.over_handlers {
            sites[u as usize].flags |= site::OVER_HANDLER;
        }
        let portable = code.portable();
        let mut places = vm.filled((0, portable.first_line), portable.units.len())?;
        let (mut at, mut last) = (0, portable.first_line);
        let mut fill = |to: u32, own: u32, last: u32| {
            let to = (to as usize).min(places.len());
            places[at.min(to)..to].fill((own, last));
            at = at.max(to);
        };
        for (start, end, p) in portable.positions.rows() {
            fill(start, 0, last);
            last = if p.line != 0 { p.line } else { last };
            fill(end, p.line, last);
        }
        fill(u32::MAX, 0, last);
        let Sites { lines, leads_on, .. } = found;
        Ok(Table { sites, lines, first_lines, places, leads_on, ..Table::default() })
    }

    /// The line of a unit, 0 if it has none.
    pub fn line_of(&self, unit: u32) -> u32 {
        self.places.get(unit as usize).map_or(0, |&(own, _)| own)
    }

    /// The line of a unit, or of the last one before it that has one; None for what is no unit.
    pub fn line_at(&self, unit: u32) -> Option<u32> {
        self.places.get(unit as usize).map(|&(_, last)| last)
    }

    pub fn site(&self, unit: u32) -> Site {
        self.sites.get(unit as usize).copied().unwrap_or_default()
    }

    pub fn set_op(&mut self, unit: u32, op: Op) {
        self.sites[unit as usize].op = op as u8;
    }

    /// Where nobody was told of anything, quickening went on in the block, and what it had made there may have been put back:
    /// the cell of a cache is gone then.
    fn take_op(&mut self, code: Ref<CodeObject>, unit: u32) {
        let op = code.op_in_block(unit);
        if op != Op::Event {
            self.set_op(unit, op);
        }
    }

    /// The line of this number among those that begin at a unit.
    pub fn line_start(&self, unit: u32, number: usize) -> Option<LineStart> {
        let first = *self.first_lines.get(unit as usize)? as usize;
        self.lines.get(first + number).copied().filter(|l| l.unit == unit)
    }

    /// The lines that begin at a unit.
    pub fn lines_at(&self, unit: u32) -> impl Iterator<Item = LineStart> + '_ {
        let first = self.lines.partition_point(|l| l.unit < unit);
        self.lines[first..].iter().take_while(move |l| l.unit == unit).copied()
    }

    /// Does control come from the one unit to a line's beginning at the other, in the same line?
    pub fn leads_on(&self, from: u32, to: u32) -> bool {
        self.leads_on.contains(&(from, to))
    }

    /// Sets or clears a tool's bit in the masks of some events.
    fn put(&mut self, tool: usize, events: u32, on: bool) {
        let bit = 1u8 << tool;
        let put = |mask: &mut u8, wanted: bool| {
            if wanted {
                *mask = if on { *mask | bit } else { *mask & !bit };
            }
        };
        for s in self.sites.iter_mut().filter(|s| s.flags & site::INSTRUCTION != 0) {
            let op = unquickened(s.op());
            let (own, right) = own_events(op);
            let has = |flag: u8| s.flags & flag != 0;
            let begins = match () {
                () if has(site::ENTRY) => event::PY_START,
                () if has(site::RESUME) => event::PY_RESUME,
                () => 0,
            };
            // Of jumps the trace function is told of those alone that come to their own line again.
            let told = match tool {
                _ if own != event::JUMP => true,
                TRACE => has(site::SHORT_LOOP),
                _ => !has(site::OVER_HANDLER),
            };
            // The trace function does not hear of the ends of `for` loops.
            let iterates = op == Op::Send || op == Op::ForIter && tool != TRACE;
            let has_lines = has(site::LINES);
            let m = &mut s.masks;
            put(&mut m.entry, begins & events != 0);
            put(&mut m.line, has_lines && events & event::LINE != 0);
            put(&mut m.instruction, events & event::INSTRUCTION != 0);
            put(&mut m.own, own & events != 0 && told);
            put(&mut m.right, right & events != 0);
            put(&mut m.stop, iterates && events & event::STOP_ITERATION != 0);
        }
    }

    fn is_void(&self) -> bool {
        self.local.iter().chain(&self.applied).all(|&e| e == 0)
    }

    /// Notes which instructions lead on to lines that are wanted.
    fn note_ways(&mut self) {
        for i in 0..self.leads_on.len() {
            let (from, _) = self.leads_on[i];
            self.sites[from as usize].flags &= !site::LEADS_ON;
        }
        for i in 0..self.leads_on.len() {
            let (from, to) = self.leads_on[i];
            if self.sites[to as usize].masks.line != 0 {
                self.sites[from as usize].flags |= site::LEADS_ON;
            }
        }
    }
}

/// A mask of a site.
#[derive(Clone, Copy)]
pub enum Which {
    Entry,
    Line,
    Instruction,
    Own,
    Right,
    Stop,
}

impl Which {
    pub fn of(self, m: &mut Masks) -> &mut u8 {
        match self {
            Which::Entry => &mut m.entry,
            Which::Line => &mut m.line,
            Which::Instruction => &mut m.instruction,
            Which::Own => &mut m.own,
            Which::Right => &mut m.right,
            Which::Stop => &mut m.stop,
        }
    }
}

impl Ref<CodeObject> {
    /// What tools want of this code alone.
    pub fn local_events(self, tool: usize) -> u32 {
        self.table().map_or(0, |t| t.local[tool])
    }

    /// Sets what a tool wants of this code alone. MemoryError.
    pub fn set_local_events(self, vm: &Vm, tool: usize, events: u32) -> R<()> {
        // Before a table reads the ops.
        vm.hooks.tier().code_watched(Some(self));
        if self.table().is_none() {
            if events == 0 {
                return Ok(());
            }
            self.install_table(Table::new(vm, self)?);
        }
        vm.events.note_code(vm, self)?;
        vm.events.local.set(vm.events.local.get() || events != 0);
        if let Some(t) = self.table_mut() {
            t.local[tool] = events;
        }
        self.update_events(vm)
    }

    /// Brings the code's instructions in line with what is wanted now. There are no traces of it. MemoryError.
    pub fn update_events(self, vm: &Vm) -> R<()> {
        if self.has_flag(flags::HOSTED) {
            return Ok(());
        }
        let all = vm.events.wanted_everywhere();
        if self.table().is_none() {
            if all.iter().all(|&e| e & event::INSTRUMENTED == 0) {
                return Ok(());
            }
            self.install_table(Table::new(vm, self)?);
        }
        let Some(table) = self.table_mut() else { return Ok(()) };
        for (tool, everywhere) in all.into_iter().enumerate() {
            let wanted = (everywhere | table.local[tool]) & event::INSTRUMENTED;
            let old = std::mem::replace(&mut table.applied[tool], wanted);
            if old & !wanted != 0 {
                table.put(tool, old & !wanted, false);
            }
            if wanted & !old != 0 {
                table.put(tool, wanted & !old, true);
            }
        }
        self.patch_all();
        Ok(())
    }

    /// What tools have disabled counts again. There are no traces of the code.
    pub fn restart_events(self) {
        let Some(table) = self.table_mut() else { return };
        for tool in 0..TOOLS {
            let applied = table.applied[tool];
            if applied != 0 {
                table.put(tool, applied, true);
            }
        }
        self.patch_all();
    }

    /// A tool does not want to be told of an event at this place any more.
    pub fn disable_event(self, unit: u32, which: Which, tool: usize) {
        let Some(table) = self.table_mut() else { return };
        let Some(s) = table.sites.get_mut(unit as usize) else { return };
        let mask = which.of(&mut s.masks);
        *mask &= !(1u8 << tool);
        let line_gone = matches!(which, Which::Line) && *mask == 0;
        if line_gone && table.lines_at(unit).any(|l| l.start == Start::Unless) {
            return self.patch_all();
        }
        self.patch(unit);
    }

    /// Puts the op of an instruction into the block: [`Op::Event`], or its own.
    fn patch(self, unit: u32) {
        let Some(table) = self.table_mut() else { return };
        table.take_op(self, unit);
        let s = table.site(unit);
        self.write_op(unit, if s.is_watched() { Op::Event } else { s.op() });
    }

    fn patch_all(self) {
        let Some(table) = self.table_mut() else { return };
        table.note_ways();
        for unit in 0..table.sites.len() as u32 {
            if table.site(unit).flags & site::INSTRUCTION != 0 {
                table.take_op(self, unit);
                let s = table.site(unit);
                self.write_op(unit, if s.is_watched() { Op::Event } else { s.op() });
            }
        }
        if table.is_void() {
            self.drop_table();
        }
    }
}
