//! The garbage-collected heap. Knows nothing of Python.

mod config;
mod header;
mod heap;
mod model;
mod tracer;

pub use config::*;
pub use header::*;
pub use heap::Heap;
pub use model::ObjectModel;
pub use tracer::Tracer;

/// Calls `f` with the current stack pointer, all callee-saved registers being in memory above it.
#[inline(never)]
pub fn with_native_stack(f: &mut dyn FnMut(*const u64)) {
    let word = 0u64;
    f(&word);
}
