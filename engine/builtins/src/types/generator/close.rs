//! Throwing into generators and closing them, through what they delegate to.

use skein_runtime::interp::{Resume, generator_kind, running_from};
use skein_runtime::object::Ref;
use skein_runtime::types::generator::needs_close;
use skein_runtime::types::generator::{GenState, Generator};
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// Generators that delegate to each other, from the outermost to the innermost but one. There may be very many:
/// no native calls itself for them.
struct Chain(Ref<List>);

impl Chain {
    fn new(vm: &Vm) -> R<Chain> {
        Ok(Chain(List::with_capacity(vm, 0)?))
    }

    /// Goes into the generator that `outer` delegates to; `outer` counts as running from now on.
    fn enter(&self, vm: &Vm, outer: Ref<Generator>) -> R<()> {
        self.0.push(vm, outer.value())?;
        outer.set_state(GenState::Running);
        Ok(())
    }

    /// Goes back from the inner ones to the outer ones with what came of each.
    fn leave<T>(self, mut r: T, mut step: impl FnMut(Ref<Generator>, T) -> T) -> T {
        for outer in self.0.items().iter().rev().filter_map(|g| g.cast::<Generator>()) {
            outer.set_state(GenState::Suspended);
            r = step(outer, r);
        }
        r
    }
}

/// What a generator yields, or else what it returned.
type Resumed = R<Result<Value, Value>>;

/// The generator that another one delegates to.
fn as_generator(vm: &Vm, delegate: Value) -> Option<Ref<Generator>> {
    delegate.cast::<Generator>().filter(|_| vm.type_of(delegate) != vm.types.async_generator)
}

/// Raises an exception in a generator: `Ok(Ok)` what it yields then, `Ok(Err)` what it returned.
/// With `close_delegate`, GeneratorExit closes what it delegates to instead of being thrown there.
pub fn throw(vm: &Vm, g: Ref<Generator>, e: Value, close_delegate: bool) -> Resumed {
    let closes = close_delegate && vm.type_of(e).is_subtype(vm.exc.generator_exit);
    let chain = Chain::new(vm)?;
    let running = running_from(vm, g);
    let mut inner = g;
    let r = loop {
        if running == Some(inner) {
            break Err(already_running(vm, inner));
        }
        let Some(delegate) = vm.yield_from_target(inner) else { break throw_here(vm, inner, e) };
        if closes {
            break match while_running(inner, || close_iterator(vm, delegate)) {
                Ok(()) => throw_here(vm, inner, e),
                Err(Raised) => vm.resume(inner, Resume::Throw),
            };
        }
        if let Some(next) = as_generator(vm, delegate) {
            match chain.enter(vm, inner) {
                Ok(()) => inner = next,
                Err(e) => break Err(e),
            }
            continue;
        }
        break match while_running(inner, || throw_into(vm, delegate, e)).transpose() {
            Some(r) => go_on(vm, inner, r),
            None => throw_here(vm, inner, e),
        };
    };
    chain.leave(r, |outer, r| go_on(vm, outer, r))
}

fn already_running(vm: &Vm, g: Ref<Generator>) -> Raised {
    vm.value_error(format!("{} already executing", generator_kind(vm, g)))
}

/// What a generator delegates to was thrown into, with this result.
fn go_on(vm: &Vm, g: Ref<Generator>, r: Resumed) -> Resumed {
    match r {
        Ok(Ok(v)) => Ok(Ok(v)),
        Ok(Err(returned)) => {
            vm.leave_yield_from(g, returned);
            vm.resume(g, Resume::Continue)
        }
        Err(Raised) => vm.resume(g, Resume::Throw),
    }
}

/// Raises an exception where the generator itself is.
fn throw_here(vm: &Vm, g: Ref<Generator>, e: Value) -> Resumed {
    let Raised = vm.raise_again(e);
    vm.resume(g, Resume::Throw)
}

/// Runs `f` while the generator counts as running.
fn while_running<T>(g: Ref<Generator>, f: impl FnOnce() -> T) -> T {
    g.set_state(GenState::Running);
    let r = f();
    g.set_state(GenState::Suspended);
    r
}

/// Throws into a delegate that is no generator; None if it has no `throw`.
fn throw_into(vm: &Vm, delegate: Value, e: Value) -> R<Option<Result<Value, Value>>> {
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
    if let Some(g) = as_generator(vm, v) {
        return close(vm, g).map(|_| ());
    }
    match vm.find_attr(v, vm.names.close)? {
        Some(f) => vm.call(f, &[]).map(|_| ()),
        None => Ok(()),
    }
}

/// `close()`: the value that the generator returned, or None.
pub fn close(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    let chain = Chain::new(vm)?;
    let running = running_from(vm, g);
    let mut inner = g;
    let r = loop {
        if running == Some(inner) {
            break Err(already_running(vm, inner));
        }
        match inner.state() {
            GenState::Created => {
                inner.finish();
                break Ok(Value::NONE);
            }
            GenState::Finished => break Ok(Value::NONE),
            GenState::Running | GenState::Suspended => {}
        }
        let Some(delegate) = vm.yield_from_target(inner) else { break close_here(vm, inner, false) };
        if let Some(next) = as_generator(vm, delegate) {
            match chain.enter(vm, inner) {
                Ok(()) => inner = next,
                Err(e) => break Err(e),
            }
            continue;
        }
        let failed = while_running(inner, || close_iterator(vm, delegate)).is_err();
        break close_here(vm, inner, failed);
    };
    chain.leave(r, |outer, r| close_here(vm, outer, r.is_err()))
}

/// Ends a suspended generator; `failed`: what it delegates to could not be closed, for the pending exception.
fn close_here(vm: &Vm, g: Ref<Generator>, failed: bool) -> R<Value> {
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
