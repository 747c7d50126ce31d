//! Functions on file descriptors.

use super::super::support::{BytesLike, write_bytes};
use super::State;
use super::arguments::{DirFd, Fd, Gid, Path, Uid, buffer, c_string, checked, folder, path_text};
use skein_builtins::modules::structseq;
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { pub FUNCTIONS:
    "open(path, flags, mode=0o777, *, dir_fd=None)" => open, "Open a file for low level IO.  Returns a file descriptor (integer).";
    "close(fd)" => close, "Close a file descriptor.";
    "closerange(fd_low, fd_high, /)" => closerange, "Closes all file descriptors in [fd_low, fd_high), ignoring errors.";
    "read(fd, length, /)" => read, "Read from a file descriptor.  Returns a bytes object.";
    "readinto(fd, buffer, /)" => readinto, "Read into a buffer object from a file descriptor.";
    "write(fd, data, /)" => write, "Write a bytes object to a file descriptor.";
    "pread(fd, length, offset, /)" => pread, "Read a number of bytes from a file descriptor starting at a particular offset.";
    "pwrite(fd, buffer, offset, /)" => pwrite, "Write bytes to a file descriptor starting at a particular offset.";
    "readv(fd, buffers, /)" => |vm: &Vm, fd: i32, buffers: Value| read_many(vm, fd, buffers, "readv", |fd, v, n| unsafe { libc::readv(fd, v, n) }), "Read from a file descriptor fd into an iterable of buffers.";
    "writev(fd, buffers, /)" => |vm: &Vm, fd: i32, buffers: Value| write_many(vm, fd, buffers, "writev", |fd, v, n| unsafe { libc::writev(fd, v, n) }), "Iterate over buffers, and write the contents of each to a file descriptor.";
    "preadv(fd, buffers, offset, flags=0, /)" => |vm: &Vm, fd: i32, buffers: Value, offset: i64, flags: Option<i32>| read_many(vm, fd, buffers, "preadv", |fd, v, n| unsafe { libc::preadv2(fd, v, n, offset, flags.unwrap_or(0)) }), "Reads from a file descriptor into a number of mutable bytes-like objects.";
    "pwritev(fd, buffers, offset, flags=0, /)" => |vm: &Vm, fd: i32, buffers: Value, offset: i64, flags: Option<i32>| write_many(vm, fd, buffers, "pwritev", |fd, v, n| unsafe { libc::pwritev2(fd, v, n, offset, flags.unwrap_or(0)) }), "Writes the contents of bytes-like objects to a file descriptor at a given offset.";
    "lseek(fd, position, whence, /)" => lseek, "Set the position of a file descriptor.  Return the new position.";
    "pipe()" => |vm: &Vm| pipe2(vm, libc::O_CLOEXEC), "Create a pipe.";
    "pipe2(flags, /)" => pipe2, "Create a pipe with flags set atomically.";
    "dup(fd, /)" => dup, "Return a duplicate of a file descriptor.";
    "dup2(fd, fd2, inheritable=True)" => dup2, "Duplicate file descriptor.";
    "ftruncate(fd, length, /)" => ftruncate, "Truncate a file, specified by file descriptor, to a specific length.";
    "fsync(fd)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::fsync(fd.0) }), "Force write of fd to disk.";
    "fdatasync(fd)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::fdatasync(fd.0) }), "Force write of fd to disk without forcing update of metadata.";
    "sync()" => |_: &Vm| unsafe { libc::sync() }, "Force write of everything to disk.";
    "fchdir(fd)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::fchdir(fd.0) }), "Change to the directory of the given file descriptor.";
    "fchmod(fd, mode)" => |vm: &Vm, fd: i32, mode: i32| on(vm, || unsafe { libc::fchmod(fd, mode as libc::mode_t) }), "Change the access permissions of the file given by file descriptor fd.";
    "fchown(fd, uid, gid)" => |vm: &Vm, fd: i32, uid: Uid, gid: Gid| on(vm, || unsafe { libc::fchown(fd, uid.0, gid.0) }), "Change the owner and group id of the file specified by file descriptor.";
    "lockf(fd, command, length, /)" => |vm: &Vm, fd: i32, command: i32, n: i64| on(vm, || unsafe { libc::lockf(fd, command, n) }), "Apply, test or remove a POSIX lock on an open file descriptor.";
    "posix_fallocate(fd, offset, length, /)" => |vm: &Vm, fd: i32, at: i64, n: i64| numbered(vm, || unsafe { libc::posix_fallocate(fd, at, n) }), "Ensure a file has allocated at least a particular number of bytes on disk.";
    "posix_fadvise(fd, offset, length, advice, /)" => |vm: &Vm, fd: i32, at: i64, n: i64, advice: i32| numbered(vm, || unsafe { libc::posix_fadvise(fd, at, n, advice) }), "Announce an intention to access data in a specific pattern.";
    "sendfile(out_fd, in_fd, offset, count)" => sendfile, "Copy count bytes from file descriptor in_fd to file descriptor out_fd.";
    "copy_file_range(src, dst, count, offset_src=None, offset_dst=None)" => copy_file_range, "Copy count bytes from one file descriptor to another.";
    "splice(src, dst, count, offset_src=None, offset_dst=None, flags=0)" => splice, "Transfer count bytes from one pipe to a descriptor or vice versa.";
    "isatty(fd, /)" => isatty, "Return True if the fd is connected to a terminal.";
    "ttyname(fd, /)" => ttyname, "Return the name of the terminal device connected to 'fd'.";
    "openpty()" => openpty, "Open a pseudo-terminal.";
    "posix_openpt(oflag, /)" => |vm: &Vm, flags: i32| number(vm, || unsafe { libc::posix_openpt(flags) }), "Open and return a file descriptor for a master pseudo-terminal device.";
    "grantpt(fd, /)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::grantpt(fd.0) }), "Grant access to the slave pseudo-terminal device.";
    "unlockpt(fd, /)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::unlockpt(fd.0) }), "Unlock a pseudo-terminal master/slave pair.";
    "ptsname(fd, /)" => ptsname, "Return the name of the slave pseudo-terminal device.";
    "login_tty(fd, /)" => |vm: &Vm, fd: Fd| on(vm, || unsafe { libc::login_tty(fd.0) }), "Prepare the tty of which fd is a file descriptor for a new login session.";
    "tcgetpgrp(fd, /)" => |vm: &Vm, fd: i32| number(vm, || unsafe { libc::tcgetpgrp(fd) }), "Return the process group associated with the terminal specified by fd.";
    "tcsetpgrp(fd, pgid, /)" => |vm: &Vm, fd: i32, group: i32| on(vm, || unsafe { libc::tcsetpgrp(fd, group) }), "Set the process group associated with the terminal specified by fd.";
    "get_terminal_size(fd=1, /)" => get_terminal_size, "Return the size of the terminal window as (columns, lines).";
    "get_blocking(fd, /)" => get_blocking, "Get the blocking mode of the file descriptor.";
    "set_blocking(fd, blocking, /)" => set_blocking, "Set the blocking mode of the specified file descriptor.";
    "get_inheritable(fd, /)" => get_inheritable, "Get the close-on-exe flag of the specified file descriptor.";
    "set_inheritable(fd, inheritable, /)" => set_inheritable, "Set the inheritable flag of the specified file descriptor.";
    "device_encoding(fd)" => device_encoding, "Return a string describing the encoding of a terminal's file descriptor.";
    "memfd_create(name, flags=MFD_CLOEXEC)" => memfd_create, "Create an anonymous file in memory.";
    "eventfd(initval, flags=EFD_CLOEXEC)" => |vm: &Vm, n: u32, flags: Option<i32>| number(vm, || unsafe { libc::eventfd(n, flags.unwrap_or(libc::EFD_CLOEXEC)) }), "Creates and returns an event notification file descriptor.";
    "eventfd_read(fd)" => eventfd_read, "Read eventfd value";
    "eventfd_write(fd, value)" => eventfd_write, "Write eventfd value.";
    "timerfd_create(clockid, /, *, flags=TFD_CLOEXEC)" => |vm: &Vm, clock: i32, flags: Option<i32>| number(vm, || unsafe { libc::timerfd_create(clock, flags.unwrap_or(0) | libc::TFD_CLOEXEC) }), "Create and return a timer file descriptor.";
    "timerfd_settime(fd, /, *, flags=0, initial=0.0, interval=0.0)" => timerfd_settime, "Alter a timer file descriptor's internal timer in seconds.";
    "timerfd_settime_ns(fd, /, *, flags=0, initial=0, interval=0)" => timerfd_settime_ns, "Alter a timer file descriptor's internal timer in nanoseconds.";
    "timerfd_gettime(fd, /)" => |vm: &Vm, fd: Fd| timer_now(vm, fd, |vm, t| vm.float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9)), "Return a tuple of a timer file descriptor's (interval, next expiration) in float seconds.";
    "timerfd_gettime_ns(fd, /)" => |vm: &Vm, fd: Fd| timer_now(vm, fd, |vm, t| vm.int(t.tv_sec.saturating_mul(1_000_000_000).saturating_add(t.tv_nsec))), "Return a tuple of a timer file descriptor's (interval, next expiration) in nanoseconds.";
}

