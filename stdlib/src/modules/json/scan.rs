//! Reading JSON text.

use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Raised, Value, Vm, native_type};

/// Raises `json.JSONDecodeError` about a byte offset.
#[cold]
fn error(vm: &Vm, s: Ref<Str>, message: &str, at: usize) -> Raised {
    let make = || -> R<Value> {
        let m = skein_builtins::modules::import(vm, "json.decoder")?;
        let m = match vm.modules.get() {
            Some(all) => all.get_name(vm, "json.decoder")?.unwrap_or(m),
            None => m,
        };
        let class = vm.get_attr_str(m, "JSONDecodeError")?;
        let position = Value::small_int(s.char_index(at) as i64);
        vm.call(class, &[vm.str(message)?, s.value(), position])
    };
    match make() {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |n, &b| Some(n << 4 | char::from(b).to_digit(16)?))
}

/// The string whose text begins at this byte offset, and the offset after its end.
pub fn string(vm: &Vm, s: Ref<Str>, start: usize, strict: bool) -> R<(Ref<Str>, usize)> {
    let bytes = s.bytes();
    let unterminated = || error(vm, s, "Unterminated string starting at", start.saturating_sub(1));
    let mut out: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        let run = bytes[at..].iter().position(|&b| b == b'"' || b == b'\\' || (strict && b < 0x20));
        let Some(run) = run else { return Err(unterminated()) };
        let end = at + run;
        if bytes[end] == b'"' && out.is_empty() {
            return Ok((Str::new(vm, &bytes[at..end])?, end + 1));
        }
        out.extend_from_slice(&bytes[at..end]);
        at = end + 1;
        match bytes[end] {
            b'"' => return Ok((Str::new(vm, &out)?, at)),
            b'\\' => {}
            _ => return Err(error(vm, s, "Invalid control character at", end)),
        }
        let Some(&kind) = bytes.get(at) else { return Err(unterminated()) };
        at += 1;
        let plain = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let bad = || error(vm, s, "Invalid \\uXXXX escape", at - 1);
                let mut c = hex4(bytes, at).ok_or_else(bad)?;
                at += 4;
                if (0xd800..0xdc00).contains(&c)
                    && bytes[at..].starts_with(b"\\u")
                    && let Some(low @ 0xdc00..0xe000) = hex4(bytes, at + 2)
                {
                    c = 0x1_0000 + ((c - 0xd800) << 10 | (low - 0xdc00));
                    at += 6;
                }
                push_code_point(&mut out, c);
                continue;
            }
            _ => return Err(error(vm, s, "Invalid \\escape", end)),
        };
        out.push(plain);
    }
}

/// What `json.JSONDecoder` sets for a reader.
pub struct Scanner {
    strict: bool,
    object_hook: Field,
    object_pairs_hook: Field,
    parse_float: Field,
    parse_int: Field,
    parse_constant: Field,
}

impl Payload for Scanner {
    const NAME: &'static str = "_json.Scanner";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Scanner { strict: _, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant } =
            self;
        [object_hook, object_pairs_hook, parse_float, parse_int, parse_constant]
            .iter()
            .for_each(|f| f.trace(t));
    }
}

native_type! {
    pub SCANNER: "_json.Scanner", Kind::Ext, type_flags::BASETYPE, "JSON scanner object";
    methods {
        [static] "__new__($type, context)" => new;
        "__call__($self, string, idx)" => call;
    }
    getset {
        "strict" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.strict));
        "object_hook" => |vm: &Vm, v: Value| Ok(this(vm, v)?.object_hook.value());
        "object_pairs_hook" => |vm: &Vm, v: Value| Ok(this(vm, v)?.object_pairs_hook.value());
        "parse_float" => |vm: &Vm, v: Value| Ok(this(vm, v)?.parse_float.value());
        "parse_int" => |vm: &Vm, v: Value| Ok(this(vm, v)?.parse_int.value());
        "parse_constant" => |vm: &Vm, v: Value| Ok(this(vm, v)?.parse_constant.value());
    }
}

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<Scanner>>> {
    v.cast().ok_or_else(|| vm.type_error("not a _json.Scanner object"))
}

