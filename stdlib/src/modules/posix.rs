//! `posix`: what the packaged `os` is built on.

use super::io::{bytes_of, decode, path_bytes};
use skein_builtins::modules::structseq::{self, Lazy};
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::vm::strerror as text_of_errno;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::{CStr, CString};

native_functions! { FUNCTIONS:
    "getpid()" => getpid;
    "getppid()" => getppid;
    "getuid()" => getuid;
    "geteuid()" => geteuid;
    "getgid()" => getgid;
    "getegid()" => getegid;
    "_exit(status)" => exit_now, "Exit to the system with specified status, without normal exit processing.";
    "abort()" => abort;
    "sysconf(name, /)" => sysconf;
    "cpu_count()" => cpu_count;
    "urandom(size, /)" => urandom;
    "getrandom(size, flags=0)" => getrandom;
    "strerror(code, /)" => strerror;
    "isatty(fd, /)" => isatty;
    "open(path, flags, mode=0o777, *, dir_fd=None)" => open;
    "close(fd)" => close;
    "read(fd, length, /)" => read;
    "write(fd, data, /)" => write;
    "lseek(fd, position, whence, /)" => lseek;
    "pipe()" => pipe;
    "dup(fd, /)" => dup;
    "dup2(fd, fd2, inheritable=True)" => dup2;
    "ftruncate(fd, length, /)" => ftruncate;
    "fsync(fd)" => fsync;
    "kill(pid, signal, /)" => kill;
    "scandir(path=None)" => super::scandir::scandir, "Return an iterator of DirEntry objects for given path.";
    "waitpid(pid, options, /)" => waitpid, "Wait for completion of a given child process.";
    "waitstatus_to_exitcode(status)" => waitstatus_to_exitcode, "Convert a wait status to an exit code.";
    "WIFEXITED(status)" => |_: &Vm, s: i32| libc::WIFEXITED(s);
    "WEXITSTATUS(status)" => |_: &Vm, s: i32| i64::from(libc::WEXITSTATUS(s));
    "WIFSIGNALED(status)" => |_: &Vm, s: i32| libc::WIFSIGNALED(s);
    "WTERMSIG(status)" => |_: &Vm, s: i32| i64::from(libc::WTERMSIG(s));
    "WIFSTOPPED(status)" => |_: &Vm, s: i32| libc::WIFSTOPPED(s);
    "WSTOPSIG(status)" => |_: &Vm, s: i32| i64::from(libc::WSTOPSIG(s));
    "getcwd()" => getcwd;
    "getcwdb()" => getcwdb;
    "chdir(path)" => chdir;
    "mkdir(path, mode=0o777, *, dir_fd=None)" => mkdir;
    "rmdir(path, *, dir_fd=None)" => rmdir;
    "unlink(path, *, dir_fd=None)" => unlink;
    "remove(path, *, dir_fd=None)" => unlink;
    "rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)" => rename;
    "replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)" => rename;
    "symlink(src, dst, target_is_directory=False, *, dir_fd=None)" => symlink;
    "readlink(path, *, dir_fd=None)" => readlink;
    "chmod(path, mode, *, dir_fd=None, follow_symlinks=True)" => chmod;
    "access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)" => access;
    "stat(path, *, dir_fd=None, follow_symlinks=True)" => stat;
    "lstat(path, *, dir_fd=None)" => lstat;
    "fstat(fd)" => fstat;
    "listdir(path=None)" => listdir;
    "putenv(name, value, /)" => putenv;
    "unsetenv(name, /)" => unsetenv;
    "umask(mask, /)" => umask;
    "fspath(path)" => fspath;
    "get_terminal_size(fd=1, /)" => get_terminal_size;
    "get_blocking(fd, /)" => get_blocking;
    "set_blocking(fd, blocking, /)" => set_blocking;
    "get_inheritable(fd, /)" => get_inheritable;
    "set_inheritable(fd, inheritable, /)" => set_inheritable;
    "sched_yield()" => sched_yield;
    "getloadavg()" => getloadavg;
    "_path_normpath(path)" => path_normpath;
}

