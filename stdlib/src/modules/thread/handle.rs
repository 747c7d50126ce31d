//! Threads: starting, joining, and what is left of one that has ended.

use super::local;
use super::timeout::{Timeout, after, seconds};
use skein_runtime::interp::add_keywords;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::threads::gil::Parked;
use skein_runtime::threads::state::ThreadState;
use skein_runtime::threads::wait::WaitList;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, Payload, check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    New,
    Running,
    Done,
}

/// What is known of a thread that was started, or of one that a program names.
pub struct Handle {
    ident: Cell<u64>,
    life: Cell<Life>,
    joining: WaitList,
}

impl Payload for Handle {
    const NAME: &'static str = "_thread._ThreadHandle";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Handle { ident: _, life: _, joining: _ } = self;
    }
}

type HandleRef = Ref<Ext<Handle>>;

native_type! {
    pub HANDLE: "_thread._ThreadHandle", Kind::Ext, 0;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "is_done($self, /)" => |_: &Vm, h: HandleRef| h.life.get() == Life::Done;
        "_set_done($self, /)" => set_done;
        "join($self, timeout=None, /)" => join;
        "__repr__($self, /)" => |_: &Vm, h: HandleRef| format!("<_thread._ThreadHandle object: ident={}>", h.ident.get());
    }
    getset {
        "ident" => |vm: &Vm, h: HandleRef| vm.int_u64(h.ident.get());
    }
}

fn make(vm: &Vm, ident: u64, life: Life) -> R<HandleRef> {
    let handle = Handle { ident: Cell::new(ident), life: Cell::new(life), joining: WaitList::default() };
    Ext::new(vm, ext_type(vm, &HANDLE)?, handle)
}

fn new(vm: &Vm, args: Args<'_>) -> R<HandleRef> {
    if let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) {
        check_class(vm, ty, &HANDLE)?;
    }
    match args.rest().parts().0.len() {
        0 => make(vm, 0, Life::New),
        _ => Err(vm.type_error("_ThreadHandle() takes no arguments")),
    }
}

/// The handle of a thread that was not started here.
pub fn of_ident(vm: &Vm, ident: u64) -> R<HandleRef> {
    make(vm, ident, Life::Running)
}

fn set_done(vm: &Vm, h: HandleRef) -> R<()> {
    if h.life.get() == Life::New {
        return Err(vm.runtime_error("thread not started"));
    }
    end(vm, h);
    Ok(())
}

fn end(vm: &Vm, h: HandleRef) {
    h.life.set(Life::Done);
    h.joining.wake_all(vm);
}

fn join(vm: &Vm, h: HandleRef, timeout: Option<Value>) -> R<()> {
    let until = match timeout.filter(|t| !t.is_none()) {
        None => None,
        Some(t) => match seconds(vm, t)? {
            t if t < 0.0 => None,
            t => match after(t) {
                Timeout::Until(until) => Some(until),
                _ => None,
            },
        },
    };
    match h.life.get() {
        Life::New => return Err(vm.runtime_error("thread not started")),
        Life::Done => return Ok(()),
        Life::Running => {}
    }
    if h.ident.get() == vm.threads.current().ident() {
        return Err(vm.runtime_error("Cannot join current thread"));
    }
    if vm.finalizing.get() {
        // Other threads run no more.
        return Err(
            vm.raise_text(vm.exc.python_finalization_error, "cannot join thread at interpreter shutdown")
        );
    }
    while h.life.get() != Life::Done {
        let how = h.joining.wait(vm, until, false);
        // Also one that came with the end of the thread.
        vm.check_signals()?;
        if how == Parked::TimedOut {
            break;
        }
    }
    Ok(())
}

/// What a thread is to run, and how it is known.
struct Program {
    function: Field,
    args: Field,
    keywords: Field,
    handle: Field,
    daemon: bool,
}

impl Payload for Program {
    const NAME: &'static str = "thread's program";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Program { function, args, keywords, handle, daemon: _ } = self;
        for field in [function, args, keywords, handle] {
            field.trace(t);
        }
    }
}

fn program_of(thread: &ThreadState) -> Option<Ref<Ext<Program>>> {
    thread.program.get()?.cast()
}

/// RuntimeError in an isolate that a program made without leave to have such threads.
fn check_allowed(vm: &Vm, daemon: bool) -> R<()> {
    if !vm.allows(|l| l.threads) {
        return Err(vm.runtime_error("thread is not supported for isolated subinterpreters"));
    }
    if daemon && !vm.allows(|l| l.daemon_threads) {
        return Err(vm.runtime_error("daemon threads are disabled in this (sub)interpreter"));
    }
    Ok(())
}

/// Starts a thread; the call has been checked.
fn launch(vm: &Vm, function: Value, args: Value, keywords: Value, handle: HandleRef, daemon: bool) -> R<()> {
    if vm.finalizing.get() {
        return Err(vm.raise_text(
            vm.exc.python_finalization_error,
            "can't create new thread at interpreter shutdown",
        ));
    }
    let program = Program {
        function: Field::new(Some(function)),
        args: Field::new(Some(args)),
        keywords: Field::new(Some(keywords)),
        handle: Field::new(Some(handle.value())),
        daemon,
    };
    let program = Ext::internal(vm, program)?;
    match vm.start_thread(program.value(), run)? {
        Ok(thread) => {
            handle.ident.set(thread.ident());
            handle.life.set(Life::Running);
            Ok(())
        }
        Err(_) => Err(vm.runtime_error("can't start new thread")),
    }
}

