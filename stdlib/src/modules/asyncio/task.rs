//! `_asyncio.Task`.

use super::future::{
    self, FUTURE, Future, FutureRef, add_callback, add_to_awaited_by, copy_context, discard_from_awaited_by,
    get_loop, make_cancelled_error,
};
use super::running::{
    enter_task, leave_task, loop_of, register_task, swap_current_task, unregister, unregister_task,
};
use super::soon::{call_soon, call_soon_plainly};
use super::{State as Module, exception_class, find};
use skein_runtime::interp::{
    At, Resume, SoftCall, call_soft, gen_call_returning, resume_generator, resume_quick,
};
use skein_runtime::object::Kind;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, ext_type};
use skein_runtime::types::function::BoundMethod;
use skein_runtime::types::generator::{GenState, Generator};
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions, native_type};

native_type! {
    pub TASK: "_asyncio.Task", Kind::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        base |vm| match ext_type(vm, &FUTURE) { Ok(ty) => ty, Err(Raised) => vm.types.object },
        "A coroutine wrapped in a Future.";
    methods {
        "__init__($self, /, coro, *, loop=None, name=None, context=None, eager_start=False)" => init;
        "set_result($self, result, /)" => |vm: &Vm, _: FutureRef, _: Value| -> R<()> { Err(vm.runtime_error("Task does not support set_result operation")) };
        "set_exception($self, exception, /)" => |vm: &Vm, _: FutureRef, _: Value| -> R<()> { Err(vm.runtime_error("Task does not support set_exception operation")) };
        "cancel($self, /, msg=None)" => cancel, "Request that this task cancel itself.";
        "cancelling($self, /)" => |_: &Vm, t: FutureRef| t.task.cancels.get(), "Return the count of the task's cancellation requests.";
        "uncancel($self, /)" => uncancel, "Decrement the task's count of cancellation requests.";
        "get_stack($self, /, *, limit=None)" => |vm: &Vm, t: FutureRef, limit: Option<Value>| -> R<Value> {
            vm.call(find(vm, "asyncio.base_tasks", "_task_get_stack")?, &[t.value(), limit.unwrap_or(Value::NONE)])
        }, "Return the list of stack frames for this task's coroutine.";
        "print_stack($self, /, *, limit=None, file=None)" => |vm: &Vm, t: FutureRef, limit: Option<Value>, file: Option<Value>| -> R<Value> {
            vm.call(find(vm, "asyncio.base_tasks", "_task_print_stack")?, &[t.value(), limit.unwrap_or(Value::NONE), file.unwrap_or(Value::NONE)])
        }, "Print the stack or traceback for this task's coroutine.";
        "get_name($self, /)" => get_name;
        "set_name($self, value, /)" => |vm: &Vm, t: FutureRef, name: Value| -> R<()> {
            let name = vm.to_str(name)?;
            t.task.name.set(vm, t, name.value());
            Ok(())
        };
        [leaf] "get_coro($self, /)" => |_: &Vm, t: FutureRef| t.task.coro.or_none();
        "get_context($self, /)" => |_: &Vm, t: FutureRef| t.task.context.or_none();
    }
    getset {
        [leaf] "_log_destroy_pending" => |_: &Vm, t: FutureRef| Ok(Value::bool(t.task.log_destroy_pending.get())), |vm: &Vm, t: FutureRef, v: Option<Value>| {
            match v {
                Some(v) => t.task.log_destroy_pending.set(vm.truth(v)?),
                None => return Err(vm.attribute_error("cannot delete attribute")),
            }
            Ok(())
        };
        [leaf] "_must_cancel" => |_: &Vm, t: FutureRef| Ok(Value::bool(t.task.must_cancel.get()));
        [leaf] "_coro" => |_: &Vm, t: FutureRef| Ok(t.task.coro.or_none());
        [leaf] "_fut_waiter" => |_: &Vm, t: FutureRef| Ok(t.task.waiter.or_none());
    }
}

/// Where `advance` stands among [`STEPS`].
const ADVANCE: usize = 3;

