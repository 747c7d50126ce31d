//! The queue of runnable tasklets, and who runs when one blocks or ends.
//!
//! ```text
//! Stackless's ring:   … → current → a → b → c → (current)
//! here:               current,  queue: a b c
//! ```
//! The running tasklet is not in the queue; where Stackless moves the ring's mark to some tasklet, the
//! queue is turned. A tasklet that called `run()` waits as a *watcher*: it goes on when nothing else
//! can, when a tasklet ends with an error, or when a time slice is over.

use crate::switch::Deliver;
use crate::tasklet::{Arrival, Task};
use skein_runtime::object::{Field, Tracer};
use skein_runtime::value::Value;
use skein_runtime::vm::{TICKS, Vm};
use std::cell::{Cell, RefCell};

/// How a time slice is kept.
#[derive(Clone, Copy, Default)]
pub struct Slice {
    /// Instructions.
    pub length: i64,
    /// It ends at the next switch.
    pub soft: bool,
    /// It may end under native calls.
    pub ignore_nesting: bool,
    /// One for all tasklets together.
    pub total: bool,
}

/// What a callback that runs adds to the level of `switch_trap`, out of the reach of programs.
pub const CALLBACK: i64 = 1 << 40;

/// The scheduler of a thread.
#[derive(Default)]
pub struct Scheduler {
    pub current: Cell<Option<Task>>,
    /// The one that is about to run, while the schedule callback is told.
    pub coming: Cell<Option<Task>>,
    /// One that has ended, while its thread waits for others to make something runnable.
    pub ending: Cell<Option<Task>>,
    pub main: Cell<Option<Task>>,
    head: Cell<Option<Task>>,
    tail: Cell<Option<Task>>,
    count: Cell<usize>,
    /// Tasklets in `run()`, the innermost last.
    watchers: RefCell<Vec<Task>>,
    /// The watcher whose time slices are kept, and how.
    pub timer: Cell<Option<Task>>,
    pub slice: Cell<Slice>,
    pub channel_callback: Cell<Option<Value>>,
    pub schedule_callback: Cell<Option<Value>>,
    pub error_handler: Cell<Option<Value>>,
    /// A watcher that is not woken as long as there are other threads, which may make something runnable:
    /// `run(threadblock=True)`.
    pub thread_block: Cell<Option<Task>>,
    /// Called when the thread's main program has ended, while its tasklets can still run.
    pub at_end: Cell<Option<Value>>,
    /// The descriptor that an event loop waits for: a byte tells it that another thread has made something runnable.
    pub waker: Cell<Option<i32>>,
    /// How often it was told who waits on whom, when nothing could run.
    pub reports: Cell<u32>,
    /// `switch_trap` level: unless it is 0, a switch is an error. Each callback that runs adds [`CALLBACK`].
    pub trap: Cell<i64>,
}

impl Scheduler {
    pub fn trace(&self, t: &mut Tracer<'_>) {
        let tasks =
            [&self.current, &self.coming, &self.ending, &self.main, &self.head, &self.tail, &self.timer]
                .into_iter()
                .chain([&self.thread_block]);
        for task in tasks.filter_map(Cell::get) {
            t.visit_object(task.header());
        }
        for w in self.watchers.borrow().iter() {
            t.visit_object(w.header());
        }
        let values = [&self.channel_callback, &self.schedule_callback, &self.error_handler, &self.at_end];
        for v in values.into_iter().filter_map(Cell::get) {
            t.visit_word(v.bits());
        }
    }

    /// Runnable tasklets, the running one included.
    pub fn count(&self) -> usize {
        self.count.get() + 1
    }

    pub fn first(&self) -> Option<Task> {
        self.head.get()
    }

    pub fn last(&self) -> Option<Task> {
        self.tail.get()
    }

    /// Is it the running tasklet, or about to be?
    pub fn runs(&self, t: Task) -> bool {
        self.current.get() == Some(t) || self.coming.get() == Some(t)
    }

    /// Changes the level of `switch_trap`: the one before.
    pub fn change_trap(&self, by: i64) -> i64 {
        const MOST: i64 = CALLBACK / 4;
        let all = self.trap.get();
        let callbacks = (all + CALLBACK / 2).div_euclid(CALLBACK) * CALLBACK;
        let level = all - callbacks;
        self.trap.set(callbacks + level.saturating_add(by).clamp(-MOST, MOST));
        level
    }

    /// Puts a tasklet at the end of the queue.
    #[inline]
    pub fn push(&self, vm: &Vm, t: Task) {
        match self.tail.get() {
            Some(last) => {
                last.next.set(vm, last, t.value());
                t.prev.set(vm, t, last.value());
            }
            None => {
                self.head.set(Some(t));
                t.prev.init(None::<Value>);
            }
        }
        t.next.init(None::<Value>);
        self.tail.set(Some(t));
        self.count.set(self.count.get() + 1);
        t.queued.set(true);
    }

    /// Puts a tasklet at the beginning of the queue.
    pub fn push_front(&self, vm: &Vm, t: Task) {
        match self.head.get() {
            Some(first) => {
                first.prev.set(vm, first, t.value());
                t.next.set(vm, t, first.value());
            }
            None => {
                self.tail.set(Some(t));
                t.next.init(None::<Value>);
            }
        }
        t.prev.init(None::<Value>);
        self.head.set(Some(t));
        self.count.set(self.count.get() + 1);
        t.queued.set(true);
    }

