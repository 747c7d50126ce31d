//! `sys.monitoring` (PEP 669): tools, their names, callbacks and events. What tells of them is in `skein_runtime::events`.

use skein_runtime::events::{TOOLS, USER_TOOLS, event};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "use_tool_id(tool_id, name, /)" => use_tool_id;
    "clear_tool_id(tool_id, /)" => clear_tool_id;
    "free_tool_id(tool_id, /)" => free_tool_id;
    "get_tool(tool_id, /)" => get_tool;
    "register_callback(tool_id, event, func, /)" => register_callback;
    "get_events(tool_id, /)" => get_events;
    "set_events(tool_id, event_set, /)" => set_events;
    "get_local_events(tool_id, code, /)" => get_local_events;
    "set_local_events(tool_id, code, event_set, /)" => set_local_events;
    "restart_events()" => |vm: &Vm| vm.events.restart(vm);
    "_all_events()" => all_events;
}

const EVENTS: &[(&str, u32)] = &[
    ("PY_START", event::PY_START),
    ("PY_RESUME", event::PY_RESUME),
    ("PY_RETURN", event::PY_RETURN),
    ("PY_YIELD", event::PY_YIELD),
    ("CALL", event::CALL),
    ("LINE", event::LINE),
    ("INSTRUCTION", event::INSTRUCTION),
    ("JUMP", event::JUMP),
    ("BRANCH_LEFT", event::BRANCH_LEFT),
    ("BRANCH_RIGHT", event::BRANCH_RIGHT),
    ("STOP_ITERATION", event::STOP_ITERATION),
    ("RAISE", event::RAISE),
    ("EXCEPTION_HANDLED", event::EXCEPTION_HANDLED),
    ("PY_UNWIND", event::PY_UNWIND),
    ("PY_THROW", event::PY_THROW),
    ("RERAISE", event::RERAISE),
    ("C_RETURN", event::C_RETURN),
    ("C_RAISE", event::C_RAISE),
    ("BRANCH", event::BRANCH),
    ("NO_EVENTS", 0),
];

const TOOL_IDS: &[(&str, i64)] =
    &[("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)];

fn tool_of(vm: &Vm, tool: i64) -> R<usize> {
    match usize::try_from(tool) {
        Ok(i) if i < USER_TOOLS => Ok(i),
        _ => Err(vm.value_error(format!("invalid tool {tool} (must be between 0 and 5)"))),
    }
}

/// As [`tool_of`], of a tool in use.
fn used(vm: &Vm, tool: i64) -> R<usize> {
    let i = tool_of(vm, tool)?;
    match vm.events.name(i) {
        Some(_) => Ok(i),
        None => Err(vm.value_error(format!("tool {tool} is not in use"))),
    }
}

fn use_tool_id(vm: &Vm, tool: i64, name: Value) -> R<()> {
    let i = tool_of(vm, tool)?;
    if name.cast::<Str>().is_none() {
        return Err(vm.value_error("tool name must be a str"));
    }
    if vm.events.name(i).is_some() {
        return Err(vm.value_error(format!("tool {tool} is already in use")));
    }
    vm.events.set_name(i, Some(name));
    Ok(())
}

fn clear_tool_id(vm: &Vm, tool: i64) -> R<()> {
    let i = tool_of(vm, tool)?;
    if vm.events.name(i).is_none() {
        return Ok(());
    }
    vm.events.clear_tool(vm, i)
}

fn free_tool_id(vm: &Vm, tool: i64) -> R<()> {
    clear_tool_id(vm, tool)?;
    vm.events.set_name(tool_of(vm, tool)?, None);
    Ok(())
}

fn get_tool(vm: &Vm, tool: i64) -> R<Option<Value>> {
    Ok(vm.events.name(tool_of(vm, tool)?))
}

/// The callback that was there.
fn register_callback(vm: &Vm, tool: i64, event: i64, f: Value) -> R<Option<Value>> {
    let i = tool_of(vm, tool)?;
    if event <= 0 || event.count_ones() != 1 {
        return Err(vm.value_error("The callback can only be set for one event at a time"));
    }
    let number = event.trailing_zeros() as usize;
    if number >= event::COUNT {
        return Err(vm.value_error(format!("invalid event {event}")));
    }
    vm.audit("sys.monitoring.register_callback", || vm.tuple(&[f]))?;
    let f = (!f.is_none()).then_some(f);
    if event == i64::from(event::BRANCH) {
        vm.events.set_callback(i, event::BRANCH_RIGHT.trailing_zeros() as usize, f);
        return Ok(vm.events.set_callback(i, event::BRANCH_LEFT.trailing_zeros() as usize, f));
    }
    Ok(vm.events.set_callback(i, number, f))
}

/// The events as they are kept: those of calls as one, and so those of branches.
fn event_set(vm: &Vm, events: i64, text: &str, allowed: u32) -> R<u32> {
    let refused = || vm.value_error(format!("invalid {text} 0x{events:x}"));
    let Some(mut set) = u32::try_from(events).ok().filter(|&e| e < 1 << event::COUNT) else {
        return Err(refused());
    };
    let calls = event::CALL | event::OF_NATIVE_CALLS;
    if set & event::OF_NATIVE_CALLS != 0 && set & calls != calls {
        return Err(vm.value_error("cannot set C_RETURN or C_RAISE events independently"));
    }
    set &= !event::OF_NATIVE_CALLS;
    if set & event::BRANCH != 0 {
        set = set & !event::BRANCH | event::BRANCH_LEFT | event::BRANCH_RIGHT;
    }
    if set & !allowed != 0 { Err(refused()) } else { Ok(set) }
}

fn get_events(vm: &Vm, tool: i64) -> R<i64> {
    Ok(vm.events.wanted(tool_of(vm, tool)?).into())
}

fn set_events(vm: &Vm, tool: i64, events: i64) -> R<()> {
    let i = tool_of(vm, tool)?;
    let set = event_set(vm, events, "event set", u32::MAX)?;
    used(vm, tool)?;
    vm.events.set_wanted(vm, i, set)
}

fn get_local_events(vm: &Vm, tool: i64, code: Ref<CodeObject>) -> R<i64> {
    Ok(code.local_events(tool_of(vm, tool)?).into())
}

fn set_local_events(vm: &Vm, tool: i64, code: Ref<CodeObject>, events: i64) -> R<()> {
    let i = tool_of(vm, tool)?;
    let set = event_set(vm, events, "local event set", event::INSTRUMENTED)?;
    used(vm, tool)?;
    code.set_local_events(vm, i, set)
}

/// The tools that want each event of all code, as bits; without the events that nobody wants.
fn all_events(vm: &Vm) -> R<Ref<Dict>> {
    let all = Dict::new(vm)?;
    for &(name, event) in EVENTS {
        let tools = (0..TOOLS).fold(0, |t, i| t | i64::from(vm.events.wanted(i) & event != 0) << i);
        if tools != 0 {
            all.set_name(vm, name, Value::small_int(tools))?;
        }
    }
    Ok(all)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "sys.monitoring", FUNCTIONS)?;
    let events = super::namespace::namespace(vm)?;
    for &(name, n) in EVENTS {
        vm.set_attr(events, vm.intern(name)?, vm.int(i64::from(n))?)?;
    }
    m.dict().set_name(vm, "events", events)?;
    for &(name, n) in TOOL_IDS {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    for (name, kept) in [("DISABLE", &vm.events.disable), ("MISSING", &vm.events.missing)] {
        let marker = vm.new_instance(vm.types.object)?;
        kept.set(Some(marker));
        m.dict().set_name(vm, name, marker)?;
    }
    Ok(m)
}
