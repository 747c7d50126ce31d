//! Definite writes and kinds of registers: the last of the verifier's invariants.
//!
//! A forward dataflow over basic blocks. A state says of each register what it holds on all paths so far:
//!
//! ```text
//!             unwritten
//!                 |                where paths meet, the lower bound
//!                any               upwards from here: nothing is known but that it was written
//!      /     /    |    \\     \\
//!   cell  list   set   dict  tuple
//! ```
//! States only move upwards, and blocks are visited in code order until none changes, which takes two or
//! three rounds as loops nest. A register that does not hold what an instruction takes in some state stays
//! wrong however the state moves, so it is reported at once.
//!
//! An exception leaves an instruction with what was written before it, less what a call clobbers. That
//! state meets the others at the handler, with the handler's register added.

use crate::code::{Code, Const, Intrinsic};
use crate::inst::{Inst, Row, instructions};
use crate::ops::Op;
use crate::verify::{Breach, has_namespace};

/// What is known of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
enum Kind {
    Unwritten,
    Any,
    Cell,
    List,
    Set,
    Dict,
    Tuple,
}

impl Kind {
    /// With its article, for messages.
    fn text(self) -> &'static str {
        match self {
            Kind::Unwritten | Kind::Any => "a value",
            Kind::Cell => "a cell",
            Kind::List => "a list",
            Kind::Set => "a set",
            Kind::Dict => "a dict",
            Kind::Tuple => "a tuple",
        }
    }

    fn meet(self, other: Kind) -> Kind {
        match (self, other) {
            (a, b) if a == b => a,
            (Kind::Unwritten, _) | (_, Kind::Unwritten) => Kind::Unwritten,
            _ => Kind::Any,
        }
    }
}

/// What is known of each register.
#[derive(Clone, PartialEq, Eq)]
struct State(Vec<Kind>);

impl State {
    fn unwritten(registers: usize) -> State {
        State(vec![Kind::Unwritten; registers])
    }

    fn row(&mut self, row: Row) -> &mut [Kind] {
        &mut self.0[row.first as usize..row.end() as usize]
    }

    fn add(&mut self, row: Row) {
        self.row(row).fill(Kind::Any);
    }

    fn set(&mut self, r: u32, kind: Kind) {
        self.0[r as usize] = kind;
    }

    fn get(&self, r: u32) -> Kind {
        self.0[r as usize]
    }

    fn missing(&self, row: Row) -> Option<u32> {
        (row.first..row.end()).find(|&r| self.get(r) == Kind::Unwritten)
    }

    fn remove_from(&mut self, first: u32) {
        if let Some(rest) = self.0.get_mut(first as usize..) {
            rest.fill(Kind::Unwritten);
        }
    }
}

/// The register that the instruction trusts to hold a value of a kind.
fn trusts(inst: &Inst) -> Option<(u32, Kind)> {
    let (a, b, c) = (u32::from(inst.a), u32::from(inst.b), u32::from(inst.c));
    Some(match inst.op {
        Op::LoadDeref => (b, Kind::Cell),
        Op::StoreDeref | Op::DeleteDeref => (a, Kind::Cell),
        Op::ListAppend | Op::ListExtend => (a, Kind::List),
        Op::ListToTuple => (b, Kind::List),
        Op::SetAdd | Op::SetUpdate => (a, Kind::Set),
        Op::MapAdd | Op::MapUpdate | Op::MapMerge => (a, Kind::Dict),
        Op::MatchKeys | Op::MatchRest => (c, Kind::Tuple),
        Op::MatchClass => (b + 2, Kind::Tuple),
        _ => return None,
    })
}

/// The register that the instruction leaves a value of a known kind in.
fn makes(code: &Code, inst: &Inst, before: &State) -> Option<(u32, Kind)> {
    let a = u32::from(inst.a);
    Some(match inst.op {
        Op::Move => (a, before.get(inst.b.into())),
        Op::MoveFar => {
            let (to, from) = inst.far();
            (to, before.get(from))
        }
        Op::LoadConst if matches!(code.consts.get(inst.w as usize), Some(Const::Tuple(_))) => {
            (a, Kind::Tuple)
        }
        Op::MakeCell | Op::LoadClosure => (a, Kind::Cell),
        Op::BuildTuple | Op::ListToTuple => (a, Kind::Tuple),
        Op::BuildList => (a, Kind::List),
        Op::UnpackEx => (a + (inst.w & 0xffff), Kind::List),
        Op::BuildSet => (a, Kind::Set),
        Op::Intrinsic if inst.c == Intrinsic::NewSet as u8 => (a, Kind::Set),
        Op::BuildMap | Op::MatchRest => (a, Kind::Dict),
        _ => return None,
    })
}

/// A run of instructions that is entered at its first only.
struct Block {
    /// Instructions `first..end`.
    first: usize,
    end: usize,
    /// What is known at entry; `None` as long as no path has come here.
    entry: Option<State>,
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
/// The instruction that reads a register which does not hold what it takes on every path.
pub(crate) fn check(code: &Code, insts: &[Inst], starts: &[u32]) -> Result<(), Breach> {
    Flow::run(code, insts, starts).map(|_| ())
}

/// What a register of a frame that goes on must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Anything,
    Cell,
    List,
    Set,
    Dict,
    Tuple,
}

