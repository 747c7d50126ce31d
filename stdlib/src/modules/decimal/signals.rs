//! Signals and conditions: their exception classes, and the mapping of a context's flags or traps.

use super::State;
use super::context::Context;
use super::number::status::*;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};
use std::cell::Cell;

/// A signal, or a condition of one.
pub struct Signal {
    pub name: &'static str,
    pub mask: u32,
}

/// In the order in which they are raised.
pub const SIGNALS: [Signal; 9] = [
    Signal { name: "InvalidOperation", mask: ALL_INVALID },
    Signal { name: "FloatOperation", mask: FLOAT_OPERATION },
    Signal { name: "DivisionByZero", mask: DIVISION_BY_ZERO },
    Signal { name: "Overflow", mask: OVERFLOW },
    Signal { name: "Underflow", mask: UNDERFLOW },
    Signal { name: "Subnormal", mask: SUBNORMAL },
    Signal { name: "Inexact", mask: INEXACT },
    Signal { name: "Rounded", mask: ROUNDED },
    Signal { name: "Clamped", mask: CLAMPED },
];

/// What signals InvalidOperation.
pub const CONDITIONS: [Signal; 5] = [
    Signal { name: "InvalidOperation", mask: INVALID_OPERATION },
    Signal { name: "ConversionSyntax", mask: CONVERSION_SYNTAX },
    Signal { name: "DivisionImpossible", mask: DIVISION_IMPOSSIBLE },
    Signal { name: "DivisionUndefined", mask: DIVISION_UNDEFINED },
    Signal { name: "InvalidContext", mask: INVALID_CONTEXT },
];

/// The name of the first signal of a mask.
pub fn first(mask: u32) -> &'static str {
    SIGNALS.iter().find(|s| s.mask & mask != 0).map_or("DecimalException", |s| s.name)
}

pub fn class_of(vm: &Vm, name: &str) -> R<Value> {
    vm.state::<State>().exception(vm, name)
}

fn rows<'a>(vm: &Vm, all: impl Iterator<Item = &'a Signal>, mask: u32) -> R<Value> {
    let list = List::new(vm, &[])?;
    for signal in all.filter(|s| s.mask & mask != 0) {
        list.push(vm, class_of(vm, signal.name)?)?;
    }
    Ok(list.value())
}

/// The signals of a mask, as a list of classes. MemoryError.
pub fn list(vm: &Vm, mask: u32) -> R<Value> {
    rows(vm, SIGNALS.iter(), mask)
}

/// The same with the conditions of InvalidOperation in its place. MemoryError.
pub fn conditions(vm: &Vm, mask: u32) -> R<Value> {
    rows(vm, CONDITIONS.iter().chain(&SIGNALS[1..]), mask)
}

#[cold]
fn no_signal(vm: &Vm) -> Raised {
    let text = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";
    match vm.str(text) {
        Ok(text) => vm.key_error(text),
        Err(e) => e,
    }
}

/// The mask of a signal's class. KeyError.
fn mask_of(vm: &Vm, v: Value) -> R<u32> {
    for signal in &SIGNALS {
        if class_of(vm, signal.name)?.is(v) {
            return Ok(signal.mask);
        }
    }
    Err(no_signal(vm))
}

/// The mask that a list of signals says. KeyError.
pub fn list_argument(vm: &Vm, list: Ref<List>) -> R<u32> {
    let mut mask = 0;
    for i in 0..list.len() {
        mask |= mask_of(vm, list.get(i).unwrap_or(Value::NONE))?;
    }
    Ok(mask)
}

/// The mask that a dict of all signals, or a context's mapping says. TypeError, KeyError, ValueError.
pub fn dict_argument(vm: &Vm, v: Value) -> R<u32> {
    if let Some(dict) = v.cast::<Ext<SignalDict>>() {
        return dict.mask(vm);
    }
    let Some(dict) = v.cast::<Dict>() else {
        return Err(vm.type_error("argument must be a signal dict"));
    };
    let invalid = || -> R<u32> { Err(vm.key_error(vm.str("invalid signal dict")?)) };
    if dict.len() != SIGNALS.len() {
        return invalid();
    }
    let mut mask = 0;
    for signal in &SIGNALS {
        match dict.get(vm, class_of(vm, signal.name)?)? {
            Some(v) if vm.truth(v)? => mask |= signal.mask,
            Some(_) => {}
            None => return invalid(),
        }
    }
    Ok(mask)
}

