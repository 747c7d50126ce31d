//! Why a module does not have a name: its import may be under way, or a program's own file may stand before the
//! module that was meant.

use crate::object::Ref;
use crate::types::exception::Exception;
use crate::types::module::Module;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// What a module's spec tells.
struct Origin {
    spec: Option<Value>,
    file: Option<Ref<Str>>,
    /// The file lies in the program's own folder, which is looked in first.
    may_shadow: bool,
    /// So it does, and has the name of one of the library's modules.
    shadows_library: bool,
}

fn origin(vm: &Vm, name: Value, spec: Option<Value>) -> R<Origin> {
    let spec = spec.filter(|s| !s.is_none());
    let file = match spec {
        Some(s) => file_of(vm, s)?,
        None => None,
    };
    let may_shadow = file.is_some_and(|f| is_in_program_folder(vm, &f.to_string_lossy()));
    let names = match vm.sys_dict.get() {
        Some(sys) if may_shadow => sys.get_name(vm, "stdlib_module_names")?,
        _ => None,
    };
    let shadows_library = match names {
        Some(n) if n.cast::<Set>().is_some() => vm.contains(n, name)?,
        _ => false,
    };
    Ok(Origin { spec, file, may_shadow, shadows_library })
}

/// The file that a spec says it is loaded from.
fn file_of(vm: &Vm, spec: Value) -> R<Option<Ref<Str>>> {
    let has_location = match vm.find_attr(spec, vm.intern("has_location")?)? {
        Some(v) => vm.truth(v)?,
        None => false,
    };
    if !has_location {
        return Ok(None);
    }
    Ok(vm.find_attr(spec, vm.intern("origin")?)?.and_then(|o| o.cast::<Str>()))
}

fn is_in_program_folder(vm: &Vm, file: &str) -> bool {
    let Some(program) = vm.config.program_folder.as_ref().filter(|_| !vm.config.safe_path) else {
        return false;
    };
    let Some((mut folder, last)) = file.rsplit_once('/') else { return false };
    if last == "__init__.py" {
        match folder.rsplit_once('/') {
            Some((above, _)) => folder = above,
            None => return false,
        }
    }
    if !program.is_empty() {
        return folder == program;
    }
    std::env::current_dir().is_ok_and(|d| d.to_str() == Some(folder))
}

fn is_initializing(vm: &Vm, spec: Option<Value>) -> R<bool> {
    let Some(spec) = spec else { return Ok(false) };
    match vm.find_attr(spec, vm.intern("_initializing")?)? {
        Some(v) => vm.truth(v),
        None => Ok(false),
    }
}

fn is_submodule_in_import(vm: &Vm, spec: Option<Value>, name: Ref<Str>) -> R<bool> {
    let Some(spec) = spec else { return Ok(false) };
    match vm.find_attr(spec, vm.intern("_uninitialized_submodules")?)? {
        Some(names) => vm.contains(names, name.value()),
        None => Ok(false),
    }
}

/// AttributeError for a name that is not in a module's dict.
#[cold]
pub(super) fn no_attribute(vm: &Vm, module: Ref<Module>, name: Ref<Str>) -> Raised {
    match reason(vm, module, name) {
        Ok(message) => vm.attribute_error_for(module.value(), name, &message),
        Err(e) => e,
    }
}

