//! From a word that may be anything to the object that it points to or into.
//!
//! A free line holds nothing. In an OLD line the mark bits say where objects begin. In a YOUNG
//! line nothing does, for allocation writes no bits; but runs are full of objects and fillers, so
//! they can be walked from their start, or from a *landmark*: the first object of a line that was passed by an earlier
//! walk. During a collection a block that is asked about is walked
//! once and its `starts` bits are kept; the mutator's next bump would make them stale.

use crate::chunk::{Block, GRANULE, LINE, STARTS_BUILT, YOUNG, line_slot};
use crate::header::{FILLER, Header};
use crate::{Heap, ObjectModel};
use std::cell::Cell;
use std::ops::ControlFlow;

/// Where objects begin in young lines that were walked over since the last collection: until the next one they stay.
pub(crate) struct Landmarks([Cell<usize>; Landmarks::COUNT]);

impl Landmarks {
    const COUNT: usize = 256;
    /// Lines before an address's own in which a landmark is looked for: few objects are longer.
    const NEAR: usize = 8;

    pub fn new() -> Landmarks {
        Landmarks([const { Cell::new(0) }; Landmarks::COUNT])
    }

    pub fn clear(&self) {
        self.0.iter().for_each(|place| place.set(0));
    }

    /// The place for this address's line, which other lines share.
    fn place(&self, addr: usize) -> &Cell<usize> {
        &self.0[addr / LINE % Landmarks::COUNT]
    }

    /// An object begins there.
    fn note(&self, start: usize) {
        let place = self.place(start);
        if place.get() / LINE != start / LINE {
            place.set(start);
        }
    }

    /// The begin of an object in a line shortly before that of `addr`, and not before `run`.
    fn before(&self, addr: usize, run: usize) -> Option<usize> {
        let line = addr / LINE * LINE;
        (1..=Landmarks::NEAR).find_map(|n| {
            let near = line.checked_sub(n * LINE).filter(|near| *near >= run)?;
            Some(self.place(near).get()).filter(|start| start / LINE == near / LINE)
        })
    }
}

impl<M: ObjectModel> Heap<M> {
    /// The object that a word points to or into, if any. Old garbage that no major collection has
    /// found yet counts as an object.
    pub fn resolve(&self, word: u64) -> Option<*mut Header> {
        let addr = word as usize;
        let start = if addr < self.range.base {
            None
        } else if addr < self.range.small_end() {
            self.small_at_or_before(addr)
        } else if addr >= self.range.large_start() && addr < self.range.end {
            self.large.resolve(addr)
        } else {
            None
        }?;
        // SAFETY: the look-ups give objects only.
        (addr - start < unsafe { rounded_size::<M>(start) }).then_some(start as *mut Header)
    }

    /// The last object that begins at or before an address in its block; none if the address is
    /// in no object for sure.
    fn small_at_or_before(&self, addr: usize) -> Option<usize> {
        // SAFETY: `addr` is below `small_end`, so its chunk is committed.
        let block = unsafe { Block::containing(addr)? };
        // SAFETY: as above, and it is no metadata.
        let line = unsafe { *line_slot(addr) };
        if line == 0 {
            None
        } else if line & YOUNG == 0 {
            block.marked_at_or_before(addr, self.space.parity.get())
        } else if self.collecting.get() {
            self.build_starts(block);
            block.start_at_or_before(addr)
        } else {
            self.walk_to(block, addr)
        }
    }

    fn build_starts(&self, block: Block) {
        let flags = &block.record().flags;
        if flags.get() & STARTS_BUILT == 0 {
            flags.set(flags.get() | STARTS_BUILT);
            self.for_each_young(block, &mut |start| block.set_start(start));
        }
    }

    /// Calls `f` with every object in the young runs of a block.
    pub(crate) fn for_each_young(&self, block: Block, f: &mut dyn FnMut(usize)) {
        let mut line = 0;
        while let Some((first, last)) = block.find_run(line, |line| line & YOUNG != 0) {
            let start = block.start() + first * LINE;
            let end = block.start() + last * LINE;
            let _ = self.walk_run::<()>(start, end, |start, _| {
                f(start);
                ControlFlow::Continue(())
            });
            line = last;
        }
    }

    fn walk_to(&self, block: Block, addr: usize) -> Option<usize> {
        let line = (addr - block.start()) / LINE;
        let mut first = line;
        while first > 0 && block.line(first - 1) & YOUNG != 0 {
            first -= 1;
        }
        let run = block.start() + first * LINE;
        let start = self.landmarks.before(addr, run).unwrap_or(run);
        let end = block.start() + (line + 1) * LINE;
        let found = self.walk_run(start, end, |start, size| {
            self.landmarks.note(start);
            if addr - start < size { ControlFlow::Break(start) } else { ControlFlow::Continue(()) }
        });
        found.break_value()
    }

    /// Walks the objects that begin between `start`, where a run does, and `end`.
    fn walk_run<B>(
        &self,
        start: usize,
        end: usize,
        mut f: impl FnMut(usize, usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut addr = start;
        while addr < end && !self.space.is_rest(addr) {
            // SAFETY: before the cursor, a run is a sequence of objects with written headers and
            // of fillers, and `addr` is at the begin of one.
            unsafe {
                let header = &*(addr as *const Header);
                if header.gc.get() & FILLER != 0 {
                    addr += header.shape.get() as usize;
                } else {
                    let size = rounded_size::<M>(addr);
                    f(addr, size)?;
                    addr += size;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Bytes of an object, in whole granules.
///
/// # Safety
/// There is an object at `addr`.
unsafe fn rounded_size<M: ObjectModel>(addr: usize) -> usize {
    // SAFETY: by the caller's promise.
    let size = unsafe { M::size(addr as *const Header) };
    debug_assert!(size >= size_of::<Header>());
    size.max(1).next_multiple_of(GRANULE)
}
