#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use skein_fuzz::mutate;
use skein_fuzz::source::Sources;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

thread_local! {
    static SOURCES: RefCell<(Sources, BTreeSet<u64>)> =
        RefCell::new((Sources::new().expect("an isolate and the reference"), BTreeSet::new()));
}

fuzz_target!(|source: &[u8]| {
    SOURCES.with_borrow_mut(|(sources, known)| match sources.check(source) {
        Ok(None) => {}
        // One of each kind is kept as a file, and the search goes on.
        Ok(Some(difference)) => {
            let mut hasher = DefaultHasher::new();
            difference.kind().hash(&mut hasher);
            let kind = hasher.finish();
            if !known.insert(kind) {
                return;
            }
            let Some(folder) = std::env::var_os("SKEIN_FUZZ_DIFFERENCES") else {
                panic!("{}", difference.kind())
            };
            let path = std::path::Path::new(&folder).join(format!("differs-{kind:016x}.py"));
            if !path.exists() {
                eprintln!("{}: Skein: {}; reference: {}", path.display(), difference.ours, difference.theirs);
                std::fs::write(&path, source).expect("the folder of differences can be written");
            }
        }
        Err(fault) => panic!("{fault}"),
    });
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match mutate::source(&data[..size], seed) {
        Some(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
