//! Making the registers of the native code visible to a conservative scan.

/// Calls `f` with the current stack pointer. All callee-saved registers are in memory at or above
/// it, so that scanning from there to the base of the stack sees every value that the callers hold.
#[inline(never)]
pub fn with_native_stack(f: &mut dyn FnMut(*const u64)) {
    let mut saved = Registers::default();
    let sp = spill(&mut saved);
    f(sp);
    // The registers have to stay in this frame while `f` runs.
    std::hint::black_box(&mut saved);
}

/// Overwrites what earlier calls have left on the stack below the caller's frame. Frames that are made there later do not
/// write all of their words: a scan would find old references in the gaps.
#[inline(never)]
pub fn clear_stack_below() {
    let mut words = [0u64; 512];
    std::hint::black_box(&mut words);
}

#[cfg(target_arch = "x86_64")]
type Registers = [u64; 6];

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn spill(saved: &mut Registers) -> *const u64 {
    let sp: *const u64;
    // SAFETY: stores the six registers into the six words, changes nothing else.
    unsafe {
        std::arch::asm!(
            "mov [{to}], rbx",
            "mov [{to} + 8], rbp",
            "mov [{to} + 16], r12",
            "mov [{to} + 24], r13",
            "mov [{to} + 32], r14",
            "mov [{to} + 40], r15",
            "mov {sp}, rsp",
            to = in(reg) saved,
            sp = lateout(reg) sp,
            options(nostack, preserves_flags),
        );
    }
    sp
}

#[cfg(target_arch = "aarch64")]
type Registers = [u64; 12];

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn spill(saved: &mut Registers) -> *const u64 {
    let sp: *const u64;
    // SAFETY: stores the twelve registers into the twelve words, changes nothing else.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{to}]",
            "stp x21, x22, [{to}, 16]",
            "stp x23, x24, [{to}, 32]",
            "stp x25, x26, [{to}, 48]",
            "stp x27, x28, [{to}, 64]",
            "stp x29, x30, [{to}, 80]",
            "mov {sp}, sp",
            to = in(reg) saved,
            sp = lateout(reg) sp,
            options(nostack, preserves_flags),
        );
    }
    sp
}

/// Elsewhere `getcontext` stores all registers into memory, like `setjmp` but unscrambled.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
struct Registers(std::mem::MaybeUninit<libc::ucontext_t>);

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Default for Registers {
    fn default() -> Self {
        Registers(std::mem::MaybeUninit::zeroed())
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn spill(saved: &mut Registers) -> *const u64 {
    // SAFETY: the argument is room for a context.
    unsafe { libc::getcontext(saved.0.as_mut_ptr()) };
    // The stack grows down, so the context itself is the lowest that matters.
    saved.0.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locals_and_registers_of_callers_lie_above_the_stack_pointer() {
        let secret = std::hint::black_box(0x5ec2_e7ed_0b1e_c700u64);
        let base = &raw const secret as usize + 8;
        let mut found = false;
        with_native_stack(&mut |sp| {
            assert!((sp as usize) < base);
            for addr in (sp as usize..base).step_by(8) {
                // SAFETY: the addresses are on this thread's stack, between two frames of it.
                found |= unsafe { (addr as *const u64).read_volatile() } == secret;
            }
        });
        assert!(found);
    }
}
