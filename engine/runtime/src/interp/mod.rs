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
mod attr_table;
mod bind;
mod build;
mod call;
mod construct;
mod cont;
mod depth;
mod dispatch;
mod exceptions;
mod frames;
mod generators;
mod globals;
mod imports;
mod items;
mod iteration;
mod matching;
mod misc;
mod operators;
mod task;
mod text;
mod unwind;

pub use attr::AttrLookup;
pub use attr_table::AttrTable;
pub use bind::bind_arguments;
pub use call::{SoftCall, apply, apply_recursion_limit, call_soft, construct, with_first};
pub use cont::{Consumer, Cont, ContKind};
pub use depth::check_native_stack;
pub use dispatch::quick_truth;
pub use exceptions::closest;
pub use frames::{
    FramePlace, Walk, WalkedFrame, abandon_frames, frame_at_depth, frame_back, frame_code, frame_count,
    frame_function, frame_locals, frame_object, frame_of_traceback, frame_place, frame_unit, generator_frame,
    innermost_frame, running_locals,
};
pub use generators::{Resume, gen_call, generator_kind, resume_generator, resume_quick};
pub use globals::builtins_of;
pub use task::{Step, TaskDef, TaskRef, new_task, no_note, run_task, run_task_soft};
pub use text::check as check_text;
pub use unwind::describe_exception;

use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// Where the interpreter goes on. Two registers.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct At {
    pub pc: *const u32,
    pub base: *mut Value,
}

impl At {
    /// The same frame, further on.
    #[inline(always)]
    pub fn skip(self, units: usize) -> At {
        // SAFETY: code goes on behind every instruction but the last, which never continues.
        At { pc: unsafe { self.pc.add(units) }, base: self.base }
    }

    /// Relative to this pc, in units.
    #[inline(always)]
    pub fn jump(self, units: i32) -> At {
        At { pc: self.pc.wrapping_offset(units as isize), base: self.base }
    }

    #[inline(always)]
    pub fn reg(self, i: usize) -> Value {
        // SAFETY: the verifier has checked register numbers against the frame's size, and that
        // what is read was written.
        unsafe { *self.base.add(i) }
    }

    #[inline(always)]
    pub fn set(self, i: usize, v: Value) {
        // SAFETY: as in `reg`.
        unsafe { *self.base.add(i) = v }
    }

    /// Operand bytes of the instruction.
    #[inline(always)]
    pub fn a(self) -> usize {
        self.byte(1)
    }
    #[inline(always)]
    pub fn b(self) -> usize {
        self.byte(2)
    }
    #[inline(always)]
    pub fn c(self) -> usize {
        self.byte(3)
    }
    #[inline(always)]
    fn byte(self, i: usize) -> usize {
        // SAFETY: pc is an instruction's address.
        unsafe { *self.pc.cast::<u8>().add(i) as usize }
    }
    /// First register of the window in a and c.
    #[inline(always)]
    pub fn window(self) -> usize {
        self.a() | self.c() << 8
    }
    /// The second unit.
    #[inline(always)]
    pub fn extra(self) -> u32 {
        // SAFETY: only asked of instructions that have one.
        unsafe { *self.pc.add(1) }
    }
    /// The thing at the byte offset in the second unit.
    #[inline(always)]
    pub fn extra_ptr<T>(self) -> *const T {
        // SAFETY: the loader has put offsets into the block there.
        unsafe { self.pc.byte_add(self.extra() as usize).cast() }
    }
    /// The constant or name of the second unit.
    #[inline(always)]
    pub fn extra_value(self) -> Value {
        // SAFETY: the loader has put a value there.
        unsafe { *self.extra_ptr::<Value>() }
    }
    /// The name of the second unit.
    #[inline(always)]
    pub fn extra_name(self) -> crate::object::Ref<crate::types::str::Str> {
        // SAFETY: the loader has put an interned string there.
        unsafe { self.extra_value().cast_unchecked() }
    }
    /// Values in a row of registers.
    ///
    /// The slice is good while the frame does not run on.
    #[inline(always)]
    pub fn row<'a>(self, first: usize, n: usize) -> &'a [Value] {
        // SAFETY: as in `reg`; chunks do not move.
        unsafe { std::slice::from_raw_parts(self.base.add(first), n) }
    }
}

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

/// Publishes the frame's state: to be called by every slow path first.
#[inline(always)]
pub fn publish(vm: &Vm, at: At) {
    vm.frame.pc.set(at.pc);
    vm.frame.base.set(at.base);
}

/// Goes on with the result, or unwinds from the published instruction.
#[inline(always)]
pub fn or_unwind(vm: &Vm, r: R<At>) -> At {
    match r {
        Ok(at) => at,
        Err(Raised) => unwind::unwind(vm, At { pc: vm.frame.pc.get(), base: vm.frame.base.get() }),
    }
}

/// Raises the pending exception at the call behind which `resume` goes on.
pub fn raise_at(vm: &Vm, resume: At) -> At {
    unwind::unwind(vm, At { pc: resume.pc.wrapping_sub(1), base: resume.base })
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
    let result = dispatch::run(vm, start);
    // SAFETY: as above: the loop comes back in the context that it was entered in, since only a
    // frame of that context has this Exit.
    let depth = unsafe { &(*ctx).native_depth };
    depth.set(depth.get() - 1);
    result
}

/// Runs a context's frames, switching softly among contexts, until an Exit frame of this loop returns.
pub fn run_loop(vm: &Vm, start: At) -> R<Value> {
    dispatch::run(vm, start)
}
