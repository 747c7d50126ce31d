//! The tracing compiler: hot loops become machine code.

pub mod ir;
mod layout;
mod lower;
mod machine;
mod shims;

pub use machine::{CompileError, Compiled, Entry, Machine, RETURNED};
