//! `datetime`: a day and what a clock shows on it.

use super::super::arguments::{Parameters, c_int};
use super::calendar::{Day, MAX_ORDINAL};
use super::date::{self, checked_day, day_in_range, day_of};
use super::delta::{Delta, DeltaRef, MICROS_PER_DAY, MICROS_PER_SECOND, from_micros, from_seconds, order};
use super::local::{self, EPOCH};
use super::text::{Shown, push_clock, push_date};
use super::time::{self, Clock, Time, checked, checked_fold, clock_arguments, same_zone};
use super::{exception_to_equality, holds, is_exact, make_type, parse, text, zone};
use skein_bytecode::Special;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

pub struct Moment {
    pub day: Day,
    pub clock: Clock,
    /// The clock shows this for the second time.
    pub fold: Cell<bool>,
    pub zone: Field,
    hash: Cell<Option<i64>>,
}

impl Payload for Moment {
    const NAME: &'static str = "datetime.datetime";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Moment { day: _, clock: _, fold: _, zone, hash: _ } = self;
        zone.trace(t);
    }
}

pub type MomentRef = Ref<Ext<Moment>>;
type This = ExtArg<Moment>;

native_type! {
    pub MOMENT: "datetime.datetime", Kind::Ext, type_flags::BASETYPE, base |vm| super::base(vm, &date::DATE),
        "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\nThe year, month and day arguments are required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints.\n";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [class] "now($type, /, tz=None)" => now,
            "Returns new datetime object representing current time local to tz.\n\n  tz\n    Timezone object.\n\nIf no tz is specified, uses local timezone.";
        [class] "utcnow($type, /)" => utc_now, "Return a new datetime representing UTC day and time.";
        [class] "fromtimestamp($type, /, timestamp, tz=None)" => from_timestamp, "timestamp[, tz] -> tz's local time from POSIX timestamp.";
        [class] "utcfromtimestamp($type, timestamp, /)" => utc_from_timestamp, "Construct a naive UTC datetime from a POSIX timestamp.";
        [class] "strptime($type, string, format, /)" => |vm: &Vm, class: Ref<Type>, string: Ref<Str>, format: Ref<Str>| parse::by_format(vm, "_strptime_datetime_datetime", class, string, format),
            "string, format -> new datetime parsed from a string (like time.strptime()).";
        [class] "combine($type, /, date, time, tzinfo=unchanged)" => combine, "date, time -> datetime with same date and time fields";
        [class] "fromisoformat($type, object, /)" => from_iso_format, "string -> datetime from a string in most ISO 8601 formats";
        "date($self, /)" => |vm: &Vm, m: This| -> R<Value> { Ok(date::allocate(vm, make_type(vm, &date::DATE)?, m.0.day)?.value()) }, "Return date object with same year, month and day.";
        "time($self, /)" => |vm: &Vm, m: This| time::plain(vm, m.0.clock, m.0.fold.get(), None), "Return time object with same time but with tzinfo=None.";
        "timetz($self, /)" => |vm: &Vm, m: This| time::plain(vm, m.0.clock, m.0.fold.get(), m.0.zone.get()), "Return time object with same time and tzinfo.";
        "ctime($self, /)" => |_: &Vm, m: This| text::ctime(m.0.day, m.0.clock.hour, m.0.clock.minute, m.0.clock.second), "Return ctime() style string.";
        "timetuple($self, /)" => time_tuple, "Return time tuple, compatible with time.localtime().";
        "timestamp($self, /)" => timestamp, "Return POSIX timestamp as float.";
        "utctimetuple($self, /)" => utc_time_tuple, "Return UTC time tuple, compatible with time.localtime().";
        "isoformat($self, /, sep='T', timespec='auto')" => iso_format,
            "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\nsep is used to separate the year from the time, and defaults to 'T'.\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.\n";
        "utcoffset($self, /)" => |vm: &Vm, m: This| offset(vm, m.0), "Return self.tzinfo.utcoffset(self).";
        "tzname($self, /)" => |vm: &Vm, m: This| zone::zone_name(vm, m.0.zone.get(), m.0.value()), "Return self.tzinfo.tzname(self).";
        "dst($self, /)" => |vm: &Vm, m: This| zone::dst(vm, m.0.zone.get(), m.0.value()), "Return self.tzinfo.dst(self).";
        "replace($self, /, year=unchanged, month=unchanged, day=unchanged,\n        hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &REPLACE),
            "Return datetime with new specified fields.";
        "__replace__($self, /, **changes)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &DUNDER_REPLACE), "The same as replace().";
        "astimezone($self, /, tz=None)" => as_time_zone, "tz -> convert to local time in new timezone tz\n";
        "__reduce_ex__($self, proto, /)" => |vm: &Vm, m: This, protocol: Value| -> R<Value> { let fold = c_int(vm, protocol)? > 3; reduce(vm, m.0, fold) }, "__reduce_ex__(proto) -> (cls, state)";
        "__reduce__($self, /)" => |vm: &Vm, m: This| reduce(vm, m.0, false), "__reduce__() -> (cls, state)";
        "__add__($self, value, /)" => |vm: &Vm, m: This, b: Value| add(vm, m.0, b, 1);
        "__radd__($self, value, /)" => |vm: &Vm, m: This, b: Value| add(vm, m.0, b, 1);
        "__sub__($self, value, /)" => |vm: &Vm, m: This, b: Value| match b.cast::<Ext<Moment>>() {
            Some(b) => minus(vm, m.0, b),
            None => add(vm, m.0, b, -1),
        };
        "__rsub__($self, value, /)" => |vm: &Vm, m: This, b: Value| match b.cast::<Ext<Moment>>() {
            Some(b) => minus(vm, b, m.0),
            None => Ok(Value::NOT_IMPLEMENTED),
        };
        "__eq__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Eq, a.0, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ne, a.0, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Lt, a.0, b);
        "__le__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Le, a.0, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Gt, a.0, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ge, a.0, b);
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => |vm: &Vm, m: This| -> R<Value> { let sep = vm.str(" ")?; vm.call_method(m.0.value(), "isoformat", &[sep]) };
    }
    getset {
        "hour" => |vm: &Vm, m: This| vm.int(m.0.clock.hour.into());
        "minute" => |vm: &Vm, m: This| vm.int(m.0.clock.minute.into());
        "second" => |vm: &Vm, m: This| vm.int(m.0.clock.second.into());
        "microsecond" => |vm: &Vm, m: This| vm.int(m.0.clock.micro.into());
        "tzinfo" => |_: &Vm, m: This| -> R<Value> { Ok(m.0.zone.or_none()) };
        "fold" => |vm: &Vm, m: This| vm.int(m.0.fold.get().into());
    }
}

