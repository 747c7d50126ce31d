//! `BytesIO`: a file in memory. Its bytes are a bytearray's, so that `getbuffer` shows the file itself.

use super::super::support::{BytesLike, write_bytes};
use super::base::BUFFERED_BASE;
use super::types::{FLAGS, base, class_of, size};
use skein_builtins::types::{lend, take_back};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};
use std::cell::Cell;

pub struct BytesIo {
    /// None: closed.
    bytes: Field,
    at: Cell<usize>,
}

impl Payload for BytesIo {
    const NAME: &'static str = "_io.BytesIO";
    fn trace(&self, t: &mut Tracer<'_>) {
        let BytesIo { bytes, at: _ } = self;
        bytes.trace(t);
    }
}

type FileRef = Ref<Ext<BytesIo>>;
type This = ExtArg<BytesIo>;

native_type! {
    pub BYTES_IO: "_io.BytesIO", Kind::Ext, FLAGS & !type_flags::HAS_DEL, base |vm| base(vm, &BUFFERED_BASE), "Buffered I/O implementation using an in-memory bytes buffer.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, initial_bytes=b'')" => init;
        "read($self, size=-1, /)" => |vm: &Vm, f: This, n: Option<Value>| read(vm, f, n), "Read at most size bytes, returned as a bytes object.";
        "read1($self, size=-1, /)" => |vm: &Vm, f: This, n: Option<Value>| read(vm, f, n), "Read at most size bytes, returned as a bytes object.";
        "readinto($self, buffer, /)" => readinto, "Read bytes into buffer.";
        "readline($self, size=-1, /)" => readline, "Next line from the file, as a bytes object.";
        "readlines($self, size=None, /)" => readlines, "List of bytes objects, each a line from the file.";
        "write($self, b, /)" => |vm: &Vm, f: This, b: Value| write(vm, f.0, b), "Write bytes to file.";
        "writelines($self, lines, /)" => |vm: &Vm, f: This, lines: Value| -> R<()> { open(vm, f.0)?; vm.for_each(lines, |l| write(vm, f.0, l).map(|_| ())) }, "Write lines to the file.";
        "getvalue($self, /)" => |vm: &Vm, f: This| -> R<Value> { vm.bytes(open(vm, f.0)?.bytes()) }, "Retrieve the entire contents of the BytesIO object.";
        "getbuffer($self, /)" => |vm: &Vm, f: This| -> R<Value> { vm.call(vm.types.memoryview.value(), &[open(vm, f.0)?.value()]) }, "Get a read-write view over the contents of the BytesIO object.";
        "seek($self, pos, whence=0, /)" => seek, "Change stream position.";
        "tell($self, /)" => |vm: &Vm, f: This| -> R<usize> { open(vm, f.0)?; Ok(f.0.at.get()) }, "Current file position, an integer.";
        "truncate($self, size=None, /)" => truncate, "Truncate the file to at most size bytes.";
        "close($self, /)" => close, "Disable all I/O operations.";
        "flush($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| ()), "Does nothing.";
        "isatty($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| false), "Always returns False.";
        "readable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be read.";
        "writable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be written.";
        "seekable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be seeked.";
        "__next__($self, /)" => next;
        "__getstate__($self, /)" => getstate;
        "__setstate__($self, state, /)" => setstate;
    }
    getset { "closed" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.bytes.get().is_none())); }
}

fn this(vm: &Vm, v: Value) -> R<FileRef> {
    v.cast().ok_or_else(|| vm.type_error("not a BytesIO"))
}

native_type! {
    pub BUFFER: "_io._BytesIOBuffer", Kind::ByteArray, type_flags::NO_NEW, "What the views of a BytesIO show.";
    methods {
        "__buffer__($self, flags, /)" => |vm: &Vm, b: Value, flags: i64| lend(vm, b, flags), "Return a buffer object that exposes the underlying memory of the object.";
        "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: Value, view: Value| take_back(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
    }
}

/// What the file holds, and its views show. MemoryError.
fn buffer(vm: &Vm, bytes: &[u8]) -> R<Ref<ByteArray>> {
    ByteArray::of_type(vm, super::types::ty(vm, &BUFFER)?, bytes)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_of(vm, &args, &BYTES_IO)?;
    let bytes = buffer(vm, &[])?;
    let f = BytesIo { bytes: Field::new(Some(bytes.value())), at: Cell::new(0) };
    let f = Ext::new(vm, ty, f)?;
    // The end of a plain one has no effect.
    if ty.has_flag(type_flags::HAS_DEL) || ty.has_flag(type_flags::HEAP) {
        vm.finalize_later(f.header());
    }
    Ok(f.value())
}

