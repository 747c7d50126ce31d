//! Running a loop: `corecext.py` asks for what is to be called next (`take`), calls it (`fire`), and tells of its
//! failure (`failed`). So the callbacks run in the interpreter's loop, and no native stack is held while they switch.
//!
//! ```text
//! a round:  forks | prepare watchers | functions of run_callback | wait | all that has happened
//! ```

use super::poller::Found;
use super::state::{
    Break, Callback, Kind, Loop, LoopRef, MIN_PRIORITY, PRIORITIES, Watcher, events, feed, nanoseconds,
    next_due,
};
use super::watch::{add_timer, check_loop, deactivate, finish};
use super::{signals, stat};
use skein_runtime::interp::{At, SoftCall, call_soft};
use skein_runtime::native::Args;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};
use std::cell::Cell;
use std::time::Duration;

/// Where in a round a run of the loop is.
#[derive(Clone, Copy)]
enum Stage {
    Begin,
    Forks,
    Prepares,
    Callbacks,
    Wait,
    Events,
    End,
}

/// A call of `loop.run`.
pub struct Run {
    event_loop: Field,
    stage: Cell<Stage>,
    nowait: bool,
    once: bool,
    /// What was taken last is being called, and has failed.
    firing: Cell<bool>,
    failed: Cell<bool>,
    /// Functions until the clock is looked at, and when waiting events are to have their turn.
    count: Cell<u32>,
    expires: Cell<f64>,
}

type RunRef = Ref<Ext<Run>>;

impl Payload for Run {
    const NAME: &'static str = "run";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.event_loop.trace(t);
    }
}

/// So many functions are called before the clock is looked at.
const BETWEEN_LOOKS: u32 = 50;
/// The system's wait ends after so many seconds at the latest.
const LONGEST_WAIT: f64 = 59.743;

/// ValueError.
pub fn begin(vm: &Vm, event_loop: ExtArg<Loop>, nowait: bool, once: bool) -> R<RunRef> {
    let event_loop = check_loop(vm, event_loop.0)?;
    event_loop.depth.set(event_loop.depth.get() + 1);
    event_loop.done.set(Break::No);
    let run = Run {
        event_loop: Field::new(Some(event_loop.value())),
        stage: Cell::new(Stage::Begin),
        nowait,
        once: once || nowait,
        firing: Cell::new(false),
        failed: Cell::new(false),
        count: Cell::new(0),
        expires: Cell::new(0.0),
    };
    Ext::internal(vm, run)
}

/// What is to be called next: a watcher or a callback; None: the loop has ended. `last` was taken before.
pub fn take(vm: &Vm, run: ExtArg<Run>, last: Value) -> R<Value> {
    let run = run.0;
    let Some(event_loop) = run.event_loop.cast::<Ext<Loop>>() else { return Ok(Value::NONE) };
    if run.firing.replace(false) {
        over(vm, run, last)?;
    }
    loop {
        if event_loop.destroyed.get() {
            run.stage.set(Stage::End);
        }
        let stage = match run.stage.get() {
            Stage::Begin => {
                after_fork(vm, event_loop)?;
                Stage::Forks
            }
            Stage::Forks => match next_due(event_loop) {
                Some(w) => return fire_next(run, w.value()),
                None => {
                    feed_all(event_loop, Kind::Prepare, events::PREPARE, false);
                    Stage::Prepares
                }
            },
            Stage::Prepares => match next_due(event_loop) {
                Some(w) => return fire_next(run, w.value()),
                None => {
                    event_loop.may_update.set(true);
                    run.count.set(BETWEEN_LOOKS);
                    run.expires.set(event_loop.now.get() + vm.threads.gil().interval().as_secs_f64());
                    Stage::Callbacks
                }
            },
            Stage::Callbacks => match next_callback(event_loop, run) {
                Some(c) => return fire_next(run, c),
                None => {
                    event_loop.may_update.set(false);
                    Stage::Wait
                }
            },
            Stage::Wait => match next_due(event_loop) {
                Some(w) => return fire_next(run, w.value()),
                None if event_loop.done.get() != Break::No => Stage::End,
                None => {
                    event_loop.iteration.set(event_loop.iteration.get() + 1);
                    wait(vm, event_loop, run.nowait)?;
                    Stage::Events
                }
            },
            Stage::Events => match next_due(event_loop) {
                Some(w) => return fire_next(run, w.value()),
                None if event_loop.active.get() <= 0 || run.once => Stage::End,
                None if event_loop.done.get() != Break::No => Stage::End,
                None => Stage::Begin,
            },
            Stage::End => {
                if event_loop.done.get() == Break::One {
                    event_loop.done.set(Break::No);
                }
                event_loop.depth.set(event_loop.depth.get() - 1);
                return Ok(Value::NONE);
            }
        };
        run.stage.set(stage);
    }
}

