//! File objects: raw, buffered and text layers over one [`Core`].

use super::super::support::bytes_of;
use super::codec::{decode, encode, known};
use super::core::Core;
use super::open::unsupported;
use skein_runtime::object::{Field, Tracer};
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::{Str, char_width};
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Ref, Value, Vm};
use std::cell::{Cell, RefCell, RefMut};
use std::io;
use std::rc::Rc;

/// What a file object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    Raw,
    Buffered,
    Text,
    /// `BytesIO`.
    Bytes,
    /// `StringIO`.
    String,
}

/// The `newline` argument.
#[derive(Clone, PartialEq)]
pub enum Newline {
    /// None: all kinds end a line and are read as `\n`.
    Universal,
    /// Empty: all kinds end a line and are read as they are.
    Untranslated,
    Only(Vec<u8>),
}

pub struct File {
    pub core: Rc<RefCell<Core>>,
    pub layer: Layer,
    pub closed: Cell<bool>,
    pub encoding: String,
    pub errors: String,
    pub newline: Newline,
    pub line_buffering: Cell<bool>,
    pub write_through: Cell<bool>,
    /// The layer below.
    pub below: Field,
    pub name: Field,
    pub mode: Field,
}

impl Payload for File {
    const NAME: &'static str = "file";
    fn trace(&self, t: &mut Tracer<'_>) {
        let File {
            core: _,
            layer: _,
            closed: _,
            encoding: _,
            errors: _,
            newline: _,
            line_buffering: _,
            write_through: _,
            below,
            name,
            mode,
        } = self;
        below.trace(t);
        name.trace(t);
        mode.trace(t);
    }
}

pub type FileRef = Ref<Ext<File>>;
pub type This = ExtArg<File>;

impl File {
    /// A file object of a type. MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, core: Rc<RefCell<Core>>, layer: Layer) -> R<FileRef> {
        // SAFETY: zeroed fields are empty.
        let (below, name, mode) = unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
        let file = File {
            core,
            layer,
            closed: Cell::new(false),
            encoding: "utf-8".into(),
            errors: "strict".into(),
            newline: Newline::Universal,
            line_buffering: Cell::new(false),
            write_through: Cell::new(false),
            below,
            name,
            mode,
        };
        Ext::new(vm, ty, file)
    }

    fn is_text(&self) -> bool {
        matches!(self.layer, Layer::Text | Layer::String)
    }
}

fn borrow<'a>(vm: &Vm, f: &'a File) -> R<RefMut<'a, Core>> {
    f.core.try_borrow_mut().map_err(|_| vm.runtime_error("reentrant call inside a file object"))
}

/// Does I/O, again when signals interrupt it; OSError.
pub fn io<T>(vm: &Vm, f: &File, mut what: impl FnMut(&mut Core) -> io::Result<T>) -> R<T> {
    check_open(vm, f)?;
    let done = loop {
        let r = what(&mut *borrow(vm, f)?);
        match r {
            Err(e) if e.raw_os_error() == Some(libc::EINTR) => vm.check_signals()?,
            r => break r,
        }
    };
    done.map_err(|e| vm.os_error_of(&e, None))
}

pub fn check_open(vm: &Vm, f: &File) -> R<()> {
    if f.closed.get() || borrow(vm, f)?.closed {
        return Err(vm.value_error(match f.layer {
            Layer::Raw => "I/O operation on closed file",
            _ => "I/O operation on closed file.",
        }));
    }
    Ok(())
}

fn check_readable(vm: &Vm, f: &File, what: &str) -> R<()> {
    check_open(vm, f)?;
    if borrow(vm, f)?.readable {
        return Ok(());
    }
    Err(unsupported(vm, if f.is_text() { "not readable" } else { what }))
}

fn check_writable(vm: &Vm, f: &File) -> R<()> {
    check_open(vm, f)?;
    if borrow(vm, f)?.writable {
        return Ok(());
    }
    Err(unsupported(
        vm,
        match f.layer {
            Layer::Raw => "File not open for writing",
            Layer::Text => "not writable",
            _ => "write",
        },
    ))
}

