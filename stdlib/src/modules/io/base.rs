//! The base classes: what a file written in Python inherits.

use super::super::support::{BytesLike, write_bytes};
use super::types::{FLAGS, base, size, unsupported};
use skein_runtime::object::Kind;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::list::List;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};

/// Bytes that are read at once where nothing else is said.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

native_type! {
    pub IO_BASE: "_io._IOBase", Kind::Instance, FLAGS;
    methods {
        "seek($self, offset, whence=0, /)" => |vm: &Vm, _: Value, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "seek")) }, "Change the stream position to the given byte offset.";
        "tell($self, /)" => |vm: &Vm, v: Value| vm.call_method(v, "seek", &[Value::small_int(0), Value::small_int(1)]), "Return current stream position.";
        "truncate($self, size=None, /)" => |vm: &Vm, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "truncate")) }, "Truncate file to size bytes.";
        "fileno($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(unsupported(vm, "fileno")) }, "Return underlying file descriptor if one exists.";
        "close($self, /)" => close, "Flush and close the IO object.";
        "flush($self, /)" => flush, "Flush write buffers, if applicable.";
        "readable($self, /)" => |_: &Vm, _: Value| false, "Return whether object was opened for reading.";
        "writable($self, /)" => |_: &Vm, _: Value| false, "Return whether object was opened for writing.";
        "seekable($self, /)" => |_: &Vm, _: Value| false, "Return whether object supports random access.";
        "isatty($self, /)" => |vm: &Vm, v: Value| -> R<bool> { check_closed(vm, v, None)?; Ok(false) }, "Return whether this is an 'interactive' stream.";
        "_checkClosed($self, msg=None, /)" => check_closed;
        "_checkSeekable($self, *args)" => |vm: &Vm, a: Args<'_>| check(vm, a, "seekable", "File or stream is not seekable.");
        "_checkReadable($self, *args)" => |vm: &Vm, a: Args<'_>| check(vm, a, "readable", "File or stream is not readable.");
        "_checkWritable($self, *args)" => |vm: &Vm, a: Args<'_>| check(vm, a, "writable", "File or stream is not writable.");
        "readline($self, size=-1, /)" => readline, "Read and return a line from the stream.";
        "readlines($self, hint=-1, /)" => readlines, "Return a list of lines from the stream.";
        "writelines($self, lines, /)" => writelines, "Write a list of lines to stream.";
        "__enter__($self, /)" => |vm: &Vm, v: Value| -> R<Value> { check_closed(vm, v, None)?; Ok(v) };
        "__exit__($self, /, *args)" => exit;
        "__iter__($self, /)" => |vm: &Vm, v: Value| -> R<Value> { check_closed(vm, v, None)?; Ok(v) };
        "__next__($self, /)" => next;
        "__del__($self, /)" => end;
    }
    getset { "closed" => |vm: &Vm, v: Value| Ok(Value::bool(was_closed(vm, v)?)); }
}

native_type! {
    pub RAW_BASE: "_io._RawIOBase", Kind::Instance, FLAGS, base |vm| base(vm, &IO_BASE);
    methods {
        "read($self, size=-1, /)" => raw_read;
        "readall($self, /)" => raw_readall, "Read until EOF, using multiple read() call.";
        "readinto($self, buffer, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(unsupported(vm, "readinto")) };
        "write($self, b, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(unsupported(vm, "write")) };
    }
}

native_type! {
    pub BUFFERED_BASE: "_io._BufferedIOBase", Kind::Instance, FLAGS, base |vm| base(vm, &IO_BASE);
    methods {
        "detach($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(unsupported(vm, "detach")) }, "Disconnect this buffer from its underlying raw stream and return it.";
        "read($self, size=-1, /)" => |vm: &Vm, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "read")) }, "Read and return up to n bytes.";
        "read1($self, size=-1, /)" => |vm: &Vm, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "read1")) }, "Read and return up to size bytes.";
        "readinto($self, buffer, /)" => |vm: &Vm, v: Value, b: Value| read_into(vm, v, b, "read");
        "readinto1($self, buffer, /)" => |vm: &Vm, v: Value, b: Value| read_into(vm, v, b, "read1");
        "write($self, b, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(unsupported(vm, "write")) }, "Write buffer b to the IO stream.";
    }
}

