//! The mini-language of format specifications: `format(x, spec)` of numbers and strings.

use crate::types::common::LOOK;
use crate::types::float::text::{Style, format_float as float_text};
use crate::types::int::{Int, int_as_f64, to_decimal};
use num_bigint::BigUint;
use skein_runtime::object::Ref;
use skein_runtime::types::complex::Complex;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A parsed specification.
pub struct Spec {
    fill: u32,
    align: Option<u8>,
    sign: Option<u8>,
    no_negative_zero: bool,
    alt: bool,
    /// A 0 before the width.
    zero: bool,
    width: usize,
    grouping: Option<u8>,
    precision: Option<usize>,
    fraction_grouping: Option<u8>,
    /// The type's character; 0: none.
    ty: u32,
}

impl Spec {
    /// Parses a specification for an object of type `name`. ValueError.
    pub fn parse(vm: &Vm, spec: Ref<Str>, name: &str) -> R<Spec> {
        let t: Vec<u32> = spec.code_points().collect();
        let is =
            |i: usize, set: &str| t.get(i).is_some_and(|&c| c < 128 && set.as_bytes().contains(&(c as u8)));
        let mut s = Spec {
            fill: 32,
            align: None,
            sign: None,
            no_negative_zero: false,
            alt: false,
            zero: false,
            width: 0,
            grouping: None,
            precision: None,
            fraction_grouping: None,
            ty: 0,
        };
        let mut i = 0;
        let mut has_fill = false;
        if is(1, "<>=^") {
            s.fill = t[0];
            has_fill = true;
            s.align = Some(t[1] as u8);
            i = 2;
        } else if is(0, "<>=^") {
            s.align = Some(t[0] as u8);
            i = 1;
        }
        if is(i, "+- ") {
            s.sign = Some(t[i] as u8);
            i += 1;
        }
        if is(i, "z") {
            s.no_negative_zero = true;
            i += 1;
        }
        if is(i, "#") {
            s.alt = true;
            i += 1;
        }
        if !has_fill && is(i, "0") {
            s.zero = true;
            s.fill = 48;
            if s.align.is_none() {
                s.align = Some(b'=');
            }
            i += 1;
        }
        let number = |i: &mut usize| -> R<Option<usize>> {
            let from = *i;
            let mut n = 0usize;
            while is(*i, "0123456789") {
                n = n.saturating_mul(10).saturating_add((t[*i] - 48) as usize);
                *i += 1;
            }
            if n > isize::MAX as usize {
                return Err(vm.value_error("Too many decimal digits in format string"));
            }
            Ok((*i > from).then_some(n))
        };
        s.width = number(&mut i)?.unwrap_or(0);
        vm.check_room(s.width)?;
        s.grouping = s.separator(vm, &t, &mut i)?;
        if is(i, ".") {
            i += 1;
            s.precision = number(&mut i)?;
            s.fraction_grouping = s.separator(vm, &t, &mut i)?;
            if s.precision.is_none() && s.fraction_grouping.is_none() {
                return Err(vm.value_error("Format specifier missing precision"));
            }
        }
        if t.len() - i > 1 {
            return Err(vm.value_error(format!(
                "Invalid format specifier '{}' for object of type '{name}'",
                spec.to_string_lossy()
            )));
        }
        s.ty = t.get(i).copied().unwrap_or(0);
        if s.ty != 's' as u32 {
            vm.check_room(s.precision.unwrap_or(0).saturating_mul(2))?;
        }
        let of_fraction = s.fraction_grouping.filter(|_| s.ty == 'n' as u32);
        for sep in [s.grouping, of_fraction].into_iter().flatten() {
            let fine = match char::from_u32(s.ty) {
                Some('\0' | 'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => true,
                Some('b' | 'o' | 'x' | 'X') => sep == b'_',
                _ => false,
            };
            if !fine {
                return Err(vm.value_error(format!(
                    "Cannot specify '{}' with '{}'.",
                    sep as char,
                    s.ty_text()
                )));
            }
        }
        Ok(s)
    }

    fn separator(&self, vm: &Vm, t: &[u32], i: &mut usize) -> R<Option<u8>> {
        let at = |i: usize| t.get(i).and_then(|&c| u8::try_from(c).ok()).filter(|c| matches!(c, b',' | b'_'));
        let Some(sep) = at(*i) else { return Ok(None) };
        *i += 1;
        match at(*i) {
            Some(next) if next == sep => {
                Err(vm.value_error(format!("Cannot specify '{}' with '{}'.", sep as char, sep as char)))
            }
            Some(_) => Err(vm.value_error("Cannot specify both ',' and '_'.")),
            None => Ok(Some(sep)),
        }
    }

    fn ty_text(&self) -> String {
        match char::from_u32(self.ty) {
            Some(c) if (33..127).contains(&self.ty) => c.to_string(),
            _ => format!("\\x{:x}", self.ty),
        }
    }

    fn unknown<T>(&self, vm: &Vm, name: &str) -> R<T> {
        Err(vm.value_error(format!("Unknown format code '{}' for object of type '{name}'", self.ty_text())))
    }

    /// Puts a body that has this many characters into the width.
    fn pad(&self, vm: &Vm, body: &[u8], chars: usize, default_align: u8) -> R<Vec<u8>> {
        if self.width <= chars {
            return vm.copied(body);
        }
        let missing = self.width - chars;
        let left = match self.align.unwrap_or(default_align) {
            b'<' => 0,
            b'^' => missing / 2,
            _ => missing,
        };
        let mut out = vm.buffer(body.len() + missing.saturating_mul(char_bytes(self.fill)))?;
        for _ in 0..left {
            push_code_point(&mut out, self.fill);
        }
        out.extend_from_slice(body);
        for _ in left..missing {
            push_code_point(&mut out, self.fill);
        }
        Ok(out)
    }

    fn sign_text(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, Some(b'+')) => "+",
            (false, Some(b' ')) => " ",
            _ => "",
        }
    }

    /// Puts a number together: sign, prefix, whole digits (grouped, filled with zeros), the rest.
    fn number(&self, vm: &Vm, negative: bool, prefix: &str, whole: &str, rest: &str) -> R<Vec<u8>> {
        vm.check_room((whole.len() + rest.len()).saturating_mul(2))?;
        let sign = self.sign_text(negative);
        let rest = self.group_fraction(rest);
        let fixed = sign.len() + prefix.len() + rest.len();
        let aligned_inside = self.align == Some(b'=');
        let room = if aligned_inside && self.fill == 48 { self.width.saturating_sub(fixed) } else { 0 };
        let digits = group(vm, whole, self.grouping, if self.ty_is_binary() { 4 } else { 3 }, room)?;
        let body_len = fixed + digits.len();
        if aligned_inside && self.width > body_len {
            let mut out =
                vm.buffer(body_len + (self.width - body_len).saturating_mul(char_bytes(self.fill)))?;
            out.extend_from_slice(sign.as_bytes());
            out.extend_from_slice(prefix.as_bytes());
            for _ in body_len..self.width {
                push_code_point(&mut out, self.fill);
            }
            out.extend_from_slice(digits.as_bytes());
            out.extend_from_slice(rest.as_bytes());
            return Ok(out);
        }
        self.pad(vm, format!("{sign}{prefix}{digits}{rest}").as_bytes(), body_len, b'>')
    }

    fn ty_is_binary(&self) -> bool {
        matches!(char::from_u32(self.ty), Some('b' | 'o' | 'x' | 'X'))
    }

    fn group_fraction(&self, rest: &str) -> String {
        let (Some(sep), Some(fraction)) = (self.fraction_grouping, rest.strip_prefix('.')) else {
            return rest.to_string();
        };
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let mut out = String::from(".");
        for (i, c) in fraction[..end].chars().enumerate() {
            if i > 0 && i % 3 == 0 {
                out.push(sep as char);
            }
            out.push(c);
        }
        out + &fraction[end..]
    }
}

