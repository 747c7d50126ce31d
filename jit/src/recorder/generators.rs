//! Generators that a loop goes over, or another one delegates to: the trace goes into their bodies and comes back by
//! their `yield`.
//!
//! A frame is copied from the generator when it is resumed and back when it is suspended. The trace does neither: what
//! the generator holds is state like an iterator's, which goes from round to round in registers and is written where
//! memory is looked at. So it stands for the frame's registers as well.

use super::displays::NOTHING;
use super::iteration::{Next, is_followed};
use super::made::{Made, RECORD_A, RECORD_B};
use super::memory::shape_of;
use super::{Abort, Frame, FrameKind, MAX_RECURSION, Recorder, Slot, Step};
use crate::ir::{Class, Id, NewKind, Place, TraceOp, Type};
use skein_bytecode::{Op, flags};
use skein_runtime::context::{FRAME_WORDS, RECORD};
use skein_runtime::interp::{
    Cont, ContKind, behind_delegation, gen_call, gen_call_returning, hand_over, innermost_at_hand,
    returns_plainly,
};
use skein_runtime::native_functions;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::generator::{
    ASYNC, CLOSES, DELEGATING, FOR_ROOT, GENERATOR_CODE, GENERATOR_FUNCTION, GENERATOR_HANDLED,
    GENERATOR_LINK, GENERATOR_OUTER, GENERATOR_PLACE, GENERATOR_REGISTERS, GenState, Generator, ON_STACK,
    PLAIN, Place as GeneratorPlace, REGISTERED, STATE,
};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

native_functions! { CHAINS:
    // No program sees them; they are called as natives are.
    [leaf] "innermost(root, /)" => |vm: &Vm, root: Value| {
        root.cast::<Generator>().and_then(|g| innermost_at_hand(vm, g)).map_or(NOTHING, |g| g.value())
    };
    [leaf] "hand_over(ended, value, /)" => |vm: &Vm, ended: Value, v: Value| match ended.cast::<Generator>() {
        Some(g) => Ok(hand_over(vm, g, v)?.value()),
        None => Err(vm.system_error("no generator")),
    };
}

/// Registers of a generator that the trace knows by heart.
const MAX_REGISTERS: usize = 40;

fn register(i: usize) -> usize {
    GENERATOR_REGISTERS + 8 * i
}

/// Can a generator or coroutine of this code be made by a trace?
pub(super) fn can_be_made(code: Ref<CodeObject>) -> bool {
    !code.has_flag(flags::ASYNC_GENERATOR) && code.liveness().suspended() <= MAX_REGISTERS
}

/// How many units the instruction has that suspended a generator in this place.
fn suspending_units(place: GeneratorPlace) -> usize {
    if place.state & DELEGATING != 0 { 2 } else { 1 }
}

impl Recorder {
    /// A step over a generator: a loop's, `ForGenerator` or `ForIter`, or a delegation's, `Send`.
    pub(super) fn resume(&mut self, vm: &Vm, op: Op, g: Ref<Generator>) -> Step {
        let at = self.at;
        let sends = op == Op::Send;
        let mut cont = Cont::store(at.a()).kind(if sends { ContKind::GenSend } else { ContKind::GenFor });
        cont.jump = at.extra() as i32 - 2;
        let id = self.reg(at.b());
        let sent = if sends { (self.reg(at.c()), at.reg(at.c())) } else { self.nothing() };
        self.resume_for(vm, op, (id, g), sent, (cont, 2, false))
    }

    /// A call of `next()`, or of a generator's `send()` or `__next__()`. None: it is something else.
    pub(super) fn call_generator(
        &mut self,
        vm: &Vm,
        op: Op,
        (signature, w): (&str, usize),
        operands: &[(Id, Value)],
    ) -> Option<Step> {
        let (&(id, v), sent) = operands.split_first()?;
        let g = v.cast::<Generator>()?;
        let sent = match (signature, sent) {
            ("next(iterator, default=<unrepresentable>, /)", []) if g.flag(PLAIN) => self.nothing(),
            ("__next__($self, /)", []) => self.nothing(),
            ("send($self, value, /)", [sent]) => *sent,
            // Of a task's step.
            ("advance(coro, /)", []) if vm.type_of(v) == vm.types.coroutine => {
                let sent = self.nothing();
                let cont = gen_call_returning(Cont::store(w));
                return Some(self.resume_for(vm, op, (id, g), sent, (cont, 1, true)));
            }
            _ => return None,
        };
        let cont = gen_call(Cont::store(w));
        Some(self.resume_for(vm, op, (id, g), sent, (cont, 1, true)))
    }