fn init(vm: &Vm, f: This, initial: Option<Value>) -> R<()> {
    let f = f.0;
    let data = match initial.filter(|v| !v.is_none()) {
        Some(v) => BytesLike::new(vm, v)?,
        None => BytesLike::Copy(Vec::new()),
    };
    if let Some(b) = f.bytes.cast::<ByteArray>() {
        b.check_resizable(vm)?;
    }
    let bytes = buffer(vm, &data)?;
    f.bytes.set(vm, f, bytes.value());
    f.at.set(0);
    Ok(())
}

/// The bytes of a file that is not closed. ValueError.
fn open(vm: &Vm, f: FileRef) -> R<Ref<ByteArray>> {
    f.bytes.cast().ok_or_else(|| vm.value_error("I/O operation on closed file."))
}

/// What follows the place where the program is.
fn rest<'a>(f: &BytesIo, bytes: &'a ByteArray) -> &'a [u8] {
    bytes.bytes().get(f.at.get()..).unwrap_or_default()
}

fn take(vm: &Vm, f: FileRef, n: usize) -> R<Value> {
    let bytes = open(vm, f)?;
    let rest = rest(&f, &bytes);
    let n = n.min(rest.len());
    let out = vm.bytes(&rest[..n])?;
    f.at.set(f.at.get() + n);
    Ok(out)
}

fn read(vm: &Vm, f: This, n: Option<Value>) -> R<Value> {
    open(vm, f.0)?;
    let n = size(vm, n)?;
    take(vm, f.0, n.unwrap_or(usize::MAX))
}

fn readinto(vm: &Vm, f: This, buffer: Value) -> R<usize> {
    let f = f.0;
    open(vm, f)?;
    let mut n = 0;
    // A view of the file itself is a target too: what moves may overlap.
    write_bytes(vm, buffer, |to| {
        let bytes = open(vm, f)?;
        let from = rest(&f, &bytes);
        n = from.len().min(to.len());
        // SAFETY: both are that long; `copy` allows overlap.
        unsafe { std::ptr::copy(from.as_ptr(), to.as_mut_ptr(), n) };
        Ok(())
    })?;
    f.at.set(f.at.get() + n);
    Ok(n)
}

fn line_length(f: &BytesIo, bytes: &ByteArray) -> usize {
    let rest = rest(f, bytes);
    memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1)
}

fn readline(vm: &Vm, f: This, n: Option<Value>) -> R<Value> {
    open(vm, f.0)?;
    let n = size(vm, n)?.unwrap_or(usize::MAX);
    let line = line_length(&f.0, &*open(vm, f.0)?);
    take(vm, f.0, line.min(n))
}

fn next(vm: &Vm, f: This) -> R<Value> {
    let bytes = open(vm, f.0)?;
    match line_length(&f.0, &bytes) {
        0 => Ok(vm.stop()),
        n => take(vm, f.0, n),
    }
}

fn readlines(vm: &Vm, f: This, hint: Option<Value>) -> R<Ref<List>> {
    let f = f.0;
    open(vm, f)?;
    let hint = size(vm, hint)?.filter(|&h| h > 0).unwrap_or(usize::MAX);
    let list = List::with_capacity(vm, 0)?;
    let mut total = 0;
    loop {
        let n = line_length(&f, &*open(vm, f)?);
        if n == 0 {
            return Ok(list);
        }
        list.push(vm, take(vm, f, n)?)?;
        total += n;
        if total >= hint {
            return Ok(list);
        }
    }
}

