//! Generators that a loop goes over: the trace goes into their bodies and comes back by their `yield`.
//!
//! A frame is copied from the generator when it is resumed and back when it is suspended. The trace does neither: what
//! the generator holds is state like an iterator's, which goes from round to round in registers and is written where
//! memory is looked at. So it stands for the frame's registers as well.

use super::made::{Made, RECORD_A, RECORD_B};
use super::memory::shape_of;
use super::{Frame, FrameKind, MAX_RECURSION, Recorder, Slot, Step};
use crate::ir::{Class, Id, NewKind, Place, TraceOp, Type};
use skein_bytecode::{Op, flags};
use skein_runtime::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use skein_runtime::interp::{Cont, ContKind};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::code::CodeObject;
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

/// Can a generator of this code be made by a trace? It is not registered as one that has to be closed.
pub(super) fn can_be_made(code: Ref<CodeObject>) -> bool {
    let others = flags::COROUTINE | flags::ASYNC_GENERATOR;
    let liveness = code.liveness();
    code.portable().flags & others == 0 && !liveness.closes() && liveness.suspended() <= MAX_REGISTERS
}

impl Recorder {
    /// A loop's step over a generator, `ForGenerator` or `ForIter`.
    pub(super) fn resume(&mut self, vm: &Vm, op: Op, g: Ref<Generator>) -> Step {
        let at = self.at;
        let (code, place) = (g.code(), g.place());
        let waits = matches!(g.state(), GenState::Suspended | GenState::Created);
        let plain = g.flag(PLAIN) && waits && !g.is_delegating();
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
        // SAFETY: a generator's code is loaded.
        let pc = unsafe { (*code.exec()).entry.add(place.unit as usize) };
        let none = self.value(Value::NONE);
        if g.state() == GenState::Suspended {
            // SAFETY: the instruction before the resume point is a `Yield`.
            let sent = usize::from(unsafe { *pc.sub(1).cast::<u8>().add(1) });
            self.slots.insert(base + sent as i32, dirty(none));
        }
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

    /// The generator that the innermost frame is of, if the trace has resumed it for a loop.
    fn resumed(&self, vm: &Vm, frame: Frame) -> Option<(Made, Ref<Generator>)> {
        let FrameKind::Made(made) = frame.kind else { return None };
        // SAFETY: a frame's head precedes its registers.
        let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
        // SAFETY: the record of a frame that the machine has pushed for an instruction.
        let cont = unsafe { Cont::read(self.at.base) };
        let g = cont.a.cast::<Generator>().filter(|g| g.registers().len() <= MAX_REGISTERS)?;
        let plain = made.kind == ContKind::GenFor
            && word == made.return_pc() | RECORD
            && vm.context().handled.get().is_none();
        plain.then_some((made, g))
    }

    /// `MakeGenerator` in a frame that the trace thinks of: the object, which is the call's result.
    pub(super) fn make_generator(&mut self, vm: &Vm) -> Step {
        let (op, frame) = (Op::MakeGenerator, self.frame());
        // Where the result goes, from where on nothing is left, and where the machine goes on.
        let (result, window, return_pc) = match frame.kind {
            FrameKind::Window { return_pc, in_memory: false } => {
                let result = frame.base - FRAME_WORDS as i32;
                (result, result, return_pc)
            }
            FrameKind::Made(made)
                if !made.in_memory && matches!(made.kind, ContKind::Plain | ContKind::Iter) =>
            {
                let caller = self.frames[self.frames.len() - 2].base;
                let result = caller + i32::from(made.dst);
                let window = if made.window { result } else { frame.base - RECORD_B };
                (result, window, made.return_pc())
            }
            _ => return self.help(op),
        };
        let (code, liveness) = (frame.code, frame.code.liveness());
        if !can_be_made(code) {
            return self.help(op);
        }
        let (shape, count) = (vm.types.generator.root_shape_id(), liveness.suspended());
        let size = register(count) as u16;
        let function = self.slot(frame.base - 4);
        let parameters: Vec<Id> =
            (0..code.portable().param_count().min(count)).map(|i| self.reg(i)).collect();
        let parameters: Vec<Id> = parameters.into_iter().map(|id| self.as_word(id)).collect();
        let kind = NewKind { shape, size, kind: Kind::Generator as u8, bits: PLAIN as u8 };
        let g = self.emit(TraceOp::NewObject, &[], kind.imm());
        self.shapes.insert(g, shape);
        let own = self.value(code.value());
        for (id, offset) in [(function, GENERATOR_FUNCTION), (own, GENERATOR_CODE)] {
            self.emit(TraceOp::StoreField, &[g, id], Place::new(Class::Fixed, offset).imm());
            self.parts.insert((g, offset as u32), id);
        }
        let none = self.constant(0, Type::R);
        self.emit(TraceOp::StoreRaw, &[g, none], Place::new(Class::Fixed, GENERATOR_HANDLED).imm());
        let state = GenState::Created as u16;
        let place = skein_runtime::types::generator::Place {
            unit: code.unit_of(self.at.skip(1).pc),
            count: count as u16,
            state,
        };
        let place = self.constant(place.bits(), Type::R);
        self.begin_state(g, GENERATOR_PLACE, place);
        let nothing = self.constant(0, Type::W);
        for i in 0..count {
            let held = parameters.get(i).copied().unwrap_or(nothing);
            self.begin_held(g, register(i), held);
        }
        self.pop_frame(false, return_pc);
        self.forget_from(window);
        self.slots.insert(result, Slot { id: g, dirty: true });
        self.go(return_pc as *const u32);
        Ok(())
    }

    /// `ReturnGen` in a generator that the trace has resumed: its loop is over.
    pub(super) fn return_generator(&mut self, vm: &Vm) -> Step {
        let frame = self.frame();
        let Some((made, g)) = self.resumed(vm, frame) else { return self.help(Op::ReturnGen) };
        if g.is_delegating() || vm.events.any_of(skein_runtime::events::event::STOP_ITERATION) {
            return self.help(Op::ReturnGen);
        }
        if made.in_memory {
            self.guard_return(frame, (made.return_pc() | RECORD) as u64);
        }
        let id = self.slot(frame.base - RECORD_A);
        // It may be known by another name since.
        self.state(id, GENERATOR_PLACE);
        let nothing = self.constant(0, Type::W);
        for i in 0..g.registers().len() {
            self.set_state(id, register(i), nothing);
        }
        let place = skein_runtime::types::generator::Place { state: GenState::Finished as u16, ..g.place() };
        let finished = self.constant(place.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, finished);
        // SAFETY: the word of a record.
        let cont = Cont::unpack([unsafe { Value::from_bits(made.info) }, Value::NONE, Value::NONE]);
        let end = made.return_pc().wrapping_add_signed(4 * cont.jump as isize);
        self.pop_frame(made.in_memory, end);
        self.forget_from(frame.base - RECORD_B);
        self.go(end as *const u32);
        Ok(())
    }

    /// `Yield` in a generator that the trace has resumed.
    pub(super) fn yield_value(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let frame = self.frame();
        let Some((made, g)) = self.resumed(vm, frame) else { return self.help(Op::Yield) };
        let return_word = made.return_pc() | RECORD;
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
        self.pop_frame(made.in_memory, made.return_pc());
        let result = self.base() + i32::from(made.dst);
        self.forget_from(frame.base - RECORD_B);
        self.slots.insert(result, Slot { id: v, dirty: true });
        self.go(made.return_pc() as *const u32);
        Ok(())
    }
}
