//! The modules written in Rust that the library is built on.

mod abc;
mod arguments;
mod array;
mod ast;
mod asyncio;
mod atexit;
mod binascii;
mod cmath;
mod codecs;
mod csv;
mod datetime;
mod decimal;
mod errno;
mod expat;
mod faulthandler;
mod fcntl;
mod foreign;
mod gevent;
mod hashes;
mod heaps;
mod io;
mod isolates;
mod json;
mod locale;
mod lsprof;
mod marshal;
mod mmap;
mod multibyte;
mod opcode;
mod packed;
mod packing;
mod pickle;
mod posix;
mod posixsubprocess;
mod queue;
mod random;
mod remote_debugging;
mod resource;
mod select;
mod semaphores;
mod site;
mod socket;
mod sqlite;
mod sre;
mod ssl;
mod stat;
mod statistics;
mod structs;
mod suggestions;
mod support;
mod symtable;
mod sysconfigdata;
mod syslog;
mod termios;
mod thread;
mod tokens;
mod tracemalloc;
mod unicodedata;
mod users;
mod warnings;
mod weakproxy;
mod weakref;
mod zlib;

use skein_runtime::types::module::MakeModule;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{CollectKind, Vm};

pub use ast::{
    check_class as check_tree_class, from_object as tree_from_object, is_node as is_tree,
    to_object as tree_to_object,
};
pub use symtable::to_object as symbols_to_object;
pub use thread::finalize_apart;
pub use weakref::cleared as weak_cleared;

/// Made when they are imported.
const MODULES: &[(&str, MakeModule)] = &[
    ("_abc", abc::make),
    ("array", array::make),
    ("_ast", ast::make),
    ("_asyncio", asyncio::make),
    ("atexit", atexit::make),
    ("binascii", binascii::make),
    ("_bisect", heaps::make_bisect),
    ("_blake2", hashes::make_blake2),
    ("_codecs", codecs::make),
    ("_csv", csv::make),
    ("_datetime", datetime::make),
    ("_decimal", decimal::make),
    ("errno", errno::make),
    ("faulthandler", faulthandler::make),
    ("fcntl", fcntl::make),
    #[cfg(target_arch = "x86_64")]
    ("_foreign", foreign::make),
    (gevent::NAME, gevent::make),
    ("grp", users::make_grp),
    ("_heapq", heaps::make_heapq),
    ("_hashlib", hashes::make_hashlib),
    ("_hmac", hashes::make_hmac),
    ("_io", io::make),
    ("_isolates", isolates::make),
    ("_json", json::make),
    ("_locale", locale::make),
    ("_lsprof", lsprof::make),
    ("marshal", marshal::make),
    ("mmap", mmap::make),
    ("_md5", hashes::make_md5),
    ("_multibyte", multibyte::make),
    ("_opcode", opcode::make),
    ("_packed", packed::make),
    ("_pickle", pickle::make),
    ("posix", posix::make),
    ("_posixsubprocess", posixsubprocess::make),
    ("pwd", users::make_pwd),
    ("_queue", queue::make),
    ("_random", random::make),
    ("pyexpat", expat::make),
    ("_remote_debugging", remote_debugging::make),
    ("resource", resource::make),
    ("select", select::make),
    ("_sha1", hashes::make_sha1),
    ("_sha2", hashes::make_sha2),
    ("_sha3", hashes::make_sha3),
    ("_multiprocessing", semaphores::make_multiprocessing),
    ("_posixshmem", semaphores::make_posixshmem),
    ("_socket", socket::make),
    ("_stat", stat::make),
    ("_statistics", statistics::make),
    ("_sqlite", sqlite::make),
    ("_sre", sre::make),
    ("_ssl", ssl::make),
    ("_struct", structs::make),
    ("_suggestions", suggestions::make),
    ("_symtable", symtable::make),
    (sysconfigdata::NAME, sysconfigdata::make),
    ("_thread", thread::make),
    ("_tokenize", tokens::make),
    ("_tracemalloc", tracemalloc::make),
    ("unicodedata", unicodedata::make),
    ("_warnings", warnings::make),
    ("_bz2", packing::make_bz2),
    ("cmath", cmath::make),
    ("_lzma", packing::make_lzma),
    ("syslog", syslog::make),
    ("termios", termios::make),
    ("_weakref", weakref::make),
    ("zlib", zlib::make),
    ("_zstd", packing::make_zstd),
];

