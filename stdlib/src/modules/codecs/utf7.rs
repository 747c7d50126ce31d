//! UTF-7 (RFC 2152): text in ASCII, other characters as UTF-16 in a kind of base 64 between `+` and `-`.

use skein_builtins::types::codecs::{Handler, Undecodable};
use skein_runtime::object::Ref;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Vm};
use std::borrow::Cow;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn digit(b: u8) -> Option<u32> {
    DIGITS.iter().position(|d| *d == b).map(|i| i as u32)
}

/// Bytes that one character or byte comes to, at most.
const LONGEST: usize = 16;

/// Characters that stand for themselves.
fn is_direct(c: u32) -> bool {
    let Some(b) = u8::try_from(c).ok().filter(u8::is_ascii) else { return false };
    b.is_ascii_alphanumeric() || b"'(),-./:?!\"#$%&*;<=>@[]^_`{|} \t\n\r".contains(&b)
}

/// A row of bits that goes out by sixes or comes in by sixteens.
#[derive(Default)]
struct Bits {
    word: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, n: u32, bits: u32) {
        self.word = self.word << bits | n;
        self.count += bits;
    }
    fn take(&mut self, bits: u32) -> u32 {
        self.count -= bits;
        let n = self.word >> self.count;
        self.word &= (1 << self.count) - 1;
        n
    }
}

/// MemoryError.
pub fn encode(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    let mut out = Vec::new();
    let mut shifted = false;
    let mut bits = Bits::default();
    let finish = |bits: &mut Bits, out: &mut Vec<u8>| {
        if bits.count > 0 {
            let pad = 6 - bits.count;
            out.push(DIGITS[(bits.take(bits.count) << pad) as usize]);
        }
    };
    for c in s.code_points() {
        vm.grow(&mut out, LONGEST)?;
        if is_direct(c) {
            if std::mem::take(&mut shifted) {
                finish(&mut bits, &mut out);
                if digit(c as u8).is_some() || c == u32::from(b'-') {
                    out.push(b'-');
                }
            }
            out.push(c as u8);
            continue;
        }
        if !shifted {
            out.push(b'+');
            if c == u32::from(b'+') {
                out.push(b'-');
                continue;
            }
            shifted = true;
        }
        let mut unit = |unit: u32| {
            bits.push(unit, 16);
            while bits.count >= 6 {
                out.push(DIGITS[bits.take(6) as usize]);
            }
        };
        if c > 0xffff {
            unit(0xd800 + ((c - 0x1_0000) >> 10));
            unit(0xdc00 + ((c - 0x1_0000) & 0x3ff));
        } else {
            unit(c);
        }
    }
    vm.grow(&mut out, LONGEST)?;
    finish(&mut bits, &mut out);
    if shifted {
        out.push(b'-');
    }
    Ok(out)
}

/// The text, and how many bytes it stands for. UnicodeDecodeError.
pub fn decode(vm: &Vm, bytes: &[u8], errors: Handler<'_>, last: bool) -> R<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut bytes = Cow::Borrowed(bytes);
    let fail = |bytes: &mut Cow<'_, [u8]>, start: usize, end: usize, reason: &str, out: &mut Vec<u8>| {
        let bad = Undecodable { bytes, start, end, encoding: "utf7", reason };
        let (at, other) = bad.replacement(vm, errors, out)?;
        if let Some(other) = other {
            *bytes = Cow::Owned(other);
        }
        R::Ok(at)
    };
    while let Some(&b) = bytes.get(at) {
        vm.grow(&mut out, LONGEST)?;
        match b {
            b'+' => {}
            0x80.. => {
                at = fail(&mut bytes, at, at + 1, "unexpected special character", &mut out)?;
                continue;
            }
            b => {
                out.push(b);
                at += 1;
                continue;
            }
        }
        // A shift: to the first byte that is no digit.
        let start = at;
        match bytes.get(at + 1) {
            None => {
                at = if last { at + 1 } else { at };
                break;
            }
            Some(b'-') => {
                out.push(b'+');
                at += 2;
                continue;
            }
            Some(&b) if digit(b).is_none() => {
                at = fail(&mut bytes, start, at + 2, "ill-formed sequence", &mut out)?;
                continue;
            }
            Some(_) => at += 1,
        }
        let (mut bits, mut high, before) = (Bits::default(), None::<u32>, out.len());
        while let Some(d) = bytes.get(at).and_then(|b| digit(*b)) {
            at += 1;
            bits.push(d, 6);
            if bits.count < 16 {
                continue;
            }
            let unit = bits.take(16);
            vm.grow(&mut out, LONGEST)?;
            match (high.take(), unit) {
                (Some(h), 0xdc00..0xe000) => {
                    let c: u32 = 0x1_0000 + ((h - 0xd800) << 10) + (unit - 0xdc00);
                    push_code_point(&mut out, c);
                    continue;
                }
                (Some(h), _) => push_code_point(&mut out, h),
                (None, _) => {}
            }
            match unit {
                0xd800..0xdc00 => high = Some(unit),
                _ => push_code_point(&mut out, unit),
            }
        }
        let Some(&end) = bytes.get(at) else {
            if !last {
                // What is begun comes again with the rest.
                out.truncate(before);
                return Ok((out, start));
            }
            if high.is_some() || bits.count >= 6 || bits.word != 0 {
                at = fail(&mut bytes, start, at, "unterminated shift sequence", &mut out)?;
            }
            continue;
        };
        if bits.count >= 6 || bits.word != 0 {
            let reason = match bits.count {
                6.. => "partial character in shift sequence",
                _ => "non-zero padding bits in shift sequence",
            };
            at = fail(&mut bytes, start, at + 1, reason, &mut out)?;
            continue;
        }
        if let Some(h) = high {
            push_code_point(&mut out, h);
        }
        if end == b'-' {
            at += 1;
        }
    }
    Ok((out, at))
}
