//! Waiting for a word to change: the system's futex.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Waits while the word is `expected`, at most so long; may end before, by a signal or for no reason.
pub fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let limit = timeout.map(|t| libc::timespec {
        tv_sec: t.as_secs().min(i32::MAX as u64) as _,
        tv_nsec: t.subsec_nanos() as _,
    });
    let limit_ptr = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word and the time are alive during the call, which only reads them.
    unsafe {
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, limit_ptr);
    }
}

/// Wakes the one thread that waits at the word. May be called in a signal handler.
pub fn wake(word: &AtomicU32) {
    // SAFETY: the address is only compared with those of waiting threads.
    unsafe {
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1);
    }
}
