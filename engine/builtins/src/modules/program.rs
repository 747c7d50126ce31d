//! Running a program's top-level code.

use skein_bytecode::CodeRef;
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::code::{load, specialise_for_globals};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::{BoundMethod, Function};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// Runs code as the isolate's main program, with this namespace as globals and locals: on the
/// switcher's stacks, so that the main program is a microthread like others.
pub fn run_program(vm: &Vm, code: CodeRef, globals: Ref<Dict>) -> R<Value> {
    let f = program_function(vm, code, globals)?;
    vm.switcher().run_program(vm, f, Args::new(&[], None))
}

/// A callable without parameters that runs the code in this namespace.
fn program_function(vm: &Vm, code: CodeRef, globals: Ref<Dict>) -> R<Value> {
    let code = load(vm, code)?;
    specialise_for_globals(vm, code)?;
    if globals.get_str(vm, vm.names.__builtins__)?.is_none()
        && let Some(m) = vm.modules.get()
        && let Some(b) = m.get_str(vm, vm.names.builtins)?
    {
        globals.set_str(vm, vm.names.__builtins__, b)?;
    }
    let f = Function::new(vm, code, globals)?;
    // Module code takes its namespace as an argument.
    Ok(BoundMethod::new(vm, f.value(), globals.value())?.value())
}
