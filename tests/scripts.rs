//! Runs the Python scripts under `tests/scripts`: as they are, while collecting garbage all the time, and with all loops
//! compiled that run twice.
//!
//! `SKEIN_SCRIPTS=name,name` runs only these. Where a `python3.14` or `python3.13` is found, the scripts that need
//! nothing of Skein's own run there too, to show that what they assert is Python. Those that begin with the line
//! `# Python 3.14` need just that, and those with `# Skein alone` do what a peer does not survive, or not end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// No script needs a tenth of this, on any machine: one that reaches it hangs.
const TIME_LIMIT: Duration = Duration::from_secs(600);

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let only = std::env::var("SKEIN_SCRIPTS").ok();
    let wanted = |p: &Path| {
        let name = p.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
        only.as_ref().is_none_or(|o| o.split(',').any(|n| n == name))
    };
    let entries = std::fs::read_dir(&folder).expect("the folder of scripts can be read");
    let mut found: Vec<PathBuf> = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "py") && wanted(p))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no script to run");
    found
}

fn failure(what: &str, script: &Path, out: &Output) -> Option<String> {
    (!out.status.success()).then(|| {
        format!("{what} {}: {}\n{}", script.display(), out.status, String::from_utf8_lossy(&out.stderr))
    })
}

/// The result of a command, or of stopping it when it reaches the time limit; has it?
fn in_time(command: &mut Command) -> (Output, bool) {
    let mut child = command
        .env("PYTHONFAULTHANDLER", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter can be started");
    let mut pipe = child.stderr.take().expect("a pipe was asked for");
    let (sender, written) = std::sync::mpsc::channel();
    // Children that it leaves behind may hold the pipe open for ever, so that nobody waits for the thread.
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = std::io::Read::read(&mut pipe, &mut chunk) {
            if sender.send(chunk[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    let start = Instant::now();
    let mut hangs = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if start.elapsed() > TIME_LIMIT && !hangs {
            hangs = true;
            // So that it tells where it is.
            let aborted = Command::new("sh").args(["-c", &format!("kill -ABRT {}", child.id())]).status();
            assert!(aborted.expect("sh is there").success(), "a child can be sent a signal");
        }
        if start.elapsed() > TIME_LIMIT + Duration::from_secs(5) {
            child.kill().expect("a child can be killed");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut stderr = Vec::new();
    if hangs {
        stderr.extend(format!("stopped after {} s\n", TIME_LIMIT.as_secs()).bytes());
    }
    while let Ok(chunk) = written.recv_timeout(Duration::from_secs(if hangs { 1 } else { 60 })) {
        stderr.extend(chunk);
    }
    (Output { status, stdout: Vec::new(), stderr }, hangs)
}

/// As `in_time`; what hangs is run once more, and whoever looks at the tests is told where it hung. Threads and
/// processes meet as it happens, and a fault that shows in one of a hundred runs must not be in the way of all others.
fn output_in_time(command: &mut Command) -> Output {
    let (out, hangs) = in_time(command);
    if !hangs {
        return out;
    }
    // Past the test harness, which shows only the output of tests that fail.
    let text = format!("{command:?} hangs: {}\n", String::from_utf8_lossy(&out.stderr));
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).expect("standard error is there");
    in_time(command).0
}

/// Runs the scripts that have arguments.
fn run_all(what: &str, args: impl Fn(&str) -> Option<&'static [&'static str]>) {
    let mut failures = Vec::new();
    for script in scripts() {
        let name = script.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
        let Some(args) = args(name) else { continue };
        let mut command = Command::new(env!("CARGO_BIN_EXE_skein"));
        let out = output_in_time(command.args(args).arg(&script));
        failures.extend(failure(what, &script, &out));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn scripts_pass() {
    run_all("plain", |_| Some(&[]));
}

/// Scripts of so much work that collecting at each allocation would take minutes.
const LARGE: &[&str] = &[
    "dis_own",
    "everyday_library",
    "gc_pauses",
    "interpreters",
    "one_world",
    "pickled_microthreads",
    "profile_calls",
    "recursion",
    "syntax_trees",
    "threads_io",
    "tls",
    "tracemalloc_module",
];

#[test]
fn scripts_pass_while_collecting() {
    run_all("collecting", |name| {
        Some(if LARGE.contains(&name) { &["-X", "skein-gc-stress=97"] } else { &["-X", "skein-gc-stress=1"] })
    });
}

/// Every loop is recorded and compiled, and every exit that is taken twice gets a bridge.
#[test]
fn scripts_pass_compiled() {
    run_all("compiled", |_| Some(&["-X", "jit=force"]));
}

/// Those of the compiler itself, and some of those that allocate in loops.
#[test]
fn scripts_pass_compiled_while_collecting() {
    const SOME: &[&str] = &["dict", "exceptions", "generators", "greenlets", "iterators", "list"];
    run_all("compiled and collecting", |name| {
        let wanted = name.starts_with("jit_") || SOME.contains(&name);
        wanted.then_some(&["-X", "jit=force", "-X", "skein-gc-stress=1"])
    });
}

#[test]
fn scripts_are_python() {
    let peer = ["python3.14", "python3.13"]
        .into_iter()
        .find(|p| Command::new(p).arg("-V").output().is_ok_and(|o| o.status.success()));
    let Some(peer) = peer else {
        println!("skipped: neither python3.14 nor python3.13 was found");
        return;
    };
    let has_greenlet =
        Command::new(peer).args(["-c", "import greenlet"]).output().is_ok_and(|o| o.status.success());
    let mut failures = Vec::new();
    for script in scripts() {
        let text = std::fs::read_to_string(&script).expect("a script can be read");
        let uses_greenlet = text.contains("import greenlet") || text.contains("from greenlet");
        if text.contains("import stackless")
            || text.starts_with("# Skein alone\n")
            || uses_greenlet && !has_greenlet
            || (peer == "python3.13" && text.starts_with("# Python 3.14\n"))
        {
            continue;
        }
        let out = output_in_time(Command::new(peer).arg(&script));
        failures.extend(failure(peer, &script, &out));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
