//! Objects of types that are declared outside of the engine's core: a Rust struct behind a header.
//!
//! ```text
//! ExtObject | header | vtable | payload T …
//! ```
//! A payload implements [`Payload`]; `Ref<Ext<T>>` is a reference to such an object and an argument
//! type of natives. A payload with Rust-owned memory (`NEEDS_DROP`) is dropped when the object dies,
//! at an unknown later time, and must not touch other heap objects then.

use crate::native::{Args, TypeDef};
use crate::native::{FromArg, NativeDef, wrong_type};
use crate::object::{Header, Kind, Object, Ref, Tracer};
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::any::TypeId;
use std::cell::Cell;
use std::ops::Deref;

/// The data of an extension object.
pub trait Payload: Sized + 'static {
    /// For messages: the Python type's name.
    const NAME: &'static str;
    /// Drop the payload when the object dies.
    const NEEDS_DROP: bool = std::mem::needs_drop::<Self>();
    /// Is the type's finalizer to see the object, now that nothing leads to it any more? Asked of
    /// objects that are registered for it.
    fn needs_finalizer(&self) -> bool {
        true
    }
    /// Visits all references. Destructure the struct, so that no field is forgotten.
    fn trace(&self, tracer: &mut Tracer<'_>);
    /// Drops references to dead objects, for payloads registered as weak. True: has callbacks to run.
    fn clear_weak(&self, _is_live: &dyn Fn(*const Header) -> bool) -> bool {
        false
    }
}

struct VTable {
    /// The payload's type. The table itself may exist more than once.
    payload: TypeId,
    size: usize,
    trace: unsafe fn(*const ExtObject, &mut Tracer<'_>),
    drop: unsafe fn(*mut ExtObject),
    needs_finalizer: unsafe fn(*const ExtObject) -> bool,
    clear_weak: unsafe fn(*const ExtObject, &dyn Fn(*const Header) -> bool) -> bool,
}

/// Any extension object.
#[repr(C)]
pub struct ExtObject {
    header: Header,
    vtable: Cell<Option<&'static VTable>>,
}

/// An extension object with a payload of type `T`.
#[repr(C)]
pub struct Ext<T> {
    object: ExtObject,
    payload: T,
}

impl<T: Payload> Ext<T> {
    const VTABLE: &'static VTable = &VTable {
        payload: TypeId::of::<T>(),
        size: size_of::<Ext<T>>(),
        // SAFETY (all): called through the vtable of an object made by `new::<T>`.
        trace: |p, t| unsafe { (*p.cast::<Ext<T>>()).payload.trace(t) },
        drop: |p| unsafe { std::ptr::drop_in_place(&raw mut (*p.cast::<Ext<T>>()).payload) },
        needs_finalizer: |p| unsafe { (*p.cast::<Ext<T>>()).payload.needs_finalizer() },
        clear_weak: |p, live| unsafe { (*p.cast::<Ext<T>>()).payload.clear_weak(live) },
    };

    /// A new instance of `ty`, which must be declared with `Kind::Ext`. MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, payload: T) -> R<Ref<Ext<T>>> {
        const { assert!(align_of::<Ext<T>>() <= 16) };
        let extra = vm.dict_word_size(ty);
        let object =
            vm.alloc::<ExtObject>(size_of::<Ext<T>>() + extra, vm.instance_shape::<ExtObject>(ty)?)?;
        vm.mark_instance(object.header(), ty);
        Ok(Self::fill(vm, object, payload))
    }

    /// An object that Python code never sees. MemoryError.
    pub fn internal(vm: &Vm, payload: T) -> R<Ref<Ext<T>>> {
        let object = vm.alloc::<ExtObject>(size_of::<Ext<T>>(), vm.internal_shape())?;
        Ok(Self::fill(vm, object, payload))
    }

    #[inline(always)]
    fn fill(vm: &Vm, object: Ref<ExtObject>, payload: T) -> Ref<Ext<T>> {
        // SAFETY: the memory has room for the payload.
        unsafe {
            (&raw mut (*object.as_ptr().cast::<Ext<T>>()).payload).write(payload);
            object.vtable.set(Some(Self::VTABLE));
            if T::NEEDS_DROP {
                vm.heap.register_free_on_death(object.header());
            }
            Ref::from_header(object.header())
        }
    }
}

impl<T: Payload> Ext<T> {
    /// Where in the object its payload begins, in bytes.
    pub const PAYLOAD: usize = std::mem::offset_of!(Ext<T>, payload);

    /// The object that a payload is part of.
    ///
    /// # Safety
    /// `payload` points to the payload of such an object.
    #[inline(always)]
    pub unsafe fn of_payload(payload: *const T) -> Ref<Ext<T>> {
        // SAFETY: the caller's promise.
        unsafe { Ref::from_header(payload.byte_sub(Self::PAYLOAD).cast()) }
    }
}

