//! The basic operations: sums, products, quotients, roots.

use super::coeff::{Coeff, Rest};
use super::number::{Form, Num, Rounding, Work, status::*};
use num_bigint::BigUint;
use skein_builtins::types::square_root;
use skein_runtime::R;
use std::cmp::Ordering;

/// The NaN that an operation on these gives, if any is one: the first that signals, else the first.
#[inline]
pub fn nan_of(w: &mut Work<'_>, all: &[&Num]) -> R<Option<Num>> {
    if all.iter().all(|n| !n.is_nan()) {
        return Ok(None);
    }
    let signaling = all.iter().find(|n| n.form == Form::Signaling);
    if signaling.is_some() {
        w.status |= INVALID_OPERATION;
    }
    let Some(found) = signaling.or_else(|| all.iter().find(|n| n.is_nan())) else { return Ok(None) };
    let mut nan = (*found).clone();
    nan.form = Form::Quiet;
    nan.finish(w).map(Some)
}

/// Returns with the NaN of operands, if one of them is a NaN.
macro_rules! check_nans {
    ($w:expr, $($n:expr),+) => {
        if let Some(nan) = $crate::modules::decimal::arith::nan_of($w, &[$($n),+])? {
            return Ok(nan);
        }
    };
}
pub(super) use check_nans;

/// With another exponent, rounded or with more zeros. Signals nothing. MemoryError.
pub fn rescaled(w: &Work<'_>, n: &Num, exp: i64, rounding: Rounding) -> R<Num> {
    let mut n = n.clone();
    if n.coeff.is_zero() {
        n.exp = exp;
    } else if n.exp >= exp {
        let zeros = n.exp.abs_diff(exp);
        w.room(zeros + n.coeff.digits())?;
        n.coeff = n.coeff.scaled_up(zeros);
        n.exp = exp;
    } else {
        n.cut(exp.abs_diff(n.exp), rounding);
    }
    Ok(n)
}

pub fn add(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    if !(a.is_finite() && b.is_finite()) {
        check_nans!(w, a, b);
        if a.is_infinite() {
            if b.is_infinite() && a.negative != b.negative {
                return w.invalid(INVALID_OPERATION);
            }
            return Ok(Num::infinity(a.negative));
        }
        return Ok(Num::infinity(b.negative));
    }
    let exp = a.exp.min(b.exp);
    let zero_sign = w.rules.rounding == Rounding::Floor && a.negative != b.negative;
    match (a.coeff.is_zero(), b.coeff.is_zero()) {
        (false, false) => {}
        (true, true) => {
            return Num::zero(zero_sign || (a.negative && b.negative), exp).finish(w);
        }
        (a_is_zero, _) => {
            let n = if a_is_zero { b } else { a };
            let exp = exp.max(n.exp - w.rules.prec - 1);
            return rescaled(w, n, exp, w.rules.rounding)?.finish(w);
        }
    }
    // With one exponent. What is too small to matter becomes a 1 in a place where it rounds alike.
    let (high, low) = if a.exp >= b.exp { (a, b) } else { (b, a) };
    let (mut high_coeff, mut low_coeff, mut exp) = (high.coeff.clone(), low.coeff.clone(), low.exp);
    let distance = high.exp.abs_diff(low.exp);
    if distance > 0 {
        let last = high.exp + (-1).min(high.coeff.digits() as i64 - w.rules.prec - 2);
        if low.adjusted() < last {
            (low_coeff, exp) = (Coeff::ONE, last);
        }
        let zeros = high.exp.abs_diff(exp);
        w.room(zeros + high_coeff.digits())?;
        high_coeff = high_coeff.scaled_up(zeros);
    }
    if high.negative == low.negative {
        return Num::finite(high.negative, high_coeff.plus(&low_coeff), exp).finish(w);
    }
    match high_coeff.cmp(&low_coeff) {
        Ordering::Equal => Num::zero(zero_sign, exp).finish(w),
        Ordering::Greater => Num::finite(high.negative, high_coeff.minus(&low_coeff), exp).finish(w),
        Ordering::Less => Num::finite(low.negative, low_coeff.minus(&high_coeff), exp).finish(w),
    }
}

