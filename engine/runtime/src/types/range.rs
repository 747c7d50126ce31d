//! `range` and its iterator: the objects.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A range; the bounds are ints of any size.
#[repr(C)]
pub struct Range {
    header: Header,
    pub start: Field,
    pub stop: Field,
    pub step: Field,
}
fixed_object!(Range, Range, [start, stop, step]);

impl Range {
    /// MemoryError.
    pub fn new(vm: &Vm, start: Value, stop: Value, step: Value) -> R<Ref<Range>> {
        let r = vm.alloc_fixed::<Range>(vm.types.range.root_shape_id())?;
        r.start.init(start);
        r.stop.init(stop);
        r.step.init(step);
        Ok(r)
    }

    /// The bounds, if all are immediate ints.
    pub fn small(&self) -> Option<(i64, i64, i64)> {
        let (a, b, c) = (self.start.value(), self.stop.value(), self.step.value());
        (a.is_int() && b.is_int() && c.is_int())
            .then(|| (a.as_small_int(), b.as_small_int(), c.as_small_int()))
    }
}

/// Iterator over a range of immediate ints.
#[repr(C)]
pub struct RangeIter {
    header: Header,
    /// The next item as a word.
    pub next: Cell<u64>,
    /// Difference of two items' words: the step, shifted as ints are.
    pub step: Cell<u64>,
    /// Items left.
    pub left: Cell<u64>,
}
fixed_object!(RangeIter, RangeIter, []);

impl RangeIter {
    /// Over `count` items from `start`; the items must all be immediate ints. MemoryError.
    pub fn new(vm: &Vm, start: i64, step: i64, count: u64) -> R<Ref<RangeIter>> {
        let it = vm.alloc_fixed::<RangeIter>(vm.types.range_iterator.root_shape_id())?;
        it.next.set(Value::small_int(start).bits());
        it.step.set((step << 2) as u64);
        it.left.set(count);
        Ok(it)
    }

    /// The next item.
    #[inline(always)]
    pub fn advance(&self) -> Option<Value> {
        let left = self.left.get();
        if left == 0 {
            return None;
        }
        let word = self.next.get();
        self.left.set(left - 1);
        self.next.set(word.wrapping_add(self.step.get()));
        // SAFETY: an int's word; the last one past the end is never handed out.
        Some(unsafe { Value::from_bits(word) })
    }
}

/// Items of a range of i64 bounds.
pub fn range_len(start: i64, stop: i64, step: i64) -> u64 {
    let distance = if step > 0 && start < stop {
        stop.wrapping_sub(start) as u64
    } else if step < 0 && start > stop {
        start.wrapping_sub(stop) as u64
    } else {
        return 0;
    };
    match step.unsigned_abs() {
        // Nearly always, and a division takes longer than all the rest.
        1 => distance,
        step => (distance - 1) / step + 1,
    }
}
