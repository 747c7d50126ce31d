//! "Did you mean": names close to one that was not found.

use skein_runtime::interp::{closest, frame_locals};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::frame::FrameObject;
use skein_runtime::types::str::Str;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// Longer names get no suggestion.
const MAX_NAME: usize = 40;

/// What is added to the message; empty if nothing comes close.
pub fn suggestion(vm: &Vm, e: Ref<Exception>) -> String {
    find(vm, e)
        .unwrap_or_else(|Raised| {
            vm.pending.take();
            None
        })
        .unwrap_or_default()
}

fn find(vm: &Vm, e: Ref<Exception>) -> R<Option<String>> {
    let ty = vm.type_of(e.value());
    let (import, attribute, name) = (
        ty.is_subtype(vm.exc.import_error),
        ty.is_subtype(vm.exc.attribute_error),
        ty.is_subtype(vm.exc.name_error),
    );
    if !(import || attribute || name) {
        return Ok(None);
    }
    let Some(wrong) = e.field(if import { 2 } else { 0 }).and_then(|n| n.cast::<Str>()) else {
        return Ok(None);
    };
    let wrong = wrong.to_string_lossy().into_owned();
    let hit = if name {
        of_name(vm, e, &wrong)?
    } else {
        let object = match e.field(if import { 0 } else { 1 }) {
            Some(n) if import => {
                let modules = vm.modules.get();
                match (modules, n.cast::<Str>()) {
                    (Some(m), Some(n)) => m.get_str(vm, n)?,
                    _ => None,
                }
            }
            o => o,
        };
        match object {
            Some(o) => of_object(vm, o, &wrong, (!import).then_some(e))?,
            None => None,
        }
    };
    let mut text = hit.map(|h| format!(". Did you mean: '{h}'?"));
    if name && is_library_module(vm, &wrong)? {
        text = Some(match text {
            Some(t) => format!("{t} Or did you forget to import '{wrong}'?"),
            None => format!(". Did you forget to import '{wrong}'?"),
        });
    }
    Ok(text)
}

fn pick(wrong: &str, names: &[String]) -> Option<String> {
    const MAX_CANDIDATES: usize = 750;
    if wrong.chars().count() > MAX_NAME || names.len() > MAX_CANDIDATES {
        return None;
    }
    closest(wrong, names.iter().map(String::as_str)).map(str::to_string)
}

/// Among the attributes of an object. A method's own object shows private ones too.
fn of_object(vm: &Vm, object: Value, wrong: &str, e: Option<Ref<Exception>>) -> R<Option<String>> {
    let sorted = vm.call(vm.builtin("dir")?, &[object]);
    let names = match vm.absorb(sorted, vm.exc.type_error)? {
        Some(names) => names,
        // Some are no text.
        None => vm.call_method(object, "__dir__", &[])?,
    };
    let mut names = crate::modules::texts(vm.list_from(names)?);
    let own = match e.map(|e| raising_frame(vm, e)).transpose()?.flatten() {
        Some(frame) => local(vm, frame, "self")?.is_some_and(|s| s.is(object)),
        None => false,
    };
    if !own && !wrong.starts_with('_') {
        names.retain(|n| !n.starts_with('_'));
    }
    Ok(pick(wrong, &names))
}

/// The frame at the traceback's end.
fn raising_frame(vm: &Vm, e: Ref<Exception>) -> R<Option<Ref<FrameObject>>> {
    let Some(mut tb) = e.traceback.cast::<Traceback>() else { return Ok(None) };
    while let Some(next) = tb.next.cast() {
        tb = next;
    }
    skein_runtime::interp::frame_of_traceback(vm, tb).map(Some)
}

/// Among the names that the raising frame sees.
fn of_name(vm: &Vm, e: Ref<Exception>, wrong: &str) -> R<Option<String>> {
    let Some(frame) = raising_frame(vm, e)? else { return Ok(None) };
    if let Some(s) = local(vm, frame, "self")?
        && vm.find_attr(s, vm.intern(wrong)?)?.is_some()
    {
        return Ok(Some(format!("self.{wrong}")));
    }
    let mut names = keys(frame_locals(vm, frame)?);
    names.extend(keys(frame.function().globals.or_none()));
    if let Some(b) = skein_runtime::interp::builtins_of(vm, frame.function())? {
        names.extend(keys(b.value()));
    }
    Ok(pick(wrong, &names))
}

fn local(vm: &Vm, frame: Ref<FrameObject>, name: &str) -> R<Option<Value>> {
    match frame_locals(vm, frame)?.cast::<Dict>() {
        Some(d) => d.get_name(vm, name),
        None => Ok(None),
    }
}

fn keys(v: Value) -> Vec<String> {
    match v.cast::<Dict>() {
        Some(d) => {
            d.iter().filter_map(|(k, _)| k.cast::<Str>()).map(|k| k.to_string_lossy().into_owned()).collect()
        }
        None => Vec::new(),
    }
}

/// Is it in `sys.stdlib_module_names`?
fn is_library_module(vm: &Vm, name: &str) -> R<bool> {
    let names = match vm.sys_dict.get() {
        Some(d) => d.get_name(vm, "stdlib_module_names")?,
        None => None,
    };
    match names {
        Some(n) => vm.contains(n, vm.str(name)?),
        None => Ok(false),
    }
}
