//! Assigning to `f_lineno`: a trace function makes its frame go on at another line.

use skein_runtime::object::Ref;
use skein_runtime::types::frame::FrameObject;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn set_line(vm: &Vm, frame: Ref<FrameObject>, line: Option<Value>) -> R<()> {
    let Some(line) = line else { return Err(vm.attribute_error("cannot delete attribute")) };
    if !vm.type_of(line).is_subtype(vm.types.int) || line.is_bool() {
        return Err(vm.value_error("lineno must be an integer"));
    }
    let line = vm.index_i64(line)?;
    skein_runtime::events::set_line(vm, frame, line)
}
