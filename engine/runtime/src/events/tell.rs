//! Telling of events: before and behind an instruction that is watched, and where exceptions pass.
//!
//! The order at an instruction is that of CPython: the frame begins or goes on, its lines, the instruction, then what
//! the instruction does.

use super::legacy::{self, Inside};
use super::sites::{FRAME_BEGINS, LineStart, Start};
use super::table::{Masks, Which, site};
use super::{PROFILE, TRACE, USER_TOOLS, event};
use crate::context::FRAME_WORDS;
use crate::interp::{At, Site, frame_code, frame_object, or_unwind, publish, step};
use crate::native::Args;
use crate::object::Ref;
use crate::types::code::{CodeObject, is_without_block};
use crate::types::dict::Dict;
use crate::types::exception::Exception;
use crate::types::frame::{FrameObject, Shown};
use crate::types::function::{BoundMethod, Function};
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::traceback::Traceback;
use crate::types::tuple::Tuple;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Inst, Intrinsic, Op, Special, flags, instructions};

/// What an event says besides code and place.
#[derive(Clone, Copy)]
enum Says {
    Nothing,
    One(Value),
    /// What is called, and its first argument.
    Call(Value, Value),
}

/// `Op::Event`: tells of what happens at the instruction, and does it.
#[cold]
#[inline(never)]
pub fn run_event(vm: &Vm, at: At) -> At {
    let code = frame_code(at.base);
    if is_without_block(at.pc) {
        publish(vm, at);
        let made = code.make_block(vm);
        return or_unwind(vm, made.map(|()| At { pc: code.exec().start(), ..at }));
    }
    if code.exec().is_quiet_start(at.pc) {
        if vm.events.tracing.inside.get() == 0 && code.exec().is_quiet() {
            code.end_quiet();
        }
        return At { pc: code.exec().entry(), ..at };
    }
    let begins = code.waits_to_run() && code.unit_of(at.pc) == 0;
    if begins && vm.events.tracing.inside.get() > 0 && !code.has_flag(flags::ANY_GENERATOR) {
        // What a callback calls is told to nobody: the code stays as it is until others call it, so that it is not slowed down.
        publish(vm, at);
        if vm.events.note_code(vm, code).is_err() {
            return or_unwind(vm, Err(Raised));
        }
        code.begin_quiet();
        return at;
    }
    if code.begin_running() {
        // From here on it is known as one that has run.
        publish(vm, at);
        let r = vm.events.note_code(vm, code).and_then(|()| code.update_events(vm));
        return or_unwind(vm, r.map(|()| at));
    }
    let (mut at, mut in_line) = (at, false);
    loop {
        match run_watched(vm, at, in_line) {
            Ok(Arrived::Plainly(next)) => return next,
            // There begins a line only for those that come from another one.
            Ok(Arrived::InLine(next)) => (at, in_line) = (next, true),
            Err(Raised) => return or_unwind(vm, Err(Raised)),
        }
    }
}

/// How control came to where it goes on.
enum Arrived {
    Plainly(At),
    /// From the same line, where that matters.
    InLine(At),
}

fn run_watched(vm: &Vm, at: At, in_line: bool) -> R<Arrived> {
    publish(vm, at);
    let code = frame_code(at.base);
    let unit = code.unit_of(at.pc);
    let Some(table) = code.table() else { return Ok(Arrived::Plainly(at)) };
    let found = table.site(unit);
    let silent = vm.events.tracing.inside.get() > 0;
    if !silent && let Some(moved) = before(vm, at, code, unit, found.masks, in_line)? {
        return Ok(Arrived::Plainly(moved));
    }
    // Callbacks may have changed what is wanted here.
    let Some(table) = code.table() else { return Ok(Arrived::Plainly(at)) };
    let now = table.site(unit);
    let next = if silent || now.masks.own | now.masks.right == 0 {
        do_op(vm, at, code, unit)
    } else {
        tell_own(vm, at, code, unit, now.masks, now.op())?
    };
    if now.flags & site::LEADS_ON != 0
        && next.base == at.base
        && let Some(table) = code.table()
        && let to = code.unit_of(next.pc)
        && table.leads_on(unit, to)
        && code.op_in_block(to) == Op::Event
    {
        return Ok(Arrived::InLine(next));
    }
    Ok(Arrived::Plainly(next))
}