/// A datetime of this class, which is not called. MemoryError.
pub fn allocate(vm: &Vm, class: Ref<Type>, day: Day, clock: Clock, zone: Option<Value>) -> R<MomentRef> {
    let moment = Moment { day, clock, fold: Cell::new(false), zone: Field::new(zone), hash: Cell::new(None) };
    Ext::new(vm, class, moment)
}

/// A datetime of a class, which is called if it is not datetime itself.
pub fn make(vm: &Vm, class: Ref<Type>, day: Day, clock: Clock, fold: bool, zone: Option<Value>) -> R<Value> {
    if is_exact(class, &MOMENT) {
        let made = allocate(vm, class, day, clock, zone)?;
        made.fold.set(fold);
        return Ok(made.value());
    }
    let fields = [
        day.year.into(),
        day.month.into(),
        day.day.into(),
        clock.hour.into(),
        clock.minute.into(),
        clock.second.into(),
        i64::from(clock.micro),
    ];
    let [a, b, c, d, e, f, g] = fields.map(Value::small_int);
    let made = vm.call(class.value(), &[a, b, c, d, e, f, g, zone.unwrap_or(Value::NONE)])?;
    if fold && let Some(made) = made.cast::<Ext<Moment>>() {
        made.fold.set(true);
    }
    Ok(made)
}

