//! `_lsprof`: times calls for `cProfile`, told of them by `sys.monitoring`.

use rustc_hash::FxHashMap;
use skein_builtins::modules::import;
use skein_builtins::modules::structseq::{self, Lazy};
use skein_builtins::struct_sequence;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::ext::{Ext, Payload, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::{Cell, RefCell};
use std::time::Instant;

struct_sequence! { ENTRY: "_lsprof.profiler_entry", "What is known of the calls of a function.";
"code" 0, "callcount" 1, "reccallcount" 2, "totaltime" 3, "inlinetime" 4, "calls" 5 }
struct_sequence! { SUBENTRY: "_lsprof.profiler_subentry", "What is known of the calls of a function by another.";
"code" 0, "callcount" 1, "reccallcount" 2, "totaltime" 3, "inlinetime" 4 }

#[derive(Default)]
struct Types {
    entry: Lazy,
    subentry: Lazy,
}

/// Times are in units of the clock.
#[derive(Clone, Copy, Default)]
struct Times {
    calls: u64,
    recursive: u64,
    total: i64,
    inline: i64,
    /// Calls under way.
    depth: u64,
}

impl Times {
    fn begin(&mut self) {
        self.calls += 1;
        self.depth += 1;
        self.recursive += u64::from(self.depth > 1);
    }

    fn end(&mut self, total: i64, inline: i64) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.total = self.total.wrapping_add(total);
        }
        self.inline = self.inline.wrapping_add(inline);
    }
}

struct Called {
    /// The code, or the text for a function in Rust.
    what: Value,
    times: Times,
    by_caller: FxHashMap<usize, Times>,
}

/// A call under way.
struct Active {
    place: usize,
    began: i64,
    /// Time of the calls from it.
    below: i64,
}

/// What a function is known by: the address of a code, or of a native function's declaration.
type Key = usize;

#[derive(Default)]
struct Profile {
    called: Vec<Called>,
    places: FxHashMap<Key, usize>,
    active: Vec<Active>,
}

struct Profiler {
    profile: RefCell<Profile>,
    timer: Field,
    unit: Cell<f64>,
    subcalls: Cell<bool>,
    builtins: Cell<bool>,
    enabled: Cell<bool>,
    start: Instant,
}

impl Payload for Profiler {
    const NAME: &'static str = "_lsprof.Profiler";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Profiler { profile, timer, unit: _, subcalls: _, builtins: _, enabled: _, start: _ } = self;
        timer.trace(t);
        for called in &profile.borrow().called {
            t.visit_word(called.what.bits());
        }
    }
}

type This = Ref<Ext<Profiler>>;

native_type! {
    PROFILER: "_lsprof.Profiler", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT,
        "Build a profiler object using the specified timer function.\n\nA timer that returns ints is told the length of its units by timeunit.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, timer=None, timeunit=0.0, subcalls=True, builtins=True)" => init;
        "getstats($self, /)" => stats, "Return a list of profiler_entry objects with all that was collected.";
        "enable($self, /, subcalls=True, builtins=True)" => enable, "Start collecting profiling information.";
        "disable($self, /)" => disable, "Stop collecting profiling information.";
        "clear($self, /)" => clear, "Clear all profiling information collected so far.";
        "_pystart_callback($self, code, instruction_offset, /)" => |vm: &Vm, p: This, code: Value, _: Value| python_begins(vm, p, code);
        "_pythrow_callback($self, code, instruction_offset, exception, /)" => |vm: &Vm, p: This, code: Value, _: Value, _: Value| python_begins(vm, p, code);
        "_pyreturn_callback($self, code, instruction_offset, retval, /)" => |vm: &Vm, p: This, code: Value, _: Value, _: Value| python_ends(vm, p, code);
        "_ccall_callback($self, code, instruction_offset, callable, self_arg, /)" => |vm: &Vm, p: This, _: Value, _: Value, f: Value, _: Value| native_begins(vm, p, f);
        "_creturn_callback($self, code, instruction_offset, callable, self_arg, /)" => |vm: &Vm, p: This, _: Value, _: Value, f: Value, _: Value| native_ends(vm, p, f);
    }
    getset {}
}

/// Events, and the method that is told of each.
const CALLBACKS: [(&str, &str); 9] = [
    ("PY_START", "_pystart_callback"),
    ("PY_RESUME", "_pystart_callback"),
    ("PY_THROW", "_pythrow_callback"),
    ("PY_RETURN", "_pyreturn_callback"),
    ("PY_YIELD", "_pyreturn_callback"),
    ("PY_UNWIND", "_pyreturn_callback"),
    ("CALL", "_ccall_callback"),
    ("C_RETURN", "_creturn_callback"),
    ("C_RAISE", "_creturn_callback"),
];

