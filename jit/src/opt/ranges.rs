//! Ranges of ints: what comparisons say about their operands, and what follows for overflow checks, comparisons and
//! indices.

use super::facts::Facts;
use crate::ir::*;
use TraceOp::*;
use skein_runtime::value::Value;

pub const FULL: (i64, i64) = (Value::MIN_INT, Value::MAX_INT);
/// No list or tuple is longer.
const MAX_LENGTH: i64 = 1 << 48;

/// Least and largest value.
pub fn range(tree: &Tree, facts: &Facts, id: Id) -> (i64, i64) {
    if let Some(&range) = facts.ranges.get(&id) {
        return range;
    }
    let inst = tree.inst(id);
    match (inst.op, inst.ty) {
        (Const, Type::I) => (inst.imm as i64 >> 2, inst.imm as i64 >> 2),
        (Const, Type::R) => (inst.imm as i64, inst.imm as i64),
        // A length, or an address, which is no larger.
        (LoadRaw, Type::R) if [Class::List, Class::Fixed].contains(&Place::from_imm(inst.imm).class) => {
            (0, MAX_LENGTH)
        }
        (_, ty) => widest(ty),
    }
}

pub fn widest(ty: Type) -> (i64, i64) {
    if ty == Type::I { FULL } else { (i64::MIN, i64::MAX) }
}

/// The range of an op's result as it would be without bounds.
fn exact(tree: &Tree, facts: &Facts, inst: &Inst) -> Option<(i128, i128)> {
    let of = |n: usize| {
        let (lo, hi) = range(tree, facts, inst.args[n].expect("an operand"));
        (lo as i128, hi as i128)
    };
    Some(match inst.op {
        IntAdd => (of(0).0 + of(1).0, of(0).1 + of(1).1),
        IntSub => (of(0).0 - of(1).1, of(0).1 - of(1).0),
        IntNeg => (-of(0).1, -of(0).0),
        IntInvert => (!of(0).1, !of(0).0),
        IntMul => {
            let ((a, b), (c, d)) = (of(0), of(1));
            let all = [a * c, a * d, b * c, b * d];
            (*all.iter().min()?, *all.iter().max()?)
        }
        IntMod => match of(1) {
            (1.., hi) => (0, hi - 1),
            (lo, ..=-1) => (lo + 1, 0),
            _ => return None,
        },
        IntFloorDiv if of(1).0 >= 1 => (of(0).0.min(0), of(0).1.max(0)),
        IntShr => (of(0).0.min(0), of(0).1.max(0)),
        IntAnd if of(1).0 >= 0 => (0, of(1).1),
        IntAnd if of(0).0 >= 0 => (0, of(0).1),
        IntOr | IntXor if of(0).0 >= 0 && of(1).0 >= 0 => {
            (0, (1i128 << (128 - (of(0).1 | of(1).1).leading_zeros())) - 1)
        }
        // What the forward pass makes of a sum that fits.
        FromRaw => {
            let sum = tree.inst(inst.args[0]?);
            let (raw, by) = (tree.inst(sum.args[0]?), (tree.constant(sum.args[1]?)? as i64 >> 2) as i128);
            let (lo, hi) = if raw.op == ToRaw { range(tree, facts, raw.args[0]?) } else { return None };
            match sum.op {
                RawAdd => (lo as i128 + by, hi as i128 + by),
                RawSub => (lo as i128 - by, hi as i128 - by),
                _ => return None,
            }
        }
        // A length, since addresses are not tagged.
        Tag if is_length(tree, inst) => (0, MAX_LENGTH as i128),
        Tag | Untag => of(0),
        CheckIndex => (0, (of(1).1 - 1).clamp(0, MAX_LENGTH as i128)),
        _ => return None,
    })
}

/// Is the raw word the length of a list or tuple?
fn is_length(tree: &Tree, inst: &Inst) -> bool {
    let from = tree.inst(inst.args[0].expect("an operand"));
    from.op == LoadRaw && [Class::List, Class::Fixed].contains(&Place::from_imm(from.imm).class)
}

