//! The class `greenlet` and its module.

use crate::foreign::{check_free, home, leave_to_its_thread};
use crate::micro::{Kind, Micro, State as MicroState};
use crate::switch::{Deliver, Microthreads};
use crate::trace::{Tracing, arrive, depart};
use skein_runtime::context::Context;
use skein_runtime::interp::{At, SoftCall, innermost_frame, with_first};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::variables::Variables;
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// A greenlet's data.
#[repr(C)]
pub struct Greenlet {
    pub micro: Micro,
    run: Field,
    pub parent: Field,
    /// Keyword arguments of the switch that begins it.
    first_keywords: Field,
    /// How often it was asked to end since nothing led to it.
    kills: Cell<u8>,
}

// `Micro::owner` relies on it.
const _: () = assert!(std::mem::offset_of!(Greenlet, micro) == 0);

impl Payload for Greenlet {
    const NAME: &'static str = "greenlet.greenlet";
    // Its context's memory is let go when it ends; a suspended one that becomes unreachable is
    // ended by its finalizer first.
    const NEEDS_DROP: bool = false;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Greenlet { micro, run, parent, first_keywords, kills: _ } = self;
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

impl Greenlet {
    /// What it is to call, as far as it has it itself.
    pub fn to_run(&self) -> Value {
        self.run.or_none()
    }
}

pub type Green = Ref<Ext<Greenlet>>;

/// A thread's part of the module's state: the main greenlet, the trace function.
#[derive(Default)]
pub struct State {
    /// The greenlet of the thread's main program.
    pub main: Cell<Option<Green>>,
    pub tracing: Tracing,
    /// What `set_thread_local` was given.
    pub values: Cell<Option<Ref<Dict>>>,
}

impl State {
    /// The thread has ended.
    pub fn end(&self) {
        if let Some(m) = self.main.get() {
            m.micro.state.set(MicroState::Dead);
        }
    }

    pub fn trace(&self, t: &mut Tracer<'_>) {
        if let Some(m) = self.main.get() {
            t.visit_object(m.header());
        }
        if let Some(values) = self.values.get() {
            t.visit_object(values.header());
        }
        self.tracing.trace(t);
    }
}

native_type! {
    pub DEF: "greenlet.greenlet", Layout::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "greenlet(run=None, parent=None) -> greenlet\n\nCreates a new greenlet object (without running it).";
    construct { construct }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
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
        "dead" => |_: &Vm, v: Green| Ok(Value::bool(v.micro.state.get() == MicroState::Dead));
        "gr_frame" => get_frame;
        "gr_context" => get_context, set_context;
        "_stack_saved" => |_: &Vm, _: Value| Ok(Value::small_int(0));
    }
}

fn owner_of(v: Value) -> Green {
    // SAFETY: the owner of a microthread of kind Greenlet is one.
    unsafe { v.cast_unchecked() }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, class(vm)?)?;
    vm.check_instantiable(ty)?;
    let g = make(vm, ty, Micro::new(Kind::Greenlet))?;
    let parent = current(vm)?;
    g.parent.set(vm, g, parent.value());
    vm.heap.register_finalizer(g.header());
    Ok(g.value())
}

fn class(vm: &Vm) -> R<Ref<Type>> {
    let class = Microthreads::of(vm).types.greenlet.get();
    class.ok_or_else(|| vm.import_error("greenlet is not imported"))
}

/// `greenlet(...)`; with just a function, no more than that.
fn construct(vm: &Vm, call: &SoftCall<'_>) -> At {
    match constructed(vm, call.args) {
        Ok(g) => call.done(vm, g.value()),
        Err(Raised) => call.raised(vm),
    }
}

