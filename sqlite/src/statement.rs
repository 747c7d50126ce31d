//! Prepared statements.

use crate::connection::Handle;
use crate::value::bytes;
use crate::{Fault, ValueRef};
use libsqlite3_sys as ffi;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::rc::Rc;

/// How an execution went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row is there.
    Row,
    Done,
}

/// What a result's column is called.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: Vec<u8>,
    /// The type in the table's declaration, where it is one of a table.
    pub declared: Option<Vec<u8>>,
}

/// A statement, finalized when it is dropped.
pub struct Statement {
    raw: *mut ffi::sqlite3_stmt,
    handle: Rc<Handle>,
    running: Cell<bool>,
}

impl Drop for Statement {
    fn drop(&mut self) {
        // Nobody executes it, since who does holds it.
        self.handle.finalize(self.raw);
    }
}

impl Statement {
    /// The first statement in the text, and the text behind it. None if there is none.
    pub(crate) fn prepare(handle: &Rc<Handle>, sql: &[u8]) -> Result<(Option<Rc<Statement>>, usize), Fault> {
        let db = handle.open()?;
        let len = c_int::try_from(sql.len()).map_err(|_| Fault::of_code(ffi::SQLITE_TOOBIG))?;
        let mut raw = std::ptr::null_mut();
        let mut tail: *const c_char = std::ptr::null();
        let start: *const c_char = sql.as_ptr().cast();
        let entered = handle.enter();
        // SAFETY: the connection is open; the text has so many bytes.
        let code = unsafe { ffi::sqlite3_prepare_v2(db, start, len, &mut raw, &mut tail) };
        let prepared = handle.check(code);
        drop(entered);
        prepared?;
        let used = if tail.is_null() { sql.len() } else { tail.addr() - start.addr() };
        let statement = Statement { raw, handle: handle.clone(), running: Cell::new(false) };
        Ok(((!raw.is_null()).then(|| Rc::new(statement)), used))
    }

    /// Goes on to the next row. A statement that is being executed, by a callback's caller, cannot.
    pub fn step(self: &Rc<Statement>) -> Result<Step, Fault> {
        self.handle.open()?;
        if self.running.replace(true) {
            return Err(Fault::of_code(ffi::SQLITE_MISUSE));
        }
        let held = self.clone();
        let entered = self.handle.enter();
        // SAFETY: `held` keeps the statement.
        let code = unsafe { ffi::sqlite3_step(held.raw) };
        held.running.set(false);
        let result = match code {
            ffi::SQLITE_ROW => Ok(Step::Row),
            ffi::SQLITE_DONE => Ok(Step::Done),
            code => Err(self.handle.fault(code)),
        };
        drop(entered);
        result
    }

