//! `TypeAliasType`: what `type X = …` makes.

use super::lazy::Lazy;
use super::parameter::any_has_default;
use super::{bind, calling_module, check_name, unpack, unpack_tuples};
use crate::types::generic::union::make_union;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub struct Alias {
    name: Field,
    /// A tuple; none: the alias is not generic.
    params: Field,
    value: Lazy,
    /// Of an alias that a call made.
    module: Field,
}

impl Payload for Alias {
    const NAME: &'static str = "typing.TypeAliasType";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Alias { name, params, value, module } = self;
        for f in [name, params, module] {
            f.trace(t);
        }
        value.trace(t);
    }
}

native_type! {
    pub DEF: "typing.TypeAliasType", Kind::Ext, 0, "A type alias: what the statement type X = int makes.\n\nThe value is computed when __value__ is first asked for.";
    methods {
        [static] "__new__($type, name, value, *, type_params=())" => new;
        "__repr__($self, /)" => |_: &Vm, a: ExtArg<Alias>| a.0.name.value();
        "__getitem__($self, key, /)" => |vm: &Vm, a: ExtArg<Alias>, key: Value| -> R<Value> {
            if a.0.params.get().is_none() {
                return Err(vm.type_error("Only generic type aliases are subscriptable"));
            }
            vm.generic_alias(a.0.value(), key)
        };
        "__iter__($self, /)" => |vm: &Vm, a: ExtArg<Alias>| vm.iter(vm.tuple(&[unpack(vm, a.0.value())?])?);
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| make_union(vm, a, b);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| make_union(vm, b, a);
        "__reduce__($self, /)" => |_: &Vm, a: ExtArg<Alias>| a.0.name.value();
    }
    getset {
        "__name__" => |_: &Vm, v: Ref<Ext<Alias>>| Ok(v.name.value());
        "__value__" => |vm: &Vm, v: Ref<Ext<Alias>>| Ok(v.value.get(vm, v)?.unwrap_or(Value::NONE));
        "evaluate_value" => |vm: &Vm, v: Ref<Ext<Alias>>| v.value.evaluate(vm);
        "__type_params__" => |vm: &Vm, v: Ref<Ext<Alias>>| match v.params.get() {
            Some(p) => Ok(p),
            None => vm.tuple(&[]),
        };
        "__parameters__" => |vm: &Vm, v: Ref<Ext<Alias>>| match v.params.cast::<Tuple>() {
            Some(p) => Ok(unpack_tuples(vm, p)?.value()),
            None => vm.tuple(&[]),
        };
        "__module__" => |vm: &Vm, v: Ref<Ext<Alias>>| match (v.module.get(), v.value.evaluator()) {
            (Some(m), _) => Ok(m),
            (None, Some(f)) => vm.get_attr(f, vm.names.__module__),
            (None, None) => Ok(Value::NONE),
        };
    }
}

/// Whether the value is a type alias.
pub fn is_alias(v: Value) -> bool {
    v.cast::<Ext<Alias>>().is_some()
}

/// The alias of a `type` statement; `params` is a tuple or None.
pub fn make(vm: &Vm, name: Value, params: Value, evaluator: Value) -> R<Value> {
    let payload = Alias {
        name: Field::new(Some(name)),
        params: Field::new((!params.is_none()).then_some(params)),
        value: Lazy::new(None, Some(evaluator)),
        module: Field::new(None),
    };
    Ok(Ext::new(vm, ext_type(vm, &DEF)?, payload)?.value())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DEF)?)?;
    check_class(vm, class, &DEF)?;
    let names = ["name", "value", "type_params"];
    let [name, value, params] = bind(vm, "typealias", args.rest(), names, 2, false)?;
    check_name(vm, "typealias", name)?;
    let params = if params.is_unbound() { None } else { check_params(vm, params)? };
    let payload = Alias {
        name: Field::new(Some(name)),
        params: Field::new(params),
        value: Lazy::new(Some(value), None),
        module: Field::new(calling_module(vm)?),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

/// Type parameters, those with defaults last; None: there are none. TypeError.
fn check_params(vm: &Vm, params: Value) -> R<Option<Value>> {
    let Some(tuple) = params.cast::<Tuple>() else {
        return Err(vm.type_error("type_params must be a tuple"));
    };
    let mut default_seen = false;
    for &p in tuple.items() {
        match any_has_default(p) {
            Some(true) => default_seen = true,
            Some(false) if default_seen => {
                return Err(vm.type_error(format!(
                    "non-default type parameter '{}' follows default type parameter",
                    vm.repr_string(p)?
                )));
            }
            Some(false) => {}
            None => {
                return Err(vm.type_error(format!("Expected a type param, got {}", vm.repr_string(p)?)));
            }
        }
    }
    Ok((!tuple.is_empty()).then_some(params))
}
