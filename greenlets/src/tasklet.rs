//! The class `tasklet`: its data, binding, attributes. How tasklets come to run is in `running`.

use crate::across::{abandon, bind_thread, home, make_runnable, no_thread};
use crate::bomb::{bomb_of, exploded};
use crate::micro::{Kind, Micro, State as MicroState};
use crate::pickling::{tasklet_reduce, tasklet_setstate};
use crate::running::{
    current, kill, kill_soft, micro_ref, raise_exception, raise_soft, run, run_soft, scheduler, switch,
    switch_soft, throw, throw_soft,
};
use crate::scheduler::neighbour;
use crate::switch::{Deliver, Microthreads};
use crate::tracing::{function_of, set_function};
use skein_runtime::events::Legacy;
use skein_runtime::interp::{At, SoftCall, frame_count, innermost_frame, with_first};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::variables::{self, ContextRef, Variables};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// How a tasklet goes on with its `temp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Arrival {
    Value,
    /// It is an exception to raise.
    Raise,
    /// The tasklet is a watcher: see `Scheduler::unwatch`.
    Watcher,
}

/// A tasklet's data.
#[repr(C)]
pub struct Tasklet {
    pub micro: Micro,
    /// What it is bound to; until it runs.
    pub func: Field,
    /// Arguments: there from `setup` until it runs.
    pub args: Field,
    pub keywords: Field,
    /// Neighbours in the queue of runnable tasklets, or in a channel's.
    pub next: Field,
    pub prev: Field,
    /// The channel it is blocked on.
    pub channel: Field,
    /// What it is resumed with, or the value it sends.
    pub temp: Field,
    /// Its trace and profile function while it does not run: see `tracing`.
    pub tracing: Field,
    /// The microthread that goes on when it is resumed: its own, or a greenlet it ran.
    pub at: Cell<*const Micro>,
    pub arrival: Cell<Arrival>,
    pub queued: Cell<bool>,
    pub atomic: Cell<bool>,
    pub ignore_nesting: Cell<bool>,
    pub block_trap: Cell<bool>,
    /// It is in `run()`.
    pub watching: Cell<bool>,
    /// Its time slice was over when it could not be interrupted.
    pub interrupt: Cell<bool>,
    /// It is killed since nothing leads to it.
    pub dying: Cell<bool>,
    /// How often it was.
    pub kills: Cell<u8>,
    /// How often it was switched to since it was bound.
    pub switches: Cell<u32>,
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
            tracing,
            at,
            arrival: _,
            queued: _,
            atomic: _,
            ignore_nesting: _,
            block_trap: _,
            watching: _,
            interrupt: _,
            dying: _,
            kills: _,
            switches: _,
        } = self;
        for f in [func, args, keywords, next, prev, channel, temp, tracing] {
            f.trace(t);
        }
        // SAFETY: the greenlet that the tasklet waits in, which is kept alive from here.
        if let Some(owner) = unsafe { at.get().as_ref() }.and_then(Micro::owner) {
            t.visit_word(owner.bits());
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
        "setup($self, /, *args, **kwargs)" => setup, "Sets the arguments and makes the tasklet runnable.";
        "bind($self, func=None, args=None, kwargs=None)" => bind, "Binds the tasklet to a function, and to arguments.";
        "insert($self)" => insert, "Puts the tasklet at the end of the queue of runnable ones.";
        "remove($self)" => remove, "Takes the tasklet out of the queue of runnable ones.";
        [soft run_soft] "run($self)" => run, "Runs the tasklet now.";
        [soft switch_soft] "switch($self)" => switch, "Runs the tasklet now and pauses the calling one.";
        [soft throw_soft] "throw($self, exc, val=None, tb=None, pending=False)" => throw, "Raises an exception in the tasklet.";
        [soft raise_soft] "raise_exception($self, exc_class, *args)" => raise_exception, "Raises an exception in the tasklet.";
        [soft kill_soft] "kill($self, pending=False)" => kill, "Ends the tasklet by TaskletExit.";
        "set_atomic($self, flag, /)" => set_atomic, "Whether no time slice ends in the tasklet; returns what was.";
        "set_ignore_nesting($self, flag, /)" => |vm: &Vm, t: Task, on: Value| -> R<bool> {
            Ok(t.ignore_nesting.replace(flag(vm, "set_ignore_nesting", on)?))
        };
        "set_context($self, context)" => set_context, "Sets the contextvars.Context that the tasklet runs in.";
        [soft context_run_soft] "context_run($self, callable, /, *args, **kwargs)" => context_run, "Calls it in the tasklet's context.";
        "__reduce__($self)" => tasklet_reduce;
        "__reduce_ex__($self, protocol, /)" => |vm: &Vm, t: Task, _: Value| vm.call_method(t.value(), "__reduce__", &[]);
        "__setstate__($self, state, /)" => tasklet_setstate;
        "bind_thread($self, thread_id=-1, /)" => bind_thread, "Moves the tasklet to another thread, which is the running one by default.";
        "__del__($self)" => |vm: &Vm, t: Task| crate::running::finalize(vm, t.value());
        "__repr__($self, /)" => |vm: &Vm, t: Task| format!("<{} object at {:#x}>", vm.type_name(t.value()), t.value().bits());
    }
    getset {
        "next" => |vm: &Vm, v: Task| Ok(in_ring(vm, v, true));
        "prev" => |vm: &Vm, v: Task| Ok(in_ring(vm, v, false));
        "_channel" => |_: &Vm, v: Task| Ok(v.channel.or_none());
        "blocked" => |_: &Vm, v: Task| Ok(Value::bool(v.is_blocked()));
        "atomic" => |_: &Vm, v: Task| Ok(Value::bool(v.atomic.get()));
        "ignore_nesting" => |_: &Vm, v: Task| Ok(Value::bool(v.ignore_nesting.get()));
        "block_trap" => |_: &Vm, v: Task| Ok(Value::bool(v.block_trap.get())), set_block_trap;
        "is_main" => |_: &Vm, v: Task| Ok(Value::bool(v.micro.kind == Kind::Main));
        "times_switched_to" => |vm: &Vm, v: Task| vm.int(v.switches.get().into());
        "is_current" => |vm: &Vm, v: Task| Ok(Value::bool(scheduler(vm).current.get() == Some(v)));
        "alive" => |vm: &Vm, v: Task| Ok(Value::bool(alive(vm, v)));
        "paused" => |vm: &Vm, v: Task| Ok(Value::bool(alive(vm, v) && !is_scheduled(vm, v)));
        "scheduled" => |vm: &Vm, v: Task| Ok(Value::bool(is_scheduled(vm, v)));
        "restorable" => |vm: &Vm, v: Task| Ok(Value::bool(nesting(vm, v) == 0));
        "recursion_depth" => |vm: &Vm, v: Task| vm.int(frame_count(vm, standing(vm, v).owner()) as i64);
        "nesting_level" => |vm: &Vm, v: Task| vm.int(i64::from(nesting(vm, v)));
        "frame" => |vm: &Vm, v: Task| {
            Ok(innermost_frame(vm, standing(vm, v).owner())?.map_or(Value::NONE, Value::from))
        };
        "tempval" => get_tempval, set_tempval;
        "thread_id" => |vm: &Vm, v: Task| crate::stackless::thread_id(vm, v.micro.ctx.thread.get());
        "context_id" => |vm: &Vm, v: Task| vm.int_u64(context_of(vm, v)?.value().bits());
        "cstate" => |vm: &Vm, v: Task| crate::cstack::of_tasklet(vm, standing(vm, v), v);
        "trace_function" => |vm: &Vm, v: Task| Ok(function_of(vm, v, Legacy::Trace)),
            |vm: &Vm, v: Task, f: Option<Value>| set_function(vm, v, Legacy::Trace, f);
        "profile_function" => |vm: &Vm, v: Task| Ok(function_of(vm, v, Legacy::Profile)),
            |vm: &Vm, v: Task, f: Option<Value>| set_function(vm, v, Legacy::Profile, f);
    }
}

