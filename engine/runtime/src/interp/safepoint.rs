//! Safepoints: where running code stops for signals, finalizers and the ends of time slices.

use crate::interp::{At, or_unwind, publish};
use crate::value::R;
use crate::vm::{Vm, poll};
use std::sync::atomic::Ordering;

/// A back edge whose ticks are used up.
pub fn jump_back(vm: &Vm, from: At) -> R<At> {
    vm.ticks.set(vm.quantum.get());
    let at = from.jump(from.extra() as i32);
    publish(vm, at);
    vm.collect_if_logged();
    if vm.slice.get() > 0 {
        let at = if vm.poll.load(Ordering::Relaxed) != 0 { safepoint_at(vm, at) } else { at };
        return Ok(vm.switcher().slice_over(vm, at));
    }
    if vm.poll.load(Ordering::Relaxed) == 0 {
        return Ok(vm.hooks.tier().back_edge(vm, from, at));
    }
    Ok(safepoint_at(vm, at))
}

/// Does what was requested of the running code, then goes on at `at`.
#[cold]
#[inline(never)]
pub fn safepoint_at(vm: &Vm, at: At) -> At {
    publish(vm, at);
    let mut asked = vm.poll.swap(0, Ordering::Relaxed);
    vm.refresh_limit();
    // Before the lock is let go: the main thread may come back from a system call meanwhile, look, and go there again.
    if asked & poll::SIGNAL != 0 && vm.threads.leave_signal() {
        asked &= !poll::SIGNAL;
    }
    if asked & poll::THREAD != 0 {
        vm.yield_gil();
    }
    if asked & poll::TIER != 0 {
        vm.hooks.tier().code_ready();
    }
    if asked & poll::FINALIZE != 0 {
        vm.run_finalizers();
    }
    if asked & poll::SIGNAL != 0
        && let Err(e) = vm.run_signal_handlers()
    {
        if asked & poll::SLICE != 0 {
            vm.request(poll::SLICE);
        }
        return or_unwind(vm, Err(e));
    }
    if asked & (poll::SLICE | poll::ASYNC) != 0 {
        return vm.switcher().slice_over(vm, at);
    }
    at
}
