//! Exponential function, logarithms and powers: correctly rounded but for powers with a fraction as exponent, which
//! are so nearly always.
//!
//! They are calculated in binary fixed point: an integer stands for itself divided by `2^bits`. Each function says how far its
//! result may be off; where that leaves the rounding open, it is calculated again with more places.

use super::arith::{check_nans, div, mul};
use super::coeff::{Coeff, power};
use super::number::{Num, Rounding, Rules, Work, status::*};
use num_bigint::{BigInt, BigUint, Sign};
use skein_runtime::R;
use std::cmp::Ordering;

/// Bits that hold so many decimal digits.
fn bits_of(digits: u64) -> u64 {
    digits * 3322 / 1000 + 8
}

/// The area hyperbolic tangent of 1/n. Off by less than the number of its terms, in the last place.
fn atanh_inverse(n: u32, bits: u64) -> BigInt {
    let square = BigInt::from(n) * n;
    let mut term = (BigInt::from(1) << bits) / n;
    let (mut sum, mut k) = (term.clone(), 1u32);
    while term.sign() != Sign::NoSign {
        term /= &square;
        k += 2;
        sum += &term / k;
    }
    sum
}

/// ln 10, off by less than 2.
fn ln_10(bits: u64) -> BigInt {
    // The terms are fewer than the bits.
    let guard = 16 + u64::from(bits.ilog2());
    let at = |n| atanh_inverse(n, bits + guard);
    let sum = at(31) * 46 + at(49) * 34 + at(161) * 20;
    sum >> guard
}

/// `e^x` for `|x| < 4`, off by less than 4.
fn exp_fixed(x: &BigInt, bits: u64) -> BigInt {
    // With so many halvings before, and as many squarings behind, the series needs about as many terms.
    let halvings = ((bits as f64).sqrt() as u64).max(4);
    let guard = halvings * 2 + 16 + u64::from(bits.ilog2());
    let bits = bits + guard;
    let small: BigInt = (x << guard) >> halvings;
    let one = BigInt::from(1) << bits;
    let (mut sum, mut term, mut k) = (one.clone(), one, 0u32);
    loop {
        k += 1;
        term = ((&term * &small) >> bits) / k;
        // Rounded down, what is negative comes to -1 and stays there.
        if term.bits() <= 1 {
            break;
        }
        sum += &term;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> bits;
    }
    sum >> guard
}

/// `ln m` for `0.1 < m < 10`, off by less than 8.
fn ln_fixed(m: &BigInt, bits: u64) -> BigInt {
    const FIRST: u64 = 50;
    let leading = m >> bits.saturating_sub(FIRST);
    let shown = i64::try_from(&leading).unwrap_or(1).max(1) as f64;
    let guess = (shown / (1i64 << FIRST.min(bits)) as f64).ln();
    let mut y = BigInt::from((guess * (1i64 << FIRST) as f64) as i64);
    // Each round has three times as many places right.
    let (mut known, mut places) = (40, FIRST);
    let guard = 16;
    while known < bits + guard {
        let next = (known * 3 - 8).min(bits + guard);
        let wanted = next + 8;
        y = shifted(y, places, wanted);
        let m = shifted(m.clone(), bits, wanted);
        let e = exp_fixed(&y, wanted);
        let step: BigInt = ((&m - &e) << (wanted + 1)) / (&m + &e);
        y += step;
        (known, places) = (next, wanted);
    }
    shifted(y, places, bits)
}

/// With another number of bits behind the point.
fn shifted(n: BigInt, from: u64, to: u64) -> BigInt {
    if to >= from { n << (to - from) } else { n >> (from - to) }
}

/// `coeff * 10^exp` in fixed point, off by less than 1.
fn fixed(w: &Work<'_>, n: &Num, bits: u64) -> R<BigInt> {
    w.room(n.exp.unsigned_abs() + n.coeff.digits() + bits / 3)?;
    let coeff = n.coeff.big();
    let magnitude = if n.exp >= 0 {
        (coeff * power(n.exp as u64)) << bits
    } else {
        (coeff << bits) / power(n.exp.unsigned_abs())
    };
    Ok(BigInt::from_biguint(if n.negative { Sign::Minus } else { Sign::Plus }, magnitude))
}

