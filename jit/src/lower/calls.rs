//! Calls: of the shims, and through them of helpers and natives.

use super::{Lowerer, MAX_PARAMS, Result, signature, trusted};
use crate::ir::{ExitKind, Id, Inst, TraceOp, Tree};
use crate::layout::{VM_FRAME_BASE, VM_FRAME_PC};
use crate::machine::CompileError;
use crate::shims;
use crate::thunks::Thunk;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, SigRef, StackSlotData, StackSlotKind, Value};
use cranelift_codegen::isa::CallConv;

/// The cell that is guarded right behind the guard of where the machine went on, for nothing but to go on there: then the
/// shim can look at it. `uses`: how often a value is wanted.
pub fn watched_behind(
    tree: &Tree,
    inst: &Inst,
    behind: &[Id],
    uses: impl Fn(Id) -> u32,
) -> Option<(*const u32, u32)> {
    let &[cell, guard, ..] = behind else { return None };
    let (load, guard) = (tree.inst(cell), tree.inst(guard));
    let exit = tree.exit(guard.exit?);
    let call = tree.calls.get(inst.imm as usize)?;
    let fits = load.op == TraceOp::LoadCell
        && guard.op == TraceOp::GuardRaw
        && guard.args[0] == Some(cell)
        && uses(cell) == 1
        && guard.imm <= u32::MAX.into()
        && exit.kind == ExitKind::Resume
        && exit.writes.is_empty()
        && exit.bridge.is_none()
        && (exit.pc, exit.base) == (call.next_pc, call.next_base);
    fits.then_some((load.imm as *const u32, guard.imm as u32))
}

impl Lowerer<'_> {
    /// Of a shim with so many words as operands, and one as result.
    fn shim_signature(&mut self, params: usize) -> SigRef {
        if let Some(known) = self.signatures[params] {
            return known;
        }
        let wanted = signature(self.convention, &[I64; MAX_PARAMS][..params], Some(I64));
        let made = self.pos.func.import_signature(wanted);
        self.signatures[params] = Some(made);
        made
    }

    /// Calls a shim: its result.
    pub(super) fn call_shim(&mut self, shim: usize, args: &[Value]) -> Value {
        let signature = self.shim_signature(args.len());
        let address = self.pos.ins().iconst(I64, shim as i64);
        let call = self.pos.ins().call_indirect(signature, address, args);
        self.pos.func.dfg.first_result(call)
    }

    /// Calls a thunk, which changes no register.
    pub(super) fn call_thunk(&mut self, thunk: Thunk, args: &[Value]) {
        let signature = match self.thunks[thunk as usize] {
            Some(known) => known,
            None => {
                let wanted = signature(CallConv::PreserveAll, thunk.params(), None);
                let made = self.pos.func.import_signature(wanted);
                self.thunks[thunk as usize] = Some(made);
                made
            }
        };
        let address = self.pos.ins().iconst(I64, self.thunk_code.address(thunk) as i64);
        // Copies, lest the registers that operands come in be those of the values on the fast path, too.
        let copies: Vec<Value> = args.iter().map(|&arg| self.pos.ins().iadd_imm_s(arg, 0)).collect();
        self.pos.ins().call_indirect(signature, address, &copies);
    }

    /// Calls a thunk whose result is in memory.
    pub(super) fn call_thunk_for_result(&mut self, thunk: Thunk, args: &[Value; 2]) -> Value {
        let result = match self.result {
            Some(slot) => slot,
            None => {
                let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
                let slot = self.pos.func.create_sized_stack_slot(slot);
                self.result = Some(slot);
                slot
            }
        };
        let place = self.pos.ins().stack_addr(I64, result, 0);
        self.call_thunk(thunk, &[args[0], args[1], place]);
        self.pos.ins().stack_load(I64, I64, result, 0)
    }

    /// Calls a helper, and does the guards behind the call that its shim can answer: what is behind them.
    pub(super) fn help<'i>(&mut self, inst: &Inst, mut behind: &'i [Id]) -> Result<&'i [Id]> {
        let help = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let call = self.pos.ins().iconst(I64, std::ptr::from_ref(help) as i64);
        let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
        let shim = shims::help as *const () as usize;
        let expected = self.call_shim(shim, &[self.vm, self.base, call, buffer]);
        if let [guard, rest @ ..] = behind
            && let guard = self.tree.inst(*guard)
            && (guard.op, guard.imm) == (TraceOp::GuardNext, inst.imm)
        {
            behind = rest;
            let watched = watched_behind(self.tree, inst, rest, |id| self.uses[id.0 as usize]);
            if watched.is_some() {
                help.watched.set(watched);
                behind = &rest[2..];
            }
            self.leave_unless(guard, expected)?;
        }
        Ok(behind)
    }

    /// Compares where the machine goes on, which is in the buffer, with where it did.
    pub(super) fn guard_next(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?.call;
        let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
        let pc = self.pos.ins().load(I64, trusted(), buffer, 0);
        let wanted = self.pos.ins().iconst(I64, call.next_pc as i64);
        let same = self.pos.ins().icmp(IntCC::Equal, pc, wanted);
        self.leave_unless(inst, same)?;
        let base = self.pos.ins().load(I64, trusted(), buffer, 8);
        let wanted = self.pos.ins().iadd_imm_s(self.base, 8 * i64::from(call.next_base));
        let same = self.pos.ins().icmp(IntCC::Equal, base, wanted);
        self.leave_unless(inst, same)?;
        Ok(None)
    }

    pub(super) fn number_op(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        let op = self.pos.ins().iconst(I64, inst.imm as i64);
        let result = self.call_shim(shims::number_op as *const () as usize, &[self.vm, op, a, b]);
        let none = self.pos.ins().icmp_imm_s(IntCC::Equal, result, 0);
        self.leave_if(inst, none)?;
        Ok(result)
    }

    pub(super) fn copy_slice(&mut self, inst: &Inst) -> Result<Value> {
        let (to, from) = self.args2(inst)?;
        let done = self.call_shim(shims::copy_slice as *const () as usize, &[self.vm, to, from]);
        let not = self.pos.ins().icmp_imm_s(IntCC::Equal, done, 0);
        self.leave_if(inst, not)?;
        Ok(done)
    }

    pub(super) fn publish(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?.call;
        let pc = self.pos.ins().iconst(I64, call.pc as i64);
        let base = self.pos.ins().iadd_imm_s(self.base, 8 * i64::from(call.base));
        self.pos.ins().store(trusted(), pc, self.vm, VM_FRAME_PC);
        self.pos.ins().store(trusted(), base, self.vm, VM_FRAME_BASE);
        Ok(None)
    }

    pub(super) fn native(&mut self, inst: &Inst) -> Result<Value> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let count = inst.op.info().operands.len();
        let mut args = vec![self.vm, self.pos.ins().iconst(I64, call.call.callee as i64)];
        for n in 0..count {
            args.push(self.arg(inst, n)?);
        }
        let shim = match count {
            1 if inst.op == TraceOp::NativeNext => shims::native_next as *const () as usize,
            1 => shims::native_1 as *const () as usize,
            2 => shims::native_2 as *const () as usize,
            _ => shims::native_3 as *const () as usize,
        };
        let result = self.call_shim(shim, &args);
        let raised = self.pos.ins().icmp_imm_s(IntCC::Equal, result, 0);
        self.leave_if(inst, raised)?;
        Ok(result)
    }
}
