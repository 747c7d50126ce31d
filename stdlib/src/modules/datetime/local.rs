//! The system's clock and its local time zone.

use super::calendar::{EPOCH_ORDINAL, MAX_YEAR, MIN_YEAR, ordinal};
use super::delta::SECONDS_PER_DAY;
use skein_runtime::{R, Value, Vm};

/// Seconds from the year 1 to the epoch.
pub const EPOCH: i64 = EPOCH_ORDINAL * SECONDS_PER_DAY;
/// No zone's clock is set back further.
const MAX_FOLD: i64 = SECONDS_PER_DAY;

/// What the system says of a moment.
pub struct BrokenDown {
    pub year: i32,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// Offset from UTC, in seconds.
    pub offset: i64,
    pub zone: String,
}

/// A moment in seconds since the epoch, in local time or UTC. OSError.
pub fn broken_down(vm: &Vm, t: i64, local: bool) -> R<BrokenDown> {
    // SAFETY: plain data; null is a failure. The zone's text stays as long as the zone is not changed.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let p = if local { libc::localtime_r(&t, &mut tm) } else { libc::gmtime_r(&t, &mut tm) };
        if p.is_null() {
            return Err(vm.os_error(libc::EOVERFLOW, None));
        }
        let zone = if local && !tm.tm_zone.is_null() {
            std::ffi::CStr::from_ptr(tm.tm_zone).to_string_lossy().into_owned()
        } else {
            String::new()
        };
        Ok(BrokenDown {
            year: tm.tm_year.saturating_add(1900),
            month: tm.tm_mon as u8 + 1,
            day: tm.tm_mday as u8,
            hour: tm.tm_hour as u8,
            minute: tm.tm_min as u8,
            // Leap seconds are not told.
            second: tm.tm_sec.min(59) as u8,
            offset: tm.tm_gmtoff,
            zone,
        })
    }
}

impl BrokenDown {
    /// Seconds since the year 1 as its clock shows. ValueError.
    pub fn seconds(&self, vm: &Vm) -> R<i64> {
        if !(MIN_YEAR..=MAX_YEAR).contains(&self.year) {
            return Err(super::year_error(vm, self.year.into()));
        }
        let days = ordinal(self.year.into(), self.month, self.day.into());
        Ok(days * SECONDS_PER_DAY
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second))
    }
}

/// What a local clock shows at a moment, both in seconds since the year 1. ValueError, OSError.
fn local(vm: &Vm, seconds: i64) -> R<i64> {
    broken_down(vm, seconds - EPOCH, true)?.seconds(vm)
}

/// The moment at which a local clock shows this, both in seconds since the year 1. ValueError, OSError.
pub fn to_utc(vm: &Vm, clock: i64, fold: bool) -> R<i64> {
    let first_offset = local(vm, clock)? - clock;
    let first = clock - first_offset;
    let shown = local(vm, first)?;
    let second_offset = if shown == clock {
        // One solution is found; the other is on the other side of a change of the offset.
        let probe = if fold { first + MAX_FOLD } else { first - MAX_FOLD };
        let offset = local(vm, probe)? - probe;
        if offset == first_offset {
            return Ok(first);
        }
        offset
    } else {
        shown - first
    };
    let second = clock - second_offset;
    if local(vm, second)? == clock {
        return Ok(second);
    }
    if shown == clock {
        return Ok(first);
    }
    // The clock skips what is asked for.
    Ok(if fold { first.min(second) } else { first.max(second) })
}

/// Does the local clock show this for the second time at `t`? `shown` is in seconds since the year 1.
pub fn is_fold(vm: &Vm, t: i64, shown: i64) -> R<bool> {
    let before = local(vm, EPOCH + t - MAX_FOLD)?;
    let transition = shown - before - MAX_FOLD;
    Ok(transition < 0 && local(vm, EPOCH + t + transition)? == shown)
}

/// Now: seconds since the epoch and microseconds. OSError.
pub fn now(vm: &Vm) -> R<(i64, i32)> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the struct.
    match unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut t) } {
        0 => Ok((t.tv_sec, (t.tv_nsec / 1000) as i32)),
        _ => Err(vm.last_os_error(None)),
    }
}

fn out_of_range(vm: &Vm) -> skein_runtime::Raised {
    vm.overflow_error("timestamp out of range for platform time_t")
}

/// Seconds and microseconds of a timestamp, rounded to the nearest, of two the even one. TypeError, ValueError,
/// OverflowError.
pub fn timestamp(vm: &Vm, v: Value) -> R<(i64, i32)> {
    let Some(f) = vm.as_float(v) else {
        return Ok((seconds(vm, v)?, 0));
    };
    if f.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    let mut whole = f.trunc();
    let mut micros = (f.fract() * 1e6).round_ties_even();
    if micros >= 1e6 {
        (whole, micros) = (whole + 1.0, micros - 1e6);
    } else if micros < 0.0 {
        (whole, micros) = (whole - 1.0, micros + 1e6);
    }
    if !(-9.2e18..9.2e18).contains(&whole) {
        return Err(out_of_range(vm));
    }
    Ok((whole as i64, micros as i32))
}

fn seconds(vm: &Vm, v: Value) -> R<i64> {
    let i = vm.index(v)?;
    vm.as_i64(i).ok_or_else(|| out_of_range(vm))
}

/// The whole seconds of a timestamp, rounded down. TypeError, ValueError, OverflowError.
pub fn whole_seconds(vm: &Vm, v: Value) -> R<i64> {
    match vm.as_float(v) {
        None => seconds(vm, v),
        Some(f) if f.is_nan() => Err(vm.value_error("Invalid value NaN (not a number)")),
        Some(f) if !(-9.2e18..9.2e18).contains(&f) => Err(out_of_range(vm)),
        Some(f) => Ok(f.floor() as i64),
    }
}
