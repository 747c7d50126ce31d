//! `sys.settrace` and `sys.setprofile`: functions of a thread, told of events by the two tools that they are.

use super::{Events, PROFILE, TRACE, event};
use crate::interp::frame_object;
use crate::object::{Ref, Tracer};
use crate::threads::state::ThreadState;
use crate::types::frame::{FrameObject, Shown};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// What a thread has of tracing.
#[derive(Default)]
pub struct Tracing {
    pub trace: Cell<Option<Value>>,
    pub profile: Cell<Option<Value>>,
    /// Callbacks that it is in: nothing is told of what they do.
    pub inside: Cell<u32>,
    /// What a trace or profile function is being told of, and the frame.
    pub telling: Cell<Option<(&'static str, Value)>>,
}

impl Tracing {
    /// Exchanges what two have: a microthread with functions of its own goes on, or is left.
    pub fn swap(&self, other: &Tracing) {
        self.trace.swap(&other.trace);
        self.profile.swap(&other.profile);
        self.inside.swap(&other.inside);
        self.telling.swap(&other.telling);
    }

    /// Has it neither functions nor a callback that runs?
    pub fn is_empty(&self) -> bool {
        self.trace.get().is_none() && self.profile.get().is_none() && self.inside.get() == 0
    }

    pub fn function(&self, which: Legacy) -> Option<Value> {
        match which {
            Legacy::Trace => self.trace.get(),
            Legacy::Profile => self.profile.get(),
        }
    }

    pub fn trace(&self, t: &mut Tracer<'_>) {
        let telling = self.telling.get().map(|(_, frame)| frame);
        for v in [self.trace.get(), self.profile.get(), telling].into_iter().flatten() {
            t.visit_word(v.bits());
        }
    }
}

/// Which of the two functions.
#[derive(Clone, Copy, PartialEq)]
pub enum Legacy {
    Trace,
    Profile,
}

/// The events that the trace function hears of.
const TRACED: u32 = event::PY_START
    | event::PY_RESUME
    | event::PY_RETURN
    | event::PY_YIELD
    | event::LINE
    | event::JUMP
    | event::RAISE
    | event::STOP_ITERATION
    | event::PY_UNWIND
    | event::PY_THROW;

/// Those that the profile function hears of.
const PROFILED: u32 = event::PY_START
    | event::PY_RESUME
    | event::PY_RETURN
    | event::PY_YIELD
    | event::CALL
    | event::C_RETURN
    | event::C_RAISE
    | event::PY_UNWIND
    | event::PY_THROW;

impl Events {
    /// Has any thread, or a microthread that does not run, a trace or profile function?
    #[inline(always)]
    pub fn has_functions(&self) -> bool {
        self.tracers.get() + self.profilers.get() > 0
    }

    /// Sets a function of a thread; the running one's if None. MemoryError.
    pub fn set_legacy(
        &self,
        vm: &Vm,
        thread: Option<&ThreadState>,
        which: Legacy,
        f: Option<Value>,
    ) -> R<()> {
        self.set_function(vm, thread.map_or(&self.tracing, ThreadState::saved_tracing), which, f)
    }

    /// Sets a function where it is kept: for a thread, or for a microthread that does not run. MemoryError.
    pub fn set_function(&self, vm: &Vm, tracing: &Tracing, which: Legacy, f: Option<Value>) -> R<()> {
        let (slot, count, tool, events) = match which {
            Legacy::Trace => (&tracing.trace, &self.tracers, TRACE, TRACED),
            Legacy::Profile => (&tracing.profile, &self.profilers, PROFILE, PROFILED),
        };
        let old = slot.replace(f);
        count.set(count.get() + usize::from(f.is_some()) - usize::from(old.is_some()));
        self.set_wanted(vm, tool, if count.get() > 0 { events } else { 0 })
    }

    /// The running thread, or microthread with functions of its own, ends.
    pub fn end_thread(&self, vm: &Vm) {
        for which in [Legacy::Trace, Legacy::Profile] {
            if self.set_legacy(vm, None, which, None).is_err() {
                vm.pending.take();
            }
        }
        self.tracing.inside.set(0);
    }
}

/// Counts as being inside of a callback while it lives.
pub(super) struct Inside<'a>(&'a Tracing);

impl<'a> Inside<'a> {
    pub fn new(vm: &'a Vm) -> Inside<'a> {
        let tracing = &vm.events.tracing;
        tracing.inside.set(tracing.inside.get() + 1);
        Inside(tracing)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.set(self.0.inside.get().saturating_sub(1));
    }
}

/// Calls the trace function with an event of the running frame, which is shown at this place.
pub(super) fn trace(
    vm: &Vm,
    base: *mut Value,
    what: &'static str,
    arg: Value,
    shown: Option<Shown>,
) -> R<()> {
    let Some(global) = vm.events.tracing.trace.get() else { return Ok(()) };
    trace_frame(vm, global, frame_object(vm, base)?, what, arg, shown)
}

/// As [`trace`], for those who have the thread's function and the frame.
pub(super) fn trace_frame(
    vm: &Vm,
    global: Value,
    frame: Ref<FrameObject>,
    what: &'static str,
    arg: Value,
    shown: Option<Shown>,
) -> R<()> {
    let f = match what {
        "call" => Some(global),
        _ => frame.trace_function.get(),
    };
    let Some(f) = f else { return Ok(()) };
    if frame.wants_opcodes() {
        let code = frame.code();
        let events = code.local_events(TRACE);
        if events & event::INSTRUCTION == 0 {
            code.set_local_events(vm, TRACE, events | event::INSTRUCTION)?;
        }
    }
    match call(vm, f, frame, what, arg, shown) {
        Ok(v) => {
            if !v.is_none() && !frame.trace_function.get().is_some_and(|old| old.is(v)) {
                frame.trace_function.set(vm, frame, v);
            }
            Ok(())
        }
        Err(Raised) => {
            let e = vm.pending.take();
            frame.trace_function.set(vm, frame, None);
            vm.events.set_legacy(vm, None, Legacy::Trace, None)?;
            vm.pending.set(e);
            Err(Raised)
        }
    }
}

/// Calls the profile function with an event of the running frame.
pub(super) fn profile(
    vm: &Vm,
    base: *mut Value,
    what: &'static str,
    arg: Value,
    shown: Option<Shown>,
) -> R<()> {
    let Some(f) = vm.events.tracing.profile.get() else { return Ok(()) };
    let frame = frame_object(vm, base)?;
    match call(vm, f, frame, what, arg, shown) {
        Ok(_) => Ok(()),
        Err(Raised) => {
            let e = vm.pending.take();
            vm.events.set_legacy(vm, None, Legacy::Profile, None)?;
            vm.pending.set(e);
            Err(Raised)
        }
    }
}

fn call(
    vm: &Vm,
    f: Value,
    frame: Ref<FrameObject>,
    what: &'static str,
    arg: Value,
    shown: Option<Shown>,
) -> R<Value> {
    let _inside = Inside::new(vm);
    let name = match what {
        "line" => vm.names.line.value(),
        "call" => vm.names.call.value(),
        _ => vm.intern(what)?.value(),
    };
    let before = frame.shown();
    if shown.is_some() {
        frame.show(shown);
    }
    let told = vm.events.tracing.telling.replace(Some((what, frame.value())));
    let r = vm.call(f, &[frame.value(), name, arg]);
    vm.events.tracing.telling.set(told);
    frame.show(before);
    r
}
