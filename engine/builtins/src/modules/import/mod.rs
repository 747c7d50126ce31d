//! The import core: built-in modules, the packaged library, and files.
//!
//! `sys.meta_path` holds one native finder ([`loader::FINDER`]); finders before it are asked first,
//! those after it when it found nothing. `importlib` works on top: the native finder and loaders
//! have the methods of its protocols. What is neither a folder nor in the packaged library is looked
//! into by what `sys.path_hooks` makes of it ([`entries`]).

mod entries;
mod folder;
mod imp;
mod loader;
mod main;
mod spec;

use skein_bytecode::CodeRef;
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{Compile, Mode, Vm};
use std::path::Path;

pub use entries::hooks as path_hooks;
use entries::{Importer, importer_of};
pub use imp::make as make_imp;
pub(crate) use loader::new_finder;
use loader::{Finder, Loader};
pub use main::{Main, MainCode, MainMissing, main_code, main_namespace, run_main};
pub use skein_runtime::types::module::run_code;
pub use spec::{ModuleSpec, SpecParts};

/// Where a module was found.
pub enum Found {
    /// Made by Rust code.
    Native(Value),
    Packaged {
        code: CodeRef,
        is_package: bool,
    },
    File {
        path: String,
        is_package: bool,
    },
    /// A package of folders without `__init__.py`.
    Namespace(Vec<String>),
    /// By a finder in Python.
    Spec {
        spec: Value,
        is_package: bool,
    },
}

impl Found {
    fn is_package(&self) -> bool {
        match self {
            Found::Native(_) => false,
            Found::Packaged { is_package, .. }
            | Found::File { is_package, .. }
            | Found::Spec { is_package, .. } => *is_package,
            Found::Namespace(_) => true,
        }
    }

    /// `__file__`.
    fn file(&self) -> Option<String> {
        match self {
            Found::Packaged { code, .. } => Some(code.filename.to_string()),
            Found::File { path, .. } => Some(path.clone()),
            Found::Native(_) | Found::Namespace(_) | Found::Spec { .. } => None,
        }
    }

    /// `__path__`.
    fn search_locations(&self, vm: &Vm, name: &str) -> Vec<String> {
        match self {
            Found::Packaged { .. } => vec![format!("{}/{}", vm.library(), name.replace('.', "/"))],
            Found::File { path, .. } => {
                vec![Path::new(path).parent().map_or_else(String::new, |p| p.to_string_lossy().into_owned())]
            }
            Found::Namespace(paths) => paths.clone(),
            Found::Native(_) | Found::Spec { .. } => Vec::new(),
        }
    }

    /// The module's code. SyntaxError, OSError.
    fn code(&self, vm: &Vm, name: &str) -> R<Option<CodeRef>> {
        match self {
            Found::Spec { spec, .. } => {
                let loader = vm.get_attr_str(*spec, "loader")?;
                let code = vm.call_method(loader, "get_code", &[vm.str(name)?])?;
                Ok(code.cast::<CodeObject>().map(|code| code.shared()))
            }
            Found::Packaged { code, .. } => Ok(Some(code.clone())),
            Found::File { path, .. } => compile_file(vm, path).map(Some),
            Found::Native(_) | Found::Namespace(_) => Ok(None),
        }
    }
}

fn compile_file(vm: &Vm, path: &str) -> R<CodeRef> {
    let source = std::fs::read(path).map_err(|e| vm.os_error_of(&e, Some(path)))?;
    let what = Compile {
        source: &source,
        filename: path,
        mode: Mode::Exec,
        optimize: vm.config.optimize,
        flags: 0,
        decoded: false,
    };
    vm.hooks.clone().compile(vm, &what)
}

fn modules(vm: &Vm) -> R<Ref<Dict>> {
    vm.modules.get().ok_or_else(|| vm.runtime_error("unable to get sys.modules"))
}

