//! Floats to text and back.

use num_bigint::BigInt as Big;

/// How [`format_float`] writes a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `e`: always with an exponent.
    Exponent,
    /// `f`: never.
    Fixed,
    /// `g`: either.
    General,
    /// As many digits as identify the number.
    Shortest,
}

/// Decimal digits of a finite number and the decimal point's place among them: `0.ddd * 10**point`.
fn digits(x: f64, precision: Option<usize>) -> (String, i32) {
    let text = match precision {
        Some(p) => format!("{:.*e}", p.min(ALL), x.abs()),
        None => format!("{:e}", x.abs()),
    };
    let split = |text: &str| {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        (mantissa.replace('.', ""), exponent.parse::<i32>().unwrap_or(0) + 1)
    };
    let (found, point) = split(&text);
    // Of two shortest texts that are equally near, the one with the even digit is wanted.
    if precision.is_none() && found.len() >= 15 {
        let even = format!("{:.*e}", found.len() - 1, x.abs());
        if even != text && even.parse() == Ok(x.abs()) {
            return split(&even);
        }
    }
    (found, point)
}

/// No float has more digits than that, and Rust formats no more than 65,535.
const ALL: usize = 1100;

/// Digits, and zeros behind them: there may be very many.
fn with_zeros(digits: String, n: usize) -> String {
    let mut bytes = digits.into_bytes();
    bytes.resize(bytes.len() + n, b'0');
    String::from_utf8(bytes).unwrap_or_default()
}

fn with_exponent(digits: &str, point: i32, alt: bool) -> String {
    let (first, rest) = digits.split_at(1);
    let e = point - 1;
    let dot = if rest.is_empty() && !alt { "" } else { "." };
    format!("{first}{dot}{rest}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
}

fn fixed(digits: &str, point: i32, alt: bool) -> String {
    let mut out = String::new();
    if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(digits);
        return out;
    }
    let point = point as usize;
    if digits.len() <= point {
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', point - digits.len()));
        if alt {
            out.push('.');
        }
        return out;
    }
    out.push_str(&digits[..point]);
    out.push('.');
    out.push_str(&digits[point..]);
    out
}

/// The magnitude of `x` as text. `alt` keeps the point and trailing zeros; `dot_zero` makes sure
/// that a number without exponent has a fraction.
pub fn format_float(x: f64, style: Style, precision: usize, alt: bool, dot_zero: bool) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return "inf".into();
    }
    let mut out = match style {
        Style::Fixed => {
            let mut s = format!("{:.*}", precision.min(ALL), x.abs());
            s = with_zeros(s, precision.saturating_sub(ALL));
            if alt && precision == 0 {
                s.push('.');
            }
            return s;
        }
        Style::Exponent => {
            let (mut d, point) = digits(x, Some(precision));
            d = with_zeros(d, precision.saturating_sub(ALL));
            return with_exponent(&d, point, alt);
        }
        Style::Shortest => {
            let (d, point) = digits(x, None);
            if x != 0.0 && !(-3..=16).contains(&point) {
                return with_exponent(&d, point, alt);
            }
            fixed(&d, point, alt)
        }
        Style::General => {
            let precision = precision.max(1);
            let (mut d, point) = digits(x, Some(precision - 1));
            if alt {
                d = with_zeros(d, (precision - 1).saturating_sub(ALL));
            } else {
                d.truncate(d.trim_end_matches('0').len().max(1));
            }
            if point <= -4 || i64::from(point) > precision as i64 - i64::from(dot_zero) {
                return with_exponent(&d, point, alt);
            }
            fixed(&d, point, alt)
        }
    };
    if dot_zero && !out.contains('.') {
        out.push_str(".0");
    } else if dot_zero && out.ends_with('.') {
        out.push('0');
    }
    out
}

/// `repr(x)`.
pub fn repr(x: f64) -> String {
    let s = format_float(x, Style::Shortest, 0, false, true);
    if x.is_sign_negative() && !x.is_nan() { format!("-{s}") } else { s }
}

