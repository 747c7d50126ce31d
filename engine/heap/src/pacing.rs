//! When to collect, which kind, and when there is no memory left.
//!
//! Used **lines** count for the choice of a major collection, since blocks would make a sparse heap
//! look ten times too big. Used **blocks** count for the limit, since they are what the process has.
//!
//! A minor collection costs what survives, and what was stored to. So that its pause stays short,
//! both are bounded by counts of work, never by a clock: the same program collects at the same
//! places each time. A unit of work is a byte of an object that is scanned, some 0.1 ns; but in a heap
//! much larger than the caches a step from object to object waits for memory, so that it is up to
//! [`MOST_SLOW`] times that ([`Heap::slowness`]).
//!
//! - The nursery's *quota* goes down when a collection did more than [`WORK`], as far as would have
//!   made it do that much. Else it doubles, up to the nursery's size, while a collection does much for the bytes that
//!   were handed out ([`MUCH`]), and is halved, down to [`SMALL_QUOTA`], while it does little ([`LITTLE`]): where nearly
//!   all dies young, memory that is used again while it is in the nearer caches costs least.
//! - Objects and cards that are remembered make a collection due when to look at them is [`WORK`].
//!
//! A major collection begins when the heap has grown to twice what the last one left, and is done in
//! slices at the end of minor ones (`cycle`), of more work the more survived since the last slice. What
//! survives while it marks needs no marking, so that the heap cannot outrun it.

use crate::chunk::{BLOCK, LINE};
use crate::{
    Allocation, CollectKind, CollectStats, Heap, HeapConfig, HeapStats, MajorStep, ObjectModel, Pause,
};
use std::cell::Cell;
use std::time::Duration;

/// Growth of external memory that asks for a collection, at least. What dies young is used again while it is in the caches.
const LEAST_EXTERNAL: usize = 4 << 20;

/// Work that a minor collection should not do more of.
const WORK: usize = 8 << 20;
/// How many times slower work is in a large heap, at most, and bytes of the heap for each time.
const MOST_SLOW: usize = 4;
const SLOW_BYTES: usize = 128 << 20;
/// Work of a slice for each byte that survived since the last one.
const WORK_PER_BYTE: usize = 4;
/// Parts of a slice: it has one of them at least, and under stress one of many.
const LEAST_PART: usize = 4;
const STRESS_PART: usize = 256;
/// Work of scanning an object, besides its bytes.
pub(crate) const OBJECT_WORK: usize = 48;
/// Work of going to a dirty card.
pub(crate) const CARD_WORK: usize = 64;
/// Work of looking at a word in it that was stored to.
pub(crate) const STORED_WORK: usize = 96;
/// Work that an object costs which such a word is likely to keep alive.
const KEPT_WORK: usize = OBJECT_WORK + 32;
/// Work of sweeping a block.
pub(crate) const BLOCK_WORK: usize = 1200;
/// Work of a look at a registered object.
pub(crate) const TABLE_WORK: usize = 150;
/// Work of a call of the kernel, and the bytes that it takes back in a unit of work.
pub(crate) const KERNEL_WORK: usize = 8192;
pub(crate) const RELEASE_BYTES: usize = 2;
/// Work of a byte of an old object that is scanned again.
const REMEMBERED_WORK: usize = 3;
/// The quota is never less, unless the nursery is.
const LEAST_QUOTA: usize = 256 << 10;
/// The quota goes down to this while nearly all dies. Half of a common processor's second cache.
const SMALL_QUOTA: usize = 1 << 20;
/// The quota at first: modules that are imported when a program begins survive, so that it pays not to look at them soon.
const FIRST_QUOTA: usize = 4 << 20;
/// Bytes of the quota for a unit of a collection's work that make this much, and little.
const MUCH: usize = 8;
const LITTLE: usize = 20;

/// Work that may still be done in a pause.
pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    pub fn unlimited() -> Budget {
        Budget { left: usize::MAX }
    }

    #[inline(always)]
    pub fn spend(&mut self, work: usize) {
        if !self.is_unlimited() {
            self.left = self.left.saturating_sub(work);
        }
    }

    pub fn is_unlimited(&self) -> bool {
        self.left == usize::MAX
    }

    #[inline(always)]
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }
}

