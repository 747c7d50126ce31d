//! `bytes` and `bytearray`: finding and replacing.

use super::{Like, Row};
use crate::types::{rows, text};
use skein_bytecode::Special;
use skein_runtime::types::exports::Pinned;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// What is looked for: bytes, or one byte as an int. TypeError, ValueError.
fn needle(vm: &Vm, s: &Row, v: Value) -> R<Like> {
    let _pinned = Pinned::new(s.value);
    if let Some(r) = Row::of(vm, v)? {
        return Ok(Like(r));
    }
    if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
        return Err(vm.type_error(format!(
            "argument should be integer or bytes-like object, not '{}'",
            vm.type_name(v)
        )));
    }
    Ok(Like(Row::made(vec![super::sequence::byte_value(vm, v)?])))
}

fn search(
    vm: &Vm,
    s: &Row,
    sub: Value,
    start: Option<Value>,
    end: Option<Value>,
    finder: fn(&[u8], &[u8]) -> Option<usize>,
) -> R<Option<i64>> {
    let sub = needle(vm, s, sub)?;
    let (start, end) = text::bounds(vm, start, end, || s.data().len())?;
    if start > end {
        return Ok(None);
    }
    Ok(finder(&s.data()[start..end], &sub).map(|at| (start + at) as i64))
}

pub fn find(vm: &Vm, s: Row, sub: Value, start: Option<Value>, end: Option<Value>) -> R<i64> {
    Ok(search(vm, &s, sub, start, end, text::find)?.unwrap_or(-1))
}

pub fn rfind(vm: &Vm, s: Row, sub: Value, start: Option<Value>, end: Option<Value>) -> R<i64> {
    Ok(search(vm, &s, sub, start, end, text::rfind)?.unwrap_or(-1))
}

pub fn index(vm: &Vm, s: Row, sub: Value, start: Option<Value>, end: Option<Value>) -> R<i64> {
    search(vm, &s, sub, start, end, text::find)?.ok_or_else(|| vm.value_error("subsection not found"))
}

pub fn rindex(vm: &Vm, s: Row, sub: Value, start: Option<Value>, end: Option<Value>) -> R<i64> {
    search(vm, &s, sub, start, end, text::rfind)?.ok_or_else(|| vm.value_error("subsection not found"))
}

pub fn count(vm: &Vm, s: Row, sub: Value, start: Option<Value>, end: Option<Value>) -> R<usize> {
    let sub = needle(vm, &s, sub)?;
    let (start, end) = text::bounds(vm, start, end, || s.data().len())?;
    if start > end {
        return Ok(0);
    }
    Ok(rows::count::<false>(&s.data()[start..end], &sub))
}

fn affix(
    vm: &Vm,
    s: &Row,
    affix: Value,
    start: Option<Value>,
    end: Option<Value>,
    name: &str,
    test: fn(&[u8], &[u8]) -> bool,
) -> R<bool> {
    let (start, end) = text::bounds(vm, start, end, || s.data().len())?;
    let window = if start <= end { Some(&s.data()[start..end]) } else { None };
    let fits = |r: &Row| window.is_some_and(|w| test(w, r.data()));
    if let Some(t) = affix.cast::<Tuple>() {
        for &a in t.items() {
            match Row::of(vm, a)? {
                Some(r) if fits(&r) => return Ok(true),
                Some(_) => {}
                None => return Err(super::not_bytes_like(vm, a)),
            }
        }
        return Ok(false);
    }
    match Row::of(vm, affix)? {
        Some(r) => Ok(fits(&r)),
        None => Err(vm.type_error(format!(
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            vm.type_name(affix)
        ))),
    }
}

pub fn startswith(vm: &Vm, s: Row, prefix: Value, start: Option<Value>, end: Option<Value>) -> R<bool> {
    affix(vm, &s, prefix, start, end, "startswith", |w, a| w.starts_with(a))
}

pub fn endswith(vm: &Vm, s: Row, suffix: Value, start: Option<Value>, end: Option<Value>) -> R<bool> {
    affix(vm, &s, suffix, start, end, "endswith", |w, a| w.ends_with(a))
}

pub fn removeprefix(vm: &Vm, s: Row, prefix: Like) -> R<Value> {
    s.make(vm, s.data().strip_prefix(&*prefix).unwrap_or(s.data()))
}

pub fn removesuffix(vm: &Vm, s: Row, suffix: Like) -> R<Value> {
    s.make(vm, s.data().strip_suffix(&*suffix).unwrap_or(s.data()))
}

pub fn replace(vm: &Vm, s: Row, old: Like, new: Like, count: Option<i64>) -> R<Value> {
    let max = usize::try_from(count.unwrap_or(-1)).unwrap_or(usize::MAX);
    match rows::replace::<false>(vm, s.data(), &old, &new, max)? {
        Some(out) => s.make(vm, &out),
        None => s.make(vm, s.data()),
    }
}
