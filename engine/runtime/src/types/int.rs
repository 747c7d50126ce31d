//! `int`: immediate words up to 62 bits, else boxed big integers.

use crate::object::{Header, Kind, Object, Ref, Tracer};
use crate::value::R;
use crate::vm::Vm;
use num_bigint::BigInt as Big;
use std::cell::UnsafeCell;

/// A boxed int: too large for a word, or an instance of a subclass.
#[repr(C)]
pub struct BigInt {
    header: Header,
    /// Null until set; owned.
    value: UnsafeCell<Option<Box<Big>>>,
}

// SAFETY: no references; the box is freed with the object, which is registered for it.
unsafe impl Object for BigInt {
    const KIND: Kind = Kind::Int;
    fn size(&self) -> usize {
        size_of::<BigInt>()
    }
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn drop_external(&mut self) {
        self.value.get_mut().take();
    }
}

impl BigInt {
    /// A boxed int of any size. MemoryError.
    pub fn new(vm: &Vm, value: Big) -> R<Ref<BigInt>> {
        let b = vm.alloc_fixed::<BigInt>(vm.types.int.root_shape_id())?;
        b.init(vm, value);
        Ok(b)
    }

    #[inline]
    pub fn get(&self) -> &Big {
        // SAFETY: set once, before anyone else sees the object.
        match unsafe { &*self.value.get() } {
            Some(b) => b,
            None => unreachable!("set by the constructors"),
        }
    }
}

impl Ref<BigInt> {
    /// Sets the value of a fresh object.
    pub fn init(self, vm: &Vm, value: Big) {
        vm.heap.add_external((value.bits() / 8) as isize + 48);
        // SAFETY: fresh, so no reference to the value is out.
        unsafe { *self.value.get() = Some(Box::new(value)) };
        vm.heap.register_free_on_death(self.header());
    }
}