/// A size argument: None or negative is everything.
fn size(vm: &Vm, v: Option<Value>) -> R<Option<usize>> {
    match v {
        None | Some(Value::NONE) => Ok(None),
        Some(v) => Ok(usize::try_from(vm.index_i64(v)?).ok()),
    }
}

/// End of the first line in these bytes, if it can be told; `last`: nothing follows them.
fn line_end(bytes: &[u8], newline: &Newline, last: bool) -> Option<usize> {
    match newline {
        Newline::Only(end) => bytes.windows(end.len()).position(|w| w == end).map(|i| i + end.len()),
        _ => {
            let i = bytes.iter().position(|b| matches!(b, b'\n' | b'\r'))?;
            match bytes.get(i + 1) {
                _ if bytes[i] == b'\n' => Some(i + 1),
                Some(b'\n') => Some(i + 2),
                Some(_) => Some(i + 1),
                None => last.then_some(i + 1),
            }
        }
    }
}

fn read_text_line(core: &mut Core, newline: &Newline) -> io::Result<Vec<u8>> {
    loop {
        if let Some(n) = line_end(core.buffered(), newline, false) {
            return Ok(core.take(n));
        }
        if core.fill()? == 0 {
            let n = line_end(core.buffered(), newline, true).unwrap_or(core.buffered().len());
            return Ok(core.take(n));
        }
    }
}

/// The bytes of `n` characters: a `\r\n` is one if it is read as one.
fn read_text_chars(core: &mut Core, n: usize, wide: bool, newline: &Newline) -> io::Result<Vec<u8>> {
    let (mut at, mut count) = (0, 0);
    while count < n {
        // Room for the widest character and a line end.
        while core.buffered().len() < at + 4 {
            if core.fill()? == 0 {
                break;
            }
        }
        let Some(&first) = core.buffered().get(at) else { break };
        let width = if wide { char_width(first) } else { 1 };
        let pair =
            first == b'\r' && *newline == Newline::Universal && core.buffered().get(at + 1) == Some(&b'\n');
        at = (at + width + usize::from(pair)).min(core.buffered().len());
        count += 1;
    }
    Ok(core.take(at))
}

/// Decodes what was read.
fn text(vm: &Vm, f: &File, bytes: &[u8]) -> R<Value> {
    let mut out = decode(vm, bytes, &f.encoding, &f.errors)?;
    if f.newline == Newline::Universal && out.contains(&b'\r') {
        let mut kept = vm.buffer(out.len())?;
        for (i, &b) in out.iter().enumerate() {
            match b {
                b'\r' => kept.push(b'\n'),
                b'\n' if i > 0 && out[i - 1] == b'\r' => {}
                b => kept.push(b),
            }
        }
        out = kept;
    }
    Ok(Str::new(vm, &out)?.value())
}

pub fn read(vm: &Vm, this: This, n: Option<Value>) -> R<Value> {
    let f = this.0;
    check_readable(vm, &f, "read")?;
    let n = size(vm, n)?;
    vm.check_room(n.unwrap_or(0))?;
    if !f.is_text() {
        if f.layer == Layer::Raw
            && let Some(n) = n
        {
            let r = io(vm, &f, |c| c.read_once(n));
            // A raw file that would block gives None.
            return match r {
                Err(_) if vm.catch(vm.exc.blocking_io_error).is_some() => Ok(Value::NONE),
                r => vm.bytes(&r?),
            };
        }
        return vm.bytes(&io(vm, &f, |c| c.read(n))?);
    }
    let bytes = match n {
        None => io(vm, &f, |c| c.read(None))?,
        Some(n) => {
            let wide = known(&f.encoding) == Some(super::codec::Known::Utf8);
            io(vm, &f, |c| read_text_chars(c, n, wide, &f.newline))?
        }
    };
    text(vm, &f, &bytes)
}

pub fn read1(vm: &Vm, this: This, n: Option<Value>) -> R<Value> {
    let f = this.0;
    check_readable(vm, &f, "read")?;
    let n = size(vm, n)?.unwrap_or(super::core::DEFAULT_BUFFER_SIZE);
    vm.bytes(&io(vm, &f, |c| c.read_once(n))?)
}

