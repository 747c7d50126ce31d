//! `bytes` and `bytearray`: case, padding, translating, hexadecimal text.

use super::{Like, Row, bytes_like, not_bytes_like};
use crate::types::rows;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::exports::Pinned;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn title(vm: &Vm, s: Row) -> R<Value> {
    let mut inside = false;
    let map = |&b: &u8| {
        let c = if inside { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() };
        inside = b.is_ascii_alphabetic();
        c
    };
    let out = vm.collected(s.data().iter().map(map))?;
    s.make(vm, &out)
}

pub fn capitalize(vm: &Vm, s: Row) -> R<Value> {
    let mut out = vm.copied(s.data())?;
    out.make_ascii_lowercase();
    if let Some(b) = out.first_mut() {
        b.make_ascii_uppercase();
    }
    s.make(vm, &out)
}

pub fn swapcase(vm: &Vm, s: Row) -> R<Value> {
    let swap = |b: &u8| if b.is_ascii_lowercase() { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() };
    let out = vm.collected(s.data().iter().map(swap))?;
    s.make(vm, &out)
}

pub fn istitle(_: &Vm, s: Row) -> bool {
    let (mut inside, mut found) = (false, false);
    for b in s.data().iter() {
        if (b.is_ascii_uppercase() && inside) || (b.is_ascii_lowercase() && !inside) {
            return false;
        }
        inside = b.is_ascii_alphabetic();
        found |= inside;
    }
    found
}

fn fill_byte(vm: &Vm, fill: Option<Value>, name: &str) -> R<u8> {
    let Some(fill) = fill else { return Ok(b' ') };
    match Row::of(vm, fill)? {
        Some(r) if r.data().len() == 1 => Ok(r.data()[0]),
        Some(r) => Err(vm.type_error(format!(
            "{name}(): argument 2 must be a byte string of length 1, not a {} object of length {}",
            vm.type_name(fill),
            r.data().len()
        ))),
        None => Err(vm.type_error(format!(
            "{name}() argument 2 must be a byte string of length 1, not {}",
            vm.type_name(fill)
        ))),
    }
}

fn padded(vm: &Vm, s: &Row, left: usize, right: usize, fill: u8) -> R<Value> {
    vm.check_room(s.data().len().saturating_add(left).saturating_add(right))?;
    let mut out = vm.filled(fill, left)?;
    out.extend_from_slice(s.data());
    out.resize(out.len() + right, fill);
    s.make(vm, &out)
}

fn width_of(width: i64) -> usize {
    usize::try_from(width).unwrap_or(0)
}

pub fn center(vm: &Vm, s: Row, width: i64, fill: Option<Value>) -> R<Value> {
    let fill = fill_byte(vm, fill, "center")?;
    let (left, right) = rows::centre(s.data().len(), width_of(width));
    padded(vm, &s, left, right, fill)
}

pub fn ljust(vm: &Vm, s: Row, width: i64, fill: Option<Value>) -> R<Value> {
    let fill = fill_byte(vm, fill, "ljust")?;
    padded(vm, &s, 0, width_of(width).saturating_sub(s.data().len()), fill)
}

pub fn rjust(vm: &Vm, s: Row, width: i64, fill: Option<Value>) -> R<Value> {
    let fill = fill_byte(vm, fill, "rjust")?;
    padded(vm, &s, width_of(width).saturating_sub(s.data().len()), 0, fill)
}

pub fn zfill(vm: &Vm, s: Row, width: i64) -> R<Value> {
    vm.check_room(width_of(width))?;
    s.make(vm, &rows::zero_fill(vm, s.data(), s.data().len(), width_of(width))?)
}

pub fn expandtabs(vm: &Vm, s: Row, size: Option<i32>) -> R<Value> {
    let size = width_of(i64::from(size.unwrap_or(8)));
    s.make(vm, &rows::expand_tabs::<false>(vm, s.data(), size)?)
}

/// Bytes that are looked at between two looks for signals.
const PART: usize = 1 << 20;

pub fn translate(vm: &Vm, s: Row, table: Value, delete: Option<Value>) -> R<Value> {
    let table = match Row::of(vm, table)? {
        _ if table.is_none() => None,
        Some(r) if r.data().len() == 256 => Some(r),
        Some(_) => return Err(vm.value_error("translation table must be 256 characters long")),
        None => return Err(not_bytes_like(vm, table)),
    };
    let delete = delete.map(|d| bytes_like(vm, d)).transpose()?;
    let mut to: [u8; 256] = std::array::from_fn(|b| b as u8);
    if let Some(table) = &table {
        to.copy_from_slice(table.data());
    }
    let mut kept = [true; 256];
    for &b in delete.iter().flat_map(|d| d.iter()) {
        kept[usize::from(b)] = false;
    }
    let mut out = vm.buffer(s.data().len())?;
    // What a signal's handler does must not change the bytes.
    let _pinned = Pinned::new(s.value);
    for part in s.data().chunks(PART) {
        vm.check_signals()?;
        out.extend(part.iter().filter(|b| kept[usize::from(**b)]).map(|b| to[usize::from(*b)]));
    }
    s.make(vm, &out)
}

pub fn maketrans(vm: &Vm, from: Like, to: Like) -> R<Value> {
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&f, &t) in from.iter().zip(to.iter()) {
        table[f as usize] = t;
    }
    vm.bytes(&table)
}

pub fn hex(vm: &Vm, s: Row, sep: Option<Value>, group: Option<i64>) -> R<String> {
    let sep = match sep {
        None => None,
        Some(v) => {
            // A subclass may have a length of its own to tell, and must not change the bytes thereby.
            let pinned = Pinned::new(s.value);
            let len = vm.len(v)?;
            drop(pinned);
            let text = match (v.cast::<Str>(), v.cast::<Bytes>()) {
                (Some(s), _) => vm.copied(s.bytes())?,
                (_, Some(b)) => vm.copied(b.bytes())?,
                _ => return Err(vm.type_error("sep must be str or bytes.")),
            };
            if len != 1 {
                return Err(vm.value_error("sep must be length 1."));
            }
            match text.first() {
                Some(&c) if c.is_ascii() => Some(char::from(c)),
                _ => return Err(vm.value_error("sep must be ASCII.")),
            }
        }
    };
    let group = group.unwrap_or(1);
    let size = group.unsigned_abs() as usize;
    let n = s.data().len();
    let mut out = vm.text_buffer(n * if sep.is_some() { 3 } else { 2 })?;
    let _pinned = Pinned::new(s.value);
    for (i, b) in s.data().iter().enumerate() {
        if i % PART == PART - 1 {
            vm.check_signals()?;
        }
        // A positive group counts from the right.
        let place = if group > 0 { n - i } else { i };
        if let Some(sep) = sep
            && i > 0
            && size > 0
            && place % size == 0
        {
            out.push(sep);
        }
        out.push(char::from_digit(u32::from(b >> 4), 16).unwrap_or('0'));
        out.push(char::from_digit(u32::from(b & 15), 16).unwrap_or('0'));
    }
    Ok(out)
}
