//! What Python code sees of `UnicodeDecodeError`, `UnicodeEncodeError`, `UnicodeTranslateError`.

use super::base::set_arguments;
use super::{get_field, keywords, receiver, set_field};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const ENCODING: usize = 0;
const OBJECT: usize = 1;
const START: usize = 2;
const END: usize = 3;
const REASON: usize = 4;
const FLAGS: u32 = type_flags::BASETYPE | type_flags::HAS_DICT;

native_type! {
    pub DECODE: "UnicodeDecodeError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| init(vm, args, ENCODING, true);
        "__str__($self, /)" => decode_str;
    }
    getset {
        "encoding" => get_field::<ENCODING>, set_field::<ENCODING>;
        "object" => get_field::<OBJECT>, set_field::<OBJECT>;
        "start" => |vm: &Vm, v: Value| position(vm, v, START), set_field::<START>;
        "end" => |vm: &Vm, v: Value| position(vm, v, END), set_field::<END>;
        "reason" => get_field::<REASON>, set_field::<REASON>;
    }
}

native_type! {
    pub ENCODE: "UnicodeEncodeError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| init(vm, args, ENCODING, false);
        "__str__($self, /)" => |vm: &Vm, e: Ref<Exception>| match fields(vm, e)? {
            Some(f) => {
                let codec = codec_of(vm, e)?;
                Ok(format!("'{codec}' codec can't encode {}", f.characters(vm, e)?))
            }
            None => Ok(String::new()),
        };
    }
    getset {
        "encoding" => get_field::<ENCODING>, set_field::<ENCODING>;
        "object" => get_field::<OBJECT>, set_field::<OBJECT>;
        "start" => |vm: &Vm, v: Value| position(vm, v, START), set_field::<START>;
        "end" => |vm: &Vm, v: Value| position(vm, v, END), set_field::<END>;
        "reason" => get_field::<REASON>, set_field::<REASON>;
    }
}

native_type! {
    pub TRANSLATE: "UnicodeTranslateError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| init(vm, args, OBJECT, false);
        "__str__($self, /)" => |vm: &Vm, e: Ref<Exception>| match fields(vm, e)? {
            Some(f) => Ok(format!("can't translate {}", f.characters(vm, e)?)),
            None => Ok(String::new()),
        };
    }
    getset {
        "encoding" => get_field::<ENCODING>, set_field::<ENCODING>;
        "object" => get_field::<OBJECT>, set_field::<OBJECT>;
        "start" => |vm: &Vm, v: Value| position(vm, v, START), set_field::<START>;
        "end" => |vm: &Vm, v: Value| position(vm, v, END), set_field::<END>;
        "reason" => get_field::<REASON>, set_field::<REASON>;
    }
}

/// Takes the fields from `first` on from the arguments.
fn init(vm: &Vm, args: Args<'_>, first: usize, decoding: bool) -> R<()> {
    let e = receiver(vm, args, "__init__")?;
    keywords(vm, args, [], &vm.type_name(e.value()))?;
    let given = &args.positional()[1..];
    set_arguments(vm, e, given)?;
    let wanted = REASON + 1 - first;
    if given.len() != wanted {
        return Err(
            vm.type_error(format!("function takes exactly {wanted} arguments ({} given)", given.len()))
        );
    }
    for (i, &v) in given.iter().enumerate() {
        let wrong =
            |what: &str| vm.type_error(format!("argument {} must be {what}, not {}", i + 1, vm.type_name(v)));
        let v = match first + i {
            START | END => vm.index(v)?,
            OBJECT if decoding => match v.cast::<ByteArray>() {
                Some(b) => vm.bytes(b.bytes())?,
                None if v.cast::<Bytes>().is_some() => v,
                None => {
                    return Err(
                        vm.type_error(format!("a bytes-like object is required, not '{}'", vm.type_name(v)))
                    );
                }
            },
            _ if v.cast::<Str>().is_none() => return Err(wrong("str")),
            _ => v,
        };
        e.set_field(vm, first + i, v)?;
    }
    Ok(())
}

