//! Options and environment variables of the command line, as CPython's.

use skein_builtins::modules::MAX_DIGITS_THRESHOLD;
use skein_runtime::vm::Config;

/// What to run.
pub enum Run {
    /// `-c`.
    Command(String),
    /// `-m`.
    Module(String),
    /// A file, or a folder with a `__main__.py`.
    File(String),
    /// Source text from the standard input; the terminal if it is one.
    Stdin,
    /// Text for the standard output, and that is all.
    Show(String),
}

/// The command line, read.
pub struct Flags {
    pub config: Config,
    pub run: Run,
    /// `-x`.
    pub skip_first_line: bool,
}

/// A wrong command line: text for the standard error output, and the exit code.
pub struct UsageError {
    pub text: String,
    pub code: u8,
}

impl UsageError {
    /// A setting that no interpreter can be made with.
    fn fatal(text: &str) -> UsageError {
        let text = format!("Fatal Python error: {text}\nPython runtime state: preinitialized\n\n");
        UsageError { text, code: 1 }
    }
}

fn usage_line(program: &str) -> String {
    format!("usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...\n")
}

const VARIABLES: &str = "\
Environment variables that change behavior:
PYTHONDEVMODE           : development mode (-X dev)
PYTHONDONTWRITEBYTECODE : don't write .pyc files (-B)
PYTHONHOME              : folder of the installation; also overrides virtual environments
PYTHONHASHSEED          : seed of the hash of str and bytes, or 'random'
PYTHONINSPECT           : inspect interactively after running script (-i)
PYTHONINTMAXSTRDIGITS   : limit of int <-> str conversions (-X int_max_str_digits)
PYTHONIOENCODING        : encoding[:errors] used for stdin/stdout/stderr
PYTHONNOUSERSITE        : don't add user site directory to sys.path (-s)
PYTHONOPTIMIZE          : remove assert and __debug__-dependent statements (-O)
PYTHONPATH              : ':'-separated list of directories prefixed to sys.path
PYTHONSAFEPATH          : don't prepend a potentially unsafe path (-P)
PYTHONUNBUFFERED        : unbuffered stdout and stderr (-u)
PYTHON_JIT              : 0 leaves all loops to the interpreter (-X jit=off)
PYTHONUTF8              : UTF-8 mode (-X utf8)
PYTHONVERBOSE           : trace import statements (-v)
PYTHONWARNINGS          : warning control (-W)
";

const X_OPTIONS: &str = "\
The following implementation-specific options are available:
-X dev : development mode
-X jit=off|on|force|quick|thorough|log|dump=btoxm|view|perf|stats|mem=BYTES : how busy loops are compiled; several with commas between
-X int_max_str_digits=N : limit the size of int <-> str conversions; 0 is no limit
-X utf8[=0|1] : enable or disable UTF-8 mode
-X skein-bytecode : print the code of the program instead of running it
-X skein-gc-log : write a line about each pause of the garbage collector to stderr
-X skein-gc-stress=N : collect garbage at every N-th allocation
-X skein-heap-limit=BYTES : raise MemoryError beyond; with an optional k, m or g
-X skein-nursery=BYTES : allocate so much between minor collections at most
";

const OPTIONS: &str = "\
Options (and corresponding environment variables):
-b     : issue warnings about converting bytes/bytearray to str and comparing
         bytes/bytearray with str or bytes with int. (-bb: issue errors)
-B     : don't write .pyc files on import; also PYTHONDONTWRITEBYTECODE=x
-c cmd : program passed in as string (terminates option list)
-d     : turn on parser debugging output (no effect)
-E     : ignore PYTHON* environment variables (such as PYTHONPATH)
-h     : print this help message and exit (also -? or --help)
-i     : inspect interactively after running script
-I     : isolate Python from the user's environment (implies -E and -s)
-m mod : run library module as a script (terminates option list)
-O     : remove assert and __debug__-dependent statements
-OO    : do -O changes and also discard docstrings
-P     : don't prepend a potentially unsafe path to sys.path; also
         PYTHONSAFEPATH
