//! What a loop and its watchers consist of.

use super::poller::Poller;
use super::timers::Timers;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::{R, Value, Vm};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Priorities, from the lowest; their names begin with -2.
pub const PRIORITIES: usize = 5;
pub const MIN_PRIORITY: i64 = -2;

pub mod events {
    pub const TIMER: i32 = 0x100;
    pub const SIGNAL: i32 = 0x400;
    pub const CHILD: i32 = 0x800;
    pub const STAT: i32 = 0x1000;
    pub const IDLE: i32 = 0x2000;
    pub const PREPARE: i32 = 0x4000;
    pub const CHECK: i32 = 0x8000;
    pub const FORK: i32 = 0x2_0000;
    pub const ASYNC: i32 = 0x8_0000;
    pub const ERROR: i32 = i32::MIN;
}

/// What a watcher watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Io,
    Timer,
    /// The others stand in lists, by this number.
    Signal = 2,
    Child,
    Stat,
    Idle,
    Prepare,
    Check,
    Fork,
    Async,
}
pub const KINDS: usize = Kind::Async as usize + 1;

/// Bits of `Watcher::flags`, as gevent shows them.
pub const HELD: u8 = 1;
/// The loop was told not to count it.
pub const UNCOUNTED: u8 = 2;
/// It is not to keep the loop running.
pub const UNREFERENCED: u8 = 4;

/// A watcher of any kind.
pub struct Watcher {
    pub event_loop: Field,
    pub callback: Field,
    pub args: Field,
    pub kind: Kind,
    pub flags: Cell<u8>,
    pub priority: Cell<i8>,
    pub active: Cell<bool>,
    pub pending: Cell<bool>,
    /// What has happened, until the callback is called with it.
    pub happened: Cell<i32>,
    /// Its place among the loop's watchers while it is held, and in the list of its kind while it is active.
    pub place: Cell<u32>,
    pub index: Cell<u32>,
    /// Of the loop's, and another when a timer is stopped or a place given back: entries for it are stale then.
    pub serial: Cell<u32>,
    /// Descriptor, signal or process.
    pub number: Cell<i32>,
    /// What a descriptor is watched for; a child watcher's `trace`.
    pub events: Cell<i32>,
    /// A descriptor that was never watched by this watcher may be new under its number.
    pub renewed: Cell<bool>,
    /// Seconds: a timer's delay, then the time when it is due; and how often.
    pub at: Cell<f64>,
    pub repeat: Cell<f64>,
    /// What a child process was reported with.
    pub reported: Cell<(i32, i32)>,
    /// An async watcher was sent to.
    pub sent: Cell<bool>,
    pub path: Field,
    /// A file's state now and before.
    pub stats: RefCell<Option<Box<(libc::stat, libc::stat)>>>,
}

pub type WatcherRef = Ref<Ext<Watcher>>;
pub const NOWHERE: u32 = u32::MAX;

impl Payload for Watcher {
    const NAME: &'static str = "watcher";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Watcher {
            event_loop,
            callback,
            args,
            kind: _,
            flags: _,
            priority: _,
            active: _,
            pending: _,
            happened: _,
            place: _,
            index: _,
            serial: _,
            number: _,
            events: _,
            renewed: _,
            at: _,
            repeat: _,
            reported: _,
            sent: _,
            path,
            stats: _,
        } = self;
        for f in [event_loop, callback, args, path] {
            f.trace(t);
        }
    }
}

/// A function that the loop is to call once.
pub struct Callback {
    pub callback: Field,
    pub args: Field,
}

impl Payload for Callback {
    const NAME: &'static str = "callback";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Callback { callback, args } = self;
        callback.trace(t);
        args.trace(t);
    }
}

/// How far a loop was told to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Break {
    No,
    One,
    All,
}

/// Something that has happened to the watcher in a place, if it is still the same.
#[derive(Clone, Copy)]
pub struct Due {
    pub place: u32,
    pub serial: u32,
}

