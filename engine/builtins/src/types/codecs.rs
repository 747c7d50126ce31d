//! The encodings that are always there, and their error handlers.

use crate::types::bytes::bytes_of_object;
use crate::types::registry;
use skein_runtime::object::Ref;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::borrow::Cow;

/// An encoding that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Utf8,
    Utf8Sig,
    Latin1,
    Ascii,
    /// With a byte order mark.
    Utf16,
    Utf16Le,
    Utf16Be,
    Utf32,
    Utf32Le,
    Utf32Be,
}

impl Codec {
    /// By any of its names.
    pub fn by_name(name: &str) -> Option<Codec> {
        let name: String =
            name.chars().map(|c| if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() }).collect();
        Some(match name.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" => Codec::Utf8,
            "utf_8_sig" | "utf8_sig" => Codec::Utf8Sig,
            "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso_ir_100" | "iso8859"
            | "8859" | "cp819" => Codec::Latin1,
            "ascii" | "us_ascii" | "646" | "ansi_x3.4_1968" | "iso646_us" => Codec::Ascii,
            "utf_16" | "utf16" | "u16" => Codec::Utf16,
            "utf_16_le" | "utf_16le" | "utf16_le" | "utf16le" | "unicodelittleunmarked" => Codec::Utf16Le,
            "utf_16_be" | "utf_16be" | "utf16_be" | "utf16be" | "unicodebigunmarked" => Codec::Utf16Be,
            "utf_32" | "utf32" | "u32" => Codec::Utf32,
            "utf_32_le" | "utf_32le" | "utf32_le" | "utf32le" => Codec::Utf32Le,
            "utf_32_be" | "utf_32be" | "utf32_be" | "utf32be" => Codec::Utf32Be,
            _ => return None,
        })
    }

    /// As errors name it.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Utf8 | Codec::Utf8Sig => "utf-8",
            Codec::Latin1 => "latin-1",
            Codec::Ascii => "ascii",
            Codec::Utf16 => "utf-16",
            Codec::Utf16Le => "utf-16-le",
            Codec::Utf16Be => "utf-16-be",
            Codec::Utf32 => "utf-32",
            Codec::Utf32Le => "utf-32-le",
            Codec::Utf32Be => "utf-32-be",
        }
    }

    /// Bytes of a unit, and whether the high one is first.
    fn unit(self) -> (usize, bool) {
        match self {
            Codec::Utf16 => (2, cfg!(target_endian = "big")),
            Codec::Utf16Le => (2, false),
            Codec::Utf16Be => (2, true),
            Codec::Utf32 => (4, cfg!(target_endian = "big")),
            Codec::Utf32Le => (4, false),
            Codec::Utf32Be => (4, true),
            _ => (1, false),
        }
    }
}

/// What is done about what cannot be encoded or decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    XmlCharRefReplace,
    SurrogateEscape,
    SurrogatePass,
    /// A handler that a program registered.
    Registered(Value),
}

impl Errors {
    /// By its name. LookupError.
    pub fn by_name(vm: &Vm, name: &str) -> R<Errors> {
        if let Some(f) = registry::registered_error(vm, name) {
            return Ok(Errors::Registered(f));
        }
        Ok(match name {
            "strict" => Errors::Strict,
            "ignore" => Errors::Ignore,
            "replace" => Errors::Replace,
            "backslashreplace" => Errors::BackslashReplace,
            "xmlcharrefreplace" => Errors::XmlCharRefReplace,
            "surrogateescape" => Errors::SurrogateEscape,
            "surrogatepass" => Errors::SurrogatePass,
            // Needs the characters' names, which the module has.
            "namereplace" => {
                let m = crate::modules::import(vm, "_codecs")?;
                Errors::Registered(vm.call(vm.get_attr_str(m, "lookup_error")?, &[vm.str(name)?])?)
            }
            _ => return Err(vm.lookup_error(format!("unknown error handler name '{name}'"))),
        })
    }
}

