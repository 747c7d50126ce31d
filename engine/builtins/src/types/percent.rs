//! `%` formatting of `str` and of bytes.

use crate::types::bytes::{bytes_by_method, bytes_of_object, is_bytes_like};
use crate::types::float::text::{Style, format_float};
use crate::types::format::int_digits;
use crate::types::int::Int;
use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::int::{DECIMAL, decimal};
use skein_runtime::types::str::{Str, char_width, count_chars, push_code_point};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `format % values` of `str`.
pub fn format_str(vm: &Vm, format: Ref<Str>, values: Value) -> R<Value> {
    let out = Formatter::new(vm, format.bytes(), values, true)?.run()?;
    Ok(Str::new(vm, &out)?.value())
}

/// `format % values` of bytes.
pub fn format_bytes(vm: &Vm, format: &[u8], values: Value) -> R<Vec<u8>> {
    Formatter::new(vm, format, values, false)?.run()
}

#[derive(Default)]
struct Conversion {
    left: bool,
    plus: bool,
    blank: bool,
    alt: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

struct Formatter<'a> {
    vm: &'a Vm,
    format: &'a [u8],
    /// Formats text, else bytes.
    text: bool,
    values: Value,
    tuple: Option<Ref<Tuple>>,
    /// Arguments that were used.
    used: usize,
    /// The value that `%(key)` gave for this conversion.
    keyed: Option<Value>,
    is_mapping: bool,
    at: usize,
    out: Vec<u8>,
}

