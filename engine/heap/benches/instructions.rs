//! Instructions per object, all of which die. Count them with
//!
//! ```text
//! GLIBC_TUNABLES=glibc.cpu.x86_rep_stosb_threshold=1000000 \
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null instructions-* 0   (and 1000000)
//! ```
//!
//! and divide the difference by the number of objects. (The variable makes `memset` use vector stores;
//! else it zeroes a block by one string instruction, which callgrind counts once for each byte.)

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Model, NODE};
use skein_heap::{Allocation, CollectKind, Header, Heap, HeapConfig};

/// What the fast path of a runtime looks like.
#[inline(always)]
fn allocate(heap: &Heap<Model>) -> *mut Header {
    let mut head = heap.alloc_fast(32);
    if head.is_null() {
        head = slow(heap);
    }
    // SAFETY: just allocated; a header is eight bytes.
    unsafe { head.cast::<u64>().write(u64::from(NODE) << 40) };
    head
}

#[cold]
#[inline(never)]
fn slow(heap: &Heap<Model>) -> *mut Header {
    let mut after = false;
    loop {
        match heap.alloc_slow(32, after) {
            Allocation::Ok(head) => return head,
            // SAFETY: there are no roots, and the headers are written.
            Allocation::NeedsCollection => unsafe {
                heap.collect(CollectKind::Minor, &mut |_| {});
            },
            Allocation::OutOfMemory => std::process::abort(),
        }
        after = true;
    }
}

fn main() {
    // Under `cargo bench` and `cargo test` there is `--bench` or nothing.
    let number = std::env::args().find_map(|arg| arg.parse().ok());
    let Ok(heap) = Heap::new(HeapConfig::default()) else {
        return;
    };
    for _ in 0..number.unwrap_or(1_000_000u64) {
        std::hint::black_box(allocate(&heap));
    }
    println!("{} minor collections", heap.stats().minors.count);
}
