//! The value word: self-tagged floats, 62-bit ints, constants and pointers in 64 bits.
//!
//! ```text
//! v & 7   000  pointer to a heap object (never 0: an all-zero word is "no value")
//!         x01  int of 62 bits, (i << 2) + 1
//!         100  None, True, False, … (see the constants)
//!         010 011 110 111  float, bits rotated so that the top exponent bits are the tag
//! ```
//!
//! Tagging after Melançon, Serrano, Feeley, "Float Self-Tagging" (OOPSLA 2025).

use crate::object::{Header, Object, Ref};
use std::fmt;
use std::num::NonZeroU64;

/// A Python value in one word. `Option<Value>` is one word too, and zeroed memory is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Value(NonZeroU64);

/// A Python exception is pending in the `Vm`; this carries nothing, so that `R<Value>` is one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised;

/// Result of what can raise.
pub type R<T> = Result<T, Raised>;

const fn special(n: u64) -> Value {
    Value(NonZeroU64::new(n << 3 | 4).unwrap())
}

impl Value {
    pub const NONE: Value = special(0);
    pub const TRUE: Value = special(1);
    pub const FALSE: Value = special(2);
    pub const ELLIPSIS: Value = special(3);
    pub const NOT_IMPLEMENTED: Value = special(4);
    /// No Python value: a deleted or not yet bound variable, an argument that was not given.
    pub const UNBOUND: Value = special(5);

    /// Smallest and largest int that fits the word.
    pub const MIN_INT: i64 = -(1 << 61);
    pub const MAX_INT: i64 = (1 << 61) - 1;

