//! `TypeVarTuple`.

use super::parameter::{self, Parameter, Variance, Which, this};
use super::{bind, call_typing, check_name, unpack};
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::native_type;
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub struct Kind;

impl Which for Kind {
    const NAME: &'static str = "typing.TypeVarTuple";
    const DEF: &'static TypeDef = &DEF;
}

type This = ExtArg<Parameter<Kind>>;

native_type! {
    pub DEF: "typing.TypeVarTuple", skein_runtime::object::Kind::Ext, type_flags::HAS_DICT | type_flags::HAS_WEAKREF, "A type variable tuple: stands for any number of types.\n\nclass A[*Ts] makes one, as does TypeVarTuple('Ts').";
    methods {
        [static] "__new__($type, name, *, default=typing.NoDefault)" => new;
        "__repr__($self, /)" => |_: &Vm, p: This| p.0.name.value();
        "__iter__($self, /)" => |vm: &Vm, p: This| vm.iter(vm.tuple(&[unpack(vm, p.0.value())?])?);
        "has_default($self, /)" => |_: &Vm, p: This| parameter::has_default(p.0);
        "__typing_subst__($self, arg, /)" => |vm: &Vm, _: This, _arg: Value| -> R<Value> {
            Err(vm.type_error("Substitution of bare TypeVarTuple is not supported"))
        };
        "__typing_prepare_subst__($self, alias, args, /)" => |vm: &Vm, p: Value, alias: Value, args: Value| {
            call_typing(vm, "_typevartuple_prepare_subst", &[p, alias, args])
        };
        "__mro_entries__($self, bases, /)" => |vm: &Vm, _: This, _bases: Value| -> R<Value> {
            Err(vm.type_error("Cannot subclass an instance of TypeVarTuple"))
        };
        "__reduce__($self, /)" => |_: &Vm, p: This| p.0.name.value();
    }
    getset {
        "__name__" => |_: &Vm, v: Value| Ok(this::<Kind>(v).name.value());
        "__default__" => parameter::default::<Kind>;
        "evaluate_default" => |vm: &Vm, v: Value| this::<Kind>(v).default.evaluate(vm);
    }
}

/// Whether the value is a TypeVarTuple.
pub fn is(v: Value) -> bool {
    v.cast::<Ext<Parameter<Kind>>>().is_some()
}

/// A type parameter of code.
pub fn make(vm: &Vm, name: Value) -> R<Value> {
    Parameter::<Kind>::plain(name, Variance::INFERRED).of_code(vm)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DEF)?)?;
    check_class(vm, class, &DEF)?;
    let [name, default] = bind(vm, "typevartuple", args.rest(), ["name", "default"], 1, false)?;
    check_name(vm, "typevartuple", name)?;
    Parameter::<Kind>::plain(name, Variance::INFERRED).of_call(vm, class, default)
}
