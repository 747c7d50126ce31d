//! Locks: `_thread.lock` and `_thread.RLock`.
//!
//! Their state is the isolate's, as that of any object: whoever looks at it holds the interpreter's lock. A
//! released lock is free for whoever comes; the first of those that wait is told.

use super::timeout::{Timeout, deadline};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::threads::gil::Parked;
use skein_runtime::threads::wait::WaitList;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, check_class};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;
use std::time::Instant;

/// A lock.
#[derive(Default)]
pub struct Lock {
    held: Cell<bool>,
    waiting: WaitList,
}

impl Payload for Lock {
    const NAME: &'static str = "lock";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Lock { held: _, waiting: _ } = self;
    }
}

native_type! {
    pub LOCK: "_thread.lock", Kind::Ext, type_flags::HAS_WEAKREF,
        "A lock object is a synchronization primitive.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_lock;
        "acquire($self, /, blocking=True, timeout=-1)" => acquire, "Lock the lock.";
        "acquire_lock($self, /, blocking=True, timeout=-1)" => acquire;
        "release($self, /)" => release, "Release the lock.";
        "release_lock($self, /)" => release;
        "locked($self, /)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.get(), "Return whether the lock is in the locked state.";
        "locked_lock($self, /)" => |_: &Vm, l: ExtArg<Lock>| l.0.held.get();
        "__enter__($self, /)" => |vm: &Vm, l: ExtArg<Lock>| acquire(vm, l, None, None);
        "__exit__($self, /, *exc_info)" => |vm: &Vm, args: Args<'_>| release(vm, receiver(vm, args)?);
        "_at_fork_reinit($self, /)" => |_: &Vm, l: ExtArg<Lock>| {
            l.0.held.set(false);
            l.0.waiting.forget();
        };
        "__repr__($self, /)" => |_: &Vm, l: ExtArg<Lock>| {
            let state = if l.0.held.get() { "locked" } else { "unlocked" };
            format!("<{state} _thread.lock object at {:#x}>", l.0.value().bits())
        };
    }
}

fn receiver<T: Payload>(vm: &Vm, args: Args<'_>) -> R<ExtArg<T>> {
    match args.positional().first().and_then(|v| v.cast::<Ext<T>>()) {
        Some(l) => Ok(ExtArg(l)),
        None => Err(vm.type_error(format!("descriptor '__exit__' requires a '{}' object", T::NAME))),
    }
}

fn new_lock(vm: &Vm, args: Args<'_>) -> R<Value> {
    let rest = args.rest();
    if rest.has_keywords() {
        return Err(vm.type_error("lock() takes no keyword arguments"));
    }
    match rest.positional().len() {
        0 => make(vm).map(|l| l.value()),
        n => Err(vm.type_error(format!("lock expected 0 arguments, got {n}"))),
    }
}

/// A new lock. MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Ext<Lock>>> {
    Ext::new(vm, skein_runtime::types::ext::ext_type(vm, &LOCK)?, Lock::default())
}

/// Waits until `take` is true. False: the time is over.
fn wait_for(
    vm: &Vm,
    waiting: &WaitList,
    until: Timeout,
    is_free: impl Fn() -> bool,
    take: impl Fn(),
) -> R<bool> {
    let until = match until {
        _ if is_free() => {
            take();
            return Ok(true);
        }
        Timeout::No => return Ok(false),
        Timeout::Forever => None,
        Timeout::Until(t) => Some(t),
    };
    let mut again = false;
    loop {
        let how = waiting.wait(vm, until, again);
        if is_free() {
            take();
            return Ok(true);
        }
        match how {
            Parked::Called => again = true,
            Parked::TimedOut => return Ok(false),
            Parked::Interrupted => {
                again = false;
                vm.check_signals()?;
                if is_free() {
                    take();
                    return Ok(true);
                }
                if until.is_some_and(|t| t <= Instant::now()) {
                    return Ok(false);
                }
            }
        }
    }
}

fn acquire(vm: &Vm, lock: ExtArg<Lock>, blocking: Option<bool>, timeout: Option<Value>) -> R<bool> {
    let lock = lock.0;
    if !lock.held.get() && timeout.is_none() {
        lock.held.set(true);
        return Ok(true);
    }
    let until = deadline(vm, blocking.unwrap_or(true), timeout)?;
    wait_for(vm, &lock.waiting, until, || !lock.held.get(), || lock.held.set(true))
}

fn release(vm: &Vm, lock: ExtArg<Lock>) -> R<()> {
    if !lock.0.held.replace(false) {
        return Err(vm.runtime_error("release unlocked lock"));
    }
    lock.0.waiting.wake_one(vm);
    Ok(())
}

/// A reentrant lock: who holds it (0: nobody), and how often.
#[derive(Default)]
pub struct RLock {
    owner: Cell<u64>,
    count: Cell<u64>,
    waiting: WaitList,
}

impl Payload for RLock {
    const NAME: &'static str = "_thread.RLock";
    fn trace(&self, _: &mut Tracer<'_>) {
        let RLock { owner: _, count: _, waiting: _ } = self;
    }
}

