//! The quick way from a tree to machine code: one walk over the instructions, which chooses registers as it goes.
//!
//! Cranelift takes some ten microseconds for each instruction of a tree, most of it to choose registers for the whole; a
//! program of a tenth of a second has no use for that. Here an instruction takes a tenth of one. A tree is made of
//! straight pieces, so that it is known at each place what comes: a value gets a register when it is made or
//! wanted, and if there is none the value that is wanted last gives way to a word of the buffer.
//!
//! ```text
//!  rbx  the Vm                 r11, xmm14, xmm15  for an instruction's own use
//!  rbp  the root frame's base  all others         values
//!  r15  the buffer
//! ```
//! A bridge that comes later is added as code of its own: all exits go by way of a table, whose entries lead to the end
//! at first. It begins with what its exit has put into the buffer, and goes on at the entry with the frame in memory.
//!
//! At the body's head, which several jumps lead to, each value has a fixed place. A guard jumps to a piece of code
//! behind all others, which puts what the exit shows into the buffer; where there is a bridge it goes on with registers
//! as they are. All values are whole words in registers, on the native stack or in the buffer: the collector finds them.

mod asm;
mod calls;
mod liveness;
mod numbers;
mod objects;
mod registers;

use crate::ir::{ExitId, Id, Inst, SeqId, TraceOp, Tree, Type};
use crate::layout::VM_TICKS;
use crate::lower::{Places, Row};
use crate::machine::{BUFFER, CompileError};
use crate::shims::Help;
use asm::{
    Alu, Cond, Gpr, Label, R12, R13, R14, R15, RAX, RBP, RBX, RDI, RDX, RSI, RSP, Shift, indexed, mem,
};
use calls::Cold;
use registers::{BUFFER_REG, Held, KEPT, LOST, Loc, Registers, SCRATCH, XMMS, slot_mem};
use skein_runtime::value::Value as Word;
use std::cell::Cell;
use std::collections::VecDeque;

type Result<T> = std::result::Result<T, CompileError>;

/// Bytes of the native frame below the saved registers: room for all registers that a call loses, a result, a constant.
const FRAME: i32 = 216;
/// Where false is more than true by a power of two.
const TRUTH_STEP: u64 = Word::FALSE.bits() - Word::TRUE.bits();
const _: () = assert!(TRUTH_STEP.is_power_of_two() && Word::FALSE.bits() < 1 << 31);

/// Registers that values are given at the body's head at most; the others are for what is made in it.
const HEAD_GPRS: usize = 9;
const HEAD_XMMS: usize = 11;

/// Code of a tree, and where its exits put what they show.
pub struct Made {
    pub code: Vec<u8>,
    pub places: Places,
    /// Where in the code the entry is when the frame is made, and where the frame is left.
    pub again: usize,
    pub out: usize,
}

/// What the code of a tree has to do with that of others.
pub struct Ties<'a> {
    /// What it calls, at addresses that live as long as the code, as do all others here.
    pub calls: &'a [Help],
    /// By exit: where the code goes on from there.
    pub ways: &'a [Cell<usize>],
    pub joins: Option<Joins<'a>>,
}

/// The tree is a bridge, whose code begins where that of another has left by an exit.
pub struct Joins<'a> {
    /// The number of its first exit.
    pub first: u32,
    /// The entry of the other's, when the frame is made.
    pub again: usize,
    /// How often the code is still to be run, before the exit leads to the interpreter again.
    pub runs: &'a Cell<i64>,
}

/// Makes the code of a tree.
pub fn compile(tree: &Tree, ties: &Ties<'_>) -> Result<Made> {
    let entry = tree.entry.ok_or(CompileError::Malformed("no entry"))?;
    let mut regs = Registers::new(tree);
    let again = regs.asm.label();
    let body = regs.asm.label();
    let end = regs.asm.label();
    let out = regs.asm.label();
    let quick = Quick {
        tree,
        ties,
        first: ties.joins.as_ref().map_or(0, |joins| joins.first),
        out,
        regs,
        again,
        body,
        end,
        head: None,
        bridges: vec![None; tree.exits.len()],
        waiting: VecDeque::new(),
        leaves: Vec::new(),
        joins: Vec::new(),
        cold: Vec::new(),
    };
    quick.all(entry)
}

