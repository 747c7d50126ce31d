//! `Context.run`: the trace enters the context, follows the function as if it were called, and leaves the context at its
//! return. Whatever else becomes of the frame does so by its record, as in the interpreter.

use super::calls::{Call, bound_arguments};
use super::made::starts_generator;
use super::memory::function_of;
use super::{Recorder, Step};
use crate::ir::{Class, Id, Place, TraceOp};
use skein_bytecode::Op;
use skein_runtime::interp::{Cont, ContKind};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::BoundMethod;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::value::Value;
use skein_runtime::variables::{Variables, enter, leave};
use skein_runtime::vm::Vm;
use std::mem::offset_of;

native_functions! { CONTEXTS:
    // No program sees them; they are called as natives are.
    [leaf] "enter(context, /)" => |vm: &Vm, c: Value| match c.cast::<Ext<Variables>>() {
        Some(c) => enter(vm, c),
        None => Err(vm.system_error("no context")),
    };
    [leaf] "leave(context, before, /)" => leave;
}

/// Is it `Context.run`, bound to a context that is not entered, or not bound?
pub(super) fn runs_in_context(native: Ref<NativeFunction>) -> bool {
    let of_context = match native.receiver.get() {
        Some(c) => c.cast::<Ext<Variables>>().is_some_and(|c| !c.is_entered()),
        None => true,
    };
    of_context
        && native.def().signature == "run($self, callable, /, *args, **kwargs)"
        && native.def().soft.is_some()
}

impl Recorder {
    /// A call of `Context.run` with its arguments in `n` registers from one on. None: it is something else.
    pub(super) fn call_in_context(
        &mut self,
        vm: &Vm,
        op: Op,
        native: Ref<NativeFunction>,
        (w, from, n): (usize, usize, usize),
    ) -> Option<Step> {
        if !runs_in_context(native) {
            return None;
        }
        let at = self.at;
        let given = (from..from + n).map(|i| (self.reg(i), at.reg(i))).collect();
        let call = Call { op, w, from, names: Vec::new(), units: 1 };
        self.run_in_context(vm, call, native, given)
    }

    /// A call of `Context.run` with these arguments. None: what it calls is not followed.
    pub(super) fn run_in_context(
        &mut self,
        vm: &Vm,
        call: Call,
        native: Ref<NativeFunction>,
        given: Vec<(Id, Value)>,
    ) -> Option<Step> {
        let skipped = usize::from(native.receiver.get().is_none());
        let context = match native.receiver.get() {
            Some(c) => c,
            None => given.first()?.1,
        };
        if context.cast::<Ext<Variables>>().is_none_or(|c| c.is_entered()) {
            return None;
        }
        let &(callee, callable) = given.get(skipped)?;
        let mut args = given[skipped + 1..].to_vec();
        let method = callable.cast::<BoundMethod>();
        let f = match method {
            Some(m) => m.function.cast()?,
            None => function_of(callable)?,
        };
        let n = args.len() + usize::from(method.is_some());
        let bound = bound_arguments(f, n, &call.names).filter(|_| !starts_generator(f))?;
        match self.calls_through(f) {
            Ok(false) => {}
            Ok(true) => return None,
            Err(abort) => return Some(Err(abort)),
        }
        self.guard_receiver(call.op, call.w, call.from);
        let native_id = self.reg(call.w);
        let context_id = match native.receiver.get() {
            Some(_) => self.receiver_of(native_id, native),
            None => {
                self.guard_is(native_id, native.value());
                given[0].0
            }
        };
        let context_id = self.guard_type(context_id, context);
        let function = match method {
            Some(method) => {
                let callee = self.guard_shape(callee, vm.types.method.root_shape_id());
                let part = |offset: usize| Place::new(Class::Fixed, offset).imm();
                let f = self.emit(TraceOp::LoadField, &[callee], part(offset_of!(BoundMethod, function)));
                let receiver =
                    self.emit(TraceOp::LoadField, &[callee], part(offset_of!(BoundMethod, receiver)));
                args.insert(0, (receiver, method.receiver.or_none()));
                f
            }
            None => callee,
        };
        let function = self.guard_function(vm, function, f);
        let args = self.bind_arguments(vm, f, function, bound, &args)?;
        self.native_op(TraceOp::Native1, &CONTEXTS[0], [Some(context_id), None, None]);
        let none = self.value(Value::NONE);
        self.leave_window(call.w);
        let cont = Cont::store(call.w).kind(ContKind::LeaveContext);
        Some(self.push_made(f, function, &args, (cont, call.units, true), [context_id, none]))
    }

    /// The return from such a function.
    pub(super) fn leave_context(&mut self, context: Id, before: Id) {
        self.native_op(TraceOp::Native2, &CONTEXTS[1], [Some(context), Some(before), None]);
    }
}
