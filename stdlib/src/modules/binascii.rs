//! `binascii`: bytes as text and back, and check sums.

use super::support::{self, AsciiOrBytes, BytesLike, add_exception};
use skein_builtins::types::LOOK;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Raised, Value, Vm, native_functions};

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "binascii.Error", message)
}

native_functions! { FUNCTIONS:
    "hexlify(data, sep=<unrepresentable>, bytes_per_sep=1)" => hexlify, "Hexadecimal representation of binary data.";
    "b2a_hex(data, sep=<unrepresentable>, bytes_per_sep=1)" => hexlify, "Hexadecimal representation of binary data.";
    "unhexlify(hexstr, /)" => unhexlify, "Binary data of hexadecimal representation.";
    "a2b_hex(hexstr, /)" => unhexlify, "Binary data of hexadecimal representation.";
    "b2a_base64(data, /, *, newline=True)" => b2a_base64, "Base64-code line of data.";
    "a2b_base64(data, /, *, strict_mode=False)" => a2b_base64, "Decode a line of base64 data.";
    "b2a_uu(data, /, *, backtick=False)" => b2a_uu, "Uuencode line of data.";
    "a2b_uu(data, /)" => a2b_uu, "Decode a line of uuencoded data.";
    "b2a_qp(data, quotetabs=False, istext=True, header=False)" => b2a_qp, "Encode a string using quoted-printable encoding.";
    "a2b_qp(data, header=False)" => a2b_qp, "Decode a string of qp-encoded data.";
    "crc32(data, crc=0, /)" => crc32, "Compute CRC-32 incrementally.";
    "crc_hqx(data, crc, /)" => crc_hqx, "Compute CRC-CCITT incrementally.";
}

