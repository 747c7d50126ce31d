//! The classes of watchers and of callbacks, as Python sees them.

use super::State;
use super::poller::{READ, WRITE};
use super::signals::COUNT;
use super::state::{Callback, Kind, Loop, LoopRef, NOWHERE, UNREFERENCED, Watcher, WatcherRef};
use super::watch::{again, check_loop, feed_by_hand, is_referenced, loop_of, set_referenced, start, stop};
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::object::{Field, Kind as Layout, Ref};
use skein_runtime::types::ext::{Ext, ExtArg, check_class, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Raised, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

type Arg = ExtArg<Watcher>;
const FLAGS: u32 = type_flags::BASETYPE | type_flags::HAS_WEAKREF;

native_type! {
    pub WATCHER: "gevent.libev.corecext.watcher", Layout::Ext, FLAGS, "Abstract base class for all the watchers";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<()> { Err(vm.value_error("Cannot construct a bare watcher")) };
        "start($self, callback, *args)" => |vm: &Vm, args: Args<'_>| -> R<()> {
            let (w, callback, rest) = call_of(vm, args, "start")?;
            no_names(vm, args, "start")?;
            start(vm, w, callback, rest)
        }, "Begins to watch: callback(*args) is called each time that something happens.";
        "stop($self)" => |vm: &Vm, w: Arg| stop(vm, w.0), "Ends watching.";
        "close($self)" => |vm: &Vm, w: Arg| -> R<()> { vm.call_method(w.0.value(), "stop", &[]).map(|_| ()) };
        "feed($self, revents, callback, *args)" => |vm: &Vm, args: Args<'_>| -> R<()> {
            let (w, what, rest) = call_of(vm, args, "feed")?;
            let Some((&callback, rest)) = rest.split_first() else {
                return Err(vm.type_error("feed() takes at least 2 positional arguments (1 given)"));
            };
            let what = vm.index_i64(what)? as i32;
            feed_by_hand(vm, w, what, callback, rest)
        }, "As if that had happened.";
        "__repr__($self, /)" => repr;
        "_format($self)" => |_: &Vm, _: Arg| "";
        "__enter__($self)" => |_: &Vm, w: Arg| w.0;
        "__exit__($self, t, v, tb)" => |vm: &Vm, w: Arg, _: Value, _: Value, _: Value| -> R<()> {
            vm.call_method(w.0.value(), "close", &[]).map(|_| ())
        };
    }
    getset {
        "loop" => |_: &Vm, w: Arg| Ok(w.0.event_loop.or_none());
        "callback" => |_: &Vm, w: Arg| Ok(w.0.callback.or_none()), set_callback;
        "args" => |_: &Vm, w: Arg| Ok(w.0.args.or_none()), set_args;
        "ref" => |_: &Vm, w: Arg| Ok(Value::bool(is_referenced(w.0))), |vm: &Vm, w: Arg, v: Option<Value>| {
            let v = vm.truth(given(vm, v)?)?;
            set_referenced(vm, w.0, v)
        };
        "priority" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.priority.get().into())), |vm: &Vm, w: Arg, v: Option<Value>| {
            let n = vm.index_i64(given(vm, v)?)?;
            if w.0.active.get() {
                return Err(vm.attribute_error("Cannot set priority of an active watcher"));
            }
            w.0.priority.set(priority(n));
            Ok(())
        };
        "active" => |_: &Vm, w: Arg| Ok(Value::bool(w.0.active.get()));
        "pending" => |_: &Vm, w: Arg| Ok(Value::bool(w.0.pending.get()));
        "_flags" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.flags.get().into()));
    }
}

fn given(vm: &Vm, v: Option<Value>) -> R<Value> {
    v.ok_or_else(|| vm.attribute_error("cannot delete attribute"))
}

fn base(vm: &Vm) -> Ref<Type> {
    match ext_type(vm, &WATCHER) {
        Ok(ty) => ty,
        Err(Raised) => vm.types.object,
    }
}