-q     : don't print version and copyright messages on interactive startup
-s     : don't add user site directory to sys.path; also PYTHONNOUSERSITE=x
-S     : don't imply 'import site' on initialization
-u     : force the stdout and stderr streams to be unbuffered;
         this option has no effect on stdin; also PYTHONUNBUFFERED=x
-v     : verbose (trace import statements); also PYTHONVERBOSE=x
-V     : print the Python version number and exit (also --version)
         when given twice, print more information about the build
-W arg : warning control; arg is action:message:category:module:lineno
         also PYTHONWARNINGS=arg
-x     : skip first line of source, allowing use of non-Unix forms of #!cmd
-X opt : set implementation-specific option: skein-nursery=BYTES,
         skein-heap-limit=BYTES, skein-gc-stress=N, skein-gc-log, jit=…,
         dev, utf8

Arguments:
file   : program read from script file
-      : program read from stdin (default; interactive mode if a tty)
arg ...: arguments passed to program in sys.argv[1:]
";

fn version(long: bool) -> String {
    let (major, minor, micro) = skein_builtins::modules::VERSION;
    match long {
        true => format!("Python {}\n", skein_builtins::modules::version_text()),
        false => format!("Python {major}.{minor}.{micro}\n"),
    }
}

/// A number with an optional unit, e.g. `64M`.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.char_indices().last()? {
        (i, 'k' | 'K') => (&text[..i], 1 << 10),
        (i, 'm' | 'M') => (&text[..i], 1 << 20),
        (i, 'g' | 'G') => (&text[..i], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

fn x_option(config: &mut Config, text: &str) -> Result<(), UsageError> {
    let (name, value) = match text.split_once('=') {
        Some((n, v)) => (n, Some(v)),
        None => (text, None),
    };
    let bad = || UsageError::fatal(&format!("config: invalid -X option: {text}"));
    match name {
        "skein-nursery" => config.nursery = Some(value.and_then(bytes).ok_or_else(bad)?),
        "skein-heap-limit" => config.heap_limit = Some(value.and_then(bytes).ok_or_else(bad)?),
        "skein-gc-stress" => config.gc_stress = Some(value.and_then(|v| v.parse().ok()).ok_or_else(bad)?),
        "skein-gc-log" => config.gc_log = true,
        "jit" if value.and_then(skein_jit::Options::parse).is_none() => return Err(bad()),
        "dev" => (config.dev_mode, config.fault_handler) = (true, true),
        "no_debug_ranges" => config.lines_only = true,
        "faulthandler" => config.fault_handler = true,
        "tracemalloc" => {
            config.trace_allocations = frames_limit(value.unwrap_or("1")).ok_or_else(|| {
                UsageError::fatal("config_init_tracemalloc: -X tracemalloc=NFRAME: invalid number of frames")
            })?;
        }
        "utf8" => config.utf8_mode = value != Some("0"),
        "int_max_str_digits" => {
            config.int_max_str_digits =
                Some(digits_limit("-X int_max_str_digits", value.unwrap_or_default())?);
        }
        _ => {}
    }
    config.x_options.push((name.into(), value.map(Into::into)));
    Ok(())
}

/// How many frames `tracemalloc` is to note.
fn frames_limit(text: &str) -> Option<u16> {
    text.parse().ok()
}

/// The longest decimal text of an int, as an option or variable gives it.
fn digits_limit(what: &str, text: &str) -> Result<i64, UsageError> {
    let fits = |n: &i64| *n == 0 || (MAX_DIGITS_THRESHOLD..=i64::from(i32::MAX)).contains(n);
    text.parse().ok().filter(fits).ok_or_else(|| {
        UsageError::fatal(&format!(
            "config_init_int_max_str_digits: {what}: invalid limit; must be >= {MAX_DIGITS_THRESHOLD} or 0 for unlimited."
        ))
    })
}

/// Does the locale ask for the C locale, which means UTF-8 to Python?
fn is_c_locale() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env);
    locale.is_none_or(|l| l == "C" || l == "POSIX")
}

