//! Writing JSON text.

use skein_builtins::types::{float_repr, sort_list};
use skein_runtime::native::NativeDef;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Value, Vm, native_type};
use std::cell::RefCell;
use std::collections::HashSet;

/// Bytes of the longest float and of the longest int that is a word.
const LONGEST_NUMBER: usize = 32;
/// Bytes of the longest escape: two of four digits.
const LONGEST_ESCAPE: usize = 12;

/// Appends a string with its quotes. MemoryError.
pub fn quote(vm: &Vm, s: Ref<Str>, ascii: bool, out: &mut Vec<u8>) -> R<()> {
    vm.grow(out, s.bytes().len() + 2)?;
    out.push(b'"');
    let bytes = s.bytes();
    let mut done = 0;
    let mut at = 0;
    while at < bytes.len() {
        let b = bytes[at];
        let plain = b != b'"' && b != b'\\' && b >= 0x20 && (!ascii || b < 0x7f);
        if plain || (!ascii && b >= 0x7f) {
            at += 1;
            continue;
        }
        vm.grow(out, at - done + LONGEST_ESCAPE)?;
        out.extend_from_slice(&bytes[done..at]);
        let short = match b {
            b'"' => Some(b'"'),
            b'\\' => Some(b'\\'),
            8 => Some(b'b'),
            12 => Some(b'f'),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            _ => None,
        };
        match short {
            Some(c) => {
                out.extend_from_slice(&[b'\\', c]);
                at += 1;
            }
            None => {
                let width = skein_runtime::types::str::char_width(b);
                let c = skein_runtime::types::str::code_points(&bytes[at..at + width]).next().unwrap_or(0);
                at += width;
                let mut unit = |u: u32| out.extend_from_slice(format!("\\u{u:04x}").as_bytes());
                match c.checked_sub(0x1_0000) {
                    Some(c) => {
                        unit(0xd800 + (c >> 10));
                        unit(0xdc00 + (c & 0x3ff));
                    }
                    None => unit(c),
                }
            }
        }
        done = at;
    }
    vm.put(out, &bytes[done..])?;
    vm.push(out, b'"')
}

/// What `json.JSONEncoder` sets for a writer.
pub struct Encoder {
    markers: Field,
    default: Field,
    encoder: Field,
    indent: Field,
    key_separator: Field,
    item_separator: Field,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
}

impl Payload for Encoder {
    const NAME: &'static str = "_json.Encoder";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Encoder {
            markers,
            default,
            encoder,
            indent,
            key_separator,
            item_separator,
            sort_keys: _,
            skipkeys: _,
            allow_nan: _,
        } = self;
        [markers, default, encoder, indent, key_separator, item_separator].iter().for_each(|f| f.trace(t));
    }
}

native_type! {
    pub ENCODER: "_json.Encoder", Kind::Ext, type_flags::BASETYPE, "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)";
    methods {
        [static] "__new__($type, markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)" => new;
        "__call__($self, obj, _current_indent_level)" => call;
    }
    getset {
        "markers" => |vm: &Vm, v: Value| Ok(this(vm, v)?.markers.value());
        "default" => |vm: &Vm, v: Value| Ok(this(vm, v)?.default.value());
        "encoder" => |vm: &Vm, v: Value| Ok(this(vm, v)?.encoder.value());
        "indent" => |vm: &Vm, v: Value| Ok(this(vm, v)?.indent.value());
        "key_separator" => |vm: &Vm, v: Value| Ok(this(vm, v)?.key_separator.value());
        "item_separator" => |vm: &Vm, v: Value| Ok(this(vm, v)?.item_separator.value());
        "sort_keys" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.sort_keys));
        "skipkeys" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.skipkeys));
    }
}

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<Encoder>>> {
    v.cast().ok_or_else(|| vm.type_error("not a _json.Encoder object"))
}

#[allow(clippy::too_many_arguments)] // As Python passes them.
fn new(
    vm: &Vm,
    ty: Ref<Type>,
    markers: Value,
    default: Value,
    encoder: Value,
    indent: Value,
    key_separator: Ref<Str>,
    item_separator: Ref<Str>,
    sort_keys: bool,
    skipkeys: bool,
    allow_nan: bool,
) -> R<Value> {
    if !markers.is_none() && markers.cast::<Dict>().is_none() {
        let got = vm.type_name(markers);
        return Err(vm.type_error(format!("make_encoder() argument 1 must be dict or None, not {got}")));
    }
    let field = |v: Value| Field::new(Some(v));
    let e = Encoder {
        markers: field(markers),
        default: field(default),
        encoder: field(encoder),
        indent: field(indent),
        key_separator: field(key_separator.value()),
        item_separator: field(item_separator.value()),
        sort_keys,
        skipkeys,
        allow_nan,
    };
    Ok(Ext::new(vm, ty, e)?.value())
}

