//! `_opcode`: the machine's instructions, for the modules `opcode` and `dis`, which are Skein's own.

use skein_bytecode::{Extra, Inst, Intrinsic, Op, Role, Special, instructions};
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};

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
const SPECIAL_METHODS: &[&str] = &["__enter__", "__exit__", "__aenter__", "__aexit__"];
/// What `load.special` loads, but for the mark of an unbound local.
const SPECIALS: [Value; 5] =
    [Value::NONE, Value::TRUE, Value::FALSE, Value::ELLIPSIS, Value::NOT_IMPLEMENTED];

native_functions! { FUNCTIONS:
    "stack_effect(opcode, oparg=None, /, *, jump=None)" => stack_effect,
        "Compute the stack effect of the opcode: 0, since instructions work on registers.";
    "is_valid(opcode)" => |_: &Vm, op: i64| op_of(op).is_some();
    "has_arg(opcode)" => |_: &Vm, op: i64| has(op, has_operand);
    "has_const(opcode)" => |_: &Vm, op: i64| has(op, |o| o.info().extra == Extra::Const);
    "has_name(opcode)" => |_: &Vm, op: i64| has(op, has_name);
    "has_jump(opcode)" => |_: &Vm, op: i64| has(op, |o| o.info().extra == Extra::Jump);
    "has_free(opcode)" => |_: &Vm, op: i64| has(op, |o| FREE.contains(&o));
    "has_local(opcode)" => |_: &Vm, op: i64| has(op, has_register);
    "has_exc(opcode)" => |_: &Vm, _: i64| false;
    "get_nb_ops()" => operators;
    "get_intrinsic1_descs()" => intrinsics;
    "get_intrinsic2_descs()" => |vm: &Vm| List::with_capacity(vm, 0);
    "get_special_method_names()" => |vm: &Vm| texts(vm, SPECIAL_METHODS.iter().copied());
    "get_executor(*, code, offset)" => |_: &Vm, _: Value, _: Value| ();
    "get_specialization_stats()" => |_: &Vm| ();
    "get_ops()" => ops, "Rows of the name and number of each instruction, and whether the compiler makes it.";
    "get_length(opcode)" => |vm: &Vm, op: i64| length(vm, op), "Bytes that the instruction takes.";
    "get_instructions(code, /)" => get_instructions,
        "Rows of offset, number, operand, value, text of the operands, offset of the jump, and bytes of the operands.";
    "get_handlers(code, /)" => handlers,
        "Rows of first and last offset, offset of the handler, and the register that gets the exception.";
}

/// Instructions on cells.
const FREE: [Op; 5] = [Op::MakeCell, Op::LoadClosure, Op::LoadDeref, Op::StoreDeref, Op::DeleteDeref];

fn op_of(number: i64) -> Option<Op> {
    Op::from_u8(u8::try_from(number).ok()?)
}

fn has(number: i64, test: fn(Op) -> bool) -> bool {
    op_of(number).is_some_and(test)
}

fn has_operand(op: Op) -> bool {
    op.info().extra != Extra::No || op.info().operands.iter().any(|&role| role != Role::No)
}

fn has_name(op: Op) -> bool {
    matches!(op.info().extra, Extra::Name | Extra::Attr | Extra::Method | Extra::Global)
}

fn has_register(op: Op) -> bool {
    op.info().operands.iter().any(|&role| is_register(role)) || op.info().extra == Extra::Far
}

fn is_register(role: Role) -> bool {
    matches!(role, Role::Dst | Role::Src | Role::Upd | Role::First | Role::Outs)
}

fn length(vm: &Vm, op: i64) -> R<i64> {
    match op_of(op) {
        Some(op) => Ok(op.units() as i64 * 4),
        None => Err(vm.value_error("invalid opcode")),
    }
}

fn stack_effect(vm: &Vm, op: i64, operand: Option<Value>, jump: Option<Value>) -> R<i64> {
    let operand = operand.filter(|o| *o != Value::NONE);
    let jump = jump.filter(|j| *j != Value::NONE);
    if jump.is_some_and(|j| j != Value::TRUE && j != Value::FALSE) {
        return Err(vm.value_error("stack_effect: jump must be False, True or None"));
    }
    match op_of(op) {
        Some(op) if operand.is_none() || has_operand(op) => Ok(0),
        _ => Err(vm.value_error("invalid opcode or oparg")),
    }
}

