//! `_imp`: what the packaged `importlib` asks of the machine.

use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "lock_held()" => lock_held;
    "_override_frozen_modules_for_tests(override, /)" => |_: &Vm, _: Value| ();
    "_override_multi_interp_extensions_check(override, /)" => |_: &Vm, _: Value| 0i64;
    "acquire_lock()" => acquire_lock;
    "release_lock()" => release_lock;
    "is_builtin(name, /)" => is_builtin;
    "is_frozen(name, /)" => is_frozen;
    "is_frozen_package(name, /)" => is_frozen;
    "create_builtin(spec, /)" => create_builtin;
    "exec_builtin(mod, /)" => exec_builtin;
    "exec_dynamic(mod, /)" => exec_builtin;
    "extension_suffixes()" => extension_suffixes;
    "_fix_co_filename(code, path, /)" => fix_co_filename;
    "find_frozen(name, /, *, withdata=False)" => find_frozen;
}

/// A context has the isolate for itself while it imports: nothing to lock.
fn lock_held(_: &Vm) -> bool {
    false
}

fn acquire_lock(_: &Vm) {}

fn release_lock(_: &Vm) {}

fn is_builtin(vm: &Vm, name: Ref<Str>) -> i64 {
    let name = name.to_string_lossy();
    let own = super::super::BUILTIN_MODULES.iter().any(|(n, _)| *n == name);
    i64::from(own || vm.hooks.clone().native_module_names().iter().any(|n| *n == name))
}

fn is_frozen(_: &Vm, _name: Ref<Str>) -> bool {
    false
}

fn create_builtin(vm: &Vm, spec: Value) -> R<Value> {
    let name = vm.str_string(vm.get_attr(spec, vm.names.name)?)?;
    Ok(super::native_module(vm, &name)?.unwrap_or(Value::NONE))
}

fn exec_builtin(_: &Vm, _module: Value) -> i64 {
    0
}

fn extension_suffixes(vm: &Vm) -> R<Ref<List>> {
    List::with_capacity(vm, 0)
}

/// Code objects keep the name they were compiled with.
fn fix_co_filename(_: &Vm, _code: Value, _path: Value) {}

fn find_frozen(_: &Vm, _name: Value, _withdata: Option<Value>) {}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "_imp")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    m.dict().set_name(vm, "check_hash_based_pycs", vm.str("default")?)?;
    m.dict().set_name(vm, "pyc_magic_number_token", Value::small_int(0))?;
    Ok(m)
}
