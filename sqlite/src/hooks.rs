//! What SQLite asks or tells while it works.

use crate::{Connection, Fault};
use libsqlite3_sys as ffi;
use std::cmp::Ordering;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// The order of two texts.
pub type Collation = Box<dyn Fn(&[u8], &[u8]) -> Ordering>;
/// May the statement do this? An action with up to four names; the answer is one of SQLite's codes.
pub type Authorizer = Box<dyn Fn(i32, [Option<&[u8]>; 4]) -> i32>;
/// Called now and then; true stops what is executed.
pub type Progress = Box<dyn Fn() -> bool>;
/// Told of each statement that begins: its text with parameters filled in, or as it is if that is too long.
pub type Trace = Box<dyn Fn(Option<&[u8]>)>;
/// Called while another connection holds a lock, with the number of calls so far; true tries again.
pub type Busy = Box<dyn Fn(i32) -> bool>;

/// The hooks that a connection has, and had: a hook that is replaced may be running.
#[derive(Default)]
pub(crate) struct Hooks {
    authorizers: Vec<Rc<Authorizer>>,
    progress: Vec<Rc<Progress>>,
    traces: Vec<Rc<Trace>>,
    busy: Vec<Rc<Busy>>,
}

/// Keeps a hook, and drops those before it which are not running.
fn keep<T>(all: &mut Vec<Rc<T>>, hook: Option<T>) -> *mut c_void {
    all.retain(|old| Rc::strong_count(old) > 1);
    match hook {
        Some(hook) => {
            all.push(Rc::new(hook));
            all.last().map_or(std::ptr::null_mut(), |h| Rc::as_ptr(h).cast_mut().cast())
        }
        None => std::ptr::null_mut(),
    }
}

/// The hook that SQLite calls, held for as long as it runs.
///
/// # Safety
/// `data` is what `keep` gave for a hook of this type that is set.
unsafe fn held<T>(data: *mut c_void) -> Rc<T> {
    // SAFETY: the connection has it, and a count is added for the one given out.
    unsafe {
        Rc::increment_strong_count(data.cast_const().cast::<T>());
        Rc::from_raw(data.cast_const().cast::<T>())
    }
}

/// # Safety
/// Null, or a text with an end that stays for `'a`.
unsafe fn text<'a>(p: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!p.is_null()).then(|| unsafe { CStr::from_ptr(p) }.to_bytes())
}

unsafe extern "C" fn authorize(
    data: *mut c_void,
    action: c_int,
    a: *const c_char,
    b: *const c_char,
    c: *const c_char,
    d: *const c_char,
) -> c_int {
    // SAFETY: called by SQLite with what was set.
    unsafe {
        let hook = held::<Authorizer>(data);
        let names = [text(a), text(b), text(c), text(d)];
        catch_unwind(AssertUnwindSafe(|| hook(action, names))).unwrap_or(ffi::SQLITE_DENY)
    }
}

unsafe extern "C" fn progress(data: *mut c_void) -> c_int {
    // SAFETY: called by SQLite with what was set.
    let hook = unsafe { held::<Progress>(data) };
    catch_unwind(AssertUnwindSafe(|| hook())).unwrap_or(true).into()
}

unsafe extern "C" fn busy(data: *mut c_void, count: c_int) -> c_int {
    // SAFETY: called by SQLite with what was set.
    let hook = unsafe { held::<Busy>(data) };
    catch_unwind(AssertUnwindSafe(|| hook(count))).unwrap_or(false).into()
}

