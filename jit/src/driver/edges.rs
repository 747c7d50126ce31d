//! Back edges of loops: what they bound, and that they go to traces.

use super::trace::Trace;
use skein_bytecode::{Inst, Op, instructions, pack};
use skein_runtime::interp::{At, frame_code};

/// Does the exit stand at a back edge, for want of ticks?
pub(super) fn is_back_edge(at: At) -> bool {
    // SAFETY: an instruction's address.
    let op = unsafe { *at.pc.cast::<u8>() };
    op == Op::JumpBack as u8 || op == Op::JumpBackTraced as u8
}

/// First and last instruction of the loop with its head here: the last is the last of its back edges.
pub(super) fn range_of(head: At) -> (usize, usize) {
    let code = frame_code(head.base);
    let (units, first) = (&code.portable().units, code.unit_of(head.pc));
    let is_back = |i: &Inst| i.op == Op::JumpBack && i.target() == Some(i64::from(first));
    let last = instructions(units).filter(is_back).map(|i| i.at).last().unwrap_or(first);
    let start = head.pc as usize - 4 * first as usize;
    (head.pc as usize, start + 4 * last as usize)
}

/// From now on this back edge goes to the trace.
pub(super) fn enter_from(trace: &Trace, pc: *const u32) {
    let [a, b, c, _] = (trace.number as u32).to_le_bytes();
    // SAFETY: the isolate's own copy of the loop's code, which the trace keeps alive.
    unsafe {
        // Where events are wanted there is another op, and traces are not entered.
        if *pc.cast::<u8>() != Op::JumpBack as u8 {
            return;
        }
        *pc.cast_mut() = pack(Op::JumpBackTraced, a, b, c);
    }
    trace.body.borrow_mut().entries.push(pc);
}
