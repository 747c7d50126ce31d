//! Random programs of loops: with the compiler of busy loops forced they print the same as without it.

mod program;

use program::Program;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub const USAGE: &str = "\
usage: cargo xtask jit-programs [N] [SEED]
  N random programs of loops, from SEED on, are run with -X jit=off and with -X jit=force: both must print the same and
  end the same. One that does not is printed with its seed, and left in the folder of temporary files.
  environment: SKEIN_BINARY   the interpreter, instead of a build of this workspace
               SKEIN_OPTIONS  more options for it with blanks between, such as \"-X skein-gc-stress=7\"
               SKEIN_PEER     another interpreter to compare with instead of -X jit=off
               SKEIN_PRINT    if it is set, the program of SEED is printed and not run";

/// A program that takes longer is at fault.
const LIMIT: Duration = Duration::from_secs(60);

pub fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| USAGE.to_owned());
    let (count, first) = match args {
        [] => (1000, 1),
        [n] => (number(n)?, 1),
        [n, seed] => (number(n)?, number(seed)?),
        _ => return Err(USAGE.to_owned()),
    };
    if std::env::var_os("SKEIN_PRINT").is_some() {
        print!("{}", Program::new(first));
        return Ok(());
    }
    let binary = match std::env::var_os("SKEIN_BINARY") {
        Some(path) => PathBuf::from(path),
        None => build(root)?,
    };
    let sides = Sides {
        binary,
        options: std::env::var("SKEIN_OPTIONS")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        peer: std::env::var_os("SKEIN_PEER").map(PathBuf::from),
    };
    let (next, failures) = (AtomicU64::new(first), AtomicU64::new(0));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - first >= count {
                        break;
                    }
                    if let Err(text) = sides.compare(seed) {
                        failures.fetch_add(1, Ordering::Relaxed);
                        println!("{text}");
                    }
                }
            });
        }
    });
    let last = first + count.saturating_sub(1);
    match failures.into_inner() {
        0 => {
            println!("{count} programs print the same: seeds {first} to {last}");
            Ok(())
        }
        n => Err(format!("{n} of {count} programs differ: seeds {first} to {last}")),
    }
}

fn build(root: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--bin", "skein"]).current_dir(root).status();
    match status {
        Ok(status) if status.success() => Ok(root.join("target/debug/skein")),
        Ok(_) => Err("skein cannot be built".to_owned()),
        Err(e) => Err(format!("cargo: {e}")),
    }
}

struct Sides {
    binary: PathBuf,
    options: Vec<String>,
    peer: Option<PathBuf>,
}

/// What a run has shown.
#[derive(PartialEq)]
struct Shown {
    status: String,
    out: String,
    err: String,
}

impl Sides {
    fn compare(&self, seed: u64) -> Result<(), String> {
        let program = Program::new(seed).to_string();
        let path = std::env::temp_dir().join(format!("jit_program_{}_{seed}.py", std::process::id()));
        std::fs::write(&path, &program).map_err(|e| format!("{}: {e}", path.display()))?;
        let (reference, name) = match &self.peer {
            Some(peer) => (run_one(peer, &[], &path)?, peer.display().to_string()),
            None => (self.run_skein("jit=off", &path)?, "-X jit=off".to_owned()),
        };
        let forced = self.run_skein("jit=force", &path)?;
        // A peer tells of an unhandled exception in its own words.
        let same = reference.status == forced.status
            && reference.out == forced.out
            && (self.peer.is_some() || reference.err == forced.err);
        if same {
            let _ = std::fs::remove_file(&path);
            return Ok(());
        }
        Err(format!(
            "=== seed {seed}: {} differs\n--- {name}: {}\n--- -X jit=force: {}\n--- first difference\n{}\n--- errors\n{}",
            path.display(),
            reference.status,
            forced.status,
            first_difference(&reference.out, &forced.out),
            forced.err.lines().rev().take(6).collect::<Vec<_>>().join("\n"),
        ))
    }

    fn run_skein(&self, mode: &str, path: &Path) -> Result<Shown, String> {
        let mut args = vec!["-X", mode];
        args.extend(self.options.iter().map(String::as_str));
        run_one(&self.binary, &args, path)
    }
}

fn run_one(binary: &Path, args: &[&str], path: &Path) -> Result<Shown, String> {
    let outputs = [path.with_extension("out"), path.with_extension("err")];
    let [out, err] = outputs.each_ref().map(|p| std::fs::File::create(p).map_err(|e| e.to_string()));
    let mut child = Command::new(binary)
        .args(args)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(out?)
        .stderr(err?)
        .spawn()
        .map_err(|e| format!("{}: {e}", binary.display()))?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status.to_string();
        }
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            break "does not end".to_owned();
        }
        thread::sleep(Duration::from_millis(3));
    };
    let read = |p: &PathBuf| {
        let text = std::fs::read(p).map_err(|e| e.to_string())?;
        std::fs::remove_file(p).map_err(|e| e.to_string())?;
        Ok::<_, String>(String::from_utf8_lossy(&text).into_owned())
    };
    Ok(Shown { status, out: read(&outputs[0])?, err: read(&outputs[1])? })
}

fn first_difference(left: &str, right: &str) -> String {
    let (mut l, mut r) = (left.lines(), right.lines());
    for number in 1.. {
        match (l.next(), r.next()) {
            (None, None) => return "none on stdout".to_owned(),
            (a, b) if a == b => {}
            (a, b) => return format!("line {number}: {}\n{number}: {}", a.unwrap_or("-"), b.unwrap_or("-")),
        }
    }
    unreachable!("the lines come to an end")
}
