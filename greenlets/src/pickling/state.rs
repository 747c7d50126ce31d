//! Tasklets and channels in pickles.

use super::frames::empty_frame;
use super::{bad, given, parts};
use crate::channel::{Chan, Direction};
use crate::micro::{Kind, NO_RESULT, State};
use crate::running::scheduler;
use crate::switch::Microthreads;
use crate::tasklet::{Arrival, Task, Tasklet, has_frames, nesting};
use skein_runtime::events::Legacy;
use skein_runtime::interp::{FrozenFrame, FrozenRef, freeze, thaw};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The attributes that a program has given an object, if any.
fn attributes(vm: &Vm, v: Value) -> R<Value> {
    let d = vm.get_attr_str(v, "__dict__")?;
    Ok(if d.cast::<Dict>().is_some_and(|d| !d.is_empty()) { d } else { Value::NONE })
}

/// Gives them to another one. ValueError.
fn set_attributes(vm: &Vm, v: Value, attributes: Value) -> R<()> {
    let Some(from) = attributes.cast::<Dict>() else {
        return if attributes.is_none() { Ok(()) } else { Err(bad(vm, "attributes that are no dict")) };
    };
    let own = vm.get_attr_str(v, "__dict__")?;
    vm.call_method(own, "update", &[from.value()]).map(|_| ())
}

/// Bits of a tasklet's flags.
mod flag {
    pub const ATOMIC: i64 = 1;
    pub const IGNORE_NESTING: i64 = 2;
    pub const BLOCK_TRAP: i64 = 4;
    /// What it goes on with is raised.
    pub const RAISES: i64 = 8;
    /// It is blocked, and sends.
    pub const SENDS: i64 = 16;
    /// There was something on its stack that cannot be taken off it.
    pub const LOST: i64 = 32;
    /// It is bound, and was given arguments.
    pub const SET_UP: i64 = 64;
}

/// RuntimeError for one that runs; TypeError where something on its stack cannot be pickled.
pub fn tasklet_reduce(vm: &Vm, t: Task) -> R<Value> {
    if scheduler(vm).current.get() == Some(t) {
        return Err(vm.runtime_error("You cannot __reduce__ the tasklet which is current."));
    }
    if t.micro.kind == Kind::Main {
        return Err(vm.runtime_error("cannot pickle a main tasklet"));
    }
    let mut bits = 0;
    for (on, bit) in [
        (t.atomic.get(), flag::ATOMIC),
        (t.ignore_nesting.get(), flag::IGNORE_NESTING),
        (t.block_trap.get(), flag::BLOCK_TRAP),
        (t.arrival.get() == Arrival::Raise, flag::RAISES),
        (crate::channel::is_sending(t), flag::SENDS),
        (t.args.get().is_some(), flag::SET_UP),
    ] {
        bits |= if on { bit } else { 0 };
    }
    let mut frames = Value::NONE;
    let mut result = i64::from(NO_RESULT);
    let mut handled = Value::NONE;
    match t.micro.state.get() {
        State::New | State::Dead => {}
        State::Soft if t.at.get().is_null() && nesting(vm, t) == 0 && !t.watching.get() => {
            let Some(site) = t.micro.site(&t.micro.ctx) else {
                return Err(vm.system_error("a tasklet without a place"));
            };
            let between = t.micro.result.get() == NO_RESULT;
            frames = freeze(vm, site, !between, || empty_frame(vm))?.value();
            result = t.micro.result.get().into();
            handled = t.micro.ctx.handled.get().unwrap_or(Value::NONE);
        }
        _ => bits |= flag::LOST,
    }
    // What it goes on with, or what it is bound to.
    let body = match [&t.func, &t.args, &t.keywords].map(|f| f.or_none()) {
        _ if !frames.is_none() => frames,
        bound if bound.iter().all(|v| v.is_none()) => Value::NONE,
        bound => vm.tuple(&bound)?,
    };
    let state = [
        Value::small_int(bits),
        t.temp.or_none(),
        Value::small_int(result),
        body,
        handled,
        t.channel.or_none(),
        attributes(vm, t.value())?,
        functions(vm, t)?,
    ];
    let args = vm.tuple(&[])?;
    vm.tuple(&[vm.type_of(t.value()).value(), args, vm.tuple(&state)?])
}

