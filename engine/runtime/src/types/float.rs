//! `float`: mostly immediate words; the rest boxed.

use crate::fixed_object;
use crate::object::{Header, Ref};
use crate::value::R;
use crate::vm::Vm;
use std::cell::Cell;

/// A boxed float: of an uncommon exponent, or an instance of a subclass.
#[repr(C)]
pub struct Float {
    header: Header,
    value: Cell<f64>,
}
fixed_object!(Float, Float, []);

impl Float {
    /// MemoryError.
    pub fn new(vm: &Vm, value: f64) -> R<Ref<Float>> {
        let f = vm.alloc_fixed::<Float>(vm.types.float.root_shape_id())?;
        f.value.set(value);
        Ok(f)
    }

    #[inline(always)]
    pub fn get(&self) -> f64 {
        self.value.get()
    }

    /// Sets the value of a fresh instance of a subclass.
    pub fn init(&self, value: f64) {
        self.value.set(value);
    }
}
