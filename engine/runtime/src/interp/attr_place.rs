//! Where attributes of instances lie, for whoever relies on it: inline caches and compiled traces.
//!
//! An answer is good for all objects of the same shape while nothing changes that the type is watched for; see
//! `types/watch.rs`. Whoever keeps it must watch the name on the type.

use super::attr::{has_builtin_getattribute, is_data_descriptor, is_plain_method, own_attribute};
use super::call::plain_native;
use crate::native::NativeDef;
use crate::object::{Kind, Ref};
use crate::types::descriptor::{GetSet, Member, Property, Wrapper};
use crate::types::function::Function;
use crate::types::instance::Instance;
use crate::types::str::Str;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::Vm;

/// The slot of `__slots__` that the name stands for on the type.
fn member_of(vm: &Vm, ty: Ref<Type>, name: Ref<Str>) -> Option<usize> {
    let m = ty.lookup(vm, name)?.cast::<Member>()?;
    m.owner.cast::<Type>().is_some_and(|o| ty.is_subtype(o)).then(|| m.slot())
}

/// The slot that `obj.name` reads, which is set.
pub fn load_slot(vm: &Vm, i: Ref<Instance>, name: Ref<Str>) -> Option<usize> {
    let shape = i.shape(vm);
    let ty = shape.ty.get();
    if shape.is_dict || !has_builtin_getattribute(vm, ty) {
        return None;
    }
    // A name on the type may be a data descriptor, which wins.
    let own = shape.slot(name).filter(|&slot| slot >= ty.slot_count());
    let slot = match own {
        Some(slot) if !ty.lookup(vm, name).is_some_and(|v| is_data_descriptor(vm, v)) => slot,
        _ => member_of(vm, ty, name)?,
    };
    i.slot(slot).map(|_| slot)
}

/// The slot that `obj.name = v` writes, which is there already.
pub fn store_slot(vm: &Vm, i: Ref<Instance>, name: Ref<Str>) -> Option<usize> {
    let shape = i.shape(vm);
    let ty = shape.ty.get();
    if !vm.known.is_object_setattr(ty.special(vm, skein_bytecode::Special::SetAttr)) {
        return None;
    }
    if let Some(slot) = member_of(vm, ty, name) {
        return Some(slot);
    }
    let plain = ty.lookup(vm, name).is_none_or(|t| !is_data_descriptor(vm, t));
    shape.slot(name).filter(|&s| plain && !shape.is_dict && s >= ty.slot_count())
}

/// The slot that `obj.name = v` adds, and the shape behind it, if the object has room for it inside.
pub fn added_slot(vm: &Vm, i: Ref<Instance>, name: Ref<Str>) -> Option<(usize, u32)> {
    let shape = i.shape(vm);
    let ty = shape.ty.get();
    let plain = ty.lookup(vm, name).is_none_or(|t| !is_data_descriptor(vm, t));
    if shape.is_dict
        || !plain
        || shape.slot(name).is_some()
        || !ty.has_flag(type_flags::HAS_DICT)
        || !vm.known.is_object_setattr(ty.special(vm, skein_bytecode::Special::SetAttr))
    {
        return None;
    }
    let next = vm.shapes.with_attr(shape, name)?;
    let slot = next.names.len() - 1;
    (slot < i.capacity()).then_some((slot, next.id))
}

/// The function or method descriptor that `obj.name(…)` calls with the object in front. An error is that of a look-up
/// in the object's own dictionary.
pub fn plain_method(vm: &Vm, obj: Value, name: Ref<Str>) -> R<Option<Value>> {
    let ty = vm.type_of(obj);
    if obj.cast::<Type>().is_none()
        && has_builtin_getattribute(vm, ty)
        && let Some(f) = ty.lookup(vm, name)
        && is_plain_method(vm, f)
        && own_attribute(vm, obj, name)?.is_none()
    {
        return Ok(Some(f));
    }
    Ok(None)
}

/// Does the object's shape prove that it has no attribute of its own but those of the shape?
pub fn shape_tells_all(vm: &Vm, obj: Value) -> bool {
    const OWN: [u8; 3] = [Kind::Module as u8, Kind::Function as u8, Kind::Wrapper as u8];
    obj.header().is_some_and(|h| !OWN.contains(&h.kind.get()) && !vm.shapes.get(h.shape.get()).is_dict)
}

