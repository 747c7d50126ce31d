//! Runs `tests/filetests/*.skb`. The first line of a file says what is tested:
//!
//! - `; test: print`: the rest is a code in the plain text form and prints exactly as it stands.
//! - `; test: verify`: cases, each begun by a line `; case: name` and ended by `; -> ` and what the
//!   verifier says.
//!
//! `SKEIN_BLESS=1 cargo test -p skein-bytecode` rewrites the files with what comes out; read the diff.

use std::fmt::Write;
use std::path::Path;

#[test]
fn filetests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "the file tests are gone");
    let mut failed = Vec::new();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "skb")) {
        let text = std::fs::read_to_string(path).unwrap();
        let (header, body) = text.split_once('\n').unwrap();
        let got = match header {
            "; test: print" => format!("{header}\n{}", parse(path, body)),
            "; test: verify" => format!("{header}\n{}", verify_cases(path, body)),
            _ => panic!("{}: unknown header {header}", path.display()),
        };
        if got == text {
            continue;
        }
        if std::env::var_os("SKEIN_BLESS").is_some() {
            std::fs::write(path, got).unwrap();
        } else {
            let line = got.lines().zip(text.lines()).position(|(a, b)| a != b).map_or(0, |i| i + 1);
            failed.push(format!("{}:{line}\n{got}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn parse(path: &Path, text: &str) -> skein_bytecode::Code {
    skein_bytecode::parse(text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", path.display()))
}

fn verify_cases(path: &Path, body: &str) -> String {
    let mut out = String::new();
    for case in body.split_inclusive("; case: ") {
        let case = case.strip_suffix("; case: ").unwrap_or(case);
        if out.is_empty() {
            // What stands above the first case is a comment on the file.
            write!(out, "{case}; case: ").unwrap();
            continue;
        }
        let end = case.rfind("; -> ").unwrap_or(case.len());
        let code = parse(path, case[..end].split_once('\n').unwrap().1);
        let result = skein_bytecode::verify(&code);
        let result = result.map_or_else(|e| e.to_string(), |()| "ok".to_owned());
        write!(out, "{}; -> {result}\n\n; case: ", &case[..end]).unwrap();
    }
    out.truncate(out.len() - "\n; case: ".len());
    out
}
