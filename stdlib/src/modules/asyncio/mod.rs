//! `_asyncio`: futures and tasks, and which loop and task run in a thread.
//!
//! A task's step is a few lines of Python between natives (`step.py`): the coroutine runs in the loop as anything
//! that Python code calls, so that no native stack is held while it does.

mod future;
mod running;
mod soon;
mod task;

use future::FUTURE;
use skein_runtime::object::Ref;
use skein_runtime::shape::ShapeId;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module, run_source};
use skein_runtime::types::typeobj::Type;

use skein_runtime::{R, Value, Vm, native_functions};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use task::TASK;

native_functions! { FUNCTIONS:
    "_get_running_loop()" => running::get_running_loop_or_none, "Return the running event loop or None.";
    "_set_running_loop(loop, /)" => running::set_running_loop, "Set the running event loop.";
    "get_running_loop()" => running::get_running_loop, "Return the running event loop.  Raise a RuntimeError if there is none.";
    "get_event_loop()" => running::get_event_loop, "Return an asyncio event loop.";
    "_register_task(task)" => running::register_task, "Register a new task in asyncio as executed by loop.";
    "_unregister_task(task)" => running::unregister_task, "Unregister a task.";
    "_register_eager_task(task)" => running::register_eager_task, "Register a new task in asyncio as executed by loop.";
    "_unregister_eager_task(task)" => running::unregister_eager_task, "Unregister a task.";
    "_enter_task(loop, task)" => running::enter_task, "Enter into task execution or resume suspended task.";
    "_leave_task(loop, task)" => running::leave_task, "Leave task execution or suspend a task.";
    "_swap_current_task(loop, task)" => running::swap_current_task, "Temporarily swap in the supplied task and return the original one (or None).";
    "current_task(loop=None)" => running::current_task, "Return a currently executed task.";
    "all_tasks(loop=None)" => running::all_tasks, "Return a set of all tasks for the loop.";
    "future_add_to_awaited_by(fut, waiter, /)" => future::add_to_awaited_by, "Record that `fut` is awaited on by `waiter`.";
    "future_discard_from_awaited_by(fut, waiter, /)" => future::discard_from_awaited_by;
}

/// What the module looks up once: values, which are roots then.
#[derive(Default)]
pub struct State {
    found: RefCell<HashMap<(&'static str, &'static str), Value>>,
    soon_names: Cell<Option<soon::Names>>,
    plain: RefCell<Option<soon::Plain>>,
    /// When its functions were found to be the library's own last.
    soon_checked: Cell<u32>,
    /// The shape of the last loop that was looked at for it.
    soon_tried: Cell<Option<ShapeId>>,
    /// `step` and `wakeup` of `step.py`.
    pub step: Cell<Option<Value>>,
    pub wakeup: Cell<Option<Value>>,
    pub eager: Cell<Option<Value>>,
    /// For the names of tasks.
    pub count: Cell<u64>,
}

/// A module's attribute, looked up once.
pub fn find(vm: &Vm, module: &'static str, name: &'static str) -> R<Value> {
    let state = vm.state::<State>();
    if let Some(&v) = state.found.borrow().get(&(module, name)) {
        return Ok(v);
    }
    let top = vm.import(module)?;
    let loaded = match vm.modules.get() {
        Some(modules) => modules.get_name(vm, module)?,
        None => None,
    };
    let v = vm.get_attr_str(loaded.unwrap_or(top), name)?;
    vm.roots.borrow_mut().push(v);
    state.found.borrow_mut().insert((module, name), v);
    Ok(v)
}

/// A class of `asyncio.exceptions`.
pub fn exception_class(vm: &Vm, name: &'static str) -> R<Ref<Type>> {
    let v = find(vm, "asyncio.exceptions", name)?;
    v.cast::<Type>().ok_or_else(|| vm.type_error(format!("asyncio.exceptions.{name} is no class")))
}

/// The Python part of tasks.
const STEP: &str = include_str!("step.py");

fn define_step(vm: &Vm) -> R<()> {
    let module = make_module(vm, "_asyncio", task::STEPS)?;
    run_source(vm, module, "_asyncio", STEP)?;
    let state = vm.state::<State>();
    for (name, slot) in [("step", &state.step), ("wakeup", &state.wakeup), ("eager", &state.eager)] {
        let f = module.dict().get_name(vm, name)?;
        slot.set(f);
        vm.roots.borrow_mut().extend(f);
    }
    Ok(())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_asyncio", FUNCTIONS)?;
    define_step(vm)?;
    let d: Ref<Dict> = m.dict();
    d.set_name(vm, "Future", ext_type(vm, &FUTURE)?.value())?;
    d.set_name(vm, "Task", ext_type(vm, &TASK)?.value())?;
    Ok(m)
}
