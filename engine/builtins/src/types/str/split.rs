//! `str`: cutting and joining.

use super::{exact, part};
use crate::types::rows;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

fn list_of(vm: &Vm, s: Ref<Str>, parts: &rows::Parts) -> R<Ref<List>> {
    let list = List::with_capacity(vm, parts.len())?;
    for &(start, end) in parts.as_slice() {
        let piece = part(vm, s, start, end)?;
        list.push(vm, piece.value())?;
    }
    Ok(list)
}

/// The separator, if one was given. TypeError, ValueError.
fn separator(vm: &Vm, sep: Option<Value>) -> R<Option<Ref<Str>>> {
    let Some(sep) = sep.filter(|s| !s.is_none()) else { return Ok(None) };
    match sep.cast::<Str>() {
        Some(s) if s.bytes().is_empty() => Err(vm.value_error("empty separator")),
        Some(s) => Ok(Some(s)),
        None => Err(vm.type_error(format!("must be str or None, not {}", vm.type_name(sep)))),
    }
}

fn limit(max: Option<i64>) -> usize {
    usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX)
}

pub fn split(vm: &Vm, s: Ref<Str>, sep: Option<Value>, max: Option<i64>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    match separator(vm, sep)? {
        Some(sep) => rows::split(vm, s.bytes(), sep.bytes(), limit(max), &mut parts)?,
        None => rows::split_space::<true>(vm, s.bytes(), limit(max), &mut parts)?,
    }
    list_of(vm, s, &parts)
}

pub fn rsplit(vm: &Vm, s: Ref<Str>, sep: Option<Value>, max: Option<i64>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    match separator(vm, sep)? {
        Some(sep) => rows::rsplit(vm, s.bytes(), sep.bytes(), limit(max), &mut parts)?,
        None => rows::rsplit_space::<true>(vm, s.bytes(), limit(max), &mut parts)?,
    }
    list_of(vm, s, &parts)
}

pub fn splitlines(vm: &Vm, s: Ref<Str>, keep: Option<bool>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    rows::split_lines::<true>(vm, s.bytes(), keep.unwrap_or(false), &mut parts)?;
    list_of(vm, s, &parts)
}

fn not_empty(vm: &Vm, sep: Ref<Str>) -> R<()> {
    if sep.bytes().is_empty() { Err(vm.value_error("empty separator")) } else { Ok(()) }
}

pub fn partition(vm: &Vm, s: Ref<Str>, sep: Ref<Str>) -> R<Ref<Tuple>> {
    not_empty(vm, sep)?;
    match crate::types::text::find(s.bytes(), sep.bytes()) {
        Some(at) => {
            let before = part(vm, s, 0, at)?;
            let after = part(vm, s, at + sep.bytes().len(), s.bytes().len())?;
            Tuple::new(vm, &[before.value(), sep.value(), after.value()])
        }
        None => {
            let (s, empty) = (exact(vm, s)?, vm.intern("")?.value());
            Tuple::new(vm, &[s.value(), empty, empty])
        }
    }
}

pub fn rpartition(vm: &Vm, s: Ref<Str>, sep: Ref<Str>) -> R<Ref<Tuple>> {
    not_empty(vm, sep)?;
    match crate::types::text::rfind(s.bytes(), sep.bytes()) {
        Some(at) => {
            let before = part(vm, s, 0, at)?;
            let after = part(vm, s, at + sep.bytes().len(), s.bytes().len())?;
            Tuple::new(vm, &[before.value(), sep.value(), after.value()])
        }
        None => {
            let (s, empty) = (exact(vm, s)?, vm.intern("")?.value());
            Tuple::new(vm, &[empty, empty, s.value()])
        }
    }
}

pub fn join(vm: &Vm, sep: Ref<Str>, iterable: Value) -> R<Ref<Str>> {
    // No Python code runs while the items are read, so lists and tuples need no copy.
    if let Some(l) = iterable.cast::<List>()
        && vm.type_of(iterable) == vm.types.list
    {
        return join_items(vm, sep, l.items());
    }
    if let Some(t) = iterable.cast::<Tuple>()
        && vm.type_of(iterable) == vm.types.tuple
    {
        return join_items(vm, sep, t.items());
    }
    let ty = vm.type_of(iterable);
    if ty.special(vm, skein_bytecode::Special::Iter).is_none_or(|f| f.is_none())
        && ty.special(vm, skein_bytecode::Special::GetItem).is_none()
    {
        return Err(vm.type_error("can only join an iterable"));
    }
    let list = vm.list_from(iterable)?;
    join_items(vm, sep, list.items())
}

fn join_items(vm: &Vm, sep: Ref<Str>, items: &[Value]) -> R<Ref<Str>> {
    let gap = sep.bytes();
    let n = items.len().saturating_sub(1);
    let (mut len, mut chars) = (gap.len() * n, sep.char_len() * n);
    for (i, &v) in items.iter().enumerate() {
        let Some(s) = v.cast::<Str>() else {
            return Err(
                vm.type_error(format!("sequence item {i}: expected str instance, {} found", vm.type_name(v)))
            );
        };
        len += s.bytes().len();
        chars += s.char_len();
    }
    if let [one] = items
        && let Some(s) = one.cast::<Str>()
    {
        return exact(vm, s);
    }
    Str::build(vm, len, chars, |to| {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            to[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        for (i, v) in items.iter().enumerate() {
            if i > 0 {
                put(gap);
            }
            if let Some(s) = v.cast::<Str>() {
                put(s.bytes());
            }
        }
    })
}

fn strip_with(
    vm: &Vm,
    s: Ref<Str>,
    chars: Option<Value>,
    left: bool,
    right: bool,
    name: &str,
) -> R<Ref<Str>> {
    let range = match chars.filter(|c| !c.is_none()) {
        None => rows::strip_space::<true>(s.bytes(), left, right),
        Some(chars) => {
            let Some(set) = chars.cast::<Str>() else {
                return Err(vm.type_error(format!("{name} arg must be None or str")));
            };
            if set.is_ascii() {
                let row = set.bytes();
                rows::strip::<true>(s.bytes(), left, right, |c| c < 128 && row.contains(&(c as u8)))
            } else {
                let points: Vec<u32> = set.code_points().collect();
                rows::strip::<true>(s.bytes(), left, right, |c| points.contains(&c))
            }
        }
    };
    part(vm, s, range.start, range.end)
}

pub fn strip(vm: &Vm, s: Ref<Str>, chars: Option<Value>) -> R<Ref<Str>> {
    strip_with(vm, s, chars, true, true, "strip")
}

pub fn lstrip(vm: &Vm, s: Ref<Str>, chars: Option<Value>) -> R<Ref<Str>> {
    strip_with(vm, s, chars, true, false, "lstrip")
}

pub fn rstrip(vm: &Vm, s: Ref<Str>, chars: Option<Value>) -> R<Ref<Str>> {
    strip_with(vm, s, chars, false, true, "rstrip")
}
