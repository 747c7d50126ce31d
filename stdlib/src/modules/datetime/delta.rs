//! `timedelta`.

use super::super::arguments::Parameters;
use super::{holds, make_type};
use num_bigint::BigInt as Big;
use skein_bytecode::Special;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;
use std::ops::{AddAssign, Mul};

/// A duration: `0 <= seconds < 86400`, `0 <= micros < 1000000`.
pub struct Delta {
    pub days: i32,
    pub seconds: i32,
    pub micros: i32,
    hash: Cell<Option<i64>>,
}

impl Payload for Delta {
    const NAME: &'static str = "datetime.timedelta";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Delta { days: _, seconds: _, micros: _, hash: _ } = self;
    }
}

pub type DeltaRef = Ref<Ext<Delta>>;
type This = ExtArg<Delta>;

const MAX_DAYS: i32 = 999_999_999;
pub const MICROS_PER_SECOND: i64 = 1_000_000;
pub const SECONDS_PER_DAY: i64 = 86_400;
pub const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

native_type! {
    pub DELTA: "datetime.timedelta", Kind::Ext, type_flags::BASETYPE,
        "Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\nAll arguments are optional and default to 0.\nArguments may be integers or floats, and may be positive or negative.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "total_seconds($self, /)" => total_seconds, "Total seconds in the duration.";
        "__reduce__($self, /)" => reduce, "__reduce__() -> (cls, state)";
        [simple] "__add__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| from_micros(vm, a.0.total() + b.total()));
        [simple] "__radd__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| from_micros(vm, b.total() + a.0.total()));
        [simple] "__sub__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| from_micros(vm, a.0.total() - b.total()));
        [simple] "__rsub__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| from_micros(vm, b.total() - a.0.total()));
        "__mul__($self, value, /)" => mul;
        "__rmul__($self, value, /)" => mul;
        "__truediv__($self, value, /)" => true_div;
        "__rtruediv__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| true_div(vm, ExtArg(b), a.0.value()));
        "__floordiv__($self, value, /)" => floor_div;
        "__rfloordiv__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| floor_div(vm, ExtArg(b), a.0.value()));
        "__mod__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| Ok(div_mod(vm, a.0, b)?.1));
        "__rmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| Ok(div_mod(vm, b, a.0)?.1));
        "__divmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| { let (q, r) = div_mod(vm, a.0, b)?; vm.tuple(&[q, r]) });
        "__rdivmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| with(b, |b| { let (q, r) = div_mod(vm, b, a.0)?; vm.tuple(&[q, r]) });
        "__neg__($self, /)" => |vm: &Vm, a: This| from_micros(vm, -a.0.total());
        "__pos__($self, /)" => |vm: &Vm, a: This| from_micros(vm, a.0.total());
        "__abs__($self, /)" => |vm: &Vm, a: This| from_micros(vm, a.0.total().abs());
        "__bool__($self, /)" => |_: &Vm, a: This| a.0.total() != 0;
        [simple] "__eq__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Eq, a.0, b);
        [simple] "__ne__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Ne, a.0, b);
        [simple] "__lt__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Lt, a.0, b);
        [simple] "__le__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Le, a.0, b);
        [simple] "__gt__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Gt, a.0, b);
        [simple] "__ge__($self, value, /)" => |_: &Vm, a: This, b: Value| compare(Special::Ge, a.0, b);
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => |_: &Vm, a: This| text(&a.0);
    }
    getset {
        "days" => |vm: &Vm, a: This| vm.int(a.0.days.into());
        "seconds" => |vm: &Vm, a: This| vm.int(a.0.seconds.into());
        "microseconds" => |vm: &Vm, a: This| vm.int(a.0.micros.into());
    }
}

impl Delta {
    /// In microseconds, of which there may be more than an i64 holds.
    pub fn total(&self) -> i128 {
        i128::from(self.days) * i128::from(MICROS_PER_DAY) + i128::from(self.within_day())
    }

    /// What is beyond whole days, in microseconds.
    pub fn within_day(&self) -> i64 {
        i64::from(self.seconds) * MICROS_PER_SECOND + i64::from(self.micros)
    }
}

