//! Text to ints, and back within the limit on digits.

use super::large;
use crate::modules::IntMaxDigits;
use crate::types::text;
use num_bigint::{BigInt as Big, BigUint, Sign};
use skein_runtime::object::Ref;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// `sys.get_int_max_str_digits()`; 0: no limit.
fn digit_limit(vm: &Vm) -> usize {
    usize::try_from(vm.state::<IntMaxDigits>().0.get()).unwrap_or(0)
}

/// Decimal digits that are converted whatever the limit is: `sys.int_info.str_digits_check_threshold`.
const ALWAYS: usize = 640;

/// `repr` of an int. ValueError above the limit on digits.
pub fn to_decimal(vm: &Vm, b: &Big) -> R<String> {
    // Ten bits are a bit more than three digits.
    if b.bits() > 2100 {
        let limit = digit_limit(vm);
        let too_long = |digits: f64| limit > 0 && digits > limit.max(ALWAYS) as f64;
        if too_long(b.bits() as f64 * std::f64::consts::LOG10_2 - 2.0) {
            return Err(over_limit(vm, limit));
        }
        let s = decimal_text(vm, b)?;
        let digits = s.len() - usize::from(b.sign() == Sign::Minus);
        return if too_long(digits as f64) { Err(over_limit(vm, limit)) } else { Ok(s) };
    }
    Ok(b.to_string())
}

/// Digits up to which a conversion is a matter of a few milliseconds, for all that it grows with the square.
const QUICK: usize = 1 << 14;

/// The number with these digits, the first one the highest: halves are converted by themselves, so that it costs what a
/// few products do. What a signal's handler raises, MemoryError.
fn from_digits(vm: &Vm, digits: &[u8], radix: u32) -> R<BigUint> {
    if digits.len() <= QUICK || radix.is_power_of_two() {
        super::check_room(vm, 8 * digits.len() as u64)?;
        return Ok(BigUint::from_radix_be(digits, radix).unwrap_or_default());
    }
    vm.check_signals()?;
    let (powers, low) = powers(vm, radix, digits.len())?;
    from_halves(vm, digits, radix, low, &powers)
}

/// `radix` to the power of `low`, of twice that and so on, as far as half of so many digits; and `low`, which is at
/// most [`QUICK`].
fn powers(vm: &Vm, radix: u32, digits: usize) -> R<(Vec<BigUint>, usize)> {
    let low = QUICK;
    let exponent = u32::try_from(low).unwrap_or(u32::MAX);
    let mut all = vec![large::power(vm, &Big::from(radix), exponent)?.magnitude().clone()]; // bounded: one
    let mut of = low;
    while of < digits.div_ceil(2) {
        let last = &all[all.len() - 1];
        let next = large::product(vm, last, last)?;
        all.push(next);
        of *= 2;
    }
    Ok((all, low))
}

fn from_halves(vm: &Vm, digits: &[u8], radix: u32, low: usize, powers: &[BigUint]) -> R<BigUint> {
    let Some((power, smaller)) = powers.split_last().filter(|_| digits.len() > low) else {
        return Ok(BigUint::from_radix_be(digits, radix).unwrap_or_default());
    };
    let cut = low << smaller.len();
    if digits.len() <= cut {
        return from_halves(vm, digits, radix, low, smaller);
    }
    vm.check_signals()?;
    let (high, rest) = digits.split_at(digits.len() - cut);
    let high = from_halves(vm, high, radix, low, powers)?;
    Ok(large::product(vm, &high, power)? + from_halves(vm, rest, radix, low, smaller)?)
}

/// As `to_string`, with a look for signals: the number is divided by powers of ten of half its length.
fn decimal_text(vm: &Vm, b: &Big) -> R<String> {
    let digits = (b.bits() as f64 * std::f64::consts::LOG10_2) as usize + 1;
    if digits <= QUICK {
        return Ok(b.to_string());
    }
    super::check_room(vm, 8 * b.bits())?;
    let (powers, low) = powers(vm, 10, digits)?;
    let mut out = vm.text_buffer(digits + 2)?;
    if b.sign() == Sign::Minus {
        out.push('-');
    }
    push_decimal(vm, b.magnitude(), 0, low, &powers, &mut out)?;
    Ok(out)
}

