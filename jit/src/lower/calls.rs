//! Calls: of the shims, and through them of helpers and natives.

use super::{Lowerer, Result, signature};
use crate::ir::Inst;
use crate::machine::CompileError;
use crate::shims;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, SigRef, Type, Value};

impl Lowerer<'_> {
    fn shim_signature(&mut self, params: &'static [Type], has_result: bool) -> SigRef {
        if let Some(&(_, _, known)) =
            self.signatures.iter().find(|(p, r, _)| *p == params && *r == has_result)
        {
            return known;
        }
        let wanted = signature(self.convention, params, has_result.then_some(I64));
        let made = self.pos.func.import_signature(wanted);
        self.signatures.push((params, has_result, made));
        made
    }

    /// Calls a shim: its result.
    pub(super) fn call_shim(&mut self, shim: usize, params: &'static [Type], args: &[Value]) -> Value {
        let signature = self.shim_signature(params, true);
        let address = self.pos.ins().iconst(I64, shim as i64);
        let call = self.pos.ins().call_indirect(signature, address, args);
        self.pos.func.dfg.first_result(call)
    }

    pub(super) fn call_no_result(&mut self, shim: usize, params: &'static [Type], args: &[Value]) {
        let signature = self.shim_signature(params, false);
        let address = self.pos.ins().iconst(I64, shim as i64);
        self.pos.ins().call_indirect(signature, address, args);
    }

    pub(super) fn help(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let call = self.pos.ins().iconst(I64, std::ptr::from_ref(call) as i64);
        let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
        let shim = shims::help as *const () as usize;
        self.call_no_result(shim, &[I64, I64, I64, I64], &[self.vm, self.base, call, buffer]);
        Ok(None)
    }

    /// Compares where the machine goes on, which is in the buffer, with where it did.
    pub(super) fn guard_next(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let (next_pc, next_base) = (call.next_pc as i64, 8 * i64::from(call.next_base));
        let buffer = self.pos.ins().stack_load(I64, I64, self.buffer, 0);
        let pc = self.pos.ins().load(I64, super::trusted(), buffer, 0);
        let base = self.pos.ins().load(I64, super::trusted(), buffer, 8);
        let wanted_pc = self.pos.ins().iconst(I64, next_pc);
        let wanted_base = self.pos.ins().iadd_imm_s(self.base, next_base);
        let pcs = self.pos.ins().icmp(IntCC::Equal, pc, wanted_pc);
        let bases = self.pos.ins().icmp(IntCC::Equal, base, wanted_base);
        let both = self.pos.ins().band(pcs, bases);
        self.leave_unless(inst, both)?;
        Ok(None)
    }

    pub(super) fn native(&mut self, inst: &Inst) -> Result<Value> {
        let call = self.calls.get(inst.imm as usize).ok_or(CompileError::Malformed("no such call"))?;
        let count = inst.op.info().operands.len();
        let mut args = vec![self.vm, self.pos.ins().iconst(I64, call.callee as i64)];
        for n in 0..count {
            args.push(self.arg(inst, n)?);
        }
        let (shim, params): (usize, &'static [Type]) = match count {
            1 => (shims::native_1 as *const () as usize, &[I64; 3]),
            2 => (shims::native_2 as *const () as usize, &[I64; 4]),
            _ => (shims::native_3 as *const () as usize, &[I64; 5]),
        };
        let result = self.call_shim(shim, params, &args);
        let raised = self.pos.ins().icmp_imm_s(IntCC::Equal, result, 0);
        self.leave_if(inst, raised)?;
        Ok(result)
    }
}
