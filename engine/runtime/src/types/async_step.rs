//! The iterators over coroutines, and the steps of async generators: what `asend`, `athrow`, `aclose` and `__anext__` return, as far as `await` in
//! the loop goes through them.

use crate::object::{Field, Ref, Tracer};
use crate::types::ext::{Ext, Payload};
use crate::types::generator::{CLOSED, Generator, RUNNING_ASYNC};
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// `coroutine_wrapper`: the iterator over a coroutine.
pub struct Wrapper {
    /// Always a coroutine.
    pub coroutine: Field,
}

impl Payload for Wrapper {
    const NAME: &'static str = "coroutine_wrapper";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Wrapper { coroutine } = self;
        coroutine.trace(t);
    }
}

/// `coroutine.__await__()` of a coroutine. MemoryError.
pub fn wrapper(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    let coroutine = Field::new(Some(g.value()));
    Ok(Ext::new(vm, vm.types.coroutine_wrapper, Wrapper { coroutine })?.value())
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

/// Wraps what an async generator yields.
pub fn wrap_async_value(vm: &Vm, v: Value) -> R<Value> {
    Ok(Ext::new(vm, vm.types.async_wrapped_value, Wrapped { value: Field::new(Some(v)) })?.value())
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Fresh,
    Iterating,
    Closed,
}

/// What is sent or thrown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Send,
    Throw,
    Close,
}

/// One step of an async generator, to be awaited.
pub struct Awaitable {
    pub generator: Field,
    /// The value to send, or the exception to throw.
    pub argument: Field,
    pub step: Step,
    pub state: Cell<State>,
}

impl Payload for Awaitable {
    const NAME: &'static str = "async_generator_asend";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Awaitable { generator, argument, step: _, state: _ } = self;
        generator.trace(t);
        argument.trace(t);
    }
    fn needs_finalizer(&self) -> bool {
        self.state.get() == State::Fresh
    }
}

/// The generator of a step.
pub fn generator(a: Ref<Ext<Awaitable>>) -> Ref<Generator> {
    // SAFETY: set by `awaitable` to an async generator.
    unsafe { a.generator.value().cast_unchecked() }
}

/// Begins the step, unless another one of the generator is under way.
pub fn begin(vm: &Vm, a: Ref<Ext<Awaitable>>) -> R<()> {
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
