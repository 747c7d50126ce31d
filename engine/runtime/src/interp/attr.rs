//! Attribute access: the look-up algorithm, and the inline caches of its ops.

use crate::context::FRAME_WORDS;
use crate::interp::attr_place;
use crate::interp::attr_table::Use;
use crate::interp::call::{call_soft, call_special, call_special_2};
use crate::interp::frames::frame_code;
use crate::interp::result::deliver;
use crate::interp::{At, Consumer, Cont, ContKind, module_names};
use crate::native::{Args, GetSetDef};
use crate::object::{Kind, Ref, dict_word};
use crate::types::code::{AttrCache, MethodCache, ModuleCache};
use crate::types::descriptor::{GetSet, Member, Property, Super, Wrapper};
use crate::types::dict::Dict;
use crate::types::function::{BoundMethod, Function};
use crate::types::instance::{INSTANCE_SLOTS, Instance, VALUES_SLOTS};
use crate::types::module::Module;
use crate::types::native::NativeFunction;
use crate::types::str::Str;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, Special};

/// What a look-up came to.
pub enum AttrLookup {
    /// The attribute's value.
    Value(Value),
    /// It is what this callable returns for these arguments (a property's getter, a `__get__`).
    Call(Value, [Value; 3], usize),
    /// There is none.
    Missing,
}

/// Does the type's `__getattribute__` do just what `object`'s, `type`'s or a module's does?
pub(super) fn has_builtin_getattribute(vm: &Vm, ty: Ref<Type>) -> bool {
    match ty.special(vm, Special::GetAttribute) {
        Some(f) => vm.known.is_getattribute(f),
        None => true,
    }
}

/// Is the descriptor one that sets or deletes (so that it wins over the instance)?
pub(super) fn is_data_descriptor(vm: &Vm, v: Value) -> bool {
    match v.header().map(|h| h.kind.get()) {
        Some(k) if k == Kind::Function as u8 || k == Kind::Native as u8 => false,
        Some(k) if k == Kind::Property as u8 || k == Kind::GetSet as u8 || k == Kind::Member as u8 => true,
        None => false,
        Some(_) => {
            let ty = vm.type_of(v);
            ty.special(vm, Special::Set).is_some() || ty.special(vm, Special::Delete).is_some()
        }
    }
}

/// Does a data descriptor say what is read? One that has only `__set__` does not.
fn has_getter(vm: &Vm, v: Value) -> bool {
    match v.header().map(|h| h.kind.get()) {
        Some(k) if k == Kind::Property as u8 || k == Kind::GetSet as u8 || k == Kind::Member as u8 => true,
        _ => vm.type_of(v).special(vm, Special::Get).is_some(),
    }
}