pub fn peek(vm: &Vm, this: This, _n: Option<Value>) -> R<Value> {
    let f = this.0;
    check_readable(vm, &f, "peek")?;
    io(vm, &f, |c| if c.buffered().is_empty() { c.fill() } else { Ok(0) })?;
    let bytes = borrow(vm, &f)?.buffered().to_vec();
    vm.bytes(&bytes)
}

pub fn readinto(vm: &Vm, this: This, buffer: Value) -> R<usize> {
    let f = this.0;
    check_readable(vm, &f, "readinto")?;
    let whole = buffer.cast::<ByteArray>().map(|b| (b, 0, b.bytes().len()));
    let Some((b, start, end)) = whole.or_else(|| skein_builtins::types::view_target(buffer)) else {
        return Err(vm.type_error(format!(
            "readinto() argument must be read-write bytes-like object, not {}",
            vm.type_name(buffer)
        )));
    };
    let want = end - start;
    let bytes = io(vm, &f, |c| if f.layer == Layer::Raw { c.read_once(want) } else { c.read(Some(want)) })?;
    let n = bytes.len().min(b.bytes().len().saturating_sub(start));
    if let Some(p) = b.as_mut_ptr() {
        // SAFETY: the array is at least `start + n` long.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), p.add(start), n) };
    }
    Ok(n)
}

fn line(vm: &Vm, f: FileRef, limit: Option<usize>) -> R<(Value, bool)> {
    if !f.is_text() {
        let bytes = io(vm, &f, |c| c.read_line(limit))?;
        return Ok((vm.bytes(&bytes)?, bytes.is_empty()));
    }
    let bytes = match limit {
        None => io(vm, &f, |c| read_text_line(c, &f.newline))?,
        Some(limit) => io(vm, &f, |c| {
            let line = read_text_line(c, &f.newline)?;
            // The rest beyond the limit goes back.
            let mut keep = 0;
            for _ in 0..limit {
                keep = (keep + line.get(keep).map_or(0, |&b| char_width(b))).min(line.len());
            }
            if keep < line.len() {
                c.read_at -= line.len() - keep;
            }
            Ok(line[..keep].to_vec())
        })?,
    };
    Ok((text(vm, &f, &bytes)?, bytes.is_empty()))
}

pub fn readline(vm: &Vm, this: This, n: Option<Value>) -> R<Value> {
    check_readable(vm, &this.0, "read")?;
    let n = size(vm, n)?;
    Ok(line(vm, this.0, n)?.0)
}

pub fn next(vm: &Vm, this: This) -> R<Value> {
    check_readable(vm, &this.0, "read")?;
    let (v, end) = line(vm, this.0, None)?;
    Ok(if end { vm.stop() } else { v })
}

pub fn readlines(vm: &Vm, this: This, hint: Option<Value>) -> R<Ref<List>> {
    check_readable(vm, &this.0, "read")?;
    let hint = size(vm, hint)?.filter(|&h| h > 0);
    let list = List::with_capacity(vm, 0)?;
    let mut total = 0;
    loop {
        let (v, end) = line(vm, this.0, None)?;
        if end {
            return Ok(list);
        }
        total += vm.len(v)?;
        list.push(vm, v)?;
        if hint.is_some_and(|h| total >= h) {
            return Ok(list);
        }
    }
}

/// Writes a string: what `print` uses too.
pub fn write_text(vm: &Vm, f: FileRef, s: Ref<Str>) -> R<()> {
    check_writable(vm, &f)?;
    let mut bytes = encode(vm, s, &f.encoding, &f.errors)?;
    if let Newline::Only(end) = &f.newline
        && end != b"\n"
        && bytes.contains(&b'\n')
    {
        bytes = bytes.split(|&b| b == b'\n').collect::<Vec<_>>().join(&end[..]);
    }
    let flush = f.write_through.get()
        || (f.line_buffering.get() && (bytes.contains(&b'\n') || bytes.contains(&b'\r')));
    write_bytes(vm, f, &bytes)?;
    if !flush {
        return Ok(());
    }
    let flushed = io(vm, &f, Core::flush);
    if flushed.is_err() && f.write_through.get() {
        // Without a buffer there is nothing to be tried again.
        f.core.borrow_mut().write_buffer.clear();
    }
    flushed
}

