//! The native finder and loaders, as `importlib` and `sys.meta_path` see them.

use super::{Found, compile_file, run_code};
use skein_bytecode::CodeRef;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::code::load;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The one entry that `sys.meta_path` has from the start.
pub struct Finder;

impl Payload for Finder {
    const NAME: &'static str = "PathFinder";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

/// Loader of a module from a file or the packaged library.
pub struct Loader {
    name: Field,
    path: Field,
    is_package: Cell<bool>,
}

impl Payload for Loader {
    const NAME: &'static str = "SourceFileLoader";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Loader { name, path, is_package: _ } = self;
        name.trace(t);
        path.trace(t);
    }
}

#[derive(Default)]
struct State {
    finder: Cell<Option<Ref<Type>>>,
    loader: Cell<Option<Ref<Type>>>,
}

/// The finder's type; also the loader of built-in modules.
pub fn finder_type(vm: &Vm) -> R<Ref<Type>> {
    let state = vm.state::<State>();
    if let Some(t) = state.finder.get() {
        return Ok(t);
    }
    let t = vm.make_native_type(&FINDER)?;
    state.finder.set(Some(t));
    Ok(t)
}

fn loader_type(vm: &Vm) -> R<Ref<Type>> {
    let state = vm.state::<State>();
    if let Some(t) = state.loader.get() {
        return Ok(t);
    }
    let t = vm.make_native_type(&LOADER)?;
    state.loader.set(Some(t));
    Ok(t)
}

/// The finder for `sys.meta_path`.
pub fn new_finder(vm: &Vm) -> R<Value> {
    let ty = finder_type(vm)?;
    Ok(Ext::new(vm, ty, Finder)?.value())
}

native_type! {
    pub FINDER: "_frozen_importlib.BuiltinImporter", Kind::Ext, type_flags::NO_NEW,
        "Finder of built-in modules, of the packaged library, and of files on sys.path.";
    methods {
        [static] "find_spec(fullname, path=None, target=None)" => find_spec;
        [static] "invalidate_caches()" => invalidate_caches;
        [static] "find_distributions(*args, **kwargs)" => find_distributions, "Find distributions on the path that a context names.";
        [static] "create_module(spec)" => create_builtin;
        [static] "exec_module(module)" => exec_builtin;
        [static] "is_package(fullname)" => builtin_is_package;
        [static] "get_code(fullname)" => builtin_nothing;
        [static] "get_source(fullname)" => builtin_nothing;
    }
}

native_type! {
    pub LOADER: "_frozen_importlib_external.SourceFileLoader", Kind::Ext, type_flags::NO_NEW,
        "Loader of a module from its file.";
    methods {
        "create_module($self, spec)" => create_module;
        "exec_module($self, module)" => exec_module;
        "get_filename($self, name=None)" => get_filename;
        "is_package($self, name=None)" => is_package;
        "get_code($self, name=None)" => get_code;
        "get_source($self, name=None)" => get_source;
        "get_data($self, path)" => get_data;
        "get_resource_reader($self, name)" => get_resource_reader;
        "__eq__($self, value, /)" => equal;
        "__hash__($self, /)" => |vm: &Vm, l: ExtArg<Loader>| -> R<i64> { Ok(vm.hash(l.0.name.or_none())? ^ vm.hash(l.0.path.or_none())?) };
        "__repr__($self, /)" => repr;
    }
    getset {
        "name" => |vm: &Vm, v: Value| Ok(this(vm, v)?.name.or_none());
        "path" => |vm: &Vm, v: Value| Ok(this(vm, v)?.path.or_none());
    }
}

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<Loader>>> {
    v.cast().ok_or_else(|| vm.type_error(format!("not a module loader: '{}'", vm.type_name(v))))
}

pub fn find_spec(vm: &Vm, fullname: Ref<Str>, path: Option<Value>, _target: Option<Value>) -> R<Value> {
    let name = fullname.to_string_lossy().into_owned();
    match super::find(vm, &name, path.filter(|p| !p.is_none()))? {
        Some(found) => super::spec_of(vm, &name, &found),
        None => Ok(Value::NONE),
    }
}

/// As [`find_spec`], in one entry of a path: a package without files is told as what may be a part of one.
pub fn find_in_entry(vm: &Vm, fullname: Ref<Str>, path: Value, _target: Option<Value>) -> R<Value> {
    let name = fullname.to_string_lossy().into_owned();
    match super::find(vm, &name, Some(path))? {
        Some(Found::Namespace(portions)) => super::portions_spec(vm, &name, &portions),
        Some(found) => super::spec_of(vm, &name, &found),
        None => Ok(Value::NONE),
    }
}

/// Calls a function of the finder that the library has in Python.
fn of_path_finder(vm: &Vm, name: &str, args: Args<'_>) -> R<Value> {
    let external = super::import(vm, "_frozen_importlib_external")?;
    let finder = vm.get_attr_str(external, "PathFinder")?;
    vm.call_args(vm.get_attr_str(finder, name)?, args)
}

/// By the library's module for what is packed with it: `greenlet` is a distribution that is in no folder.
fn find_distributions(vm: &Vm, args: Args<'_>) -> R<Value> {
    let packed = super::import(vm, "skein.packed")?;
    vm.call_args(vm.get_attr_str(packed, "find_distributions")?, args)
}

fn invalidate_caches(vm: &Vm) -> R<()> {
    of_path_finder(vm, "invalidate_caches", Args::new(&[], None)).map(|_| ())
}

