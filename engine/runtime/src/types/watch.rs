//! Watchpoints: who relies on what look-ups on a type give.
//!
//! A cache in code, or a compiled trace, checks an object's shape and no more; that the type behind
//! the shape still is what it was it does not check, it is *told*. So whoever relies on the look-up
//! of a name on a type registers here, and a change of that name there (or in a base) resets it.

use crate::object::Ref;
use crate::types::code::{CodeObject, reset_attribute_caches};
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::types::weak_list::WeakList;
use crate::value::R;
use crate::vm::Vm;
use std::cell::Cell;

/// The watchpoints of one type.
#[repr(C)]
pub struct Watchers {
    /// The code objects whose caches rely on the type.
    pub codes: WeakList,
    /// Of the names relied on: a bit each, by address. Names of other bits are surely not among them.
    names: Cell<u64>,
}

fn bit(name: Ref<Str>) -> u64 {
    1 << ((name.as_ptr() as usize >> 4) & 63)
}

impl Ref<Type> {
    /// Caches of `code` are about to rely on what looking up `name` on this type gives. MemoryError.
    pub fn watch(self, vm: &Vm, name: Ref<Str>, code: Ref<CodeObject>) -> R<()> {
        self.watchers.codes.add(vm, self, code.header())?;
        self.watch_name(name);
        Ok(())
    }

    /// The isolate's table of attributes is about to rely on it.
    pub fn watch_name(self, name: Ref<Str>) {
        self.watchers.names.set(self.watchers.names.get() | bit(name));
    }

    /// The look-up of this name may give something else from now on; of any name, if None.
    pub(super) fn tell_watchers(self, vm: &Vm, name: Option<Ref<Str>>) {
        let names = self.watchers.names.get();
        if names == 0 || name.is_some_and(|n| names & bit(n) == 0) {
            return;
        }
        vm.attributes.forget();
        vm.hooks.tier().type_changed(self);
        let mut i = 0;
        while let Some(code) = self.watchers.codes.get::<CodeObject>(i) {
            i += 1;
            reset_attribute_caches(code, name);
        }
        if name.is_none() {
            self.watchers.names.set(0);
            self.watchers.codes.clear();
        }
    }
}
