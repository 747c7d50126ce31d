//! The queue of runnable tasklets, and who runs when one blocks or ends.
//!
//! The running tasklet is not in the queue. A tasklet that called `run()` waits as a *watcher*: it
//! goes on when nothing else can, or when a time slice is over.

use crate::switch::Deliver;
use crate::tasklet::Task;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::{Cell, RefCell};

/// A `run()` under way.
#[derive(Clone, Copy)]
pub struct Watcher {
    pub task: Task,
    /// Ticks of a slice; 0: no limit.
    pub slice: i64,
    /// The slice is one for all tasklets together.
    pub total: bool,
}

/// The scheduler of an isolate.
#[derive(Default)]
pub struct Scheduler {
    pub tasklet_type: Cell<Option<Ref<Type>>>,
    pub channel_type: Cell<Option<Ref<Type>>>,
    pub current: Cell<Option<Task>>,
    pub main: Cell<Option<Task>>,
    head: Cell<Option<Task>>,
    tail: Cell<Option<Task>>,
    count: Cell<usize>,
    pub watchers: RefCell<Vec<Watcher>>,
    pub channel_callback: Cell<Option<Value>>,
    pub schedule_callback: Cell<Option<Value>>,
    pub error_handler: Cell<Option<Value>>,
    /// `switch_trap` level: above 0 a switch is an error.
    pub trap: Cell<i64>,
}

impl Scheduler {
    pub fn trace(&self, t: &mut Tracer<'_>) {
        for ty in [&self.tasklet_type, &self.channel_type].into_iter().filter_map(Cell::get) {
            t.visit_object(ty.header());
        }
        for task in [&self.current, &self.main, &self.head, &self.tail].into_iter().filter_map(Cell::get) {
            t.visit_object(task.header());
        }
        for w in self.watchers.borrow().iter() {
            t.visit_object(w.task.header());
        }
        let values = [&self.channel_callback, &self.schedule_callback, &self.error_handler];
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

    /// Does nobody look at switches, or forbid them?
    #[inline(always)]
    pub fn is_quiet(&self) -> bool {
        self.trap.get() == 0
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

    /// Who runs now that the running tasklet is parked, blocked or dead: (tasklet, what it gets).
    pub fn next(&self, vm: &Vm) -> Option<(Task, Deliver)> {
        if let Some(t) = self.pop() {
            return Some((t, t.take_deliver()));
        }
        let watcher = self.watchers.borrow_mut().pop();
        if let Some(w) = watcher {
            self.restore_slice(vm);
            return Some((w.task, w.task.take_deliver()));
        }
        // Nothing can run: the main tasklet, if it is blocked, is told.
        let main = self.main.get()?;
        if Some(main) != self.current.get() && main.is_blocked() {
            crate::channel::unblock(vm, main);
            return Some((main, Deliver::Raise(deadlock(vm))));
        }
        None
    }

    /// The slice of the innermost watcher is in force.
    pub fn restore_slice(&self, vm: &Vm) {
        let slice = self.watchers.borrow().last().map_or(0, |w| w.slice);
        vm.slice.set(slice);
        if slice == 0 {
            vm.ticks.set(skein_runtime::vm::TICKS);
        } else {
            vm.ticks.set(slice);
        }
    }
}

/// The tasklet in a queue's link.
#[inline(always)]
pub fn neighbour(link: &Field) -> Option<Task> {
    // SAFETY: `next` and `prev` of tasklets, and the ends of channels' queues, hold tasklets only.
    link.get().map(|t| unsafe { t.cast_unchecked() })
}

/// The exception of a program in which nothing can run.
pub fn deadlock(vm: &Vm) -> Value {
    let _: Raised = vm.runtime_error("Deadlock: the last runnable tasklet cannot be blocked.");
    vm.pending.take().unwrap_or(Value::NONE)
}
