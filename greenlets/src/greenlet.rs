//! The class `greenlet` and its module.

use crate::micro::{Kind, Micro, State as MicroState};
use crate::switch::{Deliver, Microthreads};
use skein_runtime::interp::{At, SoftCall, Walk, frame_object, with_first};
use skein_runtime::native::{Args, TypeDef};
use skein_runtime::native_functions;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// A greenlet's data.
#[repr(C)]
pub struct Greenlet {
    pub micro: Micro,
    run: Field,
    parent: Field,
    /// Keyword arguments of the switch that begins it.
    first_keywords: Field,
}

// `Micro::owner` relies on it.
const _: () = assert!(std::mem::offset_of!(Greenlet, micro) == 0);

impl Payload for Greenlet {
    const NAME: &'static str = "greenlet.greenlet";
    // Its context's memory is let go when it ends; a suspended one that becomes unreachable is
    // ended by its finalizer first.
    const NEEDS_DROP: bool = false;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Greenlet { micro, run, parent, first_keywords } = self;
        run.trace(t);
        parent.trace(t);
        first_keywords.trace(t);
        micro.trace(t);
    }
    /// Only one that was left in the middle is to be ended.
    fn needs_finalizer(&self) -> bool {
        self.micro.is_alive()
    }
}

type Green = Ref<Ext<Greenlet>>;

/// Module state: types, the main greenlet, the trace function.
#[derive(Default)]
pub struct State {
    class: Cell<Option<Ref<Type>>>,
    error: Cell<Option<Ref<Type>>>,
    exit: Cell<Option<Ref<Type>>>,
    /// The greenlet of the main program.
    main: Cell<Option<Green>>,
    trace: Cell<Option<Value>>,
}

impl State {
    pub fn trace(&self, t: &mut Tracer<'_>) {
        for ty in [&self.class, &self.error, &self.exit].into_iter().filter_map(Cell::get) {
            t.visit_object(ty.header());
        }
        if let Some(m) = self.main.get() {
            t.visit_object(m.header());
        }
        if let Some(f) = self.trace.get() {
            t.visit_word(f.bits());
        }
    }
}

native_type! {
    pub DEF: "greenlet.greenlet", Layout::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "greenlet(run=None, parent=None) -> greenlet\n\nCreates a new greenlet object (without running it).";
    construct { construct }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, run=None, parent=None)" => init;
        [soft switch_soft] "switch($self, *args, **kwargs)" => switch, "Switch execution to this greenlet.";
        [soft throw_soft] "throw($self, typ=GreenletExit, val=None, tb=None, /)" => throw,
            "Switches execution to this greenlet, but immediately raises the given exception in it.";
        "__bool__($self, /)" => |vm: &Vm, g: Green| micro_of(vm, &g).is_alive();
        "__repr__($self, /)" => repr;
        "__getstate__($self, /)" => getstate;
    }
    getset {
        "run" => get_run, set_run;
        "parent" => get_parent, set_parent;
        "dead" => |_, v| Ok(Value::bool(this(v).micro.state.get() == MicroState::Dead));
        "gr_frame" => get_frame;
        "gr_context" => get_context, set_context;
        "_stack_saved" => |_, _| Ok(Value::small_int(0));
    }
}

native_functions! { FUNCTIONS:
    "getcurrent()" => getcurrent, "Returns the greenlet that runs now.";
    "settrace(callback, /)" => settrace;
    "gettrace()" => |vm: &Vm| Microthreads::of(vm).greenlets.trace.get().unwrap_or(Value::NONE);
    "enable_optional_cleanup(enabled, /)" => |_: &Vm, _: Value| ();
    "get_clocks_used_doing_optional_cleanup()" => |_: &Vm| 0i64;
}

native_functions! { INNER_FUNCTIONS:
    "get_pending_cleanup_count()" => |_: &Vm| 0i64;
    "get_total_main_greenlets()" => |_: &Vm| 1i64;
    "set_thread_local(key, value, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(vm.unsupported("set_thread_local")) };
}