const NAMES: &[&str] = &["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
static NEW: Parameters = Parameters { function: None, names: NAMES, positional: 8 };
static REPLACE: Parameters = Parameters { function: Some("replace"), names: NAMES, positional: 8 };
static DUNDER_REPLACE: Parameters = Parameters { function: Some("__replace__"), names: NAMES, positional: 8 };

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = match args.positional().first().and_then(|v| v.cast::<Type>()) {
        Some(ty) if is_exact(ty, &MOMENT) => ty,
        _ => class_argument(vm, &args, make_type(vm, &MOMENT)?)?,
    };
    let given: [Value; 9] = NEW.bind(vm, args.rest())?;
    let count = args.parts().0.len() - 1;
    if (1..=2).contains(&count)
        && !given[0].is_int()
        && !given[0].is_unbound()
        && let Some(b) = zone::state_bytes::<10>(vm, given[0], "datetime", |b| date::is_month(b & 0x7f), 2)?
    {
        let zone = zone::state_zone(vm, given[1])?;
        let day = Day { year: u16::from_be_bytes([b[0], b[1]]), month: b[2] & 0x7f, day: b[3] };
        let clock = Clock::of_state([b[4], b[5], b[6], b[7], b[8], b[9]]);
        let made = allocate(vm, ty, day, clock, zone)?;
        made.fold.set(b[2] > 127);
        return Ok(made.value());
    }
    let mut n = [0; 3];
    for (i, slot) in n.iter_mut().enumerate() {
        if given[i].is_unbound() {
            return Err(NEW.missing(vm, i));
        }
        *slot = c_int(vm, given[i])?;
    }
    let clock = clock_arguments(vm, &given[3..7], Clock::default())?;
    let fold = if given[8].is_unbound() { 0 } else { c_int(vm, given[8])? };
    let day = checked_day(vm, n[0], n[1], n[2])?;
    let clock = checked(vm, clock)?;
    let fold = checked_fold(vm, Value::small_int(fold.into()), false)?;
    let zone = zone::argument(vm, given[7])?;
    let made = allocate(vm, ty, day, clock, zone)?;
    made.fold.set(fold);
    Ok(made.value())
}

/// The datetime that the local clock, or UTC, shows at a moment.
fn at(vm: &Vm, class: Ref<Type>, t: i64, micro: i32, local: bool, zone: Option<Value>) -> R<Value> {
    let tm = local::broken_down(vm, t, local)?;
    let shown = tm.seconds(vm)?;
    let fold = local && zone.is_none() && local::is_fold(vm, t, shown)?;
    let day = checked_day(vm, tm.year, tm.month.into(), tm.day.into())?;
    let clock = Clock { hour: tm.hour, minute: tm.minute, second: tm.second, micro: micro as u32 };
    make(vm, class, day, clock, fold, zone)
}

/// As [`at`], in the time zone of an argument, or in local time without one.
fn at_zone(vm: &Vm, class: Ref<Type>, (t, micro): (i64, i32), tz: Option<Value>) -> R<Value> {
    let zone = zone::argument(vm, tz.unwrap_or(Value::NONE))?;
    let made = at(vm, class, t, micro, zone.is_none(), zone)?;
    match zone {
        Some(zone) => zone::convert(vm, zone, made),
        None => Ok(made),
    }
}

fn now(vm: &Vm, class: Ref<Type>, tz: Option<Value>) -> R<Value> {
    at_zone(vm, class, local::now(vm)?, tz)
}

fn utc_now(vm: &Vm, class: Ref<Type>) -> R<Value> {
    vm.warn(
        vm.exc.deprecation_warning,
        "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
    )?;
    let (t, micro) = local::now(vm)?;
    at(vm, class, t, micro, false, None)
}

fn from_timestamp(vm: &Vm, class: Ref<Type>, timestamp: Value, tz: Option<Value>) -> R<Value> {
    zone::argument(vm, tz.unwrap_or(Value::NONE))?;
    at_zone(vm, class, local::timestamp(vm, timestamp)?, tz)
}

fn utc_from_timestamp(vm: &Vm, class: Ref<Type>, timestamp: Value) -> R<Value> {
    vm.warn(
        vm.exc.deprecation_warning,
        "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, datetime.UTC).",
    )?;
    let (t, micro) = local::timestamp(vm, timestamp)?;
    at(vm, class, t, micro, false, None)
}

fn combine(vm: &Vm, class: Ref<Type>, day: Value, clock: Value, tz: Option<Value>) -> R<Value> {
    let wrong = |i: u8, wanted: &str, got: Value| {
        vm.type_error(format!("combine() argument {i} must be {wanted}, not {}", vm.type_name(got)))
    };
    let Some(day) = day_of(day) else { return Err(wrong(1, "datetime.date", day)) };
    let Some(time) = clock.cast::<Ext<Time>>() else { return Err(wrong(2, "datetime.time", clock)) };
    let zone = match tz {
        None => time.zone.get(),
        Some(tz) => zone::argument(vm, tz)?,
    };
    make(vm, class, day, time.clock, time.fold.get(), zone)
}