/// Its trace and profile functions, where these are to be pickled.
fn functions(vm: &Vm, t: Task) -> R<Value> {
    if pickle_flags(vm, false, None, None)? & PRESERVE_TRACING_STATE == 0 {
        return Ok(Value::NONE);
    }
    let both = [Legacy::Trace, Legacy::Profile].map(|which| crate::tracing::function_of(vm, t, which));
    if both.iter().all(|f| f.is_none()) { Ok(Value::NONE) } else { vm.tuple(&both) }
}

/// ValueError for what no tasklet can be.
pub fn tasklet_setstate(vm: &Vm, t: Task, state: Value) -> R<Task> {
    let [bits, temp, result, body, handled, channel, attributes, functions] = parts(vm, state, "tasklet")?;
    let [func, args, keywords] = match body.cast::<Tuple>() {
        Some(_) => parts(vm, body, "tasklet's function")?,
        None => [Value::NONE; 3],
    };
    if t.micro.kind == Kind::Main
        || has_frames(t)
        || t.func.get().is_some()
        || t.queued.get()
        || t.is_blocked()
    {
        return Err(vm.runtime_error("tasklet is alive or bound"));
    }
    let bits = vm.as_i64(bits).unwrap_or(0);
    if let Some(f) = given(func).filter(|&f| !vm.is_callable(f)) {
        return Err(bad(vm, &format!("a tasklet bound to '{}'", vm.type_name(f))));
    }
    for (v, fits) in [(args, args.cast::<Tuple>().is_some()), (keywords, keywords.cast::<Dict>().is_some())] {
        if !v.is_none() && !fits {
            return Err(bad(vm, "arguments of another type"));
        }
    }
    if bits & flag::RAISES != 0 && temp.cast::<skein_runtime::types::exception::Exception>().is_none() {
        return Err(bad(vm, "what is to be raised is no exception"));
    }
    set_attributes(vm, t.value(), attributes)?;
    t.atomic.set(bits & flag::ATOMIC != 0);
    t.ignore_nesting.set(bits & flag::IGNORE_NESTING != 0);
    t.block_trap.set(bits & flag::BLOCK_TRAP != 0);
    t.func.set(vm, t, given(func));
    if bits & flag::SET_UP != 0 && !func.is_none() {
        t.args.set(vm, t, if args.is_none() { vm.tuple(&[])? } else { args });
        t.keywords.set(vm, t, given(keywords));
    }
    if bits & flag::LOST != 0 {
        // It cannot go on: it counts as one that has ended.
        t.micro.state.set(State::Dead);
        return Ok(t);
    }
    if let Some(list) = body.cast::<List>() {
        fill(vm, t, list, result, given(handled))?;
    }
    t.temp.set(vm, t, temp);
    t.arrival.set(if bits & flag::RAISES != 0 { Arrival::Raise } else { Arrival::Value });
    if !functions.is_none() && has_frames(t) {
        let [trace, profile] = parts(vm, functions, "tasklet's tracing")?;
        crate::tracing::keep(vm, t, Legacy::Trace, given(trace))?;
        crate::tracing::keep(vm, t, Legacy::Profile, given(profile))?;
    }
    if let Some(c) = channel.cast::<Ext<crate::channel::Channel>>() {
        if !has_frames(t) {
            return Err(bad(vm, "a tasklet that has nothing to run is blocked"));
        }
        let dir = if bits & flag::SENDS != 0 { Direction::Send } else { Direction::Receive };
        crate::channel::block_again(vm, c, t, dir)?;
    }
    Ok(t)
}

/// Puts the frames of a pickle onto the tasklet's stack, which has none. ValueError, MemoryError.
fn fill(vm: &Vm, t: Task, list: Ref<List>, result: Value, handled: Option<Value>) -> R<()> {
    let result = vm.as_i64(result).and_then(|n| u16::try_from(n).ok());
    let Some(result) = result else { return Err(bad(vm, "a result without a place")) };
    let mut frames: Vec<FrozenRef> = vm.buffer(list.len())?;
    for &v in list.items() {
        match v.cast::<Ext<FrozenFrame>>() {
            Some(f) => frames.push(f),
            None => return Err(bad(vm, "what is no frame")),
        }
    }
    thaw(vm, &t.micro.ctx, &frames, (result != NO_RESULT).then_some(result), handled)?;
    t.micro.result.set(result);
    t.micro.state.set(State::Soft);
    // The collector is to look at the stack that it has now.
    t.barrier(vm);
    t.func.init(None::<Value>);
    t.args.init(None::<Value>);
    Microthreads::of(vm).dropped.count_begun();
    Ok(())
}

