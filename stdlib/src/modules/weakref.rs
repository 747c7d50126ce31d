//! `_weakref`: weak references.

use super::weakproxy;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::types::weakref::{Order, Weak, plain_weak_ref, weak_refs};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};

native_type! {
    WEAK: "weakref.ReferenceType", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, *args)" => init;
        "__call__($self)" => call;
        "__hash__($self)" => hash;
        "__eq__($self, other, /)" => eq;
        "__repr__($self, /)" => repr;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "__callback__" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Weak>>().map_or(Value::NONE, |w| w.callback.or_none()));
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let own = ext_type(vm, &WEAK)?;
    let ty = class_argument(vm, &args, own)?;
    if args.has_keywords() && ty == own && args.positional().len() > 1 {
        return Err(vm.type_error("ref() takes no keyword arguments"));
    }
    match args.positional()[1..] {
        [target] => make_weak(vm, ty, target, None),
        [target, callback] => make_weak(vm, ty, target, Some(callback)),
        [] => Err(vm.type_error("__new__ expected at least 1 argument, got 0")),
        // A subclass may take more in its `__init__`.
        [target, callback, ..] if ty != own => make_weak(vm, ty, target, Some(callback)),
        ref all => Err(vm.type_error(format!("__new__ expected at most 2 arguments, got {}", all.len()))),
    }
}

/// A reference or proxy of that type; the one that there is if it is plain. TypeError where there can be none.
pub fn make_weak(vm: &Vm, ty: Ref<Type>, target: Value, callback: Option<Value>) -> R<Value> {
    let callback = callback.filter(|c| !c.is_none());
    if !vm.type_of(target).has_flag(type_flags::HAS_WEAKREF) {
        return Err(
            vm.type_error(format!("cannot create weak reference to '{}' object", vm.type_name(target)))
        );
    }
    let order = match callback {
        None if ty == ext_type(vm, &WEAK)? => Order::Plain,
        None if !ty.is_subtype(ext_type(vm, &WEAK)?) => Order::PlainProxy,
        _ => Order::Other,
    };
    if order != Order::Other
        && let Some(w) = plain_weak_ref(vm, ty, target)
    {
        return Ok(w.value());
    }
    Ok(Weak::new(vm, ty, target, callback, order)?.value())
}

fn init(_: &Vm, _args: Args<'_>) {}

fn call(_: &Vm, this: ExtArg<Weak>) -> Value {
    this.0.target().unwrap_or(Value::NONE)
}

fn hash(vm: &Vm, this: ExtArg<Weak>) -> R<i64> {
    if let Some(h) = this.0.hash.get() {
        return Ok(h);
    }
    let Some(v) = this.0.target() else { return Err(vm.type_error("weak object has gone away")) };
    let h = vm.hash(v)?;
    this.0.hash.set(Some(h));
    Ok(h)
}

fn eq(vm: &Vm, this: ExtArg<Weak>, other: Value) -> R<Value> {
    let Some(o) = other.cast::<Ext<Weak>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    match (this.0.target(), o.target()) {
        (Some(a), Some(b)) => vm.eq(a, b).map(Value::bool),
        _ => Ok(Value::bool(this.0 == o)),
    }
}

fn repr(vm: &Vm, this: ExtArg<Weak>) -> R<String> {
    let at = this.0.value().bits();
    Ok(match this.0.target() {
        Some(v) => format!("<weakref at {at:#x}; to '{}' at {:#x}>", vm.type_name(v), v.bits()),
        None => format!("<weakref at {at:#x}; dead>"),
    })
}

/// A weak reference's target has died: its callback is called once.
pub fn cleared(vm: &Vm, v: Value) {
    let Some(w) = v.cast::<Ext<Weak>>() else { return };
    let Some(f) = w.callback.get() else { return };
    w.callback.init(None);
    if vm.call(f, &[v]).is_err() {
        vm.unraisable(Some("Exception ignored while calling weakref callback"), f);
    }
}

/// All live references to an object.
fn references(vm: &Vm, target: Value) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 0)?;
    for w in weak_refs(vm, target) {
        list.push(vm, w.value())?;
    }
    Ok(list)
}

/// Deletes the entry if its value is a reference whose target has died.
fn remove_dead(vm: &Vm, dict: Ref<Dict>, key: Value) -> R<()> {
    let dead = dict.get(vm, key)?.and_then(|v| v.cast::<Ext<Weak>>()).is_some_and(|w| w.target().is_none());
    if dead {
        dict.delete(vm, key)?;
    }
    Ok(())
}

native_functions! { FUNCTIONS:
    "getweakrefcount(object, /)" => |vm: &Vm, v: Value| weak_refs(vm, v).count();
    "getweakrefs(object, /)" => references;
    "_remove_dead_weakref(dct, key, /)" => remove_dead;
    "proxy(object, callback=None, /)" => weakproxy::proxy;
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_weakref", FUNCTIONS)?;
    let ty = ext_type(vm, &WEAK)?;
    for name in ["ref", "ReferenceType"] {
        m.dict().set_name(vm, name, ty.value())?;
    }
    m.dict().set_name(vm, "ProxyType", ext_type(vm, &weakproxy::PROXY)?.value())?;
    m.dict().set_name(vm, "CallableProxyType", ext_type(vm, &weakproxy::CALLABLE_PROXY)?.value())?;
    Ok(m)
}
