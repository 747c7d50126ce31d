//! Line ends: how they are read and written, and `IncrementalNewlineDecoder`.

use super::types::FLAGS;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

/// The `newline` argument.
#[derive(Clone, PartialEq, Debug)]
pub enum Newline {
    /// None: all kinds end a line and are read as `\n`.
    Universal,
    /// Empty: all kinds end a line and are read as they are.
    Untranslated,
    Only(&'static str),
}

/// The text with each newline character written as `end`. MemoryError.
pub fn with_ends(vm: &Vm, text: &[u8], end: &[u8]) -> R<Vec<u8>> {
    let mut out = vm.buffer(text.len())?;
    for (i, line) in text.split(|&b| b == b'\n').enumerate() {
        if i > 0 {
            vm.put(&mut out, end)?;
        }
        vm.put(&mut out, line)?;
    }
    Ok(out)
}

impl Newline {
    /// TypeError, ValueError.
    pub fn parse(vm: &Vm, v: Option<Value>, what: &str) -> R<Newline> {
        let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(Newline::Universal) };
        let Some(s) = v.cast::<Str>() else {
            let got = vm.type_name(v);
            return Err(vm.type_error(format!("{what} must be str or None, not {got}")));
        };
        match s.bytes() {
            b"" => Ok(Newline::Untranslated),
            b"\n" => Ok(Newline::Only("\n")),
            b"\r" => Ok(Newline::Only("\r")),
            b"\r\n" => Ok(Newline::Only("\r\n")),
            _ => Err(vm.value_error(format!("illegal newline value: {}", vm.repr_string(v)?))),
        }
    }

    /// End of the first line in the text from `start`; of what was decoded, so that a `\r` is never the first
    /// half of a `\r\n`, where that matters.
    pub fn line_end(&self, text: &[u8], start: usize) -> Option<usize> {
        match self {
            Newline::Universal => memchr::memchr(b'\n', &text[start..]).map(|i| start + i + 1),
            Newline::Untranslated => {
                let i = start + memchr::memchr2(b'\n', b'\r', &text[start..])?;
                let pair = text[i] == b'\r' && text.get(i + 1) == Some(&b'\n');
                Some(i + 1 + usize::from(pair))
            }
            Newline::Only(end) => {
                memchr::memmem::find(&text[start..], end.as_bytes()).map(|i| start + i + end.len())
            }
        }
    }

    /// Do all kinds of line ends count?
    pub fn is_universal(&self) -> bool {
        matches!(self, Newline::Universal | Newline::Untranslated)
    }

    /// What a written `\n` becomes, if it changes.
    pub fn written(&self) -> Option<&'static str> {
        match self {
            Newline::Only(end) if *end != "\n" => Some(end),
            _ => None,
        }
    }
}

const SEEN_CR: u8 = 1;
const SEEN_LF: u8 = 2;
const SEEN_CRLF: u8 = 4;

/// Translates line ends piece by piece.
#[derive(Clone, Copy, Default)]
pub struct Newlines {
    pub translate: bool,
    /// A `\r` at the end of the last piece, held back.
    pub pending_cr: bool,
    seen: u8,
}

impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines { translate, ..Newlines::default() }
    }

    /// The next piece; `last`: nothing follows.
    pub fn feed(&mut self, text: Vec<u8>, last: bool) -> Vec<u8> {
        let mut text = text;
        if self.pending_cr && (last || !text.is_empty()) {
            text.insert(0, b'\r');
            self.pending_cr = false;
        }
        if !last && text.last() == Some(&b'\r') {
            text.pop();
            self.pending_cr = true;
        }
        if memchr::memchr(b'\r', &text).is_none() {
            if self.seen & SEEN_LF == 0 && memchr::memchr(b'\n', &text).is_some() {
                self.seen |= SEEN_LF;
            }
            return text;
        }
        // bounded: as long as what was decoded
        let mut out = Vec::with_capacity(if self.translate { text.len() } else { 0 });
        let mut i = 0;
        while i < text.len() {
            let pair = text[i] == b'\r' && text.get(i + 1) == Some(&b'\n');
            self.seen |= match text[i] {
                b'\r' if pair => SEEN_CRLF,
                b'\r' => SEEN_CR,
                b'\n' => SEEN_LF,
                _ => 0,
            };
            if self.translate {
                out.push(if text[i] == b'\r' { b'\n' } else { text[i] });
            }
            i += 1 + usize::from(pair);
        }
        if self.translate { out } else { text }
    }

    pub fn reset(&mut self) {
        self.pending_cr = false;
        self.seen = 0;
    }

    /// The kinds of line ends met so far: None, a text, or a tuple of texts.
    pub fn seen(&self, vm: &Vm) -> R<Value> {
        let mut kinds = Vec::new();
        for (bit, text) in [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")] {
            if self.seen & bit != 0 {
                kinds.push(text);
            }
        }
        match kinds[..] {
            [] => Ok(Value::NONE),
            [one] => vm.str(one),
            ref more => {
                let list = skein_runtime::types::list::List::with_capacity(vm, more.len())?;
                for text in more {
                    list.push(vm, vm.str(text)?)?;
                }
                vm.tuple(list.items())
            }
        }
    }
}

