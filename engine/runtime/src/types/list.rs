//! `list`: a growing row of values.
//!
//! ```text
//! List | header | length | items -> Values
//! ```

use crate::fixed_object;
use crate::interp::copy_words;
use crate::object::{Field, Header, Ref};
use crate::types::instance::Values;
use crate::types::slice::{Slice, slice_bounds};
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A Python list.
#[repr(C)]
pub struct List {
    header: Header,
    len: Cell<usize>,
    items: Field,
}
fixed_object!(List, List, [items]);

/// Byte offsets for compiled code.
pub const LIST_LEN: usize = std::mem::offset_of!(List, len);
pub const LIST_ITEMS: usize = std::mem::offset_of!(List, items);

impl List {
    /// A new list of these items. MemoryError.
    pub fn new(vm: &Vm, items: &[Value]) -> R<Ref<List>> {
        let list = List::with_capacity(vm, items.len())?;
        if let Some(array) = list.array() {
            // SAFETY: the array is as long; a slot is one word.
            unsafe {
                copy_words(items.as_ptr().cast(), array.slots().as_ptr() as *mut u64, items.len());
            }
            list.len.set(items.len());
            // A large array may have been allocated as old.
            array.barrier(vm);
        }
        Ok(list)
    }

    /// A new list of so many items, which are told without running Python code. MemoryError.
    pub fn of(vm: &Vm, len: usize, items: impl Iterator<Item = Value>) -> R<Ref<List>> {
        let list = List::with_capacity(vm, len)?;
        if let Some(array) = list.array() {
            let mut told = 0;
            for (slot, v) in array.slots().iter().zip(items) {
                slot.init(v);
                told += 1;
            }
            list.len.set(told);
            // A large array may have been allocated as old.
            array.barrier(vm);
        }
        Ok(list)
    }

    /// A list of items in reverse. They lie in an array of the heap. MemoryError.
    pub fn reversed(vm: &Vm, items: &[Value]) -> R<Ref<List>> {
        let list = List::with_capacity(vm, items.len())?;
        if let Some(array) = list.array() {
            for (slot, &v) in array.slots().iter().rev().zip(items) {
                slot.init(v);
            }
            list.len.set(items.len());
            array.barrier(vm);
        }
        Ok(list)
    }

    /// An empty list with room for as many items. MemoryError.
    pub fn with_capacity(vm: &Vm, capacity: usize) -> R<Ref<List>> {
        let list = vm.alloc_fixed::<List>(vm.types.list.root_shape_id())?;
        if capacity > 0 {
            let array = Values::new(vm, capacity)?;
            list.items.set(vm, list, array.value());
        }
        Ok(list)
    }

    /// A list of `n` times the same. MemoryError.
    pub fn filled(vm: &Vm, item: Value, n: usize) -> R<Ref<List>> {
        let list = List::with_capacity(vm, n)?;
        if let Some(array) = list.array() {
            // Nobody else knows the array, which is as young as can be.
            array.slots()[..n].iter().for_each(|slot| slot.init(item));
            list.len.set(n);
        }
        Ok(list)
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len.get()
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn array(&self) -> Option<Ref<Values>> {
        // SAFETY: the slot holds nothing else.
        self.items.get().map(|v| unsafe { v.cast_unchecked() })
    }

    /// The item at this index, if there is one.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<Value> {
        if i < self.len() { self.array().and_then(|a| a.slots()[i].get()) } else { None }
    }

    /// The items as they are now. The slice must not be used after anything that may change the list
    /// or run Python code; copy with [`Ref::<List>::snapshot`] for that.
    #[inline(always)]
    pub fn items(&self) -> &[Value] {
        match self.array() {
            // SAFETY: the first `len` slots are set, and a slot is one word.
            Some(a) => unsafe { std::slice::from_raw_parts(a.slots().as_ptr().cast::<Value>(), self.len()) },
            None => &[],
        }
    }
}

