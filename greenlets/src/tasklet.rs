//! The class `tasklet`.

use crate::micro::{Kind, Micro, State as MicroState};
use crate::scheduler::Scheduler;
use crate::switch::{Deliver, Microthreads};
use skein_runtime::interp::{At, SoftCall, Walk, frame_object, with_first};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// A tasklet's data.
#[repr(C)]
pub struct Tasklet {
    pub micro: Micro,
    func: Field,
    args: Field,
    keywords: Field,
    /// Neighbours in the queue of runnable tasklets, or in a channel's.
    pub next: Field,
    pub prev: Field,
    /// The channel it is blocked on.
    pub channel: Field,
    /// What it is resumed with, or the value it sends.
    pub temp: Field,
    /// The microthread that goes on when it is resumed: its own, or a greenlet it ran.
    at: Cell<*const Micro>,
    /// `temp` is an exception to raise.
    pub bomb: Cell<bool>,
    pub queued: Cell<bool>,
    atomic: Cell<bool>,
    ignore_nesting: Cell<bool>,
    pub block_trap: Cell<bool>,
}

// `Micro::owner` relies on it.
const _: () = assert!(std::mem::offset_of!(Tasklet, micro) == 0);

impl Payload for Tasklet {
    const NAME: &'static str = "stackless.tasklet";
    const NEEDS_DROP: bool = false;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Tasklet {
            micro,
            func,
            args,
            keywords,
            next,
            prev,
            channel,
            temp,
            at: _,
            bomb: _,
            queued: _,
            atomic: _,
            ignore_nesting: _,
            block_trap: _,
        } = self;
        for f in [func, args, keywords, next, prev, channel, temp] {
            f.trace(t);
        }
        micro.trace(t);
    }
    /// Only one that was left in the middle is to be ended.
    fn needs_finalizer(&self) -> bool {
        self.micro.is_alive()
    }
}

pub type Task = Ref<Ext<Tasklet>>;

native_type! {
    pub DEF: "stackless.tasklet", Layout::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "tasklet(func=None, args=None, kwargs=None) -- create a tasklet.";
    construct { construct }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, func=None, args=None, kwargs=None)" => init;
        "__call__($self, /, *args, **kwargs)" => setup, "Sets the arguments and makes the tasklet runnable.";
        "setup($self, /, *args, **kwargs)" => setup;
        "bind($self, func=None, args=None, kwargs=None)" => bind;
        "insert($self)" => insert;
        "remove($self)" => remove;
        [soft run_soft] "run($self)" => run;
        [soft switch_soft] "switch($self)" => switch;
        [soft throw_soft] "throw($self, exc, val=None, tb=None, pending=False)" => throw;
        [soft raise_soft] "raise_exception($self, exc_class, *args)" => raise_exception;
        [soft kill_soft] "kill($self, pending=False)" => kill;
        "set_atomic($self, flag, /)" => |vm: &Vm, t: Task, on: bool| { let _ = vm; t.atomic.replace(on) };
        "set_ignore_nesting($self, flag, /)" => |vm: &Vm, t: Task, on: bool| { let _ = vm; t.ignore_nesting.replace(on) };
        "__reduce__($self)" => |vm: &Vm, _: Task| -> R<Value> { Err(vm.unsupported("pickling of tasklets")) };
        "__setstate__($self, state, /)" => |vm: &Vm, _: Task, _: Value| -> R<Value> { Err(vm.unsupported("pickling of tasklets")) };
        "bind_thread($self, thread_id=None)" => |vm: &Vm, _: Task, _: Option<Value>| -> R<Value> { Err(vm.unsupported("tasklets on several threads")) };
        "__repr__($self, /)" => repr;
    }
    getset {
        "next" => |_, v| Ok(this(v).next.or_none());
        "prev" => |_, v| Ok(this(v).prev.or_none());
        "_channel" => |_, v| Ok(this(v).channel.or_none());
        "blocked" => |_, v| Ok(Value::bool(this(v).is_blocked()));
        "atomic" => |_, v| Ok(Value::bool(this(v).atomic.get()));
        "ignore_nesting" => |_, v| Ok(Value::bool(this(v).ignore_nesting.get()));
        "block_trap" => |_, v| Ok(Value::bool(this(v).block_trap.get())), set_block_trap;
        "is_main" => |_, v| Ok(Value::bool(this(v).micro.kind == Kind::Main));
        "is_current" => |vm, v| Ok(Value::bool(scheduler(vm).current.get() == Some(this(v))));
        "alive" => |_, v| Ok(Value::bool(alive(this(v))));
        "paused" => |vm, v| Ok(Value::bool(is_paused(vm, this(v))));
        "scheduled" => |vm, v| Ok(Value::bool(is_scheduled(vm, this(v))));
        "restorable" => |vm, v| Ok(Value::bool(nesting(vm, this(v)) == 0));
        "recursion_depth" => |vm, v| vm.int(frames(vm, this(v)).count() as i64);
        "nesting_level" => |vm, v| vm.int(i64::from(nesting(vm, this(v))));
        "frame" => get_frame;
        "tempval" => |_, v| Ok(this(v).temp.or_none()), set_tempval;
        "thread_id" => |_, _| Ok(Value::small_int(i64::from(std::process::id())));
    }
}

