//! Lowering: a tree becomes one function of Cranelift's.
//!
//! ```text
//!  start ─> entry ─> body ─┐          sequences; a guard ends a block
//!             │       │ ^──┘
//!             v       v
//!           exit     exit ─> bridge ─> body
//!             │ cold
//!             v
//!           leave: returns the exit's number
//! ```
//! An exit without a bridge stores its live values into the buffer. One with a bridge is the bridge's first block,
//! which so has all values in registers. Nothing is held anywhere but in SSA values, which are whole words: the
//! collector finds them in registers and on the stack.

mod calls;
mod floats;
mod ints;
mod memory;
mod places;
#[cfg(test)]
mod tests;

pub use calls::watched_behind;
pub use memory::may_be_reference;
use places::Homes;
pub use places::{ELSEWHERE, Places, Row};

use crate::ir::{Effect, ExitId, Id, Inst, SeqId, Source, Target, TraceOp, Tree, Type};
use crate::layout::VM_TICKS;
use crate::machine::{BUFFER, CompileError};
use crate::shims::Help;
use crate::thunks::{Thunk, Thunks};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::immediates::Ieee64;
use cranelift_codegen::ir::types::{F64, I8, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, InstructionData, MemFlagsData, SigRef, Signature,
    StackSlot, StackSlotData, StackSlotKind, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use skein_runtime::value::Value as Word;
use std::collections::VecDeque;

type Result<T> = std::result::Result<T, CompileError>;

const TAG: i64 = 1;

/// Instructions of a tree from which on it puts values that several exits show into the buffer when they are made: each
/// such exit would else do so by itself, and find them kept in registers, or saved, up to there. In small trees that costs
/// the program more than it saves the compiler.
const LARGE_TREE: usize = 3000;

/// Operands that a shim has at most.
const MAX_PARAMS: usize = 5;

/// Fills `function`, which is empty. The calls are those of the tree, at addresses that live as long as the code.
pub fn lower(
    tree: &Tree,
    calls: &[Help],
    thunks: &Thunks,
    isa: &dyn TargetIsa,
    function: &mut Function,
) -> Result<Places> {
    let convention = isa.default_call_conv();
    function.signature = signature(convention, &[I64, I64, I64], Some(I64));
    let entry = tree.entry.ok_or(CompileError::Malformed("no entry"))?;

    let mut pos = FuncCursor::new(function);
    let start = pos.func.dfg.make_block();
    pos.insert_block(start);
    let [vm, base, buffer] = [(); 3].map(|()| pos.func.dfg.append_block_param(start, I64));
    // Only exits want it: on the stack it keeps no register busy.
    let slot = pos.func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3));
    pos.ins().stack_store(I64, buffer, slot, 0);
    let entry_block = pos.func.dfg.make_block();
    let ticks = if ticks_fit_register(tree) {
        let ticks = pos.ins().load(I64, trusted(), vm, VM_TICKS);
        pos.ins().jump(entry_block, &[BlockArg::Value(ticks)]);
        Some(pos.func.dfg.append_block_param(entry_block, I64))
    } else {
        pos.ins().jump(entry_block, &[]);
        None
    };

    let homes = Homes::new(tree, tree.insts.len() >= LARGE_TREE);
    let mut lowerer = Lowerer {
        tree,
        calls,
        uses: uses(tree),
        is_late: shown_only(tree),
        convention,
        has_overflow: matches!(isa.name(), "x64" | "aarch64"),
        pos,
        values: vec![None; tree.insts.len()],
        places: Places::new(tree.exits.len(), homes.end),
        homes,
        leaving: false,
        exits: vec![None; tree.exits.len()],
        ticks,
        waiting: VecDeque::new(),
        signatures: [None; MAX_PARAMS + 1],
        thunks: [None; 3],
        thunk_code: thunks,
        result: None,
        entry: entry_block,
        body: None,
        vm,
        base,
        buffer: slot,
    };
    lowerer.all(entry)?;
    Ok(lowerer.places)
}

