//! Handing out room for small objects: by a bump of a cursor through a run of free lines.
//!
//! ```text
//!  a recyclable block   |OOO··OO·······OOOO·OOO|    O old line, · free line
//!                            ^hole  ^next hole
//!  the main run         |##########--------|        # objects, - zeroed room
//!                       start   cursor     end
//! ```
//!
//! Objects of up to a line come from the main run; when it is used up, the next hole of the block
//! at hand is, and after its last hole the fullest recyclable block, so that sparse blocks get a
//! chance to become free. A larger object that does not fit goes to a run of its own kind, the
//! overflow run, which always is a whole block; so a few of them do not throw away small holes.

use crate::chunk::{BLOCK, Block, CLEAN, FREE, GRANULE, LINE, LINES, Parity, Record};
use crate::header::{FILLER, Header};
use crate::reserve::Range;
use std::cell::Cell;

/// Classes of recyclable blocks by used lines. A block with fewer than an eighth of its lines free
/// is not worth a visit; it waits for a collection to change that.
const CLASSES: usize = 7;
const CLASS_LINES: usize = LINES / (CLASSES + 1);

/// A list of blocks, linked through their records.
#[derive(Default)]
pub(crate) struct BlockList {
    first: Cell<u32>,
}

impl BlockList {
    pub fn push(&self, base: usize, block: Block) {
        block.record().next.set(self.first.get());
        self.first.set(block.id(base) + 1);
    }

    pub fn pop(&self, base: usize) -> Option<Block> {
        let block = Block::from_id(base, self.first.get().checked_sub(1)?);
        self.first.set(block.record().next.get());
        Some(block)
    }

    /// Moves up to `most` blocks of another list, which turns their order.
    pub fn take_from(&self, other: &BlockList, base: usize, most: usize) {
        let blocks = std::iter::from_fn(|| other.pop(base));
        blocks.take(most).for_each(|block| self.push(base, block));
    }

    pub fn clear(&self) {
        self.first.set(0);
    }
}

/// The space of the small objects.
#[repr(C)]
pub(crate) struct Space {
    /// Where the next object goes. Compiled code reads and writes it.
    pub cursor: Cell<usize>,
    /// Where the fast path ends: `end`, or `cursor` if the next allocation is to be a slow one.
    pub limit: Cell<usize>,
    /// End of the main run.
    end: Cell<usize>,
    overflow_cursor: Cell<usize>,
    overflow_end: Cell<usize>,
    /// The block whose holes are being handed out, and the line from which on to look.
    hole_block: Cell<Option<Block>>,
    hole_line: Cell<usize>,
    /// The bitmap whose bits say "old".
    pub parity: Cell<Parity>,
    pub recyclable: [BlockList; CLASSES],
    /// Free blocks with memory behind them.
    pub dirty: BlockList,
    /// Free blocks that are all zero.
    pub clean: BlockList,
    /// Free blocks whose memory is about to go back to the kernel.
    pub releasing: BlockList,
    /// Blocks of which something was handed out since the last collection. They are in no other list.
    pub touched: BlockList,
    /// Blocks that are not free.
    pub blocks_in_use: Cell<usize>,
    /// Lines in use after the last collection.
    pub used_lines: Cell<usize>,
    /// Bytes of the lines handed out since the last collection.
    pub young_bytes: Cell<usize>,
    /// Counts the major collections.
    pub epoch: Cell<u8>,
    /// End of the blocks that have to be swept: from the base of the range to here.
    pub unswept: Cell<usize>,
    /// May blocks be swept now? Before, something still looks at dead objects.
    pub may_sweep: Cell<bool>,
    /// End of the chunks in which long free runs have to be looked for.
    pub long_runs: Cell<usize>,
}

impl Space {
    /// Bytes of the run that are not handed out yet.
    pub fn rest(&self) -> usize {
        self.end.get().saturating_sub(self.cursor.get())
    }

    pub fn new() -> Space {
        Space {
            cursor: Cell::new(0),
            limit: Cell::new(0),
            end: Cell::new(0),
            overflow_cursor: Cell::new(0),
            overflow_end: Cell::new(0),
            hole_block: Cell::new(None),
            hole_line: Cell::new(0),
            parity: Cell::new(Parity::FIRST),
            recyclable: Default::default(),
            dirty: BlockList::default(),
            clean: BlockList::default(),
            releasing: BlockList::default(),
            touched: BlockList::default(),
            blocks_in_use: Cell::new(0),
            used_lines: Cell::new(0),
            young_bytes: Cell::new(0),
            epoch: Cell::new(0),
            unswept: Cell::new(0),
            may_sweep: Cell::new(false),
            long_runs: Cell::new(0),
        }
    }

    /// Opens or closes the fast path up to the end of the main run.
    pub fn set_fast(&self, open: bool) {
        let limit = if open { &self.end } else { &self.cursor };
        self.limit.set(limit.get());
    }

    /// Takes `size` bytes, a multiple of the granule, from the runs at hand.
    pub fn bump(&self, size: usize) -> Option<usize> {
        for (cursor, end) in [(&self.cursor, &self.end), (&self.overflow_cursor, &self.overflow_end)] {
            let start = cursor.get();
            if size <= end.get() - start {
                cursor.set(start + size);
                return Some(start);
            }
            // Small objects would only fill up what larger ones need.
            if size <= LINE {
                break;
            }
        }
        None
    }

