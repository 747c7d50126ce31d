//! Contexts of context variables, as far as calls and microthreads enter and leave them. What Python sees of
//! them is the module `_contextvars`.

use crate::interp::{At, ContKind, SoftCall, call_soft};
use crate::native::Args;
use crate::object::{Field, Ref, Tracer};
use crate::types::ext::{Ext, Payload, ext_type};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A `contextvars.Context`.
pub struct Variables {
    /// The root node of the map from variables to values.
    pub root: Field,
    pub len: Cell<usize>,
    /// The context that was current when this one was entered.
    previous: Field,
    entered: Cell<bool>,
}

/// A reference to a `contextvars.Context`.
pub type ContextRef = Ref<Ext<Variables>>;

impl Payload for Variables {
    const NAME: &'static str = "Context";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Variables { root, len: _, previous, entered: _ } = self;
        root.trace(t);
        previous.trace(t);
    }
}

impl Variables {
    /// Variables that have a value.
    pub fn len(&self) -> usize {
        self.len.get()
    }

    pub fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// Is a `Context.run` of it under way?
    pub fn is_entered(&self) -> bool {
        self.entered.get()
    }
}

/// The payload of what is known to be a `Context`.
pub fn context_of(v: Value) -> ContextRef {
    // SAFETY: only contexts are stored as a microthread's current context; see `Context::variables`.
    unsafe { v.cast_unchecked() }
}

/// A context with this map. MemoryError.
pub fn alloc(vm: &Vm, root: Option<Value>, len: usize) -> R<ContextRef> {
    let payload = Variables {
        root: Field::new(root),
        len: Cell::new(len),
        previous: Field::new(None),
        entered: Cell::new(false),
    };
    Ext::new(vm, ext_type(vm, vm.builtin.context_type)?, payload)
}

/// A new context without variables. MemoryError.
pub fn empty(vm: &Vm) -> R<ContextRef> {
    alloc(vm, None, 0)
}

/// The running microthread's context. MemoryError.
pub fn current(vm: &Vm) -> R<ContextRef> {
    if let Some(c) = vm.context().variables.get() {
        return Ok(context_of(c));
    }
    let c = alloc(vm, None, 0)?;
    vm.context().variables.set(Some(c.value()));
    Ok(c)
}

/// Makes it the current one. RuntimeError if it is entered already.
pub fn enter(vm: &Vm, c: ContextRef) -> R<()> {
    if c.entered.get() {
        let text = vm.repr_string(c.value())?;
        return Err(vm.runtime_error(format!("cannot enter context: {text} is already entered")));
    }
    c.previous.set(vm, c, vm.context().variables.get());
    c.entered.set(true);
    vm.context().variables.set(Some(c.value()));
    Ok(())
}

fn exit(vm: &Vm, c: ContextRef) -> R<()> {
    let text = |vm: &Vm| vm.repr_string(c.value());
    if !c.entered.get() {
        return Err(vm.runtime_error(format!("cannot exit context: {} has not been entered", text(vm)?)));
    }
    if vm.context().variables.get() != Some(c.value()) {
        return Err(
            vm.runtime_error("cannot exit context: thread state references a different context object")
        );
    }
    vm.context().variables.set(c.previous.get());
    c.previous.init(None);
    c.entered.set(false);
    Ok(())
}

/// A call in another context is over; its frame was left with a result, or with the pending
/// exception. That was `context`'s `run`, or, if it is None, `before` is to be current again.
pub fn leave(vm: &Vm, context: Value, before: Value) -> R<()> {
    if context.is_none() {
        vm.context().variables.set((!before.is_none()).then_some(before));
        return Ok(());
    }
    let handled = vm.pending.take();
    let left = exit(vm, context_of(context));
    if left.is_ok() {
        vm.pending.set(handled);
    }
    left
}

/// Runs `f` with this context as the current one. RuntimeError if it is entered already.
pub fn run_in<T>(vm: &Vm, c: ContextRef, f: impl FnOnce() -> R<T>) -> R<T> {
    enter(vm, c)?;
    let result = f();
    leave(vm, c.value(), Value::NONE)?;
    result
}

/// Runs `f` with this context as the current one, without entering it: as a microthread does.
pub fn borrow_context<T>(vm: &Vm, c: ContextRef, f: impl FnOnce() -> R<T>) -> R<T> {
    let before = vm.context().variables.replace(Some(c.value()));
    let result = f();
    vm.context().variables.set(before);
    result
}

/// As [`borrow_context`], for a call in the loop.
pub fn borrow_context_soft(vm: &Vm, call: &SoftCall<'_>, c: ContextRef, f: Value, rest: Args<'_>) -> At {
    if call.result_register().is_none() {
        return match borrow_context(vm, c, || vm.call_args(f, rest)) {
            Ok(v) => call.done(vm, v),
            Err(Raised) => call.raised(vm),
        };
    }
    let before = vm.context().variables.replace(Some(c.value()));
    let kept = before.unwrap_or(Value::NONE);
    let cont = call.cont.kind(ContKind::LeaveContext).with(Value::NONE, kept);
    match call_soft(vm, call.resume, f, rest, cont) {
        Ok(at) => at,
        Err(Raised) => {
            vm.context().variables.set(before);
            call.raised(vm)
        }
    }
}

/// As [`run_in`], for a call in the loop.
pub fn run_in_soft(vm: &Vm, call: &SoftCall<'_>, c: ContextRef, f: Value, rest: Args<'_>) -> At {
    if call.result_register().is_none() {
        // The record has no room for what else is to be done with the result.
        return match run_in(vm, c, || vm.call_args(f, rest)) {
            Ok(v) => call.done(vm, v),
            Err(Raised) => call.raised(vm),
        };
    }
    if enter(vm, c).is_err() {
        return call.raised(vm);
    }
    let cont = call.cont.kind(ContKind::LeaveContext).with(c.value(), Value::NONE);
    match call_soft(vm, call.resume, f, rest, cont) {
        Ok(at) => at,
        Err(Raised) => {
            // Without a frame nobody else leaves the context, unless that was the error.
            if c.entered.get() {
                // An error in it replaces the other.
                let _ = leave(vm, c.value(), Value::NONE);
            }
            call.raised(vm)
        }
    }
}