fn this(v: Value) -> Task {
    // SAFETY: the getset attributes are found on tasklets only.
    unsafe { v.cast_unchecked() }
}

pub fn scheduler(vm: &Vm) -> &Scheduler {
    &Microthreads::of(vm).scheduler
}

fn empty() -> Field {
    // SAFETY: a field is valid when zeroed.
    unsafe { std::mem::zeroed() }
}

/// A tasklet object. MemoryError.
pub fn make(vm: &Vm, ty: Ref<Type>, kind: Kind) -> R<Task> {
    Ext::new(
        vm,
        ty,
        Tasklet {
            micro: Micro::new(kind),
            func: empty(),
            args: empty(),
            keywords: empty(),
            next: empty(),
            prev: empty(),
            channel: empty(),
            temp: empty(),
            at: Cell::new(std::ptr::null()),
            bomb: Cell::new(false),
            queued: Cell::new(false),
            atomic: Cell::new(false),
            ignore_nesting: Cell::new(false),
            block_trap: Cell::new(false),
        },
    )
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = args.positional().first().and_then(|t| t.cast::<Type>());
    let Some(ty) = ty else { return Err(vm.type_error("tasklet.__new__(X): X is not a type object")) };
    let t = make(vm, ty, Kind::Tasklet)?;
    vm.heap.register_finalizer(t.header());
    Ok(t.value())
}

/// `tasklet(...)`; with just a function, no more than that.
fn construct(vm: &Vm, call: &SoftCall<'_>) -> At {
    match constructed(vm, call.args) {
        Ok(t) => call.done(vm, t.value()),
        Err(Raised) => call.raised(vm),
    }
}

fn constructed(vm: &Vm, args: Args<'_>) -> R<Task> {
    let Some(ty) = scheduler(vm).tasklet_type.get() else {
        return Err(vm.runtime_error("stackless is not imported"));
    };
    let t = make(vm, ty, Kind::Tasklet)?;
    vm.heap.register_finalizer(t.header());
    match args.parts() {
        (&[f], None) if f.cast::<Function>().is_some() => t.func.init(f),
        _ => {
            let init = DEF.method("__init__");
            with_first(vm, t.value(), args, |args| init.invoke(vm, args))?;
        }
    }
    Ok(t)
}

fn init(vm: &Vm, t: Task, func: Option<Value>, args: Option<Value>, keywords: Option<Value>) -> R<()> {
    bind(vm, t, func, args, keywords).map(|_| ())
}