fn hexlify(vm: &Vm, data: BytesLike, sep: Option<Value>, group: Option<i64>) -> R<Value> {
    let sep = match sep {
        None => None,
        Some(v) => {
            let bytes = match v.cast::<Str>() {
                Some(s) if s.is_ascii() => vm.copied(s.bytes())?,
                Some(_) => return Err(vm.value_error("sep must be ASCII.")),
                None => BytesLike::new(vm, v)?.into_vec(vm)?,
            };
            match bytes[..] {
                [b] if b < 0x80 => Some(b),
                [_] => return Err(vm.value_error("sep must be ASCII.")),
                _ => return Err(vm.value_error("sep must be length 1.")),
            }
        }
    };
    const DIGITS: &[u8] = b"0123456789abcdef";
    let group = group.unwrap_or(1);
    let size = group.unsigned_abs() as usize;
    let mut out = vm.buffer(data.len() * 3)?;
    for (i, &b) in data.iter().enumerate() {
        // Groups are counted from the right, or from the left if the number is negative.
        let before = if group > 0 { data.len() - i } else { i };
        if let Some(s) = sep
            && i > 0
            && size > 0
            && before % size == 0
        {
            out.push(s);
        }
        out.extend_from_slice(&[DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
    }
    vm.bytes(&out)
}

fn unhexlify(vm: &Vm, text: AsciiOrBytes) -> R<Value> {
    let text = &text.0;
    if !text.len().is_multiple_of(2) {
        return Err(error(vm, "Odd-length string"));
    }
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let mut out = vm.buffer(text.len() / 2)?;
    for pair in text.chunks_exact(2) {
        match (digit(pair[0]), digit(pair[1])) {
            (Some(a), Some(b)) => out.push(a << 4 | b),
            _ => return Err(error(vm, "Non-hexadecimal digit found")),
        }
    }
    vm.bytes(&out)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn b2a_base64(vm: &Vm, data: BytesLike, newline: Option<bool>) -> R<Value> {
    let mut out = vm.buffer(data.len() / 3 * 4 + 5)?;
    for (n, chunk) in data.chunks(3).enumerate() {
        if n & LOOK == LOOK {
            vm.check_signals()?;
        }
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { digit } else { b'=' });
        }
    }
    if newline.unwrap_or(true) {
        out.push(b'\n');
    }
    vm.bytes(&out)
}

fn base64_value(b: u8) -> Option<u8> {
    Some(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn a2b_base64(vm: &Vm, data: AsciiOrBytes, strict: Option<bool>) -> R<Value> {
    let (data, strict) = (&data.0, strict.unwrap_or(false));
    let mut out = vm.buffer(data.len() / 4 * 3 + 3)?;
    let (mut quad, mut carry, mut pads) = (0, 0u8, 0);
    let mut padding_started = false;
    if strict && data.first() == Some(&b'=') {
        return Err(error(vm, "Leading padding not allowed"));
    }
    for &b in data.iter() {
        if b == b'=' {
            padding_started = true;
            pads += 1;
            if strict && (quad == 0 || quad + pads > 4) {
                return Err(error(vm, "Excess padding not allowed"));
            }
            continue;
        }
        let Some(v) = base64_value(b) else {
            if strict {
                return Err(error(vm, "Only base64 data is allowed"));
            }
            continue;
        };
        if strict && padding_started {
            let whole = quad + pads == 4;
            let text = if whole { "Excess data after padding" } else { "Discontinuous padding not allowed" };
            return Err(error(vm, text));
        }
        pads = 0;
        match quad {
            0 => carry = v,
            1 => {
                out.push(carry << 2 | v >> 4);
                carry = v & 15;
            }
            2 => {
                out.push(carry << 4 | v >> 2);
                carry = v & 3;
            }
            _ => out.push(carry << 6 | v),
        }
        quad = (quad + 1) % 4;
    }
    if quad == 1 || quad != 0 && quad + pads < 4 {
        if quad == 1 {
            let n = out.len() / 3 * 4 + 1;
            return Err(error(
                vm,
                format!(
                    "Invalid base64-encoded string: number of data characters ({n}) cannot be 1 more than a multiple of 4"
                ),
            ));
        }
        return Err(error(vm, "Incorrect padding"));
    }
    vm.bytes(&out)
}

fn b2a_uu(vm: &Vm, data: BytesLike, backtick: Option<bool>) -> R<Value> {
    if data.len() > 45 {
        return Err(error(vm, "At most 45 bytes at once"));
    }
    let zero = if backtick.unwrap_or(false) { b'`' } else { b' ' };
    let digit = |n: u32| if n & 63 == 0 { zero } else { (n & 63) as u8 + 32 };
    let mut out = vec![digit(data.len() as u32)];
    for chunk in data.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        out.extend((0..4).map(|i| digit(bits >> (18 - 6 * i))));
    }
    out.push(b'\n');
    vm.bytes(&out)
}

fn a2b_uu(vm: &Vm, data: AsciiOrBytes) -> R<Value> {
    let data = &data.0;
    let Some(&first) = data.first() else { return Err(error(vm, "Missing length byte")) };
    let len = usize::from(first.wrapping_sub(32) & 63);
    let mut out = vm.buffer(len + 3)?;
    let mut at = 1;
    let mut next = || -> R<u32> {
        let b = data.get(at).copied().unwrap_or(b' ');
        at += 1;
        match b {
            // Trailing spaces are often lost.
            b'\n' | b'\r' => Ok(0),
            32..=96 => Ok(u32::from(b - 32) & 63),
            _ => Err(error(vm, "Illegal char")),
        }
    };
    while out.len() < len {
        let bits = next()? << 18 | next()? << 12 | next()? << 6 | next()?;
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate(len);
    let used = 1 + (len * 8).div_ceil(6);
    if data.get(used..).unwrap_or_default().iter().any(|b| !matches!(b, b' ' | b'`' | b'\n' | b'\r')) {
        return Err(error(vm, "Trailing garbage"));
    }
    vm.bytes(&out)
}

/// Lines are broken so that none is longer.
const QP_LINE: usize = 76;

fn b2a_qp(
    vm: &Vm,
    data: BytesLike,
    quotetabs: Option<bool>,
    istext: Option<bool>,
    header: Option<bool>,
) -> R<Value> {
    let (tabs, text, header) = (quotetabs.unwrap_or(false), istext.unwrap_or(true), header.unwrap_or(false));
    // Lines end as the first one does.
    let crlf = data.iter().position(|&b| b == b'\n').is_some_and(|i| i > 0 && data[i - 1] == b'\r');
    let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out = vm.buffer(data.len() + 16)?;
    let (mut at, mut line) = (0, 0);
    while at < data.len() {
        let b = data[at];
        let next = data.get(at + 1).copied();
        let ends_line = |n: Option<u8>| {
            matches!(n, None | Some(b'\n')) || (n == Some(b'\r') && data.get(at + 2) == Some(&b'\n'))
        };
        let quote = b > 126
            || b == b'='
            || (header && b == b'_')
            || (b == b'.' && line == 0 && (matches!(next, None | Some(b'\n' | b'\r' | 0))))
            || (!text && matches!(b, b'\r' | b'\n'))
            || (matches!(b, b'\t' | b' ') && (if text { ends_line(next) } else { next.is_none() }))
            || (b < 33 && !matches!(b, b'\r' | b'\n') && (tabs || !matches!(b, b'\t' | b' ')));
        if quote {
            if line + 3 >= QP_LINE {
                out.push(b'=');
                out.extend_from_slice(end);
                line = 0;
            }
            out.extend_from_slice(format!("={b:02X}").as_bytes());
            line += 3;
            at += 1;
        } else if text && (b == b'\n' || (b == b'\r' && next == Some(b'\n'))) {
            out.extend_from_slice(end);
            line = 0;
            at += if b == b'\r' { 2 } else { 1 };
        } else {
            if next.is_some_and(|n| n != b'\n') && line + 1 >= QP_LINE {
                out.push(b'=');
                out.extend_from_slice(end);
                line = 0;
            }
            out.push(if header && b == b' ' { b'_' } else { b });
            line += 1;
            at += 1;
        }
    }
    vm.bytes(&out)
}

fn a2b_qp(vm: &Vm, data: AsciiOrBytes, header: Option<bool>) -> R<Value> {
    let (data, header) = (&data.0, header.unwrap_or(false));
    let digit = |i: usize| data.get(i).and_then(|&b| char::from(b).to_digit(16)).map(|d| d as u8);
    let mut out = vm.buffer(data.len())?;
    let mut at = 0;
    while let Some(&b) = data.get(at) {
        at += 1;
        match b {
            b'=' => match data.get(at) {
                None => break,
                // A soft line end: the rest of the line goes too.
                Some(b'\n' | b'\r') => {
                    at += data[at..].iter().position(|&b| b == b'\n').map_or(data.len() - at, |n| n + 1);
                }
                Some(b'=') => {
                    out.push(b'=');
                    at += 1;
                }
                Some(_) => match (digit(at), digit(at + 1)) {
                    (Some(a), Some(b)) => {
                        out.push(a << 4 | b);
                        at += 2;
                    }
                    _ => out.push(b'='),
                },
            },
            b'_' if header => out.push(b' '),
            b => out.push(b),
        }
    }
    vm.bytes(&out)
}

/// Bytes that are looked at between two looks for signals.
const PART: usize = 1 << 24;

/// `zlib.crc32` and `binascii.crc32`: a start value of any size and sign.
pub fn crc32(vm: &Vm, data: BytesLike, start: Option<Value>) -> R<i64> {
    let start = start.map_or(Ok(0), |v| support::low_word(vm, v))?;
    let mut crc = crc32fast::Hasher::new_with_initial(start);
    for part in data.chunks(PART) {
        vm.check_signals()?;
        crc.update(part);
    }
    Ok(crc.finalize().into())
}

fn crc_hqx(vm: &Vm, data: BytesLike, start: Value) -> R<i64> {
    let mut crc = support::low_word(vm, start)? & 0xffff;
    for &b in &*data {
        crc ^= u32::from(b) << 8;
        for _ in 0..8 {
            crc = (crc << 1 ^ if crc & 0x8000 != 0 { 0x1021 } else { 0 }) & 0xffff;
        }
    }
    Ok(crc.into())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "binascii", FUNCTIONS)?;
    add_exception(vm, m, "binascii.Error", vm.exc.value_error)?;
    add_exception(vm, m, "binascii.Incomplete", vm.exc.exception)?;
    Ok(m)
}
