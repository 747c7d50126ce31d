//! The module `sys`.

use crate::struct_sequence;
use skein_runtime::interp::{Frames, frame_code};
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

use super::structseq::{self, Lazy};

/// `sys.implementation.cache_tag`: a part of the names of compiled files.
pub const CACHE_TAG: &str = "skein-314";

/// The language version that programs see.
pub const VERSION: (i64, i64, i64) = (3, 14, 0);

/// The text of `sys.version`: one line, as since Python 3.10.
pub fn version_text() -> String {
    let (major, minor, micro) = VERSION;
    format!("{major}.{minor}.{micro} (Skein {}, {ARCH}) [Rust]", env!("CARGO_PKG_VERSION"))
}

#[cfg(target_arch = "x86_64")]
const ARCH: &str = "x86_64";
#[cfg(target_arch = "aarch64")]
const ARCH: &str = "aarch64";

native_functions! { JIT_FUNCTIONS:
    "is_available()" => |vm: &Vm| vm.hooks.tier().is_available(), "Return True if the current Python executable supports JIT compilation.";
    "is_enabled()" => |vm: &Vm| vm.hooks.tier().is_enabled(), "Return True if JIT compilation is enabled for the current Python process.";
    "is_active()" => |vm: &Vm| {
        let frame = skein_runtime::interp::Walk::running(vm).next();
        frame.is_some_and(|f| vm.hooks.tier().is_active(frame_code(f.base)))
    }, "Return True if the topmost Python frame is currently executing JIT code.";
}

native_functions! { pub FUNCTIONS:
    "_get_cpu_count_config()" => cpu_count_config, "Private function for getting PyConfig.cpu_count";
    "getrecursionlimit()" => getrecursionlimit, "Return the current value of the recursion limit.";
    "setrecursionlimit(limit, /)" => setrecursionlimit, "Set the maximum depth of the Python interpreter stack to n.";
    "intern(string, /)" => intern, "``Intern'' the given string.";
    "exit(status=None, /)" => exit, "Exit the interpreter by raising SystemExit(status).";
    "exc_info()" => exc_info, "Return current exception information: (type, value, traceback).";
    "exception()" => exception, "Return the current exception.";
    "getdefaultencoding()" => getdefaultencoding;
    "getfilesystemencoding()" => getdefaultencoding;
    "getfilesystemencodeerrors()" => getfilesystemencodeerrors;
    "getsizeof(object, default=None)" => getsizeof, "Return the size of object in bytes.";
    "getrefcount(object, /)" => getrefcount;
    "_getframe(depth=0, /)" => getframe, "Return a frame object from the call stack.";
    "_current_frames()" => current_frames, "Return a dict mapping each thread's thread id to its current stack frame.";
    "_current_exceptions()" => current_exceptions, "Return a dict mapping each thread's identifier to its current raised exception.";
    "_getframemodulename(depth=0)" => getframemodulename;
    "getswitchinterval()" => getswitchinterval;
    "setswitchinterval(interval, /)" => setswitchinterval;
    "is_finalizing()" => is_finalizing;
    "_is_gil_enabled()" => is_gil_enabled;
    "_is_interned(string, /)" => is_interned;
    "get_int_max_str_digits()" => get_int_max_str_digits;
    "set_int_max_str_digits(maxdigits)" => set_int_max_str_digits;
    "audit(event, /, *args)" => super::audit::audit_event;
    "addaudithook(hook)" => super::audit::add_hook;
    "getallocatedblocks()" => getallocatedblocks;
    "_clear_type_cache()" => clear_type_cache;
    "_clear_type_descriptors(type, /)" => clear_type_descriptors;
    "_clear_internal_caches()" => clear_caches;
    "getunicodeinternedsize()" => getunicodeinternedsize;
}

