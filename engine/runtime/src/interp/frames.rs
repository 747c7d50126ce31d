//! Reading frames: their heads, and the walk from the innermost outwards.

use crate::context::RECORD;
use crate::interp::cont::{Cont, ContKind, caller, return_word};
use crate::object::Ref;
use crate::types::code::CodeObject;
use crate::types::frame::FrameObject;
use crate::types::function::Function;
use crate::value::{R, Value};
use crate::vm::Vm;

/// The code of the frame at `base`.
#[inline(always)]
pub fn frame_code(base: *mut Value) -> Ref<CodeObject> {
    // SAFETY: a frame's head has its code.
    unsafe { (*base.sub(3)).cast_unchecked() }
}

/// The function of the frame at `base`.
#[inline(always)]
pub fn frame_function(base: *mut Value) -> Ref<Function> {
    // SAFETY: a frame's head has its function; the result takes its place only when it is left.
    unsafe { (*base.sub(4)).cast_unchecked() }
}

/// A frame of a context's stack.
#[derive(Clone, Copy)]
pub struct WalkedFrame {
    pub base: *mut Value,
    /// Unit of the instruction that runs, or that made the call under way.
    pub unit: u32,
}

impl WalkedFrame {
    pub fn line(&self) -> u32 {
        frame_code(self.base).portable().positions.at(self.unit).line
    }
}

/// Frames from the innermost to the context's bottom.
pub struct Walk {
    pc: *const u32,
    base: *mut Value,
}

impl Walk {
    /// From the frame at `base`, whose present instruction is at `pc`.
    pub fn new(pc: *const u32, base: *mut Value) -> Walk {
        Walk { pc, base }
    }

    /// From the published frame of the running context.
    pub fn running(vm: &Vm) -> Walk {
        Walk::new(vm.frame.pc.get(), vm.frame.base.get())
    }
}

impl Iterator for Walk {
    type Item = WalkedFrame;

    fn next(&mut self) -> Option<WalkedFrame> {
        if self.base.is_null() {
            return None;
        }
        let base = self.base;
        let unit = frame_code(base).unit_of(self.pc);
        // SAFETY: frames of a stack that is walked by its own context, or while it is suspended.
        unsafe {
            let below = caller(base);
            let nested = return_word(base) & RECORD != 0 && Cont::read(base).kind == ContKind::Exit;
            // A nested run keeps the calling instruction itself, else it is the one before.
            self.pc = if nested { below.pc } else { below.pc.wrapping_sub(1) };
            self.base = below.base;
        }
        Some(WalkedFrame { base, unit })
    }
}

/// The frame object for a live frame of the running context, made at the first asking. MemoryError.
pub fn frame_object(vm: &Vm, base: *mut Value) -> R<Ref<FrameObject>> {
    let ctx = vm.context();
    if let Some(f) = ctx.frame_object(base).and_then(|v| v.cast()) {
        return Ok(f);
    }
    let f = FrameObject::new(vm, frame_function(base), frame_code(base), base)?;
    let inner: Vec<*mut Value> = Walk::running(vm).map(|f| f.base).take_while(|&b| b != base).collect();
    ctx.add_frame_object(base, f.value(), |b| inner.contains(&b));
    // SAFETY: a frame's head; the tag makes its return look at the side list.
    unsafe {
        let word = base.sub(2).cast::<usize>();
        *word |= crate::context::SIDE;
    }
    Ok(f)
}
