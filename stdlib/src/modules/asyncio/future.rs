//! `_asyncio.Future`, and what a task has in common with it.

use super::running::Registry;
use super::soon::{call_soon, call_soon_plainly};
use super::{exception_class, find};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, Payload, check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::variables;
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};
use std::cell::Cell;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Cancelled,
    Finished,
}

/// A future, or a task.
pub struct Future {
    pub state: Cell<State>,
    /// It was awaited, and nobody has taken notice yet.
    pub blocking: Cell<bool>,
    pub log_traceback: Cell<bool>,
    pub event_loop: Field,
    /// The first callback and its context, then others in a list of pairs.
    callback: Field,
    callback_context: Field,
    callbacks: Field,
    result: Field,
    pub exception: Field,
    exception_tb: Field,
    source_traceback: Field,
    pub cancel_message: Field,
    /// The error that a cancelled task ended with.
    pub cancelled_error: Field,
    /// Nothing, a task, or a set of them.
    pub awaited_by: Field,
    pub task: TaskPart,
}

/// What only tasks have.
pub struct TaskPart {
    pub is_task: Cell<bool>,
    pub must_cancel: Cell<bool>,
    pub log_destroy_pending: Cell<bool>,
    pub cancels: Cell<i64>,
    pub coro: Field,
    pub context: Field,
    /// A text, or the number in it.
    pub name: Field,
    pub waiter: Field,
    /// Bound methods: what the loop calls.
    pub step: Field,
    pub wakeup: Field,
    /// Where it is listed while it is scheduled.
    pub registry: Cell<Option<Rc<Registry>>>,
}

pub type FutureRef = Ref<Ext<Future>>;

impl Payload for Future {
    const NAME: &'static str = "_asyncio.Future";
    /// Only one of which there is something to be told.
    fn needs_finalizer(&self) -> bool {
        self.log_traceback.get()
            || self.task.is_task.get()
                && self.state.get() == State::Pending
                && self.task.log_destroy_pending.get()
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        let Future {
            state: _,
            blocking: _,
            log_traceback: _,
            event_loop,
            callback,
            callback_context,
            callbacks,
            result,
            exception,
            exception_tb,
            source_traceback,
            cancel_message,
            cancelled_error,
            awaited_by,
            task,
        } = self;
        let TaskPart {
            is_task,
            must_cancel: _,
            log_destroy_pending: _,
            cancels: _,
            coro,
            context,
            name,
            waiter,
            step,
            wakeup,
            registry: _,
        } = task;
        let own = [
            event_loop,
            callback,
            callback_context,
            callbacks,
            result,
            exception,
            exception_tb,
            source_traceback,
            cancel_message,
            cancelled_error,
            awaited_by,
        ];
        for f in own {
            f.trace(t);
        }
        if is_task.get() {
            for f in [coro, context, name, waiter, step, wakeup] {
                f.trace(t);
            }
        }
    }
}

impl Drop for Future {
    fn drop(&mut self) {
        if let Some(registry) = self.task.registry.take() {
            registry.remove(self);
        }
    }
}