pub struct Loop {
    /// Watchers that are active or pending: UNBOUND where a place is free. They live as long.
    pub places: RefCell<Vec<Value>>,
    pub free: RefCell<Vec<u32>>,
    pub serials: Cell<u32>,
    /// Functions to be called in the next round.
    pub callbacks: RefCell<VecDeque<Value>>,
    pub due: RefCell<[VecDeque<Due>; PRIORITIES]>,
    /// Active watchers by kind.
    pub lists: RefCell<[Vec<u32>; KINDS]>,
    pub timers: RefCell<Timers>,
    pub poller: RefCell<Poller>,
    /// For files whose state is watched.
    pub inotify: Cell<i32>,
    pub error_handler: Field,
    /// What keeps it running: active watchers and functions to be called.
    pub active: Cell<i64>,
    pub done: Cell<Break>,
    pub depth: Cell<i64>,
    pub iteration: Cell<i64>,
    /// Seconds since 1970 and since the start of the system, as of the last look at the clock.
    pub now: Cell<f64>,
    pub monotonic: Cell<f64>,
    pub is_default: Cell<bool>,
    pub destroyed: Cell<bool>,
    /// Functions are being called: timers that are started may look at the clock.
    pub may_update: Cell<bool>,
    /// A thread waits in the system for it.
    pub waiting: Cell<bool>,
    /// Some async watcher was sent to, or a signal has come in.
    pub woken: Cell<bool>,
    /// How often the process had forked.
    pub forks: Cell<u32>,
    /// What SIGCHLD did before.
    pub old_sigchld: RefCell<Option<libc::sigaction>>,
    pub watches_children: Cell<bool>,
}

pub type LoopRef = Ref<Ext<Loop>>;

