//! The modules written in Rust that the engine itself needs.

mod anext;
mod audit;
pub mod builtins;
pub(crate) mod builtins_iteration;
mod builtins_numbers;
mod builtins_objects;
mod classes;
pub mod collections;
pub mod contextvars;
mod functools;
mod gc;
pub mod hosted;
mod import;
mod itertools;
mod math;
mod monitoring;
mod namespace;
mod operator;
mod program;
mod prompt;
mod signal;
mod signal_sets;
pub mod streams;
mod string;
pub mod structseq;
mod sys;
mod sys_hooks;
mod time;
mod tracing;
mod types_module;
mod typing;

pub(crate) use crate::types::generic::union::make_union;
pub(crate) use crate::types::{default_getstate, reduce_2};
pub use builtins_objects::{source_text as program_source, texts};
pub use import::{Main, MainCode, MainMissing, import, main_code, main_namespace, run_code, run_main};
pub use namespace::namespace;
pub use program::run_program;
pub use signal::{attach_signal, install_interrupt, run_signal_handlers, trip_signal};
pub use sys::{IntMaxDigits, MAX_DIGITS_THRESHOLD, VERSION, version_text};
pub(crate) use typing::{call_typing, is_alias, typing_intrinsic};

use skein_runtime::types::module::MakeModule;
use skein_runtime::value::R;
use skein_runtime::vm::Vm;

/// The modules of this crate that are made when they are imported.
pub(crate) const BUILTIN_MODULES: &[(&str, MakeModule)] = &[
    ("_collections", collections::make),
    ("_contextvars", contextvars::make),
    ("_functools", functools::make),
    ("_imp", import::make_imp),
    ("_operator", operator::make),
    ("_signal", signal::make),
    ("_string", string::make),
    ("_types", types_module::make),
    ("_typing", typing::make),
    ("gc", gc::make),
    ("itertools", itertools::make),
    ("math", math::make),
    ("time", time::make),
];

/// Makes the modules that are there from the start.
pub(crate) fn init(vm: &Vm) -> R<()> {
    let modules = skein_runtime::types::dict::Dict::new(vm)?;
    vm.modules.set(Some(modules));
    let builtins = builtins::make(vm)?;
    vm.builtins.set(Some(builtins.dict()));
    modules.set_name(vm, "builtins", builtins.value())?;
    let sys = sys::make(vm)?;
    vm.sys_dict.set(Some(sys.dict()));
    modules.set_name(vm, "sys", sys.value())?;
    Ok(())
}