fn create_builtin(vm: &Vm, spec: Value) -> R<Value> {
    let name = vm.str_string(vm.get_attr(spec, vm.names.name)?)?;
    match super::native_module(vm, &name)? {
        Some(m) => Ok(m),
        None => Err(super::not_found(vm, &name, &format!("'{name}' is not a built-in module"))),
    }
}

fn exec_builtin(_: &Vm, _module: Value) {}

fn builtin_is_package(_: &Vm, _name: Value) -> bool {
    false
}

fn builtin_nothing(_: &Vm, _name: Value) {}

impl Loader {
    /// The loader of what was found; None for a namespace package. MemoryError.
    pub fn of(vm: &Vm, name: &str, found: &Found) -> R<Value> {
        let Some(file) = found.file() else { return Ok(Value::NONE) };
        let (name, path) = (vm.str(name)?, vm.str(&file)?);
        // Programs that have the import system in Python at hand see its loaders.
        if let Found::File { .. } = found
            && let Some(external) = super::modules(vm)?.get_name(vm, "_frozen_importlib_external")?
        {
            let class = vm.get_attr_str(external, "SourceFileLoader")?;
            return vm.call(class, &[name, path]);
        }
        let ty = loader_type(vm)?;
        // SAFETY: zeroed fields are empty.
        let (name_field, path_field) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let payload =
            Loader { name: name_field, path: path_field, is_package: Cell::new(found.is_package()) };
        let loader = Ext::new(vm, ty, payload)?;
        loader.name.init(name);
        loader.path.init(path);
        Ok(loader.value())
    }

    fn path_string(&self) -> String {
        self.path.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn code(&self, vm: &Vm) -> R<CodeRef> {
        let path = self.path_string();
        if path.starts_with('<') || vm.within_library(&path).is_some() {
            let name = self.name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            return match vm.hooks.clone().packaged_module(vm, &name)? {
                Some((code, _)) => Ok(code),
                None => Err(super::not_found(vm, &name, &format!("No module named '{name}'"))),
            };
        }
        compile_file(vm, &path)
    }
}

fn create_module(_: &Vm, _this: ExtArg<Loader>, _spec: Value) {}

fn exec_module(vm: &Vm, this: ExtArg<Loader>, module: Ref<Module>) -> R<()> {
    let code = this.0.code(vm)?;
    run_code(vm, code, module.dict()).map(|_| ())
}

fn get_filename(_: &Vm, this: ExtArg<Loader>, _name: Option<Value>) -> Value {
    this.0.path.or_none()
}

fn is_package(_: &Vm, this: ExtArg<Loader>, _name: Option<Value>) -> bool {
    this.0.is_package.get()
}

fn get_code(vm: &Vm, this: ExtArg<Loader>, _name: Option<Value>) -> R<Value> {
    Ok(load(vm, this.0.code(vm)?)?.value())
}

fn get_source(vm: &Vm, this: ExtArg<Loader>, _name: Option<Value>) -> R<Value> {
    let path = this.0.path_string();
    if path.starts_with('<') || vm.within_library(&path).is_some() {
        return match vm.hooks.clone().packaged_source(vm, &path) {
            Some(s) => vm.str(&s),
            None => Ok(Value::NONE),
        };
    }
    let bytes = std::fs::read(&path).map_err(|e| vm.os_error_of(&e, Some(&path)))?;
    match String::from_utf8(bytes) {
        Ok(s) => vm.str(s.trim_start_matches('\u{feff}')),
        Err(_) => Err(vm.unsupported("the source text of modules that are not UTF-8")),
    }
}

fn get_data(vm: &Vm, _this: ExtArg<Loader>, path: Ref<Str>) -> R<Value> {
    let path = path.to_string_lossy().into_owned();
    if vm.within_library(&path).is_some() {
        return match vm.hooks.clone().packaged_file(vm, &path) {
            Some(bytes) => vm.bytes(&bytes),
            None => Err(vm.os_error(libc::ENOENT, Some(vm.str(&path)?))),
        };
    }
    let bytes = std::fs::read(&path).map_err(|e| vm.os_error_of(&e, Some(&path)))?;
    vm.bytes(&bytes)
}

/// What `importlib.resources` reads a package's files with; those of the packaged library are in no folder.
fn get_resource_reader(vm: &Vm, this: ExtArg<Loader>, name: Value) -> R<Value> {
    if vm.within_library(&this.0.path_string()).is_some() {
        if !this.0.is_package.get() {
            return Ok(Value::NONE);
        }
        let packed = super::import(vm, "skein.packed")?;
        return vm.call(vm.get_attr_str(packed, "Reader")?, &[name]);
    }
    let readers = super::import(vm, "importlib.readers")?;
    vm.call(vm.get_attr_str(readers, "FileReader")?, &[this.0.value()])
}

fn equal(vm: &Vm, this: ExtArg<Loader>, other: Value) -> R<Value> {
    let Some(other) = other.cast::<Ext<Loader>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let same = vm.eq(this.0.name.or_none(), other.name.or_none())?
        && vm.eq(this.0.path.or_none(), other.path.or_none())?;
    Ok(Value::bool(same))
}

fn repr(vm: &Vm, this: ExtArg<Loader>) -> R<String> {
    let (name, path) = (vm.repr_string(this.0.name.or_none())?, vm.repr_string(this.0.path.or_none())?);
    Ok(format!("<SourceFileLoader({name}, {path})>"))
}
