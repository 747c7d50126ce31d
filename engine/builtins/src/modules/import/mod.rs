//! The import core: built-in modules, the packaged library, and files.
//!
//! `sys.meta_path` holds one native finder ([`loader::FINDER`]); finders before it are asked first,
//! those after it when it found nothing. `importlib` works on top: the native finder and loaders
//! have the methods of its protocols.

mod folder;
mod imp;
mod loader;
mod spec;

use skein_bytecode::{Code, Const};
use skein_runtime::object::Ref;
use skein_runtime::types::code::{load, specialise_for_globals};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::LIBRARY;
use skein_runtime::vm::{Compile, Mode, Vm};
use std::path::Path;
use std::rc::Rc;

pub use folder::path_hook;
pub use imp::make as make_imp;
pub(crate) use loader::new_finder;
use loader::{Finder, Loader};
pub use spec::{ModuleSpec, SpecParts};

/// Runs code with this namespace as globals and locals.
pub fn run_code(vm: &Vm, code: Rc<Code>, globals: Ref<Dict>) -> R<Value> {
    let code = load(vm, code)?;
    specialise_for_globals(code);
    if globals.get_str(vm, vm.names.__builtins__)?.is_none()
        && let Some(m) = vm.modules.get()
        && let Some(b) = m.get_str(vm, vm.names.builtins)?
    {
        globals.set_str(vm, vm.names.__builtins__, b)?;
    }
    let f = Function::new(vm, code, globals)?;
    vm.call(f.value(), &[globals.value()])
}

/// Where a module was found.
pub enum Found {
    /// Made by Rust code.
    Native(Value),
    Packaged {
        code: Rc<Code>,
        is_package: bool,
    },
    File {
        path: String,
        is_package: bool,
    },
    /// A package of folders without `__init__.py`.
    Namespace(Vec<String>),
}

impl Found {
    fn is_package(&self) -> bool {
        match self {
            Found::Native(_) => false,
            Found::Packaged { is_package, .. } | Found::File { is_package, .. } => *is_package,
            Found::Namespace(_) => true,
        }
    }

    /// `__file__`.
    fn file(&self) -> Option<String> {
        match self {
            Found::Packaged { code, .. } => Some(code.filename.to_string()),
            Found::File { path, .. } => Some(path.clone()),
            Found::Native(_) | Found::Namespace(_) => None,
        }
    }

    /// `__path__`.
    fn search_locations(&self, name: &str) -> Vec<String> {
        match self {
            Found::Packaged { .. } => vec![format!("{LIBRARY}/{}", name.replace('.', "/"))],
            Found::File { path, .. } => {
                vec![Path::new(path).parent().map_or_else(String::new, |p| p.to_string_lossy().into_owned())]
            }
            Found::Namespace(paths) => paths.clone(),
            Found::Native(_) => Vec::new(),
        }
    }

    /// The module's code. SyntaxError, OSError.
    fn code(&self, vm: &Vm) -> R<Option<Rc<Code>>> {
        match self {
            Found::Packaged { code, .. } => Ok(Some(code.clone())),
            Found::File { path, .. } => compile_file(vm, path).map(Some),
            Found::Native(_) | Found::Namespace(_) => Ok(None),
        }
    }
}

fn compile_file(vm: &Vm, path: &str) -> R<Rc<Code>> {
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
    let m = find_and_load(vm, name, Some(path))?;
    let bound = vm.set_attr(parent, vm.intern(tail)?, m);
    // CPython only warns of a parent that takes no attributes.
    vm.absorb(bound, vm.exc.attribute_error)?;
    Ok(m)
}

