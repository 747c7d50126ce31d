//! `_remote_debugging`: the records in which the tasks of another process are told. Reading them from another process's memory is
//! not possible: where they lie is the engine's own business.

use skein_builtins::modules::structseq::Lazy;
use skein_builtins::struct_sequence;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};

struct_sequence! { FRAME: "_remote_debugging.FrameInfo", "Information about a frame"; "filename" 0, "lineno" 1, "funcname" 2 }
struct_sequence! { CORO: "_remote_debugging.CoroInfo", "Information about a coroutine"; "call_stack" 0, "task_name" 1 }
struct_sequence! { TASK: "_remote_debugging.TaskInfo", "Information about an asyncio task"; "task_id" 0, "task_name" 1, "coroutine_stack" 2, "awaited_by" 3 }
struct_sequence! { THREAD: "_remote_debugging.ThreadInfo", "Information about a thread"; "thread_id" 0, "frame_info" 1 }
struct_sequence! { AWAITED: "_remote_debugging.AwaitedInfo", "Information about what a thread is awaiting"; "thread_id" 0, "awaited_by" 1 }

native_type! {
    UNWINDER: "_remote_debugging.RemoteUnwinder", Kind::Instance, 0, "RemoteUnwinder(pid): Inspect stack of a remote Python process.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> {
            Err(vm.runtime_error("the stack of another process cannot be inspected"))
        };
    }
}

/// The types of the records, in their order.
#[derive(Default)]
struct Records([Lazy; 5]);

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_remote_debugging", FUNCTIONS)?;
    let state = vm.state::<Records>();
    for (lazy, def) in state.0.iter().zip([&FRAME, &CORO, &TASK, &THREAD, &AWAITED]) {
        let ty = lazy.get(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    let unwinder = ext_type(vm, &UNWINDER)?;
    m.dict().set_str(vm, unwinder.name(), unwinder.value())?;
    m.dict().set_name(vm, "PROCESS_VM_READV_SUPPORTED", Value::small_int(0))?;
    Ok(m)
}
