//! Arithmetic, comparisons and truth on immediate numbers.

use super::memory::shape_of;
use super::{Recorder, Step};
use crate::ir::{Id, TraceOp, Type};
use skein_bytecode::{Op, Special};
use skein_runtime::interp::{Consumer, Cont};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// What the loop does with two ints, as the trace's op; and the same for floats.
fn ops_of(op: Op) -> (Option<TraceOp>, Option<TraceOp>) {
    use TraceOp as T;
    match op {
        Op::Add | Op::InplaceAdd => (Some(T::IntAdd), Some(T::FloatAdd)),
        Op::Sub | Op::InplaceSub => (Some(T::IntSub), Some(T::FloatSub)),
        Op::Mul | Op::InplaceMul => (Some(T::IntMul), Some(T::FloatMul)),
        Op::TrueDiv | Op::InplaceTrueDiv => (None, Some(T::FloatDiv)),
        Op::FloorDiv | Op::InplaceFloorDiv => (Some(T::IntFloorDiv), None),
        Op::Mod | Op::InplaceMod => (Some(T::IntMod), None),
        Op::Shl | Op::InplaceShl => (Some(T::IntShl), None),
        Op::Shr | Op::InplaceShr => (Some(T::IntShr), None),
        Op::And | Op::InplaceAnd => (Some(T::IntAnd), None),
        Op::Or | Op::InplaceOr => (Some(T::IntOr), None),
        Op::Xor | Op::InplaceXor => (Some(T::IntXor), None),
        Op::Lt | Op::JumpLt | Op::JumpLtInt => (Some(T::IntLt), Some(T::FloatLt)),
        Op::Le | Op::JumpLe | Op::JumpLeInt => (Some(T::IntLe), Some(T::FloatLe)),
        Op::Eq | Op::JumpEq | Op::JumpEqInt => (Some(T::IntEq), Some(T::FloatEq)),
        Op::Ne | Op::JumpNe | Op::JumpNeInt => (Some(T::IntNe), Some(T::FloatNe)),
        Op::Gt | Op::JumpGt | Op::JumpGtInt => (Some(T::IntGt), Some(T::FloatGt)),
        Op::Ge | Op::JumpGe | Op::JumpGeInt => (Some(T::IntGe), Some(T::FloatGe)),
        _ => (None, None),
    }
}

/// Is the result of the op on these ints an immediate, so that the trace can go on?
fn stays_immediate(op: TraceOp, l: i64, r: i64) -> bool {
    let fits = |v: Option<i64>| v.is_some_and(|v| Value::try_int(v).is_some());
    match op {
        TraceOp::IntAdd => fits(l.checked_add(r)),
        TraceOp::IntSub => fits(l.checked_sub(r)),
        TraceOp::IntMul => fits(l.checked_mul(r)),
        TraceOp::IntFloorDiv => r != 0 && fits(l.checked_div(r)),
        TraceOp::IntMod => r != 0,
        TraceOp::IntShl => (0..62).contains(&r) && (l << r) >> r == l && fits(Some(l << r)),
        TraceOp::IntShr => r >= 0,
        _ => true,
    }
}

/// An int or a float.
fn is_number(v: Value) -> bool {
    v.is_int() || v.is_float()
}

fn as_f64(v: Value) -> f64 {
    if v.is_int() { v.as_small_int() as f64 } else { v.as_immediate_float() }
}

/// An int that a float stands for exactly, or a float.
fn converts(v: Value) -> bool {
    v.is_float() || v.as_small_int().unsigned_abs() <= 1 << 53
}

