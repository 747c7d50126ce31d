//! `_imp`: what the packaged `importlib` asks of the machine.

use crate::types::Like;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::code::load;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "lock_held()" => lock_held;
    "_override_frozen_modules_for_tests(override, /)" => |vm: &Vm, how: i64| vm.state::<Override>().0.set(how), "Use frozen modules (1), do not (-1), or as the program was started (0).";
    "_override_multi_interp_extensions_check(override, /)" => |_: &Vm, _: Value| 0i64;
    "acquire_lock()" => acquire_lock;
    "release_lock()" => release_lock;
    "is_builtin(name, /)" => is_builtin;
    "is_frozen(name, /)" => is_frozen;
    "is_frozen_package(name, /)" => |vm: &Vm, name: Ref<Str>| frozen(vm, name).map(|f| f.is_package), "Returns True if the module name is of a frozen package.";
    "get_frozen_object(name, data=None, /)" => get_frozen_object, "Create a code object for a frozen module.";
    "init_frozen(name, /)" => init_frozen, "Initializes a frozen module.";
    "_frozen_module_names()" => frozen_names, "Returns the list of available frozen modules.";
    "create_builtin(spec, /)" => create_builtin;
    "exec_builtin(mod, /)" => exec_builtin;
    "create_dynamic(spec, file=None, /)" => create_dynamic, "Create an extension module.";
    "exec_dynamic(mod, /)" => exec_builtin;
    "extension_suffixes()" => extension_suffixes;
    "_fix_co_filename(code, path, /)" => fix_co_filename;
    "find_frozen(name, /, *, withdata=False)" => find_frozen;
    "source_hash(key, source)" => source_hash;
}

/// A context has the isolate for itself while it imports: nothing to lock.
fn lock_held(_: &Vm) -> bool {
    false
}

fn acquire_lock(_: &Vm) {}

fn release_lock(_: &Vm) {}

fn is_builtin(vm: &Vm, name: Ref<Str>) -> i64 {
    let name = name.to_string_lossy();
    let own = super::super::BUILTIN_MODULES.iter().any(|(n, _)| *n == name);
    i64::from(own || vm.hooks.clone().native_module_names().iter().any(|n| *n == name))
}

/// What tests have said of frozen modules.
#[derive(Default)]
struct Override(std::cell::Cell<i64>);

/// A module of the packaged library that is there as a frozen one too.
struct Frozen {
    name: &'static str,
    /// The packaged module whose code it has.
    code: &'static str,
    is_package: bool,
    /// What its spec says that it is.
    original: Option<&'static str>,
}

/// The import system, and the modules by which freezing is tried out.
const FROZEN: &[Frozen] = &[
    Frozen::module("_frozen_importlib", "importlib._bootstrap"),
    Frozen::module("_frozen_importlib_external", "importlib._bootstrap_external"),
    Frozen::module("zipimport", "zipimport"),
    Frozen::module("__hello__", "__hello__"),
    Frozen::module("__hello_alias__", "__hello__"),
    Frozen::package("__phello_alias__", "__hello__"),
    Frozen::module("__phello_alias__.spam", "__hello__"),
    Frozen::package("__phello__", "__phello__"),
    Frozen { original: Some("<__phello__"), ..Frozen::module("__phello__.__init__", "__phello__") },
    Frozen::package("__phello__.ham", "__phello__.ham"),
    Frozen {
        original: Some("<__phello__.ham"),
        ..Frozen::module("__phello__.ham.__init__", "__phello__.ham")
    },
    Frozen::module("__phello__.ham.eggs", "__phello__.ham.eggs"),
    Frozen::module("__phello__.spam", "__phello__.spam"),
    Frozen { original: None, ..Frozen::module("__hello_only__", "__hello__") },
];

impl Frozen {
    const fn module(name: &'static str, code: &'static str) -> Frozen {
        Frozen { name, code, is_package: false, original: Some(code) }
    }

    const fn package(name: &'static str, code: &'static str) -> Frozen {
        Frozen { is_package: true, ..Frozen::module(name, code) }
    }

    fn find(vm: &Vm, name: Ref<Str>) -> Option<&'static Frozen> {
        let essential = |name: &str| name.starts_with("_frozen_") || name == "zipimport";
        let unwanted = vm.state::<Override>().0.get() < 0;
        FROZEN.iter().find(|f| f.name.as_bytes() == name.bytes() && (!unwanted || essential(f.name)))
    }

    fn load(&self, vm: &Vm) -> R<Value> {
        match vm.hooks.clone().packaged_module(vm, self.code)? {
            Some((code, _)) => Ok(load(vm, code)?.value()),
            None => Err(vm.import_error(format!("the packaged library has no {}", self.code))),
        }
    }
}

/// ImportError: it is not frozen.
fn frozen(vm: &Vm, name: Ref<Str>) -> R<&'static Frozen> {
    match Frozen::find(vm, name) {
        Some(f) => Ok(f),
        None => {
            let text = format!("No such frozen object named {}", vm.repr_string(name.value())?);
            let raised = vm.import_error(text);
            Err(super::with_import_name(vm, raised, &name.to_string_lossy()))
        }
    }
}