/// How strings are written.
enum Quoting {
    Ascii,
    Wide,
    /// By a function of the program's.
    Call(Value),
}

struct Writer<'a> {
    vm: &'a Vm,
    encoder: Ref<Ext<Encoder>>,
    quoting: Quoting,
    indent: Option<Vec<u8>>,
    /// Containers that are being written.
    open: RefCell<HashSet<u64>>,
}

fn call(vm: &Vm, encoder: ExtArg<Encoder>, object: Value, level: i64) -> R<Value> {
    let encoder = encoder.0;
    let f = encoder.encoder.value();
    let is = |def: &'static NativeDef| f.cast::<NativeFunction>().is_some_and(|n| std::ptr::eq(n.def(), def));
    let [ascii, wide] = super::quoting_functions();
    let quoting = match () {
        () if is(ascii) => Quoting::Ascii,
        () if is(wide) => Quoting::Wide,
        () => Quoting::Call(f),
    };
    let indent = encoder.indent.value().cast::<Str>().map(|s| s.bytes().to_vec());
    let writer = Writer { vm, encoder, quoting, indent, open: RefCell::default() };
    let mut out = Vec::new();
    writer.value(object, level.max(0) as usize, &mut out)?;
    vm.tuple(&[Str::new(vm, &out)?.value()])
}

