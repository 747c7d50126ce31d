//! Pages that are generated from declarations in the code.

use std::path::Path;

/// A page's path and what makes it.
type Page = (&'static str, fn(&Path) -> Result<String, String>);

const PAGES: &[Page] = &[
    ("docs/opcodes.md", |_| Ok(skein_bytecode::ops_markdown())),
    ("docs/cpython-tests.md", crate::cpython::page),
];

/// Writes all pages.
///
/// # Errors
/// If a file cannot be written.
pub fn write(root: &Path) -> Result<(), String> {
    for (path, page) in PAGES {
        std::fs::write(root.join(path), page(root)?).map_err(|e| format!("{path}: {e}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Compares all pages with what would be written.
///
/// # Errors
/// The pages that differ.
pub fn check(root: &Path) -> Result<(), String> {
    let mut stale = Vec::new();
    for (path, page) in PAGES {
        if std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(&page(root)?) {
            stale.push(*path);
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("out of date: {}; run `cargo xtask docs`", stale.join(", ")))
    }
}
