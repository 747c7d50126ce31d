//! Values of SQL as objects, and back.

use super::super::support::BytesLike;
use super::utf8;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm};
use skein_sqlite::{Output, Statement, ValueRef};

/// An argument of a function. UnicodeDecodeError, MemoryError.
pub fn object(vm: &Vm, value: ValueRef<'_>) -> R<Value> {
    match value {
        ValueRef::Null => Ok(Value::NONE),
        ValueRef::Int(n) => vm.int(n),
        ValueRef::Float(x) => vm.float(x),
        ValueRef::Blob(b) => vm.bytes(b),
        ValueRef::Text(t) => match std::str::from_utf8(t) {
            Ok(t) => vm.str(t),
            // Raises what is wrong with it.
            Err(_) => vm.call_method(vm.bytes(t)?, "decode", &[]),
        },
    }
}

/// An object's bytes, if it has a buffer.
fn buffer(vm: &Vm, v: Value) -> R<Option<BytesLike>> {
    vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)
}

/// A function's result. OverflowError, UnicodeEncodeError; `Ok(None)` for an object that is no value.
pub fn output(vm: &Vm, v: Value) -> R<Option<Output>> {
    Ok(Some(if v.is_none() {
        Output::Null
    } else if vm.is_int(v) {
        Output::Int(int64(vm, v)?)
    } else if let Some(x) = vm.as_float(v) {
        Output::Float(x)
    } else if let Some(s) = v.cast::<Str>() {
        Output::Text(utf8(vm, s)?)
    } else {
        match buffer(vm, v)? {
            Some(b) => Output::Blob(b.into_vec(vm)?),
            None => return Ok(None),
        }
    }))
}

/// OverflowError.
fn int64(vm: &Vm, v: Value) -> R<i64> {
    vm.as_i64(v).ok_or_else(|| vm.overflow_error("Python int too large to convert to SQLite INTEGER"))
}

/// Gives a parameter its value. `Ok(None)` for an object that is no value.
pub fn bind(
    vm: &Vm,
    statement: &Statement,
    i: usize,
    v: Value,
) -> R<Option<Result<(), skein_sqlite::Fault>>> {
    Ok(Some(if v.is_none() {
        statement.bind(i, ValueRef::Null)
    } else if vm.is_int(v) {
        statement.bind(i, ValueRef::Int(int64(vm, v)?))
    } else if let Some(x) = vm.as_float(v) {
        statement.bind(i, ValueRef::Float(x))
    } else if let Some(s) = v.cast::<Str>() {
        if std::str::from_utf8(s.bytes()).is_err() {
            utf8(vm, s)?;
        }
        statement.bind(i, ValueRef::Text(s.bytes()))
    } else {
        match buffer(vm, v)? {
            Some(b) => statement.bind(i, ValueRef::Blob(&b)),
            None => return Ok(None),
        }
    }))
}

/// Whether parameters of the object's type are never adapted.
pub fn is_plain(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    [vm.types.int, vm.types.float, vm.types.str, vm.types.bytearray].contains(&ty)
}

/// Text of a row, as the factory makes it. `Ok(None)` for text that is no UTF-8 where it is to be.
pub fn text(vm: &Vm, t: &[u8], factory: Value) -> R<Option<Value>> {
    if factory.is(vm.types.str.value()) {
        return match std::str::from_utf8(t) {
            Ok(t) => vm.str(t).map(Some),
            Err(_) => Ok(None),
        };
    }
    if factory.is(vm.types.bytes.value()) {
        return vm.bytes(t).map(Some);
    }
    if factory.is(vm.types.bytearray.value()) {
        let array: Ref<ByteArray> = ByteArray::new(vm, t)?;
        return Ok(Some(array.value()));
    }
    vm.call(factory, &[vm.bytes(t)?]).map(Some)
}
