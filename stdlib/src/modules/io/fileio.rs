//! `FileIO`: a file of the system.

use super::super::support::{BytesLike, write_bytes};
use super::base::{DEFAULT_BUFFER_SIZE, RAW_BASE};
use super::open::path_bytes;
use super::types::{FLAGS, base, class_of, is_exact, size, unsupported};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};
use std::cell::Cell;
use std::rc::Rc;

/// A descriptor, shared with the buffer over it.
pub struct RawFile {
    /// Negative: closed.
    pub fd: Cell<i32>,
    close_fd: Cell<bool>,
}

impl Drop for RawFile {
    fn drop(&mut self) {
        if self.close_fd.get() && self.fd.get() >= 0 {
            // SAFETY: the file's own descriptor. Nobody is left to hear of an error.
            unsafe { libc::close(self.fd.get()) };
        }
    }
}

pub struct FileIo {
    pub file: Rc<RawFile>,
    created: Cell<bool>,
    pub readable: Cell<bool>,
    pub writable: Cell<bool>,
    appending: Cell<bool>,
    seekable: Cell<Option<bool>>,
    /// What the system likes to be asked for at once.
    pub block_size: Cell<i64>,
    finalizing: Cell<bool>,
    /// A buffer over it closes it.
    pub owned: Cell<bool>,
    pub name: Field,
}

impl Payload for FileIo {
    const NAME: &'static str = "_io.FileIO";
    fn needs_finalizer(&self) -> bool {
        !self.owned.get() && self.file.fd.get() >= 0
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        let FileIo {
            file: _,
            created: _,
            readable: _,
            writable: _,
            appending: _,
            seekable: _,
            block_size: _,
            finalizing: _,
            owned: _,
            name,
        } = self;
        name.trace(t);
    }
}

pub type FileRef = Ref<Ext<FileIo>>;
type This = ExtArg<FileIo>;

native_type! {
    pub FILE_IO: "_io.FileIO", Kind::Ext, FLAGS, base |vm| base(vm, &RAW_BASE), "Open a file.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<FileRef> { make(vm, class_of(vm, &args, &FILE_IO)?) };
        "__init__($self, file, mode='r', closefd=True, opener=None)" => init;
        "read($self, size=-1, /)" => read, "Read at most size bytes, returned as bytes.";
        "readall($self, /)" => |vm: &Vm, f: This| readall(vm, f.0), "Read all data from the file, returned as bytes.";
        "readinto($self, buffer, /)" => readinto, "Same as RawIOBase.readinto().";
        "write($self, b, /)" => write, "Write buffer b to file, return number of bytes written.";
        "seek($self, pos, whence=0, /)" => seek, "Move to new file position and return the file position.";
        "tell($self, /)" => |vm: &Vm, f: This| seek_to(vm, &open(vm, f.0)?.file, 0, libc::SEEK_CUR), "Current file position.";
        "truncate($self, size=None, /)" => truncate, "Truncate the file to at most size bytes and return the truncated size.";
        "close($self, /)" => close, "Close the file.";
        "seekable($self, /)" => |vm: &Vm, f: This| seekable(vm, f.0), "True if file supports random-access.";
        "readable($self, /)" => |vm: &Vm, f: This| -> R<bool> { Ok(open(vm, f.0)?.readable.get()) }, "True if file was opened in a read mode.";
        "writable($self, /)" => |vm: &Vm, f: This| -> R<bool> { Ok(open(vm, f.0)?.writable.get()) }, "True if file was opened in a write mode.";
        "fileno($self, /)" => |vm: &Vm, f: This| -> R<i64> { Ok(open(vm, f.0)?.file.fd.get().into()) }, "Return the underlying file descriptor (an integer).";
        "isatty($self, /)" => |vm: &Vm, f: This| -> R<bool> { Ok(is_terminal(&open(vm, f.0)?.file)) }, "True if the file is connected to a TTY device.";
        "_isatty_open_only($self, /)" => |vm: &Vm, f: This| -> R<bool> { Ok(is_terminal(&open(vm, f.0)?.file)) };
        "_dealloc_warn($self, source, /)" => dealloc_warn;
        "__repr__($self, /)" => repr;
        "__getstate__($self, /)" => |vm: &Vm, v: Value| -> R<()> { Err(cannot_pickle(vm, v)) };
    }
    getset {
        "closed" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.file.fd.get() < 0));
        "closefd" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.file.close_fd.get()));
        "mode" => |vm: &Vm, v: Value| vm.str(mode_of(&*this(vm, v)?));
        "name" => |vm: &Vm, v: Value| this(vm, v)?.name.get().ok_or_else(|| no_attribute(vm, v, "name")), |vm: &Vm, v: Value, n: Option<Value>| { let f = this(vm, v)?; f.name.set(vm, f, n); Ok(()) };
        "_blksize" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.block_size.get()), |vm: &Vm, v: Value, n: Option<Value>| { if let Some(n) = n { this(vm, v)?.block_size.set(vm.index_i64(n)?); } Ok(()) };
        "_finalizing" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.finalizing.get())), |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.finalizing.set(n.map_or(Ok(false), |n| vm.truth(n))?); Ok(()) };
    }
}

