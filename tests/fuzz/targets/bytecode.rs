#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use skein_fuzz::bytecode::Codes;
use skein_fuzz::mutate;
use std::cell::RefCell;

thread_local! {
    static CODES: RefCell<Codes> = RefCell::new(Codes::new().expect("an isolate"));
}

fuzz_target!(|text: &[u8]| -> libfuzzer_sys::Corpus {
    CODES.with_borrow_mut(|codes| match codes.check(text) {
        Ok(skein_fuzz::bytecode::Came::Nowhere) => libfuzzer_sys::Corpus::Reject,
        Ok(_) => libfuzzer_sys::Corpus::Keep,
        Err(fault) => panic!("{fault}"),
    })
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match mutate::bytecode(&data[..size], seed) {
        Some(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