static TYPE: &TypeDef = &DEF;

fn this(v: Value) -> Green {
    // SAFETY: the getset attributes are found on greenlets only.
    unsafe { v.cast_unchecked() }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let state = &Microthreads::of(vm).greenlets;
    let ty = args.positional().first().and_then(|t| t.cast::<Type>()).or(state.class.get());
    let Some(ty) = ty else { return Err(vm.type_error("greenlet.__new__(X): X is not a type object")) };
    let g = make(vm, ty, Micro::new(Kind::Greenlet))?;
    let parent = current(vm)?;
    g.parent.set(vm, g, parent.value());
    vm.heap.register_finalizer(g.header());
    if ty == state.class.get().unwrap_or(ty)
        && let Some(&run) = args.positional().get(1)
        && !run.is_none()
    {
        g.run.init(run);
    }
    Ok(g.value())
}

/// `greenlet(...)`; with just a function, no more than that.
fn construct(vm: &Vm, call: &SoftCall<'_>) -> At {
    match constructed(vm, call.args) {
        Ok(g) => call.done(vm, g.value()),
        Err(Raised) => call.raised(vm),
    }
}

fn constructed(vm: &Vm, args: Args<'_>) -> R<Green> {
    let Some(ty) = Microthreads::of(vm).greenlets.class.get() else {
        return Err(vm.import_error("greenlet is not imported"));
    };
    let g = make(vm, ty, Micro::new(Kind::Greenlet))?;
    vm.heap.register_finalizer(g.header());
    let parent = current(vm)?;
    g.parent.set(vm, g, parent.value());
    match args.parts() {
        (&[run], None) if !run.is_none() => g.run.init(run),
        _ => {
            let init_def = DEF.method("__init__");
            with_first(vm, g.value(), args, |args| init_def.invoke(vm, args))?;
        }
    }
    Ok(g)
}

fn make(vm: &Vm, ty: Ref<Type>, micro: Micro) -> R<Green> {
    Ext::new(vm, ty, Greenlet { micro, run: empty(), parent: empty(), first_keywords: empty() })
}

fn empty() -> Field {
    // SAFETY: a field is valid when zeroed.
    unsafe { std::mem::zeroed() }
}

fn init(vm: &Vm, g: Green, run: Option<Value>, parent: Option<Value>) -> R<()> {
    if let Some(run) = run.filter(|r| !r.is_none()) {
        set_run(vm, g.value(), Some(run))?;
    }
    match parent.filter(|p| !p.is_none()) {
        Some(parent) => set_parent(vm, g.value(), Some(parent)),
        None => Ok(()),
    }
}

/// The greenlet of the main program, made at the first asking.
fn main_greenlet(vm: &Vm) -> R<Green> {
    let micros = Microthreads::of(vm);
    let state = &micros.greenlets;
    if let Some(m) = state.main.get() {
        return Ok(m);
    }
    let Some(ty) = state.class.get() else { return Err(vm.import_error("greenlet is not imported")) };
    // Its own micro stands for nothing: the isolate's main one is used.
    let g = make(vm, ty, Micro::new(Kind::Main))?;
    state.main.set(Some(g));
    Ok(g)
}

/// The microthread of a greenlet object.
fn micro_of<'a>(vm: &'a Vm, g: &'a Green) -> &'a Micro {
    if g.micro.kind == Kind::Main { Microthreads::of(vm).main() } else { &g.micro }
}

/// The greenlet that runs now; a tasklet counts as part of the main greenlet.
fn current(vm: &Vm) -> R<Green> {
    let m = Microthreads::of(vm).current();
    match m.owner() {
        Some(owner) if m.kind == Kind::Greenlet => Ok(this(owner)),
        _ => main_greenlet(vm),
    }
}

fn getcurrent(vm: &Vm) -> R<Green> {
    current(vm)
}

