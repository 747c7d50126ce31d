//! Text to bytes and back, for the encodings that files mostly have; others go by `bytes.decode`.

use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{Args, R, Ref, Vm};

/// An encoding that is done here.
#[derive(Clone, Copy, PartialEq)]
pub enum Known {
    Utf8,
    Latin1,
    Ascii,
}

/// The encoding of this name.
pub fn known(name: &str) -> Option<Known> {
    match name.to_ascii_lowercase().replace(['-', '_', ' '], "").as_str() {
        "utf8" | "u8" | "cp65001" => Some(Known::Utf8),
        "latin1" | "iso88591" | "l1" | "latin" => Some(Known::Latin1),
        "ascii" | "usascii" | "646" => Some(Known::Ascii),
        _ => None,
    }
}

/// Decodes bytes to WTF-8. UnicodeDecodeError.
pub fn decode(vm: &Vm, bytes: &[u8], encoding: &str, errors: &str) -> R<Vec<u8>> {
    match known(encoding) {
        Some(Known::Latin1) => {
            Ok(bytes.iter().flat_map(|&b| char::from(b).to_string().into_bytes()).collect())
        }
        Some(Known::Utf8) if std::str::from_utf8(bytes).is_ok() => Ok(bytes.to_vec()),
        Some(Known::Ascii) if bytes.is_ascii() => Ok(bytes.to_vec()),
        Some(k) => decode_slow(vm, bytes, k, errors),
        None => {
            let b = vm.bytes(bytes)?;
            let s = vm.call_method(b, "decode", &[vm.str(encoding)?, vm.str(errors)?])?;
            match s.cast::<Str>() {
                Some(s) => Ok(s.bytes().to_vec()),
                None => Err(vm.type_error("decoder should return a string result")),
            }
        }
    }
}

/// Length of the wrong bytes at the start, and what is wrong.
fn wrong(rest: &[u8], k: Known) -> (usize, &'static str) {
    if k == Known::Ascii {
        return (1, "ordinal not in range(128)");
    }
    match std::str::from_utf8(rest) {
        Ok(_) => (1, "invalid start byte"),
        Err(e) => match e.error_len() {
            None => (rest.len(), "unexpected end of data"),
            Some(_) if !matches!(rest[0], 0xc2..=0xf4) => (1, "invalid start byte"),
            Some(n) => (n, "invalid continuation byte"),
        },
    }
}

fn decode_slow(vm: &Vm, bytes: &[u8], k: Known, errors: &str) -> R<Vec<u8>> {
    let mut out = vm.buffer(bytes.len())?;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let good = match k {
            Known::Utf8 => std::str::from_utf8(rest).map_or_else(|e| e.valid_up_to(), str::len),
            _ => rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len()),
        };
        out.extend_from_slice(&rest[..good]);
        at += good;
        if at == bytes.len() {
            break;
        }
        let (n, reason) = wrong(&bytes[at..], k);
        match errors {
            "ignore" => {}
            "replace" => push_code_point(&mut out, 0xfffd),
            "surrogateescape" => {
                bytes[at..at + n].iter().for_each(|&b| push_code_point(&mut out, 0xdc00 + u32::from(b)))
            }
            "backslashreplace" => {
                bytes[at..at + n]
                    .iter()
                    .for_each(|b| out.extend_from_slice(format!("\\x{b:02x}").as_bytes()));
            }
            _ => {
                let name = vm.str(if k == Known::Utf8 { "utf-8" } else { "ascii" })?;
                let (object, reason) = (vm.bytes(bytes)?, vm.str(reason)?);
                let row = [name, object, vm.int(at as i64)?, vm.int((at + n) as i64)?, reason];
                let e = vm.construct(vm.exc.unicode_decode_error, Args::new(&row, None))?;
                return Err(vm.raise(e));
            }
        }
        at += n;
    }
    Ok(out)
}

/// Encodes a string. UnicodeEncodeError.
pub fn encode(vm: &Vm, s: Ref<Str>, encoding: &str, errors: &str) -> R<Vec<u8>> {
    let k = match known(encoding) {
        Some(Known::Utf8) if s.to_str().is_some() => return Ok(s.bytes().to_vec()),
        Some(_) if s.is_ascii() => return Ok(s.bytes().to_vec()),
        Some(k) => k,
        None => {
            let b = vm.call_method(s.value(), "encode", &[vm.str(encoding)?, vm.str(errors)?])?;
            return match b.cast::<Bytes>() {
                Some(b) => Ok(b.bytes().to_vec()),
                None => Err(vm.type_error("encoder should return a bytes object")),
            };
        }
    };
    let mut out = Vec::new();
    for (i, c) in s.code_points().enumerate() {
        match (k, c) {
            (Known::Utf8, 0xd800..0xe000) | (Known::Ascii, 0x80..) | (Known::Latin1, 0x100..) => {}
            (Known::Utf8, c) => {
                push_code_point(&mut out, c);
                continue;
            }
            (_, c) => {
                out.push(c as u8);
                continue;
            }
        }
        match errors {
            "ignore" => {}
            "replace" => out.push(b'?'),
            "surrogateescape" if (0xdc80..0xdd00).contains(&c) => out.push((c - 0xdc00) as u8),
            "backslashreplace" => {
                let text = match c {
                    0..0x100 => format!("\\x{c:02x}"),
                    0x100..0x10000 => format!("\\u{c:04x}"),
                    _ => format!("\\U{c:08x}"),
                };
                out.extend_from_slice(text.as_bytes());
            }
            _ => {
                let (name, reason) = match k {
                    Known::Utf8 => ("utf-8", "surrogates not allowed"),
                    Known::Latin1 => ("latin-1", "ordinal not in range(256)"),
                    Known::Ascii => ("ascii", "ordinal not in range(128)"),
                };
                let (name, reason) = (vm.str(name)?, vm.str(reason)?);
                let row = [name, s.value(), vm.int(i as i64)?, vm.int(i as i64 + 1)?, reason];
                let e = vm.construct(vm.exc.unicode_encode_error, Args::new(&row, None))?;
                return Err(vm.raise(e));
            }
        }
    }
    Ok(out)
}
