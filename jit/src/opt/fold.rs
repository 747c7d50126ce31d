//! The rule table: what an instruction's result is, seen from its operands alone.

use crate::ir::*;
use TraceOp::*;
use skein_runtime::value::Value;

/// What a rule makes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Folded {
    /// The result is this constant, of the instruction's type.
    Const(u64),
    /// The result is this value; of an instruction without a result: there is nothing to do.
    Value(Id),
    Nothing,
    /// Another op on these operands with this immediate does it.
    Op(TraceOp, [Option<Id>; 3], u64),
    /// The other op on the first operand and an operand that is this constant, of that type.
    WithConst(TraceOp, Id, Type, u64),
    /// It leaves in any case.
    Leaves,
}
use Folded::{Const as Is, Leaves, Nothing, Op, Value as Same_, WithConst};

fn int(bits: u64) -> i64 {
    bits as i64 >> 2
}

fn tagged(i: i64) -> Option<Folded> {
    Value::try_int(i).map(|v| Is(v.bits()))
}

fn float(f: f64) -> Option<Folded> {
    // Which NaN an operation gives is the machine's affair.
    (!f.is_nan()).then(|| Is(f.to_bits()))
}

fn truth(b: bool) -> Option<Folded> {
    Some(Is(b as u64))
}

fn is_int_word(bits: u64) -> bool {
    bits & 3 == 1
}

fn is_float_word(bits: u64) -> bool {
    bits & 2 != 0
}

/// Is it certain that no value of the instruction's result is this word?
fn never(tree: &Tree, id: Id, word: u64) -> bool {
    let inst = tree.inst(id);
    match inst.op {
        NewObject | GuardShape | GuardFamily => word & 7 != 0,
        BoxFloat => is_int_word(word) || word & 7 == 4,
        BoxBool => word != Value::TRUE.bits() && word != Value::FALSE.bits(),
        Const => inst.imm != word,
        _ => inst.ty == Type::I && !is_int_word(word),
    }
}

/// The comparison that gives the same when its operands change places.
pub fn mirrored(op: TraceOp) -> Option<TraceOp> {
    Some(match op {
        IntLt => IntGt,
        IntGt => IntLt,
        IntLe => IntGe,
        IntGe => IntLe,
        FloatLt => FloatGt,
        FloatGt => FloatLt,
        FloatLe => FloatGe,
        FloatGe => FloatLe,
        IntEq | IntNe | FloatEq | FloatNe | Same | TextEq => op,
        _ => return None,
    })
}

/// The comparison that gives the other truth value. Floats need not be comparable.
pub fn opposite(op: TraceOp) -> Option<TraceOp> {
    Some(match op {
        IntLt => IntGe,
        IntGe => IntLt,
        IntLe => IntGt,
        IntGt => IntLe,
        IntEq => IntNe,
        IntNe => IntEq,
        FloatEq => FloatNe,
        FloatNe => FloatEq,
        _ => return None,
    })
}

/// Applies the first rule that fits.
pub fn fold(tree: &Tree, inst: &Inst) -> Option<Folded> {
    let args = inst.args;
    let known = |n: usize| args[n].and_then(|id| tree.constant(id));
    let def = |n: usize| args[n].map(|id| tree.inst(id));
    let (a, b) = (known(0), known(1));
    match (inst.op, args[0], args[1]) {
        (op, Some(x), None) => one(tree, inst, op, x, a, def(0)?),
        (op, Some(x), Some(y)) if args[2].is_none() => two(tree, op, x, y, a, b),
        _ => None,
    }
}

