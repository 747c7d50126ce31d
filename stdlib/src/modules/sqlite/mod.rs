//! `_sqlite`: what `_sqlite3`, which is in Python, needs of SQLite. Connections, statements and blobs are bare here; what
//! programs see is made of them in `stdlib/python/_sqlite3`.

mod blob;
mod callbacks;
mod database;
mod statement;
mod values;

use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Raised, Value, Vm, native_functions};
use skein_sqlite::Fault;
use std::cell::Cell;
use std::ffi::CString;

native_functions! { FUNCTIONS:
    "complete_statement(statement)" => |vm: &Vm, sql: Ref<Str>| -> R<bool> { Ok(skein_sqlite::complete_statement(&c_text(vm, sql)?)) }, "Checks if a string contains a complete SQL statement.";
    "enable_callback_tracebacks(enable, /)" => |vm: &Vm, on: Value| -> R<()> { vm.state::<Tracebacks>().0.set(vm.truth(on)?); Ok(()) }, "Enable or disable callback functions throwing errors to stderr.";
}

/// Whether exceptions of callbacks are shown.
#[derive(Default)]
struct Tracebacks(Cell<bool>);

/// Text for SQLite. ValueError, UnicodeEncodeError.
fn c_text(vm: &Vm, s: Ref<Str>) -> R<CString> {
    CString::new(utf8(vm, s)?).map_err(|_| vm.value_error("embedded null character"))
}

/// Text in UTF-8. UnicodeEncodeError.
fn utf8(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    if std::str::from_utf8(s.bytes()).is_err() {
        // Raises what is wrong with it.
        vm.call_method(s.value(), "encode", &[])?;
    }
    vm.copied(s.bytes())
}

/// Raises what SQLite says, as the exception that `_sqlite3` makes of it, or what a signal's handler raised meanwhile.
#[cold]
fn fault(vm: &Vm, fault: &Fault) -> Raised {
    if vm.pending.get().is_some() {
        return Raised;
    }
    let make = || {
        let f = vm.get_attr_str(import(vm, "_sqlite3")?, "_error")?;
        vm.call(f, &[vm.int(fault.code.into())?, vm.str(&fault.message)?])
    };
    match make() {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// A result of SQLite's as one of the engine.
fn checked<T>(vm: &Vm, result: Result<T, Fault>) -> R<T> {
    result.map_err(|f| fault(vm, &f))
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_sqlite", FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "Database", ext_type(vm, &database::DATABASE)?.value())?;
    d.set_name(vm, "Statement", ext_type(vm, &statement::STATEMENT)?.value())?;
    d.set_name(vm, "Blob", ext_type(vm, &blob::BLOB)?.value())?;
    d.set_name(vm, "sqlite_version", vm.str(&skein_sqlite::version())?)?;
    // In the words of PEP 249.
    let safety = match skein_sqlite::threadsafe() {
        0 => 0,
        1 => 3,
        _ => 1,
    };
    d.set_name(vm, "threadsafety", Value::small_int(safety))?;
    let constants = skein_runtime::types::dict::Dict::new(vm)?;
    for &(name, n) in skein_sqlite::constants::ALL {
        constants.set_name(vm, name, Value::small_int(n.into()))?;
    }
    d.set_name(vm, "constants", constants.value())?;
    Ok(m)
}
