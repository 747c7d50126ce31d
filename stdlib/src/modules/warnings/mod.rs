//! `_warnings`: deciding about warnings. The module `warnings`, in Python, sets the filters and shows what passes them;
//! without it, as in most short programs, the builtin filters hold and [`show`] prints.

mod filters;
mod show;

use filters::{Decision, decide};
use skein_builtins::modules::import;
use skein_runtime::interp::{Frames, Standing};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Value, Vm, native_functions};
use std::cell::Cell;

native_functions! { FUNCTIONS:
    "warn(message, category=None, stacklevel=1, source=None, *, skip_file_prefixes=())" => warn, "Issue a warning, or maybe ignore it or raise an exception.\n\n  message\n    Text of the warning message.\n  category\n    The Warning category subclass. Defaults to UserWarning.\n  stacklevel\n    How far up the call stack to make this warning appear. A value of 2 for\n    example attributes the warning to the caller of the code calling warn().\n  source\n    If supplied, the destroyed object which emitted a ResourceWarning\n  skip_file_prefixes\n    An optional tuple of module filename prefixes indicating frames to skip\n    during stacklevel computations for stack frame attribution.";
    "warn_explicit(message, category, filename, lineno, module=<unrepresentable>, registry=<unrepresentable>, module_globals=<unrepresentable>, source=<unrepresentable>)" => warn_explicit, "Issue a warning, or maybe ignore it or raise an exception.";
    "_filters_mutated_lock_held()" => |vm: &Vm| -> R<()> {
        let held = lock(vm, "_is_owned")?;
        if !vm.truth(held)? {
            return Err(vm.runtime_error("warnings lock is not held"));
        }
        let version = &vm.state::<State>().version;
        version.set(version.get().wrapping_add(1));
        Ok(())
    };
    "_acquire_lock()" => |vm: &Vm| lock(vm, "acquire").map(|_| ());
    "_release_lock()" => |vm: &Vm| lock(vm, "release").map(|_| ());
}

/// What all module objects of this isolate share. `Vm::roots` keeps the objects.
#[derive(Default)]
struct State {
    filters: Cell<Option<Ref<List>>>,
    once: Cell<Option<Ref<Dict>>>,
    lock: Cell<Option<Value>>,
    /// The context variable of filters where a program has asked for those to belong to contexts.
    context: Cell<Option<Value>>,
    /// How often the filters were changed: what registries noted under others counts for nothing.
    version: Cell<i64>,
}

/// Calls a method of the lock.
fn lock(vm: &Vm, method: &str) -> R<Value> {
    let state = vm.state::<State>();
    let lock = match state.lock.get() {
        Some(lock) => lock,
        None => {
            let class = vm.get_attr_str(import(vm, "_thread")?, "RLock")?;
            let lock = vm.call(class, &[])?;
            vm.roots.borrow_mut().push(lock);
            state.lock.set(Some(lock));
            lock
        }
    };
    vm.call_method(lock, method, &[])
}

/// A warning on its way.
struct Warning {
    text: Value,
    /// An instance of the category.
    message: Value,
    category: Value,
    filename: Value,
    line: i64,
    module: Value,
    registry: Option<Ref<Dict>>,
    source: Value,
}

/// `warnings`, if it was imported, or `sys.warnoptions` has something that it is to make filters of.
fn imported(vm: &Vm) -> R<Option<Value>> {
    let Some(modules) = vm.modules.get() else { return Ok(None) };
    if let Some(module) = modules.get_name(vm, "warnings")? {
        return Ok(Some(module).filter(|m| !m.is_none()));
    }
    let options = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "warnoptions")?.and_then(|o| o.cast::<List>()),
        None => None,
    };
    if options.is_none_or(|o| o.is_empty()) || vm.finalizing.get() {
        return Ok(None);
    }
    import_quietly(vm)
}

/// `warnings`, imported now; None where that is not possible.
fn import_quietly(vm: &Vm) -> R<Option<Value>> {
    vm.absorb(import(vm, "warnings"), vm.exc.import_error)
}

/// An attribute of `warnings`, which a program may have replaced or deleted.
fn replaced(vm: &Vm, name: &str) -> R<Option<Value>> {
    match imported(vm)? {
        Some(module) => vm.find_attr(module, vm.intern(name)?),
        None => Ok(None),
    }
}

fn is_internal(file: &str) -> bool {
    file.contains("importlib") && file.contains("_bootstrap")
}

/// The frame that a warning is said to come from. None: the stack is not so deep.
fn frame_at(vm: &Vm, level: i64, skipped: &[Value]) -> Option<Standing> {
    let file = |f: &Standing| f.code().portable().filename.to_string();
    let is_external = |f: &Standing| {
        let file = file(f);
        let starts = |p: &Value| p.cast::<Str>().is_some_and(|p| file.as_bytes().starts_with(p.bytes()));
        !is_internal(&file) && !skipped.iter().any(starts)
    };
    let mut frames = Frames::running(vm);
    let first = frames.next()?;
    let above = usize::try_from(level - 1).unwrap_or(0);
    if above == 0 {
        Some(first)
    } else if is_internal(&file(&first)) {
        frames.nth(above - 1)
    } else {
        frames.filter(is_external).nth(above - 1)
    }
}