/// Off the way, to the interpreter.
struct Leave {
    label: Label,
    exit: ExitId,
    /// Ticks to be given back.
    ticks: i32,
    /// What it shows, in order.
    shown: Vec<Loc>,
}

/// Off the way, to a bridge.
struct Join {
    label: Label,
    exit: ExitId,
    ticks: i32,
    held: Vec<Held>,
}

/// A bridge that guards lead to.
#[derive(Clone)]
struct Bridge {
    label: Label,
    held: Vec<Held>,
}

struct Quick<'a> {
    tree: &'a Tree,
    ties: &'a Ties<'a>,
    /// The number that the program knows exit 0 by.
    first: u32,
    regs: Registers<'a>,
    /// Of the entry, behind the frame's making.
    again: Label,
    body: Label,
    /// Where exits go, with their number in rax.
    end: Label,
    /// Where the frame is left.
    out: Label,
    /// Where the body's values are when it begins: phis, then invariants.
    head: Option<Vec<Held>>,
    /// By `ExitId`.
    bridges: Vec<Option<Bridge>>,
    /// Exits whose bridges have no code yet.
    waiting: VecDeque<ExitId>,
    leaves: Vec<Leave>,
    joins: Vec<Join>,
    cold: Vec<Cold>,
}

impl Quick<'_> {
    fn all(mut self, entry: SeqId) -> Result<Made> {
        match &self.ties.joins {
            None => self.make_frame(),
            Some(joins) => self.begin_bridge(entry, joins),
        }
        self.sequence(entry)?;
        let mut body = self.tree.body;
        loop {
            if let (Some(head), Some(seq)) = (&self.head, body) {
                self.regs.restore(head);
                self.regs.asm.bind(self.body);
                self.sequence(seq)?;
                body = None;
            }
            let Some(exit) = self.waiting.pop_front() else { break };
            let Some(bridge) = self.bridges[exit.0 as usize].clone() else { continue };
            let Some(seq) = self.tree.exit(exit).bridge else { continue };
            self.regs.restore(&bridge.held);
            self.regs.asm.bind(bridge.label);
            self.sequence(seq)?;
        }
        for join in std::mem::take(&mut self.joins) {
            self.join(join)?;
        }
        for cold in std::mem::take(&mut self.cold) {
            self.cold(cold);
        }
        let places = self.leaves()?;
        self.regs.asm.bind(self.end);
        let ways = (self.ties.ways.as_ptr() as u64).wrapping_sub(8 * u64::from(self.first));
        self.regs.asm.mov_imm(SCRATCH, ways);
        self.regs.asm.jump_mem(indexed(SCRATCH, RAX, 3, 0));
        self.regs.asm.bind(self.out);
        self.regs.asm.alu_imm(Alu::Add, RSP, FRAME);
        for r in [R15, R14, R13, R12, RBP, RBX] {
            self.regs.asm.pop(r);
        }
        self.regs.asm.ret();
        let (again, out) = (self.regs.asm.offset(self.again), self.regs.asm.offset(self.out));
        let code = self.regs.asm.finish().ok_or(CompileError::Malformed("a jump without a body"))?;
        Ok(Made { code, places, again: again as usize, out: out as usize })
    }

    fn make_frame(&mut self) {
        for r in [RBX, RBP, R12, R13, R14, R15] {
            self.regs.asm.push(r);
        }
        self.regs.asm.alu_imm(Alu::Sub, RSP, FRAME);
        self.regs.asm.mov(RBX, RDI);
        self.regs.asm.mov(RBP, RSI);
        self.regs.asm.mov(BUFFER_REG, RDX);
        self.regs.asm.bind(self.again);
        self.regs.restore(&[]);
    }

    /// In the frame of the code that has left by the exit whose number is in rax.
    fn begin_bridge(&mut self, entry: SeqId, joins: &Joins<'_>) {
        self.regs.asm.bind(self.again);
        self.regs.asm.mov_imm(SCRATCH, std::ptr::from_ref(joins.runs) as u64);
        self.regs.asm.alu_mem_imm(Alu::Sub, mem(SCRATCH, 0), 1);
        self.regs.asm.jump_if(Cond::S, self.out);
        let tree = self.tree;
        let shown = tree.seq(entry).insts.iter().filter(|id| tree.inst(**id).op == TraceOp::FromExit);
        let held = |&id: &Id| Held { id, reg: None, slot: Some(tree.inst(id).imm as u32) };
        let held: Vec<Held> = shown.map(held).collect();
        self.regs.restore(&held);
    }

    fn sequence(&mut self, seq: SeqId) -> Result<()> {
        self.regs.live.scan(seq);
        let tree = self.tree;
        let mut position = 0;
        while position < self.regs.live.code.len() as u32 {
            position += 1;
            self.regs.begin(position);
            let id = self.regs.live.code[position as usize - 1];
            let inst = tree.inst(id);
            match inst.op {
                TraceOp::Jump => {
                    self.jump(seq)?;
                    return Ok(());
                }
                TraceOp::Restart => {
                    match &self.ties.joins {
                        None => self.regs.asm.jump(self.again),
                        Some(joins) => {
                            self.regs.asm.mov_imm(SCRATCH, joins.again as u64);
                            self.regs.asm.jump_reg(SCRATCH);
                        }
                    }
                    return Ok(());
                }
                TraceOp::Leave => {
                    let label = self.leave(inst)?;
                    self.regs.asm.jump(label);
                    return Ok(());
                }
                TraceOp::Help => position += self.help(inst, position)?,
                _ => position += self.instruction(id, inst, position)?,
            }
        }
        Err(CompileError::Malformed("a sequence without an end"))
    }

    /// Code of an instruction: how many behind it are done as well.
    fn instruction(&mut self, id: Id, inst: &Inst, position: u32) -> Result<u32> {
        use TraceOp::*;
        match inst.op {
            LoadReg | ReloadReg => self.load_reg(id, inst),
            StoreReg => self.store_reg(inst)?,
            GuardInt => self.guard_int(inst)?,
            GuardFloat => self.guard_float(id, inst)?,
            GuardShape => self.guard_shape(inst)?,
            GuardFamily => self.guard_family(inst)?,
            GuardIs | GuardRaw => self.guard_word(inst, Cond::NE)?,
            GuardIsNot | GuardRawNot => self.guard_word(inst, Cond::E)?,
            GuardTrue | GuardFalse => self.guard_truth(inst)?,
            IntAdd => self.int_add(id, inst)?,
            IntSub => self.int_sub(id, inst)?,
            IntMul => self.int_mul(id, inst)?,
            IntFloorDiv | IntMod => self.int_division(id, inst)?,
            IntShl => self.int_shl(id, inst)?,
            IntShr => self.int_shr(id, inst)?,
            IntAnd => self.int_bits(id, inst, Alu::And)?,
            IntOr => self.int_bits(id, inst, Alu::Or)?,
            IntXor => self.int_bits(id, inst, Alu::Xor)?,
            IntNeg => self.int_neg(id, inst)?,
            IntInvert => self.int_invert(id, inst)?,
            IntLt => return self.compare(id, inst, position, Cond::L),
            IntLe => return self.compare(id, inst, position, Cond::LE),
            IntEq | Same => return self.compare(id, inst, position, Cond::E),
            IntNe => return self.compare(id, inst, position, Cond::NE),
            IntGt => return self.compare(id, inst, position, Cond::G),
            IntGe => return self.compare(id, inst, position, Cond::GE),
            IntToFloat => self.int_to_float(id, inst)?,
            BaseAddress => {
                let r = self.regs.def(id);
                self.regs.asm.lea(r, mem(RBP, 8 * inst.imm as i32));
            }
            Untag => self.untag(id, inst)?,
            Tag => self.tag(id, inst)?,
            FloatAdd | FloatSub | FloatMul | FloatDiv | FloatSqrt => self.float_arith(id, inst)?,
            FloatNeg | FloatAbs => self.float_sign(id, inst)?,
            FloatPow => self.float_pow(id, inst)?,
            FloatLt | FloatLe | FloatEq | FloatNe | FloatGt | FloatGe => {
                return self.float_compare(id, inst, position);
            }
            BoxFloat => self.box_float(id, inst)?,
            BoxBool => self.box_bool(id, inst)?,
            Not => {
                let truth = self.arg(inst, 0)?;
                let r = self.regs.def_over(id, truth, &[]);
                self.regs.asm.alu_imm(Alu::Xor, r, 1);
            }
            TextChar => self.text_char(id, inst)?,
            TextEq => self.text_eq(id, inst)?,
            RawAdd => self.raw(id, inst, Alu::Add)?,
            RawSub => self.raw(id, inst, Alu::Sub)?,
            CheckBelow => self.check_below(inst, Cond::AE)?,
            CheckNotBelow => self.check_below(inst, Cond::B)?,
            CheckIndex => self.check_index(id, inst)?,
            LoadField | LoadRaw | LoadState | LoadHeld => self.load_field(id, inst)?,
            StoreField | StoreRaw => self.store_field(inst)?,
            LoadCell => self.load_cell(id, inst),
            LoadHandled => self.load_handled(id),
            LoadElem => self.load_elem(id, inst)?,
            StoreElem => self.store_elem(inst)?,
            Barrier => self.barrier(inst)?,
            SetShape => self.set_shape(inst)?,
            NewObject => self.new_object(id, inst)?,
            NumberOp => self.number_op(id, inst)?,
            CopySlice => self.copy_slice(id, inst)?,
            GuardNext => self.guard_next(inst)?,
            Publish => self.publish(inst)?,
            NativeNext | Native1 | Native2 | Native3 => self.native(id, inst)?,
            Tick => self.tick(inst)?,
            Const | Phi | FromExit | FromRaw | ToRaw | Help | Jump | Restart | Leave => {
                return Err(CompileError::Malformed("no instruction"));
            }
        }
        Ok(0)
    }

    fn arg(&self, inst: &Inst, n: usize) -> Result<Id> {
        inst.args[n].ok_or(CompileError::Malformed("an operand is lacking"))
    }

    /// The operand, if it is a constant.
    fn constant(&self, inst: &Inst, n: usize) -> Option<u64> {
        self.regs.live.constant(self.regs.live.root(inst.args[n]?))
    }

    // ---- leaving

    /// Where the instruction's guard jumps to, with registers as they are now.
    fn leave(&mut self, inst: &Inst) -> Result<Label> {
        self.leave_with(inst, 0)
    }

    fn leave_with(&mut self, inst: &Inst, ticks: i32) -> Result<Label> {
        const NOWHERE: CompileError = CompileError::Malformed("an exit shows what is not there");
        let exit = inst.exit.ok_or(CompileError::Malformed("an exit is lacking"))?;
        let Some(bridge) = self.tree.exit(exit).bridge else {
            let shown = self.regs.live.shown(exit);
            let locs = shown.iter().map(|&id| self.regs.loc(self.regs.live.root(id)).ok_or(NOWHERE));
            let shown = locs.collect::<Result<Vec<Loc>>>()?;
            let label = self.regs.asm.label();
            self.leaves.push(Leave { label, exit, ticks, shown });
            return Ok(label);
        };
        let needs = self.regs.live.needs(bridge);
        let held = needs.iter().map(|&id| self.regs.held(id).ok_or(NOWHERE));
        let held = held.collect::<Result<Vec<Held>>>()?;
        let label = self.regs.asm.label();
        if self.bridges[exit.0 as usize].is_some() {
            self.joins.push(Join { label, exit, ticks, held });
            return Ok(label);
        }
        self.bridges[exit.0 as usize] = Some(Bridge { label, held: held.clone() });
        self.waiting.push_back(exit);
        if ticks == 0 {
            return Ok(label);
        }
        let label = self.regs.asm.label();
        self.joins.push(Join { label, exit, ticks, held });
        Ok(label)
    }

    /// Another guard leads to a bridge: its values get to where the bridge has them.
    fn join(&mut self, join: Join) -> Result<()> {
        let Some(bridge) = self.bridges[join.exit.0 as usize].clone() else { return Ok(()) };
        self.regs.asm.bind(join.label);
        self.give_back(join.ticks);
        let held = join.held;
        self.moves_to(&bridge.held, |_, n| (held[n].reg.or(held[n].slot.map(Loc::Slot)), held[n].slot))?;
        self.regs.asm.jump(bridge.label);
        Ok(())
    }

    fn give_back(&mut self, ticks: i32) {
        if ticks != 0 {
            self.regs.asm.alu_mem_imm(Alu::Add, mem(RBX, VM_TICKS), ticks);
        }
    }

    /// Moves values to where they are wanted. `from` tells where each is, by number, and which word of the buffer has it.
    fn moves_to(
        &mut self,
        wanted: &[Held],
        from: impl Fn(&Registers<'_>, usize) -> (Option<Loc>, Option<u32>),
    ) -> Result<()> {
        let mut moves = Vec::new();
        for (n, to) in wanted.iter().enumerate() {
            let (best, slot) = from(&self.regs, n);
            let best = best.ok_or(CompileError::Malformed("a jump takes along what is not there"))?;
            moves.extend(to.reg.map(|reg| (reg, best)));
            moves.extend(to.slot.filter(|_| slot != to.slot).map(|slot| (Loc::Slot(slot), best)));
        }
        self.regs.move_all(moves);
        Ok(())
    }

    /// The code of all exits: what they show goes into the buffer.
    fn leaves(&mut self) -> Result<Places> {
        let own = self.regs.slots_end();
        let mut places = Places::new(self.tree.exits.len(), own);
        // Where several lead to an exit all agree on where its values are.
        let mut ways = vec![0; self.tree.exits.len()];
        self.leaves.iter().for_each(|leave| ways[leave.exit.0 as usize] += 1);
        for leave in std::mem::take(&mut self.leaves) {
            self.regs.asm.bind(leave.label);
            let alone = ways[leave.exit.0 as usize] == 1;
            let mut row = Row::with_capacity(leave.shown.len());
            for (n, &loc) in leave.shown.iter().enumerate() {
                let id = self.regs.live.shown(leave.exit)[n];
                let is_truth = self.tree.inst(id).ty == Type::B;
                let place = match loc {
                    Loc::Slot(slot) if alone && !is_truth => slot,
                    _ => own + n as u32,
                };
                row.push((id, place));
                if is_truth {
                    self.show_truth(place, loc);
                } else if loc != Loc::Slot(place) {
                    self.regs.move_one(Loc::Slot(place), loc);
                }
            }
            places.set(leave.exit, row);
            self.give_back(leave.ticks);
            self.regs.asm.mov_imm(RAX, (self.first + leave.exit.0).into());
            self.regs.asm.jump(self.end);
        }
        if places.words() > BUFFER {
            return Err(CompileError::Malformed("more values than the buffer takes"));
        }
        Ok(places)
    }

    /// Truth values are shown as words.
    fn show_truth(&mut self, place: u32, loc: Loc) {
        self.regs.move_one(Loc::Gpr(SCRATCH), loc);
        self.regs.asm.shift(Shift::Shl, SCRATCH, TRUTH_STEP.trailing_zeros() as u8);
        self.regs.asm.neg(SCRATCH);
        self.regs.asm.alu_imm(Alu::Add, SCRATCH, Word::FALSE.bits() as i32);
        self.regs.asm.store(slot_mem(place), SCRATCH);
    }

    // ---- the body's head

    /// To the body's head.
    fn jump(&mut self, seq: SeqId) -> Result<()> {
        let tree = self.tree;
        let body = tree.body.ok_or(CompileError::Malformed("a jump without a body"))?;
        let args: Vec<Id> = tree.seq(seq).jump_args.iter().map(|&id| self.regs.live.root(id)).collect();
        let phis = &tree.seq(body).phis;
        if phis.len() != args.len() {
            return Err(CompileError::Malformed("a jump with other arguments than the body has phis"));
        }
        let is_first = self.head.is_none();
        let head = match self.head.clone() {
            Some(head) => head,
            None => {
                let head = self.make_head(body, &args)?;
                self.head = Some(head.clone());
                head
            }
        };
        self.moves_to(&head, |regs, n| match args.get(n) {
            // A phi's word is that of the round before.
            Some(&arg) => (regs.loc(arg), None),
            None => (regs.loc(head[n].id), regs.slot_of(head[n].id)),
        })?;
        if !is_first {
            self.regs.asm.jump(self.body);
        }
        Ok(())
    }

    /// Chooses where the body's values are when it begins. Those that it works on soonest get registers.
    fn make_head(&mut self, body: SeqId, args: &[Id]) -> Result<Vec<Held>> {
        self.regs.live.scan(body);
        self.regs.now = 2;
        let phis = &self.tree.seq(body).phis;
        let ids: Vec<Id> = phis.iter().chain(&self.regs.live.invariants).copied().collect();
        let first_call = self.regs.live.calls.last().copied().unwrap_or(u32::MAX);
        let mut order: Vec<usize> = (0..ids.len()).collect();
        let next = |n: &usize| self.regs.live.next[ids[*n].0 as usize];
        order.retain(|n| next(n) != liveness::NEVER);
        order.sort_by_key(next);
        let mut regs: Vec<Option<Loc>> = vec![None; ids.len()];
        let (mut gprs, mut xmms) = (HEAD_GPRS, HEAD_XMMS);
        let mut taken = (0u16, 0u16);
        let mut chosen = Vec::new();
        for n in order {
            let id = ids[n];
            if self.regs.is_float(id) {
                if xmms > 0 && next(&n) < first_call {
                    xmms -= 1;
                    chosen.push(n);
                }
            } else if gprs > 0 {
                gprs -= 1;
                chosen.push(n);
            }
        }
        // Those that are in a register which suits them stay there.
        let suits = |n: usize, r: u8| {
            let crosses = self.regs.live.last_operand[ids[n].0 as usize] > first_call;
            let is_kept = KEPT.contains(&r);
            if first_call == u32::MAX { true } else { is_kept == crosses }
        };
        for &n in &chosen {
            let from = if n < args.len() { args[n] } else { ids[n] };
            match self.regs.loc(from) {
                Some(Loc::Gpr(r)) if taken.0 >> r.0 & 1 == 0 && suits(n, r.0) => {
                    taken.0 |= 1 << r.0;
                    regs[n] = Some(Loc::Gpr(r));
                }
                Some(Loc::Xmm(x)) if taken.1 >> x.0 & 1 == 0 && self.regs.is_float(ids[n]) => {
                    taken.1 |= 1 << x.0;
                    regs[n] = Some(Loc::Xmm(x));
                }
                _ => {}
            }
        }
        for &n in &chosen {
            if regs[n].is_some() {
                continue;
            }
            if self.regs.is_float(ids[n]) {
                let free = (0..XMMS).find(|x| taken.1 >> x & 1 == 0);
                if let Some(x) = free {
                    taken.1 |= 1 << x;
                    regs[n] = Some(Loc::Xmm(asm::Xmm(x)));
                }
                continue;
            }
            let all = KEPT.iter().chain(&LOST).copied();
            let free = all.clone().find(|&r| taken.0 >> r & 1 == 0 && suits(n, r));
            // One that is used before and behind a call is better off in a register that is lost than in none.
            let soon = next(&n) < first_call;
            let free = free.or_else(|| all.clone().find(|&r| soon && taken.0 >> r & 1 == 0));
            if let Some(r) = free {
                taken.0 |= 1 << r;
                regs[n] = Some(Loc::Gpr(Gpr(r)));
            }
        }
        let mut head = Vec::with_capacity(ids.len());
        for (n, &id) in ids.iter().enumerate() {
            let is_wanted = self.regs.live.last[id.0 as usize] != 0;
            let wants_slot = is_wanted && (n >= args.len() || regs[n].is_none());
            let slot = wants_slot.then(|| self.regs.new_slot_for_head(id));
            head.push(Held { id, reg: regs[n], slot });
        }
        Ok(head)
    }

    // ---- truth

    /// Is the instruction at the position a guard of this truth value, which nothing else wants?
    fn guard_behind(&self, id: Id, position: u32) -> Option<Id> {
        let guard = *self.regs.live.code.get(position as usize)?;
        let inst = self.tree.inst(guard);
        let fits = matches!(inst.op, TraceOp::GuardTrue | TraceOp::GuardFalse)
            && inst.args[0].map(|id| self.regs.live.root(id)) == Some(id)
            && self.regs.live.uses[id.0 as usize] == 1;
        fits.then_some(guard)
    }

    /// The flags tell a truth value: it is made, or the guard behind it is.
    fn told_by(&mut self, id: Id, position: u32, cond: Cond) -> Result<u32> {
        let Some(guard) = self.guard_behind(id, position) else {
            let r = self.regs.def(id);
            self.regs.asm.set(cond, r);
            return Ok(0);
        };
        let guard = self.tree.inst(guard);
        // Moves that make room change no flags.
        self.regs.begin(position + 1);
        let label = self.leave(guard)?;
        let leaves = if guard.op == TraceOp::GuardTrue { cond.opposite() } else { cond };
        self.regs.asm.jump_if(leaves, label);
        Ok(1)
    }

    fn guard_truth(&mut self, inst: &Inst) -> Result<()> {
        let truth = self.arg(inst, 0)?;
        let r = self.regs.gpr(truth);
        self.regs.asm.test(r, r);
        let label = self.leave(inst)?;
        self.regs.asm.jump_if(if inst.op == TraceOp::GuardTrue { Cond::E } else { Cond::NE }, label);
        Ok(())
    }

    fn box_bool(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let truth = self.arg(inst, 0)?;
        let r = self.regs.def_over(id, truth, &[]);
        self.regs.asm.shift(Shift::Shl, r, TRUTH_STEP.trailing_zeros() as u8);
        self.regs.asm.neg(r);
        self.regs.asm.alu_imm(Alu::Add, r, Word::FALSE.bits() as i32);
        Ok(())
    }

    /// What is left is written first: behind the exit the interpreter does the jump again, and counts it, so that exit
    /// gives back what was taken.
    fn tick(&mut self, inst: &Inst) -> Result<()> {
        let ticks = i32::try_from(inst.imm).map_err(|_| CompileError::Malformed("so many ticks"))?;
        let label = self.leave_with(inst, ticks)?;
        self.regs.asm.alu_mem_imm(Alu::Sub, mem(RBX, VM_TICKS), ticks);
        self.regs.asm.jump_if(Cond::L, label);
        Ok(())
    }
}