    /// Takes a new run and `size` bytes from it. `may_grow` says whether one more block may be used.
    pub fn bump_new_run(&self, range: &Range, size: usize, may_grow: impl FnOnce() -> bool) -> Option<usize> {
        if size > LINE {
            let (start, end) = self.take_block(range, may_grow)?;
            retire(&self.overflow_cursor, &self.overflow_end);
            self.overflow_cursor.set(start);
            self.overflow_end.set(end);
        } else {
            let (start, end) = self.take_hole(range).or_else(|| self.take_block(range, may_grow))?;
            retire(&self.cursor, &self.end);
            self.cursor.set(start);
            self.end.set(end);
        }
        self.bump(size)
    }

    fn take_hole(&self, range: &Range) -> Option<(usize, usize)> {
        loop {
            let Some(block) = self.hole_block.get() else {
                let found = self.pop_recyclable(range.base);
                let block = found.or_else(|| self.sweep_on_demand(range))?;
                self.touched.push(range.base, block);
                self.hole_block.set(Some(block));
                self.hole_line.set(0);
                continue;
            };
            let from = self.hole_line.get();
            let Some((first, last)) = block.find_run(from, |line| line == 0) else {
                self.hole_block.set(None);
                continue;
            };
            self.hole_line.set(last);
            block.set_young(first, last);
            let start = block.start() + first * LINE;
            let bytes = (last - first) * LINE;
            // SAFETY: free lines hold nothing that is reachable.
            unsafe { std::ptr::write_bytes(start as *mut u8, 0, bytes) };
            self.young_bytes.set(self.young_bytes.get() + bytes);
            return Some((start, start + bytes));
        }
    }

    pub fn pop_recyclable(&self, base: usize) -> Option<Block> {
        let mut fullest_first = self.recyclable.iter().rev();
        fullest_first.find_map(|list| list.pop(base))
    }

    fn take_block(&self, range: &Range, may_grow: impl FnOnce() -> bool) -> Option<(usize, usize)> {
        if !may_grow() {
            return None;
        }
        let base = range.base;
        let lists = [&self.dirty, &self.releasing, &self.clean];
        let block = match lists.into_iter().find_map(|list| list.pop(base)) {
            Some(block) => block,
            None => {
                let chunk = range.grow_small()?;
                // SAFETY: the chunk was just committed.
                let blocks = unsafe { Block::all_in(chunk) };
                for block in blocks.rev() {
                    block.record().flags.set(FREE | CLEAN);
                    self.clean.push(base, block);
                }
                self.clean.pop(base)?
            }
        };
        if !block.record().has(CLEAN) {
            // SAFETY: the block is free.
            unsafe { std::ptr::write_bytes(block.start() as *mut u8, 0, BLOCK) };
        }
        block.record().flags.set(0);
        block.record().epoch.set(self.epoch.get());
        block.set_young(0, LINES);
        self.touched.push(base, block);
        self.blocks_in_use.set(self.blocks_in_use.get() + 1);
        self.young_bytes.set(self.young_bytes.get() + BLOCK);
        Some((block.start(), block.end()))
    }

    /// Ends the runs at hand, at the begin of a collection.
    pub fn retire_runs(&self) {
        retire(&self.cursor, &self.end);
        retire(&self.overflow_cursor, &self.overflow_end);
        self.limit.set(0);
        self.hole_block.set(None);
    }

    /// Is `addr` the begin of the unused rest of a run that is at hand? A run without a rest ends
    /// where another one may begin, so its cursor says nothing.
    pub fn is_rest(&self, addr: usize) -> bool {
        let rest = |cursor: &Cell<usize>, end: &Cell<usize>| addr == cursor.get() && addr < end.get();
        rest(&self.cursor, &self.end) || rest(&self.overflow_cursor, &self.overflow_end)
    }

    /// Puts a swept block into the list where it belongs. If it has become free, it is flagged so.
    pub fn list(&self, base: usize, block: Block) {
        let record: &Record = block.record();
        let used = usize::from(record.used_lines.get());
        if used == 0 {
            record.flags.set(record.flags.get() | FREE);
            let clean = record.has(CLEAN);
            let list = if clean { &self.clean } else { &self.dirty };
            list.push(base, block);
        } else if let Some(list) = self.recyclable.get((used - 1) / CLASS_LINES) {
            list.push(base, block);
        }
    }
}

/// Ends a run: what is left of it becomes a filler, so that a walk over the run can step over it.
fn retire(cursor: &Cell<usize>, end: &Cell<usize>) {
    let rest = end.get() - cursor.get();
    if rest != 0 {
        debug_assert!(rest.is_multiple_of(GRANULE) && rest <= BLOCK);
        let filler = cursor.get() as *const Header;
        // SAFETY: the rest of a run is zeroed memory that is nobody else's, and a header fits.
        unsafe {
            (*filler).shape.set(rest as u32);
            (*filler).gc.set(FILLER);
        }
    }
    cursor.set(0);
    end.set(0);
}
