//! Classes of `_io` that are named by `io` but cannot be instantiated yet.

use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::module::Module;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

native_type! {
    RW_PAIR: "_io.BufferedRWPair", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> { Err(vm.unsupported("io.BufferedRWPair")) };
    }
}

native_type! {
    NEWLINE_DECODER: "_io.IncrementalNewlineDecoder", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> { Err(vm.unsupported("io.IncrementalNewlineDecoder")) };
    }
}

/// MemoryError.
pub fn add(vm: &Vm, m: Ref<Module>) -> R<()> {
    for def in [&RW_PAIR, &NEWLINE_DECODER] {
        let t = vm.make_native_type(def)?;
        m.dict().set_str(vm, t.name(), t.value())?;
    }
    Ok(())
}