impl<'a> Formatter<'a> {
    fn new(vm: &'a Vm, format: &'a [u8], values: Value, text: bool) -> R<Formatter<'a>> {
        let tuple = values.cast::<Tuple>();
        let is_mapping = tuple.is_none()
            && values.cast::<Str>().is_none()
            && (text || !is_bytes_like(values))
            && vm.type_of(values).special(vm, Special::GetItem).is_some();
        let out = vm.buffer(format.len() + 16)?;
        Ok(Formatter { vm, format, text, values, tuple, used: 0, keyed: None, is_mapping, at: 0, out })
    }

    fn run(mut self) -> R<Vec<u8>> {
        while let Some(n) = memchr::memchr(b'%', &self.format[self.at..]) {
            self.room(n)?;
            self.out.extend_from_slice(&self.format[self.at..self.at + n]);
            self.at += n + 1;
            if !self.plain_conversion()? {
                self.conversion()?;
            }
        }
        self.room(self.format.len() - self.at)?;
        self.out.extend_from_slice(&self.format[self.at..]);
        let left = match self.tuple {
            Some(t) => self.used < t.len(),
            None => self.used == 0 && !self.is_mapping,
        };
        if left {
            let what = if self.text { "string" } else { "bytes" };
            return Err(self.vm.type_error(format!("not all arguments converted during {what} formatting")));
        }
        Ok(self.out)
    }

    /// `%s` and `%d` alone, of what has its text at once; false for all else.
    #[inline]
    fn plain_conversion(&mut self) -> R<bool> {
        let kind = match self.format.get(self.at) {
            Some(&kind @ (b's' | b'd')) if self.text && !self.is_mapping => kind,
            _ => return Ok(false),
        };
        let v = match self.tuple {
            Some(t) => t.items().get(self.used).copied(),
            None => (self.used == 0).then_some(self.values),
        };
        match v {
            Some(v) if v.is_int() => {
                let mut buf = [0; DECIMAL];
                self.out.extend_from_slice(decimal(v.as_small_int(), &mut buf));
            }
            Some(v) if kind == b's' => {
                let s = self.vm.to_str(v)?;
                self.room(s.bytes().len())?;
                self.out.extend_from_slice(s.bytes());
            }
            _ => return Ok(false),
        }
        self.at += 1;
        self.used += 1;
        Ok(true)
    }

    fn peek(&self) -> R<u8> {
        self.format.get(self.at).copied().ok_or_else(|| self.vm.value_error("incomplete format"))
    }

    fn next_value(&mut self) -> R<Value> {
        if let Some(v) = self.keyed.take() {
            return Ok(v);
        }
        let v = match self.tuple {
            Some(t) => t.items().get(self.used).copied(),
            None => (self.used == 0).then_some(self.values),
        };
        self.used += 1;
        v.ok_or_else(|| self.vm.type_error("not enough arguments for format string"))
    }

    fn number(&mut self) -> R<i64> {
        let mut n = 0i64;
        while self.peek()?.is_ascii_digit() {
            n = n.saturating_mul(10).saturating_add(i64::from(self.format[self.at] - b'0'));
            self.at += 1;
        }
        Ok(n)
    }

    /// `*`: the next argument.
    fn star(&mut self, is_precision: bool) -> R<i64> {
        self.at += 1;
        let v = self.next_value()?;
        if !self.vm.is_int(v) {
            return Err(self.vm.type_error("* wants int"));
        }
        let (n, c_type) = match self.vm.as_i64(v) {
            n if is_precision => (n.filter(|n| i32::try_from(*n).is_ok()), "int"),
            n => (n, "ssize_t"),
        };
        n.ok_or_else(|| self.vm.overflow_error(format!("Python int too large to convert to C {c_type}")))
    }

    fn key(&mut self) -> R<()> {
        let start = self.at + 1;
        let mut depth = 1;
        while depth > 0 {
            self.at += 1;
            match self.format.get(self.at) {
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(_) => {}
                None => return Err(self.vm.value_error("incomplete format key")),
            }
        }
        let key = &self.format[start..self.at];
        self.at += 1;
        if !self.is_mapping {
            return Err(self.vm.type_error("format requires a mapping"));
        }
        let key = if self.text { Str::new(self.vm, key)?.value() } else { self.vm.bytes(key)? };
        let exact_dict =
            self.values.cast::<Dict>().filter(|_| self.vm.type_of(self.values) == self.vm.types.dict);
        self.keyed = Some(match exact_dict {
            Some(d) => d.get(self.vm, key)?.ok_or_else(|| self.vm.key_error(key))?,
            None => self.vm.get_item(self.values, key)?,
        });
        Ok(())
    }

    fn conversion(&mut self) -> R<()> {
        let mut c = Conversion::default();
        self.keyed = None;
        if self.peek()? == b'(' {
            self.key()?;
        }
        loop {
            match self.peek()? {
                b'-' => c.left = true,
                b'+' => c.plus = true,
                b' ' => c.blank = true,
                b'#' => c.alt = true,
                b'0' => c.zero = true,
                _ => break,
            }
            self.at += 1;
        }
        let width = if self.peek()? == b'*' { self.star(false)? } else { self.number()? };
        c.left |= width < 0;
        if width == i64::MAX {
            return Err(self.vm.value_error("width too big"));
        }
        c.width = width.unsigned_abs() as usize;
        self.room(c.width)?;
        if self.peek()? == b'.' {
            self.at += 1;
            let p = if self.peek()? == b'*' { self.star(true)? } else { self.number()? };
            if p > i64::from(i32::MAX) {
                return Err(self.vm.value_error("precision too big"));
            }
            c.precision = Some(p.max(0) as usize);
            self.vm.check_room(p.max(0) as usize)?;
        }
        if matches!(self.peek()?, b'h' | b'l' | b'L') {
            self.at += 1;
        }
        let kind = self.peek()?;
        let place = self.at;
        self.at += 1;
        match kind {
            b'%' => {
                self.out.push(b'%');
                Ok(())
            }
            b's' | b'r' | b'a' | b'b' => self.text_conversion(&c, kind, place),
            b'c' => self.char_conversion(&c),
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => self.int_conversion(&c, kind),
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => self.float_conversion(&c, kind),
            _ => self.unsupported(place),
        }
    }

    fn unsupported(&self, place: usize) -> R<()> {
        let (shown, code) = if self.text {
            let width = char_width(self.format[place]);
            let part = String::from_utf8_lossy(&self.format[place..(place + width).min(self.format.len())]);
            let code = skein_runtime::types::str::code_points(&self.format[place..]).next().unwrap_or(0);
            (part.into_owned(), code)
        } else {
            (char::from(self.format[place]).to_string(), u32::from(self.format[place]))
        };
        let index = if self.text { count_chars(&self.format[..place]) } else { place };
        Err(self
            .vm
            .value_error(format!("unsupported format character '{shown}' (0x{code:x}) at index {index}")))
    }

    /// MemoryError unless so many more bytes can be put out.
    fn room(&mut self, n: usize) -> R<()> {
        self.out.try_reserve(n).map_err(|_| self.vm.memory_error())
    }

    /// Puts text into the width.
    fn pad(&mut self, c: &Conversion, body: &[u8]) -> R<()> {
        let len = if self.text { count_chars(body) } else { body.len() };
        let missing = c.width.saturating_sub(len);
        self.room(body.len().saturating_add(missing))?;
        if !c.left {
            self.out.resize(self.out.len() + missing, b' ');
        }
        self.out.extend_from_slice(body);
        if c.left {
            self.out.resize(self.out.len() + missing, b' ');
        }
        Ok(())
    }

    fn text_conversion(&mut self, c: &Conversion, kind: u8, place: usize) -> R<()> {
        if kind == b'b' && self.text {
            return self.unsupported(place);
        }
        let v = self.next_value()?;
        let vm = self.vm;
        if !self.text && matches!(kind, b's' | b'b') {
            let body = bytes_for_percent(vm, v)?;
            let n = c.precision.map_or(body.len(), |p| p.min(body.len()));
            self.pad(c, &body[..n])?;
            return Ok(());
        }
        let s = match kind {
            b's' => vm.to_str(v)?,
            b'r' if self.text => vm.repr(v)?,
            _ => vm.ascii(v)?,
        };
        let n = c.precision.map_or(s.bytes().len(), |p| s.byte_offset(p.min(s.char_len())));
        self.pad(c, &s.bytes()[..n])?;
        Ok(())
    }

    fn char_conversion(&mut self, c: &Conversion) -> R<()> {
        let v = self.next_value()?;
        let vm = self.vm;
        let mut body = Vec::new();
        if self.text {
            if let Some(s) = v.cast::<Str>() {
                if s.char_len() != 1 {
                    return Err(vm.type_error(format!(
                        "%c requires an int or a unicode character, not a string of length {}",
                        s.char_len()
                    )));
                }
                body.extend_from_slice(s.bytes());
            } else {
                if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
                    return Err(vm.type_error(format!(
                        "%c requires an int or a unicode character, not {}",
                        vm.qualified_type_name(vm.type_of(v), &[b"builtins", b"__main__"])?
                    )));
                }
                let i = vm.index_clamped(v)?;
                match u32::try_from(i).ok().filter(|c| *c < 0x11_0000) {
                    Some(c) => push_code_point(&mut body, c),
                    None => return Err(vm.overflow_error("%c arg not in range(0x110000)")),
                }
            }
        } else if is_bytes_like(v) {
            body = bytes_of_object(vm, v)?;
            if body.len() != 1 {
                return Err(vm.type_error(format!(
                    "%c requires an integer in range(256) or a single byte, not a {} object of length {}",
                    vm.type_name(v),
                    body.len()
                )));
            }
        } else {
            if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
                let ty = vm.qualified_type_name(vm.type_of(v), &[b"builtins"])?;
                return Err(
                    vm.type_error(format!("%c requires an integer in range(256) or a single byte, not {ty}"))
                );
            }
            match u8::try_from(vm.index_clamped(v)?) {
                Ok(b) => body.push(b),
                Err(_) => return Err(vm.overflow_error("%c arg not in range(256)")),
            }
        }
        self.pad(c, &body)?;
        Ok(())
    }

    /// Puts a number together: sign, prefix, digits, with zeros or blanks up to the width.
    fn put_number(
        &mut self,
        c: &Conversion,
        negative: bool,
        prefix: &str,
        digits: &str,
        zeros: bool,
    ) -> R<()> {
        let sign = match () {
            () if negative => "-",
            () if c.plus => "+",
            () if c.blank => " ",
            () => "",
        };
        let len = sign.len() + prefix.len() + digits.len();
        let fill = if c.zero && !c.left && zeros { c.width.saturating_sub(len) } else { 0 };
        let body_len = len + fill;
        let missing = c.width.saturating_sub(body_len);
        self.room(body_len.saturating_add(missing))?;
        if !c.left {
            self.out.resize(self.out.len() + missing, b' ');
        }
        self.out.extend_from_slice(sign.as_bytes());
        self.out.extend_from_slice(prefix.as_bytes());
        self.out.resize(self.out.len() + fill, b'0');
        self.out.extend_from_slice(digits.as_bytes());
        if c.left {
            self.out.resize(self.out.len() + missing, b' ');
        }
        Ok(())
    }

    fn int_conversion(&mut self, c: &Conversion, kind: u8) -> R<()> {
        let v = self.next_value()?;
        let vm = self.vm;
        let decimal = matches!(kind, b'd' | b'i' | b'u');
        let i = match Int::of(v) {
            Some(i) => i,
            None => self.as_int(v, kind, decimal)?,
        };
        let (radix, prefix) = match (kind, c.alt) {
            (b'o', true) => (8, "0o"),
            (b'o', false) => (8, ""),
            (b'x', true) => (16, "0x"),
            (b'X', true) => (16, "0X"),
            (b'x' | b'X', false) => (16, ""),
            _ => (10, ""),
        };
        let mut digits = int_digits(vm, i, radix, kind == b'X')?;
        if let Some(p) = c.precision
            && digits.len() < p
        {
            digits = super::format::zero_filled(vm, &digits, p)?;
        }
        self.put_number(c, i.is_negative(), prefix, &digits, true)
    }

    #[cold]
    fn as_int(&self, v: Value, kind: u8, decimal: bool) -> R<Int> {
        let vm = self.vm;
        let ty = vm.type_of(v);
        let by_index = ty.special(vm, Special::Index).is_some();
        let v2 = if decimal && (by_index || ty.special(vm, Special::Int).is_some()) {
            vm.call(vm.types.int.value(), &[v])?
        } else if by_index {
            vm.index(v)?
        } else {
            let wanted = if decimal { "a real number" } else { "an integer" };
            return Err(vm.type_error(format!(
                "%{} format: {wanted} is required, not {}",
                kind as char,
                ty.name_string()
            )));
        };
        Int::of(v2).ok_or_else(|| vm.type_error("__int__ returned non-int"))
    }

    fn float_conversion(&mut self, c: &Conversion, kind: u8) -> R<()> {
        let v = self.next_value()?;
        let x = if self.text {
            self.vm.to_f64(v)?
        } else {
            let number = self.vm.as_float(v).is_some()
                || self.vm.is_int(v)
                || self.vm.type_of(v).special(self.vm, Special::Float).is_some();
            if !number {
                return Err(self
                    .vm
                    .type_error(format!("float argument required, not {}", self.vm.type_name(v))));
            }
            self.vm.to_f64(v)?
        };
        let style = match kind.to_ascii_lowercase() {
            b'e' => Style::Exponent,
            b'f' => Style::Fixed,
            _ => Style::General,
        };
        let mut digits = format_float(x, style, c.precision.unwrap_or(6), c.alt, false);
        if kind.is_ascii_uppercase() {
            digits.make_ascii_uppercase();
        }
        self.put_number(c, x.is_sign_negative() && !x.is_nan(), "", &digits, true)
    }
}

/// What `%b` and `%s` put into bytes. TypeError.
fn bytes_for_percent(vm: &Vm, v: Value) -> R<Vec<u8>> {
    if is_bytes_like(v) {
        return bytes_of_object(vm, v);
    }
    if let Some(made) = bytes_by_method(vm, v)? {
        return bytes_of_object(vm, made);
    }
    Err(vm.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        vm.type_name(v)
    )))
}
