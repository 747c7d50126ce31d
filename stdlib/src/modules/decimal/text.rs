//! Numbers as text and back.

use super::coeff::Coeff;
use super::number::{Form, Num, Work, status::*};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Ref, Vm};

/// The text in ASCII, digits of all scripts as such ones, other characters as `?`; `lenient`: without spaces around it
/// and underscores within. MemoryError.
pub fn ascii(vm: &Vm, s: Ref<Str>, lenient: bool) -> R<Vec<u8>> {
    let mut out = if s.is_ascii() {
        vm.copied(s.bytes())?
    } else {
        vm.check_room(s.bytes().len())?;
        skein_builtins::types::to_ascii_number(s)
    };
    if lenient {
        let is_space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f);
        let first = out.iter().position(|b| !is_space(b)).unwrap_or(out.len());
        let last = out.iter().rposition(|b| !is_space(b)).map_or(first, |i| i + 1);
        out.truncate(last);
        out.drain(..first);
        out.retain(|&b| b != b'_');
    }
    Ok(out)
}

fn skip_digits(s: &[u8]) -> (&[u8], &[u8]) {
    s.split_at(s.iter().position(|b| !b.is_ascii_digit()).unwrap_or(s.len()))
}

fn starts_with<'a>(s: &'a [u8], word: &str) -> Option<&'a [u8]> {
    let (head, rest) = s.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

fn trimmed(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().position(|&d| d != b'0').unwrap_or(digits.len())..]
}

/// A number as the specification writes it, exactly. None: it is none.
pub fn parse(s: &[u8]) -> Option<Num> {
    let (negative, s) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        s => (false, s),
    };
    if let Some(rest) = starts_with(s, "inf") {
        let whole = rest.is_empty() || starts_with(rest, "inity").is_some_and(<[u8]>::is_empty);
        return whole.then(|| Num::infinity(negative));
    }
    let (form, payload) = match (starts_with(s, "nan"), starts_with(s, "snan")) {
        (Some(rest), _) => (Form::Quiet, rest),
        (_, Some(rest)) => (Form::Signaling, rest),
        _ => (Form::Finite, s),
    };
    if form != Form::Finite {
        let all = payload.iter().all(u8::is_ascii_digit);
        return all.then(|| Num { negative, form, exp: 0, coeff: Coeff::parse(trimmed(payload)) });
    }
    let (whole, mut rest) = skip_digits(s);
    let mut fraction = &[][..];
    if let Some(after) = rest.strip_prefix(b".") {
        (fraction, rest) = skip_digits(after);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut exp = 0i64;
    if let [b'e' | b'E', after @ ..] = rest {
        let (minus, after) = match after {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            s => (false, s),
        };
        let (digits, end) = skip_digits(after);
        if digits.is_empty() {
            return None;
        }
        // Far beyond what any context has, and far from the end of the word.
        const MOST: i64 = 4_000_000_000_000_000_000;
        let n = trimmed(digits);
        exp = if n.len() > 18 { MOST } else { n.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')) };
        // As many as 19 digits can be in range.
        if n.len() == 19 {
            let wide = n.iter().fold(0u64, |n, d| n.saturating_mul(10).saturating_add((d - b'0').into()));
            exp = i64::try_from(wide).map_or(MOST, |n| n.min(MOST));
        }
        exp = if minus { -exp } else { exp };
        rest = end;
    }
    if !rest.is_empty() {
        return None;
    }
    let digits = [trimmed(whole), fraction].concat();
    let coeff = Coeff::parse(trimmed(&digits));
    Some(Num::finite(negative, coeff, exp - fraction.len() as i64))
}

/// The number of a text in a context's terms: NaN with the condition for what is none. MemoryError.
pub fn number(w: &mut Work<'_>, s: &[u8]) -> R<Num> {
    w.room(s.len() as u64)?;
    let Some(n) = parse(s) else { return w.invalid(CONVERSION_SYNTAX) };
    if n.is_nan() && n.coeff.exceeds((w.rules.prec - i64::from(w.rules.clamp)) as u64) && !n.coeff.is_zero() {
        return w.invalid(CONVERSION_SYNTAX);
    }
    n.finish(w)
}

fn special(n: &Num, out: &mut Vec<u8>) {
    let word = match n.form {
        Form::Quiet => "NaN",
        Form::Signaling => "sNaN",
        _ => "Infinity",
    };
    out.extend_from_slice(word.as_bytes());
    if n.is_nan() && !n.coeff.is_zero() {
        n.coeff.write(out);
    }
}

/// Digits with a point behind the first `place` of them.
fn with_point(digits: &[u8], place: i64, out: &mut Vec<u8>) {
    let len = digits.len() as i64;
    if place <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + place.unsigned_abs() as usize, b'0');
        out.extend_from_slice(digits);
    } else if place >= len {
        out.extend_from_slice(digits);
        out.resize(out.len() + (place - len) as usize, b'0');
    } else {
        out.extend_from_slice(&digits[..place as usize]);
        out.push(b'.');
        out.extend_from_slice(&digits[place as usize..]);
    }
}

/// The number in scientific notation, or in that of engineers, whose exponents are multiples of 3.
pub fn to_text(n: &Num, engineering: bool, capitals: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if n.negative {
        out.push(b'-');
    }
    if !n.is_finite() {
        special(n, &mut out);
        return out;
    }
    let mut digits = Vec::new();
    n.coeff.write(&mut digits);
    let left = n.exp + digits.len() as i64;
    let place = if n.exp <= 0 && left > -6 {
        left
    } else if !engineering {
        1
    } else if n.coeff.is_zero() {
        (left + 1).rem_euclid(3) - 1
    } else {
        (left - 1).rem_euclid(3) + 1
    };
    with_point(&digits, place, &mut out);
    if left != place {
        out.push(if capitals { b'E' } else { b'e' });
        out.extend_from_slice(format!("{:+}", left - place).as_bytes());
    }
    out
}
