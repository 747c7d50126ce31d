//! `dict`: the table, and the dictionaries of modules, whose values lie in cells.
//!
//! In a module's dictionary (`CELLS`) each value is a [`CellObject`] that holds the real one, so
//! that compiled code and inline caches keep the cell's address. Deleting a name empties its cell.
//! If a builtin was looked up past a module's dictionary (`WATCHED`), a new name in it moves the
//! isolate's globals epoch on, which makes every cached builtin be looked up again.

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::cell::CellObject;
use crate::types::str::Str;
use crate::types::table::{Entries, Table};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A Python dict.
#[repr(C)]
pub struct Dict {
    header: Header,
    pub table: Table,
    /// What a subclass in Rust keeps with it: the factory of a `defaultdict`.
    pub extra: Field,
}

const CELLS: u16 = 1;
const WATCHED: u16 = 2;

// SAFETY: the table's slot and the extra one are the only references.
unsafe impl Object for Dict {
    const KIND: Kind = Kind::Dict;
    fn size(&self) -> usize {
        size_of::<Dict>()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.table.trace(tracer);
        self.extra.trace(tracer);
    }
}

impl Dict {
    /// MemoryError.
    pub fn new(vm: &Vm) -> R<Ref<Dict>> {
        vm.alloc_fixed::<Dict>(vm.types.dict.root_shape_id())
    }

    /// A module's dictionary. MemoryError.
    pub fn new_globals(vm: &Vm) -> R<Ref<Dict>> {
        let dict = Dict::new(vm)?;
        dict.header.bits.set(CELLS);
        Ok(dict)
    }

    /// A dict of keys and values, which alternate. What `__hash__` and `__eq__` raise; MemoryError.
    pub fn of_pairs(vm: &Vm, row: &[Value]) -> R<Ref<Dict>> {
        let dict = Dict::new(vm)?;
        if row.is_empty() {
            return Ok(dict);
        }
        dict.table.reserve(vm, dict, row.len() / 2)?;
        for pair in row.chunks_exact(2) {
            // Mostly the hash alone tells that the key is another than those before it.
            let hash = vm.hash_as(pair[0], "a dict key")?;
            match dict.table.find_same(pair[0], hash) {
                Some(false) => dict.table.push(vm, dict, pair[0], hash, pair[1])?,
                _ => dict.set_hashed(vm, pair[0], hash, pair[1])?,
            }
        }
        Ok(dict)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    pub fn has_cells(&self) -> bool {
        self.header.bits.get() & CELLS != 0
    }

    #[inline(always)]
    fn unwrap(&self, v: Value) -> Value {
        if self.has_cells()
            && let Some(cell) = v.cast::<CellObject>()
        {
            return cell.get();
        }
        v
    }

    /// Entry `i` in insertion order, if it is there.
    #[inline]
    pub fn entry(&self, i: usize) -> Option<(Value, Value)> {
        self.table.entry(i).map(|(k, v)| (k, self.unwrap(v)))
    }

    /// Bound for [`Dict::entry`].
    #[inline]
    pub fn fill(&self) -> usize {
        self.table.fill()
    }

    /// The entries as they are when each is reached.
    pub fn iter(&self) -> impl Iterator<Item = (Value, Value)> + '_ {
        let mut i = 0;
        std::iter::from_fn(move || {
            while i < self.fill() {
                i += 1;
                if let Some(e) = self.entry(i - 1) {
                    return Some(e);
                }
            }
            None
        })
    }
}

impl Ref<Dict> {
    /// The value of a key. TypeError (unhashable) and what `__hash__` and `__eq__` raise.
    pub fn get(self, vm: &Vm, key: Value) -> R<Option<Value>> {
        let hash = vm.hash_as(key, "a dict key")?;
        self.get_hashed(vm, key, hash)
    }

    pub fn get_hashed(self, vm: &Vm, key: Value, hash: i64) -> R<Option<Value>> {
        let i = self.table.find(vm, key, hash)?;
        Ok(i.and_then(|i| self.entry(i)).map(|(_, v)| v))
    }

    #[inline]
    pub fn get_str(self, vm: &Vm, key: Ref<Str>) -> R<Option<Value>> {
        let i = self.table.find_str(key, key.hash(vm));
        Ok(i.and_then(|i| self.entry(i)).map(|(_, v)| v))
    }

    /// By a Rust string that is interned on the way. MemoryError.
    pub fn get_name(self, vm: &Vm, key: &str) -> R<Option<Value>> {
        self.get_str(vm, vm.intern(key)?)
    }

    pub fn set(self, vm: &Vm, key: Value, v: Value) -> R<()> {
        let hash = vm.hash_as(key, "a dict key")?;
        self.set_hashed(vm, key, hash, v)
    }

    pub fn set_hashed(self, vm: &Vm, key: Value, hash: i64, v: Value) -> R<()> {
        match self.table.find(vm, key, hash)? {
            Some(i) => self.store_at(vm, i, v),
            None => self.add(vm, key, hash, v)?,
        }
        Ok(())
    }

    /// The value of a key, which gets this one if it is not there: it is looked up once.
    pub fn get_or_set(self, vm: &Vm, key: Value, v: Value) -> R<Value> {
        let hash = vm.hash_as(key, "a dict key")?;
        if let Some((_, there)) = self.table.find(vm, key, hash)?.and_then(|i| self.entry(i)) {
            return Ok(there);
        }
        self.add(vm, key, hash, v)?;
        Ok(v)
    }

    #[inline]
    pub fn set_str(self, vm: &Vm, key: Ref<Str>, v: Value) -> R<()> {
        let hash = key.hash(vm);
        match self.table.find_str(key, hash) {
            Some(i) => self.store_at(vm, i, v),
            None => self.add(vm, key.value(), hash, v)?,
        }
        Ok(())
    }

