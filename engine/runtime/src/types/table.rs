//! The insertion-ordered hash table behind `dict` and `set`.
//!
//! ```text
//! Entries | header | capacity | fill | index mask | first | tombstones | (key, value) × capacity | hash × capacity | u32 × (mask + 1)
//! ```
//! Entries stand in insertion order; a deleted one has neither key nor value. The index maps hashes
//! to entry numbers + 1 by open addressing (0: free, `TOMBSTONE`: deleted). Up to 8 entries there is no index: the hashes are
//! compared one after the other. Keys and values are one array, so that a large table is traced by cards.

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// The memory of one table.
#[repr(C)]
pub struct Entries {
    header: Header,
    capacity: Cell<usize>,
    /// Entries used so far, deleted ones included.
    fill: Cell<usize>,
    /// Size of the index - 1; 0: no index.
    mask: Cell<usize>,
    /// All entries before this one are deleted.
    first: Cell<usize>,
    /// Index slots that a removal of the last entry left behind: `fill` does not count them.
    tombstones: Cell<usize>,
    pairs: [Field; 0],
}

const PAIRS: usize = std::mem::offset_of!(Entries, pairs);
const UNINDEXED: usize = 8;
/// Room of a table that is begun with one entry.
const FIRST: usize = 5;
const TOMBSTONE: u32 = u32::MAX;
const MAX_CAPACITY: usize = (u32::MAX / 4) as usize;

// SAFETY: capacity and mask never change after allocation.
unsafe impl Object for Entries {
    const KIND: Kind = Kind::DictEntries;
    fn size(&self) -> usize {
        bytes(self.capacity.get(), self.mask.get())
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for field in &self.pairs()[..2 * self.fill.get()] {
            field.trace(tracer);
        }
    }
    fn value_array(&self) -> Option<(usize, usize)> {
        Some((PAIRS, 2 * self.capacity.get()))
    }
}

fn bytes(capacity: usize, mask: usize) -> usize {
    PAIRS + capacity * 24 + if mask == 0 { 0 } else { (mask + 1) * 4 }
}

impl Entries {
    /// An empty table with room for as many entries. MemoryError.
    pub fn new(vm: &Vm, capacity: usize) -> R<Ref<Entries>> {
        if capacity > MAX_CAPACITY {
            return Err(vm.memory_error());
        }
        let capacity = capacity.max(4);
        let mask = if capacity <= UNINDEXED { 0 } else { (capacity * 3 / 2).next_power_of_two() - 1 };
        let t = vm.alloc::<Entries>(bytes(capacity, mask), vm.internal_shape())?;
        t.capacity.set(capacity);
        t.mask.set(mask);
        Ok(t)
    }

    #[inline]
    fn pairs(&self) -> &[Field] {
        // SAFETY: 2 × capacity slots follow the struct.
        unsafe { std::slice::from_raw_parts(self.pairs.as_ptr(), 2 * self.capacity.get()) }
    }

    #[inline]
    fn hashes(&self) -> &[Cell<i64>] {
        // SAFETY: the hashes follow the pairs.
        unsafe {
            let p = self.pairs.as_ptr().add(2 * self.capacity.get());
            std::slice::from_raw_parts(p.cast(), self.capacity.get())
        }
    }

    #[inline]
    fn index(&self) -> &[Cell<u32>] {
        // SAFETY: the index follows the hashes, if there is one.
        unsafe {
            let p = self.pairs.as_ptr().add(3 * self.capacity.get());
            std::slice::from_raw_parts(p.cast(), if self.mask.get() == 0 { 0 } else { self.mask.get() + 1 })
        }
    }

    #[inline]
    pub fn fill(&self) -> usize {
        self.fill.get()
    }

    #[inline]
    pub fn is_full(&self) -> bool {
        // The index, a third larger than the capacity, must keep free slots for searches to end.
        self.fill.get() + self.tombstones.get() >= self.capacity.get()
    }

    /// Key and value of an entry below `fill`, if it is not deleted.
    #[inline]
    pub fn entry(&self, i: usize) -> Option<(Value, Value)> {
        let pairs = self.pairs();
        Some((pairs[2 * i].get()?, pairs[2 * i + 1].get()?))
    }

    /// Number of the first entry that is not deleted; `fill` if there is none. Each deleted one is
    /// passed once, so that taking the first entry again and again is cheap.
    pub fn first(&self) -> usize {
        let mut i = self.first.get();
        while i < self.fill() && self.entry(i).is_none() {
            i += 1;
        }
        self.first.set(i);
        i
    }

