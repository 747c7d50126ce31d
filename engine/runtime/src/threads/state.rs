//! What the isolate's fields hold for one thread, while another runs.

use crate::context::Context;
use crate::events::Tracing;
use crate::object::Tracer;
use crate::threads::gil::Seat;
use crate::value::Value;
use crate::vm::{NO_SWITCHER, Switcher, TICKS, Vm, poll};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// State of modules in Rust, by type.
pub type ModuleState = rustc_hash::FxHashMap<TypeId, Rc<dyn Any>>;

/// One OS thread that runs Python code.
pub struct ThreadState {
    /// Its number in the isolate, never used again; the thread that made the isolate has 0.
    pub serial: u32,
    pub(super) seat: Arc<Seat>,
    /// What `_thread.get_ident` gives; 0 before it runs.
    ident: AtomicU64,
    /// The system's number of the thread.
    native_id: Cell<i64>,
    /// What it is to run, and what belongs to it; for the function that was given with it.
    pub program: Cell<Option<Value>>,
    /// Objects of modules that belong to the thread.
    pub kept: Kept,
    /// Stack of its main program.
    main_ctx: Box<Context>,
    /// Its microthreads; none before it runs.
    switcher: RefCell<Option<Box<dyn Switcher>>>,
    /// Lowest address in use of its native stack, while it does not run.
    sp: Cell<*const u64>,
    /// Its stacks were scanned since it stopped, and cannot have changed.
    scanned: Cell<bool>,
    saved: Saved,
}

/// Objects of modules that belong to one thread.
#[derive(Default)]
pub struct Kept {
    /// What knows its thread-local objects.
    pub locals: Cell<Option<Value>>,
    /// `sys.set_asyncgen_hooks`.
    pub first_iteration: Cell<Option<Value>>,
    pub finalizer: Cell<Option<Value>>,
    /// The event loop that runs, and its task.
    pub running_loop: Cell<Option<Value>>,
    pub current_task: Cell<Option<Value>>,
}

/// Fields of the isolate, as the thread will find them again.
struct Saved {
    ticks: Cell<i64>,
    slice: Cell<i64>,
    pc: Cell<*const u32>,
    base: Cell<*mut Value>,
    ctx: Cell<*const Context>,
    pending: Cell<Option<Value>>,
    native_limit: Cell<usize>,
    native_base: Cell<usize>,
    repr_stack: RefCell<Vec<Value>>,
    switcher: Cell<*const dyn Switcher>,
    switcher_state: Cell<*const ()>,
    thread_modules: RefCell<ModuleState>,
    coroutine_origin_depth: Cell<usize>,
    tracing: Tracing,
}

impl ThreadState {
    /// A thread that has not run yet, with the stack of its main program.
    pub(super) fn new(serial: u32, main_ctx: Box<Context>) -> ThreadState {
        let ctx: *const Context = &*main_ctx;
        main_ctx.thread.set(serial);
        ThreadState {
            serial,
            seat: Arc::default(),
            ident: AtomicU64::new(0),
            native_id: Cell::new(0),
            program: Cell::new(None),
            kept: Kept::default(),
            main_ctx,
            switcher: RefCell::new(None),
            sp: Cell::new(std::ptr::null()),
            scanned: Cell::new(false),
            saved: Saved {
                ticks: Cell::new(TICKS),
                slice: Cell::new(0),
                pc: Cell::new(std::ptr::null()),
                base: Cell::new(std::ptr::null_mut()),
                ctx: Cell::new(ctx),
                pending: Cell::new(None),
                native_limit: Cell::new(0),
                native_base: Cell::new(0),
                repr_stack: RefCell::default(),
                switcher: Cell::new(&NO_SWITCHER),
                switcher_state: Cell::new(std::ptr::null()),
                thread_modules: RefCell::default(),
                coroutine_origin_depth: Cell::new(0),
                tracing: Tracing::default(),
            },
        }
    }

    pub fn main_ctx(&self) -> &Context {
        &self.main_ctx
    }

    /// What `_thread.get_ident` gives; 0 before it runs.
    pub fn ident(&self) -> u64 {
        self.ident.load(Ordering::Relaxed)
    }

    pub fn native_id(&self) -> i64 {
        self.native_id.get()
    }

    pub(super) fn set_ident(&self, ident: u64) {
        self.ident.store(ident, Ordering::Relaxed);
    }

    /// Notes which OS thread calls this: it is the one.
    pub(crate) fn identify(&self) {
        // SAFETY: plain calls about the calling thread.
        unsafe {
            self.ident.store(libc::pthread_self() as u64, Ordering::Relaxed);
            self.native_id.set(libc::syscall(libc::SYS_gettid));
        }
    }

    /// Gives the thread, which runs, its microthreads. `state` is what [`Vm::switcher_state`] is to be.
    pub(crate) fn install_switcher(&self, vm: &Vm, switcher: Box<dyn Switcher>, state: *const ()) {
        let pointer: *const dyn Switcher = &*switcher;
        self.switcher.replace(Some(switcher));
        vm.set_switcher(pointer, state);
    }