fn bind(vm: &Vm, t: Task, func: Option<Value>, args: Option<Value>, keywords: Option<Value>) -> R<Task> {
    if t.micro.kind == Kind::Main || t.micro.is_alive() {
        return Err(vm.runtime_error("tasklet is already bound to a frame"));
    }
    if t.queued.get() {
        return Err(vm.runtime_error("tasklet is scheduled"));
    }
    if let Some(f) = func.filter(|f| !f.is_none()) {
        if !vm.is_callable(f) {
            return Err(vm.type_error("tasklet function must be a callable"));
        }
        t.func.set(vm, t, f);
        t.micro.state.set(MicroState::New);
    }
    if args.is_some_and(|a| !a.is_none()) || keywords.is_some_and(|k| !k.is_none()) {
        let items = match args.filter(|a| !a.is_none()) {
            Some(a) => vm.list_from(a)?,
            None => List::with_capacity(vm, 0)?,
        };
        let tuple = Tuple::new(vm, items.items())?;
        t.args.set(vm, t, tuple.value());
        t.keywords.set(vm, t, keywords.filter(|k| k.cast::<Dict>().is_some()));
    }
    Ok(t)
}

fn setup(vm: &Vm, args: Args<'_>) -> R<Task> {
    let Some(t) = args.positional().first().and_then(|t| t.cast::<Ext<Tasklet>>()) else {
        return Err(vm.type_error("descriptor '__call__' requires a 'tasklet' object"));
    };
    if t.micro.kind == Kind::Main || t.micro.is_alive() || t.queued.get() {
        return Err(vm.runtime_error("tasklet already has a frame"));
    }
    if t.func.get().is_none() {
        return Err(vm.type_error("the tasklet was not bound to a function"));
    }
    let rest = args.rest();
    let positional = Tuple::new(vm, rest.positional())?;
    t.args.set(vm, t, positional.value());
    if rest.has_keywords() {
        let kw = Dict::new(vm)?;
        for (k, v) in rest.keywords() {
            kw.set(vm, k, v)?;
        }
        t.keywords.set(vm, t, kw.value());
    }
    t.micro.state.set(MicroState::New);
    scheduler(vm).push(vm, t);
    Ok(t)
}

/// Calls a tasklet's function in its fresh context.
pub fn first_call(vm: &Vm, m: &Micro, call: impl FnOnce(Value, Args<'_>) -> R<At>) -> R<At> {
    let Some(t) = m.owner().map(this) else {
        return Err(vm.system_error("a tasklet without its object"));
    };
    let Some(f) = t.func.get() else {
        return Err(vm.runtime_error("the tasklet was not bound to a function"));
    };
    let args = t.args.cast::<Tuple>();
    let items = args.as_ref().map_or(&[][..], |a| a.items());
    t.func.init(None::<Value>);
    t.args.init(None::<Value>);
    let Some(kw) = t.keywords.cast::<Dict>() else { return call(f, Args::new(items, None)) };
    t.keywords.init(None::<Value>);
    let all = List::new(vm, items)?;
    let names = List::with_capacity(vm, kw.len())?;
    for (k, v) in kw.iter() {
        names.push(vm, k)?;
        all.push(vm, v)?;
    }
    let names = Tuple::new(vm, names.items())?;
    call(f, Args::new(all.items(), Some(names)))
}

/// The microthread that goes on when a tasklet is resumed.
pub fn micro_ref(vm: &Vm, t: Task) -> &Micro {
    let at = t.at.get();
    if !at.is_null() {
        // SAFETY: the microthread it was parked in; the tasklet's stack keeps its object alive.
        return unsafe { &*at };
    }
    if t.micro.kind == Kind::Main {
        return Microthreads::of(vm).main();
    }
    // SAFETY: tasklet objects do not move; this one is about to run, and then it is a root.
    unsafe { &*std::ptr::from_ref(&t.micro) }
}

/// A tasklet's function returned or raised: who goes on, and with what.
pub fn after_end<'v>(vm: &'v Vm, m: &Micro, result: R<Value>) -> (&'v Micro, Deliver) {
    let s = scheduler(vm);
    let mut error = None;
    if result.is_err()
        && let Some(e) = vm.pending.take()
        && !vm.type_of(e).is_subtype(vm.exc.tasklet_exit)
    {
        error = Some(e);
    }
    if let Some(e) = error
        && let Some(handler) = s.error_handler.get()
    {
        error = handle_error(vm, handler, e);
    }
    if let (Some(e), Some(main)) = (error, s.main.get()) {
        // An error that nobody catches ends up in the main tasklet.
        if main.queued.get() {
            s.remove(main);
        } else if main.is_blocked() {
            crate::channel::unblock(vm, main);
        }
        s.watchers.borrow_mut().clear();
        s.restore_slice(vm);
        return resumed(vm, main, Deliver::Raise(e));
    }
    let _ = m;
    match s.next(vm) {
        Some((t, d)) => resumed(vm, t, d),
        // The main tasklet runs in some greenlet's stead: it is told.
        None => (Microthreads::of(vm).main(), Deliver::Raise(crate::scheduler::deadlock(vm))),
    }
}

