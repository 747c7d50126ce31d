//! Sets of signals: which are held back from a thread, and waiting for them.

use super::structseq::{Lazy, make};
use crate::struct_sequence;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::io::Error;
use std::time::{Duration, Instant};

struct_sequence! { INFO: "signal.struct_siginfo",
"struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\nA tuple (si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band) whose items have these names.";
"si_signo" 0, "si_code" 1, "si_errno" 2, "si_pid" 3, "si_uid" 4, "si_status" 5, "si_band" 6 }

#[derive(Default)]
struct State {
    info: Lazy,
}

/// The signals of an iterable. TypeError, ValueError.
fn set_of(vm: &Vm, signals: Value) -> R<libc::sigset_t> {
    // SAFETY: a set is plain data, which `sigemptyset` makes valid.
    let mut set = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    };
    let last = super::signal::COUNT as i64 - 1;
    vm.for_each(signals, |v| {
        let n = vm.as_i64(vm.index(v)?).unwrap_or(-1);
        if !(1..=last).contains(&n) {
            return Err(vm.value_error(format!("signal number {n} out of range [1; {last}]")));
        }
        // SAFETY: a set and a number; those that the system keeps for itself it refuses, as in C.
        unsafe { libc::sigaddset(&mut set, n as i32) };
        Ok(())
    })?;
    Ok(set)
}

/// The set as Python's. MemoryError.
fn numbers(vm: &Vm, set: &libc::sigset_t) -> R<Value> {
    let all = List::with_capacity(vm, 0)?;
    for n in 1..super::signal::COUNT as i32 {
        // SAFETY: asks only.
        if unsafe { libc::sigismember(set, n) } == 1 {
            all.push(vm, Value::small_int(n.into()))?;
        }
    }
    vm.call(vm.types.set.value(), &[all.value()])
}

/// `pthread_sigmask`: the signals that were held back before. OSError.
pub fn mask(vm: &Vm, how: i32, signals: Value) -> R<Value> {
    let set = set_of(vm, signals)?;
    // SAFETY: valid sets; the call changes this thread's mask only.
    let (errno, before) = unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        (libc::pthread_sigmask(how, &set, &mut before), before)
    };
    if errno != 0 {
        return Err(vm.os_error(errno, None));
    }
    // Those that came in while they were held back.
    vm.check_signals()?;
    numbers(vm, &before)
}

/// `sigpending`: the signals that have come in and are held back. OSError.
pub fn pending(vm: &Vm) -> R<Value> {
    // SAFETY: a valid place for a set.
    let (done, set) = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        (libc::sigpending(&mut set), set)
    };
    match done {
        0 => numbers(vm, &set),
        _ => Err(vm.os_error_of(&Error::last_os_error(), None)),
    }
}

/// `sigwait`: the number of a signal of the set that has come in.
pub fn wait(vm: &Vm, signals: Value) -> R<i64> {
    let set = set_of(vm, signals)?;
    let mut number = 0;
    // SAFETY: a valid set and a place for the number.
    let errno = vm.without_gil(|| unsafe { libc::sigwait(&set, &mut number) });
    if errno != 0 {
        return Err(vm.os_error(errno, None));
    }
    vm.check_signals()?;
    Ok(number.into())
}

/// What the system tells of a signal. MemoryError.
fn info(vm: &Vm, i: &libc::siginfo_t) -> R<Value> {
    let ty = vm.state::<State>().info.get(vm, &INFO)?;
    // SAFETY: the system has filled the struct in; fields that the signal's kind lacks are plain numbers.
    let (pid, uid, status) = unsafe { (i.si_pid(), i.si_uid(), i.si_status()) };
    let band = 0;
    let row =
        [i.si_signo.into(), i.si_code.into(), i.si_errno.into(), pid.into(), uid.into(), status.into(), band];
    let items = List::with_capacity(vm, row.len())?;
    for n in row {
        items.push(vm, vm.int(n)?)?;
    }
    make(vm, ty, items.items(), &[])
}

/// `sigwaitinfo`. OSError.
pub fn wait_info(vm: &Vm, signals: Value) -> R<Value> {
    let set = set_of(vm, signals)?;
    // SAFETY: plain data.
    let mut told: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: a valid set and a place for the answer.
    let done = vm.retry(|| match unsafe { libc::sigwaitinfo(&set, &mut told) } {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    })?;
    done.map_err(|e| vm.os_error_of(&e, None))?;
    info(vm, &told)
}

/// `sigtimedwait`: None if the time is over. OSError.
pub fn timed_wait(vm: &Vm, signals: Value, timeout: Value) -> R<Value> {
    let set = set_of(vm, signals)?;
    if !vm.is_int(timeout) && vm.as_float(timeout).is_none() {
        let got = vm.type_name(timeout);
        return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer or float")));
    }
    let seconds = vm.to_f64(timeout)?;
    if seconds < 0.0 {
        return Err(vm.value_error("timeout must be non-negative"));
    }
    let Ok(timeout) = Duration::try_from_secs_f64(seconds) else {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    };
    // A time that lies too far ahead for the clock is as good as none.
    let until = Instant::now().checked_add(timeout);
    // SAFETY: plain data.
    let mut told: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let done = vm.retry(|| {
        let left = until.map_or(timeout, |until| until.saturating_duration_since(Instant::now()));
        let left =
            libc::timespec { tv_sec: left.as_secs() as libc::time_t, tv_nsec: left.subsec_nanos().into() };
        // SAFETY: a valid set, a place for the answer, and a time.
        match unsafe { libc::sigtimedwait(&set, &mut told, &left) } {
            -1 => Err(Error::last_os_error()),
            _ => Ok(()),
        }
    })?;
    match done {
        Ok(()) => info(vm, &told),
        Err(e) if e.raw_os_error() == Some(libc::EAGAIN) => Ok(Value::NONE),
        Err(e) => Err(vm.os_error_of(&e, None)),
    }
}

/// The type of what is told of a signal. MemoryError.
pub fn info_type(vm: &Vm) -> R<Value> {
    Ok(vm.state::<State>().info.get(vm, &INFO)?.value())
}
