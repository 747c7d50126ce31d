//! What Python code sees of `slice`, and slices as bounds.

use super::common::{compare_rows, tuple_hash};
use crate::native::Args;
use crate::native_type;
use crate::object::{Kind, Ref};
use crate::types::slice::Slice;
use crate::value::{R, Value};
use crate::vm::Vm;
use num_bigint::{BigInt as Big, Sign};
use skein_bytecode::Special;

native_type! {
    pub DEF: "slice", Kind::Slice, 0,
        "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended slicing (e.g. a[0:10:2]).";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "indices($self, len, /)" => indices;
        "__repr__($self, /)" => repr;
        "__hash__($self, /)" => hash;
        "__eq__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Eq, a, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Ne, a, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Lt, a, b);
        "__le__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Le, a, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Gt, a, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: Ref<Slice>, b: Value| compare(vm, Special::Ge, a, b);
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "start" => |_, v| Ok(this(v).start.or_none());
        "stop" => |_, v| Ok(this(v).stop.or_none());
        "step" => |_, v| Ok(this(v).step.or_none());
    }
}

fn this(v: Value) -> Ref<Slice> {
    // SAFETY: the attributes are those of this type, which has no subclasses of another layout.
    unsafe { v.cast_unchecked() }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    super::class_argument(vm, &args, vm.types.slice)?;
    if args.has_keywords() {
        return Err(vm.type_error("slice() takes no keyword arguments"));
    }
    let (a, b, c) = match args.positional()[1..] {
        [stop] => (Value::NONE, stop, Value::NONE),
        [start, stop] => (start, stop, Value::NONE),
        [start, stop, step] => (start, stop, step),
        [] => return Err(vm.type_error("slice expected at least 1 argument, got 0")),
        ref more => {
            return Err(vm.type_error(format!("slice expected at most 3 arguments, got {}", more.len())));
        }
    };
    Ok(Slice::new(vm, a, b, c)?.value())
}

fn parts(s: Ref<Slice>) -> [Value; 3] {
    [s.start.or_none(), s.stop.or_none(), s.step.or_none()]
}

fn repr(vm: &Vm, s: Ref<Slice>) -> R<Value> {
    super::string_of_items(vm, "slice(", ")", |i| parts(s).get(i).copied())
}

fn hash(vm: &Vm, s: Ref<Slice>) -> R<Value> {
    let h = tuple_hash(parts(s).iter().map(|&v| vm.hash(v)))?;
    vm.int(h)
}

fn compare(vm: &Vm, op: Special, a: Ref<Slice>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Slice>() else { return Ok(Value::NOT_IMPLEMENTED) };
    compare_rows(vm, op, |i| parts(a).get(i).copied(), |i| parts(b).get(i).copied())
}

fn reduce(vm: &Vm, s: Ref<Slice>) -> R<Value> {
    let parts = vm.tuple(&parts(s))?;
    vm.tuple(&[vm.types.slice.value(), parts])
}

/// Start, stop and step of a slice as they are: None where not given.
pub struct SliceBounds {
    start: Option<i64>,
    stop: Option<i64>,
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
pub fn slice_bounds(vm: &Vm, s: Ref<Slice>) -> R<SliceBounds> {
    let read = |v: Value| -> R<Option<i64>> {
        if v.is_none() {
            return Ok(None);
        }
        if v.is_int() {
            return Ok(Some(v.as_small_int()));
        }
        check_index(vm, v)?;
        vm.index_clamped(v).map(Some)
    };
    let step = read(s.step.or_none())?.unwrap_or(1);
    if step == 0 {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    // So that it can be negated.
    let step = step.max(-i64::MAX);
    Ok(SliceBounds { start: read(s.start.or_none())?, stop: read(s.stop.or_none())?, step })
}

fn check_index(vm: &Vm, v: Value) -> R<()> {
    if vm.is_int(v) || vm.type_of(v).special(vm, Special::Index).is_some() {
        return Ok(());
    }
    Err(vm.type_error("slice indices must be integers or None or have an __index__ method"))
}

impl SliceBounds {
    /// For a sequence of this length.
    pub fn of_len(&self, len: usize) -> SliceRange {
        let (len, step) = (len as i64, self.step);
        let (low, high) = if step < 0 { (-1, len - 1) } else { (0, len) };
        let clamp = |v: Option<i64>, default: i64| match v {
            None => default,
            Some(i) if i < 0 => i.saturating_add(len).max(low),
            Some(i) => i.min(high),
        };
        let start = clamp(self.start, if step < 0 { high } else { low });
        let stop = clamp(self.stop, if step < 0 { low } else { high });
        let count = crate::types::range::range_len(start, stop, step) as usize;
        SliceRange { start, stop, step, count }
    }
}

impl Vm {
    /// What a slice selects of a sequence of this length. TypeError, ValueError.
    pub fn slice_range(&self, s: Ref<Slice>, len: usize) -> R<SliceRange> {
        Ok(slice_bounds(self, s)?.of_len(len))
    }
}

/// Bounds of any size, for `slice.indices` and slices of ranges: start, stop and step.
pub fn big_bounds(vm: &Vm, s: Ref<Slice>, len: &Big) -> R<(Big, Big, Big)> {
    let read = |v: Value| -> R<Option<Big>> {
        if v.is_none() {
            return Ok(None);
        }
        check_index(vm, v)?;
        let i = vm.index(v)?;
        Ok(vm.as_big(i))
    };
    let zero = Big::from(0);
    let step = read(s.step.or_none())?.unwrap_or(Big::from(1));
    if step == zero {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let down = step.sign() == Sign::Minus;
    let (low, high) = if down { (Big::from(-1), len - 1) } else { (zero.clone(), len.clone()) };
    let clamp = |v: Option<Big>, default: &Big| match v {
        None => default.clone(),
        Some(i) if i < zero => (i + len).max(low.clone()),
        Some(i) => i.min(high.clone()),
    };
    let start = clamp(read(s.start.or_none())?, if down { &high } else { &low });
    let stop = clamp(read(s.stop.or_none())?, if down { &low } else { &high });
    Ok((start, stop, step))
}

fn indices(vm: &Vm, s: Ref<Slice>, len: Value) -> R<Value> {
    let len = vm.index(len)?;
    let len = vm.as_big(len).unwrap_or_default();
    if len.sign() == Sign::Minus {
        return Err(vm.value_error("length should not be negative"));
    }
    let (a, b, c) = big_bounds(vm, s, &len)?;
    let row = [vm.big_int(a)?, vm.big_int(b)?, vm.big_int(c)?];
    vm.tuple(&row)
}