unsafe extern "C" fn trace(
    kind: c_uint,
    data: *mut c_void,
    statement: *mut c_void,
    sql: *mut c_void,
) -> c_int {
    if kind != ffi::SQLITE_TRACE_STMT as c_uint {
        return 0;
    }
    // SAFETY: called by SQLite with what was set; what is executed is a statement, and the text is one with an end. The
    // expanded text is SQLite's, to be freed.
    unsafe {
        let hook = held::<Trace>(data);
        let plain = text(sql.cast_const().cast());
        // That of a trigger is a comment.
        if let Some(comment) = plain.filter(|p| p.starts_with(b"--")) {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(Some(comment))));
            return 0;
        }
        let expanded = ffi::sqlite3_expanded_sql(statement.cast());
        let _ = catch_unwind(AssertUnwindSafe(|| hook(text(expanded).or(plain))));
        ffi::sqlite3_free(expanded.cast());
    }
    0
}

unsafe extern "C" fn compare(
    data: *mut c_void,
    a_len: c_int,
    a: *const c_void,
    b_len: c_int,
    b: *const c_void,
) -> c_int {
    // SAFETY: called by SQLite with the box that the collation was made with, and two texts of so many bytes.
    unsafe {
        let hook = &*data.cast::<Collation>();
        let a = crate::value::bytes(a.cast(), a_len);
        let b = crate::value::bytes(b.cast(), b_len);
        match catch_unwind(AssertUnwindSafe(|| hook(a, b))).unwrap_or(Ordering::Equal) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
}

unsafe extern "C" fn drop_collation(data: *mut c_void) {
    // SAFETY: the box that the collation was made with, given back once.
    drop(unsafe { Box::from_raw(data.cast::<Collation>()) });
}

impl Connection {
    /// Makes an order of texts, or removes it.
    pub fn create_collation(&self, name: &str, collation: Option<Collation>) -> Result<(), Fault> {
        let (db, name) = (self.handle.open()?, Connection::name(name)?);
        let Some(collation) = collation else {
            let none = std::ptr::null_mut();
            // SAFETY: the connection is open.
            let code = unsafe {
                ffi::sqlite3_create_collation_v2(db, name.as_ptr(), ffi::SQLITE_UTF8, none, None, None)
            };
            return self.handle.check(code);
        };
        let data = Box::into_raw(Box::new(collation)).cast();
        // SAFETY: the box is SQLite's, which gives it back to `drop_collation`, but not where this fails.
        unsafe {
            let code = ffi::sqlite3_create_collation_v2(
                db,
                name.as_ptr(),
                ffi::SQLITE_UTF8,
                data,
                Some(compare),
                Some(drop_collation),
            );
            if code != ffi::SQLITE_OK {
                drop_collation(data);
            }
            self.handle.check(code)
        }
    }

    pub fn set_authorizer(&self, hook: Option<Authorizer>) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let there = hook.is_some();
        let data = keep(&mut self.handle.hooks.borrow_mut().authorizers, hook);
        // SAFETY: the connection keeps the hook.
        self.handle.check(unsafe { ffi::sqlite3_set_authorizer(db, there.then_some(authorize), data) })
    }

    /// Called after so many of SQLite's instructions.
    pub fn set_progress(&self, every: i32, hook: Option<Progress>) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let there = hook.is_some();
        let data = keep(&mut self.handle.hooks.borrow_mut().progress, hook);
        // SAFETY: the connection keeps the hook.
        unsafe { ffi::sqlite3_progress_handler(db, every, there.then_some(progress), data) };
        Ok(())
    }

    pub fn set_trace(&self, hook: Option<Trace>) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let there = hook.is_some();
        let data = keep(&mut self.handle.hooks.borrow_mut().traces, hook);
        let mask = if there { ffi::SQLITE_TRACE_STMT as c_uint } else { 0 };
        // SAFETY: the connection keeps the hook.
        self.handle.check(unsafe { ffi::sqlite3_trace_v2(db, mask, there.then_some(trace), data) })
    }

    pub fn set_busy(&self, hook: Busy) -> Result<(), Fault> {
        let db = self.handle.open()?;
        let data = keep(&mut self.handle.hooks.borrow_mut().busy, Some(hook));
        // SAFETY: the connection keeps the hook.
        self.handle.check(unsafe { ffi::sqlite3_busy_handler(db, Some(busy), data) })
    }
}