/// Notes the range of what the instruction gives.
pub fn note(tree: &Tree, facts: &mut Facts, id: Id, inst: &Inst) {
    let Some((lo, hi)) = exact(tree, facts, inst) else { return };
    let (min, max) = range(tree, facts, id);
    let range = (lo.clamp(min as i128, max as i128) as i64, hi.clamp(min as i128, max as i128) as i64);
    if range != (min, max) {
        facts.ranges.insert(id, range);
    }
}

/// Is it certain that the sum or difference is an immediate?
pub fn fits(tree: &Tree, facts: &Facts, inst: &Inst) -> bool {
    exact(tree, facts, inst).is_some_and(|(lo, hi)| lo >= FULL.0 as i128 && hi <= FULL.1 as i128)
}

/// What a comparison gives, if the ranges say.
pub fn compare(tree: &Tree, facts: &Facts, inst: &Inst) -> Option<bool> {
    let (x, y) = (inst.args[0]?, inst.args[1]?);
    if !matches!(inst.op, IntLt | IntLe | IntEq | IntNe | IntGt | IntGe) {
        return None;
    }
    let ((a, b), (c, d)) = (range(tree, facts, x), range(tree, facts, y));
    let less = b < c || facts.less.contains(&(x, y));
    let greater = a > d || facts.less.contains(&(y, x));
    match inst.op {
        IntLt if less => Some(true),
        IntLt if greater || a >= d => Some(false),
        IntGe if less => Some(false),
        IntGe if greater || a >= d => Some(true),
        IntGt if greater => Some(true),
        IntGt if less || b <= c => Some(false),
        IntLe if greater => Some(false),
        IntLe if less || b <= c => Some(true),
        IntEq if less || greater => Some(false),
        IntNe if less || greater => Some(true),
        _ => None,
    }
}

/// The comparison gave `truth`: narrows its operands.
pub fn learn(tree: &Tree, facts: &mut Facts, inst: &Inst, truth: bool) {
    let ([Some(x), Some(y), _], op) = (inst.args, inst.op) else { return };
    match (op, truth) {
        (IntLt, true) | (IntGe, false) => less(tree, facts, x, y, 1),
        (IntGt, true) | (IntLe, false) => less(tree, facts, y, x, 1),
        (IntLe, true) | (IntGt, false) => less(tree, facts, x, y, 0),
        (IntGe, true) | (IntLt, false) => less(tree, facts, y, x, 0),
        _ => {}
    }
}

/// `x + by <= y`.
fn less(tree: &Tree, facts: &mut Facts, x: Id, y: Id, by: i64) {
    let ((a, b), (c, d)) = (range(tree, facts, x), range(tree, facts, y));
    facts.ranges.insert(x, (a, b.min(d - by)));
    facts.ranges.insert(y, (c.max(a + by), d));
    if by > 0 {
        facts.less.insert((x, y));
    }
}

/// The index, an int or a raw word, is below the length.
pub fn passed(tree: &Tree, facts: &mut Facts, inst: &Inst) {
    let ([Some(index), Some(length), _], op) = (inst.args, inst.op) else { return };
    let ((lo, _), (least, most)) = (range(tree, facts, index), range(tree, facts, length));
    // They are compared without sign, and a negative int counts from the end.
    if lo >= 0 && least >= 0 && matches!(op, CheckIndex | CheckBelow) {
        facts.ranges.insert(length, (least.max(lo.saturating_add(1)), most));
    }
}

/// Is the index certain to be below the length, and not negative?
pub fn is_index(tree: &Tree, facts: &Facts, index: Id, length: Id) -> bool {
    let (lo, hi) = range(tree, facts, index);
    if lo < 0 {
        return false;
    }
    let tagged = facts.done.get(&(Tag, Type::I, [Some(length), None, None], 0));
    hi < range(tree, facts, length).0 || tagged.is_some_and(|tagged| facts.less.contains(&(index, *tagged)))
}
