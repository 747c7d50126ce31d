//! The module `atexit`.

use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{Args, R, Value, Vm};
use std::cell::Cell;

native_functions! { FUNCTIONS:
    "register(func, /, *args, **kwargs)" => register, "Register a function to be executed upon normal program termination.";
    "unregister(func, /)" => unregister;
    "_run_exitfuncs()" => run_exitfuncs;
    "_clear()" => clear;
    "_ncallbacks()" => count;
}

/// The list of (function, arguments, keyword names) tuples, which a root keeps.
#[derive(Default)]
struct State {
    list: Cell<Option<Ref<List>>>,
}

fn list(vm: &Vm) -> R<Ref<List>> {
    let state = vm.state::<State>();
    if let Some(l) = state.list.get() {
        return Ok(l);
    }
    let l = List::with_capacity(vm, 0)?;
    vm.roots.borrow_mut().push(l.value());
    state.list.set(Some(l));
    Ok(l)
}

fn register(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(&f) = args.positional().first() else {
        return Err(vm.type_error("register() takes at least 1 argument (0 given)"));
    };
    if vm.type_of(f).special(vm, skein_bytecode::Special::Call).is_none() {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let (all, names) = args.parts();
    let row = Tuple::new(vm, all)?;
    let entry = vm.tuple(&[row.value(), names.map_or(Value::NONE, Value::from)])?;
    list(vm)?.push(vm, entry)?;
    Ok(f)
}

fn unregister(vm: &Vm, f: Value) -> R<()> {
    let l = list(vm)?;
    let mut i = 0;
    while let Some(entry) = l.get(i) {
        let own = entry.cast::<Tuple>().and_then(|e| e.items()[0].cast::<Tuple>()).map(|r| r.items()[0]);
        if let Some(own) = own
            && vm.eq(own, f)?
        {
            l.splice(vm, i, i + 1, &[])?;
        } else {
            i += 1;
        }
    }
    Ok(())
}

fn clear(vm: &Vm) -> R<()> {
    list(vm)?.clear();
    Ok(())
}

fn count(vm: &Vm) -> R<usize> {
    Ok(list(vm)?.len())
}

fn run_exitfuncs(vm: &Vm) {
    run(vm);
}

/// Runs the functions, the last one first. Their exceptions are reported.
pub fn run(vm: &Vm) {
    let Ok(l) = list(vm) else { return };
    while let Some(entry) = l.pop() {
        let Some(entry) = entry.cast::<Tuple>() else { continue };
        let Some(row) = entry.items()[0].cast::<Tuple>() else { continue };
        let names = entry.items()[1].cast::<Tuple>();
        let f = row.items()[0];
        if vm.call_args(f, Args::new(&row.items()[1..], names)).is_err() {
            report(vm, f);
        }
    }
}

/// Shows the pending exception.
fn report(vm: &Vm, f: Value) {
    let e = vm.pending.take();
    let shown = vm.repr_string(f).unwrap_or_else(|_| "<unknown>".into());
    vm.pending.set(e);
    vm.unraisable(Some(&format!("Exception ignored in atexit callback {shown}")), Value::NONE);
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "atexit", FUNCTIONS)
}
