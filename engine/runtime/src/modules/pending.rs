//! Parts of the machine that are not there yet: each raises an error that names it.

use crate::object::Ref;
use crate::types::exception::Exception;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Intrinsic;

pub fn typing_intrinsic(vm: &Vm, _which: Intrinsic, _args: &[Value]) -> R<Value> {
    Err(vm.unsupported("type parameters"))
}

pub fn make_union(vm: &Vm, _a: Value, _b: Value) -> R<Value> {
    Err(vm.unsupported("unions of types"))
}

pub fn reduce_2(vm: &Vm, _v: Value) -> R<Value> {
    Err(vm.unsupported("copying and pickling by __reduce_ex__"))
}

pub fn default_getstate(vm: &Vm, _v: Value) -> R<Value> {
    Err(vm.unsupported("object.__getstate__"))
}

impl Vm {
    pub fn generic_alias(&self, _origin: Value, _args: Value) -> R<Value> {
        Err(self.unsupported("generic aliases"))
    }
}

/// For messages at the top: type and text of an exception, without a traceback.
pub fn exception_line(vm: &Vm, e: Ref<Exception>) -> String {
    crate::interp::describe_exception(vm, e.value())
}
