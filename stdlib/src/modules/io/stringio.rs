//! `StringIO`: text in memory. Places are characters: the text is bytes while it is all ASCII, code points then.

use super::base::TEXT_BASE;
use super::bytesio::restore_attributes;
use super::newlines::{Newline, Newlines};
use super::types::{FLAGS, base, class_of, size};
use skein_runtime::object::{Kind, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

enum Text {
    Ascii(Vec<u8>),
    Wide(Vec<u32>),
}

struct State {
    text: Text,
    at: usize,
    newline: Newline,
    newlines: Newlines,
}

pub struct StringIo {
    state: RefCell<State>,
    closed: Cell<bool>,
    ready: Cell<bool>,
}

impl Payload for StringIo {
    const NAME: &'static str = "_io.StringIO";
    fn trace(&self, _: &mut Tracer<'_>) {
        let StringIo { state: _, closed: _, ready: _ } = self;
    }
}

type FileRef = Ref<Ext<StringIo>>;
type This = ExtArg<StringIo>;

native_type! {
    pub STRING_IO: "_io.StringIO", Kind::Ext, FLAGS & !type_flags::HAS_DEL, base |vm| base(vm, &TEXT_BASE), "Text I/O implementation using an in-memory buffer.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, initial_value='', newline='\\n')" => init;
        "read($self, size=-1, /)" => |vm: &Vm, f: This, n: Option<Value>| -> R<Value> { open(vm, f.0)?; let n = size(vm, n)?; take(vm, f.0, n.unwrap_or(usize::MAX)) }, "Read at most size characters, returned as a string.";
        "readline($self, size=-1, /)" => readline, "Read until newline or EOF.";
        "write($self, s, /)" => write, "Write string to file.";
        "getvalue($self, /)" => getvalue, "Retrieve the entire contents of the object.";
        "seek($self, pos, whence=0, /)" => seek, "Change stream position.";
        "tell($self, /)" => |vm: &Vm, f: This| -> R<usize> { open(vm, f.0)?; Ok(f.0.state.borrow().at) }, "Tell the current file position.";
        "truncate($self, pos=None, /)" => truncate, "Truncate size to pos.";
        "close($self, /)" => |_: &Vm, f: This| { f.0.closed.set(true); f.0.state.borrow_mut().text = Text::Ascii(Vec::new()); }, "Close the IO object.";
        "readable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be read.";
        "writable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be written.";
        "seekable($self, /)" => |vm: &Vm, f: This| open(vm, f.0).map(|_| true), "Returns True if the IO object can be seeked.";
        "__next__($self, /)" => next;
        "__getstate__($self, /)" => getstate;
        "__setstate__($self, state, /)" => setstate;
    }
    getset {
        "closed" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.closed.get()));
        "newlines" => |vm: &Vm, v: Value| { let f = open(vm, this(vm, v)?)?; let n = f.state.borrow().newlines; n.seen(vm) };
        "line_buffering" => |vm: &Vm, v: Value| open(vm, this(vm, v)?).map(|_| Value::FALSE);
    }
}

fn this(vm: &Vm, v: Value) -> R<FileRef> {
    v.cast().ok_or_else(|| vm.type_error("not a StringIO"))
}

impl Text {
    fn len(&self) -> usize {
        match self {
            Text::Ascii(b) => b.len(),
            Text::Wide(c) => c.len(),
        }
    }

    /// WTF-8 of a range. MemoryError.
    fn part(&self, vm: &Vm, from: usize, to: usize) -> R<Vec<u8>> {
        match self {
            Text::Ascii(b) => vm.copied(&b[from..to]),
            Text::Wide(c) => {
                let mut out = vm.buffer(to - from)?;
                for &c in &c[from..to] {
                    vm.grow(&mut out, 4)?;
                    push_code_point(&mut out, c);
                }
                Ok(out)
            }
        }
    }

    fn truncate(&mut self, n: usize) {
        match self {
            Text::Ascii(b) => b.truncate(n),
            Text::Wide(c) => c.truncate(n),
        }
    }

    /// Puts text at a place, over what is there, after NUL characters if the place is behind the end.
    fn put(&mut self, vm: &Vm, at: usize, text: &[u8]) -> R<usize> {
        if !text.is_ascii()
            && let Text::Ascii(b) = self
        {
            *self = Text::Wide(vm.collected(b.iter().map(|&b| b.into()))?);
        }
        fn put<T: Copy + Default>(vm: &Vm, row: &mut Vec<T>, at: usize, new: &[T]) -> R<()> {
            let Some(end) = at.checked_add(new.len()) else {
                return Err(vm.overflow_error("new position too large"));
            };
            let more = end.saturating_sub(row.len());
            if more > row.capacity() - row.len() {
                vm.check_room(end.saturating_mul(size_of::<T>()))?;
                row.try_reserve(more).map_err(|_| vm.memory_error())?;
            }
            if row.len() < end {
                row.resize(end, T::default());
            }
            row[at..end].copy_from_slice(new);
            Ok(())
        }
        match self {
            Text::Ascii(b) => {
                put(vm, b, at, text)?;
                Ok(text.len())
            }
            Text::Wide(c) => {
                let new = code_points(vm, text)?;
                put(vm, c, at, &new)?;
                Ok(new.len())
            }
        }
    }

