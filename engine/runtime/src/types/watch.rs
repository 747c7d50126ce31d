//! Watchpoints: who relies on what look-ups on a type give.
//!
//! A cache in code, or a compiled trace, checks an object's shape and no more; that the type behind
//! the shape still is what it was it does not check, it is *told*. So whoever relies on the look-up
//! of a name on a type registers here, and a change of that name there (or in a base) resets it.

use crate::object::{Field, Ref};
use crate::types::code::{CodeObject, reset_attribute_caches};
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::value::R;
use crate::vm::Vm;
use std::cell::Cell;

/// The watchpoints of one type.
#[repr(C)]
pub struct Watchers {
    /// List of the code objects whose caches rely on the type.
    pub codes: Field,
    /// Of the names relied on: a bit each, by address. Names of other bits are surely not among them.
    names: Cell<u64>,
}

/// Registrations looked at before a code object is added once more.
const RECENT: usize = 8;

fn bit(name: Ref<Str>) -> u64 {
    1 << ((name.as_ptr() as usize >> 4) & 63)
}

impl Ref<Type> {
    /// Caches of `code` are about to rely on what looking up `name` on this type gives. MemoryError.
    pub fn watch(self, vm: &Vm, name: Ref<Str>, code: Ref<CodeObject>) -> R<()> {
        let list = match self.watchers.codes.cast::<List>() {
            Some(list) => list,
            None => {
                let list = List::with_capacity(vm, 4)?;
                self.watchers.codes.set(vm, self, list.value());
                list
            }
        };
        if !list.items().iter().rev().take(RECENT).any(|c| c.is(code.value())) {
            list.push(vm, code.value())?;
        }
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
        if let Some(list) = self.watchers.codes.cast::<List>() {
            for code in list.items() {
                if let Some(code) = code.cast::<CodeObject>() {
                    reset_attribute_caches(code, name);
                }
            }
        }
        if name.is_none() {
            self.watchers.names.set(0);
            self.watchers.codes.init(None);
        }
    }
}