/// Applies `__get__` to what a type's dictionary had: for `obj` of type `ty`, or for the type itself.
pub(super) fn bind_descriptor(vm: &Vm, v: Value, obj: Option<Value>, ty: Ref<Type>) -> R<AttrLookup> {
    let Some(header) = v.header() else { return Ok(AttrLookup::Value(v)) };
    const FUNCTION: u8 = Kind::Function as u8;
    const NATIVE: u8 = Kind::Native as u8;
    const PROPERTY: u8 = Kind::Property as u8;
    const GETSET: u8 = Kind::GetSet as u8;
    const MEMBER: u8 = Kind::Member as u8;
    const WRAPPER: u8 = Kind::Wrapper as u8;
    Ok(AttrLookup::Value(match (header.kind.get(), obj) {
        // SAFETY (casts of this match): the kind says so.
        (FUNCTION, Some(obj)) => BoundMethod::new(vm, v, obj)?.value(),
        (NATIVE, Some(obj)) => {
            let native: Ref<NativeFunction> = unsafe { v.cast_unchecked() };
            if native.is_method(vm) { native.bind(vm, obj)?.value() } else { v }
        }
        (PROPERTY, Some(obj)) if vm.type_of(v) == vm.types.property => {
            let p: Ref<Property> = unsafe { v.cast_unchecked() };
            match p.getter.get().filter(|g| !g.is_none()) {
                Some(getter) => return Ok(AttrLookup::Call(getter, [obj; 3], 1)),
                None => return Err(property_error(vm, p, obj, "getter")),
            }
        }
        (GETSET, Some(obj)) => {
            let g: Ref<GetSet> = unsafe { v.cast_unchecked() };
            g.get(vm, obj)?
        }
        (MEMBER, Some(obj)) => {
            let m: Ref<Member> = unsafe { v.cast_unchecked() };
            get_member(vm, m, obj)?
        }
        (FUNCTION | NATIVE | GETSET | MEMBER, None) => v,
        (WRAPPER, _) if vm.type_of(v) == vm.types.staticmethod => {
            let w: Ref<Wrapper> = unsafe { v.cast_unchecked() };
            w.function.value()
        }
        (WRAPPER, _) if [vm.types.classmethod, vm.types.classmethod_descriptor].contains(&vm.type_of(v)) => {
            let w: Ref<Wrapper> = unsafe { v.cast_unchecked() };
            vm.bind_to_class(w.function.value(), ty.value())?
        }
        _ => match vm.type_of(v).special(vm, Special::Get) {
            Some(get) => {
                // It may be a descriptor itself, and so on.
                vm.check_depth()?;
                return Ok(AttrLookup::Call(
                    vm.bind(get, v, vm.type_of(v))?,
                    [obj.unwrap_or(Value::NONE), ty.value(), Value::NONE],
                    2,
                ));
            }
            None => v,
        },
    }))
}

#[cold]
pub(super) fn property_error(vm: &Vm, p: Ref<Property>, obj: Value, what: &str) -> Raised {
    let owner = vm.type_of(obj).qualname.value();
    let owner = owner.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    vm.attribute_error(match p.name.cast::<Str>() {
        Some(n) => format!("property '{}' of '{owner}' object has no {what}", n.to_string_lossy()),
        None => format!("property of '{owner}' object has no {what}"),
    })
}

fn member_slot(vm: &Vm, m: Ref<Member>, obj: Value) -> R<Ref<Instance>> {
    let owner = m.owner.cast::<Type>();
    match obj.cast::<Instance>() {
        Some(i) if owner.is_some_and(|o| vm.type_of(obj).is_subtype(o)) => Ok(i),
        _ => Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            m.name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
            owner.map(|o| o.name_string()).unwrap_or_default(),
            vm.type_name(obj)
        ))),
    }
}

/// A slot's value: instances keep it inline, subclasses of builtin layouts in their dictionary.
fn get_member(vm: &Vm, m: Ref<Member>, obj: Value) -> R<Value> {
    let name = m.name.cast::<Str>().unwrap_or(vm.names.__dict__);
    let v = if let Some(word) = obj.header().and_then(dict_word) {
        match word.cast::<Dict>() {
            Some(d) => d.get_str(vm, name)?,
            None => None,
        }
    } else {
        member_slot(vm, m, obj)?.slot(m.slot())
    };
    v.ok_or_else(|| vm.no_attribute(obj, name))
}

/// Sets or deletes (`None`) a slot.
pub(super) fn set_member(vm: &Vm, m: Ref<Member>, obj: Value, v: Option<Value>) -> R<()> {
    let name = m.name.cast::<Str>().unwrap_or(vm.names.__dict__);
    if v.is_none() {
        get_member(vm, m, obj)?;
    }
    if obj.header().and_then(dict_word).is_some() {
        let Some(d) = vm.word_dict(obj)? else { return Err(vm.no_attribute(obj, name)) };
        return match v {
            Some(v) => d.set_str(vm, name, v),
            None => d.delete_str(vm, name).map(|_| ()),
        };
    }
    member_slot(vm, m, obj)?.set_slot(vm, m.slot(), v)
}

