//! `bytearray`: changes in place.

use super::sequence::{byte_value, index};
use super::{Row, construct};
use crate::types::text;
use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::slice::SliceRange;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

fn item(vm: &Vm, v: Value) -> R<u8> {
    if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
        return Err(
            vm.type_error(format!("'{}' object cannot be interpreted as an integer", vm.type_name(v)))
        );
    }
    byte_value(vm, v)
}

/// Replaces the bytes `start..end` by others.
fn splice(vm: &Vm, s: Ref<ByteArray>, start: usize, end: usize, new: &[u8]) -> R<()> {
    s.splice(vm, start, end, new)
}

pub fn setitem(vm: &Vm, s: Ref<ByteArray>, key: Value, v: Value) -> R<()> {
    let Some(slice) = key.cast::<Slice>() else {
        let i = index(vm, key, "bytearray")?;
        let b = item(vm, v)?;
        let (Some(i), Some(data)) = (text::place_index(i, s.bytes().len()), s.as_mut_ptr()) else {
            return Err(vm.index_error("bytearray index out of range"));
        };
        // SAFETY: the index is in range.
        unsafe { *data.add(i) = b };
        return Ok(());
    };
    let new = match Row::of(vm, v)? {
        Some(r) => r.into_bytes(vm)?,
        None if vm.is_int(v) || v.cast::<skein_runtime::types::str::Str>().is_some() => {
            return Err(
                vm.type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)")
            );
        }
        None => construct::from_iterable(vm, v, "bytearray")?,
    };
    let SliceRange { start, step, count, .. } = vm.slice_range(slice, || s.bytes().len())?;
    if step == 1 {
        return splice(vm, s, start as usize, start as usize + count, &new);
    }
    if new.is_empty() {
        return delitem(vm, s, key);
    }
    if new.len() != count {
        return Err(vm.value_error(format!(
            "attempt to assign bytes of size {} to extended slice of size {count}",
            new.len()
        )));
    }
    if let Some(data) = s.as_mut_ptr() {
        for (i, b) in new.iter().enumerate() {
            // SAFETY: the slice's places are in range.
            unsafe { *data.add((start + i as i64 * step) as usize) = *b };
        }
    }
    Ok(())
}

pub fn delitem(vm: &Vm, s: Ref<ByteArray>, key: Value) -> R<()> {
    let Some(slice) = key.cast::<Slice>() else {
        let i = index(vm, key, "bytearray")?;
        let Some(i) = text::place_index(i, s.bytes().len()) else {
            return Err(vm.index_error("bytearray index out of range"));
        };
        return splice(vm, s, i, i + 1, &[]);
    };
    let SliceRange { start, step, count, .. } = vm.slice_range(slice, || s.bytes().len())?;
    if step == 1 {
        return splice(vm, s, start as usize, start as usize + count, &[]);
    }
    if count == 0 {
        return Ok(());
    }
    // The bytes that stay move to the front, then the rest goes.
    let last = start + (count as i64 - 1) * step;
    let (low, gap) = (start.min(last) as usize, step.unsigned_abs() as usize);
    let mut kept = 0;
    s.check_resizable(vm)?;
    s.update(|all| {
        for i in 0..all.len() {
            let gone = i >= low && (i - low).is_multiple_of(gap) && (i - low) / gap < count;
            if !gone {
                all[kept] = all[i];
                kept += 1;
            }
        }
    });
    s.resize(vm, kept)
}

pub fn append(vm: &Vm, s: Ref<ByteArray>, v: Value) -> R<()> {
    let b = item(vm, v)?;
    s.append(vm, &[b])
}

pub fn extend(vm: &Vm, s: Ref<ByteArray>, v: Value) -> R<()> {
    let end = s.bytes().len();
    match Row::of(vm, v)? {
        // Its `__buffer__` may have changed the length: the bytes stand where the end was.
        Some(r) => {
            let end = end.min(s.bytes().len());
            splice(vm, s, end, end, &vm.copied(r.data())?)
        }
        None => {
            let ty = vm.type_of(v);
            if ty.special(vm, Special::Iter).is_none() && ty.special(vm, Special::GetItem).is_none() {
                return Err(vm.type_error(format!("can't extend bytearray with {}", ty.name_string())));
            }
            if v.cast::<skein_runtime::types::str::Str>().is_some() {
                return Err(vm.type_error("expected iterable of integers; got: 'str'"));
            }
            let new = construct::from_iterable(vm, v, "bytearray")?;
            s.append(vm, &new)
        }
    }
}

pub fn iadd(vm: &Vm, s: Ref<ByteArray>, v: Value) -> R<Value> {
    let Some(r) = Row::of(vm, v)? else {
        return Err(vm.type_error(format!("can't concat {} to bytearray", vm.type_name(v))));
    };
    s.append(vm, &vm.copied(r.data())?)?;
    Ok(s.value())
}

pub fn imul(vm: &Vm, s: Ref<ByteArray>, n: Value) -> R<Value> {
    let Some(n) = text::repeat_count(vm, s.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    s.repeat(vm, n)?;
    Ok(s.value())
}

pub fn insert(vm: &Vm, s: Ref<ByteArray>, i: i64, v: Value) -> R<()> {
    let b = item(vm, v)?;
    let n = s.bytes().len() as i64;
    let i = if i < 0 { (i + n).max(0) } else { i.min(n) } as usize;
    splice(vm, s, i, i, &[b])
}

pub fn pop(vm: &Vm, s: Ref<ByteArray>, i: Option<i64>) -> R<Value> {
    if s.bytes().is_empty() {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    let Some(i) = text::place_index(i.unwrap_or(-1), s.bytes().len()) else {
        return Err(vm.index_error("pop index out of range"));
    };
    let b = s.bytes()[i];
    splice(vm, s, i, i + 1, &[])?;
    Ok(Value::small_int(i64::from(b)))
}

pub fn remove(vm: &Vm, s: Ref<ByteArray>, v: Value) -> R<()> {
    let b = item(vm, v)?;
    match memchr::memchr(b, s.bytes()) {
        Some(i) => splice(vm, s, i, i + 1, &[]),
        None => Err(vm.value_error("value not found in bytearray")),
    }
}

pub fn reverse(_: &Vm, s: Ref<ByteArray>) {
    s.update(|all| all.reverse());
}

pub fn resize(vm: &Vm, s: Ref<ByteArray>, size: i64) -> R<()> {
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error(format!("bytearray.resize(): new size must be >= 0, got {size}")));
    };
    s.resize(vm, size)
}

/// `__reduce_ex__`: by bytes, or by text for the protocols that have no bytes.
pub fn reduce(vm: &Vm, s: Ref<ByteArray>, protocol: Option<i64>) -> R<Ref<Tuple>> {
    let args = if protocol.unwrap_or(0) > 2 {
        Tuple::new(vm, &[vm.bytes(&vm.copied(s.bytes())?)?])?
    } else {
        let mut text = vm.buffer(2 * s.bytes().len())?;
        s.bytes().iter().for_each(|&b| push_code_point(&mut text, u32::from(b)));
        let text = Str::new(vm, &text)?;
        Tuple::new(vm, &[text.value(), vm.str("latin-1")?])?
    };
    let state = crate::types::default_getstate(vm, s.value())?;
    Tuple::new(vm, &[vm.type_of(s.value()).value(), args.value(), state])
}