struct_sequence! { pub TERMINAL_SIZE: "os.terminal_size", "A tuple of (columns, lines) for holding terminal window size.";
"columns" 0, "lines" 1 }

/// A call without a result. The closures only pass numbers to the system.
fn on(vm: &Vm, call: impl Fn() -> i32) -> R<()> {
    checked(vm, None, || call().into()).map(|_| ())
}

/// A call whose result is a number.
fn number(vm: &Vm, call: impl Fn() -> i32) -> R<i64> {
    checked(vm, None, || call().into())
}

/// A call that returns the error's number.
fn numbered(vm: &Vm, call: impl Fn() -> i32) -> R<()> {
    let done = vm.retry(|| match call() {
        0 => Ok(()),
        e => Err(std::io::Error::from_raw_os_error(e)),
    })?;
    done.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), None))
}

fn open(vm: &Vm, path: Path, flags: i32, mode: Option<i32>, fd: Option<DirFd>) -> R<i64> {
    vm.audit("open", || vm.tuple(&[path.object, Value::NONE, vm.int(flags.into())?]))?;
    // SAFETY: a C string and numbers.
    checked(vm, Some(path.object), || unsafe {
        libc::openat(folder(fd).0, path.c().as_ptr(), flags | libc::O_CLOEXEC, mode.unwrap_or(0o777)).into()
    })
}