native_type! {
    pub FUTURE: "_asyncio.Future", Kind::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "This class is *almost* compatible with concurrent.futures.Future.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *, loop=None)" => |vm: &Vm, f: FutureRef, event_loop: Option<Value>| init(vm, f, event_loop);
        "__del__($self, /)" => |vm: &Vm, f: FutureRef| finalize(vm, f);
        "__repr__($self, /)" => |vm: &Vm, f: FutureRef| -> R<Value> {
            let shown = if f.task.is_task.get() { ("asyncio.base_tasks", "_task_repr") } else { ("asyncio.base_futures", "_future_repr") };
            vm.call(find(vm, shown.0, shown.1)?, &[f.value()])
        };
        "__await__($self, /)" => iterate, "Return an iterator to be used in await expression.";
        "__iter__($self, /)" => iterate;
        [class] "__class_getitem__($type, object, /)" => |vm: &Vm, ty: Value, item: Value| vm.generic_alias(ty, item);
        "result($self, /)" => result, "Return the result this future represents.";
        "exception($self, /)" => exception, "Return the exception that was set on this future.";
        "set_result($self, result, /)" => |vm: &Vm, f: FutureRef, v: Value| set_result(vm, f, v), "Mark the future done and set its result.";
        "set_exception($self, exception, /)" => |vm: &Vm, f: FutureRef, e: Value| set_exception(vm, f, e), "Mark the future done and set an exception.";
        "add_done_callback($self, fn, /, *, context=<unrepresentable>)" => add_done_callback, "Add a callback to be run when the future becomes done.";
        "remove_done_callback($self, fn, /)" => remove_done_callback, "Remove all instances of a callback from the \"call when done\" list.";
        "cancel($self, /, msg=None)" => |vm: &Vm, f: FutureRef, msg: Option<Value>| cancel(vm, f, msg), "Cancel the future and schedule callbacks.";
        [leaf] "cancelled($self, /)" => |_: &Vm, f: FutureRef| f.state.get() == State::Cancelled, "Return True if the future was cancelled.";
        [leaf] "done($self, /)" => |_: &Vm, f: FutureRef| f.state.get() != State::Pending, "Return True if the future is done.";
        [leaf] "get_loop($self, /)" => get_loop, "Return the event loop the Future is bound to.";
        "_make_cancelled_error($self, /)" => |vm: &Vm, f: FutureRef| make_cancelled_error(vm, f), "Create the CancelledError to raise if the Future is cancelled.";
    }
    getset {
        "_state" => |vm: &Vm, f: FutureRef| vm.str(match f.state.get() {
            State::Pending => "PENDING",
            State::Cancelled => "CANCELLED",
            State::Finished => "FINISHED",
        });
        [leaf] "_asyncio_future_blocking" => |_: &Vm, f: FutureRef| Ok(Value::bool(f.blocking.get())), set_blocking;
        [leaf] "_loop" => |_: &Vm, f: FutureRef| Ok(f.event_loop.or_none());
        "_callbacks" => callbacks;
        [leaf] "_result" => |_: &Vm, f: FutureRef| Ok(f.result.or_none());
        [leaf] "_exception" => |_: &Vm, f: FutureRef| Ok(f.exception.or_none());
        [leaf] "_log_traceback" => |_: &Vm, f: FutureRef| Ok(Value::bool(f.log_traceback.get())), set_log_traceback;
        [leaf] "_source_traceback" => |_: &Vm, f: FutureRef| Ok(f.source_traceback.or_none());
        [leaf] "_cancel_message" => |_: &Vm, f: FutureRef| Ok(f.cancel_message.or_none()), |vm: &Vm, f: FutureRef, v: Option<Value>| {
            if v.is_none() {
                return Err(vm.attribute_error("cannot delete attribute"));
            }
            f.cancel_message.set(vm, f, v);
            Ok(())
        };
        "_asyncio_awaited_by" => awaited_by;
    }
}

pub fn new(vm: &Vm, args: Args<'_>) -> R<FutureRef> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("Future.__new__(): not enough arguments"));
    };
    check_class(vm, ty, &FUTURE)?;
    let empty = || Field::new(None);
    let task = TaskPart {
        is_task: Cell::new(false),
        must_cancel: Cell::new(false),
        log_destroy_pending: Cell::new(true),
        cancels: Cell::new(0),
        coro: empty(),
        context: empty(),
        name: empty(),
        waiter: empty(),
        step: empty(),
        wakeup: empty(),
        registry: Cell::new(None),
    };
    let future = Future {
        state: Cell::new(State::Pending),
        blocking: Cell::new(false),
        log_traceback: Cell::new(false),
        event_loop: empty(),
        callback: empty(),
        callback_context: empty(),
        callbacks: empty(),
        result: empty(),
        exception: empty(),
        exception_tb: empty(),
        source_traceback: empty(),
        cancel_message: empty(),
        cancelled_error: empty(),
        awaited_by: empty(),
        task,
    };
    let f = Ext::new(vm, ty, future)?;
    vm.finalize_later(f.header());
    Ok(f)
}