/// An environment variable that is set and not empty.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn environment(c: &mut Config) -> Result<(), UsageError> {
    let on = |name: &str| env(name).is_some();
    c.optimize = c.optimize.max(env("PYTHONOPTIMIZE").map_or(0, |v| v.parse().unwrap_or(1)));
    c.dont_write_bytecode |= on("PYTHONDONTWRITEBYTECODE");
    c.no_user_site |= on("PYTHONNOUSERSITE");
    c.unbuffered |= on("PYTHONUNBUFFERED");
    c.inspect |= on("PYTHONINSPECT");
    c.safe_path |= on("PYTHONSAFEPATH");
    c.dev_mode |= on("PYTHONDEVMODE");
    if let Some(frames) = env("PYTHONTRACEMALLOC").filter(|_| c.trace_allocations == 0) {
        c.trace_allocations = frames_limit(&frames).ok_or_else(|| {
            UsageError::fatal("config_init_tracemalloc: PYTHONTRACEMALLOC: invalid number of frames")
        })?;
    }
    c.lines_only |= on("PYTHONNODEBUGRANGES");
    c.fault_handler |= c.dev_mode || on("PYTHONFAULTHANDLER");
    c.verbose = c.verbose.max(env("PYTHONVERBOSE").map_or(0, |v| v.parse().unwrap_or(1)));
    if let Some(seed) = env("PYTHONHASHSEED").filter(|s| s != "random") {
        match seed.parse::<u32>() {
            Ok(n) => c.hash_seed = Some(n.into()),
            Err(_) => {
                return Err(UsageError::fatal(
                    "config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]",
                ));
            }
        }
    }
    if let Some(w) = env("PYTHONWARNINGS") {
        let own = std::mem::take(&mut c.warn_options);
        c.warn_options = w.split(',').map(String::from).chain(own).collect();
    }
    if let Some(text) = env("PYTHONINTMAXSTRDIGITS")
        && c.int_max_str_digits.is_none()
    {
        c.int_max_str_digits = Some(digits_limit("PYTHONINTMAXSTRDIGITS", &text)?);
    }
    if let Some(mode) = env("PYTHONUTF8")
        && !c.x_options.iter().any(|(name, _)| name == "utf8")
    {
        c.utf8_mode = mode == "1";
    }
    if env("PYTHON_JIT").is_some_and(|v| v == "0") {
        // What the command line says comes later, and counts.
        c.x_options.insert(0, ("jit".into(), Some("off".into())));
    }
    if let Some(text) = env("PYTHONIOENCODING") {
        let (encoding, errors) = text.split_once(':').unwrap_or((&text, ""));
        let given = |part: &str| Some(part.to_string()).filter(|p| !p.is_empty());
        c.io_encoding = (given(encoding), given(errors));
    }
    c.warn_default_encoding |= on("PYTHONWARNDEFAULTENCODING");
    if let Some(path) = env("PYTHONPATH") {
        c.path.extend(path.split(':').map(String::from));
    }
    Ok(())
}

