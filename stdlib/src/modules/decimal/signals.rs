//! Signals and conditions: their exception classes, and the mapping of a context's flags or traps.

use super::State;
use super::context::Context;
use super::number::status::*;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};

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

/// The mask that a list of signals, a dict of all of them, or another context's mapping says. TypeError, KeyError.
pub fn mask_argument(vm: &Vm, v: Value) -> R<u32> {
    if let Some(dict) = v.cast::<Ext<SignalDict>>() {
        return Ok(dict.mask());
    }
    if let Some(list) = v.cast::<List>() {
        let mut mask = 0;
        for i in 0..list.len() {
            mask |= mask_of(vm, list.get(i).unwrap_or(Value::NONE))?;
        }
        return Ok(mask);
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

    fn mask(&self) -> u32 {
        let context = self.context.cast::<Ext<Context>>();
        context.map_or(0, |c| if self.traps { c.traps.get() } else { c.flags.get() })
    }

    fn set(&self, signal: u32, on: bool) {
        let Some(c) = self.context.cast::<Ext<Context>>() else { return };
        let cell = if self.traps { &c.traps } else { &c.flags };
        cell.set(if on { cell.get() | signal } else { cell.get() & !signal });
    }
}

type This = ExtArg<SignalDict>;

native_type! {
    pub SIGNAL_DICT: "decimal.SignalDictMixin", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> {
            Err(vm.type_error("cannot create 'SignalDict' instances"))
        };
        "__getitem__($self, key, /)" => |vm: &Vm, d: This, key: Value| -> R<bool> { Ok(d.0.mask() & mask_of(vm, key)? != 0) };
        "__setitem__($self, key, value, /)" => |vm: &Vm, d: This, key: Value, v: Value| -> R<()> {
            let signal = mask_of(vm, key)?;
            let on = vm.truth(v)?;
            d.0.set(signal, on);
            Ok(())
        };
        "__delitem__($self, key, /)" => |vm: &Vm, _: This, _: Value| -> R<()> { Err(vm.value_error("signal keys cannot be deleted")) };
        "__iter__($self, /)" => |vm: &Vm, _: This| -> R<Value> { vm.call_method(list(vm, !0)?, "__iter__", &[]) };
        "__len__($self, /)" => |_: &Vm, _: This| SIGNALS.len();
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, d: This, other: Value| equal(vm, d.0, other, true);
        "__ne__($self, value, /)" => |vm: &Vm, d: This, other: Value| equal(vm, d.0, other, false);
        "copy($self, /)" => copy;
    }
}

fn repr(vm: &Vm, d: This) -> R<String> {
    let mask = d.0.mask();
    let mut shown = Vec::new();
    for signal in &SIGNALS {
        let on = if signal.mask & mask != 0 { "True" } else { "False" };
        vm.push(&mut shown, format!("{}:{on}", vm.repr_string(class_of(vm, signal.name)?)?))?;
    }
    Ok(format!("{{{}}}", shown.join(", ")))
}

fn copy(vm: &Vm, d: This) -> R<Value> {
    let made = Dict::new(vm)?;
    for signal in &SIGNALS {
        made.set(vm, class_of(vm, signal.name)?, Value::bool(d.0.mask() & signal.mask != 0))?;
    }
    Ok(made.value())
}

fn equal(vm: &Vm, d: Ref<Ext<SignalDict>>, other: Value, sense: bool) -> R<Value> {
    // Which condition has signalled InvalidOperation does not matter.
    let set = |mask: u32| SIGNALS.map(|s| s.mask & mask != 0);
    if let Some(other) = other.cast::<Ext<SignalDict>>() {
        return Ok(Value::bool((set(d.mask()) == set(other.mask())) == sense));
    }
    if other.cast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match vm.absorb(mask_argument(vm, other), vm.exc.key_error)? {
        Some(mask) => Ok(Value::bool((set(d.mask()) == set(mask)) == sense)),
        None => Ok(Value::bool(!sense)),
    }
}