struct_sequence! { STAT: "os.stat_result", "stat_result: Result from stat, fstat, or lstat.";
"st_mode" 0, "st_ino" 1, "st_dev" 2, "st_nlink" 3, "st_uid" 4, "st_gid" 5, "st_size" 6,
"_integer_atime" 7, "_integer_mtime" 8, "_integer_ctime" 9 }
struct_sequence! { TERMINAL_SIZE: "os.terminal_size", "A tuple of (columns, lines) for holding terminal window size.";
"columns" 0, "lines" 1 }

#[derive(Default)]
struct State {
    stat: Lazy,
    terminal_size: Lazy,
}

/// -1 as OSError; tried again after signals.
fn checked(vm: &Vm, path: Option<Value>, mut call: impl FnMut() -> i64) -> R<i64> {
    let done = vm.retry(|| match call() {
        -1 => Err(std::io::Error::last_os_error()),
        n => Ok(n),
    })?;
    done.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), path))
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        fn $name(_: &Vm) -> i64 {
            // SAFETY: asks only.
            (unsafe { libc::$name() }).into()
        }
    )*};
}
ids! { getpid getppid getuid geteuid getgid getegid }

fn exit_now(_: &Vm, status: i32) {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}

fn abort(_: &Vm) {
    std::process::abort()
}

const SYSCONF: &[(&str, i32)] = &[
    ("SC_PAGE_SIZE", libc::_SC_PAGESIZE),
    ("SC_PAGESIZE", libc::_SC_PAGESIZE),
    ("SC_NPROCESSORS_ONLN", libc::_SC_NPROCESSORS_ONLN),
    ("SC_NPROCESSORS_CONF", libc::_SC_NPROCESSORS_CONF),
    ("SC_CLK_TCK", libc::_SC_CLK_TCK),
    ("SC_OPEN_MAX", libc::_SC_OPEN_MAX),
    ("SC_PHYS_PAGES", libc::_SC_PHYS_PAGES),
    ("SC_AVPHYS_PAGES", libc::_SC_AVPHYS_PAGES),
    ("SC_ARG_MAX", libc::_SC_ARG_MAX),
    ("SC_IOV_MAX", libc::_SC_IOV_MAX),
    ("SC_SEM_NSEMS_MAX", libc::_SC_SEM_NSEMS_MAX),
];

fn sysconf(vm: &Vm, name: Value) -> R<i64> {
    let n = match name.cast::<Str>() {
        Some(s) => match SYSCONF.iter().find(|(k, _)| k.as_bytes() == s.bytes()) {
            Some(&(_, n)) => n,
            None => return Err(vm.value_error("unrecognized configuration name")),
        },
        None => vm.index_i64(name)? as i32,
    };
    // SAFETY: asks only.
    Ok(unsafe { libc::sysconf(n) })
}

fn cpu_count(_: &Vm) -> i64 {
    // SAFETY: asks only.
    unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }
}

fn urandom(vm: &Vm, n: i64) -> R<Value> {
    let Ok(n) = usize::try_from(n) else { return Err(vm.value_error("negative argument not allowed")) };
    let mut out = vec![0u8; n];
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

fn getrandom(vm: &Vm, n: i64, _flags: Option<i32>) -> R<Value> {
    urandom(vm, n)
}

fn strerror(_: &Vm, code: i32) -> String {
    text_of_errno(code)
}

fn isatty(_: &Vm, fd: i32) -> bool {
    // SAFETY: asks only.
    unsafe { libc::isatty(fd) == 1 }
}

fn no_dir_fd(vm: &Vm, fd: Option<Value>) -> R<()> {
    if fd.is_none_or(Value::is_none) { Ok(()) } else { Err(vm.unsupported("dir_fd")) }
}

fn open(vm: &Vm, path: Value, flags: i32, mode: Option<i32>, dir_fd: Option<Value>) -> R<i64> {
    no_dir_fd(vm, dir_fd)?;
    let p = path_bytes(vm, path)?;
    // SAFETY: a C string and numbers.
    checked(vm, Some(path), || unsafe {
        libc::open(p.as_ptr(), flags | libc::O_CLOEXEC, mode.unwrap_or(0o777)).into()
    })
}

fn close(vm: &Vm, fd: i32) -> R<()> {
    // SAFETY: the program's own descriptor.
    checked(vm, None, || unsafe { libc::close(fd).into() }).map(|_| ())
}

fn read(vm: &Vm, fd: i32, n: i64) -> R<Value> {
    let Ok(n) = usize::try_from(n) else { return Err(vm.os_error(libc::EINVAL, None)) };
    let mut out = vec![0u8; n];
    // SAFETY: the buffer is `n` long.
    let got = checked(vm, None, || unsafe { libc::read(fd, out.as_mut_ptr().cast(), n) as i64 })?;
    vm.bytes(&out[..got as usize])
}

fn write(vm: &Vm, fd: i32, data: Value) -> R<i64> {
    let bytes = bytes_of(vm, data)?;
    // SAFETY: the slice is readable.
    checked(vm, None, || unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) as i64 })
}