/// Digits with separators, filled with zeros from the left to this width.
fn group(vm: &Vm, digits: &str, sep: Option<u8>, size: usize, width: usize) -> R<String> {
    let zeros = || zero_filled(vm, digits, width);
    let Some(sep) = sep else { return zeros() };
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) || digits.is_empty() {
        return zeros();
    }
    // Characters from the right; zeros follow the digits until the width is reached.
    let mut out: Vec<u8> = vm.buffer((digits.len() * 4 / 3 + 2).max(width + 2))?;
    let mut source = digits.bytes().rev();
    let mut n = 0;
    loop {
        let c = match source.next() {
            Some(c) => c,
            None if out.len() < width => b'0',
            None => break,
        };
        if n > 0 && n % size == 0 {
            out.push(sep);
        }
        out.push(c);
        n += 1;
    }
    out.reverse();
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// Zeros before digits, up to this width. Rust's own formatting knows no such widths. MemoryError.
pub fn zero_filled(vm: &Vm, digits: &str, width: usize) -> R<String> {
    let mut out = vm.text_buffer(width.max(digits.len()))?;
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.push_str(digits);
    Ok(out)
}

/// Bytes of a character in UTF-8.
fn char_bytes(c: u32) -> usize {
    match c {
        0..0x80 => 1,
        0x80..0x800 => 2,
        0x800..0x1_0000 => 3,
        _ => 4,
    }
}