native_functions! { pub STEPS:
    [leaf] "ready(task, /)" => ready;
    [leaf] "woken(task, future, /)" => woken;
    [leaf] "suspended(task, result, /)" => suspended;
    [soft advance_soft] "advance(coro, /)" => advance;
    "begin(task, exc, /)" => begin;
    "outcome(task, future, /)" => outcome;
    "failed(task, exc, /)" => failed;
    "yielded(task, result, /)" => yielded;
    "begin_eager(task, /)" => begin_eager;
    "end_eager(task, before, /)" => end_eager;
}

fn is_coroutine(vm: &Vm, coro: Value) -> R<bool> {
    if vm.type_of(coro) == vm.types.coroutine {
        return Ok(true);
    }
    let yes = vm.call(find(vm, "asyncio.coroutines", "iscoroutine")?, &[coro])?;
    vm.truth(yes)
}

fn init(
    vm: &Vm,
    t: FutureRef,
    coro: Value,
    event_loop: Option<Value>,
    name: Option<Value>,
    context: Option<Value>,
    eager: Option<bool>,
) -> R<()> {
    t.task.is_task.set(true);
    t.barrier(vm);
    future::init(vm, t, event_loop)?;
    if !is_coroutine(vm, coro)? {
        t.task.log_destroy_pending.set(false);
        let text = format!("a coroutine was expected, got {}", vm.repr_string(coro)?);
        return Err(vm.type_error(text));
    }
    let state = vm.state::<Module>();
    let name = match name.filter(|n| !n.is_none()) {
        Some(name) => vm.to_str(name)?.value(),
        None => {
            state.count.set(state.count.get() + 1);
            vm.int_u64(state.count.get())?
        }
    };
    let context = match context.filter(|c| !c.is_none()) {
        Some(c) => c,
        None => copy_context(vm)?,
    };
    t.task.must_cancel.set(false);
    t.task.cancels.set(0);
    t.task.waiter.init(None);
    t.task.coro.set(vm, t, coro);
    t.task.name.set(vm, t, name);
    t.task.context.set(vm, t, context);
    for (slot, f) in [(&t.task.step, &state.step), (&t.task.wakeup, &state.wakeup)] {
        let f = f.get().unwrap_or(Value::NONE);
        let bound = BoundMethod::new(vm, f, t.value())?;
        slot.set(vm, t, bound.value());
    }
    let event_loop = get_loop(vm, t)?;
    if eager.unwrap_or(false) {
        let running = vm.call_method(event_loop, "is_running", &[])?;
        if vm.truth(running)? {
            let eager = state.eager.get().unwrap_or(Value::NONE);
            return vm.call(eager, &[t.value(), context]).map(|_| ());
        }
    }
    register_task(vm, t.value())?;
    call_soon(vm, event_loop, t.task.step.or_none(), None, context)
}

fn get_name(vm: &Vm, t: FutureRef) -> R<Value> {
    let name = t.task.name.or_none();
    if !vm.is_int(name) {
        return Ok(name);
    }
    let text = vm.str(&format!("Task-{}", vm.as_i64(name).unwrap_or(0)))?;
    t.task.name.set(vm, t, text);
    Ok(text)
}

/// `future.cancel(msg=msg)` of any future.
fn cancel_future(vm: &Vm, f: Value, msg: Value) -> R<bool> {
    let names = Tuple::new(vm, &[vm.intern("msg")?.value()])?;
    let method = vm.get_attr_str(f, "cancel")?;
    let done = vm.call_args(method, Args::new(&[msg], Some(names)))?;
    vm.truth(done)
}

fn cancel(vm: &Vm, t: FutureRef, msg: Option<Value>) -> R<bool> {
    get_loop(vm, t)?;
    t.log_traceback.set(false);
    if t.state.get() != future::State::Pending {
        return Ok(false);
    }
    t.task.cancels.set(t.task.cancels.get() + 1);
    let msg = msg.unwrap_or(Value::NONE);
    if let Some(waiter) = t.task.waiter.get()
        && cancel_future(vm, waiter, msg)?
    {
        return Ok(true);
    }
    t.task.must_cancel.set(true);
    t.cancel_message.set(vm, t, msg);
    Ok(true)
}