/// A built-in codec; None: one that is to be looked up.
fn codec_of(encoding: Option<Ref<Str>>) -> Option<Codec> {
    encoding.map_or(Some(Codec::Utf8), |e| Codec::by_name(&e.to_string_lossy()))
}

/// A handler's name, looked up when it is needed first: unknown names matter only then.
pub type Handler<'a> = Option<&'a str>;

fn handler(vm: &Vm, name: Handler<'_>) -> R<Errors> {
    name.map_or(Ok(Errors::Strict), |n| Errors::by_name(vm, n))
}

/// The development mode tells of unknown names of handlers also where none is needed. LookupError.
pub fn check_handler(vm: &Vm, errors: Option<Ref<Str>>) -> R<()> {
    match errors {
        Some(errors) if vm.config.dev_mode => Errors::by_name(vm, &errors.to_string_lossy()).map(|_| ()),
        _ => Ok(()),
    }
}

/// `s.encode(encoding, errors)`: a bytes object.
pub fn encode(vm: &Vm, s: Ref<Str>, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>) -> R<Value> {
    check_handler(vm, errors)?;
    let Some(codec) = codec_of(encoding) else {
        let name = encoding.map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        return registry::apply_text(vm, s.value(), &name, errors.map(Value::from), false);
    };
    if s.is_ascii() && matches!(codec, Codec::Utf8 | Codec::Latin1 | Codec::Ascii) {
        return vm.bytes(s.bytes());
    }
    let errors = errors.map(|e| e.to_string_lossy().into_owned());
    vm.bytes(&encode_with(vm, s, codec, errors.as_deref())?)
}

/// `b.decode(encoding, errors)` of a bytes-like object: a str object.
pub fn decode_object(vm: &Vm, v: Value, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>) -> R<Value> {
    check_handler(vm, errors)?;
    let Some(codec) = codec_of(encoding) else {
        let name = encoding.map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        return registry::apply_text(vm, v, &name, errors.map(Value::from), true);
    };
    let errors = errors.map(|e| e.to_string_lossy().into_owned());
    if let Some(b) = v.cast::<skein_runtime::types::bytes::Bytes>() {
        return Ok(decode_with(vm, b.bytes(), codec, errors.as_deref())?.value());
    }
    let bytes = bytes_of_object(vm, v)?;
    Ok(decode_with(vm, &bytes, codec, errors.as_deref())?.value())
}