/// Receiver, first argument, others.
fn call_of<'a>(vm: &Vm, args: Args<'a>, name: &str) -> R<(WatcherRef, Value, &'a [Value])> {
    let row = args.positional();
    let Some(w) = row.first().and_then(|v| v.cast::<Ext<Watcher>>()) else {
        return Err(vm.type_error(format!("descriptor '{name}' requires a 'watcher' object")));
    };
    match row.get(1) {
        Some(&first) => Ok((w, first, &row[2..])),
        None => Err(vm.type_error(format!("{name}() takes at least 1 positional argument (0 given)"))),
    }
}

fn no_names(vm: &Vm, args: Args<'_>, name: &str) -> R<()> {
    match args.keywords().next() {
        None => Ok(()),
        Some((key, _)) => {
            let key = vm.str_string(key)?;
            Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{key}'")))
        }
    }
}

/// The one keyword argument that a `start` knows.
fn option(vm: &Vm, args: Args<'_>, known: &str, name: &str) -> R<Option<Value>> {
    let mut found = None;
    for (key, v) in args.keywords() {
        let key = vm.str_string(key)?;
        if key != known {
            return Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{key}'")));
        }
        found = Some(v);
    }
    Ok(found)
}

fn set_callback(vm: &Vm, w: Arg, v: Option<Value>) -> R<()> {
    let v = given(vm, v)?;
    if !v.is_none() && !vm.is_callable(v) {
        let shown = vm.repr_string(v)?;
        return Err(vm.type_error(format!("Expected callable, not {shown}")));
    }
    w.0.callback.set(vm, w.0, (!v.is_none()).then_some(v));
    Ok(())
}

fn set_args(vm: &Vm, w: Arg, v: Option<Value>) -> R<()> {
    let v = given(vm, v)?;
    if !v.is_none() && v.cast::<Tuple>().is_none() {
        return Err(vm.type_error(format!("Expected tuple, got {}", vm.type_name(v))));
    }
    w.0.args.set(vm, w.0, (!v.is_none()).then_some(v));
    Ok(())
}

fn repr(vm: &Vm, w: Arg) -> R<String> {
    let w = w.0;
    vm.check_depth()?;
    let shown = vm.call_method(w.value(), "_format", &[])?;
    let mut text =
        format!("<{} at {:#x}{}", vm.type_name(w.value()), w.value().bits(), vm.str_string(shown)?);
    for (on, word) in [(w.active.get(), " active"), (w.pending.get(), " pending")] {
        if on {
            text += word;
        }
    }
    for (name, field) in [("callback", &w.callback), ("args", &w.args)] {
        if let Some(v) = field.get() {
            text += &format!(" {name}={}", vm.repr_string(v)?);
        }
    }
    Ok(text + ">")
}

/// As the loop knows it: one out of range is the nearest.
fn priority(n: i64) -> i8 {
    n.clamp(-2, 2) as i8
}

/// What all watchers begin with.
fn fresh(
    vm: &Vm,
    ty: Ref<Type>,
    def: &'static TypeDef,
    event_loop: Value,
    common: (Kind, Option<Value>, Option<Value>),
) -> R<WatcherRef> {
    let (kind, referenced, level) = common;
    check_class(vm, ty, def)?;
    let Some(event_loop) = event_loop.cast::<Ext<Loop>>() else {
        let got = vm.type_name(event_loop);
        return Err(vm.type_error(format!(
            "Argument 'loop' has incorrect type (expected gevent.libev.corecext.loop, got {got})"
        )));
    };
    let referenced = referenced.map_or(Ok(true), |v| vm.truth(v))?;
    let level = match level.filter(|v| !v.is_none()) {
        Some(v) => priority(vm.index_i64(v)?),
        None => 0,
    };
    let none = || Field::new(None);
    let w = Watcher {
        event_loop: Field::new(Some(event_loop.value())),
        callback: none(),
        args: none(),
        kind,
        flags: Cell::new(if referenced { 0 } else { UNREFERENCED }),
        priority: Cell::new(level),
        active: Cell::new(false),
        pending: Cell::new(false),
        happened: Cell::new(0),
        place: Cell::new(NOWHERE),
        index: Cell::new(0),
        serial: Cell::new(0),
        number: Cell::new(0),
        events: Cell::new(0),
        renewed: Cell::new(true),
        at: Cell::new(0.0),
        repeat: Cell::new(0.0),
        reported: Cell::new((0, 0)),
        sent: Cell::new(false),
        path: none(),
        stats: RefCell::new(None),
    };
    Ext::new(vm, ty, w)
}

