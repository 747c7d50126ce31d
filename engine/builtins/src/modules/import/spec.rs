//! `ModuleSpec`.

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// How a module is to be loaded, or was.
pub struct ModuleSpec {
    name: Field,
    loader: Field,
    origin: Field,
    loader_state: Field,
    submodule_search_locations: Field,
    cached: Field,
    /// Submodules whose import has begun: a list, made when it is asked for.
    uninitialized: Field,
    has_location: Cell<bool>,
    initializing: Cell<bool>,
}

impl Payload for ModuleSpec {
    const NAME: &'static str = "ModuleSpec";
    fn trace(&self, t: &mut Tracer<'_>) {
        let ModuleSpec {
            name,
            loader,
            origin,
            loader_state,
            submodule_search_locations,
            cached,
            uninitialized,
            has_location: _,
            initializing: _,
        } = self;
        for f in [name, loader, origin, loader_state, submodule_search_locations, cached, uninitialized] {
            f.trace(t);
        }
    }
}

/// What a spec is made of.
pub struct SpecParts {
    pub name: Value,
    pub loader: Value,
    pub origin: Option<Value>,
    pub locations: Option<Value>,
    pub has_location: bool,
}

#[derive(Default)]
struct State {
    ty: Cell<Option<Ref<Type>>>,
}

/// The type, made at the first use.
pub fn spec_type(vm: &Vm) -> R<Ref<Type>> {
    let state = vm.state::<State>();
    if let Some(t) = state.ty.get() {
        return Ok(t);
    }
    let t = vm.make_native_type(&DEF)?;
    state.ty.set(Some(t));
    Ok(t)
}

fn field(v: Option<Value>) -> Field {
    // SAFETY: a zeroed field is empty.
    let f: Field = unsafe { std::mem::zeroed() };
    f.init(v);
    f
}

impl ModuleSpec {
    fn with_type(vm: &Vm, ty: Ref<Type>, parts: SpecParts) -> R<Ref<Ext<ModuleSpec>>> {
        let payload = ModuleSpec {
            name: field(None),
            loader: field(None),
            origin: field(None),
            loader_state: field(None),
            submodule_search_locations: field(None),
            cached: field(None),
            uninitialized: field(None),
            has_location: Cell::new(parts.has_location),
            initializing: Cell::new(false),
        };
        let spec = Ext::new(vm, ty, payload)?;
        spec.name.init(parts.name);
        spec.loader.init(parts.loader);
        spec.origin.init(parts.origin);
        spec.submodule_search_locations.init(parts.locations);
        Ok(spec)
    }

    /// MemoryError.
    pub fn new(vm: &Vm, parts: SpecParts) -> R<Ref<Ext<ModuleSpec>>> {
        let ty = spec_type(vm)?;
        ModuleSpec::with_type(vm, ty, parts)
    }

    pub fn set_initializing(&self, on: bool) {
        self.initializing.set(on);
    }

    /// `__loader__`.
    pub fn loader(&self) -> Value {
        self.loader.or_none()
    }

    /// `__path__`.
    pub fn locations(&self) -> Option<Value> {
        self.submodule_search_locations.get().filter(|l| !l.is_none())
    }

    /// `__file__`.
    pub fn file(&self) -> Option<Value> {
        self.origin.get().filter(|_| self.has_location.get())
    }

    /// The package that the module is in, or is.
    pub fn parent(&self, vm: &Vm) -> R<Value> {
        if self.submodule_search_locations.get().is_some_and(|l| !l.is_none()) {
            return Ok(self.name.or_none());
        }
        let name = self.name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        vm.str(name.rsplit_once('.').map_or("", |(p, _)| p))
    }
}

native_type! {
    pub DEF: "_frozen_importlib.ModuleSpec", Kind::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "The specification for a module, used for loading.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, name, loader, *, origin=None, loader_state=None, is_package=None)" => init;
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => equal;
    }
    getset {
        "name" => |vm: &Vm, v: Value| get(vm, v, |s| &s.name), |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.name);
        "loader" => |vm: &Vm, v: Value| get(vm, v, |s| &s.loader), |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.loader);
        "origin" => |vm: &Vm, v: Value| get(vm, v, |s| &s.origin), |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.origin);
        "loader_state" => |vm: &Vm, v: Value| get(vm, v, |s| &s.loader_state), |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.loader_state);
        "submodule_search_locations" => |vm: &Vm, v: Value| get(vm, v, |s| &s.submodule_search_locations),
            |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.submodule_search_locations);
        "cached" => cached, |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.cached);
        "_cached" => |vm: &Vm, v: Value| get(vm, v, |s| &s.cached), |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.cached);
        "_uninitialized_submodules" => uninitialized, |vm: &Vm, v: Value, n: Option<Value>| set(vm, v, n, |s| &s.uninitialized);
        "parent" => |vm: &Vm, v: Value| this(vm, v)?.parent(vm);
        "has_location" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.has_location.get())),
            |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.has_location.set(vm.truth(n.unwrap_or(Value::FALSE))?); Ok(()) };
        "_set_fileattr" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.has_location.get())),
            |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.has_location.set(vm.truth(n.unwrap_or(Value::FALSE))?); Ok(()) };
        "_initializing" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.initializing.get())),
            |vm: &Vm, v: Value, n: Option<Value>| { this(vm, v)?.initializing.set(vm.truth(n.unwrap_or(Value::FALSE))?); Ok(()) };
    }
}

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<ModuleSpec>>> {
    v.cast().ok_or_else(|| {
        vm.type_error(format!(
            "descriptor requires a 'ModuleSpec' object but received a '{}'",
            vm.type_name(v)
        ))
    })
}

