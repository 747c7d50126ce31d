//! Parts of the machine that are not there yet: each raises an error that names it.

use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Intrinsic;

pub fn typing_intrinsic(vm: &Vm, _which: Intrinsic, _args: &[Value]) -> R<Value> {
    Err(vm.unsupported("type parameters"))
}
