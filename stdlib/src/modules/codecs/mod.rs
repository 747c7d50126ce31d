//! `_codecs`: the registry, and the built-in encodings as functions that tell how much they took.

mod charmap;
mod escapes;
mod handlers;
mod utf7;

use super::support::BytesLike;
pub use escapes::encode_raw;
use skein_builtins::types::codecs::{Codec, decode_with, encode_with};
use skein_builtins::types::registry;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

/// A handler's name; None and nothing are `strict`.
type Errors = Option<Value>;

fn name(vm: &Vm, errors: Errors) -> R<Option<String>> {
    match errors.filter(|e| !e.is_none()) {
        None => Ok(None),
        Some(e) => match e.cast::<Str>() {
            Some(s) => Ok(Some(s.to_string_lossy().into_owned())),
            None => {
                let got = vm.type_name(e);
                Err(vm.type_error(format!("decode() argument 'errors' must be str or None, not {got}")))
            }
        },
    }
}

fn pair(vm: &Vm, v: Value, n: usize) -> R<Value> {
    vm.tuple(&[v, Value::small_int(n as i64)])
}

fn encoded(vm: &Vm, s: Ref<Str>, errors: Errors, codec: Codec) -> R<Value> {
    let errors = name(vm, errors)?;
    let bytes = encode_with(vm, s, codec, errors.as_deref())?;
    pair(vm, vm.bytes(&bytes)?, s.char_len())
}

/// Bytes at the end that are the beginning of a character.
fn unfinished(codec: Codec, bytes: &[u8]) -> usize {
    let unit = |at: usize, big: bool| {
        let two = [bytes[at], bytes[at + 1]];
        if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    };
    match codec {
        // Of a surrogate, which a handler may let pass.
        Codec::Utf8 | Codec::Utf8Sig if matches!(bytes, [.., 0xed, 0xa0..=0xbf]) => 2,
        Codec::Utf8 | Codec::Utf8Sig => {
            // The last character's first byte is one of the last three.
            let tail = &bytes[bytes.len().saturating_sub(3)..];
            (1..=tail.len())
                .find(|n| tail[tail.len() - n] >= 0xc0)
                .filter(|n| {
                    std::str::from_utf8(&tail[tail.len() - n..]).is_err_and(|e| e.error_len().is_none())
                })
                .unwrap_or(0)
        }
        Codec::Utf16 | Codec::Utf16Le | Codec::Utf16Be => {
            let odd = bytes.len() % 2;
            let end = bytes.len() - odd;
            let big = codec == Codec::Utf16Be || (codec == Codec::Utf16 && bytes.starts_with(b"\xfe\xff"));
            let high = end >= 2 && (0xd800..0xdc00).contains(&unit(end - 2, big));
            odd + if high { 2 } else { 0 }
        }
        Codec::Utf32 | Codec::Utf32Le | Codec::Utf32Be => bytes.len() % 4,
        _ => 0,
    }
}

fn decoded(vm: &Vm, bytes: &[u8], errors: Errors, last: bool, codec: Codec) -> R<Value> {
    let errors = name(vm, errors)?;
    let n = bytes.len() - if last { 0 } else { unfinished(codec, bytes) };
    let s = decode_with(vm, &bytes[..n], codec, errors.as_deref())?;
    pair(vm, s.value(), n)
}