/// Calls with a delta; NotImplemented for anything else.
fn with(b: Value, f: impl FnOnce(DeltaRef) -> R<Value>) -> R<Value> {
    b.cast::<Ext<Delta>>().map_or(Ok(Value::NOT_IMPLEMENTED), f)
}

/// A delta of the class itself. OverflowError, MemoryError.
pub fn from_micros(vm: &Vm, micros: i128) -> R<Value> {
    Ok(of_type(vm, make_type(vm, &DELTA)?, micros)?.value())
}

/// A delta of at most a day. MemoryError.
pub fn from_seconds(vm: &Vm, seconds: i64) -> R<DeltaRef> {
    of_type(vm, make_type(vm, &DELTA)?, i128::from(seconds) * i128::from(MICROS_PER_SECOND))
}

/// OverflowError, MemoryError.
pub fn of_type(vm: &Vm, ty: Ref<Type>, micros: i128) -> R<DeltaRef> {
    // Most fit a word, whose division is quick.
    let (days, rest) = match i64::try_from(micros) {
        Ok(m) => (i128::from(m.div_euclid(MICROS_PER_DAY)), m.rem_euclid(MICROS_PER_DAY)),
        Err(_) => {
            let day = i128::from(MICROS_PER_DAY);
            (micros.div_euclid(day), micros.rem_euclid(day) as i64)
        }
    };
    let Ok(days) = i32::try_from(days) else { return Err(too_large(vm)) };
    if days.unsigned_abs() > MAX_DAYS.unsigned_abs() {
        return Err(vm.overflow_error(format!("days={days}; must have magnitude <= {MAX_DAYS}")));
    }
    let (seconds, micros) = ((rest / MICROS_PER_SECOND) as i32, (rest % MICROS_PER_SECOND) as i32);
    Ext::new(vm, ty, Delta { days, seconds, micros, hash: Cell::new(None) })
}

#[cold]
fn too_large(vm: &Vm) -> skein_runtime::Raised {
    vm.overflow_error("Python int too large to convert to C int")
}

/// A delta of so many microseconds, which may be too many. OverflowError.
fn from_big(vm: &Vm, micros: &Big) -> R<Value> {
    match i128::try_from(micros) {
        Ok(micros) => from_micros(vm, micros),
        Err(_) => Err(too_large(vm)),
    }
}

static NEW: Parameters = Parameters {
    function: Some("__new__"),
    names: &["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"],
    positional: 7,
};

/// Parameters by the size of their unit, with it in microseconds.
const UNITS: [(usize, i64); 7] = [
    (2, 1),
    (3, 1000),
    (1, MICROS_PER_SECOND),
    (4, 60 * MICROS_PER_SECOND),
    (5, 3600 * MICROS_PER_SECOND),
    (0, MICROS_PER_DAY),
    (6, 7 * MICROS_PER_DAY),
];

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, make_type(vm, &DELTA)?)?;
    let given: [Value; 7] = NEW.bind(vm, args.rest())?;
    let is_small = |&v: &Value| {
        v.is_unbound() || vm.as_i64(v).is_some() || vm.as_float(v).is_some_and(|f| f.abs() < 1e18)
    };
    let total = if given.iter().all(is_small) {
        let int = |v| Ok(vm.as_i64(v).unwrap_or_default().into());
        let whole = |f: f64| Ok(f as i128);
        sum::<i128>(vm, &given, int, whole, |n| n & 1 == 1)?
    } else {
        let int = |v| Ok(vm.as_big(v).unwrap_or_default());
        let whole = |f: f64| {
            let i = vm.call(vm.types.int.value(), &[vm.float(f)?])?;
            Ok(vm.as_big(i).unwrap_or_default())
        };
        let total = sum::<Big>(vm, &given, int, whole, |n| n.bit(0))?;
        i128::try_from(&total).map_err(|_| too_large(vm))?
    };
    Ok(of_type(vm, ty, total)?.value())
}

