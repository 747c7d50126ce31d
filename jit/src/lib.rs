//! The tracing compiler: hot loops become machine code.

pub mod ir;
pub mod layout;
mod lower;
mod machine;
pub mod reference;
mod shims;

pub use machine::{CompileError, Compiled, Entry, Machine, RETURNED};