/// Whom a switch really goes to: a dead greenlet passes it on to its parent.
fn live_target(vm: &Vm, mut g: Green) -> R<Green> {
    while g.micro.kind != Kind::Main && g.micro.state.get() == MicroState::Dead {
        g = match g.parent.cast() {
            Some(parent) => parent,
            None => main_greenlet(vm)?,
        };
    }
    Ok(g)
}

/// What `switch` gives the other side.
fn pack(vm: &Vm, args: Args<'_>) -> R<Value> {
    if !args.has_keywords() {
        return match args.positional() {
            [one] => Ok(*one),
            all => vm.tuple(all),
        };
    }
    let kw = Dict::new(vm)?;
    for (k, v) in args.keywords() {
        kw.set(vm, k, v)?;
    }
    if args.positional().is_empty() {
        return Ok(kw.value());
    }
    vm.tuple(&[vm.tuple(args.positional())?, kw.value()])
}

/// Whom to switch to and with what; None: the running greenlet itself.
fn prepare(vm: &Vm, g: Green, args: Args<'_>) -> R<(Green, Value)> {
    let to = live_target(vm, g)?;
    if to.micro.kind == Kind::Greenlet && to.micro.state.get() == MicroState::New {
        let run = find_run(vm, to)?;
        to.run.set(vm, to, run);
        // The arguments are the first call's.
        let positional = Tuple::new(vm, args.positional())?;
        if args.has_keywords() {
            let kw = Dict::new(vm)?;
            for (k, v) in args.keywords() {
                kw.set(vm, k, v)?;
            }
            to.first_keywords.set(vm, to, kw.value());
        }
        return Ok((to, positional.value()));
    }
    Ok((to, pack(vm, args)?))
}

fn find_run(vm: &Vm, g: Green) -> R<Value> {
    match g.run.get() {
        Some(run) => Ok(run),
        None => vm.get_attr_str(g.value(), "run"),
    }
}

/// Calls a greenlet's `run` in its fresh context.
pub fn first_call(
    vm: &Vm,
    m: &Micro,
    positional: Value,
    call: impl FnOnce(Value, Args<'_>) -> R<At>,
) -> R<At> {
    let Some(g) = m.owner().map(this) else {
        return Err(vm.system_error("a greenlet without its object"));
    };
    let Some(run) = g.run.get() else { return Err(vm.attribute_error("run")) };
    g.run.init(None::<Value>);
    let args = positional.cast::<Tuple>();
    let items = args.as_ref().map_or(&[][..], |t| t.items());
    match g.first_keywords.cast::<Dict>() {
        None => call(run, Args::new(items, None)),
        Some(kw) => {
            g.first_keywords.init(None::<Value>);
            let all = skein_runtime::types::list::List::new(vm, items)?;
            let names = skein_runtime::types::list::List::with_capacity(vm, kw.len())?;
            for (k, v) in kw.iter() {
                names.push(vm, k)?;
                all.push(vm, v)?;
            }
            let names = Tuple::new(vm, names.items())?;
            call(run, Args::new(all.items(), Some(names)))
        }
    }
}

/// A greenlet ended: its parent goes on, with its result or exception.
pub fn after_end<'a>(vm: &'a Vm, m: &Micro, result: R<Value>) -> (&'a Micro, Deliver) {
    let micros = Microthreads::of(vm);
    let d = match result {
        Ok(v) => Deliver::Value(v),
        Err(Raised) => {
            let e = vm.pending.take().unwrap_or(Value::NONE);
            let exit = micros.greenlets.exit.get().is_some_and(|t| vm.type_of(e).is_subtype(t));
            if exit { Deliver::Value(e) } else { Deliver::Raise(e) }
        }
    };
    let mut parent = m.owner().map(this).and_then(|g| g.parent.cast::<Ext<Greenlet>>());
    while let Some(p) = parent {
        if p.micro.kind == Kind::Main {
            break;
        }
        match p.micro.state.get() {
            MicroState::Dead => parent = p.parent.cast(),
            MicroState::New if matches!(d, Deliver::Value(_)) => {
                // A parent that never ran begins with the child's result.
                return match find_run(vm, p).and_then(|run| {
                    p.run.set(vm, p, run);
                    let Deliver::Value(v) = d else { return Ok(d) };
                    vm.tuple(&[v]).map(Deliver::Value)
                }) {
                    Ok(d) => (micro_ref(p), d),
                    Err(Raised) => (micros.main(), Deliver::Raise(vm.pending.take().unwrap_or(Value::NONE))),
                };
            }
            _ => return (micro_ref(p), d),
        }
    }
    (micros.main(), d)
}

