//! Runs the scripts under `tests/tracebacks`, which end with an exception: what they print to stderr must be what the
//! text file beside them has.

use std::path::Path;
use std::process::Command;

#[test]
fn uncaught_exceptions_are_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tracebacks");
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of scripts can be read") {
        let script = entry.expect("an entry").path();
        if script.extension().is_none_or(|e| e != "py") {
            continue;
        }
        let name = script.file_name().expect("a file's name");
        let out = Command::new(env!("CARGO_BIN_EXE_skein"))
            .current_dir(&folder)
            .arg(name)
            .output()
            .expect("skein can be started");
        let shown = String::from_utf8_lossy(&out.stderr).into_owned();
        let expected = std::fs::read_to_string(script.with_extension("txt")).expect("the expected text");
        // File names are shown as the command line gave them, or in full.
        let shown = shown.replace(&format!("{}/", folder.display()), "");
        let expected = expected.replace(&format!("{}/", folder.display()), "");
        if shown != expected {
            failures.push(format!("{}:\n{shown}\ninstead of\n{expected}", script.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
