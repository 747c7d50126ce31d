//! Calls that the machine makes for an instruction: `__init__`, operators' methods, properties. Their frames stand
//! behind the caller's, with a record that says what becomes of the result; the trace only thinks of both.

use super::calls::{Call, bound_arguments};
use super::memory::shape_of;
use super::{Frame, FrameKind, Recorder, Slot, Step};
use crate::ir::{Class, Id, NewKind, Place, Source, Target, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use skein_runtime::interp::{Consumer, Cont, ContKind, is_inverted};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::function::{BoundMethod, Function};
use skein_runtime::types::instance::INSTANCE_SLOTS;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::mem::offset_of;

/// A frame that the machine pushed for an instruction.
#[derive(Clone, Copy, PartialEq)]
pub struct Made {
    /// The instruction, and its length in units.
    pub call_pc: usize,
    pub units: u8,
    pub kind: ContKind,
    /// The record's first word.
    pub info: u64,
    /// The register of the caller's that takes the result.
    pub dst: u16,
    /// The instruction leaves nothing in the caller's registers from that one on.
    pub window: bool,
    /// Head and record are in memory.
    pub in_memory: bool,
}

/// Where in a frame's head and record, in words before its base, the second and third word of the record are.
pub const RECORD_A: i32 = 6;
pub const RECORD_B: i32 = 7;

impl Made {
    pub fn new(call_pc: usize, cont: Cont, units: u8, window: bool) -> Made {
        let info = cont.pack()[0].bits();
        Made { call_pc, units, kind: cont.kind, info, dst: cont.dst, window, in_memory: false }
    }

    pub fn return_pc(&self) -> usize {
        self.call_pc + 4 * usize::from(self.units)
    }
}

/// Makes a call of the class no more than an instance, on which `__init__` is called?
fn is_instantiable(vm: &Vm, ty: Ref<Type>) -> bool {
    let plain = vm.type_of(ty.value()) == vm.types.type_
        && ty.def().is_none_or(|d| d.construct.is_none())
        && !ty.has_flag(type_flags::ABSTRACT | type_flags::HAS_DEL)
        && ty.has_flag(type_flags::HEAP)
        && ty.instance_kind() == Kind::Instance as u8;
    let new = ty.special(vm, Special::New).filter(|_| plain).map(|new| vm.unwrap_static(new));
    new.is_some_and(|new| new.is(vm.object_new()))
}

/// Does the function take just so many arguments, and run at once?
pub(super) fn takes(f: Ref<Function>, n: usize) -> bool {
    // SAFETY: a function's code is loaded.
    unsafe { (*f.exec()).simple_args as usize == n && !starts_generator(f) }
}

/// Does a call of the function make a generator?
pub(super) fn starts_generator(f: Ref<Function>) -> bool {
    makes_generator(f.code())
}

/// Does the code, when it is called, make a generator and no more?
pub fn makes_generator(code: Ref<CodeObject>) -> bool {
    code.portable().units.first().is_some_and(|unit| *unit as u8 == Op::MakeGenerator as u8)
}

impl Recorder {
    /// A call of a class whose instances Python's `__init__` sets up, or none.
    pub(super) fn instantiate(
        &mut self,
        vm: &Vm,
        call: Call,
        ty: Ref<Type>,
        mut given: Vec<(Id, Value)>,
    ) -> Step {
        let w = call.w;
        let shape = ty.root_shape_id();
        let capacity = usize::from(vm.shapes.get(shape).inline_cap);
        let init = ty.special(vm, Special::Init).filter(|_| capacity <= 100 && is_instantiable(vm, ty));
        let Some(init) = init else { return self.help(call.op) };
        let none = self.value(Value::NONE);
        // The instance is not there yet.
        given.insert(0, (none, Value::NONE));
        let (f, bound) = match init.cast::<Function>().filter(|f| !starts_generator(*f)) {
            Some(f) => {
                let through = self.calls_through(f)?;
                match bound_arguments(f, given.len(), &call.names) {
                    Some(bound) if !through => (Some(f), bound),
                    _ => return if through { self.call_through() } else { self.help(call.op) },
                }
            }
            None if init.is(vm.object_init()) && given.len() == 1 => (None, Vec::new()),
            None => return self.help(call.op),
        };
        for special in [Special::Init, Special::New] {
            self.rely_on_type(ty, vm.special_name(special));
        }
        let callee = self.reg(w);
        self.guard_is(callee, ty.value());
        self.guard_receiver(call.op, w, call.from);
        let function = self.value(init);
        if let Some(f) = f {
            self.guard_function(vm, function, f);
        }
        let size = (INSTANCE_SLOTS + 8 * capacity) as u16;
        let kind = NewKind { shape, size, kind: Kind::Instance as u8, bits: capacity as u8 };
        let object = self.emit(TraceOp::NewObject, &[], kind.imm());
        self.shapes.insert(object, shape);
        given[0].0 = object;
        let Some(f) = f else {
            self.forget_from(self.base() + w as i32 + 1);
            self.set(w, object);
            return self.next(call.units.into());
        };
        let Some(args) = self.bind_arguments(vm, f, function, bound, &given) else {
            return self.help(call.op);
        };
        self.leave_window(w);
        let made = (Cont::store(w).kind(ContKind::Init), call.units, true);
        self.push_made(f, function, &args, made, [object, none])
    }

    /// What is in a call's window is nothing any more.
    pub(super) fn leave_window(&mut self, w: usize) {
        let window = self.base() + w as i32;
        self.forget_from(window);
        self.clobbered_from = self.clobbered_from.min(window);
    }

    /// A call of a bound method of Python's.
    pub(super) fn call_bound(
        &mut self,
        vm: &Vm,
        call: Call,
        method: Ref<BoundMethod>,
        mut given: Vec<(Id, Value)>,
    ) -> Step {
        let Some(f) = method.function.cast::<Function>().filter(|f| !starts_generator(*f)) else {
            return self.help(call.op);
        };
        let through = self.calls_through(f)?;
        let Some(bound) = bound_arguments(f, given.len() + 1, &call.names).filter(|_| !through) else {
            return if through { self.call_through() } else { self.help(call.op) };
        };
        self.guard_receiver(call.op, call.w, call.from);
        let callee = self.reg(call.w);
        let callee = self.guard_shape(callee, vm.types.method.root_shape_id());
        let part = |offset: usize| Place::new(Class::Fixed, offset).imm();
        let function = self.emit(TraceOp::LoadField, &[callee], part(offset_of!(BoundMethod, function)));
        let function = self.guard_function(vm, function, f);
        let receiver = self.emit(TraceOp::LoadField, &[callee], part(offset_of!(BoundMethod, receiver)));
        given.insert(0, (receiver, method.receiver.or_none()));
        let Some(args) = self.bind_arguments(vm, f, function, bound, &given) else {
            return self.help(call.op);
        };
        let none = self.value(Value::NONE);
        self.leave_window(call.w);
        self.push_made(f, function, &args, (Cont::store(call.w), call.units, true), [none, none])
    }

    /// A call of an instance, whose class has a Python `__call__`.
    pub(super) fn call_instance(
        &mut self,
        vm: &Vm,
        call: Call,
        f: Ref<Function>,
        mut given: Vec<(Id, Value)>,
    ) -> Step {
        let through = self.calls_through(f)?;
        let Some(bound) = bound_arguments(f, given.len() + 1, &call.names).filter(|_| !through) else {
            return if through { self.call_through() } else { self.help(call.op) };
        };
        self.guard_receiver(call.op, call.w, call.from);
        let (callee, v) = (self.reg(call.w), self.at.reg(call.w));
        self.rely_on_type(vm.type_of(v), vm.special_name(Special::Call));
        given.insert(0, (self.guard_type(callee, v), v));
        let function = self.value(f.value());
        self.guard_function(vm, function, f);
        let Some(args) = self.bind_arguments(vm, f, function, bound, &given) else {
            return self.help(call.op);
        };
        let none = self.value(Value::NONE);
        self.leave_window(call.w);
        self.push_made(f, function, &args, (Cont::store(call.w), call.units, true), [none, none])
    }

    /// A bound method of this function, made by the trace.
    pub(super) fn bind(&mut self, vm: &Vm, f: Ref<Function>, receiver: Id) -> Id {
        let method = self.new_object::<BoundMethod>(vm.types.method.root_shape_id(), Kind::BoundMethod);
        let f = self.value(f.value());
        let receiver = self.as_word(receiver);
        let part = |offset: usize| Place::new(Class::Fixed, offset).imm();
        self.emit(TraceOp::StoreField, &[method, f], part(offset_of!(BoundMethod, function)));
        self.emit(TraceOp::StoreField, &[method, receiver], part(offset_of!(BoundMethod, receiver)));
        method
    }

    /// An attribute that a property's Python function computes.
    pub(super) fn load_property(&mut self, vm: &Vm, getter: Ref<Function>, obj: Id) -> Step {
        let method = self.value(getter.value());
        self.guard_function(vm, method, getter);
        let none = self.value(Value::NONE);
        let cont = Cont::store(self.at.a());
        self.push_made(getter, method, &[obj], (cont, 2, false), [none, none])
    }

    /// Can a property's function be followed?
    pub(super) fn is_simple_getter(&self, getter: Ref<Function>) -> bool {
        takes(getter, 1)
    }

    /// Thinks of the frame of a function with these arguments, and its record: of the continuation, the instruction's
    /// units, and whether it has a window.
    pub(super) fn push_made(
        &mut self,
        f: Ref<Function>,
        function: Id,
        args: &[Id],
        (cont, units, window): (Cont, u8, bool),
        [a, b]: [Id; 2],
    ) -> Step {
        let code = f.code();
        let base = self.begin_made(function, [a, b], args.iter().copied().enumerate());
        let made = Made::new(self.at.pc as usize, cont, units, window);
        self.push_frame(Frame { base, code, kind: FrameKind::Made(made) })?;
        // SAFETY: a function's code is loaded.
        self.go(unsafe { (*f.exec()).start() });
        Ok(())
    }

    /// Thinks of what stands in a frame behind the innermost one, and in its record, and of some of its registers: its
    /// base.
    pub(super) fn begin_made(
        &mut self,
        function: Id,
        [a, b]: [Id; 2],
        registers: impl Iterator<Item = (usize, Id)>,
    ) -> i32 {
        let caller = self.frame();
        let top = caller.base + i32::from(caller.code.portable().nregs);
        let base = top + (RECORD_WORDS + FRAME_WORDS) as i32;
        self.forget_from(top);
        self.clobbered_from = self.clobbered_from.min(top);
        let head = [(base - RECORD_A, a), (base - RECORD_B, b), (base - 4, function)];
        let registers = registers.map(|(i, id)| (base + i as i32, id));
        for (off, id) in head.into_iter().chain(registers) {
            self.slots.insert(off, Slot { id, dirty: true });
        }
        base
    }

    /// The return from such a frame.
    pub(super) fn ret_made(&mut self, vm: &Vm, frame: Frame, made: Made) -> Step {
        // SAFETY: a frame's head precedes its registers.
        let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
        let v = self.at.reg(self.at.a());
        // SAFETY: the word of a record.
        let info = unsafe { Value::from_bits(made.info) };
        let mut cont = Cont::unpack([info, Value::NONE, Value::NONE]);
        let taken = match cont.kind {
            ContKind::Init => v.is_none(),
            ContKind::Binary | ContKind::Compare => !v.is(Value::NOT_IMPLEMENTED),
            ContKind::Bool => v.is_bool(),
            ContKind::LenTruth => v.is_int() && v.as_small_int() >= 0,
            ContKind::Iter => shape_of(v).is_some() && vm.type_of(v).special(vm, Special::Next).is_some(),
            _ => true,
        };
        let return_word = made.return_pc() | RECORD;
        if !taken || made.in_memory && word != return_word {
            return self.help(Op::Return);
        }
        let mut id = self.reg(self.at.a());
        match cont.kind {
            ContKind::Init => drop(self.guard_is(id, Value::NONE)),
            ContKind::Binary | ContKind::Compare => self.guard_is_not(id, Value::NOT_IMPLEMENTED.bits()),
            ContKind::Iter => {
                self.rely_on_type(vm.type_of(v), vm.special_name(Special::Next));
                id = self.guard_type(id, v);
            }
            ContKind::LenTruth => {
                let (int, zero) = (self.as_int(id), self.value(Value::small_int(0)));
                let negative = self.emit(TraceOp::IntLt, &[int, zero], 0);
                self.emit(TraceOp::GuardFalse, &[negative], 0);
            }
            _ => {}
        }
        if is_inverted(&cont) {
            match cont.consumer {
                Consumer::Jump => cont.dst ^= 1,
                _ => cont.consumer = Consumer::StoreNot,
            }
        }
        let mut to = made.return_pc();
        if !matches!(cont.consumer, Consumer::Store | Consumer::Drop) {
            let Some(now) = self.known_truth(vm, id, v) else { return self.help(Op::Return) };
            match cont.consumer {
                Consumer::Jump if now == (cont.dst != 0) => {
                    to = to.wrapping_add_signed(4 * cont.jump as isize);
                }
                Consumer::StoreNot => id = self.value(Value::bool(!now)),
                _ => id = self.value(Value::bool(now)),
            }
        }
        if made.in_memory {
            self.guard_return(frame, return_word as u64);
        }
        match cont.kind {
            ContKind::Init => id = self.slot(frame.base - RECORD_A),
            ContKind::LeaveContext => {
                let (context, before) = (self.slot(frame.base - RECORD_A), self.slot(frame.base - RECORD_B));
                self.leave_context(context, before);
            }
            _ => {}
        }
        self.pop_frame(made.in_memory, to);
        let result = self.base() + i32::from(cont.dst);
        self.forget_from(if made.window { result } else { frame.base - RECORD_B });
        if matches!(cont.consumer, Consumer::Store | Consumer::StoreTruth | Consumer::StoreNot) {
            self.slots.insert(result, Slot { id, dirty: true });
        }
        self.go(to as *const u32);
        Ok(())
    }

    /// What is to be written for a frame's head and record.
    pub(super) fn made_writes(
        &self,
        frame: Frame,
        caller: i32,
        made: Made,
        writes: &mut Vec<(Target, Source)>,
    ) {
        writes.push((Target::Reg(frame.base - 5), Source::Word(made.info)));
        for off in [frame.base - RECORD_A, frame.base - RECORD_B, frame.base - 4] {
            if let Some(slot) = self.slots.get(off) {
                writes.push((Target::Reg(off), Source::Value(slot.id)));
            }
        }
        writes.push((Target::Reg(frame.base - 3), Source::Word(frame.code.value().bits())));
        writes.push((Target::Reg(frame.base - 2), Source::Word((made.return_pc() | RECORD) as u64)));
        writes.push((Target::Reg(frame.base - 1), Source::Base(caller)));
    }
}
