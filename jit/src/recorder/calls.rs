//! Calls of Python functions, whose frames the trace only thinks of, and returns from them.

use super::memory::{function_of, shape_of};
use super::{Abort, Frame, FrameKind, MAX_RECURSION, Recorder, Step};
use crate::ir::{self, Id, Place, TraceOp};
use skein_bytecode::Op;
use skein_runtime::context::FRAME_WORDS;
use skein_runtime::object::Ref;
use skein_runtime::types::function::{FUNCTION_EXEC, Function};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

impl Recorder {
    /// The function in a register, known by its code from now on.
    pub(super) fn guard_function(&mut self, vm: &Vm, id: Id, f: Ref<Function>) -> Id {
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
            if ty == vm.types.range && op == Op::Call {
                let callee = self.reg(w);
                if let Some(range) = self.call_range(vm, from, n) {
                    self.guard_is(callee, ty.value());
                    self.forget_from(self.base() + w as i32 + 1);
                    self.set(w, range);
                    return self.next(1);
                }
            }
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

    /// A frame whose head is in memory must still return where it did: there is a tag if somebody looks at it.
    pub(super) fn guard_return(&mut self, frame: Frame, word: u64) {
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
            FrameKind::Made(made) => self.ret_made(frame, made),
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