impl Recorder {
    /// The result of the op on the operands, whose values now are `lv` and `rv`; None: it is not for a trace.
    pub(super) fn number_op(&mut self, op: Op, l: Id, lv: Value, r: Id, rv: Value) -> Option<Id> {
        if !is_number(lv) || !is_number(rv) {
            return None;
        }
        let (int, float) = ops_of(op);
        if lv.is_int()
            && rv.is_int()
            && let Some(int) = int
        {
            if !stays_immediate(int, lv.as_small_int(), rv.as_small_int()) {
                return None;
            }
            let (l, r) = (self.as_int(l), self.as_int(r));
            return Some(self.emit(int, &[l, r], 0));
        }
        if matches!(op, Op::Pow | Op::InplacePow) {
            return self.power(l, lv, r, rv);
        }
        let float = float?;
        let divides = float == TraceOp::FloatDiv;
        if !converts(lv) || !converts(rv) || divides && as_f64(rv) == 0.0 {
            return None;
        }
        let (l, r) = (self.number_as_float(l, lv), self.number_as_float(r, rv));
        Some(self.emit(float, &[l, r], 0))
    }

    /// An operator on ints of which one is no immediate, or came from such ones: of what size they are next time is
    /// not asked. None: it is something else.
    pub(super) fn big_op(&mut self, vm: &Vm, op: Op, l: (Id, Value), r: (Id, Value)) -> Option<Id> {
        let (special, _) = super::natives::special_of(op)?;
        let total = matches!(
            special,
            Special::Add | Special::Sub | Special::Mul | Special::And | Special::Or | Special::Xor
        );
        let is_big = |v: Value| shape_of(v) == Some(vm.types.int.root_shape_id());
        let varies = |recorder: &Recorder, (id, v): (Id, Value)| {
            is_big(v) || recorder.tree.inst(id).op == TraceOp::NumberOp
        };
        let ints = [l.1, r.1].iter().all(|&v| v.is_int() || is_big(v));
        if !total || !ints || !(varies(self, l) || varies(self, r)) {
            return None;
        }
        let (l, r) = (self.as_word(l.0), self.as_word(r.0));
        Some(self.emit(TraceOp::NumberOp, &[l, r], special as u64))
    }

    /// A power of which one operand is a float.
    fn power(&mut self, l: Id, lv: Value, r: Id, rv: Value) -> Option<Id> {
        if lv.is_int() && rv.is_int() || !converts(lv) || !converts(rv) {
            return None;
        }
        if !as_f64(lv).powf(as_f64(rv)).is_finite() {
            return None;
        }
        let (l, r) = (self.number_as_float(l, lv), self.number_as_float(r, rv));
        Some(self.emit(TraceOp::FloatPow, &[l, r], 0))
    }

    fn number_as_float(&mut self, id: Id, v: Value) -> Id {
        let id = if v.is_int() { self.as_int(id) } else { id };
        self.as_float(id)
    }

    pub(super) fn binary(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (l, r) = (self.reg(at.b()), self.reg(at.c()));
        let operands = ((l, at.reg(at.b())), (r, at.reg(at.c())));
        let number = self.big_op(vm, op, operands.0, operands.1);
        let number = number.or_else(|| self.number_op(op, l, operands.0.1, r, operands.1.1));
        let number = number.or_else(|| Some(self.equality(vm, op, operands.0, operands.1)?.0));
        match number.or_else(|| self.operator(vm, op)) {
            Some(v) => {
                self.set(at.a(), v);
                self.next(1)
            }
            None => match self.operator_method(vm, op) {
                Some(step) => step,
                None => self.help(op),
            },
        }
    }

    /// `AddInt` and `SubInt`.
    pub(super) fn binary_int(&mut self, op: Op) -> Step {
        let at = self.at;
        let n = Value::small_int(i64::from(at.c() as u8 as i8));
        let (l, lv) = (self.reg(at.b()), at.reg(at.b()));
        let plain = if op == Op::AddInt { Op::Add } else { Op::Sub };
        let r = self.value(n);
        match self.number_op(plain, l, lv, r, n) {
            Some(v) => {
                self.set(at.a(), v);
                self.next(2)
            }
            None => self.help(op),
        }
    }

