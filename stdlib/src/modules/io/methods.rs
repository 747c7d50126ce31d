//! The types `BufferedReader`, `BufferedWriter` and `BufferedRandom`.

use super::super::support::{BytesLike, write_bytes};
use super::base::{BUFFERED_BASE, DEFAULT_BUFFER_SIZE, require_readable, require_seekable, require_writable};
use super::buffered::{self, Buffered, BufferedRef, Status, check_open, raw};
use super::fileio::{cannot_pickle, type_name};
use super::types::{FLAGS, base, class_of, size, unsupported};
use skein_runtime::native::TypeDef;
use skein_runtime::object::{Field, Kind};
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

type This = ExtArg<Buffered>;

/// Declares one of the types: what all have, and its own.
macro_rules! buffered_type {
    ($def:ident $name:literal $doc:literal $readable:literal $writable:literal; $($own:tt)*) => {
        native_type! {
            pub $def: $name, Kind::Ext, FLAGS, base |vm| base(vm, &BUFFERED_BASE), $doc;
            methods {
                [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| make(vm, args, &$def, $readable, $writable);
                "__init__($self, raw, buffer_size=131072)" => init;
                $($own)*
                "close($self, /)" => close;
                "detach($self, /)" => detach, "Disconnect this buffer from its underlying raw stream and return it.";
                "seek($self, target, whence=0, /)" => seek;
                "tell($self, /)" => |vm: &Vm, b: This| -> R<i64> { raw(vm, &b.0)?; buffered::tell(vm, b.0) };
                "truncate($self, pos=None, /)" => truncate;
                "seekable($self, /)" => |vm: &Vm, b: This| ask(vm, b, "seekable");
                "readable($self, /)" => |vm: &Vm, b: This| if $readable { ask(vm, b, "readable") } else { Ok(Value::FALSE) };
                "writable($self, /)" => |vm: &Vm, b: This| if $writable { ask(vm, b, "writable") } else { Ok(Value::FALSE) };
                "fileno($self, /)" => |vm: &Vm, b: This| ask(vm, b, "fileno");
                "isatty($self, /)" => |vm: &Vm, b: This| ask(vm, b, "isatty");
                "_dealloc_warn($self, source, /)" => dealloc_warn;
                "__sizeof__($self, /)" => memory_size;
                "__repr__($self, /)" => repr;
                "__getstate__($self, /)" => |vm: &Vm, v: Value| -> R<()> { Err(cannot_pickle(vm, v)) };
            }
            getset {
                "closed" => |vm: &Vm, v: Value| Ok(Value::bool(buffered::is_closed(vm, &*this(vm, v)?)?));
                "name" => |vm: &Vm, v: Value| vm.get_attr_str(raw(vm, &*this(vm, v)?)?, "name");
                "mode" => |vm: &Vm, v: Value| vm.get_attr_str(raw(vm, &*this(vm, v)?)?, "mode");
                "raw" => |vm: &Vm, v: Value| this(vm, v)?.raw.get().ok_or_else(|| super::fileio::no_attribute(vm, v, "raw"));
                "_finalizing" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.finalizing.get())), |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.finalizing.set(n.map_or(Ok(false), |n| vm.truth(n))?); Ok(()) };
            }
        }
    };
}

buffered_type! { READER "_io.BufferedReader" "Create a new buffered reader using the given readable raw IO object." true false;
    "read($self, size=-1, /)" => read; "read1($self, size=-1, /)" => read1; "peek($self, size=0, /)" => peek;
    "readinto($self, buffer, /)" => |vm: &Vm, b: This, to: Value| readinto(vm, b, to, false);
    "readinto1($self, buffer, /)" => |vm: &Vm, b: This, to: Value| readinto(vm, b, to, true);
    "readline($self, size=-1, /)" => readline; "__next__($self, /)" => next;
    "flush($self, /)" => |vm: &Vm, b: This| ask(vm, b, "flush");
}
buffered_type! { WRITER "_io.BufferedWriter" "A buffer for a writeable sequential RawIO object." false true;
    "write($self, buffer, /)" => write;
    "flush($self, /)" => flush;
}
buffered_type! { RANDOM "_io.BufferedRandom" "A buffered interface to random access streams." true true;
    "read($self, size=-1, /)" => read; "read1($self, size=-1, /)" => read1; "peek($self, size=0, /)" => peek;
    "readinto($self, buffer, /)" => |vm: &Vm, b: This, to: Value| readinto(vm, b, to, false);
    "readinto1($self, buffer, /)" => |vm: &Vm, b: This, to: Value| readinto(vm, b, to, true);
    "readline($self, size=-1, /)" => readline; "__next__($self, /)" => next;
    "write($self, buffer, /)" => write;
    "flush($self, /)" => flush;
}