struct_sequence! { VERSION_INFO: "sys.version_info", "Version information as a named tuple.";
"major" 0, "minor" 1, "micro" 2, "releaselevel" 3, "serial" 4 }
struct_sequence! { FLAGS: "sys.flags", "Flags provided through command line arguments or environment vars.";
"debug" 0, "inspect" 1, "interactive" 2, "optimize" 3, "dont_write_bytecode" 4, "no_user_site" 5, "no_site" 6,
"ignore_environment" 7, "verbose" 8, "bytes_warning" 9, "quiet" 10, "hash_randomization" 11, "isolated" 12,
"dev_mode" 13, "utf8_mode" 14, "warn_default_encoding" 15, "safe_path" 16, "int_max_str_digits" 17 }
struct_sequence! { FLOAT_INFO: "sys.float_info", "Limits of the float type.";
"max" 0, "max_exp" 1, "max_10_exp" 2, "min" 3, "min_exp" 4, "min_10_exp" 5, "dig" 6, "mant_dig" 7, "epsilon" 8,
"radix" 9, "rounds" 10 }
struct_sequence! { INT_INFO: "sys.int_info", "Internal representation of integers.";
"bits_per_digit" 0, "sizeof_digit" 1, "default_max_str_digits" 2, "str_digits_check_threshold" 3 }
struct_sequence! { HASH_INFO: "sys.hash_info", "Parameters used for hashing.";
"width" 0, "modulus" 1, "inf" 2, "nan" 3, "imag" 4, "algorithm" 5, "hash_bits" 6, "seed_bits" 7, "cutoff" 8 }
struct_sequence! { THREAD_INFO: "sys.thread_info", "Information about the thread implementation.";
"name" 0, "lock" 1, "version" 2 }

/// What `-X cpu_count` or the environment say; -1 without.
fn cpu_count_config(vm: &Vm) -> i64 {
    let option = vm.config.x_options.iter().rev().find(|(name, _)| name == "cpu_count");
    let given = option.and_then(|(_, n)| n.clone()).or_else(|| std::env::var("PYTHON_CPU_COUNT").ok());
    given.and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(-1)
}

fn getrecursionlimit(vm: &Vm) -> usize {
    vm.recursion_limit.get()
}

fn setrecursionlimit(vm: &Vm, limit: i32) -> R<()> {
    if limit < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    let depth = Frames::running(vm).count();
    if depth as i64 >= i64::from(limit) {
        return Err(vm.recursion_error(format!(
            "cannot set the recursion limit to {limit} at the recursion depth {depth}: the limit is too low"
        )));
    }
    vm.recursion_limit.set(limit as usize);
    skein_runtime::interp::apply_recursion_limit(vm);
    Ok(())
}

fn intern(vm: &Vm, s: Value) -> R<Value> {
    match s.cast::<Str>() {
        Some(s) if vm.is_exact_str(s.value()) => Ok(vm.intern_str(s).value()),
        Some(_) => Err(vm.type_error(format!("can't intern {}", vm.type_name(s)))),
        None => Err(vm.type_error(format!("intern() argument must be str, not {}", vm.type_name(s)))),
    }
}

fn is_interned(_: &Vm, s: Ref<Str>) -> bool {
    s.is_interned()
}

fn exit(vm: &Vm, status: Option<Value>) -> R<()> {
    let status = status.unwrap_or(Value::NONE);
    let e = match status {
        Value::NONE => vm.construct(vm.exc.system_exit, Args::new(&[], None))?,
        s => match s.cast::<skein_runtime::types::tuple::Tuple>() {
            Some(t) => vm.construct(vm.exc.system_exit, Args::new(t.items(), None))?,
            None => vm.construct(vm.exc.system_exit, Args::new(&[s], None))?,
        },
    };
    Err(vm.raise(e))
}

fn handled(vm: &Vm) -> Value {
    vm.context().handled.get().unwrap_or(Value::NONE)
}

fn exception(vm: &Vm) -> Value {
    handled(vm)
}