    /// A jump by a comparison of two registers, or of one with a small number.
    pub(super) fn jump_compare(&mut self, vm: &Vm, op: Op, with_int: bool) -> Step {
        let at = self.at;
        let (l, lv) = (self.reg(at.a()), at.reg(at.a()));
        let (r, rv) = if with_int {
            let n = Value::small_int(i64::from(at.b() as u8 as i8));
            (self.value(n), n)
        } else {
            (self.reg(at.b()), at.reg(at.b()))
        };
        let Some(truth) = self.number_op(op, l, lv, r, rv) else {
            if let Some((truth, now)) = self.equality(vm, op, (l, lv), (r, rv)) {
                return self.branch(truth, now, now == (at.c() != 0));
            }
            let Some((result, now)) = self.comparison(vm, op, (l, lv), (r, rv)) else {
                return self.jump_by_method(vm, op, (l, lv), (r, rv)).unwrap_or_else(|| self.help(op));
            };
            self.guard_is(result, Value::bool(now));
            return self.go_either(now == (at.c() != 0));
        };
        let now = compare_now(op, lv, rv);
        self.branch(truth, now, now == (at.c() != 0))
    }

    /// Goes the way that the truth value, which is `now`, leads.
    fn branch(&mut self, truth: Id, now: bool, jumps: bool) -> Step {
        self.emit(if now { TraceOp::GuardTrue } else { TraceOp::GuardFalse }, &[truth], 0);
        self.go_either(jumps)
    }

    /// Goes on at the jump's target or behind it.
    pub(super) fn go_either(&mut self, jumps: bool) -> Step {
        let to = if jumps { self.at.jump(self.at.extra() as i32) } else { self.at.skip(2) };
        self.go(to.pc);
        Ok(())
    }

    /// `JumpTrue` and `JumpFalse`.
    pub(super) fn jump_truth(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (id, v) = (self.reg(at.a()), at.reg(at.a()));
        match self.known_truth(vm, id, v) {
            Some(now) => self.go_either(now == (op == Op::JumpTrue)),
            None => {
                let cont = self.jump_cont(op == Op::JumpTrue);
                self.truth_method(vm, (id, v), cont, 2).unwrap_or_else(|| self.help(op))
            }
        }
    }

    /// A jump by a comparison that a Python method makes.
    fn jump_by_method(&mut self, vm: &Vm, op: Op, l: (Id, Value), r: (Id, Value)) -> Option<Step> {
        let cont = self.jump_cont(self.at.c() != 0);
        self.comparison_method(vm, super::natives::jump_special(op)?, l, r, (cont, 2))
    }

    /// Makes sure that the value's truth is what it is now, if that takes no call.
    pub(super) fn known_truth(&mut self, vm: &Vm, id: Id, v: Value) -> Option<bool> {
        if self.ty(id) == Type::B {
            let now = v.is(Value::TRUE);
            self.emit(if now { TraceOp::GuardTrue } else { TraceOp::GuardFalse }, &[id], 0);
            return Some(now);
        }
        if v.is_bool() || v.is_none() {
            self.guard_is(id, v);
            return Some(v.is(Value::TRUE));
        }
        if v.is_int() {
            let (int, zero) = (self.as_int(id), self.value(Value::small_int(0)));
            let truth = self.emit(TraceOp::IntNe, &[int, zero], 0);
            let now = v.as_small_int() != 0;
            self.emit(if now { TraceOp::GuardTrue } else { TraceOp::GuardFalse }, &[truth], 0);
            return Some(now);
        }
        self.object_truth(vm, id, v)
    }

    /// As `known_truth`, of objects.
    fn object_truth(&mut self, vm: &Vm, id: Id, v: Value) -> Option<bool> {
        let shape = shape_of(v)?;
        let (list, tuple) = (vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id());
        if shape == list || shape == tuple {
            let len = self.raw_len(vm, (id, v))?;
            let now = vm.builtin_truth(v)?;
            self.emit(if now { TraceOp::GuardRawNot } else { TraceOp::GuardRaw }, &[len], 0);
            return Some(now);
        }
        let ty = vm.type_of(v);
        let specials = [Special::Bool, Special::Len];
        if specials.iter().any(|s| ty.special(vm, *s).is_some()) {
            return None;
        }
        for special in specials {
            self.rely_on_type(ty, vm.special_name(special));
        }
        self.guard_class(id, shape);
        Some(true)
    }

