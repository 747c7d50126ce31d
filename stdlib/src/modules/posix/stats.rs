//! What the system tells of files and file systems.

use super::State;
use super::arguments::{Device, DeviceNumber, DirFd, Fd, Path, Place, checked, folder};
use super::names::{CONFSTR, PATHCONF, SYSCONF};
use skein_builtins::modules::structseq;
use skein_builtins::struct_sequence;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { pub FUNCTIONS:
    "stat(path, *, dir_fd=None, follow_symlinks=True)" => stat, "Perform a stat system call on the given path.";
    "lstat(path, *, dir_fd=None)" => lstat, "Perform a stat system call on the given path, without following symbolic links.";
    "fstat(fd)" => fstat, "Perform a stat system call on the given file descriptor.";
    "statvfs(path)" => statvfs, "Perform a statvfs system call on the given path.";
    "fstatvfs(fd, /)" => fstatvfs, "Perform an fstatvfs system call on the given fd.";
    "pathconf(path, name)" => pathconf, "Return the configuration limit name for the file or directory path.";
    "fpathconf(fd, name, /)" => fpathconf, "Return the configuration limit name for the file descriptor fd.";
    "sysconf(name, /)" => sysconf, "Return an integer-valued system configuration variable.";
    "confstr(name, /)" => confstr, "Return a string-valued system configuration variable.";
    "major(device, /)" => |_: &Vm, d: Device| d.part(libc::major), "Extracts a device major number from a raw device number.";
    "minor(device, /)" => |_: &Vm, d: Device| d.part(libc::minor), "Extracts a device minor number from a raw device number.";
    "makedev(major, minor, /)" => |vm: &Vm, a: DeviceNumber, b: DeviceNumber| match libc::makedev(a.0, b.0) {
        u64::MAX => vm.int(-1),
        device => vm.int_u64(device),
    }, "Composes a raw device number from the major and minor device numbers.";
}

struct_sequence! { pub STAT: "os.stat_result", "stat_result: Result from stat, fstat, or lstat.";
"st_mode" 0, "st_ino" 1, "st_dev" 2, "st_nlink" 3, "st_uid" 4, "st_gid" 5, "st_size" 6,
"_integer_atime" 7, "_integer_mtime" 8, "_integer_ctime" 9 }
struct_sequence! { pub STATVFS: "os.statvfs_result", "statvfs_result: Result from statvfs or fstatvfs.";
"f_bsize" 0, "f_frsize" 1, "f_blocks" 2, "f_bfree" 3, "f_bavail" 4, "f_files" 5, "f_ffree" 6,
"f_favail" 7, "f_flag" 8, "f_namemax" 9 }

pub fn stat_result(vm: &Vm, st: &libc::stat) -> R<Value> {
    let row = [
        vm.int(st.st_mode.into())?,
        vm.int_u64(st.st_ino)?,
        vm.int_u64(st.st_dev)?,
        vm.int_u64(st.st_nlink)?,
        vm.int(st.st_uid.into())?,
        vm.int(st.st_gid.into())?,
        vm.int(st.st_size)?,
        vm.int(st.st_atime)?,
        vm.int(st.st_mtime)?,
        vm.int(st.st_ctime)?,
    ];
    let time = |s: i64, ns: i64| vm.float(s as f64 + ns as f64 * 1e-9);
    let nanos = |s: i64, ns: i64| {
        let whole = num_bigint::BigInt::from(s) * 1_000_000_000 + ns;
        i64::try_from(&whole).map_or_else(|_| vm.big_int(whole), |n| vm.int(n))
    };
    let more = [
        ("st_atime", time(st.st_atime, st.st_atime_nsec)?),
        ("st_mtime", time(st.st_mtime, st.st_mtime_nsec)?),
        ("st_ctime", time(st.st_ctime, st.st_ctime_nsec)?),
        ("st_atime_ns", nanos(st.st_atime, st.st_atime_nsec)?),
        ("st_mtime_ns", nanos(st.st_mtime, st.st_mtime_nsec)?),
        ("st_ctime_ns", nanos(st.st_ctime, st.st_ctime_nsec)?),
        ("st_blksize", vm.int(st.st_blksize)?),
        ("st_blocks", vm.int(st.st_blocks)?),
        ("st_rdev", vm.int_u64(st.st_rdev)?),
    ];
    structseq::make(vm, vm.state::<State>().stat.get(vm, &STAT)?, &row, &more)
}

pub fn stat_at(vm: &Vm, path: &Path, fd: DirFd, flags: i32) -> R<Value> {
    // SAFETY: plain data.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a C string in, plain data out.
    checked(vm, Some(path.object), || unsafe {
        libc::fstatat(fd.0, path.c().as_ptr(), &mut st, flags).into()
    })?;
    stat_result(vm, &st)
}

fn stat(vm: &Vm, place: Place, fd: Option<DirFd>, follow: Option<bool>) -> R<Value> {
    let follow = follow.unwrap_or(true);
    place.with_folder(vm, "stat", folder(fd))?;
    match &place {
        Place::Fd(..) if !follow => Err(vm.value_error("stat: cannot use fd and follow_symlinks together")),
        Place::Fd(fd, v) => fstat_of(vm, *fd, Some(*v)),
        Place::Path(p) => stat_at(vm, p, folder(fd), if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW }),
    }
}

