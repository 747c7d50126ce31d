//! SQLite for `_sqlite3`: connections, statements, functions in Rust, blobs and backups. Knows nothing of Python.
//!
//! The library is built so that any thread may use a connection, but one at a time: the owner of a [`Connection`]
//! sees to that. A callback may use the connection that calls it. It may also drop or close anything: **Invariant:**
//! while a call is under way that may call back, nothing is finalized and the connection is not closed; that happens at its
//! end.

mod backup;
mod blob;
mod connection;
pub mod constants;
mod functions;
mod hooks;
mod statement;
mod value;

pub use backup::Backup;
pub use blob::Blob;
pub use connection::{Connection, complete_statement};
pub use functions::{AggregateState, MakeAggregate, Scalar};
pub use hooks::{Authorizer, Busy, Collation, Progress, Trace};
pub use statement::{Column, Statement, Step};
pub use value::{Output, ValueRef};

use libsqlite3_sys as ffi;
use std::ffi::CStr;

/// What SQLite says of a call that failed.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The result code, with its details in the upper bytes.
    pub code: i32,
    pub message: String,
}

impl Fault {
    /// A code without a connection that tells more.
    fn of_code(code: i32) -> Fault {
        // SAFETY: gives a constant text for any number.
        let text = unsafe { CStr::from_ptr(ffi::sqlite3_errstr(code)) };
        Fault { code, message: text.to_string_lossy().into_owned() }
    }
}

/// The library's version as text.
pub fn version() -> String {
    // SAFETY: gives a constant text.
    unsafe { CStr::from_ptr(ffi::sqlite3_libversion()) }.to_string_lossy().into_owned()
}

/// Whether, and how, it was built for threads.
pub fn threadsafe() -> i32 {
    // SAFETY: a plain call.
    unsafe { ffi::sqlite3_threadsafe() }
}
