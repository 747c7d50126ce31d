//! The module `builtins`.

use crate::native::Args;
use crate::native_functions;
use crate::object::Ref;
use crate::types::module::Module;
use crate::value::{R, Value};
use crate::vm::Vm;

native_functions! { pub FUNCTIONS:
    "__build_class__(func, name, /, *bases, **kwds)" => super::classes::build_class, "Internal helper function used by the class statement.";
    "__import__(name, globals=None, locals=None, fromlist=(), level=0)" => super::import::import_builtin, "Import a module.";
    "print(*args, sep=' ', end='\\n', file=None, flush=False)" => print;
    "repr(obj, /)" => repr, "Return the canonical string representation of the object.";
    "len(obj, /)" => len, "Return the number of items in a container.";
    "isinstance(obj, class_or_tuple, /)" => isinstance;
    "issubclass(cls, class_or_tuple, /)" => issubclass;
    "id(obj, /)" => id;
    "hash(obj, /)" => hash;
}

fn print(vm: &Vm, args: Args<'_>) -> R<()> {
    let mut out = String::new();
    for (i, &v) in args.positional().iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(&vm.str_string(v)?);
    }
    println!("{out}");
    Ok(())
}

fn repr(vm: &Vm, v: Value) -> R<Value> {
    Ok(vm.repr(v)?.value())
}

fn len(vm: &Vm, v: Value) -> R<usize> {
    vm.len(v)
}

fn isinstance(vm: &Vm, v: Value, class: Value) -> R<bool> {
    vm.is_instance(v, class)
}

fn issubclass(vm: &Vm, c: Value, class: Value) -> R<bool> {
    vm.is_subclass(c, class)
}

fn id(vm: &Vm, v: Value) -> R<Value> {
    vm.int_u64(v.bits() >> 1)
}

fn hash(vm: &Vm, v: Value) -> R<i64> {
    vm.hash(v)
}

/// The module with its functions, types and constants.
pub(crate) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "builtins")?;
    super::add_functions(vm, m, FUNCTIONS)?;
    super::add_functions(vm, m, super::builtins_numbers::FUNCTIONS)?;
    super::add_functions(vm, m, super::builtins_objects::FUNCTIONS)?;
    super::builtins_iteration::add(vm, m)?;
    let d = m.dict();
    let t = &vm.types;
    for ty in [
        t.object,
        t.type_,
        t.int,
        t.bool,
        t.float,
        t.complex,
        t.str,
        t.bytes,
        t.bytearray,
        t.tuple,
        t.list,
        t.dict,
        t.set,
        t.frozenset,
        t.range,
        t.slice,
        t.property,
        t.staticmethod,
        t.classmethod,
        t.super_,
        t.reversed,
    ] {
        d.set_str(vm, ty.name(), ty.value())?;
    }
    for (name, ty) in vm.exc.all() {
        if !name.starts_with('_') {
            d.set_name(vm, name, ty.value())?;
        }
    }
    d.set_name(vm, "EnvironmentError", vm.exc.os_error.value())?;
    d.set_name(vm, "IOError", vm.exc.os_error.value())?;
    for (name, v) in [
        ("None", Value::NONE),
        ("True", Value::TRUE),
        ("False", Value::FALSE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("__debug__", Value::bool(vm.config.optimize == 0)),
    ] {
        d.set_name(vm, name, v)?;
    }
    Ok(m)
}
