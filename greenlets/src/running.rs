//! Switching among tasklets: plans of who goes on with what, and carrying them out softly or hard.

use crate::bomb::{exception_of_class, make_exception};
use crate::micro::{Kind, Micro, State as MicroState};
use crate::scheduler::{CALLBACK, Scheduler};
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Arrival, Task, Tasklet, alive, check_insertable, has_frames, keep};
use skein_runtime::interp::{At, SoftCall, raise_at};
use skein_runtime::native::Args;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::Ext;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

pub fn scheduler(vm: &Vm) -> &Scheduler {
    &Microthreads::of(vm).scheduler
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

/// What a call that may switch comes to.
pub enum Plan {
    Stay(R<Value>),
    /// The running tasklet's place is taken care of: park it and run this one, if it is another.
    Go(Task, Deliver),
    /// As `Go`, where a soft time slice that is over does not count yet.
    GoOn(Task, Deliver),
}

/// Carries out a plan in the loop.
#[inline]
pub fn go_soft(vm: &Vm, call: &SoftCall<'_>, plan: Plan) -> At {
    let (t, d) = match target(vm, plan) {
        Ok(found) => found,
        Err(Ok(v)) => return call.done(vm, v),
        Err(Err(Raised)) => return call.raised(vm),
    };
    let micros = Microthreads::of(vm);
    if let Some(result) = Microthreads::soft_result(vm, call) {
        park(vm, micros, call.resume, result);
        let (m, d) = resumed(vm, t, d);
        return micros.resume(vm, m, d);
    }
    match go(vm, t, d) {
        Ok(v) => call.done(vm, v),
        Err(Raised) => call.raised(vm),
    }
}

/// Carries out a plan from native code.
pub fn go_hard(vm: &Vm, plan: Plan) -> R<Value> {
    match target(vm, plan) {
        Ok((t, d)) => go(vm, t, d),
        Err(r) => r,
    }
}

fn go(vm: &Vm, t: Task, d: Deliver) -> R<Value> {
    let micros = Microthreads::of(vm);
    leave(vm, micros);
    pass_watch(vm, t);
    let (m, d) = resumed(vm, t, d);
    micros.hard_switch(vm, m, d)
}

/// The running context alone is watched: where another tasklet goes on, its context is.
fn pass_watch(vm: &Vm, t: Task) {
    if vm.context().is_watched() {
        vm.context().watch(false);
        Microthreads::of(vm).context(vm, micro_ref(vm, t)).watch(true);
    }
}

/// Whom a plan switches to, after those have been told that want to know; or its result.
fn target(vm: &Vm, plan: Plan) -> Result<(Task, Deliver), R<Value>> {
    let (t, d) = match plan {
        Plan::Stay(r) => return Err(r),
        Plan::Go(t, d) => redirected(vm, t, d, false),
        Plan::GoOn(t, d) => redirected(vm, t, d, true),
    };
    if scheduler(vm).current.get() == Some(t) {
        return Err(match d.parts() {
            (false, v) => Ok(v),
            (true, e) => Err(vm.raise_again(e)),
        });
    }
    let d = notify(vm, t, d);
    Ok((t, d))
}

/// Calls the schedule callback: what the tasklet goes on with then. To the callback it is scheduled,
/// though it is in no queue any more; it may be given something else to go on with.
fn notify(vm: &Vm, to: Task, d: Deliver) -> Deliver {
    let s = scheduler(vm);
    let (Some(f), Some(from)) = (s.schedule_callback.get(), s.current.get()) else { return d };
    keep(vm, to, d);
    let before = s.coming.replace(Some(to));
    call_back(vm, f, &[from.value(), to.value()], "Error in scheduling callback");
    s.coming.set(before);
    to.take_deliver()
}

/// Calls a callback, in which no switch is allowed. Its errors have nowhere to go.
pub fn call_back(vm: &Vm, f: Value, args: &[Value], message: &str) {
    let s = scheduler(vm);
    let pending = vm.pending.take();
    s.trap.set(s.trap.get() + CALLBACK);
    let called = vm.call(f, args);
    s.trap.set(s.trap.get() - CALLBACK);
    if called.is_err() {
        let object = vm.str(message).unwrap_or(Value::NONE);
        vm.unraisable(None, object);
    }
    vm.pending.set(pending);
}

/// A soft time slice that is over ends when the tasklet switches: its watcher goes on, and whoever
/// was to run is the first after that.
fn redirected(vm: &Vm, t: Task, d: Deliver, not_now: bool) -> (Task, Deliver) {
    let s = scheduler(vm);
    let (Some(me), Some(w)) = (s.current.get(), s.timer.get()) else { return (t, d) };
    if !me.interrupt.get() || !s.slice.get().soft {
        return (t, d);
    }
    me.interrupt.set(false);
    if w.queued.get() || w == me || w == t {
        return (t, d);
    }
    if not_now || !nesting_allows(vm, me) {
        t.interrupt.set(true);
        return (t, d);
    }
    keep(vm, t, d);
    s.push_front(vm, t);
    (w, w.take_deliver())
}

/// Notes in the running tasklet which greenlet it is parked in, if any.
#[inline(always)]
fn leave(vm: &Vm, micros: &Microthreads) {
    let m = micros.current();
    if m.kind == Kind::Greenlet
        && let Some(t) = micros.scheduler.current.get()
    {
        t.barrier(vm);
        t.at.set(m);
        m.lent.set(true);
    }
}

/// Parks the running tasklet softly.
#[inline(always)]
fn park(vm: &Vm, micros: &Microthreads, at: At, result: usize) {
    let m = micros.current();
    micros.park_soft(vm, at, result);
    if m.kind == Kind::Greenlet {
        leave(vm, micros);
        m.state.set(MicroState::SoftLent);
    }
}

fn resumed(vm: &Vm, t: Task, d: Deliver) -> (&Micro, Deliver) {
    let m = micro_ref(vm, t);
    if !t.at.replace(std::ptr::null()).is_null() {
        m.lent.set(false);
        if m.state.get() == MicroState::SoftLent {
            m.state.set(MicroState::Soft);
        }
    }
    let s = scheduler(vm);
    crate::tracing::pass(vm, s.current.get(), t);
    s.current.set(Some(t));
    t.switches.set(t.switches.get().wrapping_add(1));
    if t.watching.get() {
        s.unwatch(vm, t);
    }
    if vm.slice.get() > 0 && !s.slice.get().total {
        vm.ticks.set(vm.slice.get());
    }
    (m, d)
}

/// Parks the running tasklet softly behind a call whose result goes to that register, and runs
/// another one, which is in no queue. Only where nobody is to be told (`Scheduler::is_quiet`).
#[inline(always)]
pub fn swap(vm: &Vm, micros: &Microthreads, call: &SoftCall<'_>, result: usize, t: Task) -> At {
    let (s, slice) = (&micros.scheduler, vm.slice.get());
    if t.micro.state.get() == MicroState::Soft
        && t.at.get().is_null()
        && t.arrival.get() == Arrival::Value
        && !t.watching.get()
        && (slice == 0 || s.current.get().is_some_and(|me| !me.interrupt.get()))
    {
        park(vm, micros, call.resume, result);
        let v = t.temp.or_none();
        t.temp.init(None::<Value>);
        s.current.set(Some(t));
        t.switches.set(t.switches.get().wrapping_add(1));
        if slice > 0 && !s.slice.get().total {
            vm.ticks.set(slice);
        }
        return micros.wake(vm, &t.micro, v);
    }
    swap_slow(vm, call, t)
}

#[inline(never)]
fn swap_slow(vm: &Vm, call: &SoftCall<'_>, t: Task) -> At {
    let d = t.take_deliver();
    go_soft(vm, call, Plan::Go(t, d))
}

/// The running tasklet.
pub fn current(vm: &Vm) -> R<Task> {
    match scheduler(vm).current.get() {
        Some(t) => Ok(t),
        None => ensure_main(vm),
    }
}

/// Makes the main program of this thread its main tasklet, if it is not yet: that tasklet.
pub fn ensure_main(vm: &Vm) -> R<Task> {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    if let Some(main) = s.main.get() {
        return Ok(main);
    }
    let Some(ty) = micros.types.tasklet.get() else {
        return Err(vm.runtime_error("stackless is not imported"));
    };
    let main = crate::tasklet::make(vm, ty, Kind::Main)?;
    s.main.set(Some(main));
    s.current.set(Some(main));
    Ok(main)
}

/// RuntimeError where switching is trapped.
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
        match self.arrival.replace(Arrival::Value) {
            Arrival::Raise => Deliver::Raise(v),
            Arrival::Value | Arrival::Watcher => Deliver::Value(v),
        }
    }
}