/// The Python function that computes `obj.name`, a property of the class.
pub fn property_getter(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<Ref<Function>> {
    let ty = vm.type_of(obj);
    let p = ty.lookup(vm, name)?.cast::<Property>()?;
    let plain = vm.type_of(p.value()) == vm.types.property
        && has_builtin_getattribute(vm, ty)
        && ty.special(vm, skein_bytecode::Special::GetAttr).is_none();
    p.getter.get().filter(|_| plain)?.cast::<Function>()
}

/// A descriptor of the class of an object without attributes of its own, and the native of its `__get__`.
pub fn native_descriptor(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<(Value, &'static NativeDef)> {
    let ty = vm.type_of(obj);
    let plain = !ty.has_flag(type_flags::HAS_DICT)
        && obj.cast::<Type>().is_none()
        && has_builtin_getattribute(vm, ty)
        && ty.special(vm, skein_bytecode::Special::GetAttr).is_none();
    let d = ty.lookup(vm, name).filter(|_| plain)?;
    let get = vm.type_of(d).special(vm, skein_bytecode::Special::Get)?;
    Some((d, plain_native(get)?))
}

/// The descriptor of a builtin type that gives `obj.name`.
pub fn getter(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<Ref<GetSet>> {
    let ty = vm.type_of(obj);
    let plain =
        has_builtin_getattribute(vm, ty) && ty.special(vm, skein_bytecode::Special::GetAttr).is_none();
    ty.lookup(vm, name).filter(|_| plain)?.cast::<GetSet>().filter(|g| g.applies_to(ty))
}

/// The Python function that `obj.name = v` calls, a property's of the class.
pub fn property_setter(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<Ref<Function>> {
    let ty = vm.type_of(obj);
    let p = ty.lookup(vm, name)?.cast::<Property>()?;
    let plain = obj.cast::<Instance>().is_some()
        && vm.type_of(p.value()) == vm.types.property
        && vm.known.is_object_setattr(ty.special(vm, skein_bytecode::Special::SetAttr));
    p.setter.get().filter(|_| plain)?.cast::<Function>()
}

/// The `__getattr__` that is asked for `obj.name`, since neither the object, as its shape tells, nor its class has it.
pub fn fallback(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<Ref<Function>> {
    let shape = obj.cast::<Instance>()?.shape(vm);
    let ty = shape.ty.get();
    let missing = !shape.is_dict
        && has_builtin_getattribute(vm, ty)
        && shape.slot(name).is_none()
        && ty.lookup(vm, name).is_none();
    ty.special(vm, skein_bytecode::Special::GetAttr).filter(|_| missing)?.cast::<Function>()
}

/// What `ty.name` is, if the class (or a base of it) has it as it is.
pub fn type_value(vm: &Vm, ty: Ref<Type>, name: Ref<Str>) -> Option<Value> {
    let meta = vm.type_of(ty.value());
    if !has_builtin_getattribute(vm, meta) || meta.lookup(vm, name).is_some() {
        return None;
    }
    let v = ty.lookup(vm, name)?;
    let plain =
        v.cast::<Function>().is_some() || vm.type_of(v).special(vm, skein_bytecode::Special::Get).is_none();
    plain.then_some(v)
}

/// The Python function that `ty.name` binds to the class: a class method.
pub fn class_method(vm: &Vm, ty: Ref<Type>, name: Ref<Str>) -> Option<Ref<Function>> {
    let meta = vm.type_of(ty.value());
    if !has_builtin_getattribute(vm, meta) || meta.lookup(vm, name).is_some() {
        return None;
    }
    let v = ty.lookup(vm, name)?;
    let wrapper = v.cast::<Wrapper>().filter(|_| vm.type_of(v) == vm.types.classmethod)?;
    wrapper.function.cast::<Function>()
}

/// The Python function that `super(class, obj).name` binds to the object.
pub fn super_method(vm: &Vm, class: Ref<Type>, obj: Value, name: Ref<Str>) -> Option<Ref<Function>> {
    let ty = vm.type_of(obj);
    if obj.cast::<Type>().is_some() || !ty.is_subtype(class) || name == vm.names.__class__ {
        return None;
    }
    let mro = ty.mro();
    let behind = mro.items().iter().position(|t| t.is(class.value()))? + 1;
    let found = mro.items()[behind..].iter().find_map(|t| match t.cast::<Type>()?.dict().get_str(vm, name) {
        Ok(found) => found,
        Err(_) => {
            vm.pending.set(None);
            Some(Value::NONE)
        }
    });
    found?.cast::<Function>()
}

/// What `obj.name` is on the type, if that is the attribute's value as it is.
pub fn class_value(vm: &Vm, obj: Value, name: Ref<Str>) -> R<Option<Value>> {
    let ty = vm.type_of(obj);
    if obj.cast::<Type>().is_none()
        && shape_tells_all(vm, obj)
        && has_builtin_getattribute(vm, ty)
        && let Some(v) = ty.lookup(vm, name)
        && !is_data_descriptor(vm, v)
        && vm.type_of(v).special(vm, skein_bytecode::Special::Get).is_none()
        && own_attribute(vm, obj, name)?.is_none()
    {
        return Ok(Some(v));
    }
    Ok(None)
}