fn close(vm: &Vm, fd: i32) -> R<()> {
    // SAFETY: the program's own descriptor.
    match unsafe { libc::close(fd) } {
        0 => Ok(()),
        // Closed all the same.
        _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => vm.check_signals(),
        _ => Err(vm.last_os_error(None)),
    }
}

fn closerange(_: &Vm, low: i32, high: i32) {
    let low = low.max(0);
    if high > low {
        // SAFETY: the program's own descriptors.
        unsafe {
            if libc::close_range(low as u32, (high - 1) as u32, 0) != 0 {
                let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(0, i32::MAX.into()) as i32;
                for fd in low..high.min(limit) {
                    libc::close(fd);
                }
            }
        }
    }
}

fn length(vm: &Vm, n: i64) -> R<usize> {
    usize::try_from(n).map_err(|_| vm.os_error(libc::EINVAL, None))
}

fn read(vm: &Vm, fd: i32, n: i64) -> R<Value> {
    let mut out = buffer(vm, length(vm, n)?)?;
    // SAFETY: the buffer is as long as said.
    let got = checked(vm, None, || unsafe { libc::read(fd, out.as_mut_ptr().cast(), out.len()) as i64 })?;
    vm.bytes(&out[..got as usize])
}

fn readinto(vm: &Vm, fd: i32, target: Value) -> R<i64> {
    let mut room = 0;
    write_bytes(vm, target, |b| {
        room = b.len();
        Ok(())
    })?;
    // A signal's handler may change the target while the system reads: the bytes come here first.
    let mut out = buffer(vm, room)?;
    // SAFETY: the buffer is as long as said.
    let got = checked(vm, None, || unsafe { libc::read(fd, out.as_mut_ptr().cast(), out.len()) as i64 })?;
    write_bytes(vm, target, |b| {
        let n = (got as usize).min(b.len());
        b[..n].copy_from_slice(&out[..n]);
        Ok(())
    })?;
    Ok(got)
}

