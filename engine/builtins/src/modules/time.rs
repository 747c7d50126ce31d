//! The module `time`.

use super::structseq::{self, Lazy};
use crate::struct_sequence;
use skein_bytecode::Special;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "time()" => time, "Return the current time in seconds since the Epoch.";
    "time_ns()" => time_ns;
    "monotonic()" => monotonic, "Monotonic clock, cannot go backward.";
    "monotonic_ns()" => monotonic_ns;
    "perf_counter()" => monotonic, "Performance counter for benchmarking.";
    "perf_counter_ns()" => monotonic_ns;
    "process_time()" => process_time, "Process time for profiling: sum of the kernel and user-space CPU time.";
    "process_time_ns()" => process_time_ns;
    "thread_time()" => thread_time;
    "thread_time_ns()" => thread_time_ns;
    "clock_gettime(clk_id, /)" => clock_gettime;
    "clock_gettime_ns(clk_id, /)" => clock_gettime_ns;
    "clock_settime(clk_id, time, /)" => clock_settime, "clock_settime(clk_id, time)\n\nSet the time of the specified clock clk_id.";
    "clock_settime_ns(clk_id, time, /)" => |vm: &Vm, id: i32, ns: i64| set_clock(vm, id, ns), "clock_settime_ns(clk_id, time)\n\nSet the time of the specified clock clk_id with nanoseconds.";
    "clock_getres(clk_id, /)" => clock_getres;
    "pthread_getcpuclockid(thread_id, /)" => pthread_getcpuclockid, "Return the clk_id of a thread's CPU time clock.";
    "sleep(object, /)" => sleep, "Delay execution for a given number of seconds.";
    "localtime(seconds=None, /)" => localtime;
    "gmtime(seconds=None, /)" => gmtime;
    "mktime(time_tuple, /)" => mktime;
    "asctime(time_tuple=None, /)" => asctime;
    "ctime(seconds=None, /)" => ctime;
    "strftime(format, time_tuple=None, /)" => strftime;
    "strptime(string, format='%a %b %d %H:%M:%S %Y', /)" => strptime;
    "get_clock_info(name, /)" => get_clock_info;
    "tzset()" => tzset;
}

struct_sequence! { STRUCT_TIME: "time.struct_time", "The time value as returned by gmtime(), localtime(), and strptime().";
"tm_year" 0, "tm_mon" 1, "tm_mday" 2, "tm_hour" 3, "tm_min" 4, "tm_sec" 5, "tm_wday" 6, "tm_yday" 7, "tm_isdst" 8 }

#[derive(Default)]
struct State {
    struct_time: Lazy,
}

fn clock(vm: &Vm, id: libc::clockid_t) -> R<libc::timespec> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the struct.
    match unsafe { libc::clock_gettime(id, &mut t) } {
        0 => Ok(t),
        _ => Err(vm.last_os_error(None)),
    }
}

fn seconds(t: libc::timespec) -> f64 {
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// Nanoseconds of a second.
const NANOS: i64 = 1_000_000_000;

fn nanos(t: libc::timespec) -> i64 {
    t.tv_sec * NANOS + t.tv_nsec
}

macro_rules! clocks {
    ($($name:ident $ns:ident $id:ident;)*) => {$(
        fn $name(vm: &Vm) -> R<f64> {
            clock(vm, libc::$id).map(seconds)
        }
        fn $ns(vm: &Vm) -> R<i64> {
            clock(vm, libc::$id).map(nanos)
        }
    )*};
}
clocks! {
    time time_ns CLOCK_REALTIME;
    monotonic monotonic_ns CLOCK_MONOTONIC;
    process_time process_time_ns CLOCK_PROCESS_CPUTIME_ID;
    thread_time thread_time_ns CLOCK_THREAD_CPUTIME_ID;
}

fn clock_gettime(vm: &Vm, id: i32) -> R<f64> {
    clock(vm, id).map(seconds)
}

fn clock_gettime_ns(vm: &Vm, id: i32) -> R<i64> {
    clock(vm, id).map(nanos)
}

fn clock_settime(vm: &Vm, id: i32, time: Value) -> R<()> {
    let too_large = || vm.overflow_error("timestamp out of range for platform time_t");
    let ns = match vm.as_float(time) {
        Some(t) if t.is_nan() => return Err(vm.value_error("Invalid value NaN (not a number)")),
        Some(t) => Some((t * NANOS as f64).floor()).filter(|n| n.abs() < i64::MAX as f64).map(|n| n as i64),
        None => vm.index_i64(time)?.checked_mul(NANOS),
    };
    set_clock(vm, id, ns.ok_or_else(too_large)?)
}

fn set_clock(vm: &Vm, id: i32, ns: i64) -> R<()> {
    let t = libc::timespec { tv_sec: ns.div_euclid(NANOS), tv_nsec: ns.rem_euclid(NANOS) };
    // SAFETY: reads the struct.
    match unsafe { libc::clock_settime(id, &t) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}

fn pthread_getcpuclockid(vm: &Vm, thread: u64) -> R<i64> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: writes the number. The thread's id is the caller's, as in C.
    match unsafe { libc::pthread_getcpuclockid(thread as libc::pthread_t, &mut clock) } {
        0 => Ok(clock.into()),
        errno => Err(vm.os_error(errno, None)),
    }
}

fn clock_getres(vm: &Vm, id: i32) -> R<f64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the struct.
    match unsafe { libc::clock_getres(id, &mut t) } {
        0 => Ok(seconds(t)),
        _ => Err(vm.last_os_error(None)),
    }
}

