//! `int`'s bits and bytes.

use crate::types::bytes::{bytes_by_method, bytes_of_object};
use crate::types::int::Int;
use num_bigint::{BigInt as Big, Sign};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn bit_length(vm: &Vm, a: Int) -> R<Value> {
    vm.int_u64(match a {
        Int::Small(i) => u64::from(64 - i.unsigned_abs().leading_zeros()),
        Int::Boxed(b) => b.get().bits(),
    })
}

pub fn bit_count(vm: &Vm, a: Int) -> R<Value> {
    vm.int_u64(match a {
        Int::Small(i) => u64::from(i.unsigned_abs().count_ones()),
        Int::Boxed(b) => b.get().magnitude().count_ones(),
    })
}

/// Is the byte order little? ValueError.
fn is_little(vm: &Vm, order: Option<Ref<Str>>) -> R<bool> {
    match order.map(|o| o.to_string_lossy().into_owned()).as_deref() {
        None | Some("big") => Ok(false),
        Some("little") => Ok(true),
        _ => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
    }
}

pub fn to_bytes(
    vm: &Vm,
    a: Int,
    length: Option<i64>,
    order: Option<Ref<Str>>,
    signed: Option<bool>,
) -> R<Value> {
    let little = is_little(vm, order)?;
    let length = length.unwrap_or(1);
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.value_error("length argument must be non-negative"));
    };
    let signed = signed.unwrap_or(false);
    if a.is_negative() && !signed {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let value = a.big();
    super::arith::check_room(vm, 4 * value.bits())?;
    let mut bytes = if signed { value.to_signed_bytes_le() } else { value.to_bytes_le().1 };
    if a.is_zero() {
        bytes.clear();
    }
    if bytes.len() > length {
        return Err(vm.overflow_error("int too big to convert"));
    }
    vm.check_room(length)?;
    bytes.resize(length, if a.is_negative() { 0xff } else { 0 });
    if !little {
        bytes.reverse();
    }
    vm.bytes(&bytes)
}

pub fn from_bytes(
    vm: &Vm,
    ty: Ref<Type>,
    bytes: Value,
    order: Option<Ref<Str>>,
    signed: Option<bool>,
) -> R<Value> {
    let little = is_little(vm, order)?;
    let made = if bytes.cast::<Bytes>().is_some() { None } else { bytes_by_method(vm, bytes)? };
    let bytes = made.unwrap_or(bytes);
    let bytes = bytes_of_object(vm, bytes)?;
    vm.check_room(bytes.len().saturating_mul(3))?;
    let value = match (signed.unwrap_or(false), little) {
        (true, true) => Big::from_signed_bytes_le(&bytes),
        (true, false) => Big::from_signed_bytes_be(&bytes),
        (false, true) => Big::from_bytes_le(Sign::Plus, &bytes),
        (false, false) => Big::from_bytes_be(Sign::Plus, &bytes),
    };
    let v = vm.big_int(value)?;
    if ty == vm.types.int { Ok(v) } else { vm.call(ty.value(), &[v]) }
}