fn lseek(vm: &Vm, fd: i32, at: i64, whence: i32) -> R<i64> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::lseek(fd, at, whence) })
}

fn pipe(vm: &Vm) -> R<Value> {
    let mut fds = [0i32; 2];
    // SAFETY: two descriptors out.
    checked(vm, None, || unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC).into() })?;
    vm.tuple(&fds.map(|fd| Value::small_int(fd.into())))
}

fn dup(vm: &Vm, fd: i32) -> R<i64> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0).into() })
}

fn dup2(vm: &Vm, fd: i32, to: i32, inheritable: Option<bool>) -> R<i64> {
    let flags = if inheritable.unwrap_or(true) || fd == to { 0 } else { libc::O_CLOEXEC };
    // SAFETY: plain calls.
    checked(vm, None, || unsafe {
        if flags == 0 { libc::dup2(fd, to).into() } else { libc::dup3(fd, to, flags).into() }
    })
}

fn ftruncate(vm: &Vm, fd: i32, n: i64) -> R<()> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::ftruncate(fd, n).into() }).map(|_| ())
}

fn fsync(vm: &Vm, fd: i32) -> R<()> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::fsync(fd).into() }).map(|_| ())
}

fn kill(vm: &Vm, pid: i32, signal: i32) -> R<()> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::kill(pid, signal).into() })?;
    vm.check_signals()
}

fn waitpid(vm: &Vm, pid: i32, options: i32) -> R<Value> {
    let mut status = 0;
    // SAFETY: a number out.
    let pid = checked(vm, None, || unsafe { libc::waitpid(pid, &mut status, options).into() })?;
    vm.tuple(&[Value::small_int(pid), Value::small_int(status.into())])
}

fn waitstatus_to_exitcode(vm: &Vm, status: i32) -> R<i64> {
    if libc::WIFEXITED(status) {
        return Ok(libc::WEXITSTATUS(status).into());
    }
    if libc::WIFSIGNALED(status) {
        return Ok(-i64::from(libc::WTERMSIG(status)));
    }
    Err(vm.value_error(format!("invalid wait status: {status}")))
}

fn path_text(vm: &Vm, bytes: &[u8]) -> R<Value> {
    Ok(Str::new(vm, &decode(vm, bytes, "utf-8", "surrogateescape")?)?.value())
}

fn current_folder(vm: &Vm) -> R<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    let d = std::env::current_dir().map_err(|e| vm.os_error_of(&e, None))?;
    Ok(d.into_os_string().into_vec())
}

fn getcwd(vm: &Vm) -> R<Value> {
    path_text(vm, &current_folder(vm)?)
}

fn getcwdb(vm: &Vm) -> R<Value> {
    vm.bytes(&current_folder(vm)?)
}

fn on_path(vm: &Vm, path: Value, call: impl Fn(&CStr) -> i32) -> R<()> {
    let p = path_bytes(vm, path)?;
    checked(vm, Some(path), || call(&p).into()).map(|_| ())
}

fn chdir(vm: &Vm, path: Value) -> R<()> {
    // SAFETY: a C string.
    on_path(vm, path, |p| unsafe { libc::chdir(p.as_ptr()) })
}

fn mkdir(vm: &Vm, path: Value, mode: Option<u32>, dir_fd: Option<Value>) -> R<()> {
    no_dir_fd(vm, dir_fd)?;
    // SAFETY: a C string.
    on_path(vm, path, |p| unsafe { libc::mkdir(p.as_ptr(), mode.unwrap_or(0o777)) })
}

