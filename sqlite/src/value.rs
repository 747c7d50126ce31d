//! Values of SQL.

use libsqlite3_sys as ffi;
use std::ffi::c_int;

/// A value that SQLite lends for the time of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    Null,
    Int(i64),
    Float(f64),
    /// In UTF-8, as far as the database is right.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// What a function gives back.
pub enum Output {
    Null,
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
    /// Fails with this message.
    Error(String),
    NoMemory,
    TooBig,
}

/// A row of bytes that SQLite owns.
///
/// # Safety
/// `start` is null or the address of so many bytes that stay as they are for `'a`.
pub(crate) unsafe fn bytes<'a>(start: *const u8, len: c_int) -> &'a [u8] {
    match usize::try_from(len) {
        // SAFETY: the caller's promise.
        Ok(len) if len > 0 && !start.is_null() => unsafe { std::slice::from_raw_parts(start, len) },
        _ => &[],
    }
}

/// An argument of a function.
///
/// # Safety
/// `value` is one that SQLite passes to a function that runs for `'a`.
pub(crate) unsafe fn argument<'a>(value: *mut ffi::sqlite3_value) -> ValueRef<'a> {
    // SAFETY: the caller's promise. Length after the text, as the documentation wants it.
    unsafe {
        match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => ValueRef::Int(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => ValueRef::Float(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => {
                let text = ffi::sqlite3_value_text(value);
                ValueRef::Text(bytes(text, ffi::sqlite3_value_bytes(value)))
            }
            ffi::SQLITE_BLOB => {
                let blob = ffi::sqlite3_value_blob(value).cast();
                ValueRef::Blob(bytes(blob, ffi::sqlite3_value_bytes(value)))
            }
            _ => ValueRef::Null,
        }
    }
}

/// Gives a function's result to SQLite.
///
/// # Safety
/// `context` is that of a function that runs.
pub(crate) unsafe fn set_result(context: *mut ffi::sqlite3_context, output: Output) {
    // SAFETY: the caller's promise; SQLite copies what it is given.
    unsafe {
        match output {
            Output::Null => ffi::sqlite3_result_null(context),
            Output::Int(n) => ffi::sqlite3_result_int64(context, n),
            Output::Float(x) => ffi::sqlite3_result_double(context, x),
            Output::Text(t) => ffi::sqlite3_result_text64(
                context,
                t.as_ptr().cast(),
                t.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                ffi::SQLITE_UTF8 as u8,
            ),
            Output::Blob(b) => ffi::sqlite3_result_blob64(
                context,
                b.as_ptr().cast(),
                b.len() as u64,
                ffi::SQLITE_TRANSIENT(),
            ),
            Output::Error(message) => {
                let len = c_int::try_from(message.len()).unwrap_or(c_int::MAX);
                ffi::sqlite3_result_error(context, message.as_ptr().cast(), len);
            }
            Output::NoMemory => ffi::sqlite3_result_error_nomem(context),
            Output::TooBig => ffi::sqlite3_result_error_toobig(context),
        }
    }
}
