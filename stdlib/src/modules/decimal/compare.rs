//! Comparison, order, and the neighbours of a number.

use super::arith::{add, check_nans, nan_of};
use super::coeff::Coeff;
use super::number::{Form, Num, Rounding, Rules, Work, status::*};
use skein_runtime::R;
use std::cmp::Ordering;

fn of_order(order: Ordering) -> Num {
    Num::int(order as i64)
}

pub fn compare(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    Ok(of_order(a.compare(b)))
}

/// Any NaN signals.
pub fn compare_signal(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    if let Some(nan) = nan_of(w, &[a, b])? {
        w.status |= INVALID_OPERATION;
        return Ok(nan);
    }
    Ok(of_order(a.compare(b)))
}

/// The total order of representations without sign.
fn total_magnitude(a: &Num, b: &Num) -> Ordering {
    let rank = |n: &Num| match n.form {
        Form::Finite | Form::Infinite => 0,
        Form::Signaling => 1,
        Form::Quiet => 2,
    };
    rank(a).cmp(&rank(b)).then_with(|| match a.is_nan() {
        true => a.coeff.cmp(&b.coeff),
        false => a.compare_magnitude(b).then(a.exp.cmp(&b.exp)),
    })
}

pub fn total(a: &Num, b: &Num) -> Ordering {
    match (a.negative, b.negative) {
        (false, false) => total_magnitude(a, b),
        (true, true) => total_magnitude(b, a),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

pub fn compare_total(_: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    Ok(of_order(total(a, b)))
}

pub fn compare_total_mag(_: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    Ok(of_order(total_magnitude(a, b)))
}

/// One of two numbers; a quiet NaN gives way to a number.
fn select(w: &mut Work<'_>, a: &Num, b: &Num, greatest: bool, magnitude: bool) -> R<Num> {
    if a.is_nan() || b.is_nan() {
        let signaling = a.form == Form::Signaling || b.form == Form::Signaling;
        if !(signaling || a.is_nan() && b.is_nan()) {
            return if a.is_nan() { b.clone().finish(w) } else { a.clone().finish(w) };
        }
        check_nans!(w, a, b);
    }
    let order = if magnitude { a.compare_magnitude(b) } else { a.compare(b) };
    let order = order.then_with(|| total(a, b));
    let first = if greatest { order.is_ge() } else { order.is_lt() };
    if first { a.clone().finish(w) } else { b.clone().finish(w) }
}

pub fn max(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    select(w, a, b, true, false)
}

pub fn min(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    select(w, a, b, false, false)
}

pub fn max_mag(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    select(w, a, b, true, true)
}

pub fn min_mag(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    select(w, a, b, false, true)
}

/// The neighbour of a number in the context, upwards or downwards. Signals nothing but for a signaling NaN.
fn neighbour(w: &mut Work<'_>, a: &Num, up: bool) -> R<Num> {
    check_nans!(w, a);
    let largest = |w: &Work<'_>, negative| -> R<Num> {
        w.room(w.rules.prec as u64)?;
        Ok(Num::finite(negative, Coeff::nines(w.rules.prec as u64), w.rules.etop()))
    };
    if a.is_infinite() {
        return if a.negative == up { largest(w, a.negative) } else { Ok(a.clone()) };
    }
    let rounding = if up { Rounding::Ceiling } else { Rounding::Floor };
    let mut quiet = w.with(Rules { rounding, ..w.rules });
    let rounded = a.clone().finish(&mut quiet)?;
    if rounded.is_infinite() || rounded.compare(a) != Ordering::Equal {
        return Ok(rounded);
    }
    // Less than the least number there is.
    let tiny = Num::finite(!up, Coeff::ONE, w.rules.etiny() - 1);
    add(&mut quiet, a, &tiny)
}

pub fn next_plus(w: &mut Work<'_>, a: &Num) -> R<Num> {
    neighbour(w, a, true)
}

pub fn next_minus(w: &mut Work<'_>, a: &Num) -> R<Num> {
    neighbour(w, a, false)
}

pub fn next_toward(w: &mut Work<'_>, a: &Num, b: &Num) -> R<Num> {
    check_nans!(w, a, b);
    let order = a.compare(b);
    if order == Ordering::Equal {
        let mut n = a.clone();
        n.negative = b.negative;
        return Ok(n);
    }
    let n = neighbour(w, a, order == Ordering::Less)?;
    if n.is_infinite() {
        if !a.is_infinite() {
            w.status |= OVERFLOW | INEXACT | ROUNDED;
        }
    } else if n.is_zero() || n.adjusted() < w.rules.emin {
        w.status |= UNDERFLOW | SUBNORMAL | INEXACT | ROUNDED;
        if n.is_zero() {
            w.status |= CLAMPED;
        }
    }
    Ok(n)
}

/// The class of a number, by the specification's names.
pub fn class(n: &Num, rules: &Rules) -> &'static str {
    let sign = |negative: &'static str, positive: &'static str| if n.negative { negative } else { positive };
    match n.form {
        Form::Signaling => "sNaN",
        Form::Quiet => "NaN",
        Form::Infinite => sign("-Infinity", "+Infinity"),
        Form::Finite if n.coeff.is_zero() => sign("-Zero", "+Zero"),
        Form::Finite if n.adjusted() < rules.emin => sign("-Subnormal", "+Subnormal"),
        Form::Finite => sign("-Normal", "+Normal"),
    }
}

pub fn is_normal(n: &Num, rules: &Rules) -> bool {
    n.is_finite() && !n.coeff.is_zero() && n.adjusted() >= rules.emin
}

pub fn is_subnormal(n: &Num, rules: &Rules) -> bool {
    n.is_finite() && !n.coeff.is_zero() && n.adjusted() < rules.emin
}

/// Have both the same exponent? NaNs and infinities are alike among themselves.
pub fn same_quantum(a: &Num, b: &Num) -> bool {
    match (a.is_finite(), b.is_finite()) {
        (true, true) => a.exp == b.exp,
        _ => (a.is_nan() && b.is_nan()) || (a.is_infinite() && b.is_infinite()),
    }
}
