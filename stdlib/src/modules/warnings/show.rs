//! Showing a warning: by `warnings`, where a program has imported it, else as text on `sys.stderr`.

use super::{Warning, import_quietly, replaced};
use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::vm::write_stderr;
use skein_runtime::{R, Value, Vm};

pub fn show(vm: &Vm, w: &Warning, source_line: Option<Value>) -> R<()> {
    // Where the object was made, only `warnings` can tell.
    if !w.source.is_none() && !vm.finalizing.get() {
        import_quietly(vm)?;
    }
    let Some(f) = replaced(vm, "_showwarnmsg")? else { return print(vm, w, source_line) };
    if !vm.is_callable(f) {
        return Err(vm.type_error("warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = replaced(vm, "WarningMessage")? else {
        return Err(vm.runtime_error("unable to get warnings.WarningMessage"));
    };
    let line = vm.int(w.line)?;
    let none = Value::NONE;
    let message = vm.call(class, &[w.message, w.category, w.filename, line, none, none, w.source])?;
    vm.call(f, &[message]).map(|_| ())
}

fn print(vm: &Vm, w: &Warning, source_line: Option<Value>) -> R<()> {
    let file = vm.str_string(w.filename)?;
    let category = w.category.cast::<Type>().map(|c| c.name_string()).unwrap_or_default();
    let mut text = format!("{file}:{}: {category}: {}\n", w.line, vm.str_string(w.message)?);
    let line = match source_line {
        Some(line) => Some(vm.str_string(line)?),
        // No file; who wants such lines asks `linecache`.
        None if file.starts_with('<') => None,
        None => u32::try_from(w.line).ok().and_then(|n| (vm.builtin.source_line)(vm, &file, n)),
    };
    if let Some(line) = line.filter(|l| !l.trim().is_empty()) {
        text += &format!("  {}\n", line.trim());
    }
    write_stderr(vm, &text);
    Ok(())
}

/// The source line, asked of the loader that a module's globals name.
pub fn line_by_loader(vm: &Vm, globals: Ref<Dict>, line: i64) -> R<Option<Value>> {
    let external = import(vm, "importlib._bootstrap_external")?;
    let loader = vm.call_method(external, "_bless_my_loader", &[globals.value()])?;
    let name = globals.get_str(vm, vm.names.__name__)?;
    let (false, Some(name)) = (loader.is_none(), name) else { return Ok(None) };
    let Some(get) = vm.find_attr(loader, vm.intern("get_source")?)? else { return Ok(None) };
    let source = vm.call(get, &[name])?;
    if source.cast::<Str>().is_none() {
        return Ok(None);
    }
    let lines = vm.call_method(source, "splitlines", &[])?;
    let index = usize::try_from(line - 1).ok();
    match (lines.cast::<List>(), index) {
        (Some(lines), Some(i)) => Ok(lines.get(i)),
        _ => Ok(None),
    }
}
