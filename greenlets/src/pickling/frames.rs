//! Frames and generators in pickles.

use super::{bad, given, parts, reduced};
use skein_bytecode::Code;
use skein_runtime::interp::{
    BOTTOM, FrozenFrame, FrozenRef, freeze_generator, thaw_generator, unfilled_generator,
};
use skein_runtime::object::{Kind as Layout, Ref};
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, check_class, ext_type};
use skein_runtime::types::function::Function;
use skein_runtime::types::generator::{AWAITS_STACK, CLOSED, GenState, Generator, HOOKS_INITED, UNFILLED};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};

native_type! {
    pub FRAME: "stackless._wrap.frame", Layout::Ext, 0, "A frame that stands still, apart from any stack.";
    methods {
        [static] "__new__($type)" => |vm: &Vm, ty: Ref<Type>| -> R<FrozenRef> {
            check_class(vm, ty, &FRAME)?;
            Ext::new(vm, ty, FrozenFrame::default())
        };
        "__reduce__($self)" => reduce_frame;
        "__reduce_ex__($self, protocol, /)" => |vm: &Vm, f: FrozenRef, _: Value| reduce_frame(vm, f);
        "__setstate__($self, state, /)" => set_frame;
    }
}

native_functions! { pub FUNCTIONS:
    "reduce_generator(generator, /)" => reduce_generator;
    "generator(function, /)" => |vm: &Vm, f: Ref<Function>| unfilled_generator(vm, f);
    "set_generator(generator, state, /)" => set_generator;
}

/// An empty one. MemoryError.
pub fn empty_frame(vm: &Vm) -> R<FrozenRef> {
    Ext::new(vm, ext_type(vm, &FRAME)?, FrozenFrame::default())
}

/// Tells codes apart, of this version.
pub fn code_hash(code: &Code) -> i64 {
    // FNV-1a over the instructions.
    let mut hash = skein_bytecode::table_hash();
    let shape =
        [u32::from(code.nregs), code.locals.len() as u32, code.consts.len() as u32, code.names.len() as u32];
    for &unit in shape.iter().chain(&code.units) {
        hash = (hash ^ u64::from(unit)).wrapping_mul(0x100_0000_01b3);
    }
    (hash >> 3) as i64
}

/// What stands for the code of a function: the hash of its own, or the one that it had.
fn code_part(vm: &Vm, function: Ref<Function>, code: Ref<CodeObject>) -> R<Value> {
    if function.code() == code { vm.int(code_hash(code.portable())) } else { Ok(code.value()) }
}

/// The function with the code that a pickle says: another one, where the code was. ValueError.
fn with_code(vm: &Vm, function: Value, code: Value) -> R<Ref<Function>> {
    let Some(f) = function.cast::<Function>() else { return Err(bad(vm, "a frame of what is no function")) };
    let Some(other) = code.cast::<CodeObject>() else {
        if vm.as_i64(code) != Some(code_hash(f.code().portable())) {
            let name = f.qualname_string();
            return Err(vm.value_error(format!(
                "the code of {name}() is not the one that a frame in the pickle was made of"
            )));
        }
        return Ok(f);
    };
    let cells = f.cells();
    let free = other.portable().free_locals().count();
    if free != cells.len() || cells.iter().any(|c| c.cast::<CellObject>().is_none()) {
        return Err(bad(vm, "a frame's code needs another closure"));
    }
    let new = Function::new(vm, other, f.globals())?;
    new.closure.set(vm, new, f.closure.get());
    Ok(new)
}

fn reduce_frame(vm: &Vm, f: FrozenRef) -> R<Value> {
    let Some((function, code)) = f.parts() else { return Err(vm.value_error("the frame is empty")) };
    let state = [
        function.value(),
        code_part(vm, function, code)?,
        vm.int(f.unit.get().into())?,
        Value::bool(f.under_way.get()),
        f.registers.or_none(),
        vm.int(f.record.get())?,
        f.a.or_none(),
        f.b.or_none(),
        f.waiting.or_none(),
    ];
    let args = vm.tuple(&[])?;
    let ty = ext_type(vm, &FRAME)?.value();
    vm.tuple(&[ty, args, vm.tuple(&state)?])
}

