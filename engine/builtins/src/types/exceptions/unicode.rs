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
                let codec = vm.str_string(get_field::<ENCODING>(vm, e.value())?)?;
                Ok(format!("'{codec}' codec can't encode {}", f.characters()))
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
            Some(f) => Ok(format!("can't translate {}", f.characters())),
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

struct Fields {
    object: Value,
    start: usize,
    end: usize,
    reason: String,
}

fn fields(vm: &Vm, e: Ref<Exception>) -> R<Option<Fields>> {
    let Some(object) = e.field(OBJECT) else { return Ok(None) };
    let at = |which| -> R<usize> {
        let v = position(vm, e.value(), which)?;
        Ok(vm.as_i64(v).unwrap_or(0) as usize)
    };
    let reason = vm.str_string(e.field(REASON).unwrap_or(Value::NONE))?;
    Ok(Some(Fields { object, start: at(START)?, end: at(END)?, reason }))
}

impl Fields {
    fn characters(&self) -> String {
        let one = self.object.cast::<Str>().filter(|_| self.end == self.start + 1);
        if let Some(c) = one.and_then(|s| s.code_points().nth(self.start)) {
            let shown = match c {
                0..0x100 => format!("\\x{c:02x}"),
                0x100..0x10000 => format!("\\u{c:04x}"),
                _ => format!("\\U{c:08x}"),
            };
            return format!("character '{shown}' in position {}: {}", self.start, self.reason);
        }
        format!("characters in position {}-{}: {}", self.start, self.end as i64 - 1, self.reason)
    }
}

fn decode_str(vm: &Vm, e: Ref<Exception>) -> R<String> {
    let Some(f) = fields(vm, e)? else { return Ok(String::new()) };
    let codec = vm.str_string(get_field::<ENCODING>(vm, e.value())?)?;
    let byte = f.object.cast::<Bytes>().and_then(|b| b.bytes().get(f.start).copied());
    Ok(match byte {
        Some(b) if f.end == f.start + 1 => {
            format!("'{codec}' codec can't decode byte 0x{b:02x} in position {}: {}", f.start, f.reason)
        }
        _ => format!(
            "'{codec}' codec can't decode bytes in position {}-{}: {}",
            f.start,
            f.end as i64 - 1,
            f.reason
        ),
    })
}
