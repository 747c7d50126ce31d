//! `slice`: the object.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

/// A slice.
#[repr(C)]
pub struct Slice {
    header: Header,
    pub start: Field,
    pub stop: Field,
    pub step: Field,
}
fixed_object!(Slice, Slice, [start, stop, step]);

/// Byte offsets of start, stop and step, for compiled code.
pub const SLICE_PARTS: [usize; 3] = [
    std::mem::offset_of!(Slice, start),
    std::mem::offset_of!(Slice, stop),
    std::mem::offset_of!(Slice, step),
];

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

/// Start, stop and step of a slice, for a sequence of any length.
pub struct SliceBounds {
    start: i64,
    stop: i64,
    pub step: i64,
}

/// The items of a sequence that a slice selects: `count` items from `start` on, `step` apart.
#[derive(Clone, Copy, Debug)]
pub struct SliceRange {
    pub start: i64,
    /// Where the selection ends; for an empty selection with step 1 not before the start.
    pub stop: i64,
    pub step: i64,
    pub count: usize,
}

impl SliceRange {
    /// The positions in order.
    pub fn positions(self) -> impl Iterator<Item = usize> {
        (0..self.count as i64).map(move |i| (self.start + i * self.step) as usize)
    }

    /// For step 1: the bounds, which are in order.
    pub fn bounds(self) -> (usize, usize) {
        (self.start as usize, self.stop.max(self.start) as usize)
    }
}

/// The numbers in a slice. TypeError, ValueError.
#[inline(always)]
pub fn slice_bounds(vm: &Vm, s: Ref<Slice>) -> R<SliceBounds> {
    let quick = |v: Value, default: i64| match v.is_int() {
        true => Some(v.as_small_int()),
        false => v.is_none().then_some(default),
    };
    // For a start and stop that are not given, numbers that any length brings to its ends.
    let step = quick(s.step.or_none(), 1).filter(|&step| step != 0);
    let (first, last) = if step < Some(0) { (i64::MAX, i64::MIN) } else { (0, i64::MAX) };
    match (quick(s.start.or_none(), first), quick(s.stop.or_none(), last), step) {
        (Some(start), Some(stop), Some(step)) => Ok(SliceBounds { start, stop, step }),
        _ => any_bounds(vm, s),
    }
}

#[inline(never)]
fn any_bounds(vm: &Vm, s: Ref<Slice>) -> R<SliceBounds> {
    let read = |v: Value, default: i64| -> R<i64> {
        if v.is_none() {
            return Ok(default);
        }
        check_index(vm, v)?;
        vm.index_clamped(v)
    };
    let step = read(s.step.or_none(), 1)?;
    if step == 0 {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    // So that it can be negated.
    let step = step.max(-i64::MAX);
    let (first, last) = if step < 0 { (i64::MAX, i64::MIN) } else { (0, i64::MAX) };
    Ok(SliceBounds { start: read(s.start.or_none(), first)?, stop: read(s.stop.or_none(), last)?, step })
}

/// TypeError if this is no index of a slice.
pub fn check_index(vm: &Vm, v: Value) -> R<()> {
    if vm.is_int(v) || vm.type_of(v).special(vm, Special::Index).is_some() {
        return Ok(());
    }
    Err(vm.type_error("slice indices must be integers or None or have an __index__ method"))
}

impl SliceBounds {
    /// For a sequence of this length.
    #[inline(always)]
    pub fn of_len(&self, len: usize) -> SliceRange {
        let (len, step) = (len as i64, self.step);
        let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
        let clamp = |i: i64| if i < 0 { i.saturating_add(len).max(low) } else { i.min(high) };
        let (start, stop) = (clamp(self.start), clamp(self.stop));
        let count = crate::types::range::range_len(start, stop, step) as usize;
        SliceRange { start, stop, step, count }
    }
}

impl Vm {
    /// What a slice selects of a sequence, whose length is asked for when Python code has told the bounds: it
    /// may have changed the sequence. TypeError, ValueError.
    pub fn slice_range(&self, s: Ref<Slice>, len: impl FnOnce() -> usize) -> R<SliceRange> {
        let bounds = slice_bounds(self, s)?;
        Ok(bounds.of_len(len()))
    }
}