    fn nothing(&mut self) -> (Id, Value) {
        (self.value(Value::NONE), Value::NONE)
    }

    /// Goes into a generator for an instruction: with what is sent in, the continuation of what it yields, the
    /// instruction's units, and whether that has a window.
    fn resume_for(
        &mut self,
        vm: &Vm,
        op: Op,
        (id, given): (Id, Ref<Generator>),
        (sent, sent_now): (Id, Value),
        (cont, units, window): (Cont, u8, bool),
    ) -> Step {
        let of_kind = if cont.kind == ContKind::GenFor { given.flag(PLAIN) } else { !given.flag(ASYNC) };
        // Of a chain only the innermost is put onto the stack.
        let delegates = |g| vm.yield_from_target(g).is_some_and(|v| v.cast::<Generator>().is_some());
        let chained = delegates(given);
        let g = if chained {
            match innermost_at_hand(vm, given).filter(|inner| *inner != given) {
                Some(inner) => inner,
                None => return self.help(op),
            }
        } else {
            given
        };
        let waits = match g.state() {
            GenState::Created => sent_now.is_none(),
            state => state == GenState::Suspended && !delegates(g),
        };
        let Some(shape) = shape_of(g.value()).filter(|_| of_kind && waits && self.fits(vm, g)) else {
            return self.help(op);
        };
        // All that leaves the trace does it before the instruction.
        self.exit();
        let id = match chained {
            false => self.iterator(id, shape),
            true => match self.innermost(vm, id, given, shape) {
                Some(id) => id,
                None => return self.help(op),
            },
        };
        let handled = self.emit(TraceOp::LoadHandled, &[], 0);
        self.emit(TraceOp::GuardRaw, &[handled], 0);
        self.guard_suspended(id, g);
        if g.state() == GenState::Created {
            self.guard_is(sent, Value::NONE);
        }
        let held = self.held_by(id, g.code(), g.place().unit);
        let mut gets = None;
        if g.state() == GenState::Suspended {
            // SAFETY: a generator's code is loaded; the instruction before the resume point is a `Yield` or `YieldFrom`.
            let operand = |i: usize| unsafe {
                let pc = (*g.code().exec()).entry().add(g.place().unit as usize);
                *pc.sub(suspending_units(g.place())).cast::<u8>().add(i) as usize
            };
            gets = Some((operand(1), sent));
            if let Some(v) = vm.yield_from_target(g) {
                // It must not have become a generator.
                let id = held.iter().find(|(i, _)| *i == operand(3)).map(|(_, id)| *id);
                let Some(id) = id.filter(|_| shape_of(v).is_some()) else { return Err(Abort::Surprised) };
                self.guard_type(id, v);
            }
        }
        let made = Made::new(self.at.pc as usize, cont, units, window);
        if window {
            self.leave_window(cont.dst.into());
        }
        self.put_on_stack(id, g.code(), g.place(), (held, gets), made, chained)
    }

    /// Can the trace have the frame of this generator?
    fn fits(&self, vm: &Vm, g: Ref<Generator>) -> bool {
        let handling = g.handled.get().is_some() || vm.context().handled.get().is_some();
        let same = self.frames.iter().filter(|f| f.code == g.code()).count();
        !handling && same <= MAX_RECURSION && g.registers().len() <= MAX_REGISTERS
    }

