//! Displays, strings and formatting.

use crate::interp::At;
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::set::Set;
use crate::types::slice::Slice;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

pub fn tuple(vm: &Vm, at: At) -> R<At> {
    let t = Tuple::new(vm, at.row(at.b(), at.c()))?;
    at.set(at.a(), t.value());
    Ok(at.skip(1))
}

pub fn list(vm: &Vm, at: At) -> R<At> {
    let l = List::new(vm, at.row(at.b(), at.c()))?;
    at.set(at.a(), l.value());
    Ok(at.skip(1))
}

pub fn set(vm: &Vm, at: At) -> R<At> {
    let s = Set::new(vm)?;
    for &v in at.row(at.b(), at.c()) {
        s.add(vm, v)?;
    }
    at.set(at.a(), s.value());
    Ok(at.skip(1))
}

pub fn map(vm: &Vm, at: At) -> R<At> {
    let d = Dict::of_pairs(vm, at.row(at.b(), 2 * at.c()))?;
    at.set(at.a(), d.value());
    Ok(at.skip(1))
}

pub fn slice(vm: &Vm, at: At) -> R<At> {
    let b = at.b();
    let s = Slice::new(vm, at.reg(b), at.reg(b + 1), at.reg(b + 2))?;
    at.set(at.a(), s.value());
    Ok(at.skip(1))
}

pub fn string(vm: &Vm, at: At) -> R<At> {
    let row = at.row(at.b(), at.c());
    let parts = || row.iter().filter_map(|v| v.cast::<Str>());
    // Text that is in memory has lengths whose sum is far from an overflow.
    let (len, chars) = parts().fold((0, 0), |(len, chars), s| (len + s.bytes().len(), chars + s.char_len()));
    let s = Str::build(vm, len, chars, |to| {
        let mut end = 0;
        for s in parts() {
            let from = s.bytes();
            to[end..end + from.len()].copy_from_slice(from);
            end += from.len();
        }
    })?;
    at.set(at.a(), s.value());
    Ok(at.skip(1))
}

/// An operand that the compiler has made to be of this type.
fn list_at(at: At, i: usize) -> Ref<List> {
    // SAFETY: the compiler emits these ops on displays under construction only.
    unsafe { at.reg(i).cast_unchecked() }
}

fn set_at(at: At, i: usize) -> Ref<Set> {
    // SAFETY: as in `list_at`.
    unsafe { at.reg(i).cast_unchecked() }
}

fn dict_at(at: At, i: usize) -> Ref<Dict> {
    // SAFETY: as in `list_at`.
    unsafe { at.reg(i).cast_unchecked() }
}

pub fn list_append(vm: &Vm, at: At) -> R<At> {
    list_at(at, at.a()).push(vm, at.reg(at.b()))?;
    Ok(at.skip(1))
}

pub fn list_extend(vm: &Vm, at: At) -> R<At> {
    let (list, items) = (list_at(at, at.a()), at.reg(at.b()));
    let ty = vm.type_of(items);
    if ty.special(vm, Special::Iter).is_none() && ty.special(vm, Special::GetItem).is_none() {
        return Err(vm.type_error(format!("Value after * must be an iterable, not {}", ty.name_string())));
    }
    vm.for_each(items, |v| list.push(vm, v))?;
    Ok(at.skip(1))
}

pub fn set_add(vm: &Vm, at: At) -> R<At> {
    set_at(at, at.a()).add(vm, at.reg(at.b()))?;
    Ok(at.skip(1))
}

pub fn set_update(vm: &Vm, at: At) -> R<At> {
    let set = set_at(at, at.a());
    vm.for_each(at.reg(at.b()), |v| set.add(vm, v).map(|_| ()))?;
    Ok(at.skip(1))
}

pub fn map_add(vm: &Vm, at: At) -> R<At> {
    dict_at(at, at.a()).set(vm, at.reg(at.b()), at.reg(at.c()))?;
    Ok(at.skip(1))
}

/// Calls `f` with the entries of any mapping; None if it is no mapping.
fn mapping_entries(vm: &Vm, m: Value, mut f: impl FnMut(Value, Value) -> R<()>) -> R<Option<()>> {
    if let Some(d) = m.cast::<Dict>()
        && vm.type_of(m) == vm.types.dict
    {
        let mut i = 0;
        while i < d.fill() {
            if let Some((k, v)) = d.entry(i) {
                f(k, v)?;
            }
            i += 1;
        }
        return Ok(Some(()));
    }
    let Some(keys) = vm.find_attr(m, vm.names.keys)? else { return Ok(None) };
    let keys = vm.call(keys, &[])?;
    vm.for_each(keys, |k| {
        let v = vm.get_item(m, k)?;
        f(k, v)
    })?;
    Ok(Some(()))
}

/// Adds all that another plain dict has to one that was made just now, if no code has to be run for that.
fn filled_at_once(vm: &Vm, d: Ref<Dict>, m: Value) -> R<bool> {
    match m.cast::<Dict>().filter(|_| vm.type_of(m) == vm.types.dict) {
        Some(other) => d.update_plainly(vm, other),
        None => Ok(false),
    }
}

pub fn map_update(vm: &Vm, at: At) -> R<At> {
    let (d, m) = (dict_at(at, at.a()), at.reg(at.b()));
    if filled_at_once(vm, d, m)? {
        return Ok(at.skip(1));
    }
    match mapping_entries(vm, m, |k, v| d.set(vm, k, v))? {
        Some(()) => Ok(at.skip(1)),
        None => Err(vm.type_error(format!("'{}' object is not a mapping", vm.type_name(m)))),
    }
}

pub fn map_merge(vm: &Vm, at: At) -> R<At> {
    let (d, m, callee) = (dict_at(at, at.a()), at.reg(at.b()), at.reg(at.c()));
    let all_names = |m: Ref<Dict>| m.iter().all(|(k, _)| k.cast::<Str>().is_some());
    if d.fill() == 0 && m.cast::<Dict>().is_some_and(all_names) && filled_at_once(vm, d, m)? {
        return Ok(at.skip(1));
    }
    let merged = mapping_entries(vm, m, |k, v| {
        let Some(name) = k.cast::<Str>() else {
            return Err(vm.type_error("keywords must be strings"));
        };
        if d.contains(vm, k)? {
            return Err(vm.type_error(format!(
                "{} got multiple values for keyword argument '{}'",
                vm.callable_text(callee),
                name.to_string_lossy()
            )));
        }
        d.set(vm, k, v)
    })?;
    match merged {
        Some(()) => Ok(at.skip(1)),
        None => Err(vm.type_error(format!(
            "{} argument after ** must be a mapping, not {}",
            vm.callable_text(callee),
            vm.type_name(m)
        ))),
    }
}

pub fn list_to_tuple(vm: &Vm, at: At) -> R<At> {
    let t = Tuple::new(vm, list_at(at, at.b()).items())?;
    at.set(at.a(), t.value());
    Ok(at.skip(1))
}

pub fn interpolation(vm: &Vm, at: At) -> R<At> {
    let b = at.b();
    let v = (vm.builtin.interpolation)(vm, at.reg(b), at.reg(b + 1), at.c(), at.reg(b + 2))?;
    at.set(at.a(), v);
    Ok(at.skip(1))
}

pub fn template(vm: &Vm, at: At) -> R<At> {
    let v = (vm.builtin.template)(vm, at.reg(at.b()), at.reg(at.c()))?;
    at.set(at.a(), v);
    Ok(at.skip(1))
}
