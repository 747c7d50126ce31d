//! What gevent asks for as its compiled modules: each is the asking module itself, in Python, but for a few functions that are
//! called for each greenlet, which are here.

use skein_runtime::events::line_at;
use skein_runtime::interp::Frames;
use skein_runtime::native::NativeDef;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, add_functions};
use skein_runtime::{R, Value, Vm, native_functions, native_type};

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

native_functions! { OF_GREENLETS:
    "_extract_stack(limit, /)" => extract_stack, "Where the caller is, and who called it, so many frames.";
}

/// MemoryError.
fn extract_stack(vm: &Vm, limit: usize) -> R<Value> {
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

/// What a module has in Rust in the place of functions in Python.
fn own_functions(name: &str) -> &'static [NativeDef] {
    match name {
        "gevent.greenlet" => OF_GREENLETS,
        _ => &[],
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
    // Only what is there in Python too.
    for def in own_functions(&own) {
        if d.get_name(vm, def.name)?.is_some() {
            add_functions(vm, module, std::slice::from_ref(def))?;
        }
    }
    Ok(module)
}