/// A context's flags, or its traps, as a mapping.
pub struct SignalDict {
    context: Field,
    traps: bool,
}

impl Payload for SignalDict {
    const NAME: &'static str = "decimal.SignalDictMixin";
    fn trace(&self, t: &mut Tracer<'_>) {
        let SignalDict { context, traps: _ } = self;
        context.trace(t);
    }
}

impl SignalDict {
    pub fn new(context: Ref<Ext<Context>>, traps: bool) -> SignalDict {
        SignalDict { context: Field::new(Some(context.value())), traps }
    }

    /// ValueError for one that is no context's.
    fn cell(&self, vm: &Vm) -> R<&Cell<u32>> {
        let Some(c) = self.context.cast::<Ext<Context>>() else {
            return Err(vm.value_error("invalid signal dict"));
        };
        // SAFETY: the context lives as long as the mapping, which leads to it.
        let c = unsafe { &*c.as_ptr() };
        Ok(if self.traps { &c.traps } else { &c.flags })
    }

    fn mask(&self, vm: &Vm) -> R<u32> {
        self.cell(vm).map(Cell::get)
    }
}

type This = ExtArg<SignalDict>;

native_type! {
    pub SIGNAL_DICT: "decimal.SignalDictMixin", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            let class = class_argument(vm, &args, ext_type(vm, &SIGNAL_DICT)?)?;
            Ok(Ext::new(vm, class, SignalDict { context: Field::new(None), traps: false })?.value())
        };
        "__getitem__($self, key, /)" => |vm: &Vm, d: This, key: Value| -> R<bool> { Ok(d.0.mask(vm)? & mask_of(vm, key)? != 0) };
        "__setitem__($self, key, value, /)" => |vm: &Vm, d: This, key: Value, v: Value| -> R<()> {
            d.0.mask(vm)?;
            let signal = mask_of(vm, key)?;
            let on = vm.truth(v)?;
            let cell = d.0.cell(vm)?;
            cell.set(if on { cell.get() | signal } else { cell.get() & !signal });
            Ok(())
        };
        "__delitem__($self, key, /)" => |vm: &Vm, _: This, _: Value| -> R<()> { Err(vm.value_error("signal keys cannot be deleted")) };
        "__iter__($self, /)" => |vm: &Vm, d: This| -> R<Value> { d.0.mask(vm)?; vm.call_method(list(vm, !0)?, "__iter__", &[]) };
        "__len__($self, /)" => |vm: &Vm, d: This| -> R<usize> { d.0.mask(vm)?; Ok(SIGNALS.len()) };
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, d: This, other: Value| equal(vm, d.0, other, true);
        "__ne__($self, value, /)" => |vm: &Vm, d: This, other: Value| equal(vm, d.0, other, false);
        "copy($self, /)" => copy;
    }
}

fn repr(vm: &Vm, d: This) -> R<String> {
    let mask = d.0.mask(vm)?;
    let mut shown = Vec::new();
    for signal in &SIGNALS {
        let on = if signal.mask & mask != 0 { "True" } else { "False" };
        vm.push(&mut shown, format!("{}:{on}", vm.repr_string(class_of(vm, signal.name)?)?))?;
    }
    Ok(format!("{{{}}}", shown.join(", ")))
}

fn copy(vm: &Vm, d: This) -> R<Value> {
    let (made, mask) = (Dict::new(vm)?, d.0.mask(vm)?);
    for signal in &SIGNALS {
        made.set(vm, class_of(vm, signal.name)?, Value::bool(mask & signal.mask != 0))?;
    }
    Ok(made.value())
}

fn equal(vm: &Vm, d: Ref<Ext<SignalDict>>, other: Value, sense: bool) -> R<Value> {
    // Which condition has signalled InvalidOperation does not matter.
    let set = |mask: u32| SIGNALS.map(|s| s.mask & mask != 0);
    let own = d.mask(vm)?;
    if let Some(other) = other.cast::<Ext<SignalDict>>() {
        return Ok(Value::bool((set(own) == set(other.mask(vm)?)) == sense));
    }
    if other.cast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match vm.absorb(dict_argument(vm, other), vm.exc.key_error)? {
        Some(mask) => Ok(Value::bool((set(own) == set(mask)) == sense)),
        None => Ok(Value::bool(!sense)),
    }
}
