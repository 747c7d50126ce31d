//! Sweeping the small space: line bytes, block lists, and memory that goes back to the kernel.

use crate::chunk::{BLOCK, Block, CLEAN, FREE, LINE, LINES, Parity, STARTS_BUILT};
use crate::reserve::{CHUNK, Range};
use crate::space::Space;

/// Part of a block that is worth a call of the kernel on its own.
const LONG_RUN: usize = 16 << 10;
/// Granularity at which long runs are searched.
const PAGE_LINES: usize = 4096 / LINE;
/// Sparseness below this is not worth the kernel's time.
const SPARSE: usize = 32 << 20;

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

    /// After a major collection: the marks change places, and all blocks are swept. About
    /// `keep` bytes of free blocks keep their memory. Returns the bytes given back to the kernel.
    pub fn sweep_all(&self, range: &Range, keep: usize) -> usize {
        let stale = self.parity.get();
        self.parity.set(stale.other());
        self.clear_lists();
        let (mut used_lines, mut in_use) = (0, 0);
        for block in blocks(range) {
            let used = sweep_marked(block, stale);
            used_lines += used;
            in_use += usize::from(used != 0);
        }
        self.used_lines.set(used_lines);
        self.blocks_in_use.set(in_use);
        self.young_bytes.set(0);

        let mut released = release_free(range, keep);
        if in_use * BLOCK > 2 * used_lines * LINE + SPARSE {
            released += release_long_runs(range);
        }
        // Backwards: what is pushed last, with the lowest address, is used first.
        for block in blocks(range).rev() {
            self.list(range.base, block);
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

fn sweep_marked(block: Block, stale: Parity) -> usize {
    let record = block.record();
    if record.has(FREE) {
        return 0;
    }
    if record.used_lines.get() != 0 {
        block.clear_marks(stale);
    }
    if record.has(STARTS_BUILT) {
        block.clear_starts();
    }
    let used = block.sweep_marked();
    record.used_lines.set(used as u16);
    if used == 0 {
        record.flags.set(FREE);
    }
    used
}

/// Gives free blocks back to the kernel, but for the first ones.
fn release_free(range: &Range, keep: usize) -> usize {
    let mut keep = keep / BLOCK;
    let mut released = 0;
    let mut pending: Option<(usize, usize)> = None;
    let mut flush = |pending: &mut Option<(usize, usize)>| {
        let Some((start, end)) = pending.take() else {
            return;
        };
        // SAFETY: the blocks are free.
        if unsafe { range.release(start, end) } {
            released += end - start;
            for addr in (start..end).step_by(BLOCK) {
                let id = ((addr - range.base) / BLOCK) as u32;
                Block::from_id(range.base, id).record().flags.set(FREE | CLEAN);
            }
        }
    };
    for block in blocks(range) {
        let record = block.record();
        if !record.has(FREE) || record.has(CLEAN) {
            continue;
        }
        if keep > 0 {
            keep -= 1;
            continue;
        }
        pending = match pending {
            Some((start, end)) if end == block.start() => Some((start, block.end())),
            _ => {
                flush(&mut pending);
                Some((block.start(), block.end()))
            }
        };
    }
    flush(&mut pending);
    released
}

/// Gives the free pages inside of sparse blocks back to the kernel.
fn release_long_runs(range: &Range) -> usize {
    let mut released = 0;
    for block in blocks(range) {
        let used = usize::from(block.record().used_lines.get());
        if used == 0 || used > LINES / 4 {
            continue;
        }
        let mut from = 0;
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
    }
    released
}