/// The attribute of the object itself, not of its type.
pub(super) fn own_attribute(vm: &Vm, obj: Value, name: Ref<Str>) -> R<Option<Value>> {
    if let Some(i) = obj.cast::<Instance>() {
        return i.get_own(vm, name);
    }
    if let Some(m) = obj.cast::<Module>() {
        return m.dict().get_str(vm, name);
    }
    if let Some(f) = obj.cast::<Function>() {
        return match f.extra(crate::types::function::Extra::Dict).and_then(|d| d.cast::<Dict>()) {
            Some(d) => d.get_str(vm, name),
            None => Ok(None),
        };
    }
    if let Some(w) = obj.cast::<Wrapper>() {
        return match w.dict.cast::<Dict>() {
            Some(d) => d.get_str(vm, name),
            None => Ok(None),
        };
    }
    match obj.header().and_then(dict_word).and_then(|w| w.cast::<Dict>()) {
        Some(d) => d.get_str(vm, name),
        None => Ok(None),
    }
}

/// `object.__getattribute__` and those of types and modules, up to a getter's call.
pub fn generic_lookup(vm: &Vm, obj: Value, name: Ref<Str>) -> R<AttrLookup> {
    let ty = vm.type_of(obj);
    let on_type = ty.lookup(vm, name);
    if let Some(v) = on_type
        && is_data_descriptor(vm, v)
        && has_getter(vm, v)
    {
        return bind_descriptor(vm, v, Some(obj), ty);
    }
    if let Some(t) = obj.cast::<Type>() {
        if let Some(v) = t.lookup(vm, name) {
            return bind_descriptor(vm, v, None, t);
        }
    } else if let Some(v) = own_attribute(vm, obj, name)? {
        return Ok(AttrLookup::Value(v));
    }
    match on_type {
        Some(v) => bind_descriptor(vm, v, Some(obj), ty),
        None => Ok(AttrLookup::Missing),
    }
}

/// The whole of `obj.name`, softly.
fn get_attr_soft(vm: &Vm, resume: At, obj: Value, name: Ref<Str>, cont: Cont) -> R<At> {
    let ty = vm.type_of(obj);
    if !has_builtin_getattribute(vm, ty)
        && let Some(f) = ty.special(vm, Special::GetAttribute)
    {
        let args = [obj, name.value()];
        let plain = cont.kind == ContKind::Plain && cont.consumer == Consumer::Store;
        if plain && ty.special(vm, Special::GetAttr).is_some() {
            let cont = cont.kind(ContKind::GetAttribute).with(obj, name.value());
            return match f.cast::<Function>() {
                Some(_) => call_special(vm, resume, f, Args::new(&args, None), cont),
                None => {
                    let v = vm.get_attr(obj, name)?;
                    deliver(vm, resume, cont, v)
                }
            };
        }
        return call_special(vm, resume, f, Args::new(&args, None), cont);
    }
    let found = match generic_lookup(vm, obj, name) {
        Ok(found) => found,
        // A native getter or an empty slot.
        Err(e) => match ty.special(vm, Special::GetAttr) {
            Some(_) if vm.catch(vm.exc.attribute_error).is_some() => AttrLookup::Missing,
            _ => return Err(e),
        },
    };
    match found {
        AttrLookup::Value(v) => deliver(vm, resume, cont, v),
        AttrLookup::Call(f, args, n) => {
            let has_fallback = ty.special(vm, Special::GetAttr).is_some() && cont.kind == ContKind::Plain;
            let cont =
                if has_fallback { cont.kind(ContKind::GetAttribute).with(obj, name.value()) } else { cont };
            if has_fallback && !is_python(f) {
                let v = vm.get_attr(obj, name)?;
                return deliver(vm, resume, cont, v);
            }
            call_soft(vm, resume, f, Args::new(&args[..n], None), cont)
        }
        AttrLookup::Missing => missing_soft(vm, resume, obj, name, cont),
    }
}

/// A Python function, bound or not?
fn is_python(f: Value) -> bool {
    let f = f.cast::<BoundMethod>().map_or(f, |m| m.function.value());
    f.cast::<Function>().is_some()
}

