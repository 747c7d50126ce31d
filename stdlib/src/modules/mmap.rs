//! `mmap`: files and memory of their own as rows of bytes.
//!
//! The pages belong to a [`Region`]. A bytearray that no program sees shows them and keeps them, and memoryviews are views of
//! that: so a mapping is not closed or moved while one is in use. Pages behind the end of a file that was cut
//! cannot be touched; what is here looks at the file's size before, views cannot.

use super::support::{self, BytesLike};
use skein_builtins::types::{item_index, take_back};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::slice::Slice;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;
use std::io::Error;

const ACCESS_DEFAULT: i32 = 0;
const ACCESS_READ: i32 = 1;
const ACCESS_WRITE: i32 = 2;
const ACCESS_COPY: i32 = 3;

/// Pages, given back when it dies. Null: they were before.
struct Region {
    start: Cell<*mut u8>,
    len: Cell<usize>,
}

impl Region {
    fn unmap(&self) {
        let start = self.start.replace(std::ptr::null_mut());
        if !start.is_null() {
            // SAFETY: the mapping is this object's, and nothing shows it any more.
            unsafe { libc::munmap(start.cast(), self.len.get()) };
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.unmap();
    }
}

impl Payload for Region {
    const NAME: &'static str = "mmap region";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Region { start: _, len: _ } = self;
    }
}

struct Map {
    region: Field,
    /// Shows the region.
    array: Field,
    position: Cell<usize>,
    access: i32,
    is_shared: bool,
    offset: i64,
    /// A copy of the file's descriptor; -1: none.
    fd: Cell<i32>,
}

impl Drop for Map {
    fn drop(&mut self) {
        self.close_file();
    }
}

impl Map {
    fn close_file(&self) {
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: the descriptor is this object's.
            unsafe { libc::close(fd) };
        }
    }
}

impl Payload for Map {
    const NAME: &'static str = "mmap.mmap";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Map { region, array, position: _, access: _, is_shared: _, offset: _, fd: _ } = self;
        region.trace(t);
        array.trace(t);
    }
}

type MapRef = Ref<Ext<Map>>;
type This = ExtArg<Map>;

native_type! {
    MMAP: "mmap.mmap", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
        "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\nMaps length bytes from the file specified by the file descriptor fileno, and returns a mmap object.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "close($self, /)" => |vm: &Vm, m: This| close(vm, m.0);
        "find($self, view, start=None, end=None, /)" => |vm: &Vm, m: This, what: BytesLike, start: Option<Value>, end: Option<Value>| find(vm, m.0, &what, start, end, false);
        "rfind($self, view, start=None, end=None, /)" => |vm: &Vm, m: This, what: BytesLike, start: Option<Value>, end: Option<Value>| find(vm, m.0, &what, start, end, true);
        "flush($self, offset=0, size=None, /)" => flush;
        "madvise($self, option, start=0, length=None, /)" => madvise;
        "move($self, dest, src, count, /)" => shift;
        "read($self, n=None, /)" => read;
        "read_byte($self, /)" => read_byte;
        "readline($self, /)" => readline;
        "resize($self, newsize, /)" => resize;
        "seek($self, pos, whence=0, /)" => seek;
        "seekable($self, /)" => |vm: &Vm, m: This| open(vm, m.0).map(|_| true);
        "size($self, /)" => |vm: &Vm, m: This| -> R<i64> { let a = open(vm, m.0)?; Ok(file_size(vm, m.0)?.unwrap_or(a.bytes().len() as i64)) };
        "tell($self, /)" => |vm: &Vm, m: This| open(vm, m.0).map(|_| m.0.position.get());
        "write($self, bytes, /)" => write;
        "write_byte($self, byte, /)" => write_byte;
        "__enter__($self, /)" => |vm: &Vm, m: This| open(vm, m.0).map(|_| m.0.value());
        "__exit__($self, exc_type, exc_value, traceback, /)" => |vm: &Vm, m: This, _: Value, _: Value, _: Value| close(vm, m.0);
        "__len__($self, /)" => |vm: &Vm, m: This| open(vm, m.0).map(|a| a.bytes().len());
        "__getitem__($self, key, /)" => getitem;
        "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => |vm: &Vm, m: This, key: Value| -> R<()> {
            open(vm, m.0)?;
            let what = if key.cast::<Slice>().is_some() { "slice" } else { "item" };
            Err(vm.type_error(format!("mmap object doesn't support {what} deletion")))
        };
        "__buffer__($self, flags, /)" => buffer;
        "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: This, view: Value| take_back(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
        "__repr__($self, /)" => repr;
    }
    getset {
        "closed" => |_: &Vm, m: This| -> R<Value> { Ok(Value::bool(array(m.0).is_none())) };
    }
}