fn uncancel(_: &Vm, t: FutureRef) -> i64 {
    let n = t.task.cancels.get();
    if n > 0 {
        t.task.cancels.set(n - 1);
        if n == 1 {
            t.task.must_cancel.set(false);
        }
    }
    t.task.cancels.get()
}

/// A step of a task begins as most do: nothing is to be raised in it, and it is its loop's turn. Its coroutine, else None, and
/// nothing has happened.
fn ready(vm: &Vm, t: FutureRef) -> Value {
    let (Some(event_loop), Some(coro)) = (t.event_loop.get(), t.task.coro.get()) else { return Value::NONE };
    let kept = &vm.threads.current().kept;
    if t.state.get() != future::State::Pending
        || t.task.must_cancel.get()
        || kept.running_loop.get() != Some(event_loop)
        || kept.current_task.get().is_some()
    {
        return Value::NONE;
    }
    t.task.waiter.init(None);
    kept.current_task.set(Some(t.value()));
    coro
}

/// A future of no class of the program's.
fn own_future(vm: &Vm, v: Value) -> Option<FutureRef> {
    v.cast::<Ext<Future>>().filter(|_| vm.type_of(v).def().is_some())
}

/// As [`ready`], of a task whose future has a result.
fn woken(vm: &Vm, t: FutureRef, f: Value) -> Value {
    let Some(own) = own_future(vm, f) else { return Value::NONE };
    let waits_alone = own.awaited_by.get().is_none_or(|w| w.is(t.value()));
    if own.state.get() != future::State::Finished || own.exception.get().is_some() || !waits_alone {
        return Value::NONE;
    }
    let coro = ready(vm, t);
    if !coro.is_none() {
        own.awaited_by.init(None);
        own.log_traceback.set(false);
    }
    coro
}

/// `coro.send(None)`, which may also give what the coroutine returns: it has ended then.
fn advance(vm: &Vm, coro: Value) -> R<Value> {
    vm.call_method(coro, "send", &[Value::NONE])
}

fn advance_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let &[coro] = call.args.positional() else { return call.natively(vm, &STEPS[ADVANCE]) };
    let coroutine = coro.cast::<Generator>().filter(|_| vm.type_of(coro) == vm.types.coroutine);
    if let Some(g) = coroutine.filter(|_| call.result_register().is_some()) {
        let cont = gen_call_returning(call.cont);
        if let Some(at) = resume_quick(vm, call.resume, g, Value::NONE, cont) {
            return at;
        }
        return call.go_on(vm, resume_generator(vm, call.resume, g, Resume::Send(Value::NONE), cont));
    }
    let send = vm.get_attr_str(coro, "send");
    call.go_on(
        vm,
        send.and_then(|f| call_soft(vm, call.resume, f, Args::new(&[Value::NONE], None), call.cont)),
    )
}

/// Has the task's coroutine ended, by a step that got what it returned? One that is no coroutine of the engine's raises
/// StopIteration instead.
fn has_returned(t: FutureRef) -> bool {
    t.task.coro.cast::<Generator>().is_some_and(|g| g.state() == GenState::Finished)
}

/// The coroutine waits for something, as most do: for its next turn, or for a future for which nobody else waits. False: it
/// is something else, and nothing has happened.
fn suspended(vm: &Vm, t: FutureRef, v: Value) -> R<bool> {
    let Some(event_loop) = t.event_loop.get() else { return Ok(false) };
    let kept = &vm.threads.current().kept;
    let is_current =
        kept.running_loop.get() == Some(event_loop) && kept.current_task.get() == Some(t.value());
    if !is_current || t.task.must_cancel.get() {
        return Ok(false);
    }
    if has_returned(t) {
        let done = future::set_result_plainly(vm, t, v)?;
        if done {
            unregister(t);
            kept.current_task.set(None);
        }
        return Ok(done);
    }
    if v.is_none() {
        let done = call_soon_plainly(vm, event_loop, t.task.step.or_none(), None, t.task.context.or_none());
        if !matches!(done, Ok(false)) {
            kept.current_task.set(None);
        }
        return done;
    }
    let Some(f) = own_future(vm, v).filter(|f| !f.value().is(t.value())) else { return Ok(false) };
    let waits_alone = f.awaited_by.get().is_none_or(|w| w.is(t.value()));
    if f.state.get() != future::State::Pending
        || !f.blocking.get()
        || f.event_loop.get() != Some(event_loop)
        || f.has_callbacks()
        || !waits_alone
    {
        return Ok(false);
    }
    f.blocking.set(false);
    f.awaited_by.set(vm, f, t.value());
    kept.current_task.set(None);
    add_callback(vm, f, t.task.wakeup.or_none(), t.task.context.or_none())?;
    t.task.waiter.set(vm, t, v);
    Ok(true)
}

