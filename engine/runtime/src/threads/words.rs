//! Words of the isolate that signal handlers and other threads may write to, so that the running code stops.
//!
//! They are atomics used like cells: plain loads and stores in machine code. A write that gets lost because the
//! running code stores at the same moment costs time only: what was asked for is in [`Vm::poll`], and is seen
//! when the word runs out the next time.

use crate::threads::gil::Seat;
use crate::value::Value;
use crate::vm::{Vm, poll};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, Ordering};

/// A number that others may overwrite.
#[repr(transparent)]
pub struct Count(AtomicI64);

impl Count {
    pub fn new(n: i64) -> Count {
        Count(AtomicI64::new(n))
    }

    #[inline(always)]
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }
}

/// An address of a register that others may overwrite.
#[repr(transparent)]
pub struct Limit(AtomicPtr<Value>);

impl Limit {
    pub fn new(p: *mut Value) -> Limit {
        Limit(AtomicPtr::new(p))
    }

    #[inline(always)]
    pub fn get(&self) -> *mut Value {
        self.0.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub fn set(&self, p: *mut Value) {
        self.0.store(p, Ordering::Relaxed);
    }
}

/// What asks the running code to stop at its next safepoint, from any thread or a signal handler. It may
/// outlive its isolate.
#[derive(Default)]
pub struct Asker {
    poll: Arc<AtomicU32>,
    /// Null once the isolate is gone.
    vm: AtomicPtr<Vm>,
    /// Where the main thread waits. Never freed: a signal handler may be looking at it.
    main: AtomicPtr<Seat>,
}

impl Asker {
    pub fn new(poll: Arc<AtomicU32>) -> Asker {
        Asker { poll, ..Asker::default() }
    }

    /// The isolate is at this address from now on; null: it is about to go.
    pub fn set_target(&self, vm: *const Vm) {
        self.vm.store(vm.cast_mut(), Ordering::Release);
    }

    /// Which thread takes signals.
    pub fn set_main(&self, seat: Arc<Seat>) {
        self.main.store(Arc::into_raw(seat).cast_mut(), Ordering::Release);
    }

    /// A signal has come in: the main thread is to look at it, also while it waits. May be called in a handler.
    pub fn signal(&self) {
        self.ask(poll::SIGNAL);
        // SAFETY: null, or a seat that is never freed.
        if let Some(main) = unsafe { self.main.load(Ordering::Acquire).as_ref() } {
            main.interrupt();
        }
    }

    /// Sets a bit of [`crate::vm::poll`], and makes the next call and the next back edge look at it.
    pub fn ask(&self, bit: u32) {
        self.poll.fetch_or(bit, Ordering::Relaxed);
        let vm = self.vm.load(Ordering::Acquire);
        if vm.is_null() {
            return;
        }
        // SAFETY: an isolate that other threads or handlers know of is told to be gone before it is. Only its
        // atomic words are touched, through pointers to just these.
        unsafe {
            let (limit, slice) = (&raw const (*vm).limit, &raw const (*vm).slice);
            (*limit).set(std::ptr::null_mut());
            // A time slice counts in this word: its next end will do.
            if (*slice).get() == 0 {
                let ticks = &raw const (*vm).ticks;
                (*ticks).set(0);
            }
        }
    }
}
