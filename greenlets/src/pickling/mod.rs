//! Pickling of microthreads and of what they reach: `stackless._wrap`.
//!
//! ```text
//! frames      frames as objects, and generators
//! steps       what is awaited: steps of async generators, iterators over coroutines
//! objects     codes, cells, functions, modules, tracebacks, views of dicts
//! state       tasklets and channels
//! ```
//! Importing `stackless` registers how these are pickled with `copyreg`. A function that its module has under its
//! name is pickled by name, with the hash of its code where frames of it are; any other goes with its code.
//!
//! **Invariant:** what a pickle says of frames is checked (`skein_runtime::interp::thaw`) before it is put onto a
//! stack, and codes are verified: no pickle makes the machine do what it does not expect.

mod frames;
mod objects;
mod state;
mod steps;

pub use state::{channel_reduce, channel_setstate, pickle_flags, tasklet_reduce, tasklet_setstate};

use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, add_functions};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The module, made once.
#[derive(Default)]
struct Wrap(Cell<Option<Ref<Module>>>);

/// A function of `stackless._wrap`, which pickles name. MemoryError.
fn wrap(vm: &Vm, name: &str) -> R<Value> {
    vm.get_attr_str(make(vm)?.value(), name)
}

/// The module `stackless._wrap`. MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let made = vm.state::<Wrap>();
    if let Some(m) = made.0.get() {
        return Ok(m);
    }
    let m = Module::new(vm, "stackless._wrap")?;
    for table in [frames::FUNCTIONS, objects::FUNCTIONS, steps::FUNCTIONS] {
        add_functions(vm, m, table)?;
    }
    m.dict().set_name(vm, "frame", ext_type(vm, &frames::FRAME)?.value())?;
    for (name, def) in [("async_generator_asend", &steps::ASEND), ("async_generator_athrow", &steps::ATHROW)]
    {
        m.dict().set_name(vm, name, ext_type(vm, def)?.value())?;
    }
    vm.roots.borrow_mut().push(m.value());
    made.0.set(Some(m));
    Ok(m)
}

/// Tells `copyreg` how objects of builtin types are pickled. What importing it raises.
pub fn register(vm: &Vm) -> R<()> {
    let m = make(vm)?;
    if let Some(modules) = vm.modules.get() {
        modules.set_name(vm, "stackless._wrap", m.value())?;
    }
    let copyreg = vm.import("copyreg")?;
    let Some(table) = vm.get_attr_str(copyreg, "dispatch_table")?.cast::<Dict>() else { return Ok(()) };
    let t = &vm.types;
    for (ty, name) in [
        (t.code, "reduce_code"),
        (t.cell, "reduce_cell"),
        (t.function, "reduce_function"),
        (t.module, "reduce_module"),
        (t.traceback, "reduce_traceback"),
        (t.generator, "reduce_generator"),
        (t.coroutine, "reduce_generator"),
        (t.async_generator, "reduce_generator"),
        (t.coroutine_wrapper, "reduce_wrapper"),
        (t.async_asend, "reduce_step"),
        (t.async_athrow, "reduce_step"),
        (t.dict_keys, "reduce_view"),
        (t.dict_values, "reduce_view"),
        (t.dict_items, "reduce_view"),
    ] {
        table.set(vm, ty.value(), vm.get_attr_str(m.value(), name)?)?;
    }
    Ok(())
}

/// The parts of a state, of which there are so many. ValueError.
fn parts<const N: usize>(vm: &Vm, state: Value, what: &str) -> R<[Value; N]> {
    let all = state.cast::<skein_runtime::types::tuple::Tuple>();
    match all.as_ref().and_then(|t| t.items().try_into().ok()) {
        Some(parts) => Ok(parts),
        None => Err(bad(vm, &format!("the state of a {what} is a tuple of {N}"))),
    }
}

fn bad(vm: &Vm, why: &str) -> Raised {
    vm.value_error(format!("bad pickle: {why}"))
}

/// None as nothing.
fn given(v: Value) -> Option<Value> {
    (!v.is_none()).then_some(v)
}

/// `(function, args, state)`, and how the state is set. MemoryError.
fn reduced(vm: &Vm, make: &str, args: &[Value], state: Value, set: &str) -> R<Value> {
    let args = vm.tuple(args)?;
    vm.tuple(&[wrap(vm, make)?, args, state, Value::NONE, Value::NONE, wrap(vm, set)?])
}