    /// Ends the execution, if it is not under way further out.
    pub fn reset(&self) -> Result<(), Fault> {
        if self.running.get() {
            return Ok(());
        }
        // SAFETY: nobody executes it.
        let code = unsafe { ffi::sqlite3_reset(self.raw) };
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.handle.fault(code)) }
    }

    /// Whether it was stepped and not to its end.
    pub fn is_busy(&self) -> bool {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_stmt_busy(self.raw) != 0 }
    }

    pub fn is_readonly(&self) -> bool {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_stmt_readonly(self.raw) != 0 }
    }

    /// Whether it is an `EXPLAIN`.
    pub fn is_explain(&self) -> bool {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_stmt_isexplain(self.raw) != 0 }
    }

    pub fn clear_bindings(&self) {
        // SAFETY: the statement is there.
        unsafe { ffi::sqlite3_clear_bindings(self.raw) };
    }

    pub fn parameter_count(&self) -> usize {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_bind_parameter_count(self.raw) }.try_into().unwrap_or(0)
    }

    /// The name of a parameter, with its sign. The first is number 1.
    pub fn parameter_name(&self, i: usize) -> Option<Vec<u8>> {
        // SAFETY: a text that lives as long as the statement, or null.
        let name = unsafe { ffi::sqlite3_bind_parameter_name(self.raw, i as c_int) };
        // SAFETY: as above.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes().to_vec())
    }

    /// Gives a parameter its value, which is copied.
    pub fn bind(&self, i: usize, value: ValueRef<'_>) -> Result<(), Fault> {
        self.handle.open()?;
        let (at, raw) = (i as c_int, self.raw);
        // SAFETY: the statement is there; texts and blobs have so many bytes and are copied.
        let code = unsafe {
            match value {
                ValueRef::Null => ffi::sqlite3_bind_null(raw, at),
                ValueRef::Int(n) => ffi::sqlite3_bind_int64(raw, at, n),
                ValueRef::Float(x) => ffi::sqlite3_bind_double(raw, at, x),
                ValueRef::Text(t) => {
                    let len = t.len() as u64;
                    let encoding = ffi::SQLITE_UTF8 as u8;
                    ffi::sqlite3_bind_text64(
                        raw,
                        at,
                        t.as_ptr().cast(),
                        len,
                        ffi::SQLITE_TRANSIENT(),
                        encoding,
                    )
                }
                // An address, since null means no value.
                ValueRef::Blob([]) => ffi::sqlite3_bind_zeroblob(raw, at, 0),
                ValueRef::Blob(b) => {
                    let len = b.len() as u64;
                    ffi::sqlite3_bind_blob64(raw, at, b.as_ptr().cast(), len, ffi::SQLITE_TRANSIENT())
                }
            }
        };
        self.handle.check(code)
    }

    pub fn column_count(&self) -> usize {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_column_count(self.raw) }.try_into().unwrap_or(0)
    }

    /// Number of values in the row that is there; 0 if there is none.
    pub fn data_count(&self) -> usize {
        // SAFETY: asks only.
        unsafe { ffi::sqlite3_data_count(self.raw) }.try_into().unwrap_or(0)
    }

    /// None where there is no memory for it.
    pub fn column(&self, i: usize) -> Option<Column> {
        let text = |p: *const c_char| {
            // SAFETY: null, or a text that is there until the statement is prepared anew.
            (!p.is_null()).then(|| unsafe { CStr::from_ptr(p) }.to_bytes().to_vec())
        };
        // SAFETY: an index out of range gives null.
        let (name, declared) = unsafe {
            (
                ffi::sqlite3_column_name(self.raw, i as c_int),
                ffi::sqlite3_column_decltype(self.raw, i as c_int),
            )
        };
        Some(Column { name: text(name)?, declared: text(declared) })
    }

    /// Shows a value of the row that is there to a function, which must not execute SQL.
    pub fn with_value<T>(&self, i: usize, f: impl FnOnce(ValueRef<'_>) -> T) -> T {
        let (raw, at) = (self.raw, i as c_int);
        // SAFETY: the row stays as it is until the statement is stepped, reset or finalized; an index out of
        // range gives NULL. Length after the text, as the documentation wants it.
        unsafe {
            f(match ffi::sqlite3_column_type(raw, at) {
                ffi::SQLITE_INTEGER => ValueRef::Int(ffi::sqlite3_column_int64(raw, at)),
                ffi::SQLITE_FLOAT => ValueRef::Float(ffi::sqlite3_column_double(raw, at)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_column_text(raw, at);
                    ValueRef::Text(bytes(text, ffi::sqlite3_column_bytes(raw, at)))
                }
                ffi::SQLITE_BLOB => {
                    let blob = ffi::sqlite3_column_blob(raw, at).cast();
                    ValueRef::Blob(bytes(blob, ffi::sqlite3_column_bytes(raw, at)))
                }
                _ => ValueRef::Null,
            })
        }
    }

    /// Its bytes, as text in UTF-8; None for NULL and a blob without bytes.
    pub fn with_bytes<T>(&self, i: usize, f: impl FnOnce(Option<&[u8]>) -> T) -> T {
        let (raw, at) = (self.raw, i as c_int);
        // SAFETY: as in `with_value`.
        unsafe {
            let blob = ffi::sqlite3_column_blob(raw, at).cast();
            match blob {
                blob if std::ptr::eq(blob, std::ptr::null::<u8>()) => f(None),
                blob => f(Some(bytes(blob, ffi::sqlite3_column_bytes(raw, at)))),
            }
        }
    }
}