/// `utf_16_ex_decode` and the like: also tells the byte order, which a mark at the beginning sets.
fn decoded_ex(vm: &Vm, bytes: &[u8], errors: Errors, order: i64, last: bool, wide: bool) -> R<Value> {
    let (little, big, any) = match wide {
        true => (Codec::Utf32Le, Codec::Utf32Be, Codec::Utf32),
        false => (Codec::Utf16Le, Codec::Utf16Be, Codec::Utf16),
    };
    let marks: [&[u8]; 2] =
        if wide { [b"\xff\xfe\0\0", b"\0\0\xfe\xff"] } else { [b"\xff\xfe", b"\xfe\xff"] };
    let found = match order {
        0 if bytes.starts_with(marks[0]) => -1,
        0 if bytes.starts_with(marks[1]) => 1,
        n => n,
    };
    let codec = match order {
        0 => any,
        n if n < 0 => little,
        _ => big,
    };
    let errors = name(vm, errors)?;
    let n = bytes.len() - if last { 0 } else { unfinished(codec, bytes) };
    let s = decode_with(vm, &bytes[..n], codec, errors.as_deref())?;
    vm.tuple(&[s.value(), Value::small_int(n as i64), Value::small_int(found)])
}

macro_rules! codec {
    (encode $codec:ident) => {
        |vm: &Vm, s: Ref<Str>, errors: Errors| encoded(vm, s, errors, Codec::$codec)
    };
    (encode ordered $le:ident $be:ident $any:ident) => {
        |vm: &Vm, s: Ref<Str>, errors: Errors, order: Option<i64>| {
            let codec = match order.unwrap_or(0) {
                0 => Codec::$any,
                n if n < 0 => Codec::$le,
                _ => Codec::$be,
            };
            encoded(vm, s, errors, codec)
        }
    };
    (decode $codec:ident) => {
        |vm: &Vm, b: BytesLike, errors: Errors, last: Option<bool>| {
            decoded(vm, &b, errors, last.unwrap_or(false), Codec::$codec)
        }
    };
    (decode whole $codec:ident) => {
        |vm: &Vm, b: BytesLike, errors: Errors| decoded(vm, &b, errors, true, Codec::$codec)
    };
}

