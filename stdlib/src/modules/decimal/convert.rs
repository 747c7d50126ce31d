//! Between Python's objects and numbers.

use super::coeff::{Coeff, power};
use super::context::{ContextRef, exactly};
use super::number::{Form, Num, Work, status::*};
use super::text;
use num_bigint::{BigInt as Big, BigUint, Sign};
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::int::BigInt;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};

/// A `decimal.Decimal`. A coefficient that is not small is an int beside it, so that nothing has to be freed.
pub struct Decimal {
    small: [u64; 2],
    big: Field,
    exp: i64,
    form: Form,
    negative: bool,
}

impl Payload for Decimal {
    const NAME: &'static str = "decimal.Decimal";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Decimal { small: _, big, exp: _, form: _, negative: _ } = self;
        big.trace(t);
    }
}

pub type DecimalRef = Ref<Ext<Decimal>>;

impl Decimal {
    #[inline]
    pub fn num(&self) -> Num {
        let coeff = match self.big.get() {
            None => Coeff::Small(u128::from(self.small[1]) << 64 | u128::from(self.small[0])),
            Some(big) => big_coeff(big),
        };
        Num { negative: self.negative, form: self.form, exp: self.exp, coeff }
    }

    pub fn is_negative(&self) -> bool {
        self.negative
    }
}

fn big_coeff(v: Value) -> Coeff {
    let int = v.cast::<BigInt>();
    int.map_or(Coeff::ZERO, |i| i.get().magnitude().clone().into())
}

/// A Decimal of a class. MemoryError.
#[inline]
pub fn allocate(vm: &Vm, class: Ref<Type>, n: Num) -> R<DecimalRef> {
    let Num { negative, form, exp, coeff } = n;
    let (small, big) = match coeff {
        Coeff::Small(n) => ([n as u64, (n >> 64) as u64], None),
        Coeff::Big(n) => ([0; 2], Some(BigInt::new(vm, n.into())?.value())),
    };
    Ext::new(vm, class, Decimal { small, big: Field::new(big), exp, form, negative })
}

/// A plain Decimal. MemoryError.
#[inline]
pub fn plain(vm: &Vm, n: Num) -> R<Value> {
    Ok(allocate(vm, super::class::decimal_type(vm)?, n)?.value())
}

/// The number of an int object, exactly.
pub fn of_int(vm: &Vm, v: Value) -> Option<Num> {
    if let Some(n) = vm.as_i64(v) {
        return Some(Num::int(n));
    }
    let int = v.cast::<BigInt>()?;
    let big = int.get();
    Some(Num::finite(big.sign() == Sign::Minus, big.magnitude().clone().into(), 0))
}

/// The number of a float, exactly.
pub fn of_float(f: f64) -> Num {
    if f.is_nan() {
        return Num { negative: f.is_sign_negative(), ..Num::nan() };
    }
    let negative = f.is_sign_negative();
    if f.is_infinite() {
        return Num::infinity(negative);
    }
    let bits = f.to_bits();
    let exp = (bits >> 52 & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mut mantissa, mut exp) = if exp == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exp - 1075) };
    if mantissa == 0 {
        return Num::zero(negative, 0);
    }
    let zeros = i64::from(mantissa.trailing_zeros()).min((-exp).max(0));
    (mantissa, exp) = (mantissa >> zeros, exp + zeros);
    if exp >= 0 {
        return Num::finite(negative, (BigUint::from(mantissa) << exp as u64).into(), 0);
    }
    // m / 2^n = m * 5^n / 10^n
    let places = exp.unsigned_abs();
    let coeff = BigUint::from(mantissa) * BigUint::from(5u8).pow(places as u32);
    Num::finite(negative, coeff.into(), exp)
}

/// An operand of an operator: a Decimal or an int. None: neither.
#[inline]
pub fn operand(vm: &Vm, v: Value) -> Option<Num> {
    match v.cast::<Ext<Decimal>>() {
        Some(d) => Some(d.num()),
        None => of_int(vm, v),
    }
}

