//! The package `greenlet` and its module `greenlet._greenlet`.

use crate::greenlet::{DEF, Green, current, main_greenlet};
use crate::switch::Microthreads;
use skein_runtime::native::Args;
use skein_runtime::object::{Kind as Layout, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::add_functions;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;

/// The greenlet release whose behaviour this is.
const VERSION: &str = "3.5.6";

native_functions! { FUNCTIONS:
    "getcurrent()" => getcurrent, "The greenlet that runs now.";
    "settrace(*args)" => settrace, "Sets a function to be called at each switch; returns the one before.";
    "gettrace()" => |vm: &Vm| Microthreads::of(vm).greenlets.tracing.function(), "The function called at each switch.";
    "enable_optional_cleanup(enabled, /)" => |vm: &Vm, on: bool| vm.state::<Cleanup>().off.set(!on),
        "Does nothing: there is no cleanup that could be left out.";
    "get_clocks_used_doing_optional_cleanup()" => |vm: &Vm| (!vm.state::<Cleanup>().off.get()).then_some(0i64),
        "Time spent on optional cleanup: none; None if it is disabled.";
}

native_functions! { INNER_FUNCTIONS:
    "get_pending_cleanup_count()" => |_: &Vm| 0i64;
    "get_total_main_greenlets()" => |vm: &Vm| vm.threads.all().len();
    "set_thread_local(key, value, /)" => set_thread_local;
}

/// What `enable_optional_cleanup` was told.
#[derive(Default)]
struct Cleanup {
    off: Cell<bool>,
}

/// `_C_API`: there is no C interface, but the name is one of those that `import *` gives.
struct Capsule;

impl Payload for Capsule {
    const NAME: &'static str = "PyCapsule";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Capsule = self;
    }
}

native_type! {
    CAPSULE: "PyCapsule", Layout::Ext, type_flags::NO_NEW;
    methods {
        "__repr__($self, /)" => |_: &Vm, v: Value| format!("<capsule object \"greenlet._C_API\" at {:#x}>", v.bits());
    }
}

/// RuntimeError at the program's end.
fn getcurrent(vm: &Vm) -> R<Green> {
    if vm.finalizing.get() {
        return Err(vm.runtime_error("greenlet is being finalized"));
    }
    current(vm)
}

fn settrace(vm: &Vm, args: Args<'_>) -> R<Option<Value>> {
    let &[f] = args.parts().0 else {
        let n = args.parts().0.len();
        return Err(vm.type_error(format!("function takes exactly 1 argument ({n} given)")));
    };
    Ok(Microthreads::of(vm).greenlets.tracing.set(vm, (!f.is_none()).then_some(f)))
}

fn set_thread_local(vm: &Vm, key: Value, value: Value) -> R<()> {
    let state = &Microthreads::of(vm).greenlets;
    let dict = match state.values.get() {
        Some(d) => d,
        None => {
            let d = Dict::new(vm)?;
            state.values.set(Some(d));
            d
        }
    };
    dict.set(vm, key, value)
}

/// A class written as Python code would.
fn make_class(vm: &Vm, name: &str, module: &str, base: Ref<Type>) -> R<Ref<Type>> {
    let ns = Dict::new(vm)?;
    ns.set_name(vm, "__module__", vm.str(module)?)?;
    let bases = vm.tuple(&[base.value()])?;
    let ty = vm.call(vm.types.type_.value(), &[vm.str(name)?, bases, ns.value()])?;
    ty.cast::<Type>().ok_or(Raised)
}

/// Makes the types at the first import.
fn ensure_types(vm: &Vm) -> R<Ref<Type>> {
    let state = &Microthreads::of(vm).types;
    if let Some(class) = state.greenlet.get() {
        return Ok(class);
    }
    let error = make_class(vm, "error", "greenlet", vm.exc.exception)?;
    let exit = make_class(vm, "GreenletExit", "greenlet", vm.exc.base_exception)?;
    let class = vm.make_native_type(&DEF)?;
    state.greenlet_error.set(Some(error));
    state.greenlet_exit.set(Some(exit));
    state.greenlet.set(Some(class));
    let d = class.dict();
    d.set_name(vm, "error", error.value())?;
    d.set_name(vm, "GreenletExit", exit.value())?;
    for def in FUNCTIONS.iter().filter(|f| matches!(f.name, "getcurrent" | "settrace" | "gettrace")) {
        let f = NativeFunction::function(vm, def, vm.str("greenlet._greenlet")?)?;
        d.set_name(vm, def.name, f.value())?;
    }
    class.modified(vm);
    main_greenlet(vm)?;
    Ok(class)
}

/// The module `greenlet._greenlet`, made once.
pub fn make_inner(vm: &Vm) -> R<Ref<Module>> {
    let made = vm.state::<Inner>();
    if let Some(m) = made.0.get() {
        return Ok(m);
    }
    let class = ensure_types(vm)?;
    let m = Module::new(vm, "greenlet._greenlet")?;
    add_functions(vm, m, FUNCTIONS)?;
    add_functions(vm, m, INNER_FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "greenlet", class.value())?;
    for name in ["error", "GreenletExit", "getcurrent", "settrace", "gettrace"] {
        d.set_name(vm, name, vm.get_attr_str(class.value(), name)?)?;
    }
    for name in ["GC", "TRACING", "CONTEXT_VARS", "STANDARD_THREADING"] {
        d.set_name(vm, &format!("GREENLET_USE_{name}"), Value::small_int(1))?;
    }
    d.set_name(vm, "CLOCKS_PER_SEC", Value::small_int(1_000_000))?;
    d.set_name(vm, "_C_API", Ext::new(vm, ext_type(vm, &CAPSULE)?, Capsule)?.value())?;
    let unswitchable = make_class(vm, "UnswitchableGreenlet", "greenlet._greenlet", class)?;
    d.set_name(vm, "UnswitchableGreenlet", unswitchable.value())?;
    vm.roots.borrow_mut().push(m.value());
    made.0.set(Some(m));
    Ok(m)
}

#[derive(Default)]
struct Inner(Cell<Option<Ref<Module>>>);

/// What the package has of the module.
const PUBLIC: &[&str] = &[
    "_C_API",
    "GreenletExit",
    "error",
    "getcurrent",
    "greenlet",
    "gettrace",
    "settrace",
    "GREENLET_USE_GC",
    "GREENLET_USE_TRACING",
    "GREENLET_USE_CONTEXT_VARS",
    "CLOCKS_PER_SEC",
    "enable_optional_cleanup",
    "get_clocks_used_doing_optional_cleanup",
];
/// Of these, how many `import *` gives, besides the version.
const ALL: usize = 7;

/// The package `greenlet`.
pub fn make_package(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "greenlet")?;
    let d = m.dict();
    let path = vm.str(&format!("{}/greenlet", vm.library()))?;
    d.set_name(vm, "__path__", List::new(vm, &[path])?.value())?;
    d.set_name(vm, "__version__", vm.str(VERSION)?)?;
    let inner = make_inner(vm)?.value();
    if let Some(modules) = vm.modules.get() {
        modules.set_name(vm, "greenlet._greenlet", inner)?;
    }
    for name in PUBLIC {
        d.set_name(vm, name, vm.get_attr_str(inner, name)?)?;
    }
    let all = List::new(vm, &[vm.str("__version__")?])?;
    for name in &PUBLIC[..ALL] {
        all.push(vm, vm.str(name)?)?;
    }
    d.set_name(vm, "__all__", all.value())?;
    d.set_name(vm, "_greenlet", inner)?;
    Ok(m)
}