/// `__init__`, also of one that was used before.
pub fn init(vm: &Vm, f: FutureRef, event_loop: Option<Value>) -> R<()> {
    let event_loop = match event_loop.filter(|l| !l.is_none()) {
        Some(l) => l,
        None => super::running::get_event_loop(vm)?,
    };
    f.state.set(State::Pending);
    f.blocking.set(false);
    f.log_traceback.set(false);
    f.event_loop.set(vm, f, event_loop);
    for field in [&f.callback, &f.callback_context, &f.callbacks, &f.result, &f.exception, &f.exception_tb] {
        field.init(None);
    }
    for field in [&f.source_traceback, &f.cancel_message, &f.cancelled_error, &f.awaited_by] {
        field.init(None);
    }
    if super::soon::is_debugged(vm, event_loop)? {
        let stack = vm.call(find(vm, "asyncio.format_helpers", "extract_stack")?, &[])?;
        f.source_traceback.set(vm, f, stack);
    }
    Ok(())
}

/// The loop. RuntimeError where `__init__` was not called.
pub fn get_loop(vm: &Vm, f: FutureRef) -> R<Value> {
    f.event_loop.get().ok_or_else(|| vm.runtime_error("Future object is not initialized."))
}

fn invalid_state(vm: &Vm, text: &str) -> Raised {
    match exception_class(vm, "InvalidStateError") {
        Ok(ty) => vm.raise_text(ty, text),
        Err(e) => e,
    }
}

/// InvalidStateError unless it is pending.
fn check_pending(vm: &Vm, f: FutureRef) -> R<()> {
    if f.state.get() == State::Pending {
        return Ok(());
    }
    Err(invalid_state(vm, "invalid state"))
}

/// Tells the loop of all callbacks.
fn schedule_callbacks(vm: &Vm, f: FutureRef) -> R<()> {
    let event_loop = get_loop(vm, f)?;
    let (first, context) = (f.callback.get(), f.callback_context.or_none());
    let rest = f.callbacks.cast::<List>();
    f.callback.init(None);
    f.callback_context.init(None);
    f.callbacks.init(None);
    if let Some(callback) = first {
        call_soon(vm, event_loop, callback, Some(f.value()), context)?;
    }
    if let Some(rest) = rest {
        let mut i = 0;
        while let Some(pair) = rest.get(i).and_then(|p| p.cast::<Tuple>()) {
            call_soon(vm, event_loop, pair.items()[0], Some(f.value()), pair.items()[1])?;
            i += 1;
        }
    }
    Ok(())
}

pub fn set_result(vm: &Vm, f: FutureRef, v: Value) -> R<()> {
    get_loop(vm, f)?;
    check_pending(vm, f)?;
    f.result.set(vm, f, v);
    f.state.set(State::Finished);
    schedule_callbacks(vm, f)
}

/// As [`set_result`], of one that is pending and has one callback or none, which the loop is told of without Python code. False: it
/// is not so, and nothing has happened.
pub fn set_result_plainly(vm: &Vm, f: FutureRef, v: Value) -> R<bool> {
    let Some(event_loop) = f.event_loop.get() else { return Ok(false) };
    if f.state.get() != State::Pending || f.callbacks.get().is_some() {
        return Ok(false);
    }
    if let Some(callback) = f.callback.get()
        && !call_soon_plainly(vm, event_loop, callback, Some(f.value()), f.callback_context.or_none())?
    {
        return Ok(false);
    }
    f.callback.init(None);
    f.callback_context.init(None);
    f.result.set(vm, f, v);
    f.state.set(State::Finished);
    Ok(true)
}

pub fn set_exception(vm: &Vm, f: FutureRef, e: Value) -> R<()> {
    get_loop(vm, f)?;
    check_pending(vm, f)?;
    let e = if e.cast::<Type>().is_some() { vm.call(e, &[])? } else { e };
    let Some(mut exc) = e.cast::<Exception>() else {
        return Err(vm.type_error("invalid exception object"));
    };
    if vm.type_of(e).is_subtype(vm.exc.stop_iteration) {
        let text = "StopIteration interacts badly with generators and cannot be raised into a Future";
        let _: Raised = vm.raise_text(vm.exc.runtime_error, text);
        let made = vm.pending.take().unwrap_or(Value::NONE);
        vm.set_attr(made, vm.intern("__cause__")?, e)?;
        vm.set_attr(made, vm.intern("__context__")?, e)?;
        match made.cast::<Exception>() {
            Some(made) => exc = made,
            None => return Err(vm.raise_again(made)),
        }
    }
    f.exception.set(vm, f, exc.value());
    f.exception_tb.set(vm, f, exc.traceback.get());
    f.state.set(State::Finished);
    schedule_callbacks(vm, f)?;
    f.log_traceback.set(true);
    Ok(())
}