    /// Takes the first tasklet.
    #[inline]
    pub fn pop(&self) -> Option<Task> {
        let t = self.head.get()?;
        let next = neighbour(&t.next);
        self.head.set(next);
        match next {
            Some(n) => n.prev.init(None::<Value>),
            None => self.tail.set(None),
        }
        t.next.init(None::<Value>);
        self.count.set(self.count.get() - 1);
        t.queued.set(false);
        Some(t)
    }

    /// Does nobody look at switches, forbid them, or have functions for tracing that are to be exchanged?
    #[inline(always)]
    pub fn is_quiet(&self, vm: &Vm) -> bool {
        self.trap.get() == 0
            && !vm.events.has_functions()
            && self.channel_callback.get().is_none()
            && self.schedule_callback.get().is_none()
    }

    /// Takes a tasklet out of the queue, which it is in.
    pub fn remove(&self, t: Task) {
        let (prev, next) = (neighbour(&t.prev), neighbour(&t.next));
        match prev {
            // No barrier: both were reachable from each other already, and the list's ends are roots.
            Some(p) => p.next.init(next.map(Value::from)),
            None => self.head.set(next),
        }
        match next {
            Some(n) => n.prev.init(prev.map(Value::from)),
            None => self.tail.set(prev),
        }
        t.next.init(None::<Value>);
        t.prev.init(None::<Value>);
        self.count.set(self.count.get() - 1);
        t.queued.set(false);
    }

    /// Takes a tasklet out of the queue to run it: those behind it come next, then `me`, if it is to
    /// stay runnable, then those that were before it.
    pub fn turn_to(&self, vm: &Vm, t: Task, me: Option<Task>) {
        let (first, before, after) = (self.head.get(), neighbour(&t.prev), neighbour(&t.next));
        self.remove(t);
        match (first, before, after, me) {
            (Some(first), Some(before), Some(after), _) => {
                before.next.init(None::<Value>);
                after.prev.init(None::<Value>);
                self.head.set(Some(after));
                if let Some(me) = me {
                    self.push(vm, me);
                }
                if let Some(last) = self.tail.get() {
                    last.next.set(vm, last, first.value());
                    first.prev.set(vm, first, last.value());
                }
                self.tail.set(Some(before));
            }
            (_, Some(_), None, Some(me)) => self.push_front(vm, me),
            (_, None, _, Some(me)) => self.push(vm, me),
            _ => {}
        }
    }

    pub fn watch(&self, t: Task) {
        t.watching.set(true);
        t.arrival.set(Arrival::Watcher);
        self.watchers.borrow_mut().push(t);
    }

    /// Who is woken when nothing else can run, and gets the errors of other tasklets: the innermost
    /// watcher, or the main tasklet.
    pub fn wake_target(&self) -> Option<Task> {
        self.watchers.borrow().last().copied().or(self.main.get())
    }
}

impl Scheduler {
    /// Is the thread to wait for others rather than wake a watcher?
    pub fn waits_for_threads(&self, vm: &Vm) -> bool {
        self.thread_block.get().is_some() && !vm.threads.is_alone()
    }

    /// Who runs when the running tasklet has blocked or is paused. None: nobody can.
    pub fn next(&self, vm: &Vm) -> Option<(Task, Deliver)> {
        if let Some(t) = self.pop() {
            return Some((t, t.take_deliver()));
        }
        let target = self.wake_target()?;
        if self.waits_for_threads(vm) {
            return None;
        }
        let floats = !target.is_blocked() && self.current.get() != Some(target);
        floats.then(|| (target, target.take_deliver()))
    }

    /// A watcher goes on: those that began to watch after it are not needed any more, and become
    /// runnable.
    pub fn unwatch(&self, vm: &Vm, t: Task) {
        loop {
            let Some(w) = self.watchers.borrow_mut().pop() else { return };
            w.watching.set(false);
            if w.arrival.get() == Arrival::Watcher {
                w.arrival.set(Arrival::Value);
            }
            if self.thread_block.get() == Some(w) {
                self.thread_block.set(None);
            }
            if self.timer.get() == Some(w) {
                self.timer.set(None);
                self.slice.set(Slice::default());
                vm.slice.set(0);
                vm.ticks.set(TICKS);
            }
            if w == t {
                return;
            }
            if !w.queued.get() && !w.is_blocked() {
                self.push(vm, w);
            }
        }
    }

    /// `run(timeout)`: this watcher's time slices are kept, unless those of another one are.
    pub fn keep_time(&self, vm: &Vm, t: Task, slice: Slice) {
        if slice.length > 0 && self.timer.get().is_none() {
            self.timer.set(Some(t));
            self.slice.set(slice);
            vm.slice.set(slice.length);
            vm.ticks.set(slice.length);
        }
    }

    /// The watchers, for those who ask; the timer's stands before them.
    pub fn watcher_list(&self) -> Vec<Option<Task>> {
        let all = self.watchers.borrow();
        std::iter::once(self.timer.get()).chain(all.iter().map(|&w| Some(w))).collect()
    }
}

/// The tasklet in a queue's link.
#[inline(always)]
pub fn neighbour(link: &Field) -> Option<Task> {
    // SAFETY: `next` and `prev` of tasklets, and the ends of channels' queues, hold tasklets only.
    link.get().map(|t| unsafe { t.cast_unchecked() })
}
