//! The modules written in Rust that the library is built on.

mod ast;
mod atexit;
mod errno;
mod io;
mod posix;
mod resource;
mod select;
mod site;
mod socket;
mod thread;
mod weakref;

use skein_runtime::modules::MakeModule;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub use weakref::cleared as weak_cleared;

/// Made when they are imported.
const MODULES: &[(&str, MakeModule)] = &[
    ("_ast", ast::make),
    ("atexit", atexit::make),
    ("errno", errno::make),
    ("_io", io::make),
    ("posix", posix::make),
    ("resource", resource::make),
    ("select", select::make),
    ("_socket", socket::make),
    ("_thread", thread::make),
    ("_weakref", weakref::make),
];

/// The module of that name, if it is one of this crate's.
pub fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    match MODULES.iter().find(|(n, _)| *n == name) {
        Some((_, make)) => make(vm).map(|m| Some(m.value())),
        None => Ok(None),
    }
}

/// Their names.
pub fn native_module_names() -> Vec<&'static str> {
    MODULES.iter().map(|(n, _)| *n).collect()
}

/// What a program finds without importing: the standard streams, and `exit` and its like.
pub fn install(vm: &Vm) -> R<()> {
    io::install(vm)?;
    if vm.config.no_site { Ok(()) } else { site::install(vm) }
}

/// The end of a program: exit functions, then the standard streams' buffers. False: output was lost.
pub fn finish(vm: &Vm) -> bool {
    atexit::run(vm);
    io::flush_standard(vm)
}
