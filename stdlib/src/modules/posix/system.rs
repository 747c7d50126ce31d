//! The system, its users and this process's place in it.

use super::State;
use super::arguments::{Gid, Uid, c_string, checked, id, path_text};
use skein_builtins::modules::structseq;
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::vm::strerror as text_of_errno;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::CStr;

native_functions! { pub FUNCTIONS:
    "getuid()" => |_: &Vm| i64::from(unsafe { libc::getuid() }), "Return the current process's user id.";
    "geteuid()" => |_: &Vm| i64::from(unsafe { libc::geteuid() }), "Return the current process's effective user id.";
    "getgid()" => |_: &Vm| i64::from(unsafe { libc::getgid() }), "Return the current process's group id.";
    "getegid()" => |_: &Vm| i64::from(unsafe { libc::getegid() }), "Return the current process's effective group id.";
    "getresuid()" => getresuid, "Return a tuple of the current process's real, effective, and saved user ids.";
    "getresgid()" => getresgid, "Return a tuple of the current process's real, effective, and saved group ids.";
    "setuid(uid, /)" => |vm: &Vm, u: Uid| on(vm, || unsafe { libc::setuid(u.0) }), "Set the current process's user id.";
    "seteuid(euid, /)" => |vm: &Vm, u: Uid| on(vm, || unsafe { libc::seteuid(u.0) }), "Set the current process's effective user id.";
    "setgid(gid, /)" => |vm: &Vm, g: Gid| on(vm, || unsafe { libc::setgid(g.0) }), "Set the current process's group id.";
    "setegid(egid, /)" => |vm: &Vm, g: Gid| on(vm, || unsafe { libc::setegid(g.0) }), "Set the current process's effective group id.";
    "setreuid(ruid, euid, /)" => |vm: &Vm, r: Uid, e: Uid| on(vm, || unsafe { libc::setreuid(r.0, e.0) }), "Set the current process's real and effective user ids.";
    "setregid(rgid, egid, /)" => |vm: &Vm, r: Gid, e: Gid| on(vm, || unsafe { libc::setregid(r.0, e.0) }), "Set the current process's real and effective group ids.";
    "setresuid(ruid, euid, suid, /)" => |vm: &Vm, r: Uid, e: Uid, s: Uid| on(vm, || unsafe { libc::setresuid(r.0, e.0, s.0) }), "Set the current process's real, effective, and saved user ids.";
    "setresgid(rgid, egid, sgid, /)" => |vm: &Vm, r: Gid, e: Gid, s: Gid| on(vm, || unsafe { libc::setresgid(r.0, e.0, s.0) }), "Set the current process's real, effective, and saved group ids.";
    "getgroups()" => getgroups, "Return list of supplemental group IDs for the process.";
    "setgroups(groups, /)" => setgroups, "Set the groups of the current process to list.";
    "getgrouplist(user, group, /)" => getgrouplist, "Returns a list of groups to which a user belongs.";
    "initgroups(username, gid, /)" => initgroups, "Initialize the group access list.";
    "getlogin()" => getlogin, "Return the actual login name.";
    "uname()" => uname, "Return an object identifying the current operating system.";
    "times()" => times, "Return a collection containing process timing information.";
    "cpu_count()" => cpu_count, "Return the number of logical CPUs in the system.";
    "getloadavg()" => getloadavg, "Return average recent system load information.";
    "urandom(size, /)" => urandom, "Return a bytes object containing random bytes suitable for cryptographic use.";
    "getrandom(size, flags=0)" => getrandom, "Obtain a series of random bytes.";
    "strerror(code, /)" => |_: &Vm, code: i32| text_of_errno(code), "Translate an error code to a message string.";
    "umask(mask, /)" => |_: &Vm, mask: i32| i64::from(unsafe { libc::umask(mask as libc::mode_t) }), "Set the current numeric umask and return the previous umask.";
    "putenv(name, value, /)" => putenv, "Change or add an environment variable.";
    "unsetenv(name, /)" => unsetenv, "Delete an environment variable.";
    "_create_environ()" => create_environ, "Create the environment dictionary.";
    "ctermid()" => |vm: &Vm| vm.str("/dev/tty"), "Return the name of the controlling terminal for this process.";
    "_inputhook()" => |_: &Vm| 0i64, "Calls PyOS_CallInputHook droppong the GIL first";
    "_is_inputhook_installed()" => |_: &Vm| false, "Checks if PyOS_CallInputHook is set";
}

