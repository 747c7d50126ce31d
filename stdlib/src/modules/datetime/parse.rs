//! Reading ISO 8601, and `strptime`.

use super::calendar::{Day, MAX_ORDINAL, iso_ordinal};
use super::delta::from_micros;
use super::zone;
use skein_builtins::modules::import;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::str::{Str, char_width};
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Ref, Value, Vm};

/// ValueError for a text in no known form.
#[cold]
pub fn invalid(vm: &Vm, s: Ref<Str>) -> Raised {
    match vm.repr_string(s.value()) {
        Ok(shown) => vm.value_error(format!("Invalid isoformat string: {shown}")),
        Err(e) => e,
    }
}

/// `n` digits at the beginning, and what follows.
fn number(s: &[u8], n: usize) -> Option<(i32, &[u8])> {
    let (digits, rest) = s.split_at_checked(n)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| (digits.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0')), rest))
}

/// Year, month and day of `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]` or `YYYYWww[D]`; the fields need not be in range.
pub fn date(s: &[u8]) -> Option<[i32; 3]> {
    if !matches!(s.len(), 7 | 8 | 10) {
        return None;
    }
    let (year, mut s) = number(s, 4)?;
    let dashed = s.first() == Some(&b'-');
    let skip_dash = |s: &mut &[u8]| -> Option<()> {
        if (s.first() == Some(&b'-')) != dashed {
            return None;
        }
        *s = &s[usize::from(dashed)..];
        Some(())
    };
    skip_dash(&mut s)?;
    if let Some(after) = s.strip_prefix(b"W") {
        let (week, mut s) = number(after, 2)?;
        let mut weekday = 1;
        if !s.is_empty() {
            skip_dash(&mut s)?;
            (weekday, s) = number(s, 1)?;
        }
        let n = iso_ordinal(year.into(), week.into(), weekday.into()).ok()?;
        if !s.is_empty() {
            return None;
        }
        // The two that are out of range are told by their year.
        return Some(match n {
            ..1 => [0, 12, 31],
            n if n > MAX_ORDINAL => [10_000, 1, 1],
            n => {
                let day = Day::of_ordinal(n);
                [day.year.into(), day.month.into(), day.day.into()]
            }
        });
    }
    let (month, mut s) = number(s, 2)?;
    skip_dash(&mut s)?;
    let (day, s) = number(s, 2)?;
    s.is_empty().then_some([year, month, day])
}

/// Hour, minute, second, microsecond of `HH[:MM[:SS[.ffffff]]]`, with or without colons.
fn clock(mut s: &[u8]) -> Option<[i32; 4]> {
    const SCALE: [i32; 7] = [0, 100_000, 10_000, 1000, 100, 10, 1];
    let mut fields = [0; 4];
    let mut colons = false;
    for (i, field) in fields.iter_mut().take(3).enumerate() {
        (*field, s) = number(s, 2)?;
        if i == 0 {
            colons = s.first() == Some(&b':');
        }
        if s.is_empty() || i == 2 {
            break;
        }
        if colons {
            s = s.strip_prefix(b":")?;
        }
    }
    if !s.is_empty() {
        let fraction = s.strip_prefix(b".").or_else(|| s.strip_prefix(b","))?;
        let used = fraction.len().min(6);
        let (n, rest) = number(fraction, used)?;
        if used == 0 || !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        fields[3] = n * SCALE[used];
    }
    Some(fields)
}

/// A time that was read.
pub struct Read {
    pub fields: [i32; 4],
    pub zone: Option<Value>,
    /// It was 24:00.
    pub next_day: bool,
}

/// A time with or without an offset. None: in no known form. ValueError.
pub fn time(vm: &Vm, s: &[u8]) -> R<Option<Read>> {
    let at = s.iter().position(|b| matches!(b, b'+' | b'-' | b'Z'));
    let Some(mut fields) = clock(&s[..at.unwrap_or(s.len())]) else { return Ok(None) };
    let zone = match at.map(|at| s[at..].split_at(1)) {
        None => None,
        Some((b"Z", b"")) => Some(zone::utc(vm)?),
        Some((b"Z", _)) => return Ok(None),
        Some((sign, offset)) => {
            let Some([hours, minutes, seconds, micros]) = clock(offset).map(|o| o.map(i64::from)) else {
                return Ok(None);
            };
            let total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
            let total = if sign == b"-" { -total } else { total };
            match from_micros(vm, total.into())?.cast::<Ext<super::delta::Delta>>() {
                Some(delta) => Some(zone::fixed(vm, delta)?),
                None => None,
            }
        }
    };
    let next_day = fields[0] == 24;
    if next_day {
        if fields[1..] != [0; 3] {
            return Err(vm.value_error("minute, second, and microsecond must be 0 when hour is 24"));
        }
        fields[0] = 0;
    }
    Ok(Some(Read { fields, zone, next_day }))
}

/// Where the date of a datetime ends. The text has at least 7 bytes.
fn separator(s: &[u8]) -> usize {
    let digit = |i: usize| s.get(i).is_some_and(u8::is_ascii_digit);
    if s.len() == 7 {
        return 7;
    }
    if s[4] == b'-' {
        if s[5] != b'W' {
            return 10;
        }
        // A dash behind the week is taken for part of the date, unless two digits follow.
        return if s[8..].first() == Some(&b'-') && !digit(10) { 10 } else { 8 };
    }
    if s[4] != b'W' {
        return 8;
    }
    let end = (7..s.len()).find(|&i| !digit(i)).unwrap_or(s.len());
    match end {
        ..9 => end,
        _ if end % 2 == 0 => 7,
        _ => 8,
    }
}

/// Date and time of a datetime's text, the time behind any one character. None: in no known form.
pub fn split(s: &[u8]) -> Option<(&[u8], &[u8])> {
    if s.len() < 7 {
        return None;
    }
    let at = separator(s);
    let (date, rest) = s.split_at_checked(at)?;
    if !date.is_ascii() {
        return None;
    }
    Some((date, rest.first().map_or(&[][..], |&first| &rest[char_width(first)..])))
}

/// A class's `strptime`, by the function of `_strptime` that knows the class's base.
pub fn by_format(vm: &Vm, function: &str, class: Ref<Type>, string: Ref<Str>, format: Ref<Str>) -> R<Value> {
    let module = import(vm, "_strptime")?;
    vm.call_method(module, function, &[class.value(), string.value(), format.value()])
}
