//! Throwing into generators and closing them, through what they delegate to.

use skein_runtime::interp::{Resume, generator_kind};
use skein_runtime::object::Ref;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::generator::needs_close;
use skein_runtime::types::generator::{GenState, Generator};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// Raises an exception in a generator: `Ok(Ok)` what it yields then, `Ok(Err)` what it returned.
/// With `close_delegate`, GeneratorExit closes what it delegates to instead of being thrown there.
pub fn throw(vm: &Vm, g: Ref<Generator>, e: Value, close_delegate: bool) -> R<Result<Value, Value>> {
    if g.state() == GenState::Running {
        return Err(vm.value_error(format!("{} already executing", generator_kind(vm, g))));
    }
    if let Some(delegate) = vm.yield_from_target(g) {
        if close_delegate && vm.type_of(e).is_subtype(vm.exc.generator_exit) {
            if while_running(g, || close_iterator(vm, delegate)).is_err() {
                return vm.resume(g, Resume::Throw);
            }
        } else if let Some(r) = while_running(g, || throw_into(vm, delegate, e, close_delegate)).transpose() {
            return match r {
                Ok(Ok(v)) => Ok(Ok(v)),
                Ok(Err(returned)) => {
                    vm.leave_yield_from(g, returned);
                    vm.resume(g, Resume::Continue)
                }
                Err(Raised) => vm.resume(g, Resume::Throw),
            };
        }
    }
    match (g.handled.cast::<Exception>(), e.cast::<Exception>()) {
        // Raised in the generator's handler: chained to what is handled there.
        (Some(h), Some(x)) if h != x => {
            x.context.set(vm, x, h.value());
            vm.raise_again(e)
        }
        _ => vm.raise(e),
    };
    vm.resume(g, Resume::Throw)
}

/// Runs `f` while the generator counts as running.
fn while_running<T>(g: Ref<Generator>, f: impl FnOnce() -> T) -> T {
    g.set_state(GenState::Running);
    let r = f();
    g.set_state(GenState::Suspended);
    r
}

/// Throws into a delegate; None if it has no `throw`.
fn throw_into(vm: &Vm, delegate: Value, e: Value, close_delegate: bool) -> R<Option<Result<Value, Value>>> {
    if let Some(g) = delegate.cast::<Generator>()
        && vm.type_of(delegate) != vm.types.async_generator
    {
        return throw(vm, g, e, close_delegate).map(Some);
    }
    let Some(f) = vm.find_attr(delegate, vm.names.throw)? else { return Ok(None) };
    match vm.call(f, &[e]) {
        Ok(v) => Ok(Some(Ok(v))),
        Err(Raised) => match vm.catch(vm.exc.stop_iteration) {
            Some(stop) => Ok(Some(Err(vm.stop_value(stop)))),
            None => Err(Raised),
        },
    }
}

/// Closes what a generator delegates to, if it can be closed.
fn close_iterator(vm: &Vm, v: Value) -> R<()> {
    if let Some(g) = v.cast::<Generator>()
        && vm.type_of(v) != vm.types.async_generator
    {
        return close(vm, g).map(|_| ());
    }
    match vm.find_attr(v, vm.names.close)? {
        Some(f) => vm.call(f, &[]).map(|_| ()),
        None => Ok(()),
    }
}

/// `close()`: the value that the generator returned, or None.
pub fn close(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    match g.state() {
        GenState::Created => {
            g.finish();
            return Ok(Value::NONE);
        }
        GenState::Finished => return Ok(Value::NONE),
        GenState::Running => {
            return Err(vm.value_error(format!("{} already executing", generator_kind(vm, g))));
        }
        GenState::Suspended => {}
    }
    let failed = match vm.yield_from_target(g) {
        Some(delegate) => while_running(g, || close_iterator(vm, delegate)).is_err(),
        None => false,
    };
    if !failed {
        if !needs_close(g) {
            g.finish();
            return Ok(Value::NONE);
        }
        vm.raise_new(vm.exc.generator_exit, &[]);
    }
    match vm.resume(g, Resume::Throw) {
        Ok(Ok(_)) => Err(vm.runtime_error(format!("{} ignored GeneratorExit", generator_kind(vm, g)))),
        Ok(Err(returned)) => Ok(returned),
        Err(Raised) => match vm.catch(vm.exc.generator_exit) {
            Some(_) => Ok(Value::NONE),
            None => Err(Raised),
        },
    }
}