const TOOL: Value = Value::small_int(2);

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &PROFILER)?)?;
    let profiler = Profiler {
        profile: RefCell::default(),
        timer: Field::new(None),
        unit: Cell::new(1e-9),
        subcalls: Cell::new(true),
        builtins: Cell::new(true),
        enabled: Cell::new(false),
        start: Instant::now(),
    };
    Ok(Ext::new(vm, ty, profiler)?.value())
}

fn init(
    vm: &Vm,
    p: This,
    timer: Option<Value>,
    unit: Option<f64>,
    subcalls: Option<bool>,
    builtins: Option<bool>,
) {
    let timer = timer.filter(|t| !t.is_none());
    p.timer.set(vm, p, timer.unwrap_or(Value::NONE));
    let unit = unit.unwrap_or(0.0);
    p.unit.set(match timer {
        None => 1e-9,
        // Seconds in floats are counted in nanoseconds.
        Some(_) if unit > 0.0 => unit,
        Some(_) => 1e-9,
    });
    p.subcalls.set(subcalls.unwrap_or(true));
    p.builtins.set(builtins.unwrap_or(true));
}

/// The time, in the clock's units; what the program's own clock raises is shown and forgotten.
fn now(vm: &Vm, p: This) -> i64 {
    let Some(timer) = p.timer.get().filter(|t| !t.is_none()) else {
        return p.start.elapsed().as_nanos() as i64;
    };
    let time = vm.call(timer, &[]).and_then(|t| match vm.as_float(t) {
        Some(seconds) => Ok((seconds / p.unit.get()) as i64),
        None => vm.index_i64(t),
    });
    time.unwrap_or_else(|_| {
        vm.unraisable(None, timer);
        0
    })
}

fn begin(vm: &Vm, p: This, key: Key, what: impl FnOnce() -> R<Value>) -> R<()> {
    let known = p.profile.borrow().places.get(&key).copied();
    let place = match known {
        Some(place) => place,
        None => {
            let what = what()?;
            p.barrier(vm);
            let mut profile = p.profile.borrow_mut();
            let place = profile.called.len();
            // bounded: by the functions that there are
            profile.called.push(Called { what, times: Times::default(), by_caller: FxHashMap::default() });
            profile.places.insert(key, place);
            place
        }
    };
    let time = now(vm, p);
    let subcalls = p.subcalls.get();
    let room = p.profile.borrow_mut().active.try_reserve(1);
    room.map_err(|_| vm.memory_error())?;
    let mut profile = p.profile.borrow_mut();
    let caller = profile.active.last().map(|a| a.place);
    if let Some(called) = profile.called.get_mut(place) {
        called.times.begin();
    }
    if let Some(caller) = caller.and_then(|c| profile.called.get_mut(c)).filter(|_| subcalls) {
        caller.by_caller.entry(place).or_default().begin();
    }
    profile.active.push(Active { place, began: time, below: 0 });
    Ok(())
}

/// A call ends; those above it that nobody told of end with it. One that was begun before profiling is none.
fn end(vm: &Vm, p: This, key: Key) {
    let time = now(vm, p);
    let subcalls = p.subcalls.get();
    let mut profile = p.profile.borrow_mut();
    let Some(&place) = profile.places.get(&key) else { return };
    if profile.active.iter().all(|a| a.place != place) {
        return;
    }
    while let Some(last) = profile.pop(time, subcalls) {
        if last == place {
            break;
        }
    }
}

impl Profile {
    /// Ends the innermost call: its place.
    fn pop(&mut self, time: i64, subcalls: bool) -> Option<usize> {
        let active = self.active.pop()?;
        let total = time.wrapping_sub(active.began);
        let inline = total.wrapping_sub(active.below);
        if let Some(called) = self.called.get_mut(active.place) {
            called.times.end(total, inline);
        }
        if let Some(caller) = self.active.last_mut() {
            caller.below = caller.below.wrapping_add(total);
            let caller = caller.place;
            let times = self.called.get_mut(caller).and_then(|c| c.by_caller.get_mut(&active.place));
            if let Some(times) = times.filter(|_| subcalls) {
                times.end(total, inline);
            }
        }
        Some(active.place)
    }
}

fn python_begins(vm: &Vm, p: This, code: Value) -> R<()> {
    match code.cast::<CodeObject>() {
        Some(code) => begin(vm, p, code.value().bits() as usize, || Ok(code.value())),
        None => Ok(()),
    }
}

fn python_ends(vm: &Vm, p: This, code: Value) {
    if code.cast::<CodeObject>().is_some() {
        end(vm, p, code.bits() as usize);
    }
}

/// A function in Rust, by its declaration.
fn native_key(f: Value) -> Option<(Key, Ref<NativeFunction>)> {
    let f = f.cast::<NativeFunction>()?;
    Some((std::ptr::from_ref(f.def()) as usize, f))
}