fn exc_info(vm: &Vm) -> R<Value> {
    let e = handled(vm);
    match e.cast::<Exception>() {
        Some(x) => vm.tuple(&[vm.type_of(e).value(), e, x.traceback.or_none()]),
        None => vm.tuple(&[Value::NONE; 3]),
    }
}

fn getdefaultencoding(_: &Vm) -> &'static str {
    "utf-8"
}

fn getfilesystemencodeerrors(_: &Vm) -> &'static str {
    "surrogateescape"
}

fn getsizeof(vm: &Vm, v: Value, default: Option<Value>) -> R<Value> {
    let ty = vm.type_of(v);
    match ty.lookup(vm, vm.intern("__sizeof__")?) {
        Some(f) => vm.call(vm.bind(f, v, ty)?, &[]),
        None => match default {
            Some(d) => Ok(d),
            None => Err(vm.type_error(format!("Type {} doesn't define __sizeof__", ty.name_string()))),
        },
    }
}

/// What CPython says of its immortal objects: a number that tells nothing of references.
fn getrefcount(_: &Vm, _v: Value) -> i64 {
    3 << 30
}

fn getframe(vm: &Vm, depth: Option<i32>) -> R<Value> {
    let depth = depth.unwrap_or(0).max(0) as usize;
    match skein_runtime::interp::frame_at_depth(vm, depth)? {
        Some(f) => {
            vm.audit("sys._getframe", || vm.tuple(&[f.value()]))?;
            Ok(f.value())
        }
        None => Err(vm.value_error("call stack is not deep enough")),
    }
}

fn getframemodulename(vm: &Vm, depth: Option<i32>) -> R<Value> {
    vm.audit("sys._getframemodulename", || vm.tuple(&[Value::small_int(depth.unwrap_or(0).into())]))?;
    let Some(f) = Frames::running(vm).nth(depth.unwrap_or(0).max(0) as usize) else { return Ok(Value::NONE) };
    let name = f.function().globals().get_str(vm, vm.names.__name__)?;
    Ok(name.unwrap_or(Value::NONE))
}

fn current_frames(vm: &Vm) -> R<Value> {
    vm.audit("sys._current_frames", || vm.tuple(&[]))?;
    let frames = Dict::new(vm)?;
    for thread in vm.threads.all() {
        let running = thread.serial == vm.threads.current().serial;
        let owner = if running { vm.switcher().running() } else { thread.parked_switcher().running() };
        // One that has not begun has none.
        if let Some(f) = skein_runtime::interp::innermost_frame(vm, owner)? {
            frames.set(vm, vm.int_u64(thread.ident())?, f.value())?;
        }
    }
    Ok(frames.value())
}

fn current_exceptions(vm: &Vm) -> R<Value> {
    vm.audit("sys._current_exceptions", || vm.tuple(&[]))?;
    let exceptions = Dict::new(vm)?;
    for thread in vm.threads.all() {
        let running = thread.serial == vm.threads.current().serial;
        let ctx = if running { vm.ctx.get() } else { thread.standing().0 };
        // SAFETY: the context that runs, or ran when the thread stopped, is alive.
        let handled = unsafe { (*ctx).handled.get() };
        exceptions.set(vm, vm.int_u64(thread.ident())?, handled.unwrap_or(Value::NONE))?;
    }
    Ok(exceptions.value())
}

fn getswitchinterval(vm: &Vm) -> f64 {
    vm.threads.gil().interval().as_micros() as f64 / 1e6
}

fn setswitchinterval(vm: &Vm, interval: f64) -> R<()> {
    if interval.is_nan() || interval <= 0.0 {
        return Err(vm.value_error("switch interval must be strictly positive"));
    }
    let interval = std::time::Duration::try_from_secs_f64(interval).unwrap_or(std::time::Duration::MAX);
    vm.threads.gil().set_interval(interval);
    Ok(())
}

