//! Chunks, blocks and lines: the layout of the space for small objects, and its metadata.
//!
//! ```text
//!  chunk, 4 MiB aligned
//!  0      2 KiB        64 KiB     96 KiB     128 KiB                                4 MiB
//!  | block  | marks, two  | starts   | line     | block 4 | block 5 | …      | block 127 |
//!  | records| interleaved |          | bytes    | 32 KiB: 256 lines of 128 B           |
//!
//!  marks: for each 64 granules of 16 B  | word of bitmap 0 | word of bitmap 1 |
//! ```
//!
//! The four blocks that the metadata fill need no metadata: the block records lie where their
//! mark bits would be. One bitmap is `cur`: its bits say "old". In a major collection the other
//! one, `next`, is filled; then they change places. A third bitmap, `starts`, has a bit for each
//! young object of a block, but only in blocks of which a conservative look-up asked.
//!
//! **Invariant:** outside of a collection `starts` is zero, a line is OLD, YOUNG or free (0), and no
//! bit of `cur` lies in a line that is not OLD. A YOUNG run, that is a maximal sequence of YOUNG lines
//! of a block, was handed out as one piece and is full of objects and fillers. `next` is zero, and no
//! line is NEXT, except between the slices of a major collection (`cycle`): while it marks, and in
//! blocks that it did not sweep yet. These have in `next` the bits of what was old before.

use crate::reserve::CHUNK;
use std::cell::Cell;

pub(crate) const BLOCK: usize = 32 << 10;
pub(crate) const LINE: usize = 128;
pub(crate) const GRANULE: usize = 16;
pub(crate) const LINES: usize = BLOCK / LINE;
/// The first block with objects.
pub(crate) const FIRST_BLOCK: usize = 4;
pub(crate) const BLOCKS: usize = CHUNK / BLOCK;

const STARTS: usize = 64 << 10;
const LINE_BYTES: usize = 96 << 10;
const MARK_WORDS: usize = BLOCK / GRANULE / 64;

const _: () = {
    assert!(STARTS == 2 * CHUNK / GRANULE / 8);
    assert!(LINE_BYTES == STARTS + CHUNK / GRANULE / 8);
    assert!(FIRST_BLOCK * BLOCK == LINE_BYTES + CHUNK / LINE);
    assert!(BLOCKS * size_of::<Record>() <= FIRST_BLOCK * MARK_WORDS * 16);
};

/// Line holds (a part of) an object that survived.
pub(crate) const OLD: u8 = 1;
/// Line was handed out since the last collection.
pub(crate) const YOUNG: u8 = 2;
/// Line holds (a part of) an object marked by the running major collection.
pub(crate) const NEXT: u8 = 4;

/// Every byte of a word being `bit`.
const fn spread(bit: u8) -> u64 {
    0x0101_0101_0101_0101 * bit as u64
}

/// Which of the two mark bitmaps: the byte offset in a pair of words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parity(usize);

impl Parity {
    pub const FIRST: Parity = Parity(0);

    pub fn other(self) -> Parity {
        Parity(self.0 ^ 8)
    }

    /// As a bit of a byte that holds both marks.
    pub fn bit(self) -> u8 {
        1 << (self.0 >> 3)
    }
}

/// What is known of a block. All zero in a fresh chunk.
#[repr(C)]
pub(crate) struct Record {
    /// The next block in the list that this one is in, as [`Block::id`] + 1.
    pub next: Cell<u32>,
    pub used_lines: Cell<u16>,
    pub flags: Cell<u8>,
    /// The epoch of the space in which the block was swept, or taken from the free ones.
    pub epoch: Cell<u8>,
    _unused: [u8; 8],
}

/// Flag of a block in a list of free blocks.
pub(crate) const FREE: u8 = 1;
/// Flag of a free block: all its bytes are zero, and probably have no memory behind them.
pub(crate) const CLEAN: u8 = 2;
/// Flag of a block whose bits in `starts` are set.
pub(crate) const STARTS_BUILT: u8 = 4;

impl Record {
    pub fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }
}

