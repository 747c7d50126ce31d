//! Instances of Python classes, and the plain arrays that several layouts use.
//!
//! ```text
//! Instance  | header (bits = inline capacity) | overflow | slot 0 | slot 1 | …
//! Values    | header | capacity | word 0 | word 1 | …          an array of value slots
//! Raw       | header | bytes | …                                an array of plain bytes
//! ```

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::shape::Shape;
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// An instance of a Python class whose layout is not that of a builtin type.
#[repr(C)]
pub struct Instance {
    header: Header,
    /// The overflow array ([`Values`]), or the [`Dict`] of an instance under a dictionary shape.
    pub overflow: Field,
    slots: [Field; 0],
}

/// Byte offset of the inline slots.
pub const INSTANCE_SLOTS: usize = 16;
const _: () = assert!(std::mem::offset_of!(Instance, slots) == INSTANCE_SLOTS);

impl Instance {
    /// Inline slots that the instance has.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.header.bits.get() as usize
    }

    #[inline(always)]
    pub fn inline_slots(&self) -> &[Field] {
        // SAFETY: as many slots as `bits` says follow the struct.
        unsafe { std::slice::from_raw_parts(self.slots.as_ptr(), self.capacity()) }
    }
}

// SAFETY: the capacity in `bits` never changes after allocation.
unsafe impl Object for Instance {
    const KIND: Kind = Kind::Instance;
    fn size(&self) -> usize {
        INSTANCE_SLOTS + 8 * self.capacity()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.overflow.trace(tracer);
        for slot in self.inline_slots() {
            slot.trace(tracer);
        }
    }
}

/// An array of value slots.
#[repr(C)]
pub struct Values {
    header: Header,
    capacity: Cell<usize>,
    slots: [Field; 0],
}

/// Byte offsets of the number of slots, and of the slots.
pub const VALUES_CAPACITY: usize = std::mem::offset_of!(Values, capacity);
pub const VALUES_SLOTS: usize = 16;
const _: () = assert!(std::mem::offset_of!(Values, slots) == VALUES_SLOTS);

impl Values {
    /// An empty array. MemoryError.
    pub fn new(vm: &Vm, capacity: usize) -> R<Ref<Values>> {
        let size = capacity.checked_mul(8).and_then(|n| n.checked_add(VALUES_SLOTS));
        let array = vm.alloc::<Values>(size.unwrap_or(usize::MAX), vm.internal_shape())?;
        array.capacity.set(capacity);
        Ok(array)
    }

    #[inline(always)]
    pub fn slots(&self) -> &[Field] {
        // SAFETY: `capacity` slots follow the struct.
        unsafe { std::slice::from_raw_parts(self.slots.as_ptr(), self.capacity.get()) }
    }
}

impl Ref<Values> {
    /// Stores into one slot.
    #[inline(always)]
    pub fn store(self, vm: &Vm, i: usize, v: impl Into<Option<Value>>) {
        let (slot, v) = (&self.slots()[i], v.into());
        // What is no reference needs no barrier; a large array's is not cheap.
        if v.is_some_and(Value::is_ptr) {
            vm.heap.write_barrier_array(self.header(), std::ptr::from_ref(slot).cast());
        }
        slot.init(v);
    }

    /// A copy with another capacity, as many slots as fit both.
    pub fn resized(self, vm: &Vm, capacity: usize) -> R<Ref<Values>> {
        let new = Values::new(vm, capacity)?;
        for (to, from) in new.slots().iter().zip(self.slots()) {
            to.init(from.get());
        }
        if capacity >= self.capacity.get() {
            vm.heap.adopt_copy(self.header(), new.header());
        }
        Ok(new)
    }
}

// SAFETY: the capacity never changes after allocation.
unsafe impl Object for Values {
    const KIND: Kind = Kind::Values;
    fn size(&self) -> usize {
        VALUES_SLOTS + 8 * self.capacity.get()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        for slot in self.slots() {
            slot.trace(tracer);
        }
    }
    fn value_array(&self) -> Option<(usize, usize)> {
        Some((VALUES_SLOTS, self.capacity.get()))
    }
}

/// An array of bytes that holds no references.
#[repr(C)]
pub struct Raw {
    header: Header,
    len: Cell<usize>,
    data: [u64; 0],
}

impl Raw {
    /// Zeroed bytes. MemoryError.
    pub fn new(vm: &Vm, len: usize) -> R<Ref<Raw>> {
        let size = len.saturating_add(size_of::<Raw>() + 8);
        let raw = vm.alloc::<Raw>(size & !7, vm.internal_shape())?;
        raw.len.set(len);
        Ok(raw)
    }

    pub fn len(&self) -> usize {
        self.len.get()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, which several references may read and write: hence a pointer.
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        self.data.as_ptr() as *mut u8
    }
}

// SAFETY: holds no references; the length never changes after allocation.
unsafe impl Object for Raw {
    const KIND: Kind = Kind::Raw;
    fn size(&self) -> usize {
        (self.len.get() + size_of::<Raw>() + 8) & !7
    }
    fn trace(&self, _tracer: &mut Tracer<'_>) {}
}

impl Ref<Instance> {
    #[inline(always)]
    pub fn shape(self, vm: &Vm) -> &'static Shape {
        vm.shapes.get(self.header().shape.get())
    }

