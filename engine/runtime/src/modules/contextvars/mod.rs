//! `_contextvars`: context variables.
//!
//! The context that is current belongs to the microthread (`crate::context::Context::variables`), so
//! that nothing is to be done at a switch. A microthread without one has an empty context that is
//! made when it is needed.

mod map;
mod variable;

use crate::interp::{At, ContKind, SoftCall, call_soft};
use crate::methods::{class_argument, ext_type};
use crate::modules::make_module;
use crate::native::Args;
use crate::object::{Field, Kind, Ref, Tracer};
use crate::types::ext::{Ext, ExtArg, Payload};
use crate::types::list::List;
use crate::types::module::Module;
use crate::types::typeobj::type_flags;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use crate::{native_functions, native_type};
use std::cell::Cell;
use variable::Variable;

/// A `contextvars.Context`.
pub struct Variables {
    /// The map's root node.
    root: Field,
    len: Cell<usize>,
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
    fn map(&self) -> map::Map {
        self.root.cast()
    }

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

native_type! {
    CONTEXT: "_contextvars.Context", Kind::Ext, type_flags::HAS_WEAKREF;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [soft run_soft] "run($self, callable, /, *args, **kwargs)" => run, "Calls it with this context as the current one.";
        "copy($self, /)" => |vm: &Vm, c: ExtArg<Variables>| copy(vm, c.0), "A copy, made in constant time.";
        "get($self, key, default=None, /)" => get, "The variable's value in this context, else the default.";
        "keys($self, /)" => |vm: &Vm, c: ExtArg<Variables>| iterate(vm, c.0, &KEYS), "The variables that have a value.";
        "values($self, /)" => |vm: &Vm, c: ExtArg<Variables>| iterate(vm, c.0, &VALUES), "The values of the variables.";
        "items($self, /)" => |vm: &Vm, c: ExtArg<Variables>| iterate(vm, c.0, &ITEMS), "Variables and their values as pairs.";
        "__iter__($self, /)" => |vm: &Vm, c: ExtArg<Variables>| iterate(vm, c.0, &KEYS);
        "__len__($self, /)" => |_: &Vm, c: ExtArg<Variables>| c.0.len();
        "__getitem__($self, key, /)" => |vm: &Vm, c: ExtArg<Variables>, k: Value| -> R<Value> {
            map::get(c.0.map(), key(vm, k)?).ok_or_else(|| vm.key_error(k))
        };
        "__contains__($self, key, /)" => |vm: &Vm, c: ExtArg<Variables>, k: Value| -> R<bool> {
            Ok(map::get(c.0.map(), key(vm, k)?).is_some())
        };
        "__eq__($self, value, /)" => |vm: &Vm, a: ExtArg<Variables>, b: Value| compare(vm, a.0, b, true);
        "__ne__($self, value, /)" => |vm: &Vm, a: ExtArg<Variables>, b: Value| compare(vm, a.0, b, false);
    }
}

native_functions! { FUNCTIONS:
    "copy_context()" => |vm: &Vm| current(vm).and_then(|c| copy(vm, c)), "A copy of the current context.";
}

/// The payload of what is known to be a `Context`.
fn context_of(v: Value) -> ContextRef {
    // SAFETY: only contexts are stored as a microthread's current context; see `Context::variables`.
    unsafe { v.cast_unchecked() }
}

fn alloc(vm: &Vm, root: map::Map, len: usize) -> R<ContextRef> {
    let payload = Variables {
        root: Field::new(root.map(Value::from)),
        len: Cell::new(len),
        previous: Field::new(None),
        entered: Cell::new(false),
    };
    Ext::new(vm, ext_type(vm, &CONTEXT)?, payload)
}

fn copy(vm: &Vm, c: ContextRef) -> R<ContextRef> {
    alloc(vm, c.map(), c.len())
}