fn is_finalizing(vm: &Vm) -> bool {
    vm.finalizing.get()
}

fn is_gil_enabled(_: &Vm) -> bool {
    true
}

/// The longest decimal text of an int that conversions take.
pub struct IntMaxDigits(pub std::cell::Cell<i64>);
impl Default for IntMaxDigits {
    fn default() -> Self {
        IntMaxDigits(std::cell::Cell::new(DEFAULT_MAX_DIGITS))
    }
}
const DEFAULT_MAX_DIGITS: i64 = 4300;
pub const MAX_DIGITS_THRESHOLD: i64 = 640;

fn get_int_max_str_digits(vm: &Vm) -> i64 {
    vm.state::<IntMaxDigits>().0.get()
}

fn set_int_max_str_digits(vm: &Vm, n: i32) -> R<()> {
    if n != 0 && i64::from(n) < MAX_DIGITS_THRESHOLD {
        return Err(vm.value_error(format!("maxdigits must be 0 or larger than {MAX_DIGITS_THRESHOLD}")));
    }
    vm.state::<IntMaxDigits>().0.set(n.into());
    Ok(())
}

fn getallocatedblocks(vm: &Vm) -> usize {
    let mut n = 0;
    vm.heap.for_each_object(&mut |_| n += 1);
    n
}

/// Takes the descriptors of `__dict__` and `__weakref__` from a class, for one that is made anew with slots.
fn clear_type_descriptors(vm: &Vm, ty: Ref<skein_runtime::types::typeobj::Type>) -> R<()> {
    for name in ["__dict__", "__weakref__"] {
        ty.dict().delete_str(vm, vm.intern(name)?)?;
    }
    ty.modified(vm);
    Ok(())
}

fn clear_type_cache(vm: &Vm) -> R<()> {
    let text = "sys._clear_type_cache() is deprecated and may be removed in a future version of Python. \
                Use sys._clear_internal_caches() instead.";
    vm.warn(vm.exc.deprecation_warning, text)?;
    clear_caches(vm);
    Ok(())
}

fn clear_caches(vm: &Vm) {
    for entry in &vm.method_cache {
        entry.clear();
    }
}

fn getunicodeinternedsize(vm: &Vm) -> usize {
    let mut n = 0;
    vm.heap.for_each_object(&mut |h| {
        // SAFETY: the heap's objects are live while it walks over them.
        n += usize::from(unsafe { &*h }.kind.get() == skein_runtime::object::Kind::Str as u8);
    });
    n
}

/// The struct sequence types, made once.
#[derive(Default)]
struct State {
    version_info: Lazy,
    flags: Lazy,
    float_info: Lazy,
    int_info: Lazy,
    hash_info: Lazy,
    thread_info: Lazy,
}

fn ints(vm: &Vm, numbers: &[i64]) -> R<Ref<List>> {
    let list = List::with_capacity(vm, numbers.len())?;
    for &n in numbers {
        list.push(vm, vm.int(n)?)?;
    }
    Ok(list)
}

fn strings<'a>(vm: &Vm, texts: impl IntoIterator<Item = &'a str>) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 0)?;
    for t in texts {
        list.push(vm, vm.str(t)?)?;
    }
    Ok(list)
}