/// A step begins, with an exception to raise or None: what is to be raised in the coroutine.
fn begin(vm: &Vm, t: FutureRef, e: Value) -> R<Value> {
    let mut e = e;
    if t.state.get() != future::State::Pending {
        let text = format!("__step(): already done: {} {}", vm.repr_string(t.value())?, vm.repr_string(e)?);
        return Err(vm.raise_text(exception_class(vm, "InvalidStateError")?, &text));
    }
    if t.task.must_cancel.get() {
        let class = exception_class(vm, "CancelledError")?;
        if e.is_none() || !vm.type_of(e).is_subtype(class) {
            e = make_cancelled_error(vm, t)?;
        }
        t.task.must_cancel.set(false);
    }
    t.task.waiter.init(None);
    enter_task(vm, get_loop(vm, t)?, t.value())?;
    Ok(e)
}

/// What a future that a task has waited for comes to: an exception or None.
fn outcome(vm: &Vm, t: FutureRef, f: Value) -> R<Value> {
    discard_from_awaited_by(vm, f, t.value())?;
    if let Some(own) = f.cast::<Ext<Future>>()
        && own.state.get() != future::State::Pending
    {
        return Ok(future::outcome(vm, own)?.err().unwrap_or(Value::NONE));
    }
    match vm.call_method(f, "result", &[]) {
        Ok(_) => Ok(Value::NONE),
        Err(Raised) => Ok(vm.pending.take().unwrap_or(Value::NONE)),
    }
}

/// The task does not run any more, whatever comes of it.
fn leave(vm: &Vm, t: FutureRef, r: R<()>) -> R<()> {
    let pending = vm.pending.take();
    let left = get_loop(vm, t).and_then(|l| leave_task(vm, l, t.value()));
    if r.is_err() {
        vm.pending.set(pending);
        return r;
    }
    left
}

/// The coroutine has ended, by an exception or by its result.
fn failed(vm: &Vm, t: FutureRef, e: Value) -> R<()> {
    let r = settle(vm, t, e);
    leave(vm, t, r)
}

fn settle(vm: &Vm, t: FutureRef, e: Value) -> R<()> {
    let class = vm.type_of(e);
    if class.is_subtype(vm.exc.stop_iteration) {
        return returned(vm, t, vm.stop_value(e));
    }
    unregister_task(vm, t.value())?;
    if let Some(exc) = e.cast::<Exception>() {
        // The frame that made the step is no part of the program.
        let outer = exc.traceback.get().and_then(|tb| tb.cast::<Traceback>());
        if let Some(tb) = outer {
            exc.traceback.set(vm, exc, tb.next.get());
        }
    }
    if class.is_subtype(exception_class(vm, "CancelledError")?) {
        t.cancelled_error.set(vm, t, e);
        return future::cancel(vm, t, None).map(|_| ());
    }
    future::set_exception(vm, t, e)?;
    if class.is_subtype(vm.exc.keyboard_interrupt) || class.is_subtype(vm.exc.system_exit) {
        return Err(vm.raise_again(e));
    }
    Ok(())
}

/// The coroutine waits for something.
fn yielded(vm: &Vm, t: FutureRef, v: Value) -> R<()> {
    let r = if has_returned(t) { returned(vm, t, v) } else { wait_for(vm, t, v) };
    leave(vm, t, r)
}

