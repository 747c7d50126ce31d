//! `_weakref`: weak references.

use super::weakproxy;
use skein_bytecode::Special;
use skein_runtime::object::{Field, Header, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;

/// A weak reference, or a proxy.
pub struct Weak {
    pub target: Cell<Option<Value>>,
    hash: Cell<Option<i64>>,
    /// Called with the reference when its target has died.
    callback: Field,
}

impl Payload for Weak {
    const NAME: &'static str = "weakref.ReferenceType";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Weak { target: _, hash: _, callback } = self;
        callback.trace(t);
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        if let Some(h) = self.target.get().and_then(|v| v.header())
            && !is_live(h)
        {
            self.target.set(None);
            return self.callback.get().is_some();
        }
        false
    }
}

native_type! {
    WEAK: "weakref.ReferenceType", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__call__($self)" => call;
        "__hash__($self)" => hash;
        "__eq__($self, other, /)" => |vm: &Vm, a: ExtArg<Weak>, b: Value| eq(vm, a.0, b, true);
        "__ne__($self, other, /)" => |vm: &Vm, a: ExtArg<Weak>, b: Value| eq(vm, a.0, b, false);
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
        "__repr__($self, /)" => repr;
    }
    getset {
        "__callback__" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Weak>>().map_or(Value::NONE, |w| w.callback.or_none()));
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all = args.positional();
    let (Some(ty), Some(&target)) = (all.first().and_then(|t| t.cast::<Type>()), all.get(1)) else {
        return Err(vm.type_error("__new__ expected at least 1 argument, got 0"));
    };
    if !ty.has_flag(type_flags::HEAP) && (args.has_keywords() || all.len() > 3) {
        let text = if args.has_keywords() {
            "ref() takes no keyword arguments".to_owned()
        } else {
            format!("__new__ expected at most 2 arguments, got {}", all.len() - 1)
        };
        return Err(vm.type_error(text));
    }
    make_weak(vm, ty, target, all.get(2).copied())
}

/// A reference or proxy of that type. TypeError where there can be none.
pub fn make_weak(vm: &Vm, ty: Ref<Type>, target: Value, callback: Option<Value>) -> R<Value> {
    let callback = callback.filter(|c| !c.is_none());
    if !vm.type_of(target).has_flag(type_flags::HAS_WEAKREF) {
        return Err(
            vm.type_error(format!("cannot create weak reference to '{}' object", vm.type_name(target)))
        );
    }
    // One that does nothing when its target dies can be shared, but for instances of subclasses.
    let plain = callback.is_none() && !ty.has_flag(type_flags::HEAP);
    if plain
        && let Some(known) = vm.known_weak(target, ty)
        && known.cast::<Ext<Weak>>().is_some_and(|w| w.target.get() == Some(target))
    {
        return Ok(known);
    }
    let w = Ext::new(
        vm,
        ty,
        Weak { target: Cell::new(Some(target)), hash: Cell::new(None), callback: Field::new(callback) },
    )?;
    vm.heap.register_weak(w.header());
    if plain {
        vm.keep_weak(target, ty, w.value());
    }
    Ok(w.value())
}

/// Takes what `__new__` took. TypeError.
fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    match args.positional().len() {
        _ if args.has_keywords() => Err(vm.type_error("ref() takes no keyword arguments")),
        2 | 3 => Ok(()),
        n => Err(vm.type_error(format!("__init__ expected 1 to 2 arguments, got {}", n.max(1) - 1))),
    }
}

fn call(_: &Vm, this: ExtArg<Weak>) -> Value {
    this.0.target.get().unwrap_or(Value::NONE)
}

fn hash(vm: &Vm, this: ExtArg<Weak>) -> R<i64> {
    if let Some(h) = this.0.hash.get() {
        return Ok(h);
    }
    let Some(v) = this.0.target.get() else { return Err(vm.type_error("weak object has gone away")) };
    let h = vm.hash(v)?;
    this.0.hash.set(Some(h));
    Ok(h)
}

fn eq(vm: &Vm, this: Ref<Ext<Weak>>, other: Value, sense: bool) -> R<Value> {
    let Some(o) = other.cast::<Ext<Weak>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let op = if sense { Special::Eq } else { Special::Ne };
    match (this.target.get(), o.target.get()) {
        (Some(a), Some(b)) => vm.rich_compare(op, a, b),
        _ => Ok(Value::bool((this == o) == sense)),
    }
}

fn repr(vm: &Vm, this: ExtArg<Weak>) -> R<String> {
    let at = this.0.value().bits();
    Ok(match this.0.target.get() {
        Some(v) => {
            let ty = vm.qualified_type_name(vm.type_of(v), &[b"builtins", b"__main__"])?;
            // By the type: `__getattr__` is not asked.
            let class = vm.type_of(v);
            let name = class.lookup(vm, vm.names.__name__).map(|f| vm.bind(f, v, class)).transpose()?;
            let name = name.and_then(|n| n.cast::<Str>());
            let name = name.map_or_else(String::new, |n| format!(" ({})", n.to_string_lossy()));
            format!("<weakref at {at:#x}; to '{ty}' at {:#x}{name}>", v.bits())
        }
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

/// All live references to an object, by looking at the whole heap: few programs ask.
fn references(vm: &Vm, target: Value) -> R<Ref<List>> {
    let mut found = 0;
    let mut count = |h: *mut Header| {
        // SAFETY: the heap hands out live objects.
        let v = unsafe { Value::from_bits(h as u64) };
        if v.cast::<Ext<Weak>>().is_some_and(|w| w.target.get() == Some(target)) {
            found += 1;
        }
    };
    vm.heap.for_each_object(&mut count);
    // Room for all is made before, since nothing may be allocated while the heap is looked at.
    let list = List::new(vm, &vm.filled(Value::NONE, found)?)?;
    let mut i = 0;
    vm.heap.for_each_object(&mut |h| {
        // SAFETY: as above.
        let v = unsafe { Value::from_bits(h as u64) };
        if i < list.len() && v.cast::<Ext<Weak>>().is_some_and(|w| w.target.get() == Some(target)) {
            list.store(vm, i, v);
            i += 1;
        }
    });
    list.splice(vm, i, found, &[])?;
    Ok(list)
}

/// Deletes the entry if its value is a reference whose target has died.
fn remove_dead(vm: &Vm, dict: Ref<Dict>, key: Value) -> R<()> {
    let dead =
        dict.get(vm, key)?.and_then(|v| v.cast::<Ext<Weak>>()).is_some_and(|w| w.target.get().is_none());
    if dead {
        dict.delete(vm, key)?;
    }
    Ok(())
}

native_functions! { FUNCTIONS:
    "getweakrefcount(object, /)" => |vm: &Vm, v: Value| -> R<usize> { Ok(references(vm, v)?.len()) };
    "getweakrefs(object, /)" => references;
    "_remove_dead_weakref(dct, key, /)" => remove_dead;
    "proxy(object, callback=None, /)" => weakproxy::proxy;
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_weakref", FUNCTIONS)?;
    let ty = vm.make_native_type(&WEAK)?;
    for name in ["ref", "ReferenceType"] {
        m.dict().set_name(vm, name, ty.value())?;
    }
    m.dict().set_name(vm, "ProxyType", ext_type(vm, &weakproxy::PROXY)?.value())?;
    m.dict().set_name(vm, "CallableProxyType", ext_type(vm, &weakproxy::CALLABLE_PROXY)?.value())?;
    Ok(m)
}