/// Rules of one operand: `x`, which is the constant `c` if known, and is made by `def`.
fn one(tree: &Tree, inst: &Inst, op: TraceOp, x: Id, c: Option<u64>, def: &Inst) -> Option<Folded> {
    let inner = def.args[0];
    let just = |op| Some(Op(op, [inner, None, None], 0));
    match (op, c, def.op) {
        (GuardInt, _, _) if def.ty == Type::I => Some(Same_(x)),
        (GuardInt, Some(c), _) => Some(if is_int_word(c) { Is(c) } else { Leaves }),
        (GuardInt, _, BoxFloat | BoxBool | NewObject) => Some(Leaves),
        (GuardFloat, _, BoxFloat) => Some(Same_(inner?)),
        (GuardFloat, Some(c), _) if is_float_word(c) => Some(Is(f64::to_bits(unrotated(c)))),
        (GuardFloat, Some(_), _) | (GuardFloat, _, BoxBool | NewObject) => Some(Leaves),
        (GuardFloat, _, _) if def.ty == Type::I => Some(Leaves),
        (GuardShape | GuardFamily, Some(c), _) if c & 7 != 0 => Some(Leaves),
        (GuardShape | GuardFamily, _, BoxBool) => Some(Leaves),
        (GuardShape | GuardFamily, _, _) if def.ty == Type::I => Some(Leaves),
        (GuardIs, Some(c), _) | (GuardRaw, Some(c), _) => Some(if c == inst.imm { Nothing } else { Leaves }),
        (GuardIsNot, Some(c), _) | (GuardRawNot, Some(c), _) => {
            Some(if c != inst.imm { Nothing } else { Leaves })
        }
        (GuardIs, _, BoxBool) if inst.imm == Value::TRUE.bits() => just(GuardTrue),
        (GuardIs, _, BoxBool) if inst.imm == Value::FALSE.bits() => just(GuardFalse),
        (GuardIsNot, _, BoxBool) if inst.imm == Value::TRUE.bits() => just(GuardFalse),
        (GuardIsNot, _, BoxBool) if inst.imm == Value::FALSE.bits() => just(GuardTrue),
        (GuardIs, _, _) if never(tree, x, inst.imm) => Some(Leaves),
        (GuardIsNot, _, _) if never(tree, x, inst.imm) => Some(Nothing),
        (GuardTrue, Some(c), _) => Some(if c != 0 { Nothing } else { Leaves }),
        (GuardFalse, Some(c), _) => Some(if c == 0 { Nothing } else { Leaves }),
        (GuardTrue, _, Not) => just(GuardFalse),
        (GuardFalse, _, Not) => just(GuardTrue),
        // A guard on the word tells more.
        (GuardTrue, _, Same) => with_word(tree, def, GuardIs),
        (GuardFalse, _, Same) => with_word(tree, def, GuardIsNot),
        (IntNeg, Some(c), _) => tagged(-int(c)),
        (IntInvert, Some(c), _) => tagged(!int(c)),
        (IntInvert, _, IntInvert) => Some(Same_(inner?)),
        (IntToFloat, Some(c), _) if (-(1 << 53)..1 << 53).contains(&int(c)) => float(int(c) as f64),
        (Untag, Some(c), _) => Some(Is(int(c) as u64)),
        (Untag, _, Tag) | (Tag, _, Untag) => Some(Same_(inner?)),
        (Tag, Some(c), _) => tagged(c as i64),
        (FromRaw, _, ToRaw) if tree.inst(inner?).ty == Type::I => Some(Same_(inner?)),
        (FromRaw, Some(c), _) if is_int_word(c) => Some(Is(c)),
        (ToRaw, _, FromRaw) => Some(Same_(inner?)),
        (ToRaw, Some(c), _) => Some(Is(c)),
        (FloatNeg, Some(c), _) => float(-f64::from_bits(c)),
        (FloatNeg, _, FloatNeg) => Some(Same_(inner?)),
        (FloatAbs, Some(c), _) => float(f64::from_bits(c).abs()),
        (FloatAbs, _, FloatAbs) => Some(Same_(x)),
        (FloatAbs, _, FloatNeg) => just(FloatAbs),
        (FloatSqrt, Some(c), _) if f64::from_bits(c) >= 0.0 => float(f64::from_bits(c).sqrt()),
        (BoxFloat, Some(c), _) => Value::try_float(f64::from_bits(c)).map(|v| Is(v.bits())),
        (BoxFloat, _, GuardFloat) => Some(Same_(inner?)),
        (BoxBool, Some(c), _) => Some(Is(Value::bool(c != 0).bits())),
        (Not, Some(c), _) => truth(c == 0),
        (Not, _, Not) => Some(Same_(inner?)),
        (Not, _, of) => opposite(of).map(|op| Op(op, def.args, 0)),
        _ => None,
    }
}

fn unrotated(word: u64) -> f64 {
    f64::from_bits(word.wrapping_add(1).rotate_right(4))
}

/// The guard on a word that stands for one on a comparison with a constant.
fn with_word(tree: &Tree, same: &Inst, guard: TraceOp) -> Option<Folded> {
    let (x, y) = (same.args[0]?, same.args[1]?);
    let (x, word) = match (tree.constant(x), tree.constant(y)) {
        (_, Some(word)) => (x, word),
        (Some(word), _) => (y, word),
        _ => return None,
    };
    Some(Op(guard, [Some(x), None, None], word))
}

