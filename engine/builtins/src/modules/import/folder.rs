//! The finder of one entry of a path: what `sys.path_hooks` makes of folders, and of those of the packaged library.
//!
//! Imports do not call it, since the finder on `sys.meta_path` looks into folders itself; `pkgutil` does.

use super::loader;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::path::Path;

pub struct Folder {
    path: Field,
}

impl Payload for Folder {
    const NAME: &'static str = "FileFinder";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Folder { path } = self;
        path.trace(t);
    }
}

impl Folder {
    pub fn path_string(&self) -> String {
        self.path.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

type This = ExtArg<Folder>;

native_type! {
    FOLDER: "_frozen_importlib_external.FileFinder", Kind::Ext, 0, "Finder of the modules in one folder.";
    methods {
        [static] "__new__($type, path, /)" => new;
        "find_spec($self, fullname, target=None)" => |vm: &Vm, f: This, name: Ref<Str>, target: Option<Value>| -> R<Value> {
            let path = List::new(vm, &[f.0.path.value()])?;
            loader::find_in_entry(vm, name, path.value(), target)
        }, "Find the module there: its specification, or None.";
        "invalidate_caches($self, /)" => |_: &Vm, _: This| (), "Nothing is cached.";
        "iter_modules($self, prefix='')" => iter_modules, "The modules there: names behind the prefix, and whether each is a package.";
        "__repr__($self, /)" => |vm: &Vm, f: This| -> R<String> { Ok(format!("FileFinder({})", vm.repr_string(f.0.path.value())?)) };
    }
    getset { "path" => |vm: &Vm, v: Value| match v.cast::<Ext<Folder>>() { Some(f) => Ok(f.path.value()), None => Err(vm.type_error("not a FileFinder")) }; }
}

/// What `sys.path_hooks` has from the start: the type, which is called with an entry of a path. MemoryError.
pub fn path_hook(vm: &Vm) -> R<Ref<Type>> {
    ext_type(vm, &FOLDER)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &FOLDER)?)?;
    let path = args.positional().get(1).and_then(|p| p.cast::<Str>());
    let Some(path) = path.filter(|_| args.positional().len() == 2 && !args.has_keywords()) else {
        return Err(vm.type_error("FileFinder() takes the path of a folder"));
    };
    if !is_folder(vm, &path.to_string_lossy()) {
        return Err(vm.import_error("only directories are supported"));
    }
    made(vm, ty, path)
}

/// A finder. A relative path is one from the current folder as it is now.
fn made(vm: &Vm, ty: Ref<Type>, path: Ref<Str>) -> R<Value> {
    let text = path.to_string_lossy();
    let path = match std::env::current_dir() {
        Ok(current) if vm.within_library(&text).is_none() && Path::new(&*text).is_relative() => {
            let full = if matches!(&*text, "" | ".") { current } else { current.join(&*text) };
            vm.str(&full.to_string_lossy())?
        }
        _ => path.value(),
    };
    Ok(Ext::new(vm, ty, Folder { path: Field::new(Some(path)) })?.value())
}

/// The finder of what lies in a folder. MemoryError.
pub fn new_folder(vm: &Vm, path: Ref<Str>) -> R<Value> {
    made(vm, path_hook(vm)?, path)
}

/// A folder on the disk or in the packaged library?
pub fn is_folder(vm: &Vm, path: &str) -> bool {
    vm.within_library(path).is_some() || Path::new(if path.is_empty() { "." } else { path }).is_dir()
}

fn iter_modules(vm: &Vm, f: This, prefix: Option<Ref<Str>>) -> R<Value> {
    let path = vm.str_string(f.0.path.value())?;
    let mut found = if let Some(inside) = vm.within_library(&path) {
        let package = inside.trim_end_matches('/').replace('/', ".");
        vm.hooks.clone().packaged_children(&package)
    } else {
        on_disk(Path::new(if path.is_empty() { "." } else { &path }))
    };
    found.sort();
    let prefix = prefix.map_or_else(String::new, |p| p.to_string_lossy().into_owned());
    let all = List::with_capacity(vm, found.len())?;
    for (name, is_package) in found {
        let name = vm.str(&format!("{prefix}{name}"))?;
        all.push(vm, vm.tuple(&[name, Value::bool(is_package)])?)?;
    }
    vm.iter(all.value())
}

/// Names of the modules in a folder, and whether each is a package. What cannot be read has none.
fn on_disk(folder: &Path) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(file) = entry.file_name().into_string() else { continue };
        match file.strip_suffix(".py") {
            Some("__init__") => {}
            Some(name) if !name.contains('.') => found.push((name.to_string(), false)),
            Some(_) => {}
            None if !file.contains('.') && entry.path().join("__init__.py").is_file() => {
                found.push((file, true))
            }
            None => {}
        }
    }
    // A package comes before a file of the same name.
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    found.dedup_by(|a, b| a.0 == b.0);
    found
}