#[inline(always)]
fn fire_next(run: RunRef, v: Value) -> R<Value> {
    run.firing.set(true);
    Ok(v)
}

/// The call of what was taken is over.
fn over(vm: &Vm, run: RunRef, last: Value) -> R<()> {
    let failed = run.failed.replace(false);
    if let Some(c) = last.cast::<Ext<Callback>>() {
        c.args.init(None);
        return Ok(());
    }
    match last.cast::<Ext<Watcher>>() {
        Some(w) => finish(vm, w, failed),
        None => Ok(()),
    }
}

/// The next function that `run_callback` was given, as long as these have their turn.
fn next_callback(event_loop: LoopRef, run: RunRef) -> Option<Value> {
    loop {
        if run.count.get() == 0 && !event_loop.callbacks.borrow().is_empty() {
            run.count.set(BETWEEN_LOOKS);
            event_loop.update_now();
            if event_loop.now.get() >= run.expires.get() {
                return None;
            }
        }
        let Some(v) = event_loop.callbacks.borrow_mut().pop_front() else {
            event_loop.update_now();
            return None;
        };
        event_loop.active.set(event_loop.active.get() - 1);
        run.count.set(run.count.get().saturating_sub(1));
        if v.cast::<Ext<Callback>>().is_some_and(|c| c.callback.get().is_some() && c.args.get().is_some()) {
            return Some(v);
        }
    }
}

fn feed_all(event_loop: LoopRef, kind: Kind, what: i32, first: bool) {
    if event_loop.is_watched(kind) {
        for w in event_loop.all(kind) {
            feed(event_loop, w, what, first);
        }
    }
}

/// In a child process what the system was told is told again.
fn after_fork(vm: &Vm, event_loop: LoopRef) -> R<()> {
    let forks = super::forks();
    if event_loop.forks.replace(forks) == forks {
        return Ok(());
    }
    renew(vm, event_loop)?;
    feed_all(event_loop, Kind::Fork, events::FORK, false);
    Ok(())
}

/// OSError.
fn renew(vm: &Vm, event_loop: LoopRef) -> R<()> {
    let old = event_loop.poller.borrow().wake_fd();
    if let Err(e) = event_loop.poller.borrow_mut().reopen() {
        return Err(vm.os_error(e.raw_os_error().unwrap_or(libc::EMFILE), None));
    }
    signals::moved(old, event_loop.poller.borrow().wake_fd());
    let inotify = event_loop.inotify.replace(-1);
    if inotify >= 0 {
        event_loop.poller.borrow_mut().remove(inotify, stat::INOTIFY);
        // SAFETY: this loop's descriptor, which is the parent's too.
        unsafe { libc::close(inotify) };
        for w in event_loop.all(Kind::Stat) {
            stat::begin(event_loop, w);
        }
    }
    Ok(())
}

/// `loop.reinit()`: as after a fork.
pub fn reinit(_: &Vm, event_loop: ExtArg<Loop>) {
    event_loop.0.forks.set(super::forks().wrapping_sub(1));
}

/// How long to wait in the system: until the next timer, or not at all.
fn patience(event_loop: LoopRef, nowait: bool) -> Option<Duration> {
    let ready = nowait
        || event_loop.active.get() <= 0
        || event_loop.is_watched(Kind::Idle)
        || event_loop.woken.get()
        || !event_loop.callbacks.borrow().is_empty();
    if ready {
        return Some(Duration::ZERO);
    }
    let is_live = |place, serial| event_loop.watcher(place, serial).is_some();
    let now = nanoseconds(event_loop.monotonic.get());
    let timer = event_loop.timers.borrow_mut().next(is_live).map(|due| due.saturating_sub(now));
    let file = stat::next(event_loop).map(|at| nanoseconds(at - event_loop.monotonic.get()));
    let longest = nanoseconds(LONGEST_WAIT);
    Some(Duration::from_nanos(timer.into_iter().chain(file).fold(longest, u64::min)))
}

