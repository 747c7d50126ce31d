//! Runs of pages for large objects: best fit, coalescing, and what goes back to the kernel.

use crate::pacing::{Budget, KERNEL_WORK, RELEASE_BYTES};
use crate::reserve::Range;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Unit in which large objects are laid out.
pub(crate) const PAGE: usize = 4096;
/// A free run at least this long goes back to the kernel at once. Shorter ones are zeroed when they are taken,
/// which is several times cheaper than the page faults of memory that was given back.
const RETURNED: usize = 32 << 20;
/// Bytes of free memory that stay at hand, with what was in them, when the rest is given back.
const KEPT: usize = 32 << 20;

#[derive(Clone, Copy)]
struct FreeRun {
    bytes: usize,
    /// Has to be zeroed before use.
    dirty: bool,
}

/// The free page runs, by address and by size.
#[derive(Default)]
pub(crate) struct PageRuns {
    by_address: BTreeMap<usize, FreeRun>,
    by_size: BTreeSet<(usize, usize)>,
    pub released: Cell<usize>,
}

impl PageRuns {
    fn insert(&mut self, start: usize, run: FreeRun) {
        self.by_address.insert(start, run);
        self.by_size.insert((run.bytes, start));
    }

    fn remove(&mut self, start: usize) -> Option<FreeRun> {
        let run = self.by_address.remove(&start)?;
        self.by_size.remove(&(run.bytes, start));
        Some(run)
    }

    /// Takes `bytes`, a multiple of the page, of zeroed memory.
    pub fn take(&mut self, range: &Range, bytes: usize) -> Option<usize> {
        let found = self.by_size.range((bytes, 0)..).next().copied();
        let start = match found {
            Some((_, start)) => start,
            None => self.grow(range, bytes)?,
        };
        let run = self.remove(start)?;
        // The end of the run is taken: so the rest stays next to where the space grows.
        let rest = run.bytes - bytes;
        if rest > 0 {
            let dirty = run.dirty;
            self.insert(start, FreeRun { bytes: rest, dirty });
        }
        let start = start + rest;
        if run.dirty {
            // SAFETY: the run is free.
            unsafe { std::ptr::write_bytes(start as *mut u8, 0, bytes) };
        }
        Some(start)
    }

    /// Commits memory so that there is a free run of at least `bytes`; its start.
    fn grow(&mut self, range: &Range, bytes: usize) -> Option<usize> {
        let at_hand = self.by_address.get(&range.large_start());
        let missing = bytes - at_hand.map_or(0, |run| run.bytes);
        let (start, got) = range.grow_large(missing)?;
        let fresh = FreeRun { bytes: got, dirty: false };
        Some(self.give_run(range, start, fresh))
    }

    /// Takes back what `take` gave.
    ///
    /// # Safety
    /// Nothing in the run is needed.
    pub unsafe fn give(&mut self, range: &Range, start: usize, bytes: usize) {
        let dirty = bytes < RETURNED || !self.release(range, start, bytes);
        self.give_run(range, start, FreeRun { bytes, dirty });
    }

    fn release(&self, range: &Range, start: usize, bytes: usize) -> bool {
        self.released.set(self.released.get() + bytes);
        // SAFETY: only free runs are passed.
        unsafe { range.release(start, start + bytes) }
    }

    /// Joins a run with its neighbours and keeps it. Start of the joint run.
    fn give_run(&mut self, range: &Range, start: usize, run: FreeRun) -> usize {
        let (mut start, mut run) = (start, run);
        if let Some(next) = self.remove(start + run.bytes) {
            run = self.join(range, (start, run), (start + run.bytes, next));
        }
        let before = self.by_address.range(..start).next_back();
        if let Some((&left, &left_run)) = before
            && left + left_run.bytes == start
        {
            self.remove(left);
            run = self.join(range, (left, left_run), (start, run));
            start = left;
        }
        self.insert(start, run);
        start
    }

    /// The union of two neighbours. If one is clean and the union is long, so the union should be.
    fn join(&self, range: &Range, a: (usize, FreeRun), b: (usize, FreeRun)) -> FreeRun {
        let bytes = a.1.bytes + b.1.bytes;
        let mut dirty = a.1.dirty || b.1.dirty;
        if dirty && bytes >= RETURNED {
            dirty = [a, b].iter().fold(false, |dirty, (start, run)| {
                dirty | (run.dirty && !self.release(range, *start, run.bytes))
            });
        }
        FreeRun { bytes, dirty }
    }

    /// Gives the memory of the free runs back to the kernel, but for [`KEPT`] bytes. Was that all?
    pub fn release_all(&mut self, range: &Range, budget: &mut Budget) -> bool {
        let released = &self.released;
        let mut kept = 0;
        for (start, run) in &mut self.by_address {
            if run.dirty && kept + run.bytes <= KEPT {
                kept += run.bytes;
            } else if run.dirty {
                if budget.is_spent() {
                    return false;
                }
                released.set(released.get() + run.bytes);
                // SAFETY: the run is free.
                run.dirty = unsafe { !range.release(*start, *start + run.bytes) };
                if !run.dirty {
                    budget.spend(KERNEL_WORK + run.bytes / RELEASE_BYTES);
                }
            }
        }
        true
    }

    #[cfg(test)]
    fn free_runs(&self) -> Vec<(usize, usize)> {
        assert_eq!(self.by_address.len(), self.by_size.len());
        self.by_address.iter().map(|(start, run)| (*start, run.bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reserve::CHUNK;

    #[test]
    fn runs_are_joined_and_zeroed() {
        let range = Range::reserve(8 * CHUNK).unwrap();
        let mut pages = PageRuns::default();
        let taken: Vec<usize> = (1..40).map(|n| pages.take(&range, n * PAGE).unwrap()).collect();
        for order in [1usize, 0] {
            for (index, start) in taken.iter().enumerate() {
                if index % 2 == order {
                    // SAFETY: these pages were taken, and are not used after.
                    unsafe {
                        std::ptr::write_bytes(*start as *mut u8, 0xff, (index + 1) * PAGE);
                        pages.give(&range, *start, (index + 1) * PAGE);
                    }
                }
            }
        }
        assert_eq!(pages.free_runs(), [(range.large_start(), CHUNK)]);
        let again = pages.take(&range, CHUNK).unwrap();
        for addr in (again..again + CHUNK).step_by(8) {
            // SAFETY: just taken.
            assert_eq!(unsafe { *(addr as *const u64) }, 0);
        }
        assert!(pages.take(&range, 64 * CHUNK).is_none());
    }

    #[test]
    fn growth_uses_the_free_run_at_the_frontier() {
        let range = Range::reserve(8 * CHUNK).unwrap();
        let mut pages = PageRuns::default();
        pages.take(&range, PAGE).unwrap();
        pages.take(&range, 2 * CHUNK - 2 * PAGE).unwrap();
        assert_eq!(range.end - range.large_start(), 2 * CHUNK);
    }
}
