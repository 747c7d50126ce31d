//! `_tokenize`: the tokenizer in Rust is the parser's, which does not show its tokens yet.

use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};

native_type! {
    TOKENIZER: "_tokenize.TokenizerIter", Kind::Ext, 0;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> { Err(vm.unsupported("splitting source into tokens")) };
    }
}

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_tokenize", FUNCTIONS)?;
    m.dict().set_name(vm, "TokenizerIter", ext_type(vm, &TOKENIZER)?.value())?;
    Ok(m)
}