pub fn sub(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    add(w, a, &b.clone().negated())
}

/// The exact product of numbers that are no NaN.
fn product(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    let negative = a.negative != b.negative;
    if a.is_infinite() || b.is_infinite() {
        if a.is_zero() || b.is_zero() {
            return w.invalid(INVALID_OPERATION);
        }
        return Ok(Num::infinity(negative));
    }
    Ok(Num::finite(negative, a.coeff.times(&b.coeff), a.exp + b.exp))
}

pub fn mul(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    product(w, a, b)?.finish(w)
}

pub fn fma(w: &mut Work<'_>, a: &Num, b: &Num, c: &Num) -> R<Num> {
    if a.is_nan() || b.is_nan() {
        check_nans!(w, a, b, c);
    }
    let product = product(w, a, b)?;
    if product.is_nan() {
        return Ok(product);
    }
    add(w, &product, c)
}

pub fn div(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let negative = a.negative != b.negative;
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) => return w.invalid(INVALID_OPERATION),
        (true, false) => return Ok(Num::infinity(negative)),
        (false, true) => {
            w.status |= CLAMPED;
            return Ok(Num::zero(negative, w.rules.etiny()));
        }
        (false, false) => {}
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return w.invalid(DIVISION_UNDEFINED);
        }
        w.status |= DIVISION_BY_ZERO;
        return Ok(Num::infinity(negative));
    }
    let ideal = a.exp - b.exp;
    if a.coeff.is_zero() {
        return Num::zero(negative, ideal).finish(w);
    }
    let shift = b.coeff.digits() as i64 - a.coeff.digits() as i64 + w.rules.prec + 1;
    w.room(w.rules.prec as u64 + a.coeff.digits() + b.coeff.digits())?;
    let (mut quotient, rest) = if shift >= 0 {
        a.coeff.scaled_up(shift as u64).div_rem(&b.coeff)
    } else {
        a.coeff.div_rem(&b.coeff.scaled_up(shift.unsigned_abs()))
    };
    let mut exp = ideal - shift;
    if !rest.is_zero() {
        // The digit that tells that there is more.
        if quotient.rem_small(5) == 0 {
            quotient = quotient.plus(&Coeff::ONE);
        }
    } else if exp < ideal {
        let zeros = quotient.trailing_zeros().min(ideal.abs_diff(exp));
        quotient = quotient.scaled_down(zeros).0;
        exp += zeros as i64;
    }
    Num::finite(negative, quotient, exp).finish(w)
}

/// Quotient towards zero and remainder of finite numbers, the divisor not zero. None: the quotient has too many digits.
fn divide(w: &Work<'_>, a: &Num, b: &Num) -> R<Option<(Num, Num)>> {
    let negative = a.negative != b.negative;
    let ideal = if b.is_infinite() { a.exp } else { a.exp.min(b.exp) };
    let distance = if b.is_infinite() { -2 } else { a.adjusted() - b.adjusted() };
    if a.coeff.is_zero() || distance <= -2 {
        return Ok(Some((Num::zero(negative, 0), rescaled(w, a, ideal, w.rules.rounding)?)));
    }
    if distance > w.rules.prec {
        return Ok(None);
    }
    let (quotient, rest) = aligned(w, a, b)?;
    if quotient.exceeds(w.rules.prec as u64) {
        return Ok(None);
    }
    Ok(Some((Num::finite(negative, quotient, 0), Num::finite(a.negative, rest, ideal))))
}

/// Quotient and remainder of the coefficients with one exponent.
fn aligned(w: &Work<'_>, a: &Num, b: &Num) -> R<(Coeff, Coeff)> {
    let zeros = a.exp.abs_diff(b.exp);
    w.room(zeros + a.coeff.digits() + b.coeff.digits())?;
    Ok(if a.exp >= b.exp {
        a.coeff.scaled_up(zeros).div_rem(&b.coeff)
    } else {
        a.coeff.div_rem(&b.coeff.scaled_up(zeros))
    })
}

