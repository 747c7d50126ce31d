//! Lists of objects that do not keep them alive.

use crate::object::{Header, Object, Ref};
use crate::value::R;
use crate::vm::Vm;
use std::cell::UnsafeCell;

/// A list in an object that is registered as weak, whose `clear_weak` calls [`WeakList::retain`]. Its memory is
/// Rust's: the object's `drop_external` calls [`WeakList::free`].
#[derive(Default)]
pub struct WeakList(UnsafeCell<Vec<*const Header>>);

impl WeakList {
    fn items(&self) -> &[*const Header] {
        // SAFETY: one thread, and nobody keeps the slice over a call that changes the list.
        unsafe { &*self.0.get() }
    }

    pub fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// Adds an object to the list that `owner` has, unless it is among the last ones already. MemoryError.
    pub fn add<T: Object>(&self, vm: &Vm, owner: Ref<T>, v: *const Header) -> R<()> {
        const RECENT: usize = 8;
        if self.items().iter().rev().take(RECENT).any(|&h| h == v) {
            return Ok(());
        }
        owner.barrier(vm);
        // SAFETY: as in `items`.
        let list = unsafe { &mut *self.0.get() };
        list.try_reserve(1).map_err(|_| vm.memory_error())?;
        list.push(v);
        Ok(())
    }

    /// The object at this index.
    pub fn get<T: Object>(&self, i: usize) -> Option<Ref<T>> {
        // SAFETY: what died was taken out; the list's owner adds objects of one layout only.
        self.items().get(i).map(|&h| unsafe { Ref::from_header(h.cast_mut()) })
    }

    pub fn clear(&self) {
        // SAFETY: as in `items`.
        unsafe { (*self.0.get()).clear() };
    }

    /// Takes out what has died.
    pub fn retain(&self, is_live: &dyn Fn(*const Header) -> bool) {
        // SAFETY: as in `items`.
        unsafe { (*self.0.get()).retain(|&h| is_live(h)) };
    }

    /// Gives the memory back.
    pub fn free(&self) {
        // SAFETY: as in `items`.
        drop(unsafe { std::mem::take(&mut *self.0.get()) });
    }
}
