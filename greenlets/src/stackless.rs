//! The module `stackless`.

use crate::pickling::pickle_flags;
use crate::running::{
    Plan, bind_row, check_trap, current, deadlock, ensure_main, go_hard, go_soft, scheduler, swap, switching,
};
use crate::scheduler::Slice;
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Arrival, Task, keep};
use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::object::{Kind as Layout, Ref};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;

native_functions! { FUNCTIONS:
    [soft schedule_soft] "schedule(retval=None)" => schedule, "Let the next runnable tasklet run; returns retval, else the tasklet.";
    [soft schedule_remove_soft] "schedule_remove(retval=None)" => schedule_remove,
        "Let the next runnable tasklet run and be paused.";
    [soft run_soft] "run(timeout=0, threadblock=False, soft=False, ignore_nesting=False, totaltimeout=False)" => run,
        "Run the scheduler until no other tasklets are runnable, or a tasklet has used up its time slice.";
    "getcurrent()" => current, "The tasklet that runs now.";
    "getcurrentid()" => |vm: &Vm| -> R<Value> { vm.int_u64(current(vm)?.value().bits()) }, "The id of the tasklet that runs now.";
    "getmain()" => ensure_main, "The tasklet of the main program.";
    "getruncount()" => |vm: &Vm| scheduler(vm).count(), "The number of runnable tasklets.";
    "getthreads()" => thread_ids, "The ids of all threads.";
    "getdebug()" => |_: &Vm| false, "Is this a debug build?";
    "getuncollectables()" => |vm: &Vm| List::new(vm, &[]), "Tasklets that cannot be collected: none.";
    "enable_softswitch(flag, /)" => enable_softswitch, "Are tasklets switched without their native stacks where that is possible? None only asks.";
    "switch_trap(change=0, /)" => switch_trap, "Changes the level above which switches are errors; returns what it was.";
    "set_error_handler(handler=None, /)" => |vm: &Vm, f: Option<Value>| replace(&scheduler(vm).error_handler, f),
        "Sets a function that gets the errors that nobody catches in a tasklet.";
    "set_channel_callback(callback, /)" => |vm: &Vm, f: Value| callback(vm, &scheduler(vm).channel_callback, f, "channel"),
        "Sets a function that is called at each action on a channel.";
    "get_channel_callback()" => |vm: &Vm| scheduler(vm).channel_callback.get(), "The function called at each action on a channel.";
    "set_schedule_callback(callback, /)" => |vm: &Vm, f: Value| callback(vm, &scheduler(vm).schedule_callback, f, "schedule"),
        "Sets a function that is called at each switch.";
    "get_schedule_callback()" => |vm: &Vm| scheduler(vm).schedule_callback.get(), "The function called at each switch.";
    "get_thread_info(thread_id=-1, flags=0, /)" => get_thread_info, "Main tasklet, current tasklet and number of runnable ones.";
    "pickle_flags(new_flags=-1, mask=-1)" => |vm: &Vm, new: Option<i64>, mask: Option<i64>| pickle_flags(vm, false, new, mask),
        "The thread's flags of pickling, before they are changed.";
    "pickle_flags_default(new_default=-1, mask=-1)" => |vm: &Vm, new: Option<i64>, mask: Option<i64>| pickle_flags(vm, true, new, mask),
        "The flags of pickling that new threads begin with, before they are changed.";
    "switch_counts()" => switch_counts, "Soft and hard switches so far.";
}

native_functions! { HIDDEN_FUNCTIONS:
    "__getattr__(name, /)" => module_attribute;
    "__dir__()" => module_dir;
}

/// Attributes of the module that are computed.
const COMPUTED: &[&str] =
    &["current", "runcount", "main", "debug", "uncollectables", "threads", "pickle_with_tracing_state"];

fn module_attribute(vm: &Vm, name: Ref<Str>) -> R<Value> {
    let s = scheduler(vm);
    match &*name.to_string_lossy() {
        "current" => Ok(current(vm)?.value()),
        "runcount" => vm.int(s.count() as i64),
        "main" => Ok(ensure_main(vm)?.value()),
        "debug" => Ok(Value::FALSE),
        "pickle_with_tracing_state" => Ok(Value::bool(pickle_flags(vm, false, None, None)? & 1 != 0)),
        "uncollectables" => Ok(List::new(vm, &[])?.value()),
        "threads" => Ok(thread_ids(vm)?.value()),
        other => {
            let module = vm.import("stackless")?;
            let text = format!("module 'stackless' has no attribute '{other}'");
            Err(vm.attribute_error_for(module, name, &text))
        }
    }
}

