//! The module `_typing`: type parameters, type aliases and what else `typing` has in native code.
//!
//! Much of what these objects do is written in Python, in `typing`; it is imported when it is needed.

use skein_bytecode::Intrinsic;
use skein_runtime::interp::Walk;
use skein_runtime::native::Args;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;

mod alias;
mod lazy;
mod parameter;
mod paramspec;
mod typevar;
mod typevartuple;

pub use alias::is_alias;

native_functions! { FUNCTIONS:
    "_idfunc(x, /)" => |_: &Vm, x: Value| x;
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "_typing", FUNCTIONS)?;
    for def in [
        &typevar::DEF,
        &paramspec::DEF,
        &paramspec::ARGS,
        &paramspec::KWARGS,
        &typevartuple::DEF,
        &alias::DEF,
        &GENERIC,
    ] {
        let ty = ext_type(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    m.dict().set_name(vm, "Union", vm.types.union)?;
    m.dict().set_name(vm, "NoDefault", no_default(vm)?)?;
    Ok(m)
}

/// Calls a function of `typing`.
pub(crate) fn call_typing(vm: &Vm, name: &str, args: &[Value]) -> R<Value> {
    let typing = super::import(vm, "typing")?;
    vm.call(vm.get_attr_str(typing, name)?, args)
}

/// `typing.Unpack[v]`.
fn unpack(vm: &Vm, v: Value) -> R<Value> {
    let typing = super::import(vm, "typing")?;
    vm.get_item(vm.get_attr_str(typing, "Unpack")?, v)
}

/// The parameters, each TypeVarTuple unpacked.
fn unpack_tuples(vm: &Vm, params: Ref<Tuple>) -> R<Ref<Tuple>> {
    if !params.items().iter().any(|&p| typevartuple::is(p)) {
        return Ok(params);
    }
    let out = List::with_capacity(vm, params.len())?;
    for &p in params.items() {
        out.push(vm, if typevartuple::is(p) { unpack(vm, p)? } else { p })?;
    }
    Tuple::new(vm, out.items())
}

/// Name of the module whose code is running.
fn calling_module(vm: &Vm) -> R<Option<Value>> {
    match Walk::running(vm).next() {
        Some(f) => {
            let function = skein_runtime::interp::frame_function(f.base);
            vm.find_attr(function.value(), vm.names.__module__)
        }
        None => Ok(None),
    }
}

/// `typing._type_check`, but None stands for its type.
fn type_check(vm: &Vm, v: Value, message: &str) -> R<Value> {
    if v.is_none() {
        return Ok(vm.types.none.value());
    }
    call_typing(vm, "_type_check", &[v, vm.str(message)?])
}

/// A constructor's arguments by the names of its parameters, the first ones also by position. UNBOUND: absent.
/// Without `more`, further positional arguments are an error.
fn bind<const N: usize>(
    vm: &Vm,
    function: &str,
    args: Args<'_>,
    names: [&str; N],
    by_position: usize,
    more: bool,
) -> R<[Value; N]> {
    let mut slots = [Value::UNBOUND; N];
    let given = args.positional();
    if given.len() > by_position && !more {
        let plural = if by_position == 1 { "" } else { "s" };
        return Err(vm.type_error(format!(
            "{function}() takes exactly {by_position} positional argument{plural} ({} given)",
            given.len()
        )));
    }
    let n = given.len().min(by_position);
    slots[..n].copy_from_slice(&given[..n]);
    for (name, v) in args.keywords() {
        let text = name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        match names.iter().position(|n| *n == text) {
            Some(i) if slots[i].is_unbound() => slots[i] = v,
            Some(i) => {
                return Err(vm.type_error(format!(
                    "argument for {function}() given by name ('{text}') and position ({})",
                    i + 1
                )));
            }
            None => {
                return Err(
                    vm.type_error(format!("{function}() got an unexpected keyword argument '{text}'"))
                );
            }
        }
    }
    if let Some(i) = slots[..by_position].iter().position(|v| v.is_unbound()) {
        let name = names[i];
        return Err(vm.type_error(format!("{function}() missing required argument '{name}' (pos {})", i + 1)));
    }
    Ok(slots)
}

/// The argument `name` of a constructor must be a string. TypeError.
fn check_name(vm: &Vm, function: &str, name: Value) -> R<()> {
    if name.cast::<Str>().is_some() {
        return Ok(());
    }
    let got = vm.type_name(name);
    Err(vm.type_error(format!("{function}() argument 'name' must be str, not {got}")))
}

/// The operations of code with type parameters.
pub fn typing_intrinsic(vm: &Vm, which: Intrinsic, args: &[Value]) -> R<Value> {
    match (which, args) {
        (Intrinsic::TypeVar, &[name]) => typevar::make(vm, name, None, None),
        (Intrinsic::TypeVarWithBound, &[name, bound]) => typevar::make(vm, name, Some(bound), None),
        (Intrinsic::TypeVarWithConstraints, &[name, constraints]) => {
            typevar::make(vm, name, None, Some(constraints))
        }
        (Intrinsic::ParamSpec, &[name]) => paramspec::make(vm, name),
        (Intrinsic::TypeVarTuple, &[name]) => typevartuple::make(vm, name),
        (Intrinsic::SetTypeParamDefault, &[parameter, evaluator]) => {
            parameter::set_default(vm, parameter, evaluator);
            Ok(parameter)
        }
        (Intrinsic::SubscriptGeneric, &[params]) => {
            let params = params.cast::<Tuple>().ok_or_else(|| vm.system_error("type parameters"))?;
            let params = unpack_tuples(vm, params)?;
            call_typing(vm, "_GenericAlias", &[ext_type(vm, &GENERIC)?.value(), params.value()])
        }
        (Intrinsic::TypeAlias, &[name, params, value]) => alias::make(vm, name, params, value),
        _ => Err(vm.system_error("unknown intrinsic of typing")),
    }
}

// ---- Generic

native_type! {
    GENERIC: "typing.Generic", Kind::Instance, type_flags::BASETYPE, "Base class of generic classes.\n\nA class with type parameters, class A[T], gets it as its last base.";
    methods {
        [class] "__class_getitem__($cls, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| on_typing(vm, "_generic_class_getitem", args);
        [class] "__init_subclass__($cls, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| on_typing(vm, "_generic_init_subclass", args);
    }
}

/// Calls the function of `typing` with the same arguments.
fn on_typing(vm: &Vm, name: &str, args: Args<'_>) -> R<Value> {
    let typing = super::import(vm, "typing")?;
    vm.call_args(vm.get_attr_str(typing, name)?, args)
}

// ---- NoDefault

native_type! {
    NO_DEFAULT: "typing.NoDefaultType", Kind::Ext, 0, "The type of NoDefault, which says that a type parameter has no default.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            if args.positional().len() > 1 || args.has_keywords() {
                return Err(vm.type_error("NoDefaultType takes no arguments"));
            }
            no_default(vm)
        };
        "__repr__($self, /)" => |_: &Vm, _: Value| "typing.NoDefault";
        "__reduce__($self, /)" => |_: &Vm, _: Value| "NoDefault";
    }
}

struct NoDefault;

impl Payload for NoDefault {
    const NAME: &'static str = "NoDefaultType";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

/// The one instance, kept as a root.
#[derive(Default)]
struct NoDefaultCell(Cell<Option<Value>>);

/// `typing.NoDefault`. MemoryError.
fn no_default(vm: &Vm) -> R<Value> {
    let state = vm.state::<NoDefaultCell>();
    if let Some(v) = state.0.get() {
        return Ok(v);
    }
    let v = Ext::new(vm, ext_type(vm, &NO_DEFAULT)?, NoDefault)?.value();
    vm.roots.borrow_mut().push(v);
    state.0.set(Some(v));
    Ok(v)
}
