//! `docs/cpython-tests.md`: the committed results as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::record::{self, Known, Record};
use super::sets;

const HEAD: &str = "\
# CPython's own tests

What `cargo xtask cpython-tests` found, from `tests/cpython.toml`, which names each failure with its reason; written by
`cargo xtask docs`. A case counts if CPython 3.14 passes it on the same machine. Cases that want modules of CPython's own build
(`_testcapi` and others that look into it) count, and fail.

";

/// What reasons say, and how the table puts it: the first that applies.
const CAUSES: &[(&[&str], &str)] = &[
    (&["nterpreters", "InterpreterPool", "_interp"], "several interpreters in a process"),
    (&["_test", "_xx", "xxsubtype", "ndarray object", "ctypes.pythonapi"], "modules of CPython's build"),
    (&["specialization", "JIT"], "how CPython specializes instructions"),
    (&["dynamic loading", "ExtensionFileLoader", "extension module"], "extension modules in C"),
    (&["undefined symbol: Py"], "CPython's interface for C"),
    (&["Opcode ", "opcode", "not found in {'MOVE'", "'RESUME'", "RESUME 0"], "CPython's instructions"),
];

/// The page.
///
/// # Errors
/// If the results cannot be read.
pub fn page(root: &Path) -> Result<String, String> {
    Ok(print(&record::read(&root.join("tests/cpython.toml"))?))
}

fn print(known: &Known) -> String {
    let mut out = HEAD.to_owned();
    for (title, core) in [("The language and the core library", true), ("All other modules", false)] {
        let of_set: Vec<_> = known.iter().filter(|(module, _)| sets::is_core(module) == core).collect();
        let sum = |f: fn(&Record) -> usize| of_set.iter().map(|(_, r)| f(r)).sum::<usize>();
        let (passed, of) = (sum(|r| r.passed), sum(|r| r.of));
        let share = 100.0 * passed as f64 / of.max(1) as f64;
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "## {title}\n\n{passed} of {of} cases ({share:.2} %) in {} modules.\n\n\
             | module | passed | of | what fails, and why |\n|---|---:|---:|---|\n",
            of_set.len()
        );
        for (module, record) in of_set {
            let (passed, of) = (record.passed, record.of);
            let _ = writeln!(out, "| {module} | {passed} | {of} | {} |", why(record));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// What fails of a module, and why.
fn why(record: &Record) -> String {
    let mut parts: Vec<String> = record.why.iter().map(|why| cell(why)).collect();
    if let Some(reason) = &record.cannot_start {
        parts.push(format!("does not start: {}", told(reason)));
    } else if record.of == 0 {
        parts.push("no case that CPython passes here".to_owned());
    }
    let mut causes = BTreeMap::<String, usize>::new();
    for reason in record.failures.values() {
        *causes.entry(told(reason)).or_default() += 1;
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    // Single ones are named as long as the cell can be read; the file has them all.
    let named = causes.len().min(if causes.len() > 4 { 3 } else { 4 });
    parts.extend(causes[..named].iter().map(|(cause, count)| format!("{count}: {cause}")));
    let rest: usize = causes[named..].iter().map(|(_, count)| count).sum();
    if rest > 0 {
        parts.push(format!("{rest} for other reasons"));
    }
    parts.join("; ")
}

/// A reason in a few words.
fn told(reason: &str) -> String {
    let cause = CAUSES.iter().find(|(marks, _)| marks.iter().any(|mark| reason.contains(mark)));
    cause.map_or_else(|| cell(reason), |(_, cause)| (*cause).to_owned())
}

/// Text that fits into a table's cell.
fn cell(text: &str) -> String {
    let mut short: String = text.chars().take(70).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    let plain = short.chars().map(|c| {
        if matches!(c, '|' | '<' | '>' | '`' | '*' | '_') { format!("\\{c}") } else { c.to_string() }
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_counted() {
        let failures = [
            ("A.a", "skipped: requires _testcapi"),
            ("A.b", "skipped: need the _testinternalcapi module"),
            ("A.c", "E: a|b"),
        ];
        let record = Record {
            of: 5,
            passed: 2,
            failures: failures.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Record::default()
        };
        assert_eq!(why(&record), "2: modules of CPython's build; 1: E: a\\|b");
        let page = print(&Known::from([("test_int".to_owned(), record)]));
        assert!(page.contains("2 of 5 cases (40.00 %) in 1 modules"), "{page}");
    }
}