/// `str.__format__`.
pub fn format_str(vm: &Vm, s: Ref<Str>, spec: Ref<Str>) -> R<Value> {
    if spec.bytes().is_empty() {
        return Ok(vm.to_str(s.value())?.value());
    }
    let f = Spec::parse(vm, spec, &vm.type_name(s.value()))?;
    if f.ty != 0 && f.ty != 's' as u32 {
        return f.unknown(vm, &vm.type_name(s.value()));
    }
    let refuse = |what: &str| Err(vm.value_error(format!("{what} not allowed in string format specifier")));
    match f.sign {
        Some(b' ') => return refuse("Space"),
        Some(_) => return refuse("Sign"),
        None => {}
    }
    if f.no_negative_zero {
        return refuse("Negative zero coercion (z)");
    }
    if f.alt {
        return refuse("Alternate form (#)");
    }
    if f.grouping.is_some() {
        return Err(vm.value_error("Cannot specify ',' with 's'."));
    }
    // A 0 before the width means = only for numbers.
    if f.align == Some(b'=') && !f.zero {
        return refuse("'=' alignment");
    }
    let f = Spec { align: if f.align == Some(b'=') { Some(b'<') } else { f.align }, ..f };
    let chars = f.precision.map_or(s.char_len(), |p| p.min(s.char_len()));
    let body = &s.bytes()[..s.byte_offset(chars)];
    Ok(Str::new(vm, &f.pad(vm, body, chars, b'<')?)?.value())
}

/// `int.__format__`.
pub fn format_int(vm: &Vm, v: Value, spec: Ref<Str>) -> R<Value> {
    if spec.bytes().is_empty() {
        return Ok(vm.to_str(v)?.value());
    }
    let name = vm.type_name(v);
    let f = Spec::parse(vm, spec, &name)?;
    let Some(a) = Int::of(v) else { return f.unknown(vm, &name) };
    let out = format_int_spec(vm, a, &f, &name)?;
    Ok(Str::new(vm, &out)?.value())
}

