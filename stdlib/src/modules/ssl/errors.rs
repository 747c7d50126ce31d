//! `SSLError` and its subclasses.

use super::super::support::{add_exception, add_exception_of, exception_class};
use super::constants::{
    SSL_ERROR_EOF, SSL_ERROR_SSL, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_ZERO_RETURN,
};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_type};
use skein_tls::faults::Fault;

native_type! {
    SSL_ERROR: "ssl.SSLError", Kind::Exception, type_flags::BASETYPE | type_flags::HAS_DICT,
        base |vm: &Vm| vm.exc.os_error, "An error occurred in the SSL implementation.";
    methods {
        "__str__($self, /)" => text;
    }
}

/// The text alone, without the number.
fn text(vm: &Vm, this: Value) -> R<Value> {
    let text = vm.get_attr_str(this, "strerror")?;
    match text.cast::<Str>() {
        Some(_) => Ok(text),
        None => vm.call(vm.types.str.value(), &[vm.get_attr_str(this, "args")?]),
    }
}

const WANT_READ: &str = "ssl.SSLWantReadError";
const WANT_WRITE: &str = "ssl.SSLWantWriteError";
const ZERO_RETURN: &str = "ssl.SSLZeroReturnError";
const EOF: &str = "ssl.SSLEOFError";
const VERIFICATION: &str = "ssl.SSLCertVerificationError";

/// Makes the classes. MemoryError.
pub fn add(vm: &Vm, m: Ref<Module>) -> R<()> {
    let base = ext_type(vm, &SSL_ERROR)?;
    m.dict().set_name(vm, "SSLError", base.value())?;
    for name in [ZERO_RETURN, WANT_READ, WANT_WRITE, "ssl.SSLSyscallError", EOF] {
        add_exception(vm, m, name, base)?;
    }
    add_exception_of(vm, m, VERIFICATION, &[base.value(), vm.exc.value_error.value()])?;
    Ok(())
}

/// What the peer must do, or has done, before the call can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Read,
    Write,
    /// The peer has ended TLS, and so has this side.
    Closed,
    /// The peer is gone without a word.
    Gone,
}

#[cold]
pub fn raise_wait(vm: &Vm, wait: Wait) -> Raised {
    let (class, number, text, reason) = match wait {
        Wait::Read => (WANT_READ, SSL_ERROR_WANT_READ, "The operation did not complete (read)", None),
        Wait::Write => (WANT_WRITE, SSL_ERROR_WANT_WRITE, "The operation did not complete (write)", None),
        Wait::Closed => {
            (ZERO_RETURN, SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)", None)
        }
        Wait::Gone => (
            EOF,
            SSL_ERROR_EOF,
            "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
            Some("UNEXPECTED_EOF_WHILE_READING"),
        ),
    };
    let made = exception_class(vm, class)
        .and_then(|class| make(vm, class, number, text, reason.map(|_| "SSL"), reason));
    finish(vm, made)
}

/// Raises what a fault says. MemoryError.
#[cold]
pub fn raise(vm: &Vm, fault: &Fault) -> Raised {
    finish(vm, raised(vm, fault))
}

fn raised(vm: &Vm, fault: &Fault) -> R<Value> {
    let text = match (fault.library, fault.reason.as_deref()) {
        ("", _) => fault.text.clone(),
        (library, None) => format!("[{library}] {}", fault.text),
        (library, Some(reason)) => format!("[{library}: {reason}] {}", fault.text),
    };
    let class = match &fault.verify {
        Some(_) => exception_class(vm, VERIFICATION)?,
        None => ext_type(vm, &SSL_ERROR)?.value(),
    };
    let library = Some(fault.library).filter(|library| !library.is_empty());
    let number = if library.is_some() { SSL_ERROR_SSL } else { 0 };
    let e = make(vm, class, number, &text, library, fault.reason.as_deref())?;
    if let Some((code, message)) = &fault.verify {
        vm.set_attr(e, vm.intern("verify_code")?, vm.int((*code).into())?)?;
        vm.set_attr(e, vm.intern("verify_message")?, vm.str(message)?)?;
    }
    Ok(e)
}

fn make(
    vm: &Vm,
    class: Value,
    number: i64,
    text: &str,
    library: Option<&str>,
    reason: Option<&str>,
) -> R<Value> {
    let e = vm.call(class, &[Value::small_int(number), vm.str(text)?])?;
    for (name, value) in [("library", library), ("reason", reason)] {
        let value = value.map_or(Ok(Value::NONE), |text| vm.str(text))?;
        vm.set_attr(e, vm.intern(name)?, value)?;
    }
    Ok(e)
}

fn finish(vm: &Vm, made: R<Value>) -> Raised {
    match made {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// Raises SSLError with this text and nothing else.
#[cold]
pub fn raise_plain(vm: &Vm, text: &str) -> Raised {
    let made = ext_type(vm, &SSL_ERROR).and_then(|class| vm.call(class.value(), &[vm.str(text)?]));
    finish(vm, made)
}
