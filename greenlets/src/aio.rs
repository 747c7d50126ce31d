//! `stackless.aio`, which is written in Python: asyncio's tasks, greenlets and tasklets in one program.

use crate::running::scheduler;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::module::{Module, make_module, run_source};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "_wake_by(fd, /)" => wake_by, "Sets the descriptor that is written to when another thread makes a tasklet of this one runnable; returns what it was.";
}

/// None: nobody is to be told.
fn wake_by(vm: &Vm, fd: Value) -> R<Value> {
    let fd = if fd.is_none() { None } else { Some(vm.index_i64(fd)? as i32) };
    let before = scheduler(vm).waker.replace(fd);
    before.map_or(Ok(Value::NONE), |fd| vm.int(fd.into()))
}

const SOURCE: &str = include_str!("aio.py");

/// What importing asyncio raises.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "stackless.aio", FUNCTIONS)?;
    run_source(vm, m, "stackless.aio", SOURCE)?;
    Ok(m)
}

/// What `async for` over a channel goes over. As `make`.
pub fn iterate(vm: &Vm, channel: Value) -> R<Value> {
    let m = vm.import("stackless.aio")?;
    vm.call(vm.get_attr_str(m, "_Iterator")?, &[channel])
}
