//! `_opcode`: what `opcode` and `dis` ask of CPython's instructions. Skein's own have other numbers; the tables
//! are there for programs that look at them.

use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};

const HAVE_ARGUMENT: i64 = 43;
const CONSTANT: &[&str] = &["LOAD_CONST"];
const NAME: &[&str] = &[
    "DELETE_ATTR",
    "DELETE_GLOBAL",
    "DELETE_NAME",
    "IMPORT_FROM",
    "IMPORT_NAME",
    "LOAD_ATTR",
    "LOAD_FROM_DICT_OR_GLOBALS",
    "LOAD_GLOBAL",
    "LOAD_NAME",
    "LOAD_SUPER_ATTR",
    "STORE_ATTR",
    "STORE_GLOBAL",
    "STORE_NAME",
];
const JUMP: &[&str] = &[
    "END_ASYNC_FOR",
    "FOR_ITER",
    "JUMP",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "JUMP_FORWARD",
    "JUMP_IF_FALSE",
    "JUMP_IF_TRUE",
    "JUMP_NO_INTERRUPT",
    "POP_JUMP_IF_FALSE",
    "POP_JUMP_IF_NONE",
    "POP_JUMP_IF_NOT_NONE",
    "POP_JUMP_IF_TRUE",
    "SEND",
];
const FREE: &[&str] =
    &["COPY_FREE_VARS", "DELETE_DEREF", "LOAD_DEREF", "LOAD_FROM_DICT_OR_DEREF", "MAKE_CELL", "STORE_DEREF"];
const LOCAL: &[&str] = &[
    "DELETE_FAST",
    "LOAD_CLOSURE",
    "LOAD_FAST",
    "LOAD_FAST_AND_CLEAR",
    "LOAD_FAST_BORROW",
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    "LOAD_FAST_CHECK",
    "LOAD_FAST_LOAD_FAST",
    "STORE_FAST",
    "STORE_FAST_LOAD_FAST",
    "STORE_FAST_MAYBE_NULL",
    "STORE_FAST_STORE_FAST",
];
const EXCEPTION: &[&str] = &["SETUP_CLEANUP", "SETUP_FINALLY", "SETUP_WITH"];
/// Names and signs of the binary operators, by their numbers.
const OPERATORS: &[(&str, &str)] = &[
    ("NB_ADD", "+"),
    ("NB_AND", "&"),
    ("NB_FLOOR_DIVIDE", "//"),
    ("NB_LSHIFT", "<<"),
    ("NB_MATRIX_MULTIPLY", "@"),
    ("NB_MULTIPLY", "*"),
    ("NB_REMAINDER", "%"),
    ("NB_OR", "|"),
    ("NB_POWER", "**"),
    ("NB_RSHIFT", ">>"),
    ("NB_SUBTRACT", "-"),
    ("NB_TRUE_DIVIDE", "/"),
    ("NB_XOR", "^"),
    ("NB_INPLACE_ADD", "+="),
    ("NB_INPLACE_AND", "&="),
    ("NB_INPLACE_FLOOR_DIVIDE", "//="),
    ("NB_INPLACE_LSHIFT", "<<="),
    ("NB_INPLACE_MATRIX_MULTIPLY", "@="),
    ("NB_INPLACE_MULTIPLY", "*="),
    ("NB_INPLACE_REMAINDER", "%="),
    ("NB_INPLACE_OR", "|="),
    ("NB_INPLACE_POWER", "**="),
    ("NB_INPLACE_RSHIFT", ">>="),
    ("NB_INPLACE_SUBTRACT", "-="),
    ("NB_INPLACE_TRUE_DIVIDE", "/="),
    ("NB_INPLACE_XOR", "^="),
    ("NB_SUBSCR", "[]"),
];
const INTRINSICS_1: &[&str] = &[
    "INTRINSIC_1_INVALID",
    "INTRINSIC_PRINT",
    "INTRINSIC_IMPORT_STAR",
    "INTRINSIC_STOPITERATION_ERROR",
    "INTRINSIC_ASYNC_GEN_WRAP",
    "INTRINSIC_UNARY_POSITIVE",
    "INTRINSIC_LIST_TO_TUPLE",
    "INTRINSIC_TYPEVAR",
    "INTRINSIC_PARAMSPEC",
    "INTRINSIC_TYPEVARTUPLE",
    "INTRINSIC_SUBSCRIPT_GENERIC",
    "INTRINSIC_TYPEALIAS",
];
const INTRINSICS_2: &[&str] = &[
    "INTRINSIC_2_INVALID",
    "INTRINSIC_PREP_RERAISE_STAR",
    "INTRINSIC_TYPEVAR_WITH_BOUND",
    "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
    "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
    "INTRINSIC_SET_TYPEPARAM_DEFAULT",
];
const SPECIAL_METHODS: &[&str] = &["__enter__", "__exit__", "__aenter__", "__aexit__"];

