//! OS threads: all run in one isolate, one at a time.
//!
//! ```text
//!                 Vm: context, published frame, ticks, pending exception, switcher, native stack …
//!                  ▲ enter                    leave │
//!  ThreadState 0 ──┘   (holds the lock)             └──> ThreadState 1   (waits, or is in a blocking call)
//! ```
//! The fields of [`Vm`] always belong to the thread that holds the lock ([`gil::Gil`]), so that running
//! code finds them where a single thread would. A thread that lets go of the lock saves its part of
//! them in its [`ThreadState`]; one that takes it puts its own there. [`Vm::outside`] is the only place where
//! that is done.
//!
//! **Invariant:** whoever touches the isolate or its heap holds the lock, and is the thread that
//! `Threads::current` names. Isolate, values and microthreads are neither `Send` nor `Sync`; that they are
//! reached from several OS threads is sound since the lock's hand-over orders all that one thread did before
//! all that the next one does: to the memory model they are one thread. References to the isolate that a
//! waiting thread has on its stack are used again only when it has the lock; in between others change what
//! they lead to through cells, as any function that is called might.
//!
//! **Invariant:** a thread that does not hold the lock has spilled its registers, noted its stack pointer, and
//! does not return below it: the collector finds all that the thread holds in its stack.

mod futex;
pub mod gil;
pub mod state;
pub mod wait;
pub mod words;

use crate::context::Context;
use crate::object::Tracer;
use crate::value::{R, Value};
use crate::vm::{Vm, poll};
use gil::{Gil, Parked, Seat};
use state::ThreadState;
use std::cell::{Cell, RefCell};
use std::os::unix::thread::JoinHandleExt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use words::Asker;

/// The threads of an isolate.
pub struct Threads {
    gil: Arc<Gil>,
    pub asker: Arc<Asker>,
    /// The one that runs.
    current: RefCell<Rc<ThreadState>>,
    /// The one that takes signals.
    main: RefCell<Rc<ThreadState>>,
    /// All that have not ended, in the order of their beginning.
    all: RefCell<Vec<Rc<ThreadState>>>,
    next_serial: Cell<u32>,
    /// A signal came in while another thread than the main one ran.
    signal: AtomicBool,
    /// Bytes of the native stack of new threads; 0: the default.
    pub stack_size: Cell<usize>,
    /// When a thread that waited has collected last, and when the next one may.
    idle: Cell<Option<(Instant, Instant)>>,
}

/// Bytes of a thread's own native stack: programs run on pooled ones.
const OWN_STACK: usize = 512 << 10;

/// What a new thread is handed.
struct Start {
    vm: *const Vm,
    state: *const ThreadState,
    gil: Arc<Gil>,
    seat: Arc<Seat>,
    run: fn(&Vm),
}

// SAFETY: the isolate and the thread's state are touched only with the lock held (see the head of this file).
// The isolate is not freed while there are threads, and the registry holds the state until `end_thread`.
unsafe impl Send for Start {}

impl Threads {
    /// For the calling thread alone, which holds the lock.
    pub(crate) fn new(asker: Arc<Asker>, main_ctx: Box<Context>) -> Threads {
        let main = Rc::new(ThreadState::new(0, main_ctx));
        main.identify();
        asker.set_main(main.seat.clone());
        Threads {
            gil: Arc::new(Gil::new(&main.seat, asker.clone())),
            asker,
            current: RefCell::new(main.clone()),
            main: RefCell::new(main.clone()),
            all: RefCell::new(Vec::from([main])),
            next_serial: Cell::new(1),
            signal: AtomicBool::new(false),
            stack_size: Cell::new(0),
            idle: Cell::new(None),
        }
    }

    /// Is there only one thread?
    #[inline]
    pub fn is_alone(&self) -> bool {
        self.all.borrow().len() == 1
    }

    /// The thread that runs.
    pub fn current(&self) -> Rc<ThreadState> {
        self.current.borrow().clone()
    }

    /// The thread that takes signals.
    pub fn main(&self) -> Rc<ThreadState> {
        self.main.borrow().clone()
    }

    pub fn is_main(&self) -> bool {
        Rc::ptr_eq(&self.current.borrow(), &self.main.borrow())
    }

    /// All that have not ended, in the order of their beginning.
    pub fn all(&self) -> Vec<Rc<ThreadState>> {
        self.all.borrow().clone()
    }

    /// The thread with this number, if it has not ended.
    pub fn by_serial(&self, serial: u32) -> Option<Rc<ThreadState>> {
        self.all.borrow().iter().find(|t| t.serial == serial).cloned()
    }

