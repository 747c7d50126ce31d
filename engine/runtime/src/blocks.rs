//! Memory for very many pieces of one size: the first chunks of microthreads' stacks.
//!
//! ```text
//! block, 2 MiB, aligned | Block, in the place of slot 0 | slot 1 | slot 2 | …
//! ```
//! A piece has no head of its own, and a block that is all free goes back to the kernel, but for one.
//!
//! Huge pages are not asked for: they make a million microthreads a third faster where memory is at
//! hand, but three times slower on a virtual machine whose host has taken the free memory back.

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

/// Bytes of a block, and its alignment.
const BLOCK: usize = 2 << 20;

/// Head of a block.
struct Block {
    /// Slots given out.
    live: usize,
    /// The slots from here on were never given out; their memory is still the kernel's zeroes.
    fresh: usize,
    /// Slots that were given back: each begins with the address of the next.
    free: *mut *mut u8,
    /// Neighbours among the blocks that have room.
    next: *mut Block,
    previous: *mut Block,
}

/// Pieces of `SLOT` bytes, a multiple of 16 and at least a [`Block`].
pub struct Blocks<const SLOT: usize> {
    /// The first block that has room.
    open: Cell<*mut Block>,
    all: RefCell<Vec<*mut Block>>,
    /// Blocks of which no slot is given out.
    empty: Cell<usize>,
}

impl<const SLOT: usize> Default for Blocks<SLOT> {
    fn default() -> Self {
        const { assert!(SLOT.is_multiple_of(16) && SLOT >= size_of::<Block>()) };
        Blocks { open: Cell::new(null_mut()), all: RefCell::default(), empty: Cell::new(0) }
    }
}

/// A block's memory, zeroed; null if there is none.
fn map() -> *mut Block {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping at an address of the kernel's choice; what is unmapped is a part of it.
    unsafe {
        let start = libc::mmap(null_mut(), 2 * BLOCK, access, flags, -1, 0);
        if start == libc::MAP_FAILED {
            return null_mut();
        }
        let before = (start as usize).next_multiple_of(BLOCK) - start as usize;
        let block = start.byte_add(before);
        if before > 0 {
            libc::munmap(start, before);
        }
        libc::munmap(block.byte_add(BLOCK), BLOCK - before);
        block.cast()
    }
}

impl<const SLOT: usize> Blocks<SLOT> {
    const SLOTS: usize = BLOCK / SLOT;

    /// A slot, zeroed or with what was left in it; null if there is no memory.
    pub fn take(&self) -> *mut u8 {
        let mut block = self.open.get();
        if block.is_null() {
            block = self.grow();
            if block.is_null() {
                return null_mut();
            }
        }
        // SAFETY: an open block is mapped and has room: a free slot, or one never used. All heads are
        // reached through these pointers only, one at a time.
        unsafe {
            if (*block).live == 0 {
                self.empty.set(self.empty.get() - 1);
            }
            (*block).live += 1;
            let slot = (*block).free;
            let slot = if slot.is_null() {
                let i = (*block).fresh;
                (*block).fresh = i + 1;
                block.cast::<u8>().add(i * SLOT)
            } else {
                (*block).free = (*slot).cast();
                slot.cast()
            };
            if (*block).free.is_null() && (*block).fresh == Self::SLOTS {
                self.unlink(block);
            }
            slot
        }
    }

    /// Takes a slot back.
    ///
    /// # Safety
    /// `slot` came from `take`, and nobody uses it any more.
    pub unsafe fn give(&self, slot: *mut u8) {
        let block = (slot as usize & !(BLOCK - 1)) as *mut Block;
        // SAFETY: blocks are aligned to their size, so that this is the slot's; it is mapped as long
        // as it has slots that are given out.
        unsafe {
            let was_full = (*block).free.is_null() && (*block).fresh == Self::SLOTS;
            *slot.cast::<*mut u8>() = (*block).free.cast();
            (*block).free = slot.cast();
            (*block).live -= 1;
            if was_full {
                self.link(block);
            }
            if (*block).live == 0 {
                if self.empty.get() > 0 {
                    self.unlink(block);
                    self.all.borrow_mut().retain(|&b| b != block);
                    libc::munmap(block.cast(), BLOCK);
                } else {
                    self.empty.set(1);
                }
            }
        }
    }