/// A buffer whose methods are known: None for subclasses, which may have others.
pub fn exact(vm: &Vm, v: Value) -> Option<BufferedRef> {
    let b = v.cast::<Ext<Buffered>>()?;
    vm.type_of(v).def()?;
    Some(b)
}

/// With the buffer, which is given back when the file is closed.
fn memory_size(vm: &Vm, b: This) -> R<usize> {
    let open = b.0.raw.get().is_some() && !buffered::is_closed(vm, &b.0)?;
    Ok(size_of::<Buffered>() + if open { buffered::buffer_size(&b.0) } else { 0 })
}

fn this(vm: &Vm, v: Value) -> R<BufferedRef> {
    v.cast().ok_or_else(|| vm.type_error("not a buffered file"))
}

fn new(
    vm: &Vm,
    ty: skein_runtime::Ref<skein_runtime::types::typeobj::Type>,
    readable: bool,
    writable: bool,
) -> R<BufferedRef> {
    let b = Buffered {
        buffer: Default::default(),
        raw: Field::new(None),
        status: Cell::new(Status::New),
        readable,
        writable,
        finalizing: Cell::new(false),
        owned: Cell::new(false),
    };
    let b = Ext::new(vm, ty, b)?;
    vm.finalize_later(b.header());
    Ok(b)
}

fn make(vm: &Vm, args: Args<'_>, def: &'static TypeDef, readable: bool, writable: bool) -> R<BufferedRef> {
    new(vm, class_of(vm, &args, def)?, readable, writable)
}

/// A buffer over a raw file that `open` made.
pub fn over(vm: &Vm, raw: Value, readable: bool, writable: bool, size: i64) -> R<BufferedRef> {
    let def = match (readable, writable) {
        (true, true) => &RANDOM,
        (true, false) => &READER,
        _ => &WRITER,
    };
    let b = new(vm, super::types::ty(vm, def)?, readable, writable)?;
    start(vm, b, raw, size)?;
    Ok(b)
}

fn init(vm: &Vm, b: This, raw: Value, size: Option<i64>) -> R<()> {
    start(vm, b.0, raw, size.unwrap_or(DEFAULT_BUFFER_SIZE as i64))
}

fn start(vm: &Vm, b: BufferedRef, raw: Value, size: i64) -> R<()> {
    b.status.set(Status::New);
    if b.readable && b.writable {
        require_seekable(vm, raw)?;
    }
    if b.readable {
        require_readable(vm, raw)?;
    }
    if b.writable {
        require_writable(vm, raw)?;
    }
    buffered::attach(vm, b, raw, size)
}

fn ask(vm: &Vm, b: This, method: &str) -> R<Value> {
    vm.call_method(raw(vm, &b.0)?, method, &[])
}

fn read(vm: &Vm, b: This, n: Option<Value>) -> R<Value> {
    let b = b.0;
    raw(vm, &b)?;
    if let Some(v) = n.filter(|v| !v.is_none())
        && vm.is_int(v)
        && vm.index_i64(v)? < -1
    {
        return Err(vm.value_error("read length must be non-negative or -1"));
    }
    let n = size(vm, n)?;
    check_open(vm, &b, "read of")?;
    let got = match n {
        None => buffered::read_all(vm, b)?,
        Some(n) => buffered::read_some(vm, b, n)?,
    };
    got.map_or(Ok(Value::NONE), |b| vm.bytes(&b))
}

fn read1(vm: &Vm, b: This, n: Option<i64>) -> R<Value> {
    let b = b.0;
    check_open(vm, &b, "read of")?;
    let n = usize::try_from(n.unwrap_or(-1)).unwrap_or(b.buffer.size());
    vm.bytes(&buffered::read_one(vm, b, n)?)
}

fn peek(vm: &Vm, b: This, _n: Option<Value>) -> R<Value> {
    check_open(vm, &b.0, "peek of")?;
    buffered::peek(vm, b.0)
}

fn readinto(vm: &Vm, b: This, target: Value, once: bool) -> R<Value> {
    let b = b.0;
    check_open(vm, &b, "readinto of")?;
    let mut room = 0;
    let known = write_bytes(vm, target, |t| {
        room = t.len();
        Ok(())
    });
    if vm.absorb(known, vm.exc.type_error)?.is_none() {
        let (name, got) = (if once { "readinto1" } else { "readinto" }, vm.type_name(target));
        let text = format!("{name}() argument must be read-write bytes-like object, not {got}");
        return Err(vm.type_error(text));
    }
    let got = match once {
        true => buffered::read_into_once(vm, b, room)?,
        false => buffered::read_some(vm, b, room)?,
    };
    let Some(got) = got else { return Ok(Value::NONE) };
    write_bytes(vm, target, |t| {
        let n = got.len().min(t.len());
        t[..n].copy_from_slice(&got[..n]);
        Ok(())
    })?;
    vm.int(got.len() as i64)
}