pub(crate) struct Pacing {
    pub nursery: Cell<usize>,
    /// Bytes that are handed out until the next minor collection.
    quota: Cell<usize>,
    /// Work that what is remembered will be.
    logged: Cell<usize>,
    /// How much that may be.
    most_logged: Cell<usize>,
    pub limit: Cell<Option<usize>>,
    pub stress: Cell<Option<u32>>,
    /// The user wants to be asked for each allocation.
    pub watched: Cell<bool>,
    since_stress: Cell<u32>,
    pub external: Cell<usize>,
    /// Growth of `external` since the last collection.
    young_external: Cell<usize>,
    /// Occupied bytes that make the next collection a major one.
    major_at: Cell<usize>,
    least_major: usize,
    /// Work of a slice of a major collection, at most.
    slice: usize,
    /// Live bytes after the last collection.
    live: Cell<usize>,
    /// The limit was met, and a minor collection does not help.
    pressed: Cell<bool>,
    last: Cell<CollectKind>,
    /// The last collection was a major one because of `pressed`.
    last_pressed: Cell<bool>,
    pub stats: Cell<HeapStats>,
}

impl Pacing {
    pub fn new(config: &HeapConfig) -> Pacing {
        Pacing {
            nursery: Cell::new(config.nursery_bytes),
            quota: Cell::new(config.nursery_bytes.min(FIRST_QUOTA)),
            logged: Cell::new(0),
            most_logged: Cell::new(WORK),
            limit: Cell::new(config.limit),
            stress: Cell::new(config.stress),
            watched: Cell::new(false),
            since_stress: Cell::new(0),
            external: Cell::new(0),
            young_external: Cell::new(0),
            major_at: Cell::new(config.least_major),
            least_major: config.least_major,
            slice: config.slice,
            live: Cell::new(0),
            pressed: Cell::new(false),
            last: Cell::new(CollectKind::Minor),
            last_pressed: Cell::new(false),
            stats: Cell::default(),
        }
    }

    pub fn set_nursery(&self, bytes: usize) {
        self.nursery.set(bytes);
        self.quota.set(bytes);
    }

    /// After a minor collection that did so much work, and should not do more than `wanted`.
    fn adapt(&self, work: usize, wanted: usize) {
        let (most, quota) = (self.nursery.get(), self.quota.get());
        if work > wanted {
            let less = (quota as u128 * wanted as u128 / work as u128) as usize;
            self.quota.set(less.max(LEAST_QUOTA).min(most));
        } else if work < wanted / 2 && work > quota / MUCH {
            self.quota.set((quota * 2).min(most));
        } else if work < quota / LITTLE && quota > SMALL_QUOTA {
            self.quota.set((quota / 2).max(SMALL_QUOTA));
        }
    }
}

impl<M: ObjectModel> Heap<M> {
    /// Bytes that count to the limit: blocks and pages in use, and external memory.
    pub fn used_bytes(&self) -> usize {
        self.space.blocks_in_use.get() * BLOCK + self.large.bytes.get() + self.pacing.external.get()
    }

    /// Bytes of the lines that survived the last collection, of the large objects, and of external
    /// memory.
    pub fn live_bytes(&self) -> usize {
        self.space.used_lines.get() * LINE + self.large.bytes.get() + self.pacing.external.get()
    }