/// A channel, with the tasklets that are blocked on it.
pub fn channel_reduce(vm: &Vm, c: Chan) -> R<Value> {
    let queue = List::with_capacity(vm, 0)?;
    let mut next = crate::channel::first(c);
    while let Some(t) = next {
        queue.push(vm, t.value())?;
        next = crate::scheduler::neighbour(&t.next);
    }
    let (preference, schedule_all, closing) = c.settings();
    let state = [
        Value::small_int(preference.into()),
        Value::bool(schedule_all),
        Value::bool(closing),
        queue.value(),
        attributes(vm, c.value())?,
    ];
    let args = vm.tuple(&[])?;
    vm.tuple(&[vm.type_of(c.value()).value(), args, vm.tuple(&state)?])
}

/// The tasklets of the queue block again when they are filled, which may have been or is to come: here they get their
/// order. ValueError.
pub fn channel_setstate(vm: &Vm, c: Chan, state: Value) -> R<Chan> {
    let [preference, schedule_all, closing, queue, attributes] = parts(vm, state, "channel")?;
    let Some(queue) = queue.cast::<List>() else { return Err(bad(vm, "a channel's queue is a list")) };
    if queue.items().iter().any(|t| t.cast::<Ext<Tasklet>>().is_none()) {
        return Err(bad(vm, "what is no tasklet waits on a channel"));
    }
    let preference = vm.as_i64(preference).unwrap_or(-1).clamp(-1, 1) as i8;
    c.set_settings(preference, schedule_all.is(Value::TRUE), closing.is(Value::TRUE));
    set_attributes(vm, c.value(), attributes)?;
    crate::channel::set_order(vm, c, queue);
    Ok(c)
}

/// What is pickled besides: of each thread, and what new threads begin with.
#[derive(Default)]
pub struct PickleFlags {
    default: Cell<i64>,
}

/// All flags that there are.
const ALL_FLAGS: i64 = 15;
const PRESERVE_TRACING_STATE: i64 = 1;
/// The same flag as an attribute of the module, which programs may set.
const WITH_TRACING: &str = "pickle_with_tracing_state";

/// Where a program has set the module's attribute, that becomes the flag.
fn take_attribute(vm: &Vm, own: &Cell<Option<i64>>) -> R<()> {
    let Some(m) = vm.import("stackless")?.cast::<Module>() else { return Ok(()) };
    let Some(set) = m.dict().get_name(vm, WITH_TRACING)? else { return Ok(()) };
    m.dict().delete(vm, vm.str(WITH_TRACING)?)?;
    let others = own.get().unwrap_or(0) & !PRESERVE_TRACING_STATE;
    own.set(Some(others | if vm.truth(set)? { PRESERVE_TRACING_STATE } else { 0 }));
    Ok(())
}

/// Changes those flags that the mask has; what they were. ValueError.
pub fn pickle_flags(vm: &Vm, default: bool, new: Option<i64>, mask: Option<i64>) -> R<i64> {
    let state = vm.state::<PickleFlags>();
    let own = &Microthreads::of(vm).pickle_flags;
    if own.get().is_none() {
        own.set(Some(state.default.get()));
    }
    take_attribute(vm, own)?;
    let old = if default { state.default.get() } else { own.get().unwrap_or(0) };
    let (new, mask) = (new.unwrap_or(-1), mask.unwrap_or(-1));
    if new == -1 || mask == 0 {
        return Ok(old);
    }
    if new < -1 || new & mask & !ALL_FLAGS != 0 {
        return Err(vm.value_error("flags must be in the range of the known ones"));
    }
    let changed = old & !mask | new & mask & ALL_FLAGS;
    match default {
        true => state.default.set(changed),
        false => own.set(Some(changed)),
    }
    Ok(old)
}
