//! `set` and `frozenset`: the object. A set is a table whose values are all None.

use crate::object::{Header, Kind, Object, Ref, Tracer};
use crate::types::table::Table;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A set, or a frozenset (by its shape's type).
#[repr(C)]
pub struct Set {
    header: Header,
    pub table: Table,
    /// A frozenset's hash; 0: not known.
    pub hash: Cell<i64>,
}

// SAFETY: the table's slot is the only reference.
unsafe impl Object for Set {
    const KIND: Kind = Kind::Set;
    fn size(&self) -> usize {
        size_of::<Set>()
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        self.table.trace(t);
    }
}

impl Set {
    /// An empty set. MemoryError.
    pub fn new(vm: &Vm) -> R<Ref<Set>> {
        vm.alloc_fixed::<Set>(vm.types.set.root_shape_id())
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items as they are when each is reached.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        let mut i = 0;
        std::iter::from_fn(move || {
            while i < self.table.fill() {
                i += 1;
                if let Some((k, _)) = self.table.entry(i - 1) {
                    return Some(k);
                }
            }
            None
        })
    }
}

impl Ref<Set> {
    pub fn contains(self, vm: &Vm, v: Value) -> R<bool> {
        let hash = vm.hash_as(v, "a set element")?;
        Ok(self.table.find(vm, v, hash)?.is_some())
    }

    /// True if it was not there.
    pub fn add(self, vm: &Vm, v: Value) -> R<bool> {
        let hash = vm.hash_as(v, "a set element")?;
        self.add_hashed(vm, v, hash)
    }

    pub fn add_hashed(self, vm: &Vm, v: Value, hash: i64) -> R<bool> {
        // Mostly the hash alone tells, or it is the very key.
        let found = match self.table.find_same(v, hash) {
            Some(found) => found,
            None => self.table.find(vm, v, hash)?.is_some(),
        };
        if found {
            return Ok(false);
        }
        self.table.push(vm, self, v, hash, Value::NONE)?;
        Ok(true)
    }

    /// True if it was there.
    pub fn remove(self, vm: &Vm, v: Value) -> R<bool> {
        let hash = vm.hash_as(v, "a set element")?;
        let found = self.table.find(vm, v, hash)?;
        if let Some(i) = found {
            self.table.remove(i);
        }
        Ok(found.is_some())
    }
}