fn write(vm: &Vm, f: FileRef, data: Value) -> R<usize> {
    open(vm, f)?;
    let data = BytesLike::new(vm, data)?;
    let bytes = open(vm, f)?;
    bytes.check_resizable(vm)?;
    let at = f.at.get();
    let Some(end) = at.checked_add(data.len()) else {
        return Err(vm.overflow_error("new buffer size too large"));
    };
    if data.is_empty() {
        return Ok(0);
    }
    let old = bytes.bytes().len();
    if at > old {
        bytes.append(vm, &super::fileio::zeroes(vm, at - old)?)?;
    }
    let over = data.len().min(bytes.bytes().len() - at);
    if let Some(p) = bytes.as_mut_ptr() {
        // SAFETY: the array has `over` bytes there, and the data are another object's or a copy.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), p.add(at), over) };
    }
    if over < data.len() {
        bytes.append(vm, &data[over..])?;
    }
    f.at.set(end);
    Ok(data.len())
}

fn seek(vm: &Vm, f: This, at: Value, whence: Option<i32>) -> R<i64> {
    let f = f.0;
    let bytes = open(vm, f)?;
    let at = vm.index_i64(at)?;
    let base = match whence.unwrap_or(0) {
        0 if at < 0 => return Err(vm.value_error(format!("negative seek value {at}"))),
        0 => 0,
        1 => f.at.get() as i64,
        2 => bytes.bytes().len() as i64,
        w => return Err(vm.value_error(format!("invalid whence ({w}, should be 0, 1 or 2)"))),
    };
    let Some(to) = base.checked_add(at) else {
        return Err(vm.overflow_error("new position too large"));
    };
    f.at.set(to.max(0) as usize);
    Ok(to.max(0))
}

fn truncate(vm: &Vm, f: This, n: Option<Value>) -> R<usize> {
    let f = f.0;
    let bytes = open(vm, f)?;
    bytes.check_resizable(vm)?;
    let n = match n.filter(|n| !n.is_none()) {
        None => f.at.get(),
        Some(v) => {
            let n = vm.index_i64(v)?;
            usize::try_from(n).map_err(|_| vm.value_error(format!("negative size value {n}")))?
        }
    };
    if n < bytes.bytes().len() {
        let kept = vm.copied(&bytes.bytes()[..n])?;
        bytes.replace(vm, &kept)?;
    }
    Ok(n)
}

fn close(vm: &Vm, f: This) -> R<()> {
    if let Some(b) = f.0.bytes.cast::<ByteArray>() {
        b.check_resizable(vm)?;
    }
    f.0.bytes.set(vm, f.0, None);
    Ok(())
}

/// Its bytes, its place and its attributes.
fn getstate(vm: &Vm, f: This) -> R<Value> {
    let bytes = open(vm, f.0)?;
    let attributes = match vm.find_attr(f.0.value(), vm.intern("__dict__")?)? {
        Some(d) if d.cast::<Dict>().is_some() => vm.call_method(d, "copy", &[])?,
        _ => Value::NONE,
    };
    vm.tuple(&[vm.bytes(bytes.bytes())?, vm.int(f.0.at.get() as i64)?, attributes])
}

fn setstate(vm: &Vm, f: This, state: Value) -> R<()> {
    open(vm, f.0)?;
    let name = super::fileio::type_name(vm, f.0.value());
    let t = state.cast::<Tuple>().filter(|t| t.len() >= 3);
    let Some(t) = t else {
        let got = vm.type_name(state);
        return Err(vm.type_error(format!("{name}.__setstate__ argument should be 3-tuple, got {got}")));
    };
    let [data, at, attributes] = [t.items()[0], t.items()[1], t.items()[2]];
    let data = BytesLike::new(vm, data)?;
    if !vm.is_int(at) {
        let got = vm.type_name(at);
        return Err(vm.type_error(format!("second item of state must be an integer, not {got}")));
    }
    let Ok(at) = usize::try_from(vm.index_i64(at)?) else {
        return Err(vm.value_error("position value cannot be negative"));
    };
    let bytes = buffer(vm, &data)?;
    f.0.bytes.set(vm, f.0, bytes.value());
    f.0.at.set(at);
    restore_attributes(vm, f.0.value(), attributes, "third")
}

/// Adds the attributes of a pickled file. TypeError.
pub fn restore_attributes(vm: &Vm, file: Value, attributes: Value, place: &str) -> R<()> {
    if attributes.is_none() {
        return Ok(());
    }
    if attributes.cast::<Dict>().is_none() {
        let got = vm.type_name(attributes);
        return Err(vm.type_error(format!("{place} item of state should be a dict, got a {got}")));
    }
    let own = vm.get_attr_str(file, "__dict__")?;
    vm.call_method(own, "update", &[attributes]).map(|_| ())
}