/// The Python class: line ends behind another decoder.
pub struct NewlineDecoder {
    decoder: Field,
    newlines: RefCell<Newlines>,
    ready: Cell<bool>,
}

impl Payload for NewlineDecoder {
    const NAME: &'static str = "_io.IncrementalNewlineDecoder";
    fn trace(&self, t: &mut Tracer<'_>) {
        let NewlineDecoder { decoder, newlines: _, ready: _ } = self;
        decoder.trace(t);
    }
}

type This = ExtArg<NewlineDecoder>;

native_type! {
    pub DECODER: "_io.IncrementalNewlineDecoder", Kind::Ext, FLAGS & !type_flags::HAS_DEL,
        "Codec used when reading a file in universal newlines mode.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, decoder, translate, errors='strict')" => init;
        "decode($self, /, input, final=False)" => decode;
        "getstate($self, /)" => getstate;
        "setstate($self, state, /)" => setstate;
        "reset($self, /)" => reset;
    }
    getset {
        "newlines" => |vm: &Vm, v: Value| match v.cast::<Ext<NewlineDecoder>>() {
            Some(d) => ready(vm, d)?.newlines.borrow().seen(vm),
            None => Err(vm.type_error("not an IncrementalNewlineDecoder")),
        };
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = super::types::class_of(vm, &args, &DECODER)?;
    let d =
        NewlineDecoder { decoder: Field::new(None), newlines: RefCell::default(), ready: Cell::new(false) };
    Ok(Ext::new(vm, ty, d)?.value())
}

fn init(vm: &Vm, d: This, decoder: Value, translate: bool, _errors: Option<Value>) {
    d.0.decoder.set(vm, d.0, decoder);
    d.0.newlines.replace(Newlines::new(translate));
    d.0.ready.set(true);
}

fn ready(vm: &Vm, d: Ref<Ext<NewlineDecoder>>) -> R<Ref<Ext<NewlineDecoder>>> {
    match d.ready.get() {
        true => Ok(d),
        false => Err(vm.value_error("IncrementalNewlineDecoder.__init__() not called")),
    }
}

fn decode(vm: &Vm, d: This, input: Value, last: Option<bool>) -> R<Value> {
    let d = ready(vm, d.0)?;
    let last = last.unwrap_or(false);
    let decoder = d.decoder.value();
    let text = match decoder.is_none() {
        true => input,
        false => vm.call_method(decoder, "decode", &[input, Value::bool(last)])?,
    };
    let Some(text) = text.cast::<Str>() else {
        let got = vm.type_name(text);
        return Err(vm.type_error(format!("decoder should return a string result, not '{got}'")));
    };
    let out = d.newlines.borrow_mut().feed(text.bytes().to_vec(), last);
    Ok(Str::new(vm, &out)?.value())
}

/// The wrapped decoder's state, with the held `\r` as the lowest bit of its number.
fn getstate(vm: &Vm, d: This) -> R<Value> {
    let d = ready(vm, d.0)?;
    let decoder = d.decoder.value();
    let (buffer, flag) = match decoder.is_none() {
        true => (vm.bytes(b"")?, 0),
        false => {
            let state = vm.call_method(decoder, "getstate", &[])?;
            let Some(t) = state.cast::<Tuple>() else {
                return Err(vm.type_error("illegal decoder state"));
            };
            match t.items() {
                &[buffer, flag] => (buffer, vm.index_i64(flag)?),
                _ => return Err(vm.type_error("illegal decoder state")),
            }
        }
    };
    let pending = d.newlines.borrow().pending_cr;
    vm.tuple(&[buffer, vm.int(flag << 1 | i64::from(pending))?])
}

fn setstate(vm: &Vm, d: This, state: Value) -> R<()> {
    let d = ready(vm, d.0)?;
    let Some(t) = state.cast::<Tuple>() else {
        return Err(vm.type_error("state argument must be a tuple"));
    };
    let &[buffer, flag] = t.items() else { return Err(vm.type_error("illegal state argument")) };
    let flag = vm.index_i64(flag)?;
    d.newlines.borrow_mut().pending_cr = flag & 1 != 0;
    let decoder = d.decoder.value();
    if !decoder.is_none() {
        let inner = vm.tuple(&[buffer, vm.int(flag >> 1)?])?;
        vm.call_method(decoder, "setstate", &[inner])?;
    }
    Ok(())
}

fn reset(vm: &Vm, d: This) -> R<()> {
    let d = ready(vm, d.0)?;
    d.newlines.borrow_mut().reset();
    let decoder = d.decoder.value();
    if !decoder.is_none() {
        vm.call_method(decoder, "reset", &[])?;
    }
    Ok(())
}
