//! Chores of the workspace, run as `cargo xtask COMMAND`.

mod cpython;
mod docs;
mod fuzz;
mod jit;
mod native;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask COMMAND
  cpython-tests  run CPython's own tests (--help says how)
  docs           write the generated pages in docs/
  docs --check   fail if a generated page is out of date
  fuzz TARGET    look for inputs that break the engine (--help says how)
  jit-programs [N] [SEED]
                 compare N random programs with and without the compiler of loops
                 (--help says more)
  jit-traces N SEED
                 compare the machine code of N random traces with the reference
  native NAME    begin a module in Rust that Python imports as NAME
  tidy           check file sizes and the layers of crates";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["cpython-tests", "--help"] => Err(cpython::USAGE.to_owned()),
        ["cpython-tests", ref rest @ ..] => cpython::run(&root(), rest),
        ["docs"] => docs::write(&root()),
        ["docs", "--check"] => docs::check(&root()),
        ["fuzz", "--help"] => Err(fuzz::USAGE.to_owned()),
        ["fuzz", ref rest @ ..] => fuzz::run(&root(), rest),
        ["jit-programs", "--help"] => Err(jit::USAGE.to_owned()),
        ["jit-programs", ref rest @ ..] => jit::run(&root(), rest),
        ["jit-traces", count, seed] => jit_traces(&root(), count, seed),
        ["native", name] => native::scaffold(&root(), name),
        ["tidy"] => tidy::run(&root()),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs the JIT's random traces, in a release build.
fn jit_traces(root: &Path, count: &str, seed: &str) -> Result<(), String> {
    let test = ["test", "--release", "-p", "skein-jit", "--test", "traces", "--", "--nocapture"];
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let cargo = cargo.args(test).current_dir(root).env("SKEIN_TRACES", count).env("SKEIN_SEED", seed);
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the traces differ, or could not be run".to_owned()),
        Err(e) => Err(format!("cargo: {e}")),
    }
}
