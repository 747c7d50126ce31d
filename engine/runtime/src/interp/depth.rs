//! How deep natives may call each other on the native stack.

use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::cell::Cell;

impl Vm {
    /// Is the native stack in use nearly used up?
    pub fn native_stack_low(&self) -> bool {
        let marker = 0u8;
        std::ptr::from_ref(&marker).addr() < self.native_limit.get()
    }

    /// Will it soon be low? A nested run begins on a stack with room for more than to be told so.
    pub fn native_stack_ending(&self) -> bool {
        const AHEAD: usize = 16 << 10;
        let marker = 0u8;
        std::ptr::from_ref(&marker).addr() < self.native_limit.get() + AHEAD
    }

    /// Are there so many bytes left before it is low?
    pub fn native_stack_has(&self, bytes: usize) -> bool {
        let marker = 0u8;
        std::ptr::from_ref(&marker).addr() >= self.native_limit.get().saturating_add(bytes)
    }

    /// RecursionError where natives call each other so deep that the native stack is used up. It leaves
    /// room for those that ask on their own account, to say what they were doing.
    #[inline(always)]
    pub fn check_depth(&self) -> R<()> {
        const LESS: usize = 32 << 10;
        let marker = 0u8;
        if std::ptr::from_ref(&marker).addr() < self.native_limit.get().saturating_sub(LESS) {
            return Err(self.too_deep());
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn too_deep(&self) -> Raised {
        self.recursion_error("maximum recursion depth exceeded")
    }

    /// Runs `f`, on another native stack before this one is so low that something in it would be
    /// refused: for iterators upon iterators, of which there may be thousands. RecursionError where
    /// they lead into themselves.
    #[inline(always)]
    pub fn with_room(&self, f: impl FnOnce() -> R<Value>) -> R<Value> {
        const MORE: usize = 16 << 10;
        let marker = 0u8;
        let low = std::ptr::from_ref(&marker).addr() < self.native_limit.get() + MORE;
        if low { self.on_new_stack(f) } else { f() }
    }

    #[cold]
    #[inline(never)]
    fn on_new_stack(&self, f: impl FnOnce() -> R<Value>) -> R<Value> {
        /// Stacks in use for that.
        #[derive(Default)]
        struct Lent(Cell<u32>);
        const MOST: u32 = 256;
        let lent = self.state::<Lent>();
        if lent.0.get() >= MOST {
            return Err(self.too_deep());
        }
        lent.0.set(lent.0.get() + 1);
        let mut f = Some(f);
        let mut result = Err(Raised);
        let ran = self.switcher().on_new_stack(self, &mut || {
            if let Some(f) = f.take() {
                result = f();
            }
        });
        lent.0.set(lent.0.get() - 1);
        ran.and(result)
    }
}

/// Raises RecursionError before natives that call each other use up the native stack.
#[inline]
pub fn check_native_stack(vm: &Vm, doing: &str) -> R<()> {
    let marker = 0u8;
    if std::ptr::from_ref(&marker).addr() < vm.native_limit.get() {
        return Err(vm.recursion_error(format!("maximum recursion depth exceeded{doing}")));
    }
    Ok(())
}