fn constructed(vm: &Vm, args: Args<'_>) -> R<Green> {
    let g = make(vm, class(vm)?, Micro::new(Kind::Greenlet))?;
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
    Microthreads::of(vm).end_dropped(vm);
    micro.ctx.thread.set(Microthreads::of(vm).thread);
    Ext::new(
        vm,
        ty,
        Greenlet { micro, run: empty(), parent: empty(), first_keywords: empty(), kills: Cell::new(0) },
    )
}

fn empty() -> Field {
    // SAFETY: a field is valid when zeroed.
    unsafe { std::mem::zeroed() }
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let g = receiver(vm, args, "__init__")?;
    let rest = args.rest();
    let given = rest.parts().0.len();
    if given > 2 {
        return Err(vm.type_error(format!("green() takes at most 2 arguments ({given} given)")));
    }
    let (mut run, mut parent) = (rest.positional().first().copied(), rest.positional().get(1).copied());
    for (k, v) in rest.keywords() {
        let slot = match vm.str_string(k)?.as_str() {
            "run" => &mut run,
            "parent" => &mut parent,
            name => {
                return Err(vm.type_error(format!("green() got an unexpected keyword argument '{name}'")));
            }
        };
        if slot.replace(v).is_some() {
            let (name, place) = if run == Some(v) { ("run", 1) } else { ("parent", 2) };
            return Err(vm.type_error(format!(
                "argument for green() given by name ('{name}') and position ({place})"
            )));
        }
    }
    if let Some(run) = run {
        set_run(vm, g, Some(run))?;
    }
    match parent.filter(|p| !p.is_none()) {
        Some(parent) => set_parent(vm, g, Some(parent)),
        None => Ok(()),
    }
}

/// The greenlet of the main program, made at the first asking.
pub fn main_greenlet(vm: &Vm) -> R<Green> {
    let state = &Microthreads::of(vm).greenlets;
    if let Some(m) = state.main.get() {
        return Ok(m);
    }
    // Its own micro stands for nothing: see `Microthreads::base`.
    let g = make(vm, class(vm)?, Micro::new(Kind::Main))?;
    g.micro.state.set(MicroState::Running);
    state.main.set(Some(g));
    Ok(g)
}

/// The microthread of a greenlet object.
#[inline(always)]
fn micro_of<'a>(vm: &'a Vm, g: &'a Green) -> &'a Micro {
    let micros = Microthreads::of(vm);
    match g.micro.kind {
        Kind::Main if micros.is_foreign(&g.micro) => micro_of_other_main(vm, g),
        Kind::Main => micros.base(),
        _ => &g.micro,
    }
}

#[cold]
fn micro_of_other_main<'a>(vm: &'a Vm, g: &'a Green) -> &'a Micro {
    match Microthreads::of_thread(vm, g.micro.ctx.thread.get()) {
        Some(micros) => micros.base(),
        // Its thread has ended.
        None => &g.micro,
    }
}

/// The greenlet that runs now; a tasklet counts as part of the main greenlet.
pub fn current(vm: &Vm) -> R<Green> {
    let micros = Microthreads::of(vm);
    micros.end_dropped(vm);
    let m = micros.current();
    match m.owner() {
        Some(owner) if m.kind == Kind::Greenlet => Ok(owner_of(owner)),
        _ => main_greenlet(vm),
    }
}

