//! The modules written in Rust that the engine itself needs.

pub mod builtins;
mod builtins_iteration;
mod builtins_numbers;
mod builtins_objects;
mod classes;
mod collections;
pub mod contextvars;
mod functools;
mod gc;
mod import;
mod itertools;
mod math;
mod operator;
mod oserror;
mod program;
mod signal;
mod string;
pub mod structseq;
mod sys;
mod sys_hooks;
mod time;
mod typing;

pub(crate) use crate::methods::generic::union::make_union;
pub(crate) use crate::methods::{default_getstate, reduce_2};
pub use builtins_objects::{builtin, texts};
pub use import::{
    LIBRARY, Main, MainCode, MainMissing, import, main_code, main_namespace, run_code, run_main,
};
pub use oserror::strerror;
pub use program::run_program;
pub use signal::{install_interrupt, run_signal_handlers};
pub use sys::{Finalizing, IntMaxDigits, MAX_DIGITS_THRESHOLD, VERSION, namespace, version_text};
pub(crate) use typing::{call_typing, is_alias, typing_intrinsic};

use crate::native::NativeDef;
use crate::object::Ref;
use crate::types::module::Module;
use crate::types::native::NativeFunction;
use crate::value::R;
use crate::vm::Vm;

/// Makes a module at its first import.
pub type MakeModule = fn(&Vm) -> R<Ref<Module>>;

/// The modules of this crate that are made when they are imported.
pub(crate) const BUILTIN_MODULES: &[(&str, MakeModule)] = &[
    ("_collections", collections::make),
    ("_contextvars", contextvars::make),
    ("_functools", functools::make),
    ("_imp", import::make_imp),
    ("_operator", operator::make),
    ("_signal", signal::make),
    ("_string", string::make),
    ("_typing", typing::make),
    ("gc", gc::make),
    ("itertools", itertools::make),
    ("math", math::make),
    ("time", time::make),
];

/// Adds functions to a module. MemoryError.
pub fn add_functions(vm: &Vm, module: Ref<Module>, functions: &'static [NativeDef]) -> R<()> {
    let name = module.dict().get_str(vm, vm.names.__name__)?.unwrap_or(crate::value::Value::NONE);
    for def in functions {
        let f = NativeFunction::function(vm, def, name)?;
        module.dict().set_name(vm, def.name, f.value())?;
    }
    Ok(())
}

/// A module of native functions. MemoryError.
pub fn make_module(vm: &Vm, name: &str, functions: &'static [NativeDef]) -> R<Ref<Module>> {
    let m = Module::new(vm, name)?;
    add_functions(vm, m, functions)?;
    Ok(m)
}

/// Makes the modules that are there from the start.
pub(crate) fn init(vm: &Vm) -> R<()> {
    let modules = crate::types::dict::Dict::new(vm)?;
    vm.modules.set(Some(modules));
    let builtins = builtins::make(vm)?;
    vm.builtins.set(Some(builtins.dict()));
    modules.set_name(vm, "builtins", builtins.value())?;
    let sys = sys::make(vm)?;
    vm.sys_dict.set(Some(sys.dict()));
    modules.set_name(vm, "sys", sys.value())?;
    Ok(())
}