fn lstat(vm: &Vm, path: Path, fd: Option<DirFd>) -> R<Value> {
    stat_at(vm, &path, folder(fd), libc::AT_SYMLINK_NOFOLLOW)
}

fn fstat_of(vm: &Vm, fd: i32, object: Option<Value>) -> R<Value> {
    // SAFETY: plain data.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, object, || unsafe { libc::fstat(fd, &mut st).into() })?;
    stat_result(vm, &st)
}

fn fstat(vm: &Vm, fd: i32) -> R<Value> {
    fstat_of(vm, fd, None)
}

fn statvfs_result(vm: &Vm, st: &libc::statvfs) -> R<Value> {
    let mut row = [Value::NONE; 10];
    let numbers = [
        st.f_bsize,
        st.f_frsize,
        st.f_blocks,
        st.f_bfree,
        st.f_bavail,
        st.f_files,
        st.f_ffree,
        st.f_favail,
        st.f_flag,
        st.f_namemax,
    ];
    for (slot, n) in row.iter_mut().zip(numbers) {
        *slot = vm.int_u64(n)?;
    }
    let more = [("f_fsid", vm.int_u64(st.f_fsid)?)];
    structseq::make(vm, vm.state::<State>().statvfs.get(vm, &STATVFS)?, &row, &more)
}

fn statvfs(vm: &Vm, place: Place) -> R<Value> {
    // SAFETY: plain data.
    let mut st: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a C string or a number in, plain data out.
    checked(vm, Some(place.object()), || unsafe {
        match &place {
            Place::Path(p) => libc::statvfs(p.c().as_ptr(), &mut st).into(),
            Place::Fd(fd, _) => libc::fstatvfs(*fd, &mut st).into(),
        }
    })?;
    statvfs_result(vm, &st)
}

fn fstatvfs(vm: &Vm, fd: i32) -> R<Value> {
    // SAFETY: plain data.
    let mut st: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::fstatvfs(fd, &mut st).into() })?;
    statvfs_result(vm, &st)
}

/// The number of a configuration variable that is given by name or number.
fn variable(vm: &Vm, v: Value, table: &[(&str, i32)]) -> R<i32> {
    match v.cast::<Str>() {
        Some(s) => table
            .iter()
            .find(|(k, _)| k.as_bytes() == s.bytes())
            .map(|&(_, n)| n)
            .ok_or_else(|| vm.value_error("unrecognized configuration name")),
        None if vm.is_int(v) || v.is_bool() => match vm.as_i64(vm.index(v)?).map(i32::try_from) {
            Some(Ok(n)) => Ok(n),
            _ => Err(vm.overflow_error("Python int too large to convert to C int")),
        },
        None => Err(vm.type_error("configuration names must be strings or integers")),
    }
}

/// The result of a call where -1 is an error only if errno was set.
fn limit(vm: &Vm, object: Option<Value>, call: impl Fn() -> i64) -> R<i64> {
    // SAFETY: errno is this thread's.
    unsafe { *libc::__errno_location() = 0 };
    let n = call();
    match std::io::Error::last_os_error().raw_os_error() {
        Some(e) if n == -1 && e != 0 => Err(vm.os_error(e, object)),
        _ => Ok(n),
    }
}

fn sysconf(vm: &Vm, name: Value) -> R<i64> {
    let n = variable(vm, name, SYSCONF)?;
    // SAFETY: asks only.
    limit(vm, None, || unsafe { libc::sysconf(n) })
}

fn pathconf(vm: &Vm, place: Place, name: Value) -> R<i64> {
    let n = variable(vm, name, PATHCONF)?;
    // SAFETY: a C string or a number.
    limit(vm, Some(place.object()), || unsafe {
        match &place {
            Place::Path(p) => libc::pathconf(p.c().as_ptr(), n),
            Place::Fd(fd, _) => libc::fpathconf(*fd, n),
        }
    })
}

fn fpathconf(vm: &Vm, fd: Fd, name: Value) -> R<i64> {
    let n = variable(vm, name, PATHCONF)?;
    // SAFETY: asks only.
    limit(vm, None, || unsafe { libc::fpathconf(fd.0, n) })
}

fn confstr(vm: &Vm, name: Value) -> R<Value> {
    let n = variable(vm, name, CONFSTR)?;
    // SAFETY: errno is this thread's; the call asks for the length only.
    let len = unsafe {
        *libc::__errno_location() = 0;
        libc::confstr(n, std::ptr::null_mut(), 0)
    };
    if len == 0 {
        return match std::io::Error::last_os_error().raw_os_error() {
            None | Some(0) => Ok(Value::NONE),
            Some(e) => Err(vm.os_error(e, None)),
        };
    }
    let mut out = vm.filled(0u8, len)?;
    // SAFETY: a buffer of that length out.
    unsafe { libc::confstr(n, out.as_mut_ptr().cast(), len) };
    out.pop();
    super::arguments::path_text(vm, &out)
}