/// The sum of the parameters in microseconds, each exact but for the last bit of fractions. TypeError.
fn sum<T>(
    vm: &Vm,
    given: &[Value; 7],
    int: impl Fn(Value) -> R<T>,
    whole: impl Fn(f64) -> R<T>,
    is_odd: impl Fn(&T) -> bool,
) -> R<T>
where
    T: From<i64> + Mul<Output = T> + AddAssign,
{
    let (mut total, mut fractions) = (T::from(0), 0.0);
    for (i, unit) in UNITS {
        let v = given[i];
        if v.is_unbound() {
            continue;
        }
        if vm.is_int(v) {
            total += int(v)? * T::from(unit);
        } else if let Some(f) = vm.as_float(v) {
            total += whole(f.trunc())? * T::from(unit);
            let rest = f.fract() * unit as f64;
            total += whole(rest.trunc())?;
            fractions += rest.fract();
        } else {
            let (name, got) = (NEW.names[i], vm.type_name(v));
            return Err(vm.type_error(format!("unsupported type for timedelta {name} component: {got}")));
        }
    }
    if fractions != 0.0 {
        let mut rounded = fractions.round();
        if (rounded - fractions).abs() == 0.5 {
            // To the even one of both results.
            let odd = f64::from(u8::from(is_odd(&total)));
            rounded = 2.0 * ((fractions + odd) * 0.5).round() - odd;
        }
        total += whole(rounded)?;
    }
    Ok(total)
}

fn total_seconds(vm: &Vm, a: This) -> R<Value> {
    quotient(vm, &a.0.total().into(), &MICROS_PER_SECOND.into())
}

/// The nearest float to a quotient of ints. ZeroDivisionError, OverflowError.
fn quotient(vm: &Vm, a: &Big, b: &Big) -> R<Value> {
    // Both are exact as floats, so that one division rounds once.
    const EXACT: i64 = 1 << 53;
    if let (Ok(x), Ok(y)) = (i64::try_from(a), i64::try_from(b))
        && x.abs() <= EXACT
        && y.abs() <= EXACT
        && y != 0
    {
        return vm.float(x as f64 / y as f64);
    }
    let a = vm.big_int(a.clone())?;
    vm.call_method(a, "__truediv__", &[vm.big_int(b.clone())?])
}

fn reduce(vm: &Vm, a: This) -> R<Value> {
    let [days, seconds, micros] = [a.0.days, a.0.seconds, a.0.micros].map(|n| Value::small_int(n.into()));
    let state = vm.tuple(&[days, seconds, micros])?;
    vm.tuple(&[vm.type_of(a.0.value()).value(), state])
}

fn compare(op: Special, a: DeltaRef, b: Value) -> Value {
    match b.cast::<Ext<Delta>>() {
        Some(b) => Value::bool(holds(op, order(&a, &b))),
        None => Value::NOT_IMPLEMENTED,
    }
}

pub fn order(a: &Delta, b: &Delta) -> std::cmp::Ordering {
    (a.days, a.seconds, a.micros).cmp(&(b.days, b.seconds, b.micros))
}

fn hash(vm: &Vm, a: This) -> R<i64> {
    if let Some(h) = a.0.hash.get() {
        return Ok(h);
    }
    let [days, seconds, micros] = [a.0.days, a.0.seconds, a.0.micros].map(|n| Value::small_int(n.into()));
    let h = vm.hash(vm.tuple(&[days, seconds, micros])?)?;
    a.0.hash.set(Some(h));
    Ok(h)
}

/// The ratio that a float is exactly. ValueError, OverflowError.
fn ratio(vm: &Vm, f: Value) -> R<(Big, Big)> {
    let pair = vm.call_method(f, "as_integer_ratio", &[])?;
    let Some(items) = pair.cast::<skein_runtime::types::tuple::Tuple>() else {
        let got = vm.type_name(pair);
        return Err(vm.type_error(format!(
            "unexpected return type from as_integer_ratio(): expected tuple, got '{got}'"
        )));
    };
    let &[a, b] = items.items() else {
        return Err(vm.value_error("unexpected return value from as_integer_ratio(): expected a pair"));
    };
    let int = |v| vm.as_big(v).ok_or_else(|| vm.type_error("as_integer_ratio() must return ints"));
    Ok((int(a)?, int(b)?))
}