/// Fills `function`, which is empty, with a thunk.
pub fn lower_thunk(thunk: Thunk, isa: &dyn TargetIsa, function: &mut Function) {
    function.signature = signature(CallConv::PreserveAll, thunk.params(), None);
    let mut pos = FuncCursor::new(function);
    let start = pos.func.dfg.make_block();
    pos.insert_block(start);
    let args: Vec<Value> =
        thunk.params().iter().map(|&ty| pos.func.dfg.append_block_param(start, ty)).collect();
    let shim = signature(isa.default_call_conv(), thunk.params(), None);
    let shim = pos.func.import_signature(shim);
    let address = pos.ins().iconst(I64, thunk.shim() as i64);
    pos.ins().call_indirect(shim, address, &args);
    pos.ins().return_(&[]);
}

/// Can the ticks stay in a register? The way through memory takes a small loop longer than all else that it does.
/// Then nothing called may look at them, and all that leads to an exit must have the same number of them.
fn ticks_fit_register(tree: &Tree) -> bool {
    let mut owners = vec![None; tree.exits.len()];
    tree.seqs.iter().enumerate().all(|(number, seq)| {
        let mut ticks = 0;
        seq.insts.iter().all(|&id| {
            let inst = tree.inst(id);
            let here = (number, ticks);
            ticks += u32::from(inst.op == TraceOp::Tick);
            inst.op.info().effect != Effect::Call
                && inst.exit.is_none_or(|exit| *owners[exit.0 as usize].get_or_insert(here) == here)
        })
    })
}

/// To an exit.
#[derive(Clone, Copy)]
struct Way {
    block: Block,
    /// The ticks there, if they are in a register: this and so many more.
    ticks: Option<(Value, i64)>,
}

struct Lowerer<'a> {
    tree: &'a Tree,
    calls: &'a [Help],
    /// Operands and the like that a value is, by `Id`.
    uses: Vec<u32>,
    /// By `Id`: is the value made where an exit shows it?
    is_late: Vec<bool>,
    convention: CallConv,
    /// Does the machine tell of signed overflow?
    has_overflow: bool,
    pos: FuncCursor<'a>,
    /// By `Id`; constants are made where they are used.
    values: Vec<Option<Value>>,
    homes: Homes,
    places: Places,
    /// Are exits filled?
    leaving: bool,
    /// By `ExitId`.
    exits: Vec<Option<Way>>,
    /// What is left of the ticks, if that is in a register; else it is in memory.
    ticks: Option<Value>,
    /// Exits that are led to and not filled yet.
    waiting: VecDeque<ExitId>,
    /// Of the shims, by the number of their operands.
    signatures: [Option<SigRef>; MAX_PARAMS + 1],
    /// Of the thunks.
    thunks: [Option<SigRef>; 3],
    thunk_code: &'a Thunks,
    /// Where thunks put results.
    result: Option<StackSlot>,
    entry: Block,
    body: Option<Block>,
    vm: Value,
    base: Value,
    buffer: StackSlot,
}

fn signature(
    convention: CallConv,
    params: &[cranelift_codegen::ir::Type],
    result: Option<cranelift_codegen::ir::Type>,
) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(params.iter().map(|&ty| AbiParam::new(ty)));
    signature.returns.extend(result.map(AbiParam::new));
    signature
}

/// How often each value is wanted.
fn uses(tree: &Tree) -> Vec<u32> {
    let mut uses = vec![0; tree.insts.len()];
    let mut note = |id: Id| uses[id.0 as usize] += 1;
    tree.insts.iter().flat_map(|inst| inst.args).flatten().for_each(&mut note);
    tree.seqs.iter().flat_map(|seq| &seq.jump_args).copied().for_each(&mut note);
    for (target, source) in tree.exits.iter().flat_map(|exit| &exit.writes) {
        if let Target::Field(object, _) = target {
            note(*object);
        }
        if let Source::Value(value) = source {
            note(*value);
        }
    }
    uses
}

