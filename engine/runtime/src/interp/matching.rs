//! The ops of the `match` statement.

use crate::interp::At;
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::Vm;

/// Whether the first type in the MRO that is for patterns of sequences or mappings is for this kind.
fn has_flag(vm: &Vm, v: Value, flag: u32) -> bool {
    const BOTH: u32 = type_flags::SEQUENCE | type_flags::MAPPING;
    let mro = vm.type_of(v).mro();
    let mut types = mro.items().iter().filter_map(|t| t.cast::<Type>());
    types.find(|t| t.has_flag(BOTH)).is_some_and(|t| t.has_flag(flag))
}

pub fn sequence(vm: &Vm, at: At) -> R<At> {
    at.set(at.a(), Value::bool(has_flag(vm, at.reg(at.b()), type_flags::SEQUENCE)));
    Ok(at.skip(1))
}

pub fn mapping(vm: &Vm, at: At) -> R<At> {
    at.set(at.a(), Value::bool(has_flag(vm, at.reg(at.b()), type_flags::MAPPING)));
    Ok(at.skip(1))
}

pub fn len(vm: &Vm, at: At) -> R<At> {
    let n = vm.len(at.reg(at.b()))?;
    at.set(at.a(), vm.int(n as i64)?);
    Ok(at.skip(1))
}

/// The tuple that the compiler has put there.
fn tuple_at(at: At, i: usize) -> Ref<Tuple> {
    // SAFETY: the compiler emits these ops on tuples only.
    unsafe { at.reg(i).cast_unchecked() }
}

pub fn keys(vm: &Vm, at: At) -> R<At> {
    let (subject, keys) = (at.reg(at.b()), tuple_at(at, at.c()));
    let seen = Set::new(vm)?;
    let values = List::with_capacity(vm, keys.len())?;
    let is_dict = vm.type_of(subject) == vm.types.dict;
    let get = if is_dict { Value::NONE } else { vm.get_attr(subject, vm.names.get)? };
    let missing = vm.new_plain_object()?;
    for &k in keys.items() {
        if !seen.add(vm, k)? {
            return Err(
                vm.value_error(format!("mapping pattern checks duplicate key ({})", vm.repr_string(k)?))
            );
        }
        let v = match subject.cast::<Dict>() {
            Some(d) if is_dict => d.get(vm, k)?.unwrap_or(missing),
            _ => vm.call(get, &[k, missing])?,
        };
        if v.is(missing) {
            at.set(at.a(), Value::NONE);
            return Ok(at.skip(1));
        }
        values.push(vm, v)?;
    }
    let t = Tuple::new(vm, values.items())?;
    at.set(at.a(), t.value());
    Ok(at.skip(1))
}

pub fn rest(vm: &Vm, at: At) -> R<At> {
    let d = Dict::new(vm)?;
    let subject = at.reg(at.b());
    match subject.cast::<Dict>() {
        Some(from) if vm.type_of(subject) == vm.types.dict => d.update(vm, from)?,
        _ => {
            let keys = vm.call(vm.get_attr(subject, vm.names.keys)?, &[])?;
            vm.for_each(keys, |k| d.set(vm, k, vm.get_item(subject, k)?))?;
        }
    }
    for &k in tuple_at(at, at.c()).items() {
        d.delete(vm, k)?;
    }
    at.set(at.a(), d.value());
    Ok(at.skip(1))
}

pub fn class(vm: &Vm, at: At) -> R<At> {
    let b = at.b();
    let (subject, class, names, positional) = (at.reg(b), at.reg(b + 1), tuple_at(at, b + 2), at.c());
    let found = match_class(vm, subject, class, names, positional)?;
    at.set(at.a(), found.map_or(Value::NONE, |t| t.value()));
    Ok(at.skip(1))
}

fn match_class(
    vm: &Vm,
    subject: Value,
    class: Value,
    names: Ref<Tuple>,
    positional: usize,
) -> R<Option<Ref<Tuple>>> {
    let Some(ty) = class.cast::<Type>() else {
        return Err(vm.type_error("called match pattern must be a class"));
    };
    if !vm.is_instance(subject, class)? {
        return Ok(None);
    }
    let seen = Set::new(vm)?;
    let values = List::with_capacity(vm, positional + names.len())?;
    let take = |name: Value| -> R<bool> {
        let Some(n) = name.cast::<Str>() else {
            return Err(vm.type_error(format!(
                "__match_args__ elements must be strings (got {})",
                vm.type_name(name)
            )));
        };
        if !seen.add(vm, name)? {
            return Err(vm.type_error(format!(
                "{}() got multiple sub-patterns for attribute {}",
                ty.name_string(),
                vm.repr_string(name)?
            )));
        }
        match vm.find_attr(subject, vm.intern_str(n))? {
            Some(v) => values.push(vm, v).map(|()| true),
            None => Ok(false),
        }
    };
    if positional > 0 {
        let match_args = vm.find_attr(class, vm.names.__match_args__)?;
        let match_self = match_args.is_none() && is_match_self(vm, ty);
        let args = match match_args {
            Some(a) => match a.cast::<Tuple>() {
                Some(t) => t,
                None => {
                    return Err(vm.type_error(format!(
                        "{}.__match_args__ must be a tuple (got {})",
                        ty.name_string(),
                        vm.type_name(a)
                    )));
                }
            },
            None => Tuple::new(vm, &[])?,
        };
        let allowed = if match_self { 1 } else { args.len() };
        if positional > allowed {
            return Err(vm.type_error(format!(
                "{}() accepts {allowed} positional sub-pattern{} ({positional} given)",
                ty.name_string(),
                if allowed == 1 { "" } else { "s" }
            )));
        }
        if match_self {
            values.push(vm, subject)?;
        } else {
            for &name in &args.items()[..positional] {
                if !take(name)? {
                    return Ok(None);
                }
            }
        }
    }
    for &name in names.items() {
        if !take(name)? {
            return Ok(None);
        }
    }
    Tuple::new(vm, values.items()).map(Some)
}

/// A builtin whose positional pattern matches the subject itself, or a subclass of one.
fn is_match_self(_vm: &Vm, ty: Ref<Type>) -> bool {
    ty.mro().items().iter().any(|t| t.cast::<Type>().is_some_and(|t| t.has_flag(type_flags::MATCH_SELF)))
}