native_functions! { FUNCTIONS:
    "register(search_function, /)" => register, "Register a codec search function.";
    "unregister(search_function, /)" => |vm: &Vm, f: Value| registry::unregister(vm, f);
    "lookup(encoding, /)" => |vm: &Vm, s: Ref<Str>| registry::lookup(vm, &s.to_string_lossy()), "Looks up a codec tuple in the Python codec registry and returns a CodecInfo object.";
    "encode(obj, encoding='utf-8', errors='strict')" => |vm: &Vm, v: Value, encoding: Option<Ref<Str>>, errors: Errors| coded(vm, v, encoding, errors, false), "Encodes obj using the codec registered for encoding.";
    "decode(obj, encoding='utf-8', errors='strict')" => |vm: &Vm, v: Value, encoding: Option<Ref<Str>>, errors: Errors| coded(vm, v, encoding, errors, true), "Decodes obj using the codec registered for encoding.";
    "register_error(errors, handler, /)" => register_error, "Register the specified error handler under the name errors.";
    "_unregister_error(errors, /)" => unregister_error;
    "lookup_error(name, /)" => lookup_error, "lookup_error(errors) -> handler\n\nReturn the error handler for the specified error handling name.";
    "_normalize_encoding(encoding)" => |_: &Vm, s: Ref<Str>| normalize(&s.to_string_lossy());

    "utf_8_encode(str, errors=None, /)" => codec!(encode Utf8);
    "utf_8_decode(data, errors=None, final=False, /)" => codec!(decode Utf8);
    "latin_1_encode(str, errors=None, /)" => codec!(encode Latin1);
    "latin_1_decode(data, errors=None, /)" => codec!(decode whole Latin1);
    "ascii_encode(str, errors=None, /)" => codec!(encode Ascii);
    "ascii_decode(data, errors=None, /)" => codec!(decode whole Ascii);
    "utf_16_encode(str, errors=None, byteorder=0, /)" => codec!(encode ordered Utf16Le Utf16Be Utf16);
    "utf_16_le_encode(str, errors=None, /)" => codec!(encode Utf16Le);
    "utf_16_be_encode(str, errors=None, /)" => codec!(encode Utf16Be);
    "utf_16_decode(data, errors=None, final=False, /)" => codec!(decode Utf16);
    "utf_16_le_decode(data, errors=None, final=False, /)" => codec!(decode Utf16Le);
    "utf_16_be_decode(data, errors=None, final=False, /)" => codec!(decode Utf16Be);
    "utf_16_ex_decode(data, errors=None, byteorder=0, final=False, /)" => |vm: &Vm, b: BytesLike, e: Errors, order: Option<i64>, last: Option<bool>| decoded_ex(vm, &b, e, order.unwrap_or(0), last.unwrap_or(false), false);
    "utf_32_encode(str, errors=None, byteorder=0, /)" => codec!(encode ordered Utf32Le Utf32Be Utf32);
    "utf_32_le_encode(str, errors=None, /)" => codec!(encode Utf32Le);
    "utf_32_be_encode(str, errors=None, /)" => codec!(encode Utf32Be);
    "utf_32_decode(data, errors=None, final=False, /)" => codec!(decode Utf32);
    "utf_32_le_decode(data, errors=None, final=False, /)" => codec!(decode Utf32Le);
    "utf_32_be_decode(data, errors=None, final=False, /)" => codec!(decode Utf32Be);
    "utf_32_ex_decode(data, errors=None, byteorder=0, final=False, /)" => |vm: &Vm, b: BytesLike, e: Errors, order: Option<i64>, last: Option<bool>| decoded_ex(vm, &b, e, order.unwrap_or(0), last.unwrap_or(false), true);

    "escape_encode(data, errors=None, /)" => |vm: &Vm, b: Value, _: Errors| -> R<Value> {
        let Some(b) = b.cast::<Bytes>() else {
            return Err(vm.type_error(format!("escape_encode() argument 1 must be bytes, not {}", vm.type_name(b))));
        };
        pair(vm, vm.bytes(&escapes::encode_bytes(vm, b.bytes())?)?, b.bytes().len())
    };
    "escape_decode(data, errors=None, /)" => escape_decode;
    "unicode_escape_encode(str, errors=None, /)" => |vm: &Vm, s: Ref<Str>, _: Errors| -> R<Value> { pair(vm, vm.bytes(&escapes::encode(vm, s)?)?, s.char_len()) };
    "raw_unicode_escape_encode(str, errors=None, /)" => |vm: &Vm, s: Ref<Str>, _: Errors| -> R<Value> { pair(vm, vm.bytes(&escapes::encode_raw(vm, s)?)?, s.char_len()) };
    "unicode_escape_decode(data, errors=None, final=True, /)" => |vm: &Vm, v: Value, e: Errors, last: Option<bool>| unescaped(vm, v, e, last, false);
    "raw_unicode_escape_decode(data, errors=None, final=True, /)" => |vm: &Vm, v: Value, e: Errors, last: Option<bool>| unescaped(vm, v, e, last, true);
    "charmap_build(map, /)" => charmap::build;
    "charmap_encode(str, errors=None, mapping=None, /)" => |vm: &Vm, s: Ref<Str>, e: Errors, m: Option<Value>| -> R<Value> { let e = name(vm, e)?; let b = charmap::encode(vm, s, e.as_deref(), m)?; pair(vm, vm.bytes(&b)?, s.char_len()) };
    "charmap_decode(data, errors=None, mapping=None, /)" => |vm: &Vm, b: BytesLike, e: Errors, m: Option<Value>| -> R<Value> { let e = name(vm, e)?; let s = charmap::decode(vm, &b, e.as_deref(), m)?; pair(vm, Str::new(vm, &s)?.value(), b.len()) };
    "readbuffer_encode(data, errors=None, /)" => readbuffer;
    "utf_7_encode(str, errors=None, /)" => |vm: &Vm, s: Ref<Str>, errors: Errors| -> R<Value> { name(vm, errors)?; pair(vm, vm.bytes(&utf7::encode(vm, s)?)?, s.char_len()) };
    "utf_7_decode(data, errors=None, final=False, /)" => |vm: &Vm, b: BytesLike, errors: Errors, last: Option<bool>| -> R<Value> {
        let (text, n) = utf7::decode(vm, &b, name(vm, errors)?.as_deref(), last.unwrap_or(false))?;
        pair(vm, Str::new(vm, &text)?.value(), n)
    };
}

