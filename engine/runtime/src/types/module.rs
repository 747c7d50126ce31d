//! Modules.

use crate::fixed_object;
use crate::native::NativeDef;
use crate::object::{Field, Header, Ref};
use crate::types::code::{load, specialise_for_globals};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::native::NativeFunction;
use crate::value::{R, Value};
use crate::vm::{Compile, Mode, Vm};
use skein_bytecode::CodeRef;

/// A module; its attributes are its dictionary, whose values lie in cells.
#[repr(C)]
pub struct Module {
    header: Header,
    dict: Field,
}
fixed_object!(Module, Module, [dict]);

impl Module {
    /// A module with its name and the usual attributes set to None. MemoryError.
    pub fn new(vm: &Vm, name: &str) -> R<Ref<Module>> {
        Module::with_shape(vm, name, vm.types.module.root_shape_id())
    }

    /// As [`Module::new`], for a subclass. MemoryError.
    pub fn with_shape(vm: &Vm, name: &str, shape: u32) -> R<Ref<Module>> {
        let dict = Dict::new_globals(vm)?;
        let module = vm.alloc_fixed::<Module>(shape)?;
        module.dict.init(dict.value());
        dict.set_name(vm, "__name__", vm.str(name)?)?;
        for attr in ["__doc__", "__package__", "__loader__", "__spec__"] {
            dict.set_name(vm, attr, Value::NONE)?;
        }
        Ok(module)
    }

    /// A module of this class with an empty dictionary. MemoryError.
    pub fn bare(vm: &Vm, ty: Ref<crate::types::typeobj::Type>) -> R<Ref<Module>> {
        let dict = Dict::new_globals(vm)?;
        let module = vm.alloc_instance::<Module>(ty)?;
        module.dict.init(dict.value());
        Ok(module)
    }

    #[inline(always)]
    pub fn dict(&self) -> Ref<Dict> {
        // SAFETY: set at creation.
        unsafe { self.dict.value().cast_unchecked() }
    }
}

/// Makes a module at its first import.
pub type MakeModule = fn(&Vm) -> R<Ref<Module>>;

/// Adds functions to a module. MemoryError.
pub fn add_functions(vm: &Vm, module: Ref<Module>, functions: &'static [NativeDef]) -> R<()> {
    let name = module.dict().get_str(vm, vm.names.__name__)?.unwrap_or(Value::NONE);
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

/// Runs code with this namespace as globals and locals.
pub fn run_code(vm: &Vm, code: CodeRef, globals: Ref<Dict>) -> R<Value> {
    let code = load(vm, code)?;
    specialise_for_globals(vm, code)?;
    // Not what a program may have put into sys.modules under the name.
    if globals.get_str(vm, vm.names.__builtins__)?.is_none()
        && let Some(b) = vm.builtins.get()
    {
        globals.set_str(vm, vm.names.__builtins__, b.value())?;
    }
    let f = Function::new(vm, code, globals)?;
    vm.call(f.value(), &[globals.value()])
}

/// Runs the part of a native module that is written in Python, in its namespace. What the source raises.
pub fn run_source(vm: &Vm, module: Ref<Module>, name: &str, source: &str) -> R<()> {
    let what = Compile {
        source: source.as_bytes(),
        filename: &format!("<frozen {name}>"),
        mode: Mode::Exec,
        optimize: vm.config.optimize,
        flags: 0,
        decoded: true,
    };
    let code = vm.hooks.clone().compile(vm, &what)?;
    run_code(vm, code, module.dict()).map(|_| ())
}
