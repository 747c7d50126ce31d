//! `_thread`: locks and identities on the one OS thread there is. Starting threads is not supported yet.

use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions, native_type};
use std::cell::Cell;

/// A lock, or a reentrant one: how often it is held.
struct Lock {
    held: Cell<u64>,
    reentrant: bool,
}

impl Payload for Lock {
    const NAME: &'static str = "lock";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Lock { held: _, reentrant: _ } = self;
    }
}

native_type! {
    LOCK: "_thread.lock", Kind::Ext, type_flags::HAS_WEAKREF;
    methods {
        [static] "__new__($type)" => new_lock;
        "acquire($self, blocking=True, timeout=-1)" => acquire;
        "release($self)" => release;
        "locked($self)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.get() > 0;
        "__enter__($self)" => |vm: &Vm, l: ExtArg<Lock>| acquire(vm, l, None, None);
        "__exit__($self, type, value, traceback, /)" => exit;
        "_at_fork_reinit($self)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.set(0);
    }
}

native_type! {
    RLOCK: "_thread.RLock", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_rlock;
        "acquire($self, blocking=True, timeout=-1)" => acquire;
        "release($self)" => release;
        "locked($self)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.get() > 0;
        "_is_owned($self)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.get() > 0;
        "_recursion_count($self)" => |vm: &Vm, l: ExtArg<Lock>| -> R<Value> { vm.int_u64(l.0.held.get()) };
        "__enter__($self)" => |vm: &Vm, l: ExtArg<Lock>| acquire(vm, l, None, None);
        "__exit__($self, type, value, traceback, /)" => exit;
        "_at_fork_reinit($self)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.set(0);
    }
}

fn new_lock(vm: &Vm, args: Args<'_>) -> R<Value> {
    make_lock(vm, args, false)
}

fn new_rlock(vm: &Vm, args: Args<'_>) -> R<Value> {
    make_lock(vm, args, true)
}

fn make_lock(vm: &Vm, args: Args<'_>, reentrant: bool) -> R<Value> {
    match args.positional().first().and_then(|t| t.cast::<Type>()) {
        Some(ty) => Ok(Ext::new(vm, ty, Lock { held: Cell::new(0), reentrant })?.value()),
        None => Err(vm.type_error("__new__() needs a type")),
    }
}

fn acquire(vm: &Vm, lock: ExtArg<Lock>, blocking: Option<bool>, timeout: Option<f64>) -> R<bool> {
    let (blocking, timeout) = (blocking.unwrap_or(true), timeout.unwrap_or(-1.0));
    if !blocking && timeout != -1.0 {
        return Err(vm.value_error("can't specify a timeout for a non-blocking call"));
    }
    if timeout < 0.0 && timeout != -1.0 {
        return Err(vm.value_error("timeout value must be a non-negative number"));
    }
    let lock = lock.0;
    if lock.held.get() == 0 || lock.reentrant {
        lock.held.set(lock.held.get() + 1);
        return Ok(true);
    }
    if !blocking {
        return Ok(false);
    }
    // No other thread can let go of it, so that waiting would never end.
    Err(vm.unsupported("waiting for a lock, since there are no threads"))
}

fn unlocked(vm: &Vm, reentrant: bool) -> Raised {
    vm.runtime_error(if reentrant { "cannot release un-acquired lock" } else { "release unlocked lock" })
}

fn release(vm: &Vm, lock: ExtArg<Lock>) -> R<()> {
    let n = lock.0.held.get();
    if n == 0 {
        return Err(unlocked(vm, lock.0.reentrant));
    }
    lock.0.held.set(n - 1);
    Ok(())
}

fn exit(vm: &Vm, lock: ExtArg<Lock>, _type: Value, _value: Value, _traceback: Value) -> R<()> {
    release(vm, lock)
}

/// What is known of a thread: the one that there is, or one that a program only names.
struct Handle {
    ident: Cell<i64>,
    done: Cell<bool>,
}

impl Payload for Handle {
    const NAME: &'static str = "_thread._ThreadHandle";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Handle { ident: _, done: _ } = self;
    }
}

native_type! {
    HANDLE: "_thread._ThreadHandle", Kind::Ext, 0;
    methods {
        [static] "__new__($type)" => |vm: &Vm, ty: Ref<Type>| Ext::new(vm, ty, Handle { ident: Cell::new(0), done: Cell::new(false) });
        "is_done($self)" => |_: &Vm, h: ExtArg<Handle>| h.0.done.get();
        "_set_done($self)" => |_: &Vm, h: ExtArg<Handle>| h.0.done.set(true);
        "join($self, timeout=None, /)" => join;
    }
    getset {
        "ident" => |vm: &Vm, v: Value| vm.int(v.cast::<Ext<Handle>>().map_or(0, |h| h.ident.get()));
    }
}

fn join(vm: &Vm, h: ExtArg<Handle>, _: Option<Value>) -> R<()> {
    if h.0.done.get() || h.0.ident.get() == 0 {
        return Ok(());
    }
    Err(vm.runtime_error("Cannot join current thread"))
}

fn make_handle(vm: &Vm, ident: i64) -> R<Ref<Ext<Handle>>> {
    let ty = skein_runtime::types::ext::ext_type(vm, &HANDLE)?;
    Ext::new(vm, ty, Handle { ident: Cell::new(ident), done: Cell::new(false) })
}

native_functions! { FUNCTIONS:
    "daemon_threads_allowed()" => |_: &Vm| true;
    "_shutdown()" => |_: &Vm| ();
    "_make_thread_handle(ident, /)" => make_handle;
    "_get_main_thread_ident()" => |_: &Vm| i64::from(std::process::id());
    "_is_main_interpreter()" => |_: &Vm| true;
    "get_ident()" => |_: &Vm| i64::from(std::process::id()), "Return a non-zero integer that identifies the current thread.";
    "get_native_id()" => |_: &Vm| i64::from(std::process::id());
    "_count()" => |_: &Vm| 0i64;
    "stack_size(size=0, /)" => |_: &Vm, _: Option<Value>| 0i64;
    "start_new_thread(function, args, kwargs={}, /)" => |vm: &Vm, _: Value, _: Value, _: Option<Value>| -> R<()> { Err(vm.unsupported("threads")) };
    "start_joinable_thread(function, handle=None, daemon=True)" => |vm: &Vm, _: Value, _: Option<Value>, _: Option<Value>| -> R<()> { Err(vm.unsupported("threads")) };
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_thread", FUNCTIONS)?;
    let d = m.dict();
    let lock = vm.make_native_type(&LOCK)?;
    for name in ["lock", "LockType", "allocate_lock", "allocate"] {
        d.set_name(vm, name, lock.value())?;
    }
    d.set_name(vm, "RLock", vm.make_native_type(&RLOCK)?.value())?;
    // With one thread, its attributes are those of any object.
    let namespace = skein_runtime::types::dict::Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str("_thread")?)?;
    let bases = vm.tuple(&[])?;
    let local = vm.call(vm.types.type_.value(), &[vm.str("_local")?, bases, namespace.value()])?;
    d.set_name(vm, "_local", local)?;
    d.set_name(vm, "_ThreadHandle", skein_runtime::types::ext::ext_type(vm, &HANDLE)?.value())?;
    d.set_name(vm, "error", vm.exc.runtime_error.value())?;
    d.set_name(vm, "TIMEOUT_MAX", vm.float(9_223_372_036.0)?)?;
    Ok(m)
}
