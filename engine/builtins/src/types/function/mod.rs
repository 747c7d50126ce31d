//! What Python code sees of `function`, `method`, `builtin_function_or_method`, `method_descriptor`.

mod bound;
mod native;

pub use bound::METHOD;
pub use native::{BUILTIN, METHOD_DESCRIPTOR, METHOD_WRAPPER, WRAPPER_DESCRIPTOR};

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::code::{CodeObject, constant_value};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::{BoundMethod, Extra, Function};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub FUNCTION: "function", Kind::Function, type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "Create a function object.\n\n  code\n    a code object\n  globals\n    the globals dictionary\n  name\n    a string that overrides the name from the code object\n  argdefs\n    a tuple that specifies the default argument values\n  closure\n    a tuple that supplies the bindings for free variables\n  kwdefaults\n    a dictionary that specifies the default keyword argument values";
    methods {
        [static] "__new__($type, code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)" => new;
        "__call__($self, /, *args, **kwargs)" => call, "Call self as a function.";
        "__get__($self, instance, owner=None, /)" => get, "Return an attribute of instance, which is of type owner.";
        "__repr__($self, /)" => repr;
    }
    getset {
        "__name__" => |_: &Vm, v: Ref<Function>| Ok(v.name()), |vm: &Vm, v: Ref<Function>, new: Option<Value>| set_text(vm, v, Extra::Name, "__name__", new);
        "__qualname__" => |_: &Vm, v: Ref<Function>| Ok(v.qualname()), |vm: &Vm, v: Ref<Function>, new: Option<Value>| set_text(vm, v, Extra::Qualname, "__qualname__", new);
        "__doc__" => get_doc, |vm: &Vm, v: Ref<Function>, new: Option<Value>| v.set_extra(vm, Extra::Doc, Some(new.unwrap_or(Value::NONE)));
        "__module__" => get_module, |vm: &Vm, v: Ref<Function>, new: Option<Value>| v.set_extra(vm, Extra::Module, Some(new.unwrap_or(Value::NONE)));
        "__dict__" => crate::types::get_dict, crate::types::set_dict;
        "__code__" => |_: &Vm, v: Ref<Function>| Ok(v.code().value()), set_code;
        "__defaults__" => |_: &Vm, v: Ref<Function>| Ok(v.defaults.or_none()), set_defaults;
        "__kwdefaults__" => |_: &Vm, v: Ref<Function>| Ok(v.kwdefaults.or_none()), set_kwdefaults;
        "__closure__" => |_: &Vm, v: Ref<Function>| Ok(v.closure.or_none());
        "__globals__" => |_: &Vm, v: Ref<Function>| Ok(v.globals.or_none());
        "__builtins__" => get_builtins;
        "__annotations__" => get_annotations, set_annotations;
        "__annotate__" => |_: &Vm, v: Ref<Function>| Ok(v.extra(Extra::Annotate).unwrap_or(Value::NONE)), set_annotate;
        "__type_params__" => get_type_params, set_type_params;
    }
}

