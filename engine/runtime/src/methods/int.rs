//! What Python code sees of `int`, and its arithmetic.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;
use crate::value::{R, Value};
use crate::vm::Vm;
use num_bigint::{BigInt as Big, Sign};
use skein_bytecode::Special;

native_type! {
    pub DEF: "int", Kind::Int, type_flags::BASETYPE | type_flags::MATCH_SELF;
    methods {
        "__repr__($self, /)" => repr;
    }
}

fn repr(vm: &Vm, v: Value) -> R<String> {
    match vm.as_big(v) {
        Some(b) => Ok(b.to_string()),
        None => Err(vm.type_error("int expected")),
    }
}

/// The modulus of Python's hash of numbers: a Mersenne prime.
pub const HASH_MODULUS: i64 = (1 << 61) - 1;

/// `hash(i)`.
pub fn hash_i64(i: i64) -> i64 {
    match i % HASH_MODULUS {
        -1 => -2,
        h => h,
    }
}

/// `hash` of an int of any size.
pub fn hash_big(b: &Big) -> i64 {
    let m = Big::from(HASH_MODULUS);
    let h = i64::try_from(b.magnitude() % m.magnitude()).unwrap_or(0);
    match if b.sign() == Sign::Minus { -h } else { h } {
        -1 => -2,
        h => h,
    }
}

/// The nearest float, ties to even; infinite if too large.
pub fn big_to_f64(b: &Big) -> f64 {
    let bits = b.bits();
    if bits <= 64 {
        let m = b.magnitude().iter_u64_digits().next().unwrap_or(0) as f64;
        return if b.sign() == Sign::Minus { -m } else { m };
    }
    if bits > 1024 {
        return if b.sign() == Sign::Minus { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // The top 64 bits, the last of which also stands for all below it, are rounded once.
    let shift = bits - 64;
    let top: num_bigint::BigUint = b.magnitude() >> shift;
    let mut m = top.iter_u64_digits().next().unwrap_or(0);
    if b.magnitude().trailing_zeros().unwrap_or(0) < shift {
        m |= 1;
    }
    let f = m as f64 * 2f64.powi(shift as i32);
    if b.sign() == Sign::Minus { -f } else { f }
}

impl Vm {
    /// Arithmetic of exact ints and floats that is not done inline; None for other operands.
    pub fn number_binary(&self, op: Special, l: Value, r: Value) -> R<Option<Value>> {
        if l.is_int() && r.is_int() {
            let (a, b) = (Big::from(l.as_small_int()), Big::from(r.as_small_int()));
            return Ok(match op {
                Special::Add => Some(self.big_int(a + b)?),
                Special::Sub => Some(self.big_int(a - b)?),
                Special::Mul => Some(self.big_int(a * b)?),
                _ => None,
            });
        }
        Ok(None)
    }
}