native_type! {
    pub TEXT_BASE: "_io._TextIOBase", Kind::Instance, FLAGS, base |vm| base(vm, &IO_BASE);
    methods {
        "detach($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(unsupported(vm, "detach")) }, "Separate the underlying buffer from the TextIOBase and return it.";
        "read($self, size=-1, /)" => |vm: &Vm, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "read")) }, "Read at most size characters from stream.";
        "readline($self, size=-1, /)" => |vm: &Vm, _: Value, _: Option<Value>| -> R<()> { Err(unsupported(vm, "readline")) }, "Read until newline or EOF.";
        "write($self, s, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(unsupported(vm, "write")) }, "Write string s to stream.";
    }
    getset {
        "encoding" => |_: &Vm, _: Value| Ok(Value::NONE);
        "newlines" => |_: &Vm, _: Value| Ok(Value::NONE);
        "errors" => |_: &Vm, _: Value| Ok(Value::NONE);
    }
}

/// Set in an instance when it is closed.
const CLOSED: &str = "__IOBase_closed";

fn was_closed(vm: &Vm, v: Value) -> R<bool> {
    Ok(vm.find_attr(v, vm.intern(CLOSED)?)?.is_some())
}

/// What an object says of itself.
pub fn is_closed(vm: &Vm, v: Value) -> R<bool> {
    vm.truth(vm.get_attr_str(v, "closed")?)
}

fn check_closed(vm: &Vm, v: Value, _message: Option<Value>) -> R<()> {
    match is_closed(vm, v)? {
        true => Err(vm.value_error("I/O operation on closed file.")),
        false => Ok(()),
    }
}

fn check(vm: &Vm, args: Args<'_>, method: &str, text: &str) -> R<Value> {
    match args.positional().first() {
        Some(&v) => require(vm, v, method, text),
        None => Err(vm.type_error("the method needs an argument")),
    }
}

/// UnsupportedOperation unless a method of the file says True.
pub fn require(vm: &Vm, v: Value, method: &str, text: &str) -> R<Value> {
    match vm.call_method(v, method, &[])? {
        Value::TRUE => Ok(Value::TRUE),
        _ => Err(unsupported(vm, text)),
    }
}

pub fn require_readable(vm: &Vm, v: Value) -> R<Value> {
    require(vm, v, "readable", "File or stream is not readable.")
}

pub fn require_writable(vm: &Vm, v: Value) -> R<Value> {
    require(vm, v, "writable", "File or stream is not writable.")
}

pub fn require_seekable(vm: &Vm, v: Value) -> R<Value> {
    require(vm, v, "seekable", "File or stream is not seekable.")
}

fn flush(vm: &Vm, v: Value) -> R<()> {
    if is_closed(vm, v)? {
        return Err(vm.value_error("I/O operation on closed file."));
    }
    Ok(())
}

fn close(vm: &Vm, v: Value) -> R<()> {
    if was_closed(vm, v)? {
        return Ok(());
    }
    let flushed = vm.call_method(v, "flush", &[]);
    let pending = vm.pending.take();
    vm.set_attr(v, vm.intern(CLOSED)?, Value::TRUE)?;
    vm.pending.set(pending);
    flushed.map(|_| ())
}

fn exit(vm: &Vm, args: Args<'_>) -> R<()> {
    match args.positional().first() {
        Some(&v) => vm.call_method(v, "close", &[]).map(|_| ()),
        None => Err(vm.type_error("__exit__() needs a file object")),
    }
}

/// The end of a file that nothing leads to any more: it is closed, its layers too.
fn end(vm: &Vm, v: Value) -> R<()> {
    let closed = match is_closed(vm, v) {
        Ok(closed) => closed,
        // An object whose making failed cannot tell.
        Err(_) => {
            vm.pending.take();
            return Ok(());
        }
    };
    if closed {
        return Ok(());
    }
    if vm.set_attr(v, vm.intern("_finalizing")?, Value::TRUE).is_err() {
        vm.pending.take();
    }
    vm.call_method(v, "close", &[]).map(|_| ())
}

/// Keeps the first of two errors, the second one's context being the first.
pub fn chain<T>(vm: &Vm, first: R<T>, then: impl FnOnce() -> R<Value>) -> R<T> {
    let Err(e) = first else {
        then()?;
        return first;
    };
    let Some(original) = vm.pending.take() else { return Err(e) };
    match then() {
        Ok(_) => Err(vm.raise_again(original)),
        Err(e) => {
            if let Some(second) = vm.pending.get()
                && !second.is(original)
                && let Ok(name) = vm.intern("__context__")
            {
                let pending = vm.pending.take();
                if vm.set_attr(second, name, original).is_err() {
                    vm.pending.take();
                }
                vm.pending.set(pending);
            }
            Err(e)
        }
    }
}

fn next(vm: &Vm, v: Value) -> R<Value> {
    let line = vm.call_method(v, "readline", &[])?;
    Ok(if vm.len(line)? == 0 { vm.stop() } else { line })
}

