//! `bytes` and `bytearray`: the objects.

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::exports::Exports;
use crate::types::instance::Raw;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// An immutable row of bytes; data follow the struct.
#[repr(C)]
pub struct Bytes {
    header: Header,
    hash: Cell<i64>,
    len: Cell<usize>,
    data: [u8; 0],
}

// SAFETY: the length never changes after allocation; no references.
unsafe impl Object for Bytes {
    const KIND: Kind = Kind::Bytes;
    fn size(&self) -> usize {
        size_of::<Bytes>() + self.len.get() + 1
    }
    fn trace(&self, _: &mut Tracer<'_>) {}
}

impl Bytes {
    /// MemoryError.
    pub fn new(vm: &Vm, bytes: &[u8]) -> R<Ref<Bytes>> {
        Bytes::of_type(vm, bytes, vm.types.bytes)
    }

    /// Two rows of bytes, one behind the other. MemoryError.
    pub fn joined(vm: &Vm, first: &[u8], second: &[u8]) -> R<Ref<Bytes>> {
        Bytes::of_parts(vm, first, second, vm.types.bytes)
    }

    /// A new instance of `bytes` or a subclass. MemoryError.
    pub fn of_type(vm: &Vm, bytes: &[u8], ty: Ref<Type>) -> R<Ref<Bytes>> {
        Bytes::of_parts(vm, bytes, &[], ty)
    }

    #[inline(always)]
    fn of_parts(vm: &Vm, first: &[u8], second: &[u8], ty: Ref<Type>) -> R<Ref<Bytes>> {
        let len = first.len() + second.len();
        let size = size_of::<Bytes>() + len + 1;
        let b = if ty == vm.types.bytes {
            vm.alloc::<Bytes>(size, ty.root_shape_id())?
        } else {
            let b = vm.alloc::<Bytes>(size + vm.dict_word_size(ty), vm.instance_shape::<Bytes>(ty)?)?;
            vm.mark_instance(b.header(), ty);
            b
        };
        b.len.set(len);
        // SAFETY: `len` bytes and one for the end follow the struct. The rows are of objects, which do not move, or of a buffer.
        unsafe {
            let data = b.data.as_ptr().cast_mut();
            std::ptr::copy_nonoverlapping(first.as_ptr(), data, first.len());
            std::ptr::copy_nonoverlapping(second.as_ptr(), data.add(first.len()), second.len());
            *data.add(len) = 0;
        }
        Ok(b)
    }

    /// Where the bytes are, as long as the object is. A zero comes behind them.
    pub fn as_c_str(&self) -> *const u8 {
        self.data.as_ptr()
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes follow the struct and never change.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len.get()) }
    }

    pub fn hash(&self, vm: &Vm) -> i64 {
        if self.hash.get() == 0 {
            self.hash.set(crate::types::str::hash_bytes(vm, self.bytes()));
        }
        self.hash.get()
    }
}

/// A growing row of bytes.
#[repr(C)]
pub struct ByteArray {
    header: Header,
    len: Cell<usize>,
    /// The array of bytes, or what keeps the foreign memory.
    data: Field,
    exports: Exports,
    /// Memory that is not the heap's; null: none. It keeps its size.
    foreign: Cell<*mut u8>,
}

// SAFETY: the slot is the only reference.
unsafe impl Object for ByteArray {
    const KIND: Kind = Kind::ByteArray;
    fn size(&self) -> usize {
        size_of::<ByteArray>()
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        self.data.trace(t);
    }
}

impl ByteArray {
    /// MemoryError.
    pub fn new(vm: &Vm, bytes: &[u8]) -> R<Ref<ByteArray>> {
        ByteArray::of_type(vm, vm.types.bytearray, bytes)
    }

    /// One of another type that has this layout. MemoryError.
    pub fn of_type(vm: &Vm, ty: Ref<Type>, bytes: &[u8]) -> R<Ref<ByteArray>> {
        let b = vm.alloc_fixed::<ByteArray>(ty.root_shape_id())?;
        b.replace(vm, bytes)?;
        Ok(b)
    }

    /// One that shows memory which `keeper` keeps. MemoryError.
    ///
    /// # Safety
    /// The memory is there, and so long, until the keeper dies or the array is detached.
    pub unsafe fn of_foreign(vm: &Vm, keeper: Value, start: *mut u8, len: usize) -> R<Ref<ByteArray>> {
        let b = vm.alloc_fixed::<ByteArray>(vm.types.bytearray.root_shape_id())?;
        b.data.set(vm, b, keeper);
        b.foreign.set(start);
        b.len.set(len);
        Ok(b)
    }

    /// Lets go of foreign memory: what views are left find nothing.
    pub fn detach(&self) {
        self.len.set(0);
        self.foreign.set(std::ptr::null_mut());
        self.data.init(None);
    }

    /// The bytes as they are now; not to be kept over anything that may change them.
    pub fn bytes(&self) -> &[u8] {
        match self.as_mut_ptr() {
            // SAFETY: the array, or the foreign memory, is at least `len` long.
            Some(start) => unsafe { std::slice::from_raw_parts(start, self.len.get()) },
            None => &[],
        }
    }

    /// Where the data are, for writing in place.
    pub fn as_mut_ptr(&self) -> Option<*mut u8> {
        match self.data.cast::<Raw>() {
            Some(raw) => Some(raw.data_ptr()),
            None => Some(self.foreign.get()).filter(|start| !start.is_null()),
        }
    }

    fn is_foreign(&self) -> bool {
        !self.foreign.get().is_null()
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }
}