native_type! {
    pub IO: "gevent.libev.corecext.io", Layout::Ext, FLAGS, base base;
    methods {
        [static] "__new__($type, loop, fd, events, ref=True, priority=None)" => new_io;
        "start($self, callback, *args, pass_events=False)" => |vm: &Vm, args: Args<'_>| -> R<()> {
            let (w, callback, rest) = call_of(vm, args, "start")?;
            let pass = option(vm, args, "pass_events", "start")?.map_or(Ok(false), |v| vm.truth(v))?;
            match vm.state::<State>().events.get().filter(|_| pass) {
                None => start(vm, w, callback, rest),
                Some(events) => {
                    let row = skein_runtime::types::list::List::new(vm, &[events])?;
                    for &v in rest {
                        row.push(vm, v)?;
                    }
                    start(vm, w, callback, row.items())
                }
            }
        };
        "_format($self)" => |vm: &Vm, w: Arg| -> R<String> {
            let (fd, events) = (w.0.number.get(), vm.get_attr_str(w.0.value(), "events_str")?);
            Ok(format!(" fd={fd} events={}", vm.str_string(events)?))
        };
    }
    getset {
        "fd" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.number.get().into())), |vm: &Vm, w: Arg, v: Option<Value>| {
            let fd = vm.index_i64(given(vm, v)?)?;
            not_active(vm, w.0, "fd")?;
            check_descriptor(vm, fd)?;
            w.0.number.set(fd as i32);
            w.0.renewed.set(true);
            Ok(())
        };
        "events" => |_: &Vm, w: Arg| Ok(Value::small_int(shown_events(w.0).into())), |vm: &Vm, w: Arg, v: Option<Value>| {
            let events = vm.index_i64(given(vm, v)?)?;
            not_active(vm, w.0, "events")?;
            w.0.events.set(checked_events(vm, events)?);
            w.0.renewed.set(true);
            Ok(())
        };
        "events_str" => |vm: &Vm, w: Arg| {
            let names: Vec<&str> = [(READ, "READ"), (WRITE, "WRITE"), (FD_SET, "_IOFDSET")]
                .iter().filter(|(bit, _)| shown_events(w.0) & bit != 0).map(|(_, name)| *name).collect();
            vm.str(&names.join("|"))
        };
    }
}

/// A bit that gevent lets through, and shows as long as the descriptor was not watched.
const FD_SET: i32 = 0x80;

fn shown_events(w: WatcherRef) -> i32 {
    w.events.get() | if w.renewed.get() { FD_SET } else { 0 }
}

fn not_active(vm: &Vm, w: WatcherRef, name: &str) -> R<()> {
    if w.active.get() {
        return Err(vm.attribute_error(format!(
            "'io' watcher attribute '{name}' is read-only while watcher is active"
        )));
    }
    Ok(())
}

/// ValueError, OSError.
fn check_descriptor(vm: &Vm, fd: i64) -> R<()> {
    if fd < 0 {
        return Err(vm.value_error(format!("fd must be non-negative: {fd}")));
    }
    // SAFETY: asks only.
    if i32::try_from(fd).is_err() || unsafe { libc::fcntl(fd as i32, libc::F_GETFD) } < 0 {
        return Err(vm.os_error(libc::EBADF, None));
    }
    Ok(())
}

fn checked_events(vm: &Vm, events: i64) -> R<i32> {
    if events & !i64::from(READ | WRITE | FD_SET) != 0 {
        return Err(vm.value_error(format!("illegal event mask: {events}")));
    }
    Ok(events as i32)
}

