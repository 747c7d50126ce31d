//! The module `sys`.

use crate::native_functions;
use crate::object::Ref;
use crate::types::list::List;
use crate::types::module::Module;
use crate::value::{R, Value};
use crate::vm::Vm;

native_functions! { pub FUNCTIONS:
    "getrecursionlimit()" => getrecursionlimit;
    "setrecursionlimit(limit, /)" => setrecursionlimit;
    "intern(string, /)" => intern;
}

fn getrecursionlimit(vm: &Vm) -> usize {
    vm.recursion_limit.get()
}

fn setrecursionlimit(vm: &Vm, limit: i64) -> R<()> {
    if limit < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    let depth = crate::interp::Walk::running(vm).count();
    if depth as i64 >= limit {
        return Err(vm.recursion_error(format!(
            "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
        )));
    }
    vm.recursion_limit.set(limit as usize);
    crate::interp::apply_recursion_limit(vm);
    Ok(())
}

fn intern(vm: &Vm, s: Ref<crate::types::str::Str>) -> R<Value> {
    Ok(vm.intern_str(s).value())
}

pub(crate) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "sys")?;
    super::add_functions(vm, m, FUNCTIONS)?;
    let d = m.dict();
    if let Some(modules) = vm.modules.get() {
        d.set_name(vm, "modules", modules.value())?;
    }
    let argv = List::with_capacity(vm, vm.config.argv.len())?;
    for a in &vm.config.argv {
        argv.push(vm, vm.str(a)?)?;
    }
    d.set_name(vm, "argv", argv.value())?;
    Ok(m)
}
