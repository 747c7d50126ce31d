//! Audit hooks (PEP 578): functions of a program that are told of events, and may refuse by an exception.

use crate::object::Ref;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;

impl Vm {
    /// Tells the hooks, if there are any, of an event; the arguments are made only then. What they raise.
    #[inline]
    pub fn audit(&self, event: &str, args: impl FnOnce() -> R<Value>) -> R<()> {
        match self.audit_hooks.get() {
            None => Ok(()),
            Some(hooks) => self.tell_hooks(hooks, event, args),
        }
    }

    #[cold]
    fn tell_hooks(&self, hooks: Ref<Tuple>, event: &str, args: impl FnOnce() -> R<Value>) -> R<()> {
        let event = self.str(event)?;
        self.audit_with(hooks, event, args()?)
    }

    /// Tells these hooks. Trace functions hear of what they do only where they ask for it.
    #[cold]
    pub fn audit_with(&self, hooks: Ref<Tuple>, event: Value, args: Value) -> R<()> {
        let name = self.intern("__cantrace__")?;
        for &hook in hooks.items() {
            let _hidden = Hidden::new(self, 1);
            let traced = match self.find_attr(hook, name)? {
                Some(v) => self.truth(v)?,
                None => false,
            };
            let _shown = Hidden::new(self, if traced { -1 } else { 0 });
            self.call(hook, &[event, args])?;
        }
        Ok(())
    }
}

/// How often what runs is hidden from trace functions, changed while it lives.
struct Hidden<'a>(&'a Vm, i32);

impl<'a> Hidden<'a> {
    fn new(vm: &'a Vm, by: i32) -> Hidden<'a> {
        let inside = &vm.events.tracing.inside;
        inside.set(inside.get().saturating_add_signed(by));
        Hidden(vm, by)
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let inside = &self.0.events.tracing.inside;
        inside.set(inside.get().saturating_add_signed(-self.1));
    }
}
