//! How long a call may wait.

use skein_runtime::{R, Value, Vm};
use std::time::{Duration, Instant};

/// The longest wait, in seconds: what fits into 64 bits of nanoseconds.
pub const MAX: f64 = 9_223_372_036.0;

/// Until when a call waits.
#[derive(Clone, Copy)]
pub enum Timeout {
    No,
    Forever,
    Until(Instant),
}

/// Seconds as Python gives them. TypeError, ValueError, OverflowError.
pub fn seconds(vm: &Vm, v: Value) -> R<f64> {
    let t = if let Some(f) = vm.as_float(v) {
        f
    } else if vm.is_int(v) || v.is_bool() {
        vm.as_i64(v).map_or(f64::INFINITY, |n| n as f64)
    } else {
        let name = vm.type_name(v);
        return Err(vm.type_error(format!("'{name}' object cannot be interpreted as an integer or float")));
    };
    if t.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if t.abs() > 9_223_372_036.854 {
        return Err(vm.overflow_error("timestamp out of range for C PyTime_t"));
    }
    Ok(t)
}

/// In so many seconds.
pub fn after(t: f64) -> Timeout {
    match Duration::try_from_secs_f64(t).ok().and_then(|d| Instant::now().checked_add(d)) {
        Some(until) => Timeout::Until(until),
        None => Timeout::Forever,
    }
}

/// What `blocking` and `timeout` of a lock's `acquire` ask for. TypeError, ValueError, OverflowError.
pub fn deadline(vm: &Vm, blocking: bool, timeout: Option<Value>) -> R<Timeout> {
    let t = match timeout {
        Some(v) => seconds(vm, v)?,
        None => -1.0,
    };
    if !blocking && t != -1.0 {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if t < 0.0 && t != -1.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    if t > MAX {
        return Err(vm.overflow_error("timeout value is too large"));
    }
    Ok(match blocking {
        false => Timeout::No,
        true if t < 0.0 => Timeout::Forever,
        true if t == 0.0 => Timeout::No,
        true => after(t),
    })
}
