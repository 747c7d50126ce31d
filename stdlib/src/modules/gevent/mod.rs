//! `gevent.libev.corecext`: gevent's event loop, which is imported where gevent looks for its compiled one.
//!
//! ```text
//! poller    which descriptors are ready: epoll
//! timers, signals, stat   what else is waited for
//! state     loops and watchers, and what has happened to them
//! watch     starting and stopping watchers
//! run       a loop's rounds
//! types     the classes of watchers and callbacks
//! compiled  what gevent has compiled besides: some of it in Rust
//! corecext.py   the class `loop`, with what need not be fast
//! ```

mod compiled;
mod poller;
mod run;
mod signals;
mod stat;
mod state;
mod timers;
mod types;
mod watch;

pub use compiled::{COMPILED_NAMES, make_compiled};
use poller::Poller;
use run::{begin, failed, fire, fire_soft, leave_children, reinit, take, watch_children};
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module, run_source};
use skein_runtime::types::typeobj::{Type, type_flags};

use skein_runtime::{R, Value, Vm, native_functions, native_type};
use state::{Break, Loop, LoopRef};
use std::cell::Cell;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use watch::check_loop;

/// What the module looks up once.
#[derive(Default)]
pub struct State {
    /// Stands for what has happened among a watcher's arguments.
    pub events: Cell<Option<Value>>,
}

static FORKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// How often this process is a child of the one that began.
fn forks() -> u32 {
    static HOOK: Once = Once::new();
    // SAFETY: the function only counts.
    HOOK.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(count_fork));
    });
    FORKS.load(Ordering::Relaxed)
}

/// An attribute of a module that is imported.
fn find(vm: &Vm, module: &str, name: &str) -> R<Value> {
    let module = vm.import(module)?;
    vm.get_attr_str(module, name)
}

type Arg = ExtArg<Loop>;

