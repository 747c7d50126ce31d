//! The space of the large objects: whole pages, a record per object, marks and cards in the record.
//!
//! ```text
//!  page table   | … | 7 | 7 | 7 | 0 | 0 | 2 | 2 | …     record number + 1 of each page, 0 = free
//!  record 7     start, bytes, marks (bit per parity), cards (byte per 64 B, made on demand)
//! ```
//!
//! A large array of values that is old is not put into the remembered set as a whole: a store
//! marks its word in the card it falls on, and the next minor collection looks at the marked words.
//! So one store into a list of ten million does not cost a walk over 80 MB, and its neighbours in
//! the card do not cost a look at their marks, each of which would be a miss of the caches.

use crate::chunk::Parity;
use crate::pacing::{Budget, KERNEL_WORK, RELEASE_BYTES};
use crate::pages::{PAGE, PageRuns};
use crate::reserve::{Mapping, Range};
use crate::stack::Stack;
use std::cell::{Cell, RefCell};

/// Objects above this size are large.
pub(crate) const LARGE: usize = 8 << 10;
/// Bytes of an array that share a card: one cache line.
const CARD: usize = 64;
/// Words of a card: a bit of its byte each.
const CARD_WORDS: usize = CARD / size_of::<u64>();

/// A card with stores that no collection has looked at.
#[derive(Clone, Copy)]
pub(crate) struct DirtyCard {
    record: u32,
    card: u32,
}

#[derive(Default)]
struct LargeRecord {
    /// Address of the object; 0 if the record is unused.
    start: usize,
    bytes: usize,
    marks: Cell<u8>,
    /// A major collection has found it dead, and nobody asks for it any more.
    dead: bool,
    /// The words of each card that were stored to; empty as long as there was none.
    cards: Vec<Cell<u8>>,
}

/// The space of the large objects.
pub(crate) struct LargeSpace {
    table: Mapping,
    base: usize,
    records: RefCell<Vec<LargeRecord>>,
    unused: RefCell<Vec<u32>>,
    young: RefCell<Vec<u32>>,
    /// The dead ones whose pages are still to be freed.
    doomed: RefCell<Stack<u32>>,
    pages: RefCell<PageRuns>,
    dirty: RefCell<Stack<DirtyCard>>,
    /// Bytes of the pages in use.
    pub bytes: Cell<usize>,
}

impl LargeSpace {
    pub fn new(range: &Range) -> Option<LargeSpace> {
        let pages = (range.end - range.base) / PAGE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        Some(LargeSpace {
            table: Mapping::new(pages * size_of::<u32>(), access)?,
            base: range.base,
            records: RefCell::default(),
            unused: RefCell::default(),
            young: RefCell::default(),
            doomed: RefCell::new(Stack::new(usize::MAX)),
            pages: RefCell::default(),
            dirty: RefCell::new(Stack::new(usize::MAX)),
            bytes: Cell::new(0),
        })
    }

    fn page(&self, addr: usize) -> &Cell<u32> {
        let index = (addr - self.base) / PAGE;
        debug_assert!(index * size_of::<u32>() < self.table.bytes);
        // SAFETY: the table has an entry for each page of the range, and is zeroed at first.
        unsafe { &*(self.table.start as *const Cell<u32>).add(index) }
    }

    /// Takes `size` bytes, of whole pages and zeroed.
    pub fn alloc(&self, range: &Range, size: usize) -> Option<usize> {
        let bytes = size.checked_next_multiple_of(PAGE)?;
        let mut records = self.records.borrow_mut();
        let mut young = self.young.borrow_mut();
        young.try_reserve(1).ok()?;
        if self.unused.borrow().is_empty() {
            let id = u32::try_from(records.len()).ok()?;
            records.try_reserve(1).ok()?;
            records.push(LargeRecord::default());
            self.unused.borrow_mut().push(id);
        }
        let start = self.pages.borrow_mut().take(range, bytes)?;
        let id = self.unused.borrow_mut().pop()?;
        records[id as usize] = LargeRecord { start, bytes, ..LargeRecord::default() };
        for page in (start..start + bytes).step_by(PAGE) {
            self.page(page).set(id + 1);
        }
        young.push(id);
        self.bytes.set(self.bytes.get() + bytes);
        Some(start)
    }