#[expect(clippy::too_many_arguments, reason = "Python's signature")]
fn new(
    vm: &Vm,
    _ty: Value,
    code: Ref<CodeObject>,
    globals: Ref<Dict>,
    name: Option<Value>,
    defaults: Option<Value>,
    closure: Option<Value>,
    kwdefaults: Option<Value>,
) -> R<Value> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let f = Function::new(vm, code, globals)?;
    if let Some(n) = given(name) {
        if n.cast::<Str>().is_none() {
            return Err(vm.type_error("arg 3 (name) must be None or string"));
        }
        f.set_extra(vm, Extra::Name, Some(n))?;
    }
    if let Some(d) = given(defaults) {
        if d.cast::<Tuple>().is_none() {
            return Err(vm.type_error("arg 4 (defaults) must be None or tuple"));
        }
        f.defaults.set(vm, f, d);
    }
    if skein_runtime::interp::takes_namespace(code) && given(defaults).is_none() {
        // Code of a module binds its names in the globals.
        f.defaults.set(vm, f, vm.tuple(&[globals.value()])?);
    }
    let wanted = code.portable().free_locals().count();
    let cells = match given(closure) {
        Some(c) => match c.cast::<Tuple>() {
            Some(t) => t.len(),
            None => return Err(vm.type_error("arg 5 (closure) must be None or tuple")),
        },
        None if wanted > 0 => return Err(vm.type_error("arg 5 (closure) must be tuple")),
        None => 0,
    };
    if cells != wanted {
        return Err(vm.value_error(format!(
            "{} requires closure of length {wanted}, not {cells}",
            code.name_string()
        )));
    }
    if let Some(c) = given(closure) {
        if let Some(wrong) = c
            .cast::<Tuple>()
            .and_then(|t| t.items().iter().copied().find(|v| v.cast::<CellObject>().is_none()))
        {
            return Err(
                vm.type_error(format!("arg 5 (closure) expected cell, found {}", vm.type_name(wrong)))
            );
        }
        f.closure.set(vm, f, (cells > 0).then_some(c));
    }
    if let Some(k) = given(kwdefaults) {
        if k.cast::<Dict>().is_none() {
            return Err(vm.type_error("arg 6 (kwdefaults) must be None or dict"));
        }
        f.kwdefaults.set(vm, f, k);
    }
    Ok(f.value())
}

/// `__call__` of anything that is called by its kind.
fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    match args.positional().first() {
        Some(&f) => vm.call_args(f, args.rest()),
        None => Err(vm.type_error("descriptor '__call__' of 'function' object needs an argument")),
    }
}

fn get(vm: &Vm, f: Value, instance: Value, _owner: Option<Value>) -> R<Value> {
    if instance.is_none() {
        return Ok(f);
    }
    Ok(BoundMethod::new(vm, f, instance)?.value())
}

fn repr(_: &Vm, f: Ref<Function>) -> String {
    format!("<function {} at {:#x}>", f.qualname_string(), f.value().bits())
}

fn set_text(vm: &Vm, v: Ref<Function>, which: Extra, name: &str, new: Option<Value>) -> R<()> {
    match new {
        Some(n) if n.cast::<Str>().is_some() => v.set_extra(vm, which, Some(n)),
        _ => Err(vm.type_error(format!("{name} must be set to a string object"))),
    }
}

fn get_doc(vm: &Vm, v: Ref<Function>) -> R<Value> {
    let f = v;
    if let Some(d) = f.extra(Extra::Doc) {
        return Ok(d);
    }
    // Text is interned: it is the constant of a code that has run.
    f.code().portable().docstring().map_or(Ok(Value::NONE), |doc| constant_value(vm, doc))
}

fn get_module(vm: &Vm, v: Ref<Function>) -> R<Value> {
    match v.extra(Extra::Module) {
        Some(m) => Ok(m),
        None => Ok(v.globals().get_str(vm, vm.names.__name__)?.unwrap_or(Value::NONE)),
    }
}

/// Tells audit hooks of an attribute that is set, or deleted.
fn tell(vm: &Vm, f: Ref<Function>, name: &str, new: Option<Value>) -> R<()> {
    match new {
        Some(new) => vm.audit("object.__setattr__", || vm.tuple(&[f.value(), vm.str(name)?, new])),
        None => vm.audit("object.__delattr__", || vm.tuple(&[f.value(), vm.str(name)?])),
    }
}

fn set_code(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    let f = v;
    let Some(code) = new.and_then(|c| c.cast::<CodeObject>()) else {
        return Err(vm.type_error("__code__ must be set to a code object"));
    };
    tell(vm, f, "__code__", Some(code.value()))?;
    let (wanted, have) = (code.portable().free_locals().count(), f.cells().len());
    if wanted != have {
        return Err(vm.value_error(format!(
            "{}() requires a code object with {have} free vars, not {wanted}",
            f.name().cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
        )));
    }
    f.set_code(vm, code);
    Ok(())
}