    fn overflow_slot(self, i: usize) -> Option<&'static Field> {
        let array = self.overflow.cast::<Values>()?;
        // SAFETY: the array lives as long as the instance names it; only grown by replacement.
        array.slots().get(i).map(|f| unsafe { &*std::ptr::from_ref(f) })
    }

    /// Value of slot `i` under the present shape.
    pub fn slot(self, i: usize) -> Option<Value> {
        match self.inline_slots().get(i) {
            Some(slot) => slot.get(),
            None => self.overflow_slot(i - self.capacity()).and_then(|s| s.get()),
        }
    }

    /// Stores into slot `i` of an instance that was made just now, if it has room for it inside: nothing else may have been
    /// made since.
    pub fn init_slot(self, i: usize, v: Value) -> bool {
        let slot = self.inline_slots().get(i);
        if let Some(slot) = slot {
            slot.init(Some(v));
        }
        slot.is_some()
    }

    /// Stores into slot `i`, growing the overflow array as needed. MemoryError.
    pub fn set_slot(self, vm: &Vm, i: usize, v: Option<Value>) -> R<()> {
        if let Some(slot) = self.inline_slots().get(i) {
            slot.set(vm, self, v);
            return Ok(());
        }
        let i = i - self.capacity();
        let array = match self.overflow.cast::<Values>() {
            Some(a) if i < a.slots().len() => a,
            Some(a) => a.resized(vm, (i + 1).next_power_of_two())?,
            None => Values::new(vm, (i + 1).next_power_of_two().max(4))?,
        };
        self.overflow.set(vm, self, array.value());
        array.store(vm, i, v);
        Ok(())
    }

    /// The attribute in the instance itself (not the type's). `__slots__` are not attributes here.
    pub fn get_own(self, vm: &Vm, name: Ref<Str>) -> R<Option<Value>> {
        let shape = self.shape(vm);
        if shape.is_dict {
            return match self.dict() {
                Some(dict) => dict.get_str(vm, name),
                None => Ok(None),
            };
        }
        match shape.slot(name) {
            Some(i) if i >= shape.ty.get().slot_count() => Ok(self.slot(i)),
            _ => Ok(None),
        }
    }

    /// The dictionary of an instance under a dictionary shape.
    pub fn dict(self) -> Option<Ref<Dict>> {
        self.overflow.cast::<Dict>()
    }

    /// Sets an attribute in the instance itself: under the next shape if it is new. MemoryError.
    pub fn set_own(self, vm: &Vm, name: Ref<Str>, v: Value) -> R<()> {
        let shape = self.shape(vm);
        if !shape.is_dict {
            if let Some(i) = shape.slot(name) {
                return self.set_slot(vm, i, Some(v));
            }
            if let Some(next) = vm.shapes.with_attr(shape, name) {
                let i = next.names.len() - 1;
                self.set_slot(vm, i, Some(v))?;
                self.header().shape.set(next.id);
                shape.ty.get().note_slots(vm, next.names.len());
                return Ok(());
            }
        }
        self.to_dict(vm)?.set_str(vm, name, v)
    }

    /// Deletes an attribute of the instance itself; false if there is none. MemoryError.
    pub fn delete_own(self, vm: &Vm, name: Ref<Str>) -> R<bool> {
        if self.get_own(vm, name)?.is_none() {
            return Ok(false);
        }
        let shape = self.shape(vm);
        if !shape.is_dict
            && let Some(i) = shape.slot(name)
            && let Some(next) = vm.shapes.without_attr(shape, name)
        {
            for i in i + 1..shape.names.len() {
                self.set_slot(vm, i - 1, self.slot(i))?;
            }
            self.set_slot(vm, shape.names.len() - 1, None)?;
            self.header().shape.set(next.id);
            return Ok(true);
        }
        let dict = self.to_dict(vm)?;
        dict.delete_str(vm, name)
    }

    /// Goes over to a dictionary shape, so that `__dict__` can be handed out. MemoryError.
    pub fn to_dict(self, vm: &Vm) -> R<Ref<Dict>> {
        let shape = self.shape(vm);
        if shape.is_dict
            && let Some(dict) = self.dict()
        {
            return Ok(dict);
        }
        let dict = Dict::new(vm)?;
        let ty = shape.ty.get();
        if !shape.is_dict {
            for (i, &name) in shape.names.iter().enumerate().skip(ty.slot_count()) {
                if let Some(v) = self.slot(i) {
                    dict.set_str(vm, name, v)?;
                }
            }
        }
        // `__slots__` stay inline: a type with slots has an inline capacity for all of them.
        self.header().shape.set(ty.dict_shape(vm).id);
        self.overflow.set(vm, self, dict.value());
        for slot in self.inline_slots().iter().skip(ty.slot_count()) {
            slot.init(None);
        }
        Ok(dict)
    }

    /// Makes `dict` the attribute dictionary (`obj.__dict__ = dict`).
    pub fn set_dict(self, vm: &Vm, dict: Ref<Dict>) -> R<()> {
        self.to_dict(vm)?;
        self.overflow.set(vm, self, dict.value());
        Ok(())
    }
}