native_type! {
    pub RLOCK: "_thread.RLock", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_rlock;
        "acquire($self, /, blocking=True, timeout=-1)" => acquire_rlock, "Lock the lock.";
        "release($self, /)" => release_rlock, "Release the lock.";
        "locked($self, /)" => |_: &Vm, l: ExtArg<RLock>| l.0.count.get() > 0, "Return a boolean indicating whether this object is locked right now.";
        "_is_owned($self, /)" => |vm: &Vm, l: ExtArg<RLock>| l.0.is_mine(vm);
        "_recursion_count($self, /)" => |vm: &Vm, l: ExtArg<RLock>| -> R<Value> {
            vm.int_u64(if l.0.is_mine(vm) { l.0.count.get() } else { 0 })
        };
        "_release_save($self, /)" => release_save;
        "_acquire_restore($self, state, /)" => acquire_restore;
        "__enter__($self, /)" => |vm: &Vm, l: ExtArg<RLock>| acquire_rlock(vm, l, None, None);
        "__exit__($self, /, *exc_info)" => |vm: &Vm, args: Args<'_>| release_rlock(vm, receiver(vm, args)?);
        "_at_fork_reinit($self, /)" => |_: &Vm, l: ExtArg<RLock>| {
            l.0.owner.set(0);
            l.0.count.set(0);
            l.0.waiting.forget();
        };
        "__repr__($self, /)" => repr_rlock;
    }
}

impl RLock {
    fn is_mine(&self, vm: &Vm) -> bool {
        self.count.get() > 0 && self.owner.get() == vm.threads.current().ident()
    }
}

fn new_rlock(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("RLock.__new__(): not enough arguments"));
    };
    check_class(vm, ty, &RLOCK)?;
    let n = args.rest().parts().0.len();
    if n > 0 && ty.def().is_some_and(|d| std::ptr::eq(d, &RLOCK)) {
        return Err(vm.type_error(format!("RLock() takes no arguments ({n} given)")));
    }
    Ok(Ext::new(vm, ty, RLock::default())?.value())
}

fn acquire_rlock(vm: &Vm, lock: ExtArg<RLock>, blocking: Option<bool>, timeout: Option<Value>) -> R<bool> {
    let until = match timeout {
        None if blocking.unwrap_or(true) => Timeout::Forever,
        timeout => deadline(vm, blocking.unwrap_or(true), timeout)?,
    };
    take_rlock(vm, lock.0, until, 1)
}

fn take_rlock(vm: &Vm, lock: Ref<Ext<RLock>>, until: Timeout, count: u64) -> R<bool> {
    if lock.is_mine(vm) {
        lock.count.set(lock.count.get() + count);
        return Ok(true);
    }
    let me = vm.threads.current().ident();
    let take = || {
        lock.owner.set(me);
        lock.count.set(count);
    };
    wait_for(vm, &lock.waiting, until, || lock.count.get() == 0, take)
}

fn release_rlock(vm: &Vm, lock: ExtArg<RLock>) -> R<()> {
    let lock = lock.0;
    if !lock.is_mine(vm) {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    lock.count.set(lock.count.get() - 1);
    if lock.count.get() == 0 {
        lock.owner.set(0);
        lock.waiting.wake_one(vm);
    }
    Ok(())
}

/// For conditions: releases it however often it is held.
fn release_save(vm: &Vm, lock: ExtArg<RLock>) -> R<Value> {
    let lock = lock.0;
    if lock.count.get() == 0 {
        return Err(vm.runtime_error("cannot release un-acquired lock"));
    }
    let state = vm.tuple(&[vm.int_u64(lock.count.get())?, vm.int_u64(lock.owner.get())?])?;
    lock.count.set(0);
    lock.owner.set(0);
    lock.waiting.wake_one(vm);
    Ok(state)
}

fn acquire_restore(vm: &Vm, lock: ExtArg<RLock>, state: Value) -> R<()> {
    let parts = state.cast::<Tuple>();
    let number = |i: usize| {
        let v = parts.as_ref().and_then(|t| t.items().get(i).copied());
        v.and_then(|v| vm.as_i64(v)).filter(|&n| n >= 0).map(|n| n as u64)
    };
    let (Some(count), Some(owner)) = (number(0), number(1)) else {
        return Err(vm.type_error("_acquire_restore() argument must be a tuple of two integers"));
    };
    take_rlock(vm, lock.0, Timeout::Forever, count)?;
    lock.0.owner.set(owner);
    Ok(())
}

fn repr_rlock(vm: &Vm, lock: Ref<Ext<RLock>>) -> String {
    let state = if lock.count.get() > 0 { "locked" } else { "unlocked" };
    let (owner, count) = (lock.owner.get(), lock.count.get());
    let name = vm.type_of(lock.value()).message_name();
    format!("<{state} {name} object owner={owner} count={count} at {:#x}>", lock.value().bits())
}
