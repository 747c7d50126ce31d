//! Weak references and proxies: the objects, and which of them each object has.
//!
//! ```text
//! WeakRefs: address of the target -> Weak <-> Weak <-> …   the plain reference and the plain proxy first, if any
//! ```
//! The list holds none of them. A reference leaves it when its target dies, or when it dies itself, before anything is
//! freed in either case. One that nothing leads to any more may be found here until it is swept, and is alive then.

use crate::object::Ref;
use crate::object::{Field, Header, Tracer};
use crate::types::ext::{Ext, Payload};
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A weak reference, or a proxy.
pub struct Weak {
    target: Cell<Option<Value>>,
    pub hash: Cell<Option<i64>>,
    /// Called with the reference when its target has died.
    pub callback: Field,
    all: Rc<WeakRefs>,
    next: Cell<*const Weak>,
    previous: Cell<*const Weak>,
    order: Order,
}

/// Where a reference stands among those to an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Of the type `weakref.ref` itself, without a callback.
    Plain,
    /// A proxy without a callback.
    PlainProxy,
    /// The last one comes first.
    Other,
}

/// The weak references to each object that has some.
#[derive(Default)]
pub struct WeakRefs {
    first: RefCell<FxHashMap<usize, *const Weak>>,
}

impl Payload for Weak {
    const NAME: &'static str = "weakref.ReferenceType";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Weak { target: _, hash: _, callback, all: _, next: _, previous: _, order: _ } = self;
        callback.trace(t);
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        if let Some(h) = self.target.get().and_then(|v| v.header())
            && !is_live(h)
        {
            self.forget();
            return self.callback.get().is_some();
        }
        false
    }
}

impl Drop for Weak {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Weak {
    /// A reference of that type. MemoryError.
    pub fn new(
        vm: &Vm,
        ty: Ref<Type>,
        target: Value,
        callback: Option<Value>,
        order: Order,
    ) -> R<Ref<Ext<Weak>>> {
        let all = vm.state::<WeakRefs>();
        if all.first.borrow_mut().try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        let null = std::ptr::null();
        let w = Weak {
            target: Cell::new(Some(target)),
            hash: Cell::new(None),
            callback: Field::new(callback),
            all,
            next: Cell::new(null),
            previous: Cell::new(null),
            order,
        };
        let w = Ext::new(vm, ty, w)?;
        vm.heap.register_weak(w.header());
        w.link(target);
        Ok(w)
    }

    /// What it refers to, if that lives.
    pub fn target(&self) -> Option<Value> {
        self.target.get()
    }

    fn link(&self, target: Value) {
        let mut first = self.all.first.borrow_mut();
        let head = first.get(&(target.bits() as usize)).copied().unwrap_or(std::ptr::null());
        let (mut before, mut next) = (std::ptr::null::<Weak>(), head);
        // SAFETY (both): what is in the list is there, see above.
        while let Some(w) = unsafe { next.as_ref() }.filter(|w| w.order < self.order) {
            (before, next) = (next, w.next.get());
        }
        self.previous.set(before);
        self.next.set(next);
        unsafe {
            if let Some(next) = next.as_ref() {
                next.previous.set(self);
            }
            match before.as_ref() {
                Some(before) => before.next.set(self),
                None => {
                    first.insert(target.bits() as usize, self);
                }
            }
        }
    }

    /// It refers to nothing from now on.
    fn forget(&self) {
        let Some(target) = self.target.take() else { return };
        let (previous, next) = (self.previous.get(), self.next.get());
        // SAFETY: what is in the list is there, see above.
        unsafe {
            if let Some(next) = next.as_ref() {
                next.previous.set(previous);
            }
            match previous.as_ref() {
                Some(previous) => previous.next.set(next),
                None if next.is_null() => {
                    self.all.first.borrow_mut().remove(&(target.bits() as usize));
                }
                None => {
                    self.all.first.borrow_mut().insert(target.bits() as usize, next);
                }
            }
        }
    }
}

/// The weak references to an object, proxies included.
pub fn weak_refs(vm: &Vm, target: Value) -> impl Iterator<Item = Ref<Ext<Weak>>> {
    let all = vm.state::<WeakRefs>();
    let mut at = all.first.borrow().get(&(target.bits() as usize)).copied().unwrap_or(std::ptr::null());
    std::iter::from_fn(move || {
        // SAFETY: what is in the list is there; such a payload lies in such an object.
        let w = unsafe { at.as_ref()? };
        at = w.next.get();
        Some(unsafe { Ext::of_payload(std::ptr::from_ref(w)) })
    })
}

/// The plain reference or proxy of that type, if the object has one.
pub fn plain_weak_ref(vm: &Vm, ty: Ref<Type>, target: Value) -> Option<Ref<Ext<Weak>>> {
    weak_refs(vm, target).take_while(|w| w.order != Order::Other).find(|w| vm.type_of(w.value()) == ty)
}