fn from_iso_format(vm: &Vm, class: Ref<Type>, text: Value) -> R<Value> {
    let Some(s) = text.cast::<Str>() else {
        return Err(vm.type_error("fromisoformat: argument must be str"));
    };
    let Some((day, clock)) = parse::split(s.bytes()) else { return Err(parse::invalid(vm, s)) };
    let Some([year, month, day]) = parse::date(day) else { return Err(parse::invalid(vm, s)) };
    let has_time = s.bytes().len() > 10 || !clock.is_empty();
    let read = if has_time {
        parse::time(vm, clock)?
    } else {
        Some(parse::Read { fields: [0; 4], zone: None, next_day: false })
    };
    let Some(read) = read else { return Err(parse::invalid(vm, s)) };
    let mut day = checked_day(vm, year, month, day)?;
    if read.next_day {
        let next = day.ordinal() + 1;
        if next > MAX_ORDINAL {
            return Err(super::year_error(vm, 10_000));
        }
        day = Day::of_ordinal(next);
    }
    make(vm, class, day, checked(vm, read.fields)?, false, read.zone)
}

fn offset(vm: &Vm, m: MomentRef) -> R<Option<DeltaRef>> {
    zone::utc_offset(vm, m.zone.get(), m.value())
}

fn time_tuple(vm: &Vm, m: This) -> R<Value> {
    let saving = zone::dst(vm, m.0.zone.get(), m.0.value())?;
    let dst = saving.map_or(-1, |d| i64::from(d.total() != 0));
    let c = m.0.clock;
    text::struct_time(vm, m.0.day, [c.hour, c.minute, c.second], dst)
}

/// Microseconds since the year 1.
fn micros(m: &Moment) -> i64 {
    m.day.ordinal() * MICROS_PER_DAY + m.clock.micros()
}

/// Seconds since the year 1.
fn seconds(m: &Moment) -> i64 {
    micros(m).div_euclid(MICROS_PER_SECOND)
}

fn timestamp(vm: &Vm, m: This) -> R<Value> {
    match offset(vm, m.0)? {
        // The difference to the epoch, as `total_seconds` gives it.
        Some(offset) => {
            let since = i128::from(micros(&m.0) - EPOCH * MICROS_PER_SECOND) - offset.total();
            vm.call_method(from_micros(vm, since)?, "total_seconds", &[])
        }
        None => {
            let t = local::to_utc(vm, seconds(&m.0), m.0.fold.get())? - EPOCH;
            vm.float(t as f64 + f64::from(m.0.clock.micro) / 1e6)
        }
    }
}

fn utc_time_tuple(vm: &Vm, m: This) -> R<Value> {
    let behind = offset(vm, m.0)?.map_or(0, |d| d.total() as i64);
    let at = micros(&m.0) - behind;
    let day = day_in_range(vm, at.div_euclid(MICROS_PER_DAY))?;
    let c = Clock::of_micros(at.rem_euclid(MICROS_PER_DAY));
    text::struct_time(vm, day, [c.hour, c.minute, c.second], 0)
}

fn iso_format(vm: &Vm, m: This, sep: Option<Value>, shown: Option<Value>) -> R<Value> {
    let separator = match sep {
        None => None,
        Some(v) => match v.cast::<Str>() {
            Some(s) if s.char_len() == 1 => Some(s),
            Some(s) => {
                let n = s.char_len();
                return Err(vm.type_error(format!(
                    "isoformat() argument 1 must be a unicode character, not a string of length {n}"
                )));
            }
            None => {
                let got = vm.type_name(v);
                return Err(
                    vm.type_error(format!("isoformat() argument 1 must be a unicode character, not {got}"))
                );
            }
        },
    };
    let shown = match shown {
        None => None,
        Some(v) => Some(v.cast::<Str>().ok_or_else(|| {
            let got = vm.type_name(v);
            vm.type_error(format!("isoformat() argument 2 must be str, not {got}"))
        })?),
    };
    let shown = Shown::parse(vm, shown)?;
    // bounded: the text of a date and a time.
    let (mut out, mut clock) = (String::with_capacity(32), String::with_capacity(24));
    push_date(&mut out, m.0.day);
    push_clock(&mut clock, m.0.clock, shown);
    if let Some(offset) = offset(vm, m.0)? {
        clock.push_str(&text::offset(&offset, ":"));
    }
    match separator {
        Some(s) => Ok(Str::new(vm, &[out.as_bytes(), s.bytes(), clock.as_bytes()].concat())?.value()),
        None => vm.str(&(out + "T" + &clock)),
    }
}

