//! `ParamSpec`, and its `args` and `kwargs`.

use super::lazy::Lazy;
use super::parameter::{self, Parameter, Variance, Which, this};
use super::{bind, call_typing, check_name};
use crate::types::generic::union::union_checked;
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::native_type;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub struct Kind;

impl Which for Kind {
    const NAME: &'static str = "typing.ParamSpec";
    const DEF: &'static TypeDef = &DEF;
}

type This = ExtArg<Parameter<Kind>>;

native_type! {
    pub DEF: "typing.ParamSpec", skein_runtime::object::Kind::Ext, type_flags::HAS_DICT | type_flags::HAS_WEAKREF, "A parameter specification: stands for the parameters of a callable.\n\ndef f[**P](g: Callable[P, int]) makes one, as does ParamSpec('P').\n\n>>> ParamSpec('P').__name__\n'P'";
    methods {
        [static] "__new__($type, name, *, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)" => new;
        "__repr__($self, /)" => |vm: &Vm, p: This| Str::new(vm, &parameter::repr(p.0));
        "has_default($self, /)" => |_: &Vm, p: This| parameter::has_default(p.0);
        "__typing_subst__($self, arg, /)" => |vm: &Vm, p: Value, arg: Value| call_typing(vm, "_paramspec_subst", &[p, arg]);
        "__typing_prepare_subst__($self, alias, args, /)" => |vm: &Vm, p: Value, alias: Value, args: Value| {
            call_typing(vm, "_paramspec_prepare_subst", &[p, alias, args])
        };
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union_checked(vm, &[a, b]);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union_checked(vm, &[b, a]);
        "__mro_entries__($self, bases, /)" => |vm: &Vm, _: This, _bases: Value| -> R<Value> {
            Err(vm.type_error("Cannot subclass an instance of ParamSpec"))
        };
        "__reduce__($self, /)" => |_: &Vm, p: This| p.0.name.value();
    }
    getset {
        "__name__" => |_: &Vm, v: Value| Ok(this::<Kind>(v).name.value());
        "__bound__" => |vm: &Vm, v: Value| Ok(this::<Kind>(v).bound.get(vm, this::<Kind>(v))?.unwrap_or(Value::NONE));
        "__default__" => parameter::default::<Kind>;
        "__covariant__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.covariant));
        "__contravariant__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.contravariant));
        "__infer_variance__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.infer));
        "evaluate_default" => |vm: &Vm, v: Value| this::<Kind>(v).default.evaluate(vm);
        "args" => |vm: &Vm, v: Value| part(vm, &ARGS, v);
        "kwargs" => |vm: &Vm, v: Value| part(vm, &KWARGS, v);
    }
}

/// A type parameter of code.
pub fn make(vm: &Vm, name: Value) -> R<Value> {
    Parameter::<Kind>::plain(name, Variance::INFERRED).of_code(vm)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DEF)?)?;
    check_class(vm, class, &DEF)?;
    let names = ["name", "bound", "default", "covariant", "contravariant", "infer_variance"];
    let [name, bound, default, covariant, contravariant, infer] =
        bind(vm, "paramspec", args.rest(), names, 1, false)?;
    check_name(vm, "paramspec", name)?;
    let variance = Variance::of(vm, covariant, contravariant, infer)?;
    let mut p = Parameter::<Kind>::plain(name, variance);
    if !bound.is_unbound() && !bound.is_none() {
        // Whatever it is: nobody has said yet what it means.
        p.bound = Lazy::new(Some(bound), None);
    }
    p.of_call(vm, class, default)
}

// ---- P.args, P.kwargs

/// `P.args` or `P.kwargs`; the types differ only by name.
struct Part {
    origin: Field,
}

impl Payload for Part {
    const NAME: &'static str = "typing.ParamSpecArgs";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Part { origin } = self;
        origin.trace(t);
    }
}

macro_rules! part_type {
    ($def:ident, $name:literal, $constructor:literal, $attr:literal, $doc:literal) => {
        native_type! {
            pub $def: $name, skein_runtime::object::Kind::Ext, type_flags::HAS_WEAKREF, $doc;
            methods {
                [static] "__new__($type, origin)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
                    let class = class_argument(vm, &args, ext_type(vm, &$def)?)?;
                    check_class(vm, class, &$def)?;
                    let [origin] = bind(vm, $constructor, args.rest(), ["origin"], 1, false)?;
                    part(vm, &$def, origin)
                };
                "__repr__($self, /)" => |vm: &Vm, p: ExtArg<Part>| part_repr(vm, p.0, $attr);
                "__eq__($self, value, /)" => |vm: &Vm, p: ExtArg<Part>, other: Value| -> R<Value> {
                    match other.cast::<Ext<Part>>() {
                        Some(o) if vm.type_of(other) == vm.type_of(p.0.value()) => {
                            Ok(Value::bool(vm.eq(p.0.origin.value(), o.origin.value())?))
                        }
                        _ => Ok(Value::NOT_IMPLEMENTED),
                    }
                };
                "__mro_entries__($self, bases, /)" => |vm: &Vm, p: ExtArg<Part>, _bases: Value| -> R<Value> {
                    let name = vm.type_name(p.0.value());
                    Err(vm.type_error(format!("Cannot subclass an instance of {}", name.trim_start_matches("typing."))))
                };
            }
            getset {
                "__origin__" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Part>>().map_or(Value::NONE, |p| p.origin.value()));
            }
        }
    };
}
part_type!(
    ARGS,
    "typing.ParamSpecArgs",
    "paramspecargs",
    "args",
    "The positional arguments of a ParamSpec: P.args, whose __origin__ is P.\n\n>>> P = ParamSpec('P')\n>>> P.args.__origin__ is P\nTrue"
);
part_type!(
    KWARGS,
    "typing.ParamSpecKwargs",
    "paramspeckwargs",
    "kwargs",
    "The keyword arguments of a ParamSpec: P.kwargs, whose __origin__ is P.\n\n>>> P = ParamSpec('P')\n>>> P.kwargs.__origin__ is P\nTrue"
);

fn part(vm: &Vm, def: &'static TypeDef, origin: Value) -> R<Value> {
    Ok(Ext::new(vm, ext_type(vm, def)?, Part { origin: Field::new(Some(origin)) })?.value())
}

fn part_repr(vm: &Vm, p: Ref<Ext<Part>>, attr: &str) -> R<String> {
    let origin = p.origin.value();
    let text = match origin.cast::<Ext<Parameter<Kind>>>() {
        Some(spec) => vm.str_string(spec.name.value())?,
        None => vm.repr_string(origin)?,
    };
    Ok(format!("{text}.{attr}"))
}
