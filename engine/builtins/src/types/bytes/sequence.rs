//! `bytes` and `bytearray` as sequences.

use super::{Row, not_bytes_like};
use crate::types::text;
use skein_bytecode::Special;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::exports::Pinned;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::slice::SliceRange;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn add(vm: &Vm, a: Row, b: Value) -> R<Value> {
    let Some(other) = Row::of(vm, b)? else {
        let own = vm.type_name(a.value);
        return text::cannot_concatenate(vm, a.value, b, || {
            format!("can't concat {} to {own}", vm.type_name(b))
        });
    };
    if !a.is_array() {
        return Ok(Bytes::joined(vm, a.data(), other.data())?.value());
    }
    let mut out = vm.buffer(a.data().len() + other.data().len())?;
    out.extend_from_slice(a.data());
    out.extend_from_slice(other.data());
    a.make(vm, &out)
}

pub fn multiply(vm: &Vm, s: Row, n: Value) -> R<Value> {
    let Some(n) = text::repeat_count(vm, s.value, n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    match s.data().len().checked_mul(n) {
        Some(len) if len <= isize::MAX as usize => {
            vm.check_room(len)?;
            // bounded: the room was asked for
            s.make(vm, &s.data().repeat(n))
        }
        _ => Err(vm.overflow_error("repeated bytes are too long")),
    }
}

/// A byte given as an int. ValueError.
pub fn byte_value(vm: &Vm, v: Value) -> R<u8> {
    u8::try_from(vm.index_clamped(v)?).map_err(|_| vm.value_error("byte must be in range(0, 256)"))
}

pub fn contains(vm: &Vm, s: Row, v: Value) -> R<bool> {
    let _pinned = Pinned::new(s.value);
    if let Some(sub) = Row::of(vm, v)? {
        return Ok(text::find(s.data(), sub.data()).is_some());
    }
    if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
        return Err(not_bytes_like(vm, v));
    }
    let b = byte_value(vm, v)?;
    Ok(memchr::memchr(b, s.data()).is_some())
}

/// A subscript that is no slice. TypeError.
pub fn index(vm: &Vm, key: Value, what: &str) -> R<i64> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(
            vm.type_error(format!("{what} indices must be integers or slices, not {}", vm.type_name(key)))
        );
    }
    let i = vm.index(key)?;
    vm.as_i64(i).ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(key)))
    })
}

pub fn getitem(vm: &Vm, s: Row, key: Value) -> R<Value> {
    if let Some(slice) = key.cast::<Slice>() {
        let SliceRange { start, step, count, .. } = vm.slice_range(slice, || s.data().len())?;
        if step == 1 {
            return s.make(vm, &s.data()[start as usize..start as usize + count]);
        }
        let mut out = vm.buffer(count)?;
        out.extend((0..count as i64).map(|i| s.data()[(start + i * step) as usize]));
        return s.make(vm, &out);
    }
    let i = index(vm, key, if s.is_array() { "bytearray" } else { "byte" })?;
    match text::place_index(i, s.data().len()) {
        Some(i) => Ok(Value::small_int(i64::from(s.data()[i]))),
        None => Err(vm.index_error(if s.is_array() {
            "bytearray index out of range"
        } else {
            "index out of range"
        })),
    }
}