fn array(m: MapRef) -> Option<Ref<ByteArray>> {
    m.array.cast()
}

/// The bytes of a mapping that was not closed. ValueError.
fn open(vm: &Vm, m: MapRef) -> R<Ref<ByteArray>> {
    array(m).ok_or_else(|| vm.value_error("mmap closed or invalid"))
}

/// As [`open`], of pages that are there: those of a file may have been cut off. ValueError.
fn pages(vm: &Vm, m: MapRef) -> R<Ref<ByteArray>> {
    let array = open(vm, m)?;
    match file_size(vm, m)? {
        Some(size) if size < m.offset.saturating_add(array.bytes().len() as i64) => {
            Err(vm.value_error("mmap length is greater than file size"))
        }
        _ => Ok(array),
    }
}

/// As [`pages`], of a mapping that may be written. TypeError, ValueError.
fn writable(vm: &Vm, m: MapRef) -> R<Ref<ByteArray>> {
    let array = pages(vm, m)?;
    if m.access == ACCESS_READ {
        return Err(vm.type_error("mmap can't modify a readonly memory map."));
    }
    Ok(array)
}

/// Size of the file, if there is one. OSError.
fn file_size(vm: &Vm, m: MapRef) -> R<Option<i64>> {
    match m.fd.get() {
        -1 => Ok(None),
        fd => stat(vm, fd).map(|s| Some(s.st_size)),
    }
}

fn stat(vm: &Vm, fd: i32) -> R<libc::stat> {
    // SAFETY: a struct of numbers, filled in by the call.
    unsafe {
        let mut stat = std::mem::zeroed();
        match libc::fstat(fd, &mut stat) {
            0 => Ok(stat),
            _ => Err(vm.os_error_of(&Error::last_os_error(), None)),
        }
    }
}

/// An optional argument by its place or its name.
fn argument(vm: &Vm, args: &Args<'_>, i: usize, name: &str) -> R<Option<Value>> {
    if let Some(&v) = args.positional().get(i + 1) {
        return Ok(Some(v));
    }
    for (k, v) in args.keywords() {
        if vm.str_string(k)? == name {
            return Ok(Some(v));
        }
    }
    Ok(None)
}