fn format_int_spec(vm: &Vm, a: Int, f: &Spec, name: &str) -> R<Vec<u8>> {
    let ty = char::from_u32(f.ty).unwrap_or('?');
    if matches!(ty, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') {
        let x = int_as_f64(vm, a)?;
        return format_float_spec(vm, x, f, name);
    }
    let radix = match ty {
        '\0' | 'd' | 'n' => 10,
        'b' => 2,
        'o' => 8,
        'x' | 'X' => 16,
        'c' => 0,
        _ => return f.unknown(vm, name),
    };
    if f.precision.is_some() || f.fraction_grouping.is_some() {
        return Err(vm.value_error("Precision not allowed in integer format specifier"));
    }
    if f.no_negative_zero {
        return Err(vm.value_error("Negative zero coercion (z) not allowed in integer format specifier"));
    }
    if radix == 0 {
        if f.sign.is_some() {
            return Err(vm.value_error("Sign not allowed with integer format specifier 'c'"));
        }
        if f.alt {
            return Err(vm.value_error("Alternate form (#) not allowed with integer format specifier 'c'"));
        }
        let c = a.to_i64().and_then(|c| u32::try_from(c).ok()).filter(|c| *c < 0x11_0000);
        let Some(c) = c else { return Err(vm.overflow_error("%c arg not in range(0x110000)")) };
        let mut body = Vec::new();
        push_code_point(&mut body, c);
        let inside = f.align == Some(b'=');
        let align = if inside { b'>' } else { f.align.unwrap_or(b'<') };
        return Spec { align: Some(align), ..copy_of(f) }.pad(vm, &body, 1, b'<');
    }
    let digits = int_digits(vm, a, radix, ty == 'X')?;
    let prefix = match (f.alt, ty) {
        (true, 'b') => "0b",
        (true, 'o') => "0o",
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        _ => "",
    };
    f.number(vm, a.is_negative(), prefix, &digits, "")
}

fn copy_of(f: &Spec) -> Spec {
    Spec { ..*f }
}

/// Digits of the magnitude.
pub fn int_digits(vm: &Vm, a: Int, radix: u32, upper: bool) -> R<String> {
    let mut s = match (a, radix) {
        (Int::Small(i), 2) => format!("{:b}", i.unsigned_abs()),
        (Int::Small(i), 8) => format!("{:o}", i.unsigned_abs()),
        (Int::Small(i), 16) => format!("{:x}", i.unsigned_abs()),
        (Int::Small(i), _) => i.unsigned_abs().to_string(),
        (Int::Boxed(b), 10) => {
            let s = to_decimal(vm, &b.get())?;
            if b.is_negative() { s[1..].to_string() } else { s }
        }
        (Int::Boxed(b), radix) => binary_digits(vm, b.get().magnitude(), radix)?,
    };
    if upper {
        s.make_ascii_uppercase();
    }
    Ok(s)
}

/// Digits in a base that is a power of two. MemoryError.
fn binary_digits(vm: &Vm, n: &BigUint, radix: u32) -> R<String> {
    let bits = u64::from(radix.trailing_zeros());
    let mut out = vm.text_buffer(n.bits().div_ceil(bits) as usize)?;
    let words = n.iter_u64_digits();
    let (mut left, mut held, mut have) = (n.bits().div_ceil(bits) * bits, 0u128, 0);
    // The first digit may have fewer bits than the others.
    let lead = words.len() as u64 * 64;
    let mut skip = lead.saturating_sub(left);
    have += left.saturating_sub(lead);
    for (i, word) in words.rev().enumerate() {
        if i & LOOK == LOOK {
            vm.check_signals()?;
        }
        held = held << 64 | u128::from(word);
        have += 64 - skip;
        skip = 0;
        while have >= bits {
            have -= bits;
            left -= bits;
            let digit = (held >> have) as u32 & (radix - 1);
            out.push(char::from_digit(digit, radix).unwrap_or('0'));
        }
        held &= (1 << have) - 1;
    }
    debug_assert!(left == 0 || n.bits() == 0);
    Ok(out)
}

/// `float.__format__`.
pub fn format_float(vm: &Vm, v: Value, spec: Ref<Str>) -> R<Value> {
    if spec.bytes().is_empty() {
        return Ok(vm.to_str(v)?.value());
    }
    let name = vm.type_name(v);
    let f = Spec::parse(vm, spec, &name)?;
    let Some(x) = vm.as_float(v) else { return f.unknown(vm, &name) };
    Ok(Str::new(vm, &format_float_spec(vm, x, &f, &name)?)?.value())
}