/// Whom a switch really goes to: a dead greenlet passes it on to its parent. `greenlet.error` for one
/// in which another tasklet waits.
fn live_target(vm: &Vm, mut g: Green) -> R<Green> {
    while g.micro.kind != Kind::Main && g.micro.state.get() == MicroState::Dead {
        g = match g.parent.cast() {
            Some(parent) => parent,
            None => main_greenlet(vm)?,
        };
    }
    check_free(vm, g)?;
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

/// Whom to switch to and with what.
fn prepare(vm: &Vm, g: Green, args: Args<'_>) -> R<(Green, Value)> {
    let to = live_target(vm, g)?;
    if !is_new(to) || !prepare_run(vm, to)? {
        // The search for `run` may have run it, or ended it.
        return Ok((live_target(vm, to)?, pack(vm, args)?));
    }
    // The arguments are the first call's.
    let positional = Tuple::new(vm, args.positional())?;
    if args.has_keywords() {
        let kw = Dict::new(vm)?;
        for (k, v) in args.keywords() {
            kw.set(vm, k, v)?;
        }
        to.first_keywords.set(vm, to, kw.value());
    }
    Ok((to, positional.value()))
}

pub fn is_new(g: Green) -> bool {
    g.micro.kind != Kind::Main && g.micro.state.get() == MicroState::New
}

/// Finds what a greenlet is to run, for its first call. False: in doing so it was begun already.
fn prepare_run(vm: &Vm, g: Green) -> R<bool> {
    let plain = vm.type_of(g.value()) == class(vm)?;
    let run = match g.run.get() {
        Some(run) if plain => run,
        _ => vm.get_attr_str(g.value(), "run")?,
    };
    if !is_new(g) {
        return Ok(false);
    }
    // The search may have given it another parent.
    check_free(vm, g)?;
    g.micro.ctx.thread.set(Microthreads::of(vm).thread);
    g.run.set(vm, g, run);
    Ok(true)
}

/// Calls a greenlet's `run` in its fresh context.
pub fn first_call(
    vm: &Vm,
    m: &Micro,
    positional: Value,
    call: impl FnOnce(Value, Args<'_>) -> R<At>,
) -> R<At> {
    let Some(g) = m.owner().map(owner_of) else {
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
    let mut d = match result {
        Ok(v) => Deliver::Value(v),
        Err(Raised) => {
            let e = vm.pending.take().unwrap_or(Value::NONE);
            if is_exit(vm, e) { Deliver::Value(e) } else { Deliver::Raise(e) }
        }
    };
    let ended = m.owner().map(owner_of);
    let mut above = ended.and_then(parent_of);
    loop {
        let to = match above {
            Some(g) if g.micro.kind != Kind::Main => g,
            _ => break,
        };
        above = parent_of(to);
        if to.micro.state.get() == MicroState::Dead {
            continue;
        }
        match arrival(vm, to, d) {
            Ok(Some(d)) => return (micro_ref(to), leave(vm, ended, Some(to), d)),
            Ok(None) => {}
            // It cannot begin: the error is the next one's.
            Err(Raised) => d = Deliver::Raise(vm.pending.take().unwrap_or(Value::NONE)),
        }
    }
    let d = leave(vm, ended, None, d);
    (Microthreads::of(vm).base(), d)
}

/// What a greenlet that is alive is resumed with; one that never ran begins with the value as its
/// only argument. None: the search for what to run has ended it.
fn arrival(vm: &Vm, to: Green, d: Deliver) -> R<Option<Deliver>> {
    check_free(vm, to)?;
    if is_new(to) && prepare_run(vm, to)? {
        return match d {
            Deliver::Value(v) => vm.tuple(&[v]).map(|v| Some(Deliver::Value(v))),
            d => Ok(Some(d)),
        };
    }
    Ok((to.micro.state.get() != MicroState::Dead).then_some(d))
}

pub fn parent_of(g: Green) -> Option<Green> {
    g.parent.cast::<Ext<Greenlet>>()
}

/// Is it an exception that a greenlet may end with as its result?
fn is_exit(vm: &Vm, e: Value) -> bool {
    Microthreads::of(vm).types.greenlet_exit.get().is_some_and(|t| vm.type_of(e).is_subtype(t))
}

/// A switch that a trace function may want to know of; `to`: None is the main greenlet, as is `from`.
fn leave(vm: &Vm, from: Option<Green>, to: Option<Green>, d: Deliver) -> Deliver {
    let or_main = |g: Option<Green>| g.map_or_else(|| main_greenlet(vm), Ok);
    match or_main(to) {
        Ok(to) => depart(vm, || or_main(from), to, d),
        // No memory for an object that nobody has asked for yet: nobody traces.
        Err(Raised) => d,
    }
}

fn micro_ref<'a>(g: Green) -> &'a Micro {
    // SAFETY: greenlet objects do not move; this one is about to run, and then it is a root.
    unsafe { &*std::ptr::from_ref(&g.micro) }
}

/// Switches to another greenlet from native code.
fn hard(vm: &Vm, to: Green, d: Deliver) -> R<Value> {
    let micros = Microthreads::of(vm);
    let m = micro_of(vm, &to);
    let d = depart(vm, || current(vm), to, d);
    if !std::ptr::eq(m, micros.current()) {
        return micros.hard_switch(vm, m, d);
    }
    let d = match d {
        Deliver::Traced { raise, v } => arrive(vm, raise, v),
        d => d,
    };
    match d {
        Deliver::Value(v) => Ok(v),
        Deliver::Raise(v) | Deliver::Traced { v, .. } => {
            vm.pending.set(Some(v));
            Err(Raised)
        }
    }
}

fn switch(vm: &Vm, args: Args<'_>) -> R<Value> {
    let g = receiver(vm, args, "switch")?;
    let (to, v) = prepare(vm, g, args.rest())?;
    hard(vm, to, Deliver::Value(v))
}

fn receiver(vm: &Vm, args: Args<'_>, method: &str) -> R<Green> {
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error(format!("unbound method greenlet.{method}() needs an argument")));
    };
    first.cast::<Ext<Greenlet>>().ok_or_else(|| {
        vm.type_error(format!(
            "descriptor '{method}' for 'greenlet.greenlet' objects doesn't apply to a '{}' object",
            vm.type_name(first)
        ))
    })
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
            && !micros.is_foreign(&g.micro)
            && let Some(v) = sent
        {
            micros.park_soft(vm, call.resume, result);
            return micros.wake(vm, m, v);
        }
    }
    let g = match receiver(vm, call.args, "switch").and_then(|g| prepare(vm, g, call.args.rest())) {
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
        && let Some(result) = Microthreads::watched_result(vm, call)
    {
        let d = depart(vm, || current(vm), to, d);
        micros.park_soft(vm, call.resume, result);
        return micros.resume(vm, m, d);
    }
    match hard(vm, to, d) {
        Ok(v) => call.done(vm, v),
        Err(Raised) => call.raised(vm),
    }
}

/// The exception that `throw`'s arguments stand for; one that arises in making it takes its place.
fn thrown(vm: &Vm, args: Args<'_>) -> R<Value> {
    if args.has_keywords() {
        return Err(vm.type_error("throw() takes no keyword arguments"));
    }
    let given = args.rest().positional();
    if given.len() > 3 {
        return Err(vm.type_error(format!("throw() takes at most 3 arguments ({} given)", given.len())));
    }
    let arg = |i: usize| given.get(i).copied().unwrap_or(Value::NONE);
    let (value, tb) = (arg(1), arg(2));
    if !tb.is_none() && tb.cast::<Traceback>().is_none() {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let ty = match (given.first(), Microthreads::of(vm).types.greenlet_exit.get()) {
        (Some(&ty), _) => ty,
        (None, Some(exit)) => exit.value(),
        (None, None) => return Err(vm.import_error("greenlet is not imported")),
    };
    let made = if ty.cast::<Exception>().is_some() {
        if !value.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        Ok(ty)
    } else if let Some(t) = ty.cast::<Type>().filter(|t| t.is_subtype(vm.exc.base_exception)) {
        if value.cast::<Exception>().is_some_and(|e| vm.type_of(e.value()).is_subtype(t)) {
            Ok(value)
        } else if let Some(args) = value.cast::<Tuple>() {
            vm.call(ty, args.items())
        } else if value.is_none() {
            vm.call(ty, &[])
        } else {
            vm.call(ty, &[value])
        }
    } else {
        return Err(
            vm.type_error(format!("exceptions must be classes, or instances, not {}", vm.type_name(ty)))
        );
    };
    let e = match made {
        Ok(e) => e,
        Err(Raised) => vm.pending.take().unwrap_or(Value::NONE),
    };
    if let (Some(exc), false) = (e.cast::<Exception>(), tb.is_none()) {
        exc.traceback.set(vm, exc, tb);
    }
    Ok(e)
}

/// Whom an exception is raised in: a dead greenlet passes it on, GreenletExit as its result.
fn prepare_throw(vm: &Vm, args: Args<'_>) -> R<(Green, Deliver)> {
    let mut g = receiver(vm, args, "throw")?;
    let mut d = Deliver::Raise(thrown(vm, args)?);
    loop {
        if g.micro.kind == Kind::Main {
            check_free(vm, g)?;
            return Ok((g, d));
        }
        if g.micro.state.get() != MicroState::Dead
            && let Some(d) = arrival(vm, g, d)?
        {
            return Ok((g, d));
        }
        if let Deliver::Raise(e) = d
            && is_exit(vm, e)
        {
            d = Deliver::Value(e);
        }
        g = parent_of(g).map_or_else(|| main_greenlet(vm), Ok)?;
    }
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

/// Times that an unreachable greenlet is asked to end.
const MAX_KILLS: u8 = 10;

/// An unreachable suspended greenlet gets GreenletExit, so that its `finally` blocks run.
pub fn finalize(vm: &Vm, object: Value) {
    let Some(g) = object.cast::<Ext<Greenlet>>() else { return };
    // Those that are suspended when the program ends stay so, as greenlets do on CPython.
    if vm.finalizing.get() {
        return;
    }
    if g.micro.kind == Kind::Main || !g.micro.is_alive() || g.micro.state.get() == MicroState::Running {
        return;
    }
    if g.micro.lent.get() {
        // The tasklet that waits in it is ended.
        vm.heap.register_finalizer(g.header());
        return;
    }
    if Microthreads::of(vm).is_foreign(&g.micro) {
        return leave_to_its_thread(vm, &g.micro, object);
    }
    let Some(exit) = Microthreads::of(vm).types.greenlet_exit.get() else { return };
    let parent = g.parent.get();
    let ended = vm.call(exit.value(), &[]).and_then(|e| {
        // Its result comes back here, not to its parent.
        let me = current(vm)?;
        g.parent.set(vm, g, me.value());
        hard(vm, g, Deliver::Raise(e))
    });
    g.parent.set(vm, g, parent);
    if ended.is_err() {
        vm.unraisable(None, object);
    }
    if !g.micro.is_alive() {
        return;
    }
    // It caught the exception and went on, or somebody has got hold of it.
    let kills = g.kills.get() + 1;
    g.kills.set(kills);
    if kills < MAX_KILLS {
        vm.heap.register_finalizer(g.header());
    } else {
        // It stays as it is: its frames cannot just go away.
        vm.roots.borrow_mut().push(object);
        let text = vm.repr_string(object).unwrap_or_default();
        skein_runtime::vm::write_stderr(vm, &format!("GreenletExit did not kill {text}\n"));
    }
}

fn repr(vm: &Vm, g: Green) -> R<String> {
    let micros = Microthreads::of(vm);
    let m = micro_of(vm, &g);
    let (name, at) = (vm.type_name(g.value()), g.value().bits());
    // One that is to begin belongs to no thread yet.
    let is_new = m.state.get() == MicroState::New;
    let exited = !is_new && Microthreads::of_thread(vm, g.micro.ctx.thread.get()).is_none();
    let state = match m.state.get() {
        MicroState::New => " pending",
        MicroState::Dead if exited => " (thread exited) dead",
        MicroState::Dead => " dead",
        _ if exited => " (thread exited) active started",
        MicroState::Running if std::ptr::eq(m, micros.current()) => " current active started",
        // For this thread, also what runs in another one.
        _ => " suspended active started",
    };
    let main = if g.micro.kind == Kind::Main && m.is_alive() { " main" } else { "" };
    let thread = match is_new || exited {
        true => "0x(nil)".into(),
        false => format!("{:#x}", 0x1000 + g.micro.ctx.thread.get()),
    };
    Ok(format!("<{name} object at {at:#x} (otid={thread}){state}{main}>"))
}

fn getstate(vm: &Vm, _: Green) -> R<Value> {
    Err(vm.type_error("cannot serialize 'greenlet.greenlet' object"))
}

fn no_run_of_main(vm: &Vm) -> Raised {
    vm.attribute_error("Main greenlets do not have a run attribute.")
}

fn get_run(vm: &Vm, v: Green) -> R<Value> {
    let g = v;
    if g.micro.kind == Kind::Main {
        return Err(no_run_of_main(vm));
    }
    match g.run.get() {
        Some(run) if is_new(g) => Ok(run),
        _ => Err(vm.attribute_error("run")),
    }
}

fn set_run(vm: &Vm, v: Green, run: Option<Value>) -> R<()> {
    let g = v;
    if g.micro.kind == Kind::Main {
        return Err(no_run_of_main(vm));
    }
    if !is_new(g) {
        return Err(vm.attribute_error("run cannot be set after the start of the greenlet"));
    }
    g.run.set(vm, g, run);
    Ok(())
}

fn get_parent(_: &Vm, v: Green) -> R<Value> {
    Ok(v.parent.or_none())
}

fn set_parent(vm: &Vm, v: Green, parent: Option<Value>) -> R<()> {
    let g = v;
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
    if !is_new(g) && home(p) != home(g) {
        return Err(vm.value_error("parent cannot be on a different thread"));
    }
    g.parent.set(vm, g, p.value());
    Ok(())
}

/// The frame that a suspended greenlet goes on in.
fn get_frame(vm: &Vm, v: Green) -> R<Value> {
    let g = v;
    let m = micro_of(vm, &g);
    if !matches!(m.state.get(), MicroState::Soft | MicroState::SoftLent | MicroState::Hard) {
        return Ok(Value::NONE);
    }
    // A thread's main program goes by the thread's number.
    let thread = g.micro.ctx.thread.get();
    let owner = m.owner().or((thread != 0).then(|| Value::small_int(thread.into())));
    Ok(innermost_frame(vm, owner)?.map_or(Value::NONE, Value::from))
}

/// The context of a greenlet; ValueError if it runs in another thread.
fn context_of<'a>(vm: &'a Vm, g: &'a Green, what: &str) -> R<&'a Context> {
    let here = Microthreads::of(vm);
    let m = micro_of(vm, g);
    if !here.is_foreign(&g.micro) {
        return Ok(here.context(vm, m));
    }
    match Microthreads::of_thread(vm, g.micro.ctx.thread.get()) {
        Some(_) if m.state.get() == MicroState::Running => Err(vm.value_error(format!(
            "cannot {what} context of a greenlet that is running in a different thread"
        ))),
        Some(micros) => Ok(micros.context(vm, m)),
        None => Ok(&m.ctx),
    }
}

fn get_context(vm: &Vm, v: Green) -> R<Value> {
    Ok(context_of(vm, &v, "get")?.variables.get().unwrap_or(Value::NONE))
}

fn set_context(vm: &Vm, v: Green, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.attribute_error("can't delete context attribute")) };
    if !new.is_none() && new.cast::<Ext<Variables>>().is_none() {
        return Err(vm.type_error("greenlet context must be a contextvars.Context or None"));
    }
    let g = v;
    let ctx = context_of(vm, &g, "set")?;
    ctx.variables.set((!new.is_none()).then_some(new));
    g.barrier(vm);
    Ok(())
}
