//! Address space from the kernel: one large mapping, and advice on parts of it.
//!
//! Nothing here changes the protection of a part of a mapping, as that would
//! split it: the kernel allows 65,530 pieces to a process, and a guard page set
//! by `mprotect` costs two. Advice does not split, and lightweight guards are
//! marks in the page tables of an otherwise uniform mapping.

use std::io;
use std::ptr;

/// `MADV_GUARD_INSTALL`, Linux 6.13 and later.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// An anonymous private mapping, unmapped on drop.
pub(crate) struct Mapping {
    low: usize,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes of zeroed memory that costs only what is touched.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        // SAFETY: no address is asked for, so the kernel places the mapping
        // where nothing else is; no existing memory is affected.
        let low = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if low == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = Mapping { low: low as usize, len };
        // A huge page would back eight neighbouring stacks with 2 MiB on the
        // first touch of one. A kernel without huge pages refuses, and is right.
        #[cfg(target_os = "linux")]
        let _ = mapping.advise(mapping.low, len, libc::MADV_NOHUGEPAGE);
        Ok(mapping)
    }

    pub(crate) fn low(&self) -> usize {
        self.low
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes every access to `low..low + len` fault, without splitting the
    /// mapping. Fails where the kernel has no such guards.
    #[cfg(target_os = "linux")]
    pub(crate) fn guard(&self, low: usize, len: usize) -> io::Result<()> {
        self.advise(low, len, MADV_GUARD_INSTALL)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn guard(&self, _low: usize, _len: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives the pages of `low..low + len` back; they read as zero afterwards.
    pub(crate) fn give_back(&self, low: usize, len: usize) -> io::Result<()> {
        self.advise(low, len, libc::MADV_DONTNEED)
    }

    fn advise(&self, low: usize, len: usize, advice: libc::c_int) -> io::Result<()> {
        assert!(low >= self.low && len <= self.len && low - self.low <= self.len - len);
        // SAFETY: the assertion shows the range to be inside this mapping,
        // which is ours alone; that its contents are dead is the caller's
        // doing, who owns the slot in question.
        match unsafe { libc::madvise(low as *mut libc::c_void, len, advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this mapping was made by `new` with this address and length,
        // and is unmapped once. Stacks inside it hold the pool, which holds
        // this, so none is left.
        unsafe { libc::munmap(self.low as *mut libc::c_void, self.len) };
    }
}

/// The size of a page in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: a query without arguments in memory.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}