/// Style, precision and whether a fraction is wanted, of a type's character.
fn float_style(vm: &Vm, f: &Spec, name: &str) -> R<(Style, usize, bool)> {
    Ok(match char::from_u32(f.ty) {
        Some('\0') => match f.precision {
            Some(p) => (Style::General, p, true),
            None => (Style::Shortest, 0, true),
        },
        Some('e' | 'E') => (Style::Exponent, f.precision.unwrap_or(6), false),
        Some('f' | 'F' | '%') => (Style::Fixed, f.precision.unwrap_or(6), false),
        Some('g' | 'G' | 'n') => (Style::General, f.precision.unwrap_or(6), false),
        _ => return f.unknown(vm, name),
    })
}

fn check_precision(vm: &Vm, p: usize) -> R<()> {
    if p > i32::MAX as usize { Err(vm.value_error("precision too big")) } else { vm.check_room(p) }
}

fn format_float_spec(vm: &Vm, x: f64, f: &Spec, name: &str) -> R<Vec<u8>> {
    let (style, precision, dot_zero) = float_style(vm, f, name)?;
    check_precision(vm, precision)?;
    let percent = f.ty == '%' as u32;
    let x = if percent { x * 100.0 } else { x };
    let mut body = float_text(x, style, precision, f.alt, dot_zero);
    if char::from_u32(f.ty).is_some_and(|c| c.is_ascii_uppercase()) {
        body.make_ascii_uppercase();
    }
    let negative = is_negative(x, &body, f);
    let at = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
    let (mut whole, mut rest) = body.split_at(at);
    if at == 0 {
        (whole, rest) = (rest, whole);
    }
    let rest = if percent { format!("{rest}%") } else { rest.to_string() };
    f.number(vm, negative, "", whole, &rest)
}

/// Is a minus written? Not for NaN, and with `z` not for what was rounded to 0.
fn is_negative(x: f64, body: &str, f: &Spec) -> bool {
    if !x.is_sign_negative() || x.is_nan() {
        return false;
    }
    let mantissa = body.split(['e', 'E']).next().unwrap_or(body);
    !(f.no_negative_zero && !x.is_infinite() && !mantissa.bytes().any(|c| (b'1'..=b'9').contains(&c)))
}

/// `complex.__format__`.
pub fn format_complex(vm: &Vm, c: Ref<Complex>, spec: Ref<Str>) -> R<Value> {
    let (re, im) = (c.re(), c.im());
    if spec.bytes().is_empty() {
        return Ok(vm.to_str(c.value())?.value());
    }
    let f = Spec::parse(vm, spec, "complex")?;
    if f.fill == 48 && f.zero {
        return Err(vm.value_error("Zero padding is not allowed in complex format specifier"));
    }
    if f.align == Some(b'=') {
        return Err(vm.value_error("'=' alignment flag is not allowed in complex format specifier"));
    }
    if f.ty == '%' as u32 {
        return f.unknown(vm, "complex");
    }
    let (style, precision, _) = float_style(vm, &f, "complex")?;
    check_precision(vm, precision)?;
    let part = |x: f64, sign: Option<u8>| -> R<String> {
        let mut body = float_text(x, style, precision, f.alt, false);
        if char::from_u32(f.ty).is_some_and(|c| c.is_ascii_uppercase()) {
            body.make_ascii_uppercase();
        }
        let at = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
        let at = if at == 0 { body.len() } else { at };
        let one = Spec { sign, width: 0, align: None, ..copy_of(&f) };
        let negative = is_negative(x, &body, &f);
        Ok(String::from_utf8(one.number(vm, negative, "", &body[..at], &body[at..])?).unwrap_or_default())
    };
    // Without a type it is shown as by `str`: in brackets, and without a real part that is +0.
    let bare = f.ty == 0;
    let skip_real = bare && re == 0.0 && !re.is_sign_negative();
    let body = if skip_real {
        format!("{}j", part(im, f.sign)?)
    } else {
        let both = format!("{}{}j", part(re, f.sign)?, part(im, Some(b'+'))?);
        if bare { format!("({both})") } else { both }
    };
    Ok(Str::new(vm, &f.pad(vm, body.as_bytes(), body.len(), b'>')?)?.value())
}