/// ModuleNotFoundError with its `name`.
pub fn not_found(vm: &Vm, name: &str, message: &str) -> Raised {
    let raised = vm.raise_text(vm.exc.module_not_found_error, message);
    with_import_name(vm, raised, name)
}

/// Sets `name` of the pending ImportError.
fn with_import_name(vm: &Vm, raised: Raised, name: &str) -> Raised {
    if let Some(e) = vm.pending.get().and_then(|e| e.cast::<Exception>())
        && let Ok(name) = vm.str(name)
        && e.set_field(vm, 0, name).is_err()
    {
        return Raised;
    }
    raised
}

/// Python's repr of a module's name.
fn quoted(vm: &Vm, name: &str) -> String {
    vm.str(name).and_then(|s| vm.repr_string(s)).unwrap_or_else(|_| format!("'{name}'"))
}

/// The module of that absolute (dotted) name, imported if it is not there yet.
pub fn import(vm: &Vm, name: &str) -> R<Value> {
    let all = modules(vm)?;
    if let Some(m) = all.get_name(vm, name)? {
        if m.is_none() {
            let text = format!("import of {} halted; None in sys.modules", quoted(vm, name));
            return Err(not_found(vm, name, &text));
        }
        return Ok(m);
    }
    let Some((parent_name, tail)) = name.rsplit_once('.') else {
        return find_and_load(vm, name, None);
    };
    let parent = import(vm, parent_name)?;
    // Importing the parent may have imported this one.
    if let Some(m) = all.get_name(vm, name)? {
        return Ok(m);
    }
    let Some(path) = vm.find_attr(parent, vm.names.__path__)? else {
        let text =
            format!("No module named {}; {} is not a package", quoted(vm, name), quoted(vm, parent_name));
        return Err(not_found(vm, name, &text));
    };
    let under_way = match vm.find_attr(parent, vm.names.__spec__)? {
        Some(spec) => {
            vm.find_attr(spec, vm.intern("_uninitialized_submodules")?)?.and_then(|l| l.cast::<List>())
        }
        None => None,
    };
    if let Some(l) = under_way {
        l.push(vm, vm.str(tail)?)?;
    }
    let loaded = find_and_load(vm, name, Some(path));
    if let Some(l) = under_way {
        // Others may be on their way in other threads.
        let is_this = |n: &Value| n.cast::<Str>().is_some_and(|n| n.to_string_lossy() == tail);
        if let Some(i) = l.items().iter().rposition(is_this) {
            l.splice(vm, i, i + 1, &[])?;
        }
    }
    let m = loaded?;
    let bound = vm.set_attr(parent, vm.intern(tail)?, m);
    if vm.absorb(bound, vm.exc.attribute_error)?.is_none() {
        let text = format!(
            "Cannot set an attribute on {} for child module {}",
            quoted(vm, parent_name),
            quoted(vm, tail)
        );
        vm.warn(vm.exc.import_warning, &text)?;
    }
    Ok(m)
}

/// Asks the finders in turn, and loads what the first of them found.
fn find_and_load(vm: &Vm, name: &str, path: Option<Value>) -> R<Value> {
    vm.audit("import", || {
        let of_sys = |name: &str| match vm.sys_dict.get() {
            Some(sys) => Ok(sys.get_name(vm, name)?.unwrap_or(Value::NONE)),
            None => Ok(Value::NONE),
        };
        let (paths, finders, hooks) = (of_sys("path")?, of_sys("meta_path")?, of_sys("path_hooks")?);
        vm.tuple(&[vm.str(name)?, Value::NONE, paths, finders, hooks])
    })?;
    let finders = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "meta_path")?.and_then(|l| l.cast::<List>()),
        None => None,
    };
    let Some(finders) = finders else {
        // What natives need works to the end.
        if vm.finalizing.get()
            && let Some(m) = native_module(vm, name)?
        {
            return Ok(m);
        }
        return Err(vm.import_error("sys.meta_path is None, Python is likely shutting down"));
    };
    let mut i = 0;
    while let Some(finder) = finders.get(i) {
        i += 1;
        if finder.cast::<Ext<Finder>>().is_some() {
            match find(vm, name, path)? {
                Some(found @ (Found::Namespace(_) | Found::Spec { .. })) => {
                    return load_spec(vm, name, spec_of(vm, name, &found)?);
                }
                Some(found) => return load_found(vm, name, &found),
                None => continue,
            }
        }
        let Some(f) = vm.find_attr(finder, vm.intern("find_spec")?)? else { continue };
        let spec = vm.call(f, &[vm.str(name)?, path.unwrap_or(Value::NONE), Value::NONE])?;
        if !spec.is_none() {
            return load_spec(vm, name, spec);
        }
    }
    let text = format!("No module named {}", quoted(vm, name));
    Err(not_found(vm, name, &text))
}

