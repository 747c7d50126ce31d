//! Arguments that most functions here have: paths, folders' descriptors, ids.

use super::super::io::encode_path;
use super::super::support::descriptor;
use crate::unpacked;
use skein_builtins::types::path_object;
use skein_runtime::native::{FromArg, NativeDef, parameters};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Raised, Value, Vm};
use std::ffi::{CStr, CString};

/// A path, with the object for messages.
pub struct Path {
    pub bytes: CString,
    pub object: Value,
}

/// A path or a descriptor.
pub enum Place {
    Path(Path),
    Fd(i32, Value),
}

/// What a path argument may be.
#[derive(Clone, Copy, PartialEq)]
enum Allowed {
    Path,
    Fd,
    FdOrNone,
}

fn convert(vm: &Vm, def: &'static NativeDef, i: usize, v: Value, allowed: Allowed) -> R<Place> {
    let name = parameters(def.signature).nth(i).map_or("path", |p| p.name);
    if v.cast::<Str>().is_none() && v.cast::<Bytes>().is_none() {
        let ty = vm.type_of(v);
        if allowed != Allowed::Path && ty.lookup(vm, vm.intern("__index__")?).is_some() {
            if v.is_bool() {
                vm.warn(vm.exc.runtime_warning, "bool is used as a file descriptor")?;
            }
            let n = vm.as_i64(vm.index(v)?).unwrap_or(i64::MAX);
            return match i32::try_from(n) {
                Ok(fd) => Ok(Place::Fd(fd, v)),
                Err(_) if n < 0 => Err(vm.overflow_error("fd is less than minimum")),
                Err(_) => Err(vm.overflow_error("fd is greater than maximum")),
            };
        }
        if ty.lookup(vm, vm.intern("__fspath__")?).is_none_or(|f| f.is_none()) {
            let kinds = match allowed {
                Allowed::Path => "string, bytes or os.PathLike",
                Allowed::Fd => "string, bytes, os.PathLike or integer",
                Allowed::FdOrNone => "string, bytes, os.PathLike, integer or None",
            };
            let got = ty.name_string();
            return Err(vm.type_error(format!("{}: {name} should be {kinds}, not {got}", def.name)));
        }
    }
    let v = path_object(vm, v)?;
    let mut bytes = encode_path(vm, v)?;
    unpacked::look_for(&vm.config.library, &bytes);
    // For the zero byte.
    vm.grow(&mut bytes, 1)?;
    match CString::new(bytes) {
        Ok(bytes) => Ok(Place::Path(Path { bytes, object: v })),
        Err(_) => Err(vm.value_error(format!("{}: embedded null character in {name}", def.name))),
    }
}

impl FromArg for Path {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Path> {
        match convert(vm, def, i, v, Allowed::Path)? {
            Place::Path(p) => Ok(p),
            Place::Fd(..) => Err(vm.system_error("a descriptor where a path was asked for")),
        }
    }
}

impl FromArg for Place {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Place> {
        convert(vm, def, i, v, Allowed::Fd)
    }
}

/// A path, a descriptor, or None for the current folder.
pub struct PlaceOrHere(pub Place);

impl FromArg for PlaceOrHere {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<PlaceOrHere> {
        if v.is_none() {
            return Ok(PlaceOrHere::here());
        }
        convert(vm, def, i, v, Allowed::FdOrNone).map(PlaceOrHere)
    }
}

impl PlaceOrHere {
    pub fn here() -> PlaceOrHere {
        PlaceOrHere(Place::Path(Path { bytes: CString::from(c"."), object: Value::NONE }))
    }
}

impl Path {
    pub fn c(&self) -> &CStr {
        &self.bytes
    }
    /// Was it given as bytes? Then so are the results.
    pub fn is_bytes(&self) -> bool {
        self.object.cast::<Bytes>().is_some()
    }
}

impl Place {
    pub fn object(&self) -> Value {
        match self {
            Place::Path(p) => p.object,
            Place::Fd(_, v) => *v,
        }
    }
    /// For the calls that end in `at`, with `AT_EMPTY_PATH`-like rules: a path relative to the
    /// folder, or a descriptor, with which no folder may be given. ValueError.
    pub fn with_folder(&self, vm: &Vm, function: &str, folder: DirFd) -> R<()> {
        match self {
            Place::Fd(..) if folder.0 != libc::AT_FDCWD => {
                Err(vm.value_error(format!("{function}: can't specify dir_fd without matching path")))
            }
            _ => Ok(()),
        }
    }
}

/// The `dir_fd` argument: `AT_FDCWD` without one.
#[derive(Clone, Copy)]
pub struct DirFd(pub i32);

impl DirFd {
    /// As audit hooks are told of it.
    pub fn told(self) -> Value {
        Value::small_int(if self.0 == libc::AT_FDCWD { -1 } else { self.0.into() })
    }
}

