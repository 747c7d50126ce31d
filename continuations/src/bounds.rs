//! Where a stack begins and ends, and how much of it is left.
//!
//! ```text
//!   high addresses
//!   +-----------------+ <- base: the first frame begins here
//!   |  older frames   |
//!   |  newer frames   |
//!   +-----------------+ <- stack pointer          -+
//!   |  free           |                            | StackLimit::remaining()
//!   +-----------------+ <- limit: lowest usable   -+
//!   |  guard          |    address
//!   +-----------------+
//!   low addresses
//! ```

use std::ops::Range;

/// The usable addresses of one stack; stacks grow from `base` down to `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackBounds {
    /// One past the highest address.
    pub base: usize,
    /// The lowest usable address (a guard, if there is one, lies below it).
    pub limit: usize,
}

impl StackBounds {
    /// Does `address` lie on this stack?
    #[inline]
    pub fn contains(&self, address: usize) -> bool {
        (self.limit..self.base).contains(&address)
    }

    /// The size in bytes.
    #[inline]
    pub fn size(&self) -> usize {
        self.base - self.limit
    }

    /// The words to scan when the stack is in use from `low` upwards.
    #[inline]
    pub(crate) fn in_use_from(&self, low: usize) -> Range<usize> {
        low.clamp(self.limit, self.base)..self.base
    }
}

/// The lowest usable address of a stack, to be compared with the stack pointer.
///
/// One word, `repr(transparent)`, so that compiled code can load it and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct StackLimit(usize);

impl StackLimit {
    /// The limit of the stack with these bounds.
    #[inline]
    pub fn new(bounds: StackBounds) -> Self {
        StackLimit(bounds.limit)
    }

    /// The lowest usable address.
    #[inline]
    pub fn address(self) -> usize {
        self.0
    }

    /// Bytes left below the caller's stack pointer; 0 when the limit is passed.
    ///
    /// Only meaningful while running on the stack that the limit belongs to.
    #[inline(always)]
    pub fn remaining(self) -> usize {
        current_stack_pointer().saturating_sub(self.0)
    }
}

/// The stack pointer of the function this is inlined into.
#[inline(always)]
pub fn current_stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: each instruction copies the stack pointer into a register that
    // the compiler chose, and touches neither memory, stack nor flags.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // A local's address is within one frame of the stack pointer, which the
        // slack below a saved stack pointer covers.
        let marker = 0u8;
        sp = std::hint::black_box(&raw const marker) as usize;
    }
    sp
}

/// Stores the callee-saved registers on the stack, then calls `f` with an
/// address below them.
///
/// All that the calling code keeps alive is in `address..base` of its stack
/// while `f` runs: in its frames, or in the registers just stored.
#[inline(never)]
pub fn with_spilled_registers<R>(f: impl FnOnce(usize) -> R) -> R {
    let mut registers = [0usize; 12];
    let store = registers.as_mut_ptr();
    // SAFETY: six registers go to registers[0..6], inside the array; the
    // instructions only read the registers they name.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx",
            "mov [{0} + 8], rbp",
            "mov [{0} + 16], r12",
            "mov [{0} + 24], r13",
            "mov [{0} + 32], r14",
            "mov [{0} + 40], r15",
            in(reg) store,
            options(nostack, preserves_flags),
        );
    }
    // SAFETY: twelve registers (x19 to x30) go to registers[0..12], inside the
    // array; the instructions only read the registers they name.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]",
            "stp x21, x22, [{0}, #16]",
            "stp x23, x24, [{0}, #32]",
            "stp x25, x26, [{0}, #48]",
            "stp x27, x28, [{0}, #64]",
            "stp x29, x30, [{0}, #80]",
            in(reg) store,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    compile_error!("say here how this architecture's callee-saved registers are stored");
    let result = f(current_stack_pointer().min(store as usize));
    // The array must outlive `f`, as a word may be alive in it alone.
    std::hint::black_box(&mut registers);
    result
}

/// The bounds of the OS stack of the calling thread.
///
/// Must not be called on a pooled stack: the answer is about the thread, not
/// about the stack pointer.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn os_stack_bounds() -> StackBounds {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut low = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: pthread_getattr_np initialises the attributes when it returns 0,
    // and only then are they read and destroyed; the out-pointers are to live
    // locals of the right types.
    let found = unsafe {
        libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) == 0 && {
            let read = libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut size) == 0;
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            read
        }
    };
    if found { StackBounds { base: low as usize + size, limit: low as usize } } else { assumed_bounds() }
}

/// The bounds of the OS stack of the calling thread.
#[cfg(target_vendor = "apple")]
pub fn os_stack_bounds() -> StackBounds {
    // SAFETY: both only read the descriptor of the calling thread.
    let (base, size) = unsafe {
        let thread = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(thread) as usize, libc::pthread_get_stacksize_np(thread))
    };
    StackBounds { base, limit: base - size }
}

/// The bounds of the OS stack of the calling thread, assumed: call it in the
/// thread's first function, as frames above the caller's are not inside them.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn os_stack_bounds() -> StackBounds {
    assumed_bounds()
}

/// What is assumed where the system does not tell: the caller's frames of up to
/// a page above, and 512 KiB below, which is the smallest default thread stack
/// in use.
#[cfg(not(target_vendor = "apple"))]
fn assumed_bounds() -> StackBounds {
    let sp = current_stack_pointer();
    StackBounds { base: (sp | 0xfff) + 1, limit: sp.saturating_sub(512 << 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_os_stack_holds_a_local() {
        let local = 1u8;
        let bounds = os_stack_bounds();
        assert!(bounds.contains(&raw const local as usize));
        assert!(bounds.contains(current_stack_pointer()));
        let remaining = StackLimit::new(bounds).remaining();
        assert!(remaining > 0 && remaining < bounds.size());
    }

    #[test]
    fn remaining_shrinks_with_depth() {
        #[inline(never)]
        fn deeper(limit: StackLimit) -> usize {
            let room = std::hint::black_box([0u8; 4096]);
            limit.remaining() + room[0] as usize
        }
        let limit = StackLimit::new(os_stack_bounds());
        assert!(limit.remaining() - deeper(limit) >= 4096);
    }

    #[test]
    fn spilled_registers_are_above_the_given_address() {
        let local = 1u8;
        let low = with_spilled_registers(|low| low);
        assert!(low < &raw const local as usize);
    }
}