/// The values that nothing but exits wants, and that take no more registers to make there than they do themselves.
fn shown_only(tree: &Tree) -> Vec<bool> {
    let mut late: Vec<bool> = tree.insts.iter().map(|inst| inst.op.info().effect == Effect::Pure).collect();
    let variable = |id: &&Option<Id>| id.is_some_and(|id| tree.constant(id).is_none());
    for (at, inst) in tree.insts.iter().enumerate() {
        if inst.args.iter().filter(variable).count() != 1 || matches!(inst.op, TraceOp::Phi | TraceOp::Const)
        {
            late[at] = false;
        }
        let summand = ints::masked_summand(tree, inst).map(|masked| masked.operand);
        for (n, id) in inst.args.iter().enumerate() {
            if let Some(id) = id.filter(|_| summand != Some(n)) {
                late[id.0 as usize] = false;
            }
        }
    }
    for id in tree.seqs.iter().flat_map(|seq| &seq.jump_args) {
        late[id.0 as usize] = false;
    }
    late
}

/// How a trace's type is held.
fn held_as(ty: Type) -> Result<cranelift_codegen::ir::Type> {
    match ty {
        Type::W | Type::I | Type::R => Ok(I64),
        Type::F => Ok(F64),
        Type::B => Ok(I8),
        Type::No | Type::Any => Err(CompileError::Malformed("a value without a type")),
    }
}

fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl<'a> Lowerer<'a> {
    fn all(&mut self, entry: SeqId) -> Result<()> {
        self.pos.insert_block(self.entry);
        self.sequence(entry)?;
        if let (Some(seq), Some(block)) = (self.tree.body, self.body) {
            self.pos.insert_block(block);
            self.ticks = self.ticks.and_then(|_| self.pos.func.dfg.block_params(block).last().copied());
            self.sequence(seq)?;
        }
        while let Some(exit) = self.waiting.pop_front() {
            let Some(Way { block, ticks }) = self.exits[exit.0 as usize] else { continue };
            self.pos.insert_block(block);
            self.ticks = ticks.map(|(ticks, more)| {
                if more == 0 {
                    return ticks;
                }
                // Not a sum, which the generator would fold with the one that `ticks` is.
                let less = self.pos.ins().iconst(I64, more.wrapping_neg());
                self.pos.ins().isub(ticks, less)
            });
            match self.tree.exit(exit).bridge {
                Some(bridge) => self.sequence(bridge)?,
                None => {
                    self.leaving = true;
                    self.cold_exit(exit, block)?;
                    self.leaving = false;
                }
            }
        }
        Ok(())
    }

    /// Instructions up to the end, at the cursor.
    fn sequence(&mut self, seq: SeqId) -> Result<()> {
        let tree = self.tree;
        let mut rest = &tree.seq(seq).insts[..];
        while let [id, behind @ ..] = rest {
            let inst = tree.inst(*id);
            rest = behind;
            match inst.op {
                // A phi has its value since the jump that made the body's block; a constant gets none.
                TraceOp::Const | TraceOp::Phi => {}
                _ if self.is_late[id.0 as usize] => {}
                TraceOp::Jump => return self.jump(seq),
                TraceOp::Restart => {
                    let ticks = self.ticks.map(BlockArg::Value);
                    self.pos.ins().jump(self.entry, &ticks);
                    return Ok(());
                }
                TraceOp::Leave => {
                    let exit = self.exit(inst)?;
                    self.pos.ins().jump(exit, &[]);
                    return Ok(());
                }
                TraceOp::GuardInt | TraceOp::GuardFloat => rest = self.guard_numbers(*id, behind)?,
                TraceOp::Help => rest = self.help(inst, behind)?,
                _ => {
                    let result = self.instruction(inst)?;
                    self.values[id.0 as usize] = result;
                }
            }
            let done = behind.len() - rest.len();
            [id].into_iter().chain(&behind[..done]).for_each(|&id| self.bring_home(id));
        }
        Err(CompileError::Malformed("a sequence without an end"))
    }

    /// Puts a value into the buffer if several exits show it.
    fn bring_home(&mut self, id: Id) {
        let inst = self.tree.inst(id);
        let Some(value) = self.values[id.0 as usize].filter(|_| self.homes.wants(self.tree, id)) else {
            return;
        };
        // What a guard gives is mostly its operand.
        if let Some(operand) = inst.args[0].filter(|arg| self.values[arg.0 as usize] == Some(value))
            && self.homes.share(operand, id)
        {
            return;
        }
        let home = self.homes.give(id);
        let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
        self.pos.ins().store(trusted(), value, buffer, 8 * home as i32);
    }

    /// To the body's head.
    fn jump(&mut self, from: SeqId) -> Result<()> {
        let tree = self.tree;
        let body = tree.body.ok_or(CompileError::Malformed("a jump without a body"))?;
        let phis = &tree.seq(body).phis;
        let args = &tree.seq(from).jump_args;
        if phis.len() != args.len() {
            return Err(CompileError::Malformed("a jump with other arguments than the body has phis"));
        }
        let block = match self.body {
            Some(block) => block,
            None => {
                let block = self.pos.func.dfg.make_block();
                for &phi in phis {
                    let ty = held_as(tree.inst(phi).ty)?;
                    let value = self.pos.func.dfg.append_block_param(block, ty);
                    self.values[phi.0 as usize] = Some(value);
                }
                if self.ticks.is_some() {
                    self.pos.func.dfg.append_block_param(block, I64);
                }
                self.body = Some(block);
                block
            }
        };
        let mut args: Vec<BlockArg> =
            args.iter().map(|&id| Ok(BlockArg::Value(self.value(id)?))).collect::<Result<_>>()?;
        args.extend(self.ticks.map(BlockArg::Value));
        self.pos.ins().jump(block, &args);
        Ok(())
    }

    fn instruction(&mut self, inst: &Inst) -> Result<Option<Value>> {
        use TraceOp::*;
        let value = match inst.op {
            LoadReg | ReloadReg => self.load_reg(inst),
            StoreReg => return self.store_reg(inst),
            GuardShape => self.guard_shape(inst)?,
            GuardFamily => self.guard_family(inst)?,
            GuardIs | GuardRaw => return self.guard_word(inst, IntCC::Equal),
            GuardIsNot | GuardRawNot => return self.guard_word(inst, IntCC::NotEqual),
            GuardTrue | GuardFalse => return self.guard_truth(inst),
            IntAdd => self.int_add(inst)?,
            IntSub => self.int_sub(inst)?,
            IntMul => self.int_mul(inst)?,
            IntFloorDiv => self.int_floor_div(inst)?,
            IntMod => self.int_mod(inst)?,
            IntShl => self.int_shl(inst)?,
            IntShr => self.int_shr(inst)?,
            IntAnd | IntOr | IntXor => self.int_bits(inst)?,
            IntNeg => self.int_neg(inst)?,
            IntInvert => self.int_invert(inst)?,
            IntLt => self.compare(inst, IntCC::SignedLessThan)?,
            IntLe => self.compare(inst, IntCC::SignedLessThanOrEqual)?,
            IntEq | Same => self.compare(inst, IntCC::Equal)?,
            TextEq => self.text_eq(inst)?,
            TextChar => self.text_char(inst)?,
            IntNe => self.compare(inst, IntCC::NotEqual)?,
            IntGt => self.compare(inst, IntCC::SignedGreaterThan)?,
            IntGe => self.compare(inst, IntCC::SignedGreaterThanOrEqual)?,
            IntToFloat => self.int_to_float(inst)?,
            Untag => self.untag(inst)?,
            Tag => self.tag(inst)?,
            FloatAdd | FloatSub | FloatMul => self.float_arith(inst)?,
            FloatDiv => self.float_div(inst)?,
            FloatNeg | FloatAbs => self.float_sign(inst)?,
            FloatSqrt => self.float_sqrt(inst)?,
            FloatPow => self.float_pow(inst)?,
            FloatLt => self.float_compare(inst, FloatCC::LessThan)?,
            FloatLe => self.float_compare(inst, FloatCC::LessThanOrEqual)?,
            FloatEq => self.float_compare(inst, FloatCC::Equal)?,
            FloatNe => self.float_compare(inst, FloatCC::NotEqual)?,
            FloatGt => self.float_compare(inst, FloatCC::GreaterThan)?,
            FloatGe => self.float_compare(inst, FloatCC::GreaterThanOrEqual)?,
            BoxFloat => self.box_float(inst)?,
            BoxBool => {
                let truth = self.arg(inst, 0)?;
                self.bool_word(truth)
            }
            Not => {
                let truth = self.arg(inst, 0)?;
                self.pos.ins().bxor_imm_u(truth, 1)
            }
            RawAdd => {
                let (a, b) = self.args2(inst)?;
                self.pos.ins().iadd(a, b)
            }
            RawSub => {
                let (a, b) = self.args2(inst)?;
                self.pos.ins().isub(a, b)
            }
            FromRaw | ToRaw => self.arg(inst, 0)?,
            BaseAddress => self.pos.ins().iadd_imm_s(self.base, 8 * inst.imm as i64),
            CheckBelow => {
                let (a, b) = self.args2(inst)?;
                let below = self.pos.ins().icmp(IntCC::UnsignedLessThan, a, b);
                self.leave_unless(inst, below)?;
                return Ok(None);
            }
            CheckNotBelow => {
                let (a, b) = self.args2(inst)?;
                let below = self.pos.ins().icmp(IntCC::UnsignedLessThan, a, b);
                self.leave_if(inst, below)?;
                return Ok(None);
            }
            CheckIndex => self.check_index(inst)?,
            LoadField | LoadRaw | LoadState | LoadHeld => self.load_field(inst)?,
            StoreField | StoreRaw => return self.store_field(inst),
            LoadHandled => self.load_handled(),
            LoadCell => self.load_cell(inst),
            LoadElem => self.load_elem(inst)?,
            StoreElem => return self.store_elem(inst),
            Barrier => return self.barrier(inst),
            SetShape => return self.set_shape(inst),
            NewObject => self.new_object(inst)?,
            NumberOp => self.number_op(inst)?,
            CopySlice => self.copy_slice(inst)?,
            GuardNext => return self.guard_next(inst),
            Publish => return self.publish(inst),
            NativeNext | Native1 | Native2 | Native3 => self.native(inst)?,
            Tick => return self.tick(inst),
            Const | Phi | FromExit | GuardInt | GuardFloat | Help | Jump | Restart | Leave => {
                return Err(CompileError::Malformed("no instruction"));
            }
        };
        Ok(Some(value))
    }

    /// The value of an instruction, or a constant made here.
    fn value(&mut self, id: Id) -> Result<Value> {
        let inst = self.tree.inst(id);
        if inst.op == TraceOp::Const {
            let bits = inst.imm;
            return Ok(match held_as(inst.ty)? {
                F64 => self.pos.ins().f64const(Ieee64::with_bits(bits)),
                I8 => self.pos.ins().iconst(I8, (bits & 1) as i64),
                _ => self.pos.ins().iconst(I64, bits as i64),
            });
        }
        if self.is_late[id.0 as usize]
            && let Some(value) = self.instruction(inst)?
        {
            return Ok(value);
        }
        let made = self.values[id.0 as usize];
        let made = made.ok_or(CompileError::Malformed("a value that is used before it is made"))?;
        Ok(match self.homes.of(id).filter(|_| self.leaving) {
            Some(home) => {
                let ty = self.pos.func.dfg.value_type(made);
                let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
                self.pos.ins().load(ty, trusted(), buffer, 8 * home as i32)
            }
            None => made,
        })
    }

    fn arg_id(&self, inst: &Inst, n: usize) -> Result<Id> {
        inst.args[n].ok_or(CompileError::Malformed("an operand is lacking"))
    }

    fn arg(&mut self, inst: &Inst, n: usize) -> Result<Value> {
        let id = self.arg_id(inst, n)?;
        self.value(id)
    }

    fn args2(&mut self, inst: &Inst) -> Result<(Value, Value)> {
        Ok((self.arg(inst, 0)?, self.arg(inst, 1)?))
    }

    /// The operand, if it is a constant.
    fn constant(&self, inst: &Inst, n: usize) -> Option<u64> {
        self.tree.constant(inst.args[n]?)
    }

    // ---- leaving

    /// The block of the instruction's exit.
    fn exit(&mut self, inst: &Inst) -> Result<Block> {
        let exit = inst.exit.ok_or(CompileError::Malformed("an exit is lacking"))?;
        if let Some(way) = self.exits[exit.0 as usize] {
            return Ok(way.block);
        }
        let block = self.pos.func.dfg.make_block();
        self.exits[exit.0 as usize] = Some(Way { block, ticks: self.ticks.map(|ticks| (ticks, 0)) });
        self.waiting.push_back(exit);
        Ok(block)
    }

    fn leave_if(&mut self, inst: &Inst, condition: Value) -> Result<()> {
        let opposite = self.opposite(condition);
        self.leave_unless(inst, opposite)
    }

    /// The generator's blocks come in an order in which a branch's second target follows it, to be moved away only
    /// when all else is done if it is cold. So the values that an exit shows are alive up to there and not to the
    /// function's end, which would take most of the time of register allocation. A bridge does come at the end.
    fn leave_unless(&mut self, inst: &Inst, condition: Value) -> Result<()> {
        let exit = self.exit(inst)?;
        let next = self.pos.func.dfg.make_block();
        if inst.exit.is_some_and(|exit| self.tree.exit(exit).bridge.is_some()) {
            let opposite = self.opposite(condition);
            self.pos.ins().brif(opposite, exit, &[], next, &[]);
        } else {
            self.pos.ins().brif(condition, next, &[], exit, &[]);
        }
        self.pos.insert_block(next);
        Ok(())
    }

    /// True where the condition, made just now, is false or 0.
    fn opposite(&mut self, condition: Value) -> Value {
        let dfg = &self.pos.func.dfg;
        match dfg.value_def(condition).inst().map(|inst| dfg.insts[inst]) {
            Some(InstructionData::IntCompare { cond, args: [a, b], .. }) => {
                self.pos.ins().icmp(cond.complement(), a, b)
            }
            Some(InstructionData::FloatCompare { cond, args: [a, b], .. }) => {
                self.pos.ins().fcmp(cond.complement(), a, b)
            }
            _ => self.pos.ins().icmp_imm_u(IntCC::Equal, condition, 0),
        }
    }

    fn cold_exit(&mut self, exit: ExitId, block: Block) -> Result<()> {
        self.pos.func.layout.set_cold(block);
        let shown = self.homes.row(self.tree, exit);
        self.places.set(exit, shown.clone());
        if self.places.words() > BUFFER {
            return Err(CompileError::Malformed("an exit of more values than the buffer takes"));
        }
        let mut buffer = None;
        for (id, place) in shown {
            if self.homes.of(id).is_some() {
                continue;
            }
            let mut value = self.value(id)?;
            if self.tree.inst(id).ty == Type::B {
                value = self.bool_word(value);
            }
            let buffer = *buffer.get_or_insert_with(|| self.pos.ins().stack_load(I64, I64, self.buffer, 0));
            self.pos.ins().store(trusted(), value, buffer, 8 * place as i32);
        }
        self.give_back(exit.0.into());
        Ok(())
    }

    /// Returns a number. Each exit does so by itself: blocks that all led to one would cost the register allocator
    /// time that grows with their square.
    fn give_back(&mut self, number: u64) {
        if let Some(ticks) = self.ticks {
            self.pos.ins().store(trusted(), ticks, self.vm, VM_TICKS);
        }
        let number = self.pos.ins().iconst(I64, number as i64);
        self.pos.ins().return_(&[number]);
    }

    /// A block off the way, at the cursor.
    fn enter_cold(&mut self, block: Block) {
        self.pos.insert_block(block);
        self.pos.func.layout.set_cold(block);
    }

    // ---- truth

    fn bool_word(&mut self, truth: Value) -> Value {
        // Where false is more than true by a power of two.
        const STEP: u64 = Word::FALSE.bits() - Word::TRUE.bits();
        const _: () = assert!(STEP.is_power_of_two());
        let truth = self.pos.ins().uextend(I64, truth);
        let scaled = self.pos.ins().ishl_imm_u(truth, i64::from(STEP.trailing_zeros()));
        let no = self.pos.ins().iconst(I64, Word::FALSE.bits() as i64);
        self.pos.ins().isub(no, scaled)
    }

    fn guard_truth(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let truth = self.arg(inst, 0)?;
        if inst.op == TraceOp::GuardTrue {
            self.leave_unless(inst, truth)?;
        } else {
            self.leave_if(inst, truth)?;
        }
        Ok(None)
    }

    fn compare(&mut self, inst: &Inst, condition: IntCC) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        Ok(self.pos.ins().icmp(condition, a, b))
    }

    /// Guards a word against the immediate.
    fn guard_word(&mut self, inst: &Inst, condition: IntCC) -> Result<Option<Value>> {
        let word = self.arg(inst, 0)?;
        let holds = self.pos.ins().icmp_imm_s(condition, word, inst.imm as i64);
        self.leave_unless(inst, holds)?;
        Ok(None)
    }

    /// Guards the numbers of a row of like guards that leave by the same exit, in one test: what is behind the row.
    fn guard_numbers<'i>(&mut self, first: Id, behind: &'i [Id]) -> Result<&'i [Id]> {
        let tree = self.tree;
        let (op, exit) = (tree.inst(first).op, tree.inst(first).exit);
        let mut row = vec![first];
        let mut rest = behind;
        while let [id, behind @ ..] = rest
            && let inst = tree.inst(*id)
            && (inst.op, inst.exit) == (op, exit)
            && inst.args[0].is_some_and(|arg| !row.contains(&arg))
        {
            row.push(*id);
            rest = behind;
        }
        let words = row.iter().map(|&id| self.arg(tree.inst(id), 0)).collect::<Result<Vec<_>>>()?;
        let inst = tree.inst(first);
        let mut all = None;
        if op == TraceOp::GuardInt {
            // What an int's tag is taken from ends in zeros.
            for &word in &words {
                let untagged = self.pos.ins().iadd_imm_s(word, -TAG);
                all = Some(all.map_or(untagged, |all| self.pos.ins().bor(all, untagged)));
            }
            let Some(all) = all else { return Ok(rest) };
            let tag = self.pos.ins().band_imm_u(all, 3);
            self.leave_if(inst, tag)?;
            for (id, word) in row.into_iter().zip(words) {
                self.values[id.0 as usize] = Some(word);
            }
            return Ok(rest);
        }
        for &word in &words {
            all = Some(all.map_or(word, |all| self.pos.ins().band(all, word)));
        }
        let Some(all) = all else { return Ok(rest) };
        let tag = self.pos.ins().band_imm_u(all, 2);
        self.leave_unless(inst, tag)?;
        for (id, word) in row.into_iter().zip(words) {
            // See `Value::as_immediate_float`.
            let word = self.pos.ins().iadd_imm_s(word, 1);
            let bits = self.pos.ins().rotr_imm_u(word, 4);
            let float = self.pos.ins().bitcast(F64, MemFlagsData::new(), bits);
            self.values[id.0 as usize] = Some(float);
        }
        Ok(rest)
    }

    /// The time slice: what is left is written only if the trace goes on, for behind the exit the interpreter does
    /// the jump again, and counts it.
    fn tick(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let ticks = match self.ticks {
            Some(ticks) => ticks,
            None => self.pos.ins().load(I64, trusted(), self.vm, VM_TICKS),
        };
        let imm = inst.imm as i64;
        let left = self.pos.ins().iadd_imm_s(ticks, imm.wrapping_neg());
        let over = self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        let is_new = inst.exit.is_some_and(|exit| self.exits[exit.0 as usize].is_none());
        self.leave_if(inst, over)?;
        if self.ticks.is_none() {
            self.pos.ins().store(trusted(), left, self.vm, VM_TICKS);
            return Ok(None);
        }
        self.ticks = Some(left);
        // What is left is enough to tell what there was, which so needs no register of its own.
        if is_new
            && let Some(exit) = inst.exit
            && let Some(way) = &mut self.exits[exit.0 as usize]
        {
            way.ticks = Some((left, imm));
        }
        Ok(None)
    }
}
