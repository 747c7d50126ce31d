//! Functions on paths.

use super::arguments::{
    DirFd, Gid, Path, Place, PlaceOrHere, Uid, buffer, checked, checked_two, folder, path_like, path_text,
};
use skein_builtins::types::path_object;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::CStr;

native_functions! { pub FUNCTIONS:
    "getcwd()" => getcwd, "Return a unicode string representing the current working directory.";
    "getcwdb()" => getcwdb, "Return a bytes string representing the current working directory.";
    "chdir(path)" => chdir, "Change the current working directory to the specified path.";
    "chroot(path)" => chroot, "Change root directory to path.";
    "mkdir(path, mode=0o777, *, dir_fd=None)" => mkdir, "Create a directory.";
    "mkfifo(path, mode=0o666, *, dir_fd=None)" => mkfifo, "Create a FIFO (a POSIX named pipe).";
    "mknod(path, mode=0o600, device=0, *, dir_fd=None)" => mknod, "Create a node in the file system.";
    "rmdir(path, *, dir_fd=None)" => rmdir, "Remove a directory.";
    "unlink(path, *, dir_fd=None)" => unlink, "Remove a file (same as remove()).";
    "remove(path, *, dir_fd=None)" => unlink, "Remove a file (same as unlink()).";
    "rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)" => rename, "Rename a file or directory.";
    "replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)" => rename, "Rename a file or directory, overwriting the destination.";
    "link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)" => link, "Create a hard link to a file.";
    "symlink(src, dst, target_is_directory=False, *, dir_fd=None)" => symlink, "Create a symbolic link pointing to src named dst.";
    "readlink(path, *, dir_fd=None)" => readlink, "Return a string representing the path to which the symbolic link points.";
    "chmod(path, mode, *, dir_fd=None, follow_symlinks=True)" => chmod, "Change the access permissions of a file.";
    "chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True)" => chown, "Change the owner and group id of path to the numeric uid and gid.";
    "lchown(path, uid, gid)" => lchown, "Change the owner and group id of path to the numeric uid and gid.";
    "access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)" => access, "Use the real uid/gid to test for access to a path.";
    "utime(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)" => utime, "Set the access and modified time of path.";
    "truncate(path, length)" => truncate, "Truncate a file, specified by path, to a specific length.";
    "listdir(path=None)" => listdir, "Return a list containing the names of the files in the directory.";
    "scandir(path=None)" => super::scandir::scandir, "Return an iterator of DirEntry objects for given path.";
    "getxattr(path, attribute, *, follow_symlinks=True)" => getxattr, "Return the value of extended attribute attribute on path.";
    "setxattr(path, attribute, value, flags=0, *, follow_symlinks=True)" => setxattr, "Set extended attribute attribute on path to value.";
    "removexattr(path, attribute, *, follow_symlinks=True)" => removexattr, "Remove extended attribute attribute on path.";
    "listxattr(path=None, *, follow_symlinks=True)" => listxattr, "Return a list of extended attributes on path.";
    "fspath(path)" => path_object, "Return the file system path representation of the object.";
    "_path_normpath(path)" => path_normpath, "Normalize path, eliminating double slashes, etc.";
    "_path_splitroot_ex(path)" => path_splitroot, "Split a pathname into drive, root and tail.";
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

/// A call on one path.
fn on_path(vm: &Vm, path: &Path, call: impl Fn(&CStr) -> i32) -> R<()> {
    checked(vm, Some(path.object), || call(path.c()).into()).map(|_| ())
}

fn chdir(vm: &Vm, path: Place) -> R<()> {
    vm.audit("os.chdir", || vm.tuple(&[path.object()]))?;
    // SAFETY: a C string or a number.
    checked(vm, Some(path.object()), || unsafe {
        match &path {
            Place::Path(p) => libc::chdir(p.c().as_ptr()).into(),
            Place::Fd(fd, _) => libc::fchdir(*fd).into(),
        }
    })
    .map(|_| ())
}

fn chroot(vm: &Vm, path: Path) -> R<()> {
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe { libc::chroot(p.as_ptr()) })
}

