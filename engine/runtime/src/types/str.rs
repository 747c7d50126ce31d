//! `str`: immutable text as WTF-8 bytes.
//!
//! ```text
//! Str | header (bits: ASCII, INTERNED) | hash (0: not known) | bytes | chars | data … 0 | marks …
//! Str | header (bits: SHARED, …)        | hash (0: not known) | bytes | chars | buffer              see `growing`
//! ```
//! WTF-8 is UTF-8 that may also hold lone surrogates. A text that is all ASCII is indexed directly; others end with
//! *marks*, the byte offset of each 64th character, so that a position is found by walking over less than 64.

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::growing;
use crate::types::instance::Raw;
use crate::types::typeobj::Type;
use crate::value::R;
use crate::value::Value;
use crate::vm::Vm;
use std::cell::Cell;
use std::hash::Hasher;

/// A Python string.
#[repr(C)]
pub struct Str {
    header: Header,
    hash: Cell<i64>,
    pub(super) len: Cell<usize>,
    pub(super) chars: Cell<usize>,
    data: [u8; 0],
}

/// Byte offsets for compiled code: of the length in bytes, and of the bytes themselves.
pub const STR_LEN: usize = std::mem::offset_of!(Str, len);
pub const STR_DATA: usize = std::mem::offset_of!(Str, data);

/// Characters between two marks.
pub(super) const STRIDE: usize = 64;

/// Marks of a text of this many bytes and characters. Without offsets of 32 bits there are none.
fn mark_count(len: usize, chars: usize) -> usize {
    if len == chars || len > u32::MAX as usize { 0 } else { chars.saturating_sub(1) / STRIDE }
}

/// Bytes of the data with the zero behind it, where marks may stand then.
fn data_bytes(len: usize) -> usize {
    (len + 1).next_multiple_of(8)
}

/// Of the header's bits: all bytes are ASCII.
pub const ASCII: u16 = 1;
/// Of the header's bits: there is no other interned str of the same text.
pub const INTERNED: u16 = 2;
/// The data is in a buffer that other strings show too, whose address stands in its place.
pub const SHARED: u16 = 4;

// SAFETY: the length never changes after allocation; the buffer is the only reference.
unsafe impl Object for Str {
    const KIND: Kind = Kind::Str;
    fn size(&self) -> usize {
        if self.is_shared() {
            return size_of::<Str>() + size_of::<Field>();
        }
        let (len, chars) = (self.len.get(), self.chars.get());
        size_of::<Str>() + data_bytes(len) + (mark_count(len, chars) * size_of::<u32>()).next_multiple_of(8)
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if self.is_shared() {
            self.buffer().trace(tracer);
        }
    }
}

impl Str {
    /// A new string of WTF-8 bytes. MemoryError.
    pub fn new(vm: &Vm, bytes: &[u8]) -> R<Ref<Str>> {
        let chars = if bytes.is_ascii() { bytes.len() } else { count_chars(bytes) };
        Str::build(vm, bytes.len(), chars, |to| to.copy_from_slice(bytes))
    }

    /// A new instance of `str` or a subclass. MemoryError.
    pub fn of_type(vm: &Vm, bytes: &[u8], ty: Ref<Type>) -> R<Ref<Str>> {
        let chars = if bytes.is_ascii() { bytes.len() } else { count_chars(bytes) };
        let s = Str::alloc(vm, bytes.len(), chars, vm.instance_shape::<Str>(ty)?, vm.dict_word_size(ty))?;
        vm.mark_instance(s.header(), ty);
        s.fill(|to| to.copy_from_slice(bytes));
        Ok(s)
    }

    /// A new string of this many bytes and characters, which `fill` writes. MemoryError.
    #[inline]
    pub fn build(vm: &Vm, len: usize, chars: usize, fill: impl FnOnce(&mut [u8])) -> R<Ref<Str>> {
        let s = Str::alloc(vm, len, chars, vm.types.str.root_shape_id(), 0)?;
        s.fill(fill);
        Ok(s)
    }