    /// The line that begins at a place: its length.
    fn line(&self, newline: &Newline, at: usize) -> usize {
        let len = self.len();
        if at >= len {
            return 0;
        }
        match self {
            Text::Ascii(b) => newline.line_end(b, at).unwrap_or(len) - at,
            Text::Wide(c) => {
                let is = |i: usize, what: u8| c.get(i) == Some(&what.into());
                let end = (at..len).find_map(|i| match newline {
                    Newline::Universal => is(i, b'\n').then_some(i + 1),
                    Newline::Untranslated if is(i, b'\r') => Some(i + 1 + usize::from(is(i + 1, b'\n'))),
                    Newline::Untranslated => is(i, b'\n').then_some(i + 1),
                    Newline::Only(end) => {
                        let all = end.bytes().enumerate().all(|(k, b)| is(i + k, b));
                        all.then_some(i + end.len())
                    }
                });
                end.unwrap_or(len) - at
            }
        }
    }
}

/// The code points of WTF-8. MemoryError.
fn code_points(vm: &Vm, text: &[u8]) -> R<Vec<u32>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(&b) = rest.first() {
        let n = skein_runtime::types::str::char_width(b).min(rest.len());
        let mask = [0x7f, 0x7f, 0x1f, 0x0f, 0x07][n];
        vm.push(&mut out, rest[1..n].iter().fold(u32::from(b & mask), |c, b| c << 6 | u32::from(b & 0x3f)))?;
        rest = &rest[n..];
    }
    Ok(out)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_of(vm, &args, &STRING_IO)?;
    let newline = Newline::Only("\n");
    let state = State { text: Text::Ascii(Vec::new()), at: 0, newline, newlines: Newlines::default() };
    let f = StringIo { state: RefCell::new(state), closed: Cell::new(false), ready: Cell::new(false) };
    let f = Ext::new(vm, ty, f)?;
    if ty.has_flag(type_flags::HEAP) {
        vm.finalize_later(f.header());
    }
    Ok(f.value())
}

fn init(vm: &Vm, f: This, initial: Option<Value>, newline: Option<Value>) -> R<()> {
    let f = f.0;
    f.ready.set(false);
    let newline = match newline {
        None => Newline::Only("\n"),
        Some(v) => Newline::parse(vm, Some(v), "newline")?,
    };
    let initial = match initial.filter(|v| !v.is_none()) {
        None => None,
        Some(v) => match v.cast::<Str>() {
            Some(s) => Some(s),
            None => {
                let got = vm.type_name(v);
                return Err(vm.type_error(format!("initial_value must be str or None, not {got}")));
            }
        },
    };
    {
        let mut s = f.state.borrow_mut();
        s.text = Text::Ascii(Vec::new());
        s.at = 0;
        s.newlines = Newlines::new(newline == Newline::Universal);
        s.newline = newline;
    }
    f.closed.set(false);
    f.ready.set(true);
    if let Some(s) = initial {
        put(vm, f, s)?;
        f.state.borrow_mut().at = 0;
    }
    Ok(())
}

/// A file that is not closed. ValueError.
fn open(vm: &Vm, f: FileRef) -> R<FileRef> {
    if !f.ready.get() {
        return Err(vm.value_error("I/O operation on uninitialized object"));
    }
    if f.closed.get() { Err(vm.value_error("I/O operation on closed file")) } else { Ok(f) }
}

fn take(vm: &Vm, f: FileRef, n: usize) -> R<Value> {
    let part = {
        let mut s = f.state.borrow_mut();
        let from = s.at.min(s.text.len());
        let n = n.min(s.text.len() - from);
        let part = s.text.part(vm, from, from + n)?;
        s.at += n;
        part
    };
    Ok(Str::new(vm, &part)?.value())
}

fn readline(vm: &Vm, f: This, n: Option<Value>) -> R<Value> {
    let f = open(vm, f.0)?;
    let n = size(vm, n)?.unwrap_or(usize::MAX);
    let line = {
        let s = f.state.borrow();
        s.text.line(&s.newline, s.at)
    };
    take(vm, f, line.min(n))
}

fn next(vm: &Vm, f: This) -> R<Value> {
    let f = open(vm, f.0)?;
    if vm.type_of(f.value()).def().is_none() {
        // A subclass may read lines in a way of its own.
        let line = vm.call_method(f.value(), "readline", &[])?;
        return match line.cast::<Str>() {
            Some(s) => Ok(if s.bytes().is_empty() { vm.stop() } else { line }),
            None => {
                let got = vm.type_name(line);
                let text = format!("readline() should have returned a str object, not '{got}'");
                Err(vm.raise_text(vm.exc.os_error, &text))
            }
        };
    }
    let line = {
        let s = f.state.borrow();
        s.text.line(&s.newline, s.at)
    };
    if line == 0 { Ok(vm.stop()) } else { take(vm, f, line) }
}

