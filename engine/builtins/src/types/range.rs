//! What Python code sees of `range`, `range_iterator`.

use super::slice::big_bounds;
use num_bigint::{BigInt as Big, Sign};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::range::{Range, RangeIter, range_len};
use skein_runtime::types::slice::Slice;
use skein_runtime::types::slice::slice_bounds;
use skein_runtime::types::tuple::tuple_hash;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "range", Kind::Range, type_flags::SEQUENCE,
        "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nReturn an object that produces a sequence of integers from start (inclusive)\nto stop (exclusive) by step.  range(i, j) produces i, i+1, i+2, ..., j-1.\nstart defaults to 0, and stop is omitted!  range(4) produces 0, 1, 2, 3.\nThese are exactly the valid indices for a list of 4 elements.\nWhen step is given, it specifies the increment (or decrement).";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__len__($self, /)" => len;
        "__bool__($self, /)" => |vm: &Vm, r: Ref<Range>| big_len(vm, r) != Big::from(0);
        "__getitem__($self, key, /)" => getitem;
        "__contains__($self, key, /)" => contains;
        "__iter__($self, /)" => iter;
        "__reversed__($self, /)" => reversed;
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "count($self, value, /)" => count, "rangeobject.count(value) -> integer -- return number of occurrences of value";
        "index($self, value, /)" => index, "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value is not present.";
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "start" => |_: &Vm, v: Ref<Range>| Ok(v.start.value());
        "stop" => |_: &Vm, v: Ref<Range>| Ok(v.stop.value());
        "step" => |_: &Vm, v: Ref<Range>| Ok(v.step.value());
    }
}

native_type! {
    pub ITERATOR: "range_iterator", Kind::RangeIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: Ref<RangeIter>| it.advance().unwrap_or(vm.stop());
        "__length_hint__($self, /)" => |vm: &Vm, it: Ref<RangeIter>| vm.int_u64(it.left.get());
        "__reduce__($self, /)" => reduce_iter;
        "__setstate__($self, state, /)" => setstate_iter;
    }
}

/// Iterator over a range that has large ints.
struct LongRangeIter {
    next: Field,
    step: Field,
    left: Field,
}

impl Payload for LongRangeIter {
    const NAME: &'static str = "longrange_iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let LongRangeIter { next, step, left } = self;
        next.trace(t);
        step.trace(t);
        left.trace(t);
    }
}

native_type! {
    LONG_ITERATOR: "longrange_iterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => next_long;
        "__length_hint__($self, /)" => |_: &Vm, it: ExtArg<LongRangeIter>| it.0.left.value();
        "__reduce__($self, /)" => reduce_long, "Return state information for pickling.";
        "__setstate__($self, state, /)" => setstate_long, "Set state information for unpickling.";
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    skein_runtime::types::ext::class_argument(vm, &args, vm.types.range)?;
    if args.has_keywords() {
        return Err(vm.type_error("range() takes no keyword arguments"));
    }
    let zero = Value::small_int(0);
    let one = Value::small_int(1);
    let (start, stop, step) = match args.positional()[1..] {
        [stop] => (zero, vm.index(stop)?, one),
        [start, stop] => (vm.index(start)?, vm.index(stop)?, one),
        [start, stop, step] => (vm.index(start)?, vm.index(stop)?, vm.index(step)?),
        [] => return Err(vm.type_error("range expected at least 1 argument, got 0")),
        ref more => {
            return Err(vm.type_error(format!("range expected at most 3 arguments, got {}", more.len())));
        }
    };
    let plain = |v: Value| if v.is_bool() { Value::small_int(i64::from(v.is(Value::TRUE))) } else { v };
    let (start, stop, step) = (plain(start), plain(stop), plain(step));
    if step.is(zero) || vm.as_i64(step) == Some(0) {
        return Err(vm.value_error("range() arg 3 must not be zero"));
    }
    Ok(Range::new(vm, start, stop, step)?.value())
}