fn missing_soft(vm: &Vm, resume: At, obj: Value, name: Ref<Str>, cont: Cont) -> R<At> {
    match vm.type_of(obj).special(vm, Special::GetAttr) {
        Some(f) => call_special_2(vm, resume, f, obj, name.value(), cont),
        None => match module_getattr(vm, obj)? {
            Some(f) => call_soft(vm, resume, f, Args::new(&[name.value()], None), cont),
            None => Err(no_attribute(vm, obj, name)),
        },
    }
}

/// A module's own `__getattr__` (PEP 562).
pub(super) fn module_getattr(vm: &Vm, obj: Value) -> R<Option<Value>> {
    match obj.cast::<Module>() {
        Some(m) => m.dict().get_str(vm, vm.names.__getattr__),
        None => Ok(None),
    }
}

#[cold]
pub(super) fn no_attribute(vm: &Vm, obj: Value, name: Ref<Str>) -> Raised {
    if let Some(m) = obj.cast::<Module>() {
        return module_names::no_attribute(vm, m, name);
    }
    vm.no_attribute(obj, name)
}

/// `__getattribute__` or a getter raised AttributeError, and the type has `__getattr__`.
pub fn after_attribute_error(vm: &Vm, to: At, cont: Cont) -> R<At> {
    let (obj, name) = (cont.a, cont.b);
    let Some(f) = vm.type_of(obj).special(vm, Special::GetAttr) else {
        return Err(vm.attribute_error("__getattr__ is gone"));
    };
    call_special_2(vm, to, f, obj, name, Cont::store(cont.dst as usize))
}

fn set_op(at: At, op: Op) {
    at.quicken(op);
}

/// Misses after which a site is left generic and asks the table.
const MEGAMORPHIC: u32 = 4;

pub fn load_attr(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the loader has put a cache there.
    let cache = unsafe { &*at.extra_ptr::<AttrCache>() };
    let obj = at.reg(at.b());
    if note_module(vm, at, obj, cache.name, Op::LoadAttrModule) {
        return Ok(at);
    }
    if let Some(i) = obj.cast::<Instance>() {
        if let Some(slot) = vm.attributes.find(i.header().shape.get(), cache.name, Use::Load)
            && let Some(v) = i.slot(slot as usize)
        {
            at.set(at.a(), v);
            return Ok(at.skip(2));
        }
        if let Some(slot) = attr_place::load_slot(vm, i, cache.name) {
            note_load(vm, at, cache, i.shape(vm).ty.get(), i, slot)?;
        }
    } else if let Some(getter) = native_getter(vm, obj, cache.name) {
        let v = getter.get(vm, obj)?;
        at.set(at.a(), v);
        return Ok(at.skip(2));
    }
    get_attr_soft(vm, at.skip(2), obj, cache.name, Cont::store(at.a()))
}

/// The getter of a builtin type for this attribute of its objects, where nothing else has a say.
fn native_getter(vm: &Vm, obj: Value, name: Ref<Str>) -> Option<&'static GetSetDef> {
    let shape = obj.header()?.shape.get();
    if let Some(def) = vm.attributes.find(shape, name, Use::GetSet) {
        // SAFETY: noted below, of a declaration, which is never freed.
        return Some(unsafe { &*(def as *const GetSetDef) });
    }
    let def = attr_place::getter(vm, obj, name)?.def();
    vm.type_of(obj).watch_name(name);
    vm.attributes.note(shape, name, Use::GetSet, std::ptr::from_ref(def) as u64);
    Some(def)
}

/// Caches a plain module's global by its cell, so that the instruction is to be tried again.
fn note_module(vm: &Vm, at: At, obj: Value, name: Ref<Str>, op: Op) -> bool {
    // SAFETY: the loader has put a cache there; all kinds have the same size.
    let cache = unsafe { &*at.extra_ptr::<ModuleCache>() };
    let Some(m) = obj.cast::<Module>() else { return false };
    // A site that has seen another module is left generic: the cache's first word is then set.
    if cache.module.get() != 0 && cache.module.get() != obj.bits() || vm.type_of(obj) != vm.types.module {
        return false;
    }
    // Names like `__class__` and `__dict__` are the type's.
    if vm.types.module.lookup(vm, name).is_some() {
        return false;
    }
    let Some(cell) = m.dict().cell(vm, name) else { return false };
    frame_code(at.base).barrier(vm);
    cache.module.set(obj.bits());
    cache.cell.set(Some(cell.value()));
    set_op(at, op);
    true
}

