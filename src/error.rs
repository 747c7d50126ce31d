//! A Python exception as a Rust error.

use skein_builtins::report::format_exception;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::fmt;

/// An exception that Python code let out. Displayed, it is the traceback that Python prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: String,
    message: String,
    traceback: String,
}

impl Error {
    /// Takes the exception that is being raised.
    pub(crate) fn take_pending(vm: &Vm) -> Error {
        let Some(e) = vm.pending.take() else {
            return Error::without_python("an error without an exception");
        };
        vm.roots.borrow_mut().push(e);
        let error = Error {
            kind: vm.type_of(e).name_string(),
            message: text(vm, e),
            traceback: format_exception(vm, e),
        };
        vm.roots.borrow_mut().pop();
        error
    }

    /// What went wrong before there was an isolate.
    pub(crate) fn without_python(message: &str) -> Error {
        Error { kind: "SystemError".into(), message: message.into(), traceback: format!("{message}\n") }
    }

    /// The name of its type, e.g. `ValueError`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// `str()` of it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The lines that Python prints of it, with its causes.
    pub fn traceback(&self) -> &str {
        &self.traceback
    }
}

/// `str(e)`, or nothing if that raises.
fn text(vm: &Vm, e: Value) -> String {
    vm.str_string(e).unwrap_or_else(|_| {
        vm.pending.take();
        String::new()
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceback)
    }
}

impl std::error::Error for Error {}