    #[inline]
    pub fn hash_at(&self, i: usize) -> i64 {
        self.hashes()[i].get()
    }

    /// Calls `hit` with the number of each entry with this hash until it says Some.
    #[inline(always)]
    fn probe<T>(&self, hash: i64, mut hit: impl FnMut(usize) -> Option<T>) -> Option<T> {
        let mask = self.mask.get();
        if mask == 0 {
            let hashes = &self.hashes()[..self.fill.get()];
            return (0..hashes.len()).filter(|&i| hashes[i].get() == hash).find_map(hit);
        }
        let index = self.index();
        let mut slots = Slots::new(hash, mask);
        loop {
            match index[slots.at].get() {
                0 => return None,
                TOMBSTONE => {}
                n => {
                    let i = n as usize - 1;
                    if self.hashes()[i].get() == hash
                        && let Some(found) = hit(i)
                    {
                        return Some(found);
                    }
                }
            }
            slots.advance();
        }
    }

    /// Entry of a string key, compared as text: right if all str keys of this hash are of the exact
    /// type or do not redefine `==`.
    #[inline]
    pub fn find_str(&self, key: Ref<Str>, hash: i64) -> Option<usize> {
        self.probe(hash, |i| {
            let k = self.pairs()[2 * i].get()?;
            if k.is(key.value()) {
                return Some(i);
            }
            k.cast::<Str>().filter(|s| s.same(key)).map(|_| i)
        })
    }

    /// Writes a slot's value.
    pub fn set_value(this: Ref<Entries>, vm: &Vm, i: usize, v: Value) {
        let slot = &this.pairs()[2 * i + 1];
        if v.is_ptr() {
            vm.heap.write_barrier_array(this.header(), std::ptr::from_ref(slot).cast());
        }
        slot.init(v);
    }
}

/// The slots of an index in which a hash is looked for, one after the other. Numbers that follow each other begin in
/// slots that do, so that they are met in memory in order; from a slot that is taken the way goes far off, by the
/// hash's higher bits first, lest it leads through all the others.
struct Slots {
    at: usize,
    mask: usize,
    rest: u64,
}

impl Slots {
    #[inline(always)]
    fn new(hash: i64, mask: usize) -> Slots {
        Slots { at: hash as usize & mask, mask, rest: hash as u64 }
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.rest >>= 5;
        self.at = self.at.wrapping_mul(5).wrapping_add(self.rest as usize + 1) & self.mask;
    }
}

impl Ref<Entries> {
    /// Entry of this key. Compares with `==`, which may run Python code; if the table changed
    /// meanwhile, starts anew as CPython does.
    pub fn find(self, vm: &Vm, key: Value, hash: i64) -> R<Option<usize>> {
        if let Some(s) = key.cast::<Str>()
            && vm.is_exact_str(key)
            && let Some(i) = self.find_str(s, hash)
        {
            return Ok(Some(i));
        }
        // Mostly the first of this hash is the key itself.
        let first = self.probe(hash, |i| Some((i, self.pairs()[2 * i].get()?.is(key))));
        match first {
            None => return Ok(None),
            Some((i, true)) => return Ok(Some(i)),
            Some((_, false)) => {}
        }
        loop {
            let mut tried = 0;
            // Candidates are compared outside of the probe, since that may run code.
            let mut skip = 0;
            loop {
                let mut seen = 0;
                let candidate = self.probe(hash, |i| {
                    seen += 1;
                    (seen > skip).then_some(i)
                });
                let Some(i) = candidate else { return Ok(None) };
                skip += 1;
                tried += 1;
                let Some(k) = self.pairs()[2 * i].get() else { continue };
                if k.is(key) {
                    return Ok(Some(i));
                }
                let fill = self.fill();
                if vm.eq(k, key)? {
                    let still = self.pairs()[2 * i].get() == Some(k);
                    if still {
                        return Ok(Some(i));
                    }
                    break;
                }
                if self.fill() != fill || tried > 1 << 20 {
                    break;
                }
            }
            if tried > 1 << 20 {
                return Err(vm.runtime_error("hash table keeps changing during a look-up"));
            }
        }
    }

