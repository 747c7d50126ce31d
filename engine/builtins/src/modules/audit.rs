//! Audit hooks (PEP 578): functions of a program that are told of events, and may refuse by an exception.

use skein_runtime::native::Args;
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The hooks in their order. They stay until the program ends.
#[derive(Default)]
struct Hooks(Cell<Option<Ref<List>>>);

/// Tells the hooks, if there are any, of an event; the arguments are made only then. What they raise.
#[inline]
pub fn audit(vm: &Vm, event: &str, args: impl FnOnce() -> R<Value>) -> R<()> {
    match vm.state::<Hooks>().0.get() {
        None => Ok(()),
        Some(hooks) => tell(vm, hooks, vm.str(event)?, args()?),
    }
}

#[cold]
fn tell(vm: &Vm, hooks: Ref<List>, event: Value, args: Value) -> R<()> {
    let mut i = 0;
    while let Some(hook) = hooks.get(i) {
        vm.call(hook, &[event, args])?;
        i += 1;
    }
    Ok(())
}

/// `sys.audit`.
pub fn audit_event(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some((&event, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("audit expected at least 1 argument, got 0"));
    };
    if event.cast::<Str>().is_none() {
        let got = vm.type_name(event);
        return Err(vm.type_error(format!("expected str for argument 'event', not {got}")));
    }
    match vm.state::<Hooks>().0.get() {
        None => Ok(()),
        Some(hooks) => tell(vm, hooks, event, vm.tuple(rest)?),
    }
}

/// `sys.addaudithook`. A hook before it that raises RuntimeError keeps it away, silently.
pub fn add_hook(vm: &Vm, hook: Value) -> R<()> {
    let told = audit(vm, "sys.addaudithook", || vm.tuple(&[]));
    if vm.absorb(told, vm.exc.runtime_error)?.is_none() {
        return Ok(());
    }
    let state = vm.state::<Hooks>();
    if let Some(hooks) = state.0.get() {
        return hooks.push(vm, hook);
    }
    let hooks = List::new(vm, &[hook])?;
    vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
        if let Some(hooks) = vm.state::<Hooks>().0.get() {
            t.visit_object(hooks.header());
        }
    });
    state.0.set(Some(hooks));
    Ok(())
}
