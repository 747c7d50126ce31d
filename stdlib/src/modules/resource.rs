//! The module `resource`.

use skein_builtins::modules::structseq::{self, Lazy};
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "getrusage(who, /)" => getrusage;
    "getrlimit(resource, /)" => getrlimit;
    "setrlimit(resource, limits, /)" => setrlimit;
    "prlimit(pid, resource, limits=None, /)" => prlimit;
    "getpagesize()" => getpagesize;
}

struct_sequence! { RUSAGE: "resource.struct_rusage", "Resources that a process has used.";
"ru_utime" 0, "ru_stime" 1, "ru_maxrss" 2, "ru_ixrss" 3, "ru_idrss" 4, "ru_isrss" 5, "ru_minflt" 6, "ru_majflt" 7,
"ru_nswap" 8, "ru_inblock" 9, "ru_oublock" 10, "ru_msgsnd" 11, "ru_msgrcv" 12, "ru_nsignals" 13, "ru_nvcsw" 14,
"ru_nivcsw" 15 }

#[derive(Default)]
struct State {
    rusage: Lazy,
}

fn getrusage(vm: &Vm, who: i32) -> R<Value> {
    // SAFETY: plain data out.
    let (done, u) = unsafe {
        let mut u: libc::rusage = std::mem::zeroed();
        (libc::getrusage(who, &mut u), u)
    };
    if done != 0 {
        return Err(match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINVAL) => vm.value_error("invalid who parameter"),
            _ => vm.last_os_error(None),
        });
    }
    usage_result(vm, &u)
}

/// `struct_rusage`, for `os.wait4` too. MemoryError.
pub fn usage_result(vm: &Vm, u: &libc::rusage) -> R<Value> {
    let seconds = |t: libc::timeval| vm.float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    let row = List::with_capacity(vm, 16)?;
    row.push(vm, seconds(u.ru_utime)?)?;
    row.push(vm, seconds(u.ru_stime)?)?;
    for n in [
        u.ru_maxrss,
        u.ru_ixrss,
        u.ru_idrss,
        u.ru_isrss,
        u.ru_minflt,
        u.ru_majflt,
        u.ru_nswap,
        u.ru_inblock,
        u.ru_oublock,
        u.ru_msgsnd,
        u.ru_msgrcv,
        u.ru_nsignals,
        u.ru_nvcsw,
        u.ru_nivcsw,
    ] {
        row.push(vm, vm.int(n)?)?;
    }
    structseq::make(vm, vm.state::<State>().rusage.get(vm, &RUSAGE)?, row.items(), &[])
}

fn limit(vm: &Vm, n: libc::rlim_t) -> R<Value> {
    if n == libc::RLIM_INFINITY { vm.int(-1) } else { vm.int_u64(n) }
}

fn getrlimit(vm: &Vm, which: i32) -> R<Value> {
    let mut l = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain data out.
    if unsafe { libc::getrlimit(which as _, &mut l) } != 0 {
        return Err(vm.value_error("invalid resource specified"));
    }
    vm.tuple(&[limit(vm, l.rlim_cur)?, limit(vm, l.rlim_max)?])
}

/// A pair of limits as a program gives it.
fn pair(vm: &Vm, limits: Value) -> R<libc::rlimit> {
    let row = vm.list_from(limits)?;
    if row.len() != 2 {
        return Err(vm.value_error("expected a tuple of 2 integers"));
    }
    let number =
        |i: usize| vm.index_i64(row.items()[i]).map(|n| if n < 0 { libc::RLIM_INFINITY } else { n as u64 });
    Ok(libc::rlimit { rlim_cur: number(0)?, rlim_max: number(1)? })
}

fn refused(vm: &Vm) -> skein_runtime::Raised {
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => vm.value_error("current limit exceeds maximum limit"),
        Some(libc::EPERM) => vm.value_error("not allowed to raise maximum limit"),
        _ => vm.last_os_error(None),
    }
}

fn known(vm: &Vm, which: i32) -> R<()> {
    if (0..16).contains(&which) { Ok(()) } else { Err(vm.value_error("invalid resource specified")) }
}

fn setrlimit(vm: &Vm, which: i32, limits: Value) -> R<()> {
    vm.audit("resource.setrlimit", || vm.tuple(&[Value::small_int(which.into()), limits]))?;
    known(vm, which)?;
    let l = pair(vm, limits)?;
    // SAFETY: plain data in.
    if unsafe { libc::setrlimit(which as _, &l) } != 0 { Err(refused(vm)) } else { Ok(()) }
}

fn prlimit(vm: &Vm, pid: i32, which: i32, limits: Option<Value>) -> R<Value> {
    known(vm, which)?;
    vm.audit("resource.prlimit", || {
        let numbers = [pid, which].map(|n| Value::small_int(n.into()));
        vm.tuple(&[numbers[0], numbers[1], limits.unwrap_or(Value::NONE)])
    })?;
    let new = limits.filter(|l| !l.is_none()).map(|l| pair(vm, l)).transpose()?;
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain data in and out, or none in.
    if unsafe { libc::prlimit(pid, which as _, new, &mut old) } != 0 {
        return Err(refused(vm));
    }
    vm.tuple(&[limit(vm, old.rlim_cur)?, limit(vm, old.rlim_max)?])
}

fn getpagesize(_: &Vm) -> i64 {
    // SAFETY: asks only.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "resource", FUNCTIONS)?;
    let d = m.dict();
    for (name, n) in [
        ("RUSAGE_SELF", libc::RUSAGE_SELF as i64),
        ("RUSAGE_CHILDREN", libc::RUSAGE_CHILDREN as i64),
        ("RUSAGE_THREAD", libc::RUSAGE_THREAD as i64),
        ("RLIM_INFINITY", -1),
        ("RLIMIT_CPU", libc::RLIMIT_CPU as i64),
        ("RLIMIT_FSIZE", libc::RLIMIT_FSIZE as i64),
        ("RLIMIT_DATA", libc::RLIMIT_DATA as i64),
        ("RLIMIT_STACK", libc::RLIMIT_STACK as i64),
        ("RLIMIT_CORE", libc::RLIMIT_CORE as i64),
        ("RLIMIT_NOFILE", libc::RLIMIT_NOFILE as i64),
        ("RLIMIT_AS", libc::RLIMIT_AS as i64),
        ("RLIMIT_RSS", libc::RLIMIT_RSS as i64),
        ("RLIMIT_NPROC", libc::RLIMIT_NPROC as i64),
        ("RLIMIT_OFILE", libc::RLIMIT_NOFILE as i64),
        ("RLIMIT_MSGQUEUE", libc::RLIMIT_MSGQUEUE as i64),
        ("RLIMIT_NICE", libc::RLIMIT_NICE as i64),
        ("RLIMIT_RTPRIO", libc::RLIMIT_RTPRIO as i64),
        ("RLIMIT_RTTIME", libc::RLIMIT_RTTIME as i64),
        ("RLIMIT_SIGPENDING", libc::RLIMIT_SIGPENDING as i64),
        ("RLIMIT_MEMLOCK", libc::RLIMIT_MEMLOCK as i64),
    ] {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    d.set_name(vm, "struct_rusage", vm.state::<State>().rusage.get(vm, &RUSAGE)?.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    Ok(m)
}
