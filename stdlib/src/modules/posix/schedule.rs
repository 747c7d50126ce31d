//! Priorities and processors.

use super::State;
use super::arguments::checked;
use skein_builtins::modules::structseq;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};

native_functions! { pub FUNCTIONS:
    "nice(increment, /)" => nice, "Add increment to the priority of process and return the new priority.";
    "getpriority(which, who)" => getpriority, "Return program scheduling priority.";
    "setpriority(which, who, priority)" => setpriority, "Set program scheduling priority.";
    "sched_yield()" => |_: &Vm| std::thread::yield_now(), "Voluntarily relinquish the CPU.";
    "sched_get_priority_max(policy)" => |vm: &Vm, policy: i32| number(vm, || unsafe { libc::sched_get_priority_max(policy) }), "Get the maximum scheduling priority for policy.";
    "sched_get_priority_min(policy)" => |vm: &Vm, policy: i32| number(vm, || unsafe { libc::sched_get_priority_min(policy) }), "Get the minimum scheduling priority for policy.";
    "sched_getscheduler(pid, /)" => |vm: &Vm, pid: i32| number(vm, || unsafe { libc::sched_getscheduler(pid) }), "Get the scheduling policy for the process identified by pid.";
    "sched_setscheduler(pid, policy, param, /)" => sched_setscheduler, "Set the scheduling policy for the process identified by pid.";
    "sched_getparam(pid, /)" => sched_getparam, "Returns scheduling parameters for the process identified by pid.";
    "sched_setparam(pid, param, /)" => sched_setparam, "Set scheduling parameters for the process identified by pid.";
    "sched_rr_get_interval(pid, /)" => sched_rr_get_interval, "Return the round-robin quantum for the process identified by pid, in seconds.";
    "sched_getaffinity(pid, /)" => sched_getaffinity, "Return the affinity of the process identified by pid (or the current process if zero).";
    "sched_setaffinity(pid, mask, /)" => sched_setaffinity, "Set the CPU affinity of the process identified by pid to mask.";
}

native_type! {
    pub PARAM: "posix.sched_param", skein_runtime::object::Kind::Tuple, type_flags::HAS_DICT, base |vm| vm.types.tuple,
        "Currently has only one field: sched_priority";
    methods {
        [static] "__new__($type, sched_priority)" => new_param;
        "__repr__($self, /)" => structseq::repr;
        "__replace__($self, /, **changes)" => structseq::replace;
        "__reduce__($self, /)" => |vm: &Vm, p: skein_runtime::object::Ref<Tuple>| vm.tuple(&[vm.type_of(p.value()).value(), vm.tuple(&[p.items()[0]])?]);
    }
    getset { "sched_priority" => structseq::item::<0>; }
}

fn new_param(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all = args.positional();
    let Some(ty) = all.first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("sched_param.__new__(X): X is not a type object"));
    };
    let named = args.keywords().next().map(|(_, v)| v);
    match all.get(1).copied().or(named) {
        Some(v) => structseq::make(vm, ty, &[v], &[]),
        None => Err(vm.type_error("sched_param() missing required argument 'sched_priority' (pos 1)")),
    }
}

/// A call of numbers whose result is a number.
fn number(vm: &Vm, call: impl Fn() -> i32) -> R<i64> {
    checked(vm, None, || call().into())
}

/// A call whose result may well be -1: an error is told by errno.
fn told_by_errno(vm: &Vm, call: impl Fn() -> i32) -> R<i64> {
    // SAFETY: errno is this thread's.
    unsafe { *libc::__errno_location() = 0 };
    let n = call();
    match std::io::Error::last_os_error().raw_os_error() {
        Some(e) if n == -1 && e != 0 => Err(vm.os_error(e, None)),
        _ => Ok(n.into()),
    }
}

fn nice(vm: &Vm, increment: i32) -> R<i64> {
    // SAFETY: a plain call.
    told_by_errno(vm, || unsafe { libc::nice(increment) })
}

