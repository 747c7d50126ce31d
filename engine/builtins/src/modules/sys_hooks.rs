//! Hooks of `sys`: what shows values and exceptions, and what async generators tell.

use super::structseq::{self, Lazy};
use crate::struct_sequence;
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Vm, write_stderr};

native_functions! { FUNCTIONS:
    "displayhook(object, /)" => displayhook, "Print an object to sys.stdout and also save it in builtins._.";
    "excepthook(exctype, value, traceback, /)" => excepthook, "Handle an exception by displaying it with a traceback on sys.stderr.";
    "unraisablehook(unraisable, /)" => unraisablehook, "Handle an unraisable exception.";
    "breakpointhook(*args, **kwargs)" => breakpointhook, "This hook function is called by built-in breakpoint().";
    "_baserepl()" => |vm: &Vm| super::prompt::base_prompt(vm), "Private function for getting the base REPL";
    "is_remote_debug_enabled()" => |vm: &Vm| super::signal::is_attachable(vm), "Return True if remote debugging is enabled, False otherwise.";
    "remote_exec(pid, script)" => remote_exec, "Executes a file containing Python code in a given remote Python process.";
    "_is_immortal(op, /)" => is_immortal, "Return True if the given object lives as long as the program.";
    "activate_stack_trampoline(backend, /)" => |vm: &Vm, _: Ref<Str>| -> R<()> { Err(vm.value_error("perf trampoline not available")) }, "Activate stack profiler trampoline *backend*.";
    "deactivate_stack_trampoline()" => |_: &Vm| (), "Deactivate the current stack profiler trampoline backend.";
    "_dump_tracelets(outpath)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.raise_text(vm.exc.not_implemented_error, "there are no tracelets: skein.jit has the traces")) }, "Dump the graph of tracelets in graphviz format";
    "_debugmallocstats()" => memory_stats, "Print debug info to stderr about the state of the heap.";
    "is_stack_trampoline_active()" => |_: &Vm| false, "Return *True* if a stack profiler trampoline is active.";
    "get_asyncgen_hooks()" => get_asyncgen_hooks, "Return the installed asynchronous generators hooks.";
    "set_asyncgen_hooks(firstiter=<unrepresentable>, finalizer=<unrepresentable>)" => set_asyncgen_hooks, "Set the finalizer and first-iteration hooks of asynchronous generators.";
    "get_coroutine_origin_tracking_depth()" => |vm: &Vm| vm.coroutine_origin_depth.get();
    "set_coroutine_origin_tracking_depth(depth)" => set_origin_depth;
}

/// Each hook's name; the builtin one is kept under it in underscores.
const KEPT: [&str; 4] = ["displayhook", "excepthook", "unraisablehook", "breakpointhook"];

struct_sequence! { ASYNCGEN_HOOKS: "sys.asyncgen_hooks", "Asynchronous generators' hooks.";
"firstiter" 0, "finalizer" 1 }

/// Tells how much the heap holds, and of which kinds.
fn memory_stats(vm: &Vm) -> R<()> {
    let stats = vm.heap.stats();
    let text = format!(
        "heap: {} bytes in use\ncollections: {} minor, {} slices of major ones, {} major\n",
        vm.heap.used_bytes(),
        stats.minors.count,
        stats.slices.count,
        stats.finished_majors
    );
    write_stderr(vm, &text);
    Ok(())
}

#[derive(Default)]
struct State {
    asyncgen_hooks: Lazy,
}

fn displayhook(vm: &Vm, v: Value) -> R<()> {
    if v.is_none() {
        return Ok(());
    }
    let text = vm.repr(v)?;
    let (Some(sys), Some(builtins)) = (vm.sys_dict.get(), vm.builtins.get()) else { return Ok(()) };
    builtins.set_name(vm, "_", Value::NONE)?;
    match sys.get_str(vm, vm.names.stdout)? {
        Some(out) if !out.is_none() => {
            vm.call_method(out, "write", &[text.value()])?;
            vm.call_method(out, "write", &[vm.str("\n")?])?;
        }
        _ => return Err(vm.runtime_error("lost sys.stdout")),
    }
    builtins.set_name(vm, "_", v)
}

/// As `skein.attach.send`.
/// What is in a word lives for ever in its way, and so do the builtin types.
fn is_immortal(_: &Vm, v: Value) -> bool {
    !v.is_ptr() || v.cast::<Type>().is_some_and(|t| !t.has_flag(type_flags::HEAP))
}

fn remote_exec(vm: &Vm, pid: Value, script: Value) -> R<()> {
    let m = vm.import("skein.attach")?;
    vm.call_method(m, "send", &[pid, script]).map(|_| ())
}

