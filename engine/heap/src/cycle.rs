//! A major collection: its phases, done in slices in the pauses of minor collections, or all at once.
//!
//! ```text
//!  Idle ──due──> Mark ──────flip──────> Tables ─────> Sweep ─────> Release ────> Idle
//!                from the roots,        entries of    lines and    memory to
//!                then finalizers        the dead      pages        the kernel
//! ```
//!
//! Marking is by incremental update (Steele): in slices between which the program runs, objects are
//! *white* (no mark in `next`), *grey* (marked, and on the stack) or *black* (marked and scanned). A
//! slice runs right after a minor collection, when no object is young. That **no black object refers
//! to a white one** holds then, for each store into an old object put it into the remembered set, and
//! the minor collection scans that set: what known objects in it refer to becomes grey. Survivors are
//! born black, and what they refer to becomes grey (`tracer`). Roots have no barrier, so they are
//! looked at again at the end: once nothing is grey, and the roots lead to nothing white, all that is
//! white is unreachable. In that pause weak references to it are cleared, and white objects that want
//! to be finalized are handed out. If what these lead to is marked within the pause too, the bitmaps
//! change places; else marking goes on, and the end is tried again. The user forgets in the same pause
//! what it knows of the dead without keeping them alive.
//!
//! Then a dead object has no mark, so that no look-up finds it; its memory stays as it is until the
//! registered ones among the dead were told, and their blocks are swept.

use crate::pacing::Budget;
use crate::tracer::{Grey, Marking};
use crate::{Heap, HeapConfig, MajorStep, ObjectModel, Tracer};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    Mark,
    Tables,
    Sweep,
    Release,
}

/// The state of the major collection.
pub(crate) struct Cycle {
    phase: Cell<Phase>,
    pub grey: RefCell<Grey>,
    /// Bytes given back to the kernel in this pause.
    released: Cell<usize>,
    verify: bool,
}