fn this(vm: &Vm, v: Value) -> R<FileRef> {
    v.cast().ok_or_else(|| vm.type_error("not a FileIO"))
}

#[cold]
pub fn no_attribute(vm: &Vm, v: Value, name: &str) -> skein_runtime::Raised {
    match vm.intern(name) {
        Ok(name) => vm.no_attribute(v, name),
        Err(e) => e,
    }
}

#[cold]
pub fn cannot_pickle(vm: &Vm, v: Value) -> skein_runtime::Raised {
    vm.type_error(format!("cannot pickle '{}' instances", vm.type_of(v).name_string()))
}

/// A file that is not open yet.
fn make(vm: &Vm, ty: Ref<Type>) -> R<FileRef> {
    let f = FileIo {
        file: Rc::new(RawFile { fd: Cell::new(-1), close_fd: Cell::new(true) }),
        created: Cell::new(false),
        readable: Cell::new(false),
        writable: Cell::new(false),
        appending: Cell::new(false),
        seekable: Cell::new(None),
        block_size: Cell::new(DEFAULT_BUFFER_SIZE as i64),
        finalizing: Cell::new(false),
        owned: Cell::new(false),
        name: Field::new(None),
    };
    let f = Ext::new(vm, ty, f)?;
    vm.finalize_later(f.header());
    Ok(f)
}

/// A mode, read.
struct Mode {
    flags: i32,
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
}

fn parse_mode(vm: &Vm, text: &str) -> R<Mode> {
    if text.chars().any(|c| !"rwxab+".contains(c)) {
        return Err(vm.value_error(format!("invalid mode: {text}")));
    }
    let kinds: Vec<char> = text.chars().filter(|c| "rwxa".contains(*c)).collect();
    if kinds.len() != 1 || text.matches('+').count() > 1 {
        return Err(
            vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus")
        );
    }
    let (kind, plus) = (kinds[0], text.contains('+'));
    let how = match kind {
        'r' => 0,
        'w' => libc::O_CREAT | libc::O_TRUNC,
        'x' => libc::O_CREAT | libc::O_EXCL,
        _ => libc::O_CREAT | libc::O_APPEND,
    };
    let access = match (plus, kind) {
        (true, _) => libc::O_RDWR,
        (false, 'r') => libc::O_RDONLY,
        (false, _) => libc::O_WRONLY,
    };
    Ok(Mode {
        flags: access | how | libc::O_CLOEXEC,
        created: kind == 'x',
        readable: plus || kind == 'r',
        writable: plus || kind != 'r',
        appending: kind == 'a',
    })
}

fn mode_of(f: &FileIo) -> &'static str {
    match (f.created.get(), f.appending.get(), f.readable.get(), f.writable.get()) {
        (true, _, true, _) => "xb+",
        (true, ..) => "xb",
        (_, true, true, _) => "ab+",
        (_, true, ..) => "ab",
        (.., true, true) => "rb+",
        (.., true, false) => "rb",
        _ => "wb",
    }
}

/// Opens a file for `open` and the standard streams. OSError, ValueError.
pub fn open_file(vm: &Vm, file: Value, mode: &str, close_fd: bool, opener: Option<Value>) -> R<FileRef> {
    let f = make(vm, super::types::ty(vm, &FILE_IO)?)?;
    start(vm, f, file, mode, close_fd, opener)?;
    Ok(f)
}

fn init(
    vm: &Vm,
    f: This,
    file: Value,
    mode: Option<Ref<Str>>,
    close_fd: Option<bool>,
    opener: Option<Value>,
) -> R<()> {
    let mode = mode.map_or("r".into(), |m| m.to_string_lossy().into_owned());
    start(vm, f.0, file, &mode, close_fd.unwrap_or(true), opener.filter(|o| !o.is_none()))
}