fn sleep(vm: &Vm, v: Value) -> R<()> {
    vm.audit("time.sleep", || vm.tuple(&[v]))?;
    let t = match vm.as_float(v) {
        Some(t) => t,
        None if vm.is_int(v) || vm.type_of(v).special(vm, Special::Index).is_some() => {
            vm.index_i64(v)? as f64
        }
        None => {
            let got = vm.type_name(v);
            return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer or float")));
        }
    };
    if t.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if t < 0.0 {
        return Err(vm.value_error("sleep length must be non-negative"));
    }
    if t > 9.2e9 {
        return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t"));
    }
    // One that came before the wait must not wait for its end.
    vm.check_signals()?;
    let start = clock(vm, libc::CLOCK_MONOTONIC)?;
    let end = nanos(start) + (t * 1e9).ceil() as i64;
    let end = libc::timespec { tv_sec: end / 1_000_000_000, tv_nsec: end % 1_000_000_000 };
    loop {
        // SAFETY: an absolute time in, nothing out.
        match vm.without_gil(|| unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &end, std::ptr::null_mut())
        }) {
            0 => return Ok(()),
            libc::EINTR => vm.check_signals()?,
            errno => return Err(vm.os_error(errno, None)),
        }
    }
}

/// Seconds since the epoch of an optional argument.
fn instant(vm: &Vm, v: Option<Value>) -> R<libc::time_t> {
    match v {
        None | Some(Value::NONE) => Ok(clock(vm, libc::CLOCK_REALTIME)?.tv_sec),
        Some(v) if vm.is_int(v) => match vm.as_i64(v) {
            Some(n) => Ok(n),
            None => Err(vm.overflow_error("timestamp out of range for platform time_t")),
        },
        Some(v) => {
            let f = vm.to_f64(v)?;
            if f.is_nan() {
                return Err(vm.value_error("Invalid value NaN (not a number)"));
            }
            if f.abs() >= 9.3e18 {
                return Err(vm.overflow_error("timestamp out of range for platform time_t"));
            }
            Ok(f.floor() as libc::time_t)
        }
    }
}

fn struct_time(vm: &Vm, tm: &libc::tm) -> R<Value> {
    let row = List::with_capacity(vm, 9)?;
    for n in [
        tm.tm_year + 1900,
        tm.tm_mon + 1,
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        (tm.tm_wday + 6) % 7,
        tm.tm_yday + 1,
        tm.tm_isdst,
    ] {
        row.push(vm, Value::small_int(n.into()))?;
    }
    // SAFETY: localtime_r and gmtime_r set it to a text that stays.
    let zone = unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_string_lossy().into_owned();
    let zone = vm.str(&zone)?;
    let ty = vm.state::<State>().struct_time.get(vm, &STRUCT_TIME)?;
    structseq::make(vm, ty, row.items(), &[("tm_zone", zone), ("tm_gmtoff", Value::small_int(tm.tm_gmtoff))])
}

fn broken_down(vm: &Vm, t: libc::time_t, local: bool) -> R<libc::tm> {
    // SAFETY: plain data; null is a failure.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let p = if local { libc::localtime_r(&t, &mut tm) } else { libc::gmtime_r(&t, &mut tm) };
        if p.is_null() {
            return Err(vm.os_error(libc::EOVERFLOW, None));
        }
        Ok(tm)
    }
}

fn localtime(vm: &Vm, v: Option<Value>) -> R<Value> {
    let tm = broken_down(vm, instant(vm, v)?, true)?;
    struct_time(vm, &tm)
}

