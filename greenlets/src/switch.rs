//! Switching from one microthread to another.
//!
//! ```text
//!            soft                                  hard
//! loop on stack A: context 1 → 2 → 3    1 (native frames on A) ── parks with A ──> loop on stack B: 2
//! ```
//! A *host loop* at the bottom of a native stack runs contexts that have no native frames; it can go
//! from one to another by swapping the current context. A context with native frames is parked with
//! the stack they are on; others go on in a host loop on another stack, idle or new.
//!
//! **Invariant:** a native stack belongs either to one parked or running context with native frames
//! on it, or to a host loop; idle host loops are in `idle`.

use crate::micro::{Kind, Micro, NO_RESULT, Parked, ParkedList, State};
use skein_continuations::{Exit, Hub, PoolConfig, StackId, StackPool};
use skein_runtime::context::Context;
use skein_runtime::interp::{
    At, Consumer, Cont, ContKind, Site, SoftCall, call_soft, merge_chunks, raise_at, raise_parked, run_loop,
    without_panics,
};
use skein_runtime::native::Args;
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{Switcher, Vm};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

/// Bytes of a native stack in the pool. Only touched pages cost memory.
const STACK_SIZE: usize = 256 << 10;
/// Bytes of it that natives may use after the last check.
const MARGIN: usize = 96 << 10;
/// Native stacks that wait for newer ones, at most; a guard against runaway native recursion.
const MAX_STACKS: usize = 1 << 20;

/// What a microthread is resumed with.
#[derive(Clone, Copy, Debug)]
pub enum Deliver {
    Value(Value),
    /// The exception is raised in it.
    Raise(Value),
    /// As one of these, but the trace function of greenlets is called first.
    Traced {
        raise: bool,
        v: Value,
    },
}

impl Deliver {
    /// Is it raised, and what is it?
    pub fn parts(self) -> (bool, Value) {
        match self {
            Deliver::Value(v) => (false, v),
            Deliver::Raise(v) => (true, v),
            Deliver::Traced { raise, v } => (raise, v),
        }
    }
}

/// Types of the modules and settings, the same in all threads.
#[derive(Default)]
pub struct MicroTypes {
    pub greenlet: Cell<Option<Ref<Type>>>,
    pub greenlet_error: Cell<Option<Ref<Type>>>,
    pub greenlet_exit: Cell<Option<Ref<Type>>>,
    pub tasklet: Cell<Option<Ref<Type>>>,
    pub channel: Cell<Option<Ref<Type>>>,
    /// All microthreads are switched with their native stacks: running contexts are watched.
    pub hard: Cell<bool>,
}

impl MicroTypes {
    fn trace(&self, t: &mut Tracer<'_>) {
        let MicroTypes { greenlet, greenlet_error, greenlet_exit, tasklet, channel, hard: _ } = self;
        let all = [greenlet, greenlet_error, greenlet_exit, tasklet, channel];
        for ty in all.into_iter().filter_map(Cell::get) {
            t.visit_object(ty.header());
        }
    }
}

/// The microthreads of one thread.
pub struct Microthreads {
    vm: Cell<*const Vm>,
    /// Number of the thread.
    pub thread: u32,
    main_ctx: Cell<*const Context>,
    pub types: Rc<MicroTypes>,
    hub: Pin<Box<Hub>>,
    current: Cell<*const Micro>,
    main: Box<Micro>,
    /// Stacks whose host loop has nothing to run.
    idle: RefCell<Vec<StackId>>,
    /// For a host loop that is woken: what to run.
    next_run: Cell<Option<(*const Micro, Deliver)>>,
    /// For a context that is resumed on its native stack.
    deliver: Cell<Option<Deliver>>,
    /// Arguments of the main program, by position and by name.
    arguments: Cell<Option<(Ref<List>, Option<Ref<Tuple>>)>>,
    /// How the main program ended.
    finished: RefCell<Option<R<Value>>>,
    pub greenlets: crate::greenlet::State,
    pub scheduler: crate::scheduler::Scheduler,
    /// `stackless.pickle_flags`, once asked for.
    pub pickle_flags: Cell<Option<i64>>,
    pub dropped: crate::foreign::Dropped,
    hard: ParkedList,
    /// What programs see of the thread's own native stack: see `cstack`.
    pub stub: Cell<Option<Value>>,
}