fn new(vm: &Vm, ty: Ref<Type>, context: Value) -> R<Value> {
    let get = |name| -> R<Field> { Ok(Field::new(Some(vm.get_attr_str(context, name)?))) };
    let scanner = Scanner {
        strict: vm.truth(vm.get_attr_str(context, "strict")?)?,
        object_hook: get("object_hook")?,
        object_pairs_hook: get("object_pairs_hook")?,
        parse_float: get("parse_float")?,
        parse_int: get("parse_int")?,
        parse_constant: get("parse_constant")?,
    };
    Ok(Ext::new(vm, ty, scanner)?.value())
}

fn call(vm: &Vm, scanner: ExtArg<Scanner>, text: Value, index: i64) -> R<Value> {
    let Some(s) = text.cast::<Str>() else {
        let got = vm.type_name(text);
        return Err(vm.type_error(format!("first argument must be a string, not {got}")));
    };
    let Ok(index) = usize::try_from(index) else { return Err(vm.value_error("idx cannot be negative")) };
    if index >= s.char_len() {
        return Err(vm.stop_iteration(Value::small_int(index as i64)));
    }
    let reader = Reader { vm, s, bytes: s.bytes(), scanner: scanner.0, keys: Dict::new(vm)? };
    let (v, end) = reader.value(s.byte_offset(index))?;
    vm.tuple(&[v, Value::small_int(s.char_index(end) as i64)])
}

struct Reader<'a> {
    vm: &'a Vm,
    s: Ref<Str>,
    bytes: &'a [u8],
    scanner: Ref<Ext<Scanner>>,
    /// Keys that were seen: equal ones are the same object.
    keys: Ref<Dict>,
}

