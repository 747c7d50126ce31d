//! The heap as its user sees it: allocation, write barriers, settings. Collections, registered
//! objects, look-ups and pacing are in files of their own.

use crate::chunk::{GRANULE, LINE};
use crate::cycle::Cycle;
use crate::garbage::Garbage;
use crate::header::UNLOGGED;
use crate::large::{LARGE, LargeSpace};
use crate::pacing::Pacing;
use crate::reserve::{LEAST, Range};
use crate::resolve::Landmarks;
use crate::space::Space;
use crate::stack::Stack;
use crate::tables::Tables;
use crate::tracer::Grey;
use crate::{Allocation, Header, HeapConfig, HeapStats, ObjectModel, ReserveError};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

/// One isolate's heap. Neither `Sync` nor `Send`; all methods take `&self`.
///
/// The functions that take an object expect one of this heap (the write barriers: anything with a
/// header) and are not marked unsafe for that, as every reference of the user is one.
#[repr(C)]
pub struct Heap<M: ObjectModel> {
    /// First, for the sake of compiled code.
    pub(crate) space: Space,
    pub(crate) range: Range,
    pub(crate) large: LargeSpace,
    pub(crate) collecting: Cell<bool>,
    /// Old objects that were stored to since the last collection.
    pub(crate) remembered: RefCell<Stack<*const Header>>,
    /// The remembered set could not grow: only a major collection is right.
    pub(crate) remembered_lost: Cell<bool>,
    /// What minor collections have to scan.
    pub(crate) grey: RefCell<Grey>,
    /// The major collection.
    pub(crate) cycle: Cycle,
    pub(crate) tables: Tables,
    pub(crate) garbage: Garbage,
    pub(crate) pacing: Pacing,
    /// See [`Heap::set_context`].
    pub(crate) context: Cell<*const ()>,
    pub(crate) thorough: Cell<bool>,
    pub(crate) landmarks: Landmarks,
    marker: PhantomData<(*mut (), M)>,
}

impl<M: ObjectModel> Heap<M> {
    /// Where compiled code finds the allocation cursor in a `Heap`.
    pub const CURSOR_OFFSET: usize = std::mem::offset_of!(Self, space.cursor);
    /// Where compiled code finds the allocation limit in a `Heap`.
    pub const LIMIT_OFFSET: usize = std::mem::offset_of!(Self, space.limit);

    /// What the model's `trace` finds as [`crate::Tracer::context`]; null before.
    pub fn set_context(&self, context: *const ()) {
        self.context.set(context);
    }

    /// Asks the model's `trace` to spend time on telling references from stale words: [`crate::Tracer::is_thorough`].
    pub fn set_thorough(&self, on: bool) {
        self.thorough.set(on);
    }

    /// Reserves address space; no memory is used yet.
    pub fn new(config: HeapConfig) -> Result<Self, ReserveError> {
        let mut wanted = config.reserve;
        let (range, large) = loop {
            let range = Range::reserve(wanted)?;
            if let Some(large) = LargeSpace::new(&range) {
                break (range, large);
            }
            // Its side table did not fit any more.
            wanted = (range.end - range.base) / 2;
            if wanted < LEAST {
                return Err(ReserveError);
            }
        };
        Ok(Heap {
            space: Space::new(),
            range,
            large,
            collecting: Cell::new(false),
            remembered: RefCell::new(Stack::new(usize::MAX)),
            remembered_lost: Cell::new(false),
            grey: RefCell::new(Grey::new(config.mark_stack_entries)),
            cycle: Cycle::new(&config),
            tables: Tables::default(),
            garbage: Garbage::default(),
            pacing: Pacing::new(&config),
            context: Cell::new(std::ptr::null()),
            thorough: Cell::new(false),
            landmarks: Landmarks::new(),
            marker: PhantomData,
        })
    }

    /// An object of `size` bytes, at least a header's, all of them zero; or null: then ask
    /// `alloc_slow`. The header has to be written before the next allocation or collection, with
    /// `gc` = 0.
    #[inline(always)]
    pub fn alloc_fast(&self, size: usize) -> *mut Header {
        debug_assert!(size >= size_of::<Header>());
        let cursor = self.space.cursor.get();
        // Cursor and limit are multiples of the granule: what fits, fits when rounded up.
        if size > self.space.limit.get() - cursor {
            return std::ptr::null_mut();
        }
        let rounded = (size + (GRANULE - 1)) & !(GRANULE - 1);
        self.space.cursor.set(cursor + rounded);
        cursor as *mut Header
    }

