//! Instructions that are left to their helpers: before one, memory is brought up to date; behind it, what it may have
//! written is read anew.

use super::made::{self, Made};
use super::{Abort, End, Expect, Frame, FrameKind, Recorder, Step};
use crate::ir::{Call, Exit, ExitId, ExitKind, Inst, Source, Target, TraceOp, Type};
use skein_bytecode::{Handler, Inst as Code, Op};
use skein_runtime::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use skein_runtime::interp::{At, call_through, enter_called, frame_code, helpers};
use skein_runtime::object::Ref;
use skein_runtime::types::function::Function;
use skein_runtime::value::Value;

/// The instruction at an address.
pub fn decode(pc: *const u32) -> Option<Code> {
    // SAFETY: an instruction of a loaded code, whose units are in place; the second is there if the op has one.
    let units = unsafe {
        let op = Op::from_u8(*pc.cast::<u8>())?;
        std::slice::from_raw_parts(pc, op.units())
    };
    Code::decode(units, 0).ok()
}

impl Recorder {
    /// Leaves the instruction to its helper.
    pub(super) fn help(&mut self, op: Op) -> Step {
        let Some(helper) = helpers::find(op) else { return Err(Abort::Unknown) };
        // Before the instruction, whatever of the state is in memory already.
        let exit = self.exit();
        self.sync();
        let (call, elsewhere) = self.helper_call(helper, self.at.pc, self.base(), exit);
        self.expect = Expect::Help(call, elsewhere);
        Ok(())
    }

    /// Leaves the call of a function, and all that it does, to the trace that it has of its own.
    pub(super) fn call_through(&mut self) -> Step {
        let exit = self.exit();
        self.sync();
        let (call, elsewhere) = self.helper_call(call_through, self.at.pc, self.base(), exit);
        self.expect = Expect::Returned(call, elsewhere);
        Ok(())
    }

    /// As [`Recorder::call_through`], for a frame that the trace itself puts into memory: it has been pushed, and is
    /// taken off again. `exit` is that before the instruction.
    pub(super) fn enter_called(&mut self, f: Ref<Function>, exit: ExitId) -> Step {
        let call_at = self.at;
        let base = self.base();
        // SAFETY: a function's code is loaded.
        let (entry, before) = unsafe { ((*f.exec()).entry(), (*f.exec()).before_entry()) };
        self.at = At { pc: entry, base: self.address(base) };
        self.sync();
        self.at = call_at;
        self.frames.pop();
        self.frames_changed();
        let (call, elsewhere) = self.helper_call(enter_called, before, base, exit);
        self.expect = Expect::Returned(call, elsewhere);
        Ok(())
    }

    /// The call of a helper for what is at that place, and the exit for when it goes on elsewhere than expected.
    fn helper_call(
        &mut self,
        helper: helpers::Helper,
        pc: *const u32,
        base: i32,
        exit: ExitId,
    ) -> (u32, ExitId) {
        let call = Call { callee: helper as usize, pc: pc as usize, base, next_pc: 0, next_base: 0 };
        self.tree.calls.push(call);
        let index = self.tree.calls.len() as u32 - 1;
        let elsewhere = self.elsewhere();
        self.push(Inst {
            op: TraceOp::Help,
            ty: Type::No,
            args: [None; 3],
            imm: u64::from(index),
            exit: Some(exit),
        });
        (index, elsewhere)
    }

    /// The exit that is taken behind the helper of the instruction if it goes on elsewhere.
    pub(super) fn elsewhere(&mut self) -> ExitId {
        let frames = self.frames_number();
        let (pc, base) = (self.at.pc as usize, self.base());
        self.tree.add_exit(Exit {
            kind: ExitKind::Elsewhere,
            pc,
            base,
            writes: Vec::new(),
            frames,
            bridge: None,
        })
    }

    /// Where the machine goes on must be where it does now.
    pub(super) fn guard_next(&mut self, call: u32, elsewhere: ExitId) {
        self.push(Inst {
            op: TraceOp::GuardNext,
            ty: Type::No,
            args: [None; 3],
            imm: u64::from(call),
            exit: Some(elsewhere),
        });
        let address = std::ptr::from_ref(&*self.valid) as u64;
        let valid = self.emit(TraceOp::LoadCell, &[], address);
        self.emit(TraceOp::GuardRaw, &[valid], 1);
    }

    /// The innermost frame is left, and the machine goes on in its caller. One that is in memory may have been published: no
    /// collection is to look there any more, once other registers lie in its place.
    pub(super) fn pop_frame(&mut self, in_memory: bool, return_pc: usize) {
        self.frames.pop();
        self.frames_changed();
        if in_memory {
            let base = self.base();
            self.tree.calls.push(Call { callee: 0, pc: return_pc, base, next_pc: 0, next_base: 0 });
            self.emit(TraceOp::Publish, &[], self.tree.calls.len() as u64 - 1);
        }
    }

