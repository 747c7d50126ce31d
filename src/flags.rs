//! Options and environment variables of the command line, as CPython's.

use skein_runtime::vm::Config;
use std::fmt::Write as _;

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

/// A wrong command line: text for the standard error output.
pub struct UsageError(pub String);

fn usage_line(program: &str) -> String {
    format!("usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...\n")
}

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
         skein-heap-limit=BYTES, skein-gc-stress=N, dev, utf8

Arguments:
file   : program read from script file
-      : program read from stdin (default; interactive mode if a tty)
arg ...: arguments passed to program in sys.argv[1:]
";

fn version(long: bool) -> String {
    let (major, minor, micro) = skein_runtime::modules::VERSION;
    match long {
        true => format!("Python {}\n", skein_runtime::modules::version_text()),
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
    let bad = || UsageError(format!("Fatal Python error: config: invalid -X option: {text}\n"));
    match name {
        "skein-nursery" => config.nursery = Some(value.and_then(bytes).ok_or_else(bad)?),
        "skein-heap-limit" => config.heap_limit = Some(value.and_then(bytes).ok_or_else(bad)?),
        "skein-gc-stress" => config.gc_stress = Some(value.and_then(|v| v.parse().ok()).ok_or_else(bad)?),
        "dev" => config.dev_mode = true,
        _ => {}
    }
    config.x_options.push((name.into(), value.map(Into::into)));
    Ok(())
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
    c.verbose = c.verbose.max(env("PYTHONVERBOSE").map_or(0, |v| v.parse().unwrap_or(1)));
    if let Some(seed) = env("PYTHONHASHSEED").filter(|s| s != "random") {
        match seed.parse::<u32>() {
            Ok(n) => c.hash_seed = Some(n.into()),
            Err(_) => {
                return Err(UsageError(
                    "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]\n"
                        .into(),
                ));
            }
        }
    }
    if let Some(w) = env("PYTHONWARNINGS") {
        let own = std::mem::take(&mut c.warn_options);
        c.warn_options = w.split(',').map(String::from).chain(own).collect();
    }
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
        let _ = writeln!(text, "Try `{program} -h' for more information.");
        UsageError(text)
    };
    let mut c = Config { executable: executable(program), ..Config::default() };
    let mut run = None;
    let mut skip_first_line = false;
    let mut versions = 0;
    let mut i = 1;
    'args: while let Some(arg) = args.get(i) {
        match arg.as_str() {
            "--help" => run = Some(Run::Show(usage_line(program) + OPTIONS)),
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
                            run = Some(Run::Command(value()? + "\n"));
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
    c.argv = rest;
    Ok(Flags { config: c, run, skip_first_line })
}

/// `sys.executable`.
fn executable(program: &str) -> String {
    match std::env::current_exe() {
        Ok(p) => p.to_string_lossy().into_owned(),
        Err(_) => program.to_string(),
    }
}
