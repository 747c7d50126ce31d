//! `_warnings`: the functions that the import system calls. The rest of `warnings` is the library's own.

use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::{Args, R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "warn(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())" => |vm: &Vm, args: Args<'_>| delegate(vm, "warn", args), "Issue a warning, or maybe ignore it or raise an exception.";
    "warn_explicit(message, category, filename, lineno, module=None, registry=None, module_globals=None, source=None)" => |vm: &Vm, args: Args<'_>| delegate(vm, "warn_explicit", args), "Issue a warning, or maybe ignore it or raise an exception.";
}

fn delegate(vm: &Vm, name: &str, args: Args<'_>) -> R<Value> {
    let f = vm.get_attr_str(import(vm, "warnings")?, name)?;
    vm.call_args(f, args)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_warnings", FUNCTIONS)
}