fn rmdir(vm: &Vm, path: Value, dir_fd: Option<Value>) -> R<()> {
    no_dir_fd(vm, dir_fd)?;
    // SAFETY: a C string.
    on_path(vm, path, |p| unsafe { libc::rmdir(p.as_ptr()) })
}

fn unlink(vm: &Vm, path: Value, dir_fd: Option<Value>) -> R<()> {
    no_dir_fd(vm, dir_fd)?;
    // SAFETY: a C string.
    on_path(vm, path, |p| unsafe { libc::unlink(p.as_ptr()) })
}

fn on_two(vm: &Vm, a: Value, b: Value, call: impl Fn(&CStr, &CStr) -> i32) -> R<()> {
    let (p, q) = (path_bytes(vm, a)?, path_bytes(vm, b)?);
    if call(&p, &q) != 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        return Err(vm.os_error_2(errno, Some(a), Some(b)));
    }
    Ok(())
}

fn rename(vm: &Vm, a: Value, b: Value, fd: Option<Value>, fd2: Option<Value>) -> R<()> {
    no_dir_fd(vm, fd)?;
    no_dir_fd(vm, fd2)?;
    // SAFETY: C strings.
    on_two(vm, a, b, |p, q| unsafe { libc::rename(p.as_ptr(), q.as_ptr()) })
}

fn symlink(vm: &Vm, a: Value, b: Value, _folder: Option<bool>, fd: Option<Value>) -> R<()> {
    no_dir_fd(vm, fd)?;
    // SAFETY: C strings.
    on_two(vm, a, b, |p, q| unsafe { libc::symlink(p.as_ptr(), q.as_ptr()) })
}

fn readlink(vm: &Vm, path: Value, fd: Option<Value>) -> R<Value> {
    no_dir_fd(vm, fd)?;
    let p = path_bytes(vm, path)?;
    let mut out = vec![0u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer is as long as said.
    let n = checked(vm, Some(path), || unsafe {
        libc::readlink(p.as_ptr(), out.as_mut_ptr().cast(), out.len()) as i64
    })?;
    let out = &out[..n as usize];
    if path.cast::<Bytes>().is_some() { vm.bytes(out) } else { path_text(vm, out) }
}

fn chmod(vm: &Vm, path: Value, mode: u32, fd: Option<Value>, _follow: Option<bool>) -> R<()> {
    no_dir_fd(vm, fd)?;
    // SAFETY: a C string.
    on_path(vm, path, |p| unsafe { libc::chmod(p.as_ptr(), mode) })
}

fn access(vm: &Vm, path: Value, mode: i32, fd: Option<Value>, _e: Option<bool>, _f: Option<bool>) -> R<bool> {
    no_dir_fd(vm, fd)?;
    let p = path_bytes(vm, path)?;
    // SAFETY: a C string.
    Ok(unsafe { libc::access(p.as_ptr(), mode) } == 0)
}

fn stat_result(vm: &Vm, st: &libc::stat) -> R<Value> {
    let row = List::with_capacity(vm, 10)?;
    for n in [
        st.st_mode as u64,
        st.st_ino,
        st.st_dev,
        st.st_nlink,
        st.st_uid as u64,
        st.st_gid as u64,
        st.st_size as u64,
        st.st_atime as u64,
        st.st_mtime as u64,
        st.st_ctime as u64,
    ] {
        row.push(vm, vm.int(n as i64)?)?;
    }
    let time = |s: i64, ns: i64| vm.float(s as f64 + ns as f64 * 1e-9);
    let more = [
        ("st_atime", time(st.st_atime, st.st_atime_nsec)?),
        ("st_mtime", time(st.st_mtime, st.st_mtime_nsec)?),
        ("st_ctime", time(st.st_ctime, st.st_ctime_nsec)?),
        ("st_atime_ns", vm.int(st.st_atime * 1_000_000_000 + st.st_atime_nsec)?),
        ("st_mtime_ns", vm.int(st.st_mtime * 1_000_000_000 + st.st_mtime_nsec)?),
        ("st_ctime_ns", vm.int(st.st_ctime * 1_000_000_000 + st.st_ctime_nsec)?),
        ("st_blksize", vm.int(st.st_blksize)?),
        ("st_blocks", vm.int(st.st_blocks)?),
        ("st_rdev", vm.int(st.st_rdev as i64)?),
    ];
    structseq::make(vm, vm.state::<State>().stat.get(vm, &STAT)?, row.items(), &more)
}

fn stat(vm: &Vm, path: Value, fd: Option<Value>, follow: Option<bool>) -> R<Value> {
    no_dir_fd(vm, fd)?;
    if vm.is_int(path) {
        return fstat(vm, vm.index_i64(path)? as i32);
    }
    let p = path_bytes(vm, path)?;
    // SAFETY: plain data.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a C string in, plain data out.
    checked(vm, Some(path), || unsafe {
        match follow.unwrap_or(true) {
            true => libc::stat(p.as_ptr(), &mut st).into(),
            false => libc::lstat(p.as_ptr(), &mut st).into(),
        }
    })?;
    stat_result(vm, &st)
}

fn lstat(vm: &Vm, path: Value, fd: Option<Value>) -> R<Value> {
    stat(vm, path, fd, Some(false))
}

fn fstat(vm: &Vm, fd: i32) -> R<Value> {
    // SAFETY: plain data.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::fstat(fd, &mut st).into() })?;
    stat_result(vm, &st)
}

fn listdir(vm: &Vm, path: Option<Value>) -> R<Ref<List>> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let path = path.filter(|p| !p.is_none());
    let bytes = match path {
        Some(p) => path_bytes(vm, p)?,
        None => CString::from(c"."),
    };
    let raise = |e: std::io::Error| vm.os_error(e.raw_os_error().unwrap_or(0), path);
    let list = List::with_capacity(vm, 0)?;
    for entry in std::fs::read_dir(std::ffi::OsStr::from_bytes(bytes.as_bytes())).map_err(raise)? {
        let name = entry.map_err(raise)?.file_name().into_vec();
        let v = if path.is_some_and(|p| p.cast::<Bytes>().is_some()) {
            vm.bytes(&name)?
        } else {
            path_text(vm, &name)?
        };
        list.push(vm, v)?;
    }
    Ok(list)
}