/// Rules of two operands, `x` and `y`, which are the constants `a` and `b` if known.
fn two(tree: &Tree, op: TraceOp, x: Id, y: Id, a: Option<u64>, b: Option<u64>) -> Option<Folded> {
    let ints = a.map(int).zip(b.map(int));
    let floats = a.map(f64::from_bits).zip(b.map(f64::from_bits));
    let swapped = |op| Some(Op(op, [Some(y), Some(x), None], 0));
    let zero = Value::small_int(0).bits();
    match op {
        // Constants stand on the right.
        IntAdd | IntMul | IntAnd | IntOr | IntXor | IntEq | IntNe | FloatEq | FloatNe | Same | TextEq
        | RawAdd
            if a.is_some() && b.is_none() =>
        {
            return swapped(op);
        }
        // Of two NaNs the first is the result.
        FloatAdd | FloatMul if a.is_some_and(|a| !f64::from_bits(a).is_nan()) && b.is_none() => {
            return swapped(op);
        }
        IntLt | IntLe | IntGt | IntGe if a.is_some() && b.is_none() => return swapped(mirrored(op)?),
        _ => {}
    }
    match (op, ints) {
        (IntAdd, Some((a, b))) => return tagged(a + b),
        (IntSub, Some((a, b))) => return tagged(a - b),
        (IntMul, Some((a, b))) => return a.checked_mul(b).and_then(tagged),
        (IntFloorDiv, Some((a, b))) if b != 0 => {
            return tagged(a.div_euclid(b) - (b < 0 && a.rem_euclid(b) != 0) as i64);
        }
        (IntMod, Some((a, b))) if b != 0 => return tagged(((a % b) + b) % b),
        (IntShl, Some((a, b @ 0..=61))) => return a.checked_mul(1 << b).and_then(tagged),
        (IntShr, Some((a, b @ 0..))) => return tagged(a >> b.min(63)),
        (IntAnd, Some((a, b))) => return tagged(a & b),
        (IntOr, Some((a, b))) => return tagged(a | b),
        (IntXor, Some((a, b))) => return tagged(a ^ b),
        (IntLt, Some((a, b))) => return truth(a < b),
        (IntLe, Some((a, b))) => return truth(a <= b),
        (IntEq, Some((a, b))) => return truth(a == b),
        (IntNe, Some((a, b))) => return truth(a != b),
        (IntGt, Some((a, b))) => return truth(a > b),
        (IntGe, Some((a, b))) => return truth(a >= b),
        _ => {}
    }
    match (op, floats) {
        (FloatAdd, Some((a, b))) => return float(a + b),
        (FloatSub, Some((a, b))) => return float(a - b),
        (FloatMul, Some((a, b))) => return float(a * b),
        (FloatDiv, Some((a, b))) if b != 0.0 => return float(a / b),
        (FloatLt, Some((a, b))) => return truth(a < b),
        (FloatLe, Some((a, b))) => return truth(a <= b),
        (FloatEq, Some((a, b))) => return truth(a == b),
        (FloatNe, Some((a, b))) => return truth(a != b),
        (FloatGt, Some((a, b))) => return truth(a > b),
        (FloatGe, Some((a, b))) => return truth(a >= b),
        _ => {}
    }
    let right = b.map(int);
    match (op, right) {
        (IntAdd | IntSub | IntOr | IntXor | IntShl | IntShr, Some(0)) => Some(Same_(x)),
        (IntMul | IntFloorDiv, Some(1)) => Some(Same_(x)),
        (IntMul | IntAnd, Some(0)) | (IntMod, Some(1)) => Some(Is(zero)),
        (IntAnd, Some(-1)) => Some(Same_(x)),
        (IntOr, Some(-1)) => Some(Is(Value::small_int(-1).bits())),
        // Python's remainder and quotient round down, as masks and shifts do.
        (IntMod, Some(m)) if m > 0 && m & (m - 1) == 0 => {
            Some(WithConst(IntAnd, x, Type::I, Value::small_int(m - 1).bits()))
        }
        (IntFloorDiv, Some(m)) if m > 0 && m & (m - 1) == 0 => {
            Some(WithConst(IntShr, x, Type::I, Value::small_int(m.trailing_zeros() as i64).bits()))
        }
        (IntSub | IntXor, _) if x == y => Some(Is(zero)),
        (IntAnd | IntOr, _) if x == y => Some(Same_(x)),
        (IntLe | IntEq | IntGe, _) if x == y => truth(true),
        (IntLt | IntNe | IntGt, _) if x == y => truth(false),
        (FloatMul | FloatDiv, _) if b == Some(1f64.to_bits()) => Some(Same_(x)),
        (FloatAdd, _) if b == Some((-0f64).to_bits()) => Some(Same_(x)),
        (FloatSub, _) if b == Some(0f64.to_bits()) => Some(Same_(x)),
        (FloatDiv, _) if b.is_some_and(has_exact_reciprocal) => {
            Some(WithConst(FloatMul, x, Type::F, (1.0 / f64::from_bits(b?)).to_bits()))
        }
        (Same | TextEq, _) if x == y => truth(true),
        (Same, _) if a.is_some() && b.is_some() => truth(a == b),
        (Same, _) if b.is_some_and(|b| never(tree, x, b)) => truth(false),
        (Same, _) if tree.inst(x).op == BoxBool => match Value::bool(true).bits() == b? {
            true => Some(Same_(tree.inst(x).args[0]?)),
            false => Some(Op(Not, [tree.inst(x).args[0], None, None], 0)),
        },
        (RawAdd, _) if a.is_some() && b.is_some() => Some(Is(a?.wrapping_add(b?))),
        (RawSub, _) if a.is_some() && b.is_some() => Some(Is(a?.wrapping_sub(b?))),
        (RawAdd | RawSub, _) if b == Some(0) => Some(Same_(x)),
        (RawSub, _) if x == y => Some(Is(0)),
        (CheckIndex, _) if a.is_some() && b.is_some() => {
            let (index, length) = (int(a?), b? as i64);
            let index = if index < 0 { index + length } else { index };
            Some(if (0..length).contains(&index) { Is(index as u64) } else { Leaves })
        }
        _ => None,
    }
}

fn has_exact_reciprocal(bits: u64) -> bool {
    let f = f64::from_bits(bits);
    // A power of two whose reciprocal is a normal number too.
    f.is_normal() && bits << 12 == 0 && (1.0 / f).is_normal()
}