fn register(vm: &Vm, f: Value) -> R<()> {
    if !vm.is_callable(f) {
        return Err(vm.type_error("argument must be callable"));
    }
    registry::register(vm, f);
    Ok(())
}

fn coded(vm: &Vm, v: Value, encoding: Option<Ref<Str>>, errors: Errors, decode: bool) -> R<Value> {
    let encoding = encoding.map_or("utf-8".into(), |e| e.to_string_lossy().into_owned());
    registry::apply(vm, v, &encoding, errors, decode)
}

fn register_error(vm: &Vm, name: Ref<Str>, f: Value) -> R<()> {
    if !vm.is_callable(f) {
        return Err(vm.type_error("handler must be callable"));
    }
    registry::register_error(vm, &name.to_string_lossy(), f);
    Ok(())
}

fn unregister_error(vm: &Vm, name: Ref<Str>) -> R<bool> {
    let name = name.to_string_lossy();
    if handlers::by_name(&name).is_some() {
        return Err(vm.value_error(format!("cannot un-register built-in error handler '{name}'")));
    }
    Ok(registry::unregister_error(vm, &name))
}

fn lookup_error(vm: &Vm, name: Ref<Str>) -> R<Value> {
    let name = name.to_string_lossy();
    if let Some(f) = registry::registered_error(vm, &name) {
        return Ok(f);
    }
    match handlers::by_name(&name) {
        // One function, whoever asks.
        Some(def) => {
            let f = NativeFunction::function(vm, def, vm.str("_codecs")?)?.value();
            registry::register_error(vm, &name, f);
            Ok(f)
        }
        None => Err(vm.lookup_error(format!("unknown error handler name '{name}'"))),
    }
}

/// Runs of anything but letters, digits and dots become one `_`.
fn normalize(name: &str) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(c.to_ascii_lowercase());
        } else {
            gap = true;
        }
    }
    out
}

fn escape_decode(vm: &Vm, data: Value, errors: Errors) -> R<Value> {
    let bytes = text_or_bytes(vm, data)?;
    let errors = name(vm, errors)?;
    let out = escapes::decode_bytes(vm, &bytes, errors.as_deref())?;
    pair(vm, vm.bytes(&out)?, bytes.len())
}

/// Text is taken as UTF-8.
fn text_or_bytes(vm: &Vm, v: Value) -> R<Vec<u8>> {
    match v.cast::<Str>() {
        Some(s) => encode_with(vm, s, Codec::Utf8, None),
        None => BytesLike::new(vm, v)?.into_vec(vm),
    }
}

fn unescaped(vm: &Vm, data: Value, errors: Errors, last: Option<bool>, raw: bool) -> R<Value> {
    let bytes = text_or_bytes(vm, data)?;
    let errors = name(vm, errors)?;
    let mut d = escapes::Decoder {
        vm,
        bytes: (&bytes).into(),
        errors: errors.as_deref(),
        last: last.unwrap_or(true),
        raw,
        wrong: None,
    };
    let (text, n) = d.run()?;
    // A handler may have put other bytes in the place of these, which all count nevertheless.
    let n = if last.unwrap_or(true) { bytes.len() } else { n };
    pair(vm, Str::new(vm, &text)?.value(), n)
}

fn readbuffer(vm: &Vm, v: Value, _: Errors) -> R<Value> {
    let bytes = text_or_bytes(vm, v)?;
    pair(vm, vm.bytes(&bytes)?, bytes.len())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_codecs", FUNCTIONS)
}
