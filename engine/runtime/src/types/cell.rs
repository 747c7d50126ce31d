//! Cells: the boxes of closure variables and of module globals.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A box that holds a value or nothing (UNBOUND).
#[repr(C)]
pub struct CellObject {
    header: Header,
    contents: Field,
}
fixed_object!(CellObject, Cell, [contents]);

/// Byte offset of the contents, for compiled code.
pub const CELL_CONTENTS: usize = std::mem::offset_of!(CellObject, contents);

impl CellObject {
    /// MemoryError.
    pub fn new(vm: &Vm, v: Value) -> R<Ref<CellObject>> {
        let cell = vm.alloc_fixed::<CellObject>(vm.types.cell.root_shape_id())?;
        cell.contents.init(v);
        Ok(cell)
    }

    /// The contents; UNBOUND if empty.
    #[inline(always)]
    pub fn get(&self) -> Value {
        self.contents.get().unwrap_or(Value::UNBOUND)
    }
}

impl Ref<CellObject> {
    #[inline(always)]
    pub fn set(self, vm: &Vm, v: Value) {
        self.contents.set(vm, self, v);
    }
}
