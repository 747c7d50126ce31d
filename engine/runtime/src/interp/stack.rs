//! Room for frames on the running context's stack, the recursion limit, and the side list.

use crate::context::{FRAME_WORDS, MERGED_CHUNK, RECORD_WORDS, SIDE, Side, SideEntry};
use crate::interp::cont::caller;
use crate::interp::frames::frame_code;
use crate::types::frame::FrameObject;
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
                if let Some(f) = object.cast::<FrameObject>() {
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

/// A frame and where it is to be, in words from the beginning of its chunk.
struct Moving {
    from: *mut Value,
    to: usize,
    begins_chunk: bool,
}

/// Moves all frames of the running context into one chunk. It is about to go on behind a soft switch: so no native looks at its
/// registers, and nothing but their heads, the context and frame objects name the frames.
#[cold]
pub fn merge_chunks(vm: &Vm) {
    const HEAD: usize = RECORD_WORDS + FRAME_WORDS;
    let ctx = vm.context();
    debug_assert!(ctx.native_calls() == 0);
    let mut frames: Vec<Moving> = Vec::new();
    let mut base = ctx.base.get();
    // More frames than the chunk has words for their heads do not fit it.
    while !base.is_null() && frames.len() <= MERGED_CHUNK / FRAME_WORDS {
        frames.push(Moving { from: base, to: 0, begins_chunk: ctx.begins_chunk(base) });
        // SAFETY: a frame of this context.
        base = unsafe { caller(base) }.base;
    }
    frames.reverse();
    let words = |base: *mut Value| frame_code(base).exec().frame_bytes as usize / size_of::<Value>();
    let mut used = HEAD;
    let mut below = std::ptr::null_mut::<Value>();
    for f in &mut frames {
        f.to = match below.is_null() {
            true => HEAD,
            false if f.begins_chunk => used + HEAD,
            // SAFETY: both are in one chunk.
            false => used - words(below) + unsafe { f.from.offset_from(below) } as usize,
        };
        used = f.to + words(f.from);
        below = f.from;
    }
    let Some(size) = ctx.merged_size(&vm.chunks, if base.is_null() { used } else { MERGED_CHUNK }) else {
        return;
    };
    if frames.is_empty() || !vm.heap.external_fits(vm.chunks.bytes()) {
        return;
    }
    let mut place = std::ptr::null_mut::<Value>();
    let to = |place: *mut Value, from: *mut Value| {
        frames.iter().find(|f| f.from == from).map_or(from, |f| place.wrapping_add(f.to))
    };
    let filled = ctx.replace_chunks(&vm.chunks, size, |start| {
        place = start;
        let mut i = 0;
        while i < frames.len() {
            // Those of one chunk, with the words between them.
            let next = (i + 1..frames.len()).find(|&j| frames[j].begins_chunk).unwrap_or(frames.len());
            let (first, last) = (&frames[i], &frames[next - 1]);
            let count = last.to + words(last.from) + HEAD - first.to;
            // SAFETY: a record and a head precede what is at the beginning of a chunk; the new chunk has `size` words and
            // is not among the old ones.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    first.from.sub(HEAD).cast::<u64>(),
                    start.add(first.to - HEAD).cast(),
                    count,
                );
            }
            i = next;
        }
        for pair in frames.windows(2) {
            // SAFETY: the head of a frame that was just put there.
            unsafe { *start.add(pair[1].to).sub(1).cast::<*mut Value>() = start.add(pair[0].to) };
        }
    });
    if filled.is_err() {
        return;
    }
    ctx.move_side(
        |from| to(place, from),
        |object, base| {
            if let Some(f) = object.cast::<FrameObject>() {
                f.set_base(base);
            }
        },
    );
    for f in frames.iter().filter(|f| f.begins_chunk) {
        let base = place.wrapping_add(f.to);
        if ctx.frame_object(base).is_none() {
            // SAFETY: the head of a frame; it has no entries any more.
            unsafe { *base.sub(2).cast::<usize>() &= !SIDE };
        }
    }
    let base = to(place, ctx.base.get());
    ctx.base.set(base);
    set_limit(vm, base, depth_of(vm, base));
}
