//! The module `_functools`: what `functools` has in Rust.

use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

mod key;
mod lru;
mod partial;

native_functions! { FUNCTIONS:
    "reduce(function, iterable, /, initial=<unrepresentable>)" => reduce, "Apply a function of two arguments cumulatively to the items of an iterable, from left to right.\n\nThis effectively reduces the iterable to a single value.  If initial is present,\nit is placed before the items of the iterable in the calculation, and serves as\na default when the iterable is empty.";
    "cmp_to_key(mycmp)" => key::cmp_to_key, "Convert a cmp= function into a key= function.";
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "_functools", FUNCTIONS)?;
    for def in [&partial::PARTIAL, &partial::PLACEHOLDER_TYPE, &lru::DEF] {
        let ty = ext_type(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    m.dict().set_name(vm, "Placeholder", partial::placeholder(vm)?)?;
    Ok(m)
}

fn reduce(vm: &Vm, f: Value, iterable: Value, initial: Option<Value>) -> R<Value> {
    let it = match vm.iter(iterable) {
        Ok(it) => it,
        Err(e) => {
            if vm.catch(vm.exc.type_error).is_some() {
                return Err(vm.type_error("reduce() arg 2 must support iteration"));
            }
            return Err(e);
        }
    };
    let mut total = match initial {
        Some(v) => v,
        None => match vm.next(it)? {
            Some(v) => v,
            None => return Err(vm.type_error("reduce() of empty iterable with no initial value")),
        },
    };
    while let Some(v) = vm.next(it)? {
        total = vm.call(f, &[total, v])?;
    }
    Ok(total)
}
