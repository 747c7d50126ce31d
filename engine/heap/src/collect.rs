//! The course of a collection. The world stands still.
//!
//! | | minor | major |
//! |---|---|---|
//! | starts from | remembered objects, words of dirty cards, roots | roots |
//! | marks in | `cur`, so the old are left alone | `next` |
//! | sweeps | touched blocks, young large objects | all |
//!
//! All survivors are old after either, so that both end with an empty remembered set. No bitmap is
//! cleared before the sweep: a conservative look-up stays possible as long as marking goes on.

use crate::stack::Stack;
use crate::tracer::prefetch;
use crate::{CollectKind, CollectStats, Heap, ObjectModel, Tracer};
use std::time::Instant;

/// How many remembered objects ahead memory is fetched.
const AHEAD: usize = 8;

impl<M: ObjectModel> Heap<M> {
    /// Frees what is not reachable. A minor collection turns into a major one if the remembered
    /// set is incomplete.
    ///
    /// # Safety
    /// `roots` visits every reference from outside of the heap, the headers of all objects are
    /// written, every store into an old object was announced to a write barrier, and nobody
    /// allocates until this returns.
    pub unsafe fn collect(
        &self,
        kind: CollectKind,
        roots: &mut dyn FnMut(&mut Tracer<'_, M>),
    ) -> CollectStats {
        let start = Instant::now();
        let major = kind == CollectKind::Major || self.remembered_lost.get();
        self.collecting.set(true);
        self.space.retire_runs();

        let stack = self.mark_stack.replace(Stack::new(0));
        let mut tracer = Tracer::new(self, major, stack);
        self.scan_remembered(&mut tracer);
        roots(&mut tracer);
        self.tables.visit_roots(&mut tracer);
        tracer.drain();
        self.tables.process(self, &mut tracer);

        let released = if major {
            // The marking parity becomes the old one in the first of the two.
            let keep = self.pacing.nursery.get() + self.pacing.nursery.get() / 2;
            self.space.sweep_all(&self.range, keep) + self.large.sweep_all(&self.range, tracer.parity)
        } else {
            self.space.sweep_touched(&self.range);
            self.large.sweep_young(&self.range, tracer.parity);
            0
        };
        self.collecting.set(false);
        let (scanned, work) = (tracer.scanned, tracer.work());
        let mut stack = tracer.into_stack();
        stack.trim();
        self.mark_stack.replace(stack);

        let stats = CollectStats {
            kind: if major { CollectKind::Major } else { CollectKind::Minor },
            duration: start.elapsed(),
            scanned,
            work,
            live_bytes: self.live_bytes(),
        };
        self.pace_after(&stats, released);
        stats
    }

    /// Minor: scans what may refer to young objects. Major: forgets it.
    fn scan_remembered(&self, tracer: &mut Tracer<'_, M>) {
        self.remembered_lost.set(false);
        if tracer.is_major() {
            self.large.clear_cards();
        } else {
            // Nothing is remembered while these are scanned.
            let objects = self.remembered.borrow();
            let objects = objects.as_slice();
            for (index, obj) in objects.iter().enumerate() {
                if let Some(soon) = objects.get(index + AHEAD) {
                    prefetch(*soon);
                }
                // SAFETY: what a write barrier was called on is an object; no old object has died
                // since, for a major collection empties the set.
                unsafe {
                    self.tables.note_stored(*obj);
                    tracer.scan(*obj);
                }
            }
            tracer.scan_cards();
        }
        let mut remembered = self.remembered.borrow_mut();
        remembered.clear();
        remembered.trim();
    }
}