fn big(vm: &Vm, v: Value) -> Big {
    vm.as_big(v).unwrap_or_default()
}

/// Start, stop and step of any size.
fn bounds(vm: &Vm, r: Ref<Range>) -> (Big, Big, Big) {
    (big(vm, r.start.value()), big(vm, r.stop.value()), big(vm, r.step.value()))
}

fn big_len(vm: &Vm, r: Ref<Range>) -> Big {
    if let Some((a, b, c)) = r.small() {
        return Big::from(range_len(a, b, c));
    }
    let (start, stop, step) = bounds(vm, r);
    let (distance, step) =
        if step.sign() == Sign::Minus { (start - stop, -step) } else { (stop - start, step) };
    if distance.sign() == Sign::Plus { (distance - 1) / step + 1 } else { Big::from(0) }
}

fn len(vm: &Vm, r: Ref<Range>) -> R<i64> {
    i64::try_from(big_len(vm, r))
        .map_err(|_| vm.overflow_error("Python int too large to convert to C ssize_t"))
}

fn getitem(vm: &Vm, r: Ref<Range>, key: Value) -> R<Value> {
    if let Some(s) = key.cast::<Slice>() {
        return slice(vm, r, s);
    }
    if let (Some((start, stop, step)), true) = (r.small(), key.is_int()) {
        let (n, i) = (range_len(start, stop, step) as i64, key.as_small_int());
        let at = if i < 0 { i + n } else { i };
        if at < 0 || at >= n {
            return Err(vm.index_error("range object index out of range"));
        }
        return vm.int(start + at * step);
    }
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(
            vm.type_error(format!("range indices must be integers or slices, not {}", vm.type_name(key)))
        );
    }
    let (n, i) = (big_len(vm, r), big(vm, vm.index(key)?));
    let at = if i.sign() == Sign::Minus { i + &n } else { i };
    if at.sign() == Sign::Minus || at >= n {
        return Err(vm.index_error("range object index out of range"));
    }
    let (start, _, step) = bounds(vm, r);
    vm.big_int(start + at * step)
}

/// `r[s]` where all numbers on the way are words.
fn small_slice(vm: &Vm, r: Ref<Range>, s: Ref<Slice>) -> R<Option<Value>> {
    let Some((start, stop, step)) = r.small() else { return Ok(None) };
    let fits = |v: Value| v.is_none() || v.is_int();
    let n = range_len(start, stop, step);
    // A word has 62 bits: so much room is left that nothing below overflows.
    const FEW: u64 = 1 << 30;
    if n > FEW
        || step.unsigned_abs() > FEW
        || !(fits(s.start.or_none()) && fits(s.stop.or_none()) && s.step.or_none().is_none())
    {
        return Ok(None);
    }
    let part = slice_bounds(vm, s)?.of_len(n as usize);
    let row = [vm.int(start + part.start * step)?, vm.int(start + part.stop * step)?];
    Ok(Some(Range::new(vm, row[0], row[1], r.step.value())?.value()))
}

fn slice(vm: &Vm, r: Ref<Range>, s: Ref<Slice>) -> R<Value> {
    if let Some(v) = small_slice(vm, r, s)? {
        return Ok(v);
    }
    let n = big_len(vm, r);
    let (a, b, c) = big_bounds(vm, s, &n)?;
    let (start, _, step) = bounds(vm, r);
    let row = [vm.big_int(&start + a * &step)?, vm.big_int(&start + b * &step)?, vm.big_int(c * &step)?];
    Ok(Range::new(vm, row[0], row[1], row[2])?.value())
}