    /// The word of the constants that `LoadSpecial` numbers.
    pub const SPECIALS: [Value; 6] =
        [Value::NONE, Value::TRUE, Value::FALSE, Value::ELLIPSIS, Value::NOT_IMPLEMENTED, Value::UNBOUND];

    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0.get()
    }

    /// # Safety
    /// `bits` is a word that [`Value::bits`] gave, of an object that is still alive if a pointer.
    #[inline(always)]
    pub const unsafe fn from_bits(bits: u64) -> Value {
        debug_assert!(bits != 0);
        // SAFETY: the caller's words are never 0.
        Value(unsafe { NonZeroU64::new_unchecked(bits) })
    }

    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// An int that is known to fit 62 bits.
    #[inline(always)]
    pub const fn small_int(i: i64) -> Value {
        debug_assert!(i >= Value::MIN_INT && i <= Value::MAX_INT);
        // SAFETY: the low bits are 01.
        unsafe { Value::from_bits(((i << 2) as u64).wrapping_add(1)) }
    }

    /// The int as an immediate, if it fits 62 bits.
    #[inline(always)]
    pub const fn try_int(i: i64) -> Option<Value> {
        if i >= Value::MIN_INT && i <= Value::MAX_INT { Some(Value::small_int(i)) } else { None }
    }

    /// The float as an immediate, if its exponent is a common one.
    #[inline(always)]
    pub const fn try_float(f: f64) -> Option<Value> {
        let v = f.to_bits().rotate_left(4).wrapping_sub(1);
        // SAFETY: bit 1 is set, so the word is not 0.
        if v & 2 != 0 { Some(unsafe { Value::from_bits(v) }) } else { None }
    }

    #[inline(always)]
    pub const fn is_int(self) -> bool {
        self.bits() & 3 == 1
    }

    #[inline(always)]
    pub const fn both_ints(a: Value, b: Value) -> bool {
        ((a.bits().wrapping_sub(1)) | (b.bits().wrapping_sub(1))) & 3 == 0
    }

    /// An immediate float? (Boxed ones are pointers.)
    #[inline(always)]
    pub const fn is_float(self) -> bool {
        self.bits() & 2 != 0
    }

    #[inline(always)]
    pub const fn both_floats(a: Value, b: Value) -> bool {
        a.bits() & b.bits() & 2 != 0
    }

    #[inline(always)]
    pub const fn is_ptr(self) -> bool {
        self.bits() & 7 == 0
    }

    #[inline(always)]
    pub const fn is_unbound(self) -> bool {
        self.bits() == Value::UNBOUND.bits()
    }

    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.bits() == Value::NONE.bits()
    }

    #[inline(always)]
    pub const fn is_bool(self) -> bool {
        self.bits() == Value::TRUE.bits() || self.bits() == Value::FALSE.bits()
    }

    /// The same word: Python's `is`, but for numbers, whose words are equal when they are.
    #[inline(always)]
    pub const fn is(self, other: Value) -> bool {
        self.bits() == other.bits()
    }

    /// The int in the word; only right if [`Value::is_int`].
    #[inline(always)]
    pub const fn as_small_int(self) -> i64 {
        debug_assert!(self.is_int());
        self.bits() as i64 >> 2
    }

    /// The float in the word; only right if [`Value::is_float`].
    #[inline(always)]
    pub const fn as_immediate_float(self) -> f64 {
        debug_assert!(self.is_float());
        f64::from_bits(self.bits().wrapping_add(1).rotate_right(4))
    }

    /// The object behind a pointer.
    #[inline(always)]
    pub fn header(self) -> Option<&'static Header> {
        // SAFETY: a pointer word is the address of a live object; its holder keeps it alive.
        if self.is_ptr() { Some(unsafe { &*(self.bits() as *const Header) }) } else { None }
    }

    /// The object as a `T`, if it is a pointer to that layout (subclass instances included).
    #[inline(always)]
    pub fn cast<T: Object>(self) -> Option<Ref<T>> {
        // SAFETY: T::is tells the layout.
        match self.header() {
            Some(h) if T::is(h) => Some(unsafe { Ref::from_header(h) }),
            _ => None,
        }
    }

    /// The object as a `T`.
    ///
    /// # Safety
    /// It is a pointer to that layout.
    #[inline(always)]
    pub unsafe fn cast_unchecked<T: Object>(self) -> Ref<T> {
        debug_assert!(self.cast::<T>().is_some());
        // SAFETY: the caller's promise.
        unsafe { Ref::from_header(&*(self.bits() as *const Header)) }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::bool(b)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            v if v.is_int() => write!(f, "{}", v.as_small_int()),
            v if v.is_float() => write!(f, "{:?}", v.as_immediate_float()),
            Value::NONE => f.write_str("None"),
            Value::TRUE => f.write_str("True"),
            Value::FALSE => f.write_str("False"),
            Value::ELLIPSIS => f.write_str("Ellipsis"),
            Value::NOT_IMPLEMENTED => f.write_str("NotImplemented"),
            Value::UNBOUND => f.write_str("<unbound>"),
            v => match v.header() {
                Some(h) => write!(f, "<{:?} at {:#x}>", h.kind.get(), v.bits()),
                None => write!(f, "<word {:#x}>", v.bits()),
            },
        }
    }
}

const _: () = assert!(size_of::<R<Value>>() == 8 && size_of::<Option<Value>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_come_back() {
        for i in [0, 1, -1, 42, Value::MIN_INT, Value::MAX_INT] {
            let v = Value::try_int(i).unwrap();
            assert!(v.is_int() && !v.is_float() && !v.is_ptr());
            assert_eq!(v.as_small_int(), i);
        }
        assert!(Value::try_int(Value::MAX_INT + 1).is_none());
    }

    #[test]
    fn floats_come_back() {
        for f in [0.0, -0.0, 1.5, -2.25e70, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 1e-76] {
            let v = Value::try_float(f).unwrap_or_else(|| panic!("{f} is boxed"));
            assert!(v.is_float() && !v.is_int() && !v.is_ptr());
            assert_eq!(v.as_immediate_float().to_bits(), f.to_bits());
        }
        assert!(Value::try_float(1e100).is_none());
        assert!(Value::try_float(f64::NAN).is_some());
    }
}
