//! Functions of SQL in Rust.

use crate::value::{argument, set_result};
use crate::{Connection, Fault, Output, ValueRef};
use libsqlite3_sys as ffi;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A function of a row's values.
pub type Scalar = Box<dyn Fn(&[ValueRef<'_>]) -> Output>;

/// What an aggregate knows of the rows so far. An error is a message for SQLite.
pub trait AggregateState {
    fn step(&mut self, arguments: &[ValueRef<'_>]) -> Result<(), String>;
    /// Takes a row back that leaves the window.
    fn inverse(&mut self, arguments: &[ValueRef<'_>]) -> Result<(), String>;
    /// The value for the rows in the window.
    fn value(&mut self) -> Output;
    fn finish(&mut self) -> Output;
}

/// Begins an aggregate.
pub type MakeAggregate = Box<dyn Fn() -> Result<Box<dyn AggregateState>, String>>;

const PANIC: &str = "a function failed";

/// The arguments of a call.
///
/// # Safety
/// As SQLite passes them.
unsafe fn arguments<'a>(count: c_int, values: *mut *mut ffi::sqlite3_value) -> Vec<ValueRef<'a>> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: so many values, there while the function runs.
    (0..count).map(|i| unsafe { argument(*values.add(i)) }).collect()
}

unsafe extern "C" fn call_scalar(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: the function's data is the box that it was made with, which is there as long as the function.
    let output = unsafe {
        let f = &*ffi::sqlite3_user_data(context).cast::<Scalar>();
        let arguments = arguments(count, values);
        catch_unwind(AssertUnwindSafe(|| f(&arguments))).unwrap_or_else(|_| Output::Error(PANIC.into()))
    };
    // SAFETY: the context of this call.
    unsafe { set_result(context, output) }
}

/// What SQLite keeps for a group of rows: null, or a box.
type Slot = *mut Option<Box<dyn AggregateState>>;

/// Runs a part of an aggregate on its state, which is made if `begin` says so.
///
/// # Safety
/// `context` is that of an aggregate that runs.
unsafe fn with_state(
    context: *mut ffi::sqlite3_context,
    begin: bool,
    f: impl FnOnce(&mut dyn AggregateState) -> Result<(), String>,
) {
    // SAFETY: the slot is zeroed when it is made, and then holds what was put there. The data is the box that the
    // function was made with.
    let done = unsafe {
        let slot: *mut Slot =
            ffi::sqlite3_aggregate_context(context, if begin { size_of::<Slot>() as c_int } else { 0 })
                .cast();
        if slot.is_null() {
            if begin {
                set_result(context, Output::NoMemory);
            }
            return;
        }
        catch_unwind(AssertUnwindSafe(|| {
            if (*slot).is_null() {
                let make = &*ffi::sqlite3_user_data(context).cast::<MakeAggregate>();
                *slot = Box::into_raw(Box::new(Some(make()?)));
            }
            // Taken out while it runs, since it may come back here.
            let Some(mut state) = (**slot).take() else { return Ok(()) };
            let done = f(&mut *state);
            **slot = Some(state);
            done
        }))
    };
    if let Err(message) = done.unwrap_or_else(|_| Err(PANIC.into())) {
        // SAFETY: the context of this call.
        unsafe { set_result(context, Output::Error(message)) }
    }
}

unsafe extern "C" fn step_aggregate(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: called by SQLite.
    unsafe { with_state(context, true, |state| state.step(&arguments(count, values))) }
}

unsafe extern "C" fn inverse_aggregate(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: called by SQLite.
    unsafe { with_state(context, true, |state| state.inverse(&arguments(count, values))) }
}

unsafe extern "C" fn value_aggregate(context: *mut ffi::sqlite3_context) {
    // SAFETY: called by SQLite.
    unsafe {
        with_state(context, true, |state| {
            set_result(context, state.value());
            Ok(())
        });
    }
}

unsafe extern "C" fn finish_aggregate(context: *mut ffi::sqlite3_context) {
    // SAFETY: called by SQLite, once for each group; the slot is there if the group had a row.
    unsafe {
        with_state(context, false, |state| {
            set_result(context, state.finish());
            Ok(())
        });
        let slot: *mut Slot = ffi::sqlite3_aggregate_context(context, 0).cast();
        if !slot.is_null() && !(*slot).is_null() {
            drop(Box::from_raw(std::mem::replace(&mut *slot, std::ptr::null_mut())));
        }
    }
}

unsafe extern "C" fn drop_box<T>(data: *mut c_void) {
    // SAFETY: the box that the function was made with, given back once.
    drop(unsafe { Box::from_raw(data.cast::<T>()) });
}

impl Connection {
    /// Makes a function, or removes it.
    pub fn create_function(
        &self,
        name: &str,
        count: i32,
        deterministic: bool,
        function: Option<Scalar>,
    ) -> Result<(), Fault> {
        let (db, name) = (self.handle.open()?, Connection::name(name)?);
        let flags = ffi::SQLITE_UTF8 | if deterministic { ffi::SQLITE_DETERMINISTIC } else { 0 };
        // SAFETY: the box is SQLite's, which gives it back to `drop_box`, also where this fails.
        let code = unsafe {
            match function {
                Some(f) => ffi::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    count,
                    flags,
                    Box::into_raw(Box::new(f)).cast(),
                    Some(call_scalar),
                    None,
                    None,
                    Some(drop_box::<Scalar>),
                ),
                None => ffi::sqlite3_create_function_v2(
                    db,
                    name.as_ptr(),
                    count,
                    flags,
                    std::ptr::null_mut(),
                    None,
                    None,
                    None,
                    None,
                ),
            }
        };
        self.handle.check(code)
    }

    /// Makes an aggregate, which may also be over windows, or removes it.
    pub fn create_aggregate(
        &self,
        name: &str,
        count: i32,
        over_windows: bool,
        make: Option<MakeAggregate>,
    ) -> Result<(), Fault> {
        let (db, name) = (self.handle.open()?, Connection::name(name)?);
        let data = make.map_or(std::ptr::null_mut(), |make| Box::into_raw(Box::new(make)));
        let there = !data.is_null();
        // SAFETY: as above.
        let code = unsafe {
            ffi::sqlite3_create_window_function(
                db,
                name.as_ptr(),
                count,
                ffi::SQLITE_UTF8,
                data.cast(),
                there.then_some(step_aggregate),
                there.then_some(finish_aggregate),
                (there && over_windows).then_some(value_aggregate),
                (there && over_windows).then_some(inverse_aggregate),
                there.then_some(drop_box::<MakeAggregate>),
            )
        };
        self.handle.check(code)
    }
}
