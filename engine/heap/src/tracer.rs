//! Marking: the visitor that object models and root providers feed with references.
//!
//! ```text
//!  visit ──mark bit──> stack ──pop, prefetch──> ring of 16 ──> scan: lines, UNLOGGED, trace ──> visit
//!                                                  └ large array of values ──> rest, later
//! ```
//!
//! A minor collection marks in the bitmap `cur`, where old objects have their bits already and so
//! are not entered. A major one marks in `next`. The ring lets the memory of an object arrive
//! before its header is read: for a list of ten million that is most of the time.
//!
//! A minor collection between the slices of a major one sees to it that no object whose references
//! the major one has looked at refers to one that it does not know of: survivors get both marks, and
//! what they, or known objects that were stored to, lead to becomes *grey*, that is, it is marked in
//! `next` and put on the stack of the major collection.

use crate::chunk::{NEXT, OLD, Parity, line_slot, mark_slot};
use crate::header::{Header, UNLOGGED};
use crate::pacing::{Budget, CARD_WORK, OBJECT_WORK, STORED_WORK};
use crate::stack::Stack;
use crate::{Heap, ObjectModel};

const RING: usize = 16;
/// Words of a large array that are visited before what they led to is scanned.
const SLICE: usize = 1024;
/// Objects and slices that are scanned between two looks at the budget.
const BATCH: usize = 1024;

/// What a tracer marks, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    /// Young objects.
    Minor,
    /// Young objects, while a major collection is marking.
    MinorWithin,
    /// All objects.
    Major,
}

/// What has its mark and is still to be scanned.
pub(crate) struct Grey {
    pub objects: Stack<*const Header>,
    /// Large arrays, and the first word of each that was not visited yet.
    rests: Stack<(*const Header, usize)>,
    /// Something found no room on the stack of objects.
    pub lost: bool,
}

impl Grey {
    pub fn new(entries: usize) -> Grey {
        Grey { objects: Stack::new(entries), rests: Stack::new(usize::MAX), lost: false }
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.rests.is_empty()
    }

    pub fn clear(&mut self) {
        self.objects.clear();
        self.rests.clear();
        self.lost = false;
    }

    /// Gives back memory; to be called when empty.
    pub fn trim(&mut self) {
        self.objects.trim();
        self.rests.trim();
    }

    #[inline(always)]
    fn push(&mut self, obj: *const Header) {
        if !self.objects.push(obj) {
            self.lost = true;
        }
    }
}

/// Receives references during a collection.
pub struct Tracer<'h, M: ObjectModel> {
    heap: &'h Heap<M>,
    base: usize,
    /// Bytes of the small objects' part of the range.
    small: usize,
    /// Bytes of the whole range.
    extent: usize,
    pub(crate) parity: Parity,
    /// What the lines of a scanned object become.
    line_bits: u8,
    marking: Marking,
    grey: Grey,
    /// For [`Marking::MinorWithin`]: the stack of the major collection.
    within: Grey,
    /// Does what was visited and is old become grey for the major collection?
    greying: bool,
    pub(crate) scanned: usize,
    /// Bytes of the scanned objects.
    bytes: usize,
    /// Work that dirty cards were.
    card_work: usize,
    doubtful: bool,
    /// Does somebody else drain, within a budget?
    pub(crate) sliced: bool,
    /// What is visited is put on the stack, whether it has its mark or not, and gets none.
    looking: bool,
}

impl<'h, M: ObjectModel> Tracer<'h, M> {
    /// `within` is that of the major collection that a minor one interrupts.
    pub(crate) fn new(heap: &'h Heap<M>, marking: Marking, grey: Grey, within: Grey) -> Self {
        let old = heap.space.parity.get();
        let major = marking == Marking::Major;
        Tracer {
            heap,
            base: heap.range.base,
            small: heap.range.small_end() - heap.range.base,
            extent: heap.range.end - heap.range.base,
            parity: if major { old.other() } else { old },
            line_bits: if major { NEXT } else { OLD },
            marking,
            grey,
            within,
            greying: false,
            scanned: 0,
            bytes: 0,
            card_work: 0,
            doubtful: false,
            sliced: false,
            looking: false,
        }
    }

    /// For [`Heap::for_each_reference`]. Nothing is small to it, so that what it does costs collections nothing.
    pub(crate) fn looking(heap: &'h Heap<M>) -> Self {
        let unbounded = Grey::new(usize::MAX);
        Tracer { small: 0, looking: true, ..Tracer::new(heap, Marking::Minor, unbounded, Grey::new(0)) }
    }

