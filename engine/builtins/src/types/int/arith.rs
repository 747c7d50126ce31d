//! Arithmetic of ints, and of ints mixed with floats.

use super::large;
use crate::types::float::{float_op, float_pow};
use num_bigint::{BigInt as Big, Sign};
use num_integer::Integer;
use skein_bytecode::Special;
use skein_runtime::native::{FromArg, NativeDef, wrong_type};
use skein_runtime::object::Ref;
use skein_runtime::types::float::Float;
use skein_runtime::types::int::BigInt;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::borrow::Cow;

/// An int's value without a copy of a big one.
#[derive(Clone, Copy)]
pub enum Int {
    /// Immediate, so of 62 bits.
    Small(i64),
    Boxed(Ref<BigInt>),
}

impl Int {
    /// The value of an int object, bools and subclass instances included.
    #[inline]
    pub fn of(v: Value) -> Option<Int> {
        if v.is_int() {
            return Some(Int::Small(v.as_small_int()));
        }
        if v.is_bool() {
            return Some(Int::Small(i64::from(v.is(Value::TRUE))));
        }
        v.cast::<BigInt>().map(Int::Boxed)
    }

    pub fn big(&self) -> Cow<'_, Big> {
        match self {
            Int::Small(i) => Cow::Owned(Big::from(*i)),
            Int::Boxed(b) => b.get(),
        }
    }

    pub fn is_zero(self) -> bool {
        match self {
            Int::Small(i) => i == 0,
            Int::Boxed(b) => b.is_zero(),
        }
    }

    pub fn is_negative(self) -> bool {
        match self {
            Int::Small(i) => i < 0,
            Int::Boxed(b) => b.is_negative(),
        }
    }

    pub fn to_i64(self) -> Option<i64> {
        match self {
            Int::Small(i) => Some(i),
            Int::Boxed(b) => b.small(),
        }
    }

    /// The value where 128 bits hold it.
    #[inline]
    pub fn wide(self) -> Option<i128> {
        match self {
            Int::Small(i) => Some(i.into()),
            Int::Boxed(b) => b.wide(),
        }
    }

    /// As an exact int object.
    pub fn into_value(self, vm: &Vm) -> R<Value> {
        match self {
            Int::Small(i) => vm.int(i),
            Int::Boxed(b) if b.header().shape.get() == vm.types.int.root_shape_id() => Ok(b.value()),
            Int::Boxed(b) => vm.big_int(b.get().into_owned()),
        }
    }
}

impl FromArg for Int {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Int> {
        Int::of(v).ok_or_else(|| wrong_type(vm, def, i, v, "int"))
    }
}

/// Most bits that an int may get: more would not fit the memory of any machine in use.
const MAX_BITS: u64 = 1 << 40;

/// `a op b`; NotImplemented for operators that ints do not have.
#[inline]
pub fn int_op(vm: &Vm, op: Special, a: Int, b: Int) -> R<Value> {
    if let (Int::Small(x), Int::Small(y)) = (a, b)
        && let Some(v) = small_op(vm, op, x, y)?
    {
        return Ok(v);
    }
    if let (Some(x), Some(y)) = (a.wide(), b.wide())
        && let Some(v) = wide_op(vm, op, x, y)?
    {
        return Ok(v);
    }
    big_op(vm, op, a, b)
}

/// Ints of 128 bits each; None: the general way.
fn wide_op(vm: &Vm, op: Special, x: i128, y: i128) -> R<Option<Value>> {
    let v = match op {
        Special::Add => x.checked_add(y),
        Special::Sub => x.checked_sub(y),
        Special::Mul => match (i64::try_from(x), i64::try_from(y)) {
            (Ok(x), Ok(y)) => Some(i128::from(x) * i128::from(y)),
            _ => x.checked_mul(y),
        },
        Special::FloorDiv if y != 0 && x != i128::MIN => Some(Integer::div_floor(&x, &y)),
        Special::Mod if y != 0 && x != i128::MIN => Some(x.mod_floor(&y)),
        Special::And => Some(x & y),
        Special::Or => Some(x | y),
        Special::Xor => Some(x ^ y),
        Special::Shr if y >= 0 => Some(x >> y.min(127)),
        Special::Shl if (0..127).contains(&y) => x.checked_mul(1 << y),
        _ => None,
    };
    v.map(|v| vm.wide_int(v)).transpose()
}

#[cold]
fn zero_division<T>(vm: &Vm) -> R<T> {
    Err(vm.zero_division("division by zero"))
}

