//! What gevent asks for as its compiled modules: each is the asking module itself, in Python, but for a few functions that are
//! called for each greenlet, which are here.

use crate::modules::thread::attributes;
use skein_bytecode::Special;
use skein_runtime::events::line_at;
use skein_runtime::interp::{At, Frames, SoftCall, call_soft};
use skein_runtime::native::NativeDef;
use skein_runtime::object::{Field, Kind, Ref, Tracer, dict_word};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions, native_type};
use std::cell::Cell;

/// The names under which gevent imports its modules once more, compiled.
const COMPILED: &str = "gevent._gevent_c";
pub const COMPILED_NAMES: &[&str] = &[
    "gevent._gevent_c_abstract_linkable",
    "gevent._gevent_c_greenlet_primitives",
    "gevent._gevent_c_hub_local",
    "gevent._gevent_c_hub_primitives",
    "gevent._gevent_c_ident",
    "gevent._gevent_c_imap",
    "gevent._gevent_c_semaphore",
    "gevent._gevent_c_tracer",
    "gevent._gevent_c_waiter",
    "gevent._gevent_cevent",
    "gevent._gevent_cgreenlet",
    "gevent._gevent_clocal",
    "gevent._gevent_cqueue",
];

/// A place where a greenlet was made.
struct Frame {
    code: Field,
    /// Of the instruction. Lines are hardly ever asked for, and take long to find.
    unit: u32,
    back: Field,
}

impl Payload for Frame {
    const NAME: &'static str = "gevent.greenlet._Frame";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Frame { code, unit: _, back } = self;
        code.trace(t);
        back.trace(t);
    }
}

type Arg = ExtArg<Frame>;

native_type! {
    FRAME: "gevent.greenlet._Frame", Kind::Ext, 0;
    getset {
        "f_code" => |_: &Vm, f: Arg| Ok(f.0.code.or_none());
        "f_lineno" => |vm: &Vm, f: Arg| vm.int(f.0.code.cast::<CodeObject>().map_or(0, |code| line_at(code, f.0.unit)).into());
        "f_back" => |_: &Vm, f: Arg| Ok(f.0.back.or_none());
        "f_globals" => |_: &Vm, _: Arg| Ok(Value::NONE);
    }
}

/// `_extract_stack`: the namespace of its module, what `sys_getframe` is there, and the function in Python.
struct Spawning {
    names: Field,
    getframe: Field,
    otherwise: Field,
}

impl Payload for Spawning {
    const NAME: &'static str = "where greenlets are made";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Spawning { names, getframe, otherwise } = self;
        for f in [names, getframe, otherwise] {
            f.trace(t);
        }
    }
}

native_functions! { OF_GREENLETS:
    "_extract_stack($self, limit, /)" => extract_stack, "Where the caller is, and who called it, so many frames.";
}

/// MemoryError.
fn extract_stack(vm: &Vm, of: ExtArg<Spawning>, limit: usize) -> R<Value> {
    let of = of.0;
    // A program may have put another function there.
    if let Some(names) = of.names.cast::<Dict>()
        && names.get_name(vm, "sys_getframe")? != of.getframe.get()
    {
        return vm.call(of.otherwise.or_none(), &[vm.int(limit as i64)?]);
    }
    let class = ext_type(vm, &FRAME)?;
    let (mut newest, mut last) = (None, None::<Ref<Ext<Frame>>>);
    for frame in Frames::running(vm).take(limit) {
        let code = Field::new(Some(frame.code().value()));
        let made = Ext::new(vm, class, Frame { code, unit: frame.unit(), back: Field::new(None) })?;
        match last {
            Some(inner) => inner.back.set(vm, inner, made.value()),
            None => newest = Some(made.value()),
        }
        last = Some(made);
    }
    Ok(newest.unwrap_or(Value::NONE))
}

/// `get_hub_noargs`: the object whose attribute the thread's hub is, and the function that makes one.
struct HubOfThread {
    local: Field,
    name: Field,
    otherwise: Field,
}

impl Payload for HubOfThread {
    const NAME: &'static str = "the hub of a thread";
    fn trace(&self, t: &mut Tracer<'_>) {
        let HubOfThread { local, name, otherwise } = self;
        for f in [local, name, otherwise] {
            f.trace(t);
        }
    }
}

native_functions! { OF_HUBS:
    "get_hub_noargs($self)" => get_hub, "The hub of the running thread.";
}

fn get_hub(vm: &Vm, of: ExtArg<HubOfThread>) -> R<Value> {
    let of = of.0;
    if let Some(d) = attributes(vm, of.local.or_none())?
        && let Some(name) = of.name.cast::<Str>()
        && let Some(hub) = d.get_str(vm, name)?.filter(|hub| !hub.is_none())
    {
        return Ok(hub);
    }
    vm.call(of.otherwise.or_none(), &[])
}

/// What switching to a hub needs.
#[derive(Default)]
struct Switching(Cell<Option<(Value, Value, Ref<Str>)>>);

native_functions! { OF_SWITCHES:
    [soft switch_soft] "switch($self)" => switch, "Switch to the hub, behind the current greenlet's switch_out().";
}

