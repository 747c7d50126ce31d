//! The import core: built-in modules, the packaged library, and files.

use crate::native::NativeDef;
use crate::object::Ref;
use crate::types::code::{load, specialise_for_globals};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::module::Module;
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::{Compile, Mode, Vm};
use skein_bytecode::Code;
use std::rc::Rc;

/// Runs code with this namespace as globals and locals.
pub fn run_code(vm: &Vm, code: Rc<Code>, globals: Ref<Dict>) -> R<Value> {
    let code = load(vm, code)?;
    specialise_for_globals(code);
    if globals.get_str(vm, vm.names.__builtins__)?.is_none()
        && let Some(m) = vm.modules.get()
        && let Some(b) = m.get_str(vm, vm.names.builtins)?
    {
        globals.set_str(vm, vm.names.__builtins__, b)?;
    }
    let f = Function::new(vm, code, globals)?;
    vm.call(f.value(), &[globals.value()])
}

/// Compiles and runs source text as the module `__main__`.
pub fn run_main(vm: &Vm, source: &[u8], filename: &str) -> R<Value> {
    let main = Module::new(vm, "__main__")?;
    if let Some(m) = vm.modules.get() {
        m.set_name(vm, "__main__", main.value())?;
    }
    main.dict().set_name(vm, "__file__", vm.str(filename)?)?;
    let what = Compile { source, filename, mode: Mode::Exec, optimize: vm.config.optimize, future_flags: 0 };
    let code = vm.hooks.clone().compile(vm, &what)?;
    super::run_program(vm, code, main.dict())
}

/// `import name`: the module of that (dotted) name.
pub fn import(vm: &Vm, name: &str) -> R<Value> {
    let Some(modules) = vm.modules.get() else { return Err(vm.import_error("sys.modules is gone")) };
    if let Some(m) = modules.get_name(vm, name)? {
        return Ok(m);
    }
    import_module_object(vm, name, modules)
}

pub fn import_module_object(vm: &Vm, name: &str, modules: Ref<Dict>) -> R<Value> {
    let hooks = vm.hooks.clone();
    if let Some((_, make)) = super::BUILTIN_MODULES.iter().find(|(n, _)| *n == name) {
        let m = make(vm)?;
        modules.set_name(vm, name, m.value())?;
        return Ok(m.value());
    }
    if let Some(m) = hooks.native_module(vm, name)? {
        modules.set_name(vm, name, m)?;
        return Ok(m);
    }
    let Some((code, is_package)) = hooks.packaged_module(vm, name)? else {
        return Err(vm.raise_text(vm.exc.module_not_found_error, &format!("No module named '{name}'")));
    };
    let module = Module::new(vm, name)?;
    module.dict().set_name(vm, "__file__", vm.str(&code.filename)?)?;
    if is_package {
        let path = crate::types::list::List::new(vm, &[])?;
        module.dict().set_name(vm, "__path__", path.value())?;
    }
    let package = if is_package { name } else { name.rsplit_once('.').map_or("", |(p, _)| p) };
    module.dict().set_name(vm, "__package__", vm.str(package)?)?;
    modules.set_name(vm, name, module.value())?;
    if let Err(e) = run_code(vm, code, module.dict()) {
        let pending = vm.pending.take();
        modules.delete_str(vm, vm.intern(name)?)?;
        vm.pending.set(pending);
        return Err(e);
    }
    Ok(modules.get_name(vm, name)?.unwrap_or(module.value()))
}

/// `__import__`.
pub fn import_builtin(
    vm: &Vm,
    name: Ref<Str>,
    _globals: Option<Value>,
    _locals: Option<Value>,
    fromlist: Option<Value>,
    _level: Option<i64>,
) -> R<Value> {
    let text = name.to_string_lossy().into_owned();
    let m = import(vm, &text)?;
    match fromlist {
        Some(f) if vm.truth(f)? => Ok(m),
        _ => match text.split_once('.') {
            Some((first, _)) => import(vm, first),
            None => Ok(m),
        },
    }
}

/// A module of native functions.
pub fn register_native_module(vm: &Vm, name: &str, functions: &'static [NativeDef]) -> R<Ref<Module>> {
    let m = Module::new(vm, name)?;
    super::add_functions(vm, m, functions)?;
    Ok(m)
}
