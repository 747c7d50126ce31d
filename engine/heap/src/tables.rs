//! Objects of which more is asked than to be kept or freed: owners of external memory, weak
//! containers, objects with finalizers.

use crate::chunk::Parity;
use crate::header::{Header, WEAK};
use crate::{Heap, ObjectModel, Tracer};
use std::cell::RefCell;
use std::collections::VecDeque;

/// Registered objects, the young ones apart: a minor collection looks at those only.
#[derive(Default)]
struct Registry {
    young: RefCell<Vec<*mut Header>>,
    old: RefCell<Vec<*mut Header>>,
}

impl Registry {
    fn add(&self, obj: *const Header) {
        self.young.borrow_mut().push(obj.cast_mut());
    }

    /// Shows `keep` the young objects, and if `all` the old ones before; those it says no to leave
    /// the registry. Nothing is borrowed while `keep` runs.
    fn retain(&self, all: bool, mut keep: impl FnMut(*mut Header) -> bool) {
        let mut old = self.old.take();
        if all {
            old.retain(|obj| keep(*obj));
        }
        let mut young = self.young.take();
        young.retain(|obj| keep(*obj));
        old.append(&mut young);
        self.old.replace(old);
        // Its memory is used again.
        self.young.replace(young);
    }
}

#[derive(Default)]
pub(crate) struct Tables {
    owners: Registry,
    weak: Registry,
    finalizers: Registry,
    /// Old weak containers that were stored to since the last collection.
    stored_weak: RefCell<Vec<*mut Header>>,
    finalizable: RefCell<VecDeque<*mut Header>>,
    cleared_weak: RefCell<VecDeque<*mut Header>>,
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
        for queue in [&self.finalizable, &self.cleared_weak] {
            for obj in queue.borrow().iter() {
                tracer.visit_object(*obj);
            }
        }
    }

    /// After all that the roots lead to is marked: weak references to the dead are cleared; then
    /// unreachable objects with finalizers, with all they lead to, live on; then weak containers
    /// that live for that reason only are looked at; then the dead owners are told.
    pub fn process<M: ObjectModel>(&self, heap: &Heap<M>, tracer: &mut Tracer<'_, M>) {
        let all = tracer.is_major();
        let parity = tracer.parity;
        let mut doubtful = Vec::new();
        self.weak.retain(all, |obj| {
            let live = heap.is_marked(obj, parity);
            if live {
                self.clear_weak(heap, obj, parity);
            } else {
                doubtful.push(obj);
            }
            live
        });
        for obj in self.stored_weak.take() {
            self.clear_weak(heap, obj, parity);
        }

        let mut found = Vec::new();
        self.finalizers.retain(all, |obj| {
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
            self.finalizable.borrow_mut().extend(found);
            tracer.drain();
        }

        for obj in doubtful {
            if heap.is_marked(obj, parity) {
                self.clear_weak(heap, obj, parity);
                self.weak.old.borrow_mut().push(obj);
            }
        }
        self.owners.retain(all, |obj| {
            let live = heap.is_marked(obj, parity);
            if !live {
                // SAFETY: registered, unreachable, and not swept yet.
                unsafe { M::drop_external(obj) };
            }
            live
        });
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
        self.owners.retain(true, |obj| {
            // SAFETY: registered, and still intact.
            unsafe { M::drop_external(obj) };
            false
        });
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

    /// The next object that became unreachable and wants to be finalized, in order of
    /// registration. Until taken, the object is a root.
    pub fn take_finalizable(&self) -> Option<*mut Header> {
        self.tables.finalizable.borrow_mut().pop_front()
    }

    /// The next weak container whose `clear_weak` said true. Until taken, it is a root.
    pub fn take_cleared_weak(&self) -> Option<*mut Header> {
        self.tables.cleared_weak.borrow_mut().pop_front()
    }
}
