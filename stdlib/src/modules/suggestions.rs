//! `_suggestions`: the name that comes closest to one that was not found, for `traceback`.

use skein_runtime::interp::closest;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "_generate_suggestions(candidates, item, /)" => generate, "Returns the candidate in candidates that's closest to item, or None.";
}

/// More names, and longer ones, are not looked through.
const MOST: usize = 750;
const LONGEST: usize = 40;

fn generate(vm: &Vm, candidates: Value, item: Ref<Str>) -> R<Value> {
    let Some(candidates) = candidates.cast::<List>().filter(|_| vm.type_of(candidates) == vm.types.list)
    else {
        return Err(vm.type_error("candidates must be a list"));
    };
    let mut names = Vec::new();
    for &name in candidates.items() {
        match name.cast::<Str>() {
            Some(name) => vm.push(&mut names, name.to_string_lossy().into_owned())?,
            None => return Err(vm.type_error("all elements in 'candidates' must be strings")),
        }
    }
    if names.len() > MOST || item.char_len() > LONGEST {
        return Ok(Value::NONE);
    }
    match closest(&item.to_string_lossy(), names.iter().map(String::as_str)) {
        Some(name) => vm.str(name),
        None => Ok(Value::NONE),
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_suggestions", FUNCTIONS)
}
