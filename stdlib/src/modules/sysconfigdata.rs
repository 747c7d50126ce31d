//! `_sysconfigdata_…`: what `sysconfig` says of how the interpreter was built. There is no Makefile and no C interface
//! (but headers for modules that cffi generates), so this has what is true of Skein and that programs ask for.

use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Vm};

/// The name that `sysconfig` puts together from `sys.platform` and `sys.implementation._multiarch`.
pub const NAME: &str = if cfg!(target_arch = "x86_64") {
    "_sysconfigdata__linux_x86_64-linux-gnu"
} else {
    "_sysconfigdata__linux_aarch64-linux-gnu"
};

const NUMBERS: &[(&str, i64)] = &[
    ("Py_DEBUG", 0),
    ("Py_ENABLE_SHARED", 0),
    ("Py_GIL_DISABLED", 0),
    ("Py_REF_DEBUG", 0),
    ("Py_TRACE_REFS", 0),
    ("WITH_DOC_STRINGS", 1),
    ("WITH_DTRACE", 0),
    ("WITH_FREELISTS", 0),
    ("WITH_MIMALLOC", 0),
    ("WITH_PYMALLOC", 0),
    ("HAVE_DYNAMIC_LOADING", 0),
    ("HAVE_FORK", 1),
    ("HAVE_GETRANDOM", 1),
    ("HAVE_SHM_OPEN", 1),
    ("SIZEOF_INT", size_of::<libc::c_int>() as i64),
    ("SIZEOF_LONG", size_of::<libc::c_long>() as i64),
    ("SIZEOF_LONG_LONG", size_of::<libc::c_longlong>() as i64),
    ("SIZEOF_OFF_T", size_of::<libc::off_t>() as i64),
    ("SIZEOF_SIZE_T", size_of::<usize>() as i64),
    ("SIZEOF_TIME_T", size_of::<libc::time_t>() as i64),
    ("SIZEOF_VOID_P", size_of::<usize>() as i64),
    ("SIZEOF_WCHAR_T", size_of::<libc::wchar_t>() as i64),
];

/// `{prefix}`, `{library}`, `{version}` and `{arch}` are filled in.
const TEXTS: &[(&str, &str)] = &[
    ("ABIFLAGS", ""),
    // What packages with parts in C try first, before they do without.
    ("AR", "ar"),
    ("ARFLAGS", "rcs"),
    ("CC", "cc"),
    ("CCSHARED", "-fPIC"),
    ("CFLAGS", ""),
    ("CXX", "c++"),
    ("LDCXXSHARED", "c++ -shared"),
    ("LDSHARED", "cc -shared"),
    ("BINDIR", "{prefix}/bin"),
    ("BUILD_GNU_TYPE", "{arch}-unknown-linux-gnu"),
    ("CONFIG_ARGS", ""),
    ("CONFINCLUDEDIR", "{prefix}/include"),
    ("EXE", ""),
    ("EXT_SUFFIX", ".skein-{tag}-{arch}-linux-gnu.so"),
    ("HOST_GNU_TYPE", "{arch}-unknown-linux-gnu"),
    ("INCLUDEDIR", "{prefix}/include"),
    ("CONFINCLUDEPY", "{library}/skein/include"),
    ("INCLUDEPY", "{library}/skein/include"),
    ("LDVERSION", "{version}"),
    ("LIBDEST", "{prefix}/lib/python{version}"),
    ("LIBDIR", "{prefix}/lib"),
    ("MACHDEP", "linux"),
    ("MULTIARCH", "{arch}-linux-gnu"),
    ("PYTHON", "skein"),
    ("PY_CFLAGS", ""),
    ("PY_CORE_CFLAGS", ""),
    ("SHELL", "/bin/sh -e"),
    ("SHLIB_SUFFIX", ".so"),
    ("SOABI", "skein-{tag}-{arch}-linux-gnu"),
    ("VERSION", "{version}"),
    ("exec_prefix", "{prefix}"),
    ("prefix", "{prefix}"),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, NAME, &[])?;
    let prefix = vm.get_attr_str(import(vm, "sys")?, "base_prefix")?;
    let prefix = prefix.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let vars = Dict::new(vm)?;
    for &(name, n) in NUMBERS {
        vars.set_name(vm, name, vm.int(n)?)?;
    }
    for (name, text) in TEXTS {
        let text = text.replace("{version}", "3.14").replace("{tag}", "314");
        let text = text.replace("{arch}", std::env::consts::ARCH).replace("{prefix}", &prefix);
        let text = text.replace("{library}", vm.library());
        vars.set_name(vm, name, vm.str(&text)?)?;
    }
    m.dict().set_name(vm, "build_time_vars", vars.value())?;
    Ok(m)
}
