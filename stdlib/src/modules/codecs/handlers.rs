//! The error handlers as functions: what `codecs.lookup_error` gives.

use skein_builtins::types::codecs::backslashed;
use skein_runtime::native::NativeDef;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Raised, Value, Vm, native_functions};

native_functions! { pub HANDLERS:
    "strict_errors(exception, /)" => |vm: &Vm, e: Value| -> R<()> { Err(strict(vm, e)) };
    "ignore_errors(exception, /)" => |vm: &Vm, e: Value| -> R<Value> { let p = Problem::of(vm, e)?; p.result(vm, b"") };
    "replace_errors(exception, /)" => replace;
    "xmlcharrefreplace_errors(exception, /)" => xmlcharref;
    "backslashreplace_errors(exception, /)" => backslash;
    "namereplace_errors(exception, /)" => name;
    "surrogateescape_errors(exception, /)" => surrogateescape;
    "surrogatepass_errors(exception, /)" => surrogatepass;
}

/// The function of a handler's name.
pub fn by_name(name: &str) -> Option<&'static NativeDef> {
    HANDLERS.iter().find(|d| d.name.strip_suffix("_errors") == Some(name))
}

fn strict(vm: &Vm, e: Value) -> Raised {
    if vm.is_exact_or_subtype(e, vm.exc.base_exception) {
        return vm.raise(e);
    }
    vm.type_error("codec must pass exception instance")
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Encode,
    Decode,
    Translate,
}

/// What a handler is asked to deal with.
struct Problem {
    exception: Value,
    kind: Kind,
    /// Characters that cannot be encoded, or bytes that cannot be decoded.
    bad: Vec<u32>,
    start: i64,
    end: i64,
}

impl Problem {
    fn of(vm: &Vm, e: Value) -> R<Problem> {
        let kind = if vm.is_exact_or_subtype(e, vm.exc.unicode_encode_error) {
            Kind::Encode
        } else if vm.is_exact_or_subtype(e, vm.exc.unicode_decode_error) {
            Kind::Decode
        } else if vm.is_exact_or_subtype(e, vm.exc.unicode_translate_error) {
            Kind::Translate
        } else {
            let got = vm.type_name(e);
            return Err(vm.type_error(format!("don't know how to handle {got} in error callback")));
        };
        let object = vm.get_attr_str(e, "object")?;
        let all: Vec<u32> = match (object.cast::<Str>(), object.cast::<Bytes>()) {
            (Some(s), _) => s.code_points().collect(),
            (_, Some(b)) => b.bytes().iter().map(|&b| b.into()).collect(),
            _ => return Err(vm.type_error("object attribute must be str or bytes")),
        };
        let place = |name| -> R<usize> {
            let i = vm.index_i64(vm.get_attr_str(e, name)?)?;
            Ok((i.max(0) as usize).min(all.len()))
        };
        let (start, end) = (place("start")?, place("end")?);
        let bad = all.get(start..end).unwrap_or_default().to_vec();
        Ok(Problem { exception: e, kind, bad, start: start as i64, end: end.max(start) as i64 })
    }

    fn unsuitable(&self, vm: &Vm) -> Raised {
        let got = vm.type_name(self.exception);
        vm.type_error(format!("don't know how to handle {got} in error callback"))
    }

    fn result(&self, vm: &Vm, text: &[u8]) -> R<Value> {
        vm.tuple(&[Str::new(vm, text)?.value(), Value::small_int(self.end)])
    }
}

fn replace(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    match p.kind {
        Kind::Encode => p.result(vm, &vm.filled(b'?', p.bad.len())?),
        Kind::Decode => p.result(vm, "\u{fffd}".as_bytes()),
        Kind::Translate => p.result(vm, vm.filled("\u{fffd}", p.bad.len())?.concat().as_bytes()),
    }
}

fn xmlcharref(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    if p.kind != Kind::Encode {
        return Err(p.unsuitable(vm));
    }
    let text: String = p.bad.iter().map(|c| format!("&#{c};")).collect();
    p.result(vm, text.as_bytes())
}

fn backslash(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    let text: String = p.bad.iter().map(|&c| backslashed(c)).collect();
    p.result(vm, text.as_bytes())
}

