//! The modules written in Rust that the engine itself needs.

pub mod builtins;
mod builtins_iteration;
mod builtins_numbers;
mod classes;
mod import;
mod math;
mod pending;
mod program;
mod sys;

pub use classes::class_step;
pub use import::{import, import_module_object, register_native_module, run_main};
pub use pending::*;
pub use program::run_program;

use crate::native::NativeDef;
use crate::object::Ref;
use crate::types::module::Module;
use crate::types::native::NativeFunction;
use crate::value::R;
use crate::vm::Vm;

/// Makes a module at its first import.
pub type MakeModule = fn(&Vm) -> R<Ref<Module>>;

/// The modules of this crate that are made when they are imported.
pub(crate) const BUILTIN_MODULES: &[(&str, MakeModule)] = &[("math", math::make)];

/// Adds functions to a module. MemoryError.
pub fn add_functions(vm: &Vm, module: Ref<Module>, functions: &'static [NativeDef]) -> R<()> {
    let name = module.dict().get_str(vm, vm.names.__name__)?.unwrap_or(crate::value::Value::NONE);
    for def in functions {
        let f = NativeFunction::function(vm, def, name)?;
        module.dict().set_name(vm, def.name, f.value())?;
    }
    Ok(())
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