/// Does the instruction by itself: where to go on.
fn do_op(vm: &Vm, at: At, code: Ref<CodeObject>, unit: u32) -> At {
    loop {
        let op = code.op_at(unit);
        let next = step(vm, at, op);
        // One that only quickened itself, or stopped for a signal, is to be executed again.
        let again = next.pc == at.pc && next.base == at.base && op != Op::JumpBack;
        if !again {
            return next;
        }
    }
}

/// Tells of all that comes before the instruction. `Some`: the frame goes on elsewhere.
fn before(
    vm: &Vm,
    at: At,
    code: Ref<CodeObject>,
    unit: u32,
    mut masks: Masks,
    in_line: bool,
) -> R<Option<At>> {
    if masks.entry != 0 {
        let begins = code.table().is_some_and(|t| t.site(unit).flags & site::ENTRY != 0);
        let what = if begins { event::PY_START } else { event::PY_RESUME };
        tell(vm, at.base, code, unit, what, masks.entry, Which::Entry, Says::Nothing)?;
        // Who is told that the code begins may want to be told of the first line, too.
        let Some(table) = code.table() else { return Ok(None) };
        masks = table.site(unit).masks;
    }
    if masks.line != 0
        && let Some(moved) = tell_lines(vm, at, code, unit, in_line)?
    {
        return Ok(Some(moved));
    }
    if masks.instruction != 0 {
        tell(
            vm,
            at.base,
            code,
            unit,
            event::INSTRUCTION,
            masks.instruction,
            Which::Instruction,
            Says::Nothing,
        )?;
        return moved_frame(vm, at);
    }
    Ok(None)
}

/// Where a trace function has moved the running frame to, by setting `f_lineno`.
fn moved_frame(vm: &Vm, at: At) -> R<Option<At>> {
    let frame = vm.context().frame_object(at.base).and_then(|f| f.cast::<FrameObject>());
    Ok(frame.and_then(|f| moved_to(f, at)))
}

fn moved_to(frame: Ref<FrameObject>, at: At) -> Option<At> {
    let unit = frame.take_move()?;
    // SAFETY: the unit of an instruction of the code, as `FrameObject::move_to` was given it.
    let pc = unsafe { (*frame_code(at.base).exec()).entry().add(unit as usize) };
    Some(At { pc, base: at.base })
}

fn tell_lines(vm: &Vm, at: At, code: Ref<CodeObject>, unit: u32, in_line: bool) -> R<Option<At>> {
    let mut i = 0;
    // The tools that have disabled all of the lines here.
    let mut disabled = u8::MAX;
    let mut told = false;
    loop {
        let Some(table) = code.table() else { return Ok(None) };
        let Some(line) = table.line_start(unit, i) else { break };
        i += 1;
        if line.start == Start::Unless && in_line {
            disabled = 0;
            continue;
        }
        let mut tools = table.site(unit).masks.line;
        while tools != 0 {
            let tool = 7 - tools.leading_zeros() as usize;
            tools &= !(1 << tool);
            if tool == TRACE {
                if let Some(moved) = trace_line(vm, at, line, shown(line))? {
                    return Ok(Some(moved));
                }
                disabled &= !(1 << TRACE);
                continue;
            }
            told = true;
            let args = [code.value(), Value::small_int(i64::from(line.line))];
            if !call_tool(vm, tool, event::LINE, &args)? {
                disabled &= !(1 << tool);
            }
        }
    }
    if told {
        for tool in (0..USER_TOOLS).filter(|t| disabled & 1 << t != 0) {
            code.disable_event(unit, Which::Line, tool);
        }
    }
    Ok(None)
}

/// Where the trace function sees the frame at the beginning of a line. One for which nothing is done is at the odd
/// bytes before the instruction, as in `co_lines`.
fn shown(line: LineStart) -> Shown {
    Shown { line: line.line, offset: line.unit as i32 * 4 - i32::from(line.before) }
}

/// Tells the trace function of a line.
fn trace_line(vm: &Vm, at: At, line: LineStart, shown: Shown) -> R<Option<At>> {
    let Some(global) = vm.events.tracing.trace.get() else { return Ok(None) };
    let frame = frame_object(vm, at.base)?;
    // A call that was under way may have led here within the line.
    let same = line.start == Start::Unless && frame.last().is_some_and(|l| l.line == line.line);
    frame.note_line(shown);
    if same || !frame.wants_lines() {
        return Ok(None);
    }
    legacy::trace_frame(vm, global, frame, "line", Value::NONE, Some(shown))?;
    Ok(moved_to(frame, at))
}