fn name(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    if p.kind != Kind::Encode {
        return Err(p.unsuitable(vm));
    }
    let one = |c: u32| match char::from_u32(c).and_then(super::super::unicodedata::name_of) {
        Some(name) => format!("\\N{{{name}}}"),
        None => backslashed(c),
    };
    let text: String = p.bad.iter().map(|&c| one(c)).collect();
    p.result(vm, text.as_bytes())
}

fn surrogateescape(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    match p.kind {
        Kind::Encode if p.bad.iter().all(|c| (0xdc80..0xdd00).contains(c)) => {
            let bytes: Vec<u8> = p.bad.iter().map(|c| (c - 0xdc00) as u8).collect();
            vm.tuple(&[vm.bytes(&bytes)?, Value::small_int(p.end)])
        }
        Kind::Decode => {
            let n = p.bad.iter().take(4).take_while(|&&b| b >= 0x80).count();
            if n == 0 {
                return Err(strict(vm, e));
            }
            let mut text = Vec::new();
            p.bad[..n].iter().for_each(|b| push_code_point(&mut text, 0xdc00 + b));
            vm.tuple(&[Str::new(vm, &text)?.value(), Value::small_int(p.start + n as i64)])
        }
        Kind::Encode => Err(strict(vm, e)),
        Kind::Translate => Err(p.unsuitable(vm)),
    }
}

/// How an encoding of Unicode writes a surrogate: bytes of a unit, and whether the most significant comes first. Three
/// bytes are UTF-8's.
fn surrogate_form(encoding: &str) -> Option<(usize, bool)> {
    let name: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    match name.to_ascii_lowercase().as_str() {
        "utf8" | "cp65001" => Some((3, true)),
        "utf16" => Some((2, cfg!(target_endian = "big"))),
        "utf16le" => Some((2, false)),
        "utf16be" => Some((2, true)),
        "utf32" => Some((4, cfg!(target_endian = "big"))),
        "utf32le" => Some((4, false)),
        "utf32be" => Some((4, true)),
        _ => None,
    }
}

fn surrogatepass(vm: &Vm, e: Value) -> R<Value> {
    let p = Problem::of(vm, e)?;
    if matches!(p.kind, Kind::Translate) {
        return Err(p.unsuitable(vm));
    }
    let encoding = vm.str_string(vm.get_attr_str(e, "encoding")?)?;
    let Some((size, big)) = surrogate_form(&encoding) else { return Err(strict(vm, e)) };
    let is_surrogate = |c: &u32| (0xd800..0xe000).contains(c);
    if matches!(p.kind, Kind::Encode) {
        if !p.bad.iter().all(is_surrogate) {
            return Err(strict(vm, e));
        }
        let mut bytes = Vec::new();
        for &c in &p.bad {
            match (size, big) {
                (3, _) => push_code_point(&mut bytes, c),
                (_, true) => bytes.extend(&c.to_be_bytes()[4 - size..]),
                (_, false) => bytes.extend(&c.to_le_bytes()[..size]),
            }
        }
        return vm.tuple(&[vm.bytes(&bytes)?, Value::small_int(p.end)]);
    }
    let object = super::super::support::BytesLike::new(vm, vm.get_attr_str(e, "object")?)?;
    let start = p.start as usize;
    let found = object.get(start..start + size).and_then(|unit| match (unit, big) {
        (&[0xed, b @ 0xa0..=0xbf, c @ 0x80..=0xbf], _) => {
            Some(0xd000 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f))
        }
        (&[a, b], true) => Some(u16::from_be_bytes([a, b]).into()),
        (&[a, b], false) => Some(u16::from_le_bytes([a, b]).into()),
        (&[a, b, c, d], true) => Some(u32::from_be_bytes([a, b, c, d])),
        (&[a, b, c, d], false) => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    });
    let Some(c) = found.filter(is_surrogate) else { return Err(strict(vm, e)) };
    let mut text = Vec::new();
    push_code_point(&mut text, c);
    vm.tuple(&[Str::new(vm, &text)?.value(), Value::small_int(p.start + size as i64)])
}