fn micro_ref<'a>(g: Green) -> &'a Micro {
    // SAFETY: greenlet objects do not move; this one is about to run, and then it is a root.
    unsafe { &*std::ptr::from_ref(&g.micro) }
}

/// Switches to another greenlet from native code.
fn hard(vm: &Vm, to: Green, d: Deliver) -> R<Value> {
    let micros = Microthreads::of(vm);
    let m = micro_of(vm, &to);
    if std::ptr::eq(m, micros.current()) {
        return match d {
            Deliver::Value(v) => Ok(v),
            Deliver::Raise(e) => {
                vm.pending.set(Some(e));
                Err(Raised)
            }
        };
    }
    let from = current(vm)?;
    let r = micros.hard_switch(vm, m, d);
    traced(vm, from, matches!(d, Deliver::Raise(_)))?;
    r
}

/// Calls the trace function after a switch, in the greenlet switched to. An error in it removes it.
fn traced(vm: &Vm, _from: Green, _throw: bool) -> R<()> {
    if Microthreads::of(vm).greenlets.trace.get().is_none() {
        return Ok(());
    }
    Err(vm.unsupported("greenlet.settrace callbacks"))
}

fn switch(vm: &Vm, args: Args<'_>) -> R<Value> {
    let g = receiver(vm, args)?;
    let (to, v) = prepare(vm, g, args.rest())?;
    hard(vm, to, Deliver::Value(v))
}

fn receiver(vm: &Vm, args: Args<'_>) -> R<Green> {
    match args.positional().first().and_then(|g| g.cast::<Ext<Greenlet>>()) {
        Some(g) => Ok(g),
        None => Err(vm.type_error("descriptor requires a 'greenlet.greenlet' object")),
    }
}

/// `switch` in the loop.
fn switch_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let micros = Microthreads::of(vm);
    // The common case: a live greenlet parked softly, at most one argument.
    if let (&[g] | &[g, _], None) = call.args.parts()
        && let Some(g) = g.cast::<Ext<Greenlet>>()
        && let Some(result) = Microthreads::soft_result(vm, call)
    {
        let m = micro_of(vm, &g);
        let sent = call.args.parts().0.get(1).copied().or(vm.empty_tuple.get().map(Value::from));
        if m.state.get() == MicroState::Soft
            && let Some(v) = sent
        {
            micros.park_soft(vm, call.resume, result);
            return micros.wake(vm, m, v);
        }
    }
    let g = match receiver(vm, call.args).and_then(|g| prepare(vm, g, call.args.rest())) {
        Ok(found) => found,
        Err(Raised) => return call.raised(vm),
    };
    go(vm, call, g.0, Deliver::Value(g.1))
}

/// Switches in the loop if the running microthread can be parked softly.
fn go(vm: &Vm, call: &SoftCall<'_>, to: Green, d: Deliver) -> At {
    let micros = Microthreads::of(vm);
    let m = micro_of(vm, &to);
    if !std::ptr::eq(m, micros.current())
        && let Some(result) = Microthreads::soft_result(vm, call)
    {
        micros.park_soft(vm, call.resume, result);
        return micros.resume(vm, m, d);
    }
    match hard(vm, to, d) {
        Ok(v) => call.done(vm, v),
        Err(Raised) => call.raised(vm),
    }
}

