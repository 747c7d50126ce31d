//! Values that programs give for constants, as constants of portable codes.

use num_bigint::Sign;
use skein_bytecode::Const;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::complex::Complex;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The constant that a value is; None if it is of a type that constants have not. RecursionError.
pub fn constant_of(vm: &Vm, v: Value) -> R<Option<Const>> {
    vm.check_depth()?;
    let items = |row: &[Value]| -> R<Option<Vec<Const>>> {
        let mut found = Vec::new();
        for &v in row {
            match constant_of(vm, v)? {
                Some(c) => vm.push(&mut found, c)?,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    };
    match v {
        Value::NONE => return Ok(Some(Const::None)),
        Value::TRUE => return Ok(Some(Const::True)),
        Value::FALSE => return Ok(Some(Const::False)),
        Value::ELLIPSIS => return Ok(Some(Const::Ellipsis)),
        _ => {}
    }
    let (ty, types) = (vm.type_of(v), &vm.types);
    if ty == types.int {
        if let Some(n) = vm.as_i64(v) {
            return Ok(Some(Const::Int(n)));
        }
        return match vm.as_big(v) {
            Some(n) if n.sign() != Sign::Minus => Ok(Some(Const::BigInt(n.to_u32_digits().1))),
            _ => Err(vm.unsupported("large negative ints as constants of their own")),
        };
    }
    if ty == types.float {
        return Ok(Some(Const::Float(vm.as_float(v).unwrap_or_default().to_bits())));
    }
    if ty == types.tuple
        && let Some(t) = v.cast::<Tuple>()
    {
        return Ok(items(t.items())?.map(Const::Tuple));
    }
    if ty == types.frozenset && v.cast::<Set>().is_some() {
        return Ok(items(vm.list_from(v)?.items())?.map(Const::FrozenSet));
    }
    if let Some(c) = v.cast::<Complex>().filter(|_| ty == types.complex) {
        return Ok(Some(Const::Complex(c.re().to_bits(), c.im().to_bits())));
    }
    if let Some(s) = v.cast::<Str>().filter(|_| ty == types.str) {
        return Ok(Some(Const::Str(s.bytes().into())));
    }
    if let Some(b) = v.cast::<Bytes>().filter(|_| ty == types.bytes) {
        return Ok(Some(Const::Bytes(b.bytes().into())));
    }
    Ok(v.cast::<CodeObject>().map(|c| Const::Code(c.shared())))
}