fn putenv(vm: &Vm, name: Value, value: Value) -> R<()> {
    let (k, v) = (path_bytes(vm, name)?, path_bytes(vm, value)?);
    // SAFETY: the isolate's thread is the only one that uses the environment.
    checked(vm, None, || unsafe { libc::setenv(k.as_ptr(), v.as_ptr(), 1).into() }).map(|_| ())
}

fn unsetenv(vm: &Vm, name: Value) -> R<()> {
    let k = path_bytes(vm, name)?;
    // SAFETY: as above.
    checked(vm, None, || unsafe { libc::unsetenv(k.as_ptr()).into() }).map(|_| ())
}

fn umask(_: &Vm, mask: u32) -> i64 {
    // SAFETY: a plain call.
    unsafe { libc::umask(mask) }.into()
}

fn fspath(vm: &Vm, path: Value) -> R<Value> {
    if path.cast::<Str>().is_some() || path.cast::<Bytes>().is_some() {
        return Ok(path);
    }
    let ty = vm.type_of(path);
    let Some(f) = ty.lookup(vm, vm.intern("__fspath__")?) else {
        return Err(
            vm.type_error(format!("expected str, bytes or os.PathLike object, not {}", ty.name_string()))
        );
    };
    let r = vm.call(vm.bind(f, path, ty)?, &[])?;
    if r.cast::<Str>().is_some() || r.cast::<Bytes>().is_some() {
        return Ok(r);
    }
    Err(vm.type_error(format!(
        "expected {}.__fspath__() to return str or bytes, not {}",
        ty.name_string(),
        vm.type_name(r)
    )))
}

fn get_terminal_size(vm: &Vm, fd: Option<i32>) -> R<Value> {
    // SAFETY: plain data.
    let mut w: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::ioctl(fd.unwrap_or(1), libc::TIOCGWINSZ, &mut w).into() })?;
    let row = [Value::small_int(w.ws_col.into()), Value::small_int(w.ws_row.into())];
    structseq::make(vm, vm.state::<State>().terminal_size.get(vm, &TERMINAL_SIZE)?, &row, &[])
}

