//! `complex`.

use crate::fixed_object;
use crate::object::{Header, Ref};
use crate::value::R;
use crate::vm::Vm;
use std::cell::Cell;

/// A complex number.
#[repr(C)]
pub struct Complex {
    header: Header,
    re: Cell<f64>,
    im: Cell<f64>,
}
fixed_object!(Complex, Complex, []);

impl Complex {
    /// MemoryError.
    pub fn new(vm: &Vm, re: f64, im: f64) -> R<Ref<Complex>> {
        let c = vm.alloc_fixed::<Complex>(vm.types.complex.root_shape_id())?;
        c.init(re, im);
        Ok(c)
    }

    /// Sets the value of a fresh instance.
    pub fn init(&self, re: f64, im: f64) {
        self.re.set(re);
        self.im.set(im);
    }

    pub fn re(&self) -> f64 {
        self.re.get()
    }

    pub fn im(&self) -> f64 {
        self.im.get()
    }
}