    /// Adds an entry; the key is not in the table and the table not full.
    pub fn push(self, vm: &Vm, key: Value, hash: i64, v: Value) {
        let i = self.fill.get();
        let pairs = self.pairs();
        // What is no reference needs no barrier; a large array's is not cheap.
        for (slot, v) in [(&pairs[2 * i], key), (&pairs[2 * i + 1], v)] {
            if v.is_ptr() {
                vm.heap.write_barrier_array(self.header(), std::ptr::from_ref(slot).cast());
            }
        }
        pairs[2 * i].init(key);
        pairs[2 * i + 1].init(v);
        self.hashes()[i].set(hash);
        self.fill.set(i + 1);
        let mask = self.mask.get();
        if mask != 0 {
            let index = self.index();
            let mut slots = Slots::new(hash, mask);
            while index[slots.at].get() != 0 && index[slots.at].get() != TOMBSTONE {
                slots.advance();
            }
            index[slots.at].set(i as u32 + 1);
        }
    }

    /// Removes entry `i`.
    pub fn remove(self, i: usize) {
        let mask = self.mask.get();
        if mask != 0 {
            let index = self.index();
            let mut slots = Slots::new(self.hash_at(i), mask);
            while index[slots.at].get() != i as u32 + 1 {
                slots.advance();
            }
            index[slots.at].set(TOMBSTONE);
        }
        self.pairs()[2 * i].init(None);
        self.pairs()[2 * i + 1].init(None);
        // No hash that a key can have, so that the unindexed search passes over it.
        self.hashes()[i].set(-1);
    }

    /// Gives up the entries from `i` on, which are deleted: the next one stands there.
    pub fn trim(self, i: usize) {
        if self.mask.get() != 0 {
            self.tombstones.set(self.tombstones.get() + self.fill.get() - i);
        }
        self.fill.set(i);
        self.first.set(self.first.get().min(i));
    }

    /// Begins again, where all entries are deleted.
    fn restart(self) {
        for slot in self.index() {
            slot.set(0);
        }
        self.fill.set(0);
        self.first.set(0);
        self.tombstones.set(0);
    }

    /// A table of the same entries, `live` in number, without the deleted ones. MemoryError.
    pub fn rebuilt(self, vm: &Vm, live: usize, capacity: usize) -> R<Ref<Entries>> {
        let new = Entries::new(vm, capacity)?;
        if live == self.fill() {
            new.copy_all(vm, self);
        } else {
            for i in 0..self.fill() {
                if let Some((k, v)) = self.entry(i) {
                    new.push(vm, k, self.hash_at(i), v);
                }
            }
        }
        if new.fill() == self.fill() && capacity >= self.capacity.get() {
            // No entry has another place than before.
            vm.heap.adopt_copy(self.header(), new.header());
        }
        Ok(new)
    }

    /// Fills an empty table with the entries of one that has none deleted; there is room for them.
    fn copy_all(self, vm: &Vm, from: Ref<Entries>) {
        let n = from.fill();
        let (old, new) = (&from.pairs()[..2 * n], &self.pairs()[..2 * n]);
        if n > 0 {
            vm.heap.write_barrier_slots(self.header(), new.as_ptr().cast(), 2 * n);
        }
        for (to, from) in new.iter().zip(old) {
            to.init(from.get());
        }
        for (to, from) in self.hashes()[..n].iter().zip(&from.hashes()[..n]) {
            to.set(from.get());
        }
        self.fill.set(n);
        let mask = self.mask.get();
        let index = self.index();
        if mask == from.mask.get() && from.tombstones.get() == 0 {
            for (to, from) in index.iter().zip(from.index()) {
                to.set(from.get());
            }
        } else if mask != 0 {
            for (i, hash) in self.hashes()[..n].iter().enumerate() {
                let mut slots = Slots::new(hash.get(), mask);
                while index[slots.at].get() != 0 {
                    slots.advance();
                }
                index[slots.at].set(i as u32 + 1);
            }
        }
    }
}

/// A table in a slot of a dict or set, made and grown on demand.
#[repr(C)]
pub struct Table {
    entries: Field,
    used: Cell<usize>,
}

impl Table {
    pub fn trace(&self, tracer: &mut Tracer<'_>) {
        self.entries.trace(tracer);
    }