/// Calls a tool's function: does it want to be called no more?
fn call_tool(vm: &Vm, tool: usize, what: u32, args: &[Value]) -> R<bool> {
    let number = what.trailing_zeros() as usize;
    let Some(f) = vm.events.callbacks[tool][number].get() else { return Ok(false) };
    let _inside = Inside::new(vm);
    let r = vm.call(f, args)?;
    Ok(vm.events.disable.get().is_some_and(|d| r.is(d)))
}

/// Tells the tools of an event at an instruction of the running frame.
#[expect(clippy::too_many_arguments, reason = "what an event is told with")]
fn tell(
    vm: &Vm,
    base: *mut Value,
    code: Ref<CodeObject>,
    unit: u32,
    what: u32,
    mut tools: u8,
    which: Which,
    says: Says,
) -> R<()> {
    while tools != 0 {
        let tool = 7 - tools.leading_zeros() as usize;
        tools &= !(1 << tool);
        if tool >= USER_TOOLS {
            tell_legacy(vm, base, code, unit, what, tool, says)?;
            continue;
        }
        let offset = Value::small_int(i64::from(unit) * 4);
        let disable = match says {
            Says::Nothing => call_tool(vm, tool, what, &[code.value(), offset])?,
            Says::One(v) => call_tool(vm, tool, what, &[code.value(), offset, v])?,
            Says::Call(f, first) => call_tool(vm, tool, what, &[code.value(), offset, f, first])?,
        };
        if disable {
            if what & event::INSTRUMENTED != 0 || what & event::OF_NATIVE_CALLS != 0 {
                code.disable_event(unit, which, tool);
            } else {
                // What happens nowhere in particular cannot be disabled.
                let number = what.trailing_zeros() as usize;
                vm.events.callbacks[tool][number].set(None);
                return Err(vm.value_error(format!(
                    "Cannot disable {} events. Callback removed.",
                    NAMES[number - event::RAISE.trailing_zeros() as usize]
                )));
            }
        }
    }
    Ok(())
}

/// Names of the events that cannot be disabled, from `RAISE` on.
const NAMES: [&str; 5] = ["RAISE", "EXCEPTION_HANDLED", "PY_UNWIND", "PY_THROW", "RERAISE"];

fn tell_legacy(
    vm: &Vm,
    base: *mut Value,
    code: Ref<CodeObject>,
    unit: u32,
    what: u32,
    tool: usize,
    says: Says,
) -> R<()> {
    let arg = match says {
        Says::Nothing => Value::NONE,
        Says::One(v) | Says::Call(v, _) => v,
    };
    let none = Value::NONE;
    let to = if tool == TRACE { legacy::trace } else { legacy::profile };
    match what {
        // Before the first instruction, as in `co_lines`.
        event::PY_START => {
            let shown = Shown { line: code.portable().first_line, offset: FRAME_BEGINS };
            to(vm, base, "call", none, Some(shown))
        }
        // At what suspended it.
        event::PY_RESUME => {
            let unit = begin_of(code, unit.saturating_sub(1));
            let shown = Shown { line: line_at(code, unit), offset: unit as i32 * 4 };
            to(vm, base, "call", none, Some(shown))
        }
        event::PY_THROW => to(vm, base, "call", none, None),
        event::PY_RETURN | event::PY_YIELD => {
            // What belongs to no line is of the last one.
            let silent = tool == TRACE && code.table().is_some_and(|t| t.line_of(unit) == 0);
            let frame = vm.context().frame_object(base).and_then(|f| f.cast::<FrameObject>());
            let shown = frame.filter(|_| silent).and_then(|f| f.last());
            to(vm, base, "return", arg, shown)
        }
        event::PY_UNWIND => {
            // The handler around a generator's body is of no line: it leaves where it was raised, which the traceback knows.
            let before = instructions(&code.portable().units).take_while(|i| i.at < unit).last();
            let wraps = |i: &Inst| i.op == Op::Intrinsic && i.c == Intrinsic::StopIterationError as u8;
            let entry = arg.cast::<Exception>().and_then(|e| e.traceback.cast::<Traceback>());
            let entry = entry.filter(|t| t.code() == code && before.as_ref().is_some_and(wraps));
            let shown = entry.map(|t| Shown { line: line_at(code, t.unit()), offset: t.unit() as i32 * 4 });
            to(vm, base, "return", none, shown)
        }
        event::INSTRUCTION if tool == TRACE => {
            let wants = vm.events.tracing.trace.get().is_some() && frame_object(vm, base)?.wants_opcodes();
            if wants {
                return legacy::trace(vm, base, "opcode", none, None);
            }
            let events = code.local_events(TRACE);
            code.set_local_events(vm, TRACE, events & !event::INSTRUCTION)
        }
        event::JUMP if tool == TRACE => {
            if vm.events.tracing.trace.get().is_none() || !frame_object(vm, base)?.wants_lines() {
                return Ok(());
            }
            legacy::trace(vm, base, "line", none, Some(end_of_jump(code, unit)))
        }
        event::RAISE | event::STOP_ITERATION if tool == TRACE => {
            let traceback = arg.cast::<Exception>().map_or(none, |e| e.traceback.or_none());
            let arg = vm.tuple(&[vm.type_of(arg).value(), arg, traceback])?;
            legacy::trace(vm, base, "exception", arg, None)
        }
        event::CALL | event::C_RETURN | event::C_RAISE if tool == PROFILE => {
            let Says::Call(f, first) = says else { return Ok(()) };
            let Some(f) = native_callee(vm, f, first)? else { return Ok(()) };
            let what = match what {
                event::CALL => "c_call",
                event::C_RETURN => "c_return",
                _ => "c_exception",
            };
            legacy::profile(vm, base, what, f, None)
        }
        _ => Ok(()),
    }
}