    #[inline]
    fn alloc(vm: &Vm, len: usize, chars: usize, shape: u32, extra: usize) -> R<Ref<Str>> {
        let marks = (mark_count(len, chars) * size_of::<u32>()).next_multiple_of(8);
        let s = vm.alloc::<Str>(size_of::<Str>() + data_bytes(len) + marks + extra, shape)?;
        s.len.set(len);
        s.chars.set(chars);
        if len == chars {
            s.header.bits.set(s.header.bits.get() | ASCII);
        }
        Ok(s)
    }

    /// A string of this many bytes and characters at the beginning of a buffer. MemoryError.
    pub(super) fn over(vm: &Vm, buffer: Ref<Raw>, len: usize, chars: usize) -> R<Ref<Str>> {
        let s = vm.alloc::<Str>(size_of::<Str>() + size_of::<Field>(), vm.types.str.root_shape_id())?;
        s.len.set(len);
        s.chars.set(chars);
        let ascii = if len == chars { ASCII } else { 0 };
        s.header.bits.set(s.header.bits.get() | SHARED | ascii);
        s.buffer().init(buffer.value());
        Ok(s)
    }

    #[inline(always)]
    pub fn is_shared(&self) -> bool {
        self.header.bits.get() & SHARED != 0
    }

    /// Where a shared string has its buffer, a [`Raw`].
    #[inline]
    pub(super) fn buffer(&self) -> &Field {
        debug_assert!(self.is_shared());
        // SAFETY: `over` has made room for it.
        unsafe { &*self.data.as_ptr().cast() }
    }

    /// Writes the bytes of a fresh string.
    #[inline]
    fn fill(&self, fill: impl FnOnce(&mut [u8])) {
        // SAFETY: `len` bytes follow the struct, and nobody else knows the object yet.
        fill(unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr() as *mut u8, self.len.get()) });
        if !self.marks().is_empty() {
            self.set_marks();
        }
    }

    /// The byte offsets of the characters `STRIDE`, `2 * STRIDE` and so on.
    #[inline]
    fn marks(&self) -> &[Cell<u32>] {
        let len = self.len.get();
        // SAFETY: they follow the data, or that of the whole buffer.
        unsafe {
            let p = match self.is_shared() {
                true => growing::marks(self),
                false => self.data.as_ptr().add(data_bytes(len)).cast(),
            };
            std::slice::from_raw_parts(p, mark_count(len, self.chars.get()))
        }
    }

    fn set_marks(&self) {
        let mut marks = self.marks().iter();
        let mut next = STRIDE;
        let mut chars = 0;
        for (at, b) in self.bytes().iter().enumerate() {
            if b & 0xc0 == 0x80 {
                continue;
            }
            if chars == next {
                match marks.next() {
                    Some(mark) => mark.set(at as u32),
                    None => return,
                }
                next += STRIDE;
            }
            chars += 1;
        }
    }

    /// The WTF-8 bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        let data = if self.is_shared() { growing::data(self) } else { self.data.as_ptr() };
        // SAFETY: `len` bytes are there and never change.
        unsafe { std::slice::from_raw_parts(data, self.len.get()) }
    }

    /// The text as UTF-8, if it holds no lone surrogates.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }

    /// For messages: lone surrogates are shown as U+FFFD.
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// Length in characters: Python's `len`.
    #[inline]
    pub fn char_len(&self) -> usize {
        self.chars.get()
    }

    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.header.bits.get() & ASCII != 0
    }

    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.header.bits.get() & INTERNED != 0
    }

    pub(crate) fn mark_interned(&self) {
        self.header.bits.set(self.header.bits.get() | INTERNED);
    }

    /// Python's hash: SipHash-1-3 keyed by the isolate.
    #[inline]
    pub fn hash(&self, vm: &Vm) -> i64 {
        match self.hash.get() {
            0 => {
                let h = hash_bytes(vm, self.bytes());
                self.hash.set(h);
                h
            }
            h => h,
        }
    }

    /// Byte offset of the character at `index`, which is at most the length.
    #[inline]
    pub fn byte_offset(&self, index: usize) -> usize {
        if self.is_ascii() { index } else { self.byte_offset_by_marks(index) }
    }

    fn byte_offset_by_marks(&self, index: usize) -> usize {
        let bytes = self.bytes();
        if index >= self.char_len() {
            return bytes.len();
        }
        let passed = (index / STRIDE).min(self.marks().len());
        let mut at = passed.checked_sub(1).map_or(0, |i| self.marks()[i].get() as usize);
        for _ in passed * STRIDE..index {
            at += char_width(bytes[at]);
        }
        at
    }

    /// Index of the character that begins at this byte offset; the length for the end.
    pub fn char_index(&self, offset: usize) -> usize {
        if self.is_ascii() {
            return offset;
        }
        let passed = self.marks().partition_point(|mark| mark.get() as usize <= offset);
        let from = passed.checked_sub(1).map_or(0, |i| self.marks()[i].get() as usize);
        passed * STRIDE + count_chars(&self.bytes()[from..offset])
    }

    /// The characters' code points, lone surrogates included.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        code_points(self.bytes())
    }
}