/// The exception that `throw`'s arguments stand for.
fn thrown(vm: &Vm, args: Args<'_>) -> R<Value> {
    let arg = |i: usize| args.positional().get(i).copied().unwrap_or(Value::NONE);
    let (ty, value, tb) = (arg(1), arg(2), arg(3));
    if args.positional().len() > 4 {
        return Err(
            vm.type_error(format!("throw expected at most 3 arguments, got {}", args.positional().len() - 1))
        );
    }
    if !tb.is_none() && tb.cast::<skein_runtime::types::traceback::Traceback>().is_none() {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let exit = Microthreads::of(vm).greenlets.exit.get();
    let e = if ty.is_none() {
        let Some(exit) = exit else { return Err(vm.import_error("greenlet is not imported")) };
        vm.call(exit.value(), &[])?
    } else if ty.cast::<Exception>().is_some() {
        if !value.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        ty
    } else if let Some(t) = ty.cast::<Type>().filter(|t| t.is_subtype(vm.exc.base_exception)) {
        if value.cast::<Exception>().is_some_and(|e| vm.type_of(e.value()).is_subtype(t)) {
            value
        } else if let Some(args) = value.cast::<Tuple>() {
            vm.call(ty, args.items())?
        } else if value.is_none() {
            vm.call(ty, &[])?
        } else {
            vm.call(ty, &[value])?
        }
    } else {
        return Err(
            vm.type_error(format!("exceptions must be classes, or instances, not {}", vm.type_name(ty)))
        );
    };
    if let (Some(exc), false) = (e.cast::<Exception>(), tb.is_none()) {
        exc.traceback.set(vm, exc, tb);
    }
    Ok(e)
}

/// Whom an exception is raised in: a greenlet that never ran dies of it at once.
fn prepare_throw(vm: &Vm, args: Args<'_>) -> R<(Green, Deliver)> {
    let g = receiver(vm, args)?;
    let e = thrown(vm, args)?;
    let exit = Microthreads::of(vm).greenlets.exit.get().is_some_and(|t| vm.type_of(e).is_subtype(t));
    let mut g = g;
    let mut dead = false;
    while g.micro.kind != Kind::Main && !g.micro.is_alive() {
        dead = true;
        g.micro.state.set(MicroState::Dead);
        g = match g.parent.cast() {
            Some(parent) => parent,
            None => main_greenlet(vm)?,
        };
    }
    // GreenletExit that leaves a greenlet is its result.
    Ok((g, if dead && exit { Deliver::Value(e) } else { Deliver::Raise(e) }))
}

fn throw(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (to, d) = prepare_throw(vm, args)?;
    hard(vm, to, d)
}

fn throw_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match prepare_throw(vm, call.args) {
        Ok((to, d)) => go(vm, call, to, d),
        Err(Raised) => call.raised(vm),
    }
}

/// An unreachable suspended greenlet gets GreenletExit, so that its `finally` blocks run.
pub fn finalize(vm: &Vm, object: Value) {
    let Some(g) = object.cast::<Ext<Greenlet>>() else { return };
    if g.micro.kind == Kind::Main || !g.micro.is_alive() || g.micro.state.get() == MicroState::Running {
        return;
    }
    let Some(exit) = Microthreads::of(vm).greenlets.exit.get() else { return };
    let ended = vm.call(exit.value(), &[]).and_then(|e| {
        // Its result comes back here, not to its parent.
        let me = current(vm)?;
        g.parent.set(vm, g, me.value());
        hard(vm, g, Deliver::Raise(e))
    });
    if ended.is_err()
        && let Some(e) = vm.pending.take()
    {
        eprintln!("Exception ignored in a greenlet: {}", skein_runtime::interp::describe_exception(vm, e));
    }
}

