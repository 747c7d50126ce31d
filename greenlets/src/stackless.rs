//! The module `stackless`.

use crate::micro::Kind;
use crate::scheduler::Watcher;
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Plan, Task, can_interrupt, check_trap, current, go_hard, go_soft, scheduler, swap};
use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    [soft schedule_soft] "schedule(retval=None)" => schedule, "Yield execution of the currently running tasklet.";
    [soft schedule_remove_soft] "schedule_remove(retval=None)" => schedule_remove;
    [soft run_soft] "run(timeout=0, threadblock=False, soft=False, ignore_nesting=False, totaltimeout=False)" => run,
        "Run the scheduler until no other tasklets are runnable, or a tasklet has used up its time slice.";
    "getcurrent()" => current, "Return the currently executing tasklet.";
    "getcurrentid()" => |vm: &Vm| -> R<i64> { Ok((current(vm)?.value().bits() >> 4) as i64) };
    "getmain()" => |vm: &Vm| scheduler(vm).main.get();
    "getruncount()" => |vm: &Vm| scheduler(vm).count(), "Return the number of runnable tasklets.";
    "getthreads()" => |vm: &Vm| -> R<Value> { Ok(skein_runtime::types::list::List::new(vm, &[Value::small_int(i64::from(std::process::id()))])?.value()) };
    "getdebug()" => |_: &Vm| false;
    "getuncollectables()" => |vm: &Vm| -> R<Value> { Ok(skein_runtime::types::list::List::new(vm, &[])?.value()) };
    "enable_softswitch(flag, /)" => enable_softswitch;
    "switch_trap(change=0, /)" => switch_trap;
    "set_error_handler(handler, /)" => set_error_handler;
    "set_channel_callback(callback, /)" => set_channel_callback;
    "get_channel_callback()" => |vm: &Vm| scheduler(vm).channel_callback.get();
    "set_schedule_callback(callback, /)" => set_schedule_callback;
    "get_schedule_callback()" => |vm: &Vm| scheduler(vm).schedule_callback.get();
    "get_thread_info(thread_id=-1, flags=0)" => get_thread_info;
    "pickle_flags(new_flags, mask, /)" => |vm: &Vm, _: Value, _: Value| -> R<Value> { Err(vm.unsupported("pickling of tasklets")) };
    "switch_counts()" => switch_counts, "Soft and hard switches so far.";
}

/// The result of `schedule()` when the tasklet goes on: what it was given, else the tasklet itself.
fn retval(me: Task, args: Args<'_>) -> Value {
    let given = args.positional().first().copied().or_else(|| args.keywords().next().map(|(_, v)| v));
    given.unwrap_or(me.value())
}

fn schedule_plan(vm: &Vm, args: Args<'_>, keep: bool) -> R<Plan> {
    let me = current(vm)?;
    let s = scheduler(vm);
    if keep && s.first().is_none() {
        return Ok(Plan::Stay(Ok(retval(me, args))));
    }
    check_trap(vm)?;
    me.temp.set(vm, me, retval(me, args));
    if keep {
        s.push(vm, me);
    }
    match s.next(vm) {
        Some((t, d)) => {
            if s.schedule_callback.get().is_some() {
                schedule_call_back(vm, me, t)?;
            }
            Ok(Plan::Go(t, d))
        }
        None => {
            me.temp.init(None::<Value>);
            let e = crate::scheduler::deadlock(vm);
            vm.pending.set(Some(e));
            Err(Raised)
        }
    }
}

#[cold]
fn schedule_call_back(vm: &Vm, from: Task, to: Task) -> R<()> {
    match scheduler(vm).schedule_callback.get() {
        Some(f) => vm.call(f, &[from.value(), to.value()]).map(|_| ()),
        None => Ok(()),
    }
}

fn schedule(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = schedule_plan(vm, args, true)?;
    go_hard(vm, plan)
}

fn schedule_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    // The common case: plain, and another tasklet is there to run.
    if call.args.parts().0.is_empty()
        && s.is_quiet()
        && let Some(me) = s.current.get()
        && let Some(result) = Microthreads::soft_result(vm, call)
        && let Some(next) = s.pop()
    {
        me.temp.set(vm, me, me.value());
        s.push(vm, me);
        return swap(vm, micros, call, result, next);
    }
    let plan = schedule_plan(vm, call.args, true).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn schedule_remove(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = schedule_plan(vm, args, false)?;
    go_hard(vm, plan)
}