/// An operand of a method. TypeError.
pub fn argument(vm: &Vm, v: Value) -> R<Num> {
    operand(vm, v).ok_or_else(|| not_supported(vm, v))
}

#[cold]
pub fn not_supported(vm: &Vm, v: Value) -> Raised {
    let got = vm.type_name(v);
    vm.type_error(format!("conversion from {got} to Decimal is not supported"))
}

/// The text of a `(sign, digits, exponent)`. ValueError.
fn text_of_row(vm: &Vm, v: Value) -> R<Vec<u8>> {
    let items = |v: Value| match (v.cast::<Tuple>(), v.cast::<List>()) {
        (Some(t), _) => Some(t),
        (_, Some(l)) => Tuple::new(vm, l.items()).ok(),
        _ => None,
    };
    let row = items(v).map_or(Vec::new(), |t| t.items().iter().copied().take(4).collect());
    let &[sign, digits, exp] = &row[..] else {
        return Err(vm.value_error("argument must be a sequence of length 3"));
    };
    let mut out = Vec::new();
    match vm.as_i64(sign).filter(|_| vm.is_int(sign)) {
        Some(0) => {}
        Some(1) => out.push(b'-'),
        _ => return Err(vm.value_error("sign must be an integer with the value 0 or 1")),
    }
    let special = match exp.cast::<Str>() {
        Some(s) => match s.bytes() {
            b"F" => {
                out.extend_from_slice(b"Inf");
                return Ok(out);
            }
            b"n" => Some("NaN"),
            b"N" => Some("sNaN"),
            _ => {
                return Err(vm.value_error("string argument in the third position must be 'F', 'n' or 'N'"));
            }
        },
        None => None,
    };
    let exp = match special {
        Some(word) => {
            out.extend_from_slice(word.as_bytes());
            None
        }
        None if vm.is_int(exp) => Some(vm.index_i64(exp)?),
        None => return Err(vm.value_error("exponent must be an integer")),
    };
    let wrong = || vm.value_error("coefficient must be a tuple of digits");
    let Some(digits) = items(digits) else { return Err(wrong()) };
    for &d in digits.items() {
        match vm.as_i64(d).filter(|_| vm.is_int(d)) {
            Some(d @ 0..=9) => vm.push(&mut out, b'0' + d as u8)?,
            _ => return Err(wrong()),
        }
    }
    if let Some(exp) = exp {
        if digits.items().is_empty() {
            out.push(b'0');
        }
        out.extend_from_slice(format!("E{exp}").as_bytes());
    }
    Ok(out)
}

/// How a constructor takes numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As they are; what cannot be represented is invalid.
    Exact,
    /// Rounded to the context.
    Rounded,
}

/// The number of any object that a constructor takes. TypeError, ValueError.
pub fn of_object(vm: &Vm, v: Value, context: ContextRef, how: How) -> R<Num> {
    let finish = |f: &mut dyn FnMut(&mut Work<'_>) -> R<Num>| -> R<Num> {
        match how {
            How::Exact => exactly(vm, context, |w| f(w)),
            How::Rounded => {
                let mut w = context.work(vm);
                let n = f(&mut w)?;
                context.signal(vm, w.status)?;
                Ok(n)
            }
        }
    };
    if let Some(d) = v.cast::<Ext<Decimal>>() {
        let n = d.num();
        if how == How::Exact {
            return Ok(n);
        }
        let rules = context.rules.get();
        if n.is_nan() && n.coeff.exceeds((rules.prec - i64::from(rules.clamp)) as u64) {
            context.signal(vm, CONVERSION_SYNTAX)?;
            return Ok(Num::nan());
        }
        return finish(&mut |w| n.clone().finish(w));
    }
    if let Some(s) = v.cast::<Str>() {
        let ascii = text::ascii(vm, s, how == How::Exact)?;
        return finish(&mut |w| text::number(w, &ascii));
    }
    if let Some(n) = of_int(vm, v) {
        return finish(&mut |w| n.clone().finish(w));
    }
    if v.cast::<Tuple>().is_some() || v.cast::<List>().is_some() {
        let ascii = text_of_row(vm, v)?;
        return finish(&mut |w| text::number(w, &ascii));
    }
    if let Some(f) = vm.as_float(v) {
        context.signal(vm, FLOAT_OPERATION)?;
        return finish(&mut |w| of_float(f).finish(w));
    }
    Err(not_supported(vm, v))
}