fn set_map(vm: &Vm, c: ContextRef, map: map::Map, len: usize) {
    c.root.set(vm, c, map.map(Value::from));
    c.len.set(len);
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

fn new(vm: &Vm, args: Args<'_>) -> R<ContextRef> {
    class_argument(vm, &args, ext_type(vm, &CONTEXT)?)?;
    if args.positional().len() > 1 || args.has_keywords() {
        return Err(vm.type_error("Context() does not accept any arguments"));
    }
    alloc(vm, None, 0)
}

fn key(vm: &Vm, k: Value) -> R<Ref<Ext<Variable>>> {
    match k.cast::<Ext<Variable>>() {
        Some(var) => Ok(var),
        None => Err(vm.type_error(format!("a ContextVar key was expected, got {}", vm.repr_string(k)?))),
    }
}

fn get(vm: &Vm, c: ExtArg<Variables>, k: Value, default: Option<Value>) -> R<Value> {
    Ok(map::get(c.0.map(), key(vm, k)?).unwrap_or(default.unwrap_or(Value::NONE)))
}

fn compare(vm: &Vm, a: ContextRef, b: Value, sense: bool) -> R<Value> {
    let Some(b) = b.cast::<Ext<Variables>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(Value::bool(equal(vm, a, b)? == sense))
}

fn equal(vm: &Vm, a: ContextRef, b: ContextRef) -> R<bool> {
    if a.map() == b.map() {
        return Ok(true);
    }
    if a.len() != b.len() {
        return Ok(false);
    }
    // Both in the same order; the values' comparison may run anything, so these are copies.
    let (left, right) = (map::entries(vm, a.map())?, map::entries(vm, b.map())?);
    for (&l, &r) in left.items().iter().zip(right.items()).step_by(2) {
        if !l.is(r) {
            return Ok(false);
        }
    }
    for (&l, &r) in left.items().iter().zip(right.items()).skip(1).step_by(2) {
        if !vm.eq(l, r)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn enter(vm: &Vm, c: ContextRef) -> R<()> {
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
pub(crate) fn leave(vm: &Vm, context: Value, before: Value) -> R<()> {
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

/// The context and the arguments of the call.
fn run_arguments<'a>(vm: &Vm, args: Args<'a>) -> R<(ContextRef, Value, Args<'a>)> {
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error("unbound method Context.run() needs an argument"));
    };
    let Some(c) = first.cast::<Ext<Variables>>() else {
        return Err(vm.type_error(format!(
            "descriptor 'run' for '_contextvars.Context' objects doesn't apply to a '{}' object",
            vm.type_name(first)
        )));
    };
    let rest = args.rest();
    match rest.positional().first() {
        Some(&f) => Ok((c, f, rest.rest())),
        None => Err(vm.type_error("run() missing 1 required positional argument")),
    }
}

fn run(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (c, f, rest) = run_arguments(vm, args)?;
    run_in(vm, c, || vm.call_args(f, rest))
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

/// In the loop, the function's frame is pushed with a record that leads to [`leave`].
fn run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match run_arguments(vm, call.args) {
        Ok((c, f, rest)) => run_in_soft(vm, call, c, f, rest),
        Err(Raised) => call.raised(vm),
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

struct Iter {
    /// Variables and values in turn.
    entries: Field,
    /// The next entry's.
    index: Cell<usize>,
}

impl Payload for Iter {
    const NAME: &'static str = "context iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Iter { entries, index: _ } = self;
        entries.trace(t);
    }
}

native_type! {
    KEYS: "keys", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| Ok::<_, Raised>(next(&it)?.map_or(vm.stop(), |(k, _)| k));
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

native_type! {
    VALUES: "values", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| Ok::<_, Raised>(next(&it)?.map_or(vm.stop(), |(_, v)| v));
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

native_type! {
    ITEMS: "items", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| match next(&it)? {
            Some((k, v)) => vm.tuple(&[k, v]),
            None => Ok(vm.stop()),
        };
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

fn iterate(vm: &Vm, c: ContextRef, def: &'static crate::native::TypeDef) -> R<Value> {
    let entries = map::entries(vm, c.map())?;
    let payload = Iter { entries: Field::new(Some(entries.value())), index: Cell::new(0) };
    Ok(Ext::new(vm, ext_type(vm, def)?, payload)?.value())
}

fn entries(it: &ExtArg<Iter>) -> Ref<List> {
    // SAFETY: an iterator is made with a list and keeps it.
    unsafe { it.0.entries.value().cast_unchecked() }
}

fn next(it: &ExtArg<Iter>) -> R<Option<(Value, Value)>> {
    let (list, i) = (entries(it), it.0.index.get());
    let (Some(k), Some(v)) = (list.get(i), list.get(i + 1)) else { return Ok(None) };
    it.0.index.set(i + 2);
    Ok(Some((k, v)))
}

pub(crate) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_contextvars", FUNCTIONS)?;
    let (variable, token) = variable::types(vm)?;
    m.dict().set_name(vm, "Context", ext_type(vm, &CONTEXT)?.value())?;
    m.dict().set_name(vm, "ContextVar", variable.value())?;
    m.dict().set_name(vm, "Token", token.value())?;
    Ok(m)
}