    /// As `alloc_fast`, for the case that it gave null. `after_collection` says that this is the
    /// second attempt, or that the user does not want to collect now: then the answer is
    /// `NeedsCollection` only if memory is short and no major collection has been tried yet.
    #[cold]
    pub fn alloc_slow(&self, size: usize, after_collection: bool) -> Allocation {
        let Some(size) = size.max(1).checked_next_multiple_of(GRANULE) else {
            return Allocation::OutOfMemory;
        };
        if after_collection {
            if self.is_starved() {
                return Allocation::OutOfMemory;
            }
        } else if self.is_due() {
            return Allocation::NeedsCollection;
        }
        let mut found = if size > LARGE { None } else { self.space.bump(size) };
        if found.is_none() {
            if !after_collection && self.nursery_is_full() {
                return Allocation::NeedsCollection;
            }
            found = self.find_room(size);
        }
        self.space.set_fast(self.fast_is_open());
        match found {
            Some(start) => Allocation::Ok(start as *mut Header),
            None => self.refuse(after_collection),
        }
    }

    fn find_room(&self, size: usize) -> Option<usize> {
        let young_before = self.space.young_bytes.get();
        let mut found = None;
        if size <= LARGE {
            let may_grow = || self.fits(crate::chunk::BLOCK);
            found = self.space.bump_new_run(&self.range, size, may_grow);
        }
        // With no whole block left, an object that fits no hole is better off with pages.
        if found.is_none() && size > LINE && self.fits(size.checked_next_multiple_of(LARGE)?) {
            found = self.large.alloc(&self.range, size);
            if found.is_some() {
                self.space.young_bytes.set(young_before + size);
            }
        }
        let mut stats = self.pacing.stats.get();
        stats.allocated_bytes += (self.space.young_bytes.get() - young_before) as u64;
        self.pacing.stats.set(stats);
        found
    }

