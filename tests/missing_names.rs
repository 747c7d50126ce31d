//! Names of the library that CPython has and Skein has not: each has its reason in docs/differences.md.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Prints what modules and their classes have, a line each: the module or class, then the names; `!` where a module cannot be
/// imported.
const LISTING: &str = r#"
import importlib, sys, types, warnings
warnings.simplefilter("ignore")
others = ("_test", "_xx", "idlelib", "tkinter", "_tkinter", "turtle", "antigravity", "this", "msvcrt", "_win", "win", "nt", "_wmi", "_overlapped", "_msi", "_scproxy")
for name in sys.argv[1:] or sorted(n for n in sys.stdlib_module_names if not n.startswith(others)):
    try:
        module = importlib.import_module(name)
    except Exception:
        print("NAMES", name, "!")
        continue
    print("NAMES", name, *(n for n in dir(module) if not isinstance(getattr(module, n, None), types.ModuleType)))
    for n, c in vars(module).items():
        if isinstance(c, type) and c.__module__.lstrip("_") == name.lstrip("_") and not n.startswith("__"):
            print("NAMES", f"{name}.{n}", *dir(c))
"#;

type Listing = BTreeMap<String, BTreeSet<String>>;

fn listing(python: &str, modules: &[String]) -> Listing {
    let out = Command::new(python).args(["-c", LISTING]).args(modules).output();
    let out = out.unwrap_or_else(|e| panic!("{python}: {e}"));
    assert!(out.status.success(), "{python}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let rows = text.lines().filter_map(|line| line.strip_prefix("NAMES "));
    rows.map(|row| {
        let mut words = row.split(' ').map(str::to_owned);
        (words.next().unwrap_or_default(), words.collect())
    })
    .collect()
}

/// What the table of names in the document has in backquotes in its first column: names, modules, or both with a dot; a star is
/// any end.
fn reasons() -> BTreeSet<String> {
    let page = include_str!("../docs/differences.md");
    let (_, table) = page.split_once("## Names that are not there").expect("the document has the table");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| names |"));
    let columns = rows.filter_map(|row| row.split(" | ").next());
    columns.flat_map(|first| first.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn has_reason(reasons: &BTreeSet<String>, owner: &str, name: &str) -> bool {
    let full = format!("{owner}.{name}");
    reasons.iter().any(|reason| match reason.strip_suffix('*') {
        Some(start) => name.starts_with(start) || full.starts_with(start),
        None => reason == name || reason == owner || full == *reason || full.ends_with(&format!(".{reason}")),
    })
}

#[test]
fn reasons_are_found_by_name_owner_and_beginning() {
    let reasons = ["_map*", "_dbm", "flag", "C.gone"].map(str::to_owned).into();
    let has = |owner, name| has_reason(&reasons, owner, name);
    assert!(has("_codecs", "_map_x") && has("_dbm", "open") && has("sys", "flag") && has("m.C", "gone"));
    assert!(!has("sys", "flags") && !has("m.D", "gone") && !has("dbm", "open"));
}

#[test]
fn every_name_that_is_missing_has_its_reason() {
    let Ok(reference) = std::env::var("SKEIN_REFERENCE") else {
        eprintln!("skipped: SKEIN_REFERENCE names no interpreter to compare with");
        return;
    };
    let wanted = listing(&reference, &[]);
    let can_be_imported =
        wanted.iter().filter(|(owner, names)| !names.contains("!") && is_module(&wanted, owner));
    let modules: Vec<String> = can_be_imported.map(|(owner, _)| owner.clone()).collect();
    let found = listing(env!("CARGO_BIN_EXE_skein"), &modules);
    let reasons = reasons();
    let mut without = Vec::new();
    let mut missing = 0;
    for (owner, names) in &wanted {
        let Some(there) = found.get(owner) else { continue };
        for name in names.iter().filter(|n| *n != "!" && !there.contains(*n)) {
            missing += 1;
            if !has_reason(&reasons, owner, name) {
                without.push(format!("{owner}.{name}"));
            }
        }
    }
    println!("{missing} names are missing");
    assert!(modules.len() > 200, "only {} modules were compared", modules.len());
    assert!(without.is_empty(), "names without a reason in docs/differences.md: {without:?}");
}

/// Is it a module, and not a class of the module before the last dot?
fn is_module(all: &Listing, name: &str) -> bool {
    name.rsplit_once('.')
        .is_none_or(|(owner, class)| !all.get(owner).is_some_and(|names| names.contains(class)))
}