fn module_dir(vm: &Vm) -> R<Ref<List>> {
    let module = vm.import("stackless")?;
    let list = List::with_capacity(vm, 0)?;
    if let Some(m) = module.cast::<Module>() {
        for (k, _) in m.dict().iter() {
            list.push(vm, k)?;
        }
    }
    for name in COMPUTED {
        list.push(vm, vm.str(name)?)?;
    }
    Ok(list)
}

/// The id of the thread with this number; -1: it has ended.
pub fn thread_id(vm: &Vm, serial: u32) -> R<Value> {
    match vm.threads.by_serial(serial) {
        Some(t) => vm.int_u64(t.ident()),
        None => Ok(Value::small_int(-1)),
    }
}

fn thread_ids(vm: &Vm) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 0)?;
    for thread in vm.threads.all() {
        list.push(vm, vm.int_u64(thread.ident())?)?;
    }
    Ok(list)
}

native_type! {
    CFRAME: "stackless.cframe", Layout::Ext, type_flags::NO_NEW, "A C function's frame in a tasklet: there are none.";
}

/// The result of `schedule()` when the tasklet goes on: what it was given, else the tasklet itself.
fn retval(vm: &Vm, me: Task, args: Args<'_>, function: &str) -> R<Value> {
    let [given] = bind_row(vm, args, function, ["retval"])?;
    Ok(given.unwrap_or(me.value()))
}

pub fn schedule_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let (me, s) = (current(vm)?, scheduler(vm));
    let v = retval(vm, me, args, "schedule")?;
    if s.first().is_none() {
        // A soft time slice may end here.
        return Ok(Plan::Go(me, Deliver::Value(v)));
    }
    check_trap(vm)?;
    keep(vm, me, Deliver::Value(v));
    s.push(vm, me);
    match s.pop() {
        Some(t) => Ok(Plan::Go(t, t.take_deliver())),
        None => Ok(Plan::Stay(Ok(v))),
    }
}

fn schedule_remove_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let (me, s) = (current(vm)?, scheduler(vm));
    let v = retval(vm, me, args, "schedule_remove")?;
    if s.first().is_none() && s.wake_target() == Some(me) {
        // It would be woken at once.
        return Ok(Plan::Stay(Ok(v)));
    }
    check_trap(vm)?;
    keep(vm, me, Deliver::Value(v));
    let next = match s.next(vm) {
        Some(found) => Some(found),
        // Another thread may make it runnable meanwhile.
        None => {
            s.current.set(None);
            let found = crate::channel::wait_for_runnable(vm);
            s.current.set(Some(me));
            found?
        }
    };
    match next {
        Some((t, d)) => Ok(Plan::Go(t, d)),
        None => Err(deadlock(vm)),
    }
}

pub fn run_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let names = ["timeout", "threadblock", "soft", "ignore_nesting", "totaltimeout"];
    let [timeout, threadblock, soft, ignore_nesting, total] = bind_row(vm, args, "run", names)?;
    let flag = |v: Option<Value>| v.map_or(Ok(false), |v| Ok(vm.index_clamped(v)? != 0));
    let threadblock = flag(threadblock)?;
    let slice = Slice {
        length: timeout.map_or(Ok(0), |v| vm.index_i64(v))?,
        soft: flag(soft)?,
        ignore_nesting: flag(ignore_nesting)?,
        total: flag(total)?,
    };
    let (me, s) = (current(vm)?, scheduler(vm));
    if s.first().is_none() && (!threadblock || vm.threads.is_alone()) {
        return Ok(Plan::Stay(Ok(Value::NONE)));
    }
    check_trap(vm)?;
    if threadblock {
        return run_until_woken(vm, me, slice);
    }
    match s.pop() {
        Some(t) => {
            let d = t.take_deliver();
            me.temp.init(None::<Value>);
            s.watch(me);
            s.keep_time(vm, me, slice);
            Ok(Plan::Go(t, d))
        }
        None => Ok(Plan::Stay(Ok(Value::NONE))),
    }
}

