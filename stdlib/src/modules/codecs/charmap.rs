//! Encodings of one byte a character, by a table or a mapping.

use skein_builtins::types::codecs::{Handler, Replacement, Undecodable, Unencodable};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Value, Vm};
use std::borrow::Cow;

/// In a decoding table: no character.
const UNDEFINED: u32 = 0xfffe;

/// `charmap_decode`. UnicodeDecodeError, TypeError.
pub fn decode(vm: &Vm, bytes: &[u8], errors: Handler<'_>, mapping: Option<Value>) -> R<Vec<u8>> {
    let mut out = vm.buffer(bytes.len())?;
    let Some(mapping) = mapping.filter(|m| !m.is_none()) else {
        bytes.iter().for_each(|&b| push_code_point(&mut out, b.into()));
        return Ok(out);
    };
    let table: Option<Vec<u32>> = mapping.cast::<Str>().map(|s| s.code_points().collect());
    let mut at = 0;
    let mut bytes = Cow::Borrowed(bytes);
    while let Some(&b) = bytes.get(at) {
        let known = match &table {
            Some(t) => match t.get(usize::from(b)) {
                Some(&c) if c != UNDEFINED => {
                    push_code_point(&mut out, c);
                    true
                }
                _ => false,
            },
            None => decode_by_mapping(vm, mapping, b, &mut out)?,
        };
        if known {
            at += 1;
            continue;
        }
        let reason = "character maps to <undefined>";
        let bad = Undecodable { bytes: &bytes, start: at, end: at + 1, encoding: "charmap", reason };
        let (next, other) = bad.replacement(vm, errors, &mut out)?;
        at = next;
        if let Some(other) = other {
            bytes = Cow::Owned(other);
        }
    }
    Ok(out)
}

fn decode_by_mapping(vm: &Vm, mapping: Value, b: u8, out: &mut Vec<u8>) -> R<bool> {
    let found = vm.get_item(mapping, Value::small_int(b.into()));
    let Some(v) = vm.absorb(found, vm.exc.lookup_error)?.filter(|v| !v.is_none()) else { return Ok(false) };
    if let Some(s) = v.cast::<Str>() {
        if s.code_points().eq([UNDEFINED]) {
            return Ok(false);
        }
        out.extend_from_slice(s.bytes());
        return Ok(true);
    }
    match vm.as_i64(v) {
        Some(c) if c == i64::from(UNDEFINED) => Ok(false),
        Some(c @ 0..0x11_0000) => {
            push_code_point(out, c as u32);
            Ok(true)
        }
        Some(_) => Err(vm.type_error("character mapping must be in range(0x110000)")),
        None => Err(vm.type_error("character mapping must return integer, None or str")),
    }
}

/// `charmap_encode`. UnicodeEncodeError, TypeError.
pub fn encode(vm: &Vm, s: Ref<Str>, errors: Handler<'_>, mapping: Option<Value>) -> R<Vec<u8>> {
    let mut points: Vec<u32> = vm.buffer(s.char_len())?;
    points.extend(s.code_points());
    let mapping = mapping.filter(|m| !m.is_none());
    let mut out = vm.buffer(points.len())?;
    let mut at = 0;
    while at < points.len() {
        if encode_one(vm, mapping, points[at], &mut out)? {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        while at < points.len() && !encode_one(vm, mapping, points[at], &mut Vec::new())? {
            at += 1;
        }
        let (encoding, reason) = match mapping {
            Some(_) => ("charmap", "character maps to <undefined>"),
            None => ("latin-1", "ordinal not in range(256)"),
        };
        let bad = Unencodable { object: s, points: &points, start, end: at, encoding, reason };
        let (replacement, next) = bad.replacement(vm, errors, true)?;
        match replacement {
            Replacement::Bytes(b) => out.extend_from_slice(&b),
            Replacement::Text(text) => {
                for c in text {
                    if !encode_one(vm, mapping, c, &mut out)? {
                        return Err(bad.failure(vm));
                    }
                }
            }
        }
        at = next;
    }
    Ok(out)
}

/// Appends the bytes of a character; false: it has none.
fn encode_one(vm: &Vm, mapping: Option<Value>, c: u32, out: &mut Vec<u8>) -> R<bool> {
    let Some(mapping) = mapping else {
        if c < 256 {
            out.push(c as u8);
        }
        return Ok(c < 256);
    };
    let found = vm.get_item(mapping, Value::small_int(c.into()));
    let Some(v) = vm.absorb(found, vm.exc.lookup_error)?.filter(|v| !v.is_none()) else { return Ok(false) };
    if let Some(b) = v.cast::<Bytes>() {
        out.extend_from_slice(b.bytes());
        return Ok(true);
    }
    match vm.as_i64(v) {
        Some(b @ 0..256) => {
            out.push(b as u8);
            Ok(true)
        }
        Some(_) => Err(vm.type_error("character mapping must be in range(256)")),
        None => {
            let got = vm.type_name(v);
            Err(vm.type_error(format!("character mapping must return integer, bytes or None, not {got}")))
        }
    }
}

/// `charmap_build`: from a decoding table the mapping for encoding. MemoryError.
pub fn build(vm: &Vm, table: Ref<Str>) -> R<Ref<Dict>> {
    let map = Dict::new(vm)?;
    for (i, c) in table.code_points().enumerate() {
        if c != UNDEFINED {
            map.set(vm, Value::small_int(c.into()), Value::small_int(i as i64))?;
        }
    }
    Ok(map)
}