/// The exception of a program in which nothing can run, with a note of who waits on whom.
pub fn deadlock(vm: &Vm) -> Raised {
    let raised = vm.runtime_error("Deadlock: the last runnable tasklet cannot be blocked.");
    crate::waiting::note(vm);
    raised
}

/// A tasklet's function returned or raised: who goes on, and with what.
pub fn after_end<'v>(vm: &'v Vm, m: &Micro, result: R<Value>) -> (&'v Micro, Deliver) {
    let s = scheduler(vm);
    let ended = m.owner().and_then(|v| v.cast::<Ext<Tasklet>>());
    let mut error = match result {
        Ok(_) => None,
        Err(Raised) => vm.pending.take(),
    };
    if let Some(e) = error
        && vm.type_of(e).is_subtype(vm.exc.system_exit)
    {
        if !vm.type_of(e).is_subtype(vm.exc.tasklet_exit) {
            Microthreads::of(vm).end_program(vm, e);
        }
        error = None;
    }
    if let (Some(e), Some(t)) = (error, ended)
        && t.dying.get()
    {
        // Nobody waits for a tasklet that nothing led to.
        vm.pending.set(Some(e));
        vm.unraisable(None, t.value());
        error = None;
    }
    if let Some(e) = error
        && let Some(handler) = s.error_handler.get()
    {
        error = handle_error(vm, handler, e);
    }
    if let Some(t) = ended {
        crate::tracing::end(vm);
        t.func.init(None::<Value>);
        t.args.init(None::<Value>);
        t.temp.init(None::<Value>);
    }
    let Some(target) = s.wake_target() else {
        // Only with the module are there tasklets, and it makes the main one.
        return (Microthreads::of(vm).main(), Deliver::Value(Value::NONE));
    };
    let (t, d) = if let Some(e) = error {
        if target.queued.get() {
            s.remove(target);
        }
        (target, Deliver::Raise(e))
    } else if let Some(t) = s.pop() {
        let d = t.take_deliver();
        redirected(vm, t, d, false)
    } else if target.is_blocked() || s.waits_for_threads(vm) {
        s.ending.set(ended);
        let found = crate::channel::wait_for_runnable(vm);
        s.ending.set(None);
        match found {
            Ok(Some(found)) => found,
            Ok(None) if !target.is_blocked() => (target, target.take_deliver()),
            Ok(None) => (target, Deliver::Raise(nobody_left(vm, target))),
            Err(Raised) => (target, Deliver::Raise(vm.pending.take().unwrap_or(Value::NONE))),
        }
    } else {
        (target, target.take_deliver())
    };
    if t.is_blocked() {
        crate::channel::unblock(vm, t);
    }
    let d = notify(vm, t, d);
    pass_watch(vm, t);
    resumed(vm, t, d)
}