impl<T> Deref for Ext<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.payload
    }
}

// SAFETY: the vtable tells the payload's type. It is missing only while `new` runs.
unsafe impl Object for ExtObject {
    const KIND: Kind = Kind::Ext;
    fn size(&self) -> usize {
        self.vtable.get().map_or(size_of::<ExtObject>(), |v| v.size)
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        if let Some(v) = self.vtable.get() {
            // SAFETY: see above.
            unsafe { (v.trace)(self, tracer) }
        }
    }
    fn needs_finalizer(&self) -> bool {
        // SAFETY: see above.
        self.vtable.get().is_some_and(|v| unsafe { (v.needs_finalizer)(self) })
    }
    fn drop_external(&mut self) {
        if let Some(v) = self.vtable.get() {
            // SAFETY: see above; called once, when the object is dead.
            unsafe { (v.drop)(self) }
        }
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        // SAFETY: see above.
        self.vtable.get().is_some_and(|v| unsafe { (v.clear_weak)(self, is_live) })
    }
}

// SAFETY: `is` compares the payload's type, so the payload is a `T`.
unsafe impl<T: Payload> Object for Ext<T> {
    const KIND: Kind = Kind::Ext;
    #[inline(always)]
    fn is(header: &Header) -> bool {
        header.kind.get() == Kind::Ext as u8 && {
            // SAFETY: the kind says that it is an extension object.
            let object = unsafe { &*std::ptr::from_ref(header).cast::<ExtObject>() };
            object
                .vtable
                .get()
                .is_some_and(|v| std::ptr::eq(v, Self::VTABLE) || v.payload == TypeId::of::<T>())
        }
    }
    fn size(&self) -> usize {
        size_of::<Ext<T>>()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.payload.trace(tracer);
    }
}

/// A reference to an extension object as an argument; `Ref<Ext<T>>` under its payload's name.
pub struct ExtArg<T>(pub Ref<Ext<T>>);

impl<T: Payload> FromArg for ExtArg<T> {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<ExtArg<T>> {
        v.cast::<Ext<T>>().map(ExtArg).ok_or_else(|| wrong_type(vm, def, i, v, T::NAME))
    }
}

/// Does a builtin type's constructor refuse keyword arguments for this class? A subclass may have the other of `__init__`
/// and `__new__` of its own to take them.
pub fn refuses_keywords(vm: &Vm, class: Ref<Type>, base: Ref<Type>, other: Ref<Str>) -> bool {
    class == base || class.lookup(vm, other) == base.lookup(vm, other)
}

/// The class that a `__new__` of `base` got as its first argument. TypeError.
pub fn class_argument(vm: &Vm, args: &Args<'_>, base: Ref<Type>) -> R<Ref<Type>> {
    let name = || base.message_name();
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error(format!("{}.__new__(): not enough arguments", name())));
    };
    let Some(ty) = first.cast::<Type>() else {
        return Err(vm.type_error(format!(
            "{}.__new__(X): X is not a type object ({})",
            name(),
            vm.type_name(first)
        )));
    };
    if ty != base && !ty.is_subtype(base) {
        return Err(vm.type_error(format!(
            "{0}.__new__({1}): {1} is not a subtype of {0}",
            name(),
            ty.message_name()
        )));
    }
    Ok(ty)
}

/// The type of this declaration, made at the first use. MemoryError.
pub fn ext_type(vm: &Vm, def: &'static TypeDef) -> R<Ref<Type>> {
    let key = std::ptr::from_ref(def).addr();
    if let Some(&ty) = vm.ext_types.borrow().get(&key) {
        return Ok(ty);
    }
    let ty = vm.make_native_type(def)?;
    if vm.ext_types.borrow().is_empty() {
        // Some are made when they are first needed, and stand in no module.
        vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
            for ty in vm.ext_types.borrow().values() {
                t.visit_object(ty.header());
            }
        });
    }
    vm.ext_types.borrow_mut().insert(key, ty);
    Ok(ty)
}

/// The class that a `__new__` was called for must be that declared, or a subclass. TypeError.
pub fn check_class(vm: &Vm, class: Ref<Type>, def: &'static TypeDef) -> R<()> {
    if class.def().is_some_and(|d| std::ptr::eq(d, def)) {
        return Ok(());
    }
    let own = ext_type(vm, def)?;
    if class.is_subtype(own) {
        return Ok(());
    }
    let (own, class) = (own.message_name(), class.message_name());
    Err(vm.type_error(format!("{own}.__new__({class}): {class} is not a subtype of {own}")))
}