/// The entries of a search path.
fn path_entries(vm: &Vm, path: Option<Value>) -> R<Ref<List>> {
    if let Some(path) = path {
        return vm.list_from(path);
    }
    let list = match vm.sys_dict.get() {
        Some(sys) => sys.get_str(vm, vm.names.path)?,
        None => None,
    };
    let entries = List::with_capacity(vm, 0)?;
    let mut is_library_named = false;
    if let Some(list) = list {
        vm.for_each(list, |v| {
            is_library_named |= v.cast::<Str>().is_some_and(|s| s.bytes() == vm.library().as_bytes());
            entries.push(vm, v)
        })?;
    }
    // The library is a part of the program: there also for programs that replace sys.path.
    if !is_library_named {
        entries.push(vm, vm.str(vm.library())?)?;
    }
    Ok(entries)
}

/// Modules in Rust whose names programs and packages have for their own: those are found first.
const LATE: &[&str] = &["scheduler", "_scheduler"];

/// The native search: on `sys.path`, or on a package's `__path__`.
pub fn find(vm: &Vm, name: &str, path: Option<Value>) -> R<Option<Found>> {
    let is_late = LATE.contains(&name);
    if path.is_none()
        && !is_late
        && let Some(m) = native_module(vm, name)?
    {
        return Ok(Some(Found::Native(m)));
    }
    let entries = path_entries(vm, path)?;
    let tail = name.rsplit('.').next().unwrap_or(name);
    let mut namespace = Vec::new();
    let mut i = 0;
    while let Some(entry) = entries.get(i) {
        i += 1;
        // Other items are passed over, as finders do.
        let Some(entry) = entry.cast::<Str>() else { continue };
        let text = entry.to_string_lossy().into_owned();
        if let Some(inside) = vm.within_library(&text) {
            let full = format!("{inside}/{tail}");
            let full = full.trim_start_matches('/').replace('/', ".");
            if path.is_some()
                && let Some(m) = native_module(vm, &full)?
            {
                return Ok(Some(Found::Native(m)));
            }
            if let Some((code, is_package)) = vm.hooks.clone().packaged_module(vm, &full)? {
                return Ok(Some(Found::Packaged { code, is_package }));
            }
            continue;
        }
        let entry = match text.is_empty() {
            true => match std::env::current_dir() {
                Ok(d) => Str::new(vm, d.as_os_str().as_encoded_bytes())?,
                Err(_) => continue,
            },
            false => entry,
        };
        let found = match importer_of(vm, entry)? {
            Importer::Folder(folder) => find_in_folder(vm, name, &folder, &mut namespace)?,
            Importer::Other(finder) => ask_finder(vm, name, finder, &mut namespace)?,
            Importer::Nothing => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    // One written in Rust that belongs to somebody else's package, or that comes last.
    if (path.is_some() || is_late)
        && let Some(m) = native_module(vm, name)?
    {
        return Ok(Some(Found::Native(m)));
    }
    Ok((!namespace.is_empty()).then_some(Found::Namespace(namespace)))
}

/// A module's or package's file in a folder. A folder of its name that has none is added to `namespace`.
fn find_in_folder(vm: &Vm, name: &str, folder: &str, namespace: &mut Vec<String>) -> R<Option<Found>> {
    let tail = name.rsplit('.').next().unwrap_or(name);
    let base = Path::new(folder);
    let own = base.join(tail);
    let is_folder = own.is_dir();
    let candidates = [(own.join("__init__"), true), (base.join(tail), false)];
    for (stem, is_package) in candidates {
        if is_package && !is_folder {
            continue;
        }
        let path = format!("{}.py", stem.to_string_lossy());
        if Path::new(&path).is_file() {
            return Ok(Some(Found::File { path, is_package }));
        }
        let compiled = format!("{path}c");
        if Path::new(&compiled).is_file() {
            return by_loader(vm, name, &compiled, is_package, "SourcelessFileLoader").map(Some);
        }
        let shared = format!("{}{}", stem.to_string_lossy(), imp::extension_suffix());
        if Path::new(&shared).is_file() {
            return by_loader(vm, name, &shared, is_package, "ExtensionFileLoader").map(Some);
        }
    }
    if is_folder {
        namespace.push(own.to_string_lossy().into_owned());
    }
    Ok(None)
}

/// A module that one of the loaders in Python makes: its compiled form, or a shared library, lies where its source would be.
fn by_loader(vm: &Vm, name: &str, path: &str, is_package: bool, loader: &str) -> R<Found> {
    let external = import(vm, "_frozen_importlib_external")?;
    let (name, path) = (vm.str(name)?, vm.str(path)?);
    let loader = vm.call(vm.get_attr_str(external, loader)?, &[name, path])?;
    let make = vm.get_attr_str(external, "spec_from_file_location")?;
    let keywords = Tuple::new(vm, &[vm.str("loader")?])?;
    let spec = vm.call_args(make, Args::new(&[name, path, loader], Some(keywords)))?;
    Ok(Found::Spec { spec, is_package })
}

/// Asks the finder of a path's entry.
fn ask_finder(vm: &Vm, name: &str, finder: Value, namespace: &mut Vec<String>) -> R<Option<Found>> {
    let f = vm.get_attr_str(finder, "find_spec")?;
    let spec = vm.call(f, &[vm.str(name)?, Value::NONE])?;
    if spec.is_none() {
        return Ok(None);
    }
    let locations = vm.get_attr_str(spec, "submodule_search_locations")?;
    if !vm.get_attr_str(spec, "loader")?.is_none() {
        return Ok(Some(Found::Spec { spec, is_package: !locations.is_none() }));
    }
    if locations.is_none() {
        return Err(vm.import_error("spec missing loader"));
    }
    vm.for_each(locations, |v| {
        namespace.extend(v.cast::<Str>().map(|s| s.to_string_lossy().into_owned()));
        Ok(())
    })?;
    Ok(None)
}

/// A module written in Rust.
fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    match name {
        "_frozen_importlib" => return bootstrap(vm).map(Some),
        "_frozen_importlib_external" => return bootstrap_external(vm).map(Some),
        "builtins" => return copy_of(vm, name, vm.builtins.get()),
        "sys" => return copy_of(vm, name, vm.sys_dict.get()),
        _ => {}
    }
    if let Some((_, make)) = super::BUILTIN_MODULES.iter().find(|(n, _)| *n == name) {
        return make(vm).map(|m| Some(m.value()));
    }
    vm.hooks.clone().native_module(vm, name)
}

/// A module that was made with the isolate, as it is imported again by who has taken it out of `sys.modules`.
fn copy_of(vm: &Vm, name: &str, own: Option<Ref<Dict>>) -> R<Option<Value>> {
    let Some(own) = own else { return Ok(None) };
    let m = Module::new(vm, name)?;
    for (k, v) in own.iter() {
        m.dict().set(vm, k, v)?;
    }
    Ok(Some(m.value()))
}

/// The import system in Python, under the name that it has where it is frozen.
fn bootstrap(vm: &Vm) -> R<Value> {
    let m = import(vm, "importlib._bootstrap")?;
    // The package that it is in asks for it as well.
    if let Some(m) = modules(vm)?.get_name(vm, "_frozen_importlib")? {
        return Ok(m);
    }
    let imp = import(vm, "_imp")?;
    let sys = import(vm, "sys")?;
    vm.call(vm.get_attr_str(m, "_setup")?, &[sys, imp])?;
    Ok(m)
}

/// As [`bootstrap`], of its part that knows files.
fn bootstrap_external(vm: &Vm) -> R<Value> {
    let bootstrap = import(vm, "_frozen_importlib")?;
    let m = import(vm, "importlib._bootstrap_external")?;
    if let Some(m) = modules(vm)?.get_name(vm, "_frozen_importlib_external")? {
        return Ok(m);
    }
    vm.call(vm.get_attr_str(m, "_set_bootstrap_module")?, &[bootstrap])?;
    vm.set_attr(bootstrap, vm.intern("_bootstrap_external")?, m)?;
    Ok(m)
}

/// The spec of what was found.
fn spec_of(vm: &Vm, name: &str, found: &Found) -> R<Value> {
    match found {
        Found::Spec { spec, .. } => Ok(*spec),
        Found::Namespace(portions) => {
            let external = import(vm, "_frozen_importlib_external")?;
            let finder = vm.get_attr_str(external, "PathFinder")?;
            let list = List::with_capacity(vm, portions.len())?;
            for p in portions {
                list.push(vm, vm.str(p)?)?;
            }
            let make = vm.get_attr_str(external, "_NamespacePath")?;
            let again = vm.get_attr_str(finder, "_get_spec")?;
            let path = vm.call(make, &[vm.str(name)?, list.value(), again])?;
            namespace_spec(vm, name, path)
        }
        _ => Ok(native_spec(vm, name, found)?.value()),
    }
}

/// The spec of folders that may be parts of a package.
fn portions_spec(vm: &Vm, name: &str, portions: &[String]) -> R<Value> {
    let list = List::with_capacity(vm, portions.len())?;
    for p in portions {
        list.push(vm, vm.str(p)?)?;
    }
    namespace_spec(vm, name, list.value())
}

fn namespace_spec(vm: &Vm, name: &str, path: Value) -> R<Value> {
    let parts = SpecParts {
        name: vm.str(name)?,
        loader: Value::NONE,
        origin: None,
        locations: Some(path),
        has_location: false,
    };
    Ok(ModuleSpec::new(vm, parts)?.value())
}

/// The spec of what the native search found.
fn native_spec(vm: &Vm, name: &str, found: &Found) -> R<Ref<Ext<ModuleSpec>>> {
    let file = match found.file() {
        Some(f) => Some(vm.str(&f)?),
        None => None,
    };
    let locations = match found.is_package() {
        true => {
            let list = List::with_capacity(vm, 1)?;
            for p in found.search_locations(vm, name) {
                list.push(vm, vm.str(&p)?)?;
            }
            Some(list.value())
        }
        // One that is written in Rust sets its path itself.
        false => match found {
            Found::Native(m) => match m.cast::<Module>() {
                Some(module) => module.dict().get_str(vm, vm.names.__path__)?,
                None => None,
            },
            _ => None,
        },
    };
    let loader = match found {
        Found::Native(_) => loader::finder_type(vm)?.value(),
        _ => Loader::of(vm, name, found)?,
    };
    let origin = match found {
        Found::Native(_) => Some(vm.str("built-in")?),
        _ => file,
    };
    let name = vm.str(name)?;
    ModuleSpec::new(vm, SpecParts { name, loader, origin, locations, has_location: file.is_some() })
}

/// `__spec__`, `__file__` and so on of a module that the native search found.
fn set_attributes(vm: &Vm, module: Ref<Module>, name: &str, found: &Found) -> R<Ref<Ext<ModuleSpec>>> {
    let d = module.dict();
    let spec = native_spec(vm, name, found)?;
    let package = spec.parent(vm)?;
    d.set_str(vm, vm.names.__spec__, spec.value())?;
    d.set_str(vm, vm.names.__loader__, spec.loader())?;
    d.set_str(vm, vm.names.__package__, package)?;
    if let Some(f) = spec.file() {
        d.set_str(vm, vm.names.__file__, f)?;
        let cached = spec::cached(vm, spec.value())?;
        if !cached.is_none() {
            d.set_name(vm, "__cached__", cached)?;
        }
    }
    if let Some(l) = spec.locations() {
        d.set_str(vm, vm.names.__path__, l)?;
    }
    Ok(spec)
}

fn load_found(vm: &Vm, name: &str, found: &Found) -> R<Value> {
    let all = modules(vm)?;
    let module = match found {
        Found::Native(m) => {
            if let Some(module) = m.cast::<Module>()
                && module.dict().get_str(vm, vm.names.__spec__)?.is_none_or(Value::is_none)
            {
                set_attributes(vm, module, name, found)?;
            }
            all.set_name(vm, name, *m)?;
            return Ok(*m);
        }
        _ => Module::new(vm, name)?,
    };
    let spec = set_attributes(vm, module, name, found)?;
    all.set_name(vm, name, module.value())?;
    spec.set_initializing(true);
    let packaged = u32::from(matches!(found, Found::Packaged { .. }));
    vm.packaged_imports.update(|n| n + packaged);
    let done = match found.code(vm, name) {
        Ok(Some(code)) => run_code(vm, code, module.dict()).map(|_| ()),
        Ok(None) => Ok(()),
        Err(e) => Err(e),
    };
    vm.packaged_imports.update(|n| n - packaged);
    spec.set_initializing(false);
    finish_load(vm, name, done)
}

/// The module under its name after its code ran; a failed one is taken out of `sys.modules`.
fn finish_load(vm: &Vm, name: &str, done: R<()>) -> R<Value> {
    let all = modules(vm)?;
    if let Err(e) = done {
        let pending = vm.pending.take();
        all.delete_str(vm, vm.intern(name)?)?;
        vm.pending.set(pending);
        return Err(e);
    }
    // The code may have put another object there.
    match all.get_name(vm, name)? {
        Some(m) => Ok(m),
        None => Err(vm.key_error(vm.str(name)?)),
    }
}

/// Loads by a spec that a finder in Python gave.
fn load_spec(vm: &Vm, name: &str, spec: Value) -> R<Value> {
    let bootstrap = import(vm, "importlib._bootstrap")?;
    let all = modules(vm)?;
    if let Some(m) = all.get_name(vm, name)? {
        return Ok(m);
    }
    let load = vm.get_attr_str(bootstrap, "_load_unlocked")?;
    vm.call(load, &[spec])
}

/// The absolute name that a relative import in a module with these globals means.
fn resolve(vm: &Vm, name: &str, globals: Option<Value>, level: i64) -> R<String> {
    let Some(globals) = globals.and_then(|g| g.cast::<Dict>()) else {
        return Err(vm.raise_text(vm.exc.key_error, "'__name__' not in globals"));
    };
    let text_of = |v: Value, what: &str| match v.cast::<Str>() {
        Some(s) => Ok(s.to_string_lossy().into_owned()),
        None => Err(vm.type_error(format!("{what} must be a string"))),
    };
    let given = globals.get_str(vm, vm.names.__package__)?.filter(|p| !p.is_none());
    let spec = globals.get_str(vm, vm.names.__spec__)?.filter(|s| !s.is_none());
    let package = if let Some(p) = given {
        let package = text_of(p, "package")?;
        if let Some(s) = spec
            && !vm.eq(p, vm.get_attr_str(s, "parent")?)?
        {
            vm.warn(vm.exc.deprecation_warning, "__package__ != __spec__.parent")?;
        }
        package
    } else if let Some(s) = spec {
        text_of(vm.get_attr_str(s, "parent")?, "__spec__.parent")?
    } else {
        vm.warn(
            vm.exc.import_warning,
            "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
        )?;
        let Some(own) = globals.get_str(vm, vm.names.__name__)? else {
            return Err(vm.raise_text(vm.exc.key_error, "'__name__' not in globals"));
        };
        let own = text_of(own, "__name__")?;
        match globals.get_str(vm, vm.names.__path__)? {
            Some(_) => own,
            None => own.rsplit_once('.').map_or_else(String::new, |(p, _)| p.to_string()),
        }
    };
    if package.is_empty() {
        return Err(vm.import_error("attempted relative import with no known parent package"));
    }
    let mut base = package.as_str();
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((up, _)) => base = up,
            None => return Err(vm.import_error("attempted relative import beyond top-level package")),
        }
    }
    Ok(if name.is_empty() { base.to_string() } else { format!("{base}.{name}") })
}