/// Stacks for the microthreads of all threads of an isolate.
pub fn new_pool() -> StackPool {
    StackPool::new(PoolConfig { stack_size: STACK_SIZE, ..PoolConfig::default() })
}

impl Microthreads {
    /// For the calling thread, which has this number.
    pub fn new(thread: u32, pool: StackPool, types: Rc<MicroTypes>) -> Microthreads {
        Microthreads {
            vm: Cell::new(std::ptr::null()),
            thread,
            main_ctx: Cell::new(std::ptr::null()),
            types,
            hub: Hub::new(pool),
            current: Cell::new(std::ptr::null()),
            main: Box::new(Micro::new(Kind::Main)),
            idle: RefCell::default(),
            next_run: Cell::new(None),
            deliver: Cell::new(None),
            arguments: Cell::new(None),
            finished: RefCell::new(None),
            greenlets: Default::default(),
            scheduler: Default::default(),
            pickle_flags: Cell::new(None),
            dropped: Default::default(),
            hard: ParkedList::default(),
            stub: Cell::new(None),
        }
    }

    /// The microthreads of the running thread.
    #[inline(always)]
    pub fn of(vm: &Vm) -> &Microthreads {
        // SAFETY: set before any program runs in the thread, for the thread's life.
        unsafe { &*vm.switcher_state.get().cast::<Microthreads>() }
    }

    /// Those of the thread with this number; None: it has ended, or has not begun.
    pub fn of_thread(vm: &Vm, serial: u32) -> Option<&Microthreads> {
        let here = Microthreads::of(vm);
        if serial == here.thread {
            return Some(here);
        }
        let thread = vm.threads.by_serial(serial)?;
        // SAFETY: null or that thread's, which only goes away when the thread, which does not run, has ended.
        unsafe { thread.parked_switcher_state().cast::<Microthreads>().as_ref() }
    }

    /// Prepares it to be the switcher of the running thread. Both must stay where they are.
    pub fn attach(&self, vm: &Vm) {
        self.vm.set(vm);
        self.main_ctx.set(vm.main_context());
        self.current.set(&*self.main);
        self.main.state.set(State::Running);
    }

    #[inline(always)]
    pub fn current(&self) -> &Micro {
        // SAFETY: the running microthread's object is kept alive by being the root.
        unsafe { &*self.current.get() }
    }

    pub fn main(&self) -> &Micro {
        &self.main
    }

    /// What the main greenlet stands for: the microthread of the tasklet that runs, on which the
    /// greenlets that run in it are based; else the main program.
    #[inline]
    pub fn base(&self) -> &Micro {
        match self.scheduler.current.get() {
            // SAFETY: the current tasklet's object is a root, and does not move.
            Some(t) if t.micro.kind != Kind::Main => unsafe { &*std::ptr::from_ref(&t.micro) },
            _ => &self.main,
        }
    }

    /// Those that are parked with their native stacks.
    pub fn parked(&self) -> impl Iterator<Item = &Parked> {
        self.hard.iter()
    }