fn owner_of(v: Value) -> Task {
    // SAFETY: the owner of a microthread of kind Tasklet is one.
    unsafe { v.cast_unchecked() }
}

fn empty() -> Field {
    Field::new(None)
}

/// A tasklet object. MemoryError.
pub fn make(vm: &Vm, ty: Ref<Type>, kind: Kind) -> R<Task> {
    Microthreads::of(vm).end_dropped(vm);
    let micro = Micro::new(kind);
    micro.ctx.thread.set(Microthreads::of(vm).thread);
    Ext::new(
        vm,
        ty,
        Tasklet {
            micro,
            func: empty(),
            args: empty(),
            keywords: empty(),
            next: empty(),
            prev: empty(),
            channel: empty(),
            temp: empty(),
            tracing: empty(),
            at: Cell::new(std::ptr::null()),
            arrival: Cell::new(Arrival::Value),
            queued: Cell::new(false),
            atomic: Cell::new(false),
            ignore_nesting: Cell::new(false),
            block_trap: Cell::new(false),
            watching: Cell::new(false),
            interrupt: Cell::new(false),
            dying: Cell::new(false),
            kills: Cell::new(0),
            switches: Cell::new(0),
        },
    )
}

fn class(vm: &Vm) -> R<Ref<Type>> {
    Microthreads::of(vm).types.tasklet.get().ok_or_else(|| vm.runtime_error("stackless is not imported"))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, class(vm)?)?;
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
    let t = make(vm, class(vm)?, Kind::Tasklet)?;
    vm.heap.register_finalizer(t.header());
    match args.parts() {
        (&[f], None) if f.cast::<Function>().is_some() => {
            t.func.init(f);
            share_context(vm, t)?;
        }
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

/// A new tasklet runs in the context of the one that binds it.
fn share_context(vm: &Vm, t: Task) -> R<()> {
    let c = variables::current(vm)?;
    t.barrier(vm);
    t.micro.ctx.variables.set(Some(c.value()));
    Ok(())
}

fn bind(vm: &Vm, t: Task, func: Option<Value>, args: Option<Value>, keywords: Option<Value>) -> R<Task> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (func, args, keywords) = (given(func), given(args), given(keywords));
    if func.is_some_and(|f| !vm.is_callable(f)) {
        return Err(vm.type_error("tasklet function must be a callable or None"));
    }
    if args.is_some_and(|a| a.cast::<Tuple>().is_none()) {
        return Err(vm.type_error("tasklet args must be a tuple or None"));
    }
    if keywords.is_some_and(|k| k.cast::<Dict>().is_none()) {
        return Err(vm.type_error("tasklet kwargs must be a dictionary or None"));
    }
    if home(vm, t).is_some_and(|m| m.scheduler.current.get() == Some(t)) {
        return Err(vm.runtime_error("can't (re)bind the current tasklet"));
    }
    if is_scheduled(vm, t) {
        return Err(vm.runtime_error("tasklet is scheduled"));
    }
    if nesting(vm, t) > 0 || t.micro.state.get() == MicroState::Hard {
        return Err(vm.runtime_error("tasklet has C state on its stack"));
    }
    if t.micro.kind == Kind::Main {
        return Err(vm.runtime_error("can't unbind the main tasklet"));
    }
    let has_arguments = args.is_some() || keywords.is_some();
    // One that has run keeps no function to call again.
    let kept = func.or(if has_frames(t) { None } else { t.func.get() });
    if has_arguments && kept.is_none() {
        return Err(vm.runtime_error("the tasklet was not bound to a function"));
    }
    if has_arguments && home(vm, t).is_none() {
        return Err(no_thread(vm));
    }
    if t.micro.is_alive() {
        abandon(vm, t);
    }
    crate::tracing::forget(vm, t);
    if func.is_some() {
        share_context(vm, t)?;
    }
    t.micro.state.set(MicroState::New);
    t.at.set(std::ptr::null());
    t.temp.init(None::<Value>);
    t.arrival.set(Arrival::Value);
    t.switches.set(0);
    if !has_arguments {
        t.func.set(vm, t, func);
        t.args.init(None::<Value>);
        t.keywords.init(None::<Value>);
        return Ok(t);
    }
    let args = match args {
        Some(a) => a,
        None => vm.tuple(&[])?,
    };
    t.func.set(vm, t, kept);
    t.args.set(vm, t, args);
    t.keywords.set(vm, t, keywords);
    Ok(t)
}

