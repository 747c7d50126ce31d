//! Starting and stopping watchers.

use super::poller::{READ, WRITE};
use super::signals;
use super::stat;
use super::state::{
    HELD, Kind, Loop, LoopRef, NOWHERE, UNCOUNTED, UNREFERENCED, WatcherRef, feed, hold, let_go, nanoseconds,
};
use skein_runtime::types::ext::Ext;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};

/// ValueError.
pub fn check_loop(vm: &Vm, event_loop: LoopRef) -> R<LoopRef> {
    if event_loop.destroyed.get() {
        Err(vm.value_error("operation on destroyed loop"))
    } else {
        Ok(event_loop)
    }
}

/// The watcher's loop, which must be usable. ValueError.
pub fn loop_of(vm: &Vm, w: WatcherRef) -> R<LoopRef> {
    match w.event_loop.cast::<Ext<Loop>>() {
        Some(event_loop) => check_loop(vm, event_loop),
        None => Err(vm.value_error("the watcher has no loop")),
    }
}

/// TypeError.
pub fn set_callback(vm: &Vm, w: WatcherRef, callback: Value, args: &[Value]) -> R<()> {
    if !vm.is_callable(callback) {
        let shown = vm.repr_string(callback)?;
        return Err(vm.type_error(format!("Expected callable, not {shown}")));
    }
    let args = Tuple::new(vm, args)?;
    w.callback.set(vm, w, callback);
    w.args.set(vm, w, args.value());
    Ok(())
}

fn count(event_loop: LoopRef, by: i64) {
    event_loop.active.set(event_loop.active.get() + by);
}

/// Stops counting a watcher that is not to keep the loop running.
pub fn uncount(event_loop: LoopRef, w: WatcherRef) {
    if w.flags.get() & (UNCOUNTED | UNREFERENCED) == UNREFERENCED {
        count(event_loop, -1);
        w.flags.set(w.flags.get() | UNCOUNTED);
    }
}

pub fn start(vm: &Vm, w: WatcherRef, callback: Value, args: &[Value]) -> R<()> {
    let event_loop = loop_of(vm, w)?;
    set_callback(vm, w, callback, args)?;
    hold(vm, event_loop, w)?;
    if !w.active.get() {
        activate(vm, event_loop, w)?;
    }
    uncount(event_loop, w);
    Ok(())
}

fn activate(vm: &Vm, event_loop: LoopRef, w: WatcherRef) -> R<()> {
    match w.kind {
        Kind::Io => {
            let (fd, events) = (w.number.get(), w.events.get() & (READ | WRITE));
            event_loop.poller.borrow_mut().add(fd, w.place.get(), events, w.renewed.replace(false));
        }
        Kind::Timer => {
            w.at.set(event_loop.monotonic.get() + w.at.get());
            add_timer(event_loop, w);
        }
        kind => {
            if kind == Kind::Signal {
                watch_signal(vm, event_loop, w.number.get() as usize)?;
            }
            if kind == Kind::Stat {
                stat::begin(event_loop, w);
            }
            let mut lists = event_loop.lists.borrow_mut();
            let list = &mut lists[kind as usize];
            list.try_reserve(1).map_err(|_| vm.memory_error())?;
            w.index.set(list.len() as u32);
            list.push(w.place.get());
        }
    }
    w.active.set(true);
    count(event_loop, 1);
    Ok(())
}

pub fn add_timer(event_loop: LoopRef, w: WatcherRef) {
    let due = nanoseconds(w.at.get());
    event_loop.timers.borrow_mut().add(due, w.place.get(), w.serial.get());
}

fn watch_signal(vm: &Vm, event_loop: LoopRef, n: usize) -> R<()> {
    let fd = event_loop.poller.borrow().wake_fd();
    match signals::owner(n) {
        Some(other) if other != fd => Err(vm.value_error(format!("signal {n} is watched by another loop"))),
        Some(_) => Ok(()),
        None if signals::watch(n, fd).is_some() => Ok(()),
        None => Err(vm.last_os_error(None)),
    }
}

/// What a watcher watches is not watched any more; whether it is told of what has happened already is as it was.
pub fn deactivate(event_loop: LoopRef, w: WatcherRef) {
    if !w.active.replace(false) {
        return;
    }
    count(event_loop, -1);
    match w.kind {
        Kind::Io => event_loop.poller.borrow_mut().remove(w.number.get(), w.place.get()),
        Kind::Timer => w.at.set(w.at.get() - event_loop.monotonic.get()),
        kind => {
            let mut lists = event_loop.lists.borrow_mut();
            let list = &mut lists[kind as usize];
            let index = w.index.get() as usize;
            list.swap_remove(index);
            if let Some(&moved) = list.get(index)
                && let Some(other) = event_loop.watcher_at(moved)
            {
                other.index.set(index as u32);
            }
            let n = w.number.get();
            let same = |&place: &u32| event_loop.watcher_at(place).is_some_and(|o| o.number.get() == n);
            if kind == Kind::Signal && !list.iter().any(same) {
                signals::unwatch(n as usize, None);
            }
        }
    }
}