fn start(vm: &Vm, f: FileRef, file: Value, mode: &str, close_fd: bool, opener: Option<Value>) -> R<()> {
    if f.file.fd.get() >= 0 {
        release(vm, &f.file)?;
    }
    let mode_text = mode;
    let mode = parse_mode(vm, mode)?;
    f.created.set(mode.created);
    f.readable.set(mode.readable);
    f.writable.set(mode.writable);
    f.appending.set(mode.appending);
    f.seekable.set(None);
    let given = vm.is_int(file) || file.is_bool();
    if file.is_bool() {
        vm.warn(vm.exc.runtime_warning, "bool is used as a file descriptor")?;
    }
    vm.audit("open", || vm.tuple(&[file, vm.str(mode_text)?, vm.int(mode.flags.into())?]))?;
    let mut own = true;
    let fd = if given {
        own = close_fd;
        let fd = vm.as_i64(vm.index(file)?).and_then(|n| i32::try_from(n).ok());
        match fd {
            Some(fd) if fd >= 0 => fd,
            _ => return Err(vm.value_error("negative file descriptor")),
        }
    } else if !close_fd {
        return Err(vm.value_error("Cannot use closefd=False with file name"));
    } else if let Some(opener) = opener {
        let fd = vm.call(opener, &[file, vm.int(mode.flags.into())?])?;
        if !vm.is_int(fd) {
            return Err(vm.type_error("expected integer from opener"));
        }
        let n = vm.index_i64(fd)?;
        let Some(fd) = i32::try_from(n).ok().filter(|fd| *fd >= 0) else {
            return Err(vm.value_error(format!("opener returned {n}")));
        };
        // SAFETY: a plain call.
        if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
            return Err(vm.last_os_error(None));
        }
        fd
    } else {
        let path = path_bytes(vm, file)?;
        let opened = vm.retry(|| {
            // SAFETY: a C string and numbers.
            match unsafe { libc::open(path.as_ptr(), mode.flags, 0o666) } {
                fd if fd < 0 => Err(std::io::Error::last_os_error()),
                fd => Ok(fd),
            }
        })?;
        opened.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), Some(file)))?
    };
    // SAFETY: plain data; an error leaves zeros.
    let (known, st) = unsafe {
        let mut st: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut st) == 0, st)
    };
    let failed = match std::io::Error::last_os_error().raw_os_error() {
        _ if known && st.st_mode & libc::S_IFMT == libc::S_IFDIR => Some(libc::EISDIR),
        Some(libc::EBADF) if !known => Some(libc::EBADF),
        _ => None,
    };
    if let Some(e) = failed {
        if !given {
            // SAFETY: just opened.
            unsafe { libc::close(fd) };
        }
        return Err(vm.os_error(e, Some(file)));
    }
    if known && st.st_blksize > 1 {
        f.block_size.set(st.st_blksize);
    }
    f.file.fd.set(fd);
    f.file.close_fd.set(own);
    if is_exact(vm, f.value(), &FILE_IO) {
        f.name.set(vm, f, file);
    } else if let Err(e) = vm.set_attr(f.value(), vm.intern("name")?, file) {
        // A subclass may refuse the name: then the file is not open.
        if !given {
            let pending = vm.pending.take();
            if release(vm, &f.file).is_err() {
                vm.pending.take();
            }
            vm.pending.set(pending);
        }
        f.file.fd.set(-1);
        return Err(e);
    }
    if mode.appending {
        // SAFETY: a plain call; pipes have no place to be.
        unsafe { libc::lseek(fd, 0, libc::SEEK_END) };
    }
    Ok(())
}

/// A file that is not closed. ValueError.
fn open(vm: &Vm, f: FileRef) -> R<FileRef> {
    match f.file.fd.get() {
        0.. => Ok(f),
        _ => Err(vm.value_error("I/O operation on closed file")),
    }
}

fn for_reading(vm: &Vm, f: FileRef) -> R<FileRef> {
    match open(vm, f)?.readable.get() {
        true => Ok(f),
        false => Err(unsupported(vm, "File not open for reading")),
    }
}

fn is_terminal(f: &RawFile) -> bool {
    // SAFETY: asks only.
    unsafe { libc::isatty(f.fd.get()) == 1 }
}