fn setup(vm: &Vm, args: Args<'_>) -> R<Task> {
    let Some(t) = args.positional().first().and_then(|t| t.cast::<Ext<Tasklet>>()) else {
        return Err(vm.type_error("descriptor '__call__' requires a 'tasklet' object"));
    };
    if alive(vm, t) {
        return Err(vm.runtime_error("tasklet is alive"));
    }
    let Some(micros) = home(vm, t) else { return Err(no_thread(vm)) };
    if t.func.get().is_none() {
        return Err(vm.runtime_error("the tasklet was not bound to a function"));
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
    make_runnable(vm, micros, t);
    Ok(t)
}

/// Calls a tasklet's function in its fresh context.
pub fn first_call(vm: &Vm, m: &Micro, call: impl FnOnce(Value, Args<'_>) -> R<At>) -> R<At> {
    let Some(t) = m.owner().map(owner_of) else {
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

impl Tasklet {
    pub fn is_blocked(&self) -> bool {
        self.channel.get().is_some()
    }
}

/// Has it something to run, or to go on with?
pub fn has_frames(t: Task) -> bool {
    match t.micro.state.get() {
        _ if t.micro.kind == Kind::Main => true,
        MicroState::New => t.args.get().is_some(),
        MicroState::Dead => false,
        MicroState::Running | MicroState::Soft | MicroState::SoftLent | MicroState::Hard => true,
    }
}

/// Has it something to run, or to go on with, and a thread to do so?
pub fn alive(vm: &Vm, t: Task) -> bool {
    has_frames(t) && home(vm, t).is_some_and(|m| m.scheduler.ending.get() != Some(t))
}

/// Leaves something for a tasklet to go on with.
pub fn keep(vm: &Vm, t: Task, d: Deliver) {
    let (raise, v) = d.parts();
    t.temp.set(vm, t, v);
    t.arrival.set(match (raise, t.watching.get()) {
        (true, _) => Arrival::Raise,
        (false, true) => Arrival::Watcher,
        (false, false) => Arrival::Value,
    });
}

pub fn is_scheduled(vm: &Vm, t: Task) -> bool {
    t.queued.get() || t.is_blocked() || home(vm, t).is_some_and(|m| m.scheduler.runs(t))
}

/// The microthread in which the tasklet is: the running one for the current tasklet.
fn standing(vm: &Vm, t: Task) -> &Micro {
    match home(vm, t) {
        Some(micros) if micros.scheduler.current.get() == Some(t) => micros.current(),
        Some(micros) if t.micro.kind == Kind::Main && t.at.get().is_null() => micros.main(),
        _ => micro_ref(vm, t),
    }
}

pub fn nesting(vm: &Vm, t: Task) -> u32 {
    let m = standing(vm, t);
    let calls = home(vm, t).unwrap_or(Microthreads::of(vm)).context(vm, m).native_calls();
    // A native that switches may be called by another one without an interpreter's loop between them.
    if m.state.get() == MicroState::Hard { calls.max(1) } else { calls }
}

/// `next` and `prev`: neighbours in the ring of runnable tasklets, of which the current one is a part,
/// or in a channel's queue.
fn in_ring(vm: &Vm, t: Task, forward: bool) -> Value {
    let Some(micros) = home(vm, t) else { return Value::NONE };
    let s = &micros.scheduler;
    let link = if forward { &t.next } else { &t.prev };
    if t.is_blocked() {
        return link.or_none();
    }
    let end = if forward { s.first() } else { s.last() };
    if s.current.get() == Some(t) {
        return end.unwrap_or(t).value();
    }
    if !t.queued.get() {
        return Value::NONE;
    }
    match (neighbour(link), s.current.get()) {
        (Some(n), _) | (None, Some(n)) => n.value(),
        (None, None) => Value::NONE,
    }
}

fn set_block_trap(vm: &Vm, v: Task, on: Option<Value>) -> R<()> {
    let Some(on) = on else { return Err(vm.type_error("cannot delete block_trap")) };
    v.block_trap.set(flag(vm, "block_trap", on)?);
    Ok(())
}

/// A flag that Stackless takes as an integer.
fn flag(vm: &Vm, name: &str, v: Value) -> R<bool> {
    if !vm.is_int(v) && !v.is_bool() {
        let text = match name {
            "block_trap" => "block_trap must be set to a bool or integer".to_string(),
            _ => format!("{name} needs exactly one bool or integer"),
        };
        return Err(vm.type_error(text));
    }
    vm.truth(v)
}

fn set_atomic(vm: &Vm, t: Task, on: Value) -> R<bool> {
    let on = flag(vm, "set_atomic", on)?;
    Ok(replace_atomic(vm, t, on))
}

/// A time slice that was over meanwhile ends soon after atomicity does.
pub fn replace_atomic(vm: &Vm, t: Task, on: bool) -> bool {
    if !on && t.interrupt.get() && vm.slice.get() > 0 && !scheduler(vm).slice.get().soft {
        vm.ticks.set(1);
    }
    t.atomic.replace(on)
}

/// What the tasklet goes on with; of one that is not alive, what it is bound to.
fn get_tempval(vm: &Vm, v: Task) -> R<Value> {
    let t = v;
    match t.arrival.get() {
        _ if !has_frames(t) => Ok(t.func.or_none()),
        Arrival::Raise => bomb_of(vm, t.temp.or_none()),
        _ => Ok(t.temp.or_none()),
    }
}

fn set_tempval(vm: &Vm, v: Task, new: Option<Value>) -> R<()> {
    let (t, new) = (v, new.unwrap_or(Value::NONE));
    if !has_frames(t) {
        t.func.set(vm, t, (!new.is_none()).then_some(new));
        return Ok(());
    }
    match exploded(vm, new)? {
        Some(e) => keep(vm, t, Deliver::Raise(e)),
        None => keep(vm, t, Deliver::Value(new)),
    }
    Ok(())
}

/// The context that the tasklet runs in, made if it has none yet.
fn context_of(vm: &Vm, t: Task) -> R<ContextRef> {
    if scheduler(vm).current.get() == Some(t) {
        return variables::current(vm);
    }
    let ctx = Microthreads::of(vm).context(vm, micro_ref(vm, t));
    if let Some(c) = ctx.variables.get().and_then(|c| c.cast()) {
        return Ok(c);
    }
    let c = variables::empty(vm)?;
    t.barrier(vm);
    ctx.variables.set(Some(c.value()));
    Ok(c)
}

fn set_context(vm: &Vm, t: Task, context: Value) -> R<Task> {
    let Some(new) = context.cast::<Ext<Variables>>() else {
        return Err(
            vm.type_error(format!("set_context() argument must be Context, not {}", vm.type_name(context)))
        );
    };
    if context_of(vm, t)?.is_entered() {
        return Err(vm.runtime_error("the current context of the tasklet has been entered."));
    }
    let ctx = Microthreads::of(vm).context(vm, standing(vm, t));
    t.barrier(vm);
    ctx.variables.set(Some(new.value()));
    Ok(t)
}

/// The tasklet, what is to be called, and with what.
fn context_run_arguments<'a>(vm: &Vm, args: Args<'a>) -> R<(ContextRef, Value, Args<'a>)> {
    let t = args.positional().first().and_then(|t| t.cast::<Ext<Tasklet>>());
    let Some(t) = t else {
        return Err(vm.type_error("unbound method tasklet.context_run() needs an argument"));
    };
    let rest = args.rest();
    match rest.positional().first() {
        Some(&f) => Ok((context_of(vm, t)?, f, rest.rest())),
        None => Err(vm.type_error("context_run() missing 1 required positional argument")),
    }
}

fn context_run(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (c, f, rest) = context_run_arguments(vm, args)?;
    variables::borrow_context(vm, c, || vm.call_args(f, rest))
}

fn context_run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match context_run_arguments(vm, call.args) {
        Ok((c, f, rest)) => variables::borrow_context_soft(vm, call, c, f, rest),
        Err(Raised) => call.raised(vm),
    }
}

/// RuntimeError for one that cannot become runnable.
pub fn check_insertable(vm: &Vm, t: Task) -> R<()> {
    if t.is_blocked() {
        return Err(vm.runtime_error("You cannot run a blocked tasklet"));
    }
    if !alive(vm, t) {
        return Err(vm.runtime_error("You cannot run an unbound(dead) tasklet"));
    }
    Ok(())
}

fn insert(vm: &Vm, t: Task) -> R<Task> {
    let Some(micros) = home(vm, t) else {
        return Err(vm.runtime_error("Target thread isn't initialized"));
    };
    check_insertable(vm, t)?;
    make_runnable(vm, micros, t);
    Ok(t)
}

fn remove(vm: &Vm, t: Task) -> R<Task> {
    if t.is_blocked() {
        return Err(vm.runtime_error("You cannot remove a blocked tasklet."));
    }
    let Some(micros) = home(vm, t) else { return Ok(t) };
    if micros.scheduler.runs(t) {
        return Err(vm.runtime_error("The current tasklet cannot be removed."));
    }
    if t.queued.get() {
        micros.scheduler.remove(t);
    }
    Ok(t)
}

native_type! {
    pub ATOMIC: "stackless.atomic", Layout::Ext, 0,
        "atomic()\n\nA context manager: no time slice ends in the current tasklet meanwhile.";
    methods {
        [static] "__new__($type)" => |vm: &Vm, ty: Ref<Type>| -> R<Value> {
            Ok(Ext::new(vm, ty, Atomic { before: Cell::new(false) })?.value())
        };
        "__enter__($self)" => |vm: &Vm, a: Ref<Ext<Atomic>>| -> R<()> {
            a.before.set(replace_atomic(vm, current(vm)?, true));
            Ok(())
        };
        "__exit__($self, type, value, traceback, /)" => |vm: &Vm, a: Ref<Ext<Atomic>>, _: Value, _: Value, _: Value| -> R<()> {
            replace_atomic(vm, current(vm)?, a.before.get());
            Ok(())
        };
    }
}

/// A `stackless.atomic`.
pub struct Atomic {
    before: Cell<bool>,
}

impl Payload for Atomic {
    const NAME: &'static str = "stackless.atomic";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Atomic { before: _ } = self;
    }
}