const NAMES: [&str; 7] = ["fileno", "length", "flags", "prot", "access", "offset", "trackfd"];

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &MMAP)?)?;
    if args.positional().len() > 7 {
        let n = args.positional().len() - 1;
        return Err(vm.type_error(format!("mmap() takes at most 6 positional arguments ({n} given)")));
    }
    for (k, _) in args.keywords() {
        let k = vm.str_string(k)?;
        if !NAMES.contains(&k.as_str()) {
            return Err(vm.type_error(format!("mmap() got an unexpected keyword argument '{k}'")));
        }
    }
    let needed = |i: usize| match argument(vm, &args, i, NAMES[i])? {
        Some(v) => Ok(v),
        None => {
            let (name, place) = (NAMES[i], i + 1);
            Err(vm.type_error(format!("mmap() missing required argument '{name}' (pos {place})")))
        }
    };
    let number = |i: usize, default: i64| match argument(vm, &args, i, NAMES[i])? {
        Some(v) => vm.index_i64(v),
        None => Ok(default),
    };
    let fd = i32::try_from(vm.index_i64(needed(0)?)?)
        .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
    let length = vm.index_i64(needed(1)?)?;
    let mut flags = number(2, libc::MAP_SHARED.into())? as i32;
    let mut protection = number(3, (libc::PROT_READ | libc::PROT_WRITE).into())? as i32;
    let mut access = number(4, ACCESS_DEFAULT.into())? as i32;
    let offset = number(5, 0)?;
    let tracked = argument(vm, &args, 6, NAMES[6])?.map_or(Ok(true), |v| vm.truth(v))?;
    vm.audit("mmap.__new__", || {
        let number = |n: i32| Value::small_int(n.into());
        vm.tuple(&[number(fd), vm.int(length)?, number(access), vm.int(offset)?])
    })?;
    if length < 0 {
        return Err(vm.overflow_error("memory mapped length must be positive"));
    }
    if offset < 0 {
        return Err(vm.overflow_error("memory mapped offset must be positive"));
    }
    let given = argument(vm, &args, 2, NAMES[2])?.is_some() || argument(vm, &args, 3, NAMES[3])?.is_some();
    if access != ACCESS_DEFAULT
        && given
        && (flags != libc::MAP_SHARED || protection != libc::PROT_READ | libc::PROT_WRITE)
    {
        return Err(vm.value_error("mmap can't specify both access and flags, prot."));
    }
    match access {
        ACCESS_READ => (flags, protection) = (libc::MAP_SHARED, libc::PROT_READ),
        ACCESS_WRITE => (flags, protection) = (libc::MAP_SHARED, libc::PROT_READ | libc::PROT_WRITE),
        ACCESS_COPY => (flags, protection) = (libc::MAP_PRIVATE, libc::PROT_READ | libc::PROT_WRITE),
        ACCESS_DEFAULT => {
            if protection & libc::PROT_WRITE == 0 {
                access = ACCESS_READ;
            }
        }
        _ => return Err(vm.value_error("mmap invalid access parameter.")),
    }
    if protection & libc::PROT_READ == 0 {
        // What is here reads what it shows.
        protection |= libc::PROT_READ;
    }
    let length = mapped_length(vm, fd, length, offset)?;
    let own = match fd {
        -1 => {
            flags |= libc::MAP_ANONYMOUS;
            -1
        }
        _ if !tracked => -1,
        // SAFETY: a plain call.
        _ => match unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) } {
            -1 => return Err(vm.os_error_of(&Error::last_os_error(), None)),
            own => own,
        },
    };
    let region =
        Ext::internal(vm, Region { start: Cell::new(std::ptr::null_mut()), len: Cell::new(length) })?;
    let map = Map {
        region: Field::new(Some(region.value())),
        array: Field::new(None),
        position: Cell::new(0),
        access,
        is_shared: flags & libc::MAP_SHARED != 0,
        offset,
        fd: Cell::new(own),
    };
    let map = Ext::new(vm, class, map)?;
    // SAFETY: asks for new pages at no certain place.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, fd, offset) };
    if start == libc::MAP_FAILED {
        return Err(vm.os_error_of(&Error::last_os_error(), None));
    }
    region.start.set(start.cast());
    show(vm, map, region)?;
    Ok(map.value())
}

/// Checks length and offset against the file, whose rest is meant by a length of 0. ValueError, OSError.
fn mapped_length(vm: &Vm, fd: i32, length: i64, offset: i64) -> R<usize> {
    let mut length = length;
    if fd != -1 {
        let stat = stat(vm, fd)?;
        if stat.st_mode & libc::S_IFMT == libc::S_IFREG {
            if length == 0 {
                if stat.st_size == 0 {
                    return Err(vm.value_error("cannot mmap an empty file"));
                }
                if offset >= stat.st_size {
                    return Err(vm.value_error("mmap offset is greater than file size"));
                }
                length = stat.st_size - offset;
            } else if offset > stat.st_size || stat.st_size - offset < length {
                return Err(vm.value_error("mmap length is greater than file size"));
            }
        }
    }
    if length == 0 {
        return Err(vm.os_error(libc::EINVAL, None));
    }
    usize::try_from(length).map_err(|_| vm.overflow_error("memory mapped length must be positive"))
}

