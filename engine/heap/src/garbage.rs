//! What a collector of cycles would have found: of the unreachable objects those in cycles, and what these lead to.
//!
//! Reference counts free the others at once, so programs that count what a collection finds count these. Only
//! collections that are asked to look for it, since it takes as long as marking what is dead.

use crate::chunk::Parity;
use crate::header::Header;
use crate::{Heap, ObjectModel};
use std::cell::Cell;

/// What a major collection is to do with the unreachable objects of cycles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Cycles {
    /// Nothing.
    #[default]
    Ignore,
    /// Count them.
    Count,
    /// Count them, and let them live: [`Heap::take_saved`].
    Save,
}

/// What is asked for, and what was found.
#[derive(Default)]
pub(crate) struct Garbage {
    wanted: Cell<Cycles>,
    found: Cell<usize>,
}

/// The unreachable objects by address, with the number of references to each among them.
struct Dead {
    objects: Vec<*mut Header>,
    references: Vec<u32>,
    complete: bool,
}

impl Dead {
    fn index(&self, obj: *const Header) -> Option<usize> {
        self.objects.binary_search(&obj.cast_mut()).ok()
    }

    /// Leaves those out to which nothing refers, and those that only such ones refer to.
    fn peel<M: ObjectModel>(&mut self, heap: &Heap<M>) {
        for at in 0..self.objects.len() {
            self.for_each_reference(heap, at, |dead, to| {
                dead.references[to] = dead.references[to].saturating_add(1)
            });
        }
        let mut free = Vec::new();
        let room = self.objects.len();
        self.complete &= free.try_reserve(room).is_ok();
        if !self.complete {
            return;
        }
        free.extend((0..room).filter(|&at| self.references[at] == 0));
        while let Some(at) = free.pop() {
            self.for_each_reference(heap, at, |dead, to| {
                dead.references[to] -= 1;
                if dead.references[to] == 0 {
                    free.push(to);
                }
            });
        }
    }

    fn for_each_reference<M: ObjectModel>(
        &mut self,
        heap: &Heap<M>,
        at: usize,
        mut f: impl FnMut(&mut Dead, usize),
    ) {
        let from = self.objects[at];
        let mut look = |to: *const Header| {
            if let Some(to) = self.index(to) {
                f(self, to);
            }
        };
        // SAFETY: unreachable, and not swept yet.
        let complete = unsafe { heap.for_each_reference(from, &mut look) };
        self.complete &= complete;
    }
}

impl<M: ObjectModel> Heap<M> {
    /// Whether major collections from now on look for cycles among the dead.
    pub fn set_cycles(&self, wanted: Cycles) {
        self.garbage.wanted.set(wanted);
        self.garbage.found.set(0);
    }

    /// How many objects of cycles the last major collection has found, if it was asked to look.
    pub fn cycles_found(&self) -> usize {
        self.garbage.found.get()
    }

    /// At the end of marking: looks for cycles among what has no mark, and marks those that are to be saved: were there any?
    /// For want of memory nothing is found.
    pub(crate) fn find_cycles(&self, next: Parity) -> bool {
        let wanted = self.garbage.wanted.get();
        if wanted == Cycles::Ignore {
            return false;
        }
        self.garbage.found.set(0);
        let mut dead = Dead { objects: Vec::new(), references: Vec::new(), complete: true };
        self.for_each_object(&mut |obj| {
            if !self.is_marked(obj, next) && dead.complete {
                dead.complete = dead.objects.try_reserve(1).is_ok();
                if dead.complete {
                    dead.objects.push(obj);
                }
            }
        });
        let count = dead.objects.len();
        if !dead.complete || dead.references.try_reserve_exact(count).is_err() {
            return false;
        }
        dead.references.resize(count, 0);
        dead.objects.sort_unstable();
        dead.peel(self);
        if !dead.complete {
            return false;
        }
        let cyclic = dead.objects.iter().zip(&dead.references).filter(|(_, n)| **n != 0).map(|(obj, _)| *obj);
        // SAFETY: unreachable, and not swept yet.
        let counted = cyclic.filter(|obj| unsafe { M::is_container(*obj) });
        if wanted == Cycles::Count {
            self.garbage.found.set(counted.count());
            return false;
        }
        let found = self.tables.save(counted);
        self.garbage.found.set(found);
        found != 0
    }
}