impl Ref<ByteArray> {
    /// BufferError while a view shows it, and of foreign memory.
    #[inline]
    pub fn check_resizable(self, vm: &Vm) -> R<()> {
        if !self.is_foreign() && self.is_resizable(vm) {
            return Ok(());
        }
        Err(vm.buffer_error("Existing exports of data: object cannot be re-sized"))
    }

    /// Makes these its bytes; they may be a part of its own. MemoryError, BufferError.
    pub fn replace(self, vm: &Vm, bytes: &[u8]) -> R<()> {
        if bytes.len() != self.len.get() {
            self.check_resizable(vm)?;
        } else if self.is_foreign() {
            self.update(|all| all.copy_from_slice(bytes));
            return Ok(());
        }
        match self.data.cast::<Raw>() {
            Some(raw) if raw.len() >= bytes.len() => {
                // SAFETY: the array is long enough; `copy` allows overlap.
                unsafe { std::ptr::copy(bytes.as_ptr(), raw.data_ptr(), bytes.len()) };
            }
            _ => {
                let raw = Raw::new(vm, bytes.len() + bytes.len() / 8 + 8)?;
                // SAFETY: a fresh array of that length.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), raw.data_ptr(), bytes.len()) };
                self.data.set(vm, self, raw.value());
            }
        }
        self.len.set(bytes.len());
        Ok(())
    }

    /// Puts bytes, which do not lie in the array itself, in place of those from `start` to `end`. MemoryError,
    /// BufferError.
    pub fn splice(self, vm: &Vm, start: usize, end: usize, bytes: &[u8]) -> R<()> {
        let old = self.len.get();
        let end = end.min(old);
        let start = start.min(end);
        if bytes.len() != end - start {
            self.check_resizable(vm)?;
        } else if self.is_foreign() {
            self.update(|all| all[start..end].copy_from_slice(bytes));
            return Ok(());
        }
        let new = old - (end - start) + bytes.len();
        let raw = match self.data.cast::<Raw>() {
            Some(raw) if raw.len() >= new => {
                // SAFETY: both the old and the new end lie in the array; `copy` allows overlap.
                unsafe {
                    let p = raw.data_ptr();
                    std::ptr::copy(p.add(end), p.add(start + bytes.len()), old - end);
                }
                raw
            }
            _ => {
                let raw = Raw::new(vm, new + new / 8 + 8)?;
                let from = self.bytes();
                // SAFETY: a fresh array that is longer than both parts and what comes between.
                unsafe {
                    let p = raw.data_ptr();
                    std::ptr::copy_nonoverlapping(from.as_ptr(), p, start);
                    let tail = p.add(start + bytes.len());
                    std::ptr::copy_nonoverlapping(from[end..].as_ptr(), tail, old - end);
                }
                self.data.set(vm, self, raw.value());
                raw
            }
        };
        // SAFETY: there is room between the parts.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), raw.data_ptr().add(start), bytes.len()) };
        self.len.set(new);
        Ok(())
    }

    /// Changes the bytes in place.
    pub fn update(self, f: impl FnOnce(&mut [u8])) {
        if let Some(start) = self.as_mut_ptr() {
            // SAFETY: the array is at least `len` long; `f` gets nothing by which it could reach it otherwise.
            f(unsafe { std::slice::from_raw_parts_mut(start, self.len.get()) });
        }
    }

    /// Makes it so long, with zeros where it grows. MemoryError, BufferError.
    pub fn resize(self, vm: &Vm, size: usize) -> R<()> {
        let old = self.len.get();
        if size <= old {
            return self.splice(vm, size, old, &[]);
        }
        self.check_resizable(vm)?;
        if self.data.cast::<Raw>().is_none_or(|raw| raw.len() < size) {
            let Some(room) = size.checked_add(size / 8 + 8) else { return Err(vm.memory_error()) };
            let raw = Raw::new(vm, room)?;
            // SAFETY: a fresh array that is longer than the old bytes.
            unsafe { std::ptr::copy_nonoverlapping(self.bytes().as_ptr(), raw.data_ptr(), old) };
            self.data.set(vm, self, raw.value());
        }
        self.len.set(size);
        self.update(|all| all[old..].fill(0));
        Ok(())
    }

    /// Makes it so many times as long. MemoryError, OverflowError, BufferError.
    pub fn repeat(self, vm: &Vm, n: usize) -> R<()> {
        let old = self.len.get();
        match old.checked_mul(n).filter(|&size| size <= isize::MAX as usize / 2) {
            Some(size) => self.resize(vm, size)?,
            None => return Err(vm.memory_error()),
        }
        self.update(|all| {
            if let Some((first, rest)) = all.split_at_mut_checked(old.max(1)) {
                rest.chunks_mut(first.len()).for_each(|to| to.copy_from_slice(first));
            }
        });
        Ok(())
    }

    /// Appends bytes, which do not lie in the array itself. MemoryError, BufferError.
    pub fn append(self, vm: &Vm, bytes: &[u8]) -> R<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.check_resizable(vm)?;
        let (old, new) = (self.len.get(), self.len.get() + bytes.len());
        let raw = match self.data.cast::<Raw>() {
            Some(raw) if raw.len() >= new => raw,
            _ => {
                let raw = Raw::new(vm, new + new / 8 + 8)?;
                // SAFETY: a fresh array that is longer than the old bytes.
                unsafe { std::ptr::copy_nonoverlapping(self.bytes().as_ptr(), raw.data_ptr(), old) };
                self.data.set(vm, self, raw.value());
                raw
            }
        };
        // SAFETY: the array is at least `new` long.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), raw.data_ptr().add(old), bytes.len()) };
        self.len.set(new);
        Ok(())
    }
}