/// Encodes a string. UnicodeEncodeError, LookupError.
pub fn encode_with(vm: &Vm, s: Ref<Str>, codec: Codec, errors: Handler<'_>) -> R<Vec<u8>> {
    let mut out = vm.buffer(s.bytes().len().max(s.char_len().saturating_mul(codec.unit().0)) + 4)?;
    if matches!(codec, Codec::Utf8 | Codec::Utf8Sig) {
        if codec == Codec::Utf8Sig {
            out.extend_from_slice(b"\xef\xbb\xbf");
        }
        if s.to_str().is_some() {
            out.extend_from_slice(s.bytes());
            return Ok(out);
        }
    }
    if matches!(codec, Codec::Utf16 | Codec::Utf32) {
        push_encoded(&mut out, codec, 0xfeff);
    }
    let mut points: Vec<u32> = vm.buffer(s.char_len())?;
    points.extend(s.code_points());
    let mut i = 0;
    while i < points.len() {
        if can_encode(codec, points[i]) {
            vm.grow(&mut out, LONGEST)?;
            push_encoded(&mut out, codec, points[i]);
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < points.len() && !can_encode(codec, points[end]) {
            end += 1;
        }
        i = encode_error(vm, s, &points, (i, end), codec, errors, &mut out)?;
    }
    Ok(out)
}

fn is_surrogate(c: u32) -> bool {
    (0xd800..0xe000).contains(&c)
}

fn can_encode(codec: Codec, c: u32) -> bool {
    match codec {
        Codec::Ascii => c < 0x80,
        Codec::Latin1 => c < 0x100,
        _ => !is_surrogate(c),
    }
}

/// Appends a code point, which the codec can encode or which is a surrogate that is to pass.
fn push_encoded(out: &mut Vec<u8>, codec: Codec, c: u32) {
    let (size, big) = codec.unit();
    let mut put = |unit: u32| {
        let bytes = unit.to_be_bytes();
        let bytes = &bytes[4 - size..];
        if big {
            out.extend_from_slice(bytes);
        } else {
            out.extend(bytes.iter().rev());
        }
    };
    match (size, codec) {
        (1, Codec::Utf8 | Codec::Utf8Sig) => push_code_point(out, c),
        (2, _) if c >= 0x1_0000 => {
            put(0xd800 + ((c - 0x1_0000) >> 10));
            put(0xdc00 + ((c - 0x1_0000) & 0x3ff));
        }
        _ => put(c),
    }
}

/// Handles characters that cannot be encoded: where to go on.
fn encode_error(
    vm: &Vm,
    s: Ref<Str>,
    points: &[u32],
    (start, end): (usize, usize),
    codec: Codec,
    errors: Handler<'_>,
    out: &mut Vec<u8>,
) -> R<usize> {
    let reason = match codec {
        Codec::Ascii => "ordinal not in range(128)",
        Codec::Latin1 => "ordinal not in range(256)",
        _ => "surrogates not allowed",
    };
    let mut start = start;
    if codec.unit().0 == 1 && handler(vm, errors)? == Errors::SurrogateEscape {
        // Those that stand for bytes; the error is about what is behind them.
        let escaped = points[start..end].iter().take_while(|c| (0xdc80..0xdd00).contains(*c)).count();
        vm.grow(out, escaped)?;
        out.extend(points[start..start + escaped].iter().map(|c| (c - 0xdc00) as u8));
        start += escaped;
        if start == end {
            return Ok(end);
        }
    }
    let bad = Unencodable { object: s, points, start, end, encoding: codec.name(), reason };
    if handler(vm, errors)? == Errors::SurrogatePass && !matches!(codec, Codec::Ascii | Codec::Latin1) {
        vm.grow(out, (end - start).saturating_mul(LONGEST))?;
        points[start..end].iter().for_each(|&c| push_encoded(out, codec, c));
        return Ok(end);
    }
    let unit = codec.unit().0;
    let (replacement, at) = bad.replacement(vm, errors, unit == 1)?;
    match replacement {
        Replacement::Bytes(bytes) if bytes.len() % unit != 0 => return Err(bad.failure(vm)),
        Replacement::Bytes(bytes) => vm.put(out, &bytes)?,
        Replacement::Text(text) => {
            vm.grow(out, text.len().saturating_mul(LONGEST))?;
            // In those of Unicode a handler's text is of ASCII.
            let last = if codec == Codec::Latin1 { 0xff } else { 0x7f };
            if !text.iter().all(|&c| c <= last) {
                return Err(bad.failure(vm));
            }
            text.iter().for_each(|&c| push_encoded(out, codec, c));
        }
    }
    Ok(at)
}

/// What stands for characters that cannot be encoded.
pub enum Replacement {
    /// To be encoded itself.
    Text(Vec<u32>),
    Bytes(Vec<u8>),
}

/// Characters of a text that an encoding lacks.
pub struct Unencodable<'a> {
    pub object: Ref<Str>,
    pub points: &'a [u32],
    pub start: usize,
    pub end: usize,
    pub encoding: &'a str,
    pub reason: &'a str,
}