/// Asks the finders in turn, and loads what the first of them found.
fn find_and_load(vm: &Vm, name: &str, path: Option<Value>) -> R<Value> {
    let finders = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "meta_path")?.and_then(|l| l.cast::<List>()),
        None => None,
    };
    let Some(finders) = finders else {
        return Err(vm.import_error("sys.meta_path is None, Python is likely shutting down"));
    };
    let mut i = 0;
    while let Some(finder) = finders.get(i) {
        i += 1;
        if finder.cast::<Ext<Finder>>().is_some() {
            if let Some(found) = find(vm, name, path)? {
                return load_found(vm, name, &found);
            }
            continue;
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

/// The strings of a search path; other items are passed over, as finders do.
fn path_entries(vm: &Vm, path: Value) -> R<Vec<String>> {
    let mut out = Vec::new();
    vm.for_each(path, |v| {
        out.extend(v.cast::<Str>().map(|s| s.to_string_lossy().into_owned()));
        Ok(())
    })?;
    Ok(out)
}

/// The native search: on `sys.path`, or on a package's `__path__`.
pub fn find(vm: &Vm, name: &str, path: Option<Value>) -> R<Option<Found>> {
    if path.is_none()
        && let Some(m) = native_module(vm, name)?
    {
        return Ok(Some(Found::Native(m)));
    }
    let entries = match path {
        Some(p) => path_entries(vm, p)?,
        None => {
            let list = match vm.sys_dict.get() {
                Some(sys) => sys.get_str(vm, vm.names.path)?,
                None => None,
            };
            let mut entries = list.map_or(Ok(Vec::new()), |l| path_entries(vm, l))?;
            // The library is a part of the program: there also for programs that replace sys.path.
            if !entries.iter().any(|e| e == LIBRARY) {
                entries.push(LIBRARY.into());
            }
            entries
        }
    };
    let tail = name.rsplit('.').next().unwrap_or(name);
    let mut namespace = Vec::new();
    for entry in entries {
        if let Some(inside) = entry.strip_prefix(LIBRARY) {
            let full = format!("{}/{tail}", inside.trim_start_matches('/'));
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
        let base = match entry.is_empty() {
            true => match std::env::current_dir() {
                Ok(d) => d,
                Err(_) => continue,
            },
            false => entry.into(),
        };
        let folder = base.join(tail);
        let is_folder = folder.is_dir();
        if is_folder {
            let init = folder.join("__init__.py");
            if init.is_file() {
                return Ok(Some(Found::File { path: init.to_string_lossy().into_owned(), is_package: true }));
            }
        }
        let file = base.join(format!("{tail}.py"));
        if file.is_file() {
            return Ok(Some(Found::File { path: file.to_string_lossy().into_owned(), is_package: false }));
        }
        if is_folder {
            namespace.push(folder.to_string_lossy().into_owned());
        }
    }
    Ok((!namespace.is_empty()).then_some(Found::Namespace(namespace)))
}

/// A module written in Rust.
fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    if let Some((_, make)) = super::BUILTIN_MODULES.iter().find(|(n, _)| *n == name) {
        return make(vm).map(|m| Some(m.value()));
    }
    vm.hooks.clone().native_module(vm, name)
}

/// `__spec__`, `__file__` and so on of a module that was found.
fn set_attributes(vm: &Vm, module: Ref<Module>, name: &str, found: &Found) -> R<Ref<Ext<ModuleSpec>>> {
    let d = module.dict();
    let file = match found.file() {
        Some(f) => Some(vm.str(&f)?),
        None => None,
    };
    let locations = match found.is_package() {
        true => {
            let list = List::with_capacity(vm, 1)?;
            for p in found.search_locations(name) {
                list.push(vm, vm.str(&p)?)?;
            }
            Some(list.value())
        }
        // One that is written in Rust sets its path itself.
        false => d.get_str(vm, vm.names.__path__)?,
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
    let spec =
        ModuleSpec::new(vm, SpecParts { name, loader, origin, locations, has_location: file.is_some() })?;
    let package = spec.parent(vm)?;
    d.set_str(vm, vm.names.__spec__, spec.value())?;
    d.set_str(vm, vm.names.__loader__, loader)?;
    d.set_str(vm, vm.names.__package__, package)?;
    if let Some(f) = file {
        d.set_str(vm, vm.names.__file__, f)?;
    }
    if let Some(l) = locations {
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
    let done = match found.code(vm) {
        Ok(Some(code)) => run_code(vm, code, module.dict()).map(|_| ()),
        Ok(None) => Ok(()),
        Err(e) => Err(e),
    };
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
        text_of(p, "package")?
    } else if let Some(s) = spec {
        text_of(vm.get_attr_str(s, "parent")?, "__spec__.parent")?
    } else {
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

/// A module's code to be run as `__main__` (`-m`): its name, spec parts and code.
fn main_module(vm: &Vm, name: &str) -> R<(String, Found)> {
    if name.starts_with('.') {
        return Err(vm.import_error("Relative module names not supported"));
    }
    if matches!(name, "sys" | "builtins") {
        return Err(vm.import_error(format!("No code object available for {name}")));
    }
    if name.is_empty() {
        return Err(not_found(vm, name, "No module named "));
    }
    let path = match name.rsplit_once('.') {
        None => None,
        Some((parent, _)) => {
            let parent_module = import(vm, parent)?;
            match vm.find_attr(parent_module, vm.names.__path__)? {
                Some(p) => Some(p),
                None => {
                    let text = format!(
                        "Error while finding module specification for {} (ModuleNotFoundError: __path__ attribute not found on {} while trying to find {})",
                        quoted(vm, name),
                        quoted(vm, parent),
                        quoted(vm, name)
                    );
                    return Err(not_found(vm, name, &text));
                }
            }
        }
    };
    let Some(found) = find(vm, name, path)? else {
        return Err(not_found(vm, name, &format!("No module named {name}")));
    };
    if found.is_package() {
        let main = format!("{name}.__main__");
        return match name.ends_with("__main__") {
            true => Err(vm.import_error("Cannot use package as __main__ module")),
            false => main_module(vm, &main).map_err(|e| {
                if vm.catch(vm.exc.module_not_found_error).is_some() {
                    let text = format!(
                        "No module named {main}; {} is a package and cannot be directly executed",
                        quoted(vm, name)
                    );
                    return not_found(vm, &main, &text);
                }
                e
            }),
        };
    }
    Ok((name.to_string(), found))
}

/// What `run_main` runs.
pub enum Main<'a> {
    /// Source text and the name of its file; the flag is for a real file, which is in `__file__`.
    Source { text: &'a [u8], filename: &'a str, is_file: bool },
    /// `-m`.
    Module(&'a str),
}

/// Runs the program's main code as the module `__main__`. ImportError where it is not found.
pub fn run_main(vm: &Vm, what: Main<'_>) -> R<Value> {
    let (code, main) = main_code(vm, what)?;
    super::run_program(vm, code, main.dict())
}

/// The program's main code, compiled, and the module `__main__` that it is to run as.
pub fn main_code(vm: &Vm, what: Main<'_>) -> R<(Rc<Code>, Ref<Module>)> {
    let main = Module::new(vm, "__main__")?;
    modules(vm)?.set_name(vm, "__main__", main.value())?;
    let code = match what {
        Main::Source { text, filename, is_file } => {
            if is_file {
                main.dict().set_str(vm, vm.names.__file__, vm.str(filename)?)?;
                main.dict().set_name(vm, "__cached__", Value::NONE)?;
            }
            let what = Compile {
                source: text,
                filename,
                mode: Mode::Exec,
                optimize: vm.config.optimize,
                flags: 0,
                decoded: false,
            };
            let code = vm.hooks.clone().compile(vm, &what)?;
            if vm.config.command.is_some() {
                // There is one main program.
                let _ = vm.state::<MainCode>().0.set(code.clone());
            }
            code
        }
        Main::Module(name) => {
            let (name, found) = match main_module(vm, name) {
                Ok(f) => f,
                Err(e) => {
                    vm.state::<MainMissing>().0.set(vm.pending_is(vm.exc.import_error));
                    return Err(e);
                }
            };
            set_attributes(vm, main, &name, &found)?;
            if let (Some(sys), Some(file)) = (vm.sys_dict.get(), found.file())
                && let Some(argv) = sys.get_name(vm, "argv")?.and_then(|a| a.cast::<List>())
                && !argv.is_empty()
            {
                argv.store(vm, 0, vm.str(&file)?);
            }
            match found.code(vm)? {
                Some(code) => code,
                None => {
                    vm.state::<MainMissing>().0.set(true);
                    return Err(vm.import_error(format!("No code object available for {name}")));
                }
            }
        }
    };
    Ok((code, main))
}

/// The namespace of the module `__main__`, which is made if it is not there. MemoryError.
pub fn main_namespace(vm: &Vm) -> R<Ref<Dict>> {
    let modules = modules(vm)?;
    if let Some(main) = modules.get_name(vm, "__main__")?.and_then(|m| m.cast::<Module>()) {
        return Ok(main.dict());
    }
    let main = Module::new(vm, "__main__")?;
    modules.set_name(vm, "__main__", main.value())?;
    Ok(main.dict())
}

/// The code of `-c`. Its file has no place where its lines could be read again.
#[derive(Default)]
pub struct MainCode(std::cell::OnceCell<Rc<Code>>);

impl MainCode {
    /// Is this code that one, or part of it?
    pub fn contains(&self, code: &Code) -> bool {
        let mut queue: Vec<&Code> = self.0.get().map(|all| &**all).into_iter().collect();
        while let Some(part) = queue.pop() {
            if std::ptr::eq(part, code) {
                return true;
            }
            queue.extend(part.consts.iter().filter_map(|c| match c {
                Const::Code(inner) => Some(&**inner),
                _ => None,
            }));
        }
        false
    }
}

/// Whether the module of `-m` was not found, which the command line tells in one line.
#[derive(Default)]
pub struct MainMissing(pub std::cell::Cell<bool>);