/// One read into a row of bytes; None: it would block. OSError.
pub fn read_once(vm: &Vm, f: &RawFile, out: &mut [u8]) -> R<Option<usize>> {
    let fd = check_fd(vm, f)?;
    transfer(vm, || {
        // SAFETY: the slice is writable for its length.
        unsafe { libc::read(fd, out.as_mut_ptr().cast(), out.len()) }
    })
}

/// One write; None: it would block. OSError.
pub fn write_once(vm: &Vm, f: &RawFile, bytes: &[u8]) -> R<Option<usize>> {
    let fd = check_fd(vm, f)?;
    transfer(vm, || {
        // SAFETY: the slice is readable for its length.
        unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) }
    })
}

fn transfer(vm: &Vm, mut call: impl FnMut() -> isize) -> R<Option<usize>> {
    let done = vm.retry(|| match call() {
        n if n < 0 => Err(std::io::Error::last_os_error()),
        n => Ok(n as usize),
    })?;
    match done {
        Ok(n) => Ok(Some(n)),
        Err(e) if e.raw_os_error() == Some(libc::EAGAIN) => Ok(None),
        Err(e) => Err(vm.os_error_of(&e, None)),
    }
}

/// ValueError for a file that was closed.
fn check_fd(vm: &Vm, f: &RawFile) -> R<i32> {
    match f.fd.get() {
        fd if fd < 0 => Err(vm.value_error("I/O operation on closed file")),
        fd => Ok(fd),
    }
}

/// OSError.
pub fn seek_to(vm: &Vm, f: &RawFile, at: i64, whence: i32) -> R<i64> {
    check_fd(vm, f)?;
    // SAFETY: a plain call.
    match unsafe { libc::lseek(f.fd.get(), at, whence) } {
        n if n < 0 => Err(vm.last_os_error(None)),
        n => Ok(n),
    }
}

/// So many zeroes, where a program chose the number. MemoryError.
pub fn zeroes(vm: &Vm, n: usize) -> R<Vec<u8>> {
    vm.check_room(n)?;
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| vm.memory_error())?;
    out.resize(n, 0);
    Ok(out)
}

fn read(vm: &Vm, f: This, n: Option<Value>) -> R<Value> {
    let f = for_reading(vm, f.0)?;
    let Some(n) = size(vm, n)? else { return readall(vm, f) };
    let mut out = zeroes(vm, n)?;
    match read_once(vm, &f.file, &mut out)? {
        Some(n) => vm.bytes(&out[..n]),
        None => Ok(Value::NONE),
    }
}

/// All bytes to the end, with what would block in between as the end. None: nothing yet.
pub fn read_to_end(vm: &Vm, f: &RawFile) -> R<Option<Vec<u8>>> {
    // SAFETY: plain data; an error leaves zeros.
    let left = unsafe {
        let mut st: libc::stat = std::mem::zeroed();
        libc::fstat(f.fd.get(), &mut st);
        st.st_size - libc::lseek(f.fd.get(), 0, libc::SEEK_CUR).max(0)
    };
    let mut room = usize::try_from(left).unwrap_or(0).max(1023) + 1;
    let mut out = Vec::new();
    loop {
        vm.check_room(out.len() + room)?;
        out.try_reserve(room).map_err(|_| vm.memory_error())?;
        let old = out.len();
        out.resize(old + room, 0);
        let got = read_once(vm, f, &mut out[old..]);
        out.truncate(old + *got.as_ref().unwrap_or(&None).as_ref().unwrap_or(&0));
        match got? {
            Some(0) => return Ok(Some(out)),
            None => return Ok((!out.is_empty()).then_some(out)),
            Some(n) if n == room => room = (room * 2).min(1 << 24),
            Some(_) => {}
        }
    }
}

fn readall(vm: &Vm, f: FileRef) -> R<Value> {
    let f = for_reading(vm, f)?;
    match read_to_end(vm, &f.file)? {
        Some(b) => vm.bytes(&b),
        None => Ok(Value::NONE),
    }
}

fn readinto(vm: &Vm, f: This, buffer: Value) -> R<Value> {
    let f = for_reading(vm, f.0)?;
    let mut room = 0;
    write_bytes(vm, buffer, |b| {
        room = b.len();
        Ok(())
    })?;
    // A signal's handler may change the buffer while the system reads: the bytes come here first.
    let mut out = zeroes(vm, room)?;
    let Some(n) = read_once(vm, &f.file, &mut out)? else { return Ok(Value::NONE) };
    write_bytes(vm, buffer, |b| {
        let n = n.min(b.len());
        b[..n].copy_from_slice(&out[..n]);
        Ok(())
    })?;
    vm.int(n as i64)
}

