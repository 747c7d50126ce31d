//! Calls from native code: Python functions run in a nested loop.

use crate::interp::call::{call_soft, call_special, no_stop, plain_native, with_first};
use crate::interp::generators::{Resume, gen_call, resume_generator, resume_quick};
use crate::interp::{At, Consumer, Cont, ContKind};
use crate::native::Args;
use crate::object::Ref;
use crate::types::generator::{GenState, Generator, PLAIN};
use crate::types::native::NativeFunction;
use crate::value::{R, Value};
use crate::vm::Vm;

impl Vm {
    /// Calls anything from native code; Python functions run in a nested loop.
    pub fn call(&self, callee: Value, args: &[Value]) -> R<Value> {
        self.call_args(callee, Args::new(args, None))
    }

    /// As [`Vm::call`], with keyword arguments.
    pub fn call_args(&self, callee: Value, args: Args<'_>) -> R<Value> {
        if let Some(native) = callee.cast::<NativeFunction>() {
            self.check_depth()?;
            return match native.receiver.get() {
                Some(receiver) => with_first(self, receiver, args, |args| native.def().invoke(self, args)),
                None => native.def().invoke(self, args),
            };
        }
        self.enter_nested(|resume, cont| call_soft(self, resume, callee, args, cont))
    }

    /// Calls what a type's dictionary had for a special method that takes only its receiver.
    #[inline]
    pub fn special_1(&self, f: Value, a: Value) -> R<Value> {
        match plain_native(f) {
            Some(def) => {
                self.check_depth()?;
                no_stop(self, def.call_1(self, a))
            }
            None => self.call_special_method(f, Args::new(&[a], None)),
        }
    }

    /// As [`Vm::special_1`], with one argument more.
    #[inline]
    pub fn special_2(&self, f: Value, a: Value, b: Value) -> R<Value> {
        match plain_native(f) {
            Some(def) => {
                self.check_depth()?;
                no_stop(self, def.call_2(self, a, b))
            }
            None => self.call_special_method(f, Args::new(&[a, b], None)),
        }
    }

    /// As [`Vm::special_1`], with two arguments more.
    #[inline]
    pub fn special_3(&self, f: Value, a: Value, b: Value, c: Value) -> R<Value> {
        match plain_native(f) {
            Some(def) => {
                self.check_depth()?;
                no_stop(self, def.call_3(self, a, b, c))
            }
            None => self.call_special_method(f, Args::new(&[a, b, c], None)),
        }
    }

    /// Calls what a type's dictionary had for a special method.
    pub fn call_special_method(&self, f: Value, args: Args<'_>) -> R<Value> {
        if let Some(native) = f.cast::<NativeFunction>()
            && native.receiver.get().is_none()
        {
            self.check_depth()?;
            return native.def().invoke(self, args);
        }
        self.enter_nested(|resume, cont| call_special(self, resume, f, args, cont))
    }

    /// Runs what `push` starts to its end in a nested loop. RecursionError where the native stack
    /// is used up and no other is to be had.
    pub fn enter_nested(&self, push: impl FnOnce(At, Cont) -> R<At>) -> R<Value> {
        if !self.native_stack_ending() {
            return self.enter_here(push);
        }
        let mut push = Some(push);
        let mut result = Err(crate::value::Raised);
        self.switcher().on_new_stack(self, &mut || {
            if let Some(push) = push.take() {
                result = self.enter_here(push);
            }
        })?;
        result
    }

    /// Resumes a generator from native code: `Ok(Ok)` what it yields, `Ok(Err)` what it returned.
    pub fn resume(&self, g: Ref<Generator>, how: Resume) -> R<Result<Value, Value>> {
        let r = self.enter_nested(|resume, cont| {
            let cont = gen_call(cont);
            if let Resume::Send(v) = how
                && g.flag(PLAIN)
                && let Some(at) = resume_quick(self, resume, g, v, cont)
            {
                return Ok(at);
            }
            resume_generator(self, resume, g, how, cont)
        });
        match r {
            Ok(v) => Ok(Ok(v)),
            Err(e) if g.state() == GenState::Finished => match self.catch(self.exc.stop_iteration) {
                Some(stop) => Ok(Err(self.stop_value(stop))),
                None => Err(e),
            },
            Err(e) => Err(e),
        }
    }

    fn enter_here(&self, push: impl FnOnce(At, Cont) -> R<At>) -> R<Value> {
        // A short function has no back edge at which it looks for them, and the native may call it without end.
        self.check_signals()?;
        let saved = self.site();
        let cont = Cont::new(ContKind::Exit, Consumer::Drop, 0);
        let result = match push(saved.as_return(), cont) {
            // A native was called at once: there is nothing to run.
            Ok(at) if std::ptr::eq(at.pc, super::dispatch::EXIT.as_ptr()) => Ok(self.exit_result.get()),
            Ok(at) => super::run_nested(self, at),
            Err(e) => Err(e),
        };
        self.set_site(saved);
        result
    }
}