    #[inline(always)]
    pub fn entries(&self) -> Option<Ref<Entries>> {
        // SAFETY: the slot holds nothing else.
        self.entries.get().map(|v| unsafe { v.cast_unchecked() })
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.used.get()
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries used so far, deleted ones included: the bound of iteration by number.
    #[inline]
    pub fn fill(&self) -> usize {
        self.entries().map_or(0, |e| e.fill())
    }

    /// Key and value of an entry, if the number is in range and it is not deleted.
    #[inline]
    pub fn entry(&self, i: usize) -> Option<(Value, Value)> {
        self.entries().filter(|e| i < e.fill()).and_then(|e| e.entry(i))
    }

    /// Number of the first entry that is there.
    pub fn first(&self) -> usize {
        self.entries().map_or(0, |e| e.first())
    }

    #[inline]
    pub fn find(&self, vm: &Vm, key: Value, hash: i64) -> R<Option<usize>> {
        while let Some(e) = self.entries() {
            let found = e.find(vm, key, hash)?;
            // A comparison in Python code may have put another table in this one's place.
            if self.entries() == Some(e) {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Is this very key there? None: there are others of its hash.
    #[inline]
    pub fn find_same(&self, key: Value, hash: i64) -> Option<bool> {
        let Some(entries) = self.entries() else { return Some(false) };
        match entries.probe(hash, |i| Some(entries.pairs()[2 * i].get()?.is(key))) {
            None => Some(false),
            Some(true) => Some(true),
            Some(false) => None,
        }
    }

    #[inline]
    pub fn find_str(&self, key: Ref<Str>, hash: i64) -> Option<usize> {
        self.entries().and_then(|e| e.find_str(key, hash))
    }

    /// Entry of a key that is an exact str. None: a key of its hash is not, so that code may have to compare them.
    pub fn find_exact(&self, vm: &Vm, key: Ref<Str>, hash: i64) -> Option<Option<usize>> {
        let Some(entries) = self.entries() else { return Some(None) };
        let found = entries.probe(hash, |i| {
            let k = entries.pairs()[2 * i].get()?;
            if !vm.is_exact_str(k) {
                return Some(None);
            }
            let same = k.is(key.value()) || k.cast::<Str>().is_some_and(|k| k.same(key));
            same.then_some(Some(i))
        });
        match found {
            None => Some(None),
            Some(found) => found.map(Some),
        }
    }

    /// Adds an entry whose key is not in the table. MemoryError.
    pub fn push<T: Object>(&self, vm: &Vm, owner: Ref<T>, key: Value, hash: i64, v: Value) -> R<()> {
        let entries = match self.entries() {
            Some(e) if !e.is_full() => e,
            Some(e) if self.is_empty() && e.capacity.get() <= UNINDEXED => {
                e.restart();
                e
            }
            Some(e) => {
                let new = e.rebuilt(vm, self.len(), (self.len() * 2).max(8))?;
                self.entries.set(vm, owner, new.value());
                new
            }
            None => {
                let new = Entries::new(vm, FIRST)?;
                self.entries.set(vm, owner, new.value());
                new
            }
        };
        entries.push(vm, key, hash, v);
        self.used.set(self.len() + 1);
        Ok(())
    }

    /// Room for as many entries in a table that has none. MemoryError.
    pub fn reserve<T: Object>(&self, vm: &Vm, owner: Ref<T>, count: usize) -> R<()> {
        let entries = Entries::new(vm, count)?;
        self.entries.set(vm, owner, entries.value());
        Ok(())
    }

    /// Removes entry `i`, which is there.
    pub fn remove(&self, i: usize) {
        if let Some(e) = self.entries() {
            e.remove(i);
            self.used.set(self.len() - 1);
        }
    }

    /// Removes entry `i`, which is there and behind which there is none: the next one takes its place.
    pub fn remove_last(&self, i: usize) {
        if let Some(e) = self.entries() {
            e.remove(i);
            e.trim(i);
            self.used.set(self.len() - 1);
        }
    }

    pub fn clear(&self) {
        self.entries.init(None);
        self.used.set(0);
    }

    /// Takes over a copy of another table. MemoryError.
    pub fn copy_from<T: Object>(&self, vm: &Vm, owner: Ref<T>, other: &Table) -> R<()> {
        self.copy_with_room(vm, owner, other, 0)
    }

    /// As [`Table::copy_from`], with room for more entries. MemoryError.
    pub fn copy_with_room<T: Object>(&self, vm: &Vm, owner: Ref<T>, other: &Table, more: usize) -> R<()> {
        if let Some(e) = other.entries() {
            let new = e.rebuilt(vm, other.len(), other.len() + more)?;
            self.entries.set(vm, owner, new.value());
            self.used.set(other.len());
        }
        Ok(())
    }
}
