//! What Python code sees of `method`.

use super::{call, qualname_of};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::function::BoundMethod;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub METHOD: "method", Kind::BoundMethod, type_flags::HAS_WEAKREF,
        "Create a bound instance method object.";
    methods {
        [static] "__new__($type, function, instance, /)" => new;
        "__call__($self, /, *args, **kwargs)" => call, "Call self as a function.";
        "__get__($self, instance, owner=None, /)" => |_: &Vm, m: Value, _: Value, _: Option<Value>| m;
        "__getattr__($self, name, /)" => forward;
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "__func__" => |_: &Vm, v: Ref<BoundMethod>| Ok(v.function.or_none());
        "__self__" => |_: &Vm, v: Ref<BoundMethod>| Ok(v.receiver.or_none());
        "__doc__" => |vm: &Vm, v: Ref<BoundMethod>| Ok(vm.find_attr(v.function.value(), vm.names.__doc__)?.unwrap_or(Value::NONE));
        "__dict__" => |vm: &Vm, v: Ref<BoundMethod>| vm.get_attr(v.function.value(), vm.names.__dict__);
    }
}

fn new(vm: &Vm, _ty: Value, function: Value, instance: Value) -> R<Value> {
    if vm.type_of(function).special(vm, skein_bytecode::Special::Call).is_none() {
        return Err(vm.type_error("first argument must be callable"));
    }
    if instance.is_none() {
        return Err(vm.type_error("instance must not be None"));
    }
    Ok(BoundMethod::new(vm, function, instance)?.value())
}

/// Attributes that methods do not have themselves are the function's.
fn forward(vm: &Vm, m: Ref<BoundMethod>, name: Ref<Str>) -> R<Value> {
    let name = vm.intern_str(name);
    match vm.find_attr(m.function.value(), name)? {
        Some(v) => Ok(v),
        None => Err(vm.no_attribute(m.value(), name)),
    }
}

fn same(vm: &Vm, a: Ref<BoundMethod>, b: Value) -> R<Option<bool>> {
    match b.cast::<BoundMethod>() {
        Some(b) if a.receiver.get() == b.receiver.get() => {
            vm.eq(a.function.value(), b.function.value()).map(Some)
        }
        Some(_) => Ok(Some(false)),
        None => Ok(None),
    }
}

fn eq(vm: &Vm, a: Ref<BoundMethod>, b: Value) -> R<Value> {
    Ok(same(vm, a, b)?.map_or(Value::NOT_IMPLEMENTED, Value::bool))
}

fn ne(vm: &Vm, a: Ref<BoundMethod>, b: Value) -> R<Value> {
    Ok(same(vm, a, b)?.map_or(Value::NOT_IMPLEMENTED, |e| Value::bool(!e)))
}

fn hash(vm: &Vm, m: Ref<BoundMethod>) -> R<Value> {
    let f = vm.hash(m.function.value())?;
    vm.int((f ^ m.receiver.value().bits().rotate_right(4) as i64) >> 3)
}

fn repr(vm: &Vm, m: Ref<BoundMethod>) -> R<String> {
    let name = qualname_of(vm, m.function.value())?;
    Ok(format!("<bound method {name} of {}>", vm.repr_string(m.receiver.value())?))
}

fn reduce(vm: &Vm, m: Ref<BoundMethod>) -> R<Value> {
    let getattr = vm.builtin("getattr")?;
    let name = vm.get_attr(m.function.value(), vm.names.__name__)?;
    let args = vm.tuple(&[m.receiver.value(), name])?;
    vm.tuple(&[getattr, args])
}
