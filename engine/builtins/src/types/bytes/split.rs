//! `bytes` and `bytearray`: cutting and joining.

use super::{Like, Row, not_bytes_like};
use crate::types::{rows, text};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::exports::Pinned;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

fn list_of(vm: &Vm, s: &Row, parts: &rows::Parts) -> R<Ref<List>> {
    let list = List::with_capacity(vm, parts.len())?;
    let plain = !s.is_array() && parts.len() > 1;
    let data = s.data();
    for &(start, end) in parts.as_slice() {
        let part = &data[start..end];
        let piece = if plain { Bytes::new(vm, part)?.value() } else { s.make(vm, part)? };
        list.push(vm, piece)?;
    }
    Ok(list)
}

fn separator(vm: &Vm, s: &Row, sep: Option<Value>) -> R<Option<Row>> {
    let _pinned = Pinned::new(s.value);
    let Some(sep) = sep.filter(|s| !s.is_none()) else { return Ok(None) };
    match Row::of(vm, sep)? {
        Some(r) if r.data().is_empty() => Err(vm.value_error("empty separator")),
        Some(r) => Ok(Some(r)),
        None => Err(not_bytes_like(vm, sep)),
    }
}

fn limit(max: Option<i64>) -> usize {
    usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX)
}

pub fn split(vm: &Vm, s: Row, sep: Option<Value>, max: Option<i64>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    match separator(vm, &s, sep)? {
        Some(sep) => rows::split(vm, s.data(), sep.data(), limit(max), &mut parts)?,
        None => rows::split_space::<false>(vm, s.data(), limit(max), &mut parts)?,
    }
    list_of(vm, &s, &parts)
}

pub fn rsplit(vm: &Vm, s: Row, sep: Option<Value>, max: Option<i64>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    match separator(vm, &s, sep)? {
        Some(sep) => rows::rsplit(vm, s.data(), sep.data(), limit(max), &mut parts)?,
        None => rows::rsplit_space::<false>(vm, s.data(), limit(max), &mut parts)?,
    }
    list_of(vm, &s, &parts)
}

pub fn splitlines(vm: &Vm, s: Row, keep: Option<bool>) -> R<Ref<List>> {
    let mut parts = rows::Parts::default();
    rows::split_lines::<false>(vm, s.data(), keep.unwrap_or(false), &mut parts)?;
    list_of(vm, &s, &parts)
}

/// The three parts around a separator found there.
fn parts(vm: &Vm, s: &Row, sep: &[u8], at: Option<usize>, from_right: bool) -> R<Ref<Tuple>> {
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let cuts: [&[u8]; 3] = match at {
        Some(at) => [&s.data()[..at], sep, &s.data()[at + sep.len()..]],
        None if from_right => [b"", b"", s.data()],
        None => [s.data(), b"", b""],
    };
    let a = s.make(vm, cuts[0])?;
    let b = s.make(vm, cuts[1])?;
    let c = s.make(vm, cuts[2])?;
    Tuple::new(vm, &[a, b, c])
}

pub fn partition(vm: &Vm, s: Row, sep: Like) -> R<Ref<Tuple>> {
    parts(vm, &s, &sep, text::find(s.data(), &sep), false)
}

pub fn rpartition(vm: &Vm, s: Row, sep: Like) -> R<Ref<Tuple>> {
    parts(vm, &s, &sep, text::rfind(s.data(), &sep), true)
}

pub fn join(vm: &Vm, s: Row, iterable: Value) -> R<Value> {
    let ty = vm.type_of(iterable);
    if ty.special(vm, skein_bytecode::Special::Iter).is_none_or(|f| f.is_none())
        && ty.special(vm, skein_bytecode::Special::GetItem).is_none()
    {
        return Err(vm.type_error("can only join an iterable"));
    }
    let _pinned = Pinned::new(s.value);
    let original = iterable.cast::<List>();
    let list = vm.list_from(iterable)?;
    let mut out = Vec::new();
    for (i, &v) in list.items().iter().enumerate() {
        if i > 0 {
            vm.put(&mut out, s.data())?;
        }
        let Some(r) = Row::of(vm, v)? else {
            return Err(vm.type_error(format!(
                "sequence item {i}: expected a bytes-like object, {} found",
                vm.type_name(v)
            )));
        };
        if original.is_some_and(|l| l.len() != list.len()) {
            return Err(vm.runtime_error("sequence changed size during iteration"));
        }
        vm.put(&mut out, r.data())?;
    }
    s.make(vm, &out)
}

fn strip_with(vm: &Vm, s: &Row, set: Option<Value>, left: bool, right: bool) -> R<Value> {
    let range = match set.filter(|c| !c.is_none()) {
        None => rows::strip_space::<false>(s.data(), left, right),
        Some(set) => {
            let Some(set) = Row::of(vm, set)? else { return Err(not_bytes_like(vm, set)) };
            rows::strip::<false>(s.data(), left, right, |c| set.data().contains(&(c as u8)))
        }
    };
    s.make(vm, &s.data()[range])
}

pub fn strip(vm: &Vm, s: Row, set: Option<Value>) -> R<Value> {
    strip_with(vm, &s, set, true, true)
}

pub fn lstrip(vm: &Vm, s: Row, set: Option<Value>) -> R<Value> {
    strip_with(vm, &s, set, true, false)
}

pub fn rstrip(vm: &Vm, s: Row, set: Option<Value>) -> R<Value> {
    strip_with(vm, &s, set, false, true)
}