/// The exception of a blocked tasklet that was to be woken at the end of all others.
fn nobody_left(vm: &Vm, target: Task) -> Value {
    let text = if crate::channel::is_sending(target) {
        "the main tasklet is sending without a receiver available."
    } else {
        "the main tasklet is receiving without a sender available."
    };
    let _: Raised = vm.runtime_error(text);
    crate::waiting::note(vm);
    vm.pending.take().unwrap_or(Value::NONE)
}

/// Calls `set_error_handler`'s function: what it raises goes on.
fn handle_error(vm: &Vm, handler: Value, e: Value) -> Option<Value> {
    let tb = e.cast::<Exception>().map_or(Value::NONE, |e| e.traceback.or_none());
    match vm.call(handler, &[vm.type_of(e).value(), e, tb]) {
        Ok(_) => None,
        Err(Raised) => vm.pending.take(),
    }
}

fn nesting_allows(vm: &Vm, t: Task) -> bool {
    vm.context().native_calls() == 0 || t.ignore_nesting.get() || scheduler(vm).slice.get().ignore_nesting
}

/// A time slice is over at a loop head: the watcher goes on with the interrupted tasklet.
pub fn slice_over(vm: &Vm, at: At) -> At {
    let s = scheduler(vm);
    let (Some(w), Some(me)) = (s.timer.get(), s.current.get()) else { return at };
    let slice = s.slice.get();
    if slice.soft || me.atomic.get() || s.trap.get() != 0 || !nesting_allows(vm, me) {
        // Not here: at a switch, when this is allowed again, or after one more slice.
        me.interrupt.set(true);
        vm.ticks.set(slice.length);
        return at;
    }
    me.interrupt.set(false);
    if w.queued.get() {
        s.remove(w);
    }
    let d = match w.take_deliver() {
        Deliver::Value(_) => Deliver::Value(me.value()),
        raise => raise,
    };
    let d = notify(vm, w, d);
    let micros = Microthreads::of(vm);
    if vm.context().native_calls() == 0 {
        pass_watch(vm, w);
        park(vm, micros, at, crate::micro::NO_RESULT as usize);
        let (m, d) = resumed(vm, w, d);
        return micros.resume(vm, m, d);
    }
    match go(vm, w, d) {
        Ok(_) => at,
        Err(Raised) => raise_at(vm, at),
    }
}

