//! `unicode_escape`, `raw_unicode_escape` and the escapes of bytes.

use skein_builtins::types::codecs::{Handler, Undecodable, backslashed};
use skein_runtime::object::Ref;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Vm};
use std::borrow::Cow;

/// Bytes that one character or byte comes to, at most.
const LONGEST: usize = 10;

/// `unicode_escape`: ASCII.
/// MemoryError.
pub fn encode(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    let mut out = Vec::new();
    for c in s.code_points() {
        vm.grow(&mut out, LONGEST)?;
        match c {
            0x5c => out.extend_from_slice(b"\\\\"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x20..0x7f => out.push(c as u8),
            _ => out.extend_from_slice(backslashed(c).as_bytes()),
        }
    }
    Ok(out)
}

/// `raw_unicode_escape`: Latin-1, others as escapes.
/// MemoryError.
pub fn encode_raw(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    let mut out = Vec::new();
    for c in s.code_points() {
        vm.grow(&mut out, LONGEST)?;
        match c {
            0..0x100 => out.push(c as u8),
            _ => out.extend_from_slice(backslashed(c).as_bytes()),
        }
    }
    Ok(out)
}

fn hex(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |n, &b| Some(n << 4 | char::from(b).to_digit(16)?))
}

/// Where decoding of `unicode_escape` (or the raw form) stands.
pub struct Decoder<'a> {
    pub vm: &'a Vm,
    pub bytes: Cow<'a, [u8]>,
    pub errors: Handler<'a>,
    /// Nothing follows these bytes.
    pub last: bool,
    pub raw: bool,
    pub wrong: Option<WrongEscape>,
}

impl Decoder<'_> {
    /// The text and how many bytes it stands for. UnicodeDecodeError.
    pub fn run(&mut self) -> R<(Vec<u8>, usize)> {
        let mut out = self.vm.buffer(self.bytes.len())?;
        let mut at = 0;
        while let Some(&b) = self.bytes.get(at) {
            self.vm.grow(&mut out, LONGEST)?;
            if b != b'\\' {
                push_code_point(&mut out, b.into());
                at += 1;
                continue;
            }
            match self.escape(at, &mut out)? {
                Some(next) => at = next,
                None => break,
            }
        }
        if let Some(wrong) = self.wrong.take() {
            wrong.warn(self.vm, "")?;
        }
        Ok((out, at))
    }

    /// One escape: where the text goes on; None: it is not whole yet.
    fn escape(&mut self, at: usize, out: &mut Vec<u8>) -> R<Option<usize>> {
        let Some(&kind) = self.bytes.get(at + 1) else {
            if !self.last {
                return Ok(None);
            }
            if self.raw {
                out.push(b'\\');
                return Ok(Some(at + 1));
            }
            return self.error(at, at + 1, "\\ at end of string", out);
        };
        let digits = match kind {
            b'u' => 4,
            b'U' => 8,
            b'x' if !self.raw => 2,
            _ if self.raw => {
                out.push(b'\\');
                push_code_point(out, kind.into());
                return Ok(Some(at + 2));
            }
            _ => return self.simple(at, kind, out),
        };
        let rest = &self.bytes[at + 2..];
        let good = rest.iter().take(digits).take_while(|b| b.is_ascii_hexdigit()).count();
        if good < digits {
            if !self.last && at + 2 + good == self.bytes.len() {
                return Ok(None);
            }
            let reason = match kind {
                b'x' => "truncated \\xXX escape",
                b'u' => "truncated \\uXXXX escape",
                _ => "truncated \\UXXXXXXXX escape",
            };
            return self.error(at, at + 2 + good, reason, out);
        }
        match hex(&rest[..digits]).filter(|&c| c < 0x11_0000) {
            Some(c) => push_code_point(out, c),
            None => {
                let reason = if self.raw { "\\Uxxxxxxxx out of range" } else { "illegal Unicode character" };
                return self.error(at, at + 2 + digits, reason, out);
            }
        }
        Ok(Some(at + 2 + digits))
    }

    fn simple(&mut self, at: usize, kind: u8, out: &mut Vec<u8>) -> R<Option<usize>> {
        let plain = match kind {
            b'\n' => return Ok(Some(at + 2)),
            b'\\' | b'\'' | b'"' => kind,
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let n = self.bytes[at + 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let c = self.bytes[at + 1..at + 1 + n].iter().fold(0, |c, b| c << 3 | u32::from(b - b'0'));
                if c > 0xff {
                    self.wrong.get_or_insert(WrongEscape::Octal(c));
                }
                push_code_point(out, c);
                return Ok(Some(at + 1 + n));
            }
            b'N' => return self.named(at, out),
            _ => {
                self.wrong.get_or_insert(WrongEscape::Letter(kind));
                out.push(b'\\');
                push_code_point(out, kind.into());
                return Ok(Some(at + 2));
            }
        };
        out.push(plain);
        Ok(Some(at + 2))
    }

    /// `\N{name}`
    fn named(&mut self, at: usize, out: &mut Vec<u8>) -> R<Option<usize>> {
        let rest = &self.bytes[at + 2..];
        let end = rest.iter().position(|&b| b == b'}');
        match (rest.first(), end) {
            (Some(b'{'), Some(end)) => {
                let name = std::str::from_utf8(&rest[1..end]).unwrap_or_default();
                match super::super::unicodedata::by_name(name) {
                    Some(c) => {
                        push_code_point(out, c.into());
                        Ok(Some(at + 3 + end))
                    }
                    None => self.error(at, at + 3 + end, "unknown Unicode character name", out),
                }
            }
            (None | Some(b'{'), None) if !self.last => Ok(None),
            _ => self.error(at, (at + 2 + rest.len()).min(at + 3), "malformed \\N character escape", out),
        }
    }

    fn error(&mut self, start: usize, end: usize, reason: &str, out: &mut Vec<u8>) -> R<Option<usize>> {
        let encoding = if self.raw { "rawunicodeescape" } else { "unicodeescape" };
        let bad = Undecodable { bytes: &self.bytes, start, end, encoding, reason };
        let (at, other) = bad.replacement(self.vm, self.errors, out)?;
        if let Some(other) = other {
            self.bytes = Cow::Owned(other);
        }
        Ok(Some(at))
    }
}

