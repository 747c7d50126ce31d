//! What an object refers to, outside of collections.

use crate::stack::Stack;
use crate::{Header, Heap, ObjectModel, Tracer};

impl<M: ObjectModel> Heap<M> {
    /// Calls `f` with each object that `obj` refers to, once. `f` must not allocate. Returns whether there was memory
    /// for all of them.
    ///
    /// # Safety
    /// `obj` is an object of this heap.
    pub unsafe fn referents(&self, obj: *const Header, f: &mut dyn FnMut(*mut Header)) -> bool {
        // The bitmap of the next major collection is empty now. The object's own `trace` marks in it what it visits.
        let mut tracer = Tracer::new(self, true, Stack::new(usize::MAX));
        tracer.list();
        // SAFETY: by the caller's promise.
        unsafe { M::trace(obj, &mut tracer) };
        let (all, complete) = tracer.take_listed();
        for &found in all.as_slice() {
            self.unmark(found, self.space.parity.get().other());
        }
        for &found in all.as_slice() {
            f(found.cast_mut());
        }
        complete
    }
}
