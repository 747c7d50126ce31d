//! Descriptors: computed attributes of builtin types, slots, property, staticmethod, classmethod, super.

use crate::fixed_object;
use crate::native::GetSetDef;
use crate::object::{Field, Header, Ref};
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// `getset_descriptor`.
#[repr(C)]
pub struct GetSet {
    header: Header,
    def: Cell<Option<&'static GetSetDef>>,
    pub owner: Field,
}
fixed_object!(GetSet, GetSet, [owner]);

impl GetSet {
    /// MemoryError.
    pub fn new(vm: &Vm, def: &'static GetSetDef, owner: Ref<Type>) -> R<Ref<GetSet>> {
        let g = vm.alloc_fixed::<GetSet>(vm.types.getset_descriptor.root_shape_id())?;
        g.def.set(Some(def));
        g.owner.init(owner.value());
        Ok(g)
    }

    pub fn def(&self) -> &'static GetSetDef {
        match self.def.get() {
            Some(def) => def,
            None => unreachable!("set by the constructor"),
        }
    }

    fn owner_name(&self) -> String {
        self.owner.cast::<Type>().map(|t| t.message_name()).unwrap_or_default()
    }

    /// Is it for objects of this type?
    pub fn applies_to(&self, ty: Ref<Type>) -> bool {
        self.owner.cast::<Type>().is_none_or(|t| ty.is_subtype(t))
    }

    /// Is the descriptor for this object? A program may put it into any class. TypeError.
    fn check(&self, vm: &Vm, obj: Value) -> R<()> {
        if self.applies_to(vm.type_of(obj)) {
            return Ok(());
        }
        Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.def().name(),
            self.owner_name(),
            vm.type_name(obj)
        )))
    }

    /// The attribute of `obj`, which may be anything. TypeError.
    pub fn get(&self, vm: &Vm, obj: Value) -> R<Value> {
        self.check(vm, obj)?;
        self.def().get(vm, obj)
    }

    /// Sets or deletes (`None`) the attribute of `obj`, which may be anything. TypeError, AttributeError.
    pub fn set(&self, vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
        self.check(vm, obj)?;
        match self.def().set(vm, obj, v) {
            Some(r) => r,
            None => Err(vm.attribute_error(format!(
                "attribute '{}' of '{}' objects is not writable",
                self.def().name(),
                self.owner_name()
            ))),
        }
    }
}

/// `member_descriptor`: a name in `__slots__`.
#[repr(C)]
pub struct Member {
    header: Header,
    pub name: Field,
    pub owner: Field,
    slot: Cell<usize>,
}
fixed_object!(Member, Member, [name, owner]);

impl Member {
    /// MemoryError.
    pub fn new(vm: &Vm, name: Ref<Str>, owner: Ref<Type>, slot: usize) -> R<Ref<Member>> {
        let m = vm.alloc_fixed::<Member>(vm.types.member_descriptor.root_shape_id())?;
        m.name.init(name.value());
        m.owner.init(owner.value());
        m.slot.set(slot);
        Ok(m)
    }

    pub fn slot(&self) -> usize {
        self.slot.get()
    }
}

/// `property`.
#[repr(C)]
pub struct Property {
    header: Header,
    pub getter: Field,
    pub setter: Field,
    pub deleter: Field,
    pub doc: Field,
    pub name: Field,
}
fixed_object!(Property, Property, [getter, setter, deleter, doc, name]);

/// `staticmethod` or `classmethod` (by its shape's type): a function under another binding.
#[repr(C)]
pub struct Wrapper {
    header: Header,
    pub function: Field,
    /// Attribute dictionary; nothing: empty.
    pub dict: Field,
}
fixed_object!(Wrapper, Wrapper, [function, dict]);

impl Wrapper {
    /// MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, function: Value) -> R<Ref<Wrapper>> {
        let w = vm.alloc_fixed::<Wrapper>(ty.root_shape_id())?;
        w.function.init(function);
        Ok(w)
    }
}

/// `super` object.
#[repr(C)]
pub struct Super {
    header: Header,
    /// Look-up starts behind this type in the MRO.
    pub this_class: Field,
    /// The instance or class; nothing if unbound.
    pub receiver: Field,
    /// Type whose MRO is searched.
    pub receiver_type: Field,
}
fixed_object!(Super, Super, [this_class, receiver, receiver_type]);

impl Vm {
    /// `super(class, receiver)`. TypeError.
    pub fn new_super(&self, class: Value, receiver: Value) -> R<Ref<Super>> {
        let Some(ty) = class.cast::<Type>() else {
            return Err(
                self.type_error(format!("super() argument 1 must be a type, not {}", self.type_name(class)))
            );
        };
        let own = self.type_of(receiver);
        let receiver_type = match receiver.cast::<Type>() {
            Some(t) if t.is_subtype(ty) => t,
            _ if own.is_subtype(ty) => own,
            _ => match self.find_attr(receiver, self.names.__class__)?.and_then(|c| c.cast::<Type>()) {
                Some(c) if c.is_subtype(ty) => c,
                _ => {
                    let what = if receiver.cast::<Type>().is_some() { "type" } else { "instance of" };
                    let name = receiver.cast::<Type>().unwrap_or(own).name_string();
                    return Err(self.type_error(format!(
                        "super(type, obj): obj ({what} {name}) is not an instance or subtype of type ({}).",
                        ty.name_string()
                    )));
                }
            },
        };
        let s = self.alloc_fixed::<Super>(self.types.super_.root_shape_id())?;
        s.this_class.init(class);
        s.receiver.init(receiver);
        s.receiver_type.init(receiver_type.value());
        Ok(s)
    }
}