    /// Is the running context of the thread to be watched?
    pub fn is_watched(&self) -> bool {
        self.types.hard.get() || self.greenlets.tracing.function().is_some()
    }

    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The context of a microthread of this thread: the main one's is the thread's.
    #[inline(always)]
    pub fn context<'a>(&'a self, _: &'a Vm, m: &'a Micro) -> &'a Context {
        // SAFETY: set by `attach`; the thread's state owns it.
        if m.kind == Kind::Main { unsafe { &*self.main_ctx.get() } } else { &m.ctx }
    }

    /// Is it a microthread of another thread?
    #[inline(always)]
    pub fn is_foreign(&self, m: &Micro) -> bool {
        m.ctx.thread.get() != self.thread
    }

    /// Roots: the running microthread and what is on its way.
    fn trace_all(&self, t: &mut Tracer<'_>) {
        self.types.trace(t);
        if let Some((row, names)) = self.arguments.get() {
            t.visit_object(row.header());
            if let Some(names) = names {
                t.visit_object(names.header());
            }
        }
        if self.current.get().is_null() {
            // The isolate is being made; nothing is attached yet.
            return;
        }
        let visit = |t: &mut Tracer<'_>, m: &Micro| {
            if let Some(owner) = m.owner() {
                t.visit_word(owner.bits());
            }
        };
        visit(t, self.current());
        visit(t, &self.main);
        let all = t.is_major();
        self.current().trace_stacks(t, all);
        if !std::ptr::eq(self.current(), &*self.main) {
            // SAFETY: set by `attach`; the thread's state owns it.
            self.main.trace_context(unsafe { &*self.main_ctx.get() }, t);
        }
        if let Some((m, d)) = self.next_run.get() {
            // SAFETY: set only while its owner is on the way to run.
            visit(t, unsafe { &*m });
            trace_deliver(t, d);
        }
        if let Some(d) = self.deliver.get() {
            trace_deliver(t, d);
        }
        self.greenlets.trace(t);
        self.scheduler.trace(t);
        self.dropped.trace(t);
        if let Some(stub) = self.stub.get() {
            t.visit_word(stub.bits());
        }
    }

    /// After a change of native stack.
    fn note_stack(&self, vm: &Vm) {
        let bounds = self.hub.current_bounds();
        vm.native_base.set(bounds.base);
        vm.native_limit.set(bounds.limit + MARGIN.min(bounds.size() / 2));
    }

    #[inline(always)]
    fn activate(&self, vm: &Vm, m: &Micro) {
        self.current.set(m);
        m.state.set(State::Running);
        vm.ctx.set(self.context(vm, m));
        vm.refresh_limit();
    }

    /// Parks the running microthread softly behind a call; its result register takes what is sent.
    #[inline(always)]
    pub fn park_soft(&self, vm: &Vm, resume: At, result: usize) {
        let m = self.current();
        let ctx = vm.context();
        ctx.pc.set(resume.pc);
        ctx.base.set(resume.base);
        m.result.set(result as u16);
        m.state.set(State::Soft);
        self.log(vm, m);
        vm.counters.soft_switches.set(vm.counters.soft_switches.get() + 1);
    }

    /// The collector is to look at a microthread again that has run.
    #[inline(always)]
    fn log(&self, vm: &Vm, m: &Micro) {
        if let Some(h) = m.owner().and_then(Value::header) {
            vm.heap.write_barrier(h);
        }
    }

    /// Can the running microthread be parked softly at this call?
    #[inline(always)]
    pub fn soft_result(vm: &Vm, call: &SoftCall<'_>) -> Option<usize> {
        if vm.context().native_depth.get() != 0 {
            return None;
        }
        call.parking_register()
    }

    /// As [`Microthreads::soft_result`] where somebody may watch the context.
    pub fn watched_result(vm: &Vm, call: &SoftCall<'_>) -> Option<usize> {
        if vm.context().native_calls() != 0 {
            return None;
        }
        call.parking_register()
    }

    /// Goes on with a microthread that is parked softly behind a call, whose result is `v`.
    #[inline(always)]
    pub fn wake(&self, vm: &Vm, m: &Micro, v: Value) -> At {
        debug_assert!(m.state.get() == State::Soft);
        let ctx = self.context(vm, m);
        self.activate(vm, m);
        if ctx.is_split() {
            merge_chunks(vm);
        }
        let at = At { pc: ctx.pc.get(), base: ctx.base.get() };
        if m.result.get() != NO_RESULT {
            at.set(m.result.get() as usize, v);
        }
        at
    }

    /// Calls the trace function in a microthread that is parked softly: what it goes on with.
    #[cold]
    fn traced(&self, vm: &Vm, m: &Micro, raise: bool, v: Value) -> Deliver {
        let ctx = self.context(vm, m);
        let (pc, base) = (ctx.pc.get(), ctx.base.get());
        vm.set_site(At { pc, base }.call_site());
        self.activate(vm, m);
        let d = crate::trace::arrive(vm, raise, v);
        m.state.set(State::Soft);
        // If the function switched, it was parked within it meanwhile.
        ctx.pc.set(pc);
        ctx.base.set(base);
        d
    }

    /// Goes on in a host loop with another microthread; the one that ran is parked or has ended.
    pub fn resume(&self, vm: &Vm, to: &Micro, d: Deliver) -> At {
        let (mut to, mut d) = (std::ptr::from_ref(to), d);
        loop {
            // SAFETY: kept alive by whoever switches to it, then by being the running one.
            let m = unsafe { &*to };
            match m.state.get() {
                State::Soft => {
                    let e = match d {
                        Deliver::Value(v) => return self.wake(vm, m, v),
                        Deliver::Raise(e) => e,
                        Deliver::Traced { raise, v } => match self.traced(vm, m, raise, v).parts() {
                            (false, v) => return self.wake(vm, m, v),
                            (true, e) => e,
                        },
                    };
                    let ctx = self.context(vm, m);
                    let at = At { pc: ctx.pc.get(), base: ctx.base.get() };
                    self.activate(vm, m);
                    vm.pending.set(Some(e));
                    m.entering.set(true);
                    let at =
                        if m.result.get() == NO_RESULT { raise_at(vm, at) } else { raise_parked(vm, at) };
                    m.entering.set(false);
                    match self.next_run.take() {
                        Some(next) => (to, d) = next,
                        None => return at,
                    }
                }
                State::New => {
                    let at = self.begin(vm, m, d);
                    match self.next_run.take() {
                        Some(next) => (to, d) = next,
                        None => return at,
                    }
                }
                State::Hard => {
                    self.deliver.set(Some(d));
                    if let Some(here) = self.hub.current() {
                        self.idle.borrow_mut().push(here);
                    }
                    self.hub.switch_to(m.stack(), 0);
                    self.note_stack(vm);
                    match self.next_run.take() {
                        Some(next) => (to, d) = next,
                        // The thread has ended, and so is this loop to do.
                        None => return At::exit(),
                    }
                }
                State::Running | State::Dead | State::SoftLent => {
                    unreachable!("callers switch to others that are alive")
                }
            }
        }
    }

    /// The first frame of a microthread. With `next_run` set, it has ended already.
    fn begin(&self, vm: &Vm, m: &Micro, d: Deliver) -> At {
        // The main program's stack is there already.
        let started = m.kind == Kind::Main || m.ctx.begin(&vm.chunks).is_ok();
        self.activate(vm, m);
        vm.set_site(Site::NONE);
        if m.kind != Kind::Main {
            self.dropped.count_begun();
        } else {
            // A microthread's first chunk is too small for it to matter.
            skein_runtime::interp::apply_recursion_limit(vm);
            vm.context().watch(self.is_watched());
        }
        let d = match d {
            Deliver::Traced { raise, v } if started => crate::trace::arrive(vm, raise, v),
            d => d,
        };
        let bottom = At { pc: std::ptr::null(), base: std::ptr::null_mut() };
        let cont = Cont::new(ContKind::ContextEnd, Consumer::Drop, 0);
        m.entering.set(true);
        let r = match d {
            _ if !started => Err(vm.memory_error()),
            Deliver::Raise(v) | Deliver::Traced { v, .. } => {
                vm.pending.set(Some(v));
                Err(Raised)
            }
            Deliver::Value(v) => without_panics(vm, || match m.kind {
                Kind::Greenlet => {
                    crate::greenlet::first_call(vm, m, v, |f, args| call_soft(vm, bottom, f, args, cont))
                }
                Kind::Tasklet => {
                    crate::tasklet::first_call(vm, m, |f, args| call_soft(vm, bottom, f, args, cont))
                }
                Kind::Main => self.start_main(vm, bottom, v, cont),
            }),
        };
        let at = match r {
            Ok(at) => at,
            Err(Raised) => self.ended(vm, m, Err(Raised)),
        };
        m.entering.set(false);
        at
    }

    fn start_main(&self, vm: &Vm, bottom: At, f: Value, cont: Cont) -> R<At> {
        match self.arguments.take() {
            Some((row, names)) => call_soft(vm, bottom, f, Args::new(row.items(), names), cont),
            None => call_soft(vm, bottom, f, Args::new(&[], None), cont),
        }
    }

    /// Parks the running microthread with its native stack and runs another: what it is resumed with.
    pub fn hard_switch(&self, vm: &Vm, to: &Micro, d: Deliver) -> R<Value> {
        let me = self.current();
        let ctx = self.context(vm, me);
        let (pc, base) = vm.site().parts();
        ctx.pc.set(pc);
        ctx.base.set(base);
        let depth = ctx.native_calls();
        let parked = Parked::new(&self.hub, me);
        me.park(&parked);
        self.hard.add(&parked);
        me.state.set(State::Hard);
        self.log(vm, me);
        vm.counters.hard_switches.set(vm.counters.hard_switches.get() + 1);
        match to.state.get() {
            State::Hard => {
                self.deliver.set(Some(d));
                self.hub.switch_to(to.stack(), 0);
            }
            _ => {
                self.next_run.set(Some((to, d)));
                let idle = self.idle.borrow_mut().pop();
                let host = match idle {
                    Some(host) => host,
                    None => match self.hub.spawn(host_loop, std::ptr::from_ref(self).addr()) {
                        Ok(host) => host,
                        Err(_) => {
                            self.next_run.set(None);
                            self.hard.take_off(&parked);
                            me.unpark(&parked);
                            me.state.set(State::Running);
                            return Err(vm.memory_error());
                        }
                    },
                };
                self.hub.switch_to(Some(host), 0);
            }
        }
        self.hard.take_off(&parked);
        me.unpark(&parked);
        self.note_stack(vm);
        self.activate(vm, me);
        vm.set_site(Site::from_parts(ctx.pc.get(), ctx.base.get()));
        debug_assert_eq!(depth, ctx.native_calls());
        let d = match self.deliver.take() {
            Some(Deliver::Traced { raise, v }) => Some(crate::trace::arrive(vm, raise, v)),
            d => d,
        };
        match d {
            Some(Deliver::Value(v)) => Ok(v),
            Some(Deliver::Raise(v) | Deliver::Traced { v, .. }) => {
                vm.pending.set(Some(v));
                Err(Raised)
            }
            None => unreachable!("a parked context is resumed with something"),
        }
    }

    /// The program ends with this exception, whatever the main program is at: the thread's own stack goes on.
    pub fn end_program(&self, vm: &Vm, e: Value) -> ! {
        vm.pending.set(Some(e));
        *self.finished.borrow_mut() = Some(Err(Raised));
        self.hub.switch_to(None, 0);
        unreachable!("nobody resumes a program that has ended");
    }

    /// A microthread's first function has returned or raised: who goes on.
    fn ended(&self, vm: &Vm, m: &Micro, result: R<Value>) -> At {
        if m.kind == Kind::Main {
            *self.finished.borrow_mut() = Some(result);
            if vm.context().native_calls() == 0 {
                // The host loop ends, and with it its stack.
                return At::exit();
            }
            self.hub.switch_to(None, 0);
            unreachable!("nobody resumes a program that has ended");
        }
        self.dropped.count_ended();
        // It still runs: finding who goes on may call Python functions, at the bottom of its stack.
        vm.set_site(Site::NONE);
        let (to, d) = match m.kind {
            Kind::Greenlet => crate::greenlet::after_end(vm, m, result),
            _ => crate::running::after_end(vm, m, result),
        };
        match m.kind {
            // What it has run in can still be asked for, and may be new.
            Kind::Greenlet if m.ctx.variables.get().is_some() => self.log(vm, m),
            Kind::Tasklet => m.ctx.variables.set(None),
            _ => {}
        }
        // Now its memory goes; until the next one is current nothing may push frames here.
        m.state.set(State::Dead);
        m.ctx.release(&vm.chunks);
        if m.entering.get() {
            // `resume` is still at it: there may be very many that end at once, one after the other.
            self.next_run.set(Some((to, d)));
            return At { pc: std::ptr::null(), base: std::ptr::null_mut() };
        }
        self.resume(vm, to, d)
    }
}

