//! The awaitables of async generators: what `asend`, `athrow`, `aclose` and `__anext__` return.

use super::{exception_to_throw, throw};
use crate::interp::Resume;
use crate::native_type;
use crate::object::{Field, Kind, Ref, Tracer};
use crate::types::ext::{Ext, ExtArg, Payload};
use crate::types::generator::{CLOSED, GenState, Generator, HOOKS_INITED, RUNNING_ASYNC};
use crate::types::typeobj::type_flags;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// `sys.set_asyncgen_hooks`.
#[derive(Default)]
pub struct AsyncHooks {
    pub first_iteration: Cell<Option<Value>>,
    pub finalizer: Cell<Option<Value>>,
}

impl AsyncHooks {
    /// Makes the hooks roots of the heap; at start.
    pub fn register(vm: &Vm) {
        vm.root_tracers.borrow_mut().push(|vm, t| {
            let hooks = vm.state::<AsyncHooks>();
            for v in [&hooks.first_iteration, &hooks.finalizer].into_iter().filter_map(Cell::get) {
                t.visit_word(v.bits());
            }
        });
    }
}

/// A value yielded by an async generator, told apart from what it awaits.
pub struct Wrapped {
    value: Field,
}

impl Payload for Wrapped {
    const NAME: &'static str = "async_generator_wrapped_value";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Wrapped { value } = self;
        value.trace(t);
    }
}

native_type! {
    pub WRAPPED: "async_generator_wrapped_value", Kind::Ext, type_flags::NO_NEW;
    methods {}
}

/// Wraps what an async generator yields.
pub fn wrap_async_value(vm: &Vm, v: Value) -> R<Value> {
    Ok(Ext::new(vm, vm.types.async_wrapped_value, Wrapped { value: Field::new(Some(v)) })?.value())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Iterating,
    Closed,
}

/// What is sent or thrown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Send,
    Throw,
    Close,
}

/// One step of an async generator, to be awaited.
pub struct Awaitable {
    generator: Field,
    /// The value to send, or the exception to throw.
    argument: Field,
    step: Step,
    state: Cell<State>,
}

impl Payload for Awaitable {
    const NAME: &'static str = "async_generator_asend";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Awaitable { generator, argument, step: _, state: _ } = self;
        generator.trace(t);
        argument.trace(t);
    }
}

native_type! {
    pub ASEND: "async_generator_asend", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__await__($self, /)" => |_: &Vm, v: Value| v;
        "__iter__($self, /)" => |_: &Vm, v: Value| v;
        "__next__($self, /)" => |vm: &Vm, a: ExtArg<Awaitable>| send(vm, a.0, Value::NONE);
        "send($self, value, /)" => |vm: &Vm, a: ExtArg<Awaitable>, v: Value| send(vm, a.0, v);
        "throw($self, type, value=None, traceback=None, /)" => throw_method;
        "close($self, /)" => close;
    }
}

native_type! {
    pub ATHROW: "async_generator_athrow", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__await__($self, /)" => |_: &Vm, v: Value| v;
        "__iter__($self, /)" => |_: &Vm, v: Value| v;
        "__next__($self, /)" => |vm: &Vm, a: ExtArg<Awaitable>| send(vm, a.0, Value::NONE);
        "send($self, value, /)" => |vm: &Vm, a: ExtArg<Awaitable>, v: Value| send(vm, a.0, v);
        "throw($self, type, value=None, traceback=None, /)" => throw_method;
        "close($self, /)" => close;
    }
}

/// Calls the hook for a generator's first iteration.
fn init_hooks(vm: &Vm, g: Ref<Generator>) -> R<()> {
    if g.flag(HOOKS_INITED) {
        return Ok(());
    }
    g.set_flag(HOOKS_INITED, true);
    let hooks = vm.state::<AsyncHooks>();
    g.hook.set(vm, g, hooks.finalizer.get());
    match hooks.first_iteration.get() {
        Some(f) => vm.call(f, &[g.value()]).map(|_| ()),
        None => Ok(()),
    }
}