/// Caches where an attribute is: in the instruction, or where that did not help, in the table.
fn note_load(vm: &Vm, at: At, cache: &AttrCache, ty: Ref<Type>, i: Ref<Instance>, slot: usize) -> R<()> {
    let shape = i.header().shape.get();
    if cache.misses.get() < MEGAMORPHIC {
        ty.watch(vm, cache.name, frame_code(at.base))?;
        note_attr(at, cache, shape, i.capacity(), slot, Op::LoadAttrSlot, Op::LoadAttrOverflow);
    } else {
        ty.watch_name(cache.name);
        vm.attributes.note(shape, cache.name, Use::Load, slot as u64);
    }
    Ok(())
}

fn note_attr(at: At, cache: &AttrCache, shape: u32, capacity: usize, slot: usize, inline: Op, overflow: Op) {
    cache.misses.set(cache.misses.get() + 1);
    cache.shape.set(shape);
    if slot < capacity {
        cache.offset.set((INSTANCE_SLOTS + 8 * slot) as u32);
        set_op(at, inline);
    } else {
        cache.offset.set((VALUES_SLOTS + 8 * (slot - capacity)) as u32);
        set_op(at, overflow);
    }
}

pub fn store_attr(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the loader has put a cache there.
    let cache = unsafe { &*at.extra_ptr::<AttrCache>() };
    let (obj, v, name) = (at.reg(at.a()), at.reg(at.b()), cache.name);
    if let Some(i) = obj.cast::<Instance>()
        && let Some(slot) = vm.attributes.find(i.header().shape.get(), name, Use::Store)
    {
        i.set_slot(vm, slot as usize, Some(v))?;
        return Ok(at.skip(2));
    }
    let ty = vm.type_of(obj);
    if let Some(i) = obj.cast::<Instance>()
        && vm.known.is_object_setattr(ty.special(vm, Special::SetAttr))
    {
        let shape = i.shape(vm);
        if let Some(slot) = attr_place::store_slot(vm, i, name) {
            i.set_slot(vm, slot, Some(v))?;
            if slot < i.capacity() && cache.misses.get() < MEGAMORPHIC {
                ty.watch(vm, name, frame_code(at.base))?;
                note_attr(at, cache, shape.id, i.capacity(), slot, Op::StoreAttrSlot, Op::StoreAttr);
            } else {
                ty.watch_name(name);
                vm.attributes.note(shape.id, name, Use::Store, slot as u64);
            }
            return Ok(at.skip(2));
        }
        let plain = ty.lookup(vm, name).is_none_or(|t| !is_data_descriptor(vm, t));
        if plain && ty.has_flag(type_flags::HAS_DICT) {
            i.set_own(vm, name, v)?;
            let after = i.shape(vm);
            let slot = after.names.len().wrapping_sub(1);
            if !after.is_dict && !shape.is_dict && slot < i.capacity() && cache.misses.get() < MEGAMORPHIC {
                ty.watch(vm, name, frame_code(at.base))?;
                note_attr(at, cache, shape.id, i.capacity(), slot, Op::StoreAttrAdd, Op::StoreAttr);
                cache.next_shape.set(after.id);
            }
            return Ok(at.skip(2));
        }
    }
    set_attr_soft(vm, at.skip(2), obj, name, Some(v))
}

pub fn delete_attr(vm: &Vm, at: At) -> R<At> {
    set_attr_soft(vm, at.skip(2), at.reg(at.a()), at.extra_name(), None)
}

