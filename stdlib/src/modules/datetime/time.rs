//! `time`.

use super::super::arguments::{Parameters, c_int};
use super::delta::{MICROS_PER_DAY, MICROS_PER_SECOND, from_micros, order};
use super::text::{Shown, push_clock};
use super::{exception_to_equality, holds, is_exact, make_type, parse, text, zone};
use skein_bytecode::Special;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

/// What a clock shows.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micro: u32,
}

impl Clock {
    /// Since midnight.
    pub fn micros(self) -> i64 {
        let minutes = i64::from(self.hour) * 60 + i64::from(self.minute);
        (minutes * 60 + i64::from(self.second)) * MICROS_PER_SECOND + i64::from(self.micro)
    }

    /// Of less than a day.
    pub fn of_micros(n: i64) -> Clock {
        let (seconds, micro) = (n / MICROS_PER_SECOND, (n % MICROS_PER_SECOND) as u32);
        Clock {
            hour: (seconds / 3600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            micro,
        }
    }

    /// The bytes of its state.
    pub fn state(self) -> [u8; 6] {
        let [_, a, b, c] = self.micro.to_be_bytes();
        [self.hour, self.minute, self.second, a, b, c]
    }

    /// What the bytes say, which need not be a time: calculations take any.
    pub fn of_state(b: [u8; 6]) -> Clock {
        Clock { hour: b[0], minute: b[1], second: b[2], micro: u32::from_be_bytes([0, b[3], b[4], b[5]]) }
    }
}

pub struct Time {
    pub clock: Clock,
    pub fold: Cell<bool>,
    pub zone: Field,
    hash: Cell<Option<i64>>,
}

impl Payload for Time {
    const NAME: &'static str = "datetime.time";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Time { clock: _, fold: _, zone, hash: _ } = self;
        zone.trace(t);
    }
}

pub type TimeRef = Ref<Ext<Time>>;
pub type This = ExtArg<Time>;

native_type! {
    pub TIME: "datetime.time", Kind::Ext, type_flags::BASETYPE,
        "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\nAll arguments are optional. tzinfo may be None, or an instance of\na tzinfo subclass. The remaining arguments may be ints.\n";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [class] "fromisoformat($type, object, /)" => from_iso_format, "string -> time from a string in ISO 8601 format";
        [class] "strptime($type, string, format, /)" => |vm: &Vm, class: Ref<Type>, string: Ref<Str>, format: Ref<Str>| parse::by_format(vm, "_strptime_datetime_time", class, string, format),
            "string, format -> new time parsed from a string (like time.strptime()).";
        "isoformat($self, /, timespec='auto')" => iso_format,
            "Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.\n";
        "strftime($self, /, format)" => text::strftime_of_time, "format -> strftime() style string.";
        "__format__($self, format, /)" => text::dunder_format, "Formats self with strftime.";
        "utcoffset($self, /)" => |vm: &Vm, t: This| zone::utc_offset(vm, t.0.zone.get(), Value::NONE), "Return self.tzinfo.utcoffset(self).";
        "tzname($self, /)" => |vm: &Vm, t: This| zone::zone_name(vm, t.0.zone.get(), Value::NONE), "Return self.tzinfo.tzname(self).";
        "dst($self, /)" => |vm: &Vm, t: This| zone::dst(vm, t.0.zone.get(), Value::NONE), "Return self.tzinfo.dst(self).";
        "replace($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &REPLACE),
            "Return time with new specified fields.";
        "__replace__($self, /, **changes)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &DUNDER_REPLACE), "The same as replace().";
        "__reduce_ex__($self, proto, /)" => |vm: &Vm, t: This, protocol: Value| -> R<Value> { let fold = c_int(vm, protocol)? > 3; reduce(vm, t.0, fold) }, "__reduce_ex__(proto) -> (cls, state)";
        "__reduce__($self, /)" => |vm: &Vm, t: This| reduce(vm, t.0, false), "__reduce__() -> (cls, state)";
        "__eq__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Eq, a.0, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ne, a.0, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Lt, a.0, b);
        "__le__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Le, a.0, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Gt, a.0, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ge, a.0, b);
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => |vm: &Vm, t: This| vm.call_method(t.0.value(), "isoformat", &[]);
    }
    getset {
        "hour" => |vm: &Vm, t: This| vm.int(t.0.clock.hour.into());
        "minute" => |vm: &Vm, t: This| vm.int(t.0.clock.minute.into());
        "second" => |vm: &Vm, t: This| vm.int(t.0.clock.second.into());
        "microsecond" => |vm: &Vm, t: This| vm.int(t.0.clock.micro.into());
        "tzinfo" => |_: &Vm, t: This| -> R<Value> { Ok(t.0.zone.or_none()) };
        "fold" => |vm: &Vm, t: This| vm.int(t.0.fold.get().into());
    }
}