native_type! {
    LOOP: "gevent.libev.corecext._loop", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF;
    methods {
        [static] "__new__($type, flags=None, default=None, ptr=0)" => new;
        "run_callback($self, func, *args)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            Ok(soon(vm, args, "run_callback")?.1)
        }, "Has the function called in the next round.";
        "run_callback_threadsafe($self, func, *args)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            let (event_loop, c) = soon(vm, args, "run_callback_threadsafe")?;
            event_loop.wake();
            Ok(c)
        }, "As run_callback, from any thread.";
        "io($self, fd, events, ref=True, priority=None)" => |vm: &Vm, l: Arg, fd: i64, events: i64, r: Option<Value>, p: Option<Value>| {
            types::new_io(vm, ext_type(vm, &types::IO)?, l.0.value(), fd, events, r, p)
        };
        "timer($self, after, repeat=0.0, ref=True, priority=None)" => |vm: &Vm, l: Arg, after: f64, repeat: Option<f64>, r: Option<Value>, p: Option<Value>| {
            types::new_timer(vm, ext_type(vm, &types::TIMER)?, l.0.value(), Some(after), repeat, r, p)
        };
        "signal($self, signum, ref=True, priority=None)" => |vm: &Vm, l: Arg, n: i64, r: Option<Value>, p: Option<Value>| {
            types::new_signal(vm, ext_type(vm, &types::SIGNAL)?, l.0.value(), n, r, p)
        };
        "idle($self, ref=True, priority=None)" => |vm: &Vm, l: Arg, r: Option<Value>, p: Option<Value>| {
            types::new_idle(vm, ext_type(vm, &types::IDLE)?, l.0.value(), r, p)
        };
        "prepare($self, ref=True, priority=None)" => |vm: &Vm, l: Arg, r: Option<Value>, p: Option<Value>| {
            types::new_prepare(vm, ext_type(vm, &types::PREPARE)?, l.0.value(), r, p)
        };
        "check($self, ref=True, priority=None)" => |vm: &Vm, l: Arg, r: Option<Value>, p: Option<Value>| {
            types::new_check(vm, ext_type(vm, &types::CHECK)?, l.0.value(), r, p)
        };
        "fork($self, ref=True, priority=None)" => |vm: &Vm, l: Arg, r: Option<Value>, p: Option<Value>| {
            types::new_fork(vm, ext_type(vm, &types::FORK)?, l.0.value(), r, p)
        };
        "async_($self, ref=True, priority=None)" => |vm: &Vm, l: Arg, r: Option<Value>, p: Option<Value>| {
            types::new_async(vm, ext_type(vm, &types::ASYNC)?, l.0.value(), r, p)
        };
        "child($self, pid, trace=0, ref=True)" => |vm: &Vm, l: Arg, pid: i32, trace: Option<Value>, r: Option<Value>| {
            types::new_child(vm, ext_type(vm, &types::CHILD)?, l.0.value(), pid, trace, r)
        };
        "stat($self, path, interval=0.0, ref=True, priority=None)" => |vm: &Vm, l: Arg, path: Value, interval: Option<f64>, r: Option<Value>, p: Option<Value>| {
            types::new_stat(vm, ext_type(vm, &types::STAT)?, l.0.value(), path, interval, r, p)
        };
        "closing_fd($self, fd)" => |vm: &Vm, l: Arg, fd: i32| -> R<bool> {
            let event_loop = check_loop(vm, l.0)?;
            let before = event_loop.pending();
            run::feed_fd(event_loop, fd, poller::READ | poller::WRITE);
            Ok(event_loop.pending() > before)
        }, "Tells all that wait for the descriptor. Did anybody?";
        "install_sigchld($self)" => |vm: &Vm, l: Arg| watch_children(vm, l.0);
        "reset_sigchld($self)" => |_: &Vm, l: Arg| leave_children(l.0);
        "reinit($self)" => reinit, "As after a fork.";
        "ref($self)" => |vm: &Vm, l: Arg| count(vm, l, 1);
        "unref($self)" => |vm: &Vm, l: Arg| count(vm, l, -1);
        "break_($self, how=1)" => |vm: &Vm, l: Arg, how: Option<i64>| -> R<()> {
            let how = match how.unwrap_or(1) {
                0 => Break::No,
                1 => Break::One,
                _ => Break::All,
            };
            check_loop(vm, l.0)?.done.set(how);
            Ok(())
        }, "Ends the run.";
        "verify($self)" => |vm: &Vm, l: Arg| check_loop(vm, l.0).map(|_| ());
        "now($self)" => |vm: &Vm, l: Arg| Ok(check_loop(vm, l.0)?.now.get()), "The time as of the last look at the clock.";
        "update_now($self)" => update_now;
        "update($self)" => update_now;
        "fileno($self)" => |_: &Vm, l: Arg| (!l.0.destroyed.get()).then(|| i64::from(l.0.poller.borrow().epoll_fd()));
        "destroy($self)" => destroy, "Gives back what the system has given; the loop cannot be used any more.";
    }
    getset {
        "error_handler" => |_: &Vm, l: Arg| Ok(l.0.error_handler.or_none()), |vm: &Vm, l: Arg, v: Option<Value>| {
            l.0.error_handler.set(vm, l.0, v.filter(|v| !v.is_none()));
            Ok(())
        };
        "ptr" => |vm: &Vm, l: Arg| vm.int_u64(if l.0.destroyed.get() { 0 } else { l.0.value().bits() });
        "default" => |_: &Vm, l: Arg| Ok(Value::bool(l.0.is_default.get() && !l.0.destroyed.get()));
        "iteration" => |vm: &Vm, l: Arg| vm.int(check_loop(vm, l.0)?.iteration.get());
        "depth" => |vm: &Vm, l: Arg| vm.int(check_loop(vm, l.0)?.depth.get());
        "pendingcnt" => |vm: &Vm, l: Arg| vm.int(check_loop(vm, l.0)?.pending() as i64);
        "activecnt" => |vm: &Vm, l: Arg| vm.int(check_loop(vm, l.0)?.active.get());
        "sig_pending" => |vm: &Vm, l: Arg| {
            let event_loop = check_loop(vm, l.0)?;
            let is_pending = signals::is_pending(event_loop.poller.borrow().wake_fd());
            Ok(Value::bool(event_loop.woken.get() || is_pending))
        };
        "starting_timer_may_update_loop_time" => |_: &Vm, l: Arg| Ok(Value::bool(l.0.may_update.get()));
        "_callbacks" => |vm: &Vm, l: Arg| {
            let list = List::with_capacity(vm, 0)?;
            let mut i = 0;
            loop {
                let Some(v) = l.0.callbacks.borrow().get(i).copied() else { return Ok(list.value()) };
                list.push(vm, v)?;
                i += 1;
            }
        };
    }
}

