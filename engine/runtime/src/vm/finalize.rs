//! What is run for objects that nothing leads to any more; errors that nobody can handle.

use crate::object::Ref;
use crate::types::async_step::Awaitable;
use crate::types::exception::Exception;
use crate::types::ext::{Ext, ExtObject};
use crate::types::generator::Generator;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::{Vm, poll};
use skein_heap::{CollectKind, Cycles, FINALIZED};
use std::io::Write;

impl Vm {
    /// Runs finalizers that collections have found. The pending exception stays what it is.
    pub fn run_finalizers(&self) {
        self.finalize_found();
    }

    /// Does it. Were there objects to be finalized?
    fn finalize_found(&self) -> bool {
        let pending = self.pending.take();
        // What the collection has asked for is done here, and not within the first finalizer.
        self.poll.fetch_and(!poll::FINALIZE, std::sync::atomic::Ordering::Relaxed);
        while let Some(object) = self.heap.take_cleared_weak() {
            // SAFETY: the heap hands out live objects.
            self.hooks.clone().weak_cleared(self, unsafe { Value::from_bits(object as u64) });
        }
        let mut any = false;
        while let Some(object) = self.heap.take_finalizable() {
            any = true;
            // SAFETY: the heap hands out live objects.
            let v = unsafe { Value::from_bits(object as u64) };
            self.finalize(v);
        }
        self.report_pauses();
        self.pending.set(pending);
        any
    }

    /// What `gc.collect()` is: a major collection, finalizers, and, where there were any, another one for what they have let
    /// go. Returns how many objects of cycles were found, as CPython's collector would find them.
    pub fn collect_for_program(&self) -> R<usize> {
        let mut found = 0;
        for _ in 0..2 {
            self.heap.set_cycles(self.pauses.wanted_cycles());
            self.collect_aloud(CollectKind::Major);
            found += self.heap.cycles_found();
            self.heap.set_cycles(Cycles::Ignore);
            self.keep_saved()?;
            if !self.finalize_found() {
                break;
            }
        }
        Ok(found)
    }

    fn finalize(&self, v: Value) {
        if let Some(header) = v.header() {
            header.gc.set(header.gc.get() | FINALIZED);
        }
        if let Some(g) = v.cast::<Generator>() {
            if (self.builtin.finalize_generator)(self, g).is_err() {
                let kind = match self.type_of(v) == self.types.coroutine {
                    true => "finalizing coroutine",
                    false => "closing generator",
                };
                let what = format!("Exception ignored while {kind} {}", self.repr_or_type(v));
                self.unraisable(Some(&what), Value::NONE);
            }
            return;
        }
        if let Some(del) = self.type_of(v).lookup(self, self.names.__del__) {
            let bound = self.bind(del, v, self.type_of(v));
            if bound.and_then(|f| self.call(f, &[])).is_err() {
                let what = format!("Exception ignored while calling deallocator {}", self.repr_or_type(del));
                self.unraisable(Some(&what), Value::NONE);
            }
        }
        if let Some(awaitable) = v.cast::<Ext<Awaitable>>()
            && (self.builtin.finalize_awaitable)(self, awaitable).is_err()
        {
            self.unraisable(None, v);
        }
        if v.cast::<ExtObject>().is_some() {
            self.switcher().finalize(self, v);
        }
    }

    pub fn repr_or_type(&self, v: Value) -> String {
        self.repr_string(v).unwrap_or_else(|Raised| {
            self.pending.take();
            format!("<{} object at {:#x}>", self.type_name(v), v.bits())
        })
    }

    /// Reports the pending exception, which has nowhere to go, by `sys.unraisablehook`.
    pub fn unraisable(&self, message: Option<&str>, object: Value) {
        let Some(e) = self.pending.take() else { return };
        if self.call_unraisable_hook(e, message, object).is_ok_and(|done| done) {
            return;
        }
        self.pending.take();
        (self.builtin.print_unraisable)(self, e, message, object);
    }