pub fn new_io(
    vm: &Vm,
    ty: Ref<Type>,
    event_loop: Value,
    fd: i64,
    events: i64,
    referenced: Option<Value>,
    level: Option<Value>,
) -> R<WatcherRef> {
    if fd < 0 {
        check_descriptor(vm, fd)?;
    }
    let events = checked_events(vm, events)?;
    check_descriptor(vm, fd)?;
    let w = fresh(vm, ty, &IO, event_loop, (Kind::Io, referenced, level))?;
    w.number.set(fd as i32);
    w.events.set(events);
    Ok(w)
}

native_type! {
    pub TIMER: "gevent.libev.corecext.timer", Layout::Ext, FLAGS, base base;
    methods {
        [static] "__new__($type, loop, after=0.0, repeat=0.0, ref=True, priority=None)" => new_timer;
        "start($self, callback, *args, update=None)" => |vm: &Vm, args: Args<'_>| -> R<()> {
            let (w, callback, rest) = call_of(vm, args, "start")?;
            let event_loop = loop_of(vm, w)?;
            let update = match option(vm, args, "update", "start")?.filter(|v| !v.is_none()) {
                Some(v) => vm.truth(v)?,
                None => event_loop.may_update.get(),
            };
            if update {
                event_loop.update_now();
            }
            start(vm, w, callback, rest)
        };
        "again($self, callback, *args, update=True)" => |vm: &Vm, args: Args<'_>| -> R<()> {
            let (w, callback, rest) = call_of(vm, args, "again")?;
            let update = option(vm, args, "update", "again")?.map_or(Ok(true), |v| vm.truth(v))?;
            again(vm, w, callback, rest, update)
        };
    }
    getset { "at" => |vm: &Vm, w: Arg| vm.float(w.0.at.get()); }
}

pub fn new_timer(
    vm: &Vm,
    ty: Ref<Type>,
    event_loop: Value,
    after: Option<f64>,
    repeat: Option<f64>,
    referenced: Option<Value>,
    level: Option<Value>,
) -> R<WatcherRef> {
    let repeat = repeat.unwrap_or(0.0);
    if repeat < 0.0 {
        let shown = vm.float(repeat)?;
        return Err(vm.value_error(format!("repeat must be positive or zero: {}", vm.repr_string(shown)?)));
    }
    let w = fresh(vm, ty, &TIMER, event_loop, (Kind::Timer, referenced, level))?;
    w.at.set(after.unwrap_or(0.0));
    w.repeat.set(repeat);
    Ok(w)
}

native_type! {
    pub SIGNAL: "gevent.libev.corecext.signal", Layout::Ext, FLAGS, base base;
    methods { [static] "__new__($type, loop, signalnum, ref=True, priority=None)" => new_signal; }
}

pub fn new_signal(
    vm: &Vm,
    ty: Ref<Type>,
    event_loop: Value,
    n: i64,
    referenced: Option<Value>,
    level: Option<Value>,
) -> R<WatcherRef> {
    if n < 1 || n >= COUNT as i64 {
        return Err(vm.value_error(format!("illegal signal number: {n}")));
    }
    let w = fresh(vm, ty, &SIGNAL, event_loop, (Kind::Signal, referenced, level))?;
    w.number.set(n as i32);
    Ok(w)
}

/// Kinds of watchers that are made of nothing but the loop.
macro_rules! plain {
    ($($def:ident $name:literal $kind:ident $new:ident { $($methods:tt)* } { $($getset:tt)* };)*) => {$(
        native_type! {
            pub $def: $name, Layout::Ext, FLAGS, base base;
            methods { [static] "__new__($type, loop, ref=True, priority=None)" => $new; $($methods)* }
            getset { $($getset)* }
        }
        pub fn $new(vm: &Vm, ty: Ref<Type>, event_loop: Value, referenced: Option<Value>, level: Option<Value>) -> R<WatcherRef> {
            fresh(vm, ty, &$def, event_loop, (Kind::$kind, referenced, level))
        }
    )*};
}

