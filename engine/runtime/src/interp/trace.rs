//! Traces, as the loop meets them: where one is entered, and where one is recorded.

use crate::interp::{At, panics};
use crate::vm::Vm;

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