    /// Brings memory up to date.
    fn sync(&mut self) {
        // Numbers may need objects. These are made before the first word is written, since what is behind the published
        // frame is seen by no collection.
        let mut words = Vec::new();
        for (target, source) in self.writes() {
            let id = match source {
                Source::Value(id) => self.as_word(id),
                Source::Word(word) => self.constant(word, Type::R),
                Source::Base(off) => self.emit(TraceOp::BaseAddress, &[], off as i64 as u64),
                Source::Virtual(_) => unreachable!("only optimized trees have them"),
            };
            words.push((target, id));
        }
        for (target, id) in words {
            match target {
                Target::Reg(off) => {
                    self.emit(TraceOp::StoreReg, &[id], off as i64 as u64);
                    if let Some(slot) = self.slots.get_mut(off) {
                        slot.dirty = false;
                    }
                }
                Target::Field(object, off) => self.store_state(object, off, id),
            }
        }
        // What is dirty still matters to nobody.
        self.slots.retain(|slot| !slot.dirty);
        self.fields.clear();
        for frame in &mut self.frames {
            if let FrameKind::Window { in_memory, .. } | FrameKind::Made(Made { in_memory, .. }) =
                &mut frame.kind
            {
                *in_memory = true;
            }
        }
        self.frames_changed();
        self.shapes.clear();
        self.moved_on = true;
    }

    fn invalidate(&mut self, off: i32) {
        self.slots.remove(off);
        self.outer_changed(off);
        self.clobbered.insert(off);
    }

    fn invalidate_from(&mut self, off: i32) {
        self.forget_from(off);
        self.clobbered_from = self.clobbered_from.min(off);
    }

    /// The registers of a frame that an instruction in it writes are to be read anew.
    fn invalidate_writes(&mut self, base: i32, inst: &Code) {
        inst.writes(|row| {
            for i in row.first..row.end() {
                self.invalidate(base + i as i32);
            }
        });
        if let Some(w) = inst.clobbers_from() {
            self.invalidate_from(base + w as i32);
        }
    }

    /// The helper has done its work, and the machine goes on at `at`.
    pub(super) fn after_help(&mut self, at: At, call: u32) -> Step {
        let from = self.at;
        let inst = decode(from.pc).ok_or(Abort::Unknown)?;
        let base = self.base();
        let (pushed, popped) = (self.offset_of(at.base)? > base, self.offset_of(at.base)? < base);
        let behind = goes_on(from.pc as usize, &inst, at.pc as usize);
        if inst.op == Op::JumpBackTraced {
            // Another trace has run on the frame, wherever it was left.
            self.invalidate_from(base);
        }
        // A handler may stand right behind what raises.
        let raised = popped || !behind || inst.op.is_terminator();
        if let Some((frame, handler)) = self.handler_frame(at).filter(|_| !pushed && raised) {
            self.handled(frame, handler, &inst);
        } else if pushed {
            self.entered(at, from, &inst)?;
        } else if popped {
            self.returned(at)?;
        } else {
            match inst.op {
                _ if behind => self.invalidate_writes(base, &inst),
                Op::JumpBackTraced => {}
                Op::ReturnGen => self.replaced(at)?,
                _ => return Err(Abort::Raised),
            }
        }
        let next_base = self.base();
        let call = &mut self.tree.calls[call as usize];
        (call.next_pc, call.next_base) = (at.pc as usize, next_base);
        Ok(())
    }

    /// A helper has pushed a frame, or a trace that it entered several.
    fn entered(&mut self, at: At, from: At, inst: &Code) -> Step {
        let mut pushed = Vec::new();
        let mut base = at.base;
        while base != from.base {
            let off = self.offset_of(base)?;
            if off <= self.base() || pushed.len() > 8 {
                return Err(Abort::Surprised);
            }
            // SAFETY: a frame's head precedes its registers.
            let (word, below) = unsafe { (*base.sub(2).cast::<usize>(), *base.sub(1).cast::<*mut Value>()) };
            let kind = match word & 3 {
                0 => FrameKind::Window { return_pc: word & !3, in_memory: true },
                RECORD if below == from.base => FrameKind::Machine { pushed_by: from.pc as usize },
                // A new chunk, or an instruction that is not known.
                _ => return Err(Abort::FarFrame),
            };
            pushed.push(Frame { base: off, code: frame_code(base), kind });
            base = below;
        }
        if let Some(w) = inst.clobbers_from() {
            self.invalidate_from(self.base() + w as i32);
        }
        for frame in pushed.into_iter().rev() {
            let record = if let FrameKind::Machine { .. } = frame.kind { RECORD_WORDS } else { 0 };
            self.invalidate_from(frame.base - (FRAME_WORDS + record) as i32);
            self.push_frame(frame)?;
        }
        Ok(())
    }

