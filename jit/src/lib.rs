//! The tracing compiler: hot loops become machine code.

pub mod deopt;
pub mod driver;
pub mod ir;
pub mod opt;
pub mod recorder;
pub mod text;
pub mod verify;

pub use driver::{Jit, Options};
