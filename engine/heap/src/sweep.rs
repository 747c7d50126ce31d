//! Sweeping the small space: line bytes, block lists, and memory that goes back to the kernel.
//!
//! After a major collection the blocks are swept from the last one to the first, as many at a time
//! as the pause allows, and more when the allocator finds no hole. What has been swept, or handed
//! out since, has the epoch of the space; the lists of recyclable blocks have such blocks only.

use crate::chunk::{BLOCK, Block, CLEAN, FIRST_BLOCK, FREE, LINE, LINES, STARTS_BUILT};
use crate::pacing::{BLOCK_WORK, Budget, KERNEL_WORK, RELEASE_BYTES};
use crate::reserve::{CHUNK, Range};
use crate::space::{BlockList, Space};

/// Part of a block that is worth a call of the kernel on its own.
const LONG_RUN: usize = 16 << 10;
/// Granularity at which long runs are searched.
const PAGE_LINES: usize = 4096 / LINE;
/// Sparseness below this is not worth the kernel's time.
const SPARSE: usize = 32 << 20;
/// Free blocks that are given back at a time.
const BATCH: usize = 64;
/// Blocks that an allocation sweeps at most in search of a hole.
const ON_DEMAND: usize = 64;

impl Space {
    /// After a minor collection: looks at the touched blocks only.
    pub fn sweep_touched(&self, range: &Range) {
        let mut used_lines = self.used_lines.get();
        while let Some(block) = self.touched.pop(range.base) {
            let record = block.record();
            used_lines -= usize::from(record.used_lines.get());
            let used = block.sweep_young();
            used_lines += used;
            record.used_lines.set(used as u16);
            if record.has(STARTS_BUILT) {
                block.clear_starts();
            }
            if used == 0 {
                self.blocks_in_use.set(self.blocks_in_use.get() - 1);
            }
            self.list(range.base, block);
        }
        self.used_lines.set(used_lines);
        self.young_bytes.set(0);
    }

    /// All that is live is marked in `next`: the marks change places, and all blocks have to be
    /// swept before any of their lines is handed out.
    pub fn flip(&self, range: &Range) {
        self.parity.set(self.parity.get().other());
        self.epoch.set(self.epoch.get().wrapping_add(1));
        for list in &self.recyclable {
            list.clear();
        }
        self.touched.clear();
        self.young_bytes.set(0);
        self.unswept.set(range.small_end());
    }

    /// Sweeps blocks, all if there is work enough left. Was that the last of them?
    pub fn sweep(&self, range: &Range, budget: &mut Budget) -> bool {
        while let Some(block) = self.next_unswept(range) {
            self.sweep_block(range, block);
            budget.spend(BLOCK_WORK);
            if budget.is_spent() {
                break;
            }
        }
        self.unswept.get() == range.base
    }

    /// Sweeps until there is a block with holes.
    pub fn sweep_on_demand(&self, range: &Range) -> Option<Block> {
        if !self.may_sweep.get() {
            return None;
        }
        for _ in 0..ON_DEMAND {
            let block = self.next_unswept(range)?;
            self.sweep_block(range, block);
            if let Some(block) = self.pop_recyclable(range.base) {
                return Some(block);
            }
        }
        None
    }

    /// The last block that was not looked at yet.
    fn next_unswept(&self, range: &Range) -> Option<Block> {
        let mut end = self.unswept.get();
        if end <= range.base {
            return None;
        }
        if (end & (CHUNK - 1)) == FIRST_BLOCK * BLOCK {
            // Before it there is the metadata of its chunk.
            end &= !(CHUNK - 1);
            self.unswept.set(end);
            if end == range.base {
                return None;
            }
        }
        self.unswept.set(end - BLOCK);
        // SAFETY: between the base and what was the end of the small part at the flip.
        unsafe { Block::containing(end - BLOCK) }
    }

    fn sweep_block(&self, range: &Range, block: Block) {
        let record = block.record();
        if record.has(FREE) || record.epoch.get() == self.epoch.get() {
            return;
        }
        record.epoch.set(self.epoch.get());
        let before = usize::from(record.used_lines.get());
        if before != 0 {
            block.clear_marks(self.parity.get().other());
        }
        if record.has(STARTS_BUILT) {
            block.clear_starts();
        }
        let used = block.sweep_marked();
        record.used_lines.set(used as u16);
        self.used_lines.set(self.used_lines.get() - before + used);
        if used == 0 {
            record.flags.set(FREE);
            self.blocks_in_use.set(self.blocks_in_use.get() - 1);
        }
        self.list(range.base, block);
    }