fn excepthook(vm: &Vm, _ty: Value, e: Value, traceback: Value) -> R<()> {
    let Some(x) = e.cast::<Exception>() else {
        let text = format!(
            "TypeError: print_exception(): Exception expected for value, {} found\n",
            vm.type_of(e).name_string()
        );
        skein_runtime::vm::write_stderr(vm, &text);
        return Ok(());
    };
    if traceback.cast::<Traceback>().is_some() && x.traceback.get().is_none() {
        x.traceback.set(vm, x, traceback);
    }
    crate::report::print_exception(vm, e);
    Ok(())
}

fn unraisablehook(vm: &Vm, unraisable: Value) -> R<()> {
    if vm.type_name(unraisable) != "UnraisableHookArgs" {
        return Err(vm.type_error("sys.unraisablehook argument type must be UnraisableHookArgs"));
    }
    let part = |name: &str| vm.get_attr_str(unraisable, name);
    let (e, object, message) = (part("exc_value")?, part("object")?, part("err_msg")?);
    let message = message.cast::<Str>().map(|m| m.to_string_lossy().into_owned());
    crate::report::print_unraisable(vm, e, message.as_deref(), object);
    Ok(())
}

/// `breakpoint()` by way of PYTHONBREAKPOINT: a function's dotted name, or 0 for none.
fn breakpointhook(vm: &Vm, args: Args<'_>) -> R<Value> {
    let wanted = std::env::var("PYTHONBREAKPOINT").unwrap_or_default();
    let wanted = match wanted.as_str() {
        "0" => return Ok(Value::NONE),
        "" => "pdb.set_trace",
        name => name,
    };
    let (module, name) = wanted.rsplit_once('.').unwrap_or(("builtins", wanted));
    let f = match super::import(vm, module) {
        Ok(_) => {
            // The last module of the dotted name, which the import has put into `sys.modules`.
            let loaded = match vm.modules.get() {
                Some(m) => m.get_name(vm, module)?,
                None => None,
            };
            match loaded {
                Some(m) => vm.find_attr(m, vm.intern(name)?)?,
                None => None,
            }
        }
        Err(_) if vm.catch(vm.exc.import_error).is_some() => None,
        Err(e) => return Err(e),
    };
    match f {
        Some(f) => vm.call_args(f, args),
        None => {
            let text = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{wanted}\"");
            vm.warn(vm.exc.runtime_warning, &text)?;
            Ok(Value::NONE)
        }
    }
}

fn get_asyncgen_hooks(vm: &Vm) -> R<Value> {
    let thread = vm.threads.current();
    let row = [&thread.kept.first_iteration, &thread.kept.finalizer].map(|h| h.get().unwrap_or(Value::NONE));
    let ty = vm.state::<State>().asyncgen_hooks.get(vm, &ASYNCGEN_HOOKS)?;
    structseq::make(vm, ty, &row, &[])
}

fn set_asyncgen_hooks(vm: &Vm, first_iteration: Option<Value>, finalizer: Option<Value>) -> R<()> {
    let thread = vm.threads.current();
    let hooks = &thread.kept;
    for (v, name) in [(first_iteration, "firstiter"), (finalizer, "finalizer")] {
        if let Some(v) = v
            && !v.is_none()
            && !vm.is_callable(v)
        {
            return Err(vm.type_error(format!("callable {name} expected, got {}", vm.type_name(v))));
        }
    }
    for (v, slot, event) in [
        (finalizer, &hooks.finalizer, "sys.set_asyncgen_hooks_finalizer"),
        (first_iteration, &hooks.first_iteration, "sys.set_asyncgen_hooks_firstiter"),
    ] {
        if let Some(v) = v {
            vm.audit(event, || vm.tuple(&[]))?;
            slot.set((!v.is_none()).then_some(v));
        }
    }
    Ok(())
}

fn set_origin_depth(vm: &Vm, depth: i64) -> R<()> {
    match usize::try_from(depth) {
        Ok(n) => vm.coroutine_origin_depth.set(n),
        Err(_) => return Err(vm.value_error("depth must be >= 0")),
    }
    Ok(())
}

/// `breakpoint()`.
pub fn breakpoint(vm: &Vm, args: Args<'_>) -> R<Value> {
    let hook = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "breakpointhook")?,
        None => None,
    };
    match hook {
        Some(hook) => {
            vm.audit("builtins.breakpoint", || vm.tuple(&[hook]))?;
            vm.call_args(hook, args)
        }
        None => Err(vm.runtime_error("lost sys.breakpointhook")),
    }
}

/// Adds the hooks, the builtin ones also under their names in underscores.
pub fn install(vm: &Vm, sys: Ref<Module>) -> R<()> {
    skein_runtime::types::module::add_functions(vm, sys, FUNCTIONS)?;
    let sys = sys.dict();
    for name in KEPT {
        if let Some(hook) = sys.get_name(vm, name)? {
            sys.set_name(vm, &format!("__{name}__"), hook)?;
        }
    }
    Ok(())
}