/// Adds bytes once, then writes as the buffer wants, again after a signal.
fn write_bytes(vm: &Vm, f: FileRef, bytes: &[u8]) -> R<()> {
    let mut added = false;
    let written = io(vm, &f, |c| {
        if !std::mem::replace(&mut added, true) {
            return c.write(bytes);
        }
        c.flush()
    });
    if written.is_err() && vm.pending_is(vm.exc.os_error) {
        // More than the buffer takes goes past it, so that nothing is tried again at the end.
        f.core.borrow_mut().write_buffer.clear();
    }
    written
}

pub fn write(vm: &Vm, this: This, v: Value) -> R<usize> {
    let f = this.0;
    if f.is_text() {
        let Some(s) = v.cast::<Str>() else {
            return Err(vm.type_error(match f.layer {
                Layer::String => format!("string argument expected, got '{}'", vm.type_name(v)),
                _ => format!("write() argument must be str, not {}", vm.type_name(v)),
            }));
        };
        write_text(vm, f, s)?;
        return Ok(s.char_len());
    }
    check_writable(vm, &f)?;
    let bytes = bytes_of(vm, v)?;
    write_bytes(vm, f, &bytes)?;
    Ok(bytes.len())
}

pub fn writelines(vm: &Vm, this: This, lines: Value) -> R<()> {
    let f = this.0;
    check_open(vm, &f)?;
    vm.for_each(lines, |v| write(vm, ExtArg(f), v).map(|_| ()))
}

pub fn flush(vm: &Vm, this: This) -> R<()> {
    io(vm, &this.0, Core::flush)
}

pub fn close(vm: &Vm, this: This) -> R<()> {
    let f = this.0;
    if f.closed.get() || borrow(vm, &f)?.closed {
        return Ok(());
    }
    let flushed = io(vm, &f, Core::flush);
    let pending = vm.pending.take();
    f.closed.set(true);
    let closed = borrow(vm, &f)?.close();
    vm.pending.set(pending);
    flushed?;
    closed.map_err(|e| vm.os_error_of(&e, None))
}

pub fn closed(vm: &Vm, v: Value) -> R<Value> {
    let f = this_of(vm, v)?;
    Ok(Value::bool(f.closed.get() || borrow(vm, &f)?.closed))
}

pub fn this_of(vm: &Vm, v: Value) -> R<FileRef> {
    v.cast().ok_or_else(|| vm.type_error(format!("not a file object: '{}'", vm.type_name(v))))
}

pub fn seek(vm: &Vm, this: This, offset: i64, whence: Option<i32>) -> R<i64> {
    let f = this.0;
    let whence = whence.unwrap_or(0);
    check_open(vm, &f)?;
    if f.is_text() && whence != 0 && offset != 0 {
        return Err(unsupported(
            vm,
            match whence {
                1 => "can't do nonzero cur-relative seeks",
                _ => "can't do nonzero end-relative seeks",
            },
        ));
    }
    if !(0..=2).contains(&whence) {
        return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)")));
    }
    if whence == 0 && offset < 0 {
        return Err(vm.value_error(match f.layer {
            Layer::Raw | Layer::Buffered => return Err(vm.os_error(libc::EINVAL, None)),
            Layer::Text => format!("negative seek position {offset}"),
            _ => format!("negative seek value {offset}"),
        }));
    }
    Ok(io(vm, &f, |c| c.seek(offset, whence))? as i64)
}

pub fn tell(vm: &Vm, this: This) -> R<i64> {
    Ok(io(vm, &this.0, Core::tell)? as i64)
}

pub fn truncate(vm: &Vm, this: This, n: Option<Value>) -> R<i64> {
    let f = this.0;
    check_writable(vm, &f)?;
    let n = match n.filter(|n| !n.is_none()) {
        Some(n) => vm.index_i64(n)?,
        None => io(vm, &f, Core::tell)? as i64,
    };
    if n < 0 {
        return Err(vm.os_error(libc::EINVAL, None));
    }
    io(vm, &f, |c| c.truncate(n as u64))?;
    Ok(n)
}

