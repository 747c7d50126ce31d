//! Signals that a loop watches: the system's handler notes the number and wakes the loop by its eventfd.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Signals are numbered below this.
pub const COUNT: usize = 65;

static ARRIVED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
/// The eventfd of the loop that watches a signal; -1: none does.
static WATCHED_BY: [AtomicI32; COUNT] = [const { AtomicI32::new(-1) }; COUNT];

extern "C" fn on_signal(number: i32) {
    // SAFETY: errno is restored, since the interrupted code may be about to read it; `write` may be called here.
    unsafe {
        let errno = *libc::__errno_location();
        ARRIVED[number as usize].store(true, Ordering::Release);
        let fd = WATCHED_BY[number as usize].load(Ordering::Acquire);
        if fd >= 0 {
            wake(fd);
        }
        *libc::__errno_location() = errno;
    }
}

/// Wakes the loop with this eventfd.
pub fn wake(fd: i32) {
    let one = 1u64;
    // SAFETY: eight bytes are read. A full counter wakes as well.
    unsafe { libc::write(fd, (&raw const one).cast(), 8) };
}

/// Who watches a signal: an eventfd.
pub fn owner(number: usize) -> Option<i32> {
    Some(WATCHED_BY[number].load(Ordering::Acquire)).filter(|fd| *fd >= 0)
}

/// Has a signal arrived that the loop with this eventfd watches, and was not told of yet?
pub fn is_pending(fd: i32) -> bool {
    let mut numbers = ARRIVED.iter().zip(&WATCHED_BY);
    numbers.any(|(arrived, by)| arrived.load(Ordering::Acquire) && by.load(Ordering::Acquire) == fd)
}

/// A loop with this eventfd watches the signal from now on. The action before, if the system agrees.
pub fn watch(number: usize, fd: i32) -> Option<libc::sigaction> {
    WATCHED_BY[number].store(fd, Ordering::Release);
    // SAFETY: plain data in and out; the handler only notes the number and writes.
    unsafe {
        let (mut new, mut old): (libc::sigaction, libc::sigaction) = (std::mem::zeroed(), std::mem::zeroed());
        new.sa_sigaction = on_signal as *const () as usize;
        libc::sigfillset(&mut new.sa_mask);
        new.sa_flags = libc::SA_RESTART;
        (libc::sigaction(number as i32, &new, &mut old) == 0).then_some(old)
    }
}

/// Is the system's handler still the one from here? A program may have set another since.
fn is_ours(number: usize) -> bool {
    // SAFETY: asks only.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number as i32, std::ptr::null(), &mut now) == 0
            && now.sa_sigaction == on_signal as *const () as usize
    }
}

/// Nobody watches the signal any more: it does what it does by default, or what `old` says.
pub fn unwatch(number: usize, old: Option<&libc::sigaction>) {
    WATCHED_BY[number].store(-1, Ordering::Release);
    if !is_ours(number) {
        return;
    }
    // SAFETY: plain data in: an action that was in force before, or the default.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(number as i32, old.unwrap_or(&default), std::ptr::null_mut());
    }
}

/// The loop's eventfd is another now.
pub fn moved(from: i32, to: i32) {
    for owner in &WATCHED_BY {
        let _ = owner.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
    }
}

/// Has the signal come in since it was asked last?
pub fn arrived(number: usize) -> bool {
    ARRIVED[number].swap(false, Ordering::AcqRel)
}