    /// Would `bytes` more stay within the limit?
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let limit = self.pacing.limit.get();
        limit.is_none_or(|limit| limit.checked_sub(bytes).is_some_and(|most| self.used_bytes() <= most))
    }

    /// May `bytes` of external memory be had without passing the limit? If not, collect and ask
    /// again.
    pub fn external_fits(&self, bytes: usize) -> bool {
        let fits = self.fits(bytes);
        if !fits {
            self.pacing.pressed.set(true);
        }
        fits
    }

    /// Objects came to own `bytes` more (or less) of memory outside of the heap.
    pub fn add_external(&self, bytes: isize) {
        let pacing = &self.pacing;
        let change = bytes.unsigned_abs();
        if bytes < 0 {
            pacing.external.set(pacing.external.get().saturating_sub(change));
            return;
        }
        pacing.external.set(pacing.external.get().saturating_add(change));
        let young = pacing.young_external.get().saturating_add(change);
        pacing.young_external.set(young);
        if self.external_is_due() {
            // The next allocation shall come by.
            self.space.set_fast(false);
        }
    }

    fn external_is_due(&self) -> bool {
        let budget = LEAST_EXTERNAL.max(self.live_bytes() / 4);
        self.pacing.young_external.get() > budget
    }

    /// Should the next collection be a major one, without delay?
    pub fn should_be_major(&self) -> bool {
        self.pacing.pressed.get() || self.remembered_lost.get()
    }

    /// Is it time for a major collection to begin?
    pub(crate) fn major_is_due(&self) -> bool {
        self.pacing.stress.get().is_some() || self.live_bytes() > self.pacing.major_at.get()
    }

    /// How many times slower than in a small heap a unit of work is.
    fn slowness(&self) -> usize {
        (self.live_bytes() / SLOW_BYTES).clamp(1, MOST_SLOW)
    }

    /// What a slice of a major collection may do now, after a minor one that did so much work.
    pub(crate) fn slice_budget(&self, minor_work: usize) -> Budget {
        let pacing = &self.pacing;
        if pacing.stress.get().is_some() {
            return Budget { left: (pacing.slice / STRESS_PART).max(1) };
        }
        let slice = pacing.slice / self.slowness();
        let least = (slice / LEAST_PART).max(1);
        let most = slice.saturating_sub(minor_work.saturating_sub(WORK / 2)).max(least);
        let survived = self.live_bytes().saturating_sub(pacing.live.get());
        Budget { left: survived.saturating_mul(WORK_PER_BYTE).clamp(least, most) }
    }

    /// Is a collection due before anything is allocated?
    pub(crate) fn is_due(&self) -> bool {
        self.stress_is_due() || self.external_is_due() || self.log_is_due()
    }

    /// Is so much remembered that a collection should not wait for the next allocation?
    pub fn log_is_due(&self) -> bool {
        self.pacing.logged.get() > self.pacing.most_logged.get()
    }

    /// An object of so many bytes came to be remembered. Each of its words may lead to an old object
    /// far away, whose mark has to be looked at.
    pub(crate) fn note_object(&self, bytes: usize) {
        self.note_logged(OBJECT_WORK + bytes * REMEMBERED_WORK);
    }

    /// So many cards became dirty, and so many more of the words in cards.
    pub(crate) fn note_cards(&self, cards: usize, words: usize) {
        self.note_logged(cards * CARD_WORK + words * (STORED_WORK + KEPT_WORK));
    }

    fn note_logged(&self, work: usize) {
        let logged = &self.pacing.logged;
        logged.set(logged.get().saturating_add(work));
        if self.log_is_due() {
            // The next allocation shall come by.
            self.space.set_fast(false);
        }
    }

    fn stress_is_due(&self) -> bool {
        let Some(every) = self.pacing.stress.get() else {
            return false;
        };
        let count = self.pacing.since_stress.get() + 1;
        let due = count >= every;
        self.pacing.since_stress.set(if due { 0 } else { count });
        due
    }

    /// Is the nursery used up?
    pub(crate) fn nursery_is_full(&self) -> bool {
        self.space.young_bytes.get() >= self.pacing.quota.get()
    }

    /// May allocation by bumping go on until the end of the run?
    pub(crate) fn fast_is_open(&self) -> bool {
        let watched = self.pacing.watched.get() || self.pacing.stress.get().is_some();
        !watched && !self.external_is_due() && !self.log_is_due()
    }

    /// Did a collection that was forced by the limit free so little that going on would mean to
    /// collect all the time?
    pub(crate) fn is_starved(&self) -> bool {
        self.pacing.last_pressed.get()
            && self.pacing.limit.get().is_some_and(|limit| self.live_bytes() > limit - limit / 128)
    }

    /// No room within the limit or the range.
    pub(crate) fn refuse(&self, after_collection: bool) -> Allocation {
        let pacing = &self.pacing;
        if after_collection && pacing.last.get() == CollectKind::Major {
            return Allocation::OutOfMemory;
        }
        if after_collection || self.space.young_bytes.get() < pacing.quota.get() / 4 {
            pacing.pressed.set(true);
        }
        Allocation::NeedsCollection
    }

    /// What a major collection left is known: when the next one begins.
    pub(crate) fn pace_major(&self) {
        let pacing = &self.pacing;
        pacing.major_at.set(self.live_bytes().saturating_mul(2).max(pacing.least_major));
    }

    /// Bookkeeping at the end of a collection, whose part after the minor one took `slice`.
    pub(crate) fn pace_after(&self, done: &CollectStats, slice: Duration, released: usize) {
        let pacing = &self.pacing;
        pacing.young_external.set(0);
        pacing.logged.set(0);
        pacing.last.set(done.kind);
        pacing.live.set(done.live_bytes);
        let mut stats = pacing.stats.get();
        stats.released_bytes += released as u64;
        match done.kind {
            CollectKind::Minor => {
                stats.minors.add(done.duration - slice);
                pacing.last_pressed.set(false);
                let part = if self.cycle.is_marking() { 2 } else { 1 };
                pacing.adapt(done.work, WORK / part / self.slowness());
                pacing.most_logged.set(WORK / self.slowness());
            }
            CollectKind::Major => {
                stats.majors.add(done.duration);
                pacing.last_pressed.set(pacing.pressed.take());
            }
        }
        if done.step != MajorStep::None {
            stats.slices.add(slice);
        }
        stats.finished_majors += u64::from(done.finished_major());
        stats.longest_pause = stats.longest_pause.max(done.duration);
        pacing.stats.set(stats);
    }
}

impl Pause {
    fn add(&mut self, duration: Duration) {
        self.count += 1;
        self.total += duration;
        self.longest = self.longest.max(duration);
    }
}