    /// The innermost of the chain that begins with a generator, which is another one of this shape.
    fn innermost(&mut self, vm: &Vm, id: Id, root: Ref<Generator>, shape: u32) -> Option<Id> {
        let root_id = self.iterator(id, shape_of(root.value())?);
        // Whether they are suspended is seen in memory, and who is named there by whom is written there.
        self.flush_fields();
        self.moved_on = true;
        let inner = self.leaf_call(vm, &CHAINS[0], &[(root_id, root.value())])?;
        let inner = self.guard_shape(inner, shape);
        let same = self.emit(TraceOp::Same, &[inner, root_id], 0);
        self.emit(TraceOp::GuardFalse, &[same], 0);
        Some(inner)
    }

    /// The generator must be where this one is.
    fn guard_suspended(&mut self, id: Id, g: Ref<Generator>) {
        let now = self.state(id, GENERATOR_PLACE);
        self.emit(TraceOp::GuardRaw, &[now], g.place().bits());
        let own = self.part(id, GENERATOR_CODE);
        self.guard_is(own, g.code().value());
        // What it handles changes only where it is suspended, which the place tells.
        let handled = self.emit(TraceOp::LoadRaw, &[id], Place::new(Class::Fixed, GENERATOR_HANDLED).imm());
        self.emit(TraceOp::GuardRaw, &[handled], 0);
    }

    /// The registers that a suspended generator holds for where it goes on.
    fn held_by(&mut self, id: Id, code: Ref<CodeObject>, unit: u32) -> Vec<(usize, Id)> {
        let liveness = code.liveness();
        let held = (0..liveness.suspended()).filter(|i| liveness.held_before(unit, *i));
        held.map(|i| (i, self.held(id, register(i)))).collect()
    }

    /// Thinks of a generator's frame, behind the innermost one, in which it goes on from a place with what it holds and
    /// what one of its registers gets. `for_root`: it runs for the one that its chain begins with.
    fn put_on_stack(
        &mut self,
        id: Id,
        code: Ref<CodeObject>,
        place: GeneratorPlace,
        (held, gets): (Vec<(usize, Id)>, Option<(usize, Id)>),
        made: Made,
        for_root: bool,
    ) -> Step {
        let function = self.part(id, GENERATOR_FUNCTION);
        let none = self.value(Value::NONE);
        let registers = held.into_iter().chain(gets);
        let base = self.begin_made(function, [id, none], registers);
        if for_root {
            // It leads to those that it runs for from now on.
            self.emit(TraceOp::Barrier, &[id], 0);
        }
        let for_root = if for_root { FOR_ROOT } else { 0 };
        let state = place.state & !STATE | GenState::Running as u16 | ON_STACK | for_root;
        let running = self.constant(GeneratorPlace { state, ..place }.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, running);
        self.push_frame(Frame { base, code, kind: FrameKind::Made(made) })?;
        // SAFETY: a generator's code is loaded.
        self.go(unsafe { (*code.exec()).entry().add(place.unit as usize) });
        Ok(())
    }

