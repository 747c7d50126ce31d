//! Microthreads and OS threads: to which one a greenlet belongs, and how what a thread has left is ended.
//!
//! A microthread goes on in its own thread only. One that becomes unreachable is found by whatever thread collects:
//! if it is another's, it is put into that thread's list of those to end, which it looks at when greenlets or tasklets are
//! made or asked for, and at its end. A thread that ends while some of its microthreads are suspended collects, so that
//! those which only it could reach are ended in time.

use crate::greenlet::{Green, is_new, main_greenlet, parent_of};
use crate::micro::{Micro, State};
use crate::switch::Microthreads;
use skein_runtime::object::Tracer;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{CollectKind, Vm};
use std::cell::{Cell, RefCell};

/// What a thread has to end.
#[derive(Default)]
pub struct Dropped {
    /// Microthreads that other threads have found to be unreachable.
    objects: RefCell<Vec<Value>>,
    /// Microthreads of the thread that have begun and not ended.
    begun: Cell<usize>,
}

impl Dropped {
    pub fn count_begun(&self) {
        self.begun.set(self.begun.get() + 1);
    }

    pub fn count_ended(&self) {
        self.begun.set(self.begun.get().saturating_sub(1));
    }

    pub fn trace(&self, t: &mut Tracer<'_>) {
        for v in self.objects.borrow().iter() {
            t.visit_word(v.bits());
        }
    }
}

/// The number of the thread that a greenlet belongs to: one that has not begun goes by its parents.
pub fn home(mut g: Green) -> u32 {
    while is_new(g) {
        match parent_of(g) {
            Some(parent) => g = parent,
            None => break,
        }
    }
    g.micro.ctx.thread.get()
}

/// `greenlet.error` for one of another thread, or in which another tasklet waits.
pub fn check_free(vm: &Vm, g: Green) -> R<()> {
    let micros = Microthreads::of(vm);
    let thread = home(g);
    let why = if thread != micros.thread {
        match Microthreads::of_thread(vm, thread) {
            Some(other) => {
                let expected = other.greenlets.main.get().map_or(Value::NONE, Value::from);
                let (current, expected) = (main_greenlet(vm)?.value(), expected);
                let (current, expected) = (vm.repr_string(current)?, vm.repr_string(expected)?);
                format!("Cannot switch to a different thread\n\tCurrent:  {current}\n\tExpected: {expected}")
            }
            None => "cannot switch to a different thread (which happens to have exited)".into(),
        }
    } else if g.micro.lent.get() {
        "cannot switch to a greenlet in which another tasklet waits".into()
    } else {
        return Ok(());
    };
    match micros.types.greenlet_error.get() {
        Some(error) => Err(vm.raise_text(error, &why)),
        None => Err(vm.system_error(why)),
    }
}

/// A microthread of another thread is unreachable: that one is to end it. If the thread has ended, nothing can
/// run it any more: its frames go, without their `finally` blocks; native stacks stay.
pub fn leave_to_its_thread(vm: &Vm, m: &Micro, object: Value) {
    if let Some(micros) = Microthreads::of_thread(vm, m.ctx.thread.get()) {
        let mut objects = micros.dropped.objects.borrow_mut();
        match objects.try_reserve(1) {
            Ok(()) => objects.push(object),
            // It is found again by a later collection.
            Err(_) => object.header().into_iter().for_each(|h| vm.heap.register_finalizer(h)),
        }
    } else if m.state.get() != State::Hard {
        skein_runtime::interp::abandon_frames(vm, object);
        m.state.set(State::Dead);
        m.ctx.release(&vm.chunks);
    }
}

impl Microthreads {
    /// Ends the microthreads of the running thread that others have found to be unreachable.
    #[inline(always)]
    pub fn end_dropped(&self, vm: &Vm) {
        if !self.dropped.objects.borrow().is_empty() {
            self.end_dropped_now(vm);
        }
    }

    #[cold]
    fn end_dropped_now(&self, vm: &Vm) {
        let pending = vm.pending.take();
        loop {
            let object = self.dropped.objects.borrow_mut().pop();
            let Some(v) = object else { break };
            crate::greenlet::finalize(vm, v);
            crate::running::finalize(vm, v);
        }
        vm.pending.set(pending);
    }

    /// The thread's main program has ended: so do those microthreads that only it could reach.
    pub fn end_left(&self, vm: &Vm) {
        self.end_dropped(vm);
        let pending = vm.pending.take();
        if crate::across::end_tasklets(vm, self).is_err() {
            vm.unraisable(Some("Exception ignored at the end of a thread's tasklets"), Value::NONE);
        }
        vm.pending.set(pending);
        if self.dropped.begun.get() > 0 {
            vm.collect_thoroughly(CollectKind::Major);
            vm.run_finalizers();
        }
    }
}