/// `run(threadblock=True)`: where nothing can run, the thread waits for others, and ends when one of them has woken the
/// tasklet that called it, or when there are no others.
fn run_until_woken(vm: &Vm, me: Task, slice: Slice) -> R<Plan> {
    let s = scheduler(vm);
    me.temp.init(None::<Value>);
    s.watch(me);
    s.keep_time(vm, me, slice);
    s.thread_block.set(Some(me));
    s.current.set(None);
    let found = crate::channel::wait_for_runnable(vm);
    s.current.set(Some(me));
    match found {
        Ok(Some((t, d))) if t != me => Ok(Plan::Go(t, d)),
        Ok(_) => {
            s.unwatch(vm, me);
            Ok(Plan::Stay(Ok(Value::NONE)))
        }
        Err(e) => {
            s.unwatch(vm, me);
            Err(e)
        }
    }
}

switching! {
    schedule, schedule_slow => schedule_plan;
    schedule_remove, schedule_remove_soft => schedule_remove_plan;
    run, run_slow => run_plan;
}

/// `run(timeout)`, as a watchdog calls it for each slice.
fn run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    if let (&[timeout], None) = call.args.parts()
        && timeout.is_int()
        && timeout.as_small_int() > 0
        && s.is_quiet(vm)
        && s.timer.get().is_none()
        && let Some(me) = s.current.get()
        && let Some(result) = Microthreads::soft_result(vm, call)
        && let Some(next) = s.pop()
    {
        me.temp.init(None::<Value>);
        s.watch(me);
        s.keep_time(vm, me, Slice { length: timeout.as_small_int(), ..Slice::default() });
        return swap(vm, micros, call, result, next);
    }
    run_slow(vm, call)
}

fn schedule_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    // The common case: plain, and another tasklet is there to run.
    if call.args.parts().0.is_empty()
        && s.is_quiet(vm)
        && let Some(me) = s.current.get()
        && let Some(result) = Microthreads::soft_result(vm, call)
        && let Some(next) = s.pop()
    {
        me.temp.set(vm, me, me.value());
        me.arrival.set(Arrival::Value);
        s.push(vm, me);
        return swap(vm, micros, call, result, next);
    }
    schedule_slow(vm, call)
}

fn enable_softswitch(vm: &Vm, flag: Value) -> R<bool> {
    let hard = &Microthreads::of(vm).types.hard;
    let before = !hard.get();
    // None only asks.
    if !flag.is_none() {
        hard.set(!vm.truth(flag)?);
        for thread in vm.threads.all() {
            if let Some(micros) = Microthreads::of_thread(vm, thread.serial) {
                micros.context(vm, micros.current()).watch(micros.is_watched());
            }
        }
    }
    Ok(before)
}

fn switch_trap(vm: &Vm, change: Option<i64>) -> i64 {
    scheduler(vm).change_trap(change.unwrap_or(0))
}

/// Sets what a function was given, None as nothing; what was there before.
fn replace(slot: &Cell<Option<Value>>, f: Option<Value>) -> Option<Value> {
    slot.replace(f.filter(|f| !f.is_none()))
}

fn callback(vm: &Vm, slot: &Cell<Option<Value>>, f: Value, what: &str) -> R<Option<Value>> {
    if !f.is_none() && !vm.is_callable(f) {
        return Err(vm.type_error(format!("{what} callback must be callable")));
    }
    Ok(replace(slot, Some(f)))
}

/// Bit of `get_thread_info`'s flags: with the watchers.
const WITH_WATCHERS: i64 = 1 << 31;
/// With the numbers of the last stack and of the one that ran last, and with the thread's own.
const WITH_STACKS: i64 = 1 << 30;

