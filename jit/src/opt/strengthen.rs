//! Guards that a later one makes needless: the later one takes their place.
//!
//! What an attribute's slot holds is first looked at for being there, then for being a number. The second look tells
//! the first too, and leaves where the first would.

use crate::ir::*;
use TraceOp::*;
use skein_runtime::value::Value;

pub fn strengthen(tree: &mut Tree) {
    for seq in 0..tree.seqs.len() {
        let insts = tree.seqs[seq].insts.clone();
        for (at, &id) in insts.iter().enumerate() {
            let guard = *tree.inst(id);
            let no_number = [0, Value::UNBOUND.bits()].contains(&guard.imm);
            // What a call gave is gone when the exit has the call done again.
            let is_given = guard.args[0].is_some_and(|of| tree.inst(of).op.info().effect == Effect::Call);
            if guard.op != GuardIsNot || !no_number || is_given {
                continue;
            }
            let later = insts[at + 1..].iter().map(|id| *tree.inst(*id)).take_while(|inst| {
                matches!(inst.op.info().effect, Effect::Pure | Effect::Guard | Effect::Load | Effect::Alloc)
            });
            let stronger = later
                .filter(|inst| matches!(inst.op, GuardInt | GuardFloat) && inst.args[0] == guard.args[0])
                .map(|inst| (inst.op, inst.ty))
                .next();
            if let Some((op, ty)) = stronger {
                tree.insts[id.0 as usize] = Inst { op, ty, imm: 0, ..guard };
            }
        }
    }
}
