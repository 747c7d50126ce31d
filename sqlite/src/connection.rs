//! Connections to databases.

use crate::hooks::Hooks;
use crate::{Fault, Statement};
use libsqlite3_sys as ffi;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};
use std::rc::Rc;

unsafe extern "C" {
    /// Not among the bindings.
    fn sqlite3_close_v2(db: *mut ffi::sqlite3) -> c_int;
}

/// The connection itself, shared by all that works on it.
pub(crate) struct Handle {
    /// Null once it is closed.
    db: Cell<*mut ffi::sqlite3>,
    /// Calls under way that may call back.
    depth: Cell<u32>,
    /// Statements that were dropped meanwhile.
    dead: RefCell<Vec<*mut ffi::sqlite3_stmt>>,
    /// It was closed meanwhile.
    closing: Cell<bool>,
    /// What SQLite has pointers to; replaced hooks stay until the connection is gone, since one may be running.
    pub(crate) hooks: RefCell<Hooks>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

/// A call that may call back.
pub(crate) struct Entered<'a>(&'a Handle);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let handle = self.0;
        handle.depth.set(handle.depth.get() - 1);
        if handle.depth.get() > 0 {
            return;
        }
        for raw in handle.dead.take() {
            // SAFETY: their owners are gone, and nothing is executed.
            unsafe { ffi::sqlite3_finalize(raw) };
        }
        if handle.closing.get() {
            handle.close();
        }
    }
}

impl Handle {
    /// MISUSE if it was closed.
    pub fn open(&self) -> Result<*mut ffi::sqlite3, Fault> {
        let db = self.db.get();
        if db.is_null() || self.closing.get() { Err(Fault::of_code(ffi::SQLITE_MISUSE)) } else { Ok(db) }
    }

    /// To be held during a call that may call back: what it works on stays.
    pub fn enter(&self) -> Entered<'_> {
        self.depth.set(self.depth.get() + 1);
        Entered(self)
    }

    /// Finalizes a statement that nobody has any more, at once or when nothing is executed.
    pub fn finalize(&self, raw: *mut ffi::sqlite3_stmt) {
        if self.depth.get() > 0 {
            return self.dead.borrow_mut().push(raw);
        }
        // SAFETY: its owner is gone. A connection that was closed waits for its statements.
        unsafe { ffi::sqlite3_finalize(raw) };
    }

    fn close(&self) {
        if self.depth.get() > 0 {
            return self.closing.set(true);
        }
        // SAFETY: taken once. What is still prepared or open keeps the rest of it alive.
        unsafe { sqlite3_close_v2(self.db.replace(std::ptr::null_mut())) };
    }

    /// What the connection says of a code.
    pub fn fault(&self, code: i32) -> Fault {
        let db = self.db.get();
        if db.is_null() || code == ffi::SQLITE_MISUSE {
            return Fault::of_code(code);
        }
        // SAFETY: the connection is open; the text is there until the next call.
        unsafe {
            let extended = ffi::sqlite3_extended_errcode(db);
            let code = if extended & 0xff == code & 0xff { extended } else { code };
            let message = CStr::from_ptr(ffi::sqlite3_errmsg(db)).to_string_lossy().into_owned();
            Fault { code, message }
        }
    }

    pub fn check(&self, code: i32) -> Result<(), Fault> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(self.fault(code)) }
    }
}

/// A connection, closed when it and all that belongs to it are dropped.
pub struct Connection {
    pub(crate) handle: Rc<Handle>,
}

/// Whether a text ends with a complete statement.
pub fn complete_statement(sql: &CStr) -> bool {
    // SAFETY: a text with an end.
    unsafe { ffi::sqlite3_complete(sql.as_ptr()) != 0 }
}

