//! `TypeVar`.

use super::lazy::Lazy;
use super::parameter::{self, Parameter, Variance, Which, this};
use super::{bind, call_typing, check_name, type_check};
use crate::types::generic::union::union_checked;
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::native_type;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub struct Kind;

impl Which for Kind {
    const NAME: &'static str = "typing.TypeVar";
    const DEF: &'static TypeDef = &DEF;
}

type This = ExtArg<Parameter<Kind>>;

native_type! {
    pub DEF: "typing.TypeVar", skein_runtime::object::Kind::Ext, type_flags::HAS_DICT | type_flags::HAS_WEAKREF, "A type variable: stands for a type in a generic function, class or alias.\n\ndef f[T](x: T) -> T makes one, as does TypeVar('T').";
    methods {
        [static] "__new__($type, name, *constraints, bound=None, default=typing.NoDefault, covariant=False, contravariant=False, infer_variance=False)" => new;
        "__repr__($self, /)" => |vm: &Vm, p: This| Str::new(vm, &parameter::repr(p.0));
        "has_default($self, /)" => |_: &Vm, p: This| parameter::has_default(p.0);
        "__typing_subst__($self, arg, /)" => |vm: &Vm, p: Value, arg: Value| call_typing(vm, "_typevar_subst", &[p, arg]);
        "__typing_prepare_subst__($self, alias, args, /)" => prepare_subst;
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union_checked(vm, &[a, b]);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union_checked(vm, &[b, a]);
        "__mro_entries__($self, bases, /)" => |vm: &Vm, _: This, _bases: Value| -> R<Value> {
            Err(vm.type_error("Cannot subclass an instance of TypeVar"))
        };
        "__reduce__($self, /)" => |_: &Vm, p: This| p.0.name.value();
    }
    getset {
        "__name__" => |_: &Vm, v: Value| Ok(this::<Kind>(v).name.value());
        "__bound__" => |vm: &Vm, v: Value| Ok(this::<Kind>(v).bound.get(vm, this::<Kind>(v))?.unwrap_or(Value::NONE));
        "__constraints__" => |vm: &Vm, v: Value| match this::<Kind>(v).constraints.get(vm, this::<Kind>(v))? {
            Some(c) => Ok(c),
            None => vm.tuple(&[]),
        };
        "__default__" => parameter::default::<Kind>;
        "__covariant__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.covariant));
        "__contravariant__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.contravariant));
        "__infer_variance__" => |_: &Vm, v: Value| Ok(Value::bool(this::<Kind>(v).variance.infer));
        "evaluate_bound" => |vm: &Vm, v: Value| this::<Kind>(v).bound.evaluate(vm);
        "evaluate_constraints" => |vm: &Vm, v: Value| this::<Kind>(v).constraints.evaluate(vm);
        "evaluate_default" => |vm: &Vm, v: Value| this::<Kind>(v).default.evaluate(vm);
    }
}

/// A type parameter of code.
pub fn make(vm: &Vm, name: Value, bound: Option<Value>, constraints: Option<Value>) -> R<Value> {
    let mut p = Parameter::<Kind>::plain(name, Variance::INFERRED);
    p.bound = Lazy::new(None, bound);
    p.constraints = Lazy::new(None, constraints);
    p.of_code(vm)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DEF)?)?;
    check_class(vm, class, &DEF)?;
    let args = args.rest();
    let names = ["name", "bound", "default", "covariant", "contravariant", "infer_variance"];
    let [name, bound, default, covariant, contravariant, infer] = bind(vm, "typevar", args, names, 1, true)?;
    check_name(vm, "typevar", name)?;
    let variance = Variance::of(vm, covariant, contravariant, infer)?;
    let bound = match bound {
        b if b.is_unbound() || b.is_none() => None,
        b => Some(type_check(vm, b, "Bound must be a type.")?),
    };
    let constraints = args.positional().get(1..).unwrap_or_default();
    if constraints.len() == 1 {
        return Err(vm.type_error("A single constraint is not allowed"));
    }
    if !constraints.is_empty() && bound.is_some() {
        return Err(vm.type_error("Constraints cannot be combined with bound=..."));
    }
    let constraints = if constraints.is_empty() { None } else { Some(vm.tuple(constraints)?) };
    let mut p = Parameter::<Kind>::plain(name, variance);
    p.bound = Lazy::new(bound, None);
    p.constraints = Lazy::new(constraints, None);
    p.of_call(vm, class, default)
}

/// A missing argument is replaced by the default. TypeError.
fn prepare_subst(vm: &Vm, p: Value, alias: Value, args: Value) -> R<Value> {
    let params = vm.get_attr_str(alias, "__parameters__")?;
    let given = vm.len(args)?;
    let mut index = None;
    let mut i = 0;
    vm.for_each(params, |x| {
        if index.is_none() && vm.eq(x, p)? {
            index = Some(i);
        }
        i += 1;
        Ok(())
    })?;
    if index.is_some_and(|i| i < given) {
        return Ok(args);
    }
    if index == Some(given)
        && let Some(p) = p.cast::<Ext<Parameter<Kind>>>()
        && let Some(d) = p.default.get(vm, p)?
    {
        let more: Ref<Tuple> = Tuple::new(vm, &[d])?;
        return vm.binary(skein_bytecode::Special::Add, args, more.value());
    }
    let (text, least) = (vm.str_string(alias)?, index.unwrap_or(given) + 1);
    Err(vm.type_error(format!("Too few arguments for {text}; actual {given}, expected at least {least}")))
}
