//! `_contextvars`: context variables.
//!
//! The context that is current belongs to the microthread (`skein_runtime::context::Context::variables`), so
//! that nothing is to be done at a switch. A microthread without one has an empty context that is
//! made when it is needed.

mod map;
mod variable;

use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::variables::{ContextRef, Variables, alloc, context_of, current, run_in, run_in_soft};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;
use variable::Variable;

native_type! {
    pub CONTEXT: "_contextvars.Context", Kind::Ext, type_flags::HAS_WEAKREF;
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
            map::get(map::of(c.0), key(vm, k)?).ok_or_else(|| vm.key_error(k))
        };
        "__contains__($self, key, /)" => |vm: &Vm, c: ExtArg<Variables>, k: Value| -> R<bool> {
            Ok(map::get(map::of(c.0), key(vm, k)?).is_some())
        };
        "__eq__($self, value, /)" => |vm: &Vm, a: ExtArg<Variables>, b: Value| compare(vm, a.0, b, true);
        "__ne__($self, value, /)" => |vm: &Vm, a: ExtArg<Variables>, b: Value| compare(vm, a.0, b, false);
    }
}

native_functions! { FUNCTIONS:
    "copy_context()" => |vm: &Vm| current(vm).and_then(|c| copy(vm, c)), "A copy of the current context.";
}

fn copy(vm: &Vm, c: ContextRef) -> R<ContextRef> {
    alloc(vm, c.root.get(), c.len())
}

fn set_map(vm: &Vm, c: ContextRef, map: map::Map, len: usize) {
    c.root.set(vm, c, map.map(Value::from));
    c.len.set(len);
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
    Ok(map::get(map::of(c.0), key(vm, k)?).unwrap_or(default.unwrap_or(Value::NONE)))
}

fn compare(vm: &Vm, a: ContextRef, b: Value, sense: bool) -> R<Value> {
    let Some(b) = b.cast::<Ext<Variables>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(Value::bool(equal(vm, a, b)? == sense))
}

fn equal(vm: &Vm, a: ContextRef, b: ContextRef) -> R<bool> {
    if map::of(a) == map::of(b) {
        return Ok(true);
    }
    if a.len() != b.len() {
        return Ok(false);
    }
    // Both in the same order; the values' comparison may run anything, so these are copies.
    let (left, right) = (map::entries(vm, map::of(a))?, map::entries(vm, map::of(b))?);
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

/// In the loop, the function's frame is pushed with a record that leads to [`leave`].
fn run_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match run_arguments(vm, call.args) {
        Ok((c, f, rest)) => run_in_soft(vm, call, c, f, rest),
        Err(Raised) => call.raised(vm),
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
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| Ok::<_, Raised>(next(&it)?.map_or(vm.stop(), |(k, _)| k));
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

native_type! {
    VALUES: "values", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| Ok::<_, Raised>(next(&it)?.map_or(vm.stop(), |(_, v)| v));
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

native_type! {
    ITEMS: "items", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Iter>| match next(&it)? {
            Some((k, v)) => vm.tuple(&[k, v]),
            None => Ok(vm.stop()),
        };
        "__len__($self, /)" => |_: &Vm, it: ExtArg<Iter>| entries(&it).len() / 2;
    }
}

fn iterate(vm: &Vm, c: ContextRef, def: &'static skein_runtime::native::TypeDef) -> R<Value> {
    let entries = map::entries(vm, map::of(c))?;
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
