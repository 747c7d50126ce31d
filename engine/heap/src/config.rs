//! What is set when a heap is made, and what it reports.

use std::fmt;
use std::time::Duration;

/// How a heap is set up.
#[derive(Clone, Debug)]
pub struct HeapConfig {
    /// Bytes of address space to reserve; halved until the kernel agrees.
    pub reserve: usize,
    /// Bytes handed out between two minor collections, at most: fewer where much survives.
    pub nursery_bytes: usize,
    /// Upper bound of [`crate::Heap::used_bytes`], or none.
    pub limit: Option<usize>,
    /// Ask for a collection at every n-th allocation.
    pub stress: Option<u32>,
    /// Upper bound of the entries of the mark stack. Marking goes on without more, but slowly.
    pub mark_stack_entries: usize,
    /// Live bytes below which no major collection begins, unless asked for or at the limit.
    pub least_major: usize,
    /// Work of a slice of a major collection, at most: a unit is some 0.1 ns.
    pub slice: usize,
    /// Check at the end of each major collection that nothing was missed. Takes as long as marking.
    pub verify: bool,
}

impl Default for HeapConfig {
    fn default() -> Self {
        HeapConfig {
            reserve: 64 << 30,
            nursery_bytes: 8 << 20,
            limit: None,
            stress: None,
            mark_stack_entries: usize::MAX,
            least_major: 16 << 20,
            slice: 6 << 20,
            verify: false,
        }
    }
}

/// Not even a small range of addresses could be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReserveError;

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot reserve address space for the heap")
    }
}

impl std::error::Error for ReserveError {}

/// Which collection to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectKind {
    /// Objects allocated since the last collection; and a slice of a major one, if one is due.
    Minor,
    /// All objects, at once.
    Major,
}

/// Result of a slow allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Allocation {
    /// A new object; all its words are zero.
    Ok(*mut crate::Header),
    /// Collect (a major one if [`crate::Heap::should_be_major`]), then ask again.
    NeedsCollection,
    /// The limit or the address space is used up, even after a major collection.
    OutOfMemory,
}

/// What the pause of a minor collection did for a major one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MajorStep {
    /// Nothing.
    None,
    /// A slice of marking.
    Mark,
    /// The last of the marking: what is not marked is dead from now on.
    Finish,
    /// A slice of freeing what is dead.
    Sweep,
}

/// What one collection did.
#[derive(Clone, Copy, Debug)]
pub struct CollectStats {
    /// What was run: a minor one may have been turned into a major one.
    pub kind: CollectKind,
    /// Of a minor one.
    pub step: MajorStep,
    /// The length of the pause.
    pub duration: Duration,
    /// Objects that were scanned: the survivors, and in a minor collection the remembered ones.
    pub scanned: usize,
    /// What was done, in units that take about as long each: see `pacing`.
    pub work: usize,
    /// Bytes in use before it: what was live after the last one, and what was handed out since.
    pub bytes_before: usize,
    /// [`crate::Heap::live_bytes`] after it.
    pub live_bytes: usize,
}

impl CollectStats {
    /// Did it find out which of all the objects are dead?
    pub fn finished_major(&self) -> bool {
        self.kind == CollectKind::Major || self.step == MajorStep::Finish
    }
}

/// How often something was done, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause {
    pub count: u64,
    pub total: Duration,
    pub longest: Duration,
}

/// Totals since the heap was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapStats {
    /// Minor collections, without the slices at their end.
    pub minors: Pause,
    /// Slices of major collections.
    pub slices: Pause,
    /// Major collections that were done at once.
    pub majors: Pause,
    /// Major collections that came to their end, in slices or at once.
    pub finished_majors: u64,
    /// The longest stop of the program.
    pub longest_pause: Duration,
    /// Bytes handed out to allocations, in whole lines and pages.
    pub allocated_bytes: u64,
    /// Bytes given back to the kernel.
    pub released_bytes: u64,
}
