//! Formats of packed data, and the values of their items.

use super::error;
use num_bigint::BigInt;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::complex::Complex;
use skein_runtime::{R, Value, Vm};

/// One or several items of one kind.
#[derive(Clone, Copy)]
pub struct Item {
    pub code: u8,
    /// Bytes of one item; of the whole string for `s` and `p`.
    pub size: usize,
    pub count: usize,
    pub offset: usize,
}

/// A parsed format.
pub struct Format {
    pub items: Vec<Item>,
    pub size: usize,
    /// Values that are packed.
    pub values: usize,
    little: bool,
}

/// Size and alignment of a kind, native or standard.
fn layout(code: u8, native: bool) -> Option<(usize, usize)> {
    let size = match code {
        b'x' | b'c' | b'b' | b'B' | b'?' | b's' | b'p' => return Some((1, 1)),
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' if native => size_of::<libc::c_long>(),
        b'l' | b'L' => 4,
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => size_of::<usize>(),
        b'F' => return Some((8, if native { 4 } else { 1 })),
        b'D' => return Some((16, if native { 8 } else { 1 })),
        _ => return None,
    };
    Some((size, if native { size } else { 1 }))
}

impl Format {
    /// `struct.error` for a format that is none.
    pub fn parse(vm: &Vm, text: &[u8]) -> R<Format> {
        let (native, little, rest) = match text.first() {
            Some(b'@') => (true, cfg!(target_endian = "little"), &text[1..]),
            Some(b'=') => (false, cfg!(target_endian = "little"), &text[1..]),
            Some(b'<') => (false, true, &text[1..]),
            Some(b'>' | b'!') => (false, false, &text[1..]),
            _ => (true, cfg!(target_endian = "little"), text),
        };
        let mut f = Format { items: Vec::new(), size: 0, values: 0, little };
        let too_long = || error(vm, "total struct size too long");
        let mut at = 0;
        while at < rest.len() {
            if rest[at].is_ascii_whitespace() {
                at += 1;
                continue;
            }
            let mut count = 1usize;
            if rest[at].is_ascii_digit() {
                count = 0;
                while let Some(d) = rest.get(at).filter(|d| d.is_ascii_digit()) {
                    let digit = usize::from(d - b'0');
                    count = count
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(digit))
                        .filter(|&n| n <= isize::MAX as usize)
                        .ok_or_else(|| error(vm, "overflow in item count"))?;
                    at += 1;
                }
                if at == rest.len() {
                    return Err(error(vm, "repeat count given without format specifier"));
                }
            }
            let code = rest[at];
            at += 1;
            let Some((size, align)) = layout(code, native) else {
                return Err(error(vm, "bad char in struct format"));
            };
            let offset = f.size.next_multiple_of(align);
            let total = size.checked_mul(count).and_then(|n| n.checked_add(offset));
            f.size = total.filter(|&n| n <= isize::MAX as usize).ok_or_else(too_long)?;
            match code {
                b'x' => {}
                b's' | b'p' => {
                    f.values += 1;
                    f.items.push(Item { code, size: count, count: 1, offset });
                }
                _ if count > 0 => {
                    f.values += count;
                    f.items.push(Item { code, size, count, offset });
                }
                _ => {}
            }
        }
        Ok(f)
    }

    fn order<const N: usize>(&self, mut bytes: [u8; N]) -> [u8; N] {
        if !self.little {
            bytes.reverse();
        }
        bytes
    }

    /// Reads one item.
    pub fn read(&self, vm: &Vm, item: Item, bytes: &[u8]) -> R<Value> {
        match item.code {
            b'c' | b's' => vm.bytes(bytes),
            b'p' => {
                let n = bytes.first().map_or(0, |&n| usize::from(n).min(bytes.len() - 1));
                vm.bytes(bytes.get(1..1 + n).unwrap_or_default())
            }
            b'?' => Ok(Value::bool(bytes.iter().any(|&b| b != 0))),
            b'e' | b'f' | b'd' => vm.float(self.read_float(bytes)),
            b'F' | b'D' => {
                let (re, im) = bytes.split_at(bytes.len() / 2);
                vm.complex(self.read_float(re), self.read_float(im))
            }
            code => {
                let n = self.read_word(bytes);
                if code.is_ascii_uppercase() {
                    return vm.int_u64(n);
                }
                let unused = 64 - 8 * bytes.len() as u32;
                vm.int((n << unused) as i64 >> unused)
            }
        }
    }

    /// An unsigned int of up to 8 bytes.
    fn read_word(&self, bytes: &[u8]) -> u64 {
        match *bytes {
            [a] => a.into(),
            [a, b] => u16::from_le_bytes(self.order([a, b])).into(),
            [a, b, c, d] => u32::from_le_bytes(self.order([a, b, c, d])).into(),
            [a, b, c, d, e, f, g, h] => u64::from_le_bytes(self.order([a, b, c, d, e, f, g, h])),
            _ => 0,
        }
    }

    /// Writes the low bytes of an int.
    fn write_word(&self, n: u64, out: &mut [u8]) {
        match out.len() {
            1 => out[0] = n as u8,
            2 => out.copy_from_slice(&self.order((n as u16).to_le_bytes())),
            4 => out.copy_from_slice(&self.order((n as u32).to_le_bytes())),
            _ => out.copy_from_slice(&self.order(n.to_le_bytes())),
        }
    }

    fn read_float(&self, bytes: &[u8]) -> f64 {
        match *bytes {
            [a, b] => half_to_f64(u16::from_le_bytes(self.order([a, b]))),
            [a, b, c, d] => f32::from_le_bytes(self.order([a, b, c, d])).into(),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes(self.order([a, b, c, d, e, f, g, h])),
            _ => 0.0,
        }
    }

    /// Writes one item. `struct.error`, OverflowError.
    pub fn write(&self, vm: &Vm, item: Item, v: Value, out: &mut [u8]) -> R<()> {
        match item.code {
            b'c' => match v.cast::<Bytes>().map(|b| b.bytes().to_vec()).or(bytearray(v)) {
                Some(b) if b.len() == 1 => out.copy_from_slice(&b),
                _ => return Err(error(vm, "char format requires a bytes object of length 1")),
            },
            code @ (b's' | b'p') => {
                let array = v.cast::<ByteArray>();
                let bytes = v.cast::<Bytes>();
                let b = match (&bytes, &array) {
                    (Some(b), _) => b.bytes(),
                    (_, Some(b)) => b.bytes(),
                    _ => {
                        let code = char::from(code);
                        return Err(error(vm, format!("argument for '{code}' must be a bytes object")));
                    }
                };
                out.fill(0);
                if code == b's' {
                    let n = b.len().min(out.len());
                    out[..n].copy_from_slice(&b[..n]);
                } else if !out.is_empty() {
                    let n = b.len().min(out.len() - 1);
                    out[0] = n.min(255) as u8;
                    out[1..=n].copy_from_slice(&b[..n]);
                }
            }
            b'?' => out[0] = u8::from(vm.truth(v)?),
            code @ (b'e' | b'f' | b'd') => {
                let Some(f) = vm.absorb(vm.to_f64(v), vm.exc.type_error)? else {
                    return Err(error(vm, "required argument is not a float"));
                };
                self.write_float(vm, code, f, out)?;
            }
            code @ (b'F' | b'D') => {
                let (re, im) = match v.cast::<Complex>() {
                    Some(c) => (c.re(), c.im()),
                    None => match vm.absorb(vm.to_f64(v), vm.exc.type_error)? {
                        Some(f) => (f, 0.0),
                        None => return Err(error(vm, "required argument is not a complex")),
                    },
                };
                let (first, second) = out.split_at_mut(item.size / 2);
                let part = if code == b'F' { b'f' } else { b'd' };
                self.write_float(vm, part, re, first)?;
                self.write_float(vm, part, im, second)?;
            }
            _ => self.write_int(vm, item, v, out)?,
        }
        Ok(())
    }

    fn write_float(&self, vm: &Vm, code: u8, f: f64, out: &mut [u8]) -> R<()> {
        match code {
            b'd' => out.copy_from_slice(&self.order(f.to_le_bytes())),
            b'f' => {
                let single = f as f32;
                if single.is_infinite() && f.is_finite() {
                    return Err(vm.overflow_error("float too large to pack with f format"));
                }
                out.copy_from_slice(&self.order(single.to_le_bytes()));
            }
            _ => match f64_to_half(f) {
                Some(h) => out.copy_from_slice(&self.order(h.to_le_bytes())),
                None => return Err(vm.overflow_error("float too large to pack with e format")),
            },
        }
        Ok(())
    }

    fn write_int(&self, vm: &Vm, item: Item, v: Value, out: &mut [u8]) -> R<()> {
        let bits = 8 * item.size as u32;
        if v.is_int() {
            // 62 bits: what is above those of the item has to be its sign.
            let i = v.as_small_int();
            let above = if item.code.is_ascii_lowercase() { i >> (bits - 1) } else { i >> (bits - 1) >> 1 };
            if above == 0 || (above == -1 && item.code.is_ascii_lowercase()) {
                self.write_word(i as u64, out);
                return Ok(());
            }
        }
        let Some(i) = vm.absorb(vm.index(v), vm.exc.type_error)? else {
            return Err(error(vm, "required argument is not an integer"));
        };
        let signed = item.code.is_ascii_lowercase();
        let (min, max) = match signed {
            true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
            false => (0, (1i128 << bits) - 1),
        };
        let n = match vm.as_i64(i) {
            Some(i) => Some(i128::from(i)),
            None => vm.as_big(i).and_then(|b: BigInt| i128::try_from(b).ok()),
        };
        let Some(n) = n.filter(|n| (min..=max).contains(n)) else {
            // An address takes any int of a word, of either sign.
            if item.code == b'P' && vm.as_i64(i).is_some() {
                self.write_word(vm.as_i64(i).unwrap_or(0) as u64, out);
                return Ok(());
            }
            if item.code == b'P' {
                return Err(error(vm, "int too large to convert"));
            }
            let code = char::from(item.code);
            return Err(error(vm, format!("'{code}' format requires {min} <= number <= {max}")));
        };
        self.write_word(n as u64, out);
        Ok(())
    }
}

