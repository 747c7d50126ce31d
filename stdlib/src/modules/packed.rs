//! `_packed`: the files of the packed library, for `skein.packed`.

use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "names(folder, /)" => names, "Names of what is directly in a folder of the library, whose path is below its root.";
    "read(path, /)" => read, "The bytes of a file of the library, or None.";
}

fn names(vm: &Vm, folder: Ref<Str>) -> R<Value> {
    let names = List::with_capacity(vm, 0)?;
    for name in crate::folder(&folder.to_string_lossy()) {
        names.push(vm, vm.str(&name)?)?;
    }
    Ok(names.value())
}

fn read(vm: &Vm, path: Ref<Str>) -> R<Value> {
    match crate::file(&path.to_string_lossy()) {
        Some(bytes) => vm.bytes(&bytes),
        None => Ok(Value::NONE),
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_packed", FUNCTIONS)
}