    /// The generator that the innermost frame is of, if the trace has resumed it.
    fn resumed(&self, vm: &Vm, frame: Frame) -> Option<(Made, Ref<Generator>)> {
        let FrameKind::Made(made) = frame.kind else { return None };
        // SAFETY: a frame's head precedes its registers.
        let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
        // SAFETY: the record of a frame that the machine has pushed for an instruction.
        let cont = unsafe { Cont::read(self.at.base) };
        let g = cont.a.cast::<Generator>().filter(|g| g.registers().len() <= MAX_REGISTERS)?;
        let plain = matches!(made.kind, ContKind::GenFor | ContKind::GenSend | ContKind::GenCall)
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
        let is_coroutine = code.has_flag(flags::COROUTINE);
        if is_coroutine {
            let depth = self.emit(TraceOp::LoadCell, &[], vm.coroutine_origin_depth.as_ptr() as u64);
            self.emit(TraceOp::GuardRaw, &[depth], 0);
        }
        let ty = if is_coroutine { vm.types.coroutine } else { vm.types.generator };
        let (shape, count) = (ty.root_shape_id(), liveness.suspended());
        let bits = if is_coroutine { 0 } else { PLAIN };
        let bits =
            bits | if is_coroutine || liveness.handles() || liveness.delegates() { REGISTERED } else { 0 };
        let bits = bits | if liveness.handles() { CLOSES } else { 0 };
        let size = register(count) as u16;
        let function = self.slot(frame.base - 4);
        let parameters: Vec<Id> =
            (0..code.portable().param_count().min(count)).map(|i| self.reg(i)).collect();
        let parameters: Vec<Id> = parameters.into_iter().map(|id| self.as_word(id)).collect();
        let kind = NewKind { shape, size, kind: Kind::Generator as u8, bits: bits as u8 };
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
        let place = GeneratorPlace { unit: code.unit_of(self.at.skip(1).pc), count: count as u16, state };
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

    /// `ReturnGen` in a generator that the trace has resumed: its loop or delegation is over.
    pub(super) fn return_generator(&mut self, vm: &Vm) -> Step {
        let frame = self.frame();
        let Some((made, g)) = self.resumed(vm, frame) else { return self.help(Op::ReturnGen) };
        if vm.events.any_of(skein_runtime::events::event::STOP_ITERATION) {
            return self.help(Op::ReturnGen);
        }
        if g.runs_for_root() {
            return self.return_in_chain(vm, made, g).unwrap_or_else(|| self.help(Op::ReturnGen));
        }
        // SAFETY: the word of a record.
        let cont = Cont::unpack([unsafe { Value::from_bits(made.info) }, Value::NONE, Value::NONE]);
        if made.kind == ContKind::GenCall && !returns_plainly(cont) {
            // It is an exception for who called.
            return self.help(Op::ReturnGen);
        }
        if made.in_memory {
            self.guard_return(frame, (made.return_pc() | RECORD) as u64);
        }
        let id = self.slot(frame.base - RECORD_A);
        let v = self.reg(self.at.a());
        // It may be known by another name since.
        self.state(id, GENERATOR_PLACE);
        let nothing = self.constant(0, Type::W);
        for i in 0..g.registers().len() {
            self.set_state(id, register(i), nothing);
        }
        let place = GeneratorPlace { state: GenState::Finished as u16, ..g.place() };
        let finished = self.constant(place.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, finished);
        if returns_plainly(cont) {
            // Who gets this looks whether the generator has ended.
            self.flush_fields();
        }
        let end = made.return_pc().wrapping_add_signed(4 * cont.jump as isize);
        self.pop_frame(made.in_memory, end);
        self.forget_from(frame.base - RECORD_B);
        if made.kind == ContKind::GenSend || returns_plainly(cont) {
            let result = self.base() + i32::from(made.dst);
            self.slots.insert(result, Slot { id: v, dirty: true });
        }
        self.go(end as *const u32);
        Ok(())
    }

    /// `ReturnGen` in a generator that runs for the one that its chain begins with: who waits for it goes on.
    fn return_in_chain(&mut self, vm: &Vm, made: Made, ended: Ref<Generator>) -> Option<Step> {
        let frame = self.frame();
        let (outer, root) = (ended.outer.cast::<Generator>()?, ended.link.cast::<Generator>()?);
        let waits = outer.state() == GenState::Suspended && outer.is_delegating() && !outer.flag(ASYNC);
        let shape = shape_of(outer.value()).filter(|_| waits && self.fits(vm, outer))?;
        self.exit();
        if made.in_memory {
            self.guard_return(frame, (made.return_pc() | RECORD) as u64);
        }
        let id = self.slot(frame.base - RECORD_A);
        let v = self.reg(self.at.a());
        let v = self.as_word(v);
        // As in `innermost`.
        self.flush_fields();
        self.moved_on = true;
        let mut named =
            |offset| self.emit(TraceOp::LoadField, &[id], Place::new(Class::Iterator, offset).imm());
        let (outer_id, root_id) = (named(GENERATOR_OUTER), named(GENERATOR_LINK));
        let outer_id = self.guard_shape(outer_id, shape);
        let same = self.emit(TraceOp::Same, &[outer_id, root_id], 0);
        let is_root = outer == root;
        self.emit(if is_root { TraceOp::GuardTrue } else { TraceOp::GuardFalse }, &[same], 0);
        self.guard_suspended(outer_id, outer);
        let now = self.at.reg(self.at.a());
        self.leaf_call(vm, &CHAINS[1], &[(id, ended.value()), (v, now)])?;
        // Its state is another now.
        self.fields.clear();
        let (unit, register) = behind_delegation(outer);
        let place = GeneratorPlace { unit, state: GenState::Suspended as u16, ..outer.place() };
        let held = self.held_by(outer_id, outer.code(), unit);
        self.pop_frame(made.in_memory, made.return_pc());
        self.forget_from(frame.base - RECORD_B);
        let made = Made { in_memory: false, ..made };
        Some(self.put_on_stack(outer_id, outer.code(), place, (held, Some((register, v))), made, !is_root))
    }

    /// `Yield` or `YieldFrom` in a generator that the trace has resumed.
    pub(super) fn yield_value(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let frame = self.frame();
        let Some((made, g)) = self.resumed(vm, frame) else { return self.help(op) };
        if op == Op::YieldFrom {
            // What may have to be closed with the generator is the interpreter's affair.
            let delegate = at.reg(at.c());
            if delegate.cast::<Generator>().is_none() && !is_followed(vm, delegate) {
                return self.help(op);
            }
        }
        let return_word = made.return_pc() | RECORD;
        if made.in_memory {
            self.guard_return(frame, return_word as u64);
        }
        let id = self.slot(frame.base - RECORD_A);
        let v = self.reg(at.b());
        let unit = frame.code.unit_of(at.skip(op.units()).pc);
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
        let delegating = if op == Op::YieldFrom { DELEGATING } else { 0 };
        let state = GenState::Suspended as u16 | delegating;
        let place = GeneratorPlace { unit, state, ..g.place() };
        let suspended = self.constant(place.bits(), Type::R);
        self.set_state(id, GENERATOR_PLACE, suspended);
        self.pop_frame(made.in_memory, made.return_pc());
        let result = self.base() + i32::from(made.dst);
        self.forget_from(if made.window { result } else { frame.base - RECORD_B });
        self.slots.insert(result, Slot { id: v, dirty: true });
        self.go(made.return_pc() as *const u32);
        Ok(())
    }

    /// `Send`: a step of a delegation.
    pub(super) fn send(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        if let Some(g) = v.cast::<Generator>() {
            return self.resume(vm, Op::Send, g);
        }
        if !at.reg(at.c()).is_none() || !is_followed(vm, v) {
            return self.help(Op::Send);
        }
        let sent = self.reg(at.c());
        self.guard_is(sent, Value::NONE);
        match self.next_of_known(vm, v) {
            Next::Item(item) => {
                self.set(at.a(), item);
                self.next(2)
            }
            Next::End => {
                let none = self.value(Value::NONE);
                self.set(at.a(), none);
                self.go(at.jump(at.extra() as i32).pc);
                Ok(())
            }
        }
    }

    /// `GetYieldFromIter`.
    pub(super) fn get_yield_from_iter(&mut self, vm: &Vm) -> Step {
        match self.at.reg(self.at.b()).cast::<Generator>() {
            Some(g) if !g.flag(PLAIN) => self.help(Op::GetYieldFromIter),
            _ => self.get_iter(vm),
        }
    }

    /// `GetAwaitable`.
    pub(super) fn get_awaitable(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        let Some(g) = v.cast::<Generator>().filter(|g| !g.is_delegating()) else {
            return self.help(Op::GetAwaitable);
        };
        // What `types.coroutine` made of a function says so in its code.
        let by_code = g.code().has_flag(flags::ITERABLE_COROUTINE);
        let ty = if by_code { vm.types.generator } else { vm.types.coroutine };
        let shape = ty.root_shape_id();
        if shape_of(v) != Some(shape) {
            return self.help(Op::GetAwaitable);
        }
        self.exit();
        let id = self.reg(at.b());
        let id = self.iterator(id, shape);
        if by_code {
            let own = self.part(id, GENERATOR_CODE);
            self.guard_is(own, g.code().value());
        }
        // One that delegates may be awaited already.
        let place = self.state(id, GENERATOR_PLACE);
        self.emit(TraceOp::GuardRaw, &[place], g.place().bits());
        self.set(at.a(), id);
        self.next(1)
    }
}
