//! The garbage-collected heap. Knows nothing of Python.

mod header;

pub use header::*;
