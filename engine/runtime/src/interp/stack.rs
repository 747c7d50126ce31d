//! Room for frames on the running context's stack, the recursion limit, and the side list.

use crate::context::{FRAME_WORDS, RECORD_WORDS, SIDE, Side, SideEntry};
use crate::interp::cont::caller;
use crate::interp::frames::frame_code;
use crate::value::{R, Value};
use crate::vm::Vm;

/// A place for a frame behind the frame at `below` (null: at the bottom), and its tag bits.
/// RecursionError, MemoryError.
pub fn make_room(vm: &Vm, below: *mut Value, frame_bytes: usize) -> R<(*mut Value, usize)> {
    let ctx = vm.context();
    let top = if below.is_null() {
        ctx.chunk_start()
    } else {
        // SAFETY: `below` is a frame's base.
        unsafe { below.byte_add(frame_code(below).exec().frame_bytes as usize) }
    };
    const HEAD: usize = RECORD_WORDS + FRAME_WORDS;
    // SAFETY: only compared, unless it is below the limit.
    let base = top.wrapping_add(HEAD);
    if base.wrapping_byte_add(frame_bytes) <= ctx.limit.get() {
        return Ok((base, 0));
    }
    let depth = depth_of(vm, below);
    if depth >= vm.recursion_limit.get() {
        return Err(vm.recursion_error("maximum recursion depth exceeded"));
    }
    if base.wrapping_byte_add(frame_bytes) <= ctx.chunk_end() {
        // Only the address that stands for the recursion limit was met.
        set_limit(vm, base, depth);
        let end = base.wrapping_byte_add(frame_bytes);
        if ctx.limit.get() < end {
            ctx.limit.set(end);
            vm.refresh_limit();
        }
        return Ok((base, 0));
    }
    let fits = vm.heap.external_fits(vm.chunks.bytes());
    if !fits || ctx.grow(&vm.chunks, frame_bytes / 8, depth).is_err() {
        return Err(vm.memory_error());
    }
    let base = ctx.chunk_start().wrapping_add(HEAD);
    set_limit(vm, base, depth);
    let end = base.wrapping_byte_add(frame_bytes);
    if ctx.limit.get() < end {
        ctx.limit.set(end);
    }
    vm.refresh_limit();
    ctx.add_side(SideEntry { base, side: Side::Chunk });
    Ok((base, SIDE))
}

/// Lets the limit stand for both the chunk's end and the recursion limit: a frame takes at least
/// its head's words, so that below this address there cannot be too many.
fn set_limit(vm: &Vm, base: *mut Value, depth: usize) {
    let ctx = vm.context();
    let frames = vm.recursion_limit.get().saturating_sub(depth);
    let soft = base.wrapping_add(frames.saturating_mul(FRAME_WORDS).min(1 << 40));
    ctx.limit.set(soft.min(ctx.chunk_end()));
    vm.refresh_limit();
}

/// After a change of the recursion limit, or for a context that begins to run.
pub fn apply_recursion_limit(vm: &Vm) {
    let base = vm.frame.base.get();
    let from = if base.is_null() { vm.context().chunk_start() } else { vm.stack_top() };
    set_limit(vm, from, depth_of(vm, base));
}

/// Frames on the context's stack up to this one.
pub fn depth_of(vm: &Vm, base: *mut Value) -> usize {
    let ctx = vm.context();
    let (start, end) = (ctx.chunk_start(), ctx.chunk_end());
    let mut n = 0;
    let mut frame = base;
    while !frame.is_null() && (start..end).contains(&frame) {
        n += 1;
        // SAFETY: a frame of this context.
        frame = unsafe { caller(frame) }.base;
    }
    n + ctx.chunk_depth()
}

/// Undoes the side entries of a frame that is left.
pub fn leave_side(vm: &Vm, base: *mut Value) {
    let ctx = vm.context();
    while let Some(side) = ctx.last_side(base) {
        ctx.pop_side();
        match side {
            Side::Frame(object) => {
                if let Some(f) = object.cast::<crate::types::frame::FrameObject>() {
                    let unit = f.code().unit_of(vm.site().parts().0);
                    // Out of memory: the frame object loses its locals, the program goes on.
                    if f.detach(vm, unit).is_err() {
                        vm.pending.take();
                        f.set_base(std::ptr::null_mut());
                    }
                }
            }
            Side::Chunk => {
                let depth = ctx.chunk_depth();
                // SAFETY: the frame's head, read before its chunk is given back.
                let below = unsafe { caller(base) }.base;
                ctx.pop_chunk(&vm.chunks);
                set_limit(vm, below, depth);
            }
        }
    }
}