fn readline(vm: &Vm, v: Value, limit: Option<Value>) -> R<Value> {
    let limit = size(vm, limit)?.unwrap_or(usize::MAX);
    let peek = vm.find_attr(v, vm.intern("peek")?)?;
    let mut out = Vec::new();
    while out.len() < limit {
        let mut want = 1;
        if let Some(peek) = peek {
            let ahead = vm.call(peek, &[Value::small_int(1)])?;
            let Some(ahead) = ahead.cast::<Bytes>() else {
                let got = vm.type_name(ahead);
                let text = format!("peek() should have returned a bytes object, not '{got}'");
                return Err(vm.raise_text(vm.exc.os_error, &text));
            };
            let b = ahead.bytes();
            if !b.is_empty() {
                want = b.iter().position(|&c| c == b'\n').map_or(b.len(), |i| i + 1).min(limit - out.len());
            }
        }
        let got = vm.call_method(v, "read", &[vm.int(want as i64)?])?;
        let Some(bytes) = got.cast::<Bytes>() else {
            let got = vm.type_name(got);
            let text = format!("read() should have returned a bytes object, not '{got}'");
            return Err(vm.raise_text(vm.exc.os_error, &text));
        };
        if bytes.bytes().is_empty() {
            break;
        }
        vm.put(&mut out, bytes.bytes())?;
        if out.ends_with(b"\n") {
            break;
        }
    }
    vm.bytes(&out)
}

/// `readlines` of any file, by its iteration.
pub fn readlines(vm: &Vm, v: Value, hint: Option<Value>) -> R<Ref<List>> {
    let hint = size(vm, hint)?.filter(|&h| h > 0);
    let Some(hint) = hint else { return vm.list_from(v) };
    let list = List::with_capacity(vm, 0)?;
    let mut total = 0;
    loop {
        let Some(line) = vm.absorb(vm.call_method(v, "__next__", &[]), vm.exc.stop_iteration)? else {
            return Ok(list);
        };
        list.push(vm, line)?;
        total += vm.len(line)?;
        if total > hint {
            return Ok(list);
        }
    }
}

/// `writelines` of any file.
pub fn writelines(vm: &Vm, v: Value, lines: Value) -> R<()> {
    check_closed(vm, v, None)?;
    vm.for_each(lines, |line| {
        vm.call_method(v, "write", &[line])?;
        vm.check_signals()
    })
}

// ---- raw and buffered files

fn raw_read(vm: &Vm, v: Value, n: Option<Value>) -> R<Value> {
    let Some(n) = size(vm, n)? else { return vm.call_method(v, "readall", &[]) };
    let room = ByteArray::new(vm, &[])?;
    room.resize(vm, n)?;
    let got = vm.call_method(v, "readinto", &[room.value()])?;
    if got.is_none() {
        return Ok(got);
    }
    let got = vm.index_i64(got)?;
    match usize::try_from(got).ok().and_then(|got| room.bytes().get(..got)) {
        Some(b) => vm.bytes(b),
        None => Err(vm.value_error(format!("readinto returned {got} outside buffer size {n}"))),
    }
}

fn raw_readall(vm: &Vm, v: Value) -> R<Value> {
    let mut out = Vec::new();
    loop {
        let piece = vm.call_method(v, "read", &[Value::small_int(DEFAULT_BUFFER_SIZE as i64)])?;
        if piece.is_none() {
            return if out.is_empty() { Ok(piece) } else { vm.bytes(&out) };
        }
        let Some(b) = piece.cast::<Bytes>() else {
            return Err(vm.type_error("read() should return bytes"));
        };
        if b.bytes().is_empty() {
            return vm.bytes(&out);
        }
        vm.put(&mut out, b.bytes())?;
    }
}

/// Fills a buffer by one call of a reading method.
pub fn read_into(vm: &Vm, v: Value, buffer: Value, method: &str) -> R<Value> {
    let mut n = 0;
    write_bytes(vm, buffer, |b| {
        n = b.len();
        Ok(())
    })?;
    let got = vm.call_method(v, method, &[vm.int(n as i64)?])?;
    let Some(bytes) = got.cast::<Bytes>() else {
        return Err(vm.type_error("read() should return bytes"));
    };
    let got = bytes.bytes().len();
    if got > n {
        let text = format!("read() returned too much data: {n} bytes requested, {got} returned");
        return Err(vm.value_error(text));
    }
    let data = BytesLike::Bytes(bytes);
    write_bytes(vm, buffer, |b| {
        let n = got.min(b.len());
        b[..n].copy_from_slice(&data[..n]);
        Ok(())
    })?;
    vm.int(got as i64)
}