/// `obj.name = v`, or deletion (`None`), softly where Python code defines it.
fn set_attr_soft(vm: &Vm, resume: At, obj: Value, name: Ref<Str>, v: Option<Value>) -> R<At> {
    let ty = vm.type_of(obj);
    let special = if v.is_some() { Special::SetAttr } else { Special::DelAttr };
    let cont = Cont::new(ContKind::Discard, Consumer::Drop, 0);
    let f = ty.special(vm, special);
    if let Some(f) = f
        && f.cast::<Function>().is_some()
    {
        let args = [obj, name.value(), v.unwrap_or(Value::NONE)];
        return call_special(vm, resume, f, Args::new(&args[..2 + usize::from(v.is_some())], None), cont);
    }
    if f.is_some_and(|f| vm.known.is_setattr(f))
        && let Some(p) = ty.lookup(vm, name).and_then(|d| d.cast::<Property>())
        && vm.type_of(p.value()) == vm.types.property
    {
        let setter = if v.is_some() { p.setter.get() } else { p.deleter.get() };
        return match setter.filter(|s| !s.is_none()) {
            Some(f) => {
                let args = [obj, v.unwrap_or(Value::NONE)];
                call_soft(vm, resume, f, Args::new(&args[..1 + usize::from(v.is_some())], None), cont)
            }
            None => Err(property_error(vm, p, obj, if v.is_some() { "setter" } else { "deleter" })),
        };
    }
    // A data descriptor of a Python class.
    if f.is_some_and(|f| vm.known.is_setattr(f))
        && obj.cast::<Type>().is_none()
        && let Some(d) = ty.lookup(vm, name)
        && let Some(set) = vm.type_of(d).special(vm, if v.is_some() { Special::Set } else { Special::Delete })
        && set.cast::<Function>().is_some()
    {
        let args = [d, obj, v.unwrap_or(Value::NONE)];
        return call_soft(vm, resume, set, Args::new(&args[..2 + usize::from(v.is_some())], None), cont);
    }
    vm.set_or_delete_attr(obj, name, v)?;
    Ok(resume)
}

pub fn load_method(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the loader has put a cache there.
    let cache = unsafe { &*at.extra_ptr::<MethodCache>() };
    let (obj, name, w) = (at.reg(at.b()), cache.name, at.window());
    if let Some(h) = obj.header()
        && let Some(f) = vm.attributes.find(h.shape.get(), name, Use::Method)
    {
        // SAFETY: noted below; what takes the function from its type makes the table forget it.
        at.set(w, unsafe { Value::from_bits(f) });
        at.set(w + FRAME_WORDS, obj);
        return Ok(at.skip(2));
    }
    if note_module(vm, at, obj, name, Op::LoadMethodModule) {
        return Ok(at);
    }
    let ty = vm.type_of(obj);
    if let Some(f) = attr_place::plain_method(vm, obj, name)? {
        at.set(w, f);
        at.set(w + FRAME_WORDS, obj);
        // Cached where the shape proves that the object itself has no such attribute.
        if let Some(header) = obj.header().filter(|_| attr_place::shape_tells_all(vm, obj)) {
            let shape = vm.shapes.get(header.shape.get());
            if cache.misses.get() >= MEGAMORPHIC {
                ty.watch_name(name);
                vm.attributes.note(shape.id, name, Use::Method, f.bits());
                return Ok(at.skip(2));
            }
            ty.watch(vm, name, frame_code(at.base))?;
            cache.misses.set(cache.misses.get() + 1);
            cache.shape.set(shape.id);
            cache.function.set(f);
            set_op(at, Op::LoadMethodCached);
        }
        return Ok(at.skip(2));
    }
    at.set(w + FRAME_WORDS, Value::UNBOUND);
    get_attr_soft(vm, at.skip(2), obj, name, Cont::store(w))
}

/// A function or method descriptor: binding it only puts the receiver first.
pub(super) fn is_plain_method(vm: &Vm, f: Value) -> bool {
    f.cast::<Function>().is_some() || f.cast::<NativeFunction>().is_some_and(|n| n.is_method(vm))
}