/// Length of the object in characters or bytes.
fn object_len(e: Ref<Exception>) -> Option<usize> {
    let object = e.field(OBJECT)?;
    object.cast::<Str>().map(|s| s.char_len()).or_else(|| object.cast::<Bytes>().map(|b| b.bytes().len()))
}

/// `start` or `end`, within the object.
fn position(vm: &Vm, v: Value, which: usize) -> R<Value> {
    let Some(e) = v.cast::<Exception>() else { return Ok(Value::NONE) };
    let Some(n) = e.field(which).and_then(|n| vm.as_i64(n)) else { return Ok(Value::NONE) };
    let len = object_len(e).unwrap_or(0) as i64;
    vm.int(if which == START { n.clamp(0, (len - 1).max(0)) } else { n.clamp(len.min(1), len) })
}

/// What a message is made of; the positions are as they were set, wherever the object ends.
struct Fields {
    start: i64,
    end: i64,
    reason: String,
}

fn fields(vm: &Vm, e: Ref<Exception>) -> R<Option<Fields>> {
    if e.field(OBJECT).is_none() {
        return Ok(None);
    }
    let at = |which| e.field(which).and_then(|n| vm.as_i64(n)).unwrap_or(0);
    let reason = vm.str_string(e.field(REASON).unwrap_or(Value::NONE))?;
    Ok(Some(Fields { start: at(START), end: at(END), reason }))
}

fn codec_of(vm: &Vm, e: Ref<Exception>) -> R<String> {
    vm.str_string(get_field::<ENCODING>(vm, e.value())?)
}

/// The object, which the texts of encoding and reason may have changed. TypeError.
fn object(vm: &Vm, e: Ref<Exception>, is_right: fn(Value) -> bool, wanted: &str) -> R<Value> {
    let v = e.field(OBJECT).ok_or_else(|| vm.type_error("object attribute not set"))?;
    if is_right(v) { Ok(v) } else { Err(vm.type_error(format!("object attribute must be {wanted}"))) }
}

impl Fields {
    /// Where in `len` the one that is not right is, if it is one.
    fn one(&self, len: usize) -> Option<usize> {
        let start = usize::try_from(self.start).ok()?;
        (start < len && self.start.checked_add(1) == Some(self.end)).then_some(start)
    }

    fn characters(&self, vm: &Vm, e: Ref<Exception>) -> R<String> {
        let text = object(vm, e, |v| v.cast::<Str>().is_some(), "unicode")?.cast::<Str>();
        let one = text.and_then(|s| s.code_points().nth(self.one(s.char_len())?));
        if let Some(c) = one {
            let shown = match c {
                0..0x100 => format!("\\x{c:02x}"),
                0x100..0x10000 => format!("\\u{c:04x}"),
                _ => format!("\\U{c:08x}"),
            };
            return Ok(format!("character '{shown}' in position {}: {}", self.start, self.reason));
        }
        let last = self.end.wrapping_sub(1);
        Ok(format!("characters in position {}-{last}: {}", self.start, self.reason))
    }
}

fn decode_str(vm: &Vm, e: Ref<Exception>) -> R<String> {
    let Some(f) = fields(vm, e)? else { return Ok(String::new()) };
    let codec = codec_of(vm, e)?;
    let object = object(vm, e, |v| v.cast::<Bytes>().is_some(), "bytes")?.cast::<Bytes>();
    Ok(match object.and_then(|b| b.bytes().get(f.one(b.bytes().len())?).copied()) {
        Some(b) => {
            format!("'{codec}' codec can't decode byte 0x{b:02x} in position {}: {}", f.start, f.reason)
        }
        None => format!(
            "'{codec}' codec can't decode bytes in position {}-{}: {}",
            f.start,
            f.end.wrapping_sub(1),
            f.reason
        ),
    })
}