/// Bytes of the WTF-8 character that begins with this byte.
#[inline]
pub fn char_width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// Characters of WTF-8 bytes.
pub fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

/// Code points of WTF-8 bytes.
pub fn code_points(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let b = *bytes.get(at)?;
        let width = char_width(b);
        let first = if width == 1 { u32::from(b) } else { u32::from(b) & (0x7f >> width) };
        let rest = bytes.get(at + 1..at + width).unwrap_or(&[]);
        at += width;
        Some(rest.iter().fold(first, |c, &b| c << 6 | u32::from(b & 0x3f)))
    })
}

/// Appends a code point, which may be a surrogate, as WTF-8.
pub fn push_code_point(out: &mut Vec<u8>, c: u32) {
    match char::from_u32(c) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (c >> 12) as u8,
            0x80 | (c >> 6 & 0x3f) as u8,
            0x80 | (c & 0x3f) as u8,
        ]),
    }
}

/// Hash of the bytes of a str or bytes object; never 0 (not yet known) and never -1 (C API's error).
pub fn hash_bytes(vm: &Vm, bytes: &[u8]) -> i64 {
    if bytes.is_empty() {
        return EMPTY_HASH;
    }
    let (k0, k1) = vm.hash_key;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(k0, k1);
    hasher.write(bytes);
    match hasher.finish() as i64 {
        0 => 1,
        -1 => -2,
        h => h,
    }
}

/// The hash of empty text, as CPython has it; objects that keep hashes take it for "not known", which costs nothing.
const EMPTY_HASH: i64 = 0;

impl Ref<Str> {
    /// Same text? (Not Python's `==`, which subclasses may define.)
    #[inline]
    pub fn same(self, other: Ref<Str>) -> bool {
        self == other || (!(self.is_interned() && other.is_interned()) && self.bytes() == other.bytes())
    }
}

/// How many characters have a str for ever.
const LATIN1: u32 = 256;

impl Vm {
    /// `chr(c)`; c is in range.
    pub fn char_str(&self, c: u32) -> R<Value> {
        if c < LATIN1 {
            if let Some(&v) = self.latin1.borrow().get(c as usize) {
                return Ok(v);
            }
            self.fill_latin1()?;
            return Ok(self.latin1.borrow()[c as usize]);
        }
        let mut bytes = Vec::new();
        push_code_point(&mut bytes, c);
        Ok(Str::new(self, &bytes)?.value())
    }

    fn fill_latin1(&self) -> R<()> {
        for c in 0..LATIN1 {
            let mut bytes = Vec::new();
            push_code_point(&mut bytes, c);
            let s = self.intern_bytes(&bytes)?;
            // The interned string lives as long as the isolate.
            let mut table = self.latin1.borrow_mut();
            if table.len() == c as usize {
                table.push(s.value());
            }
        }
        Ok(())
    }

    /// The characters below 256, a word each: they stay where they are. None: nobody has asked for one yet.
    pub fn char_table(&self) -> Option<*const Value> {
        let table = self.latin1.borrow();
        (table.len() == LATIN1 as usize).then(|| table.as_ptr())
    }
}