/// Reads the arguments, program name first.
pub fn read(args: &[String]) -> Result<Flags, UsageError> {
    let program = args.first().map_or("skein", String::as_str);
    let usage = |text: String| {
        let mut text = text;
        text.push_str(&usage_line(program));
        text.push_str("Try `python -h' for more information.\n");
        UsageError { text, code: 2 }
    };
    let mut c = Config { orig_argv: args.to_vec(), utf8_mode: is_c_locale(), ..Config::default() };
    let mut run = None;
    let mut skip_first_line = false;
    let mut versions = 0;
    let mut i = 1;
    'args: while let Some(arg) = args.get(i) {
        match arg.as_str() {
            "--help" => run = Some(Run::Show(usage_line(program) + OPTIONS)),
            "--help-env" => run = Some(Run::Show(VARIABLES.into())),
            "--help-xoptions" => run = Some(Run::Show(X_OPTIONS.into())),
            "--help-all" => {
                run = Some(Run::Show(
                    [&usage_line(program), OPTIONS, "\n", VARIABLES, "\n", X_OPTIONS].concat(),
                ));
            }
            "--version" => versions += 1,
            "--" => {
                i += 1;
                break;
            }
            "-" => break,
            "--check-hash-based-pycs" => i += 1,
            long if long.starts_with("--") => return Err(usage(format!("unknown option {long}\n"))),
            short if short.starts_with('-') => {
                for (at, letter) in short.char_indices().skip(1) {
                    let rest = &short[at + letter.len_utf8()..];
                    let mut value = || {
                        if !rest.is_empty() {
                            return Ok(rest.to_string());
                        }
                        i += 1;
                        args.get(i)
                            .cloned()
                            .ok_or_else(|| usage(format!("Argument expected for the -{letter} option\n")))
                    };
                    match letter {
                        'c' => {
                            let text = value()? + "\n";
                            c.command = Some(text.clone());
                            run = Some(Run::Command(text));
                            i += 1;
                            break 'args;
                        }
                        'm' => {
                            run = Some(Run::Module(value()?));
                            i += 1;
                            break 'args;
                        }
                        'W' => {
                            c.warn_options.push(value()?);
                            break;
                        }
                        'X' => {
                            x_option(&mut c, &value()?)?;
                            break;
                        }
                        'b' => c.bytes_warning += 1,
                        'B' => c.dont_write_bytecode = true,
                        'E' => c.ignore_environment = true,
                        'h' | '?' => run = Some(Run::Show(usage_line(program) + OPTIONS)),
                        'i' => (c.inspect, c.interactive) = (true, true),
                        'I' => {
                            (c.isolated, c.ignore_environment, c.no_user_site, c.safe_path) =
                                (true, true, true, true)
                        }
                        'O' => c.optimize = (c.optimize + 1).min(2),
                        'P' => c.safe_path = true,
                        'q' => c.quiet = true,
                        's' => c.no_user_site = true,
                        'S' => c.no_site = true,
                        'u' => c.unbuffered = true,
                        'v' => c.verbose += 1,
                        'V' => versions += 1,
                        'x' => skip_first_line = true,
                        'd' | 'R' => {}
                        'J' => return Err(usage("-J is reserved for Jython\n".into())),
                        _ => return Err(usage(format!("Unknown option: -{letter}\n"))),
                    }
                }
            }
            _ => break,
        }
        i += 1;
    }
    if versions > 0 {
        run = Some(Run::Show(version(versions > 1)));
    }
    if !c.ignore_environment {
        environment(&mut c)?;
    }
    c.warn_default_encoding |= c.x_options.iter().any(|(name, _)| name == "warn_default_encoding");
    if (c.utf8_mode || is_c_locale()) && c.io_encoding == (None, None) {
        c.io_encoding.1 = Some("surrogateescape".into());
    }
    let mut rest = args.get(i..).unwrap_or_default().to_vec();
    let run = match run {
        Some(run) => {
            rest.insert(0, if matches!(run, Run::Module(_)) { "-m" } else { "-c" }.into());
            run
        }
        None => match rest.first().map(String::as_str) {
            None => {
                rest.push(String::new());
                Run::Stdin
            }
            Some("-") => Run::Stdin,
            Some(file) => Run::File(file.to_string()),
        },
    };
    if c.dev_mode {
        c.warn_options.insert(0, "default".into());
    }
    c.argv = rest;
    Ok(Flags { config: c, run, skip_first_line })
}
