//! Attribute look-ups by (shape, name), for places that see objects of several shapes.
//!
//! An inline cache serves one shape. Where it misses again and again the instruction stays generic and
//! asks this table first: one probe instead of look-ups on the type and the object. An entry is good
//! while no name that anyone relies on changed on any type (the *epoch*, see `types/watch.rs`).

use crate::object::Ref;
use crate::shape::ShapeId;
use crate::types::str::Str;
use std::cell::Cell;

/// What an entry says.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Use {
    /// Loading: the slot.
    Load = 0,
    /// Storing to an attribute that is there: the slot.
    Store = 1,
    /// A method: the function's word.
    Method = 2,
    /// Loading by a builtin type's descriptor: the declaration's address.
    GetSet = 3,
}

#[derive(Default)]
struct Entry {
    shape: Cell<ShapeId>,
    epoch: Cell<u32>,
    /// The name's address and the use.
    key: Cell<usize>,
    value: Cell<u64>,
}

/// The isolate's table.
pub struct AttrTable {
    entries: Box<[Entry]>,
    epoch: Cell<u32>,
}

const SIZE: usize = 2048;

impl Default for AttrTable {
    fn default() -> AttrTable {
        // Entries are made with epoch 0, so that none is good.
        AttrTable { entries: (0..SIZE).map(|_| Entry::default()).collect(), epoch: Cell::new(1) }
    }
}

#[inline(always)]
fn key_of(name: Ref<Str>, what: Use) -> usize {
    name.as_ptr() as usize | what as usize
}

impl AttrTable {
    #[inline(always)]
    fn entry(&self, shape: ShapeId, key: usize) -> &Entry {
        let hash = (key >> 4) ^ (key << 7) ^ (shape as usize).wrapping_mul(0x9e37_79b1);
        &self.entries[hash & (SIZE - 1)]
    }

    #[inline(always)]
    pub fn find(&self, shape: ShapeId, name: Ref<Str>, what: Use) -> Option<u64> {
        let key = key_of(name, what);
        let e = self.entry(shape, key);
        (e.shape.get() == shape && e.key.get() == key && e.epoch.get() == self.epoch.get())
            .then(|| e.value.get())
    }

    /// Notes a look-up, of a name that is watched on the shape's type.
    pub fn note(&self, shape: ShapeId, name: Ref<Str>, what: Use, value: u64) {
        let key = key_of(name, what);
        let e = self.entry(shape, key);
        e.shape.set(shape);
        e.key.set(key);
        e.epoch.set(self.epoch.get());
        e.value.set(value);
    }

    /// What changes whenever the entries become void. It is never 0.
    pub fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    /// All entries are void: a name that someone relies on changed, or objects are to be collected.
    pub fn forget(&self) {
        match self.epoch.get().checked_add(1) {
            Some(next) => self.epoch.set(next),
            None => {
                self.entries.iter().for_each(|e| e.epoch.set(0));
                self.epoch.set(1);
            }
        }
    }
}