/// The mark word of an address, and its bit there.
///
/// # Safety
/// `addr` is inside the objects' part of a committed chunk.
#[inline(always)]
pub(crate) unsafe fn mark_slot(addr: usize, parity: Parity) -> (*mut u64, u64) {
    let granule = (addr & (CHUNK - 1)) / GRANULE;
    let word = (addr & !(CHUNK - 1)) + granule / 64 * 16 + parity.0;
    (word as *mut u64, 1 << (granule % 64))
}

/// The byte of the line of an address.
///
/// # Safety
/// `addr` is inside the objects' part of a committed chunk.
#[inline(always)]
pub(crate) unsafe fn line_slot(addr: usize) -> *mut u8 {
    ((addr & !(CHUNK - 1)) + LINE_BYTES + (addr & (CHUNK - 1)) / LINE) as *mut u8
}

/// A block, by its address. Its chunk is committed for as long as the heap lives, so that the
/// methods are safe to call on any `Block` that came from `containing` of a heap address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Block(usize);

impl Block {
    /// The block around an address of the small space; none if it is in a chunk's metadata.
    ///
    /// # Safety
    /// `addr` is inside a committed chunk.
    pub unsafe fn containing(addr: usize) -> Option<Block> {
        (addr & (CHUNK - 1) >= FIRST_BLOCK * BLOCK).then_some(Block(addr & !(BLOCK - 1)))
    }

    /// The blocks of a chunk, in order of address.
    ///
    /// # Safety
    /// `chunk` is the address of a committed chunk.
    pub unsafe fn all_in(chunk: usize) -> impl DoubleEndedIterator<Item = Block> {
        (FIRST_BLOCK..BLOCKS).map(move |index| Block(chunk + index * BLOCK))
    }

    pub fn from_id(base: usize, id: u32) -> Block {
        Block(base + id as usize * BLOCK)
    }

    /// Number of the block in the range that begins at `base`.
    pub fn id(self, base: usize) -> u32 {
        ((self.0 - base) / BLOCK) as u32
    }

    pub fn start(self) -> usize {
        self.0
    }

    pub fn end(self) -> usize {
        self.0 + BLOCK
    }

    fn chunk(self) -> usize {
        self.0 & !(CHUNK - 1)
    }

    fn index(self) -> usize {
        (self.0 & (CHUNK - 1)) / BLOCK
    }