fn set_frame(vm: &Vm, f: FrozenRef, state: Value) -> R<()> {
    if f.parts().is_some() {
        return Err(bad(vm, "a frame is filled twice"));
    }
    let [function, code, unit, under_way, registers, record, a, b, waiting] = parts(vm, state, "frame")?;
    let function = with_code(vm, function, code)?;
    let Some(unit) = vm.as_i64(unit).and_then(|n| u32::try_from(n).ok()) else {
        return Err(bad(vm, "no such instruction"));
    };
    if registers.cast::<Dict>().is_none() {
        return Err(bad(vm, "registers that are no dict"));
    }
    f.function.set(vm, f, function.value());
    f.code.set(vm, f, function.code().value());
    f.unit.set(unit);
    f.under_way.set(under_way.is(Value::TRUE));
    f.registers.set(vm, f, registers);
    f.record.set(vm.as_i64(record).unwrap_or(BOTTOM));
    f.a.set(vm, f, a);
    f.b.set(vm, f, b);
    f.waiting.set(vm, f, given(waiting));
    Ok(())
}

/// How a generator stands, in pickles.
mod standing {
    pub const STANDS: i64 = 0;
    pub const RUNS: i64 = 1;
    pub const FINISHED: i64 = 2;
}

fn reduce_generator(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    let (how, frame) = match g.state() {
        GenState::Created | GenState::Suspended => {
            let frame = empty_frame(vm)?;
            freeze_generator(vm, g, frame)?;
            (standing::STANDS, frame.value())
        }
        GenState::Running => (standing::RUNS, Value::NONE),
        GenState::Finished => (standing::FINISHED, Value::NONE),
    };
    let bits = i64::from(g.flag(HOOKS_INITED)) | i64::from(g.flag(CLOSED)) << 1;
    // The hook of an async generator is a function of the loop that it runs in.
    let origin = if vm.type_of(g.value()) == vm.types.coroutine { g.hook.or_none() } else { Value::NONE };
    let state = [
        Value::small_int(how),
        frame,
        g.handled.or_none(),
        g.names.or_none(),
        origin,
        Value::small_int(bits),
        code_part(vm, g.function(), g.code())?,
    ];
    let function = with_code(vm, g.function().value(), state[6])?;
    reduced(vm, "generator", &[function.value()], vm.tuple(&state)?, "set_generator")
}

fn set_generator(vm: &Vm, g: Ref<Generator>, state: Value) -> R<()> {
    let [how, frame, handled, names, origin, bits, code] = parts(vm, state, "generator")?;
    if !g.flag(UNFILLED) {
        return Err(bad(vm, "a generator is filled twice"));
    }
    // Of the function that it was made with.
    if code.cast::<CodeObject>().is_none() {
        with_code(vm, g.function().value(), code)?;
    }
    match vm.as_i64(how) {
        Some(standing::STANDS) => {
            let Some(frame) = frame.cast::<Ext<FrozenFrame>>() else {
                return Err(bad(vm, "a generator without a frame"));
            };
            thaw_generator(vm, g, frame, given(handled))?;
        }
        Some(standing::RUNS) => {
            g.set_flag(UNFILLED, false);
            g.set_flag(AWAITS_STACK, true);
            g.set_state(GenState::Running);
        }
        Some(standing::FINISHED) => g.set_flag(UNFILLED, false),
        _ => return Err(bad(vm, "a generator that stands in no known way")),
    }
    let is_name = |v: &Value| vm.is_exact_or_subtype(*v, vm.types.str);
    let names = given(names)
        .filter(|v| v.cast::<Tuple>().is_some_and(|t| t.len() == 2 && t.items().iter().all(is_name)));
    g.names.set(vm, g, names);
    if vm.type_of(g.value()) == vm.types.coroutine {
        g.hook.set(vm, g, given(origin).filter(|o| o.cast::<Tuple>().is_some()));
    }
    let bits = vm.as_i64(bits).unwrap_or(0);
    g.set_flag(HOOKS_INITED, bits & 1 != 0);
    g.set_flag(CLOSED, bits & 2 != 0);
    Ok(())
}
