//! `TextIOWrapper`: text over a buffer. Reading is in `text_read.rs`, places are in `text_position.rs`.

use super::base::TEXT_BASE;
use super::buffered::{self, BufferedRef};
use super::codec;
use super::fileio::{cannot_pickle, no_attribute, type_name};
use super::newlines::{Newline, Newlines};
use super::types::{FLAGS, base, class_of, unsupported};
use super::{methods, text_position, text_read};
use skein_builtins::types::codecs::Codec;
use skein_builtins::types::registry;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

/// Bytes that are asked of the buffer at once.
const CHUNK: usize = 8192;
/// What files are in where nothing is said.
const LOCALE_ENCODING: &str = "UTF-8";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    New,
    Ready,
    Detached,
}

/// What is not a reference.
pub struct State {
    pub encoding: String,
    pub errors: String,
    /// An encoding that is done in place; else `decoder` and `encoder` are objects.
    pub codec: Option<Codec>,
    pub decodes: bool,
    pub encodes: bool,
    pub newline: Newline,
    pub newlines: Newlines,
    /// Bytes of a character that is not whole, of an encoding that is done in place.
    pub undecoded: Vec<u8>,
    /// Text that was decoded, if anything was read, and how much of it was taken.
    pub decoded: Option<Vec<u8>>,
    pub used: usize,
    /// The decoder's state before the last piece, and that piece.
    pub snapshot: Option<(i64, Vec<u8>)>,
    /// Encoded text that waits to be given to the buffer.
    pending: Vec<u8>,
    pub chunk: usize,
    /// Bytes per character in the last piece.
    pub ratio: f64,
}

pub struct TextIo {
    pub buffer: Field,
    pub decoder: Field,
    pub encoder: Field,
    pub state: RefCell<State>,
    pub status: Cell<Status>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    pub seekable: Cell<bool>,
    pub telling: Cell<bool>,
    pub has_read1: Cell<bool>,
    finalizing: Cell<bool>,
}

impl Payload for TextIo {
    const NAME: &'static str = "_io.TextIOWrapper";
    fn needs_finalizer(&self) -> bool {
        self.status.get() == Status::Ready
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        let TextIo {
            buffer,
            decoder,
            encoder,
            state: _,
            status: _,
            line_buffering: _,
            write_through: _,
            seekable: _,
            telling: _,
            has_read1: _,
            finalizing: _,
        } = self;
        buffer.trace(t);
        decoder.trace(t);
        encoder.trace(t);
    }
}

pub type TextRef = Ref<Ext<TextIo>>;
type This = ExtArg<TextIo>;

native_type! {
    pub TEXT_IO: "_io.TextIOWrapper", Kind::Ext, FLAGS, base |vm| base(vm, &TEXT_BASE), "Character and line based layer over a BufferedIOBase object, buffer.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<TextRef> { new(vm, class_of(vm, &args, &TEXT_IO)?) };
        "__init__($self, buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)" => init;
        "reconfigure($self, /, *, encoding=None, errors=None, newline=<unrepresentable>, line_buffering=None, write_through=None)" => reconfigure, "Reconfigure the text stream with new parameters.";
        "detach($self, /)" => detach;
        "write($self, text, /)" => write;
        "read($self, size=-1, /)" => text_read::read;
        "readline($self, size=-1, /)" => text_read::readline;
        "__next__($self, /)" => text_read::next;
        "flush($self, /)" => flush;
        "close($self, /)" => close;
        "fileno($self, /)" => |vm: &Vm, t: This| ask(vm, t, "fileno");
        "seekable($self, /)" => |vm: &Vm, t: This| ask(vm, t, "seekable");
        "readable($self, /)" => |vm: &Vm, t: This| ask(vm, t, "readable");
        "writable($self, /)" => |vm: &Vm, t: This| ask(vm, t, "writable");
        "isatty($self, /)" => |vm: &Vm, t: This| ask(vm, t, "isatty");
        "seek($self, cookie, whence=0, /)" => text_position::seek, "Set the stream position, and return the new stream position.";
        "tell($self, /)" => text_position::tell, "Return the stream position as an opaque number.";
        "truncate($self, pos=None, /)" => |vm: &Vm, t: This, n: Option<Value>| -> R<Value> { flush_text(vm, t.0)?; vm.call_method(buffer(vm, &t.0)?, "truncate", &[n.unwrap_or(Value::NONE)]) };
        "__repr__($self, /)" => repr;
        "__getstate__($self, /)" => |vm: &Vm, v: Value| -> R<()> { Err(cannot_pickle(vm, v)) };
    }
    getset {
        "buffer" => |vm: &Vm, v: Value| { let t = this(vm, v)?; t.buffer.get().ok_or_else(|| no_attribute(vm, v, "buffer")) };
        "encoding" => |vm: &Vm, v: Value| { let t = made(vm, this(vm, v)?)?; let e = t.state.borrow().encoding.clone(); vm.str(&e) };
        "errors" => |vm: &Vm, v: Value| { let t = made(vm, this(vm, v)?)?; let e = t.state.borrow().errors.clone(); vm.str(&e) };
        "newlines" => |vm: &Vm, v: Value| {
            let t = ready(vm, this(vm, v)?)?;
            let (n, universal) = { let s = t.state.borrow(); (s.newlines, s.newline.is_universal()) };
            if universal { n.seen(vm) } else { Ok(Value::NONE) }
        };
        "line_buffering" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.line_buffering.get()));
        "write_through" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.write_through.get()));
        "name" => |vm: &Vm, v: Value| vm.get_attr_str(buffer(vm, &this(vm, v)?)?, "name");
        "closed" => |vm: &Vm, v: Value| Ok(Value::bool(is_closed(vm, this(vm, v)?)?));
        "_CHUNK_SIZE" => |vm: &Vm, v: Value| { let n = ready(vm, this(vm, v)?)?.state.borrow().chunk; vm.int(n as i64) }, set_chunk;
        "_finalizing" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.finalizing.get())), |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.finalizing.set(n.map_or(Ok(false), |n| vm.truth(n))?); Ok(()) };
    }
}

