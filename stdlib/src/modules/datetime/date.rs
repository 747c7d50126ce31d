//! `date`.

use super::super::arguments::{Parameters, c_int};
use super::calendar::{Day, IsoError, MAX_ORDINAL, MAX_YEAR, MIN_YEAR, days_in_month, iso_ordinal};
use super::delta::{Delta, MICROS_PER_DAY, from_micros};
use super::moment::Moment;
use super::{holds, is_exact, local, make_type, parse, text, year_error, zone};
use skein_bytecode::Special;
use skein_runtime::native::{FromArg, NativeDef, wrong_type};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

pub struct Date {
    pub day: Day,
    hash: Cell<Option<i64>>,
}

impl Payload for Date {
    const NAME: &'static str = "datetime.date";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Date { day: _, hash: _ } = self;
    }
}

pub type DateRef = Ref<Ext<Date>>;
type Own = ExtArg<Date>;

/// A date, or a datetime taken as one.
pub struct AnyDate {
    pub this: Value,
    pub day: Day,
}

/// The day of a date or datetime.
pub fn day_of(v: Value) -> Option<Day> {
    v.cast::<Ext<Date>>().map(|d| d.day).or_else(|| v.cast::<Ext<Moment>>().map(|m| m.day))
}

impl FromArg for AnyDate {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<AnyDate> {
        match day_of(v) {
            Some(day) => Ok(AnyDate { this: v, day }),
            None => Err(wrong_type(vm, def, i, v, Date::NAME)),
        }
    }
}

native_type! {
    pub DATE: "datetime.date", Kind::Ext, type_flags::BASETYPE,
        "date(year, month, day) --> date object";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [class] "today($type, /)" => today, "Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).";
        [class] "fromtimestamp($type, timestamp, /)" => from_timestamp,
            "Create a date from a POSIX timestamp.\n\nThe timestamp is a number, e.g. created via time.time(), that is\ninterpreted as local time.";
        [class] "fromordinal($type, ordinal, /)" => from_ordinal, "int -> date corresponding to a proleptic Gregorian ordinal.";
        [class] "fromisoformat($type, object, /)" => from_iso_format, "str -> Construct a date from a string in ISO 8601 format.";
        [class] "fromisocalendar($type, /, year, week, day)" => from_iso_calendar,
            "int, int, int -> Construct a date from the ISO year, week number and weekday.\n\nThis is the inverse of the date.isocalendar() function";
        [class] "strptime($type, string, format, /)" => |vm: &Vm, class: Ref<Type>, string: Ref<Str>, format: Ref<Str>| parse::by_format(vm, "_strptime_datetime_date", class, string, format),
            "string, format -> new date parsed from a string (like time.strptime()).";
        "replace($self, /, year=unchanged, month=unchanged, day=unchanged)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &REPLACE), "Return date with new specified fields.";
        "__replace__($self, /, **changes)" => |vm: &Vm, args: Args<'_>| replace(vm, args, &DUNDER_REPLACE), "The same as replace().";
        "strftime($self, /, format)" => text::strftime_of_date, "format -> strftime() style string.";
        "__format__($self, format, /)" => text::dunder_format, "Formats self with strftime.";
        "ctime($self, /)" => |_: &Vm, d: AnyDate| text::ctime(d.day, 0, 0, 0), "Return ctime() style string.";
        "isoformat($self, /)" => |_: &Vm, d: AnyDate| text::date(d.day), "Return string in ISO 8601 format, YYYY-MM-DD.";
        "isocalendar($self, /)" => |vm: &Vm, d: AnyDate| super::iso::of_day(vm, d.day), "Return a named tuple containing ISO year, week number, and weekday.";
        "isoweekday($self, /)" => |_: &Vm, d: AnyDate| d.day.weekday() + 1, "Return the day of the week represented by the date.\nMonday == 1 ... Sunday == 7";
        "weekday($self, /)" => |_: &Vm, d: AnyDate| d.day.weekday(), "Return the day of the week represented by the date.\nMonday == 0 ... Sunday == 6";
        "toordinal($self, /)" => |_: &Vm, d: AnyDate| d.day.ordinal(), "Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.";
        "timetuple($self, /)" => |vm: &Vm, d: AnyDate| text::struct_time(vm, d.day, [0; 3], -1), "Return time tuple, compatible with time.localtime().";
        "__reduce__($self, /)" => reduce, "__reduce__() -> (cls, state)";
        "__add__($self, value, /)" => |vm: &Vm, d: AnyDate, b: Value| plus(vm, &d, b, 1);
        "__radd__($self, value, /)" => |vm: &Vm, d: AnyDate, b: Value| plus(vm, &d, b, 1);
        "__sub__($self, value, /)" => minus;
        "__rsub__($self, value, /)" => |vm: &Vm, d: AnyDate, b: Value| match other_date(b) {
            Some(b) => difference(vm, b, d.day),
            None => Ok(Value::NOT_IMPLEMENTED),
        };
        [simple] "__eq__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Eq, &a, b);
        [simple] "__ne__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Ne, &a, b);
        [simple] "__lt__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Lt, &a, b);
        [simple] "__le__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Le, &a, b);
        [simple] "__gt__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Gt, &a, b);
        [simple] "__ge__($self, value, /)" => |_: &Vm, a: AnyDate, b: Value| compare(Special::Ge, &a, b);
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => |vm: &Vm, d: AnyDate| format!("{}({}, {}, {})", vm.type_name(d.this), d.day.year, d.day.month, d.day.day);
        "__str__($self, /)" => |vm: &Vm, d: AnyDate| vm.call_method(d.this, "isoformat", &[]);
    }
    getset {
        "year" => |vm: &Vm, d: AnyDate| vm.int(d.day.year.into());
        "month" => |vm: &Vm, d: AnyDate| vm.int(d.day.month.into());
        "day" => |vm: &Vm, d: AnyDate| vm.int(d.day.day.into());
    }
}

