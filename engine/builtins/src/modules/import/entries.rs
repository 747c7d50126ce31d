//! What finds modules in one entry of a path: `sys.path_hooks` and `sys.path_importer_cache`.

use super::folder::{Folder, is_folder, new_folder, path_hook};
use super::import;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::path::Path;

/// What looks into an entry.
pub enum Importer {
    /// The native search does: a folder's full path.
    Folder(String),
    /// An object with `find_spec`.
    Other(Value),
    Nothing,
}

native_functions! { FUNCTIONS:
    "archive_importer(path, /)" => archive_importer, "The finder of the modules in a zip file. ImportError where the path is none.";
}

/// What `sys.path_hooks` has from the start. MemoryError.
pub fn hooks(vm: &Vm) -> R<Ref<List>> {
    let functions = make_module(vm, "zipimport", FUNCTIONS)?;
    let archives = functions.dict().get_name(vm, "archive_importer")?;
    List::new(vm, &[archives.unwrap_or(Value::NONE), path_hook(vm)?.value()])
}

/// `zipimport` is only imported for what may be a file with others in it.
fn archive_importer(vm: &Vm, path: Value) -> R<Value> {
    let text = path.cast::<Str>().map(|s| s.to_string_lossy().into_owned());
    let Some(text) = text.filter(|t| Path::new(t).ancestors().any(Path::is_file)) else {
        return Err(vm.import_error(format!("not a Zip file: {}", vm.repr_string(path)?)));
    };
    vm.check_room(text.len())?;
    let zipimport = import(vm, "zipimport")?;
    vm.call(vm.get_attr_str(zipimport, "zipimporter")?, &[path])
}

fn of_sys(vm: &Vm, name: &str) -> R<Option<Value>> {
    match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, name),
        None => Ok(None),
    }
}

/// The importer of an entry, which is not one of the packaged library. What hooks raise besides ImportError.
pub fn importer_of(vm: &Vm, entry: Ref<Str>) -> R<Importer> {
    let cache = of_sys(vm, "path_importer_cache")?.and_then(|c| c.cast::<Dict>());
    let Some(cache) = cache else { return Ok(kind_of(by_hooks(vm, entry)?)) };
    if let Some(known) = cache.get_str(vm, entry)? {
        return Ok(kind_of(known));
    }
    // A hook may import modules for its own work: it is not asked for the same entry again meanwhile.
    cache.set_str(vm, entry, Value::NONE)?;
    match by_hooks(vm, entry) {
        Ok(finder) => {
            cache.set_str(vm, entry, finder)?;
            Ok(kind_of(finder))
        }
        Err(e) => {
            let pending = vm.pending.take();
            cache.delete_str(vm, entry)?;
            vm.pending.set(pending);
            Err(e)
        }
    }
}

fn kind_of(finder: Value) -> Importer {
    if finder.is_none() {
        Importer::Nothing
    } else if let Some(folder) = finder.cast::<Ext<Folder>>() {
        Importer::Folder(folder.path_string())
    } else {
        Importer::Other(finder)
    }
}

/// What the first hook that takes the entry makes of it, or None.
fn by_hooks(vm: &Vm, entry: Ref<Str>) -> R<Value> {
    let Some(hooks) = of_sys(vm, "path_hooks")?.and_then(|h| h.cast::<List>()) else {
        return Ok(Value::NONE);
    };
    let folders = path_hook(vm)?.value();
    let on_disk = is_folder(vm, &entry.to_string_lossy());
    let mut i = 0;
    while let Some(hook) = hooks.get(i) {
        i += 1;
        if hook.is(folders) {
            if on_disk {
                return new_folder(vm, entry);
            }
            continue;
        }
        if let Some(finder) = vm.absorb(vm.call(hook, &[entry.value()]), vm.exc.import_error)? {
            return Ok(finder);
        }
    }
    Ok(Value::NONE)
}