fn readline(vm: &Vm, b: This, n: Option<Value>) -> R<Value> {
    let b = b.0;
    raw(vm, &b)?;
    let n = size(vm, n)?;
    check_open(vm, &b, "readline of")?;
    vm.bytes(&buffered::read_line(vm, b, n)?)
}

fn next(vm: &Vm, b: This) -> R<Value> {
    let b = b.0;
    if exact(vm, b.value()).is_some() {
        check_open(vm, &b, "readline of")?;
        let line = buffered::read_line(vm, b, None)?;
        return if line.is_empty() { Ok(vm.stop()) } else { vm.bytes(&line) };
    }
    let line = vm.call_method(b.value(), "readline", &[])?;
    let Some(bytes) = line.cast::<skein_runtime::types::bytes::Bytes>() else {
        let got = vm.type_name(line);
        let text = format!("readline() should have returned a bytes object, not '{got}'");
        return Err(vm.raise_text(vm.exc.os_error, &text));
    };
    Ok(if bytes.bytes().is_empty() { vm.stop() } else { line })
}

fn write(vm: &Vm, b: This, data: Value) -> R<usize> {
    raw(vm, &b.0)?;
    let data = BytesLike::new(vm, data)?;
    check_open(vm, &b.0, "write to")?;
    buffered::write(vm, b.0, &data)
}

fn flush(vm: &Vm, b: This) -> R<()> {
    check_open(vm, &b.0, "flush of")?;
    buffered::flush(vm, b.0)
}

fn close(vm: &Vm, b: This) -> R<Value> {
    let b = b.0;
    let raw = raw(vm, &b)?;
    if buffered::is_closed(vm, &b)? {
        return Ok(Value::NONE);
    }
    if b.finalizing.get() {
        warn(vm, raw, b.value());
    }
    let flushed = vm.call_method(b.value(), "flush", &[]);
    let closed = super::base::chain(vm, flushed, || vm.call_method(raw, "close", &[]));
    buffered::discard(b);
    closed
}

/// Lets the raw file warn that it was left open.
pub fn warn(vm: &Vm, raw: Value, source: Value) {
    let pending = vm.pending.take();
    if vm.call_method(raw, "_dealloc_warn", &[source]).is_err() {
        vm.pending.take();
    }
    vm.pending.set(pending);
}

fn dealloc_warn(vm: &Vm, b: This, source: Value) {
    if let Some(raw) = b.0.raw.get() {
        warn(vm, raw, source);
    }
}

fn detach(vm: &Vm, b: This) -> R<Value> {
    raw(vm, &b.0)?;
    vm.call_method(b.0.value(), "flush", &[])?;
    buffered::detach(vm, b.0)
}

fn seek(vm: &Vm, b: This, target: Value, whence: Option<i32>) -> R<i64> {
    let whence = whence.unwrap_or(0);
    if !matches!(whence, 0..=2 | libc::SEEK_DATA | libc::SEEK_HOLE) {
        return Err(vm.value_error(format!("whence value {whence} unsupported")));
    }
    let raw = raw(vm, &b.0)?;
    check_open(vm, &b.0, "seek of")?;
    require_seekable(vm, raw)?;
    buffered::seek(vm, b.0, vm.index_i64(target)?, whence)
}

fn truncate(vm: &Vm, b: This, n: Option<Value>) -> R<Value> {
    raw(vm, &b.0)?;
    check_open(vm, &b.0, "truncate of")?;
    if !b.0.writable {
        return Err(unsupported(vm, "truncate"));
    }
    buffered::truncate(vm, b.0, n.unwrap_or(Value::NONE))
}

fn repr(vm: &Vm, b: This) -> R<String> {
    let v = b.0.value();
    let ty = type_name(vm, v);
    let name = match b.0.raw.get() {
        Some(raw) => match vm.get_attr_str(raw, "name") {
            Ok(name) => Some(name),
            Err(e) if vm.pending_is(vm.exc.value_error) || vm.pending_is(vm.exc.attribute_error) => {
                let _ = e;
                vm.pending.take();
                None
            }
            Err(e) => return Err(e),
        },
        None => None,
    };
    let Some(name) = name else { return Ok(format!("<{ty}>")) };
    match vm.repr_guard(v, || vm.repr_string(name))? {
        Some(shown) => Ok(format!("<{ty} name={shown}>")),
        None => Err(vm.runtime_error(format!("reentrant call inside {ty}.__repr__"))),
    }
}
