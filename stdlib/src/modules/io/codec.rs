//! Text to bytes and back. UTF-8, Latin-1 and ASCII are done in place, others by the registered codecs.

use skein_builtins::types::codecs::{Codec, decode_with, encode_with};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Ref, Vm};

/// An encoding that needs no state but the bytes of a character that is not whole.
pub fn known(name: &str) -> Option<Codec> {
    Codec::by_name(name).filter(|c| matches!(c, Codec::Utf8 | Codec::Latin1 | Codec::Ascii))
}

/// Decodes bytes to WTF-8. UnicodeDecodeError.
pub fn decode(vm: &Vm, bytes: &[u8], encoding: &str, errors: &str) -> R<Vec<u8>> {
    match known(encoding) {
        Some(codec) => decode_known(vm, bytes, codec, errors),
        None => {
            let b = vm.bytes(bytes)?;
            let s = vm.call_method(b, "decode", &[vm.str(encoding)?, vm.str(errors)?])?;
            match s.cast::<Str>() {
                Some(s) => vm.copied(s.bytes()),
                None => Err(vm.type_error("decoder should return a string result")),
            }
        }
    }
}

/// As [`decode`] in a known encoding.
pub fn decode_known(vm: &Vm, bytes: &[u8], codec: Codec, errors: &str) -> R<Vec<u8>> {
    match codec {
        Codec::Utf8 if std::str::from_utf8(bytes).is_ok() => vm.copied(bytes),
        Codec::Ascii | Codec::Latin1 if bytes.is_ascii() => vm.copied(bytes),
        codec => vm.copied(decode_with(vm, bytes, codec, Some(errors))?.bytes()),
    }
}

/// Encodes a string. UnicodeEncodeError.
pub fn encode(vm: &Vm, s: Ref<Str>, encoding: &str, errors: &str) -> R<Vec<u8>> {
    match known(encoding) {
        Some(codec) => encode_known(vm, s, codec, errors),
        None => {
            let b = vm.call_method(s.value(), "encode", &[vm.str(encoding)?, vm.str(errors)?])?;
            match b.cast::<Bytes>() {
                Some(b) => vm.copied(b.bytes()),
                None => Err(vm.type_error("encoder should return a bytes object")),
            }
        }
    }
}

/// As [`encode`] in a known encoding.
pub fn encode_known(vm: &Vm, s: Ref<Str>, codec: Codec, errors: &str) -> R<Vec<u8>> {
    if s.is_ascii() { vm.copied(s.bytes()) } else { encode_with(vm, s, codec, Some(errors)) }
}

/// Bytes at the end that begin a character of UTF-8 and are not all of it.
pub fn incomplete_end(bytes: &[u8]) -> usize {
    for n in 1..=bytes.len().min(3) {
        let lead = bytes[bytes.len() - n];
        if matches!(lead, 0x80..=0xbf) {
            continue;
        }
        let (whole, second) = match lead {
            0xc2..=0xdf => (2, 0x80..=0xbf),
            0xe0 => (3, 0xa0..=0xbf),
            0xed => (3, 0x80..=0x9f),
            0xe1..=0xef => (3, 0x80..=0xbf),
            0xf0 => (4, 0x90..=0xbf),
            0xf1..=0xf3 => (4, 0x80..=0xbf),
            0xf4 => (4, 0x80..=0x8f),
            _ => return 0,
        };
        let good = n == 1 || second.contains(&bytes[bytes.len() - n + 1]);
        return if n < whole && good { n } else { 0 };
    }
    0
}