/// The position of an int in the range.
fn position(vm: &Vm, r: Ref<Range>, v: Value) -> Option<Big> {
    if let (Some((start, stop, step)), Some(i)) = (r.small(), vm.as_i64(v)) {
        let inside = if step > 0 { start <= i && i < stop } else { stop < i && i <= start };
        return (inside && (i - start) % step == 0).then(|| Big::from((i - start) / step));
    }
    let (start, stop, step) = bounds(vm, r);
    let i = big(vm, v);
    let inside = if step.sign() == Sign::Plus { start <= i && i < stop } else { stop < i && i <= start };
    let distance = i - start;
    (inside && &distance % &step == Big::from(0)).then(|| distance / step)
}

/// Is it an int whose `==` is that of ints?
fn is_plain_int(vm: &Vm, v: Value) -> bool {
    v.is_int() || v.is_bool() || vm.type_of(v) == vm.types.int
}

fn contains(vm: &Vm, r: Ref<Range>, v: Value) -> R<bool> {
    if is_plain_int(vm, v) {
        return Ok(position(vm, r, v).is_some());
    }
    vm.contains_by_iteration(r.value(), v)
}

fn count(vm: &Vm, r: Ref<Range>, v: Value) -> R<usize> {
    if is_plain_int(vm, v) {
        return Ok(usize::from(position(vm, r, v).is_some()));
    }
    let mut n = 0;
    vm.for_each(r.value(), |x| {
        n += usize::from(vm.eq(x, v)?);
        Ok(())
    })?;
    Ok(n)
}