/// `LoadConst` is LOAD_CONST to Python.
fn name(op: Op) -> String {
    let variant = format!("{op:?}");
    let mut out = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

fn ops(vm: &Vm) -> R<Ref<List>> {
    let list = List::with_capacity(vm, Op::ALL.len())?;
    for &op in Op::ALL {
        let row = [vm.intern(&name(op))?.value(), number(op as u8), Value::bool(op.is_portable())];
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

fn number(n: impl Into<i64>) -> Value {
    Value::small_int(n.into())
}

fn get_instructions(vm: &Vm, code: Ref<CodeObject>) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 8)?;
    for inst in instructions(&code.portable().units) {
        let row = row(vm, code, &inst)?;
        list.push(vm, row)?;
    }
    Ok(list)
}

fn row(vm: &Vm, code: Ref<CodeObject>, inst: &Inst) -> R<Value> {
    let info = inst.op.info();
    let c = code.portable();
    let register = |r: u32| match c.locals.get(r as usize) {
        Some(local) if !local.name.starts_with('.') => local.name.to_string(),
        _ => format!("r{r}"),
    };
    let mut shown = Vec::new();
    for (role, byte) in info.operands.into_iter().zip(inst.bytes()) {
        match role {
            Role::Win => shown.push(format!("r{}", inst.window())),
            Role::Num => shown.push(byte.to_string()),
            Role::Imm => shown.push((byte as i8).to_string()),
            Role::Lo => shown.push(inst.wide().to_string()),
            Role::Hi | Role::WinHi | Role::No => {}
            _ => shown.push(register(byte.into())),
        }
    }
    let [_, a, b, third] = c.units.get(inst.at as usize).map_or([0; 4], |u| u.to_le_bytes());
    let mut value = match inst.op {
        Op::LoadInt => number(inst.wide()),
        Op::LoadSpecial => SPECIALS.get(inst.b as usize).copied().unwrap_or(Value::NONE),
        _ if info.extra != Extra::No => number(inst.w),
        _ if has_operand(inst.op) => number(u32::from_le_bytes([a, b, third, 0])),
        _ => Value::NONE,
    };
    let operand = match (has_operand(inst.op), info.extra) {
        (false, _) => Value::NONE,
        (true, Extra::No) => number(u32::from_le_bytes([a, b, third, 0])),
        (true, _) => number(inst.w),
    };
    let mut target = Value::NONE;
    match info.extra {
        Extra::Const => {
            value = code.constant(vm, inst.w as usize)?.unwrap_or(Value::NONE);
            shown.push(vm.repr_string(value)?);
        }
        Extra::Name | Extra::Attr | Extra::Method | Extra::Global => {
            let text = c.names.get(inst.w as usize).map_or("", |n| n);
            value = vm.intern(text)?.value();
            shown.push(text.to_owned());
        }
        Extra::Jump => target = inst.target().map_or(Value::NONE, |unit| number(unit * 4)),
        Extra::Far => {
            let (to, from) = inst.far();
            shown.extend([register(to), register(from)]);
        }
        Extra::Raw => shown.push(inst.w.to_string()),
        Extra::No => {}
    }
    let meaning = match inst.op {
        Op::LoadSpecial => ["None", "True", "False", "Ellipsis", "NotImplemented", "unbound"]
            .get(inst.b as usize)
            .map(|s| (*s).to_owned()),
        Op::Intrinsic => Intrinsic::from_u8(inst.c).map(|i| i.name().to_owned()),
        Op::BindSpecial => Special::from_u8(inst.c).map(|s| s.name().to_owned()),
        Op::LoadSpecialMethod => {
            u8::try_from(inst.w).ok().and_then(Special::from_u8).map(|s| s.name().to_owned())
        }
        Op::LoadClosure => {
            let index = usize::try_from(inst.wide()).ok();
            let local = index.and_then(|i| c.free_locals().nth(i)).and_then(|i| c.locals.get(i));
            local.map(|l| l.name.to_string())
        }
        _ => None,
    };
    let mut text = shown.join(", ");
    if let Some(meaning) = meaning {
        text = format!("{text} ({meaning})");
    }
    let bytes = vm.tuple(&[number(a), number(b), number(third)])?;
    let text = vm.str(&text)?;
    vm.tuple(&[number(inst.at * 4), number(inst.op as u8), operand, value, text, target, bytes])
}

fn handlers(vm: &Vm, code: Ref<CodeObject>) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 4)?;
    for h in &code.portable().handlers {
        let row = [h.start * 4, h.end * 4, h.target * 4, u32::from(h.reg)].map(number);
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

fn texts<'a>(vm: &Vm, names: impl Iterator<Item = &'a str>) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 8)?;
    for n in names {
        list.push(vm, vm.str(n)?)?;
    }
    Ok(list)
}

fn intrinsics(vm: &Vm) -> R<Ref<List>> {
    texts(vm, Intrinsic::ALL.iter().map(|i| i.name()))
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