fn warn(
    vm: &Vm,
    message: Value,
    category: Option<Value>,
    level: Option<i64>,
    source: Option<Value>,
    skipped: Option<Ref<Tuple>>,
) -> R<()> {
    let category = category_of(vm, message, category)?;
    if let Some(row) = &skipped
        && let Some(&wrong) = row.items().iter().find(|p| p.cast::<Str>().is_none())
    {
        let got = vm.type_name(wrong);
        return Err(vm.type_error(format!("Found non-str '{got}' in skip_file_prefixes.")));
    }
    let prefixes = skipped.as_ref().map_or(&[][..], |row| row.items());
    let level = level.unwrap_or(1);
    let level = if prefixes.is_empty() { level } else { level.max(2) };
    let (globals, filename, line) = match frame_at(vm, level, prefixes) {
        Some(frame) => {
            let filename = vm.str(&frame.code().portable().filename)?;
            (Some(frame.function().globals()), filename, i64::from(frame.line()))
        }
        None => (vm.sys_dict.get(), vm.str("<sys>")?, 0),
    };
    let Some(globals) = globals else { return Ok(()) };
    let module = match globals.get_str(vm, vm.names.__name__)? {
        Some(name) if name.cast::<Str>().is_some() => name,
        _ => vm.str("<string>")?,
    };
    let registry = match globals.get_name(vm, "__warningregistry__")? {
        Some(registry) => registry,
        None => {
            let registry = Dict::new(vm)?.value();
            globals.set_name(vm, "__warningregistry__", registry)?;
            registry
        }
    };
    let source = source.unwrap_or(Value::NONE);
    issue(vm, message, category, filename, line, Some(module), Some(registry), None, source)
}

/// UserWarning, unless the caller or the message says otherwise. TypeError.
fn category_of(vm: &Vm, message: Value, category: Option<Value>) -> R<Value> {
    if vm.is_exact_or_subtype(message, vm.exc.warning) {
        return Ok(vm.type_of(message).value());
    }
    match category.filter(|c| !c.is_none()) {
        None => Ok(vm.exc.user_warning.value()),
        Some(c) if c.cast::<Type>().is_some_and(|c| c.is_subtype(vm.exc.warning)) => Ok(c),
        Some(c) => {
            Err(vm.type_error(format!("category must be a Warning subclass, not '{}'", vm.type_name(c))))
        }
    }
}

#[allow(clippy::too_many_arguments)] // The parameters are Python's.
fn warn_explicit(
    vm: &Vm,
    message: Value,
    category: Value,
    filename: Value,
    line: i64,
    module: Option<Value>,
    registry: Option<Value>,
    module_globals: Option<Value>,
    source: Option<Value>,
) -> R<()> {
    if filename.cast::<Str>().is_none() {
        let got = vm.type_name(filename);
        return Err(vm.type_error(format!("warn_explicit() argument 'filename' must be str, not {got}")));
    }
    let shown = match module_globals.filter(|g| !g.is_none()) {
        None => None,
        Some(globals) => match globals.cast::<Dict>() {
            Some(globals) => show::line_by_loader(vm, globals, line)?,
            None => {
                let got = vm.type_name(globals);
                return Err(vm.type_error(format!("module_globals must be a dict, not '{got}'")));
            }
        },
    };
    let module = module.filter(|m| !m.is_none());
    let source = source.unwrap_or(Value::NONE);
    issue(vm, message, category, filename, line, module, registry, shown, source)
}

#[allow(clippy::too_many_arguments)] // What both functions have found out.
fn issue(
    vm: &Vm,
    message: Value,
    category: Value,
    filename: Value,
    line: i64,
    module: Option<Value>,
    registry: Option<Value>,
    source_line: Option<Value>,
    source: Value,
) -> R<()> {
    let registry = match registry.filter(|r| !r.is_none()) {
        None => None,
        Some(r) => match r.cast::<Dict>() {
            Some(r) => Some(r),
            None => return Err(vm.type_error("'registry' must be a dict or None")),
        },
    };
    let module = match module {
        Some(module) => module,
        None => module_name(vm, filename)?,
    };
    let (text, message, category) = if vm.is_exact_or_subtype(message, vm.exc.warning) {
        (vm.to_str(message)?.value(), message, vm.type_of(message).value())
    } else {
        (message, vm.call(category, &[message])?, category)
    };
    let w = Warning { text, message, category, filename, line, module, registry, source };
    match decide(vm, &w)? {
        Decision::Ignore => Ok(()),
        Decision::Raise => Err(vm.raise(w.message)),
        Decision::Show => show::show(vm, &w, source_line),
    }
}

/// A module's name from that of its file.
fn module_name(vm: &Vm, filename: Value) -> R<Value> {
    let name = vm.str_string(filename)?;
    vm.str(match name.as_str() {
        "" => "<unknown>",
        name => name.strip_suffix(".py").unwrap_or(name),
    })
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let state = vm.state::<State>();
    if state.filters.get().is_none() {
        let filters = filters::builtin(vm)?;
        let once = Dict::new(vm)?;
        let class = vm.get_attr_str(import(vm, "_contextvars")?, "ContextVar")?;
        let context = vm.call(class, &[vm.str("warnings_context")?])?;
        vm.roots.borrow_mut().extend([filters.value(), once.value(), context]);
        state.filters.set(Some(filters));
        state.once.set(Some(once));
        state.context.set(Some(context));
    }
    let m = make_module(vm, "_warnings", FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "filters", state.filters.get().map_or(Value::NONE, Value::from))?;
    d.set_name(vm, "_onceregistry", state.once.get().map_or(Value::NONE, Value::from))?;
    d.set_name(vm, "_warnings_context", state.context.get().unwrap_or(Value::NONE))?;
    d.set_name(vm, "_defaultaction", vm.str("default")?)?;
    Ok(m)
}
