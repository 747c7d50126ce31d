//! What Python code sees of `builtin_function_or_method`, `method_descriptor`.

use super::call;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub BUILTIN: "builtin_function_or_method", Kind::Native, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {
        "__call__($self, /, *args, **kwargs)" => call, "Call self as a function.";
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "__name__" => |vm: &Vm, v: Ref<NativeFunction>| vm.str(v.def().name);
        "__qualname__" => qualname;
        "__doc__" => doc;
        "__self__" => receiver;
        "__module__" => module;
        "__text_signature__" => text_signature;
    }
}

/// What a type's natives are found as: methods, and what stands in a slot of the type.
macro_rules! descriptor {
    ($def:ident, $name:literal, $what:literal) => {
        native_type! {
            pub $def: $name, Kind::Native, type_flags::NO_NEW;
            methods {
                "__call__($self, /, *args, **kwargs)" => call, "Call self as a function.";
                "__get__($self, instance, owner=None, /)" => get, "Return an attribute of instance, which is of type owner.";
                "__repr__($self, /)" => |_: &Vm, f: Ref<NativeFunction>| format!("<{} '{}' of '{}' objects>", $what, f.def().name, owner_name(f));
                "__reduce__($self, /)" => reduce;
            }
            getset {
                "__name__" => |vm: &Vm, v: Ref<NativeFunction>| vm.str(v.def().name);
                "__qualname__" => qualname;
                "__doc__" => doc;
                "__objclass__" => |_: &Vm, v: Ref<NativeFunction>| Ok(v.owner.or_none());
                "__text_signature__" => text_signature;
            }
        }
    };
}
descriptor!(METHOD_DESCRIPTOR, "method_descriptor", "method");
descriptor!(WRAPPER_DESCRIPTOR, "wrapper_descriptor", "slot wrapper");

native_type! {
    pub METHOD_WRAPPER: "method-wrapper", Kind::Native, type_flags::NO_NEW;
    methods {
        "__call__($self, /, *args, **kwargs)" => call, "Call self as a function.";
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => |vm: &Vm, f: Ref<NativeFunction>| {
            let receiver = f.receiver.or_none();
            format!("<method-wrapper '{}' of {} object at {:#x}>", f.def().name, vm.type_name(receiver), receiver.bits())
        };
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "__name__" => |vm: &Vm, v: Ref<NativeFunction>| vm.str(v.def().name);
        "__qualname__" => qualname;
        "__doc__" => doc;
        "__self__" => receiver;
        "__objclass__" => |_: &Vm, v: Ref<NativeFunction>| Ok(v.owner.or_none());
        "__text_signature__" => text_signature;
    }
}

fn owner_name(f: Ref<NativeFunction>) -> String {
    f.owner.cast::<Type>().map(|t| t.name_string()).unwrap_or_default()
}

fn qualname(vm: &Vm, v: Ref<NativeFunction>) -> R<Value> {
    let f = v;
    match f.owner.cast::<Type>() {
        Some(t) => {
            let owner = vm.str_string(t.qualname.value())?;
            vm.str(&format!("{owner}.{}", f.def().name))
        }
        None => vm.str(f.def().name),
    }
}

fn doc(vm: &Vm, v: Ref<NativeFunction>) -> R<Value> {
    match v.def().doc {
        Some(d) => vm.str(d),
        None => Ok(Value::NONE),
    }
}

/// The bound receiver, the class of a static native, the module of a function.
fn receiver(vm: &Vm, v: Ref<NativeFunction>) -> R<Value> {
    let f = v;
    if let Some(r) = f.receiver.get() {
        return Ok(r);
    }
    let owner = f.owner.or_none();
    match (owner.cast::<Str>(), vm.modules.get()) {
        (Some(name), Some(modules)) => Ok(modules.get_str(vm, name)?.unwrap_or(Value::NONE)),
        _ => Ok(owner),
    }
}

fn module(_: &Vm, v: Ref<NativeFunction>) -> R<Value> {
    let owner = v.owner.or_none();
    Ok(if owner.cast::<Str>().is_some() { owner } else { Value::NONE })
}

fn text_signature(vm: &Vm, v: Ref<NativeFunction>) -> R<Value> {
    let def = v.def();
    let owner = v.owner.or_none();
    let owner = match (owner.cast::<Type>().and_then(|t| t.def()), owner.cast::<Str>()) {
        (Some(ty), _) => ty.name.to_owned(),
        (None, Some(module)) => module.to_string_lossy().into_owned(),
        (None, None) => String::new(),
    };
    match crate::types::signatures::of_function(&owner, def.name) {
        Some(known) => known.map_or(Ok(Value::NONE), |text| vm.str(text)),
        None => vm.str(&def.signature[def.name.len()..]),
    }
}

fn get(vm: &Vm, f: Ref<NativeFunction>, instance: Value, _owner: Option<Value>) -> R<Value> {
    if instance.is_none() {
        return Ok(f.value());
    }
    if let Some(t) = f.owner.cast::<Type>()
        && !vm.type_of(instance).is_subtype(t)
    {
        return Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            f.def().name,
            t.message_name(),
            vm.type_name(instance)
        )));
    }
    Ok(f.bind(vm, instance)?.value())
}

fn same(a: Ref<NativeFunction>, b: Value) -> Option<bool> {
    let b = b.cast::<NativeFunction>()?;
    Some(
        std::ptr::eq(a.def(), b.def())
            && a.receiver.get() == b.receiver.get()
            && a.owner.get() == b.owner.get(),
    )
}

fn eq(_: &Vm, a: Ref<NativeFunction>, b: Value) -> Value {
    same(a, b).map_or(Value::NOT_IMPLEMENTED, Value::bool)
}

fn ne(_: &Vm, a: Ref<NativeFunction>, b: Value) -> Value {
    same(a, b).map_or(Value::NOT_IMPLEMENTED, |e| Value::bool(!e))
}

fn hash(vm: &Vm, f: Ref<NativeFunction>) -> R<Value> {
    let receiver = f.receiver.or_none().bits().rotate_right(4);
    vm.int(((receiver ^ std::ptr::from_ref(f.def()) as u64) >> 3) as i64)
}

fn repr(vm: &Vm, f: Ref<NativeFunction>) -> R<String> {
    let name = f.def().name;
    let bound = f.receiver.get().or_else(|| f.owner.get().filter(|o| o.cast::<Type>().is_some()));
    Ok(match bound {
        Some(r) => format!("<built-in method {name} of {} object at {:#x}>", vm.type_name(r), r.bits()),
        None => format!("<built-in function {name}>"),
    })
}

fn reduce(vm: &Vm, f: Ref<NativeFunction>) -> R<Value> {
    let receiver = f.receiver.get().or_else(|| f.owner.get().filter(|o| o.cast::<Type>().is_some()));
    let name = vm.str(f.def().name)?;
    match receiver {
        Some(r) => {
            let getattr = vm.builtin("getattr")?;
            let args = vm.tuple(&[r, name])?;
            vm.tuple(&[getattr, args])
        }
        None => Ok(name),
    }
}