    /// A new block with room; null if there is no memory.
    #[cold]
    fn grow(&self) -> *mut Block {
        let mut all = self.all.borrow_mut();
        if all.try_reserve(1).is_err() {
            return null_mut();
        }
        let block = map();
        if !block.is_null() {
            // SAFETY: just mapped.
            unsafe {
                block.write(Block {
                    live: 0,
                    fresh: 1,
                    free: null_mut(),
                    next: null_mut(),
                    previous: null_mut(),
                });
                self.link(block);
            }
            self.empty.set(self.empty.get() + 1);
            all.push(block);
        }
        block
    }

    /// # Safety
    /// The block is mapped, and not among the open ones.
    unsafe fn link(&self, block: *mut Block) {
        let first = self.open.replace(block);
        // SAFETY: by the caller's promise; open blocks are mapped.
        unsafe {
            (*block).next = first;
            (*block).previous = null_mut();
            if let Some(first) = first.as_mut() {
                first.previous = block;
            }
        }
    }

    /// # Safety
    /// The block is mapped, and among the open ones.
    unsafe fn unlink(&self, block: *mut Block) {
        // SAFETY: by the caller's promise; open blocks are mapped.
        unsafe {
            let (next, previous) = ((*block).next, (*block).previous);
            match previous.as_mut() {
                Some(p) => p.next = next,
                None => self.open.set(next),
            }
            if let Some(n) = next.as_mut() {
                n.previous = previous;
            }
        }
    }
}

impl<const SLOT: usize> Drop for Blocks<SLOT> {
    fn drop(&mut self) {
        for block in self.all.take() {
            // SAFETY: with the blocks' owner all users of slots are gone.
            unsafe { libc::munmap(block.cast(), BLOCK) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_apart_and_used_again() {
        let blocks = Blocks::<320>::default();
        let n = 3 * Blocks::<320>::SLOTS;
        let mut seen = std::collections::HashSet::new();
        let slots: Vec<*mut u8> = (0..n).map(|_| blocks.take()).collect();
        for (i, &s) in slots.iter().enumerate() {
            assert!(!s.is_null() && (s as usize).is_multiple_of(16) && seen.insert(s));
            // SAFETY: the slot is ours.
            unsafe { s.write_bytes(i as u8, 320) };
        }
        assert!(blocks.all.borrow().len() >= 3);
        // Every third goes back, in an order that is neither theirs nor its reverse.
        for &s in slots.iter().step_by(3).rev() {
            // SAFETY: given back once.
            unsafe { blocks.give(s) };
        }
        let before = blocks.all.borrow().len();
        let again: Vec<*mut u8> = (0..n.div_ceil(3)).map(|_| blocks.take()).collect();
        assert_eq!(blocks.all.borrow().len(), before);
        assert!(again.iter().all(|s| seen.contains(s)));
        for (i, &s) in slots.iter().enumerate().filter(|(i, _)| i % 3 != 0) {
            // SAFETY: still ours.
            assert_eq!(unsafe { *s.add(300) }, i as u8);
        }
        for &s in slots.iter().enumerate().filter(|(i, _)| i % 3 != 0).map(|(_, s)| s).chain(&again) {
            // SAFETY: given back once.
            unsafe { blocks.give(s) };
        }
        assert_eq!((blocks.all.borrow().len(), blocks.empty.get()), (1, 1));
        assert!(!blocks.take().is_null());
        assert_eq!(blocks.empty.get(), 0);
    }
}