/// As `repr`, but without the fraction of integral values: the parts of complex numbers.
pub fn repr_short(x: f64) -> String {
    let s = format_float(x, Style::Shortest, 0, false, false);
    if x.is_sign_negative() && !x.is_nan() { format!("-{s}") } else { s }
}

/// Digits with single underscores between them, without these; None if they stand elsewhere.
pub fn without_underscores(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'_') {
        return Some(text.to_vec());
    }
    for (i, &c) in text.iter().enumerate() {
        let digit = |j: Option<usize>| j.and_then(|j| text.get(j)).is_some_and(u8::is_ascii_digit);
        if c == b'_' && !(digit(i.checked_sub(1)) && digit(Some(i + 1))) {
            return None;
        }
    }
    Some(text.iter().copied().filter(|&c| c != b'_').collect())
}

/// A number's text without space around.
pub fn parse(text: &[u8]) -> Option<f64> {
    let text = without_underscores(text)?;
    let unsigned = match text.first()? {
        b'+' | b'-' => &text[1..],
        _ => &text[..],
    };
    let word = unsigned.to_ascii_lowercase();
    let plain = unsigned.iter().all(|c| matches!(c, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain && !matches!(&word[..], b"inf" | b"infinity" | b"nan") {
        return None;
    }
    if matches!(unsigned.first(), Some(b'+' | b'-')) {
        return None;
    }
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Mantissa and exponent of a finite number: `m * 2**e`, with the sign in m.
pub fn decompose(x: f64) -> (i64, i32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (m, e) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    (if x.is_sign_negative() { -m } else { m }, e)
}

/// The integer part of a finite number.
pub fn to_big(x: f64) -> Big {
    if x.abs() < 9e18 {
        return Big::from(x as i64);
    }
    let (m, e) = decompose(x);
    Big::from(m) << e.max(0) as u32
}

/// `float.hex`.
pub fn hex(x: f64) -> String {
    let sign = if x.is_sign_negative() && !x.is_nan() { "-" } else { "" };
    if !x.is_finite() {
        return repr(x);
    }
    if x == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let (lead, e) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
    format!("{sign}0x{lead}.{:013x}p{e:+}", bits & ((1 << 52) - 1))
}

/// What [`from_hex`] finds wrong.
pub enum HexError {
    Invalid,
    TooLarge,
}

/// `float.fromhex` of text without space around.
pub fn from_hex(text: &str) -> Result<f64, HexError> {
    let lower = text.to_ascii_lowercase();
    let (negative, t) = match lower.strip_prefix('-') {
        Some(t) => (true, t),
        None => (false, lower.strip_prefix('+').unwrap_or(&lower)),
    };
    let signed = |f: f64| if negative { -f } else { f };
    match t {
        "inf" | "infinity" => return Ok(signed(f64::INFINITY)),
        "nan" => return Ok(signed(f64::NAN)),
        _ => {}
    }
    let t = t.strip_prefix("0x").unwrap_or(t);
    let (mantissa, exponent) = match t.split_once('p') {
        Some((m, e)) => {
            let digits = e.trim_start_matches(['+', '-']);
            if e.len() - digits.len() > 1 || digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit())
            {
                return Err(HexError::Invalid);
            }
            let limit = 1i64 << 50;
            let e = e.parse::<i64>().unwrap_or(if e.starts_with('-') { -limit } else { limit });
            (m, e.clamp(-limit, limit))
        }
        None => (t, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut all = whole.bytes().chain(fraction.bytes()).peekable();
    if all.peek().is_none() {
        return Err(HexError::Invalid);
    }
    // Up to 30 digits are kept; the last bit also stands for those behind.
    let (mut m, mut dropped) = (0u128, 0i64);
    for c in all {
        let Some(d) = char::from(c).to_digit(16) else { return Err(HexError::Invalid) };
        if m >> 116 == 0 {
            m = m << 4 | u128::from(d);
        } else {
            dropped += 1;
            m |= u128::from(d != 0);
        }
    }
    if m == 0 {
        return Ok(signed(0.0));
    }
    let scale = exponent + 4 * (dropped - fraction.len() as i64);
    if scale > 1100 {
        return Err(HexError::TooLarge);
    }
    if scale < -1300 {
        return Ok(signed(0.0));
    }
    crate::types::int::round_scaled(m, scale).map(signed).ok_or(HexError::TooLarge)
}

/// Numerator and denominator in lowest terms of a finite number.
pub fn ratio(x: f64) -> (Big, Big) {
    let (m, e) = decompose(x);
    if m == 0 {
        return (Big::ZERO, Big::from(1));
    }
    let shift = m.trailing_zeros();
    let (m, e) = (m >> shift, e + shift as i32);
    let one = Big::from(1);
    if e >= 0 { (Big::from(m) << e as u32, one) } else { (Big::from(m), one << e.unsigned_abs()) }
}

/// Order of an int and a float that is not NaN.
pub fn compare_big(a: &Big, f: f64) -> std::cmp::Ordering {
    if f.is_infinite() {
        return if f > 0.0 { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
    }
    let whole = f.trunc();
    let order = a.cmp(&to_big(whole));
    if order.is_ne() {
        return order;
    }
    // Equal up to the fraction.
    0.0f64.partial_cmp(&(f - whole)).unwrap_or(std::cmp::Ordering::Equal)
}

/// `hash` of a float: that of the equal int, or of the fraction modulo the same prime.
pub fn hash(x: f64) -> i64 {
    const P: u64 = skein_runtime::types::int::HASH_MODULUS as u64;
    if x.is_infinite() {
        return if x > 0.0 { 314_159 } else { -314_159 };
    }
    if x.is_nan() {
        return (x.to_bits() >> 4) as i64;
    }
    let (m, e) = decompose(x);
    let e = e.rem_euclid(61) as u32;
    let u = m.unsigned_abs();
    let h = ((u << e) & P) | if e == 0 { 0 } else { u >> (61 - e) };
    match if m < 0 { -(h as i64) } else { h as i64 } {
        -1 => -2,
        h => h,
    }
}

/// As [`round`] where the scaled number's error is known: few digits of a number that is not large.
fn round_exactly(x: f64, n: i64) -> Option<f64> {
    // Powers of ten that are exact.
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let power = *POWERS.get(usize::try_from(n).ok()?)?;
    let scaled = x * power;
    if scaled.abs() >= (1u64 << 52) as f64 {
        return None;
    }
    // What the product lost by rounding is exact itself.
    let lost = x.mul_add(power, -scaled);
    let below = scaled.floor();
    // Exact, as both are multiples of the lower one's last place.
    let part = scaled - below;
    let up = match part.total_cmp(&0.5) {
        // A half is one only if nothing was lost.
        std::cmp::Ordering::Equal if lost == 0.0 => below % 2.0 != 0.0,
        std::cmp::Ordering::Equal => lost > 0.0,
        order => order.is_gt(),
    };
    // The nearest to the decimal number, of which both parts are exact.
    Some(((if up { below + 1.0 } else { below }) / power).copysign(x))
}

/// Rounded to this many decimals, or to a multiple of a power of ten.
pub fn round(x: f64, n: i64) -> f64 {
    if x == 0.0 || !x.is_finite() || n > 330 {
        return x;
    }
    if let Some(r) = round_exactly(x, n) {
        return r;
    }
    if n >= 0 {
        return format!("{:.*}", n as usize, x).parse().unwrap_or(x);
    }
    let (_, point) = digits(x, None);
    let kept = i64::from(point).saturating_add(n);
    if kept < 0 {
        return 0.0f64.copysign(x);
    }
    if kept == 0 {
        // Between 0 and one unit: a half is rounded to the even 0.
        let half = Big::from(5) * Big::from(10).pow(point as u32 - 1);
        let above = compare_big(&half, x.abs()).is_lt();
        let r: f64 = if above { format!("1e{point}").parse().unwrap_or(x) } else { 0.0 };
        return r.copysign(x);
    }
    format!("{:.*e}", kept as usize - 1, x).parse().unwrap_or(x)
}
