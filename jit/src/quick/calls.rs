//! Calls: of the shims, and through them of helpers and natives.

use super::asm::{Cond, Gpr, Label, R8, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Sse, Xmm, indexed, mem};
use super::registers::{BUFFER_REG, Loc, SCRATCH, XMM_SCRATCH};
use super::{Quick, Result};
use crate::ir::{Id, Inst, TraceOp};
use crate::layout::{FIRST_SLOT, VM_FRAME_BASE, VM_FRAME_PC};
use crate::lower::watched_behind;
use crate::machine::CompileError;
use crate::shims;

/// The word of the native frame where a call of the slow ways leaves its result, behind those of all registers.
const RESULT: i32 = 8 * 24;

/// What a shim is called with.
#[derive(Clone, Copy)]
pub enum Arg {
    Vm,
    Base,
    Buffer,
    Word(u64),
    Value(Id),
}

/// A slow way, seldom gone: all registers are saved around its call.
pub struct Cold {
    pub kind: ColdKind,
    pub label: Label,
    pub back: Label,
    pub gprs: Vec<Gpr>,
    pub xmms: Vec<Xmm>,
}

pub enum ColdKind {
    Barrier {
        object: Gpr,
    },
    /// Of a slot of an array, if the value is an object. The index is a register or a displacement.
    SlotBarrier {
        array: Gpr,
        index: Option<Gpr>,
        disp: i32,
        value: Gpr,
    },
    /// Leaves if there is no memory.
    NewObject {
        kind: u64,
        to: Gpr,
        leave: Label,
    },
    SameText {
        a: Gpr,
        b: Gpr,
        to: Gpr,
    },
}