pub fn div_int(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        if b.is_infinite() {
            return w.invalid(INVALID_OPERATION);
        }
        return Ok(Num::infinity(negative));
    }
    if b.is_zero() {
        if a.is_zero() {
            return w.invalid(DIVISION_UNDEFINED);
        }
        w.status |= DIVISION_BY_ZERO;
        return Ok(Num::infinity(negative));
    }
    match divide(w, a, b)? {
        Some((quotient, _)) => quotient.finish(w),
        None => w.invalid(DIVISION_IMPOSSIBLE),
    }
}

pub fn rem(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    if a.is_infinite() {
        return w.invalid(INVALID_OPERATION);
    }
    if b.is_zero() {
        return w.invalid(if a.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
    }
    match divide(w, a, b)? {
        Some((_, rest)) => rest.finish(w),
        None => w.invalid(DIVISION_IMPOSSIBLE),
    }
}

pub fn div_mod(w: &mut Work<'_>, a: &Num, b: &Num) -> R<(Num, Num)> {
    if let Some(nan) = nan_of(w, &[a, b])? {
        return Ok((nan.clone(), nan));
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        let nan = w.invalid(INVALID_OPERATION)?;
        return Ok(if b.is_infinite() { (nan.clone(), nan) } else { (Num::infinity(negative), nan) });
    }
    if b.is_zero() {
        if a.is_zero() {
            let nan = w.invalid(DIVISION_UNDEFINED)?;
            return Ok((nan.clone(), nan));
        }
        w.status |= DIVISION_BY_ZERO | INVALID_OPERATION;
        return Ok((Num::infinity(negative), Num::nan()));
    }
    match divide(w, a, b)? {
        Some((quotient, rest)) => Ok((quotient.finish(w)?, rest.finish(w)?)),
        None => {
            let nan = w.invalid(DIVISION_IMPOSSIBLE)?;
            Ok((nan.clone(), nan))
        }
    }
}

pub fn rem_near(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    if a.is_infinite() {
        return w.invalid(INVALID_OPERATION);
    }
    if b.is_zero() {
        return w.invalid(if a.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
    }
    if b.is_infinite() {
        return a.clone().finish(w);
    }
    let ideal = a.exp.min(b.exp);
    if a.is_zero() {
        return Num::zero(a.negative, ideal).finish(w);
    }
    let distance = a.adjusted() - b.adjusted();
    if distance > w.rules.prec {
        return w.invalid(DIVISION_IMPOSSIBLE);
    }
    if distance <= -2 {
        return rescaled(w, a, ideal, w.rules.rounding)?.finish(w);
    }
    let (mut quotient, mut rest) = aligned(w, a, b)?;
    let divisor = b.coeff.scaled_up(b.exp.abs_diff(ideal));
    let mut negative = a.negative;
    let twice = rest.plus(&rest);
    if twice > divisor || (twice == divisor && quotient.is_odd()) {
        rest = divisor.minus(&rest);
        negative = !negative;
        quotient = quotient.plus(&Coeff::ONE);
    }
    if quotient.exceeds(w.rules.prec as u64) {
        return w.invalid(DIVISION_IMPOSSIBLE);
    }
    if rest.is_zero() {
        negative = a.negative;
    }
    Num::finite(negative, rest, ideal).finish(w)
}

pub fn sqrt(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    if a.is_zero() {
        return Num::zero(a.negative, a.exp.div_euclid(2)).finish(w);
    }
    if a.negative {
        return w.invalid(INVALID_OPERATION);
    }
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let prec = w.rules.prec + 1;
    w.room(prec as u64 * 2 + a.coeff.digits())?;
    let len = a.coeff.digits() as i64;
    let odd = a.exp.rem_euclid(2) == 1;
    let (coeff, places) =
        if odd { (a.coeff.scaled_up(1), len / 2 + 1) } else { (a.coeff.clone(), (len + 1) / 2) };
    let shift = prec - places;
    let (coeff, mut exact) = if shift >= 0 {
        (coeff.scaled_up(shift as u64 * 2), true)
    } else {
        let (left, rest) = coeff.scaled_down(shift.unsigned_abs() * 2);
        (left, rest == Rest::Zero)
    };
    let mut exp = a.exp.div_euclid(2) - shift;
    let coeff = coeff.into_big();
    let (root, rest) = square_root(w.vm, &coeff)?;
    exact &= rest == BigUint::ZERO;
    let mut root = Coeff::from(root);
    if exact {
        root =
            if shift >= 0 { root.scaled_down(shift as u64).0 } else { root.scaled_up(shift.unsigned_abs()) };
        exp += shift;
    } else if root.rem_small(5) == 0 {
        root = root.plus(&Coeff::ONE);
    }
    w.rules.rounding = Rounding::HalfEven;
    Num::finite(false, root, exp).finish(w)
}

/// `a` with the exponent of `b`.
pub fn quantize(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    if a.is_infinite() || b.is_infinite() {
        if a.is_infinite() && b.is_infinite() {
            return Ok(a.clone());
        }
        return w.invalid(INVALID_OPERATION);
    }
    to_exponent(w, a, b.exp)
}

/// A finite number with this exponent; NaN if that does not fit.
pub fn to_exponent(w: &mut Work<'_>, a: &Num, exp: i64) -> R<Num> {
    if exp > w.rules.emax || exp < w.rules.etiny() {
        return w.invalid(INVALID_OPERATION);
    }
    if a.coeff.is_zero() {
        return Num::zero(a.negative, exp).finish(w);
    }
    let places = a.adjusted() - exp + 1;
    if a.adjusted() > w.rules.emax || places > w.rules.prec {
        return w.invalid(INVALID_OPERATION);
    }
    let mut n = a.clone();
    let mut signals = 0;
    if n.exp >= exp {
        let zeros = n.exp.abs_diff(exp);
        w.room(zeros + n.coeff.digits())?;
        n.coeff = n.coeff.scaled_up(zeros);
        n.exp = exp;
    } else {
        signals = ROUNDED;
        if n.cut(exp.abs_diff(n.exp), w.rules.rounding) {
            signals |= INEXACT;
        }
        if n.coeff.exceeds(w.rules.prec as u64) || n.adjusted() > w.rules.emax {
            return w.invalid(INVALID_OPERATION);
        }
    }
    w.status |= signals;
    n.finish(w)
}

/// Rounded to a whole number; `tells`: that it was rounded is signalled.
pub fn to_integral(w: &mut Work<'_>, a: &Num, tells: bool) -> R<Num> {
    check_nans!(w, a);
    if a.is_infinite() || a.exp >= 0 {
        return Ok(a.clone());
    }
    if a.coeff.is_zero() {
        return Ok(Num::zero(a.negative, 0));
    }
    let mut n = a.clone();
    let inexact = n.cut(n.exp.unsigned_abs(), w.rules.rounding);
    if tells {
        w.status |= ROUNDED | if inexact { INEXACT } else { 0 };
    }
    Ok(n)
}

/// Without zeros at the end.
pub fn reduce(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    let mut n = a.clone().finish(w)?;
    if !n.is_finite() {
        return Ok(n);
    }
    if n.coeff.is_zero() {
        n.exp = 0;
        return Ok(n);
    }
    let last = if w.rules.clamp { w.rules.etop() } else { w.rules.emax };
    let room = last - n.exp;
    if room > 0 {
        let zeros = n.coeff.trailing_zeros().min(room as u64);
        n.coeff = n.coeff.scaled_down(zeros).0;
        n.exp += zeros as i64;
    }
    Ok(n)
}

pub fn plus(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    let mut n = a.clone();
    if n.is_zero() && w.rules.rounding != Rounding::Floor {
        n.negative = false;
    }
    n.finish(w)
}

pub fn minus(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    let mut n = a.clone().negated();
    if n.is_zero() {
        n.negative = w.rules.rounding == Rounding::Floor && n.negative;
    }
    n.finish(w)
}

pub fn abs(w: &mut Work<'_>, a: &Num) -> R<Num> {
    if a.negative { minus(w, a) } else { plus(w, a) }
}