/// As `Future.cancel` does.
pub fn cancel(vm: &Vm, f: FutureRef, msg: Option<Value>) -> R<bool> {
    get_loop(vm, f)?;
    f.log_traceback.set(false);
    if f.state.get() != State::Pending {
        return Ok(false);
    }
    f.state.set(State::Cancelled);
    f.cancel_message.set(vm, f, msg.filter(|m| !m.is_none()));
    schedule_callbacks(vm, f)?;
    Ok(true)
}

pub fn make_cancelled_error(vm: &Vm, f: FutureRef) -> R<Value> {
    if let Some(e) = f.cancelled_error.get() {
        f.cancelled_error.init(None);
        return Ok(e);
    }
    let class = exception_class(vm, "CancelledError")?.value();
    match f.cancel_message.get().filter(|m| !m.is_none()) {
        Some(message) => vm.call(class, &[message]),
        None => vm.call(class, &[]),
    }
}

/// The outcome of one that is done: a value or an exception.
pub fn outcome(vm: &Vm, f: FutureRef) -> R<Result<Value, Value>> {
    match f.state.get() {
        State::Pending => Err(invalid_state(vm, "Result is not set.")),
        State::Cancelled => Ok(Err(make_cancelled_error(vm, f)?)),
        State::Finished => {
            f.log_traceback.set(false);
            let Some(e) = f.exception.get() else { return Ok(Ok(f.result.or_none())) };
            if let Some(exc) = e.cast::<Exception>() {
                exc.traceback.set(vm, exc, f.exception_tb.get());
            }
            Ok(Err(e))
        }
    }
}

fn result(vm: &Vm, f: FutureRef) -> R<Value> {
    match outcome(vm, f)? {
        Ok(v) => Ok(v),
        Err(e) => Err(vm.raise(e)),
    }
}

fn exception(vm: &Vm, f: FutureRef) -> R<Value> {
    match f.state.get() {
        State::Pending => Err(invalid_state(vm, "Exception is not set.")),
        State::Cancelled => {
            let e = make_cancelled_error(vm, f)?;
            Err(vm.raise(e))
        }
        State::Finished => {
            f.log_traceback.set(false);
            Ok(f.exception.or_none())
        }
    }
}

fn add_done_callback(vm: &Vm, f: FutureRef, callback: Value, context: Option<Value>) -> R<()> {
    let event_loop = get_loop(vm, f)?;
    let context = match context.filter(|c| !c.is_none()) {
        Some(c) => c,
        None => copy_context(vm)?,
    };
    if f.state.get() != State::Pending {
        return call_soon(vm, event_loop, callback, Some(f.value()), context);
    }
    add_callback(vm, f, callback, context)
}

/// A copy of the current context.
pub fn copy_context(vm: &Vm) -> R<Value> {
    let c = variables::current(vm)?;
    variables::alloc(vm, c.root.get(), c.len()).map(|c| c.value())
}

impl Future {
    pub fn has_callbacks(&self) -> bool {
        self.callback.get().is_some() || self.callbacks.get().is_some()
    }
}

/// Adds a callback to one that is pending.
pub fn add_callback(vm: &Vm, f: FutureRef, callback: Value, context: Value) -> R<()> {
    if f.callback.get().is_none() && f.callbacks.get().is_none() {
        f.callback.set(vm, f, callback);
        f.callback_context.set(vm, f, context);
        return Ok(());
    }
    let list = match f.callbacks.cast::<List>() {
        Some(list) => list,
        None => {
            let list = List::new(vm, &[])?;
            f.callbacks.set(vm, f, list.value());
            list
        }
    };
    list.push(vm, vm.tuple(&[callback, context])?)
}

