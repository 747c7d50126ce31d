//! The seeds of the fuzzer, and some of what it makes of them, as ordinary tests.

use skein_fuzz::bytecode::{Came, Codes};
use skein_fuzz::containers::Containers;
use skein_fuzz::mutate;
use skein_fuzz::source::Sources;

fn seeds() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut seeds: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn sources_are_accepted() {
    let mut sources = Sources::new().unwrap();
    if !sources.compares() {
        eprintln!("skipped: SKEIN_REFERENCE names no interpreter to compare with");
    }
    for (name, seed) in seeds() {
        for n in 0..20 {
            let changed = if n == 0 { Some(seed.clone()) } else { mutate::source(seed.as_bytes(), n) };
            let Some(source) = changed else { continue };
            if let Some(difference) = sources.check(source.as_bytes()).unwrap() {
                panic!("{name}, change {n}: {}\n{source}", difference.kind());
            }
        }
    }
}

#[test]
fn bytecode_of_the_seeds_runs() {
    let mut codes = Codes::new().unwrap();
    let mut came = [0; 3];
    for (name, seed) in seeds() {
        let text = codes.text(&seed).unwrap();
        assert_eq!(codes.check(text.as_bytes()), Ok(Came::Ran), "{name}");
        for n in 0..100 {
            if let Some(changed) = mutate::bytecode(text.as_bytes(), n) {
                came[codes.check(changed.as_bytes()).unwrap() as usize] += 1;
            }
        }
    }
    assert!(came.iter().all(|&n| n > 10), "unparsed, refused, run: {came:?}");
}

#[test]
fn containers_hold() {
    let mut containers = Containers::new().unwrap();
    let mut program = Vec::new();
    let mut state = 1u64;
    for _ in 0..40 {
        program.clear();
        for _ in 0..120 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            program.push((state >> 56) as u8);
        }
        containers.check(&program).unwrap();
    }
}