impl Writer<'_> {
    fn value(&self, v: Value, level: usize, out: &mut Vec<u8>) -> R<()> {
        let vm = self.vm;
        if let Some(s) = v.cast::<Str>() {
            return self.string(s, out);
        }
        if v.is_none() || v.is_bool() || vm.is_int(v) || vm.as_float(v).is_some() {
            return self.scalar(v, out);
        }
        if vm.native_stack_low() {
            return Err(vm.recursion_error("maximum recursion depth exceeded while encoding a JSON object"));
        }
        if let Some(l) = v.cast::<List>() {
            return self.guarded(v, |w| w.row(v, l, level, out));
        }
        if let Some(t) = v.cast::<Tuple>() {
            let items = List::new(vm, t.items())?;
            return self.guarded(v, |w| w.row(v, items, level, out));
        }
        if let Some(d) = v.cast::<Dict>() {
            return self.guarded(v, |w| w.mapping(d, level, out));
        }
        self.guarded(v, |w| {
            let new = vm.call(w.encoder.default.value(), &[v])?;
            w.value(new, level, out)
                .inspect_err(|_| w.note(format!("when serializing {} object", vm.type_name(v))))
        })
    }

    /// Runs `f` unless the object is being written already.
    fn guarded(&self, v: Value, f: impl FnOnce(&Self) -> R<()>) -> R<()> {
        if self.encoder.markers.value().is_none() {
            return f(self);
        }
        if !self.open.borrow_mut().insert(v.bits()) {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        f(self)?;
        self.open.borrow_mut().remove(&v.bits());
        Ok(())
    }

    /// Adds a note to the pending exception.
    #[cold]
    fn note(&self, text: String) {
        let vm = self.vm;
        let Some(e) = vm.pending.take() else { return };
        let added = vm.str(&text).and_then(|text| vm.call_method(e, "add_note", &[text]));
        if added.is_err() {
            vm.pending.take();
        }
        vm.pending.set(Some(e));
    }

    fn string(&self, s: Ref<Str>, out: &mut Vec<u8>) -> R<()> {
        match self.quoting {
            Quoting::Ascii => quote(self.vm, s, true, out)?,
            Quoting::Wide => quote(self.vm, s, false, out)?,
            Quoting::Call(f) => {
                let r = self.vm.call(f, &[s.value()])?;
                let Some(text) = r.cast::<Str>() else {
                    let got = self.vm.type_name(r);
                    return Err(self.vm.type_error(format!("encoder() must return a string, not {got}")));
                };
                self.vm.put(out, text.bytes())?;
            }
        }
        Ok(())
    }

    fn scalar(&self, v: Value, out: &mut Vec<u8>) -> R<()> {
        let vm = self.vm;
        vm.grow(out, LONGEST_NUMBER)?;
        match v {
            Value::NONE => out.extend_from_slice(b"null"),
            Value::TRUE => out.extend_from_slice(b"true"),
            Value::FALSE => out.extend_from_slice(b"false"),
            _ if vm.is_int(v) => match vm.as_i64(v) {
                Some(i) => out.extend_from_slice(i.to_string().as_bytes()),
                None => {
                    // As an int itself, with the limit on digits.
                    let plain = vm.big_int(vm.as_big(v).unwrap_or_default())?;
                    vm.put(out, vm.repr(plain)?.bytes())?;
                }
            },
            _ => {
                let f = vm.as_float(v).unwrap_or(f64::NAN);
                let text = match f {
                    f if f.is_finite() => float_repr(f),
                    _ if !self.encoder.allow_nan => {
                        let shown = float_repr(f);
                        return Err(vm.value_error(format!(
                            "Out of range float values are not JSON compliant: {shown}"
                        )));
                    }
                    f if f.is_nan() => "NaN".into(),
                    f if f > 0.0 => "Infinity".into(),
                    _ => "-Infinity".into(),
                };
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    fn separator(&self, field: &Field, out: &mut Vec<u8>) {
        if let Some(s) = field.cast::<Str>() {
            out.extend_from_slice(s.bytes());
        }
    }

    fn new_line(&self, level: usize, out: &mut Vec<u8>) {
        if let Some(indent) = &self.indent {
            out.push(b'\n');
            (0..level).for_each(|_| out.extend_from_slice(indent));
        }
    }

    fn row(&self, of: Value, items: Ref<List>, level: usize, out: &mut Vec<u8>) -> R<()> {
        if items.is_empty() {
            out.extend_from_slice(b"[]");
            return Ok(());
        }
        out.push(b'[');
        let mut i = 0;
        while let Some(v) = items.get(i) {
            if i > 0 {
                self.separator(&self.encoder.item_separator, out);
            }
            self.new_line(level + 1, out);
            self.value(v, level + 1, out)
                .inspect_err(|_| self.note(format!("when serializing {} item {i}", self.vm.type_name(of))))?;
            i += 1;
        }
        self.new_line(level, out);
        out.push(b']');
        Ok(())
    }

    /// The entries as pairs, sorted if that is asked for.
    fn entries(&self, d: Ref<Dict>) -> R<Ref<List>> {
        let vm = self.vm;
        let list = if vm.type_of(d.value()) == vm.types.dict {
            let list = List::with_capacity(vm, d.len())?;
            for (k, v) in d.iter() {
                list.push(vm, vm.tuple(&[k, v])?)?;
            }
            list
        } else {
            vm.list_from(vm.call_method(d.value(), "items", &[])?)?
        };
        if self.encoder.sort_keys {
            sort_list(vm, list, None, false)?;
        }
        Ok(list)
    }

    fn mapping(&self, d: Ref<Dict>, level: usize, out: &mut Vec<u8>) -> R<()> {
        let vm = self.vm;
        if d.is_empty() {
            out.extend_from_slice(b"{}");
            return Ok(());
        }
        out.push(b'{');
        let entries = self.entries(d)?;
        let mut first = true;
        let mut i = 0;
        while let Some(entry) = entries.get(i) {
            i += 1;
            let Some([key, v]) = entry.cast::<Tuple>().and_then(|t| t.items().first_chunk::<2>().copied())
            else {
                return Err(vm.value_error("items must return 2-tuples"));
            };
            let mut name = Vec::new();
            if let Some(s) = key.cast::<Str>() {
                self.string(s, &mut name)?;
            } else if key.is_none() || key.is_bool() || vm.is_int(key) || vm.as_float(key).is_some() {
                let mut text = Vec::new();
                self.scalar(key, &mut text)?;
                self.string(Str::new(vm, &text)?, &mut name)?;
            } else if self.encoder.skipkeys {
                continue;
            } else {
                let got = vm.type_name(key);
                return Err(vm.type_error(format!("keys must be str, int, float, bool or None, not {got}")));
            }
            if !std::mem::replace(&mut first, false) {
                self.separator(&self.encoder.item_separator, out);
            }
            self.new_line(level + 1, out);
            out.extend_from_slice(&name);
            self.separator(&self.encoder.key_separator, out);
            if self.value(v, level + 1, out).is_err() {
                let pending = vm.pending.take();
                let shown = vm.repr_string(key).unwrap_or_default();
                vm.pending.set(pending);
                self.note(format!("when serializing {} item {shown}", vm.type_name(d.value())));
                return Err(skein_runtime::Raised);
            }
        }
        if !first {
            self.new_line(level, out);
        }
        out.push(b'}');
        Ok(())
    }
}