impl Ref<List> {
    /// Room for `capacity` items. MemoryError.
    fn reserve(self, vm: &Vm, capacity: usize) -> R<Ref<Values>> {
        let array = match self.array() {
            Some(a) if a.slots().len() >= capacity => return Ok(a),
            // Each growth is a copy: by half, and by an eighth where that would be much memory.
            Some(a) => {
                let more = if capacity < 1 << 20 { capacity >> 1 } else { capacity >> 3 };
                a.resized(vm, capacity.saturating_add(more + 4) & !3)?
            }
            None => Values::new(vm, capacity.max(4))?,
        };
        self.items.set(vm, self, array.value());
        Ok(array)
    }

    /// Room for the items of an iterable, if it says how many there are: no long work before it turns
    /// out that there is no memory for them. MemoryError, and what the iterable raises.
    pub fn make_room(self, vm: &Vm, iterable: Value) -> R<()> {
        const WORTH: i64 = 1 << 10;
        match vm.length_hint(iterable)? {
            // More than any list can have: it may have lied.
            Some(more) if more >= WORTH => match more.checked_add(self.len() as i64) {
                Some(all) => self.reserve(vm, all as usize).map(|_| ()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Appends. MemoryError.
    #[inline]
    pub fn push(self, vm: &Vm, v: Value) -> R<()> {
        let n = self.len();
        let array = match self.array() {
            Some(a) if n < a.slots().len() => a,
            _ => self.reserve(vm, n + 1)?,
        };
        array.store(vm, n, v);
        self.len.set(n + 1);
        Ok(())
    }

    /// Appends if there is room.
    #[inline(always)]
    pub fn push_in_place(self, vm: &Vm, v: Value) -> bool {
        let n = self.len();
        match self.array() {
            Some(a) if n < a.slots().len() => {
                a.store(vm, n, v);
                self.len.set(n + 1);
                true
            }
            _ => false,
        }
    }

    /// Replaces the item at `i`, which is in range.
    #[inline(always)]
    pub fn store(self, vm: &Vm, i: usize, v: Value) {
        debug_assert!(i < self.len());
        if let Some(array) = self.array() {
            array.store(vm, i, v);
        }
    }

    /// Replaces the items `start..end` by others: insertion, deletion, slice assignment. MemoryError.
    pub fn splice(self, vm: &Vm, start: usize, end: usize, new: &[Value]) -> R<()> {
        if end - start == new.len()
            && let Some(array) = self.array()
        {
            let slots = &array.slots()[start..end];
            // SAFETY: the slots are as many as there are words; nothing is allocated before the barrier below.
            unsafe { copy_words(new.as_ptr().cast(), slots.as_ptr() as *mut u64, new.len()) };
            vm.heap.write_barrier_slots(array.header(), slots.as_ptr().cast(), slots.len());
            return Ok(());
        }
        let (len, tail) = (self.len(), self.len() - end);
        let new_len = start + new.len() + tail;
        if new_len == 0 {
            self.clear();
            return Ok(());
        }
        let array = self.reserve(vm, new_len)?;
        let slots = array.slots();
        // SAFETY: both ranges lie in the array, which is at least `new_len` and `len` long; the
        // barrier is taken below, before anything is allocated. `new` may lie in the same array only if it is not moved over: callers copy.
        unsafe {
            let base = slots.as_ptr() as *mut Value;
            if new_len != len {
                std::ptr::copy(base.add(end), base.add(start + new.len()), tail);
            }
            std::ptr::copy(new.as_ptr(), base.add(start), new.len());
        }
        for slot in slots.iter().take(len).skip(new_len) {
            slot.init(None);
        }
        self.len.set(new_len);
        // What stands before `start` was not touched: appending must not cost the list's length.
        self.mark_stored(vm, array, start);
        Ok(())
    }

    /// Copies what a slice selects of a list over what another one selects of this one, if these are as many and it can
    /// be done in place: says whether it is done. Their parts are ints and None, and the steps 1 or -1.
    pub fn copy_slice(self, vm: &Vm, to: Ref<Slice>, from: Ref<List>, part: Ref<Slice>) -> bool {
        let (Ok(to), Ok(part)) = (slice_bounds(vm, to), slice_bounds(vm, part)) else {
            unreachable!("ints need no call, and the steps are not 0")
        };
        let (to, part) = (to.of_len(self.len()), part.of_len(from.len()));
        let (Some(array), Some(source)) = (self.array(), from.array()) else { return false };
        let n = part.count;
        if to.step != 1 || to.count != n || n == 0 {
            return false;
        }
        let first = if part.step == 1 { part.start } else { part.start + 1 - n as i64 } as usize;
        let (items, slots) = (&source.slots()[first..first + n], &array.slots()[to.start as usize..][..n]);
        let (read, write) = (items.as_ptr().cast::<u64>(), slots.as_ptr() as *mut u64);
        let (apart, same) = (source != array, std::ptr::eq(items, slots));
        // SAFETY: `n` words can be read and written, and nothing is allocated before the barrier.
        unsafe {
            match (part.step, apart, same) {
                (1, ..) => std::ptr::copy(read, write, n),
                (_, true, _) => (0..n).for_each(|i| *write.add(i) = *read.add(n - 1 - i)),
                (_, _, true) => {
                    for i in 0..n / 2 {
                        write.add(i).swap(write.add(n - 1 - i));
                    }
                }
                _ => return false,
            }
        }
        vm.heap.write_barrier_slots(array.header(), slots.as_ptr().cast(), n);
        true
    }

    /// Removes and returns the last item.
    #[inline]
    pub fn pop(self) -> Option<Value> {
        let n = self.len().checked_sub(1)?;
        let array = self.array()?;
        let v = array.slots()[n].get();
        array.slots()[n].init(None);
        self.len.set(n);
        v
    }

    /// Removes all items.
    pub fn clear(self) {
        // An empty one keeps what it has: see `take_to_sort`.
        if self.len.replace(0) > 0 {
            self.items.init(None);
        }
    }

    /// Appends all of these, which do not lie in this list. MemoryError.
    pub fn extend(self, vm: &Vm, items: &[Value]) -> R<()> {
        let n = self.len();
        self.splice(vm, n, n, items)
    }

    /// A copy that stays as it is.
    pub fn snapshot(self, vm: &Vm) -> R<Ref<List>> {
        List::new(vm, self.items())
    }

    /// Reverses or permutes the items in place: `f` gets them all. It must not allocate.
    pub fn permute(self, vm: &Vm, f: impl FnOnce(&mut [Value])) {
        if let Some(array) = self.array() {
            // SAFETY: as in `items`; `f` is the only one to see them.
            f(unsafe { std::slice::from_raw_parts_mut(array.slots().as_ptr() as *mut Value, self.len()) });
            self.mark_stored(vm, array, 0);
        }
    }

    /// Moves the items out, leaving the list empty.
    pub fn take(self) -> Option<Ref<Values>> {
        let array = self.array();
        self.clear();
        array
    }

    /// As [`Ref::<List>::take`], for sorting. What is second is in the list as long as nobody changes it. MemoryError.
    pub fn take_to_sort(self, vm: &Vm) -> R<(Option<Ref<Values>>, Ref<Values>)> {
        let mark = Values::new(vm, 0)?;
        let array = self.take();
        self.items.set(vm, self, mark.value());
        Ok((array, mark))
    }

    /// Has nobody changed the list since [`Ref::<List>::take_to_sort`]?
    pub fn is_untouched(self, mark: Ref<Values>) -> bool {
        self.is_empty() && self.array() == Some(mark)
    }

    /// Puts back what [`Ref::<List>::take`] gave.
    pub fn put_back(self, vm: &Vm, array: Option<Ref<Values>>, len: usize) {
        self.items.set(vm, self, array.map(|a| a.value()));
        self.len.set(len);
        if let Some(a) = array {
            self.mark_stored(vm, a, 0);
        }
    }

    /// The write barrier for stores into all slots from `start` on.
    fn mark_stored(self, vm: &Vm, array: Ref<Values>, start: usize) {
        let stored = &array.slots()[start.min(self.len())..self.len()];
        vm.heap.write_barrier_slots(array.header(), stored.as_ptr().cast(), stored.len());
    }
}