/// A fixed-point number as a coefficient of about `digits` digits and an exponent, off by less than 1 more.
fn decimal(n: &BigInt, bits: u64, digits: u64) -> (BigUint, i64) {
    let magnitude = n.magnitude();
    // The place of its first digit, or one beside it.
    let place = ((magnitude.bits() as i128 - bits as i128) * 30_103 / 100_000) as i64;
    let exp = place - digits as i64;
    let scaled = if exp <= 0 {
        (magnitude * power(exp.unsigned_abs())) >> bits
    } else {
        (magnitude >> bits) / power(exp as u64)
    };
    (scaled, exp)
}

/// Is the rounding to `prec` digits the same for all numbers that are less than 10 off in the last place?
fn is_settled(coeff: &BigUint, prec: u64) -> bool {
    let digits = Coeff::from(coeff.clone()).digits();
    if digits < prec + 2 {
        return false;
    }
    let half = power(digits - prec) >> 1u8;
    let rest = coeff % &half;
    let ten = BigUint::from(10u8);
    rest > ten && rest < half - ten
}

/// Calculates with more and more places until the rounding is settled.
fn rounded(
    w: &mut Work<'_>,
    negative: bool,
    mut f: impl FnMut(&Work<'_>, u64) -> R<(BigUint, i64)>,
) -> R<Num> {
    let prec = w.rules.prec as u64;
    let mut extra = 4;
    loop {
        w.room((prec + extra) * 2)?;
        let (coeff, exp) = f(w, prec + extra)?;
        if is_settled(&coeff, prec) {
            w.rules.rounding = Rounding::HalfEven;
            return Num::finite(negative, coeff.into(), exp).finish(w);
        }
        extra += 4 + extra / 2;
    }
}

/// `e^x` as a coefficient of about `digits` digits, for an `x` that is not too large.
fn exp_digits(w: &Work<'_>, x: &Num, digits: u64) -> R<(BigUint, i64)> {
    let whole = x.adjusted().max(0) as u64 + 1;
    let bits = bits_of(digits + 4 + whole);
    exp_of_fixed(fixed(w, x, bits)?, bits, digits)
}

/// `e^x` for a fixed-point `x`.
fn exp_of_fixed(x: BigInt, bits: u64, digits: u64) -> R<(BigUint, i64)> {
    let ln_10 = ln_10(bits);
    // x = tens * ln 10 + rest
    let (mut tens, mut rest) = (&x / &ln_10, &x % &ln_10);
    if rest.sign() == Sign::Minus {
        (tens, rest) = (tens - 1, rest + ln_10);
    }
    let (coeff, exp) = decimal(&exp_fixed(&rest, bits), bits, digits);
    Ok((coeff, exp + i64::try_from(&tens).unwrap_or(i64::MAX / 4)))
}

/// A result too large or too small for any context.
fn beyond(w: &mut Work<'_>, negative: bool, large: bool) -> R<Num> {
    let exp = if large { w.rules.emax + 1 } else { w.rules.etiny() - 1 };
    Num::finite(negative, Coeff::ONE, exp).finish(w)
}

/// The number next to 1, as what differs from 1 by less than the last place.
fn beside_one(w: &mut Work<'_>, above: bool) -> R<Num> {
    let prec = w.rules.prec as u64;
    w.room(prec)?;
    let n = if above {
        Num::finite(false, Coeff::ONE.scaled_up(prec + 1).plus(&Coeff::ONE), -(prec as i64) - 1)
    } else {
        Num::finite(false, Coeff::nines(prec + 2), -(prec as i64) - 2)
    };
    n.finish(w)
}

pub fn exp(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    if a.is_infinite() {
        return Ok(if a.negative { Num::zero(false, 0) } else { Num::infinity(false) });
    }
    if a.is_zero() {
        return Ok(Num::int(1));
    }
    w.rules.rounding = Rounding::HalfEven;
    // No exponent has more digits.
    if a.adjusted() > 19 {
        return beyond(w, false, !a.negative);
    }
    if a.adjusted() < -(w.rules.prec + 1) {
        return beside_one(w, !a.negative);
    }
    let estimate = f64_of(a) / std::f64::consts::LN_10;
    if estimate > w.rules.emax as f64 * 1.01 + 10.0 {
        return beyond(w, false, true);
    }
    if estimate < w.rules.etiny() as f64 * 1.01 - 10.0 {
        return beyond(w, false, false);
    }
    let x = a.clone();
    rounded(w, false, |w, digits| exp_digits(w, &x, digits))
}

/// The number as a float, roughly.
fn f64_of(n: &Num) -> f64 {
    let digits = n.coeff.digits();
    let leading = n.coeff.scaled_down(digits.saturating_sub(18)).0;
    let Coeff::Small(leading) = leading else { return f64::NAN };
    let exp = n.exp as f64 + digits.saturating_sub(18) as f64;
    let magnitude = leading as f64 * 10f64.powf(exp);
    if n.negative { -magnitude } else { magnitude }
}

/// A positive number as `m * 10^k` with m near 1, so that no digits are lost where the number itself is near 1.
fn split(x: &Num) -> (Num, i64) {
    let adjusted = x.adjusted();
    let first = x.coeff.scaled_down(x.coeff.digits() - 1).0;
    let k = if first > Coeff::from(2) { adjusted + 1 } else { adjusted };
    let mut m = x.clone();
    m.exp -= k;
    (m, k)
}

/// The place of the first digit of `m - 1`, or one above it.
fn distance_from_one(w: &Work<'_>, m: &Num) -> R<i64> {
    let mut exact = w.with(Rules::EXACT);
    let difference = super::arith::sub(&mut exact, m, &Num::int(1))?;
    Ok(difference.adjusted())
}

/// `ln x` in fixed point with about `digits` digits: the value, and the bits behind its point. Off by less than 2^16 in
/// the last place. `x` is positive and not 1.
fn ln_value(w: &Work<'_>, x: &Num, digits: u64) -> R<(BigInt, u64)> {
    let (m, k) = split(x);
    let zeros = if k == 0 { (-distance_from_one(w, &m)?).max(0) as u64 + 1 } else { 0 };
    let bits = bits_of(digits + zeros + 2) + 24;
    w.room(bits / 3)?;
    let ln_m = ln_fixed(&fixed(w, &m, bits)?, bits);
    if k == 0 {
        return Ok((ln_m, bits));
    }
    // The product is off by as much as k is large.
    let guard = 64;
    let tens = (ln_10(bits + guard) * k) >> guard;
    Ok((ln_m + tens, bits))
}

/// The logarithm, to whatever base, of what is no positive number.
fn log_of_special(w: &mut Work<'_>, a: &Num) -> R<Option<Num>> {
    if let Some(nan) = super::arith::nan_of(w, &[a])? {
        return Ok(Some(nan));
    }
    if a.is_zero() {
        return Ok(Some(Num::infinity(true)));
    }
    if a.negative {
        return w.invalid(INVALID_OPERATION).map(Some);
    }
    Ok(a.is_infinite().then(|| Num::infinity(false)))
}

pub fn ln(w: &mut Work<'_>, a: &Num) -> R<Num> {
    if let Some(special) = log_of_special(w, a)? {
        return Ok(special);
    }
    let order = a.compare(&Num::int(1));
    if order == Ordering::Equal {
        return Ok(Num::zero(false, 0));
    }
    let x = a.clone();
    rounded(w, order == Ordering::Less, |w, digits| {
        let (value, bits) = ln_value(w, &x, digits)?;
        Ok(decimal(&value, bits, digits))
    })
}

pub fn log10(w: &mut Work<'_>, a: &Num) -> R<Num> {
    if let Some(special) = log_of_special(w, a)? {
        return Ok(special);
    }
    // A power of ten.
    if a.coeff.scaled_down(a.coeff.trailing_zeros()).0 == Coeff::ONE {
        w.rules.rounding = Rounding::HalfEven;
        return Num::int(a.adjusted()).finish(w);
    }
    let below = a.compare(&Num::int(1)) == Ordering::Less;
    let x = a.clone();
    rounded(w, below, |w, digits| {
        let (value, bits) = ln_value(w, &x, digits + 2)?;
        let value = (value << bits) / ln_10(bits);
        Ok(decimal(&value, bits, digits))
    })
}

/// `a ** b`.
pub fn pow(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let whole = b.is_integer();
    let odd = whole && is_odd(b);
    let negative = a.negative && odd;
    if b.is_zero() {
        return if a.is_zero() { w.invalid(INVALID_OPERATION) } else { Ok(Num::int(1)) };
    }
    if a.is_zero() {
        return Ok(if b.negative { Num::infinity(negative) } else { Num::zero(negative, 0) });
    }
    if a.negative && !whole {
        return w.invalid(INVALID_OPERATION);
    }
    if b.is_infinite() {
        let order = a.clone().abs().compare(&Num::int(1));
        return match order {
            Ordering::Equal => {
                w.status |= INEXACT | ROUNDED;
                one(w, false, w.rules.prec as u64 - 1)
            }
            o if (o == Ordering::Greater) == b.negative => Ok(Num::zero(false, 0)),
            _ => Ok(Num::infinity(false)),
        };
    }
    if a.is_infinite() {
        return Ok(if b.negative { Num::zero(negative, 0) } else { Num::infinity(negative) });
    }
    if a.clone().abs().compare(&Num::int(1)) == Ordering::Equal {
        return power_of_one(w, a, b, negative, whole);
    }
    if let Some(large) = out_of_bounds(w, a, b) {
        return beyond(w, negative, large);
    }
    if whole { whole_power(w, a, b, negative) } else { real_power(w, a, b) }
}

fn is_odd(b: &Num) -> bool {
    if b.exp > 0 {
        return false;
    }
    b.coeff.scaled_down(b.exp.unsigned_abs()).0.is_odd()
}

/// 1 with so many places.
fn one(w: &Work<'_>, negative: bool, places: u64) -> R<Num> {
    w.room(places)?;
    Ok(Num::finite(negative, Coeff::ONE.scaled_up(places), -(places as i64)))
}

/// 1 with as many places as multiplications would give it.
fn power_of_one(w: &mut Work<'_>, a: &Num, b: &Num, negative: bool, whole: bool) -> R<Num> {
    let most = w.rules.prec as u64 - 1;
    if !whole {
        w.status |= INEXACT | ROUNDED;
        return one(w, negative, most);
    }
    if b.negative {
        return Ok(Num::finite(negative, Coeff::ONE, 0));
    }
    let places = match (a.exp, word(b)) {
        (0.., _) => Some(0),
        (exp, Some(n)) => exp.unsigned_abs().checked_mul(n),
        _ => None,
    };
    match places.filter(|&n| n <= most) {
        Some(places) => one(w, negative, places),
        None => {
            w.status |= ROUNDED;
            one(w, negative, most)
        }
    }
}

/// The magnitude of a whole number, if it is not too large.
fn word(n: &Num) -> Option<u64> {
    if n.adjusted() > 19 {
        return None;
    }
    match n.truncated() {
        Coeff::Small(n) => u64::try_from(n).ok(),
        Coeff::Big(_) => None,
    }
}

/// Is the power surely too large (true) or too small (false) for the context?
fn out_of_bounds(w: &Work<'_>, a: &Num, b: &Num) -> Option<bool> {
    let log = {
        // Near 1 the logarithm is the distance; elsewhere it is about the exponent.
        let digits = a.coeff.digits();
        let leading = a.coeff.scaled_down(digits.saturating_sub(17)).0;
        let Coeff::Small(leading) = leading else { return None };
        let tens = a.exp as f64 + digits.saturating_sub(17) as f64;
        (leading as f64).log10() + tens
    };
    if log.abs() < 1e-10 {
        return None;
    }
    let exp = f64_of(b) * log;
    if exp > w.rules.emax as f64 * 1.01 + 10.0 {
        return Some(true);
    }
    (exp < w.rules.etiny() as f64 * 1.01 - 10.0).then_some(false)
}

/// By repeated multiplication, with places enough for all of them.
fn whole_power(w: &mut Work<'_>, a: &Num, b: &Num, negative: bool) -> R<Num> {
    let digits = b.coeff.digits() as i64 + b.exp.max(0);
    let mut rules = Rules { rounding: Rounding::HalfEven, clamp: false, ..w.rules };
    rules.prec = (rules.prec + digits + 2 + i64::from(b.negative)).min(super::number::MAX_PREC);
    // What is out of range between is in range at the end, or is found then.
    (rules.emax, rules.emin) = (Rules::EXACT.emax, Rules::EXACT.emin);
    let mut inner = w.with(rules);
    let base = a.clone().abs();
    let base = if b.negative { div(&mut inner, &Num::int(1), &base)? } else { base };
    let exponent = b.truncated().into_big();
    let mut result = base.clone();
    for i in (0..exponent.bits() - 1).rev() {
        w.vm.check_signals()?;
        result = mul(&mut inner, &result, &result)?;
        if exponent.bit(i) {
            result = mul(&mut inner, &result, &base)?;
        }
        if !result.is_finite() || result.is_zero() {
            break;
        }
    }
    if result.is_infinite() {
        return beyond(w, negative, true);
    }
    if result.is_zero() {
        return beyond(w, negative, false);
    }
    result.negative = negative;
    // Divisions and products that were rounded leave their mark.
    w.status |= inner.status & (INEXACT | ROUNDED);
    result.finish(w)
}

/// `e^(b ln a)`.
fn real_power(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    // The product may have as many digits before the point as an exponent has.
    const EXTRA: u64 = 24;
    let digits = w.rules.prec as u64 + EXTRA;
    w.room(digits * 2)?;
    let (log, bits) = ln_value(w, a, digits + EXTRA)?;
    let magnitude = log.bits() as i64 - bits as i64;
    let product_place = magnitude * 30_103 / 100_000 + b.adjusted();
    if product_place < -(w.rules.prec + 2) {
        return beside_one(w, (log.sign() == Sign::Minus) == b.negative);
    }
    w.room(b.coeff.digits() + b.exp.unsigned_abs())?;
    let product = log * BigInt::from(b.coeff.big());
    let product = if b.exp >= 0 {
        product * BigInt::from(power(b.exp as u64))
    } else {
        product / BigInt::from(power(b.exp.unsigned_abs()))
    };
    let product = if b.negative { -product } else { product };
    let (coeff, exp) = exp_of_fixed(product, bits, digits)?;
    // Rounded in two steps, so that a result that has few digits is found.
    let mut inner = w.with(Rules { prec: digits as i64 - 4, rounding: Rounding::HalfEven, ..Rules::EXACT });
    let result = Num::finite(false, coeff.into(), exp).finish(&mut inner)?;
    w.status |= INEXACT | ROUNDED;
    let result = result.finish(w)?;
    if w.status & SUBNORMAL != 0 {
        w.status |= UNDERFLOW;
    }
    Ok(result)
}

/// `a ** b % m` of whole numbers.
pub fn pow_mod(w: &mut Work<'_>, a: &Num, b: &Num, m: &Num) -> R<Num> {
    check_nans!(w, a, b, m);
    if !(a.is_integer() && b.is_integer() && m.is_integer())
        || b.negative && !b.is_zero()
        || m.is_zero()
        || m.adjusted() >= w.rules.prec
        || (a.is_zero() && b.is_zero())
    {
        return w.invalid(INVALID_OPERATION);
    }
    let negative = a.negative && is_odd(b) && !b.is_zero();
    let modulus = m.truncated().into_big();
    // Tens beyond the digits are powers too.
    let mut base = a.coeff.big();
    if a.exp >= 0 {
        base = base % &modulus * BigUint::from(10u8).modpow(&BigUint::from(a.exp as u64), &modulus);
    } else {
        base = a.truncated().into_big();
    }
    base %= &modulus;
    if b.exp >= 0 {
        for _ in 0..b.exp {
            w.vm.check_signals()?;
            base = base.modpow(&BigUint::from(10u8), &modulus);
        }
        base = base.modpow(&b.coeff.big(), &modulus);
    } else {
        base = base.modpow(&b.truncated().into_big(), &modulus);
    }
    Num::finite(negative, base.into(), 0).finish(w)
}