fn this(vm: &Vm, v: Value) -> R<TextRef> {
    v.cast().ok_or_else(|| vm.type_error("not a TextIOWrapper"))
}

/// ValueError unless it is over a buffer.
pub fn ready(vm: &Vm, t: TextRef) -> R<TextRef> {
    match t.status.get() {
        Status::Ready => Ok(t),
        Status::New => Err(vm.value_error("I/O operation on uninitialized object")),
        Status::Detached => Err(vm.value_error("underlying buffer has been detached")),
    }
}

/// ValueError unless it was made; it may have been detached.
fn made(vm: &Vm, t: TextRef) -> R<TextRef> {
    if t.status.get() == Status::Detached { Ok(t) } else { ready(vm, t) }
}

/// The buffer below. ValueError.
pub fn buffer(vm: &Vm, t: &Ref<Ext<TextIo>>) -> R<Value> {
    Ok(ready(vm, *t)?.buffer.value())
}

/// The buffer below, if it is a native one whose methods are known.
pub fn native_buffer(vm: &Vm, t: &TextIo) -> Option<BufferedRef> {
    methods::exact(vm, t.buffer.get()?)
}

fn is_closed(vm: &Vm, t: TextRef) -> R<bool> {
    ready(vm, t)?;
    match native_buffer(vm, &t) {
        Some(b) => buffered::is_closed(vm, &b),
        None => super::base::is_closed(vm, t.buffer.value()),
    }
}

/// ValueError if it is closed.
pub fn check_open(vm: &Vm, t: TextRef) -> R<()> {
    match is_closed(vm, t)? {
        true => Err(vm.value_error("I/O operation on closed file.")),
        false => Ok(()),
    }
}

fn ask(vm: &Vm, t: This, method: &str) -> R<Value> {
    vm.call_method(buffer(vm, &t.0)?, method, &[])
}

fn new(vm: &Vm, ty: Ref<Type>) -> R<TextRef> {
    let state = State {
        encoding: String::new(),
        errors: String::new(),
        codec: None,
        decodes: false,
        encodes: false,
        newline: Newline::Universal,
        newlines: Newlines::default(),
        undecoded: Vec::new(),
        decoded: None,
        used: 0,
        snapshot: None,
        pending: Vec::new(),
        chunk: CHUNK,
        ratio: 0.0,
    };
    let t = TextIo {
        buffer: Field::new(None),
        decoder: Field::new(None),
        encoder: Field::new(None),
        state: RefCell::new(state),
        status: Cell::new(Status::New),
        line_buffering: Cell::new(false),
        write_through: Cell::new(false),
        seekable: Cell::new(false),
        telling: Cell::new(false),
        has_read1: Cell::new(false),
        finalizing: Cell::new(false),
    };
    let t = Ext::new(vm, ty, t)?;
    vm.finalize_later(t.header());
    Ok(t)
}