/// `__import__`.
pub fn import_builtin(
    vm: &Vm,
    name: Ref<Str>,
    globals: Option<Value>,
    _locals: Option<Value>,
    fromlist: Option<Value>,
    level: Option<i64>,
) -> R<Value> {
    // Copies of the name, and the paths that are made of it.
    vm.check_room(name.bytes().len().saturating_mul(64))?;
    let text = name.to_string_lossy().into_owned();
    let level = level.unwrap_or(0);
    if level < 0 {
        return Err(vm.value_error("level must be >= 0"));
    }
    if text.is_empty() && level == 0 {
        return Err(vm.value_error("Empty module name"));
    }
    let absolute = if level > 0 { resolve(vm, &text, globals, level)? } else { text.clone() };
    let m = import(vm, &absolute)?;
    match fromlist {
        Some(list) if vm.truth(list)? => {
            if vm.find_attr(m, vm.names.__path__)?.is_some() {
                import_listed(vm, m, list, true)?;
            }
            Ok(m)
        }
        _ => match text.split_once('.') {
            None => Ok(m),
            Some((first, _)) if level == 0 => import(vm, first),
            Some((_, rest)) => import(vm, &absolute[..absolute.len() - rest.len() - 1]),
        },
    }
}

/// `from package import a, b`: imports those that are submodules and not attributes yet.
fn import_listed(vm: &Vm, module: Value, list: Value, outer: bool) -> R<()> {
    let list = vm.list_from(list)?;
    let mut i = 0;
    while let Some(item) = list.get(i) {
        i += 1;
        let Some(s) = item.cast::<Str>() else {
            let place = match outer {
                true => "``from list''".to_string(),
                false => format!("{}.__all__", vm.str_string(vm.get_attr(module, vm.names.__name__)?)?),
            };
            return Err(vm.type_error(format!("Item in {place} must be str, not {}", vm.type_name(item))));
        };
        if s.bytes() == b"*" {
            if outer && let Some(all) = vm.find_attr(module, vm.names.__all__)? {
                import_listed(vm, module, all, false)?;
            }
            continue;
        }
        if vm.find_attr(module, vm.intern_str(s))?.is_some() {
            continue;
        }
        let package = vm.get_attr(module, vm.names.__name__)?;
        let full = format!("{}.{}", vm.str_string(package)?, s.to_string_lossy());
        if let Err(e) = import(vm, &full) {
            // What is no submodule is missed by the op that wants the attribute, which has the better text.
            let missing = vm.pending.get().filter(|_| vm.pending_is(vm.exc.module_not_found_error));
            let name = missing.and_then(|e| e.cast::<Exception>()).and_then(|e| e.field(0)?.cast::<Str>());
            if name.is_none_or(|n| n.bytes() != full.as_bytes())
                || modules(vm)?.get_name(vm, &full)?.is_some()
            {
                return Err(e);
            }
            vm.pending.take();
        }
    }
    Ok(())
}