impl Unencodable<'_> {
    /// What the handler puts in their place, and where to go on. `bytes`: the encoding can hold any byte.
    /// UnicodeEncodeError, LookupError, what the handler raises.
    pub fn replacement(&self, vm: &Vm, errors: Handler<'_>, bytes: bool) -> R<(Replacement, usize)> {
        let bad = &self.points[self.start..self.end];
        let text = match handler(vm, errors)? {
            Errors::Ignore => String::new(),
            Errors::Replace => String::from_utf8(vm.filled(b'?', bad.len())?).unwrap_or_default(),
            Errors::XmlCharRefReplace => {
                let mut text = vm.text_buffer(bad.len().saturating_mul("&#1114111;".len()))?;
                bad.iter().for_each(|c| text.push_str(&format!("&#{c};")));
                text
            }
            Errors::BackslashReplace => {
                let mut text = vm.text_buffer(bad.len().saturating_mul("\\U0010ffff".len()))?;
                bad.iter().for_each(|&c| text.push_str(&backslashed(c)));
                text
            }
            Errors::SurrogateEscape if bytes && bad.iter().all(|c| (0xdc80..0xdd00).contains(c)) => {
                let bytes = vm.collected(bad.iter().map(|c| (c - 0xdc00) as u8))?;
                return Ok((Replacement::Bytes(bytes), self.end));
            }
            Errors::Registered(f) => {
                let raised = self.failure(vm);
                let handled = registry::call_handler(vm, f, raised, self.points.len(), false)?;
                let replacement = match handled.replacement.cast::<Str>() {
                    Some(s) => Replacement::Text(vm.collected(s.code_points())?),
                    None => Replacement::Bytes(bytes_of_object(vm, handled.replacement)?),
                };
                return Ok((replacement, handled.at));
            }
            _ => return Err(self.failure(vm)),
        };
        Ok((Replacement::Text(vm.collected(text.chars().map(u32::from))?), self.end))
    }

    /// Raises UnicodeEncodeError.
    #[cold]
    pub fn failure(&self, vm: &Vm) -> Raised {
        let (Ok(name), Ok(reason)) = (vm.str(self.encoding), vm.str(self.reason)) else { return Raised };
        let (start, end) = (Value::small_int(self.start as i64), Value::small_int(self.end as i64));
        // By a call, which sets the attributes.
        match vm.call(vm.exc.unicode_encode_error.value(), &[name, self.object.value(), start, end, reason]) {
            Ok(e) => vm.raise(e),
            Err(e) => e,
        }
    }
}

/// A character as an escape.
pub fn backslashed(c: u32) -> String {
    match c {
        0..0x100 => format!("\\x{c:02x}"),
        0x100..0x1_0000 => format!("\\u{c:04x}"),
        _ => format!("\\U{c:08x}"),
    }
}

/// The text as UTF-8. UnicodeEncodeError for surrogates.
pub fn utf8(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    encode_with(vm, s, Codec::Utf8, None)
}

/// Decodes bytes. UnicodeDecodeError, LookupError.
pub fn decode_with(vm: &Vm, bytes: &[u8], codec: Codec, errors: Handler<'_>) -> R<Ref<Str>> {
    let mut d = Decoder { vm, bytes: Cow::Borrowed(bytes), codec, errors, out: Vec::new() };
    match codec {
        Codec::Utf8 | Codec::Utf8Sig => {
            let skip = if codec == Codec::Utf8Sig && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            if std::str::from_utf8(&bytes[skip..]).is_ok() {
                return Str::new(vm, &bytes[skip..]);
            }
            d.utf8(skip)?;
        }
        Codec::Ascii if bytes.is_ascii() => return Str::new(vm, bytes),
        Codec::Ascii => d.ascii()?,
        Codec::Latin1 if bytes.is_ascii() => return Str::new(vm, bytes),
        Codec::Latin1 => {
            for &b in bytes {
                vm.grow(&mut d.out, LONGEST)?;
                push_code_point(&mut d.out, u32::from(b));
            }
        }
        _ => d.units()?,
    }
    Str::new(vm, &d.out)
}