    fn free(&self, range: &Range, record: &mut LargeRecord, id: u32) {
        let LargeRecord { start, bytes, .. } = std::mem::take(record);
        for page in (start..start + bytes).step_by(PAGE) {
            self.page(page).set(0);
        }
        // SAFETY: the object is dead.
        unsafe { self.pages.borrow_mut().give(range, start, bytes) };
        self.unused.borrow_mut().push(id);
        self.bytes.set(self.bytes.get() - bytes);
    }

    /// The object whose pages `addr` is in.
    pub fn resolve(&self, addr: usize) -> Option<usize> {
        let index = self.page(addr).get().checked_sub(1)?;
        let record = &self.records.borrow()[index as usize];
        (!record.dead).then_some(record.start)
    }

    pub fn is_marked(&self, addr: usize, parity: Parity) -> bool {
        let Some(index) = self.page(addr).get().checked_sub(1) else {
            return false;
        };
        self.records.borrow()[index as usize].marks.get() & parity.bit() != 0
    }

    /// Marks the object at `addr`. Was it unmarked before?
    pub fn mark(&self, addr: usize, parity: Parity) -> bool {
        let Some(index) = self.page(addr).get().checked_sub(1) else {
            return false;
        };
        let records = self.records.borrow();
        let marks = &records[index as usize].marks;
        let before = marks.get();
        marks.set(before | parity.bit());
        before & parity.bit() == 0
    }

    /// Remembers that `count` words from the one at `slot` on, in the object at `start`, were stored
    /// to. Returns how many cards and words were clean before; none if there is no memory to remember.
    pub fn log_words(&self, start: usize, slot: usize, count: usize) -> Option<(usize, usize)> {
        let id = self.page(start).get().checked_sub(1)?;
        let mut records = self.records.borrow_mut();
        let record = &mut records[id as usize];
        let mut word = slot.wrapping_sub(start) / size_of::<u64>();
        let end = word.checked_add(count).filter(|end| *end <= record.bytes / size_of::<u64>())?;
        if record.cards.is_empty() {
            record.cards.try_reserve_exact(record.bytes / CARD).ok()?;
            record.cards.resize(record.bytes / CARD, Cell::new(0));
        }
        let mut dirty = self.dirty.borrow_mut();
        let (mut cards, mut words) = (0, 0);
        while word < end {
            let card = word / CARD_WORDS;
            let next = end.min((card + 1) * CARD_WORDS);
            let mask = ((1u16 << (next - card * CARD_WORDS)) - (1u16 << (word % CARD_WORDS))) as u8;
            let before = record.cards[card].get();
            if before == 0 {
                if !dirty.push(DirtyCard { record: id, card: card as u32 }) {
                    return None;
                }
                cards += 1;
            }
            record.cards[card].set(before | mask);
            words += (mask & !before).count_ones() as usize;
            word = next;
        }
        Some((cards, words))
    }

    /// Makes the words of `to` dirty that are so in `from`, which is not longer. Returns as `log_words`
    /// does.
    pub fn copy_cards(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let from = self.page(from).get().checked_sub(1)? as usize;
        let id = self.page(to).get().checked_sub(1)?;
        let mut records = self.records.borrow_mut();
        // Its own cards stay as they are: a card that no longer matters does no harm.
        let cards = records[from].cards.clone();
        let record = &mut records[id as usize];
        debug_assert!(record.cards.is_empty() && cards.len() <= record.bytes / CARD);
        if cards.is_empty() {
            return Some((0, 0));
        }
        record.cards.try_reserve_exact(record.bytes / CARD).ok()?;
        record.cards.resize(record.bytes / CARD, Cell::new(0));
        let mut dirty = self.dirty.borrow_mut();
        let (mut count, mut words) = (0, 0);
        for (card, stored) in cards.iter().enumerate().filter(|(_, stored)| stored.get() != 0) {
            if !dirty.push(DirtyCard { record: id, card: card as u32 }) {
                return None;
            }
            record.cards[card].set(stored.get());
            count += 1;
            words += stored.get().count_ones() as usize;
        }
        Some((count, words))
    }