plain! {
    IDLE "gevent.libev.corecext.idle" Idle new_idle {} {};
    PREPARE "gevent.libev.corecext.prepare" Prepare new_prepare {} {};
    CHECK "gevent.libev.corecext.check" Check new_check {} {};
    FORK "gevent.libev.corecext.fork" Fork new_fork {} {};
    ASYNC "gevent.libev.corecext.async_" Async new_async {
        "send($self)" => |vm: &Vm, w: Arg| send(vm, w), "Has the callback called, from any thread.";
        "send_ignoring_arg($self, _ignored)" => |vm: &Vm, w: Arg, _: Value| send(vm, w);
    } { "pending" => |_: &Vm, w: Arg| Ok(Value::bool(w.0.sent.get())); };
}

fn send(vm: &Vm, w: Arg) -> R<()> {
    let event_loop = loop_of(vm, w.0)?;
    w.0.sent.set(true);
    event_loop.wake();
    Ok(())
}

native_type! {
    pub CHILD: "gevent.libev.corecext.child", Layout::Ext, FLAGS, base base;
    methods {
        [static] "__new__($type, loop, pid, trace=0, ref=True)" => new_child;
        "_format($self)" => |_: &Vm, w: Arg| format!(" pid={} rstatus={}", w.0.number.get(), w.0.reported.get().1);
    }
    getset {
        "pid" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.number.get().into()));
        "rpid" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.reported.get().0.into())), |vm: &Vm, w: Arg, v: Option<Value>| {
            let n = vm.index_i64(given(vm, v)?)? as i32;
            w.0.reported.set((n, w.0.reported.get().1));
            Ok(())
        };
        "rstatus" => |_: &Vm, w: Arg| Ok(Value::small_int(w.0.reported.get().1.into())), |vm: &Vm, w: Arg, v: Option<Value>| {
            let n = vm.index_i64(given(vm, v)?)? as i32;
            w.0.reported.set((w.0.reported.get().0, n));
            Ok(())
        };
    }
}

pub fn new_child(
    vm: &Vm,
    ty: Ref<Type>,
    event_loop: Value,
    pid: i32,
    trace: Option<Value>,
    referenced: Option<Value>,
) -> R<WatcherRef> {
    let trace = trace.map_or(Ok(false), |v| vm.truth(v))?;
    if let Some(l) = event_loop.cast::<Ext<Loop>>() {
        check_loop(vm, l)?;
        if !l.is_default.get() {
            return Err(vm.type_error("child watchers are only available on the default loop"));
        }
        super::run::watch_children(vm, l)?;
    }
    let w = fresh(vm, ty, &CHILD, event_loop, (Kind::Child, referenced, None))?;
    w.number.set(pid);
    w.events.set(trace.into());
    Ok(w)
}

native_type! {
    pub STAT: "gevent.libev.corecext.stat", Layout::Ext, FLAGS, base base;
    methods { [static] "__new__($type, loop, path, interval=0.0, ref=True, priority=None)" => new_stat; }
    getset {
        "path" => |vm: &Vm, w: Arg| match w.0.path.get() {
            Some(encoded) => vm.call(super::find(vm, "os", "fsdecode")?, &[encoded]),
            None => Ok(Value::NONE),
        };
        "_paths" => |_: &Vm, w: Arg| Ok(w.0.path.or_none());
        "interval" => |vm: &Vm, w: Arg| vm.float(w.0.repeat.get());
        "attr" => |vm: &Vm, w: Arg| shown(vm, w.0, false);
        "prev" => |vm: &Vm, w: Arg| shown(vm, w.0, true);
    }
}

/// A file's state as `os.stat` shows it; None for one that is missing.
fn shown(vm: &Vm, w: WatcherRef, before: bool) -> R<Value> {
    let st = w.stats.borrow().as_ref().map(|pair| if before { pair.1 } else { pair.0 });
    match st.filter(|st| st.st_nlink != 0) {
        Some(st) => crate::modules::posix::stat_result(vm, &st),
        None => Ok(Value::NONE),
    }
}