/// The nearest int to a quotient; of two the even one. `b` is not 0.
fn nearest(a: &Big, b: &Big) -> Big {
    let (zero, one) = (Big::ZERO, Big::from(1));
    let (mut q, r) = floor_quotient(a, b);
    let twice = r * 2;
    let over = if *b > zero { twice > *b } else { twice < *b };
    if over || (twice == *b && q.bit(0)) {
        q += one;
    }
    q
}

/// Quotient rounded down, and the rest, which has the divisor's sign.
fn floor_quotient(a: &Big, b: &Big) -> (Big, Big) {
    let (q, r) = (a / b, a % b);
    if r.sign() != num_bigint::Sign::NoSign && r.sign() != b.sign() { (q - 1, r + b) } else { (q, r) }
}

fn mul(vm: &Vm, a: This, b: Value) -> R<Value> {
    let total = a.0.total();
    if let Some(n) = vm.as_i64(b) {
        return match total.checked_mul(n.into()) {
            Some(micros) => from_micros(vm, micros),
            None => Err(too_large(vm)),
        };
    }
    if let Some(n) = vm.as_big(b) {
        return from_big(vm, &(Big::from(total) * n));
    }
    if vm.as_float(b).is_some() {
        let (n, d) = ratio(vm, b)?;
        return from_big(vm, &nearest(&(Big::from(total) * n), &d));
    }
    Ok(Value::NOT_IMPLEMENTED)
}

fn by_zero(vm: &Vm) -> skein_runtime::Raised {
    vm.zero_division("division by zero")
}

fn true_div(vm: &Vm, a: This, b: Value) -> R<Value> {
    let total = a.0.total();
    if let Some(b) = b.cast::<Ext<Delta>>() {
        if b.total() == 0 {
            return Err(by_zero(vm));
        }
        return quotient(vm, &total.into(), &b.total().into());
    }
    let (n, d) = if vm.is_int(b) {
        (Big::from(1), vm.as_big(b).unwrap_or_default())
    } else if vm.as_float(b).is_some() {
        let (n, d) = ratio(vm, b)?;
        (d, n)
    } else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if d == Big::ZERO {
        return Err(by_zero(vm));
    }
    from_big(vm, &nearest(&(Big::from(total) * n), &d))
}

fn floor_div(vm: &Vm, a: This, b: Value) -> R<Value> {
    if let Some(b) = b.cast::<Ext<Delta>>() {
        return Ok(div_mod(vm, a.0, b)?.0);
    }
    let Some(n) = vm.as_big(b) else { return Ok(Value::NOT_IMPLEMENTED) };
    if n == Big::ZERO {
        return Err(by_zero(vm));
    }
    from_big(vm, &floor_quotient(&a.0.total().into(), &n).0)
}

fn div_mod(vm: &Vm, a: DeltaRef, b: DeltaRef) -> R<(Value, Value)> {
    let (a, b) = (a.total(), b.total());
    if b == 0 {
        return Err(by_zero(vm));
    }
    let (mut q, mut r) = (a / b, a % b);
    if r != 0 && (r < 0) != (b < 0) {
        (q, r) = (q - 1, r + b);
    }
    Ok((vm.big_int(q.into())?, from_micros(vm, r)?))
}

fn repr(vm: &Vm, a: This) -> String {
    let d = &a.0;
    let fields = [("days", d.days), ("seconds", d.seconds), ("microseconds", d.micros)];
    let shown: Vec<String> =
        fields.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name}={n}")).collect();
    let inside = if shown.is_empty() { "0".to_owned() } else { shown.join(", ") };
    format!("{}({inside})", vm.type_name(a.0.value()))
}

fn text(d: &Delta) -> String {
    let plural = if d.days.abs() == 1 { "" } else { "s" };
    let days = if d.days == 0 { String::new() } else { format!("{} day{plural}, ", d.days) };
    let (h, m, s) = (d.seconds / 3600, d.seconds / 60 % 60, d.seconds % 60);
    let micros = if d.micros == 0 { String::new() } else { format!(".{:06}", d.micros) };
    format!("{days}{h}:{m:02}:{s:02}{micros}")
}