    /// Begins to give memory back to the kernel; about `keep` bytes of free blocks keep theirs.
    pub fn begin_release(&self, range: &Range, keep: usize) {
        let kept = BlockList::default();
        kept.take_from(&self.dirty, range.base, keep / BLOCK);
        self.releasing.take_from(&self.dirty, range.base, usize::MAX);
        self.dirty.take_from(&kept, range.base, usize::MAX);
        let (in_use, used) = (self.blocks_in_use.get() * BLOCK, self.used_lines.get() * LINE);
        let sparse = in_use > 2 * used + SPARSE;
        self.long_runs.set(if sparse { range.small_end() } else { range.base });
    }

    /// Gives memory of free blocks and of long free runs back to the kernel. Returns whether that is
    /// all, and how many bytes it was.
    pub fn release(&self, range: &Range, budget: &mut Budget) -> (bool, usize) {
        let mut released = 0;
        while !budget.is_spent() {
            let mut blocks = [0; BATCH];
            let taken = blocks.iter_mut().map_while(|addr| {
                *addr = self.releasing.pop(range.base)?.start();
                Some(())
            });
            let count = taken.count();
            if count == 0 {
                released += self.release_long_runs(range, budget);
                return (self.long_runs.get() == range.base, released);
            }
            let blocks = &mut blocks[..count];
            blocks.sort_unstable();
            for run in blocks.chunk_by(|block, next| block + BLOCK == *next) {
                released += self.release_blocks(range, run);
                budget.spend(KERNEL_WORK + run.len() * BLOCK / RELEASE_BYTES);
            }
        }
        (false, released)
    }

    /// Gives a run of free blocks, which are in no list, back to the kernel.
    fn release_blocks(&self, range: &Range, run: &[usize]) -> usize {
        let bytes = run.len() * BLOCK;
        // SAFETY: the blocks are free.
        let done = unsafe { range.release(run[0], run[0] + bytes) };
        // Backwards: what is pushed last, with the lowest address, is used first.
        for addr in run.iter().rev() {
            let block = Block::from_id(range.base, ((addr - range.base) / BLOCK) as u32);
            block.record().flags.set(if done { FREE | CLEAN } else { FREE });
            let list = if done { &self.clean } else { &self.dirty };
            list.push(range.base, block);
        }
        if done { bytes } else { 0 }
    }

    /// Gives the free pages inside of sparse blocks back to the kernel.
    fn release_long_runs(&self, range: &Range, budget: &mut Budget) -> usize {
        let mut released = 0;
        while !budget.is_spent() && self.long_runs.get() > range.base {
            let chunk = self.long_runs.get() - CHUNK;
            self.long_runs.set(chunk);
            // SAFETY: a chunk below the end of the small part.
            for block in unsafe { Block::all_in(chunk) } {
                let bytes = release_long_runs_of(range, block);
                released += bytes;
                budget.spend(if bytes == 0 { 1 } else { KERNEL_WORK + bytes / RELEASE_BYTES });
            }
            budget.spend(BLOCK_WORK);
        }
        released
    }
}

/// All blocks of the small space.
pub(crate) fn blocks(range: &Range) -> impl DoubleEndedIterator<Item = Block> + use<> {
    let chunks = (range.base..range.small_end()).step_by(CHUNK);
    // SAFETY: the chunks before `small_end` are committed.
    chunks.flat_map(|chunk| unsafe { Block::all_in(chunk) })
}

/// Gives the free pages of a sparse block that is in use back to the kernel.
fn release_long_runs_of(range: &Range, block: Block) -> usize {
    let used = usize::from(block.record().used_lines.get());
    if used == 0 || used > LINES / 4 {
        return 0;
    }
    let (mut from, mut released) = (0, 0);
    while from < LINES {
        let mut to = from;
        while to < LINES && block.is_free(to, to + PAGE_LINES) {
            to += PAGE_LINES;
        }
        if (to - from) * LINE >= LONG_RUN {
            let (start, end) = (block.start() + from * LINE, block.start() + to * LINE);
            // SAFETY: nothing reachable is in free lines.
            if unsafe { range.release(start, end) } {
                released += end - start;
            }
        }
        from = to + PAGE_LINES;
    }
    released
}