fn write(vm: &Vm, f: This, data: BytesLike) -> R<Value> {
    if !open(vm, f.0)?.writable.get() {
        return Err(unsupported(vm, "File not open for writing"));
    }
    write_once(vm, &f.0.file, &data)?.map_or(Ok(Value::NONE), |n| vm.int(n as i64))
}

fn seek(vm: &Vm, f: This, at: Value, whence: Option<i32>) -> R<i64> {
    let f = open(vm, f.0)?;
    if vm.as_float(at).is_some() {
        return Err(vm.type_error("an integer is required"));
    }
    seek_to(vm, &f.file, vm.index_i64(at)?, whence.unwrap_or(0))
}

fn truncate(vm: &Vm, f: This, n: Option<Value>) -> R<Value> {
    let f = open(vm, f.0)?;
    if !f.writable.get() {
        return Err(unsupported(vm, "File not open for writing"));
    }
    let n = match n.filter(|n| !n.is_none()) {
        Some(n) => n,
        None => vm.int(seek_to(vm, &f.file, 0, libc::SEEK_CUR)?)?,
    };
    let length = vm.index_i64(n)?;
    let fd = f.file.fd.get();
    let done = vm.retry(|| {
        // SAFETY: a plain call.
        match unsafe { libc::ftruncate(fd, length) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    })?;
    done.map_err(|e| vm.os_error_of(&e, None))?;
    Ok(n)
}

fn seekable(vm: &Vm, f: FileRef) -> R<bool> {
    let f = open(vm, f)?;
    if let Some(known) = f.seekable.get() {
        return Ok(known);
    }
    // SAFETY: a plain call.
    let can = unsafe { libc::lseek(f.file.fd.get(), 0, libc::SEEK_CUR) >= 0 };
    f.seekable.set(Some(can));
    Ok(can)
}

/// Closes the descriptor, if it is the file's own. OSError.
fn release(vm: &Vm, f: &RawFile) -> R<()> {
    let fd = f.fd.replace(-1);
    if fd < 0 || !f.close_fd.get() {
        return Ok(());
    }
    // SAFETY: the file's own descriptor. After an interruption it is closed all the same.
    if unsafe { libc::close(fd) } < 0 && std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn close(vm: &Vm, f: This) -> R<Value> {
    let f = f.0;
    if f.file.fd.get() < 0 {
        return Ok(Value::NONE);
    }
    let flushed = vm.call_method(f.value(), "flush", &[]);
    super::base::chain(vm, flushed, || {
        if f.finalizing.get() {
            warn_unclosed(vm, f, f.value());
        }
        release(vm, &f.file)?;
        Ok(Value::NONE)
    })
}

/// ResourceWarning about a file that the program left open; made an error, it has nowhere to go.
fn warn_unclosed(vm: &Vm, f: FileRef, source: Value) {
    if f.file.fd.get() < 0 || !f.file.close_fd.get() {
        return;
    }
    let pending = vm.pending.take();
    let warned = vm
        .repr_string(source)
        .and_then(|text| vm.warn(vm.exc.resource_warning, &format!("unclosed file {text}")));
    if warned.is_err() {
        vm.unraisable(None, source);
    }
    vm.pending.set(pending);
}

fn dealloc_warn(vm: &Vm, f: This, source: Value) {
    warn_unclosed(vm, f.0, source);
}

fn repr(vm: &Vm, f: This) -> R<String> {
    let f = f.0;
    let name = type_name(vm, f.value());
    if f.file.fd.get() < 0 {
        return Ok(format!("<{name} [closed]>"));
    }
    let (mode, close) = (mode_of(&f), if f.file.close_fd.get() { "True" } else { "False" });
    match f.name.get() {
        None => Ok(format!("<{name} fd={} mode='{mode}' closefd={close}>", f.file.fd.get())),
        Some(v) => {
            let shown = vm.repr_guard(f.value(), || vm.repr_string(v))?;
            match shown {
                Some(shown) => Ok(format!("<{name} name={shown} mode='{mode}' closefd={close}>")),
                None => Err(vm.runtime_error(format!("reentrant call inside {name}.__repr__"))),
            }
        }
    }
}

/// A type's name as it shows in a file's repr: with the module for those of `_io` only.
pub fn type_name(vm: &Vm, v: Value) -> String {
    let ty = vm.type_of(v);
    ty.def().map_or_else(|| ty.name_string(), |d| d.name.to_string())
}