/// An escape that stands for nothing, of which only the first is told.
pub enum WrongEscape {
    Letter(u8),
    /// More than a byte holds.
    Octal(u32),
}

impl WrongEscape {
    fn warn(self, vm: &Vm, prefix: &str) -> R<()> {
        let what = match self {
            WrongEscape::Letter(b) => {
                format!("{prefix}\"\\{}\" is an invalid escape sequence", char::from(b))
            }
            WrongEscape::Octal(c) => format!("{prefix}\"\\{c:o}\" is an invalid octal escape sequence"),
        };
        let text = format!("{what}. Such sequences will not work in the future. ");
        vm.warn(vm.exc.deprecation_warning, &text)
    }
}

/// `escape_decode`: bytes with the escapes of byte literals. ValueError.
pub fn decode_bytes(vm: &Vm, bytes: &[u8], errors: Handler<'_>) -> R<Vec<u8>> {
    let mut out = vm.buffer(bytes.len())?;
    let mut wrong = None;
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        at += 1;
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let Some(&kind) = bytes.get(at) else {
            return Err(vm.value_error("Trailing \\ in string"));
        };
        at += 1;
        match kind {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(kind),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let n = bytes[at - 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let c = bytes[at - 1..at - 1 + n].iter().fold(0u32, |c, b| c << 3 | u32::from(b - b'0'));
                if c > 0xff {
                    wrong.get_or_insert(WrongEscape::Octal(c));
                }
                out.push(c as u8);
                at += n - 1;
            }
            b'x' => match bytes.get(at..at + 2).and_then(hex) {
                Some(c) => {
                    out.push(c as u8);
                    at += 2;
                }
                None => {
                    match errors.unwrap_or("strict") {
                        "strict" => {
                            let place = at - 2;
                            return Err(vm.value_error(format!("invalid \\x escape at position {place}")));
                        }
                        "replace" => out.push(b'?'),
                        "ignore" => {}
                        other => {
                            return Err(vm.value_error(format!(
                                "decoding error; unknown error handling code: {other}"
                            )));
                        }
                    }
                    at += bytes[at..].iter().take(1).take_while(|b| b.is_ascii_hexdigit()).count();
                }
            },
            _ => {
                wrong.get_or_insert(WrongEscape::Letter(kind));
                out.extend_from_slice(&[b'\\', kind]);
            }
        }
    }
    if let Some(wrong) = wrong {
        wrong.warn(vm, "b")?;
    }
    Ok(out)
}

/// `escape_encode`: as the text between the quotes of a literal.
/// MemoryError.
pub fn encode_bytes(vm: &Vm, bytes: &[u8]) -> R<Vec<u8>> {
    let mut out = Vec::new();
    for &b in bytes {
        vm.grow(&mut out, LONGEST)?;
        match b {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' | b'\'' => out.extend_from_slice(&[b'\\', b]),
            32..127 => out.push(b),
            _ => out.extend_from_slice(format!("\\x{b:02x}").as_bytes()),
        }
    }
    Ok(out)
}