/// The whole part as an int. ValueError, OverflowError.
pub fn to_int(vm: &Vm, n: &Num) -> R<Value> {
    check_finite(vm, n, "integer")?;
    let w = Work::new(vm, super::number::Rules::EXACT);
    if n.exp > 0 && !n.coeff.is_zero() {
        w.room(n.exp as u64 + n.coeff.digits())?;
    }
    let magnitude = n.truncated();
    match magnitude {
        Coeff::Small(m) if m < 1 << 62 => vm.int(if n.negative { -(m as i64) } else { m as i64 }),
        m => {
            let sign = if n.negative { Sign::Minus } else { Sign::Plus };
            vm.big_int(Big::from_biguint(sign, m.into_big()))
        }
    }
}

/// ValueError for NaN, OverflowError for infinities.
pub fn check_finite(vm: &Vm, n: &Num, what: &str) -> R<()> {
    match n.form {
        Form::Finite => Ok(()),
        Form::Infinite => Err(vm.overflow_error(format!("cannot convert Infinity to {what}"))),
        _ => Err(vm.value_error(format!("cannot convert NaN to {what}"))),
    }
}

/// Numerator and denominator in lowest terms.
pub fn to_ratio(vm: &Vm, n: &Num) -> R<Value> {
    check_finite(vm, n, "integer ratio")?;
    let w = Work::new(vm, super::number::Rules::EXACT);
    if n.coeff.is_zero() {
        return vm.tuple(&[Value::small_int(0), Value::small_int(1)]);
    }
    w.room(n.exp.unsigned_abs() + n.coeff.digits())?;
    let sign = if n.negative { Sign::Minus } else { Sign::Plus };
    let (mut a, mut b) = (n.coeff.big(), BigUint::from(1u8));
    if n.exp >= 0 {
        a *= power(n.exp as u64);
    } else {
        // Only twos and fives can be common to both.
        let places = n.exp.unsigned_abs();
        let twos = a.trailing_zeros().unwrap_or(0).min(places);
        a >>= twos;
        let (mut fives, five) = (0, BigUint::from(5u8));
        while fives < places && &a % &five == BigUint::ZERO {
            a /= &five;
            fives += 1;
        }
        b = BigUint::from(5u8).pow((places - fives) as u32) << (places - twos);
    }
    let a = vm.big_int(Big::from_biguint(sign, a))?;
    vm.tuple(&[a, vm.big_int(b.into())?])
}

/// Python's hash of numbers: that of an int or float of the same value.
pub fn hash(n: &Num) -> i64 {
    const PRIME: u64 = (1 << 61) - 1;
    if n.is_infinite() {
        return if n.negative { -314_159 } else { 314_159 };
    }
    let prime = BigUint::from(PRIME);
    // 10 to the power of PRIME - 1 is 1, so that exponents count modulo that.
    let exp = n.exp.rem_euclid(PRIME as i64 - 1) as u64;
    let tens = match exp {
        0 => BigUint::from(1u8),
        exp => BigUint::from(10u8).modpow(&BigUint::from(exp), &prime),
    };
    let h = (n.coeff.big() % &prime * tens % prime).try_into().unwrap_or(0i64);
    match if n.negative { -h } else { h } {
        -1 => -2,
        h => h,
    }
}
