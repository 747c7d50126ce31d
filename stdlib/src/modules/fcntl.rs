//! `fcntl`: control of descriptors, and locks on files.

use super::support::{BytesLike, descriptor, write_bytes};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

/// Bytes of an argument that the system may fill.
const BUFFER: usize = 1024;

/// Calls until it is not interrupted by a signal. OSError.
fn call(vm: &Vm, mut f: impl FnMut() -> i32) -> R<i64> {
    loop {
        let r = vm.without_gil(&mut f);
        if r >= 0 {
            return Ok(r.into());
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => vm.check_signals()?,
            _ => return Err(vm.last_os_error(None)),
        }
    }
}

/// The bytes of an argument that is text or bytes.
fn argument_bytes(vm: &Vm, v: Value) -> R<[u8; BUFFER]> {
    let bytes = match v.cast::<Str>() {
        Some(s) => s.bytes().to_vec(),
        None => BytesLike::new(vm, v)?.into_vec(vm)?,
    };
    let mut buffer = [0; BUFFER];
    match buffer.get_mut(..bytes.len()) {
        Some(to) => to.copy_from_slice(&bytes),
        None => return Err(vm.value_error("fcntl argument 3 is too long")),
    }
    Ok(buffer)
}

/// Tells of a call by the descriptor and what else it is given.
fn tell(vm: &Vm, event: &str, fd: i32, numbers: &[i64], more: Option<Value>) -> R<()> {
    vm.audit(event, || {
        let row = List::new(vm, &[Value::small_int(fd.into())])?;
        for &n in numbers {
            row.push(vm, vm.int(n)?)?;
        }
        if let Some(more) = more {
            row.push(vm, more)?;
        }
        vm.tuple(row.items())
    })
}

fn fcntl(vm: &Vm, fd: Value, command: i32, arg: Option<Value>) -> R<Value> {
    let fd = descriptor(vm, fd)?;
    tell(vm, "fcntl.fcntl", fd, &[command.into()], Some(arg.unwrap_or(Value::small_int(0))))?;
    match arg.filter(|a| !vm.is_int(*a)) {
        None => {
            let n = arg.map_or(Ok(0), |a| vm.index_i64(a))?;
            // SAFETY: commands that take a pointer are given with bytes, below.
            vm.int(call(vm, || unsafe { libc::fcntl(fd, command, n) })?)
        }
        Some(a) => {
            let mut buffer = argument_bytes(vm, a)?;
            // SAFETY: the buffer is larger than any of the system's structures here.
            call(vm, || unsafe { libc::fcntl(fd, command, buffer.as_mut_ptr()) })?;
            let n = a
                .cast::<Str>()
                .map_or_else(|| BytesLike::new(vm, a).map(|b| b.len()), |s| Ok(s.bytes().len()))?;
            vm.bytes(&buffer[..n])
        }
    }
}

fn ioctl(vm: &Vm, fd: Value, request: u64, arg: Option<Value>, mutate: Option<bool>) -> R<Value> {
    let fd = descriptor(vm, fd)?;
    tell(vm, "fcntl.ioctl", fd, &[request as i64], Some(arg.unwrap_or(Value::small_int(0))))?;
    match arg.filter(|a| !vm.is_int(*a)) {
        None => {
            let n = arg.map_or(Ok(0), |a| vm.index_i64(a))?;
            // SAFETY: requests that take a pointer are given with bytes, below.
            vm.int(call(vm, || unsafe { libc::ioctl(fd, request, n) })?)
        }
        Some(a) => {
            let mut buffer = argument_bytes(vm, a)?;
            // SAFETY: the buffer is larger than any of the system's structures here.
            let r = call(vm, || unsafe { libc::ioctl(fd, request, buffer.as_mut_ptr()) })?;
            if mutate.unwrap_or(true) && a.cast::<ByteArray>().is_some() {
                write_bytes(vm, a, |to| {
                    let n = to.len();
                    to.copy_from_slice(&buffer[..n]);
                    Ok(())
                })?;
                return vm.int(r);
            }
            let n = a
                .cast::<Str>()
                .map_or_else(|| BytesLike::new(vm, a).map(|b| b.len()), |s| Ok(s.bytes().len()))?;
            vm.bytes(&buffer[..n])
        }
    }
}

fn flock(vm: &Vm, fd: Value, operation: i32) -> R<()> {
    let fd = descriptor(vm, fd)?;
    tell(vm, "fcntl.flock", fd, &[operation.into()], None)?;
    // SAFETY: a plain call.
    call(vm, || unsafe { libc::flock(fd, operation) }).map(|_| ())
}

