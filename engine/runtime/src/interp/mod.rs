//! The interpreter: a stackless loop over frames on the current context's stack.
//!
//! The loop keeps two things: `pc`, the instruction, and `base`, the frame's registers; together
//! [`At`]. A fast path works on these; a slow path is a function that takes them and returns where
//! to go on. Before a slow path does anything that can allocate, call or raise, it *publishes* pc and
//! base in the `Vm`, where the collector, tracebacks and nested runs find them.
//!
//! Python functions that the machine calls for its own purpose are pushed as frames with a
//! [`Cont`] that says what to do with the result; nothing recurses on the native stack.

mod attr;
mod attr_native;
pub mod attr_place;
mod attr_table;
mod bind;
mod build;
mod call;
mod collecting;
mod construct;
mod cont;
mod delegation;
mod depth;
mod dispatch;
mod elision;
mod exceptions;
mod frames;
mod frozen;
mod generators;
mod globals;
pub mod helpers;
mod imports;
mod items;
mod iteration;
mod locals;
mod matching;
mod misc;
mod module_names;
mod nested;
mod operators;
mod panics;
mod place;
mod result;
mod safepoint;
mod stack;
mod task;
mod text;
mod trace;
mod unwind;

pub use attr::AttrLookup;
pub use attr_table::AttrTable;
pub use bind::bind_arguments;
pub use call::{
    SoftCall, add_keywords, call_soft, construct, converted, plain_native, small_decimal, with_first,
};
pub use collecting::collect_after;
pub use cont::{Consumer, Cont, ContKind};
pub use delegation::{hand_over, innermost_at_hand, is_running, running_from};
pub use depth::check_native_stack;
pub use dispatch::quick_truth;
pub use exceptions::closest;
pub use frames::{
    FramePlace, Frames, Standing, Walk, WalkedFrame, abandon_frames, clear_dead_from, clear_dead_registers,
    each_held, frame_at_depth, frame_back, frame_code, frame_count, frame_function, frame_function_word,
    frame_object, frame_of_traceback, frame_place, frame_unit, frames_of, generator_frame, innermost_frame,
    live_register, running_generators,
};
pub use frozen::{
    BOTTOM, FrozenFrame, FrozenRef, freeze, freeze_generator, thaw, thaw_generator, unfilled_generator,
};
pub use generators::{
    Resume, behind_delegation, call_generator, gen_call, gen_call_returning, generator_kind,
    resume_generator, resume_quick, returns_plainly,
};
pub use globals::builtins_of;
pub use locals::{FrameVariables, bound, frame_locals, running_locals, takes_namespace};
pub use operators::{is_inverted, stage_after_comparison, stage_after_first};
pub use panics::{help, hush_panics, without_panics};
pub use place::{At, Site, publish};
pub use result::{apply, leave_frame};
pub use stack::{apply_recursion_limit, merge_chunks};
pub use task::{Step, TaskDef, TaskRef, new_task, no_note, run_task, run_task_soft};
pub use text::check as check_text;
pub use trace::{MAX_TRACES, WANTED, call_through, enter_called, record, step};
pub use unwind::describe_exception;

use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// Copies values: mostly so few that a call would take longer.
///
/// # Safety
/// As of `copy_nonoverlapping`.
#[inline(always)]
pub(crate) unsafe fn copy_words(from: *const u64, to: *mut u64, n: usize) {
    const FEW: usize = 12;
    // SAFETY: the caller's promise. Volatile, lest the loop be made a call again.
    unsafe {
        if n > FEW {
            return std::ptr::copy_nonoverlapping(from, to, n);
        }
        for i in 0..n {
            to.add(i).write_volatile(from.add(i).read_volatile());
        }
    }
}

/// Goes on with the result, or unwinds from the published instruction.
#[inline(always)]
pub fn or_unwind(vm: &Vm, r: R<At>) -> At {
    match r {
        Ok(at) => at,
        Err(Raised) => unwind::unwind(vm, vm.site()),
    }
}

/// Raises the pending exception at the call behind which `resume` goes on.
pub fn raise_at(vm: &Vm, resume: At) -> At {
    unwind::unwind(vm, resume.call_site())
}

/// Raises the pending exception at this instruction.
pub fn raise_site(vm: &Vm, site: Site) -> At {
    unwind::unwind(vm, site)
}

/// Raises the pending exception in a microthread that was parked by a call behind which `resume`
/// goes on: StopIteration out of a `for` loop's `__next__` ends the loop.
pub fn raise_parked(vm: &Vm, resume: At) -> At {
    if vm.pending_is(vm.exc.stop_iteration)
        && let Some(end) = iteration::loop_end(resume)
    {
        vm.pending.set(None);
        return end;
    }
    raise_at(vm, resume)
}

/// Runs from a frame just pushed with [`ContKind::Exit`] until that frame returns: its result.
pub fn run_nested(vm: &Vm, start: At) -> R<Value> {
    let ctx = vm.ctx.get();
    // SAFETY: contexts that run native code are alive.
    let depth = unsafe { &(*ctx).native_depth };
    depth.set(depth.get() + 1);
    let result = panics::run(vm, start);
    // SAFETY: as above: the loop comes back in the context that it was entered in, since only a
    // frame of that context has this Exit.
    let depth = unsafe { &(*ctx).native_depth };
    depth.set(depth.get() - 1);
    result
}

/// Runs a context's frames, switching softly among contexts, until an Exit frame of this loop returns.
pub fn run_loop(vm: &Vm, start: At) -> R<Value> {
    panics::run(vm, start)
}
