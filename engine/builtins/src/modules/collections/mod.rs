//! The module `_collections`: what `collections` has in Rust.

use skein_bytecode::Special;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

mod defaultdict;
mod deque;
mod ordered_views;
mod ordereddict;
mod tuplegetter;

pub use deque::{is_deque, push};

native_functions! { FUNCTIONS:
    "_count_elements(mapping, iterable, /)" => count_elements, "Count elements in the iterable, updating the mapping";
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "_collections", FUNCTIONS)?;
    for def in [
        &deque::DEQUE,
        &deque::ITERATOR,
        &deque::REVERSE_ITERATOR,
        &defaultdict::DEF,
        &ordereddict::DEF,
        &tuplegetter::DEF,
    ] {
        let ty = ext_type(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    Ok(m)
}

fn count_elements(vm: &Vm, mapping: Value, iterable: Value) -> R<()> {
    let one = Value::small_int(1);
    let (ty, dict) = (vm.type_of(mapping), vm.types.dict);
    if let Some(d) = mapping.cast::<Dict>()
        && ty.lookup(vm, vm.names.get) == dict.lookup(vm, vm.names.get)
        && ty.special(vm, Special::SetItem) == dict.special(vm, Special::SetItem)
    {
        return vm.for_each(iterable, |k| {
            let hash = vm.hash(k)?;
            let n = match d.get_hashed(vm, k, hash)? {
                None => one,
                Some(n) => vm.binary(Special::Add, n, one)?,
            };
            d.set_hashed(vm, k, hash, n)
        });
    }
    let get = vm.get_attr(mapping, vm.names.get)?;
    vm.for_each(iterable, |k| {
        let n = vm.call(get, &[k, Value::small_int(0)])?;
        vm.set_item(mapping, k, vm.binary(Special::Add, n, one)?)
    })
}
