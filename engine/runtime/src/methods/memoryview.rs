//! `memoryview`: the type is there for registrations and `isinstance`; instances are not supported yet.

use crate::native::Args;
use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;
use crate::value::{R, Value};
use crate::vm::Vm;

native_type! {
    pub DEF: "memoryview", Kind::Ext, type_flags::SEQUENCE;
    methods {
        [static] "__new__($type, object)" => new;
    }
}

fn new(vm: &Vm, _: Args<'_>) -> R<Value> {
    Err(vm.unsupported("memoryview objects"))
}
