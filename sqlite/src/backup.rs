//! Copying a database to another while it is used.

use crate::connection::Handle;
use crate::{Connection, Fault};
use libsqlite3_sys as ffi;
use std::rc::Rc;

pub struct Backup {
    raw: *mut ffi::sqlite3_backup,
    target: Rc<Handle>,
    source: Rc<Handle>,
}

impl Drop for Backup {
    fn drop(&mut self) {
        // SAFETY: finished once. A connection that was closed waits for it.
        unsafe { ffi::sqlite3_backup_finish(self.raw) };
    }
}

impl Backup {
    /// From a database of this name to the other connection's main one.
    pub fn new(source: &Connection, name: &str, target: &Connection) -> Result<Backup, Fault> {
        let (from, to) = (source.handle.open()?, target.handle.open()?);
        let name = Connection::name(name)?;
        // SAFETY: both are open; texts with an end.
        let raw = unsafe { ffi::sqlite3_backup_init(to, c"main".as_ptr(), from, name.as_ptr()) };
        if raw.is_null() {
            return Err(target.last_fault()?);
        }
        Ok(Backup { raw, target: target.handle.clone(), source: source.handle.clone() })
    }

    /// Copies some pages, or all if the number is negative. The result code tells how it stands.
    pub fn step(&self, pages: i32) -> i32 {
        let _entered = (self.target.enter(), self.source.enter());
        // SAFETY: it is not finished.
        unsafe { ffi::sqlite3_backup_step(self.raw, pages) }
    }

    pub fn remaining(&self) -> i32 {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_backup_remaining(self.raw) }
    }

    pub fn page_count(&self) -> i32 {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_backup_pagecount(self.raw) }
    }

    /// Ends the copy and says whether it failed, by the target's word.
    pub fn finish(self) -> Result<(), Fault> {
        let target = self.target.clone();
        // SAFETY: finished once: what `drop` would do is not done again.
        let code = unsafe { ffi::sqlite3_backup_finish(self.raw) };
        let mut this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the fields are dropped once, and not used again.
        unsafe {
            std::ptr::drop_in_place(&raw mut this.target);
            std::ptr::drop_in_place(&raw mut this.source);
        }
        target.check(code)
    }
}
