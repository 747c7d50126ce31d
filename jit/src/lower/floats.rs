//! Floats.

use super::{Lowerer, Result};
use crate::ir::{Inst, TraceOp};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

impl Lowerer<'_> {
    pub(super) fn float_arith(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        Ok(match inst.op {
            TraceOp::FloatAdd => self.pos.ins().fadd(a, b),
            TraceOp::FloatSub => self.pos.ins().fsub(a, b),
            _ => self.pos.ins().fmul(a, b),
        })
    }

    pub(super) fn float_div(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        if self.constant(inst, 1).is_none_or(|bits| f64::from_bits(bits) == 0.0) {
            let zero = self.pos.ins().f64const(0.0);
            let is_zero = self.pos.ins().fcmp(FloatCC::Equal, b, zero);
            self.leave_if(inst, is_zero)?;
        }
        Ok(self.pos.ins().fdiv(a, b))
    }

    pub(super) fn float_sign(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        Ok(if inst.op == TraceOp::FloatNeg { self.pos.ins().fneg(a) } else { self.pos.ins().fabs(a) })
    }

    pub(super) fn float_sqrt(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        let zero = self.pos.ins().f64const(0.0);
        let less = self.pos.ins().fcmp(FloatCC::LessThan, a, zero);
        self.leave_if(inst, less)?;
        Ok(self.pos.ins().sqrt(a))
    }

    pub(super) fn float_pow(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        let zero = self.pos.ins().f64const(0.0);
        let [a, b] = [a, b].map(|f| self.pos.ins().bitcast(I64, MemFlagsData::new(), f));
        let bits = self.call_shim(crate::shims::float_pow as *const () as usize, &[a, b]);
        let result = self.pos.ins().bitcast(F64, MemFlagsData::new(), bits);
        // Of what is not finite the difference from itself is no number.
        let difference = self.pos.ins().fsub(result, result);
        let finite = self.pos.ins().fcmp(FloatCC::Equal, difference, zero);
        self.leave_unless(inst, finite)?;
        Ok(result)
    }

    pub(super) fn float_compare(&mut self, inst: &Inst, condition: FloatCC) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        Ok(self.pos.ins().fcmp(condition, a, b))
    }

    /// The word of `Value::try_float`.
    pub(super) fn box_float(&mut self, inst: &Inst) -> Result<Value> {
        let f = self.arg(inst, 0)?;
        let bits = self.pos.ins().bitcast(I64, MemFlagsData::new(), f);
        let turned = self.pos.ins().rotl_imm_u(bits, 4);
        let word = self.pos.ins().iadd_imm_s(turned, -1);
        let tag = self.pos.ins().band_imm_u(word, 2);
        self.leave_unless(inst, tag)?;
        Ok(word)
    }
}