impl Connection {
    /// Opens a database file, or whatever the flags make of the name.
    pub fn open(name: &CStr, flags: i32) -> Result<Connection, Fault> {
        let mut db = std::ptr::null_mut();
        // Without a mutex, which a thread that waits in a callback would hold.
        let flags = flags | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: a text with an end; the connection is there even after most failures.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut db, flags, std::ptr::null()) };
        if db.is_null() {
            return Err(Fault::of_code(ffi::SQLITE_NOMEM));
        }
        let handle = Rc::new(Handle {
            db: Cell::new(db),
            depth: Cell::new(0),
            dead: RefCell::default(),
            closing: Cell::new(false),
            hooks: RefCell::default(),
        });
        handle.check(code)?;
        let connection = Connection { handle };
        // As SQLite's own default is, whatever it was built with.
        connection.config(ffi::SQLITE_DBCONFIG_ENABLE_FKEY, Some(false))?;
        Ok(connection)
    }

    pub fn is_open(&self) -> bool {
        self.handle.open().is_ok()
    }

    /// Closes it for everybody. What is being executed ends later.
    pub fn close(&self) {
        self.handle.close();
    }

    /// The first statement in the text, and the length of what was read.
    pub fn prepare(&self, sql: &[u8]) -> Result<(Option<Rc<Statement>>, usize), Fault> {
        Statement::prepare(&self.handle, sql)
    }

    fn ask<T>(&self, f: impl FnOnce(*mut ffi::sqlite3) -> T) -> Result<T, Fault> {
        self.handle.open().map(f)
    }

    /// Whether no transaction is open.
    pub fn autocommit(&self) -> Result<bool, Fault> {
        // SAFETY (these all): the connection is open.
        self.ask(|db| unsafe { ffi::sqlite3_get_autocommit(db) != 0 })
    }

    pub fn last_insert_rowid(&self) -> Result<i64, Fault> {
        self.ask(|db| unsafe { ffi::sqlite3_last_insert_rowid(db) })
    }

    pub fn changes(&self) -> Result<i64, Fault> {
        self.ask(|db| unsafe { ffi::sqlite3_changes64(db) })
    }

    pub fn total_changes(&self) -> Result<i64, Fault> {
        self.ask(|db| unsafe { ffi::sqlite3_total_changes64(db) })
    }

    /// Makes what is being executed fail soon. From any thread.
    pub fn interrupt(&self) -> Result<(), Fault> {
        self.ask(|db| unsafe { ffi::sqlite3_interrupt(db) })
    }

    /// A limit's value, after it was set to another unless that is negative.
    pub fn limit(&self, category: i32, value: i32) -> Result<i32, Fault> {
        self.ask(|db| unsafe { ffi::sqlite3_limit(db, category, value) })
    }

    /// What the connection says of its last failure, whatever that was.
    pub fn last_fault(&self) -> Result<Fault, Fault> {
        // SAFETY: the connection is open.
        self.ask(|db| self.handle.fault(unsafe { ffi::sqlite3_errcode(db) }))
    }

    /// A switch of the configuration, after it was set if a value is given.
    pub fn config(&self, op: i32, value: Option<bool>) -> Result<bool, Fault> {
        let db = self.handle.open()?;
        let mut now: c_int = 0;
        // SAFETY: these operations take an int and the address of one.
        let code = unsafe { ffi::sqlite3_db_config(db, op, value.map_or(-1, c_int::from), &raw mut now) };
        self.handle.check(code)?;
        Ok(now != 0)
    }

    pub fn enable_load_extension(&self, on: bool) -> Result<(), Fault> {
        let db = self.handle.open()?;
        // SAFETY: the connection is open.
        self.handle.check(unsafe { ffi::sqlite3_enable_load_extension(db, on.into()) })
    }

    pub fn load_extension(&self, name: &CStr, entry: Option<&CStr>) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let mut message: *mut c_char = std::ptr::null_mut();
        let entry = entry.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: texts with an end; the message is SQLite's to be freed. What the extension does is its author's
        // business, and loading one has to be allowed before.
        unsafe {
            let code = ffi::sqlite3_load_extension(db, name.as_ptr(), entry, &mut message);
            if code == ffi::SQLITE_OK {
                return Ok(());
            }
            let mut fault = self.handle.fault(code);
            if !message.is_null() {
                fault.message = CStr::from_ptr(message).to_string_lossy().into_owned();
                ffi::sqlite3_free(message.cast());
            }
            Err(fault)
        }
    }

    /// The bytes that the database would be in a file. None if there is no such database.
    pub fn serialize(&self, schema: &CStr) -> Result<Option<Vec<u8>>, Fault> {
        let db = self.handle.open()?;
        let mut len = 0;
        // SAFETY: texts with an end; what it gives is SQLite's memory, to be freed, of so many bytes.
        unsafe {
            let bytes = ffi::sqlite3_serialize(db, schema.as_ptr(), &mut len, 0);
            if bytes.is_null() {
                return Ok(None);
            }
            let mut out = Vec::new();
            let len = usize::try_from(len).unwrap_or(0);
            let room = out.try_reserve_exact(len);
            if room.is_ok() {
                out.extend_from_slice(std::slice::from_raw_parts(bytes, len));
            }
            ffi::sqlite3_free(bytes.cast());
            room.map_err(|_| Fault::of_code(ffi::SQLITE_NOMEM))?;
            Ok(Some(out))
        }
    }

    /// Makes a database in memory of such bytes.
    pub fn deserialize(&self, schema: &CStr, bytes: &[u8]) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let len = bytes.len() as u64;
        // SAFETY: SQLite's own memory with a copy in it, which SQLite frees in any case.
        let code = unsafe {
            let copy: *mut u8 = ffi::sqlite3_malloc64(len.max(1)).cast();
            if copy.is_null() {
                return Err(Fault::of_code(ffi::SQLITE_NOMEM));
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
            let flags = ffi::SQLITE_DESERIALIZE_FREEONCLOSE | ffi::SQLITE_DESERIALIZE_RESIZEABLE;
            ffi::sqlite3_deserialize(db, schema.as_ptr(), copy, len as i64, len as i64, flags)
        };
        self.handle.check(code)
    }

    /// The text of a statement with its parameters filled in is in a trace; this is a name for SQLite.
    pub(crate) fn name(name: &str) -> Result<CString, Fault> {
        CString::new(name).map_err(|_| Fault::of_code(ffi::SQLITE_MISUSE))
    }
}