/// The builtin function that the profile function is shown; methods are bound. None: not to be shown.
fn native_callee(vm: &Vm, f: Value, first: Value) -> R<Option<Value>> {
    let Some(native) = f.cast::<NativeFunction>() else { return Ok(None) };
    if !native.is_method(vm) {
        return Ok(Some(f));
    }
    if vm.events.missing.get().is_some_and(|m| first.is(m)) {
        return Ok(None);
    }
    Ok(Some(native.bind(vm, first)?.value()))
}

/// The line of an instruction, or of the last before it that has one; else the first of the code.
pub fn line_at(code: Ref<CodeObject>, unit: u32) -> u32 {
    if let Some(line) = code.table().and_then(|t| t.line_at(unit)) {
        return line;
    }
    let mut last = code.portable().first_line;
    for (start, _, p) in code.portable().positions.rows() {
        if start > unit {
            break;
        }
        if p.line != 0 {
            last = p.line;
        }
    }
    last
}

/// The place that a jump comes to.
fn end_of_jump(code: Ref<CodeObject>, unit: u32) -> Shown {
    let target = instructions(&code.portable().units).find(|i| i.at == unit).and_then(|i| i.target());
    let target = target.and_then(|t| u32::try_from(t).ok()).unwrap_or(unit);
    match code.table().and_then(|t| t.lines_at(target).next()) {
        Some(line) => shown(line),
        None => Shown { line: line_at(code, target), offset: target as i32 * 4 },
    }
}

// ---- what an instruction does

/// Tells of what the instruction is, and does it.
fn tell_own(vm: &Vm, at: At, code: Ref<CodeObject>, unit: u32, masks: Masks, op: Op) -> R<At> {
    let say = |what: u32, tools: u8, which: Which, v: Value| {
        tell(vm, at.base, code, unit, what, tools, which, Says::One(v))
    };
    match op {
        Op::Call | Op::CallMethod | Op::CallKw | Op::CallMethodKw | Op::CallEx => {
            tell_call(vm, at, code, unit, masks.own, op)
        }
        Op::Return | Op::ReturnGen => {
            say(event::PY_RETURN, masks.own, Which::Own, at.reg(at.a()))?;
            Ok(do_op(vm, at, code, unit))
        }
        Op::Yield | Op::YieldFrom => {
            say(event::PY_YIELD, masks.own, Which::Own, at.reg(at.b()))?;
            Ok(do_op(vm, at, code, unit))
        }
        Op::Jump | Op::JumpBack | Op::JumpBackTraced => {
            say(event::JUMP, masks.own, Which::Own, offset_of(code, at.jump(at.extra() as i32)))?;
            if let Some(moved) = moved_frame(vm, at)? {
                return Ok(moved);
            }
            Ok(do_op(vm, at, code, unit))
        }
        _ => {
            let (behind, target) = (at.skip(op.units()), at.jump(at.extra() as i32));
            let next = match branch_by_hand(vm, at, op)? {
                Some(true) => target,
                Some(false) => behind,
                None => do_op(vm, at, code, unit),
            };
            if next.base != at.base {
                return Ok(next);
            }
            if next.pc == target.pc {
                say(event::BRANCH_RIGHT, masks.right, Which::Right, offset_of(code, target))?;
            } else if next.pc == behind.pc {
                let to = Value::small_int(i64::from(left_of(op, unit)) * 4);
                say(event::BRANCH_LEFT, masks.own, Which::Own, to)?;
            }
            Ok(next)
        }
    }
}