fn bytearray(v: Value) -> Option<Vec<u8>> {
    v.cast::<ByteArray>().map(|b| b.bytes().to_vec())
}

/// The value of a binary16.
pub fn half_to_f64(h: u16) -> f64 {
    let (exponent, fraction) = (i32::from(h >> 10 & 31), f64::from(h & 0x3ff));
    let size = match exponent {
        0 => fraction * (-24f64).exp2(),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1024.0 + fraction) * f64::from(e - 25).exp2(),
    };
    if h & 0x8000 != 0 { -size } else { size }
}

/// The nearest binary16, of two the even one; None: too large.
pub fn f64_to_half(f: f64) -> Option<u16> {
    let sign = if f.is_sign_negative() { 0x8000 } else { 0 };
    let size = f.abs();
    if f.is_nan() {
        return Some(sign | 0x7e00);
    }
    if f.is_infinite() {
        return Some(sign | 0x7c00);
    }
    if size >= 65520.0 {
        return None;
    }
    if size < (-14f64).exp2() {
        // A rounded fraction of 1024 is the smallest normal number.
        return Some(sign | (size * 24f64.exp2()).round_ties_even() as u16);
    }
    let exponent = (size.to_bits() >> 52) as i32 - 1023;
    // 1024..=2048, the last one by rounding up: then the exponent takes the carry.
    let scaled = (size * f64::from(10 - exponent).exp2()).round_ties_even() as u16;
    Some(sign | ((((exponent + 14) as u16) << 10) + scaled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_back() {
        for h in (0..0x7c00).chain(0x8000..0xfc00) {
            assert_eq!(f64_to_half(half_to_f64(h)), Some(h), "{h:#x}");
        }
        assert_eq!(f64_to_half(65519.9), Some(0x7bff));
        assert_eq!(f64_to_half(65520.0), None);
        assert_eq!(f64_to_half(f64::NAN), Some(0x7e00));
    }
}