fn set_defaults(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    let new = new.filter(|d| !d.is_none());
    if new.is_some_and(|d| d.cast::<Tuple>().is_none()) {
        return Err(vm.type_error("__defaults__ must be set to a tuple object"));
    }
    tell(vm, v, "__defaults__", new)?;
    v.defaults.set(vm, v, new);
    Ok(())
}

fn set_kwdefaults(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    let new = new.filter(|d| !d.is_none());
    if new.is_some_and(|d| d.cast::<Dict>().is_none()) {
        return Err(vm.type_error("__kwdefaults__ must be set to a dict object"));
    }
    tell(vm, v, "__kwdefaults__", new)?;
    v.kwdefaults.set(vm, v, new);
    Ok(())
}

fn get_builtins(vm: &Vm, v: Ref<Function>) -> R<Value> {
    Ok(skein_runtime::interp::builtins_of(vm, v)?.map_or(Value::NONE, Value::from))
}

fn get_annotations(vm: &Vm, v: Ref<Function>) -> R<Value> {
    let f = v;
    if let Some(a) = f.extra(Extra::Annotations) {
        return Ok(a);
    }
    let made = match f.extra(Extra::Annotate).filter(|a| !a.is_none()) {
        Some(annotate) => annotations_by(vm, annotate)?,
        None => Dict::new(vm)?.value(),
    };
    f.set_extra(vm, Extra::Annotations, Some(made))?;
    Ok(made)
}

/// The annotations as values, which a function, class or module has by its `__annotate__`.
pub(crate) fn annotations_by(vm: &Vm, annotate: Value) -> R<Value> {
    let made = vm.call(annotate, &[Value::small_int(1)])?;
    if made.cast::<Dict>().is_none() {
        let got = vm.type_name(made);
        return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{got}'")));
    }
    Ok(made)
}

fn set_annotations(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    let new = new.filter(|d| !d.is_none());
    if new.is_some_and(|d| d.cast::<Dict>().is_none()) {
        return Err(vm.type_error("__annotations__ must be set to a dict object"));
    }
    v.set_extra(vm, Extra::Annotations, new)?;
    v.set_extra(vm, Extra::Annotate, None)
}

fn set_annotate(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("__annotate__ cannot be deleted")) };
    if new.is_none() {
        return v.set_extra(vm, Extra::Annotate, None);
    }
    if vm.type_of(new).special(vm, skein_bytecode::Special::Call).is_none() {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    v.set_extra(vm, Extra::Annotate, Some(new))?;
    v.set_extra(vm, Extra::Annotations, None)
}

fn get_type_params(vm: &Vm, v: Ref<Function>) -> R<Value> {
    match v.extra(Extra::TypeParams) {
        Some(t) => Ok(t),
        None => vm.tuple(&[]),
    }
}

fn set_type_params(vm: &Vm, v: Ref<Function>, new: Option<Value>) -> R<()> {
    match new.filter(|t| t.cast::<Tuple>().is_some()) {
        Some(t) => v.set_extra(vm, Extra::TypeParams, Some(t)),
        None => Err(vm.type_error("__type_params__ must be set to a tuple")),
    }
}

/// The attributes of a callable that show it: `__qualname__`, or its type's name.
fn qualname_of(vm: &Vm, f: Value) -> R<String> {
    let q = match vm.find_attr(f, vm.names.__qualname__)? {
        Some(q) => Some(q),
        None => vm.find_attr(f, vm.names.__name__)?,
    };
    match q.and_then(|q| q.cast::<Str>()) {
        Some(s) => Ok(s.to_string_lossy().into_owned()),
        None => Ok("?".into()),
    }
}

/// The type argument of a constructor.
pub(super) fn type_argument(vm: &Vm, v: Value, what: &str) -> R<Ref<Type>> {
    match v.cast::<Type>() {
        Some(t) => Ok(t),
        None => {
            Err(vm.type_error(format!("{what}.__new__(X): X is not a type object ({})", vm.type_name(v))))
        }
    }
}