fn reason(vm: &Vm, module: Ref<Module>, name: Ref<Str>) -> R<String> {
    let missing = name.to_string_lossy();
    let Some(n) = module.dict().get_str(vm, vm.names.__name__)?.filter(|n| n.cast::<Str>().is_some()) else {
        return Ok(format!("module has no attribute '{missing}'"));
    };
    let text = n.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let from = origin(vm, n, module.dict().get_str(vm, vm.names.__spec__)?)?;
    let file = from.file.map(|f| f.to_string_lossy().into_owned());
    let plain = format!("module '{text}' has no attribute '{missing}'");
    Ok(match file {
        Some(file) if from.shadows_library => format!("{plain} {}", shadowed(&file, &text)),
        file if is_initializing(vm, from.spec)? => match file {
            Some(file) if from.may_shadow => format!("{plain} {}", renamed(&file)),
            Some(file) => format!(
                "partially initialized module '{text}' from '{file}' has no attribute '{missing}' \
                 (most likely due to a circular import)"
            ),
            None => format!("partially initialized {plain} (most likely due to a circular import)"),
        },
        _ if is_submodule_in_import(vm, from.spec, name)? => format!(
            "cannot access submodule '{missing}' of module '{text}' (most likely due to a circular import)"
        ),
        _ => plain,
    })
}

fn shadowed(file: &str, name: &str) -> String {
    format!(
        "(consider renaming '{file}' since it has the same name as the standard library module named '{name}' \
         and prevents importing that standard library module)"
    )
}

fn renamed(file: &str) -> String {
    format!("(consider renaming '{file}' if it has the same name as a library you intended to import)")
}

/// ImportError for `from module import name`.
#[cold]
pub(super) fn cannot_import(vm: &Vm, module: Value, package: Option<Ref<Str>>, name: Ref<Str>) -> R<Raised> {
    let text = name.to_string_lossy();
    let Some(package) = package else {
        let message = format!("cannot import name '{text}' from '<unknown module name>' (unknown location)");
        return raise(vm, &message, None, None, name);
    };
    let from = origin(vm, package.value(), vm.find_attr(module, vm.names.__spec__)?)?;
    let mut file = from.file;
    if file.is_none()
        && let Some(m) = module.cast::<Module>()
    {
        file = m.dict().get_str(vm, vm.names.__file__)?.and_then(|f| f.cast::<Str>());
    }
    let package_text = package.to_string_lossy();
    let place = file.map(|f| f.to_string_lossy().into_owned());
    let plain = format!("cannot import name '{text}' from '{package_text}'");
    let message = match &place {
        Some(file) if from.shadows_library => format!("{plain} {}", shadowed(file, &package_text)),
        _ if is_initializing(vm, from.spec)? => match &place {
            Some(file) if from.may_shadow => format!("{plain} {}", renamed(file)),
            _ => {
                let place = place.map(|f| format!(" ({f})")).unwrap_or_default();
                format!(
                    "cannot import name '{text}' from partially initialized module '{package_text}' \
                     (most likely due to a circular import){place}"
                )
            }
        },
        Some(file) => format!("{plain} ({file})"),
        None => format!("{plain} (unknown location)"),
    };
    raise(vm, &message, Some(package), file, name)
}

fn raise(
    vm: &Vm,
    message: &str,
    package: Option<Ref<Str>>,
    file: Option<Ref<Str>>,
    name: Ref<Str>,
) -> R<Raised> {
    let raised = vm.import_error(message);
    if let Some(e) = vm.pending.get().and_then(|e| e.cast::<Exception>()) {
        e.set_field(vm, 0, package.map(Value::from))?;
        e.set_field(vm, 1, file.map(Value::from))?;
        e.set_field(vm, 2, name.value())?;
    }
    Ok(raised)
}

/// TypeError for what is no name in `__all__`, or in the dict of a module that has none.
#[cold]
pub(super) fn not_a_name(vm: &Vm, module: Value, name: Value, is_key: bool) -> R<Raised> {
    let module_name = vm.get_attr(module, vm.names.__name__)?;
    let Some(text) = module_name.cast::<Str>() else {
        let ty = vm.type_name(module_name);
        return Ok(vm.type_error(format!("module __name__ must be a string, not {ty}")));
    };
    let (text, ty) = (text.to_string_lossy(), vm.type_name(name));
    Ok(vm.type_error(match is_key {
        true => format!("Key in {text}.__dict__ must be str, not {ty}"),
        false => format!("Item in {text}.__all__ must be str, not {ty}"),
    }))
}
