//! `cargo xtask cpython-tests`: CPython's own tests, compared with what the reference interpreter passes and with what
//! `tests/cpython.toml` says is known to fail.

mod outcome;
mod record;
mod run;
mod sets;
mod table;

pub use table::page;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use outcome::Compared;
use run::Runner;

pub const USAGE: &str = "\
usage: cargo xtask cpython-tests [MODULE…] [--set core|quick|others|all] [--minutes N] [--kept] [--bless] [-v]
  Runs modules of CPython's tests (test_int …) and compares with tests/cpython.toml.
  --set      modules by set: core (the language and the core library), quick (a few that take little time),
             others (all that are not core), all
  --minutes  starts no further module after so many minutes
  --kept     takes the results of earlier runs that came to their end, and runs the rest
  --bless    writes what was found into tests/cpython.toml
  -v         prints each failure, also the known ones
  Cases that are marked as details of CPython are run all the same; those that need modules of CPython's build are not.
  SKEIN_CPYTHON_TESTS: folder that has the package `test` of CPython 3.14
  SKEIN_REFERENCE:     the interpreter to compare with (python3.14); its results are kept in target/cpython-tests
  SKEIN:               the interpreter to test (target/debug/skein, which is built)";

/// What the command line asked for.
#[derive(Default)]
struct Options {
    modules: Vec<String>,
    bless: bool,
    kept: bool,
    verbose: bool,
    deadline: Option<Instant>,
}

impl Options {
    fn parse(args: &[&str], tests: &Path) -> Result<Options, String> {
        let mut options = Options::default();
        let mut rest = args.iter();
        while let Some(&arg) = rest.next() {
            match arg {
                "--bless" => options.bless = true,
                "--kept" => options.kept = true,
                "-v" => options.verbose = true,
                "--set" => {
                    let name = rest.next().ok_or(USAGE)?;
                    options.modules.extend(sets::modules(name, tests)?);
                }
                "--minutes" => {
                    let minutes: u64 = rest.next().and_then(|n| n.parse().ok()).ok_or(USAGE)?;
                    options.deadline = Some(Instant::now() + Duration::from_secs(minutes * 60));
                }
                _ if arg.starts_with('-') => return Err(USAGE.to_owned()),
                _ => options.modules.push(arg.to_owned()),
            }
        }
        if options.modules.is_empty() {
            options.modules = sets::modules("core", tests)?;
        }
        Ok(options)
    }
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the call, or every regression, crash and hang.
pub fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    let Some(tests) = std::env::var_os("SKEIN_CPYTHON_TESTS").map(PathBuf::from) else {
        println!("CPython's tests: NOT RUN, since SKEIN_CPYTHON_TESTS names no folder that has them");
        return Ok(());
    };
    if !tests.join("test/support/__init__.py").is_file() {
        return Err(format!("{}: has no package `test` of CPython", tests.display()));
    }
    let options = Options::parse(args, &tests)?;
    let kept = root.join("target/cpython-tests");
    let reference = std::env::var("SKEIN_REFERENCE").unwrap_or_else(|_| "python3.14".to_owned());
    let reference = Runner::reference(&reference, &tests, &kept)?;
    let skein = Runner::skein(skein(root)?, &tests, &kept);
    let committed = root.join("tests/cpython.toml");
    let known = record::read(&committed)?;

    let results = run_all(&options, &skein, &reference, &known)?;
    summary(&results);
    let wrong: Vec<String> =
        results.iter().flat_map(|(module, c)| c.faults(module, known.get(module))).collect();
    if options.bless {
        // Another run may have written its results meanwhile.
        let mut known = record::read(&committed)?;
        for (module, compared) in &results {
            let record = compared.record(known.get(module));
            known.insert(module.clone(), record);
        }
        record::write(&committed, &known)?;
    }
    // Crashes and hangs are never all right; a regression that was blessed is.
    let wrong: Vec<String> =
        wrong.into_iter().filter(|w| !options.bless || !w.starts_with("regression")).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The interpreter under test.
fn skein(root: &Path) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("SKEIN") {
        return Ok(path.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet"]).current_dir(root).status();
    match built {
        Ok(status) if status.success() => Ok(root.join("target/debug/skein")),
        Ok(_) => Err("skein cannot be built".to_owned()),
        Err(e) => Err(format!("cargo: {e}")),
    }
}

/// Runs the modules, two at a time.
fn run_all(
    options: &Options,
    skein: &Runner,
    reference: &Runner,
    known: &record::Known,
) -> Result<BTreeMap<String, Compared>, String> {
    let total = options.modules.len();
    let queue = Mutex::new(options.modules.iter().enumerate().collect::<VecDeque<_>>());
    let results = Mutex::new(BTreeMap::new());
    let failure = Mutex::new(None);
    let next = || queue.lock().ok()?.pop_front();
    let worker = || {
        while let Some((index, module)) = next() {
            if options.deadline.is_some_and(|end| Instant::now() > end) {
                println!("[{:3}/{total}] {module}: left out, time is over", index + 1);
                continue;
            }
            let began = Instant::now();
            let compared = reference.kept_outcome(module).and_then(|expected| {
                let found = if options.kept { skein.kept_outcome(module) } else { skein.outcome(module) };
                Ok(Compared::new(&expected, &found?))
            });
            match compared {
                Ok(compared) => {
                    let seconds = began.elapsed().as_secs_f32();
                    println!("[{:3}/{total}] {module:24} {} {seconds:6.1} s", index + 1, compared.line());
                    compared.tell(module, known.get(module), options.verbose);
                    if let Ok(mut results) = results.lock() {
                        results.insert(module.clone(), compared);
                    }
                }
                Err(message) => {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(message);
                    }
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(worker);
        scope.spawn(worker);
    });
    match failure.into_inner() {
        Ok(None) => results.into_inner().map_err(|e| e.to_string()),
        Ok(Some(message)) => Err(message),
        Err(poisoned) => Err(poisoned.to_string()),
    }
}

fn summary(results: &BTreeMap<String, Compared>) {
    let sum = |f: fn(&Compared) -> usize| results.values().map(f).sum::<usize>();
    let of = sum(|c| c.of);
    let passed = sum(|c| c.passed);
    let share = 100.0 * passed as f64 / of.max(1) as f64;
    let stopped = results.values().filter(|c| c.cannot_start.is_some()).count();
    println!(
        "{passed} of {of} cases that the reference passes ({share:.1} %) in {} modules; {stopped} modules cannot start; \
         {} crashes, {} hangs",
        results.len(),
        sum(|c| c.crashed),
        sum(|c| c.hung)
    );
}
