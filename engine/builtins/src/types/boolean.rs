//! What Python code sees of `bool`.

use crate::types::int::{Int, int_op};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

fn base(vm: &Vm) -> Ref<Type> {
    vm.types.int
}

native_type! {
    pub DEF: "bool", Kind::Int, type_flags::MATCH_SELF, base base,
        "Returns True when the argument is true, False otherwise.\nThe builtins True and False are the only two instances of the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => |_: &Vm, v: Value| if v.is(Value::TRUE) { "True" } else { "False" };
        "__invert__($self, /)" => invert;
        "__and__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::And, a, b);
        "__rand__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::And, a, b);
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::Or, a, b);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::Or, a, b);
        "__xor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::Xor, a, b);
        "__rxor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| logic(vm, Special::Xor, a, b);
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    skein_runtime::types::ext::class_argument(vm, &args, vm.types.bool)?;
    let rest = args.positional().get(1..).unwrap_or(&[]);
    if args.has_keywords() {
        return Err(vm.type_error("bool() takes no keyword arguments"));
    }
    match rest {
        [] => Ok(Value::FALSE),
        [v] => Ok(Value::bool(vm.truth(*v)?)),
        _ => Err(vm.type_error(format!("bool expected at most 1 argument, got {}", rest.len()))),
    }
}

fn invert(vm: &Vm, v: Value) -> R<Value> {
    vm.warn(
        vm.exc.deprecation_warning,
        "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise inversion of the underlying int object and is usually not what you expect from negating a bool. Use the 'not' operator for boolean negation or ~int(x) if you really want the bitwise inversion of the underlying int.",
    )?;
    Ok(Value::small_int(if v.is(Value::TRUE) { -2 } else { -1 }))
}

fn logic(vm: &Vm, op: Special, a: Value, b: Value) -> R<Value> {
    if a.is_bool() && b.is_bool() {
        let (x, y) = (a.is(Value::TRUE), b.is(Value::TRUE));
        return Ok(Value::bool(match op {
            Special::And => x & y,
            Special::Or => x | y,
            _ => x ^ y,
        }));
    }
    match (Int::of(a), Int::of(b)) {
        (Some(a), Some(b)) => int_op(vm, op, a, b),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}