/// All callbacks with their contexts, as pairs.
fn pairs(vm: &Vm, f: FutureRef) -> R<Ref<List>> {
    let all = List::new(vm, &[])?;
    if let Some(callback) = f.callback.get() {
        all.push(vm, vm.tuple(&[callback, f.callback_context.or_none()])?)?;
    }
    if let Some(rest) = f.callbacks.cast::<List>() {
        all.extend(vm, rest.items())?;
    }
    Ok(all)
}

fn callbacks(vm: &Vm, f: FutureRef) -> R<Value> {
    let all = pairs(vm, f)?;
    Ok(if all.is_empty() { Value::NONE } else { all.value() })
}

fn remove_done_callback(vm: &Vm, f: FutureRef, callback: Value) -> R<usize> {
    get_loop(vm, f)?;
    let (all, kept) = (pairs(vm, f)?, List::new(vm, &[])?);
    let mut i = 0;
    while let Some(pair) = all.get(i).and_then(|p| p.cast::<Tuple>()) {
        if !vm.eq(pair.items()[0], callback)? {
            kept.push(vm, pair.value())?;
        }
        i += 1;
    }
    let removed = all.len() - kept.len();
    if removed > 0 {
        f.callback.init(None);
        f.callback_context.init(None);
        f.callbacks.set(vm, f, (!kept.is_empty()).then_some(kept.value()));
    }
    Ok(removed)
}

fn set_blocking(vm: &Vm, f: FutureRef, v: Option<Value>) -> R<()> {
    match v {
        Some(v) => f.blocking.set(vm.truth(v)?),
        None => return Err(vm.attribute_error("cannot delete attribute")),
    }
    Ok(())
}

fn set_log_traceback(vm: &Vm, f: FutureRef, v: Option<Value>) -> R<()> {
    let Some(v) = v else { return Err(vm.attribute_error("cannot delete attribute")) };
    if vm.truth(v)? {
        return Err(vm.value_error("_log_traceback can only be set to False"));
    }
    f.log_traceback.set(false);
    Ok(())
}

fn awaited_by(vm: &Vm, f: FutureRef) -> R<Value> {
    match f.awaited_by.get() {
        None => Ok(Value::NONE),
        Some(v) if v.cast::<Ext<Future>>().is_some() => vm.frozenset(&[v]),
        Some(v) => {
            let all = v.cast::<Dict>().map(|d| List::new(vm, &[]).map(|l| (d, l))).transpose()?;
            let Some((d, list)) = all else { return Ok(Value::NONE) };
            for (k, _) in d.iter() {
                list.push(vm, k)?;
            }
            vm.frozenset(list.items())
        }
    }
}

pub fn add_to_awaited_by(vm: &Vm, f: Value, waiter: Value) -> R<()> {
    let (Some(f), Some(_)) = (f.cast::<Ext<Future>>(), waiter.cast::<Ext<Future>>()) else { return Ok(()) };
    match f.awaited_by.get() {
        None => f.awaited_by.set(vm, f, waiter),
        Some(v) if v.is(waiter) => {}
        Some(v) => match v.cast::<Dict>() {
            Some(d) => d.set(vm, waiter, Value::NONE)?,
            None => {
                let d = Dict::new(vm)?;
                d.set(vm, v, Value::NONE)?;
                d.set(vm, waiter, Value::NONE)?;
                f.awaited_by.set(vm, f, d.value());
            }
        },
    }
    Ok(())
}

pub fn discard_from_awaited_by(vm: &Vm, f: Value, waiter: Value) -> R<()> {
    let Some(f) = f.cast::<Ext<Future>>() else { return Ok(()) };
    match f.awaited_by.get() {
        Some(v) if v.is(waiter) => f.awaited_by.init(None),
        Some(v) => {
            if let Some(d) = v.cast::<Dict>() {
                d.delete(vm, waiter)?;
            }
        }
        None => {}
    }
    Ok(())
}