    pub fn set_name(self, vm: &Vm, key: &str, v: impl Into<Value>) -> R<()> {
        self.set_str(vm, vm.intern(key)?, v.into())
    }

    fn store_at(self, vm: &Vm, i: usize, v: Value) {
        let Some(entries) = self.table.entries() else { return };
        if self.has_cells()
            && let Some(cell) = entries.entry(i).and_then(|(_, c)| c.cast::<CellObject>())
        {
            return cell.set(vm, v);
        }
        Entries::set_value(entries, vm, i, v);
    }

    fn add(self, vm: &Vm, key: Value, hash: i64, v: Value) -> R<()> {
        let stored = if self.has_cells() {
            if self.header.bits.get() & WATCHED != 0 {
                vm.globals_epoch.set(vm.globals_epoch.get().wrapping_add(1));
            }
            CellObject::new(vm, v)?.value()
        } else {
            v
        };
        self.table.push(vm, self, key, hash, stored)
    }

    /// The cell of a name in a module's dictionary.
    pub fn cell(self, vm: &Vm, key: Ref<Str>) -> Option<Ref<CellObject>> {
        if !self.has_cells() {
            return None;
        }
        let i = self.table.find_str(key, key.hash(vm))?;
        self.table.entry(i)?.1.cast()
    }

    /// From now on a new name in this module's dictionary moves the globals epoch.
    pub fn watch(self) {
        self.header.bits.set(self.header.bits.get() | WATCHED);
    }

    fn remove_at(self, vm: &Vm, i: usize) -> Option<(Value, Value)> {
        let entry = self.entry(i)?;
        if self.has_cells()
            && let Some(cell) = self.table.entry(i).and_then(|(_, c)| c.cast::<CellObject>())
        {
            cell.set(vm, Value::UNBOUND);
        }
        self.table.remove(i);
        Some(entry)
    }

    /// Removes a key and returns its value.
    pub fn pop(self, vm: &Vm, key: Value) -> R<Option<Value>> {
        let hash = vm.hash_as(key, "a dict key")?;
        let i = self.table.find(vm, key, hash)?;
        Ok(i.and_then(|i| self.remove_at(vm, i)).map(|(_, v)| v))
    }

    /// Removes the last entry.
    pub fn pop_last(self, vm: &Vm) -> Option<(Value, Value)> {
        let i = (0..self.fill()).rev().find(|&i| self.entry(i).is_some())?;
        let entry = self.remove_at(vm, i);
        // Those deleted behind it are passed over once.
        if let Some(e) = self.table.entries() {
            e.trim(i);
        }
        entry
    }

    /// Removes the first entry.
    pub fn pop_first(self, vm: &Vm) -> Option<(Value, Value)> {
        self.remove_at(vm, self.table.first())
    }

    /// Moves a key that is there, and was just looked up, behind all others. MemoryError.
    pub fn move_last(self, vm: &Vm, key: Value, hash: i64, v: Value) -> R<()> {
        let Some(i) = self.table.find(vm, key, hash)? else { return Ok(()) };
        if i + 1 == self.fill() {
            return Ok(());
        }
        match self.remove_at(vm, i) {
            // The key object stays the one that was put in.
            Some((key, _)) => self.add(vm, key, hash, v),
            None => Ok(()),
        }
    }

    pub fn delete(self, vm: &Vm, key: Value) -> R<bool> {
        Ok(self.pop(vm, key)?.is_some())
    }

    pub fn delete_str(self, vm: &Vm, key: Ref<Str>) -> R<bool> {
        let i = self.table.find_str(key, key.hash(vm));
        Ok(i.and_then(|i| self.remove_at(vm, i)).is_some())
    }

    pub fn contains(self, vm: &Vm, key: Value) -> R<bool> {
        Ok(self.get(vm, key)?.is_some())
    }

    pub fn clear(self, vm: &Vm) {
        if self.has_cells() {
            while self.pop_last(vm).is_some() {}
        }
        self.table.clear();
    }

    /// A plain dict of the same entries. MemoryError.
    pub fn copy(self, vm: &Vm) -> R<Ref<Dict>> {
        let new = Dict::new(vm)?;
        if self.has_cells() {
            new.update(vm, self)?;
        } else {
            new.table.copy_from(vm, new, &self.table)?;
        }
        Ok(new)
    }

    /// Sets all entries of another dict, if no code has to be run for that. False: some may be set. MemoryError.
    pub fn update_plainly(self, vm: &Vm, other: Ref<Dict>) -> R<bool> {
        if self.has_cells() || other.has_cells() || self == other {
            return Ok(false);
        }
        if self.fill() == 0 {
            self.table.copy_from(vm, self, &other.table)?;
            return Ok(true);
        }
        for (key, v) in other.iter() {
            let Some(name) = key.cast::<Str>().filter(|_| vm.is_exact_str(key)) else { return Ok(false) };
            let hash = name.hash(vm);
            match self.table.find_exact(vm, name, hash) {
                Some(Some(i)) => self.store_at(vm, i, v),
                Some(None) => self.add(vm, key, hash, v)?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sets all entries of another dict.
    pub fn update(self, vm: &Vm, other: Ref<Dict>) -> R<()> {
        let mut i = 0;
        while i < other.fill() {
            if let Some((k, v)) = other.entry(i)
                && let Some(e) = other.table.entries()
            {
                self.set_hashed(vm, k, e.hash_at(i), v)?;
            }
            i += 1;
        }
        Ok(())
    }
}