    /// The dirty cards in the order in which they became so, to be cleaned and then given back.
    pub fn take_dirty(&self) -> Stack<DirtyCard> {
        self.dirty.replace(Stack::new(usize::MAX))
    }

    /// Keeps the memory of a list of dirty cards, all of them clean now, to be used again.
    pub fn give_back(&self, mut cleaned: Stack<DirtyCard>) {
        cleaned.clear();
        cleaned.trim();
        self.dirty.replace(cleaned);
    }

    /// Where a dirty card is.
    pub fn card_address(&self, dirty: DirtyCard) -> usize {
        self.records.borrow()[dirty.record as usize].start + dirty.card as usize * CARD
    }

    /// Calls `f` with the address of each word of a dirty card that was stored to.
    pub fn for_each_stored(&self, dirty: DirtyCard, mut f: impl FnMut(usize)) {
        let (mut words, card) = {
            let records = self.records.borrow();
            let record = &records[dirty.record as usize];
            (record.cards[dirty.card as usize].get(), record.start + dirty.card as usize * CARD)
        };
        while words != 0 {
            f(card + words.trailing_zeros() as usize * size_of::<u64>());
            words &= words - 1;
        }
    }

    /// The address of the array that a card is of.
    pub fn card_owner(&self, dirty: DirtyCard) -> usize {
        self.records.borrow()[dirty.record as usize].start
    }

    pub fn clean(&self, dirty: DirtyCard) {
        self.records.borrow()[dirty.record as usize].cards[dirty.card as usize].set(0);
    }

    /// Makes all cards clean, for all that the roots lead to is about to be looked at.
    pub fn clear_cards(&self) {
        let cards = self.take_dirty();
        for card in cards.as_slice() {
            self.clean(*card);
        }
        self.give_back(cards);
    }

    /// After a minor collection: looks at the young objects only.
    pub fn sweep_young(&self, range: &Range, parity: Parity) {
        let mut records = self.records.borrow_mut();
        for id in self.young.borrow_mut().drain(..) {
            let record = &mut records[id as usize];
            if record.marks.get() & parity.bit() == 0 {
                self.free(range, record, id);
            }
        }
    }

    /// All that is live is marked in `next`: the others are dead from now on.
    pub fn flip(&self, range: &Range, next: Parity) {
        self.young.borrow_mut().clear();
        let mut doomed = self.doomed.borrow_mut();
        for (id, record) in self.records.borrow_mut().iter_mut().enumerate() {
            if record.start == 0 || record.dead {
                continue;
            }
            if record.marks.get() & next.bit() != 0 {
                record.marks.set(next.bit());
            } else if doomed.push(id as u32) {
                record.dead = true;
            } else {
                // No memory to note it for later; its owner, if it has one, is told too late.
                self.free(range, record, id as u32);
            }
        }
    }

    /// Forgets what a major collection has marked.
    pub fn forget_next(&self, next: Parity) {
        for record in self.records.borrow().iter() {
            record.marks.set(record.marks.get() & !next.bit());
        }
    }

    /// Frees dead objects. Was that the last of them?
    pub fn sweep(&self, range: &Range, budget: &mut Budget) -> bool {
        let mut doomed = self.doomed.borrow_mut();
        while !budget.is_spent() {
            let Some(id) = doomed.pop() else {
                doomed.trim();
                return true;
            };
            let record = &mut self.records.borrow_mut()[id as usize];
            budget.spend(KERNEL_WORK + record.bytes / RELEASE_BYTES);
            self.free(range, record, id);
        }
        false
    }

    /// Gives free memory back to the kernel. Returns whether that is all, and the bytes given back since
    /// the last call.
    pub fn release(&self, range: &Range, budget: &mut Budget) -> (bool, usize) {
        let mut pages = self.pages.borrow_mut();
        let done = pages.release_all(range, budget);
        (done, pages.released.take())
    }

    /// The address of the `index`-th record's object, or 0; none after the last. So the records
    /// are not borrowed while the object is looked at.
    pub fn nth(&self, index: usize) -> Option<usize> {
        let address = |record: &LargeRecord| if record.dead { 0 } else { record.start };
        self.records.borrow().get(index).map(address)
    }
}