fn repr(vm: &Vm, g: Green) -> R<String> {
    let m = micro_of(vm, &g);
    let name = vm.type_of(g.value()).def().map_or_else(|| vm.type_name(g.value()), |d| d.name.to_string());
    let state = match m.state.get() {
        MicroState::Dead => {
            return Ok(format!("<{name} object at {:#x} (otid={:#x}) dead>", g.value().bits(), 1));
        }
        MicroState::Running => " current active started",
        MicroState::New => " pending",
        MicroState::Soft | MicroState::Hard => " suspended active started",
    };
    let main = if m.kind == Kind::Main { " main" } else { "" };
    Ok(format!("<{name} object at {:#x} (otid={:#x}){state}{main}>", g.value().bits(), 1))
}

fn getstate(vm: &Vm, _: Green) -> R<Value> {
    Err(vm.type_error("cannot serialize 'greenlet.greenlet' object"))
}

fn get_run(vm: &Vm, v: Value) -> R<Value> {
    let g = this(v);
    match g.run.get() {
        Some(run) if g.micro.state.get() == MicroState::New => Ok(run),
        _ => Err(vm.no_attribute(v, vm.intern("run")?)),
    }
}

fn set_run(vm: &Vm, v: Value, run: Option<Value>) -> R<()> {
    let g = this(v);
    if g.micro.kind == Kind::Main || g.micro.state.get() != MicroState::New {
        return Err(vm.attribute_error("run cannot be set after the start of the greenlet"));
    }
    if run.is_none() && g.run.get().is_none() {
        return Err(vm.no_attribute(v, vm.intern("run")?));
    }
    g.run.set(vm, g, run);
    Ok(())
}

fn get_parent(_: &Vm, v: Value) -> R<Value> {
    Ok(this(v).parent.or_none())
}

fn set_parent(vm: &Vm, v: Value, parent: Option<Value>) -> R<()> {
    let g = this(v);
    let Some(parent) = parent else { return Err(vm.attribute_error("can't delete attribute")) };
    if g.micro.kind == Kind::Main {
        return Err(vm.attribute_error("cannot set the parent of a main greenlet"));
    }
    let Some(p) = parent.cast::<Ext<Greenlet>>() else {
        return Err(vm.type_error(format!(
            "GreenletChecker: Expected any type of greenlet, not {}",
            vm.type_name(parent)
        )));
    };
    let mut above = Some(p);
    while let Some(a) = above {
        if a == g {
            return Err(vm.value_error("cyclic parent chain"));
        }
        above = a.parent.cast();
    }
    g.parent.set(vm, g, p.value());
    Ok(())
}

/// The frame that a suspended greenlet goes on in.
fn get_frame(vm: &Vm, v: Value) -> R<Value> {
    let g = this(v);
    let m = micro_of(vm, &g);
    if !matches!(m.state.get(), MicroState::Soft | MicroState::Hard) {
        return Ok(Value::NONE);
    }
    let ctx = Microthreads::of(vm).context(vm, m);
    match Walk::new(ctx.pc.get().wrapping_sub(1), ctx.base.get()).next() {
        Some(f) => Ok(frame_object(vm, f.base)?.value()),
        None => Ok(Value::NONE),
    }
}

fn get_context(vm: &Vm, v: Value) -> R<Value> {
    let g = this(v);
    Ok(Microthreads::of(vm).context(vm, micro_of(vm, &g)).variables.get().unwrap_or(Value::NONE))
}

fn set_context(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.attribute_error("can't delete context attribute")) };
    if !new.is_none() && vm.type_name(new) != "Context" {
        return Err(vm.type_error("greenlet context must be a contextvars.Context or None"));
    }
    let g = this(v);
    let ctx = Microthreads::of(vm).context(vm, micro_of(vm, &g));
    ctx.variables.set((!new.is_none()).then_some(new));
    g.barrier(vm);
    Ok(())
}