    /// Calls a hook that Python code has put in place of the builtin one; audit hooks hear of either.
    fn call_unraisable_hook(&self, e: Value, message: Option<&str>, object: Value) -> R<bool> {
        let Some(sys) = self.sys_dict.get() else { return Ok(false) };
        let Some(hook) = sys.get_name(self, "unraisablehook")?.filter(|h| !h.is_none()) else {
            return Ok(false);
        };
        let is_own = sys.get_name(self, "__unraisablehook__")?.is_none_or(|own| own.is(hook));
        if is_own && self.audit_hooks.get().is_none() {
            return Ok(false);
        }
        let args = self.unraisable_args()?;
        let tb = e.cast::<Exception>().map_or(Value::NONE, |e| e.traceback.or_none());
        let message = match message {
            Some(m) => self.str(m)?,
            None => Value::NONE,
        };
        for (name, v) in [
            ("exc_type", self.type_of(e).value()),
            ("exc_value", e),
            ("exc_traceback", tb),
            ("err_msg", message),
            ("object", object),
        ] {
            self.set_attr(args, self.intern(name)?, v)?;
        }
        self.audit("sys.unraisablehook", || self.tuple(&[hook, args]))?;
        if is_own { Ok(false) } else { self.call(hook, &[args]).map(|_| true) }
    }

    /// An empty `UnraisableHookArgs`.
    fn unraisable_args(&self) -> R<Value> {
        let dict = crate::types::dict::Dict::new(self)?;
        let name = self.str("UnraisableHookArgs")?;
        let class = self.call(self.types.type_.value(), &[name, self.tuple(&[])?, dict.value()])?;
        self.call(class, &[])
    }

    /// `warnings.warn(message, category)`; an error if warnings are made errors.
    pub fn warn(&self, category: Ref<Type>, message: &str) -> R<()> {
        let text = self.str(message)?;
        let shown = || format!("sys:1: {}: {message}\n", category.name_string());
        match self.warnings_function("warn", shown)? {
            Some(f) => self.call(f, &[text, category.value()]).map(|_| ()),
            None => Ok(()),
        }
    }

    /// As [`Vm::warn`] about a line of a file.
    pub fn warn_explicit(&self, category: Ref<Type>, message: &str, file: &str, line: u32) -> R<()> {
        let text = self.str(message)?;
        let shown = || {
            let source = (self.builtin.source_line)(self, file, line);
            let source = source.map(|l| format!("  {}\n", l.trim())).unwrap_or_default();
            format!("{file}:{line}: {}: {message}\n{source}", category.name_string())
        };
        let Some(f) = self.warnings_function("warn_explicit", shown)? else { return Ok(()) };
        let row = [text, category.value(), self.str(file)?, self.int(i64::from(line))?];
        if self.call(f, &row).is_ok() {
            return Ok(());
        }
        // A warning that cannot be shown is not to stop the program, one made an error is.
        if self.pending_is(self.exc.warning) || self.catch(self.exc.exception).is_none() {
            return Err(Raised);
        }
        write_stderr(self, &shown());
        Ok(())
    }

    /// A function of `_warnings`. Without the module, the warning is shown as it would be.
    fn warnings_function(&self, name: &str, shown: impl FnOnce() -> String) -> R<Option<Value>> {
        let module = match self.import("_warnings") {
            Ok(m) => m,
            Err(Raised) => {
                self.pending.take();
                write_stderr(self, &shown());
                return Ok(None);
            }
        };
        self.get_attr_str(module, name).map(Some)
    }
}

/// Writes text to `sys.stderr`, or to the process's if that does not work.
pub fn write_stderr(vm: &Vm, text: &str) {
    let stream = vm.sys_dict.get().and_then(|d| d.get_name(vm, "stderr").ok().flatten());
    if let Some(stream) = stream {
        if stream.is_none() {
            // The program, or who started it, wants nothing to be shown.
            return;
        }
        let written = vm.str(text).and_then(|t| vm.call_method(stream, "write", &[t]));
        if written.is_ok() {
            if vm.call_method(stream, "flush", &[]).is_err() {
                vm.pending.take();
            }
            return;
        }
        vm.pending.take();
    }
    // Nobody is left to be told if this fails too.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
