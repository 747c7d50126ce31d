//! Calls of C functions whose types are known at run time only, and functions in Rust that C calls: the calling convention
//! of x86-64 Unix, for `_ctypes`. Knows nothing of Python.
//!
//! ```text
//! call      arguments --classify--> registers and stack words --entry.rs--> function
//! callback  C --thunk--> entry.rs --> Handler, with the registers as they came
//! ```
//! Elsewhere there is no such convention here, and the crate is empty.

#[cfg(target_arch = "x86_64")]
mod call;
#[cfg(target_arch = "x86_64")]
mod callback;
#[cfg(target_arch = "x86_64")]
mod entry;
mod types;

#[cfg(target_arch = "x86_64")]
pub use call::{Argument, call};
#[cfg(target_arch = "x86_64")]
pub use callback::{Callback, Incoming, Returned};
pub use types::{Aggregate, Scalar, Type};
