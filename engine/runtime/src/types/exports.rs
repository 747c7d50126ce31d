//! Buffers that are lent: while a view of a bytearray's data is in use, the array keeps its size.
//!
//! An array counts the views that were made of it ([`Export`]); release and death of a view take it off the count. But
//! views of which a program has let go die at some later collection only, and words on the native stack may hold
//! some of them beyond that. So a count that is not zero proves nothing: a resize then looks at the registers of the
//! innermost frames, and if no view is there it collects. Each collection notes which views it came to from anything
//! but the native stack: those are in use. The other views no longer belong to the array afterwards: one that native code
//! holds nevertheless finds a shorter object, which it reports as IndexError.
//!
//! Programs that throw away many views between resizes of one array would collect at each. The work that is done
//! so is limited to a part of what is allocated; beyond it the resize goes on as if no view were in use.

use crate::interp::live_register;
use crate::object::{Ref, Tracer};
use crate::types::bytes::ByteArray;
use crate::value::Value;
use crate::vm::Vm;
use skein_heap::CollectKind;
use std::cell::Cell;

/// What an array knows about its views.
#[derive(Default)]
pub struct Exports {
    open: Cell<u32>,
    /// Those among them that the last collection which met them found in use.
    held: Cell<u32>,
    /// Views that were made in another one are forgotten.
    epoch: Cell<u32>,
    /// Natives under way that need the bytes while Python code runs.
    pinned: Cell<u32>,
}

/// Keeps an array's size while a native runs Python code and goes on with the bytes.
pub struct Pinned(Option<Ref<ByteArray>>);

impl Pinned {
    /// Other objects have a fixed size. The caller keeps the object alive.
    pub fn new(object: Value) -> Pinned {
        let array = object.cast::<ByteArray>();
        if let Some(a) = array {
            let exports = a.exports();
            exports.pinned.set(exports.pinned.get() + 1);
            exports.open.set(exports.open.get() + 1);
        }
        Pinned(array)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(a) = self.0 {
            let exports = a.exports();
            exports.pinned.set(exports.pinned.get() - 1);
            exports.open.set(exports.open.get() - 1);
        }
    }
}

/// A view's claim on the size of an array.
pub struct Export {
    /// Kept alive by the view, which traces it.
    array: Option<Ref<ByteArray>>,
    epoch: u32,
    open: Cell<bool>,
    held: Cell<bool>,
}

impl Export {
    /// A claim on a bytearray; other objects have a fixed size.
    pub fn of(object: Value) -> Export {
        let array = object.cast::<ByteArray>();
        let epoch = array.map_or(0, |a| {
            let exports = a.exports();
            exports.open.set(exports.open.get() + 1);
            exports.epoch.get()
        });
        Export { array, epoch, open: Cell::new(true), held: Cell::new(false) }
    }

    fn counted(&self) -> Option<&Exports> {
        let exports = self.array.as_ref()?.exports();
        (self.open.get() && exports.epoch.get() == self.epoch).then_some(exports)
    }

    pub fn release(&self) {
        if let Some(exports) = self.counted() {
            exports.open.set(exports.open.get() - 1);
            if self.held.get() {
                exports.held.set(exports.held.get() - 1);
            }
        }
        self.open.set(false);
    }

    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// To be called by the view's `trace`, with the array not dead.
    pub fn trace(&self, t: &Tracer<'_>) {
        let Some(exports) = self.counted() else { return };
        let held = !t.is_doubtful();
        if self.held.replace(held) != held {
            let n = exports.held.get();
            exports.held.set(if held { n + 1 } else { n - 1 });
        }
    }
}

impl Drop for Export {
    /// Runs before the collector frees anything, so that the array is there still.
    fn drop(&mut self) {
        self.release();
    }
}

/// What looking for views has cost, in the collector's units of work, which are about bytes.
#[derive(Default)]
struct Spent(Cell<u64>);

impl Spent {
    /// Work that is always allowed; beyond it as much as a part of the bytes that the program has allocated.
    const ALWAYS: u64 = 64 << 20;
    const PART: u64 = 2;
    /// What a collection costs besides.
    const EACH: u64 = 32 << 10;

    fn may_look(&self, vm: &Vm) -> bool {
        self.0.get() <= Spent::ALWAYS + vm.heap.stats().allocated_bytes / Spent::PART
    }

    fn collect(&self, vm: &Vm, kind: CollectKind) {
        let stats = vm.collect_thoroughly(kind);
        self.0.set(self.0.get() + stats.work as u64 + Spent::EACH);
    }
}

impl Ref<ByteArray> {
    /// Is no view in use, so that the size may change?
    #[inline]
    pub fn is_resizable(self, vm: &Vm) -> bool {
        self.exports().open.get() == 0 || !self.has_views(vm)
    }

    #[cold]
    #[inline(never)]
    fn has_views(self, vm: &Vm) -> bool {
        let exports = self.exports();
        if exports.pinned.get() > 0 {
            return true;
        }
        if live_register(vm, |v| (vm.builtin.views)(v, self)) {
            return true;
        }
        let spent = vm.state::<Spent>();
        if spent.may_look(vm) {
            if exports.held.get() == 0 {
                spent.collect(vm, CollectKind::Minor);
            }
            if exports.held.get() > 0 {
                spent.collect(vm, CollectKind::Major);
            }
            if exports.held.get() > 0 {
                return true;
            }
        }
        exports.epoch.set(exports.epoch.get().wrapping_add(1));
        exports.open.set(0);
        exports.held.set(0);
        false
    }
}
