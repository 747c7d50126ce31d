//! Objects of which more is asked than to be kept or freed: owners of external memory, weak
//! containers, objects with finalizers.

use crate::chunk::Parity;
use crate::header::{Header, WEAK};
use crate::order;
use crate::pacing::{Budget, TABLE_WORK};
use crate::{Heap, ObjectModel, Tracer};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::null_mut;

/// Registered objects, the young ones apart: a minor collection looks at those only.
#[derive(Default)]
struct Registry {
    young: RefCell<Vec<*mut Header>>,
    /// Null where an entry has left.
    old: RefCell<Vec<*mut Header>>,
    /// How many of the old ones the running major collection has looked at.
    seen: Cell<usize>,
    /// Those of them, by index, that it has to look at again at the end of its marking.
    doubtful: RefCell<Vec<usize>>,
    /// While the dead leave: how many of those that were looked at again stay, at the front.
    kept: Cell<usize>,
}

impl Registry {
    fn add(&self, obj: *const Header) {
        self.young.borrow_mut().push(obj.cast_mut());
    }

    fn get(&self, index: usize) -> Option<*mut Header> {
        self.old.borrow().get(index).copied()
    }

    /// Shows `keep` the young objects; those it says no to leave the registry, the others are old.
    /// Nothing is borrowed while `keep` runs.
    fn retain_young(&self, mut keep: impl FnMut(*mut Header) -> bool) {
        let mut young = self.young.take();
        young.retain(|obj| keep(*obj));
        self.old.borrow_mut().append(&mut young);
        // Its memory is used again.
        self.young.replace(young);
    }

    /// Goes on to look for old ones that are not `settled`. Was that the last one?
    fn settle(&self, budget: &mut Budget, mut settled: impl FnMut(*mut Header) -> bool) -> bool {
        while let Some(obj) = self.get(self.seen.get()) {
            if budget.is_spent() {
                return false;
            }
            budget.spend(TABLE_WORK);
            if !obj.is_null() && !settled(obj) {
                self.doubtful.borrow_mut().push(self.seen.get());
            }
            self.seen.set(self.seen.get() + 1);
        }
        true
    }

    /// Shows `f` those that were doubtful, and the old ones that came after the look at all.
    fn for_each_doubtful(&self, mut f: impl FnMut(*mut Header)) {
        let doubtful = self.doubtful.borrow();
        let later = self.seen.get()..self.old.borrow().len();
        for index in doubtful.iter().copied().chain(later) {
            if let Some(obj) = self.get(index).filter(|obj| !obj.is_null()) {
                f(obj);
            }
        }
    }

    /// Goes on to look at all old ones; those that `keep` says no to leave. Was that the last one?
    fn forget(&self, budget: &mut Budget, mut keep: impl FnMut(*mut Header) -> bool) -> bool {
        while let Some(obj) = self.get(self.seen.get()) {
            if budget.is_spent() {
                return false;
            }
            budget.spend(TABLE_WORK);
            if !obj.is_null() && keep(obj) {
                self.old.borrow_mut()[self.kept.get()] = obj;
                self.kept.set(self.kept.get() + 1);
            }
            self.seen.set(self.seen.get() + 1);
        }
        self.old.borrow_mut().truncate(self.kept.get());
        self.seen.set(self.kept.get());
        true
    }

    /// Before the old ones are looked at anew.
    fn begin(&self) {
        self.seen.set(0);
        self.kept.set(0);
        self.doubtful.borrow_mut().clear();
    }
}

#[derive(Default)]
pub(crate) struct Tables {
    owners: Registry,
    weak: Registry,
    finalizers: Registry,
    /// Old weak containers that were stored to since the last collection.
    stored_weak: RefCell<Vec<*mut Header>>,
    /// Those that were stored to while a major collection was marking.
    stored_within: RefCell<Vec<*mut Header>>,
    finalizable: RefCell<VecDeque<*mut Header>>,
    cleared_weak: RefCell<VecDeque<*mut Header>>,
    /// Of cycles that were unreachable, and live on.
    saved: RefCell<VecDeque<*mut Header>>,
}

impl Tables {
    /// An old object that is in the remembered set is about to be scanned.
    ///
    /// # Safety
    /// `obj` is an object.
    pub unsafe fn note_stored(&self, obj: *const Header) {
        // SAFETY: by the caller's promise.
        if unsafe { (*obj).gc.get() } & WEAK != 0 {
            self.stored_weak.borrow_mut().push(obj.cast_mut());
        }
    }

    /// Visits the objects that wait to be taken.
    pub fn visit_roots<M: ObjectModel>(&self, tracer: &mut Tracer<'_, M>) {
        for queue in [&self.finalizable, &self.cleared_weak, &self.saved] {
            for obj in queue.borrow().iter() {
                tracer.visit_object(*obj);
            }
        }
    }