native_functions! { FINALIZERS:
    "finalize()" => |vm: &Vm| vm.run_finalizers();
}

/// Has finalizers run in a thread of their own. False: there can be none.
pub fn finalize_apart(vm: &Vm) -> bool {
    let start = || {
        let finalize = NativeFunction::function(vm, &FINALIZERS[0], Value::NONE)?;
        let (none, handle) = (vm.tuple(&[])?, make(vm, 0, Life::New)?);
        launch(vm, finalize.value(), none, Value::NONE, handle, true)
    };
    let pending = vm.pending.take();
    let started = start().is_ok();
    vm.pending.set(pending);
    started
}

/// What a new thread does.
fn run(vm: &Vm) {
    let Some(program) = program_of(&vm.threads.current()) else { return };
    let function = program.function.or_none();
    if run_program(vm, program).is_err() {
        if vm.pending_is(vm.exc.system_exit) {
            vm.pending.set(None);
        } else {
            let what = format!("Exception ignored in thread started by {}", vm.repr_or_type(function));
            vm.unraisable(Some(&what), Value::NONE);
        }
    }
    local::end_thread(vm);
    if let Some(handle) = program.handle.cast::<Ext<Handle>>() {
        end(vm, handle);
    }
}

fn run_program(vm: &Vm, program: Ref<Ext<Program>>) -> R<Value> {
    let args = program.args.cast::<Tuple>();
    let row = List::new(vm, args.as_ref().map_or(&[], |t| t.items()))?;
    let names = match program.keywords.cast::<Dict>() {
        Some(d) if !d.is_empty() => Some(add_keywords(vm, row, d)?),
        _ => None,
    };
    let function = program.function.or_none();
    vm.switcher().run_program(vm, function, Args::new(row.items(), names))
}

/// `start_new_thread`: the new thread's id.
pub fn start_new(vm: &Vm, function: Value, args: Value, keywords: Option<Value>) -> R<Value> {
    if !vm.is_callable(function) {
        return Err(vm.type_error("first arg must be callable"));
    }
    if args.cast::<Tuple>().is_none() {
        return Err(vm.type_error("2nd arg must be a tuple"));
    }
    if keywords.is_some_and(|k| k.cast::<Dict>().is_none()) {
        return Err(vm.type_error("optional 3rd arg must be a dictionary"));
    }
    vm.audit("_thread.start_new_thread", || vm.tuple(&[function, args, keywords.unwrap_or(Value::NONE)]))?;
    check_allowed(vm, true)?;
    let handle = make(vm, 0, Life::New)?;
    launch(vm, function, args, keywords.unwrap_or(Value::NONE), handle, true)?;
    vm.int_u64(handle.ident.get())
}

/// `start_joinable_thread`: its handle.
pub fn start_joinable(vm: &Vm, function: Value, handle: Option<Value>, daemon: Option<bool>) -> R<HandleRef> {
    if !vm.is_callable(function) {
        return Err(vm.type_error("thread function must be callable"));
    }
    let told = handle.unwrap_or(Value::NONE);
    vm.audit("_thread.start_joinable_thread", || {
        vm.tuple(&[function, Value::small_int(daemon.unwrap_or(true).into()), told])
    })?;
    let handle = match handle.filter(|h| !h.is_none()) {
        None => make(vm, 0, Life::New)?,
        Some(h) => match h.cast::<Ext<Handle>>() {
            Some(h) => h,
            None => return Err(vm.type_error("'handle' must be a _ThreadHandle")),
        },
    };
    if handle.life.get() != Life::New {
        return Err(vm.runtime_error("thread already started"));
    }
    check_allowed(vm, daemon.unwrap_or(true))?;
    let none = vm.tuple(&[])?;
    launch(vm, function, none, Value::NONE, handle, daemon.unwrap_or(true))?;
    Ok(handle)
}

/// `_shutdown`: waits for all threads but the daemons.
pub fn shutdown(vm: &Vm) {
    let me = vm.threads.current().serial;
    let next = || {
        let is_awaited = |p: &Ref<Ext<Program>>| !p.daemon;
        let others = vm.threads.all().into_iter().filter(|t| t.serial != me);
        let mut handles = others.filter_map(|t| program_of(&t)).filter(is_awaited);
        handles.find_map(|p| p.handle.cast::<Ext<Handle>>().filter(|h| h.life.get() == Life::Running))
    };
    while let Some(handle) = next() {
        if join(vm, handle, None).is_err() {
            vm.unraisable(
                Some("Exception ignored while joining a thread in _thread._shutdown()"),
                Value::NONE,
            );
        }
    }
}

/// After a fork, in the child: no thread but the calling one is there any more, whoever has a handle of it.
pub fn forked(vm: &Vm) {
    let me = vm.threads.current().ident();
    vm.heap.for_each_object(&mut |h| {
        // SAFETY: the heap hands out live objects.
        let v = unsafe { Value::from_bits(h as u64) };
        if let Some(handle) = v.cast::<Ext<Handle>>()
            && handle.life.get() == Life::Running
            && handle.ident.get() != me
        {
            handle.life.set(Life::Done);
            handle.joining.forget();
        }
    });
}