    /// What [`Heap::set_context`] was told.
    #[inline(always)]
    pub fn context(&self) -> *const () {
        self.heap.context.get()
    }

    /// Visits a precise value word: a reference iff its low three bits are 0 and it lies inside
    /// the heap's range, then to the begin of an object; otherwise it is ignored.
    #[inline(always)]
    pub fn visit_word(&mut self, word: u64) {
        if word & 7 == 0 {
            self.visit_address(word as usize);
        }
    }

    /// Visits an object. One that is not of this heap is ignored.
    #[inline(always)]
    pub fn visit_object(&mut self, obj: *const Header) {
        self.visit_address(obj as usize);
    }

    #[inline(always)]
    fn visit_address(&mut self, addr: usize) {
        let offset = addr.wrapping_sub(self.base);
        if offset < self.small {
            // SAFETY: inside a committed chunk; and it is an object by the model's promise.
            unsafe {
                debug_assert!(addr.is_multiple_of(16) && *line_slot(addr) != 0, "{addr:#x} is stale");
                let (word, bit) = mark_slot(addr, self.parity);
                let before = *word;
                if before & bit != 0 {
                    if self.greying {
                        self.grey_small(addr);
                    }
                    return;
                }
                *word = before | bit;
            }
            self.grey.push(addr as *const Header);
        } else if offset < self.extent {
            self.visit_large(addr);
        }
    }

    #[cold]
    fn visit_large(&mut self, addr: usize) {
        if self.looking {
            return self.grey.push(addr as *const Header);
        }
        if addr < self.heap.range.large_start() {
            return;
        }
        if self.heap.large.mark(addr, self.parity) {
            self.grey.push(addr as *const Header);
        } else if self.greying && self.heap.large.mark(addr, self.parity.other()) {
            self.within.push(addr as *const Header);
        }
    }

    /// # Safety
    /// There is an old small object at `addr`.
    #[inline]
    unsafe fn grey_small(&mut self, addr: usize) {
        // SAFETY: by the caller's promise.
        unsafe {
            let (word, bit) = mark_slot(addr, self.parity.other());
            if *word & bit == 0 {
                *word |= bit;
                self.within.push(addr as *const Header);
            }
        }
    }

    /// Visits words that may be anything, pointers into objects included.
    ///
    /// # Safety
    /// `len` words from `words` on can be read.
    pub unsafe fn visit_conservative(&mut self, words: *const u64, len: usize) {
        for index in 0..len {
            // SAFETY: by the caller's promise. Volatile, since the words may be a stack's.
            let word = unsafe { words.add(index).read_volatile() };
            if (word as usize).wrapping_sub(self.base) < self.extent
                && let Some(obj) = self.heap.resolve(word)
            {
                self.visit_object(obj);
            }
        }
    }

    /// Scans what was visited so far: what is found afterwards lives, but perhaps only because of words that
    /// look like references. That is not told apart where a collection is done in slices.
    pub fn go_on_doubtful(&mut self) {
        if !self.sliced {
            self.drain();
            self.doubtful = true;
        }
    }

    /// Was [`Tracer::go_on_doubtful`] called?
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// See [`Heap::set_thorough`].
    pub fn is_thorough(&self) -> bool {
        self.heap.thorough.get()
    }

    /// Is this a collection of the whole heap?
    pub fn is_major(&self) -> bool {
        self.marking == Marking::Major
    }

    /// Scans what was visited, and what that leads to.
    pub(crate) fn drain(&mut self) {
        self.drain_stack();
        if self.grey.lost && self.marking == Marking::MinorWithin {
            // Which of the marked ones the major collection knows of is not known any more.
            self.within.lost = true;
            self.begin_greying(false);
        }
        while std::mem::take(&mut self.grey.lost) {
            // Objects that found no room on the stack have their marks but were not scanned.
            // Scanning all marked ones anew finds them; it takes as many rounds as needed.
            self.heap.for_each_marked(self.parity, &mut |addr| {
                // SAFETY: a marked address is an object's.
                unsafe { self.scan(addr as *const Header) };
                self.drain_stack();
            });
        }
        self.greying = false;
    }

    /// As `drain`, but within a budget. Was that all? Objects that found no room on the stack are not
    /// looked for: see [`Grey::lost`].
    pub(crate) fn drain_within(&mut self, budget: &mut Budget) -> bool {
        loop {
            if budget.is_spent() {
                return self.grey.is_empty();
            }
            let before = self.work();
            let done = self.drain_batch();
            budget.spend(self.work() - before);
            if done {
                return true;
            }
        }
    }

