//! Signatures that programs see, where the declarations here have other ones than CPython's: `inspect.signature` is to
//! find, or to miss, the same.

/// Of types whose constructors take their arguments as they come, or leave them to the types derived from them.
const OF_TYPES: &[(&str, Option<&str>)] = &[
    ("bool", Some("(object=False, /)")),
    ("complex", Some("(real=0, imag=0)")),
    ("float", Some("(x=0, /)")),
    ("frozenset", Some("(iterable=(), /)")),
    ("list", Some("(iterable=(), /)")),
    ("set", Some("(iterable=(), /)")),
    ("tuple", Some("(iterable=(), /)")),
    ("reversed", Some("(sequence, /)")),
    ("zip", Some("(*iterables, strict=False)")),
    ("ellipsis", Some("()")),
    ("NoneType", Some("()")),
    ("NotImplementedType", Some("()")),
    ("mappingproxy", Some("(mapping)")),
    ("cell", Some("([contents])")),
    (
        "code",
        Some(
            "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, \
               varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)",
        ),
    ),
    ("types.SimpleNamespace", Some("(mapping_or_iterable=(), /, **kwargs)")),
    ("itertools.chain", Some("(*iterables)")),
    ("itertools.product", Some("(*iterables, repeat=1)")),
    ("itertools.zip_longest", Some("(*iterables, fillvalue=None)")),
    ("itertools.repeat", None),
    ("collections.deque", Some("([iterable[, maxlen]])")),
    ("_thread.lock", Some("()")),
    ("_thread._local", Some("()")),
    ("_io.BufferedReader", Some("(raw, buffer_size=DEFAULT_BUFFER_SIZE)")),
    ("_io.BufferedWriter", Some("(raw, buffer_size=DEFAULT_BUFFER_SIZE)")),
    ("_io.BufferedRandom", Some("(raw, buffer_size=DEFAULT_BUFFER_SIZE)")),
    ("typing.ParamSpec", None),
    ("typing.ParamSpecArgs", None),
    ("typing.ParamSpecKwargs", None),
    ("typing.TypeAliasType", None),
    ("typing.TypeVar", None),
    ("typing.TypeVarTuple", None),
];

/// Searches in a part of a row: without the last of them, or both, it is the whole one.
const IN_PART: &str = "($self, sub[, start[, end]], /)";
const AT_PREFIX: &str = "($self, prefix[, start[, end]], /)";
const AT_SUFFIX: &str = "($self, suffix[, start[, end]], /)";

/// Of functions and methods, by the module or type that has them.
const OF_FUNCTIONS: &[(&str, &[(&str, Option<&str>)])] = &[
    ("str", ROWS),
    ("bytes", ROWS),
    ("bytearray", ROWS),
    ("memoryview", &[("hex", Some("($self, /, sep=<unrepresentable>, bytes_per_sep=1)"))]),
    ("dict", &[("update", None)]),
    ("collections.OrderedDict", &[("update", None)]),
    ("generator", &[("throw", None)]),
    ("coroutine", &[("throw", None)]),
    ("async_generator", &[("athrow", None)]),
    (
        "_io.BufferedRWPair",
        &[
            ("read", None),
            ("peek", None),
            ("read1", None),
            ("readinto", None),
            ("readinto1", None),
            ("write", None),
        ],
    ),
    (
        "_io.TextIOWrapper",
        &[(
            "reconfigure",
            Some(
                "($self, /, *, encoding=None, errors=None, newline=None, line_buffering=None, write_through=None)",
            ),
        )],
    ),
    ("re.Match", &[("group", None)]),
    ("typing.Generic", &[("__class_getitem__", None), ("__init_subclass__", None)]),
    ("itertools.repeat", &[("__new__", Some("($type, *args, **kwargs)"))]),
    ("typing.ParamSpec", &[("__new__", Some("($type, *args, **kwargs)"))]),
    ("typing.TypeVar", &[("__new__", Some("($type, *args, **kwargs)"))]),
    ("typing.TypeVarTuple", &[("__new__", Some("($type, *args, **kwargs)"))]),
    (
        "builtins",
        &[
            ("__build_class__", None),
            ("dir", None),
            ("getattr", None),
            ("iter", None),
            ("max", None),
            ("min", None),
            ("next", None),
            ("vars", None),
        ],
    ),
    ("gc", &[("set_threshold", None)]),
    ("sys", &[("getsizeof", None), ("set_asyncgen_hooks", None)]),
    (
        "time",
        &[
            ("asctime", None),
            ("clock_getres", None),
            ("clock_settime", None),
            ("clock_settime_ns", None),
            ("ctime", None),
            ("get_clock_info", None),
            ("gmtime", None),
            ("localtime", None),
            ("strftime", None),
            ("strptime", None),
        ],
    ),
    (
        "posix",
        &[
            ("chmod", Some("($module, /, path, mode, *, dir_fd=None, follow_symlinks=(os.name != 'nt'))")),
            ("get_terminal_size", Some("($module, fd=<unrepresentable>, /)")),
            (
                "link",
                Some(
                    "($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=(os.name != 'nt'))",
                ),
            ),
            ("posix_spawn", Some(SPAWN)),
            ("posix_spawnp", Some(SPAWN)),
        ],
    ),
];

const ROWS: &[(&str, Option<&str>)] = &[
    ("count", Some(IN_PART)),
    ("find", Some(IN_PART)),
    ("index", Some(IN_PART)),
    ("rfind", Some(IN_PART)),
    ("rindex", Some(IN_PART)),
    ("startswith", Some(AT_PREFIX)),
    ("endswith", Some(AT_SUFFIX)),
    ("hex", Some("($self, /, sep=<unrepresentable>, bytes_per_sep=1)")),
];

const SPAWN: &str = "($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, \
                     setsigmask=(), setsigdef=(), scheduler=None)";

/// What there is instead of the declaration's signature: Some(None) if there is none.
pub fn of_type(name: &str) -> Option<Option<&'static str>> {
    OF_TYPES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// As [`of_type`], of a function or method of this module or type.
pub fn of_function(owner: &str, name: &str) -> Option<Option<&'static str>> {
    if owner == "str" && name == "maketrans" {
        return Some(Some("(x, y=<unrepresentable>, z=<unrepresentable>, /)"));
    }
    let (_, rows) = OF_FUNCTIONS.iter().find(|(n, _)| *n == owner)?;
    rows.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}