fn add_structs(vm: &Vm, d: Ref<Dict>) -> R<()> {
    let state = vm.state::<State>();
    let (major, minor, micro) = VERSION;
    let row = ints(vm, &[major, minor, micro])?;
    row.push(vm, vm.str("final")?)?;
    row.push(vm, Value::small_int(0))?;
    let ty = state.version_info.get(vm, &VERSION_INFO)?;
    let version_info = structseq::make(vm, ty, row.items(), &[])?;
    d.set_name(vm, "version_info", version_info)?;

    let c = &vm.config;
    let flag = |b: bool| i64::from(b);
    let row = ints(
        vm,
        &[
            0,
            flag(c.inspect),
            flag(c.interactive),
            c.optimize.into(),
            flag(c.dont_write_bytecode),
            flag(c.no_user_site || c.isolated),
            flag(c.no_site),
            flag(c.ignore_environment || c.isolated),
            c.verbose.into(),
            c.bytes_warning.into(),
            flag(c.quiet),
            flag(c.hash_seed != Some(0)),
            flag(c.isolated),
            0,
            flag(c.utf8_mode),
            flag(c.warn_default_encoding),
            0,
            vm.state::<IntMaxDigits>().0.get(),
        ],
    )?;
    row.store(vm, 13, Value::bool(c.dev_mode));
    row.store(vm, 16, Value::bool(c.safe_path || c.isolated));
    let ty = state.flags.get(vm, &FLAGS)?;
    // These have names only.
    let more = ["gil", "thread_inherit_context", "context_aware_warnings"];
    let more = more.map(|name| (name, Value::small_int(i64::from(name == "gil"))));
    d.set_name(vm, "flags", structseq::make(vm, ty, row.items(), &more)?)?;

    let row = List::with_capacity(vm, 11)?;
    let f = |x: f64| vm.float(x);
    for v in [
        f(f64::MAX)?,
        vm.int(f64::MAX_EXP.into())?,
        vm.int(f64::MAX_10_EXP.into())?,
        f(f64::MIN_POSITIVE)?,
        vm.int(f64::MIN_EXP.into())?,
        vm.int(f64::MIN_10_EXP.into())?,
        vm.int(f64::DIGITS.into())?,
        vm.int(f64::MANTISSA_DIGITS.into())?,
        f(f64::EPSILON)?,
        vm.int(2)?,
        vm.int(1)?,
    ] {
        row.push(vm, v)?;
    }
    let ty = state.float_info.get(vm, &FLOAT_INFO)?;
    d.set_name(vm, "float_info", structseq::make(vm, ty, row.items(), &[])?)?;

    let row = ints(vm, &[30, 4, DEFAULT_MAX_DIGITS, MAX_DIGITS_THRESHOLD])?;
    let ty = state.int_info.get(vm, &INT_INFO)?;
    d.set_name(vm, "int_info", structseq::make(vm, ty, row.items(), &[])?)?;

    let row = ints(vm, &[64, (1 << 61) - 1, 314159, 0, 1_000_003, 0, 64, 128, 0])?;
    row.store(vm, 5, vm.str("siphash13")?);
    let ty = state.hash_info.get(vm, &HASH_INFO)?;
    d.set_name(vm, "hash_info", structseq::make(vm, ty, row.items(), &[])?)?;

    let row = strings(vm, ["pthread", "semaphore", ""])?;
    row.store(vm, 2, Value::NONE);
    let ty = state.thread_info.get(vm, &THREAD_INFO)?;
    d.set_name(vm, "thread_info", structseq::make(vm, ty, row.items(), &[])?)?;

    let implementation = super::namespace::namespace(vm)?;
    let hex = hexversion();
    for (name, v) in [
        ("name", vm.str("skein")?),
        ("cache_tag", vm.str(CACHE_TAG)?),
        ("version", version_info),
        ("hexversion", vm.int(hex)?),
        ("_multiarch", vm.str(&format!("{ARCH}-linux-gnu"))?),
        ("supports_isolated_interpreters", Value::FALSE),
    ] {
        vm.set_attr(implementation, vm.intern(name)?, v)?;
    }
    d.set_name(vm, "implementation", implementation)
}

/// A prefix of the configuration; where there is none, that of programs which the system's owner installs.
fn prefix_or_default(prefix: &str) -> &str {
    if prefix.is_empty() { "/usr/local" } else { prefix }
}

fn hexversion() -> i64 {
    let (major, minor, micro) = VERSION;
    major << 24 | minor << 16 | micro << 8 | 0xf0
}

