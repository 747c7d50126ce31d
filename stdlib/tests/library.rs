//! Every packed module reads back, verifies, and has its source.

use skein_stdlib::{FILENAME_PREFIX, children, entries, find};

#[test]
fn every_module_reads_back_and_verifies() {
    let (mut plain, mut stored, mut sources, mut texts, mut units) = (0, 0, 0, 0, 0);
    for entry in entries() {
        let bytes = entry.code();
        let code = skein_bytecode::read_file(bytes).unwrap_or_else(|e| panic!("{entry:?}: {e}"));
        skein_bytecode::verify(&code).unwrap_or_else(|e| panic!("{entry:?}: {e}"));
        let source = entry.source();
        let filename = format!("{FILENAME_PREFIX}{}", entry.path());
        assert!(*code.filename == *filename || code.filename.starts_with("<frozen "), "{}", code.filename);
        plain += bytes.len();
        texts += source.len();
        stored += entry.stored_size().0;
        sources += entry.stored_size().1;
        units += code.units.len();
    }
    println!("{} modules; code {plain} bytes, stored {stored}", entries().len());
    println!("source {texts} bytes, stored {sources}; {units} units at module level");
    assert!(entries().len() > 500);
}

#[test]
fn text_form_comes_back_for_the_whole_library() {
    for entry in entries() {
        let code = skein_bytecode::read_file(entry.code()).unwrap();
        let text = format!("{code:#}");
        let back = skein_bytecode::parse(&text).unwrap_or_else(|e| panic!("{entry:?}: {e}"));
        assert!(back == code, "{entry:?} does not come back from its text form");
    }
}

#[test]
fn look_ups() {
    let collections = find("collections").unwrap();
    assert!(collections.is_package());
    assert_eq!(collections.path(), "collections/__init__.py");
    assert_eq!(find("os").unwrap().path(), "os.py");
    assert!(!find("os").unwrap().is_package());
    assert!(find("importlib._bootstrap").is_some() && find("zipimport").is_some());
    for absent in ["", "colections", "os.path", "idlelib", "tkinter", "test", "zzz", "Os"] {
        assert!(find(absent).is_none(), "{absent}");
    }
    let source = String::from_utf8(find("this").unwrap().source()).unwrap();
    assert!(source.starts_with("s = \"\"\"Gur Mra bs Clguba"));
}

#[test]
fn names_are_sorted_and_packages_complete() {
    let names: Vec<_> = entries().map(|entry| entry.name()).collect();
    assert!(names.windows(2).all(|w| w[0] < w[1]));
    for name in &names {
        assert_eq!(find(name).unwrap().name(), *name);
        if let Some((parent, _)) = name.rsplit_once('.') {
            assert!(find(parent).is_some_and(|p| p.is_package()), "{name} lacks its package");
        }
    }
    let json: Vec<_> = children("json").map(|e| e.name()).collect();
    assert_eq!(json, ["json.__main__", "json.decoder", "json.encoder", "json.scanner", "json.tool"]);
    assert!(children("").any(|e| e.name() == "zipimport") && children("").all(|e| !e.name().contains('.')));
    assert_eq!(children("os").count(), 0);
}

#[test]
fn nothing_speaks_of_rustpython() {
    // `_pycodecs` and `_opcode_metadata` only do so in the comment on where they come from.
    let allowed = ["_opcode_metadata", "_pycodecs"];
    for entry in entries().filter(|entry| !allowed.contains(&entry.name())) {
        let source = String::from_utf8(entry.source()).unwrap().to_lowercase();
        assert!(!source.contains("rustpython"), "{entry:?} needs a patch in build/patches.rs");
    }
}