fn gmtime(vm: &Vm, v: Option<Value>) -> R<Value> {
    let tm = broken_down(vm, instant(vm, v)?, false)?;
    struct_time(vm, &tm)
}

/// The struct of a time tuple argument, or of now.
fn tm_of(vm: &Vm, v: Option<Value>, function: &str) -> R<libc::tm> {
    let Some(v) = v.filter(|v| !v.is_none()) else {
        return broken_down(vm, clock(vm, libc::CLOCK_REALTIME)?.tv_sec, true);
    };
    let Some(t) = v.cast::<Tuple>() else {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    };
    if t.len() != 9 {
        return Err(vm.type_error(format!("{function}(): illegal time tuple argument")));
    }
    let mut n = [0i32; 9];
    for (slot, &item) in n.iter_mut().zip(t.items()) {
        *slot = i32::try_from(vm.index_i64(item)?)
            .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
    }
    // SAFETY: plain data.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = n[0].checked_sub(1900).ok_or_else(|| vm.overflow_error("year out of range"))?;
    tm.tm_mon = n[1].wrapping_sub(1);
    tm.tm_mday = n[2];
    tm.tm_hour = n[3];
    tm.tm_min = n[4];
    tm.tm_sec = n[5];
    tm.tm_wday = n[6].wrapping_add(1) % 7;
    tm.tm_yday = n[7].wrapping_sub(1);
    tm.tm_isdst = n[8];
    if let Some(d) = vm.instance_dict(v)?
        && let Some(off) = d.get_name(vm, "tm_gmtoff")?.filter(|off| !off.is_none())
    {
        tm.tm_gmtoff = vm.index_i64(off)?;
    }
    Ok(tm)
}

/// As `strftime` and `asctime` want it: zeros mean the first, others must be in range.
fn check_range(vm: &Vm, tm: &mut libc::tm) -> R<()> {
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    for (n, low, high, name) in [
        (tm.tm_mon, 0, 11, "month out of range"),
        (tm.tm_mday, 1, 31, "day of month out of range"),
        (tm.tm_hour, 0, 23, "hour out of range"),
        (tm.tm_min, 0, 59, "minute out of range"),
        (tm.tm_sec, 0, 61, "seconds out of range"),
        (tm.tm_wday, 0, 6, "day of week out of range"),
        (tm.tm_yday, 0, 365, "day of year out of range"),
    ] {
        if n < low || n > high {
            return Err(vm.value_error(name));
        }
    }
    Ok(())
}

fn mktime(vm: &Vm, v: Value) -> R<f64> {
    let mut tm = tm_of(vm, Some(v), "mktime")?;
    tm.tm_wday = -1;
    // SAFETY: plain data.
    let t = unsafe { libc::mktime(&mut tm) };
    if t == -1 && tm.tm_wday == -1 {
        return Err(vm.overflow_error("mktime argument out of range"));
    }
    Ok(t as f64)
}

fn asctime_text(tm: &libc::tm) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!(
        "{} {}{:3} {:02}:{:02}:{:02} {}",
        DAYS[tm.tm_wday as usize % 7],
        MONTHS[tm.tm_mon as usize % 12],
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        1900 + i64::from(tm.tm_year)
    )
}

fn asctime(vm: &Vm, v: Option<Value>) -> R<String> {
    let mut tm = tm_of(vm, v, "asctime")?;
    check_range(vm, &mut tm)?;
    Ok(asctime_text(&tm))
}

fn ctime(vm: &Vm, v: Option<Value>) -> R<String> {
    Ok(asctime_text(&broken_down(vm, instant(vm, v)?, true)?))
}

fn strftime(vm: &Vm, format: Ref<Str>, v: Option<Value>) -> R<Value> {
    let mut tm = tm_of(vm, v, "strftime")?;
    check_range(vm, &mut tm)?;
    tm.tm_isdst = tm.tm_isdst.clamp(-1, 1);
    // Zone names come from the C library's own copy.
    // SAFETY: mktime normalises a copy; its zone text stays.
    unsafe {
        let mut copy = tm;
        libc::mktime(&mut copy);
        if tm.tm_zone.is_null() {
            tm.tm_zone = copy.tm_zone;
        }
        if tm.tm_gmtoff == 0 {
            tm.tm_gmtoff = copy.tm_gmtoff;
        }
    }
    let mut out = Vec::new();
    // Piece by piece, since a zero byte would end the format, an empty result says nothing, and what C's library
    // would make of other text than ASCII depends on its locale.
    let is_plain = |b: &u8| *b != 0 && b.is_ascii();
    for piece in format.bytes().chunk_by(|a, b| is_plain(a) == is_plain(b)) {
        if !is_plain(&piece[0]) {
            vm.put(&mut out, piece)?;
            continue;
        }
        let Ok(c_format) = std::ffi::CString::new([piece, b" "].concat()) else { continue };
        let mut buf = vm.filled(0u8, 256.max(piece.len() * 16))?;
        // SAFETY: the buffer is as long as said.
        let n = unsafe { libc::strftime(buf.as_mut_ptr().cast(), buf.len(), c_format.as_ptr(), &tm) };
        vm.put(&mut out, String::from_utf8_lossy(&buf[..n.saturating_sub(1)]).as_bytes())?;
    }
    Ok(Str::new(vm, &out)?.value())
}

