//! Ints. An int's word is `4 * i + 1`, so the machine's overflow of the word's arithmetic is that of 62 bits.

use super::{Lowerer, Result, TAG};
use crate::ir::{Id, Inst, TraceOp, Tree};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, Value};

/// An operand of a sum that is an int with some bits taken out, and so not negative: the sum overflows if it is less
/// than the other operand.
pub(super) struct Masked {
    pub operand: usize,
    word: Id,
    mask: i64,
}

pub(super) fn masked_summand(tree: &Tree, inst: &Inst) -> Option<Masked> {
    let args = [inst.args[0]?, inst.args[1]?];
    if inst.op != TraceOp::IntAdd || args.iter().any(|&arg| tree.constant(arg).is_some()) {
        return None;
    }
    [1, 0].into_iter().find_map(|operand| {
        let bits = tree.inst(args[operand]);
        let (a, b) = (bits.args[0]?, bits.args[1]?);
        let masked = |word: Id, mask: Id| {
            let mask = tree.constant(mask).filter(|&mask| mask as i64 > 0)? as i64;
            tree.constant(word).is_none().then_some(Masked { operand, word, mask })
        };
        if bits.op == TraceOp::IntAnd { masked(a, b).or_else(|| masked(b, a)) } else { None }
    })
}

impl Lowerer<'_> {
    /// `a + b`, and whether that overflows.
    fn add_checked(&mut self, a: Value, b: Value) -> (Value, Value) {
        if self.has_overflow {
            return self.pos.ins().sadd_overflow(a, b);
        }
        let sum = self.pos.ins().iadd(a, b);
        let (x, y) = (self.pos.ins().bxor(a, sum), self.pos.ins().bxor(b, sum));
        let both = self.pos.ins().band(x, y);
        (sum, self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, both, 0))
    }

    /// `a - b`, and whether that overflows.
    fn sub_checked(&mut self, a: Value, b: Value) -> (Value, Value) {
        if self.has_overflow {
            return self.pos.ins().ssub_overflow(a, b);
        }
        let difference = self.pos.ins().isub(a, b);
        let (x, y) = (self.pos.ins().bxor(a, b), self.pos.ins().bxor(a, difference));
        let both = self.pos.ins().band(x, y);
        (difference, self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, both, 0))
    }

    /// `a * b`, and whether that overflows.
    fn mul_checked(&mut self, a: Value, b: Value) -> (Value, Value) {
        if self.has_overflow {
            return self.pos.ins().smul_overflow(a, b);
        }
        let low = self.pos.ins().imul(a, b);
        let high = self.pos.ins().smulhi(a, b);
        let sign = self.pos.ins().sshr_imm_u(low, 63);
        (low, self.pos.ins().icmp(IntCC::NotEqual, high, sign))
    }

    /// `a + n`, checked: the sum is on the wrong side of `a` if it overflows.
    fn add_constant(&mut self, inst: &Inst, a: Value, n: i64, negated: bool) -> Result<Value> {
        let sum = self.pos.ins().iadd_imm_s(a, if negated { n.wrapping_neg() } else { n });
        if n != 0 {
            let wrong = if (n > 0) != negated { IntCC::SignedLessThan } else { IntCC::SignedGreaterThan };
            let over = self.pos.ins().icmp(wrong, sum, a);
            self.leave_if(inst, over)?;
        }
        Ok(sum)
    }

    pub(super) fn int_add(&mut self, inst: &Inst) -> Result<Value> {
        for (n, other) in [(1, 0), (0, 1)] {
            if let Some(word) = self.constant(inst, n) {
                let a = self.arg(inst, other)?;
                return self.add_constant(inst, a, (word as i64).wrapping_sub(TAG), false);
            }
        }
        if let Some(masked) = masked_summand(self.tree, inst) {
            let word = self.value(masked.word)?;
            let more = self.pos.ins().band_imm_s(word, masked.mask - TAG);
            let a = self.arg(inst, 1 - masked.operand)?;
            let sum = self.pos.ins().iadd(a, more);
            let over = self.pos.ins().icmp(IntCC::SignedLessThan, sum, a);
            self.leave_if(inst, over)?;
            return Ok(sum);
        }
        let (a, b) = self.args2(inst)?;
        let a = self.pos.ins().iadd_imm_s(a, -TAG);
        let (sum, over) = self.add_checked(a, b);
        self.leave_if(inst, over)?;
        Ok(sum)
    }

    pub(super) fn int_sub(&mut self, inst: &Inst) -> Result<Value> {
        if let Some(word) = self.constant(inst, 1) {
            let a = self.arg(inst, 0)?;
            return self.add_constant(inst, a, (word as i64).wrapping_sub(TAG), true);
        }
        let (a, b) = match self.constant(inst, 0) {
            Some(word) => {
                let a = self.pos.ins().iconst(I64, (word as i64).wrapping_add(TAG));
                (a, self.arg(inst, 1)?)
            }
            None => {
                let (a, b) = self.args2(inst)?;
                (a, self.pos.ins().iadd_imm_s(b, -TAG))
            }
        };
        let (difference, over) = self.sub_checked(a, b);
        self.leave_if(inst, over)?;
        Ok(difference)
    }

    pub(super) fn int_mul(&mut self, inst: &Inst) -> Result<Value> {
        let (constant, other) = match (self.constant(inst, 0), self.constant(inst, 1)) {
            (Some(word), None) => (Some(word), 1),
            (_, word) => (word, 0),
        };
        let a = self.arg(inst, other)?;
        let a = self.pos.ins().iadd_imm_s(a, -TAG);
        let b = match constant {
            Some(word) => self.pos.ins().iconst(I64, word as i64 >> 2),
            None => {
                let b = self.arg(inst, 1)?;
                self.pos.ins().sshr_imm_u(b, 2)
            }
        };
        let (product, over) = self.mul_checked(a, b);
        self.leave_if(inst, over)?;
        Ok(self.pos.ins().iadd_imm_s(product, TAG))
    }

    pub(super) fn int_neg(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        let twice = self.pos.ins().iconst(I64, 2 * TAG);
        let (negated, over) = self.sub_checked(twice, a);
        self.leave_if(inst, over)?;
        Ok(negated)
    }

    pub(super) fn int_invert(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        Ok(self.pos.ins().bxor_imm_s(a, !3))
    }

    /// The divisor's exponent, if it is a constant power of two.
    fn shift_of(&self, inst: &Inst) -> Option<u32> {
        let divisor = self.constant(inst, 1)? as i64 >> 2;
        (divisor > 0 && divisor & (divisor - 1) == 0).then(|| divisor.trailing_zeros())
    }

    /// Both operands times 4, after a look at the divisor; whether the divisor is a constant greater than 0.
    fn for_division(&mut self, inst: &Inst) -> Result<(Value, Value, bool)> {
        let constant = self.constant(inst, 1).map(|word| word as i64 >> 2);
        let (a, b) = self.args2(inst)?;
        let a = self.pos.ins().iadd_imm_s(a, -TAG);
        if let Some(divisor) = constant.filter(|&d| d != 0) {
            return Ok((a, self.pos.ins().iconst(I64, divisor << 2), divisor > 0));
        }
        let b = self.pos.ins().iadd_imm_s(b, -TAG);
        let zero = self.pos.ins().icmp_imm_s(IntCC::Equal, b, 0);
        self.leave_if(inst, zero)?;
        Ok((a, b, false))
    }

    /// Is the remainder other than 0 and its sign not the divisor's? As -1 or 0.
    fn wrong_side(&mut self, remainder: Value, divisor: Value, positive: bool) -> Value {
        if positive {
            return self.pos.ins().sshr_imm_u(remainder, 63);
        }
        let signs = self.pos.ins().bxor(remainder, divisor);
        let differ = self.pos.ins().sshr_imm_u(signs, 63);
        let zero = self.pos.ins().iconst(I64, 0);
        self.pos.ins().select(remainder, differ, zero)
    }

    pub(super) fn int_floor_div(&mut self, inst: &Inst) -> Result<Value> {
        if let Some(shift) = self.shift_of(inst) {
            let a = self.arg(inst, 0)?;
            return Ok(self.shifted_right(a, shift.into()));
        }
        let (a, b, positive) = self.for_division(inst)?;
        // Neither traps: the divisor is not 0, and is no -1 but a multiple of 4.
        let quotient = self.pos.ins().sdiv(a, b);
        let whole = self.pos.ins().imul(quotient, b);
        let remainder = self.pos.ins().isub(a, whole);
        let less = self.wrong_side(remainder, b, positive);
        let quotient = self.pos.ins().iadd(quotient, less);
        if positive {
            let quotient = self.pos.ins().ishl_imm_u(quotient, 2);
            return Ok(self.pos.ins().iadd_imm_s(quotient, TAG));
        }
        // Only the least int by -1 is too large.
        let twice = self.pos.ins().iadd(quotient, quotient);
        let (quotient, over) = self.add_checked(twice, twice);
        self.leave_if(inst, over)?;
        Ok(self.pos.ins().iadd_imm_s(quotient, TAG))
    }

    pub(super) fn int_mod(&mut self, inst: &Inst) -> Result<Value> {
        if let Some(shift) = self.shift_of(inst) {
            let a = self.arg(inst, 0)?;
            return Ok(self.pos.ins().band_imm_s(a, (1 << (shift + 2)) - 1));
        }
        let (a, b, positive) = self.for_division(inst)?;
        let remainder = self.pos.ins().srem(a, b);
        let less = self.wrong_side(remainder, b, positive);
        let more = self.pos.ins().band(less, b);
        let remainder = self.pos.ins().iadd(remainder, more);
        Ok(self.pos.ins().iadd_imm_s(remainder, TAG))
    }

    pub(super) fn int_shl(&mut self, inst: &Inst) -> Result<Value> {
        let constant = self.constant(inst, 1).map(|word| word as i64 >> 2);
        let a = self.arg(inst, 0)?;
        let a = self.pos.ins().iadd_imm_s(a, -TAG);
        let count = match constant {
            Some(count @ 0..62) => self.pos.ins().iconst(I64, count),
            _ => {
                let count = self.arg(inst, 1)?;
                let count = self.pos.ins().sshr_imm_u(count, 2);
                let fits = self.pos.ins().icmp_imm_s(IntCC::UnsignedLessThan, count, 62);
                self.leave_unless(inst, fits)?;
                count
            }
        };
        let shifted = self.pos.ins().ishl(a, count);
        let back = self.pos.ins().sshr(shifted, count);
        let same = self.pos.ins().icmp(IntCC::Equal, back, a);
        self.leave_unless(inst, same)?;
        Ok(self.pos.ins().iadd_imm_s(shifted, TAG))
    }

    pub(super) fn int_shr(&mut self, inst: &Inst) -> Result<Value> {
        let constant = self.constant(inst, 1).map(|word| word as i64 >> 2);
        let a = self.arg(inst, 0)?;
        if let Some(count) = constant.filter(|&count| count >= 0) {
            return Ok(self.shifted_right(a, count.min(63)));
        }
        let count = self.arg(inst, 1)?;
        let count = self.pos.ins().sshr_imm_u(count, 2);
        let negative = self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.leave_if(inst, negative)?;
        let most = self.pos.ins().iconst(I64, 63);
        let fits = self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, count, 63);
        let count = self.pos.ins().select(fits, count, most);
        let shifted = self.pos.ins().sshr(a, count);
        Ok(self.tagged_again(shifted))
    }

    fn shifted_right(&mut self, word: Value, count: i64) -> Value {
        if count == 0 {
            return word;
        }
        let shifted = self.pos.ins().sshr_imm_u(word, count);
        self.tagged_again(shifted)
    }

    /// Puts the tag where two bits of another meaning are.
    fn tagged_again(&mut self, word: Value) -> Value {
        let cleared = self.pos.ins().band_imm_s(word, !3);
        self.pos.ins().bor_imm_u(cleared, TAG)
    }

    pub(super) fn int_bits(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        Ok(match inst.op {
            TraceOp::IntAnd => self.pos.ins().band(a, b),
            TraceOp::IntOr => self.pos.ins().bor(a, b),
            _ => {
                let both = self.pos.ins().bxor(a, b);
                self.pos.ins().bor_imm_u(both, TAG)
            }
        })
    }

    /// Leaves unless the int is in `-2**53 .. 2**53`: what is behind is 0 or -1.
    pub(super) fn int_to_float(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        let high = self.pos.ins().sshr_imm_u(a, 53 + 2);
        let high = self.pos.ins().iadd_imm_s(high, 1);
        let exact = self.pos.ins().icmp_imm_s(IntCC::UnsignedLessThan, high, 2);
        self.leave_unless(inst, exact)?;
        let i = self.pos.ins().sshr_imm_u(a, 2);
        Ok(self.pos.ins().fcvt_from_sint(F64, i))
    }

    pub(super) fn untag(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        Ok(self.pos.ins().sshr_imm_u(a, 2))
    }

    pub(super) fn tag(&mut self, inst: &Inst) -> Result<Value> {
        let a = self.arg(inst, 0)?;
        let shifted = self.pos.ins().ishl_imm_u(a, 2);
        Ok(self.pos.ins().iadd_imm_s(shifted, TAG))
    }

    pub(super) fn check_index(&mut self, inst: &Inst) -> Result<Value> {
        let index = match self.constant(inst, 0) {
            Some(word) => {
                let i = word as i64 >> 2;
                if i < 0 {
                    let len = self.arg(inst, 1)?;
                    self.pos.ins().iadd_imm_s(len, i)
                } else {
                    self.pos.ins().iconst(I64, i)
                }
            }
            None => {
                let (word, len) = self.args2(inst)?;
                let i = self.pos.ins().sshr_imm_u(word, 2);
                let from_end = self.pos.ins().iadd(i, len);
                let negative = self.pos.ins().icmp_imm_s(IntCC::SignedLessThan, i, 0);
                self.pos.ins().select(negative, from_end, i)
            }
        };
        let len = self.arg(inst, 1)?;
        let below = self.pos.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.leave_unless(inst, below)?;
        Ok(index)
    }
}
