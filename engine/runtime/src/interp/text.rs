//! Text of values: what f-strings do.

use crate::interp::call::{call_special_1, call_special_2};
use crate::interp::result::deliver;
use crate::interp::{At, Cont, ContKind};
use crate::types::int::decimal_str;
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

/// `!s`, `!r` and `!a`.
pub fn to_str(vm: &Vm, at: At) -> R<At> {
    let (v, cont) = (at.reg(at.b()), Cont::store(at.a()));
    match at.c() {
        1 if vm.is_exact_str(v) => deliver(vm, at.skip(1), cont, v),
        1 | 2 if v.is_int() => {
            at.set(at.a(), decimal_str(vm, v.as_small_int())?.value());
            Ok(at.skip(1))
        }
        1 => by(vm, at.skip(1), v, Special::Str, cont),
        2 => by(vm, at.skip(1), v, Special::Repr, cont),
        _ => deliver(vm, at.skip(1), cont, vm.ascii(v)?.value()),
    }
}

/// By `__str__` or `__repr__`.
fn by(vm: &Vm, resume: At, v: Value, op: Special, cont: Cont) -> R<At> {
    let ty = vm.type_of(v);
    let mut f = ty.special(vm, op);
    // `object.__str__` asks `__repr__`, which may be Python's.
    if op == Special::Str && f.is_some_and(|f| vm.known.is_object_str(f)) {
        f = ty.special(vm, Special::Repr);
    }
    let Some(f) = f else {
        return Err(vm.type_error(format!("'{}' object has no {}", ty.name_string(), op.name())));
    };
    call_special_1(vm, resume, f, v, cont.kind(ContKind::Text).op(op, 0))
}

/// A replacement field's value with its format.
pub fn format_value(vm: &Vm, at: At) -> R<At> {
    let (v, spec) = (at.reg(at.b()), at.reg(at.c()));
    let (resume, cont) = (at.skip(1), Cont::store(at.a()));
    let plain = spec.is_unbound() || spec.cast::<Str>().is_some_and(|s| s.bytes().is_empty());
    if plain && vm.is_exact_str(v) {
        return deliver(vm, resume, cont, v);
    }
    if plain && v.is_int() {
        at.set(at.a(), decimal_str(vm, v.as_small_int())?.value());
        return Ok(resume);
    }
    let ty = vm.type_of(v);
    let Some(f) = ty.special(vm, Special::Format) else {
        return Err(vm.type_error(format!("Type {} doesn't define __format__", ty.name_string())));
    };
    if plain && (vm.known.is_object_format(f) || ty == vm.types.float) {
        return by(vm, resume, v, Special::Str, cont);
    }
    let spec = if spec.is_unbound() { vm.intern("")?.value() } else { spec };
    call_special_2(vm, resume, f, v, spec, cont.kind(ContKind::Text).op(Special::Format, 0))
}

/// What `__format__`, `__str__` or `__repr__` returned must be a str.
pub fn check(vm: &Vm, op: Special, v: Value) -> R<()> {
    if v.cast::<Str>().is_some() {
        return Ok(());
    }
    Err(vm.type_error(match op {
        Special::Format => format!("__format__ must return a str, not {}", vm.type_name(v)),
        _ => format!("{} returned non-string (type {})", op.name(), vm.type_name(v)),
    }))
}