impl Payload for Loop {
    const NAME: &'static str = "loop";
    const NEEDS_DROP: bool = true;
    fn trace(&self, t: &mut Tracer<'_>) {
        self.error_handler.trace(t);
        for v in self.places.borrow().iter().chain(self.callbacks.borrow().iter()) {
            t.visit_word(v.bits());
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn clock(id: libc::clockid_t) -> f64 {
    // SAFETY: plain data out.
    let t = unsafe {
        let mut t: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(id, &mut t);
        t
    };
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

pub fn nanoseconds(seconds: f64) -> u64 {
    // Out of range and NaN: the nearest there is.
    (seconds * 1e9) as u64
}

impl Loop {
    pub fn new(poller: Poller, is_default: bool) -> Loop {
        let event_loop = Loop {
            places: RefCell::default(),
            free: RefCell::default(),
            serials: Cell::new(0),
            callbacks: RefCell::default(),
            due: RefCell::default(),
            lists: RefCell::default(),
            timers: RefCell::default(),
            poller: RefCell::new(poller),
            inotify: Cell::new(-1),
            error_handler: Field::new(None),
            active: Cell::new(0),
            done: Cell::new(Break::No),
            depth: Cell::new(0),
            iteration: Cell::new(0),
            now: Cell::new(0.0),
            monotonic: Cell::new(0.0),
            is_default: Cell::new(is_default),
            destroyed: Cell::new(false),
            may_update: Cell::new(false),
            waiting: Cell::new(false),
            woken: Cell::new(false),
            forks: Cell::new(super::forks()),
            old_sigchld: RefCell::default(),
            watches_children: Cell::new(false),
        };
        event_loop.update_now();
        event_loop
    }

    pub fn update_now(&self) {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.now.set(since_1970.as_secs_f64());
        self.monotonic.set(clock(libc::CLOCK_MONOTONIC));
    }

    pub fn next_serial(&self) -> u32 {
        let n = self.serials.get().wrapping_add(1);
        self.serials.set(n);
        n
    }

    /// The watcher in a place, if it still is the one that an entry was made for.
    pub fn watcher(&self, place: u32, serial: u32) -> Option<WatcherRef> {
        let v = *self.places.borrow().get(place as usize)?;
        v.cast::<Ext<Watcher>>().filter(|w| w.serial.get() == serial)
    }

    pub fn watcher_at(&self, place: u32) -> Option<WatcherRef> {
        self.places.borrow().get(place as usize)?.cast()
    }

    pub fn pending(&self) -> usize {
        let live = |d: &&Due| self.watcher(d.place, d.serial).is_some_and(|w| w.pending.get());
        self.due.borrow().iter().map(|row| row.iter().filter(live).count()).sum()
    }

    /// The watchers of a kind that are active.
    pub fn all(&self, kind: Kind) -> Vec<WatcherRef> {
        let places = self.lists.borrow()[kind as usize].clone();
        places.iter().filter_map(|&place| self.watcher_at(place)).collect()
    }

    pub fn is_watched(&self, kind: Kind) -> bool {
        !self.lists.borrow()[kind as usize].is_empty()
    }

    /// Wakes the thread that waits for it in the system, if one does.
    pub fn wake(&self) {
        self.woken.set(true);
        if self.waiting.get() {
            super::signals::wake(self.poller.borrow().wake_fd());
        }
    }

    /// Gives back what the system has given.
    pub fn give_back(&self) {
        let fd = self.poller.borrow().wake_fd();
        for n in 1..super::signals::COUNT {
            if super::signals::owner(n) == Some(fd) {
                super::signals::unwatch(n, None);
            }
        }
        let inotify = self.inotify.replace(-1);
        if inotify >= 0 {
            // SAFETY: this loop's descriptor.
            unsafe { libc::close(inotify) };
        }
        self.poller.borrow_mut().close();
    }
}

/// Something has happened to a watcher, which is told in its turn.
pub fn feed(event_loop: LoopRef, w: WatcherRef, what: i32, first: bool) {
    w.happened.set(w.happened.get() | what);
    if w.pending.replace(true) {
        return;
    }
    let due = Due { place: w.place.get(), serial: w.serial.get() };
    let mut rows = event_loop.due.borrow_mut();
    let row = &mut rows[(w.priority.get() as i64 - MIN_PRIORITY) as usize];
    if first { row.push_front(due) } else { row.push_back(due) }
}

/// Takes what is to be told next: the highest priority first.
pub fn next_due(event_loop: LoopRef) -> Option<WatcherRef> {
    let mut rows = event_loop.due.borrow_mut();
    for row in rows.iter_mut().rev() {
        while let Some(due) = row.pop_front() {
            if let Some(w) = event_loop.watcher(due.place, due.serial)
                && w.pending.replace(false)
            {
                return Some(w);
            }
        }
    }
    None
}

/// Gives a watcher a place in the loop, which keeps it alive. MemoryError.
pub fn hold(vm: &Vm, event_loop: LoopRef, w: WatcherRef) -> R<()> {
    if w.flags.get() & HELD != 0 {
        return Ok(());
    }
    event_loop.barrier(vm);
    let free = event_loop.free.borrow_mut().pop();
    let place = match free {
        Some(place) => {
            event_loop.places.borrow_mut()[place as usize] = w.value();
            place
        }
        None => {
            // Nothing is collected here, which would look at the places.
            let mut places = event_loop.places.borrow_mut();
            places.try_reserve(1).map_err(|_| vm.memory_error())?;
            places.push(w.value());
            places.len() as u32 - 1
        }
    };
    w.place.set(place);
    w.serial.set(event_loop.next_serial());
    w.flags.set(w.flags.get() | HELD);
    Ok(())
}

pub fn let_go(event_loop: LoopRef, w: WatcherRef) {
    if w.flags.get() & HELD == 0 {
        return;
    }
    w.flags.set(w.flags.get() & !HELD);
    w.serial.set(event_loop.next_serial());
    let place = w.place.replace(NOWHERE);
    event_loop.places.borrow_mut()[place as usize] = Value::UNBOUND;
    event_loop.free.borrow_mut().push(place);
}