fn getpriority(vm: &Vm, which: i32, who: i32) -> R<i64> {
    // SAFETY: asks only.
    told_by_errno(vm, || unsafe { libc::getpriority(which as _, who as _) })
}

fn setpriority(vm: &Vm, which: i32, who: i32, priority: i32) -> R<()> {
    // SAFETY: a plain call.
    number(vm, || unsafe { libc::setpriority(which as _, who as _, priority) }).map(|_| ())
}

pub fn param(vm: &Vm, v: Value) -> R<libc::sched_param> {
    let ty = vm.state::<State>().sched_param.get(vm, &PARAM)?;
    let given = v.cast::<Tuple>().filter(|_| vm.is_exact_or_subtype(v, ty));
    let Some(t) = given else { return Err(vm.type_error("must have a sched_param object")) };
    let priority = vm.index_i64(t.items()[0])?;
    match i32::try_from(priority) {
        Ok(sched_priority) => Ok(libc::sched_param { sched_priority }),
        Err(_) => Err(vm.overflow_error("sched_priority out of range")),
    }
}

fn sched_setscheduler(vm: &Vm, pid: i32, policy: i32, p: Value) -> R<()> {
    let p = param(vm, p)?;
    // SAFETY: plain data in.
    number(vm, || unsafe { libc::sched_setscheduler(pid, policy, &p) }).map(|_| ())
}

fn sched_getparam(vm: &Vm, pid: i32) -> R<Value> {
    let mut p = libc::sched_param { sched_priority: 0 };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::sched_getparam(pid, &mut p).into() })?;
    let ty = vm.state::<State>().sched_param.get(vm, &PARAM)?;
    structseq::make(vm, ty, &[vm.int(p.sched_priority.into())?], &[])
}

fn sched_setparam(vm: &Vm, pid: i32, p: Value) -> R<()> {
    let p = param(vm, p)?;
    // SAFETY: plain data in.
    number(vm, || unsafe { libc::sched_setparam(pid, &p) }).map(|_| ())
}

fn sched_rr_get_interval(vm: &Vm, pid: i32) -> R<f64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::sched_rr_get_interval(pid, &mut t).into() })?;
    Ok(t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64)
}

/// Words of a set of processors that is larger than those of any system.
const WORDS: usize = 1024;

fn sched_getaffinity(vm: &Vm, pid: i32) -> R<Value> {
    let mut mask = [0u64; WORDS];
    // SAFETY: a buffer of that many bytes out.
    checked(vm, None, || unsafe {
        libc::sched_getaffinity(pid, size_of_val(&mask), mask.as_mut_ptr().cast()).into()
    })?;
    let cpus = skein_runtime::types::list::List::with_capacity(vm, 0)?;
    for (i, word) in mask.iter().enumerate() {
        for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
            cpus.push(vm, Value::small_int((i * 64 + bit) as i64))?;
        }
    }
    vm.call(vm.types.set.value(), &[cpus.value()])
}

fn sched_setaffinity(vm: &Vm, pid: i32, cpus: Value) -> R<()> {
    let mut mask = [0u64; WORDS];
    vm.for_each(cpus, |v| {
        let Some(n) = vm.as_i64(vm.index(v)?) else {
            return Err(vm.overflow_error("CPU number too large"));
        };
        if n < 0 {
            return Err(vm.value_error("negative CPU number"));
        }
        match mask.get_mut((n / 64) as usize) {
            Some(word) => {
                *word |= 1 << (n % 64);
                Ok(())
            }
            // No system has it: the call would fail with this.
            None => Err(vm.os_error(libc::EINVAL, None)),
        }
    })?;
    // SAFETY: a buffer of that many bytes in.
    checked(vm, None, || unsafe {
        libc::sched_setaffinity(pid, size_of_val(&mask), mask.as_ptr().cast()).into()
    })
    .map(|_| ())
}