fn strptime(vm: &Vm, string: Value, format: Option<Value>) -> R<Value> {
    let module = super::import(vm, "_strptime")?;
    let f = vm.get_attr_str(module, "_strptime_time")?;
    match format {
        Some(format) => vm.call(f, &[string, format]),
        None => vm.call(f, &[string]),
    }
}

fn get_clock_info(vm: &Vm, name: Ref<Str>) -> R<Value> {
    let (implementation, adjustable, is_monotonic, id) = match &*name.to_string_lossy() {
        "time" => ("clock_gettime(CLOCK_REALTIME)", true, false, libc::CLOCK_REALTIME),
        "monotonic" | "perf_counter" => {
            ("clock_gettime(CLOCK_MONOTONIC)", false, true, libc::CLOCK_MONOTONIC)
        }
        "process_time" => {
            ("clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", false, true, libc::CLOCK_PROCESS_CPUTIME_ID)
        }
        "thread_time" => {
            ("clock_gettime(CLOCK_THREAD_CPUTIME_ID)", false, true, libc::CLOCK_THREAD_CPUTIME_ID)
        }
        _ => return Err(vm.value_error("unknown clock")),
    };
    let resolution = vm.float(clock_getres(vm, id)?)?;
    let namespace = super::namespace(vm)?;
    for (key, v) in [
        ("implementation", vm.str(implementation)?),
        ("monotonic", Value::bool(is_monotonic)),
        ("adjustable", Value::bool(adjustable)),
        ("resolution", resolution),
    ] {
        vm.set_attr(namespace, vm.intern(key)?, v)?;
    }
    Ok(namespace)
}

unsafe extern "C" {
    /// C's: reads `TZ` anew.
    #[link_name = "tzset"]
    safe fn c_tzset();
}

fn tzset(vm: &Vm) -> R<()> {
    c_tzset();
    let m = super::import(vm, "time")?;
    match m.cast::<Module>() {
        Some(m) => set_zone(vm, m.dict()),
        None => Ok(()),
    }
}

/// `timezone`, `altzone`, `daylight`, `tzname`, from the zone's offsets in January and July.
fn set_zone(vm: &Vm, d: Ref<Dict>) -> R<()> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let this_year = clock(vm, libc::CLOCK_REALTIME)?.tv_sec / YEAR * YEAR;
    let (jan, jul) = (broken_down(vm, this_year, true)?, broken_down(vm, this_year + YEAR / 2, true)?);
    let (winter, summer) = if jan.tm_gmtoff <= jul.tm_gmtoff { (jan, jul) } else { (jul, jan) };
    let zone = |tm: &libc::tm| {
        // SAFETY: set by localtime_r.
        vm.str(&unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_string_lossy())
    };
    let names = vm.tuple(&[zone(&winter)?, zone(&summer)?])?;
    d.set_name(vm, "timezone", Value::small_int(-winter.tm_gmtoff))?;
    d.set_name(vm, "altzone", Value::small_int(-summer.tm_gmtoff))?;
    d.set_name(vm, "daylight", Value::small_int(i64::from(winter.tm_gmtoff != summer.tm_gmtoff)))?;
    d.set_name(vm, "tzname", names)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "time", FUNCTIONS)?;
    let d = m.dict();
    c_tzset();
    set_zone(vm, d)?;
    let ty = vm.state::<State>().struct_time.get(vm, &STRUCT_TIME)?;
    d.set_name(vm, "struct_time", ty.value())?;
    d.set_name(vm, "_STRUCT_TM_ITEMS", Value::small_int(11))?;
    for (name, n) in [
        ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
        ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
        ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
        ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
        ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
        ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
        ("CLOCK_TAI", libc::CLOCK_TAI),
    ] {
        d.set_name(vm, name, Value::small_int(n.into()))?;
    }
    Ok(m)
}