    /// To be called before or after a reference is stored into `obj`, and before the next
    /// collection. May be left out for objects allocated since the last possible collection.
    #[inline(always)]
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "see the type")]
    pub fn write_barrier(&self, obj: *const Header) {
        // SAFETY: `obj` is an object.
        if unsafe { (*obj).gc.get() } & UNLOGGED != 0 {
            self.remember(obj);
        }
    }

    /// As `write_barrier`, for a store to the word at `slot` inside of an object that may be a
    /// large array of values.
    #[inline(always)]
    pub fn write_barrier_array(&self, obj: *const Header, slot: *const u64) {
        self.write_barrier_slots(obj, slot, 1);
    }

    /// As `write_barrier_array`, for stores to `count` words from `slot` on.
    #[inline(always)]
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "see the type")]
    pub fn write_barrier_slots(&self, obj: *const Header, slot: *const u64, count: usize) {
        // SAFETY: `obj` is an object.
        if unsafe { (*obj).gc.get() } & UNLOGGED != 0 {
            self.remember_slots(obj, slot, count);
        }
    }

    #[cold]
    #[inline(never)]
    fn remember(&self, obj: *const Header) {
        // SAFETY: `obj` is an object.
        let gc = unsafe { &(*obj).gc };
        gc.set(gc.get() & !UNLOGGED);
        if !self.remembered.borrow_mut().push(obj) {
            self.remembered_lost.set(true);
        }
        // SAFETY: `obj` is an object.
        self.note_object(unsafe { M::size(obj) + M::outside(obj) });
    }

    #[cold]
    #[inline(never)]
    fn remember_slots(&self, obj: *const Header, slot: *const u64, count: usize) {
        let addr = obj as usize;
        let is_large = addr >= self.range.large_start() && addr < self.range.end;
        // SAFETY: `obj` is an object.
        let has_cards = is_large && unsafe { M::value_array(obj) }.is_some();
        let logged = if has_cards { self.large.log_words(addr, slot as usize, count) } else { None };
        match logged {
            Some((cards, words)) => self.note_cards(cards, words),
            None => self.remember(obj),
        }
    }

    /// `to`, allocated since the last possible collection, holds the same words as `from` as far as
    /// that array reaches, and no reference behind. If both are large and `from` is old, `to` is old
    /// at once, with the stored words of `from`: no minor collection walks it, for that would take
    /// the longer the larger the array.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "see the type")]
    pub fn adopt_copy(&self, from: *const Header, to: *const Header) {
        let large = self.range.large_start()..self.range.end;
        if !large.contains(&(from as usize)) || !large.contains(&(to as usize)) {
            return;
        }
        // SAFETY: both are objects.
        unsafe {
            let is_array = M::value_array(from).is_some() && M::value_array(to).is_some();
            if is_array
                && (*from).gc.get() & UNLOGGED != 0
                && let Some((cards, words)) = self.large.copy_cards(from as usize, to as usize)
            {
                self.large.mark(to as usize, self.space.parity.get());
                (*to).gc.set((*to).gc.get() | UNLOGGED);
                self.note_cards(cards, words);
            }
        }
    }

    /// Is an address inside the heap's range?
    #[inline(always)]
    pub fn contains(&self, addr: usize) -> bool {
        self.range.contains(addr)
    }

    /// After a collection, and before anything is allocated: does an object still exist?
    #[inline]
    pub fn survived(&self, obj: *const Header) -> bool {
        self.is_marked(obj, self.space.parity.get())
    }

    /// Calls `f` with each object that an object refers to, once for each reference. False: not all, for want of memory.
    ///
    /// # Safety
    /// `obj` is an object of the heap.
    pub unsafe fn for_each_reference(&self, obj: *const Header, f: &mut dyn FnMut(*const Header)) -> bool {
        let mut tracer = crate::Tracer::looking(self);
        // SAFETY: by the caller's promise.
        unsafe { M::trace(obj, &mut tracer) };
        let (mut found, _) = tracer.into_grey();
        while let Some(obj) = found.objects.pop() {
            f(obj);
        }
        !found.lost
    }

    /// Calls `f` with every object: the live ones, and garbage not found yet. `f` must not
    /// allocate.
    pub fn for_each_object(&self, f: &mut dyn FnMut(*mut Header)) {
        let mut with_address = |addr: usize| f(addr as *mut Header);
        for block in crate::sweep::blocks(&self.range) {
            if !block.record().has(crate::chunk::FREE) {
                block.for_each_marked(self.space.parity.get(), &mut with_address);
                self.for_each_young(block, &mut with_address);
            }
        }
        let mut index = 0;
        while let Some(addr) = self.large.nth(index) {
            if addr != 0 {
                with_address(addr);
            }
            index += 1;
        }
    }

    /// Bytes handed out since the last collection.
    pub fn young_bytes(&self) -> usize {
        self.space.young_bytes.get().saturating_sub(self.space.rest())
    }

    /// Totals since the heap was made.
    pub fn stats(&self) -> HeapStats {
        self.pacing.stats.get()
    }

    /// Upper bound of [`Heap::used_bytes`].
    pub fn limit(&self) -> Option<usize> {
        self.pacing.limit.get()
    }

    /// Sets the upper bound of [`Heap::used_bytes`]. One below what is in use is met by the next
    /// allocation that needs a block or pages.
    pub fn set_limit(&self, limit: Option<usize>) {
        self.pacing.limit.set(limit);
    }

    /// Sets how many bytes at most are handed out between two minor collections.
    pub fn set_nursery(&self, bytes: usize) {
        self.pacing.set_nursery(bytes);
    }

    /// Whether each allocation is to be asked of `alloc_slow`, so that the user sees it.
    pub fn set_watched(&self, on: bool) {
        self.pacing.watched.set(on);
        self.space.set_fast(self.fast_is_open());
    }

    /// Asks for a collection at every n-th allocation. Then there is no fast path.
    pub fn set_stress(&self, every: Option<u32>) {
        self.pacing.stress.set(every);
        self.space.set_fast(self.fast_is_open());
    }
}

impl<M: ObjectModel> Drop for Heap<M> {
    fn drop(&mut self) {
        self.tables.drop_owners::<M>();
    }
}