fn index(vm: &Vm, r: Ref<Range>, v: Value) -> R<Value> {
    if is_plain_int(vm, v) {
        return match position(vm, r, v) {
            Some(i) => vm.big_int(i),
            None => Err(vm.value_error(format!("{} is not in range", vm.repr_string(v)?))),
        };
    }
    let it = vm.iter(r.value())?;
    let mut i = 0;
    while let Some(x) = vm.next(it)? {
        if vm.eq(x, v)? {
            return vm.int(i);
        }
        i += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence"))
}

fn iter(vm: &Vm, r: Ref<Range>) -> R<Value> {
    if let Some((start, stop, step)) = r.small() {
        return Ok(RangeIter::new(vm, start, step, range_len(start, stop, step))?.value());
    }
    let left = vm.big_int(big_len(vm, r))?;
    long_iter(vm, r.start.value(), r.step.value(), left)
}

fn long_iter(vm: &Vm, next: Value, step: Value, left: Value) -> R<Value> {
    let ty = skein_runtime::types::ext::ext_type(vm, &LONG_ITERATOR)?;
    let payload = LongRangeIter {
        next: Field::new(Some(next)),
        step: Field::new(Some(step)),
        left: Field::new(Some(left)),
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

fn reversed(vm: &Vm, r: Ref<Range>) -> R<Value> {
    if let Some((start, stop, step)) = r.small() {
        let n = range_len(start, stop, step);
        if n == 0 {
            return Ok(RangeIter::new(vm, 0, 1, 0)?.value());
        }
        let last = start + (n as i64 - 1) * step;
        if let (Some(_), Some(down)) = (Value::try_int(last), step.checked_neg()) {
            return Ok(RangeIter::new(vm, last, down, n)?.value());
        }
    }
    let (start, _, step) = bounds(vm, r);
    let n = big_len(vm, r);
    let last = vm.big_int(start + (&n - 1) * &step)?;
    let down = vm.big_int(-step)?;
    let left = vm.big_int(n)?;
    long_iter(vm, last, down, left)
}

fn next_long(vm: &Vm, it: ExtArg<LongRangeIter>) -> R<Value> {
    let it = it.0;
    let left = big(vm, it.left.value());
    if left.sign() != Sign::Plus {
        return Ok(vm.stop());
    }
    let v = it.next.value();
    let next = vm.big_int(big(vm, v) + big(vm, it.step.value()))?;
    let left = vm.big_int(left - 1)?;
    it.next.set(vm, it, next);
    it.left.set(vm, it, left);
    Ok(v)
}

/// `iter` of the range that is left.
fn reduce_long(vm: &Vm, it: ExtArg<LongRangeIter>) -> R<Value> {
    let (start, step, left) = (it.0.next.value(), it.0.step.value(), it.0.left.value());
    let stop = vm.big_int(big(vm, start) + big(vm, step) * big(vm, left))?;
    let args = vm.tuple(&[Range::new(vm, start, stop, step)?.value()])?;
    vm.tuple(&[vm.builtin("iter")?, args, Value::NONE])
}

/// Skips as many items.
fn setstate_long(vm: &Vm, it: ExtArg<LongRangeIter>, state: Value) -> R<()> {
    let it = it.0;
    let left = big(vm, it.left.value());
    let n = big(vm, vm.index(state)?).max(Big::from(0)).min(left.clone());
    let next = vm.big_int(big(vm, it.next.value()) + big(vm, it.step.value()) * &n)?;
    let left = vm.big_int(left - n)?;
    it.next.set(vm, it, next);
    it.left.set(vm, it, left);
    Ok(())
}

fn equal(vm: &Vm, a: Ref<Range>, b: Ref<Range>) -> bool {
    let (n, m) = (big_len(vm, a), big_len(vm, b));
    let (x, y) = (bounds(vm, a), bounds(vm, b));
    n == m && (n == Big::from(0) || (x.0 == y.0 && (n == Big::from(1) || x.2 == y.2)))
}

fn eq(vm: &Vm, a: Ref<Range>, b: Value) -> Value {
    b.cast::<Range>().map_or(Value::NOT_IMPLEMENTED, |b| Value::bool(equal(vm, a, b)))
}

fn ne(vm: &Vm, a: Ref<Range>, b: Value) -> Value {
    b.cast::<Range>().map_or(Value::NOT_IMPLEMENTED, |b| Value::bool(!equal(vm, a, b)))
}

fn hash(vm: &Vm, r: Ref<Range>) -> R<Value> {
    // As a tuple of length, start and step, where what does not matter is None.
    let n = big_len(vm, r);
    let none = Value::NONE;
    let length = vm.big_int(n.clone())?;
    let row = match n {
        n if n == Big::from(0) => [length, none, none],
        n if n == Big::from(1) => [length, r.start.value(), none],
        _ => [length, r.start.value(), r.step.value()],
    };
    let h = tuple_hash(row.iter().map(|&v| vm.hash(v)))?;
    vm.int(h)
}

fn repr(vm: &Vm, r: Ref<Range>) -> R<String> {
    let (start, stop, step) = bounds(vm, r);
    Ok(if step == Big::from(1) {
        format!("range({start}, {stop})")
    } else {
        format!("range({start}, {stop}, {step})")
    })
}

fn reduce(vm: &Vm, r: Ref<Range>) -> R<Value> {
    let args = vm.tuple(&[r.start.value(), r.stop.value(), r.step.value()])?;
    vm.tuple(&[vm.types.range.value(), args])
}

/// `(iter, (range,), None)`: of the items that are left.
fn reduce_iter(vm: &Vm, it: Ref<RangeIter>) -> R<Value> {
    let left = it.left.get();
    let step = it.step.get() as i64 >> 2;
    let start = it.next.get() as i64 >> 2;
    let start = vm.int(start)?;
    let stop = vm.big_int(big(vm, start) + Big::from(step) * left)?;
    let rest = Range::new(vm, start, stop, vm.int(step)?)?;
    let args = vm.tuple(&[rest.value()])?;
    vm.tuple(&[vm.builtin("iter")?, args, Value::NONE])
}

/// Skips as many items.
fn setstate_iter(_: &Vm, it: Ref<RangeIter>, state: i64) {
    let n = (state.max(0) as u64).min(it.left.get());
    it.next.set(it.next.get().wrapping_add(it.step.get().wrapping_mul(n)));
    it.left.set(it.left.get() - n);
}