fn settrace(vm: &Vm, callback: Value) -> R<Value> {
    if !callback.is_none() {
        return Err(vm.unsupported("greenlet.settrace callbacks"));
    }
    let old = Microthreads::of(vm).greenlets.trace.replace(None);
    Ok(old.unwrap_or(Value::NONE))
}

/// Makes the types at the first import.
fn ensure_types(vm: &Vm) -> R<()> {
    let state = &Microthreads::of(vm).greenlets;
    if state.class.get().is_some() {
        return Ok(());
    }
    let make = |name: &str, base: Ref<Type>| -> R<Ref<Type>> {
        let ns = Dict::new(vm)?;
        ns.set_name(vm, "__module__", vm.str("greenlet")?)?;
        let bases = vm.tuple(&[base.value()])?;
        let ty = vm.call(vm.types.type_.value(), &[vm.str(name)?, bases, ns.value()])?;
        ty.cast::<Type>().ok_or(Raised)
    };
    state.error.set(Some(make("error", vm.exc.exception)?));
    state.exit.set(Some(make("GreenletExit", vm.exc.base_exception)?));
    let class = vm.make_native_type(TYPE)?;
    state.class.set(Some(class));
    let d = class.dict();
    if let (Some(error), Some(exit)) = (state.error.get(), state.exit.get()) {
        d.set_name(vm, "error", error.value())?;
        d.set_name(vm, "GreenletExit", exit.value())?;
    }
    for def in FUNCTIONS.iter().filter(|f| matches!(f.name, "getcurrent" | "settrace" | "gettrace")) {
        let f = skein_runtime::types::native::NativeFunction::function(vm, def, vm.str("greenlet")?)?;
        d.set_name(vm, def.name, f.value())?;
    }
    class.modified(vm);
    main_greenlet(vm)?;
    Ok(())
}

fn fill(vm: &Vm, m: Ref<Module>) -> R<()> {
    ensure_types(vm)?;
    let state = &Microthreads::of(vm).greenlets;
    let d = m.dict();
    skein_runtime::modules::add_functions(vm, m, FUNCTIONS)?;
    for (name, ty) in [("greenlet", &state.class), ("error", &state.error), ("GreenletExit", &state.exit)] {
        if let Some(t) = ty.get() {
            d.set_name(vm, name, t.value())?;
        }
    }
    d.set_name(vm, "GREENLET_USE_GC", Value::TRUE)?;
    d.set_name(vm, "GREENLET_USE_TRACING", Value::TRUE)?;
    d.set_name(vm, "GREENLET_USE_CONTEXT_VARS", Value::TRUE)?;
    d.set_name(vm, "CLOCKS_PER_SEC", Value::small_int(1_000_000))?;
    Ok(())
}

/// The package `greenlet`.
pub fn make_package(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "greenlet")?;
    fill(vm, m)?;
    m.dict().set_name(vm, "__version__", vm.str(VERSION)?)?;
    let path = skein_runtime::types::list::List::new(vm, &[])?;
    m.dict().set_name(vm, "__path__", path.value())?;
    Ok(m)
}

/// The greenlet release whose behaviour this is.
const VERSION: &str = "3.5.6";

/// The module `greenlet._greenlet`.
pub fn make_inner(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "greenlet._greenlet")?;
    fill(vm, m)?;
    skein_runtime::modules::add_functions(vm, m, INNER_FUNCTIONS)?;
    m.dict().set_name(vm, "GREENLET_USE_STANDARD_THREADING", Value::TRUE)?;
    let unswitchable = {
        let state = &Microthreads::of(vm).greenlets;
        let base = state.class.get().unwrap_or(vm.types.object);
        let bases = vm.tuple(&[base.value()])?;
        vm.call(vm.types.type_.value(), &[vm.str("UnswitchableGreenlet")?, bases, Dict::new(vm)?.value()])?
    };
    m.dict().set_name(vm, "UnswitchableGreenlet", unswitchable)?;
    Ok(m)
}
