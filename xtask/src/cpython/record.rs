//! `tests/cpython.toml`: per module the counts, and each known failure with its reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// What is known of a module.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Record {
    /// Cases that the reference passes.
    pub of: usize,
    /// Those of them that pass here.
    pub passed: usize,
    pub cannot_start: Option<String>,
    /// What most failures come from, in a few words: written by hand, and kept when results are.
    pub why: Option<String>,
    pub failures: BTreeMap<String, String>,
}

pub type Known = BTreeMap<String, Record>;

const HEAD: &str = "\
# CPython's own tests on Skein: per module how many cases the reference interpreter passes (of) and how many of them pass
# here, and each that does not with its reason. Written by `cargo xtask cpython-tests --bless`, which keeps `why`: in a few
# words what most of a module's failures come from, for docs/cpython-tests.md.
";

pub fn read(path: &Path) -> Result<Known, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|line| format!("{}:{line}: cannot be read", path.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Known::new()),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}

pub fn write(path: &Path, known: &Known) -> Result<(), String> {
    std::fs::write(path, print(known)).map_err(|e| format!("{}: {e}", path.display()))
}

/// The part of TOML that [`print`] writes. The error is the number of a line.
fn parse(text: &str) -> Result<Known, usize> {
    let mut known = Known::new();
    let mut module = String::new();
    for (index, line) in text.lines().enumerate() {
        let bad = index + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let header = header.strip_suffix(']').ok_or(bad)?;
            module = header.strip_suffix(".failures").unwrap_or(header).to_owned();
            known.entry(module.clone()).or_default();
            continue;
        }
        let record = known.get_mut(&module).ok_or(bad)?;
        let (key, value) = line.split_once(" = ").ok_or(bad)?;
        match key {
            "of" => record.of = value.parse().map_err(|_| bad)?,
            "passed" => record.passed = value.parse().map_err(|_| bad)?,
            "cannot_start" => record.cannot_start = Some(unquote(value).ok_or(bad)?),
            "why" => record.why = Some(unquote(value).ok_or(bad)?),
            _ => {
                // A name may have ` = ` in it: the key ends at its quote.
                let end = line.find("\" = \"").ok_or(bad)?;
                let key = unquote(&line[..=end]).ok_or(bad)?;
                record.failures.insert(key, unquote(&line[end + 4..]).ok_or(bad)?);
            }
        }
    }
    Ok(known)
}

fn print(known: &Known) -> String {
    let mut out = HEAD.to_owned();
    for (module, record) in known {
        // Writing to a string cannot fail.
        let _ = write!(out, "\n[{module}]\nof = {}\npassed = {}\n", record.of, record.passed);
        if let Some(reason) = &record.cannot_start {
            let _ = writeln!(out, "cannot_start = {}", quote(reason));
        }
        if let Some(why) = &record.why {
            let _ = writeln!(out, "why = {}", quote(why));
        }
        if !record.failures.is_empty() {
            let _ = writeln!(out, "[{module}.failures]");
            for (name, reason) in &record.failures {
                let _ = writeln!(out, "{} = {}", quote(name), quote(reason));
            }
        }
    }
    out
}

fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next()? {
            'u' => {
                let digits: String = rest.by_ref().take(4).collect();
                out.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses() {
        let failures = [("A.b", "E: \"x\" \\ \u{7f}"), ("doc = \"x", "not run")];
        let record = Record {
            of: 3,
            passed: 1,
            cannot_start: None,
            why: Some("a \"reason\"".to_owned()),
            failures: failures.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        };
        let stopped = Record { of: 7, cannot_start: Some("ImportError: x".to_owned()), ..Record::default() };
        let known = Known::from([("test_a".to_owned(), record), ("test_b".to_owned(), stopped)]);
        assert_eq!(parse(&print(&known)), Ok(known));
        assert_eq!(parse("[x]\nnonsense\n"), Err(2));
    }
}