pub fn fileno(vm: &Vm, this: This) -> R<i64> {
    check_open(vm, &this.0)?;
    match borrow(vm, &this.0)?.fd {
        fd if fd >= 0 => Ok(fd.into()),
        _ => Err(unsupported(vm, "fileno")),
    }
}

pub fn isatty(vm: &Vm, this: This) -> R<bool> {
    check_open(vm, &this.0)?;
    let fd = borrow(vm, &this.0)?.fd;
    // SAFETY: asks only.
    Ok(fd >= 0 && unsafe { libc::isatty(fd) } == 1)
}

pub fn readable(vm: &Vm, this: This) -> R<bool> {
    check_open(vm, &this.0)?;
    Ok(borrow(vm, &this.0)?.readable)
}

pub fn writable(vm: &Vm, this: This) -> R<bool> {
    check_open(vm, &this.0)?;
    Ok(borrow(vm, &this.0)?.writable)
}

pub fn seekable(vm: &Vm, this: This) -> R<bool> {
    check_open(vm, &this.0)?;
    let fd = borrow(vm, &this.0)?.fd;
    // SAFETY: asks only.
    Ok(fd < 0 || unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } >= 0)
}

pub fn enter(vm: &Vm, this: This) -> R<Value> {
    check_open(vm, &this.0)?;
    Ok(this.0.value())
}

pub fn exit(vm: &Vm, args: skein_runtime::Args<'_>) -> R<()> {
    match args.positional().first() {
        Some(&f) => vm.call_method(f, "close", &[]).map(|_| ()),
        None => Err(vm.type_error("__exit__() needs a file object")),
    }
}

pub fn iter(vm: &Vm, this: This) -> R<Value> {
    enter(vm, this)
}

/// A view of a copy: writing to it is not supported.
pub fn getbuffer(vm: &Vm, this: This) -> R<Value> {
    let bytes = getvalue(vm, this)?;
    vm.call(vm.types.memoryview.value(), &[bytes])
}

pub fn getvalue(vm: &Vm, this: This) -> R<Value> {
    let f = this.0;
    check_open(vm, &f)?;
    let bytes = borrow(vm, &f)?.memory.clone();
    match f.layer {
        Layer::String => Ok(Str::new(vm, &bytes)?.value()),
        _ => vm.bytes(&bytes),
    }
}

pub fn reconfigure(
    vm: &Vm,
    this: This,
    line_buffering: Option<Value>,
    write_through: Option<Value>,
) -> R<()> {
    let f = this.0;
    io(vm, &f, Core::flush)?;
    for (cell, v) in [(&f.line_buffering, line_buffering), (&f.write_through, write_through)] {
        if let Some(v) = v.filter(|v| !v.is_none()) {
            cell.set(vm.truth(v)?);
        }
    }
    Ok(())
}

pub fn repr(vm: &Vm, this: This) -> R<String> {
    let f = this.0;
    let mut out = format!("<_io.{}", vm.type_of(f.value()).name_string());
    if matches!(f.layer, Layer::Bytes | Layer::String) {
        return Ok(format!("{out} object at {:#x}>", f.value().bits()));
    }
    if let Some(name) = f.name.get() {
        out.push_str(&format!(" name={}", vm.repr_string(name)?));
    }
    if f.layer != Layer::Buffered
        && let Some(mode) = f.mode.get()
    {
        out.push_str(&format!(" mode={}", vm.repr_string(mode)?));
    }
    match f.layer {
        Layer::Text => out.push_str(&format!(" encoding='{}'", f.encoding)),
        Layer::Raw => {
            let close = borrow(vm, &f)?.close_fd;
            out.push_str(if close { " closefd=True" } else { " closefd=False" });
        }
        _ => {}
    }
    Ok(out + ">")
}

/// An attribute of the layer, or AttributeError for a layer that has none.
pub fn missing(vm: &Vm, v: Value, name: &str) -> Raised {
    match vm.intern(name) {
        Ok(name) => vm.no_attribute(v, name),
        Err(e) => e,
    }
}
