//! Sets of modules.

use std::path::Path;

/// The language, the builtin types and the core of the library.
#[rustfmt::skip]
const CORE: &[&str] = &[
    "test_abc", "test_abstract_numbers", "test_annotationlib", "test_argparse", "test_array", "test_ast",
    "test_asyncgen", "test_asyncio", "test_atexit", "test_augassign", "test_base64", "test_baseexception",
    "test_bdb", "test_binascii", "test_binop", "test_bisect", "test_bool", "test_buffer", "test_bufio",
    "test_builtin", "test_bytes", "test_calendar", "test_call", "test_charmapcodec", "test_class",
    "test_cmath", "test_code", "test_code_module", "test_codeccallbacks", "test_codecs", "test_codeop",
    "test_collections", "test_compare", "test_compile", "test_complex", "test_concurrent_futures",
    "test_contains", "test_context", "test_contextlib", "test_contextlib_async", "test_copy",
    "test_copyreg", "test_coroutines", "test_dataclasses", "test_datetime", "test_decimal",
    "test_decorators", "test_defaultdict", "test_deque", "test_descr", "test_descrtut", "test_dict",
    "test_dictcomps", "test_dictviews", "test_dis", "test_doctest", "test_dynamic",
    "test_dynamicclassattribute", "test_enum", "test_enumerate", "test_eof", "test_except_star",
    "test_exception_group", "test_exception_hierarchy", "test_exception_variations", "test_exceptions",
    "test_extcall", "test_file", "test_fileio", "test_finalization", "test_float", "test_flufl",
    "test_format", "test_fractions", "test_frame", "test_fstring", "test_funcattrs", "test_functools",
    "test_future_stmt", "test_gc", "test_generator_stop", "test_generators", "test_genericalias",
    "test_genericclass", "test_genexps", "test_global", "test_grammar", "test_graphlib", "test_hash",
    "test_hashlib", "test_heapq", "test_import", "test_importlib", "test_index", "test_inspect",
    "test_int", "test_int_literal", "test_io", "test_isinstance", "test_iter", "test_iterlen",
    "test_itertools", "test_json", "test_keyword", "test_keywordonlyarg", "test_linecache", "test_list",
    "test_listcomps", "test_logging", "test_long", "test_longexp", "test_marshal", "test_math",
    "test_math_property", "test_memoryio", "test_memoryview", "test_metaclass", "test_module",
    "test_monitoring", "test_named_expressions", "test_numeric_tower", "test_opcache", "test_opcodes",
    "test_operator", "test_ordered_dict", "test_os", "test_pathlib", "test_patma", "test_peepholer",
    "test_pep646_syntax", "test_pickle", "test_picklebuffer", "test_pickletools", "test_pkg",
    "test_pkgutil", "test_positional_only_arg", "test_posix", "test_posixpath", "test_pow", "test_pprint",
    "test_print", "test_property", "test_queue", "test_raise", "test_random", "test_range", "test_re",
    "test_reprlib", "test_richcmp", "test_runpy", "test_sched", "test_scope", "test_select",
    "test_selectors", "test_set", "test_setcomps", "test_shlex", "test_signal", "test_slice", "test_sort",
    "test_source_encoding", "test_stat", "test_statistics", "test_str", "test_strftime", "test_string",
    "test_string_literals", "test_strptime", "test_strtod", "test_struct", "test_structseq",
    "test_subclassinit", "test_super", "test_symtable", "test_syntax", "test_sys", "test_sys_setprofile",
    "test_sys_settrace", "test_tempfile", "test_textwrap", "test_thread", "test_threading",
    "test_threading_local", "test_threadsignals", "test_time", "test_timeit", "test_tokenize",
    "test_trace", "test_traceback", "test_tstring", "test_tuple", "test_type_aliases",
    "test_type_annotations", "test_type_cache", "test_type_comments", "test_type_params",
    "test_typechecks", "test_types", "test_typing", "test_ucn", "test_unary", "test_unicode_identifiers",
    "test_unicodedata", "test_unittest", "test_univnewlines", "test_unpack", "test_unpack_ex",
    "test_unparse", "test_userdict", "test_userlist", "test_userstring", "test_utf8source",
    "test_warnings", "test_weakref", "test_weakset", "test_with", "test_yield_from", "test_zlib",
];

/// A few of them that take little time, for each change.
#[rustfmt::skip]
const QUICK: &[&str] = &[
    "test_abc", "test_ast", "test_augassign", "test_bool", "test_builtin", "test_class", "test_collections",
    "test_compare", "test_complex", "test_contextlib", "test_copy", "test_coroutines", "test_dataclasses",
    "test_decorators", "test_descr", "test_dict", "test_exceptions", "test_float", "test_fractions", "test_fstring",
    "test_functools", "test_generators", "test_grammar", "test_int", "test_itertools", "test_list", "test_long",
    "test_named_expressions", "test_operator", "test_patma", "test_property", "test_range", "test_re", "test_scope",
    "test_set", "test_string", "test_super", "test_syntax", "test_tokenize", "test_tuple", "test_types", "test_typing",
    "test_unparse", "test_weakref",
];

/// The modules of a set.
///
/// # Errors
/// If there is no such set, or the folder cannot be read.
pub fn modules(set: &str, tests: &Path) -> Result<Vec<String>, String> {
    match set {
        "core" => Ok(CORE.iter().map(|&m| m.to_owned()).collect()),
        "quick" => Ok(QUICK.iter().map(|&m| m.to_owned()).collect()),
        "all" => all(&tests.join("test")),
        "others" => Ok(all(&tests.join("test"))?.into_iter().filter(|m| !is_core(m)).collect()),
        _ => Err(format!("{set}: no set of modules; there are core, quick, others and all")),
    }
}

/// If a module is of the set core.
pub fn is_core(module: &str) -> bool {
    CORE.contains(&module)
}

/// Every module and package of tests.
fn all(folder: &Path) -> Result<Vec<String>, String> {
    let told = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let name = entry.map_err(told)?.file_name().to_string_lossy().into_owned();
        let module = name.strip_suffix(".py").unwrap_or(&name);
        if module.starts_with("test_") && !module.contains('.') {
            found.push(module.to_owned());
        }
    }
    found.sort();
    Ok(found)
}
