//! Views and iterators of dicts (and the iterator of sets): the objects.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// `dict_keys`, `dict_values`, `dict_items`.
#[repr(C)]
pub struct DictView {
    header: Header,
    pub dict: Field,
}
fixed_object!(DictView, DictView, [dict]);

impl DictView {
    /// MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, dict: Value) -> R<Ref<DictView>> {
        let v = vm.alloc_fixed::<DictView>(ty.root_shape_id())?;
        v.dict.init(dict);
        Ok(v)
    }
}

/// `dict_keyiterator` and its like, `dict_reverse…iterator`, `set_iterator`.
#[repr(C)]
pub struct DictIter {
    header: Header,
    /// The dict or set; nothing once exhausted.
    pub table: Field,
    /// Next entry.
    pub index: Cell<usize>,
    /// Number of entries at the start: a change of it is an error.
    pub len: Cell<usize>,
    /// How many of them a dict's iterator has not given yet: one more says that others have come in their place.
    pub left: Cell<usize>,
}
fixed_object!(DictIter, DictIter, [table]);

impl DictIter {
    /// MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, table: Value, index: usize, len: usize) -> R<Ref<DictIter>> {
        let it = vm.alloc_fixed::<DictIter>(ty.root_shape_id())?;
        it.table.init(table);
        it.index.set(index);
        it.len.set(len);
        it.left.set(len);
        Ok(it)
    }
}