struct_sequence! { pub UNAME: "posix.uname_result", "uname_result: Result from os.uname().";
"sysname" 0, "nodename" 1, "release" 2, "version" 3, "machine" 4 }
struct_sequence! { pub TIMES: "posix.times_result", "times_result: Result from os.times().";
"user" 0, "system" 1, "children_user" 2, "children_system" 3, "elapsed" 4 }

/// A call of numbers only, without a result.
fn on(vm: &Vm, call: impl Fn() -> i32) -> R<()> {
    checked(vm, None, || call().into()).map(|_| ())
}

fn three(vm: &Vm, call: impl Fn(&mut [u32; 3]) -> i32) -> R<Value> {
    let mut ids = [0; 3];
    checked(vm, None, || call(&mut ids).into())?;
    vm.tuple(&ids.map(|n| Value::small_int(n.into())))
}

fn getresuid(vm: &Vm) -> R<Value> {
    // SAFETY: three numbers out.
    three(vm, |[a, b, c]| unsafe { libc::getresuid(a, b, c) })
}

fn getresgid(vm: &Vm) -> R<Value> {
    // SAFETY: three numbers out.
    three(vm, |[a, b, c]| unsafe { libc::getresgid(a, b, c) })
}

fn id_list(vm: &Vm, ids: &[u32]) -> R<Ref<List>> {
    let list = List::with_capacity(vm, ids.len())?;
    for &n in ids {
        list.push(vm, Value::small_int(n.into()))?;
    }
    Ok(list)
}

fn getgroups(vm: &Vm) -> R<Ref<List>> {
    // SAFETY: asks for the number.
    let n = checked(vm, None, || unsafe { libc::getgroups(0, std::ptr::null_mut()).into() })?;
    let mut ids = vm.filled(0, n as usize)?;
    // SAFETY: so many ids out.
    let n = checked(vm, None, || unsafe { libc::getgroups(ids.len() as i32, ids.as_mut_ptr()).into() })?;
    id_list(vm, &ids[..n as usize])
}

fn setgroups(vm: &Vm, groups: Value) -> R<()> {
    let given = vm.list_from(groups)?;
    if given.len() > 65536 {
        return Err(vm.value_error("too many groups"));
    }
    let mut ids = Vec::new();
    for i in 0..given.len() {
        ids.push(id(vm, given.get(i).unwrap_or(Value::NONE), "gid")?);
    }
    // SAFETY: so many ids in.
    checked(vm, None, || unsafe { libc::setgroups(ids.len(), ids.as_ptr()).into() }).map(|_| ())
}

fn getgrouplist(vm: &Vm, user: Value, group: Gid) -> R<Ref<List>> {
    let user = c_string(vm, user)?;
    let mut ids = vm.filled(0, 64)?;
    loop {
        let mut n = ids.len() as i32;
        // SAFETY: a C string in, so many ids out.
        if unsafe { libc::getgrouplist(user.as_ptr(), group.0, ids.as_mut_ptr(), &mut n) } >= 0 {
            return id_list(vm, &ids[..n as usize]);
        }
        if ids.len() > 1 << 20 {
            return Err(vm.os_error(libc::EINVAL, None));
        }
        ids.resize((n.max(0) as usize).max(ids.len() * 2), 0);
    }
}

fn initgroups(vm: &Vm, user: Value, group: Gid) -> R<()> {
    let user = c_string(vm, user)?;
    // SAFETY: a C string.
    on(vm, || unsafe { libc::initgroups(user.as_ptr(), group.0) })
}

fn getlogin(vm: &Vm) -> R<Value> {
    // SAFETY: errno is this thread's; the name ends with a zero byte and is good until the next call.
    let name = unsafe {
        *libc::__errno_location() = 0;
        let name = libc::getlogin();
        if name.is_null() {
            return Err(vm.last_os_error(None));
        }
        CStr::from_ptr(name).to_bytes().to_vec()
    };
    path_text(vm, &name)
}

