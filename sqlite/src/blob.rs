//! Blobs that are read and written in place.

use crate::connection::Handle;
use crate::{Connection, Fault};
use libsqlite3_sys as ffi;
use std::cell::Cell;
use std::ffi::c_int;
use std::rc::Rc;

pub struct Blob {
    /// Null once it is closed.
    raw: Cell<*mut ffi::sqlite3_blob>,
    handle: Rc<Handle>,
}

impl Drop for Blob {
    fn drop(&mut self) {
        // Nobody is left who could be told that a write failed.
        let _ = self.close();
    }
}

impl Connection {
    pub fn open_blob(
        &self,
        schema: &str,
        table: &str,
        column: &str,
        row: i64,
        writable: bool,
    ) -> Result<Blob, Fault> {
        let db = self.handle.open()?;
        let (schema, table, column) =
            (Connection::name(schema)?, Connection::name(table)?, Connection::name(column)?);
        let mut raw = std::ptr::null_mut();
        // SAFETY: the connection is open; texts with an end.
        let code = unsafe {
            ffi::sqlite3_blob_open(
                db,
                schema.as_ptr(),
                table.as_ptr(),
                column.as_ptr(),
                row,
                writable.into(),
                &mut raw,
            )
        };
        self.handle.check(code)?;
        Ok(Blob { raw: Cell::new(raw), handle: self.handle.clone() })
    }
}

impl Blob {
    pub fn is_open(&self) -> bool {
        !self.raw.get().is_null()
    }

    pub fn len(&self) -> usize {
        let raw = self.raw.get();
        if raw.is_null() {
            return 0;
        }
        // SAFETY: it is open.
        unsafe { ffi::sqlite3_blob_bytes(raw) }.try_into().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn open(&self) -> Result<*mut ffi::sqlite3_blob, Fault> {
        let raw = self.raw.get();
        if raw.is_null() { Err(Fault::of_code(ffi::SQLITE_MISUSE)) } else { Ok(raw) }
    }

    /// Fills the buffer with the bytes from a place on; they must be there.
    pub fn read(&self, at: usize, out: &mut [u8]) -> Result<(), Fault> {
        let raw = self.open()?;
        let (len, at) = (int(out.len())?, int(at)?);
        // SAFETY: the buffer has room for so many bytes; SQLite checks the place.
        self.handle.check(unsafe { ffi::sqlite3_blob_read(raw, out.as_mut_ptr().cast(), len, at) })
    }

    pub fn write(&self, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        let raw = self.open()?;
        let (len, at) = (int(bytes.len())?, int(at)?);
        // SAFETY: so many bytes; SQLite checks the place.
        self.handle.check(unsafe { ffi::sqlite3_blob_write(raw, bytes.as_ptr().cast(), len, at) })
    }

    /// Fails where a write before did.
    pub fn close(&self) -> Result<(), Fault> {
        let raw = self.raw.replace(std::ptr::null_mut());
        if raw.is_null() {
            return Ok(());
        }
        // SAFETY: taken once.
        self.handle.check(unsafe { ffi::sqlite3_blob_close(raw) })
    }
}

fn int(n: usize) -> Result<c_int, Fault> {
    n.try_into().map_err(|_| Fault::of_code(ffi::SQLITE_TOOBIG))
}
