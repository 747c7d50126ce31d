//! The heap's interface.

use crate::*;
use std::cell::Cell;
use std::marker::PhantomData;

/// One isolate's heap. Not `Sync`.
#[repr(C)]
pub struct Heap<M: ObjectModel> {
    cursor: Cell<usize>,
    limit: Cell<usize>,
    marker: PhantomData<(*mut (), M)>,
}

impl<M: ObjectModel> Heap<M> {
    /// Where compiled code finds the allocation cursor in a `Heap`.
    pub const CURSOR_OFFSET: usize = std::mem::offset_of!(Self, cursor);
    /// Where compiled code finds the allocation limit in a `Heap`.
    pub const LIMIT_OFFSET: usize = std::mem::offset_of!(Self, limit);

    pub fn new(_config: HeapConfig) -> Result<Self, ReserveError> {
        Ok(Heap { cursor: Cell::new(0), limit: Cell::new(0), marker: PhantomData })
    }
    #[inline(always)]
    pub fn alloc_fast(&self, size: usize) -> *mut Header {
        let cursor = self.cursor.get();
        if size > self.limit.get() - cursor {
            return std::ptr::null_mut();
        }
        self.cursor.set(cursor + ((size + 15) & !15));
        cursor as *mut Header
    }
    pub fn alloc_slow(&self, size: usize, _after_collection: bool) -> Allocation {
        let Ok(layout) = std::alloc::Layout::from_size_align(size, 16) else {
            return Allocation::OutOfMemory;
        };
        // SAFETY: the size is at least a header's.
        Allocation::Ok(unsafe { std::alloc::alloc_zeroed(layout) }.cast())
    }
    #[inline(always)]
    pub fn write_barrier(&self, _obj: *const Header) {}
    #[inline(always)]
    pub fn write_barrier_array(&self, _obj: *const Header, _slot: *const u64) {}
    /// # Safety
    /// The roots are complete and all headers are written.
    pub unsafe fn collect(
        &self,
        kind: CollectKind,
        _roots: &mut dyn FnMut(&mut Tracer<'_, M>),
    ) -> CollectStats {
        CollectStats { kind, duration: Default::default(), scanned: 0, live_bytes: 0 }
    }
    pub fn should_be_major(&self) -> bool {
        false
    }
    pub fn register_free_on_death(&self, _obj: *const Header) {}
    pub fn register_weak(&self, _obj: *const Header) {}
    pub fn register_finalizer(&self, _obj: *const Header) {}
    pub fn take_finalizable(&self) -> Option<*mut Header> {
        None
    }
    /// Weak containers whose `clear_weak` said true, once each.
    pub fn take_cleared_weak(&self) -> Option<*mut Header> {
        None
    }
    pub fn resolve(&self, _word: u64) -> Option<*mut Header> {
        None
    }
    pub fn contains(&self, _addr: usize) -> bool {
        false
    }
    pub fn for_each_object(&self, _f: &mut dyn FnMut(*mut Header)) {}
    pub fn add_external(&self, _bytes: isize) {}
    /// May `bytes` more be had without passing the limit?
    pub fn external_fits(&self, _bytes: usize) -> bool {
        true
    }
    pub fn used_bytes(&self) -> usize {
        0
    }
    pub fn live_bytes(&self) -> usize {
        0
    }
    pub fn stats(&self) -> HeapStats {
        HeapStats::default()
    }
    pub fn limit(&self) -> Option<usize> {
        None
    }
    pub fn set_limit(&self, _limit: Option<usize>) {}
    pub fn set_nursery(&self, _bytes: usize) {}
    pub fn set_stress(&self, _every: Option<u32>) {}
}
