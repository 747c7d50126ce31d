//! The awaitables of async generators: what `asend`, `athrow`, `aclose` and `__anext__` return.

use super::{exception_to_throw, throw};
use skein_runtime::interp::Resume;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref};
use skein_runtime::types::async_step::{Awaitable, State, Step, begin, generator, settle};
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::generator::{CLOSED, GenState, Generator, HOOKS_INITED, RUNNING_ASYNC};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

native_type! {
    pub WRAPPED: "async_generator_wrapped_value", Kind::Ext, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub ASEND: "async_generator_asend", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__await__($self, /)" => |_: &Vm, v: Value| v;
        [leaf] "__iter__($self, /)" => |_: &Vm, v: Value| v;
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
        [leaf] "__iter__($self, /)" => |_: &Vm, v: Value| v;
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
    let thread = vm.threads.current();
    g.hook.set(vm, g, thread.kept.finalizer.get());
    match thread.kept.first_iteration.get() {
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

/// An awaitable that a program has asked for by name: it is told of if nobody awaits it.
fn awaitable_by_name(vm: &Vm, g: Ref<Generator>, step: Step, argument: Value) -> R<Value> {
    let v = awaitable(vm, g, step, argument)?;
    if let Some(header) = v.header() {
        vm.heap.register_finalizer(header);
    }
    Ok(v)
}

/// What is done for an awaitable that nothing leads to any more.
pub fn finalize(vm: &Vm, a: Ref<Ext<Awaitable>>) -> R<()> {
    if a.state.get() != State::Fresh {
        return Ok(());
    }
    let method = match a.step {
        Step::Send => "asend",
        Step::Throw => "athrow",
        Step::Close => "aclose",
    };
    let name = vm.str_string(super::get_qualname(vm, generator(a))?)?;
    let message = format!("coroutine method '{method}' of '{name}' was never awaited");
    vm.warn(vm.exc.runtime_warning, &message)
}

pub fn anext(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    awaitable(vm, g, Step::Send, Value::NONE)
}

pub fn asend(vm: &Vm, g: Ref<Generator>, v: Value) -> R<Value> {
    awaitable_by_name(vm, g, Step::Send, v)
}

pub fn athrow(vm: &Vm, g: Ref<Generator>, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    super::warn_of_parts(vm, "athrow", value)?;
    let e = exception_to_throw(vm, ty, value, tb)?;
    awaitable_by_name(vm, g, Step::Throw, e)
}

pub fn aclose(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    awaitable_by_name(vm, g, Step::Close, Value::NONE)
}

fn reused(vm: &Vm, a: Ref<Ext<Awaitable>>) -> Raised {
    vm.runtime_error(match a.step {
        Step::Send => "cannot reuse already awaited __anext__()/asend()",
        _ => "cannot reuse already awaited aclose()/athrow()",
    })
}

/// The step's next await, or its end as the exception that says so.
fn unwrap(vm: &Vm, a: Ref<Ext<Awaitable>>, r: R<Result<Value, Value>>) -> R<Value> {
    match settle(vm, a, r)? {
        Ok(v) => Ok(v),
        Err(result) => Err(vm.stop_iteration(result)),
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
        skein_runtime::types::exception::Exception::new(vm, vm.exc.generator_exit, &[])?.value()
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
    super::warn_of_parts(vm, "throw", value)?;
    let e = exception_to_throw(vm, ty, value, tb)?;
    throw_in(vm, a.0, e)
}

fn close(vm: &Vm, a: ExtArg<Awaitable>) -> R<()> {
    if a.0.state.get() == State::Closed {
        return Ok(());
    }
    let e = skein_runtime::types::exception::Exception::new(vm, vm.exc.generator_exit, &[])?;
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