fn write(vm: &Vm, fd: i32, data: BytesLike) -> R<i64> {
    // SAFETY: the slice is readable.
    checked(vm, None, || unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) as i64 })
}

fn pread(vm: &Vm, fd: i32, n: i64, at: i64) -> R<Value> {
    let mut out = buffer(vm, length(vm, n)?)?;
    // SAFETY: the buffer is as long as said.
    let got =
        checked(vm, None, || unsafe { libc::pread(fd, out.as_mut_ptr().cast(), out.len(), at) as i64 })?;
    vm.bytes(&out[..got as usize])
}

fn pwrite(vm: &Vm, fd: i32, data: BytesLike, at: i64) -> R<i64> {
    // SAFETY: the slice is readable.
    checked(vm, None, || unsafe { libc::pwrite(fd, data.as_ptr().cast(), data.len(), at) as i64 })
}

/// The items of a list of buffers, which is looked at once.
fn buffers(vm: &Vm, v: Value, function: &str) -> R<Ref<List>> {
    if vm.find_attr(v, vm.intern("__getitem__")?)?.is_none() {
        return Err(vm.type_error(format!("{function}() arg 2 must be a sequence")));
    }
    vm.list_from(v)
}

fn read_many(
    vm: &Vm,
    fd: i32,
    targets: Value,
    function: &str,
    call: impl Fn(i32, *const libc::iovec, i32) -> isize,
) -> R<i64> {
    let targets = buffers(vm, targets, function)?;
    let mut rooms: Vec<Vec<u8>> = Vec::new();
    for i in 0..targets.len() {
        let target = targets.get(i).unwrap_or(Value::NONE);
        let mut n = 0;
        write_bytes(vm, target, |b| {
            n = b.len();
            Ok(())
        })?;
        rooms.push(buffer(vm, n)?);
    }
    let rows: Vec<libc::iovec> =
        rooms.iter_mut().map(|r| libc::iovec { iov_base: r.as_mut_ptr().cast(), iov_len: r.len() }).collect();
    let got = checked(vm, None, || call(fd, rows.as_ptr(), rows.len() as i32) as i64)?;
    let mut left = got as usize;
    for (i, room) in rooms.iter().enumerate() {
        let n = left.min(room.len());
        write_bytes(vm, targets.get(i).unwrap_or(Value::NONE), |b| {
            let n = n.min(b.len());
            b[..n].copy_from_slice(&room[..n]);
            Ok(())
        })?;
        left -= n;
    }
    Ok(got)
}

fn write_many(
    vm: &Vm,
    fd: i32,
    sources: Value,
    function: &str,
    call: impl Fn(i32, *const libc::iovec, i32) -> isize,
) -> R<i64> {
    let sources = buffers(vm, sources, function)?;
    let mut held = Vec::new();
    for i in 0..sources.len() {
        held.push(BytesLike::new(vm, sources.get(i).unwrap_or(Value::NONE))?);
    }
    let rows: Vec<libc::iovec> = held
        .iter()
        .map(|b| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() })
        .collect();
    checked(vm, None, || call(fd, rows.as_ptr(), rows.len() as i32) as i64)
}

fn lseek(vm: &Vm, fd: i32, at: i64, whence: i32) -> R<i64> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::lseek(fd, at, whence) })
}

fn pipe2(vm: &Vm, flags: i32) -> R<Value> {
    let mut fds = [0i32; 2];
    // SAFETY: two descriptors out.
    checked(vm, None, || unsafe { libc::pipe2(fds.as_mut_ptr(), flags).into() })?;
    vm.tuple(&fds.map(|fd| Value::small_int(fd.into())))
}

fn dup(vm: &Vm, fd: i32) -> R<i64> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0).into() })
}

fn dup2(vm: &Vm, fd: i32, to: i32, inheritable: Option<bool>) -> R<i64> {
    if fd < 0 || to < 0 {
        return Err(vm.os_error(libc::EBADF, None));
    }
    let flags = if inheritable.unwrap_or(true) || fd == to { 0 } else { libc::O_CLOEXEC };
    // SAFETY: plain calls.
    checked(vm, None, || unsafe {
        if flags == 0 { libc::dup2(fd, to).into() } else { libc::dup3(fd, to, flags).into() }
    })
}

