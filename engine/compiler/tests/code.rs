//! The code that sources compile to: `tests/code/*.py` against the text form beside each.
//! `SKEIN_BLESS=1 cargo test -p skein-compiler` writes the text anew.

use skein_compiler::{Mode, Options, compile};
use std::{env, fs, path::Path};

#[test]
fn sources_compile_to_the_code_beside_them() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code");
    let mut sources: Vec<_> = fs::read_dir(&dir)
        .expect("the folder is there")
        .map(|e| e.expect("it is readable").path())
        .filter(|p| p.extension().is_some_and(|e| e == "py"))
        .collect();
    sources.sort();
    let mut wrong = Vec::new();
    for path in sources {
        let source = fs::read(&path).expect("it is readable");
        let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
        let code = compile(&source, &name, Mode::Exec, &Options::default()).expect("it compiles");
        skein_bytecode::verify(&code).expect("it is sound");
        let text = code.to_string();
        let expected = path.with_extension("txt");
        if env::var_os("SKEIN_BLESS").is_some() {
            fs::write(&expected, &text).expect("it is writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "different code for {wrong:?}: look at it, then SKEIN_BLESS=1");
}