impl Quick<'_> {
    /// Calls a shim: its result is in rax, and what it loses is saved and forgotten.
    pub(super) fn call(&mut self, shim: usize, args: &[Arg]) -> Result<()> {
        const INTO: [Gpr; 5] = [RDI, RSI, RDX, RCX, R8];
        self.regs.save_lost();
        let mut moves = Vec::with_capacity(args.len());
        for (&to, &arg) in INTO.iter().zip(args) {
            let from = match arg {
                Arg::Vm => Loc::Gpr(RBX),
                Arg::Base => Loc::Gpr(RBP),
                Arg::Buffer => Loc::Gpr(BUFFER_REG),
                Arg::Word(word) => Loc::Const(word),
                Arg::Value(id) => {
                    let lost = CompileError::Malformed("an operand that is nowhere");
                    self.regs.loc(self.regs.live.root(id)).ok_or(lost)?
                }
            };
            moves.push((Loc::Gpr(to), from));
        }
        self.regs.move_all(moves);
        self.regs.forget_lost();
        self.regs.asm.mov_imm(SCRATCH, shim as u64);
        self.regs.asm.call(SCRATCH);
        Ok(())
    }

    /// The result of a call, which is 0 where the trace is to be left.
    fn result_or_leave(&mut self, id: Id, inst: &Inst) -> Result<()> {
        self.regs.asm.test(RAX, RAX);
        let label = self.leave(inst)?;
        self.regs.asm.jump_if(Cond::E, label);
        self.regs.def_rax(id);
        Ok(())
    }

    /// Calls a helper, and does the guards behind the call that its shim can answer: how many instructions these are.
    pub(super) fn help(&mut self, inst: &Inst, position: u32) -> Result<u32> {
        let help = self.ties.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let address = std::ptr::from_ref(help) as u64;
        let shim = shims::help as *const () as usize;
        self.call(shim, &[Arg::Vm, Arg::Base, Arg::Word(address), Arg::Buffer])?;
        let behind = &self.regs.live.code[position as usize..];
        let Some(&guard) = behind.first() else { return Ok(0) };
        let guard = self.tree.inst(guard);
        if (guard.op, guard.imm) != (TraceOp::GuardNext, inst.imm) {
            return Ok(0);
        }
        let watched = watched_behind(self.tree, inst, &behind[1..], |id| self.regs.live.uses[id.0 as usize]);
        let done = if watched.is_some() { 3 } else { 1 };
        if watched.is_some() {
            help.watched.set(watched);
        }
        self.regs.asm.test(RAX, RAX);
        let label = self.leave(guard)?;
        self.regs.asm.jump_if(Cond::E, label);
        Ok(done)
    }

    /// Compares where the machine goes on, which is in the buffer, with where it did.
    pub(super) fn guard_next(&mut self, inst: &Inst) -> Result<()> {
        let call =
            self.ties.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?.call;
        let label = self.leave(inst)?;
        self.regs.asm.mov_imm(SCRATCH, call.next_pc as u64);
        self.regs.asm.cmp_mem(mem(BUFFER_REG, 0), SCRATCH);
        self.regs.asm.jump_if(Cond::NE, label);
        self.regs.asm.lea(SCRATCH, mem(RBP, 8 * call.next_base));
        self.regs.asm.cmp_mem(mem(BUFFER_REG, 8), SCRATCH);
        self.regs.asm.jump_if(Cond::NE, label);
        Ok(())
    }

    pub(super) fn publish(&mut self, inst: &Inst) -> Result<()> {
        let call =
            self.ties.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?.call;
        self.regs.asm.mov_imm(SCRATCH, call.pc as u64);
        self.regs.asm.store(mem(RBX, VM_FRAME_PC), SCRATCH);
        self.regs.asm.lea(SCRATCH, mem(RBP, 8 * call.base));
        self.regs.asm.store(mem(RBX, VM_FRAME_BASE), SCRATCH);
        Ok(())
    }

    pub(super) fn number_op(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = (self.arg(inst, 0)?, self.arg(inst, 1)?);
        let shim = shims::number_op as *const () as usize;
        self.call(shim, &[Arg::Vm, Arg::Word(inst.imm), Arg::Value(a), Arg::Value(b)])?;
        self.result_or_leave(id, inst)
    }

    pub(super) fn copy_slice(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (to, from) = (self.arg(inst, 0)?, self.arg(inst, 1)?);
        let shim = shims::copy_slice as *const () as usize;
        self.call(shim, &[Arg::Vm, Arg::Value(to), Arg::Value(from)])?;
        self.result_or_leave(id, inst)
    }

    pub(super) fn native(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let call = self.ties.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let count = inst.op.info().operands.len();
        let mut args = vec![Arg::Vm, Arg::Word(call.call.callee as u64)];
        for n in 0..count {
            args.push(Arg::Value(self.arg(inst, n)?));
        }
        let shim = match count {
            1 if inst.op == TraceOp::NativeNext => shims::native_next as *const () as usize,
            1 => shims::native_1 as *const () as usize,
            2 => shims::native_2 as *const () as usize,
            _ => shims::native_3 as *const () as usize,
        };
        self.call(shim, &args)?;
        self.result_or_leave(id, inst)
    }

    pub(super) fn float_pow(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = (self.arg(inst, 0)?, self.arg(inst, 1)?);
        let shim = shims::float_pow as *const () as usize;
        self.call(shim, &[Arg::Value(a), Arg::Value(b)])?;
        let x = self.regs.def_xmm(id);
        let label = self.leave(inst)?;
        self.regs.asm.gpr_to_xmm(x, RAX);
        // Of what is not finite the difference from itself is no number.
        let scratch = XMM_SCRATCH;
        self.regs.asm.movsd(scratch, x);
        self.regs.asm.sse(Sse::Sub, scratch, x);
        self.regs.asm.compare_doubles(scratch, scratch);
        self.regs.asm.jump_if(Cond::P, label);
        Ok(())
    }

    /// Where a slow way begins and comes back to. What the instruction works on must be in registers by then.
    pub(super) fn slow_way(&mut self, kind: ColdKind) -> (Label, Label) {
        let (label, back) = (self.regs.asm.label(), self.regs.asm.label());
        let (gprs, xmms) = self.regs.occupied();
        self.cold.push(Cold { kind, label, back, gprs, xmms });
        (label, back)
    }

    pub(super) fn cold(&mut self, cold: Cold) {
        let asm = &mut self.regs.asm;
        asm.bind(cold.label);
        if let ColdKind::SlotBarrier { value, .. } = cold.kind {
            // Numbers and the like are nothing that the collector wants to know of.
            asm.test8_imm(value, 7);
            asm.jump_if(Cond::NE, cold.back);
        }
        let result = match cold.kind {
            ColdKind::NewObject { to, .. } | ColdKind::SameText { to, .. } => Some(to),
            _ => None,
        };
        for (n, &r) in cold.gprs.iter().enumerate() {
            asm.store(mem(RSP, 8 * n as i32), r);
        }
        let above = cold.gprs.len();
        for (n, &x) in cold.xmms.iter().enumerate() {
            asm.store_double(mem(RSP, 8 * (above + n) as i32), x);
        }
        let shim = match cold.kind {
            ColdKind::Barrier { object } => {
                asm.mov(RSI, object);
                asm.mov(RDI, RBX);
                shims::barrier as *const () as usize
            }
            ColdKind::SlotBarrier { array, index, disp, .. } => {
                let slot = match index {
                    Some(index) => indexed(array, index, 3, FIRST_SLOT),
                    None => mem(array, disp),
                };
                asm.lea(SCRATCH, slot);
                asm.mov(RSI, array);
                asm.mov(RDX, SCRATCH);
                asm.mov(RDI, RBX);
                shims::slot_barrier as *const () as usize
            }
            ColdKind::NewObject { kind, .. } => {
                asm.mov(RDI, RBX);
                asm.mov_imm(RSI, kind);
                asm.lea(RDX, mem(RSP, RESULT));
                shims::new_object as *const () as usize
            }
            ColdKind::SameText { a, b, .. } => {
                asm.mov(SCRATCH, a);
                asm.mov(RSI, b);
                asm.mov(RDI, SCRATCH);
                shims::same_text as *const () as usize
            }
        };
        asm.mov_imm(SCRATCH, shim as u64);
        asm.call(SCRATCH);
        if let ColdKind::SameText { .. } = cold.kind {
            asm.store(mem(RSP, RESULT), RAX);
        }
        for (n, &r) in cold.gprs.iter().enumerate() {
            asm.load(r, mem(RSP, 8 * n as i32));
        }
        for (n, &x) in cold.xmms.iter().enumerate() {
            asm.load_double(x, mem(RSP, 8 * (above + n) as i32));
        }
        if let Some(to) = result {
            asm.load(to, mem(RSP, RESULT));
        }
        if let ColdKind::NewObject { to, leave, .. } = cold.kind {
            asm.test(to, to);
            asm.jump_if(Cond::E, leave);
        }
        asm.jump(cold.back);
    }
}