fn returned(vm: &Vm, t: FutureRef, v: Value) -> R<()> {
    unregister_task(vm, t.value())?;
    if t.task.must_cancel.replace(false) {
        return future::cancel(vm, t, t.cancel_message.get()).map(|_| ());
    }
    future::set_result(vm, t, v)
}

/// The task's next step raises a RuntimeError in the coroutine.
fn complain(vm: &Vm, t: FutureRef, text: &str) -> R<()> {
    let _: Raised = vm.runtime_error(text);
    let e = vm.pending.take();
    call_soon(vm, get_loop(vm, t)?, t.task.step.or_none(), e, t.task.context.or_none())
}

fn wait_for(vm: &Vm, t: FutureRef, v: Value) -> R<()> {
    let event_loop = get_loop(vm, t)?;
    if v.is_none() {
        return call_soon(vm, event_loop, t.task.step.or_none(), None, t.task.context.or_none());
    }
    // A subclass may have methods of its own.
    let own = v.cast::<Ext<Future>>().filter(|_| vm.type_of(v).def().is_some());
    let blocking = match own {
        Some(f) => Some(f.blocking.get()),
        None => {
            let name = vm.intern("_asyncio_future_blocking")?;
            match vm.find_attr(v, name)?.filter(|b| !b.is_none()) {
                Some(b) => Some(vm.truth(b)?),
                None => None,
            }
        }
    };
    let shown = |v: Value| vm.repr_string(v);
    match blocking {
        Some(_) if !loop_of(vm, v)?.is(event_loop) => {
            let text =
                format!("Task {} got Future {} attached to a different loop", shown(t.value())?, shown(v)?);
            complain(vm, t, &text)
        }
        Some(false) => {
            let text = format!(
                "yield was used instead of yield from in task {} with {}",
                shown(t.value())?,
                shown(v)?
            );
            complain(vm, t, &text)
        }
        Some(true) if v.is(t.value()) => {
            complain(vm, t, &format!("Task cannot await on itself: {}", shown(t.value())?))
        }
        Some(true) => {
            add_to_awaited_by(vm, v, t.value())?;
            let (wakeup, context) = (t.task.wakeup.or_none(), t.task.context.or_none());
            match own {
                Some(f) => {
                    f.blocking.set(false);
                    if f.state.get() == future::State::Pending {
                        add_callback(vm, f, wakeup, context)?;
                    } else {
                        call_soon(vm, event_loop, wakeup, Some(v), context)?;
                    }
                }
                None => {
                    vm.set_attr(v, vm.intern("_asyncio_future_blocking")?, Value::FALSE)?;
                    let names = Tuple::new(vm, &[vm.intern("context")?.value()])?;
                    let method = vm.get_attr_str(v, "add_done_callback")?;
                    vm.call_args(method, Args::new(&[wakeup, context], Some(names)))?;
                }
            }
            t.task.waiter.set(vm, t, v);
            if t.task.must_cancel.get() && cancel_future(vm, v, t.cancel_message.or_none())? {
                t.task.must_cancel.set(false);
            }
            Ok(())
        }
        None if v.cast::<Generator>().is_some_and(|_| vm.type_of(v) == vm.types.generator) => {
            let text = format!(
                "yield was used instead of yield from for generator in task {} with {}",
                shown(t.value())?,
                shown(v)?
            );
            complain(vm, t, &text)
        }
        None => complain(vm, t, &format!("Task got bad yield: {}", shown(v)?)),
    }
}

/// A task begins to run before its maker goes on: the task that was current.
fn begin_eager(vm: &Vm, t: FutureRef) -> R<Value> {
    let before = swap_current_task(vm, get_loop(vm, t)?, t.value())?;
    register_task(vm, t.value())?;
    Ok(before)
}

fn end_eager(vm: &Vm, t: FutureRef, before: Value) -> R<()> {
    swap_current_task(vm, get_loop(vm, t)?, before)?;
    if t.state.get() == future::State::Pending {
        return Ok(());
    }
    unregister_task(vm, t.value())?;
    t.task.coro.init(None);
    Ok(())
}
