//! Runs `tests/opt/*.txt`. The first line of a file says what is tested, `; pass: close` for instance; then come
//! cases, each begun by a line `; case: name`: a tree, the line `; =>`, and the tree that the pass makes of it.
//!
//! Trees are verified after the pass (and before, where they are whole). `SKEIN_BLESS=1 cargo test -p skein-jit`
//! rewrites the files with what comes out; read the diff.

use skein_jit::ir::{SeqId, Tree};
use skein_jit::{opt, text, verify};
use std::fmt::Write;
use std::path::Path;

#[test]
fn passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/opt");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the file tests are gone");
    let mut failed = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let (header, body) = text.split_once('\n').unwrap();
        let pass = header.strip_prefix("; pass: ").unwrap_or_else(|| panic!("{}: no pass", path.display()));
        let (intro, cases) = body.split_once("; case: ").expect("a case");
        let mut got = format!("{header}\n{intro}");
        for case in cases.split("; case: ") {
            let (name, rest) = case.split_once('\n').unwrap();
            let before = rest.split("; =>\n").next().unwrap();
            let after = run(pass, before).unwrap_or_else(|e| panic!("{}: {name}: {e}", path.display()));
            write!(got, "; case: {name}\n{before}; =>\n{after}\n").unwrap();
        }
        let got = format!("{}\n", got.trim_end());
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

fn run(pass: &str, before: &str) -> Result<String, String> {
    let (mut tree, end) = text::parse(before)?;
    match pass {
        "verify" => return Ok(verify::verify(&tree).map_or_else(|e| e, |()| "ok".to_owned()) + "\n"),
        "forward" => {
            opt::forward(&mut tree);
            opt::remove_dead(&mut tree);
        }
        "phis" => drop(opt::remove_unchanging(&mut tree)),
        "virtuals" => {
            opt::remove_allocations(&mut tree);
            opt::remove_dead(&mut tree);
        }
        "strengthen" => opt::strengthen(&mut tree),
        "dead" => opt::remove_dead(&mut tree),
        "optimize" => {
            if let Some(end) = end {
                close(&mut tree, &end);
            }
            opt::optimize(&mut tree);
        }
        "close" => close(&mut tree, &end.ok_or("closing wants an end")?),
        _ => return Err(format!("unknown pass {pass}")),
    }
    let after = tree.to_string();
    verify::verify(&tree).map_err(|e| format!("{e}\n{after}"))?;
    let (again, _) = text::parse(&after)?;
    assert_eq!(again.to_string(), after, "the text form does not come back");
    Ok(after)
}

/// Closes the tree's last sequence: a loop, or a bridge of one that is closed.
fn close(tree: &mut Tree, end: &skein_jit::ir::RoundEnd) {
    let last = SeqId(tree.seqs.len() as u32 - 1);
    if Some(last) == tree.entry {
        opt::close_loop(tree, end);
    } else {
        opt::close_bridge(tree, last, end);
    }
}