    pub fn record(self) -> &'static Record {
        let records = self.chunk() as *const Record;
        // SAFETY: the records of a committed chunk are `BLOCKS` many, all in Cells. The lifetime
        // is that of the heap, which owns every `Block` there is.
        unsafe { &*records.add(self.index()) }
    }

    /// The line bytes.
    fn lines(self) -> &'static [Cell<u8>; LINES] {
        let lines = (self.chunk() + LINE_BYTES + self.index() * LINES) as *const [Cell<u8>; LINES];
        // SAFETY: as in `record`; line bytes are only ever reached as Cells or raw pointers.
        unsafe { &*lines }
    }

    fn line_words(self) -> &'static [Cell<u64>; LINES / 8] {
        // SAFETY: the same bytes; they begin at a multiple of 256.
        unsafe { &*std::ptr::from_ref(self.lines()).cast() }
    }

    pub fn line(self, index: usize) -> u8 {
        self.lines()[index].get()
    }

    pub fn set_young(self, from: usize, to: usize) {
        for line in &self.lines()[from..to] {
            line.set(YOUNG);
        }
    }

    /// The first sequence of lines at or after `from` for which `wanted` holds.
    pub fn find_run(self, from: usize, wanted: impl Fn(u8) -> bool) -> Option<(usize, usize)> {
        let lines = self.lines();
        let first = from + lines[from..].iter().position(|line| wanted(line.get()))?;
        let length = lines[first..].iter().position(|line| !wanted(line.get()));
        Some((first, length.map_or(LINES, |length| first + length)))
    }

    /// After a minor collection: what was handed out and holds no survivor is free. Returns the
    /// number of used lines.
    pub fn sweep_young(self) -> usize {
        let mut used = 0;
        for word in self.line_words() {
            let old = word.get() & spread(OLD);
            word.set(word.get() & spread(OLD | NEXT));
            used += old.count_ones();
        }
        used as usize
    }

    /// Forgets what a major collection has marked.
    pub fn forget_next(self, next: Parity) {
        self.clear_marks(next);
        for word in self.line_words() {
            word.set(word.get() & !spread(NEXT));
        }
    }

    /// After a major collection: what holds no marked object is free. Returns the number of used
    /// lines.
    pub fn sweep_marked(self) -> usize {
        let mut used = 0;
        for word in self.line_words() {
            let old = (word.get() / u64::from(NEXT / OLD)) & spread(OLD);
            word.set(old);
            used += old.count_ones();
        }
        used as usize
    }

    /// Are the lines from `from` on to `to`, multiples of 8, all free?
    pub fn is_free(self, from: usize, to: usize) -> bool {
        self.line_words()[from / 8..to / 8].iter().all(|word| word.get() == 0)
    }

    fn mark_pairs(self) -> &'static [[Cell<u64>; 2]; MARK_WORDS] {
        let pairs = (self.chunk() + self.index() * MARK_WORDS * 16) as *const _;
        // SAFETY: as in `record`; mark words are only ever reached as Cells or raw pointers.
        unsafe { &*pairs }
    }

    fn starts(self) -> &'static [Cell<u64>; MARK_WORDS] {
        let starts = (self.chunk() + STARTS + self.index() * MARK_WORDS * 8) as *const _;
        // SAFETY: as in `record`.
        unsafe { &*starts }
    }

    pub fn clear_marks(self, parity: Parity) {
        for pair in self.mark_pairs() {
            pair[parity.0 / 8].set(0);
        }
    }

    pub fn clear_starts(self) {
        for word in self.starts() {
            word.set(0);
        }
        let record = self.record();
        record.flags.set(record.flags.get() & !STARTS_BUILT);
    }

    pub fn set_start(self, addr: usize) {
        let granule = (addr - self.0) / GRANULE;
        let word = &self.starts()[granule / 64];
        word.set(word.get() | 1 << (granule % 64));
    }

    /// The last address at or before `addr` with a mark.
    pub fn marked_at_or_before(self, addr: usize, parity: Parity) -> Option<usize> {
        let pairs = self.mark_pairs();
        self.bit_at_or_before(addr, |index| pairs[index][parity.0 / 8].get())
    }

    /// The last address at or before `addr` with a bit in `starts`.
    pub fn start_at_or_before(self, addr: usize) -> Option<usize> {
        let starts = self.starts();
        self.bit_at_or_before(addr, |index| starts[index].get())
    }

    fn bit_at_or_before(self, addr: usize, word: impl Fn(usize) -> u64) -> Option<usize> {
        let granule = (addr - self.0) / GRANULE;
        let mut index = granule / 64;
        let mut bits = word(index) & (u64::MAX >> (63 - granule % 64));
        while bits == 0 {
            index = index.checked_sub(1)?;
            bits = word(index);
        }
        let granule = index * 64 + 63 - bits.leading_zeros() as usize;
        Some(self.0 + granule * GRANULE)
    }

    /// Calls `f` with every address that has a mark of one time, and none of the other.
    pub fn for_each_marked_but(self, parity: Parity, f: &mut dyn FnMut(usize)) {
        for (index, pair) in self.mark_pairs().iter().enumerate() {
            let mut bits = pair[parity.0 / 8].get() & !pair[parity.other().0 / 8].get();
            while bits != 0 {
                f(self.0 + (index * 64 + bits.trailing_zeros() as usize) * GRANULE);
                bits &= bits - 1;
            }
        }
    }

    /// Calls `f` with every marked address.
    pub fn for_each_marked(self, parity: Parity, f: &mut dyn FnMut(usize)) {
        for (index, pair) in self.mark_pairs().iter().enumerate() {
            let mut bits = pair[parity.0 / 8].get();
            while bits != 0 {
                f(self.0 + (index * 64 + bits.trailing_zeros() as usize) * GRANULE);
                bits &= bits - 1;
            }
        }
    }
}