/// The unit that a branch counts as going on at if it does not jump. A loop's item is put into its variable by the second
/// unit of the instruction.
pub fn left_of(op: Op, unit: u32) -> u32 {
    let loops = matches!(op, Op::ForIter | Op::ForRange | Op::ForList | Op::ForGenerator);
    unit + if loops { 1 } else { op.units() as u32 }
}

fn offset_of(code: Ref<CodeObject>, at: At) -> Value {
    Value::small_int(i64::from(code.unit_of(at.pc)) * 4)
}

/// Finds out whether a branch jumps, where doing the instruction would push a frame for that. None: it would not.
fn branch_by_hand(vm: &Vm, at: At, op: Op) -> R<Option<bool>> {
    let compare = |op: Special, b: Value| -> R<Option<bool>> {
        let a = at.reg(at.a());
        if Value::both_ints(a, b) || Value::both_floats(a, b) {
            return Ok(None);
        }
        let r = vm.rich_compare(op, a, b)?;
        Ok(Some(vm.truth(r)? == (at.c() != 0)))
    };
    let number = Value::small_int(i64::from(at.b() as u8 as i8));
    match op {
        Op::JumpTrue => vm.truth(at.reg(at.a())).map(Some),
        Op::JumpFalse => Ok(Some(!vm.truth(at.reg(at.a()))?)),
        Op::JumpLt => compare(Special::Lt, at.reg(at.b())),
        Op::JumpLe => compare(Special::Le, at.reg(at.b())),
        Op::JumpEq => compare(Special::Eq, at.reg(at.b())),
        Op::JumpNe => compare(Special::Ne, at.reg(at.b())),
        Op::JumpGt => compare(Special::Gt, at.reg(at.b())),
        Op::JumpGe => compare(Special::Ge, at.reg(at.b())),
        Op::JumpLtInt => compare(Special::Lt, number),
        Op::JumpLeInt => compare(Special::Le, number),
        Op::JumpEqInt => compare(Special::Eq, number),
        Op::JumpNeInt => compare(Special::Ne, number),
        Op::JumpGtInt => compare(Special::Gt, number),
        Op::JumpGeInt => compare(Special::Ge, number),
        Op::ForIter | Op::ForGenerator | Op::ForList | Op::ForRange => {
            let it = at.reg(at.b());
            match vm.next_or_stop(it)? {
                Ok(v) => {
                    at.set(at.a(), v);
                    Ok(Some(false))
                }
                Err(returned) => {
                    if it.cast::<crate::types::generator::Generator>().is_some() {
                        iteration_stopped(vm, at.site(), returned)?;
                    }
                    Ok(Some(true))
                }
            }
        }
        _ => Ok(None),
    }
}

/// A call: what is called, its arguments, and what they are named by.
type CallParts = (Value, Ref<List>, Option<Ref<Tuple>>);

/// None: the arguments cannot be passed so, which the call itself complains of.
fn call_parts(vm: &Vm, at: At, op: Op) -> R<Option<CallParts>> {
    let w = at.window();
    let first = w + FRAME_WORDS;
    let callee = at.reg(w);
    let row = match op {
        Op::CallMethod | Op::CallMethodKw if at.reg(first).is_unbound() => at.row(first + 1, at.b()),
        Op::CallMethod | Op::CallMethodKw => at.row(first, at.b() + 1),
        Op::CallEx => {
            let list = match at.reg(first).cast::<Tuple>() {
                Some(t) => List::new(vm, t.items())?,
                None => vm.list_from_iterable_for_call(at.reg(first), callee)?,
            };
            // Looked at once: the call itself takes what was made of it.
            at.set(first, vm.tuple(list.items())?);
            let keywords = at.reg(first + 1);
            let names = match keywords.cast::<Dict>() {
                Some(dict) => Some(crate::interp::add_keywords(vm, list, dict)?),
                None if keywords.is_unbound() => None,
                None => return Ok(None),
            };
            return Ok(Some((callee, list, names)));
        }
        _ => at.row(first, at.b()),
    };
    let names = if matches!(op, Op::CallKw | Op::CallMethodKw) { at.extra_value().cast() } else { None };
    Ok(Some((callee, List::new(vm, row)?, names)))
}