/// The day of these fields. ValueError.
pub fn checked_day(vm: &Vm, year: i32, month: i32, day: i32) -> R<Day> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(year_error(vm, year.into()));
    }
    if !(1..=12).contains(&month) {
        return Err(vm.value_error(format!("month must be in 1..12, not {month}")));
    }
    let days = days_in_month(year.into(), month as u8);
    if !(1..=i32::from(days)).contains(&day) {
        return Err(
            vm.value_error(format!("day {day} must be in range 1..{days} for month {month} in year {year}"))
        );
    }
    Ok(Day { year: year as u16, month: month as u8, day: day as u8 })
}

/// A date of this class, which is date or a subclass that needs no call. MemoryError.
pub fn allocate(vm: &Vm, class: Ref<Type>, day: Day) -> R<DateRef> {
    Ext::new(vm, class, Date { day, hash: Cell::new(None) })
}

/// A date of a class, which is called if it is not date itself.
pub fn make(vm: &Vm, class: Ref<Type>, day: Day) -> R<Value> {
    if is_exact(class, &DATE) {
        return Ok(allocate(vm, class, day)?.value());
    }
    if is_exact(class, &super::moment::MOMENT) {
        return Ok(super::moment::allocate(vm, class, day, Default::default(), None)?.value());
    }
    let fields = [i64::from(day.year), day.month.into(), day.day.into()];
    vm.call(class.value(), &fields.map(Value::small_int))
}

static NEW: Parameters = Parameters { function: None, names: &["year", "month", "day"], positional: 3 };
static REPLACE: Parameters =
    Parameters { function: Some("replace"), names: &["year", "month", "day"], positional: 3 };
static DUNDER_REPLACE: Parameters =
    Parameters { function: Some("__replace__"), names: &["year", "month", "day"], positional: 3 };

/// The class of a call of `__new__`, whose instances are plain dates. TypeError.
fn class(vm: &Vm, args: &Args<'_>) -> R<Ref<Type>> {
    if let Some(ty) = args.positional().first().and_then(|v| v.cast::<Type>())
        && is_exact(ty, &DATE)
    {
        return Ok(ty);
    }
    let ty = class_argument(vm, args, make_type(vm, &DATE)?)?;
    if ty.is_subtype(make_type(vm, &super::moment::MOMENT)?) {
        let name = ty.message_name();
        return Err(vm.type_error(format!(
            "datetime.date.__new__({name}) is not safe, use datetime.datetime.__new__()"
        )));
    }
    Ok(ty)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class(vm, &args)?;
    let [year, month, day] = NEW.bind(vm, args.rest())?;
    if !year.is_int()
        && month.is_unbound()
        && day.is_unbound()
        && let Some([high, low, month, day]) = zone::state_bytes(vm, year, "date", is_month, 2)?
    {
        // As it is: state that this class has not made may be any.
        let day = Day { year: u16::from_be_bytes([high, low]), month, day };
        return Ok(allocate(vm, ty, day)?.value());
    }
    let day = fields(vm, &NEW, [year, month, day])?;
    Ok(allocate(vm, ty, day)?.value())
}

pub fn is_month(byte: u8) -> bool {
    (1..=12).contains(&byte)
}

/// The day of three arguments, each of which must be given. TypeError, ValueError.
pub fn fields(vm: &Vm, parameters: &Parameters, given: [Value; 3]) -> R<Day> {
    let mut n = [0; 3];
    for (i, v) in given.into_iter().enumerate() {
        if v.is_unbound() {
            return Err(parameters.missing(vm, i));
        }
        n[i] = c_int(vm, v)?;
    }
    checked_day(vm, n[0], n[1], n[2])
}

fn replace(vm: &Vm, args: Args<'_>, parameters: &Parameters) -> R<Value> {
    let this = args.positional().first().copied().unwrap_or(Value::NONE);
    let Some(old) = day_of(this) else { return Err(super::not_of(vm, "replace", Date::NAME, this)) };
    let [year, month, day] = parameters.bind(vm, args.rest())?;
    let or = |v: Value, old: i32| if v.is_unbound() { Ok(old) } else { c_int(vm, v) };
    let (year, month, day) =
        (or(year, old.year.into())?, or(month, old.month.into())?, or(day, old.day.into())?);
    make(vm, vm.type_of(this), checked_day(vm, year, month, day)?)
}