    /// Does a thread that does not run compute, so that it only waits for its turn?
    pub fn computes(&self, thread: &ThreadState) -> bool {
        self.gil.is_patient(&thread.seat)
    }

    /// The calling thread ends the program: no other runs Python code any more.
    pub fn end_others(&self) {
        self.gil.end_others(&self.current().seat);
    }

    pub fn gil(&self) -> &Gil {
        &self.gil
    }

    /// What the threads hold that do not run.
    pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
        for state in self.all.borrow().iter() {
            state.trace(t);
        }
    }

    /// A signal is the main thread's; any other one leaves it to that. Whether it does.
    pub(crate) fn leave_signal(&self) -> bool {
        let left = !self.is_main();
        if left {
            self.signal.store(true, Ordering::Relaxed);
        }
        left
    }
}

impl Vm {
    /// Stands outside of the isolate while `f` runs, which lets go of the lock and takes it again, and touches
    /// nothing of the isolate.
    fn outside<T>(&self, f: impl FnOnce(&Gil, &Arc<Seat>) -> T) -> T {
        /// Comes back also if `f` panics.
        struct Back<'a>(&'a Vm, Rc<ThreadState>);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                let (vm, threads) = (self.0, &self.0.threads);
                threads.current.replace(self.1.clone());
                self.1.enter(vm);
                if threads.signal.load(Ordering::Relaxed) && threads.is_main() {
                    threads.signal.store(false, Ordering::Relaxed);
                    vm.request(poll::SIGNAL);
                }
            }
        }
        let state = self.threads.current();
        let gil = self.threads.gil.clone();
        let (mut f, mut result) = (Some(f), None);
        skein_heap::with_native_stack(&mut |sp| {
            state.leave(self, sp);
            let back = Back(self, state.clone());
            result = f.take().map(|f| f(&gil, &back.1.seat));
        });
        match result {
            Some(r) => r,
            None => unreachable!("with_native_stack calls its argument"),
        }
    }

    /// Calls `f`, which may take long or block, while other threads run. It must not touch anything of the
    /// isolate, nor memory that another thread could change or free: buffers are copied, or immutable and
    /// kept alive by the caller.
    #[inline]
    pub fn without_gil<T>(&self, f: impl FnOnce() -> T) -> T {
        if self.threads.is_alone() { f() } else { self.release_gil(f) }
    }

    #[inline(never)]
    fn release_gil<T>(&self, f: impl FnOnce() -> T) -> T {
        /// Takes the lock also if `f` panics, and leaves errno as `f` has set it.
        struct Retake<'a>(&'a Gil, &'a Arc<Seat>);
        impl Drop for Retake<'_> {
            fn drop(&mut self) {
                // SAFETY: the thread's own number.
                unsafe {
                    let errno = *libc::__errno_location();
                    self.0.take(self.1);
                    *libc::__errno_location() = errno;
                }
            }
        }
        self.outside(|gil, seat| {
            gil.release();
            let _retake = Retake(gil, seat);
            f()
        })
    }

    /// Lets other threads run that wait for it, if any.
    #[cold]
    pub fn yield_gil(&self) {
        if !self.threads.is_alone() {
            self.outside(|gil, seat| gil.yield_to_others(seat));
        }
    }

    /// Gives the running thread its microthreads. For the one that made the isolate, to be called once.
    pub fn attach_switcher(&self) {
        let state = self.threads.current();
        let (switcher, pointer) = self.hooks.clone().new_switcher(self, state.serial);
        state.install_switcher(self, switcher, pointer);
    }

    /// Waits until another thread calls [`Vm::unpark`] for this one, the time is over, or, in the main thread,
    /// a signal comes in. What is waited for has to be looked at again.
    pub fn park(&self, until: Option<Instant>) -> Parked {
        let main = self.threads.is_main();
        self.outside(|gil, seat| gil.park(seat, until, main))
    }

    /// For a thread that has been waiting since then: collects and runs finalizers, if that takes a moment only and no other
    /// waiting thread has done so meanwhile. An instant: it is too early, and then it may be tried again.
    pub(crate) fn collect_while_idle(&self, since: Instant) -> Option<Instant> {
        // What a collection takes is by what lives, however many blocks that is spread over.
        const SMALL: usize = 32 << 20;
        const PAUSE: Duration = Duration::from_secs(1);
        /// Idle collections take no larger part of the time.
        const SHARE: u32 = 20;
        let began = Instant::now();
        match self.threads.idle.get() {
            Some((last, _)) if last > since => return None,
            Some((_, next)) if began < next => return Some(next),
            _ => {}
        }
        if !self.gc_enabled.get() || self.heap.live_bytes() > SMALL {
            return None;
        }
        self.collect_thoroughly(skein_heap::CollectKind::Major);
        // A finalizer may wait for what this thread does next, and it would have to wait for the finalizer's end.
        let apart = self.heap.has_to_finalize()
            && !self.threads.is_alone()
            && self.hooks.clone().finalize_apart(self);
        if !apart {
            self.run_finalizers();
        }
        let next = began.checked_add(PAUSE.max(began.elapsed() * SHARE));
        self.threads.idle.set(next.map(|next| (began, next)));
        None
    }

    /// Wakes a thread that is in [`Vm::park`].
    pub fn unpark(&self, thread: &ThreadState) {
        self.threads.gil.unpark(&thread.seat);
    }

    /// A new thread that will call `run`, which finds `program` in its state. OSError as a number.
    pub fn start_thread(&self, program: Value, run: fn(&Vm)) -> R<Result<Rc<ThreadState>, i32>> {
        let threads = &self.threads;
        let ctx = Context::default();
        if ctx.begin(&self.chunks).is_err() {
            return Err(self.memory_error());
        }
        let serial = threads.next_serial.get();
        let state = Rc::new(ThreadState::new(serial, Box::new(ctx)));
        state.program.set(Some(program));
        let start =
            Start { vm: self, state: &*state, gil: threads.gil.clone(), seat: state.seat.clone(), run };
        // Known before it begins, so that its program is kept alive and nobody takes himself to be alone.
        threads.all.borrow_mut().push(state.clone());
        let size = threads.stack_size.get().max(OWN_STACK);
        let started = threads
            .gil
            .start_ticker()
            .and_then(|()| std::thread::Builder::new().stack_size(size).spawn(move || enter_thread(start)));
        match started {
            Ok(handle) => {
                state.set_ident(handle.as_pthread_t());
                threads.next_serial.set(serial + 1);
                Ok(Ok(state))
            }
            Err(e) => {
                self.forget_thread(&state);
                Ok(Err(e.raw_os_error().unwrap_or(libc::EAGAIN)))
            }
        }
    }

    fn forget_thread(&self, state: &Rc<ThreadState>) {
        self.threads.all.borrow_mut().retain(|t| !Rc::ptr_eq(t, state));
        state.program.set(None);
        state.main_ctx().release(&self.chunks);
    }

    /// After a fork, in the child: no other thread is there any more. Their stacks, and what is on them, are left
    /// alone.
    fn forget_other_threads(&self) {
        let current = self.threads.current();
        current.identify();
        for state in self.threads.all.replace(Vec::from([current.clone()])) {
            if !Rc::ptr_eq(&state, &current) {
                // What its parked microthreads refer to is still there.
                std::mem::forget(state);
            }
        }
        self.threads.asker.set_main(current.seat.clone());
        self.threads.main.replace(current);
    }

    /// Forks: in the child the calling thread is the only and the main one.
    pub fn fork_process(&self, fork: impl FnOnce() -> i32) -> i32 {
        let pid = self.threads.gil.fork(fork);
        if pid == 0 {
            self.forget_other_threads();
        }
        pid
    }
}