/// A timer's entry in the heap is no longer good.
fn drop_timer(event_loop: LoopRef, w: WatcherRef, was_active: bool) {
    if w.kind == Kind::Timer && was_active {
        w.serial.set(event_loop.next_serial());
        let is_live = |place, serial| event_loop.watcher(place, serial).is_some();
        event_loop.timers.borrow_mut().dropped(is_live);
    }
}

pub fn stop(vm: &Vm, w: WatcherRef) -> R<()> {
    let event_loop = loop_of(vm, w)?;
    if w.flags.get() & UNCOUNTED != 0 {
        count(event_loop, 1);
        w.flags.set(w.flags.get() & !UNCOUNTED);
    }
    w.callback.init(None);
    w.args.init(None);
    w.pending.set(false);
    w.happened.set(0);
    let was_active = w.active.get();
    deactivate(event_loop, w);
    drop_timer(event_loop, w, was_active);
    let_go(event_loop, w);
    Ok(())
}

/// As if `what` had happened to a watcher that need not be active.
pub fn feed_by_hand(vm: &Vm, w: WatcherRef, what: i32, callback: Value, args: &[Value]) -> R<()> {
    let event_loop = loop_of(vm, w)?;
    set_callback(vm, w, callback, args)?;
    hold(vm, event_loop, w)?;
    uncount(event_loop, w);
    feed(event_loop, w, what, false);
    Ok(())
}

/// Begins a timer's time anew: its repeat time, without which it is stopped.
pub fn again(vm: &Vm, w: WatcherRef, callback: Value, args: &[Value], update: bool) -> R<()> {
    let event_loop = loop_of(vm, w)?;
    set_callback(vm, w, callback, args)?;
    hold(vm, event_loop, w)?;
    if update {
        event_loop.update_now();
    }
    w.pending.set(false);
    w.happened.set(0);
    let was_active = w.active.get();
    let repeat = w.repeat.get();
    if was_active {
        drop_timer(event_loop, w, true);
        if repeat > 0.0 {
            w.at.set(event_loop.monotonic.get() + repeat);
            add_timer(event_loop, w);
        } else {
            deactivate(event_loop, w);
        }
    } else if repeat > 0.0 {
        w.at.set(repeat);
        activate(vm, event_loop, w)?;
    }
    uncount(event_loop, w);
    Ok(())
}

pub fn is_referenced(w: WatcherRef) -> bool {
    w.flags.get() & UNREFERENCED == 0
}

/// Whether the watcher keeps the loop running.
pub fn set_referenced(vm: &Vm, w: WatcherRef, on: bool) -> R<()> {
    let event_loop = loop_of(vm, w)?;
    if on == is_referenced(w) {
        return Ok(());
    }
    let flags = w.flags.get();
    if on {
        if flags & UNCOUNTED != 0 {
            count(event_loop, 1);
        }
        w.flags.set(flags & !(UNCOUNTED | UNREFERENCED));
    } else {
        w.flags.set(flags | UNREFERENCED);
        if w.active.get() {
            uncount(event_loop, w);
        }
    }
    Ok(())
}

/// After its callback: a watcher that is not active any more is as if it had been stopped.
pub fn finish(vm: &Vm, w: WatcherRef, failed: bool) -> R<()> {
    let usable = w.event_loop.cast::<Ext<Loop>>().is_some_and(|l| !l.destroyed.get());
    if !usable || w.flags.get() & HELD == 0 {
        return Ok(());
    }
    // A descriptor that stays ready would call a callback that fails again and again.
    if failed && w.kind == Kind::Io || !w.active.get() {
        return stop(vm, w);
    }
    Ok(())
}

/// No watcher of a destroyed loop is in a place.
pub fn forget_all(event_loop: LoopRef) {
    for v in event_loop.places.take() {
        if let Some(w) = v.cast::<Ext<super::state::Watcher>>() {
            w.place.set(NOWHERE);
            w.active.set(false);
            w.pending.set(false);
            w.flags.set(w.flags.get() & !(HELD | UNCOUNTED));
        }
    }
}