fn trace_deliver(t: &mut Tracer<'_>, d: Deliver) {
    t.visit_word(d.parts().1.bits());
}

/// A host loop on a stack of the pool, until its thread's main program has ended.
fn host_loop(_: &Hub, arg: usize, _: usize) -> Exit {
    // SAFETY: `arg` is the address of the isolate's `Microthreads`, which outlives its stacks.
    let this = unsafe { &*(arg as *const Microthreads) };
    // SAFETY: set by `attach`.
    let vm = unsafe { &*this.vm.get() };
    this.note_stack(vm);
    if let Some((m, d)) = this.next_run.take() {
        // SAFETY: its owner is on the way to run.
        let at = this.resume(vm, unsafe { &*m }, d);
        // A host loop has no Exit frame: it ends with the main program.
        let _ = run_loop(vm, at);
    }
    Exit { to: None, payload: 0 }
}

impl Switcher for Microthreads {
    fn run_program(&self, vm: &Vm, f: Value, args: Args<'_>) -> R<Value> {
        let (row, names) = args.parts();
        self.arguments.set(Some((List::new(vm, row)?, names)));
        self.main.state.set(State::New);
        self.next_run.set(Some((&*self.main, Deliver::Value(f))));
        let Ok(host) = self.hub.spawn(host_loop, std::ptr::from_ref(self).addr()) else {
            return Err(vm.memory_error());
        };
        self.hub.switch_to(Some(host), 0);
        self.note_stack(vm);
        self.main.state.set(State::Running);
        self.current.set(&*self.main);
        vm.ctx.set(self.main_ctx.get());
        vm.set_site(Site::NONE);
        vm.refresh_limit();
        let finished = self.finished.borrow_mut().take();
        if self.thread != 0 {
            self.end_left(vm);
        }
        finished.unwrap_or(Err(Raised))
    }

