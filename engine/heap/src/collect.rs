//! A pause: a minor collection with what is due of a major one, or a major one at once.
//!
//! | | minor | major |
//! |---|---|---|
//! | starts from | remembered objects, words of dirty cards, roots | roots |
//! | marks in | `cur`, so the old are left alone | `next` |
//! | sweeps | touched blocks, young large objects | all |
//!
//! All survivors are old after either, so that both end with an empty remembered set. No bitmap is
//! cleared before the sweep: a conservative look-up stays possible as long as marking goes on.

use crate::cycle::Roots;
use crate::tracer::{Grey, Marking, prefetch};
use crate::{CollectKind, CollectStats, Heap, MajorStep, ObjectModel, Tracer};
use std::time::{Duration, Instant};

/// How many remembered objects ahead memory is fetched.
const AHEAD: usize = 8;

impl<M: ObjectModel> Heap<M> {
    /// Frees what is not reachable. A minor collection turns into a major one if the remembered
    /// set is incomplete. `roots` may be called more than once.
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
        let bytes_before = self.live_bytes() + self.space.young_bytes.get();
        self.collecting.set(true);
        self.space.retire_runs();
        self.landmarks.clear();
        let (mut scanned, mut work, mut slice) = (0, 0, Duration::ZERO);
        let mut step = MajorStep::None;
        let major = kind == CollectKind::Major || self.remembered_lost.get();
        if major {
            self.collect_all(roots);
        } else {
            (scanned, work) = self.collect_young(roots);
            if !self.cycle.is_idle() || self.major_is_due() {
                let start = Instant::now();
                step = self.slice(roots, &mut self.slice_budget(work));
                slice = start.elapsed();
            }
        }
        self.collecting.set(false);

        let stats = CollectStats {
            kind: if major { CollectKind::Major } else { CollectKind::Minor },
            step,
            duration: start.elapsed(),
            scanned,
            work,
            bytes_before,
            live_bytes: self.live_bytes(),
        };
        self.pace_after(&stats, slice, self.cycle.take_released());
        stats
    }

    /// The minor collection itself. Returns the number of objects it scanned, and its work.
    fn collect_young(&self, roots: Roots<'_, M>) -> (usize, usize) {
        let marking = if self.cycle.is_marking() { Marking::MinorWithin } else { Marking::Minor };
        let grey = self.grey.replace(Grey::new(0));
        let within = self.cycle.grey.replace(Grey::new(0));
        let mut tracer = Tracer::new(self, marking, grey, within);
        self.scan_remembered(&mut tracer);
        roots(&mut tracer);
        self.tables.visit_roots(&mut tracer);
        tracer.drain();
        self.tables.process_young(self, &mut tracer);
        self.space.sweep_touched(&self.range);
        self.large.sweep_young(&self.range, tracer.parity);

        let done = (tracer.scanned, tracer.work());
        let (mut grey, within) = tracer.into_grey();
        grey.trim();
        self.grey.replace(grey);
        self.cycle.grey.replace(within);
        done
    }

    /// Scans what may refer to young objects.
    fn scan_remembered(&self, tracer: &mut Tracer<'_, M>) {
        {
            // Nothing is remembered while these are scanned.
            let objects = self.remembered.borrow();
            let objects = objects.as_slice();
            for (index, obj) in objects.iter().enumerate() {
                if let Some(soon) = objects.get(index + AHEAD) {
                    prefetch(*soon);
                }
                // SAFETY: what a write barrier was called on is an object; no old object has died
                // since, for each collection empties the set.
                unsafe {
                    self.tables.note_stored(*obj);
                    tracer.scan_remembered(*obj);
                }
            }
        }
        tracer.scan_cards();
        tracer.end_remembered();
        let mut remembered = self.remembered.borrow_mut();
        remembered.clear();
        remembered.trim();
    }
}
