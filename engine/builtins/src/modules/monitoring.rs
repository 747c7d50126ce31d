//! `sys.monitoring` (PEP 669): tools, their names and callbacks. Events are not sent yet: asking for some is an error.

use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

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
    "restart_events()" => |_: &Vm| ();
    "_all_events()" => |vm: &Vm| Dict::new(vm);
}

const EVENTS: &[(&str, i64)] = &[
    ("PY_START", 1 << 0),
    ("PY_RESUME", 1 << 1),
    ("PY_RETURN", 1 << 2),
    ("PY_YIELD", 1 << 3),
    ("CALL", 1 << 4),
    ("LINE", 1 << 5),
    ("INSTRUCTION", 1 << 6),
    ("JUMP", 1 << 7),
    ("BRANCH_LEFT", 1 << 8),
    ("BRANCH_RIGHT", 1 << 9),
    ("STOP_ITERATION", 1 << 10),
    ("RAISE", 1 << 11),
    ("EXCEPTION_HANDLED", 1 << 12),
    ("PY_UNWIND", 1 << 13),
    ("PY_THROW", 1 << 14),
    ("RERAISE", 1 << 15),
    ("C_RETURN", 1 << 16),
    ("C_RAISE", 1 << 17),
    ("BRANCH", 1 << 18),
    ("NO_EVENTS", 0),
];
const EVENT_COUNT: u32 = 19;
/// Events that a code may have of its own.
const LOCAL_EVENTS: i64 = (1 << 11) - 1;

const TOOLS: usize = 6;
const TOOL_IDS: &[(&str, i64)] =
    &[("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)];

/// Names of the tools in use, and per tool a dict of callbacks by event.
#[derive(Default)]
struct State {
    names: [Cell<Option<Value>>; TOOLS],
    callbacks: [Cell<Option<Ref<Dict>>>; TOOLS],
}

fn state(vm: &Vm, tool: i64) -> R<(std::rc::Rc<State>, usize)> {
    match usize::try_from(tool) {
        Ok(i) if i < TOOLS => Ok((vm.state::<State>(), i)),
        _ => Err(vm.value_error(format!("invalid tool {tool} (must be between 0 and 5)"))),
    }
}

/// As [`state`], of a tool in use.
fn used(vm: &Vm, tool: i64) -> R<(std::rc::Rc<State>, usize)> {
    let (state, i) = state(vm, tool)?;
    match state.names[i].get() {
        Some(_) => Ok((state, i)),
        None => Err(vm.value_error(format!("tool {tool} is not in use"))),
    }
}

fn use_tool_id(vm: &Vm, tool: i64, name: Value) -> R<()> {
    let (state, i) = state(vm, tool)?;
    if name.cast::<Str>().is_none() {
        return Err(vm.value_error("tool name must be a str"));
    }
    if state.names[i].get().is_some() {
        return Err(vm.value_error(format!("tool {tool} is already in use")));
    }
    state.names[i].set(Some(name));
    Ok(())
}

fn clear_tool_id(vm: &Vm, tool: i64) -> R<()> {
    let (state, i) = state(vm, tool)?;
    state.callbacks[i].set(None);
    Ok(())
}

fn free_tool_id(vm: &Vm, tool: i64) -> R<()> {
    clear_tool_id(vm, tool)?;
    let (state, i) = state(vm, tool)?;
    state.names[i].set(None);
    Ok(())
}

fn get_tool(vm: &Vm, tool: i64) -> R<Value> {
    let (state, i) = state(vm, tool)?;
    Ok(state.names[i].get().unwrap_or(Value::NONE))
}

/// The callback that was there.
fn register_callback(vm: &Vm, tool: i64, event: i64, f: Value) -> R<Value> {
    let (state, i) = state(vm, tool)?;
    if event <= 0 || event.count_ones() != 1 {
        return Err(vm.value_error("The callback can only be set for one event at a time"));
    }
    if event.trailing_zeros() >= EVENT_COUNT {
        return Err(vm.value_error(format!("invalid event {event}")));
    }
    let callbacks = match state.callbacks[i].get() {
        Some(d) => d,
        None => {
            let d = Dict::new(vm)?;
            state.callbacks[i].set(Some(d));
            d
        }
    };
    let key = vm.int(event)?;
    let old = callbacks.get(vm, key)?.unwrap_or(Value::NONE);
    callbacks.set(vm, key, f)?;
    Ok(old)
}

fn get_events(vm: &Vm, tool: i64) -> R<i64> {
    used(vm, tool).map(|_| 0)
}

fn set_events(vm: &Vm, tool: i64, events: i64) -> R<()> {
    used(vm, tool)?;
    if !(0..1 << EVENT_COUNT).contains(&events) {
        return Err(vm.value_error(format!("invalid event set 0x{events:x}")));
    }
    none_wanted(vm, events)
}

fn get_local_events(vm: &Vm, tool: i64, _: Ref<CodeObject>) -> R<i64> {
    used(vm, tool).map(|_| 0)
}

fn set_local_events(vm: &Vm, tool: i64, _: Ref<CodeObject>, events: i64) -> R<()> {
    used(vm, tool)?;
    if events & !(LOCAL_EVENTS | 1 << 18) != 0 {
        return Err(vm.value_error(format!("invalid local event set 0x{events:x}")));
    }
    none_wanted(vm, events)
}

fn none_wanted(vm: &Vm, events: i64) -> R<()> {
    if events == 0 { Ok(()) } else { Err(vm.unsupported("events of sys.monitoring")) }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    vm.root_tracers.borrow_mut().push(|vm, t| {
        let state = vm.state::<State>();
        for v in state.names.iter().filter_map(Cell::get) {
            t.visit_word(v.bits());
        }
        for d in state.callbacks.iter().filter_map(Cell::get) {
            t.visit_word(d.value().bits());
        }
    });
    let m = make_module(vm, "sys.monitoring", FUNCTIONS)?;
    let events = super::namespace::namespace(vm)?;
    for &(name, n) in EVENTS {
        vm.set_attr(events, vm.intern(name)?, vm.int(n)?)?;
    }
    m.dict().set_name(vm, "events", events)?;
    for &(name, n) in TOOL_IDS {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    for name in ["DISABLE", "MISSING"] {
        m.dict().set_name(vm, name, vm.new_instance(vm.types.object)?)?;
    }
    Ok(m)
}