/// Ints of 62 bits each; None: the general way.
fn small_op(vm: &Vm, op: Special, x: i64, y: i64) -> R<Option<Value>> {
    let v = match op {
        // Two ints of 62 bits do not overflow 64.
        Special::Add => vm.int(x + y)?,
        Special::Sub => vm.int(x - y)?,
        Special::Mul => match x.checked_mul(y) {
            Some(p) => vm.int(p)?,
            None => return Ok(None),
        },
        Special::FloorDiv | Special::Mod | Special::DivMod | Special::TrueDiv if y == 0 => {
            return zero_division(vm);
        }
        Special::FloorDiv => vm.int(Integer::div_floor(&x, &y))?,
        Special::Mod => vm.int(x.mod_floor(&y))?,
        Special::DivMod => {
            let (q, r) = x.div_mod_floor(&y);
            let q = vm.int(q)?;
            Tuple::new(vm, &[q, vm.int(r)?])?.value()
        }
        Special::TrueDiv if x.unsigned_abs() <= 1 << 53 && y.unsigned_abs() <= 1 << 53 => {
            vm.float(x as f64 / y as f64)?
        }
        Special::And => vm.int(x & y)?,
        Special::Or => vm.int(x | y)?,
        Special::Xor => vm.int(x ^ y)?,
        Special::Shr if y >= 0 => vm.int(x >> y.min(63))?,
        Special::Shl if (0..62).contains(&y) => match x.checked_mul(1 << y) {
            Some(v) => vm.int(v)?,
            None => return Ok(None),
        },
        Special::Pow if y >= 0 => match u32::try_from(y).ok().and_then(|y| x.checked_pow(y)) {
            Some(p) => vm.int(p)?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(v))
}

fn big_op(vm: &Vm, op: Special, a: Int, b: Int) -> R<Value> {
    match op {
        Special::Shl | Special::Shr => return shift(vm, op, a, b),
        Special::Pow => return power(vm, a, b),
        _ => {}
    }
    if let Some(v) = by_word(vm, op, a, b)? {
        return Ok(v);
    }
    let (x, y) = (a.big(), b.big());
    let (x, y): (&Big, &Big) = (&x, &y);
    check_room(vm, 2 * (x.bits() + y.bits()))?;
    if matches!(op, Special::FloorDiv | Special::Mod | Special::DivMod | Special::TrueDiv) && b.is_zero() {
        return zero_division(vm);
    }
    vm.big_int(match op {
        Special::Add => x + y,
        Special::Sub => x - y,
        Special::Mul => large::signed_product(vm, x, y)?,
        Special::FloorDiv => large::div_mod_floor(vm, x, y)?.0,
        Special::Mod => large::div_mod_floor(vm, x, y)?.1,
        Special::And => x & y,
        Special::Or => x | y,
        Special::Xor => x ^ y,
        Special::TrueDiv => return vm.float(true_divide(vm, x, y)?),
        Special::DivMod => {
            let (q, r) = large::div_mod_floor(vm, x, y)?;
            let q = vm.big_int(q)?;
            return Ok(Tuple::new(vm, &[q, vm.big_int(r)?])?.value());
        }
        _ => return Ok(Value::NOT_IMPLEMENTED),
    })
}

/// A large int and one that is a word: without making a large one of that.
fn by_word(vm: &Vm, op: Special, a: Int, b: Int) -> R<Option<Value>> {
    let (x, y) = match (a, b) {
        (Int::Boxed(x), Int::Small(y)) if y != 0 => (x, y),
        (Int::Small(y), Int::Boxed(x)) if y != 0 && matches!(op, Special::Add | Special::Mul) => (x, y),
        _ => return Ok(None),
    };
    if x.wide().is_some() && !matches!(op, Special::Add | Special::Sub | Special::Mul) {
        return Ok(None);
    }
    let x: &Big = &x.get();
    check_room(vm, x.bits() + 64)?;
    let v = match op {
        Special::Mul => x * y,
        Special::Add => x + y,
        Special::Sub => x - y,
        Special::FloorDiv => x.div_floor(&Big::from(y)),
        Special::Mod => x.mod_floor(&Big::from(y)),
        _ => return Ok(None),
    };
    vm.big_int(v).map(Some)
}

/// MemoryError if an int of so many bits has no room, with as much again for what is made on the way.
pub fn check_room(vm: &Vm, bits: u64) -> R<()> {
    vm.check_room(usize::try_from(bits / 4).unwrap_or(usize::MAX))
}

fn shift(vm: &Vm, op: Special, a: Int, b: Int) -> R<Value> {
    if b.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    if a.is_zero() {
        return Ok(Value::small_int(0));
    }
    let count = b.to_i64().map(|c| c as u64);
    if op == Special::Shr {
        let bits = a.big().bits();
        return match count {
            Some(c) if c <= bits => {
                check_room(vm, bits)?;
                vm.big_int(&*a.big() >> c)
            }
            _ => Ok(Value::small_int(if a.is_negative() { -1 } else { 0 })),
        };
    }
    match count {
        Some(c) if c < MAX_BITS => {
            check_room(vm, a.big().bits() + c)?;
            vm.big_int(&*a.big() << c)
        }
        _ => Err(vm.overflow_error("too many digits in integer")),
    }
}

fn power(vm: &Vm, a: Int, b: Int) -> R<Value> {
    if b.is_negative() {
        let (x, y) = (int_as_f64(vm, a)?, int_as_f64(vm, b)?);
        return float_pow(vm, x, y);
    }
    let exponent = b.to_i64().map(|e| e as u64);
    match a.to_i64() {
        Some(0) => return Ok(Value::small_int(i64::from(b.is_zero()))),
        Some(1) => return Ok(Value::small_int(1)),
        Some(-1) => return Ok(Value::small_int(if b.big().bit(0) { -1 } else { 1 })),
        _ => {}
    }
    let base = a.big();
    match exponent.and_then(|e| u32::try_from(e).ok()) {
        Some(e) if base.bits().saturating_mul(u64::from(e)) < MAX_BITS => {
            check_room(vm, base.bits() * u64::from(e))?;
            vm.big_int(large::power(vm, &base, e)?)
        }
        _ => Err(vm.memory_error()),
    }
}

/// `pow(a, b, m)`. ValueError.
pub fn power_mod(vm: &Vm, a: Int, b: Int, m: Int) -> R<Value> {
    if m.is_zero() {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    let m = m.big();
    check_room(vm, 4 * (m.bits() + a.big().bits() + b.big().bits()))?;
    let mut base = a.big().into_owned();
    let mut exponent = b.big().into_owned();
    if b.is_negative() {
        let Some(inverse) = base.modinv(&Big::from(m.magnitude().clone())) else {
            return Err(vm.value_error("base is not invertible for the given modulus"));
        };
        base = inverse;
        exponent = -exponent;
    }
    if m.magnitude().bits() == 1 {
        return Ok(Value::small_int(0));
    }
    vm.big_int(large::power_mod(vm, &base, &exponent, &m)?)
}

/// An int as the nearest float. OverflowError.
pub fn int_as_f64(vm: &Vm, a: Int) -> R<f64> {
    let f = match a {
        Int::Small(i) => i as f64,
        Int::Boxed(b) => skein_runtime::types::int::big_to_f64(&b.get()),
    };
    if f.is_finite() { Ok(f) } else { Err(vm.overflow_error("int too large to convert to float")) }
}

/// The correctly rounded quotient; the divisor is not 0. OverflowError.
fn true_divide(vm: &Vm, x: &Big, y: &Big) -> R<f64> {
    let negative = (x.sign() == Sign::Minus) != (y.sign() == Sign::Minus);
    let (a, b) = (x.magnitude(), y.magnitude());
    if a.bits() == 0 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    // A quotient of 66 or 67 bits, of which the last also stands for what is below it.
    let scale = a.bits() as i64 - b.bits() as i64 - 66;
    if scale > 1024 {
        return Err(vm.overflow_error("integer division result too large for a float"));
    }
    if scale < -1300 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    let (q, rest) = if scale < 0 {
        (a << scale.unsigned_abs()).div_rem(b)
    } else {
        a.div_rem(&(b << scale.unsigned_abs()))
    };
    let mut q = u128::try_from(&q).unwrap_or(u128::MAX);
    if rest.bits() > 0 {
        q |= 1;
    }
    match round_scaled(q, scale) {
        Some(f) => Ok(if negative { -f } else { f }),
        None => Err(vm.overflow_error("integer division result too large for a float")),
    }
}

/// `q * 2**scale` rounded once, to the nearest even; None if it is too large.
pub fn round_scaled(q: u128, scale: i64) -> Option<f64> {
    let bits = i64::from(128 - q.leading_zeros());
    let lowest = (bits + scale - 53).max(-1074);
    let drop = lowest - scale;
    let m = if drop <= 0 {
        q << (-drop).min(127)
    } else if drop > 127 {
        0
    } else {
        let (kept, half) = (q >> drop, 1u128 << (drop - 1));
        let rest = q & ((1 << drop) - 1);
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    };
    let f = libm::scalbn(m as f64, lowest as i32);
    f.is_finite().then_some(f)
}

/// An operand of exact type int or float.
enum Operand {
    Int(Int),
    Float(f64),
}

#[inline]
fn operand(vm: &Vm, v: Value) -> Option<Operand> {
    if v.is_int() {
        return Some(Operand::Int(Int::Small(v.as_small_int())));
    }
    if v.is_float() {
        return Some(Operand::Float(v.as_immediate_float()));
    }
    let shape = v.header()?.shape.get();
    if shape == vm.types.int.root_shape_id() {
        return v.cast::<BigInt>().map(|b| Operand::Int(Int::Boxed(b)));
    }
    if shape == vm.types.float.root_shape_id() {
        return v.cast::<Float>().map(|f| Operand::Float(f.get()));
    }
    None
}

/// Arithmetic of exact ints and floats that is not done inline; None for other operands.
pub fn number_binary(vm: &Vm, op: Special, l: Value, r: Value) -> R<Option<Value>> {
    let (Some(a), Some(b)) = (operand(vm, l), operand(vm, r)) else { return Ok(None) };
    let v = match (a, b) {
        (Operand::Int(a), Operand::Int(b)) => int_op(vm, op, a, b)?,
        (Operand::Float(a), Operand::Float(b)) => float_op(vm, op, a, b)?,
        (Operand::Int(a), Operand::Float(b)) => float_op(vm, op, int_as_f64(vm, a)?, b)?,
        (Operand::Float(a), Operand::Int(b)) => float_op(vm, op, a, int_as_f64(vm, b)?)?,
    };
    Ok((!v.is(Value::NOT_IMPLEMENTED)).then_some(v))
}