/// How text is made of bytes.
pub struct Options {
    pub encoding: Option<String>,
    pub errors: Option<String>,
    pub newline: Newline,
    pub line_buffering: bool,
    pub write_through: bool,
}

/// Text over a buffer that `open` made. LookupError.
pub fn over(vm: &Vm, buffer: Value, o: &Options) -> R<TextRef> {
    let t = new(vm, super::types::ty(vm, &TEXT_IO)?)?;
    start(vm, t, buffer, o)?;
    Ok(t)
}

/// A text argument that may be None. TypeError.
pub fn optional_text(vm: &Vm, v: Option<Value>, function: &str, name: &str) -> R<Option<String>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    let Some(s) = v.cast::<Str>() else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("{function}() argument '{name}' must be str or None, not {got}")));
    };
    if s.bytes().contains(&0) {
        return Err(vm.value_error("embedded null character"));
    }
    match s.to_str() {
        Some(s) => Ok(Some(s.to_string())),
        // Surrogates: the error that UTF-8 has for them.
        None => skein_builtins::types::codecs::utf8(vm, s).map(|b| String::from_utf8(b).ok()),
    }
}

#[allow(clippy::too_many_arguments)] // As Python passes them.
fn init(
    vm: &Vm,
    t: This,
    buffer: Value,
    encoding: Option<Value>,
    errors: Option<Value>,
    newline: Option<Value>,
    line_buffering: Option<bool>,
    write_through: Option<bool>,
) -> R<()> {
    t.0.status.set(Status::New);
    let o = Options {
        encoding: optional_text(vm, encoding, "TextIOWrapper", "encoding")?,
        errors: optional_text(vm, errors, "TextIOWrapper", "errors")?,
        newline: Newline::parse(vm, newline, "TextIOWrapper() argument 'newline'")?,
        line_buffering: line_buffering.unwrap_or(false),
        write_through: write_through.unwrap_or(false),
    };
    start(vm, t.0, buffer, &o)
}

/// The codec of a text encoding. LookupError.
fn look_up(vm: &Vm, encoding: &str) -> R<Value> {
    let info = registry::lookup(vm, encoding)?.value();
    let is_text = match vm.find_attr(info, vm.intern("_is_text_encoding")?)? {
        Some(v) => vm.truth(v)?,
        None => true,
    };
    if is_text {
        return Ok(info);
    }
    Err(vm.lookup_error(format!(
        "'{encoding}' is not a text encoding; use codecs.open() to handle arbitrary codecs"
    )))
}

/// Sets up decoder and encoder.
fn set_codec(vm: &Vm, t: TextRef, encoding: String, errors: String) -> R<()> {
    let known = codec::known(&encoding);
    let (readable, writable) = {
        let b = t.buffer.value();
        (vm.truth(vm.call_method(b, "readable", &[])?)?, vm.truth(vm.call_method(b, "writable", &[])?)?)
    };
    let (mut decoder, mut encoder) = (None, None);
    if known.is_none() {
        let info = look_up(vm, &encoding)?;
        let handler = vm.str(&errors)?;
        if readable {
            decoder = Some(vm.call(vm.get_attr_str(info, "incrementaldecoder")?, &[handler])?);
        }
        if writable {
            encoder = Some(vm.call(vm.get_attr_str(info, "incrementalencoder")?, &[handler])?);
        }
    }
    t.decoder.set(vm, t, decoder);
    t.encoder.set(vm, t, encoder);
    let mut s = t.state.borrow_mut();
    s.codec = known;
    s.decodes = readable;
    s.encodes = writable;
    s.encoding = encoding;
    s.errors = errors;
    s.undecoded.clear();
    Ok(())
}

fn start(vm: &Vm, t: TextRef, buffer: Value, o: &Options) -> R<()> {
    let encoding = match o.encoding.as_deref() {
        None if vm.config.utf8_mode => "utf-8".to_owned(),
        None | Some("locale") => LOCALE_ENCODING.to_owned(),
        Some(e) => e.to_string(),
    };
    t.buffer.set(vm, t, buffer);
    {
        let mut s = t.state.borrow_mut();
        s.newline = o.newline.clone();
        s.newlines = Newlines::new(o.newline == Newline::Universal);
        s.pending.clear();
        (s.decoded, s.used, s.snapshot, s.ratio, s.chunk) = (None, 0, None, 0.0, CHUNK);
    }
    set_codec(vm, t, encoding, o.errors.clone().unwrap_or_else(|| "strict".into()))?;
    t.line_buffering.set(o.line_buffering);
    t.write_through.set(o.write_through);
    let seekable = vm.truth(vm.call_method(buffer, "seekable", &[])?)?;
    t.seekable.set(seekable);
    t.telling.set(seekable);
    t.has_read1.set(vm.find_attr(buffer, vm.intern("read1")?)?.is_some());
    if let Some(b) = methods::exact(vm, buffer) {
        b.owned.set(true);
    }
    t.status.set(Status::Ready);
    begin_encoding(vm, t)
}

