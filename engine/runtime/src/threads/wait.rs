//! Threads that wait for something that another thread does: the ground of locks, joins and queues.

use crate::threads::gil::Parked;
use crate::threads::state::ThreadState;
use crate::vm::Vm;
use std::cell::Cell;
use std::ptr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// After so long, a thread that waits without end has its idle moment used.
const IDLE: Duration = Duration::from_millis(100);

/// A thread that waits. It lies on that thread's stack, in the frame of [`WaitList::wait`].
struct Waiter {
    thread: Rc<ThreadState>,
    next: Cell<*const Waiter>,
    previous: Cell<*const Waiter>,
    queued: Cell<bool>,
}

/// The threads that wait for one thing, in a row. Whoever owns the list has to stay alive and in place while
/// threads wait in it: objects do, since the waiting call has them as arguments.
#[derive(Default)]
pub struct WaitList {
    first: Cell<*const Waiter>,
    last: Cell<*const Waiter>,
}

impl WaitList {
    /// Waits until it is this thread's turn, the time is over, or a signal has come in. `again`: it has had
    /// its turn but came too late, so that it is the first in the row.
    pub fn wait(&self, vm: &Vm, until: Option<Instant>, again: bool) -> Parked {
        let me = Waiter {
            thread: vm.threads.current(),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            queued: Cell::new(true),
        };
        // SAFETY (of all here): waiters in the list are on the stacks of threads that are in this function, which
        // take them out before they leave it; and whoever is here holds the lock of the interpreter.
        unsafe {
            if again && !self.first.get().is_null() {
                me.next.set(self.first.get());
                (*self.first.get()).previous.set(&me);
                self.first.set(&me);
            } else {
                me.previous.set(self.last.get());
                match self.last.get().as_ref() {
                    Some(last) => last.next.set(&me),
                    None => self.first.set(&me),
                }
                self.last.set(&me);
            }
        }
        let how = match until {
            Some(_) => vm.park(until),
            None => {
                // What it waits for may be done by a finalizer.
                let began = Instant::now();
                let mut idle = began.checked_add(IDLE);
                loop {
                    match vm.park(idle) {
                        Parked::TimedOut if me.queued.get() => idle = vm.collect_while_idle(began),
                        how => break how,
                    }
                    if !me.queued.get() {
                        break Parked::Called;
                    }
                }
            }
        };
        if !me.queued.get() {
            // Its turn has come, whatever else has.
            return Parked::Called;
        }
        self.unlink(&me);
        how
    }

    fn unlink(&self, w: &Waiter) {
        let (next, previous) = (w.next.get(), w.previous.get());
        // SAFETY: as in `wait`.
        unsafe {
            match previous.as_ref() {
                Some(p) => p.next.set(next),
                None => self.first.set(next),
            }
            match next.as_ref() {
                Some(n) => n.previous.set(previous),
                None => self.last.set(previous),
            }
        }
        w.queued.set(false);
    }

    /// It is the first one's turn. False: nobody waits.
    pub fn wake_one(&self, vm: &Vm) -> bool {
        // SAFETY: as in `wait`.
        let Some(w) = (unsafe { self.first.get().as_ref() }) else { return false };
        self.unlink(w);
        vm.unpark(&w.thread);
        true
    }

    pub fn wake_all(&self, vm: &Vm) {
        while self.wake_one(vm) {}
    }

    pub fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// After a fork: those that waited are not there any more.
    pub fn forget(&self) {
        self.first.set(ptr::null());
        self.last.set(ptr::null());
    }
}
