//! `types.SimpleNamespace`.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

native_type! {
    NAMESPACE: "types.SimpleNamespace", Kind::Instance, type_flags::BASETYPE | type_flags::HAS_DICT,
        "A simple attribute-based namespace.";
    methods {
        "__init__($self, /, *args, **kwargs)" => init;
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Eq, a, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Ne, a, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Lt, a, b);
        "__le__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Le, a, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Gt, a, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Ge, a, b);
        "__reduce__($self, /)" => reduce, "Return state information for pickling";
        "__replace__($self, /, **changes)" => replace, "Return a copy of the namespace object with new values for the specified attributes.";
    }
    getset { "__dict__" => |vm: &Vm, v: Value| Ok(dict(vm, v)?.value()); }
}

#[derive(Default)]
struct State {
    ty: Cell<Option<Ref<Type>>>,
}

/// The type. MemoryError.
pub fn namespace_type(vm: &Vm) -> R<Ref<Type>> {
    let state = vm.state::<State>();
    if let Some(t) = state.ty.get() {
        return Ok(t);
    }
    let t = vm.make_native_type(&NAMESPACE)?;
    state.ty.set(Some(t));
    Ok(t)
}

/// An empty namespace. MemoryError.
pub fn namespace(vm: &Vm) -> R<Value> {
    vm.new_instance(namespace_type(vm)?)
}

fn dict(vm: &Vm, v: Value) -> R<Ref<Dict>> {
    vm.instance_dict(v)?.ok_or_else(|| vm.attribute_error("__dict__"))
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let [this, given @ ..] = args.positional() else {
        return Err(
            vm.type_error("descriptor '__init__' of 'types.SimpleNamespace' object needs an argument")
        );
    };
    let own = dict(vm, *this)?;
    match given {
        [] => {}
        [first] => {
            let pairs = match first.cast::<Dict>() {
                Some(d) => d,
                None => {
                    let d = Dict::new(vm)?;
                    vm.call_method(d.value(), "update", &[*first])?;
                    d
                }
            };
            for (k, _) in pairs.copy(vm)?.iter() {
                if k.cast::<Str>().is_none() {
                    return Err(vm.type_error("keywords must be strings"));
                }
            }
            vm.call_method(own.value(), "update", &[pairs.value()])?;
        }
        more => {
            let n = more.len();
            return Err(vm.type_error(format!(
                "{} expected at most 1 argument, got {n}",
                vm.type_of(*this).name_string()
            )));
        }
    }
    for (k, v) in args.keywords() {
        own.set(vm, k, v)?;
    }
    Ok(())
}

fn repr(vm: &Vm, this: Value) -> R<String> {
    let ty = vm.type_of(this);
    let name = if ty == namespace_type(vm)? { "namespace".to_owned() } else { ty.name_string() };
    let whole = vm.repr_guard(this, || {
        let mut parts = Vec::new();
        for (k, v) in dict(vm, this)?.copy(vm)?.iter() {
            if k.cast::<Str>().is_some_and(|k| !k.bytes().is_empty()) {
                parts.push(format!("{}={}", vm.str_string(k)?, vm.repr_string(v)?));
            }
        }
        Ok(format!("{name}({})", parts.join(", ")))
    })?;
    Ok(whole.unwrap_or_else(|| format!("{name}(...)")))
}

fn compare(vm: &Vm, op: Special, a: Value, b: Value) -> R<Value> {
    let ty = namespace_type(vm)?;
    if !vm.type_of(a).is_subtype(ty) || !vm.type_of(b).is_subtype(ty) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.rich_compare(op, dict(vm, a)?.value(), dict(vm, b)?.value())
}

fn reduce(vm: &Vm, this: Value) -> R<Value> {
    vm.tuple(&[vm.type_of(this).value(), vm.tuple(&[])?, dict(vm, this)?.value()])
}

fn replace(vm: &Vm, args: Args<'_>) -> R<Value> {
    let [this] = args.positional() else {
        return Err(vm.type_error("__replace__() takes no positional arguments"));
    };
    let made = vm.call(vm.type_of(*this).value(), &[])?;
    if !vm.type_of(made).is_subtype(namespace_type(vm)?) {
        return Err(vm.type_error(format!(
            "expect types.SimpleNamespace type, but {}() returned '{}' object",
            vm.qualified_type_name(vm.type_of(*this), &[b"builtins"])?,
            vm.qualified_type_name(vm.type_of(made), &[b"builtins"])?
        )));
    }
    let fields = dict(vm, made)?;
    vm.call_method(fields.value(), "update", &[dict(vm, *this)?.value()])?;
    for (k, v) in args.keywords() {
        fields.set(vm, k, v)?;
    }
    Ok(made)
}