/// Appends the digits, at least so many.
fn push_decimal(
    vm: &Vm,
    n: &BigUint,
    width: usize,
    low: usize,
    powers: &[BigUint],
    out: &mut String,
) -> R<()> {
    let Some((power, smaller)) = powers.split_last() else {
        out.push_str(&format!("{n:0>width$}"));
        return Ok(());
    };
    vm.check_signals()?;
    let half = low << smaller.len();
    if n < power {
        if width <= half {
            return push_decimal(vm, n, width, low, smaller, out);
        }
        out.extend(std::iter::repeat_n('0', width - half));
        return push_decimal(vm, n, half, low, smaller, out);
    }
    let (high, rest) = large::divided(vm, n, power)?;
    push_decimal(vm, &high, width.saturating_sub(half), low, powers, out)?;
    push_decimal(vm, &rest, half, low, smaller, out)
}

fn over_limit(vm: &Vm, limit: usize) -> Raised {
    vm.value_error(format!(
        "Exceeds the limit ({limit} digits) for integer string conversion; \
         use sys.set_int_max_str_digits() to increase the limit"
    ))
}

/// `int(text, base)` of a `str`'s text: whitespace around and all decimal digits of Unicode are fine.
pub fn parse_str(vm: &Vm, s: Ref<Str>, base: u32) -> R<Value> {
    let folded;
    let bytes = if s.is_ascii() {
        s.bytes()
    } else {
        folded = text::to_ascii_number(s);
        &folded
    };
    parse(vm, bytes, base, s.value())
}

/// `int(bytes, base)`; `shown` is for the message. ValueError.
pub fn parse(vm: &Vm, bytes: &[u8], base: u32, shown: Value) -> R<Value> {
    let invalid = || -> R<Value> {
        let r = vm.repr_string(shown)?;
        let r = match r.char_indices().nth(200) {
            Some((i, _)) => &r[..i],
            None => &r,
        };
        Err(vm.value_error(format!("invalid literal for int() with base {base}: {r}")))
    };
    let mut t = bytes.trim_ascii();
    // The vertical tab is white space too.
    while let [11, rest @ ..] | [rest @ .., 11] = t {
        t = rest.trim_ascii();
    }
    let negative = t.first() == Some(&b'-');
    if negative || t.first() == Some(&b'+') {
        t = &t[1..];
    }
    let prefix = match t {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let mut radix = base;
    let mut prefixed = false;
    if prefix != 0 && (base == 0 || base == prefix) {
        radix = prefix;
        prefixed = true;
        t = &t[2..];
        if t.first() == Some(&b'_') {
            t = &t[1..];
        }
    } else if base == 0 {
        radix = 10;
    }
    let mut digits = vm.buffer(t.len())?;
    let mut last_underscore = true;
    for &c in t {
        let digit = match c {
            b'_' if !last_underscore => {
                last_underscore = true;
                continue;
            }
            b'0'..=b'9' => c - b'0',
            b'a'..=b'z' => c - b'a' + 10,
            b'A'..=b'Z' => c - b'A' + 10,
            _ => return invalid(),
        };
        if u32::from(digit) >= radix {
            return invalid();
        }
        digits.push(digit);
        last_underscore = false;
    }
    if last_underscore {
        return invalid();
    }
    // With base 0 a decimal number does not begin with 0, as in source text.
    if base == 0 && !prefixed && digits.len() > 1 && digits[0] == 0 && digits.iter().any(|&d| d != 0) {
        return invalid();
    }
    if !radix.is_power_of_two() && digits.len() > ALWAYS {
        let limit = digit_limit(vm);
        if limit > 0 && digits.len() > limit {
            return Err(vm.value_error(format!(
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {} digits; \
                 use sys.set_int_max_str_digits() to increase the limit",
                digits.len()
            )));
        }
    }
    if digits.len() <= 11 {
        let n = digits.iter().fold(0i64, |n, &d| n * i64::from(radix) + i64::from(d));
        return vm.int(if negative { -n } else { n });
    }
    let n = from_digits(vm, &digits, radix)?;
    vm.big_int(Big::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, n))
}