fn schedule_remove_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = schedule_plan(vm, call.args, false).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn run_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let mut row = [Value::small_int(0), Value::FALSE, Value::FALSE, Value::FALSE, Value::FALSE];
    let names = ["timeout", "threadblock", "soft", "ignore_nesting", "totaltimeout"];
    let given = args.positional();
    if given.len() > row.len() {
        return Err(vm.type_error(format!("run() takes at most 5 arguments ({} given)", given.len())));
    }
    row[..given.len()].copy_from_slice(given);
    for (k, v) in args.keywords() {
        let name = vm.str_string(k)?;
        match names.iter().position(|n| *n == name) {
            Some(i) => row[i] = v,
            None => return Err(vm.type_error(format!("run() got an unexpected keyword argument '{name}'"))),
        }
    }
    let timeout = vm.index_i64(row[0])?;
    if timeout < 0 {
        return Err(vm.value_error("timeout must be >= 0"));
    }
    let s = scheduler(vm);
    let me = current(vm)?;
    check_trap(vm)?;
    if s.first().is_none() {
        return Ok(Plan::Stay(Ok(Value::NONE)));
    }
    me.temp.init(Value::NONE);
    s.watchers.borrow_mut().push(Watcher { task: me, slice: timeout, total: vm.truth(row[4])? });
    s.restore_slice(vm);
    match s.next(vm) {
        Some((t, d)) => Ok(Plan::Go(t, d)),
        None => Ok(Plan::Stay(Ok(Value::NONE))),
    }
}

fn run(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = run_plan(vm, args)?;
    go_hard(vm, plan)
}

fn run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = run_plan(vm, call.args).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

/// A time slice is over at a loop head: the watcher goes on with the interrupted tasklet.
pub fn slice_over(vm: &Vm, at: At) -> At {
    let s = scheduler(vm);
    let Some(w) = s.watchers.borrow().last().copied() else { return at };
    let Some(me) = s.current.get() else { return at };
    let micros = Microthreads::of(vm);
    if w.slice == 0 || micros.current().kind == Kind::Greenlet || !can_interrupt(vm, me) {
        // Not here: at the next safepoint.
        vm.ticks.set(w.slice.max(1));
        return at;
    }
    s.watchers.borrow_mut().pop();
    s.restore_slice(vm);
    micros.park_soft(vm, at, crate::micro::NO_RESULT as usize);
    s.current.set(Some(w.task));
    let d = match w.task.take_deliver() {
        Deliver::Value(_) => Deliver::Value(me.value()),
        raise => raise,
    };
    micros.resume(vm, crate::tasklet::micro_ref(vm, w.task), d)
}

fn enable_softswitch(vm: &Vm, flag: Value) -> R<bool> {
    // None only asks. Switching softly is not a choice here: only False is refused.
    if !flag.is_none() && !vm.truth(flag)? {
        return Err(vm.unsupported("switching off soft switching"));
    }
    Ok(true)
}

fn switch_trap(vm: &Vm, change: Option<i64>) -> i64 {
    let s = scheduler(vm);
    let old = s.trap.get();
    s.trap.set(old + change.unwrap_or(0));
    old
}

fn callback(vm: &Vm, slot: &std::cell::Cell<Option<Value>>, f: Value) -> R<Value> {
    if !f.is_none() && !vm.is_callable(f) {
        return Err(vm.type_error("callback must be callable"));
    }
    Ok(slot.replace((!f.is_none()).then_some(f)).unwrap_or(Value::NONE))
}

fn set_error_handler(vm: &Vm, f: Value) -> R<Value> {
    callback(vm, &scheduler(vm).error_handler, f)
}

fn set_channel_callback(vm: &Vm, f: Value) -> R<Value> {
    callback(vm, &scheduler(vm).channel_callback, f)
}

fn set_schedule_callback(vm: &Vm, f: Value) -> R<Value> {
    callback(vm, &scheduler(vm).schedule_callback, f)
}

fn get_thread_info(vm: &Vm, _thread: Option<i64>, _flags: Option<i64>) -> R<Value> {
    let s = scheduler(vm);
    let or_none = |t: Option<Task>| t.map_or(Value::NONE, |t| t.value());
    vm.tuple(&[or_none(s.main.get()), or_none(s.current.get()), vm.int(s.count() as i64)?])
}

fn switch_counts(vm: &Vm) -> R<Value> {
    let c = &vm.counters;
    vm.tuple(&[vm.int_u64(c.soft_switches.get())?, vm.int_u64(c.hard_switches.get())?])
}

/// The module; the first import makes the main program the main tasklet.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let s = scheduler(vm);
    if s.tasklet_type.get().is_none() {
        s.tasklet_type.set(Some(vm.make_native_type(&crate::tasklet::DEF)?));
        s.channel_type.set(Some(vm.make_native_type(&crate::channel::DEF)?));
        if let Some(ty) = s.tasklet_type.get() {
            let main = crate::tasklet::make(vm, ty, Kind::Main)?;
            s.main.set(Some(main));
            s.current.set(Some(main));
        }
    }
    let m = Module::new(vm, "stackless")?;
    skein_runtime::modules::add_functions(vm, m, FUNCTIONS)?;
    let d = m.dict();
    for (name, ty) in [("tasklet", &s.tasklet_type), ("channel", &s.channel_type)] {
        if let Some(t) = ty.get() {
            d.set_name(vm, name, t.value())?;
        }
    }
    d.set_name(vm, "TaskletExit", vm.exc.tasklet_exit.value())?;
    for (i, name) in
        ["TRACING_STATE", "PRESERVE_AG_FINALIZER", "RESET_AG_FINALIZER", "PICKLE_CONTEXT"].iter().enumerate()
    {
        d.set_name(vm, &format!("PICKLEFLAGS_{name}"), Value::small_int(1 << i))?;
    }
    Ok(m)
}