/// Makes the bytearray that shows the region.
fn show(vm: &Vm, m: MapRef, region: Ref<Ext<Region>>) -> R<()> {
    // SAFETY: the region is mapped and so long; it is unmapped only after the array was detached, or died.
    let array = unsafe { ByteArray::of_foreign(vm, region.value(), region.start.get(), region.len.get())? };
    m.array.set(vm, m, array.value());
    Ok(())
}

/// Takes the pages out of sight. BufferError while a view shows them.
fn hide(vm: &Vm, m: MapRef) -> R<Option<Ref<Ext<Region>>>> {
    if let Some(array) = array(m) {
        if !array.is_resizable(vm) {
            return Err(vm.buffer_error("cannot close exported pointers exist"));
        }
        array.detach();
        m.array.set(vm, m, None);
    }
    Ok(m.region.cast())
}

fn close(vm: &Vm, m: MapRef) -> R<()> {
    if let Some(region) = hide(vm, m)? {
        region.unmap();
    }
    m.close_file();
    Ok(())
}

fn find(
    vm: &Vm,
    m: MapRef,
    what: &[u8],
    start: Option<Value>,
    end: Option<Value>,
    from_end: bool,
) -> R<Option<i64>> {
    let len = open(vm, m)?.bytes().len();
    let place = |v: Option<Value>, default: usize| match v.filter(|v| !v.is_none()) {
        None => Ok(default),
        Some(v) => {
            let n = vm.index_i64(v)?;
            Ok(if n < 0 { (n + len as i64).max(0) as usize } else { (n as usize).min(len) })
        }
    };
    let start = place(start, m.position.get().min(len))?;
    let end = place(end, len)?;
    let array = pages(vm, m)?;
    let found = match array.bytes().get(start..end) {
        None => None,
        Some(part) if from_end => memchr::memmem::rfind(part, what),
        Some(part) => memchr::memmem::find(part, what),
    };
    Ok(Some(found.map_or(-1, |i| (start + i) as i64)))
}

fn flush(vm: &Vm, m: This, offset: Option<i64>, size: Option<Value>) -> R<()> {
    let array = open(vm, m.0)?;
    let len = array.bytes().len() as i64;
    let offset = offset.unwrap_or(0);
    let size = size.filter(|v| !v.is_none()).map_or(Ok(len - offset), |v| vm.index_i64(v))?;
    if offset < 0 || size < 0 || offset > len || len - offset < size {
        return Err(vm.value_error("flush values out of range"));
    }
    if m.0.access == ACCESS_READ || m.0.access == ACCESS_COPY {
        return Ok(());
    }
    let start = array.bytes().as_ptr().wrapping_add(offset as usize);
    // SAFETY: pages of the mapping.
    if unsafe { libc::msync(start.cast_mut().cast(), size as usize, libc::MS_SYNC) } == -1 {
        return Err(vm.os_error_of(&Error::last_os_error(), None));
    }
    Ok(())
}

fn madvise(vm: &Vm, m: This, option: i32, start: Option<i64>, length: Option<Value>) -> R<()> {
    let array = open(vm, m.0)?;
    let len = array.bytes().len() as i64;
    let start = start.unwrap_or(0);
    let length = length.filter(|v| !v.is_none()).map_or(Ok(len), |v| vm.index_i64(v))?;
    if start < 0 || start >= len {
        return Err(vm.value_error("madvise start out of bounds"));
    }
    if length < 0 {
        return Err(vm.value_error("madvise length invalid"));
    }
    if start.checked_add(length).is_none() {
        return Err(vm.overflow_error("madvise length too large"));
    }
    let length = length.min(len - start) as usize;
    let at = array.bytes().as_ptr().wrapping_add(start as usize);
    // Advice can take what is in private pages, not the pages.
    // SAFETY: pages of the mapping.
    if unsafe { libc::madvise(at.cast_mut().cast(), length, option) } == -1 {
        return Err(vm.os_error_of(&Error::last_os_error(), None));
    }
    Ok(())
}

