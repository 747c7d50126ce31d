//! The items of arrays: machine numbers and characters.

use super::{Array, data, is_text, size};
use skein_builtins::types::read_item;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Raised, Value, Vm};
use std::cmp::Ordering;

/// The words that messages have for an item's type, and its range. None: a range that the conversion to 64 bits
/// checks.
fn range(code: u8) -> (&'static str, Option<(i64, i64)>) {
    match code {
        b'b' => ("signed char", Some((-0x80, 0x7f))),
        b'B' => ("unsigned byte integer", Some((0, 0xff))),
        b'h' => ("signed short integer", Some((-0x8000, 0x7fff))),
        b'H' => ("unsigned short", Some((0, 0xffff))),
        b'i' => ("signed integer", Some((-0x8000_0000, 0x7fff_ffff))),
        b'I' => ("unsigned int", Some((0, 0xffff_ffff))),
        _ => ("", None),
    }
}

/// An int as 64 bits. TypeError, OverflowError.
fn word(vm: &Vm, code: u8, v: Value) -> R<i64> {
    if vm.as_float(v).is_some() {
        return Err(vm.type_error("'float' object cannot be interpreted as an integer"));
    }
    let i = vm.index(v)?;
    let big = |vm: &Vm| vm.as_big(i).unwrap_or_default();
    let is_negative = match vm.as_i64(i) {
        Some(i) => i < 0,
        None => big(vm).sign() == num_bigint::Sign::Minus,
    };
    match code {
        b'I' | b'L' if is_negative => Err(vm.overflow_error("can't convert negative value to unsigned int")),
        b'Q' if is_negative => Err(vm.overflow_error("can't convert negative int to unsigned")),
        b'I' | b'L' | b'Q' => match u64::try_from(big(vm)) {
            Ok(n) => Ok(n as i64),
            Err(_) if code == b'Q' => Err(vm.overflow_error("int too big to convert")),
            Err(_) => Err(vm.overflow_error("Python int too large to convert to C unsigned long")),
        },
        _ => match vm.as_i64(i) {
            Some(n) => Ok(n),
            None if code == b'q' => Err(vm.overflow_error("int too big to convert")),
            None => Err(vm.overflow_error("Python int too large to convert to C long")),
        },
    }
}

fn out_of_range(vm: &Vm, what: &str, how: Ordering) -> Raised {
    let text = if how == Ordering::Less { "less than minimum" } else { "greater than maximum" };
    vm.overflow_error(format!("{what} is {text}"))
}

/// An item's bytes. TypeError, OverflowError.
pub fn encoded(vm: &Vm, code: u8, v: Value) -> R<([u8; 8], usize)> {
    let n = match code {
        b'u' | b'w' => match v.cast::<Str>() {
            Some(s) if s.char_len() == 1 => s.code_points().next().unwrap_or(0).into(),
            Some(s) => {
                let n = s.char_len();
                return Err(vm.type_error(format!(
                    "array item must be a unicode character, not a string of length {n}"
                )));
            }
            None => {
                let got = vm.type_name(v);
                return Err(vm.type_error(format!("array item must be a unicode character, not {got}")));
            }
        },
        b'f' => (vm.to_f64(v)? as f32).to_bits().into(),
        b'd' => vm.to_f64(v)?.to_bits(),
        _ => {
            let n = word(vm, code, v)?;
            let (what, range_of_code) = range(code);
            if let Some((min, max)) = range_of_code {
                // A type shorter than the one that the number is taken as first has that one's message beyond it.
                let first = match code {
                    b'b' | b'B' => range(b'h'),
                    b'H' => range(b'i'),
                    _ => (what, range_of_code),
                };
                let (low, high) = first.1.unwrap_or((min, max));
                let (what, how) =
                    if n < low || n > high { (first.0, n.cmp(&0)) } else { (what, n.cmp(&min)) };
                if n < min || n > max {
                    return Err(out_of_range(vm, what, how));
                }
            }
            n as u64
        }
    };
    Ok((n.to_le_bytes(), size(code)))
}

/// The item at this place. IndexError.
pub fn item(vm: &Vm, a: &Array, i: usize) -> R<Value> {
    let n = size(a.code);
    let Some(b) = data(a).get(i * n..(i + 1) * n) else {
        return Err(vm.index_error("array index out of range"));
    };
    if is_text(a.code) {
        let mut text = Vec::new();
        let c = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        if c > 0x10_ffff {
            return Err(vm.value_error("chr() arg not in range(0x110000)"));
        }
        push_code_point(&mut text, c);
        return Ok(Str::new(vm, &text)?.value());
    }
    read_item(vm, a.code, b)
}
