//! The eight bytes in front of every object of the heap.
//!
//! ```text
//!  0      4    5     6      8
//!  | shape | gc | kind | bits | payload …
//! ```

use std::cell::Cell;

/// Header of a heap object. The heap itself reads `gc` and `kind` only.
#[repr(C)]
pub struct Header {
    /// Index of the object's shape (type and attribute layout) in the isolate's shape table.
    pub shape: Cell<u32>,
    /// Collector's bits: see [`UNLOGGED`].
    pub gc: Cell<u8>,
    /// Which memory layout the payload has: index into the object model's table.
    pub kind: Cell<u8>,
    /// For the layout's own use.
    pub bits: Cell<u16>,
}

/// Bit of [`Header::gc`]: "old, and not in the remembered set". The write barrier tests it.
pub const UNLOGGED: u8 = 1;

/// Bit of [`Header::gc`]: registered as a weak container.
pub(crate) const WEAK: u8 = 2;

/// Bit of [`Header::gc`], for the user: the object was finalized.
pub const FINALIZED: u8 = 4;

/// Bit of [`Header::gc`]: not an object but unused room inside a run; `shape` is its size in bytes.
pub(crate) const FILLER: u8 = 0x80;

pub const SHAPE_OFFSET: usize = 0;
pub const GC_OFFSET: usize = 4;
pub const KIND_OFFSET: usize = 5;
pub const BITS_OFFSET: usize = 6;

const _: () = {
    assert!(size_of::<Header>() == 8);
    assert!(std::mem::offset_of!(Header, shape) == SHAPE_OFFSET);
    assert!(std::mem::offset_of!(Header, gc) == GC_OFFSET);
    assert!(std::mem::offset_of!(Header, kind) == KIND_OFFSET);
    assert!(std::mem::offset_of!(Header, bits) == BITS_OFFSET);
};