/// The module of that name, if it is one of this crate's.
pub fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    match MODULES.iter().find(|(n, _)| *n == name) {
        Some((_, make)) => make(vm).map(|m| Some(m.value())),
        None if gevent::COMPILED_NAMES.contains(&name) => {
            gevent::make_compiled(vm, name).map(|m| Some(m.value()))
        }
        None => Ok(None),
    }
}

/// Their names.
pub fn native_module_names() -> Vec<&'static str> {
    MODULES.iter().map(|(n, _)| *n).chain(gevent::COMPILED_NAMES.iter().copied()).collect()
}

/// What a program finds without importing: the standard streams, and `exit` and its like.
pub fn install(vm: &Vm) -> R<()> {
    io::install(vm)?;
    if vm.config.fault_handler {
        faulthandler::install(vm)?;
    }
    if vm.config.trace_allocations > 0 {
        tracemalloc::start(vm, Some(vm.config.trace_allocations.into()))?;
    }
    if vm.config.no_site { Ok(()) } else { site::install(vm) }
}

/// Waits for threads that are not daemons, as `threading` does where it is in use.
fn end_threads(vm: &Vm) {
    let threading = vm.modules.get().and_then(|m| m.get_name(vm, "threading").ok().flatten());
    let ended = match threading {
        Some(threading) => vm.call_method(threading, "_shutdown", &[]).map(|_| ()),
        None => {
            thread::shutdown(vm);
            Ok(())
        }
    };
    if ended.is_err() {
        vm.unraisable(Some("Exception ignored on threading shutdown"), threading.unwrap_or(Value::NONE));
    }
}

/// The end of a program: its threads, exit functions, then the standard streams' buffers. False: output was lost.
pub fn finish(vm: &Vm) -> bool {
    end_threads(vm);
    atexit::run(vm);
    isolates::end_all(vm);
    vm.finalizing.set(true);
    vm.threads.end_others();
    // Collections cost what the program holds: only where there is something to finalize.
    let streams = io::standard_streams(vm);
    if vm.heap.has_finalizable(|obj| !streams.iter().any(|s| s.bits() == obj as u64)) {
        // What nothing leads to is finalized, as it would have been later; then what only modules lead to.
        vm.collect_thoroughly(CollectKind::Major);
        vm.run_finalizers();
        if forget_modules(vm).is_err() {
            vm.unraisable(None, Value::NONE);
        }
        vm.collect_thoroughly(CollectKind::Major);
        vm.run_finalizers();
    }
    io::flush_standard(vm)
}

/// Takes all modules but `sys` and `builtins` from `sys.modules`, and from `sys` what leads to other things of the program.
/// What is finalized afterwards finds its own globals as they were. MemoryError.
fn forget_modules(vm: &Vm) -> R<()> {
    const FORGOTTEN: [&str; 12] = [
        "path",
        "argv",
        "ps1",
        "ps2",
        "last_exc",
        "last_type",
        "last_value",
        "last_traceback",
        "path_hooks",
        "path_importer_cache",
        "meta_path",
        "__interactivehook__",
    ];
    if let Some(sys) = vm.sys_dict.get() {
        for name in FORGOTTEN {
            sys.set_name(vm, name, Value::NONE)?;
        }
        for (name, kept) in [("stdin", "__stdin__"), ("stdout", "__stdout__"), ("stderr", "__stderr__")] {
            if let Some(stream) = sys.get_name(vm, kept)? {
                sys.set_name(vm, name, stream)?;
            }
        }
    }
    let Some(modules) = vm.modules.get() else { return Ok(()) };
    let kept = ["sys", "builtins"].map(|name| modules.get_name(vm, name));
    modules.clear(vm);
    for (name, module) in ["sys", "builtins"].into_iter().zip(kept) {
        if let Some(module) = module? {
            modules.set_name(vm, name, module)?;
        }
    }
    Ok(())
}
