//! Traces, as the loop meets them: where one is entered, and where one is recorded.

use crate::interp::{At, dispatch, panics};
use crate::vm::Vm;
use skein_bytecode::Op;

/// The back edge of a loop that has a trace.
#[inline(never)]
pub fn enter(vm: &Vm, at: At) -> At {
    let number = at.a() | at.b() << 8 | at.c() << 16;
    vm.hooks.tier().enter(vm, number, at.jump(at.extra() as i32))
}

/// The numbers that a `JumpBackTraced` has room for.
pub const MAX_TRACES: usize = 1 << 24;

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