/// `set_error_handler`'s function is called outside of any tasklet: what it raises goes on.
fn handle_error(vm: &Vm, handler: Value, e: Value) -> Option<Value> {
    let tb = e.cast::<Exception>().map_or(Value::NONE, |e| e.traceback.or_none());
    match vm.call(handler, &[vm.type_of(e).value(), e, tb]) {
        Ok(_) => None,
        Err(Raised) => vm.pending.take(),
    }
}

fn resumed(vm: &Vm, t: Task, d: Deliver) -> (&Micro, Deliver) {
    let m = micro_ref(vm, t);
    t.at.set(std::ptr::null());
    let s = scheduler(vm);
    s.current.set(Some(t));
    if vm.slice.get() > 0 {
        let total = s.watchers.borrow().last().is_some_and(|w| w.total);
        if !total {
            vm.ticks.set(vm.slice.get());
        }
    }
    (m, d)
}

/// What a call that may switch comes to.
pub enum Plan {
    Stay(R<Value>),
    /// The running tasklet's place is taken care of: park it and run this one.
    Go(Task, Deliver),
}

/// Carries out a plan in the loop.
#[inline]
pub fn go_soft(vm: &Vm, call: &SoftCall<'_>, plan: Plan) -> At {
    match plan {
        Plan::Stay(Ok(v)) => call.done(vm, v),
        Plan::Stay(Err(Raised)) => call.raised(vm),
        Plan::Go(t, d) => {
            let micros = Microthreads::of(vm);
            if let Some(result) = Microthreads::soft_result(vm, call) {
                leave(micros);
                micros.park_soft(vm, call.resume, result);
                let (m, d) = resumed(vm, t, d);
                return micros.resume(vm, m, d);
            }
            match go_hard(vm, Plan::Go(t, d)) {
                Ok(v) => call.done(vm, v),
                Err(Raised) => call.raised(vm),
            }
        }
    }
}

/// Carries out a plan from native code.
pub fn go_hard(vm: &Vm, plan: Plan) -> R<Value> {
    match plan {
        Plan::Stay(r) => r,
        Plan::Go(t, d) => {
            leave(Microthreads::of(vm));
            let (m, d) = resumed(vm, t, d);
            Microthreads::of(vm).hard_switch(vm, m, d)
        }
    }
}

/// Notes in the running tasklet which microthread it is parked in.
#[inline(always)]
fn leave(micros: &Microthreads) {
    let m = micros.current();
    if m.kind == Kind::Greenlet
        && let Some(t) = micros.scheduler.current.get()
    {
        t.at.set(m);
    }
}