fn mkdir(vm: &Vm, path: Path, mode: Option<i32>, fd: Option<DirFd>) -> R<()> {
    let mode = mode.unwrap_or(0o777);
    vm.audit("os.mkdir", || vm.tuple(&[path.object, Value::small_int(mode.into()), folder(fd).told()]))?;
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe { libc::mkdirat(folder(fd).0, p.as_ptr(), mode as libc::mode_t) })
}

fn mkfifo(vm: &Vm, path: Path, mode: Option<i32>, fd: Option<DirFd>) -> R<()> {
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe {
        libc::mkfifoat(folder(fd).0, p.as_ptr(), mode.unwrap_or(0o666) as libc::mode_t)
    })
}

fn mknod(vm: &Vm, path: Path, mode: Option<i32>, device: Option<u64>, fd: Option<DirFd>) -> R<()> {
    let mode = mode.unwrap_or(0o600) as libc::mode_t;
    let done = vm.retry(|| {
        // SAFETY: a C string.
        match unsafe { libc::mknodat(folder(fd).0, path.c().as_ptr(), mode, device.unwrap_or(0)) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    })?;
    done.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), None))
}

fn rmdir(vm: &Vm, path: Path, fd: Option<DirFd>) -> R<()> {
    vm.audit("os.rmdir", || vm.tuple(&[path.object, folder(fd).told()]))?;
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe { libc::unlinkat(folder(fd).0, p.as_ptr(), libc::AT_REMOVEDIR) })
}

fn unlink(vm: &Vm, path: Path, fd: Option<DirFd>) -> R<()> {
    vm.audit("os.remove", || vm.tuple(&[path.object, folder(fd).told()]))?;
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe { libc::unlinkat(folder(fd).0, p.as_ptr(), 0) })
}

fn rename(vm: &Vm, a: Path, b: Path, fd: Option<DirFd>, fd2: Option<DirFd>) -> R<()> {
    vm.audit("os.rename", || vm.tuple(&[a.object, b.object, folder(fd).told(), folder(fd2).told()]))?;
    // SAFETY: C strings.
    checked_two(vm, &a, &b, || unsafe {
        libc::renameat(folder(fd).0, a.c().as_ptr(), folder(fd2).0, b.c().as_ptr())
    })
}

fn link(vm: &Vm, a: Path, b: Path, fd: Option<DirFd>, fd2: Option<DirFd>, follow: Option<bool>) -> R<()> {
    vm.audit("os.link", || vm.tuple(&[a.object, b.object, folder(fd).told(), folder(fd2).told()]))?;
    let flags = if follow.unwrap_or(true) { libc::AT_SYMLINK_FOLLOW } else { 0 };
    // SAFETY: C strings.
    checked_two(vm, &a, &b, || unsafe {
        libc::linkat(folder(fd).0, a.c().as_ptr(), folder(fd2).0, b.c().as_ptr(), flags)
    })
}

fn symlink(vm: &Vm, a: Path, b: Path, _is_folder: Option<bool>, fd: Option<DirFd>) -> R<()> {
    vm.audit("os.symlink", || vm.tuple(&[a.object, b.object, folder(fd).told()]))?;
    // SAFETY: C strings.
    checked_two(vm, &a, &b, || unsafe { libc::symlinkat(a.c().as_ptr(), folder(fd).0, b.c().as_ptr()) })
}

fn readlink(vm: &Vm, path: Path, fd: Option<DirFd>) -> R<Value> {
    let mut out = vm.filled(0u8, libc::PATH_MAX as usize)?;
    // SAFETY: the buffer is as long as said.
    let n = checked(vm, Some(path.object), || unsafe {
        libc::readlinkat(folder(fd).0, path.c().as_ptr(), out.as_mut_ptr().cast(), out.len()) as i64
    })?;
    path_like(vm, path.is_bytes(), &out[..n as usize])
}