/// A clock of hour, minute, second and microsecond. ValueError.
pub fn checked(vm: &Vm, fields: [i32; 4]) -> R<Clock> {
    const MOST: [(&str, i32); 4] = [("hour", 23), ("minute", 59), ("second", 59), ("microsecond", 999_999)];
    for (n, (name, most)) in fields.into_iter().zip(MOST) {
        if !(0..=most).contains(&n) {
            return Err(vm.value_error(format!("{name} must be in 0..{most}, not {n}")));
        }
    }
    let [hour, minute, second, micro] = fields;
    Ok(Clock { hour: hour as u8, minute: minute as u8, second: second as u8, micro: micro as u32 })
}

/// ValueError.
pub fn checked_fold(vm: &Vm, fold: Value, default: bool) -> R<bool> {
    if fold.is_unbound() {
        return Ok(default);
    }
    match c_int(vm, fold)? {
        n @ (0 | 1) => Ok(n == 1),
        n => Err(vm.value_error(format!("fold must be either 0 or 1, not {n}"))),
    }
}

/// Hour, minute, second and microsecond of arguments, or as they were. TypeError, OverflowError.
pub fn clock_arguments(vm: &Vm, given: &[Value], old: Clock) -> R<[i32; 4]> {
    let mut n = [old.hour.into(), old.minute.into(), old.second.into(), old.micro as i32];
    for (slot, &v) in n.iter_mut().zip(given) {
        if !v.is_unbound() {
            *slot = c_int(vm, v)?;
        }
    }
    Ok(n)
}

/// A time of this class, which is not called. MemoryError.
fn allocate(vm: &Vm, class: Ref<Type>, clock: Clock, fold: bool, zone: Option<Value>) -> R<TimeRef> {
    let time = Time { clock, fold: Cell::new(fold), zone: Field::new(zone), hash: Cell::new(None) };
    Ext::new(vm, class, time)
}

/// A time of a class, which is called if it is not time itself.
pub fn make(vm: &Vm, class: Ref<Type>, clock: Clock, fold: bool, zone: Option<Value>) -> R<Value> {
    if is_exact(class, &TIME) {
        return Ok(allocate(vm, class, clock, fold, zone)?.value());
    }
    let [hour, minute, second] = [clock.hour, clock.minute, clock.second].map(|n| Value::small_int(n.into()));
    let micro = Value::small_int(clock.micro.into());
    let made = vm.call(class.value(), &[hour, minute, second, micro, zone.unwrap_or(Value::NONE)])?;
    if fold && let Some(made) = made.cast::<Ext<Time>>() {
        made.fold.set(true);
    }
    Ok(made)
}

/// A plain time.
pub fn plain(vm: &Vm, clock: Clock, fold: bool, zone: Option<Value>) -> R<Value> {
    Ok(allocate(vm, make_type(vm, &TIME)?, clock, fold, zone)?.value())
}

const NAMES: &[&str] = &["hour", "minute", "second", "microsecond", "tzinfo", "fold"];
static NEW: Parameters = Parameters { function: None, names: NAMES, positional: 5 };
static REPLACE: Parameters = Parameters { function: Some("replace"), names: NAMES, positional: 5 };
static DUNDER_REPLACE: Parameters = Parameters { function: Some("__replace__"), names: NAMES, positional: 5 };

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, make_type(vm, &TIME)?)?;
    let given: [Value; 6] = NEW.bind(vm, args.rest())?;
    let count = args.parts().0.len() - 1;
    if (1..=2).contains(&count)
        && !given[0].is_int()
        && !given[0].is_unbound()
        && let Some(mut state) = zone::state_bytes(vm, given[0], "time", |b| b & 0x7f < 24, 0)?
    {
        let zone = zone::state_zone(vm, given[1])?;
        let fold = state[0] > 127;
        state[0] &= 127;
        return Ok(allocate(vm, ty, Clock::of_state(state), fold, zone)?.value());
    }
    let clock = clock_arguments(vm, &given[..4], Clock::default())?;
    let clock = checked(vm, clock)?;
    let fold = checked_fold(vm, given[5], false)?;
    let zone = zone::argument(vm, given[4])?;
    Ok(allocate(vm, ty, clock, fold, zone)?.value())
}

fn from_iso_format(vm: &Vm, class: Ref<Type>, text: Value) -> R<Value> {
    let Some(s) = text.cast::<Str>() else {
        return Err(vm.type_error("fromisoformat: argument must be str"));
    };
    // A time may be marked as such.
    let bytes = s.bytes().strip_prefix(b"T").unwrap_or(s.bytes());
    match parse::time(vm, bytes)? {
        Some(read) => make(vm, class, checked(vm, read.fields)?, false, read.zone),
        None => Err(parse::invalid(vm, s)),
    }
}