/// In the middle of a file no mark of the byte order is written.
fn begin_encoding(vm: &Vm, t: TextRef) -> R<()> {
    let Some(encoder) = t.encoder.get().filter(|_| t.seekable.get()) else { return Ok(()) };
    let at = vm.call_method(t.buffer.value(), "tell", &[])?;
    if vm.index_i64(at)? != 0 {
        vm.call_method(encoder, "setstate", &[Value::small_int(0)])?;
    }
    Ok(())
}

// ---- writing

/// The bytes of a text.
fn encode(vm: &Vm, t: TextRef, text: Ref<Str>) -> R<Vec<u8>> {
    let known = t.state.borrow().codec;
    match known {
        Some(_) if text.is_ascii() => vm.copied(text.bytes()),
        Some(codec) => {
            let errors = t.state.borrow().errors.clone();
            codec::encode_known(vm, text, codec, &errors)
        }
        None => {
            let encoder = t.encoder.get().ok_or_else(|| unsupported(vm, "not writable"))?;
            let b = vm.call_method(encoder, "encode", &[text.value()])?;
            match b.cast::<Bytes>() {
                Some(b) => vm.copied(b.bytes()),
                None => {
                    let got = vm.type_name(b);
                    Err(vm.type_error(format!("encoder should return a bytes object, not '{got}'")))
                }
            }
        }
    }
}

fn write(vm: &Vm, t: This, v: Value) -> R<usize> {
    let t = ready(vm, t.0)?;
    let Some(text) = v.cast::<Str>() else {
        return Err(vm.type_error(format!("write() argument must be str, not {}", vm.type_name(v))));
    };
    check_open(vm, t)?;
    if !t.state.borrow().encodes {
        return Err(unsupported(vm, "not writable"));
    }
    let has_lf = memchr::memchr(b'\n', text.bytes()).is_some();
    let end = t.state.borrow().newline.written();
    let changed = match end.filter(|_| has_lf) {
        Some(end) => Str::new(vm, &super::newlines::with_ends(vm, text.bytes(), end.as_bytes())?)?,
        None => text,
    };
    let flush = t.line_buffering.get() && (has_lf || memchr::memchr(b'\r', text.bytes()).is_some());
    let bytes = encode(vm, t, changed)?;
    text_read::forget(vm, t)?;
    match native_buffer(vm, &t) {
        Some(b) => {
            let through = t.write_through.get();
            give(vm, t)?;
            buffered::write(vm, b, &bytes)?;
            if flush || through {
                buffered::flush(vm, b)?;
            }
        }
        None => {
            let (chunk, waiting) = {
                let s = t.state.borrow();
                (s.chunk, s.pending.len())
            };
            if waiting > 0 && waiting + bytes.len() > chunk {
                give(vm, t)?;
            }
            vm.put(&mut t.state.borrow_mut().pending, &bytes)?;
            if flush || t.write_through.get() || t.state.borrow().pending.len() >= chunk {
                give(vm, t)?;
            }
            if flush {
                vm.call_method(t.buffer.value(), "flush", &[])?;
            }
        }
    }
    Ok(text.char_len())
}

/// Gives the buffer what waits. What it does not take is lost, as in CPython: it would fail again at each flush.
pub fn give(vm: &Vm, t: TextRef) -> R<()> {
    let pending = std::mem::take(&mut t.state.borrow_mut().pending);
    if pending.is_empty() {
        return Ok(());
    }
    let b = vm.bytes(&pending)?;
    vm.call_method(t.buffer.value(), "write", &[b]).map(|_| ())
}

pub fn flush_text(vm: &Vm, t: TextRef) -> R<()> {
    check_open(vm, t)?;
    t.telling.set(t.seekable.get());
    give(vm, t)?;
    vm.call_method(t.buffer.value(), "flush", &[]).map(|_| ())
}

fn flush(vm: &Vm, t: This) -> R<()> {
    flush_text(vm, t.0)
}

