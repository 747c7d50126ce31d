//! The visitor that object models and root providers feed with references.

use crate::{Header, ObjectModel};
use std::marker::PhantomData;

/// Receives references during a collection.
pub struct Tracer<'h, M: ObjectModel> {
    marker: PhantomData<(&'h (), M)>,
}

impl<M: ObjectModel> Tracer<'_, M> {
    /// Visits a precise value word: a reference iff its low three bits are 0 and it lies inside
    /// the heap's range.
    #[inline(always)]
    pub fn visit_word(&mut self, _word: u64) {}

    /// Visits an object of this heap.
    #[inline(always)]
    pub fn visit_object(&mut self, _obj: *const Header) {}

    /// Visits words that may be anything.
    ///
    /// # Safety
    /// `len` words from `words` on can be read.
    pub unsafe fn visit_conservative(&mut self, _words: *const u64, _len: usize) {}

    /// Is this a collection of the whole heap?
    pub fn is_major(&self) -> bool {
        true
    }
}
