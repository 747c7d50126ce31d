//! `str`: finding and replacing.

use super::{exact, part};
use crate::types::{rows, text};
use skein_runtime::object::Ref;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The byte range of the bounds, and the first character's index; None if they are out of reach.
fn window(vm: &Vm, s: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<Option<(usize, usize)>> {
    if start.is_none() && end.is_none() {
        return Ok(Some((0, s.bytes().len())));
    }
    let (start, end) = text::bounds(vm, start, end, || s.char_len())?;
    if start > end || start > s.char_len() {
        return Ok(None);
    }
    Ok(Some((s.byte_offset(start), s.byte_offset(end))))
}

type Finder = fn(&[u8], &[u8]) -> Option<usize>;

fn search(
    vm: &Vm,
    s: Ref<Str>,
    sub: Ref<Str>,
    start: Option<Value>,
    end: Option<Value>,
    finder: Finder,
) -> R<Option<i64>> {
    let Some((from, to)) = window(vm, s, start, end)? else { return Ok(None) };
    let row = &s.bytes()[from..to];
    Ok(finder(row, sub.bytes()).map(|at| s.char_index(from + at) as i64))
}

pub fn find(vm: &Vm, s: Ref<Str>, sub: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<i64> {
    Ok(search(vm, s, sub, start, end, text::find)?.unwrap_or(-1))
}

pub fn rfind(vm: &Vm, s: Ref<Str>, sub: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<i64> {
    Ok(search(vm, s, sub, start, end, text::rfind)?.unwrap_or(-1))
}

pub fn index(vm: &Vm, s: Ref<Str>, sub: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<i64> {
    search(vm, s, sub, start, end, text::find)?.ok_or_else(|| vm.value_error("substring not found"))
}

pub fn rindex(vm: &Vm, s: Ref<Str>, sub: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<i64> {
    search(vm, s, sub, start, end, text::rfind)?.ok_or_else(|| vm.value_error("substring not found"))
}

pub fn count(vm: &Vm, s: Ref<Str>, sub: Ref<Str>, start: Option<Value>, end: Option<Value>) -> R<usize> {
    Ok(match window(vm, s, start, end)? {
        Some((from, to)) => rows::count::<true>(&s.bytes()[from..to], sub.bytes()),
        None => 0,
    })
}

/// `startswith` and `endswith`: does the window pass the test with this text, or one of a tuple?
fn affix(
    vm: &Vm,
    s: Ref<Str>,
    affix: Value,
    start: Option<Value>,
    end: Option<Value>,
    name: &str,
    test: fn(&[u8], &[u8]) -> bool,
) -> R<bool> {
    let window = window(vm, s, start, end)?;
    let fits = |a: Ref<Str>| window.is_some_and(|(from, to)| test(&s.bytes()[from..to], a.bytes()));
    if let Some(a) = affix.cast::<Str>() {
        return Ok(fits(a));
    }
    let Some(t) = affix.cast::<Tuple>() else {
        return Err(vm.type_error(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            vm.type_name(affix)
        )));
    };
    for &a in t.items() {
        match a.cast::<Str>() {
            Some(a) if fits(a) => return Ok(true),
            Some(_) => {}
            None => {
                return Err(
                    vm.type_error(format!("tuple for {name} must only contain str, not {}", vm.type_name(a)))
                );
            }
        }
    }
    Ok(false)
}

pub fn startswith(vm: &Vm, s: Ref<Str>, prefix: Value, start: Option<Value>, end: Option<Value>) -> R<bool> {
    affix(vm, s, prefix, start, end, "startswith", |row, a| row.starts_with(a))
}

pub fn endswith(vm: &Vm, s: Ref<Str>, suffix: Value, start: Option<Value>, end: Option<Value>) -> R<bool> {
    affix(vm, s, suffix, start, end, "endswith", |row, a| row.ends_with(a))
}

pub fn removeprefix(vm: &Vm, s: Ref<Str>, prefix: Ref<Str>) -> R<Ref<Str>> {
    let n = if s.bytes().starts_with(prefix.bytes()) { prefix.bytes().len() } else { 0 };
    part(vm, s, n, s.bytes().len())
}

pub fn removesuffix(vm: &Vm, s: Ref<Str>, suffix: Ref<Str>) -> R<Ref<Str>> {
    let n = if s.bytes().ends_with(suffix.bytes()) { suffix.bytes().len() } else { 0 };
    part(vm, s, 0, s.bytes().len() - n)
}

pub fn replace(vm: &Vm, s: Ref<Str>, old: Ref<Str>, new: Ref<Str>, count: Option<i64>) -> R<Ref<Str>> {
    let max = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
    match rows::replace::<true>(vm, s.bytes(), old.bytes(), new.bytes(), max)? {
        Some(bytes) => Str::new(vm, &bytes),
        None => exact(vm, s),
    }
}
