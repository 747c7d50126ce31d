//! `_weakref`: weak references. Their callbacks and `proxy` are not there yet.

use skein_runtime::modules::make_module;
use skein_runtime::object::{Header, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;

struct Weak {
    target: Cell<Option<Value>>,
    hash: Cell<Option<i64>>,
}

impl Payload for Weak {
    const NAME: &'static str = "weakref.ReferenceType";
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        if let Some(h) = self.target.get().and_then(|v| v.header())
            && !is_live(h)
        {
            self.target.set(None);
        }
        false
    }
}

native_type! {
    WEAK: "weakref.ReferenceType", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, *args)" => init;
        "__call__($self)" => call;
        "__hash__($self)" => hash;
        "__eq__($self, other, /)" => eq;
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all = args.positional();
    let (Some(ty), Some(&target)) = (all.first().and_then(|t| t.cast::<Type>()), all.get(1)) else {
        return Err(vm.type_error("__new__ expected at least 1 argument, got 0"));
    };
    if all.get(2).is_some_and(|c| !c.is_none()) {
        return Err(vm.unsupported("callbacks of weak references"));
    }
    if !vm.type_of(target).has_flag(type_flags::HAS_WEAKREF) {
        return Err(vm.type_error(format!("cannot create weak reference to '{}' object", vm.type_name(target))));
    }
    let w = Ext::new(vm, ty, Weak { target: Cell::new(Some(target)), hash: Cell::new(None) })?;
    vm.heap.register_weak(w.header());
    Ok(w.value())
}

fn init(_: &Vm, _args: Args<'_>) {}

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

fn eq(vm: &Vm, this: ExtArg<Weak>, other: Value) -> R<Value> {
    let Some(o) = other.cast::<Ext<Weak>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    match (this.0.target.get(), o.target.get()) {
        (Some(a), Some(b)) => vm.eq(a, b).map(Value::bool),
        _ => Ok(Value::bool(this.0 == o)),
    }
}

native_functions! { FUNCTIONS:
    "proxy(object, callback=None, /)" => proxy;
}

fn proxy(vm: &Vm, _v: Value, _callback: Option<Value>) -> R<()> {
    Err(vm.unsupported("weakref.proxy"))
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_weakref", FUNCTIONS)?;
    let ty = vm.make_native_type(&WEAK)?;
    for name in ["ref", "ReferenceType"] {
        m.dict().set_name(vm, name, ty.value())?;
    }
    Ok(m)
}