fn get_thread_info(vm: &Vm, thread: Option<Value>, flags: Option<i64>) -> R<Value> {
    let mut serial = vm.threads.current().serial;
    if let Some(thread) = thread {
        if !vm.is_int(thread) {
            return Err(vm.type_error(format!(
                "get_thread_info() argument 1 must be int, not {}",
                vm.type_name(thread)
            )));
        }
        let id = vm.index_clamped(thread)?;
        if id != -1 {
            let Some(other) = vm.threads.all().into_iter().find(|t| t.ident() as i64 == id) else {
                return Err(vm.runtime_error("Thread id not found"));
            };
            serial = other.serial;
        }
    }
    let Some(micros) = Microthreads::of_thread(vm, serial) else {
        return Err(vm.runtime_error("Thread id not found"));
    };
    let s = &micros.scheduler;
    let or_none = |t: Option<Task>| t.map_or(Value::NONE, |t| t.value());
    let flags = flags.unwrap_or(0);
    let row = List::new(vm, &[or_none(s.main.get()), or_none(s.current.get()), vm.int(s.count() as i64)?])?;
    if flags & WITH_STACKS != 0 {
        let serial = Value::small_int(crate::cstack::serial(serial));
        for v in [serial, serial, crate::cstack::stub(vm, micros)?] {
            row.push(vm, v)?;
        }
    }
    if flags & WITH_WATCHERS != 0 {
        let watchers = List::with_capacity(vm, 0)?;
        for w in s.watcher_list() {
            watchers.push(vm, or_none(w))?;
        }
        row.push(vm, watchers.value())?;
    }
    vm.tuple(row.items())
}

fn switch_counts(vm: &Vm) -> R<Value> {
    let c = &vm.counters;
    vm.tuple(&[vm.int_u64(c.soft_switches.get())?, vm.int_u64(c.hard_switches.get())?])
}

/// What `import *` gives.
const ALL: &[&str] = &[
    "atomic",
    "channel",
    "enable_softswitch",
    "get_channel_callback",
    "get_schedule_callback",
    "get_thread_info",
    "getcurrent",
    "getcurrentid",
    "getdebug",
    "getmain",
    "getruncount",
    "getthreads",
    "getuncollectables",
    "pickle_with_tracing_state",
    "run",
    "schedule",
    "schedule_remove",
    "set_channel_callback",
    "set_error_handler",
    "set_schedule_callback",
    "stackless",
    "switch_trap",
    "tasklet",
];

/// The module; the first import makes the main program the main tasklet.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let types = &Microthreads::of(vm).types;
    if types.tasklet.get().is_none() {
        types.channel.set(Some(vm.make_native_type(&crate::channel::DEF)?));
        types.tasklet.set(Some(vm.make_native_type(&crate::tasklet::DEF)?));
    }
    crate::running::ensure_main(vm)?;
    let m = Module::new(vm, "stackless")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "_stackless", m.value())?;
    let path = vm.str(&format!("{}/stackless", vm.library()))?;
    d.set_name(vm, "__path__", List::new(vm, &[path])?.value())?;
    for def in HIDDEN_FUNCTIONS {
        d.set_name(vm, def.name, NativeFunction::function(vm, def, vm.str("stackless")?)?.value())?;
    }
    for (name, ty) in [("tasklet", &types.tasklet), ("channel", &types.channel)] {
        if let Some(t) = ty.get() {
            d.set_name(vm, name, t.value())?;
        }
    }
    let others = [
        ("atomic", &crate::tasklet::ATOMIC),
        ("bomb", &crate::bomb::DEF),
        ("cframe", &CFRAME),
        ("cstack", &crate::cstack::DEF),
    ];
    for (name, def) in others {
        d.set_name(vm, name, ext_type(vm, def)?.value())?;
    }
    crate::testing::extend(vm, m)?;
    crate::pickling::register(vm)?;
    d.set_name(vm, "_wrap", crate::pickling::make(vm)?.value())?;
    // `import *` gives the module too.
    d.set_name(vm, "stackless", m.value())?;
    let all = List::with_capacity(vm, ALL.len())?;
    for name in ALL {
        all.push(vm, vm.str(name)?)?;
    }
    d.set_name(vm, "__all__", all.value())?;
    d.set_name(vm, "TaskletExit", vm.exc.tasklet_exit.value())?;
    let flags = ["PRESERVE_TRACING_STATE", "PRESERVE_AG_FINALIZER", "RESET_AG_FINALIZER", "PICKLE_CONTEXT"];
    for (i, name) in flags.iter().enumerate() {
        d.set_name(vm, &format!("PICKLEFLAGS_{name}"), Value::small_int(1 << i))?;
    }
    Ok(m)
}
