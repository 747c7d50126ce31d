//! Small helpers on text and bytes shared by several types.

use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::types::function::Function;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Is it white space to `str.isspace` and `str.split`?
#[inline]
pub fn is_space(c: u32) -> bool {
    matches!(c, 9..=13 | 28..=32)
        || (c >= 0x85
            && matches!(
                c,
                0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000
            ))
}

/// Is it white space to the methods of bytes?
#[inline]
pub fn is_byte_space(b: u8) -> bool {
    matches!(b, 9..=13 | 32)
}

pub fn category(c: u32) -> GeneralCategory {
    match char::from_u32(c) {
        Some(c) => c.general_category(),
        None => GeneralCategory::Surrogate,
    }
}

/// Value of a decimal digit of any script.
pub fn decimal_value(c: u32) -> Option<u32> {
    if c < 0x80 {
        return char::from_u32(c).and_then(|c| c.to_digit(10));
    }
    if category(c) != GeneralCategory::DecimalNumber {
        return None;
    }
    // Scripts have their ten digits in a row, 0 first; some rows follow each other.
    let mut first = c;
    while category(first - 1) == GeneralCategory::DecimalNumber {
        first -= 1;
    }
    Some((c - first) % 10)
}

/// A number's text with white space and digits of all scripts made ASCII; anything else becomes `?`.
pub fn to_ascii_number(s: Ref<Str>) -> Vec<u8> {
    s.code_points()
        .map(|c| match c {
            0..0x80 => c as u8,
            _ if is_space(c) => b' ',
            _ => decimal_value(c).map_or(b'?', |d| b'0' + d as u8),
        })
        .collect()
}

/// Text of characters, for messages and small results.
pub fn from_code_points(points: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut out = Vec::new();
    for c in points {
        push_code_point(&mut out, c);
    }
    out
}

/// A bound of a slice. TypeError.
pub fn slice_index(vm: &Vm, v: Value) -> R<i64> {
    if !vm.is_int(v) && vm.type_of(v).special(vm, skein_bytecode::Special::Index).is_none() {
        return Err(vm.type_error("slice indices must be integers or None or have an __index__ method"));
    }
    vm.index_clamped(v)
}

/// The optional bounds of `find`, `count` and the like, placed in a sequence of this length.
pub fn bounds(
    vm: &Vm,
    start: Option<Value>,
    end: Option<Value>,
    len: impl FnOnce() -> usize,
) -> R<(usize, usize)> {
    let asked = |v: Option<Value>| v.filter(|v| !v.is_none()).map(|v| slice_index(vm, v)).transpose();
    let (start, end) = (asked(start)?, asked(end)?);
    // Python code may have changed the length meanwhile.
    let n = len() as i64;
    let place = |i: Option<i64>, default: i64| match i {
        Some(i) if i < 0 => i.saturating_add(n).max(0),
        Some(i) => i,
        None => default,
    };
    let (start, end) = (place(start, 0), place(end, n).min(n));
    Ok((start as usize, end as usize))
}

/// An index into a sequence of this length, negative ones counted from the end; None: out of range.
#[inline]
pub fn place_index(i: i64, len: usize) -> Option<usize> {
    let i = if i < 0 { i + len as i64 } else { i };
    (i >= 0 && (i as usize) < len).then_some(i as usize)
}

/// First place of a row of bytes in another.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    /// To prepare for a search takes longer than to go through a row of so many bytes.
    const SHORT: usize = 64;
    let Some((&first, rest)) = needle.split_first().filter(|_| hay.len() <= SHORT) else {
        return memchr::memmem::find(hay, needle);
    };
    let starts = hay.len().checked_sub(rest.len())?;
    (0..starts).find(|&at| hay[at] == first && hay[at + 1..at + 1 + rest.len()] == *rest)
}

/// Last place of a row of bytes in another.
pub fn rfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(hay, needle)
}

/// `a + b` of sequences of which `b` is none: its `__radd__`, or TypeError.
#[cold]
pub fn cannot_concatenate(vm: &Vm, a: Value, b: Value, message: impl FnOnce() -> String) -> R<Value> {
    if let Some(f) = vm.type_of(b).special(vm, Special::RAdd) {
        // A Python function is left to the interpreter, which needs no native stack for it.
        if f.cast::<Function>().is_some() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let r = vm.special_2(f, b, a)?;
        if !r.is(Value::NOT_IMPLEMENTED) {
            return Ok(r);
        }
    }
    Err(vm.type_error(message()))
}

/// The factor of `a * n` of a sequence, negative as 0; None: the other operand is to be asked.
/// TypeError, OverflowError.
pub fn repeat_count(vm: &Vm, a: Value, n: Value) -> R<Option<usize>> {
    if n.is_int() {
        return Ok(Some(n.as_small_int().max(0) as usize));
    }
    let ty = vm.type_of(n);
    if !vm.is_int(n) && ty.special(vm, Special::Index).is_none() {
        let own = vm.type_of(a).special(vm, Special::RMul);
        if ty.special(vm, Special::RMul).is_some_and(|f| Some(f) != own && f.cast::<Function>().is_some()) {
            return Ok(None);
        }
        return Err(
            vm.type_error(format!("can't multiply sequence by non-int of type '{}'", ty.message_name()))
        );
    }
    let i = vm.index(n)?;
    match vm.as_i64(i) {
        Some(i) => Ok(Some(i.max(0) as usize)),
        None => {
            Err(vm.overflow_error(format!("cannot fit '{}' into an index-sized integer", ty.name_string())))
        }
    }
}
