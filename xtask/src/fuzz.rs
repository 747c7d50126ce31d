//! `cargo xtask fuzz`: builds a target of `tests/fuzz` with LLVM's counters of coverage, and lets libFuzzer search.

use std::path::{Path, PathBuf};
use std::process::Command;

pub const USAGE: &str = "\
usage: cargo xtask fuzz TARGET [--minutes N] [--jobs N]
       cargo xtask fuzz TARGET FILE…
  source      sources: the compiler takes what the reference interpreter takes (SKEIN_REFERENCE; without, no crash)
  bytecode    bytecode as text: what the verifier takes can be run
  containers  operations on containers whose items change the containers
  Searches for N minutes (default 1) in N processes (default 1); what breaks the engine is left in target/fuzz/faults/TARGET, what
  was found on the way in target/fuzz/corpus/TARGET, from where the next search goes on. With files, each is run once.
  Wants a C++ compiler besides what the project needs.";

const TARGETS: &[&str] = &["source", "bytecode", "containers"];

/// What cargo-fuzz passes as well: LLVM's counters in every block of the target's code, and hooks at comparisons.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// # Errors
/// Wrong arguments, a build that fails, or faults that were found.
pub fn run(root: &Path, args: &[&str]) -> Result<(), String> {
    let usage = || USAGE.to_owned();
    let (&target, mut rest) = args.split_first().ok_or_else(usage)?;
    if !TARGETS.contains(&target) {
        return Err(usage());
    }
    let (mut minutes, mut jobs) = (1, 1);
    while let [option, value, more @ ..] = rest
        && option.starts_with("--")
    {
        let value: u32 = value.parse().map_err(|_| usage())?;
        match *option {
            "--minutes" => minutes = value,
            "--jobs" => jobs = value,
            _ => return Err(usage()),
        }
        rest = more;
    }
    let binary = build(root, target)?;
    if !rest.is_empty() {
        return status(Command::new(binary).args(rest), "an input is at fault");
    }
    let folder = root.join("target/fuzz");
    let [corpus, faults] = ["corpus", "faults"].map(|name| folder.join(name).join(target));
    for folder in [&corpus, &faults] {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    seed(root, target, &corpus)?;
    let mut search = Command::new(binary);
    search
        .arg(&corpus)
        .arg(format!("-max_total_time={}", minutes * 60))
        .arg(format!("-artifact_prefix={}/", faults.display()))
        .arg(format!("-fork={jobs}"))
        .args([
            "-ignore_crashes=1",
            "-ignore_ooms=0",
            "-ignore_timeouts=0",
            "-timeout=20",
            "-rss_limit_mb=3000",
        ])
        .args(["-max_len=6000", "-len_control=20", "-use_value_profile=0"])
        .env("SKEIN_FUZZ_DIFFERENCES", &faults);
    status(&mut search, "the search ended early")?;
    let found = std::fs::read_dir(&faults).map_err(|e| format!("{}: {e}", faults.display()))?.count();
    match found {
        0 => Ok(()),
        n => Err(format!("{n} faults, in {}", faults.display())),
    }
}

/// The seeds, as the target takes them.
fn seed(root: &Path, target: &str, corpus: &Path) -> Result<(), String> {
    if target == "containers" {
        // Any bytes are a program; libFuzzer begins by itself.
        return Ok(());
    }
    let seeds = root.join("tests/fuzz/seeds");
    for entry in std::fs::read_dir(&seeds).map_err(|e| format!("{}: {e}", seeds.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let name = path.file_name().unwrap_or_default();
        let text = match target {
            "bytecode" => {
                let mut compile = cargo(root);
                compile.args(["run", "--quiet", "--bin", "skein", "--", "-X", "skein-bytecode"]).arg(&path);
                compile.output().map_err(|e| format!("cargo: {e}"))?.stdout
            }
            _ => std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?,
        };
        std::fs::write(corpus.join(name), text).map_err(|e| format!("{}: {e}", corpus.display()))?;
    }
    Ok(())
}

fn build(root: &Path, target: &str) -> Result<PathBuf, String> {
    let triple = host()?;
    let name = format!("fuzz-{target}");
    let mut build = cargo(root);
    // With a target named, build scripts are built without the counters.
    build
        .args(["build", "-p", "skein-fuzz", "--features", "libfuzzer", "--profile", "fuzz", "--bin", &name])
        .args(["--target", &triple, "--target-dir", "target/fuzz"])
        .env("RUSTFLAGS", COVERAGE);
    status(&mut build, "the target cannot be built")?;
    Ok(root.join("target/fuzz").join(triple).join("fuzz").join(name))
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

fn status(command: &mut Command, otherwise: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{otherwise}: {status}")),
        Err(e) => Err(format!("{}: {e}", command.get_program().display())),
    }
}

/// The triple of this machine, which rustc tells.
fn host() -> Result<String, String> {
    let told = Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = told.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| "rustc does not tell its host".to_owned())
}