/// Parks the running tasklet softly behind a call whose result goes to that register, and runs
/// another one, which is in no queue.
#[inline(always)]
pub fn swap(vm: &Vm, micros: &Microthreads, call: &SoftCall<'_>, result: usize, t: Task) -> At {
    leave(micros);
    micros.park_soft(vm, call.resume, result);
    if t.micro.state.get() == MicroState::Soft && t.at.get().is_null() && !t.bomb.get() && vm.slice.get() == 0
    {
        let v = t.temp.or_none();
        t.temp.init(None::<Value>);
        micros.scheduler.current.set(Some(t));
        return micros.wake(vm, &t.micro, v);
    }
    swap_slow(vm, micros, t)
}

#[inline(never)]
fn swap_slow(vm: &Vm, micros: &Microthreads, t: Task) -> At {
    let d = t.take_deliver();
    let (m, d) = resumed(vm, t, d);
    micros.resume(vm, m, d)
}

/// The running tasklet; RuntimeError where switching is trapped.
pub fn current(vm: &Vm) -> R<Task> {
    match scheduler(vm).current.get() {
        Some(t) => Ok(t),
        None => Err(vm.runtime_error("stackless is not imported")),
    }
}

pub fn check_trap(vm: &Vm) -> R<()> {
    if scheduler(vm).trap.get() != 0 {
        return Err(vm.runtime_error("switch_trap"));
    }
    Ok(())
}

impl Tasklet {
    /// What the tasklet is resumed with: what was left for it.
    #[inline]
    pub fn take_deliver(&self) -> Deliver {
        let v = self.temp.get().unwrap_or(Value::NONE);
        self.temp.init(None::<Value>);
        if self.bomb.replace(false) { Deliver::Raise(v) } else { Deliver::Value(v) }
    }

    pub fn is_blocked(&self) -> bool {
        self.channel.get().is_some()
    }
}

/// Has it a function to run, or to go on with?
fn alive(t: Task) -> bool {
    t.micro.kind == Kind::Main || t.micro.is_alive() || t.func.get().is_some() && t.queued.get()
}

fn is_scheduled(vm: &Vm, t: Task) -> bool {
    t.queued.get() || t.is_blocked() || scheduler(vm).current.get() == Some(t)
}

fn is_paused(vm: &Vm, t: Task) -> bool {
    t.micro.kind != Kind::Main && t.micro.is_alive() && !is_scheduled(vm, t)
}

fn nesting(vm: &Vm, t: Task) -> u32 {
    Microthreads::of(vm).context(vm, micro_ref(vm, t)).native_calls()
}

fn frames(vm: &Vm, t: Task) -> Walk {
    if scheduler(vm).current.get() == Some(t) {
        return Walk::running(vm);
    }
    let m = micro_ref(vm, t);
    let ctx = Microthreads::of(vm).context(vm, m);
    Walk::new(ctx.pc.get().wrapping_sub(1), ctx.base.get())
}

fn get_frame(vm: &Vm, v: Value) -> R<Value> {
    match frames(vm, this(v)).next() {
        Some(f) => Ok(frame_object(vm, f.base)?.value()),
        None => Ok(Value::NONE),
    }
}

fn set_block_trap(vm: &Vm, v: Value, on: Option<Value>) -> R<()> {
    let on = vm.truth(on.unwrap_or(Value::FALSE))?;
    this(v).block_trap.set(on);
    Ok(())
}

fn set_tempval(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let t = this(v);
    t.temp.set(vm, t, new);
    Ok(())
}

fn check_insertable(vm: &Vm, t: Task) -> R<()> {
    if t.is_blocked() {
        return Err(vm.runtime_error("You cannot run a blocked tasklet"));
    }
    let runnable =
        t.micro.kind == Kind::Main || t.micro.is_alive() || t.func.get().is_some() && t.args.get().is_some();
    if !runnable {
        return Err(vm.runtime_error("You cannot run an unbound(dead) tasklet"));
    }
    Ok(())
}