/// Waits in the system, and feeds what has happened. What signals' handlers raise, OSError.
fn wait(vm: &Vm, event_loop: LoopRef, nowait: bool) -> R<()> {
    let mut found = Vec::new();
    let ready = event_loop.poller.borrow_mut().prepare(&mut found);
    let timeout = patience(event_loop, nowait || ready);
    let mut waiting = event_loop.poller.borrow_mut().waiting(timeout);
    event_loop.waiting.set(true);
    let result =
        if timeout == Some(Duration::ZERO) { waiting.run() } else { vm.without_gil(|| waiting.run()) };
    event_loop.waiting.set(false);
    let n = *result.as_ref().unwrap_or(&0);
    let woken =
        event_loop.poller.borrow_mut().waited(waiting, n, &mut found) | event_loop.woken.replace(false);
    event_loop.update_now();
    gather(vm, event_loop, &found, woken)?;
    match result {
        Err(e) if e.raw_os_error() == Some(libc::EINTR) => vm.check_signals(),
        Err(e) => Err(vm.os_error(e.raw_os_error().unwrap_or(libc::EINVAL), None)),
        Ok(_) => Ok(()),
    }
}

fn gather(vm: &Vm, event_loop: LoopRef, found: &[Found], woken: bool) -> R<()> {
    feed_timers(event_loop);
    for f in found {
        match *f {
            Found::Ready(fd, what) => feed_fd(event_loop, fd, what),
            Found::Bad(fd) => kill_fd(event_loop, fd),
        }
    }
    if woken {
        feed_sent(vm, event_loop)?;
    }
    if event_loop.is_watched(Kind::Stat) {
        stat::poll(event_loop);
    }
    if event_loop.is_watched(Kind::Idle) {
        feed_idle(event_loop);
    }
    feed_all(event_loop, Kind::Check, events::CHECK, true);
    Ok(())
}

fn feed_timers(event_loop: LoopRef) {
    let now = nanoseconds(event_loop.monotonic.get());
    let is_live = |place, serial| event_loop.watcher(place, serial).is_some();
    loop {
        let taken = event_loop.timers.borrow_mut().take(now, is_live);
        let Some(w) = taken.and_then(|place| event_loop.watcher_at(place)) else { return };
        let repeat = w.repeat.get();
        if repeat > 0.0 {
            w.at.set((w.at.get() + repeat).max(event_loop.monotonic.get()));
        } else {
            deactivate(event_loop, w);
        }
        feed(event_loop, w, events::TIMER, false);
        if repeat > 0.0 {
            add_timer(event_loop, w);
        }
    }
}

/// Something has happened on a descriptor.
pub fn feed_fd(event_loop: LoopRef, fd: i32, what: i32) {
    if fd == event_loop.inotify.get() {
        return stat::changed(event_loop);
    }
    let watchers: Vec<(u32, i32)> = event_loop.poller.borrow().watchers(fd, what).collect();
    for (place, what) in watchers {
        if let Some(w) = event_loop.watcher_at(place) {
            feed(event_loop, w, what, false);
        }
    }
}

/// A descriptor that cannot be watched: its watchers are stopped and told.
fn kill_fd(event_loop: LoopRef, fd: i32) {
    let all = super::poller::READ | super::poller::WRITE;
    let watchers: Vec<(u32, i32)> = event_loop.poller.borrow().watchers(fd, all).collect();
    for (place, _) in watchers {
        if let Some(w) = event_loop.watcher_at(place) {
            deactivate(event_loop, w);
            feed(event_loop, w, events::ERROR | all, false);
        }
    }
}

/// Idle watchers have their turn where nothing of their priority or a higher one has happened.
fn feed_idle(event_loop: LoopRef) {
    for level in (0..PRIORITIES).rev() {
        if !event_loop.due.borrow()[level].is_empty() {
            return;
        }
        let mut any = false;
        for w in event_loop.all(Kind::Idle) {
            if (w.priority.get() as i64 - MIN_PRIORITY) as usize == level {
                feed(event_loop, w, events::IDLE, false);
                any = true;
            }
        }
        if any {
            return;
        }
    }
}

/// Signals that have come in, and async watchers that were sent to.
fn feed_sent(vm: &Vm, event_loop: LoopRef) -> R<()> {
    if event_loop.is_watched(Kind::Async) {
        for w in event_loop.all(Kind::Async) {
            if w.sent.replace(false) {
                feed(event_loop, w, events::ASYNC, false);
            }
        }
    }
    if event_loop.is_watched(Kind::Signal) {
        let all = event_loop.all(Kind::Signal);
        for n in 1..signals::COUNT as i32 {
            if all.iter().any(|w| w.number.get() == n) && signals::arrived(n as usize) {
                if n == libc::SIGCHLD && event_loop.watches_children.get() {
                    reap(event_loop);
                }
                for w in all.iter().filter(|w| w.number.get() == n) {
                    feed(event_loop, *w, events::SIGNAL, false);
                }
            }
        }
    }
    if event_loop.watches_children.get() && signals::arrived(libc::SIGCHLD as usize) {
        reap(event_loop);
    }
    vm.check_signals()
}

