//! The module `itertools`.

use skein_runtime::native::{Args, too_many, unexpected_keyword};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The state of an iterator: slots for values, then cells.
macro_rules! payload {
    ($vis:vis $name:ident, $text:literal, [$($field:ident),*] $(, $cell:ident: $ty:ty)* $(,)?) => {
        $vis struct $name {
            $($vis $field: skein_runtime::object::Field,)*
            $($vis $cell: std::cell::Cell<$ty>,)*
        }
        impl skein_runtime::types::ext::Payload for $name {
            const NAME: &'static str = $text;
            fn trace(&self, t: &mut skein_runtime::object::Tracer<'_>) {
                let $name { $($field,)* $($cell: _,)* } = self;
                $($field.trace(t);)*
            }
        }
    };
}

mod choose;
pub(super) mod filters;
mod group;
mod infinite;
pub(super) mod together;

native_functions! { FUNCTIONS:
    "tee(iterable, n=2, /)" => group::tee, "Returns a tuple of n independent iterators.";
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "itertools", FUNCTIONS)?;
    for def in [
        &infinite::COUNT,
        &infinite::CYCLE,
        &infinite::REPEAT,
        &filters::ACCUMULATE,
        &filters::COMPRESS,
        &filters::DROPWHILE,
        &filters::FILTERFALSE,
        &filters::ISLICE,
        &filters::STARMAP,
        &filters::TAKEWHILE,
        &together::CHAIN,
        &together::BATCHED,
        &together::PAIRWISE,
        &together::PRODUCT,
        &together::ZIP_LONGEST,
        &choose::COMBINATIONS,
        &choose::COMBINATIONS_WITH_REPLACEMENT,
        &choose::PERMUTATIONS,
        &group::GROUPBY,
        &group::GROUPER,
        &group::TEE,
        &group::TEE_LINK,
    ] {
        let ty = ext_type(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    Ok(m)
}

/// A tuple of `n` values that `f` gives.
fn tuple_of(vm: &Vm, n: usize, f: impl Fn(usize) -> Value) -> R<Value> {
    const FEW: usize = 8;
    if n <= FEW {
        let mut row = [Value::NONE; FEW];
        for (i, slot) in row[..n].iter_mut().enumerate() {
            *slot = f(i);
        }
        return vm.tuple(&row[..n]);
    }
    let row = List::with_capacity(vm, n)?;
    for i in 0..n {
        row.push(vm, f(i))?;
    }
    vm.tuple(row.items())
}

/// The one keyword argument that a raw constructor knows.
fn only_keyword(vm: &Vm, args: Args<'_>, function: &str, name: &str) -> R<Option<Value>> {
    let mut found = None;
    let given = args.keywords().count();
    if given > 1 {
        return Err(too_many(vm, function, 1, given, true));
    }
    for (k, v) in args.keywords() {
        if k.cast::<Str>().is_none_or(|k| k.bytes() != name.as_bytes()) {
            return Err(unexpected_keyword(vm, function, k, &[name]));
        }
        found = Some(v);
    }
    Ok(found)
}
