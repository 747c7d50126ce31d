//! The tracing compiler: hot loops become machine code.

pub mod ir;
pub mod opt;
pub mod text;
pub mod verify;