fn insert(vm: &Vm, t: Task) -> R<Task> {
    check_insertable(vm, t)?;
    let s = scheduler(vm);
    if !t.queued.get() && s.current.get() != Some(t) {
        s.push(vm, t);
    }
    Ok(t)
}

fn remove(vm: &Vm, t: Task) -> R<Task> {
    let s = scheduler(vm);
    if s.current.get() == Some(t) {
        return Err(vm.runtime_error("The current tasklet cannot be removed."));
    }
    if t.is_blocked() {
        return Err(vm.runtime_error("You cannot remove a blocked tasklet."));
    }
    if t.queued.get() {
        s.remove(t);
    }
    Ok(t)
}

/// `run`: the tasklet runs now, the present one goes to the queue; `switch`: the present one is paused.
fn plan_run(vm: &Vm, t: Task, keep: bool) -> Plan {
    let s = scheduler(vm);
    let me = match check_trap(vm).and_then(|()| check_insertable(vm, t)).and_then(|()| current(vm)) {
        Ok(me) => me,
        Err(e) => return Plan::Stay(Err(e)),
    };
    if me == t {
        return Plan::Stay(Ok(Value::NONE));
    }
    if t.queued.get() {
        s.remove(t);
    }
    if keep {
        s.push(vm, me);
    }
    Plan::Go(t, t.take_deliver())
}

fn receiver(vm: &Vm, args: Args<'_>) -> R<Task> {
    match args.positional().first().and_then(|t| t.cast::<Ext<Tasklet>>()) {
        Some(t) => Ok(t),
        None => Err(vm.type_error("descriptor requires a 'stackless.tasklet' object")),
    }
}

fn run(vm: &Vm, t: Task) -> R<Value> {
    go_hard(vm, plan_run(vm, t, true))
}

fn run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = match receiver(vm, call.args) {
        Ok(t) => plan_run(vm, t, true),
        Err(e) => Plan::Stay(Err(e)),
    };
    go_soft(vm, call, plan)
}

fn switch(vm: &Vm, t: Task) -> R<Value> {
    go_hard(vm, plan_run(vm, t, false))
}

fn switch_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = match receiver(vm, call.args) {
        Ok(t) => plan_run(vm, t, false),
        Err(e) => Plan::Stay(Err(e)),
    };
    go_soft(vm, call, plan)
}

/// Raises an exception in a tasklet: at once, or when it is next run (`pending`).
pub fn plan_throw(vm: &Vm, t: Task, e: Value, pending: bool) -> Plan {
    let s = scheduler(vm);
    let me = match check_trap(vm).and_then(|()| current(vm)) {
        Ok(me) => me,
        Err(e) => return Plan::Stay(Err(e)),
    };
    let is_exit = vm.type_of(e).is_subtype(vm.exc.tasklet_exit);
    if t == me {
        vm.pending.set(Some(e));
        return Plan::Stay(Err(Raised));
    }
    if t.micro.kind != Kind::Main && !t.micro.is_alive() {
        if t.queued.get() {
            s.remove(t);
        }
        let was_bound = t.func.get().is_some();
        t.func.init(None::<Value>);
        t.args.init(None::<Value>);
        t.micro.state.set(MicroState::Dead);
        if is_exit || was_bound && t.micro.state.get() == MicroState::New {
            return Plan::Stay(Ok(Value::NONE));
        }
        return Plan::Stay(Err(vm.runtime_error("You cannot throw to a dead tasklet")));
    }
    if t.is_blocked() {
        crate::channel::unblock(vm, t);
    }
    if t.queued.get() {
        s.remove(t);
    }
    if pending {
        t.temp.set(vm, t, e);
        t.bomb.set(true);
        s.push(vm, t);
        return Plan::Stay(Ok(Value::NONE));
    }
    s.push(vm, me);
    Plan::Go(t, Deliver::Raise(e))
}

