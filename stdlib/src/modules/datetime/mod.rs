//! `_datetime`: dates, times, durations and time zones.

mod calendar;
mod date;
mod delta;
mod iso;
mod local;
mod moment;
mod parse;
mod text;
mod time;
mod zone;

use super::support::holds;
use skein_bytecode::Special;
use skein_runtime::native::TypeDef;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::{Ext, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm, native_functions};
use std::cell::Cell;

/// `timezone.utc`, which `Vm::roots` keeps.
#[derive(Default)]
struct State {
    utc: Cell<Option<Value>>,
}

/// The type of a declaration of this module. MemoryError.
fn make_type(vm: &Vm, def: &'static TypeDef) -> R<Ref<Type>> {
    ext_type(vm, def)
}

/// A base, which [`make`] has made before the types that have it.
fn base(vm: &Vm, def: &'static TypeDef) -> Ref<Type> {
    ext_type(vm, def).unwrap_or(vm.types.object)
}

/// Is it the class itself, and no subclass?
fn is_exact(class: Ref<Type>, def: &'static TypeDef) -> bool {
    class.def().is_some_and(|d| std::ptr::eq(d, def))
}

/// What cannot be compared is not equal, and in no order. TypeError.
fn exception_to_equality(vm: &Vm, op: Special, message: &str) -> R<Value> {
    match op {
        Special::Eq => Ok(Value::FALSE),
        Special::Ne => Ok(Value::TRUE),
        _ => Err(vm.type_error(message)),
    }
}

#[cold]
fn year_error(vm: &Vm, year: i64) -> Raised {
    let (first, last) = (calendar::MIN_YEAR, calendar::MAX_YEAR);
    vm.value_error(format!("year must be in {first}..{last}, not {year}"))
}

/// TypeError for the receiver of a method.
#[cold]
fn not_of(vm: &Vm, method: &str, class: &str, got: Value) -> Raised {
    let got = vm.type_name(got);
    vm.type_error(format!("descriptor '{method}' for '{class}' objects doesn't apply to a '{got}' object"))
}

native_functions! { FUNCTIONS: }

/// The limits and units that the classes have as attributes. MemoryError.
fn fill_classes(vm: &Vm) -> R<()> {
    let delta = |micros: i128| delta::from_micros(vm, micros);
    let set = |def: &'static TypeDef, name: &str, v: Value| -> R<()> {
        let ty = make_type(vm, def)?;
        ty.dict().set_name(vm, name, v)?;
        ty.modified(vm);
        Ok(())
    };
    let day = i128::from(delta::MICROS_PER_DAY);
    set(&delta::DELTA, "min", delta(-999_999_999 * day)?)?;
    set(&delta::DELTA, "max", delta(1_000_000_000 * day - 1)?)?;
    set(&delta::DELTA, "resolution", delta(1)?)?;
    let first = calendar::Day::of_ordinal(1);
    let last = calendar::Day::of_ordinal(calendar::MAX_ORDINAL);
    let midnight = time::Clock::default();
    let end = time::Clock::of_micros(delta::MICROS_PER_DAY - 1);
    let date_type = make_type(vm, &date::DATE)?;
    set(&date::DATE, "min", date::allocate(vm, date_type, first)?.value())?;
    set(&date::DATE, "max", date::allocate(vm, date_type, last)?.value())?;
    set(&date::DATE, "resolution", delta(day)?)?;
    set(&time::TIME, "min", time::plain(vm, midnight, false, None)?)?;
    set(&time::TIME, "max", time::plain(vm, end, false, None)?)?;
    set(&time::TIME, "resolution", delta(1)?)?;
    let moment_type = make_type(vm, &moment::MOMENT)?;
    set(&moment::MOMENT, "min", moment::allocate(vm, moment_type, first, midnight, None)?.value())?;
    set(&moment::MOMENT, "max", moment::allocate(vm, moment_type, last, end, None)?.value())?;
    set(&moment::MOMENT, "resolution", delta(1)?)?;
    let zone = |minutes: i128| -> R<Value> {
        match delta(minutes * 60 * i128::from(delta::MICROS_PER_SECOND))?.cast::<Ext<delta::Delta>>() {
            Some(offset) => zone::make(vm, offset, None),
            None => Ok(Value::NONE),
        }
    };
    let utc = zone(0)?;
    vm.roots.borrow_mut().push(utc);
    vm.state::<State>().utc.set(Some(utc));
    set(&zone::TIMEZONE, "utc", utc)?;
    const MINUTES: i128 = 24 * 60 - 1;
    set(&zone::TIMEZONE, "min", zone(-MINUTES)?)?;
    set(&zone::TIMEZONE, "max", zone(MINUTES)?)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_datetime", FUNCTIONS)?;
    // In the order of their bases.
    let classes = [
        ("timedelta", &delta::DELTA),
        ("date", &date::DATE),
        ("datetime", &moment::MOMENT),
        ("time", &time::TIME),
        ("tzinfo", &zone::TZINFO),
        ("timezone", &zone::TIMEZONE),
    ];
    for (name, def) in classes {
        m.dict().set_name(vm, name, make_type(vm, def)?.value())?;
    }
    if vm.state::<State>().utc.get().is_none() {
        fill_classes(vm)?;
    }
    m.dict().set_name(vm, "MINYEAR", Value::small_int(calendar::MIN_YEAR.into()))?;
    m.dict().set_name(vm, "MAXYEAR", Value::small_int(calendar::MAX_YEAR.into()))?;
    m.dict().set_name(vm, "UTC", zone::utc(vm)?)?;
    Ok(m)
}