/// Bytes of text that are appended at once, at most.
const LONGEST: usize = 8;

struct Decoder<'a> {
    vm: &'a Vm,
    bytes: Cow<'a, [u8]>,
    codec: Codec,
    errors: Handler<'a>,
    out: Vec<u8>,
}

impl Decoder<'_> {
    fn utf8(&mut self, mut at: usize) -> R<()> {
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            let e = match std::str::from_utf8(rest) {
                Ok(_) => return self.vm.put(&mut self.out, rest),
                Err(e) => e,
            };
            self.vm.put(&mut self.out, &rest[..e.valid_up_to()])?;
            at += e.valid_up_to();
            let (len, reason) = match e.error_len() {
                None => (self.bytes.len() - at, "unexpected end of data"),
                Some(n) if matches!(self.bytes[at], 0x80..=0xc1 | 0xf5..=0xff) => (n, "invalid start byte"),
                Some(n) => (n, "invalid continuation byte"),
            };
            at = self.error(at, at + len, reason)?;
        }
        Ok(())
    }

    fn ascii(&mut self) -> R<()> {
        let mut at = 0;
        while let Some(&b) = self.bytes.get(at) {
            self.vm.grow(&mut self.out, LONGEST)?;
            if b < 0x80 {
                self.out.push(b);
                at += 1;
            } else {
                at = self.error(at, at + 1, "ordinal not in range(128)")?;
            }
        }
        Ok(())
    }

    /// UTF-16 and UTF-32.
    fn units(&mut self) -> R<()> {
        let (size, mut big) = self.codec.unit();
        let mut at = 0;
        if matches!(self.codec, Codec::Utf16 | Codec::Utf32) {
            let mark = unit_at(&self.bytes, 0, size, false);
            let swapped = unit_at(&self.bytes, 0, size, true);
            if mark == Some(0xfeff) || swapped == Some(0xfeff) {
                big = swapped == Some(0xfeff);
                at = size;
            }
        }
        while at < self.bytes.len() {
            self.vm.grow(&mut self.out, LONGEST)?;
            let Some(unit) = unit_at(&self.bytes, at, size, big) else {
                at = self.error(at, self.bytes.len(), "truncated data")?;
                continue;
            };
            if size == 4 {
                if unit >= 0x11_0000 {
                    at = self.error(at, at + 4, "code point not in range(0x110000)")?;
                    continue;
                }
                if is_surrogate(unit) {
                    let why = "code point in surrogate code point range(0xd800, 0xe000)";
                    at = self.surrogate(at, 4, unit, why)?;
                    continue;
                }
                push_code_point(&mut self.out, unit);
                at += 4;
                continue;
            }
            match unit {
                0xd800..0xdc00 => match unit_at(&self.bytes, at + 2, 2, big) {
                    Some(low @ 0xdc00..0xe000) => {
                        push_code_point(&mut self.out, 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                        at += 4;
                    }
                    Some(_) => at = self.surrogate(at, 2, unit, "illegal UTF-16 surrogate")?,
                    None if handler(self.vm, self.errors)? == Errors::SurrogatePass => {
                        at = self.surrogate(at, 2, unit, "unexpected end of data")?;
                    }
                    None => at = self.error(at, self.bytes.len(), "unexpected end of data")?,
                },
                0xdc00..0xe000 => at = self.surrogate(at, 2, unit, "illegal encoding")?,
                _ => {
                    push_code_point(&mut self.out, unit);
                    at += 2;
                }
            }
        }
        Ok(())
    }

    fn surrogate(&mut self, at: usize, size: usize, unit: u32, reason: &str) -> R<usize> {
        if handler(self.vm, self.errors)? == Errors::SurrogatePass {
            push_code_point(&mut self.out, unit);
            return Ok(at + size);
        }
        self.error(at, at + size, reason)
    }

    /// Handles bytes that cannot be decoded: where to go on.
    fn error(&mut self, start: usize, end: usize, reason: &str) -> R<usize> {
        let bad = Undecodable { bytes: &self.bytes, start, end, encoding: self.codec.name(), reason };
        if handler(self.vm, self.errors)? == Errors::SurrogatePass
            && matches!(self.codec, Codec::Utf8 | Codec::Utf8Sig)
            && let Some([0xed, b @ 0xa0..=0xbf, c @ 0x80..=0xbf]) = self.bytes.get(start..start + 3)
        {
            self.out.extend_from_slice(&[0xed, *b, *c]);
            return Ok(start + 3);
        }
        let (at, other) = bad.replacement(self.vm, self.errors, &mut self.out)?;
        if let Some(other) = other {
            self.bytes = Cow::Owned(other);
        }
        Ok(at)
    }
}

