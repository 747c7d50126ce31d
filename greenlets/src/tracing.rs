//! `trace_function` and `profile_function` of tasklets: what `sys.settrace` and `sys.setprofile` set belongs to the tasklet that
//! runs, and goes with it. While it does not run it is kept in an object of the tasklet's; otherwise the thread has it.

use crate::across::home;
use crate::switch::Microthreads;
use crate::tasklet::{Task, alive};
use skein_runtime::events::{Legacy, Tracing};
use skein_runtime::native_type;
use skein_runtime::object::{Kind as Layout, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// The functions of a tasklet that does not run.
struct Kept(Tracing);

impl Payload for Kept {
    const NAME: &'static str = "stackless._tracing";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.0.trace(t);
    }
}

native_type! {
    KEPT: "stackless._tracing", Layout::Ext, type_flags::NO_NEW, "The trace and profile function of a tasklet that does not run.";
}

fn kept(t: Task) -> Option<Ref<Ext<Kept>>> {
    t.tracing.cast::<Ext<Kept>>()
}

/// Where the tasklet's functions are kept, made if there is nothing yet. MemoryError.
fn keeper(vm: &Vm, t: Task) -> R<Ref<Ext<Kept>>> {
    if let Some(k) = kept(t) {
        return Ok(k);
    }
    let k = Ext::new(vm, ext_type(vm, &KEPT)?, Kept(Tracing::default()))?;
    t.tracing.set(vm, t, k.value());
    Ok(k)
}

/// The thread's functions are exchanged: those of the tasklet that is left for those of the one that goes on.
#[inline(always)]
pub fn pass(vm: &Vm, from: Option<Task>, to: Task) {
    if vm.events.has_functions() || vm.events.tracing.inside.get() > 0 {
        exchange(vm, from, to);
    }
}

#[cold]
fn exchange(vm: &Vm, from: Option<Task>, to: Task) {
    let here = &vm.events.tracing;
    if from == Some(to) {
        return;
    }
    if !here.is_empty()
        && let Some(from) = from
    {
        let pending = vm.pending.take();
        match keeper(vm, from) {
            Ok(k) => {
                k.0.swap(here);
                vm.heap.write_barrier(k.header());
            }
            Err(Raised) => {
                vm.unraisable(None, from.value());
                vm.events.end_thread(vm);
            }
        }
        vm.pending.set(pending);
    }
    if let Some(k) = kept(to) {
        k.0.swap(here);
        vm.heap.write_barrier(k.header());
    }
}

/// The running tasklet has ended, and its functions with it.
#[inline(always)]
pub fn end(vm: &Vm) {
    if vm.events.has_functions() || vm.events.tracing.inside.get() > 0 {
        vm.events.end_thread(vm);
    }
}

/// A tasklet that does not run is bound anew.
pub fn forget(vm: &Vm, t: Task) {
    let Some(k) = kept(t) else { return };
    for which in [Legacy::Trace, Legacy::Profile] {
        if vm.events.set_function(vm, &k.0, which, None).is_err() {
            vm.pending.take();
        }
    }
    t.tracing.init(None::<Value>);
}

/// Calls `f` with where the tasklet's functions are now: its thread's, if it runs there.
fn with_tracing<T>(vm: &Vm, t: Task, f: impl FnOnce(&Tracing) -> T) -> Option<T> {
    if let Some(micros) = home(vm, t)
        && micros.scheduler.current.get() == Some(t)
    {
        if micros.thread == Microthreads::of(vm).thread {
            return Some(f(&vm.events.tracing));
        }
        if let Some(thread) = vm.threads.by_serial(micros.thread) {
            return Some(f(thread.saved_tracing()));
        }
    }
    kept(t).map(|k| f(&k.0))
}

/// Sets a function of a tasklet that does not run, and may not be able to yet. MemoryError.
pub fn keep(vm: &Vm, t: Task, which: Legacy, f: Option<Value>) -> R<()> {
    let k = keeper(vm, t)?;
    vm.events.set_function(vm, &k.0, which, f)?;
    vm.heap.write_barrier(k.header());
    Ok(())
}

pub fn function_of(vm: &Vm, t: Task, which: Legacy) -> Value {
    with_tracing(vm, t, |tracing| tracing.function(which)).flatten().unwrap_or(Value::NONE)
}

/// RuntimeError for one that is not alive; None takes the function away.
pub fn set_function(vm: &Vm, t: Task, which: Legacy, f: Option<Value>) -> R<()> {
    if !alive(vm, t) {
        return Err(vm.runtime_error("tasklet is not alive"));
    }
    let f = f.filter(|f| !f.is_none());
    if f.is_some() {
        keeper(vm, t)?;
    }
    let set = with_tracing(vm, t, |tracing| vm.events.set_function(vm, tracing, which, f));
    if let Some(k) = kept(t) {
        vm.heap.write_barrier(k.header());
    }
    set.unwrap_or(Ok(()))
}
