//! `int`: immediate words up to 62 bits, else boxed big integers.

use crate::object::{Header, Kind, Object, Ref, Tracer};
use crate::value::R;
use crate::vm::Vm;
use num_bigint::{BigInt as Big, Sign};
use std::borrow::Cow;
use std::cell::Cell;

/// A boxed int: too large for a word, or an instance of a subclass.
///
/// One of 128 bits is in the object itself: hashes and masks, and the products of two such, are mostly so large, and
/// have nothing to free.
#[repr(C)]
pub struct BigInt {
    header: Header,
    /// The value in two's complement, the low half first. With `LARGE` the first word is the address of a [`Big`], which
    /// the object owns.
    words: [Cell<u64>; 2],
}

/// In the header's bits: the value takes more than 128 bits.
const LARGE: u16 = 1;

// SAFETY: no references; the box is freed with the object, which is registered for it.
unsafe impl Object for BigInt {
    const KIND: Kind = Kind::Int;
    fn size(&self) -> usize {
        size_of::<BigInt>()
    }
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn drop_external(&mut self) {
        if self.header.bits.get() & LARGE != 0 {
            // SAFETY: made by `init`, and freed once.
            drop(unsafe { Box::from_raw(self.words[0].get() as *mut Big) });
        }
    }
}

impl BigInt {
    /// A boxed int of any size. MemoryError.
    pub fn new(vm: &Vm, value: Big) -> R<Ref<BigInt>> {
        let b = vm.alloc_fixed::<BigInt>(vm.types.int.root_shape_id())?;
        b.init(vm, value);
        Ok(b)
    }

    /// A boxed int of 128 bits. MemoryError.
    pub fn new_wide(vm: &Vm, value: i128) -> R<Ref<BigInt>> {
        let b = vm.alloc_fixed::<BigInt>(vm.types.int.root_shape_id())?;
        b.set_wide(value);
        Ok(b)
    }

    fn set_wide(&self, value: i128) {
        self.words[0].set(value as u64);
        self.words[1].set((value >> 64) as u64);
    }

    /// The value where it takes more than 128 bits.
    #[inline]
    fn large(&self) -> Option<&Big> {
        // SAFETY: set once, before anyone else sees the object.
        (self.header.bits.get() & LARGE != 0).then(|| unsafe { &*(self.words[0].get() as *const Big) })
    }

    /// The value where 128 bits hold it.
    #[inline]
    pub fn wide(&self) -> Option<i128> {
        let [low, high] = &self.words;
        let wide = i128::from(high.get() as i64) << 64 | i128::from(low.get());
        self.large().is_none().then_some(wide)
    }

    /// The value where 64 bits hold it.
    #[inline]
    pub fn small(&self) -> Option<i64> {
        let [low, high] = &self.words;
        let small = low.get() as i64;
        (self.large().is_none() && high.get() as i64 == small >> 63).then_some(small)
    }

    #[inline]
    pub fn get(&self) -> Cow<'_, Big> {
        match self.large() {
            Some(b) => Cow::Borrowed(b),
            None => Cow::Owned(Big::from(self.wide().unwrap_or_default())),
        }
    }

    pub fn is_negative(&self) -> bool {
        self.large().map_or((self.words[1].get() as i64) < 0, |b| b.sign() == Sign::Minus)
    }

    pub fn is_zero(&self) -> bool {
        self.wide() == Some(0)
    }
}

impl Ref<BigInt> {
    /// Sets the value of a fresh object.
    pub fn init(self, vm: &Vm, value: Big) {
        if let Ok(wide) = i128::try_from(&value) {
            self.set_wide(wide);
            return;
        }
        vm.heap.add_external((value.bits() / 8) as isize + 48);
        self.words[0].set(Box::into_raw(Box::new(value)) as u64);
        self.header.bits.set(self.header.bits.get() | LARGE);
        vm.heap.register_free_on_death(self.header());
    }
}

/// Bytes that the decimal text of any `i64` fits.
pub const DECIMAL: usize = 20;

/// The decimal text of an int.
#[inline]
pub fn decimal(i: i64, buf: &mut [u8; DECIMAL]) -> &[u8] {
    let mut rest = i.unsigned_abs();
    let mut at = DECIMAL;
    loop {
        at -= 1;
        buf[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if i < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    &buf[at..]
}

/// `str(i)`. MemoryError.
pub fn decimal_str(vm: &Vm, i: i64) -> R<Ref<crate::types::str::Str>> {
    let mut buf = [0; DECIMAL];
    let text = decimal(i, &mut buf);
    crate::types::str::Str::build(vm, text.len(), text.len(), |to| to.copy_from_slice(text))
}

/// `hash(i)`.
#[inline]
pub fn hash_i64(i: i64) -> i64 {
    // A remainder takes longer than all the rest of a look-up.
    let h = if i.unsigned_abs() < HASH_MODULUS as u64 { i } else { i % HASH_MODULUS };
    if h == -1 { -2 } else { h }
}

/// `hash` of an int of 128 bits.
pub fn hash_wide(i: i128) -> i64 {
    let h = (i.unsigned_abs() % HASH_MODULUS as u128) as i64;
    match if i < 0 { -h } else { h } {
        -1 => -2,
        h => h,
    }
}

/// `hash` of an int of any size.
pub fn hash_big(b: &Big) -> i64 {
    let m = HASH_MODULUS as u128;
    let h = b.magnitude().iter_u64_digits().rev().fold(0, |h, digit| (h << 64 | u128::from(digit)) % m);
    let h = h as i64;
    match if b.sign() == Sign::Minus { -h } else { h } {
        -1 => -2,
        h => h,
    }
}

/// The nearest float, ties to even; infinite if too large.
pub fn big_to_f64(b: &Big) -> f64 {
    let bits = b.bits();
    if bits > 1100 {
        return if b.sign() == Sign::Minus { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    if bits <= 64 {
        let m = b.magnitude().iter_u64_digits().next().unwrap_or(0) as f64;
        return if b.sign() == Sign::Minus { -m } else { m };
    }
    if bits > 1024 {
        return if b.sign() == Sign::Minus { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // The top 64 bits, the last of which also stands for all below it, are rounded once.
    let shift = bits - 64;
    let top: num_bigint::BigUint = b.magnitude() >> shift;
    let mut m = top.iter_u64_digits().next().unwrap_or(0);
    if b.magnitude().trailing_zeros().unwrap_or(0) < shift {
        m |= 1;
    }
    let f = m as f64 * 2f64.powi(shift as i32);
    if b.sign() == Sign::Minus { -f } else { f }
}

/// The modulus of Python's hash of numbers: a Mersenne prime.
pub const HASH_MODULUS: i64 = (1 << 61) - 1;
