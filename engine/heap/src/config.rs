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
}

impl Default for HeapConfig {
    fn default() -> Self {
        HeapConfig {
            reserve: 64 << 30,
            nursery_bytes: 8 << 20,
            limit: None,
            stress: None,
            mark_stack_entries: usize::MAX,
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
    /// Objects allocated since the last collection.
    Minor,
    /// All objects.
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

/// What one collection did.
#[derive(Clone, Copy, Debug)]
pub struct CollectStats {
    /// What was run: a minor one may have been turned into a major one.
    pub kind: CollectKind,
    /// The length of the pause.
    pub duration: Duration,
    /// Objects that were scanned: the survivors, and in a minor collection the remembered ones.
    pub scanned: usize,
    /// What was done, in units that take about as long each: see `pacing`.
    pub work: usize,
    /// [`crate::Heap::live_bytes`] after it.
    pub live_bytes: usize,
}

/// Totals since the heap was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapStats {
    pub minors: u64,
    pub majors: u64,
    pub minor_time: Duration,
    pub major_time: Duration,
    pub longest_minor: Duration,
    pub longest_major: Duration,
    /// Bytes handed out to allocations, in whole lines and pages.
    pub allocated_bytes: u64,
    /// Bytes given back to the kernel.
    pub released_bytes: u64,
}
