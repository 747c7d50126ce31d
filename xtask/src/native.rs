//! The beginnings of a native module: its file, its place in the list of modules, a script that tests it.

use std::fs;
use std::path::Path;

/// The folder of the modules that the engine does not need, whose `mod.rs` lists them.
const MODULES: &str = "stdlib/src/modules";
const SCRIPTS: &str = "tests/scripts";
const LIST: &str = "const MODULES: &[(&str, MakeModule)] = &[";

/// Words that cannot name a module of Rust.
const KEYWORDS: &str = " abstract as async await become box break const continue crate do dyn else enum extern \
false final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static \
struct super trait true try type typeof unsafe unsized use virtual where while yield ";

/// Writes the files of the module that Python calls `name`, and registers it.
///
/// # Errors
/// If the name is none, or taken, or a file cannot be read or written. Then nothing has changed, unless
/// it was the disk that failed.
pub fn scaffold(root: &Path, name: &str) -> Result<(), String> {
    // As `_io` is in io.rs.
    let stem = name.trim_start_matches('_');
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
    if !stem.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_letter) {
        return Err(format!("'{name}' is no name for a module: small letters, digits and underscores"));
    }
    if stem == "mod" || KEYWORDS.contains(&format!(" {stem} ")) {
        return Err(format!("'{stem}' is a word of Rust's"));
    }
    let list = root.join(MODULES).join("mod.rs");
    let module = root.join(MODULES).join(format!("{stem}.rs"));
    let script = root.join(SCRIPTS).join(format!("{stem}_module.py"));
    for path in [&module, &script] {
        if path.exists() {
            return Err(format!("{} is there already", path.display()));
        }
    }
    let text = fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    let registered = register(&text, name, stem).map_err(|e| format!("{}: {e}", list.display()))?;
    for (path, text) in [(&module, rust(name)), (&script, python(name)), (&list, registered)] {
        fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// The list of modules with one more, in order of the files' names.
fn register(text: &str, name: &str, stem: &str) -> Result<String, String> {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    if lines.iter().any(|line| line.contains(&format!("(\"{name}\", ")) || *line == format!("mod {stem};")) {
        return Err(format!("'{name}' is there already"));
    }
    let is_mod = |line: &String| line.starts_with("mod ") && line.ends_with(';');
    insert(&mut lines, 0, format!("mod {stem};"), is_mod, |line| line.clone())?;
    let start = lines.iter().position(|line| line == LIST).ok_or("the list of modules was not found")?;
    let is_row = |line: &String| line.starts_with("    (\"");
    // A row is known by its function's path.
    let key = |line: &String| line.rsplit_once(", ").map_or(String::new(), |(_, path)| path.to_string());
    insert(&mut lines, start + 1, format!("    (\"{name}\", {stem}::make),"), is_row, key)?;
    Ok(lines.join("\n") + "\n")
}

/// Puts a line into the rows of its kind that begin at or after `from`, where it belongs in their order.
fn insert(
    lines: &mut Vec<String>,
    from: usize,
    line: String,
    is_row: impl Fn(&String) -> bool,
    key: impl Fn(&String) -> String,
) -> Result<(), String> {
    let first = lines[from..].iter().position(&is_row).ok_or("no row of the kind was found")? + from;
    let rows = lines[first..].iter().take_while(|line| is_row(line));
    let before = rows.take_while(|row| key(row) < key(&line)).count();
    lines.insert(first + before, line);
    Ok(())
}

fn rust(name: &str) -> String {
    format!(
        r#"//! The module `{name}`.

use skein_runtime::object::Ref;
use skein_runtime::types::module::{{Module, make_module}};
use skein_runtime::{{R, Vm, native_functions}};

native_functions! {{ FUNCTIONS:
    "half(x, /)" => half, "Return half of x.";
}}

/// ValueError for a negative number.
fn half(vm: &Vm, x: f64) -> R<f64> {{
    if x < 0.0 {{
        return Err(vm.value_error("x must not be negative"));
    }}
    Ok(x / 2.0)
}}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {{
    make_module(vm, "{name}", FUNCTIONS)
}}
"#
    )
}

fn python(name: &str) -> String {
    format!(
        r#"import {name}

assert {name}.half(3) == 1.5
assert {name}.half.__text_signature__ == "(x, /)"
assert {name}.half.__doc__ == "Return half of x."

try:
    {name}.half(-1)
except ValueError as e:
    assert str(e) == "x must not be negative"
else:
    assert False

try:
    {name}.half("3")
except TypeError:
    pass
else:
    assert False
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A folder with a copy of the real list, that goes away at the end.
    struct Copy(PathBuf);

    impl Copy {
        fn new(name: &str) -> Copy {
            let copy = Copy(std::env::temp_dir().join(format!("skein-xtask-{name}-{}", std::process::id())));
            let _ = fs::remove_dir_all(&copy.0);
            for folder in [MODULES, SCRIPTS] {
                fs::create_dir_all(copy.0.join(folder)).expect("a folder for the test");
            }
            let list = Path::new(MODULES).join("mod.rs");
            fs::copy(crate::root().join(&list), copy.0.join(&list)).expect("the list of modules");
            copy
        }

        fn read(&self, folder: &str, file: &str) -> String {
            fs::read_to_string(self.0.join(folder).join(file)).unwrap_or_default()
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_module_is_written_and_registered_in_its_place() {
        let copy = Copy::new("place");
        let before = copy.read(MODULES, "mod.rs");
        for name in ["zeta", "_alpha", "prime"] {
            scaffold(&copy.0, name).expect("it is new");
        }
        assert!(copy.read(MODULES, "alpha.rs").contains("make_module(vm, \"_alpha\", FUNCTIONS)"));
        assert!(copy.read(SCRIPTS, "alpha_module.py").starts_with("import _alpha\n"));
        let after = copy.read(MODULES, "mod.rs");
        let added: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
        let expected = [
            "mod alpha;",
            "mod prime;",
            "mod zeta;",
            "    (\"_alpha\", alpha::make),",
            "    (\"prime\", prime::make),",
            "    (\"zeta\", zeta::make),",
        ];
        assert_eq!(added, expected);
        let files: Vec<&str> = after.lines().filter(|line| line.starts_with("mod ")).collect();
        assert!(files.is_sorted(), "{files:?}");
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let copy = Copy::new("refused");
        let before = copy.read(MODULES, "mod.rs");
        for name in
            ["", "_", "Big", "a-b", "a.b", "ä", "9x", "match", "mod", "../x", "errno", "_socket", "_errno"]
        {
            scaffold(&copy.0, name).expect_err(name);
        }
        assert_eq!(copy.read(MODULES, "mod.rs"), before);
        scaffold(&copy.0, "prime").expect("it is new");
        scaffold(&copy.0, "prime").expect_err("it is no longer");
    }
}