/// Calls the finalizer hook of a generator that was iterated and not closed; false without one.
pub fn call_finalizer(vm: &Vm, g: Ref<Generator>) -> R<bool> {
    if vm.type_of(g.value()) != vm.types.async_generator || g.flag(CLOSED) {
        return Ok(false);
    }
    match g.hook.get() {
        Some(f) => vm.call(f, &[g.value()]).map(|_| true),
        None => Ok(false),
    }
}

fn awaitable(vm: &Vm, g: Ref<Generator>, step: Step, argument: Value) -> R<Value> {
    init_hooks(vm, g)?;
    let ty = if step == Step::Send { vm.types.async_asend } else { vm.types.async_athrow };
    let payload = Awaitable {
        generator: Field::new(Some(g.value())),
        argument: Field::new(Some(argument)),
        step,
        state: Cell::new(State::Fresh),
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

pub fn anext(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    awaitable(vm, g, Step::Send, Value::NONE)
}

pub fn asend(vm: &Vm, g: Ref<Generator>, v: Value) -> R<Value> {
    awaitable(vm, g, Step::Send, v)
}

pub fn athrow(vm: &Vm, g: Ref<Generator>, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    let e = exception_to_throw(vm, ty, value, tb)?;
    awaitable(vm, g, Step::Throw, e)
}

pub fn aclose(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    awaitable(vm, g, Step::Close, Value::NONE)
}

fn generator(a: Ref<Ext<Awaitable>>) -> Ref<Generator> {
    // SAFETY: set by `awaitable` to an async generator.
    unsafe { a.generator.value().cast_unchecked() }
}

fn reused(vm: &Vm, a: Ref<Ext<Awaitable>>) -> Raised {
    vm.runtime_error(match a.step {
        Step::Send => "cannot reuse already awaited __anext__()/asend()",
        _ => "cannot reuse already awaited aclose()/athrow()",
    })
}

/// Begins the step, unless another one of the generator is under way.
fn begin(vm: &Vm, a: Ref<Ext<Awaitable>>) -> R<()> {
    let g = generator(a);
    if g.flag(RUNNING_ASYNC) {
        a.state.set(State::Closed);
        return Err(vm.runtime_error(match a.step {
            Step::Send => "anext(): asynchronous generator is already running",
            Step::Throw => "athrow(): asynchronous generator is already running",
            Step::Close => "aclose(): asynchronous generator is already running",
        }));
    }
    a.state.set(State::Iterating);
    g.set_flag(RUNNING_ASYNC, true);
    Ok(())
}

/// The step's next await, or its end as the exception that says so.
fn unwrap(vm: &Vm, a: Ref<Ext<Awaitable>>, r: R<Result<Value, Value>>) -> R<Value> {
    match settle(vm, a, r)? {
        Ok(v) => Ok(v),
        Err(result) => Err(vm.stop_iteration(result)),
    }
}

/// What the generator did (yielded, returned, raised), as seen by who awaits the step: `Ok(Ok)` an
/// await that goes further up, `Ok(Err)` the step's result.
pub fn settle(vm: &Vm, a: Ref<Ext<Awaitable>>, r: R<Result<Value, Value>>) -> R<Result<Value, Value>> {
    let g = generator(a);
    let finish = || {
        g.set_flag(RUNNING_ASYNC, false);
        a.state.set(State::Closed);
    };
    let close_mode = a.step == Step::Close;
    match r {
        Ok(Ok(v)) => match v.cast::<Ext<Wrapped>>() {
            Some(_) if close_mode => {
                finish();
                Err(vm.runtime_error("async generator ignored GeneratorExit"))
            }
            Some(w) => {
                finish();
                Ok(Err(w.value.or_none()))
            }
            None => Ok(Ok(v)),
        },
        Ok(Err(_)) => {
            finish();
            g.set_flag(CLOSED, true);
            if close_mode {
                Ok(Err(Value::NONE))
            } else {
                Err(vm.raise_new(vm.exc.stop_async_iteration, &[]))
            }
        }
        Err(e) => {
            finish();
            if vm.pending_is(vm.exc.stop_async_iteration) || vm.pending_is(vm.exc.generator_exit) {
                g.set_flag(CLOSED, true);
                if close_mode {
                    vm.pending.take();
                    return Ok(Err(Value::NONE));
                }
            }
            Err(e)
        }
    }
}

/// For `await` in the loop: the generator that is to be resumed with this value, for a step of
/// `__anext__` or `asend`; None: `send` is to be called.
pub fn begin_send(vm: &Vm, a: Ref<Ext<Awaitable>>, v: Value) -> R<Option<(Ref<Generator>, Value)>> {
    match (a.step, a.state.get()) {
        (Step::Send, State::Iterating) => Ok(Some((generator(a), v))),
        (Step::Send, State::Fresh) => {
            begin(vm, a)?;
            Ok(Some((generator(a), if v.is_none() { a.argument.or_none() } else { v })))
        }
        _ => Ok(None),
    }
}

fn send(vm: &Vm, a: Ref<Ext<Awaitable>>, v: Value) -> R<Value> {
    let g = generator(a);
    match a.state.get() {
        State::Closed => return Err(reused(vm, a)),
        State::Iterating => {
            let r = vm.resume(g, Resume::Send(v));
            return unwrap(vm, a, r);
        }
        State::Fresh => {}
    }
    if a.step == Step::Send {
        begin(vm, a)?;
        let v = if v.is_none() { a.argument.or_none() } else { v };
        let r = vm.resume(g, Resume::Send(v));
        return unwrap(vm, a, r);
    }
    if g.state() == GenState::Finished {
        a.state.set(State::Closed);
        return Err(vm.raise_new(vm.exc.stop_iteration, &[]));
    }
    if !g.flag(RUNNING_ASYNC) {
        if g.flag(CLOSED) {
            a.state.set(State::Closed);
            return Err(vm.raise_new(vm.exc.stop_async_iteration, &[]));
        }
        if !v.is_none() {
            return Err(vm.runtime_error("can't send non-None value to a just-started coroutine"));
        }
    }
    begin(vm, a)?;
    let e = if a.step == Step::Close {
        g.set_flag(CLOSED, true);
        crate::types::exception::Exception::new(vm, vm.exc.generator_exit, &[])?.value()
    } else {
        a.argument.value()
    };
    let r = throw(vm, g, e, false);
    unwrap(vm, a, r)
}

fn throw_in(vm: &Vm, a: Ref<Ext<Awaitable>>, e: Value) -> R<Value> {
    match a.state.get() {
        State::Closed => return Err(reused(vm, a)),
        State::Fresh => begin(vm, a)?,
        State::Iterating => {}
    }
    let r = throw(vm, generator(a), e, false);
    unwrap(vm, a, r)
}

fn throw_method(
    vm: &Vm,
    a: ExtArg<Awaitable>,
    ty: Value,
    value: Option<Value>,
    tb: Option<Value>,
) -> R<Value> {
    let e = exception_to_throw(vm, ty, value, tb)?;
    throw_in(vm, a.0, e)
}

fn close(vm: &Vm, a: ExtArg<Awaitable>) -> R<()> {
    if a.0.state.get() == State::Closed {
        return Ok(());
    }
    let e = crate::types::exception::Exception::new(vm, vm.exc.generator_exit, &[])?;
    match throw_in(vm, a.0, e.value()) {
        Ok(_) => Err(vm.runtime_error("coroutine ignored GeneratorExit")),
        Err(e) => {
            let ends = [vm.exc.stop_iteration, vm.exc.stop_async_iteration, vm.exc.generator_exit];
            match ends.into_iter().find_map(|t| vm.catch(t)) {
                Some(_) => Ok(()),
                None => Err(e),
            }
        }
    }
}