    fn context_finished(&self, vm: &Vm, _: &Context, result: R<Value>) -> At {
        self.ended(vm, self.current(), result)
    }

    fn on_new_stack(&self, vm: &Vm, f: &mut dyn FnMut()) -> R<()> {
        let me = self.current();
        if self.hub.len() >= MAX_STACKS {
            return Err(vm.recursion_error("maximum recursion depth exceeded: too many native stacks"));
        }
        let waiting = Parked::new(&self.hub, me);
        me.park(&waiting);
        let r = self.hub.call_on_new_stack(|| {
            self.note_stack(vm);
            f();
        });
        me.unpark(&waiting);
        // The stack that now runs will change again.
        self.note_stack(vm);
        r.map_err(|_| vm.recursion_error("maximum recursion depth exceeded: no memory for a native stack"))
    }

    fn finalize(&self, vm: &Vm, object: Value) {
        crate::greenlet::finalize(vm, object);
        crate::running::finalize(vm, object);
    }

    fn slice_over(&self, vm: &Vm, at: At) -> At {
        crate::running::slice_over(vm, at)
    }

    fn trace(&self, t: &mut Tracer<'_>) {
        self.trace_all(t);
    }

    fn end(&self, _: &Vm) -> bool {
        self.greenlets.end();
        loop {
            let idle = self.idle.borrow_mut().pop();
            match idle {
                Some(host) => self.hub.switch_to(Some(host), 0),
                None => return self.hub.is_empty(),
            };
        }
    }

    fn running(&self) -> Option<Value> {
        self.current().owner().or((self.thread != 0).then(|| Value::small_int(self.thread.into())))
    }

    fn thread_of(&self, owner: Option<Value>) -> u32 {
        match owner {
            None => 0,
            Some(v) => match Micro::of_owner(v) {
                Some(m) => m.ctx.thread.get(),
                None => v.as_small_int() as u32,
            },
        }
    }

    fn standing(&self, vm: &Vm, owner: Option<Value>) -> Option<(*const Context, Site)> {
        let m = match owner {
            Some(v) if !v.is_int() => Micro::of_owner(v)?,
            _ => &*self.main,
        };
        let ctx = self.context(vm, m);
        Some((ctx, m.site(ctx)?))
    }
}
