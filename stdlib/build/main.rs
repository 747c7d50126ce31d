//! Compiles the pure-Python standard library ahead and packs it into one blob.
//!
//! In: the files of the crate `rustpython-pylib`, which are CPython's, and Skein's own in `python`. Out, in `OUT_DIR`:
//!
//! - `library.bin`: for each module its code in the file form of skein-bytecode, plain, since most functions of a module
//!   are never looked at, and behind all codes the sources and what is no module, deflated;
//! - `index.rs`: records of plain numbers sorted by module name, and one piece with the names. No pointers:
//!   nothing is relocated when a program starts.
//!
//! Nothing of this runs again until the compiler, this script or the library changes.

mod mends;
mod pack;
mod patches;
mod select;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A Python file that goes in.
pub struct Source {
    /// Where it is.
    pub file: PathBuf,
    /// Path below `Lib`, with slashes.
    pub path: String,
    /// Module name, e.g. `collections.abc`.
    pub module: String,
    pub is_package: bool,
}

/// Skein's own modules in Python.
const OWN: &str = "python";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={OWN}");
    println!("cargo::rerun-if-changed={}", rustpython_pylib::LIB_PATH);
    match run(Path::new(rustpython_pylib::LIB_PATH)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in &problems {
                println!("cargo::error={problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(lib: &Path) -> Result<(), Vec<String>> {
    let one = |problem: String| vec![problem];
    let (mut sources, mut data) = (Vec::new(), Vec::new());
    let all: fn(&str) -> bool = |_| true;
    for (folder, own) in [(lib, false), (Path::new(OWN), true)] {
        let is_data = if own { all } else { select::is_data };
        let found = select::files(folder, own, is_data);
        let (modules, files) = found.map_err(|e| one(format!("{}: {e}", folder.display())))?;
        sources.extend(modules);
        data.extend(files);
    }
    data.sort_by(|a, b| a.path.cmp(&b.path));
    patches::check_all(&sources).map_err(one)?;
    let modules = compile_all(&sources)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or_else(|| one("no OUT_DIR".into()))?);
    pack::write(&out, &modules, &data).map_err(|e| one(format!("{}: {e}", out.display())))
}

/// Compiles all files on all cores. Order of the result is that of the sources.
fn compile_all(sources: &[Source]) -> Result<Vec<pack::Module>, Vec<String>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(sources.len()));
    let work = || {
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = compile(source).map_err(|problem| format!("{}: {problem}", source.path));
            if let Ok(mut done) = done.lock() {
                done.push(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(work);
        }
    });
    let (mut modules, mut problems) = (Vec::new(), Vec::new());
    for result in done.into_inner().unwrap_or_default() {
        match result {
            Ok(Some(module)) => modules.push(module),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    problems.sort();
    modules.sort_by(|a: &pack::Module, b| a.name.cmp(&b.name));
    if problems.is_empty() { Ok(modules) } else { Err(problems) }
}

/// Compiles one file; `None` if it is known not to compile.
fn compile(source: &Source) -> Result<Option<pack::Module>, String> {
    let text = std::fs::read(&source.file).map_err(|e| e.to_string())?;
    let text = patches::apply(&source.path, text)?;
    let options = skein_compiler::Options::default();
    let filename = select::filename(source);
    let code = skein_compiler::compile(&text, &filename, skein_compiler::Mode::Exec, &options);
    let known = select::NOT_COMPILED.iter().any(|(path, _)| *path == source.path);
    let code = match (code, known) {
        (Ok(code), false) => code,
        (Err(_), true) => return Ok(None),
        (Ok(_), true) => return Err("compiles now: take it out of NOT_COMPILED (build/select.rs)".into()),
        (Err(e), false) => return Err(e.to_string()),
    };
    skein_bytecode::verify(&code).map_err(|e| format!("the verifier refuses it: {e}"))?;
    let code = skein_bytecode::write_file(&code).map_err(|e| e.to_string())?;
    Ok(Some(pack::Module::new(source, &code, &text)))
}
