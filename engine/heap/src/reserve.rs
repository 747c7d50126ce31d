//! The heap's one range of addresses.
//!
//! ```text
//!  base                small_end          large_start              end
//!  | chunks of small     | not committed … | pages of large objects |
//!  | objects      grow ->                  <- grow                  |
//! ```
//!
//! "Is this word inside the heap" is one subtraction and one comparison. Nothing is committed
//! before it is needed, so that a refusal of the kernel is an answer and not a signal.

use crate::ReserveError;
use std::cell::Cell;
use std::ptr::null_mut;

/// Unit in which address space is committed, and the alignment of the range.
pub(crate) const CHUNK: usize = 4 << 20;
/// The least that is worth having.
pub(crate) const LEAST: usize = 4 * CHUNK;

/// An anonymous private mapping without swap reservation.
pub(crate) struct Mapping {
    pub start: usize,
    pub bytes: usize,
}

impl Mapping {
    pub fn new(bytes: usize, protection: libc::c_int) -> Option<Mapping> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing of ours.
        let start = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        (start != libc::MAP_FAILED).then_some(Mapping { start: start as usize, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever drops it holds no pointer into it any more.
        unsafe { libc::munmap(self.start as *mut _, self.bytes) };
    }
}

/// The range, cut into the part of the small objects and the part of the large ones.
pub(crate) struct Range {
    /// Held for its `Drop`.
    _mapping: Mapping,
    pub base: usize,
    pub end: usize,
    small_end: Cell<usize>,
    large_start: Cell<usize>,
    os_page: usize,
}

impl Range {
    pub fn reserve(wanted: usize) -> Result<Range, ReserveError> {
        let mut bytes = wanted.clamp(LEAST, 1 << 46) & !(CHUNK - 1);
        loop {
            if let Some(mapping) = Mapping::new(bytes + CHUNK, libc::PROT_NONE) {
                let base = mapping.start.next_multiple_of(CHUNK);
                // SAFETY: sysconf has no preconditions.
                let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
                return Ok(Range {
                    _mapping: mapping,
                    base,
                    end: base + bytes,
                    small_end: Cell::new(base),
                    large_start: Cell::new(base + bytes),
                    os_page: usize::try_from(page).unwrap_or(CHUNK),
                });
            }
            if bytes <= LEAST {
                return Err(ReserveError);
            }
            bytes = (bytes / 2) & !(CHUNK - 1);
        }
    }

    #[inline(always)]
    pub fn contains(&self, addr: usize) -> bool {
        addr.wrapping_sub(self.base) < self.end - self.base
    }

    /// End of the committed small part.
    #[inline(always)]
    pub fn small_end(&self) -> usize {
        self.small_end.get()
    }

    /// Start of the committed large part.
    #[inline(always)]
    pub fn large_start(&self) -> usize {
        self.large_start.get()
    }

    /// Commits one more chunk for small objects; its address.
    pub fn grow_small(&self) -> Option<usize> {
        let start = self.small_end.get();
        self.commit(start, CHUNK)?;
        self.small_end.set(start + CHUNK);
        Some(start)
    }

    /// Commits at least `bytes` more below the large part; address and size of what came.
    pub fn grow_large(&self, bytes: usize) -> Option<(usize, usize)> {
        let bytes = bytes.checked_next_multiple_of(CHUNK)?;
        let start = self.large_start.get().checked_sub(bytes)?;
        self.commit(start, bytes)?;
        self.large_start.set(start);
        Some((start, bytes))
    }

    fn commit(&self, start: usize, bytes: usize) -> Option<()> {
        if start < self.small_end.get() || start + bytes > self.large_start.get() {
            return None;
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: by the test above the range is inside of our mapping and not in use yet.
        let failed = unsafe { libc::mprotect(start as *mut _, bytes, access) };
        (failed == 0).then_some(())
    }

    /// Gives the whole pages between `start` and `end` back to the kernel, which makes them read
    /// as zero. Says whether that was all of it.
    ///
    /// # Safety
    /// The bytes are committed, and nothing in them is needed.
    pub unsafe fn release(&self, start: usize, end: usize) -> bool {
        let from = start.next_multiple_of(self.os_page);
        let to = end & !(self.os_page - 1);
        if from >= to {
            return false;
        }
        // SAFETY: inside our mapping, and not needed by the caller's promise.
        let done = unsafe { give_back(from as *mut _, to - from) };
        done && from == start && to == end
    }
}

/// # Safety
/// The pages are a part of an anonymous private mapping of ours, and not needed.
#[cfg(target_os = "linux")]
unsafe fn give_back(start: *mut libc::c_void, bytes: usize) -> bool {
    // SAFETY: by the caller's promise.
    unsafe { libc::madvise(start, bytes, libc::MADV_DONTNEED) == 0 }
}

/// Elsewhere MADV_DONTNEED need not zero the pages; a new mapping in their place does.
///
/// # Safety
/// The pages are a part of an anonymous private mapping of ours, and not needed.
#[cfg(not(target_os = "linux"))]
unsafe fn give_back(start: *mut libc::c_void, bytes: usize) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: by the caller's promise.
    unsafe { libc::mmap(start, bytes, access, flags, -1, 0) != libc::MAP_FAILED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_reservation_is_halved() {
        let range = Range::reserve(usize::MAX).unwrap();
        assert!(range.end - range.base >= LEAST);
        assert_eq!(range.base % CHUNK, 0);
    }

    #[test]
    fn the_parts_never_overlap() {
        let range = Range::reserve(LEAST).unwrap();
        assert!(range.grow_large(range.end - range.base + 1).is_none());
        assert!(range.grow_large(usize::MAX).is_none());
        assert_eq!(range.grow_large(1), Some((range.end - CHUNK, CHUNK)));
        for i in 0..3 {
            assert_eq!(range.grow_small(), Some(range.base + i * CHUNK));
        }
        assert_eq!(range.grow_small(), None);
        assert_eq!(range.grow_large(1), None);
    }

    #[test]
    fn released_pages_read_as_zero() {
        let range = Range::reserve(LEAST).unwrap();
        let chunk = range.grow_small().unwrap();
        // SAFETY: the chunk is committed and ours.
        unsafe {
            *(chunk as *mut u64) = 1;
            assert!(range.release(chunk, chunk + CHUNK));
            assert_eq!(*(chunk as *const u64), 0);
            assert!(!range.release(chunk + 16, chunk + 32));
        }
    }
}
