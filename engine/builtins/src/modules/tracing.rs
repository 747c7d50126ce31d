//! `sys.settrace` and its like.

use skein_runtime::events::Legacy;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "settrace(function, /)" => |vm: &Vm, f: Value| set(vm, Legacy::Trace, f), "Set the global debug tracing function.\n\nIt will be called on each function call.  See the debugger chapter\nin the library manual.";
    "gettrace()" => |vm: &Vm| vm.events.tracing.trace.get(), "Return the global debug tracing function set with sys.settrace.\n\nSee the debugger chapter in the library manual.";
    "setprofile(function, /)" => |vm: &Vm, f: Value| set(vm, Legacy::Profile, f), "Set the profiling function.\n\nIt will be called on each function call and return.  See the profiler\nchapter in the library manual.";
    "getprofile()" => |vm: &Vm| vm.events.tracing.profile.get(), "Return the profiling function set with sys.setprofile.\n\nSee the profiler chapter in the library manual.";
    "_settraceallthreads(function, /)" => |vm: &Vm, f: Value| set_all(vm, Legacy::Trace, f), "Set the global debug tracing function in all running threads belonging to the current interpreter.\n\nIt will be called on each function call. See the debugger chapter\nin the library manual.";
    "_setprofileallthreads(function, /)" => |vm: &Vm, f: Value| set_all(vm, Legacy::Profile, f), "Set the profiling function in all running threads belonging to the current interpreter.\n\nIt will be called on each function call and return.  See the profiler\nchapter in the library manual.";
    "call_tracing(func, args, /)" => call_tracing, "Call func(*args), while tracing is enabled.\n\nThe tracing state is saved, and restored afterwards.  This is intended\nto be called from a debugger from a checkpoint, to recursively debug\nsome other code.";
}

fn tell(vm: &Vm, which: Legacy) -> R<()> {
    vm.audit(if which == Legacy::Trace { "sys.settrace" } else { "sys.setprofile" }, || vm.tuple(&[]))
}

fn set(vm: &Vm, which: Legacy, f: Value) -> R<()> {
    tell(vm, which)?;
    vm.events.set_legacy(vm, None, which, (!f.is_none()).then_some(f))
}

fn set_all(vm: &Vm, which: Legacy, f: Value) -> R<()> {
    tell(vm, which)?;
    let running = vm.threads.current();
    for thread in vm.threads.all() {
        let other = (thread.serial != running.serial).then_some(&*thread);
        vm.events.set_legacy(vm, other, which, (!f.is_none()).then_some(f))?;
    }
    Ok(())
}

/// As if it were not called from a trace function.
fn call_tracing(vm: &Vm, f: Value, args: Ref<Tuple>) -> R<Value> {
    /// Puts it back also if the call panics.
    struct Back<'a>(&'a Vm, u32);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.events.tracing.inside.set(self.1);
        }
    }
    let _back = Back(vm, vm.events.tracing.inside.replace(0));
    vm.call(f, args.items())
}

/// MemoryError.
pub fn install(vm: &Vm, sys: Ref<Module>) -> R<()> {
    skein_runtime::types::module::add_functions(vm, sys, FUNCTIONS)
}