fn ftruncate(vm: &Vm, fd: i32, n: i64) -> R<()> {
    // SAFETY: a plain call.
    on(vm, || unsafe { libc::ftruncate(fd, n) })
}

fn sendfile(vm: &Vm, out: i32, from: i32, offset: Value, count: i64) -> R<i64> {
    let mut at = if offset.is_none() { None } else { Some(vm.index_i64(offset)?) };
    let count = length(vm, count)?;
    // SAFETY: an offset in and out, or none.
    checked(vm, None, || unsafe {
        let at = at.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        libc::sendfile(out, from, at, count) as i64
    })
}

/// Offsets of the two sides, where given.
fn offsets(vm: &Vm, a: Option<Value>, b: Option<Value>) -> R<[Option<i64>; 2]> {
    let one = |v: Option<Value>| match v.filter(|v| !v.is_none()) {
        Some(v) => vm.index_i64(v).map(Some),
        None => Ok(None),
    };
    Ok([one(a)?, one(b)?])
}

fn pointer(at: &mut Option<i64>) -> *mut i64 {
    at.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

fn copy_file_range(vm: &Vm, src: i32, dst: i32, n: i64, a: Option<Value>, b: Option<Value>) -> R<i64> {
    if n < 0 {
        return Err(vm.value_error("negative value for 'count' not allowed"));
    }
    let [mut a, mut b] = offsets(vm, a, b)?;
    // SAFETY: offsets in and out, or none.
    checked(vm, None, || unsafe {
        libc::copy_file_range(src, pointer(&mut a), dst, pointer(&mut b), n as usize, 0) as i64
    })
}

fn splice(
    vm: &Vm,
    src: i32,
    dst: i32,
    n: i64,
    a: Option<Value>,
    b: Option<Value>,
    flags: Option<u32>,
) -> R<i64> {
    if n < 0 {
        return Err(vm.value_error("negative value for 'count' not allowed"));
    }
    let [mut a, mut b] = offsets(vm, a, b)?;
    // SAFETY: offsets in and out, or none.
    checked(vm, None, || unsafe {
        libc::splice(src, pointer(&mut a), dst, pointer(&mut b), n as usize, flags.unwrap_or(0)) as i64
    })
}

fn isatty(_: &Vm, fd: i32) -> bool {
    // SAFETY: asks only.
    unsafe { libc::isatty(fd) == 1 }
}

/// The name that a call writes into a buffer; the call returns the error's number.
fn device_name(vm: &Vm, call: impl Fn(*mut libc::c_char, usize) -> i32) -> R<Value> {
    let mut out = vm.filled(0u8, libc::PATH_MAX as usize)?;
    match call(out.as_mut_ptr().cast(), out.len()) {
        0 => {
            let n = out.iter().position(|&b| b == 0).unwrap_or(0);
            path_text(vm, &out[..n])
        }
        e => Err(vm.os_error(e, None)),
    }
}

fn ttyname(vm: &Vm, fd: i32) -> R<Value> {
    // SAFETY: a buffer of that length out.
    device_name(vm, |p, n| unsafe { libc::ttyname_r(fd, p, n) })
}

fn ptsname(vm: &Vm, fd: Fd) -> R<Value> {
    // SAFETY: a buffer of that length out.
    device_name(vm, |p, n| unsafe {
        // It returns the number or sets errno, as the system's library likes.
        match libc::ptsname_r(fd.0, p, n) {
            -1 => std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL),
            e => e,
        }
    })
}