    pub(super) fn not(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let (id, v) = (self.reg(at.b()), at.reg(at.b()));
        let result = if self.ty(id) == Type::B {
            self.emit(TraceOp::Not, &[id], 0)
        } else if v.is_int() {
            let (int, zero) = (self.as_int(id), self.value(Value::small_int(0)));
            self.emit(TraceOp::IntEq, &[int, zero], 0)
        } else {
            match self.known_truth(vm, id, v) {
                Some(now) => self.value(Value::bool(!now)),
                None => {
                    let mut cont = Cont::store(at.a());
                    cont.consumer = Consumer::StoreNot;
                    let step = self.truth_method(vm, (id, v), cont, 1);
                    return step.unwrap_or_else(|| self.help(Op::Not));
                }
            }
        };
        self.set(at.a(), result);
        self.next(1)
    }

    pub(super) fn unary(&mut self, op: Op) -> Step {
        let at = self.at;
        let (id, v) = (self.reg(at.b()), at.reg(at.b()));
        let result = match op {
            Op::Neg if v.is_int() && Value::try_int(-v.as_small_int()).is_some() => {
                let int = self.as_int(id);
                self.emit(TraceOp::IntNeg, &[int], 0)
            }
            Op::Neg if v.is_float() => {
                let float = self.as_float(id);
                self.emit(TraceOp::FloatNeg, &[float], 0)
            }
            Op::Invert if v.is_int() => {
                let int = self.as_int(id);
                self.emit(TraceOp::IntInvert, &[int], 0)
            }
            _ => return self.help(op),
        };
        self.set(at.a(), result);
        self.next(1)
    }

    /// `Is` and `IsNot`.
    pub(super) fn identity(&mut self, op: Op) -> Step {
        let at = self.at;
        let (l, r) = (self.reg(at.b()), self.reg(at.c()));
        let (l, r) = (self.as_word(l), self.as_word(r));
        let same = self.emit(TraceOp::Same, &[l, r], 0);
        let result = if op == Op::Is { same } else { self.emit(TraceOp::Not, &[same], 0) };
        self.set(at.a(), result);
        self.next(1)
    }

    /// A jump that asks whether a register is this word.
    pub(super) fn jump_is(&mut self, word: Value, jumps_if: bool) -> Step {
        let at = self.at;
        let (id, v) = (self.reg(at.a()), at.reg(at.a()));
        let is = v.is(word);
        if self.ty(id) != Type::W {
            // A number or a truth value.
            return self.go_either(!jumps_if);
        }
        if is {
            self.guard_is(id, word);
        } else {
            self.guard_is_not(id, word.bits());
        }
        self.go_either(is == jumps_if)
    }
}

/// The truth of a comparison of two numbers.
fn compare_now(op: Op, l: Value, r: Value) -> bool {
    let ints = l.is_int() && r.is_int();
    let (li, ri) = (l.bits() as i64, r.bits() as i64);
    let (lf, rf) = if ints { (0.0, 0.0) } else { (as_f64(l), as_f64(r)) };
    match op {
        Op::JumpLt | Op::JumpLtInt => {
            if ints {
                li < ri
            } else {
                lf < rf
            }
        }
        Op::JumpLe | Op::JumpLeInt => {
            if ints {
                li <= ri
            } else {
                lf <= rf
            }
        }
        Op::JumpEq | Op::JumpEqInt => {
            if ints {
                li == ri
            } else {
                lf == rf
            }
        }
        Op::JumpNe | Op::JumpNeInt => {
            if ints {
                li != ri
            } else {
                lf != rf
            }
        }
        Op::JumpGt | Op::JumpGtInt => {
            if ints {
                li > ri
            } else {
                lf > rf
            }
        }
        _ => {
            if ints {
                li >= ri
            } else {
                lf >= rf
            }
        }
    }
}