/// Writes a text as the `newline` argument wants it.
fn put(vm: &Vm, f: FileRef, s: Ref<Str>) -> R<()> {
    let mut state = f.state.borrow_mut();
    let State { text, at, newline, newlines } = &mut *state;
    let mut bytes = vm.copied(s.bytes())?;
    if newline.is_universal() {
        bytes = newlines.feed(bytes, true);
    }
    if let Some(end) = newline.written()
        && bytes.contains(&b'\n')
    {
        bytes = super::newlines::with_ends(vm, &bytes, end.as_bytes())?;
    }
    if !bytes.is_empty() {
        *at += text.put(vm, *at, &bytes)?;
    }
    Ok(())
}

fn write(vm: &Vm, f: This, v: Value) -> R<usize> {
    let Some(s) = v.cast::<Str>() else {
        open(vm, f.0)?;
        return Err(vm.type_error(format!("string argument expected, got '{}'", vm.type_name(v))));
    };
    put(vm, open(vm, f.0)?, s)?;
    Ok(s.char_len())
}

fn getvalue(vm: &Vm, f: This) -> R<Value> {
    let f = open(vm, f.0)?;
    let all = {
        let s = f.state.borrow();
        s.text.part(vm, 0, s.text.len())?
    };
    Ok(Str::new(vm, &all)?.value())
}

fn seek(vm: &Vm, f: This, at: Value, whence: Option<i32>) -> R<usize> {
    let f = open(vm, f.0)?;
    let (at, whence) = (vm.index_i64(at)?, whence.unwrap_or(0));
    match whence {
        0..=2 => {}
        w => return Err(vm.value_error(format!("Invalid whence ({w}, should be 0, 1 or 2)"))),
    }
    if whence == 0 && at < 0 {
        return Err(vm.value_error(format!("Negative seek position {at}")));
    }
    if whence != 0 && at != 0 {
        return Err(vm.raise_text(vm.exc.os_error, "Can't do nonzero cur-relative seeks"));
    }
    let mut s = f.state.borrow_mut();
    s.at = match whence {
        0 => at as usize,
        1 => s.at,
        _ => s.text.len(),
    };
    Ok(s.at)
}

fn truncate(vm: &Vm, f: This, n: Option<Value>) -> R<usize> {
    let f = open(vm, f.0)?;
    let n = match n.filter(|n| !n.is_none()) {
        None => f.state.borrow().at,
        Some(v) => {
            let n = vm.index_i64(v)?;
            usize::try_from(n).map_err(|_| vm.value_error(format!("Negative size value {n}")))?
        }
    };
    f.state.borrow_mut().text.truncate(n);
    Ok(n)
}

/// Its text, how lines end, its place and its attributes.
fn getstate(vm: &Vm, f: This) -> R<Value> {
    let all = getvalue(vm, ExtArg(f.0))?;
    let (newline, at) = {
        let s = f.0.state.borrow();
        let newline = match s.newline {
            Newline::Universal => None,
            Newline::Untranslated => Some(""),
            Newline::Only(end) => Some(end),
        };
        (newline, s.at)
    };
    let attributes = match vm.find_attr(f.0.value(), vm.intern("__dict__")?)? {
        Some(d) if d.cast::<Dict>().is_some() => vm.call_method(d, "copy", &[])?,
        _ => Value::NONE,
    };
    let newline = newline.map_or(Ok(Value::NONE), |n| vm.str(n))?;
    vm.tuple(&[all, newline, vm.int(at as i64)?, attributes])
}

fn setstate(vm: &Vm, f: This, state: Value) -> R<()> {
    let t = state.cast::<Tuple>().filter(|t| t.len() >= 4);
    let Some(t) = t else {
        let (name, got) = (super::fileio::type_name(vm, f.0.value()), vm.type_name(state));
        return Err(vm.type_error(format!("{name}.__setstate__ argument should be 4-tuple, got {got}")));
    };
    let [text, newline, at, attributes] = [t.items()[0], t.items()[1], t.items()[2], t.items()[3]];
    if !vm.is_int(at) {
        let got = vm.type_name(at);
        return Err(vm.type_error(format!("third item of state must be an integer, got {got}")));
    }
    let Ok(at) = usize::try_from(vm.index_i64(at)?) else {
        return Err(vm.value_error("position value cannot be negative"));
    };
    if text.cast::<Str>().is_none() && !text.is_none() {
        let got = vm.type_name(text);
        return Err(vm.type_error(format!("initial_value must be str or None, not {got}")));
    }
    if f.0.closed.get() {
        return Err(vm.value_error("I/O operation on closed file"));
    }
    // The text is as it was written: it is not translated again.
    init(vm, ExtArg(f.0), None, Some(newline))?;
    if let Some(s) = text.cast::<Str>() {
        f.0.state.borrow_mut().text.put(vm, 0, s.bytes())?;
    }
    f.0.state.borrow_mut().at = at;
    restore_attributes(vm, f.0.value(), attributes, "fourth")
}
