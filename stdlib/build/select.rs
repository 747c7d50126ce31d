//! Which files of the library go in, and what they are called there.

use crate::Source;
use std::path::{Path, PathBuf};

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

/// Files that are no modules but are asked for: paths, or what they begin with.
const DATA: &[&str] = &["ensurepip/_bundled/", "pydoc_data/_pydoc.css", "venv/scripts/"];

/// A file that is no module.
pub struct Data {
    /// Where it is.
    pub file: PathBuf,
    /// Path below `Lib`, with slashes.
    pub path: String,
}

/// Whether a file of the library that is no module goes in.
pub fn is_data(path: &str) -> bool {
    DATA.iter().any(|wanted| path.starts_with(wanted))
}

/// All files of a folder that go in, sorted by path: modules, and others, of which `is_data` says which. `own` are
/// Skein's, which may stand for modules that are left out.
///
/// # Errors
/// If the library cannot be read.
pub fn files(lib: &Path, own: bool, is_data: fn(&str) -> bool) -> std::io::Result<(Vec<Source>, Vec<Data>)> {
    let (mut sources, mut data) = (Vec::new(), Vec::new());
    collect(lib, "", &mut sources, &mut data)?;
    sources.retain(|source| own || !is_left_out(&source.path));
    data.retain(|d| is_data(&d.path));
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((sources, data))
}

fn collect(folder: &Path, prefix: &str, out: &mut Vec<Source>, data: &mut Vec<Data>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // `file_type` does not follow links: on some hosts files of a checkout are links.
        if entry.path().is_dir() {
            let path = format!("{prefix}{name}/");
            if !is_left_out(&path) {
                collect(&entry.path(), &path, out, data)?;
            }
            continue;
        }
        let path = format!("{prefix}{name}");
        let Some(stem) = path.strip_suffix(".py") else {
            data.push(Data { file: entry.path(), path });
            continue;
        };
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
