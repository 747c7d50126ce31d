//! Checks that no compiler makes: how long files are, and that crates depend on each other one way.

use std::path::{Path, PathBuf};

/// Lines that a source file may have.
const MAX_LINES: usize = 800;

/// Files and folders (with a slash at the end) that may be longer, and why.
const LONG_FILES: &[(&str, &str)] =
    &[("stdlib/python/_ctypes.py", "types of C that refer to each other, to be taken apart")];

/// Crates of the workspace and those of them that each may depend on, at run or build time.
/// The root package, xtask and the fuzzer stand above all and are not listed.
const LAYERS: &[(&str, &[&str])] = &[
    ("skein-bytecode", &[]),
    ("skein-heap", &[]),
    ("skein-continuations", &[]),
    ("skein-foreign", &[]),
    ("skein-sqlite", &[]),
    ("skein-tls", &[]),
    ("skein-compiler", &["skein-bytecode"]),
    ("skein-runtime", &["skein-bytecode", "skein-heap"]),
    ("skein-builtins", &["skein-bytecode", "skein-heap", "skein-runtime"]),
    ("skein-jit", &["skein-bytecode", "skein-heap", "skein-runtime"]),
    ("skein-greenlets", &["skein-bytecode", "skein-heap", "skein-runtime", "skein-continuations"]),
    // The compiler compiles the library ahead, in the build script.
    (
        "skein-stdlib",
        &[
            "skein-bytecode",
            "skein-heap",
            "skein-runtime",
            "skein-builtins",
            "skein-compiler",
            "skein-foreign",
            "skein-sqlite",
            "skein-tls",
        ],
    ),
];

/// Runs all checks.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn run(root: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    collect(root, &mut files).map_err(|e| format!("{}: {e}", root.display()))?;
    files.sort();
    let mut wrong = Vec::new();
    let mut excused = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let text = std::fs::read(path).map_err(|e| format!("{name}: {e}"))?;
        if name.ends_with("Cargo.toml") {
            wrong.extend(layers(&name, &String::from_utf8_lossy(&text)));
            continue;
        }
        if NATIVES.iter().any(|folder| name.starts_with(folder)) {
            wrong.extend(infallible(&name, &String::from_utf8_lossy(&text)));
        }
        let lines = text.split(|&b| b == b'\n').count() - text.ends_with(b"\n") as usize;
        if lines <= MAX_LINES {
            continue;
        }
        let excuse =
            |(long, _): &&(&str, &str)| name == *long || long.ends_with('/') && name.starts_with(long);
        match LONG_FILES.iter().find(excuse) {
            Some((long, _)) => excused.push(*long),
            None => wrong.push(format!("{name}: {lines} lines, {MAX_LINES} are allowed")),
        }
    }
    for (long, _) in LONG_FILES.iter().filter(|(long, _)| !excused.contains(long)) {
        wrong.push(format!("{long}: in LONG_FILES, but not long any more"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Where natives are, whose buffers are as large as a program likes.
const NATIVES: &[&str] =
    &["engine/builtins/src/types/", "engine/builtins/src/modules/", "stdlib/src/modules/"];

/// What ends the process where memory is short, and what to write for it.
const INFALLIBLE: &[(&str, &str)] = &[
    ("Vec::with_capacity(", "vm.buffer(n)?"),
    ("String::with_capacity(", "vm.text_buffer(n)?"),
    ("vec![", "vm.filled(item, n)?"),
    (".repeat(", "vm.filled(item, n)?"),
];

/// Buffers whose size may be a program's, unless the line or the one before says `// bounded:` and by what.
fn infallible(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before = "";
    for (i, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let found = INFALLIBLE.iter().find(|(form, _)| match (code.find(form), *form) {
            (None, _) => false,
            (Some(at), "vec![") => code[at..].contains("; "),
            // Of an object of the heap.
            (Some(at), ".repeat(") => !code[at..].starts_with(".repeat(vm"),
            _ => true,
        });
        if let Some((form, instead)) = found
            && ![line, before].iter().any(|l| l.contains("// bounded:"))
        {
            wrong.push(format!("{file}:{}: {form}…: write {instead}, or say what bounds it", i + 1));
        }
        before = line;
    }
    wrong
}

/// Sources and manifests below a folder, hidden and built ones left out.
fn collect(folder: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(&path, out)?;
            }
        } else if name.ends_with(".rs") || name.ends_with(".py") || name == "Cargo.toml" {
            out.push(path);
        }
    }
    Ok(())
}

/// Edges of a manifest that [`LAYERS`] does not allow. Dev-dependencies are free: tests may look down from above.
fn layers(file: &str, manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut package = "";
    let mut edges = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        }
        let is_edges = section.ends_with("dependencies")
            && !section.ends_with("dev-dependencies")
            && section != "workspace.dependencies";
        let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if section == "package" && key == "name" {
            package = line.split('"').nth(1).unwrap_or_default();
        } else if is_edges && key.starts_with("skein-") {
            edges.push(key);
        }
    }
    if matches!(package, "" | "skein" | "skein-fuzz" | "xtask") {
        return Vec::new();
    }
    match LAYERS.iter().find(|(name, _)| *name == package) {
        None => vec![format!("{file}: {package} has no place in LAYERS (xtask/src/tidy.rs)")],
        Some((_, below)) => {
            let bad = edges.into_iter().filter(|edge| !below.contains(edge));
            bad.map(|edge| format!("{file}: {package} may not depend on {edge}")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_upward_is_found() {
        let manifest = "[package]\nname = \"skein-heap\"\n\n[dependencies]\nskein-runtime.workspace = true\n\
                        [dev-dependencies]\nskein-greenlets = { path = \"x\" }\n";
        assert_eq!(layers("F", manifest), ["F: skein-heap may not depend on skein-runtime"]);
        assert_eq!(layers("F", &manifest.replace("heap", "new")).len(), 1);
        assert!(layers("F", &manifest.replace("skein-heap", "skein-greenlets")).is_empty());
    }

    #[test]
    fn infallible_buffers_are_found() {
        let count = |text: &str| infallible("F", text).len();
        assert_eq!(count("let a = Vec::with_capacity(n);\nlet b = vec![0; n];\nlet c = s.repeat(n);"), 3);
        assert_eq!(count("let a = vec![1, 2];\na.repeat(vm, n)?;\n// vec![0; n]\nvm.buffer(n)?;"), 0);
        assert_eq!(count("// bounded: by the system\nlet a = vec![0; n];\nlet b = vec![0; n];"), 1);
    }

    #[test]
    fn edges_run_one_way() {
        for (i, (_, below)) in LAYERS.iter().enumerate() {
            assert!(below.iter().all(|name| LAYERS[..i].iter().any(|(lower, _)| lower == name)));
        }
    }
}
