//! Ints and floats. An int's word is `4 * i + 1`, so the machine's overflow of the word's arithmetic is that of 62 bits.

use super::asm::{Alu, Cond, Gpr, RAX, RCX, RDX, Shift, Sse, indexed, mem};
use super::registers::{SCRATCH, XMM_SCRATCH};
use super::{Quick, Result};
use crate::ir::{Id, Inst, TraceOp};
use crate::machine::CompileError;

const TAG: i32 = 1;

impl Quick<'_> {
    pub(super) fn args2(&self, inst: &Inst) -> Result<(Id, Id)> {
        Ok((self.arg(inst, 0)?, self.arg(inst, 1)?))
    }

    fn leave_if(&mut self, inst: &Inst, cond: Cond) -> Result<()> {
        let label = self.leave(inst)?;
        self.regs.asm.jump_if(cond, label);
        Ok(())
    }

    pub(super) fn guard_int(&mut self, inst: &Inst) -> Result<()> {
        let word = self.arg(inst, 0)?;
        let r = self.regs.gpr(word);
        // What an int's tag is taken from ends in zeros.
        self.regs.asm.lea(SCRATCH, mem(r, -TAG));
        self.regs.asm.test8_imm(SCRATCH, 3);
        self.leave_if(inst, Cond::NE)
    }

    pub(super) fn guard_float(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let word = self.arg(inst, 0)?;
        let r = self.regs.gpr(word);
        self.regs.asm.test8_imm(r, 2);
        self.leave_if(inst, Cond::E)?;
        // See `Value::as_immediate_float`.
        self.regs.asm.lea(SCRATCH, mem(r, 1));
        self.regs.asm.shift(Shift::Ror, SCRATCH, 4);
        let x = self.regs.def_xmm(id);
        self.regs.asm.gpr_to_xmm(x, SCRATCH);
        Ok(())
    }

    /// The constant operand and the other one.
    fn with_constant(&self, inst: &Inst) -> Result<Option<(i64, Id)>> {
        let (a, b) = self.args2(inst)?;
        Ok(match (self.constant(inst, 0), self.constant(inst, 1)) {
            (_, Some(word)) => Some((word as i64, a)),
            (Some(word), None) => Some((word as i64, b)),
            _ => None,
        })
    }

    /// `to + n`, checked; `to` is a copy of an operand.
    fn add_constant(&mut self, inst: &Inst, to: Gpr, n: i64, op: Alu) -> Result<()> {
        match i32::try_from(n) {
            Ok(0) => return Ok(()),
            Ok(n) => self.regs.asm.alu_imm(op, to, n),
            Err(_) => {
                self.regs.asm.mov_imm(SCRATCH, n as u64);
                self.regs.asm.alu(op, to, SCRATCH);
            }
        }
        self.leave_if(inst, Cond::O)
    }

    pub(super) fn int_add(&mut self, id: Id, inst: &Inst) -> Result<()> {
        if let Some((word, other)) = self.with_constant(inst)? {
            let to = self.regs.def_over(id, other, &[]);
            return self.add_constant(inst, to, word.wrapping_sub(TAG.into()), Alu::Add);
        }
        let (a, b) = self.args2(inst)?;
        let rb = self.regs.gpr(b);
        let to = self.regs.def_over(id, a, &[b]);
        self.regs.asm.lea(to, mem(to, -TAG));
        self.regs.asm.alu(Alu::Add, to, rb);
        self.leave_if(inst, Cond::O)
    }

    pub(super) fn int_sub(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        if let Some(word) = self.constant(inst, 1) {
            let to = self.regs.def_over(id, a, &[]);
            return self.add_constant(inst, to, (word as i64).wrapping_sub(TAG.into()), Alu::Sub);
        }
        let rb = self.regs.gpr(b);
        if let Some(word) = self.constant(inst, 0) {
            let to = self.regs.def(id);
            self.regs.asm.mov_imm(to, (word as i64).wrapping_add(TAG.into()) as u64);
            self.regs.asm.alu(Alu::Sub, to, rb);
            return self.leave_if(inst, Cond::O);
        }
        let to = self.regs.def_over(id, a, &[b]);
        self.regs.asm.lea(SCRATCH, mem(rb, -TAG));
        self.regs.asm.alu(Alu::Sub, to, SCRATCH);
        self.leave_if(inst, Cond::O)
    }

    pub(super) fn int_mul(&mut self, id: Id, inst: &Inst) -> Result<()> {
        if let Some((word, other)) = self.with_constant(inst)? {
            let by = word >> 2;
            let to = self.regs.def_over(id, other, &[]);
            self.regs.asm.lea(to, mem(to, -TAG));
            match i32::try_from(by) {
                Ok(by) => self.regs.asm.imul_imm(to, to, by),
                Err(_) => {
                    self.regs.asm.mov_imm(SCRATCH, by as u64);
                    self.regs.asm.imul(to, SCRATCH);
                }
            }
            self.leave_if(inst, Cond::O)?;
            self.regs.asm.lea(to, mem(to, TAG));
            return Ok(());
        }
        let (a, b) = self.args2(inst)?;
        let rb = self.regs.gpr(b);
        self.regs.asm.mov(SCRATCH, rb);
        self.regs.asm.shift(Shift::Sar, SCRATCH, 2);
        let to = self.regs.def_over(id, a, &[]);
        self.regs.asm.lea(to, mem(to, -TAG));
        self.regs.asm.imul(to, SCRATCH);
        self.leave_if(inst, Cond::O)?;
        self.regs.asm.lea(to, mem(to, TAG));
        Ok(())
    }

    pub(super) fn int_neg(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let r = self.regs.gpr(a);
        let to = self.regs.def(id);
        self.regs.asm.mov_imm(to, 2 * TAG as u64);
        self.regs.asm.alu(Alu::Sub, to, r);
        self.leave_if(inst, Cond::O)
    }

    pub(super) fn int_invert(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let to = self.regs.def_over(id, a, &[]);
        self.regs.asm.alu_imm(Alu::Xor, to, !3);
        Ok(())
    }

    pub(super) fn int_bits(&mut self, id: Id, inst: &Inst, op: Alu) -> Result<()> {
        let (mut a, mut b) = self.args2(inst)?;
        if self.constant(inst, 0).is_some() {
            (a, b) = (b, a);
        }
        let to = self.regs.def_over(id, a, &[b]);
        self.regs.alu(op, to, b);
        if inst.op == TraceOp::IntXor {
            self.regs.asm.alu_imm(Alu::Or, to, TAG);
        }
        Ok(())
    }

    pub(super) fn raw(&mut self, id: Id, inst: &Inst, op: Alu) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let to = self.regs.def_over(id, a, &[b]);
        self.regs.alu(op, to, b);
        Ok(())
    }

    /// Compares words: see `told_by`.
    pub(super) fn compare(&mut self, id: Id, inst: &Inst, position: u32, cond: Cond) -> Result<u32> {
        let (mut a, mut b) = self.args2(inst)?;
        let mut cond = cond;
        if self.constant(inst, 0).is_some() && self.constant(inst, 1).is_none() {
            (a, b, cond) = (b, a, cond.swapped());
        }
        let ra = self.regs.gpr(a);
        self.regs.alu(Alu::Cmp, ra, b);
        self.told_by(id, position, cond)
    }

    pub(super) fn guard_word(&mut self, inst: &Inst, cond: Cond) -> Result<()> {
        let word = self.arg(inst, 0)?;
        let r = self.regs.gpr(word);
        match i32::try_from(inst.imm as i64) {
            Ok(n) => self.regs.asm.alu_imm(Alu::Cmp, r, n),
            Err(_) => {
                self.regs.asm.mov_imm(SCRATCH, inst.imm);
                self.regs.asm.alu(Alu::Cmp, r, SCRATCH);
            }
        }
        self.leave_if(inst, cond)
    }

    /// The divisor's exponent, if it is a constant power of two.
    fn shift_of(&self, inst: &Inst) -> Option<u32> {
        let divisor = self.constant(inst, 1)? as i64 >> 2;
        (divisor > 0 && divisor & (divisor - 1) == 0).then(|| divisor.trailing_zeros())
    }

    pub(super) fn int_division(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let is_mod = inst.op == TraceOp::IntMod;
        if let Some(shift) = self.shift_of(inst) {
            let to = self.regs.def_over(id, a, &[]);
            if !is_mod {
                self.shift_right(to, shift as u8);
            } else if shift + 2 < 31 {
                self.regs.asm.alu_imm(Alu::And, to, (1 << (shift + 2)) - 1);
            } else {
                self.regs.asm.mov_imm(SCRATCH, (1 << (shift + 2)) - 1);
                self.regs.asm.alu(Alu::And, to, SCRATCH);
            }
            return Ok(());
        }
        self.regs.take(RAX);
        self.regs.take(RDX);
        let divisor = self.constant(inst, 1).map(|word| word as i64 >> 2).filter(|&d| d != 0);
        let ra = self.regs.gpr(a);
        match divisor {
            Some(divisor) => self.regs.asm.mov_imm(SCRATCH, (divisor << 2) as u64),
            None => {
                let rb = self.regs.gpr(b);
                self.regs.asm.lea(SCRATCH, mem(rb, -TAG));
                self.regs.asm.test(SCRATCH, SCRATCH);
                self.leave_if(inst, Cond::E)?;
            }
        }
        self.regs.asm.lea(RAX, mem(ra, -TAG));
        // Neither traps: the divisor is not 0, and is no -1 but a multiple of 4.
        self.regs.asm.divide(SCRATCH);
        // Is the remainder other than 0 and its sign not the divisor's?
        let done = self.regs.asm.label();
        self.regs.asm.test(RDX, RDX);
        self.regs.asm.jump_if(Cond::E, done);
        if is_mod {
            self.regs.asm.mov(RAX, RDX);
            self.regs.asm.alu(Alu::Xor, RAX, SCRATCH);
            self.regs.asm.jump_if(Cond::NS, done);
            self.regs.asm.alu(Alu::Add, RDX, SCRATCH);
        } else {
            self.regs.asm.alu(Alu::Xor, RDX, SCRATCH);
            self.regs.asm.jump_if(Cond::NS, done);
            self.regs.asm.alu_imm(Alu::Sub, RAX, 1);
        }
        self.regs.asm.bind(done);
        if !is_mod {
            // Only the least int by -1 is too large.
            self.regs.asm.imul_imm(RAX, RAX, 4);
            if divisor.is_none_or(|d| d <= 0) {
                self.leave_if(inst, Cond::O)?;
            }
        }
        let from = if is_mod { RDX } else { RAX };
        self.regs.unlock(from);
        let to = self.regs.def(id);
        self.regs.asm.lea(to, mem(from, TAG));
        Ok(())
    }

    /// Shifts a word, whose tag moves away.
    fn shift_right(&mut self, to: Gpr, count: u8) {
        if count > 0 {
            self.regs.asm.shift(Shift::Sar, to, count);
            self.tag_again(to);
        }
    }

    /// Puts the tag where two bits of another meaning are.
    fn tag_again(&mut self, to: Gpr) {
        self.regs.asm.alu_imm(Alu::And, to, !3);
        self.regs.asm.alu_imm(Alu::Or, to, TAG);
    }

    pub(super) fn int_shl(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let constant = self.constant(inst, 1).map(|word| word as i64 >> 2);
        let constant = constant.filter(|count| (0..62).contains(count));
        if constant.is_none() {
            self.regs.take(RCX);
            let count = self.regs.gpr(b);
            self.regs.asm.mov(RCX, count);
            self.regs.asm.shift(Shift::Sar, RCX, 2);
            self.regs.asm.alu_imm(Alu::Cmp, RCX, 62);
            self.leave_if(inst, Cond::AE)?;
        }
        let ra = self.regs.gpr(a);
        let to = self.regs.def(id);
        self.regs.asm.lea(to, mem(ra, -TAG));
        match constant {
            Some(count) => self.regs.asm.shift(Shift::Shl, to, count as u8),
            None => self.regs.asm.shift_cl(Shift::Shl, to),
        }
        self.regs.asm.mov(SCRATCH, to);
        match constant {
            Some(count) => self.regs.asm.shift(Shift::Sar, SCRATCH, count as u8),
            None => self.regs.asm.shift_cl(Shift::Sar, SCRATCH),
        }
        self.regs.asm.lea(SCRATCH, mem(SCRATCH, TAG));
        self.regs.asm.alu(Alu::Cmp, SCRATCH, ra);
        self.leave_if(inst, Cond::NE)?;
        self.regs.asm.lea(to, mem(to, TAG));
        Ok(())
    }

    pub(super) fn int_shr(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let constant = self.constant(inst, 1).map(|word| word as i64 >> 2);
        if let Some(count) = constant.filter(|&count| count >= 0) {
            let to = self.regs.def_over(id, a, &[]);
            self.shift_right(to, count.min(63) as u8);
            return Ok(());
        }
        self.regs.take(RCX);
        let count = self.regs.gpr(b);
        self.regs.asm.mov(RCX, count);
        self.regs.asm.shift(Shift::Sar, RCX, 2);
        self.leave_if(inst, Cond::S)?;
        self.regs.asm.mov_imm(SCRATCH, 63);
        self.regs.asm.alu(Alu::Cmp, RCX, SCRATCH);
        self.regs.asm.cmov(Cond::G, RCX, SCRATCH);
        let to = self.regs.def_over(id, a, &[]);
        self.regs.asm.shift_cl(Shift::Sar, to);
        self.tag_again(to);
        Ok(())
    }

    /// Leaves unless the int is in `-2**53 .. 2**53`: what is behind is 0 or -1.
    pub(super) fn int_to_float(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let r = self.regs.gpr(a);
        self.regs.asm.mov(SCRATCH, r);
        self.regs.asm.shift(Shift::Sar, SCRATCH, 53 + 2);
        self.regs.asm.alu_imm(Alu::Add, SCRATCH, 1);
        self.regs.asm.alu_imm(Alu::Cmp, SCRATCH, 2);
        self.leave_if(inst, Cond::AE)?;
        self.regs.asm.mov(SCRATCH, r);
        self.regs.asm.shift(Shift::Sar, SCRATCH, 2);
        let x = self.regs.def_xmm(id);
        // The instruction keeps the register's other half, and would wait for it.
        self.regs.asm.xor_doubles(x, x);
        self.regs.asm.int_to_double(x, SCRATCH);
        Ok(())
    }

    pub(super) fn untag(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let to = self.regs.def_over(id, a, &[]);
        self.regs.asm.shift(Shift::Sar, to, 2);
        Ok(())
    }

    pub(super) fn tag(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let to = self.regs.def_over(id, a, &[]);
        self.regs.asm.shift(Shift::Shl, to, 2);
        self.regs.asm.alu_imm(Alu::Or, to, TAG);
        Ok(())
    }

    /// Leaves under a condition of the first operand against the second.
    pub(super) fn check_below(&mut self, inst: &Inst, leaves: Cond) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let ra = self.regs.gpr(a);
        self.regs.alu(Alu::Cmp, ra, b);
        self.leave_if(inst, leaves)
    }

    pub(super) fn check_index(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let len = self.regs.gpr(b);
        let to = match self.constant(inst, 0) {
            Some(word) => {
                let i = word as i64 >> 2;
                let to = self.regs.def(id);
                match i32::try_from(i) {
                    Ok(i) if i < 0 => self.regs.asm.lea(to, mem(len, i)),
                    _ => {
                        self.regs.asm.mov_imm(to, i as u64);
                        if i < 0 {
                            self.regs.asm.alu(Alu::Add, to, len);
                        }
                    }
                }
                to
            }
            None => {
                let word = self.regs.gpr(a);
                let to = self.regs.def(id);
                self.regs.asm.mov(to, word);
                self.regs.asm.shift(Shift::Sar, to, 2);
                self.regs.asm.lea(SCRATCH, indexed(to, len, 0, 0));
                self.regs.asm.test(to, to);
                self.regs.asm.cmov(Cond::S, to, SCRATCH);
                to
            }
        };
        self.regs.asm.alu(Alu::Cmp, to, len);
        self.leave_if(inst, Cond::AE)
    }

    // ---- floats

    fn sse_op(op: TraceOp) -> Result<Sse> {
        Ok(match op {
            TraceOp::FloatAdd => Sse::Add,
            TraceOp::FloatSub => Sse::Sub,
            TraceOp::FloatMul => Sse::Mul,
            TraceOp::FloatDiv => Sse::Div,
            TraceOp::FloatSqrt => Sse::Sqrt,
            _ => return Err(CompileError::Malformed("no arithmetic of floats")),
        })
    }

    pub(super) fn float_arith(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let op = Self::sse_op(inst.op)?;
        let a = self.arg(inst, 0)?;
        if inst.op == TraceOp::FloatSqrt {
            let x = self.regs.xmm(a);
            self.regs.asm.xor_doubles(XMM_SCRATCH, XMM_SCRATCH);
            self.regs.asm.compare_doubles(XMM_SCRATCH, x);
            self.leave_if(inst, Cond::A)?;
            let to = self.regs.def_xmm(id);
            self.regs.asm.sse(op, to, x);
            return Ok(());
        }
        let b = self.arg(inst, 1)?;
        let xb = self.regs.xmm(b);
        if inst.op == TraceOp::FloatDiv
            && self.constant(inst, 1).is_none_or(|bits| f64::from_bits(bits) == 0.0)
        {
            self.regs.asm.xor_doubles(XMM_SCRATCH, XMM_SCRATCH);
            self.regs.asm.compare_doubles(xb, XMM_SCRATCH);
            self.leave_if_equal(inst)?;
        }
        let to = self.regs.def_xmm_over(id, a, &[b]);
        self.regs.asm.sse(op, to, xb);
        Ok(())
    }

    /// Leaves if doubles that were compared are equal; what is no number is not.
    fn leave_if_equal(&mut self, inst: &Inst) -> Result<()> {
        let differ = self.regs.asm.label();
        self.regs.asm.jump_if(Cond::P, differ);
        self.leave_if(inst, Cond::E)?;
        self.regs.asm.bind(differ);
        Ok(())
    }

    pub(super) fn float_sign(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let to = self.regs.def_xmm_over(id, a, &[]);
        let is_neg = inst.op == TraceOp::FloatNeg;
        self.regs.asm.mov_imm(SCRATCH, if is_neg { 1 << 63 } else { !(1 << 63) });
        self.regs.asm.gpr_to_xmm(XMM_SCRATCH, SCRATCH);
        if is_neg {
            self.regs.asm.xor_doubles(to, XMM_SCRATCH);
        } else {
            self.regs.asm.and_doubles(to, XMM_SCRATCH);
        }
        Ok(())
    }

    pub(super) fn float_compare(&mut self, id: Id, inst: &Inst, position: u32) -> Result<u32> {
        use TraceOp::*;
        let (a, b) = self.args2(inst)?;
        let (xa, xb) = (self.regs.xmm(a), self.regs.xmm(b));
        // Above is false for what is no number.
        match inst.op {
            FloatLt | FloatLe => self.regs.asm.compare_doubles(xb, xa),
            _ => self.regs.asm.compare_doubles(xa, xb),
        }
        match inst.op {
            FloatLt | FloatGt => self.told_by(id, position, Cond::A),
            FloatLe | FloatGe => self.told_by(id, position, Cond::AE),
            _ => self.equality(id, inst, position),
        }
    }

    /// The flags are those of two doubles: are they equal, or not?
    fn equality(&mut self, id: Id, inst: &Inst, position: u32) -> Result<u32> {
        let equal = inst.op == TraceOp::FloatEq;
        let Some(guard) = self.guard_behind(id, position) else {
            // Moves that make room change no flags.
            let to = self.regs.def(id);
            let (cond, unordered) = if equal { (Cond::E, 0) } else { (Cond::NE, 1) };
            self.regs.asm.mov_imm(SCRATCH, unordered);
            self.regs.asm.set(cond, to);
            self.regs.asm.cmov(Cond::P, to, SCRATCH);
            return Ok(0);
        };
        let guard = self.tree.inst(guard);
        self.regs.begin(position + 1);
        if equal == (guard.op == TraceOp::GuardTrue) {
            // Leaves unless they are equal.
            let label = self.leave(guard)?;
            self.regs.asm.jump_if(Cond::P, label);
            self.regs.asm.jump_if(Cond::NE, label);
        } else {
            self.leave_if_equal(guard)?;
        }
        Ok(1)
    }

    /// The word of `Value::try_float`.
    pub(super) fn box_float(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let a = self.arg(inst, 0)?;
        let x = self.regs.xmm(a);
        let to = self.regs.def(id);
        self.regs.asm.xmm_to_gpr(to, x);
        self.regs.asm.shift(Shift::Rol, to, 4);
        self.regs.asm.lea(to, mem(to, -1));
        self.regs.asm.test8_imm(to, 2);
        self.leave_if(inst, Cond::E)
    }
}