fn replace(vm: &Vm, args: Args<'_>, parameters: &Parameters) -> R<Value> {
    let this = args.positional().first().copied().unwrap_or(Value::NONE);
    let Some(old) = this.cast::<Ext<Moment>>() else {
        return Err(super::not_of(vm, "replace", Moment::NAME, this));
    };
    let given: [Value; 9] = parameters.bind(vm, args.rest())?;
    let mut n = [old.day.year.into(), old.day.month.into(), old.day.day.into()];
    for (slot, &v) in n.iter_mut().zip(&given) {
        if !v.is_unbound() {
            *slot = c_int(vm, v)?;
        }
    }
    let clock = clock_arguments(vm, &given[3..7], old.clock)?;
    let fold = if given[8].is_unbound() { i32::from(old.fold.get()) } else { c_int(vm, given[8])? };
    let day = checked_day(vm, n[0], n[1], n[2])?;
    let clock = checked(vm, clock)?;
    let fold = checked_fold(vm, Value::small_int(fold.into()), false)?;
    let zone = if given[7].is_unbound() { old.zone.get() } else { zone::argument(vm, given[7])? };
    make(vm, vm.type_of(this), day, clock, fold, zone)
}

/// The local zone's offset and name at a moment.
fn local_zone(vm: &Vm, t: i64) -> R<Value> {
    let tm = local::broken_down(vm, t, true)?;
    let delta = from_seconds(vm, tm.offset)?;
    let name = vm.str(&tm.zone)?;
    zone::make(vm, delta, Some(name))
}

fn local_zone_of(vm: &Vm, m: &Moment) -> R<Value> {
    let (shown, fold) = (seconds(m), m.fold.get());
    let (first, other) = (local::to_utc(vm, shown, fold)?, local::to_utc(vm, shown, !fold)?);
    // Where the clock skips this, the zone is that of the other side.
    let at = if first != other && (other > first) == fold { other } else { first };
    local_zone(vm, at - EPOCH)
}

fn as_time_zone(vm: &Vm, m: This, tz: Option<Value>) -> R<Value> {
    let m = m.0;
    let target = zone::argument(vm, tz.unwrap_or(Value::NONE))?;
    let own = match m.zone.get() {
        Some(zone) => zone,
        None => local_zone_of(vm, &m)?,
    };
    if target.is_some_and(|t| t.is(own)) {
        return Ok(m.value());
    }
    let told = zone::utc_offset(vm, Some(own), m.value())?;
    let offset = match told {
        Some(offset) => offset,
        None => {
            let own = local_zone_of(vm, &m)?;
            if target.is_some_and(|t| t.is(own)) {
                return Ok(m.value());
            }
            match zone::utc_offset(vm, Some(own), m.value())? {
                Some(offset) => offset,
                None => return Ok(m.value()),
            }
        }
    };
    let in_utc = plus(vm, m, offset, -1)?;
    let Some(in_utc) = in_utc.cast::<Ext<Moment>>() else { return Ok(in_utc) };
    let target = match target {
        Some(target) => target,
        None => local_zone(vm, seconds(&in_utc) - EPOCH)?,
    };
    // It has just been made, for this alone.
    in_utc.zone.set(vm, in_utc, Some(target));
    in_utc.hash.set(None);
    zone::convert(vm, target, in_utc.value())
}

/// The bytes of its state.
fn state(m: &Moment) -> [u8; 10] {
    let mut all = [0; 10];
    all[..4].copy_from_slice(&date::state(m.day));
    all[4..].copy_from_slice(&m.clock.state());
    all
}

fn reduce(vm: &Vm, m: MomentRef, with_fold: bool) -> R<Value> {
    let mut state = state(&m);
    if with_fold && m.fold.get() {
        state[2] |= 128;
    }
    let state = vm.bytes(&state)?;
    let args = match m.zone.get() {
        Some(zone) => vm.tuple(&[state, zone])?,
        None => vm.tuple(&[state])?,
    };
    vm.tuple(&[vm.type_of(m.value()).value(), args])
}