/// `run`: the tasklet runs now, the present one stays runnable; `switch`: the present one is paused.
fn plan_run(vm: &Vm, t: Task, keep: bool) -> R<Plan> {
    let s = scheduler(vm);
    if Microthreads::of(vm).is_foreign(&t.micro) {
        if !keep && crate::across::home(vm, t).is_some() {
            return Err(vm.runtime_error("can't switch to a different thread."));
        }
        return crate::across::run(vm, t);
    }
    check_insertable(vm, t)?;
    let me = current(vm)?;
    if me == t {
        // Another thread may have left an exception for it.
        return match t.take_deliver().parts() {
            (true, e) => Err(vm.raise_again(e)),
            (false, _) => Ok(Plan::Stay(Ok(Value::NONE))),
        };
    }
    check_trap(vm)?;
    take_turn(vm, s, t, keep.then_some(me));
    Ok(Plan::Go(t, t.take_deliver()))
}

/// A tasklet runs out of its turn; `me` stays runnable.
fn take_turn(vm: &Vm, s: &Scheduler, t: Task, me: Option<Task>) {
    if t.is_blocked() {
        crate::channel::unblock(vm, t);
    }
    if t.queued.get() {
        s.turn_to(vm, t, me);
    } else if let Some(me) = me {
        s.push_front(vm, me);
    }
}

fn receiver(vm: &Vm, args: Args<'_>, method: &str) -> R<Task> {
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error(format!("unbound method tasklet.{method}() needs an argument")));
    };
    first.cast::<Ext<Tasklet>>().ok_or_else(|| {
        vm.type_error(format!(
            "descriptor '{method}' for 'stackless.tasklet' objects doesn't apply to a '{}' object",
            vm.type_name(first)
        ))
    })
}

/// The arguments of a call by these names; None where nothing was given. TypeError.
pub fn bind_row<const N: usize>(
    vm: &Vm,
    args: Args<'_>,
    function: &str,
    names: [&str; N],
) -> R<[Option<Value>; N]> {
    let mut row = [None; N];
    let given = args.positional();
    if given.len() > N {
        return Err(
            vm.type_error(format!("{function}() takes at most {N} arguments ({} given)", given.len()))
        );
    }
    for (slot, &v) in row.iter_mut().zip(given) {
        *slot = Some(v);
    }
    for (k, v) in args.keywords() {
        let name = vm.str_string(k)?;
        let Some(i) = names.iter().position(|n| *n == name) else {
            return Err(vm.type_error(format!("{function}() got an unexpected keyword argument '{name}'")));
        };
        if row[i].replace(v).is_some() {
            return Err(vm.type_error(format!(
                "argument for {function}() given by name ('{name}') and position ({})",
                i + 1
            )));
        }
    }
    Ok(row)
}

