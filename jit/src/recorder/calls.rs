//! Calls of Python functions, whose frames the trace only thinks of, and returns from them.

use super::memory::{function_of, shape_of};
use super::{Abort, Frame, FrameKind, Recorder, Step};
use crate::ir::{self, Id, NewKind, Place, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use skein_runtime::object::Kind;
use skein_runtime::object::Ref;
use skein_runtime::types::function::{FUNCTION_EXEC, Function};
use skein_runtime::types::instance::INSTANCE_SLOTS;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::typeobj::{Type as Class, type_flags};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// Frames of the same code that a trace goes into.
const MAX_RECURSION: usize = 3;

/// The `__init__` of a class whose call does no more than to make an instance and call that.
fn instantiable(vm: &Vm, ty: Ref<Class>) -> Option<Ref<Function>> {
    let plain = vm.type_of(ty.value()) == vm.types.type_
        && ty.def().is_none_or(|d| d.construct.is_none())
        && !ty.has_flag(type_flags::ABSTRACT | type_flags::HAS_DEL)
        && ty.instance_kind() == Kind::Instance as u8;
    let new = vm.unwrap_static(ty.special(vm, Special::New).filter(|_| plain)?);
    if !new.is(vm.object_new()) {
        return None;
    }
    ty.special(vm, Special::Init)?.cast::<Function>()
}

impl Recorder {
    /// The function in a register, known by its code from now on.
    fn guard_function(&mut self, vm: &Vm, id: Id, f: Ref<Function>) -> Id {
        let id = if self.tree.constant(id).is_some() {
            id
        } else {
            self.guard_shape(id, vm.types.function.root_shape_id())
        };
        let exec = self.emit(TraceOp::LoadRaw, &[id], Place::new(ir::Class::Function, FUNCTION_EXEC).imm());
        self.emit(TraceOp::GuardRaw, &[exec], f.exec() as u64);
        self.roots.push(f.code().value());
        id
    }

    /// `Call` and `CallMethod`.
    pub(super) fn call(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let w = at.window();
        let callee = at.reg(w);
        let first = w + FRAME_WORDS;
        // Arguments from this register on.
        let (from, n) = match op {
            Op::CallMethod if at.reg(first).is_unbound() => (first + 1, at.b()),
            Op::CallMethod => (first, at.b() + 1),
            _ => (first, at.b()),
        };
        if let Some(ty) = callee.cast::<Class>() {
            return self.instantiate(vm, op, ty, w, from, n);
        }
        if let Some(native) = callee.cast::<NativeFunction>() {
            return self.native_call(vm, op, native, w, from, n);
        }
        let plain = shape_of(callee) == Some(vm.types.function.root_shape_id());
        let Some(f) = function_of(callee).filter(|_| plain) else { return self.help(op) };
        // SAFETY: a function's code is loaded.
        let exec = unsafe { &*f.exec() };
        let code = f.code();
        let starts_generator =
            matches!(super::help::decode(exec.entry), Some(i) if i.op == Op::MakeGenerator);
        if exec.simple_args as usize != n || starts_generator {
            return self.help(op);
        }
        if self.frames.iter().filter(|f| f.code == code).count() > MAX_RECURSION {
            return Err(Abort::Deep);
        }
        let id = self.reg(w);
        let id = self.guard_function(vm, id, f);
        let base = self.base();
        if op == Op::CallMethod {
            // Which of the two ways of passing the receiver it is.
            let receiver = self.reg(first);
            if from == first {
                self.guard_is_not(receiver, Value::UNBOUND.bits());
            } else {
                self.guard_is(receiver, Value::UNBOUND);
            }
        }
        let args: Vec<Id> = (from..from + n).map(|i| self.reg(i)).collect();
        self.set(w, id);
        self.forget_from(base + w as i32 + 1);
        let callee_base = base + first as i32;
        for (i, arg) in args.into_iter().enumerate() {
            self.slots.insert(callee_base + i as i32, super::Slot { id: arg, dirty: true });
        }
        let return_pc = at.skip(1).pc as usize;
        let kind = FrameKind::Window { return_pc, in_memory: false };
        self.push_frame(Frame { base: callee_base, code, kind })?;
        self.clobbered_from = self.clobbered_from.min(callee_base - 3);
        self.go(exec.entry);
        Ok(())
    }

    /// A call of a class whose instances Python's `__init__` sets up: makes the object, and thinks of a frame that
    /// stands behind the caller's with a record that says what is to be done when it returns.
    fn instantiate(&mut self, vm: &Vm, op: Op, ty: Ref<Class>, w: usize, from: usize, n: usize) -> Step {
        let Some(f) = instantiable(vm, ty) else { return self.help(op) };
        // SAFETY: a function's code is loaded.
        let exec = unsafe { &*f.exec() };
        let (code, shape) = (f.code(), ty.root_shape_id());
        let capacity = usize::from(vm.shapes.get(shape).inline_cap);
        let size = INSTANCE_SLOTS + 8 * capacity;
        let starts_generator =
            matches!(super::help::decode(exec.entry), Some(i) if i.op == Op::MakeGenerator);
        if exec.simple_args as usize != n + 1 || starts_generator || capacity > 100 {
            return self.help(op);
        }
        if self.frames.iter().filter(|f| f.code == code).count() > MAX_RECURSION {
            return Err(Abort::Deep);
        }
        for special in [Special::Init, Special::New] {
            self.rely_on_type(ty, vm.special_name(special));
        }
        let callee = self.reg(w);
        self.guard_is(callee, ty.value());
        let first = w + FRAME_WORDS;
        if op == Op::CallMethod {
            let receiver = self.reg(first);
            if from == first {
                self.guard_is_not(receiver, Value::UNBOUND.bits());
            } else {
                self.guard_is(receiver, Value::UNBOUND);
            }
        }
        let init = self.value(f.value());
        self.guard_function(vm, init, f);
        let args: Vec<Id> = (from..from + n).map(|i| self.reg(i)).collect();
        let kind = NewKind { shape, size: size as u16, kind: Kind::Instance as u8, bits: capacity as u8 };
        let object = self.emit(TraceOp::NewObject, &[], kind.imm());
        self.shapes.insert(object, shape);
        let caller = self.frame();
        self.forget_from(caller.base + w as i32);
        let top = caller.base + i32::from(caller.code.portable().nregs);
        let base = top + (RECORD_WORDS + FRAME_WORDS) as i32;
        self.forget_from(top);
        let dirty = |id| super::Slot { id, dirty: true };
        self.slots.insert(base - 6, dirty(object));
        self.slots.insert(base - 4, dirty(init));
        for (i, id) in std::iter::once(object).chain(args).enumerate() {
            self.slots.insert(base + i as i32, dirty(id));
        }
        let kind = FrameKind::Init { call_pc: self.at.pc as usize, window: w as u16, in_memory: false };
        self.push_frame(Frame { base, code, kind })?;
        self.clobbered_from = self.clobbered_from.min(caller.base + w as i32);
        self.go(exec.entry);
        Ok(())
    }

    /// The return from `__init__`.
    fn ret_init(&mut self, frame: Frame, call_pc: usize, window: u16, in_memory: bool) -> Step {
        let return_pc = call_pc + 4;
        // SAFETY: a frame's head precedes its registers.
        let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
        let v = self.at.reg(self.at.a());
        if !v.is_none() || in_memory && word != return_pc | RECORD {
            return self.help(Op::Return);
        }
        let id = self.reg(self.at.a());
        self.guard_is(id, Value::NONE);
        if in_memory {
            self.guard_return(frame, (return_pc | RECORD) as u64);
        }
        let object = self.slot(frame.base - 6);
        self.frames.pop();
        self.frame_set = None;
        let result = self.base() + i32::from(window);
        self.forget_from(result);
        self.slots.insert(result, super::Slot { id: object, dirty: true });
        self.go(return_pc as *const u32);
        Ok(())
    }

    /// A frame whose head is in memory must still return where it did: there is a tag if somebody looks at it.
    fn guard_return(&mut self, frame: Frame, word: u64) {
        let id = self.emit(TraceOp::ReloadReg, &[], i64::from(frame.base - 2) as u64);
        let raw = self.emit(TraceOp::ToRaw, &[id], 0);
        self.emit(TraceOp::GuardRaw, &[raw], word);
    }

    pub(super) fn ret(&mut self) -> Step {
        let frame = self.frame();
        match frame.kind {
            FrameKind::Root => {
                self.leave();
                Ok(())
            }
            FrameKind::Machine { .. } => self.help(Op::Return),
            FrameKind::Init { call_pc, window, in_memory } => {
                self.ret_init(frame, call_pc, window, in_memory)
            }
            FrameKind::Window { return_pc, in_memory } => {
                let v = self.reg(self.at.a());
                if in_memory {
                    // SAFETY: a frame's head precedes its registers.
                    let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
                    if word != return_pc {
                        return self.help(Op::Return);
                    }
                    self.guard_return(frame, return_pc as u64);
                }
                self.frames.pop();
                self.frame_set = None;
                let result = frame.base - FRAME_WORDS as i32;
                self.forget_from(result);
                self.slots.insert(result, super::Slot { id: v, dirty: true });
                self.go(return_pc as *const u32);
                Ok(())
            }
        }
    }
}