/// Names of the modules in Rust.
fn native_names(vm: &Vm) -> Vec<&'static str> {
    let mut names = vec!["builtins", "sys"];
    names.extend(super::BUILTIN_MODULES.iter().map(|(n, _)| *n));
    names.extend(vm.hooks.clone().native_module_names());
    names.sort_unstable();
    names
}

pub(crate) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "sys")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    let d = m.dict();
    vm.sys_dict.set(Some(d));
    if let Some(modules) = vm.modules.get() {
        d.set_str(vm, vm.names.modules, modules.value())?;
    }
    let c = &vm.config;
    if let Some(n) = c.int_max_str_digits {
        vm.state::<IntMaxDigits>().0.set(n);
    }
    d.set_name(vm, "argv", strings(vm, c.argv.iter().map(String::as_str))?.value())?;
    d.set_name(vm, "orig_argv", strings(vm, c.orig_argv.iter().map(String::as_str))?.value())?;
    d.set_name(vm, "path", strings(vm, c.path.iter().map(String::as_str))?.value())?;
    d.set_name(vm, "warnoptions", strings(vm, c.warn_options.iter().map(String::as_str))?.value())?;
    let x = Dict::new(vm)?;
    for (k, v) in &c.x_options {
        let v = match v {
            Some(v) => vm.str(v)?,
            None => Value::TRUE,
        };
        x.set_name(vm, k, v)?;
    }
    d.set_name(vm, "_xoptions", x.value())?;
    let finders = List::new(vm, &[super::import::new_finder(vm)?])?;
    d.set_name(vm, "meta_path", finders.value())?;
    d.set_name(vm, "path_hooks", super::import::path_hooks(vm)?.value())?;
    d.set_name(vm, "path_importer_cache", Dict::new(vm)?.value())?;
    add_structs(vm, d)?;
    let mut names = native_names(vm);
    d.set_name(vm, "builtin_module_names", vm.tuple(strings(vm, names.iter().copied())?.items())?)?;
    names.extend(vm.hooks.clone().packaged_module_names());
    d.set_name(vm, "stdlib_module_names", vm.frozenset(strings(vm, names)?.items())?)?;
    for (name, text) in [
        ("version", version_text().as_str()),
        ("platform", "linux"),
        ("byteorder", "little"),
        ("executable", &c.executable),
        ("_base_executable", &c.base_executable),
        ("prefix", prefix_or_default(&c.prefix)),
        ("base_prefix", prefix_or_default(&c.base_prefix)),
        ("exec_prefix", prefix_or_default(&c.prefix)),
        ("base_exec_prefix", prefix_or_default(&c.base_prefix)),
        ("platlibdir", "lib"),
        ("_stdlib_dir", vm.library()),
        ("_framework", ""),
        ("abiflags", ""),
        ("float_repr_style", "short"),
        (
            "copyright",
            "Copyright (c) the authors of Skein.\nThe standard library: Copyright (c) 2001 Python Software Foundation.",
        ),
    ] {
        d.set_name(vm, name, vm.str(text)?)?;
    }
    for (name, n) in
        [("maxsize", i64::MAX), ("maxunicode", 0x10ffff), ("hexversion", hexversion()), ("api_version", 1013)]
    {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    let git = vm.tuple(&[vm.str("Skein")?, vm.str("")?, vm.str("")?])?;
    d.set_name(vm, "_git", git)?;
    d.set_name(vm, "pycache_prefix", Value::NONE)?;
    d.set_name(vm, "dont_write_bytecode", Value::bool(c.dont_write_bytecode))?;
    d.set_name(vm, "_jit", make_module(vm, "sys._jit", JIT_FUNCTIONS)?.value())?;
    d.set_name(vm, "monitoring", super::monitoring::make(vm)?.value())?;
    super::sys_hooks::install(vm, m)?;
    super::tracing::install(vm, m)?;
    Ok(m)
}
