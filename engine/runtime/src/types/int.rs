//! `int`: immediate words up to 62 bits, else boxed big integers.

use crate::object::{Header, Kind, Object, Ref, Tracer};
use crate::value::R;
use crate::vm::Vm;
use num_bigint::{BigInt as Big, Sign};
use std::borrow::Cow;
use std::cell::{Cell, UnsafeCell};

/// A boxed int: too large for a word, or an instance of a subclass.
///
/// One of 64 bits is in the object itself: hashes and masks are mostly so large, and have nothing to
/// free.
#[repr(C)]
pub struct BigInt {
    header: Header,
    small: Cell<i64>,
    /// The value where it takes more than 64 bits; owned.
    large: UnsafeCell<Option<Box<Big>>>,
}

// SAFETY: no references; the box is freed with the object, which is registered for it.
unsafe impl Object for BigInt {
    const KIND: Kind = Kind::Int;
    fn size(&self) -> usize {
        size_of::<BigInt>()
    }
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn drop_external(&mut self) {
        self.large.get_mut().take();
    }
}

impl BigInt {
    /// A boxed int of any size. MemoryError.
    pub fn new(vm: &Vm, value: Big) -> R<Ref<BigInt>> {
        let b = vm.alloc_fixed::<BigInt>(vm.types.int.root_shape_id())?;
        b.init(vm, value);
        Ok(b)
    }

    /// A boxed int of 64 bits. MemoryError.
    pub fn new_small(vm: &Vm, value: i64) -> R<Ref<BigInt>> {
        let b = vm.alloc_fixed::<BigInt>(vm.types.int.root_shape_id())?;
        b.small.set(value);
        Ok(b)
    }

    /// The value where it takes more than 64 bits.
    #[inline]
    fn large(&self) -> Option<&Big> {
        // SAFETY: set once, before anyone else sees the object.
        unsafe { &*self.large.get() }.as_deref()
    }

    /// The value where it fits.
    #[inline]
    pub fn small(&self) -> Option<i64> {
        self.large().is_none().then_some(self.small.get())
    }

    #[inline]
    pub fn get(&self) -> Cow<'_, Big> {
        match self.large() {
            Some(b) => Cow::Borrowed(b),
            None => Cow::Owned(Big::from(self.small.get())),
        }
    }

    pub fn is_negative(&self) -> bool {
        self.large().map_or(self.small.get() < 0, |b| b.sign() == Sign::Minus)
    }

    pub fn is_zero(&self) -> bool {
        self.large().is_none() && self.small.get() == 0
    }
}

impl Ref<BigInt> {
    /// Sets the value of a fresh object.
    pub fn init(self, vm: &Vm, value: Big) {
        if let Ok(small) = i64::try_from(&value) {
            self.small.set(small);
            return;
        }
        vm.heap.add_external((value.bits() / 8) as isize + 48);
        // SAFETY: fresh, so no reference to the value is out.
        unsafe { *self.large.get() = Some(Box::new(value)) };
        vm.heap.register_free_on_death(self.header());
    }
}
