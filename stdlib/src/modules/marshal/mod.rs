//! `marshal`: plain data as bytes, in CPython's format. Code objects are in Skein's own form.

mod read;
mod write;

use super::support::BytesLike;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::{R, Value, Vm, native_functions};
use write::{Form, written};

/// The newest version of the format.
const VERSION: i64 = 5;
/// The first one in which objects refer to earlier ones.
const VERSION_OF_REFERENCES: i64 = 3;
const VERSION_OF_SLICES: i64 = 5;
/// Marks an object that later ones refer to.
const FLAG_REF: u8 = 0x80;

fn dumps(vm: &Vm, v: Value, version: Option<i64>, allow_code: Option<bool>) -> R<Value> {
    vm.audit("marshal.dumps", || vm.tuple(&[v, Value::small_int(version.unwrap_or(VERSION))]))?;
    let form = Form { version: version.unwrap_or(VERSION), allow_code: allow_code.unwrap_or(true) };
    vm.bytes(&written(vm, v, form)?)
}

fn loads(vm: &Vm, bytes: BytesLike, allow_code: Option<bool>) -> R<Value> {
    vm.audit("marshal.loads", || vm.tuple(&[vm.bytes(&bytes)?]))?;
    read::from_bytes(vm, &bytes, allow_code.unwrap_or(true))
}

fn load(vm: &Vm, file: Value, allow_code: Option<bool>) -> R<Value> {
    vm.audit("marshal.load", || vm.tuple(&[]))?;
    read::from_file(vm, file, allow_code.unwrap_or(true))
}

native_functions! { FUNCTIONS:
    "dumps(value, version=5, /, *, allow_code=True)" => dumps, "Return the bytes object that would be written to a file by dump(value, file).";
    "loads(bytes, /, *, allow_code=True)" => loads, "Convert the bytes-like object to a value.";
    "dump(value, file, version=5, /, *, allow_code=True)" => |vm: &Vm, v: Value, f: Value, version: Option<i64>, code: Option<bool>| -> R<Value> { vm.call_method(f, "write", &[dumps(vm, v, version, code)?]) }, "Write the value on the open file.";
    "load(file, /, *, allow_code=True)" => load, "Read one value from the open file and return it.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "marshal", FUNCTIONS)?;
    m.dict().set_name(vm, "version", Value::small_int(VERSION))?;
    Ok(m)
}