impl FromArg for DirFd {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<DirFd> {
        if v.is_none() {
            return Ok(DirFd(libc::AT_FDCWD));
        }
        if vm.type_of(v).lookup(vm, vm.intern("__index__")?).is_none() {
            let got = vm.type_name(v);
            return Err(vm.type_error(format!("argument should be integer or None, not {got}")));
        }
        let n = vm.as_i64(vm.index(v)?).unwrap_or(i64::MAX);
        i32::try_from(n).map(DirFd).map_err(|_| {
            vm.overflow_error(if n < 0 { "fd is less than minimum" } else { "fd is greater than maximum" })
        })
    }
}

/// The descriptor of an optional `dir_fd`.
pub fn folder(fd: Option<DirFd>) -> DirFd {
    fd.unwrap_or(DirFd(libc::AT_FDCWD))
}

/// A descriptor: an int, or anything with `fileno()`.
#[derive(Clone, Copy)]
pub struct Fd(pub i32);

impl FromArg for Fd {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<Fd> {
        descriptor(vm, v).map(Fd)
    }
}

macro_rules! ids {
    ($($ty:ident $name:literal)*) => {$(
        /// The number of a user or group; -1 leaves it as it is.
        #[derive(Clone, Copy)]
        pub struct $ty(pub u32);
        impl FromArg for $ty {
            fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<$ty> {
                id(vm, v, $name).map($ty)
            }
        }
    )*};
}
ids! { Uid "uid" Gid "gid" }

/// OverflowError, TypeError.
pub fn id(vm: &Vm, v: Value, what: &str) -> R<u32> {
    if vm.type_of(v).lookup(vm, vm.intern("__index__")?).is_none() {
        return Err(vm.type_error(format!("{what} should be integer, not {}", vm.type_name(v))));
    }
    let v = vm.index(v)?;
    match vm.as_i64(v) {
        Some(-1) => Ok(u32::MAX),
        Some(n) if n < 0 => Err(vm.overflow_error(format!("{what} is less than minimum"))),
        n => n.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
            let negative = vm.as_big(v).is_some_and(|b| b.sign() == num_bigint::Sign::Minus);
            let side = if negative { "less than minimum" } else { "greater than maximum" };
            vm.overflow_error(format!("{what} is {side}"))
        }),
    }
}

/// -1 as OSError; tried again after signals.
pub fn checked(vm: &Vm, path: Option<Value>, mut call: impl FnMut() -> i64) -> R<i64> {
    let done = vm.retry(|| match call() {
        -1 => Err(std::io::Error::last_os_error()),
        n => Ok(n),
    })?;
    done.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), path.filter(|p| !p.is_none())))
}

/// As [`checked`], of a call with two paths.
pub fn checked_two(vm: &Vm, a: &Path, b: &Path, mut call: impl FnMut() -> i32) -> R<()> {
    let done = vm.retry(|| match call() {
        -1 => Err(std::io::Error::last_os_error()),
        n => Ok(n),
    })?;
    done.map(|_| ()).map_err(|e| vm.os_error_2(e.raw_os_error().unwrap_or(0), Some(a.object), Some(b.object)))
}

/// A file name of the system as text.
pub fn path_text(vm: &Vm, bytes: &[u8]) -> R<Value> {
    let text = super::super::io::decode(vm, bytes, "utf-8", "surrogateescape")?;
    Ok(Str::new(vm, &text)?.value())
}

/// As text, or as bytes where the argument was bytes.
pub fn path_like(vm: &Vm, as_bytes: bool, bytes: &[u8]) -> R<Value> {
    if as_bytes { vm.bytes(bytes) } else { path_text(vm, bytes) }
}

/// ValueError for a text with a zero byte.
pub fn c_string(vm: &Vm, v: Value) -> R<CString> {
    let mut bytes = encode_path(vm, v)?;
    // For the zero byte.
    vm.grow(&mut bytes, 1)?;
    CString::new(bytes).map_err(|_| null_byte(vm))
}

#[cold]
pub fn null_byte(vm: &Vm) -> Raised {
    vm.value_error("embedded null byte")
}

/// A buffer of `n` bytes whose size the program chose. MemoryError.
pub fn buffer(vm: &Vm, n: usize) -> R<Vec<u8>> {
    vm.check_room(n)?;
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| vm.memory_error())?;
    out.resize(n, 0);
    Ok(out)
}

/// The number of a device; -1 is the one that no device has.
pub struct Device(pub u64);

impl FromArg for Device {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Device> {
        match vm.as_i64(vm.index(v)?) {
            Some(-1) => Ok(Device(u64::MAX)),
            _ => u64::from_arg(vm, def, i, v).map(Device),
        }
    }
}

impl Device {
    /// A number in it; -1 of no device.
    pub fn part(self, of: extern "C" fn(u64) -> u32) -> i64 {
        if self.0 == u64::MAX { -1 } else { of(self.0).into() }
    }
}

/// A part of a device's number; -1 is that of no device.
pub struct DeviceNumber(pub u32);

impl FromArg for DeviceNumber {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<DeviceNumber> {
        match vm.as_i64(vm.index(v)?) {
            Some(-1) => Ok(DeviceNumber(u32::MAX)),
            _ => u32::from_arg(vm, def, i, v).map(DeviceNumber),
        }
    }
}