native_functions! { FUNCTIONS:
    "_begin(loop, nowait, once, /)" => begin;
    "_take(run, last, /)" => take;
    [soft fire_soft] "_fire(due, /)" => fire;
    "_failed(run, last, /)" => failed;
    "_clear(loop, /)" => |_: &Vm, l: Arg| {
        let gone = l.0.callbacks.take().len() as i64;
        l.0.active.set(l.0.active.get() - gone);
    };
}

/// ValueError, OSError.
fn new(
    vm: &Vm,
    ty: Ref<Type>,
    _flags: Option<Value>,
    default: Option<Value>,
    _ptr: Option<Value>,
) -> R<LoopRef> {
    check_class(vm, ty, &LOOP)?;
    let default = default.filter(|v| !v.is_none()).map_or(Ok(true), |v| vm.truth(v))?;
    match Poller::new() {
        Ok(poller) => Ext::new(vm, ty, Loop::new(poller, default)),
        Err(e) => Err(vm.os_error(e.raw_os_error().unwrap_or(libc::EMFILE), None)),
    }
}

fn soon(vm: &Vm, args: Args<'_>, name: &str) -> R<(LoopRef, Value)> {
    let row = args.positional();
    let Some(event_loop) = row.first().and_then(|v| v.cast::<Ext<Loop>>()) else {
        return Err(vm.type_error(format!("descriptor '{name}' requires a 'loop' object")));
    };
    if args.has_keywords() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    let Some(&f) = row.get(1) else {
        return Err(vm.type_error(format!("{name}() takes at least 1 positional argument (0 given)")));
    };
    check_loop(vm, event_loop)?;
    Ok((event_loop, types::run_callback(vm, event_loop, f, &row[2..])?.value()))
}

fn count(vm: &Vm, l: Arg, by: i64) -> R<()> {
    let event_loop = check_loop(vm, l.0)?;
    event_loop.active.set(event_loop.active.get() + by);
    Ok(())
}

fn update_now(vm: &Vm, l: Arg) -> R<()> {
    check_loop(vm, l.0)?.update_now();
    Ok(())
}

fn destroy(_: &Vm, l: Arg) {
    if l.0.destroyed.replace(true) {
        return;
    }
    leave_children(l.0);
    watch::forget_all(l.0);
    l.0.callbacks.take();
    l.0.lists.take();
    l.0.give_back();
}

const TYPES: &[(&str, &TypeDef)] = &[
    ("_loop", &LOOP),
    ("watcher", &types::WATCHER),
    ("io", &types::IO),
    ("timer", &types::TIMER),
    ("signal", &types::SIGNAL),
    ("idle", &types::IDLE),
    ("prepare", &types::PREPARE),
    ("check", &types::CHECK),
    ("fork", &types::FORK),
    ("async_", &types::ASYNC),
    ("child", &types::CHILD),
    ("stat", &types::STAT),
    ("callback", &types::CALLBACK),
];

/// The Python part.
const SOURCE: &str = include_str!("corecext.py");

/// Where gevent looks for its loop.
pub const NAME: &str = "gevent.libev.corecext";

/// What importing gevent's interfaces raises.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let module = make_module(vm, NAME, FUNCTIONS)?;
    let d: Ref<Dict> = module.dict();
    for (name, def) in TYPES {
        d.set_name(vm, name, ext_type(vm, def)?.value())?;
    }
    run_source(vm, module, NAME, SOURCE)?;
    let events = d.get_name(vm, "GEVENT_CORE_EVENTS")?;
    vm.roots.borrow_mut().extend(events);
    vm.state::<State>().events.set(events);
    Ok(module)
}
