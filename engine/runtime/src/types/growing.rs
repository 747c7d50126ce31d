//! Text that grows at its end: `s += t` in a loop.
//!
//! A string never changes, and nobody counts who else knows it, so that each `s + t` would have to copy `s`. Strings that
//! are made one from the other share a buffer instead: each shows its beginning, and what is appended to the one that shows
//! all of it is written behind that.
//!
//! ```text
//! Raw | bytes used | capacity in bytes | text … | marks …
//! ```
//! **Invariant:** bytes in use never change, nor does a buffer ever move: more room is another buffer.

use crate::object::Ref;
use crate::types::instance::Raw;
use crate::types::str::{STRIDE, Str};
use crate::value::R;
use crate::vm::Vm;
use std::cell::Cell;

/// Texts of fewer bytes are copied.
const SHARED_FROM: usize = 256;
/// Marks have 32 bits.
const MOST: usize = u32::MAX as usize;
/// Bytes before the text.
const HEAD: usize = 16;

/// The buffer of a shared string.
#[inline]
fn buffer(s: &Str) -> Ref<Raw> {
    // SAFETY: `Str::over` has put a buffer there.
    unsafe { s.buffer().value().cast_unchecked() }
}

/// The text of a shared string.
#[inline]
pub(super) fn data(s: &Str) -> *const u8 {
    text(buffer(s))
}

/// The marks of a shared string that is not all ASCII.
pub(super) fn marks(s: &Str) -> *const Cell<u32> {
    all_marks(buffer(s))
}

fn text(buffer: Ref<Raw>) -> *mut u8 {
    buffer.data_ptr().wrapping_add(HEAD)
}

/// Bytes in use, and how many there may be.
fn head(buffer: Ref<Raw>) -> &'static [Cell<usize>; 2] {
    // SAFETY: each buffer begins with them; the collector keeps it while somebody asks.
    unsafe { &*buffer.data_ptr().cast() }
}

fn all_marks(buffer: Ref<Raw>) -> *const Cell<u32> {
    text(buffer).wrapping_add(head(buffer)[1].get()).cast()
}

/// `a + b`. MemoryError.
pub fn concatenated(vm: &Vm, a: Ref<Str>, b: Ref<Str>) -> R<Ref<Str>> {
    let (x, y) = (a.bytes(), b.bytes());
    let (len, chars) = (x.len() + y.len(), a.char_len() + b.char_len());
    // Whether the text goes on to grow is not known when the first is appended to it.
    let grows = x.len() >= SHARED_FROM && (a.is_shared() || vm.last_sum.get() == a.value().bits());
    if grows && y.len() <= x.len() && len < MOST / 2 {
        let s = appended(vm, a, b, len, chars)?;
        vm.last_sum.set(s.value().bits());
        return Ok(s);
    }
    let s = Str::build(vm, len, chars, |to| {
        let (left, right) = to.split_at_mut(x.len());
        left.copy_from_slice(x);
        right.copy_from_slice(y);
    })?;
    vm.last_sum.set(s.value().bits());
    Ok(s)
}

/// A string of this many bytes and characters, in the first one's buffer if that has room and nothing else behind it.
fn appended(vm: &Vm, a: Ref<Str>, b: Ref<Str>, len: usize, chars: usize) -> R<Ref<Str>> {
    let used = a.bytes().len();
    let own = a.is_shared().then(|| buffer(&a)).filter(|buffer| {
        let [in_use, capacity] = head(*buffer);
        in_use.get() == used && len <= capacity.get()
    });
    let to = match own {
        Some(buffer) => buffer,
        None => copied(vm, a, len)?,
    };
    let s = Str::over(vm, to, len, chars)?;
    // SAFETY: there is room for `len` bytes, of which no string shows those behind `used`.
    unsafe { std::ptr::copy_nonoverlapping(b.bytes().as_ptr(), text(to).add(used), len - used) };
    head(to)[0].set(len);
    if chars < len {
        // Those before are there unless the text has been all ASCII.
        let from = if a.is_ascii() { 0 } else { used };
        set_marks(&s, from, if from == 0 { 0 } else { a.char_len() });
    }
    Ok(s)
}

/// A buffer with a string's text, in which twice `len` bytes have room. MemoryError.
fn copied(vm: &Vm, a: Ref<Str>, len: usize) -> R<Ref<Raw>> {
    let capacity = (2 * len).next_multiple_of(STRIDE);
    let buffer = Raw::new(vm, HEAD + capacity + capacity / STRIDE * size_of::<u32>())?;
    head(buffer)[1].set(capacity);
    let bytes = a.bytes();
    // SAFETY: it has more room than that.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), text(buffer), bytes.len()) };
    if !a.is_ascii() {
        write_marks(buffer, bytes, 0, 0);
    }
    Ok(buffer)
}

/// Sets the marks of the characters from one on, which is at `from`.
fn set_marks(s: &Str, from: usize, char: usize) {
    write_marks(buffer(s), s.bytes(), from, char);
}

fn write_marks(buffer: Ref<Raw>, bytes: &[u8], from: usize, char: usize) {
    let mut char = char;
    for (at, b) in bytes.iter().enumerate().skip(from) {
        if b & 0xc0 == 0x80 {
            continue;
        }
        if char.is_multiple_of(STRIDE) && char > 0 {
            // SAFETY: there is room for a mark for each `STRIDE` bytes of the capacity.
            unsafe { (*all_marks(buffer).add(char / STRIDE - 1)).set(at as u32) };
        }
        char += 1;
    }
}