fn iso_format(vm: &Vm, t: This, shown: Option<Ref<Str>>) -> R<String> {
    // bounded: the text of a date and a time.
    let mut out = String::with_capacity(15);
    push_clock(&mut out, t.0.clock, Shown::parse(vm, shown)?);
    if let Some(offset) = zone::utc_offset(vm, t.0.zone.get(), Value::NONE)? {
        out.push_str(&text::offset(&offset, ":"));
    }
    Ok(out)
}

fn replace(vm: &Vm, args: Args<'_>, parameters: &Parameters) -> R<Value> {
    let this = args.positional().first().copied().unwrap_or(Value::NONE);
    let Some(old) = this.cast::<Ext<Time>>() else {
        return Err(super::not_of(vm, "replace", Time::NAME, this));
    };
    let given: [Value; 6] = parameters.bind(vm, args.rest())?;
    let clock = clock_arguments(vm, &given[..4], old.clock)?;
    let clock = checked(vm, clock)?;
    let fold = checked_fold(vm, given[5], old.fold.get())?;
    let zone = if given[4].is_unbound() { old.zone.get() } else { zone::argument(vm, given[4])? };
    make(vm, vm.type_of(this), clock, fold, zone)
}

fn reduce(vm: &Vm, t: TimeRef, with_fold: bool) -> R<Value> {
    let mut state = t.clock.state();
    if with_fold && t.fold.get() {
        state[0] |= 128;
    }
    let state = vm.bytes(&state)?;
    let args = match t.zone.get() {
        Some(zone) => vm.tuple(&[state, zone])?,
        None => vm.tuple(&[state])?,
    };
    vm.tuple(&[vm.type_of(t.value()).value(), args])
}

fn offset(vm: &Vm, t: TimeRef) -> R<Option<super::delta::DeltaRef>> {
    zone::utc_offset(vm, t.zone.get(), Value::NONE)
}

fn compare(vm: &Vm, op: Special, a: TimeRef, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Time>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let plain = Value::bool(holds(op, a.clock.cmp(&b.clock)));
    if same_zone(&a.zone, &b.zone) {
        return Ok(plain);
    }
    match (offset(vm, a)?, offset(vm, b)?) {
        (None, None) => Ok(plain),
        (Some(x), Some(y)) if order(&x, &y).is_eq() => Ok(plain),
        (Some(x), Some(y)) => {
            let seconds =
                |t: TimeRef, offset: super::delta::DeltaRef| i128::from(t.clock.micros()) - offset.total();
            Ok(Value::bool(holds(op, seconds(a, x).cmp(&seconds(b, y)))))
        }
        _ => exception_to_equality(vm, op, "can't compare offset-naive and offset-aware times"),
    }
}

/// Is it the same object, or none at both?
pub fn same_zone(a: &Field, b: &Field) -> bool {
    match (a.get(), b.get()) {
        (Some(a), Some(b)) => a.is(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn hash(vm: &Vm, t: This) -> R<i64> {
    if let Some(h) = t.0.hash.get() {
        return Ok(h);
    }
    let first = if t.0.fold.get() {
        // Equal times that only the fold tells apart hash alike.
        make(vm, vm.type_of(t.0.value()), t.0.clock, false, t.0.zone.get())?
            .cast::<Ext<Time>>()
            .unwrap_or(t.0)
    } else {
        t.0
    };
    let behind = offset(vm, first)?.map_or(0, |d| d.total() as i64);
    let in_utc = t.0.clock.micros() - behind;
    let h = if (0..MICROS_PER_DAY).contains(&in_utc) {
        skein_runtime::types::str::hash_bytes(vm, &Clock::of_micros(in_utc).state())
    } else {
        vm.hash(from_micros(vm, in_utc.into())?)?
    };
    t.0.hash.set(Some(h));
    Ok(h)
}

fn repr(vm: &Vm, t: This) -> R<String> {
    let Clock { hour, minute, second, micro } = t.0.clock;
    let mut out = format!("{}({hour}, {minute}", vm.type_name(t.0.value()));
    if micro != 0 {
        out += &format!(", {second}, {micro}");
    } else if second != 0 {
        out += &format!(", {second}");
    }
    if let Some(zone) = t.0.zone.get() {
        out += &format!(", tzinfo={}", vm.repr_string(zone)?);
    }
    if t.0.fold.get() {
        out += ", fold=1";
    }
    out.push(')');
    Ok(out)
}