fn native_begins(vm: &Vm, p: This, f: Value) -> R<()> {
    if !p.builtins.get() {
        return Ok(());
    }
    let Some((key, f)) = native_key(f) else { return Ok(()) };
    begin(vm, p, key, || {
        let name = f.def().name;
        let text = match f.owner.cast::<Type>() {
            Some(class) => format!("<method '{name}' of '{}' objects>", class.message_name()),
            None => {
                let module = vm.get_attr_str(f.value(), "__module__")?;
                match module.is_none() {
                    true => format!("<built-in method {name}>"),
                    false => format!("<built-in method {}.{name}>", vm.str_string(module)?),
                }
            }
        };
        vm.str(&text)
    })
}

fn native_ends(vm: &Vm, p: This, f: Value) {
    if p.builtins.get()
        && let Some((key, _)) = native_key(f)
    {
        end(vm, p, key);
    }
}

fn monitoring(vm: &Vm) -> R<Value> {
    vm.get_attr_str(import(vm, "sys")?, "monitoring")
}

fn enable(vm: &Vm, p: This, subcalls: Option<bool>, builtins: Option<bool>) -> R<()> {
    let monitoring = monitoring(vm)?;
    vm.call_method(monitoring, "use_tool_id", &[TOOL, vm.str("cProfile")?])?;
    p.subcalls.set(subcalls.unwrap_or(true));
    p.builtins.set(builtins.unwrap_or(true));
    let events = vm.get_attr_str(monitoring, "events")?;
    let mut all = 0;
    for (event, callback) in CALLBACKS {
        let event = vm.get_attr_str(events, event)?;
        let callback = vm.get_attr_str(p.value(), callback)?;
        vm.call_method(monitoring, "register_callback", &[TOOL, event, callback])?;
        all |= vm.index_i64(event)?;
    }
    vm.call_method(monitoring, "set_events", &[TOOL, vm.int(all)?])?;
    p.enabled.set(true);
    Ok(())
}

fn disable(vm: &Vm, p: This) -> R<()> {
    if !p.enabled.replace(false) {
        return Ok(());
    }
    let monitoring = monitoring(vm)?;
    let events = vm.get_attr_str(monitoring, "events")?;
    vm.call_method(monitoring, "set_events", &[TOOL, Value::small_int(0)])?;
    for (event, _) in CALLBACKS {
        let event = vm.get_attr_str(events, event)?;
        vm.call_method(monitoring, "register_callback", &[TOOL, event, Value::NONE])?;
    }
    vm.call_method(monitoring, "free_tool_id", &[TOOL])?;
    let time = now(vm, p);
    let subcalls = p.subcalls.get();
    while p.profile.borrow_mut().pop(time, subcalls).is_some() {}
    Ok(())
}

fn clear(_: &Vm, p: This) {
    // Values are let go of when nothing is borrowed.
    drop(p.profile.take());
}

fn stats(vm: &Vm, p: This) -> R<Ref<List>> {
    let types = vm.state::<Types>();
    let (entry, subentry) = (types.entry.get(vm, &ENTRY)?, types.subentry.get(vm, &SUBENTRY)?);
    // A copy: making the rows may collect, and run what is profiled.
    let rows: Vec<(Value, Times, Vec<(Value, Times)>)> = {
        let profile = p.profile.borrow();
        let by = |called: &Called| {
            let of = |(&place, &times): (&usize, &Times)| (profile.called[place].what, times);
            called.by_caller.iter().map(of).collect()
        };
        profile.called.iter().map(|c| (c.what, c.times, by(c))).collect()
    };
    let unit = p.unit.get();
    let row = |what: Value, times: Times| -> R<[Value; 5]> {
        Ok([
            what,
            vm.int_u64(times.calls)?,
            vm.int_u64(times.recursive)?,
            vm.float(times.total as f64 * unit)?,
            vm.float(times.inline as f64 * unit)?,
        ])
    };
    let list = List::with_capacity(vm, rows.len())?;
    for (what, times, by_caller) in rows {
        let calls = match by_caller.is_empty() {
            true => Value::NONE,
            false => {
                let calls = List::with_capacity(vm, by_caller.len())?;
                for (what, times) in by_caller {
                    calls.push(vm, structseq::make(vm, subentry, &row(what, times)?, &[])?)?;
                }
                calls.value()
            }
        };
        let [what, count, recursive, total, inline] = row(what, times)?;
        let row = [what, count, recursive, total, inline, calls];
        list.push(vm, structseq::make(vm, entry, &row, &[])?)?;
    }
    Ok(list)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_lsprof", &[])?;
    let types = vm.state::<Types>();
    m.dict().set_name(vm, "Profiler", ext_type(vm, &PROFILER)?)?;
    m.dict().set_name(vm, "profiler_entry", types.entry.get(vm, &ENTRY)?)?;
    m.dict().set_name(vm, "profiler_subentry", types.subentry.get(vm, &SUBENTRY)?)?;
    Ok(m)
}