fn openpty(vm: &Vm) -> R<Value> {
    let mut fds = [-1i32; 2];
    let [a, b] = &mut fds;
    // SAFETY: two descriptors out; nothing else is asked for.
    checked(vm, None, || unsafe {
        use std::ptr::null_mut;
        libc::openpty(a, b, null_mut(), null_mut(), null_mut()).into()
    })?;
    for fd in fds {
        // SAFETY: just opened.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    vm.tuple(&fds.map(|fd| Value::small_int(fd.into())))
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
    Ok(number(vm, || unsafe { libc::fcntl(fd, libc::F_GETFL) })? & i64::from(libc::O_NONBLOCK) == 0)
}

fn set_blocking(vm: &Vm, fd: i32, blocking: bool) -> R<()> {
    let off = i32::from(!blocking);
    // SAFETY: an int in.
    on(vm, || unsafe { libc::ioctl(fd, libc::FIONBIO, &off) })
}

fn get_inheritable(vm: &Vm, fd: i32) -> R<bool> {
    // SAFETY: asks only.
    Ok(number(vm, || unsafe { libc::fcntl(fd, libc::F_GETFD) })? & i64::from(libc::FD_CLOEXEC) == 0)
}

fn set_inheritable(vm: &Vm, fd: i32, on_exec: bool) -> R<()> {
    let flag = if on_exec { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: a plain call.
    on(vm, || unsafe { libc::fcntl(fd, libc::F_SETFD, flag) })
}

fn device_encoding(vm: &Vm, fd: i32) -> R<Value> {
    if isatty(vm, fd) { vm.str("UTF-8") } else { Ok(Value::NONE) }
}

fn memfd_create(vm: &Vm, name: Value, flags: Option<u32>) -> R<i64> {
    let name = c_string(vm, name)?;
    // SAFETY: a C string.
    number(vm, || unsafe { libc::memfd_create(name.as_ptr(), flags.unwrap_or(libc::MFD_CLOEXEC)) })
}

fn eventfd_read(vm: &Vm, fd: Fd) -> R<Value> {
    let mut n = 0u64;
    // SAFETY: a number out.
    checked(vm, None, || unsafe { libc::eventfd_read(fd.0, &mut n).into() })?;
    vm.int_u64(n)
}

fn eventfd_write(vm: &Vm, fd: Fd, n: u64) -> R<()> {
    // SAFETY: a plain call.
    on(vm, || unsafe { libc::eventfd_write(fd.0, n) })
}

// ---- timers

fn pair(vm: &Vm, t: &libc::itimerspec, show: impl Fn(&Vm, &libc::timespec) -> R<Value>) -> R<Value> {
    vm.tuple(&[show(vm, &t.it_value)?, show(vm, &t.it_interval)?])
}

fn timer_now(vm: &Vm, fd: Fd, show: impl Fn(&Vm, &libc::timespec) -> R<Value>) -> R<Value> {
    // SAFETY: plain data.
    let mut t: libc::itimerspec = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::timerfd_gettime(fd.0, &mut t).into() })?;
    pair(vm, &t, show)
}

fn set_timer(
    vm: &Vm,
    fd: Fd,
    flags: i32,
    times: [libc::timespec; 2],
    show: impl Fn(&Vm, &libc::timespec) -> R<Value>,
) -> R<Value> {
    let new = libc::itimerspec { it_value: times[0], it_interval: times[1] };
    // SAFETY: plain data.
    let mut old: libc::itimerspec = unsafe { std::mem::zeroed() };
    // SAFETY: plain data in and out.
    checked(vm, None, || unsafe { libc::timerfd_settime(fd.0, flags, &new, &mut old).into() })?;
    pair(vm, &old, show)
}

fn timerfd_settime(
    vm: &Vm,
    fd: Fd,
    flags: Option<i32>,
    initial: Option<f64>,
    interval: Option<f64>,
) -> R<Value> {
    let time = |t: Option<f64>| {
        let t = t.unwrap_or(0.0);
        if !t.is_finite() || t.abs() > 9.2e9 {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        let nanos = (t * 1e9).floor() as i64;
        Ok(libc::timespec {
            tv_sec: nanos.div_euclid(1_000_000_000),
            tv_nsec: nanos.rem_euclid(1_000_000_000),
        })
    };
    set_timer(vm, fd, flags.unwrap_or(0), [time(initial)?, time(interval)?], |vm, t| {
        vm.float(t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9)
    })
}

fn timerfd_settime_ns(
    vm: &Vm,
    fd: Fd,
    flags: Option<i32>,
    initial: Option<i64>,
    interval: Option<i64>,
) -> R<Value> {
    let time = |t: Option<i64>| {
        let t = t.unwrap_or(0);
        libc::timespec { tv_sec: t.div_euclid(1_000_000_000), tv_nsec: t.rem_euclid(1_000_000_000) }
    };
    set_timer(vm, fd, flags.unwrap_or(0), [time(initial), time(interval)], |vm, t| {
        vm.int(t.tv_sec.saturating_mul(1_000_000_000).saturating_add(t.tv_nsec))
    })
}
