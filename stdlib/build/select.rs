//! Which files of the library go in, and what they are called there.

use crate::Source;
use std::path::Path;

/// Files and folders (with a slash at the end) that stay out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("_opcode_metadata.py", "CPython's instructions; Skein's own file is in its place"),
    ("dis.py", "CPython's instructions; Skein's own file is in its place"),
    ("idlelib/", "needs tkinter"),
    ("opcode.py", "CPython's instructions; Skein's own file is in its place"),
    ("tkinter/", "needs Tk"),
    ("turtle.py", "needs tkinter"),
    ("turtledemo/", "needs tkinter"),
    ("_dummy_os.py", "RustPython's, for hosts without an operating system"),
    ("_dummy_thread.py", "RustPython's, for hosts without threads"),
    ("dummy_threading.py", "RustPython's, for hosts without threads"),
];

/// Files that the compiler cannot compile yet, and why. The build fails when one compiles.
pub const NOT_COMPILED: &[(&str, &str)] = &[];

/// Modules whose code stands in CPython's tracebacks under a frozen name. The traceback code of the
/// import system looks for the first two by these names.
const FROZEN: &[&str] = &["importlib._bootstrap", "importlib._bootstrap_external", "zipimport"];

/// All files of a folder that go in, sorted by path; `own` are Skein's.
///
/// # Errors
/// If the library cannot be read.
pub fn sources(lib: &Path, own: bool) -> std::io::Result<Vec<Source>> {
    let mut out = Vec::new();
    collect(lib, "", &mut out)?;
    out.retain(|source| own || !is_left_out(&source.path));
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

fn collect(folder: &Path, prefix: &str, out: &mut Vec<Source>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // `file_type` does not follow links: on some hosts files of a checkout are links.
        if entry.path().is_dir() {
            let path = format!("{prefix}{name}/");
            if !is_left_out(&path) {
                collect(&entry.path(), &path, out)?;
            }
            continue;
        }
        let path = format!("{prefix}{name}");
        let Some(stem) = path.strip_suffix(".py") else { continue };
        let (stem, is_package) = match stem.strip_suffix("/__init__") {
            Some(package) => (package, true),
            None => (stem, false),
        };
        out.push(Source { file: entry.path(), module: stem.replace('/', "."), is_package, path });
    }
    Ok(())
}

fn is_left_out(path: &str) -> bool {
    LEFT_OUT.iter().any(|(out, _)| *out == path)
}

/// What `co_filename` says.
pub fn filename(source: &Source) -> String {
    match FROZEN.contains(&source.module.as_str()) {
        true => format!("<frozen {}>", source.module),
        false => format!("<stdlib>/{}", source.path),
    }
}