fn close(vm: &Vm, t: This) -> R<Value> {
    let t = t.0;
    let buffer = buffer(vm, &t)?;
    if is_closed(vm, t)? {
        return Ok(Value::NONE);
    }
    if t.finalizing.get() {
        methods::warn(vm, buffer, t.value());
    }
    let flushed = vm.call_method(t.value(), "flush", &[]);
    super::base::chain(vm, flushed, || vm.call_method(buffer, "close", &[]))
}

fn detach(vm: &Vm, t: This) -> R<Value> {
    let t = t.0;
    let below = buffer(vm, &t)?;
    vm.call_method(t.value(), "flush", &[])?;
    if let Some(b) = native_buffer(vm, &t) {
        b.owned.set(false);
    }
    t.buffer.set(vm, t, None);
    t.status.set(Status::Detached);
    Ok(below)
}

fn set_chunk(vm: &Vm, v: Value, n: Option<Value>) -> R<()> {
    let t = ready(vm, this(vm, v)?)?;
    let Some(n) = n else { return Err(vm.attribute_error("attribute cannot be deleted")) };
    match vm.as_i64(vm.index(n)?).map(usize::try_from) {
        Some(Ok(n)) if n > 0 => {
            t.state.borrow_mut().chunk = n;
            Ok(())
        }
        None => Err(vm.value_error("cannot fit 'int' into an index-sized integer")),
        _ => Err(vm.value_error("a strictly positive integer is required")),
    }
}

fn reconfigure(
    vm: &Vm,
    t: This,
    encoding: Option<Value>,
    errors: Option<Value>,
    newline: Option<Value>,
    line_buffering: Option<Value>,
    write_through: Option<Value>,
) -> R<()> {
    let t = ready(vm, t.0)?;
    let encoding = optional_text(vm, encoding, "reconfigure", "encoding")?;
    let errors = optional_text(vm, errors, "reconfigure", "errors")?;
    if t.state.borrow().decoded.is_some() && (encoding.is_some() || errors.is_some() || newline.is_some()) {
        let text = "It is not possible to set the encoding or newline of stream after the first read";
        return Err(unsupported(vm, text));
    }
    let newline = match newline {
        Some(v) => Some(Newline::parse(vm, Some(v), "reconfigure() argument 'newline'")?),
        None => None,
    };
    let flag = |v: Option<Value>, now: bool| match v.filter(|v| !v.is_none()) {
        Some(v) => Ok(vm.index_i64(v)? != 0),
        None => Ok(now),
    };
    let lines = flag(line_buffering, t.line_buffering.get())?;
    let through = flag(write_through, t.write_through.get())?;
    vm.call_method(t.value(), "flush", &[])?;
    if let Some(newline) = newline {
        let mut s = t.state.borrow_mut();
        s.newlines = Newlines::new(newline == Newline::Universal);
        s.newline = newline;
    }
    if encoding.is_some() || errors.is_some() {
        let (old_encoding, old_errors) = {
            let s = t.state.borrow();
            (s.encoding.clone(), s.errors.clone())
        };
        // Another encoding begins with strict errors, if nothing else is said.
        let errors = errors.unwrap_or(if encoding.is_some() { "strict".into() } else { old_errors });
        let encoding = match encoding {
            Some(e) if e == "locale" => LOCALE_ENCODING.into(),
            Some(e) => e,
            None => old_encoding,
        };
        set_codec(vm, t, encoding, errors)?;
        begin_encoding(vm, t)?;
    }
    t.line_buffering.set(lines);
    t.write_through.set(through);
    Ok(())
}

fn repr(vm: &Vm, t: This) -> R<String> {
    let v = t.0.value();
    made(vm, t.0)?;
    let ty = type_name(vm, v);
    let shown = vm.repr_guard(v, || {
        let mut out = String::new();
        for name in ["name", "mode"] {
            match vm.get_attr_str(v, name) {
                Ok(value) => out.push_str(&format!(" {name}={}", vm.repr_string(value)?)),
                Err(e) if vm.pending_is(vm.exc.exception) => {
                    let _ = e;
                    vm.pending.take();
                }
                Err(e) => return Err(e),
            }
        }
        Ok(out)
    })?;
    let Some(shown) = shown else {
        return Err(vm.runtime_error(format!("reentrant call inside {ty}.__repr__")));
    };
    let encoding = t.0.state.borrow().encoding.clone();
    Ok(format!("<{ty}{shown} encoding={}>", vm.repr_string(vm.str(&encoding)?)?))
}