/// A method that may switch, from its plan: the native form and the one in the loop.
macro_rules! switching {
    ($($native:ident, $soft:ident => $plan:expr;)*) => {$(
        pub fn $native(vm: &Vm, args: Args<'_>) -> R<Value> {
            let plan: fn(&Vm, Args<'_>) -> R<Plan> = $plan;
            go_hard(vm, plan(vm, args)?)
        }

        pub fn $soft(vm: &Vm, call: &SoftCall<'_>) -> At {
            let plan: fn(&Vm, Args<'_>) -> R<Plan> = $plan;
            go_soft(vm, call, plan(vm, call.args).unwrap_or_else(|e| Plan::Stay(Err(e))))
        }
    )*};
}
pub(crate) use switching;

switching! {
    run, run_soft => |vm, args| plan_run(vm, alone(vm, args, "run")?, true);
    switch, switch_soft => |vm, args| plan_run(vm, alone(vm, args, "switch")?, false);
    throw, throw_soft => throw_plan;
    raise_exception, raise_soft => raise_plan;
    kill, kill_soft => kill_plan;
}

/// The receiver of a method without arguments.
fn alone(vm: &Vm, args: Args<'_>, method: &str) -> R<Task> {
    let t = receiver(vm, args, method)?;
    match args.rest().parts().0.len() {
        0 => Ok(t),
        n => Err(vm.type_error(format!("tasklet.{method}() takes no arguments ({n} given)"))),
    }
}

/// Raises an exception in a tasklet: at once, or when it is next run (`pending`).
pub fn plan_throw(vm: &Vm, t: Task, e: Value, pending: bool) -> R<Plan> {
    let s = scheduler(vm);
    let me = current(vm)?;
    if t == me {
        return Err(vm.raise_again(e));
    }
    if !alive(vm, t) {
        let stranded = crate::across::home(vm, t).is_none();
        // One that has run to its end is as it would be after this.
        if vm.type_of(e).is_subtype(vm.exc.tasklet_exit) && !(stranded && has_frames(t)) {
            return Ok(Plan::Stay(Ok(Value::NONE)));
        }
        return Err(match stranded {
            true => crate::across::no_thread(vm),
            false => vm.runtime_error("You cannot throw to a dead tasklet"),
        });
    }
    if pending || Microthreads::of(vm).is_foreign(&t.micro) {
        return crate::across::leave_exception(vm, t, e);
    }
    check_trap(vm)?;
    take_turn(vm, s, t, Some(me));
    Ok(Plan::Go(t, Deliver::Raise(e)))
}

fn throw_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args, "throw")?;
    let [exc, val, tb, pending] = bind_row(vm, args.rest(), "throw", ["exc", "val", "tb", "pending"])?;
    let Some(exc) = exc else {
        return Err(vm.type_error("throw() missing required argument 'exc' (pos 1)"));
    };
    let pending = vm.truth(pending.unwrap_or(Value::FALSE))?;
    let e = make_exception(vm, exc, val.unwrap_or(Value::NONE), tb.unwrap_or(Value::NONE))?;
    plan_throw(vm, t, e, pending)
}

fn raise_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args, "raise_exception")?;
    let &[class, ref rest @ ..] = args.rest().positional() else {
        return Err(vm.type_error("raise_exception() takes at least 1 argument"));
    };
    let e = exception_of_class(vm, class, rest, "tasklet.raise_exception")?;
    plan_throw(vm, t, e, false)
}

fn kill_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let t = receiver(vm, args, "kill")?;
    let [pending] = bind_row(vm, args.rest(), "kill", ["pending"])?;
    let pending = vm.truth(pending.unwrap_or(Value::FALSE))?;
    let e = vm.call(vm.exc.tasklet_exit.value(), &[])?;
    if crate::across::home(vm, t).is_none() {
        crate::across::kill_stranded(vm, t);
        return Ok(Plan::Stay(Ok(Value::NONE)));
    }
    plan_throw(vm, t, e, pending)
}

/// Times that an unreachable tasklet is asked to end.
const MAX_KILLS: u8 = 10;

/// An unreachable suspended tasklet is killed, so that its `finally` blocks run.
pub fn finalize(vm: &Vm, object: Value) {
    let Some(t) = object.cast::<Ext<Tasklet>>() else { return };
    // Those that are suspended when the program ends stay so, as greenlets do on CPython.
    if vm.finalizing.get() {
        return;
    }
    let is_parked = matches!(t.micro.state.get(), MicroState::Soft | MicroState::Hard);
    if t.micro.kind == Kind::Main || !is_parked || t.queued.get() {
        return;
    }
    if scheduler(vm).trap.get() != 0 {
        // Not while switches are forbidden.
        vm.heap.register_finalizer(t.header());
        return;
    }
    if Microthreads::of(vm).is_foreign(&t.micro) {
        return crate::foreign::leave_to_its_thread(vm, &t.micro, object);
    }
    t.dying.set(true);
    let exit = vm.call(vm.exc.tasklet_exit.value(), &[]);
    if exit.and_then(|e| go_hard(vm, plan_throw(vm, t, e, false)?)).is_err() {
        vm.unraisable(None, object);
    }
    if !t.micro.is_alive() {
        return;
    }
    // It caught the exception and went on, or somebody has got hold of it.
    t.dying.set(false);
    let kills = t.kills.get() + 1;
    t.kills.set(kills);
    if kills < MAX_KILLS {
        vm.heap.register_finalizer(t.header());
    } else {
        // It stays as it is: its frames cannot just go away.
        vm.roots.borrow_mut().push(object);
    }
}