/// Nothing leads to it any more, and there is something that its program has not been told.
fn finalize(vm: &Vm, f: FutureRef) -> R<()> {
    let Some(event_loop) = f.event_loop.get() else { return Ok(()) };
    let is_task = f.task.is_task.get();
    if is_task && f.state.get() == State::Pending && f.task.log_destroy_pending.get() {
        tell(vm, f, event_loop, "task", "Task was destroyed but it is pending!", None)?;
        super::running::unregister_task(vm, f.value())?;
    }
    if f.log_traceback.replace(false) {
        let message = format!("{} exception was never retrieved", vm.type_of(f.value()).name_string());
        tell(vm, f, event_loop, "future", &message, f.exception.get())?;
    }
    Ok(())
}

/// Calls the loop's exception handler.
fn tell(vm: &Vm, f: FutureRef, event_loop: Value, kind: &str, text: &str, e: Option<Value>) -> R<()> {
    let context = Dict::new(vm)?;
    context.set_name(vm, "message", vm.str(text)?)?;
    if let Some(e) = e {
        context.set_name(vm, "exception", e)?;
    }
    context.set_name(vm, kind, f.value())?;
    if let Some(tb) = f.source_traceback.get() {
        context.set_name(vm, "source_traceback", tb)?;
    }
    vm.call_method(event_loop, "call_exception_handler", &[context.value()]).map(|_| ())
}

/// What `await` goes through.
pub struct Awaiting {
    future: Field,
}

impl Payload for Awaiting {
    const NAME: &'static str = "_asyncio.FutureIter";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Awaiting { future } = self;
        future.trace(t);
    }
}

type AwaitingRef = Ref<Ext<Awaiting>>;

native_type! {
    AWAITING: "_asyncio.FutureIter", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, v: Value| v;
        "__next__($self, /)" => next;
        "send($self, value, /)" => |vm: &Vm, a: AwaitingRef, _: Value| next(vm, a);
        "throw($self, type, value=None, traceback=None, /)" => throw;
        "close($self, /)" => |_: &Vm, a: AwaitingRef| a.future.init(None);
    }
}

fn iterate(vm: &Vm, f: FutureRef) -> R<Value> {
    get_loop(vm, f)?;
    let iterator = Awaiting { future: Field::new(Some(f.value())) };
    Ext::new(vm, ext_type(vm, &AWAITING)?, iterator).map(|i| i.value())
}

fn next(vm: &Vm, a: AwaitingRef) -> R<Value> {
    let Some(f) = a.future.cast::<Ext<Future>>() else { return Err(vm.stop_iteration(Value::NONE)) };
    if f.state.get() == State::Pending {
        if !f.blocking.replace(true) {
            return Ok(f.value());
        }
        return Err(vm.runtime_error("await wasn't used with future"));
    }
    a.future.init(None);
    match result(vm, f) {
        Ok(v) => Err(vm.stop_iteration(v)),
        Err(e) => Err(e),
    }
}

fn throw(vm: &Vm, a: AwaitingRef, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    if value.is_some() || tb.is_some() {
        vm.warn(
            vm.exc.deprecation_warning,
            "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
        )?;
    }
    a.future.init(None);
    let tb = tb.filter(|t| !t.is_none());
    if tb.is_some_and(|t| t.cast::<skein_runtime::types::traceback::Traceback>().is_none()) {
        return Err(vm.type_error("throw() third argument must be a traceback"));
    }
    let value = value.filter(|v| !v.is_none());
    let e = match (ty.cast::<Type>(), value) {
        (Some(_), Some(v)) if v.cast::<Exception>().is_some() => v,
        (Some(t), v) if t.is_subtype(vm.exc.base_exception) => match v {
            Some(v) => vm.call(ty, &[v])?,
            None => vm.call(ty, &[])?,
        },
        (None, None) if ty.cast::<Exception>().is_some() => ty,
        (None, Some(_)) if ty.cast::<Exception>().is_some() => {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        _ => {
            return Err(vm.type_error(
                "exceptions must be classes deriving BaseException or instances of such a class",
            ));
        }
    };
    if let (Some(exc), Some(tb)) = (e.cast::<Exception>(), tb) {
        exc.traceback.set(vm, exc, tb);
    }
    Err(vm.raise_again(e))
}