/// Takes the states of children that have ended, and tells their watchers.
fn reap(event_loop: LoopRef) {
    loop {
        let mut status = 0;
        // SAFETY: plain data out.
        let pid =
            unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED) };
        if pid <= 0 {
            return;
        }
        let goes_on = libc::WIFSTOPPED(status) || libc::WIFCONTINUED(status);
        for w in event_loop.all(Kind::Child) {
            if (w.number.get() == pid || w.number.get() == 0) && (!goes_on || w.events.get() != 0) {
                w.reported.set((pid, status));
                feed(event_loop, w, events::CHILD, false);
            }
        }
    }
}

/// The default loop is told of children that end. OSError.
pub fn watch_children(vm: &Vm, event_loop: LoopRef) -> R<()> {
    if event_loop.watches_children.get() && signals::owner(libc::SIGCHLD as usize).is_some() {
        return Ok(());
    }
    let fd = event_loop.poller.borrow().wake_fd();
    match signals::watch(libc::SIGCHLD as usize, fd) {
        Some(old) => {
            event_loop.old_sigchld.borrow_mut().get_or_insert(old);
            event_loop.watches_children.set(true);
            Ok(())
        }
        None => Err(vm.last_os_error(None)),
    }
}

/// SIGCHLD does again what it did before.
pub fn leave_children(event_loop: LoopRef) {
    if event_loop.watches_children.replace(false) {
        let old = event_loop.old_sigchld.borrow_mut().take();
        signals::unwatch(libc::SIGCHLD as usize, old.as_ref());
    }
}

/// What the watcher or callback is to be called with, and the arguments.
fn call_of(vm: &Vm, v: Value) -> R<Option<(Value, Ref<Tuple>)>> {
    if let Some(c) = v.cast::<Ext<Callback>>() {
        let f = c.callback.get();
        c.callback.init(None);
        return Ok(f.zip(c.args.cast::<Tuple>()));
    }
    let Some(w) = v.cast::<Ext<Watcher>>() else { return Err(vm.type_error("not a watcher")) };
    let happened = w.happened.replace(0);
    let Some(f) = w.callback.get() else { return Ok(None) };
    let args = match w.args.cast::<Tuple>() {
        Some(args) => args,
        None => Tuple::new(vm, &[])?,
    };
    if args.items().first().is_some_and(|v| vm.state::<super::State>().events.get() == Some(*v)) {
        let row = skein_runtime::types::list::List::new(vm, args.items())?;
        row.store(vm, 0, vm.int(happened.into())?);
        return Ok(Some((f, Tuple::new(vm, row.items())?)));
    }
    Ok(Some((f, args)))
}

/// Calls what was taken.
pub fn fire(vm: &Vm, v: Value) -> R<Value> {
    match call_of(vm, v)? {
        Some((f, args)) => {
            let keep = std::hint::black_box([args.value()]);
            let r = vm.call_args(f, Args::new(args.items(), None));
            std::hint::black_box(&keep);
            r
        }
        None => Ok(Value::NONE),
    }
}

/// In the interpreter's loop, as a call from there.
pub fn fire_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let &[v] = call.args.parts().0 else {
        vm.type_error("fire() takes one argument");
        return call.raised(vm);
    };
    match call_of(vm, v) {
        Ok(Some((f, args))) => {
            // The watcher may get other arguments meanwhile: these stay on the stack.
            let keep = std::hint::black_box([args.value()]);
            let r = call_soft(vm, call.resume, f, Args::new(args.items(), None), call.cont);
            std::hint::black_box(&keep);
            call.go_on(vm, r)
        }
        Ok(None) => call.done(vm, Value::NONE),
        Err(_) => call.raised(vm),
    }
}

/// An exception came out of the call of `last`, or of the loop itself: the context for its handler.
pub fn failed(_: &Vm, run: ExtArg<Run>, last: Value) -> Value {
    if !run.0.firing.get() {
        return Value::NONE;
    }
    run.0.failed.set(true);
    last
}