/// Tells the greenlet that runs that it is left, if it wants to know: the function that switches.
fn leave(vm: &Vm) -> R<Value> {
    let Some((getcurrent, switch, name)) = vm.state::<Switching>().0.get() else {
        return Err(vm.system_error("gevent._greenlet_primitives is not imported"));
    };
    let current = vm.call(getcurrent, &[])?;
    if !has_none(vm, current, name)?
        && let Some(f) = vm.find_attr(current, name)?.filter(|f| !f.is_none())
    {
        vm.call(f, &[])?;
    }
    Ok(switch)
}

/// Is it sure that the object has no attribute of this name?
fn has_none(vm: &Vm, v: Value, name: Ref<Str>) -> R<bool> {
    let ty = vm.type_of(v);
    let plain = ty.special(vm, Special::GetAttr).is_none()
        && ty.special(vm, Special::GetAttribute) == vm.types.object.special(vm, Special::GetAttribute)
        && ty.lookup(vm, name).is_none();
    Ok(plain
        && match v.header().and_then(dict_word).and_then(|word| word.cast::<Dict>()) {
            Some(d) => d.get_str(vm, name)?.is_none(),
            None => true,
        })
}

fn switch(vm: &Vm, hub: Value) -> R<Value> {
    let f = leave(vm)?;
    vm.call(f, &[hub])
}

fn switch_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let (&[hub], None) = call.args.parts() else { return call.natively(vm, &OF_SWITCHES[0]) };
    match leave(vm) {
        Ok(f) => {
            let r = call_soft(vm, call.resume, f, Args::new(&[hub], None), call.cont);
            call.go_on(vm, r)
        }
        Err(Raised) => call.raised(vm),
    }
}

/// Puts a function that goes with a receiver into a namespace. MemoryError.
fn put_bound(vm: &Vm, d: Ref<Dict>, def: &'static NativeDef, receiver: Value) -> R<()> {
    let f = NativeFunction::function(vm, def, d.get_name(vm, "__name__")?.unwrap_or(Value::NONE))?;
    d.set_name(vm, def.name, f.bind(vm, receiver)?.value())
}

/// Puts into a module what it has in Rust in the place of what it has in Python. MemoryError.
fn accelerate(vm: &Vm, module: Ref<Module>, asking: Ref<Module>, name: &str) -> R<()> {
    let d = module.dict();
    match name {
        "gevent.greenlet" => {
            let def = &OF_GREENLETS[0];
            let Some(otherwise) = d.get_name(vm, def.name)? else { return Ok(()) };
            let of = Spawning {
                // The module that asks takes all names into its own.
                names: Field::new(Some(asking.dict().value())),
                getframe: Field::new(d.get_name(vm, "sys_getframe")?),
                otherwise: Field::new(Some(otherwise)),
            };
            let of = Ext::internal(vm, of)?;
            put_bound(vm, d, def, of.value())
        }
        "gevent._hub_local" => {
            let def = &OF_HUBS[0];
            let (Some(local), Some(otherwise)) = (d.get_name(vm, "_threadlocal")?, d.get_name(vm, def.name)?)
            else {
                return Ok(());
            };
            let name = vm.intern("hub")?;
            let of = HubOfThread {
                local: Field::new(Some(local)),
                name: Field::new(Some(name.value())),
                otherwise: Field::new(Some(otherwise)),
            };
            let of = Ext::internal(vm, of)?;
            put_bound(vm, d, def, of.value())
        }
        "gevent._greenlet_primitives" => {
            let names = ["getcurrent", "_greenlet_switch", "SwitchOutGreenletWithLoop"];
            let [getcurrent, switch, class] = names.map(|name| d.get_name(vm, name));
            let (Some(getcurrent), Some(switch)) = (getcurrent?, switch?) else { return Ok(()) };
            let Some(class) = class?.and_then(|c| c.cast::<Type>()) else { return Ok(()) };
            let name = vm.intern("switch_out")?;
            vm.roots.borrow_mut().extend([getcurrent, switch, name.value()]);
            vm.state::<Switching>().0.set(Some((getcurrent, switch, name)));
            let def = &OF_SWITCHES[0];
            class.set_own(vm, vm.intern(def.name)?, NativeFunction::method(vm, def, class.value())?.value())
        }
        _ => Ok(()),
    }
}

/// gevent is told that it is pure Python from now on, and a module that asks for its compiled form gets its own names. MemoryError.
pub fn make_compiled(vm: &Vm, name: &str) -> R<Ref<Module>> {
    let loaded = |name: &str| match vm.modules.get() {
        Some(modules) => Ok(modules.get_name(vm, name)?.and_then(|m| m.cast::<Module>())),
        None => Ok(None),
    };
    if let Some(compat) = loaded("gevent._compat")? {
        // Not `GLOBAL_PURE_PYTHON`, which says that nothing compiled is to be asked for.
        compat.dict().set_name(vm, "PURE_PYTHON", Value::TRUE)?;
    }
    let own = format!("gevent.{}", name.strip_prefix(COMPILED).unwrap_or(name));
    let module = Module::new(vm, &own)?;
    let Some(asking) = loaded(&own)? else { return Ok(module) };
    let d = module.dict();
    let names = List::with_capacity(vm, 0)?;
    for (k, v) in asking.dict().iter() {
        names.push(vm, k)?;
        names.push(vm, v)?;
    }
    for pair in names.items().chunks_exact(2) {
        d.set(vm, pair[0], pair[1])?;
    }
    accelerate(vm, module, asking, &own)?;
    Ok(module)
}