fn lockf(
    vm: &Vm,
    fd: Value,
    command: i32,
    len: Option<i64>,
    start: Option<i64>,
    whence: Option<i32>,
) -> R<()> {
    let fd = descriptor(vm, fd)?;
    let told = [command.into(), len.unwrap_or(0), start.unwrap_or(0), whence.unwrap_or(0).into()];
    tell(vm, "fcntl.lockf", fd, &told, None)?;
    let kind = match command & !libc::LOCK_NB {
        libc::LOCK_UN => libc::F_UNLCK,
        libc::LOCK_SH => libc::F_RDLCK,
        libc::LOCK_EX => libc::F_WRLCK,
        _ => return Err(vm.value_error("unrecognized lockf argument")),
    };
    // SAFETY: plain data.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as _;
    lock.l_whence = whence.unwrap_or(0) as _;
    lock.l_start = start.unwrap_or(0);
    lock.l_len = len.unwrap_or(0);
    let how = if command & libc::LOCK_NB != 0 { libc::F_SETLK } else { libc::F_SETLKW };
    // SAFETY: the structure of these commands.
    call(vm, || unsafe { libc::fcntl(fd, how, &lock) }).map(|_| ())
}

native_functions! { FUNCTIONS:
    "fcntl(fd, cmd, arg=0, /)" => fcntl, "Perform the operation cmd on file descriptor fd.";
    "ioctl(fd, request, arg=0, mutate_flag=True, /)" => ioctl, "Perform the operation request on file descriptor fd.";
    "flock(fd, operation, /)" => flock, "Perform the lock operation on file descriptor fd.";
    "lockf(fd, cmd, len=0, start=0, whence=0, /)" => lockf, "A wrapper around the fcntl() locking calls.";
}

macro_rules! numbers {
    ($($name:ident)*) => {
        &[$((stringify!($name), libc::$name as i64)),*]
    };
}

const NUMBERS: &[(&str, i64)] = numbers! {
    F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_GETOWN F_SETOWN F_RDLCK F_WRLCK
    F_UNLCK F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE
    FD_CLOEXEC LOCK_SH LOCK_EX LOCK_NB LOCK_UN
    F_GETLEASE F_NOTIFY F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_SETLEASE F_SEAL_FUTURE_WRITE
};

/// Those of Linux that the crate of the C library does not have, or not everywhere.
const OF_LINUX: &[(&str, i64)] = &[
    ("DN_ACCESS", 1),
    ("DN_ATTRIB", 32),
    ("DN_CREATE", 4),
    ("DN_DELETE", 8),
    ("DN_MODIFY", 2),
    ("DN_MULTISHOT", 0x8000_0000),
    ("DN_RENAME", 16),
    ("FASYNC", libc::O_ASYNC as i64),
    ("FICLONE", 0x4004_9409),
    ("FICLONERANGE", 0x4020_940d),
    ("F_DUPFD_QUERY", 1027),
    ("F_EXLCK", 4),
    ("F_GETLK64", libc::F_GETLK as i64),
    ("F_GETOWN_EX", 16),
    ("F_GETSIG", 11),
    ("F_GET_FILE_RW_HINT", 1037),
    ("F_GET_RW_HINT", 1035),
    ("F_OWNER_PGRP", 2),
    ("F_OWNER_PID", 1),
    ("F_OWNER_TID", 0),
    ("F_SETLK64", libc::F_SETLK as i64),
    ("F_SETLKW64", libc::F_SETLKW as i64),
    ("F_SETOWN_EX", 15),
    ("F_SETSIG", 10),
    ("F_SET_FILE_RW_HINT", 1038),
    ("F_SET_RW_HINT", 1036),
    ("F_SHLCK", 8),
    ("LOCK_MAND", 32),
    ("LOCK_READ", 64),
    ("LOCK_RW", 192),
    ("LOCK_WRITE", 128),
    ("RWH_WRITE_LIFE_EXTREME", 5),
    ("RWH_WRITE_LIFE_LONG", 4),
    ("RWH_WRITE_LIFE_MEDIUM", 3),
    ("RWH_WRITE_LIFE_NONE", 1),
    ("RWH_WRITE_LIFE_NOT_SET", 0),
    ("RWH_WRITE_LIFE_SHORT", 2),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "fcntl", FUNCTIONS)?;
    for &(name, n) in NUMBERS.iter().chain(OF_LINUX) {
        m.dict().set_name(vm, name, Value::small_int(n))?;
    }
    Ok(m)
}