fn shift(vm: &Vm, m: This, to: i64, from: i64, count: i64) -> R<()> {
    let array = writable(vm, m.0)?;
    let len = array.bytes().len() as i64;
    let fits = |at: i64| at >= 0 && count >= 0 && at <= len && len - at >= count;
    if !fits(to) || !fits(from) {
        return Err(vm.value_error("source, destination, or count out of range"));
    }
    array.update(|all| all.copy_within(from as usize..(from + count) as usize, to as usize));
    Ok(())
}

fn read(vm: &Vm, m: This, n: Option<Value>) -> R<Value> {
    open(vm, m.0)?;
    let n = n.filter(|v| !v.is_none()).map_or(Ok(-1), |v| vm.index_i64(v))?;
    let array = pages(vm, m.0)?;
    let rest = array.bytes().get(m.0.position.get()..).unwrap_or_default();
    let taken = &rest[..usize::try_from(n).unwrap_or(usize::MAX).min(rest.len())];
    let bytes = vm.bytes(taken)?;
    m.0.position.set(m.0.position.get() + taken.len());
    Ok(bytes)
}

fn read_byte(vm: &Vm, m: This) -> R<i64> {
    let array = pages(vm, m.0)?;
    let at = m.0.position.get();
    match array.bytes().get(at) {
        Some(&b) => {
            m.0.position.set(at + 1);
            Ok(b.into())
        }
        None => Err(vm.value_error("read byte out of range")),
    }
}

fn readline(vm: &Vm, m: This) -> R<Value> {
    let array = pages(vm, m.0)?;
    let rest = array.bytes().get(m.0.position.get()..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
    let bytes = vm.bytes(&rest[..end])?;
    m.0.position.set(m.0.position.get() + end);
    Ok(bytes)
}

fn resize(vm: &Vm, m: This, size: i64) -> R<()> {
    let m = m.0;
    open(vm, m)?;
    if m.access == ACCESS_READ || m.access == ACCESS_COPY {
        return Err(vm.type_error("mmap can't resize a readonly or copy-on-write memory map."));
    }
    if m.fd.get() == -1 && m.is_shared {
        return Err(vm.value_error("mmap: can't expand a shared anonymous mapping on Linux"));
    }
    let Some(new) = usize::try_from(size).ok().filter(|_| m.offset.checked_add(size).is_some()) else {
        return Err(vm.value_error("new size out of range"));
    };
    if array(m).is_some_and(|a| !a.is_resizable(vm)) {
        return Err(vm.buffer_error("mmap can't resize with extant pointers exported."));
    }
    if m.fd.get() != -1 {
        // SAFETY: a plain call.
        if unsafe { libc::ftruncate(m.fd.get(), m.offset + size) } == -1 {
            return Err(vm.os_error_of(&Error::last_os_error(), None));
        }
    }
    let Some(region) = hide(vm, m)? else { return Ok(()) };
    // SAFETY: the region's own pages, which nothing shows now.
    let start =
        unsafe { libc::mremap(region.start.get().cast(), region.len.get(), new, libc::MREMAP_MAYMOVE) };
    if start == libc::MAP_FAILED {
        let error = Error::last_os_error();
        show(vm, m, region)?;
        return Err(vm.os_error_of(&error, None));
    }
    region.start.set(start.cast());
    region.len.set(new);
    show(vm, m, region)
}

fn seek(vm: &Vm, m: This, to: i64, whence: Option<i64>) -> R<usize> {
    let len = open(vm, m.0)?.bytes().len() as i64;
    let base = match whence.unwrap_or(0) {
        0 => 0,
        1 => m.0.position.get() as i64,
        2 => len,
        _ => return Err(vm.value_error("unknown seek type")),
    };
    match base.checked_add(to).filter(|at| (0..=len).contains(at)) {
        Some(at) => {
            m.0.position.set(at as usize);
            Ok(at as usize)
        }
        None => Err(vm.value_error("seek out of range")),
    }
}

fn write(vm: &Vm, m: This, bytes: BytesLike) -> R<usize> {
    let array = writable(vm, m.0)?;
    let at = m.0.position.get();
    if array.bytes().len().saturating_sub(at) < bytes.len() {
        return Err(vm.value_error("data out of range"));
    }
    array.update(|all| all[at..at + bytes.len()].copy_from_slice(&bytes));
    m.0.position.set(at + bytes.len());
    Ok(bytes.len())
}

fn write_byte(vm: &Vm, m: This, byte: u8) -> R<()> {
    let array = writable(vm, m.0)?;
    let at = m.0.position.get();
    if at >= array.bytes().len() {
        return Err(vm.value_error("write byte out of range"));
    }
    array.update(|all| all[at] = byte);
    m.0.position.set(at + 1);
    Ok(())
}

/// A subscript as a position. TypeError, IndexError.
fn index(vm: &Vm, m: MapRef, key: Value) -> R<usize> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, skein_bytecode::Special::Index).is_none() {
        return Err(vm.type_error("mmap indices must be integers"));
    }
    item_index(vm, key, || array(m).map_or(0, |a| a.bytes().len()), "mmap")
}

