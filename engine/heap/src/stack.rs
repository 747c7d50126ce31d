//! A stack that says no instead of aborting when there is no memory for it to grow.

/// Bytes that a stack keeps.
const KEPT: usize = 4 << 20;

/// A bounded stack.
pub(crate) struct Stack<T> {
    items: Vec<T>,
    most: usize,
}

impl<T> Stack<T> {
    pub fn new(most: usize) -> Stack<T> {
        Stack { items: Vec::new(), most }
    }

    /// Pushes an item if there is room.
    #[inline(always)]
    #[must_use]
    pub fn push(&mut self, item: T) -> bool {
        let length = self.items.len();
        if length == self.items.capacity() && !self.grow() {
            return false;
        }
        // SAFETY: the capacity is greater than the length.
        unsafe {
            self.items.as_mut_ptr().add(length).write(item);
            self.items.set_len(length + 1);
        }
        true
    }

    #[cold]
    fn grow(&mut self) -> bool {
        let length = self.items.len();
        let more = length.max(64).min(self.most - length);
        more != 0 && self.items.try_reserve_exact(more).is_ok()
    }

    #[inline(always)]
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn as_slice(&self) -> &[T] {
        &self.items
    }

    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Gives back the memory of a stack that was very large once. What a nursery full of survivors
    /// needs is kept: to fault it in again costs more than to scan them.
    pub fn trim(&mut self) {
        debug_assert!(self.items.is_empty());
        self.items.shrink_to(KEPT / size_of::<T>());
    }
}