/// Of the import system, one that is there already counts if it came from here: the others have their places in the packaged
/// library.
fn is_frozen(vm: &Vm, name: Ref<Str>) -> R<bool> {
    let Some(found) = Frozen::find(vm, name) else { return Ok(false) };
    if found.name.starts_with("__") {
        return Ok(true);
    }
    let Some(m) = super::modules(vm)?.get_str(vm, name)? else { return Ok(true) };
    let Some(spec) = vm.find_attr(m, vm.intern("__spec__")?)? else { return Ok(false) };
    let state = vm.find_attr(spec, vm.intern("loader_state")?)?;
    Ok(state.is_some_and(|s| !s.is_none()))
}

fn get_frozen_object(vm: &Vm, name: Ref<Str>, data: Option<Value>) -> R<Value> {
    match data.filter(|d| !d.is_none()) {
        Some(data) => vm.call_method(super::import(vm, "marshal")?, "loads", &[data]),
        None => frozen(vm, name)?.load(vm),
    }
}

fn init_frozen(vm: &Vm, name: Ref<Str>) -> R<Value> {
    let Some(f) = Frozen::find(vm, name) else { return Ok(Value::NONE) };
    let m = Module::new(vm, f.name)?;
    if f.is_package {
        m.dict().set_name(vm, "__path__", List::new(vm, &[])?.value())?;
    }
    super::modules(vm)?.set_str(vm, name, m.value())?;
    let exec = vm.builtin("exec")?;
    vm.call(exec, &[f.load(vm)?, m.dict().value()])?;
    Ok(m.value())
}

fn frozen_names(vm: &Vm) -> R<Ref<List>> {
    let names = List::with_capacity(vm, FROZEN.len())?;
    for f in FROZEN {
        names.push(vm, vm.str(f.name)?)?;
    }
    Ok(names)
}

fn create_builtin(vm: &Vm, spec: Value) -> R<Value> {
    let name = vm.str_string(vm.get_attr(spec, vm.names.name)?)?;
    Ok(super::native_module(vm, &name)?.unwrap_or(Value::NONE))
}

fn exec_builtin(_: &Vm, _module: Value) -> i64 {
    0
}

/// What a compiled module's file ends with, behind the module's name.
pub fn extension_suffix() -> String {
    format!(".skein-314-{}-linux-gnu.so", std::env::consts::ARCH)
}

fn extension_suffixes(vm: &Vm) -> R<Ref<List>> {
    List::new(vm, &[vm.str(&extension_suffix())?])
}

/// Modules that cffi has generated, which need no C interface, are all that there are.
fn create_dynamic(vm: &Vm, spec: Value, _file: Option<Value>) -> R<Value> {
    vm.call_method(super::import(vm, "_cffi_backend._compiled")?, "load", &[spec])
}

/// Code objects keep the name they were compiled with.
fn fix_co_filename(_: &Vm, _code: Value, _path: Value) {}

/// (data, is it a package, original name), or None.
fn find_frozen(vm: &Vm, name: Ref<Str>, with_data: Option<bool>) -> R<Value> {
    let Some(f) = Frozen::find(vm, name) else { return Ok(Value::NONE) };
    let data = if with_data.unwrap_or(false) {
        let dumped = vm.call_method(super::import(vm, "marshal")?, "dumps", &[f.load(vm)?])?;
        vm.call(vm.types.memoryview.value(), &[dumped])?
    } else {
        Value::NONE
    };
    let original = f.original.map_or(Ok(Value::NONE), |o| vm.str(o))?;
    vm.tuple(&[data, Value::bool(f.is_package), original])
}

/// Tells a compiled file's source from others.
fn source_hash(vm: &Vm, key: i64, source: Like) -> R<Value> {
    vm.bytes(&sip_hash(key as u64, &source).to_le_bytes())
}

/// SipHash-1-3 with a key of one word (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
fn sip_hash(key: u64, bytes: &[u8]) -> u64 {
    fn round(v: &mut [u64; 4]) {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }
    let mut v = [
        0x736f_6d65_7073_6575 ^ key,
        0x646f_7261_6e64_6f6d,
        0x6c79_6765_6e65_7261 ^ key,
        0x7465_6462_7974_6573,
    ];
    let words = bytes.chunks_exact(8);
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    last[7] = bytes.len() as u8;
    for word in words.chain([&last[..]]) {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        let word = u64::from_le_bytes(eight);
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    (0..3).for_each(|_| round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

/// What compiled files begin with: a number that changes with the ops and with the form in which codes are written, and a
/// line end, by which files that were copied as text are told.
pub const MAGIC_NUMBER: i64 = {
    let form = (skein_bytecode::FORMAT_VERSION as u64).wrapping_mul(0x9e37);
    ((skein_bytecode::table_hash() ^ form) & 0xffff) as i64 | 0x0a0d << 16
};

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "_imp")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    m.dict().set_name(vm, "check_hash_based_pycs", vm.str("default")?)?;
    m.dict().set_name(vm, "pyc_magic_number_token", Value::small_int(MAGIC_NUMBER))?;
    Ok(m)
}
