#![no_main]

use libfuzzer_sys::fuzz_target;
use skein_fuzz::containers::Containers;
use std::cell::RefCell;

thread_local! {
    static CONTAINERS: RefCell<Containers> = RefCell::new(Containers::new().expect("an isolate"));
}

fuzz_target!(|program: &[u8]| {
    CONTAINERS.with_borrow_mut(|containers| {
        if let Err(fault) = containers.check(program) {
            panic!("{fault}");
        }
    });
});
