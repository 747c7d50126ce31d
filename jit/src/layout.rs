//! Where compiled code finds things in memory.

use skein_heap::{GC_OFFSET, SHAPE_OFFSET};
use skein_runtime::Vm;
use skein_runtime::context::Context;
use skein_runtime::object::Model;
use skein_runtime::types::instance::VALUES_SLOTS;
use skein_runtime::vm::Published;
use std::mem::offset_of;

type Heap = skein_heap::Heap<Model>;

pub const VM_TICKS: i32 = offset_of!(Vm, ticks) as i32;
pub const VM_HEAP_CURSOR: i32 = (offset_of!(Vm, heap) + Heap::CURSOR_OFFSET) as i32;
pub const VM_HEAP_LIMIT: i32 = (offset_of!(Vm, heap) + Heap::LIMIT_OFFSET) as i32;

pub const VM_FRAME_PC: i32 = (offset_of!(Vm, frame) + offset_of!(Published, pc)) as i32;
pub const VM_FRAME_BASE: i32 = (offset_of!(Vm, frame) + offset_of!(Published, base)) as i32;

pub const VM_CTX: i32 = offset_of!(Vm, ctx) as i32;
pub const CONTEXT_HANDLED: i32 = offset_of!(Context, handled) as i32;

pub const HEADER_SHAPE: i32 = SHAPE_OFFSET as i32;
pub const HEADER_GC: i32 = GC_OFFSET as i32;
pub const HEADER_BITS: i32 = skein_heap::BITS_OFFSET as i32;

/// The first slot of an array or tuple.
pub const FIRST_SLOT: i32 = VALUES_SLOTS as i32;

/// Objects begin at multiples of this.
pub const GRANULE: u64 = 16;

/// A fresh object's first eight bytes: see `skein_heap::Header`.
pub const fn header_word(shape: u32, kind: u8, bits: u16) -> u64 {
    let s = shape.to_ne_bytes();
    let b = bits.to_ne_bytes();
    u64::from_ne_bytes([s[0], s[1], s[2], s[3], 0, kind, b[0], b[1]])
}

const _: () = {
    assert!(SHAPE_OFFSET == 0 && GC_OFFSET == 4);
    assert!(skein_heap::KIND_OFFSET == 5 && skein_heap::BITS_OFFSET == 6);
    // Loads and stores of compiled code are of this width.
    assert!(size_of::<usize>() == 8);
};
