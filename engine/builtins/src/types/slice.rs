//! What Python code sees of `slice`, and slices as bounds.

use super::common::compare_rows;
use num_bigint::{BigInt as Big, Sign};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::slice::Slice;
use skein_runtime::types::slice::check_index;
use skein_runtime::types::tuple::tuple_hash;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

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
        "start" => |_: &Vm, v: Ref<Slice>| Ok(v.start.or_none());
        "stop" => |_: &Vm, v: Ref<Slice>| Ok(v.stop.or_none());
        "step" => |_: &Vm, v: Ref<Slice>| Ok(v.step.or_none());
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    skein_runtime::types::ext::class_argument(vm, &args, vm.types.slice)?;
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
