//! `sys.audit` and `sys.addaudithook`.

use skein_runtime::native::Args;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `sys.audit`.
pub fn audit_event(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some((&event, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("audit expected at least 1 argument, got 0"));
    };
    if event.cast::<Str>().is_none() {
        let got = vm.type_name(event);
        return Err(vm.type_error(format!("expected str for argument 'event', not {got}")));
    }
    match vm.audit_hooks.get() {
        None => Ok(()),
        Some(hooks) => vm.audit_with(hooks, event, vm.tuple(rest)?),
    }
}

/// `sys.addaudithook`. A hook before it that raises RuntimeError keeps it away, silently.
pub fn add_hook(vm: &Vm, hook: Value) -> R<()> {
    let told = vm.audit("sys.addaudithook", || vm.tuple(&[]));
    if vm.absorb(told, vm.exc.runtime_error)?.is_none() {
        return Ok(());
    }
    let hooks = vm.audit_hooks.get();
    let before = hooks.as_ref().map_or(&[][..], |hooks| hooks.items());
    let mut row = vm.buffer(before.len() + 1)?;
    row.extend_from_slice(before);
    row.push(hook);
    vm.audit_hooks.set(Some(Tuple::new(vm, &row)?));
    Ok(())
}
