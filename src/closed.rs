//! Which of the standard streams' descriptors were closed when the process began.
//!
//! Rust opens `/dev/null` in their place before `main`, so that it has to be asked before that.

use std::sync::atomic::{AtomicU8, Ordering};

/// A bit for each closed descriptor.
static CLOSED: AtomicU8 = AtomicU8::new(0);

extern "C" fn look() {
    for fd in 0..3 {
        // SAFETY: asks only.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            CLOSED.fetch_or(1 << fd, Ordering::Relaxed);
        }
    }
}

// SAFETY: the loader calls what is in this section before `main`, as `look`, which needs nothing of Rust's
// runtime, can be called.
#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static LOOK: extern "C" fn() = look;

/// Of standard input, output and error output, which were closed.
pub fn at_start() -> [bool; 3] {
    let closed = CLOSED.load(Ordering::Relaxed);
    [0, 1, 2].map(|fd| closed & (1 << fd) != 0)
}