    fn drain_stack(&mut self) {
        while !self.drain_batch() {}
    }

    /// Scans a number of objects. Are there no more?
    fn drain_batch(&mut self) -> bool {
        let mut ring = [std::ptr::null(); RING];
        let (mut head, mut count) = (0, 0);
        let within = self.marking == Marking::MinorWithin && !self.within.lost;
        if within {
            self.begin_greying(true);
        }
        for _ in 0..BATCH {
            while count < RING
                && let Some(obj) = self.grey.objects.pop()
            {
                prefetch(obj);
                ring[(head + count) % RING] = obj;
                count += 1;
            }
            if count > 0 {
                let obj = ring[head];
                head = (head + 1) % RING;
                count -= 1;
                if within {
                    self.heap.mark(obj, self.parity.other());
                }
                // SAFETY: only objects are pushed.
                unsafe { self.scan(obj) };
            } else if let Some((array, from)) = self.grey.rests.pop() {
                // SAFETY: only arrays of values are pushed, and they live.
                unsafe { self.scan_array(array, from) };
            } else {
                return true;
            }
        }
        for at in head..head + count {
            self.grey.push(ring[at % RING]);
        }
        false
    }

    /// Sets whether the objects that are scanned now are known to the major collection.
    fn begin_greying(&mut self, known: bool) {
        self.greying = known;
        self.line_bits = if known { OLD | NEXT } else { OLD };
    }

    /// All that is remembered was scanned. What the roots lead to is looked at again at the end of the
    /// major collection, so that it need not become grey.
    pub(crate) fn end_remembered(&mut self) {
        self.greying = false;
    }

    /// As `scan`, of an old object that was stored to.
    ///
    /// # Safety
    /// `obj` is an old object.
    #[inline]
    pub(crate) unsafe fn scan_remembered(&mut self, obj: *const Header) {
        if self.marking == Marking::MinorWithin {
            self.greying = self.heap.is_marked(obj, self.parity.other());
        }
        // SAFETY: by the caller's promise.
        unsafe { self.scan(obj) };
    }

    /// Visits what an object refers to; the object itself is old from now on.
    ///
    /// # Safety
    /// `obj` is an object.
    #[inline(always)]
    pub(crate) unsafe fn scan(&mut self, obj: *const Header) {
        // SAFETY: by the caller's promise.
        unsafe {
            self.scanned += 1;
            let gc = &(*obj).gc;
            if gc.get() & UNLOGGED == 0 {
                gc.set(gc.get() | UNLOGGED);
            }
            let addr = obj as usize;
            if addr.wrapping_sub(self.base) < self.small {
                let size = M::size(obj);
                self.bytes += size;
                let first = line_slot(addr);
                let last = line_slot(addr + size - 1);
                // Neighbours share lines: a test costs less than a store that waits for the one
                // before.
                if *last & self.line_bits != self.line_bits {
                    *last |= self.line_bits;
                }
                if first != last {
                    self.mark_lines(first, last);
                }
            } else if M::value_array(obj).is_some() {
                self.scan_array(obj, 0);
                return;
            }
            M::trace(obj, self);
        }
    }

    /// Marks the lines from `first` on up to, without, `last`.
    ///
    /// # Safety
    /// They are bytes of one block's lines.
    #[inline(never)]
    unsafe fn mark_lines(&self, first: *mut u8, last: *mut u8) {
        let mut line = first;
        while line < last {
            // SAFETY: by the caller's promise.
            unsafe {
                *line |= self.line_bits;
                line = line.add(1);
            }
        }
    }

    /// For tests: has all that a marked object refers to its mark?
    ///
    /// # Safety
    /// `obj` is an object.
    pub(crate) unsafe fn leads_to_marked(&mut self, obj: *const Header) -> bool {
        // SAFETY: by the caller's promise.
        unsafe { self.scan(obj) };
        while let Some((array, from)) = self.grey.rests.pop() {
            // SAFETY: as in `drain_batch`.
            unsafe { self.scan_array(array, from) };
        }
        self.grey.is_empty()
    }

