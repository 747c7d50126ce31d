//! `slice`: the object.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A slice.
#[repr(C)]
pub struct Slice {
    header: Header,
    pub start: Field,
    pub stop: Field,
    pub step: Field,
}
fixed_object!(Slice, Slice, [start, stop, step]);

impl Slice {
    /// MemoryError.
    pub fn new(vm: &Vm, start: Value, stop: Value, step: Value) -> R<Ref<Slice>> {
        let s = vm.alloc_fixed::<Slice>(vm.types.slice.root_shape_id())?;
        s.start.init(start);
        s.stop.init(stop);
        s.step.init(step);
        Ok(s)
    }
}
