//! Iterators by index: over lists, tuples, strings and anything with `__getitem__`; and `iter(callable, sentinel)`.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// An iterator that counts an index up (or down) over a sequence. Which type it is says how it
/// reads: `list_iterator`, `tuple_iterator`, `str_iterator`, `bytes_iterator`, `iterator`, `reversed`, …
#[repr(C)]
pub struct SeqIter {
    header: Header,
    /// The sequence; nothing once it is exhausted. For `callable_iterator` the callable.
    pub sequence: Field,
    /// For `callable_iterator`: the sentinel.
    pub sentinel: Field,
    pub index: Cell<usize>,
}
fixed_object!(SeqIter, SeqIter, [sequence, sentinel]);

impl SeqIter {
    /// MemoryError.
    pub fn new(
        vm: &Vm,
        ty: Ref<crate::types::typeobj::Type>,
        sequence: Value,
        index: usize,
    ) -> R<Ref<SeqIter>> {
        let it = vm.alloc_fixed::<SeqIter>(ty.root_shape_id())?;
        it.sequence.init(sequence);
        it.index.set(index);
        Ok(it)
    }
}