fn chmod(vm: &Vm, path: Place, mode: i32, fd: Option<DirFd>, follow: Option<bool>) -> R<()> {
    vm.audit("os.chmod", || vm.tuple(&[path.object(), Value::small_int(mode.into()), folder(fd).told()]))?;
    let flags = if follow.unwrap_or(true) { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    path.with_folder(vm, "chmod", folder(fd))?;
    let mode = mode as libc::mode_t;
    // SAFETY: a C string or a number.
    checked(vm, Some(path.object()), || unsafe {
        match &path {
            Place::Path(p) => libc::fchmodat(folder(fd).0, p.c().as_ptr(), mode, flags).into(),
            Place::Fd(fd, _) => libc::fchmod(*fd, mode).into(),
        }
    })
    .map(|_| ())
}

fn chown(vm: &Vm, path: Place, uid: Uid, gid: Gid, fd: Option<DirFd>, follow: Option<bool>) -> R<()> {
    let follow = follow.unwrap_or(true);
    path.with_folder(vm, "chown", folder(fd))?;
    if !follow && matches!(path, Place::Fd(..)) {
        return Err(vm.value_error("chown: cannot use fd and follow_symlinks together"));
    }
    audit_owner(vm, path.object(), uid, gid, folder(fd))?;
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: a C string or a number.
    checked(vm, Some(path.object()), || unsafe {
        match &path {
            Place::Path(p) => libc::fchownat(folder(fd).0, p.c().as_ptr(), uid.0, gid.0, flags).into(),
            Place::Fd(fd, _) => libc::fchown(*fd, uid.0, gid.0).into(),
        }
    })
    .map(|_| ())
}

/// Tells of a file that is given to somebody else; -1 is nobody.
pub fn audit_owner(vm: &Vm, path: Value, uid: Uid, gid: Gid, fd: DirFd) -> R<()> {
    let id = |n: u32| Value::small_int(if n == u32::MAX { -1 } else { n.into() });
    vm.audit("os.chown", || vm.tuple(&[path, id(uid.0), id(gid.0), fd.told()]))
}

fn lchown(vm: &Vm, path: Path, uid: Uid, gid: Gid) -> R<()> {
    audit_owner(vm, path.object, uid, gid, folder(None))?;
    // SAFETY: a C string.
    on_path(vm, &path, |p| unsafe { libc::lchown(p.as_ptr(), uid.0, gid.0) })
}

fn access(
    _: &Vm,
    path: Path,
    mode: i32,
    fd: Option<DirFd>,
    effective: Option<bool>,
    follow: Option<bool>,
) -> bool {
    let mut flags = 0;
    if effective == Some(true) {
        flags |= libc::AT_EACCESS;
    }
    if follow == Some(false) {
        flags |= libc::AT_SYMLINK_NOFOLLOW;
    }
    // SAFETY: a C string.
    unsafe { libc::faccessat(folder(fd).0, path.c().as_ptr(), mode, flags) == 0 }
}

/// Seconds as an int or a float, rounded down to nanoseconds.
fn seconds(vm: &Vm, v: Value) -> R<libc::timespec> {
    let range = || vm.overflow_error("timestamp out of range for platform time_t");
    if let Some(f) = vm.as_float(v) {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let whole = f.floor();
        if !(-9.2e18..9.2e18).contains(&whole) {
            return Err(range());
        }
        let nanos = ((f - whole) * 1e9).floor();
        let (whole, nanos) = if nanos >= 1e9 { (whole + 1.0, nanos - 1e9) } else { (whole, nanos) };
        return Ok(libc::timespec { tv_sec: whole as i64, tv_nsec: nanos as i64 });
    }
    let n = vm.as_i64(vm.index(v)?).ok_or_else(range)?;
    Ok(libc::timespec { tv_sec: n, tv_nsec: 0 })
}

fn nanoseconds(vm: &Vm, v: Value) -> R<libc::timespec> {
    let n = vm.index(v)?;
    let big = vm.as_big(n).unwrap_or_default();
    let billion = num_bigint::BigInt::from(1_000_000_000);
    let mut ns = &big % &billion;
    if ns.sign() == num_bigint::Sign::Minus {
        ns += &billion;
    }
    let s = (big - &ns) / billion;
    match (i64::try_from(s), i64::try_from(ns)) {
        (Ok(tv_sec), Ok(tv_nsec)) => Ok(libc::timespec { tv_sec, tv_nsec }),
        _ => Err(vm.overflow_error("timestamp out of range for platform time_t")),
    }
}

fn utime(
    vm: &Vm,
    path: Place,
    times: Option<Value>,
    ns: Option<Value>,
    fd: Option<DirFd>,
    follow: Option<bool>,
) -> R<()> {
    let times = times.filter(|t| !t.is_none());
    if times.is_some() && ns.is_some() {
        return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
    }
    vm.audit("os.utime", || {
        let given = [times, ns].map(|t| t.unwrap_or(Value::NONE));
        vm.tuple(&[path.object(), given[0], given[1], folder(fd).told()])
    })?;
    let now = libc::timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
    let pair = |v: Value, what: &str| match v.cast::<Tuple>() {
        Some(t) if t.len() == 2 => Ok([t.items()[0], t.items()[1]]),
        _ => Err(vm.type_error(format!("utime: {what}"))),
    };
    let both = match (times, ns) {
        (Some(t), _) => {
            let [a, m] = pair(t, "'times' must be either a tuple of two ints or None")?;
            [seconds(vm, a)?, seconds(vm, m)?]
        }
        (_, Some(t)) => {
            let [a, m] = pair(t, "'ns' must be a tuple of two ints")?;
            [nanoseconds(vm, a)?, nanoseconds(vm, m)?]
        }
        _ => [now, now],
    };
    let follow = follow.unwrap_or(true);
    path.with_folder(vm, "utime", folder(fd))?;
    if !follow && matches!(path, Place::Fd(..)) {
        return Err(vm.value_error("utime: cannot use fd and follow_symlinks together"));
    }
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: a C string or a number, and two times in.
    checked(vm, Some(path.object()), || unsafe {
        match &path {
            Place::Path(p) => libc::utimensat(folder(fd).0, p.c().as_ptr(), both.as_ptr(), flags).into(),
            Place::Fd(fd, _) => libc::futimens(*fd, both.as_ptr()).into(),
        }
    })
    .map(|_| ())
}

fn truncate(vm: &Vm, path: Place, length: i64) -> R<()> {
    vm.audit("os.truncate", || vm.tuple(&[path.object(), vm.int(length)?]))?;
    // SAFETY: a C string or a number.
    checked(vm, Some(path.object()), || unsafe {
        match &path {
            Place::Path(p) => libc::truncate(p.c().as_ptr(), length).into(),
            Place::Fd(fd, _) => libc::ftruncate(*fd, length).into(),
        }
    })
    .map(|_| ())
}

/// The names in an open folder, which is closed at the end.
pub fn names_of(
    vm: &Vm,
    dir: *mut libc::DIR,
    mut each: impl FnMut(&libc::dirent64, &[u8]) -> R<()>,
) -> R<()> {
    struct Close(*mut libc::DIR);
    impl Drop for Close {
        fn drop(&mut self) {
            // SAFETY: the open folder, closed once.
            unsafe { libc::closedir(self.0) };
        }
    }
    let _close = Close(dir);
    loop {
        // SAFETY: errno is this thread's; the folder is open; an entry is good until the next call.
        let entry = unsafe {
            *libc::__errno_location() = 0;
            libc::readdir64(dir)
        };
        if entry.is_null() {
            return match std::io::Error::last_os_error().raw_os_error() {
                None | Some(0) => Ok(()),
                Some(e) => Err(vm.os_error(e, None)),
            };
        }
        // SAFETY: as above; the name ends with a zero byte.
        let (entry, name) = unsafe { (&*entry, CStr::from_ptr((*entry).d_name.as_ptr()).to_bytes()) };
        if name != b"." && name != b".." {
            each(entry, name)?;
        }
    }
}

/// Opens a folder by its path, or by a descriptor that stays open.
pub fn open_folder(vm: &Vm, place: &Place) -> R<*mut libc::DIR> {
    let object = Some(place.object()).filter(|v| !v.is_none());
    let dir = match place {
        // SAFETY: a C string.
        Place::Path(p) => unsafe { libc::opendir(p.c().as_ptr()) },
        Place::Fd(fd, _) => {
            // SAFETY: plain calls; the copy belongs to the folder, or is closed again.
            unsafe {
                let copy = libc::fcntl(*fd, libc::F_DUPFD_CLOEXEC, 0);
                if copy < 0 {
                    return Err(vm.last_os_error(object));
                }
                let dir = libc::fdopendir(copy);
                if dir.is_null() {
                    let e = vm.last_os_error(object);
                    libc::close(copy);
                    return Err(e);
                }
                libc::rewinddir(dir);
                dir
            }
        }
    };
    if dir.is_null() { Err(vm.last_os_error(object)) } else { Ok(dir) }
}

fn listdir(vm: &Vm, path: Option<PlaceOrHere>) -> R<Ref<List>> {
    let place = path.unwrap_or_else(PlaceOrHere::here).0;
    vm.audit("os.listdir", || vm.tuple(&[place.object()]))?;
    let as_bytes = matches!(&place, Place::Path(p) if p.is_bytes());
    let dir = open_folder(vm, &place)?;
    let list = List::with_capacity(vm, 0)?;
    names_of(vm, dir, |_, name| list.push(vm, path_like(vm, as_bytes, name)?))?;
    Ok(list)
}

// ---- extended attributes

fn attribute_place(vm: &Vm, place: &Place, follow: Option<bool>, function: &str) -> R<bool> {
    let follow = follow.unwrap_or(true);
    if !follow && matches!(place, Place::Fd(..)) {
        return Err(vm.value_error(format!("{function}: cannot use fd and follow_symlinks together")));
    }
    Ok(follow)
}

/// What a call gives that first tells its size.
fn sized(vm: &Vm, object: Value, mut call: impl FnMut(*mut u8, usize) -> isize) -> R<Vec<u8>> {
    loop {
        let n = checked(vm, Some(object), || call(std::ptr::null_mut(), 0) as i64)?;
        let mut out = buffer(vm, n as usize)?;
        if n == 0 {
            return Ok(out);
        }
        match call(out.as_mut_ptr(), out.len()) {
            // It has grown in between.
            -1 if std::io::Error::last_os_error().raw_os_error() == Some(libc::ERANGE) => {}
            -1 => return Err(vm.last_os_error(Some(object))),
            n => {
                out.truncate(n as usize);
                return Ok(out);
            }
        }
    }
}

fn getxattr(vm: &Vm, place: Place, name: Path, follow: Option<bool>) -> R<Value> {
    let follow = attribute_place(vm, &place, follow, "getxattr")?;
    vm.audit("os.getxattr", || vm.tuple(&[place.object(), name.object]))?;
    let n = name.c().as_ptr();
    // SAFETY: C strings and a buffer of that length.
    let out = sized(vm, place.object(), |p, len| unsafe {
        match &place {
            Place::Fd(fd, _) => libc::fgetxattr(*fd, n, p.cast(), len),
            Place::Path(path) if follow => libc::getxattr(path.c().as_ptr(), n, p.cast(), len),
            Place::Path(path) => libc::lgetxattr(path.c().as_ptr(), n, p.cast(), len),
        }
    })?;
    vm.bytes(&out)
}

fn setxattr(
    vm: &Vm,
    place: Place,
    name: Path,
    value: super::super::support::BytesLike,
    flags: Option<i32>,
    follow: Option<bool>,
) -> R<()> {
    let follow = attribute_place(vm, &place, follow, "setxattr")?;
    vm.audit("os.setxattr", || {
        let flags = Value::small_int(flags.unwrap_or(0).into());
        vm.tuple(&[place.object(), name.object, vm.bytes(&value)?, flags])
    })?;
    let (n, p, len, flags) = (name.c().as_ptr(), value.as_ptr().cast(), value.len(), flags.unwrap_or(0));
    // SAFETY: C strings and a slice.
    checked(vm, Some(place.object()), || unsafe {
        match &place {
            Place::Fd(fd, _) => libc::fsetxattr(*fd, n, p, len, flags).into(),
            Place::Path(path) if follow => libc::setxattr(path.c().as_ptr(), n, p, len, flags).into(),
            Place::Path(path) => libc::lsetxattr(path.c().as_ptr(), n, p, len, flags).into(),
        }
    })
    .map(|_| ())
}

fn removexattr(vm: &Vm, place: Place, name: Path, follow: Option<bool>) -> R<()> {
    let follow = attribute_place(vm, &place, follow, "removexattr")?;
    vm.audit("os.removexattr", || vm.tuple(&[place.object(), name.object]))?;
    let n = name.c().as_ptr();
    // SAFETY: C strings.
    checked(vm, Some(place.object()), || unsafe {
        match &place {
            Place::Fd(fd, _) => libc::fremovexattr(*fd, n).into(),
            Place::Path(path) if follow => libc::removexattr(path.c().as_ptr(), n).into(),
            Place::Path(path) => libc::lremovexattr(path.c().as_ptr(), n).into(),
        }
    })
    .map(|_| ())
}

fn listxattr(vm: &Vm, place: Option<PlaceOrHere>, follow: Option<bool>) -> R<Ref<List>> {
    let place = place.unwrap_or_else(PlaceOrHere::here).0;
    let follow = attribute_place(vm, &place, follow, "listxattr")?;
    vm.audit("os.listxattr", || vm.tuple(&[place.object()]))?;
    // SAFETY: a C string and a buffer of that length.
    let out = sized(vm, place.object(), |p, len| unsafe {
        match &place {
            Place::Fd(fd, _) => libc::flistxattr(*fd, p.cast(), len),
            Place::Path(path) if follow => libc::listxattr(path.c().as_ptr(), p.cast(), len),
            Place::Path(path) => libc::llistxattr(path.c().as_ptr(), p.cast(), len),
        }
    })?;
    let list = List::with_capacity(vm, 0)?;
    for name in out.split(|&b| b == 0).filter(|n| !n.is_empty()) {
        list.push(vm, path_text(vm, name)?)?;
    }
    Ok(list)
}

// ---- paths as text

/// A path's bytes for splitting: zero bytes are allowed.
fn text_bytes(vm: &Vm, path: Value) -> R<(Vec<u8>, bool)> {
    let path = path_object(vm, path)?;
    match path.cast::<Str>() {
        Some(s) => Ok((vm.copied(s.bytes())?, false)),
        None => Ok((super::super::support::bytes_of(vm, path)?, true)),
    }
}

fn again(vm: &Vm, bytes: &[u8], as_bytes: bool) -> R<Value> {
    if as_bytes { vm.bytes(bytes) } else { Ok(Str::new(vm, bytes)?.value()) }
}

/// Length of the slashes that are a path's root. Exactly two mean something of their own.
fn root_length(path: &[u8]) -> usize {
    match path.iter().take_while(|&&b| b == b'/').count() {
        2 => 2,
        n => n.min(1),
    }
}

fn path_normpath(vm: &Vm, path: Value) -> R<Value> {
    let (bytes, as_bytes) = text_bytes(vm, path)?;
    let root = root_length(&bytes);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in bytes.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|p| *p != b"..") => {
                parts.pop();
            }
            b".." if root > 0 => {}
            _ => vm.push(&mut parts, part)?,
        }
    }
    let mut out = vm.buffer(bytes.len() + 1)?;
    out.extend_from_slice(&bytes[..root]);
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(part);
    }
    if out.is_empty() {
        out.push(b'.');
    }
    again(vm, &out, as_bytes)
}

fn path_splitroot(vm: &Vm, path: Value) -> R<Value> {
    let (bytes, as_bytes) = text_bytes(vm, path)?;
    let root = root_length(&bytes);
    let part = |b: &[u8]| again(vm, b, as_bytes);
    vm.tuple(&[part(b"")?, part(&bytes[..root])?, part(&bytes[root..])?])
}
