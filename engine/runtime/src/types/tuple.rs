//! `tuple`: a fixed row of values.
//!
//! ```text
//! Tuple | header | length | item 0 | item 1 | …
//! ```

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A Python tuple.
#[repr(C)]
pub struct Tuple {
    header: Header,
    len: Cell<usize>,
    items: [Field; 0],
}

/// Byte offsets for compiled code.
pub const TUPLE_LEN: usize = std::mem::offset_of!(Tuple, len);
pub const TUPLE_ITEMS: usize = std::mem::offset_of!(Tuple, items);

// SAFETY: the length never changes after allocation.
unsafe impl Object for Tuple {
    const KIND: Kind = Kind::Tuple;
    fn size(&self) -> usize {
        size_of::<Tuple>() + 8 * self.len()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for item in self.fields() {
            item.trace(tracer);
        }
    }
}

impl Tuple {
    /// A new tuple of these items. MemoryError.
    pub fn new(vm: &Vm, items: &[Value]) -> R<Ref<Tuple>> {
        if items.is_empty()
            && let Some(empty) = vm.empty_tuple.get()
        {
            return Ok(empty);
        }
        Tuple::with_shape(vm, items, vm.types.tuple.root_shape_id())
    }

    /// As [`Tuple::new`], for a subclass. MemoryError.
    pub fn with_shape(vm: &Vm, items: &[Value], shape: u32) -> R<Ref<Tuple>> {
        let size = items.len() * 8 + size_of::<Tuple>();
        let tuple = vm.alloc::<Tuple>(size, shape)?;
        tuple.len.set(items.len());
        for (field, &item) in tuple.fields().iter().zip(items) {
            field.init(item);
        }
        Ok(tuple)
    }

    /// As [`Tuple::new`], for any subclass, with room for its dictionary. MemoryError.
    pub fn of_type(vm: &Vm, ty: Ref<Type>, items: &[Value]) -> R<Ref<Tuple>> {
        if ty == vm.types.tuple {
            return Tuple::new(vm, items);
        }
        let size = items.len() * 8 + size_of::<Tuple>() + vm.dict_word_size(ty);
        let tuple = vm.alloc::<Tuple>(size, vm.instance_shape::<Tuple>(ty)?)?;
        tuple.len.set(items.len());
        vm.mark_instance(tuple.header(), ty);
        for (field, &item) in tuple.fields().iter().zip(items) {
            field.init(item);
        }
        Ok(tuple)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len.get()
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn fields(&self) -> &[Field] {
        // SAFETY: `len` slots follow the struct.
        unsafe { std::slice::from_raw_parts(self.items.as_ptr(), self.len()) }
    }

    /// The items; a tuple never changes.
    #[inline(always)]
    pub fn items(&self) -> &[Value] {
        // SAFETY: `len` slots follow the struct, each set by `new`; a `Field` is one word.
        unsafe { std::slice::from_raw_parts(self.items.as_ptr().cast::<Value>(), self.len()) }
    }
}

impl Ref<Tuple> {
    /// Puts an item into a tuple that is being made and that no program has seen.
    pub fn complete(self, vm: &Vm, i: usize, v: Value) {
        if let Some(field) = self.fields().get(i) {
            field.set(vm, self, v);
        }
    }
}

/// Most items that a tuple of any shape can have.
pub const MAX_LEN: usize = isize::MAX as usize / 16;

/// The hash of a tuple. TypeError.
pub fn hash_tuple(vm: &Vm, t: Ref<Tuple>) -> R<i64> {
    crate::interp::check_native_stack(vm, "")?;
    tuple_hash(t.items().iter().map(|&v| vm.hash(v)))
}

/// `a == b` of plain tuples.
pub fn equal_tuples(vm: &Vm, a: Ref<Tuple>, b: Ref<Tuple>) -> R<bool> {
    crate::interp::check_native_stack(vm, " in comparison")?;
    if a.len() != b.len() {
        return Ok(false);
    }
    for (&x, &y) in a.items().iter().zip(b.items()) {
        if !vm.eq(x, y)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Python's hash of a tuple of items with these hashes: xxHash without its last rounds.
pub fn tuple_hash(hashes: impl ExactSizeIterator<Item = R<i64>>) -> R<i64> {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let len = hashes.len() as u64;
    let mut acc = P5;
    for h in hashes {
        acc = acc.wrapping_add((h? as u64).wrapping_mul(P2));
        acc = acc.rotate_left(31).wrapping_mul(P1);
    }
    acc = acc.wrapping_add(len ^ (P5 ^ 3_527_539));
    Ok(if acc == u64::MAX { 1_546_275_796 } else { acc as i64 })
}
