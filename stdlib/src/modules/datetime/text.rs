//! Dates and times as text: ISO 8601, `ctime`, `strftime`.

use super::calendar::Day;
use super::date::AnyDate;
use super::delta::{Delta, MICROS_PER_SECOND};
use super::moment::Moment;
use super::time::{Clock, Time};
use super::zone;
use skein_builtins::modules::import;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Ref, Value, Vm};
use std::fmt::Write;

/// How much of a time is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Auto,
    Hours,
    Minutes,
    Seconds,
    Millis,
    Micros,
}

impl Shown {
    /// ValueError.
    pub fn parse(vm: &Vm, name: Option<Ref<Str>>) -> R<Shown> {
        let Some(name) = name else { return Ok(Shown::Auto) };
        Ok(match name.bytes() {
            b"auto" => Shown::Auto,
            b"hours" => Shown::Hours,
            b"minutes" => Shown::Minutes,
            b"seconds" => Shown::Seconds,
            b"milliseconds" => Shown::Millis,
            b"microseconds" => Shown::Micros,
            _ => return Err(vm.value_error("Unknown timespec value")),
        })
    }
}

/// Appends an int in decimal digits with leading zeros.
fn digits<const N: usize>(out: &mut String, mut n: u32) {
    let mut row = [b'0'; N];
    for slot in row.iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.extend(row.map(char::from));
}

pub fn push_date(out: &mut String, day: Day) {
    digits::<4>(out, day.year.into());
    out.push('-');
    digits::<2>(out, day.month.into());
    out.push('-');
    digits::<2>(out, day.day.into());
}

pub fn date(day: Day) -> String {
    // bounded: the text of a date and a time.
    let mut out = String::with_capacity(10);
    push_date(&mut out, day);
    out
}

pub fn push_clock(out: &mut String, clock: Clock, shown: Shown) {
    digits::<2>(out, clock.hour.into());
    if shown == Shown::Hours {
        return;
    }
    out.push(':');
    digits::<2>(out, clock.minute.into());
    if shown == Shown::Minutes {
        return;
    }
    out.push(':');
    digits::<2>(out, clock.second.into());
    match shown {
        Shown::Millis => {
            out.push('.');
            digits::<3>(out, clock.micro / 1000);
        }
        Shown::Micros => {
            out.push('.');
            digits::<6>(out, clock.micro);
        }
        Shown::Auto if clock.micro != 0 => {
            out.push('.');
            digits::<6>(out, clock.micro);
        }
        _ => {}
    }
}