fn getitem(vm: &Vm, m: This, key: Value) -> R<Value> {
    open(vm, m.0)?;
    let Some(slice) = key.cast::<Slice>() else {
        let i = index(vm, m.0, key)?;
        let array = pages(vm, m.0)?;
        return match array.bytes().get(i) {
            Some(&b) => vm.int(b.into()),
            None => Err(vm.index_error("mmap index out of range")),
        };
    };
    let r = vm.slice_range(slice, || array(m.0).map_or(0, |a| a.bytes().len()))?;
    let array = pages(vm, m.0)?;
    let all = array.bytes();
    if r.step == 1 {
        let start = r.start.max(0) as usize;
        return vm.bytes(all.get(start..start + r.count).unwrap_or_default());
    }
    let mut out = vm.buffer(r.count)?;
    out.extend(r.positions().filter_map(|i| all.get(i)));
    vm.bytes(&out)
}

fn setitem(vm: &Vm, m: This, key: Value, v: Value) -> R<()> {
    writable(vm, m.0)?;
    let Some(slice) = key.cast::<Slice>() else {
        let i = index(vm, m.0, key)?;
        if !vm.is_int(v) && vm.type_of(v).special(vm, skein_bytecode::Special::Index).is_none() {
            return Err(vm.type_error("mmap assignment must be single-character string"));
        }
        let Ok(byte) = u8::try_from(vm.index_i64(v)?) else {
            return Err(vm.value_error("mmap item value must be in range(0, 256)"));
        };
        let array = writable(vm, m.0)?;
        if i >= array.bytes().len() {
            return Err(vm.index_error("mmap index out of range"));
        }
        array.update(|all| all[i] = byte);
        return Ok(());
    };
    let new = BytesLike::new(vm, v)?;
    let r = vm.slice_range(slice, || array(m.0).map_or(0, |a| a.bytes().len()))?;
    let array = writable(vm, m.0)?;
    if new.len() != r.count {
        return Err(vm.index_error("mmap slice assignment is wrong size"));
    }
    array.update(|all| {
        for (i, &b) in r.positions().zip(new.iter()) {
            if let Some(to) = all.get_mut(i) {
                *to = b;
            }
        }
    });
    Ok(())
}