fn tell_call(vm: &Vm, at: At, code: Ref<CodeObject>, unit: u32, tools: u8, op: Op) -> R<At> {
    let Some((callee, args, names)) = call_parts(vm, at, op)? else { return Ok(do_op(vm, at, code, unit)) };
    let missing = vm.events.missing.get().unwrap_or(Value::NONE);
    let positional = args.len() - if op == Op::CallEx { names.map_or(0, |n| n.len()) } else { 0 };
    let (shown, first) = match callee.cast::<BoundMethod>() {
        Some(m) => (m.function.value(), m.receiver.value()),
        None => (callee, if positional > 0 { args.get(0).unwrap_or(missing) } else { missing }),
    };
    let says = Says::Call(shown, first);
    tell(vm, at.base, code, unit, event::CALL, tools, Which::Own, says)?;
    if shown.cast::<Function>().is_some() {
        return Ok(do_op(vm, at, code, unit));
    }
    // Anything else is done to its end, so that its end can be told of.
    let r = vm.call_args(callee, Args::new(args.items(), names));
    publish(vm, at);
    let tools = match code.table() {
        Some(t) if vm.events.tracing.inside.get() == 0 => t.site(unit).masks.own,
        _ => 0,
    };
    match r {
        Ok(v) => {
            tell(vm, at.base, code, unit, event::C_RETURN, tools, Which::Own, says)?;
            at.set(at.window(), v);
            Ok(at.skip(op.units()))
        }
        Err(Raised) => {
            protected(vm, || tell(vm, at.base, code, unit, event::C_RAISE, tools, Which::Own, says));
            Err(Raised)
        }
    }
}

/// Tells while an exception is pending: it stays, unless telling raises another.
fn protected(vm: &Vm, f: impl FnOnce() -> R<()>) {
    let e = vm.pending.take();
    if f().is_ok() {
        vm.pending.set(e);
    }
}

// ---- exceptions

/// Tells the tools that want it of all code; the pending exception is what it is about.
fn tell_of_exception(vm: &Vm, site: Site, unit: u32, what: u32) {
    let tools = vm.events.tools_of(what);
    if tools == 0 || vm.events.tracing.inside.get() > 0 {
        return;
    }
    let Some(e) = vm.pending.get() else { return };
    let code = frame_code(site.base());
    protected(vm, || tell(vm, site.base(), code, unit, what, tools, Which::Own, Says::One(e)));
}

/// The unit that the instruction begins with of which this is one.
fn begin_of(code: Ref<CodeObject>, unit: u32) -> u32 {
    instructions(&code.portable().units).take_while(|i| i.at <= unit).last().map_or(unit, |i| i.at)
}

/// How an exception passes an instruction.
#[derive(Clone, Copy, PartialEq)]
pub enum Passes {
    /// Raised there, or by what it called.
    Raised,
    /// Raised again, at the end of a handler.
    Again,
    /// The handler of the frame takes it that begins at this unit.
    Handled(u32),
    /// It leaves the frame.
    Leaves,
}

/// The pending exception passes the instruction. It may be another one afterwards.
#[cold]
pub fn exception_passes(vm: &Vm, site: Site, how: Passes) {
    let what = match how {
        Passes::Raised => event::RAISE,
        Passes::Again => event::RERAISE,
        Passes::Handled(_) => event::EXCEPTION_HANDLED,
        Passes::Leaves => event::PY_UNWIND,
    };
    let unit = match how {
        Passes::Handled(target) => target,
        _ => begin_of(frame_code(site.base()), site.unit()),
    };
    tell_of_exception(vm, site, unit, what);
}

/// An exception is thrown into the generator whose frame this is.
#[cold]
pub fn thrown_into(vm: &Vm, site: Site) {
    let unit = begin_of(frame_code(site.base()), site.unit());
    tell_of_exception(vm, site, unit, event::PY_THROW);
}

/// An iteration over a generator ends, which returned this, by the instruction at `site`.
#[cold]
pub fn iteration_stopped(vm: &Vm, site: Site, returned: Value) -> R<()> {
    let code = frame_code(site.base());
    let Some(table) = code.table() else { return Ok(()) };
    let unit = begin_of(code, site.unit());
    let tools = table.site(unit).masks.stop;
    if tools == 0 || vm.events.tracing.inside.get() > 0 {
        return Ok(());
    }
    let Raised = vm.stop_iteration(returned);
    let e = vm.pending.take().unwrap_or(Value::NONE);
    tell(vm, site.base(), code, unit, event::STOP_ITERATION, tools, Which::Stop, Says::One(e))
}
