//! Pages that are generated from declarations in the code.

use std::path::Path;

/// A page's path and what makes it.
type Page = (&'static str, fn() -> String);

const PAGES: &[Page] = &[("docs/opcodes.md", skein_bytecode::ops_markdown)];

/// Writes all pages.
///
/// # Errors
/// If a file cannot be written.
pub fn write(root: &Path) -> Result<(), String> {
    for (path, page) in PAGES {
        std::fs::write(root.join(path), page()).map_err(|e| format!("{path}: {e}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Compares all pages with what would be written.
///
/// # Errors
/// The pages that differ.
pub fn check(root: &Path) -> Result<(), String> {
    let stale =
        |(path, page): &&Page| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(&page());
    let stale: Vec<&str> = PAGES.iter().filter(stale).map(|(path, _)| *path).collect();
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("out of date: {}; run `cargo xtask docs`", stale.join(", ")))
    }
}
