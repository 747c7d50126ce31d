//! Computed attributes: typed functions that get and set them.

use super::entry::item;
use super::{FromArg, NativeDef};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A Rust function that can get an attribute: of what its parameter takes, as in [`FromArg`].
pub trait GetFn<A>: Copy + 'static {
    fn get_with(vm: &Vm, receiver: &'static NativeDef, v: Value) -> R<Value>;
}

impl<F, A> GetFn<A> for F
where
    F: for<'v> Fn(&'v Vm, A) -> R<Value> + Copy + 'static,
    A: FromArg,
{
    fn get_with(vm: &Vm, receiver: &'static NativeDef, v: Value) -> R<Value> {
        item::<F>()(vm, A::from_arg(vm, receiver, 0, v)?)
    }
}

/// As [`GetFn`], to set an attribute; `None` as the new value: delete.
pub trait SetFn<A>: Copy + 'static {
    fn set_with(vm: &Vm, receiver: &'static NativeDef, v: Value, new: Option<Value>) -> R<()>;
}

impl<F, A> SetFn<A> for F
where
    F: for<'v> Fn(&'v Vm, A, Option<Value>) -> R<()> + Copy + 'static,
    A: FromArg,
{
    fn set_with(vm: &Vm, receiver: &'static NativeDef, v: Value, new: Option<Value>) -> R<()> {
        item::<F>()(vm, A::from_arg(vm, receiver, 0, v)?, new)
    }
}

/// A computed attribute of a type.
pub struct GetSetDef {
    /// Stands for it where a receiver is no object of the type.
    receiver: NativeDef,
    get: fn(&Vm, &'static NativeDef, Value) -> R<Value>,
    set: Option<fn(&Vm, &'static NativeDef, Value, Option<Value>) -> R<()>>,
    pub doc: Option<&'static str>,
    /// Getting it is [`Effect::Leaf`](super::Effect).
    pub is_leaf: bool,
}

impl GetSetDef {
    pub const fn new<A, G: GetFn<A>>(name: &'static str, get: G) -> GetSetDef {
        let _ = get;
        GetSetDef {
            receiver: NativeDef::receiver(name),
            get: G::get_with,
            set: None,
            doc: None,
            is_leaf: false,
        }
    }

    pub const fn settable<A, S: SetFn<A>>(mut self, set: S) -> GetSetDef {
        let _ = set;
        self.set = Some(S::set_with);
        self
    }

    /// Getting it runs no Python code and looks at no frame, whatever the object.
    pub const fn leaf(mut self) -> GetSetDef {
        self.is_leaf = true;
        self
    }

    pub const fn doc(mut self, doc: &'static str) -> GetSetDef {
        self.doc = Some(doc);
        self
    }

    pub fn name(&self) -> &'static str {
        self.receiver.name
    }

    pub fn is_settable(&self) -> bool {
        self.set.is_some()
    }

    /// The attribute of `v`, which may be anything. TypeError.
    pub fn get(&'static self, vm: &Vm, v: Value) -> R<Value> {
        (self.get)(vm, &self.receiver, v)
    }

    /// Sets or deletes (`None`) the attribute of `v`, which may be anything; None if it cannot be set. TypeError.
    pub fn set(&'static self, vm: &Vm, v: Value, new: Option<Value>) -> Option<R<()>> {
        self.set.map(|set| set(vm, &self.receiver, v, new))
    }
}
