//! Traces, as the loop meets them: where one is entered, and where one is recorded.

use crate::interp::{At, dispatch, frame_code, helpers, panics};
use crate::vm::Vm;
use skein_bytecode::Op;

/// The back edge of a loop that has a trace.
#[inline(never)]
pub fn enter(vm: &Vm, at: At) -> At {
    let number = at.a() | at.b() << 8 | at.c() << 16;
    vm.hooks.tier().enter(vm, number, at.jump(at.extra() as i32))
}

/// Before the first instruction of a function that has a trace.
#[inline(never)]
pub fn enter_function(vm: &Vm, at: At) -> At {
    let number = at.a() | at.b() << 8 | at.c() << 16;
    vm.hooks.tier().enter(vm, number, at.skip(1))
}

/// Does a call by its helper, and all of the function that is called if its trace does: where to go on, which is behind
/// the call then.
pub fn call_through(vm: &Vm, at: At) -> At {
    // SAFETY: an instruction's address.
    let op_at = |at: At| Op::from_u8(unsafe { *at.pc.cast::<u8>() });
    let Some(helper) = op_at(at).and_then(helpers::find) else { return at };
    let called = helper(vm, at);
    if op_at(called) == Some(Op::EnterTraced) { enter_function(vm, called) } else { called }
}

/// Enters the trace of a function whose frame is in place; `at` is its `EnterTraced`. If it has no trace any more, its
/// first instruction is where to go on.
pub fn enter_called(vm: &Vm, at: At) -> At {
    let has_trace = frame_code(at.base).exec().trace().is_some();
    if has_trace { enter_function(vm, at) } else { at.skip(1) }
}

/// The numbers that a `JumpBackTraced` or an `EnterTraced` has room for, but for the last, which is that of a function
/// whose trace is wanted.
pub const MAX_TRACES: usize = WANTED;

/// The number of a trace that is to be made.
pub const WANTED: usize = (1 << 24) - 1;

/// Runs from here while the tier's `before` says so: where to go on.
pub fn record(vm: &Vm, at: At) -> At {
    panics::record(vm, at)
}

/// Executes one instruction, of which this is the op: where to go on.
pub fn step(vm: &Vm, at: At, op: Op) -> At {
    vm.events.set_step_op(op);
    // It ends behind the instruction, with nothing to say.
    let _ = dispatch::run::<{ dispatch::STEP }>(vm, at);
    vm.recorded.take().unwrap_or(at)
}