    /// A generator has ended, and the one that delegated to it has taken its place.
    fn replaced(&mut self, at: At) -> Step {
        let Some(Frame { base, kind: kind @ FrameKind::Machine { .. }, .. }) = self.frames.pop() else {
            return Err(Abort::Raised);
        };
        self.frames_changed();
        self.invalidate_from(base - (FRAME_WORDS + RECORD_WORDS) as i32);
        self.push_frame(Frame { base, code: frame_code(at.base), kind })
    }

    /// The frame that the machine is in, by number, and the handler in it that begins where the machine is.
    pub(super) fn handler_frame(&self, at: At) -> Option<(usize, Handler)> {
        let off = self.offset_of(at.base).ok()?;
        let frame = self.frames.iter().rposition(|f| f.base == off)?;
        let code = self.frames[frame].code;
        let unit = code.unit_of(at.pc);
        code.portable().handlers.iter().find(|h| h.target == unit).map(|h| (frame, *h))
    }

    /// The helper of the instruction has raised an exception, which is handled in this frame of the trace.
    fn handled(&mut self, frame: usize, handler: Handler, inst: &Code) {
        // What calls leave undone in the frames is nothing; memory has the rest.
        if let Some(left) = self.frames.get(frame + 1).copied() {
            let head = match left.kind {
                FrameKind::Window { .. } => left.base - FRAME_WORDS as i32,
                _ => left.base - (FRAME_WORDS + RECORD_WORDS) as i32,
            };
            self.invalidate_from(head);
            let call = match left.kind {
                FrameKind::Made(made) => Some(made.call_pc),
                FrameKind::Machine { pushed_by } => Some(pushed_by),
                FrameKind::Window { .. } | FrameKind::Root => None,
            };
            if let Some(inst) = call.and_then(|pc| decode(pc as *const u32)) {
                self.invalidate_writes(self.frames[frame].base, &inst);
            }
            self.frames.truncate(frame + 1);
            self.frames_changed();
        } else {
            self.invalidate_writes(self.base(), inst);
        }
        self.invalidate(self.base() + i32::from(handler.reg));
    }

    /// A helper has left the innermost frame, and maybe more.
    fn returned(&mut self, at: At) -> Step {
        let to = self.offset_of(at.base)?;
        let mut left = None;
        while self.base() > to {
            if self.frames.len() == 1 {
                return Err(Abort::Returned);
            }
            left = self.frames.pop();
        }
        let Some(left) = left.filter(|_| self.base() == to) else { return Err(Abort::Returned) };
        self.frames_changed();
        let window = match left.kind {
            FrameKind::Made(made) if made.window => to + i32::from(made.dst),
            FrameKind::Made(_) => left.base - made::RECORD_B,
            _ => left.base - FRAME_WORDS as i32,
        };
        self.invalidate_from(window);
        let return_pc = match left.kind {
            FrameKind::Window { return_pc, .. } => return_pc,
            FrameKind::Made(made) => {
                self.invalidate(to + i32::from(made.dst));
                // A generator that ends is the end of its loop; a truth value may be jumped by.
                let inst = decode(made.call_pc as *const u32).ok_or(Abort::Unknown)?;
                let goes_on = goes_on(made.call_pc, &inst, at.pc as usize);
                if goes_on { at.pc as usize } else { made.return_pc() }
            }
            FrameKind::Machine { .. } | FrameKind::Root => 0,
        };
        if let FrameKind::Machine { pushed_by } = left.kind {
            let inst = decode(pushed_by as *const u32).ok_or(Abort::Unknown)?;
            if !goes_on(pushed_by, &inst, at.pc as usize) {
                return Err(Abort::Raised);
            }
            self.invalidate_writes(to, &inst);
        } else if at.pc as usize != return_pc {
            return Err(Abort::Raised);
        }
        Ok(())
    }

    /// The recording is over because a run of the loop ends here.
    pub(super) fn exited(&mut self) -> Step {
        self.end = Some(End::Abort(Abort::Exited));
        Ok(())
    }
}

/// Is this where the instruction goes on if nothing is raised?
fn goes_on(pc: usize, inst: &Code, next: usize) -> bool {
    let behind = pc + 4 * inst.op.units();
    // Or it is to be tried again, now that its cache is set.
    next == behind || next == pc || inst.target().is_some_and(|t| next as i64 == pc as i64 + 4 * t)
}
