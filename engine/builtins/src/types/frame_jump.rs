//! Assigning to `f_lineno`: a trace function makes its frame go on at another line.

use skein_runtime::object::Ref;
use skein_runtime::types::frame::FrameObject;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn set_line(vm: &Vm, _: Ref<FrameObject>, _: Option<Value>) -> R<()> {
    Err(vm.unsupported("assigning to f_lineno"))
}