fn today(vm: &Vm, class: Ref<Type>) -> R<Value> {
    if is_exact(class, &DATE) {
        return of_timestamp(vm, class, local::now(vm)?.0);
    }
    let time = skein_builtins::modules::import(vm, "time")?;
    let now = vm.call_method(time, "time", &[])?;
    vm.call_method(class.value(), "fromtimestamp", &[now])
}

fn of_timestamp(vm: &Vm, class: Ref<Type>, t: i64) -> R<Value> {
    let tm = local::broken_down(vm, t, true)?;
    make(vm, class, checked_day(vm, tm.year, tm.month.into(), tm.day.into())?)
}

fn from_timestamp(vm: &Vm, class: Ref<Type>, timestamp: Value) -> R<Value> {
    let t = local::whole_seconds(vm, timestamp)?;
    of_timestamp(vm, class, t)
}

fn from_ordinal(vm: &Vm, class: Ref<Type>, n: Value) -> R<Value> {
    let n = c_int(vm, n)?;
    if n < 1 {
        return Err(vm.value_error("ordinal must be >= 1"));
    }
    make(vm, class, day_of_ordinal(vm, n.into())?)
}

/// The day of a positive number. ValueError.
fn day_of_ordinal(vm: &Vm, n: i64) -> R<Day> {
    if n > MAX_ORDINAL {
        // The calendar repeats itself every 400 years.
        let cycles = (n - 1) / 146_097;
        let year = i64::from(Day::of_ordinal(n - cycles * 146_097).year) + cycles * 400;
        return Err(year_error(vm, year));
    }
    Ok(Day::of_ordinal(n))
}

fn from_iso_format(vm: &Vm, class: Ref<Type>, text: Value) -> R<Value> {
    let Some(s) = text.cast::<Str>() else {
        return Err(vm.type_error("fromisoformat: argument must be str"));
    };
    match parse::date(s.bytes()) {
        Some([year, month, day]) => make(vm, class, checked_day(vm, year, month, day)?),
        None => Err(parse::invalid(vm, s)),
    }
}

fn from_iso_calendar(vm: &Vm, class: Ref<Type>, year: Value, week: Value, day: Value) -> R<Value> {
    let component = |v: Value| -> R<i32> {
        match vm.absorb(c_int(vm, v), vm.exc.overflow_error)? {
            Some(n) => Ok(n),
            None => Err(vm.value_error("ISO calendar component out of range")),
        }
    };
    let (year, week, day) = (component(year)?, component(week)?, component(day)?);
    let n = iso_ordinal(year.into(), week.into(), day.into()).map_err(|e| match e {
        IsoError::Year => year_error(vm, year.into()),
        IsoError::Week => vm.value_error(format!("Invalid week: {week}")),
        IsoError::Weekday => vm.value_error(format!("Invalid weekday: {day} (range is [1, 7])")),
    })?;
    if n < 1 {
        return Err(year_error(vm, 0));
    }
    make(vm, class, day_of_ordinal(vm, n)?)
}

/// The bytes of a day's state.
pub fn state(day: Day) -> [u8; 4] {
    let [high, low] = day.year.to_be_bytes();
    [high, low, day.month, day.day]
}

fn reduce(vm: &Vm, d: AnyDate) -> R<Value> {
    let args = vm.tuple(&[vm.bytes(&state(d.day))?])?;
    vm.tuple(&[vm.type_of(d.this).value(), args])
}

/// OverflowError for a result before the year 1 or after the year 9999.
pub fn day_in_range(vm: &Vm, n: i64) -> R<Day> {
    if (1..=MAX_ORDINAL).contains(&n) {
        Ok(Day::of_ordinal(n))
    } else {
        Err(vm.overflow_error("date value out of range"))
    }
}

fn plus(vm: &Vm, d: &AnyDate, b: Value, sign: i64) -> R<Value> {
    let Some(delta) = b.cast::<Ext<Delta>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let day = day_in_range(vm, d.day.ordinal() + sign * i64::from(delta.days))?;
    make(vm, vm.type_of(d.this), day)
}

/// The other operand, if it is a date and no datetime.
fn other_date(b: Value) -> Option<Day> {
    b.cast::<Ext<Date>>().map(|d| d.day)
}

fn difference(vm: &Vm, a: Day, b: Day) -> R<Value> {
    from_micros(vm, i128::from(a.ordinal() - b.ordinal()) * i128::from(MICROS_PER_DAY))
}

fn minus(vm: &Vm, d: AnyDate, b: Value) -> R<Value> {
    match other_date(b) {
        Some(day) => difference(vm, d.day, day),
        None => plus(vm, &d, b, -1),
    }
}

fn compare(op: Special, a: &AnyDate, b: Value) -> Value {
    match other_date(b) {
        Some(b) => Value::bool(holds(op, a.day.cmp(&b))),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn hash(vm: &Vm, d: Own) -> R<i64> {
    if let Some(h) = d.0.hash.get() {
        return Ok(h);
    }
    let h = skein_runtime::types::str::hash_bytes(vm, &state(d.0.day));
    d.0.hash.set(Some(h));
    Ok(h)
}