fn get(vm: &Vm, v: Value, f: impl Fn(&ModuleSpec) -> &Field) -> R<Value> {
    let spec = this(vm, v)?;
    Ok(f(&spec).or_none())
}

fn set(vm: &Vm, v: Value, new: Option<Value>, f: impl Fn(&ModuleSpec) -> &Field) -> R<()> {
    let spec = this(vm, v)?;
    f(&spec).set(vm, spec, new.unwrap_or(Value::NONE));
    Ok(())
}

/// Where the compiled form of a source file would be kept.
pub fn cached(vm: &Vm, v: Value) -> R<Value> {
    let spec = this(vm, v)?;
    if let Some(known) = spec.cached.get() {
        return Ok(known);
    }
    let origin = spec.origin.cast::<Str>().filter(|_| spec.has_location.get());
    let Some(origin) = origin.filter(|o| o.bytes().ends_with(b".py")) else { return Ok(Value::NONE) };
    let prefix = vm.sys_dict.get().map_or(Ok(None), |sys| sys.get_name(vm, "pycache_prefix"))?;
    let made = if prefix.is_some_and(|p| !p.is_none()) {
        let external = super::import(vm, "_frozen_importlib_external")?;
        vm.call(vm.get_attr_str(external, "cache_from_source")?, &[origin.value()])?
    } else {
        let path = std::path::PathBuf::from(origin.to_string_lossy().into_owned());
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let level = match vm.config.optimize {
            0 => String::new(),
            n => format!(".opt-{n}"),
        };
        let file = format!("{stem}.{}{level}.pyc", crate::modules::sys::CACHE_TAG);
        vm.str(&path.with_file_name("__pycache__").join(file).to_string_lossy())?
    };
    spec.cached.set(vm, spec, made);
    Ok(made)
}

fn uninitialized(vm: &Vm, v: Value) -> R<Value> {
    let spec = this(vm, v)?;
    if let Some(list) = spec.uninitialized.get() {
        return Ok(list);
    }
    let list = List::with_capacity(vm, 0)?.value();
    spec.uninitialized.set(vm, spec, list);
    Ok(list)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("ModuleSpec.__new__(X): X is not a type object"));
    };
    let parts = SpecParts {
        name: Value::NONE,
        loader: Value::NONE,
        origin: None,
        locations: None,
        has_location: false,
    };
    Ok(ModuleSpec::with_type(vm, ty, parts)?.value())
}

fn init(
    vm: &Vm,
    spec: skein_runtime::types::ext::ExtArg<ModuleSpec>,
    name: Value,
    loader: Value,
    origin: Option<Value>,
    state: Option<Value>,
    is_package: Option<bool>,
) -> R<()> {
    let spec = spec.0;
    spec.name.set(vm, spec, name);
    spec.loader.set(vm, spec, loader);
    spec.origin.set(vm, spec, origin);
    spec.loader_state.set(vm, spec, state);
    if is_package == Some(true) {
        let list = List::with_capacity(vm, 0)?;
        spec.submodule_search_locations.set(vm, spec, list.value());
    }
    Ok(())
}

/// The other may be a spec of the library's own class.
fn equal(vm: &Vm, spec: skein_runtime::types::ext::ExtArg<ModuleSpec>, other: Value) -> R<Value> {
    for name in ["name", "loader", "submodule_search_locations", "cached", "has_location"] {
        let name = vm.intern(name)?;
        let Some(theirs) = vm.find_attr(other, name)? else { return Ok(Value::NOT_IMPLEMENTED) };
        if !vm.eq(vm.get_attr(spec.0.value(), name)?, theirs)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn repr(vm: &Vm, spec: skein_runtime::types::ext::ExtArg<ModuleSpec>) -> R<String> {
    let spec = spec.0;
    let mut out = format!(
        "ModuleSpec(name={}, loader={}",
        vm.repr_string(spec.name.or_none())?,
        vm.repr_string(spec.loader.or_none())?
    );
    for (label, f) in
        [("origin", &spec.origin), ("submodule_search_locations", &spec.submodule_search_locations)]
    {
        if let Some(v) = f.get().filter(|v| !v.is_none()) {
            out.push_str(&format!(", {label}={}", vm.repr_string(v)?));
        }
    }
    out.push(')');
    Ok(out)
}
