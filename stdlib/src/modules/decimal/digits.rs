//! Operations on the digits and the exponent: logical ones, shifts, rotation, scaling.

use super::arith::check_nans;
use super::coeff::Coeff;
use super::number::{Form, Num, Work, status::*};
use skein_runtime::R;

pub fn logb(w: &mut Work<'_>, a: &Num) -> R<Num> {
    check_nans!(w, a);
    if a.is_infinite() {
        return Ok(Num::infinity(false));
    }
    if a.is_zero() {
        w.status |= DIVISION_BY_ZERO;
        return Ok(Num::infinity(true));
    }
    Num::int(a.adjusted()).finish(w)
}

/// A whole number without an exponent, as an operand that counts places. None: it is none, or is not in `-most..=most`.
fn places(b: &Num, most: i64) -> Option<i64> {
    if !b.is_finite() || b.exp != 0 {
        return None;
    }
    let Coeff::Small(n) = b.coeff else { return None };
    let n = i64::try_from(n).ok().filter(|&n| n <= most)?;
    Some(if b.negative { -n } else { n })
}

pub fn scaleb(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let most = (w.rules.emax.saturating_add(w.rules.prec)).saturating_mul(2);
    let Some(n) = places(b, most) else { return w.invalid(INVALID_OPERATION) };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let mut result = a.clone();
    result.exp += n;
    result.finish(w)
}

/// A row of exactly `prec` digits, the first ones cut off or zero.
fn row(w: &Work<'_>, coeff: &Coeff) -> R<Vec<u8>> {
    let prec = w.rules.prec as u64;
    w.room(prec + coeff.digits())?;
    let mut digits = Vec::new();
    coeff.write(&mut digits);
    let mut out = w.vm.filled(b'0', prec as usize)?;
    let used = digits.len().min(out.len());
    let at = out.len() - used;
    out[at..].copy_from_slice(&digits[digits.len() - used..]);
    Ok(out)
}

/// The number of digits with zeros before them.
fn of_row(digits: &[u8]) -> Coeff {
    let first = digits.iter().position(|&d| d != b'0').unwrap_or(digits.len());
    Coeff::parse(&digits[first..])
}

pub fn rotate(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let Some(n) = places(b, w.rules.prec) else { return w.invalid(INVALID_OPERATION) };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let mut digits = row(w, &a.coeff)?;
    if n < 0 {
        digits.rotate_right(n.unsigned_abs() as usize);
    } else {
        digits.rotate_left(n as usize);
    }
    Ok(Num::finite(a.negative, of_row(&digits), a.exp))
}

pub fn shift(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let Some(n) = places(b, w.rules.prec) else { return w.invalid(INVALID_OPERATION) };
    if a.is_infinite() {
        return Ok(a.clone());
    }
    let prec = w.rules.prec as u64;
    let cut = |c: Coeff| if c.exceeds(prec) { c.div_rem(&Coeff::ONE.scaled_up(prec)).1 } else { c };
    let coeff = if n < 0 {
        cut(a.coeff.clone()).scaled_down(n.unsigned_abs()).0
    } else if a.coeff.is_zero() {
        Coeff::ZERO
    } else {
        w.room(n as u64 + a.coeff.digits())?;
        cut(a.coeff.scaled_up(n as u64))
    };
    Ok(Num::finite(a.negative, coeff, a.exp))
}

/// The digits of a logical operand: zeros and ones without sign and exponent; the last ones, if they are too many.
fn logical(w: &Work<'_>, a: &Num) -> R<Option<Vec<u8>>> {
    if a.form != Form::Finite || a.negative || a.exp != 0 {
        return Ok(None);
    }
    let mut digits = Vec::new();
    w.room(a.coeff.digits())?;
    a.coeff.write(&mut digits);
    if !digits.iter().all(|d| matches!(d, b'0' | b'1')) {
        return Ok(None);
    }
    let beyond = digits.len().saturating_sub(w.rules.prec as usize);
    digits.drain(..beyond);
    Ok(Some(digits))
}

fn combine(w: &mut Work<'_>, a: &Num, b: &Num, f: fn(u8, u8) -> u8) -> R<Num> {
    let (Some(mut x), Some(mut y)) = (logical(w, a)?, logical(w, b)?) else {
        return w.invalid(INVALID_OPERATION);
    };
    if x.len() < y.len() {
        std::mem::swap(&mut x, &mut y);
    }
    let distance = x.len() - y.len();
    for (i, d) in x.iter_mut().enumerate() {
        let other = if i < distance { b'0' } else { y[i - distance] };
        *d = b'0' | f(*d, other) & 1;
    }
    Ok(Num::finite(false, of_row(&x), 0))
}

pub fn logical_and(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    combine(w, a, b, |x, y| x & y)
}

pub fn logical_or(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    combine(w, a, b, |x, y| x | y)
}

pub fn logical_xor(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    combine(w, a, b, |x, y| x ^ y)
}

pub fn logical_invert(w: &mut Work<'_>, a: &Num) -> R<Num> {
    if logical(w, a)?.is_none() {
        return w.invalid(INVALID_OPERATION);
    }
    let mut digits = row(w, &a.coeff)?;
    for d in &mut digits {
        *d ^= 1;
    }
    Ok(Num::finite(false, of_row(&digits), 0))
}