pub fn new_stat(
    vm: &Vm,
    ty: Ref<Type>,
    event_loop: Value,
    path: Value,
    interval: Option<f64>,
    referenced: Option<Value>,
    level: Option<Value>,
) -> R<WatcherRef> {
    if path.cast::<Str>().is_none() {
        return Err(vm.type_error(format!("Expected str, got {}", vm.type_name(path))));
    }
    let encoded = vm.call(super::find(vm, "os", "fsencode")?, &[path])?;
    let w = fresh(vm, ty, &STAT, event_loop, (Kind::Stat, referenced, level))?;
    w.path.set(vm, w, encoded);
    w.repeat.set(interval.unwrap_or(0.0));
    Ok(w)
}

native_type! {
    pub CALLBACK: "gevent.libev.corecext.callback", Layout::Ext, type_flags::HAS_WEAKREF, "A function that the loop calls once.";
    methods {
        [static] "__new__($type, callback, args)" => |vm: &Vm, ty: Ref<Type>, f: Value, args: Ref<Tuple>| -> R<Ref<Ext<Callback>>> {
            check_class(vm, ty, &CALLBACK)?;
            Ext::new(vm, ty, Callback { callback: Field::new(Some(f)), args: Field::new(Some(args.value())) })
        };
        "stop($self)" => stop_callback, "It is not to be called any more.";
        "close($self)" => stop_callback;
        "__bool__($self, /)" => |_: &Vm, c: ExtArg<Callback>| c.0.args.get().is_some();
        "__repr__($self, /)" => |vm: &Vm, c: ExtArg<Callback>| -> R<String> {
            let mut text = format!("<callback at {:#x}", c.0.value().bits());
            if c.0.callback.get().is_some() {
                text += " pending";
            }
            for (name, field) in [("callback", &c.0.callback), ("args", &c.0.args)] {
                if let Some(v) = field.get() {
                    text += &format!(" {name}={}", vm.repr_string(v)?);
                }
            }
            if c.0.callback.get().is_none() && c.0.args.get().is_none() {
                text += " stopped";
            }
            Ok(text + ">")
        };
        "_format($self)" => |_: &Vm, _: ExtArg<Callback>| "";
    }
    getset {
        "callback" => |_: &Vm, c: ExtArg<Callback>| Ok(c.0.callback.or_none()), |vm: &Vm, c: ExtArg<Callback>, v: Option<Value>| {
            c.0.callback.set(vm, c.0, v.filter(|v| !v.is_none()));
            Ok(())
        };
        "args" => |_: &Vm, c: ExtArg<Callback>| Ok(c.0.args.or_none()), |vm: &Vm, c: ExtArg<Callback>, v: Option<Value>| {
            c.0.args.set(vm, c.0, v.filter(|v| !v.is_none()));
            Ok(())
        };
        "pending" => |_: &Vm, c: ExtArg<Callback>| Ok(Value::bool(c.0.callback.get().is_some()));
    }
}

fn stop_callback(_: &Vm, c: ExtArg<Callback>) {
    c.0.callback.init(None);
    c.0.args.init(None);
}

/// A callback at the end of the loop's row. MemoryError.
pub fn run_callback(vm: &Vm, event_loop: LoopRef, f: Value, args: &[Value]) -> R<Ref<Ext<Callback>>> {
    let args = Tuple::new(vm, args)?;
    let callback = Callback { callback: Field::new(Some(f)), args: Field::new(Some(args.value())) };
    let c = Ext::new(vm, ext_type(vm, &CALLBACK)?, callback)?;
    event_loop.barrier(vm);
    let mut row = event_loop.callbacks.borrow_mut();
    row.try_reserve(1).map_err(|_| vm.memory_error())?;
    row.push_back(c.value());
    event_loop.active.set(event_loop.active.get() + 1);
    Ok(c)
}