    /// Visits some words of an array from one on, and leaves the rest for later: it may have become
    /// shorter by then.
    ///
    /// # Safety
    /// `array` is an object that is an array of values.
    unsafe fn scan_array(&mut self, array: *const Header, from: usize) {
        // SAFETY: by the caller's promise.
        let Some((offset, len)) = (unsafe { M::value_array(array) }) else {
            return;
        };
        let mut end = len.min(from + SLICE);
        if end < len && !self.grey.rests.push((array, end)) {
            end = len;
        }
        let words = array.wrapping_byte_add(offset).cast::<u64>();
        self.bytes += end.saturating_sub(from) * size_of::<u64>();
        for index in from..end {
            // SAFETY: one of the array's `len` words.
            self.visit_word(unsafe { *words.add(index) });
        }
    }

    /// Visits the words of large arrays that were stored to since the last collection. They are
    /// far from each other, and so are the marks of what they refer to: both are fetched ahead.
    pub(crate) fn scan_cards(&mut self) {
        const WORDS_AHEAD: usize = 16;
        const MARKS_AHEAD: usize = 8;
        let large = &self.heap.large;
        let cards = large.take_dirty();
        let list = cards.as_slice();
        for index in 0..list.len() + WORDS_AHEAD {
            if let Some(card) = list.get(index) {
                prefetch(large.card_address(*card) as *const u64);
            }
            let soon = index.checked_sub(WORDS_AHEAD - MARKS_AHEAD);
            if let Some(card) = soon.and_then(|index| list.get(index)) {
                large.for_each_stored(*card, |slot| {
                    // SAFETY: a word of a large object: none dies before a major collection, which
                    // empties the list.
                    let offset = unsafe { *(slot as *const usize) }.wrapping_sub(self.base);
                    if offset < self.small {
                        // SAFETY: an address in a committed chunk.
                        prefetch(unsafe { mark_slot(self.base + offset, self.parity).0 });
                    }
                });
            }
            if let Some(card) = index.checked_sub(WORDS_AHEAD).map(|index| list[index]) {
                let owner = large.card_owner(card);
                // SAFETY: as above; only arrays have cards.
                let Some((offset, len)) = (unsafe { M::value_array(owner as *const Header) }) else {
                    continue;
                };
                let words = owner + offset..owner + offset + len * size_of::<u64>();
                self.card_work += CARD_WORK;
                if self.marking == Marking::MinorWithin {
                    self.greying = large.is_marked(owner, self.parity.other());
                }
                large.for_each_stored(card, |slot| {
                    self.card_work += STORED_WORK;
                    if words.contains(&slot) {
                        // SAFETY: a value word of the array.
                        self.visit_word(unsafe { *(slot as *const u64) });
                    }
                });
                large.clean(card);
            }
        }
        large.give_back(cards);
    }

    /// What was done so far, in the units of `pacing`.
    pub(crate) fn work(&self) -> usize {
        self.bytes + self.scanned * OBJECT_WORK + self.card_work
    }

    /// What is still to be scanned; and what the major collection that was interrupted has to scan.
    pub(crate) fn into_grey(self) -> (Grey, Grey) {
        (self.grey, self.within)
    }
}

impl<M: ObjectModel> Heap<M> {
    /// Does an object have its mark? Objects of elsewhere always live.
    pub(crate) fn is_marked(&self, obj: *const Header, parity: Parity) -> bool {
        let addr = obj as usize;
        if !self.range.contains(addr) {
            true
        } else if addr < self.range.small_end() {
            // SAFETY: inside a committed chunk.
            unsafe {
                let (word, bit) = mark_slot(addr, parity);
                *word & bit != 0
            }
        } else {
            self.large.is_marked(addr, parity)
        }
    }

    /// Marks an object of this heap.
    #[inline]
    fn mark(&self, obj: *const Header, parity: Parity) {
        let addr = obj as usize;
        if addr < self.range.small_end() {
            // SAFETY: inside a committed chunk.
            unsafe {
                let (word, bit) = mark_slot(addr, parity);
                *word |= bit;
            }
        } else {
            self.large.mark(addr, parity);
        }
    }

    pub(crate) fn for_each_marked(&self, parity: Parity, f: &mut dyn FnMut(usize)) {
        for block in crate::sweep::blocks(&self.range) {
            block.for_each_marked(parity, f);
        }
        let mut index = 0;
        while let Some(addr) = self.large.nth(index) {
            if addr != 0 && self.large.is_marked(addr, parity) {
                f(addr);
            }
            index += 1;
        }
    }
}

#[inline(always)]
pub(crate) fn prefetch<T>(obj: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that a program could see.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(obj.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) obj, options(nostack, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = obj;
}