fn uname(vm: &Vm) -> R<Value> {
    // SAFETY: plain data.
    let mut u: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::uname(&mut u).into() })?;
    // SAFETY: each ends with a zero byte.
    let text = |s: &[libc::c_char]| path_text(vm, unsafe { CStr::from_ptr(s.as_ptr()) }.to_bytes());
    let row =
        [text(&u.sysname)?, text(&u.nodename)?, text(&u.release)?, text(&u.version)?, text(&u.machine)?];
    structseq::make(vm, vm.state::<State>().uname.get(vm, &UNAME)?, &row, &[])
}

fn times(vm: &Vm) -> R<Value> {
    // SAFETY: plain data.
    let mut t: libc::tms = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    let elapsed = unsafe { libc::times(&mut t) };
    // SAFETY: asks only.
    let tick = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let row = [t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, elapsed];
    let mut out = [Value::NONE; 5];
    for (slot, n) in out.iter_mut().zip(row) {
        *slot = vm.float(n as f64 / tick)?;
    }
    structseq::make(vm, vm.state::<State>().times.get(vm, &TIMES)?, &out, &[])
}

fn cpu_count(_: &Vm) -> i64 {
    // SAFETY: asks only.
    unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }
}

fn getloadavg(vm: &Vm) -> R<Value> {
    let mut l = [0f64; 3];
    // SAFETY: three floats out.
    if unsafe { libc::getloadavg(l.as_mut_ptr(), 3) } != 3 {
        return Err(vm.raise_text(vm.exc.os_error, "Load averages are unobtainable"));
    }
    vm.tuple(&[vm.float(l[0])?, vm.float(l[1])?, vm.float(l[2])?])
}

fn urandom(vm: &Vm, n: i64) -> R<Value> {
    let Ok(n) = usize::try_from(n) else { return Err(vm.value_error("negative argument not allowed")) };
    let mut out = super::arguments::buffer(vm, n)?;
    let mut at = 0;
    while at < n {
        let got = checked(vm, None, || {
            // SAFETY: the rest of the buffer.
            unsafe { libc::getrandom(out[at..].as_mut_ptr().cast(), n - at, 0) as i64 }
        })?;
        at += got as usize;
    }
    vm.bytes(&out)
}

fn getrandom(vm: &Vm, n: i64, flags: Option<u32>) -> R<Value> {
    let Ok(n) = usize::try_from(n) else { return Err(vm.os_error(libc::EINVAL, None)) };
    let mut out = super::arguments::buffer(vm, n)?;
    // SAFETY: a buffer of that length out.
    let got = checked(vm, None, || unsafe {
        libc::getrandom(out.as_mut_ptr().cast(), n, flags.unwrap_or(0)) as i64
    })?;
    vm.bytes(&out[..got as usize])
}

fn putenv(vm: &Vm, name: Value, value: Value) -> R<()> {
    let (k, v) = (c_string(vm, name)?, c_string(vm, value)?);
    vm.audit("os.putenv", || vm.tuple(&[vm.bytes(k.as_bytes())?, vm.bytes(v.as_bytes())?]))?;
    if k.as_bytes().contains(&b'=') || k.is_empty() {
        return Err(vm.value_error("illegal environment variable name"));
    }
    // SAFETY: the isolate's thread is the only one that uses the environment.
    checked(vm, None, || unsafe { libc::setenv(k.as_ptr(), v.as_ptr(), 1).into() }).map(|_| ())
}

fn unsetenv(vm: &Vm, name: Value) -> R<()> {
    let k = c_string(vm, name)?;
    vm.audit("os.unsetenv", || vm.tuple(&[vm.bytes(k.as_bytes())?]))?;
    // SAFETY: as above.
    checked(vm, None, || unsafe { libc::unsetenv(k.as_ptr()).into() }).map(|_| ())
}

/// The environment as it is now.
pub fn create_environ(vm: &Vm) -> R<Ref<Dict>> {
    use std::os::unix::ffi::OsStrExt;
    let environ = Dict::new(vm)?;
    for (k, v) in std::env::vars_os() {
        environ.set(vm, vm.bytes(k.as_bytes())?, vm.bytes(v.as_bytes())?)?;
    }
    Ok(environ)
}