/// The exception that `throw(exc, val, tb)` stands for.
pub fn make_exception(vm: &Vm, exc: Value, val: Value, tb: Value) -> R<Value> {
    let e = if exc.cast::<Exception>().is_some() {
        if !val.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        exc
    } else if exc.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception)) {
        match val.cast::<Tuple>() {
            Some(args) => vm.call(exc, args.items())?,
            None if val.cast::<Exception>().is_some() => val,
            None if val.is_none() => vm.call(exc, &[])?,
            None => vm.call(exc, &[val])?,
        }
    } else {
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            vm.type_name(exc)
        )));
    };
    if let (Some(x), false) = (e.cast::<Exception>(), tb.is_none()) {
        x.traceback.set(vm, x, tb);
    }
    Ok(e)
}

fn throw_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args)?;
    let mut row = [Value::NONE, Value::NONE, Value::NONE, Value::FALSE];
    let given = &args.positional()[1..];
    if given.len() > row.len() || given.is_empty() && !args.has_keywords() {
        return Err(vm.type_error("throw() takes from 1 to 4 arguments"));
    }
    row[..given.len()].copy_from_slice(given);
    for (k, v) in args.keywords() {
        let name = vm.str_string(k)?;
        match ["exc", "val", "tb", "pending"].iter().position(|n| *n == name) {
            Some(i) => row[i] = v,
            None => return Err(vm.type_error(format!("throw() got an unexpected keyword argument '{name}'"))),
        }
    }
    let e = make_exception(vm, row[0], row[1], row[2])?;
    let pending = vm.truth(row[3])?;
    Ok(plan_throw(vm, t, e, pending))
}

fn throw(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = throw_plan(vm, args)?;
    go_hard(vm, plan)
}

fn throw_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = throw_plan(vm, call.args).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn raise_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args)?;
    let Some(&class) = args.positional().get(1) else {
        return Err(vm.type_error("raise_exception() missing required argument 'exc_class'"));
    };
    let rest = vm.tuple(&args.positional()[2..])?;
    let e = make_exception(vm, class, rest, Value::NONE)?;
    Ok(plan_throw(vm, t, e, false))
}

fn raise_exception(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = raise_plan(vm, args)?;
    go_hard(vm, plan)
}

fn raise_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = raise_plan(vm, call.args).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn kill_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args)?;
    let flag = args.positional().get(1).copied().or_else(|| args.keywords().next().map(|(_, v)| v));
    let pending = vm.truth(flag.unwrap_or(Value::FALSE))?;
    let e = vm.call(vm.exc.tasklet_exit.value(), &[])?;
    Ok(plan_throw(vm, t, e, pending))
}

fn kill(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = kill_plan(vm, args)?;
    go_hard(vm, plan)
}

fn kill_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = kill_plan(vm, call.args).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

/// May a time slice end in this tasklet now?
pub fn can_interrupt(vm: &Vm, t: Task) -> bool {
    let nested = vm.context().native_calls() > 0;
    // Native frames are in the way of parking softly, whatever `ignore_nesting` says.
    !t.atomic.get() && !nested
}

/// An unreachable suspended tasklet is killed, so that its `finally` blocks run.
pub fn finalize(vm: &Vm, object: Value) {
    let Some(t) = object.cast::<Ext<Tasklet>>() else { return };
    if t.micro.kind == Kind::Main || !t.micro.is_alive() || t.micro.state.get() == MicroState::Running {
        return;
    }
    let killed =
        vm.call(vm.exc.tasklet_exit.value(), &[]).and_then(|e| go_hard(vm, plan_throw(vm, t, e, false)));
    if killed.is_err()
        && let Some(e) = vm.pending.take()
    {
        eprintln!("Exception ignored in a tasklet: {}", skein_runtime::interp::describe_exception(vm, e));
    }
}

fn repr(vm: &Vm, t: Task) -> R<String> {
    Ok(format!(
        "<{} object at {:#x}>",
        vm.type_of(t.value()).def().map_or("stackless.tasklet", |d| d.name),
        t.value().bits()
    ))
}