fn get_blocking(vm: &Vm, fd: i32) -> R<bool> {
    // SAFETY: asks only.
    Ok(checked(vm, None, || unsafe { libc::fcntl(fd, libc::F_GETFL).into() })? & i64::from(libc::O_NONBLOCK)
        == 0)
}

fn set_blocking(vm: &Vm, fd: i32, blocking: bool) -> R<()> {
    let off = i32::from(!blocking);
    // SAFETY: an int in.
    checked(vm, None, || unsafe { libc::ioctl(fd, libc::FIONBIO, &off).into() }).map(|_| ())
}

fn get_inheritable(vm: &Vm, fd: i32) -> R<bool> {
    // SAFETY: asks only.
    Ok(checked(vm, None, || unsafe { libc::fcntl(fd, libc::F_GETFD).into() })? & i64::from(libc::FD_CLOEXEC)
        == 0)
}

fn set_inheritable(vm: &Vm, fd: i32, on: bool) -> R<()> {
    let flag = if on { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::fcntl(fd, libc::F_SETFD, flag).into() }).map(|_| ())
}

fn sched_yield(_: &Vm) {
    std::thread::yield_now();
}

fn getloadavg(vm: &Vm) -> R<Value> {
    let mut l = [0f64; 3];
    // SAFETY: three floats out.
    if unsafe { libc::getloadavg(l.as_mut_ptr(), 3) } != 3 {
        return Err(vm.raise_text(vm.exc.os_error, "Load averages are unobtainable"));
    }
    vm.tuple(&[vm.float(l[0])?, vm.float(l[1])?, vm.float(l[2])?])
}

fn path_normpath(vm: &Vm, path: Value) -> R<Value> {
    let bytes = path_bytes(vm, path)?.into_bytes();
    let slashes = bytes.iter().take_while(|&&b| b == b'/').count();
    let root: &[u8] = match slashes {
        0 => b"",
        // Exactly two slashes mean something of their own.
        2 => b"//",
        _ => b"/",
    };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in bytes.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|p| *p != b"..") => {
                parts.pop();
            }
            b".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let mut out = root.to_vec();
    out.extend_from_slice(&parts.join(&b'/'));
    if out.is_empty() {
        out.push(b'.');
    }
    if path.cast::<Bytes>().is_some() { vm.bytes(&out) } else { path_text(vm, &out) }
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}
const NUMBERS: &[(&str, i64)] = numbers! {
    O_RDONLY O_WRONLY O_RDWR O_APPEND O_CREAT O_EXCL O_TRUNC O_NONBLOCK O_CLOEXEC O_NOFOLLOW O_DIRECTORY O_SYNC
    F_OK R_OK W_OK X_OK WNOHANG WUNTRACED SEEK_DATA SEEK_HOLE GRND_NONBLOCK GRND_RANDOM
};

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    use std::os::unix::ffi::OsStrExt;
    let m = make_module(vm, "posix", FUNCTIONS)?;
    let d = m.dict();
    for &(name, n) in NUMBERS {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    let environ = Dict::new(vm)?;
    for (k, v) in std::env::vars_os() {
        environ.set(vm, vm.bytes(k.as_bytes())?, vm.bytes(v.as_bytes())?)?;
    }
    d.set_name(vm, "environ", environ.value())?;
    let names = Dict::new(vm)?;
    for &(k, n) in SYSCONF {
        names.set_name(vm, k, Value::small_int(n.into()))?;
    }
    d.set_name(vm, "sysconf_names", names.value())?;
    let have = List::with_capacity(vm, 0)?;
    d.set_name(vm, "_have_functions", have.value())?;
    let state = vm.state::<State>();
    d.set_name(vm, "stat_result", state.stat.get(vm, &STAT)?.value())?;
    d.set_name(vm, "terminal_size", state.terminal_size.get(vm, &TERMINAL_SIZE)?.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    m.dict().set_name(
        vm,
        "DirEntry",
        skein_runtime::types::ext::ext_type(vm, &super::scandir::ENTRY)?.value(),
    )?;
    Ok(m)
}