/// Bytes that do not stand for a character.
pub struct Undecodable<'a> {
    pub bytes: &'a [u8],
    pub start: usize,
    pub end: usize,
    pub encoding: &'a str,
    pub reason: &'a str,
}

impl Undecodable<'_> {
    /// Appends what the handler puts in their place; where to go on, and in which bytes, if the handler has put others
    /// in their place. UnicodeDecodeError, LookupError, what the handler raises.
    pub fn replacement(
        &self,
        vm: &Vm,
        errors: Handler<'_>,
        out: &mut Vec<u8>,
    ) -> R<(usize, Option<Vec<u8>>)> {
        let bad = &self.bytes[self.start..self.end];
        vm.grow(out, bad.len().saturating_mul(4).max(LONGEST))?;
        match handler(vm, errors)? {
            Errors::Ignore => {}
            Errors::Replace => push_code_point(out, 0xfffd),
            Errors::BackslashReplace => {
                bad.iter().for_each(|b| out.extend_from_slice(format!("\\x{b:02x}").as_bytes()));
            }
            Errors::SurrogateEscape if bad.first().is_some_and(|&b| b >= 0x80) => {
                let n = bad.iter().take_while(|&&b| b >= 0x80).count();
                bad[..n].iter().for_each(|&b| push_code_point(out, 0xdc00 + u32::from(b)));
                return Ok((self.start + n, None));
            }
            Errors::XmlCharRefReplace => {
                return Err(vm.type_error("don't know how to handle UnicodeDecodeError in error callback"));
            }
            Errors::Registered(f) => {
                let raised = self.failure(vm);
                let handled = registry::call_handler(vm, f, raised, self.bytes.len(), true)?;
                if let Some(s) = handled.replacement.cast::<Str>() {
                    vm.put(out, s.bytes())?;
                }
                let other = handled.object.filter(|object| object.bytes() != self.bytes);
                let other = other.map(|object| vm.copied(object.bytes())).transpose()?;
                return Ok((handled.at, other));
            }
            _ => return Err(self.failure(vm)),
        }
        Ok((self.end, None))
    }

    /// Raises UnicodeDecodeError.
    #[cold]
    pub fn failure(&self, vm: &Vm) -> Raised {
        let (Ok(name), Ok(object), Ok(reason)) =
            (vm.str(self.encoding), vm.bytes(self.bytes), vm.str(self.reason))
        else {
            return Raised;
        };
        let (start, end) = (Value::small_int(self.start as i64), Value::small_int(self.end as i64));
        // By a call, which sets the attributes.
        match vm.call(vm.exc.unicode_decode_error.value(), &[name, object, start, end, reason]) {
            Ok(e) => vm.raise(e),
            Err(e) => e,
        }
    }
}

fn unit_at(bytes: &[u8], at: usize, size: usize, big: bool) -> Option<u32> {
    let row = bytes.get(at..at + size)?;
    let join = |u: u32, b: &u8| u << 8 | u32::from(*b);
    Some(if big { row.iter().fold(0, join) } else { row.iter().rev().fold(0, join) })
}
