//! `weakref.proxy`: objects that stand for what they refer to weakly.

use super::weakref::Weak;
use skein_bytecode::Special;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::{Ext, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

/// A proxy's object; anything else is itself. ReferenceError where it has died.
fn target(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<Ext<Weak>>() {
        Some(w) if is_proxy(vm, v)? => match w.target.get() {
            Some(v) => Ok(v),
            None => Err(vm.raise_text(vm.exc.reference_error, "weakly-referenced object no longer exists")),
        },
        _ => Ok(v),
    }
}

fn is_proxy(vm: &Vm, v: Value) -> R<bool> {
    let ty = vm.type_of(v);
    Ok(ty == ext_type(vm, &PROXY)? || ty == ext_type(vm, &CALLABLE_PROXY)?)
}

/// Declares a type of proxies: all do the same, and one of them can be called.
macro_rules! proxy_type {
    ($name:ident: $text:literal, $($more:tt)*) => {
        native_type! {
            pub $name: $text, Kind::Ext, type_flags::NO_NEW;
            methods {
                "__getattribute__($self, name, /)" => |vm: &Vm, a: Value, name: Ref<Str>| vm.get_attr(target(vm, a)?, name);
                "__setattr__($self, name, value, /)" => |vm: &Vm, a: Value, name: Ref<Str>, v: Value| vm.set_attr(target(vm, a)?, name, v);
                "__delattr__($self, name, /)" => |vm: &Vm, a: Value, name: Ref<Str>| vm.set_or_delete_attr(target(vm, a)?, name, None);
                "__repr__($self, /)" => repr;
                "__str__($self, /)" => |vm: &Vm, a: Value| vm.str_string(target(vm, a)?);
                "__bytes__($self, /)" => |vm: &Vm, a: Value| vm.call_method(target(vm, a)?, "__bytes__", &[]);
                "__hash__($self, /)" => |vm: &Vm, _: Value| -> R<i64> { Err(vm.type_error(concat!("unhashable type: '", $text, "'"))) };
                "__bool__($self, /)" => |vm: &Vm, a: Value| vm.truth(target(vm, a)?);
                "__len__($self, /)" => |vm: &Vm, a: Value| vm.len(target(vm, a)?);
                "__contains__($self, key, /)" => |vm: &Vm, a: Value, k: Value| vm.contains(target(vm, a)?, k);
                "__getitem__($self, key, /)" => |vm: &Vm, a: Value, k: Value| vm.get_item(target(vm, a)?, k);
                "__setitem__($self, key, value, /)" => |vm: &Vm, a: Value, k: Value, v: Value| vm.set_item(target(vm, a)?, k, v);
                "__delitem__($self, key, /)" => |vm: &Vm, a: Value, k: Value| vm.del_item(target(vm, a)?, k);
                "__iter__($self, /)" => |vm: &Vm, a: Value| vm.iter(target(vm, a)?);
                "__next__($self, /)" => next;
                "__reversed__($self, /)" => |vm: &Vm, a: Value| vm.call_method(target(vm, a)?, "__reversed__", &[]);
                "__abs__($self, /)" => |vm: &Vm, a: Value| vm.call_method(target(vm, a)?, "__abs__", &[]);
                "__int__($self, /)" => |vm: &Vm, a: Value| vm.call(vm.types.int.value(), &[target(vm, a)?]);
                "__float__($self, /)" => |vm: &Vm, a: Value| vm.call(vm.types.float.value(), &[target(vm, a)?]);
                "__index__($self, /)" => |vm: &Vm, a: Value| vm.index(target(vm, a)?);
                "__add__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Add, target(vm, a)?, target(vm, b)?);
                "__radd__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Add, target(vm, b)?, target(vm, a)?);
                "__iadd__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Add, target(vm, a)?, target(vm, b)?);
                "__sub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Sub, target(vm, a)?, target(vm, b)?);
                "__rsub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Sub, target(vm, b)?, target(vm, a)?);
                "__isub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Sub, target(vm, a)?, target(vm, b)?);
                "__mul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mul, target(vm, a)?, target(vm, b)?);
                "__rmul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mul, target(vm, b)?, target(vm, a)?);
                "__imul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Mul, target(vm, a)?, target(vm, b)?);
                "__truediv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::TrueDiv, target(vm, a)?, target(vm, b)?);
                "__rtruediv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::TrueDiv, target(vm, b)?, target(vm, a)?);
                "__itruediv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::TrueDiv, target(vm, a)?, target(vm, b)?);
                "__floordiv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::FloorDiv, target(vm, a)?, target(vm, b)?);
                "__rfloordiv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::FloorDiv, target(vm, b)?, target(vm, a)?);
                "__ifloordiv__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::FloorDiv, target(vm, a)?, target(vm, b)?);
                "__mod__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mod, target(vm, a)?, target(vm, b)?);
                "__rmod__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mod, target(vm, b)?, target(vm, a)?);
                "__imod__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Mod, target(vm, a)?, target(vm, b)?);
                "__divmod__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::DivMod, target(vm, a)?, target(vm, b)?);
                "__rdivmod__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::DivMod, target(vm, b)?, target(vm, a)?);
                "__pow__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Pow, target(vm, a)?, target(vm, b)?);
                "__rpow__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Pow, target(vm, b)?, target(vm, a)?);
                "__ipow__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Pow, target(vm, a)?, target(vm, b)?);
                "__matmul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::MatMul, target(vm, a)?, target(vm, b)?);
                "__rmatmul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::MatMul, target(vm, b)?, target(vm, a)?);
                "__imatmul__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::MatMul, target(vm, a)?, target(vm, b)?);
                "__lshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shl, target(vm, a)?, target(vm, b)?);
                "__rlshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shl, target(vm, b)?, target(vm, a)?);
                "__ilshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Shl, target(vm, a)?, target(vm, b)?);
                "__rshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shr, target(vm, a)?, target(vm, b)?);
                "__rrshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shr, target(vm, b)?, target(vm, a)?);
                "__irshift__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Shr, target(vm, a)?, target(vm, b)?);
                "__and__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::And, target(vm, a)?, target(vm, b)?);
                "__rand__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::And, target(vm, b)?, target(vm, a)?);
                "__iand__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::And, target(vm, a)?, target(vm, b)?);
                "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Or, target(vm, a)?, target(vm, b)?);
                "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Or, target(vm, b)?, target(vm, a)?);
                "__ior__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Or, target(vm, a)?, target(vm, b)?);
                "__xor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Xor, target(vm, a)?, target(vm, b)?);
                "__rxor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Xor, target(vm, b)?, target(vm, a)?);
                "__ixor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Xor, target(vm, a)?, target(vm, b)?);
                "__lt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Lt, target(vm, a)?, target(vm, b)?);
                "__le__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Le, target(vm, a)?, target(vm, b)?);
                "__eq__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Eq, target(vm, a)?, target(vm, b)?);
                "__ne__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Ne, target(vm, a)?, target(vm, b)?);
                "__gt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Gt, target(vm, a)?, target(vm, b)?);
                "__ge__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Ge, target(vm, a)?, target(vm, b)?);
                "__neg__($self, /)" => |vm: &Vm, a: Value| vm.unary(Special::Neg, target(vm, a)?);
                "__pos__($self, /)" => |vm: &Vm, a: Value| vm.unary(Special::Pos, target(vm, a)?);
                "__invert__($self, /)" => |vm: &Vm, a: Value| vm.unary(Special::Invert, target(vm, a)?);
                $($more)*
            }
        }
    };
}

proxy_type! { PROXY: "weakref.ProxyType", }
proxy_type! { CALLABLE_PROXY: "weakref.CallableProxyType",
    "__call__($self, /, *args, **kwargs)" => call;
}

fn repr(vm: &Vm, a: Value) -> R<String> {
    let at = a.bits();
    Ok(match a.cast::<Ext<Weak>>().and_then(|w| w.target.get()) {
        Some(v) => format!(
            "<weakproxy at {at:#x}; to '{}' at {:#x}>",
            vm.qualified_type_name(vm.type_of(v), &[b"builtins", b"__main__"])?,
            v.bits()
        ),
        None => format!("<weakproxy at {at:#x}; dead>"),
    })
}

fn next(vm: &Vm, a: Value) -> R<Value> {
    let it = target(vm, a)?;
    if vm.type_of(it).special(vm, Special::Next).is_none() {
        return Err(
            vm.type_error(format!("Weakref proxy referenced a non-iterator '{}' object", vm.type_name(it)))
        );
    }
    match vm.next(it)? {
        Some(v) => Ok(v),
        None => Ok(vm.stop()),
    }
}

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    let [proxy, ..] = args.positional() else {
        return Err(vm.type_error("a proxy was expected"));
    };
    vm.call_args(target(vm, *proxy)?, args.rest())
}

/// `weakref.proxy(object, callback)`.
pub fn proxy(vm: &Vm, v: Value, callback: Option<Value>) -> R<Value> {
    let callable = vm.type_of(v).special(vm, Special::Call).is_some();
    let ty = ext_type(vm, if callable { &CALLABLE_PROXY } else { &PROXY })?;
    super::weakref::make_weak(vm, ty, v, callback)
}