/// A new OS thread's first function.
fn enter_thread(start: Start) {
    start.gil.take(&start.seat);
    // SAFETY: this thread has the lock; see `Start`.
    let (vm, state) = unsafe { (&*start.vm, &*start.state) };
    let threads = &vm.threads;
    let Some(state) = threads.all.borrow().iter().find(|t| std::ptr::eq(&***t, state)).cloned() else {
        return start.gil.release();
    };
    threads.current.replace(state.clone());
    state.enter(vm);
    state.identify();
    vm.set_native_stack();
    vm.attach_switcher();
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (start.run)(vm)));
    if ran.is_err() {
        // Natives that panic are caught further above: here it is the end of the thread, not of the process.
        crate::vm::write_stderr(vm, "Fatal error in a thread: internal error\n");
    }
    vm.pending.set(None);
    vm.events.end_thread(vm);
    vm.repr_stack.borrow_mut().clear();
    let modules = vm.thread_modules.take();
    drop(modules);
    if let Some(switcher) = state.take_switcher(vm)
        && !switcher.end(vm)
    {
        // Microthreads of the thread are parked on native stacks, which refer to it.
        std::mem::forget(switcher);
    }
    vm.forget_thread(&state);
    drop(state);
    if threads.all.borrow().is_empty() {
        // In a child of a fork by a thread that was not the main one, the process ends with the last thread, whose function
        // returns; the ticker alone would keep it.
        // SAFETY: the end of the process. What it has registered with `atexit` is its parent's.
        unsafe { libc::_exit(0) };
    }
    start.gil.release();
}