fn add(vm: &Vm, m: MomentRef, b: Value, sign: i64) -> R<Value> {
    match b.cast::<Ext<Delta>>() {
        Some(delta) => plus(vm, m, delta, sign),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// A datetime later or earlier by a delta, of the same class. OverflowError.
pub fn plus(vm: &Vm, m: MomentRef, delta: DeltaRef, sign: i64) -> R<Value> {
    let clock = m.clock.micros() + sign * delta.within_day();
    let days = m.day.ordinal() + sign * i64::from(delta.days) + clock.div_euclid(MICROS_PER_DAY);
    let day = day_in_range(vm, days)?;
    let clock = Clock::of_micros(clock.rem_euclid(MICROS_PER_DAY));
    make(vm, vm.type_of(m.value()), day, clock, false, m.zone.get())
}

fn minus(vm: &Vm, a: MomentRef, b: MomentRef) -> R<Value> {
    let plain = i128::from(micros(&a) - micros(&b));
    if same_zone(&a.zone, &b.zone) {
        return from_micros(vm, plain);
    }
    match (offset(vm, a)?, offset(vm, b)?) {
        (None, None) => from_micros(vm, plain),
        (Some(x), Some(y)) => from_micros(vm, plain - (x.total() - y.total())),
        _ => Err(vm.type_error("can't subtract offset-naive and offset-aware datetimes")),
    }
}

/// Is its offset another one if the clock shows it the other time? Such a datetime equals none in another zone.
fn depends_on_fold(vm: &Vm, m: MomentRef, offset: Option<DeltaRef>) -> R<bool> {
    let flipped = allocate(vm, make_type(vm, &MOMENT)?, m.day, m.clock, m.zone.get())?;
    flipped.fold.set(!m.fold.get());
    let other = zone::utc_offset(vm, m.zone.get(), flipped.value())?;
    Ok(match (offset, other) {
        (Some(x), Some(y)) => !order(&x, &y).is_eq(),
        (x, y) => x.is_some() != y.is_some(),
    })
}

fn compare(vm: &Vm, op: Special, a: MomentRef, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Moment>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let plain = || (a.day, a.clock).cmp(&(b.day, b.clock));
    if same_zone(&a.zone, &b.zone) {
        return Ok(Value::bool(holds(op, plain())));
    }
    let (x, y) = (offset(vm, a)?, offset(vm, b)?);
    let order = match (x, y) {
        (None, None) => plain(),
        (Some(x), Some(y)) => {
            let at = |m: &Moment, offset: DeltaRef| i128::from(micros(m)) - offset.total();
            at(&a, x).cmp(&at(&b, y))
        }
        _ => return exception_to_equality(vm, op, "can't compare offset-naive and offset-aware datetimes"),
    };
    let equality = matches!(op, Special::Eq | Special::Ne);
    if equality && order.is_eq() && (depends_on_fold(vm, a, x)? || depends_on_fold(vm, b, y)?) {
        return Ok(Value::bool(op == Special::Ne));
    }
    Ok(Value::bool(holds(op, order)))
}

fn hash(vm: &Vm, m: This) -> R<i64> {
    let m = m.0;
    if let Some(h) = m.hash.get() {
        return Ok(h);
    }
    let first = if m.fold.get() {
        // Equal datetimes that only the fold tells apart hash alike.
        allocate(vm, make_type(vm, &MOMENT)?, m.day, m.clock, m.zone.get())?
    } else {
        m
    };
    let h = match offset(vm, first)? {
        Some(offset) => vm.hash(from_micros(vm, i128::from(micros(&m)) - offset.total())?)?,
        None => skein_runtime::types::str::hash_bytes(vm, &state(&m)),
    };
    m.hash.set(Some(h));
    Ok(h)
}

fn repr(vm: &Vm, m: This) -> R<String> {
    let (Day { year, month, day }, Clock { hour, minute, second, micro }) = (m.0.day, m.0.clock);
    let mut out = format!("{}({year}, {month}, {day}, {hour}, {minute}", vm.type_name(m.0.value()));
    if micro != 0 {
        out += &format!(", {second}, {micro}");
    } else if second != 0 {
        out += &format!(", {second}");
    }
    if m.0.fold.get() {
        out += ", fold=1";
    }
    if let Some(zone) = m.0.zone.get() {
        out += &format!(", tzinfo={}", vm.repr_string(zone)?);
    }
    out.push(')');
    Ok(out)
}
