//! `_json`: the quick parts of `json`.

mod encode;
mod scan;

use skein_runtime::native::NativeDef;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "encode_basestring_ascii(string, /)" => |vm: &Vm, s: Value| quoted(vm, s, true), "Return an ASCII-only JSON representation of a Python string";
    "encode_basestring(string, /)" => |vm: &Vm, s: Value| quoted(vm, s, false), "Return a JSON representation of a Python string";
    "scanstring(string, end, strict=True, /)" => scan::scanstring, "Scan the string s for a JSON string.";
}

/// The functions whose work the encoder does itself.
fn quoting_functions() -> [&'static NativeDef; 2] {
    [&FUNCTIONS[0], &FUNCTIONS[1]]
}

fn quoted(vm: &Vm, s: Value, ascii: bool) -> R<Value> {
    let Some(s) = s.cast::<Str>() else {
        let got = vm.type_name(s);
        return Err(vm.type_error(format!("first argument must be a string, not {got}")));
    };
    let mut out = vm.buffer(s.bytes().len() + 2)?;
    encode::quote(vm, s, ascii, &mut out)?;
    Ok(Str::new(vm, &out)?.value())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_json", FUNCTIONS)?;
    m.dict().set_name(vm, "make_scanner", ext_type(vm, &scan::SCANNER)?.value())?;
    m.dict().set_name(vm, "make_encoder", ext_type(vm, &encode::ENCODER)?.value())?;
    Ok(m)
}