fn buffer(vm: &Vm, m: This, flags: i64) -> R<Value> {
    let array = pages(vm, m.0)?;
    let readonly = m.0.access == ACCESS_READ;
    if readonly && flags & support::WRITABLE != 0 {
        return Err(vm.buffer_error("Object is not writable."));
    }
    let view = skein_builtins::types::view_of(vm, array.value(), m.0.value(), b'B')?;
    if readonly { vm.call_method(view, "toreadonly", &[]) } else { Ok(view) }
}

fn repr(vm: &Vm, m: This) -> R<String> {
    let name = vm.qualified_type_name(vm.type_of(m.0.value()), &[b"builtins"])?;
    let Some(array) = array(m.0) else { return Ok(format!("<{name} closed=True>")) };
    let access = match m.0.access {
        ACCESS_READ => "ACCESS_READ",
        ACCESS_WRITE => "ACCESS_WRITE",
        ACCESS_COPY => "ACCESS_COPY",
        _ => "ACCESS_DEFAULT",
    };
    let (len, at, offset) = (array.bytes().len(), m.0.position.get(), m.0.offset);
    Ok(format!("<{name} closed=False, access={access}, length={len}, pos={at}, offset={offset}>"))
}

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "mmap", FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "mmap", ext_type(vm, &MMAP)?.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    // SAFETY: asks only.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    for (name, n) in [("PAGESIZE", page), ("ALLOCATIONGRANULARITY", page)] {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    for &(name, n) in CONSTANTS {
        d.set_name(vm, name, Value::small_int(n.into()))?;
    }
    Ok(m)
}

const CONSTANTS: &[(&str, i32)] = &[
    ("ACCESS_DEFAULT", ACCESS_DEFAULT),
    ("ACCESS_READ", ACCESS_READ),
    ("ACCESS_WRITE", ACCESS_WRITE),
    ("ACCESS_COPY", ACCESS_COPY),
    ("PROT_READ", libc::PROT_READ),
    ("PROT_WRITE", libc::PROT_WRITE),
    ("PROT_EXEC", libc::PROT_EXEC),
    #[cfg(target_arch = "x86_64")]
    ("MAP_32BIT", libc::MAP_32BIT),
    ("MAP_ANON", libc::MAP_ANON),
    ("MAP_ANONYMOUS", libc::MAP_ANONYMOUS),
    ("MAP_DENYWRITE", libc::MAP_DENYWRITE),
    ("MAP_EXECUTABLE", libc::MAP_EXECUTABLE),
    ("MAP_NORESERVE", libc::MAP_NORESERVE),
    ("MAP_POPULATE", libc::MAP_POPULATE),
    ("MAP_PRIVATE", libc::MAP_PRIVATE),
    ("MAP_SHARED", libc::MAP_SHARED),
    ("MAP_STACK", libc::MAP_STACK),
    ("MADV_DODUMP", libc::MADV_DODUMP),
    ("MADV_DOFORK", libc::MADV_DOFORK),
    ("MADV_DONTDUMP", libc::MADV_DONTDUMP),
    ("MADV_DONTFORK", libc::MADV_DONTFORK),
    ("MADV_DONTNEED", libc::MADV_DONTNEED),
    ("MADV_FREE", libc::MADV_FREE),
    ("MADV_HUGEPAGE", libc::MADV_HUGEPAGE),
    ("MADV_HWPOISON", libc::MADV_HWPOISON),
    ("MADV_MERGEABLE", libc::MADV_MERGEABLE),
    ("MADV_NOHUGEPAGE", libc::MADV_NOHUGEPAGE),
    ("MADV_NORMAL", libc::MADV_NORMAL),
    ("MADV_RANDOM", libc::MADV_RANDOM),
    ("MADV_REMOVE", libc::MADV_REMOVE),
    ("MADV_SEQUENTIAL", libc::MADV_SEQUENTIAL),
    ("MADV_UNMERGEABLE", libc::MADV_UNMERGEABLE),
    ("MADV_WILLNEED", libc::MADV_WILLNEED),
];
