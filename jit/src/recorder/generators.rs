//! Generators that a loop goes over: the trace goes into their bodies and comes back by their `yield`.
//!
//! A frame is copied from the generator when it is resumed and back when it is suspended. The trace does neither: what
//! the generator holds is state like an iterator's, which goes from round to round in registers and is written where
//! memory is looked at. So it stands for the frame's registers as well.

use super::made::{Made, RECORD_A, RECORD_B};
use super::memory::shape_of;
use super::{Frame, FrameKind, MAX_RECURSION, Recorder, Slot, Step};
use crate::ir::{Class, Id, Place, TraceOp, Type};
use skein_bytecode::Op;
use skein_runtime::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use skein_runtime::interp::{Cont, ContKind};
use skein_runtime::object::Ref;
use skein_runtime::types::generator::{
    GENERATOR_CODE, GENERATOR_FUNCTION, GENERATOR_HANDLED, GENERATOR_PLACE, GENERATOR_REGISTERS, GenState,
    Generator, ON_STACK, PLAIN,
};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// Registers of a generator that the trace knows by heart.
const MAX_REGISTERS: usize = 40;

fn register(i: usize) -> usize {
    GENERATOR_REGISTERS + 8 * i
}

impl Recorder {
    /// A loop's step over a generator, `ForGenerator` or `ForIter`.
    pub(super) fn resume(&mut self, vm: &Vm, op: Op, g: Ref<Generator>) -> Step {
        let at = self.at;
        let (code, place) = (g.code(), g.place());
        let plain = g.flag(PLAIN) && g.state() == GenState::Suspended && !g.is_delegating();
        let handling = g.handled.get().is_some() || vm.context().handled.get().is_some();
        let recursive = self.frames.iter().filter(|f| f.code == code).count() > MAX_RECURSION;
        let Some(shape) = shape_of(g.value()).filter(|_| plain && !handling && !recursive) else {
            return self.help(op);
        };
        if g.registers().len() > MAX_REGISTERS {
            return self.help(op);
        }
        // All that leaves the trace does it before the instruction.
        self.exit();
        let id = self.reg(at.b());
        let id = self.iterator(id, shape);
        let now = self.state(id, GENERATOR_PLACE);
        self.emit(TraceOp::GuardRaw, &[now], place.bits());
        let own = self.part(id, GENERATOR_CODE);
        self.guard_is(own, code.value());
        let function = self.part(id, GENERATOR_FUNCTION);
        let handled = self.emit(TraceOp::LoadHandled, &[], 0);
        self.emit(TraceOp::GuardRaw, &[handled], 0);
        // What it handles changes only where it is suspended, which the place tells.
        let handled = self.emit(TraceOp::LoadRaw, &[id], Place::new(Class::Fixed, GENERATOR_HANDLED).imm());
        self.emit(TraceOp::GuardRaw, &[handled], 0);

        let caller = self.frame();
        let top = caller.base + i32::from(caller.code.portable().nregs);
        let base = top + (RECORD_WORDS + FRAME_WORDS) as i32;
        let liveness = code.liveness();
        let held: Vec<(usize, Id)> = (0..g.registers().len())
            .filter(|i| liveness.held_before(place.unit, *i))
            .map(|i| (i, self.held(id, register(i))))
            .collect();
        self.forget_from(top);
        let dirty = |id| Slot { id, dirty: true };
        for (i, id) in held {
            self.slots.insert(base + i as i32, dirty(id));
        }
        // SAFETY: a generator's code is loaded, and the instruction before the resume point is a `Yield`.
        let (pc, sent) = unsafe {
            let pc = (*code.exec()).entry.add(place.unit as usize);
            (pc, usize::from(*pc.sub(1).cast::<u8>().add(1)))
        };
        let none = self.value(Value::NONE);
        self.slots.insert(base + sent as i32, dirty(none));
        self.slots.insert(base - RECORD_A, dirty(id));
        self.slots.insert(base - RECORD_B, dirty(none));
        self.slots.insert(base - 4, dirty(function));
        let state = GenState::Running as u16 | ON_STACK;
        let running =
            self.constant(skein_runtime::types::generator::Place { state, ..place }.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, running);
        let mut cont = Cont::store(at.a()).kind(ContKind::GenFor);
        cont.jump = at.extra() as i32 - 2;
        let made = Made {
            call_pc: at.pc as usize,
            units: 2,
            kind: ContKind::GenFor,
            info: cont.pack()[0].bits(),
            dst: cont.dst,
            window: false,
            in_memory: false,
        };
        self.push_frame(Frame { base, code, kind: FrameKind::Made(made) })?;
        self.clobbered_from = self.clobbered_from.min(top);
        self.go(pc);
        Ok(())
    }

    /// `Yield` in a generator that the trace has resumed.
    pub(super) fn yield_value(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let frame = self.frame();
        let FrameKind::Made(made) = frame.kind else { return self.help(Op::Yield) };
        // SAFETY: a frame's head precedes its registers.
        let word = unsafe { *at.base.sub(2).cast::<usize>() };
        let return_word = made.return_pc() | RECORD;
        // SAFETY: the record of a generator's frame, which the machine has written.
        let cont = unsafe { Cont::read(at.base) };
        let g = cont.a.cast::<Generator>().filter(|g| g.registers().len() <= MAX_REGISTERS);
        let Some(g) = g.filter(|_| {
            made.kind == ContKind::GenFor && word == return_word && vm.context().handled.get().is_none()
        }) else {
            return self.help(Op::Yield);
        };
        if made.in_memory {
            self.guard_return(frame, return_word as u64);
        }
        let id = self.slot(frame.base - RECORD_A);
        let v = self.reg(at.b());
        let unit = frame.code.unit_of(at.skip(1).pc);
        let liveness = frame.code.liveness();
        // What the object holds is nothing while its frame is on a stack: each word is written.
        let mut words = Vec::new();
        for i in 0..g.registers().len() {
            let word = match liveness.held_before(unit, i) {
                true => {
                    let id = self.reg(i);
                    self.as_word(id)
                }
                false => self.constant(0, Type::W),
            };
            words.push(word);
        }
        // It may be known by another name since.
        let before = self.state(id, GENERATOR_PLACE);
        debug_assert!(self.ty(before) == Type::R);
        for (i, word) in words.into_iter().enumerate() {
            self.set_state(id, register(i), word);
        }
        let place =
            skein_runtime::types::generator::Place { unit, state: GenState::Suspended as u16, ..g.place() };
        let suspended = self.constant(place.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, suspended);
        self.frames.pop();
        self.frame_set = None;
        let result = self.base() + i32::from(made.dst);
        self.forget_from(frame.base - RECORD_B);
        self.slots.insert(result, Slot { id: v, dirty: true });
        self.go(made.return_pc() as *const u32);
        Ok(())
    }
}