/// A place where a frame stands still.
#[derive(Clone, Debug)]
pub struct Standstill {
    /// The instruction that a unit stands for: under way, or to be executed next.
    pub inst: Inst,
    /// Of each register, while the instruction is under way: what a call clobbers is none of it.
    pub registers: Vec<Holds>,
    /// The instruction leaves something of a known kind, which it does not when another one's result is stored for it.
    pub makes_kind: bool,
}

/// What the registers must hold for a frame that stands still at the instruction which begins at `unit`. `None`: no
/// instruction begins there, or none that is ever reached. The code is one that the verifier accepts.
pub fn standstill(code: &Code, unit: u32) -> Option<Standstill> {
    let insts: Vec<Inst> = instructions(&code.units).collect();
    let mut starts = vec![u32::MAX; code.units.len()];
    for (i, inst) in insts.iter().enumerate() {
        starts[inst.at as usize] = i as u32;
    }
    let wanted = *starts.get(unit as usize).filter(|&&i| i != u32::MAX)? as usize;
    let flow = Flow::run(code, &insts, &starts).ok()?;
    let block = flow.blocks.iter().find(|b| b.first <= wanted && wanted < b.end)?;
    let mut state = block.entry.clone()?;
    for inst in &insts[block.first..wanted] {
        let made = makes(code, inst, &state);
        if let Some(clobbered) = inst.clobbers_from() {
            state.remove_from(clobbered);
        }
        inst.writes(|row| state.add(row));
        if let Some((r, kind)) = made {
            state.set(r, kind);
        }
    }
    let inst = insts[wanted];
    let makes_kind = makes(code, &inst, &state).is_some();
    if let Some(clobbered) = inst.clobbers_from() {
        state.remove_from(clobbered);
    }
    let holds = |kind: &Kind| match kind {
        Kind::Unwritten | Kind::Any => Holds::Anything,
        Kind::Cell => Holds::Cell,
        Kind::List => Holds::List,
        Kind::Set => Holds::Set,
        Kind::Dict => Holds::Dict,
        Kind::Tuple => Holds::Tuple,
    };
    Some(Standstill { inst, registers: state.0.iter().map(holds).collect(), makes_kind })
}

impl<'a> Flow<'a> {
    /// Goes through a code whose other invariants hold until nothing changes.
    fn run(code: &'a Code, insts: &'a [Inst], starts: &[u32]) -> Result<Flow<'a>, Breach> {
        /// Bytes of all states, at most: some hundred times what any program needs.
        const MOST: usize = 1 << 30;
        let mut flow = Flow::new(code, insts, starts);
        if flow.blocks.len().saturating_mul(code.nregs.into()) > MOST {
            return Err((0, "too many branches for so many registers".to_owned()));
        }
        let mut entry = State::unwritten(code.nregs.into());
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
                return Ok(flow);
            }
        }
    }

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
    fn meet(&mut self, unit: u32, state: &State) {
        let block = &mut self.blocks[self.block_at[unit as usize] as usize];
        match &mut block.entry {
            None => {
                block.entry = Some(state.clone());
                block.dirty = true;
            }
            Some(entry) => {
                for (mine, &theirs) in entry.0.iter_mut().zip(&state.0) {
                    let met = mine.meet(theirs);
                    block.dirty |= *mine != met;
                    *mine = met;
                }
            }
        }
    }

    /// Follows a block from its entry to all places that it goes to.
    fn block(&mut self, i: usize) -> Result<(), Breach> {
        let Block { first, end, ref entry, .. } = self.blocks[i];
        let Some(mut state) = entry.clone() else { return Ok(()) };
        // Unless a call clobbers registers or a known kind is written over, what is known only grows, which
        // means nothing new to a handler that has met it.
        let mut told = u32::MAX;
        for i in first..end {
            let inst = self.insts[i];
            let mut missing = None;
            inst.reads(|row| missing = missing.or(state.missing(row)));
            let name =
                |r: u32| self.code.locals.get(r as usize).map_or(String::new(), |l| format!(" ({})", l.name));
            if let Some(r) = missing {
                return Err((inst.at, format!("reads r{r}{}, which is not written on every path", name(r))));
            }
            if let Some((r, kind)) = trusts(&inst).filter(|&(r, kind)| state.get(r) != kind) {
                let text =
                    format!("takes r{r}{} for {}, which it is not on every path", name(r), kind.text());
                return Err((inst.at, text));
            }
            let made = makes(self.code, &inst, &state);
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
            let mut lost = false;
            inst.writes(|row| {
                lost |= (row.first..row.end()).any(|r| state.get(r) > Kind::Any);
                state.add(row);
            });
            if let Some((r, kind)) = made {
                state.set(r, kind);
            }
            if lost {
                told = u32::MAX;
            }
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