    /// In a minor collection, after all young objects that the roots lead to are marked: weak
    /// references to the dead are cleared; then unreachable objects with finalizers, with all they
    /// lead to, live on; then weak containers that live for that reason only are looked at; then the
    /// dead owners are told.
    pub fn process_young<M: ObjectModel>(&self, heap: &Heap<M>, tracer: &mut Tracer<'_, M>) {
        let parity = tracer.parity;
        let mut doubtful = Vec::new();
        self.weak.retain_young(|obj| {
            let live = heap.is_marked(obj, parity);
            if live {
                self.clear_weak(heap, obj, parity);
            } else {
                doubtful.push(obj);
            }
            live
        });
        let stored = self.stored_weak.take();
        for obj in &stored {
            self.clear_weak(heap, *obj, parity);
        }
        if heap.cycle.is_marking() {
            self.stored_within.borrow_mut().extend(stored);
        }

        let mut found = Vec::new();
        self.finalizers.retain_young(|obj| {
            let live = heap.is_marked(obj, parity);
            // SAFETY: registered, and not swept yet.
            if !live && unsafe { M::needs_finalizer(obj) } {
                found.push(obj);
            }
            live
        });
        if !found.is_empty() {
            for obj in &found {
                tracer.visit_object(*obj);
            }
            self.enqueue(heap, found, parity);
            tracer.drain();
        }

        for obj in doubtful {
            if heap.is_marked(obj, parity) {
                self.clear_weak(heap, obj, parity);
                self.weak.old.borrow_mut().push(obj);
            }
        }
        self.owners.retain_young(|obj| self.is_owner_live(heap, obj, parity));
    }

    /// Before the old entries are looked at anew.
    pub fn begin(&self) {
        for registry in [&self.owners, &self.weak, &self.finalizers] {
            registry.begin();
        }
        self.stored_within.borrow_mut().clear();
    }

    /// Makes all young entries old, dead or not.
    pub fn adopt_young(&self) {
        for registry in [&self.owners, &self.weak, &self.finalizers] {
            registry.retain_young(|_| true);
        }
        self.stored_weak.borrow_mut().clear();
    }

    /// Towards the end of the marking of a major collection: goes on to look for weak containers that
    /// may have to be cleared, and for finalizers that may have to run. Was that the last of them?
    pub fn settle<M: ObjectModel>(&self, heap: &Heap<M>, next: Parity, budget: &mut Budget) -> bool {
        let container = |obj: *mut Header| {
            let all = Cell::new(heap.is_marked(obj, next));
            if all.get() {
                let note = |target: *const Header| {
                    all.set(all.get() && heap.is_marked(target, next));
                    true
                };
                // SAFETY: registered, and live.
                unsafe { M::clear_weak(obj, &note) };
            }
            all.get()
        };
        let finalizer = |obj: *mut Header| heap.is_marked(obj, next);
        self.weak.settle(budget, container) && self.finalizers.settle(budget, finalizer)
    }

    /// All that the roots lead to is marked: clears weak references to the rest.
    pub fn clear_dead_targets<M: ObjectModel>(&self, heap: &Heap<M>, next: Parity) {
        let clear = |obj: *mut Header| {
            if heap.is_marked(obj, next) {
                self.clear_weak(heap, obj, next);
            }
        };
        self.weak.for_each_doubtful(clear);
        self.stored_within.take().into_iter().for_each(clear);
    }

    /// After that: hands out the unreachable objects that want to be finalized. Were there any?
    pub fn hand_out<M: ObjectModel>(&self, heap: &Heap<M>, next: Parity) -> bool {
        let mut found = Vec::new();
        for &index in self.finalizers.doubtful.borrow().iter() {
            let Some(obj) = self.finalizers.get(index).filter(|obj| !obj.is_null()) else {
                continue;
            };
            // SAFETY: registered, and not swept yet.
            if !heap.is_marked(obj, next) && unsafe { M::needs_finalizer(obj) } {
                self.finalizers.old.borrow_mut()[index] = null_mut();
                found.push(obj);
            }
        }
        let any = !found.is_empty();
        self.enqueue(heap, found, next);
        any
    }

    /// Keeps unreachable objects alive until they are taken: how many there was memory for.
    pub fn save(&self, found: impl Iterator<Item = *mut Header>) -> usize {
        let mut saved = self.saved.borrow_mut();
        let before = saved.len();
        for obj in found {
            if saved.try_reserve(1).is_err() {
                break;
            }
            saved.push_back(obj);
        }
        saved.len() - before
    }