/// References from outside of the heap.
pub(crate) type Roots<'r, M> = &'r mut dyn FnMut(&mut Tracer<'_, M>);

impl Cycle {
    pub fn new(config: &HeapConfig) -> Cycle {
        Cycle {
            phase: Cell::new(Phase::Idle),
            grey: RefCell::new(Grey::new(config.mark_stack_entries)),
            released: Cell::new(0),
            verify: config.verify,
        }
    }

    /// Are there marks that minor collections have to keep true?
    pub fn is_marking(&self) -> bool {
        self.phase.get() == Phase::Mark
    }

    /// Is nothing to be done?
    pub fn is_idle(&self) -> bool {
        self.phase.get() == Phase::Idle
    }

    pub fn take_released(&self) -> usize {
        self.released.take()
    }
}

impl<M: ObjectModel> Heap<M> {
    /// The whole of a major collection, at once. Young objects are treated as all others.
    pub(crate) fn collect_all(&self, roots: Roots<'_, M>) {
        if self.cycle.is_marking() {
            // Its marks may keep what has died since it began.
            self.cancel();
        }
        let budget = &mut Budget::unlimited();
        self.advance(roots, budget);
        debug_assert!(self.cycle.is_idle());
        self.remembered_lost.set(false);
        let mut remembered = self.remembered.borrow_mut();
        remembered.clear();
        remembered.trim();
        drop(remembered);
        self.large.clear_cards();
        self.tables.adopt_young();
        self.begin(roots, budget);
        self.advance(roots, budget);
        debug_assert!(self.cycle.is_idle());
    }

    /// A slice: goes on with the major collection, as far as the budget allows. If there is none, one
    /// begins if it is due.
    pub(crate) fn slice(&self, roots: Roots<'_, M>, budget: &mut Budget) -> MajorStep {
        if self.cycle.is_idle() {
            if !self.major_is_due() {
                return MajorStep::None;
            }
            self.begin(roots, budget);
        }
        let step = self.advance(roots, budget);
        if self.cycle.grey.borrow().lost {
            // To look for what the stack had no room for may take any time.
            self.collect_all(roots);
            return MajorStep::Finish;
        }
        step
    }

    fn begin(&self, roots: Roots<'_, M>, budget: &mut Budget) {
        self.check_unmarked();
        self.tables.begin();
        self.cycle.phase.set(Phase::Mark);
        self.mark_roots(roots, budget);
    }

    fn advance(&self, roots: Roots<'_, M>, budget: &mut Budget) -> MajorStep {
        let mut step = MajorStep::None;
        loop {
            let phase = self.cycle.phase.get();
            let next = match phase {
                Phase::Idle => return step,
                Phase::Mark => self.mark_all(roots, budget).then_some(Phase::Tables),
                Phase::Tables => self.tables.forget_dead(self, budget).then_some(Phase::Sweep),
                Phase::Sweep => self.sweep(budget).then_some(Phase::Release),
                Phase::Release => self.release(budget).then_some(Phase::Idle),
            };
            step = match phase {
                Phase::Mark if next.is_some() => MajorStep::Finish,
                Phase::Mark => MajorStep::Mark,
                _ if step == MajorStep::Finish => step,
                _ => MajorStep::Sweep,
            };
            let Some(next) = next else { return step };
            self.cycle.phase.set(next);
        }
    }

    /// Visits the roots and makes grey what they lead to.
    fn mark_roots(&self, roots: Roots<'_, M>, budget: &mut Budget) {
        self.with_marker(budget, |tracer, budget| {
            self.tables.visit_roots(tracer);
            roots(tracer);
            if budget.is_unlimited() {
                // Here, since the tracer knows which of it is doubtful.
                tracer.drain();
            }
        });
    }

    /// Lends out a tracer that marks for the major collection.
    fn with_marker<T>(&self, budget: &mut Budget, f: impl FnOnce(&mut Tracer<'_, M>, &mut Budget) -> T) -> T {
        let grey = self.cycle.grey.replace(Grey::new(0));
        let mut tracer = Tracer::new(self, Marking::Major, grey, Grey::new(0));
        tracer.sliced = !budget.is_unlimited();
        let result = f(&mut tracer, budget);
        self.cycle.grey.replace(tracer.into_grey().0);
        result
    }

    /// Scans what is grey. Was that all?
    fn drain(&self, budget: &mut Budget) -> bool {
        self.with_marker(budget, |tracer, budget| {
            if !budget.is_unlimited() {
                return tracer.drain_within(budget);
            }
            tracer.drain();
            true
        })
    }

    fn mark_all(&self, roots: Roots<'_, M>, budget: &mut Budget) -> bool {
        let next = self.space.parity.get().other();
        if !self.drain(budget) || !self.tables.settle(self, next, budget) {
            return false;
        }
        self.mark_roots(roots, budget);
        if !self.drain(budget) || self.cycle.grey.borrow().lost {
            return false;
        }
        // In this pause all is known that can be reached.
        self.tables.clear_dead_targets(self, next);
        if self.tables.hand_out(self, next) {
            self.with_marker(budget, |tracer, _| self.tables.visit_roots(tracer));
            if !self.drain(budget) || self.cycle.grey.borrow().lost {
                return false;
            }
            // Some weak containers live only for the sake of what is finalized.
            self.tables.clear_dead_targets(self, next);
        }
        if budget.is_unlimited() && self.find_cycles(next) {
            self.with_marker(budget, |tracer, _| self.tables.visit_roots(tracer));
            if !self.drain(budget) || self.cycle.grey.borrow().lost {
                return false;
            }
        }
        self.tables.begin();
        self.check_marked();
        self.cycle.grey.borrow_mut().trim();
        self.space.flip(&self.range);
        self.large.flip(&self.range, next);
        true
    }

    fn sweep(&self, budget: &mut Budget) -> bool {
        self.space.may_sweep.set(true);
        if !self.large.sweep(&self.range, budget) || !self.space.sweep(&self.range, budget) {
            return false;
        }
        self.space.may_sweep.set(false);
        self.pace_major();
        let nursery = self.pacing.nursery.get();
        self.space.begin_release(&self.range, nursery + nursery / 2);
        true
    }

    fn release(&self, budget: &mut Budget) -> bool {
        let (small, bytes) = self.space.release(&self.range, budget);
        let (large, more) = self.large.release(&self.range, budget);
        let released = &self.cycle.released;
        released.set(released.get() + bytes + more);
        small && large
    }

    /// Gives up a major collection that is marking.
    fn cancel(&self) {
        let next = self.space.parity.get().other();
        for block in crate::sweep::blocks(&self.range) {
            if !block.record().has(crate::chunk::FREE) {
                block.forget_next(next);
            }
        }
        self.large.forget_next(next);
        self.cycle.grey.borrow_mut().clear();
        self.cycle.phase.set(Phase::Idle);
    }

    /// For tests: `next` is empty.
    fn check_unmarked(&self) {
        if self.cycle.verify {
            let next = self.space.parity.get().other();
            self.for_each_marked(next, &mut |addr| panic!("{addr:#x} has a mark of an earlier time"));
        }
    }

    /// For tests: what marked objects refer to is marked.
    fn check_marked(&self) {
        if self.cycle.verify {
            let next = self.space.parity.get().other();
            let mut tracer = Tracer::new(self, Marking::Major, Grey::new(usize::MAX), Grey::new(0));
            self.for_each_marked(next, &mut |addr| {
                // SAFETY: a marked address is an object's.
                let black = unsafe { tracer.leads_to_marked(addr as *const crate::Header) };
                assert!(black, "{addr:#x} is marked and refers to an object that is not");
            });
        }
    }
}
