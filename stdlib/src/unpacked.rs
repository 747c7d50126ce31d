//! The library's sources on disk, for programs that want files: written whole the first time that anything is looked for
//! under the folder whose name stands for the library (`Config::library`).
//!
//! What runs is always the packed code, and tracebacks show the packed text: so nothing hangs on who has written to the
//! folder. Its name says which library it has, and it comes into being by being renamed.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Where the library of this program is unpacked: in the user's folder for caches. None if there is none.
pub fn place() -> Option<PathBuf> {
    let caches = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let caches =
        caches.or_else(|| std::env::home_dir().filter(|h| h.is_absolute()).map(|h| h.join(".cache")))?;
    Some(caches.join("skein").join(crate::VERSION))
}

/// Called with each path that a program looks for: one that leads into `library` finds the files there. Where they cannot
/// be written, it finds what the folder has, and the system says what is wrong.
pub fn look_for(library: &str, path: &[u8]) {
    let Some(rest) = path.strip_prefix(library.as_bytes()).filter(|_| !library.is_empty()) else { return };
    if matches!(rest.first(), None | Some(b'/')) {
        write_once(Path::new(library));
    }
}

#[cold]
fn write_once(folder: &Path) {
    static TRIED: Mutex<Option<PathBuf>> = Mutex::new(None);
    let Ok(mut tried) = TRIED.lock() else { return };
    if tried.as_deref() != Some(folder) {
        if !folder.exists() {
            // Whoever looks for a file is told by the system that it is not there.
            let _ = write(folder);
        }
        *tried = Some(folder.into());
    }
}

fn write(folder: &Path) -> std::io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    std::fs::create_dir_all(parent)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = parent.join(format!(".{name}.{}", std::process::id()));
    let written = write_all(&unfinished).and_then(|()| std::fs::rename(&unfinished, folder));
    if written.is_err() {
        // Another process may have been first.
        std::fs::remove_dir_all(&unfinished)?;
    }
    written
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    let put = |path: &str, content: &[u8]| {
        let file = folder.join(path);
        if let Some(inside) = file.parent() {
            std::fs::create_dir_all(inside)?;
        }
        std::fs::write(file, content)
    };
    for entry in crate::entries() {
        put(&entry.path(), &entry.source())?;
    }
    for data in crate::DATA {
        put(data.path, &crate::inflated(data.start, data.deflated_len, data.len))?;
    }
    Ok(())
}