    /// Has objects handed out that were found in the order of their registration.
    fn enqueue<M: ObjectModel>(&self, heap: &Heap<M>, found: Vec<*mut Header>, parity: Parity) {
        // SAFETY: registered, and not swept yet.
        let (older_first, mut newer_first): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|obj| unsafe { M::leads_to_younger(*obj) });
        newer_first.reverse();
        let mut queue = self.finalizable.borrow_mut();
        queue.extend(older_first);
        queue.extend(order::outer_first(heap, newer_first, parity));
    }

    /// The marks have changed places: the dead leave the tables, and the owners among them are told.
    /// Was that the last of them?
    pub fn forget_dead<M: ObjectModel>(&self, heap: &Heap<M>, budget: &mut Budget) -> bool {
        let parity = heap.space.parity.get();
        let live = |obj: *mut Header| heap.is_marked(obj, parity);
        self.weak.forget(budget, live)
            && self.finalizers.forget(budget, live)
            && self.owners.forget(budget, |obj| self.is_owner_live(heap, obj, parity))
    }

    fn is_owner_live<M: ObjectModel>(&self, heap: &Heap<M>, obj: *mut Header, parity: Parity) -> bool {
        let live = heap.is_marked(obj, parity);
        if !live {
            // SAFETY: registered, unreachable, and not swept yet.
            unsafe { M::drop_external(obj) };
        }
        live
    }

    fn clear_weak<M: ObjectModel>(&self, heap: &Heap<M>, obj: *mut Header, parity: Parity) {
        let is_live = |obj: *const Header| heap.is_marked(obj, parity);
        // SAFETY: registered, and live.
        if unsafe { M::clear_weak(obj, &is_live) } {
            self.cleared_weak.borrow_mut().push_back(obj);
        }
    }

    /// The heap goes away: everything dies.
    pub fn drop_owners<M: ObjectModel>(&self) {
        let tell = |obj: *mut Header| {
            // SAFETY: registered, and still intact.
            unsafe { M::drop_external(obj) };
        };
        // Those before `kept` are told of behind it again while the dead are leaving.
        let (seen, kept) = (self.owners.seen.get(), self.owners.kept.get());
        let mut old = self.owners.old.take();
        old.drain(kept..seen.max(kept));
        old.into_iter().chain(self.owners.young.take()).for_each(tell);
    }
}

impl<M: ObjectModel> Heap<M> {
    /// `drop_external` is to be called when the object dies, or the heap does.
    pub fn register_free_on_death(&self, obj: *const Header) {
        self.tables.owners.add(obj);
    }

    /// `clear_weak` is to be called after collections in which something that the object refers
    /// to may have died. Stores of weak references need the write barrier like all others.
    /// Register once.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "see the type")]
    pub fn register_weak(&self, obj: *const Header) {
        // SAFETY: `obj` is an object of this heap.
        let gc = unsafe { &(*obj).gc };
        gc.set(gc.get() | WEAK);
        self.tables.weak.add(obj);
    }

    /// Once the object becomes unreachable, it is to be handed out by `take_finalizable` instead
    /// of dying, if `needs_finalizer` then says so. That ends the registration.
    pub fn register_finalizer(&self, obj: *const Header) {
        self.tables.finalizers.add(obj);
    }

    /// Would `take_finalizable` ever hand out an object that `counts`, if nothing were reachable any more?
    pub fn has_finalizable(&self, counts: impl Fn(*const Header) -> bool) -> bool {
        let finalizers = &self.tables.finalizers;
        let wants = |obj: &*mut Header| {
            // SAFETY: registered, and still an object: the dead leave the tables before they are swept.
            !obj.is_null() && unsafe { M::needs_finalizer(*obj) } && counts(*obj)
        };
        finalizers.young.borrow().iter().any(wants)
            || finalizers.old.borrow().iter().any(wants)
            || !self.tables.finalizable.borrow().is_empty()
    }

    /// The next object that became unreachable and wants to be finalized. Of those that one collection finds the
    /// newest come first, since what leads to others is mostly made after them; see `leads_to_younger`. Until taken, the
    /// object is a root.
    pub fn take_finalizable(&self) -> Option<*mut Header> {
        self.tables.finalizable.borrow_mut().pop_front()
    }

    /// Is there anything that [`Heap::take_finalizable`] or [`Heap::take_cleared_weak`] would hand out?
    pub fn has_to_finalize(&self) -> bool {
        !self.tables.finalizable.borrow().is_empty() || !self.tables.cleared_weak.borrow().is_empty()
    }

    /// The next object of a cycle that was unreachable and is to live on: [`crate::Cycles::Save`]. Until taken, it is a root.
    pub fn take_saved(&self) -> Option<*mut Header> {
        self.tables.saved.borrow_mut().pop_front()
    }

    /// The next weak container whose `clear_weak` said true. Until taken, it is a root.
    pub fn take_cleared_weak(&self) -> Option<*mut Header> {
        self.tables.cleared_weak.borrow_mut().pop_front()
    }
}
