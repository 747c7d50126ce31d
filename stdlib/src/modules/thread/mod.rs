//! `_thread`: OS threads, locks, and data of each thread.

mod handle;
mod local;
mod lock;
mod timeout;

pub use handle::{finalize_apart, forked, shutdown};
pub(crate) use local::attributes;
pub use timeout::{Timeout, deadline, seconds};

use skein_builtins::modules::structseq::Lazy;
use skein_builtins::modules::trip_signal;
use skein_builtins::report::print_exception;
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::vm::write_stderr;
use skein_runtime::{R, Value, Vm, native_functions};

/// Bytes of a thread's name that the system keeps.
const NAME_MAX: usize = 15;
/// The least that `stack_size` takes.
const LEAST_STACK: i64 = 32 << 10;

native_functions! { FUNCTIONS:
    "start_new_thread(function, args, kwargs={}, /)" => handle::start_new, "Start a new thread and return its identifier.";
    "start_new(function, args, kwargs={}, /)" => handle::start_new, "An obsolete synonym of start_new_thread().";
    "start_joinable_thread(function, handle=None, daemon=True)" => handle::start_joinable, "Start a new thread that can be joined, and return its handle.";
    "daemon_threads_allowed()" => |vm: &Vm| vm.allows(|l| l.daemon_threads), "Return True if daemon threads are allowed in the current interpreter.";
    "_shutdown()" => |vm: &Vm| shutdown(vm), "Wait for all non-daemon threads (other than the calling thread) to stop.";
    "_make_thread_handle(ident, /)" => |vm: &Vm, ident: u64| handle::of_ident(vm, ident);
    "allocate_lock()" => |vm: &Vm| lock::make(vm), "Create a new lock object.";
    "allocate()" => |vm: &Vm| lock::make(vm), "An obsolete synonym of allocate_lock().";
    "get_ident()" => |vm: &Vm| vm.int_u64(vm.threads.current().ident()), "Return a non-zero integer that uniquely identifies the current thread.";
    "_get_main_thread_ident()" => |vm: &Vm| vm.int_u64(vm.threads.main().ident());
    "get_native_id()" => |vm: &Vm| vm.threads.current().native_id(), "Return the integer by which the system knows the thread.";
    "_is_main_interpreter()" => |vm: &Vm| vm.config.limits.is_none();
    "_count()" => |vm: &Vm| vm.threads.all().len() - 1, "Return the number of currently running Python threads, excluding the main thread.";
    "stack_size(size=0, /)" => stack_size, "Return the thread stack size used when creating new threads.";
    "exit()" => exit, "This is synonymous to ``raise SystemExit''.";
    "exit_thread()" => exit, "An obsolete synonym of exit().";
    "interrupt_main(signum=signal.SIGINT, /)" => interrupt_main, "Simulate the arrival of the given signal in the main thread.";
    "set_name(name)" => set_name, "Set the name of the current thread.";
    "_get_name()" => get_name, "Get the name of the current thread.";
    "_excepthook(args, /)" => excepthook, "Handle uncaught Thread.run() exception.";
}

struct_sequence! { EXCEPT_HOOK_ARGS: "_thread._ExceptHookArgs",
"ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.";
"exc_type" 0, "exc_value" 1, "exc_traceback" 2, "thread" 3 }

#[derive(Default)]
struct State {
    hook_args: Lazy,
}

fn exit(vm: &Vm) -> R<()> {
    Err(vm.raise_new(vm.exc.system_exit, &[]))
}

fn stack_size(vm: &Vm, size: Option<i64>) -> R<i64> {
    let size = size.unwrap_or(0);
    if size < 0 {
        return Err(vm.value_error("size must be 0 or a positive value"));
    }
    if size != 0 && size < LEAST_STACK {
        return Err(vm.value_error(format!("size not valid: {size} bytes")));
    }
    Ok(vm.threads.stack_size.replace(size as usize) as i64)
}

fn interrupt_main(vm: &Vm, signum: Option<i32>) -> R<()> {
    trip_signal(vm, signum.unwrap_or(libc::SIGINT))?;
    // The main thread itself takes it at once.
    if vm.threads.is_main() { vm.check_signals() } else { Ok(()) }
}

fn set_name(vm: &Vm, name: Ref<skein_runtime::types::str::Str>) -> R<()> {
    // As the system takes it: cut, within a character if need be, and at a null.
    let encoded = vm.call_method(name.value(), "encode", &[vm.str("utf-8")?, vm.str("replace")?])?;
    let encoded = encoded
        .cast::<skein_runtime::types::bytes::Bytes>()
        .map_or(Ok(Vec::new()), |b| vm.copied(b.bytes()))?;
    let mut text: Vec<u8> = encoded.into_iter().take_while(|&b| b != 0).take(NAME_MAX).collect();
    text.push(0);
    let Ok(name) = std::ffi::CString::from_vec_with_nul(text) else {
        return Err(vm.value_error("embedded null character"));
    };
    // SAFETY: a C string that is short enough.
    match unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) } {
        0 => Ok(()),
        errno => Err(vm.os_error(errno, None)),
    }
}

fn get_name(vm: &Vm) -> R<Value> {
    let mut name = [0u8; 64];
    // SAFETY: a buffer and its size.
    match unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len()) } {
        0 => {
            let end = name.iter().position(|&b| b == 0).unwrap_or(name.len());
            let codec = skein_builtins::types::codecs::Codec::Utf8;
            let errors = Some("surrogateescape");
            Ok(skein_builtins::types::codecs::decode_with(vm, &name[..end], codec, errors)?.value())
        }
        errno => Err(vm.os_error(errno, None)),
    }
}

/// Shows an exception that a thread's `run` did not catch.
fn excepthook(vm: &Vm, args: Value) -> R<()> {
    let hook_args = vm.state::<State>().hook_args.get(vm, &EXCEPT_HOOK_ARGS)?;
    let Some(parts) = args.cast::<Tuple>().filter(|_| vm.type_of(args).is_subtype(hook_args)) else {
        return Err(vm.type_error("_thread._excepthook argument type must be ExceptHookArgs"));
    };
    let part = |i: usize| parts.items().get(i).copied().unwrap_or(Value::NONE);
    let (ty, e, thread) = (part(0), part(1), part(3));
    if ty.is(vm.exc.system_exit.value()) {
        return Ok(());
    }
    let name = if thread.is_none() {
        vm.threads.current().ident().to_string()
    } else {
        let name = vm.get_attr_str(thread, "name")?;
        vm.str_string(name)?
    };
    write_stderr(vm, &format!("Exception in thread {name}:\n"));
    let e = if e.is_none() { vm.call(ty, &[])? } else { e };
    print_exception(vm, e);
    Ok(())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_thread", FUNCTIONS)?;
    let d = m.dict();
    let ext = |def| skein_runtime::types::ext::ext_type(vm, def);
    let lock = ext(&lock::LOCK)?;
    for (name, ty) in [
        ("lock", lock),
        ("LockType", lock),
        ("RLock", ext(&lock::RLOCK)?),
        ("_local", ext(&local::LOCAL)?),
        ("_ThreadHandle", ext(&handle::HANDLE)?),
        ("_ExceptHookArgs", vm.state::<State>().hook_args.get(vm, &EXCEPT_HOOK_ARGS)?),
        ("error", vm.exc.runtime_error),
    ] {
        d.set_name(vm, name, ty.value())?;
    }
    d.set_name(vm, "TIMEOUT_MAX", vm.float(timeout::MAX)?)?;
    d.set_name(vm, "_NAME_MAXLEN", Value::small_int(NAME_MAX as i64))?;
    Ok(m)
}