impl Reader<'_> {
    fn error(&self, message: &str, at: usize) -> Raised {
        error(self.vm, self.s, message, at)
    }

    fn space(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    fn no_value(&self, at: usize) -> Raised {
        self.vm.stop_iteration(Value::small_int(self.s.char_index(at) as i64))
    }

    /// The value that begins here, and the offset after it.
    fn value(&self, at: usize) -> R<(Value, usize)> {
        let vm = self.vm;
        let Some(&first) = self.bytes.get(at) else { return Err(self.no_value(at)) };
        let rest = &self.bytes[at..];
        match first {
            b'"' => {
                let (v, end) = string(vm, self.s, at + 1, self.scanner.strict)?;
                Ok((v.value(), end))
            }
            b'{' => self.nested(at, "object", Reader::object),
            b'[' => self.nested(at, "array", Reader::array),
            b'n' if rest.starts_with(b"null") => Ok((Value::NONE, at + 4)),
            b't' if rest.starts_with(b"true") => Ok((Value::TRUE, at + 4)),
            b'f' if rest.starts_with(b"false") => Ok((Value::FALSE, at + 5)),
            b'N' if rest.starts_with(b"NaN") => self.constant("NaN", at),
            b'I' if rest.starts_with(b"Infinity") => self.constant("Infinity", at),
            b'-' if rest.starts_with(b"-Infinity") => self.constant("-Infinity", at),
            _ => self.number(at),
        }
    }

    fn nested(&self, at: usize, what: &str, f: fn(&Self, usize) -> R<(Value, usize)>) -> R<(Value, usize)> {
        if self.vm.native_stack_low() {
            return Err(self.vm.recursion_error(format!(
                "maximum recursion depth exceeded while decoding a JSON {what} from a unicode string"
            )));
        }
        f(self, at + 1)
    }

    fn constant(&self, name: &str, at: usize) -> R<(Value, usize)> {
        let f = self.scanner.parse_constant.value();
        Ok((self.vm.call(f, &[self.vm.str(name)?])?, at + name.len()))
    }

    fn number(&self, start: usize) -> R<(Value, usize)> {
        let vm = self.vm;
        let digits = |mut at: usize| {
            while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut at = start + usize::from(self.bytes[start] == b'-');
        let whole = digits(at);
        if whole == at {
            return Err(self.no_value(start));
        }
        // No more digits after a leading 0.
        at = if self.bytes[at] == b'0' { at + 1 } else { whole };
        let mut is_float = false;
        if self.bytes.get(at) == Some(&b'.') && digits(at + 1) > at + 1 {
            at = digits(at + 1);
            is_float = true;
        }
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.bytes.get(at + 1), Some(b'+' | b'-')));
            let end = digits(at + 1 + sign);
            if end > at + 1 + sign {
                at = end;
                is_float = true;
            }
        }
        let text = std::str::from_utf8(&self.bytes[start..at]).unwrap_or_default();
        let (f, own) = match is_float {
            true => (self.scanner.parse_float.value(), vm.types.float),
            false => (self.scanner.parse_int.value(), vm.types.int),
        };
        if f.is(own.value()) {
            if is_float && let Ok(x) = text.parse() {
                return Ok((vm.float(x)?, at));
            }
            if !is_float && let Ok(i) = text.parse() {
                return Ok((vm.int(i)?, at));
            }
        }
        Ok((vm.call(f, &[vm.str(text)?])?, at))
    }

    fn array(&self, at: usize) -> R<(Value, usize)> {
        let vm = self.vm;
        let out = List::with_capacity(vm, 0)?;
        let mut at = self.space(at);
        if self.bytes.get(at) == Some(&b']') {
            return Ok((out.value(), at + 1));
        }
        loop {
            let (v, end) = self.value(at)?;
            out.push(vm, v)?;
            let comma = self.space(end);
            match self.bytes.get(comma) {
                Some(b']') => return Ok((out.value(), comma + 1)),
                Some(b',') => {}
                _ => return Err(self.error("Expecting ',' delimiter", comma)),
            }
            at = self.space(comma + 1);
            if self.bytes.get(at) == Some(&b']') {
                return Err(self.error("Illegal trailing comma before end of array", comma));
            }
        }
    }

    fn object(&self, at: usize) -> R<(Value, usize)> {
        let vm = self.vm;
        let pairs_hook = self.scanner.object_pairs_hook.value();
        let pairs = if pairs_hook.is_none() { None } else { Some(List::with_capacity(vm, 0)?) };
        let dict = Dict::new(vm)?;
        let mut at = self.space(at);
        if self.bytes.get(at) == Some(&b'}') {
            return self.finish(dict, pairs, at + 1);
        }
        loop {
            if self.bytes.get(at) != Some(&b'"') {
                return Err(self.error("Expecting property name enclosed in double quotes", at));
            }
            let (key, end) = string(vm, self.s, at + 1, self.scanner.strict)?;
            let key = match self.keys.get_str(vm, key)? {
                Some(known) => known,
                None => {
                    self.keys.set_str(vm, key, key.value())?;
                    key.value()
                }
            };
            let colon = self.space(end);
            if self.bytes.get(colon) != Some(&b':') {
                return Err(self.error("Expecting ':' delimiter", colon));
            }
            let (v, end) = self.value(self.space(colon + 1))?;
            match pairs {
                Some(list) => list.push(vm, vm.tuple(&[key, v])?)?,
                None => dict.set(vm, key, v)?,
            }
            let comma = self.space(end);
            match self.bytes.get(comma) {
                Some(b'}') => return self.finish(dict, pairs, comma + 1),
                Some(b',') => {}
                _ => return Err(self.error("Expecting ',' delimiter", comma)),
            }
            at = self.space(comma + 1);
            if self.bytes.get(at) == Some(&b'}') {
                return Err(self.error("Illegal trailing comma before end of object", comma));
            }
        }
    }

    fn finish(&self, dict: Ref<Dict>, pairs: Option<Ref<List>>, end: usize) -> R<(Value, usize)> {
        let hook = self.scanner.object_hook.value();
        let v = match pairs {
            Some(list) => self.vm.call(self.scanner.object_pairs_hook.value(), &[list.value()])?,
            None if hook.is_none() => dict.value(),
            None => self.vm.call(hook, &[dict.value()])?,
        };
        Ok((v, end))
    }
}

/// `_json.scanstring(string, end, strict=True)`.
pub fn scanstring(vm: &Vm, s: Ref<Str>, end: i64, strict: Option<bool>) -> R<Value> {
    let Some(index) = usize::try_from(end).ok().filter(|&i| i <= s.char_len()) else {
        return Err(vm.value_error("end is out of bounds"));
    };
    let start = s.byte_offset(index);
    let (v, end) = string(vm, s, start, strict.unwrap_or(true))?;
    vm.tuple(&[v.value(), Value::small_int(s.char_index(end) as i64)])
}