    /// Takes its microthreads away, at its end.
    pub(super) fn take_switcher(&self, vm: &Vm) -> Option<Box<dyn Switcher>> {
        vm.set_switcher(&NO_SWITCHER, std::ptr::null());
        self.switcher.borrow_mut().take()
    }

    /// The thread stops running with its native stack in use down to `sp`.
    pub(super) fn leave(&self, vm: &Vm, sp: *const u64) {
        let s = &self.saved;
        let (pc, base) = vm.site().parts();
        s.ticks.set(vm.ticks.get());
        s.slice.set(vm.slice.get());
        s.pc.set(pc);
        s.base.set(base);
        s.ctx.set(vm.ctx.get());
        s.pending.set(vm.pending.take());
        s.native_limit.set(vm.native_limit.get());
        s.native_base.set(vm.native_base.get());
        s.repr_stack.swap(&vm.repr_stack);
        s.switcher.set(vm.switcher_pointer());
        s.switcher_state.set(vm.switcher_state.get());
        s.thread_modules.swap(&vm.thread_modules);
        s.coroutine_origin_depth.set(vm.coroutine_origin_depth.get());
        s.tracing.swap(&vm.events.tracing);
        self.scanned.set(false);
        self.sp.set(sp);
    }

    /// The thread runs again, and the isolate is as it left it.
    pub(super) fn enter(&self, vm: &Vm) {
        let s = &self.saved;
        self.sp.set(std::ptr::null());
        vm.ticks.set(s.ticks.get());
        vm.slice.set(s.slice.get());
        vm.frame.pc.set(s.pc.get());
        vm.frame.base.set(s.base.get());
        vm.ctx.set(s.ctx.get());
        vm.main_ctx.set(&*self.main_ctx);
        vm.pending.set(s.pending.take());
        vm.native_limit.set(s.native_limit.get());
        vm.native_base.set(s.native_base.get());
        s.repr_stack.swap(&vm.repr_stack);
        vm.set_switcher(s.switcher.get(), s.switcher_state.get());
        s.thread_modules.swap(&vm.thread_modules);
        vm.coroutine_origin_depth.set(s.coroutine_origin_depth.get());
        s.tracing.swap(&vm.events.tracing);
        vm.poll.fetch_and(!poll::THREAD, Ordering::Relaxed);
        vm.refresh_limit();
    }

    /// The thread's microthreads, while it does not run.
    pub fn parked_switcher(&self) -> &dyn Switcher {
        // SAFETY: this thread's own, or the one without microthreads; it changes only while the thread runs.
        unsafe { &*self.saved.switcher.get() }
    }

    /// Its trace and profile functions, while it does not run.
    pub fn saved_tracing(&self) -> &Tracing {
        &self.saved.tracing
    }

    /// What [`Vm::switcher_state`] was for it, while it does not run.
    pub fn parked_switcher_state(&self) -> *const () {
        self.saved.switcher_state.get()
    }

    /// Where it stands, while it does not run: its context, and its innermost frame.
    pub fn standing(&self) -> (*const Context, crate::interp::Site) {
        let s = &self.saved;
        (s.ctx.get(), crate::interp::Site::from_parts(s.pc.get(), s.base.get()))
    }

    /// Visits what the thread holds. One that runs is the isolate's root, but for what belongs to it.
    pub(super) fn trace(&self, t: &mut Tracer<'_>) {
        let Kept { locals, first_iteration, finalizer, running_loop, current_task } = &self.kept;
        let kept = [&self.program, locals, first_iteration, finalizer, running_loop, current_task];
        for v in kept.into_iter().filter_map(Cell::get) {
            t.visit_word(v.bits());
        }
        self.saved.tracing.trace(t);
        if self.sp.get().is_null() {
            return;
        }
        let s = &self.saved;
        if let Some(v) = s.pending.get() {
            t.visit_word(v.bits());
        }
        for v in s.repr_stack.borrow().iter() {
            t.visit_word(v.bits());
        }
        // SAFETY: the switcher lives as long as the thread.
        unsafe { (*s.switcher.get()).trace(t) };
        if self.scanned.replace(true) && !t.is_major() {
            return;
        }
        // SAFETY: the context that ran when the thread stopped is alive as long as it does not run.
        unsafe { Vm::trace_standing(&*s.ctx.get(), s.base.get(), t) };
        if !std::ptr::eq(s.ctx.get(), &*self.main_ctx) {
            Vm::trace_suspended(&self.main_ctx, t);
        }
        let (sp, base) = (self.sp.get(), s.native_base.get() as *const u64);
        if sp < base {
            // SAFETY: the native stack that it stopped on, from where it was to its beginning. The thread does
            // not return from the function that noted `sp` before it has the lock again.
            unsafe { t.visit_conservative(sp, base.offset_from(sp) as usize) };
        }
    }
}