native_functions! { FUNCTIONS:
    "stack_effect(opcode, oparg=None, /, *, jump=None)" => |vm: &Vm, _: Value, _: Option<Value>, _: Option<Value>| -> R<()> { Err(vm.unsupported("stack effects of CPython's instructions")) };
    "is_valid(opcode)" => |vm: &Vm, op: i64| -> R<bool> { Ok(name(vm, op)?.is_some()) };
    "has_arg(opcode)" => |_: &Vm, op: i64| op > HAVE_ARGUMENT;
    "has_const(opcode)" => |vm: &Vm, op: i64| among(vm, op, CONSTANT);
    "has_name(opcode)" => |vm: &Vm, op: i64| among(vm, op, NAME);
    "has_jump(opcode)" => |vm: &Vm, op: i64| among(vm, op, JUMP);
    "has_free(opcode)" => |vm: &Vm, op: i64| among(vm, op, FREE);
    "has_local(opcode)" => |vm: &Vm, op: i64| among(vm, op, LOCAL);
    "has_exc(opcode)" => |vm: &Vm, op: i64| among(vm, op, EXCEPTION);
    "get_nb_ops()" => operators;
    "get_intrinsic1_descs()" => |vm: &Vm| texts(vm, INTRINSICS_1);
    "get_intrinsic2_descs()" => |vm: &Vm| texts(vm, INTRINSICS_2);
    "get_special_method_names()" => |vm: &Vm| texts(vm, SPECIAL_METHODS);
    "get_executor(*, code, offset)" => |_: &Vm, _: Value, _: Value| ();
    "get_specialization_stats()" => |_: &Vm| ();
}

/// The name of an instruction of CPython's by the library's table.
fn name(vm: &Vm, op: i64) -> R<Option<String>> {
    let m = skein_builtins::modules::import(vm, "_opcode_metadata")?;
    let Some(map) = vm.get_attr_str(m, "opmap")?.cast::<Dict>() else { return Ok(None) };
    let found = map.iter().find(|(_, n)| vm.as_i64(*n) == Some(op));
    Ok(found.and_then(|(k, _)| k.cast::<Str>()).map(|s| s.to_string_lossy().into_owned()))
}

fn among(vm: &Vm, op: i64, names: &[&str]) -> R<bool> {
    Ok(name(vm, op)?.is_some_and(|n| names.contains(&n.as_str())))
}

fn texts(vm: &Vm, names: &[&str]) -> R<Ref<List>> {
    let list = List::with_capacity(vm, names.len())?;
    for n in names {
        list.push(vm, vm.str(n)?)?;
    }
    Ok(list)
}

fn operators(vm: &Vm) -> R<Ref<List>> {
    let list = List::with_capacity(vm, OPERATORS.len())?;
    for (name, sign) in OPERATORS {
        let row = [vm.str(name)?, vm.str(sign)?];
        list.push(vm, Tuple::new(vm, &row)?.value())?;
    }
    Ok(list)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_opcode", FUNCTIONS)?;
    // Instructions are specialised, but not into CPython's.
    for name in ["ENABLE_SPECIALIZATION", "ENABLE_SPECIALIZATION_FT"] {
        m.dict().set_name(vm, name, Value::FALSE)?;
    }
    Ok(m)
}