/// An offset from UTC: `+hh:mm`, with seconds and microseconds if there are any.
pub fn offset(offset: &Delta, separator: &str) -> String {
    let total = offset.total() as i64;
    let sign = if total < 0 { '-' } else { '+' };
    let (seconds, micros) =
        ((total.abs() / MICROS_PER_SECOND) as u32, (total.abs() % MICROS_PER_SECOND) as u32);
    // bounded: the text of a date and a time.
    let mut out = String::with_capacity(6);
    out.push(sign);
    digits::<2>(&mut out, seconds / 3600);
    out.push_str(separator);
    digits::<2>(&mut out, seconds / 60 % 60);
    if seconds % 60 != 0 || micros != 0 {
        out.push_str(separator);
        digits::<2>(&mut out, seconds % 60);
    }
    if micros != 0 {
        out.push('.');
        digits::<6>(&mut out, micros);
    }
    out
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub fn ctime(day: Day, hour: u8, minute: u8, second: u8) -> String {
    let (weekday, month) = (DAYS[day.weekday() as usize], MONTHS[usize::from(day.month) - 1]);
    format!("{weekday} {month} {:2} {hour:02}:{minute:02}:{second:02} {:04}", day.day, day.year)
}

/// A `time.struct_time` of hour, minute and second of this day.
pub fn struct_time(vm: &Vm, day: Day, clock: [u8; 3], dst: i64) -> R<Value> {
    let [hour, minute, second] = clock.map(i64::from);
    let fields = [
        day.year.into(),
        day.month.into(),
        day.day.into(),
        hour,
        minute,
        second,
        day.weekday(),
        day.of_year(),
        dst,
    ];
    let row = vm.tuple(&fields.map(Value::small_int))?;
    let class = vm.get_attr_str(import(vm, "time")?, "struct_time")?;
    vm.call(class, &[row])
}

/// What `strftime` shows beside the fields of its time tuple.
struct Extras {
    /// A date, datetime or time.
    this: Value,
}

impl Extras {
    fn zone(&self) -> (Option<Value>, Value) {
        if let Some(m) = self.this.cast::<Ext<Moment>>() {
            (m.zone.get(), self.this)
        } else if let Some(t) = self.this.cast::<Ext<Time>>() {
            (t.zone.get(), Value::NONE)
        } else {
            (None, Value::NONE)
        }
    }

    fn micros(&self) -> u32 {
        let moment = self.this.cast::<Ext<Moment>>().map(|m| m.clock.micro);
        moment.or_else(|| self.this.cast::<Ext<Time>>().map(|t| t.clock.micro)).unwrap_or(0)
    }

    fn offset(&self, vm: &Vm, separator: &str) -> R<String> {
        let (zone, at) = self.zone();
        Ok(zone::utc_offset(vm, zone, at)?.map_or(String::new(), |d| offset(&d, separator)))
    }

    /// The zone's name, each `%` twice.
    fn zone_name(&self, vm: &Vm) -> R<Vec<u8>> {
        let (zone, at) = self.zone();
        let name = zone::zone_name(vm, zone, at)?;
        if name.is_none() {
            return Ok(Vec::new());
        }
        let doubled = vm.call_method(name, "replace", &[vm.str("%")?, vm.str("%%")?])?;
        match doubled.cast::<Str>() {
            Some(s) => vm.copied(s.bytes()),
            None => Err(vm.type_error("tzname.replace() did not return a string")),
        }
    }
}

/// `time.strftime` of a time tuple, with what only the object knows put in before.
fn strftime(vm: &Vm, this: Value, format: Ref<Str>, tuple: Value) -> R<Value> {
    let extras = Extras { this };
    let time = import(vm, "time")?;
    let by_system = |format: &[u8]| -> R<Value> {
        let format = Str::new(vm, format)?.value();
        vm.call_method(time, "strftime", &[format, tuple])
    };
    let field = |i: usize| -> R<i64> {
        let v = tuple.cast::<Tuple>().and_then(|t| t.items().get(i).copied());
        vm.index_i64(v.unwrap_or(Value::NONE))
    };
    let (source, mut out) = (format.bytes(), Vec::new());
    let mut at = 0;
    while at < source.len() {
        let Some(percent) = source[at..].iter().position(|&b| b == b'%') else { break };
        vm.put(&mut out, &source[at..at + percent])?;
        at += percent;
        let (used, text): (usize, Vec<u8>) = match source[at + 1..] {
            [b'f', ..] => (2, format!("{:06}", extras.micros()).into_bytes()),
            [b'z', ..] => (2, extras.offset(vm, "")?.into_bytes()),
            [b':', b'z', ..] => (3, extras.offset(vm, ":")?.into_bytes()),
            [b'Z', ..] => (2, extras.zone_name(vm)?),
            // C's library shows years before 1000 without their zeros.
            [c @ (b'Y' | b'G' | b'C' | b'F'), ..] if field(0)? < 1000 => {
                let year = if c == b'G' {
                    let text = by_system(b"%G")?;
                    vm.index_i64(vm.call(vm.types.int.value(), &[text])?)?
                } else {
                    field(0)?
                };
                let mut text = String::new();
                let _ = match c {
                    b'C' => write!(text, "{:02}", year / 100),
                    b'F' => write!(text, "{year:04}-{:02}-{:02}", field(1)?, field(2)?),
                    _ => write!(text, "{year:04}"),
                };
                (2, text.into_bytes())
            }
            [c, ..] if c.is_ascii() => (2, vec![b'%', c]),
            _ => (1, vec![b'%']),
        };
        vm.put(&mut out, &text)?;
        at += used;
    }
    vm.put(&mut out, &source[at..])?;
    by_system(&out)
}

/// The format of `strftime`. TypeError.
fn format_argument(vm: &Vm, format: Value, function: &str) -> R<Ref<Str>> {
    format.cast::<Str>().ok_or_else(|| {
        let got = vm.type_name(format);
        vm.type_error(format!("{function}() argument 1 must be str, not {got}"))
    })
}

pub fn strftime_of_date(vm: &Vm, d: AnyDate, format: Value) -> R<Value> {
    let format = format_argument(vm, format, "strftime")?;
    let tuple = vm.call_method(d.this, "timetuple", &[])?;
    strftime(vm, d.this, format, tuple)
}

/// Of a time, as one of 1 January 1900.
pub fn strftime_of_time(vm: &Vm, t: super::time::This, format: Value) -> R<Value> {
    let format = format_argument(vm, format, "strftime")?;
    let c = t.0.clock;
    let fields = [1900, 1, 1, c.hour.into(), c.minute.into(), c.second.into(), 0, 1, -1];
    let tuple = vm.tuple(&fields.map(Value::small_int))?;
    strftime(vm, t.0.value(), format, tuple)
}

/// `__format__` of dates and times: `str` without a format, else `strftime`.
pub fn dunder_format(vm: &Vm, this: Value, format: Value) -> R<Value> {
    let format = format_argument(vm, format, "__format__")?;
    if format.bytes().is_empty() {
        return Ok(vm.to_str(this)?.value());
    }
    vm.call_method(this, "strftime", &[format.value()])
}