pub fn load_super_attr(vm: &Vm, at: At) -> R<At> {
    super_attr(vm, at, false)
}

pub fn load_super_attr0(vm: &Vm, at: At) -> R<At> {
    super_attr(vm, at, true)
}

fn super_attr(vm: &Vm, at: At, zero_args: bool) -> R<At> {
    let first = at.b();
    let (callee, class, receiver) = (at.reg(first), at.reg(first + 1), at.reg(first + 2));
    let name = at.extra_name();
    let resume = at.skip(2);
    let object = if callee.is(vm.types.super_.value()) {
        vm.new_super(class, receiver)?.value()
    } else if zero_args {
        vm.call(callee, &[])?
    } else {
        vm.call(callee, &[class, receiver])?
    };
    get_attr_soft(vm, resume, object, name, Cont::store(at.a()))
}

/// `super` object's look-up: behind its class in the receiver's MRO.
pub fn super_lookup(vm: &Vm, s: Ref<Super>, name: Ref<Str>) -> R<AttrLookup> {
    let (Some(receiver), Some(ty)) = (s.receiver.get(), s.receiver_type.cast::<Type>()) else {
        return Ok(AttrLookup::Missing);
    };
    if name == vm.names.__class__ {
        return Ok(AttrLookup::Missing);
    }
    let mro = ty.mro();
    let behind = mro.items().iter().position(|t| Some(*t) == s.this_class.get()).map_or(0, |i| i + 1);
    for t in &mro.items()[behind..] {
        let Some(t) = t.cast::<Type>() else { continue };
        if let Some(v) = t.dict().get_str(vm, name)? {
            let on_class = receiver.is(ty.value());
            return bind_descriptor(vm, v, (!on_class).then_some(receiver), ty);
        }
    }
    Ok(AttrLookup::Missing)
}

fn special_error(vm: &Vm, s: Special, obj: Value) -> Raised {
    let name = vm.type_name(obj);
    let has_both = |enter: Special, exit: Special| {
        let ty = vm.type_of(obj);
        ty.special(vm, enter).is_some() && ty.special(vm, exit).is_some()
    };
    vm.type_error(match s {
        Special::Enter | Special::Exit => format!(
            "'{name}' object does not support the context manager protocol (missed {} method){}",
            s.name(),
            match has_both(Special::AEnter, Special::AExit) {
                true => " but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?",
                false => "",
            }
        ),
        Special::AEnter | Special::AExit => format!(
            "'{name}' object does not support the asynchronous context manager protocol (missed {} method){}",
            s.name(),
            match has_both(Special::Enter, Special::Exit) {
                true => " but it supports the context manager protocol. Did you mean to use 'with'?",
                false => "",
            }
        ),
        Special::Iter => format!("'{name}' object is not iterable"),
        _ => format!("'{name}' object has no {}", s.name()),
    })
}

pub fn load_special_method(vm: &Vm, at: At) -> R<At> {
    let (obj, w) = (at.reg(at.b()), at.window());
    let s = Special::from_u8(at.extra() as u8).unwrap_or(Special::Call);
    let ty = vm.type_of(obj);
    let Some(f) = ty.special(vm, s) else { return Err(special_error(vm, s, obj)) };
    if is_plain_method(vm, f) {
        at.set(w, f);
        at.set(w + FRAME_WORDS, obj);
    } else {
        at.set(w, vm.bind(f, obj, ty)?);
        at.set(w + FRAME_WORDS, Value::UNBOUND);
    }
    Ok(at.skip(2))
}

pub fn bind_special(vm: &Vm, at: At) -> R<At> {
    let obj = at.reg(at.b());
    let s = Special::from_u8(at.c() as u8).unwrap_or(Special::Call);
    let ty = vm.type_of(obj);
    let Some(f) = ty.special(vm, s) else { return Err(special_error(vm, s, obj)) };
    at.set(at.a(), vm.bind(f, obj, ty)?);
    Ok(at.skip(1))
}
